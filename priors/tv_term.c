/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tv_term.c - values, conjugate, projection and repair of the terms of tv_term.h, pixel by pixel. */
#include "tv_term.h"
#include <float.h>
#include <math.h>
#include "par.h"
#include "vec.h"

static double eps(void) { return sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON; }

struct sum {
  const tv_term *t;
  const pri_real *x; /* image, or fields */
};

static double weight_at(const tv_term *t, ptrdiff_t i) { return t->map ? t->weight * (double)t->map[i] : t->weight; }

double pri_tv_curb(const tv_term *t, double w) { return isinf(t->delta) ? 1 / w : t->delta > 0 ? t->delta / w : 0; }

static double phi(const tv_term *t, double square, ptrdiff_t i) {
  const double a = sqrt(square), d = t->delta;
  if (isinf(d)) return weight_at(t, i) * square / 2;
  return weight_at(t, i) * (a >= d ? a - d / 2 : square / (2 * d));
}

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  double sq[PRI_VEC_BLOCK], sum = 0;
  pri_stencil_square(&s->t->s, s->x, first, last, sq);
  for (ptrdiff_t i = first; i < last; i++) sum += phi(s->t, sq[i - first], i);
  return sum;
}

static double fields_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  double sq[PRI_VEC_BLOCK], sum = 0;
  pri_stencil_fields_square(&s->t->s, s->x, first, last, sq);
  for (ptrdiff_t i = first; i < last; i++) sum += phi(s->t, sq[i - first], i);
  return sum;
}

/* c / 2 |q|^2; INFINITY outside the ball, whose radius is widened by what rounding to pri_real can add */
static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  const double slack = (1 + 8 * eps()) * (1 + 8 * eps());
  double sq[PRI_VEC_BLOCK], sum = 0;
  pri_stencil_fields_square(&s->t->s, s->x, first, last, sq);
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight_at(s->t, i), v = sq[i - first];
    if (isinf(s->t->delta) ? w == 0 && v > 0 : !(v <= w * w * slack)) return INFINITY;
    if (v > 0) sum += pri_tv_curb(s->t, w) / 2 * v;
  }
  return sum;
}

static void each_item(pri_ctx *ctx, const tv_term *t, pri_sum_fn fn, double *per_item, const pri_real *x, ptrdiff_t size, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = pri_sum(ctx, t->s.pixels, fn, &(struct sum){t, x + i * size});
}

void pri_tv_value(pri_ctx *ctx, const tv_term *t, double *per_item, const pri_real *x, ptrdiff_t items) {
  each_item(ctx, t, value_block, per_item, x, t->s.n, items);
}

void pri_tv_value_fields(pri_ctx *ctx, const tv_term *t, double *per_item, const pri_real *q, ptrdiff_t items) {
  each_item(ctx, t, fields_block, per_item, q, t->s.nd * t->s.n, items);
}

void pri_tv_conjugate(pri_ctx *ctx, const tv_term *t, double *per_item, const pri_real *q, ptrdiff_t items) {
  each_item(ctx, t, conjugate_block, per_item, q, t->s.nd * t->s.n, items);
}

void pri_tv_shapes(const tv_term *t, const pri_shape *dom, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  *aux = (pri_shape){0};
  *dual = pri_stencil_fields(&t->s, dom);
  *norm_k = (pri_bound){sqrt(pri_stencil_norm2(&t->s)), PRI_PROVEN};
}

struct project {
  const tv_term *t;
  pri_real *q;
  double sigma;
  const pri_real *each;
};

enum { PIECE = 256 }; /* pixels whose norms are kept at once */

/* out_i = factor that brings |q_i| into the ball */
static void ball_factor(const tv_term *t, pri_real *restrict out, const pri_real *restrict q, ptrdiff_t at, ptrdiff_t n) {
  const pri_real *map = t->map ? t->map + at : NULL, w = (pri_real)t->weight;
  for (ptrdiff_t i = 0; i < n; i++) out[i] = q[at + i] * q[at + i];
  for (ptrdiff_t f = 1; f < t->s.nf; f++) {
    const pri_real *restrict qf = q + f * t->s.pixels + at;
    for (ptrdiff_t i = 0; i < n; i++) out[i] += qf[i] * qf[i];
  }
  if (!map)
    for (ptrdiff_t i = 0; i < n; i++) out[i] = w / pri_root(pri_larger(out[i], w * w));
  else
    for (ptrdiff_t i = 0; i < n; i++) {
      const pri_real m = w * map[i];
      out[i] = m / pri_root(pri_larger(out[i], m * m));
    }
}

static void curb(const struct project *p, pri_real *q, ptrdiff_t at, ptrdiff_t n) {
  const tv_term *t = p->t; /* q / (1 + sigma c) */
  for (ptrdiff_t f = 0; f < t->s.nf; f++)
    for (ptrdiff_t i = at; i < at + n; i++) {
      const double w = weight_at(t, i), s = p->sigma * (p->each ? (double)p->each[f * t->s.pixels + i] : 1);
      q[f * t->s.pixels + i] = w > 0 ? (pri_real)((double)q[f * t->s.pixels + i] / (1 + s * pri_tv_curb(t, w))) : 0;
    }
}

static pri_status project_pieces(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct project *p = arg;
  const tv_term *t = p->t;
  const ptrdiff_t pieces = (t->s.pixels + PIECE - 1) / PIECE;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    pri_real factor[PIECE], *q = p->q + k / pieces * t->s.nd * t->s.n;
    const ptrdiff_t at = k % pieces * PIECE, n = t->s.pixels - at < PIECE ? t->s.pixels - at : PIECE;
    if (t->delta > 0) curb(p, q, at, n);
    if (isinf(t->delta)) continue;
    ball_factor(t, factor, q, at, n);
    for (ptrdiff_t f = 0; f < t->s.nf; f++)
      for (ptrdiff_t i = 0; i < n; i++) q[f * t->s.pixels + at + i] *= factor[i];
  }
  return PRI_OK;
}

static pri_status repair_pieces(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct project *p = arg;
  const tv_term *t = p->t;
  const ptrdiff_t pieces = (t->s.pixels + PIECE - 1) / PIECE;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    pri_real *q = p->q + k / pieces * t->s.nd * t->s.n;
    const ptrdiff_t at = k % pieces * PIECE, n = t->s.pixels - at < PIECE ? t->s.pixels - at : PIECE;
    double sq[PIECE];
    pri_stencil_fields_square(&t->s, q, at, at + n, sq);
    for (ptrdiff_t i = 0; i < n; i++) { /* roundings to pri_real and a dozen in double: less than 2 eps */
      const double w = weight_at(t, at + i), inside = w * (1 - 2 * eps());
      if (sq[i] <= inside * inside) continue;
      const double c = inside / sqrt(sq[i]);
      for (ptrdiff_t f = 0; f < t->s.nf; f++) q[f * t->s.pixels + at + i] = (pri_real)((double)q[f * t->s.pixels + at + i] * c);
    }
  }
  return PRI_OK;
}

static void run(pri_ctx *ctx, pri_par_fn fn, struct project p, ptrdiff_t items) { /* these functions cannot fail */
  (void)pri_par_for(ctx, items * ((p.t->s.pixels + PIECE - 1) / PIECE), 32, fn, &p);
}

void pri_tv_dual_prox(pri_ctx *ctx, const tv_term *t, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  run(ctx, project_pieces, (struct project){t, q, sigma, each}, items);
}

void pri_tv_repair(pri_ctx *ctx, const tv_term *t, pri_real *q, ptrdiff_t items) {
  if (isinf(t->delta)) return;
  run(ctx, repair_pieces, (struct project){.t = t, .q = q}, items);
}
