/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prox_smooth.c - min_{lo <= x <= hi} h(x) = |x - z|^2 / 2 + R(x), R with an L-Lipschitz gradient: h is 1-strongly convex where R is convex.
 *
 *   s = 1 / (1 + L), v = x + beta (x - x_old), g = v - z + grad R(v), x+ = P(v - s g)
 *   t+ = (1 - s t^2 + root((1 - s t^2)^2 + 4 t^2)) / 2,  beta = (t - 1)(1 - s t+) / (t+ (1 - s));  t = 0 anew where <v - x+, x+ - x> > 0
 *   h* >= h(v) + min_{lo <= w <= hi} <g, w - v> + |w - v|^2 / 2    (strong convexity; w = P(v - g))
 *   h(x+) <= h(v) + <g, x+ - v> + (1 + L) |x+ - v|^2 / 2           (Lipschitz gradient)
 * so that the difference of the two is a gap that needs no value of R. Source: Chambolle, Pock 2016, alg. 5; restart: O'Donoghue, Candes 2015.
 * Where R is not convex the same number only says that x has come to rest.
 */
#include "prox_smooth.h"
#include <math.h>
#include "vec.h"

enum { LOOK = 10 };                    /* steps between two looks at the gap */
static const double FIRM = 1e6;        /* step of the dual prox in curvatures: q = F'(K x) to a millionth */

int pri_prox_smooth_takes(const pri_prior_class *c) { return c->variational && !c->variational->prox && c->variational->grad && c->variational->lipschitz && c->variational->value; }

pri_status pri_prox_smooth_init(pri_ctx *ctx, pri_prox_smooth *p, const pri_split *s) {
  PRI_TRY(pri_array_create(ctx, &p->old, &s->dom, s->items));
  PRI_TRY(pri_array_create(ctx, &p->v, &s->dom, 1));
  PRI_TRY(pri_array_create(ctx, &p->g, &s->dom, 1));
  PRI_ALLOC(ctx, p->t, s->items);
  return PRI_OK;
}

void pri_prox_smooth_fini(pri_ctx *ctx, pri_prox_smooth *p) {
  pri_array_destroy(&p->old);
  pri_array_destroy(&p->v);
  pri_array_destroy(&p->g);
  pri_free(ctx, p->t);
}

pri_status pri_prox_smooth_walk(pri_prox_smooth *p, pri_walk *w) {
  if (!p->t) return PRI_OK;
  PRI_TRY(pri_walk_array(w, "old", &p->old));
  return pri_walk_bytes(w, "t", p->t, (size_t)p->old.items * sizeof *p->t);
}

struct look { const pri_real *v, *g, *x, *old; double lo, hi, slope; };

static double gap_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct look *k = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double v = (double)k->v[i], g = (double)k->g[i], w = fmin(fmax(v - g, k->lo), k->hi) - v, d = (double)k->x[i] - v;
    sum += g * (d - w) + (k->slope * d * d - w * w) / 2;
  }
  return sum;
}

static double uphill_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct look *k = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += ((double)k->v[i] - (double)k->x[i]) * ((double)k->x[i] - (double)k->old[i]);
  return sum;
}

/* v, g, x+ of one step; x becomes old */
static pri_status step(pri_ctx *ctx, pri_prox_smooth *p, const pri_split *s, ptrdiff_t i, pri_real *x, const pri_real *z, const struct look *k) {
  const pri_block *b = s->R;
  const double tau = 1 / k->slope, t = p->t[i], a = 1 - tau * t * t, next = (a + sqrt(a * a + 4 * t * t)) / 2;
  const double beta = tau < 1 && t > 0 ? (t - 1) * (1 - tau * next) / (next * (1 - tau)) : 0;
  pri_real *old = pri_array_item(&p->old, i), *v = p->v.data, *g = p->g.data;
  pri_copy(ctx, v, x, s->n);
  pri_axpby(ctx, v, -beta, old, 1 + beta, s->n);
  PRI_TRY(b->cls->variational->grad(ctx, b->priv, g, v, 1, s->scratch));
  pri_axpy(ctx, g, 1, v, s->n);
  pri_axpy(ctx, g, -1, z, s->n);
  pri_copy(ctx, old, x, s->n);
  pri_copy(ctx, x, v, s->n);
  pri_axpy(ctx, x, -tau, g, s->n);
  pri_clip(ctx, x, k->lo, k->hi, s->n);
  p->t[i] = pri_sum(ctx, s->n, uphill_block, k) > 0 ? 0 : next;
  return PRI_OK;
}

static pri_status objective(pri_ctx *ctx, const pri_split *s, const pri_real *x, const pri_real *z, double *h) {
  PRI_TRY(s->R->cls->variational->value(ctx, s->R->priv, h, x, 1, s->scratch));
  *h += pri_dist2sq(ctx, x, z, s->n) / 2;
  return PRI_OK;
}

static pri_status dual(pri_ctx *ctx, const pri_block *b, pri_real *q, const pri_real *x) { /* F'(K x): proximal.c */
  const double sigma = FIRM * b->cls->variational->lipschitz(b->priv).value / (b->norm * b->norm);
  PRI_TRY(b->cls->saddle->k(ctx, b->priv, q, x, NULL, 1));
  pri_scale(ctx, q, sigma, b->nq);
  return b->cls->saddle->dual_prox(ctx, b->priv, q, sigma, NULL, 1);
}

pri_status pri_prox_smooth_run(pri_ctx *ctx, pri_prox_smooth *p, const pri_split *s, ptrdiff_t i, pri_real *x, const pri_real *z, double lo, double hi, const pri_prox_req *req,
                               pri_prox_cert *cert, pri_real *q) {
  const pri_variational *f = s->R->cls->variational;
  const int convex = !f->convexity || f->convexity(s->R->priv).trust >= PRI_PROVEN;
  const struct look k = {p->v.data, p->g.data, x, pri_array_item(&p->old, i), lo, hi, 1 + f->lipschitz(s->R->priv).value};
  double h;
  *cert = (pri_prox_cert){{INFINITY, PRI_ESTIMATE}, 0};
  if (!req->done) {
    pri_copy(ctx, x, z, s->n);
    pri_clip(ctx, x, lo, hi, s->n);
    pri_copy(ctx, pri_array_item(&p->old, i), x, s->n);
    p->t[i] = 0;
  }
  while (cert->inner < req->max_inner && !(cert->gap.value <= req->tol)) {
    PRI_TRY(step(ctx, p, s, i, x, z, &k));
    if (++cert->inner % LOOK && cert->inner < req->max_inner) continue;
    PRI_TRY(objective(ctx, s, x, z, &h));
    cert->gap.value = fmax(pri_sum(ctx, s->n, gap_block, &k), 0) / fmax(h, 1e-300);
    if (!isfinite(h)) return PRI_FAIL(ctx, PRI_ENUMERIC, "prox: the objective is not finite after %ld steps", req->done + cert->inner);
  }
  const int rests = cert->gap.value <= req->tol;
  if (rests && !convex) cert->gap = (pri_bound){NAN, PRI_UNKNOWN};
  return rests && q && s->R->nq ? dual(ctx, s->R, q, x) : PRI_OK;
}
