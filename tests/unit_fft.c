/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_fft.c - transforms against the sum that defines them, round trips, sizes, plans made by several threads at once. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "fft.h"
#include "priori/priori.h"

static const double pi = 3.14159265358979323846;
static const double eps = sizeof(pri_real) == 4 ? 6e-8 : 1.2e-16;

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  return ctx;
}

static void against_the_sum(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  for (ptrdiff_t n = 1; n <= 70; n += n < 8 ? 1 : 13) {
    pri_fft *f;
    assert_int_equal(pri_fft_create(ctx, &f, 1, &n), PRI_OK);
    assert_int_equal(pri_fft_spectrum(f), 2 * (n / 2 + 1));
    pri_real *x = pri_calloc(ctx, (size_t)n, sizeof *x), *s = pri_calloc(ctx, (size_t)(n + 2), sizeof *s);
    pri_rng_normal(1, "fft", 0, x, (size_t)n);
    pri_fft_forward(f, s, x);
    for (ptrdiff_t k = 0; k <= n / 2; k++) {
      double re = 0, im = 0;
      for (ptrdiff_t j = 0; j < n; j++) re += (double)x[j] * cos(2 * pi * (double)(j * k) / (double)n), im -= (double)x[j] * sin(2 * pi * (double)(j * k) / (double)n);
      assert_true(hypot(re - (double)s[2 * k], im - (double)s[2 * k + 1]) <= 20 * eps * (double)n); /* log2 n butterflies, sums of n normals */
    }
    pri_free(ctx, x);
    pri_free(ctx, s);
    pri_fft_destroy(&f);
  }
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void there_and_back(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const ptrdiff_t n[3] = {5, 6, 7};
  for (int nd = 1; nd <= 3; nd++) {
    pri_fft *f;
    ptrdiff_t size = 1;
    for (int i = 0; i < nd; i++) size *= n[i];
    assert_int_equal(pri_fft_create(ctx, &f, nd, n), PRI_OK);
    pri_real *x = pri_calloc(ctx, (size_t)size, sizeof *x), *y = pri_calloc(ctx, (size_t)size, sizeof *y), *s = pri_calloc(ctx, (size_t)pri_fft_spectrum(f), sizeof *s);
    pri_rng_normal(2, "fft", 0, x, (size_t)size);
    memcpy(y, x, (size_t)size * sizeof *x);
    pri_fft_forward(f, s, x);
    assert_memory_equal(x, y, (size_t)size * sizeof *x); /* the input is kept */
    pri_fft_inverse(f, y, s);
    for (ptrdiff_t i = 0; i < size; i++) assert_true(fabs((double)y[i] / (double)size - (double)x[i]) <= 40 * eps);
    pri_free(ctx, x);
    pri_free(ctx, y);
    pri_free(ctx, s);
    pri_fft_destroy(&f);
    assert_null(f);
  }
  pri_ctx_destroy(&ctx);
}

static void sizes(void **state) {
  (void)state;
  for (ptrdiff_t least = -3; least < 3000; least += 7) {
    const ptrdiff_t n = pri_fft_size(least);
    ptrdiff_t rest = n;
    assert_true(n >= least && n >= 2 && n % 2 == 0 && n <= (least < 2 ? 2 : 2 * least)); /* a power of two is never far */
    for (ptrdiff_t p = 2; p <= 7; p++)
      while (rest % p == 0) rest /= p;
    assert_int_equal(rest, 1);
  }
  assert_int_equal(pri_fft_size(1457), 1458);
}

static void bad_extents(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_fft *f;
  assert_int_equal(pri_fft_create(ctx, &f, 1, &(ptrdiff_t){0}), PRI_EPARAM);
  assert_null(f);
  assert_int_equal(pri_fft_create(ctx, &f, 4, (ptrdiff_t[]){2, 2, 2, 2}), PRI_EPARAM);
  assert_null(f);
  pri_fft_destroy(&f);
  pri_ctx_destroy(&ctx);
}

static void *plans(void *arg) {
  pri_ctx *ctx = make();
  for (ptrdiff_t n = 16; n < 56; n++) {
    pri_fft *f;
    if (pri_fft_create(ctx, &f, 1, &n) != PRI_OK) *(int *)arg = 1;
    pri_fft_destroy(&f);
  }
  pri_ctx_destroy(&ctx);
  return NULL;
}

static void planners_wait_for_each_other(void **state) {
  (void)state;
  pthread_t t[4];
  int failed[4] = {0};
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, plans, &failed[i]), 0);
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(t[i], NULL), 0);
  for (int i = 0; i < 4; i++) assert_false(failed[i]);
}

int unit_fft(void);
int unit_fft(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(against_the_sum), cmocka_unit_test(there_and_back), cmocka_unit_test(sizes),
                                     cmocka_unit_test(bad_extents), cmocka_unit_test(planners_wait_for_each_other)};
  return cmocka_run_group_tests_name("unit_fft", tests, NULL, NULL);
}
