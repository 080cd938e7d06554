/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bars.c - resolution pattern: groups of four upright bars of value 1 and, below them, the same turned by 90 degrees. Bars and gaps of
 * group k are width / 2^k wide, bars seven times as long; groups stand side by side, two widths apart.
 */
#include "figures.h"

#include <stddef.h>

enum { BARS = 4 };
struct bars { long size, groups; double width; pri_figures figures; };

static pri_status init(pri_ctx *ctx, void *priv) {
  struct bars *p = priv;
  PRI_ALLOC(ctx, p->figures.f, 2 * BARS * p->groups);
  double w = p->width, left = -9 * w; /* the sum of all groups is below 18 widths */
  for (long k = 0; k < p->groups; k++, left += 9 * w, w /= 2)
    for (int i = 0; i < BARS; i++) {
      const double bar = (2 * i + 0.5) * w, middle = 3.5 * w;
      p->figures.f[p->figures.n++] = (pri_figure){PRI_BOX, 1, w / 2, middle, left + bar, 0.35, 0};
      p->figures.f[p->figures.n++] = (pri_figure){PRI_BOX, 1, middle, w / 2, left + middle, -0.35 + middle - bar, 0};
    }
  return PRI_OK;
}

static pri_status shape(const void *priv, pri_shape *s) {
  const struct bars *p = priv;
  *s = pri_shape_2d(p->size, p->size);
  return PRI_OK;
}

static pri_status draw(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first) {
  (void)first; /* the family has one member */
  return pri_figures_draw_all(ctx, &((const struct bars *)priv)->figures, x);
}

static pri_status project(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  (void)first;
  return pri_figures_project_all(ctx, &((const struct bars *)priv)->figures, g, bin_average, y);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct bars *)priv)->figures.f); }

static const pri_param params[] = {
    {.name = "size", .unit = "pixels", .help = "side of the image",
     .type = PRI_INT, .offset = offsetof(struct bars, size), .min = 1, .max = 65536, .def = 256},
    {.name = "groups", .unit = "1", .help = "groups, each half as wide as the one before",
     .type = PRI_INT, .offset = offsetof(struct bars, groups), .min = 1, .max = 12, .def = 5},
    {.name = "width", .unit = "1", .help = "width of the first bars, as a share of half the side",
     .type = PRI_REAL, .offset = offsetof(struct bars, width), .min = 1e-4, .max = 0.08, .def = 0.08},
    {0}};
static const char *const examples[] = {"size=64", "size=33,groups=2,width=0.05", NULL};
const pri_phantom_class pri_phantom_bars = {
    .kind = {"bars", "groups of upright and lying bars", "", sizeof(struct bars), params, examples},
    .init = init, .shape = shape, .draw = draw, .project = project, .fini = fini};
