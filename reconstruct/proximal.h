/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proximal.h - the priors of a problem as proximal gradient methods use them: one by its prox (the one that is not smooth, else the
 * first that has a prox), the others by their gradient; no prior: the projection onto the box.
 * The dual variable of an iterative prox stays, as its warm start and for certificates.
 */
#ifndef PRI_PROXIMAL_H
#define PRI_PROXIMAL_H
#include "split.h"
typedef struct pri_proximal {
  int which;                   /* index of the prior taken by its prox; -1: none */
  long inner;
  double lipschitz;            /* sum over the smooth priors */
  int nR;
  pri_array smooth;            /* a gradient */
  pri_array *q, *w;            /* [nR] of every prior with a saddle form, else data NULL */
  pri_prox_cert *cert;         /* [items] */
} pri_proximal;
PRI_MUST_CHECK pri_status pri_proximal_init(pri_ctx *ctx, pri_proximal *p, const pri_split *s, long inner);
void pri_proximal_fini(pri_ctx *ctx, pri_proximal *p);
PRI_MUST_CHECK pri_status pri_proximal_walk(pri_walk *w, pri_proximal *p);
/* g += sum_s S_s'(y) */
PRI_MUST_CHECK pri_status pri_proximal_add_smooth(pri_ctx *ctx, pri_proximal *p, const pri_split *s, pri_real *g, const pri_real *y, ptrdiff_t first, ptrdiff_t items);
/* to = prox_{tau R, box}(from) */
PRI_MUST_CHECK pri_status pri_proximal_run(pri_ctx *ctx, pri_proximal *p, const pri_split *s, pri_real *to, const pri_real *from, double tau, ptrdiff_t first, ptrdiff_t items);
/* q of the smooth priors at x (that of the other one is always there): before a certificate is made */
PRI_MUST_CHECK pri_status pri_proximal_duals(pri_ctx *ctx, pri_proximal *p, const pri_split *s, const pri_real *x, ptrdiff_t first, ptrdiff_t items);
/* inner steps of the last run */
long pri_proximal_inner(const pri_proximal *p, ptrdiff_t item);
#endif
