/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_strip.c - bin averages of a pixel image: the footprint of a pixel on the detector is a trapezoid through its four projected
 * corners tau0 <= tau1 <= tau2 <= tau3, of height h / max(|cos phi|, |sin phi|) where phi is the direction of the ray through the
 * pixel's centre (Long, Fessler, Balter 2010, SF-TR, amplitude A1). In parallel beam that is the exact area of pixel and strip.
 *     a(bin j, pixel) = height [G(j + 1/2) - G(j - 1/2)],  G(e) = integral of the unit trapezoid up to e, all in units of bins.
 * Curved detector: corners by their angle, otherwise the same. Weights are computed once a view and used for all items, the same both
 * ways. Compiled once more with -DPRI_WIDE. Threads: forward by views, back by rows of the image.
 */
#include <math.h>
#include <string.h>
#include "par.h"
#include "rays.h"

enum { STACK = 16 }; /* items whose sinogram rows are held in double at a time */

struct job {
  const pri_geometry *g;
  pri_ray_real *out;
  const pri_ray_real *in;
  ptrdiff_t items;
  char *scratch;
  size_t share;
};
struct place {                  /* scratch of a worker */
  double *above, *below;        /* [nx + 1] corners along the upper and the lower side of a row of pixels, in bins */
  double *weight;               /* [bins] of one pixel */
  double *rows;                 /* [STACK][bins] */
};
struct view {
  double c, s;
};
struct print { /* of one pixel: weight[0 .. count) belongs to bins from first on */
  ptrdiff_t first, count;
};

static size_t share_bytes(const pri_geometry *g) {
  const size_t n = 2 * ((size_t)g->n[0] + 1) + (STACK + 1) * (size_t)g->bins;
  return (n * sizeof(double) + 63) / 64 * 64;
}

static struct place place_in(const struct job *job, int worker) {
  double *p = (double *)(void *)(job->scratch + (size_t)worker * job->share);
  const ptrdiff_t corners = job->g->n[0] + 1;
  return (struct place){p, p + corners, p + 2 * corners, p + 2 * corners + job->g->bins};
}

static struct view view_of(const pri_geometry *g, ptrdiff_t v) { return (struct view){cos(g->angle[v]), sin(g->angle[v])}; }

/* Corners of side iy = 0 (top) ... ny; X = (ix - nx/2) h, Y = (ny/2 - iy) h. */
static void corners(const pri_geometry *g, struct view v, ptrdiff_t iy, double *out) {
  const double Y = (0.5 * (double)g->n[1] - (double)iy) * g->pixel, half = 0.5 * (double)g->n[0];
  const double per = (g->beam == PRI_PARALLEL ? 1 : g->sdd) / g->bin;
  for (ptrdiff_t ix = 0; ix <= g->n[0]; ix++) {
    const double X = ((double)ix - half) * g->pixel;
    const double side = X * v.c + Y * v.s, ahead = g->sod - X * v.s + Y * v.c; /* of the source, along t and n */
    if (g->beam == PRI_PARALLEL)
      out[ix] = side * per + g->center;
    else
      out[ix] = (g->beam == PRI_FAN_FLAT ? side / ahead : atan2(side, ahead)) * per + g->center;
  }
}

/* comparisons that become one instruction, as fmin and fmax do not */
static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

/* h / max(|cos phi|, |sin phi|) at the centre of a pixel */
static double height(const pri_geometry *g, struct view v, ptrdiff_t ix, ptrdiff_t iy) {
  double dx = -v.s, dy = v.c;
  if (g->beam != PRI_PARALLEL) {
    dx = ((double)ix - 0.5 * (double)(g->n[0] - 1)) * g->pixel - g->sod * v.s;
    dy = (0.5 * (double)(g->n[1] - 1) - (double)iy) * g->pixel + g->sod * v.c;
  }
  return g->pixel * sqrt(dx * dx + dy * dy) / most(fabs(dx), fabs(dy));
}

static void order(double *a, double *b) {
  const double low = least(*a, *b), high = most(*a, *b);
  *a = low;
  *b = high;
}

struct trapezoid {
  double t0, t1, t2, t3, rise, fall; /* 1 / (2 (t1 - t0)), 1 / (2 (t3 - t2)); 0 for a vertical side */
};

static struct trapezoid trapezoid_of(double a, double b, double c, double d) {
  order(&a, &b);
  order(&c, &d);
  order(&a, &c);
  order(&b, &d);
  order(&b, &c);
  return (struct trapezoid){a, b, c, d, b > a ? 0.5 / (b - a) : 0, d > c ? 0.5 / (d - c) : 0};
}

/* G(e), rising over (t0, t1), flat to t2, falling to t3 */
static double integral(const struct trapezoid *t, double e) {
  const double up = least(most(e, t->t0), t->t1) - t->t0, flat = least(most(e, t->t1), t->t2) - t->t1;
  const double all = t->t3 - t->t2, left = t->t3 - least(most(e, t->t2), t->t3);
  return up * up * t->rise + flat + (all * all - left * left) * t->fall;
}

/* Bin that holds the coordinate, clamped to [-1, bins]. */
static ptrdiff_t bin_at(double e, ptrdiff_t bins) {
  return (ptrdiff_t)(least(most(e + 0.5, -0.5), (double)bins + 0.5) + 1) - 1;
}

static struct print footprint(const struct trapezoid *t, double amplitude, ptrdiff_t bins, double *weight) {
  const ptrdiff_t low = bin_at(t->t0, bins), high = bin_at(t->t3, bins), first = low < 0 ? 0 : low, last = high < bins ? high : bins - 1;
  const double whole = 0.5 * (t->t3 + t->t2 - t->t1 - t->t0);
  double before = low < 0 ? integral(t, -0.5) : 0;
  for (ptrdiff_t j = first; j <= last; j++) {
    const double here = j == high ? whole : integral(t, (double)j + 0.5);
    weight[j - first] = amplitude * (here - before);
    before = here;
  }
  return (struct print){first, last < first ? 0 : last - first + 1};
}

/* The two rows of corners of image row iy; going down, the lower one becomes the upper one. */
static void next_row(const pri_geometry *g, struct view v, ptrdiff_t iy, int fresh, struct place *p) {
  double *const was_below = p->below;
  if (fresh) {
    corners(g, v, iy, p->above);
  } else {
    p->below = p->above;
    p->above = was_below;
  }
  corners(g, v, iy + 1, p->below);
}

static struct print pixel_print(const pri_geometry *g, struct view v, ptrdiff_t ix, ptrdiff_t iy, const struct place *p) {
  const struct trapezoid t = trapezoid_of(p->above[ix], p->above[ix + 1], p->below[ix], p->below[ix + 1]);
  return footprint(&t, height(g, v, ix, iy), g->bins, p->weight);
}

static void forward_view(const struct job *job, ptrdiff_t view, struct place *p, ptrdiff_t item, ptrdiff_t count) {
  const pri_geometry *g = job->g;
  const struct view v = view_of(g, view);
  const ptrdiff_t pixels = g->n[0] * g->n[1];
  memset(p->rows, 0, (size_t)(count * g->bins) * sizeof(double));
  for (ptrdiff_t iy = 0; iy < g->n[1]; iy++) {
    next_row(g, v, iy, iy == 0, p);
    for (ptrdiff_t ix = 0; ix < g->n[0]; ix++) {
      const struct print w = pixel_print(g, v, ix, iy, p);
      for (ptrdiff_t k = 0; k < count; k++) {
        const double x = (double)job->in[(item + k) * pixels + iy * g->n[0] + ix];
        double *row = p->rows + k * g->bins + w.first;
        for (ptrdiff_t j = 0; j < w.count; j++) row[j] += p->weight[j] * x;
      }
    }
  }
  for (ptrdiff_t k = 0; k < count; k++)
    for (ptrdiff_t j = 0; j < g->bins; j++) job->out[((item + k) * g->views + view) * g->bins + j] = (pri_ray_real)p->rows[k * g->bins + j];
}

static pri_status forward(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  struct place p = place_in(job, worker);
  for (ptrdiff_t v = first; v < last; v++)
    for (ptrdiff_t k = 0; k < job->items; k += STACK) forward_view(job, v, &p, k, job->items - k < STACK ? job->items - k : STACK);
  return PRI_OK;
}

static void back_row(const struct job *job, ptrdiff_t view, struct view v, ptrdiff_t iy, const struct place *p) {
  const pri_geometry *g = job->g;
  const ptrdiff_t pixels = g->n[0] * g->n[1];
  for (ptrdiff_t ix = 0; ix < g->n[0]; ix++) {
    const struct print w = pixel_print(g, v, ix, iy, p);
    for (ptrdiff_t k = 0; k < job->items; k++) {
      const pri_ray_real *row = job->in + (k * g->views + view) * g->bins + w.first;
      double sum = 0;
      for (ptrdiff_t j = 0; j < w.count; j++) sum += p->weight[j] * (double)row[j];
      job->out[k * pixels + iy * g->n[0] + ix] += (pri_ray_real)sum;
    }
  }
}

static pri_status back(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  struct place p = place_in(job, worker);
  for (ptrdiff_t view = 0; view < job->g->views; view++) {
    const struct view v = view_of(job->g, view);
    for (ptrdiff_t iy = first; iy < last; iy++) {
      next_row(job->g, v, iy, iy == first, &p);
      back_row(job, view, v, iy, &p);
    }
  }
  return PRI_OK;
}

#define pri_strip_scratch PRI_RAY_NAME(strip_scratch)
#define pri_strip_forward PRI_RAY_NAME(strip_forward)
#define pri_strip_back PRI_RAY_NAME(strip_back)

size_t pri_strip_scratch(const pri_geometry *g, int workers) { return (size_t)workers * share_bytes(g); }

static ptrdiff_t chunk(ptrdiff_t n, int workers) { return (n + workers - 1) / workers; }

pri_status pri_strip_forward(pri_ctx *ctx, const pri_geometry *g, int workers, pri_ray_real *y, const pri_ray_real *x, ptrdiff_t items, void *scratch) {
  struct job job = {g, y, x, items, scratch, share_bytes(g)};
  return pri_par_for(ctx, g->views, chunk(g->views, workers), forward, &job);
}

pri_status pri_strip_back(pri_ctx *ctx, const pri_geometry *g, int workers, pri_ray_real *x, const pri_ray_real *y, ptrdiff_t items, void *scratch) {
  struct job job = {g, x, y, items, scratch, share_bytes(g)};
  memset(x, 0, (size_t)(items * g->n[0] * g->n[1]) * sizeof *x);
  return pri_par_for(ctx, g->n[1], chunk(g->n[1], workers), back, &job);
}
