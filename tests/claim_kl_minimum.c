/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_kl_minimum.c - counts and Huber on a problem of three unknowns: primal-dual steps end where an exhaustive search does, and their certified gap
 * is never below the distance to it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "small.h"

enum { UNKNOWNS = 3, DATA = 5 };
static const double WEIGHT = 0.2, TOP = 4;
static const double y[DATA] = {3, 0, 5, 2, 1};

struct tiny {
  pri_ctx *base, *ctx;
  struct small_registry registry;
  pri_operator *A;
  pri_map *map;
  pri_array data;
  pri_fidelity *f;
  pri_prior *R[1];
  double lo, hi;
  pri_problem p;
};

static void open_tiny(struct tiny *t, const char *fidelity) {
  memset(t, 0, sizeof *t);
  assert_int_equal(pri_open(&t->base, NULL), PRI_OK);
  small_registry_init(&t->registry, pri_ctx_registry(t->base));
  assert_int_equal(pri_ctx_create(&t->ctx, &(pri_ctx_opts){.threads = 1, .registry = &t->registry.registry}), PRI_OK);
  assert_int_equal(pri_operator_create(t->ctx, &t->A, "dense:rows=5,cols=3,form=nonnegative", NULL, NULL, NULL), PRI_OK);
  assert_int_equal(pri_map_of(t->ctx, &t->map, t->A), PRI_OK);
  assert_int_equal(pri_array_create(t->ctx, &t->data, pri_operator_range(t->A), 1), PRI_OK);
  for (int i = 0; i < DATA; i++) t->data.data[i] = (pri_real)y[i];
  assert_int_equal(pri_fidelity_create(t->ctx, &t->f, fidelity, &t->data, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(t->ctx, &t->R[0], "tv:weight=0.2", NULL, pri_operator_domain(t->A)), PRI_OK);
  t->lo = 0, t->hi = TOP;
  t->p = (pri_problem){.A = t->map, .f = t->f, .R = (const pri_prior *const *)t->R, .nR = 1, .noise = NAN, .gap_goal = 1e-6, .lo = &t->lo, .hi = &t->hi};
}

static void close_tiny(struct tiny *t) {
  pri_prior_destroy(&t->R[0]);
  pri_fidelity_destroy(&t->f);
  pri_map_destroy(&t->map);
  pri_operator_destroy(&t->A);
  pri_array_destroy(&t->data);
  assert_int_equal(pri_ctx_memory_used(t->ctx), 0);
  pri_ctx_destroy(&t->ctx);
  pri_ctx_destroy(&t->base);
}

/* written out once more, in double: nothing of the library but the entries of A */
static double term(const char *fidelity, double z, double v) {
  if (!strncmp(fidelity, "huber", 5)) {
    const double d = fabs(z - v);
    return d <= 0.5 ? d * d / 2 : 0.5 * d - 0.125;
  }
  const double m = z + (strstr(fidelity, "background") ? 0.5 : 0);
  return v > 0 ? (m > 0 ? m - v + v * log(v / m) : INFINITY) : m;
}

static double objective(const struct tiny *t, const char *fidelity, const double x[UNKNOWNS]) {
  const void *priv;
  double sum = WEIGHT * (fabs(x[1] - x[0]) + fabs(x[2] - x[1]));
  (void)pri_operator_class_of(t->A, &priv);
  const double *a = ((const struct dense *)priv)->a;
  for (int i = 0; i < DATA; i++) {
    double z = 0;
    for (int j = 0; j < UNKNOWNS; j++) z += a[i * UNKNOWNS + j] * x[j];
    sum += term(fidelity, z, y[i]);
  }
  return sum;
}

/* grids of 21^3 points about the best so far, each half as wide: the function is convex, and its level sets are not thinner than the grid is fine */
static double search(const struct tiny *t, const char *fidelity) {
  double best[UNKNOWNS] = {TOP / 2, TOP / 2, TOP / 2}, least = INFINITY;
  for (double width = TOP; width > 1e-7; width *= 0.6) {
    const double about[UNKNOWNS] = {best[0], best[1], best[2]};
    for (int g = 0; g < 21 * 21 * 21; g++) {
      double x[UNKNOWNS];
      const int at[UNKNOWNS] = {g % 21, g / 21 % 21, g / 441};
      for (int j = 0; j < UNKNOWNS; j++) x[j] = fmin(fmax(about[j] + width * (at[j] - 10) / 20, 0), TOP);
      const double v = objective(t, fidelity, x);
      if (v < least) least = v, memcpy(best, x, sizeof best);
    }
  }
  return least;
}

static void one(const char *fidelity) {
  struct tiny t;
  pri_solver *s;
  pri_report rep;
  open_tiny(&t, fidelity);
  const double least = search(&t, fidelity), tol = sizeof(pri_real) == 4 ? 1e-5 : 1e-7;
  assert_int_equal(pri_solver_create(t.ctx, &s, "pdhg", &t.p, NULL), PRI_OK);
  for (int k = 1; k <= 3000; k++) {
    assert_int_equal(pri_solver_step(s, k % 100 == 0 || k < 10 ? PRI_WANT_GAP : 0, &rep), PRI_OK);
    if (k % 100 && k >= 10) continue;
    double x[UNKNOWNS];
    for (int j = 0; j < UNKNOWNS; j++) x[j] = (double)pri_solver_iterate(s)->data[j];
    const double above = objective(&t, fidelity, x) - least;
    if (!(rep.gap.value >= above - 1e-7)) fail_msg("%s, step %d: gap %.9g, but %.9g above the minimum", fidelity, k, rep.gap.value, above); /* the search ends within 1e-7 */
  }
  if (fabs(rep.objective - least) > tol * least) fail_msg("%s: %.9g, the search found %.9g", fidelity, rep.objective, least);
  assert_true(rep.gap.trust == PRI_PROVEN && rep.gap.value <= 1e-4 * least);
  pri_solver_destroy(&s);
  close_tiny(&t);
}

static void counts(void **state) { (void)state, one("kl"); }
static void counts_with_background(void **state) { (void)state, one("kl:background=0.5"); }
static void huber(void **state) { (void)state, one("huber:delta=0.5"); }

int claim_kl_minimum(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(counts_with_background), cmocka_unit_test(huber)};
  return cmocka_run_group_tests_name("claim_kl_minimum", tests, NULL, NULL);
}
