/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_fidelity.c - what every registered data term must hold, for every one of its examples: Fenchel's inequality and its equality at
 * the gradient, gradient against differences, prox optimality and non-expansiveness, claimed constants, parts, items, threads,
 * failing allocations. Nothing here knows a data term by name.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "alloc.h"
#include "priori/priori.h"
#include "vec.h"

enum { ROWS = 6, COLS = 8, M = ROWS * COLS, ITEMS = 3 };
/* sums of 48 products of pri_real inputs, evaluated in double: what remains is the rounding of the inputs and of in-place results */
static const double ROUND = sizeof(pri_real) == 4 ? 2e-5 : 1e-12;

struct subject {
  pri_ctx *ctx;
  pri_array y, w, a, b, c, d;
  pri_fidelity *f;
  const pri_fidelity_class *cls;
  const void *priv;
};

static pri_status fill(struct subject *s, const char *spec) {
  pri_array *const arrays[] = {&s->y, &s->w, &s->a, &s->b, &s->c, &s->d};
  const pri_shape shape = pri_shape_2d(ROWS, COLS);
  for (int i = 0; i < 6; i++) PRI_TRY(pri_array_create(s->ctx, arrays[i], &shape, ITEMS));
  pri_rng_normal(1, "y", 0, s->y.data, M * ITEMS);
  pri_rng_uniform(1, "w", 0, s->w.data, M * ITEMS);
  for (int i = 0; i < M * ITEMS; i++) s->w.data[i] += (pri_real)0.5;
  pri_status made = pri_fidelity_create(s->ctx, &s->f, spec, &s->y, &s->w);
  if (made == PRI_EDATA) { /* counts are wanted */
    for (int i = 0; i < M * ITEMS; i++) s->y.data[i] = i % 7 ? (pri_real)fabs((double)s->y.data[i]) : 0;
    made = pri_fidelity_create(s->ctx, &s->f, spec, &s->y, &s->w);
  }
  PRI_TRY(made);
  s->cls = pri_fidelity_class_of(s->f, &s->priv);
  return PRI_OK;
}

static void empty(struct subject *s) {
  pri_array *const arrays[] = {&s->y, &s->w, &s->a, &s->b, &s->c, &s->d};
  pri_fidelity_destroy(&s->f);
  for (int i = 0; i < 6; i++) pri_array_destroy(arrays[i]);
}

static void open_subject(struct subject *s, const char *spec, int threads) {
  *s = (struct subject){0};
  assert_int_equal(pri_open(&s->ctx, &(pri_ctx_opts){.threads = threads}), PRI_OK);
  if (fill(s, spec) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(s->ctx));
}

static void close_subject(struct subject *s) {
  empty(s);
  assert_int_equal(pri_ctx_memory_used(s->ctx), 0);
  pri_ctx_destroy(&s->ctx);
}

static void draw(pri_array *a, const char *stream, double size) {
  pri_rng_normal(2, stream, 0, a->data, M * ITEMS);
  for (int i = 0; i < M * ITEMS; i++) a->data[i] *= (pri_real)size;
}

static double dot(const pri_real *a, const pri_real *b) {
  double s = 0;
  for (int i = 0; i < M; i++) s += (double)a[i] * (double)b[i];
  return s;
}

static double value(struct subject *s, const pri_real *z, ptrdiff_t item) {
  double v;
  assert_int_equal(s->cls->value(s->ctx, s->priv, &v, z, item, 1), PRI_OK);
  return v;
}

static double conjugate(struct subject *s, const pri_real *p, ptrdiff_t item) {
  double v;
  assert_int_equal(s->cls->conjugate(s->ctx, s->priv, &v, p, item, 1), PRI_OK);
  return v;
}

/* where the term has a gradient and is infinite at z: moved to where it is finite (counts have a positive mean) */
static void into_domain(struct subject *s, pri_array *a) {
  for (ptrdiff_t i = 0; s->cls->grad && i < ITEMS; i++) {
    pri_real *z = pri_array_item(a, i);
    if (isinf(value(s, z, i)))
      for (int l = 0; l < M; l++) z[l] = (pri_real)(fabs((double)z[l]) + 0.25);
  }
}

static void dual_prox(struct subject *s, pri_real *p, double sigma, const pri_real *each, ptrdiff_t item) {
  assert_int_equal(s->cls->dual_prox(s->ctx, s->priv, p, sigma, each, item, 1), PRI_OK);
}

/* f(z) + f*(p) >= <z, p>, with equality at p = grad f(z) */
static void fenchel(struct subject *s) {
  draw(&s->a, "z", 1), draw(&s->b, "p", 1), into_domain(s, &s->a);
  for (ptrdiff_t i = 0; i < ITEMS; i++) {
    pri_real *z = pri_array_item(&s->a, i), *p = pri_array_item(&s->b, i);
    dual_prox(s, p, 0, NULL, i);
    assert_true(isfinite(conjugate(s, p, i)));
    assert_true(value(s, z, i) + conjugate(s, p, i) >= dot(z, p) - ROUND * M);
    if (!s->cls->grad) continue;
    assert_int_equal(s->cls->grad(s->ctx, s->priv, p, z, i, 1), PRI_OK);
    const double f = value(s, z, i), c = conjugate(s, p, i), zp = dot(z, p);
    assert_true(fabs(f + c - zp) <= ROUND * (fabs(f) + fabs(c) + fabs(zp)));
  }
}

static double wide(struct subject *s, const pri_real *z, const pri_real *d, double h, ptrdiff_t item) { /* f(z + h d) */
  double at[M], v;
  for (int i = 0; i < M; i++) at[i] = (double)z[i] + h * (double)d[i];
  assert_int_equal(s->cls->value_wide(s->ctx, s->priv, &v, at, item, 1), PRI_OK);
  return v;
}

/* the central difference misses <grad, d> by O(h^2): halving h divides what it misses by 4, down to rounding; the Hessian's diagonal likewise */
static void slopes(struct subject *s) {
  if (!s->cls->grad || !s->cls->value_wide) return;
  draw(&s->a, "z", 1), draw(&s->b, "direction", 1), into_domain(s, &s->a);
  for (ptrdiff_t i = 0; i < ITEMS; i++) {
    const pri_real *z = pri_array_item(&s->a, i), *d = pri_array_item(&s->b, i);
    pri_real *g = pri_array_item(&s->c, i);
    assert_int_equal(s->cls->grad(s->ctx, s->priv, g, z, i, 1), PRI_OK);
    const double slope = dot(g, d), e1 = fabs((wide(s, z, d, 1e-2, i) - wide(s, z, d, -1e-2, i)) / 2e-2 - slope);
    const double e2 = fabs((wide(s, z, d, 5e-3, i) - wide(s, z, d, -5e-3, i)) / 1e-2 - slope);
    assert_true(e2 <= e1 / 3 + ROUND * M);
    if (!s->cls->curvature) continue;
    pri_real one[M] = {0}, *h = pri_array_item(&s->d, i);
    one[i + 4] = 1;
    assert_int_equal(s->cls->curvature(s->ctx, s->priv, h, z, i, 1), PRI_OK);
    const double second = (wide(s, z, one, 1e-3, i) - 2 * wide(s, z, one, 0, i) + wide(s, z, one, -1e-3, i)) / 1e-6;
    assert_true(fabs(second - (double)h[i + 4]) < 1e-3 * (1 + fabs(second)));
  }
}

static double proximal(struct subject *s, const pri_real *q, const pri_real *p, double sigma, const pri_real *each, ptrdiff_t item) {
  double sum = conjugate(s, q, item);
  for (int i = 0; i < M; i++) {
    const double e = sigma * (each ? (double)each[i] : 1), d = (double)q[i] - (double)p[i];
    sum += d * d / (2 * e);
  }
  return sum;
}

/* q = prox(p) minimises |q - p|^2_{1/sigma} / 2 + f*(q): no step into any direction lowers it beyond rounding */
static void prox_is_optimal(struct subject *s) {
  draw(&s->a, "p", 2), draw(&s->d, "direction", 1);
  for (int k = 0; k < 6; k++) {
    const ptrdiff_t i = k % ITEMS;
    const double sigma = pow(10, k / 2 - 1);
    const pri_real *p = pri_array_item(&s->a, i), *d = pri_array_item(&s->d, i), *each = k % 2 ? pri_array_item(&s->w, 0) : NULL;
    pri_real *q = pri_array_item(&s->b, i), *near = pri_array_item(&s->c, i);
    memcpy(q, p, M * sizeof *q);
    dual_prox(s, q, sigma, each, i);
    const double best = proximal(s, q, p, sigma, each, i);
    assert_true(isfinite(best));
    for (int j = 0; j < 8; j++) {
      const double h = pow(-0.1, j % 4) * (j < 4 ? 1 : -1);
      for (int l = 0; l < M; l++) near[l] = q[l] + (pri_real)(h * (double)d[(l + 7 * j) % M]);
      dual_prox(s, near, 0, NULL, i);
      assert_true(proximal(s, near, p, sigma, each, i) >= best - ROUND * M * (1 + fabs(best)) / fmin(1, sigma));
    }
  }
}

static double distance(const pri_real *a, const pri_real *b) {
  double s = 0;
  for (int i = 0; i < M; i++) s += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return sqrt(s);
}

/* |prox a - prox b| <= |a - b|; mu |u|^2 <= <grad a - grad b, u> and |grad a - grad b| <= L |u|, u = a - b */
static void constants_hold(struct subject *s) {
  const pri_bound l = s->cls->lipschitz ? s->cls->lipschitz(s->priv) : (pri_bound){NAN, PRI_UNKNOWN};
  const pri_bound mu = s->cls->convexity ? s->cls->convexity(s->priv) : (pri_bound){NAN, PRI_UNKNOWN};
  draw(&s->a, "a", 1), draw(&s->b, "b", 1), into_domain(s, &s->a), into_domain(s, &s->b);
  for (ptrdiff_t i = 0; i < ITEMS; i++) {
    pri_real *a = pri_array_item(&s->a, i), *b = pri_array_item(&s->b, i), *c = pri_array_item(&s->c, i), *d = pri_array_item(&s->d, i);
    const double u = distance(a, b);
    if (s->cls->grad) {
      assert_int_equal(s->cls->grad(s->ctx, s->priv, c, a, i, 1), PRI_OK);
      assert_int_equal(s->cls->grad(s->ctx, s->priv, d, b, i, 1), PRI_OK);
      const double along = dot(c, a) - dot(c, b) - dot(d, a) + dot(d, b);
      if (l.trust >= PRI_PROVEN) assert_true(distance(c, d) <= l.value * u * (1 + ROUND));
      if (mu.trust >= PRI_PROVEN) assert_true(along >= mu.value * u * u - ROUND * M * u);
    }
    dual_prox(s, a, 0.7, NULL, i), dual_prox(s, b, 0.7, NULL, i);
    assert_true(distance(a, b) <= u * (1 + ROUND));
  }
}

/* the parts of two row sets add up to the whole */
static void parts_add_up(struct subject *s) {
  if (!s->cls->part) return;
  draw(&s->a, "z", 1), into_domain(s, &s->a);
  double sum = 0;
  for (int k = 0; k < 2; k++) {
    const pri_box box = {{k, 0}, {ROWS / 2, COLS}, {2, 1}};
    const pri_shape shape = pri_box_shape(&box, 2);
    pri_fidelity *part;
    pri_array z;
    const void *priv;
    double v[ITEMS];
    assert_int_equal(pri_fidelity_part(s->f, &part, &box), PRI_OK);
    assert_int_equal(pri_array_create(s->ctx, &z, &shape, ITEMS), PRI_OK);
    assert_int_equal(pri_array_take(s->ctx, &z, &s->a, &box), PRI_OK);
    assert_int_equal(pri_fidelity_class_of(part, &priv)->value(s->ctx, priv, v, z.data, 0, ITEMS), PRI_OK);
    sum += v[1];
    pri_array_destroy(&z);
    pri_fidelity_destroy(&part);
  }
  const double whole = value(s, pri_array_item(&s->a, 1), 1);
  assert_true(fabs(sum - whole) <= 1e-12 * fabs(whole));
}

/* all items at once, for 1, 2, 3, 8 threads, have the bits of one by one; no call allocates */
static void bits_agree(const char *spec) {
  struct subject s;
  pri_real first[M * ITEMS];
  for (int t = 0; t < 4; t++) {
    static const int threads[] = {1, 2, 3, 8};
    open_subject(&s, spec, threads[t]);
    draw(&s.a, "p", 1);
    const long before = pri_ctx_allocations(s.ctx);
    if (t == 0)
      for (ptrdiff_t i = 0; i < ITEMS; i++) dual_prox(&s, pri_array_item(&s.a, i), 0.3, s.w.data, i);
    else assert_int_equal(s.cls->dual_prox(s.ctx, s.priv, s.a.data, 0.3, s.w.data, 0, ITEMS), PRI_OK);
    assert_int_equal(pri_ctx_allocations(s.ctx), before);
    if (t == 0) memcpy(first, s.a.data, sizeof first);
    else assert_memory_equal(first, s.a.data, sizeof first);
    close_subject(&s);
  }
}

static pri_status work(pri_ctx *ctx, void *arg) {
  struct subject s = {.ctx = ctx};
  const pri_status status = fill(&s, arg);
  empty(&s);
  return status;
}

static void one_example(pri_ctx *ctx, const char *name, const char *keys) {
  struct subject s;
  char spec[200];
  snprintf(spec, sizeof spec, "%s:%s", name, keys);
  print_message("%s\n", spec);
  open_subject(&s, spec, 2);
  fenchel(&s), slopes(&s), prox_is_optimal(&s), constants_hold(&s), parts_add_up(&s);
  close_subject(&s);
  bits_agree(spec);
  const char *why = test_every_allocation(pri_ctx_registry(ctx), work, spec);
  if (why) fail_msg("%s: %s", spec, why);
}

static void every_fidelity(void **state) {
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_FIDELITIES]; *k; k++)
    for (const char *const *e = (*k)->examples; *e; e++) one_example(ctx, (*k)->name, *e);
  pri_ctx_destroy(&ctx);
}

/* masked measurements: w = 0 pulls nothing, whatever stands there */
static void masked_measurements(void **state) {
  (void)state;
  struct subject s;
  open_subject(&s, "wls", 1);
  pri_fidelity_destroy(&s.f);
  s.w.data[3] = 0;
  assert_int_equal(pri_fidelity_create(s.ctx, &s.f, "wls", &s.y, &s.w), PRI_OK);
  s.cls = pri_fidelity_class_of(s.f, &s.priv);
  draw(&s.a, "p", 1);
  dual_prox(&s, s.a.data, 0, NULL, 0);
  assert_true(s.a.data[3] == 0 && isfinite(conjugate(&s, s.a.data, 0)));
  s.a.data[3] = 1;
  assert_true(isinf(conjugate(&s, s.a.data, 0)));
  assert_true(s.cls->convexity(s.priv).value == 0);
  pri_fidelity_destroy(&s.f);
  s.w.data[3] = -1;
  assert_int_equal(pri_fidelity_create(s.ctx, &s.f, "wls", &s.y, &s.w), PRI_EDATA);
  close_subject(&s);
}

int conf_fidelity(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_fidelity), cmocka_unit_test(masked_measurements)};
  return cmocka_run_group_tests_name("conf_fidelity", tests, NULL, NULL);
}
