/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prior.c - handles of priors. */
#include "priori/prior.h"
#include "predict.h"
#include "priori/registry.h"

struct pri_prior {
  pri_ctx *ctx;
  const pri_prior_class *cls;
  void *priv, *scratch;
  pri_shape dom;
};

static pri_status fill(pri_prior *R, const char *spec, const pri_meta *meta) {
  const pri_kind *kind;
  PRI_TRY(pri_object_create(R->ctx, PRI_PRIORS, spec, &kind, &R->priv));
  R->cls = (const pri_prior_class *)kind;
  PRI_TRY(R->cls->init(R->ctx, R->priv, meta, &R->dom));
  if (R->cls->faces) R->cls = R->cls->faces(R->priv);
  const size_t bytes = R->cls->scratch ? R->cls->scratch(R->priv) : 0;
  if (bytes) PRI_ALLOC(R->ctx, *(char **)&R->scratch, bytes);
  return PRI_OK;
}

pri_status pri_prior_create(pri_ctx *ctx, pri_prior **out, const char *spec, const pri_meta *meta, const pri_shape *dom) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_prior){.ctx = ctx, .dom = *dom};
  const pri_status s = fill(*out, spec, meta);
  if (s != PRI_OK) pri_prior_destroy(out);
  return s;
}

void *pri_prior_scratch(const pri_prior *R) { return R->scratch; }
pri_status pri_prior_print(const pri_prior *R, char **spec) { return pri_kind_print(R->ctx, &R->cls->kind, R->priv, spec); }

const pri_prior_class *pri_prior_class_of(const pri_prior *R, const void **priv) {
  if (priv) *priv = R->priv;
  return R->cls;
}

pri_status pri_prior_scale(pri_prior *R, double factor) {
  if (!R->cls->scale) return PRI_FAIL(R->ctx, PRI_ENOTSUP, "%s: its weight cannot be changed", R->cls->kind.name);
  return R->cls->scale(R->ctx, R->priv, factor);
}

pri_status pri_prior_set_theta(pri_prior *R, const double *theta) {
  if (!R->cls->learnable) return PRI_FAIL(R->ctx, PRI_ENOTSUP, "%s: has no parameters to learn", R->cls->kind.name);
  return R->cls->learnable->set_theta(R->ctx, R->priv, theta);
}

pri_status pri_prior_denoise(const pri_prior *R, pri_array *x0, const pri_array *xt, const pri_level *lev) {
  const pri_generative *g = R->cls->generative;
  if (!g) return PRI_FAIL(R->ctx, PRI_ENOTSUP, "%s: is not a generative prior", R->cls->kind.name);
  if (x0->items != xt->items || !pri_shape_equal(&xt->shape, &R->dom) || !pri_shape_equal(&x0->shape, &R->dom))
    return PRI_FAIL(R->ctx, PRI_ESHAPE, "%s: the arrays do not have its shape", R->cls->kind.name);
  PRI_TRY(g->predict(R->ctx, R->priv, x0->data, xt->data, lev, xt->items, R->scratch));
  pri_predict_x0(R->ctx, x0->data, xt->data, g->predicts(R->priv), lev, xt->items * pri_shape_size(&R->dom));
  return PRI_OK;
}

void pri_prior_destroy(pri_prior **R) {
  if (!R || !*R) return;
  pri_prior *p = *R;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_free(p->ctx, p->scratch);
  pri_free(p->ctx, p);
  *R = NULL;
}
