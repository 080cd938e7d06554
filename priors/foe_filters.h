/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_filters.h - the filters of a field of experts: their file, their correlations with an image, and bounds.
 *
 *   theta = (log scale, log weights [K], log smoothings [K], taps [K][side][side])     (spec maid 6.3: 1 + 2 K + K side^2 numbers)
 *   (C_k x)_i = sum_u c_k,u x_{i + u - h},  h = (side - 1) / 2 rounded down, where the filter lies inside the plane; else 0
 *
 * A .prior file is a safetensors file with the tensors log_scale [1], log_weights [K], log_smoothings [K], filters [K, side, side], so theta in
 * this order, and a card: kind = "foe", potential = "smoothed-l1"; what else stands on it (sigma, hashes, training) is for people.
 * C_k is some rows of a circular correlation: |sum_k v_k C_k'C_k| <= max over frequencies of sum_k v_k |c_k^|^2, a trigonometric polynomial of
 * degree d = side - 1 along each axis: not above its largest value on N x N frequencies / cos^2(pi d / N) (Ehlich, Zeller 1964), nor
 * sum_k v_k |c_k|_1^2.
 */
#ifndef PRI_FOE_FILTERS_H
#define PRI_FOE_FILTERS_H
#include "priori/prior.h"
enum { PRI_FOE_FILTERS = 512, PRI_FOE_SIDE = 31 };
typedef struct foe_filters {
  int count, side;
  double *theta;                    /* owned by the prior */
  ptrdiff_t planes, ny, nx, n;      /* of one image */
} foe_filters;
ptrdiff_t pri_foe_ntheta(const foe_filters *f);
const double *pri_foe_taps(const foe_filters *f, int filter);
double pri_foe_weight(const foe_filters *f, int filter);    /* exp(log scale + log weight) */
double pri_foe_smoothing(const foe_filters *f, int filter); /* exp(log smoothing) */
/* EREAD, EFORMAT, EDATA: a value that is not finite, or a logarithm outside [-50, 50] */
PRI_MUST_CHECK pri_status pri_foe_load(pri_ctx *ctx, foe_filters *f, const char *file);
PRI_MUST_CHECK pri_status pri_foe_cosines(pri_ctx *ctx, foe_filters *f, double smoothing);   /* the 8 cosine filters of 3 x 3 without the constant, weights 1 */
PRI_MUST_CHECK pri_status pri_foe_bound(pri_ctx *ctx, const foe_filters *f, const double *v, double *bound); /* v: [count] >= 0 */
int pri_foe_inside(const foe_filters *f, ptrdiff_t i);      /* 1: pixel i of an image has a response */
void pri_foe_apply(pri_ctx *ctx, const foe_filters *f, int filter, pri_real *r, const pri_real *x);            /* r = C_k x */
void pri_foe_adjoint(pri_ctx *ctx, const foe_filters *f, int filter, pri_real *x, const pri_real *r);          /* x += C_k'r; r where no response is counts as 0 */
void pri_foe_adjoint_wide(pri_ctx *ctx, const foe_filters *f, int filter, double *x, const pri_real *r);
#endif
