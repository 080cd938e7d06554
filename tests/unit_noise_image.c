/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_noise_image.c - noise of pictures: white noise alone, on texture, on clipped and masked pictures, on planes; noise
 * that grows with
 * the signal. Texture is waves of 3 to 8 pixels in one half, which Donoho's estimate takes for noise.
 */
#include "noise_image.h"
#include "priori/priori.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { N = 128 };

struct world {
  pri_ctx *ctx;
  pri_array y, w;
  pri_noise_image found[2];
};

static void make(struct world *v, ptrdiff_t planes, ptrdiff_t n, ptrdiff_t items) {
  const pri_shape shape = planes > 1 ? (pri_shape){3, {planes, n, n}} : pri_shape_2d(n, n);
  *v = (struct world){0};
  assert_int_equal(pri_open(&v->ctx, NULL), PRI_OK);
  assert_int_equal(pri_array_create(v->ctx, &v->y, &shape, items), PRI_OK);
  assert_int_equal(pri_array_create(v->ctx, &v->w, &shape, items), PRI_OK);
}

static void unmake(struct world *v) {
  pri_array_destroy(&v->y), pri_array_destroy(&v->w);
  pri_ctx_destroy(&v->ctx);
}

static double scene(ptrdiff_t i) { /* ramps; waves of 3 to 8 pixels in the left half */
  const double x = (double)(i % N), y = (double)(i / N % N);
  double v = 0.002 * x + 0.001 * y;
  for (int k = 1; x < N / 2 && k <= 6; k++) v += 0.1 * sin(6.2831853 * (x * cos(k) + y * sin(k)) / (2 + k));
  return v;
}

static double noise(ptrdiff_t i) { return pri_rng_normal_at(11, "noise", (uint64_t)i); }

/* 2 sd of the smallest eigenvalue's spread over seeds: 2 % at 60^2, less here; the texture costs 2 % */
static void white_noise_under_texture(void **state) {
  (void)state;
  struct world v;
  make(&v, 1, N, 2);
  for (ptrdiff_t i = 0; i < 2 * N * N; i++) v.y.data[i] = (pri_real)((i < N * N ? scene(i) : 0) + 0.05 * noise(i));
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, NULL), PRI_OK);
  assert_true(fabs(v.found[0].sd / 0.05 - 1) < 0.06 && fabs(v.found[1].sd / 0.05 - 1) < 0.04);
  assert_true(v.found[0].mad > 1.1 * 0.05 && fabs(v.found[1].mad / 0.05 - 1) < 0.05); /* 4096 details: 1.2 % each sd */
  assert_true(v.found[0].gain == 0 && v.found[1].gain == 0);
  pri_noise_image alone; /* a slice alone has the same bits, in another unit the same value */
  pri_array second = pri_array_items(&v.y, 1, 1);
  assert_int_equal(pri_noise_image_find(v.ctx, &alone, &second, NULL), PRI_OK);
  assert_memory_equal(&alone.sd, &v.found[1].sd, sizeof alone.sd);
  for (ptrdiff_t i = 0; i < N * N; i++) second.data[i] *= 1024;
  assert_int_equal(pri_noise_image_find(v.ctx, &alone, &second, NULL), PRI_OK);
  assert_true(fabs(alone.sd / v.found[1].sd / 1024 - 1) < 1e-6);
  unmake(&v);
}

static void clipped_padded_and_masked(void **state) {
  (void)state;
  struct world v;
  make(&v, 1, N, 1);
  for (ptrdiff_t i = 0; i < N * N; i++) {
    const ptrdiff_t x = i % N;
    v.y.data[i] = (pri_real)fmax(0, (x < 40 ? -1 : 0.5) + 0.05 * noise(i)); /* a third of it is exactly 0 */
    if (x > 110) v.y.data[i] = (pri_real)0.25;                              /* padding */
    v.w.data[i] = i / N < 20 ? 0 : 1;
    if (i / N < 20) v.y.data[i] = (pri_real)(100 * noise(i + N * N));
  }
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, &v.w), PRI_OK);
  assert_true(fabs(v.found[0].sd / 0.05 - 1) < 0.05);
  memset(v.w.data, 0, N * N * sizeof *v.w.data);
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, &v.w), PRI_EDATA);
  unmake(&v);
}

static void planes_go_together(void **state) {
  (void)state;
  struct world v;
  make(&v, 12, N, 1);
  for (ptrdiff_t i = 0; i < 12 * N * N; i++) v.y.data[i] = (pri_real)(scene(i) + 3 * noise(i));
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, NULL), PRI_OK);
  assert_true(fabs(v.found[0].sd / 3 - 1) < 0.03);
  unmake(&v);
}

/* variance 0.5 mean + 4, mean 10 to 200 in steps: gain within 15 % (16 levels of 1000 patches: 4 % each), and the root of the mean variance */
static void growing_with_the_signal(void **state) {
  (void)state;
  struct world v;
  double all = 0;
  make(&v, 1, N, 1);
  for (ptrdiff_t i = 0; i < N * N; i++) {
    const double mean = 10 + 190 * (double)((i % N) / 16 * 8 + i / N / 16) / 63, variance = 0.5 * mean + 4;
    v.y.data[i] = (pri_real)(mean + sqrt(variance) * noise(i));
    all += variance / (N * N);
  }
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, NULL), PRI_OK);
  assert_true(v.found[0].levels >= 8 && fabs(v.found[0].gain / 0.5 - 1) < 0.15);
  assert_true(fabs(v.found[0].sd / sqrt(all) - 1) < 0.05);
  unmake(&v);
}

static void small_pictures(void **state) {
  (void)state;
  struct world v;
  make(&v, 1, 8, 1);
  for (ptrdiff_t i = 0; i < 64; i++) v.y.data[i] = (pri_real)noise(i);
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, NULL),
                   PRI_OK); /* 16 patches: by the median of 16 details, 25 % each sd */
  assert_true(v.found[0].sd == v.found[0].mad && v.found[0].sd > 0.3 && v.found[0].sd < 2);
  unmake(&v);
  make(&v, 1, 7, 1);
  assert_int_equal(pri_noise_image_find(v.ctx, v.found, &v.y, NULL), PRI_ESHAPE);
  unmake(&v);
}

int unit_noise_image(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(white_noise_under_texture), cmocka_unit_test(clipped_padded_and_masked),
                                     cmocka_unit_test(planes_go_together), cmocka_unit_test(growing_with_the_signal),
                                     cmocka_unit_test(small_pictures)};
  return cmocka_run_group_tests_name("unit_noise_image", tests, NULL, NULL);
}
