/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv_term.h - what tv, huber_tv and tpv share: R(x) = sum_i phi_i(|(D x)_i|) with
 *
 *   phi_i(t) = w_i t^2 / (2 delta) for t <= delta, w_i (t - delta / 2) beyond;  delta = 0: w_i t;  delta = INFINITY: w_i t^2 / 2
 *   R(x)     = max_q <D x, q> - F*(q),  F*(q) = sum_i c_i / 2 |q_i|^2 over |q_i| <= w_i,  c_i = delta / w_i
 *              (INFINITY: c_i = 1 / w_i and no bound of |q_i|)
 *
 *   w_i = weight, or weight map_i (map: one value a pixel of one item). D: src/stencil.h.
 * All sums in double. The functions stand for the slots of priori/prior.h that have the same names.
 */
#ifndef PRI_TV_TERM_H
#define PRI_TV_TERM_H
#include "priori/prior.h"
#include "root.h"
#include "stencil.h"
typedef struct tv_term {
  pri_stencil s;
  double weight, delta; /* INFINITY: quadratic */
  const pri_real *map; /* borrowed; NULL: 1 */
} tv_term;
double pri_tv_curb(const tv_term *t, double w); /* c_i */
void pri_tv_value(pri_ctx *ctx, const tv_term *t, double *per_item, const pri_real *x, ptrdiff_t items);
void pri_tv_value_fields(pri_ctx *ctx, const tv_term *t, double *per_item, const pri_real *q, ptrdiff_t items);
void pri_tv_conjugate(pri_ctx *ctx, const tv_term *t, double *per_item, const pri_real *q, ptrdiff_t items);
void pri_tv_dual_prox(pri_ctx *ctx, const tv_term *t, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items);
void pri_tv_repair(pri_ctx *ctx, const tv_term *t, pri_real *q, ptrdiff_t items); /* |q_i| <= w_i in exact arithmetic */
void pri_tv_shapes(const tv_term *t, const pri_shape *dom, pri_shape *aux, pri_shape *dual, pri_bound *norm_k);
/* prox of tau R + box by FGP, one item; q: [nd n] in and out, the dual; scratch: pri_tv_prox_scratch */
size_t pri_tv_prox_scratch(const tv_term *t);
void pri_tv_prox(pri_ctx *ctx, const tv_term *t, pri_real *p, const pri_real *z, double lo, double hi, const pri_prox_req *req,
                 pri_prox_cert *cert, pri_real *q, void *scratch);
/* smallest weight for which a constant image minimises <g, x> + TV(x), from above: tv_constant.c. ENOMEM, EBUDGET */
PRI_MUST_CHECK pri_status pri_tv_constant_weight(pri_ctx *ctx, const tv_term *t, const pri_real *g, double *weight);
#endif
