/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/map.h - y = F(x), not linear: a decoder, transmission exp(-Ax), clipping. Every operator is a map. */
#ifndef PRIORI_MAP_H
#define PRIORI_MAP_H
#include "priori/operator.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_map_class {
  pri_kind kind;
  /* REQUIRED */
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran);
  pri_status (*apply)(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch);
  pri_status (*vjp)(pri_ctx *ctx, const void *priv, pri_real *gx, const pri_real *x, const pri_real *gy, ptrdiff_t items, void *scratch); /* F'(x)' gy */
  /* OPTIONAL */
  void (*fini)(pri_ctx *ctx, void *priv);
  size_t (*scratch)(const void *priv);
  pri_status (*encode)(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch);                  /* some x with F(x) near y */
} pri_map_class;
typedef struct pri_map pri_map;

/* A map from its spec; arguments and errors as pri_operator_create. */
PRI_API PRI_MUST_CHECK pri_status pri_map_create(pri_ctx *ctx, pri_map **out, const char *spec, const pri_meta *meta, const pri_shape *dom,
                                                 const pri_shape *ran);
/* A linear operator as a map; takes a reference to A. */
PRI_API PRI_MUST_CHECK pri_status pri_map_of(pri_ctx *ctx, pri_map **out, pri_operator *A);
/* maps[n-1] o ... o maps[0]; takes a reference to each, 1 <= n <= 16. ESHAPE where a range is not the next domain. */
PRI_API PRI_MUST_CHECK pri_status pri_map_chain(pri_ctx *ctx, pri_map **out, pri_map *const *maps, int n);
PRI_API pri_operator *pri_map_linear(const pri_map *F);    /* the operator of pri_map_of, borrowed; NULL: not linear */
PRI_API const pri_shape *pri_map_domain(const pri_map *F);
PRI_API const pri_shape *pri_map_range(const pri_map *F);
/*
 * pri_map_apply - y = F(x); pri_map_vjp - gx = F'(x)' gy (vector-Jacobian product at x), for every item.
 * One thread of control at a time, no allocation. Outputs may not overlap inputs.
 * Errors  PRI_ESHAPE  items or shapes do not agree: the output is untouched.
 */
PRI_API PRI_MUST_CHECK pri_status pri_map_apply(const pri_map *F, pri_array *y, const pri_array *x);
PRI_API PRI_MUST_CHECK pri_status pri_map_vjp(const pri_map *F, pri_array *gx, const pri_array *x, const pri_array *gy);
PRI_API void pri_map_destroy(pri_map **F);
#ifdef __cplusplus
}
#endif
#endif
