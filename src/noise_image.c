/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noise_image.c - noise of a picture from its patches of weak texture.
 *
 * A patch v of 5 x 5 pixels that is flat but for noise has covariance s^2 I; texture adds in a few directions only, so that
 * the smallest eigenvalue of the covariance C of many patches is s^2, even where none is flat (Liu, Tanaka, Okutomi 2013):
 *
 *   s^2 <- lambda_min(C of the patches with t(v) < q s^2),   t(v) = sum of squared differences of neighbours in v
 *
 * until it stands still, from lambda_min(C) of all; q = 155.6 is the 0.99 quantile of t for unit noise (of mean 80,
 * variance 700; by simulation of 2e5 patches). Of n patches of d = 25 elements the smallest eigenvalue is low by (1 -
 * sqrt(d / n))^2 (Marchenko, Pastur 1967); patches that overlap are as 0.9 of that (simulated: then within 2 % from 60^2
 * pixels on).
 *
 * Left out: patches that hold a masked pixel, or one at the least or largest value where more than 1 % of the pixels are
 * there (clipped), and patches without any differences (padding). MOST patches an item, on a grid.
 *
 * Noise that grows with the signal: the patches are sorted by their mean into levels of equal count, the same is done in
 * each, and var_j = gain mean_j + b is fitted (Foi et al. 2008) by bisquare regression (GSL) with each equation divided by
 * its variance. It counts where the variance at the highest level fitted is twice that at the lowest; sd is then the root
 * of the mean variance over all patches. What the fit does not describe by an increase is one sd.
 *
 * mad = median |d| / 0.6745 over 2 x 2 pixels, d = (a - b - c + d) / 2: Haar's finest diagonal band.
 */
#include "noise_image.h"
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

enum {
  SIDE = 5,
  D = SIDE * SIDE,
  MOST = 1 << 15,
  FEW = 4 * D /* patches */,
  LEVEL = 1200 /* patches */,
  LEVELS = 16,
  ROUNDS = 10
};
static const double QUANTILE = 155.6, OVERLAP = 0.9, CLIPPED = 0.01, STILL = 0.01, GROWTH = 2, MEDIAN = 0.67448975019608171;

struct patch {
  double mean, texture;
  const pri_real *at;
};
struct picture {
  const pri_real *y, *w; /* w NULL: nothing is masked */
  ptrdiff_t planes, ny, nx, stride;
  double lo, hi; /* clipped there; NAN: not */
  struct patch *p;
  ptrdiff_t n;
  double *sorted; /* [MOST] */
};

/* ---- which patches */

static void find_clipping(struct picture *c) {
  const ptrdiff_t n = c->planes * c->ny * c->nx;
  double lo = INFINITY, hi = -INFINITY;
  ptrdiff_t low = 0, high = 0;
  for (ptrdiff_t i = 0; i < n; i++) lo = fmin(lo, (double)c->y[i]), hi = fmax(hi, (double)c->y[i]);
  for (ptrdiff_t i = 0; i < n; i++) low += (double)c->y[i] == lo, high += (double)c->y[i] == hi;
  c->lo = (double)low > CLIPPED * (double)n ? lo : NAN;
  c->hi = (double)high > CLIPPED * (double)n ? hi : NAN;
}

static double square(double v) { return v * v; }

/* mean and texture; 0: not to be used */
static int look(const struct picture *c, ptrdiff_t at, struct patch *p) {
  const pri_real *v = c->y + at;
  double sum = 0, texture = 0;
  for (int r = 0; r < SIDE; r++)
    for (int k = 0; k < SIDE; k++) {
      const ptrdiff_t i = r * c->nx + k;
      const double here = (double)v[i];
      if (here == c->lo || here == c->hi || !isfinite(here) || (c->w && !(c->w[at + i] > 0))) return 0;
      sum += here;
      if (k) texture += square(here - (double)v[i - 1]);
      if (r) texture += square(here - (double)v[i - c->nx]);
    }
  *p = (struct patch){sum / D, texture, v};
  return texture > 0;
}

static ptrdiff_t along(ptrdiff_t n, ptrdiff_t stride) { return (n - SIDE) / stride + 1; }

static void find_patches(struct picture *c) {
  for (c->stride = 1; c->planes * along(c->ny, c->stride) * along(c->nx, c->stride) > MOST && c->stride < c->nx; c->stride++)
    continue;
  const ptrdiff_t rows = along(c->ny, c->stride), columns = along(c->nx, c->stride);
  const ptrdiff_t skip = (c->planes * rows * columns + MOST - 1) / MOST; /* planes, where even one row of each is too many */
  c->n = 0;
  for (ptrdiff_t z = 0; z < c->planes; z += skip)
    for (ptrdiff_t r = 0; r < rows; r++)
      for (ptrdiff_t k = 0; k < columns; k++)
        if (c->n < MOST) c->n += look(c, (z * c->ny + r * c->stride) * c->nx + k * c->stride, &c->p[c->n]);
}

/* ---- smallest eigenvalue */

static void add_outer(double cov[D * D], double mean[D], const struct picture *c, const struct patch *p) {
  double v[D];
  for (int r = 0; r < SIDE; r++)
    for (int k = 0; k < SIDE; k++)
      v[r * SIDE + k] = (double)p->at[r * c->nx + k] - p->mean; /* what all pixels share is no matter */
  for (int i = 0; i < D; i++) {
    mean[i] += v[i];
    for (int j = 0; j <= i; j++) cov[i * D + j] += v[i] * v[j];
  }
}

/* second smallest: taking off each patch's mean leaves one direction without anything */
static double smallest(double cov[D * D]) {
  double value[D];
  gsl_matrix_view m = gsl_matrix_view_array(cov, D, D);
  gsl_vector_view v = gsl_vector_view_array(value, D);
  gsl_eigen_symm_workspace *w = gsl_eigen_symm_alloc(D);
  const int ok = w && gsl_eigen_symm(&m.matrix, &v.vector, w) == GSL_SUCCESS; /* reads the lower triangle */
  if (w) gsl_eigen_symm_free(w);
  gsl_sort(value, 1, D);
  return ok ? value[1] : NAN;
}

/* s^2 from those of n patches with texture below `most` */
static double variance_of(const struct picture *c, const struct patch *p, ptrdiff_t n, double most) {
  double cov[D * D] = {0}, mean[D] = {0};
  double used = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    if (p[i].texture > most) continue;
    add_outer(cov, mean, c, &p[i]);
    used++;
  }
  if (used < 2) return NAN;
  for (int i = 0; i < D; i++)
    for (int j = 0; j <= i; j++) cov[i * D + j] = (cov[i * D + j] - mean[i] * mean[j] / used) / (used - 1);
  return smallest(cov) / square(1 - OVERLAP * sqrt(D / used));
}

static double flat_variance(const struct picture *c, const struct patch *p, ptrdiff_t n) {
  if (n < FEW) return NAN;
  for (ptrdiff_t i = 0; i < n; i++) c->sorted[i] = p[i].texture;
  gsl_sort(c->sorted, 1, (size_t)n);
  const double least = c->sorted[FEW - 1]; /* so many patches are needed */
  double s2 = variance_of(c, p, n, INFINITY);
  for (int k = 0; k < ROUNDS; k++) {
    const double next = variance_of(c, p, n, fmax(QUANTILE * s2, least)), change = fabs(next - s2);
    s2 = next;
    if (!(change > STILL * s2)) break;
  }
  return s2;
}

/* ---- variance = gain mean + b */

static int by_mean(const void *a, const void *b) {
  const struct patch *p = a, *q = b;
  return p->mean != q->mean ? (p->mean > q->mean) - (p->mean < q->mean) : (p->at > q->at) - (p->at < q->at);
}

/* rows (mean, 1) gain, b = variance, each divided by the variance that the last round had */
static int regress(const double *mean, const double *variance, size_t n, double fit[2]) {
  double rows[2 * LEVELS], right[LEVELS], cov[4], coefficient[2] = {0, 0};
  gsl_matrix_view X = gsl_matrix_view_array(rows, n, 2), C = gsl_matrix_view_array(cov, 2, 2);
  gsl_vector_view y = gsl_vector_view_array(right, n), c = gsl_vector_view_array(coefficient, 2);
  for (size_t i = 0; i < n; i++) {
    const double scale = fit[0] * mean[i] + fit[1];
    if (!(scale > 0)) return 0;
    rows[2 * i] = mean[i] / scale, rows[2 * i + 1] = 1 / scale, right[i] = variance[i] / scale;
  }
  gsl_multifit_robust_workspace *w = gsl_multifit_robust_alloc(gsl_multifit_robust_bisquare, n, 2);
  const int status = w ? gsl_multifit_robust(&X.matrix, &y.vector, &c.vector, &C.matrix, w) : GSL_ENOMEM;
  if (w) gsl_multifit_robust_free(w);
  if (status != GSL_SUCCESS && status != GSL_EMAXITER) return 0;
  fit[0] = coefficient[0], fit[1] = coefficient[1];
  return 1;
}

static void fit_growth(struct picture *c, pri_noise_image *out) {
  double mean[LEVELS], variance[LEVELS], fit[2] = {0, out->sd * out->sd};
  const ptrdiff_t most = c->n / LEVEL < LEVELS ? c->n / LEVEL : LEVELS;
  size_t n = 0;
  if (most < 4) return;
  qsort(c->p, (size_t)c->n, sizeof *c->p, by_mean);
  for (ptrdiff_t j = 0; j < most; j++) {
    const ptrdiff_t first = j * c->n / most, last = (j + 1) * c->n / most;
    double sum = 0;
    for (ptrdiff_t i = first; i < last; i++) sum += c->p[i].mean;
    mean[n] = sum / (double)(last - first), variance[n] = flat_variance(c, c->p + first, last - first);
    n += variance[n] > 0;
  }
  if (n < 4) return;
  out->levels = (int)n;
  for (int k = 0; k < 3; k++)
    if (!regress(mean, variance, n, fit)) return;
  const double low = fit[0] * mean[0] + fit[1], high = fit[0] * mean[n - 1] + fit[1];
  if (!(low > 0 && high > GROWTH * low)) return;
  double all = 0;
  for (ptrdiff_t i = 0; i < c->n; i++) all += (fit[0] * c->p[i].mean + fit[1]) / (double)c->n;
  out->gain = fit[0], out->b = fit[1], out->sd = sqrt(all);
}

/* ---- */

static double diagonal_mad(struct picture *c) {
  const ptrdiff_t all = c->planes * (c->ny / 2) * (c->nx / 2), stride = (all + MOST - 1) / MOST;
  size_t n = 0;
  for (ptrdiff_t i = 0; i < all; i += stride) {
    const ptrdiff_t half = c->nx / 2, row = i / half, z = row / (c->ny / 2), r = row % (c->ny / 2);
    const ptrdiff_t at = (z * c->ny + 2 * r) * c->nx + 2 * (i % half);
    const double d = ((double)c->y[at] - (double)c->y[at + 1] - (double)c->y[at + c->nx] + (double)c->y[at + c->nx + 1]) / 2;
    if (isfinite(d) && (!c->w || (c->w[at] > 0 && c->w[at + 1] > 0 && c->w[at + c->nx] > 0 && c->w[at + c->nx + 1] > 0)))
      c->sorted[n++] = fabs(d);
  }
  if (n == 0) return NAN;
  gsl_sort(c->sorted, 1, n);
  return gsl_stats_median_from_sorted_data(c->sorted, 1, n) / MEDIAN;
}

static void one(struct picture *c, pri_noise_image *out) {
  *out = (pri_noise_image){0};
  find_clipping(c);
  find_patches(c);
  out->mad = diagonal_mad(c);
  out->sd = sqrt(flat_variance(c, c->p, c->n));
  if (!(out->sd > 0))
    out->sd = out->mad;
  else
    fit_growth(c, out);
}

pri_status pri_noise_image_find(pri_ctx *ctx, pri_noise_image *out, const pri_array *y, const pri_array *weight) {
  const int nd = y->shape.nd;
  const ptrdiff_t size = pri_shape_size(&y->shape), nx = y->shape.n[nd - 1], ny = nd > 1 ? y->shape.n[nd - 2] : 1;
  if (nx < 8 || ny < 8)
    return PRI_FAIL(ctx, PRI_ESHAPE, "noise level: a picture of %td x %td pixels is too small to estimate it; give it (sd:V)",
                    nx, ny);
  struct picture c = {.planes = size / (ny * nx), .ny = ny, .nx = nx};
  pri_status status = PRI_OK;
  gsl_error_handler_t *const handler = gsl_set_error_handler_off();
  c.p = pri_calloc(ctx, MOST, sizeof *c.p);
  c.sorted = pri_calloc(ctx, MOST, sizeof *c.sorted);
  if (!c.p || !c.sorted) status = pri_ctx_code(ctx);
  for (ptrdiff_t i = 0; i < y->items && status == PRI_OK; i++) {
    c.y = y->data + i * size, c.w = weight ? weight->data + i * size : NULL;
    one(&c, &out[i]);
    if (isnan(out[i].sd))
      status = PRI_FAIL(ctx, PRI_EDATA, "noise level: slice %td has no pixels left to estimate it from; give it (sd:V)", i);
  }
  pri_free(ctx, c.p), pri_free(ctx, c.sorted);
  gsl_set_error_handler(handler);
  return status;
}
