/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_look.c - what methods of the upper level share: looking at a point that may be a bad one, and the first accuracy. */
#include <math.h>
#include "learn_private.h"

int pri_lower_finite(const pri_lower *l, const double *e) {
  for (ptrdiff_t i = 0; i < l->level.m; i++)
    if (!isfinite(e[i])) return 0;
  return 1;
}

pri_status pri_lower_look(pri_lower *l, const double *theta, pri_real *x, double eps, double *e, pri_interval *f) {
  *f = (pri_interval){INFINITY, INFINITY, INFINITY};
  pri_status s = pri_lower_theta(l, theta);
  if (s == PRI_OK) s = pri_lower_solve(l, x, eps, PRI_LOWER_MOST, e);
  if (s == PRI_OK && pri_lower_finite(l, e)) *f = pri_lower_interval(l, x, e);
  return s == PRI_ECANCEL || s == PRI_ENOMEM || s == PRI_EBUDGET ? s : PRI_OK;
}

double pri_lower_steepness(const pri_lower *l) { return sqrt(l->at.L / l->at.mu); }

double pri_interval_computed(pri_interval f) { return isfinite(f.high) ? f.high - f.half : INFINITY; }

pri_status pri_lower_begin(pri_lower *l, const double *theta, pri_real *x, double *eps) {
  PRI_TRY(pri_lower_theta(l, theta));
  const double far = pri_lower_start(l, x);
  *eps = 0.02 * far;
  if (*eps > 0 && isfinite(*eps)) return PRI_OK;
  return PRI_FAIL(l->ctx, PRI_ENUMERIC, "learn: the first gradient is %g: are the images constant, or not finite?", far);
}
