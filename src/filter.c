/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter.c - handles of filters: array in, array out. */
#include "priori/filter.h"
#include "priori/registry.h"

struct pri_filter {
  pri_ctx *ctx;
  const pri_filter_class *cls;
  void *priv, *scratch;
  pri_shape in, out;
};

static pri_status fill(pri_filter *f, const char *spec, const pri_meta *meta) {
  const pri_kind *kind;
  PRI_TRY(pri_object_create(f->ctx, PRI_FILTERS, spec, &kind, &f->priv));
  f->cls = (const pri_filter_class *)kind;
  f->out = f->in;
  PRI_TRY(f->cls->init(f->ctx, f->priv, meta, &f->in, &f->out));
  const size_t bytes = f->cls->scratch ? f->cls->scratch(f->priv) : 0;
  if (bytes) PRI_ALLOC(f->ctx, *(char **)&f->scratch, bytes);
  return PRI_OK;
}

pri_status pri_filter_create(pri_ctx *ctx, pri_filter **out, const char *spec, const pri_meta *meta, const pri_shape *in) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_filter){.ctx = ctx, .in = *in};
  const pri_status s = fill(*out, spec, meta);
  if (s != PRI_OK) pri_filter_destroy(out);
  return s;
}

const pri_shape *pri_filter_range(const pri_filter *f) { return &f->out; }
pri_status pri_filter_print(const pri_filter *f, char **spec) { return pri_kind_print(f->ctx, &f->cls->kind, f->priv, spec); }

pri_status pri_filter_run(const pri_filter *f, pri_array *out, const pri_array *in, const ptrdiff_t *slice) {
  if (in->items != out->items || !pri_shape_equal(&in->shape, &f->in) || !pri_shape_equal(&out->shape, &f->out))
    return PRI_FAIL(f->ctx, PRI_ESHAPE, "%s: the arrays do not have its shapes", f->cls->kind.name);
  return f->cls->run(f->ctx, f->priv, out->data, in->data, slice, in->items, f->scratch);
}

const pri_filter_class *pri_filter_class_of(const pri_filter *f, const void **priv) {
  if (priv) *priv = f->priv;
  return f->cls;
}

void pri_filter_destroy(pri_filter **f) {
  if (!f || !*f) return;
  pri_filter *p = *f;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_free(p->ctx, p->scratch);
  pri_free(p->ctx, p);
  *f = NULL;
}
