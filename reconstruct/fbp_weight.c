/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fbp_weight.c - the angle that a view stands for, and weights of rays that are measured more than once.
 *
 * Views: w_v is half the gap to both neighbours, modulo pi for parallel, 2 pi for fan beams. A gap that is far wider than all others
 * is a missing wedge: the views at its edges then stand for the gap on their other side only, and the scan is `partial`.
 * Fan, full turn: every ray is measured twice, w_v is halved. Fan, partial: weights of Parker 1982 over the arc pi + 2 G that was
 * measured (spec 6.5), beta since its begin, g = -gamma in our frame:
 *   w = sin^2(pi/4 beta / (G - g))               0 <= beta <= 2 (G - g)
 *   w = sin^2(pi/4 (pi + 2 G - beta) / (G + g))  pi - 2 g <= beta <= pi + 2 G
 *   w = 1                                        otherwise
 * G = (arc - pi) / 2 may exceed the fan angle (over-scan): w(beta, g) + w(beta + pi + 2 g, -g) = 1 holds for any G. Arcs that are too
 * short for G >= |gamma| have rays that were measured once: G - g or G + g is then negative and w = 1.
 * Offset detectors on a full turn: r(u) = 2 sin^2(pi/4 (1 + u / o)) for |u| < o, o the short side, so that r(u) + r(-u) = 2 (Wang 2002).
 */
#include <math.h>
#include <stdlib.h>

#include "fbp.h"

static const double pi = 3.14159265358979323846;
struct place { double angle; ptrdiff_t view; };

static int by_angle(const void *p, const void *q) {
  const struct place *a = p, *b = q;
  return a->angle < b->angle ? -1 : a->angle > b->angle ? 1 : a->view < b->view ? -1 : a->view > b->view;
}

/* angles modulo period, in order; the last gap (back to the first) becomes the largest one by rotating the circle */
static void sort(struct place *p, const double *angle, ptrdiff_t n, double period) {
  for (ptrdiff_t i = 0; i < n; i++) {
    double a = fmod(angle[i], period);
    if (a < 0) a += period;
    if (period - a < 1e-9) a = 0; /* 180 degrees is 0 degrees */
    p[i] = (struct place){a, i};
  }
  qsort(p, (size_t)n, sizeof *p, by_angle);
  ptrdiff_t at = n - 1;
  double widest = p[0].angle + period - p[n - 1].angle;
  for (ptrdiff_t i = 0; i + 1 < n; i++)
    if (p[i + 1].angle - p[i].angle > widest * (1 + 1e-9)) widest = p[i + 1].angle - p[i].angle, at = i;
  for (ptrdiff_t i = 0; i <= at && at < n - 1; i++) p[i].angle += period; /* view at + 1 comes first now */
  qsort(p, (size_t)n, sizeof *p, by_angle);
}

/* Is the last gap a missing wedge? Irregular sets of angles have gaps of 2 to 3 times the next; a fan that lacks more than one view
   in a row is better served by Parker's weights. */
static int is_partial(const struct place *p, ptrdiff_t n, double period, double factor, double *second) {
  *second = 0;
  for (ptrdiff_t i = 0; i + 1 < n; i++) *second = fmax(*second, p[i + 1].angle - p[i].angle);
  return n > 1 && *second > 0 && period - (p[n - 1].angle - p[0].angle) > factor * *second;
}

static void spacing(pri_fbp *f, const struct place *p, double period) {
  const ptrdiff_t n = f->g.views;
  for (ptrdiff_t i = 0; i < n; i++) {
    double below = i > 0 ? p[i].angle - p[i - 1].angle : p[0].angle + period - p[n - 1].angle;
    double above = i + 1 < n ? p[i + 1].angle - p[i].angle : p[0].angle + period - p[n - 1].angle;
    if (f->partial && i == 0) below = above;
    if (f->partial && i + 1 == n) above = below;
    f->view[p[i].view].weight = (below + above) / 2;
    f->beta[p[i].view] = p[i].angle;
    if (i == 0) f->begin = p[0].angle - (f->partial ? above / 2 : 0);
    if (i + 1 == n) f->arc = f->partial ? p[i].angle + below / 2 - f->begin : period;
  }
}

void pri_fbp_field(const pri_geometry *g, double out[2]) {
  const double side[2] = {(g->center + 0.5) * g->bin, ((double)g->bins - 0.5 - g->center) * g->bin};
  for (int k = 0; k < 2; k++)
    out[k] = g->beam == PRI_PARALLEL ? side[k] : g->beam == PRI_FAN_FLAT ? side[k] * g->sod / hypot(side[k], g->sdd) : g->sod * sin(fmin(side[k] / g->sdd, pi / 2));
}

/* on where one side sees less than 0.8 of the other and the views go all around */
static int offset_wanted(const pri_fbp *f, struct place *p, const double *angle) {
  double field[2], second;
  pri_fbp_field(&f->g, field);
  sort(p, angle, f->g.views, 2 * pi);
  const int all_around = !is_partial(p, f->g.views, 2 * pi, 2.2, &second) && f->g.views > 2;
  const int uneven = fmin(field[0], field[1]) > 0 && fmin(field[0], field[1]) < 0.8 * fmax(field[0], field[1]);
  return all_around && (f->opts.offset == PRI_OFFSET_ON || (f->opts.offset == PRI_OFFSET_AUTO && uneven));
}

pri_status pri_fbp_weigh(pri_fbp *f, const double *angle) {
  struct place *p;
  const int parallel = f->g.beam == PRI_PARALLEL;
  const double period = parallel ? pi : 2 * pi;
  double second;
  PRI_ALLOC(f->ctx, p, f->g.views);
  f->offset = offset_wanted(f, p, angle);
  sort(p, angle, f->g.views, period);
  f->partial = is_partial(p, f->g.views, period, parallel ? 4 : 2.2, &second);
  spacing(f, p, period);
  pri_free(f->ctx, p);
  for (ptrdiff_t v = 0; v < f->g.views; v++) {
    f->view[v].cos = cos(angle[v]), f->view[v].sin = sin(angle[v]);
    f->beta[v] -= f->begin;
    if (!parallel && !f->partial) f->view[v].weight /= 2; /* every ray twice */
  }
  return PRI_OK;
}

static double parker(double beta, double g, double arc) {
  const double G = (arc - pi) / 2;
  double s = 1;
  if (G - g > 0 && beta < 2 * (G - g))
    s = sin(pi / 4 * beta / (G - g));
  else if (G + g > 0 && beta > pi - 2 * g)
    s = sin(pi / 4 * (arc - beta) / (G + g));
  return s * s;
}

double pri_fbp_redundancy(const pri_fbp *f, ptrdiff_t view, double bin) {
  const pri_geometry *g = &f->g;
  const double u = (bin - g->center) * g->bin;
  if (f->offset) {
    const double below = g->center + 0.5, above = (double)g->bins - 0.5 - g->center, o = fmin(below, above) * g->bin;
    const double t = (below < above ? u : -u) / o, s = sin(pi / 4 * (1 + fmin(fmax(t, -1), 1)));
    return 2 * s * s;
  }
  if (g->beam == PRI_PARALLEL || !f->partial || f->opts.doubled == PRI_SHORT_NONE) return 1;
  const double gamma = g->beam == PRI_FAN_FLAT ? atan(u / g->sdd) : u / g->sdd;
  return parker(f->beta[view], -gamma, f->arc);
}
