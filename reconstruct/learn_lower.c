/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_lower.c - the lower level: FISTA for strongly convex h (Chambolle, Pock 2016, alg. 5; spec maid 2), and what is known of f from it.
 *
 *   tau = 1/L, q = tau mu, t_0 = 0;  t+ = (1 - q t^2 + root((1 - q t^2)^2 + 4 t^2)) / 2,  beta = (t - 1)(1 - q t+) / (t+ (1 - q))
 *   z = x + beta (x - x_old),  x+ = z - tau grad h(z);  stop where |grad h(z)| / mu <= eps: the step towards x+ does not lead away
 *   |x - x^| <= e = |grad h| / mu;   1/2 max(0, d - e)^2 <= 1/2 |x^ - truth|^2 <= 1/2 (d + e)^2,  d = |x - truth|            (spec 2, 4)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "learn_private.h"
#include "par.h"
#include "vec.h"

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

pri_desk pri_lower_desk(const struct pri_lower *l, int worker) {
  const size_t both = aligned(l->op_scratch) + aligned(l->prior_scratch);
  char *scratch = l->scratch + (size_t)worker * both;
  pri_desk k = {.data = l->data + worker * l->range, .cache = l->caches + (size_t)worker * l->cache,
                .op_scratch = scratch, .prior_scratch = scratch + aligned(l->op_scratch)};
  for (int v = 0; v < PRI_LOWER_VECTORS; v++) k.v[v] = l->vector + (worker * PRI_LOWER_VECTORS + v) * l->n;
  return k;
}

pri_status pri_lower_normal(const struct pri_lower *l, const pri_desk *k, pri_real *z, const pri_real *x) {
  if (l->identity) {
    pri_copy(l->ctx, z, x, l->n);
  } else if (l->op->normal) {
    PRI_TRY(l->op->normal(l->ctx, l->opriv, z, x, 1, k->op_scratch));
  } else {
    PRI_TRY(l->op->apply(l->ctx, l->opriv, k->data, x, 1, k->op_scratch));
    PRI_TRY(l->op->adjoint(l->ctx, l->opriv, z, k->data, 1, k->op_scratch));
  }
  if (l->p.floor > 0) pri_axpy(l->ctx, z, l->p.floor, x, l->n);
  return PRI_OK;
}

/* g = (A'A + floor) x - A'y + grad R(x); t: an image */
static pri_status gradient(const struct pri_lower *l, const pri_desk *k, pri_real *g, const pri_real *x, pri_real *t, ptrdiff_t i) {
  PRI_TRY(pri_lower_normal(l, k, g, x));
  pri_axpy(l->ctx, g, -1, l->aty + i * l->n, l->n);
  PRI_TRY(l->prior->variational->grad(l->ctx, l->rpriv, t, x, 1, k->prior_scratch));
  pri_axpy(l->ctx, g, 1, t, l->n);
  l->work[3 * i]++;
  return PRI_OK;
}

struct solving {
  struct pri_lower *l;
  pri_real *x;
  double eps, *e;
  long most;
};

static pri_status solve_one(const struct solving *s, const pri_desk *k, ptrdiff_t i) {
  const struct pri_lower *l = s->l;
  const double tau = 1 / l->L, q = tau * l->mu, goal = s->eps * sqrt((double)l->n);
  pri_real *x = s->x + i * l->n, *old = k->v[0], *z = k->v[1], *g = k->v[2], *t_ = k->v[3];
  double t = 0, e = INFINITY;
  pri_copy(l->ctx, old, x, l->n);
  for (long j = 0; j < s->most; j++) {
    const double qt = 1 - q * t * t, next = (qt + sqrt(qt * qt + 4 * t * t)) / 2, beta = q < 1 ? (t - 1) * (1 - q * next) / (next * (1 - q)) : 0;
    pri_copy(l->ctx, z, x, l->n);
    pri_axpby(l->ctx, z, -beta, old, 1 + beta, l->n); /* x + beta (x - old) */
    PRI_TRY(gradient(l, k, g, z, t_, i));
    e = sqrt(pri_norm2sq(l->ctx, g, l->n)) / l->mu; /* (C1) */
    if (!isfinite(e)) break;
    pri_copy(l->ctx, old, x, l->n);
    pri_copy(l->ctx, x, z, l->n);
    pri_axpy(l->ctx, x, -tau, g, l->n);
    if (e <= goal) break;
    t = next;
  }
  s->e[i] = isfinite(e) ? e : INFINITY;
  return PRI_OK;
}

static pri_status solve_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct solving *s = arg;
  const pri_desk k = pri_lower_desk(s->l, worker);
  for (ptrdiff_t i = first; i < last; i++) PRI_TRY(solve_one(s, &k, i));
  return PRI_OK;
}

pri_status pri_lower_solve(pri_lower *l, pri_real *x, double eps, long most, double *e) {
  struct solving s = {l, x, eps, e, most};
  return pri_par_for(l->ctx, l->m, 1, solve_some, &s);
}

pri_interval pri_lower_interval(const pri_lower *l, const pri_real *x, const double *e) {
  pri_interval f = {0, 0, 0};
  for (ptrdiff_t i = 0; i < l->m; i++) {
    const double d = sqrt(pri_dist2sq(l->ctx, x + i * l->n, l->p.truth->data + i * l->n, l->n)), near = fmax(0, d - e[i]);
    f.low += near * near / 2, f.high += (d + e[i]) * (d + e[i]) / 2, f.half += d * e[i] + e[i] * e[i] / 2;
  }
  f.low /= (double)l->m, f.high /= (double)l->m, f.half /= (double)l->m;
  return f;
}

double pri_lower_start(pri_lower *l, pri_real *x) {
  const pri_desk k = pri_lower_desk(l, 0);
  double sum = 0;
  for (ptrdiff_t i = 0; i < l->m; i++) {
    pri_copy(l->ctx, x + i * l->n, l->aty + i * l->n, l->n);
    pri_scale(l->ctx, x + i * l->n, 1 / l->norm2, l->n);
    if (gradient(l, &k, k.v[2], x + i * l->n, k.v[3], i) != PRI_OK) return NAN;
    sum += pri_norm2sq(l->ctx, k.v[2], l->n);
  }
  return sqrt(sum / ((double)l->m * (double)l->n)) / l->mu;
}

pri_status pri_lower_theta(pri_lower *l, const double *theta) {
  pri_bound mu, lip, hess, mixed, norm;
  PRI_TRY(pri_prior_set_theta(l->p.R, theta));
  PRI_TRY(l->prior->learnable->constants(l->rpriv, &mu, &lip, &hess, &mixed, &norm));
  if (mu.trust < PRI_PROVEN || lip.trust < PRI_PROVEN) return PRI_FAIL(l->ctx, PRI_ENOTSUP, "learn: %s does not know its convexity", l->prior->kind.name);
  l->mu = l->floor_a + l->p.floor + fmax(mu.value, 0);
  l->L = l->norm2 + l->p.floor + lip.value;
  l->hess_lip = hess.value, l->mixed_lip = mixed.value, l->mixed_norm = norm.value;
  l->proven = hess.trust >= PRI_PROVEN && mixed.trust >= PRI_PROVEN && (norm.trust >= PRI_PROVEN && (isfinite(norm.value) || l->ntheta <= PRI_LOWER_FEW));
  if (!(l->mu > 0)) return PRI_FAIL(l->ctx, PRI_EPARAM, "learn: the lower level is not known to be strongly convex: give a floor > 0");
  return PRI_OK;
}

/* ---- making one */

static pri_status take_problem(pri_ctx *ctx, pri_lower *l, const pri_lower_problem *p) {
  l->op = pri_operator_class_of(p->A, &l->opriv);
  l->prior = pri_prior_class_of(p->R, &l->rpriv);
  if (!l->prior->learnable || !l->prior->variational || !l->prior->variational->grad)
    return PRI_FAIL(ctx, PRI_EPARAM, "learn: %s has no parameters that can be learned", l->prior->kind.name);
  l->m = p->truth->items, l->n = pri_shape_size(pri_operator_domain(p->A)), l->range = pri_shape_size(pri_operator_range(p->A));
  if (p->y->items != l->m || pri_shape_size(&p->y->shape) != l->range || pri_shape_size(&p->truth->shape) != l->n)
    return PRI_FAIL(ctx, PRI_ESHAPE, "learn: %td measurements of %td values do not go with %td images of %td pixels", p->y->items, pri_shape_size(&p->y->shape), l->m,
                    pri_shape_size(&p->truth->shape));
  l->identity = (pri_operator_flags(p->A) & PRI_OP_IDENTITY) != 0;
  const pri_bound norm = pri_operator_norm(p->A);
  const double safe = norm.trust >= PRI_PROVEN ? norm.value : 1.01 * norm.value;
  l->norm2 = l->identity ? 1 : safe * safe, l->floor_a = l->identity ? 1 : 0;
  return l->norm2 > 0 && isfinite(l->norm2) ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "learn: the operator has the norm %g", norm.value);
}

static pri_status make_room(pri_ctx *ctx, pri_lower *l) {
  l->workers = pri_par_workers(ctx);
  l->ntheta = l->prior->learnable->ntheta(l->rpriv), l->cache = l->prior->learnable->cache(l->rpriv);
  l->op_scratch = l->op->scratch ? l->op->scratch(l->opriv) : 0, l->prior_scratch = l->prior->scratch ? l->prior->scratch(l->rpriv) : 0;
  PRI_ALLOC(ctx, l->aty, l->m * l->n);
  PRI_ALLOC(ctx, l->vector, l->workers * PRI_LOWER_VECTORS * l->n);
  PRI_ALLOC(ctx, l->data, l->workers * l->range);
  PRI_ALLOC(ctx, l->caches, l->workers * (ptrdiff_t)l->cache);
  PRI_ALLOC(ctx, l->scratch, l->workers * (ptrdiff_t)(aligned(l->op_scratch) + aligned(l->prior_scratch)) + 64);
  PRI_ALLOC(ctx, l->zs, l->m * (ptrdiff_t)l->ntheta);
  PRI_ALLOC(ctx, l->omegas, l->m);
  PRI_ALLOC(ctx, l->work, 3 * l->m);
  return PRI_OK;
}

pri_status pri_lower_create(pri_ctx *ctx, pri_lower **out, const pri_lower_problem *p) {
  pri_lower *l = *out = pri_calloc(ctx, 1, sizeof *l);
  if (!l) return pri_ctx_code(ctx);
  l->ctx = ctx, l->p = *p;
  pri_status s = take_problem(ctx, l, p);
  if (s == PRI_OK) s = make_room(ctx, l);
  const pri_desk k = s == PRI_OK ? pri_lower_desk(l, 0) : (pri_desk){0};
  for (ptrdiff_t i = 0; i < l->m && s == PRI_OK; i++) s = l->op->adjoint(ctx, l->opriv, l->aty + i * l->n, p->y->data + i * l->range, 1, k.op_scratch);
  if (s != PRI_OK) pri_lower_destroy(out);
  return s;
}

void pri_lower_destroy(pri_lower **l) {
  if (!l || !*l) return;
  pri_lower *p = *l;
  void *const all[] = {p->aty, p->vector, p->data, p->caches, p->scratch, p->zs, p->omegas, p->work};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(p->ctx, all[i]);
  pri_free(p->ctx, p);
  *l = NULL;
}

ptrdiff_t pri_lower_samples(const pri_lower *l) { return l->m; }
ptrdiff_t pri_lower_size(const pri_lower *l) { return l->n; }
size_t pri_lower_ntheta(const pri_lower *l) { return l->ntheta; }
double pri_lower_mu(const pri_lower *l) { return l->mu; }

pri_work pri_lower_work(const pri_lower *l) {
  pri_work w = {0, 0, 0};
  for (ptrdiff_t i = 0; i < l->m; i++) w.gradients += l->work[3 * i], w.products += l->work[3 * i + 1], w.mixed += l->work[3 * i + 2];
  return w;
}

void pri_lower_set_work(pri_lower *l, pri_work w) {
  memset(l->work, 0, 3 * (size_t)l->m * sizeof *l->work);
  l->work[0] = w.gradients, l->work[1] = w.products, l->work[2] = w.mixed;
}
