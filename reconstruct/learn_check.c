/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_check.c - are the derivatives of a lower level (and the gradient of an upper one) those of what it says it is?
 *
 *   by differences, along directions v of x and d of theta, step s_k = 2^-k / 10, error e_k = |difference / (2 s_k) - product| / |product|:
 *     <grad h, v>  of h(x + s v) - h(x - s v)      H v  of grad h(x + s v) - grad h(x - s v)
 *     J d          of grad h(x; theta + s d) - grad h(x; theta - s d)
 *   as identities:  <u, H v> = <v, H u>,  <v, J d> = <d, J'v>
 *   as bounds:      mu |v|^2 <= <v, H v> <= L |v|^2 at the ends of the spectrum (power iteration);  |H(x) - H(y)| <= L_H |x - y|,
 *                   |J(x) - J(y)| <= L_J |x - y|, |J| <= mixed_norm on draws
 *
 * A central difference errs by c s^2 until rounding, eps / s, takes over. A derivative is right where the least of the errors is small and they fell to
 * it with order 2, log2 e_k / e_{k+1} (median of the last four of the longest run in which they fall, between one half and ten times the least); of a quadratic function none is left to fall. Where the
 * least is below 1e-8 the order is told but not judged: leading terms may cancel. A wrong one stops falling. Double only: in float rounding hides all but the coarsest mistakes.
 */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>
#include "learn_private.h"
#include "priori/rng.h"
#include "vec.h"

enum { STEPS = 24, POWER = 40, VECTORS = 6, LAST = 4 };
static const double FIRST = 0.1, CLOSE = 1e-6, SAME = 1e-10, BOUND = 1e-9, ORDER = 2, OFF = 0.25, TINY = 1e-8;

struct check {
  pri_ctx *ctx;
  const pri_lower_level *l;
  const pri_upper *upper;
  const double *theta;
  ptrdiff_t i, n;
  void *desk, *upper_desk;
  const pri_real *x;
  pri_real *v, *u, *want, *a, *b, *at; /* directions, the product, work */
  double *d, *moved, *back;                /* [ntheta] */
  double size, slope;                      /* root mean square of x; <grad, v>, of value checks */
  pri_lower_constants c;
  pri_derivative *out;
  int count;
};

static void record(struct check *k, const char *what, double error, double order, double limit) {
  const int falls = isnan(order) || fabs(order - ORDER) <= OFF || error <= TINY;
  k->out[k->count++] = (pri_derivative){what, error, order, limit, error <= limit && falls};
}

static double size_of(struct check *k, const pri_real *v) { return sqrt(pri_norm2sq(k->ctx, v, k->n)); }

/* Entries normal, root mean square `size` */
static void draw(struct check *k, pri_real *v, const char *stream, double size) {
  pri_rng_normal(pri_ctx_seed(k->ctx), stream, 0, v, (size_t)k->n);
  pri_scale(k->ctx, v, size * sqrt((double)k->n) / size_of(k, v), k->n);
}

static void move(struct check *k, double step) { /* at = x + step v */
  pri_copy(k->ctx, k->at, k->x, k->n);
  pri_axpy(k->ctx, k->at, step, k->v, k->n);
}

static pri_status gradient(struct check *k, pri_real *g, const pri_real *x) { return k->l->c->gradient(k->ctx, k->l->priv, k->desk, k->i, g, x); }
static pri_status product(struct check *k, pri_real *hv, const pri_real *v) { return k->l->c->product(k->ctx, k->l->priv, k->desk, k->i, hv, v); }
static pri_status prepare(struct check *k, const pri_real *x) { return k->l->c->prepare(k->ctx, k->l->priv, k->desk, k->i, x); }

static pri_status set_theta(struct check *k, double step) {
  for (size_t j = 0; j < k->l->ntheta; j++) k->moved[j] = k->theta[j] + step * k->d[j];
  return k->l->c->theta(k->ctx, k->l->priv, k->moved, &k->c);
}

/* ---- differences: the error at one step */

typedef pri_status (*error_at)(struct check *k, double step, double *e);

static pri_status against_values(struct check *k, double step, double *e) {
  double h[2] = {NAN, NAN};
  for (int s = 0; s < 2; s++) {
    move(k, s ? -step : step);
    PRI_TRY(k->l->c->value(k->ctx, k->l->priv, k->desk, k->i, k->at, &h[s]));
  }
  *e = fabs((h[0] - h[1]) / (2 * step) - k->slope) / fabs(k->slope);
  return PRI_OK;
}

static pri_status against_losses(struct check *k, double step, double *e) {
  double g[2] = {NAN, NAN};
  for (int s = 0; s < 2; s++) {
    move(k, s ? -step : step);
    PRI_TRY(k->upper->c->value(k->ctx, k->upper->priv, k->upper_desk, k->i, k->at, &g[s], k->a));
  }
  *e = fabs((g[0] - g[1]) / (2 * step) - k->slope) / fabs(k->slope);
  return PRI_OK;
}

static double differ(struct check *k, double step) { /* a, b: gradients at + and - */
  pri_axpby(k->ctx, k->a, -1 / (2 * step), k->b, 1 / (2 * step), k->n);
  return sqrt(pri_dist2sq(k->ctx, k->a, k->want, k->n)) / size_of(k, k->want);
}

static pri_status against_gradients(struct check *k, double step, double *e) {
  move(k, step);
  PRI_TRY(gradient(k, k->a, k->at));
  move(k, -step);
  PRI_TRY(gradient(k, k->b, k->at));
  *e = differ(k, step);
  return PRI_OK;
}

static pri_status against_thetas(struct check *k, double step, double *e) {
  PRI_TRY(set_theta(k, step));
  PRI_TRY(gradient(k, k->a, k->x));
  PRI_TRY(set_theta(k, -step));
  PRI_TRY(gradient(k, k->b, k->x));
  *e = differ(k, step);
  return set_theta(k, 0);
}

static int falls(const double e[STEPS], int j, double least) {
  return j + 1 < STEPS && e[j] < 0.5 && e[j + 1] < 0.6 * e[j] && e[j + 1] > 10 * least && e[j + 1] > SAME;
}

/* The median of the last ratios of the longest run in which the error falls; NAN: there is none */
static double order_of(const double e[STEPS], double least) {
  double ratio[LAST];
  int longest = 0, end = 0;
  for (int j = 0, run = 0; j < STEPS; j++) {
    run = falls(e, j, least) ? run + 1 : 0;
    if (run > longest) longest = run, end = j + 1;
  }
  if (longest < 3) return NAN;
  const int n = longest < LAST ? longest : LAST;
  for (int j = 0; j < n; j++) ratio[j] = log2(e[end - 1 - j] / e[end - j]);
  gsl_sort(ratio, 1, (size_t)n);
  return gsl_stats_median_from_sorted_data(ratio, 1, (size_t)n);
}

static pri_status by_differences(struct check *k, const char *what, error_at fn) {
  double e[STEPS], least = INFINITY;
  for (int j = 0; j < STEPS; j++) {
    PRI_TRY(fn(k, ldexp(FIRST, -j), &e[j]));
    if (!(e[j] >= least)) least = e[j];
  }
  record(k, what, least, order_of(e, least), CLOSE);
  return PRI_OK;
}

/* ---- the checks */

/* v drawn, and as much of the gradient: of a random direction alone a function of many pixels hardly changes */
static void draw_slope(struct check *k) {
  draw(k, k->v, "derivative v", k->size);
  pri_axpy(k->ctx, k->v, size_of(k, k->v) / size_of(k, k->want), k->want, k->n);
  k->slope = pri_dot(k->ctx, k->want, k->v, k->n);
}

static pri_status check_gradient(struct check *k) {
  if (!k->l->c->value) return PRI_OK;
  PRI_TRY(gradient(k, k->want, k->x));
  draw_slope(k);
  return by_differences(k, "gradient against values", against_values);
}

static pri_status check_loss(struct check *k) {
  if (!k->upper) return PRI_OK;
  double g;
  PRI_TRY(k->upper->c->value(k->ctx, k->upper->priv, k->upper_desk, k->i, k->x, &g, k->want));
  draw_slope(k);
  return by_differences(k, "gradient of the loss against its values", against_losses);
}

static pri_status check_hessian(struct check *k) {
  PRI_TRY(prepare(k, k->x));
  PRI_TRY(product(k, k->want, k->v));
  PRI_TRY(product(k, k->a, k->u));
  const double uv = pri_dot(k->ctx, k->u, k->want, k->n), vu = pri_dot(k->ctx, k->v, k->a, k->n);
  const double asymmetry = fabs(uv - vu) / (size_of(k, k->u) * size_of(k, k->want));
  PRI_TRY(by_differences(k, "Hessian product against gradients", against_gradients));
  record(k, "Hessian is symmetric", asymmetry, NAN, SAME);
  return PRI_OK;
}

/* The largest Rayleigh quotient of sign (H - shift) that POWER steps find */
static pri_status extreme(struct check *k, double sign, double shift, double *quotient) {
  pri_copy(k->ctx, k->a, k->u, k->n);
  for (int j = 0; j < POWER; j++) {
    const double size = size_of(k, k->a);
    if (!(size > 0)) break;
    pri_scale(k->ctx, k->a, 1 / size, k->n);
    PRI_TRY(product(k, k->b, k->a));
    *quotient = pri_dot(k->ctx, k->a, k->b, k->n);
    pri_axpby(k->ctx, k->a, sign, k->b, -sign * shift, k->n);
  }
  return PRI_OK;
}

static pri_status check_spectrum(struct check *k) {
  double least = NAN, most = NAN;
  PRI_TRY(prepare(k, k->x));
  PRI_TRY(extreme(k, 1, 0, &most));
  PRI_TRY(extreme(k, -1, k->c.L, &least));
  record(k, k->c.mu_proven ? "curvature not below mu" : "curvature against mu (an estimate: not judged)", fmax(0, (k->c.mu - least) / k->c.mu), NAN, k->c.mu_proven ? BOUND : INFINITY);
  record(k, k->c.L_estimated ? "curvature against L (an estimate: not judged)" : "curvature not above L", fmax(0, (most - k->c.L) / k->c.L), NAN, k->c.L_estimated ? INFINITY : BOUND);
  return PRI_OK;
}

static pri_status mixed(struct check *k, pri_real *to) { return k->l->c->mixed(k->ctx, k->l->priv, k->desk, k->i, to, k->d); }

static pri_status check_mixed(struct check *k) {
  double sum = 0, size = 0;
  PRI_TRY(prepare(k, k->x));
  PRI_TRY(mixed(k, k->want));
  PRI_TRY(k->l->c->mixed_t(k->ctx, k->l->priv, k->desk, k->i, k->back, k->v));
  for (size_t j = 0; j < k->l->ntheta; j++) sum += k->back[j] * k->d[j], size += k->d[j] * k->d[j];
  const double jd = size_of(k, k->want), wrong = fabs(sum - pri_dot(k->ctx, k->want, k->v, k->n)) / (jd * size_of(k, k->v));
  PRI_TRY(by_differences(k, "J of the parameters against gradients", against_thetas));
  record(k, "J' is its transpose", wrong, NAN, SAME);
  if (isfinite(k->c.mixed_norm) && k->l->ntheta > PRI_LOWER_FEW) record(k, "|J| not above its bound", fmax(0, jd / (k->c.mixed_norm * sqrt(size)) - 1), NAN, BOUND);
  return PRI_OK;
}

/* Lipschitz constants on pairs of points that are near and far */
static pri_status check_constants(struct check *k) {
  double worst[2] = {0, 0}, size = 0;
  for (size_t j = 0; j < k->l->ntheta; j++) size += k->d[j] * k->d[j];
  for (double step = 0.001; step < 2; step *= 10) {
    const double far = step * size_of(k, k->v);
    move(k, step);
    for (int which = 0; which < 2; which++) { /* H u, J d */
      PRI_TRY(prepare(k, k->x));
      PRI_TRY(which ? mixed(k, k->a) : product(k, k->a, k->u));
      PRI_TRY(prepare(k, k->at));
      PRI_TRY(which ? mixed(k, k->b) : product(k, k->b, k->u));
      const double apart = sqrt(pri_dist2sq(k->ctx, k->a, k->b, k->n)), along = which ? sqrt(size) : size_of(k, k->u);
      const double bound = (which ? k->c.mixed_lip : k->c.hess_lip) * along * far + SAME * size_of(k, k->a);
      worst[which] = fmax(worst[which], apart / bound - 1);
    }
  }
  record(k, "Lipschitz constant of the Hessian", worst[0], NAN, BOUND);
  if (isfinite(k->c.mixed_lip)) record(k, "Lipschitz constant of J", worst[1], NAN, BOUND);
  return PRI_OK;
}

static pri_status check_all(struct check *k) {
  const double rms = size_of(k, k->x) / sqrt((double)k->n);
  k->size = rms > 0 ? rms : 1;
  draw(k, k->u, "derivative u", k->size);
  for (size_t j = 0; j < k->l->ntheta; j++) k->d[j] = pri_rng_normal_at(pri_ctx_seed(k->ctx), "derivative theta", j);
  PRI_TRY(set_theta(k, 0));
  PRI_TRY(check_gradient(k));
  draw(k, k->v, "derivative v", k->size);
  PRI_TRY(check_hessian(k));
  PRI_TRY(check_spectrum(k));
  PRI_TRY(check_mixed(k));
  PRI_TRY(check_constants(k));
  return check_loss(k);
}

pri_status pri_level_check(pri_ctx *ctx, const pri_lower_level *level, const pri_upper *upper, const double *theta, ptrdiff_t i, const pri_real *x, pri_derivative out[PRI_DERIVATIVES], int *n) {
  struct check k = {.ctx = ctx, .l = level, .upper = upper, .theta = theta, .i = i, .n = level->n, .x = x, .out = out};
  pri_real **const vectors[VECTORS] = {&k.v, &k.u, &k.want, &k.a, &k.b, &k.at};
  const size_t desk = level->c->desk ? level->c->desk(level->priv) : 0, other = upper && upper->c->desk ? upper->c->desk(upper->priv) : 0;
  pri_real *memory = pri_calloc(ctx, (size_t)(VECTORS * level->n), sizeof *memory);
  k.d = pri_calloc(ctx, 3 * level->ntheta + 1, sizeof *k.d);
  k.desk = pri_calloc(ctx, desk + 1, 1), k.upper_desk = pri_calloc(ctx, other + 1, 1);
  *n = 0;
  pri_status s = memory && k.d && k.desk && k.upper_desk ? PRI_OK : pri_ctx_code(ctx);
  if (s == PRI_OK) {
    for (int j = 0; j < VECTORS; j++) *vectors[j] = memory + j * level->n;
    k.moved = k.d + level->ntheta, k.back = k.moved + level->ntheta;
    s = check_all(&k);
  }
  pri_free(ctx, memory), pri_free(ctx, k.d), pri_free(ctx, k.desk), pri_free(ctx, k.upper_desk);
  if (s == PRI_OK) *n = k.count;
  return s;
}

pri_status pri_lower_check(pri_lower *l, const double *theta, ptrdiff_t i, const pri_real *x, pri_derivative out[PRI_DERIVATIVES], int *n) {
  PRI_TRY(pri_level_check(l->ctx, &l->level, &l->upper, theta, i, x, out, n));
  return pri_lower_theta(l, theta);
}
