/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operator.c - shape-checked calls of linear operators, and the stand-ins for what a class leaves out. */
#include "priori/operator.h"
#include <math.h>
#include <stdatomic.h>
#include "operator_private.h"
#include "priori/registry.h"
#include "priori/rng.h"
#include "vec.h"

struct pri_operator {
  pri_ctx *ctx;
  atomic_int refs;
  const pri_operator_class *cls;
  void *priv, *scratch;
  size_t scratch_bytes;
  pri_operator *whole; /* of a part: whose scratch it uses; NULL: its own */
  pri_shape dom, ran;
  pri_array temp;   /* one item of the range, for the stand-in of normal; made on first use */
  pri_bound norm;   /* the stand-in's answer, found on first use */
  int norm_known;
};

enum { POWER_STEPS = 60, CG_STEPS = 200 };

static void release(pri_operator *A) {
  if (A->cls && A->cls->fini && A->priv) A->cls->fini(A->ctx, A->priv);
  if (A->cls) pri_object_destroy(A->ctx, &A->cls->kind, &A->priv);
  pri_array_destroy(&A->temp);
  if (A->whole) pri_operator_destroy(&A->whole);
  else pri_free(A->ctx, A->scratch);
  pri_free(A->ctx, A);
}

static pri_status finish(pri_operator *A, const pri_shape *dom, const pri_shape *ran) {
  A->dom = *dom;
  A->ran = *ran;
  if (pri_shape_size(dom) < 0 || pri_shape_size(ran) < 0)
    return PRI_FAIL(A->ctx, PRI_ESHAPE, "%s: the shape of its %s is not known; give its size", A->cls->kind.name, pri_shape_size(dom) < 0 ? "image" : "data");
  A->scratch_bytes = A->cls->scratch ? A->cls->scratch(A->priv) : 0;
  if (A->whole && A->scratch_bytes <= A->whole->scratch_bytes) { /* ten subsets would hold ten times the same room */
    A->scratch = A->whole->scratch;
    return PRI_OK;
  }
  pri_operator_destroy(&A->whole);
  if (A->scratch_bytes) PRI_ALLOC(A->ctx, *(char **)&A->scratch, A->scratch_bytes);
  return PRI_OK;
}

static pri_status blank(pri_ctx *ctx, pri_operator **out) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  atomic_init(&(*out)->refs, 1);
  return PRI_OK;
}

static pri_status fill(pri_operator *A, const char *spec, const pri_meta *meta, const pri_shape *dom, const pri_shape *ran) {
  pri_shape d = dom ? *dom : (pri_shape){0}, r = ran ? *ran : (pri_shape){0};
  const pri_kind *kind;
  PRI_TRY(pri_object_create(A->ctx, PRI_OPERATORS, spec, &kind, &A->priv));
  A->cls = (const pri_operator_class *)kind;
  PRI_TRY(A->cls->init(A->ctx, A->priv, meta, &d, &r));
  return finish(A, &d, &r);
}

pri_status pri_operator_create(pri_ctx *ctx, pri_operator **out, const char *spec, const pri_meta *meta, const pri_shape *dom, const pri_shape *ran) {
  PRI_TRY(blank(ctx, out));
  const pri_status s = fill(*out, spec, meta, dom, ran);
  if (s != PRI_OK) pri_operator_destroy(out);
  return s;
}

pri_status pri_operator_wrap(pri_ctx *ctx, pri_operator **out, const pri_operator_class *cls, void *priv, const pri_shape *dom, const pri_shape *ran) {
  if (blank(ctx, out) != PRI_OK) {
    if (cls->fini) cls->fini(ctx, priv);
    pri_object_destroy(ctx, &cls->kind, &priv);
    return pri_ctx_code(ctx);
  }
  (*out)->cls = cls;
  (*out)->priv = priv;
  const pri_status s = finish(*out, dom, ran);
  if (s != PRI_OK) pri_operator_destroy(out);
  return s;
}

static pri_status part_of(const pri_operator *A, pri_operator *sub, const pri_box *ran, pri_box *dom) {
  sub->cls = A->cls;
  PRI_ALLOC(A->ctx, *(char **)&sub->priv, A->cls->kind.size);
  PRI_TRY(pri_kind_copy(A->ctx, &A->cls->kind, sub->priv, A->priv));
  *dom = pri_box_whole(&A->dom);
  PRI_TRY(A->cls->part(A->ctx, A->priv, sub->priv, ran, dom));
  const pri_shape d = pri_box_shape(dom, A->dom.nd), r = pri_box_shape(ran, A->ran.nd);
  sub->whole = pri_operator_ref((pri_operator *)A);
  return finish(sub, &d, &r);
}

pri_status pri_operator_part(const pri_operator *A, pri_operator **out, const pri_box *ran, pri_box *dom) {
  *out = NULL;
  if (!A->cls->part) return PRI_FAIL(A->ctx, PRI_ENOTSUP, "%s: has no parts (subsets, blocks)", A->cls->kind.name);
  PRI_TRY(blank(A->ctx, out));
  const pri_status s = part_of(A, *out, ran, dom);
  if (s != PRI_OK) pri_operator_destroy(out);
  return s;
}

pri_operator *pri_operator_ref(pri_operator *A) {
  if (A) atomic_fetch_add(&A->refs, 1);
  return A;
}

void pri_operator_destroy(pri_operator **A) {
  if (!A || !*A) return;
  if (atomic_fetch_sub(&(*A)->refs, 1) == 1) release(*A);
  *A = NULL;
}

const pri_shape *pri_operator_domain(const pri_operator *A) { return &A->dom; }
const pri_shape *pri_operator_range(const pri_operator *A) { return &A->ran; }
pri_ctx *pri_operator_ctx(const pri_operator *A) { return A->ctx; }
unsigned pri_operator_flags(const pri_operator *A) { return A->cls->flags ? A->cls->flags(A->priv) : 0; }
const pri_geometry *pri_operator_geometry(const pri_operator *A) { return A->cls->geometry ? A->cls->geometry(A->priv) : NULL; }
void pri_operator_frame(const pri_operator *A, pri_box *box) {
  *box = pri_box_whole(&A->dom);
  if (A->cls->frame) A->cls->frame(A->priv, box);
}
pri_status pri_operator_print(const pri_operator *A, char **spec) { return pri_kind_print(A->ctx, &A->cls->kind, A->priv, spec); }

size_t pri_operator_scratch_bytes(const pri_operator *A) { return A->scratch_bytes; }

pri_status pri_operator_apply_with(pri_ctx *ctx, const pri_operator *A, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  return A->cls->apply(ctx, A->priv, y, x, items, scratch);
}

pri_status pri_operator_adjoint_with(pri_ctx *ctx, const pri_operator *A, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  return A->cls->adjoint(ctx, A->priv, x, y, items, scratch);
}

const pri_operator_class *pri_operator_class_of(const pri_operator *A, const void **priv) {
  if (priv) *priv = A->priv;
  return A->cls;
}

static pri_status check(const pri_operator *A, const pri_array *a, const pri_shape *shape, ptrdiff_t items, const char *what) {
  char have[96], want[96];
  if (a->items == items && pri_shape_equal(&a->shape, shape)) return PRI_OK;
  return PRI_FAIL(A->ctx, PRI_ESHAPE, "%s: the %s is %td x (%s), not %td x (%s)", A->cls->kind.name, what, a->items,
                  pri_shape_text(&a->shape, have, sizeof have), items, pri_shape_text(shape, want, sizeof want));
}

pri_status pri_operator_apply(const pri_operator *A, pri_array *y, const pri_array *x) {
  PRI_TRY(check(A, x, &A->dom, x->items, "image"));
  PRI_TRY(check(A, y, &A->ran, x->items, "data"));
  return A->cls->apply(A->ctx, A->priv, y->data, x->data, x->items, A->scratch);
}

pri_status pri_operator_adjoint(const pri_operator *A, pri_array *x, const pri_array *y) {
  PRI_TRY(check(A, y, &A->ran, y->items, "data"));
  PRI_TRY(check(A, x, &A->dom, y->items, "image"));
  return A->cls->adjoint(A->ctx, A->priv, x->data, y->data, y->items, A->scratch);
}

static pri_status need_temp(const pri_operator *A) {
  pri_operator *own = (pri_operator *)(uintptr_t)A; /* a cache: the operator itself does not change */
  return A->temp.data ? PRI_OK : pri_array_create(A->ctx, &own->temp, &A->ran, 1);
}

pri_status pri_operator_normal(const pri_operator *A, pri_array *z, const pri_array *x) {
  PRI_TRY(check(A, x, &A->dom, x->items, "image"));
  PRI_TRY(check(A, z, &A->dom, x->items, "image"));
  if (A->cls->normal) {
    const pri_status s = A->cls->normal(A->ctx, A->priv, z->data, x->data, x->items, A->scratch);
    if (s != PRI_ENOTSUP) return s;
  }
  PRI_TRY(need_temp(A));
  for (ptrdiff_t i = 0; i < x->items; i++) { /* z = A'(A x) */
    PRI_TRY(A->cls->apply(A->ctx, A->priv, A->temp.data, pri_array_item(x, i), 1, A->scratch));
    PRI_TRY(A->cls->adjoint(A->ctx, A->priv, pri_array_item(z, i), A->temp.data, 1, A->scratch));
  }
  return PRI_OK;
}

/* Largest singular value from below: v <- A'A v / |A'A v|, value sqrt(|A'A v| / |v|). */
static pri_status power(const pri_operator *A, pri_array *v, pri_array *w, double *value) {
  const ptrdiff_t n = pri_shape_size(&A->dom);
  pri_rng_uniform(0, "operator norm", 0, v->data, (size_t)n);
  *value = 0;
  for (int k = 0; k < POWER_STEPS; k++) {
    const double size = sqrt(pri_norm2sq(A->ctx, v->data, n));
    if (size == 0) return PRI_OK;
    pri_scale(A->ctx, v->data, 1 / size, n);
    PRI_TRY(pri_operator_normal(A, w, v));
    *value = sqrt(sqrt(pri_norm2sq(A->ctx, w->data, n)));
    pri_copy(A->ctx, v->data, w->data, n);
  }
  return PRI_OK;
}

pri_bound pri_operator_norm(const pri_operator *A) {
  pri_operator *own = (pri_operator *)(uintptr_t)A; /* a cache */
  pri_array v = {0}, w = {0};
  double value = NAN;
  if (A->cls->norm) {
    const pri_bound b = A->cls->norm(A->priv);
    if (b.trust != PRI_UNKNOWN) return b;
  }
  if (A->norm_known) return A->norm;
  const int ok = pri_array_create(A->ctx, &v, &A->dom, 1) == PRI_OK && pri_array_create(A->ctx, &w, &A->dom, 1) == PRI_OK && power(A, &v, &w, &value) == PRI_OK;
  pri_array_destroy(&v);
  pri_array_destroy(&w);
  if (!ok) return (pri_bound){NAN, PRI_UNKNOWN};
  own->norm = (pri_bound){value, PRI_ESTIMATE};
  own->norm_known = 1;
  return A->norm;
}

struct cg {
  pri_array x, r, p, q;
};

/* (A'A + rho I) x = b for one item; stops at a residual of rounding size. */
static pri_status cg_item(const pri_operator *A, const struct cg *c, const pri_real *b, double rho) {
  const ptrdiff_t n = pri_shape_size(&A->dom);
  const double tol = sizeof(pri_real) == 4 ? 1e-6 : 1e-13;
  pri_array q = c->q;
  pri_fill(A->ctx, c->x.data, 0, n);
  pri_copy(A->ctx, c->r.data, b, n);
  pri_copy(A->ctx, c->p.data, b, n);
  double rr = pri_norm2sq(A->ctx, b, n);
  const double stop = tol * tol * rr;
  for (int k = 0; k < CG_STEPS && rr > stop; k++) {
    PRI_TRY(pri_operator_normal(A, &q, &c->p));
    pri_axpy(A->ctx, q.data, rho, c->p.data, n); /* q = (A'A + rho) p */
    const double pq = pri_dot(A->ctx, c->p.data, q.data, n);
    if (!(pq > 0)) break;
    pri_axpy(A->ctx, c->x.data, rr / pq, c->p.data, n);
    pri_axpy(A->ctx, c->r.data, -rr / pq, q.data, n);
    const double next = pri_norm2sq(A->ctx, c->r.data, n);
    pri_axpby(A->ctx, c->p.data, 1, c->r.data, next / rr, n); /* p = r + beta p */
    rr = next;
  }
  return PRI_OK;
}

static pri_status cg_all(const pri_operator *A, struct cg *c, pri_array *x, const pri_array *b, double rho) {
  PRI_TRY(pri_array_create(A->ctx, &c->r, &A->dom, 1));
  PRI_TRY(pri_array_create(A->ctx, &c->p, &A->dom, 1));
  PRI_TRY(pri_array_create(A->ctx, &c->q, &A->dom, 1));
  for (ptrdiff_t i = 0; i < x->items; i++) {
    c->x = pri_array_items(x, i, 1);
    PRI_TRY(cg_item(A, c, pri_array_item(b, i), rho));
  }
  return PRI_OK;
}

int pri_operator_has_resolvent(const pri_operator *A) {
  return A->cls->resolvent && A->cls->resolvent(A->ctx, A->priv, NULL, NULL, 1, 0, A->scratch) != PRI_ENOTSUP;
}

pri_status pri_operator_resolvent(const pri_operator *A, pri_array *x, const pri_array *b, double rho) {
  struct cg c = {{0}, {0}, {0}, {0}};
  PRI_TRY(check(A, b, &A->dom, b->items, "image"));
  PRI_TRY(check(A, x, &A->dom, b->items, "image"));
  pri_status s = PRI_ENOTSUP;
  if (A->cls->resolvent) s = A->cls->resolvent(A->ctx, A->priv, x->data, b->data, rho, b->items, A->scratch);
  if (s != PRI_ENOTSUP) return s;
  s = cg_all(A, &c, x, b, rho);
  pri_array_destroy(&c.r);
  pri_array_destroy(&c.p);
  pri_array_destroy(&c.q);
  return s;
}

/* ---- double throughout */

int pri_operator_is_wide(const pri_operator *A) { return sizeof(pri_real) == sizeof(double) || (A->cls->apply_wide && A->cls->adjoint_wide); }

typedef pri_status (*narrow_fn)(pri_ctx *, const void *, pri_real *, const pri_real *, ptrdiff_t, void *);

/* Through pri_real, item by item. */
static pri_status through_real(const pri_operator *A, narrow_fn fn, double *out, const pri_shape *os, const double *in, const pri_shape *is, ptrdiff_t items) {
  const ptrdiff_t n = pri_shape_size(is), m = pri_shape_size(os);
  pri_array a = {0}, b = {0};
  pri_status s = pri_array_create(A->ctx, &a, is, 1);
  if (s == PRI_OK) s = pri_array_create(A->ctx, &b, os, 1);
  for (ptrdiff_t k = 0; s == PRI_OK && k < items; k++) {
    for (ptrdiff_t i = 0; i < n; i++) a.data[i] = (pri_real)in[k * n + i];
    s = fn(A->ctx, A->priv, b.data, a.data, 1, A->scratch);
    for (ptrdiff_t i = 0; i < m; i++) out[k * m + i] = (double)b.data[i];
  }
  pri_array_destroy(&a);
  pri_array_destroy(&b);
  return s;
}

pri_status pri_operator_apply_wide(const pri_operator *A, double *y, const double *x, ptrdiff_t items) {
  if (sizeof(pri_real) == sizeof(double)) return A->cls->apply(A->ctx, A->priv, (pri_real *)(void *)y, (const pri_real *)(const void *)x, items, A->scratch);
  if (A->cls->apply_wide) return A->cls->apply_wide(A->ctx, A->priv, y, x, items, A->scratch);
  return through_real(A, A->cls->apply, y, &A->ran, x, &A->dom, items);
}

pri_status pri_operator_adjoint_wide(const pri_operator *A, double *x, const double *y, ptrdiff_t items) {
  if (sizeof(pri_real) == sizeof(double)) return A->cls->adjoint(A->ctx, A->priv, (pri_real *)(void *)x, (const pri_real *)(const void *)y, items, A->scratch);
  if (A->cls->adjoint_wide) return A->cls->adjoint_wide(A->ctx, A->priv, x, y, items, A->scratch);
  return through_real(A, A->cls->adjoint, x, &A->dom, y, &A->ran, items);
}
