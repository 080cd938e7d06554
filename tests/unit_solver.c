/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_solver.c - single statements about solvers and their parts: the order of subsets, first steps by hand, what a misfit says, the box
 * of CGLS, OS-FISTA with one subset, counting of passes, warm starts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "reconstruct/subsets.h"
#include "small.h"

#define EPS (sizeof(pri_real) == sizeof(float) ? 1e-5 : 1e-13) /* sums of 30 products, then a quotient of two */

struct house {
  pri_ctx *base, *ctx;
  struct small_registry registry;
  struct small w;
};
static void open_house(struct house *h, int problem) {
  assert_int_equal(pri_open(&h->base, NULL), PRI_OK);
  small_registry_init(&h->registry, pri_ctx_registry(h->base));
  assert_int_equal(pri_ctx_create(&h->ctx, &(pri_ctx_opts){.threads = 1, .registry = &h->registry.registry}), PRI_OK);
  assert_int_equal(small_make(h->ctx, &h->w, &small_specs[problem], 0, 1), PRI_OK);
}
static void close_house(struct house *h) {
  small_unmake(&h->w);
  pri_ctx_destroy(&h->ctx);
  pri_ctx_destroy(&h->base);
}
static const double *matrix(const struct house *h) {
  const void *priv;
  (void)pri_operator_class_of(h->w.A, &priv);
  return ((const struct dense *)priv)->a;
}
static pri_report run(struct house *h, const char *spec, int steps, pri_real *x) {
  pri_solver *s;
  pri_report rep;
  if (pri_solver_create(h->ctx, &s, spec, &h->w.problem, NULL) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(h->ctx));
  for (int k = 0; k < steps; k++) assert_int_equal(pri_solver_step(s, 0, &rep), PRI_OK);
  memcpy(x, pri_solver_iterate(s)->data, SMALL_COLS * sizeof *x);
  pri_solver_destroy(&s);
  return rep;
}
static void near(const char *what, const pri_real *got, const double *want) {
  double size = 0;
  for (int j = 0; j < SMALL_COLS; j++) size = fmax(size, fabs(want[j]));
  for (int j = 0; j < SMALL_COLS; j++)
    if (!(fabs((double)got[j] - want[j]) <= EPS * size)) fail_msg("%s: pixel %d is %.9g, by hand %.9g", what, j, (double)got[j], want[j]);
}

static void subsets_are_spread(void **state) {
  (void)state;
  for (int n = 1; n <= 40; n++) {
    int order[40], seen[40] = {0};
    pri_spread_order(order, n);
    for (int i = 0; i < n; i++) {
      assert_true(order[i] >= 0 && order[i] < n && !seen[order[i]]);
      seen[order[i]] = 1;
    }
    if (n < 8) continue;
    for (int i = 1; i < n / 2; i++) assert_true(abs(order[i] - order[i - 1]) >= n / 8); /* far apart while few were visited */
  }
}

/* x = alpha A'y, alpha = |A'y|^2 / |A A'y|^2 */
static void cgls_begins_with_alpha_Aty(void **state) {
  (void)state;
  struct house h;
  pri_real x[SMALL_COLS];
  double g[SMALL_COLS] = {0}, up = 0, low = 0;
  open_house(&h, 1);
  const double *a = matrix(&h);
  for (int i = 0; i < SMALL_ROWS; i++)
    for (int j = 0; j < SMALL_COLS; j++) g[j] += a[i * SMALL_COLS + j] * (double)h.w.y.data[i];
  for (int i = 0; i < SMALL_ROWS; i++) {
    double q = 0;
    for (int j = 0; j < SMALL_COLS; j++) q += a[i * SMALL_COLS + j] * g[j];
    low += q * q;
  }
  for (int j = 0; j < SMALL_COLS; j++) up += g[j] * g[j];
  for (int j = 0; j < SMALL_COLS; j++) g[j] *= up / low;
  const pri_report r = run(&h, "cgls", 1, x);
  near("cgls, one step", x, g);
  assert_true(r.k == 1 && r.applies == 1 && r.adjoints == 2); /* A'y, then A d and the next gradient */
  close_house(&h);
}

/* x = P( omega C A' R y ) */
static void sirt_begins_with_CAtRy(void **state) {
  (void)state;
  struct house h;
  pri_real x[SMALL_COLS];
  double want[SMALL_COLS];
  open_house(&h, 0);
  const double *a = matrix(&h);
  for (int j = 0; j < SMALL_COLS; j++) {
    double sum = 0, column = 0;
    for (int i = 0; i < SMALL_ROWS; i++) {
      double row = 0;
      for (int k = 0; k < SMALL_COLS; k++) row += a[i * SMALL_COLS + k];
      sum += a[i * SMALL_COLS + j] * (double)h.w.y.data[i] / row;
      column += a[i * SMALL_COLS + j];
    }
    want[j] = fmax(1.5 * sum / column, 0);
  }
  (void)run(&h, "sirt:omega=1.5", 1, x);
  near("sirt, one step", x, want);
  (void)run(&h, "os-sart:subsets=1,omega=1.5", 1, x);
  near("os-sart with one subset, one step", x, want);
  close_house(&h);
}

static void one_subset_is_fista(void **state) {
  (void)state;
  struct house h;
  pri_real x[SMALL_COLS], z[SMALL_COLS];
  double want[SMALL_COLS];
  open_house(&h, 2);
  (void)run(&h, "os-fista:subsets=1,inner=8", 15, x);
  (void)run(&h, "fista:restart=no,inner=8", 15, z);
  for (int j = 0; j < SMALL_COLS; j++) want[j] = (double)z[j];
  near("os-fista with one subset", x, want);
  close_house(&h);
}

static void cgls_shows_the_box(void **state) {
  (void)state;
  struct house h;
  pri_real x[SMALL_COLS];
  open_house(&h, 0);
  (void)run(&h, "cgls", 15, x);
  for (int j = 0; j < SMALL_COLS; j++) assert_true(x[j] >= 0);
  close_house(&h);
}

/* a subset counts as its share: one step is one pass, whatever the subsets */
static void passes_are_counted(void **state) {
  (void)state;
  static const struct { const char *spec; double applies, adjoints; } of[] = {
      {"fista", 5, 5}, {"os-fista:subsets=4", 5, 5}, {"pdhg", 5, 5}, {"spdhg:subsets=5", 5, 5},
      {"pdhg:warm=2", 6, 5},  /* and A x where the warm start ends */
      {"spdhg:subsets=3,warm=2", 6, 6}};
  struct house h;
  pri_real x[SMALL_COLS];
  open_house(&h, 2);
  for (size_t j = 0; j < sizeof of / sizeof *of; j++) {
    const pri_report r = run(&h, of[j].spec, 5, x);
    if (fabs(r.applies - of[j].applies) > 1e-12 || fabs(r.adjoints - of[j].adjoints) > 1e-12)
      fail_msg("%s: %g applications and %g adjoints in 5 steps", of[j].spec, r.applies, r.adjoints);
  }
  close_house(&h);
}

static void misfits_are_precise(void **state) {
  (void)state;
  static const struct { int problem; const char *spec, *says; } of[] = {
      {2, "cgls", "tv is not quadratic"}, {2, "sirt", "takes no prior, and tv is given"}, {4, "fista", "ball has no gradient"},
      {4, "os-fista", "ball has no gradient"}, {4, "spdhg", "ball does not come in parts"}, {3, "landweber", "tv has no Lipschitz gradient"}};
  for (size_t j = 0; j < sizeof of / sizeof *of; j++) {
    struct house h;
    pri_solver *s;
    open_house(&h, of[j].problem);
    assert_int_equal(pri_solver_create(h.ctx, &s, of[j].spec, &h.w.problem, NULL), PRI_EPARAM);
    assert_null(s);
    if (!strstr(pri_ctx_message(h.ctx), of[j].says)) fail_msg("%s: \"%s\" does not say \"%s\"", of[j].spec, pri_ctx_message(h.ctx), of[j].says);
    close_house(&h);
  }
}

/* a ball has no gradient: pdhg takes it, and starts cold although a warm start was asked for */
static void ball_is_reached(void **state) {
  (void)state;
  struct house h;
  pri_real x[SMALL_COLS];
  double r2 = 0;
  open_house(&h, 4);
  (void)run(&h, "pdhg:warm=5", 3000, x);
  const double *a = matrix(&h);
  for (int i = 0; i < SMALL_ROWS; i++) {
    double r = -(double)h.w.y.data[i];
    for (int j = 0; j < SMALL_COLS; j++) r += a[i * SMALL_COLS + j] * (double)x[j];
    r2 += r * r;
  }
  assert_true(sqrt(r2) < 2 * 1.001 && sqrt(r2) > 2 * 0.999); /* tv is smallest on the ball's surface */
  close_house(&h);
}

int unit_solver(void);
int unit_solver(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(subsets_are_spread), cmocka_unit_test(cgls_begins_with_alpha_Aty), cmocka_unit_test(sirt_begins_with_CAtRy),
      cmocka_unit_test(one_subset_is_fista), cmocka_unit_test(cgls_shows_the_box), cmocka_unit_test(passes_are_counted),
      cmocka_unit_test(misfits_are_precise), cmocka_unit_test(ball_is_reached)};
  return cmocka_run_group_tests_name("unit_solver", tests, NULL, NULL);
}
