/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * huber-tv - R(x) = weight sum_i h(|(D x)_i|_2), h(t) = t^2 / (2 delta) for t <= delta, t - delta / 2 beyond: total variation without its
 * staircases. D: src/stencil.h. Saddle: K = D, F*(q) = delta / (2 weight) |q|^2 over |q_i| <= weight (Chambolle, Pock 2011, 6.2.2).
 */
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "tv_term.h"
#include "vec.h"

struct huber_tv {
  double weight, delta;
  pri_shape dom;
  pri_stencil s;
};

static tv_term term(const void *priv) {
  const struct huber_tv *v = priv;
  return (tv_term){.s = v->s, .weight = v->weight, .delta = v->delta};
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct huber_tv *v = priv;
  v->dom = *dom;
  return pri_stencil_init(ctx, "huber-tv", &v->s, meta, dom);
}

static size_t scratch(const void *priv) { /* prox, or the fields of grad */
  const tv_term t = term(priv);
  return pri_tv_prox_scratch(&t);
}

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  (void)priv;
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = 1;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct huber_tv *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "huber-tv: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct huber_tv *)priv)->weight; }

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const tv_term t = term(priv);
  (void)scratch_;
  pri_tv_value(ctx, &t, per_item, x, items);
  return PRI_OK;
}

struct slope {
  const tv_term *t;
  pri_real *q;
};

static pri_status slope_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* q_i = weight q_i / max(|q_i|, delta) */
  const struct slope *s = arg;
  const ptrdiff_t n = s->t->s.n;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    double sq = 0;
    for (int a = 0; a < s->t->s.nd; a++) sq += (double)s->q[a * n + i] * (double)s->q[a * n + i];
    const double c = s->t->weight / fmax(sqrt(sq), s->t->delta);
    for (int a = 0; a < s->t->s.nd; a++) s->q[a * n + i] = (pri_real)(c * (double)s->q[a * n + i]);
  }
  return PRI_OK;
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const tv_term t = term(priv);
  struct slope s = {&t, scratch_};
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_stencil_forward(ctx, &t.s, s.q, x + i * t.s.n, 1);
    PRI_TRY(pri_par_for(ctx, t.s.n, 1 << 13, slope_some, &s));
    pri_fill(ctx, g + i * t.s.n, 0, t.s.n);
    pri_stencil_adjoint(ctx, &t.s, g + i * t.s.n, s.q, 1);
  }
  return PRI_OK;
}

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi,
                       const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch_) {
  const tv_term t = term(priv);
  (void)w;
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "huber-tv: prox with tau=%g; give a number > 0", req->tau);
  for (ptrdiff_t i = 0; i < items; i++)
    pri_tv_prox(ctx, &t, p + i * t.s.n, z + i * t.s.n, lo ? lo[i] : -INFINITY, hi ? hi[i] : INFINITY, req, per_item ? per_item + i : NULL,
                q ? q + i * t.s.nd * t.s.n : NULL, scratch_);
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) { /* weight / delta |D|^2 */
  const struct huber_tv *v = priv;
  return (pri_bound){v->weight / v->delta * pri_stencil_norm2(&v->s), PRI_PROVEN};
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct huber_tv *v = priv;
  const tv_term t = term(priv);
  pri_tv_shapes(&t, &v->dom, aux, dual, norm_k);
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct huber_tv *v = priv;
  (void)w;
  pri_stencil_forward(ctx, &v->s, q, x, items);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct huber_tv *v = priv;
  (void)w;
  pri_stencil_adjoint(ctx, &v->s, x, q, items);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct huber_tv *v = priv;
  (void)w;
  pri_stencil_adjoint_wide(ctx, &v->s, x, q, items);
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  const tv_term t = term(priv);
  pri_tv_dual_prox(ctx, &t, q, sigma, each, items);
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const tv_term t = term(priv);
  pri_tv_conjugate(ctx, &t, per_item, q, items);
  return PRI_OK;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const tv_term t = term(priv);
  pri_tv_value_fields(ctx, &t, per_item, kxw, items);
  return PRI_OK;
}

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  const tv_term t = term(priv);
  pri_tv_repair(ctx, &t, q, items);
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the sum; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data)", .type = PRI_REAL, .flags = PRI_P_REQUIRED | PRI_P_WEIGHT,
     .offset = offsetof(struct huber_tv, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "delta", .unit = "1", .help = "differences up to it are penalised by their squares, in the unit of the image", .type = PRI_REAL,
     .offset = offsetof(struct huber_tv, delta), .min = 1e-30, .max = 1e30, .def = 0.01},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5,delta=0.2", NULL};
static const pri_variational variational = {.value = value, .grad = grad, .prox = prox, .lipschitz = lipschitz, .convexity = convexity};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair};
const pri_prior_class pri_prior_huber_tv = {
    .kind = {"huber-tv", "Huber total variation: quadratic below delta, total variation beyond", "Chambolle, Pock 2011", sizeof(struct huber_tv),
             params, examples},
    .init = init, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle};
