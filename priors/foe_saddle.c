/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_saddle.c - saddle face of foe with the convex potential: K = C, F*(q) = sum_k,i nu_k (V_k - root(V_k^2 - q^2)) over |q| <= V_k = weight W_k;
 * prox of sigma F* by Moreau: t + (V / sigma) phi'(t) = q / sigma, solved by Newton from below, where the left side is concave (t > 0), so
 * that the steps only grow; then the prox is V phi'(t) (smooth_abs.h).
 * Dual: [K] fields of an image's size.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include "foe.h"
#include "par.h"
#include "smooth_abs.h"
#include "vec.h"

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const foe *v = priv;
  *aux = (pri_shape){0};
  *dual = (pri_shape){v->dom.nd + 1, {v->f.count}};
  for (int a = 0; a < v->dom.nd; a++) dual->n[a + 1] = v->dom.n[a];
  *norm_k = (pri_bound){sqrt(v->norm2), PRI_PROVEN};
  return PRI_OK;
}

/* ---- K, row by row: no scratch comes with these calls */

struct job {
  const foe *v;
  const double *taps;
  pri_real *to;
  double *wide;
  const pri_real *from;
};

/* to += c times the row `from` read d pixels further on, in the mirror beyond its ends */
#define READ_ROW(name, type)                                                                                                  \
  static void name(type *restrict to, type c, const pri_real *restrict from, ptrdiff_t d, ptrdiff_t n) {                      \
    const ptrdiff_t first = d < 0 ? (-d < n ? -d : n) : 0, last = d > 0 ? (n - d > first ? n - d : first) : n;                \
    for (ptrdiff_t i = 0; i < first; i++) to[i] += c * (type)from[pri_filterbank_mirror(i + d, n)];                           \
    for (ptrdiff_t i = first; i < last; i++) to[i] += c * (type)from[i + d];                                                  \
    for (ptrdiff_t i = last; i < n; i++) to[i] += c * (type)from[pri_filterbank_mirror(i + d, n)];                            \
  }
READ_ROW(read_row, pri_real)
/* its transpose: each pixel of `from` goes d pixels further on */
#define WRITE_ROW(name, type)                                                                                                 \
  static void name(type *restrict to, type c, const pri_real *restrict from, ptrdiff_t d, ptrdiff_t n) {                      \
    const ptrdiff_t first = d < 0 ? (-d < n ? -d : n) : 0, last = d > 0 ? (n - d > first ? n - d : first) : n;                \
    for (ptrdiff_t i = 0; i < first; i++) to[pri_filterbank_mirror(i + d, n)] += c * (type)from[i];                           \
    for (ptrdiff_t i = first; i < last; i++) to[i + d] += c * (type)from[i];                                                  \
    for (ptrdiff_t i = last; i < n; i++) to[pri_filterbank_mirror(i + d, n)] += c * (type)from[i];                            \
  }
WRITE_ROW(write_row, pri_real)
WRITE_ROW(write_row_wide, double)

static pri_status apply_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_filterbank *f = &j->v->bank;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    const ptrdiff_t y = row % f->ny, plane = row - y;
    memset(j->to + row * f->nx, 0, (size_t)f->nx * sizeof *j->to);
    for (int u = 0; u < f->side * f->side; u++) {
      const ptrdiff_t from = plane + pri_filterbank_mirror(y + u / f->side - f->before, f->ny);
      read_row(j->to + row * f->nx, (pri_real)j->taps[u], j->from + from * f->nx, u % f->side - f->before, f->nx);
    }
  }
  return PRI_OK;
}

/* rows of responses that read this row of pixels through tap row v, also in the mirror: those whose y + v - h stands for it */
static void adjoint_row(const struct job *j, ptrdiff_t row) {
  const pri_filterbank *f = &j->v->bank;
  const ptrdiff_t y = row % f->ny, plane = row - y;
  for (int v = 0; v < f->side; v++)
    for (ptrdiff_t turn = -f->side / f->ny - 1; turn <= f->side / f->ny + 1; turn++)
      for (int flip = 0; flip < 2; flip++) {
        const ptrdiff_t from = 2 * turn * f->ny + (flip ? -1 - y : y) - v + f->before;
        for (int u = 0; u < f->side && from >= 0 && from < f->ny; u++) {
          const double c = j->taps[v * f->side + u];
          const pri_real *r = j->from + (plane + from) * f->nx;
          if (j->to) write_row(j->to + row * f->nx, (pri_real)c, r, u - f->before, f->nx);
          else write_row_wide(j->wide + row * f->nx, c, r, u - f->before, f->nx);
        }
      }
}

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) adjoint_row(arg, row);
  return PRI_OK;
}

static void over_rows(pri_ctx *ctx, pri_par_fn fn, struct job j, int filter) {
  j.taps = pri_foe_taps(&j.v->f, filter);
  (void)pri_par_for(ctx, j.v->bank.planes * j.v->bank.ny, 1 + 4096 / j.v->bank.nx, fn, &j); /* cannot fail */
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const foe *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) over_rows(ctx, apply_rows, (struct job){.v = v, .to = q + i * v->fieldsize + j * v->n, .from = x + i * v->n}, j);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const foe *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) over_rows(ctx, adjoint_rows, (struct job){.v = v, .to = x + i * v->n, .from = q + i * v->fieldsize + j * v->n}, j);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const foe *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) over_rows(ctx, adjoint_rows, (struct job){.v = v, .wide = x + i * v->n, .from = q + i * v->fieldsize + j * v->n}, j);
  return PRI_OK;
}

/* ---- F* */

struct dual { pri_real *q; double V, nu, sigma; const pri_real *each; };

static pri_status dual_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct dual *d = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double q = (double)d->q[i], p = pri_smooth_dual_prox(fabs(q), d->sigma * (d->each ? (double)d->each[i] : 1), d->V, d->nu);
    d->q[i] = (pri_real)(q < 0 ? -p : p);
  }
  return PRI_OK;
}

static pri_status dual_each(pri_ctx *ctx, const foe *v, pri_real *q, double sigma, const pri_real *each, double shrink, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) {
      struct dual d = {q + (i * v->f.count + j) * v->n, shrink * pri_foe_gain(v, j), pri_foe_smoothing(&v->f, j), sigma, each ? each + j * v->n : NULL};
      PRI_TRY(pri_par_for(ctx, v->n, 1 << 12, dual_some, &d));
    }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  return dual_each(ctx, priv, q, sigma, each, 1, items);
}

static double unit(void) { return sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON; }

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  return dual_each(ctx, priv, q, 0, NULL, 1 - 4 * unit(), items); /* inside once rounded */
}

struct fields { const pri_real *q; double V, nu; };

static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct fields *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += pri_smooth_conjugate(fabs((double)f->q[i]), f->V, f->nu, 2 * unit());
  return sum;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i] = 0;
    for (int j = 0; j < v->f.count; j++, q += v->n)
      per_item[i] += pri_sum(ctx, v->n, conjugate_block, &(struct fields){q, pri_foe_gain(v, j), pri_foe_smoothing(&v->f, j)});
  }
  return PRI_OK;
}

static double fields_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct fields *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += f->V * pri_smooth_abs((double)f->q[i], f->nu);
  return sum;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i] = 0;
    for (int j = 0; j < v->f.count; j++, kxw += v->n)
      per_item[i] += pri_sum(ctx, v->n, fields_block, &(struct fields){kxw, pri_foe_gain(v, j), pri_foe_smoothing(&v->f, j)});
  }
  return PRI_OK;
}

const pri_saddle pri_foe_saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                   .value = value_fields, .repair = repair};
