/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight.c - the weight that the noise asks for, by a corrected discrepancy.
 *
 * y = A x + e, e of variance s^2 / w_i (ls: w = 1), m measurements, r(l) = W^1/2 (y - A x_l) the residual at weight l. The plain
 * principle |r|^2 = m s^2 takes the fit to follow no noise; it follows df(l) = tr d(A x_l)/dy of it, so the residual of a good fit is
 * smaller, and the plain principle oversmooths. What the residual has to be is
 *
 *   |r|^2 = s^2 (m - 2 df) + E|A (x_l - x)|^2        (Stein 1981)
 *
 * and the last term, the risk of the fit, is least at the best weight: its unbiased estimate Q(l) = (|r|^2 + 2 s^2 df) / (m s^2) - 1
 * is minimised. df by one random probe b (Ramani, Blu, Unser 2008): df = b.(A x_l(y + h b) - A x_l(y)) / h, h = s / 10; the probed
 * data are one more item of the same solve.
 *
 * A model error (another projector, beam hardening, a finer object) is followed like signal where it is larger than the noise, and the
 * weight would fall to nothing. What even weak weights cannot fit is noise by all that the model knows: s^2 is raised to the least
 * |r|^2 / (m - df) of all weights tested, where that is more than the level given (the estimate of a variance from a fit).
 *
 * Q of one slice is known to sqrt(2 / m), the deviation of |e|^2 / (m s^2); it is flat, and undersmoothing costs more in the image than
 * in the fit. So, as Breiman et al. 1984 (section 3.4.3) choose trees, the largest weight is taken whose Q is within that of the least.
 *
 * Search: from s times the root-mean-square column of A (what noise weighs in A'e: the scale of a good total-variation weight) in
 * factors of 2, from strong to weak, warm started, until Q has clearly risen; Brent's minimisation in log l inside of the bracket
 * (GSL); the crossing of Q = least + sqrt(2 / m) on a monotone spline (Steffen) of all points by Brent's root finding.
 */
#include "weight.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_interp.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_spline.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>
#include "priori/rng.h"
#include "vec.h"

enum { STEPS = 10, FIRST = 2 /* times as many for the first weight */, REFINE = 2, WIDEST = 16 /* factors of 2 */ };
static const double PROBE = 0.1; /* of the noise */

struct search {
  pri_ctx *ctx;
  const pri_weight_search *o;
  pri_weight_result *out;
  const pri_array *data, *weight; /* of the caller's fidelity */
  pri_array y, w, x, z;           /* items 0..K-1: the data; K..2K-1: with the probe. w: their weights, or nothing */
  pri_array b;                    /* [K] probes of unit variance */
  double *lo, *hi;
  pri_fidelity *f;
  pri_problem p;
  double now;                     /* factor that the priors stand at */
  double fit[PRI_WEIGHT_TESTS][2]; /* |r|^2 / (m s^2) and df / m of each test */
  double variance;                /* in units of s^2: 1, or more by a model error */
  pri_status status;              /* first failure inside of a GSL call */
};

/* ---- making: twice the items, the second half probed */

static pri_status check(pri_ctx *ctx, const pri_weight_search *o) {
  const void *priv;
  const char *name = pri_fidelity_class_of(o->problem->f, &priv)->kind.name;
  if (strcmp(name, "ls") && strcmp(name, "wls"))
    return PRI_FAIL(ctx, PRI_EPARAM, "weight=auto:discrepancy: the data term %s has no noise model for it; use ls or wls, or give a weight", name);
  for (ptrdiff_t i = 0; i < pri_fidelity_data(o->problem->f)->items; i++)
    if (!(o->sd[i] * o->sd[i] > 0 && isfinite(1 / (o->sd[i] * o->sd[i]))) || !isfinite(o->sd[i])) /* the risk divides by sd^2 */
      return PRI_FAIL(ctx, PRI_EPARAM, "weight=auto:discrepancy: the noise level is %g; give --noise-level sd:V > 0, or a weight", o->sd[i]);
  return PRI_OK;
}

static double root_weight(const struct search *s, ptrdiff_t item, ptrdiff_t i) { /* w^1/2; 0: masked */
  return s->weight ? sqrt((double)pri_array_item(s->weight, item)[i]) : 1;
}

static pri_status probe(struct search *s) {
  const ptrdiff_t k = s->data->items, m = pri_shape_size(&s->data->shape);
  PRI_TRY(pri_array_create(s->ctx, &s->y, &s->data->shape, 2 * k));
  PRI_TRY(pri_array_create(s->ctx, &s->z, &s->data->shape, 2 * k));
  PRI_TRY(pri_array_create(s->ctx, &s->b, &s->data->shape, k));
  PRI_TRY(pri_array_create(s->ctx, &s->x, pri_map_domain(s->o->problem->A), 2 * k));
  pri_copy(s->ctx, s->y.data, s->data->data, k * m);
  for (ptrdiff_t j = 0; j < k; j++) {
    pri_real *b = pri_array_item(&s->b, j), *y = pri_array_item(&s->y, k + j);
    pri_rng_normal(pri_ctx_seed(s->ctx), "weight probe", 0, b, (size_t)m); /* the same for each item: a slice alone has its own result */
    for (ptrdiff_t i = 0; i < m; i++) {
      const double w = root_weight(s, j, i);
      y[i] = pri_array_item(s->data, j)[i] + (w > 0 ? (pri_real)(PROBE * s->o->sd[j] / w * (double)b[i]) : 0);
    }
  }
  if (!s->weight) return PRI_OK;
  PRI_TRY(pri_array_create(s->ctx, &s->w, &s->data->shape, 2 * k));
  for (ptrdiff_t j = 0; j < 2 * k; j++) pri_copy(s->ctx, pri_array_item(&s->w, j), pri_array_item(s->weight, j % k), m);
  return PRI_OK;
}

static pri_status make(struct search *s) {
  const pri_problem *p = s->o->problem;
  const ptrdiff_t k = s->data->items;
  char *spec;
  PRI_TRY(probe(s));
  PRI_ALLOC(s->ctx, s->lo, 2 * k);
  PRI_ALLOC(s->ctx, s->hi, 2 * k);
  for (ptrdiff_t j = 0; j < 2 * k; j++) s->lo[j] = p->lo ? p->lo[j % k] : -INFINITY, s->hi[j] = p->hi ? p->hi[j % k] : INFINITY;
  PRI_TRY(pri_fidelity_print(p->f, &spec));
  const pri_status made = pri_fidelity_create(s->ctx, &s->f, spec, &s->y, s->weight ? &s->w : NULL);
  pri_free(s->ctx, spec);
  s->p = (pri_problem){p->A, s->f, p->R, p->nR, p->noise, 0, s->lo, s->hi};
  return made;
}

static void unmake(struct search *s) {
  pri_array *const arrays[] = {&s->y, &s->w, &s->x, &s->z, &s->b};
  pri_fidelity_destroy(&s->f);
  for (int i = 0; i < 5; i++) pri_array_destroy(arrays[i]);
  pri_free(s->ctx, s->lo), pri_free(s->ctx, s->hi);
}

/* ---- one weight */

static pri_status set_weight(struct search *s, double w) {
  for (int i = 0; i < s->o->n_scaled; i++) PRI_TRY(pri_prior_scale(s->o->scaled[i], w / s->now));
  s->now = w;
  return PRI_OK;
}

static pri_status solve(struct search *s) {
  const long steps = (s->o->steps > 0 ? s->o->steps : STEPS) * (s->out->n ? 1 : FIRST);
  pri_solver *solver;
  pri_report *rep;
  PRI_ALLOC(s->ctx, rep, s->y.items);
  pri_status status = pri_solver_create(s->ctx, &solver, s->o->solver, &s->p, &s->x);
  for (long k = 0; k < steps && status == PRI_OK; k++)
    status = pri_ctx_cancelled(s->ctx) ? PRI_FAIL(s->ctx, PRI_ECANCEL, "weight=auto:discrepancy: cancelled") : pri_solver_step(solver, 0, rep);
  if (status == PRI_OK) pri_copy(s->ctx, s->x.data, pri_solver_iterate(solver)->data, s->x.items * pri_shape_size(&s->x.shape));
  for (ptrdiff_t i = 0; i < s->y.items; i++) s->out->applies += rep[i].applies, s->out->adjoints += rep[i].adjoints;
  pri_solver_destroy(&solver);
  pri_free(s->ctx, rep);
  return status;
}

struct fit {
  const pri_real *y, *z, *probed, *b, *w;
  double h;
};

static double residual_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* |r|^2 */
  const struct fit *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += (f->w ? (double)f->w[i] : 1) * ((double)f->z[i] - (double)f->y[i]) * ((double)f->z[i] - (double)f->y[i]);
  return sum;
}

static double freedom_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* df */
  const struct fit *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += (f->w ? sqrt((double)f->w[i]) : 1) * (double)f->b[i] * ((double)f->probed[i] - (double)f->z[i]);
  return sum / f->h;
}

/* |r|^2 / (m s^2) and df / m of all items together, each in its own noise */
static pri_status judge(struct search *s, double fit[2]) {
  const ptrdiff_t k = s->data->items, m = pri_shape_size(&s->data->shape);
  PRI_TRY(pri_map_apply(s->p.A, &s->z, &s->x));
  s->out->applies += (double)(2 * k);
  fit[0] = fit[1] = 0;
  for (ptrdiff_t j = 0; j < k; j++) {
    const double sd = s->o->sd[j], all = (double)(m * k);
    const struct fit f = {pri_array_item(&s->y, j), pri_array_item(&s->z, j), pri_array_item(&s->z, k + j), pri_array_item(&s->b, j),
                          s->weight ? pri_array_item(&s->w, j) : NULL, PROBE * sd};
    fit[0] += pri_sum(s->ctx, m, residual_block, &f) / (sd * sd) / all;
    fit[1] += pri_sum(s->ctx, m, freedom_block, &f) / all;
  }
  if (isfinite(fit[0]) && isfinite(fit[1])) return PRI_OK;
  return PRI_FAIL(s->ctx, PRI_ENUMERIC, "weight=auto:discrepancy: the solve at weight %g is not finite; give a weight", s->now);
}

static double deviation(const struct search *s) { return sqrt(2 / (double)pri_shape_size(&s->data->shape)); } /* of Q */

/* the variance that the tests so far leave, and Q of each with it */
static void update_risks(struct search *s) {
  double least = INFINITY;
  for (int i = 0; i < s->out->n; i++)
    if (s->fit[i][1] < 0.98) least = fmin(least, s->fit[i][0] / (1 - s->fit[i][1] + 3 * deviation(s) * fabs(s->fit[i][1]))); /* df by the probe: +- sqrt(2 df2) */
  s->variance = isfinite(least) && least > 1 ? least : 1;
  for (int i = 0; i < s->out->n; i++) s->out->tested[i][1] = s->fit[i][0] / s->variance + 2 * s->fit[i][1] - 1;
}

static pri_status test(struct search *s, double w, double *q) {
  double fit[2];
  PRI_TRY(set_weight(s, w));
  PRI_TRY(solve(s));
  PRI_TRY(judge(s, fit));
  *q = fit[0] / s->variance + 2 * fit[1] - 1;
  if (s->out->n < PRI_WEIGHT_TESTS) {
    s->out->tested[s->out->n][0] = w;
    memcpy(s->fit[s->out->n++], fit, sizeof fit);
  }
  pri_log(s->ctx, PRI_LOG_DEBUG, "weight %g: residual %g, followed %g, estimated risk %g noise variances", w, fit[0], fit[1], *q);
  return PRI_OK;
}

/* ---- search */

/* s times the root-mean-square norm of A's columns: E|A'b|^2 = |A|_F^2 for unit probes */
static pri_status scale_of_noise(struct search *s, double *w) {
  const ptrdiff_t k = s->data->items, n = pri_shape_size(&s->x.shape);
  pri_array g = pri_array_items(&s->x, 0, k);
  double sd = 0;
  if (!pri_map_linear(s->p.A)) return PRI_FAIL(s->ctx, PRI_EPARAM, "weight=auto:discrepancy: the operator is not linear; give a weight");
  PRI_TRY(pri_operator_adjoint(pri_map_linear(s->p.A), &g, &s->b));
  for (ptrdiff_t j = 0; j < k; j++) sd += s->o->sd[j] / (double)k;
  *w = sd * sqrt(pri_norm2sq(s->ctx, g.data, k * n) / (double)(k * n));
  pri_fill(s->ctx, s->x.data, 0, 2 * k * n);
  s->out->adjoints += (double)k;
  return *w > 0 ? PRI_OK : PRI_FAIL(s->ctx, PRI_EPARAM, "weight=auto:discrepancy: the operator sees nothing of the image; give a weight");
}

static double tested(const struct search *s, int i, int what) { return s->out->tested[i][what]; }


static int least_of(const struct search *s) {
  int least = 0;
  for (int i = 1; i < s->out->n; i++)
    if (tested(s, i, 1) < tested(s, least, 1)) least = i;
  return least;
}

/* tests w, w factor, w factor^2, ... until Q has risen twice above its least, or by three deviations */
static pri_status walk_from(struct search *s, double w, double factor) {
  int rises = 0;
  for (int k = 0; k < WIDEST && rises < 2; k++, w *= factor) {
    double q;
    PRI_TRY(test(s, w, &q));
    update_risks(s);
    const int last = s->out->n - 1, least = least_of(s);
    rises = least == last ? 0 : rises + 1;
    if (tested(s, last, 1) > tested(s, least, 1) + 3 * deviation(s)) return PRI_OK;
  }
  return PRI_OK;
}

struct bracket {
  double low, mid, high;
  int least;
};

/* the tested neighbours of the least */
static struct bracket bracket_of(const struct search *s) {
  struct bracket b = {0, 0, INFINITY, least_of(s)};
  b.mid = tested(s, b.least, 0);
  for (int i = 0; i < s->out->n; i++) {
    const double w = tested(s, i, 0);
    if (w < b.mid && w > b.low) b.low = w;
    if (w > b.mid && w < b.high) b.high = w;
  }
  return b;
}

static double risk_at(double log_weight, void *arg) {
  struct search *s = arg;
  double q = INFINITY;
  if (s->status == PRI_OK) s->status = test(s, exp(log_weight), &q);
  return s->status == PRI_OK ? q : INFINITY;
}

/* Brent's minimum in log w. Its three values are known, so that each iteration is one solve */
static pri_status refine(struct search *s) {
  const struct bracket b = bracket_of(s);
  double q[3] = {NAN, NAN, NAN};
  gsl_function f = {risk_at, s};
  if (!(b.low > 0) || !isfinite(b.high)) return PRI_OK;
  for (int i = 0; i < s->out->n; i++) {
    const double w = tested(s, i, 0);
    if (w == b.low) q[0] = tested(s, i, 1);
    if (w == b.mid) q[1] = tested(s, i, 1);
    if (w == b.high) q[2] = tested(s, i, 1);
  }
  if (!(q[1] < q[0] && q[1] < q[2])) return PRI_OK;
  gsl_min_fminimizer *m = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
  if (!m) return PRI_FAIL(s->ctx, PRI_ENOMEM, "weight=auto:discrepancy: no memory for the search");
  int ok = gsl_min_fminimizer_set_with_values(m, &f, log(b.mid), q[1], log(b.low), q[0], log(b.high), q[2]);
  for (int k = 0; k < REFINE && ok == GSL_SUCCESS && s->status == PRI_OK; k++) ok = gsl_min_fminimizer_iterate(m);
  gsl_min_fminimizer_free(m);
  return s->status;
}

struct curve {
  gsl_spline *spline;
  gsl_interp_accel *at;
  double level;
};

static double above_level(double x, void *arg) {
  const struct curve *c = arg;
  return gsl_spline_eval(c->spline, x, c->at) - c->level;
}

static double crossing(struct curve *c, double low, double high) {
  gsl_function f = {above_level, c};
  gsl_root_fsolver *r = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
  double x = low;
  if (r && gsl_root_fsolver_set(r, &f, low, high) == GSL_SUCCESS)
    for (int k = 0; k < 60; k++) {
      if (gsl_root_fsolver_iterate(r) != GSL_SUCCESS) break;
      x = gsl_root_fsolver_root(r);
    }
  if (r) gsl_root_fsolver_free(r);
  return x;
}

/* the largest weight on the spline through all points whose Q is at most `level`, counted from the least one upwards */
static double largest_within(const struct search *s, double level) {
  double x[PRI_WEIGHT_TESTS], q[PRI_WEIGHT_TESTS];
  size_t order[PRI_WEIGHT_TESTS], n = 0, least = 0;
  double w[PRI_WEIGHT_TESTS];
  for (int i = 0; i < s->out->n; i++) w[i] = tested(s, i, 0);
  gsl_sort_index(order, w, 1, (size_t)s->out->n);
  for (int i = 0; i < s->out->n; i++) {
    const double at = log(w[order[i]]), value = tested(s, (int)order[i], 1);
    if (n && at - x[n - 1] < 1e-6) continue;
    x[n] = at, q[n++] = value;
    if (value < q[least]) least = n - 1;
  }
  size_t next = least;
  while (next < n && q[next] <= level) next++;
  if (next == n || n < 3) return exp(x[next == n ? n - 1 : least]);
  struct curve c = {gsl_spline_alloc(gsl_interp_steffen, n), gsl_interp_accel_alloc(), level};
  double found = x[next - 1];
  if (c.spline && c.at && gsl_spline_init(c.spline, x, q, n) == GSL_SUCCESS) found = crossing(&c, x[next - 1], x[next]);
  if (c.spline) gsl_spline_free(c.spline);
  if (c.at) gsl_interp_accel_free(c.at);
  return exp(found);
}

static pri_status search(struct search *s) {
  double w0 = 0;
  PRI_TRY(scale_of_noise(s, &w0));
  PRI_TRY(walk_from(s, 4 * w0, 0.5));
  if (least_of(s) == 0) PRI_TRY(walk_from(s, 8 * w0, 2)); /* the strongest was the best: further up */
  PRI_TRY(refine(s));
  update_risks(s);
  if (s->variance > 1)
    pri_log(s->ctx, PRI_LOG_INFO, "weight=auto:discrepancy: the best fits leave %.3g times the noise level: the model or the level is off by that", sqrt(s->variance));
  const struct bracket b = bracket_of(s);
  s->out->chosen = largest_within(s, tested(s, b.least, 1) + deviation(s));
  return set_weight(s, s->out->chosen);
}

pri_status pri_weight_discrepancy(pri_ctx *ctx, const pri_weight_search *o, pri_weight_result *out) {
  struct search s = {.ctx = ctx, .o = o, .out = out, .now = 1, .variance = 1, .data = pri_fidelity_data(o->problem->f), .weight = pri_fidelity_weight(o->problem->f)};
  gsl_error_handler_t *const handler = gsl_set_error_handler_off();
  memset(out, 0, sizeof *out);
  pri_status status = check(ctx, o);
  if (status == PRI_OK) status = make(&s);
  if (status == PRI_OK) status = search(&s);
  unmake(&s);
  gsl_set_error_handler(handler);
  return status;
}

/* ---- rel:V */

/* g = gradient of f(A x) at the best constant image, which it is orthogonal to; f quadratic along the constants, else one Newton step */
static pri_status gradient_at_constant(pri_ctx *ctx, const pri_problem *p, const pri_array *one, pri_array *a, pri_array *z, pri_array *g) {
  const void *priv;
  const pri_fidelity_class *f = pri_fidelity_class_of(p->f, &priv);
  const ptrdiff_t k = a->items, m = pri_shape_size(&a->shape);
  PRI_TRY(pri_map_apply(p->A, a, one));
  pri_fill(ctx, z->data, 0, k * m);
  PRI_TRY(f->grad(ctx, priv, z->data, z->data, 0, k));
  double at0[3] = {0}, at1;
  for (ptrdiff_t i = 0; i < k; i++) at0[i] = pri_dot(ctx, pri_array_item(z, i), pri_array_item(a, i), m);
  PRI_TRY(f->grad(ctx, priv, z->data, a->data, 0, k));
  for (ptrdiff_t i = 0; i < k; i++) {
    at1 = pri_dot(ctx, pri_array_item(z, i), pri_array_item(a, i), m);
    pri_scale(ctx, pri_array_item(a, i), at1 > at0[i] ? -at0[i] / (at1 - at0[i]) : 0, m); /* A (c 1) */
  }
  PRI_TRY(f->grad(ctx, priv, z->data, a->data, 0, k));
  return pri_operator_adjoint(pri_map_linear(p->A), g, z);
}

static pri_status constant_weights(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, pri_array *one, pri_array *a, pri_array *z, double *weight) {
  const void *priv;
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  double each[3];
  pri_fill(ctx, one->data, 1, one->items * pri_shape_size(&one->shape));
  PRI_TRY(gradient_at_constant(ctx, p, one, a, z, one));
  PRI_TRY(c->constant_weight(ctx, priv, one->data, each, one->items, pri_prior_scratch(R)));
  gsl_sort(each, 1, (size_t)one->items);
  *weight = gsl_stats_median_from_sorted_data(each, 1, (size_t)one->items);
  return PRI_OK;
}

pri_status pri_weight_constant(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight) {
  const void *priv;
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  const pri_array *y = pri_fidelity_data(p->f);
  pri_array one = {0}, a = {0}, z = {0};
  if (!c->constant_weight) return PRI_FAIL(ctx, PRI_ENOTSUP, "%s: weight=rel:V is not offered; give a weight", c->kind.name);
  if (!pri_fidelity_class_of(p->f, &priv)->grad || !pri_map_linear(p->A))
    return PRI_FAIL(ctx, PRI_ENOTSUP, "%s: weight=rel:V needs a smooth data term and a linear operator; give a weight", c->kind.name);
  if (y->items > 3) return PRI_FAIL(ctx, PRI_EPARAM, "%s: weight=rel:V is found on at most 3 slices, not %td", c->kind.name, y->items);
  pri_status s = pri_array_create(ctx, &one, pri_map_domain(p->A), y->items);
  if (s == PRI_OK) s = pri_array_create(ctx, &a, &y->shape, y->items);
  if (s == PRI_OK) s = pri_array_create(ctx, &z, &y->shape, y->items);
  if (s == PRI_OK) s = constant_weights(ctx, p, R, &one, &a, &z, weight);
  pri_array_destroy(&one), pri_array_destroy(&a), pri_array_destroy(&z);
  return s;
}
