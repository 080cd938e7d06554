/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_phantom.c - every phantom and every noise model, every example: objects alone and in a stack, any number of threads, seeds; a
 * phantom's projections agree with the sums of its picture. Then the levels of noise (spec rising_ct 10.14) and the grey values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { ITEMS = 3, VIEWS = 2, BINS = 150 };
static const double angles[VIEWS] = {0, 1.5707963267948966};

static pri_ctx *make(int threads, uint64_t seed) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads, .seed = seed}), PRI_OK);
  return ctx;
}

static void draw(pri_ctx *ctx, const char *spec, pri_array *x, ptrdiff_t items, ptrdiff_t first) {
  pri_phantom *p;
  pri_shape shape;
  if (pri_phantom_create(ctx, &p, spec) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_phantom_shape(p, &shape), PRI_OK);
  assert_int_equal(pri_array_create(ctx, x, &shape, items), PRI_OK);
  assert_int_equal(pri_phantom_draw(p, x, first), PRI_OK);
  pri_phantom_destroy(&p);
}

static void check_stack(const char *spec) {
  pri_ctx *one = make(1, 4), *many = make(3, 4);
  pri_array a, b, c;
  draw(one, spec, &a, ITEMS, 0);
  draw(many, spec, &b, ITEMS, 0);
  draw(many, spec, &c, 1, 2);
  const size_t bytes = (size_t)pri_shape_size(&a.shape) * sizeof(pri_real);
  assert_memory_equal(a.data, b.data, ITEMS * bytes);
  assert_memory_equal(pri_array_item(&a, 2), c.data, bytes);
  double sum = 0;
  for (ptrdiff_t i = 0; i < pri_shape_size(&a.shape); i++) sum += (double)a.data[i];
  assert_true(sum > 0);
  pri_array_destroy(&a);
  pri_array_destroy(&b);
  pri_array_destroy(&c);
  pri_ctx_destroy(&one);
  pri_ctx_destroy(&many);
}

/* along the axes, bins of one pixel: a bin's mean is the sum of a column or of a row */
static void check_sums(const char *spec) {
  pri_ctx *ctx = make(2, 4);
  pri_array x, y;
  pri_phantom *p;
  draw(ctx, spec, &x, ITEMS, 0);
  const ptrdiff_t n = x.shape.n[0];
  const pri_shape shape = pri_shape_2d(VIEWS, BINS);
  const pri_geometry g = {.beam = PRI_PARALLEL, .views = VIEWS, .rows = 1, .bins = BINS, .angle = angles, .bin = 1, .center = (double)(n - 1) / 2, .n = {n, n, 1}, .pixel = 1};
  assert_int_equal(pri_array_create(ctx, &y, &shape, ITEMS), PRI_OK);
  assert_int_equal(pri_phantom_create(ctx, &p, spec), PRI_OK);
  assert_int_equal(pri_phantom_project(p, &g, 1, &y, 0), PRI_OK);
  pri_phantom_destroy(&p);
  double difference = 0, size = 0;
  for (ptrdiff_t i = 0; i < ITEMS; i++)
    for (ptrdiff_t j = 0; j < n; j++) {
      double column = 0, row = 0; /* angle 0: u = x; angle 90: u = y, upwards */
      for (ptrdiff_t k = 0; k < n; k++) column += (double)pri_array_item(&x, i)[k * n + j], row += (double)pri_array_item(&x, i)[(n - 1 - j) * n + k];
      const double a = (double)pri_array_item(&y, i)[j] - column, b = (double)pri_array_item(&y, i)[BINS + j] - row;
      difference += a * a + b * b, size += column * column + row * row;
    }
  if (!(sqrt(difference / size) <= 0.005)) fail_msg("%s: sums off by %.4f", spec, sqrt(difference / size)); /* 64 lines a pixel */
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
}

static void all_phantoms(void **state) {
  (void)state;
  pri_ctx *ctx = make(1, 0);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_PHANTOMS]; *k; k++)
    for (const char *const *e = (*k)->examples; *e; e++) {
      char spec[256];
      snprintf(spec, sizeof spec, "%s:%s", (*k)->name, *e);
      check_stack(spec);
      if (((const pri_phantom_class *)*k)->project) check_sums(spec);
    }
  pri_ctx_destroy(&ctx);
}

static void grey_values(void **state) {
  (void)state;
  pri_ctx *ctx = make(1, 1);
  pri_array x, y;
  draw(ctx, "shepp-logan:size=101,contrast=modified", &x, 1, 0);
  assert_true(fabs((double)x.data[70 * 101 + 50] - 0.2) < 1e-6 && x.data[0] == 0); /* brain, background */
  pri_array_destroy(&x);
  draw(ctx, "shepp-logan:size=101,contrast=original", &x, 1, 0);
  assert_true(fabs((double)x.data[70 * 101 + 50] - 1.02) < 1e-6);
  pri_array_destroy(&x);
  draw(ctx, "ellipses:size=128", &x, 10, 0);
  double low = 0, high = 0;
  for (ptrdiff_t i = 0; i < 10 * 128 * 128; i++) low = fmin(low, (double)x.data[i]), high = fmax(high, (double)x.data[i]);
  assert_true(low == 0 && fabs(high - 1) < 1e-6); /* values in [0, 1] */
  assert_memory_not_equal(pri_array_item(&x, 0), pri_array_item(&x, 1), 128 * 128 * sizeof(pri_real));
  pri_ctx *other = make(1, 2);
  draw(other, "ellipses:size=128", &y, 1, 0);
  assert_memory_not_equal(x.data, y.data, 128 * 128 * sizeof(pri_real)); /* another seed, another object */
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
  pri_ctx_destroy(&other);
}

static void noisy(pri_ctx *ctx, const char *spec, pri_array *y, ptrdiff_t items, ptrdiff_t first, double value) {
  const pri_shape shape = pri_shape_2d(100, 117);
  pri_noise *n;
  assert_int_equal(pri_array_create(ctx, y, &shape, items), PRI_OK);
  for (ptrdiff_t i = 0; i < items * 11700; i++) y->data[i] = (pri_real)(value + 0.001 * (double)(i % 11));
  if (pri_noise_create(ctx, &n, spec) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_noise_add(n, y, first), PRI_OK);
  pri_noise_destroy(&n);
}

static void all_noises(void **state) {
  (void)state;
  pri_ctx *one = make(1, 4), *many = make(3, 4), *other = make(1, 5);
  for (const pri_kind *const *k = pri_ctx_registry(one)->family[PRI_NOISES]; *k; k++)
    for (const char *const *e = (*k)->examples; *e; e++) {
      char spec[256];
      pri_array a, b, c, d;
      snprintf(spec, sizeof spec, "%s:%s", (*k)->name, *e);
      noisy(one, spec, &a, ITEMS, 0, 1);
      noisy(many, spec, &b, ITEMS, 0, 1);
      assert_memory_equal(a.data, b.data, ITEMS * 11700 * sizeof(pri_real));
      noisy(other, spec, &d, 1, 0, 1);
      assert_memory_not_equal(a.data, d.data, 11700 * sizeof(pri_real));
      const pri_shape shape = a.shape; /* item 2 alone; the values differ from item to item, so it is made of a copy */
      assert_int_equal(pri_array_create(one, &c, &shape, 1), PRI_OK);
      for (ptrdiff_t i = 0; i < 11700; i++) c.data[i] = (pri_real)(1 + 0.001 * (double)((2 * 11700 + i) % 11));
      pri_noise *n;
      assert_int_equal(pri_noise_create(one, &n, spec), PRI_OK);
      assert_int_equal(pri_noise_add(n, &c, 2), PRI_OK);
      assert_memory_equal(c.data, pri_array_item(&a, 2), 11700 * sizeof(pri_real));
      pri_noise_destroy(&n);
      pri_array_destroy(&a), pri_array_destroy(&b), pri_array_destroy(&c), pri_array_destroy(&d);
    }
  pri_ctx_destroy(&one), pri_ctx_destroy(&many), pri_ctx_destroy(&other);
}

static void relative_level_is_exact(void **state) {
  (void)state;
  pri_ctx *ctx = make(2, 1);
  pri_array y;
  noisy(ctx, "gaussian:0.01", &y, 2, 0, 3);
  for (ptrdiff_t k = 0; k < 2; k++) {
    double e = 0, s = 0;
    for (ptrdiff_t i = 0; i < 11700; i++) {
      const double clean = (double)(pri_real)(3 + 0.001 * (double)((k * 11700 + i) % 11)), d = (double)pri_array_item(&y, k)[i] - clean;
      e += d * d, s += clean * clean;
    }
    assert_true(fabs(sqrt(e / s) / 0.01 - 1) <= (sizeof(pri_real) == 4 ? 1e-6 : 1e-12)); /* rounding of y: 6e-8 of 100 times the noise, at random */
  }
  pri_array_destroy(&y);
  pri_noise *n;
  assert_int_equal(pri_noise_create(ctx, &n, "gaussian"), PRI_EPARAM);
  assert_int_equal(pri_noise_create(ctx, &n, "gaussian:relative=0.1,sd=1"), PRI_EPARAM);
  assert_int_equal(pri_noise_create(ctx, &n, "poisson"), PRI_EPARAM);
  pri_ctx_destroy(&ctx);
}

static void moments(const pri_array *y, double scale, double *mean, double *variance) {
  double s = 0, s2 = 0;
  for (ptrdiff_t i = 0; i < 11700; i++) {
    const double v = scale * (double)y->data[i];
    s += v / 11700, s2 += v * v / 11700;
  }
  *mean = s, *variance = s2 - s * s;
}

static void poisson_counts(void **state) {
  (void)state; /* by inversion (mean 3), by rejection (mean 40), large; five standard errors of 11700 draws */
  static const double mean[3] = {3, 40, 5000};
  pri_ctx *ctx = make(2, 1);
  for (int k = 0; k < 3; k++) {
    char spec[64];
    pri_array y;
    double m, v;
    snprintf(spec, sizeof spec, "poisson:photons=%g,of=intensity", mean[k]);
    noisy(ctx, spec, &y, 1, 0, 1);
    moments(&y, mean[k], &m, &v);
    const double expected = mean[k] * 1.005; /* the pattern on top of 1 */
    for (ptrdiff_t i = 0; i < 11700; i++) assert_true(fabs(mean[k] * (double)y.data[i] - floor(mean[k] * (double)y.data[i] + 0.5)) < 1e-2);
    assert_true(fabs(m - expected) <= 5 * sqrt(expected / 11700));
    assert_true(fabs(v / (expected + mean[k] * mean[k] * 1e-5) - 1) <= 5 * sqrt(2.4 / 11700)); /* var of a sample variance, and the pattern's own */
    pri_array_destroy(&y);
  }
  pri_ctx_destroy(&ctx);
}

static void poisson_integrals(void **state) {
  (void)state; /* -ln(counts) has mean y + 1/(2 I) and variance 1 / I, to first order */
  pri_ctx *ctx = make(2, 1);
  pri_array y;
  double m, v;
  noisy(ctx, "poisson:photons=10000", &y, 1, 0, 2);
  moments(&y, 1, &m, &v);
  const double I = 10000 * exp(-2.005);
  assert_true(fabs(m - 2.005 - 0.5 / I) <= 5 * sqrt(1 / I / 11700));
  assert_true(fabs(v * I - 1) <= 0.08);
  pri_array_destroy(&y);
  noisy(ctx, "poisson:photons=10", &y, 1, 0, 40); /* no count: half of one */
  for (ptrdiff_t i = 0; i < 11700; i++) assert_true(fabs((double)y.data[i] - log(20)) < 1e-6);
  pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
}

int conf_phantom(void);
int conf_phantom(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_phantoms), cmocka_unit_test(grey_values), cmocka_unit_test(all_noises),
                                     cmocka_unit_test(relative_level_is_exact), cmocka_unit_test(poisson_counts), cmocka_unit_test(poisson_integrals)};
  return cmocka_run_group_tests_name("conf_phantom", tests, NULL, NULL);
}
