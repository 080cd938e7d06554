/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_learn_traps.c - what published codes got wrong (spec maid 8), each with a test that the mistake would fail, and the tests of spec 9.2 that need a
 * level of their own. Double only, as claim_learn.
 *
 *   trap                                                      test
 *    1 CG on b below its tolerance returns the image          no_gradient_gives_no_direction; claim_learn what_is_said_holds_the_truth (T11)
 *    2 omega without L_g, |J| or the right length             omega_is_tight_for_a_shift
 *    3 an old loss with a new accuracy                        intervals_hold_after_failures
 *    4 mu of another scaling, or an L in its place            modulus_is_that_of_a_sample
 *    5 parameters of experts off by one, shrinking images     experts_begin_where_they_say
 *    6 counters that miss evaluations                         work_is_what_was_called
 *    7 steps on plain decrease, accuracies of other points    intervals_hold_after_failures
 *    8 options that are dropped in silence                    claim_learn_methods names_and_keys_are_checked
 *    9 trials that are not finite as a warm start             bad_trials_are_steps_refused
 *   10 norms of the stack mixed with those of a sample        samples_stand_alone
 *   11 float                                                  cli_learn: --precision float
 *   12 images in the order of the directory                   cli_learn: a folder
 *
 * T2 two_weights_have_their_closed_form, T10 accuracies_scale, T14 steps_grow_with_the_root, T15 direction_is_the_slope, T16 each_start_ends_alike, T17 no_point_of_a_grid_is_better.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "../reconstruct/learn_method.h"
#include "priori/priori.h"

static const int is_float = sizeof(pri_real) == 4;
static const pri_method_box box = {-16, 16};

/* ---- h_i = 1/2 (x - s_i theta)^2, g_i = 1/2 (x - t_i)^2: mu = L = 1, J = -s_i, L_H = L_J = 0; counts its calls; bad beyond [-bad, bad] */

enum { SHIFTS = 3 };
typedef struct shift { double theta, s[SHIFTS], t[SHIFTS], bad; int refuses; long gradients, products, mixed; } shift;

static size_t no_room(const void *priv) { return (void)priv, 8; }
static pri_status s_theta(pri_ctx *ctx, void *priv, const double *theta, pri_lower_constants *c) {
  shift *v = priv;
  v->theta = theta[0];
  *c = (pri_lower_constants){.mu = 1, .L = 1, .mixed_norm = 3, .mu_proven = 1, .proven = 1};
  if (v->refuses && fabs(v->theta) > v->bad) return PRI_FAIL(ctx, PRI_ENUMERIC, "no lower level at %g", v->theta);
  return PRI_OK;
}
static pri_status s_start(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *x) { return (void)ctx, (void)priv, (void)desk, x[0] = (pri_real)(0.25 * (double)i), PRI_OK; }
static pri_status s_gradient(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *g, const pri_real *x) {
  shift *v = (shift *)(uintptr_t)priv;
  (void)ctx, (void)desk;
  v->gradients++;
  g[0] = fabs(v->theta) > v->bad ? (pri_real)NAN : (pri_real)((double)x[0] - v->s[i] * v->theta);
  return PRI_OK;
}
static pri_status s_prepare(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x) { return (void)ctx, (void)priv, (void)desk, (void)i, (void)x, PRI_OK; }
static pri_status s_product(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *hv, const pri_real *u) {
  (void)ctx, (void)desk, (void)i;
  ((shift *)(uintptr_t)priv)->products++;
  hv[0] = u[0];
  return PRI_OK;
}
static pri_status s_mixed(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *out, const double *d) {
  (void)ctx, (void)desk;
  ((shift *)(uintptr_t)priv)->mixed++;
  out[0] = (pri_real)(-((const shift *)priv)->s[i] * d[0]);
  return PRI_OK;
}
static pri_status s_mixed_t(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, double *out, const pri_real *u) {
  (void)ctx, (void)desk;
  ((shift *)(uintptr_t)priv)->mixed++;
  out[0] = -((const shift *)priv)->s[i] * (double)u[0];
  return PRI_OK;
}
static pri_status s_value(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const shift *v = priv;
  (void)ctx, (void)desk;
  grad[0] = (pri_real)((double)x[0] - v->t[i]);
  *g = (double)grad[0] * (double)grad[0] / 2;
  return PRI_OK;
}
static void nothing(pri_ctx *ctx, void *priv) { (void)ctx, (void)priv; }
static const pri_lower_class s_level = {.name = "shift", .desk = no_room, .theta = s_theta, .start = s_start, .gradient = s_gradient, .prepare = s_prepare, .product = s_product, .mixed = s_mixed, .mixed_t = s_mixed_t, .fini = nothing};
static const pri_upper_class s_upper = {"distance", NULL, s_value, 1, nothing};

static pri_lower *open_shift(pri_ctx **ctx, shift *v, int m) {
  pri_lower *l;
  assert_int_equal(pri_open(ctx, &(pri_ctx_opts){.threads = 1}), PRI_OK);
  assert_int_equal(pri_lower_create(*ctx, &l, &(pri_lower_level){&s_level, v, m, 1, 1}, &(pri_upper){.c = &s_upper, .priv = v, .lip = 1, .convex = 1, .proven = 1}), PRI_OK);
  return l;
}

static void close_lower(pri_ctx **ctx, pri_lower *l) {
  pri_lower_destroy(&l);
  assert_int_equal(pri_ctx_memory_used(*ctx), 0);
  pri_ctx_destroy(ctx);
}

static void no_gradient_gives_no_direction(void **state) { /* x = truth: grad g = 0, whatever q was before */
  shift v = {.s = {1}, .t = {2}, .bad = 99};
  const double theta = 2;
  double e = 0, z = 9, omega = 9;
  pri_real x = 2, q = 7;
  pri_ctx *ctx;
  (void)state;
  pri_lower *l = open_shift(&ctx, &v, 1);
  assert_int_equal(pri_lower_theta(l, &theta), PRI_OK);
  assert_int_equal(pri_lower_hypergradient(l, &x, &e, 0.5, &q, &z, &omega), PRI_OK);
  assert_true(z == 0 && q == 0 && omega == 0);
  close_lower(&ctx, l);
}

/* |z - f'| = |x - theta| = e, and omega = |J| / mu (r + L_g e) = e: double mu, no L_g or no |J| would fall below */
static void omega_is_tight_for_a_shift(void **state) {
  shift v = {.s = {2}, .t = {3}, .bad = 99};
  const double theta = 1;
  pri_ctx *ctx;
  (void)state;
  pri_lower *l = open_shift(&ctx, &v, 1);
  assert_int_equal(pri_lower_theta(l, &theta), PRI_OK);
  for (int k = 0; k < 4; k++) {
    const double e = pow(10, -k);
    double z, omega;
    pri_real x = (pri_real)(2 * theta + e), q = 0;
    assert_int_equal(pri_lower_hypergradient(l, &x, &e, 1e-12, &q, &z, &omega), PRI_OK);
    const double error = fabs(z - 2 * (2 * theta - 3)), rounding = is_float ? 1e-5 : 1e-12;
    assert_true(fabs(error - 2 * e) <= rounding && fabs(omega - error) <= rounding);
  }
  close_lower(&ctx, l);
}

static void work_is_what_was_called(void **state) {
  static const char *const specs[] = {"maid:metric=lbfgs", "maid", "maid:mode=estimated", "maid:descent=yes", "maid:search=paper,alpha=0.1", "fixed", "hoag", "dfo", "grid", "random"};
  (void)state;
  if (is_float) return;
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    shift v = {.s = {1, 2, -1}, .t = {2, 1, 0.5}, .bad = 99};
    const double start = 5;
    pri_method_report r;
    pri_verdict why = PRI_GO;
    pri_method *m;
    pri_ctx *ctx;
    pri_lower *l = open_shift(&ctx, &v, SHIFTS);
    assert_int_equal(pri_method_parse(ctx, &m, specs[i]), PRI_OK);
    assert_int_equal(pri_method_start(m, l, &start, box), PRI_OK);
    for (int k = 0; k < 6 && why == PRI_GO; k++) assert_int_equal(pri_method_step(m, &r, &why), PRI_OK);
    if (r.work.gradients != (double)v.gradients || r.work.products != (double)v.products || r.work.mixed != (double)v.mixed)
      fail_msg("%s: %g %g %g are counted, %ld %ld %ld were called", specs[i], r.work.gradients, r.work.products, r.work.mixed, v.gradients, v.products, v.mixed);
    pri_method_destroy(&m);
    close_lower(&ctx, l);
  }
}

/* Trials beyond |theta| = 3 are not finite, or fail: refused, and the run goes on to the optimum 2 from finite images */
static void bad_trials_are_steps_refused(void **state) {
  static const char *const specs[] = {"maid:metric=none,alpha=100,cap=100", "maid:search=paper,alpha=100", "maid:mode=off,metric=none,alpha=100,cap=100", "fixed:eps=1e-6", "dfo:radius=4", "hoag:eps=1e-3"};
  (void)state;
  if (is_float) return;
  for (size_t i = 0; i < 2 * (sizeof specs / sizeof *specs); i++) {
    shift v = {.s = {1}, .t = {2}, .bad = 3, .refuses = i % 2};
    const double start = -2.5;
    pri_method_report r = {0};
    pri_verdict why = PRI_GO;
    pri_method *m;
    pri_ctx *ctx;
    pri_lower *l = open_shift(&ctx, &v, 1);
    assert_int_equal(pri_method_parse(ctx, &m, specs[i / 2]), PRI_OK);
    assert_int_equal(pri_method_start(m, l, &start, box), PRI_OK);
    for (int k = 0; k < 300 && why == PRI_GO; k++)
      if (pri_method_step(m, &r, &why) != PRI_OK) fail_msg("%s: %s", specs[i / 2], pri_ctx_message(ctx));
    if (!(fabs(pri_method_theta(m)[0] - 2) <= 0.05 && isfinite(r.best))) fail_msg("%s ends at %g", specs[i / 2], pri_method_theta(m)[0]);
    if (i < 6) assert_true(r.trials > r.k); /* there was something to refuse */
    pri_method_destroy(&m);
    close_lower(&ctx, l);
  }
}

static void samples_stand_alone(void **state) { /* T12: samples in another order, or twice: the same gradient, interval and work */
  shift a = {.s = {1, 2, -1}, .t = {2, 1, 0.5}, .bad = 99}, b = {.s = {-1, 1, 2}, .t = {0.5, 2, 1}, .bad = 99};
  const double theta = 0.7, e[2][3] = {{0.01, 0.1, 1}, {1, 0.01, 0.1}};
  pri_real x[2][3] = {{(pri_real)0.71, (pri_real)1.5, (pri_real)0.3}, {(pri_real)0.3, (pri_real)0.71, (pri_real)1.5}}, q[2][3] = {{0}};
  double z[2], omega[2];
  pri_interval f[2];
  (void)state;
  for (int k = 0; k < 2; k++) {
    pri_ctx *ctx;
    pri_lower *l = open_shift(&ctx, k ? &b : &a, 3);
    assert_int_equal(pri_lower_theta(l, &theta), PRI_OK);
    assert_int_equal(pri_lower_hypergradient(l, x[k], e[k], 1e-10, q[k], &z[k], &omega[k]), PRI_OK);
    f[k] = pri_lower_interval(l, x[k], e[k]);
    close_lower(&ctx, l);
  }
  const double rounding = is_float ? 1e-5 : 1e-13;
  assert_true(fabs(z[0] - z[1]) <= rounding && fabs(omega[0] - omega[1]) <= rounding && fabs(f[0].low - f[1].low) <= rounding && fabs(f[0].high - f[1].high) <= rounding);
  /* each by its own e: omega = mean of |s_i| e_i; the largest e for all would be four times that */
  assert_true(fabs(omega[0] - (1 * 0.01 + 2 * 0.1 + 1 * 1) / 3) <= (is_float ? 1e-5 : 1e-9));
}

/* ---- T2: h = 1/2 |x - y|^2 + 1/2 e^theta_1 |D_a x|^2 + 1/2 e^theta_2 |D_b x|^2 on 32 x 32, no flow across borders */

enum { SIDE = 32, N = SIDE * SIDE };
static const double pi = 3.14159265358979323846;
typedef struct smoothing { double w[2]; double y[N], truth[N]; } smoothing;
static smoothing plane, twin;

static void laplacian(double *out, const double *x, int axis) { /* D'D x */
  const int step = axis == 0 ? SIDE : 1;
  for (int k = 0; k < N; k++) {
    const int at = axis == 0 ? k / SIDE : k % SIDE;
    out[k] = (at > 0 ? x[k] - x[k - step] : 0) + (at < SIDE - 1 ? x[k] - x[k + step] : 0);
  }
}

static void draw_plane(smoothing *v) {
  for (int a = 0; a < SIDE; a++)
    for (int b = 0; b < SIDE; b++) {
      const int k = a * SIDE + b;
      v->truth[k] = sin(4 * pi * a / 32) * cos(2 * pi * b / 32) + ((a - 16) * (a - 16) + (b - 12) * (b - 12) < 64);
      v->y[k] = v->truth[k] + 0.2 * cos(7 * (3 * a + 5 * b));
    }
}

static pri_status p_theta(pri_ctx *ctx, void *priv, const double *theta, pri_lower_constants *c) {
  smoothing *v = priv;
  (void)ctx;
  v->w[0] = exp(theta[0]), v->w[1] = exp(theta[1]);
  const double w = fmax(v->w[0], v->w[1]);
  *c = (pri_lower_constants){.mu = 1, .L = 1 + 4 * (v->w[0] + v->w[1]), .mixed_lip = 4 * sqrt(2) * w, .mixed_norm = INFINITY, .mu_proven = 1, .proven = 1};
  return PRI_OK;
}
static pri_status p_start(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *x) {
  (void)ctx, (void)desk, (void)i;
  for (int k = 0; k < N; k++) x[k] = (pri_real)((const smoothing *)priv)->y[k];
  return PRI_OK;
}
static size_t p_room(const void *priv) { return (void)priv, 2 * N * sizeof(double); }
static pri_status p_product(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *hv, const pri_real *u) {
  const smoothing *v = priv;
  double *wide = desk, *t = wide + N;
  (void)ctx, (void)i;
  for (int k = 0; k < N; k++) wide[k] = (double)u[k], hv[k] = u[k];
  for (int axis = 0; axis < 2; axis++) {
    laplacian(t, wide, axis);
    for (int k = 0; k < N; k++) hv[k] += (pri_real)(v->w[axis] * t[k]);
  }
  return PRI_OK;
}
static pri_status p_gradient(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *g, const pri_real *x) {
  PRI_TRY(p_product(ctx, priv, desk, i, g, x));
  for (int k = 0; k < N; k++) g[k] -= (pri_real)((const smoothing *)priv)->y[k];
  return PRI_OK;
}
static pri_real p_at[N];
static pri_status p_prepare(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x) { return (void)ctx, (void)priv, (void)desk, (void)i, memcpy(p_at, x, sizeof p_at), PRI_OK; }
static pri_status p_mixed(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *out, const double *d) {
  const smoothing *v = priv;
  double *wide = desk, *t = wide + N;
  (void)ctx, (void)i;
  for (int k = 0; k < N; k++) wide[k] = (double)p_at[k], out[k] = 0;
  for (int axis = 0; axis < 2; axis++) {
    laplacian(t, wide, axis);
    for (int k = 0; k < N; k++) out[k] += (pri_real)(d[axis] * v->w[axis] * t[k]);
  }
  return PRI_OK;
}
static pri_status p_mixed_t(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, double *out, const pri_real *u) {
  const smoothing *v = priv;
  double *wide = desk, *t = wide + N;
  (void)ctx, (void)i;
  for (int k = 0; k < N; k++) wide[k] = (double)p_at[k];
  for (int axis = 0; axis < 2; axis++) {
    laplacian(t, wide, axis);
    out[axis] = 0;
    for (int k = 0; k < N; k++) out[axis] += v->w[axis] * t[k] * (double)u[k];
  }
  return PRI_OK;
}
static pri_status p_value(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  (void)ctx, (void)desk, (void)i;
  *g = 0;
  for (int k = 0; k < N; k++) {
    const double d = (double)x[k] - ((const smoothing *)priv)->truth[k];
    grad[k] = (pri_real)d, *g += d * d / 2;
  }
  return PRI_OK;
}
static const pri_lower_class p_level = {.name = "smoothing", .desk = p_room, .theta = p_theta, .start = p_start, .gradient = p_gradient, .prepare = p_prepare, .product = p_product, .mixed = p_mixed, .mixed_t = p_mixed_t, .fini = nothing};
static const pri_upper_class p_upper = {"distance", NULL, p_value, 1, nothing};
static const double f_star = 2.9149898142;

static pri_lower *plane_on(pri_ctx *ctx, smoothing *v) {
  pri_lower *l;
  draw_plane(v);
  assert_int_equal(pri_lower_create(ctx, &l, &(pri_lower_level){&p_level, v, 1, N, 2}, &(pri_upper){.c = &p_upper, .priv = v, .lip = 1, .convex = 1, .proven = 1}), PRI_OK);
  return l;
}

static pri_lower *open_plane(pri_ctx **ctx) {
  assert_int_equal(pri_open(ctx, &(pri_ctx_opts){.threads = 1}), PRI_OK);
  return plane_on(*ctx, &plane);
}

static double tight(pri_lower *l, const double *theta, double *z) {
  static pri_real x[N], q[N];
  double e;
  for (int k = 0; k < N; k++) x[k] = (pri_real)plane.y[k];
  assert_int_equal(pri_lower_theta(l, theta), PRI_OK);
  assert_int_equal(pri_lower_solve(l, x, 1e-13, 200000, &e), PRI_OK);
  if (z) assert_int_equal(pri_lower_hypergradient(l, x, &e, 1e-14, q, z, NULL), PRI_OK);
  const pri_interval f = pri_lower_interval(l, x, &e);
  return (f.low + f.high) / 2;
}

static void two_weights_have_their_closed_form(void **state) { /* T2: printed with 10 and 8 digits */
  static const double theta[2][2] = {{-2, -2}, {0, 0}}, f[2] = {3.7198108538, 8.6039539137}, slope[2][2] = {{-0.57866891, -0.99224841}, {5.93822539, 2.58973092}};
  static const double best[2] = {-5.942203, -0.651253};
  double z[2];
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  pri_lower *l = open_plane(&ctx);
  for (int k = 0; k < 2; k++) {
    assert_true(fabs(tight(l, theta[k], z) - f[k]) <= 1e-9);
    assert_true(fabs(z[0] - slope[k][0]) <= 2e-8 && fabs(z[1] - slope[k][1]) <= 2e-8);
  }
  assert_true(fabs(tight(l, best, z) - f_star) <= 1e-9 && hypot(z[0], z[1]) <= 1e-5);
  close_lower(&ctx, l);
}

static pri_method *begin(pri_ctx *ctx, pri_lower *l, const char *spec, const double *start) {
  pri_method *m;
  if (pri_method_parse(ctx, &m, spec) != PRI_OK || pri_method_start(m, l, start, box) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(ctx));
  return m;
}

/* T16: the loss ends within 1e-5 of the least one from every accuracy and step; theta_1 is flat there */
static void each_start_ends_alike(void **state) {
  static const char *const specs[] = {"maid:eps=1e2", "maid:eps=1", "maid:eps=1e-2", "maid:eps=1e-4", "maid:metric=lbfgs,alpha=1e-4", "maid:metric=lbfgs,alpha=1e-2", "maid:metric=lbfgs,alpha=1", "maid:metric=lbfgs,alpha=100"};
  static const double start[2] = {-2, -2};
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  pri_lower *l = open_plane(&ctx);
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pri_method_report r;
    pri_verdict why = PRI_GO;
    pri_method *m = begin(ctx, l, specs[i], start);
    for (int k = 0; k < 60 && why == PRI_GO; k++) assert_int_equal(pri_method_step(m, &r, &why), PRI_OK);
    const double f = tight(l, pri_method_theta(m), NULL);
    if (!(f <= f_star * (1 + 1e-5) && why == PRI_CONVERGED && fabs(pri_method_theta(m)[1] + 0.651253) <= 1e-2)) fail_msg("%s: %s at %.10g", specs[i], pri_verdict_name(why), f);
    pri_method_destroy(&m);
  }
  close_lower(&ctx, l);
}

static void no_point_of_a_grid_is_better(void **state) { /* T17 */
  static const double start[2] = {-5.5, -1};
  pri_method_report r, g;
  pri_verdict why = PRI_GO;
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  pri_lower *l = open_plane(&ctx);
  pri_method *m = begin(ctx, l, "maid", start), *grid = begin(ctx, l, "grid:points=13,span=1.5", start);
  for (int k = 0; k < 60 && why == PRI_GO; k++) assert_int_equal(pri_method_step(m, &r, &why), PRI_OK);
  for (why = PRI_GO; why == PRI_GO;) assert_int_equal(pri_method_step(grid, &g, &why), PRI_OK);
  assert_true(g.k == 169 && r.f.low <= g.f.high && r.f.high <= g.f.low + (r.f.high - r.f.low) + (g.f.high - g.f.low));
  assert_true(fabs(pri_method_theta(grid)[1] + 0.651253) <= 0.26); /* a cell of the grid */
  pri_method_destroy(&m);
  pri_method_destroy(&grid);
  close_lower(&ctx, l);
}

/* Traps 3 and 7, T9: after failures too the interval holds the loss, and every step keeps its share of what was promised */
static void intervals_hold_after_failures(void **state) {
  static const char *const specs[] = {"maid:search=paper,eps=0.3,alpha=2,trials=2,lambda=0.2", "maid:metric=none,eps=0.3,alpha=50,cap=5,trials=2,lambda=0.2", "maid:lambda=0.2", "maid:metric=bb,lambda=0.2"};
  static const double start[2] = {-2, -2};
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 1}), PRI_OK);
  pri_lower *l = plane_on(ctx, &plane), *other = plane_on(ctx, &twin);
  long failures = 0;
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pri_method_report r;
    pri_verdict why = PRI_GO;
    pri_method *m = begin(ctx, l, specs[i], start);
    double was = tight(other, start, NULL);
    for (int k = 0; k < 12 && why == PRI_GO; k++) {
      assert_int_equal(pri_method_step(m, &r, &why), PRI_OK);
      if (why != PRI_GO) break;
      const double f = tight(other, pri_method_theta(m), NULL);
      assert_true(r.f.low <= f * (1 + 1e-11) && f <= r.f.high * (1 + 1e-11));
      assert_true(f <= was - 0.2 * r.predicted + 1e-11 * f);
      was = f;
    }
    failures += r.failures;
    pri_method_destroy(&m);
  }
  assert_true(failures > 0);
  pri_lower_destroy(&other);
  close_lower(&ctx, l);
}

/* T15: on return, with the direction proved, eta |z| <= |grad f| <= (2 - eta) |z| */
static void direction_is_the_slope(void **state) {
  static const double start[2] = {-2, -2};
  pri_method_report r;
  pri_verdict why = PRI_GO;
  double z[2];
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  pri_lower *l = open_plane(&ctx);
  pri_method *m = begin(ctx, l, "maid:descent=yes,eta=0.5,metric=none,alpha=0.1", start);
  for (int k = 0; k < 5 && why == PRI_GO; k++) {
    const double at[2] = {pri_method_theta(m)[0], pri_method_theta(m)[1]};
    assert_int_equal(pri_method_step(m, &r, &why), PRI_OK);
    (void)tight(l, at, z); /* the report's z is of the point the step left */
    assert_true(r.omega <= 0.5 * r.z && hypot(z[0], z[1]) <= 1.5 * r.z && hypot(z[0], z[1]) >= 0.5 * r.z);
  }
  pri_method_destroy(&m);
  close_lower(&ctx, l);
}

/* T10: omega halves with e; the accuracy that a step needs falls with the square of the slope */
static void accuracies_scale(void **state) {
  static const double start[2] = {-2, -2};
  static pri_real x[N], q[N];
  double omega[2], z[2], first = 0, last = 0, first_eps = 0, last_eps = 0, e;
  pri_method_report r;
  pri_verdict why = PRI_GO;
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  pri_lower *l = open_plane(&ctx);
  for (int k = 0; k < 2; k++) {
    const double far = 1e-4 / (1 + k);
    for (int i = 0; i < N; i++) x[i] = (pri_real)plane.y[i], q[i] = 0;
    assert_int_equal(pri_lower_theta(l, start), PRI_OK);
    assert_int_equal(pri_lower_solve(l, x, 1e-13, 100000, &e), PRI_OK);
    assert_int_equal(pri_lower_hypergradient(l, x, &far, 1e-14, q, z, &omega[k]), PRI_OK);
  }
  assert_true(fabs(omega[0] / omega[1] - 2) <= 1e-3);
  pri_method *m = begin(ctx, l, "maid:metric=none,alpha=0.05,growth=1,relax=1", start); /* steps of one length: the promise is |z|^2 times it */
  for (int k = 0; k < 60 && why == PRI_GO; k++) {
    assert_int_equal(pri_method_step(m, &r, &why), PRI_OK);
    if (k == 5) first = r.z, first_eps = r.eps;
    if (why == PRI_GO) last = r.z, last_eps = r.eps;
  }
  const double order = log(first_eps / last_eps) / log(first / last);
  if (!(first > 3 * last && order >= 1.6 && order <= 2.6)) fail_msg("slopes %g to %g, accuracies %g to %g: order %g", first, last, first_eps, last_eps, order);
  pri_method_destroy(&m);
  close_lower(&ctx, l);
}

/* T14: steps of FISTA for a given reduction grow as root(L / mu); it ends where conjugate gradients do */
static void steps_grow_with_the_root(void **state) {
  static pri_real x[N];
  double steps[2], e;
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  pri_lower *l = open_plane(&ctx);
  for (int k = 0; k < 2; k++) {
    const double theta[2] = {k ? 9 : 5, k ? 9 : 5};
    for (int i = 0; i < N; i++) x[i] = (pri_real)pri_rng_normal_at(1, "start", (uint64_t)i); /* all frequencies */
    assert_int_equal(pri_lower_theta(l, theta), PRI_OK);
    const double before = pri_lower_work(l).gradients;
    assert_int_equal(pri_lower_solve(l, x, 1e-8, 200000, &e), PRI_OK);
    steps[k] = pri_lower_work(l).gradients - before;
  }
  const double slope = log(steps[1] / steps[0]) / 4; /* L / mu = 1 + 8 e^theta */
  if (!(slope >= 0.4 && slope <= 0.6)) fail_msg("%g and %g steps: order %g", steps[0], steps[1], slope);
  close_lower(&ctx, l);
}

/* ---- priors */

static void modulus_is_that_of_a_sample(void **state) { /* trap 4: 1 for denoising, whatever the number of samples */
  static const char *const specs[] = {"smooth-tv:weight=0.5,smoothing=0.01", "foe:size=3,smoothing=0.1"};
  const pri_shape shape = pri_shape_2d(8, 8);
  (void)state;
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pri_ctx *ctx;
    pri_operator *A;
    pri_prior *R;
    pri_array y = {0};
    pri_lower *l;
    const void *priv;
    double theta[100];
    assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
    assert_int_equal(pri_operator_create(ctx, &A, "identity", NULL, &shape, NULL), PRI_OK);
    assert_int_equal(pri_prior_create(ctx, &R, specs[i], NULL, &shape), PRI_OK);
    assert_int_equal(pri_array_create(ctx, &y, &shape, 5), PRI_OK);
    assert_int_equal(pri_lower_images(ctx, &l, &(pri_lower_problem){.A = A, .R = R, .y = &y, .truth = &y}), PRI_OK);
    pri_prior_class_of(R, &priv)->learnable->get_theta(priv, theta);
    assert_int_equal(pri_lower_theta(l, theta), PRI_OK);
    assert_true(pri_lower_mu(l) == 1 && pri_lower_size(l) == 64);
    pri_lower_destroy(&l);
    pri_array_destroy(&y);
    pri_prior_destroy(&R);
    pri_operator_destroy(&A);
    pri_ctx_destroy(&ctx);
  }
}

static void experts_begin_where_they_say(void **state) { /* trap 5: log weight, 48 log weights, 48 log smoothings, 48 filters of 49 taps and zero mean */
  const pri_shape shape = pri_shape_2d(8, 8);
  static double theta[2449];
  const void *priv;
  pri_ctx *ctx;
  pri_prior *R;
  (void)state;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(ctx, &R, "foe:init=random,filters=48,size=7", NULL, &shape), PRI_OK);
  const pri_learnable *face = pri_prior_class_of(R, &priv)->learnable;
  assert_int_equal(face->ntheta(priv), 2449);
  face->get_theta(priv, theta);
  for (int k = 1; k < 48; k++) assert_true(theta[1 + k] == theta[1] && theta[49 + k] == theta[49]);
  assert_true(theta[1] != theta[49]);
  for (int k = 0; k < 48; k++) {
    double sum = 0, size = 0;
    for (int s = 0; s < 49; s++) sum += theta[97 + 49 * k + s], size += fabs(theta[97 + 49 * k + s]);
    assert_true(size > 0 && fabs(sum) <= 1e-5 * size);
  }
  pri_prior_destroy(&R);
  pri_ctx_destroy(&ctx);
}

int claim_learn_traps(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_gradient_gives_no_direction), cmocka_unit_test(omega_is_tight_for_a_shift), cmocka_unit_test(work_is_what_was_called), cmocka_unit_test(bad_trials_are_steps_refused),
      cmocka_unit_test(samples_stand_alone), cmocka_unit_test(two_weights_have_their_closed_form), cmocka_unit_test(each_start_ends_alike), cmocka_unit_test(no_point_of_a_grid_is_better),
      cmocka_unit_test(intervals_hold_after_failures), cmocka_unit_test(direction_is_the_slope), cmocka_unit_test(accuracies_scale), cmocka_unit_test(steps_grow_with_the_root),
      cmocka_unit_test(modulus_is_that_of_a_sample), cmocka_unit_test(experts_begin_where_they_say)};
  return cmocka_run_group_tests_name("claim_learn_traps", tests, NULL, NULL);
}
