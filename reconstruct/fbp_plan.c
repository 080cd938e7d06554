/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fbp_plan.c - plans of filtered back projection: sizes, memory, one run. See fbp.h. */
#include <math.h>

#include "fbp.h"
#include "par.h"
#include "vec.h"

/* samples beyond the detector at which the corners of the image look, at most one detector width */
static ptrdiff_t corner_margin(const pri_geometry *g) {
  const double r = hypot((double)g->n[0], (double)g->n[1]) / 2 * g->pixel;
  double u = r;
  if (g->beam != PRI_PARALLEL) {
    const double gamma = asin(fmin(r / g->sod, 0.99));
    u = g->beam == PRI_FAN_FLAT ? g->sdd * tan(gamma) : g->sdd * gamma;
  }
  const double side = fmin(g->center, (double)(g->bins - 1) - g->center);
  return (ptrdiff_t)fmin(fmax(ceil(u / g->bin - side) + 1, 1), (double)g->bins + 1);
}

static pri_status check(pri_ctx *ctx, const pri_geometry *g) {
  if (g->beam != PRI_PARALLEL && g->beam != PRI_FAN_FLAT && g->beam != PRI_FAN_CURVED)
    return PRI_FAIL(ctx, PRI_ENOTSUP, "fbp: this geometry has no filtered back projection yet: parallel, fan and fancurved do");
  const double r = hypot((double)g->n[0], (double)g->n[1]) / 2 * g->pixel;
  if (g->beam != PRI_PARALLEL && r >= g->sod)
    return PRI_FAIL(ctx, PRI_EGEOMETRY, "fbp: the image reaches %g mm from the axis, the source is at sod=%g mm: choose a smaller size or pixel", r, g->sod);
  if (g->beam == PRI_FAN_CURVED && (double)g->bins * g->bin / g->sdd >= 3)
    return PRI_FAIL(ctx, PRI_EGEOMETRY, "fbp: the detector spans %g rad, more than 3 rad", (double)g->bins * g->bin / g->sdd);
  return PRI_OK;
}

static pri_status build(pri_fbp *f, const double *angle) {
  const pri_geometry *g = &f->g;
  PRI_TRY(check(f->ctx, g));
  PRI_ALLOC(f->ctx, f->view, g->views);
  PRI_ALLOC(f->ctx, f->beta, g->views);
  PRI_TRY(pri_fbp_weigh(f, angle));
  f->pitch = g->beam == PRI_PARALLEL ? g->bin : g->beam == PRI_FAN_FLAT ? g->bin * g->sod / g->sdd : g->bin / g->sdd;
  f->pad = f->opts.extend == PRI_EXTEND_ZERO ? 0 : g->bins;
  f->margin = corner_margin(g);
  f->size = pri_fft_size(2 * (g->bins + f->pad + f->margin));
  f->stride = (g->bins + 2 * (f->margin + PRI_FBP_GUARD) + 15) / 16 * 16;
  f->work_stride = (f->size + 15) / 16 * 16 + (f->size + 2 + 15) / 16 * 16;
  PRI_TRY(pri_fft_create(f->ctx, &f->fft, 1, &f->size));
  PRI_TRY(pri_fbp_ramp(f));
  PRI_ALLOC(f->ctx, f->q, g->views * f->stride);
  PRI_ALLOC(f->ctx, f->work, pri_par_workers(f->ctx) * f->work_stride);
  return g->beam == PRI_FAN_CURVED ? pri_fbp_table(f) : PRI_OK;
}

pri_status pri_fbp_create(pri_ctx *ctx, pri_fbp **out, const pri_geometry *g, const pri_fbp_opts *opts) {
  *out = NULL;
  pri_fbp *f;
  PRI_ALLOC(ctx, f, 1);
  f->ctx = ctx, f->g = *g, f->opts = *opts;
  f->g.angle = f->g.vectors = NULL;
  const pri_status s = build(f, g->angle);
  if (s != PRI_OK)
    pri_fbp_destroy(&f);
  else
    *out = f;
  return s;
}

void pri_fbp_destroy(pri_fbp **p) {
  if (!p || !*p) return;
  pri_fbp *f = *p;
  pri_fft_destroy(&f->fft);
  pri_free(f->ctx, f->view);
  pri_free(f->ctx, f->beta);
  pri_free(f->ctx, f->ramp);
  pri_free(f->ctx, f->q);
  pri_free(f->ctx, f->work);
  pri_free(f->ctx, f->angle_of);
  pri_free(f->ctx, f);
  *p = NULL;
}

pri_status pri_fbp_run(pri_fbp *f, pri_real *x, const pri_real *y, double lo, double hi) {
  PRI_TRY(pri_fbp_filter(f, y));
  PRI_TRY(pri_fbp_sum(f, x));
  if (lo > -INFINITY || hi < INFINITY) pri_clip(f->ctx, x, lo, hi, f->g.n[0] * f->g.n[1]);
  return PRI_OK;
}
