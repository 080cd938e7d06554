/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv_constant.c - w* = smallest weight for which the constant images minimise <g, x> + w TV(x), g of sum 0.
 *
 *   w* = min { max_i |q_i| / m_i : D'q = -g }           (0 in g + w dTV: from above, by any such q)
 *      = max_x |<g, x>| / TV(x)                         (from below, by any x)
 *
 * The first by Douglas-Rachford splitting (Eckstein, Bertsekas 1992), whose iterates a are feasible:
 *   a = z - D f,  D'D f = D'z + g;   b = prox_{c G}(2a - z);   z += b - a
 *   G(q) = max_i |q_i| / m_i; its prox cuts |q_i| at t m_i, t from sum_i m_i (|q_i| - t m_i)_+ = c (Moreau; the l1 ball)
 * f bounds from below: at the solution D f / c is a subgradient of G. The Neumann problem is solved by the even extension of its right
 * side to twice the size, where the eigenvalues of D'D are sum_a 4 r_a^2 sin^2(pi k_a / 2 n_a) (the cosine transform). Ends where the
 * two bounds are within 3 %, or after STEPS.
 * Coupled channels: a constant has a value a channel, and D'q reaches what sums to 0 in each: of g the rest is taken off (at the best constants there
 * is none).
 */
#include <math.h>
#include <string.h>
#include "fft.h"
#include "tv_term.h"
#include "vec.h"

enum { STEPS = 600, LOOK = 10, HALVINGS = 40 };
static const double PI = 3.14159265358979323846, CLOSE = 1.03;

struct constant {
  pri_ctx *ctx;
  const tv_term *t;
  const pri_real *g;
  pri_real *z, *a, *b, *f, *right; /* fields; f and the right side: images */
  pri_real *even, *spectrum;
  double *size;                    /* [pixels] */
  pri_fft *fft;
  ptrdiff_t m[3];                  /* extents of the even extension */
  double c;
};

static pri_status make(struct constant *c) {
  const pri_stencil *s = &c->t->s;
  const ptrdiff_t n[3] = {s->nz, s->ny, s->nx};
  ptrdiff_t all = 1;
  for (int a = 0; a < 3; a++) all *= c->m[a] = n[a] > 1 ? 2 * n[a] : 1;
  PRI_TRY(pri_fft_create(c->ctx, &c->fft, 3, c->m));
  PRI_ALLOC(c->ctx, c->z, s->nd * s->n);
  PRI_ALLOC(c->ctx, c->a, s->nd * s->n);
  PRI_ALLOC(c->ctx, c->b, s->nd * s->n);
  PRI_ALLOC(c->ctx, c->f, s->n);
  PRI_ALLOC(c->ctx, c->right, s->n);
  PRI_ALLOC(c->ctx, c->size, s->pixels);
  PRI_ALLOC(c->ctx, c->even, all);
  PRI_ALLOC(c->ctx, c->spectrum, pri_fft_spectrum(c->fft));
  return PRI_OK;
}

static void unmake(struct constant *c) {
  void *const owned[] = {c->z, c->a, c->b, c->f, c->right, c->size, c->even, c->spectrum};
  pri_fft_destroy(&c->fft);
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) pri_free(c->ctx, owned[i]);
}

static ptrdiff_t mirror(ptrdiff_t i, ptrdiff_t n) { return i < n ? i : 2 * n - 1 - i; }

static void extend(struct constant *c, const pri_real *right) {
  const pri_stencil *s = &c->t->s;
  pri_real *to = c->even;
  for (ptrdiff_t z = 0; z < c->m[0]; z++)
    for (ptrdiff_t y = 0; y < c->m[1]; y++)
      for (ptrdiff_t x = 0; x < c->m[2]; x++) *to++ = right[(mirror(z, s->nz) * s->ny + mirror(y, s->ny)) * s->nx + mirror(x, s->nx)];
}

static double eigenvalue(double r, ptrdiff_t k, ptrdiff_t m) { /* m = 2 n */
  const double v = 2 * r * sin(PI * (double)k / (double)m);
  return v * v;
}

static void divide(struct constant *c) {
  const pri_stencil *s = &c->t->s;
  const double count = (double)(c->m[0] * c->m[1] * c->m[2]);
  pri_real *at = c->spectrum;
  for (ptrdiff_t z = 0; z < c->m[0]; z++)
    for (ptrdiff_t y = 0; y < c->m[1]; y++)
      for (ptrdiff_t x = 0; x <= c->m[2] / 2; x++, at += 2) {
        const double v = eigenvalue(s->rz, z, c->m[0]) + eigenvalue(s->ry, y, c->m[1]) + eigenvalue(1, x, c->m[2]);
        const pri_real scale = z + y + x > 0 ? (pri_real)(1 / (v * count)) : 0;
        at[0] *= scale, at[1] *= scale;
      }
}

/* f: D'D f = right, one channel; what its sum is not 0 by is dropped */
static void neumann(struct constant *c, ptrdiff_t channel) {
  const pri_stencil *s = &c->t->s;
  extend(c, c->right + channel * s->pixels);
  pri_fft_forward(c->fft, c->spectrum, c->even);
  divide(c);
  pri_fft_inverse(c->fft, c->even, c->spectrum);
  for (ptrdiff_t z = 0; z < s->nz; z++)
    for (ptrdiff_t y = 0; y < s->ny; y++)
      memcpy(c->f + channel * s->pixels + (z * s->ny + y) * s->nx, c->even + (z * c->m[1] + y) * c->m[2], (size_t)s->nx * sizeof *c->f);
}

static double map_at(const struct constant *c, ptrdiff_t i) { return c->t->map ? (double)c->t->map[i] : 1; }

/* a = the nearest point of z with D'a = -g */
static void project(struct constant *c) {
  const pri_stencil *s = &c->t->s;
  pri_copy(c->ctx, c->right, c->g, s->n);
  pri_stencil_adjoint(c->ctx, s, c->right, c->z, 1);
  for (ptrdiff_t k = 0; k < s->nc; k++) neumann(c, k);
  pri_stencil_forward(c->ctx, s, c->a, c->f, 1);
  pri_axpby(c->ctx, c->a, 1, c->z, -1, s->nd * s->n);
}

static void sizes(struct constant *c, const pri_real *q) {
  for (ptrdiff_t first = 0; first < c->t->s.pixels; first += PRI_VEC_BLOCK) {
    const ptrdiff_t last = first + PRI_VEC_BLOCK < c->t->s.pixels ? first + PRI_VEC_BLOCK : c->t->s.pixels;
    pri_stencil_fields_square(&c->t->s, q, first, last, c->size + first);
    for (ptrdiff_t i = first; i < last; i++) c->size[i] = sqrt(c->size[i]);
  }
}

static double largest(struct constant *c, const pri_real *q) { /* G */
  double most = 0;
  sizes(c, q);
  for (ptrdiff_t i = 0; i < c->t->s.pixels; i++)
    if (c->size[i] > 0) most = fmax(most, c->size[i] / map_at(c, i));
  return most;
}

/* b = prox_{c G}(2a - z) */
static void cut(struct constant *c) {
  const pri_stencil *s = &c->t->s;
  pri_copy(c->ctx, c->b, c->a, s->nd * s->n);
  pri_axpby(c->ctx, c->b, -1, c->z, 2, s->nd * s->n);
  double lo = 0, hi = largest(c, c->b);
  for (int k = 0; k < HALVINGS && hi - lo > 1e-6 * hi; k++) {
    const double t = (lo + hi) / 2;
    double sum = 0;
    for (ptrdiff_t i = 0; i < s->pixels; i++) {
      const double m = map_at(c, i), over = c->size[i] - t * m;
      sum += over > 0 ? m * over : 0;
    }
    if (sum > c->c) lo = t;
    else hi = t;
  }
  for (ptrdiff_t i = 0; i < s->pixels; i++) {
    const double top = hi * map_at(c, i);
    if (c->size[i] > top)
      for (ptrdiff_t f = 0; f < s->nf; f++) c->b[f * s->pixels + i] *= (pri_real)(top / c->size[i]);
  }
}

static double below(struct constant *c) {
  tv_term unit = *c->t;
  double tv;
  unit.weight = 1, unit.delta = 0;
  pri_tv_value(c->ctx, &unit, &tv, c->f, 1);
  return tv > 0 ? fabs(pri_dot(c->ctx, c->g, c->f, c->t->s.n)) / tv : 0;
}

static double search(struct constant *c) {
  const ptrdiff_t fields = c->t->s.nd * c->t->s.n;
  project(c); /* of z = 0: D'D f = g, a = -D f */
  double high = largest(c, c->a), low = 0;
  pri_copy(c->ctx, c->z, c->a, fields);
  c->c = 0.02 * high * (double)c->t->s.pixels;
  for (int k = 1; k <= STEPS && isfinite(high) && high > CLOSE * low; k++) {
    project(c);
    cut(c);
    pri_axpy(c->ctx, c->z, 1, c->b, fields);
    pri_axpy(c->ctx, c->z, -1, c->a, fields);
    high = fmin(high, largest(c, c->a));
    if (k % LOOK == 0) low = fmax(low, below(c));
  }
  return high;
}

pri_status pri_tv_constant_weight(pri_ctx *ctx, const tv_term *t, const pri_real *g, double *weight) {
  struct constant c = {.ctx = ctx, .t = t, .g = g};
  const pri_status s = make(&c);
  if (s == PRI_OK) *weight = pri_norm2sq(ctx, g, t->s.n) > 0 ? search(&c) : 0;
  unmake(&c);
  return s;
}
