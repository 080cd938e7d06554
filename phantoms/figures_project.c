/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figures_project.c - exact projections of figures: parallel, fan with flat and with curved detector (frame of pri_geometry).
 *
 * A point (x, y) falls on u = x cos + y sin (parallel), u = w sdd / l (flat), u = sdd atan(w / l) (curved; along the arc), where
 * w = x cos + y sin, l = sod - x sin + y cos. Bin averages: see figures.h; n-point Gauss rules over phi have errors below 1e-9 of
 * the bin between two tangent points. Where figures hide one another (cover) the integrand also has kinks at crossings of outlines,
 * which are not split: about 1e-4 of a bin there.
 */
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>

#include "figures.h"
#include "par.h"

enum { ORDERS = 3 };
static const size_t order[ORDERS] = {4, 8, 20};
static const double widest[ORDERS] = {0.15, 0.8, 4}; /* rad of phi that each rule serves */

struct projection {
  const pri_geometry *g;
  const pri_outlined *o;
  ptrdiff_t n;
  int cover, average;
  double radius;                       /* of a disc around the axis that holds all figures, mm */
  gsl_integration_glfixed_table *rule[ORDERS];
  double *edges, *spans;               /* [workers][4 n] where outlines begin and end, in bins; [workers][n][2] of each figure */
  pri_outlined *active;                /* [workers][n]: the figures that rays between two edges meet */
  pri_real *y;
};

struct view { double c, s; ptrdiff_t index; double *spans; pri_outlined *active; ptrdiff_t n_active; };

static double bin_of(const pri_geometry *g, const struct view *v, double x, double y) {
  const double w = x * v->c + y * v->s, l = g->sod - x * v->s + y * v->c;
  if (g->beam == PRI_PARALLEL) return w / g->bin + g->center;
  return (g->beam == PRI_FAN_FLAT ? w / l : atan2(w, l)) * g->sdd / g->bin + g->center;
}

static void ray(const pri_geometry *g, const struct view *v, double bin, double from[2], double along[2]) {
  const double u = (bin - g->center) * g->bin;
  if (g->beam == PRI_PARALLEL) {
    from[0] = u * v->c, from[1] = u * v->s, along[0] = -v->s, along[1] = v->c;
    return;
  }
  const int flat = g->beam == PRI_FAN_FLAT;
  const double a = flat ? u : sin(u / g->sdd), b = flat ? g->sdd : cos(u / g->sdd), h = hypot(a, b);
  from[0] = g->sod * v->s, from[1] = -g->sod * v->c;
  along[0] = (a * v->c - b * v->s) / h, along[1] = (a * v->s + b * v->c) / h;
}

static void point(const pri_outlined *o, double X, double Y, double p[2]) {
  p[0] = o->x + o->a * X * o->c - o->b * Y * o->s;
  p[1] = o->y + o->a * X * o->s + o->b * Y * o->c;
}

/* In the frame of an ellipse: tangents from the source S touch at angle(S) -+ acos(1 / |S|); parallel ones at right angles to V. */
static void tangents(const pri_geometry *g, const struct view *v, const pri_outlined *o, double edges[4]) {
  double from[2], along[2], p[2];
  ray(g, v, g->center, from, along);
  const double px = from[0] - o->x, py = from[1] - o->y;
  const int parallel = g->beam == PRI_PARALLEL;
  const double X = (parallel ? along[0] * o->c + along[1] * o->s : px * o->c + py * o->s) / o->a;
  const double Y = (parallel ? along[1] * o->c - along[0] * o->s : py * o->c - px * o->s) / o->b;
  const double middle = atan2(Y, X), half = parallel ? acos(0.0) : acos(1 / hypot(X, Y));
  for (int k = 0; k < 2; k++) {
    point(o, cos(middle + (k ? half : -half)), sin(middle + (k ? half : -half)), p);
    edges[k] = bin_of(g, v, p[0], p[1]);
  }
}

static ptrdiff_t corners(const pri_geometry *g, const struct view *v, const pri_outlined *o, double edges[4]) {
  static const double box[4][2] = {{-1, -1}, {-1, 1}, {1, -1}, {1, 1}}, wedge[3][2] = {{0, 0}, {1, -1}, {1, 1}};
  const ptrdiff_t n = o->outline == PRI_BOX ? 4 : 3;
  for (ptrdiff_t k = 0; k < n; k++) {
    double p[2];
    point(o, n == 4 ? box[k][0] : wedge[k][0], n == 4 ? box[k][1] : wedge[k][1], p);
    edges[k] = bin_of(g, v, p[0], p[1]);
  }
  return n;
}

static int by_value(const void *p, const void *q) {
  const double a = *(const double *)p, b = *(const double *)q;
  return (a > b) - (a < b);
}

/* the figures that a ray through this bin meets; no outline begins or ends between two neighbouring edges */
static void gather(const struct projection *p, struct view *v, double bin) {
  v->n_active = 0;
  for (ptrdiff_t i = 0; i < p->n; i++)
    if (v->spans[2 * i] <= bin && bin <= v->spans[2 * i + 1]) v->active[v->n_active++] = p->o[i];
}

static ptrdiff_t edges_of(const struct projection *p, const struct view *v, double *edges) {
  ptrdiff_t n = 0;
  for (ptrdiff_t i = 0; i < p->n; i++) {
    ptrdiff_t k = 2;
    if (p->o[i].outline == PRI_ELLIPSE)
      tangents(p->g, v, &p->o[i], edges + n);
    else
      k = corners(p->g, v, &p->o[i], edges + n);
    v->spans[2 * i] = INFINITY, v->spans[2 * i + 1] = -INFINITY;
    for (; k > 0; k--, n++) v->spans[2 * i] = fmin(v->spans[2 * i], edges[n]), v->spans[2 * i + 1] = fmax(v->spans[2 * i + 1], edges[n]);
  }
  qsort(edges, (size_t)n, sizeof *edges, by_value);
  return n;
}

static double integral(const struct projection *p, const struct view *v, double bin) {
  pri_piece piece[2 * PRI_FIGURES_MAX];
  double from[2], along[2], sum = 0;
  ray(p->g, v, bin, from, along);
  if (!p->cover) { /* values add up: no need to know the order of the pieces */
    for (ptrdiff_t i = 0; i < v->n_active; i++) {
      double t[2];
      if (pri_figure_cut(&v->active[i], from, along, t)) sum += v->active[i].value * (t[1] - t[0]);
    }
    return sum;
  }
  const ptrdiff_t n = pri_figures_pieces(v->active, v->n_active, 1, from, along, piece);
  for (ptrdiff_t k = 0; k + 1 < n; k++) sum += piece[k].value * (piece[k + 1].t - piece[k].t);
  return sum;
}

/* integral over bins [a, b] between the neighbouring edges l <= a < b <= r */
static double between(const struct projection *p, const struct view *v, double a, double b, double l, double r) {
  const double middle = (l + r) / 2, half = (r - l) / 2;
  const double from = asin(fmax((a - middle) / half, -1)), to = asin(fmin((b - middle) / half, 1));
  int k = 0;
  while (k < ORDERS - 1 && to - from > widest[k]) k++;
  double sum = 0;
  for (size_t i = 0; i < order[k]; i++) {
    double phi, w;
    gsl_integration_glfixed_point(from, to, i, &phi, &w, p->rule[k]);
    sum += w * cos(phi) * half * integral(p, v, middle + half * sin(phi)); /* du = half cos(phi) dphi */
  }
  return sum;
}

static void averages(const struct projection *p, struct view *v, const double *edges, ptrdiff_t n) {
  pri_real *y = p->y + v->index * p->g->bins;
  ptrdiff_t first = 0, gathered = -1; /* the last edge that is not above the bin; where v->active stands */
  for (ptrdiff_t j = 0; j < p->g->bins; j++) {
    const double lo = (double)j - 0.5, hi = (double)j + 0.5;
    while (first + 1 < n && edges[first + 1] <= lo) first++;
    double sum = 0;
    for (ptrdiff_t k = first; k + 1 < n && edges[k] < hi; k++) {
      const double a = fmax(lo, edges[k]), b = fmin(hi, edges[k + 1]);
      if (!(a < b)) continue;
      if (k != gathered) gather(p, v, (edges[k] + edges[k + 1]) / 2), gathered = k;
      if (v->n_active) sum += between(p, v, a, b, edges[k], edges[k + 1]);
    }
    y[j] = (pri_real)sum;
  }
}

static pri_status views(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct projection *p = arg;
  double *edges = p->edges + (ptrdiff_t)worker * 4 * p->n;
  for (ptrdiff_t i = first; i < last; i++) {
    struct view v = {cos(p->g->angle[i]), sin(p->g->angle[i]), i, p->spans + (ptrdiff_t)worker * 2 * p->n, p->active + (ptrdiff_t)worker * p->n, 0};
    const ptrdiff_t n = edges_of(p, &v, edges);
    if (p->average)
      averages(p, &v, edges, n);
    else
      for (ptrdiff_t j = 0; j < p->g->bins; j++) {
        gather(p, &v, (double)j);
        p->y[i * p->g->bins + j] = (pri_real)integral(p, &v, (double)j);
      }
  }
  return PRI_OK;
}

static double reach(const pri_outlined *o) {
  return hypot(o->x, o->y) + (o->outline == PRI_ELLIPSE ? fmax(o->a, o->b) : hypot(o->a, o->b));
}

static pri_status prepare(pri_ctx *ctx, struct projection *p, const pri_figures *f, pri_outlined *o) {
  const pri_geometry *g = p->g;
  const double unit = g->pixel * (double)(g->n[0] < g->n[1] ? g->n[0] : g->n[1]) / 2; /* mm a share */
  for (ptrdiff_t i = 0; i < f->n; i++) {
    pri_figure_prepare(&o[i], &f->f[i], unit);
    p->radius = fmax(p->radius, reach(&o[i]));
  }
  if (g->beam != PRI_PARALLEL && p->radius >= g->sod)
    return PRI_FAIL(ctx, PRI_EGEOMETRY, "phantom: it reaches %g mm from the axis, the source is at sod=%g mm: choose a larger sod or a smaller pixel", p->radius, g->sod);
  PRI_ALLOC(ctx, p->edges, pri_par_workers(ctx) * 4 * f->n);
  PRI_ALLOC(ctx, p->spans, pri_par_workers(ctx) * 2 * f->n);
  PRI_ALLOC(ctx, p->active, pri_par_workers(ctx) * f->n);
  for (int k = 0; k < ORDERS; k++)
    if (!(p->rule[k] = gsl_integration_glfixed_table_alloc(order[k]))) return PRI_FAIL(ctx, PRI_ENOMEM, "phantom: no memory for a quadrature rule");
  return PRI_OK;
}

pri_status pri_figures_project(pri_ctx *ctx, const pri_figures *f, const pri_geometry *g, int bin_average, pri_real *y) {
  if (g->beam != PRI_PARALLEL && g->beam != PRI_FAN_FLAT && g->beam != PRI_FAN_CURVED)
    return PRI_FAIL(ctx, PRI_ENOTSUP, "phantom: exact projections are for parallel, fan and fancurved");
  if (f->n > PRI_FIGURES_MAX) return PRI_FAIL(ctx, PRI_EPARAM, "phantom: %td figures are more than %d", f->n, PRI_FIGURES_MAX);
  pri_outlined *o;
  PRI_ALLOC(ctx, o, f->n);
  struct projection p = {.g = g, .o = o, .n = f->n, .cover = f->cover, .average = bin_average, .y = y};
  pri_status s = prepare(ctx, &p, f, o);
  if (s == PRI_OK) s = pri_par_for(ctx, g->views, 1, views, &p);
  for (int k = 0; k < ORDERS; k++)
    if (p.rule[k]) gsl_integration_glfixed_table_free(p.rule[k]);
  pri_free(ctx, p.edges);
  pri_free(ctx, p.spans);
  pri_free(ctx, p.active);
  pri_free(ctx, o);
  return s;
}

pri_status pri_figures_project_all(pri_ctx *ctx, const pri_figures *f, const pri_geometry *g, int bin_average, pri_array *y) {
  for (ptrdiff_t i = 0; i < y->items; i++)
    if (i == 0)
      PRI_TRY(pri_figures_project(ctx, f, g, bin_average, pri_array_item(y, 0)));
    else
      for (ptrdiff_t k = 0; k < g->views * g->bins; k++) pri_array_item(y, i)[k] = pri_array_item(y, 0)[k];
  return PRI_OK;
}

pri_status pri_figures_project_each(pri_ctx *ctx, pri_figures_fn make, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  pri_figures f = {.cover = 1};
  PRI_ALLOC(ctx, f.f, PRI_FIGURES_MAX);
  pri_status s = PRI_OK;
  for (ptrdiff_t i = 0; i < y->items && s == PRI_OK; i++) {
    make(priv, pri_ctx_seed(ctx), first + i, &f);
    s = pri_figures_project(ctx, &f, g, bin_average, pri_array_item(y, i));
  }
  pri_free(ctx, f.f);
  return s;
}
