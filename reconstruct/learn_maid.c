/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_maid.c - MAID: adaptively inexact line search on an upper level that is only known as an interval (Salehi, Mukherjee, Roberts, Ehrhardt
 * 2025, algorithms 3.1, 3.2; spec maid 4, 7).
 *
 *   theta+ = P(theta - a d), d = B z;  accepted where   high(theta+) - low(theta) + lambda <z, theta - theta+> <= 0
 * so that the true f falls by lambda <z, theta - theta+>, whatever z is: every accepted step is proved. With memory > 1 low is the largest of the last
 * so many points. search=paper is this and no more (metric=none); else
 *   metric      B from the steps taken (learn_metric.c); no parameter moves by more than `cap` in a step
 *   prediction  before a step is tried the interval must be narrower than the share kappa of the decrease that it promises: eps is set to that at once
 *               instead of being shrunk after failures
 *   hopeless    trials end where the promise is less than the half-widths of the two intervals: a smaller step can only promise less
 *   memory      a step that was proved worse is not tried again at a finer accuracy; the next one is the minimum of a parabola
 *   relaxing    eps grows fourfold after a success, never above its first value or what auto would make that
 * Deviation from the published code in both: intervals are made of the error bounds reached, sample by sample, kept together with their iterates. A
 * trial that is not finite, does not reach its accuracy or fails otherwise is rejected and never a warm start.
 * mode=off compares losses as computed: nothing is proved then.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "learn.h"
#include "vec.h"

enum { TIGHTENINGS = 60 };
static const double SMALLEST = 1e-7 /* of |f|: estimates of a loss may be below 0 */, FLOOR = 1e-13, TANGENT = 0.1, FAR = 0.1;

struct pri_maid {
  pri_ctx *ctx;
  pri_lower *l;
  pri_maid_opts o;
  size_t p;
  ptrdiff_t m, mn;
  double *theta, *trial, *z, *d, *s, *y, *last_theta, *last_z; /* [p] */
  double *lows;                                                 /* [memory] low of f at the last points */
  pri_metric metric;
  pri_real *x, *xt, *q;                                         /* [m][n] */
  pri_real *w;                                                  /* [m][p][n]: tangents, metric newton only */
  double *e, *et;                                               /* [m] */
  double eps, eps0, share, alpha, omega, drop, shorter, steepness, longest; /* share: delta / eps; drop: by which share of itself the last step lowered f; shorter: factor of the next trial;
                                                                  longest: steps beyond were proved worse */
  pri_interval f;
  long k, trials, failures, have_last, wary, worse;
};

static double dot(const double *a, const double *b, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

static void clamp(const pri_maid *m, double *theta) {
  for (size_t i = 0; i < m->p; i++) theta[i] = fmin(fmax(theta[i], m->o.lo), m->o.hi);
}

static int paper(const pri_maid *m) { return m->o.search == PRI_MAID_PAPER; }

/* What is said of f. */
static pri_interval by_mode(const pri_maid *m, pri_interval f) {
  const double g = pri_interval_computed(f);
  return m->o.mode == PRI_MAID_OFF ? (pri_interval){g, g, 0} : f;
}

/* x, e, f and z at theta, to eps */
static pri_status look(pri_maid *m) {
  const int proved = m->o.descent == 2 && m->o.mode == PRI_MAID_CERTIFIED, estimated = m->o.descent == 2 && m->o.mode == PRI_MAID_ESTIMATED;
  PRI_TRY(pri_lower_theta(m->l, m->theta));
  m->steepness = pri_lower_steepness(m->l);
  PRI_TRY(pri_lower_solve(m->l, m->x, m->eps, PRI_LOWER_MOST, m->e));
  if (!pri_lower_finite(m->l, m->e)) return PRI_FAIL(m->ctx, PRI_ENUMERIC, "learn: the lower level is not finite at the parameters it starts from");
  m->f = by_mode(m, pri_lower_interval(m->l, m->x, m->e));
  PRI_TRY(pri_lower_hypergradient(m->l, m->x, m->e, m->share * m->eps, m->q, m->z, proved ? &m->omega : NULL));
  return estimated ? pri_lower_estimate(m->l, m->x, m->e, m->q, &m->omega) : PRI_OK;
}

static pri_status bend(pri_maid *m) { /* the tangents and the metric at a new point */
  double gram[PRI_LOWER_FEW * PRI_LOWER_FEW];
  if (!m->w) return PRI_OK;
  PRI_TRY(pri_lower_tangents(m->l, m->x, TANGENT, m->w, gram));
  pri_metric_curve(&m->metric, gram);
  return PRI_OK;
}

/* The step that is tried first. */
static double first_step(const pri_maid *m) {
  const double most = pri_metric_largest(m->d, m->p);
  if (!(most > 0)) return 0;
  const double a = pri_metric_scaled(&m->metric) ? 1 : m->alpha > 0 ? m->alpha : m->o.alpha > 0 ? m->o.alpha : 0.5 / most;
  return fmin(fmin(a, m->o.cap / most), m->longest);
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
    pri_metric_direct(&m->metric, m->d, m->z, &(pri_metric_where){m->theta, m->o.lo, m->o.hi, m->o.cap});
    *a = first_step(m);
    *predicted = promise(m, *a);
    const int small = !(*predicted > SMALLEST * fabs(m->f.high)), wide = !paper(m) && 2 * m->f.half > m->o.kappa * fmax(*predicted, SMALLEST * fabs(m->f.high));
    const int blind = m->o.descent == 2 && !(m->omega * sqrt(dot(m->d, m->d, m->p)) <= (1 - m->o.eta) * dot(m->z, m->d, m->p));
    if (!wide && (small || !blind)) return PRI_OK; /* a small promise counts once the interval is as narrow */
    if (pri_ctx_cancelled(m->ctx)) return PRI_FAIL(m->ctx, PRI_ECANCEL, "interrupted");
    const double fit = wide ? 0.9 * m->o.kappa * fmax(*predicted, SMALLEST * fabs(m->f.high)) / (2 * m->f.half) : 1;
    m->eps *= fmin(fit, blind ? m->o.nu : 0.9);
    if (m->eps < FLOOR) break;
  }
  *short_ = 1;
  return PRI_OK;
}

/* What a step must undercut. */
static double reference(const pri_maid *m) {
  double most = m->f.low;
  for (long i = 0; i < m->o.memory - 1 && i < m->k; i++) most = fmax(most, m->lows[i]);
  return most;
}

/* e and f at m->trial. Where the last trial failed the new one is looked at coarsely first: that may show it to be worse. One whose lower level is
   far harder to solve than here is not looked at (spec 7, change 5): all of f is INFINITY then. */
static pri_status look_at_trial(pri_maid *m, pri_interval *f) {
  static const double HARDER = 4, EASY = 20, COARSE = 8;
  *f = (pri_interval){INFINITY, INFINITY, INFINITY};
  if (!paper(m) && (pri_lower_theta(m->l, m->trial) != PRI_OK || pri_lower_steepness(m->l) > EASY + HARDER * m->steepness)) return PRI_OK;
  memcpy(m->xt, m->x, (size_t)m->mn * sizeof *m->xt);
  if (m->w) pri_lower_predict(m->l, m->xt, m->w, m->theta, m->trial);
  if (m->wary) {
    PRI_TRY(pri_lower_look(m->l, m->trial, m->xt, COARSE * m->eps, m->et, f));
    if (f->low > reference(m)) return PRI_OK;
  }
  PRI_TRY(pri_lower_look(m->l, m->trial, m->xt, m->eps, m->et, f));
  *f = by_mode(m, *f);
  return PRI_OK;
}

/* The point m->trial: 1 accepted, 0 a smaller step may do, -1 none will at this accuracy */
static pri_status attempt(pri_maid *m, double predicted, int *verdict) {
  pri_interval f;
  *verdict = 0;
  m->shorter = paper(m) ? m->o.rho : 0.25 * m->o.rho;
  m->worse = !paper(m); /* until it is shown that it may be not */
  m->trials++;
  PRI_TRY(look_at_trial(m, &f));
  if (!isfinite(f.high)) return PRI_OK;
  if (f.high - reference(m) + m->o.lambda * predicted <= 0) *verdict = 1;
  else if (!paper(m) && predicted < f.half + m->f.half) *verdict = -1;
  m->worse &= f.low > reference(m);
  if (!paper(m)) { /* the minimum of the parabola through f and f+ whose slope is the promise */
    const double rise = pri_interval_computed(f) - pri_interval_computed(m->f) + predicted;
    m->shorter = fmin(m->o.rho, fmax(0.1 * m->o.rho, predicted / (2 * rise)));
  }
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
  m->alpha = m->o.growth * a; /* where curvature is negative there is no metric, and a step must be able to grow */
  m->eps = paper(m) ? m->eps * m->o.relax : fmin(m->eps * m->o.relax, m->eps0);
  if (m->o.memory > 1) m->lows[m->k % (m->o.memory - 1)] = m->f.low;
  m->k++;
  m->longest = INFINITY;
}

/* The pair of the last step, now that z is known at both its ends. */
static void learn_metric(pri_maid *m) {
  const int far = m->w && m->drop > FAR; /* what the metric learned is of elsewhere, and there is a better one */
  if (far) pri_metric_forget(&m->metric);
  for (size_t i = 0; i < m->p && m->have_last; i++) m->s[i] = m->theta[i] - m->last_theta[i], m->y[i] = m->z[i] - m->last_z[i];
  if (m->have_last && !far) pri_metric_add(&m->metric, m->s, m->y);
  pri_metric_see(&m->metric, m->z);
  m->have_last = 0;
}

static void report(const pri_maid *m, pri_maid_report *r, double predicted) {
  *r = (pri_maid_report){.k = m->k, .trials = m->trials, .failures = m->failures, .f = m->f, .last = m->f.high, .z = sqrt(dot(m->z, m->z, m->p)), .omega = m->omega,
                         .eps = m->eps, .alpha = m->alpha, .predicted = predicted, .work = pri_lower_work(m->l)};
}

/* Steps from `a` on, each rho times the last: *verdict 1 where one was taken */
static pri_status walk_down(pri_maid *m, long tries, double *a, double *predicted, int *verdict) {
  *verdict = 0;
  for (long i = 0; i < tries && *verdict == 0; i++) {
    if (i) *a *= m->shorter;
    m->wary = i && !paper(m);
    *predicted = promise(m, *a);
    PRI_TRY(attempt(m, *predicted, verdict));
    if (m->worse) m->longest = *a * m->shorter;
    if (pri_ctx_cancelled(m->ctx)) return PRI_FAIL(m->ctx, PRI_ECANCEL, "interrupted");
  }
  return PRI_OK;
}

pri_status pri_maid_step(pri_maid *m, pri_maid_report *r, pri_verdict *v) {
  double a, predicted;
  int short_, verdict;
  *v = PRI_GO;
  if (m->have_last || m->k == 0) {
    PRI_TRY(look(m));
    learn_metric(m);
    PRI_TRY(bend(m));
  }
  for (long tries = m->o.trials;; tries++) { /* the number of trials grows with every failure (algorithm 3.1) */
    PRI_TRY(sharpen(m, &a, &predicted, &short_));
    report(m, r, predicted);
    if (short_) return *v = PRI_STOPPED_EARLY, PRI_OK;
    if (!(predicted > SMALLEST * fabs(m->f.high))) return *v = PRI_CONVERGED, PRI_OK;
    PRI_TRY(walk_down(m, tries, &a, &predicted, &verdict));
    if (verdict == 1) break;
    m->failures++;
    m->eps *= m->o.nu;
    if (m->eps < FLOOR) return *v = PRI_STOPPED_EARLY, PRI_OK;
  }
  accept(m, a);
  const double was = pri_interval_computed(m->f);
  m->f = by_mode(m, pri_lower_interval(m->l, m->x, m->e));
  m->drop = 1 - pri_interval_computed(m->f) / was;
  if (!paper(m) && m->f.half > 0) /* as far as the interval stays narrow against what this step promised; too fine a first accuracy is left at once */
    m->eps = fmin(m->eps * fmin(fmax(0.25 * m->o.kappa * predicted / (2 * m->f.half * m->o.relax), 1), 64), m->eps0);
  report(m, r, predicted);
  return PRI_OK;
}

const double *pri_maid_theta(const pri_maid *m) { return m->theta; }

pri_status pri_maid_walk(pri_maid *m, pri_walk *w) {
  pri_work work = pri_lower_work(m->l);
  const size_t p = m->p * sizeof(double), images = (size_t)m->mn * sizeof(pri_real);
  double *const vectors[] = {m->theta, m->last_theta, m->last_z};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_TRY(pri_walk_bytes(w, "vector", vectors[i], p));
  PRI_TRY(pri_metric_walk(&m->metric, w));
  if (m->w) PRI_TRY(pri_walk_bytes(w, "tangents", m->w, m->p * images));
  PRI_TRY(pri_walk_bytes(w, "lows", m->lows, (size_t)m->o.memory * sizeof *m->lows));
  PRI_TRY(pri_walk_bytes(w, "x", m->x, images));
  PRI_TRY(pri_walk_bytes(w, "q", m->q, images));
  double scalars[] = {m->eps, m->eps0, m->alpha, m->drop, work.gradients, work.products, work.mixed};
  long counts[] = {m->k, m->trials, m->failures, m->have_last};
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "counts", counts, sizeof counts));
  m->eps = scalars[0], m->eps0 = scalars[1], m->alpha = scalars[2], m->drop = scalars[3];
  m->k = counts[0], m->trials = counts[1], m->failures = counts[2], m->have_last = counts[3];
  pri_lower_set_work(m->l, (pri_work){scalars[4], scalars[5], scalars[6]});
  return PRI_OK;
}

/* ---- making one */

static void fill(double *value, double with) {
  if (!(*value > 0)) *value = with;
}

void pri_maid_fill(pri_maid_opts *o) {
  const int paper = o->search == PRI_MAID_PAPER;
  if (o->lo == 0 && o->hi == 0) o->lo = -27, o->hi = 27;
  if (o->descent == 0) o->descent = o->mode == PRI_MAID_ESTIMATED ? 2 : 1;
  if (o->trials == 0) o->trials = paper ? 10 : 40;
  if (o->memory == 0) o->memory = 1;
  fill(&o->rho, 0.5), fill(&o->growth, paper ? 10.0 / 9 : 3), fill(&o->nu, paper ? 0.5 : 0.25), fill(&o->relax, paper ? 1.05 : 4);
  fill(&o->eta, paper ? 1e-4 : 0.5), fill(&o->lambda, paper ? 1e-8 : 1e-4), fill(&o->kappa, 0.25), fill(&o->cap, paper ? INFINITY : 1);
}

static pri_status make_room(pri_ctx *ctx, pri_maid *m) {
  double **const vectors[] = {&m->theta, &m->trial, &m->z, &m->d, &m->s, &m->y, &m->last_theta, &m->last_z};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_ALLOC(ctx, *vectors[i], (ptrdiff_t)m->p);
  PRI_TRY(pri_metric_init(ctx, &m->metric, (pri_metric_kind)(m->o.metric - 1), m->p));
  PRI_ALLOC(ctx, m->lows, m->o.memory);
  PRI_ALLOC(ctx, m->x, m->mn);
  PRI_ALLOC(ctx, m->xt, m->mn);
  PRI_ALLOC(ctx, m->q, m->mn);
  if (m->o.metric - 1 == PRI_METRIC_NEWTON) PRI_ALLOC(ctx, m->w, m->mn * (ptrdiff_t)m->p);
  PRI_ALLOC(ctx, m->e, m->m);
  PRI_ALLOC(ctx, m->et, m->m);
  return PRI_OK;
}

static pri_status start(pri_maid *m, const double *theta) {
  memcpy(m->theta, theta, m->p * sizeof *theta);
  clamp(m, m->theta);
  PRI_TRY(pri_lower_begin(m->l, m->theta, m->x, &m->eps0));
  m->eps = m->o.eps > 0 ? m->o.eps : m->eps0;
  m->eps0 = fmax(m->eps, m->eps0);
  m->share = m->o.delta > 0 ? m->o.delta / m->eps : 0.04;
  return PRI_OK;
}

pri_status pri_maid_create(pri_ctx *ctx, pri_maid **out, pri_lower *l, const double *theta, const pri_maid_opts *o) {
  pri_maid *m = *out = pri_calloc(ctx, 1, sizeof *m);
  if (!m) return pri_ctx_code(ctx);
  m->ctx = m->metric.ctx = ctx, m->l = l, m->o = *o, m->p = pri_lower_ntheta(l), m->m = pri_lower_samples(l), m->mn = m->m * pri_lower_size(l);
  if (m->o.metric == 0) m->o.metric = 1 + (m->o.search == PRI_MAID_PAPER ? PRI_METRIC_NONE : m->p <= PRI_LOWER_FEW && pri_lower_squared(l) ? PRI_METRIC_NEWTON : PRI_METRIC_LBFGS);
  pri_maid_fill(&m->o);
  m->omega = NAN, m->longest = INFINITY;
  pri_status s = make_room(ctx, m);
  if (s == PRI_OK) s = start(m, theta);
  if (s != PRI_OK) pri_maid_destroy(out);
  return s;
}

void pri_maid_destroy(pri_maid **out) {
  if (!out || !*out) return;
  pri_maid *m = *out;
  void *const all[] = {m->theta, m->trial, m->z, m->d, m->s, m->y, m->last_theta, m->last_z, m->lows, m->x, m->xt, m->q, m->w, m->e, m->et};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(m->ctx, all[i]);
  pri_metric_fini(&m->metric);
  pri_free(m->ctx, m);
  *out = NULL;
}
