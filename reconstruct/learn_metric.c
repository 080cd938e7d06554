/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_metric.c - d = B z by the two loops of L-BFGS over the last pairs s = theta+ - theta, y = z+ - z (Nocedal 1980); pairs of inexact
   gradients that show no clear curvature are left out (spec maid 7, change 4). */
#include <math.h>
#include <string.h>
#include "learn.h"

static double dot(const double *a, const double *b, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

static double *row(double *of, const pri_metric *m, long pair) { return of + (size_t)(pair % PRI_METRIC_PAIRS) * m->p; }

void pri_metric_add(pri_metric *m, const double *s, const double *y) {
  const double sy = dot(s, y, m->p);
  if (!(sy > 1e-3 * sqrt(dot(s, s, m->p) * dot(y, y, m->p)))) return;
  memcpy(row(m->s, m, m->pairs), s, m->p * sizeof *s);
  memcpy(row(m->y, m, m->pairs), y, m->p * sizeof *y);
  m->pairs++;
}

void pri_metric_apply(const pri_metric *m, double *d, const double *z) {
  const long first = m->pairs > PRI_METRIC_PAIRS ? m->pairs - PRI_METRIC_PAIRS : 0;
  double a[PRI_METRIC_PAIRS];
  memcpy(d, z, m->p * sizeof *d);
  for (long k = m->pairs - 1; k >= first; k--) {
    const double *s = row(m->s, m, k), *y = row(m->y, m, k);
    a[k % PRI_METRIC_PAIRS] = dot(s, d, m->p) / dot(s, y, m->p);
    for (size_t i = 0; i < m->p; i++) d[i] -= a[k % PRI_METRIC_PAIRS] * y[i];
  }
  if (m->pairs > 0) { /* <s, y> / <y, y> of the last pair */
    const double *s = row(m->s, m, m->pairs - 1), *y = row(m->y, m, m->pairs - 1), scale = dot(s, y, m->p) / dot(y, y, m->p);
    for (size_t i = 0; i < m->p; i++) d[i] *= scale;
  }
  for (long k = first; k < m->pairs; k++) {
    const double *s = row(m->s, m, k), *y = row(m->y, m, k), b = dot(y, d, m->p) / dot(s, y, m->p);
    for (size_t i = 0; i < m->p; i++) d[i] += (a[k % PRI_METRIC_PAIRS] - b) * s[i];
  }
}
