/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_weight.c - automatic weights where the best one is known: Tikhonov of a picture seen directly (A = diagonal), whose
 * fit has a closed form; TV's constant weight on a line, which is the largest partial sum; bad input.
 */
#include "dense.h"
#include "reconstruct/weight.h"
#include "vec.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

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
static const pri_operator_class same_class = {.kind = {"same", "", "", sizeof(int), no_params, no_examples},
                                              .init = same_init,
                                              .apply = same,
                                              .adjoint = same,
                                              .norm = one};
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

struct curve { /* of y = x + e seen directly: the fit is y / (1 + w), df = n / (1 + w) */
  struct world w;
  double square; /* |y|^2 / (n s^2) */
};
static const double sd_of = 0.5;

static void make_curve(struct curve *c) {
  make(&c->w, "same", "tikhonov:1", 1);
  c->square = 0;
  for (int i = 0; i < N; i++) {
    c->w.y.data[i] =
        (pri_real)(pri_rng_normal_at(1, "signal", (uint64_t)i) + sd_of * pri_rng_normal_at(2, "noise", (uint64_t)i));
    c->square += (double)c->w.y.data[i] * (double)c->w.y.data[i] / (N * sd_of * sd_of);
  }
  pose(&c->w, "ls");
}

static double misfit_at(const struct curve *c, double w) { return w / (1 + w) * (w / (1 + w)) * c->square; }
static double risk_at(const struct curve *c, double w, double excess) { return misfit_at(c, w) / excess + 2 / (1 + w) - 1; }

static pri_weight_result found(struct curve *c, pri_weight_method m) {
  const pri_prior *const *priors = c->w.problem.R;
  const pri_weight_search s = {.problem = &c->w.problem,
                               .scaled = (pri_prior *const *)(void *)priors,
                               .n_scaled = 1,
                               .sd = &sd_of,
                               .solver = "fista",
                               .steps = 20,
                               .method = m};
  pri_weight_result r;
  assert_int_equal(pri_weight_find(c->w.ctx, &s, &r), PRI_OK);
  for (int i = 1; i < r.n; i++) assert_true(r.tested[i][0] > r.tested[i - 1][0]); /* in the order of the weights */
  const void *priv;
  assert_true(fabs(pri_prior_class_of(c->w.R, &priv)->weight(priv) / r.chosen - 1) < 1e-12); /* it is left there */
  return r;
}

/* the probe of +-1 has df = n / (1 + w) exactly, up to the difference of two solves: 1e-6 of y over a probe of s / 10 in float */
static double probe_error(void) { return sizeof(pri_real) == sizeof(float) ? 1e-3 : 1e-9; }

/* Q(w) = (w / (1 + w))^2 |y|^2 / (n s^2) + 2 / (1 + w) - 1, least at w = 1 / (|y|^2 / (n s^2) - 1); the rule takes the largest w within
   sqrt(2 / n) of the least */
static void discrepancy_has_a_closed_form(void **state) {
  (void)state;
  struct curve c;
  make_curve(&c);
  const pri_weight_result r = found(&c, PRI_WEIGHT_DISCREPANCY);
  for (int i = 0; i < r.n; i++)
    assert_true(fabs(r.tested[i][1] - risk_at(&c, r.tested[i][0], r.excess * r.excess)) < probe_error() * (1 + r.tested[i][1]));
  const double best = 1 / (c.square / (r.excess * r.excess) - 1);
  assert_true(risk_at(&c, r.chosen, r.excess * r.excess) - risk_at(&c, best, r.excess * r.excess) <
              2 * sqrt(2.0 / N)); /* a spline between tests */
  assert_true(r.chosen > 0.9 * best && r.n >= 3);
  unmake(&c.w);
}

/* sure: the least of Q itself; two solves of Brent's search and a parabola find it to within 10 % in a bracket of 4 */
static void sure_has_a_closed_form(void **state) {
  (void)state;
  struct curve c;
  make_curve(&c);
  const pri_weight_result r = found(&c, PRI_WEIGHT_SURE);
  for (int i = 0; i < r.n; i++)
    assert_true(fabs(r.tested[i][1] - risk_at(&c, r.tested[i][0], r.excess * r.excess)) < probe_error() * (1 + r.tested[i][1]));
  assert_true(fabs(r.chosen * (c.square / (r.excess * r.excess) - 1) - 1) < 0.1 && r.plain);
  unmake(&c.w);
}

/* gcv: (w / (1 + w))^2 |y|^2 / (1 - c / (1 + w))^2, c = 1.02: without c the same for every weight */
static void gcv_has_a_closed_form(void **state) {
  (void)state;
  struct curve c;
  make_curve(&c);
  const pri_weight_result r = found(&c, PRI_WEIGHT_GCV);
  for (int i = 0; i < r.n; i++) {
    const double w = r.tested[i][0], left = 1 - 1.02 / (1 + w), v = misfit_at(&c, w) / (left * left);
    if (left > 0.02) assert_true(fabs(r.tested[i][1] / v - 1) < 2 * probe_error() / left);
  }
  unmake(&c.w);
}

static void bad_questions(void **state) {
  (void)state;
  struct world w;
  pri_weight_result r;
  double sd = NAN, weight;
  make(&w, "same", "tikhonov:1", 1);
  pose(&w, "ls");
  const pri_weight_search s = {.problem = &w.problem, .scaled = &w.R, .n_scaled = 1, .sd = &sd, .solver = "fista"};
  pri_weight_method m;
  assert_int_equal(pri_weight_find(w.ctx, &s, &r), PRI_EPARAM);
  assert_non_null(strstr(pri_ctx_message(w.ctx), "--noise-level"));
  assert_int_equal(pri_weight_constant(w.ctx, &w.problem, w.R, &weight), PRI_ENOTSUP);
  assert_true(pri_weight_method_of("auto", &m) && m == PRI_WEIGHT_DISCREPANCY);
  assert_true(pri_weight_method_of("auto:lcurve", &m) && m == PRI_WEIGHT_LCURVE);
  assert_true(!pri_weight_method_of("auto:", &m) && !pri_weight_method_of("automatic", &m) &&
              !pri_weight_method_of("auto:gcvs", &m));
  pri_fidelity_destroy(&w.f);
  pose(&w, "ball:radius=1");
  sd = 1;
  assert_int_equal(pri_weight_find(w.ctx, &s, &r), PRI_EPARAM);
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
    if (k == 0)
      assert_true(most - least < 1e-4 * fabs(most)); /* the solver is that near after 3000 steps */
    else
      assert_true(most - least > 1e-3 * fabs(most));
    pri_solver_destroy(&s);
  }
  unmake(&w);
}

int unit_weight(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(discrepancy_has_a_closed_form), cmocka_unit_test(sure_has_a_closed_form),
      cmocka_unit_test(gcv_has_a_closed_form),        cmocka_unit_test(bad_questions),
      cmocka_unit_test(constant_weight_of_a_line),     cmocka_unit_test(constant_weight_is_the_edge)};
  return cmocka_run_group_tests_name("unit_weight", tests, NULL, NULL);
}
