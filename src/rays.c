/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays.c - Joseph's projector, portable: the reference of every fast path, and the kernels of the double build. Compiled once more with
 * -DPRI_WIDE (names end in _wide) for the certificates of the float library. Formulas and order of rounding: rays.h.
 *
 * Threads: forward by views, back by lines of the image (rows for axis 0, then columns for axis 1).
 */
#include "rays.h"
#include <math.h>
#include <string.h>
#include "par.h"

#define ONE ((int64_t)1 << PRI_RAY_FRACTION)
#define SCALE ((pri_ray_real)ONE)

struct job {
  const pri_geometry *g;
  pri_ray_real *out;
  const pri_ray_real *in;
  ptrdiff_t items;
  int axis; /* of a back projection */
  char *scratch;
  size_t share; /* bytes of a worker */
};

/* An image seen as lines: the axis only exchanges extents and strides. */
struct lines {
  ptrdiff_t count, length, step, next; /* lines, pixels in a line, from line to line, from pixel to pixel */
};

static struct lines lines_of(const pri_geometry *g, int axis) {
  const ptrdiff_t nx = g->n[0], ny = g->n[1];
  return axis == 0 ? (struct lines){ny, nx, nx, 1} : (struct lines){nx, ny, 1, nx};
}

static int64_t fixed(double v) {
  const double limit = 2.0 * PRI_RAY_EXTENT; /* beyond it a ray misses the image anyhow */
  return llround(fmin(fmax(v, -limit), limit) * (double)ONE);
}

/* A, B, W of one ray; returns its axis. Pixel (ix, iy) has its centre at x = (ix - cx) h, y = (cy - iy) h. */
static int ray(const pri_geometry *g, double c, double s, ptrdiff_t bin, const pri_ray_row *row) {
  double from[3], d[3];
  pri_geometry_ray_turned(g, c, s, 0, (double)bin, from, d);
  const double cx = 0.5 * (double)(g->n[0] - 1), cy = 0.5 * (double)(g->n[1] - 1), h = g->pixel;
  const int axis = fabs(d[0]) < fabs(d[1]) ? 0 : 1;
  const double x = cx + from[0] / h, y = cy - from[1] / h, dx = d[0], dy = -d[1]; /* in pixels, y down */
  const double slope = axis == 0 ? dx / dy : dy / dx;
  row->A[bin] = fixed(axis == 0 ? x - y * slope : y - x * slope);
  row->B[bin] = llround(slope * (double)ONE);
  row->W[bin] = (pri_ray_real)(h / fabs(axis == 0 ? dy : dx) / (double)ONE);
  return axis;
}

int pri_rays_row(const pri_geometry *g, ptrdiff_t view, const pri_ray_row *row, pri_ray_run runs[PRI_RAY_RUNS]) {
  const double c = cos(g->angle[view]), s = sin(g->angle[view]);
  int n = 0;
  for (ptrdiff_t j = 0; j < g->bins; j++) {
    const int axis = ray(g, c, s, j, row);
    if (n && runs[n - 1].axis == axis)
      runs[n - 1].last = j + 1;
    else if (n < PRI_RAY_RUNS)
      runs[n++] = (pri_ray_run){axis, j, j + 1};
  }
  return n;
}

static int64_t ceil_ratio(int64_t a, int64_t b) { /* b > 0 */
  return a / b + (a % b > 0);
}

/* Lines l of [*first, *last) with low <= A + l B < high. */
static void crop(int64_t A, int64_t B, int64_t low, int64_t high, ptrdiff_t *first, ptrdiff_t *last) {
  int64_t l0 = *first, l1 = *last;
  if (B > 0) {
    l0 = ceil_ratio(low - A, B);
    l1 = ceil_ratio(high - A, B);
  } else if (B < 0) { /* A - l |B| < high  and  A - l |B| >= low */
    l0 = ceil_ratio(A - high + 1, -B);
    l1 = ceil_ratio(A - low + 1, -B);
  } else if (A < low || A >= high) {
    l1 = l0;
  }
  if (l0 > *first) *first = l0;
  if (l1 < *last) *last = l1;
  if (*last < *first) *last = *first;
}

static pri_ray_real march(const pri_ray_real *x, const struct lines *n, int64_t A, int64_t B) {
  ptrdiff_t l0 = 0, l1 = n->count;
  pri_ray_real sum = 0;
  crop(A, B, 1 - ONE, n->length * ONE, &l0, &l1);
  int64_t P = A + l0 * B;
  for (ptrdiff_t l = l0; l < l1; l++, P += B) {
    const ptrdiff_t i = P >> PRI_RAY_FRACTION;
    const pri_ray_real w = (pri_ray_real)(P & (ONE - 1));
    const pri_ray_real *at = x + l * n->step + i * n->next;
    if (i >= 0) sum += (SCALE - w) * at[0];
    if (i + 1 < n->length) sum += w * at[n->next];
  }
  return sum;
}

static pri_ray_row row_in(const pri_geometry *g, char *place) {
  const size_t n = (size_t)g->bins;
  return (pri_ray_row){(int64_t *)(void *)place, (int64_t *)(void *)place + n, (pri_ray_real *)(void *)((int64_t *)(void *)place + 2 * n)};
}

static size_t row_bytes(const pri_geometry *g) {
  return ((size_t)g->bins * (2 * sizeof(int64_t) + sizeof(pri_ray_real)) + 63) / 64 * 64;
}

static pri_status forward(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_geometry *g = job->g;
  const pri_ray_row row = row_in(g, job->scratch + (size_t)worker * job->share);
  const ptrdiff_t pixels = g->n[0] * g->n[1], rays = g->views * g->bins;
  pri_ray_run runs[PRI_RAY_RUNS];
  for (ptrdiff_t v = first; v < last; v++) {
    const int count = pri_rays_row(g, v, &row, runs);
    for (int r = 0; r < count; r++) {
      const struct lines n = lines_of(g, runs[r].axis);
      for (ptrdiff_t k = 0; k < job->items; k++)
        for (ptrdiff_t j = runs[r].first; j < runs[r].last; j++)
          job->out[k * rays + v * g->bins + j] = row.W[j] * march(job->in + k * pixels, &n, row.A[j], row.B[j]);
    }
  }
  return PRI_OK;
}

/* Adds weight * y to the two pixels of every line in [t0, t1). */
static void spread(pri_ray_real *x, const struct lines *n, int64_t A, int64_t B, pri_ray_real y, ptrdiff_t t0, ptrdiff_t t1) {
  crop(A, B, 1 - ONE, n->length * ONE, &t0, &t1);
  int64_t P = A + t0 * B;
  for (ptrdiff_t l = t0; l < t1; l++, P += B) {
    const ptrdiff_t i = P >> PRI_RAY_FRACTION;
    const int64_t f = P & (ONE - 1);
    pri_ray_real *at = x + l * n->step + i * n->next;
    if (i >= 0) at[0] += (SCALE - (pri_ray_real)f) * y;
    if (i + 1 < n->length) at[n->next] += (SCALE - (pri_ray_real)(ONE - f)) * y;
  }
}

static pri_status back(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_geometry *g = job->g;
  const pri_ray_row row = row_in(g, job->scratch + (size_t)worker * job->share);
  const struct lines n = lines_of(g, job->axis);
  const ptrdiff_t pixels = g->n[0] * g->n[1], rays = g->views * g->bins;
  pri_ray_run runs[PRI_RAY_RUNS];
  for (ptrdiff_t v = 0; v < g->views; v++) {
    const int count = pri_rays_row(g, v, &row, runs);
    for (int r = 0; r < count; r++)
      for (ptrdiff_t k = 0; runs[r].axis == job->axis && k < job->items; k++)
        for (ptrdiff_t j = runs[r].first; j < runs[r].last; j++)
          spread(job->out + k * pixels, &n, row.A[j], row.B[j], row.W[j] * job->in[k * rays + v * g->bins + j], first, last);
  }
  return PRI_OK;
}

#define pri_rays_scratch PRI_RAY_NAME(rays_scratch)
#define pri_rays_forward PRI_RAY_NAME(rays_forward)
#define pri_rays_back PRI_RAY_NAME(rays_back)

size_t pri_rays_scratch(const pri_geometry *g, int workers) { return (size_t)workers * row_bytes(g); }

/* Chunks of at least `grain`, no more than there are workers. */
static ptrdiff_t chunk(ptrdiff_t n, int workers) { return (n + workers - 1) / workers; }

pri_status pri_rays_forward(pri_ctx *ctx, const pri_geometry *g, int workers, pri_ray_real *y, const pri_ray_real *x, ptrdiff_t items, void *scratch) {
  struct job job = {.g = g, .out = y, .in = x, .items = items, .scratch = scratch, .share = row_bytes(g)};
  return pri_par_for(ctx, g->views, chunk(g->views, workers), forward, &job);
}

pri_status pri_rays_back(pri_ctx *ctx, const pri_geometry *g, int workers, pri_ray_real *x, const pri_ray_real *y, ptrdiff_t items, void *scratch) {
  struct job job = {.g = g, .out = x, .in = y, .items = items, .scratch = scratch, .share = row_bytes(g)};
  memset(x, 0, (size_t)(items * g->n[0] * g->n[1]) * sizeof *x);
  for (job.axis = 0; job.axis < 2; job.axis++) {
    const ptrdiff_t lines = lines_of(g, job.axis).count;
    PRI_TRY(pri_par_for(ctx, lines, chunk(lines, workers), back, &job));
  }
  return PRI_OK;
}
