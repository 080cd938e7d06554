/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_tgv_affine.c - Bredies, Kunisch, Pock 2010: TGV of second order vanishes on affine images, where TV does not; it is not above TV; repair
 * leaves no pull on w.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { MOST = 200, DUAL = 2000 };
static const double ROUND = sizeof(pri_real) == 4 ? 1e-6 : 1e-14;
static const pri_shape doms[] = {{2, {9, 14}}, {3, {4, 5, 6}}, {1, {20}}};
static const pri_meta meta = {.pixel = {1, 2, 0.5}};

struct subject {
  pri_ctx *ctx;
  pri_prior *R;
  const pri_prior_class *cls;
  const void *priv;
  ptrdiff_t n, nw, nq;
};

static struct subject make(const char *spec, const pri_shape *dom) {
  struct subject s = {0};
  pri_shape aux, dual;
  pri_bound norm;
  assert_int_equal(pri_open(&s.ctx, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(s.ctx, &s.R, spec, &meta, dom), PRI_OK);
  s.cls = pri_prior_class_of(s.R, &s.priv);
  assert_int_equal(s.cls->saddle->shapes(s.priv, &aux, &dual, &norm), PRI_OK);
  s.n = pri_shape_size(dom), s.nw = aux.nd ? pri_shape_size(&aux) : 0, s.nq = pri_shape_size(&dual);
  assert_true(s.n <= MOST && s.nq <= DUAL);
  return s;
}

static void unmake(struct subject *s) {
  pri_prior_destroy(&s->R);
  pri_ctx_destroy(&s->ctx);
}

/* F(K(x, w)), w = D x over what K multiplies w by: found from K(0, 1) */
static double follow(const struct subject *s, const pri_real *x) {
  static pri_real q[DUAL], w[DUAL], one[DUAL], zero[MOST];
  double value, c = 0;
  for (ptrdiff_t i = 0; i < s->nw; i++) one[i] = 1;
  memset(zero, 0, sizeof zero);
  assert_int_equal(s->cls->saddle->k(s->ctx, s->priv, q, zero, one, 1), PRI_OK);
  for (ptrdiff_t i = 0; i < s->nw; i++) c = fmin(c, (double)q[i]);
  assert_int_equal(s->cls->saddle->k(s->ctx, s->priv, w, x, NULL, 1), PRI_OK);
  for (ptrdiff_t i = 0; i < s->nw; i++) w[i] = (pri_real)((double)w[i] / -c);
  assert_int_equal(s->cls->saddle->k(s->ctx, s->priv, q, x, w, 1), PRI_OK);
  assert_int_equal(s->cls->saddle->value(s->ctx, s->priv, &value, q, 1), PRI_OK);
  return value;
}

static void affine_costs_nothing(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    pri_real x[MOST];
    double tv;
    struct subject s = make("tgv:0.5", &doms[k]), t = make("tv:0.5", &doms[k]);
    const ptrdiff_t nx = doms[k].n[doms[k].nd - 1], ny = doms[k].nd > 1 ? doms[k].n[doms[k].nd - 2] : 1;
    for (ptrdiff_t i = 0; i < s.n; i++) x[i] = (pri_real)(0.25 * (double)(i % nx) - 0.5 * (double)(i / nx % ny) + 0.125 * (double)(i / nx / ny)); /* exact */
    assert_int_equal(t.cls->variational->value(t.ctx, t.priv, &tv, x, 1, pri_prior_scratch(t.R)), PRI_OK);
    assert_true(tv > 0.1 * (double)s.n);
    assert_true(follow(&s, x) <= 10 * ROUND * (double)s.n);
    unmake(&s), unmake(&t);
  }
}

/* w = 0 gives weight TV, which the minimum over w is not above */
static void with_w_0_it_is_tv(void **state) {
  (void)state;
  for (int k = 0; k < 3; k++) {
    pri_real x[MOST], q[DUAL];
    double tv, tgv;
    struct subject s = make("tgv:0.5", &doms[k]), t = make("tv:0.5", &doms[k]);
    pri_rng_normal(1, "x", 0, x, (size_t)s.n);
    assert_int_equal(s.cls->saddle->k(s.ctx, s.priv, q, x, NULL, 1), PRI_OK);
    assert_int_equal(s.cls->saddle->value(s.ctx, s.priv, &tgv, q, 1), PRI_OK);
    assert_int_equal(t.cls->variational->value(t.ctx, t.priv, &tv, x, 1, pri_prior_scratch(t.R)), PRI_OK);
    assert_true(fabs(tgv - tv) <= 10 * ROUND * tv);
    unmake(&s), unmake(&t);
  }
}

/* K_w'q = 0 up to rounding, F* finite, and q that need no repair stay where they are: two repairs are one */
static void repair_is_feasible(void **state) {
  (void)state;
  static const char *const specs[] = {"tgv:0.5", "tgv:0.1,ratio=4", "tgv:3,ratio=0.5", "tgv:0"};
  static pri_real q[DUAL], once[DUAL], none[MOST];
  static double x[MOST], w[DUAL];
  for (int k = 0; k < 3; k++)
    for (int j = 0; j < 4; j++) {
      double conj, moved = 0, size = 0;
      struct subject s = make(specs[j], &doms[k]);
      pri_rng_normal(2, "q", 0, q, (size_t)s.nq);
      assert_int_equal(s.cls->saddle->repair(s.ctx, s.priv, q, 1), PRI_OK);
      assert_int_equal(s.cls->saddle->conjugate(s.ctx, s.priv, &conj, q, 1), PRI_OK);
      assert_true(conj == 0);
      memset(x, 0, sizeof x), memset(w, 0, sizeof w), memset(none, 0, sizeof none);
      assert_int_equal(s.cls->saddle->kt_wide(s.ctx, s.priv, x, w, q, 1), PRI_OK);
      const double weight = s.cls->weight(s.priv);
      for (ptrdiff_t i = 0; i < s.nw; i++) assert_true(fabs(w[i]) <= 20 * ROUND * weight);
      memcpy(once, q, sizeof q);
      assert_int_equal(s.cls->saddle->repair(s.ctx, s.priv, q, 1), PRI_OK);
      for (ptrdiff_t i = 0; i < s.nq; i++) moved = fmax(moved, fabs((double)(q[i] - once[i]))), size = fmax(size, fabs((double)q[i]));
      assert_true(moved <= 30 * ROUND * weight + 1e-14 && (size > 0.1 * weight || weight == 0));
      unmake(&s);
    }
}

int claim_tgv_affine(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(affine_costs_nothing), cmocka_unit_test(with_w_0_it_is_tv), cmocka_unit_test(repair_is_feasible)};
  return cmocka_run_group_tests_name("claim_tgv_affine", tests, NULL, NULL);
}
