/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_network.c - convolutions against plain sums, bits, batches, fused layers, files of networks and what is refused, the public UNet. Gradients: conf_network.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "net.h"
#include "net_conv.h"
#include "priori/priori.h"
#include "safetensors.h"

static char scratch_name[64];

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads, .seed = 5}), PRI_OK);
  return ctx;
}

/* ---- plain sums */

/* y[co] of one item, conv of a fine x; or what a coarse y gives back to x. Sums in double. */
static void plain_down(const pri_conv_geometry *g, double *y, const pri_real *x, const pri_real *w) {
  const int k = g->kernel;
  const ptrdiff_t cg = g->co / g->groups, fg = g->ci / g->groups;
  for (ptrdiff_t n = 0; n < g->items * g->co * g->ho * g->wo; n++) {
    const ptrdiff_t X = n % g->wo, Y = n / g->wo % g->ho, o = n / (g->wo * g->ho) % g->co, item = n / (g->wo * g->ho * g->co);
    for (ptrdiff_t c = 0; c < fg; c++)
      for (int t = 0; t < k * k; t++) {
        const ptrdiff_t r = pri_conv_source(g->border, Y * g->stride + t / k * g->dilation - g->pad, g->h), q = pri_conv_source(g->border, X * g->stride + t % k * g->dilation - g->pad, g->w);
        if (r >= 0 && q >= 0) y[n] += (double)w[(o * fg + c) * k * k + t] * (double)x[((item * g->ci + o / cg * fg + c) * g->h + r) * g->w + q];
      }
  }
}
static void plain_back(const pri_conv_geometry *g, double *gx, double *gw, const pri_real *gy, const pri_real *x, const pri_real *w) {
  const int k = g->kernel;
  const ptrdiff_t cg = g->co / g->groups, fg = g->ci / g->groups;
  for (ptrdiff_t n = 0; n < g->items * g->co * g->ho * g->wo; n++) {
    const ptrdiff_t X = n % g->wo, Y = n / g->wo % g->ho, o = n / (g->wo * g->ho) % g->co, item = n / (g->wo * g->ho * g->co);
    for (ptrdiff_t c = 0; c < fg; c++)
      for (int t = 0; t < k * k; t++) {
        const ptrdiff_t r = pri_conv_source(g->border, Y * g->stride + t / k * g->dilation - g->pad, g->h), q = pri_conv_source(g->border, X * g->stride + t % k * g->dilation - g->pad, g->w);
        const ptrdiff_t at = ((item * g->ci + o / cg * fg + c) * g->h + r) * g->w + q, e = (o * fg + c) * k * k + t;
        if (r >= 0 && q >= 0) gx[at] += (double)w[e] * (double)gy[n], gw[e] += (double)x[at] * (double)gy[n];
      }
  }
}

enum { MOST = 1 << 18 };
/* rounding of a sum of `terms` products: terms eps of the largest sum at most, root(terms) eps as a rule */
static int close_to(const char *what, const pri_real *have, const double *want, ptrdiff_t n, ptrdiff_t terms) {
  const double eps = sizeof(pri_real) == 4 ? 6e-8 : 1.2e-16;
  double scale = 0;
  for (ptrdiff_t i = 0; i < n; i++) scale = fmax(scale, fabs(want[i]));
  for (ptrdiff_t i = 0; i < n; i++)
    if (fabs((double)have[i] - want[i]) > 3 * sqrt((double)terms) * eps * (1 + scale)) {
      print_error("%s: element %td is %.9g, not %.9g\n", what, i, (double)have[i], want[i]);
      return 0;
    }
  return 1;
}

static const pri_conv_geometry geometries[] = { /* items groups ci co h w; ho, wo are filled in; kernel stride dilation pad border */
    {1, 1, 1, 32, 19, 21, 0, 0, .kernel = 5, .stride = 1, .dilation = 1, .pad = 2}, {1, 1, 32, 1, 64, 40, 0, 0, .kernel = 3, .stride = 1, .dilation = 1, .pad = 1},
    {3, 1, 19, 21, 9, 8, 0, 0, .kernel = 3, .stride = 1, .dilation = 1, .pad = 1}, {2, 1, 5, 13, 12, 17, 0, 0, .kernel = 3, .stride = 2, .dilation = 1, .pad = 1},
    {2, 1, 8, 3, 16, 10, 0, 0, .kernel = 2, .stride = 2, .dilation = 1, .pad = 0}, {1, 1, 4, 9, 17, 18, 0, 0, .kernel = 3, .stride = 1, .dilation = 4, .pad = 4},
    {2, 3, 6, 9, 11, 13, 0, 0, .kernel = 3, .stride = 1, .dilation = 1, .pad = 1}, {2, 4, 4, 8, 10, 9, 0, 0, .kernel = 3, .stride = 2, .dilation = 1, .pad = 1},
    {1, 1, 3, 5, 12, 14, 0, 0, .kernel = 5, .stride = 1, .dilation = 1, .pad = 2, .border = PRI_NET_REFLECT}, {2, 1, 3, 5, 12, 14, 0, 0, .kernel = 5, .stride = 2, .dilation = 2, .pad = 4, .border = PRI_NET_PERIODIC},
    {1, 1, 7, 6, 1, 1, 0, 0, .kernel = 1, .stride = 1, .dilation = 1, .pad = 0}, {1, 1, 2, 3, 9, 11, 0, 0, .kernel = 1, .stride = 3, .dilation = 1, .pad = 0},
    {1, 1, 2, 2, 8, 8, 0, 0, .kernel = 4, .stride = 3, .dilation = 3, .pad = 5}, {1, 1, 3, 4, 300, 210, 0, 0, .kernel = 3, .stride = 1, .dilation = 1, .pad = 1},
    {1, 1, 17, 33, 5, 6, 0, 0, .kernel = 9, .stride = 1, .dilation = 1, .pad = 4}, {1, 1, 2, 2, 15, 14, 0, 0, .kernel = 3, .stride = 1, .dilation = 1, .pad = 0}};

static void one_geometry(pri_ctx *ctx, pri_conv_geometry g, int index) {
  static pri_real x[MOST], w[MOST], y[MOST], gy[MOST], gx[MOST], gw[MOST];
  static double want[MOST], back[MOST], weights[MOST];
  char what[64];
  g.ho = (g.h + 2 * g.pad - (g.kernel - 1) * g.dilation - 1) / g.stride + 1, g.wo = (g.w + 2 * g.pad - (g.kernel - 1) * g.dilation - 1) / g.stride + 1;
  pri_conv_prepare(&g);
  const ptrdiff_t fine = g.items * g.ci * g.h * g.w, coarse = g.items * g.co * g.ho * g.wo, n = g.co * g.ci / g.groups * g.kernel * g.kernel;
  assert_true(fine <= MOST && coarse <= MOST && n <= MOST);
  pri_rng_normal(1, "x", 0, x, (size_t)fine);
  pri_rng_normal(1, "w", 0, w, (size_t)n);
  pri_rng_normal(1, "g", 0, gy, (size_t)coarse);
  char *scratch = pri_calloc(ctx, pri_conv_scratch(ctx, &g), 1);
  assert_non_null(scratch);
  memset(scratch, 0xff, pri_conv_scratch(ctx, &g)); /* NaN: what is not written must not be read */
  memset(want, 0, sizeof want), memset(back, 0, sizeof back), memset(weights, 0, sizeof weights), memset(gw, 0, sizeof gw);
  plain_down(&g, want, x, w);
  plain_back(&g, back, weights, gy, x, w);
  assert_int_equal(pri_conv_down(ctx, &g, &(pri_conv_out){.y = y}, x, w, NULL, scratch), PRI_OK);
  assert_int_equal(pri_conv_up(ctx, &g, &(pri_conv_out){.y = gx}, gy, w, NULL, scratch), PRI_OK);
  assert_int_equal(pri_conv_weights(ctx, &g, gw, x, gy, scratch), PRI_OK);
  snprintf(what, sizeof what, "geometry %d", index);
  const ptrdiff_t k2 = g.kernel * g.kernel;
  assert_true(close_to(what, y, want, coarse, g.ci * k2) && close_to(what, gx, back, fine, g.co * k2) && close_to(what, gw, weights, n, g.items * g.ho * g.wo));
  memcpy(gw, gx, (size_t)fine * sizeof *gx); /* += */
  assert_int_equal(pri_conv_up(ctx, &g, &(pri_conv_out){.y = gw, .add = 1}, gy, w, NULL, scratch), PRI_OK);
  for (ptrdiff_t i = 0; i < fine; i++) back[i] *= 2;
  assert_true(close_to(what, gw, back, fine, g.co * k2));
  pri_free(ctx, scratch);
}

static void convolutions_are_plain_sums(void **state) {
  (void)state;
  static const char *const levels[] = {"c", "avx2", "avx512"};
  char kept[32] = "";
  if (getenv("PRIORI_SIMD")) snprintf(kept, sizeof kept, "%s", getenv("PRIORI_SIMD"));
  for (int l = 0; l < 3; l++)
    for (int threads = 1; threads <= 3; threads += 2) {
      pri_ctx *ctx = make(threads);
      setenv("PRIORI_SIMD", levels[l], 1);
      for (int i = 0; i < (int)(sizeof geometries / sizeof *geometries); i++) one_geometry(ctx, geometries[i], i);
      pri_ctx_destroy(&ctx);
    }
  if (kept[0]) setenv("PRIORI_SIMD", kept, 1);
  else unsetenv("PRIORI_SIMD");
}

/* ---- plans */

static const char many[] =
    "x input # a bit of everything\nc1 conv:out=12\nb1 batchnorm\nr1 relu\nc2 conv:out=24,stride=2\nr2 relu\nn noise r2\nj concat r2 n\nc3 conv:out=24,kernel=1 j\nb3 batchnorm\ng3 groupnorm:groups=4\ns3 silu\n"
    "q conv:out=24,kernel=1\na attention:heads=2\nd1 deconv:out=12,kernel=4,stride=2,pad=1\nb4 batchnorm\nk concat b4 r1\nc4 conv:out=1\no add c4 x";

static pri_status many_graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  (void)ctx, (void)priv;
  for (const char *p = many; *p; p += strcspn(p, "\n"), p += *p == '\n') pri_graph_line(t, "%.*s", (int)strcspn(p, "\n"), p);
  return PRI_OK;
}
static const pri_param no_rows[] = {{0}};
static const char *const no_keys[] = {"", NULL};
static const pri_recipe_class many_class = {.kind = {"many", "layers of the test", "", 1, no_rows, no_keys}, .graph = many_graph};
static const pri_kind *const recipes[] = {&many_class.kind, NULL};
static pri_registry registry = {{[PRI_RECIPES] = recipes}};

static pri_ctx *with_many(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, &(pri_ctx_opts){.threads = threads, .seed = 5, .registry = &registry}), PRI_OK);
  return ctx;
}

enum { H = 23, W = 18, ITEMS = 3 };
struct passes { pri_real y[ITEMS * H * W], gx[ITEMS * H * W], gw[20000]; };

static void pass(pri_network *net, struct passes *p, int training, ptrdiff_t first, ptrdiff_t items) {
  static pri_real x[ITEMS * H * W], g[ITEMS * H * W];
  const pri_shape in = pri_shape_2d(H, W);
  const double cond = 0.2;
  pri_plan *plan;
  pri_rng_normal(2, "x", 0, x, ITEMS * H * W);
  pri_rng_normal(2, "g", 0, g, ITEMS * H * W);
  assert_true(pri_network_weights(net, NULL) <= 20000);
  assert_int_equal(pri_plan_create_items(net, &plan, &in, items, training), PRI_OK);
  assert_true(pri_shape_equal(pri_plan_range(plan), &in));
  assert_int_equal(pri_plan_forward(plan, p->y + first * H * W, x + first * H * W, &cond), PRI_OK);
  if (training) assert_int_equal(pri_plan_backward(plan, p->gw, p->gx + first * H * W, g + first * H * W), PRI_OK);
  pri_plan_destroy(&plan);
}

static void bits_do_not_depend_on_threads(void **state) {
  (void)state;
  static struct passes one, other;
  for (int threads = 1; threads <= 3; threads++) {
    pri_ctx *ctx = with_many(threads);
    pri_network *net;
    struct passes *p = threads == 1 ? &one : &other;
    memset(p, 0, sizeof *p);
    assert_int_equal(pri_network_create(ctx, &net, "many"), PRI_OK);
    pass(net, p, 1, 0, ITEMS);
    assert_memory_equal(&one, p, sizeof one);
    pri_network_destroy(&net);
    assert_int_equal(pri_ctx_memory_used(ctx), 0);
    pri_ctx_destroy(&ctx);
  }
}

/* batch norms have seen one batch: their statistics are not those of the start */
static void settle(pri_network *net) {
  static struct passes p;
  for (int k = 0; k < 3; k++) pass(net, &p, 1, 0, ITEMS);
}

static void an_item_alone_is_an_item_of_a_batch(void **state) {
  (void)state;
  static struct passes all, alone;
  pri_ctx *ctx = with_many(2);
  pri_network *net;
  assert_int_equal(pri_network_create(ctx, &net, "many"), PRI_OK);
  settle(net);
  memset(&all, 0, sizeof all), memset(&alone, 0, sizeof alone);
  pass(net, &all, 2, 0, ITEMS);
  for (ptrdiff_t i = 0; i < ITEMS; i++) pass(net, &alone, 2, i, 1);
  assert_memory_equal(all.y, alone.y, sizeof all.y);
  assert_memory_equal(all.gx, alone.gx, sizeof all.gx);
  for (size_t i = 0; i < pri_network_weights(net, NULL); i++) /* summed in another order: rounding of sums of about a thousand */
    assert_true(fabs((double)all.gw[i] - (double)alone.gw[i]) <= (sizeof(pri_real) == 4 ? 2e-4 : 1e-12) * (1 + fabs((double)all.gw[i])));
  pri_network_destroy(&net);
  pri_ctx_destroy(&ctx);
}

static void folded_batch_norms_change_rounding_only(void **state) {
  (void)state;
  static struct passes kept, folded;
  pri_ctx *ctx = with_many(1);
  pri_network *net;
  assert_int_equal(pri_network_create(ctx, &net, "many"), PRI_OK);
  settle(net);
  pass(net, &kept, 2, 0, ITEMS);
  pass(net, &folded, 0, 0, ITEMS);
  for (int i = 0; i < ITEMS * H * W; i++) assert_true(fabs((double)kept.y[i] - (double)folded.y[i]) < (sizeof(pri_real) == 4 ? 1e-4 : 1e-12));
  pri_network_destroy(&net);
  pri_ctx_destroy(&ctx);
}

static size_t plan_bytes(pri_network *net, ptrdiff_t n, int training) {
  const pri_shape in = pri_shape_2d(n, n);
  pri_plan *plan;
  assert_int_equal(pri_plan_create(net, &plan, &in, training), PRI_OK);
  const size_t bytes = pri_plan_bytes(plan);
  pri_plan_destroy(&plan);
  return bytes;
}

static void memory_is_used_again(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_network *net;
  assert_int_equal(pri_network_create(ctx, &net, "bf-unet"), PRI_OK);
  /* at 256 x 256: at most x, conv1, conv2 at once at full size, or the skip, conv7 and what joins them: 64 + 32 + 96 channels; and 2 M for packed planes and weights */
  assert_true(plan_bytes(net, 256, 0) <= (64 + 32 + 96) * 65536 * sizeof(pri_real) + (2 << 20) * sizeof(pri_real));
  assert_true(plan_bytes(net, 256, 1) > plan_bytes(net, 256, 0));
  pri_network_destroy(&net);
  pri_ctx_destroy(&ctx);
}

static void cond_is_asked_for(void **state) {
  (void)state;
  pri_ctx *ctx = with_many(1);
  pri_network *net;
  pri_plan *plan;
  static pri_real v[H * W];
  const pri_shape in = pri_shape_2d(H, W), deep = {3, {2, H, W}};
  assert_int_equal(pri_network_create(ctx, &net, "many"), PRI_OK);
  assert_int_equal(pri_network_needs_noise(net), 1);
  assert_int_equal(pri_plan_create(net, &plan, &deep, 0), PRI_ESHAPE);
  assert_int_equal(pri_plan_create(net, &plan, &in, 0), PRI_OK);
  assert_int_equal(pri_plan_forward(plan, v, v, NULL), PRI_EPARAM);
  pri_plan_destroy(&plan);
  pri_network_destroy(&net);
  pri_ctx_destroy(&ctx);
}

/* spec rising_ct 10.15 and reddiff_flair 7.1: exact where the spec is, else by its rounded figure, which biases and batch norms do not change */
static void architectures_have_their_weights(void **state) {
  (void)state;
  static const struct { const char *recipe; size_t least, most; } known[] = {
      {"ssnet-3l", 85889, 85889}, {"ssnet", 568705, 568705}, {"bf-unet", 233024, 233024}, {"rising-unet", 27850000, 27950000}, {"rising-unet:form=deep", 62750000, 62850000},
      {"resunet", 34450000, 34550000}, {"drunet:width=16", 1055000, 1065000}, {"drunet:width=24", 2385000, 2395000}, {"drunet:width=64,blocks=4", 32550000, 32650000}};
  pri_ctx *ctx = make(1);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    pri_network *net;
    if (pri_network_create(ctx, &net, known[i].recipe) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
    const size_t n = pri_network_weights(net, NULL);
    if (n < known[i].least || n > known[i].most) fail_msg("%s has %zu weights", known[i].recipe, n);
    pri_network_destroy(&net);
  }
  pri_ctx_destroy(&ctx);
}

/* spec rising_ct 10.15: zero weights in the head: x comes out of the residual UNet, 0 of RISING's. Sizes that are no multiples of 16 keep theirs. */
static void a_head_of_zeros_shows_the_skip(void **state) {
  (void)state;
  static pri_real x[37 * 29], y[37 * 29];
  const pri_shape in = pri_shape_2d(37, 29);
  pri_ctx *ctx = make(1);
  for (int k = 0; k < 2; k++) {
    pri_network *net;
    pri_plan *plan;
    pri_real *w;
    assert_int_equal(pri_network_create(ctx, &net, k ? "rising-unet:width=2" : "resunet:width=2"), PRI_OK);
    const size_t n = pri_network_weights(net, &w), head = 3; /* two weights and a bias come last */
    for (size_t i = n - head; i < n; i++) w[i] = 0;
    assert_int_equal(pri_plan_create(net, &plan, &in, 0), PRI_OK);
    assert_true(pri_shape_equal(pri_plan_range(plan), &in));
    pri_rng_normal(4, "x", 0, x, 37 * 29);
    assert_int_equal(pri_plan_forward(plan, y, x, NULL), PRI_OK);
    for (int i = 0; i < 37 * 29; i++) assert_true(y[i] == (k ? 0 : x[i]));
    pri_plan_destroy(&plan);
    pri_network_destroy(&net);
  }
  pri_ctx_destroy(&ctx);
}

/* ---- files */

static void files_hold_networks(void **state) {
  (void)state;
  pri_ctx *ctx = with_many(1);
  pri_network *net, *back;
  pri_real *a, *b;
  assert_int_equal(pri_network_create(ctx, &net, "many"), PRI_OK);
  settle(net);
  assert_int_equal(pri_network_set_card(net, "licence", "CC0"), PRI_OK);
  assert_int_equal(pri_network_set_card(net, "licence", "CC0-1.0"), PRI_OK);
  assert_int_equal(pri_network_save(net, scratch_name, 1), PRI_OK);
  assert_int_equal(pri_network_save(net, scratch_name, 0), PRI_EWRITE);
  assert_int_equal(pri_network_load(ctx, &back, scratch_name, NULL), PRI_OK);
  pri_network_weights(net, &a), pri_network_weights(back, &b);
  assert_int_equal(pri_network_state(net), pri_network_state(back));
  assert_memory_equal(a, b, pri_network_state(net) * sizeof *a);
  assert_string_equal(pri_network_card(back, "licence"), "CC0-1.0");
  assert_string_equal(pri_network_graph(back), pri_network_graph(net));
  assert_null(pri_network_card(back, "graph"));
  pri_network_destroy(&back);
  pri_network_destroy(&net);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* A file of one tensor "c.weight" of this shape with this graph. */
static void write_one(pri_ctx *ctx, const char *graph, const char *name, int nd, ptrdiff_t size, double value) {
  double data[64];
  const char *const card[] = {"graph", graph, NULL};
  pri_tensor t = {.name = name, .nd = nd, .n = {1, size, 1, 1}, .size = size, .data = data};
  for (int i = 0; i < 64; i++) data[i] = value;
  assert_int_equal(pri_tensors_save(ctx, scratch_name, 1, graph ? card : NULL, &t, 1), PRI_OK);
}

static void refused(pri_ctx *ctx, const char *why) {
  pri_network *net;
  assert_int_equal(pri_network_load(ctx, &net, scratch_name, NULL), PRI_EFORMAT);
  assert_null(net);
  if (!strstr(pri_ctx_message(ctx), why)) fail_msg("'%s' does not say '%s'", pri_ctx_message(ctx), why);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_network *net;
  static const char fine[] = "x input:channels=4\nc conv:out=1,kernel=1,bias=off";
  static const struct { const char *graph, *why; } bad[] = {
      {"x input\nc convolution:out=1", "no layer is called"}, {"c conv:out=1", "the first line"}, {"x input\nc conv:out=1 y", "no line above is called 'y'"}, {"", "it has no lines"},
      {"x input\nx conv:out=1", "two lines are called"}, {"x input\nc conv:out=0", "outside"}, {"x input\nc conv:out=1,stride=2", "smaller than the image"}, {"x input\ny relu\nc conv:out=1 x", "nothing reads"},
      {"x input:channels=3\nc conv:out=4,groups=2", "does not divide"}, {"x input\nc conv:out=65536\nd conv:out=65536,kernel=15\ne conv:out=65536,kernel=15", "too many weights"}, {"x", "NAME KIND"},
      {"x input\na add x", "it takes 2 to 4"}, {"x input\nc conv:out=2\na add x c", "not of one size"}, {"x input\nc conv:out=2,kernel=400", "outside"}};
  write_one(ctx, fine, "c.weight", 4, 4, 1);
  assert_int_equal(pri_network_load(ctx, &net, scratch_name, NULL), PRI_OK);
  pri_network_destroy(&net);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    write_one(ctx, bad[i].graph, "c.weight", 4, 4, 1);
    refused(ctx, bad[i].why);
  }
  write_one(ctx, NULL, "c.weight", 4, 4, 1), refused(ctx, "graph=NAME");
  write_one(ctx, fine, "d.weight", 4, 4, 1), refused(ctx, "lacks the tensor c.weight");
  write_one(ctx, fine, "c.weight", 4, 3, 1), refused(ctx, "needs 1 x 4 x 1 x 1");
  write_one(ctx, fine, "c.weight", 4, 4, NAN), refused(ctx, "no finite number");
  write_one(ctx, "x input", "c.weight", 4, 4, 1), refused(ctx, "not the graph's");
  pri_ctx_destroy(&ctx);
}

/* The golden pair of the shared public UNet (MIT). */
static void public_unet_gives_its_golden_output(void **state) {
  (void)state;
  const char *data = getenv("PRIORI_DATA");
  if (!data) skip();
  char name[3][512];
  static const char *const files[] = {"bf_unet_0-100.safetensors", "bf_unet_input.npy", "bf_unet_output.npy"};
  for (int i = 0; i < 3; i++) snprintf(name[i], sizeof name[i], "%s/weights/%s", data, files[i]);
  pri_ctx *ctx = make(2);
  pri_network *net;
  pri_array x, want;
  pri_plan *plan;
  assert_int_equal(pri_network_load(ctx, &net, name[0], "bf-unet"), PRI_OK);
  assert_int_equal(pri_network_weights(net, NULL), 233024);
  assert_int_equal(pri_input_load(ctx, name[1], &x), PRI_OK);
  assert_int_equal(pri_input_load(ctx, name[2], &want), PRI_OK);
  const pri_shape in = pri_shape_2d(256, 256);
  pri_real *y = pri_calloc(ctx, 65536, sizeof *y);
  assert_non_null(y);
  assert_int_equal(pri_plan_create(net, &plan, &in, 0), PRI_OK);
  assert_int_equal(pri_plan_forward(plan, y, x.data, NULL), PRI_OK);
  for (int i = 0; i < 65536; i++) assert_true(fabs((double)y[i] - (double)want.data[i]) <= 1e-5);
  pri_free(ctx, y);
  pri_plan_destroy(&plan);
  pri_array_destroy(&x), pri_array_destroy(&want);
  pri_network_destroy(&net);
  pri_ctx_destroy(&ctx);
}

static int setup(void **state) {
  (void)state;
  snprintf(scratch_name, sizeof scratch_name, "/tmp/priori-unit-network-%ld-%d.safetensors", (long)getpid(), (int)sizeof(pri_real));
  return 0;
}
static int teardown(void **state) {
  (void)state;
  unlink(scratch_name);
  return 0;
}

int unit_network(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_are_plain_sums), cmocka_unit_test(bits_do_not_depend_on_threads), cmocka_unit_test(an_item_alone_is_an_item_of_a_batch),
      cmocka_unit_test(folded_batch_norms_change_rounding_only), cmocka_unit_test(memory_is_used_again), cmocka_unit_test(cond_is_asked_for),
      cmocka_unit_test(architectures_have_their_weights), cmocka_unit_test(a_head_of_zeros_shows_the_skip),
      cmocka_unit_test(files_hold_networks), cmocka_unit_test(what_does_not_fit_is_refused), cmocka_unit_test(public_unet_gives_its_golden_output)};
  return cmocka_run_group_tests_name("unit_network", tests, setup, teardown);
}
