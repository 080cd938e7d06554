/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rl_pass.c - see rl_pass.h. Blocks of 4096 pixels; the sums of the blocks are added in their order. */
#include "rl_pass.h"
#include <math.h>
#include "par.h"

enum { BLOCK = 4096, LANES = 8 };
static const pri_real LEAST = (pri_real)0.1; /* of x+, for p+: an extrapolation never takes a pixel to zero, from where nothing returns */

ptrdiff_t pri_rl_blocks(ptrdiff_t n) { return (n + BLOCK - 1) / BLOCK; }

static double fold(const double s[LANES]) { return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])); }

/* v = clip(p (1 - w g)), of one block */
static void update(const pri_rl_pass *r, pri_real *restrict v, ptrdiff_t at, ptrdiff_t n) {
  const pri_real *restrict p = r->p + at, *restrict g = r->g + at, *restrict w = r->w + at;
  const pri_real lo = (pri_real)r->lo, hi = (pri_real)r->hi;
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real next = p[i] * (1 - w[i] * g[i]), low = next < lo ? lo : next;
    v[i] = low > hi ? hi : low;
  }
}

/* the same with a prior: (c - g) / (c + tv t) = (1 - w g) / (1 + w tv t); the divisor is kept above 1 / 10 */
static void update_prior(const pri_rl_pass *r, pri_real *restrict v, ptrdiff_t at, ptrdiff_t n) {
  const pri_real *restrict p = r->p + at, *restrict g = r->g + at, *restrict w = r->w + at, *restrict t = r->t + at;
  const pri_real lo = (pri_real)r->lo, hi = (pri_real)r->hi, tv = (pri_real)r->tv, least = (pri_real)0.1;
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real by = 1 + w[i] * tv * t[i], next = p[i] * (1 - w[i] * g[i]) / (by < least ? least : by), low = next < lo ? lo : next;
    v[i] = low > hi ? hi : low;
  }
}

static void extrapolate(const pri_rl_pass *r, const pri_real *restrict v, ptrdiff_t at, ptrdiff_t n) {
  pri_real *restrict p = r->p + at;
  const pri_real *restrict x = r->x + at;
  const pri_real alpha = (pri_real)r->alpha;
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real q = v[i] + alpha * (v[i] - x[i]), least = LEAST * v[i];
    p[i] = q < least ? least : q;
  }
}

/* sums of squares, and x = v */
static void take(const pri_rl_pass *r, const pri_real *restrict v, ptrdiff_t at, ptrdiff_t n, double *part) {
  pri_real *restrict x = r->x + at;
  double change[LANES] = {0}, size[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) {
      const double next = (double)v[i + k], d = next - (double)x[i + k];
      change[k] += d * d, size[k] += next * next;
    }
  for (int k = 0; i + k < n; k++) {
    const double next = (double)v[i + k], d = next - (double)x[i + k];
    change[k] += d * d, size[k] += next * next;
  }
  for (i = 0; i < n; i++) x[i] = v[i];
  part[0] = fold(change), part[1] = fold(size);
}

static pri_status some_blocks(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const pri_rl_pass *r = arg;
  pri_real v[BLOCK];
  (void)worker;
  for (ptrdiff_t b = first; b < last; b++) {
    const ptrdiff_t at = b * BLOCK, n = r->n - at < BLOCK ? r->n - at : BLOCK;
    if (r->t) update_prior(r, v, at, n);
    else update(r, v, at, n);
    if (r->p != r->x) extrapolate(r, v, at, n);
    take(r, v, at, n, r->part + 2 * b);
  }
  return PRI_OK;
}

double pri_rl_update(pri_ctx *ctx, const pri_rl_pass *r) {
  const ptrdiff_t blocks = pri_rl_blocks(r->n);
  pri_rl_pass pass = *r;
  double change = 0, size = 0;
  (void)pri_par_for(ctx, blocks, 8, some_blocks, &pass); /* cannot fail */
  for (ptrdiff_t b = 0; b < blocks; b++) change += r->part[2 * b], size += r->part[2 * b + 1];
  return change == 0 ? 0 : size == 0 ? 1 : sqrt(change / size);
}
