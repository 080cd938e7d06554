/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rl_pass.h - the one pass over the image of a Richardson-Lucy step: update, box, change and extrapolation together. */
#ifndef PRI_RL_PASS_H
#define PRI_RL_PASS_H
#include "priori/context.h"
typedef struct pri_rl_pass { /* one item of n pixels */
  ptrdiff_t n;
  pri_real *x;               /* in x_k, out x_(k+1) */
  pri_real *p;               /* in the point p_k that g belongs to, out p_(k+1); x itself where there is no extrapolation */
  const pri_real *g;         /* A'f'(A p_k) = c - A'(y / t) */
  const pri_real *w;         /* 1 / c; 0: the pixel is not seen, and stays 0 */
  const pri_real *t;         /* NULL, or the slope of the prior at p_k, with weight `tv` */
  double tv, lo, hi, alpha;
  double *part;              /* [2 pri_rl_blocks(n)] */
} pri_rl_pass;
/*
 *   x+ = clip(p (1 - w g) / (1 + w tv t)),   p+ = max(x+ + alpha (x+ - x), x+ / 10)
 * Returns |x+ - x| / |x+| (0 where both are 0). The same bits for any number of threads.
 */
double pri_rl_update(pri_ctx *ctx, const pri_rl_pass *p);
ptrdiff_t pri_rl_blocks(ptrdiff_t n);
#endif
