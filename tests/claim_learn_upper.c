/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_learn_upper.c - losses of the upper level: hypergradients against central differences of their order, intervals against tight solves,
 * SURE against the error that it estimates, whiteness against white noise; T5, T8 of spec maid 9.2 for each loss. Double only, as claim_learn.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "../reconstruct/learn.h"
#include "../reconstruct/learn_tgv.h"
#include "priori/priori.h"

enum { SIDE = 16, N = SIDE * SIDE, M = 3 };
static const int is_float = sizeof(pri_real) == 4;
static const double SD = 0.1, THETA[3] = {-2.3, -3, -2.5};
static pri_real x_all[6 * M * N], q_all[6 * M * N]; /* SURE of tgv: two images with two fields each */

struct set {
  pri_ctx *ctx;
  pri_operator *A;
  pri_prior *R;
  pri_array y, truth;
  pri_learn_tgv tgv;
  pri_lower *l;
};

static void open_any(struct set *s, const char *op, pri_loss loss, int tgv) {
  const pri_shape shape = pri_shape_2d(SIDE, SIDE);
  *s = (struct set){0};
  assert_int_equal(pri_open(&s->ctx, NULL), PRI_OK);
  assert_int_equal(pri_operator_create(s->ctx, &s->A, op, NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(s->ctx, &s->R, "smooth-tv:weight=0.1,smoothing=0.05", NULL, &shape), PRI_OK);
  assert_int_equal(pri_array_create(s->ctx, &s->y, pri_operator_range(s->A), M), PRI_OK);
  assert_int_equal(pri_array_create(s->ctx, &s->truth, &shape, M), PRI_OK);
  for (int i = 0; i < M; i++)
    for (int k = 0; k < N; k++) {
      const int y = k / SIDE, x = k % SIDE;
      pri_array_item(&s->truth, i)[k] = (pri_real)((x > 2 + i && y > 3 && y < 12 ? 0.8 : 0.2) + ((x - 5) * (x - 5) + (y - 6) * (y - 6) < 9 + 3 * i ? 0.3 : 0));
    }
  assert_int_equal(pri_operator_apply(s->A, &s->y, &s->truth), PRI_OK);
  const ptrdiff_t all = M * pri_shape_size(&s->y.shape);
  for (ptrdiff_t k = 0; k < all; k++) s->y.data[k] += (pri_real)(SD * pri_rng_normal_at(3, "noise", (uint64_t)k));
  const int blind = loss == PRI_LOSS_SURE || loss == PRI_LOSS_WHITENESS;
  assert_int_equal(pri_stencil_init(s->ctx, "test", &s->tgv.s, NULL, &shape), PRI_OK);
  s->tgv.bend = 0.3;
  const pri_lower_problem p = {.A = s->A, .R = tgv ? NULL : s->R, .tgv = tgv ? &s->tgv : NULL, .y = &s->y, .truth = blind ? NULL : &s->truth, .floor = 0.05, .loss = loss, .sd = SD, .kappa = 0.05};
  if (pri_lower_images(s->ctx, &s->l, &p) != PRI_OK) fail_msg("%s", pri_ctx_message(s->ctx));
}

static void open_set(struct set *s, const char *op, pri_loss loss) { open_any(s, op, loss, 0); }

static void close_set(struct set *s) {
  pri_lower_destroy(&s->l);
  pri_array_destroy(&s->y);
  pri_array_destroy(&s->truth);
  pri_prior_destroy(&s->R);
  pri_operator_destroy(&s->A);
  assert_int_equal(pri_ctx_memory_used(s->ctx), 0);
  pri_ctx_destroy(&s->ctx);
}

static double exact(struct set *s, const double *theta, pri_real *x) {
  double e[M];
  assert_int_equal(pri_lower_theta(s->l, theta), PRI_OK);
  assert_int_equal(pri_lower_solve(s->l, x, 1e-13, 200000, e), PRI_OK);
  const pri_interval f = pri_lower_interval(s->l, x, e);
  return (f.low + f.high) / 2;
}

static void slopes(const char *op, pri_loss loss, int tgv) {
  struct set s;
  double e[M], z[3];
  open_any(&s, op, loss, tgv);
  const int p = (int)pri_lower_ntheta(s.l);
  assert_int_equal(p, tgv ? 3 : 2);
  memset(q_all, 0, sizeof q_all);
  assert_int_equal(pri_lower_theta(s.l, THETA), PRI_OK);
  assert_true(isfinite(pri_lower_start(s.l, x_all)));
  assert_int_equal(pri_lower_solve(s.l, x_all, 1e-13, 200000, e), PRI_OK);
  assert_int_equal(pri_lower_hypergradient(s.l, x_all, e, 1e-14, q_all, z, NULL), PRI_OK);
  const double size = sqrt(z[0] * z[0] + z[1] * z[1] + (p > 2 ? z[2] * z[2] : 0));
  for (int d = 0; d < p; d++) {
    double error[2];
    for (int k = 0; k < 2; k++) {
      double plus[] = {THETA[0], THETA[1], THETA[2]}, minus[] = {THETA[0], THETA[1], THETA[2]};
      const double step = 0.02 / (1 << k);
      plus[d] += step, minus[d] -= step;
      error[k] = fabs((exact(&s, plus, x_all) - exact(&s, minus, x_all)) / (2 * step) - z[d]);
    }
    assert_true(error[0] <= 2e-2 * size);
    assert_true(error[0] / error[1] >= 3.5);
    if (error[0] > 1e-6 * size) assert_true(error[0] / error[1] <= 4.5); /* below, the third derivative nearly vanishes, and the fifth shows */
  }
  close_set(&s);
}

static void every_loss_has_its_slope(void **state) {
  (void)state;
  if (is_float) return;
  for (int loss = PRI_LOSS_MSE; loss <= PRI_LOSS_WHITENESS; loss++) slopes("identity", (pri_loss)loss, 0);
  for (int loss = PRI_LOSS_MSE; loss <= PRI_LOSS_WHITENESS; loss++) slopes("blur:psf=gaussian,sigma=0.8", (pri_loss)loss, 0);
}

static void tgv_has_its_slope(void **state) {
  (void)state;
  if (is_float) return;
  slopes("identity", PRI_LOSS_MSE, 1);
  slopes("identity", PRI_LOSS_SURE, 1);
  slopes("blur:psf=gaussian,sigma=0.8", PRI_LOSS_SMOOTH_L1, 1);
}

/* The interval of a coarse solve holds the loss of a tight one; omega holds the error of z. Whiteness says that it proves nothing. */
static void what_is_proved_holds(void **state) {
  static pri_real x[2 * M * N], tight[2 * M * N], q[2 * M * N], qt[2 * M * N];
  (void)state;
  if (is_float) return;
  for (int loss = PRI_LOSS_MSE; loss <= PRI_LOSS_WHITENESS; loss++) {
    struct set s;
    double e[M], z[2], zt[2], omega;
    open_set(&s, "identity", (pri_loss)loss);
    assert_int_equal(pri_lower_theta(s.l, THETA), PRI_OK);
    assert_int_equal(pri_lower_certified(s.l), loss != PRI_LOSS_WHITENESS);
    if (loss == PRI_LOSS_WHITENESS) assert_int_equal(pri_lower_hypergradient(s.l, x, e, 1, q, z, &omega), PRI_ENOTSUP);
    assert_true(isfinite(pri_lower_start(s.l, tight)));
    const double f = exact(&s, THETA, tight);
    memset(qt, 0, sizeof qt);
    for (int i = 0; i < M; i++) e[i] = 0;
    assert_int_equal(pri_lower_hypergradient(s.l, tight, e, 1e-14, qt, zt, NULL), PRI_OK);
    for (int k = 0; k < 10 && loss != PRI_LOSS_WHITENESS; k++) {
      const double eps = pow(10, -k / 2.0);
      assert_true(isfinite(pri_lower_start(s.l, x)));
      memset(q, 0, sizeof q);
      assert_int_equal(pri_lower_solve(s.l, x, eps, 200000, e), PRI_OK);
      const pri_interval range = pri_lower_interval(s.l, x, e);
      assert_true(range.low <= f + 1e-10 && f <= range.high + 1e-10 && range.half > 0);
      assert_int_equal(pri_lower_hypergradient(s.l, x, e, eps, q, z, &omega), PRI_OK);
      assert_true(hypot(z[0] - zt[0], z[1] - zt[1]) <= omega);
    }
    close_set(&s);
  }
}

/* E sure = E |x - truth|^2 / 2: over M samples of N pixels its sd is about sd^2 root(N / 2 M) [chi-square of the residual] plus that of the
   divergence, sd^2 root(2 N / M) at most: six of them */
static void sure_estimates_the_error(void **state) {
  struct set s;
  static pri_real x[2 * M * N];
  (void)state;
  if (is_float) return;
  open_set(&s, "identity", PRI_LOSS_SURE);
  assert_int_equal(pri_lower_theta(s.l, THETA), PRI_OK);
  assert_true(isfinite(pri_lower_start(s.l, x)));
  const double f = exact(&s, THETA, x);
  double error = 0;
  for (int i = 0; i < M; i++)
    for (int k = 0; k < N; k++) error += pow((double)x[2 * i * N + k] - (double)s.truth.data[i * N + k], 2) / (2 * M);
  const double sd = SD * SD * sqrt(3.0 * N / M);
  assert_true(fabs(f - error) <= 6 * sd);
  assert_true(error > 12 * sd / 6); /* the estimate says something */
  close_set(&s);
}

static void losses_say_what_they_need(void **state) {
  struct set s;
  pri_lower *l;
  (void)state;
  open_set(&s, "identity", PRI_LOSS_MSE);
  pri_lower_problem p = {.A = s.A, .R = s.R, .y = &s.y};
  assert_int_equal(pri_lower_images(s.ctx, &l, &p), PRI_EPARAM); /* mse without truth */
  assert_null(l);
  p.loss = PRI_LOSS_SURE;
  assert_int_equal(pri_lower_images(s.ctx, &l, &p), PRI_EPARAM); /* sd = 0 */
  p.loss = PRI_LOSS_SMOOTH_L1, p.truth = &s.truth;
  assert_int_equal(pri_lower_images(s.ctx, &l, &p), PRI_EPARAM); /* kappa = 0 */
  close_set(&s);
}

int claim_learn_upper(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_loss_has_its_slope), cmocka_unit_test(tgv_has_its_slope), cmocka_unit_test(what_is_proved_holds), cmocka_unit_test(sure_estimates_the_error),
                                     cmocka_unit_test(losses_say_what_they_need)};
  return cmocka_run_group_tests_name("claim_learn_upper", tests, NULL, NULL);
}
