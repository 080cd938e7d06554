/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_maid.c - MAID: adaptively inexact line search on an upper level that is only known as an interval (Salehi, Mukherjee, Roberts, Ehrhardt
 * 2025, algorithms 3.1, 3.2; spec maid 4, 7).
 *
 *   theta+ = P(theta - a d), d = B z;  accepted where   high(theta+) - low(theta) + lambda <z, theta - theta+> <= 0
 * so that the true f falls by lambda <z, theta - theta+>, whatever z is: every accepted step is proved. Deviations from the paper, unless `plain`:
 *   metric      B by L-BFGS instead of the identity (learn_metric.c); no parameter moves by more than 1 in a step
 *   prediction  before a step is tried the interval must be narrower than a quarter of the decrease that it promises: eps is set to that at once
 *               instead of being halved after failures
 *   hopeless    trials end where the promise is less than the half-widths of the two intervals: a smaller step can only promise less
 *   achieved    intervals are made of the error bounds reached, sample by sample, kept together with their iterates
 *   relaxing    eps grows fourfold after a success, never above its first value
 * delta = 0.04 eps. A trial that is not finite, or does not reach its accuracy in the steps allowed, is rejected and never a warm start.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "learn.h"
#include "vec.h"

enum { MOST = 30000 /* steps of the lower level */, TRIALS = 10, TIGHTENINGS = 60 };
static const double SHRINK = 0.5, GROW = 10.0 / 9, LAMBDA = 1e-4, ETA = 0.5, KAPPA = 0.25, CG_SHARE = 0.04, SMALLEST = 1e-7 /* of f */, FLOOR = 1e-13;

struct pri_maid {
  pri_ctx *ctx;
  pri_lower *l;
  pri_maid_opts o;
  size_t p;
  ptrdiff_t m, mn;
  double *theta, *trial, *z, *d, *s, *y, *last_theta, *last_z; /* [p] */
  pri_metric metric;
  pri_real *x, *xt, *q;                                         /* [m][n] */
  double *e, *et;                                               /* [m] */
  double eps, eps0, alpha, omega;
  pri_interval f;
  long k, trials, failures, have_last;
};

static double dot(const double *a, const double *b, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

static int all_finite(const double *e, ptrdiff_t m) {
  for (ptrdiff_t i = 0; i < m; i++)
    if (!isfinite(e[i])) return 0;
  return 1;
}

static void clamp(const pri_maid *m, double *theta) {
  for (size_t i = 0; i < m->p; i++) theta[i] = fmin(fmax(theta[i], m->o.lo), m->o.hi);
}

/* x, e, f and z at theta, to eps */
static pri_status look(pri_maid *m) {
  PRI_TRY(pri_lower_theta(m->l, m->theta));
  PRI_TRY(pri_lower_solve(m->l, m->x, m->eps, MOST, m->e));
  if (!all_finite(m->e, m->m)) return PRI_FAIL(m->ctx, PRI_ENUMERIC, "learn: the lower level is not finite at the parameters it starts from");
  m->f = pri_lower_interval(m->l, m->x, m->e);
  return pri_lower_hypergradient(m->l, m->x, m->e, CG_SHARE * m->eps, m->q, m->z, m->o.descent ? &m->omega : NULL);
}

/* d = B z; moves along a bound are taken out */
static void direct(pri_maid *m) {
  if (m->o.plain) memcpy(m->d, m->z, m->p * sizeof *m->d);
  else pri_metric_apply(&m->metric, m->d, m->z);
  for (size_t i = 0; i < m->p; i++)
    if ((m->theta[i] <= m->o.lo && m->d[i] > 0) || (m->theta[i] >= m->o.hi && m->d[i] < 0)) m->d[i] = 0;
  if (dot(m->z, m->d, m->p) > 1e-3 * sqrt(dot(m->z, m->z, m->p) * dot(m->d, m->d, m->p))) return;
  m->metric.pairs = 0;
  memcpy(m->d, m->z, m->p * sizeof *m->d);
}

static double largest(const double *d, size_t p) {
  double most = 0;
  for (size_t i = 0; i < p; i++) most = fmax(most, fabs(d[i]));
  return most;
}

/* The step that is tried first. */
static double first_step(const pri_maid *m) {
  const double most = largest(m->d, m->p);
  if (!(most > 0)) return 0;
  if (m->o.plain) return m->alpha > 0 ? m->alpha : m->o.alpha > 0 ? m->o.alpha : 0.5 / most;
  const double a = m->metric.pairs > 0 ? 1 : m->alpha > 0 ? m->alpha : m->o.alpha > 0 ? m->o.alpha : 0.5 / most;
  return fmin(a, 1 / most); /* step cap */
}

/* What the step promises, <z, theta - P(theta - a d)>; m->trial is the point. */
static double promise(pri_maid *m, double a) {
  double sum = 0;
  for (size_t i = 0; i < m->p; i++) m->trial[i] = m->theta[i] - a * m->d[i];
  clamp(m, m->trial);
  for (size_t i = 0; i < m->p; i++) sum += m->z[i] * (m->theta[i] - m->trial[i]);
  return sum;
}

/* Finer, until the interval is narrow against the promise and (on request) d is proved to descend. *short_: rounding is in the way. */
static pri_status sharpen(pri_maid *m, double *a, double *predicted, int *short_) {
  *short_ = 0;
  for (int j = 0; j < TIGHTENINGS; j++) {
    PRI_TRY(look(m));
    direct(m);
    *a = first_step(m);
    *predicted = promise(m, *a);
    const int small = !(*predicted > SMALLEST * m->f.high), wide = !m->o.plain && 2 * m->f.half > KAPPA * fmax(*predicted, SMALLEST * m->f.high);
    const int blind = m->o.descent && !(m->omega * sqrt(dot(m->d, m->d, m->p)) <= (1 - ETA) * dot(m->z, m->d, m->p));
    if (!wide && (small || !blind)) return PRI_OK; /* a small promise counts once the interval is as narrow */
    if (pri_ctx_cancelled(m->ctx)) return PRI_FAIL(m->ctx, PRI_ECANCEL, "interrupted");
    const double fit = wide ? 0.9 * KAPPA * fmax(*predicted, SMALLEST * m->f.high) / (2 * m->f.half) : 1;
    m->eps *= fmin(fit, blind ? 0.5 : 0.9);
    if (m->eps < FLOOR) break;
  }
  *short_ = 1;
  return PRI_OK;
}

/* The point m->trial: 1 accepted, 0 a smaller step may do, -1 none will at this accuracy */
static pri_status attempt(pri_maid *m, double predicted, int *verdict) {
  *verdict = 0;
  m->trials++;
  PRI_TRY(pri_lower_theta(m->l, m->trial));
  memcpy(m->xt, m->x, (size_t)m->mn * sizeof *m->xt);
  PRI_TRY(pri_lower_solve(m->l, m->xt, m->eps, MOST, m->et));
  if (!all_finite(m->et, m->m)) return PRI_OK;
  const pri_interval f = pri_lower_interval(m->l, m->xt, m->et);
  if (f.high - m->f.low + LAMBDA * predicted <= 0) *verdict = 1;
  else if (!m->o.plain && predicted < f.half + m->f.half) *verdict = -1;
  return PRI_OK;
}

static void accept(pri_maid *m, double a) {
  pri_real *x = m->x;
  double *e = m->e;
  memcpy(m->last_theta, m->theta, m->p * sizeof *m->theta);
  memcpy(m->last_z, m->z, m->p * sizeof *m->z);
  m->have_last = 1;
  memcpy(m->theta, m->trial, m->p * sizeof *m->theta);
  m->x = m->xt, m->xt = x;
  m->e = m->et, m->et = e;
  m->alpha = (m->o.plain ? GROW : 3) * a; /* where curvature is negative there is no metric, and a step must be able to grow */
  m->eps = fmin(m->eps * (m->o.plain ? 1.05 : 4), m->eps0);
  m->k++;
}

/* The pair of the last step, now that z is known at both its ends. */
static void learn_metric(pri_maid *m) {
  if (!m->have_last || m->o.plain) return;
  for (size_t i = 0; i < m->p; i++) m->s[i] = m->theta[i] - m->last_theta[i], m->y[i] = m->z[i] - m->last_z[i];
  pri_metric_add(&m->metric, m->s, m->y);
  m->have_last = 0;
}

static void report(const pri_maid *m, pri_maid_report *r, double predicted) {
  *r = (pri_maid_report){.k = m->k, .trials = m->trials, .failures = m->failures, .f = m->f, .z = sqrt(dot(m->z, m->z, m->p)), .omega = m->o.descent ? m->omega : NAN,
                         .eps = m->eps, .alpha = m->alpha, .predicted = predicted, .work = pri_lower_work(m->l)};
}

pri_status pri_maid_step(pri_maid *m, pri_maid_report *r, pri_verdict *v) {
  double a, predicted;
  int short_, verdict = 0;
  *v = PRI_GO;
  if (m->have_last) {
    PRI_TRY(look(m));
    learn_metric(m);
  }
  for (long tries = m->o.plain ? TRIALS : 4 * TRIALS;; tries++) {
    PRI_TRY(sharpen(m, &a, &predicted, &short_));
    report(m, r, predicted);
    if (short_) return *v = PRI_STOPPED_EARLY, PRI_OK;
    if (!(predicted > SMALLEST * m->f.high)) return *v = PRI_CONVERGED, PRI_OK;
    for (long i = 0; i < tries && verdict == 0; i++, a *= SHRINK) {
      predicted = promise(m, a);
      PRI_TRY(attempt(m, predicted, &verdict));
      if (pri_ctx_cancelled(m->ctx)) return PRI_FAIL(m->ctx, PRI_ECANCEL, "interrupted");
      if (verdict == 1) break;
    }
    if (verdict == 1) break;
    m->failures++;
    verdict = 0;
    m->eps *= m->o.plain ? 0.5 : 0.25;
    if (m->eps < FLOOR) return *v = PRI_STOPPED_EARLY, PRI_OK;
  }
  accept(m, a);
  m->f = pri_lower_interval(m->l, m->x, m->e);
  report(m, r, predicted);
  return PRI_OK;
}

const double *pri_maid_theta(const pri_maid *m) { return m->theta; }

pri_status pri_maid_walk(pri_maid *m, pri_walk *w) {
  pri_work work = pri_lower_work(m->l);
  const size_t p = m->p * sizeof(double), images = (size_t)m->mn * sizeof(pri_real);
  double *const vectors[] = {m->theta, m->last_theta, m->last_z};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_TRY(pri_walk_bytes(w, "vector", vectors[i], p));
  PRI_TRY(pri_walk_bytes(w, "pairs", &m->metric.pairs, sizeof m->metric.pairs));
  PRI_TRY(pri_walk_bytes(w, "s", m->metric.s, PRI_METRIC_PAIRS * p));
  PRI_TRY(pri_walk_bytes(w, "y", m->metric.y, PRI_METRIC_PAIRS * p));
  PRI_TRY(pri_walk_bytes(w, "x", m->x, images));
  PRI_TRY(pri_walk_bytes(w, "q", m->q, images));
  double scalars[] = {m->eps, m->eps0, m->alpha, work.gradients, work.products, work.mixed};
  long counts[] = {m->k, m->trials, m->failures, m->have_last};
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "counts", counts, sizeof counts));
  m->eps = scalars[0], m->eps0 = scalars[1], m->alpha = scalars[2];
  m->k = counts[0], m->trials = counts[1], m->failures = counts[2], m->have_last = counts[3];
  pri_lower_set_work(m->l, (pri_work){scalars[3], scalars[4], scalars[5]});
  return PRI_OK;
}

/* ---- making one */

static pri_status make_room(pri_ctx *ctx, pri_maid *m) {
  double **const vectors[] = {&m->theta, &m->trial, &m->z, &m->d, &m->s, &m->y, &m->last_theta, &m->last_z};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_ALLOC(ctx, *vectors[i], (ptrdiff_t)m->p);
  PRI_ALLOC(ctx, m->metric.s, (ptrdiff_t)m->p * PRI_METRIC_PAIRS);
  PRI_ALLOC(ctx, m->metric.y, (ptrdiff_t)m->p * PRI_METRIC_PAIRS);
  PRI_ALLOC(ctx, m->x, m->mn);
  PRI_ALLOC(ctx, m->xt, m->mn);
  PRI_ALLOC(ctx, m->q, m->mn);
  PRI_ALLOC(ctx, m->e, m->m);
  PRI_ALLOC(ctx, m->et, m->m);
  return PRI_OK;
}

/* First accuracy: a fiftieth of the error bound of the start (spec 4: scale-free). */
static pri_status start(pri_maid *m, const double *theta) {
  memcpy(m->theta, theta, m->p * sizeof *theta);
  clamp(m, m->theta);
  PRI_TRY(pri_lower_theta(m->l, m->theta));
  const double far = pri_lower_start(m->l, m->x);
  m->eps = m->eps0 = m->o.eps > 0 ? m->o.eps : 0.02 * far;
  if (!(m->eps > 0) || !isfinite(m->eps)) return PRI_FAIL(m->ctx, PRI_ENUMERIC, "learn: the first gradient is %g: are the images constant, or not finite?", far);
  return PRI_OK;
}

pri_status pri_maid_create(pri_ctx *ctx, pri_maid **out, pri_lower *l, const double *theta, const pri_maid_opts *o) {
  pri_maid *m = *out = pri_calloc(ctx, 1, sizeof *m);
  if (!m) return pri_ctx_code(ctx);
  m->ctx = ctx, m->l = l, m->o = *o, m->p = m->metric.p = pri_lower_ntheta(l), m->m = pri_lower_samples(l), m->mn = m->m * pri_lower_size(l);
  if (m->o.lo == 0 && m->o.hi == 0) m->o.lo = -27, m->o.hi = 27;
  m->omega = NAN;
  pri_status s = make_room(ctx, m);
  if (s == PRI_OK) s = start(m, theta);
  if (s != PRI_OK) pri_maid_destroy(out);
  return s;
}

void pri_maid_destroy(pri_maid **out) {
  if (!out || !*out) return;
  pri_maid *m = *out;
  void *const all[] = {m->theta, m->trial, m->z, m->d, m->s, m->y, m->last_theta, m->last_z, m->metric.s, m->metric.y, m->x, m->xt, m->q, m->e, m->et};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(m->ctx, all[i]);
  pri_free(m->ctx, m);
  *out = NULL;
}
