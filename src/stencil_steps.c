/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stencil_steps.c - see stencil_steps.h; plain loops over pieces of rows that stay in the first cache, for the compiler to vectorise. */
#include "stencil_steps.h"
#include <float.h>
#include <math.h>
#include <string.h>
#ifdef PRI_DOUBLE
#define ROOT sqrt
#define LEAST DBL_MIN
#else
#define ROOT sqrtf
#define LEAST FLT_MIN
#endif
#if defined(__AVX512F__) && !defined(PRI_DOUBLE)
#define KERNELS pri_stencil_kernels_avx512
#define NAME "avx512"
#elif defined(__AVX2__) && !defined(PRI_DOUBLE)
#define KERNELS pri_stencil_kernels_avx2
#define NAME "avx2"
#else
#define KERNELS pri_stencil_kernels_c
#define NAME "c"
#endif

enum { BUFFER = 4096, LONGEST = 512, LANES = 8 }; /* values kept of all fields of a piece; its pixels at most */

/* ---- the adjoint of one row, into g */

#define ADJOINT(name, type)                                                                                          \
  static void name##_add(type *restrict g, const pri_real *restrict q, type c, ptrdiff_t n) {                        \
    for (ptrdiff_t i = 0; i < n; i++) g[i] += c * (type)q[i];                                                        \
  }                                                                                                                  \
  /* g = (D'q) of n pixels from column x0 of a row on */                                                             \
  static void name(const pri_stencil *s, type *restrict g, const pri_real *q, ptrdiff_t row, ptrdiff_t x0, ptrdiff_t n) { \
    const ptrdiff_t nx = s->nx, y = row % s->ny, z = row / s->ny % s->nz, plane = s->ny * nx;                         \
    const pri_real *at = q + row * nx + x0, *restrict along = at + (s->nd - 1) * s->n;                                \
    g[0] = x0 > 0 ? (type)along[-1] - (type)along[0] : -(type)along[0];                                              \
    for (ptrdiff_t i = 1; i < n; i++) g[i] = (type)along[i - 1] - (type)along[i];                                     \
    if (s->nd > 2) {                                                                                                 \
      name##_add(g, at, (type)-s->rz, n);                                                                            \
      if (z > 0) name##_add(g, at - plane, (type)s->rz, n);                                                          \
      at += s->n;                                                                                                    \
    }                                                                                                                \
    if (s->nd > 1) {                                                                                                 \
      name##_add(g, at, (type)-s->ry, n);                                                                            \
      if (y > 0) name##_add(g, at - nx, (type)s->ry, n);                                                             \
    }                                                                                                                \
  }
ADJOINT(adjoint, pri_real)
#ifndef PRI_DOUBLE
ADJOINT(adjoint_wide, double)
#else
#define adjoint_wide adjoint
#endif

/* ---- primal */

static void primal_piece(const pri_stencil_step *p, const pri_real *restrict g, ptrdiff_t at, ptrdiff_t n) {
  pri_real *restrict x = p->x + at, *restrict ahead = p->ahead + at;
  const pri_real *restrict z = p->z + at;
  const pri_real tau = (pri_real)p->tau, pull = (pri_real)(p->tau * p->scale), keep = (pri_real)(1 / (1 + p->tau)), lo = p->lo, hi = p->hi;
  const pri_real on = (pri_real)p->relax, off = (pri_real)(1 - p->relax);
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real v = (x[i] + tau * z[i] - pull * g[i]) * keep, low = v < lo ? lo : v, next = low > hi ? hi : low;
    ahead[i] = 2 * next - x[i];
    x[i] = off * x[i] + on * next;
  }
}

static void least_piece(const pri_stencil_step *p, const pri_real *restrict g, ptrdiff_t at, ptrdiff_t n) {
  pri_real *restrict ahead = p->ahead + at;
  const pri_real *restrict z = p->z + at;
  const pri_real pull = (pri_real)p->scale, lo = p->lo, hi = p->hi;
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real v = z[i] - pull * g[i], low = v < lo ? lo : v;
    ahead[i] = low > hi ? hi : low;
  }
}

static void primal(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t nx = p->s->nx;
  pri_real g[LONGEST];
  for (ptrdiff_t row = first; row < last; row++)
    for (ptrdiff_t x0 = 0; x0 < nx; x0 += LONGEST) {
      const ptrdiff_t n = nx - x0 < LONGEST ? nx - x0 : LONGEST;
      adjoint(p->s, g, p->r ? p->r : p->q, row, x0, n);
      (p->r ? least_piece : primal_piece)(p, g, row * nx + x0, n);
    }
}

/* ---- differences of a piece of one channel, along every axis; 0 past the last element */

#define DIFFERENCES(name, type)                                                                                      \
  static void name##_axis(type *restrict d, const pri_real *x, ptrdiff_t step, type r, ptrdiff_t n) {                \
    for (ptrdiff_t i = 0; i < n; i++) d[i] = r * ((type)x[i + step] - (type)x[i]);                                    \
  }                                                                                                                  \
  /* d: [nd][pitch]; x: the channel's first pixel */                                                                 \
  static void name(const pri_stencil *s, type *d, ptrdiff_t pitch, const pri_real *x, ptrdiff_t row, ptrdiff_t x0, ptrdiff_t n) { \
    const ptrdiff_t nx = s->nx, y = row % s->ny, z = row / s->ny;                                                    \
    x += row * nx + x0;                                                                                              \
    if (s->nd > 2) {                                                                                                 \
      if (z + 1 < s->nz) name##_axis(d, x, s->ny * nx, (type)s->rz, n);                                              \
      else memset(d, 0, (size_t)n * sizeof *d);                                                                      \
      d += pitch;                                                                                                    \
    }                                                                                                                \
    if (s->nd > 1) {                                                                                                 \
      if (y + 1 < s->ny) name##_axis(d, x, nx, (type)s->ry, n);                                                      \
      else memset(d, 0, (size_t)n * sizeof *d);                                                                      \
      d += pitch;                                                                                                    \
    }                                                                                                                \
    const int end = x0 + n == nx;                                                                                    \
    name##_axis(d, x, 1, 1, n - end);                                                                                \
    if (end) d[n - 1] = 0;                                                                                           \
  }
DIFFERENCES(differences, pri_real)
#ifndef PRI_DOUBLE
DIFFERENCES(differences_wide, double)
#else
#define differences_wide differences
#endif

/* ---- dual */

static void ascend(pri_real *restrict d, pri_real *restrict square, const pri_real *restrict q, pri_real sigma, pri_real keep, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    d[i] = (q[i] + sigma * d[i]) * keep;
    square[i] += d[i] * d[i];
  }
}

/* m_i = min(1, w_i / |q_i|) from the square of |q_i|, without a branch; 0 where w = 0 */
static void factors(const pri_stencil_step *p, pri_real *restrict m, ptrdiff_t at, ptrdiff_t n) {
  const pri_real w = (pri_real)p->weight, *restrict map = p->map ? p->map + at : NULL;
  if (isinf(p->delta))
    for (ptrdiff_t i = 0; i < n; i++) m[i] = 1;
  else if (!map) {
    const pri_real least = w * w > LEAST ? w * w : LEAST;
    for (ptrdiff_t i = 0; i < n; i++) m[i] = w / ROOT(m[i] > least ? m[i] : least);
  } else
    for (ptrdiff_t i = 0; i < n; i++) {
      const pri_real v = w * map[i], least = v * v > LEAST ? v * v : LEAST;
      m[i] = v / ROOT(m[i] > least ? m[i] : least);
    }
}

static void settle(pri_real *restrict q, const pri_real *restrict d, const pri_real *restrict m, pri_real on, pri_real off, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) q[i] = off * q[i] + on * (m[i] * d[i]);
}

static void extrapolate(pri_real *restrict r, pri_real *restrict q, const pri_real *restrict d, const pri_real *restrict m, pri_real beta, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real next = m[i] * d[i], before = q[i];
    q[i] = next;
    r[i] = next + beta * (next - before);
  }
}

static void dual_piece(const pri_stencil_step *p, ptrdiff_t row, ptrdiff_t x0, ptrdiff_t n, ptrdiff_t pitch) {
  const pri_stencil *s = p->s;
  const ptrdiff_t at = row * s->nx + x0;
  pri_real d[BUFFER], m[LONGEST] = {0};
  pri_real *one = d;
  for (ptrdiff_t c = 0; c < s->nc; c++, one += s->nd * pitch) {
    differences(s, one, pitch, p->ahead + c * s->pixels, row, x0, n);
    for (int a = 0; a < s->nd; a++)
      ascend(one + a * pitch, m, (p->r ? p->r : p->q) + a * s->n + c * s->pixels + at, (pri_real)p->sigma, (pri_real)p->keep, n);
  }
  factors(p, m, at, n);
  one = d;
  for (ptrdiff_t c = 0; c < s->nc; c++)
    for (int a = 0; a < s->nd; a++, one += pitch) {
      const ptrdiff_t field = a * s->n + c * s->pixels + at;
      if (p->r) extrapolate(p->r + field, p->q + field, one, m, (pri_real)p->beta, n);
      else settle(p->q + field, one, m, (pri_real)p->relax, (pri_real)(1 - p->relax), n);
    }
}

static ptrdiff_t piece(const pri_stencil *s) { return s->nf * LONGEST <= BUFFER ? LONGEST : s->nf < BUFFER ? BUFFER / s->nf : 1; }

static void dual(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t nx = p->s->nx, most = piece(p->s);
  for (ptrdiff_t row = first; row < last; row++)
    for (ptrdiff_t x0 = 0; x0 < nx; x0 += most) dual_piece(p, row, x0, nx - x0 < most ? nx - x0 : most, most);
}

/* ---- gap */

static double fold(const double *restrict t, ptrdiff_t n) { /* eight interleaved sums: vectors without another order */
  double s[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) s[j] += t[i + j];
  for (int j = 0; i < n; i++, j++) s[j] += t[i];
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* v = z - scale D'q, u = P_box(v): |x - v|^2 / 2 - |u - v|^2 / 2 = (x - u)((x - v) + (u - v)) / 2, and |x - z|^2 / 2 */
static void data_terms(const pri_stencil_step *p, double *restrict g, double *restrict value, ptrdiff_t at, ptrdiff_t n) {
  const pri_real *restrict x = p->x + at, *restrict z = p->z + at;
  const double lo = (double)p->lo, hi = (double)p->hi, scale = p->scale;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double v = (double)z[i] - scale * g[i], low = v < lo ? lo : v, u = low > hi ? hi : low, have = (double)x[i];
    value[i] = (have - (double)z[i]) * (have - (double)z[i]) / 2;
    g[i] = (have - u) * ((have - v) + (u - v)) / 2;
  }
}

struct prior { /* of a piece */
  double dot[LONGEST], square[LONGEST], q2[LONGEST];
};

static void products(struct prior *restrict t, const double *restrict d, const pri_real *restrict q, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    t->dot[i] += d[i] * (double)q[i];
    t->square[i] += d[i] * d[i];
    t->q2[i] += (double)q[i] * (double)q[i];
  }
}

/* square = phi(|D x|), q2 = phi + F*(q) - <D x, q> >= 0 */
static void prior_terms(const pri_stencil_step *p, struct prior *restrict t, ptrdiff_t at, ptrdiff_t n) {
  const pri_real *restrict map = p->map ? p->map + at : NULL;
  const double weight = p->weight, delta = p->delta;
  if (delta == 0 && !map) {
    for (ptrdiff_t i = 0; i < n; i++) {
      t->square[i] = weight * sqrt(t->square[i]);
      t->q2[i] = t->square[i] - t->dot[i];
    }
    return;
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    const double w = map ? weight * (double)map[i] : weight, a = sqrt(t->square[i]);
    const double phi = isinf(delta) ? w * t->square[i] / 2 : w * (a >= delta ? a - delta / 2 : t->square[i] / (2 * delta));
    const double curb = !(w > 0) ? 0 : isinf(delta) ? 1 / w : delta / w;
    t->square[i] = phi;
    t->q2[i] = phi + curb / 2 * t->q2[i] - t->dot[i];
  }
}

static void gap_piece(const pri_stencil_step *p, ptrdiff_t row, ptrdiff_t x0, ptrdiff_t n, double sum[2]) {
  const pri_stencil *s = p->s;
  const ptrdiff_t at = row * s->nx + x0, rows = s->nz * s->ny;
  struct prior t;
  double d[3 * LONGEST], g[LONGEST], value[LONGEST];
  memset(&t, 0, sizeof t);
  for (ptrdiff_t c = 0; c < s->nc; c++) {
    adjoint_wide(s, g, p->q, c * rows + row, x0, n);
    data_terms(p, g, value, c * s->pixels + at, n);
    sum[0] += fold(g, n), sum[1] += fold(value, n);
    differences_wide(s, d, LONGEST, p->x + c * s->pixels, row, x0, n);
    for (int a = 0; a < s->nd; a++) products(&t, d + a * LONGEST, p->q + a * s->n + c * s->pixels + at, n);
  }
  prior_terms(p, &t, at, n);
  sum[0] += p->scale * fold(t.q2, n), sum[1] += p->scale * fold(t.square, n);
}

static void gap(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t nx = p->s->nx;
  for (ptrdiff_t row = first; row < last; row++) {
    double *sum = p->sum + 2 * row;
    sum[0] = sum[1] = 0;
    for (ptrdiff_t x0 = 0; x0 < nx; x0 += LONGEST) gap_piece(p, row, x0, nx - x0 < LONGEST ? nx - x0 : LONGEST, sum);
  }
}

const pri_stencil_kernels KERNELS = {NAME, primal, dual, gap};
