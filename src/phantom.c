/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phantom.c - handles of test objects and of noise models. */
#include "priori/phantom.h"
#include "priori/registry.h"

struct pri_phantom {
  pri_ctx *ctx;
  const pri_phantom_class *cls;
  void *priv;
};

struct pri_noise {
  pri_ctx *ctx;
  const pri_noise_class *cls;
  void *priv;
};

pri_status pri_phantom_create(pri_ctx *ctx, pri_phantom **out, const char *spec) {
  const pri_kind *kind;
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  pri_status s = pri_object_create(ctx, PRI_PHANTOMS, spec, &kind, &(*out)->priv);
  if (s == PRI_OK) {
    (*out)->cls = (const pri_phantom_class *)kind;
    s = (*out)->cls->init(ctx, (*out)->priv);
  }
  if (s != PRI_OK) pri_phantom_destroy(out);
  return s;
}

pri_status pri_phantom_shape(const pri_phantom *p, pri_shape *shape) { return p->cls->shape(p->priv, shape); }
pri_status pri_phantom_print(const pri_phantom *p, char **spec) { return pri_kind_print(p->ctx, &p->cls->kind, p->priv, spec); }

pri_status pri_phantom_draw(const pri_phantom *p, pri_array *x, ptrdiff_t first) {
  pri_shape shape;
  PRI_TRY(p->cls->shape(p->priv, &shape));
  if (!pri_shape_equal(&shape, &x->shape)) return PRI_FAIL(p->ctx, PRI_ESHAPE, "%s: the array does not have its shape", p->cls->kind.name);
  return p->cls->draw(p->ctx, p->priv, x, first);
}

pri_status pri_phantom_project(const pri_phantom *p, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  const pri_shape want = pri_shape_2d(g->views, g->bins);
  if (!p->cls->project) return PRI_FAIL(p->ctx, PRI_ENOTSUP, "%s: its projections have no closed form; draw it and use `priori simulate`", p->cls->kind.name);
  if (!pri_shape_equal(&want, &y->shape)) return PRI_FAIL(p->ctx, PRI_ESHAPE, "%s: the sinogram is not views x bins", p->cls->kind.name);
  return p->cls->project(p->ctx, p->priv, g, bin_average, y, first);
}

void pri_phantom_destroy(pri_phantom **p) {
  if (!p || !*p) return;
  pri_phantom *q = *p;
  if (q->cls && q->cls->fini && q->priv) q->cls->fini(q->ctx, q->priv);
  if (q->cls) pri_object_destroy(q->ctx, &q->cls->kind, &q->priv);
  pri_free(q->ctx, q);
  *p = NULL;
}

pri_status pri_noise_create(pri_ctx *ctx, pri_noise **out, const char *spec) {
  const pri_kind *kind;
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  pri_status s = pri_object_create(ctx, PRI_NOISES, spec, &kind, &(*out)->priv);
  if (s == PRI_OK) {
    (*out)->cls = (const pri_noise_class *)kind;
    s = (*out)->cls->init(ctx, (*out)->priv);
  }
  if (s != PRI_OK) pri_noise_destroy(out);
  return s;
}

pri_status pri_noise_add(const pri_noise *n, pri_array *y, ptrdiff_t first) { return n->cls->add(n->ctx, n->priv, y, first); }
pri_status pri_noise_print(const pri_noise *n, char **spec) { return pri_kind_print(n->ctx, &n->cls->kind, n->priv, spec); }

void pri_noise_destroy(pri_noise **n) {
  if (!n || !*n) return;
  pri_noise *q = *n;
  if (q->cls && q->cls->fini && q->priv) q->cls->fini(q->ctx, q->priv);
  if (q->cls) pri_object_destroy(q->ctx, &q->cls->kind, &q->priv);
  pri_free(q->ctx, q);
  *n = NULL;
}
