/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dense.h - operators of the tests' own: a small random matrix that fills every slot ("dense"), the same with nothing but what is
 * required ("plain"), and lies that the conformance tests must find: "dense:lie=adjoint" has a wrong adjoint, and so on.
 *   y_i = sum_j a_ij x_j,   a of rows x cols, image (3, cols / 3), data (rows, 1)
 */
#ifndef TESTS_DENSE_H
#define TESTS_DENSE_H
#include <math.h>
#include <string.h>
#include "priori/priori.h"

enum dense_form { DENSE_GENERAL, DENSE_SYMMETRIC, DENSE_DIAGONAL, DENSE_PROJECTION, DENSE_NONNEGATIVE };
enum dense_lie { LIE_NONE, LIE_ADJOINT, LIE_NORM, LIE_NORMAL, LIE_FLAGS, LIE_LINEAR, LIE_THREADS, LIE_ITEMS, LIE_PART, LIE_LEAK, LIE_WIDE, LIE_RESOLVENT, LIE_ALLOCATES };
struct dense {
  long rows, cols;
  int form, lie;
  double *a;
};

static double dense_entry(const struct dense *d, long i, long j) {
  const double r = pri_rng_uniform_at(5, "dense", (uint64_t)(i * d->cols + j)) - 0.5;
  switch (d->form) {
  case DENSE_SYMMETRIC: return i < j ? dense_entry(&(struct dense){.cols = d->cols}, j, i) : r;
  case DENSE_DIAGONAL: return i == j ? r : 0;
  case DENSE_PROJECTION: return i == j && i % 2 ? 1 : 0;
  case DENSE_NONNEGATIVE: return r + 0.5;
  default: return r;
  }
}

static pri_status dense_init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct dense *d = priv;
  (void)meta;
  if (d->form != DENSE_GENERAL && d->form != DENSE_NONNEGATIVE) d->rows = d->cols;
  const pri_shape x = pri_shape_2d(3, d->cols / 3);
  const pri_shape y = d->rows == d->cols ? x : pri_shape_2d(d->rows, 1);
  if ((dom->nd && !pri_shape_equal(dom, &x)) || (ran->nd && !pri_shape_equal(ran, &y))) return PRI_FAIL(ctx, PRI_ESHAPE, "dense: other shape");
  *dom = x;
  *ran = y;
  PRI_ALLOC(ctx, d->a, d->rows * d->cols);
  for (long i = 0; i < d->rows; i++)
    for (long j = 0; j < d->cols; j++) d->a[i * d->cols + j] = dense_entry(d, i, j);
  return PRI_OK;
}

static void dense_fini(pri_ctx *ctx, void *priv) {
  struct dense *d = priv;
  if (d->lie != LIE_LEAK) pri_free(ctx, d->a);
}

#define DENSE_PRODUCTS(suffix, real)                                                                                             \
  static pri_status dense_apply##suffix(pri_ctx *ctx, const void *priv, real *y, const real *x, ptrdiff_t items, void *scratch) { \
    const struct dense *d = priv;                                                                                                \
    (void)scratch;                                                                                                               \
    for (ptrdiff_t k = 0; k < items; k++)                                                                                        \
      for (long i = 0; i < d->rows; i++) {                                                                                       \
        double s = d->lie == LIE_LINEAR ? 0.01 : 0;                                                                              \
        for (long j = 0; j < d->cols; j++) s += d->a[i * d->cols + j] * (double)x[k * d->cols + j];                              \
        if (d->lie == LIE_THREADS) s *= 1 + 1e-3 * pri_ctx_threads(ctx);                                                         \
        if (d->lie == LIE_ITEMS && items > 1) s *= 1.001;                                                                        \
        if (d->lie == LIE_WIDE && sizeof(real) != sizeof(pri_real)) s *= 1.001;                                                  \
        y[k * d->rows + i] = (real)s;                                                                                            \
      }                                                                                                                          \
    return PRI_OK;                                                                                                               \
  }                                                                                                                              \
  static pri_status dense_adjoint##suffix(pri_ctx *ctx, const void *priv, real *x, const real *y, ptrdiff_t items, void *scratch) { \
    const struct dense *d = priv;                                                                                                \
    (void)scratch;                                                                                                               \
    if (d->lie == LIE_ALLOCATES) pri_free(ctx, pri_calloc(ctx, 1, 1));                                                           \
    for (ptrdiff_t k = 0; k < items; k++)                                                                                        \
      for (long j = 0; j < d->cols; j++) {                                                                                       \
        double s = 0;                                                                                                            \
        for (long i = 0; i < d->rows; i++) s += d->a[i * d->cols + j] * (double)y[k * d->rows + i];                              \
        x[k * d->cols + j] = (real)(d->lie == LIE_ADJOINT ? s * 1.001 : s);                                                      \
      }                                                                                                                          \
    return PRI_OK;                                                                                                               \
  }
DENSE_PRODUCTS(, pri_real)
DENSE_PRODUCTS(_wide, double)

static double dense_gram(const struct dense *d, long i, long j) { /* (A'A)_ij */
  double s = 0;
  for (long k = 0; k < d->rows; k++) s += d->a[k * d->cols + i] * d->a[k * d->cols + j];
  return s;
}

static pri_status dense_normal(pri_ctx *ctx, const void *priv, pri_real *z, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct dense *d = priv;
  (void)ctx;
  (void)scratch;
  for (ptrdiff_t k = 0; k < items; k++)
    for (long i = 0; i < d->cols; i++) {
      double s = 0;
      for (long j = 0; j < d->cols; j++) s += dense_gram(d, i, j) * (double)x[k * d->cols + j];
      z[k * d->cols + i] = (pri_real)(d->lie == LIE_NORMAL ? s * 1.001 : s);
    }
  return PRI_OK;
}

static size_t dense_scratch(const void *priv) {
  const struct dense *d = priv;
  return (size_t)(d->cols * (d->cols + 1)) * sizeof(double);
}

static void eliminate(double *m, long n) { /* [n][n + 1] -> solution in the last column; m is positive definite: no pivots */
  for (long c = 0; c < n; c++)
    for (long i = 0; i < n; i++) {
      const double f = i == c ? 0 : m[i * (n + 1) + c] / m[c * (n + 1) + c];
      for (long j = c; j <= n; j++) m[i * (n + 1) + j] -= f * m[c * (n + 1) + j];
    }
}

static pri_status dense_resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch) {
  const struct dense *d = priv;
  const long n = d->cols;
  double *m = scratch;
  (void)ctx;
  if (d->lie == LIE_RESOLVENT) rho *= 2;
  if (rho <= 0) return PRI_ENOTSUP; /* no pseudo-inverse */
  for (ptrdiff_t k = 0; k < items; k++) {
    for (long i = 0; i < n; i++) {
      for (long j = 0; j < n; j++) m[i * (n + 1) + j] = dense_gram(d, i, j) + (i == j ? rho : 0);
      m[i * (n + 1) + n] = (double)b[k * n + i];
    }
    eliminate(m, n);
    for (long i = 0; i < n; i++) x[k * n + i] = (pri_real)(m[i * (n + 1) + n] / m[i * (n + 1) + i]);
  }
  return PRI_OK;
}

static pri_bound dense_norm(const void *priv) { /* Frobenius: above the spectral norm */
  const struct dense *d = priv;
  double s = 0;
  for (long i = 0; i < d->rows * d->cols; i++) s += d->a[i] * d->a[i];
  return (pri_bound){sqrt(s) * (d->lie == LIE_NORM ? 0.1 : 1), PRI_PROVEN};
}

static unsigned dense_flags(const void *priv) {
  const struct dense *d = priv;
  static const unsigned of[] = {0, PRI_OP_SELFADJOINT, PRI_OP_SELFADJOINT | PRI_OP_DIAGONAL,
                                PRI_OP_SELFADJOINT | PRI_OP_DIAGONAL | PRI_OP_PROJECTION | PRI_OP_NONNEGATIVE, PRI_OP_NONNEGATIVE};
  return d->lie == LIE_FLAGS ? ~0u : of[d->form];
}

static pri_status dense_part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct dense *d = priv;
  struct dense *s = sub;
  const pri_shape x = pri_shape_2d(3, d->cols / 3);
  if (d->rows == d->cols) return PRI_FAIL(ctx, PRI_ENOTSUP, "dense: parts of square matrices are not drawn");
  *dom = pri_box_whole(&x);
  s->rows = (long)ran->n[0];
  PRI_ALLOC(ctx, s->a, s->rows * s->cols);
  for (long i = 0; i < s->rows; i++)
    memcpy(s->a + i * s->cols, d->a + ((long)ran->first[0] + i * (long)ran->step[0]) * d->cols, (size_t)s->cols * sizeof *s->a);
  if (d->lie == LIE_PART) s->a[0] += 0.1;
  return PRI_OK;
}

static const char *const dense_forms[] = {"general", "symmetric", "diagonal", "projection", "nonnegative", NULL};
static const char *const dense_lies[] = {"none", "adjoint", "norm", "normal", "flags", "linear", "threads", "items", "part", "leak", "wide", "resolvent", "allocates", NULL};
static const pri_param dense_params[] = {
    {.name = "rows", .unit = "1", .help = "rows", .type = PRI_INT, .offset = offsetof(struct dense, rows), .min = 1, .max = 1000, .def = 17},
    {.name = "cols", .unit = "1", .help = "columns, a multiple of 3", .type = PRI_INT, .offset = offsetof(struct dense, cols), .min = 3, .max = 999, .def = 12},
    {.name = "form", .unit = "-", .help = "what kind of matrix", .type = PRI_CHOICE, .offset = offsetof(struct dense, form), .choices = dense_forms},
    {.name = "lie", .unit = "-", .help = "what is claimed wrongly", .type = PRI_CHOICE, .offset = offsetof(struct dense, lie), .choices = dense_lies},
    {0}};
static const char *const dense_examples[] = {"rows=17", "rows=7,cols=15", "rows=1,cols=3", "form=symmetric", "form=diagonal", "form=projection", "form=nonnegative", NULL};
static const char *const plain_examples[] = {"rows=17", "rows=8,cols=12", NULL};
static const pri_operator_class dense_class = {
    .kind = {"dense", "small random matrix", "", sizeof(struct dense), dense_params, dense_examples},
    .init = dense_init, .apply = dense_apply, .adjoint = dense_adjoint, .fini = dense_fini, .flags = dense_flags, .scratch = dense_scratch,
    .normal = dense_normal, .norm = dense_norm, .apply_wide = dense_apply_wide, .adjoint_wide = dense_adjoint_wide,
    .resolvent = dense_resolvent, .part = dense_part};
static const pri_operator_class plain_class = {
    .kind = {"plain", "small random matrix, required slots only", "", sizeof(struct dense), dense_params, plain_examples},
    .init = dense_init, .apply = dense_apply, .adjoint = dense_adjoint, .fini = dense_fini};
#endif
