/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rays_plan.c - tables of the fast projector, and the order of its work: padded and turned copies, groups of 16 slices, threads. */
#include "rays_plan.h"
#include <math.h>
#include <string.h>
#include "par.h"
#include "rays.h"
#include "rays_group.h"

static ptrdiff_t up(ptrdiff_t n, ptrdiff_t to) { return (n + to - 1) / to * to; }

/* ---- creation */

static pri_status tables(pri_ctx *ctx, pri_ray_plan *p) {
  const ptrdiff_t n = p->g->views * p->pitch;
  PRI_ALLOC(ctx, p->A, n);
  PRI_ALLOC(ctx, p->B, n);
  PRI_ALLOC(ctx, p->W, n);
  PRI_ALLOC(ctx, p->axis1, p->g->views * p->blocks);
  PRI_ALLOC(ctx, p->axes, p->g->views);
  return PRI_OK;
}

static void mark(pri_ray_plan *p, ptrdiff_t view, const pri_ray_run *run) {
  p->axes[view] |= (uint8_t)(1 << run->axis);
  for (ptrdiff_t j = run->first; run->axis == 1 && j < run->last; j++)
    p->axis1[view * p->blocks + j / PRI_BLOCK] |= (uint16_t)(1u << j % PRI_BLOCK);
}

static pri_status fill(pri_ctx *ctx, pri_ray_plan *p) {
  const pri_geometry *g = p->g;
  int64_t *slope;
  pri_ray_run runs[PRI_RAY_RUNS];
  PRI_ALLOC(ctx, slope, g->bins);
  for (ptrdiff_t v = 0; v < g->views; v++) {
    const ptrdiff_t at = v * p->pitch + PRI_RAY_PAD;
    const int count = pri_rays_row(g, v, &(pri_ray_row){p->A + at, slope, p->W + at}, runs);
    for (int r = 0; r < count; r++) mark(p, v, &runs[r]);
    for (ptrdiff_t j = 0; j < g->bins; j++) p->B[at + j] = (int32_t)slope[j];
  }
  pri_free(ctx, slope);
  return PRI_OK;
}

/* Pixels between rays along a line: bin / (pixel * max(|cos|, |sin|)) */
static double spacing(const pri_geometry *g, ptrdiff_t view) {
  return g->bin / g->pixel / fmax(fabs(cos(g->angle[view])), fabs(sin(g->angle[view])));
}

/* u = ((X cos + Y sin) / bin + center) bins, X = (ix - cx) pixel, Y = (cy - iy) pixel */
static pri_ray_comb comb(const pri_geometry *g, ptrdiff_t view, int axis) {
  const double per = g->pixel / g->bin * (1 << PRI_BITS), c = cos(g->angle[view]), s = sin(g->angle[view]);
  const double cx = 0.5 * (double)(g->n[0] - 1), cy = 0.5 * (double)(g->n[1] - 1);
  const double start = (-cx * c + cy * s) * per + g->center * (1 << PRI_BITS);
  return (pri_ray_comb){llround(start), llround(axis == 0 ? -s * per : c * per), llround(axis == 0 ? c * per : -s * per), (float)spacing(g, view)};
}

/* side = X c + Y s along the detector, ahead = sod - X s + Y c of the source (parallel: 1) */
static pri_ray_fan fan(const pri_geometry *g, ptrdiff_t view, int axis) {
  const double h = g->pixel, c = cos(g->angle[view]), s = sin(g->angle[view]);
  const double cx = 0.5 * (double)(g->n[0] - 1), cy = 0.5 * (double)(g->n[1] - 1), nx = h * c, ny = -h * s;
  const double dx = g->beam == PRI_PARALLEL ? 0 : -h * s, dy = g->beam == PRI_PARALLEL ? 0 : -h * c;
  const double d0 = g->beam == PRI_PARALLEL ? 1 : g->sod - cx * dx - cy * dy, n0 = -cx * nx - cy * ny;
  return axis == 0 ? (pri_ray_fan){{n0, ny, nx}, {d0, dy, dx}} : (pri_ray_fan){{n0, nx, ny}, {d0, dx, dy}};
}

static pri_status fans(pri_ctx *ctx, pri_ray_plan *p) {
  PRI_ALLOC(ctx, p->fan, 2 * p->g->views);
  p->scale = (p->g->beam == PRI_PARALLEL ? 1 : p->g->sdd) / p->g->bin;
  for (ptrdiff_t k = 0; k < 2 * p->g->views; k++) p->fan[k] = fan(p->g, k / 2, (int)(k % 2));
  return PRI_OK;
}

static pri_status combs(pri_ctx *ctx, pri_ray_plan *p) {
  const pri_geometry *g = p->g;
  int dense = g->beam != PRI_PARALLEL;
  for (ptrdiff_t v = 0; v < g->views; v++) dense |= spacing(g, v) < 1 - 1e-9;
  if (dense) return fans(ctx, p);
  PRI_ALLOC(ctx, p->comb, g->views);
  for (ptrdiff_t v = 0; v < g->views; v++) p->comb[v] = comb(g, v, p->axes[v] >> 1);
  return PRI_OK;
}

pri_status pri_ray_plan_create(pri_ctx *ctx, pri_ray_plan **out, const pri_geometry *g, int workers) {
  pri_ray_plan *p;
  PRI_ALLOC(ctx, p, 1);
  *out = p;
  p->g = g;
  p->workers = workers;
  p->blocks = up(g->bins, PRI_BLOCK) / PRI_BLOCK;
  p->pitch = p->blocks * PRI_BLOCK + 2 * PRI_RAY_PAD;
  p->kernels = pri_simd_rays();
  if (!p->kernels) return PRI_OK;
  PRI_TRY(tables(ctx, p));
  PRI_TRY(fill(ctx, p));
  return combs(ctx, p);
}

void pri_ray_plan_destroy(pri_ctx *ctx, pri_ray_plan **p) {
  if (!*p) return;
  pri_free(ctx, (*p)->A);
  pri_free(ctx, (*p)->B);
  pri_free(ctx, (*p)->W);
  pri_free(ctx, (*p)->axis1);
  pri_free(ctx, (*p)->axes);
  pri_free(ctx, (*p)->comb);
  pri_free(ctx, (*p)->fan);
  pri_free(ctx, *p);
  *p = NULL;
}

/* ---- scratch: [lines of axis 0][lines of axis 1][rows] for one slice; what a stack needs lies in the same place */

enum { FEW = 8, SMALL = 1500000 }; /* up to FEW slices go one by one; samples below which a slice stays with one thread */

static ptrdiff_t line_pitch(ptrdiff_t length) {
  const ptrdiff_t pitch = up(length + PRI_LINE_PAD, 16);
  return pitch % 256 ? pitch : pitch + 16; /* lines must not fall on the same cache sets */
}
static size_t lines_size(const pri_geometry *g, int axis) {
  const ptrdiff_t pitch = line_pitch(axis == 0 ? g->n[0] : g->n[1]), count = axis == 0 ? g->n[1] : g->n[0];
  return (size_t)up(PRI_LINE_PAD + count * pitch + PRI_LINE_PAD, 16);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t pri_ray_plan_scratch(const pri_ray_plan *p) {
  const pri_geometry *g = p->g;
  if (!p->kernels) return pri_rays_scratch(g, p->workers);
  const size_t one = lines_size(g, 0) + lines_size(g, 1) + (size_t)(g->views * p->pitch);
  return larger(one * sizeof(float), pri_ray_group_scratch(p));
}

struct job {
  const pri_ray_plan *p;
  pri_real *out;
  const pri_real *in;
  pri_ray_lines image[2];
  float *rows;
  ptrdiff_t parts;
  int axis;
};

static pri_ray_lines lines_in(const pri_geometry *g, int axis, pri_real *place) {
  const ptrdiff_t nx = g->n[0], ny = g->n[1];
  return axis == 0 ? (pri_ray_lines){place + PRI_LINE_PAD, ny, nx, line_pitch(nx)} : (pri_ray_lines){place + PRI_LINE_PAD, nx, ny, line_pitch(ny)};
}

static ptrdiff_t chunk(ptrdiff_t n, ptrdiff_t chunks) { return (n + chunks - 1) / chunks; }

static struct job one_job(const pri_ray_plan *p, pri_real *out, const pri_real *in, void *scratch) {
  pri_real *place = scratch;
  struct job job = {.p = p, .out = out, .in = in};
  job.image[0] = lines_in(p->g, 0, place);
  job.image[1] = lines_in(p->g, 1, place + lines_size(p->g, 0));
  job.rows = (float *)(void *)(place + lines_size(p->g, 0) + lines_size(p->g, 1));
  return job;
}

/* a tenth of a millisecond of work is not worth handing out */
static int threads_for(const pri_ray_plan *p) {
  const double samples = (double)p->g->views * (double)p->g->bins * (double)(p->g->n[0] > p->g->n[1] ? p->g->n[0] : p->g->n[1]);
  return samples < SMALL ? 1 : p->workers;
}

/* ---- one slice, forward */

static int uses(const pri_ray_plan *p, int axis) {
  int some = 0;
  for (ptrdiff_t v = 0; v < p->g->views; v++) some |= p->axes[v] & 1 << axis;
  return some;
}

/* to: a tile of the turned image; 16 x 16 keeps both sides in cache */
static void turn(pri_real *to, ptrdiff_t to_pitch, const pri_real *from, ptrdiff_t from_pitch, ptrdiff_t lines, ptrdiff_t length) {
  for (ptrdiff_t i0 = 0; i0 < length; i0 += 16)
    for (ptrdiff_t l = 0; l < lines; l++)
      for (ptrdiff_t i = i0; i < length && i < i0 + 16; i++) to[l * to_pitch + i] = from[i * from_pitch + l];
}

static void clear_edges(const pri_ray_lines *n, ptrdiff_t l) {
  pri_real *line = n->data + l * n->pitch;
  memset(line + n->length, 0, (size_t)(n->pitch - n->length) * sizeof *line);
  if (l == 0) memset(line - PRI_LINE_PAD, 0, PRI_LINE_PAD * sizeof *line);
  if (l == n->count - 1) memset(line + n->pitch, 0, PRI_LINE_PAD * sizeof *line);
}

/* lines of axis 0, then groups of 16 lines of axis 1 */
static pri_status copy_lines(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  (void)worker;
  for (int axis = 0; axis < 2; axis++) {
    const pri_ray_lines *n = &job->image[axis];
    const ptrdiff_t l0 = n->count * first / job->parts, l1 = n->count * last / job->parts;
    if (!(job->axis & 1 << axis)) continue;
    if (axis == 1) turn(n->data + l0 * n->pitch, n->pitch, job->in + l0, n->count, l1 - l0, n->length);
    for (ptrdiff_t l = l0; l < l1; l++) {
      if (axis == 0) memcpy(n->data + l * n->pitch, job->in + l * n->length, (size_t)n->length * sizeof(pri_real));
      clear_edges(n, l);
    }
  }
  return PRI_OK;
}

enum { VIEW_GROUP = 8 };

static pri_status forward_part(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_ray_plan *p = job->p;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    const ptrdiff_t group = k / job->parts, part = k % job->parts, v0 = group * VIEW_GROUP;
    p->kernels->forward_one(p, job->image, (float *)(void *)job->out, v0, v0 + VIEW_GROUP < p->g->views ? v0 + VIEW_GROUP : p->g->views,
                            p->blocks * part / job->parts, p->blocks * (part + 1) / job->parts);
  }
  return PRI_OK;
}

static pri_status forward_one(pri_ctx *ctx, const pri_ray_plan *p, pri_real *y, const pri_real *x, void *scratch) {
  struct job job = one_job(p, y, x, scratch);
  const ptrdiff_t groups = chunk(p->g->views, VIEW_GROUP);
  const int threads = threads_for(p);
  job.axis = uses(p, 0) | uses(p, 1);
  job.parts = threads;
  PRI_TRY(pri_par_for(ctx, job.parts, 1, copy_lines, &job));
  job.parts = groups >= 4 * threads || threads == 1 ? 1 : p->blocks < 8 ? p->blocks : 8;
  return pri_par_for(ctx, groups * job.parts, threads == 1 ? groups * job.parts : 1, forward_part, &job);
}

/* ---- one slice, back */

static pri_status weigh_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  const pri_ray_plan *p = job->p;
  (void)worker;
  for (ptrdiff_t v = first; v < last; v++) {
    const pri_real *y = job->in + v * p->g->bins, *W = p->W + v * p->pitch + PRI_RAY_PAD;
    float *row = job->rows + v * p->pitch;
    memset(row, 0, PRI_RAY_PAD * sizeof *row);
    row += PRI_RAY_PAD;
    for (ptrdiff_t j = 0; j < p->g->bins; j++) row[j] = (float)(W[j] * y[j]);
    memset(row + p->g->bins, 0, (size_t)(p->pitch - PRI_RAY_PAD - p->g->bins) * sizeof *row);
  }
  return PRI_OK;
}

static pri_status back_part(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *job = arg;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) job->p->kernels->back_one(job->p, job->axis, job->rows, &job->image[job->axis], k, job->parts);
  return PRI_OK;
}

static pri_status turn_lines(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* image[0] -> image[1] */
  const struct job *job = arg;
  const pri_ray_lines *to = &job->image[1], *from = &job->image[0];
  const ptrdiff_t l0 = to->count * first / job->parts, l1 = to->count * last / job->parts;
  (void)worker;
  turn(to->data + l0 * to->pitch, to->pitch, from->data + l0, from->pitch, l1 - l0, to->length);
  return PRI_OK;
}

static pri_status leave_lines(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* rows of the result */
  const struct job *job = arg;
  const ptrdiff_t nx = job->p->g->n[0], ny = job->p->g->n[1], l0 = ny * first / job->parts, l1 = ny * last / job->parts;
  (void)worker;
  if (job->axis)
    turn(job->out + l0 * nx, nx, job->image[1].data + l0, job->image[1].pitch, l1 - l0, nx);
  else
    for (ptrdiff_t l = l0; l < l1; l++) memcpy(job->out + l * nx, job->image[0].data + l * job->image[0].pitch, (size_t)nx * sizeof(pri_real));
  return PRI_OK;
}

static pri_status back_one(pri_ctx *ctx, const pri_ray_plan *p, pri_real *x, const pri_real *y, void *scratch) {
  struct job job = one_job(p, x, y, scratch);
  const int both = uses(p, 1) != 0, threads = threads_for(p);
  memset(scratch, 0, lines_size(p->g, 0) * sizeof(pri_real));
  PRI_TRY(pri_par_for(ctx, p->g->views, chunk(p->g->views, threads), weigh_rows, &job));
  for (job.axis = 0; job.axis <= both; job.axis++) {
    job.parts = threads;
    if (job.axis) PRI_TRY(pri_par_for(ctx, job.parts, 1, turn_lines, &job));
    job.parts = threads == 1 ? 1 : 8 * threads;
    if (uses(p, job.axis)) PRI_TRY(pri_par_for(ctx, job.parts, 1, back_part, &job));
  }
  job.axis = both;
  job.parts = threads;
  return pri_par_for(ctx, job.parts, 1, leave_lines, &job);
}

/* ---- all items */

static ptrdiff_t together(const pri_ray_plan *p, ptrdiff_t left) {
  if (left <= FEW || !pri_ray_group_scratch(p)) return 1;
  return left < PRI_STACK ? left : PRI_STACK;
}

pri_status pri_ray_plan_forward(pri_ctx *ctx, const pri_ray_plan *p, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const ptrdiff_t pixels = p->g->n[0] * p->g->n[1], rays = p->g->views * p->g->bins;
  if (!p->kernels) return pri_rays_forward(ctx, p->g, p->workers, y, x, items, scratch);
  for (ptrdiff_t k = 0, n; k < items; k += n) {
    n = together(p, items - k);
    PRI_TRY(n > 1 ? pri_ray_group_forward(ctx, p, y + k * rays, x + k * pixels, n, scratch) : forward_one(ctx, p, y + k * rays, x + k * pixels, scratch));
  }
  return PRI_OK;
}

pri_status pri_ray_plan_back(pri_ctx *ctx, const pri_ray_plan *p, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const ptrdiff_t pixels = p->g->n[0] * p->g->n[1], rays = p->g->views * p->g->bins;
  if (!p->kernels) return pri_rays_back(ctx, p->g, p->workers, x, y, items, scratch);
  for (ptrdiff_t k = 0, n; k < items; k += n) {
    n = together(p, items - k);
    PRI_TRY(n > 1 ? pri_ray_group_back(ctx, p, x + k * pixels, y + k * rays, n, scratch) : back_one(ctx, p, x + k * pixels, y + k * rays, scratch));
  }
  return PRI_OK;
}
