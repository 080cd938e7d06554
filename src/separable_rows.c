/* SPDX-License-Identifier: GPL-3.0-or-later */
/* separable_rows.c - a weighted sum of rows, four vectors of columns in registers at a time; compiled once a level of SIMD. */
#include "separable.h"
#include <string.h>

#if defined(__AVX512F__) && !defined(PRI_DOUBLE)
#define ROWS pri_weighted_rows_avx512
#elif defined(__AVX2__) && !defined(PRI_DOUBLE)
#define ROWS pri_weighted_rows_avx2
#else
#define ROWS pri_weighted_rows_c
#endif

#if defined(__GNUC__) || defined(__clang__)
#if defined(__AVX512F__)
#define WIDTH 64
#elif defined(__AVX2__)
#define WIDTH 32
#else
#define WIDTH 16
#endif
typedef pri_real lanes __attribute__((vector_size(WIDTH)));
enum { LANES = sizeof(lanes) / sizeof(pri_real), BLOCK = 4 * LANES };

static inline lanes load(const pri_real *p) { /* rows begin anywhere */
  lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}

static void block(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t i) {
  lanes a = {0}, b = {0}, c = {0}, d = {0};
  for (int t = 0; t < m; t++) {
    const pri_real *row = rows[t] + i, f = w[t];
    a += f * load(row);
    b += f * load(row + LANES);
    c += f * load(row + 2 * LANES);
    d += f * load(row + 3 * LANES);
  }
  memcpy(out + i, &a, sizeof a);
  memcpy(out + i + LANES, &b, sizeof b);
  memcpy(out + i + 2 * LANES, &c, sizeof c);
  memcpy(out + i + 3 * LANES, &d, sizeof d);
}

static void one(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t i) {
  lanes a = {0};
  for (int t = 0; t < m; t++) a += w[t] * load(rows[t] + i);
  memcpy(out + i, &a, sizeof a);
}
#else
enum { LANES = 1, BLOCK = 16 };

static void block(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t i) {
  pri_real sum[BLOCK] = {0};
  for (int t = 0; t < m; t++)
    for (int l = 0; l < BLOCK; l++) sum[l] += w[t] * rows[t][i + l];
  memcpy(out + i, sum, sizeof sum);
}

static void one(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t i) {
  pri_real sum = 0;
  for (int t = 0; t < m; t++) sum += w[t] * rows[t][i];
  out[i] = sum;
}
#endif

void ROWS(pri_real *out, const pri_real *const *rows, const pri_real *w, int m, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + BLOCK <= n; i += BLOCK) block(out, rows, w, m, i);
  for (; i + LANES <= n; i += LANES) one(out, rows, w, m, i);
  for (; i < n; i++) {
    pri_real sum = 0;
    for (int t = 0; t < m; t++) sum += w[t] * rows[t][i];
    out[i] = sum;
  }
}
