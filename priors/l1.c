/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * l1.c - sparsity of the pixels themselves: R(x) = weight sum_i |x_i| (few bright points or wires on a dark ground).
 * Saddle: K = I, F* = indicator of |q_i| <= weight. prox: soft threshold, then the box (exact: both act on each pixel alone).
 * Source: Daubechies, Defrise, De Mol 2004.
 */
#include "priori/prior.h"
#include <math.h>
#include "vec.h"

struct l1 {
  double weight;
  pri_shape dom;
};

static ptrdiff_t size(const void *priv) { return pri_shape_size(&((const struct l1 *)priv)->dom); }

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  (void)ctx, (void)meta;
  ((struct l1 *)priv)->dom = *dom;
  return PRI_OK;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "l1: the weight cannot be multiplied by %g; give a number >= 0", factor);
  ((struct l1 *)priv)->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct l1 *)priv)->weight; }

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  (void)priv;
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = 0;
}

static double abs_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const pri_real *x = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += fabs((double)x[i]);
  return sum;
}

static pri_status sum_of(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items) {
  const ptrdiff_t n = size(priv);
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = weight(priv) * pri_sum(ctx, n, abs_block, x + i * n);
  return PRI_OK;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch) {
  (void)scratch;
  return sum_of(ctx, priv, per_item, x, items);
}

static double clamp(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi, const pri_prox_req *req,
                       pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch) {
  const ptrdiff_t n = size(priv);
  const double l = weight(priv);
  (void)w, (void)scratch;
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "l1: prox with tau=%g; give a number > 0", req->tau);
  for (ptrdiff_t i = 0; i < items; i++) {
    const double a = lo ? lo[i] : -INFINITY, b = hi ? hi[i] : INFINITY;
    for (ptrdiff_t j = i * n; j < (i + 1) * n; j++) {
      const double v = (double)z[j], pull = clamp(v / req->tau, -l, l); /* q = P_[-l,l](z / tau), p = P_box(z - tau q) */
      p[j] = (pri_real)clamp(v - req->tau * pull, a, b);
      if (q) q[j] = (pri_real)pull;
    }
    if (per_item) per_item[i] = (pri_prox_cert){{0, PRI_EXACT}, 0};
  }
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
  *aux = (pri_shape){0};
  *dual = ((const struct l1 *)priv)->dom;
  *norm_k = (pri_bound){1, PRI_EXACT};
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  (void)w;
  pri_copy(ctx, q, x, size(priv) * items);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  (void)w;
  pri_axpy(ctx, x, 1, q, size(priv) * items);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  (void)ctx, (void)w;
  for (ptrdiff_t j = 0; j < size(priv) * items; j++) x[j] += (double)q[j];
  return PRI_OK;
}

/* P_[-weight, weight], by the largest pri_real that is not above the weight: F* is finite in exact arithmetic */
static pri_status project(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  pri_real l = (pri_real)weight(priv);
  if ((double)l > weight(priv)) l = sizeof l == 4 ? (pri_real)nextafterf((float)l, 0) : (pri_real)nextafter((double)l, 0);
  pri_clip(ctx, q, -(double)l, (double)l, size(priv) * items);
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  (void)sigma, (void)each; /* an indicator's prox is the projection, whatever the step */
  return project(ctx, priv, q, items);
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const ptrdiff_t n = size(priv);
  (void)ctx;
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i] = 0;
    for (ptrdiff_t j = i * n; j < (i + 1) * n; j++)
      if (!(fabs((double)q[j]) <= weight(priv))) per_item[i] = INFINITY;
  }
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the sum; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data)", .type = PRI_REAL,
     .flags = PRI_P_REQUIRED | PRI_P_WEIGHT, .offset = offsetof(struct l1, weight), .min = 0, .max = 1e30, .def = 1},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5", NULL};
static const pri_variational variational = {.value = value, .prox = prox, .lipschitz = lipschitz, .convexity = convexity};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = sum_of, .repair = project};
const pri_prior_class pri_prior_l1 = {
    .kind = {"l1", "sparsity: weight times the sum of the absolute values of the pixels", "Daubechies, Defrise, De Mol 2004", sizeof(struct l1),
             params, examples},
    .init = init, .halo = halo, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle};
