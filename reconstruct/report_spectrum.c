/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_spectrum.c - periodogram of a plane, P_k = |sum_j (r_j - mean) exp(-2 pi i j k / n)|^2 / (w h variance): 1 on average, at every
 * frequency, where r is white. Shown: log10 P, zero frequency in the middle; and its mean over rings of |k| (cycles a pixel), or, of a
 * sinogram, over all rows of views.
 */
#include <math.h>
#include "fft.h"
#include "report.h"

enum { RINGS = 96 };
static const double FAINTEST = 1e-12; /* below it: rounding; log10 needs a number */

/* S: half spectrum of rows [h][w/2 + 1] as re, im -> log10 P, [h][w], zero frequency at (h/2, w/2) */
static void centre(pri_real *to, const pri_real *S, ptrdiff_t w, ptrdiff_t h, double scale) {
  const ptrdiff_t half = w / 2 + 1;
  for (ptrdiff_t j = 0; j < h; j++)
    for (ptrdiff_t i = 0; i < w; i++) {
      const ptrdiff_t u = i - w / 2, v = j - h / 2, a = u < 0 ? -u : u, b = ((u < 0 ? -v : v) + h) % h; /* P(-k) = P(k) */
      const double re = (double)S[2 * (b * half + a)], im = (double)S[2 * (b * half + a) + 1];
      to[j * w + i] = (pri_real)log10(fmax((re * re + im * im) * scale, FAINTEST));
    }
}

/* The transform of r without its mean. */
static pri_status transform(pri_ctx *ctx, pri_real *to, const pri_real *r, ptrdiff_t w, ptrdiff_t h, double variance) {
  const ptrdiff_t n[2] = {h, w};
  pri_fft *f;
  double mean = 0;
  pri_real *x = NULL, *S = NULL;
  for (ptrdiff_t i = 0; i < w * h; i++) mean += (double)r[i] / (double)(w * h);
  PRI_TRY(pri_fft_create(ctx, &f, 2, n));
  x = pri_calloc(ctx, (size_t)(w * h), sizeof *x);
  S = x ? pri_calloc(ctx, (size_t)pri_fft_spectrum(f), sizeof *S) : NULL;
  const pri_status s = S ? PRI_OK : pri_ctx_code(ctx);
  for (ptrdiff_t i = 0; s == PRI_OK && i < w * h; i++) x[i] = (pri_real)((double)r[i] - mean);
  if (s == PRI_OK) pri_fft_forward(f, S, x), centre(to, S, w, h, 1 / ((double)(w * h) * variance));
  pri_free(ctx, x);
  pri_free(ctx, S);
  pri_fft_destroy(&f);
  return s;
}

/* Means of P where |k| (lines: |k_x|) lies in a ring; the zero frequency, which has no mean left, is left out. */
static ptrdiff_t rings(const pri_real *P, ptrdiff_t w, ptrdiff_t h, int lines, double k[RINGS], double mean[RINGS]) {
  const ptrdiff_t least = lines || w < h ? w : h, n = least / 2 < RINGS ? least / 2 : RINGS;
  double count[RINGS] = {0};
  for (ptrdiff_t q = 0; q < n; q++) k[q] = ((double)q + 0.5) / (double)(2 * n), mean[q] = 0;
  for (ptrdiff_t j = 0; j < h; j++)
    for (ptrdiff_t i = 0; i < w; i++) {
      const double fx = (double)(i - w / 2) / (double)w, fy = lines ? 0 : (double)(j - h / 2) / (double)h, r = sqrt(fx * fx + fy * fy);
      const ptrdiff_t q = (ptrdiff_t)(r * 2 * (double)n);
      if (q >= n || (i == w / 2 && j == h / 2)) continue;
      mean[q] += pow(10, (double)P[j * w + i]), count[q] += 1;
    }
  for (ptrdiff_t q = 0; q < n; q++) mean[q] = count[q] > 0 ? mean[q] / count[q] : NAN;
  return n;
}

pri_status pri_report_spectrum(pri_page *page, const pri_real *r, ptrdiff_t w, ptrdiff_t h, double variance, int lines) {
  double k[RINGS], mean[RINGS];
  pri_real *P;
  if (w < 8 || h < 8 || !(variance > 0)) return PRI_OK;
  PRI_ALLOC(page->ctx, P, w * h);
  pri_status s = transform(page->ctx, P, r, w, h, variance);
  if (s == PRI_OK)
    s = pri_report_picture(page,
                           &(pri_picture){.title = "Power spectrum of the residual",
                                          .across = lines ? "frequency along the detector, &minus;0.5 to 0.5 cycles/bin"
                                                          : "horizontal frequency, &minus;0.5 to 0.5 cycles/pixel",
                                          .down = lines ? "frequency along the views" : "vertical frequency",
                                          .x = P,
                                          .w = w,
                                          .h = h,
                                          .decades = 1,
                                          .lo = -2,
                                          .hi = 2,
                                          .mm = NAN,
                                          .note = "1 is white noise of the same mean square; zero frequency in the middle; logarithmic"});
  const ptrdiff_t n = s == PRI_OK ? rings(P, w, h, lines, k, mean) : 0;
  if (n > 1)
    pri_report_plot(page->f, &(pri_plot){.title = lines ? "Mean spectrum along the detector; dashed: white"
                                                        : "Radial mean of the spectrum; dashed: white",
                                         .x_label = lines ? "frequency (cycles/bin)" : "frequency (cycles/pixel)",
                                         .y_label = "power / mean square",
                                         .x = k,
                                         .y = mean,
                                         .n = n,
                                         .log_y = 1,
                                         .line = 1,
                                         .mark = NAN});
  pri_free(page->ctx, P);
  return s;
}
