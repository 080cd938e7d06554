/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ct.c - computed tomography in two dimensions: y = A x, x: (y, x) attenuation in 1/mm, y: (view, bin) line integrals.
 *
 *   joseph  line integrals by linear interpolation (Joseph 1982)                                             src/rays.h
 *   sf      bin averages by the separable footprint (Long, Fessler, Balter 2010); a strip in parallel beam   src/rays_strip.c
 * Matrix-free; the adjoint is the exact transpose. Frame, angles and detector coordinate: src/geometry.c.
 *
 * This file turns keys and what the data file says into one pri_geometry, and checks that it makes sense; the kernels do the rest.
 * What the file says fills what is not given; numbers of views or bins, sod or sdd that contradict one another are PRI_EGEOMETRY.
 * Parts: any regular choice of views, all bins. norm is left to the power iteration: sqrt(largest row sum * largest column sum) is a
 * proven bound but 1.2 to 2 times too large, and step sizes would pay for it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "par.h"
#include "priori/io.h"
#include "priori/operator.h"
#include "rays.h"
#include "rays_plan.h"

enum { JOSEPH, SF };

struct ct {
  int beam, model, direction;
  char *angles;
  double start, arc, sod, sdd, center, pixel[3], bin[3];
  ptrdiff_t size[3], detector[3];
  pri_geometry g;
  int workers; /* that scratch is sized for */
  pri_ray_plan *plan; /* joseph */
};

/* v, or what the file says, or NAN */
static double given(double v, double meta) { return !isnan(v) ? v : isnan(meta) || meta == 0 ? NAN : meta; }

static double otherwise(double v, double fallback) { return isnan(v) ? fallback : v; }

static pri_status no_contradiction(pri_ctx *ctx, const char *key, double v, double meta, const pri_meta *m) {
  if (isnan(v) || isnan(meta) || meta == 0 || fabs(v - meta) <= 1e-6 * fabs(meta)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: %s=%g mm contradicts the %g mm of %s", key, v, meta, m->source ? m->source : "the input file");
}

static pri_status take_lengths(pri_ctx *ctx, struct ct *ct, const pri_meta *m) {
  PRI_TRY(no_contradiction(ctx, "sod", ct->sod, m->sod, m));
  PRI_TRY(no_contradiction(ctx, "sdd", ct->sdd, m->sdd, m));
  ct->sod = given(ct->sod, m->sod);
  ct->sdd = given(ct->sdd, m->sdd);
  ct->bin[0] = otherwise(given(ct->bin[0], m->bin[0]), 1);
  ct->pixel[0] = given(ct->pixel[0], m->pixel[0]);
  ct->center = given(ct->center, m->center);
  ct->bin[1] = ct->bin[2] = ct->bin[0];
  if (ct->beam == PRI_PARALLEL) {
    ct->pixel[0] = otherwise(ct->pixel[0], 1);
  } else {
    if (!(ct->sod > 0 && ct->sdd > 0))
      return PRI_FAIL(ctx, PRI_EPARAM, "ct: geometry=%s needs sod= and sdd= in mm (source to axis, source to detector)",
                      ct->beam == PRI_FAN_FLAT ? "fan" : "fancurved");
    if (ct->sdd <= ct->sod)
      return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: sdd=%g mm is not greater than sod=%g mm: the detector lies before the axis", ct->sdd, ct->sod);
    ct->pixel[0] = otherwise(ct->pixel[0], ct->bin[0] * ct->sod / ct->sdd);
  }
  ct->pixel[1] = ct->pixel[2] = ct->pixel[0];
  return PRI_OK;
}

/* *value: a key (0: not given) that the shape of the data must agree with */
static pri_status agree(pri_ctx *ctx, const char *what, ptrdiff_t *value, ptrdiff_t seen) {
  if (*value && seen && *value != seen) return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: %td %s are asked for, the data have %td", *value, what, seen);
  if (!*value) *value = seen;
  return PRI_OK;
}

static pri_status take_sizes(pri_ctx *ctx, struct ct *ct, pri_shape *dom, pri_shape *ran) {
  if ((dom->nd && dom->nd != 2) || (ran->nd && ran->nd != 2))
    return PRI_FAIL(ctx, PRI_ESHAPE, "ct: maps images (y, x) to sinograms (view, bin); an item here has %d axes", dom->nd && dom->nd != 2 ? dom->nd : ran->nd);
  if (ct->size[2] || ct->detector[1] > 1) return PRI_FAIL(ctx, PRI_EPARAM, "ct: %s has more axes than a 2-D geometry", ct->size[2] ? "size" : "detector");
  if (ct->size[0] && !ct->size[1]) ct->size[1] = ct->size[0];
  PRI_TRY(agree(ctx, "columns of the image (size)", &ct->size[0], dom->nd ? dom->n[1] : 0));
  PRI_TRY(agree(ctx, "rows of the image (size)", &ct->size[1], dom->nd ? dom->n[0] : 0));
  PRI_TRY(agree(ctx, "bins (detector)", &ct->detector[0], ran->nd ? ran->n[1] : 0));
  if (!ct->size[0]) ct->size[0] = ct->size[1] = ct->detector[0];
  if (!ct->detector[0]) ct->detector[0] = ct->size[0];
  if (!ct->size[0]) return PRI_FAIL(ctx, PRI_EPARAM, "ct: neither size= nor detector= is given and there are no data that tell them");
  ct->detector[1] = 0;
  return PRI_OK;
}

static pri_status equidistant(struct ct *ct, double *angle) {
  ct->arc = otherwise(ct->arc, ct->beam == PRI_PARALLEL ? acos(-1.0) : 2 * acos(-1.0));
  for (ptrdiff_t i = 0; i < ct->g.views; i++) angle[i] = ct->start + ct->arc * (double)i / (double)ct->g.views;
  return PRI_OK;
}

/* "60" is a count; anything else a file with one angle in degrees a view. */
static pri_status typed_angles(pri_ctx *ctx, struct ct *ct, double **angle) {
  char *end;
  const long count = strtol(ct->angles, &end, 10);
  if (!*end) {
    if (count < 1 || count > PRI_RAY_EXTENT * 8L)
      return PRI_FAIL(ctx, PRI_EPARAM, "ct: angles=%s is outside [1, %ld]", ct->angles, PRI_RAY_EXTENT * 8L);
    ct->g.views = count;
    PRI_ALLOC(ctx, *angle, count);
    return equidistant(ct, *angle);
  }
  PRI_TRY(pri_input_numbers(ctx, ct->angles, angle, &ct->g.views));
  for (ptrdiff_t i = 0; i < ct->g.views; i++) {
    if (!isfinite((*angle)[i])) return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: angle %td of %s is not finite", i, ct->angles);
    (*angle)[i] *= acos(-1.0) / 180;
  }
  return PRI_OK;
}

static pri_status meta_angles(pri_ctx *ctx, struct ct *ct, const pri_meta *m, ptrdiff_t seen, double **angle) {
  const int known = m->angles && m->nangles > 0;
  ct->g.views = known ? m->nangles : seen;
  if (!ct->g.views) return PRI_FAIL(ctx, PRI_EPARAM, "ct: angles= is needed: a count, or a file with one angle (deg) a view");
  PRI_ALLOC(ctx, *angle, ct->g.views);
  if (!known) { /* a guess that users must hear of: readers that invent angles silently are a classic source of wrong pictures */
    PRI_TRY(equidistant(ct, *angle));
    pri_log(ctx, PRI_LOG_WARN, "ct: no angles are given and the file has none: its %td views are taken as equidistant over %.6g degrees from %.6g, end excluded (angles= says otherwise)",
            ct->g.views, ct->arc * 180 / acos(-1.0), ct->start * 180 / acos(-1.0));
    return PRI_OK;
  }
  memcpy(*angle, m->angles, (size_t)ct->g.views * sizeof **angle);
  return PRI_OK;
}

static pri_status take_angles(pri_ctx *ctx, struct ct *ct, const pri_meta *m, ptrdiff_t seen) {
  double *angle = NULL;
  const pri_status s = ct->angles ? typed_angles(ctx, ct, &angle) : meta_angles(ctx, ct, m, seen, &angle);
  ct->g.angle = angle; /* fini frees it */
  PRI_TRY(s);
  if (m->angles && m->nangles > 0 && m->nangles != ct->g.views)
    return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: %td angles are given, %s has %td", ct->g.views, m->source ? m->source : "the input file", m->nangles);
  if (seen && seen != ct->g.views) return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: %td angles for %td views", ct->g.views, seen);
  for (ptrdiff_t i = 0; ct->direction && i < ct->g.views; i++) angle[i] = -angle[i];
  return PRI_OK;
}

/* the nearest ray (half a bin outside the last centre, and one more for the width of a pixel) must meet the image */
static pri_status check_axis(pri_ctx *ctx, const pri_geometry *g) {
  const double beyond = fmax(-g->center, g->center - (double)(g->bins - 1)), radius = 0.5 * g->pixel * hypot((double)g->n[0], (double)g->n[1]);
  if ((beyond - 1.5) * g->bin <= radius + g->pixel) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: center=%g: the detector (bins 0 to %td) sees nothing of the image, which reaches %g bins from the axis", g->center,
                  g->bins - 1, radius / g->bin);
}

static pri_status fill_geometry(pri_ctx *ctx, struct ct *ct) {
  pri_geometry *g = &ct->g;
  g->beam = (pri_beam)ct->beam;
  g->rows = 1;
  g->bins = ct->detector[0];
  g->n[0] = ct->size[0];
  g->n[1] = ct->size[1];
  g->n[2] = 1;
  g->bin = g->row = ct->bin[0];
  g->pixel = g->slice = ct->pixel[0];
  ct->center = otherwise(ct->center, 0.5 * (double)(g->bins - 1));
  g->center = ct->center;
  if (ct->beam == PRI_PARALLEL) return check_axis(ctx, g);
  g->sod = ct->sod;
  g->sdd = ct->sdd;
  const double radius = 0.5 * g->pixel * hypot((double)g->n[0], (double)g->n[1]);
  if (radius >= g->sod)
    return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: the image reaches the source: half its diagonal is %g mm, sod=%g mm (size %td x %td, pixel=%g mm)",
                    radius, g->sod, g->n[0], g->n[1], g->pixel);
  const double edge = fmax(fabs(g->center), fabs((double)(g->bins - 1) - g->center)) * g->bin / g->sdd;
  if (ct->beam == PRI_FAN_CURVED && edge >= 0.5 * acos(-1.0))
    return PRI_FAIL(ctx, PRI_EGEOMETRY, "ct: the curved detector reaches %g deg, it must stay below 90 deg (bin, detector, center, sdd)", edge * 180 / acos(-1.0));
  return PRI_OK;
}

static pri_status plan(pri_ctx *ctx, struct ct *ct) { return ct->model == SF ? PRI_OK : pri_ray_plan_create(ctx, &ct->plan, &ct->g, ct->workers); }

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct ct *ct = priv;
  static const pri_meta silent = {0};
  const pri_meta *m = meta ? meta : &silent;
  ct->workers = pri_par_workers(ctx);
  if (ct->beam == PRI_PARALLEL && (m->beam == PRI_FAN_FLAT || m->beam == PRI_FAN_CURVED)) ct->beam = m->beam; /* the file knows its own beam */
  PRI_TRY(take_sizes(ctx, ct, dom, ran));
  PRI_TRY(take_lengths(ctx, ct, m));
  PRI_TRY(take_angles(ctx, ct, m, ran->nd ? ran->n[0] : 0));
  PRI_TRY(fill_geometry(ctx, ct));
  *dom = pri_shape_2d(ct->g.n[1], ct->g.n[0]);
  *ran = pri_shape_2d(ct->g.views, ct->g.bins);
  return plan(ctx, ct);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct ct *ct = priv;
  pri_ray_plan_destroy(ctx, &ct->plan);
  pri_geometry_fini(ctx, &ct->g);
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct ct *ct = priv;
  struct ct *some = sub;
  const pri_geometry *g = &ct->g;
  const pri_shape image = pri_shape_2d(g->n[1], g->n[0]);
  if (ran->first[1] != 0 || ran->n[1] != g->bins || (ran->step[1] != 1 && g->bins > 1))
    return PRI_FAIL(ctx, PRI_ENOTSUP, "ct: a part must have all %td bins", g->bins);
  if (ran->n[0] < 1 || ran->step[0] < 1 || ran->first[0] < 0 || ran->first[0] + (ran->n[0] - 1) * ran->step[0] >= g->views)
    return PRI_FAIL(ctx, PRI_ESHAPE, "ct: views %td, %td more by steps of %td, are not among the %td", ran->first[0], ran->n[0] - 1, ran->step[0], g->views);
  double *angle;
  PRI_ALLOC(ctx, angle, ran->n[0]);
  for (ptrdiff_t i = 0; i < ran->n[0]; i++) angle[i] = g->angle[ran->first[0] + i * ran->step[0]];
  some->g = *g;
  some->g.angle = angle;
  some->g.views = ran->n[0];
  some->workers = ct->workers;
  *dom = pri_box_whole(&image);
  return plan(ctx, some);
}

static unsigned flags(const void *priv) {
  (void)priv;
  return PRI_OP_NONNEGATIVE;
}

static const pri_geometry *geometry(const void *priv) { return &((const struct ct *)priv)->g; }

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct ct *ct = priv;
  if (ct->model == SF) return pri_strip_forward(ctx, &ct->g, ct->workers, y, x, items, scratch);
  return pri_ray_plan_forward(ctx, ct->plan, y, x, items, scratch);
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct ct *ct = priv;
  if (ct->model == SF) return pri_strip_back(ctx, &ct->g, ct->workers, x, y, items, scratch);
  return pri_ray_plan_back(ctx, ct->plan, x, y, items, scratch);
}

#ifdef PRI_DOUBLE
#define WIDE_SLOTS
static size_t scratch(const void *priv) {
  const struct ct *ct = priv;
  return ct->model == SF ? pri_strip_scratch(&ct->g, ct->workers) : pri_ray_plan_scratch(ct->plan);
}
#else
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

#define WIDE_SLOTS .apply_wide = apply_wide, .adjoint_wide = adjoint_wide,
static size_t scratch(const void *priv) {
  const struct ct *ct = priv;
  const pri_geometry *g = &ct->g;
  return ct->model == SF ? larger(pri_strip_scratch(g, ct->workers), pri_strip_scratch_wide(g, ct->workers))
                         : larger(pri_ray_plan_scratch(ct->plan), pri_rays_scratch_wide(g, ct->workers));
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct ct *ct = priv;
  return (ct->model == SF ? pri_strip_forward_wide : pri_rays_forward_wide)(ctx, &ct->g, ct->workers, y, x, items, scratch);
}

static pri_status adjoint_wide(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *scratch) {
  const struct ct *ct = priv;
  return (ct->model == SF ? pri_strip_back_wide : pri_rays_back_wide)(ctx, &ct->g, ct->workers, x, y, items, scratch);
}
#endif

#define ROW(key, kind_, unit_, help_, ...) {.name = #key, .type = kind_, .unit = unit_, .help = help_, .offset = offsetof(struct ct, key), __VA_ARGS__}
static const char *const models[] = {"joseph", "sf", NULL}, *const directions[] = {"ccw", "cw", NULL};
static const char *const beams[] = {"parallel", "fan", "fancurved", NULL};
static const pri_param params[] = {
    {.name = "geometry", .type = PRI_CHOICE, .unit = "-", .help = "beam: parallel, fan (flat detector) or fancurved (bins along an arc about the source)",
     .flags = PRI_P_FROM_META, .offset = offsetof(struct ct, beam), .choices = beams},
    ROW(angles, PRI_TEXT, "deg", "a count (equidistant over arc from start, end excluded), or a text, NPY or HDF5 file with one angle a view; default: from the input file",
        .flags = PRI_P_FROM_META),
    ROW(start, PRI_QUANTITY, "deg", "first angle of a count", .min = -36000, .max = 36000),
    ROW(arc, PRI_QUANTITY, "deg", "angle that a count covers; default: 180 for parallel, 360 otherwise", .flags = PRI_P_FROM_META, .min = -36000, .max = 36000, .def = NAN),
    ROW(size, PRI_SIZES, "px", "image: side, or XxY; default: the number of bins", .min = 1, .max = PRI_RAY_EXTENT),
    ROW(pixel, PRI_QUANTITIES, "mm", "side of a pixel; default: from the input file, else 1 (parallel) or bin*sod/sdd (fan)", .flags = PRI_P_FROM_META, .min = 1e-9, .max = 1e6, .def = NAN),
    ROW(detector, PRI_SIZES, "bins", "bins of the detector; default: from the input file", .min = 1, .max = 8 * PRI_RAY_EXTENT),
    ROW(bin, PRI_QUANTITIES, "mm", "pitch of the bins, along the arc for fancurved; default: from the input file, else 1", .flags = PRI_P_FROM_META, .min = 1e-9, .max = 1e6, .def = NAN),
    ROW(sod, PRI_QUANTITY, "mm", "source to axis; needed for fan", .flags = PRI_P_FROM_META, .min = 1e-9, .max = 1e9, .def = NAN),
    ROW(sdd, PRI_QUANTITY, "mm", "source to detector; needed for fan", .flags = PRI_P_FROM_META, .min = 1e-9, .max = 1e9, .def = NAN),
    ROW(center, PRI_QUANTITY, "bins", "0-based position of the projected axis; default: (detector-1)/2; auto: found from the data before the operator is made",
        .flags = PRI_P_AUTO | PRI_P_FROM_META, .min = -1e6, .max = 1e6, .def = NAN),
    ROW(model, PRI_CHOICE, "-", "joseph (line integrals), or sf (bin averages: separable footprint, strip in parallel beam)", .choices = models),
    ROW(direction, PRI_CHOICE, "-", "sense of rotation, seen with x to the right and y up", .choices = directions),
    {0}};
static const char *const examples[] = {"angles=7,size=12x9,detector=17", "angles=5,size=13,detector=21,center=8.25,model=sf,direction=cw",
                                       "geometry=fan,angles=6,size=11,detector=19,sod=40,sdd=70,bin=1.5,start=33", "geometry=fan,angles=4,size=10,detector=16,sod=40,sdd=70,model=sf",
                                       "geometry=fancurved,angles=6,size=9x14,detector=23,sod=30,sdd=60,arc=180", "geometry=fancurved,angles=3,size=8,detector=13,sod=30,sdd=60,model=sf", NULL};
const pri_operator_class pri_operator_ct = {
    .kind = {"ct", "computed tomography, 2-D: parallel beam, fan beam with flat or curved detector", "Joseph 1982; Long, Fessler, Balter 2010", sizeof(struct ct), params, examples},
    .init = init, .apply = apply, .adjoint = adjoint, WIDE_SLOTS .fini = fini, .flags = flags, .scratch = scratch, .part = part, .geometry = geometry};
