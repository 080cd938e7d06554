/* SPDX-License-Identifier: GPL-3.0-or-later */
/* map.c - maps that need not be linear; a linear operator as a map; chains. */
#include "priori/map.h"
#include "priori/registry.h"

enum { MOST = 16 };

struct pri_map {
  pri_ctx *ctx;
  const pri_map_class *cls; /* a class of the registry, or ... */
  void *priv, *scratch;
  pri_operator *linear;     /* ... an operator, or ... */
  int n;                    /* ... a chain of n maps, each created once more by reference */
  pri_map *maps[MOST];
  pri_array between[MOST], back[MOST]; /* one item: range of maps[i]; gradient there */
  pri_shape dom, ran;
  int refs;
};

static pri_status blank(pri_ctx *ctx, pri_map **out) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  (*out)->refs = 1;
  return PRI_OK;
}

static pri_status fill(pri_map *F, const char *spec, const pri_meta *meta, const pri_shape *dom, const pri_shape *ran) {
  const pri_kind *kind;
  if (dom) F->dom = *dom;
  if (ran) F->ran = *ran;
  PRI_TRY(pri_object_create(F->ctx, PRI_MAPS, spec, &kind, &F->priv));
  F->cls = (const pri_map_class *)kind;
  PRI_TRY(F->cls->init(F->ctx, F->priv, meta, &F->dom, &F->ran));
  const size_t bytes = F->cls->scratch ? F->cls->scratch(F->priv) : 0;
  if (bytes) PRI_ALLOC(F->ctx, *(char **)&F->scratch, bytes);
  return PRI_OK;
}

pri_status pri_map_create(pri_ctx *ctx, pri_map **out, const char *spec, const pri_meta *meta, const pri_shape *dom, const pri_shape *ran) {
  PRI_TRY(blank(ctx, out));
  const pri_status s = fill(*out, spec, meta, dom, ran);
  if (s != PRI_OK) pri_map_destroy(out);
  return s;
}

pri_status pri_map_of(pri_ctx *ctx, pri_map **out, pri_operator *A) {
  PRI_TRY(blank(ctx, out));
  (*out)->linear = pri_operator_ref(A);
  (*out)->dom = *pri_operator_domain(A);
  (*out)->ran = *pri_operator_range(A);
  return PRI_OK;
}

static pri_status link(pri_map *F) {
  for (int i = 0; i + 1 < F->n; i++) {
    if (!pri_shape_equal(&F->maps[i]->ran, &F->maps[i + 1]->dom)) return PRI_FAIL(F->ctx, PRI_ESHAPE, "map: the range of map %d is not the domain of map %d", i + 1, i + 2);
    PRI_TRY(pri_array_create(F->ctx, &F->between[i], &F->maps[i]->ran, 1));
    PRI_TRY(pri_array_create(F->ctx, &F->back[i], &F->maps[i]->ran, 1));
  }
  F->dom = F->maps[0]->dom;
  F->ran = F->maps[F->n - 1]->ran;
  return PRI_OK;
}

pri_status pri_map_chain(pri_ctx *ctx, pri_map **out, pri_map *const *maps, int n) {
  *out = NULL;
  if (n < 1 || n > MOST) return PRI_FAIL(ctx, PRI_EPARAM, "map: %d maps; between 1 and %d can be chained", n, (int)MOST);
  PRI_TRY(blank(ctx, out));
  (*out)->n = n;
  for (int i = 0; i < n; i++) {
    (*out)->maps[i] = maps[i];
    maps[i]->refs++;
  }
  const pri_status s = link(*out);
  if (s != PRI_OK) pri_map_destroy(out);
  return s;
}

pri_operator *pri_map_linear(const pri_map *F) { return F->linear; }
const pri_shape *pri_map_domain(const pri_map *F) { return &F->dom; }
const pri_shape *pri_map_range(const pri_map *F) { return &F->ran; }

static pri_status check(const pri_map *F, const pri_array *x, const pri_array *y) {
  if (x->items == y->items && pri_shape_equal(&x->shape, &F->dom) && pri_shape_equal(&y->shape, &F->ran)) return PRI_OK;
  return PRI_FAIL(F->ctx, PRI_ESHAPE, "map: the arrays do not have its shapes");
}

pri_status pri_map_apply(const pri_map *F, pri_array *y, const pri_array *x) {
  PRI_TRY(check(F, x, y));
  if (F->linear) return pri_operator_apply(F->linear, y, x);
  if (F->cls) return F->cls->apply(F->ctx, F->priv, y->data, x->data, x->items, F->scratch);
  for (ptrdiff_t k = 0; k < x->items; k++) {
    pri_array in = pri_array_items(x, k, 1);
    for (int i = 0; i < F->n; i++) {
      pri_array out = i + 1 < F->n ? F->between[i] : pri_array_items(y, k, 1);
      PRI_TRY(pri_map_apply(F->maps[i], &out, &in));
      in = out;
    }
  }
  return PRI_OK;
}

/* gx = F_1'(x)' ... F_n'(z_(n-1))' gy; the forward values stay in `between` */
static pri_status chain_vjp(const pri_map *F, pri_array *gx, const pri_array *x, const pri_array *gy) {
  pri_array in = *x, g = *gy;
  for (int i = 0; i + 1 < F->n; i++) {
    pri_array out = F->between[i];
    PRI_TRY(pri_map_apply(F->maps[i], &out, &in));
    in = out;
  }
  for (int i = F->n - 1; i >= 0; i--) {
    const pri_array at = i > 0 ? F->between[i - 1] : *x;
    pri_array to = i > 0 ? F->back[i - 1] : *gx;
    PRI_TRY(pri_map_vjp(F->maps[i], &to, &at, &g));
    g = to;
  }
  return PRI_OK;
}

pri_status pri_map_vjp(const pri_map *F, pri_array *gx, const pri_array *x, const pri_array *gy) {
  PRI_TRY(check(F, x, gy));
  PRI_TRY(check(F, gx, gy));
  if (F->linear) return pri_operator_adjoint(F->linear, gx, gy);
  if (F->cls) return F->cls->vjp(F->ctx, F->priv, gx->data, x->data, gy->data, x->items, F->scratch);
  for (ptrdiff_t k = 0; k < x->items; k++) {
    pri_array gxk = pri_array_items(gx, k, 1);
    const pri_array xk = pri_array_items(x, k, 1), gyk = pri_array_items(gy, k, 1);
    PRI_TRY(chain_vjp(F, &gxk, &xk, &gyk));
  }
  return PRI_OK;
}

void pri_map_destroy(pri_map **F) {
  if (!F || !*F) return;
  pri_map *f = *F;
  *F = NULL;
  if (--f->refs > 0) return;
  if (f->cls && f->cls->fini && f->priv) f->cls->fini(f->ctx, f->priv);
  if (f->cls) pri_object_destroy(f->ctx, &f->cls->kind, &f->priv);
  pri_free(f->ctx, f->scratch);
  pri_operator_destroy(&f->linear);
  for (int i = 0; i < f->n; i++) {
    pri_array_destroy(&f->between[i]);
    pri_array_destroy(&f->back[i]);
    pri_map_destroy(&f->maps[i]);
  }
  pri_free(f->ctx, f);
}
