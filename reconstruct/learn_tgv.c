/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_tgv.c - smoothed total generalised variation as something to learn: X = (x, v), v: [nd][n] the fields that follow the gradient,
 *
 *   R(X) = a1 sum_i rho(|(D x - v)_i|) + a0 sum_i rho(|(E v)_i|_F) + bend/2 |v|^2,  rho(t) = root(t^2 + nu^2) - nu,  theta = (log a1, log a0, log nu)
 *
 * With q = K X = (D x - v, E v) in groups of one pixel, s = root(|q|^2 + nu^2), u = q / s:
 *   grad R = K'(a u) + bend v,   H V = K'( a / s (K V - u <u, K V>) ) + bend V_v,   d grad / d log a_g = K_g'(a_g u_g),  d log nu: K'( -a nu^2 u / s^2 )
 * Constants, proven: |K|^2 <= d2 + 1/2 + root(d2 + 1/4), the largest eigenvalue of ((d2, d), (d, 1 + d2)), d2 >= |D|^2, |E|^2;
 *   L = |K|^2 a / nu, a the larger weight;  L_H = |K|^2 0.8587 / nu^2 max_g a_g row_g, row_g >= the norm of the rows of a pixel;
 *   L_J = |K|^2 / nu root(a1^2 + a0^2 + a^2);  mu = bend on the fields, 0 on the image. |J| is taken from its three columns.
 * Prior tgv is the limit nu -> 0, bend -> 0: weight = a1, ratio = a0 / a1. Source: spec maid 9.1, 11.3; Bredies, Kunisch, Pock 2010.
 */
#include <math.h>
#include <stdint.h>
#include "learn_tgv.h"
#include "par.h"
#include "vec.h"

static const double THIRD = 0.85865010335992; /* 48 / (25 root(5)), rounded up: |rho'''| nu^2 */

static int parts(const pri_learn_tgv *v) { return v->s.nd + pri_sym_parts(&v->s); }

static size_t ntheta(const void *priv) {
  (void)priv;
  return PRI_LEARN_TGV_THETA;
}

static void get_theta(const void *priv, double *theta) {
  const pri_learn_tgv *v = priv;
  theta[0] = log(v->a[0]), theta[1] = log(v->a[1]), theta[2] = log(v->nu);
}

/* weight, ratio and smoothing, as the keys of prior tgv */
static void stored(const void *priv, double *theta) {
  get_theta(priv, theta);
  theta[1] -= theta[0];
}

static pri_status set_theta(pri_ctx *ctx, void *priv, const double *theta) {
  pri_learn_tgv *v = priv;
  for (int i = 0; i < PRI_LEARN_TGV_THETA; i++)
    if (!(fabs(theta[i]) <= 27)) return PRI_FAIL(ctx, PRI_EPARAM, "learn: parameter %d of tgv, log %g, is outside [-27, 27]", i + 1, theta[i]);
  v->a[0] = exp(theta[0]), v->a[1] = exp(theta[1]), v->nu = exp(theta[2]);
  return PRI_OK;
}

/* Squared norm of the rows of K that make a pixel: D_i D_i' = diag(r^2) + r r', and the -1 of v; E: |E_i|_F^2 */
static double row2(const pri_learn_tgv *v, int group) {
  const double r2[3] = {1, v->s.ry * v->s.ry, v->s.rz * v->s.rz};
  double most = 0, sum = 0;
  for (int a = 0; a < v->s.nd; a++) most = fmax(most, r2[a]), sum += r2[a];
  return group ? 2 * sum + (v->s.nd - 1) * sum : most + sum + 1;
}

static pri_status constants(const void *priv, pri_bound *mu, pri_bound *lip, pri_bound *lip_hess, pri_bound *lip_mixed, pri_bound *norm_mixed) {
  const pri_learn_tgv *v = priv;
  const double d2 = pri_stencil_norm2(&v->s), K2 = d2 + 0.5 + sqrt(d2 + 0.25), a = fmax(v->a[0], v->a[1]);
  *mu = (pri_bound){v->bend, PRI_PROVEN};
  *lip = (pri_bound){K2 * a / v->nu + v->bend, PRI_PROVEN};
  *lip_hess = (pri_bound){K2 * THIRD / (v->nu * v->nu) * fmax(v->a[0] * sqrt(row2(v, 0)), v->a[1] * sqrt(row2(v, 1))), PRI_PROVEN};
  *lip_mixed = (pri_bound){K2 / v->nu * sqrt(v->a[0] * v->a[0] + v->a[1] * v->a[1] + a * a), PRI_PROVEN};
  *norm_mixed = (pri_bound){INFINITY, PRI_PROVEN};
  return PRI_OK;
}

static size_t cache(const void *priv) { /* u, and 1 / s of both groups */
  const pri_learn_tgv *v = priv;
  return (size_t)((parts(v) + 2) * v->s.n);
}

size_t pri_learn_tgv_scratch(const pri_learn_tgv *v) { return (size_t)((parts(v) + 1 + v->s.nd) * v->s.n) * sizeof(pri_real); }

/* q = K X */
static void forward(pri_ctx *ctx, const pri_learn_tgv *v, pri_real *q, const pri_real *X) {
  pri_stencil_forward(ctx, &v->s, q, X, 1);
  pri_sym_add(ctx, &v->s, q, -1, X + v->s.n);
  pri_sym_forward(ctx, &v->s, q + v->s.nd * v->s.n, X + v->s.n, 1);
}

/* X = K'q */
static void adjoint(pri_ctx *ctx, const pri_learn_tgv *v, pri_real *X, const pri_real *q) {
  pri_fill(ctx, X, 0, v->s.n);
  pri_stencil_adjoint(ctx, &v->s, X, q, 1);
  pri_sym_adjoint(ctx, &v->s, X + v->s.n, q + v->s.nd * v->s.n, 1, q, -1);
}

/* One group of fields q [members][n]: q <- scale(i) q with the squared norm at hand. */
struct group { pri_real *q, *c; const pri_real *u; ptrdiff_t n; int members; double nu, a, b; };

static struct group group_of(const pri_learn_tgv *v, int g, pri_real *fields) {
  return (struct group){.q = fields + (g ? v->s.nd * v->s.n : 0), .n = v->s.n, .members = g ? pri_sym_parts(&v->s) : v->s.nd, .nu = v->nu};
}

/* q <- u = q / s, c <- 1 / s */
static pri_status normalise(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct group *g = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    double s2 = g->nu * g->nu;
    for (int k = 0; k < g->members; k++) s2 += (double)g->q[k * g->n + i] * (double)g->q[k * g->n + i];
    const double c = 1 / sqrt(s2);
    for (int k = 0; k < g->members; k++) g->q[k * g->n + i] = (pri_real)(c * (double)g->q[k * g->n + i]);
    g->c[i] = (pri_real)c;
  }
  return PRI_OK;
}

/* q <- a c (q - u <u, q>) */
static pri_status curve(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct group *g = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double f = g->a * (double)g->c[i];
    double along = 0;
    for (int k = 0; k < g->members; k++) along += (double)g->u[k * g->n + i] * (double)g->q[k * g->n + i];
    for (int k = 0; k < g->members; k++) g->q[k * g->n + i] = (pri_real)(f * ((double)g->q[k * g->n + i] - along * (double)g->u[k * g->n + i]));
  }
  return PRI_OK;
}

/* q <- (a - b nu^2 c^2) u */
static pri_status weigh(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct group *g = arg;
  (void)worker;
  for (int k = 0; k < g->members; k++)
    for (ptrdiff_t i = first; i < last; i++) {
      const double c = g->b != 0 ? g->nu * (double)g->c[i] : 0;
      g->q[k * g->n + i] = (pri_real)((g->a - g->b * c * c) * (double)g->u[k * g->n + i]);
    }
  return PRI_OK;
}

static pri_status each_pixel(pri_ctx *ctx, pri_par_fn fn, struct group *g) { return pri_par_for(ctx, g->n, 1 << 13, fn, g); }

static pri_status prepare(pri_ctx *ctx, const void *priv, const pri_real *X, pri_real *kept, ptrdiff_t items) {
  const pri_learn_tgv *v = priv;
  (void)items;
  forward(ctx, v, kept, X);
  for (int g = 0; g < 2; g++) {
    struct group j = group_of(v, g, kept);
    j.c = kept + (parts(v) + g) * v->s.n;
    PRI_TRY(each_pixel(ctx, normalise, &j));
  }
  return PRI_OK;
}

/* fields = (a_g (1 - b_g nu^2 / s^2)) u of both groups */
static pri_status weighted(pri_ctx *ctx, const pri_learn_tgv *v, pri_real *fields, const pri_real *kept, const double *a, const double *b) {
  for (int g = 0; g < 2; g++) {
    struct group j = group_of(v, g, fields);
    j.u = kept + (j.q - fields), j.c = (pri_real *)(uintptr_t)(kept + (parts(v) + g) * v->s.n), j.a = a[g], j.b = b[g];
    PRI_TRY(each_pixel(ctx, weigh, &j));
  }
  return PRI_OK;
}

pri_status pri_learn_tgv_grad(pri_ctx *ctx, const pri_learn_tgv *v, pri_real *g, const pri_real *X, pri_real *kept, void *scratch) {
  static const double none[2] = {0, 0};
  PRI_TRY(prepare(ctx, v, X, kept, 1));
  PRI_TRY(weighted(ctx, v, scratch, kept, v->a, none));
  adjoint(ctx, v, g, scratch);
  pri_axpy(ctx, g + v->s.n, v->bend, X + v->s.n, v->s.nd * v->s.n);
  return PRI_OK;
}

static double rho_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* sum of root(|q_i|^2 + nu^2) - nu = |q|^2 / (root + nu) */
  const struct group *g = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    double q2 = 0;
    for (int k = 0; k < g->members; k++) q2 += (double)g->q[k * g->n + i] * (double)g->q[k * g->n + i];
    sum += q2 / (sqrt(q2 + g->nu * g->nu) + g->nu);
  }
  return sum;
}

pri_status pri_learn_tgv_value(pri_ctx *ctx, const pri_learn_tgv *v, double *R, const pri_real *X, pri_real *kept) {
  forward(ctx, v, kept, X);
  *R = v->bend / 2 * pri_norm2sq(ctx, X + v->s.n, v->s.nd * v->s.n);
  for (int g = 0; g < 2; g++) {
    const struct group j = group_of(v, g, kept);
    *R += v->a[g] * pri_sum(ctx, j.n, rho_block, &j);
  }
  return PRI_OK;
}

static pri_status hessvec(pri_ctx *ctx, const void *priv, pri_real *hv, const pri_real *V, const pri_real *kept, ptrdiff_t items, void *scratch) {
  const pri_learn_tgv *v = priv;
  pri_real *fields = scratch;
  (void)items;
  forward(ctx, v, fields, V);
  for (int g = 0; g < 2; g++) {
    struct group j = group_of(v, g, fields);
    j.u = kept + (j.q - fields), j.c = (pri_real *)(uintptr_t)(kept + (parts(v) + g) * v->s.n), j.a = v->a[g];
    PRI_TRY(each_pixel(ctx, curve, &j));
  }
  adjoint(ctx, v, hv, fields);
  pri_axpy(ctx, hv + v->s.n, v->bend, V + v->s.n, v->s.nd * v->s.n);
  return PRI_OK;
}

static pri_status mixed(pri_ctx *ctx, const void *priv, pri_real *out, const double *d, const pri_real *kept, ptrdiff_t items, void *scratch) {
  const pri_learn_tgv *v = priv;
  const double a[2] = {d[0] * v->a[0], d[1] * v->a[1]}, b[2] = {d[2] * v->a[0], d[2] * v->a[1]};
  (void)items;
  PRI_TRY(weighted(ctx, v, scratch, kept, a, b));
  adjoint(ctx, v, out, scratch);
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, double *out, const pri_real *V, const pri_real *kept, ptrdiff_t items, void *scratch) {
  const pri_learn_tgv *v = priv;
  pri_real *column = (pri_real *)scratch + parts(v) * v->s.n;
  for (int t = 0; t < PRI_LEARN_TGV_THETA; t++) {
    double d[PRI_LEARN_TGV_THETA] = {0};
    d[t] = 1;
    PRI_TRY(mixed(ctx, v, column, d, kept, items, scratch));
    out[t] = pri_dot(ctx, column, V, (1 + v->s.nd) * v->s.n);
  }
  return PRI_OK;
}

const pri_learnable pri_learn_tgv_face = {.ntheta = ntheta, .get_theta = get_theta, .stored = stored, .set_theta = set_theta, .constants = constants, .cache = cache,
                                          .prepare = prepare, .hessvec = hessvec, .mixed = mixed, .mixed_t = mixed_t};
