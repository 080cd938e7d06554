/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_core.c - status, context, array, sums, specs, parameters, random numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "par.h"
#include "priori/priori.h"
#include "vec.h"

static pri_ctx *make(int threads, size_t memory) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, &(pri_ctx_opts){.threads = threads, .memory = memory}), PRI_OK);
  return ctx;
}

static void budget_is_kept(void **state) {
  (void)state;
  pri_ctx *ctx = make(1, 1 << 20);
  void *a = pri_calloc(ctx, 1 << 19, 1);
  assert_non_null(a);
  assert_null(pri_calloc(ctx, 1 << 20, 1));
  assert_int_equal(pri_ctx_code(ctx), PRI_EBUDGET);
  assert_non_null(strstr(pri_ctx_message(ctx), "--mem"));
  assert_null(pri_calloc(ctx, SIZE_MAX / 2, 4));
  assert_int_equal(pri_ctx_code(ctx), PRI_ENOMEM);
  pri_free(ctx, a);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void sums_have_the_same_bits(void **state) {
  (void)state;
  enum { N = 1000003 };
  pri_ctx *one = make(1, 0);
  pri_real *a = pri_calloc(one, N, sizeof *a);
  assert_non_null(a);
  pri_rng_normal(7, "sums", 0, a, N);
  const double first = pri_norm2sq(one, a, N);
  assert_true(fabs(first / N - 1) < 0.01); /* variance of a million normals: sd 0.0014 */
  for (int t = 2; t <= 8; t++) {
    pri_ctx *more = make(t, 0);
    const double again = pri_norm2sq(more, a, N);
    assert_memory_equal(&again, &first, sizeof first);
    pri_ctx_destroy(&more);
  }
  pri_free(one, a);
  pri_ctx_destroy(&one);
}

static void boxes_take_and_put(void **state) {
  (void)state;
  pri_ctx *ctx = make(1, 0);
  const pri_shape s = pri_shape_2d(5, 7), p = pri_shape_2d(2, 7);
  const pri_box box = {{1, 0}, {2, 7}, {3, 1}};
  pri_array a, b;
  assert_int_equal(pri_array_create(ctx, &a, &s, 2), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &b, &p, 2), PRI_OK);
  for (int i = 0; i < 70; i++) a.data[i] = (pri_real)i;
  assert_int_equal(pri_array_take(ctx, &b, &a, &box), PRI_OK);
  assert_true(b.data[0] == 7 && b.data[7] == 28 && b.data[14] == 42);
  b.data[27] = -1;
  assert_int_equal(pri_array_put(ctx, &a, &b, &box), PRI_OK);
  assert_true(a.data[35 + 34] == -1);
  const pri_box outside = {{1, 0}, {2, 7}, {4, 1}};
  assert_int_equal(pri_array_take(ctx, &b, &a, &outside), PRI_ESHAPE);
  pri_array_destroy(&a);
  pri_array_destroy(&b);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

struct thing {
  double weight, pitch[3], angle;
  long count;
  int shape;
  char *file;
  ptrdiff_t size[3];
};
static const char *const shapes[] = {"round", "square", NULL};
static const pri_param rows[] = {
    {.name = "weight", .unit = "1", .help = "weight", .type = PRI_REAL, .offset = offsetof(struct thing, weight), .min = 0, .max = 10, .def = 1},
    {.name = "pitch", .unit = "mm", .help = "pitch", .type = PRI_QUANTITIES, .offset = offsetof(struct thing, pitch), .min = 1e-9, .max = 1e9, .def_text = "1"},
    {.name = "angle", .unit = "deg", .help = "angle", .type = PRI_QUANTITY, .offset = offsetof(struct thing, angle), .min = -360, .max = 360, .def = 30},
    {.name = "count", .unit = "1", .help = "count", .type = PRI_INT, .offset = offsetof(struct thing, count), .min = 1, .max = 9, .def = 2},
    {.name = "shape", .unit = "-", .help = "shape", .type = PRI_CHOICE, .offset = offsetof(struct thing, shape), .choices = shapes},
    {.name = "file", .unit = "-", .help = "file", .type = PRI_FILE, .offset = offsetof(struct thing, file)},
    {.name = "size", .unit = "pixels", .help = "size", .type = PRI_SIZES, .offset = offsetof(struct thing, size), .min = 1, .max = 1e6},
    {0}};
static const pri_kind kind = {"thing", "a test", "", sizeof(struct thing), rows, NULL};

static void parameters_round_trip(void **state) {
  (void)state;
  pri_ctx *ctx = make(1, 0);
  struct thing a = {0}, b = {0};
  char *text, *again;
  assert_int_equal(pri_kind_parse(ctx, &kind, &a, "0.1,pitch=0.65umx2mm,angle=0.3rad,count=9,shape=square,file=\"a,b c\",size=64x32"), PRI_OK);
  assert_true(a.weight == 0.1 && fabs(a.pitch[0] - 0.00065) < 1e-18 && a.pitch[1] == 2 && a.pitch[2] == 2 && a.angle == 0.3);
  assert_true(a.count == 9 && a.shape == 1 && a.size[0] == 64 && a.size[1] == 32 && a.size[2] == 0);
  assert_string_equal(a.file, "a,b c");
  assert_int_equal(pri_kind_print(ctx, &kind, &a, &text), PRI_OK);
  assert_int_equal(pri_kind_parse(ctx, &kind, &b, pri_spec_keys(text)), PRI_OK);
  assert_memory_equal(&a.pitch, &b.pitch, sizeof a.pitch);
  assert_true(a.weight == b.weight && a.angle == b.angle);
  assert_int_equal(pri_kind_print(ctx, &kind, &b, &again), PRI_OK);
  assert_string_equal(text, again);
  pri_free(ctx, text);
  pri_free(ctx, again);
  pri_kind_release(ctx, &kind, &a);
  pri_kind_release(ctx, &kind, &b);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void bad_parameters_say_what(void **state) {
  (void)state;
  static const char *const bad[][2] = {{"wieght=1", "did you mean 'weight'"}, {"weight=11", "[0, 10]"}, {"weight=1x", "not a number"},
                                       {"count=2.5", "whole number"}, {"angle=3mm", "deg"}, {"shape=squar", "did you mean square"},
                                       {"pitch=0.65umx2", "its unit"}, {"weight=1,weight=2", "twice"}, {"count=1,3", "key=value"},
                                       {"weight=nan", "not a number"}, {"file='a", "quote"}, {"size=0", "[1, "}};
  pri_ctx *ctx = make(1, 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct thing a = {0};
    assert_int_equal(pri_kind_parse(ctx, &kind, &a, bad[i][0]), PRI_EPARAM);
    if (!strstr(pri_ctx_message(ctx), bad[i][1])) fail_msg("%s: '%s' lacks '%s'", bad[i][0], pri_ctx_message(ctx), bad[i][1]);
    pri_kind_release(ctx, &kind, &a);
  }
  pri_ctx_destroy(&ctx);
}

static void specs_are_edited(void **state) {
  (void)state;
  pri_ctx *ctx = make(1, 0);
  char *s, *v;
  assert_int_equal(pri_spec_set(ctx, "tv:auto:gcv,p=1", "weight", "weight", "0.5", &s), PRI_OK);
  assert_string_equal(s, "tv:weight=0.5,p=1");
  assert_int_equal(pri_spec_get(ctx, s, "p", "weight", &v), PRI_OK);
  assert_string_equal(v, "1");
  pri_free(ctx, v);
  pri_free(ctx, s);
  assert_int_equal(pri_spec_set(ctx, "tv", "file", NULL, "a,b", &s), PRI_OK);
  assert_string_equal(s, "tv:file=\"a,b\"");
  pri_free(ctx, s);
  pri_ctx_destroy(&ctx);
}

static void random_numbers_are_a_function(void **state) {
  (void)state;
  pri_real a[100], b[100], u[1000];
  pri_rng_normal(3, "x", 0, a, 100);
  pri_rng_normal(3, "x", 37, b, 50);
  assert_memory_equal(a + 37, b, 50 * sizeof *a);
  pri_rng_normal(4, "x", 0, b, 100);
  assert_memory_not_equal(a, b, sizeof a);
  pri_rng_uniform(3, "u", 0, u, 1000);
  for (int i = 0; i < 1000; i++) assert_true(u[i] >= 0 && u[i] < 1);
}

int unit_core(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(budget_is_kept), cmocka_unit_test(sums_have_the_same_bits), cmocka_unit_test(boxes_take_and_put),
      cmocka_unit_test(parameters_round_trip), cmocka_unit_test(bad_parameters_say_what), cmocka_unit_test(specs_are_edited),
      cmocka_unit_test(random_numbers_are_a_function)};
  return cmocka_run_group_tests_name("unit_core", tests, NULL, NULL);
}
