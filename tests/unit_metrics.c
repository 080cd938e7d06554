/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_metrics.c - figures against values that a pencil gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { N = 24 };
static const pri_score_opts standard = {1, 1, PRI_SSIM_GAUSSIAN, 0};

static void near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) fail_msg("%.17g is not %.17g within %g", a, b, tolerance);
}

static pri_score score(const pri_real *x, const pri_real *r, const pri_score_opts *o) {
  pri_ctx *ctx;
  pri_score s = {0};
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_score_image(ctx, &s, x, r, N, N, o), PRI_OK);
  assert_int_equal((int)pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
  return s;
}

/* All values are sums of few powers of two: exact in float, so that tolerances are those of double sums, 600 eps. */
static void constants(void **state) {
  (void)state;
  pri_real x[N * N], r[N * N];
  for (int i = 0; i < N * N; i++) {
    r[i] = (pri_real)0.5;
    x[i] = (pri_real)(i % 2 ? 0.75 : 0.25);
  }
  const pri_score s = score(x, r, &standard);
  near(s.rmse, 0.25, 1e-13);
  near(s.mae, 0.25, 1e-13);
  near(s.re, 0.5, 1e-13);
  near(s.psnr, 20 * log10(4), 1e-12);
  assert_true(isnan(s.mcc)); /* one value in r */
  const pri_score ten = score(x, r, &(pri_score_opts){10, 1, PRI_SSIM_GAUSSIAN, 0});
  near(ten.psnr - s.psnr, 20, 1e-12);
}

/* Two constant images: variances vanish, SSIM = (2 a b + c1) / (a^2 + b^2 + c1), for either window and any range. */
static void ssim_of_constants(void **state) {
  (void)state;
  pri_real x[N * N], r[N * N];
  for (int i = 0; i < N * N; i++) {
    x[i] = (pri_real)0.75;
    r[i] = (pri_real)0.25;
  }
  for (int kind = 0; kind < 2; kind++)
    for (double range = 1; range < 20; range += 9) {
      const double c1 = 1e-4 * range * range;
      const pri_score s = score(x, r, &(pri_score_opts){1, range, (pri_ssim)kind, 0});
      near(s.ssim, (2 * 0.75 * 0.25 + c1) / (0.75 * 0.75 + 0.25 * 0.25 + c1), 1e-12);
      near(score(r, r, &(pri_score_opts){1, range, (pri_ssim)kind, 0}).ssim, 1, 1e-13);
    }
}

/* Checkerboards x = 1/2 + s, r = 1/2 - s with s = +-1/4: the sign changes between neighbours. With 7 x 7 equal weights the mean
   is 1/2 +- 1/196 and the sample covariances are exact: var = (49/48)(1/16 - 1/196^2), cov = -var. */
static void ssim_of_checkerboard(void **state) {
  (void)state;
  pri_real x[N * N], r[N * N];
  for (int i = 0; i < N * N; i++) {
    const double s = (i / N + i % N) % 2 ? 0.25 : -0.25;
    x[i] = (pri_real)(0.5 + s);
    r[i] = (pri_real)(0.5 - s);
  }
  const double d = 1.0 / 196, v = 49.0 / 48 * (1.0 / 16 - d * d), c1 = 1e-4, c2 = 9e-4;
  const double want = (2 * (0.25 - d * d) + c1) * (c2 - 2 * v) / ((0.5 + 2 * d * d + c1) * (2 * v + c2));
  near(score(x, r, &(pri_score_opts){1, 1, PRI_SSIM_UNIFORM7, 0}).ssim, want, 1e-12);
}

static void disc(void **state) {
  (void)state;
  pri_real x[N * N] = {0}, r[N * N];
  for (int i = 0; i < N * N; i++) r[i] = 1;
  for (int i = 0; i < N * N; i++) {
    const double dy = i / N - 0.5 * (N - 1), dx = i % N - 0.5 * (N - 1);
    x[i] = hypot(dx, dy) <= 0.5 * N ? (pri_real)0.5 : 100;
  }
  near(score(x, r, &(pri_score_opts){1, 1, PRI_SSIM_GAUSSIAN, 1}).rmse, 0.5, 1e-13);
  assert_true(score(x, r, &standard).rmse > 1);
}

/* Reference 0 and 1 by halves; the image has 1/8 of the ones and 1/4 of the zeros on the wrong side of any threshold. */
static void mcc(void **state) {
  (void)state;
  pri_real x[N * N], r[N * N];
  for (int i = 0; i < N * N; i++) {
    const int one = i >= N * N / 2, wrong = one ? i % 8 == 0 : i % 4 == 0;
    r[i] = (pri_real)(one ? 3 : 1);
    x[i] = (pri_real)((one != wrong ? 0.9 : 0.1) + (i % 3) * 0.01);
  }
  const double tp = 7.0 / 8, fn = 1.0 / 8, tn = 3.0 / 4, fp = 1.0 / 4;
  near(score(x, r, &standard).mcc, (tp * tn - fp * fn) / sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)), 1e-13);
  near(score(r, r, &standard).mcc, 1, 1e-13);
  const double cut = pri_otsu(x, N * N);
  assert_true(cut > 0.12 && cut < 0.9);
}

static void not_finite(void **state) {
  (void)state;
  pri_ctx *ctx;
  pri_score s;
  pri_real x[N * N] = {0}, r[N * N] = {0};
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  x[5] = (pri_real)NAN;
  assert_int_equal(pri_score_image(ctx, &s, x, r, N, N, &standard), PRI_EDATA);
  assert_int_equal(pri_score_image(ctx, &s, r, x, N, N, &standard), PRI_EDATA);
  x[5] = 0;
  assert_int_equal(pri_score_image(ctx, &s, x, r, 4, N * N / 4, NULL), PRI_OK); /* smaller than the window: no error */
  assert_true(isnan(s.ssim));
  assert_true(isinf(s.psnr));
  pri_ctx_destroy(&ctx);
}

int unit_metrics(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(constants), cmocka_unit_test(ssim_of_constants),
                                     cmocka_unit_test(ssim_of_checkerboard), cmocka_unit_test(disc),
                                     cmocka_unit_test(mcc), cmocka_unit_test(not_finite)};
  return cmocka_run_group_tests_name("unit_metrics", tests, NULL, NULL);
}
