/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_tgv.h - smoothed total generalised variation over X = (x, v): an image [n] and the fields [nd][n] behind it. */
#ifndef PRI_LEARN_TGV_H
#define PRI_LEARN_TGV_H
#include "priori/prior.h"
#include "sym_fields.h"
enum { PRI_LEARN_TGV_THETA = 3 };
typedef struct pri_learn_tgv {
  pri_stencil s;
  double a[2], nu, bend;         /* weights of |D x - v| and |E v|; smoothing; > 0 */
} pri_learn_tgv;
extern const pri_learnable pri_learn_tgv_face; /* priv: pri_learn_tgv; x, v and cache of one item, images of (1 + nd) n */
size_t pri_learn_tgv_scratch(const pri_learn_tgv *v);
/* g = grad R(X); kept: room of the cache */
PRI_MUST_CHECK pri_status pri_learn_tgv_grad(pri_ctx *ctx, const pri_learn_tgv *v, pri_real *g, const pri_real *X, pri_real *kept, void *scratch);
PRI_MUST_CHECK pri_status pri_learn_tgv_value(pri_ctx *ctx, const pri_learn_tgv *v, double *R, const pri_real *X, pri_real *kept);
#endif
