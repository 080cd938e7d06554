/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_weight.c - automatic weights where the best one is known: Tikhonov of a picture seen directly (A = diagonal), whose fit has a
 * closed form; TV's constant weight on a line, which is the largest partial sum; bad input.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "dense.h"
#include "reconstruct/weight.h"
#include "vec.h"

enum { N = 300 };

/* y_i = x_i + e_i: a scale operator of the test's own */
static pri_status same_init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  (void)ctx, (void)priv, (void)meta;
  *dom = *ran = pri_shape_2d(1, N);
  return PRI_OK;
}
static pri_status same(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  (void)ctx, (void)priv, (void)scratch;
  memcpy(y, x, (size_t)(items * N) * sizeof *y);
  return PRI_OK;
}
static pri_bound one(const void *priv) {
  (void)priv;
  return (pri_bound){1, PRI_EXACT};
}
static const pri_param no_params[] = {{0}};
static const char *const no_examples[] = {"", NULL};
static const pri_operator_class same_class = {.kind = {"same", "", "", sizeof(int), no_params, no_examples}, .init = same_init,
                                              .apply = same, .adjoint = same, .norm = one};
static const pri_kind *const operators[] = {&same_class.kind, &dense_class.kind, NULL};

struct world {
  pri_ctx *base, *ctx;
  pri_registry registry;
  pri_operator *A;
  pri_map *map;
  pri_fidelity *f;
  pri_prior *R;
  pri_array y;
  pri_problem problem;
  double lo[1], hi[1];
};

static void make(struct world *w, const char *op, const char *prior, ptrdiff_t items) {
  *w = (struct world){0};
  assert_int_equal(pri_open(&w->base, NULL), PRI_OK);
  w->registry = *pri_ctx_registry(w->base);
  w->registry.family[PRI_OPERATORS] = operators;
  assert_int_equal(pri_ctx_create(&w->ctx, &(pri_ctx_opts){.registry = &w->registry}), PRI_OK);
  assert_int_equal(pri_operator_create(w->ctx, &w->A, op, NULL, NULL, NULL), PRI_OK);
  assert_int_equal(pri_map_of(w->ctx, &w->map, w->A), PRI_OK);
  assert_int_equal(pri_prior_create(w->ctx, &w->R, prior, NULL, pri_operator_domain(w->A)), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->y, pri_operator_range(w->A), items), PRI_OK);
}

static void pose(struct world *w, const char *fidelity) {
  assert_int_equal(pri_fidelity_create(w->ctx, &w->f, fidelity, &w->y, NULL), PRI_OK);
  w->problem = (pri_problem){w->map, w->f, (const pri_prior *const *)&w->R, 1, NAN, 0, w->lo, w->hi};
  w->lo[0] = -INFINITY, w->hi[0] = INFINITY;
}

static void unmake(struct world *w) {
  pri_fidelity_destroy(&w->f);
  pri_prior_destroy(&w->R);
  pri_map_destroy(&w->map);
  pri_operator_destroy(&w->A);
  pri_array_destroy(&w->y);
  pri_ctx_destroy(&w->ctx);
  pri_ctx_destroy(&w->base);
}

/* x = y / (1 + w): Q(w) = (w / (1 + w))^2 |y|^2 / (n s^2) + 2 / (1 + w) - 1 up to the probe; least at w = s^2 n / (|y|^2 - s^2 n);
   the rule takes the largest w within sqrt(2 / n) of it. The fit at what is chosen must be within that of the best (3 deviations: y itself) */
static void tikhonov_has_a_closed_form(void **state) {
  (void)state;
  struct world w;
  pri_weight_result r;
  const double sd = 0.5;
  double square = 0;
  make(&w, "same", "tikhonov:1", 1);
  for (int i = 0; i < N; i++) {
    w.y.data[i] = (pri_real)(pri_rng_normal_at(1, "signal", (uint64_t)i) + sd * pri_rng_normal_at(2, "noise", (uint64_t)i));
    square += (double)w.y.data[i] * (double)w.y.data[i] / (N * sd * sd);
  }
  pose(&w, "ls");
  const pri_prior *const *priors = w.problem.R;
  const pri_weight_search s = {&w.problem, (pri_prior *const *)(void *)priors, 1, &sd, "fista", 20};
  assert_int_equal(pri_weight_discrepancy(w.ctx, &s, &r), PRI_OK);
  double left = INFINITY; /* least |r|^2 / (n - df): the variance is raised to it */
  for (int i = 0; i < r.n; i++) left = fmin(left, r.tested[i][0] / (1 + r.tested[i][0]) * square);
  for (int i = 0; i < r.n; i++) { /* df of the probe b: |b|^2 / n instead of 1, known to sqrt(2 / n) = 8 %; in the variance as well */
    const double l = r.tested[i][0], q = l / (1 + l) * (l / (1 + l)) * square / fmax(left, 1) + 2 / (1 + l) - 1;
    assert_true(fabs(r.tested[i][1] - q) < (2 / (1 + l) + (q + 1) / l) * 4 * sqrt(2.0 / N) + 0.02);
  }
  const double best = 1 / (square - 1), l = r.chosen;
  const double at = l / (1 + l) * (l / (1 + l)) * square + 2 / (1 + l) - 1, least = best / (1 + best) * (best / (1 + best)) * square + 2 / (1 + best) - 1;
  assert_true(at - least < 3 * sqrt(2.0 / N));
  assert_true(l > best / 2 && r.n >= 3);
  const void *priv;
  assert_true(fabs(pri_prior_class_of(w.R, &priv)->weight(priv) / l - 1) < 1e-12); /* it is left there */
  unmake(&w);
}

static void bad_questions(void **state) {
  (void)state;
  struct world w;
  pri_weight_result r;
  double sd = NAN, weight;
  make(&w, "same", "tikhonov:1", 1);
  pose(&w, "ls");
  const pri_weight_search s = {&w.problem, &w.R, 1, &sd, "fista", 0};
  assert_int_equal(pri_weight_discrepancy(w.ctx, &s, &r), PRI_EPARAM);
  assert_non_null(strstr(pri_ctx_message(w.ctx), "--noise-level"));
  assert_int_equal(pri_weight_constant(w.ctx, &w.problem, w.R, &weight), PRI_ENOTSUP);
  pri_fidelity_destroy(&w.f);
  pose(&w, "ball:radius=1");
  sd = 1;
  assert_int_equal(pri_weight_discrepancy(w.ctx, &s, &r), PRI_EPARAM);
  unmake(&w);
}

/* on a line D'q = -g has one solution, the partial sums of g */
static void constant_weight_of_a_line(void **state) {
  (void)state;
  struct world w;
  double weight, mean = 0, sum = 0, most = 0;
  make(&w, "same", "tv:1", 1);
  pri_rng_normal(3, "line", 0, w.y.data, N);
  pose(&w, "ls");
  assert_int_equal(pri_weight_constant(w.ctx, &w.problem, w.R, &weight), PRI_OK);
  for (int i = 0; i < N; i++) mean += (double)w.y.data[i] / N;
  for (int i = 0; i < N; i++) {
    sum += mean - (double)w.y.data[i];
    most = fmax(most, fabs(sum));
  }
  assert_true(weight >= most * (1 - 1e-4) && weight <= 1.05 * most);
  unmake(&w);
}

/* in two dimensions: at the weight found the solution is constant, at 0.9 of it it is not */
static void constant_weight_is_the_edge(void **state) {
  (void)state;
  struct world w;
  double weight;
  make(&w, "dense:rows=40,cols=60,form=nonnegative", "tv:1", 1);
  for (int i = 0; i < 40; i++) w.y.data[i] = (pri_real)(3 + pri_rng_normal_at(7, "y", (uint64_t)i));
  pose(&w, "ls");
  assert_int_equal(pri_weight_constant(w.ctx, &w.problem, w.R, &weight), PRI_OK);
  for (int k = 0; k < 2; k++) {
    pri_solver *s;
    assert_int_equal(pri_prior_scale(w.R, k ? 0.9 : weight), PRI_OK);
    assert_int_equal(pri_solver_create(w.ctx, &s, "fista:inner=200", &w.problem, NULL), PRI_OK);
    for (int i = 0; i < 3000; i++) assert_int_equal(pri_solver_step(s, 0, NULL), PRI_OK);
    const pri_real *x = pri_solver_iterate(s)->data;
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < 60; i++) least = fmin(least, (double)x[i]), most = fmax(most, (double)x[i]);
    if (k == 0) assert_true(most - least < 1e-4 * fabs(most)); /* the solver is that near after 3000 steps */
    else assert_true(most - least > 1e-3 * fabs(most));
    pri_solver_destroy(&s);
  }
  unmake(&w);
}

int unit_weight(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tikhonov_has_a_closed_form), cmocka_unit_test(bad_questions),
                                     cmocka_unit_test(constant_weight_of_a_line), cmocka_unit_test(constant_weight_is_the_edge)};
  return cmocka_run_group_tests_name("unit_weight", tests, NULL, NULL);
}
