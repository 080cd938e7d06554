/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stencil_steps.h (k) - the fused loops of min_x |x - z|^2 / 2 + scale R(x) over lo <= x <= hi, R(x) = sum_i phi_i(|(D x)_i|) of
 * priors/tv_term.h, row by row. Compiled for every instruction set; no contraction, no reordering: all give the same bits.
 *
 *   primal   x~ = P_box((x - tau scale D'q + tau z) / (1 + tau)),  ahead = 2 x~ - x,  x += relax (x~ - x)
 *   dual     q~ = Pi_w(keep (q + sigma D ahead)),                                      q += relax (q~ - q)
 *   with r   (FGP) primal: ahead = P_box(z - scale D'r);  dual: q~ = Pi_w(keep (r + sigma D ahead)), r = q~ + beta (q~ - q), q = q~
 *   gap      two sums a row, in double: what the pair (x, q) is above the dual value, and the primal value
 *
 * The last field of an axis belongs to no difference: it must arrive as 0 and stays 0.
 */
#ifndef PRI_STENCIL_STEPS_H
#define PRI_STENCIL_STEPS_H
#include "stencil.h"
typedef struct pri_stencil_step {
  const pri_stencil *s;
  const pri_real *z, *map;  /* map: [pixels] factors of weight, or NULL */
  pri_real *x, *ahead, *q;  /* [n], [n], [nf pixels] */
  pri_real *r;              /* NULL: primal-dual steps */
  pri_real lo, hi;
  double tau, scale, sigma, keep, relax, beta;
  double weight, delta;     /* of phi; delta = INFINITY: weight t^2 / 2, no bound of |q| */
  double *sum;              /* gap: [2 nz ny] */
} pri_stencil_step;
typedef struct pri_stencil_kernels {
  const char *name;
  void (*primal)(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last); /* rows of all channels */
  void (*dual)(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last);   /* rows of one channel: [0, nz ny) */
  void (*gap)(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last);    /* likewise */
} pri_stencil_kernels;
const pri_stencil_kernels *pri_stencil_kernels_best(void); /* of the machine, see simd.h */
extern const pri_stencil_kernels pri_stencil_kernels_c, pri_stencil_kernels_avx2, pri_stencil_kernels_avx512;
#endif
