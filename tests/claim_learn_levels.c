/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_learn_levels.c - lower levels other than images: the quadratic of spec maid 6.1 as a class of this test's own (T3: theta*, the gradient and
 * omega are known), and multinomial logistic regression. Double only, as claim_learn.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "../reconstruct/learn.h"
#include "../reconstruct/learn_logistic.h"
#include "linalg.h"
#include "priori/priori.h"

static const int is_float = sizeof(pri_real) == 4;

/*
 * T3: h = 1/2 |A2 x + A3 theta - b2|^2, g = 1/2 |A1 x - b1|^2, rows ROWS, x and theta of DIM. Columns of A2 are orthonormal, then scaled by
 * 1 ... 3, so that mu = 1, L = 9 exactly; L_H = L_J = 0, J = A2'A3.
 */
enum { ROWS = 24, DIM = 4 };
static struct quadratic { double A[3][ROWS][DIM], b[2][ROWS], theta[DIM]; } quad; /* A1 A2 A3, b1 b2 */

static void times(double *out, double (*A)[DIM], const double *x) {
  for (int r = 0; r < ROWS; r++) {
    out[r] = 0;
    for (int j = 0; j < DIM; j++) out[r] += A[r][j] * x[j];
  }
}

static void transposed(double *out, double (*A)[DIM], const double *y) {
  for (int j = 0; j < DIM; j++) {
    out[j] = 0;
    for (int r = 0; r < ROWS; r++) out[j] += A[r][j] * y[r];
  }
}

static void orthonormal(double (*A)[DIM]) { /* Gram, Schmidt, twice */
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < DIM; j++) {
      double norm = 0;
      for (int k = 0; k < j; k++) {
        double dot = 0;
        for (int r = 0; r < ROWS; r++) dot += A[r][j] * A[r][k];
        for (int r = 0; r < ROWS; r++) A[r][j] -= dot * A[r][k];
      }
      for (int r = 0; r < ROWS; r++) norm += A[r][j] * A[r][j];
      for (int r = 0; r < ROWS; r++) A[r][j] /= sqrt(norm);
    }
}

static void draw_quadratic(void) {
  double x2[DIM], bar[DIM], t[ROWS];
  uint64_t k = 0;
  for (int a = 0; a < 3; a++)
    for (int r = 0; r < ROWS; r++)
      for (int j = 0; j < DIM; j++) quad.A[a][r][j] = pri_rng_uniform_at(7, "matrix", k++);
  for (int a = 0; a < 3; a++) orthonormal(quad.A[a]);
  for (int r = 0; r < ROWS; r++)
    for (int j = 0; j < DIM; j++) quad.A[1][r][j] *= 1 + 2.0 * j / (DIM - 1);
  for (int j = 0; j < DIM; j++) x2[j] = pri_rng_uniform_at(7, "x", (uint64_t)j), bar[j] = pri_rng_uniform_at(7, "theta", (uint64_t)j);
  times(quad.b[0], quad.A[0], x2);
  times(quad.b[1], quad.A[1], x2);
  times(t, quad.A[2], bar);
  for (int r = 0; r < ROWS; r++) quad.b[0][r] += 0.01 * pri_rng_normal_at(7, "b1", (uint64_t)r), quad.b[1][r] += t[r] + 0.01 * pri_rng_normal_at(7, "b2", (uint64_t)r);
}

static size_t no_desk(const void *priv) { return (void)priv, 8; }
static pri_status q_theta(pri_ctx *ctx, void *priv, const double *at, pri_lower_constants *c) {
  (void)ctx, (void)priv;
  memcpy(quad.theta, at, sizeof quad.theta);
  *c = (pri_lower_constants){.mu = 1, .L = 9, .mixed_norm = 3, .mu_proven = 1, .proven = 1}; /* |A2'A3| <= 3 */
  return PRI_OK;
}
static pri_status q_start(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *x) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  for (int j = 0; j < DIM; j++) x[j] = 0;
  return PRI_OK;
}
static void widen(double *out, const pri_real *x) {
  for (int j = 0; j < DIM; j++) out[j] = (double)x[j];
}
static pri_status q_gradient(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *g, const pri_real *x) {
  double wide[DIM], a[ROWS], b[ROWS], out[DIM];
  (void)ctx, (void)priv, (void)desk, (void)i;
  widen(wide, x);
  times(a, quad.A[1], wide), times(b, quad.A[2], quad.theta);
  for (int r = 0; r < ROWS; r++) a[r] += b[r] - quad.b[1][r];
  transposed(out, quad.A[1], a);
  for (int j = 0; j < DIM; j++) g[j] = (pri_real)out[j];
  return PRI_OK;
}
static pri_status q_prepare(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x) { return (void)ctx, (void)priv, (void)desk, (void)i, (void)x, PRI_OK; }
static pri_status q_product(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *hv, const pri_real *v) {
  double wide[DIM], a[ROWS], out[DIM];
  (void)ctx, (void)priv, (void)desk, (void)i;
  widen(wide, v);
  times(a, quad.A[1], wide), transposed(out, quad.A[1], a);
  for (int j = 0; j < DIM; j++) hv[j] = (pri_real)out[j];
  return PRI_OK;
}
static pri_status q_mixed(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *out, const double *d) { /* A2'A3 d */
  double a[ROWS], o[DIM];
  (void)ctx, (void)priv, (void)desk, (void)i;
  times(a, quad.A[2], d), transposed(o, quad.A[1], a);
  for (int j = 0; j < DIM; j++) out[j] = (pri_real)o[j];
  return PRI_OK;
}
static pri_status q_mixed_t(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, double *out, const pri_real *v) {
  double wide[DIM], a[ROWS];
  (void)ctx, (void)priv, (void)desk, (void)i;
  widen(wide, v);
  times(a, quad.A[1], wide), transposed(out, quad.A[2], a);
  return PRI_OK;
}
static pri_status q_value(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  double wide[DIM], a[ROWS], out[DIM];
  (void)ctx, (void)priv, (void)desk, (void)i;
  widen(wide, x);
  times(a, quad.A[0], wide);
  *g = 0;
  for (int r = 0; r < ROWS; r++) a[r] -= quad.b[0][r], *g += a[r] * a[r] / 2;
  transposed(out, quad.A[0], a);
  for (int j = 0; j < DIM; j++) grad[j] = (pri_real)out[j];
  return PRI_OK;
}
static void nothing(pri_ctx *ctx, void *priv) { (void)ctx, (void)priv; }
static const pri_lower_class q_class = {"quadratic", no_desk, q_theta, q_start, q_gradient, q_prepare, q_product, q_mixed, q_mixed_t, nothing, NULL};
static const pri_upper_class q_upper = {"distance", NULL, q_value, 0, nothing};

static pri_lower *open_quadratic(pri_ctx *ctx) {
  pri_lower *l;
  draw_quadratic();
  assert_int_equal(pri_lower_create(ctx, &l, &(pri_lower_level){.c = &q_class, .m = 1, .n = DIM, .ntheta = DIM}, &(pri_upper){.c = &q_upper, .lip = 1, .convex = 1, .proven = 1}), PRI_OK);
  return l;
}

/* x^ = P (b2 - A3 theta), P = (A2'A2)^-1 A2' = diag(s)^-2 A2';  f = 1/2 |M theta - c|^2, M = A1 P A3, c = A1 P b2 - b1 */
static void reduce(double *M, double *c) {
  double t[ROWS], x[DIM];
  for (int j = 0; j <= DIM; j++) {
    for (int r = 0; r < ROWS; r++) t[r] = j < DIM ? quad.A[2][r][j] : quad.b[1][r];
    transposed(x, quad.A[1], t);
    for (int k = 0; k < DIM; k++) x[k] /= (1 + 2.0 * k / (DIM - 1)) * (1 + 2.0 * k / (DIM - 1));
    times(t, quad.A[0], x);
    for (int r = 0; r < ROWS; r++)
      if (j < DIM) M[r * DIM + j] = t[r];
      else c[r] = t[r] - quad.b[0][r];
  }
}

static double f_and_slope(const double *M, const double *c, const double *theta, double *slope) {
  double f = 0;
  memset(slope, 0, DIM * sizeof *slope);
  for (int r = 0; r < ROWS; r++) {
    double v = -c[r];
    for (int j = 0; j < DIM; j++) v += M[r * DIM + j] * theta[j];
    f += v * v / 2;
    for (int j = 0; j < DIM; j++) slope[j] += M[r * DIM + j] * v;
  }
  return f;
}

static void quadratic_has_its_slope(void **state) {
  static const double theta[DIM] = {1, 1, 1, 1};
  double M[ROWS * DIM], c[ROWS], slope[DIM], e, z[DIM], omega;
  pri_real x[DIM] = {0}, q[DIM] = {0};
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_lower *l = open_quadratic(ctx);
  reduce(M, c);
  const double f = f_and_slope(M, c, theta, slope);
  assert_int_equal(pri_lower_theta(l, theta), PRI_OK);
  assert_true(pri_lower_certified(l));
  for (int k = 0; k < 10; k++) { /* omega holds the error at any accuracy, and halves with it within a factor: T7, T10 */
    memset(x, 0, sizeof x), memset(q, 0, sizeof q);
    assert_int_equal(pri_lower_solve(l, x, pow(10, -k), 100000, &e), PRI_OK);
    assert_int_equal(pri_lower_hypergradient(l, x, &e, pow(10, -k), q, z, &omega), PRI_OK);
    const pri_interval range = pri_lower_interval(l, x, &e);
    double error = 0;
    for (int j = 0; j < DIM; j++) error += (z[j] - slope[j]) * (z[j] - slope[j]);
    assert_true(range.low <= f + 1e-12 && f <= range.high + 1e-12);
    assert_true(sqrt(error) <= omega + 1e-12);
    if (k == 9) assert_true(sqrt(error) <= 1e-7 && omega <= 1e-6);
  }
  pri_lower_destroy(&l);
  pri_ctx_destroy(&ctx);
}

static void quadratic_is_solved(void **state) { /* the least squares of M theta = c; gap below 1e-3, theta within 1e-2 (spec T3) */
  static const double start[DIM] = {1, 1, 1, 1};
  double M[ROWS * DIM], c[ROWS], best[DIM], slope[DIM];
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_lower *l = open_quadratic(ctx);
  reduce(M, c);
  assert_int_equal(pri_linalg_lstsq(ctx, best, M, c, ROWS, DIM, NULL), PRI_OK);
  const double least = f_and_slope(M, c, best, slope);
  for (int plain = 0; plain < 2; plain++) {
    pri_maid *m;
    pri_maid_report r;
    pri_verdict v = PRI_GO;
    assert_int_equal(pri_maid_create(ctx, &m, l, start, &(pri_maid_opts){.search = plain ? PRI_MAID_PAPER : PRI_MAID_PREDICTIVE, .eps = 0.1, .alpha = 0.1}), PRI_OK);
    for (int k = 0; k < 2000 && v == PRI_GO; k++) {
      double before = f_and_slope(M, c, pri_maid_theta(m), slope);
      assert_int_equal(pri_maid_step(m, &r, &v), PRI_OK);
      if (v == PRI_GO) assert_true(f_and_slope(M, c, pri_maid_theta(m), slope) < before); /* T9: every accepted step descends */
    }
    assert_true(f_and_slope(M, c, pri_maid_theta(m), slope) - least <= 1e-3);
    for (int j = 0; j < DIM && !plain; j++) assert_true(fabs(pri_maid_theta(m)[j] - best[j]) <= 1e-2);
    pri_maid_destroy(&m);
  }
  pri_lower_destroy(&l);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* ---- logistic regression: three classes of points around three centres */

enum { POINTS = 300, COLUMNS = 5, KINDS = 3, WEIGHTS = COLUMNS * KINDS };
static pri_real points[2 * POINTS * COLUMNS];
static int kinds[2 * POINTS];

static void draw_points(void) {
  for (int r = 0; r < 2 * POINTS; r++) {
    kinds[r] = r % KINDS;
    for (int j = 0; j < COLUMNS; j++) /* the last two columns say nothing */
      points[r * COLUMNS + j] = (pri_real)((j == kinds[r] ? 1.5 : 0) + pri_rng_normal_at(11, "points", (uint64_t)(r * COLUMNS + j)));
  }
}

static pri_lower *open_logistic(pri_ctx *ctx) {
  pri_lower *l;
  draw_points();
  const pri_table train = {points, kinds, POINTS, COLUMNS}, judge = {points + POINTS * COLUMNS, kinds + POINTS, POINTS, COLUMNS};
  assert_int_equal(pri_lower_logistic(ctx, &l, &train, &judge, KINDS), PRI_OK);
  return l;
}

static double logistic_loss(pri_lower *l, const double *theta, pri_real *x) {
  double e;
  assert_int_equal(pri_lower_theta(l, theta), PRI_OK);
  assert_int_equal(pri_lower_solve(l, x, 1e-13, 200000, &e), PRI_OK);
  const pri_interval f = pri_lower_interval(l, x, &e);
  return (f.low + f.high) / 2;
}

static void logistic_has_its_slope(void **state) {
  double theta[WEIGHTS], z[WEIGHTS], e;
  pri_real x[WEIGHTS] = {0}, q[WEIGHTS] = {0};
  pri_ctx *ctx;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_lower *l = open_logistic(ctx);
  for (int j = 0; j < WEIGHTS; j++) theta[j] = -2 - 0.1 * j;
  assert_int_equal(pri_lower_theta(l, theta), PRI_OK);
  assert_true(pri_lower_certified(l) && fabs(pri_lower_mu(l) - exp(-2 - 0.1 * (WEIGHTS - 1))) < 1e-12);
  assert_int_equal(pri_lower_solve(l, x, 1e-13, 200000, &e), PRI_OK);
  assert_int_equal(pri_lower_hypergradient(l, x, &e, 1e-14, q, z, NULL), PRI_OK);
  for (int j = 0; j < WEIGHTS; j += 4) {
    double error[2];
    for (int k = 0; k < 2; k++) {
      const double step = 0.2 / (1 << k), at = theta[j];
      theta[j] = at + step;
      const double plus = logistic_loss(l, theta, x);
      theta[j] = at - step;
      error[k] = fabs((plus - logistic_loss(l, theta, x)) / (2 * step) - z[j]);
      theta[j] = at;
    }
    assert_true(error[0] <= 2e-2 * fabs(z[j]) + 1e-6);
    if (error[0] > 1e-7) assert_true(error[0] / error[1] >= 3.5 && error[0] / error[1] <= 4.6);
  }
  pri_lower_destroy(&l);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* What says nothing gets the larger penalties, and the loss on points of its own falls. */
static void logistic_penalties_are_learned(void **state) {
  double theta[WEIGHTS], useful = 0, useless = 0;
  pri_real x[WEIGHTS] = {0};
  pri_maid_report r;
  pri_verdict v = PRI_GO;
  pri_ctx *ctx;
  pri_maid *m;
  (void)state;
  if (is_float) return;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_lower *l = open_logistic(ctx);
  for (int j = 0; j < WEIGHTS; j++) theta[j] = -3;
  const double before = logistic_loss(l, theta, x);
  assert_int_equal(pri_maid_create(ctx, &m, l, theta, &(pri_maid_opts){.lo = -7, .hi = 3}), PRI_OK);
  for (int k = 0; k < 30 && v == PRI_GO; k++) assert_int_equal(pri_maid_step(m, &r, &v), PRI_OK);
  const double after = logistic_loss(l, pri_maid_theta(m), x);
  assert_true(after < before && r.f.low <= after && after <= r.f.high * (1 + 1e-9));
  for (int j = 0; j < WEIGHTS; j++) *(j < KINDS * KINDS ? &useful : &useless) += pri_maid_theta(m)[j] / (j < KINDS * KINDS ? KINDS * KINDS : WEIGHTS - KINDS * KINDS);
  assert_true(useless > useful + 0.5);
  pri_maid_destroy(&m);
  pri_lower_destroy(&l);
  pri_ctx_destroy(&ctx);
}

static void bad_tables_are_refused(void **state) {
  static const int wrong[3] = {0, 1, 3};
  pri_ctx *ctx;
  pri_lower *l;
  (void)state;
  draw_points();
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  const pri_table good = {points, kinds, 3, COLUMNS}, labels = {points, wrong, 3, COLUMNS}, narrow = {points, kinds, 3, COLUMNS - 1}, none = {points, kinds, 0, COLUMNS};
  assert_int_equal(pri_lower_logistic(ctx, &l, &labels, &good, 3), PRI_EPARAM);
  assert_int_equal(pri_lower_logistic(ctx, &l, &good, &narrow, 3), PRI_EPARAM);
  assert_int_equal(pri_lower_logistic(ctx, &l, &good, &none, 3), PRI_EPARAM);
  assert_int_equal(pri_lower_logistic(ctx, &l, &good, &good, 1), PRI_EPARAM);
  assert_null(l);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

int claim_learn_levels(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(quadratic_has_its_slope), cmocka_unit_test(quadratic_is_solved), cmocka_unit_test(logistic_has_its_slope),
                                     cmocka_unit_test(logistic_penalties_are_learned), cmocka_unit_test(bad_tables_are_refused)};
  return cmocka_run_group_tests_name("claim_learn_levels", tests, NULL, NULL);
}
