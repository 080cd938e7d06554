/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_dfo.c - no gradients: Gauss-Newton steps on a linear model of the residuals through p + 1 points, in a trust region, with an accuracy that
 * follows the decrease the model promises (after Cartis, Fiala, Marteau, Roberts 2019; Ehrhardt, Roberts 2021). For few parameters; for comparison.
 *
 *   f = 1/(2m) sum_i r_i^2, r_i = root(2 g_i);   r(theta + s) ~ r + J s with J S = R, columns of S: y_j - theta, of R: r(y_j) - r(theta)
 *   s = argmin |r + J s| over |s| <= D, by (J'J + l I) s = -J'r;  pred = (|r|^2 - |r + J s|^2) / (2m)
 *   before a trial the intervals of f must be narrower than a fifth of pred;  ratio = (f - f+) / pred: theta moves where it is >= 0.1,
 *   D doubles where it is >= 0.7, halves where it is < 0.1;  the farthest point gives way to the trial
 *   points farther than 4 D, or a step that is refused: the farthest point is drawn anew, across the others
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "learn_method.h"
#include "learn_private.h"
#include "linalg.h"

enum { MOST = 10 /* parameters */, BISECTIONS = 40 };
static const double SHARE = 0.2, SMALLEST = 1e-7, FLOOR = 1e-13;

typedef struct keys {
  pri_method_keys common;
  double radius, last;
} keys;

static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "first accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-13, .max = 1e12, .def = NAN},
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN},
    {.name = "radius", .unit = "1", .help = "of the first trust region, in logarithms", .type = PRI_REAL, .offset = offsetof(keys, radius), .min = 1e-3, .max = 10, .def = 0.5},
    {.name = "last", .unit = "1", .help = "radius at which it ends", .type = PRI_REAL, .offset = offsetof(keys, last), .min = 1e-8, .max = 1, .def = 1e-4},
    {0}};

typedef struct dfo {
  pri_ctx *ctx;
  pri_lower *l;
  pri_method_box box;
  size_t p, images;
  ptrdiff_t m;
  double *theta, *trial, *e;       /* [p], [p], [m] */
  double *r, *rt;                  /* [m] residuals at theta, at the trial */
  double *Y, *R;                   /* [p][p] points, [p][m] their residuals */
  double *J, *A, *b;               /* [m][p]; [m + p][p], [m + p]: work */
  pri_real *x, *xt;                /* [m][n] */
  double eps, D, last, predicted;
  pri_interval f;
  long k, trials, failures, known, renew; /* known: points that have been looked at, -1: not even theta; renew: the next one is for the model */
} dfo;

static double square(const double *a, ptrdiff_t n) {
  double s = 0;
  for (ptrdiff_t i = 0; i < n; i++) s += a[i] * a[i];
  return s;
}

static double distance(const double *a, const double *b, size_t p) {
  double s = 0;
  for (size_t i = 0; i < p; i++) s += (a[i] - b[i]) * (a[i] - b[i]);
  return sqrt(s);
}

/* f and r at theta */
static pri_status look(dfo *d, const double *theta, pri_real *x, double *r, pri_interval *f) {
  PRI_TRY(pri_lower_look(d->l, theta, x, d->eps, d->e, f));
  d->trials++;
  if (pri_ctx_cancelled(d->ctx)) return PRI_FAIL(d->ctx, PRI_ECANCEL, "interrupted");
  if (!isfinite(f->high)) return PRI_OK;
  for (ptrdiff_t i = 0; i < d->m; i++) {
    const double g = d->l->fs[3 * i + 1] - d->l->fs[3 * i + 2]; /* of sample i, as computed */
    if (g < -1e-9 * fabs(d->l->fs[3 * i + 1])) return PRI_FAIL(d->ctx, PRI_EPARAM, "dfo: takes losses that are sums of squares; this one is %g for a sample: give --solver maid", g);
    r[i] = sqrt(2 * fmax(g, 0));
  }
  return PRI_OK;
}

static void clamp(const dfo *d, double *theta) {
  for (size_t i = 0; i < d->p; i++) theta[i] = fmin(fmax(theta[i], d->box.lo), d->box.hi);
}

static size_t farthest(const dfo *d) {
  size_t far = 0;
  for (size_t j = 1; j < d->p; j++)
    if (distance(d->Y + j * d->p, d->theta, d->p) > distance(d->Y + far * d->p, d->theta, d->p)) far = j;
  return far;
}

static void keep(dfo *d, size_t j, const double *theta, const double *r) {
  memcpy(d->Y + j * d->p, theta, d->p * sizeof *theta);
  memcpy(d->R + j * (size_t)d->m, r, (size_t)d->m * sizeof *r);
}

/* A point at distance D across the displacements of all others but j: the axis that is left longest by Gram and Schmidt */
static void across(dfo *d, size_t j) {
  const size_t p = d->p;
  double q[MOST][MOST], best[MOST] = {0}, most = -1;
  size_t n = 0;
  for (size_t a = 0; a < p; a++) {
    if (a == j) continue;
    for (size_t i = 0; i < p; i++) q[n][i] = d->Y[a * p + i] - d->theta[i];
    for (size_t b = 0; b < n; b++) {
      double dot = 0;
      for (size_t i = 0; i < p; i++) dot += q[n][i] * q[b][i];
      for (size_t i = 0; i < p; i++) q[n][i] -= dot * q[b][i];
    }
    const double norm = sqrt(square(q[n], (ptrdiff_t)p));
    for (size_t i = 0; i < p && norm > 0; i++) q[n][i] /= norm;
    n += norm > 0;
  }
  for (size_t axis = 0; axis < p; axis++) {
    double v[MOST] = {0};
    v[axis] = 1;
    for (size_t b = 0; b < n; b++)
      for (size_t i = 0; i < p; i++) v[i] -= q[b][axis] * q[b][i];
    const double norm = sqrt(square(v, (ptrdiff_t)p));
    if (norm > most) most = norm, memcpy(best, v, sizeof best);
  }
  for (int sign = 1; sign >= -1; sign -= 2) { /* the other way where the box ends */
    for (size_t i = 0; i < p; i++) d->trial[i] = d->theta[i] + sign * d->D * best[i] / fmax(most, 1e-300);
    clamp(d, d->trial);
    if (distance(d->trial, d->theta, p) > 0.5 * d->D) return;
  }
}

/* J from J S = R: rows of S' inverted one by one */
static pri_status model(dfo *d) {
  const size_t p = d->p;
  double S[MOST * MOST], unit[MOST], inverse[MOST];
  for (size_t j = 0; j < p; j++)
    for (size_t i = 0; i < p; i++) S[j * p + i] = d->Y[j * p + i] - d->theta[i];
  memset(d->J, 0, (size_t)d->m * p * sizeof *d->J);
  for (size_t j = 0; j < p; j++) { /* S a = e_j: a is column j of S^-1; J_i = sum_j (R_ji - r_i) a */
    memset(unit, 0, sizeof unit), unit[j] = 1;
    PRI_TRY(pri_linalg_lstsq(d->ctx, inverse, S, unit, (ptrdiff_t)p, (ptrdiff_t)p, NULL));
    for (ptrdiff_t i = 0; i < d->m; i++)
      for (size_t c = 0; c < p; c++) d->J[i * (ptrdiff_t)p + (ptrdiff_t)c] += (d->R[(ptrdiff_t)j * d->m + i] - d->r[i]) * inverse[c];
  }
  return PRI_OK;
}

/* s of damping l; *pred of it, within the box */
static pri_status damped(dfo *d, double l, double *s, double *pred) {
  const size_t p = d->p;
  double left = 0;
  memcpy(d->A, d->J, (size_t)d->m * p * sizeof *d->A);
  memset(d->A + (size_t)d->m * p, 0, p * p * sizeof *d->A), memset(d->b + d->m, 0, p * sizeof *d->b);
  for (ptrdiff_t i = 0; i < d->m; i++) d->b[i] = -d->r[i];
  for (size_t i = 0; i < p; i++) d->A[((size_t)d->m + i) * p + i] = sqrt(l);
  PRI_TRY(pri_linalg_lstsq(d->ctx, s, d->A, d->b, d->m + (ptrdiff_t)p, (ptrdiff_t)p, NULL));
  for (size_t i = 0; i < p; i++) d->trial[i] = d->theta[i] + s[i];
  clamp(d, d->trial);
  for (size_t i = 0; i < p; i++) s[i] = d->trial[i] - d->theta[i];
  for (ptrdiff_t i = 0; i < d->m; i++) {
    double v = d->r[i];
    for (size_t c = 0; c < p; c++) v += d->J[i * (ptrdiff_t)p + (ptrdiff_t)c] * s[c];
    left += v * v;
  }
  *pred = (square(d->r, d->m) - left) / (2 * (double)d->m);
  return PRI_OK;
}

static pri_status trust_region(dfo *d) {
  double s[MOST], low = 0, high = 0;
  for (int k = 0; k < BISECTIONS; k++) {
    const double l = k == 0 ? 0 : high == 0 ? fmax(16 * low, 1e-9 * square(d->J, d->m * (ptrdiff_t)d->p)) : sqrt(low * high);
    PRI_TRY(damped(d, l, s, &d->predicted));
    const int fits = sqrt(square(s, (ptrdiff_t)d->p)) <= d->D;
    if (fits && (k == 0 || (low > 0 && high > 0 && high < 1.1 * low))) return PRI_OK;
    if (fits) high = l;
    else low = l;
    if (fits && low == 0) low = l / 16;
  }
  return damped(d, high > 0 ? high : low, s, &d->predicted);
}

/* eps so that the intervals hide no more than SHARE of what is promised; theta again where it was looked at too coarsely */
static pri_status sharpen(dfo *d) {
  for (int k = 0; k < 8 && 2 * d->f.half > SHARE * d->predicted && d->eps > FLOOR; k++) {
    d->eps = fmax(d->eps * fmin(0.5, 0.9 * SHARE * d->predicted / (2 * d->f.half)), FLOOR);
    PRI_TRY(look(d, d->theta, d->x, d->r, &d->f));
    PRI_TRY(model(d));
    PRI_TRY(trust_region(d));
  }
  return PRI_OK;
}

/* The trial becomes theta, and theta a point of the model */
static void move(dfo *d, pri_interval f) {
  double *const theta = d->theta, *const r = d->r;
  pri_real *const x = d->x;
  const size_t far = farthest(d);
  keep(d, far, d->theta, d->r);
  d->theta = d->trial, d->trial = theta;
  d->r = d->rt, d->rt = r;
  d->x = d->xt, d->xt = x;
  d->f = f;
  d->k++;
}

static pri_status look_at_trial(dfo *d, pri_interval *f) {
  memcpy(d->xt, d->x, d->images);
  return look(d, d->trial, d->xt, d->rt, f);
}

/* A point for the model; where it happens to be better it is the next theta */
static pri_status extend(dfo *d, size_t j) {
  pri_interval f;
  across(d, j);
  PRI_TRY(look_at_trial(d, &f));
  if (!isfinite(f.high)) return d->D /= 2, PRI_OK;
  keep(d, j, d->trial, d->rt);
  if (d->known < (long)d->p) d->known++;
  d->renew = 0;
  if (d->known == (long)d->p && f.high < d->f.low) {
    keep(d, j, d->theta, d->r);
    double *const theta = d->theta, *const r = d->r;
    pri_real *const x = d->x;
    d->theta = d->trial, d->trial = theta, d->r = d->rt, d->rt = r, d->x = d->xt, d->xt = x, d->f = f, d->k++;
  }
  return PRI_OK;
}

static pri_status improve(dfo *d, pri_verdict *v) {
  pri_interval f;
  PRI_TRY(model(d));
  PRI_TRY(trust_region(d));
  const double reach = distance(d->trial, d->theta, d->p), spread = distance(d->Y + farthest(d) * d->p, d->theta, d->p);
  if (!(d->predicted > SMALLEST * d->f.high) || reach < 0.01 * d->D) {
    if (spread > 2 * d->D) return d->renew = 1, PRI_OK;
    d->D = fmin(d->D / 4, fmax(reach, d->D / 100));
    d->renew = 1;
    if (d->D < d->last) *v = PRI_CONVERGED;
    return PRI_OK;
  }
  PRI_TRY(sharpen(d));
  PRI_TRY(look_at_trial(d, &f));
  const double fall = pri_interval_computed(d->f) - pri_interval_computed(f), ratio = isfinite(f.high) ? fall / d->predicted : -1;
  if (ratio >= 0.1) {
    if (ratio >= 0.7) d->D = fmin(2 * d->D, 4);
    move(d, f);
    d->renew = distance(d->Y + farthest(d) * d->p, d->theta, d->p) > 4 * d->D;
    d->eps *= 2;
    return PRI_OK;
  }
  d->failures++;
  if (isfinite(f.high) && spread > reach) keep(d, farthest(d), d->trial, d->rt);
  if (spread > 2 * d->D) d->renew = 1;
  else d->D /= 2;
  if (d->D < d->last) *v = PRI_CONVERGED;
  return PRI_OK;
}

static pri_status first_look(dfo *d) {
  PRI_TRY(look(d, d->theta, d->x, d->r, &d->f));
  if (!isfinite(d->f.high)) return PRI_FAIL(d->ctx, PRI_ENUMERIC, "learn: the lower level is not finite at the parameters it starts from");
  for (size_t j = 0; j < d->p; j++) keep(d, j, d->theta, d->r);
  d->known = 0;
  return PRI_OK;
}

static pri_status step(void *priv, pri_method_report *r, pri_verdict *v) {
  dfo *d = priv;
  *v = PRI_GO;
  if (d->known < 0) PRI_TRY(first_look(d));
  else if (d->known < (long)d->p) PRI_TRY(extend(d, (size_t)d->known));
  else if (d->renew) PRI_TRY(extend(d, farthest(d)));
  else PRI_TRY(improve(d, v));
  *r = (pri_method_report){.k = d->k, .trials = d->trials, .failures = d->failures, .f = d->f, .last = d->f.high, .z = NAN, .omega = NAN, .eps = d->eps, .alpha = d->D,
                           .predicted = d->predicted, .work = pri_lower_work(d->l)};
  return PRI_OK;
}

static const double *theta(const void *d) { return ((const dfo *)d)->theta; }

static pri_status walk(void *priv, pri_walk *w) {
  dfo *d = priv;
  const size_t p = d->p * sizeof(double), m = (size_t)d->m * sizeof(double);
  pri_work work = pri_lower_work(d->l);
  double scalars[] = {d->eps, d->D, d->predicted, d->f.low, d->f.high, d->f.half, work.gradients, work.products, work.mixed};
  long counts[] = {d->k, d->trials, d->failures, d->known, d->renew};
  PRI_TRY(pri_walk_bytes(w, "theta", d->theta, p));
  PRI_TRY(pri_walk_bytes(w, "r", d->r, m));
  PRI_TRY(pri_walk_bytes(w, "points", d->Y, d->p * p));
  PRI_TRY(pri_walk_bytes(w, "residuals", d->R, d->p * m));
  PRI_TRY(pri_walk_bytes(w, "x", d->x, d->images));
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "counts", counts, sizeof counts));
  d->eps = scalars[0], d->D = scalars[1], d->predicted = scalars[2], d->f = (pri_interval){scalars[3], scalars[4], scalars[5]};
  d->k = counts[0], d->trials = counts[1], d->failures = counts[2], d->known = counts[3], d->renew = counts[4];
  pri_lower_set_work(d->l, (pri_work){scalars[6], scalars[7], scalars[8]});
  return PRI_OK;
}

static pri_method_claim claim(const void *of) { return (void)of, PRI_CLAIM_INTERVALS; }

static void destroy(void *priv) {
  dfo *d = priv;
  if (!d) return;
  void *const all[] = {d->theta, d->trial, d->e, d->r, d->rt, d->Y, d->R, d->J, d->A, d->b, d->x, d->xt};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(d->ctx, all[i]);
  pri_free(d->ctx, d);
}

static pri_status make(dfo *d, const double *theta_0, const keys *k) {
  const ptrdiff_t p = (ptrdiff_t)d->p, m = d->m, all = m * pri_lower_size(d->l);
  if (p > MOST) return PRI_FAIL(d->ctx, PRI_EPARAM, "dfo: %td parameters; up to %d are allowed: give --solver maid", p, MOST);
  double **const vectors[] = {&d->theta, &d->trial, &d->e, &d->r, &d->rt, &d->Y, &d->R, &d->J, &d->A, &d->b};
  const ptrdiff_t sizes[] = {p, p, m, m, m, p * p, p * m, m * p, (m + p) * p, m + p};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_ALLOC(d->ctx, *vectors[i], sizes[i]);
  PRI_ALLOC(d->ctx, d->x, all);
  PRI_ALLOC(d->ctx, d->xt, all);
  d->images = (size_t)all * sizeof *d->x, d->D = k->radius, d->last = k->last, d->predicted = NAN, d->known = -1;
  for (size_t i = 0; i < d->p; i++) d->theta[i] = fmin(fmax(theta_0[i], d->box.lo), d->box.hi);
  PRI_TRY(pri_lower_begin(d->l, d->theta, d->x, &d->eps));
  if (!isnan(k->common.eps)) d->eps = k->common.eps;
  return PRI_OK;
}

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of) {
  dfo *d = *out = pri_calloc(ctx, 1, sizeof *d);
  if (!d) return pri_ctx_code(ctx);
  d->ctx = ctx, d->l = l, d->box = box, d->p = pri_lower_ntheta(l), d->m = pri_lower_samples(l);
  const pri_status s = make(d, theta_0, of);
  if (s != PRI_OK) destroy(d), *out = NULL;
  return s;
}

const pri_method_class pri_method_dfo = {.kind = {.name = "dfo", .brief = "no gradients: models of the residuals in a trust region, dynamic accuracy; up to 10 parameters", .cite = "Ehrhardt, Roberts 2021", .size = sizeof(keys), .params = rows},
                                         .claim = claim, .create = create, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
