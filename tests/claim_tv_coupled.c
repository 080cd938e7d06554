/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_tv_coupled.c - tv and huber-tv over channels (coupled=yes): the value by hand; C channels that are all alike are those of one channel with
 * weight / root(C), prox and rel:V too; an edge of one channel makes one in the other cheap (Blomgren, Chan 1998).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { C = 3, NY = 24, NX = 31, N = NY * NX };

static int make_ctx(void **state) { return pri_open((pri_ctx **)state, NULL) == PRI_OK ? 0 : -1; }
static int drop_ctx(void **state) {
  assert_int_equal(pri_ctx_memory_used(*state), 0);
  pri_ctx_destroy((pri_ctx **)state);
  return 0;
}

static const pri_prior_class *make(pri_ctx *ctx, pri_prior **R, const char *spec, const pri_shape *dom, const void **priv) {
  if (pri_prior_create(ctx, R, spec, NULL, dom) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  return pri_prior_class_of(*R, priv);
}

static double value(pri_ctx *ctx, const char *spec, const pri_shape *dom, const pri_real *x) {
  pri_prior *R;
  const void *priv;
  double v;
  const pri_prior_class *c = make(ctx, &R, spec, dom, &priv);
  assert_int_equal(c->variational->value(ctx, priv, &v, x, 1, pri_prior_scratch(R)), PRI_OK);
  pri_prior_destroy(&R);
  return v;
}

static void by_hand(void **state) { /* two channels of 2 x 2: differences (y; x) of channel 0: 1 2 | 3 0, of channel 1: 2 0 | -2 0 */
  static const pri_real x[8] = {0, 2, 1, 5, 1, 1, 3, 1};
  const pri_shape dom = {3, {2, 2, 2}};
  /* pixel (0,0): y 1, 2; x 2, 0. (0,1): y 3, 0. (1,0): x 4, -2. (1,1): none */
  const double want = sqrt(1 + 4 + 4) + 3 + sqrt(16 + 4);
  assert_true(fabs(value(*state, "tv:weight=2,coupled=yes", &dom, x) - 2 * want) < 1e-12);
  assert_true(fabs(value(*state, "huber-tv:weight=2,delta=0.5,coupled=yes", &dom, x) - 2 * (want - 3 * 0.25)) < 1e-12);
  assert_true(fabs(value(*state, "tv:weight=2", &dom, x) - 2 * want) > 0.1); /* a volume */
}

static void prox_of(pri_ctx *ctx, const char *spec, const pri_shape *dom, pri_real *p, const pri_real *z) {
  static const double lo = -INFINITY, hi = INFINITY;
  const pri_prox_req req = {.tau = 1, .tol = 1e-5, .max_inner = 4000};
  pri_prox_cert cert;
  pri_prior *R;
  const void *priv;
  const pri_prior_class *c = make(ctx, &R, spec, dom, &priv);
  assert_int_equal(c->variational->prox(ctx, priv, p, z, &lo, &hi, &req, &cert, NULL, NULL, 1, pri_prior_scratch(R)), PRI_OK);
  assert_true(cert.gap.value <= 1e-5 && cert.gap.trust == PRI_PROVEN);
  pri_prior_destroy(&R);
}

static double far(const pri_real *a, const pri_real *b, double *size) {
  double sum = 0;
  *size = 0;
  for (int i = 0; i < N; i++) sum += pow((double)a[i] - (double)b[i], 2), *size += pow((double)b[i], 2);
  return sum;
}

/* min over (x, ..., x) of C |x - z|^2 / 2 + w root(C) TV(x), and the whole is symmetric and strictly convex: its minimiser has equal channels */
static void alike_channels_are_one(void **state) {
  static const char *const priors[] = {"tv:weight=%.17g%s", "huber-tv:weight=%.17g,delta=%.17g%s"};
  static pri_real z[C * N], p[C * N], one[N];
  const pri_shape all = {3, {C, NY, NX}}, dom = pri_shape_2d(NY, NX);
  const double w = 0.3;
  pri_rng_normal(3, "z", 0, z, N);
  for (int c = 1; c < C; c++)
    for (int i = 0; i < N; i++) z[c * N + i] = z[i];
  for (int k = 0; k < 2; k++) { /* huber: of |(D x)_i| root(C) up to delta is |(D x)_i| up to delta / root(C) */
    char a[160], b[160];
    double size;
    if (k) snprintf(a, sizeof a, priors[k], w, 0.2, ",coupled=yes"), snprintf(b, sizeof b, priors[k], w / sqrt(C), 0.2 / sqrt(C), "");
    else snprintf(a, sizeof a, priors[k], w, ",coupled=yes"), snprintf(b, sizeof b, priors[k], w / sqrt(C), "");
    prox_of(*state, a, &all, p, z);
    prox_of(*state, b, &dom, one, z);
    for (int c = 0; c < C; c++) {
      const double d = far(p + c * N, one, &size); /* each within root(2 gap), gap 1e-5 of the objective, which is below |z|^2 / 2 = N / 2 */
      assert_true(d <= 4 * 2 * 1e-5 * C * N && d < 0.01 * size);
    }
  }
}

static void constants_alike(void **state) { /* rel:V */
  static pri_real g[C * N];
  const pri_shape all = {3, {C, NY, NX}}, dom = pri_shape_2d(NY, NX);
  double coupled, single, mean = 0;
  pri_prior *R;
  const void *priv;
  pri_rng_normal(4, "g", 0, g, N);
  for (int i = 0; i < N; i++) mean += (double)g[i] / N;
  for (int i = 0; i < N; i++) g[i] -= (pri_real)mean;
  for (int c = 1; c < C; c++)
    for (int i = 0; i < N; i++) g[c * N + i] = g[i];
  const pri_prior_class *c = make(*state, &R, "tv:weight=1,coupled=yes", &all, &priv);
  assert_int_equal(c->constant_weight(*state, priv, g, &coupled, 1, NULL), PRI_OK);
  pri_prior_destroy(&R);
  c = make(*state, &R, "tv:weight=1", &dom, &priv);
  assert_int_equal(c->constant_weight(*state, priv, g, &single, 1, NULL), PRI_OK);
  pri_prior_destroy(&R);
  assert_true(fabs(coupled / (sqrt(C) * single) - 1) < 0.05); /* each to within 5 % from above */
}

/* a step of 1 in channel 0; one of 0.2 in channel 1 costs 0.2 by itself, root(1 + 0.04) - 1 = 0.02 in the same place, 0.2 elsewhere */
static void edges_share_their_place(void **state) {
  const pri_shape dom = {3, {2, 1, 10}};
  pri_real x[20] = {0};
  double cost[3];
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < 10; i++) x[i] = i >= 5, x[10 + i] = k == 0 ? 0 : (pri_real)(i >= (k == 1 ? 5 : 7) ? 0.2 : 0);
    cost[k] = value(*state, "tv:weight=1,coupled=yes", &dom, x);
  }
  assert_true(fabs(cost[1] - cost[0] - (sqrt(1.04) - 1)) < 1e-6 && fabs(cost[2] - cost[0] - 0.2) < 1e-6);
}

/* a map has one factor a pixel, not one a channel; too many channels, and images that are all channels, are refused */
static void refusals(void **state) {
  const pri_shape none = {1, {5}}, many = {3, {1025, 1, 2}};
  pri_prior *R;
  assert_int_equal(pri_prior_create(*state, &R, "tv:weight=1,coupled=yes", NULL, &none), PRI_ESHAPE);
  assert_int_equal(pri_prior_create(*state, &R, "huber-tv:weight=1,coupled=yes", NULL, &many), PRI_ESHAPE);
}

int claim_tv_coupled(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(alike_channels_are_one), cmocka_unit_test(constants_alike),
                                     cmocka_unit_test(edges_share_their_place), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests_name("claim_tv_coupled", tests, make_ctx, drop_ctx);
}
