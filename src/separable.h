/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * separable.h (k) - y = (M_z x M_y x M_x) x, one short convolution along each axis, directly: for few taps several times faster than FFT.
 *
 *   (M_a v)_i = sum_t g_t v_src(i + t), t < k, i < r; src: [r + k - 1] elements of the d along the axis, -1: zero outside
 *
 * The transpose is exact: along y and z both directions are rows of one sparse matrix and of its transpose, along x sums are folded back.
 * Non-negative taps give non-negative results. Sums run in the order of the taps for every element by itself: the same bits for any number of
 * threads, for an item alone and in a stack; levels of SIMD differ in nothing either (no fused multiply-add).
 */
#ifndef PRI_SEPARABLE_H
#define PRI_SEPARABLE_H
#include <stddef.h>
#include "priori/context.h"
typedef struct pri_taps {  /* one axis */
  ptrdiff_t d, r, k;
  const double *g;         /* [k] */
  const ptrdiff_t *src;    /* [r + k - 1] */
} pri_taps;
typedef struct pri_separable pri_separable;
PRI_MUST_CHECK pri_status pri_separable_create(pri_ctx *ctx, pri_separable **out, const pri_taps axis[3]); /* z, y, x; copied */
void pri_separable_destroy(pri_separable **s);
size_t pri_separable_scratch(const pri_separable *s);
/* transpose 0: out [items][r], in [items][d]; 1: the other way round. Cannot fail. */
void pri_separable_run(pri_ctx *ctx, const pri_separable *s, int transpose, pri_real *out, const pri_real *in, ptrdiff_t items, void *scratch);
/* out_i = sum_t w_t rows_t[i], i < n, t < m: separable_rows.c, once a level */
typedef void (*pri_weighted_rows)(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t n);
void pri_weighted_rows_c(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t n);
void pri_weighted_rows_avx2(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t n);
void pri_weighted_rows_avx512(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t n);
#endif
