/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sym_fields.c - see sym_fields.h. Row by row: each term of E adds to one row of a component, each term of E' to one row of the field. */
#include "sym_fields.h"
#include <math.h>
#include <string.h>
#include "par.h"
#include "root.h"
#include "vec.h"

int pri_sym_parts(const pri_stencil *s) { return s->nd * (s->nd + 1) / 2; }

/* c (w_u,i - w_u,i-e_v) into component `part` */
struct term { int part, u, v; double c; };

static const double HALF_ROOT = 0.70710678118654752440;

/* axes: 0, 1, 2 = z, y, x of the stencil; a field's component of axis a is a - (3 - nd) */
static int terms_of(const pri_stencil *s, struct term t[9]) {
  const double r[3] = {s->rz, s->ry, 1};
  int count = 0, part = 0;
  for (int a = 3 - s->nd; a < 3; a++) t[count++] = (struct term){part++, a, a, r[a]};
  for (int a = 3 - s->nd; a < 3; a++)
    for (int b = a + 1; b < 3; b++, part++) {
      t[count++] = (struct term){part, a, b, HALF_ROOT * r[b]};
      t[count++] = (struct term){part, b, a, HALF_ROOT * r[a]};
    }
  return count;
}

struct place { ptrdiff_t at[3], n[3], step[3]; }; /* of a row: z, y; x runs */

static struct place place_of(const pri_stencil *s, ptrdiff_t row) {
  return (struct place){{row / s->ny, row % s->ny, 0}, {s->nz, s->ny, s->nx}, {s->ny * s->nx, s->nx, 1}};
}

/* the pixels [*lo, *hi) of the row where term t exists: i_v >= 1, i_u <= n_u - 2 */
static int range_of(const struct place *p, const struct term *t, ptrdiff_t *lo, ptrdiff_t *hi) {
  *lo = t->v == 2, *hi = t->u == 2 ? p->n[2] - 1 : p->n[2];
  return (t->v == 2 || p->at[t->v] >= 1) && (t->u == 2 || p->at[t->u] <= p->n[t->u] - 2) && *hi > *lo;
}

/* pixels of the row where component u of a field exists */
static ptrdiff_t exists(const struct place *p, int u) { return u == 2 ? p->n[2] - 1 : p->at[u] <= p->n[u] - 2 ? p->n[2] : 0; }

struct rows {
  const pri_stencil *s;
  pri_real *to;
  double *wide, c, d;
  const pri_real *from, *v;
};

static pri_status forward_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *r = arg;
  const pri_stencil *s = r->s;
  struct term t[9];
  const int count = terms_of(s, t);
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    const struct place p = place_of(s, row);
    for (int k = 0; k < pri_sym_parts(s); k++) memset(r->to + k * s->n + row * s->nx, 0, (size_t)s->nx * sizeof *r->to);
    for (int k = 0; k < count; k++) {
      ptrdiff_t lo, hi;
      if (!range_of(&p, &t[k], &lo, &hi)) continue;
      const pri_real c = (pri_real)(r->c * t[k].c), *restrict w = r->from + (t[k].u - 3 + s->nd) * s->n + row * s->nx;
      pri_real *restrict e = r->to + t[k].part * s->n + row * s->nx;
      const ptrdiff_t step = p.step[t[k].v];
      for (ptrdiff_t i = lo; i < hi; i++) e[i] += c * (w[i] - w[i - step]);
    }
  }
  return PRI_OK;
}

/* w_u += c (e_i - e_i+e_v), each where its term exists */
#define ADJOINT_ROW(name, type)                                                                                       \
  static void name(const struct rows *r, type *w, ptrdiff_t row) {                                                    \
    const pri_stencil *s = r->s;                                                                                      \
    struct term t[9];                                                                                                 \
    const int count = terms_of(s, t);                                                                                 \
    const struct place p = place_of(s, row);                                                                          \
    for (int a = 3 - s->nd; r->v && a < 3; a++) {                                                                     \
      type *restrict to = w + (a - 3 + s->nd) * s->n + row * s->nx;                                                   \
      const pri_real *restrict v = r->v + (a - 3 + s->nd) * s->n + row * s->nx;                                       \
      for (ptrdiff_t i = 0; i < exists(&p, a); i++) to[i] += (type)r->d * (type)v[i];                                 \
    }                                                                                                                 \
    for (int k = 0; k < count; k++) {                                                                                 \
      const ptrdiff_t step = p.step[t[k].v];                                                                          \
      const type c = (type)(r->c * t[k].c);                                                                           \
      type *restrict to = w + (t[k].u - 3 + s->nd) * s->n + row * s->nx;                                              \
      const pri_real *restrict e = r->from + t[k].part * s->n + row * s->nx;                                          \
      struct place next = p;                                                                                          \
      ptrdiff_t lo, hi;                                                                                               \
      next.at[t[k].v]++;                                                                                              \
      if (range_of(&p, &t[k], &lo, &hi))                                                                              \
        for (ptrdiff_t i = lo; i < hi; i++) to[i] += c * (type)e[i];                                                  \
      if (next.at[t[k].v] < next.n[t[k].v] && range_of(&next, &t[k], &lo, &hi))                                       \
        for (ptrdiff_t i = 0; i < hi - lo; i++) to[i] -= c * (type)e[i + step];                                       \
    }                                                                                                                 \
  }
ADJOINT_ROW(adjoint_row, pri_real)
ADJOINT_ROW(adjoint_row_wide, double)

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *r = arg;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    for (int a = 0; r->to && a < r->s->nd; a++) memset(r->to + a * r->s->n + row * r->s->nx, 0, (size_t)r->s->nx * sizeof *r->to);
    if (r->to) adjoint_row(r, r->to, row);
    else adjoint_row_wide(r, r->wide, row);
  }
  return PRI_OK;
}

static pri_status add_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *r = arg;
  const pri_stencil *s = r->s;
  const pri_real c = (pri_real)r->c;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    const struct place p = place_of(s, row);
    for (int a = 3 - s->nd; a < 3; a++) {
      pri_real *restrict q = r->to + (a - 3 + s->nd) * s->n + row * s->nx;
      const pri_real *restrict w = r->from + (a - 3 + s->nd) * s->n + row * s->nx;
      const ptrdiff_t there = exists(&p, a);
      for (ptrdiff_t i = 0; i < there; i++) q[i] += c * w[i];
      for (ptrdiff_t i = there; i < s->nx; i++) q[i] = 0;
    }
  }
  return PRI_OK;
}

static void over_rows(pri_ctx *ctx, pri_par_fn fn, struct rows r) {
  (void)pri_par_for(ctx, r.s->nz * r.s->ny, pri_stencil_grain(r.s), fn, &r); /* cannot fail */
}

void pri_sym_forward(pri_ctx *ctx, const pri_stencil *s, pri_real *e, const pri_real *w, double c) {
  over_rows(ctx, forward_rows, (struct rows){.s = s, .to = e, .from = w, .c = c});
}

void pri_sym_adjoint(pri_ctx *ctx, const pri_stencil *s, pri_real *w, const pri_real *e, double c, const pri_real *v, double d) {
  over_rows(ctx, adjoint_rows, (struct rows){.s = s, .to = w, .from = e, .c = c, .v = v, .d = d});
}

void pri_sym_adjoint_wide(pri_ctx *ctx, const pri_stencil *s, double *w, const pri_real *e, double c, const pri_real *v, double d) {
  over_rows(ctx, adjoint_rows, (struct rows){.s = s, .wide = w, .from = e, .c = c, .v = v, .d = d});
}

void pri_sym_add(pri_ctx *ctx, const pri_stencil *s, pri_real *q, double c, const pri_real *w) {
  over_rows(ctx, add_rows, (struct rows){.s = s, .to = q, .from = w, .c = c});
}

/* ---- the value, pixel by pixel */

struct image { const pri_stencil *s; const pri_real *x, *w; double c, e; };

static double value_at(const struct image *m, const struct term *t, int count, struct place p, ptrdiff_t i) {
  const pri_stencil *s = m->s;
  const double r[3] = {s->rz, s->ry, 1};
  double first = 0, second = 0, part[6] = {0};
  for (int a = 3 - s->nd; a < 3; a++) {
    if (p.at[a] > p.n[a] - 2) continue;
    const double w = m->w ? (double)m->w[(a - 3 + s->nd) * s->n + i] : 0, d = r[a] * ((double)m->x[i + p.step[a]] - (double)m->x[i]) - m->c * w;
    first += d * d;
  }
  for (int k = 0; m->w && k < count; k++) {
    if (p.at[t[k].v] < 1 || p.at[t[k].u] > p.n[t[k].u] - 2) continue;
    const pri_real *w = m->w + (t[k].u - 3 + s->nd) * s->n + i;
    part[t[k].part] += t[k].c * ((double)w[0] - (double)w[-p.step[t[k].v]]);
  }
  for (int k = 0; k < pri_sym_parts(s); k++) second += part[k] * part[k];
  return sqrt(first) + m->e * sqrt(second);
}

static double image_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct image *m = arg;
  struct term t[9];
  const int count = terms_of(m->s, t);
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    struct place p = place_of(m->s, i / m->s->nx);
    p.at[2] = i % m->s->nx;
    sum += value_at(m, t, count, p, i);
  }
  return sum;
}

double pri_sym_value_wide(pri_ctx *ctx, const pri_stencil *s, const pri_real *x, const pri_real *w, double c, double e) {
  return pri_sum(ctx, s->n, image_block, &(struct image){s, x, w, c, e});
}

/* ---- norms pixel by pixel */

struct fields { pri_real *q; const pri_real *x; int parts; ptrdiff_t n; double radius; };

static pri_status clip_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct fields *f = arg;
  enum { PIECE = 256 };
  const pri_real radius = (pri_real)f->radius;
  (void)worker;
  for (ptrdiff_t at = first; at < last; at += PIECE) {
    const ptrdiff_t n = last - at < PIECE ? last - at : PIECE;
    pri_real size[PIECE] = {0};
    for (int a = 0; a < f->parts; a++)
      for (ptrdiff_t i = 0; i < n; i++) size[i] += f->q[a * f->n + at + i] * f->q[a * f->n + at + i];
    for (ptrdiff_t i = 0; i < n; i++) size[i] = radius / pri_root(pri_larger(size[i], radius * radius)); /* min(1, radius / |q|) */
    for (int a = 0; a < f->parts; a++)
      for (ptrdiff_t i = 0; i < n; i++) f->q[a * f->n + at + i] *= size[i];
  }
  return PRI_OK;
}

void pri_fields_clip(pri_ctx *ctx, pri_real *q, int parts, ptrdiff_t n, double radius) {
  (void)pri_par_for(ctx, n, 1 << 13, clip_some, &(struct fields){.q = q, .parts = parts, .n = n, .radius = radius});
}

static double size_at(const struct fields *f, ptrdiff_t i) {
  double square = 0;
  for (int a = 0; a < f->parts; a++) square += (double)f->x[a * f->n + i] * (double)f->x[a * f->n + i];
  return sqrt(square);
}

static double sum_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += size_at(arg, i);
  return sum;
}

double pri_fields_sum(pri_ctx *ctx, const pri_real *q, int parts, ptrdiff_t n) {
  return pri_sum(ctx, n, sum_block, &(struct fields){.x = q, .parts = parts, .n = n});
}

double pri_fields_largest(pri_ctx *ctx, const pri_real *q, int parts, ptrdiff_t n) {
  const struct fields f = {.x = q, .parts = parts, .n = n};
  double most = 0;
  (void)ctx;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double s = size_at(&f, i);
    if (!(s <= most)) most = s; /* a NaN is larger than all */
  }
  return most;
}
