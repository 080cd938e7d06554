/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_algebra.c - chains, stand-ins, maps and the adjoint test, on a small scaled shift operator of the test's own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "vec.h"

/* y[i] = factor (x[i] + x[i+1]), one shorter than x; wrong = 1 spoils one weight of the adjoint */
struct pair {
  double factor;
  long n;
  int wrong;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct pair *p = priv;
  (void)ctx, (void)meta;
  *dom = (pri_shape){1, {p->n}};
  *ran = (pri_shape){1, {p->n - 1}};
  return PRI_OK;
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct pair *p = priv;
  (void)ctx, (void)scratch;
  for (ptrdiff_t k = 0; k < items; k++)
    for (ptrdiff_t i = 0; i + 1 < p->n; i++) y[k * (p->n - 1) + i] = (pri_real)(p->factor * ((double)x[k * p->n + i] + (double)x[k * p->n + i + 1]));
  return PRI_OK;
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct pair *p = priv;
  (void)ctx, (void)scratch;
  for (ptrdiff_t k = 0; k < items; k++)
    for (ptrdiff_t i = 0; i < p->n; i++) {
      const double left = i > 0 ? (double)y[k * (p->n - 1) + i - 1] : 0, right = i + 1 < p->n ? (double)y[k * (p->n - 1) + i] : 0;
      x[k * p->n + i] = (pri_real)(p->factor * (left + (p->wrong && i == 3 ? 0.99 : 1) * right));
    }
  return PRI_OK;
}

static const pri_param rows[] = {
    {.name = "factor", .unit = "1", .help = "factor", .type = PRI_REAL, .offset = offsetof(struct pair, factor), .def = 1},
    {.name = "n", .unit = "1", .help = "length", .type = PRI_INT, .offset = offsetof(struct pair, n), .min = 2, .max = 1000, .def = 9},
    {.name = "wrong", .unit = "-", .help = "a wrong adjoint", .type = PRI_BOOL, .offset = offsetof(struct pair, wrong)},
    {0}};
static const pri_operator_class pair_class = {.kind = {.name = "pair", .brief = "", .cite = "", .size = sizeof(struct pair), .params = rows},
                                              .init = init, .apply = apply, .adjoint = adjoint};
static const pri_kind *const operators[] = {&pair_class.kind, NULL};
static const pri_registry registry = {.family = {[PRI_OPERATORS] = operators}};

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, &(pri_ctx_opts){.registry = &registry}), PRI_OK);
  return ctx;
}

static pri_operator *op(pri_ctx *ctx, const char *spec) {
  pri_operator *A;
  assert_int_equal(pri_operator_create(ctx, &A, spec, NULL, NULL, NULL), PRI_OK);
  return A;
}

static void chain_applies_in_order(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_operator *two[2] = {op(ctx, "pair:2,n=9"), op(ctx, "pair:3,n=8")}, *C, *wrong;
  pri_array x, y;
  double worst;
  assert_int_equal(pri_operator_chain(ctx, &C, two, 2), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &x, pri_operator_domain(C), 37), PRI_OK); /* more than two groups of 16 */
  assert_int_equal(pri_array_create(ctx, &y, pri_operator_range(C), 37), PRI_OK);
  for (int i = 0; i < 37 * 9; i++) x.data[i] = (pri_real)(i % 9 + i / 9);
  assert_int_equal(pri_operator_apply(C, &y, &x), PRI_OK);
  for (int k = 0; k < 37; k++)
    for (int i = 0; i < 7; i++) assert_true(y.data[7 * k + i] == (pri_real)(6 * (4 * (i + k) + 4))); /* 6 (x_i + 2 x_(i+1) + x_(i+2)) */
  assert_int_equal(pri_operator_mismatch(C, 1, 12, &worst), PRI_OK);
  assert_true(worst < 1e-6);
  assert_int_equal(pri_operator_chain(ctx, &wrong, (pri_operator *[]){two[1], two[0]}, 2), PRI_ESHAPE);
  assert_null(wrong);
  pri_operator_destroy(&C);
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_operator_destroy(&two[0]);
  pri_operator_destroy(&two[1]);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void stand_ins_agree(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_operator *A = op(ctx, "pair:2");
  pri_array x, b, z;
  const double rho = 0.5, tol = sizeof(pri_real) == 4 ? 1e-5 : 1e-10;
  assert_int_equal(pri_array_create(ctx, &x, pri_operator_domain(A), 3), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &b, pri_operator_domain(A), 3), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &z, pri_operator_domain(A), 3), PRI_OK);
  pri_rng_normal(2, "b", 0, b.data, 27);
  assert_int_equal(pri_operator_resolvent(A, &x, &b, rho), PRI_OK);
  assert_int_equal(pri_operator_normal(A, &z, &x), PRI_OK);
  pri_axpy(ctx, z.data, rho, x.data, 27);
  assert_true(sqrt(pri_dist2sq(ctx, z.data, b.data, 27) / pri_norm2sq(ctx, b.data, 27)) < tol * 100); /* condition number 33 */
  const pri_bound norm = pri_operator_norm(A); /* 2 * 2 cos(pi / 18): the path matrix of 8 rows */
  assert_int_equal(norm.trust, PRI_ESTIMATE);
  assert_true(fabs(norm.value - 4 * cos(3.14159265358979 / 18)) < 1e-3);
  pri_array_destroy(&x);
  pri_array_destroy(&b);
  pri_array_destroy(&z);
  pri_operator_destroy(&A);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void one_wrong_weight_is_seen(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_operator *A = op(ctx, "pair:wrong=yes");
  double worst;
  assert_int_equal(pri_operator_mismatch(A, 0, 30, &worst), PRI_OK);
  assert_true(worst > 1e-3);
  pri_operator_destroy(&A);
  pri_ctx_destroy(&ctx);
}

static void maps_chain(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_operator *A = op(ctx, "pair:2,n=9"), *B = op(ctx, "pair:3,n=8");
  pri_map *two[2], *F;
  pri_array x, y, g;
  assert_int_equal(pri_map_of(ctx, &two[0], A), PRI_OK);
  assert_int_equal(pri_map_of(ctx, &two[1], B), PRI_OK);
  assert_int_equal(pri_map_chain(ctx, &F, two, 2), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &x, pri_map_domain(F), 2), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &g, pri_map_domain(F), 2), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, pri_map_range(F), 2), PRI_OK);
  pri_fill(ctx, x.data, 1, 18);
  assert_int_equal(pri_map_apply(F, &y, &x), PRI_OK);
  assert_true(y.data[0] == 24 && y.data[13] == 24);
  assert_int_equal(pri_map_vjp(F, &g, &x, &y), PRI_OK);
  const double a = pri_dot(ctx, y.data, y.data, 14), b = pri_dot(ctx, g.data, x.data, 18); /* <Fx, y> = <x, F'y> */
  assert_true(fabs(a - b) < 1e-6 * a);
  assert_null(pri_map_linear(F));
  pri_map_destroy(&F);
  pri_map_destroy(&two[0]);
  pri_map_destroy(&two[1]);
  pri_operator_destroy(&A);
  pri_operator_destroy(&B);
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_array_destroy(&g);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

int unit_algebra(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(chain_applies_in_order), cmocka_unit_test(stand_ins_agree),
                                     cmocka_unit_test(one_wrong_weight_is_seen), cmocka_unit_test(maps_chain)};
  return cmocka_run_group_tests_name("unit_algebra", tests, NULL, NULL);
}
