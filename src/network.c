/* SPDX-License-Identifier: GPL-3.0-or-later */
/* network.c - networks made from recipes: weights drawn from the seed, plans, forward and backward passes. Files come with a later version. */
#include "priori/network.h"
#include "priori/registry.h"
#include "priori/rng.h"

struct pri_network {
  pri_ctx *ctx;
  const pri_recipe_class *cls;
  void *priv;
  pri_real *weights;
  size_t n;
};

struct pri_plan {
  const pri_network *net;
  pri_shape in, out;
  void *work;
};

static pri_status fill(pri_network *net, const char *recipe) {
  const pri_kind *kind;
  PRI_TRY(pri_object_create(net->ctx, PRI_RECIPES, recipe, &kind, &net->priv));
  net->cls = (const pri_recipe_class *)kind;
  PRI_TRY(net->cls->init(net->ctx, net->priv, &net->n));
  PRI_ALLOC(net->ctx, net->weights, net->n);
  pri_rng_normal(pri_ctx_seed(net->ctx), "network weights", 0, net->weights, net->n);
  if (net->cls->scale_weights) net->cls->scale_weights(net->priv, net->weights);
  return PRI_OK;
}

pri_status pri_network_create(pri_ctx *ctx, pri_network **out, const char *recipe) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  const pri_status s = fill(*out, recipe);
  if (s != PRI_OK) pri_network_destroy(out);
  return s;
}

pri_status pri_network_load(pri_ctx *ctx, pri_network **out, const char *path) {
  *out = NULL;
  return PRI_FAIL(ctx, PRI_ENOTSUP, "network: this version does not read weight files (%s)", path);
}

pri_status pri_network_save(const pri_network *net, const char *path) {
  return PRI_FAIL(net->ctx, PRI_ENOTSUP, "network: this version does not write weight files (%s)", path);
}

size_t pri_network_weights(const pri_network *net, pri_real **flat) {
  *flat = net->weights;
  return net->n;
}

void pri_network_destroy(pri_network **net) {
  if (!net || !*net) return;
  pri_network *p = *net;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_free(p->ctx, p->weights);
  pri_free(p->ctx, p);
  *net = NULL;
}

static pri_status fill_plan(pri_plan *p, int training) {
  size_t bytes = 0;
  PRI_TRY(p->net->cls->plan(p->net->ctx, p->net->priv, &p->in, training, &p->out, &bytes));
  PRI_ALLOC(p->net->ctx, *(char **)&p->work, bytes);
  return PRI_OK;
}

pri_status pri_plan_create(const pri_network *net, pri_plan **out, const pri_shape *in, int training) {
  *out = pri_calloc(net->ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(net->ctx);
  **out = (pri_plan){.net = net, .in = *in};
  const pri_status s = fill_plan(*out, training);
  if (s != PRI_OK) pri_plan_destroy(out);
  return s;
}

const pri_shape *pri_plan_range(const pri_plan *p) { return &p->out; }

pri_status pri_plan_forward(pri_plan *p, pri_real *y, const pri_real *x, const double *cond) {
  return p->net->cls->forward(p->net->ctx, p->net->priv, p->net->weights, y, x, cond, p->work);
}

pri_status pri_plan_vjp(pri_plan *p, pri_real *gx, const pri_real *gy) { return pri_plan_backward(p, NULL, gx, gy); }

pri_status pri_plan_backward(pri_plan *p, pri_real *gw, pri_real *gx, const pri_real *gy) {
  return p->net->cls->backward(p->net->ctx, p->net->priv, p->net->weights, gw, gx, gy, p->work);
}

void pri_plan_destroy(pri_plan **p) {
  if (!p || !*p) return;
  pri_ctx *ctx = (*p)->net->ctx;
  pri_free(ctx, (*p)->work);
  pri_free(ctx, *p);
  *p = NULL;
}
