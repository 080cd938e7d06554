/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_fidelity.c - kl and huber: values by hand, what is no count is refused with its place, backgrounds, masked data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"

#define FILE_3X4 PRI_TEST_DATA "/corpus/slice_u8.png"
enum { ROWS = 2, COLS = 3, N = ROWS * COLS };
static const double ROUND = sizeof(pri_real) == 4 ? 1e-6 : 1e-14; /* a few roundings of numbers of size 1 to 10 */

static int make_ctx(void **state) { return pri_open((pri_ctx **)state, NULL) == PRI_OK ? 0 : -1; }
static int drop_ctx(void **state) {
  pri_ctx_destroy((pri_ctx **)state);
  return 0;
}

static pri_real data[2 * N] = {4, 0, 2, 1, 3, 5, 1, 1, 2, 0, 0, 7};

static pri_array counts(void) {
  static const pri_shape shape = {2, {ROWS, COLS}};
  return pri_array_borrow(data, &shape, 2);
}

static double value(pri_ctx *ctx, const char *spec, const pri_array *y, const pri_array *w, double z) {
  pri_fidelity *f;
  const void *priv;
  pri_real at[N];
  double v;
  for (int i = 0; i < N; i++) at[i] = (pri_real)z;
  if (pri_fidelity_create(ctx, &f, spec, y, w) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  const pri_fidelity_class *c = pri_fidelity_class_of(f, &priv);
  assert_int_equal(c->value(ctx, priv, &v, at, 0, 1), PRI_OK);
  pri_fidelity_destroy(&f);
  return v;
}

static void values_by_hand(void **state) {
  pri_ctx *ctx = *state;
  const pri_array y = counts();
  double kl = 0, huber = 0;
  for (int i = 0; i < N; i++) {
    const double v = (double)y.data[i], d = fabs(1.5 - v);
    kl += 2 - v + (v > 0 ? v * log(v / 2) : 0); /* z = 1.5, b = 0.5 */
    huber += d <= 1 ? d * d / 2 : d - 0.5;
  }
  assert_true(fabs(value(ctx, "kl:background=0.5", &y, NULL, 1.5) - kl) <= ROUND * 20);
  assert_true(fabs(value(ctx, "huber:delta=1", &y, NULL, 1.5) - huber) <= ROUND * 20);
  assert_true(isinf(value(ctx, "kl", &y, NULL, -0.1)));
  assert_true(isinf(value(ctx, "kl", &y, NULL, 0))); /* counts where the mean is 0 */
  assert_true(isfinite(value(ctx, "kl:0.5", &y, NULL, -0.1)));
}

static void what_is_no_count_is_refused(void **state) {
  pri_ctx *ctx = *state;
  static const pri_real bad[] = {-1, NAN, INFINITY};
  const pri_array y = counts();
  for (int k = 0; k < 3; k++) {
    pri_fidelity *f;
    const pri_real was = data[N + 5];
    data[N + 5] = bad[k];
    assert_int_equal(pri_fidelity_create(ctx, &f, "kl", &y, NULL), PRI_EDATA);
    assert_non_null(strstr(pri_ctx_message(ctx), "1 of 12 values"));
    assert_non_null(strstr(pri_ctx_message(ctx), "item 1, element (1, 2)"));
    data[N + 5] = was;
  }
}

/* a file with one image: 100 slice + 10 row + column of the corpus */
static void backgrounds(void **state) {
  pri_ctx *ctx = *state;
  const pri_array y = counts();
  const pri_shape three_by_four = pri_shape_2d(3, 4);
  pri_fidelity *f;
  pri_array own;
  const void *priv;
  double sum = 0, v;
  assert_int_equal(pri_fidelity_create(ctx, &f, "kl:background=-1", &y, NULL), PRI_EPARAM);
  assert_int_equal(pri_fidelity_create(ctx, &f, "kl:background=/nowhere/b.tif", &y, NULL), PRI_EREAD);
  assert_int_equal(pri_fidelity_create(ctx, &f, "kl:background=" FILE_3X4, &y, NULL), PRI_ESHAPE);
  assert_int_equal(pri_array_create(ctx, &own, &three_by_four, 2), PRI_OK); /* no counts: f(0) is the sum of b */
  assert_int_equal(pri_fidelity_create(ctx, &f, "kl:background=" FILE_3X4, &own, NULL), PRI_OK);
  for (int i = 0; i < 12; i++) sum += 10 * (i / 4) + i % 4;
  assert_int_equal(pri_fidelity_class_of(f, &priv)->value(ctx, priv, &v, own.data, 1, 1), PRI_OK);
  assert_true(v == sum);
  pri_fidelity_destroy(&f);
  pri_array_destroy(&own);
}

/* weight 0: no count need stand there, and it changes nothing */
static void masked_counts(void **state) {
  pri_ctx *ctx = *state;
  static pri_real weight[2 * N];
  const pri_array y = counts(), w = pri_array_borrow(weight, &y.shape, 2);
  for (int i = 0; i < 2 * N; i++) weight[i] = 1;
  weight[1] = 0;
  const double with = value(ctx, "kl", &y, &w, 1.5), was = (double)data[1];
  data[1] = NAN;
  assert_true(value(ctx, "kl", &y, &w, 1.5) == with);
  data[1] = (pri_real)was;
  assert_true(fabs(with - (value(ctx, "kl", &y, NULL, 1.5) - 1.5)) <= ROUND * 20); /* y = 0 there: its term is z */
}

/* 0.1 in float is above 0.1: what the steps and the gradient of an outlier store must be inside all the same, or f* is infinite and a gap made of
   it no proof */
static void huber_stays_inside_of_its_bound(void **state) {
  pri_ctx *ctx = *state;
  pri_fidelity *f;
  const void *priv;
  const pri_array y = counts();
  pri_real weights[2 * N], p[N], g[N], z[N];
  for (int i = 0; i < 2 * N; i++) weights[i] = (pri_real)(0.1 + 0.7 * i);
  const pri_array w = pri_array_borrow(weights, &y.shape, 2);
  assert_int_equal(pri_fidelity_create(ctx, &f, "huber:delta=0.1", &y, &w), PRI_OK);
  const pri_fidelity_class *c = pri_fidelity_class_of(f, &priv);
  for (int i = 0; i < N; i++) z[i] = i % 2 ? 100 : -100, p[i] = 50 * z[i];
  assert_int_equal(c->dual_prox(ctx, priv, p, 0.3, NULL, 0, 1), PRI_OK);
  assert_int_equal(c->grad(ctx, priv, g, z, 0, 1), PRI_OK);
  for (int i = 0; i < N; i++) {
    const double most = (double)weights[i] * 0.1;
    assert_true(fabs((double)p[i]) <= most && fabs((double)p[i]) >= most * (1 - ROUND));
    assert_true(fabs((double)g[i]) <= most && fabs((double)g[i]) >= most * (1 - ROUND));
  }
  pri_fidelity_destroy(&f);
}

int unit_fidelity(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values_by_hand), cmocka_unit_test(what_is_no_count_is_refused),
                                     cmocka_unit_test(backgrounds), cmocka_unit_test(masked_counts),
                                     cmocka_unit_test(huber_stays_inside_of_its_bound)};
  return cmocka_run_group_tests_name("unit_fidelity", tests, make_ctx, drop_ctx);
}
