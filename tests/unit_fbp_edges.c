/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_fbp_edges.c - what a lab's odd days bring: one bin, one view, the same angle many times, images wider than the detector or of one
 * pixel; results are finite, not silently zero. Every lost allocation is reported, none leaks. Measured scans lie the right way round.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "reconstruct/center.h"
#include "reconstruct/fbp.h"

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  return ctx;
}

static const pri_fbp_opts plain = {.cutoff = 1};

/* ones in, sum of the picture out; all finite */
static double run(pri_ctx *ctx, const pri_geometry *g) {
  pri_fbp *f;
  const size_t n = (size_t)(g->n[0] * g->n[1]), m = (size_t)(g->views * g->bins);
  pri_real *x = pri_calloc(ctx, n, sizeof *x), *y = pri_calloc(ctx, m, sizeof *y);
  assert_non_null(y);
  for (size_t i = 0; i < m; i++) y[i] = 1;
  if (pri_fbp_create(ctx, &f, g, &plain) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_fbp_run(f, x, y, -INFINITY, INFINITY), PRI_OK);
  double sum = 0;
  for (size_t i = 0; i < n; i++) assert_true(isfinite(x[i])), sum += fabs((double)x[i]);
  pri_fbp_destroy(&f);
  pri_free(ctx, x);
  pri_free(ctx, y);
  return sum;
}

static void small_and_strange(void **state) {
  (void)state;
  static const struct { ptrdiff_t views, bins, nx, ny; double step; } t[] = {{1, 1, 1, 1, 0.1}, {1, 9, 8, 8, 0}, {5, 1, 6, 6, 0.3}, {12, 9, 9, 9, 0}, {2, 8, 7, 12, 0.1},
                                                                             {3, 8, 64, 3, 2.1}, {40, 16, 200, 200, 0.1}, {360, 3, 4, 4, 0.0174}, {720, 20, 17, 17, 0.0174}};
  double angle[720];
  pri_ctx *ctx = make();
  for (size_t i = 0; i < sizeof t / sizeof *t; i++)
    for (int b = PRI_PARALLEL; b <= PRI_FAN_CURVED; b++) {
      for (ptrdiff_t v = 0; v < t[i].views; v++) angle[v] = 1 + t[i].step * (double)v;
      const pri_geometry g = {.beam = (pri_beam)b, .views = t[i].views, .rows = 1, .bins = t[i].bins, .angle = angle, .sod = 400, .sdd = 700, .bin = 1,
                              .center = (double)(t[i].bins - 1) / 2, .n = {t[i].nx, t[i].ny, 1}, .pixel = 0.5};
      if (!(run(ctx, &g) > 0)) fail_msg("case %d, beam %d: an image of zeros", (int)i, b);
    }
  pri_ctx_destroy(&ctx);
}

static void same_angle_many_times(void **state) {
  (void)state; /* views that repeat weigh as much together as one did */
  enum { N = 30 };
  double once[N], twice[2 * N];
  for (int v = 0; v < N; v++) once[v] = twice[v] = twice[N + v] = 3.14159265358979 * v / N;
  pri_ctx *ctx = make();
  pri_geometry g = {.beam = PRI_PARALLEL, .views = N, .rows = 1, .bins = 20, .angle = once, .bin = 1, .center = 9.5, .n = {16, 16, 1}, .pixel = 1};
  const double a = run(ctx, &g);
  g.views = 2 * N, g.angle = twice;
  assert_true(fabs(run(ctx, &g) / a - 1) < 1e-5);
  pri_ctx_destroy(&ctx);
}

static void impossible_geometries(void **state) {
  (void)state;
  const double angle[4] = {0, 1, 2, 3};
  pri_ctx *ctx = make();
  pri_fbp *f;
  pri_geometry g = {.beam = PRI_FAN_FLAT, .views = 4, .rows = 1, .bins = 20, .angle = angle, .sod = 10, .sdd = 30, .bin = 1, .center = 9.5, .n = {16, 16, 1}, .pixel = 1};
  assert_int_equal(pri_fbp_create(ctx, &f, &g, &plain), PRI_EGEOMETRY);
  assert_null(f);
  assert_non_null(strstr(pri_ctx_message(ctx), "sod=10"));
  g.beam = PRI_FAN_CURVED, g.sod = 20, g.bins = 100;
  assert_int_equal(pri_fbp_create(ctx, &f, &g, &plain), PRI_EGEOMETRY);
  g.beam = PRI_CONE_FLAT;
  assert_int_equal(pri_fbp_create(ctx, &f, &g, &plain), PRI_ENOTSUP);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static long left, held; /* allocations until one fails; blocks that live */
static void *starve(void *cookie, size_t bytes) {
  (void)cookie;
  if (left-- <= 0) return NULL;
  held++;
  return aligned_alloc(64, (bytes + 64) / 64 * 64);
}
static void release(void *cookie, void *p) {
  (void)cookie;
  held -= p != NULL;
  free(p);
}

enum { VIEWS = 20, BINS = 24 };
static pri_status everything(pri_ctx *ctx) {
  double angle[VIEWS];
  for (int v = 0; v < VIEWS; v++) angle[v] = 6.283185307179586 * v / VIEWS;
  const pri_geometry g = {.beam = PRI_FAN_CURVED, .views = VIEWS, .rows = 1, .bins = BINS, .angle = angle, .sod = 100, .sdd = 150, .bin = 1, .center = 11, .n = {12, 12, 1}, .pixel = 1};
  const pri_shape shape = pri_shape_2d(VIEWS, BINS);
  pri_array y;
  pri_phantom *p = NULL;
  pri_fbp *f = NULL;
  pri_center c;
  PRI_TRY(pri_array_create(ctx, &y, &shape, 1));
  pri_status s = pri_phantom_create(ctx, &p, "ellipses:size=12");
  if (s == PRI_OK) s = pri_phantom_project(p, &g, 1, &y, 0);
  if (s == PRI_OK) s = pri_fbp_create(ctx, &f, &g, &plain);
  if (s == PRI_OK) s = pri_center_find(ctx, &c, &g, &y);
  pri_fbp_destroy(&f);
  pri_phantom_destroy(&p);
  pri_array_destroy(&y);
  return s;
}

static void lost_memory_is_reported(void **state) {
  (void)state;
  pri_status s = PRI_ENOMEM;
  long n = 4;
  for (; s == PRI_ENOMEM && n < 3000; n += n < 70 ? 1 : 97) {
    pri_ctx *ctx = NULL;
    left = n, held = 0;
    s = pri_open(&ctx, &(pri_ctx_opts){.threads = 1, .alloc = starve, .release = release});
    if (s == PRI_OK) s = everything(ctx);
    assert_true(s == PRI_OK || s == PRI_ENOMEM);
    pri_ctx_destroy(&ctx);
    assert_int_equal(held, 0);
  }
  assert_int_equal(s, PRI_OK);
  assert_true(n > 40);
}

/* correlation of a picture with the truth, turned in one of eight ways */
static double correlation(const pri_real *a, const pri_array *b, int flip) {
  const ptrdiff_t n = b->shape.n[0];
  double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
  for (ptrdiff_t i = 0; i < n * n; i++) {
    ptrdiff_t r = flip & 2 ? n - 1 - i / n : i / n, c = flip & 4 ? n - 1 - i % n : i % n;
    const double u = (double)a[i], v = b->data[flip & 1 ? c * n + r : r * n + c] > 0;
    sa += u, sb += v, aa += u * u, bb += v * v, ab += u * v;
  }
  const double m = (double)(n * n);
  return (ab - sa * sb / m) / sqrt((aa - sa * sa / m) * (bb - sb * sb / m));
}

static void htc2022_lies_right(void **state) {
  (void)state; /* spec rising_ct 10.17. Measured data, from another project: only where PRIORI_DATA says where they are */
  const char *folder = getenv("PRIORI_DATA");
  char scan[1024], truth[1024];
  pri_input *in;
  pri_operator *A;
  pri_array y, x, t;
  pri_fbp *f;
  const void *priv;
  if (!folder) {
    print_message("PRIORI_DATA is not set: the HTC2022 scan is left out\n");
    skip();
    return;
  }
  pri_ctx *ctx = make();
  snprintf(scan, sizeof scan, "%s/ct/htc2022/ta_category7.mat", folder), snprintf(truth, sizeof truth, "%s/ct/htc2022/ta_category7_truth.png", folder);
  assert_int_equal(pri_input_open(ctx, &in, scan), PRI_OK);
  const pri_input_info *info = pri_input_describe(in);
  pri_shape none = {0};
  if (pri_operator_create(ctx, &A, "ct:size=512,pixel=0.1483", &info->meta, &none, &info->item) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_array_create(ctx, &y, &info->item, 1), PRI_OK);
  assert_int_equal(pri_input_read(in, y.data, 0, 1), PRI_OK);
  const pri_shape image = pri_shape_2d(512, 512);
  assert_int_equal(pri_array_create(ctx, &x, &image, 1), PRI_OK);
  assert_int_equal(pri_input_load(ctx, truth, &t), PRI_OK);
  assert_true(pri_shape_equal(&t.shape, &image));
  const pri_operator_class *c = pri_operator_class_of(A, &priv);
  assert_int_equal(pri_fbp_create(ctx, &f, c->geometry(priv), &plain), PRI_OK);
  assert_int_equal(pri_fbp_run(f, x.data, y.data, -INFINITY, INFINITY), PRI_OK);
  for (int flip = 1; flip < 8; flip++) assert_true(correlation(x.data, &t, flip) < correlation(x.data, &t, 0));
  pri_fbp_destroy(&f);
  pri_array_destroy(&x), pri_array_destroy(&y), pri_array_destroy(&t);
  pri_operator_destroy(&A);
  pri_input_close(&in);
  pri_ctx_destroy(&ctx);
}

int unit_fbp_edges(void);
int unit_fbp_edges(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(small_and_strange), cmocka_unit_test(same_angle_many_times), cmocka_unit_test(impossible_geometries),
                                     cmocka_unit_test(lost_memory_is_reported), cmocka_unit_test(htc2022_lies_right)};
  return cmocka_run_group_tests_name("unit_fbp_edges", tests, NULL, NULL);
}
