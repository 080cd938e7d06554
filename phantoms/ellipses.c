/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ellipses.c - random family in the manner of COULE (contrasted overlapping uniform lines and ellipses): 16 to 20 ellipses of
 * grey 0 to 0.9, 16 to 20 dots and 6 to 10 thin lines of grey 0.9, and bright ellipses (0.5 to 1) in the middle of some of the first;
 * what is drawn later hides what is below. Values are divided by the largest, so that they lie in [0, 1].
 *
 * Sizes follow the public generator for 512 pixels (loibo/SparseCT, data.py): semi-axes 50 to 150 and 20 to 60, dots of radius 3 to 8, lines of
 * half length 80 to 160 and half width 1, all over 256. Deviation: figures stay inside a disc of 0.96 of half the side, so that no
 * detector as wide as the image truncates them; angles are uniform over half a turn. The public generator draws ellipsoids (depth 10 to 30
 * pixels), spheres and rods in a slab of 32 pixels, centres 5 pixels and more inside; an image is one plane of it: slab=yes.
 * Object k is a pure function of (seed, k, keys): figure i owns eight numbers of the stream.
 */
#include "figures.h"

#include <math.h>
#include <stddef.h>

#include "priori/rng.h"

static const double pi = 3.14159265358979323846;
enum { DRAWS = 8, REACH = 4 * PRI_FIGURES_MAX }; /* random numbers a figure; figures an object at most */
enum { ROOM = 11, LINES = 6 }; /* of 512 pixels: how far from the middle of a slab of 32 centres lie, those of lines */
struct ellipses { long size, count, dots, lines, inner; int slab; };

struct dice { uint64_t seed, at; }; /* at: of the next figure */

static double roll(const struct dice *d, int k, double lo, double hi) {
  return lo + (hi - lo) * pri_rng_uniform_at(d->seed, "phantom/ellipses", d->at + (uint64_t)k);
}

static long amount(struct dice *d, long given, long lo, long hi) {
  const long drawn = lo + (long)floor(roll(d, 0, 0, (double)(hi - lo + 1)));
  d->at += DRAWS;
  return given >= 0 ? given : drawn > hi ? hi : drawn;
}

/* uniform in the disc that leaves room for the figure */
static void place(const struct dice *d, pri_figure *f) {
  const double room = fmax(0.96 - fmax(f->a, f->b), 0), r = room * sqrt(roll(d, 5, 0, 1)), t = roll(d, 6, 0, 2 * pi);
  f->x = r * cos(t), f->y = r * sin(t);
}

static pri_figure one(struct dice *d, double a, double b, double value) {
  pri_figure f = {.outline = PRI_ELLIPSE, .value = value, .a = a, .b = b, .phi = roll(d, 4, 0, pi)};
  place(d, &f);
  d->at += DRAWS;
  return f;
}

/* Cut of the middle plane through an ellipsoid with depth c at distance z: smaller by sqrt(1 - (z/c)^2), or not there. */
static void cut(pri_figure *f, double z, double c) {
  const double s = fabs(z) < c ? sqrt(1 - z / c * (z / c)) : 0;
  f->a *= s, f->b *= s;
}

/* The slab: depths and distances of the public generator, in pixels of 512, from numbers that nothing else uses. */
static void cut_all(const struct dice *start, const pri_figures *all, long count, long dots, long lines) {
  struct dice d = *start;
  for (ptrdiff_t i = 0; i < all->n; i++, d.at += DRAWS) {
    pri_figure *f = &all->f[i];
    const double z = roll(&d, 7, -ROOM, ROOM);
    if (i < count)
      cut(f, z, roll(&d, 3, 10, 30));
    else if (i < count + dots)
      cut(f, z, f->a * 256);
    else if (i < count + dots + lines)
      f->a *= fabs(roll(&d, 7, -LINES, LINES)) <= 1;
    else { /* has the distance of the ellipse that it lies in */
      const struct dice outer = {start->seed, start->at + (uint64_t)(i - count - dots - lines) * DRAWS};
      cut(f, roll(&outer, 7, -ROOM, ROOM), roll(&d, 3, 3, 6));
    }
  }
}

static void drop_empty(pri_figures *all) {
  ptrdiff_t n = 0;
  for (ptrdiff_t i = 0; i < all->n; i++)
    if (all->f[i].a > 0) all->f[n++] = all->f[i];
  all->n = n;
}

static void figures(const void *priv, uint64_t seed, ptrdiff_t object, pri_figures *out) {
  const struct ellipses *p = priv;
  struct dice d = {seed, (uint64_t)object * REACH * DRAWS};
  const long count = amount(&d, p->count, 16, 20), dots = amount(&d, p->dots, 16, 20), lines = amount(&d, p->lines, 6, 10);
  const long inner = amount(&d, p->inner, 1, count > 0 ? count : 1);
  const struct dice start = d;
  pri_figure *f = out->f;
  for (long i = 0; i < count; i++, f++) *f = one(&d, roll(&d, 0, 50, 150) / 256, roll(&d, 1, 20, 60) / 256, roll(&d, 2, 0, 0.9));
  for (long i = 0; i < dots; i++, f++) {
    const double r = roll(&d, 0, 3, 8) / 256;
    *f = one(&d, r, r, 0.9);
  }
  for (long i = 0; i < lines; i++, f++) {
    *f = one(&d, roll(&d, 0, 80, 160) / 256, 1.0 / 256, 0.9);
    f->outline = PRI_BOX;
  }
  for (long i = 0; i < inner && i < count; i++, f++) {
    *f = one(&d, roll(&d, 0, 10, 20) / 256, roll(&d, 1, 10, 20) / 256, roll(&d, 2, 0.5, 1));
    f->x = out->f[i].x, f->y = out->f[i].y; /* concentric with ellipse i */
  }
  out->n = f - out->f;
  if (p->slab) {
    cut_all(&start, out, count, dots, lines);
    drop_empty(out);
  }
  double top = 0;
  for (ptrdiff_t i = 0; i < out->n; i++) top = fmax(top, out->f[i].value);
  for (ptrdiff_t i = 0; i < out->n && top > 0; i++) out->f[i].value /= top;
}

static pri_status init(pri_ctx *ctx, void *priv) {
  (void)ctx, (void)priv;
  return PRI_OK;
}

static pri_status shape(const void *priv, pri_shape *s) {
  const struct ellipses *p = priv;
  *s = pri_shape_2d(p->size, p->size);
  return PRI_OK;
}

static pri_status draw(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first) { return pri_figures_draw_each(ctx, figures, priv, x, first); }

static pri_status project(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  return pri_figures_project_each(ctx, figures, priv, g, bin_average, y, first);
}

static const pri_param params[] = {
    {.name = "count", .unit = "1", .help = "ellipses; -1: 16 to 20, drawn for each object",
     .type = PRI_INT, .offset = offsetof(struct ellipses, count), .min = -1, .max = 128, .def = -1},
    {.name = "size", .unit = "pixels", .help = "side of the image",
     .type = PRI_INT, .offset = offsetof(struct ellipses, size), .min = 1, .max = 65536, .def = 256},
    {.name = "dots", .unit = "1", .help = "small discs; -1: 16 to 20",
     .type = PRI_INT, .offset = offsetof(struct ellipses, dots), .min = -1, .max = 128, .def = -1},
    {.name = "lines", .unit = "1", .help = "thin lines; -1: 6 to 10",
     .type = PRI_INT, .offset = offsetof(struct ellipses, lines), .min = -1, .max = 128, .def = -1},
    {.name = "inner", .unit = "1", .help = "bright ellipses inside the first ones; -1: 1 to all",
     .type = PRI_INT, .offset = offsetof(struct ellipses, inner), .min = -1, .max = 128, .def = -1},
    {.name = "slab", .unit = "1", .help = "figures are ellipsoids in a slab 1/16 of the side deep, as in the public set, and only what its middle plane "
     "cuts is drawn", .type = PRI_BOOL, .offset = offsetof(struct ellipses, slab), .min = 0, .max = 1, .def = 0},
    {0}};
static const char *const examples[] = {"size=64", "size=33,count=3,dots=0,lines=1,inner=1", "size=48,slab=yes", NULL};
const pri_phantom_class pri_phantom_ellipses = {
    .kind = {"ellipses", "random ellipses, dots and lines that hide one another", "COULE: Morotti et al. 2021", sizeof(struct ellipses), params, examples},
    .init = init, .shape = shape, .draw = draw, .project = project};
