/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wires.c - thin wires of value 1 seen end on, on a spiral from the axis outwards: wire k of n stands at 0.85 sqrt(k / n) and turns by
   the golden angle, so that all radii and directions occur. What a point spread function, or a wrong centre, is measured with. */
#include "figures.h"

#include <math.h>
#include <stddef.h>

struct wires { long size, count; double radius; pri_figures figures; };

static pri_status init(pri_ctx *ctx, void *priv) {
  static const double golden = 2.39996322972865332; /* pi (3 - sqrt 5) */
  struct wires *p = priv;
  PRI_ALLOC(ctx, p->figures.f, p->count);
  p->figures.n = p->count;
  for (long k = 0; k < p->count; k++) {
    const double r = 0.85 * sqrt((double)k / (double)p->count), t = golden * (double)k;
    p->figures.f[k] = (pri_figure){PRI_ELLIPSE, 1, p->radius, p->radius, r * cos(t), r * sin(t), 0};
  }
  return PRI_OK;
}

static pri_status shape(const void *priv, pri_shape *s) {
  const struct wires *p = priv;
  *s = pri_shape_2d(p->size, p->size);
  return PRI_OK;
}

static pri_status draw(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first) {
  (void)first; /* the family has one member */
  return pri_figures_draw_all(ctx, &((const struct wires *)priv)->figures, x);
}

static pri_status project(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  (void)first;
  return pri_figures_project_all(ctx, &((const struct wires *)priv)->figures, g, bin_average, y);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct wires *)priv)->figures.f); }

static const pri_param params[] = {
    {.name = "size", .unit = "pixels", .help = "side of the image",
     .type = PRI_INT, .offset = offsetof(struct wires, size), .min = 1, .max = 65536, .def = 256},
    {.name = "count", .unit = "1", .help = "wires",
     .type = PRI_INT, .offset = offsetof(struct wires, count), .min = 1, .max = PRI_FIGURES_MAX, .def = 12},
    {.name = "radius", .unit = "1", .help = "radius of a wire, as a share of half the side",
     .type = PRI_REAL, .offset = offsetof(struct wires, radius), .min = 1e-6, .max = 0.1, .def = 0.01},
    {0}};
static const char *const examples[] = {"size=64", "size=33,count=3,radius=0.05", NULL};
const pri_phantom_class pri_phantom_wires = {
    .kind = {"wires", "thin wires seen end on", "", sizeof(struct wires), params, examples},
    .init = init, .shape = shape, .draw = draw, .project = project, .fini = fini};
