/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_ct_projector.c - what a projector must do whatever its code (spec rising_ct 10.3 to 10.5): keep mass, turn with the image, and see
 * a point where the frame of cli.md section 7 says.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "priori/rng.h"

enum { SIDE = 48, BINS = 80, VIEWS = 24 };
/* float: rounded weights and data; double: rounding of 2000 sums */
static const double small = sizeof(pri_real) == 4 ? 2e-6 : 1e-12;

static void project(const char *keys, pri_real *y, const pri_real *x) {
  pri_ctx *ctx;
  pri_operator *A;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  if (pri_operator_create(ctx, &A, keys, NULL, NULL, NULL) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  const pri_shape image = *pri_operator_domain(A), sinogram = *pri_operator_range(A);
  pri_array in = pri_array_borrow((pri_real *)(uintptr_t)x, &image, 1), out = pri_array_borrow(y, &sinogram, 1);
  assert_int_equal(pri_operator_apply(A, &out, &in), PRI_OK);
  pri_operator_destroy(&A);
  pri_ctx_destroy(&ctx);
}

static double sum(const pri_real *v, ptrdiff_t n) {
  double s = 0;
  for (ptrdiff_t i = 0; i < n; i++) s += (double)v[i];
  return s;
}

/* sum_u p du = h^2 sum x in every view: exactly for strips, to 5e-4 for interpolated lines through a smooth image */
static void mass_is_kept(void **state) {
  (void)state;
  static pri_real x[SIDE * SIDE], y[VIEWS * BINS];
  for (int i = 0; i < SIDE * SIDE; i++) {
    const double u = (i % SIDE - 23.5) / 12, v = (double)(i / SIDE - 23.5) / 12;
    x[i] = (pri_real)exp(-u * u - v * v);
  }
  for (int model = 0; model < 2; model++) {
    project(model ? "ct:angles=24,size=48,detector=80,bin=1.1,pixel=0.9,model=sf" : "ct:angles=24,size=48,detector=80,bin=1.1,pixel=0.9", y, x);
    for (int v = 0; v < VIEWS; v++) {
      const double mass = 1.1 * sum(y + v * BINS, BINS), expected = 0.81 * sum(x, SIDE * SIDE);
      assert_true(fabs(mass - expected) <= (model ? small : 5e-4) * expected);
    }
  }
}

/* Turning the image by 90 degrees counter-clockwise moves every view on by 90 degrees. */
static void turned_image_gives_turned_views(void **state) {
  (void)state;
  static pri_real x[SIDE * SIDE], turned[SIDE * SIDE], y[VIEWS * BINS], z[VIEWS * BINS];
  static const char *const keys[] = {"ct:angles=24,arc=360,size=48,detector=80,start=3", "ct:angles=24,arc=360,size=48,detector=80,start=3,model=sf",
                                     "ct:geometry=fan,angles=24,size=48,detector=80,sod=90,sdd=150,bin=2,start=3",
                                     "ct:geometry=fancurved,angles=24,size=48,detector=80,sod=90,sdd=150,bin=2,start=3,model=sf"};
  pri_rng_normal(1, "x", 0, x, SIDE * SIDE);
  for (int r = 0; r < SIDE; r++)
    for (int c = 0; c < SIDE; c++) turned[r * SIDE + c] = x[c * SIDE + SIDE - 1 - r];
  for (int k = 0; k < 4; k++) {
    project(keys[k], y, x);
    project(keys[k], z, turned);
    for (int v = 0; v < VIEWS; v++)
      for (int j = 0; j < BINS; j++) /* values are about 10; cos and sin of the two angles differ by rounding */
        assert_true(fabs((double)z[(v + VIEWS / 4) % VIEWS * BINS + j] - (double)y[v * BINS + j]) <= 100 * small);
  }
}

/* A pixel at (X, Y) falls on u = X cos + Y sin (parallel), sdd (X cos + Y sin) / (sod - X sin + Y cos) (fan); cw turns the other way. */
static void a_point_is_seen_where_it_should_be(void **state) {
  (void)state;
  static pri_real x[SIDE * SIDE], y[VIEWS * BINS];
  const double X = 14.5, Y = 8.5, pi = acos(-1.0); /* column 38, row 15 */
  x[15 * SIDE + 38] = 1;
  for (int fan = 0; fan < 2; fan++)
    for (int cw = 0; cw < 2; cw++) {
      char keys[160];
      snprintf(keys, sizeof keys, "ct:%s,angles=24,arc=360,size=48,detector=80,pixel=1,center=38,model=sf,direction=%s",
               fan ? "geometry=fan,sod=90,sdd=150,bin=1.7" : "geometry=parallel", cw ? "cw" : "ccw");
      project(keys, y, x);
      for (int v = 0; v < VIEWS; v++) {
        const double t = (cw ? -1 : 1) * 2 * pi * v / VIEWS, side = X * cos(t) + Y * sin(t);
        const double u = fan ? 150 * side / (90 - X * sin(t) + Y * cos(t)) / 1.7 : side;
        double first = 0;
        for (int j = 0; j < BINS; j++) first += (j - 38) * (double)y[v * BINS + j];
        const double got = first / sum(y + v * BINS, BINS);
        if (!(fabs(got - u) < 0.15)) fail_msg("%s: view %d: bin %g instead of %g", keys, v, got, u); /* mass counts at the middle of its bin: up to a tenth off */
      }
    }
}

int claim_ct_projector(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(mass_is_kept), cmocka_unit_test(turned_image_gives_turned_views), cmocka_unit_test(a_point_is_seen_where_it_should_be)};
  return cmocka_run_group_tests_name("claim_ct_projector", tests, NULL, NULL);
}
