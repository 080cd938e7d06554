/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_foe.c - .prior files and what is made of them: written and read again to the bit, every way of damaging one is refused (never read
 * past its end: ASan runs this), values against a direct sum, gradient by its order, saddle face by Fenchel's equality, bounds.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "safetensors.h"

enum { K = 3, SIDE = 4, NY = 9, NX = 8, N = NY * NX, TAPS = K * SIDE * SIDE };
#define FILE_NAME "unit_foe.prior"
static const double ROUND = sizeof(pri_real) == 4 ? 1e-6 : 1e-14;
static const char *const card[] = {"kind", "foe", "potential", "smoothed-l1", "sigma", "0.1", NULL};

struct numbers { double scale[1], weights[K], smoothings[K], taps[TAPS]; };

static void draw(struct numbers *v) {
  v->scale[0] = 0.3;
  for (int k = 0; k < K; k++) v->weights[k] = 0.2 * k - 0.5, v->smoothings[k] = -0.5 * k;
  for (int i = 0; i < TAPS; i++) v->taps[i] = 0.3 * pri_rng_normal_at(7, "taps", (uint64_t)i);
}

static void fill(struct numbers *v, pri_tensor t[4]) {
  t[0] = (pri_tensor){"log_scale", 1, {1}, 1, v->scale, 0};
  t[1] = (pri_tensor){"log_weights", 1, {K}, K, v->weights, 0};
  t[2] = (pri_tensor){"log_smoothings", 1, {K}, K, v->smoothings, 0};
  t[3] = (pri_tensor){"filters", 3, {K, SIDE, SIDE}, TAPS, v->taps, 0};
}

static pri_ctx *open_ctx(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  return ctx;
}

static void write_prior(pri_ctx *ctx, const struct numbers *from, const char *const *texts, int count) {
  struct numbers v = *from;
  pri_tensor t[4];
  fill(&v, t);
  assert_int_equal(pri_tensors_save(ctx, FILE_NAME, 1, texts, t, count), PRI_OK);
}

static pri_status create(pri_ctx *ctx, pri_prior **R) {
  const pri_shape dom = {2, {NY, NX}};
  return pri_prior_create(ctx, R, "foe:" FILE_NAME ",weight=0.7", NULL, &dom);
}

static void refused(pri_ctx *ctx, pri_status want) {
  pri_prior *R;
  const pri_status got = create(ctx, &R);
  if (got != want) fail_msg("status %d, not %d: %s", got, want, pri_ctx_message(ctx));
  assert_null(R);
}

static void round_trip(void **state) {
  (void)state;
  struct numbers v;
  pri_tensors *t;
  pri_ctx *ctx = open_ctx();
  draw(&v);
  write_prior(ctx, &v, card, 4);
  assert_int_equal(pri_tensors_load(ctx, &t, FILE_NAME), PRI_OK);
  assert_int_equal(pri_tensors_count(t), 4);
  assert_string_equal(pri_tensors_card(t, "sigma"), "0.1");
  assert_null(pri_tensors_card(t, "none"));
  const pri_tensor *f = pri_tensors_find(t, "filters");
  assert_true(f->nd == 3 && f->n[0] == K && f->n[2] == SIDE && memcmp(f->data, v.taps, sizeof v.taps) == 0);
  pri_tensors_destroy(ctx, &t);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
  remove(FILE_NAME);
}

static void put(const void *bytes, size_t n) {
  FILE *f = fopen(FILE_NAME, "wb");
  assert_non_null(f);
  assert_true(fwrite(bytes, 1, n, f) == n);
  fclose(f);
}

/* a file of this header and so many bytes of data */
static void put_header(const char *json, size_t data) {
  static unsigned char bytes[4096];
  const size_t n = strlen(json);
  memset(bytes, 0, sizeof bytes);
  for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(n >> 8 * i);
  memcpy(bytes + 8, json, n);
  put(bytes, 8 + n + data);
}

static void hostile_headers(void **state) {
  (void)state;
  static const char *const bad[] = {
      "[1,2]", "{", "{\"a\":1}", "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}", /* cut off */
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,8]}}",                              /* shape and range */
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[-1],\"data_offsets\":[0,8]}}", "{\"a\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[0,0]}}",
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,4611686018427387904],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}",
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[8,16]}}", "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[-8,0]}}",
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}", "{\"a\":{\"dtype\":\"F64\",\"shape\":[1.5],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", /* twice */
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", /* overlap */
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "{\"__metadata__\":{\"kind\":\"foe\"}}",
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[1,1,1,1,1,1,1],\"data_offsets\":[0,8]}}"};
  pri_ctx *ctx = open_ctx();
  pri_tensors *t;
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    put_header(bad[k], 8);
    const pri_status s = pri_tensors_load(ctx, &t, FILE_NAME);
    if (s != PRI_EFORMAT) fail_msg("%s: status %d", bad[k], s);
    assert_true(t == NULL && pri_ctx_memory_used(ctx) == 0);
  }
  put_header("{\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8); /* a scalar is fine */
  assert_int_equal(pri_tensors_load(ctx, &t, FILE_NAME), PRI_OK);
  pri_tensors_destroy(ctx, &t);
  assert_int_equal(pri_tensors_load(ctx, &t, "no-such.prior"), PRI_EREAD);
  pri_ctx_destroy(&ctx);
  remove(FILE_NAME);
}

/* every prefix of a good file, and every byte of it changed: refused, or read as another good file */
static void damaged(void **state) {
  (void)state;
  static unsigned char good[4096], bytes[4096];
  struct numbers v;
  pri_tensors *t;
  pri_ctx *ctx = open_ctx();
  draw(&v);
  write_prior(ctx, &v, card, 4);
  FILE *f = fopen(FILE_NAME, "rb");
  const size_t n = fread(good, 1, sizeof good, f);
  fclose(f);
  for (size_t k = 0; k < n; k += k < 400 ? 1 : 37) {
    put(good, k);
    const pri_status s = pri_tensors_load(ctx, &t, FILE_NAME);
    assert_int_equal(s, PRI_EFORMAT);
  }
  for (size_t k = 0; k < n && k < 420; k++) {
    memcpy(bytes, good, n);
    bytes[k] ^= (unsigned char)(1u << k % 8);
    put(bytes, n);
    const pri_status s = pri_tensors_load(ctx, &t, FILE_NAME);
    assert_true(s == PRI_OK || s == PRI_EFORMAT);
    pri_tensors_destroy(ctx, &t);
    assert_int_equal(pri_ctx_memory_used(ctx), 0);
  }
  pri_ctx_destroy(&ctx);
  remove(FILE_NAME);
}

static void wrong_contents(void **state) {
  (void)state;
  static const char *const other[] = {"kind", "network", NULL}, *const potential[] = {"kind", "foe", "potential", "student-t", NULL};
  struct numbers v;
  pri_ctx *ctx = open_ctx();
  draw(&v);
  write_prior(ctx, &v, other, 4), refused(ctx, PRI_EFORMAT);
  write_prior(ctx, &v, potential, 4), refused(ctx, PRI_EFORMAT);
  write_prior(ctx, &v, NULL, 4), refused(ctx, PRI_EFORMAT);
  write_prior(ctx, &v, card, 3), refused(ctx, PRI_EFORMAT);
  v.taps[5] = NAN, write_prior(ctx, &v, card, 4), refused(ctx, PRI_EDATA);
  draw(&v), v.smoothings[1] = INFINITY, write_prior(ctx, &v, card, 4), refused(ctx, PRI_EDATA);
  draw(&v), v.weights[0] = 700, write_prior(ctx, &v, card, 4), refused(ctx, PRI_EDATA);
  draw(&v), memset(v.taps, 0, sizeof v.taps), write_prior(ctx, &v, card, 4), refused(ctx, PRI_EDATA);
  pri_ctx_destroy(&ctx);
  remove(FILE_NAME);
}

static double value_of(pri_ctx *ctx, const char *spec, const pri_real *x) {
  const pri_shape dom = {2, {NY, NX}};
  const void *priv;
  pri_prior *R;
  double at;
  assert_int_equal(pri_prior_create(ctx, &R, spec, NULL, &dom), PRI_OK);
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  assert_int_equal(c->variational->value(ctx, priv, &at, x, 1, pri_prior_scratch(R)), PRI_OK);
  pri_prior_destroy(&R);
  return at;
}

/* R(x) = range^2 R_1(x / range), for both potentials; log by its definition on the 8 cosines' first response */
static void ranges_and_log(void **state) {
  (void)state;
  pri_real x[N], small[N];
  pri_ctx *ctx = open_ctx();
  pri_rng_normal(1, "x", 0, x, N);
  for (int i = 0; i < N; i++) x[i] = (pri_real)rint(64 * (double)x[i]) / 64, small[i] = x[i] / 4; /* exact in float too */
  const double a = value_of(ctx, "foe:smoothing=0.25,weight=2", small), b = value_of(ctx, "foe:smoothing=0.25,weight=2,range=4", x);
  assert_true(fabs(b - 16 * a) <= 1e-12 * b);
  const double c = value_of(ctx, "foe:smoothing=0.25,potential=log", small), d = value_of(ctx, "foe:smoothing=0.25,potential=log,range=4", x);
  assert_true(fabs(d - 16 * c) <= 1e-12 * d && c > 0);
  double sum = 0;
  for (int y = 0; y < NY; y++)
    for (int z = 0; z < NX; z++) { /* past the last row and column stands the last again */
      const int below = y + 1 < NY ? y + 1 : y, c_ = z + 1 < NX ? z + 1 : z;
      const double p = (double)x[y * NX + z], q = (double)x[y * NX + c_], r = (double)x[below * NX + z], s = (double)x[below * NX + c_];
      const double t[3] = {(p - q + r - s) / 2, (p + q - r - s) / 2, (p - q - r + s) / 2}; /* cosines of 2 x 2 */
      for (int k = 0; k < 3; k++) sum += 0.09 / 2 * log1p(t[k] * t[k] / 0.09);
    }
  assert_true(fabs(value_of(ctx, "foe:size=2,smoothing=0.3,potential=log", x) - sum) <= 1e-12 * sum);
  pri_ctx_destroy(&ctx);
}

static void beginnings(void **state) {
  (void)state;
  const pri_shape dom = {2, {NY, NX}};
  pri_prior *R;
  char *spec;
  pri_ctx *ctx = open_ctx();
  static const char *const bad[] = {"foe:filters=9,size=3", "foe:size=32", "foe:filters=0", "foe:init=zeros", "foe:potential=student", "foe:range=0"};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) assert_int_equal(pri_prior_create(ctx, &R, bad[k], NULL, &dom), PRI_EPARAM);
  assert_int_equal(pri_prior_create(ctx, &R, "foe:init=random,size=5", NULL, &dom), PRI_OK);
  const void *priv;
  static double theta[1 + 48 * 27];
  const pri_learnable *l = pri_prior_class_of(R, &priv)->learnable;
  assert_int_equal(l->ntheta(priv), 1 + 48 * 27);
  l->get_theta(priv, theta);
  assert_true(theta[0] == 0 && theta[1] == -3 && fabs(theta[49] + 3.5) <= 1e-12);
  for (int k = 0; k < 48; k++) { /* of zero mean */
    double mean = 0;
    for (int u = 0; u < 25; u++) mean += theta[97 + 25 * k + u];
    assert_true(fabs(mean) <= 1e-14);
  }
  assert_int_equal(pri_prior_print(R, &spec), PRI_OK);
  assert_non_null(strstr(spec, "filters=48"));
  pri_free(ctx, spec);
  pri_prior_destroy(&R);
  assert_int_equal(pri_prior_create(ctx, &R, "foe:potential=log", NULL, &dom), PRI_OK); /* not convex: no saddle, no proven modulus */
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  pri_bound mu, other[4];
  assert_int_equal(c->learnable->constants(priv, &mu, &other[0], &other[1], &other[2], &other[3]), PRI_OK);
  assert_true(c->saddle == NULL && c->variational->convexity(priv).trust == PRI_UNKNOWN && mu.trust < PRI_PROVEN && mu.value < 0);
  pri_prior_destroy(&R);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static int mirrored(int i, int n) {
  while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
  return i;
}

static double direct(const struct numbers *v, const pri_real *x) { /* the definition */
  double sum = 0;
  for (int k = 0; k < K; k++)
    for (int y = 0; y < NY; y++)
      for (int z = 0; z < NX; z++) {
        double t = 0;
        for (int u = 0; u < SIDE * SIDE; u++)
          t += v->taps[k * SIDE * SIDE + u] * (double)x[mirrored(y + u / SIDE - (SIDE - 1) / 2, NY) * NX + mirrored(z + u % SIDE - (SIDE - 1) / 2, NX)];
        const double nu = exp(v->smoothings[k]);
        sum += exp(v->scale[0] + v->weights[k]) * (sqrt(t * t + nu * nu) - nu);
      }
  return 0.7 * sum;
}

static void values(void **state) {
  (void)state;
  struct numbers v;
  pri_prior *R;
  const void *priv;
  pri_real x[N], d[N], g[N], up[N], down[N], q[K * N];
  double at, plus, minus, conj, field, dot = 0, miss[2];
  pri_ctx *ctx = open_ctx();
  draw(&v);
  write_prior(ctx, &v, card, 4);
  assert_int_equal(create(ctx, &R), PRI_OK);
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  const pri_variational *f = c->variational;
  pri_rng_normal(1, "x", 0, x, N), pri_rng_normal(1, "d", 0, d, N);
  assert_int_equal(f->value(ctx, priv, &at, x, 1, pri_prior_scratch(R)), PRI_OK);
  assert_true(fabs(at - direct(&v, x)) <= 1e-12 * at);
  assert_int_equal(f->grad(ctx, priv, g, x, 1, pri_prior_scratch(R)), PRI_OK);
  for (int i = 0; i < N; i++) dot += (double)g[i] * (double)d[i];
  for (int k = 0; k < 2; k++) { /* central differences: halving the step quarters the error */
    const double h = 0.05 / (k + 1);
    for (int i = 0; i < N; i++) up[i] = (pri_real)((double)x[i] + h * (double)d[i]), down[i] = (pri_real)((double)x[i] - h * (double)d[i]);
    assert_int_equal(f->value(ctx, priv, &plus, up, 1, pri_prior_scratch(R)), PRI_OK);
    assert_int_equal(f->value(ctx, priv, &minus, down, 1, pri_prior_scratch(R)), PRI_OK);
    miss[k] = fabs((plus - minus) / (2 * h) - dot);
  }
  assert_true(miss[0] > 100 * ROUND * at && miss[1] <= miss[0] / 3.5 + 20 * ROUND * at / 0.025);
  /* Fenchel: equality at q = F'(K x), which the prox of a large step returns */
  assert_int_equal(c->saddle->k(ctx, priv, q, x, NULL, 1), PRI_OK);
  memset(g, 0, sizeof g), dot = 0;
  for (int i = 0; i < K * N; i++) q[i] *= (pri_real)1e6;
  assert_int_equal(c->saddle->dual_prox(ctx, priv, q, 1e6, NULL, 1), PRI_OK);
  assert_int_equal(c->saddle->conjugate(ctx, priv, &conj, q, 1), PRI_OK);
  assert_int_equal(c->saddle->kt(ctx, priv, g, NULL, q, 1), PRI_OK);
  for (int i = 0; i < N; i++) dot += (double)g[i] * (double)x[i];
  field = dot - conj;
  assert_true(fabs(field - at) <= 1e-5 * at); /* the step is 1e6, not infinite; q rounded */
  pri_prior_destroy(&R);
  pri_ctx_destroy(&ctx);
  remove(FILE_NAME);
}

/* power iteration stays below the proven norm, which is twice (the mirror) what it would be without borders, within the 4 % of Ehlich and Zeller's factor */
static void norm(void **state) {
  (void)state;
  const pri_shape dom = {2, {40, 40}};
  enum { BIG = 1600 };
  static pri_real x[BIG], y[BIG], q[K * BIG];
  struct numbers v;
  pri_prior *R;
  const void *priv;
  pri_shape aux, dual;
  pri_bound b;
  double size = 0;
  pri_ctx *ctx = open_ctx();
  draw(&v);
  write_prior(ctx, &v, card, 4);
  assert_int_equal(pri_prior_create(ctx, &R, "foe:" FILE_NAME, NULL, &dom), PRI_OK);
  const pri_saddle *s = pri_prior_class_of(R, &priv)->saddle;
  assert_int_equal(s->shapes(priv, &aux, &dual, &b), PRI_OK);
  pri_rng_normal(1, "x", 0, x, BIG);
  for (int k = 0; k < 100; k++) {
    size = 0;
    memset(y, 0, sizeof y);
    assert_int_equal(s->k(ctx, priv, q, x, NULL, 1), PRI_OK);
    assert_int_equal(s->kt(ctx, priv, y, NULL, q, 1), PRI_OK);
    for (int i = 0; i < BIG; i++) size += (double)y[i] * (double)y[i];
    size = sqrt(size);
    for (int i = 0; i < BIG; i++) x[i] = (pri_real)((double)y[i] / size);
  }
  assert_true(sqrt(size) <= b.value * (1 + ROUND) && sqrt(size) >= 0.85 * b.value / 2);
  pri_prior_destroy(&R);
  pri_ctx_destroy(&ctx);
  remove(FILE_NAME);
}

int unit_foe(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(hostile_headers), cmocka_unit_test(damaged), cmocka_unit_test(wrong_contents),
                                     cmocka_unit_test(values), cmocka_unit_test(ranges_and_log), cmocka_unit_test(beginnings), cmocka_unit_test(norm)};
  return cmocka_run_group_tests_name("unit_foe", tests, NULL, NULL);
}
