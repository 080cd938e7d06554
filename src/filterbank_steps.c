/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filterbank_steps.c - see filterbank_steps.h. Sums of a tile stay in registers: FILTERS x 3 vectors forward, WIDTH x 3 back, so that a vector of
 * pixels is loaded once for FILTERS multiply-adds and a tap once for 3. Read by filterbank_steps_float.c once more.
 */
#include "filterbank_steps.h"
#include <math.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifdef PRI_BANK_FLOAT
typedef float elem;
#define TYPE float
#define MOST 1e18f /* its square is finite */
#define ROOT sqrtf
#else
typedef double elem;
#define TYPE double
#define MOST 1e150
#define ROOT sqrt
#endif
#if defined(__AVX512F__)
enum { BYTES = 64, FILTERS = 8, WIDTH = 7, OUTER = 3 };
#define LEVEL avx512
#elif defined(__AVX2__)
enum { BYTES = 32, FILTERS = 4, WIDTH = 4, OUTER = 1 };
#define LEVEL avx2
#else
enum { BYTES = 16, FILTERS = 4, WIDTH = 4, OUTER = 1 };
#define LEVEL c
#endif
#define JOIN_(a, b, c) a##b##_##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

typedef elem lanes __attribute__((vector_size(BYTES)));
enum { LANES = BYTES / sizeof(elem), VECTORS = PRI_BANK_VECTORS, PITCH = VECTORS * LANES };

static inline lanes load(const elem *p) {
  lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline void store(elem *p, lanes v) { memcpy(p, &v, sizeof v); }

#if defined(__AVX512F__) && defined(PRI_BANK_FLOAT)
static inline lanes all(elem a) { return (lanes)_mm512_set1_ps(a); }
static inline lanes fma_(lanes a, lanes b, lanes c) { return (lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
#elif defined(__AVX512F__)
static inline lanes all(elem a) { return (lanes)_mm512_set1_pd(a); }
static inline lanes fma_(lanes a, lanes b, lanes c) { return (lanes)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
#elif defined(__AVX2__) && defined(PRI_BANK_FLOAT)
static inline lanes all(elem a) { return (lanes)_mm256_set1_ps(a); }
static inline lanes fma_(lanes a, lanes b, lanes c) { return (lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
#elif defined(__AVX2__)
static inline lanes all(elem a) { return (lanes)_mm256_set1_pd(a); }
static inline lanes fma_(lanes a, lanes b, lanes c) { return (lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
#else
static inline lanes all(elem a) { return a - (lanes){0}; }
static inline lanes fma_(lanes a, lanes b, lanes c) { return a * b + c; }
#endif
#define INLINE static inline __attribute__((always_inline))

/* ---- forward: one group of filters */

INLINE void forward_group(elem *r, const elem *c, const elem *const *rows, int side, const int vectors) {
  lanes sum[FILTERS][VECTORS] = {{{0}}};
  for (int y = 0; y < side; y++)
    for (const elem *x = rows[y], *end = x + side; x < end; x++, c += FILTERS) {
      lanes in[VECTORS];
#pragma GCC unroll 3
      for (int v = 0; v < vectors; v++) in[v] = load(x + v * LANES);
#pragma GCC unroll 8
      for (int f = 0; f < FILTERS; f++) {
        const lanes tap = all(c[f]);
#pragma GCC unroll 3
        for (int v = 0; v < vectors; v++) sum[f][v] = fma_(tap, in[v], sum[f][v]);
      }
    }
#pragma GCC unroll 8
  for (int f = 0; f < FILTERS; f++)
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) store(r + f * PITCH + v * LANES, sum[f][v]);
}

static void forward(void *r, const void *taps, const void *const *rows, int groups, int side, int vectors) {
  const elem *c = taps, *at[PRI_BANK_SIDE];
  elem *to = r;
  for (int y = 0; y < side; y++) at[y] = rows[y];
  for (int g = 0; g < groups; g++, c += side * side * FILTERS, to += FILTERS * PITCH)
    switch (vectors) {
      case 1: forward_group(to, c, at, side, 1); break;
      case 2: forward_group(to, c, at, side, 2); break;
      default: forward_group(to, c, at, side, VECTORS);
    }
}

/* ---- backward: a piece of a row of every filter */

INLINE void backward_piece(elem *sums, ptrdiff_t pitch, const elem *c, const elem *r, int count, const int width, const int vectors) {
  lanes sum[PRI_BANK_WIDEST][VECTORS];
#pragma GCC unroll 7
  for (int u = 0; u < width; u++)
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) sum[u][v] = load(sums + u * pitch + v * LANES);
  for (int k = 0; k < count; k++, c += width, r += PITCH) {
    lanes in[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) in[v] = load(r + v * LANES);
#pragma GCC unroll 7
    for (int u = 0; u < width; u++) {
      const lanes tap = all(c[u]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; v++) sum[u][v] = fma_(tap, in[v], sum[u][v]);
    }
  }
#pragma GCC unroll 7
  for (int u = 0; u < width; u++)
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) store(sums + u * pitch + v * LANES, sum[u][v]);
}

INLINE void backward_any(elem *sums, ptrdiff_t pitch, const elem *c, const elem *r, int count, const int width, int vectors) {
  switch (vectors) {
    case 1: backward_piece(sums, pitch, c, r, count, width, 1); break;
    case 2: backward_piece(sums, pitch, c, r, count, width, 2); break;
    default: backward_piece(sums, pitch, c, r, count, width, VECTORS);
  }
}

static void backward(void *sums, ptrdiff_t pitch, const void *taps, const void *r, int count, int width, int vectors) {
  switch (width) {
    case 1: backward_any(sums, pitch, taps, r, count, 1, vectors); break;
    case 2: backward_any(sums, pitch, taps, r, count, 2, vectors); break;
    case 3: backward_any(sums, pitch, taps, r, count, 3, vectors); break;
    case 4: backward_any(sums, pitch, taps, r, count, 4, vectors); break;
    case 5: backward_any(sums, pitch, taps, r, count, WIDTH < 5 ? WIDTH : 5, vectors); break;
    case 6: backward_any(sums, pitch, taps, r, count, WIDTH < 6 ? WIDTH : 6, vectors); break;
    default: backward_any(sums, pitch, taps, r, count, WIDTH, vectors);
  }
}

/* ---- outer: `filters` of them, whose p and q stay in registers */

INLINE void outer_group(elem *sums, const elem *p, const elem *x, const elem *q, const elem *z, const int filters, ptrdiff_t pieces, int width, int vectors) {
  lanes a[OUTER][VECTORS] = {{{0}}}, b[OUTER][VECTORS] = {{{0}}};
#pragma GCC unroll 3
  for (int f = 0; f < filters; f++)
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++)
      if (v < vectors) a[f][v] = load(p + f * PITCH + v * LANES), b[f][v] = load(q + f * PITCH + v * LANES);
  for (int u = 0; u < width; u++, x++, z++) {
    lanes in[VECTORS], on[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++) in[v] = load(x + v * LANES), on[v] = load(z + v * LANES); /* p, q are 0 beyond */
#pragma GCC unroll 3
    for (int f = 0; f < filters; f++) {
      elem *to = sums + (f * pieces + u) * LANES;
      lanes s = load(to);
#pragma GCC unroll 3
      for (int v = 0; v < VECTORS; v++) s = fma_(b[f][v], on[v], fma_(a[f][v], in[v], s));
      store(to, s);
    }
  }
}

static void outer(void *sums, const void *p, const void *x, const void *q, const void *z, int count, int pieces, int width, int vectors) {
  const elem *a = p, *b = q;
  elem *to = sums;
  int k = 0;
  for (; k + OUTER <= count; k += OUTER, a += OUTER * PITCH, b += OUTER * PITCH, to += OUTER * pieces * LANES)
    outer_group(to, a, x, b, z, OUTER, pieces, width, vectors);
  for (; k < count; k++, a += PITCH, b += PITCH, to += pieces * LANES) outer_group(to, a, x, b, z, 1, pieces, width, vectors);
}

/* ---- elements */

INLINE elem bounded(elem z) { return z > MOST ? MOST : z < -MOST ? -MOST : z; }

#if defined(__AVX512F__)
/* 1 / root(s), s >= 1, by two steps of Newton (float: one) from 14 bits: 2 ulp */
INLINE lanes inverse_root(lanes s) {
#ifdef PRI_BANK_FLOAT
  lanes y = (lanes)_mm512_rsqrt14_ps((__m512)s);
#else
  lanes y = (lanes)_mm512_rsqrt14_pd((__m512d)s);
  y = fma_((lanes)all((elem)0.5) * y, fma_(-s * y, y, all(1)), y);
#endif
  return fma_(all((elem)0.5) * y, fma_(-s * y, y, all(1)), y);
}
#ifdef PRI_BANK_FLOAT
INLINE lanes clamped(lanes z) { return (lanes)_mm512_max_ps((__m512)all(-MOST), _mm512_min_ps((__m512)all(MOST), (__m512)z)); } /* NaN stays */
#else
INLINE lanes clamped(lanes z) { return (lanes)_mm512_max_pd((__m512d)all(-MOST), _mm512_min_pd((__m512d)all(MOST), (__m512d)z)); }
#endif
#define MAP_LANES(body)                                  \
  for (; n >= LANES; n -= LANES, t += LANES) {           \
    const lanes z = clamped(a * load(t)), s = fma_(z, z, one), h = inverse_root(s); \
    (void)z, (void)h, (void)b;                           \
    store(t, body);                                      \
  }
#else
#define MAP_LANES(body)
#endif
/* vector: of z, s = 1 + z^2, h = 1 / root(s), b = gain;  scalar: of z, s, gain */
#define MAP(name, vector, scalar)                                             \
  static void name(void *r, ptrdiff_t n, double scale_, double gain_) {       \
    elem *t = r;                                                              \
    const elem scale = (elem)scale_, gain = (elem)gain_;                      \
    const lanes a = all(scale), b = all(gain), one = all(1);                  \
    (void)a, (void)b, (void)one;                                              \
    MAP_LANES(vector)                                                         \
    for (ptrdiff_t i = 0; i < n; i++) {                                       \
      const elem z = bounded(scale * t[i]), s = 1 + z * z;                    \
      t[i] = scalar;                                                          \
    }                                                                         \
  }
MAP(root_slope, b *z *h, gain *z / ROOT(s))
MAP(root_curve, b *h *h *h, gain / (s * ROOT(s)))
MAP(log_slope, b *z *h *h, gain *z / s)
MAP(log_curve, b *(one + one - s) * (h * h) * (h * h), gain *(2 - s) / (s * s))

static void times(void *r, const void *h, ptrdiff_t n) {
  elem *t = r;
  const elem *c = h;
  const ptrdiff_t ahead = n;
  for (; n >= PITCH; n -= PITCH, t += PITCH, c += PITCH) {
    for (int v = 0; v < VECTORS; v++) PRI_BANK_WARM(c + ahead + v * LANES);
    for (int v = 0; v < VECTORS; v++) store(t + v * LANES, load(t + v * LANES) * load(c + v * LANES));
  }
  for (ptrdiff_t i = 0; i < n; i++) t[i] *= c[i];
}

const pri_bank_kernels JOIN(pri_bank_, TYPE, LEVEL) = {
    .name = TEXT(LEVEL), .size = sizeof(elem), .lanes = LANES, .filters = FILTERS, .width = WIDTH, .forward = forward, .backward = backward, .outer = outer,
    .map = {root_slope, root_curve, log_slope, log_curve}, .times = times};
