/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_wavelet.c - wavelet.h: adjoint, tight frame, inverse, bound, gains, vanishing moments, the border by its definition, bits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "wavelet.h"

enum { MOST = 2000, BANDS = 13, SCRATCH = 60000 };
/* at most 3 levels of 2 x 20 products each: 120 roundings, which add up like their root */
static const double TOL = sizeof(pri_real) == 4 ? 120 * 6e-8 : 120 * 1.2e-16;
static const char *const families[] = {"haar", "db2", "db4", "db10", "bior2.2", "bior1.3", "bior3.9"};
static const pri_shape doms[] = {{2, {9, 14}}, {3, {2, 5, 6}}, {2, {1, 12}}, {1, {17}}, {2, {2, 3}}, {2, {23, 31}}, {2, {1, 1}}};
enum { FAMILIES = sizeof families / sizeof *families, DOMS = sizeof doms / sizeof *doms };

static pri_real x[MOST], y[MOST], c[BANDS * MOST], d[BANDS * MOST], scratch[SCRATCH];
#ifndef PRI_DOUBLE
static double wide[MOST], wide_scratch[SCRATCH];
#endif

static void draw(pri_real *a, ptrdiff_t n, const char *stream) { pri_rng_normal(4, stream, 0, a, (size_t)n); }

static double dot(const pri_real *a, const pri_real *b, ptrdiff_t n) {
  double s = 0;
  for (ptrdiff_t i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
  return s;
}

static pri_wavelet make(pri_ctx *ctx, const char *family, int levels, int border, const pri_shape *dom) {
  pri_wavelet w;
  assert_int_equal(pri_wavelet_init(ctx, "test", &w, family, levels, border, dom), PRI_OK);
  assert_true(w.n <= MOST && w.bands < BANDS && pri_wavelet_scratch(&w) <= SCRATCH);
  return w;
}

static void one(pri_ctx *ctx, const char *family, int border, const pri_shape *dom) {
  const pri_wavelet w = make(ctx, family, 1 + (int)strlen(family) % 3, border, dom);
  const ptrdiff_t all = w.bands * w.n;
  draw(x, w.n, "x"), draw(d, all + w.n, "d"), memset(y, 0, sizeof y);
  pri_wavelet_forward(ctx, &w, c, c + all, x, scratch);
  pri_wavelet_adjoint(ctx, &w, y, d, d + all, scratch);
  const double left = dot(c, d, all + w.n), xx = dot(x, x, w.n), cc = dot(c, c, all + w.n), size = sqrt(w.norm2 * xx * dot(d, d, all + w.n));
  assert_true(fabs(left - dot(x, y, w.n)) <= TOL * size);
  assert_true(cc <= w.norm2 * xx * (1 + TOL));
#ifndef PRI_DOUBLE
  double right = 0;
  memset(wide, 0, sizeof wide);
  pri_wavelet_adjoint_wide(ctx, &w, wide, d, d + all, wide_scratch);
  for (ptrdiff_t i = 0; i < w.n; i++) assert_true(fabs(wide[i] - (double)y[i]) <= TOL * sqrt(size)), right += wide[i] * (double)x[i];
  assert_true(fabs(left - right) <= TOL * size);
#endif
  if (border == PRI_WAVELET_SYMMETRIC) return;
  if (w.orthogonal) assert_true(fabs(cc - xx) <= TOL * xx && w.norm2 < 1 + 1e-9); /* tight; GSL's taps have 12 digits or more */
  memset(y, 0, sizeof y);
  pri_wavelet_inverse(ctx, &w, y, c, c + all, scratch);
  for (ptrdiff_t i = 0; i < w.n; i++) assert_true(fabs((double)(y[i] - x[i])) <= 20 * TOL * sqrt(w.norm2)); /* splines: the dual's norm */
}

static void frames(void **state) {
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int f = 0; f < FAMILIES; f++)
    for (int k = 0; k < DOMS; k++)
      for (int border = 0; border < 2; border++) one(ctx, families[f], border, &doms[k]);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* the largest |W x| that power iterations find stays below the bound, and the bound is not absurd */
static void bound(void **state) {
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int f = 0; f < FAMILIES; f++) {
    const pri_wavelet w = make(ctx, families[f], 2, PRI_WAVELET_SYMMETRIC, &doms[5]);
    double size = 0;
    draw(x, w.n, "x");
    for (int k = 0; k < 200; k++) {
      pri_wavelet_forward(ctx, &w, c, c + w.bands * w.n, x, scratch);
      memset(y, 0, sizeof y);
      pri_wavelet_adjoint(ctx, &w, y, c, c + w.bands * w.n, scratch);
      size = sqrt(dot(y, y, w.n));
      for (ptrdiff_t i = 0; i < w.n; i++) x[i] = (pri_real)((double)y[i] / size);
    }
    print_message("%s: |W|^2 = %.3f <= %.3f\n", families[f], size, w.norm2);
    assert_true(size <= w.norm2 * (1 + TOL));
  }
  pri_ctx_destroy(&ctx);
}

/* an impulse far from the border: the norm of each band is its gain */
static void gains(void **state) {
  (void)state;
  const pri_shape dom = {2, {40, 40}};
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int f = 0; f < 5; f++) {
    const pri_wavelet w = make(ctx, families[f], f == 3 ? 1 : 2, PRI_WAVELET_PERIODIC, &dom);
    memset(x, 0, sizeof x), x[20 * 40 + 20] = 1;
    pri_wavelet_forward(ctx, &w, c, NULL, x, scratch);
    for (int b = 0; b < w.bands; b++) {
      const double got = sqrt(dot(c + b * w.n, c + b * w.n, w.n));
      assert_true(fabs(got / pri_wavelet_gain(&w, b) - 1) <= TOL);
      if (w.orthogonal) assert_true(fabs(got - pow(2, -pri_wavelet_level(&w, b))) <= 1e-6); /* taps of 1 / sqrt 2 along two axes */
    }
  }
  pri_ctx_destroy(&ctx);
}

/* a constant has no details whatever the border; dbN leaves polynomials of degree N - 1 no details along that axis, away from the border */
static void moments(void **state) {
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int border = 0; border < 2; border++)
    for (int f = 0; f < FAMILIES; f++) {
      const pri_wavelet w = make(ctx, families[f], 2, border, &doms[5]);
      for (ptrdiff_t i = 0; i < w.n; i++) x[i] = 1;
      pri_wavelet_forward(ctx, &w, c, c + w.bands * w.n, x, scratch);
      for (ptrdiff_t i = 0; i < w.bands * w.n; i++) assert_true(fabs((double)c[i]) <= 40 * TOL);
      for (ptrdiff_t i = 0; i < w.n; i++) assert_true(fabs((double)c[w.bands * w.n + i] - 1) <= 40 * TOL);
    }
  const pri_wavelet w = make(ctx, "db2", 1, PRI_WAVELET_SYMMETRIC, &doms[5]);
  for (ptrdiff_t i = 0; i < w.n; i++) x[i] = (pri_real)(0.1 * (double)(i % w.nx));
  pri_wavelet_forward(ctx, &w, c, NULL, x, scratch);
  for (ptrdiff_t i = 0; i < w.n; i++)
    if (i % w.nx >= 3 && i % w.nx < w.nx - 3) assert_true(fabs((double)c[i]) <= 40 * TOL);
  assert_true(fabs((double)c[w.nx - 1]) > 1e-3 || fabs((double)c[0]) > 1e-3); /* at the border the ramp turns */
  pri_ctx_destroy(&ctx);
}

/* symmetric border by its definition: the transform of the mirrored image, cut out */
static void mirror(void **state) {
  (void)state;
  const pri_shape small = {2, {3, 4}}, large = {2, {3 + 16, 4 + 16}};
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int f = 0; f < 3; f++) {
    const pri_wavelet w = make(ctx, families[f], 1, PRI_WAVELET_SYMMETRIC, &small), v = make(ctx, families[f], 1, PRI_WAVELET_PERIODIC, &large);
    draw(x, w.n, "x");
    for (ptrdiff_t r = 0; r < 19; r++)
      for (ptrdiff_t s = 0; s < 20; s++)
        y[r * 20 + s] = x[pri_wavelet_fold(PRI_WAVELET_SYMMETRIC, r - 8, 3) * 4 + pri_wavelet_fold(PRI_WAVELET_SYMMETRIC, s - 8, 4)];
    pri_wavelet_forward(ctx, &w, c, c + 3 * w.n, x, scratch);
    pri_wavelet_forward(ctx, &v, d, d + 3 * v.n, y, scratch);
    for (int b = 0; b < 4; b++)
      for (ptrdiff_t i = 0; i < w.n; i++) assert_true(fabs((double)(c[b * w.n + i] - d[b * v.n + (8 + i / 4) * 20 + 8 + i % 4])) <= TOL);
  }
  pri_ctx_destroy(&ctx);
}

static void bits(void **state) {
  (void)state;
  static pri_real first[BANDS * MOST], back[MOST];
  const pri_shape dom = {2, {18, 97}};
  for (int t = 1; t < 9; t++) {
    pri_ctx *ctx;
    assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = t}), PRI_OK);
    const pri_wavelet w = make(ctx, "db3", 3, PRI_WAVELET_SYMMETRIC, &dom);
    draw(x, w.n, "x"), memset(y, 0, sizeof y);
    pri_wavelet_forward(ctx, &w, c, c + w.bands * w.n, x, scratch);
    pri_wavelet_adjoint(ctx, &w, y, c, c + w.bands * w.n, scratch);
    if (t == 1) memcpy(first, c, sizeof first), memcpy(back, y, sizeof back);
    assert_memory_equal(first, c, sizeof first), assert_memory_equal(back, y, sizeof back);
    pri_ctx_destroy(&ctx);
  }
}

static void refusals(void **state) {
  (void)state;
  pri_ctx *ctx;
  pri_wavelet w;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_wavelet_init(ctx, "test", &w, "db11", 2, 0, &doms[0]), PRI_EPARAM);
  assert_int_equal(pri_wavelet_init(ctx, "test", &w, "db", 2, 0, &doms[0]), PRI_EPARAM);
  assert_int_equal(pri_wavelet_init(ctx, "test", &w, "haar", 9, 0, &doms[0]), PRI_EPARAM);
  assert_int_equal(pri_wavelet_init(ctx, "test", &w, "haar", 0, 0, &doms[0]), PRI_EPARAM);
  for (int k = 2; k <= 10; k++) {
    char name[8];
    snprintf(name, sizeof name, "db%d", k);
    assert_int_equal(pri_wavelet_init(ctx, "test", &w, name, 2, 0, &doms[0]), PRI_OK);
    assert_int_equal(w.taps, 2 * k);
  }
  pri_ctx_destroy(&ctx);
}

int unit_wavelet(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(frames), cmocka_unit_test(bound), cmocka_unit_test(gains), cmocka_unit_test(moments),
                                     cmocka_unit_test(mirror), cmocka_unit_test(bits), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests_name("unit_wavelet", tests, NULL, NULL);
}
