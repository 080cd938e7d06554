/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * geometry.c - where the rays run.
 *
 * World: x to the right, y up, z along the axis, origin on the axis, mm. At angle th the central ray runs along
 *   n = (-sin th, cos th, 0) and the detector coordinate along t = (cos th, sin th, 0); u = (bin - center) * pitch.
 *   parallel     point u t - far n,                direction n
 *   fan, flat    source -sod n,                    direction sdd n + u t
 *   fan, curved  source -sod n,                    direction cos(g) n + sin(g) t,  g = u / sdd (u along the arc)
 *   cone, flat   source -sod n,                    direction sdd n + u' t + v' z,  (u', v') = (u, v) turned by the panel's tilt
 *   vectors      twelve numbers a view: source, middle of the detector, step of a bin, step of a row
 */
#include "priori/geometry.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "rays.h"

static pri_status copy_doubles(pri_ctx *ctx, const double **to, const double *from, ptrdiff_t n) {
  double *v;
  *to = NULL;
  if (!from) return PRI_OK;
  PRI_ALLOC(ctx, v, n);
  memcpy(v, from, (size_t)n * sizeof *v);
  *to = v;
  return PRI_OK;
}

pri_status pri_geometry_copy(pri_ctx *ctx, pri_geometry *dst, const pri_geometry *src) {
  *dst = *src;
  dst->angle = dst->vectors = NULL;
  pri_status s = copy_doubles(ctx, &dst->angle, src->angle, src->views);
  if (s == PRI_OK) s = copy_doubles(ctx, &dst->vectors, src->vectors, 12 * src->views);
  if (s != PRI_OK) pri_geometry_fini(ctx, dst);
  return s;
}

void pri_geometry_fini(pri_ctx *ctx, pri_geometry *g) {
  pri_free(ctx, (void *)(uintptr_t)g->angle);
  pri_free(ctx, (void *)(uintptr_t)g->vectors);
  memset(g, 0, sizeof *g);
}

/* d / |d|; the division keeps the order of |dx| and |dy|, which decides along which axis a ray marches */
static void normalise(double d[3]) {
  const double r = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  for (int i = 0; i < 3; i++) d[i] /= r;
}

/* Half the diagonal of the image: parallel rays start before it. */
static double reach(const pri_geometry *g) {
  return g->pixel * 0.5 * hypot((double)g->n[0], (double)g->n[1]);
}

static void parallel_ray(const pri_geometry *g, double c, double s, double u, double from[3], double along[3]) {
  const double back = reach(g);
  from[0] = u * c + back * s; /* u t - back n */
  from[1] = u * s - back * c;
  from[2] = along[2] = 0;
  along[0] = -s;
  along[1] = c;
}

/* ahead n + side t + up z, from the source */
static void diverging_ray(const pri_geometry *g, double c, double s, const double panel[3], double from[3], double along[3]) {
  from[0] = g->sod * s;
  from[1] = -g->sod * c;
  from[2] = 0;
  along[0] = (panel[0] - g->sod) * -s + panel[1] * c - from[0];
  along[1] = (panel[0] - g->sod) * c + panel[1] * s - from[1];
  along[2] = panel[2];
  normalise(along);
}

static void vectors_ray(const pri_geometry *g, ptrdiff_t view, double row, double bin, double from[3], double along[3]) {
  const double *v = g->vectors + 12 * view;
  const double j = bin - 0.5 * (double)(g->bins - 1), r = row - 0.5 * (double)(g->rows - 1);
  for (int i = 0; i < 3; i++) {
    from[i] = v[i];
    along[i] = v[3 + i] + j * v[6 + i] + r * v[9 + i] - v[i];
  }
  normalise(along);
}

void pri_geometry_ray_turned(const pri_geometry *g, double c, double s, double row, double bin, double from[3], double along[3]) {
  const double u = (bin - g->center) * g->bin;
  double panel[3] = {g->sdd, u, 0}; /* where the ray meets the detector, from the source, in (n, t, z) */
  if (g->beam == PRI_PARALLEL) {
    parallel_ray(g, c, s, u, from, along);
    return;
  }
  if (g->beam == PRI_FAN_CURVED) {
    panel[0] = g->sdd * cos(u / g->sdd);
    panel[1] = g->sdd * sin(u / g->sdd);
  } else if (g->beam == PRI_CONE_FLAT) {
    const double v = (row - g->row_center) * g->row;
    panel[1] = u * cos(g->tilt) - v * sin(g->tilt);
    panel[2] = u * sin(g->tilt) + v * cos(g->tilt);
  }
  diverging_ray(g, c, s, panel, from, along);
}

void pri_geometry_ray(const pri_geometry *g, ptrdiff_t view, double row, double bin, double from[3], double along[3]) {
  if (g->beam == PRI_VECTORS)
    vectors_ray(g, view, row, bin, from, along);
  else
    pri_geometry_ray_turned(g, cos(g->angle[view]), sin(g->angle[view]), row, bin, from, along);
}
