/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_window.h (k) - windows of 32 pixels (or bins) of the AVX-512 kernels. Sixteen positions P_j(l) = A_j + B_j l, bounded by those of two end
 * lanes, stay inside a window for a number of lines; the window begins at the least of them and is clamped into the padding, where all of
 * them read zeros.
 */
#ifndef PRI_RAYS_WINDOW_H
#define PRI_RAYS_WINDOW_H
#include <immintrin.h>
#include "rays_plan.h"

struct pri_ends {
  int64_t A[2], B[2]; /* units of 2^-27 */
  int low, high;      /* end lanes */
};

static inline struct pri_ends pri_ends_of(const int64_t *A, const int32_t *B, unsigned lanes) {
  const int low = __builtin_ctz(lanes), high = 31 - __builtin_clz(lanes);
  return (struct pri_ends){{A[low], A[high]}, {B[low], B[high]}, low, high};
}

/* The lines (as an interval, never too short) where an end lies below `limit`, or above it. */
static inline void pri_window_half(const struct pri_ends *e, double limit, int above, ptrdiff_t count, ptrdiff_t *first, ptrdiff_t *last) {
  double f = (double)count, l = 0;
  for (int k = 0; k < 2; k++) {
    const double A = (double)e->A[k], B = (double)e->B[k];
    if (B == 0) {
      if (above ? A > limit : A < limit) f = 0, l = (double)count;
      continue;
    }
    const double at = (limit - A) / B; /* rising: below before it, above behind it */
    if ((B > 0) == !above)
      f = 0, l = at + 2 > l ? at + 2 : l;
    else
      l = (double)count, f = at - 1 < f ? at - 1 : f;
  }
  *first = f < 0 ? 0 : f > (double)count ? count : (ptrdiff_t)f;
  *last = l < 0 ? 0 : l > (double)count ? count : (ptrdiff_t)l;
}

/* Widens [*first, *last) by the lines where some position lies in (-1, length). */
static inline void pri_window_lines(const struct pri_ends *e, const pri_ray_lines *n, ptrdiff_t *first, ptrdiff_t *last) {
  const double one = (double)(1 << PRI_BITS);
  ptrdiff_t f0, l0, f1, l1;
  pri_window_half(e, (double)n->length * one, 0, n->count, &f0, &l0);
  pri_window_half(e, -one, 1, n->count, &f1, &l1);
  if (f1 > f0) f0 = f1;
  if (l1 < l0) l0 = l1;
  if (f0 >= l0) return;
  if (f0 < *first) *first = f0;
  if (l0 > *last) *last = l0;
}

/* Lines that a window lasts anywhere in [first, last); < 1: it is too small. */
static inline ptrdiff_t pri_window_depth(const struct pri_ends *e, ptrdiff_t first, ptrdiff_t last) {
  const double A = (double)(e->A[1] - e->A[0]), B = (double)(e->B[1] - e->B[0]), unit = 1.0 / (1 << PRI_BITS);
  const double s0 = A + B * (double)first, s1 = A + B * (double)(last - 1), b0 = (double)e->B[0], b1 = (double)e->B[1];
  const double a0 = s0 < 0 ? -s0 : s0, a1 = s1 < 0 ? -s1 : s1, c0 = b0 < 0 ? -b0 : b0, c1 = b1 < 0 ? -b1 : b1;
  const double room = 29.9 - (a0 > a1 ? a0 : a1) * unit, slope = (c0 > c1 ? c0 : c1) * unit;
  if (room < 0) return 0;
  return room > slope * (double)(last - first) ? last - first : (ptrdiff_t)(room / slope) + 1;
}

static inline ptrdiff_t pri_window_base(const struct pri_ends *e, ptrdiff_t length, ptrdiff_t line, ptrdiff_t lines) {
  const int64_t a = e->A[0] + line * e->B[0], b = e->A[1] + line * e->B[1], c = a + (lines - 1) * e->B[0], d = b + (lines - 1) * e->B[1];
  const int64_t x = a < b ? a : b, y = c < d ? c : d;
  const ptrdiff_t base = (ptrdiff_t)((x < y ? x : y) >> PRI_BITS);
  return base < -33 ? -33 : base > length ? length : base;
}

/* low words of 16 entries */
static inline __m512i pri_low_words(const int64_t *A) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(_mm512_loadu_si512(A), even, _mm512_loadu_si512(A + 8));
}
#endif
