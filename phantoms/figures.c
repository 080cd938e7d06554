/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figures.c - what a line cuts out of convex figures, and drawing with it.
 *
 * In the frame of a figure a line is X + t V; an ellipse gives |X + t V|^2 = 1, t = (-X.V -+ sqrt((X.V)^2 - |V|^2 (|X|^2 - 1))) / |V|^2,
 * boxes and wedges are intersections of half planes. A picture is made of horizontal lines: pixel means are exact along x.
 */
#include "figures.h"

#include <math.h>

#include "par.h"

enum { LINES = 64 }; /* lines of a pixel */

void pri_figure_prepare(pri_outlined *o, const pri_figure *f, double unit) {
  *o = (pri_outlined){.outline = f->outline, .value = f->value, .c = cos(f->phi), .s = sin(f->phi),
                      .a = f->a * unit, .b = f->b * unit, .x = f->x * unit, .y = f->y * unit};
}

/* keeps the part of [t[0], t[1]] where n (x + t v) <= d */
static int keep(double t[2], double x, double v, double d) {
  if (v == 0) return x <= d;
  const double at = (d - x) / v;
  if (v > 0 && at < t[1]) t[1] = at;
  if (v < 0 && at > t[0]) t[0] = at;
  return t[0] < t[1];
}

int pri_figure_cut(const pri_outlined *o, const double from[2], const double along[2], double t[2]) {
  const double px = from[0] - o->x, py = from[1] - o->y;
  const double X = (px * o->c + py * o->s) / o->a, Y = (py * o->c - px * o->s) / o->b;
  const double VX = (along[0] * o->c + along[1] * o->s) / o->a, VY = (along[1] * o->c - along[0] * o->s) / o->b;
  if (o->outline == PRI_ELLIPSE) {
    const double vv = VX * VX + VY * VY, xv = X * VX + Y * VY, cross = X * VY - Y * VX;
    const double root = vv - cross * cross; /* (X.V)^2 - |V|^2 (|X|^2 - 1), without its cancellation */
    if (root <= 0) return 0;
    t[0] = (-xv - sqrt(root)) / vv, t[1] = (-xv + sqrt(root)) / vv;
    return 1;
  }
  t[0] = -INFINITY, t[1] = INFINITY;
  if (o->outline == PRI_BOX) return keep(t, X, VX, 1) && keep(t, -X, -VX, 1) && keep(t, Y, VY, 1) && keep(t, -Y, -VY, 1);
  return keep(t, X, VX, 1) && keep(t, Y - X, VY - VX, 0) && keep(t, -Y - X, -VY - VX, 0);
}

struct event { double t; ptrdiff_t figure; int enters; };

static int before(const struct event *a, const struct event *b) {
  return a->t < b->t || (a->t <= b->t && (a->figure < b->figure || (a->figure == b->figure && a->enters > b->enters)));
}

/* by insertion: a line meets a dozen figures, not hundreds */
static void put(struct event *e, ptrdiff_t n, struct event v) {
  for (; n > 0 && before(&v, &e[n - 1]); n--) e[n] = e[n - 1];
  e[n] = v;
}

static ptrdiff_t events(struct event *e, const pri_outlined *o, ptrdiff_t n, const double from[2], const double along[2]) {
  ptrdiff_t count = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    double t[2];
    if (!pri_figure_cut(&o[i], from, along, t)) continue;
    put(e, count++, (struct event){t[0], i, 1});
    put(e, count++, (struct event){t[1], i, 0});
  }
  return count;
}

ptrdiff_t pri_figures_pieces(const pri_outlined *o, ptrdiff_t n, int cover, const double from[2], const double along[2], pri_piece *piece) {
  struct event e[2 * PRI_FIGURES_MAX];
  unsigned char inside[PRI_FIGURES_MAX] = {0};
  const ptrdiff_t count = events(e, o, n, from, along);
  ptrdiff_t top = -1;
  double sum = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    const ptrdiff_t f = e[i].figure;
    sum += e[i].enters ? o[f].value : -o[f].value;
    if (fabs(sum) < 1e-14) sum = 0; /* what rounding leaves of 1 - 0.8 - 0.2 */
    inside[f] = (unsigned char)e[i].enters;
    if (e[i].enters && f > top) top = f;
    while (top >= 0 && !inside[top]) top--;
    piece[i] = (pri_piece){e[i].t, i == count - 1 ? 0 : !cover ? sum : top < 0 ? 0 : o[top].value};
  }
  return count;
}

struct picture {
  const pri_outlined *o;
  ptrdiff_t n, ny, nx;
  int cover;
  pri_real *x;
};

/* adds `value` times the length of [a, b] in each pixel, in pixels, to the row */
static void spread(double *row, ptrdiff_t nx, double a, double b, double value) {
  a = fmax(a, 0), b = fmin(b, (double)nx);
  if (!(a < b)) return;
  const ptrdiff_t i = (ptrdiff_t)a, j = (ptrdiff_t)ceil(b) - 1;
  if (i == j) {
    row[i] += value * (b - a);
    return;
  }
  row[i] += value * ((double)(i + 1) - a);
  for (ptrdiff_t k = i + 1; k < j; k++) row[k] += value;
  row[j] += value * (b - (double)j);
}

/* one strip of pixels through columns [left, left + count) of row iy */
static void strip(const struct picture *p, ptrdiff_t iy, ptrdiff_t left, ptrdiff_t count) {
  pri_piece piece[2 * PRI_FIGURES_MAX];
  double row[256] = {0};
  const double along[2] = {1, 0};
  for (int line = 0; line < LINES; line++) {
    const double from[2] = {(double)left - (double)p->nx / 2, (double)p->ny / 2 - (double)iy - (line + 0.5) / LINES};
    const ptrdiff_t pieces = pri_figures_pieces(p->o, p->n, p->cover, from, along, piece);
    for (ptrdiff_t k = 0; k + 1 < pieces; k++)
      if (piece[k].value != 0) spread(row, count, piece[k].t, piece[k + 1].t, piece[k].value);
  }
  for (ptrdiff_t i = 0; i < count; i++) p->x[iy * p->nx + left + i] = (pri_real)(row[i] / LINES);
}

static pri_status rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct picture *p = arg;
  (void)worker;
  for (ptrdiff_t iy = first; iy < last; iy++)
    for (ptrdiff_t left = 0; left < p->nx; left += 256) strip(p, iy, left, p->nx - left < 256 ? p->nx - left : 256);
  return PRI_OK;
}

pri_status pri_figures_draw(pri_ctx *ctx, const pri_figures *f, pri_real *x, ptrdiff_t ny, ptrdiff_t nx) {
  pri_outlined *o;
  if (f->n > PRI_FIGURES_MAX) return PRI_FAIL(ctx, PRI_EPARAM, "phantom: %td figures are more than %d", f->n, PRI_FIGURES_MAX);
  PRI_ALLOC(ctx, o, f->n);
  for (ptrdiff_t i = 0; i < f->n; i++) pri_figure_prepare(&o[i], &f->f[i], (double)(nx < ny ? nx : ny) / 2); /* lengths in pixels */
  struct picture p = {o, f->n, ny, nx, f->cover, x};
  const pri_status s = pri_par_for(ctx, ny, 8, rows, &p);
  pri_free(ctx, o);
  return s;
}

pri_status pri_figures_draw_all(pri_ctx *ctx, const pri_figures *f, pri_array *x) {
  for (ptrdiff_t i = 0; i < x->items; i++) PRI_TRY(pri_figures_draw(ctx, f, pri_array_item(x, i), x->shape.n[0], x->shape.n[1]));
  return PRI_OK;
}

pri_status pri_figures_draw_each(pri_ctx *ctx, pri_figures_fn make, const void *priv, pri_array *x, ptrdiff_t first) {
  pri_figures f = {.cover = 1};
  PRI_ALLOC(ctx, f.f, PRI_FIGURES_MAX);
  pri_status s = PRI_OK;
  for (ptrdiff_t i = 0; i < x->items && s == PRI_OK; i++) {
    make(priv, pri_ctx_seed(ctx), first + i, &f);
    s = pri_figures_draw(ctx, &f, pri_array_item(x, i), x->shape.n[0], x->shape.n[1]);
  }
  pri_free(ctx, f.f);
  return s;
}
