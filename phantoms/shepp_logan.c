/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shepp_logan.c - the head phantom of Shepp and Logan 1974: ten ellipses that add up. `original` has their grey levels (skull 2,
 * brain 1.02, details of 0.01), `modified` those of Toft 1996, Table B.1 (skull 1, brain 0.2, details of 0.1); geometry as in Toft.
 */
#include "figures.h"

#include <stddef.h>

enum { ELLIPSES = 10 };
struct shepp_logan { long size; int contrast; pri_figures figures; };

#define DEGREES(v) ((v) * 0.017453292519943295)
static const pri_figure head[ELLIPSES] = {
    {PRI_ELLIPSE, 1, 0.69, 0.92, 0, 0, 0},
    {PRI_ELLIPSE, -0.8, 0.6624, 0.874, 0, -0.0184, 0},
    {PRI_ELLIPSE, -0.2, 0.11, 0.31, 0.22, 0, DEGREES(-18)},
    {PRI_ELLIPSE, -0.2, 0.16, 0.41, -0.22, 0, DEGREES(18)},
    {PRI_ELLIPSE, 0.1, 0.21, 0.25, 0, 0.35, 0},
    {PRI_ELLIPSE, 0.1, 0.046, 0.046, 0, 0.1, 0},
    {PRI_ELLIPSE, 0.1, 0.046, 0.046, 0, -0.1, 0},
    {PRI_ELLIPSE, 0.1, 0.046, 0.023, -0.08, -0.605, 0},
    {PRI_ELLIPSE, 0.1, 0.023, 0.023, 0, -0.606, 0},
    {PRI_ELLIPSE, 0.1, 0.023, 0.046, 0.06, -0.605, 0},
};
static const double original[ELLIPSES] = {2, -0.98, -0.02, -0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01};

static pri_status init(pri_ctx *ctx, void *priv) {
  struct shepp_logan *p = priv;
  PRI_ALLOC(ctx, p->figures.f, ELLIPSES);
  p->figures.n = ELLIPSES;
  for (int i = 0; i < ELLIPSES; i++) {
    p->figures.f[i] = head[i];
    if (p->contrast == 0) p->figures.f[i].value = original[i];
  }
  return PRI_OK;
}

static pri_status shape(const void *priv, pri_shape *s) {
  const struct shepp_logan *p = priv;
  *s = pri_shape_2d(p->size, p->size);
  return PRI_OK;
}

static pri_status draw(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first) {
  (void)first; /* the family has one member */
  return pri_figures_draw_all(ctx, &((const struct shepp_logan *)priv)->figures, x);
}

static pri_status project(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  (void)first;
  return pri_figures_project_all(ctx, &((const struct shepp_logan *)priv)->figures, g, bin_average, y);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct shepp_logan *)priv)->figures.f); }

static const char *const contrasts[] = {"original", "modified", NULL};
static const pri_param params[] = {
    {.name = "size", .unit = "pixels", .help = "side of the image",
     .type = PRI_INT, .offset = offsetof(struct shepp_logan, size), .min = 1, .max = 65536, .def = 256},
    {.name = "contrast", .unit = "", .help = "grey levels: of Shepp and Logan 1974, or Toft's modified ones", .type = PRI_CHOICE,
     .offset = offsetof(struct shepp_logan, contrast), .choices = contrasts, .def = 1},
    {0}};
static const char *const examples[] = {"size=64", "size=33,contrast=original", NULL};
const pri_phantom_class pri_phantom_shepp_logan = {
    .kind = {"shepp-logan", "head phantom of ten ellipses", "Shepp, Logan 1974; Toft 1996, Table B.1", sizeof(struct shepp_logan), params, examples},
    .init = init, .shape = shape, .draw = draw, .project = project, .fini = fini};
