/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_operator.c - what every registered operator must hold, for every one of its examples; and lies that these checks must find.
 * Nothing here knows an operator by name: a new one is checked with no test written for it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "alloc.h"
#include "dense.h"
#include "priori/priori.h"

/* rounding of one product: sums are in double or short, so a few units of the storage; the bound for the adjoint */
static const double ROUND = sizeof(pri_real) == 4 ? 1e-6 : 1e-12;

static pri_registry registry;          /* the built-in one and the tests' own operators */
static const pri_kind *kinds[64];

struct subject {
  char spec[256];
  pri_ctx *ctx;
  pri_operator *A;
  ptrdiff_t n, m;                      /* elements of an image, of its data */
};
static char said[512];                 /* why the last check did not hold */
#define NOT(...) (snprintf(said, sizeof said, __VA_ARGS__), 0)

/* The operator of a spec. An operator whose keys do not say the size gets an image of 12 x 16, else 5 x 12 x 16. */
static pri_status create(pri_ctx *ctx, const char *spec, pri_operator **A) {
  const pri_shape flat = pri_shape_2d(12, 16), deep = {3, {5, 12, 16}};
  const pri_shape *const shapes[] = {NULL, &flat, &deep};
  pri_status s = PRI_OK;
  for (int i = 0; i < 3; i++) {
    s = pri_operator_create(ctx, A, spec, NULL, shapes[i], NULL);
    if (s != PRI_ESHAPE && s != PRI_EPARAM) break;
  }
  return s;
}

static pri_ctx *context(int threads) {
  pri_ctx *ctx;
  const pri_ctx_opts opts = {.threads = threads, .registry = &registry};
  assert_int_equal(pri_ctx_create(&ctx, &opts), PRI_OK);
  return ctx;
}

static int open_subject(struct subject *s, const char *spec, int threads) {
  *s = (struct subject){.ctx = context(threads)};
  snprintf(s->spec, sizeof s->spec, "%s", spec);
  if (create(s->ctx, spec, &s->A) != PRI_OK) return NOT("%s", pri_ctx_message(s->ctx));
  s->n = pri_shape_size(pri_operator_domain(s->A));
  s->m = pri_shape_size(pri_operator_range(s->A));
  return 1;
}

static int close_subject(struct subject *s) {
  pri_operator_destroy(&s->A);
  const size_t held = pri_ctx_memory_used(s->ctx);
  pri_ctx_destroy(&s->ctx);
  return held == 0 ? 1 : NOT("%zu bytes are not given back", held);
}

/* ---- vectors */
static pri_array blank(const struct subject *s, const pri_shape *shape, ptrdiff_t items) {
  pri_array a;
  assert_int_equal(pri_array_create(s->ctx, &a, shape, items), PRI_OK);
  return a;
}
static pri_array image(const struct subject *s) { return blank(s, pri_operator_domain(s->A), 1); }
static pri_array data(const struct subject *s) { return blank(s, pri_operator_range(s->A), 1); }
static pri_array drawn(const struct subject *s, const pri_shape *shape, ptrdiff_t items, const char *stream) {
  pri_array a = blank(s, shape, items);
  pri_rng_normal(11, stream, 0, a.data, (size_t)(pri_shape_size(shape) * items));
  return a;
}
static ptrdiff_t size(const pri_array *a) { return pri_shape_size(&a->shape) * a->items; }
static double dot(const pri_array *a, const pri_array *b) {
  double s = 0;
  for (ptrdiff_t i = 0; i < size(a); i++) s += (double)a->data[i] * (double)b->data[i];
  return s;
}
static double norm(const pri_array *a) { return sqrt(dot(a, a)); }
static double distance(const pri_array *a, const pri_array *b) {
  double s = 0;
  for (ptrdiff_t i = 0; i < size(a); i++) s += ((double)a->data[i] - (double)b->data[i]) * ((double)a->data[i] - (double)b->data[i]);
  return sqrt(s);
}
static void apply(const struct subject *s, pri_array *y, const pri_array *x) {
  if (pri_operator_apply(s->A, y, x) != PRI_OK) fail_msg("%s: %s", s->spec, pri_ctx_message(s->ctx));
}
static void adjoint(const struct subject *s, pri_array *x, const pri_array *y) {
  if (pri_operator_adjoint(s->A, x, y) != PRI_OK) fail_msg("%s: %s", s->spec, pri_ctx_message(s->ctx));
}
static void drop4(pri_array *a, pri_array *b, pri_array *c, pri_array *d) {
  pri_array *const all[] = {a, b, c, d};
  for (int i = 0; i < 4; i++)
    if (all[i]) pri_array_destroy(all[i]);
}

/* ---- the checks: 1 where they hold */

static int has_adjoint(const struct subject *s) { /* <A x, u> = <x, A'u>: random, then one pixel against one datum */
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "x"), u = drawn(s, pri_operator_range(s->A), 1, "u"), Ax = data(s), Au = image(s);
  int ok = 1;
  for (int k = 0; k < 40 && ok; k++) {
    if (k > 0) {
      memset(x.data, 0, (size_t)s->n * sizeof *x.data);
      memset(u.data, 0, (size_t)s->m * sizeof *u.data);
      x.data[(ptrdiff_t)(pri_rng_uniform_at(1, "pixel", (uint64_t)k) * (double)s->n)] = 1;
      u.data[(ptrdiff_t)(pri_rng_uniform_at(1, "datum", (uint64_t)k) * (double)s->m)] = 1;
    }
    apply(s, &Ax, &x);
    adjoint(s, &Au, &u);
    const double error = fabs(dot(&Ax, &u) - dot(&x, &Au)), scale = norm(&Ax) * norm(&u) + norm(&x) * norm(&Au);
    if (error > ROUND * scale) ok = NOT("probe %d: <Ax,u> and <x,A'u> differ by %.3g of %.3g", k, error, scale);
  }
  double worst;
  if (ok && (pri_operator_mismatch(s->A, 3, 12, &worst) != PRI_OK || !(worst <= ROUND))) ok = NOT("pri_operator_mismatch says %.3g", worst);
  drop4(&x, &u, &Ax, &Au);
  return ok;
}

static int keeps_norm(const struct subject *s) { /* |Ax| <= norm |x| where that is claimed, x pushed towards the worst */
  const pri_bound b = pri_operator_norm(s->A);
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "norm"), y = data(s);
  int ok = isfinite(b.value) && b.value >= 0 ? 1 : NOT("norm %g", b.value);
  for (int k = 0; k < 12 && ok; k++) {
    if (k == 6) for (ptrdiff_t i = 0; i < s->n; i++) x.data[i] = 1;
    const double nx = norm(&x);
    apply(s, &y, &x);
    const double nu = norm(&y); /* a power iteration finds at least half of it soon: what an estimate must reach */
    const double allowed = b.trust >= PRI_PROVEN ? 1 + 10 * ROUND : 2;
    if (nu > b.value * allowed * nx) ok = NOT("|Ax|/|x| = %.9g, norm %.9g", nu / nx, b.value);
    adjoint(s, &x, &y);
    const double big = norm(&x);
    for (ptrdiff_t i = 0; i < s->n && big > 0; i++) x.data[i] = (pri_real)((double)x.data[i] / big);
  }
  drop4(&x, &y, NULL, NULL);
  return ok;
}

static int has_normal(const struct subject *s) {
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "normal"), y = data(s), z = image(s), w = image(s);
  apply(s, &y, &x);
  adjoint(s, &z, &y);
  int ok = pri_operator_normal(s->A, &w, &x) == PRI_OK ? 1 : NOT("%s", pri_ctx_message(s->ctx));
  const double n = pri_operator_norm(s->A).value;
  if (ok && distance(&z, &w) > 10 * ROUND * n * n * norm(&x)) ok = NOT("|normal - A'A x| = %.3g of %.3g", distance(&z, &w), n * n * norm(&x));
  drop4(&x, &y, &z, &w);
  return ok;
}

static int is_diagonal(const struct subject *s) { /* A e_i is a multiple of e_i */
  pri_array x = image(s), y = data(s);
  int ok = s->n == s->m ? 1 : NOT("diagonal, but not square");
  for (int k = 0; k < 20 && ok; k++) {
    const ptrdiff_t i = (ptrdiff_t)(pri_rng_uniform_at(2, "diagonal", (uint64_t)k) * (double)s->n);
    x.data[i] = 1;
    apply(s, &y, &x);
    x.data[i] = 0;
    y.data[i] = 0;
    if (norm(&y) != 0) ok = NOT("diagonal, but pixel %td reaches others", i);
  }
  drop4(&x, &y, NULL, NULL);
  return ok;
}

static int is_selfadjoint_or_projection(const struct subject *s, unsigned f) {
  if (s->n != s->m) return NOT("self-adjoint or projection, but not square");
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "x"), y = data(s), z = image(s), w = data(s);
  int ok = 1;
  apply(s, &y, &x);
  memcpy(z.data, x.data, (size_t)s->n * sizeof *z.data);
  const pri_array as_data = pri_array_borrow(z.data, pri_operator_range(s->A), 1);
  adjoint(s, &x, &as_data); /* A'z, z the old x */
  const double scale = pri_operator_norm(s->A).value * norm(&z);
  if ((f & PRI_OP_SELFADJOINT) && fabs(distance(&x, &y)) > 10 * ROUND * scale) ok = NOT("self-adjoint, but |Ax - A'x| = %.3g", distance(&x, &y));
  const pri_array as_image = pri_array_borrow(y.data, pri_operator_domain(s->A), 1);
  apply(s, &w, &as_image);
  if (ok && (f & PRI_OP_PROJECTION) && distance(&w, &y) > 10 * ROUND * scale) ok = NOT("projection, but |A(Ax) - Ax| = %.3g", distance(&w, &y));
  drop4(&x, &y, &z, &w);
  return ok;
}

static int is_nonnegative(const struct subject *s) { /* x >= 0 gives Ax >= 0, and so for A' */
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "x"), y = drawn(s, pri_operator_range(s->A), 1, "y");
  int ok = 1;
  for (int k = 0; k < 2; k++) {
    pri_array *in = k ? &y : &x, *out = k ? &x : &y;
    for (ptrdiff_t i = 0; i < size(in); i++) in->data[i] = (pri_real)fabs((double)in->data[i]);
    if (k) adjoint(s, out, in); else apply(s, out, in);
    for (ptrdiff_t i = 0; i < size(out); i++)
      if (!(out->data[i] >= 0)) ok = NOT("non-negative, but %s(x >= 0)[%td] = %g", k ? "A'" : "A", i, (double)out->data[i]);
  }
  drop4(&x, &y, NULL, NULL);
  return ok;
}

static int is_identity(const struct subject *s) {
  if (s->n != s->m) return NOT("identity, but not square");
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "x"), y = data(s);
  apply(s, &y, &x);
  const int ok = memcmp(x.data, y.data, (size_t)s->n * sizeof *x.data) == 0 ? 1 : NOT("identity, but A x has other bits than x");
  drop4(&x, &y, NULL, NULL);
  return ok;
}

static int holds_flags(const struct subject *s) {
  const void *priv;
  const pri_operator_class *c = pri_operator_class_of(s->A, &priv);
  const unsigned f = c->flags ? c->flags(priv) : 0;
  return (!(f & PRI_OP_DIAGONAL) || is_diagonal(s)) && (!(f & (PRI_OP_SELFADJOINT | PRI_OP_PROJECTION)) || is_selfadjoint_or_projection(s, f)) &&
         (!(f & PRI_OP_NONNEGATIVE) || is_nonnegative(s)) && (!(f & PRI_OP_IDENTITY) || is_identity(s));
}

static int is_linear(const struct subject *s) { /* A(2x - 3z) = 2Ax - 3Az; A0 = 0 */
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "x"), z = drawn(s, pri_operator_domain(s->A), 1, "z"), y = data(s), w = data(s);
  apply(s, &y, &x);
  apply(s, &w, &z);
  const double scale = 2 * norm(&y) + 3 * norm(&w) + pri_operator_norm(s->A).value * norm(&x);
  for (ptrdiff_t i = 0; i < s->n; i++) x.data[i] = (pri_real)(2 * (double)x.data[i] - 3 * (double)z.data[i]);
  for (ptrdiff_t i = 0; i < s->m; i++) y.data[i] = (pri_real)(2 * (double)y.data[i] - 3 * (double)w.data[i]);
  apply(s, &w, &x);
  int ok = distance(&y, &w) <= 10 * ROUND * scale ? 1 : NOT("|A(2x-3z) - 2Ax + 3Az| = %.3g of %.3g", distance(&y, &w), scale);
  memset(x.data, 0, (size_t)s->n * sizeof *x.data);
  apply(s, &y, &x);
  if (norm(&y) != 0) ok = NOT("A0 is not 0");
  drop4(&x, &z, &y, &w);
  return ok;
}

/* 1 where every item of `many` has the bits of `one` applied to it alone. */
static int bits_alone(const struct subject *s, const pri_array *x, const pri_array *y, const pri_array *z) {
  pri_array y1 = data(s), z1 = image(s);
  int ok = 1;
  for (ptrdiff_t k = 0; k < x->items && ok; k++) {
    const pri_array xk = pri_array_items(x, k, 1), yk = pri_array_items(y, k, 1);
    apply(s, &y1, &xk);
    adjoint(s, &z1, &yk);
    if (memcmp(y1.data, pri_array_item(y, k), (size_t)s->m * sizeof *y1.data)) ok = NOT("item %td of %td has other bits alone", k, x->items);
    if (memcmp(z1.data, pri_array_item(z, k), (size_t)s->n * sizeof *z1.data)) ok = NOT("item %td of %td has other bits alone (adjoint)", k, x->items);
  }
  drop4(&y1, &z1, NULL, NULL);
  return ok;
}

static int same_bits_in_stacks(const struct subject *s) { /* alone and in stacks that do and do not fill SIMD lanes */
  static const ptrdiff_t stacks[] = {2, 5, 16, 19};
  int ok = 1;
  for (int i = 0; i < 4 && ok; i++) {
    pri_array x = drawn(s, pri_operator_domain(s->A), stacks[i], "stack"), y = blank(s, pri_operator_range(s->A), stacks[i]);
    pri_array z = blank(s, pri_operator_domain(s->A), stacks[i]);
    apply(s, &y, &x);
    adjoint(s, &z, &y);
    ok = bits_alone(s, &x, &y, &z);
    drop4(&x, &y, &z, NULL);
  }
  return ok;
}

static int same_bits_for_threads(const struct subject *s) {
  pri_array x = drawn(s, pri_operator_domain(s->A), 3, "threads"), y = blank(s, pri_operator_range(s->A), 3), z = blank(s, pri_operator_domain(s->A), 3);
  apply(s, &y, &x);
  adjoint(s, &z, &y);
  static const int threads[] = {2, 3, 8};
  int ok = 1;
  for (int i = 0; i < 3 && ok; i++) {
    struct subject t;
    if (!open_subject(&t, s->spec, threads[i])) return 0;
    pri_array y2 = blank(&t, pri_operator_range(t.A), 3), z2 = blank(&t, pri_operator_domain(t.A), 3);
    apply(&t, &y2, &x);
    adjoint(&t, &z2, &y2);
    if (memcmp(y.data, y2.data, (size_t)size(&y) * sizeof *y.data)) ok = NOT("other bits with %d threads", threads[i]);
    if (memcmp(z.data, z2.data, (size_t)size(&z) * sizeof *z.data)) ok = NOT("other bits with %d threads (adjoint)", threads[i]);
    drop4(&y2, &z2, NULL, NULL);
    ok = close_subject(&t) && ok;
  }
  drop4(&x, &y, &z, NULL);
  return ok;
}

/* P is the part `ran` of A, reading `dom`: P x[dom] = (A x)[ran], and P'u = (A'(u put into zeros))[dom] with nothing elsewhere. */
static int part_agrees(const struct subject *s, const struct subject *p, const pri_box *ran, const pri_box *dom) {
  pri_array x = drawn(s, pri_operator_domain(s->A), 1, "part"), y = data(s), xp = image(p), yp = data(p);
  pri_array rows = data(p), z = image(s), zp = image(p), back = image(p);
  int ok = 1;
  apply(s, &y, &x);
  assert_int_equal(pri_array_take(s->ctx, &xp, &x, dom), PRI_OK);
  assert_int_equal(pri_array_take(s->ctx, &rows, &y, ran), PRI_OK);
  apply(p, &yp, &xp);
  if (distance(&yp, &rows) > 10 * ROUND * (norm(&rows) + 1e-30)) ok = NOT("rows of the part differ by %.3g of %.3g", distance(&yp, &rows), norm(&rows));
  memset(y.data, 0, (size_t)s->m * sizeof *y.data);
  assert_int_equal(pri_array_put(s->ctx, &y, &yp, ran), PRI_OK);
  adjoint(s, &z, &y);
  adjoint(p, &zp, &yp);
  assert_int_equal(pri_array_take(s->ctx, &back, &z, dom), PRI_OK);
  if (distance(&zp, &back) > 10 * ROUND * (norm(&z) + 1e-30)) ok = NOT("adjoint of the part differs by %.3g of %.3g", distance(&zp, &back), norm(&z));
  const double outside = norm(&z) - norm(&back);
  if (outside > 10 * ROUND * norm(&z)) ok = NOT("rows read pixels outside the box that the part names");
  drop4(&x, &y, &xp, &yp);
  drop4(&rows, &z, &zp, &back);
  return ok;
}

static int has_parts(const struct subject *s) { /* every third row from 0, 1, 2; a slab; all */
  const pri_shape *r = pri_operator_range(s->A);
  int ok = 1, some = 0;
  for (int i = 0; i < 5 && ok; i++) {
    pri_box ran = pri_box_whole(r), dom;
    const ptrdiff_t step = i < 3 ? 3 : 1, first = i < 3 ? i : i == 3 ? r->n[0] / 3 : 0;
    if (first >= r->n[0]) continue;
    ran.first[0] = first, ran.step[0] = step;
    ran.n[0] = i == 3 ? (r->n[0] - first + 1) / 2 : (r->n[0] - first + step - 1) / step;
    struct subject p = {.ctx = s->ctx};
    snprintf(p.spec, sizeof p.spec, "%.200s (part %d)", s->spec, i);
    const pri_status status = pri_operator_part(s->A, &p.A, &ran, &dom);
    if (status == PRI_ENOTSUP) continue;
    if (status != PRI_OK) return NOT("part %d: %s", i, pri_ctx_message(s->ctx));
    p.n = pri_shape_size(pri_operator_domain(p.A));
    p.m = pri_shape_size(pri_operator_range(p.A));
    ok = part_agrees(s, &p, &ran, &dom) && has_adjoint(&p);
    some = 1;
    pri_operator_destroy(&p.A);
  }
  (void)some;
  return ok;
}

static int is_wide_right(const struct subject *s) { /* the double products agree with the others and are adjoint to 1e-12 */
  const pri_shape *ds = pri_operator_domain(s->A), *rs = pri_operator_range(s->A);
  pri_array x = drawn(s, ds, 1, "wide"), u = drawn(s, rs, 1, "wide u"), y = data(s), z = image(s);
  double *xw = calloc((size_t)(2 * s->n + 2 * s->m), sizeof *xw), *zw = xw + s->n, *yw = zw + s->n, *uw = yw + s->m;
  assert_non_null(xw);
  apply(s, &y, &x);
  adjoint(s, &z, &u);
  for (ptrdiff_t i = 0; i < s->n; i++) xw[i] = (double)x.data[i];
  for (ptrdiff_t i = 0; i < s->m; i++) uw[i] = (double)u.data[i];
  int ok = pri_operator_apply_wide(s->A, yw, xw, 1) == PRI_OK && pri_operator_adjoint_wide(s->A, zw, uw, 1) == PRI_OK ? 1 : NOT("%s", pri_ctx_message(s->ctx));
  double ey = 0, ez = 0, a = 0, b = 0, ny = 0;
  for (ptrdiff_t i = 0; i < s->m; i++) ey += pow(yw[i] - (double)y.data[i], 2), a += yw[i] * uw[i], ny += yw[i] * yw[i];
  for (ptrdiff_t i = 0; i < s->n; i++) ez += pow(zw[i] - (double)z.data[i], 2), b += zw[i] * xw[i];
  const double scale = pri_operator_norm(s->A).value * (norm(&x) + norm(&u));
  if (ok && sqrt(ey) + sqrt(ez) > 10 * ROUND * scale) ok = NOT("double and storage products differ by %.3g, %.3g of %.3g", sqrt(ey), sqrt(ez), scale);
  const double tol = pri_operator_is_wide(s->A) ? 1e-12 : ROUND;
  if (ok && fabs(a - b) > tol * sqrt(ny) * norm(&u)) ok = NOT("the double products are adjoint to %.3g only", fabs(a - b) / (sqrt(ny) * norm(&u)));
  free(xw);
  drop4(&x, &u, &y, &z);
  return ok;
}

static int has_resolvent(const struct subject *s) { /* (A'A + rho) x = b */
  pri_array b = drawn(s, pri_operator_domain(s->A), 1, "b"), x = image(s), z = image(s);
  const double n = pri_operator_norm(s->A).value, rho = 0.2 * n * n;
  int ok = 1;
  if (rho > 0) {
    if (pri_operator_resolvent(s->A, &x, &b, rho) != PRI_OK || pri_operator_normal(s->A, &z, &x) != PRI_OK) ok = NOT("%s", pri_ctx_message(s->ctx));
    for (ptrdiff_t i = 0; i < s->n; i++) z.data[i] = (pri_real)((double)z.data[i] + rho * (double)x.data[i]);
    /* the system's condition is at most 6: the residual is a few roundings */
    if (ok && distance(&z, &b) > 20 * ROUND * norm(&b)) ok = NOT("residual of the resolvent %.3g of %.3g", distance(&z, &b), norm(&b));
  }
  drop4(&b, &x, &z, NULL);
  return ok;
}

static int refuses_shapes(const struct subject *s) {
  const pri_shape odd = {1, {s->n + s->m + 1}};
  pri_array x = image(s), y = data(s), wrong = blank(s, &odd, 1), two = blank(s, pri_operator_range(s->A), 2);
  const int ok = pri_operator_apply(s->A, &wrong, &x) == PRI_ESHAPE && pri_operator_apply(s->A, &y, &wrong) == PRI_ESHAPE &&
                 pri_operator_adjoint(s->A, &wrong, &y) == PRI_ESHAPE && pri_operator_adjoint(s->A, &x, &wrong) == PRI_ESHAPE &&
                 pri_operator_apply(s->A, &two, &x) == PRI_ESHAPE;
  drop4(&x, &y, &wrong, &two);
  return ok ? 1 : NOT("an array of another shape is not ESHAPE");
}

static int allocates_nothing(const struct subject *s) { /* after the first call */
  pri_array x = drawn(s, pri_operator_domain(s->A), 3, "x"), y = blank(s, pri_operator_range(s->A), 3);
  apply(s, &y, &x);
  adjoint(s, &x, &y);
  const long before = pri_ctx_allocations(s->ctx);
  apply(s, &y, &x);
  adjoint(s, &x, &y);
  const long after = pri_ctx_allocations(s->ctx);
  drop4(&x, &y, NULL, NULL);
  return after == before ? 1 : NOT("apply or adjoint allocates");
}

static pri_status all_calls(pri_ctx *ctx, pri_operator *A, pri_array a[3]) {
  pri_box ran = pri_box_whole(pri_operator_range(A)), dom;
  pri_operator *P = NULL;
  double worst;
  PRI_TRY(pri_array_create(ctx, &a[0], pri_operator_domain(A), 2));
  PRI_TRY(pri_array_create(ctx, &a[1], pri_operator_range(A), 2));
  PRI_TRY(pri_array_create(ctx, &a[2], pri_operator_domain(A), 2));
  PRI_TRY(pri_operator_apply(A, &a[1], &a[0]));
  PRI_TRY(pri_operator_adjoint(A, &a[0], &a[1]));
  PRI_TRY(pri_operator_normal(A, &a[2], &a[0]));
  PRI_TRY(pri_operator_mismatch(A, 1, 1, &worst));
  if (pri_operator_norm(A).trust == PRI_UNKNOWN) return pri_ctx_code(ctx);
  const pri_status s = pri_operator_part(A, &P, &ran, &dom);
  pri_operator_destroy(&P);
  return s == PRI_ENOTSUP ? PRI_OK : s;
}

static pri_status create_and_call(pri_ctx *ctx, void *spec) {
  pri_operator *A = NULL;
  pri_array a[3] = {{0}};
  pri_status s = create(ctx, spec, &A);
  if (s == PRI_OK) s = all_calls(ctx, A, a);
  for (int i = 0; i < 3; i++) pri_array_destroy(&a[i]);
  pri_operator_destroy(&A);
  return s;
}

static int survives_no_memory(const struct subject *s) {
  char spec[256];
  snprintf(spec, sizeof spec, "%s", s->spec);
  const char *why = test_every_allocation(&registry, create_and_call, spec);
  return why ? NOT("%s", why) : 1;
}

static const struct rule {
  const char *name;
  int (*holds)(const struct subject *s);
} rules[] = {{"adjoint", has_adjoint},      {"norm", keeps_norm},           {"normal", has_normal},   {"flags", holds_flags},
             {"linear", is_linear},         {"items", same_bits_in_stacks}, {"threads", same_bits_for_threads},
             {"part", has_parts},           {"wide", is_wide_right},        {"resolvent", has_resolvent},
             {"shapes", refuses_shapes},    {"allocates", allocates_nothing}, {"leak", survives_no_memory}};

/* Number of rules broken; each is printed with its spec, unless `only` (a lie): then whether that rule is broken. */
static int broken(const char *spec, const char *only) {
  int count = 0;
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    struct subject s;
    if (only && strcmp(only, rules[i].name)) continue;
    const int ok = open_subject(&s, spec, 1) && rules[i].holds(&s);
    const int clean = close_subject(&s);
    if (ok && clean) continue;
    count++;
    if (!only) print_message("# %s: %s: %s\n", spec, rules[i].name, said);
  }
  return count;
}

static void every_operator_conforms(void **state) {
  (void)state;
  int count = 0;
  for (int k = 0; kinds[k]; k++) {
    if (!kinds[k]->examples || !kinds[k]->examples[0]) count++, print_message("# %s: has no examples\n", kinds[k]->name);
    for (const char *const *e = kinds[k]->examples; e && *e; e++) {
      char spec[256];
      snprintf(spec, sizeof spec, "%s%s%s", kinds[k]->name, **e ? ":" : "", *e);
      count += broken(spec, NULL);
    }
  }
  assert_int_equal(count, 0);
}

static void lies_are_found(void **state) {
  (void)state;
  for (int i = 1; dense_lies[i]; i++) {
    if (sizeof(pri_real) == 8 && i == LIE_WIDE) continue; /* the double build never calls the wide slots */
    if (!TEST_MAY_LEAK && i == LIE_LEAK) continue;
    char spec[64];
    snprintf(spec, sizeof spec, "dense:lie=%s", dense_lies[i]);
    if (broken(spec, dense_lies[i]) != 1) fail_msg("%s is not found", spec);
  }
}

static void chains_conform(void **state) { /* B A: adjoint, linear, bits, part of a part; references keep A and B alive */
  (void)state;
  struct subject s = {.ctx = context(2), .spec = "chain"};
  pri_operator *two[2];
  const pri_shape mid = pri_shape_2d(3, 5);
  assert_int_equal(pri_operator_create(s.ctx, &two[0], "dense:form=symmetric,cols=15", NULL, NULL, &mid), PRI_OK);
  assert_int_equal(pri_operator_create(s.ctx, &two[1], "dense:rows=11,cols=15", NULL, &mid, NULL), PRI_OK);
  assert_int_equal(pri_operator_chain(s.ctx, &s.A, two, 2), PRI_OK);
  pri_operator_destroy(&two[0]);
  pri_operator_destroy(&two[1]);
  s.n = pri_shape_size(pri_operator_domain(s.A));
  s.m = pri_shape_size(pri_operator_range(s.A));
  if (!(s.n == 15 && s.m == 11 && has_adjoint(&s) && is_linear(&s) && keeps_norm(&s) && has_normal(&s) && same_bits_in_stacks(&s) && is_wide_right(&s) &&
        has_resolvent(&s) && allocates_nothing(&s)))
    fail_msg("chain: %s", said);
  assert_true(close_subject(&s));
}

static int setup(void **state) {
  (void)state;
  pri_ctx *ctx;
  if (pri_open(&ctx, NULL) != PRI_OK) return -1;
  registry = *pri_ctx_registry(ctx);
  int n = 0;
  for (const pri_kind *const *k = registry.family[PRI_OPERATORS]; *k && n < 61; k++) kinds[n++] = *k;
  kinds[n++] = &dense_class.kind;
  kinds[n] = &plain_class.kind;
  registry.family[PRI_OPERATORS] = kinds;
  pri_ctx_destroy(&ctx);
  return 0;
}

int conf_operator(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_operator_conforms), cmocka_unit_test(lies_are_found), cmocka_unit_test(chains_conform)};
  return cmocka_run_group_tests_name("conf_operator", tests, setup, NULL);
}
