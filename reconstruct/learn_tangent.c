/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_tangent.c - how the solutions of few parameters move with them: w_ij = d x_i / d theta_j (spec maid 3, the forward side of the implicit function theorem).
 *
 *   H_i w_ij = -J_i e_j by conjugate gradients;   x_i(theta + t) ~ x_i + sum_j t_j w_ij;   G_jk = (1/m) sum_i <w_ij, w_ik>
 * G is the Gauss-Newton matrix of f for g = 1/2 |x - p|^2: a metric before any step was taken. Nothing proved rests on either: a warm start may be any point,
 * a metric any positive matrix, so that a coarse w will do.
 */
#include <math.h>
#include <string.h>
#include "learn_private.h"
#include "par.h"
#include "vec.h"

enum { CG_MOST = 500 };

struct tangents {
  struct pri_lower *l;
  const pri_real *x;
  double accuracy;
  pri_real *w;
};

/* w towards H w = -b; b is overwritten by the residual */
static pri_status solve(const struct tangents *t, const pri_desk *k, pri_real *w, pri_real *b, ptrdiff_t i) {
  const struct pri_lower *l = t->l;
  const ptrdiff_t n = l->level.n;
  pri_real *d = k->v[1], *hd = k->v[2];
  const double goal = t->accuracy * sqrt(pri_norm2sq(l->ctx, b, n));
  PRI_TRY(l->level.c->product(l->ctx, l->level.priv, k->level, i, hd, w));
  l->work[3 * i + 1]++;
  pri_axpby(l->ctx, b, -1, hd, -1, n); /* -b - H w */
  pri_copy(l->ctx, d, b, n);
  double rr = pri_norm2sq(l->ctx, b, n);
  for (int j = 0; j < CG_MOST && sqrt(rr) > goal; j++) {
    PRI_TRY(l->level.c->product(l->ctx, l->level.priv, k->level, i, hd, d));
    l->work[3 * i + 1]++;
    const double a = rr / pri_dot(l->ctx, d, hd, n), was = rr;
    if (!(a > 0) || !isfinite(a)) break;
    pri_axpy(l->ctx, w, a, d, n);
    pri_axpy(l->ctx, b, -a, hd, n);
    rr = pri_norm2sq(l->ctx, b, n);
    pri_axpby(l->ctx, d, 1, b, rr / was, n);
  }
  return PRI_OK;
}

static pri_status some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct tangents *t = arg;
  const struct pri_lower *l = t->l;
  const pri_desk k = pri_lower_desk(l, worker);
  const ptrdiff_t n = l->level.n, p = (ptrdiff_t)l->level.ntheta;
  for (ptrdiff_t i = first; i < last; i++) {
    PRI_TRY(l->level.c->prepare(l->ctx, l->level.priv, k.level, i, t->x + i * n));
    for (ptrdiff_t j = 0; j < p; j++) {
      double unit[PRI_LOWER_FEW] = {0};
      unit[j] = 1;
      PRI_TRY(l->level.c->mixed(l->ctx, l->level.priv, k.level, i, k.v[0], unit));
      l->work[3 * i + 2]++;
      PRI_TRY(solve(t, &k, t->w + (i * p + j) * n, k.v[0], i));
    }
  }
  return PRI_OK;
}

pri_status pri_lower_tangents(pri_lower *l, const pri_real *x, double accuracy, pri_real *w, double *gram) {
  struct tangents t = {l, x, accuracy, w};
  const ptrdiff_t n = l->level.n, p = (ptrdiff_t)l->level.ntheta;
  PRI_TRY(pri_par_for(l->ctx, l->level.m, 1, some, &t));
  for (ptrdiff_t j = 0; j < p; j++)
    for (ptrdiff_t k = 0; k <= j; k++) {
      double sum = 0;
      for (ptrdiff_t i = 0; i < l->level.m; i++) sum += pri_dot(l->ctx, w + (i * p + j) * n, w + (i * p + k) * n, n) / (double)l->level.m;
      gram[j * p + k] = gram[k * p + j] = sum;
    }
  return PRI_OK;
}

void pri_lower_predict(const pri_lower *l, pri_real *x, const pri_real *w, const double *from, const double *to) {
  const ptrdiff_t n = l->level.n, p = (ptrdiff_t)l->level.ntheta;
  for (ptrdiff_t i = 0; i < l->level.m; i++)
    for (ptrdiff_t j = 0; j < p; j++) pri_axpy(l->ctx, x + i * n, to[j] - from[j], w + (i * p + j) * n, n);
}
