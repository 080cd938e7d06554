/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noise_level.c - robust estimate of the standard deviation of white noise.
 *
 *   d_j = sum_k (-1)^k C(6,k) y_{j+k} / sqrt(C(12,6)),   sd = median |d_j| / 0.6745
 *
 * Sum of the squared binomials C(6,k)^2 = C(12,6), so that white noise keeps its variance. The filter's response is
 * sin(w/2)^6 of its largest; what a sinogram has there is little, as bins and pixels average over their widths, and sits at edges,
 * which the median passes over. Of CT slices with 1 % noise 0.3 to 20 % of the deviation came from the signal: 6 % too much at most
 * (second differences, about a wavelet's half-band: 12 %).
 * With weights, row j is judged in units of its own deviation: d_j / sqrt(sum c_k^2 / w_{j+k}).
 */
#include "noise_level.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { ORDER = 6, MOST = 1 << 20 /* differences that are looked at */ };
static const double QUARTILE = 0.67448975019608171; /* of |N(0,1)|: its median */

struct filter {
  int order;
  double c[ORDER + 1];
};

static struct filter make_filter(ptrdiff_t n) { /* short rows take a lower order */
  struct filter f = {n > 2 * ORDER ? ORDER : 2, {1}};
  double norm = 0;
  for (int k = 1; k <= f.order; k++) f.c[k] = -f.c[k - 1] * (f.order - k + 1) / k;
  for (int k = 0; k <= f.order; k++) norm += f.c[k] * f.c[k];
  for (int k = 0; k <= f.order; k++) f.c[k] /= sqrt(norm);
  return f;
}

/* |d| / its deviation for unit noise; negative: masked */
static double detail(const struct filter *f, const pri_real *y, const pri_real *w) {
  double d = 0, variance = 0;
  for (int k = 0; k <= f->order; k++) {
    if (w && !(w[k] > 0)) return -1;
    d += f->c[k] * (double)y[k];
    variance += f->c[k] * f->c[k] / (w ? (double)w[k] : 1);
  }
  return fabs(d) / sqrt(variance);
}

static ptrdiff_t details(const struct filter *f, double *out, const pri_real *y, const pri_real *w, ptrdiff_t rows, ptrdiff_t n) {
  const ptrdiff_t each = n - f->order, stride = rows * each > MOST ? (rows * each + MOST - 1) / MOST : 1;
  ptrdiff_t count = 0;
  for (ptrdiff_t r = 0; r < rows; r += stride)
    for (ptrdiff_t j = 0; j < each; j++) {
      const double d = detail(f, y + r * n + j, w ? w + r * n + j : NULL);
      if (d >= 0) out[count++] = d;
    }
  return count;
}

pri_status pri_noise_level(pri_ctx *ctx, double *sd, const pri_array *y, const pri_array *weight) {
  const ptrdiff_t n = y->shape.n[y->shape.nd - 1], size = pri_shape_size(&y->shape), rows = size / n;
  if (n < 3) return PRI_FAIL(ctx, PRI_ESHAPE, "noise level: %td measurements a row are too few to estimate it; give it (sd:V)", n);
  const struct filter f = make_filter(n);
  double *d;
  PRI_ALLOC(ctx, d, rows * n);
  for (ptrdiff_t i = 0; i < y->items; i++) {
    const ptrdiff_t count = details(&f, d, y->data + i * size, weight ? weight->data + i * size : NULL, rows, n);
    if (count > 0) {
      gsl_sort(d, 1, (size_t)count);
      sd[i] = gsl_stats_median_from_sorted_data(d, 1, (size_t)count) / QUARTILE;
      continue;
    }
    pri_free(ctx, d);
    return PRI_FAIL(ctx, PRI_EDATA, "noise level: slice %td has no measurement left to estimate it from; give it (sd:V)", i);
  }
  pri_free(ctx, d);
  return PRI_OK;
}
