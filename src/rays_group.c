/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_group.c - up to 16 slices side by side: image [y][x][16] with a border of zeros, sinogram rows [view][bin][16], a few views at a time.
 *   forward  each thread takes groups of views through the whole image; its sums stay in cache
 *   back     for each axis and group of views: rows are interleaved and weighed, then threads take lines of the image
 */
#include "rays_group.h"
#include <string.h>
#include "par.h"

enum { VIEWS = PRI_STACK_VIEWS, MANY = 36, TILE = 16 }; /* views at a time; the same where back projection scatters; lines that a thread takes at a time */

struct job {
  const pri_ray_plan *p;
  pri_real *out;
  const pri_real *in;
  float *image, *rows;
  ptrdiff_t slices, view0, view1;
  int axis;
};

static ptrdiff_t row_size(const pri_ray_plan *p) { return PRI_STACK * (p->blocks * PRI_BLOCK + 2 * PRI_EDGE); }

static size_t image_size(const pri_geometry *g) { return (size_t)(PRI_STACK * (g->n[1] + 2 * PRI_EDGE) * pri_stack_pitch(g)); }

size_t pri_ray_group_scratch(const pri_ray_plan *p) {
  const double size = (double)PRI_STACK * (double)(p->g->n[1] + 2 * PRI_EDGE) * (double)pri_stack_pitch(p->g);
  if (size >= (double)INT32_MAX) return 0; /* offsets are 32-bit */
  const ptrdiff_t rows = p->workers * VIEWS > MANY ? p->workers * VIEWS : MANY;
  return (image_size(p->g) + (size_t)(rows * row_size(p))) * sizeof(float);
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* to[i][16] = from[slice][i] times w[i] (NULL: 1); slices that are not there are zero */
static void interleave(float *to, const pri_real *from, ptrdiff_t stride, ptrdiff_t slices, const pri_real *w, ptrdiff_t n) {
  for (ptrdiff_t i0 = 0; i0 < n; i0 += 16) {
    const ptrdiff_t m = least(16, n - i0);
    for (ptrdiff_t k = 0; k < slices; k++) {
      const pri_real *x = from + k * stride + i0;
      for (ptrdiff_t i = 0; i < m; i++) to[(i0 + i) * PRI_STACK + k] = (float)(w ? w[i0 + i] * x[i] : x[i]);
    }
    for (ptrdiff_t i = 0; slices < PRI_STACK && i < m; i++) memset(to + (i0 + i) * PRI_STACK + slices, 0, (size_t)(PRI_STACK - slices) * sizeof *to);
  }
}

static void separate(pri_real *to, ptrdiff_t stride, ptrdiff_t slices, const float *from, const pri_real *w, ptrdiff_t n) {
  for (ptrdiff_t i0 = 0; i0 < n; i0 += 16) {
    const ptrdiff_t m = least(16, n - i0);
    for (ptrdiff_t k = 0; k < slices; k++) {
      pri_real *y = to + k * stride + i0;
      for (ptrdiff_t i = 0; i < m; i++) y[i] = w ? from[(i0 + i) * PRI_STACK + k] * w[i0 + i] : from[(i0 + i) * PRI_STACK + k];
    }
  }
}

/* rows of the bordered image; forward: filled, back: cleared */
static pri_status prepare_image(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_geometry *g = job->p->g;
  const ptrdiff_t pitch = PRI_STACK * pri_stack_pitch(g), nx = g->n[0];
  (void)worker;
  for (ptrdiff_t r = first; r < last; r++) {
    float *row = job->image + r * pitch;
    const ptrdiff_t y = r - PRI_EDGE;
    if (!job->in || y < 0 || y >= g->n[1]) {
      memset(row, 0, (size_t)pitch * sizeof *row);
      continue;
    }
    memset(row, 0, PRI_EDGE * PRI_STACK * sizeof *row);
    interleave(row + PRI_EDGE * PRI_STACK, job->in + y * nx, nx * g->n[1], job->slices, NULL, nx);
    memset(row + (PRI_EDGE + nx) * PRI_STACK, 0, (size_t)(pitch - (PRI_EDGE + nx) * PRI_STACK) * sizeof *row);
  }
  return PRI_OK;
}

static pri_status forward_views(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_ray_plan *p = job->p;
  const ptrdiff_t bins = p->g->bins, rays = bins * p->g->views, pitch = p->blocks * PRI_BLOCK * PRI_STACK;
  float *sums = job->rows + worker * VIEWS * row_size(p);
  for (ptrdiff_t v0 = first; v0 < last; v0 += VIEWS) {
    const ptrdiff_t v1 = least(v0 + VIEWS, last);
    memset(sums, 0, (size_t)((v1 - v0) * pitch) * sizeof *sums);
    p->kernels->forward_stack(p, job->image, sums, v0, v1);
    for (ptrdiff_t v = v0; v < v1; v++)
      separate(job->out + v * bins, rays, job->slices, sums + (v - v0) * pitch, p->W + v * p->pitch + PRI_RAY_PAD, bins);
  }
  return PRI_OK;
}

pri_status pri_ray_group_forward(pri_ctx *ctx, const pri_ray_plan *p, pri_real *y, const pri_real *x, ptrdiff_t slices, void *scratch) {
  struct job job = {.p = p, .out = y, .in = x, .image = scratch, .rows = (float *)scratch + image_size(p->g), .slices = slices};
  const ptrdiff_t rows = p->g->n[1] + 2 * PRI_EDGE, even = (p->g->views + 4 * p->workers - 1) / (4 * p->workers);
  PRI_TRY(pri_par_for(ctx, rows, (rows + p->workers - 1) / p->workers, prepare_image, &job));
  ptrdiff_t grain = p->workers == 1 || even > VIEWS ? VIEWS : even;
  if (pri_par_workers(ctx) > p->workers) grain = (p->g->views + p->workers - 1) / p->workers; /* scratch holds that many workers only */
  return pri_par_for(ctx, p->g->views, grain, forward_views, &job);
}

static pri_status weigh_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_ray_plan *p = job->p;
  const ptrdiff_t bins = p->g->bins, edge = PRI_EDGE * PRI_STACK;
  (void)worker;
  for (ptrdiff_t v = job->view0 + first; v < job->view0 + last; v++) {
    float *row = job->rows + (v - job->view0) * row_size(p);
    if (!(p->axes[v] & 1 << job->axis)) continue;
    memset(row, 0, (size_t)edge * sizeof *row);
    interleave(row + edge, job->in + v * bins, bins * p->g->views, job->slices, p->W + v * p->pitch + PRI_RAY_PAD, bins);
    memset(row + edge + bins * PRI_STACK, 0, (size_t)(row_size(p) - edge - bins * PRI_STACK) * sizeof *row);
  }
  return PRI_OK;
}

static pri_status back_lines(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  (void)worker;
  job->p->kernels->back_stack(job->p, job->axis, job->rows, job->image, job->view0, job->view1, first, last);
  return PRI_OK;
}

static pri_status leave_image(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_geometry *g = job->p->g;
  const ptrdiff_t pitch = PRI_STACK * pri_stack_pitch(g), nx = g->n[0];
  (void)worker;
  for (ptrdiff_t y = first; y < last; y++)
    separate(job->out + y * nx, nx * g->n[1], job->slices, job->image + (y + PRI_EDGE) * pitch + PRI_EDGE * PRI_STACK, NULL, nx);
  return PRI_OK;
}

static int uses(const struct job *job) {
  int some = 0;
  for (ptrdiff_t v = job->view0; v < job->view1; v++) some |= job->p->axes[v] & 1 << job->axis;
  return some;
}

pri_status pri_ray_group_back(pri_ctx *ctx, const pri_ray_plan *p, pri_real *x, const pri_real *y, ptrdiff_t slices, void *scratch) {
  const pri_geometry *g = p->g;
  struct job job = {.p = p, .out = x, .image = scratch, .rows = (float *)scratch + image_size(g), .slices = slices};
  const ptrdiff_t rows = g->n[1] + 2 * PRI_EDGE, views = p->comb ? VIEWS : MANY;
  PRI_TRY(pri_par_for(ctx, rows, (rows + p->workers - 1) / p->workers, prepare_image, &job));
  job.in = y;
  for (job.axis = 0; job.axis < 2; job.axis++)
    for (job.view0 = 0; job.view0 < g->views; job.view0 += views) {
      const ptrdiff_t lines = job.axis == 0 ? g->n[1] : g->n[0];
      job.view1 = least(job.view0 + views, g->views);
      if (!uses(&job)) continue;
      PRI_TRY(pri_par_for(ctx, job.view1 - job.view0, (views + p->workers - 1) / p->workers, weigh_rows, &job));
      PRI_TRY(pri_par_for(ctx, lines, TILE, back_lines, &job));
    }
  return pri_par_for(ctx, g->n[1], (g->n[1] + p->workers - 1) / p->workers, leave_image, &job);
}
