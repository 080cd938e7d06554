/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smooth_abs.h - the smoothed absolute value rho(t) = root(t^2 + nu^2) - nu of foe and smooth-tv, and the prox of its conjugate.
 *
 *   rho'(t) = t / root(t^2 + nu^2),  |rho''| <= 1 / nu,  |rho'''| <= 48 / (25 root(5)) / nu^2 (at t = nu / 2; spec maid 3)
 *   (V rho)*(q) = nu (V - root(V^2 - q^2)) over |q| <= V;  its prox by Moreau: t + (V / sigma) rho'(t) = q / sigma, then V rho'(t)
 */
#ifndef PRI_SMOOTH_ABS_H
#define PRI_SMOOTH_ABS_H
#include <float.h>
#include <math.h>
enum { PRI_SMOOTH_NEWTON = 40 };
#define PRI_SMOOTH_THIRD 0.85865010335992 /* 48 / (25 root(5)), rounded up */

static inline double pri_smooth_abs(double t, double nu) { return t * t / (sqrt(t * t + nu * nu) + nu); } /* root - nu without cancellation */
static inline double pri_smooth_slope(double t, double nu) { return t / sqrt(t * t + nu * nu); }

/* t >= 0 with t + a rho'(t) = y >= 0: Newton from below, where the left side is concave, so that the steps only grow */
static inline double pri_smooth_solve(double y, double a, double nu) {
  double t = fmax(y - a, y / (1 + a / nu));
  for (int j = 0; j < PRI_SMOOTH_NEWTON; j++) {
    const double root = sqrt(t * t + nu * nu), step = (y - t - a * t / root) / (1 + a * nu * nu / (root * root * root));
    t += step;
    if (!(step > 4 * DBL_EPSILON * t)) break;
  }
  return t;
}

/* prox of sigma (V rho)* at q >= 0; sigma = 0: to the nearest point of its domain */
static inline double pri_smooth_dual_prox(double q, double sigma, double V, double nu) {
  if (!(sigma > 0) || !(V > 0)) return fmin(q, V);
  return V * pri_smooth_slope(pri_smooth_solve(q / sigma, V / sigma, nu), nu);
}

/* (V rho)*(q), q >= 0; slack: how far rounding may have carried q beyond V, relative */
static inline double pri_smooth_conjugate(double q, double V, double nu, double slack) {
  const double square = (V - q) * (V + q);
  if (!(q <= V * (1 + slack))) return INFINITY;
  return q > 0 ? nu * q * q / (V + sqrt(square > 0 ? square : 0)) : 0;
}
#endif
