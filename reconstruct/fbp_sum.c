/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fbp_sum.c - the sum over views, pixel by pixel, with linear interpolation in the filtered rows.
 *
 *   w = X cos + Y sin, l = sod - X sin + Y cos
 *   parallel  x += q(w)                              Kak, Slaney 1988, eq. (59)
 *   flat      x += (sod / l)^2 q(w sdd / l)          ib., eq. (100); spec 6.3
 *   curved    x += q(sdd atan(w / l)) / (w^2 + l^2)  ib., eq. (113); spec 6.4; atan from a table, to 1e-6 bins
 * Rows of the image are shared among the threads; each pixel adds its views in order: the same bits for any number of threads.
 */
#include <math.h>

#include "fbp.h"
#include "par.h"

enum { ROWS = 8, TABLE = 16384 };
struct sum { const pri_fbp *f; pri_real *x; };

/* q[0] and q[end] are 0: what falls outside is held at one of them */
struct line { double w, l, dw, dl, origin, end; }; /* at the first pixel, per pixel; index of the centre, largest index */

static void parallel(pri_real *x, ptrdiff_t n, const pri_real *q, const struct line *r) {
  const double step = r->dw, end = r->end, at = r->w + r->origin;
  for (ptrdiff_t i = 0; i < n; i++) {
    double u = at + (double)i * step;
    u = u > 0 ? u : 0;
    u = u < end ? u : end;
    const int k = (int)u;
    const pri_real t = (pri_real)(u - k);
    x[i] += q[k] + t * (q[k + 1] - q[k]);
  }
}

static void flat(pri_real *x, ptrdiff_t n, const pri_real *q, const struct line *r) {
  const pri_real w = (pri_real)r->w, dw = (pri_real)r->dw, l = (pri_real)r->l, dl = (pri_real)r->dl;
  const pri_real origin = (pri_real)r->origin, end = (pri_real)r->end;
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real inverse = 1 / (l + (pri_real)i * dl); /* sod / l */
    pri_real u = origin + (w + (pri_real)i * dw) * inverse;
    u = u > 0 ? u : 0;
    u = u < end ? u : end;
    const int k = (int)u;
    const pri_real t = u - (pri_real)k;
    x[i] += inverse * inverse * (q[k] + t * (q[k + 1] - q[k]));
  }
}

static void curved(pri_real *x, ptrdiff_t n, const pri_real *q, const struct line *r, const pri_fbp *f) {
  const pri_real from = (pri_real)f->table_from, scale = (pri_real)(1 / f->table_step), last = (pri_real)TABLE;
  const pri_real origin = (pri_real)r->origin, end = (pri_real)r->end;
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real w = (pri_real)(r->w + (double)i * r->dw), l = (pri_real)(r->l + (double)i * r->dl);
    pri_real a = (w / l - from) * scale;
    a = a > 0 ? a : 0;
    a = a < last ? a : last;
    const int j = (int)a;
    pri_real u = origin + f->angle_of[j] + (a - (pri_real)j) * (f->angle_of[j + 1] - f->angle_of[j]);
    u = u > 0 ? u : 0;
    u = u < end ? u : end;
    const int k = (int)u;
    const pri_real t = u - (pri_real)k;
    x[i] += (q[k] + t * (q[k + 1] - q[k])) / (w * w + l * l);
  }
}

/* units: w in bins at the axis (parallel: bins; flat: bins of the detector times l / sod), l in sod (flat) or mm (curved) */
static struct line start(const pri_fbp *f, ptrdiff_t v, double X, double Y) {
  const pri_geometry *g = &f->g;
  const double c = f->view[v].cos, s = f->view[v].sin, w = X * c + Y * s, l = g->sod - X * s + Y * c, h = g->pixel;
  struct line r = {.origin = g->center + (double)f->margin + 1, .end = (double)(g->bins + 2 * f->margin)};
  r.end += 0.999; /* below the last sample, which is 0, so that k + 1 stays inside */
  if (g->beam == PRI_PARALLEL)
    r.w = w / g->bin, r.dw = h * c / g->bin;
  else if (g->beam == PRI_FAN_FLAT)
    r.w = w * g->sdd / (g->sod * g->bin), r.dw = h * c * g->sdd / (g->sod * g->bin), r.l = l / g->sod, r.dl = -h * s / g->sod;
  else
    r.w = w, r.dw = h * c, r.l = l, r.dl = -h * s;
  return r;
}

static pri_status block(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *a = arg;
  const pri_fbp *f = a->f;
  const ptrdiff_t nx = f->g.n[0];
  const double X = -(double)(nx - 1) / 2 * f->g.pixel;
  (void)worker;
  for (ptrdiff_t i = first * nx; i < last * nx; i++) a->x[i] = 0;
  for (ptrdiff_t v = 0; v < f->g.views; v++)
    for (ptrdiff_t iy = first; iy < last; iy++) {
      const struct line r = start(f, v, X, ((double)(f->g.n[1] - 1) / 2 - (double)iy) * f->g.pixel);
      const pri_real *q = f->q + v * f->stride;
      if (f->g.beam == PRI_PARALLEL)
        parallel(a->x + iy * nx, nx, q, &r);
      else if (f->g.beam == PRI_FAN_FLAT)
        flat(a->x + iy * nx, nx, q, &r);
      else
        curved(a->x + iy * nx, nx, q, &r, f);
    }
  return PRI_OK;
}

pri_status pri_fbp_sum(pri_fbp *f, pri_real *x) {
  struct sum a = {f, x};
  return pri_par_for(f->ctx, f->g.n[1], ROWS, block, &a);
}

pri_status pri_fbp_table(pri_fbp *f) {
  const pri_geometry *g = &f->g;
  const double lo = -(g->center + (double)f->margin + 1) * f->pitch, hi = ((double)(g->bins + f->margin) - g->center) * f->pitch;
  PRI_ALLOC(f->ctx, f->angle_of, TABLE + 2);
  f->table_from = tan(fmax(lo, -1.55)), f->table_step = (tan(fmin(hi, 1.55)) - f->table_from) / TABLE;
  for (int i = 0; i < TABLE + 2; i++) f->angle_of[i] = (pri_real)(atan(f->table_from + i * f->table_step) / f->pitch); /* in bins */
  return PRI_OK;
}
