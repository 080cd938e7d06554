/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tikhonov - R(x) = weight / 2 |L x|^2, L = identity or D (forward differences, src/stencil.h).
 *   grad = weight L'L x;  saddle: K = L, F*(q) = |q|^2 / (2 weight)
 *   prox of the identity: P_box(z / (1 + tau weight)); of D: FGP on the dual (tv_prox.c), as a box leaves no closed form
 * With weight > 0 the identity is strongly convex: its certificate needs no box.
 */
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "tv_term.h"
#include "vec.h"

enum { IDENTITY, GRADIENT };
struct tikhonov {
  double weight;
  int of;
  ptrdiff_t n;
  pri_shape dom;
  pri_stencil s; /* GRADIENT */
};

static tv_term term(const void *priv) {
  const struct tikhonov *v = priv;
  return (tv_term){.s = v->s, .weight = v->weight, .delta = INFINITY};
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct tikhonov *v = priv;
  v->dom = *dom, v->n = pri_shape_size(dom);
  return v->of == GRADIENT ? pri_stencil_init(ctx, "tikhonov", &v->s, meta, dom) : PRI_OK;
}

static size_t own_scratch(const struct tikhonov *v) { /* of prox and grad, in whole cache lines */
  const tv_term t = term(v);
  return v->of == GRADIENT ? (pri_tv_prox_scratch(&t) + 63) / 64 * 64 : 0;
}

static size_t scratch(const void *priv) { /* and the image that mixed_t takes */
  const struct tikhonov *v = priv;
  return own_scratch(v) + (size_t)v->n * sizeof(pri_real);
}

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = ((const struct tikhonov *)priv)->of == GRADIENT;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct tikhonov *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "tikhonov: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct tikhonov *)priv)->weight; }

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const struct tikhonov *v = priv;
  const tv_term t = term(priv);
  (void)scratch_;
  if (v->of == GRADIENT) pri_tv_value(ctx, &t, per_item, x, items);
  else
    for (ptrdiff_t i = 0; i < items; i++) per_item[i] = v->weight / 2 * pri_norm2sq(ctx, x + i * v->n, v->n);
  return PRI_OK;
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const struct tikhonov *v = priv;
  pri_real *q = scratch_;
  if (v->of == IDENTITY) {
    pri_copy(ctx, g, x, items * v->n);
    pri_scale(ctx, g, v->weight, items * v->n);
    return PRI_OK;
  }
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_stencil_forward(ctx, &v->s, q, x + i * v->n, 1);
    pri_scale(ctx, q, v->weight, v->s.nd * v->n);
    pri_fill(ctx, g + i * v->n, 0, v->n);
    pri_stencil_adjoint(ctx, &v->s, g + i * v->n, q, 1);
  }
  return PRI_OK;
}

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi,
                       const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch_) {
  const struct tikhonov *v = priv;
  const tv_term t = term(priv);
  (void)w;
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "tikhonov: prox with tau=%g; give a number > 0", req->tau);
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_real *pi = p + i * v->n;
    const double a = lo ? lo[i] : -INFINITY, b = hi ? hi[i] : INFINITY;
    if (v->of == GRADIENT) {
      pri_tv_prox(ctx, &t, pi, z + i * v->n, a, b, req, per_item ? per_item + i : NULL, q ? q + i * t.s.nd * v->n : NULL, scratch_);
      continue;
    }
    pri_copy(ctx, pi, z + i * v->n, v->n);
    pri_scale(ctx, pi, 1 / (1 + req->tau * v->weight), v->n);
    pri_clip(ctx, pi, a, b, v->n);
    if (q) {
      pri_copy(ctx, q + i * v->n, pi, v->n);
      pri_scale(ctx, q + i * v->n, v->weight, v->n);
    }
    if (per_item) per_item[i] = (pri_prox_cert){{0, PRI_EXACT}, 0};
  }
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) {
  const struct tikhonov *v = priv;
  return v->of == IDENTITY ? (pri_bound){v->weight, PRI_EXACT} : (pri_bound){v->weight * pri_stencil_norm2(&v->s), PRI_PROVEN};
}

static pri_bound convexity(const void *priv) { /* D has the constants as its null space */
  const struct tikhonov *v = priv;
  return (pri_bound){v->of == IDENTITY ? v->weight : 0, PRI_EXACT};
}

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct tikhonov *v = priv;
  const tv_term t = term(priv);
  if (v->of == GRADIENT) pri_tv_shapes(&t, &v->dom, aux, dual, norm_k);
  else *aux = (pri_shape){0}, *dual = v->dom, *norm_k = (pri_bound){1, PRI_EXACT};
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct tikhonov *v = priv;
  (void)w;
  if (v->of == GRADIENT) pri_stencil_forward(ctx, &v->s, q, x, items);
  else pri_copy(ctx, q, x, items * v->n);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct tikhonov *v = priv;
  (void)w;
  if (v->of == GRADIENT) pri_stencil_adjoint(ctx, &v->s, x, q, items);
  else pri_axpy(ctx, x, 1, q, items * v->n);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct tikhonov *v = priv;
  (void)w;
  if (v->of == GRADIENT) pri_stencil_adjoint_wide(ctx, &v->s, x, q, items);
  else
    for (ptrdiff_t i = 0; i < items * v->n; i++) x[i] += (double)q[i];
  return PRI_OK;
}

/* q / (1 + sigma / weight) = weight q / (weight + sigma) */
static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  const struct tikhonov *v = priv;
  const ptrdiff_t n = v->of == GRADIENT ? v->s.nd * v->n : v->n;
  if (!each) pri_scale(ctx, q, v->weight > 0 ? v->weight / (v->weight + sigma) : 0, items * n);
  else
    for (ptrdiff_t i = 0; i < items * n; i++)
      q[i] = v->weight > 0 ? (pri_real)((double)q[i] * v->weight / (v->weight + sigma * (double)each[i % n])) : 0;
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const struct tikhonov *v = priv;
  const ptrdiff_t n = v->of == GRADIENT ? v->s.nd * v->n : v->n;
  for (ptrdiff_t i = 0; i < items; i++) {
    const double square = pri_norm2sq(ctx, q + i * n, n);
    per_item[i] = square == 0 ? 0 : v->weight > 0 ? square / (2 * v->weight) : INFINITY;
  }
  return PRI_OK;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const struct tikhonov *v = priv;
  const ptrdiff_t n = v->of == GRADIENT ? v->s.nd * v->n : v->n;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = v->weight / 2 * pri_norm2sq(ctx, kxw + i * n, n);
  return PRI_OK;
}

/* ---- theta = log weight: H v = grad R(v), d grad R / d theta = grad R(x); the cache is x */

static size_t ntheta(const void *priv) {
  (void)priv;
  return 1;
}

static void get_theta(const void *priv, double *theta) { *theta = log(weight(priv)); }

static pri_status set_theta(pri_ctx *ctx, void *priv, const double *theta) {
  struct tikhonov *v = priv;
  if (!(fabs(*theta) <= 27)) return PRI_FAIL(ctx, PRI_EPARAM, "tikhonov: log weight=%g is outside [-27, 27]", *theta);
  v->weight = exp(*theta);
  return PRI_OK;
}

static pri_status constants(const void *priv, pri_bound *mu, pri_bound *lip, pri_bound *lip_hess, pri_bound *lip_mixed, pri_bound *norm_mixed) {
  *mu = convexity(priv), *lip = *lip_mixed = lipschitz(priv), *lip_hess = (pri_bound){0, PRI_EXACT};
  *norm_mixed = (pri_bound){INFINITY, PRI_PROVEN}; /* it grows with the image */
  return PRI_OK;
}

static size_t cache(const void *priv) { return (size_t)((const struct tikhonov *)priv)->n; }

static pri_status prepare(pri_ctx *ctx, const void *priv, const pri_real *x, pri_real *cache_, ptrdiff_t items) {
  pri_copy(ctx, cache_, x, items * ((const struct tikhonov *)priv)->n);
  return PRI_OK;
}

static pri_status hessvec(pri_ctx *ctx, const void *priv, pri_real *hv, const pri_real *x, const pri_real *cache_, ptrdiff_t items, void *scratch_) {
  (void)cache_;
  return grad(ctx, priv, hv, x, items, scratch_);
}

static pri_status mixed(pri_ctx *ctx, const void *priv, pri_real *out, const double *dtheta, const pri_real *cache_, ptrdiff_t items, void *scratch_) {
  PRI_TRY(grad(ctx, priv, out, cache_, items, scratch_));
  pri_scale(ctx, out, *dtheta, items * ((const struct tikhonov *)priv)->n);
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, double *out, const pri_real *x, const pri_real *cache_, ptrdiff_t items, void *scratch_) {
  const struct tikhonov *v = priv;
  pri_real *column = (pri_real *)(void *)((char *)scratch_ + own_scratch(v));
  for (ptrdiff_t i = 0; i < items; i++) {
    PRI_TRY(grad(ctx, priv, column, cache_ + i * v->n, 1, scratch_));
    out[i] = pri_dot(ctx, column, x + i * v->n, v->n);
  }
  return PRI_OK;
}

static const char *const kinds[] = {"identity", "gradient", NULL};
static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of half the squared norm; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data)", .type = PRI_REAL, .flags = PRI_P_REQUIRED | PRI_P_WEIGHT,
     .offset = offsetof(struct tikhonov, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "of", .unit = "-", .help = "what is squared: the pixels, or their forward differences", .type = PRI_CHOICE,
     .offset = offsetof(struct tikhonov, of), .choices = kinds},
    {0}};
static const char *const examples[] = {"weight=0.1", "2,of=gradient", "0.3,of=identity", NULL};
static const pri_variational variational = {.value = value, .grad = grad, .prox = prox, .quadratic = 1, .lipschitz = lipschitz, .convexity = convexity};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields};
static const pri_learnable learnable = {.ntheta = ntheta, .get_theta = get_theta, .set_theta = set_theta, .constants = constants, .cache = cache,
                                        .prepare = prepare, .hessvec = hessvec, .mixed = mixed, .mixed_t = mixed_t};
const pri_prior_class pri_prior_tikhonov = {
    .kind = {"tikhonov", "half the squared norm of the image, or of its differences", "Tikhonov 1963", sizeof(struct tikhonov), params, examples},
    .init = init, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle, .learnable = &learnable};
