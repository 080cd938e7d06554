/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_secant.c - an estimate of how far the gradient of f may be off, where constants are not proven or too large to be of use (spec maid 3).
 *
 * Bound B of learn_hyper.c with, for x' = x - e u, u = grad h / |grad h|, which is as far from x as the solution may be,
 *   L_H |q| e <- |H(x') q - H(x) q|      L_J |q| e <- |J(x')'q - J(x)'q|      |J| <- the larger of |J'q| / |q| and |J'u|
 * times 2. Not a bound: the secants are along one direction.
 */
#include <math.h>
#include "learn_private.h"
#include "par.h"
#include "vec.h"

static const double SAFETY = 2;

struct secant {
  struct pri_lower *l;
  const pri_real *x;
  const double *e;
  const pri_real *q;
};

static double size(const double *a, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * a[i];
  return sqrt(s);
}

/* v[0]: x'; v[1]: u */
static pri_status points(const struct secant *s, const pri_desk *k, ptrdiff_t i) {
  const struct pri_lower *l = s->l;
  const ptrdiff_t n = l->level.n;
  const pri_real *x = s->x + i * n;
  PRI_TRY(l->level.c->gradient(l->ctx, l->level.priv, k->level, i, k->v[1], x));
  const double norm = sqrt(pri_norm2sq(l->ctx, k->v[1], n));
  if (norm > 0) pri_scale(l->ctx, k->v[1], 1 / norm, n);
  pri_copy(l->ctx, k->v[0], x, n);
  pri_axpy(l->ctx, k->v[0], -s->e[i], k->v[1], n);
  l->work[3 * i]++;
  return PRI_OK;
}

/* What q does at the point that is prepared: H q, J'q */
static pri_status act(const struct secant *s, const pri_desk *k, ptrdiff_t i, pri_real *hq, double *z, const pri_real *q) {
  const struct pri_lower *l = s->l;
  PRI_TRY(l->level.c->product(l->ctx, l->level.priv, k->level, i, hq, q));
  l->work[3 * i + 1]++, l->work[3 * i + 2]++;
  return l->level.c->mixed_t(l->ctx, l->level.priv, k->level, i, z, q);
}

static pri_status estimate_one(const struct secant *s, const pri_desk *k, double *spare, ptrdiff_t i) {
  const struct pri_lower *l = s->l;
  const ptrdiff_t n = l->level.n;
  const size_t p = l->level.ntheta;
  const pri_real *q = s->q + i * n;
  double *z = l->zs + i * (ptrdiff_t)p, value, turn = 0;
  PRI_TRY(points(s, k, i));
  PRI_TRY(l->level.c->prepare(l->ctx, l->level.priv, k->level, i, s->x + i * n));
  PRI_TRY(act(s, k, i, k->v[2], z, k->v[1])); /* J'u */
  const double along = size(z, p), norm_q = sqrt(pri_norm2sq(l->ctx, q, n)), e = s->e[i];
  PRI_TRY(act(s, k, i, k->v[2], z, q));
  PRI_TRY(l->level.c->prepare(l->ctx, l->level.priv, k->level, i, k->v[0]));
  PRI_TRY(act(s, k, i, k->v[3], spare, q));
  for (size_t j = 0; j < p; j++) turn += (spare[j] - z[j]) * (spare[j] - z[j]);
  pri_axpy(l->ctx, k->v[3], -1, k->v[2], n);
  PRI_TRY(l->upper.c->value(l->ctx, l->upper.priv, k->upper, i, s->x + i * n, &value, k->v[1]));
  pri_axpy(l->ctx, k->v[2], -1, k->v[1], n);
  const double J = norm_q > 0 ? fmax(along, size(z, p) / norm_q) : along;
  const double inner = sqrt(pri_norm2sq(l->ctx, k->v[2], n)) + l->upper.lip * e + sqrt(pri_norm2sq(l->ctx, k->v[3], n));
  const double slope = norm_q > 0 && e > 0 ? sqrt(turn) / (norm_q * e) : 0; /* L_J */
  l->omegas[i] = SAFETY * (J / l->at.mu * inner + sqrt(turn) + slope * e / l->at.mu * inner);
  return PRI_OK;
}

static pri_status estimate_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct secant *s = arg;
  const pri_desk k = pri_lower_desk(s->l, worker);
  for (ptrdiff_t i = first; i < last; i++) PRI_TRY(estimate_one(s, &k, s->l->spare + (size_t)worker * s->l->level.ntheta, i));
  return PRI_OK;
}

pri_status pri_lower_estimate(pri_lower *l, const pri_real *x, const double *e, const pri_real *q, double *omega) {
  struct secant s = {l, x, e, q};
  PRI_TRY(pri_par_for(l->ctx, l->level.m, 1, estimate_some, &s));
  *omega = 0;
  for (ptrdiff_t i = 0; i < l->level.m; i++) *omega += l->omegas[i] / (double)l->level.m;
  return PRI_OK;
}
