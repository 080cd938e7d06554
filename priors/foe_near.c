/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_near.c - how large J = d grad R / d theta of foe is at x, and how fast it changes within a distance e of x. n_k = |phi'_k|, p_k = |psi_k|,
 * c_k = |phi''_k| as vectors of responses at x, m_k >= |C_k|, s = side, X = max|x|; columns of J and what bounds them (V_k = weight W_k):
 *
 *   log scale    sum of those of the weights      |C| root(sum_k V_k^2 n_k^2)
 *   log weight   V_k C_k'phi'                     V_k m_k n_k
 *   log nu       V_k C_k'psi                      V_k m_k p_k
 *   taps, d (of length 1, or, for other bases, of |d taps / d theta|)
 *   taps, d      V_k (D'phi' + C_k'(phi'' D x))   V_k s |d| (2 n_k + m_k X c_k):  |D| <= 2 |d|_1 <= 2 s |d|, |D x| <= s |d| X everywhere
 *
 * |J|^2 is not above the sum of the squares of these. With t - t' <= m_k |x - x'|, P2 = max|phi''|, P3 = max|phi'''|, P = max|psi'| and X' = X + e,
 * the Lipschitz constants of the same are  L,  V_k m_k^2 P2,  V_k m_k^2 P,  V_k s m_k (4 P2 + m_k X' P3);
 * 2 is what a mirror adds to a norm at most, and m_k holds it already.
 */
#include <math.h>
#include <string.h>
#include "foe.h"
#include "smooth_abs.h"
#include "vec.h"

static const double LARGEST = 4 /* of L that is proven, in estimates */, LOG_THIRD = 1.4572, LOG_PSI_SLOPE = 0.7581; /* of psi' = 2 z^2 (3 - z^2) / (1 + z^2)^3, at z^2 = 4 - root(13) */

struct measuring { const foe *v; double *sums; }; /* [strips][count][3]: squares of phi', psi, phi'' */

static void add_squares(const void *arg, const pri_filterbank_tile *t, void *r, void *none) {
  const struct measuring *j = arg;
  const foe *v = j->v;
  const double *at = r;
  (void)none;
  for (int k = 0; k < v->f.count; k++, at += t->pitch) {
    const double nu = pri_foe_smoothing(&v->f, k);
    double *to = j->sums + (t->strip * v->f.count + k) * 3;
    for (int i = 0; i < t->n; i++) {
      const double z = at[i] / nu, s = 1 + z * z, slope = v->f.log ? at[i] / s : z / sqrt(s), curve = v->f.log ? (2 - s) / (s * s) : 1 / (nu * s * sqrt(s));
      const double psi = (v->f.log ? slope : 0) - at[i] * curve;
      to[0] += slope * slope, to[1] += psi * psi, to[2] += curve * curve;
    }
  }
}

static double square(double a) { return a * a; }

pri_status pri_foe_near(pri_ctx *ctx, const void *priv, const pri_real *x, double radius, pri_bound *lip_mixed, pri_bound *norm_mixed, void *scratch) {
  const foe *v = priv;
  const foe_rooms rooms = pri_foe_rooms(v, scratch);
  const ptrdiff_t strips = pri_filterbank_strips(&v->wide, 0);
  const int count = v->f.count;
  const double X = fmax(fabs(pri_vmax(x, v->n)), fabs(pri_vmin(x, v->n))), side = v->f.side * pri_foe_reach(v);
  double norm = 0, lip = square(LARGEST * v->weight * v->curvature), slopes = 0;
  memset(rooms.sums, 0, (size_t)strips * (size_t)count * 3 * sizeof *rooms.sums);
  pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &v->wide, .x = x, .fn = add_squares, .arg = &(struct measuring){v, rooms.sums}, .scratch = rooms.strips});
  for (int k = 0; k < count; k++) {
    double sum[3] = {0};
    for (ptrdiff_t s = 0; s < strips; s++)
      for (int i = 0; i < 3; i++) sum[i] += rooms.sums[(s * count + k) * 3 + i];
    const double V = pri_foe_gain(v, k), m2 = v->peaks[k], m = sqrt(m2), nu = pri_foe_smoothing(&v->f, k);
    const double second = v->f.log ? 1 : 1 / nu, third = v->f.log ? LOG_THIRD / nu : PRI_SMOOTH_THIRD / (nu * nu), psi = v->f.log ? LOG_PSI_SLOPE : 1 / nu;
    slopes += square(V) * sum[0];
    norm += square(V) * (m2 * (sum[0] + sum[1]) + square(side * (2 * sqrt(sum[0]) + m * X * sqrt(sum[2]))));
    lip += square(V) * (m2 * m2 * (square(second) + square(psi)) + m2 * square(side * (4 * second + m * (X + radius) * third)));
  }
  norm += v->norm2 * slopes;
  *norm_mixed = (pri_bound){sqrt(norm) * (1 + 1e-9), PRI_PROVEN}; /* rounding of the sums */
  *lip_mixed = (pri_bound){sqrt(lip) * (1 + 1e-9), PRI_PROVEN};
  return PRI_OK;
}
