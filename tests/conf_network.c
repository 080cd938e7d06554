/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_network.c - what every registered architecture must hold: weights are a function of the seed, the backward pass is the derivative
 * for weights and input (central differences), it adds to gw, bits repeat, memory. Two of the test's own: one without a graph, that lies where asked to,
 *   y_i = tanh(w0 x_i + w1 c + w2),  c the noise level,
 * and one for every kind of layer. Graphs with kinks (relu, maxpool) have their differences taken in double, with a step that no kink is in.
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

/* ---- every kind of layer; sides are 5 x 7, so that what halves them pads as well */
struct layers { long which; };
static const char *const graphs[] = {
    "x input\nc conv:out=3,border=reflect", "x input\nc conv:out=2,kernel=5,border=periodic,bias=off\nd conv:out=2,dilation=2", "x input\nc conv:out=3,stride=2\nd deconv:out=2,kernel=2",
    "x input\nc conv:out=2,kernel=4,stride=2,pad=1\nd deconv:out=3,kernel=4,pad=1,bias=off", "x input\nc conv:out=4\nd conv:out=6,groups=2\ne deconv:out=4,kernel=3,stride=1,pad=1,groups=2",
    "x input\nc conv:out=5,kernel=1\nb batchnorm\nd conv:out=1", "x input\nc conv:out=4\ng groupnorm:groups=2\ns silu", "x input\nc conv:out=2\na silu\nb tanh\nd sigmoid a\ne add b d",
    "x input\nc conv:out=3\np avgpool\nu upsample\na add u c", "x input\nc conv:out=2\np avgpool\nt tanh\nu upsample:mode=bilinear\na add u c",
    "x input\nc conv:out=2\nj concat c x c\na add j j\nk concat a c", "x input\nn noise x\nj concat x n\nc conv:out=2",
    "x input\nn embed:size=3\ne conv:out=8,kernel=1 n\ns silu\nc conv:out=4 x\nf film c s", "x input\nc conv:out=12\na attention:heads=2\nd conv:out=2,kernel=1 a\nj concat d x",
    "x input\nc conv:out=9,stride=2,border=reflect\nd deconv:out=9,kernel=3,stride=2,pad=1,dilation=1\ne deconv:out=2,kernel=2,stride=1", /* odd sizes; grows again */
    "x input\nc conv:out=17\nr relu\nd conv:out=18,kernel=1", "x input\nc conv:out=3\nm maxpool\nu upsample\nr relu\na add r c", "x input\nr relu\nd deconv:out=3,kernel=3,stride=1,pad=1\ns relu\na add s d"};
static pri_status layers_graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  (void)ctx;
  for (const char *line = graphs[((const struct layers *)priv)->which]; *line;) {
    const int n = (int)strcspn(line, "\n");
    pri_graph_line(t, "%.*s", n, line);
    line += n + (line[n] != 0);
  }
  return PRI_OK;
}
static const pri_param layers_rows[] = {{.name = "which", .unit = "1", .help = "graph of the test", .type = PRI_INT, .offset = offsetof(struct layers, which), .min = 0, .max = 17}, {0}};
static const char *const layers_examples[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", NULL};
static const pri_recipe_class layers = {.kind = {"layers", "graphs of the test", "", sizeof(struct layers), layers_rows, layers_examples}, .graph = layers_graph};

static const pri_kind *kinds[64];
static pri_registry registry;
enum { MOST = 1 << 15 };

struct subject {
  pri_network *net;
  pri_plan *plan;
  pri_real *w;
  size_t weights;
  ptrdiff_t n, m;
  double cond;
  int kinks, deep;
};

static double loss(const struct subject *s, const pri_real *x, const pri_real *g) { /* <g, N(x)> */
  static pri_real y[MOST];
  double sum = 0;
  assert_int_equal(pri_plan_forward(s->plan, y, x, &s->cond), PRI_OK);
  for (ptrdiff_t i = 0; i < s->m; i++) sum += (double)g[i] * (double)y[i];
  return sum;
}

/* central differences of the loss along d in v (weights or input) against <exact, d>, with the step and with half of it */
/* how far the gradient is from differences along d, with step h */
static double miss(const struct subject *s, pri_real *v, size_t n, const pri_real *d, double want, double h, const pri_real *x, const pri_real *g) {
  static pri_real kept[MOST];
  double sum = 0;
  memcpy(kept, v, n * sizeof *v);
  for (int sign = 1; sign >= -1; sign -= 2) {
    for (size_t i = 0; i < n; i++) v[i] = (pri_real)((double)kept[i] + sign * h * (double)d[i]);
    sum += sign * loss(s, x, g);
  }
  memcpy(v, kept, n * sizeof *v);
  return fabs(sum / (2 * h) - want);
}

static int is_gradient(const struct subject *s, pri_real *v, size_t n, const pri_real *exact, const pri_real *x, const pri_real *g) {
  static pri_real d[MOST];
  double want = 0, error[2];
  const int single = sizeof(pri_real) == 4;
  if (single && (s->kinks || s->deep)) return 1; /* no step of float misses all kinks, or is small enough for a whole architecture; in double it is */
  pri_rng_uniform(8, "direction", 0, d, n);
  for (size_t i = 0; i < n; i++) want += (double)exact[i] * (double)d[i];
  if (s->kinks) { /* the difference is exact between kinks but for rounding, 1e-16 of a sum of some hundreds over the step */
    error[0] = miss(s, v, n, d, want, 1e-6, x, g);
    return error[0] <= 1e-7 * (1 + fabs(want)) ? 1 : NOT("a difference of %.3g between kinks", error[0]);
  }
  for (int k = 0; k < 2; k++) error[k] = miss(s, v, n, d, want, (single ? 0.05 : 1e-3) / (k + 1), x, g);
  const double rounding = (single ? 5e-5 : 1e-11) * (1 + fabs(want));
  return error[1] <= error[0] / 3 + rounding ? 1 : NOT("differences %.3g and %.3g do not fall by four", error[0], error[1]);
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
  const char *graph = pri_network_graph(s->net);
  s->deep = graph && strncmp(spec, "layers", 6);
  s->kinks = graph && (strstr(graph, " relu") || strstr(graph, " maxpool"));
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
  if (ok && (s.weights > MOST || s.n > MOST || s.m > MOST)) ok = NOT("an example of %zu weights is too large for this test", s.weights);
  const long before = pri_ctx_allocations(ctx);
  ok = ok && has_gradients(&s);
  if (ok && pri_ctx_allocations(ctx) != before) ok = NOT("a pass allocates");
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
  for (const pri_kind *const *k = registry.family[PRI_RECIPES]; *k && n < 61; k++) kinds[n++] = *k;
  kinds[n++] = &layers.kind;
  kinds[n] = &own.kind;
  registry.family[PRI_RECIPES] = kinds;
  pri_ctx_destroy(&ctx);
  return 0;
}

int conf_network(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_network_conforms), cmocka_unit_test(lies_are_found), cmocka_unit_test(weights_are_a_function_of_the_seed)};
  return cmocka_run_group_tests_name("conf_network", tests, setup, NULL);
}
