/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv_constant.c - w* = smallest weight for which the constant images minimise <g, x> + w TV(x), g of sum 0.
 *
 *   w* = min { max_i |q_i| / m_i : D'q = -g }           (0 in g + w dTV: from above, by any such q)
 *      = max_x -<g, x> / TV(x)                          (from below, by any x)
 *
 * With w = 0.95 of the best upper bound, FGP on argmin_x |x + g|^2 / 2 + w TV(x) gives q with the residual e = g + D'q and x = -e;
 * x bounds from below; q + D f, where D'D f = -e (Neumann problem, conjugate gradients), bounds from above up to what CG leaves
 * (1e-6 of |g|, a deviation of the weight of that order). Rounds until the two are within 5 %. Hein, Buehler 2010 use the same
 * proximal steps for ratios.
 */
#include <math.h>
#include <string.h>
#include "tv_term.h"
#include "vec.h"

enum { ROUNDS = 60, INNER = 60, CG = 2000 };

struct constant {
  pri_ctx *ctx;
  const tv_term *t;
  tv_term at; /* the same with the weight of the round */
  const pri_real *g;
  pri_real *z, *x, *q, *f, *r, *d, *a, *dx, *trial; /* -g; prox; duals; CG: solution, residual, direction, product; fields */
  void *scratch;
};

static pri_status make(struct constant *c) {
  const ptrdiff_t n = c->t->s.n, m = n * c->t->s.nd;
  pri_real **const images[] = {&c->z, &c->x, &c->f, &c->r, &c->d, &c->a}, **const fields[] = {&c->q, &c->dx, &c->trial};
  for (size_t i = 0; i < sizeof images / sizeof *images; i++) PRI_ALLOC(c->ctx, *images[i], n);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) PRI_ALLOC(c->ctx, *fields[i], m);
  c->scratch = pri_calloc(c->ctx, 1, pri_tv_prox_scratch(c->t));
  return c->scratch ? PRI_OK : pri_ctx_code(c->ctx);
}

static void unmake(struct constant *c) {
  void *const owned[] = {c->z, c->x, c->f, c->r, c->d, c->a, c->q, c->dx, c->trial, c->scratch};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) pri_free(c->ctx, owned[i]);
}

/* f: D'D f = b to 1e-6 of `size`; b in c->r, of sum 0 up to rounding, which is taken out */
static void neumann(struct constant *c, double size) {
  pri_ctx *ctx = c->ctx;
  const pri_stencil *s = &c->t->s;
  const double mean = pri_vsum(ctx, c->r, s->n) / (double)s->n;
  for (ptrdiff_t i = 0; i < s->n; i++) c->r[i] -= (pri_real)mean;
  pri_fill(ctx, c->f, 0, s->n);
  pri_copy(ctx, c->d, c->r, s->n);
  double rho = pri_norm2sq(ctx, c->r, s->n);
  for (int k = 0; k < CG && sqrt(rho) > 1e-6 * size; k++) {
    pri_stencil_forward(ctx, s, c->dx, c->d, 1);
    pri_fill(ctx, c->a, 0, s->n);
    pri_stencil_adjoint(ctx, s, c->a, c->dx, 1);
    const double alpha = rho / pri_norm2sq(ctx, c->dx, s->nd * s->n); /* <d, D'D d> */
    if (!isfinite(alpha)) break;
    pri_axpy(ctx, c->f, alpha, c->d, s->n);
    pri_axpy(ctx, c->r, -alpha, c->a, s->n);
    const double next = pri_norm2sq(ctx, c->r, s->n);
    pri_axpby(ctx, c->d, 1, c->r, next / rho, s->n);
    rho = next;
  }
}

/* max |q_i| / m_i of q + D f, f repairing D'q = -g */
static double above(struct constant *c, double size) {
  pri_ctx *ctx = c->ctx;
  const pri_stencil *s = &c->t->s;
  double sq[PRI_VEC_BLOCK], most = 0;
  pri_copy(ctx, c->r, c->z, s->n);
  pri_fill(ctx, c->a, 0, s->n);
  pri_stencil_adjoint(ctx, s, c->a, c->q, 1);
  pri_axpy(ctx, c->r, -1, c->a, s->n); /* -(g + D'q) */
  neumann(c, size);
  pri_stencil_forward(ctx, s, c->trial, c->f, 1);
  pri_axpy(ctx, c->trial, 1, c->q, s->nd * s->n);
  for (ptrdiff_t first = 0; first < s->n; first += PRI_VEC_BLOCK) {
    const ptrdiff_t last = first + PRI_VEC_BLOCK < s->n ? first + PRI_VEC_BLOCK : s->n;
    pri_stencil_fields_square(s, c->trial, first, last, sq);
    for (ptrdiff_t i = first; i < last; i++) {
      const double m = c->t->map ? (double)c->t->map[i] : 1, v = sqrt(sq[i - first]);
      if (v > 0) most = fmax(most, v / m);
    }
  }
  return most;
}

static double below(struct constant *c) {
  tv_term unit = *c->t;
  double tv;
  unit.weight = 1, unit.delta = 0;
  pri_tv_value(c->ctx, &unit, &tv, c->x, 1);
  const double cross = pri_dot(c->ctx, c->z, c->x, c->t->s.n); /* -<g, x> */
  return tv > 0 ? cross / tv : 0;
}

static double search(struct constant *c) {
  const double size = sqrt(pri_norm2sq(c->ctx, c->g, c->t->s.n)), mean = pri_vsum(c->ctx, c->g, c->t->s.n) / (double)c->t->s.n;
  if (size == 0) return 0;
  for (ptrdiff_t i = 0; i < c->t->s.n; i++) c->z[i] = (pri_real)(mean - (double)c->g[i]);
  double high = above(c, size), low = 0;
  for (int k = 0; k < ROUNDS && high > 1.05 * low; k++) {
    const pri_prox_req req = {1, 0, INNER};
    c->at = *c->t;
    c->at.weight = 0.95 * high, c->at.delta = 0;
    pri_tv_prox(c->ctx, &c->at, c->x, c->z, -INFINITY, INFINITY, &req, NULL, c->q, c->scratch);
    low = fmax(low, below(c));
    high = fmin(high, above(c, size));
  }
  return high;
}

pri_status pri_tv_constant_weight(pri_ctx *ctx, const tv_term *t, const pri_real *g, double *weight) {
  struct constant c = {.ctx = ctx, .t = t, .g = g};
  const pri_status s = make(&c);
  if (s == PRI_OK) *weight = search(&c);
  unmake(&c);
  return s;
}
