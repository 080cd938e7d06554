/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_hyper.c - the gradient of f by the implicit function theorem, and how far it may be off (spec maid 3).
 *
 *   H q = grad g;   z = -J'q
 *   omega = (|J| / mu)(r + L_g e + L_H |q| e) + L_J |q| e + (L_J e / mu)(r + L_g e + L_H |q| e)                              (bound B)
 * with the residual r = |H q - grad g| that was achieved (formed anew: that of the recursion drifts from it by rounding), and |J| <= the Frobenius
 * norm of its columns where they are few.
 */
#include <math.h>
#include <string.h>
#include "learn_private.h"
#include "par.h"
#include "vec.h"

enum { CG_MOST = 2000 };

struct hyper {
  struct pri_lower *l;
  const pri_real *x;
  pri_real *q;
  const double *e;
  double delta;
  int bound;
};

static pri_status product(const struct hyper *h, const pri_desk *k, pri_real *hv, const pri_real *v, ptrdiff_t i) {
  const struct pri_lower *l = h->l;
  l->work[3 * i + 1]++;
  return l->level.c->product(l->ctx, l->level.priv, k->level, i, hv, v);
}

/* q towards H q = g; *residual: what is left, where a bound is wanted */
static pri_status conjugate_gradients(const struct hyper *h, const pri_desk *k, pri_real *q, const pri_real *g, ptrdiff_t i, double *residual) {
  const struct pri_lower *l = h->l;
  pri_real *r = k->v[1], *d = k->v[2], *hd = k->v[3];
  const ptrdiff_t n = l->level.n;
  const double size = sqrt(pri_norm2sq(l->ctx, g, n)), goal = fmin(h->delta * sqrt((double)n), 0.1 * size);
  if (size == 0) pri_fill(l->ctx, q, 0, n); /* then z = 0 is exact */
  PRI_TRY(product(h, k, hd, q, i));
  pri_sub(l->ctx, r, g, hd, n);
  pri_copy(l->ctx, d, r, n);
  double rr = pri_norm2sq(l->ctx, r, n);
  for (int j = 0; j < CG_MOST && sqrt(rr) > goal; j++) {
    PRI_TRY(product(h, k, hd, d, i));
    const double a = rr / pri_dot(l->ctx, d, hd, n), was = rr;
    if (!(a > 0) || !isfinite(a)) break; /* curvature that is not positive: potentials that are not convex */
    pri_axpy(l->ctx, q, a, d, n);
    pri_axpy(l->ctx, r, -a, hd, n);
    rr = pri_norm2sq(l->ctx, r, n);
    pri_axpby(l->ctx, d, 1, r, rr / was, n);
  }
  if (!h->bound) return PRI_OK;
  PRI_TRY(product(h, k, hd, q, i));
  pri_axpy(l->ctx, hd, -1, g, n);
  *residual = sqrt(pri_norm2sq(l->ctx, hd, n));
  return PRI_OK;
}

static pri_status norm_of_mixed(const struct hyper *h, const pri_desk *k, ptrdiff_t i, double *norm) {
  const struct pri_lower *l = h->l;
  double d[PRI_LOWER_FEW] = {0}, sum = 0;
  *norm = l->at.mixed_norm;
  if (l->level.ntheta > PRI_LOWER_FEW) return PRI_OK;
  for (size_t j = 0; j < l->level.ntheta; j++) {
    memset(d, 0, sizeof d), d[j] = 1;
    PRI_TRY(l->level.c->mixed(l->ctx, l->level.priv, k->level, i, k->v[4], d));
    sum += pri_norm2sq(l->ctx, k->v[4], l->level.n);
    l->work[3 * i + 2]++;
  }
  *norm = fmin(*norm, sqrt(sum));
  return PRI_OK;
}

static double bound(const struct pri_lower *l, double J, double r, double e, double q) {
  const pri_lower_constants *c = &l->at;
  const double inner = r + l->upper.lip * e + c->hess_lip * q * e;
  return J / c->mu * inner + c->mixed_lip * q * e + c->mixed_lip * e / c->mu * inner;
}

static pri_status hyper_one(const struct hyper *h, const pri_desk *k, ptrdiff_t i) {
  const struct pri_lower *l = h->l;
  const pri_real *x = h->x + i * l->level.n;
  pri_real *g = k->v[0], *q = h->q + i * l->level.n;
  double value, r = NAN, J;
  PRI_TRY(l->level.c->prepare(l->ctx, l->level.priv, k->level, i, x));
  PRI_TRY(l->upper.c->value(l->ctx, l->upper.priv, k->upper, i, x, &value, g));
  PRI_TRY(conjugate_gradients(h, k, q, g, i, &r));
  PRI_TRY(l->level.c->mixed_t(l->ctx, l->level.priv, k->level, i, l->zs + i * (ptrdiff_t)l->level.ntheta, q));
  l->work[3 * i + 2]++;
  l->omegas[i] = NAN;
  if (!h->bound) return PRI_OK;
  PRI_TRY(norm_of_mixed(h, k, i, &J));
  l->omegas[i] = bound(l, J, r, h->e[i], sqrt(pri_norm2sq(l->ctx, q, l->level.n)));
  return PRI_OK;
}

static pri_status hyper_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct hyper *h = arg;
  const pri_desk k = pri_lower_desk(h->l, worker);
  for (ptrdiff_t i = first; i < last; i++) PRI_TRY(hyper_one(h, &k, pri_lower_at(h->l, i)));
  return PRI_OK;
}

pri_status pri_lower_hypergradient(pri_lower *l, const pri_real *x, const double *e, double delta, pri_real *q, double *z, double *omega) {
  struct hyper h = {l, x, q, e, delta, omega != NULL};
  if (omega && !(l->at.proven && l->upper.proven)) return PRI_FAIL(l->ctx, PRI_ENOTSUP, "learn: the constants that a certified gradient needs are not proven here");
  PRI_TRY(pri_par_for(l->ctx, l->picks, 1, hyper_some, &h));
  memset(z, 0, l->level.ntheta * sizeof *z);
  double sum = 0;
  for (ptrdiff_t k = 0; k < l->picks; k++) {
    const ptrdiff_t i = pri_lower_at(l, k);
    for (size_t j = 0; j < l->level.ntheta; j++) z[j] -= l->zs[i * (ptrdiff_t)l->level.ntheta + (ptrdiff_t)j] / (double)l->picks;
    sum += l->omegas[i] / (double)l->picks; /* triangle inequality */
  }
  if (omega) *omega = sum;
  return PRI_OK;
}
