/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_hessian_schatten.c - Lefkimmiatis, Ward, Unser 2013: the norm is that of the eigenvalues of the Hessian. A quadratic has one Hessian
 * everywhere: its value is closed; turning the Hessian by 90 degrees or changing the sign of the image changes nothing; affine images cost nothing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { NY = 7, NX = 9, N = NY * NX };
static const pri_shape dom = {2, {NY, NX}};
/* values of size 100, differences of second order */
static const double ROUND = sizeof(pri_real) == 4 ? 1e-6 : 1e-14;

static double value_of(const char *spec, double a, double b, double c, double slope, double pitch) {
  pri_ctx *ctx;
  pri_prior *R;
  const void *priv;
  double v;
  pri_real x[N];
  const pri_meta meta = {.pixel = {1, pitch, 1}};
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(ctx, &R, spec, &meta, &dom), PRI_OK);
  for (int i = 0; i < N; i++) {
    const double y = i / NX, z = i % NX;
    x[i] = (pri_real)(a * y * y / 2 + b * y * z + c * z * z / 2 + slope * (y - 2 * z) + 0.5); /* multiples of 1/4: exact */
  }
  const pri_prior_class *k = pri_prior_class_of(R, &priv);
  assert_int_equal(k->variational->value(ctx, priv, &v, x, 1, pri_prior_scratch(R)), PRI_OK);
  pri_prior_destroy(&R);
  pri_ctx_destroy(&ctx);
  return v;
}

/* pixels by what they see: the cross differences exist but in the last row and column, the others inside of their axis */
static double closed(int p, double a, double b, double c) {
  double sum = 0;
  for (int i = 0; i < N; i++) {
    const int y = i / NX, z = i % NX;
    const double A = y > 0 && y < NY - 1 ? a : 0, C = z > 0 && z < NX - 1 ? c : 0, B = y < NY - 1 && z < NX - 1 ? b : 0;
    const double trace = A + C, root = sqrt((A - C) * (A - C) + 4 * B * B), l1 = fabs(trace + root) / 2, l2 = fabs(trace - root) / 2;
    sum += p == 1 ? l1 + l2 : p == 2 ? sqrt(l1 * l1 + l2 * l2) : fmax(l1, l2);
  }
  return sum;
}

static void quadratics(void **state) {
  (void)state;
  static const double h[][3] = {{1, 0, 0}, {1, 0, 2}, {1, 0.5, -1}, {-0.5, 1, 0.5}, {0, 1, 0}, {2, 2, 2}};
  static const char *const specs[] = {"hessian-schatten:0.5,p=1", "hessian-schatten:0.5,p=2", "hessian-schatten:0.5,p=inf"};
  for (int k = 0; k < 6; k++)
    for (int p = 0; p < 3; p++) {
      const double want = 0.5 * closed(p == 2 ? 9 : p + 1, h[k][0], h[k][1], h[k][2]), got = value_of(specs[p], h[k][0], h[k][1], h[k][2], 0.25, 1);
      assert_true(fabs(got - want) <= 100 * ROUND * want);
      assert_true(fabs(value_of(specs[p], -h[k][0], -h[k][1], -h[k][2], 0.25, 1) - want) <= 100 * ROUND * want);
      assert_true(fabs(value_of(specs[p], 4 * h[k][0], 2 * h[k][1], h[k][2], 0.25, 2) - want) <= 100 * ROUND * want); /* y pitch of 2: derivatives by pixel of x */
    }
  assert_true(value_of(specs[0], 0, 0, 0, 0.75, 1) == 0);
}

/* random matrices: the projection onto the dual ball is the nearest point: moves inside of the ball do not come nearer */
static void projections(void **state) {
  (void)state;
  static const char *const specs[] = {"hessian-schatten:1,p=1", "hessian-schatten:1,p=2", "hessian-schatten:1,p=inf"};
  for (int p = 0; p < 3; p++) {
    pri_ctx *ctx;
    pri_prior *R;
    const void *priv;
    pri_real q[3 * N], to[3 * N], other[3 * N];
    assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
    assert_int_equal(pri_prior_create(ctx, &R, specs[p], NULL, &dom), PRI_OK);
    const pri_saddle *s = pri_prior_class_of(R, &priv)->saddle;
    pri_rng_normal(1, "q", 0, q, 3 * N), pri_rng_normal(1, "other", 0, other, 3 * N);
    for (int i = 0; i < 3 * N; i++) q[i] *= 2, to[i] = q[i];
    assert_int_equal(s->dual_prox(ctx, priv, to, 1, NULL, 1), PRI_OK);
    assert_int_equal(s->dual_prox(ctx, priv, other, 1, NULL, 1), PRI_OK);
    for (int i = 0; i < N; i++) { /* convex set: <q - Pq, other - Pq> <= 0, pixel by pixel */
      double dot = 0;
      for (int c = 0; c < 3; c++) dot += (double)(q[c * N + i] - to[c * N + i]) * (double)(other[c * N + i] - to[c * N + i]);
      assert_true(dot <= 50 * ROUND);
    }
    pri_prior_destroy(&R);
    pri_ctx_destroy(&ctx);
  }
}

int claim_hessian_schatten(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(quadratics), cmocka_unit_test(projections)};
  return cmocka_run_group_tests_name("claim_hessian_schatten", tests, NULL, NULL);
}
