/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_hyper.c - the gradient of f by the implicit function theorem, and how far it may be off (spec maid 3).
 *
 *   H q = g, g = x - truth, H = A'A + floor + d2R/dx2;   z = -J'q, J = d grad R / d theta
 *   omega = (|J| / mu)(r + L_g e + L_H |q| e) + L_J |q| e + (L_J e / mu)(r + L_g e + L_H |q| e)                              (bound B)
 * with the residual r = |H q - g| that was achieved, L_g = 1, and |J| <= the Frobenius norm of its columns where they are few.
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

static pri_status product(const struct hyper *h, const pri_desk *k, pri_real *hv, const pri_real *v, pri_real *t, ptrdiff_t i) {
  const struct pri_lower *l = h->l;
  PRI_TRY(pri_lower_normal(l, k, hv, v));
  PRI_TRY(l->prior->learnable->hessvec(l->ctx, l->rpriv, t, v, k->cache, 1, k->prior_scratch));
  pri_axpy(l->ctx, hv, 1, t, l->n);
  l->work[3 * i + 1]++;
  return PRI_OK;
}

/* q towards H q = g; *residual: what is left */
static pri_status conjugate_gradients(const struct hyper *h, const pri_desk *k, pri_real *q, const pri_real *g, ptrdiff_t i, double *residual) {
  const struct pri_lower *l = h->l;
  pri_real *r = k->v[1], *d = k->v[2], *hd = k->v[3], *t = k->v[4];
  const double size = sqrt(pri_norm2sq(l->ctx, g, l->n)), goal = fmin(h->delta * sqrt((double)l->n), 0.1 * size);
  if (size == 0) pri_fill(l->ctx, q, 0, l->n); /* then z = 0 is exact */
  PRI_TRY(product(h, k, hd, q, t, i));
  pri_sub(l->ctx, r, g, hd, l->n);
  pri_copy(l->ctx, d, r, l->n);
  double rr = pri_norm2sq(l->ctx, r, l->n);
  for (int j = 0; j < CG_MOST && sqrt(rr) > goal; j++) {
    PRI_TRY(product(h, k, hd, d, t, i));
    const double a = rr / pri_dot(l->ctx, d, hd, l->n), was = rr;
    if (!isfinite(a)) break;
    pri_axpy(l->ctx, q, a, d, l->n);
    pri_axpy(l->ctx, r, -a, hd, l->n);
    rr = pri_norm2sq(l->ctx, r, l->n);
    pri_axpby(l->ctx, d, 1, r, rr / was, l->n);
  }
  *residual = sqrt(rr);
  return PRI_OK;
}

static pri_status norm_of_mixed(const struct hyper *h, const pri_desk *k, ptrdiff_t i, double *norm) {
  const struct pri_lower *l = h->l;
  double d[PRI_LOWER_FEW] = {0}, sum = 0;
  *norm = l->mixed_norm;
  if (l->ntheta > PRI_LOWER_FEW) return PRI_OK;
  for (size_t j = 0; j < l->ntheta; j++) {
    memset(d, 0, sizeof d), d[j] = 1;
    PRI_TRY(l->prior->learnable->mixed(l->ctx, l->rpriv, k->v[4], d, k->cache, 1, k->prior_scratch));
    sum += pri_norm2sq(l->ctx, k->v[4], l->n);
    l->work[3 * i + 2]++;
  }
  *norm = fmin(*norm, sqrt(sum));
  return PRI_OK;
}

static double bound(const struct pri_lower *l, double J, double r, double e, double q) {
  const double inner = r + e + l->hess_lip * q * e;
  return J / l->mu * inner + l->mixed_lip * q * e + l->mixed_lip * e / l->mu * inner;
}

static pri_status hyper_one(const struct hyper *h, const pri_desk *k, ptrdiff_t i) {
  const struct pri_lower *l = h->l;
  const pri_real *x = h->x + i * l->n;
  pri_real *g = k->v[0], *q = h->q + i * l->n;
  double r, J, *z = l->zs + i * (ptrdiff_t)l->ntheta;
  PRI_TRY(l->prior->learnable->prepare(l->ctx, l->rpriv, x, k->cache, 1));
  pri_sub(l->ctx, g, x, l->p.truth->data + i * l->n, l->n);
  PRI_TRY(conjugate_gradients(h, k, q, g, i, &r));
  PRI_TRY(l->prior->learnable->mixed_t(l->ctx, l->rpriv, z, q, k->cache, 1, k->prior_scratch));
  l->work[3 * i + 2]++;
  l->omegas[i] = NAN;
  if (!h->bound) return PRI_OK;
  PRI_TRY(norm_of_mixed(h, k, i, &J));
  l->omegas[i] = bound(l, J, r, h->e[i], sqrt(pri_norm2sq(l->ctx, q, l->n)));
  return PRI_OK;
}

static pri_status hyper_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct hyper *h = arg;
  const pri_desk k = pri_lower_desk(h->l, worker);
  for (ptrdiff_t i = first; i < last; i++) PRI_TRY(hyper_one(h, &k, i));
  return PRI_OK;
}

pri_status pri_lower_hypergradient(pri_lower *l, const pri_real *x, const double *e, double delta, pri_real *q, double *z, double *omega) {
  struct hyper h = {l, x, q, e, delta, omega != NULL};
  if (omega && !l->proven) return PRI_FAIL(l->ctx, PRI_ENOTSUP, "learn: %s does not prove the constants that a certified gradient needs", l->prior->kind.name);
  PRI_TRY(pri_par_for(l->ctx, l->m, 1, hyper_some, &h));
  memset(z, 0, l->ntheta * sizeof *z);
  double sum = 0;
  for (ptrdiff_t i = 0; i < l->m; i++) {
    for (size_t j = 0; j < l->ntheta; j++) z[j] -= l->zs[i * (ptrdiff_t)l->ntheta + (ptrdiff_t)j] / (double)l->m;
    sum += l->omegas[i] / (double)l->m; /* triangle inequality */
  }
  if (omega) *omega = sum;
  return PRI_OK;
}
