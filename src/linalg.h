/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linalg.h (k) - small dense problems in double: least squares over LAPACKE, conjugate gradients on a function. */
#ifndef PRI_LINALG_H
#define PRI_LINALG_H
#include <stddef.h>
#include "priori/context.h"
/* x = argmin |A x - b|, A [m][n] in C order, m >= n >= 1, b [m], x [n]; the least norm where columns depend (LAPACK gelsd, rank
   cut at 1e-13). rank may be NULL. EPARAM, ENOMEM, ENUMERIC (A or b not finite), EEXTERN. Allocates (m + 1) n + m doubles */
PRI_MUST_CHECK pri_status pri_linalg_lstsq(pri_ctx *ctx, double *x, const double *A, const double *b, ptrdiff_t m, ptrdiff_t n, int *rank);
/* y = B x for a symmetric positive (semi)definite B, [n] each, no overlap */
typedef pri_status (*pri_linalg_fn)(void *arg, double *y, const double *x);
typedef struct pri_linalg_cg_opts { double tolerance; long steps; } pri_linalg_cg_opts; /* |b - B x| <= tolerance |b|; at most so many steps */
/* Conjugate gradients from the x given (Hestenes, Stiefel 1952). work: [3 n]. *steps: those done (may be NULL); *residual: |b - B x| / |b|
   by recursion (may be NULL). ENUMERIC: B is not positive along a direction. No allocation. */
PRI_MUST_CHECK pri_status pri_linalg_cg(pri_ctx *ctx, double *x, const double *b, ptrdiff_t n, pri_linalg_fn B, void *arg,
                                        const pri_linalg_cg_opts *opts, double *work, long *steps, double *residual);
#endif
