/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_basis.c - basis=cosines of foe: what is learned are coefficients a_f of the filters on orthonormal cosines b_f without the constant,
 *
 *   c_k = sum_{f != 0} s_f a_kf b_f,  s_f = 4 |f| / side             da_kf = s_f <b_f, dc_k>
 *
 * so that filters keep a mean of 0, and a step along a low frequency, to which images answer with about 1 / |f|, is as careful as along a high one:
 * steepest descent, L-BFGS and Adam all see a better conditioned problem. The coefficient of the constant moves nothing.
 */
#include <math.h>
#include <string.h>
#include "foe.h"

static const double PI = 3.14159265358979323846;
enum { MOST = PRI_FOE_SIDE * PRI_FOE_SIDE };

static double scale(int side, int f) { return 4 * hypot(f / side, f % side) / side; }

double pri_foe_reach(const foe *v) { return v->basis ? 4 * sqrt(2.0) * (v->f.side - 1) / v->f.side : 1; }

/* wave[f][x]: cosines of one axis, DCT-II */
static void waves(double *wave, int side) {
  for (int f = 0; f < side; f++)
    for (int x = 0; x < side; x++) wave[f * side + x] = cos(PI * (x + 0.5) * f / side) * sqrt((f ? 2.0 : 1.0) / side);
}

/* out = W in V', W = wave or its transpose */
static void both_axes(double *out, const double *in, const double *wave, int side, int transposed) {
  double half[MOST];
  const int row = transposed ? 1 : side, col = transposed ? side : 1;
  for (int a = 0; a < side; a++)
    for (int x = 0; x < side; x++) {
      half[a * side + x] = 0;
      for (int y = 0; y < side; y++) half[a * side + x] += wave[a * row + y * col] * in[y * side + x];
    }
  for (int a = 0; a < side; a++)
    for (int b = 0; b < side; b++) {
      double sum = 0;
      for (int x = 0; x < side; x++) sum += half[a * side + x] * wave[b * row + x * col];
      out[a * side + b] = sum;
    }
}

/* of every filter, in place: taps = sum_f s_f a_f b_f */
void pri_foe_taps_of(const foe *v, double *taps, const double *a) {
  double wave[MOST], scaled[MOST];
  const int side = v->f.side, n = side * side;
  waves(wave, side);
  for (int k = 0; k < v->f.count; k++, taps += n, a += n) {
    for (int f = 0; f < n; f++) scaled[f] = scale(side, f) * a[f];
    both_axes(taps, scaled, wave, side, 1);
  }
}

/* a_f = <b_f, taps> times s_f (of gradients) or over it; 0 for the constant */
void pri_foe_cosines_of(const foe *v, double *a, const double *taps, int gradient) {
  double wave[MOST], out[MOST];
  const int side = v->f.side, n = side * side;
  waves(wave, side);
  for (int k = 0; k < v->f.count; k++, taps += n, a += n) {
    both_axes(out, taps, wave, side, 0);
    a[0] = 0;
    for (int f = 1; f < n; f++) a[f] = gradient ? out[f] * scale(side, f) : out[f] / scale(side, f);
  }
}
