/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_learn_adam.c - some samples at a time: what pri_lower_pick leaves out, and the method adam, on the scalar pair of spec maid 9.2 (T1:
 * theta* = -0.2411620568) and on smoothed TV. adam may run in float; what is compared closely is for the double build.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../reconstruct/learn_method.h"
#include "learn_set.h"
#include "priori/priori.h"
#include "walk.h"

enum { SIDE = SET_SIDE, N = SET_PIXELS };
static const int is_float = sizeof(pri_real) == 4;
static const double best_theta = -0.2411620568;

/* Interval and hypergradient of one sample each: their means are those of both. */
static void picks_add_up_to_all(void **state) {
  struct set s;
  double theta[2] = {-2, -3}, e[2] = {0}, z[3][2], low[3], high[3];
  pri_real *x, *q;
  (void)state;
  open_discs(&s);
  x = pri_calloc(s.ctx, 2 * N, sizeof *x), q = pri_calloc(s.ctx, 2 * N, sizeof *q);
  assert_int_equal(pri_lower_theta(s.l, theta), PRI_OK);
  assert_true(isfinite(pri_lower_start(s.l, x)));
  for (ptrdiff_t i = 2; i >= 0; i--) { /* all, then one by one from the same images */
    const ptrdiff_t pick[1] = {i};
    pri_lower_pick(s.l, i < 2 ? pick : NULL, 1);
    const double before = pri_lower_work(s.l).gradients;
    assert_int_equal(pri_lower_solve(s.l, x, 1e-4, 5000, e), PRI_OK);
    if (i < 2) assert_true(pri_lower_work(s.l).gradients - before == 1); /* it was there already */
    assert_int_equal(pri_lower_hypergradient(s.l, x, e, 1e-4, q, z[i], NULL), PRI_OK);
    const pri_interval f = pri_lower_interval(s.l, x, e);
    low[i] = f.low, high[i] = f.high;
  }
  const double close = is_float ? 1e-3 : 1e-2; /* the second solve goes one step on, to less than 1e-4 a pixel */
  assert_true(fabs((low[0] + low[1]) / 2 - low[2]) <= close * low[2] && fabs((high[0] + high[1]) / 2 - high[2]) <= close * high[2]);
  assert_true(fabs(low[0] - low[1]) > 2 * close * low[2]); /* or the mean would show nothing */
  for (int k = 0; k < 2; k++) assert_true(fabs((z[0][k] + z[1][k]) / 2 - z[2][k]) <= 0.02 * fabs(z[2][k]));
  pri_free(s.ctx, x);
  pri_free(s.ctx, q);
  close_set(&s);
}

static void first_update_is_one_step_long(void **state) {
  struct set s;
  const double start[2] = {-2, -3};
  pri_method_report r = {0};
  (void)state;
  open_discs(&s);
  pri_method *m = begin(&s, "adam:passes=1,batch=2,step=0.25", start);
  go(&s, m, 1, &r);
  for (int k = 0; k < 2; k++) assert_true(fabs(fabs(pri_method_theta(m)[k] - start[k]) - 0.25) <= 1e-6); /* m^ / root(v^) = +-1 */
  assert_true(!pri_method_monotone(m) && r.k == 1 && r.trials == 1 && r.work.mixed == 2);
  pri_method_destroy(&m);
  close_set(&s);
}

static void finds_the_scalar_optimum_one_sample_at_a_time(void **state) {
  struct set s;
  const double start = 1.5;
  pri_method_report r = {0};
  pri_verdict v;
  (void)state;
  open_pair(&s);
  pri_method *m = begin(&s, "adam:batch=1,step=0.1,length=60,eps=1e-4", &start);
  go(&s, m, 60, &r);
  if (!(fabs(pri_method_theta(m)[0] - best_theta) <= 0.02)) fail_msg("ends at %g", pri_method_theta(m)[0]);
  assert_true(r.k == 60 && r.trials == 60 * 4 * 2);
  assert_int_equal(pri_method_step(m, &r, &v), PRI_OK);
  assert_true(v == PRI_OUT_OF_STEPS && r.k == 60);
  pri_method_destroy(&m);
  close_set(&s);
}

static void comes_near_what_maid_proves(void **state) {
  struct set s;
  const double start[2] = {-4, -2};
  pri_method_report proved = {0}, r = {0};
  (void)state;
  if (is_float) return;
  open_discs(&s);
  pri_method *m = begin(&s, "maid", start), *a = begin(&s, "adam:batch=1,step=0.1,length=30,eps=1e-4", start);
  go(&s, m, 60, &proved);
  go(&s, a, 30, &r);
  if (!(r.f.low <= 1.02 * proved.f.high && r.f.high >= proved.f.low)) fail_msg("adam: %g to %g; maid: %g to %g", r.f.low, r.f.high, proved.f.low, proved.f.high);
  pri_method_destroy(&m);
  pri_method_destroy(&a);
  close_set(&s);
}

static void state_goes_on_to_the_same_bits(void **state) {
  const char *path = sizeof(pri_real) == 4 ? "claim_learn_adam.float.state" : "claim_learn_adam.double.state";
  const double start[2] = {-3, -3};
  struct set s;
  pri_walk *w;
  pri_method_report a = {0}, b = {0};
  (void)state;
  open_discs(&s);
  pri_method *m = begin(&s, "adam:batch=1,length=10", start);
  go(&s, m, 3, &a);
  assert_int_equal(pri_walk_begin(s.ctx, &w, PRI_WALK_SAVE, path), PRI_OK);
  assert_int_equal(pri_method_walk(m, w), PRI_OK);
  assert_int_equal(pri_walk_end(&w, 0), PRI_OK);
  go(&s, m, 3, &a);
  pri_method *other = begin(&s, "adam:batch=1,length=10", start);
  assert_int_equal(pri_walk_begin(s.ctx, &w, PRI_WALK_LOAD, path), PRI_OK);
  assert_int_equal(pri_method_walk(other, w), PRI_OK);
  assert_int_equal(pri_walk_end(&w, 0), PRI_OK);
  go(&s, other, 3, &b);
  assert_memory_equal(pri_method_theta(m), pri_method_theta(other), 2 * sizeof(double));
  assert_true(a.k == b.k && a.best == b.best && a.f.high == b.f.high && a.work.gradients == b.work.gradients && a.alpha == b.alpha);
  pri_method_destroy(&m);
  pri_method_destroy(&other);
  unlink(path);
  close_set(&s);
}

static void only_double_is_called_certified(void **state) {
  struct set s;
  const double theta[2] = {-2, -3};
  (void)state;
  open_discs(&s);
  assert_int_equal(pri_lower_theta(s.l, theta), PRI_OK);
  assert_int_equal(pri_lower_certified(s.l), !is_float);
  close_set(&s);
}

int claim_learn_adam(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(picks_add_up_to_all), cmocka_unit_test(first_update_is_one_step_long), cmocka_unit_test(finds_the_scalar_optimum_one_sample_at_a_time),
                                     cmocka_unit_test(comes_near_what_maid_proves), cmocka_unit_test(state_goes_on_to_the_same_bits), cmocka_unit_test(only_double_is_called_certified)};
  return cmocka_run_group_tests_name("claim_learn_adam", tests, NULL, NULL);
}
