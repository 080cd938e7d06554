/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_filterbank.c - banks of filters against sums by definition, for every instruction set of the machine (PRIORI_SIMD lowers the choice), float
 * and double, sides and counts that fill vectors and that do not, images smaller than the filter, planes; the same bits for any number of
 * threads; maps of elements against their formulas, far from 0 too; sums of outer products.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "filterbank.h"
#include "priori/priori.h"
#include "simd.h"

enum { LEVELS = PRI_SIMD_AVX512 + 1 };
static const struct shape { int count, side, planes, ny, nx; } shapes[] = {
    {1, 1, 1, 3, 5}, {5, 3, 2, 9, 30}, {8, 4, 1, 7, 26}, {3, 5, 1, 12, 5}, {48, 7, 1, 21, 61}, {9, 9, 1, 15, 33}, {4, 11, 1, 13, 40}, {2, 7, 1, 6, 40}, {2, 7, 1, 40, 6}, {7, 3, 1, 300, 20}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads}), PRI_OK);
  return ctx;
}

/* fn for every level that the machine has */
static void at_every_level(void (*fn)(void)) {
  const char *before = getenv("PRIORI_SIMD");
  char kept[32] = "";
  if (before) strncpy(kept, before, sizeof kept - 1);
  for (int level = PRI_SIMD_C; level < LEVELS; level++) {
    setenv("PRIORI_SIMD", pri_simd_name((pri_simd_level)level), 1);
    if ((int)pri_simd() == level) fn();
  }
  if (before) setenv("PRIORI_SIMD", kept, 1);
  else unsetenv("PRIORI_SIMD");
}

struct copy { double *to; pri_filterbank bank; };

static double get(const pri_filterbank *b, const void *r, ptrdiff_t i) { return b->k->size == sizeof(float) ? (double)((const float *)r)[i] : ((const double *)r)[i]; }

static void copy_out(const void *arg, const pri_filterbank_tile *t, void *r, void *r2) { /* responses in order, where they are wanted; then halved */
  const struct copy *c = arg;
  const pri_filterbank *b = &c->bank;
  (void)r2;
  for (int k = 0; k < b->count; k++)
    for (int i = 0; i < t->n; i++) {
      if (c->to) c->to[((k * b->planes + t->plane) * b->rows + t->row) * b->cols + t->col + i] = get(b, r, k * t->pitch + i);
      if (b->k->size == sizeof(float)) ((float *)r)[k * t->pitch + i] *= 0.5f;
      else ((double *)r)[k * t->pitch + i] *= 0.5;
    }
}

struct numbers { pri_real *x; double *taps, *r, *want, *y; void *out; size_t pixels, responses; };

static void draw(pri_ctx *ctx, const struct shape *s, const pri_filterbank *b, struct numbers *v) {
  const size_t taps = (size_t)(s->count * s->side * s->side);
  v->pixels = (size_t)(s->planes * s->ny * s->nx), v->responses = (size_t)(b->planes * b->rows * b->cols * b->count);
  v->x = pri_calloc(ctx, v->pixels, sizeof *v->x), v->taps = pri_calloc(ctx, taps, sizeof *v->taps);
  v->r = pri_calloc(ctx, v->responses + 1, sizeof *v->r), v->want = pri_calloc(ctx, v->responses + 1, sizeof *v->want);
  v->y = pri_calloc(ctx, v->pixels, sizeof *v->y), v->out = pri_calloc(ctx, v->pixels, sizeof(double));
  pri_rng_normal(1, "x", 0, v->x, v->pixels);
  for (size_t i = 0; i < taps; i++) v->taps[i] = pri_rng_normal_at(2, "taps", i) / s->side;
}

static void release(pri_ctx *ctx, struct numbers *v) {
  void *const all[] = {v->x, v->taps, v->r, v->want, v->y, v->out};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(ctx, all[i]);
}

static ptrdiff_t reflected(ptrdiff_t i, ptrdiff_t n) { /* by steps: over each edge as often as it takes */
  while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
  return i;
}

static ptrdiff_t seen(const struct shape *s, const pri_filterbank *b, int plane, ptrdiff_t y, ptrdiff_t x) {
  const ptrdiff_t h = b->mirror ? (s->side - 1) / 2 : 0;
  return (plane * s->ny + reflected(y - h, s->ny)) * s->nx + reflected(x - h, s->nx);
}

static void by_definition(const struct shape *s, const pri_filterbank *b, struct numbers *v) {
  size_t at = 0;
  for (int k = 0; k < s->count; k++)
    for (int p = 0; p < s->planes; p++)
      for (ptrdiff_t j = 0; j < b->rows; j++)
        for (ptrdiff_t i = 0; i < b->cols; i++, at++) {
          const double *c = v->taps + k * s->side * s->side;
          double sum = 0;
          for (int u = 0; u < s->side * s->side; u++) sum += c[u] * (double)v->x[seen(s, b, p, j + u / s->side, i + u % s->side)];
          v->want[at] = sum;
          for (int u = 0; u < s->side * s->side; u++) v->y[seen(s, b, p, j + u / s->side, i + u % s->side)] += c[u] * sum / 2;
        }
}

static void one_shape(const struct shape *s, int mirror, int wide) {
  pri_ctx *ctx = make(2);
  pri_filterbank b;
  struct numbers v;
  assert_int_equal(pri_filterbank_init(ctx, &b, s->count, s->side, s->planes, s->ny, s->nx, mirror, wide), PRI_OK);
  draw(ctx, s, &b, &v);
  pri_filterbank_set(&b, v.taps);
  by_definition(s, &b, &v);
  void *scratch = pri_calloc(ctx, 1, pri_filterbank_scratch(&b));
  memset(scratch, 0x7f, pri_filterbank_scratch(&b)); /* what was there before does not count */
  memset(v.out, 0x7f, v.pixels * b.k->size);
  const long before = pri_ctx_allocations(ctx);
  /* without y no response is worked on twice, so that threads may write them */
  pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &b, .x = v.x, .fn = copy_out, .arg = &(struct copy){.to = v.r, .bank = b}, .scratch = scratch});
  pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &b, .x = v.x, .y = v.out, .fn = copy_out, .arg = &(struct copy){.bank = b}, .scratch = scratch});
  assert_int_equal(pri_ctx_allocations(ctx), before);
  /* sums of side^2 and of count side^2 products of numbers of size 1: one rounding of 3 units each, at most */
  const double eps = b.k->size == sizeof(float) ? 6e-8 : 1.2e-16, terms = s->side * s->side;
  for (size_t i = 0; i < v.responses; i++) assert_true(fabs(v.r[i] - v.want[i]) <= 3 * eps * terms * 3);
  for (size_t i = 0; i < v.pixels; i++) assert_true(fabs(get(&b, v.out, (ptrdiff_t)i) - v.y[i]) <= 3 * eps * terms * s->count * 3);
  pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &b, .x = v.x, .y = v.out, .add = 1, .fn = copy_out, .arg = &(struct copy){.bank = b}, .scratch = scratch});
  for (size_t i = 0; i < v.pixels; i++) assert_true(fabs(get(&b, v.out, (ptrdiff_t)i) - 2 * v.y[i]) <= 6 * eps * terms * s->count * 3);
  pri_free(ctx, scratch);
  release(ctx, &v);
  pri_filterbank_fini(ctx, &b);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void all_shapes(void) {
  for (int k = 0; k < SHAPES; k++)
    for (int wide = 0; wide < 4; wide++) one_shape(&shapes[k], wide / 2, wide % 2);
}

static void sums_by_definition(void **state) {
  (void)state;
  at_every_level(all_shapes);
}

static void same_bits(void) {
  enum { NY = 150, NX = 70, K = 5, SIDE = 5 };
  static pri_real x[NY * NX], y[2][NY * NX];
  double taps[K * SIDE * SIDE];
  for (int i = 0; i < K * SIDE * SIDE; i++) taps[i] = pri_rng_normal_at(2, "taps", (uint64_t)i);
  pri_rng_normal(1, "x", 0, x, NY * NX);
  for (int threads = 1; threads <= 8; threads++) {
    pri_ctx *ctx = make(threads);
    pri_filterbank b;
    assert_int_equal(pri_filterbank_init(ctx, &b, K, SIDE, 1, NY, NX, 1, 0), PRI_OK);
    pri_filterbank_set(&b, taps);
    void *scratch = pri_calloc(ctx, 1, pri_filterbank_scratch(&b));
    pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &b, .x = x, .y = y[threads > 1], .scratch = scratch});
    assert_memory_equal(y[0], y[threads > 1], sizeof y[0]);
    pri_free(ctx, scratch);
    pri_filterbank_fini(ctx, &b);
    pri_ctx_destroy(&ctx);
  }
}

static void any_number_of_threads(void **state) {
  (void)state;
  at_every_level(same_bits);
}

static double formula(pri_bank_map map, double z) {
  const double s = 1 + z * z;
  switch (map) {
    case PRI_BANK_ROOT_SLOPE: return z / sqrt(s);
    case PRI_BANK_ROOT_CURVE: return 1 / (s * sqrt(s));
    case PRI_BANK_LOG_SLOPE: return z / s;
    default: return (1 - z * z) / (s * s);
  }
}

static void maps_of(const pri_bank_kernels *k) {
  enum { MOST = 67 };
  float f[MOST];
  double d[MOST];
  const double eps = k->size == sizeof(float) ? 1.2e-7 : 2.3e-16, scale = 3, gain = 0.7;
  for (int map = 0; map < PRI_BANK_MAPS; map++) {
    for (int i = 0; i < MOST; i++) d[i] = (i % 2 ? -1 : 1) * pow(10, (i - 33) / 4.0), f[i] = (float)d[i], d[i] = k->size == sizeof(float) ? (double)f[i] : d[i];
    double z[MOST];
    for (int i = 0; i < MOST; i++) z[i] = scale * d[i];
    k->map[map](k->size == sizeof(float) ? (void *)f : (void *)d, MOST, scale, gain);
    for (int i = 0; i < MOST; i++) {
      const double got = k->size == sizeof(float) ? (double)f[i] : d[i], want = gain * formula((pri_bank_map)map, z[i]);
      /* a dozen roundings; of 1 - z^2 near z = 1 absolute */
      assert_true(fabs(got - want) <= 12 * eps * (fabs(want) + (map == PRI_BANK_LOG_CURVE ? 1 / (1 + z[i] * z[i]) : 0)) + (k->size == sizeof(float) ? 1e-36 : 0));
    }
  }
  d[0] = INFINITY, d[1] = -1e300, d[2] = NAN, f[0] = INFINITY, f[1] = -1e30f, f[2] = NAN;
  for (int i = 3; i < MOST; i++) d[i] = 0, f[i] = 0;
  k->map[PRI_BANK_ROOT_SLOPE](k->size == sizeof(float) ? (void *)f : (void *)d, MOST, scale, 1);
  const double got[3] = {k->size == 4 ? (double)f[0] : d[0], k->size == 4 ? (double)f[1] : d[1], k->size == 4 ? (double)f[2] : d[2]};
  assert_true(fabs(got[0] - 1) <= 8 * eps && fabs(got[1] + 1) <= 8 * eps && isnan(got[2]));
}

static void all_maps(void) {
  maps_of(pri_bank_kernels_best(0));
  maps_of(pri_bank_kernels_best(1));
}

static void maps_by_formula(void **state) {
  (void)state;
  at_every_level(all_maps);
}

static void what_is_refused(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_filterbank b;
  assert_int_equal(pri_filterbank_init(ctx, &b, 0, 3, 1, 8, 8, 0, 0), PRI_EPARAM);
  assert_int_equal(pri_filterbank_init(ctx, &b, 3, PRI_BANK_SIDE + 1, 1, 8, 8, 0, 0), PRI_EPARAM);
  pri_filterbank_fini(ctx, &b);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

int unit_filterbank(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_by_definition), cmocka_unit_test(any_number_of_threads), cmocka_unit_test(maps_by_formula), cmocka_unit_test(what_is_refused)};
  return cmocka_run_group_tests_name("unit_filterbank", tests, NULL, NULL);
}
