/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil.c - forward differences, zero past the last element of each axis, and their exact transpose (stencil.h). */
#include "stencil.h"
#include <math.h>
#include <string.h>
#include "par.h"

enum { CHUNK = 8192 }; /* pixels of a parallel chunk: about 10 us of work */

static double ratio(double x, double other) {
  return x > 0 && other > 0 && isfinite(x) && isfinite(other) ? x / other : 1;
}

pri_status pri_stencil_init(pri_ctx *ctx, const char *who, pri_stencil *s, const pri_meta *meta, const pri_shape *dom) {
  return pri_stencil_init_coupled(ctx, who, s, meta, dom, 0);
}

pri_status pri_stencil_init_coupled(pri_ctx *ctx, const char *who, pri_stencil *s, const pri_meta *meta, const pri_shape *dom, int coupled) {
  const int nd = coupled ? dom->nd - 1 : dom->nd;
  *s = (pri_stencil){.nd = nd, .nz = 1, .ny = 1, .nx = 1, .ry = 1, .rz = 1, .nc = coupled ? dom->n[0] : 1};
  if (coupled && (nd < 2 || nd > 3)) /* a page alone would pass for as many channels as it has rows */
    return PRI_FAIL(ctx, PRI_ESHAPE, "%s: coupled=yes takes items (channel, y, x), as --item channels makes them, or volumes of channels, not images of %d axes", who, dom->nd);
  if (nd < 1 || nd > 3) return PRI_FAIL(ctx, PRI_ESHAPE, "%s: an image has 1 to 3 axes, not %d", who, nd);
  if (s->nc > PRI_STENCIL_CHANNELS)
    return PRI_FAIL(ctx, PRI_ESHAPE, "%s: %td channels are more than the %d that can be coupled", who, s->nc, (int)PRI_STENCIL_CHANNELS);
  const ptrdiff_t *last = dom->n + dom->nd - 1;
  s->nx = last[0];
  if (nd > 1) s->ny = last[-1];
  if (nd > 2) s->nz = last[-2];
  s->pixels = s->nz * s->ny * s->nx;
  s->n = s->nc * s->pixels;
  s->nf = s->nc * nd;
  if (meta) {
    s->ry = ratio(meta->pixel[0], meta->pixel[1]);
    s->rz = ratio(meta->pixel[0], meta->pixel[2]);
  }
  return PRI_OK;
}

pri_shape pri_stencil_fields(const pri_stencil *s, const pri_shape *dom) {
  pri_shape f = {dom->nd + 1, {s->nd}}; /* [nd][channels ...] */
  for (int a = 0; a < dom->nd; a++) f.n[a + 1] = dom->n[a];
  return f;
}

double pri_stencil_norm2(const pri_stencil *s) {
  const double y = s->nd > 1 ? s->ry * s->ry : 0, z = s->nd > 2 ? s->rz * s->rz : 0;
  return 4 * (1 + y + z);
}

ptrdiff_t pri_stencil_grain(const pri_stencil *s) { return s->nx < CHUNK ? CHUNK / s->nx : 1; }

/* one axis whose neighbour is `step` elements away, inside the image: t += c (x_next - x) */
static void forward_axis(pri_real *restrict t, const pri_real *restrict x, ptrdiff_t step, double scale, ptrdiff_t n) {
  const pri_real c = (pri_real)scale;
  for (ptrdiff_t i = 0; i < n; i++) t[i] += c * (x[i + step] - x[i]);
}

void pri_stencil_forward_row(const pri_stencil *s, pri_real *t, const pri_real *x, double scale, ptrdiff_t row) {
  const ptrdiff_t at = row * s->nx, y = row % s->ny, z = row / s->ny % s->nz;
  t += at, x += at;
  if (s->nd > 2) {
    if (z + 1 < s->nz) forward_axis(t, x, s->ny * s->nx, scale * s->rz, s->nx);
    t += s->n;
  }
  if (s->nd > 1) {
    if (y + 1 < s->ny) forward_axis(t, x, s->nx, scale * s->ry, s->nx);
    t += s->n;
  }
  forward_axis(t, x, 1, scale, s->nx - 1);
}

/* x_row += scale (D'q)_row: along each axis r (q_{i-1} - q_i); the last element of an axis has no difference of its own */
#define ADJOINT_ROW(name, type)                                                                                            \
  static void name##_axis(type *restrict x, const pri_real *restrict q, ptrdiff_t step, type c, int own, int before, ptrdiff_t n) { \
    if (own && before)                                                                                                     \
      for (ptrdiff_t i = 0; i < n; i++) x[i] += c * ((type)q[i - step] - (type)q[i]);                                       \
    else if (own)                                                                                                          \
      for (ptrdiff_t i = 0; i < n; i++) x[i] -= c * (type)q[i];                                                             \
    else if (before)                                                                                                       \
      for (ptrdiff_t i = 0; i < n; i++) x[i] += c * (type)q[i - step];                                                      \
  }                                                                                                                        \
  static void name(const pri_stencil *s, type *x, const pri_real *q, double scale, ptrdiff_t row) {                        \
    const ptrdiff_t at = row * s->nx, y = row % s->ny, z = row / s->ny % s->nz, nx = s->nx;                                \
    x += at, q += at;                                                                                                      \
    if (s->nd > 2) {                                                                                                       \
      name##_axis(x, q, s->ny * nx, (type)(scale * s->rz), z + 1 < s->nz, z > 0, nx);                                      \
      q += s->n;                                                                                                           \
    }                                                                                                                      \
    if (s->nd > 1) {                                                                                                       \
      name##_axis(x, q, nx, (type)(scale * s->ry), y + 1 < s->ny, y > 0, nx);                                              \
      q += s->n;                                                                                                           \
    }                                                                                                                      \
    name##_axis(x, q, 1, (type)scale, nx > 1, 0, 1);                                                                       \
    if (nx > 2) name##_axis(x + 1, q + 1, 1, (type)scale, 1, 1, nx - 2);                                                   \
    if (nx > 1) name##_axis(x + nx - 1, q + nx - 1, 1, (type)scale, 0, 1, 1);                                              \
  }
ADJOINT_ROW(adjoint_row, pri_real)
ADJOINT_ROW(adjoint_row_wide, double)

void pri_stencil_adjoint_row(const pri_stencil *s, pri_real *x, const pri_real *q, double scale, ptrdiff_t row) {
  adjoint_row(s, x, q, scale, row);
}

struct rows {
  const pri_stencil *s;
  pri_real *to;
  double *wide;
  const pri_real *from;
};

static ptrdiff_t rows_of(const pri_stencil *s) { return s->nc * s->nz * s->ny; }

static pri_status forward_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *r = arg;
  const pri_stencil *s = r->s;
  const ptrdiff_t rows = rows_of(s);
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    const ptrdiff_t item = k / rows, row = k % rows;
    pri_real *q = r->to + item * s->nd * s->n;
    for (int a = 0; a < s->nd; a++) memset(q + a * s->n + row * s->nx, 0, (size_t)s->nx * sizeof *q);
    pri_stencil_forward_row(s, q, r->from + item * s->n, 1, row);
  }
  return PRI_OK;
}

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *r = arg;
  const pri_stencil *s = r->s;
  const ptrdiff_t rows = rows_of(s);
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    const ptrdiff_t item = k / rows, row = k % rows;
    const pri_real *q = r->from + item * s->nd * s->n;
    if (r->to) adjoint_row(s, r->to + item * s->n, q, 1, row);
    if (r->wide) adjoint_row_wide(s, r->wide + item * s->n, q, 1, row);
  }
  return PRI_OK;
}

static void run(pri_ctx *ctx, pri_par_fn fn, struct rows r, ptrdiff_t items) { /* these functions cannot fail */
  (void)pri_par_for(ctx, items * rows_of(r.s), pri_stencil_grain(r.s), fn, &r);
}

void pri_stencil_forward(pri_ctx *ctx, const pri_stencil *s, pri_real *q, const pri_real *x, ptrdiff_t items) {
  run(ctx, forward_rows, (struct rows){.s = s, .to = q, .from = x}, items);
}

void pri_stencil_adjoint(pri_ctx *ctx, const pri_stencil *s, pri_real *x, const pri_real *q, ptrdiff_t items) {
  run(ctx, adjoint_rows, (struct rows){.s = s, .to = x, .from = q}, items);
}

void pri_stencil_adjoint_wide(pri_ctx *ctx, const pri_stencil *s, double *x, const pri_real *q, ptrdiff_t items) {
  run(ctx, adjoint_rows, (struct rows){.s = s, .wide = x, .from = q}, items);
}

/* v_i = (value of the difference along one axis at pixel i), handed on row by row: first element, count, in-image or past the edge */
typedef void (*axis_fn)(double *out, const pri_real *q, const pri_real *x, ptrdiff_t step, double r, ptrdiff_t n);

static void add_square(double *restrict out, const pri_real *q, const pri_real *restrict x, ptrdiff_t step, double r, ptrdiff_t n) {
  (void)q;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double d = r * ((double)x[i + step] - (double)x[i]);
    out[i] += d * d;
  }
}

static void add_dot(double *restrict out, const pri_real *restrict q, const pri_real *restrict x, ptrdiff_t step, double r, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) out[i] += r * ((double)x[i + step] - (double)x[i]) * (double)q[i];
}

/* pixels [first, last) of a channel: cut into pieces of rows; fn for every axis that has a neighbour there */
static void over_axes(const pri_stencil *s, axis_fn fn, double *out, const pri_real *q, const pri_real *x, ptrdiff_t first, ptrdiff_t last) {
  while (first < last) {
    const ptrdiff_t row = first / s->nx, col = first % s->nx, left = s->nx - col, n = left < last - first ? left : last - first;
    const ptrdiff_t y = row % s->ny, z = row / s->ny, inner = col + n < s->nx ? n : n - 1;
    const pri_real *at = x + first, *field = q ? q + first : NULL;
    if (s->nd > 2 && z + 1 < s->nz) fn(out, field, at, s->ny * s->nx, s->rz, n);
    if (s->nd > 2 && field) field += s->n;
    if (s->nd > 1 && y + 1 < s->ny) fn(out, field, at, s->nx, s->ry, n);
    if (s->nd > 1 && field) field += s->n;
    fn(out, field, at, 1, 1, inner);
    out += n, first += n;
  }
}

static void over_channels(const pri_stencil *s, axis_fn fn, double *out, const pri_real *q, const pri_real *x, ptrdiff_t first, ptrdiff_t last) {
  memset(out, 0, (size_t)(last - first) * sizeof *out);
  for (ptrdiff_t c = 0; c < s->nc; c++) over_axes(s, fn, out, q ? q + c * s->pixels : NULL, x + c * s->pixels, first, last);
}

void pri_stencil_square(const pri_stencil *s, const pri_real *x, ptrdiff_t first, ptrdiff_t last, double *sq) {
  over_channels(s, add_square, sq, NULL, x, first, last);
}

void pri_stencil_fields_dot(const pri_stencil *s, const pri_real *q, const pri_real *x, ptrdiff_t first, ptrdiff_t last, double *dot) {
  over_channels(s, add_dot, dot, q, x, first, last);
}

void pri_stencil_fields_square(const pri_stencil *s, const pri_real *q, ptrdiff_t first, ptrdiff_t last, double *sq) {
  memset(sq, 0, (size_t)(last - first) * sizeof *sq);
  for (ptrdiff_t f = 0; f < s->nf; f++) {
    const pri_real *field = q + f * s->pixels + first;
    for (ptrdiff_t i = 0; i < last - first; i++) sq[i] += (double)field[i] * (double)field[i];
  }
}
