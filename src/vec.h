/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vec.h (k) - dense vectors: pri_real in, double out. Sums run over fixed blocks of 4096 elements that are added in index order,
   so that they have the same bits for any number of threads. Nothing here allocates. */
#ifndef PRI_VEC_H
#define PRI_VEC_H
#include <stddef.h>
#include "priori/context.h"
enum { PRI_VEC_BLOCK = 4096 };
/* sum over the elements of one block, [first, last); pure */
typedef double (*pri_sum_fn)(const void *arg, ptrdiff_t first, ptrdiff_t last);
double pri_sum(pri_ctx *ctx, ptrdiff_t n, pri_sum_fn fn, const void *arg);   /* any sum, same guarantee */
double pri_dot(pri_ctx *ctx, const pri_real *a, const pri_real *b, ptrdiff_t n);
double pri_norm2sq(pri_ctx *ctx, const pri_real *a, ptrdiff_t n);
double pri_dist2sq(pri_ctx *ctx, const pri_real *a, const pri_real *b, ptrdiff_t n);       /* |a - b|^2 */
double pri_vsum(pri_ctx *ctx, const pri_real *a, ptrdiff_t n);
double pri_vmax(const pri_real *a, ptrdiff_t n);                                           /* -INFINITY for n = 0 */
double pri_vmin(const pri_real *a, ptrdiff_t n);                                           /* INFINITY for n = 0 */
int pri_finite(pri_ctx *ctx, const pri_real *a, ptrdiff_t n);                              /* 1: all are */
void pri_scale(pri_ctx *ctx, pri_real *y, double a, ptrdiff_t n);                          /* y = a y */
void pri_axpy(pri_ctx *ctx, pri_real *y, double a, const pri_real *x, ptrdiff_t n);        /* y += a x */
void pri_axpby(pri_ctx *ctx, pri_real *y, double a, const pri_real *x, double b, ptrdiff_t n); /* y = a x + b y */
void pri_sub(pri_ctx *ctx, pri_real *d, const pri_real *a, const pri_real *b, ptrdiff_t n);    /* d = a - b */
void pri_copy(pri_ctx *ctx, pri_real *d, const pri_real *s, ptrdiff_t n);
void pri_fill(pri_ctx *ctx, pri_real *d, double v, ptrdiff_t n);
void pri_clip(pri_ctx *ctx, pri_real *x, double lo, double hi, ptrdiff_t n);
pri_real pri_real_below(double v);                                                         /* the largest pri_real that is not above v */
#endif
