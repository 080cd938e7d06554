/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scale.c - y = factor x: a change of unit, or the gain of a detector, in a chain of operators.
 * A' = A, norm |factor|, (A'A + rho)^-1 b = b / (factor^2 + rho).
 */
#include "priori/operator.h"
#include <math.h>
#include <stddef.h>

struct scale {
  double factor;
  pri_shape shape; /* of one image */
};

static const pri_param params[] = {
    {.name = "factor", .unit = "1", .help = "what every pixel is multiplied by", .type = PRI_REAL, .flags = PRI_P_REQUIRED, .offset = offsetof(struct scale, factor), .min = -1e30, .max = 1e30, .def = NAN},
    {0}};
static const char *const examples[] = {"factor=2.5", "-0.1", "1", "0", NULL};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct scale *k = priv;
  (void)meta;
  if (dom->nd == 0) *dom = *ran;
  if (ran->nd == 0) *ran = *dom;
  if (dom->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "scale: the size of the image is not known");
  if (!pri_shape_equal(dom, ran)) return PRI_FAIL(ctx, PRI_ESHAPE, "scale: image and data do not have one shape");
  k->shape = *dom;
  return PRI_OK;
}

#define DEFINE(suffix, real)                                                                                                  \
  static pri_status apply##suffix(pri_ctx *ctx, const void *priv, real *y, const real *x, ptrdiff_t items, void *scratch) {   \
    const struct scale *k = priv;                                                                                             \
    const ptrdiff_t n = items * pri_shape_size(&k->shape);                                                                    \
    (void)ctx, (void)scratch;                                                                                                 \
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)(k->factor * (double)x[i]);                                                \
    return PRI_OK;                                                                                                            \
  }
DEFINE(, pri_real)
DEFINE(_wide, double)

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch) {
  const struct scale *k = priv;
  const ptrdiff_t n = items * pri_shape_size(&k->shape);
  const double d = k->factor * k->factor + rho, inverse = d > 0 ? 1 / d : 0;
  (void)ctx, (void)scratch;
  for (ptrdiff_t i = 0; i < n; i++) x[i] = (pri_real)(inverse * (double)b[i]);
  return PRI_OK;
}

static unsigned flags(const void *priv) {
  const double f = ((const struct scale *)priv)->factor;
  return PRI_OP_SELFADJOINT | PRI_OP_DIAGONAL | (f >= 0 ? PRI_OP_NONNEGATIVE : 0u) | (f == 0 || f == 1 ? PRI_OP_PROJECTION : 0u);
}

static pri_bound norm(const void *priv) { return (pri_bound){fabs(((const struct scale *)priv)->factor), PRI_EXACT}; }

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct scale *k = priv;
  (void)ctx;
  ((struct scale *)sub)->shape = pri_box_shape(ran, k->shape.nd);
  *dom = *ran;
  return PRI_OK;
}

const pri_operator_class pri_operator_scale = {
    .kind = {"scale", "multiplies by a number", "", sizeof(struct scale), params, examples},
    .init = init, .apply = apply, .adjoint = apply, .flags = flags, .norm = norm, .resolvent = resolvent, .apply_wide = apply_wide,
    .adjoint_wide = apply_wide, .part = part};
