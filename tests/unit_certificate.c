/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_certificate.c - the gap against minima that are known: a dense A >= 0 on an image of 3 x 20, TV, solved here by 60000
 * primal-dual steps in plain double. Any p and q must give gap >= P(x) - min P; good ones a small gap.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "certificate.h"
#include "dense.h"
#include "vec.h"

enum { ROWS = 40, NY = 3, NX = 20, N = NY * NX };
static const pri_kind *const operators[] = {&dense_class.kind, NULL};

struct world {
  pri_ctx *base, *ctx;
  pri_registry registry;
  pri_operator *A;
  pri_map *map;
  pri_fidelity *f;
  pri_prior *R;
  pri_array y, x, p, q;
  double lo[2], hi[2], weight, scale;
  pri_problem problem;
  pri_duals duals;
  const double *a; /* [ROWS][N] */
};

static void make_data(struct world *w) {
  const pri_shape image = *pri_operator_domain(w->A), data = *pri_operator_range(w->A), dual = {3, {2, NY, NX}};
  assert_int_equal(pri_array_create(w->ctx, &w->y, &data, 2), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->x, &image, 2), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->p, &data, 2), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->q, &dual, 2), PRI_OK);
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < ROWS; i++) {
      double s = 0.3 * pri_rng_normal_at(1, "noise", (uint64_t)(k * ROWS + i));
      for (int j = 0; j < N; j++) s += w->a[i * N + j] * (j % NX > 8 ? 0.7 : 0.2);
      w->y.data[k * ROWS + i] = (pri_real)(w->scale * s);
    }
}

static void make(struct world *w, double scale, const char *fidelity, double lo, double hi) {
  char spec[64];
  *w = (struct world){.weight = 0.5 * scale, .scale = scale, .lo = {lo * scale, lo * scale}, .hi = {hi * scale, hi * scale}};
  assert_int_equal(pri_open(&w->base, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  w->registry = *pri_ctx_registry(w->base);
  w->registry.family[PRI_OPERATORS] = operators;
  assert_int_equal(pri_ctx_create(&w->ctx, &(pri_ctx_opts){.threads = 2, .registry = &w->registry}), PRI_OK);
  assert_int_equal(pri_operator_create(w->ctx, &w->A, "dense:rows=40,cols=60,form=nonnegative", NULL, NULL, NULL), PRI_OK);
  assert_int_equal(pri_map_of(w->ctx, &w->map, w->A), PRI_OK);
  const void *priv;
  (void)pri_operator_class_of(w->A, &priv);
  w->a = ((const struct dense *)priv)->a;
  make_data(w);
  snprintf(spec, sizeof spec, "tv:weight=%.17g", w->weight);
  assert_int_equal(pri_prior_create(w->ctx, &w->R, spec, NULL, pri_operator_domain(w->A)), PRI_OK);
  assert_int_equal(pri_fidelity_create(w->ctx, &w->f, fidelity, &w->y, NULL), PRI_OK);
  w->problem = (pri_problem){w->map, w->f, (const pri_prior *const *)&w->R, 1, NAN, 0, w->lo, w->hi};
  w->duals = (pri_duals){&w->p, &w->q, NULL};
}

static void unmake(struct world *w) {
  pri_fidelity_destroy(&w->f);
  pri_prior_destroy(&w->R);
  pri_map_destroy(&w->map);
  pri_operator_destroy(&w->A);
  pri_array_destroy(&w->y), pri_array_destroy(&w->x), pri_array_destroy(&w->p), pri_array_destroy(&w->q);
  pri_ctx_destroy(&w->ctx);
  pri_ctx_destroy(&w->base);
}

/* ---- the reference: everything again, in plain loops */

struct iterate {
  double x[N], xb[N], p[ROWS], q[2][N];
};

static void apply(const double *a, const double *x, double *z) {
  for (int i = 0; i < ROWS; i++) {
    z[i] = 0;
    for (int j = 0; j < N; j++) z[i] += a[i * N + j] * x[j];
  }
}

static double difference(const double *x, int axis, int j) {
  if (axis == 0) return j / NX + 1 < NY ? x[j + NX] - x[j] : 0;
  return j % NX + 1 < NX ? x[j + 1] - x[j] : 0;
}

static double objective(const struct world *w, int item, const double *x) {
  double z[ROWS], sum = 0;
  apply(w->a, x, z);
  for (int i = 0; i < ROWS; i++) sum += (z[i] - (double)w->y.data[item * ROWS + i]) * (z[i] - (double)w->y.data[item * ROWS + i]) / 2;
  for (int j = 0; j < N; j++) sum += w->weight * hypot(difference(x, 0, j), difference(x, 1, j));
  return sum;
}

static void dual_step(const struct world *w, struct iterate *s, int item, double sigma, double nu) {
  double z[ROWS];
  apply(w->a, s->xb, z);
  for (int i = 0; i < ROWS; i++) s->p[i] = (s->p[i] + sigma * (z[i] - (double)w->y.data[item * ROWS + i])) / (1 + sigma);
  for (int j = 0; j < N; j++) {
    for (int axis = 0; axis < 2; axis++) s->q[axis][j] += sigma * nu * nu * difference(s->xb, axis, j);
    const double size = hypot(s->q[0][j], s->q[1][j]) / w->weight;
    if (size > 1) s->q[0][j] /= size, s->q[1][j] /= size;
  }
}

static void primal_step(const struct world *w, struct iterate *s, double tau) {
  for (int j = 0; j < N; j++) {
    double v = 0;
    for (int i = 0; i < ROWS; i++) v += w->a[i * N + j] * s->p[i];
    if (j / NX + 1 < NY) v -= s->q[0][j];
    if (j >= NX) v += s->q[0][j - NX];
    if (j % NX + 1 < NX) v -= s->q[1][j];
    if (j % NX) v += s->q[1][j - 1];
    const double next = fmin(fmax(s->x[j] - tau * v, w->lo[0]), w->hi[0]);
    s->xb[j] = 2 * next - s->x[j], s->x[j] = next;
  }
}

static void solve(const struct world *w, struct iterate *s, int item, int steps) {
  double norm2 = 0; /* Frobenius is within a factor 1.1 of the norm: entries of one sign */
  for (int i = 0; i < ROWS * N; i++) norm2 += w->a[i] * w->a[i];
  const double nu = sqrt(norm2 / 8), l = sqrt(2 * norm2), rho = 0.3;
  for (int k = 0; k < steps; k++) {
    dual_step(w, s, item, 1 / (rho * l), nu);
    primal_step(w, s, rho / l);
  }
}

static void store(struct world *w, const struct iterate *s, int item) {
  for (int j = 0; j < N; j++) {
    w->x.data[item * N + j] = (pri_real)s->x[j];
    w->q.data[item * 2 * N + j] = (pri_real)s->q[0][j];
    w->q.data[item * 2 * N + N + j] = (pri_real)s->q[1][j];
  }
  for (int i = 0; i < ROWS; i++) w->p.data[item * ROWS + i] = (pri_real)s->p[i];
}

static double stored_objective(const struct world *w, int item) {
  double x[N];
  for (int j = 0; j < N; j++) x[j] = (double)w->x.data[item * N + j];
  return objective(w, item, x);
}

static double minimum(const struct world *w, int item) {
  struct iterate s = {.p = {0}};
  solve(w, &s, item, 60000);
  return objective(w, item, s.x);
}

/* ---- the claims */

static pri_report certify(struct world *w, int item) {
  pri_certifier *c;
  pri_report rep = {.gap = {NAN, PRI_UNKNOWN}};
  assert_int_equal(pri_certifier_create(w->ctx, &c, &w->problem), PRI_OK);
  const long before = pri_ctx_allocations(w->ctx);
  assert_int_equal(pri_certifier_run(c, &w->x, &w->duals, item, &rep), PRI_OK);
  assert_int_equal(pri_ctx_allocations(w->ctx), before);
  pri_certifier_destroy(&c);
  return rep;
}

/* the reference minimum is itself within 1e-11 of the truth; x is what the arrays hold exactly */
static void is_above(const struct world *w, int item, const pri_report *rep, double best) {
  const double mine = stored_objective(w, item);
  assert_true(fabs(rep->objective - mine) <= 1e-12 * mine);
  assert_true(rep->gap.value >= mine - best - 1e-11 * best);
}

static void falls_with_the_iterates(double hi, const char *what) {
  struct world w;
  make(&w, 1, "ls", 0, hi);
  for (int item = 0; item < 2; item++) {
    struct iterate s = {.p = {0}};
    const double best = minimum(&w, item);
    double last = INFINITY;
    for (int k = 30; k <= 30000; k *= 10) {
      solve(&w, &s, item, k);
      store(&w, &s, item);
      const pri_report rep = certify(&w, item);
      is_above(&w, item, &rep, best);
      assert_true(rep.gap.value <= last * 1.01);
      last = rep.gap.value;
    }
    /* p and q rounded to pri_real: z is off by eps |p| c at most, times the box */
    const double floor_ = sizeof(pri_real) == sizeof(float) ? 3e-6 : 1e-9;
    if (!(last <= floor_ * best)) print_message("%s: item %d ends at a relative gap of %g\n", what, item, last / best);
    assert_true(last <= floor_ * best);
  }
  unmake(&w);
}

static void box_gap_closes(void **state) {
  (void)state;
  falls_with_the_iterates(1.2, "box");
}

static void mass_closes_it_without_a_box(void **state) {
  (void)state;
  falls_with_the_iterates(INFINITY, "mass");
}

static void nothing_bounds_it_without_both(void **state) {
  (void)state;
  struct world w;
  make(&w, 1, "ls", -INFINITY, INFINITY);
  pri_rng_normal(1, "p", 0, w.p.data, ROWS); /* p = q = 0 would be feasible */
  const pri_report rep = certify(&w, 0);
  assert_int_equal(rep.gap.trust, PRI_UNKNOWN);
  assert_true(isinf(rep.gap.value) && rep.objective > 0);
  unmake(&w);
}

/* noise as x, p and q, far outside of every constraint */
static void nonsense_is_never_certified(void **state) {
  (void)state;
  const double tops[] = {1.2, INFINITY};
  for (int t = 0; t < 2; t++) {
    struct world w;
    make(&w, 1, "ls", 0, tops[t]);
    const double best = minimum(&w, 1);
    for (uint64_t k = 0; k < 20; k++) {
      const double size = pow(10, (double)(k % 5) - 3);
      pri_rng_uniform(k, "x", 0, w.x.data, 2 * N);
      pri_rng_normal(k, "p", 0, w.p.data, 2 * ROWS);
      pri_rng_normal(k, "q", 0, w.q.data, 4 * N);
      pri_scale(w.ctx, w.p.data, size, 2 * ROWS);
      pri_scale(w.ctx, w.q.data, size, 4 * N);
      if (k % 3 == 0) w.duals.p = NULL;
      const pri_report rep = certify(&w, 1);
      is_above(&w, 1, &rep, best);
      w.duals.p = &w.p;
    }
    unmake(&w);
  }
}

/* (y, weight, x, p, q, box) times s: the gap times s^2, to the bit for a power of two */
static void scales_with_the_problem(void **state) {
  (void)state;
  double gap[2];
  for (int k = 0; k < 2; k++) {
    struct world w;
    struct iterate s = {.p = {0}};
    make(&w, k ? 64 : 1, "ls", 0, 1.2);
    solve(&w, &s, 0, 500);
    store(&w, &s, 0);
    const pri_report rep = certify(&w, 0);
    assert_int_equal(rep.gap.trust, PRI_PROVEN);
    gap[k] = rep.gap.value;
    unmake(&w);
  }
  assert_true(fabs(gap[1] / 4096 / gap[0] - 1) < 1e-12);
}

static void far_from_the_goal_costs_little(void **state) {
  (void)state;
  struct world w;
  make(&w, 1, "ls", 0, 1.2);
  w.problem.gap_goal = 1e-6;
  pri_report rep = certify(&w, 0);
  assert_true(rep.certifying == 2); /* A x, A'p */
  w.problem.gap_goal = 0;
  rep = certify(&w, 0);
  assert_true(rep.certifying == 3); /* and A' grad f */
  unmake(&w);
}

/* the ball: x at the centre of nothing, but feasible; R(x) - D >= R(x) - min */
static void ball_gap_closes(void **state) {
  (void)state;
  struct world w;
  struct iterate s = {.p = {0}};
  make(&w, 1, "ls", 0, 1.2);
  solve(&w, &s, 0, 60000); /* its minimiser is that of the ball with its own residual as radius; p_ball = p / 1 by the same optimality */
  store(&w, &s, 0);
  double z[ROWS], r2 = 0;
  char spec[64];
  apply(w.a, s.x, z);
  for (int i = 0; i < ROWS; i++) r2 += (z[i] - (double)w.y.data[i]) * (z[i] - (double)w.y.data[i]);
  snprintf(spec, sizeof spec, "ball:radius=%.17g", sqrt(r2));
  pri_fidelity_destroy(&w.f);
  assert_int_equal(pri_fidelity_create(w.ctx, &w.f, spec, &w.y, NULL), PRI_OK);
  w.problem.f = w.f;
  const pri_report rep = certify(&w, 0);
  assert_true(rep.data == 0);
  assert_true(rep.gap.value <= (sizeof(pri_real) == sizeof(float) ? 1e-5 : 1e-8) * rep.objective);
  unmake(&w);
}

/* y = A x of a picture that is `scale` all over but for shares of `off` with signs in turn; no duals */
static pri_report flat(double scale, double off) {
  struct world w;
  make(&w, scale, "ls", 0, 1.2);
  for (int j = 0; j < N; j++) w.x.data[j] = (pri_real)scale;
  const pri_array x = pri_array_items(&w.x, 0, 1);
  pri_array y = pri_array_items(&w.y, 0, 1);
  assert_int_equal(pri_operator_apply(w.A, &y, &x), PRI_OK);
  pri_fidelity_destroy(&w.f);
  assert_int_equal(pri_fidelity_create(w.ctx, &w.f, "ls", &w.y, NULL), PRI_OK);
  w.problem.f = w.f, w.problem.gap_goal = 1e-4;
  for (int j = 0; j < N; j++) w.x.data[j] = (pri_real)(scale * (1 + (j % 2 ? off : -off)));
  const pri_report rep = certify(&w, 0);
  assert_int_equal(rep.gap.trust, PRI_PROVEN);
  assert_true(rep.gap.value >= rep.objective); /* the minimum is 0, or the rounding of y */
  unmake(&w);
  return rep;
}

/* The minimum of a constant picture is 0: all of P is gap. With pixels right to 2^-22 it is relative to |y|^2 / 2, whatever their unit; with content of
   a hundredth of that size, TV is 0.01 / 2^-20 > 1e4 of what rounding leaves, and the gap is relative to P. */
static void constant_pictures_have_a_floor(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    const double scale = k ? 1e4 : 1;
    const pri_report rounded = flat(scale, 0x1p-22), content = flat(scale, 0.01);
    assert_true(rounded.objective > 0 && rounded.floor > 1e4 * rounded.objective);
    assert_true(pri_report_relative_gap(&rounded) < 1e-4);
    assert_true(content.floor == 0);
    assert_true(pri_report_relative_gap(&content) >= 1);
  }
}

/* What a gap takes for R(x) is R of the image as it is stored: differences of 1 and 2^-30 need more than the 24 bits of a float. */
static void priors_are_valued_in_double(void **state) {
  static const char *const specs[] = {"tv:weight=1", "huber-tv:weight=1,delta=1e-13", "smooth-tv:weight=1,smoothing=1e-12", "smooth-tv:weight=1,smoothing=1e-12,form=anisotropic",
                                      "wavelet:weight=1,family=haar,levels=1,border=symmetric", "hessian-schatten:weight=1"};
  const double d = 1 - ldexp(1, -30), haar = 7 * d / 2 / sqrt(2); /* gain of the band 1 / root 2, coefficients d / 2, 0 at the mirrored end */
  const double rows[] = {7 * d, 7 * d, 7 * d, 7 * d, haar, 12 * d};
  const pri_shape shape = pri_shape_2d(1, 8);
  pri_ctx *ctx;
  pri_real x[8];
  (void)state;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int i = 0; i < 8; i++) x[i] = i % 2 ? 1 : (pri_real)ldexp(1, -30);
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pri_prior *R;
    const void *priv;
    double value = NAN;
    if (pri_prior_create(ctx, &R, specs[i], NULL, &shape) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
    const pri_prior_class *c = pri_prior_class_of(R, &priv);
    if (c->saddle->value_wide) assert_int_equal(c->saddle->value_wide(ctx, priv, &value, x, NULL, 1), PRI_OK);
    else assert_int_equal(c->variational->value(ctx, priv, &value, x, 1, pri_prior_scratch(R)), PRI_OK);
    if (!(fabs(value - rows[i]) <= 1e-11)) fail_msg("%s: %.17g instead of %.17g", specs[i], value, rows[i]);
    pri_prior_destroy(&R);
  }
  pri_ctx_destroy(&ctx);
}

/* tgv: F* is infinite outside of |q1_i| <= weight, and 16 eps of slack in the conjugate are for the prox alone: what repair leaves is inside exactly */
static void repaired_duals_are_inside(void **state) {
  enum { SIDE = 48, PLANE = SIDE * SIDE };
  static pri_real q[5 * PLANE];
  static const struct { const char *spec; double weight; } of[] = {{"tgv:weight=0.1,ratio=100", 0.1}, {"tgv:weight=0.7,ratio=40", 0.7}, {"tgv:weight=0.3,ratio=1", 0.3}};
  const pri_shape shape = {2, {SIDE, SIDE}};
  pri_ctx *ctx;
  (void)state;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    pri_prior *R;
    const void *priv;
    assert_int_equal(pri_prior_create(ctx, &R, of[i].spec, NULL, &shape), PRI_OK);
    const pri_prior_class *c = pri_prior_class_of(R, &priv);
    for (ptrdiff_t j = 0; j < 5 * PLANE; j++) q[j] = (pri_real)(of[i].weight * sin(1.7 * (double)j + 3 * sin(0.01 * (double)j * 8)));
    assert_int_equal(c->saddle->repair(ctx, priv, q, 1), PRI_OK);
    double most = 0;
    for (ptrdiff_t j = 0; j < PLANE; j++) most = fmax(most, hypot((double)q[j], (double)q[PLANE + j]));
    if (!(most <= of[i].weight * (1 + 4 * DBL_EPSILON))) fail_msg("%s: |q1| is above by %g of the weight", of[i].spec, most / of[i].weight - 1);
    assert_true(most > 0);
    pri_prior_destroy(&R);
  }
  pri_ctx_destroy(&ctx);
}

int unit_certificate(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(box_gap_closes), cmocka_unit_test(mass_closes_it_without_a_box), cmocka_unit_test(nothing_bounds_it_without_both),
      cmocka_unit_test(nonsense_is_never_certified), cmocka_unit_test(scales_with_the_problem), cmocka_unit_test(far_from_the_goal_costs_little),
      cmocka_unit_test(constant_pictures_have_a_floor), cmocka_unit_test(ball_gap_closes), cmocka_unit_test(priors_are_valued_in_double),
      cmocka_unit_test(repaired_duals_are_inside)};
  return cmocka_run_group_tests_name("unit_certificate", tests, NULL, NULL);
}
