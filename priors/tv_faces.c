/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tv_faces.c - see tv_faces.h. */
#include "tv_faces.h"
#include <math.h>

static const tv_faces *of(const void *priv) { return priv; }

pri_status pri_tv_faces_init(pri_ctx *ctx, tv_faces *f, const char *who, const pri_meta *meta, const pri_shape *dom) {
  f->who = who, f->dom = *dom;
  return pri_stencil_init_coupled(ctx, who, &f->t.s, meta, dom, f->coupled);
}

size_t pri_tv_faces_scratch(const void *priv) { return pri_tv_prox_scratch(&of(priv)->t); }

void pri_tv_faces_halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = of(priv)->coupled && a == 0 ? -1 : 1;
}

pri_status pri_tv_faces_scale(pri_ctx *ctx, void *priv, double factor) {
  tv_faces *f = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "%s: the weight cannot be multiplied by %g; give a number >= 0", f->who, factor);
  f->t.weight *= factor;
  return PRI_OK;
}

pri_status pri_tv_faces_value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch) {
  (void)scratch;
  pri_tv_value(ctx, &of(priv)->t, per_item, x, items);
  return PRI_OK;
}

pri_status pri_tv_faces_prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi, const pri_prox_req *req,
                             pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch) {
  const tv_term *t = &of(priv)->t;
  (void)w;
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "%s: prox with tau=%g; give a number > 0", of(priv)->who, req->tau);
  for (ptrdiff_t i = 0; i < items; i++)
    pri_tv_prox(ctx, t, p + i * t->s.n, z + i * t->s.n, lo ? lo[i] : -INFINITY, hi ? hi[i] : INFINITY, req, per_item ? per_item + i : NULL,
                q ? q + i * t->s.nd * t->s.n : NULL, scratch);
  return PRI_OK;
}

pri_bound pri_tv_faces_convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

/* ---- saddle */

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  pri_tv_shapes(&of(priv)->t, &of(priv)->dom, aux, dual, norm_k);
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  (void)w;
  pri_stencil_forward(ctx, &of(priv)->t.s, q, x, items);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  (void)w;
  pri_stencil_adjoint(ctx, &of(priv)->t.s, x, q, items);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  (void)w;
  pri_stencil_adjoint_wide(ctx, &of(priv)->t.s, x, q, items);
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  pri_tv_dual_prox(ctx, &of(priv)->t, q, sigma, each, items);
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  pri_tv_conjugate(ctx, &of(priv)->t, per_item, q, items);
  return PRI_OK;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  pri_tv_value_fields(ctx, &of(priv)->t, per_item, kxw, items);
  return PRI_OK;
}

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  pri_tv_repair(ctx, &of(priv)->t, q, items);
  return PRI_OK;
}

const pri_saddle pri_tv_saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair};
