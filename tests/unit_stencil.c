/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_stencil.c - differences of known images, exact transpose, bound of the norm, pitches, threads. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "stencil.h"
#include "vec.h"

static const double EPS = sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
static const pri_shape SHAPES[] = {{1, {9}}, {2, {1, 1}}, {2, {5, 1}}, {2, {1, 7}}, {2, {2, 2}}, {2, {13, 300}}, {3, {3, 4, 5}}, {3, {1, 6, 1}}};
enum { NSHAPES = sizeof SHAPES / sizeof *SHAPES };

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, &(pri_ctx_opts){.threads = threads}), PRI_OK);
  return ctx;
}

static pri_real *normals(pri_ctx *ctx, const char *stream, ptrdiff_t n) {
  pri_real *x = pri_calloc(ctx, (size_t)n, sizeof *x);
  assert_non_null(x);
  pri_rng_normal(3, stream, 0, x, (size_t)n);
  return x;
}

static void differences_of_a_ramp(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  const pri_shape dom = {3, {3, 4, 5}};
  const pri_meta meta = {.pixel = {1, 2, 4}}; /* x, y, z: a pitch twice as long halves the difference */
  pri_stencil s;
  pri_real x[60], q[180];
  assert_int_equal(pri_stencil_init(ctx, "test", &s, &meta, &dom), PRI_OK);
  for (int i = 0; i < 60; i++) x[i] = (pri_real)(100 * (i / 20) + 10 * (i / 5 % 4) + i % 5);
  pri_stencil_forward(ctx, &s, q, x, 1);
  for (int i = 0; i < 60; i++) {
    assert_true(q[i] == (i / 20 < 2 ? 25 : 0));
    assert_true(q[60 + i] == (i / 5 % 4 < 3 ? 5 : 0));
    assert_true(q[120 + i] == (i % 5 < 4 ? 1 : 0));
  }
  assert_true(pri_stencil_norm2(&s) == 4 * (1 + 0.25 + 0.0625));
  pri_ctx_destroy(&ctx);
}

/* <D x, q> = <x, D'q>: each side is a sum of 2 nd n products with relative error a few eps; sums of random signs stay near sqrt(n) */
static void adjoint_is_the_transpose(void **state) {
  (void)state;
  pri_ctx *ctx = make(2);
  for (int k = 0; k < NSHAPES; k++) {
    const ptrdiff_t n = pri_shape_size(&SHAPES[k]), m = n * SHAPES[k].nd, items = 3;
    pri_stencil s;
    assert_int_equal(pri_stencil_init(ctx, "test", &s, NULL, &SHAPES[k]), PRI_OK);
    pri_real *x = normals(ctx, "x", n * items), *q = normals(ctx, "q", m * items);
    pri_real *dx = pri_calloc(ctx, (size_t)(m * items), sizeof *dx), *dq = pri_calloc(ctx, (size_t)(n * items), sizeof *dq);
    double *wide = pri_calloc(ctx, (size_t)(n * items), sizeof *wide), cross = 0;
    pri_stencil_forward(ctx, &s, dx, x, items);
    pri_stencil_adjoint(ctx, &s, dq, q, items);
    pri_stencil_adjoint_wide(ctx, &s, wide, q, items);
    const double a = pri_dot(ctx, dx, q, m * items), b = pri_dot(ctx, x, dq, n * items);
    const double size = sqrt(pri_norm2sq(ctx, x, n * items) * pri_norm2sq(ctx, q, m * items) * 8);
    assert_true(fabs(a - b) <= 8 * EPS * size);
    for (ptrdiff_t i = 0; i < n * items; i++) cross += wide[i] * (double)x[i];
    assert_true(fabs(a - cross) <= 8 * EPS * size);
    assert_true(pri_norm2sq(ctx, dx, m * items) <= pri_stencil_norm2(&s) * pri_norm2sq(ctx, x, n * items));
    for (ptrdiff_t i = 0; i < n; i++) dq[i] = 0; /* one item alone has the bits that it has in company */
    pri_stencil_adjoint(ctx, &s, dq, q, 1);
    pri_real *again = pri_calloc(ctx, (size_t)(n * items), sizeof *again);
    pri_stencil_adjoint(ctx, &s, again, q, items);
    assert_memory_equal(again, dq, (size_t)n * sizeof *dq);
    pri_free(ctx, x), pri_free(ctx, q), pri_free(ctx, dx), pri_free(ctx, dq), pri_free(ctx, wide), pri_free(ctx, again);
  }
  pri_ctx_destroy(&ctx);
}

/* the checkerboard has |D x|^2 / |x|^2 = 8 (1 - 1/n): the bound is sharp, so one that is too small by 1 % fails at n = 256 */
static void norm_is_sharp(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  const pri_shape dom = pri_shape_2d(256, 256);
  pri_stencil s;
  assert_int_equal(pri_stencil_init(ctx, "test", &s, NULL, &dom), PRI_OK);
  pri_real *x = pri_calloc(ctx, 65536, sizeof *x), *q = pri_calloc(ctx, 131072, sizeof *q);
  for (int i = 0; i < 65536; i++) x[i] = (i / 256 + i) % 2 ? 1 : -1;
  pri_stencil_forward(ctx, &s, q, x, 1);
  const double ratio = pri_norm2sq(ctx, q, 131072) / 65536;
  assert_true(ratio <= pri_stencil_norm2(&s) && ratio > 0.99 * pri_stencil_norm2(&s));
  pri_free(ctx, x), pri_free(ctx, q);
  pri_ctx_destroy(&ctx);
}

/* sums over any range of pixels agree with the fields */
static void squares_agree_with_the_fields(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  for (int k = 0; k < NSHAPES; k++) {
    const ptrdiff_t n = pri_shape_size(&SHAPES[k]), m = n * SHAPES[k].nd;
    pri_stencil s;
    assert_int_equal(pri_stencil_init(ctx, "test", &s, NULL, &SHAPES[k]), PRI_OK);
    pri_real *x = normals(ctx, "x", n), *q = pri_calloc(ctx, (size_t)m, sizeof *q);
    double *a = pri_calloc(ctx, (size_t)n, sizeof *a), *b = pri_calloc(ctx, (size_t)n, sizeof *b), *c = pri_calloc(ctx, (size_t)n, sizeof *c);
    pri_stencil_forward(ctx, &s, q, x, 1);
    const ptrdiff_t cut = n / 3;
    pri_stencil_square(&s, x, 0, cut, a);
    pri_stencil_square(&s, x, cut, n, a + cut);
    pri_stencil_fields_square(&s, q, 0, n, b);
    pri_stencil_fields_dot(&s, q, x, 0, n, c);
    for (ptrdiff_t i = 0; i < n; i++) {
      assert_true(fabs(a[i] - b[i]) <= 40 * EPS * (1 + b[i])); /* differences of normals (|x| < 5) rounded to pri_real */
      assert_true(fabs(a[i] - c[i]) <= 40 * EPS * (1 + b[i]));
    }
    pri_free(ctx, x), pri_free(ctx, q), pri_free(ctx, a), pri_free(ctx, b), pri_free(ctx, c);
  }
  pri_ctx_destroy(&ctx);
}

static void four_axes_are_refused(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_stencil s;
  assert_int_equal(pri_stencil_init(ctx, "test", &s, NULL, &(pri_shape){4, {2, 2, 2, 2}}), PRI_ESHAPE);
  assert_non_null(strstr(pri_ctx_message(ctx), "4"));
  pri_ctx_destroy(&ctx);
}

int unit_stencil(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(differences_of_a_ramp), cmocka_unit_test(adjoint_is_the_transpose), cmocka_unit_test(norm_is_sharp),
      cmocka_unit_test(squares_agree_with_the_fields), cmocka_unit_test(four_axes_are_refused)};
  return cmocka_run_group_tests_name("unit_stencil", tests, NULL, NULL);
}
