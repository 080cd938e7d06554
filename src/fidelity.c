/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fidelity.c - handles of data terms; a part owns its share of the data. */
#include "priori/fidelity.h"
#include "priori/registry.h"

struct pri_fidelity {
  pri_ctx *ctx;
  const pri_fidelity_class *cls;
  void *priv;
  const pri_array *y, *weight;     /* borrowed, or ... */
  pri_array own_y, own_weight;     /* ... a part's own */
};

static pri_status check(pri_ctx *ctx, const char *name, const pri_array *y, const pri_array *weight) {
  if (!weight || (weight->items == y->items && pri_shape_equal(&y->shape, &weight->shape))) return PRI_OK;
  return PRI_FAIL(ctx, PRI_ESHAPE, "%s: the weights do not have the shape of the data", name);
}

static pri_status fill(pri_fidelity *f, const char *spec) {
  const pri_kind *kind;
  PRI_TRY(pri_object_create(f->ctx, PRI_FIDELITIES, spec, &kind, &f->priv));
  f->cls = (const pri_fidelity_class *)kind;
  PRI_TRY(check(f->ctx, kind->name, f->y, f->weight));
  return f->cls->init(f->ctx, f->priv, f->y, f->weight);
}

pri_status pri_fidelity_create(pri_ctx *ctx, pri_fidelity **out, const char *spec, const pri_array *y, const pri_array *weight) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_fidelity){.ctx = ctx, .y = y, .weight = weight};
  const pri_status s = fill(*out, spec);
  if (s != PRI_OK) pri_fidelity_destroy(out);
  return s;
}

static pri_status take(pri_ctx *ctx, pri_array *own, const pri_array *whole, const pri_box *box) {
  const pri_shape shape = pri_box_shape(box, whole->shape.nd);
  PRI_TRY(pri_array_create(ctx, own, &shape, whole->items));
  return pri_array_take(ctx, own, whole, box);
}

static pri_status fill_part(const pri_fidelity *f, pri_fidelity *p, const pri_box *box) {
  p->cls = f->cls;
  PRI_ALLOC(f->ctx, *(char **)&p->priv, f->cls->kind.size);
  PRI_TRY(pri_kind_copy(f->ctx, &f->cls->kind, p->priv, f->priv));
  PRI_TRY(take(f->ctx, &p->own_y, f->y, box));
  p->y = &p->own_y;
  if (f->weight) {
    PRI_TRY(take(f->ctx, &p->own_weight, f->weight, box));
    p->weight = &p->own_weight;
  }
  return f->cls->part(f->ctx, f->priv, p->priv, p->y, p->weight);
}

pri_status pri_fidelity_part(const pri_fidelity *f, pri_fidelity **out, const pri_box *box) {
  *out = NULL;
  if (!f->cls->part) return PRI_FAIL(f->ctx, PRI_ENOTSUP, "%s: is not a sum over the data, so it has no subsets", f->cls->kind.name);
  *out = pri_calloc(f->ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(f->ctx);
  (*out)->ctx = f->ctx;
  const pri_status s = fill_part(f, *out, box);
  if (s != PRI_OK) pri_fidelity_destroy(out);
  return s;
}

const pri_array *pri_fidelity_data(const pri_fidelity *f) { return f->y; }
const pri_array *pri_fidelity_weight(const pri_fidelity *f) { return f->weight; }
pri_status pri_fidelity_print(const pri_fidelity *f, char **spec) { return pri_kind_print(f->ctx, &f->cls->kind, f->priv, spec); }

const pri_fidelity_class *pri_fidelity_class_of(const pri_fidelity *f, const void **priv) {
  if (priv) *priv = f->priv;
  return f->cls;
}

void pri_fidelity_destroy(pri_fidelity **f) {
  if (!f || !*f) return;
  pri_fidelity *p = *f;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_array_destroy(&p->own_y);
  pri_array_destroy(&p->own_weight);
  pri_free(p->ctx, p);
  *f = NULL;
}
