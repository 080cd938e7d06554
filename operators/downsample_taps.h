/* SPDX-License-Identifier: GPL-3.0-or-later */
/* downsample_taps.h - banded matrices along one axis, and the product of two of them with images. */
#ifndef PRI_DOWNSAMPLE_TAPS_H
#define PRI_DOWNSAMPLE_TAPS_H
#include "priori/array.h"
/* out_i = sum_{k < most} w[i most + k] in[first_i + k], i < rows; 0 <= first_i, first_i + most <= cols */
typedef struct pri_taps {
  ptrdiff_t rows, cols, most;
  ptrdiff_t *first;
  double *w;
} pri_taps;
typedef struct pri_taps_kernel {
  double (*at)(double t, double shape); /* of the distance in units of `scale` */
  double scale, shape, radius;          /* fine pixels; a parameter of `at`; it is 0 beyond radius fine pixels */
} pri_taps_kernel;
/* Every factor-th sample of the image behind the kernel, weights of sum 1, centres in the middle of `factor` pixels, reflected at the borders. */
PRI_MUST_CHECK pri_status pri_taps_create(pri_ctx *ctx, pri_taps *t, ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t factor, const pri_taps_kernel *kernel);
PRI_MUST_CHECK pri_status pri_taps_transpose(pri_ctx *ctx, pri_taps *t, const pri_taps *of);
/* rows first, first + step, ... (n of them) on the columns that they read; *from: the first of these */
PRI_MUST_CHECK pri_status pri_taps_part(pri_ctx *ctx, pri_taps *t, const pri_taps *of, ptrdiff_t first, ptrdiff_t n, ptrdiff_t step, ptrdiff_t *from);
void pri_taps_destroy(pri_ctx *ctx, pri_taps *t);
double pri_taps_norm2(const pri_taps *t); /* largest row sum of |A A'|: the square of a norm that is not below |A| */
/* out = Y in X' for each of `planes` images: in [y->cols][x->cols], out [y->rows][x->rows]; temp [y->cols x->rows] */
pri_status pri_taps_apply(pri_ctx *ctx, const pri_taps *y, const pri_taps *x, pri_real *out, const pri_real *in, ptrdiff_t planes, pri_real *temp);
pri_status pri_taps_apply_wide(pri_ctx *ctx, const pri_taps *y, const pri_taps *x, double *out, const double *in, ptrdiff_t planes, double *temp);
#endif
