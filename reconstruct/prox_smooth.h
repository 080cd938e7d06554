/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prox_smooth.h - the prox of a prior that has a Lipschitz gradient and no prox of its own, to a gap of its own; see prox_smooth.c. */
#ifndef PRI_PROX_SMOOTH_H
#define PRI_PROX_SMOOTH_H
#include "split.h"
typedef struct pri_prox_smooth {
  pri_array old, v, g; /* [items]; v, g: of one */
  double *t;           /* [items] momentum */
} pri_prox_smooth;
int pri_prox_smooth_takes(const pri_prior_class *c);
PRI_MUST_CHECK pri_status pri_prox_smooth_init(pri_ctx *ctx, pri_prox_smooth *p, const pri_split *s);
void pri_prox_smooth_fini(pri_ctx *ctx, pri_prox_smooth *p);
PRI_MUST_CHECK pri_status pri_prox_smooth_walk(pri_prox_smooth *p, pri_walk *w);
/* Of item i: x = argmin_{lo <= x <= hi} |x - z|^2 / 2 + R(x), R = s->R[0], as req says; x: in and out where req->done > 0, else out.
   cert: the gap relative to the objective, an estimate in float; NAN where R is not known to be convex and x has come to rest.
   q: NULL, or the dual variable that belongs to x, once the gap is below req->tol. */
PRI_MUST_CHECK pri_status pri_prox_smooth_run(pri_ctx *ctx, pri_prox_smooth *p, const pri_split *s, ptrdiff_t i, pri_real *x, const pri_real *z, double lo, double hi,
                                              const pri_prox_req *req, pri_prox_cert *cert, pri_real *q);
#endif
