/* SPDX-License-Identifier: GPL-3.0-or-later */
/* siemens.c - star of straight-sided spokes of value 1: spoke k is the triangle around the direction 2 pi k / spokes that is half the
   pitch wide, with its tip in the middle and its outer side at `radius` cos(pi / (2 spokes)). */
#include "figures.h"

#include <math.h>
#include <stddef.h>

struct siemens { long size, spokes; double radius; pri_figures figures; };

static pri_status init(pri_ctx *ctx, void *priv) {
  static const double pi = 3.14159265358979323846;
  struct siemens *p = priv;
  const double half = pi / (2 * (double)p->spokes); /* half the angle of a spoke */
  PRI_ALLOC(ctx, p->figures.f, p->spokes);
  p->figures.n = p->spokes;
  for (long k = 0; k < p->spokes; k++)
    p->figures.f[k] = (pri_figure){PRI_WEDGE, 1, p->radius * cos(half), p->radius * sin(half), 0, 0, 4 * half * (double)k};
  return PRI_OK;
}

static pri_status shape(const void *priv, pri_shape *s) {
  const struct siemens *p = priv;
  *s = pri_shape_2d(p->size, p->size);
  return PRI_OK;
}

static pri_status draw(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first) {
  (void)first; /* the family has one member */
  return pri_figures_draw_all(ctx, &((const struct siemens *)priv)->figures, x);
}

static pri_status project(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  (void)first;
  return pri_figures_project_all(ctx, &((const struct siemens *)priv)->figures, g, bin_average, y);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct siemens *)priv)->figures.f); }

static const pri_param params[] = {
    {.name = "size", .unit = "pixels", .help = "side of the image",
     .type = PRI_INT, .offset = offsetof(struct siemens, size), .min = 1, .max = 65536, .def = 256},
    {.name = "spokes", .unit = "1", .help = "spokes of the star",
     .type = PRI_INT, .offset = offsetof(struct siemens, spokes), .min = 2, .max = PRI_FIGURES_MAX, .def = 36},
    {.name = "radius", .unit = "1", .help = "radius, as a share of half the side",
     .type = PRI_REAL, .offset = offsetof(struct siemens, radius), .min = 0.01, .max = 1, .def = 0.9},
    {0}};
static const char *const examples[] = {"size=64", "size=33,spokes=7,radius=0.7", NULL};
const pri_phantom_class pri_phantom_siemens = {
    .kind = {"siemens", "Siemens star", "", sizeof(struct siemens), params, examples},
    .init = init, .shape = shape, .draw = draw, .project = project, .fini = fini};
