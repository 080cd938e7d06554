/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_map.c - what every registered map must hold, for every example: F'(x)'g is the derivative (central differences, whose error
 * falls by four when the step is halved), bits do not depend on company, shapes, memory. No map is registered yet: a transmission
 * map of the test's own fills the slots, and its lies must be found.
 *   y_i = exp(-s x_i),  F'(x)'g = -s exp(-s x) g,  encode: x_i = -log(y_i) / s
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "alloc.h"
#include "conf.h"
#include "priori/priori.h"

struct transmission {
  double scale;
  int lie; /* 0 none, 1 vjp, 2 items, 3 leak */
  double *kept;
  ptrdiff_t n;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct transmission *t = priv;
  (void)meta;
  if (!dom->nd) *dom = pri_shape_2d(4, 5);
  *ran = *dom;
  t->n = pri_shape_size(dom);
  PRI_ALLOC(ctx, t->kept, 1);
  return PRI_OK;
}
static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct transmission *t = priv;
  (void)ctx, (void)scratch;
  for (ptrdiff_t i = 0; i < items * t->n; i++) y[i] = (pri_real)(exp(-t->scale * (double)x[i]) * (t->lie == 2 && items > 1 ? 1.001 : 1));
  return PRI_OK;
}
static pri_status vjp(pri_ctx *ctx, const void *priv, pri_real *gx, const pri_real *x, const pri_real *gy, ptrdiff_t items, void *scratch) {
  const struct transmission *t = priv;
  (void)ctx, (void)scratch;
  const double s = t->scale * (t->lie == 1 ? 1.02 : 1);
  for (ptrdiff_t i = 0; i < items * t->n; i++) gx[i] = (pri_real)(-s * exp(-t->scale * (double)x[i]) * (double)gy[i]);
  return PRI_OK;
}
static pri_status encode(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct transmission *t = priv;
  (void)ctx, (void)scratch;
  for (ptrdiff_t i = 0; i < items * t->n; i++) x[i] = (pri_real)(-log((double)y[i]) / t->scale);
  return PRI_OK;
}
static void fini(pri_ctx *ctx, void *priv) {
  struct transmission *t = priv;
  if (t->lie != 3) pri_free(ctx, t->kept);
}
static const char *const lies[] = {"none", "vjp", "items", "leak", NULL};
static const pri_param rows[] = {
    {.name = "scale", .unit = "1", .help = "attenuation", .type = PRI_REAL, .offset = offsetof(struct transmission, scale), .min = 0.01, .max = 10, .def = 0.7},
    {.name = "lie", .unit = "-", .help = "what is wrong", .type = PRI_CHOICE, .offset = offsetof(struct transmission, lie), .choices = lies},
    {0}};
static const char *const examples[] = {"scale=0.7", "scale=0.2", NULL};
static const pri_map_class transmission = {.kind = {"transmission", "exp(-s x)", "", sizeof(struct transmission), rows, examples},
                                           .init = init, .apply = apply, .vjp = vjp, .fini = fini, .encode = encode};

static const pri_kind *kinds[64];
static pri_registry registry;

struct subject {
  pri_ctx *ctx;
  pri_map *F;
  ptrdiff_t n, m;
};

static pri_array array(const struct subject *s, const pri_shape *shape, ptrdiff_t items, const char *stream) {
  pri_array a;
  assert_int_equal(pri_array_create(s->ctx, &a, shape, items), PRI_OK);
  if (stream) pri_rng_uniform(4, stream, 0, a.data, (size_t)(pri_shape_size(shape) * items));
  return a;
}

/* <g, F(x + h d)> - <g, F(x - h d)> over 2 h */
static double slope(const struct subject *s, const pri_array *x, const pri_array *d, const pri_array *g, double h) {
  pri_array at = array(s, pri_map_domain(s->F), 1, NULL), y = array(s, pri_map_range(s->F), 1, NULL);
  double sum = 0;
  for (int sign = 1; sign >= -1; sign -= 2) {
    for (ptrdiff_t i = 0; i < s->n; i++) at.data[i] = (pri_real)((double)x->data[i] + sign * h * (double)d->data[i]);
    assert_int_equal(pri_map_apply(s->F, &y, &at), PRI_OK);
    for (ptrdiff_t i = 0; i < s->m; i++) sum += sign * (double)g->data[i] * (double)y.data[i];
  }
  pri_array_destroy(&at);
  pri_array_destroy(&y);
  return sum / (2 * h);
}

static int has_derivative(const struct subject *s) {
  pri_array x = array(s, pri_map_domain(s->F), 1, "x"), d = array(s, pri_map_domain(s->F), 1, "d"), g = array(s, pri_map_range(s->F), 1, "g");
  pri_array gx = array(s, pri_map_domain(s->F), 1, NULL);
  double exact = 0;
  assert_int_equal(pri_map_vjp(s->F, &gx, &x, &g), PRI_OK);
  for (ptrdiff_t i = 0; i < s->n; i++) exact += (double)gx.data[i] * (double)d.data[i];
  const double h = sizeof(pri_real) == 4 ? 0.05 : 1e-3; /* rounding eps/h stays below the h^2 of the formula */
  const double one = fabs(slope(s, &x, &d, &g, h) - exact), half = fabs(slope(s, &x, &d, &g, h / 2) - exact);
  const double floor_ = (sizeof(pri_real) == 4 ? 2e-5 : 1e-11) * (fabs(exact) + 1); /* eps/h times the length of the sums */
  pri_array_destroy(&x), pri_array_destroy(&d), pri_array_destroy(&g), pri_array_destroy(&gx);
  return half <= one / 3 || (one <= floor_ && half <= floor_) ? 1 : NOT("differences %.3g and %.3g do not fall by four", one, half);
}

static int same_bits_alone(const struct subject *s) {
  pri_array x = array(s, pri_map_domain(s->F), 5, "x"), y = array(s, pri_map_range(s->F), 5, NULL), one = array(s, pri_map_range(s->F), 1, NULL);
  int ok = 1;
  assert_int_equal(pri_map_apply(s->F, &y, &x), PRI_OK);
  for (ptrdiff_t k = 0; k < 5; k++) {
    const pri_array xk = pri_array_items(&x, k, 1);
    assert_int_equal(pri_map_apply(s->F, &one, &xk), PRI_OK);
    if (memcmp(one.data, pri_array_item(&y, k), (size_t)s->m * sizeof *one.data)) ok = NOT("item %td has other bits alone", k);
  }
  pri_array_destroy(&x), pri_array_destroy(&y), pri_array_destroy(&one);
  return ok;
}

static int refuses_shapes(const struct subject *s) {
  const pri_shape odd = {1, {s->n + 1}};
  pri_array x = array(s, &odd, 1, "x"), y = array(s, pri_map_range(s->F), 1, NULL);
  const int ok = pri_map_apply(s->F, &y, &x) == PRI_ESHAPE;
  pri_array_destroy(&x), pri_array_destroy(&y);
  return ok ? 1 : NOT("another shape is not ESHAPE");
}

static pri_status create_and_call(pri_ctx *ctx, void *spec) {
  pri_map *F = NULL;
  pri_array x = {0}, y = {0};
  pri_status s = pri_map_create(ctx, &F, spec, NULL, NULL, NULL);
  if (s == PRI_OK) s = pri_array_create(ctx, &x, pri_map_domain(F), 1);
  if (s == PRI_OK) s = pri_array_create(ctx, &y, pri_map_range(F), 1);
  if (s == PRI_OK) s = pri_map_apply(F, &y, &x);
  if (s == PRI_OK) s = pri_map_vjp(F, &x, &x, &y);
  pri_array_destroy(&x), pri_array_destroy(&y);
  pri_map_destroy(&F);
  return s;
}

static int conforms(char *spec) {
  struct subject s = {0};
  const pri_ctx_opts opts = {.threads = 2, .registry = &registry};
  assert_int_equal(pri_ctx_create(&s.ctx, &opts), PRI_OK);
  int ok = pri_map_create(s.ctx, &s.F, spec, NULL, NULL, NULL) == PRI_OK ? 1 : NOT("%s", pri_ctx_message(s.ctx));
  if (ok) {
    s.n = pri_shape_size(pri_map_domain(s.F)), s.m = pri_shape_size(pri_map_range(s.F));
    ok = has_derivative(&s) && same_bits_alone(&s) && refuses_shapes(&s);
  }
  pri_map_destroy(&s.F);
  pri_ctx_destroy(&s.ctx);
  const char *why = ok ? test_every_allocation(&registry, create_and_call, spec) : NULL;
  return why ? NOT("%s", why) : ok;
}

static void every_map_conforms(void **state) {
  (void)state;
  test_examples(kinds, conforms);
}

static void lies_are_found(void **state) {
  (void)state;
  for (int i = 1; lies[i]; i++) {
    if (!TEST_MAY_LEAK && i == 3) continue;
    test_lie("transmission", lies[i], conforms);
  }
}

static void chains_have_derivatives(void **state) { /* (F2 F1)'(x)'g = F1'(x)' F2'(F1 x)' g */
  (void)state;
  struct subject s = {0};
  pri_map *two[2];
  const pri_ctx_opts opts = {.registry = &registry};
  assert_int_equal(pri_ctx_create(&s.ctx, &opts), PRI_OK);
  assert_int_equal(pri_map_create(s.ctx, &two[0], "transmission:scale=0.5", NULL, NULL, NULL), PRI_OK);
  assert_int_equal(pri_map_create(s.ctx, &two[1], "transmission:scale=2", NULL, NULL, NULL), PRI_OK);
  assert_int_equal(pri_map_chain(s.ctx, &s.F, two, 2), PRI_OK);
  pri_map_destroy(&two[0]), pri_map_destroy(&two[1]); /* the chain keeps them */
  s.n = s.m = 20;
  if (!has_derivative(&s) || !same_bits_alone(&s)) fail_msg("chain: %s", said);
  assert_null(pri_map_linear(s.F));
  pri_map_destroy(&s.F);
  assert_int_equal(pri_ctx_memory_used(s.ctx), 0);
  pri_ctx_destroy(&s.ctx);
}

static int setup(void **state) {
  (void)state;
  pri_ctx *ctx;
  int n = 0;
  if (pri_open(&ctx, NULL) != PRI_OK) return -1;
  registry = *pri_ctx_registry(ctx);
  for (const pri_kind *const *k = registry.family[PRI_MAPS]; *k && n < 62; k++) kinds[n++] = *k;
  kinds[n] = &transmission.kind;
  registry.family[PRI_MAPS] = kinds;
  pri_ctx_destroy(&ctx);
  return 0;
}

int conf_map(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_map_conforms), cmocka_unit_test(lies_are_found), cmocka_unit_test(chains_have_derivatives)};
  return cmocka_run_group_tests_name("conf_map", tests, setup, NULL);
}
