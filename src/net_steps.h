/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_steps.h (k) - the inner loops of convolutions over flat padded planes; net_steps.c is compiled for every instruction set (float), net_conv.c calls them.
 *
 *   gather  y[r][q] = sum_{p < planes} sum_{t < taps} w[(p taps + t) rows + r] x[p plane + off[t] + q],    0 <= q < tile
 *   put     to = max(0, from + shift) (relu), from + shift, or to + from (add)
 *   mask    g = 0 where not y > 0
 *   line    to (+)= a x + b (y - m) + c                                y NULL: without the second term
 *   sums    s[0] += sum (x - c), s[1] += sum (x - c)^2; with g: sum g, sum g (x - c);   in double, as eight sums side by side whatever the level
 *   outer   s[r][k] += sum_{0 <= q < n} g[r pitch + q] x[k][q],  0 <= k < 3
 * rows: 8, 4, 2 or 1, at most `rows`; n is a multiple of `lanes`. Sums are taken in the order written (gather), so that an output has the same bits wherever its tile begins.
 */
#ifndef PRI_NET_STEPS_H
#define PRI_NET_STEPS_H
#include <stddef.h>
#include "priori/real.h"
enum { PRI_NET_VECTORS = 3, PRI_NET_OUTER = 3, PRI_NET_TILE = 48 };  /* tile: at most */
typedef struct pri_net_kernels {
  const char *name;
  int lanes, rows, tile;
  void (*gather)(pri_real *y, const pri_real *w, const pri_real *x, ptrdiff_t plane, ptrdiff_t planes, const ptrdiff_t *off, int taps, int rows); /* y: [rows][tile] */
  void (*copy)(pri_real *to, const pri_real *from, ptrdiff_t n);                                       /* as memcpy, for runs of some vectors */
  void (*put)(pri_real *to, const pri_real *from, ptrdiff_t n, pri_real shift, int relu, int add);
  void (*mask)(pri_real *g, const pri_real *y, ptrdiff_t n);
  void (*line)(pri_real *to, const pri_real *x, const pri_real *y, ptrdiff_t n, pri_real a, pri_real b, pri_real m, pri_real c, int add);
  void (*sums)(double *s, const pri_real *x, const pri_real *g, ptrdiff_t n, double c);
  void (*outer)(pri_real *s, const pri_real *g, ptrdiff_t pitch, const pri_real *const *x, ptrdiff_t n, int rows);                              /* s: [rows][3] */
} pri_net_kernels;
const pri_net_kernels *pri_net_kernels_best(void);   /* of the machine, see simd.h */
extern const pri_net_kernels pri_net_kernels_c, pri_net_kernels_avx2, pri_net_kernels_avx512;
#endif
