/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blur_norm.c - a bound of |A|.
 *
 * periodic            max |h^| on the grid of the image, exact: A is diagonal in the Fourier basis
 * zero, unknown       max |h^| on the grid, proven: A = C H E, where E puts zeros around and C cuts out
 * reflect, replicate  |A|^2 <= max_i (B'B v)_i / v_i for any v > 0, B = A with |h| (Collatz 1942; |A'A| <= B'B element by element, and
 *                     the norm of a non-negative symmetric matrix is below that quotient); v: some steps of the power method from 1,
 *                     after which the bound is tight to a few percent. reflect with a mirrored h >= 0: B 1 = B'1 = sum h, one step is exact.
 */
#include <math.h>
#include "blur.h"

enum { STEPS = 6 };

static pri_status product(pri_ctx *ctx, const struct blur_one *b, const pri_convolver *c, pri_convolve what, pri_real *out, const pri_real *in, void *scratch) {
  return c ? pri_convolver_run(ctx, c, what, 0, 1, out, in, 1, scratch) : pri_blur_one_run(ctx, b, what, 0, out, in, 1, scratch);
}

/* c: of |h|; NULL: h >= 0, B = A. largest (B'B v)_i / v_i; v becomes B'B v over its largest element, kept above a floor */
static double step(pri_ctx *ctx, const struct blur_one *b, const pri_convolver *c, pri_real *v, pri_real *w, pri_real *y, ptrdiff_t n, void *scratch) {
  double most = 0, top = 0;
  if (product(ctx, b, c, PRI_CONVOLVE_APPLY, y, v, scratch) != PRI_OK) return NAN; /* never */
  if (product(ctx, b, c, PRI_CONVOLVE_ADJOINT, w, y, scratch) != PRI_OK) return NAN;
  for (ptrdiff_t i = 0; i < n; i++) {
    most = fmax(most, (double)w[i] / (double)v[i]);
    top = fmax(top, (double)w[i]);
  }
  for (ptrdiff_t i = 0; i < n; i++) v[i] = (pri_real)fmax((double)w[i] / top, 0.05);
  return most;
}

static pri_status collatz(pri_ctx *ctx, struct blur_one *b, const pri_convolver *c) {
  const ptrdiff_t n = b->grid.dom.n[0] * b->grid.dom.n[1] * b->grid.dom.n[2], m = b->grid.ran.n[0] * b->grid.ran.n[1] * b->grid.ran.n[2];
  pri_real *v = pri_calloc(ctx, (size_t)n, sizeof *v), *w = v ? pri_calloc(ctx, (size_t)n, sizeof *w) : NULL;
  pri_real *y = w ? pri_calloc(ctx, (size_t)m, sizeof *y) : NULL;
  void *scratch = y ? pri_calloc(ctx, c ? pri_convolver_scratch(c) : pri_blur_one_scratch(b), 1) : NULL;
  double best = INFINITY;
  for (ptrdiff_t i = 0; scratch && i < n; i++) v[i] = 1;
  for (int k = 0; scratch && k < STEPS; k++) best = fmin(best, step(ctx, b, c, v, w, y, n, scratch));
  pri_free(ctx, v);
  pri_free(ctx, w);
  pri_free(ctx, y);
  pri_free(ctx, scratch);
  /* rounding: transforms of N places err by some log2 N eps of the largest value, and v >= 0.05 of it */
  b->norm = (pri_bound){sqrt(best) * (sizeof(pri_real) == 4 ? 1 + 1e-3 : 1 + 1e-11), PRI_PROVEN};
  return scratch ? PRI_OK : pri_ctx_code(ctx);
}

/* the convolver of |h| */
static pri_status with_sizes(pri_ctx *ctx, struct blur_one *b) {
  const ptrdiff_t n = b->psf.k[0] * b->psf.k[1] * b->psf.k[2];
  pri_convolver *c = NULL;
  double *h;
  if (b->positive) return collatz(ctx, b, NULL);
  PRI_ALLOC(ctx, h, n);
  for (ptrdiff_t i = 0; i < n; i++) h[i] = fabs(b->psf.h[i]);
  const pri_psf_view v = {h, {b->psf.k[0], b->psf.k[1], b->psf.k[2]}, {b->psf.c[0], b->psf.c[1], b->psf.c[2]}, b->symmetric};
  pri_status s = pri_convolver_create(ctx, &c, &b->grid, &v);
  if (s == PRI_OK) s = collatz(ctx, b, c);
  pri_convolver_destroy(&c);
  pri_free(ctx, h);
  return s;
}

pri_status pri_blur_norm(pri_ctx *ctx, struct blur_one *b) {
  double sum = 0;
  for (ptrdiff_t i = 0; i < b->psf.k[0] * b->psf.k[1] * b->psf.k[2]; i++) sum += b->psf.h[i];
  if (b->border == REFLECT && b->mirrored && b->positive) b->norm = (pri_bound){sum, PRI_EXACT}; /* B 1 = B'1 = sum */
  else if (b->border == PERIODIC) b->norm = (pri_bound){b->positive ? sum : pri_convolver_peak(b->padded ? b->basis : b->conv), PRI_EXACT};
  else if (b->border == ZERO || b->border == UNKNOWN) b->norm = (pri_bound){b->positive ? sum : pri_convolver_peak(b->conv), PRI_PROVEN};
  else return with_sizes(ctx, b);
  return PRI_OK;
}
