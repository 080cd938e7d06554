/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * psf_file.c - a point-spread function from a file: h = max(0, file - background) / sum, and the place of its centre.
 * Each step is said by pri_log, so that nobody deconvolves with something else than what was measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "number.h"
#include "priori/io.h"
#include "psf.h"

enum { Z, Y, X };
enum { AUTO, PEAK, MASS, MIDDLE };
enum { CLIP, KEEP };

static ptrdiff_t size_of(const pri_psf *p) { return p->k[Z] * p->k[Y] * p->k[X]; }

/* Axes of extent 1 do not count. */
static pri_status extents(pri_ctx *ctx, const pri_array *a, const char *who, const pri_psf_keys *keys, int nd, ptrdiff_t k[3]) {
  ptrdiff_t all[PRI_MAXDIM + 1];
  const char *file = keys->psf;
  int n = 0;
  if (keys->page && a->shape.nd >= 2) { /* one plane of several */
    k[Z] = 1;
    k[Y] = a->shape.n[a->shape.nd - 2];
    k[X] = a->shape.n[a->shape.nd - 1];
    return PRI_OK;
  }
  if (a->items > 1) all[n++] = a->items;
  for (int i = 0; i < a->shape.nd; i++)
    if (a->shape.n[i] > 1) all[n++] = a->shape.n[i];
  if (n > 3 || (nd && n > nd))
    return PRI_FAIL(ctx, PRI_ESHAPE, "%s: the point-spread function of %s has %d axes, the image has %d%s", who, file, n, nd ? nd : 3,
                    n == 3 && nd == 2 ? ": a stack is a volume with --item volume; a PSF a channel wants channels=yes" : "");
  for (int i = 0; i < 3; i++) k[i] = i < 3 - n ? 1 : all[i - 3 + n];
  return PRI_OK;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int at_border(const pri_psf *p, ptrdiff_t i) {
  const ptrdiff_t x = i % p->k[X], y = i / p->k[X] % p->k[Y], z = i / p->k[X] / p->k[Y];
  return x == 0 || x == p->k[X] - 1 || y == 0 || y == p->k[Y] - 1 || (p->k[Z] > 1 && (z == 0 || z == p->k[Z] - 1));
}

static pri_status border_median(pri_ctx *ctx, const pri_psf *p, double *median) {
  double *v;
  size_t n = 0;
  PRI_ALLOC(ctx, v, size_of(p));
  for (ptrdiff_t i = 0; i < size_of(p); i++)
    if (at_border(p, i)) v[n++] = p->h[i];
  qsort(v, n, sizeof *v, by_value);
  *median = n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
  pri_free(ctx, v);
  return PRI_OK;
}

static pri_status take_background(pri_ctx *ctx, pri_psf *p, const char *who, const pri_psf_keys *keys) {
  double b = 0;
  char *end;
  if (!keys->background || !strcmp(keys->background, "none")) return PRI_OK;
  if (!strcmp(keys->background, "auto")) {
    PRI_TRY(border_median(ctx, p, &b));
  } else {
    b = pri_number_parse(keys->background, &end);
    if (*end || end == keys->background || !isfinite(b))
      return PRI_FAIL(ctx, PRI_EPARAM, "%s: background=%s is neither a number, nor auto, nor none", who, keys->background);
  }
  for (ptrdiff_t i = 0; i < size_of(p); i++) p->h[i] -= b;
  pri_log(ctx, PRI_LOG_INFO, "%s: %.6g is taken off %s as its background", who, b, keys->psf);
  return PRI_OK;
}

static void clip(pri_ctx *ctx, pri_psf *p, const char *who, const pri_psf_keys *keys) {
  double below = 0, all = 0;
  ptrdiff_t n = 0;
  for (ptrdiff_t i = 0; i < size_of(p); i++) {
    all += fabs(p->h[i]);
    if (p->h[i] < 0) below -= p->h[i], n++;
  }
  if (n == 0) return;
  pri_log(ctx, PRI_LOG_INFO, "%s: %td values of %s are negative (%.3g %% of its absolute sum); they %s", who, n, keys->psf, 100 * below / all,
          keys->negative == KEEP ? "stay" : "become 0 (negative=keep keeps them)");
  for (ptrdiff_t i = 0; keys->negative == CLIP && i < size_of(p); i++) p->h[i] = fmax(0, p->h[i]);
}

/* ---- the centre */

static void peak_of(const pri_psf *p, ptrdiff_t at[3]) {
  ptrdiff_t best = 0;
  for (ptrdiff_t i = 1; i < size_of(p); i++)
    if (p->h[i] > p->h[best]) best = i;
  at[X] = best % p->k[X];
  at[Y] = best / p->k[X] % p->k[Y];
  at[Z] = best / p->k[X] / p->k[Y];
}

static void mass_of(const pri_psf *p, ptrdiff_t at[3]) {
  double sum = 0, m[3] = {0};
  for (ptrdiff_t i = 0; i < size_of(p); i++) {
    sum += p->h[i];
    m[X] += p->h[i] * (double)(i % p->k[X]);
    m[Y] += p->h[i] * (double)(i / p->k[X] % p->k[Y]);
    m[Z] += p->h[i] * (double)(i / p->k[X] / p->k[Y]);
  }
  for (int a = 0; a < 3; a++) at[a] = (ptrdiff_t)fmin((double)(p->k[a] - 1), fmax(0, floor(m[a] / sum + 0.5)));
}

/* auto: the middle of an axis (k/2, and of an even one k/2 - 1 as well) unless the largest value lies elsewhere */
static const char *choose(pri_psf *p, int how) {
  ptrdiff_t peak[3], mass[3];
  int moved = 0;
  peak_of(p, peak);
  mass_of(p, mass);
  for (int a = 0; a < 3; a++) {
    const int middle = peak[a] == p->k[a] / 2 || (p->k[a] % 2 == 0 && peak[a] == p->k[a] / 2 - 1);
    moved |= !middle;
  }
  for (int a = 0; a < 3; a++) p->c[a] = how == MIDDLE ? p->k[a] / 2 : how == MASS ? mass[a] : peak[a];
  if (how == AUTO) return moved ? "its largest value, which is not its middle" : "its middle, where its largest value is";
  return how == PEAK ? "its largest value" : how == MASS ? "its centre of mass" : "its middle";
}

static void centre(pri_ctx *ctx, pri_psf *p, const char *who, const pri_psf_keys *keys, double sum) {
  const char *why = choose(p, keys->center);
  pri_log(ctx, PRI_LOG_INFO, "%s: %s, %td x %td x %td (x, y, z), sum %.6g%s; the centre is %s: (%td, %td, %td)", who, keys->psf, p->k[X], p->k[Y], p->k[Z], sum,
          keys->normalise ? ", made 1" : "", why, p->c[X], p->c[Y], p->c[Z]);
}

static pri_status copy(pri_ctx *ctx, pri_psf *p, const char *who, const pri_psf_keys *keys, const pri_array *a) {
  const pri_real *from = a->data + (keys->page ? (keys->page - 1) * size_of(p) : 0);
  for (ptrdiff_t i = 0; i < size_of(p); i++) {
    p->h[i] = (double)from[i];
    if (!isfinite(p->h[i])) return PRI_FAIL(ctx, PRI_EDATA, "%s: element %td of the point-spread function %s is not finite", who, i, keys->psf);
  }
  return PRI_OK;
}

/* ---- pitch */

/* What the file says of its own pixels, where the key does not */
static pri_status file_pixel(pri_ctx *ctx, pri_psf_keys *keys) {
  pri_input *in;
  if (keys->psf_pixel[0] > 0) return PRI_OK;
  PRI_TRY(pri_input_open(ctx, &in, keys->psf));
  const pri_meta *m = &pri_input_describe(in)->meta;
  if (m->pixel[0] > 0) {
    keys->psf_pixel[0] = m->pixel[0];
    keys->psf_pixel[1] = keys->psf_pixel[2] = m->pixel[2] > 0 ? m->pixel[2] : (double)NAN; /* planes: as those of the image */
  }
  pri_input_close(&in);
  return PRI_OK;
}

/* An image that is silent of the distance of its planes is taken to have that of the PSF. */
static void believe_planes(pri_ctx *ctx, const pri_psf *p, const char *who, pri_psf_keys *keys) {
  if (p->k[Z] == 1 || !(keys->pixel[0] > 0) || keys->pixel[1] > 0 || !(keys->psf_pixel[1] > 0)) return;
  keys->pixel[1] = keys->pixel[2] = keys->psf_pixel[1];
  pri_log(ctx, PRI_LOG_INFO, "%s: the image does not say how far apart its planes are; %.4g um is taken, as in %s (pixel= says otherwise)", who, 1e3 * keys->pixel[1], keys->psf);
}

static pri_status match_pitch(pri_ctx *ctx, pri_psf *p, const char *who, pri_psf_keys *keys, int asked) {
  const double *from = keys->psf_pixel, *to = keys->pixel;
  believe_planes(ctx, p, who, keys);
  if (asked && !(to[0] > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "%s: psf-pixel= is given, and the image does not say how large its own pixels are: give pixel= too", who);
  if (!(from[0] > 0) || !(to[0] > 0)) return PRI_OK;
  const double plane = to[0] / from[0], axial = from[1] > 0 && to[1] > 0 ? to[1] / from[1] : 1, s[3] = {axial, plane, plane};
  if (fabs(plane - 1) <= 0.01 && (p->k[Z] == 1 || fabs(axial - 1) <= 0.01)) return PRI_OK;
  if (!asked && (plane > 20 || plane < 0.05 || axial > 20 || axial < 0.05)) { /* 72 dpi and the like */
    pri_log(ctx, PRI_LOG_WARN, "%s: %s says that its pixels are %.4g um wide, the image's are %.4g um: not believed; psf-pixel= says otherwise", who, keys->psf, 1e3 * from[0], 1e3 * to[0]);
    return PRI_OK;
  }
  if (plane > 100 || plane < 0.01 || axial > 100 || axial < 0.01)
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: the pixels of %s (%g um) and of the image (%g um) differ by more than a factor of 100", who, keys->psf, 1e3 * from[0], 1e3 * to[0]);
  const ptrdiff_t k[3] = {p->k[Z], p->k[Y], p->k[X]};
  PRI_TRY(pri_psf_resample(ctx, p, who, s));
  const double planes = to[1] > 0 ? to[1] / axial : from[1];
  pri_log(ctx, PRI_LOG_INFO, "%s: %s is resampled from pixels of %.4g um (axial %.4g) to %.4g um (axial %.4g): %td x %td x %td becomes %td x %td x %td", who, keys->psf, 1e3 * from[0],
          1e3 * planes, 1e3 * to[0], 1e3 * to[1], k[X], k[Y], k[Z], p->k[X], p->k[Y], p->k[Z]);
  return PRI_OK;
}

static pri_status prepare(pri_ctx *ctx, pri_psf *p, const char *who, pri_psf_keys *keys) {
  const int asked = keys->psf_pixel[0] > 0;
  double sum = 0;
  PRI_TRY(take_background(ctx, p, who, keys));
  clip(ctx, p, who, keys);
  for (ptrdiff_t i = 0; i < size_of(p); i++) sum += p->h[i];
  centre(ctx, p, who, keys, sum);
  PRI_TRY(file_pixel(ctx, keys));
  PRI_TRY(match_pitch(ctx, p, who, keys, asked));
  return keys->normalise ? pri_psf_unit_sum(ctx, p, who) : PRI_OK;
}

pri_status pri_psf_load(pri_ctx *ctx, pri_psf *p, const char *who, pri_psf_keys *keys, int nd) {
  pri_array a = {0};
  ptrdiff_t k[3];
  pri_status s = pri_input_load(ctx, keys->psf, &a);
  if (s == PRI_OK) s = extents(ctx, &a, who, keys, nd, k);
  if (s == PRI_OK) s = pri_psf_alloc(ctx, p, who, k);
  if (s == PRI_OK) s = copy(ctx, p, who, keys, &a);
  pri_array_destroy(&a);
  PRI_TRY(s);
  return prepare(ctx, p, who, keys);
}
