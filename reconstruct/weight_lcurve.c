/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight_lcurve.c - the corner of the L-curve: the point of largest curvature of (log |r|^2, log R(x)) over log w.
 *
 *   kappa = (u' v'' - u'' v') / (u'^2 + v'^2)^(3/2),  u = log |r|^2, v = log R        Hansen, O'Leary 1993, eq. 18
 *
 * u and v on cubic splines (GSL) over 10 weights in factors of 2 from 4 times the scale of the noise down, or until nearly
 * all noise is followed; the derivatives are the splines'. The largest positive kappa inside is the corner; where there is
 * none (kappa nowhere positive, or largest at an end, as often where A = I and the residual goes to 0 with the weight) the
 * answer is not plain, and of the weights tested that of the least prediction error is taken. On pictures it loses dBs
 * against the other methods (bench/weights).
 */
#include "weight_path.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_interp.h>
#include <gsl/gsl_spline.h>
#include <math.h>

enum { POINTS = 10, FINE = 20 /* points between two weights */ };

struct curves {
  gsl_spline *u, *v;
  gsl_interp_accel *a;
};

static double curvature(const struct curves *c, double x) {
  const double u1 = gsl_spline_eval_deriv(c->u, x, c->a), v1 = gsl_spline_eval_deriv(c->v, x, c->a);
  const double u2 = gsl_spline_eval_deriv2(c->u, x, c->a), v2 = gsl_spline_eval_deriv2(c->v, x, c->a);
  return (u1 * v2 - u2 * v1) / pow(u1 * u1 + v1 * v1, 1.5);
}

static void curves_free(struct curves *c) {
  if (c->u) gsl_spline_free(c->u);
  if (c->v) gsl_spline_free(c->v);
  if (c->a) gsl_interp_accel_free(c->a);
}

/* points come from strong to weak */
static int curves_of(const pri_weight_path *p, struct curves *c) {
  double x[PRI_WEIGHT_TESTS], u[PRI_WEIGHT_TESTS], v[PRI_WEIGHT_TESTS];
  const size_t n = (size_t)p->n;
  *c = (struct curves){0};
  for (int i = 0; i < p->n; i++) {
    const pri_weight_point *at = &p->at[p->n - 1 - i];
    x[i] = log(at->weight), u[i] = log(at->misfit), v[i] = log(at->prior);
    if (!isfinite(u[i]) || !isfinite(v[i])) return 0;
  }
  if (n < 4) return 0;
  c->u = gsl_spline_alloc(gsl_interp_cspline, n), c->v = gsl_spline_alloc(gsl_interp_cspline, n),
  c->a = gsl_interp_accel_alloc();
  return c->u && c->v && c->a && gsl_spline_init(c->u, x, u, n) == GSL_SUCCESS && gsl_spline_init(c->v, x, v, n) == GSL_SUCCESS;
}

static void score(pri_weight_path *p) {
  struct curves c;
  const int ok = curves_of(p, &c);
  for (int i = 0; i < p->n; i++) p->at[i].value = ok ? curvature(&c, log(p->at[i].weight)) : 0;
  curves_free(&c);
}

static int enough(const pri_weight_path *p, int rises) {
  (void)rises;
  return p->n == POINTS || p->at[p->n - 1].followed > 0.95;
}

/* least prediction error, as weight_gcv.c has it */
static double predicted(const pri_weight_path *p) {
  double least = INFINITY, at = p->at[0].weight;
  for (int i = 0; i < p->n; i++) {
    const double left = 1 - p->at[i].followed, v = left > 0 ? p->at[i].misfit / (left * left) : INFINITY;
    if (v < least) least = v, at = p->at[i].weight;
  }
  return at;
}

static double choose(pri_weight_path *p) {
  struct curves c;
  double best = 0, corner = NAN;
  const int ok = curves_of(p, &c), n = p->n < 2 ? 0 : FINE * (p->n - 3);
  const double low = log(p->at[p->n - 1].weight), high = log(p->at[0].weight), each = (high - low) / (p->n - 1);
  for (int i = 0; ok && i <= n; i++) { /* the outermost intervals are left out: natural splines have no curvature there */
    const double x = low + each + i * (high - low - 2 * each) / n, k = curvature(&c, x);
    if (k > best) best = k, corner = i > 0 && i < n ? x : NAN;
  }
  curves_free(&c);
  p->out->plain = isfinite(corner);
  return p->out->plain ? exp(corner) : predicted(p);
}

const pri_weight_rule pri_weight_rule_lcurve = {.name = "lcurve",
                                                .figure = "curvature of the L-curve",
                                                .wants_prior = 1,
                                                .score = score,
                                                .enough = enough,
                                                .choose = choose};
