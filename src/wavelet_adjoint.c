/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wavelet_adjoint.c - x += W'(details, approx) and the inverse by the dual filters (wavelet.h); compiled once more with -DPRI_WIDE, in double,
 * for the certificates of the float library.
 *
 * Level j, one row of a_{j-1} at a time:  a = sum over low and high, along y and x:  F' b,  (F'b)_i = sum over the places i' that the border folds
 * onto i of sum_k f_k b_{i' - step (k - c)}, b zero outside (periodic: i' = i and b periodic). Along y these are rows to add up; along x
 * the line is filtered with its surroundings, which are then folded onto it.
 */
#include <string.h>
#include "par.h"
#include "wavelet.h"
#ifdef PRI_WIDE
typedef double real;
#else
typedef pri_real real;
#endif

enum { CHUNK = 4096 };

struct pass {
  const pri_wavelet *w;
  int side; /* 0: the taps of the analysis, 1: of the synthesis */
  real *to, *lines;
  const real *approx;             /* NULL: 0 */
  const pri_real *band[2][2];     /* [along y][along x]; [0][0] unused */
  ptrdiff_t step, reach, width, line;
  int adds;                       /* to += instead of to = */
};

static void add_real(real *restrict to, const real *restrict from, double tap, ptrdiff_t n) {
  const real t = (real)tap;
  for (ptrdiff_t i = 0; i < n; i++) to[i] += t * from[i];
}

static void add_band(real *restrict to, const pri_real *restrict from, double tap, ptrdiff_t n) {
  const real t = (real)tap;
  for (ptrdiff_t i = 0; i < n; i++) to[i] += t * (real)from[i];
}

static void add_row(const struct pass *p, real *to, ptrdiff_t at, int cy, int cx, double tap) {
  if (cy + cx == 0) add_real(to, p->approx + at, tap, p->w->nx);
  else add_band(to, p->band[cy][cx] + at, tap, p->w->nx);
}

/* to += the rows that the filter cy along y takes into row y, of the plane that begins at `at` */
static void along_y(const struct pass *p, real *to, ptrdiff_t at, ptrdiff_t y, int cy, int cx) {
  const pri_wavelet *w = p->w;
  const double *tap = w->tap[p->side][cy];
  if (cy + cx == 0 && !p->approx) return;
  if (w->ny == 1) {
    add_row(p, to, at, 0, cx, 1);
    return;
  }
  for (ptrdiff_t i = y - 2 * w->ny * (p->reach / (2 * w->ny) + 1); i < w->ny + p->reach; i += 2 * w->ny) /* i and its mirror image -1 - i fold onto y */
    for (int mirrored = 0; mirrored < (w->border == PRI_WAVELET_SYMMETRIC ? 2 : 1); mirrored++)
      for (int k = 0; k < w->taps; k++) {
        const ptrdiff_t from = (mirrored ? -1 - i : i) - p->step * (k - w->centre[cy]);
        if (w->border == PRI_WAVELET_SYMMETRIC && from >= 0 && from < w->ny) add_row(p, to, at + from * w->nx, cy, cx, tap[k]);
      }
  if (w->border == PRI_WAVELET_PERIODIC)
    for (int k = 0; k < w->taps; k++)
      add_row(p, to, at + pri_wavelet_fold(w->border, y - p->step * (k - w->centre[cy]), w->ny) * w->nx, cy, cx, tap[k]);
}

/* full = F' of the line, on the places [-reach, nx + reach); the line has 2 reach of its surroundings on either side */
static void along_x(const struct pass *p, real *full, const real *line, int cx) {
  const pri_wavelet *w = p->w;
  for (int k = 0; k < w->taps; k++)
    add_real(full, line + p->reach - p->step * (k - w->centre[cx]), w->tap[p->side][cx][k], w->nx + 2 * p->reach);
}

static void surround(const struct pass *p, real *in) { /* periodic; else zero */
  for (ptrdiff_t i = 1; p->w->border == PRI_WAVELET_PERIODIC && i <= 2 * p->reach; i++) {
    in[-i] = in[pri_wavelet_fold(p->w->border, -i, p->w->nx)];
    in[p->w->nx - 1 + i] = in[pri_wavelet_fold(p->w->border, p->w->nx - 1 + i, p->w->nx)];
  }
}

static void adjoint_row(const struct pass *p, real *lines, ptrdiff_t at, ptrdiff_t y) {
  const pri_wavelet *w = p->w;
  real *full = lines + 2 * p->line, *to = p->to + at + y * w->nx, *mine = full + p->reach;
  memset(lines, 0, 3 * (size_t)p->line * sizeof *lines);
  for (int cx = 0; cx < 2; cx++) {
    real *line = lines + cx * p->line, *in = line + 2 * p->reach;
    for (int cy = 0; cy < (w->ny > 1 ? 2 : 1); cy++) along_y(p, in, at, y, cy, cx);
    surround(p, in);
    along_x(p, full, line, cx);
  }
  if (!p->adds) memset(to, 0, (size_t)w->nx * sizeof *to);
  for (ptrdiff_t i = 0; i < w->nx; i++) to[i] += mine[i];
  for (ptrdiff_t i = 1; w->border == PRI_WAVELET_SYMMETRIC && i <= p->reach; i++) {
    to[pri_wavelet_fold(w->border, -i, w->nx)] += mine[-i];
    to[pri_wavelet_fold(w->border, w->nx - 1 + i, w->nx)] += mine[w->nx - 1 + i];
  }
}

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *p = arg;
  for (ptrdiff_t r = first; r < last; r++)
    adjoint_row(p, p->lines + worker * p->width, r / p->w->ny * p->w->ny * p->w->nx, r % p->w->ny);
  return PRI_OK;
}

static void back(pri_ctx *ctx, const pri_wavelet *w, int side, real *x, const pri_real *details, const pri_real *approx, real *scratch) {
  const ptrdiff_t rows = w->planes * w->ny, share = w->nx < CHUNK ? CHUNK / w->nx : 1, per = w->bands / w->levels * w->n;
  const ptrdiff_t grain = pri_par_workers(ctx) > w->workers ? rows : share, width = 3 * (w->nx + 4 * pri_wavelet_reach(w, w->levels));
  const real *a = NULL;
  if (approx) {
    real *copy = scratch + (w->levels - 1) % 2 * w->n;
    for (ptrdiff_t i = 0; i < w->n; i++) copy[i] = (real)approx[i];
    a = copy;
  }
  for (int j = w->levels; j >= 1; j--) {
    const pri_real *d = details + (j - 1) * per;
    const ptrdiff_t reach = pri_wavelet_reach(w, j);
    struct pass p = {w, side, j > 1 ? scratch + j % 2 * w->n : x, scratch + 2 * w->n, a, {{NULL, d}, {NULL, NULL}}, (ptrdiff_t)1 << (j - 1), reach, width,
                     w->nx + 4 * reach, j == 1};
    if (w->ny > 1) p.band[1][0] = d + w->n, p.band[1][1] = d + 2 * w->n;
    (void)pri_par_for(ctx, rows, grain, adjoint_rows, &p); /* cannot fail */
    a = p.to;
  }
}

#ifdef PRI_WIDE
void pri_wavelet_adjoint_wide(pri_ctx *ctx, const pri_wavelet *w, double *x, const pri_real *details, const pri_real *approx, double *scratch) {
  back(ctx, w, 0, x, details, approx, scratch);
}
#else
void pri_wavelet_adjoint(pri_ctx *ctx, const pri_wavelet *w, pri_real *x, const pri_real *details, const pri_real *approx, pri_real *scratch) {
  back(ctx, w, 0, x, details, approx, scratch);
}

void pri_wavelet_inverse(pri_ctx *ctx, const pri_wavelet *w, pri_real *x, const pri_real *details, const pri_real *approx, pri_real *scratch) {
  back(ctx, w, 1, x, details, approx, scratch);
}
#endif
