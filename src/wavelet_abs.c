/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wavelet_abs.c - sum of absolute values of every band of details, in double whatever pri_real is: the value of a prior, for certificates. One row at
   a time, as wavelet_forward.c; the sums of the rows are added in order. */
#include "wavelet.h"
#include <math.h>
#include <string.h>
#include "par.h"

enum { CHUNK = 4096 };

struct pass {
  const pri_wavelet *w;
  const double *a;
  double *next, *lines, *sum; /* sum: [rows][3] of this level; next: the next approximation, NULL: the last level */
  ptrdiff_t step, reach, width;
};

static void filter(double *restrict to, const double *from, const double *tap, int taps, ptrdiff_t stride, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) to[i] = tap[0] * from[i];
  for (int k = 1; k < taps; k++)
    for (ptrdiff_t i = 0; i < n; i++) to[i] += tap[k] * from[k * stride + i];
}

static void along_y(const struct pass *p, double *restrict to, const double *plane, ptrdiff_t y, int c) {
  const pri_wavelet *w = p->w;
  memset(to, 0, (size_t)w->nx * sizeof *to);
  for (int k = 0; k < w->taps; k++) {
    const double t = w->tap[0][c][k], *restrict from = plane + pri_wavelet_fold(w->border, y + p->step * (k - w->centre[c]), w->ny) * w->nx;
    for (ptrdiff_t i = 0; i < w->nx; i++) to[i] += t * from[i];
  }
}

static void one_row(const struct pass *p, double *line, ptrdiff_t row) {
  const pri_wavelet *w = p->w;
  const ptrdiff_t at = row / w->ny * w->ny * w->nx, y = row % w->ny;
  double *in = line + p->reach, *out = line + p->width / 2;
  for (int cy = 0; cy < (w->ny > 1 ? 2 : 1); cy++) {
    if (w->ny > 1) along_y(p, in, p->a + at, y, cy);
    else memcpy(in, p->a + at + y * w->nx, (size_t)w->nx * sizeof *in);
    for (ptrdiff_t i = 1; i <= p->reach; i++) {
      in[-i] = in[pri_wavelet_fold(w->border, -i, w->nx)];
      in[w->nx - 1 + i] = in[pri_wavelet_fold(w->border, w->nx - 1 + i, w->nx)];
    }
    for (int cx = 0; cx < 2; cx++) {
      double sum = 0;
      if (cx + cy == 0 && !p->next) continue;
      filter(cx + cy ? out : p->next + row * w->nx, in - p->step * w->centre[cx], w->tap[0][cx], w->taps, p->step, w->nx);
      if (cx + cy == 0) continue;
      for (ptrdiff_t i = 0; i < w->nx; i++) sum += fabs(out[i]);
      p->sum[3 * row + cx + 2 * cy - 1] = sum; /* high along x, along y, along both */
    }
  }
}

static pri_status some_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *p = arg;
  for (ptrdiff_t row = first; row < last; row++) one_row(p, p->lines + worker * p->width, row);
  return PRI_OK;
}

void pri_wavelet_abs_wide(pri_ctx *ctx, const pri_wavelet *w, double *sums, const pri_real *x, double *scratch) {
  const ptrdiff_t rows = w->planes * w->ny, share = w->nx < CHUNK ? CHUNK / w->nx : 1, width = 3 * (w->nx + 4 * pri_wavelet_reach(w, w->levels));
  const ptrdiff_t grain = pri_par_workers(ctx) > w->workers ? rows : share;
  double *lines = scratch + 2 * w->n, *sum = lines + w->workers * width;
  const int per = w->bands / w->levels;
  for (ptrdiff_t i = 0; i < w->n; i++) scratch[i] = (double)x[i];
  for (int j = 1; j <= w->levels; j++, sums += per) {
    struct pass p = {w, scratch + (j - 1) % 2 * w->n, j < w->levels ? scratch + j % 2 * w->n : NULL, lines, sum, (ptrdiff_t)1 << (j - 1), pri_wavelet_reach(w, j), width};
    (void)pri_par_for(ctx, rows, grain, some_rows, &p); /* cannot fail */
    for (int b = 0; b < per; b++) {
      sums[b] = 0;
      for (ptrdiff_t row = 0; row < rows; row++) sums[b] += sum[3 * row + b];
    }
  }
}
