/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * psf.c - see psf.h: which PSF the keys mean, and those that a formula draws in pixels.
 *
 *   gaussian  h_j = prod_a Phi((j_a + 1/2) / s_a) - Phi((j_a - 1/2) / s_a), |j_a| <= ceil(4 s_a); Phi: normal distribution
 *   box       h_j = prod_a |[j_a - 1/2, j_a + 1/2] meets [-w_a / 2, w_a / 2]| / w_a
 *   disk      h_j = area that the disk of radius r shares with pixel j / (pi r^2); in the plane
 *   motion    h_j = (1/L) int over the path of t(x - j_x) t(y - j_y), t(u) = max(0, 1 - |u|): the mean over the path of an image that is
 *             linear between its pixels; in the plane
 */
#define _GNU_SOURCE
#include "psf.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "number.h"
#include "priori/io.h"

enum { Z, Y, X };

const char *const pri_psf_centers[] = {"auto", "peak", "mass", "middle", NULL};
const char *const pri_psf_negatives[] = {"clip", "keep", NULL};

void pri_psf_destroy(pri_ctx *ctx, pri_psf *p) {
  pri_free(ctx, p->h);
  *p = (pri_psf){0};
}

pri_status pri_psf_alloc(pri_ctx *ctx, pri_psf *p, const char *who, const ptrdiff_t k[3]) {
  double all = 1;
  for (int a = 0; a < 3; a++) {
    p->k[a] = k[a];
    p->c[a] = k[a] / 2;
    all *= (double)k[a];
  }
  if (all > PRI_PSF_LARGEST) return PRI_FAIL(ctx, PRI_EPARAM, "%s: a point-spread function of %td x %td x %td elements is too large", who, k[Z], k[Y], k[X]);
  PRI_ALLOC(ctx, p->h, (size_t)all);
  return PRI_OK;
}

pri_status pri_psf_unit_sum(pri_ctx *ctx, pri_psf *p, const char *who) {
  const ptrdiff_t n = p->k[Z] * p->k[Y] * p->k[X];
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) sum += p->h[i];
  if (!isfinite(sum)) return PRI_FAIL(ctx, PRI_EDATA, "%s: the point-spread function has values that are not finite", who);
  if (!(sum > 0)) return PRI_FAIL(ctx, PRI_EDATA, "%s: the point-spread function has the sum %g; it must be positive", who, sum);
  for (ptrdiff_t i = 0; i < n; i++) p->h[i] /= sum;
  return PRI_OK;
}

static int turned_alike(const pri_psf *p, unsigned axes) { /* axes: bit a turns axis a about the centre */
  for (int a = 0; a < 3; a++)
    if (p->k[a] != 2 * p->c[a] + 1) return 0;
  for (ptrdiff_t z = 0; z < p->k[Z]; z++)
    for (ptrdiff_t y = 0; y < p->k[Y]; y++)
      for (ptrdiff_t x = 0; x < p->k[X]; x++) {
        const ptrdiff_t u = axes & 1u ? p->k[Z] - 1 - z : z, v = axes & 2u ? p->k[Y] - 1 - y : y, w = axes & 4u ? p->k[X] - 1 - x : x;
        if (p->h[(z * p->k[Y] + y) * p->k[X] + x] != p->h[(u * p->k[Y] + v) * p->k[X] + w]) return 0;
      }
  return 1;
}

int pri_psf_symmetric(const pri_psf *p) { return turned_alike(p, 7u); }
int pri_psf_mirrored(const pri_psf *p) { return turned_alike(p, 1u) && turned_alike(p, 2u) && turned_alike(p, 4u); }

int pri_psf_nonnegative(const pri_psf *p) {
  for (ptrdiff_t i = 0; i < p->k[Z] * p->k[Y] * p->k[X]; i++)
    if (p->h[i] < 0) return 0;
  return 1;
}

/* ---- lengths: "1.5", "1.5x1.5x2", "0.3um"; in pixels, axis order z, y, x */

struct drawing {
  pri_ctx *ctx;
  const char *who;
  const pri_psf_keys *keys;
  int nd;
};

static pri_status one_length(const struct drawing *d, const char *key, const char *text, int axis, double *px) {
  char who[64], *end;
  snprintf(who, sizeof who, "%.30s: %s", d->who, key);
  const double v = pri_number_parse(text, &end), pixel = d->keys->pixel[axis == Z && d->nd == 3 ? 1 : 0];
  if (end != text && (!*end || !strcmp(end, "px"))) {
    *px = v;
    return PRI_OK;
  }
  PRI_TRY(pri_quantity_parse(d->ctx, who, text, "mm", px));
  if (!(pixel > 0) && d->keys->pixel[0] > 0)
    return PRI_FAIL(d->ctx, PRI_EPARAM, "%s=%s is a length, and the image does not say how far apart its planes are: add pixel= in-plane x axial, e.g. pixel=0.1umx0.3um", who, text);
  if (!(pixel > 0)) return PRI_FAIL(d->ctx, PRI_EPARAM, "%s=%s is a length, and the image does not say how large its pixels are: add pixel=, e.g. pixel=0.1um, or give pixels instead of a length", who, text);
  *px /= pixel;
  return PRI_OK;
}

/* text: one to three numbers joined by 'x', x first; the last one is repeated. v: z, y, x */
static pri_status lengths(const struct drawing *d, const char *key, const char *text, double v[3], double least, double most) {
  char part[3][40];
  const char *s = text;
  int n = 0;
  for (; *s && n < 3; n++) {
    size_t len = 0;
    while (s[len] && len < 39 && !(len && s[len] == 'x' && (isdigit((unsigned char)s[len + 1]) || s[len + 1] == '.'))) len++;
    memcpy(part[n], s, len);
    part[n][len] = 0;
    s += len + (s[len] == 'x');
  }
  if (n == 0 || *s) return PRI_FAIL(d->ctx, PRI_EPARAM, "%s: %s=%s: give one number, or one for each axis (x first), joined by x", d->who, key, text);
  if (n == 3 && d->nd == 2) return PRI_FAIL(d->ctx, PRI_ESHAPE, "%s: %s=%s has three axes, the image has two", d->who, key, text);
  for (int i = 0; i < 3; i++) {
    const int axis = X - i;
    PRI_TRY(one_length(d, key, part[i < n ? i : n - 1], axis, &v[axis]));
    if (!(v[axis] >= least && v[axis] <= most)) return PRI_FAIL(d->ctx, PRI_EPARAM, "%s: %s=%s is outside [%g, %g] px", d->who, key, text, least, most);
  }
  return PRI_OK;
}

/* reach[]: half the extent that an axis takes; size= overrides it */
static pri_status room(const struct drawing *d, pri_psf *p, const double reach[3]) {
  ptrdiff_t k[3];
  for (int a = Z; a <= X; a++) {
    const ptrdiff_t *size = d->keys->size, asked = a == Y && !size[1] ? size[0] : size[X - a]; /* one number: both sides in the plane */
    k[a] = a == Z && d->nd == 2 ? 1 : asked ? asked : 2 * (ptrdiff_t)ceil(reach[a]) + 1;
    if (k[a] % 2 == 0) return PRI_FAIL(d->ctx, PRI_EPARAM, "%s: size: %td is even; a point-spread function is drawn to odd extents", d->who, k[a]);
  }
  return pri_psf_alloc(d->ctx, p, d->who, k);
}

/* ---- products of one-dimensional functions */

static double gaussian_at(double j, double s) { return 0.5 * (erfc((fabs(j) - 0.5) / (s * sqrt(2.0))) - erfc((fabs(j) + 0.5) / (s * sqrt(2.0)))); }
static double box_at(double j, double w) { return fmax(0, fmin(j + 0.5, 0.5 * w) - fmax(j - 0.5, -0.5 * w)) / w; }

static void product(pri_psf *p, double (*at)(double j, double v), const double v[3]) {
  double *h = p->h;
  for (ptrdiff_t z = 0; z < p->k[Z]; z++)
    for (ptrdiff_t y = 0; y < p->k[Y]; y++)
      for (ptrdiff_t x = 0; x < p->k[X]; x++)
        *h++ = (p->k[Z] == 1 ? 1 : at((double)(z - p->c[Z]), v[Z])) * at((double)(y - p->c[Y]), v[Y]) * at((double)(x - p->c[X]), v[X]);
  p->separable = 1;
}

static pri_status gaussian(const struct drawing *d, pri_psf *p) {
  double s[3];
  PRI_TRY(lengths(d, "sigma", d->keys->sigma ? d->keys->sigma : "1", s, 0.05, 500));
  PRI_TRY(room(d, p, (double[3]){4 * s[Z], 4 * s[Y], 4 * s[X]}));
  product(p, gaussian_at, s);
  return PRI_OK;
}

static pri_status box(const struct drawing *d, pri_psf *p) {
  double w[3];
  PRI_TRY(lengths(d, "width", d->keys->width ? d->keys->width : "3", w, 0.1, 2000));
  PRI_TRY(room(d, p, (double[3]){0.5 * w[Z] - 0.5, 0.5 * w[Y] - 0.5, 0.5 * w[X] - 0.5}));
  product(p, box_at, w);
  return PRI_OK;
}

/* ---- in the plane */

static double under_arc(double x, double r) { return 0.5 * (x * sqrt(fmax(0, r * r - x * x)) + r * r * asin(fmax(-1, fmin(1, x / r)))); }

/* Area of {0 <= x <= a, 0 <= y <= b} within radius r, a, b >= 0. */
static double quarter(double a, double b, double r) {
  a = fmin(a, r);
  b = fmin(b, r);
  const double bend = sqrt(fmax(0, r * r - b * b)); /* up to here y = b is inside */
  if (bend >= a) return a * b;
  return bend * b + under_arc(a, r) - under_arc(bend, r);
}

static double signed_quarter(double x, double y, double r) { return (x < 0 ? -1 : 1) * (y < 0 ? -1 : 1) * quarter(fabs(x), fabs(y), r); }

static double disk_at(double x, double y, double r) { /* by |x|, |y|, so that mirrored pixels have the same bits */
  const double a = fabs(x) - 0.5, b = fabs(x) + 0.5, c = fabs(y) - 0.5, e = fabs(y) + 0.5;
  return fmax(0, signed_quarter(b, e, r) - signed_quarter(a, e, r) - signed_quarter(b, c, r) + signed_quarter(a, c, r));
}

static pri_status disk(const struct drawing *d, pri_psf *p) {
  double r[3];
  PRI_TRY(lengths(d, "radius", d->keys->radius ? d->keys->radius : "2", r, 0.1, 1000));
  PRI_TRY(room(d, p, (double[3]){0, r[X] - 0.5, r[X] - 0.5}));
  for (ptrdiff_t y = 0; y < p->k[Y]; y++)
    for (ptrdiff_t x = 0; x < p->k[X]; x++) p->h[(p->c[Z] * p->k[Y] + y) * p->k[X] + x] = disk_at((double)(x - p->c[X]), (double)(y - p->c[Y]), r[X]);
  return PRI_OK;
}

/* One point of the path, shared among the four pixels around it, and the point opposite. */
static void drop(pri_psf *p, double x, double y, double weight) {
  const double fx = floor(x), fy = floor(y);
  for (int k = 0; k < 4; k++) {
    const ptrdiff_t i = (ptrdiff_t)fx + k % 2, j = (ptrdiff_t)fy + k / 2;
    const double w = weight * (1 - fabs(x - (double)i)) * (1 - fabs(y - (double)j));
    if (i < -p->c[X] || i > p->c[X] || j < -p->c[Y] || j > p->c[Y]) continue;
    p->h[(p->c[Z] * p->k[Y] + p->c[Y] + j) * p->k[X] + p->c[X] + i] += w;
    p->h[(p->c[Z] * p->k[Y] + p->c[Y] - j) * p->k[X] + p->c[X] - i] += w;
  }
}

static pri_status motion(const struct drawing *d, pri_psf *p) {
  double length[3];
  PRI_TRY(lengths(d, "length", d->keys->length ? d->keys->length : "5", length, 0, 2000));
  const double half = 0.5 * length[X], c = cos(d->keys->angle), s = -sin(d->keys->angle); /* rows run downwards, y up */
  PRI_TRY(room(d, p, (double[3]){0, fabs(half * s) - 1e-9, fabs(half * c) - 1e-9}));
  const long steps = 64 * (long)ceil(half) + 64; /* midpoints: the integrand is smooth between the lines of the grid */
  for (long i = 0; i < steps; i++) {
    const double t = half * ((double)i + 0.5) / (double)steps;
    drop(p, t * c, t * s, 0.5 / (double)steps);
  }
  return PRI_OK;
}

/* ---- which one */

static pri_status optics(const struct drawing *d, pri_psf *p) { return pri_psf_draw_optics(d->ctx, p, d->who, d->keys, d->nd); }

static const struct shape {
  const char *name;
  pri_status (*draw)(const struct drawing *d, pri_psf *p);
} shapes[] = {{"gaussian", gaussian}, {"disk", disk}, {"motion", motion}, {"box", box}, {"airy", optics}, {"born-wolf", optics}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

int pri_psf_drawn(const char *spec) {
  const size_t n = strcspn(spec, ":");
  for (int i = 0; i < SHAPES; i++)
    if (strlen(shapes[i].name) == n && !strncmp(spec, shapes[i].name, n)) return 1;
  return 0;
}

static void take_pixel(pri_psf_keys *k, const pri_meta *m) {
  if (!m || !isnan(k->pixel[0]) || !(m->pixel[0] > 0)) return;
  k->pixel[0] = m->pixel[0];
  k->pixel[1] = k->pixel[2] = m->pixel[2] > 0 ? m->pixel[2] : (double)NAN;
}

static const struct shape *shape_of(const pri_psf_keys *k) { /* NULL: a file */
  for (int i = 0; i < SHAPES; i++)
    if (!strcmp(k->psf, shapes[i].name)) return &shapes[i];
  return NULL;
}

/* "gausian:sigma=2" is no file, but nearly a shape */
static pri_status refuse_typo(pri_ctx *ctx, const char *who, const char *psf) {
  const char *names[SHAPES];
  char name[32];
  struct stat st;
  snprintf(name, sizeof name, "%.*s", (int)strcspn(psf, ":"), psf);
  for (int i = 0; i < SHAPES; i++) names[i] = shapes[i].name;
  const int near = stat(psf, &st) < 0 ? pri_nearest(name, names, SHAPES) : -1;
  if (near < 0) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: psf=%s is neither a file nor a shape; did you mean '%s'?", who, psf, names[near]);
}

pri_status pri_psf_pages(pri_ctx *ctx, const pri_psf_keys *keys, ptrdiff_t *pages) {
  pri_input *in;
  *pages = 1;
  if (shape_of(keys)) return PRI_OK;
  PRI_TRY(pri_input_open(ctx, &in, keys->psf));
  const pri_input_info *i = pri_input_describe(in);
  *pages = i->items * (i->item.nd == 3 ? i->item.n[0] : 1);
  pri_input_close(&in);
  return PRI_OK;
}

/* nd 0: three axes where three extents are given, or the formula has them */
static int axes_of(const pri_psf_keys *k) {
  const char *const texts[] = {k->sigma, k->width};
  int three = k->size[2] > 1 || (!strcmp(k->psf, "born-wolf") && !k->size[0]);
  for (int i = 0; i < 2; i++) {
    int joints = 0;
    for (const char *s = texts[i]; s && *s; s++) joints += *s == 'x' && (isdigit((unsigned char)s[1]) || s[1] == '.');
    three |= joints == 2;
  }
  return three ? 3 : 2;
}

pri_status pri_psf_create(pri_ctx *ctx, pri_psf *out, const char *who, pri_psf_keys *keys, int nd, const pri_meta *meta) {
  const struct drawing d = {ctx, who, keys, nd ? nd : axes_of(keys)};
  *out = (pri_psf){0};
  take_pixel(keys, meta);
  const struct shape *shape = shape_of(keys);
  if (nd == 2 && !strcmp(keys->psf, "born-wolf"))
    return PRI_FAIL(ctx, PRI_ESHAPE, "%s: psf=born-wolf has three axes, the image has two; airy is its plane in focus", who);
  if (shape) {
    PRI_TRY(shape->draw(&d, out));
    return pri_psf_unit_sum(ctx, out, who);
  }
  PRI_TRY(refuse_typo(ctx, who, keys->psf));
  return pri_psf_load(ctx, out, who, keys, nd);
}
