/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_network.c - what every registered architecture must hold: weights are a function of the seed, the backward pass is the derivative
 * for weights and input (central differences), it adds to gw, bits repeat, memory. None is registered yet: one of the test's own.
 *   y_i = tanh(w0 x_i + w1 c + w2),  c the noise level
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

struct own {
  long lie; /* 1: gradient of the input, 2: gradient of the weights, 3: sets gw instead of adding */
};
struct work {
  ptrdiff_t n;
  double c;
  pri_real x[];
};
static ptrdiff_t planned; /* elements of the last plan: the class has no other place that forward could read it from */

static pri_status init(pri_ctx *ctx, void *priv, size_t *weights) {
  (void)ctx, (void)priv;
  *weights = 3;
  return PRI_OK;
}
static pri_status plan(pri_ctx *ctx, const void *priv, const pri_shape *in, int training, pri_shape *out, size_t *bytes) {
  (void)ctx, (void)priv, (void)training;
  *out = *in;
  planned = pri_shape_size(in);
  *bytes = sizeof(struct work) + (size_t)planned * sizeof(pri_real);
  return PRI_OK;
}
static pri_status forward(pri_ctx *ctx, const void *priv, const pri_real *w, pri_real *y, const pri_real *x, const double *cond, void *work) {
  struct work *k = work;
  (void)ctx, (void)priv;
  k->n = planned;
  k->c = cond ? *cond : 0;
  memcpy(k->x, x, (size_t)k->n * sizeof *x);
  for (ptrdiff_t i = 0; i < k->n; i++) y[i] = (pri_real)tanh((double)w[0] * (double)x[i] + (double)w[1] * k->c + (double)w[2]);
  return PRI_OK;
}
static pri_status backward(pri_ctx *ctx, const void *priv, const pri_real *w, pri_real *gw, pri_real *gx, const pri_real *gy, void *work) {
  const struct own *o = priv;
  const struct work *k = work;
  double g[3] = {0};
  (void)ctx;
  for (ptrdiff_t i = 0; i < k->n; i++) {
    const double y = tanh((double)w[0] * (double)k->x[i] + (double)w[1] * k->c + (double)w[2]), s = (1 - y * y) * (double)gy[i];
    g[0] += s * (double)k->x[i] * (o->lie == 2 ? 1.02 : 1), g[1] += s * k->c, g[2] += s;
    if (gx) gx[i] = (pri_real)(s * (double)w[0] * (o->lie == 1 ? 1.02 : 1));
  }
  for (int j = 0; gw && j < 3; j++) gw[j] = (pri_real)((o->lie == 3 ? 0 : (double)gw[j]) + g[j]);
  return PRI_OK;
}
static void scale_weights(const void *priv, pri_real *w) {
  (void)priv;
  for (int j = 0; j < 3; j++) w[j] = (pri_real)(0.5 * (double)w[j]);
}
static const pri_param rows[] = {{.name = "lie", .unit = "1", .help = "what is wrong", .type = PRI_INT, .offset = offsetof(struct own, lie), .min = 0, .max = 3}, {0}};
static const char *const examples[] = {"lie=0", NULL};
static const pri_recipe_class own = {.kind = {"own", "one layer of the test", "", sizeof(struct own), rows, examples},
                                     .init = init, .plan = plan, .forward = forward, .backward = backward, .scale_weights = scale_weights};

static const pri_kind *kinds[64];
static pri_registry registry;
enum { MOST = 4096 };

struct subject {
  pri_network *net;
  pri_plan *plan;
  pri_real *w;
  size_t weights;
  ptrdiff_t n, m;
  double cond;
};

static double loss(const struct subject *s, const pri_real *x, const pri_real *g) { /* <g, N(x)> */
  static pri_real y[MOST];
  double sum = 0;
  assert_int_equal(pri_plan_forward(s->plan, y, x, &s->cond), PRI_OK);
  for (ptrdiff_t i = 0; i < s->m; i++) sum += (double)g[i] * (double)y[i];
  return sum;
}

/* central differences of the loss along d in v (weights or input) against <exact, d>, with the step and with half of it */
static int is_gradient(const struct subject *s, pri_real *v, size_t n, const pri_real *exact, const pri_real *x, const pri_real *g) {
  static pri_real d[MOST], kept[MOST];
  double want = 0, error[2];
  pri_rng_uniform(8, "direction", 0, d, n);
  memcpy(kept, v, n * sizeof *v);
  for (size_t i = 0; i < n; i++) want += (double)exact[i] * (double)d[i];
  for (int k = 0; k < 2; k++) {
    const double h = (sizeof(pri_real) == 4 ? 0.05 : 1e-3) / (k + 1);
    double sum = 0;
    for (int sign = 1; sign >= -1; sign -= 2) {
      for (size_t i = 0; i < n; i++) v[i] = (pri_real)((double)kept[i] + sign * h * (double)d[i]);
      sum += sign * loss(s, x, g);
    }
    memcpy(v, kept, n * sizeof *v);
    error[k] = fabs(sum / (2 * h) - want);
  }
  const double rounding = (sizeof(pri_real) == 4 ? 5e-5 : 1e-11) * (1 + fabs(want));
  return error[1] <= error[0] / 3 || (error[0] <= rounding && error[1] <= rounding) ? 1 : NOT("differences %.3g and %.3g do not fall by four", error[0], error[1]);
}

static int has_gradients(const struct subject *s) {
  static pri_real x[MOST], g[MOST], gx[MOST], gw[MOST], twice[MOST], gv[MOST];
  pri_rng_normal(2, "x", 0, x, (size_t)s->n);
  pri_rng_normal(2, "g", 0, g, (size_t)s->m);
  memset(gw, 0, sizeof gw);
  (void)loss(s, x, g);
  assert_int_equal(pri_plan_backward(s->plan, gw, gx, g), PRI_OK);
  memcpy(twice, gw, sizeof gw);
  assert_int_equal(pri_plan_backward(s->plan, twice, NULL, g), PRI_OK);
  assert_int_equal(pri_plan_vjp(s->plan, gv, g), PRI_OK);
  if (memcmp(gv, gx, (size_t)s->n * sizeof *gx)) return NOT("vjp is not what backward gives");
  for (size_t j = 0; j < s->weights; j++)
    if (fabs((double)twice[j] - 2 * (double)gw[j]) > 1e-5 * (1 + fabs((double)gw[j]))) return NOT("backward does not add to gw");
  return is_gradient(s, s->w, s->weights, gw, x, g) && is_gradient(s, x, (size_t)s->n, gx, x, g);
}

static pri_status build(pri_ctx *ctx, struct subject *s, const char *spec) {
  const pri_shape in = pri_shape_2d(5, 7);
  PRI_TRY(pri_network_create(ctx, &s->net, spec));
  s->weights = pri_network_weights(s->net, &s->w);
  PRI_TRY(pri_plan_create(s->net, &s->plan, &in, 1));
  s->n = pri_shape_size(&in), s->m = pri_shape_size(pri_plan_range(s->plan)), s->cond = 0.3;
  return PRI_OK;
}
static void unbuild(struct subject *s) {
  pri_plan_destroy(&s->plan);
  pri_network_destroy(&s->net);
}
static pri_status create(pri_ctx *ctx, void *spec) {
  struct subject s = {0};
  const pri_status status = build(ctx, &s, spec);
  unbuild(&s);
  return status;
}

static int conforms(char *spec) {
  pri_ctx *ctx;
  struct subject s = {0};
  const pri_ctx_opts opts = {.seed = 3, .registry = &registry};
  assert_int_equal(pri_ctx_create(&ctx, &opts), PRI_OK);
  int ok = build(ctx, &s, spec) == PRI_OK ? 1 : NOT("%s", pri_ctx_message(ctx));
  ok = ok && has_gradients(&s);
  unbuild(&s);
  if (pri_ctx_memory_used(ctx) != 0) ok = NOT("something leaks");
  pri_ctx_destroy(&ctx);
  const char *why = ok ? test_every_allocation(&registry, create, spec) : NULL;
  return why ? NOT("%s", why) : ok;
}

static void every_network_conforms(void **state) {
  (void)state;
  test_examples(kinds, conforms);
}

static void lies_are_found(void **state) {
  (void)state;
  test_lie("own", "1", conforms);
  test_lie("own", "2", conforms);
  test_lie("own", "3", conforms);
}

static void weights_are_a_function_of_the_seed(void **state) {
  (void)state;
  double first[3];
  for (uint64_t run = 0; run < 3; run++) {
    pri_ctx *ctx;
    struct subject s = {0};
    const pri_ctx_opts opts = {.seed = run == 2 ? 8 : 7, .registry = &registry};
    assert_int_equal(pri_ctx_create(&ctx, &opts), PRI_OK);
    assert_int_equal(build(ctx, &s, "own"), PRI_OK);
    first[run] = (double)s.w[0];
    unbuild(&s);
    pri_ctx_destroy(&ctx);
  }
  assert_true(first[0] == first[1] && first[0] != first[2]);
}

static int setup(void **state) {
  (void)state;
  pri_ctx *ctx;
  int n = 0;
  if (pri_open(&ctx, NULL) != PRI_OK) return -1;
  registry = *pri_ctx_registry(ctx);
  for (const pri_kind *const *k = registry.family[PRI_RECIPES]; *k && n < 62; k++) kinds[n++] = *k;
  kinds[n] = &own.kind;
  registry.family[PRI_RECIPES] = kinds;
  pri_ctx_destroy(&ctx);
  return 0;
}

int conf_network(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_network_conforms), cmocka_unit_test(lies_are_found), cmocka_unit_test(weights_are_a_function_of_the_seed)};
  return cmocka_run_group_tests_name("conf_network", tests, setup, NULL);
}
