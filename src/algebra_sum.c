/* SPDX-License-Identifier: GPL-3.0-or-later */
/* algebra_sum.c - y = (A_1 + ... + A_n) x: operators of one domain and one range added up. Items one by one through one intermediate
   result, which lies in the scratch of the call with what the members need: calls through the class are re-entrant; those in double are not. */
#include <math.h>
#include <string.h>
#include "operator_private.h"
#include "vec.h"

enum { MOST = 16 };

struct sum {
  int n;
  pri_operator *ops[MOST];
  pri_shape image, data;
  double *wide;          /* [larger side] */
};

static void fini(pri_ctx *ctx, void *priv) {
  struct sum *s = priv;
  for (int i = 0; i < s->n; i++) pri_operator_destroy(&s->ops[i]);
  pri_free(ctx, s->wide);
}

typedef pri_status (*call_fn)(pri_ctx *ctx, const pri_operator *A, pri_real *to, const pri_real *from, ptrdiff_t items, void *scratch);
typedef pri_status (*wide_fn)(const pri_operator *A, double *to, const double *from, ptrdiff_t items);

/* scratch: one item of the larger side, then that of the member at work */
static size_t room(const struct sum *s) {
  const ptrdiff_t a = pri_shape_size(&s->image), b = pri_shape_size(&s->data);
  return pri_operator_room((size_t)(a > b ? a : b) * sizeof(pri_real));
}

static size_t scratch_of(const void *priv) {
  const struct sum *s = priv;
  size_t most = 0;
  for (int i = 0; i < s->n; i++) {
    const size_t one = pri_operator_scratch_bytes(s->ops[i]);
    most = one > most ? one : most;
  }
  return room(s) + most;
}

static pri_status add_up(pri_ctx *ctx, const struct sum *s, call_fn call, pri_real *to, const pri_real *from, ptrdiff_t n, ptrdiff_t m, ptrdiff_t items, void *scratch) {
  pri_real *more = scratch;
  void *own = (char *)scratch + room(s);
  for (ptrdiff_t k = 0; k < items; k++) {
    PRI_TRY(call(ctx, s->ops[0], to + k * n, from + k * m, 1, own));
    for (int i = 1; i < s->n; i++) {
      PRI_TRY(call(ctx, s->ops[i], more, from + k * m, 1, own));
      pri_axpy(ctx, to + k * n, 1, more, n);
    }
  }
  return PRI_OK;
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct sum *s = priv;
  return add_up(ctx, s, pri_operator_apply_with, y, x, pri_shape_size(&s->data), pri_shape_size(&s->image), items, scratch);
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct sum *s = priv;
  return add_up(ctx, s, pri_operator_adjoint_with, x, y, pri_shape_size(&s->image), pri_shape_size(&s->data), items, scratch);
}

static pri_status add_up_wide(const struct sum *s, wide_fn call, double *to, const double *from, ptrdiff_t n, ptrdiff_t m, ptrdiff_t items) {
  for (ptrdiff_t k = 0; k < items; k++) {
    PRI_TRY(call(s->ops[0], to + k * n, from + k * m, 1));
    for (int i = 1; i < s->n; i++) {
      PRI_TRY(call(s->ops[i], s->wide, from + k * m, 1));
      for (ptrdiff_t j = 0; j < n; j++) to[k * n + j] += s->wide[j];
    }
  }
  return PRI_OK;
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct sum *s = priv;
  (void)ctx, (void)scratch;
  return add_up_wide(s, pri_operator_apply_wide, y, x, pri_shape_size(&s->data), pri_shape_size(&s->image), items);
}

static pri_status adjoint_wide(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *scratch) {
  const struct sum *s = priv;
  (void)ctx, (void)scratch;
  return add_up_wide(s, pri_operator_adjoint_wide, x, y, pri_shape_size(&s->image), pri_shape_size(&s->data), items);
}

static unsigned flags(const void *priv) {
  const struct sum *s = priv;
  unsigned common = PRI_OP_SELFADJOINT | PRI_OP_NONNEGATIVE | PRI_OP_DIAGONAL;
  for (int i = 0; i < s->n; i++) common &= pri_operator_flags(s->ops[i]);
  return common;
}

static pri_bound norm(const void *priv) { /* |A_1 + ... + A_n| <= |A_1| + ... + |A_n|, where all are known */
  const struct sum *s = priv;
  double total = 0;
  for (int i = 0; i < s->n; i++) {
    const void *of;
    const pri_operator_class *k = pri_operator_class_of(s->ops[i], &of);
    const pri_bound b = k->norm ? k->norm(of) : (pri_bound){NAN, PRI_UNKNOWN};
    if (b.trust < PRI_PROVEN) return (pri_bound){NAN, PRI_UNKNOWN};
    total += b.value;
  }
  return (pri_bound){total * (1 + 1e-15 * s->n), PRI_PROVEN};
}

/* that of all; the whole, where they do not agree */
static void frame(const void *priv, pri_box *box) {
  const struct sum *s = priv;
  pri_box one;
  pri_operator_frame(s->ops[0], box);
  for (int i = 1; i < s->n; i++) {
    pri_operator_frame(s->ops[i], &one);
    if (memcmp(&one, box, sizeof one)) *box = pri_box_whole(&s->image);
  }
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  (void)priv, (void)meta, (void)dom, (void)ran;
  return PRI_FAIL(ctx, PRI_ENOTSUP, "sum: is made by pri_operator_sum");
}

/* as for chains: a sum has the wide slots only where all its members do */
#define SUM_KIND {.name = "sum", .brief = "operators added up", .cite = "", .size = sizeof(struct sum)}
static const pri_operator_class sum_class = {.kind = SUM_KIND, .init = init, .apply = apply, .adjoint = adjoint, .scratch = scratch_of, .fini = fini, .flags = flags, .norm = norm, .frame = frame};
static const pri_operator_class wide_sum_class = {.kind = SUM_KIND, .init = init, .apply = apply, .adjoint = adjoint, .scratch = scratch_of, .fini = fini, .flags = flags, .norm = norm, .frame = frame,
                                                  .apply_wide = apply_wide, .adjoint_wide = adjoint_wide};

static pri_status fill(pri_ctx *ctx, struct sum *s, pri_operator *const *ops, int n, int *wide) {
  const pri_shape *dom = pri_operator_domain(ops[0]), *ran = pri_operator_range(ops[0]);
  for (int i = 0; i < n; i++) {
    s->ops[s->n++] = pri_operator_ref(ops[i]);
    *wide &= pri_operator_is_wide(ops[i]);
    if (!pri_shape_equal(pri_operator_domain(ops[i]), dom) || !pri_shape_equal(pri_operator_range(ops[i]), ran))
      return PRI_FAIL(ctx, PRI_ESHAPE, "sum: operator %d does not have the shapes of operator 1", i + 1);
  }
  s->image = *dom, s->data = *ran;
  const ptrdiff_t a = pri_shape_size(dom), b = pri_shape_size(ran);
  PRI_ALLOC(ctx, s->wide, a > b ? a : b);
  return PRI_OK;
}

pri_status pri_operator_sum(pri_ctx *ctx, pri_operator **out, pri_operator *const *ops, int n) {
  struct sum *s;
  int wide = 1;
  *out = NULL;
  if (n < 1 || n > MOST) return PRI_FAIL(ctx, PRI_EPARAM, "sum: %d operators; between 1 and %d can be added", n, (int)MOST);
  PRI_ALLOC(ctx, s, 1);
  const pri_status filled = fill(ctx, s, ops, n, &wide);
  if (filled != PRI_OK) {
    fini(ctx, s);
    pri_free(ctx, s);
    return filled;
  }
  return pri_operator_wrap(ctx, out, wide ? &wide_sum_class : &sum_class, s, pri_operator_domain(ops[0]), pri_operator_range(ops[0]));
}
