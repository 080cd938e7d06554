/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_metric.c - d = B z from the pairs s = theta+ - theta, y = z+ - z of the steps taken (spec maid 7, change 4). Pairs of inexact gradients that
 * show no clear curvature, <s, y> <= 1e-3 |s||y|, are left out.
 *
 *   none     B = I                         adagrad  B = diag(sum over steps z_j^2)^(-1/2) (Duchi, Hazan, Singer 2011)
 *   bb       B = <s, y> / <y, y> (Barzilai, Borwein 1988, the shorter of the two)
 *   bfgs     B+ = (I - r s y') B (I - r y s') + r s s', r = 1 / <s, y>, from B = <s, y> / <y, y> of the first pair
 *   lbfgs    the same of the last pairs only, from <s, y> / <y, y> of the last one, by two loops (Nocedal 1980)
 *   newton   (G + r I)^-1, G: the Gauss-Newton matrix at this point (learn_tangent.c); few parameters. Where |d| would exceed the cap r is what holds
 *            it there, and the last pairs correct it as in lbfgs: a step along z far away, Newton's near the end (Levenberg 1944, Marquardt 1963)
 */
#include <math.h>
#include <string.h>
#include "learn.h"

double pri_metric_largest(const double *d, size_t p) {
  double most = 0;
  for (size_t i = 0; i < p; i++) most = fmax(most, fabs(d[i]));
  return most;
}

static double dot(const double *a, const double *b, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

static double *row(double *of, const pri_metric *m, long pair) { return of + (size_t)(pair % PRI_METRIC_PAIRS) * m->p; }

pri_status pri_metric_init(pri_ctx *ctx, pri_metric *m, pri_metric_kind kind, size_t p) {
  *m = (pri_metric){.ctx = ctx, .kind = kind, .p = p};
  if (kind == PRI_METRIC_BFGS && p > PRI_METRIC_DENSE)
    return PRI_FAIL(ctx, PRI_EPARAM, "metric=bfgs: %zu parameters are too many (it keeps %zu numbers; up to %d parameters): give metric=lbfgs", p, p * p, PRI_METRIC_DENSE);
  if (kind == PRI_METRIC_NEWTON && p > PRI_LOWER_FEW) return PRI_FAIL(ctx, PRI_EPARAM, "metric=newton: %zu parameters; up to %d are allowed: give metric=lbfgs", p, PRI_LOWER_FEW);
  const size_t rows = kind == PRI_METRIC_LBFGS || kind == PRI_METRIC_NEWTON ? PRI_METRIC_PAIRS : 1;
  m->count = kind == PRI_METRIC_BFGS ? p * p : kind == PRI_METRIC_NONE ? 1 : rows * p;
  PRI_ALLOC(ctx, m->s, (ptrdiff_t)m->count);
  PRI_ALLOC(ctx, m->y, (ptrdiff_t)m->count);
  return PRI_OK;
}

void pri_metric_fini(pri_metric *m) {
  pri_free(m->ctx, m->s);
  pri_free(m->ctx, m->y);
  m->s = m->y = NULL;
}

static void update(pri_metric *m, const double *s, const double *y, double sy) { /* s: B; y: B y */
  const size_t p = m->p;
  if (m->pairs == 0)
    for (size_t i = 0; i < p; i++)
      for (size_t j = 0; j < p; j++) m->s[i * p + j] = i == j ? sy / dot(y, y, p) : 0;
  for (size_t i = 0; i < p; i++) m->y[i] = dot(m->s + i * p, y, p);
  const double c = (1 + dot(y, m->y, p) / sy) / sy;
  for (size_t i = 0; i < p; i++)
    for (size_t j = 0; j < p; j++) m->s[i * p + j] += c * s[i] * s[j] - (s[i] * m->y[j] + m->y[i] * s[j]) / sy;
}

static void take(pri_metric *m, const double *s, const double *y, double sy) {
  if (m->kind == PRI_METRIC_BB) m->s[0] = sy / dot(y, y, m->p);
  else if (m->kind == PRI_METRIC_BFGS) update(m, s, y, sy);
  else memcpy(row(m->s, m, m->pairs), s, m->p * sizeof *s), memcpy(row(m->y, m, m->pairs), y, m->p * sizeof *y);
  m->pairs++;
}

void pri_metric_add(pri_metric *m, const double *s, const double *y) {
  const double sy = dot(s, y, m->p);
  if (m->kind == PRI_METRIC_NONE || m->kind == PRI_METRIC_ADAGRAD) return;
  if (sy > 1e-3 * sqrt(dot(s, s, m->p) * dot(y, y, m->p))) take(m, s, y, sy);
}

void pri_metric_see(pri_metric *m, const double *z) {
  for (size_t i = 0; m->kind == PRI_METRIC_ADAGRAD && i < m->p; i++) m->s[i] += z[i] * z[i];
}

void pri_metric_curve(pri_metric *m, const double *gram) {
  memcpy(m->gram, gram, m->p * m->p * sizeof *gram);
  m->has_gram = 1;
}

/* d = (G + r I)^-1 d by Cholesky; r is at least rounding's share of the trace, so that it is positive */
static void divide(const pri_metric *m, double *d, double r) {
  const size_t p = m->p;
  double c[PRI_LOWER_FEW][PRI_LOWER_FEW], trace = 0;
  for (size_t i = 0; i < p; i++) trace += m->gram[i * p + i];
  for (size_t i = 0; i < p; i++)
    for (size_t j = 0; j <= i; j++) {
      double v = m->gram[i * p + j] + (i == j ? r + 1e-6 * trace : 0);
      for (size_t k = 0; k < j; k++) v -= c[i][k] * c[j][k];
      c[i][j] = i == j ? sqrt(fmax(v, 1e-9 * trace)) : v / c[j][j];
    }
  for (size_t i = 0; i < p; i++) {
    for (size_t k = 0; k < i; k++) d[i] -= c[i][k] * d[k];
    d[i] /= c[i][i];
  }
  for (size_t i = p; i-- > 0;) {
    for (size_t k = i + 1; k < p; k++) d[i] -= c[k][i] * d[k];
    d[i] /= c[i][i];
  }
}

static void two_loops(const pri_metric *m, double *d, double r) {
  const long first = m->pairs > PRI_METRIC_PAIRS ? m->pairs - PRI_METRIC_PAIRS : 0;
  double a[PRI_METRIC_PAIRS];
  for (long k = m->pairs - 1; k >= first; k--) {
    const double *s = row(m->s, m, k), *y = row(m->y, m, k);
    a[k % PRI_METRIC_PAIRS] = dot(s, d, m->p) / dot(s, y, m->p);
    for (size_t i = 0; i < m->p; i++) d[i] -= a[k % PRI_METRIC_PAIRS] * y[i];
  }
  if (m->has_gram) divide(m, d, r);
  else if (m->pairs > 0) { /* <s, y> / <y, y> of the last pair */
    const double *s = row(m->s, m, m->pairs - 1), *y = row(m->y, m, m->pairs - 1), scale = dot(s, y, m->p) / dot(y, y, m->p);
    for (size_t i = 0; i < m->p; i++) d[i] *= scale;
  }
  for (long k = first; k < m->pairs; k++) {
    const double *s = row(m->s, m, k), *y = row(m->y, m, k), b = dot(y, d, m->p) / dot(s, y, m->p);
    for (size_t i = 0; i < m->p; i++) d[i] += (a[k % PRI_METRIC_PAIRS] - b) * s[i];
  }
}

/* The least r for which no parameter moves by more than cap */
static void shorten(const pri_metric *m, double *d, const double *z, double cap) {
  double low = 0, high = 0;
  for (int k = 0; k < 60; k++) {
    const double r = k == 0 ? 0 : high == 0 ? fmax(4 * low, 1e-6 * pri_metric_largest(z, m->p) / cap) : (low + high) / 2;
    memcpy(d, z, m->p * sizeof *d);
    two_loops(m, d, r);
    const int fits = pri_metric_largest(d, m->p) <= cap;
    if (k == 0 && fits) return;
    if (fits) high = r;
    else low = r;
    if (fits && (high - low <= 0.01 * high)) return;
  }
}

static void apply(const pri_metric *m, double *d, const double *z, double cap) {
  memcpy(d, z, m->p * sizeof *d);
  if (m->kind == PRI_METRIC_LBFGS) two_loops(m, d, 0);
  if (m->kind == PRI_METRIC_NEWTON && m->has_gram) shorten(m, d, z, cap);
  if (m->kind == PRI_METRIC_ADAGRAD)
    for (size_t i = 0; i < m->p; i++) d[i] = m->s[i] > 0 ? z[i] / sqrt(m->s[i]) : 0;
  if (m->kind == PRI_METRIC_BB && m->pairs > 0)
    for (size_t i = 0; i < m->p; i++) d[i] *= m->s[0];
  if (m->kind == PRI_METRIC_BFGS && m->pairs > 0)
    for (size_t i = 0; i < m->p; i++) d[i] = dot(m->s + i * m->p, z, m->p);
}

void pri_metric_direct(pri_metric *m, double *d, const double *z, const pri_metric_where *at) {
  apply(m, d, z, at->cap);
  for (size_t i = 0; i < m->p; i++)
    if ((at->theta[i] <= at->lo && d[i] > 0) || (at->theta[i] >= at->hi && d[i] < 0)) d[i] = 0;
  if (dot(z, d, m->p) > 1e-3 * sqrt(dot(z, z, m->p) * dot(d, d, m->p))) return;
  pri_metric_forget(m);
  for (size_t i = 0; i < m->p; i++) d[i] = (at->theta[i] <= at->lo && z[i] > 0) || (at->theta[i] >= at->hi && z[i] < 0) ? 0 : z[i];
}

int pri_metric_scaled(const pri_metric *m) { return m->pairs > 0 || m->has_gram; }
void pri_metric_forget(pri_metric *m) { m->pairs = 0, m->has_gram = 0; }

pri_status pri_metric_walk(pri_metric *m, pri_walk *w) {
  PRI_TRY(pri_walk_bytes(w, "pairs", &m->pairs, sizeof m->pairs));
  PRI_TRY(pri_walk_bytes(w, "gram", m->gram, sizeof m->gram));
  PRI_TRY(pri_walk_bytes(w, "has gram", &m->has_gram, sizeof m->has_gram));
  PRI_TRY(pri_walk_bytes(w, "s", m->s, m->count * sizeof *m->s));
  return pri_walk_bytes(w, "y", m->y, m->count * sizeof *m->y);
}
