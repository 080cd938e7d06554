/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wavelet.h (k) - undecimated (a trous) separable wavelet transform of the two fastest axes; slower axes are planes of their own.
 *
 *   a_0 = x,   a_j = (L_j (x) L_j) a_{j-1},   details of level j = 1 .. J:  (L_j (x) H_j), (H_j (x) L_j), (H_j (x) H_j) of a_{j-1}
 *   (L_j a)_i = sum_k l_k a_{i + 2^(j-1) (k - c)},  l = h / sqrt 2, h, g: GSL's filters;  H_j alike with g;  (rows (x) columns)
 *
 * Each band has the size n of the image. Layout of the details: [level 1: high along x, high along y, high along both][level 2: ...], or one
 * band a level (high along x) where the image is one row. Border periodic, or symmetric (half a pixel past the edge: ... x1 x0 | x0 x1 ...).
 *
 *   haar, dbN (N = 2 ... 10 vanishing moments, 2 N taps) orthogonal: with the periodic border the frame is tight, W'W = I (approximation included)
 *   biorN.M (B-splines; 1.3 1.5 2.2 2.4 2.6 2.8 3.1 3.3 3.5 3.7 3.9): inverse = transform by the dual filters
 *
 * Every element is computed by itself, in one order: the same bits for any number of threads. Nothing here allocates but init.
 * Source: Holschneider et al. 1989; Mallat 2008, sec. 5.2.2; taps: GSL 2, gsl_wavelet.h.
 */
#ifndef PRI_WAVELET_H
#define PRI_WAVELET_H
#include "priori/array.h"
#include "priori/bound.h"
enum { PRI_WAVELET_TAPS = 20, PRI_WAVELET_LEVELS = 8 };
enum { PRI_WAVELET_PERIODIC, PRI_WAVELET_SYMMETRIC };
typedef struct pri_wavelet {
  ptrdiff_t planes, ny, nx, n;              /* n: all elements of one image */
  int levels, border, bands;                /* bands: of details, all levels */
  int taps, centre[2];                      /* centre of the low and the high filter: their centre of energy */
  double tap[2][2][PRI_WAVELET_TAPS];       /* analysis, synthesis; low, high; divided by sqrt 2 */
  double gain[PRI_WAVELET_LEVELS][2];       /* norm2 of level j's response along one axis: low, high */
  double norm2;                             /* |W|^2 is not above this: 1 (+ rounding) where tight */
  int orthogonal, workers;
} pri_wavelet;

/*
 * pri_wavelet_init - a transform for images of one shape.
 *   who     begins the messages, "wavelet".
 *   family  "db4"; levels in [1, 8]; border PRI_WAVELET_...
 * Nothing to release. EPARAM: unknown family, levels outside of [1, 8]; ENOMEM, EBUDGET (symmetric border: work space, given back).
 */
PRI_MUST_CHECK pri_status pri_wavelet_init(pri_ctx *ctx, const char *who, pri_wavelet *w, const char *family, int levels, int border, const pri_shape *dom);
ptrdiff_t pri_wavelet_scratch(const pri_wavelet *w); /* elements that a call needs: pri_real, or double in the wide ones */
int pri_wavelet_level(const pri_wavelet *w, int band);         /* 1 ... levels */
double pri_wavelet_gain(const pri_wavelet *w, int band);       /* white noise of sd 1 has this sd in the band (away from the border) */
/* details: [bands][n], approx: [n] or NULL (left out); overwritten */
void pri_wavelet_forward(pri_ctx *ctx, const pri_wavelet *w, pri_real *details, pri_real *approx, const pri_real *x, pri_real *scratch);
/* x += W'(details, approx); approx NULL: 0 */
void pri_wavelet_adjoint(pri_ctx *ctx, const pri_wavelet *w, pri_real *x, const pri_real *details, const pri_real *approx, pri_real *scratch);
/* the same with the dual filters: adds x to zero after forward(x), where the border is periodic; where it is symmetric, away from the border */
void pri_wavelet_inverse(pri_ctx *ctx, const pri_wavelet *w, pri_real *x, const pri_real *details, const pri_real *approx, pri_real *scratch);
/* adjoint in double, of the pri_real details; the float library only */
void pri_wavelet_adjoint_wide(pri_ctx *ctx, const pri_wavelet *w, double *x, const pri_real *details, const pri_real *approx, double *scratch);
/* sums[band] = sum_i |(W_b x)_i|, [bands], in double throughout */
void pri_wavelet_abs_wide(pri_ctx *ctx, const pri_wavelet *w, double *sums, const pri_real *x, double *scratch);
/* for the passes: where the border takes the index i from, 0 <= result < n */
static inline ptrdiff_t pri_wavelet_fold(int border, ptrdiff_t i, ptrdiff_t n) {
  if (i >= 0 && i < n) return i;
  const ptrdiff_t m = border == PRI_WAVELET_PERIODIC ? n : 2 * n, r = i % m, p = r < 0 ? r + m : r;
  return p < n ? p : 2 * n - 1 - p;
}
ptrdiff_t pri_wavelet_reach(const pri_wavelet *w, int level); /* elements that level j looks to either side at most */
#endif
