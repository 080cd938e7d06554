/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_learn_check.c - the derivative checker: finds nothing in any prior that can be learned, behind any operator, nor in tgv and logistic regression;
 * and finds each of ten lies that a lower level may tell, by the check that is meant for it. Double only: differences need it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "../reconstruct/learn.h"
#include "../reconstruct/learn_logistic.h"
#include "../reconstruct/learn_private.h"
#include "../reconstruct/learn_tgv.h"
#include "priori/priori.h"

enum { SIDE = 12, N = SIDE * SIDE, THETA = 4096 };
static const int is_float = sizeof(pri_real) == 4;

static void fill(pri_array *a, const char *stream) {
  for (ptrdiff_t k = 0; k < a->items * pri_shape_size(&a->shape); k++) a->data[k] = (pri_real)(0.5 + 0.3 * pri_rng_normal_at(3, stream, (uint64_t)k));
}

static void expect_good(const char *who, pri_lower *l, const double *theta, const pri_real *x) {
  pri_derivative d[PRI_DERIVATIVES];
  int n = 0, orders = 0;
  assert_int_equal(pri_lower_check(l, theta, 0, x, d, &n), PRI_OK);
  assert_true(n >= 8 && n <= PRI_DERIVATIVES);
  for (int i = 0; i < n; i++) {
    if (!d[i].good) fail_msg("%s: %s: error %g (limit %g), order %g", who, d[i].what, d[i].error, d[i].limit, d[i].order);
    orders += d[i].order > 1.75 && d[i].order < 2.25;
  }
  assert_true(orders >= 1 || strstr(who, "tikhonov"));
}

static void check_images(const char *op, const char *spec) { /* spec NULL: tgv */
  static double theta[THETA];
  const pri_shape dom = pri_shape_2d(SIDE, SIDE);
  pri_ctx *ctx;
  pri_operator *A;
  pri_prior *R = NULL;
  pri_lower *l;
  pri_learn_tgv tgv = {.a = {0.1, 0.2}, .nu = 0.02, .bend = 0.05};
  pri_array y, truth, x;
  char who[200];
  const void *priv;
  snprintf(who, sizeof who, "%s behind %s", spec ? spec : "tgv", op);
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_operator_create(ctx, &A, op, NULL, &dom, NULL), PRI_OK);
  if (spec) assert_int_equal(pri_prior_create(ctx, &R, spec, NULL, &dom), PRI_OK);
  else assert_int_equal(pri_stencil_init(ctx, "test", &tgv.s, NULL, &dom), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, pri_operator_range(A), 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &truth, &dom, 1), PRI_OK);
  fill(&y, "y"), fill(&truth, "truth");
  const pri_lower_problem p = {.A = A, .R = R, .tgv = spec ? NULL : &tgv, .y = &y, .truth = &truth, .floor = 0.05, .loss = PRI_LOSS_SMOOTH_L1, .kappa = 0.1};
  if (pri_lower_images(ctx, &l, &p) != PRI_OK) fail_msg("%s: %s", who, pri_ctx_message(ctx));
  assert_true(pri_lower_ntheta(l) <= THETA);
  if (spec) pri_prior_class_of(R, &priv)->learnable->get_theta(priv, theta);
  else pri_learn_tgv_face.get_theta(&tgv, theta);
  assert_int_equal(pri_array_create(ctx, &x, &(pri_shape){1, {pri_lower_size(l)}}, 1), PRI_OK);
  fill(&x, "x");
  expect_good(who, l, theta, x.data);
  pri_lower_destroy(&l);
  pri_array_destroy(&y), pri_array_destroy(&truth), pri_array_destroy(&x);
  pri_prior_destroy(&R);
  pri_operator_destroy(&A);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void every_prior_and_operator(void **state) {
  static const char *const ops[] = {"identity", "blur:psf=gaussian,sigma=1", "mask:random=0.6", "downsample:factor=2,kernel=bicubic"};
  pri_ctx *ctx;
  int found = 0;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_PRIORS]; *k; k++) {
    const pri_prior_class *c = (const pri_prior_class *)(const void *)*k;
    for (int e = 0; c->learnable && (*k)->examples[e]; e++, found++) {
      char spec[160];
      snprintf(spec, sizeof spec, "%s:%s", (*k)->name, (*k)->examples[e]);
      check_images(ops[found % 4], spec);
    }
  }
  for (int o = 0; o < 4; o++) check_images(ops[o], NULL);
  for (int o = 0; o < 4; o++) check_images(ops[o], "smooth-tv:weight=0.1,smoothing=0.05");
  assert_true(found >= 6);
  pri_ctx_destroy(&ctx);
}

static void logistic(void **state) {
  enum { ROWS = 30, COLUMNS = 4, CLASSES = 3, UNKNOWNS = COLUMNS * CLASSES };
  pri_real features[ROWS * COLUMNS], x[UNKNOWNS];
  double theta[UNKNOWNS];
  int label[ROWS];
  pri_ctx *ctx;
  pri_lower *l;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_rng_normal(1, "features", 0, features, ROWS * COLUMNS);
  pri_rng_normal(1, "weights", 0, x, UNKNOWNS);
  for (int r = 0; r < ROWS; r++) label[r] = r % CLASSES;
  for (int j = 0; j < UNKNOWNS; j++) theta[j] = -1 + 0.1 * j;
  const pri_table t = {features, label, ROWS, COLUMNS};
  assert_int_equal(pri_lower_logistic(ctx, &l, &t, &t, CLASSES), PRI_OK);
  expect_good("logistic", l, theta, x);
  pri_lower_destroy(&l);
  pri_ctx_destroy(&ctx);
}

/*
 * A level that can lie: h = 1/2 |x - y|^2 + e^theta_0 sum_j c(x_j) + e^theta_1 / 2 |x|^2, c(t) = log cosh t; c' = tanh, 0 <= c'' <= 1,
 * |c'''| <= 0.77, |c'| <= 1. `lie` picks what is wrong by one part in ten thousand, or which bound is a tenth too tight.
 */
enum lie { TRUTH, VALUE, GRADIENT, PRODUCT, SYMMETRY, MIXED, TRANSPOSE, LEAST, MOST, SECOND, J_SLOPE, LIES };
enum { DIM = 9 };
static struct liar { enum lie lie; double theta[2]; pri_real at[DIM]; } liar;
static double off(enum lie lie) { return liar.lie == lie ? 1.0001 : 1; }
static double tenth(enum lie lie, double f) { return liar.lie == lie ? f : 1; }

static size_t no_desk(const void *priv) { return (void)priv, 8; }
static pri_status l_theta(pri_ctx *ctx, void *priv, const double *theta, pri_lower_constants *c) {
  (void)ctx, (void)priv;
  memcpy(liar.theta, theta, sizeof liar.theta);
  const double a = exp(theta[0]), b = exp(theta[1]);
  *c = (pri_lower_constants){.mu = (1 + b) * tenth(LEAST, 1.5), .L = (1 + a + b) * tenth(MOST, 0.5), .hess_lip = 0.77 * a * tenth(SECOND, 1e-3),
                             .mixed_lip = (a + b) * tenth(J_SLOPE, 1e-3), .mixed_norm = INFINITY, .mu_proven = 1, .proven = 1};
  return PRI_OK;
}
static pri_status l_gradient(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *g, const pri_real *x) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  for (int j = 0; j < DIM; j++) g[j] = (pri_real)(((double)x[j] - 0.1 * j) * off(GRADIENT) + exp(liar.theta[0]) * tanh((double)x[j]) + exp(liar.theta[1]) * (double)x[j]);
  return PRI_OK;
}
static pri_status l_value(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *h) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  *h = 0;
  for (int j = 0; j < DIM; j++) {
    const double v = (double)x[j], d = v - 0.1 * j;
    *h += d * d / 2 + off(VALUE) * exp(liar.theta[0]) * log(cosh(v)) + exp(liar.theta[1]) * v * v / 2;
  }
  return PRI_OK;
}
static pri_status l_prepare(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  memcpy(liar.at, x, sizeof liar.at);
  return PRI_OK;
}
static double sech2(double t) { return 1 / (cosh(t) * cosh(t)); }
static pri_status l_product(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *hv, const pri_real *v) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  for (int j = 0; j < DIM; j++) {
    const double more = liar.lie == SYMMETRY && j ? 1e-8 * (double)v[j - 1] : 0;
    hv[j] = (pri_real)((1 + exp(liar.theta[0]) * off(PRODUCT) * sech2((double)liar.at[j]) + exp(liar.theta[1])) * (double)v[j] + more);
  }
  return PRI_OK;
}
static pri_status l_mixed(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *out, const double *d) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  for (int j = 0; j < DIM; j++) out[j] = (pri_real)(off(MIXED) * exp(liar.theta[0]) * tanh((double)liar.at[j]) * d[0] + exp(liar.theta[1]) * (double)liar.at[j] * d[1]);
  return PRI_OK;
}
static pri_status l_mixed_t(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, double *out, const pri_real *v) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  out[0] = out[1] = 0;
  for (int j = 0; j < DIM; j++) {
    out[0] += off(MIXED) * off(TRANSPOSE) * exp(liar.theta[0]) * tanh((double)liar.at[j]) * (double)v[j];
    out[1] += exp(liar.theta[1]) * (double)liar.at[j] * (double)v[j];
  }
  return PRI_OK;
}
static const pri_lower_class liar_class = {.name = "liar", .desk = no_desk, .theta = l_theta, .gradient = l_gradient, .prepare = l_prepare, .product = l_product, .mixed = l_mixed,
                                           .mixed_t = l_mixed_t, .value = l_value};
static pri_status wrong_loss(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  *g = 0;
  for (int j = 0; j < DIM; j++) *g += cos((double)x[j]), grad[j] = (pri_real)(-1.0001 * sin((double)x[j]));
  return PRI_OK;
}

static void lies_are_found(void **state) {
  static const char *const by[LIES] = {NULL,           "gradient against values",         "gradient against values",  "Hessian product against gradients",
                                       "Hessian is symmetric", "J of the parameters against gradients", "J' is its transpose", "curvature not below mu",
                                       "curvature not above L", "Lipschitz constant of the Hessian", "Lipschitz constant of J"};
  static const pri_upper_class upper_class = {.name = "wrong", .value = wrong_loss};
  const pri_upper upper = {.c = &upper_class};
  const double theta[2] = {0.3, -0.4};
  pri_ctx *ctx;
  pri_real x[DIM];
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int j = 0; j < DIM; j++) x[j] = (pri_real)(0.3 + 0.2 * j);
  const pri_lower_level level = {.c = &liar_class, .priv = &liar, .m = 1, .n = DIM, .ntheta = 2};
  for (liar.lie = TRUTH; liar.lie < LIES; liar.lie++) {
    pri_derivative d[PRI_DERIVATIVES];
    int n = 0, bad = 0, meant = 0;
    assert_int_equal(pri_level_check(ctx, &level, liar.lie == TRUTH ? &upper : NULL, theta, 0, x, d, &n), PRI_OK);
    for (int i = 0; i < n; i++) {
      bad += !d[i].good;
      meant += !d[i].good && by[liar.lie] && !strcmp(d[i].what, by[liar.lie]);
      if (liar.lie == TRUTH) assert_true(d[i].good == (strcmp(d[i].what, "gradient of the loss against its values") != 0));
    }
    if (liar.lie != TRUTH && !meant) fail_msg("lie %d: %s says nothing", (int)liar.lie, by[liar.lie]);
    assert_true(bad <= (liar.lie == GRADIENT ? 2 : 1));
  }
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

int claim_learn_check(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_prior_and_operator), cmocka_unit_test(logistic), cmocka_unit_test(lies_are_found)};
  return cmocka_run_group_tests_name("claim_learn_check", tests, NULL, NULL);
}
