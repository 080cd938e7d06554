/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smooth_tv_learn.c - learnable face of smooth-tv: theta = (log weight, log nu). w = weight, q = D x, s = root(|q|^2 + nu^2), u = q / s of a group:
 *
 *   H v                     = D'( w / s (D v - u <u, D v>) )
 *   d grad R / d log weight = D'( w u ),            d grad R / d log nu = D'( -w nu^2 u / s^2 )          (spec maid 3)
 * cache: u (nd fields) and 1 / s (as many; anisotropic: its own for each difference).
 * Constants, all proven: L = w |D|^2 / nu;  L_H = w |D|^2 d 0.8587 / nu^2, d = largest norm of the rows of D that make a group: D_i D_i' =
 * diag(r^2) + r r' has no eigenvalue above max r^2 + sum r^2;  L_J = root(2) w |D|^2 / nu: both columns are Lipschitz with w |D|^2 / nu;
 * |J| <= w |D| root(groups (1 + 4/27)): |u| <= 1, and nu^2 |u| / s^2 <= 2 / (3 root(3)).
 * The third derivative of rho(|q|) in any direction stays below that of the scalar: 3 t (S - t^2) / S^(5/2) with S = s^2, t <= |q|, is largest at
 * |q| = t = nu / 2.
 */
#include <math.h>
#include "par.h"
#include "smooth_abs.h"
#include "smooth_tv.h"
#include "vec.h"

static size_t ntheta(const void *priv) {
  (void)priv;
  return 2;
}

static void get_theta(const void *priv, double *theta) {
  const smooth_tv *v = priv;
  theta[0] = log(pri_smooth_tv_factor(v)), theta[1] = log(v->smoothing);
}

static pri_status set_theta(pri_ctx *ctx, void *priv, const double *theta) {
  smooth_tv *v = priv;
  for (int i = 0; i < 2; i++)
    if (!(fabs(theta[i]) <= 27)) return PRI_FAIL(ctx, PRI_EPARAM, "smooth-tv: log %s=%g is outside [-27, 27]", i ? "smoothing" : "weight", theta[i]);
  v->weight = exp(theta[0]) / v->learned, v->smoothing = exp(theta[1]);
  return PRI_OK;
}

static pri_status constants(const void *priv, pri_bound *mu, pri_bound *lip, pri_bound *lip_hess, pri_bound *lip_mixed, pri_bound *norm_mixed) {
  const smooth_tv *v = priv;
  const double D2 = pri_stencil_norm2(&v->s), w = pri_smooth_tv_factor(v), nu = v->smoothing, r2[3] = {1, v->s.ry * v->s.ry, v->s.rz * v->s.rz};
  double most = 0, sum = 0;
  for (int a = 0; a < v->s.nd; a++) most = fmax(most, r2[a]), sum += r2[a];
  const double row = v->form ? sqrt(2 * most) : sqrt(most + sum), groups = (double)(v->s.n * pri_smooth_tv_groups(v));
  *mu = (pri_bound){0, PRI_EXACT};
  *lip = (pri_bound){w * D2 / nu, PRI_PROVEN};
  *lip_hess = (pri_bound){w * D2 * row * PRI_SMOOTH_THIRD / (nu * nu), PRI_PROVEN};
  *lip_mixed = (pri_bound){sqrt(2) * w * D2 / nu, PRI_PROVEN};
  *norm_mixed = (pri_bound){w * sqrt(D2 * groups * (1 + 4.0 / 27)), PRI_PROVEN};
  return PRI_OK;
}

static size_t cache(const void *priv) {
  const smooth_tv *v = priv;
  return 2 * (size_t)(v->s.nd * v->s.n);
}

struct job {
  const smooth_tv *v;
  pri_real *q, *t;       /* cache: u, 1 / s;   products: fields in place */
  const pri_real *u, *c;
  double a, b;
};

static pri_status prepare_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const ptrdiff_t n = j->v->s.n;
  const int members = pri_smooth_tv_members(j->v);
  (void)worker;
  for (int g = 0; g < pri_smooth_tv_groups(j->v); g++)
    for (ptrdiff_t i = first; i < last; i++) {
      double s2 = j->v->smoothing * j->v->smoothing;
      for (int a = g; a < g + members; a++) s2 += (double)j->q[a * n + i] * (double)j->q[a * n + i];
      const double c = 1 / sqrt(s2);
      for (int a = g; a < g + members; a++) j->q[a * n + i] = (pri_real)(c * (double)j->q[a * n + i]), j->t[a * n + i] = (pri_real)c;
    }
  return PRI_OK;
}

static pri_status prepare(pri_ctx *ctx, const void *priv, const pri_real *x, pri_real *cache_, ptrdiff_t items) {
  const smooth_tv *v = priv;
  const ptrdiff_t half = v->s.nd * v->s.n;
  for (ptrdiff_t i = 0; i < items; i++, cache_ += 2 * half) {
    struct job j = {.v = v, .q = cache_, .t = cache_ + half};
    pri_stencil_forward(ctx, &v->s, cache_, x + i * v->s.n, 1);
    PRI_TRY(pri_par_for(ctx, v->s.n, 1 << 13, prepare_some, &j));
  }
  return PRI_OK;
}

/* q = w c (q - u <u, q>) in groups of one and two fields, for vector code; three: the loop below */
static void hess_1(pri_real *restrict q, const pri_real *restrict u, const pri_real *restrict c, double w, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) q[i] = (pri_real)(w * (double)c[i] * ((double)q[i] - (double)u[i] * (double)q[i] * (double)u[i]));
}

static void hess_2(pri_real *restrict q, pri_real *restrict r, const pri_real *restrict u, const pri_real *restrict v, const pri_real *restrict c, double w, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const double along = (double)u[i] * (double)q[i] + (double)v[i] * (double)r[i], s = w * (double)c[i];
    q[i] = (pri_real)(s * ((double)q[i] - along * (double)u[i])), r[i] = (pri_real)(s * ((double)r[i] - along * (double)v[i]));
  }
}

static void hess_3(const struct job *j, double w, ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t n = j->v->s.n;
  for (ptrdiff_t i = first; i < last; i++) {
    const double c = w * (double)j->c[i];
    double along = 0;
    for (int a = 0; a < 3; a++) along += (double)j->u[a * n + i] * (double)j->q[a * n + i];
    for (int a = 0; a < 3; a++) j->q[a * n + i] = (pri_real)(c * ((double)j->q[a * n + i] - along * (double)j->u[a * n + i]));
  }
}

static pri_status hess_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const ptrdiff_t field = j->v->s.n, n = last - first;
  const double w = pri_smooth_tv_factor(j->v);
  const int members = pri_smooth_tv_members(j->v);
  (void)worker;
  if (members == 3) return hess_3(j, w, first, last), PRI_OK;
  for (int g = 0; g < pri_smooth_tv_groups(j->v); g++) {
    const ptrdiff_t at = g * field + first;
    if (members == 1) hess_1(j->q + at, j->u + at, j->c + at, w, n);
    else hess_2(j->q + at, j->q + at + field, j->u + at, j->u + at + field, j->c + at, w, n);
  }
  return PRI_OK;
}

static pri_status hessvec(pri_ctx *ctx, const void *priv, pri_real *hv, const pri_real *x, const pri_real *cache_, ptrdiff_t items, void *scratch) {
  const smooth_tv *v = priv;
  const ptrdiff_t half = v->s.nd * v->s.n;
  pri_fill(ctx, hv, 0, v->s.n * items);
  for (ptrdiff_t i = 0; i < items; i++, cache_ += 2 * half) {
    struct job j = {.v = v, .q = scratch, .u = cache_, .c = cache_ + half};
    pri_stencil_forward(ctx, &v->s, j.q, x + i * v->s.n, 1);
    PRI_TRY(pri_par_for(ctx, v->s.n, 1 << 13, hess_some, &j));
    pri_stencil_adjoint(ctx, &v->s, hv + i * v->s.n, j.q, 1);
  }
  return PRI_OK;
}

/* t = (a - b nu^2 / s^2) w u: the fields of a d/d log weight + b d/d log nu */
static pri_status mixed_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const double nu2 = j->v->smoothing * j->v->smoothing, w = pri_smooth_tv_factor(j->v);
  (void)worker;
  for (int a = 0; a < j->v->s.nd; a++)
    for (ptrdiff_t i = first; i < last; i++) {
      const ptrdiff_t k = a * j->v->s.n + i;
      const double c = (double)j->c[k];
      j->t[k] = (pri_real)(w * (j->a - j->b * nu2 * c * c) * (double)j->u[k]);
    }
  return PRI_OK;
}

static pri_status mixed(pri_ctx *ctx, const void *priv, pri_real *out, const double *dtheta, const pri_real *cache_, ptrdiff_t items, void *scratch) {
  const smooth_tv *v = priv;
  const ptrdiff_t half = v->s.nd * v->s.n;
  pri_fill(ctx, out, 0, v->s.n * items);
  for (ptrdiff_t i = 0; i < items; i++, cache_ += 2 * half) {
    struct job j = {.v = v, .t = scratch, .u = cache_, .c = cache_ + half, .a = dtheta[0], .b = dtheta[1]};
    PRI_TRY(pri_par_for(ctx, v->s.n, 1 << 13, mixed_some, &j));
    pri_stencil_adjoint(ctx, &v->s, out + i * v->s.n, j.t, 1);
  }
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, double *out, const pri_real *x, const pri_real *cache_, ptrdiff_t items, void *scratch) {
  const smooth_tv *v = priv;
  const ptrdiff_t half = v->s.nd * v->s.n;
  for (ptrdiff_t i = 0; i < items; i++, cache_ += 2 * half)
    for (int t = 0; t < 2; t++) {
      struct job j = {.v = v, .t = scratch, .u = cache_, .c = cache_ + half, .a = t == 0, .b = t == 1};
      PRI_TRY(pri_par_for(ctx, v->s.n, 1 << 13, mixed_some, &j));
      pri_real *column = (pri_real *)scratch + half;
      pri_fill(ctx, column, 0, v->s.n);
      pri_stencil_adjoint(ctx, &v->s, column, j.t, 1);
      out[2 * i + t] = pri_dot(ctx, column, x + i * v->s.n, v->s.n);
    }
  return PRI_OK;
}

const pri_learnable pri_smooth_tv_learnable = {.ntheta = ntheta, .get_theta = get_theta, .set_theta = set_theta, .constants = constants, .cache = cache,
                                               .prepare = prepare, .hessvec = hessvec, .mixed = mixed, .mixed_t = mixed_t};
