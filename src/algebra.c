/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * algebra.c - operators made of operators: y = A_n ... A_1 x.
 * Items go through in groups of 16, so that the projectors keep their SIMD lanes filled; the intermediate results of one group, and what the
 * members need, lie in the scratch of the call, so that calls through the class are re-entrant; those in double are not.
 * A part of a chain is the chain of parts: rows of the last, then the rows of the one before that those read.
 */
#include <math.h>
#include <string.h>
#include "operator_private.h"

enum { GROUP = 16, MOST = 16 };

struct chain {
  int n;
  pri_operator *ops[MOST];
  ptrdiff_t size[MOST + 1]; /* elements of the domain of ops[i]; of the range of the last */
  double *wide[2];          /* [largest intermediate], one item, for the double calls */
  pri_bound norm;           /* product of the norms where all are known; UNKNOWN: power iteration */
};

static void fini(pri_ctx *ctx, void *priv) {
  struct chain *c = priv;
  for (int i = 0; i < c->n; i++) pri_operator_destroy(&c->ops[i]);
  pri_free(ctx, c->wide[0]);
  pri_free(ctx, c->wide[1]);
}

static ptrdiff_t largest(const struct chain *c) {
  ptrdiff_t most = 0;
  for (int i = 1; i < c->n; i++) most = c->size[i] > most ? c->size[i] : most;
  return most;
}

/* |A_n ... A_1| <= |A_n| ... |A_1| */
static pri_bound norm_of(const struct chain *c) {
  double product = 1;
  for (int i = 0; i < c->n; i++) {
    const void *priv;
    const pri_operator_class *k = pri_operator_class_of(c->ops[i], &priv);
    const pri_bound b = k->norm ? k->norm(priv) : (pri_bound){NAN, PRI_UNKNOWN};
    if (b.trust < PRI_PROVEN || c->n == 1) return c->n == 1 ? b : (pri_bound){NAN, PRI_UNKNOWN};
    product *= b.value;
  }
  return (pri_bound){product * (1 + 1e-15 * c->n), PRI_PROVEN};
}

static pri_bound norm(const void *priv) { return ((const struct chain *)priv)->norm; }

static pri_status prepare(pri_ctx *ctx, struct chain *c) {
  c->norm = norm_of(c);
  for (int i = 0; i < c->n; i++) c->size[i] = pri_shape_size(pri_operator_domain(c->ops[i]));
  c->size[c->n] = pri_shape_size(pri_operator_range(c->ops[c->n - 1]));
  for (int i = 0; i + 1 < c->n; i++) {
    const pri_shape *a = pri_operator_range(c->ops[i]), *b = pri_operator_domain(c->ops[i + 1]);
    char s[96], t[96];
    if (!pri_shape_equal(a, b))
      return PRI_FAIL(ctx, PRI_ESHAPE, "chain: operator %d gives %s, operator %d takes %s", i + 1, pri_shape_text(a, s, sizeof s), i + 2, pri_shape_text(b, t, sizeof t));
  }
  for (int k = 0; k < 2 && c->n > 1; k++) PRI_ALLOC(ctx, c->wide[k], largest(c));
  return PRI_OK;
}

/* ---- scratch: what stands between ops[i - 1] and ops[i], i = 1 ... n - 1, a group of it; then the scratch of the member at work */

static size_t room_between(const struct chain *c, int i) { return pri_operator_room((size_t)(GROUP * c->size[i]) * sizeof(pri_real)); }

static size_t place_between(const struct chain *c, int i) {
  size_t at = 0;
  for (int k = 1; k < i; k++) at += room_between(c, k);
  return at;
}

static size_t scratch_of(const void *priv) {
  const struct chain *c = priv;
  size_t most = 0;
  for (int i = 0; i < c->n; i++) {
    const size_t one = pri_operator_scratch_bytes(c->ops[i]);
    most = one > most ? one : most;
  }
  return place_between(c, c->n) + most;
}

static pri_real *between(const struct chain *c, int i, void *scratch) { return (pri_real *)(void *)((char *)scratch + place_between(c, i)); }

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct chain *c = priv;
  void *const own = (char *)scratch + place_between(c, c->n);
  for (ptrdiff_t k = 0; k < items; k += GROUP) {
    const ptrdiff_t n = items - k < GROUP ? items - k : GROUP;
    const pri_real *in = x + k * c->size[0];
    for (int i = 0; i < c->n; i++) { /* z_i = A_i z_(i-1) */
      pri_real *out = i + 1 < c->n ? between(c, i + 1, scratch) : y + k * c->size[c->n];
      PRI_TRY(pri_operator_apply_with(ctx, c->ops[i], out, in, n, own));
      in = out;
    }
  }
  return PRI_OK;
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct chain *c = priv;
  void *const own = (char *)scratch + place_between(c, c->n);
  for (ptrdiff_t k = 0; k < items; k += GROUP) {
    const ptrdiff_t n = items - k < GROUP ? items - k : GROUP;
    const pri_real *in = y + k * c->size[c->n];
    for (int i = c->n - 1; i >= 0; i--) { /* z_(i-1) = A_i' z_i */
      pri_real *out = i > 0 ? between(c, i, scratch) : x + k * c->size[0];
      PRI_TRY(pri_operator_adjoint_with(ctx, c->ops[i], out, in, n, own));
      in = out;
    }
  }
  return PRI_OK;
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct chain *c = priv;
  const ptrdiff_t n = c->size[0], m = c->size[c->n];
  (void)ctx, (void)scratch;
  for (ptrdiff_t k = 0; k < items; k++) {
    const double *in = x + k * n;
    for (int i = 0; i < c->n; i++) {
      double *out = i + 1 < c->n ? c->wide[i % 2] : y + k * m;
      PRI_TRY(pri_operator_apply_wide(c->ops[i], out, in, 1));
      in = out;
    }
  }
  return PRI_OK;
}

static pri_status adjoint_wide(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *scratch) {
  const struct chain *c = priv;
  const ptrdiff_t n = c->size[0], m = c->size[c->n];
  (void)ctx, (void)scratch;
  for (ptrdiff_t k = 0; k < items; k++) {
    const double *in = y + k * m;
    for (int i = c->n - 1; i >= 0; i--) {
      double *out = i > 0 ? c->wide[i % 2] : x + k * n;
      PRI_TRY(pri_operator_adjoint_wide(c->ops[i], out, in, 1));
      in = out;
    }
  }
  return PRI_OK;
}

static unsigned flags(const void *priv) {
  const struct chain *c = priv;
  unsigned common = ~0u;
  for (int i = 0; i < c->n; i++) common &= pri_operator_flags(c->ops[i]);
  return common & (PRI_OP_NONNEGATIVE | PRI_OP_DIAGONAL); /* products of projections need not be projections */
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct chain *c = priv;
  struct chain *s = sub;
  pri_box box = *ran;
  s->n = c->n;
  for (int i = c->n - 1; i >= 0; i--) {
    PRI_TRY(pri_operator_part(c->ops[i], &s->ops[i], &box, dom));
    box = *dom;
  }
  return prepare(ctx, s);
}

static const pri_geometry *geometry(const void *priv) {
  const struct chain *c = priv;
  return c->n == 1 ? pri_operator_geometry(c->ops[0]) : NULL;
}

static void frame(const void *priv, pri_box *box) { pri_operator_frame(((const struct chain *)priv)->ops[0], box); }

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  (void)priv, (void)meta, (void)dom, (void)ran;
  return PRI_FAIL(ctx, PRI_ENOTSUP, "chain: is made by pri_operator_chain");
}

/* One chain has apply_wide only where all its members have it: is_wide asks for the slots. */
#define CHAIN_KIND {.name = "chain", .brief = "operators one after another", .cite = "", .size = sizeof(struct chain)}
static const pri_operator_class chain_class = {.kind = CHAIN_KIND, .init = init, .apply = apply, .adjoint = adjoint, .scratch = scratch_of, .fini = fini, .flags = flags, .part = part, .geometry = geometry,
                                               .frame = frame, .norm = norm};
static const pri_operator_class wide_chain_class = {.kind = CHAIN_KIND, .init = init, .apply = apply, .adjoint = adjoint, .scratch = scratch_of, .fini = fini, .flags = flags, .part = part,
                                                    .geometry = geometry, .frame = frame, .norm = norm, .apply_wide = apply_wide, .adjoint_wide = adjoint_wide};

pri_status pri_operator_chain(pri_ctx *ctx, pri_operator **out, pri_operator *const *ops, int n) {
  struct chain *c;
  int wide = 1;
  *out = NULL;
  if (n < 1 || n > MOST) return PRI_FAIL(ctx, PRI_EPARAM, "chain: %d operators; between 1 and %d can be chained", n, (int)MOST);
  PRI_ALLOC(ctx, c, 1);
  c->n = n;
  for (int i = 0; i < n; i++) {
    c->ops[i] = pri_operator_ref(ops[i]);
    wide &= pri_operator_is_wide(ops[i]);
  }
  const pri_status s = prepare(ctx, c);
  if (s != PRI_OK) {
    fini(ctx, c);
    pri_free(ctx, c);
    return s;
  }
  return pri_operator_wrap(ctx, out, wide ? &wide_chain_class : &chain_class, c, pri_operator_domain(ops[0]), pri_operator_range(ops[n - 1]));
}
