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
#include <stdint.h>

#include "fbp.h"
#include "par.h"

enum { ROWS = 8, TABLE = 16384, BLOCK = 64 };
struct sum { const pri_fbp *f; pri_real *x; };

/* q is 0 at both ends, PRI_FBP_GUARD samples each: what falls outside is held there */
struct line { double w, l, dw, dl, origin, end; }; /* at the first pixel, per pixel; index of the centre, largest index */

/* the pixels [*first, *last) that look inside [1, end]; a little rounding beyond is still inside the row */
static void inside(const struct line *r, ptrdiff_t n, ptrdiff_t *first, ptrdiff_t *last) {
  const double u0 = r->w + r->origin, a = (1 - u0) / r->dw, b = (r->end - u0) / r->dw;
  *first = 0, *last = n;
  if (fabs(r->dw) * (double)n < 1e-9) { /* all see the same place */
    if (!(u0 >= 1 && u0 <= r->end)) *last = 0;
    return;
  }
  const double lo = ceil(fmin(a, b) + 1e-9), hi = floor(fmax(a, b) - 1e-9);
  if (lo > 0) *first = lo < (double)n ? (ptrdiff_t)lo : n;
  if (hi < (double)(n - 1)) *last = hi < (double)*first ? *first : (ptrdiff_t)hi + 1;
}

/* u in units of 2^-32 bins: one addition a pixel, the high half is the bin, the low half the fraction */
static void parallel(pri_real *x, ptrdiff_t n, const pri_real *q, const struct line *r) {
  ptrdiff_t first, last;
  inside(r, n, &first, &last);
  const int64_t step = (int64_t)(r->dw * 0x1p32);
  int64_t at = (int64_t)((r->w + r->origin + (double)first * r->dw) * 0x1p32);
  for (ptrdiff_t i = first; i < last; i++, at += step) {
    const ptrdiff_t k = (ptrdiff_t)(at >> 32);
    const pri_real t = (pri_real)(int32_t)((uint32_t)at >> 1) * (pri_real)0x1p-31;
    x[i] += q[k] + t * (q[k + 1] - q[k]);
  }
}

/* Fan beams in blocks of fixed length: the first loops are plain arithmetic that compilers vectorise, the last one fetches. */
struct looks { pri_real u[BLOCK], weight[BLOCK], t[BLOCK]; int k[BLOCK]; };

static void fetch(pri_real *x, ptrdiff_t n, const pri_real *q, struct looks *a, pri_real end) {
  for (int i = 0; i < BLOCK; i++) {
    pri_real u = a->u[i];
    u = u > 0 ? u : 0; /* also where l is not positive and u not a number */
    u = u < end ? u : end;
    a->k[i] = (int)u;
    a->t[i] = u - (pri_real)a->k[i];
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real *p = q + a->k[i];
    x[i] += a->weight[i] * (p[0] + a->t[i] * (p[1] - p[0]));
  }
}

static void flat(pri_real *x, ptrdiff_t n, const pri_real *q, const struct line *r) {
  const pri_real origin = (pri_real)r->origin;
  struct looks a;
  for (ptrdiff_t first = 0; first < n; first += BLOCK) {
    const pri_real w = (pri_real)(r->w + (double)first * r->dw), l = (pri_real)(r->l + (double)first * r->dl);
    const pri_real dw = (pri_real)r->dw, dl = (pri_real)r->dl;
    for (int i = 0; i < BLOCK; i++) {
      const pri_real inverse = 1 / (l + (pri_real)i * dl); /* sod / l */
      a.u[i] = origin + (w + (pri_real)i * dw) * inverse;
      a.weight[i] = inverse * inverse;
    }
    fetch(x + first, n - first < BLOCK ? n - first : BLOCK, q, &a, (pri_real)r->end);
  }
}

static void curved(pri_real *x, ptrdiff_t n, const pri_real *q, const struct line *r, const pri_fbp *f) {
  const pri_real from = (pri_real)f->table_from, scale = (pri_real)(1 / f->table_step), top = (pri_real)TABLE, origin = (pri_real)r->origin;
  struct looks a;
  for (ptrdiff_t first = 0; first < n; first += BLOCK) {
    const pri_real w0 = (pri_real)(r->w + (double)first * r->dw), l0 = (pri_real)(r->l + (double)first * r->dl);
    const pri_real dw = (pri_real)r->dw, dl = (pri_real)r->dl;
    for (int i = 0; i < BLOCK; i++) {
      const pri_real w = w0 + (pri_real)i * dw, l = l0 + (pri_real)i * dl;
      pri_real at = (w / l - from) * scale;
      at = at > 0 ? at : 0;
      at = at < top ? at : top;
      a.k[i] = (int)at;
      a.t[i] = at - (pri_real)a.k[i];
      a.weight[i] = 1 / (w * w + l * l);
    }
    for (int i = 0; i < BLOCK; i++) {
      const pri_real *p = f->angle_of + a.k[i];
      a.u[i] = origin + p[0] + a.t[i] * (p[1] - p[0]);
    }
    fetch(x + first, n - first < BLOCK ? n - first : BLOCK, q, &a, (pri_real)r->end);
  }
}

/* units: w in bins at the axis (parallel: bins; flat: bins of the detector times l / sod), l in sod (flat) or mm (curved) */
static struct line start(const pri_fbp *f, ptrdiff_t v, double X, double Y) {
  const pri_geometry *g = &f->g;
  const double c = f->view[v].cos, s = f->view[v].sin, w = X * c + Y * s, l = g->sod - X * s + Y * c, h = g->pixel;
  struct line r = {.origin = g->center + (double)(f->margin + PRI_FBP_GUARD), .end = (double)(g->bins + 2 * f->margin + PRI_FBP_GUARD)};
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
  return pri_par_for(f->ctx, f->g.n[1], ROWS + (1 << 18) / (f->g.n[0] * f->g.views), block, &a); /* not below 0.2 ms a piece */
}

pri_status pri_fbp_table(pri_fbp *f) {
  const pri_geometry *g = &f->g;
  const double lo = -(g->center + (double)f->margin + 1) * f->pitch, hi = ((double)(g->bins + f->margin) - g->center) * f->pitch;
  PRI_ALLOC(f->ctx, f->angle_of, TABLE + 2);
  f->table_from = tan(fmax(lo, -1.55)), f->table_step = (tan(fmin(hi, 1.55)) - f->table_from) / TABLE;
  for (int i = 0; i < TABLE + 2; i++) f->angle_of[i] = (pri_real)(atan(f->table_from + i * f->table_step) / f->pitch); /* in bins */
  return PRI_OK;
}
