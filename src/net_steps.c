/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_steps.c - see net_steps.h. Sums of a tile stay in registers: rows x 3 vectors, so that a vector of pixels is loaded once for `rows` multiply-adds and
 * a weight once for 3.
 */
#include "net_steps.h"
#include <string.h>
#if defined(__AVX2__) && !defined(PRI_DOUBLE)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && !defined(PRI_DOUBLE)
enum { BYTES = 64, ROWS = 8 };
#define LEVEL avx512
#elif defined(__AVX2__) && !defined(PRI_DOUBLE)
enum { BYTES = 32, ROWS = 4 };
#define LEVEL avx2
#else
enum { BYTES = 16, ROWS = 4 };
#define LEVEL c
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define INLINE static inline __attribute__((always_inline))

typedef pri_real lanes __attribute__((vector_size(BYTES)));
enum { LANES = BYTES / sizeof(pri_real), VECTORS = PRI_NET_VECTORS, TILE = VECTORS * LANES, OUTER = PRI_NET_OUTER };

INLINE lanes load(const pri_real *p) {
  lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(pri_real *p, lanes v) { memcpy(p, &v, sizeof v); }

#if defined(__AVX512F__) && !defined(PRI_DOUBLE)
INLINE lanes all(pri_real a) { return (lanes)_mm512_set1_ps(a); }
INLINE lanes fma_(lanes a, lanes b, lanes c) { return (lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
INLINE lanes positive(lanes v, lanes y) { return (lanes)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)y, _mm512_setzero_ps(), _CMP_GT_OQ), (__m512)v); }
INLINE pri_real total(lanes v) { return _mm512_reduce_add_ps((__m512)v); }
INLINE lanes load_part(const pri_real *p, ptrdiff_t n) { return (lanes)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
INLINE void store_part(pri_real *p, lanes v, ptrdiff_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v); }
#define PARTS 1
#elif defined(__AVX2__) && !defined(PRI_DOUBLE)
INLINE lanes all(pri_real a) { return (lanes)_mm256_set1_ps(a); }
INLINE lanes fma_(lanes a, lanes b, lanes c) { return (lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
INLINE lanes positive(lanes v, lanes y) { return (lanes)_mm256_and_ps((__m256)v, _mm256_cmp_ps((__m256)y, _mm256_setzero_ps(), _CMP_GT_OQ)); }
INLINE pri_real total(lanes v) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1)), two = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
#else
INLINE lanes all(pri_real a) { return a - (lanes){0}; }
INLINE lanes fma_(lanes a, lanes b, lanes c) { return a * b + c; }
INLINE lanes positive(lanes v, lanes y) {
  for (int i = 0; i < (int)(BYTES / sizeof(pri_real)); i++) v[i] = y[i] > 0 ? v[i] : 0;
  return v;
}
INLINE pri_real total(lanes v) {
  pri_real sum = 0;
  for (int i = 0; i < (int)(BYTES / sizeof(pri_real)); i++) sum += v[i];
  return sum;
}
#endif

#ifndef PARTS /* the first n lanes, n < LANES */
INLINE lanes load_part(const pri_real *p, ptrdiff_t n) {
  lanes v = {0};
  for (ptrdiff_t i = 0; i < n; i++) v[i] = p[i];
  return v;
}
INLINE void store_part(pri_real *p, lanes v, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) p[i] = v[i];
}
#endif

#if defined(__AVX512F__) && !defined(PRI_DOUBLE)
#define KEEP(v) __asm__("" : "+v"(v)) /* in a register: as an operand of each multiply-add it would be loaded for each */
#elif defined(__AVX2__) && !defined(PRI_DOUBLE)
#define KEEP(v) __asm__("" : "+x"(v))
#else
#define KEEP(v) ((void)0)
#endif

INLINE void gather_rows(pri_real *y, const pri_real *w, const pri_real *x, ptrdiff_t plane, ptrdiff_t planes, const ptrdiff_t *off, int taps, const int rows) {
  lanes sum[ROWS][VECTORS] = {{{0}}};
  for (ptrdiff_t p = 0; p < planes; p++, x += plane)
    for (int t = 0; t < taps; t++, w += rows) {
      const pri_real *from = x + off[t];
      lanes in[VECTORS];
#pragma GCC unroll 3
      for (int v = 0; v < VECTORS; v++) in[v] = load(from + v * LANES);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) {
        lanes a = all(w[r]);
        KEEP(a);
#pragma GCC unroll 3
        for (int v = 0; v < VECTORS; v++) sum[r][v] = fma_(a, in[v], sum[r][v]);
      }
    }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++) store(y + r * TILE + v * LANES, sum[r][v]);
}

static void gather(pri_real *y, const pri_real *w, const pri_real *x, ptrdiff_t plane, ptrdiff_t planes, const ptrdiff_t *off, int taps, int rows) {
  switch (rows) {
    case 1: gather_rows(y, w, x, plane, planes, off, taps, 1); break;
    case 2: gather_rows(y, w, x, plane, planes, off, taps, 2); break;
    case 4: gather_rows(y, w, x, plane, planes, off, taps, 4); break;
    default: gather_rows(y, w, x, plane, planes, off, taps, ROWS);
  }
}

INLINE void outer_rows(pri_real *s, const pri_real *g, ptrdiff_t pitch, const pri_real *const *x, ptrdiff_t n, const int rows) {
  const pri_real *x0 = x[0], *x1 = x[1], *x2 = x[2];
  lanes sum[ROWS][OUTER] = {{{0}}};
  for (ptrdiff_t q = 0; q < n; q += LANES) {
    const lanes a = load(x0 + q), b = load(x1 + q), c = load(x2 + q);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      lanes v = load(g + r * pitch + q);
      KEEP(v);
      sum[r][0] = fma_(v, a, sum[r][0]), sum[r][1] = fma_(v, b, sum[r][1]), sum[r][2] = fma_(v, c, sum[r][2]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 3
    for (int k = 0; k < OUTER; k++) s[r * OUTER + k] += total(sum[r][k]);
}

static void outer(pri_real *s, const pri_real *g, ptrdiff_t pitch, const pri_real *const *x, ptrdiff_t n, int rows) {
  switch (rows) {
    case 1: outer_rows(s, g, pitch, x, n, 1); break;
    case 2: outer_rows(s, g, pitch, x, n, 2); break;
    case 4: outer_rows(s, g, pitch, x, n, 4); break;
    default: outer_rows(s, g, pitch, x, n, ROWS);
  }
}

/* ---- runs of pixels; the rest of a run is one vector as well, so that roundings are the same wherever it ends */

static void copy(pri_real *to, const pri_real *from, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) store(to + i, load(from + i));
  if (i < n) store_part(to + i, load_part(from + i, n - i), n - i);
}

static void put(pri_real *to, const pri_real *from, ptrdiff_t n, pri_real shift, int relu, int add) {
  const lanes b = all(shift);
  ptrdiff_t i = 0;
  for (; add && i + LANES <= n; i += LANES) store(to + i, load(to + i) + load(from + i));
  for (; relu && i + LANES <= n; i += LANES) {
    const lanes v = load(from + i) + b;
    store(to + i, positive(v, v));
  }
  for (; i + LANES <= n; i += LANES) store(to + i, load(from + i) + b);
  if (i == n) return;
  const lanes v = load_part(from + i, n - i);
  store_part(to + i, add ? load_part(to + i, n - i) + v : relu ? positive(v + b, v + b) : v + b, n - i);
}

static void mask(pri_real *g, const pri_real *y, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) store(g + i, positive(load(g + i), load(y + i)));
  if (i < n) store_part(g + i, positive(load_part(g + i, n - i), load_part(y + i, n - i)), n - i);
}

static void line(pri_real *to, const pri_real *x, const pri_real *y, ptrdiff_t n, pri_real a, pri_real b, pri_real m, pri_real c, int add) {
  const lanes A = all(a), B = all(b), M = all(m), C = all(c);
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const lanes v = fma_(A, load(x + i), y ? fma_(B, load(y + i) - M, C) : C);
    store(to + i, add ? load(to + i) + v : v);
  }
  if (i == n) return;
  const lanes v = fma_(A, load_part(x + i, n - i), y ? fma_(B, load_part(y + i, n - i) - M, C) : C);
  store_part(to + i, add ? load_part(to + i, n - i) + v : v, n - i);
}

typedef double wide __attribute__((vector_size(8 * sizeof(double))));
typedef pri_real narrow __attribute__((vector_size(8 * sizeof(pri_real))));

static void sums(double *s, const pri_real *x, const pri_real *g, ptrdiff_t n, double c) {
  wide first = {0}, second = {0};
  ptrdiff_t i = 0;
  for (; i + 8 <= n; i += 8) {
    narrow u, v;
    memcpy(&u, x + i, sizeof u);
    memcpy(&v, g ? g + i : x + i, sizeof v);
    const wide d = __builtin_convertvector(u, wide) - c, w = g ? __builtin_convertvector(v, wide) : d;
    first += w, second += w * d;
  }
  for (int k = 0; i < n; i++, k++) {
    const double d = (double)x[i] - c, v = g ? (double)g[i] : d;
    first[k] += v, second[k] += v * d;
  }
  for (int k = 0; k < 8; k++) s[0] += first[k], s[1] += second[k];
}

const pri_net_kernels JOIN(pri_net_kernels_, LEVEL) = {TEXT(LEVEL), LANES, ROWS, TILE, gather, copy, put, mask, line, sums, outer};
