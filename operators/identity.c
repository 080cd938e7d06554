/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * identity.c - y = x: the measurement is the image itself, with noise on it (denoising).
 * A = A' = A'A = I, norm 1, (A'A + rho)^-1 b = b / (1 + rho).
 */
#include "priori/operator.h"
#include <string.h>

struct identity {
  pri_shape shape; /* of one image */
};

static const char *const examples[] = {"", NULL};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct identity *k = priv;
  (void)meta;
  if (dom->nd == 0) *dom = *ran;
  if (ran->nd == 0) *ran = *dom;
  if (dom->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "identity: the size of the image is not known");
  if (!pri_shape_equal(dom, ran)) return PRI_FAIL(ctx, PRI_ESHAPE, "identity: image and data do not have one shape");
  k->shape = *dom;
  return PRI_OK;
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct identity *k = priv;
  (void)ctx, (void)scratch;
  memcpy(y, x, (size_t)(items * pri_shape_size(&k->shape)) * sizeof *y);
  return PRI_OK;
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct identity *k = priv;
  (void)ctx, (void)scratch;
  memcpy(y, x, (size_t)(items * pri_shape_size(&k->shape)) * sizeof *y);
  return PRI_OK;
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch) {
  const struct identity *k = priv;
  const ptrdiff_t n = items * pri_shape_size(&k->shape);
  (void)ctx, (void)scratch;
  for (ptrdiff_t i = 0; i < n; i++) x[i] = (pri_real)((double)b[i] / (1 + rho)); /* x = b / (1 + rho) */
  return PRI_OK;
}

static unsigned flags(const void *priv) {
  (void)priv;
  return PRI_OP_SELFADJOINT | PRI_OP_DIAGONAL | PRI_OP_PROJECTION | PRI_OP_NONNEGATIVE | PRI_OP_IDENTITY;
}

static pri_bound norm(const void *priv) {
  (void)priv;
  return (pri_bound){1, PRI_EXACT};
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct identity *k = priv;
  (void)ctx;
  ((struct identity *)sub)->shape = pri_box_shape(ran, k->shape.nd);
  *dom = *ran;
  return PRI_OK;
}

const pri_operator_class pri_operator_identity = {
    .kind = {"identity", "the image itself: what denoising inverts", "", sizeof(struct identity), NULL, examples},
    .init = init, .apply = apply, .adjoint = apply, .flags = flags, .norm = norm, .normal = apply, .resolvent = resolvent,
    .apply_wide = apply_wide, .adjoint_wide = apply_wide, .part = part};
