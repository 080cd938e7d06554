/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sums.h - reciprocal row sums 1 / (A 1) and column sums 1 / (A' 1) of a nonnegative operator; 0 where a sum is (next to) 0. */
#ifndef PRI_SUMS_H
#define PRI_SUMS_H
#include "priori/operator.h"
typedef struct pri_sums { pri_array row, column; } pri_sums; /* one item each */
PRI_MUST_CHECK pri_status pri_sums_init(pri_ctx *ctx, pri_sums *s, pri_operator *A);
void pri_sums_fini(pri_sums *s);
/* v[i][k] *= by[k] for every item */
void pri_sums_multiply(pri_real *v, const pri_real *by, ptrdiff_t n, ptrdiff_t items);
#endif
