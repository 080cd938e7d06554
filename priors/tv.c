/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv - isotropic total variation: R(x) = weight sum_i m_i |(D x)_i|_2, D: forward differences, zero past the last row and column
 * (src/stencil.h), m: one factor a pixel from `map`, 1 without (spatially weighted TV, spec 2.4).
 * Saddle: K = D, F* = indicator of |q_i| <= weight m_i (Chambolle, Pock 2011, section 6.2).
 */
#include "tv_term.h"
#include <math.h>
#include <stddef.h>
#include "weight_file.h"

struct tv {
  double weight;
  char *file;
  pri_shape dom;
  pri_array map;
  tv_term t;
};

static tv_term term(const void *priv) {
  const struct tv *v = priv;
  tv_term t = v->t;
  t.weight = v->weight;
  return t;
}

static pri_status load_map(pri_ctx *ctx, struct tv *v) {
  char got[64], want[64];
  PRI_TRY(pri_weight_file_load(ctx, "tv", "map", v->file, &v->map));
  if (v->map.items * pri_shape_size(&v->map.shape) != v->t.s.n)
    return PRI_FAIL(ctx, PRI_ESHAPE, "tv: map=%s has the shape %s; give one value for each of %s pixels", v->file,
                    pri_shape_text(&v->map.shape, got, sizeof got), pri_shape_text(&v->dom, want, sizeof want));
  v->t.map = v->map.data;
  if (isnan(v->weight)) v->weight = 1; /* weight=FILE */
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct tv *v = priv;
  v->dom = *dom;
  PRI_TRY(pri_stencil_init(ctx, "tv", &v->t.s, meta, dom));
  return v->file ? load_map(ctx, v) : PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct tv *v = priv;
  (void)ctx;
  pri_array_destroy(&v->map);
}

static size_t scratch(const void *priv) {
  const tv_term t = term(priv);
  return pri_tv_prox_scratch(&t);
}

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  (void)priv;
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = 1;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct tv *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "tv: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) {
  const struct tv *v = priv;
  return v->t.map ? NAN : v->weight;
}

static pri_status constant_weight(pri_ctx *ctx, const void *priv, const pri_real *g, double *per_item, ptrdiff_t items, void *scratch_) {
  const tv_term t = term(priv);
  (void)scratch_;
  for (ptrdiff_t i = 0; i < items; i++) PRI_TRY(pri_tv_constant_weight(ctx, &t, g + i * t.s.n, per_item + i));
  return PRI_OK;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const tv_term t = term(priv);
  (void)scratch_;
  pri_tv_value(ctx, &t, per_item, x, items);
  return PRI_OK;
}

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi,
                       const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch_) {
  const tv_term t = term(priv);
  (void)w;
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "tv: prox with tau=%g; give a number > 0", req->tau);
  for (ptrdiff_t i = 0; i < items; i++)
    pri_tv_prox(ctx, &t, p + i * t.s.n, z + i * t.s.n, lo ? lo[i] : -INFINITY, hi ? hi[i] : INFINITY, req, per_item ? per_item + i : NULL,
                q ? q + i * t.s.nd * t.s.n : NULL, scratch_);
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) {
  (void)priv;
  return (pri_bound){NAN, PRI_UNKNOWN}; /* not smooth */
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct tv *v = priv;
  pri_tv_shapes(&v->t, &v->dom, aux, dual, norm_k);
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct tv *v = priv;
  (void)w;
  pri_stencil_forward(ctx, &v->t.s, q, x, items);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct tv *v = priv;
  (void)w;
  pri_stencil_adjoint(ctx, &v->t.s, x, q, items);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct tv *v = priv;
  (void)w;
  pri_stencil_adjoint_wide(ctx, &v->t.s, x, q, items);
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
    {.name = "weight", .unit = "1", .help = "factor of the total variation; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data), rel:V (share of the smallest weight that makes the image constant), a file with one factor a pixel", .type = PRI_REAL, .flags = PRI_P_REQUIRED | PRI_P_WEIGHT,
     .offset = offsetof(struct tv, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "map", .unit = "1", .help = "file with one factor a pixel; weight=FILE stands for weight=1,map=FILE", .type = PRI_FILE,
     .offset = offsetof(struct tv, file)},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5", NULL};
static const pri_variational variational = {.value = value, .prox = prox, .lipschitz = lipschitz, .convexity = convexity};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair};
const pri_prior_class pri_prior_tv = {
    .kind = {"tv", "isotropic total variation: weight times the sum of norm2 of the forward differences",
             "Rudin, Osher, Fatemi 1992; prox: Beck, Teboulle 2009", sizeof(struct tv), params, examples},
    .init = init, .fini = fini, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight,
    .constant_weight = constant_weight, .variational = &variational, .saddle = &saddle};
