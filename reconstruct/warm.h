/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warm.h - the first passes of a primal-dual solver by os-fista, where that can take the problem (sums of several priors without a
 * gradient, or a ball, it cannot: the start is cold then). Each item is in its own phase.
 */
#ifndef PRI_WARM_H
#define PRI_WARM_H
#include "saddle.h"
typedef struct pri_warm {
  const pri_solver_class *cls; /* os-fista; NULL: none */
  void *priv;
  long passes, *done;          /* [items] */
} pri_warm;
PRI_MUST_CHECK pri_status pri_warm_init(pri_ctx *ctx, pri_warm *w, const char *solver, long passes, const pri_split *s, const pri_array *x0);
void pri_warm_fini(pri_ctx *ctx, pri_warm *w);
PRI_MUST_CHECK pri_status pri_warm_walk(pri_ctx *ctx, pri_warm *w, const pri_split *s, pri_walk *walk);
int pri_warm_is_on(const pri_warm *w, ptrdiff_t item);
/* one pass of these items, all of them in the warm phase; v.x is their image afterwards */
PRI_MUST_CHECK pri_status pri_warm_step(pri_ctx *ctx, pri_warm *w, pri_point *v, const pri_split *s, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item);
/*
 * The point from which one item goes on: v.x as it is, v.z = A x (one application, counted, unless x = 0), and after a warm phase
 * p = f'(A x) and q from the last prox (smooth priors: about their gradient). Without one p and q stay 0.
 */
PRI_MUST_CHECK pri_status pri_warm_finish(pri_ctx *ctx, pri_warm *w, pri_point *v, const pri_split *s, ptrdiff_t item, pri_report *rep);
#endif
