/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * center_opposite.c - the centre c that minimises
 *   E(c) = sum (p(beta, j) - p(beta + pi - 2 gamma_j, 2 c - j))^2 / sum (p(beta, j)^2 + p(beta + pi - 2 gamma_j, 2 c - j)^2)
 * over all rays whose opposite was measured; gamma_j = atan((j - c) bin / sdd), 0 for parallel beams. Candidates are half bins, so that
 * 2 c - j is a bin and no interpolation across bins favours any of them; a parabola through the lowest three gives the fraction.
 * Between views p is interpolated; parallel scans of half a turn are continued by a view or two at both ends, linearly.
 */
#include <math.h>
#include <stdlib.h>

#include "center.h"
#include "par.h"

static const double pi = 3.14159265358979323846;
static const double sparse = 0.1; /* rad between views: beyond, going on by one view is no longer a guess of bins */
enum { QUICK = 24, FINE = 6 }; /* views of the first search; half bins around its minimum of the second */
struct place { double angle; ptrdiff_t view; };
struct search {
  const pri_geometry *g;
  const pri_array *y;
  struct place *sorted;             /* [views] by angle modulo 2 pi */
  double gap;                       /* median step of the angles */
  ptrdiff_t *use, n_use;            /* views that have opposite rays */
  ptrdiff_t stride, first;          /* every so many of them; 2 c of the first candidate */
  double *cost;                     /* of each candidate */
};
struct pair { ptrdiff_t a, b; double t; }; /* view a + t (view b - view a) */

static int by_angle(const void *p, const void *q) {
  const struct place *a = p, *b = q;
  return a->angle < b->angle ? -1 : a->angle > b->angle ? 1 : a->view < b->view ? -1 : a->view > b->view;
}

static int by_value(const void *p, const void *q) {
  const double a = *(const double *)p, b = *(const double *)q;
  return (a > b) - (a < b);
}

static double turn(double a) {
  a = fmod(a, 2 * pi);
  return a < 0 ? a + 2 * pi : a;
}

/* the views around an angle; 0: it was not measured */
static int find(const struct search *s, double angle, struct pair *p) {
  const ptrdiff_t n = s->g->views;
  ptrdiff_t lo = 0, hi = n; /* first place above the angle */
  angle = turn(angle);
  while (lo < hi) {
    const ptrdiff_t mid = (lo + hi) / 2;
    if (s->sorted[mid].angle > angle) hi = mid;
    else lo = mid + 1;
  }
  const struct place *above = &s->sorted[lo % n], *below = &s->sorted[(lo + n - 1) % n];
  const double up = turn(above->angle - angle), down = turn(angle - below->angle);
  if (down < 1e-6 * s->gap) return *p = (struct pair){below->view, below->view, 0}, 1;
  if (up < 1e-6 * s->gap) return *p = (struct pair){above->view, above->view, 0}, 1;
  if (up + down <= 1.6 * s->gap) return *p = (struct pair){below->view, above->view, down / (up + down)}, 1;
  if (s->g->beam != PRI_PARALLEL || n < 3 || s->gap > sparse) return 0;
  const double far = fmax(1.2 * s->gap, fmin(2.2 * s->gap, 0.05));
  const struct place *before = &s->sorted[(lo + 2 * n - 2) % n], *after = &s->sorted[(lo + 1) % n];
  const double back = turn(below->angle - before->angle), on = turn(after->angle - above->angle);
  if (down <= far && back > 0 && back <= 1.6 * s->gap) return *p = (struct pair){before->view, below->view, (back + down) / back}, 1;
  if (up <= far && on > 0 && on <= 1.6 * s->gap) return *p = (struct pair){after->view, above->view, (on + up) / on}, 1;
  return 0;
}

static double gamma_of(const pri_geometry *g, double bins) {
  if (g->beam == PRI_PARALLEL) return 0;
  return g->beam == PRI_FAN_FLAT ? atan(bins * g->bin / g->sdd) : bins * g->bin / g->sdd;
}

/* adds the squares of one view, all slices */
static void compare(const struct search *s, ptrdiff_t v, ptrdiff_t twice, double *difference, double *size) {
  const pri_geometry *g = s->g;
  const ptrdiff_t lo = twice - (g->bins - 1) > 0 ? twice - (g->bins - 1) : 0, hi = twice < g->bins - 1 ? twice : g->bins - 1, item = g->views * g->bins;
  struct pair p = {0, 0, 0};
  int found = g->beam == PRI_PARALLEL ? find(s, g->angle[v] + pi, &p) : 0;
  for (ptrdiff_t j = lo; j <= hi; j++) {
    if (g->beam != PRI_PARALLEL) found = find(s, g->angle[v] + pi - 2 * gamma_of(g, (double)j - (double)twice / 2), &p);
    if (!found) continue;
    for (ptrdiff_t i = 0; i < s->y->items; i++) {
      const pri_real *y = s->y->data + i * item;
      const double a = (double)y[v * g->bins + j], u = (double)y[p.a * g->bins + twice - j], w = (double)y[p.b * g->bins + twice - j];
      const double b = u + p.t * (w - u);
      *difference += (a - b) * (a - b);
      *size += a * a + b * b;
    }
  }
}

static pri_status candidates(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct search *s = arg;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    double difference = 0, size = 0;
    for (ptrdiff_t i = 0; i < s->n_use; i += s->stride) compare(s, s->use[i], s->first + k, &difference, &size);
    s->cost[k] = size > 0 ? difference / size : INFINITY;
  }
  return PRI_OK;
}

static ptrdiff_t lowest(const double *cost, ptrdiff_t n) {
  ptrdiff_t at = 0;
  for (ptrdiff_t k = 1; k < n; k++)
    if (cost[k] < cost[at]) at = k;
  return at;
}

static pri_status prepare(pri_ctx *ctx, struct search *s) {
  const pri_geometry *g = s->g;
  double *gaps;
  PRI_ALLOC(ctx, s->sorted, g->views);
  PRI_ALLOC(ctx, s->use, g->views);
  PRI_ALLOC(ctx, s->cost, g->bins > FINE ? 2 * g->bins : 2 * FINE);
  PRI_ALLOC(ctx, gaps, g->views);
  for (ptrdiff_t v = 0; v < g->views; v++) s->sorted[v] = (struct place){turn(g->angle[v]), v};
  qsort(s->sorted, (size_t)g->views, sizeof *s->sorted, by_angle);
  for (ptrdiff_t v = 0; v < g->views; v++) gaps[v] = turn(s->sorted[(v + 1) % g->views].angle - s->sorted[v].angle);
  qsort(gaps, (size_t)g->views, sizeof *gaps, by_value);
  s->gap = gaps[g->views / 2];
  pri_free(ctx, gaps);
  const double edge = gamma_of(g, (double)g->bins / 2);
  for (ptrdiff_t v = 0; v < g->views; v++) {
    struct pair p;
    int any = 0;
    for (int k = -2; k <= 2; k++) any |= find(s, g->angle[v] + pi + k * edge, &p);
    if (any) s->use[s->n_use++] = v;
  }
  return PRI_OK;
}

static pri_status minimise(pri_ctx *ctx, struct search *s, double *center) {
  const ptrdiff_t bins = s->g->bins;
  const ptrdiff_t n = bins + 1; /* 2 c from (bins - 1) / 2 to 3 (bins - 1) / 2: the middle half of the detector */
  s->stride = (s->n_use + QUICK - 1) / QUICK, s->first = (bins - 1) / 2;
  PRI_TRY(pri_par_for(ctx, n, 4, candidates, s));
  const ptrdiff_t near = s->first + lowest(s->cost, n);
  s->stride = (s->n_use + 8 * QUICK - 1) / (8 * QUICK), s->first = near - FINE;
  PRI_TRY(pri_par_for(ctx, 2 * FINE + 1, 1, candidates, s));
  const ptrdiff_t k = lowest(s->cost, 2 * FINE + 1);
  if (!isfinite(s->cost[k]) || k == 0 || k == 2 * FINE) return PRI_OK; /* no minimum: left NAN */
  const double below = s->cost[k - 1], here = s->cost[k], above = s->cost[k + 1], bend = below - 2 * here + above;
  *center = ((double)(s->first + k) + (bend > 0 ? 0.5 * (below - above) / bend : 0)) / 2;
  return PRI_OK;
}

pri_status pri_center_opposite(pri_ctx *ctx, double *center, const pri_geometry *g, const pri_array *y) {
  struct search s = {.g = g, .y = y};
  *center = NAN;
  pri_status status = prepare(ctx, &s);
  if (status == PRI_OK && s.n_use) status = minimise(ctx, &s, center);
  pri_free(ctx, s.sorted);
  pri_free(ctx, s.use);
  pri_free(ctx, s.cost);
  return status;
}
