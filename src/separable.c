/* SPDX-License-Identifier: GPL-3.0-or-later */
/* separable.c - see separable.h: passes along x, y, z (transpose: z, y, x) over rows that threads share. */
#include "separable.h"
#include <string.h>
#include "config.h"
#include "par.h"
#include "simd.h"

enum { Z, Y, X };
enum { CHUNK = 1 << 14 }; /* elements of one chunk for threads */

struct sparse { /* rows of a matrix, columns ascending */
  ptrdiff_t *start, *column; /* [n + 1], [start[n]] */
  pri_real *w;
};

struct pri_separable {
  pri_ctx *ctx;
  ptrdiff_t d[3], r[3], k;  /* k: taps along x */
  struct sparse m[2][2];    /* of z, y; the matrix and its transpose */
  pri_real *g;              /* [k] of x */
  ptrdiff_t *src;           /* of x */
  int most;                 /* entries of a row of any matrix, taps of x */
  int workers;
  size_t room, rows, each;  /* reals: of one intermediate item; of the two rows of a worker; all of a worker */
  pri_weighted_rows sum;
};

/* ---- matrices */

static void sparse_fini(pri_ctx *ctx, struct sparse *m) {
  pri_free(ctx, m->start);
  pri_free(ctx, m->column);
  pri_free(ctx, m->w);
}

/* line: [columns] of zeros on entry and exit. Adds one row. */
static void add_entries(struct sparse *m, ptrdiff_t row, double *line, ptrdiff_t lo, ptrdiff_t hi) {
  ptrdiff_t at = m->start[row];
  for (ptrdiff_t c = lo; c <= hi; c++)
    if (line[c] != 0) {
      m->column[at] = c;
      m->w[at++] = (pri_real)line[c];
      line[c] = 0;
    }
  m->start[row + 1] = at;
}

static void fill(const pri_taps *a, struct sparse *m, double *line) {
  for (ptrdiff_t i = 0; i < a->r; i++) {
    ptrdiff_t lo = a->d, hi = -1;
    for (ptrdiff_t t = 0; t < a->k; t++) {
      const ptrdiff_t c = a->src[i + t];
      if (c < 0) continue;
      line[c] += a->g[t];
      lo = c < lo ? c : lo;
      hi = c > hi ? c : hi;
    }
    add_entries(m, i, line, lo, hi);
  }
}

/* Rows of the transpose hold the rounded entries of the matrix, in ascending order. */
static void transpose(const struct sparse *m, ptrdiff_t rows, struct sparse *t, ptrdiff_t columns) {
  for (ptrdiff_t e = 0; e < m->start[rows]; e++) t->start[m->column[e] + 1]++;
  for (ptrdiff_t c = 0; c < columns; c++) t->start[c + 1] += t->start[c];
  for (ptrdiff_t i = 0; i < rows; i++)
    for (ptrdiff_t e = m->start[i]; e < m->start[i + 1]; e++) {
      const ptrdiff_t at = t->start[m->column[e]]++; /* start becomes the end of each row; put right below */
      t->column[at] = i;
      t->w[at] = m->w[e];
    }
  for (ptrdiff_t c = columns; c > 0; c--) t->start[c] = t->start[c - 1];
  t->start[0] = 0;
}

static int longest(const struct sparse *m, ptrdiff_t rows) {
  ptrdiff_t most = 0;
  for (ptrdiff_t i = 0; i < rows; i++) most = m->start[i + 1] - m->start[i] > most ? m->start[i + 1] - m->start[i] : most;
  return (int)most;
}

static pri_status matrices(pri_separable *s, const pri_taps *a, struct sparse m[2]) {
  double *line;
  for (int k = 0; k < 2; k++) {
    PRI_ALLOC(s->ctx, m[k].start, (k ? a->d : a->r) + 2);
    PRI_ALLOC(s->ctx, m[k].column, a->r * a->k);
    PRI_ALLOC(s->ctx, m[k].w, a->r * a->k);
  }
  PRI_ALLOC(s->ctx, line, a->d);
  fill(a, &m[0], line);
  pri_free(s->ctx, line);
  transpose(&m[0], a->r, &m[1], a->d);
  for (int k = 0; k < 2; k++) s->most = longest(&m[k], k ? a->d : a->r) > s->most ? longest(&m[k], k ? a->d : a->r) : s->most;
  return PRI_OK;
}

/* ---- passes */

struct job {
  const pri_separable *s;
  const struct sparse *m;
  pri_real *out, *rows;      /* rows: of worker 0 */
  const pri_real *in;
  size_t each;
  ptrdiff_t inner, width, from, to; /* rows of one line (1: y, ry or dy: z); elements of a row; lines in and out */
  void *lists;               /* of worker 0: pointers and weights */
  int transpose;
};

static size_t list_bytes(const pri_separable *s) { return ((size_t)s->most * (sizeof(void *) + sizeof(pri_real)) + 63) / 64 * 64; }

static pri_real *rows_of(const struct job *j, int worker) { return j->rows + (size_t)worker * j->each; }
static const pri_real **list_of(const struct job *j, int worker) { return (const pri_real **)(void *)(rows_of(j, worker) + j->s->rows); }

/* unit: one row of the result [block][line][inner][width]; lines of one inner come one after the other: what they read stays in cache */
static pri_status along_yz(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_real **rows = list_of(j, worker);
  for (ptrdiff_t u = first; u < last; u++) {
    const ptrdiff_t line = u % j->to, inner = u / j->to % j->inner, block = u / j->to / j->inner;
    const ptrdiff_t e0 = j->m->start[line], e1 = j->m->start[line + 1];
    for (ptrdiff_t e = e0; e < e1; e++) rows[e - e0] = j->in + ((block * j->from + j->m->column[e]) * j->inner + inner) * j->width;
    j->s->sum(j->out + ((block * j->to + line) * j->inner + inner) * j->width, rows, j->m->w + e0, (int)(e1 - e0), j->width);
  }
  return PRI_OK;
}

static void forward_row(const pri_separable *s, pri_real *y, const pri_real *x, pri_real *pad, const pri_real **rows) {
  const ptrdiff_t n = s->r[X] + s->k - 1;
  for (ptrdiff_t p = 0; p < n; p++) pad[p] = s->src[p] < 0 ? 0 : x[s->src[p]];
  for (ptrdiff_t t = 0; t < s->k; t++) rows[t] = pad + t; /* y_i = sum_t g_t pad_(i + t) */
  s->sum(y, rows, s->g, (int)s->k, s->r[X]);
}

static void back_row(const pri_separable *s, pri_real *x, const pri_real *y, pri_real *pad, const pri_real **rows) {
  const ptrdiff_t n = s->r[X] + s->k - 1;
  pri_real *full = pad + n + s->k - 1;
  memset(pad, 0, (size_t)(s->k - 1) * sizeof *pad);
  memcpy(pad + s->k - 1, y, (size_t)s->r[X] * sizeof *pad);
  memset(pad + n, 0, (size_t)(s->k - 1) * sizeof *pad);
  for (ptrdiff_t t = 0; t < s->k; t++) rows[t] = pad + s->k - 1 - t; /* full_p = sum_t g_t y_(p - t) */
  s->sum(full, rows, s->g, (int)s->k, n);
  memset(x, 0, (size_t)s->d[X] * sizeof *x);
  for (ptrdiff_t p = 0; p < n; p++)
    if (s->src[p] >= 0) x[s->src[p]] += full[p];
}

static pri_status along_x(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_separable *s = j->s;
  for (ptrdiff_t u = first; u < last; u++) {
    if (j->transpose) back_row(s, j->out + u * s->d[X], j->in + u * s->r[X], rows_of(j, worker), list_of(j, worker));
    else forward_row(s, j->out + u * s->r[X], j->in + u * s->d[X], rows_of(j, worker), list_of(j, worker));
  }
  return PRI_OK;
}

static void pass(pri_ctx *ctx, const pri_separable *s, ptrdiff_t units, ptrdiff_t width, pri_par_fn fn, struct job *j) {
  ptrdiff_t grain = CHUNK / width + 1;
  const ptrdiff_t least = (units + s->workers - 1) / s->workers;
  if (pri_par_workers(ctx) > s->workers && grain < least) grain = least; /* no more chunks than workers have room */
  if (pri_par_for(ctx, units, grain, fn, j) != PRI_OK) return;           /* passes do not fail */
}

static void pass_x(pri_ctx *ctx, const pri_separable *s, struct job *j, pri_real *out, const pri_real *in, ptrdiff_t rows) {
  j->out = out, j->in = in;
  pass(ctx, s, rows, s->d[X], along_x, j);
}

static void pass_yz(pri_ctx *ctx, const pri_separable *s, struct job *j, int axis, pri_real *out, const pri_real *in, ptrdiff_t blocks, ptrdiff_t inner) {
  j->out = out, j->in = in, j->inner = inner, j->width = s->r[X], j->m = &s->m[axis][j->transpose];
  j->from = j->transpose ? s->r[axis] : s->d[axis];
  j->to = j->transpose ? s->d[axis] : s->r[axis];
  pass(ctx, s, blocks * j->to * inner, j->width, along_yz, j);
}

static int is_flat(const pri_separable *s) { return s->d[Z] == 1 && s->r[Z] == 1 && s->m[Z][0].start[1] == 1 && s->m[Z][0].w[0] == 1; }

static void run_item(pri_ctx *ctx, const pri_separable *s, struct job *j, pri_real *out, const pri_real *in, pri_real *a, pri_real *b) {
  const int flat = is_flat(s);
  if (!j->transpose) { /* [dz][dy][dx] -> [dz][dy][rx] -> [dz][ry][rx] -> [rz][ry][rx] */
    pass_x(ctx, s, j, a, in, s->d[Z] * s->d[Y]);
    pass_yz(ctx, s, j, Y, flat ? out : b, a, s->d[Z], 1);
    if (!flat) pass_yz(ctx, s, j, Z, out, b, 1, s->r[Y]);
    return;
  }
  if (!flat) pass_yz(ctx, s, j, Z, b, in, 1, s->r[Y]);
  pass_yz(ctx, s, j, Y, a, flat ? in : b, s->d[Z], 1);
  pass_x(ctx, s, j, out, a, s->d[Z] * s->d[Y]);
}

/* ---- items */

struct call {
  pri_ctx *ctx;
  const pri_separable *s;
  pri_real *out, *scratch;
  const pri_real *in;
  ptrdiff_t n_out, n_in;
  int transpose;
};

static pri_status some_items(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct call *c = arg;
  const pri_separable *s = c->s;
  pri_real *own = c->scratch + (size_t)worker * s->each;
  struct job j = {.s = s, .rows = own + 2 * s->room, .each = s->each, .transpose = c->transpose};
  for (ptrdiff_t k = first; k < last; k++) run_item(c->ctx, s, &j, c->out + k * c->n_out, c->in + k * c->n_in, own, own + s->room);
  return PRI_OK;
}

static int by_items(const pri_separable *s) { return s->room * sizeof(pri_real) <= (size_t)32 << 20; }

void pri_separable_run(pri_ctx *ctx, const pri_separable *s, int transpose, pri_real *out, const pri_real *in, ptrdiff_t items, void *scratch) {
  const ptrdiff_t d = s->d[Z] * s->d[Y] * s->d[X], r = s->r[Z] * s->r[Y] * s->r[X];
  struct call c = {ctx, s, out, scratch, in, transpose ? d : r, transpose ? r : d, transpose};
  const int spread = by_items(s) && items >= pri_par_workers(ctx) && pri_par_workers(ctx) <= s->workers;
  if (pri_par_for(ctx, items, spread ? 1 : items, some_items, &c) != PRI_OK) return; /* passes do not fail */
}

/* Large items: room for the first worker only, and rows for all; the rows of a worker lie `each` apart in any case. */
size_t pri_separable_scratch(const pri_separable *s) { return s->each * (size_t)s->workers * sizeof(pri_real) + (by_items(s) ? 0 : 2 * s->room * sizeof(pri_real)); }

static size_t rounded(size_t n) { return (n + 15) / 16 * 16; }

static pri_status build(pri_separable *s, const pri_taps axis[3]) {
  for (int a = 0; a < 3; a++) s->d[a] = axis[a].d, s->r[a] = axis[a].r;
  s->k = axis[X].k;
  s->most = (int)s->k;
  s->workers = pri_par_workers(s->ctx);
  PRI_ALLOC(s->ctx, s->g, s->k);
  PRI_ALLOC(s->ctx, s->src, s->r[X] + s->k - 1);
  for (ptrdiff_t t = 0; t < s->k; t++) s->g[t] = (pri_real)axis[X].g[t];
  memcpy(s->src, axis[X].src, (size_t)(s->r[X] + s->k - 1) * sizeof *s->src);
  for (int a = Z; a <= Y; a++) PRI_TRY(matrices(s, &axis[a], s->m[a]));
  const ptrdiff_t widest = s->d[Y] > s->r[Y] ? s->d[Y] : s->r[Y];
  s->room = rounded((size_t)(s->d[Z] * widest * s->r[X]));
  s->rows = rounded((size_t)(2 * (s->r[X] + s->k - 1) + s->k));
  s->each = s->rows + list_bytes(s) / sizeof(pri_real) + (by_items(s) ? 2 * s->room : 0);
  return PRI_OK;
}

static pri_weighted_rows best(void) {
#ifndef PRI_DOUBLE
#ifdef PRI_AVX512
  if (pri_simd() == PRI_SIMD_AVX512) return pri_weighted_rows_avx512;
#endif
#ifdef PRI_AVX2
  if (pri_simd() >= PRI_SIMD_AVX2) return pri_weighted_rows_avx2;
#endif
#endif
  return pri_weighted_rows_c;
}

pri_status pri_separable_create(pri_ctx *ctx, pri_separable **out, const pri_taps axis[3]) {
  pri_separable *s;
  *out = NULL;
  PRI_ALLOC(ctx, s, 1);
  s->ctx = ctx;
  s->sum = best();
  const pri_status st = build(s, axis);
  if (st != PRI_OK) pri_separable_destroy(&s);
  else *out = s;
  return st;
}

void pri_separable_destroy(pri_separable **s) {
  if (!*s) return;
  pri_ctx *ctx = (*s)->ctx;
  for (int a = Z; a <= Y; a++)
    for (int k = 0; k < 2; k++) sparse_fini(ctx, &(*s)->m[a][k]);
  pri_free(ctx, (*s)->g);
  pri_free(ctx, (*s)->src);
  pri_free(ctx, *s);
  *s = NULL;
}
