/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * subsets.h - the rows of A and y in M interleaved parts along the slowest axis of y (views): subset j holds the views j, j + M,
 * j + 2 M, ...; and an order of visiting them in which neighbours in time are far apart in angle.
 */
#ifndef PRI_SUBSETS_H
#define PRI_SUBSETS_H
#include "split.h"

typedef struct pri_subset {
  pri_operator *A;
  pri_fidelity *fidelity;
  const pri_fidelity_class *f;
  const void *fp;
  pri_box box;
  pri_shape ran;
  ptrdiff_t m, at;             /* elements of an item; where it begins in an array that holds all subsets one behind the other */
  double share;                /* of the views: the M shares sum to 1 */
} pri_subset;
typedef struct pri_subsets {
  int n;
  pri_subset *s;               /* [n] */
  int *order;                  /* [n] */
  ptrdiff_t largest;           /* elements of the largest subset */
} pri_subsets;

/* wanted: clamped to the views; 0: 10, or fewer so that each holds at least 6 views. ENOTSUP where a part does not read the whole image. */
PRI_MUST_CHECK pri_status pri_subsets_init(pri_ctx *ctx, pri_subsets *s, const pri_split *split, long wanted);
void pri_subsets_fini(pri_ctx *ctx, pri_subsets *s);
/* z = A_j x; x = A_j' z. x: all items of the problem; z: subset-sized items, of which it begins at `first` as well */
PRI_MUST_CHECK pri_status pri_subset_apply(const pri_split *split, const pri_subset *s, pri_real *z, const pri_real *x, ptrdiff_t first, ptrdiff_t items);
PRI_MUST_CHECK pri_status pri_subset_adjoint(const pri_split *split, const pri_subset *s, pri_real *x, const pri_real *z, ptrdiff_t first, ptrdiff_t items);
/* The first n of 0, 1/2, 1/4, 3/4, ... turned into ranks: neighbours in the order are far apart. Exported for tests. */
void pri_spread_order(int *order, int n);
#endif
