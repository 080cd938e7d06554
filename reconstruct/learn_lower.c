/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_lower.c - the lower level: FISTA for strongly convex h (Chambolle, Pock 2016, alg. 5; spec maid 2), and what is known of f from it.
 *
 *   tau = 1/L, q = tau mu, t_0 = 0;  t+ = (1 - q t^2 + root((1 - q t^2)^2 + 4 t^2)) / 2,  beta = (t - 1)(1 - q t+) / (t+ (1 - q))
 *   z = x + beta (x - x_old),  x+ = z - tau grad h(z);  stop where |grad h(z)| / mu <= eps: the step towards x+ does not lead away
 *   |x - x^| <= e = |grad h| / mu
 *   g(x) - |grad g| e - lip e^2 / 2 [not where g is convex] <= g(x^) <= g(x) + |grad g| e + lip e^2 / 2;
 *   g = d^2 / 2, d = |x - p|:  1/2 max(0, d - e)^2 <= g(x^) <= 1/2 (d + e)^2                                               (spec 2, 4)
 * Where mu is only an estimate (potentials that are not convex) momentum is dropped when it leads uphill (O'Donoghue, Candes 2015).
 * Rounding: where e has not improved for 100 + 20 root(L/mu) steps (the rate promises a factor of e^-10 by then) it will not.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "learn_private.h"
#include "par.h"
#include "vec.h"

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

pri_desk pri_lower_desk(const struct pri_lower *l, int worker) {
  char *desk = l->desks + (size_t)worker * (l->level_desk + l->upper_desk);
  pri_desk k = {.level = desk, .upper = desk + l->level_desk};
  for (int v = 0; v < PRI_LOWER_VECTORS; v++) k.v[v] = l->vector + (worker * PRI_LOWER_VECTORS + v) * l->level.n;
  return k;
}

struct solving {
  struct pri_lower *l;
  pri_real *x;
  double eps, *e;
  long most;
};

/* x+ = z - tau g; 1 where the momentum led uphill: <g, x+ - old> > 0 */
static int descend(const struct solving *s, pri_real *x, const pri_real *old, const pri_real *z, const pri_real *g) {
  const struct pri_lower *l = s->l;
  pri_copy(l->ctx, x, z, l->level.n);
  pri_axpy(l->ctx, x, -1 / l->at.L, g, l->level.n);
  return !l->at.mu_proven && pri_dot(l->ctx, g, x, l->level.n) > pri_dot(l->ctx, g, old, l->level.n);
}

static pri_status solve_one(const struct solving *s, const pri_desk *k, ptrdiff_t i) {
  const struct pri_lower *l = s->l;
  const ptrdiff_t n = l->level.n;
  const double q = l->at.mu / l->at.L, goal = s->eps * sqrt((double)n), patience = 100 + 20 / sqrt(q);
  pri_real *x = s->x + i * n, *old = k->v[0], *z = k->v[1], *g = k->v[2];
  double t = 0, e = INFINITY, best = INFINITY;
  long best_at = 0;
  pri_copy(l->ctx, old, x, n);
  for (long j = 0; j < s->most && (double)(j - best_at) < patience; j++) {
    const double qt = 1 - q * t * t, next = (qt + sqrt(qt * qt + 4 * t * t)) / 2, beta = q < 1 ? (t - 1) * (1 - q * next) / (next * (1 - q)) : 0;
    pri_copy(l->ctx, z, x, n);
    pri_axpby(l->ctx, z, -beta, old, 1 + beta, n); /* x + beta (x - old) */
    PRI_TRY(l->level.c->gradient(l->ctx, l->level.priv, k->level, i, g, z));
    l->work[3 * i]++;
    e = sqrt(pri_norm2sq(l->ctx, g, n)) / l->at.mu; /* (C1) */
    if (!isfinite(e)) break;
    if (e < best) best = e, best_at = j;
    pri_copy(l->ctx, old, x, n);
    const int uphill = descend(s, x, old, z, g);
    if (e <= goal) break;
    if (uphill) pri_copy(l->ctx, old, x, n);
    t = uphill ? 0 : next;
  }
  if (l->at.L_estimated) pri_copy(l->ctx, x, z, n); /* whether the last step led nearer is not proved */
  s->e[i] = isfinite(e) ? e : INFINITY;
  return PRI_OK;
}

static pri_status solve_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct solving *s = arg;
  const pri_desk k = pri_lower_desk(s->l, worker);
  for (ptrdiff_t i = first; i < last; i++) PRI_TRY(solve_one(s, &k, pri_lower_at(s->l, i)));
  return PRI_OK;
}

pri_status pri_lower_solve(pri_lower *l, pri_real *x, double eps, long most, double *e) {
  struct solving s = {l, x, eps, e, most};
  return pri_par_for(l->ctx, l->picks, 1, solve_some, &s);
}

/* ---- the interval of f */

struct judging {
  const struct pri_lower *l;
  const pri_real *x;
  const double *e;
};

static void between(const pri_upper *u, double g, double slope, double e, double *f) {
  const double d = sqrt(2 * g), near = fmax(0, d - e);
  f[2] = slope * e + u->lip * e * e / 2;
  f[0] = u->c->half_square ? near * near / 2 : g - slope * e - (u->convex ? 0 : u->lip * e * e / 2);
  f[1] = u->c->half_square ? (d + e) * (d + e) / 2 : g + f[2];
}

static pri_status judge_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct judging *j = arg;
  const struct pri_lower *l = j->l;
  const pri_desk k = pri_lower_desk(l, worker);
  for (ptrdiff_t at = first; at < last; at++) {
    const ptrdiff_t i = pri_lower_at(l, at);
    double g;
    PRI_TRY(l->upper.c->value(l->ctx, l->upper.priv, k.upper, i, j->x + i * l->level.n, &g, k.v[0]));
    between(&l->upper, g, sqrt(pri_norm2sq(l->ctx, k.v[0], l->level.n)), j->e[i], l->fs + 3 * i);
  }
  return PRI_OK;
}

pri_interval pri_lower_interval(const pri_lower *l, const pri_real *x, const double *e) {
  struct judging j = {l, x, e};
  pri_interval f = {0, 0, 0};
  if (pri_par_for(l->ctx, l->picks, 1, judge_some, &j) != PRI_OK) return (pri_interval){INFINITY, INFINITY, INFINITY};
  for (ptrdiff_t k = 0; k < l->picks; k++) {
    const double *of = l->fs + 3 * pri_lower_at(l, k);
    f.low += of[0], f.high += of[1], f.half += of[2];
  }
  const double m = (double)l->picks;
  return isfinite(f.high) ? (pri_interval){f.low / m, f.high / m, f.half / m} : (pri_interval){INFINITY, INFINITY, INFINITY};
}

double pri_lower_start(pri_lower *l, pri_real *x) {
  const pri_desk k = pri_lower_desk(l, 0);
  const ptrdiff_t n = l->level.n;
  double sum = 0;
  for (ptrdiff_t i = 0; i < l->level.m; i++) {
    if (l->level.c->start(l->ctx, l->level.priv, k.level, i, x + i * n) != PRI_OK) return NAN;
    if (l->level.c->gradient(l->ctx, l->level.priv, k.level, i, k.v[2], x + i * n) != PRI_OK) return NAN;
    l->work[3 * i]++;
    sum += pri_norm2sq(l->ctx, k.v[2], n);
  }
  return sqrt(sum / ((double)l->level.m * (double)n)) / l->at.mu;
}

void pri_lower_pick(pri_lower *l, const ptrdiff_t *samples, ptrdiff_t count) {
  l->picked = samples, l->picks = samples ? count : l->level.m;
}

pri_status pri_lower_theta(pri_lower *l, const double *theta) {
  PRI_TRY(l->level.c->theta(l->ctx, l->level.priv, theta, &l->at));
  if (l->at.mu > 0 && l->at.L >= l->at.mu && isfinite(l->at.L)) return PRI_OK;
  return PRI_FAIL(l->ctx, PRI_EPARAM, "learn: the lower level is not known to be strongly convex (mu=%g, L=%g): give a floor > 0", l->at.mu, l->at.L);
}

/* ---- making one */

static pri_status make_room(pri_ctx *ctx, pri_lower *l) {
  l->workers = pri_par_workers(ctx);
  l->level_desk = aligned(l->level.c->desk(l->level.priv)), l->upper_desk = l->upper.c->desk ? aligned(l->upper.c->desk(l->upper.priv)) : 0;
  PRI_ALLOC(ctx, l->vector, l->workers * PRI_LOWER_VECTORS * l->level.n);
  PRI_ALLOC(ctx, l->desks, l->workers * (ptrdiff_t)(l->level_desk + l->upper_desk) + 64);
  PRI_ALLOC(ctx, l->zs, l->level.m * (ptrdiff_t)l->level.ntheta);
  PRI_ALLOC(ctx, l->omegas, l->level.m);
  PRI_ALLOC(ctx, l->fs, 3 * l->level.m);
  PRI_ALLOC(ctx, l->work, 3 * l->level.m);
  PRI_ALLOC(ctx, l->spare, l->workers * (ptrdiff_t)l->level.ntheta);
  return PRI_OK;
}

pri_status pri_lower_create(pri_ctx *ctx, pri_lower **out, const pri_lower_level *level, const pri_upper *upper) {
  pri_lower *l = *out = pri_calloc(ctx, 1, sizeof *l);
  if (!l) {
    level->c->fini(ctx, level->priv);
    upper->c->fini(ctx, upper->priv);
    return pri_ctx_code(ctx);
  }
  l->ctx = ctx, l->level = *level, l->upper = *upper, l->picks = level->m;
  const pri_status s = make_room(ctx, l);
  if (s != PRI_OK) pri_lower_destroy(out);
  return s;
}

void pri_lower_destroy(pri_lower **l) {
  if (!l || !*l) return;
  pri_lower *p = *l;
  p->level.c->fini(p->ctx, p->level.priv);
  p->upper.c->fini(p->ctx, p->upper.priv);
  void *const all[] = {p->vector, p->desks, p->zs, p->omegas, p->fs, p->work, p->spare};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(p->ctx, all[i]);
  pri_free(p->ctx, p);
  *l = NULL;
}

ptrdiff_t pri_lower_samples(const pri_lower *l) { return l->level.m; }
ptrdiff_t pri_lower_size(const pri_lower *l) { return l->level.n; }
size_t pri_lower_ntheta(const pri_lower *l) { return l->level.ntheta; }
double pri_lower_mu(const pri_lower *l) { return l->at.mu; }
int pri_lower_certified(const pri_lower *l) { return sizeof(pri_real) == sizeof(double) && l->at.mu_proven && l->upper.proven; } /* e in float is rounding */

int pri_lower_squared(const pri_lower *l) { return l->upper.c->half_square; }

pri_work pri_lower_work(const pri_lower *l) {
  pri_work w = {0, 0, 0};
  for (ptrdiff_t i = 0; i < l->level.m; i++) w.gradients += l->work[3 * i], w.products += l->work[3 * i + 1], w.mixed += l->work[3 * i + 2];
  return w;
}

void pri_lower_set_work(pri_lower *l, pri_work w) {
  memset(l->work, 0, 3 * (size_t)l->level.m * sizeof *l->work);
  l->work[0] = w.gradients, l->work[1] = w.products, l->work[2] = w.mixed;
}
