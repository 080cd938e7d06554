/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_saddle.c - saddle face of foe with the convex potential: K = C, F*(q) = sum_k,i nu_k (V_k - root(V_k^2 - q^2)) over |q| <= V_k = weight W_k;
 * prox of sigma F* by Moreau: t + (V / sigma) phi'(t) = q / sigma, solved by Newton from below, where the left side is concave (t > 0), so
 * that the steps only grow; then the prox is V phi'(t) (smooth_abs.h).
 * Dual: [K] fields of an image's size; a response stands at the pixel under its filter's centre, (side - 1) / 2 rounded down; the others are 0.
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

static pri_status apply_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_filterbank *f = &j->v->bank;
  const ptrdiff_t h = (f->side - 1) / 2, after = f->side - 1 - h, wide = f->nx - f->side + 1;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    const ptrdiff_t y = row % f->ny;
    pri_real *restrict to = j->to + row * f->nx;
    memset(to, 0, (size_t)f->nx * sizeof *to);
    if (y < h || y + after >= f->ny || wide < 1) continue;
    for (int u = 0; u < f->side * f->side; u++) {
      const pri_real c = (pri_real)j->taps[u], *restrict x = j->from + (row + u / f->side - h) * f->nx + u % f->side;
      for (ptrdiff_t i = 0; i < wide; i++) to[h + i] += c * x[i];
    }
  }
  return PRI_OK;
}

#define ADJOINT_ROW(name, type)                                                                                                \
  static void name(const struct job *j, type *restrict to, ptrdiff_t row) {                                                    \
    const pri_filterbank *f = &j->v->bank;                                                                                               \
    const ptrdiff_t h = (f->side - 1) / 2, after = f->side - 1 - h, wide = f->nx - f->side + 1, y = row % f->ny;               \
    for (int u = 0; u < f->side * f->side && wide > 0; u++) {                                                                  \
      const ptrdiff_t from = y - u / f->side + h; /* the row whose responses read this one with tap u */                       \
      if (from < h || from + after >= f->ny) continue;                                                                         \
      const type c = (type)j->taps[u];                                                                                         \
      const pri_real *restrict r = j->from + (row - u / f->side + h) * f->nx + h;                                              \
      for (ptrdiff_t i = 0; i < wide; i++) to[u % f->side + i] += c * (type)r[i];                                              \
    }                                                                                                                          \
  }
ADJOINT_ROW(adjoint_row, pri_real)
ADJOINT_ROW(adjoint_row_wide, double)

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++)
    if (j->to) adjoint_row(j, j->to + row * j->v->bank.nx, row);
    else adjoint_row_wide(j, j->wide + row * j->v->bank.nx, row);
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
