/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_linalg.c - least squares by their normal equations, the least norm where columns depend; conjugate gradients on a known matrix. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "linalg.h"
#include "priori/priori.h"

enum { M = 9, N = 4 };

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  return ctx;
}

static void residual_is_normal(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  double A[M * N], b[M], x[N];
  int rank;
  for (int i = 0; i < M * N; i++) A[i] = pri_rng_normal_at(1, "A", (uint64_t)i);
  for (int i = 0; i < M; i++) b[i] = pri_rng_normal_at(1, "b", (uint64_t)i);
  assert_int_equal(pri_linalg_lstsq(ctx, x, A, b, M, N, &rank), PRI_OK);
  assert_int_equal(rank, N);
  for (int k = 0; k < N; k++) { /* A'(b - A x) = 0 */
    double sum = 0;
    for (int i = 0; i < M; i++) {
      double r = b[i];
      for (int l = 0; l < N; l++) r -= A[i * N + l] * x[l];
      sum += A[i * N + k] * r;
    }
    assert_true(fabs(sum) <= 1e-13);
  }
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void least_norm(void **state) {
  (void)state; /* two equal columns share the coefficient */
  pri_ctx *ctx = make();
  const double A[6] = {1, 1, 2, 2, 3, 3}, b[3] = {2, 4, 6};
  double x[2];
  int rank;
  assert_int_equal(pri_linalg_lstsq(ctx, x, A, b, 3, 2, &rank), PRI_OK);
  assert_int_equal(rank, 1);
  assert_true(fabs(x[0] - 1) <= 1e-14 && fabs(x[1] - 1) <= 1e-14);
  assert_int_equal(pri_linalg_lstsq(ctx, x, A, b, 1, 2, NULL), PRI_EPARAM);
  assert_int_equal(pri_linalg_lstsq(ctx, x, (double[]){1, NAN}, b, 2, 1, NULL), PRI_ENUMERIC);
  pri_ctx_destroy(&ctx);
}

static pri_status laplace(void *arg, double *y, const double *x) { /* tridiagonal 2, -1; n steps suffice */
  const ptrdiff_t n = *(const ptrdiff_t *)arg;
  for (ptrdiff_t i = 0; i < n; i++) y[i] = 2 * x[i] - (i > 0 ? x[i - 1] : 0) - (i + 1 < n ? x[i + 1] : 0);
  return PRI_OK;
}

static pri_status negative(void *arg, double *y, const double *x) {
  for (ptrdiff_t i = 0; i < *(const ptrdiff_t *)arg; i++) y[i] = -x[i];
  return PRI_OK;
}

static void conjugate_gradients(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  ptrdiff_t n = 40;
  double x[40] = {0}, b[40], truth[40], work[120], residual;
  long steps;
  for (int i = 0; i < 40; i++) truth[i] = pri_rng_normal_at(3, "x", (uint64_t)i);
  assert_int_equal(laplace(&n, b, truth), PRI_OK);
  assert_int_equal(pri_linalg_cg(ctx, x, b, n, laplace, &n, &(pri_linalg_cg_opts){1e-13, 100}, work, &steps, &residual), PRI_OK);
  assert_true(steps <= 45 && residual <= 1e-13); /* n in exact arithmetic */
  for (int i = 0; i < 40; i++) assert_true(fabs(x[i] - truth[i]) <= 1e-9); /* condition 680 */
  assert_int_equal(pri_linalg_cg(ctx, x, b, n, laplace, &n, &(pri_linalg_cg_opts){0, 0}, work, &steps, NULL), PRI_OK);
  assert_int_equal(steps, 0);
  memset(x, 0, sizeof x);
  assert_int_equal(pri_linalg_cg(ctx, x, b, n, negative, &n, &(pri_linalg_cg_opts){1e-6, 10}, work, NULL, NULL), PRI_ENUMERIC);
  pri_ctx_destroy(&ctx);
}

int unit_linalg(void);
int unit_linalg(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(residual_is_normal), cmocka_unit_test(least_norm), cmocka_unit_test(conjugate_gradients)};
  return cmocka_run_group_tests_name("unit_linalg", tests, NULL, NULL);
}
