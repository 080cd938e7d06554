/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_filters.h - the numbers of a field of experts: their file, how they begin, bounds. The correlations: src/filterbank.h.
 *
 *   theta = (log scale, log weights [K], log smoothings [K], taps [K][side][side])     (spec maid 6.3: 1 + 2 K + K side^2 numbers)
 *
 * A .prior file is a safetensors file with the tensors log_scale [1], log_weights [K], log_smoothings [K], filters [K, side, side], so theta in
 * this order, and a card: kind = "foe", potential = "smoothed-l1" or "log"; what else stands on it (sigma, hashes, training) is for people.
 * C_k is some rows F_k of a circular correlation of the image E x that goes on in a mirror, |E|^2 <= 4 (a pixel near a corner stands in 4 places):
 *   |sum_k v_k F_k'F_k| <= B = max over frequencies of sum_k v_k |c_k^|^2
 * a trigonometric polynomial of degree d = side - 1 along each axis: not above its largest value on N x N frequencies / cos^2(pi d / N) (Ehlich,
 * Zeller 1964), nor sum_k v_k |c_k|_1^2. So |sum_k v_k C_k'C_k| <= 4 B, proven; away from borders it is B, and near them hardly more, unless
 * the filters look sideways. Steps are made for the larger of B and what power iteration finds in a small image, an estimate.
 */
#ifndef PRI_FOE_FILTERS_H
#define PRI_FOE_FILTERS_H
#include "priori/prior.h"
enum { PRI_FOE_FILTERS = 512, PRI_FOE_SIDE = 31, PRI_FOE_BOUNDS = 2 };
typedef struct foe_filters {
  int count, side, log;             /* log: the potential nu^2/2 log(1 + t^2 / nu^2), not convex; else root(t^2 + nu^2) - nu */
  double *theta;                    /* owned by the prior */
} foe_filters;
ptrdiff_t pri_foe_ntheta(const foe_filters *f);
const double *pri_foe_taps(const foe_filters *f, int filter);
double pri_foe_weight(const foe_filters *f, int filter);    /* exp(log scale + log weight) */
double pri_foe_smoothing(const foe_filters *f, int filter); /* exp(log smoothing) */
int pri_foe_fits(const foe_filters *f, const double *theta); /* 1: all finite, logarithms in [-50, 50] */
/* EREAD, EFORMAT, EDATA: a value that is not finite, or a logarithm outside [-50, 50] */
PRI_MUST_CHECK pri_status pri_foe_load(pri_ctx *ctx, foe_filters *f, const char *file);
/* count and side are set: the cosines (DCT-II) without the constant, low frequencies first; R as of orthonormal ones of weight 1 */
PRI_MUST_CHECK pri_status pri_foe_cosines(pri_ctx *ctx, foe_filters *f, double smoothing);
/* normal taps of zero mean, variance 2 / (side^2 (1 + count)) before (Xavier), log weights -3 */
PRI_MUST_CHECK pri_status pri_foe_random(pri_ctx *ctx, foe_filters *f, double smoothing, uint64_t seed);
/* v: PRI_FOE_BOUNDS times [count] >= 0, a bound B each; peaks: [count], of each filter by itself */
PRI_MUST_CHECK pri_status pri_foe_bound(pri_ctx *ctx, const foe_filters *f, const double *v, double *bound, double *peaks);
#endif
