/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_noise_level.c - the estimate on fan sinograms of ellipses with 1 % noise, on weights, masks, scales and short rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "noise_level.h"
#include "priori/phantom.h"
#include "priori/priori.h"
#include "vec.h"

enum { VIEWS = 60, BINS = 512 };

static void sinograms(pri_ctx *ctx, pri_array *y, ptrdiff_t items) {
  double angle[VIEWS];
  pri_phantom *p;
  for (int v = 0; v < VIEWS; v++) angle[v] = v * 3.14159265358979323846 / VIEWS;
  const pri_geometry g = {.beam = PRI_FAN_FLAT, .views = VIEWS, .rows = 1, .bins = BINS, .angle = angle, .sod = 1800, .sdd = 2300, .bin = 1,
                          .center = (BINS - 1) / 2.0, .n = {256, 256, 1}, .pixel = 1, .slice = 1};
  assert_int_equal(pri_phantom_create(ctx, &p, "ellipses:size=256"), PRI_OK);
  assert_int_equal(pri_array_create(ctx, y, &(pri_shape){2, {VIEWS, BINS}}, items), PRI_OK);
  assert_int_equal(pri_phantom_project(p, &g, 1, y, 0), PRI_OK);
  pri_phantom_destroy(&p);
}

static void fan_sinograms_within_ten_percent(void **state) {
  (void)state;
  enum { ITEMS = 4 };
  pri_ctx *ctx;
  pri_array y;
  double sd[ITEMS], truth[ITEMS];
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  sinograms(ctx, &y, ITEMS);
  for (int i = 0; i < ITEMS; i++) {
    pri_real *row = pri_array_item(&y, i);
    truth[i] = 0.01 * sqrt(pri_norm2sq(ctx, row, VIEWS * BINS) / (VIEWS * BINS));
    for (int j = 0; j < VIEWS * BINS; j++) row[j] += (pri_real)(truth[i] * pri_rng_normal_at(4, "noise", (uint64_t)(i * VIEWS * BINS + j)));
  }
  assert_int_equal(pri_noise_level(ctx, sd, &y, NULL), PRI_OK);
  for (int i = 0; i < ITEMS; i++) assert_true(fabs(sd[i] / truth[i] - 1) < 0.1);
  double alone; /* a slice alone has the same bits */
  const pri_array one = pri_array_items(&y, 2, 1);
  assert_int_equal(pri_noise_level(ctx, &alone, &one, NULL), PRI_OK);
  assert_memory_equal(&alone, &sd[2], sizeof alone);
  pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
}

/* variance sd^2 / w, w from 1 to 100 along the row, a tenth masked with nonsense in it; 30000 details: the median is within 1 %, the lower quartile of blocks within 4 % */
static void weights_and_masks(void **state) {
  (void)state;
  pri_ctx *ctx;
  pri_array y, w;
  double sd;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &(pri_shape){2, {VIEWS, BINS}}, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &w, &(pri_shape){2, {VIEWS, BINS}}, 1), PRI_OK);
  for (int j = 0; j < VIEWS * BINS; j++) {
    const double weight = 1 + 99.0 * (j % BINS) / BINS;
    w.data[j] = j % 100 == 7 ? 0 : (pri_real)weight;
    y.data[j] = j % 100 == 7 ? (pri_real)1e6 : (pri_real)(5 + 0.3 / sqrt(weight) * pri_rng_normal_at(5, "noise", (uint64_t)j));
  }
  assert_int_equal(pri_noise_level(ctx, &sd, &y, &w), PRI_OK);
  assert_true(fabs(sd / 0.3 - 1) < 0.04);
  memset(w.data, 0, VIEWS * BINS * sizeof *w.data);
  assert_int_equal(pri_noise_level(ctx, &sd, &y, &w), PRI_EDATA);
  pri_array_destroy(&y), pri_array_destroy(&w);
  pri_ctx_destroy(&ctx);
}

/* 1000 photons a bin, 70 % of a row starved: half a count each, so that the median of all differences is 0. What is left measures root(1 / 1000): 9000 bins
   in view, some 8600 details, 1 % for their median; counts of a Gaussian, floor(N + 1/2), add little from 100 on */
static void starved_counts(void **state) {
  (void)state;
  pri_ctx *ctx;
  pri_array y, w;
  double sd;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &(pri_shape){2, {VIEWS, BINS}}, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &w, &(pri_shape){2, {VIEWS, BINS}}, 1), PRI_OK);
  for (int j = 0; j < VIEWS * BINS; j++) {
    const int bin = j % BINS;
    const double mean = 1000 * exp(-2.0 * bin / (0.3 * BINS)), n = floor(mean + sqrt(mean) * pri_rng_normal_at(7, "noise", (uint64_t)j) + 0.5);
    y.data[j] = (pri_real)-log((bin < 0.3 * BINS ? fmax(n, 0.5) : 0.5) / 1000);
    w.data[j] = (pri_real)exp(-(double)y.data[j]);
  }
  assert_int_equal(pri_noise_level(ctx, &sd, &y, &w), PRI_OK);
  assert_true(fabs(sd * sqrt(1000) - 1) < 0.1);
  pri_array_destroy(&y), pri_array_destroy(&w);
  pri_ctx_destroy(&ctx);
}

static void short_rows(void **state) {
  (void)state;
  pri_ctx *ctx;
  pri_real v[2000];
  double sd;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_rng_normal(6, "noise", 0, v, 2000);
  for (ptrdiff_t n = 3; n <= 20; n++) {
    const pri_shape shape = pri_shape_2d(2000 / n, n);
    const pri_array y = pri_array_borrow(v, &shape, 1);
    assert_int_equal(pri_noise_level(ctx, &sd, &y, NULL), PRI_OK);
    assert_true(fabs(sd - 1) < 0.2); /* at least 660 details: sd of the median 5 % */
  }
  const pri_shape two = pri_shape_2d(1000, 2);
  const pri_array y = pri_array_borrow(v, &two, 1);
  assert_int_equal(pri_noise_level(ctx, &sd, &y, NULL), PRI_ESHAPE);
  pri_ctx_destroy(&ctx);
}

int unit_noise_level(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fan_sinograms_within_ten_percent), cmocka_unit_test(weights_and_masks), cmocka_unit_test(starved_counts), cmocka_unit_test(short_rows)};
  return cmocka_run_group_tests_name("unit_noise_level", tests, NULL, NULL);
}
