/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filterbank_steps.h (k) - what a bank of filters does on one tile: the responses of up to `vectors` vectors of pixels of one row, to all filters.
 * filterbank_steps.c is compiled for every instruction set, and for double and float; filterbank.h is what others use.
 *
 *   forward   r[k][i] = sum_u c_k,u x_{i + u}           taps [groups][side side][filters]
 *   backward  s[v][i] += sum_k c_k,v r[k][i]            taps [count][width], the `width` taps v of a piece of one row of the filters
 *   outer     a[k][v] += sum_i p[k][i] x_{i + v} + q[k][i] z_{i + v}, lanes apart
 *   maps      r = gain phi'(r) or gain phi''(r), z = scale r with scale = 1 / nu:
 *     root  phi = root(t^2 + nu^2):             phi' = z / root(1 + z^2),  nu phi'' = (1 + z^2)^(-3/2)
 *     log   phi = nu^2/2 log(1 + t^2 / nu^2):  phi'/nu = z / (1 + z^2),    phi'' = (1 - z^2) / (1 + z^2)^2
 *   (the factors nu are the caller's, in gain)
 * r: [count, rounded up to `filters`][pitch], pitch = PRI_BANK_VECTORS lanes. Elements are double or float, as the table says.
 */
#ifndef PRI_FILTERBANK_STEPS_H
#define PRI_FILTERBANK_STEPS_H
#include <stddef.h>
enum { PRI_BANK_VECTORS = 3, PRI_BANK_WIDEST = 7, PRI_BANK_SIDE = 31 }; /* vectors of a tile; taps at once, at most; side of a filter */
#if defined(__GNUC__) || defined(__clang__)
#define PRI_BANK_WARM(p) __builtin_prefetch(p)
#else
#define PRI_BANK_WARM(p) ((void)(p))
#endif
typedef enum pri_bank_map { PRI_BANK_ROOT_SLOPE, PRI_BANK_ROOT_CURVE, PRI_BANK_LOG_SLOPE, PRI_BANK_LOG_CURVE, PRI_BANK_MAPS } pri_bank_map;
typedef struct pri_bank_kernels {
  const char *name;
  size_t size;                     /* of an element */
  int lanes, filters, width;       /* of a vector; filters at once; taps of a row at once, <= PRI_BANK_WIDEST */
  void (*forward)(void *r, const void *taps, const void *const *rows, int groups, int side, int vectors);   /* rows: [side], at the tile */
  void (*backward)(void *sums, ptrdiff_t pitch, const void *taps, const void *r, int count, int width, int vectors);
  void (*outer)(void *sums, const void *p, const void *x, const void *q, const void *z, int count, int pieces, int width, int vectors);
                                   /* sums: [count][pieces][lanes], the first `width` pieces of each; x, z: at the tile and tap */
  void (*map[PRI_BANK_MAPS])(void *r, ptrdiff_t n, double scale, double gain);
  void (*times)(void *r, const void *h, ptrdiff_t n); /* r *= h; the n elements behind h are fetched for the next call */
} pri_bank_kernels;
const pri_bank_kernels *pri_bank_kernels_best(int wide);  /* of the machine, see simd.h; wide: double, else pri_real */
extern const pri_bank_kernels pri_bank_double_c, pri_bank_double_avx2, pri_bank_double_avx512;
extern const pri_bank_kernels pri_bank_float_c, pri_bank_float_avx2, pri_bank_float_avx512;
#endif
