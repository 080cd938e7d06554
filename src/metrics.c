/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics.c - quality figures of an image x against a reference r, all in double.
 *
 *   MSE = mean((x - r)^2),  PSNR = 10 log10(peak^2 / MSE),  RE = norm2(x - r) / norm2(r),  MAE = mean |x - r|
 *   SSIM = mean of (2 mx mr + c1)(2 sxr + c2) / ((mx^2 + mr^2 + c1)(sx + sr + c2)), c1 = (0.01 range)^2, c2 = (0.03 range)^2
 *
 * SSIM: Wang, Bovik, Sheikh, Simoncelli 2004, eq. (13): window of 11 x 11, Gaussian of sd 1.5, sums to 1; or 7 x 7 of equal
 * weights with sample covariances (n / (n - 1)), the default of scikit-image. Only windows that lie in the image count.
 * MCC: the image is cut at Otsu's threshold (Otsu 1979), the reference at its lower value.
 */
#include "priori/metrics.h"
#include <math.h>
#include <string.h>

enum { MOMENTS = 5, BINS = 256, RADIUS = 5 }; /* moments: x, r, xx, rr, xr */

typedef struct pair { /* what is compared */
  const pri_real *x, *r;
  ptrdiff_t ny, nx;
  int disc;
} pair;

/* Is the pixel's centre in the inscribed disc (or is there none)? */
static int inside(const pair *p, ptrdiff_t y, ptrdiff_t x) {
  const double dy = (double)y - 0.5 * (double)(p->ny - 1), dx = (double)x - 0.5 * (double)(p->nx - 1);
  const double side = (double)(p->ny < p->nx ? p->ny : p->nx);
  return !p->disc || 4 * (dx * dx + dy * dy) <= side * side;
}

/* ---- pixelwise figures */

typedef struct sums {
  double square, size, reference; /* of (x - r)^2, |x - r|, r^2 */
  double lo, hi;                  /* values of r */
  ptrdiff_t n;
  int other, finite;              /* a third value in r; all of x and r */
} sums;

static void add(sums *s, double x, double r) {
  const double e = x - r;
  s->square += e * e;
  s->size += fabs(e);
  s->reference += r * r;
  s->finite &= isfinite(x) && isfinite(r);
  s->n++;
}

static void note_value(sums *s, double r) {
  if (s->n == 0) s->lo = s->hi = r;
  else if (s->lo == s->hi && r != s->lo) *(r < s->lo ? &s->lo : &s->hi) = r;
  else if (r != s->lo && r != s->hi) s->other = 1;
}

static sums sum_up(const pair *p) {
  sums s = {.finite = 1};
  for (ptrdiff_t y = 0; y < p->ny; y++)
    for (ptrdiff_t x = 0; x < p->nx; x++) {
      if (!inside(p, y, x)) continue;
      const double r = (double)p->r[y * p->nx + x];
      note_value(&s, r);
      add(&s, (double)p->x[y * p->nx + x], r);
    }
  return s;
}

/* ---- SSIM */

typedef struct window {
  double w[2 * RADIUS + 1];
  int radius;
  double covariance; /* factor of the covariances */
} window;

static window make_window(pri_ssim kind) {
  window v = {.radius = kind == PRI_SSIM_UNIFORM7 ? 3 : RADIUS, .covariance = kind == PRI_SSIM_UNIFORM7 ? 49.0 / 48 : 1};
  double total = 0;
  for (int i = 0; i <= 2 * v.radius; i++) {
    const double d = (i - v.radius) / 1.5;
    v.w[i] = kind == PRI_SSIM_UNIFORM7 ? 1 : exp(-0.5 * d * d);
    total += v.w[i];
  }
  for (int i = 0; i <= 2 * v.radius; i++) v.w[i] /= total;
  return v;
}

/* Moments of the window's columns around row y: m[moment][x]. */
static void columns(const pair *p, const window *v, ptrdiff_t y, double *m) {
  memset(m, 0, (size_t)(MOMENTS * p->nx) * sizeof *m);
  for (int i = -v->radius; i <= v->radius; i++) {
    const pri_real *x = p->x + (y + i) * p->nx, *r = p->r + (y + i) * p->nx;
    const double w = v->w[i + v->radius];
    for (ptrdiff_t k = 0; k < p->nx; k++) {
      const double a = (double)x[k], b = (double)r[k];
      m[k] += w * a;
      m[p->nx + k] += w * b;
      m[2 * p->nx + k] += w * a * a;
      m[3 * p->nx + k] += w * b * b;
      m[4 * p->nx + k] += w * a * b;
    }
  }
}

static double ssim_at(const pair *p, const window *v, const double *m, ptrdiff_t x, double c1, double c2) {
  double e[MOMENTS] = {0};
  for (int k = 0; k < MOMENTS; k++)
    for (int i = -v->radius; i <= v->radius; i++) e[k] += v->w[i + v->radius] * m[k * p->nx + x + i];
  const double sx = v->covariance * (e[2] - e[0] * e[0]), sr = v->covariance * (e[3] - e[1] * e[1]);
  const double sxr = v->covariance * (e[4] - e[0] * e[1]);
  return (2 * e[0] * e[1] + c1) * (2 * sxr + c2) / ((e[0] * e[0] + e[1] * e[1] + c1) * (sx + sr + c2)); /* eq. (13) */
}

static pri_status ssim(pri_ctx *ctx, const pair *p, const pri_score_opts *o, double *out) {
  const window v = make_window(o->ssim);
  const double c1 = 1e-4 * o->range * o->range, c2 = 9e-4 * o->range * o->range;
  double *m, sum = 0;
  ptrdiff_t n = 0;
  *out = NAN;
  if (p->ny <= 2 * v.radius || p->nx <= 2 * v.radius) return PRI_OK;
  PRI_ALLOC(ctx, m, MOMENTS * p->nx);
  for (ptrdiff_t y = v.radius; y < p->ny - v.radius; y++) {
    columns(p, &v, y, m);
    for (ptrdiff_t x = v.radius; x < p->nx - v.radius; x++) {
      if (!inside(p, y, x)) continue;
      sum += ssim_at(p, &v, m, x, c1, c2);
      n++;
    }
  }
  pri_free(ctx, m);
  if (n) *out = sum / (double)n;
  return PRI_OK;
}

/* ---- Otsu and MCC */

typedef struct histogram {
  double count[BINS], lo, step;
} histogram;

static double centre(const histogram *h, int i) { return h->lo + (i + 0.5) * h->step; }

/* Maximises w1 w2 (m1 - m2)^2 over cuts behind bin i; the first of equal ones. */
static double otsu(const histogram *h) {
  double w = 0, m = 0, w1 = 0, m1 = 0, best = -1;
  int at = 0;
  for (int i = 0; i < BINS; i++) {
    w += h->count[i];
    m += h->count[i] * centre(h, i);
  }
  for (int i = 0; i < BINS - 1; i++) {
    w1 += h->count[i];
    m1 += h->count[i] * centre(h, i);
    const double w2 = w - w1, d = w1 > 0 && w2 > 0 ? m1 / w1 - (m - m1) / w2 : 0;
    if (w1 * w2 * d * d > best) {
      best = w1 * w2 * d * d;
      at = i;
    }
  }
  return centre(h, at);
}

static double threshold(const pair *p) {
  histogram h = {{0}, INFINITY, 0};
  double hi = -INFINITY;
  for (ptrdiff_t i = 0; i < p->ny * p->nx; i++) {
    if (!inside(p, i / p->nx, i % p->nx)) continue;
    h.lo = fmin(h.lo, (double)p->x[i]);
    hi = fmax(hi, (double)p->x[i]);
  }
  if (!(hi > h.lo)) return h.lo;
  h.step = (hi - h.lo) / BINS;
  for (ptrdiff_t i = 0; i < p->ny * p->nx; i++) {
    if (!inside(p, i / p->nx, i % p->nx)) continue;
    const int bin = (int)(((double)p->x[i] - h.lo) / h.step);
    h.count[bin < BINS ? bin : BINS - 1]++;
  }
  return otsu(&h);
}

double pri_otsu(const pri_real *x, ptrdiff_t n) {
  const pair p = {x, x, 1, n, 0};
  return n > 0 ? threshold(&p) : NAN;
}

static double matthews(const pair *p, double lower) {
  const double cut = threshold(p);
  double n[2][2] = {{0}};
  for (ptrdiff_t i = 0; i < p->ny * p->nx; i++)
    if (inside(p, i / p->nx, i % p->nx)) n[(double)p->x[i] > cut][(double)p->r[i] > lower]++;
  const double product = (n[1][1] + n[1][0]) * (n[1][1] + n[0][1]) * (n[0][0] + n[1][0]) * (n[0][0] + n[0][1]);
  return product > 0 ? (n[1][1] * n[0][0] - n[1][0] * n[0][1]) / sqrt(product) : 0;
}

/* ---- all of them */

pri_status pri_score_image(pri_ctx *ctx, pri_score *out, const pri_real *image, const pri_real *ref, ptrdiff_t ny, ptrdiff_t nx,
                           const pri_score_opts *opts) {
  const pri_score_opts standard = {1, 1, PRI_SSIM_GAUSSIAN, 0}, *o = opts ? opts : &standard;
  const pair p = {image, ref, ny, nx, o->disc};
  const sums s = sum_up(&p);
  if (!s.finite) return PRI_FAIL(ctx, PRI_EDATA, "image or reference holds values that are not finite");
  const double n = (double)s.n;
  *out = (pri_score){.rmse = sqrt(s.square / n), .mae = s.size / n, .re = sqrt(s.square / s.reference), .mcc = NAN};
  out->psnr = 10 * log10(o->peak * o->peak / (s.square / n));
  if (!s.other && s.lo < s.hi) out->mcc = matthews(&p, s.lo);
  return ssim(ctx, &p, o, &out->ssim);
}

const char *pri_score_definitions(void) {
  return "{\"psnr\":\"dB, 10 log10(peak^2 / mean((image - ref)^2)), peak 1 unless given\","
         "\"ssim\":\"mean over pixels whose window lies in the image; Gaussian 11x11, sd 1.5, c1 = (0.01 range)^2, c2 = (0.03 range)^2, range 1 unless "
         "given; uniform7: 7x7, equal weights, sample covariances\","
         "\"re\":\"norm2(image - ref) / norm2(ref)\",\"rmse\":\"sqrt(mean((image - ref)^2))\",\"mae\":\"mean(abs(image - ref))\","
         "\"mcc\":\"Matthews correlation of image > Otsu threshold (256 bins) and ref > its lower value; only where ref has two values\","
         "\"mean\":\"mean of the slices\",\"disk\":\"pixels whose centre is in the inscribed disc\"}";
}
