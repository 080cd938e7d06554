/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wavelet - sparse details of an undecimated wavelet transform (src/wavelet.h), the coarse approximation left out:
 *
 *   R(x) = weight sum_b s_b sum_i |(W_b x)_i|,   s_b = gain of the band b (sd of white noise of sd 1 in it)
 *
 * For orthogonal filters and the periodic border this is the mean, over all shifts of the image, of weight times the l1 norm of its details in the
 * orthonormal wavelet basis (cycle spinning, Coifman and Donoho 1995): at level j of a plane a basis has 4^-j of the positions, with 2^j times our
 * coefficients, and s_b = 2^-j. So weight is in the unit of a threshold; 1.2 to 1.5 times
 * the noise sd was best for denoising (the levels add up). A volume is taken plane by plane.
 * Saddle: K = W without its approximation, |K|^2 <= that of the frame (1 for orthogonal filters with the periodic border), F* = 0 on
 * |q_b,i| <= weight s_b. prox: primal-dual steps (saddle_prox.c). Source: Elad, Milanfar, Rubinstein 2007 (analysis form).
 */
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "saddle_prox.h"
#include "vec.h"
#include "wavelet.h"

struct wavelet {
  double weight;
  char *family;
  long levels;
  int border;
  pri_wavelet w;
  pri_shape dom;
  pri_real *work; /* of k and kt: one thread of control at a time */
  double *wide;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct wavelet *v = priv;
  (void)meta;
  v->dom = *dom;
  PRI_TRY(pri_wavelet_init(ctx, "wavelet", &v->w, v->family, (int)v->levels, v->border, dom));
  PRI_ALLOC(ctx, v->work, pri_wavelet_scratch(&v->w));
  PRI_ALLOC(ctx, v->wide, pri_wavelet_scratch(&v->w));
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct wavelet *v = priv;
  pri_free(ctx, v->work);
  pri_free(ctx, v->wide);
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct wavelet *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "wavelet: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct wavelet *)priv)->weight; }
static ptrdiff_t dual_size(const struct wavelet *v) { return v->w.bands * v->w.n; }

/* ---- saddle */

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct wavelet *v = priv;
  *aux = (pri_shape){0};
  *dual = (pri_shape){v->dom.nd + 1, {v->w.bands}};
  for (int a = 0; a < v->dom.nd; a++) dual->n[a + 1] = v->dom.n[a];
  *norm_k = (pri_bound){sqrt(v->w.norm2), PRI_PROVEN};
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct wavelet *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) pri_wavelet_forward(ctx, &v->w, q + i * dual_size(v), NULL, x + i * v->w.n, v->work);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct wavelet *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) pri_wavelet_adjoint(ctx, &v->w, x + i * v->w.n, q + i * dual_size(v), NULL, v->work);
  return PRI_OK;
}

#ifdef PRI_DOUBLE
#define KT_WIDE kt
#else
#define KT_WIDE kt_wide
static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct wavelet *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) pri_wavelet_adjoint_wide(ctx, &v->w, x + i * v->w.n, q + i * dual_size(v), NULL, v->wide);
  return PRI_OK;
}
#endif

/* the largest pri_real that is not above the radius of the band: F* is finite in exact arithmetic */
static double radius(const struct wavelet *v, int band) {
  return (double)pri_real_below(v->weight * pri_wavelet_gain(&v->w, band));
}

static pri_status project(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  const struct wavelet *v = priv;
  for (int b = 0; b < v->w.bands; b++) {
    const double r = radius(v, b);
    for (ptrdiff_t i = 0; i < items; i++) pri_clip(ctx, q + i * dual_size(v) + b * v->w.n, -r, r, v->w.n);
  }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  (void)sigma, (void)each; /* an indicator's prox is the projection, whatever the step */
  return project(ctx, priv, q, items);
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const struct wavelet *v = priv;
  (void)ctx;
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i] = 0;
    for (int b = 0; b < v->w.bands; b++) {
      const double r = v->weight * pri_wavelet_gain(&v->w, b);
      for (ptrdiff_t j = 0; j < v->w.n; j++, q++)
        if (!(fabs((double)*q) <= r)) per_item[i] = INFINITY;
    }
  }
  return PRI_OK;
}

static double abs_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const pri_real *x = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += fabs((double)x[i]);
  return sum;
}

static pri_status value_bands(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const struct wavelet *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    double sum = 0;
    for (int b = 0; b < v->w.bands; b++, kxw += v->w.n) sum += pri_wavelet_gain(&v->w, b) * pri_sum(ctx, v->w.n, abs_block, kxw);
    per_item[i] = v->weight * sum;
  }
  return PRI_OK;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct wavelet *v = priv;
  double sums[3 * PRI_WAVELET_LEVELS];
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_wavelet_abs_wide(ctx, &v->w, sums, x + i * v->w.n, v->wide);
    per_item[i] = 0;
    for (int b = 0; b < v->w.bands; b++) per_item[i] += v->weight * pri_wavelet_gain(&v->w, b) * sums[b];
  }
  return PRI_OK;
}

static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = KT_WIDE, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_bands, .repair = project, .value_wide = value_wide};

/* ---- variational */

static size_t scratch(const void *priv) {
  const struct wavelet *v = priv;
  return pri_saddle_prox_scratch(&saddle, priv, v->w.n);
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  (void)scratch_;
  return value_wide(ctx, priv, per_item, x, NULL, items);
}

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi, const pri_prox_req *req,
                       pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch_) {
  const struct wavelet *v = priv;
  return pri_saddle_prox_items(ctx, &saddle, priv, v->w.n, p, z, lo, hi, req, per_item, q, w, items, scratch_);
}

static pri_bound lipschitz(const void *priv) {
  (void)priv;
  return (pri_bound){NAN, PRI_UNKNOWN}; /* not smooth */
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static const char *const borders[] = {"periodic", "symmetric", NULL};
static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "threshold of the details, in the unit of the image; or auto:METHOD (chosen from the noise level)", .type = PRI_REAL,
     .flags = PRI_P_REQUIRED | PRI_P_WEIGHT, .offset = offsetof(struct wavelet, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "family", .unit = "-", .help = "haar, db2 ... db10, or a spline: bior1.3 1.5 2.2 2.4 2.6 2.8 3.1 3.3 3.5 3.7 3.9", .type = PRI_TEXT, .offset = offsetof(struct wavelet, family),
     .def_text = "db2"},
    {.name = "levels", .unit = "1", .help = "scales: details of up to about 2^levels pixels", .type = PRI_INT, .offset = offsetof(struct wavelet, levels), .min = 1, .max = PRI_WAVELET_LEVELS, .def = 3},
    {.name = "border", .unit = "-", .help = "beyond the image: periodic (a tight frame), or symmetric (c b a | a b c)", .type = PRI_CHOICE, .offset = offsetof(struct wavelet, border), .choices = borders,
     .def = PRI_WAVELET_SYMMETRIC},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5,family=haar,levels=2,border=periodic", "weight=0.2,family=bior2.2,levels=1", NULL};
static const pri_variational variational = {.value = value, .prox = prox, .lipschitz = lipschitz, .convexity = convexity};
const pri_prior_class pri_prior_wavelet = {
    .kind = {"wavelet", "sparse wavelet details, shift invariant (undecimated)", "Coifman, Donoho 1995; Elad, Milanfar, Rubinstein 2007", sizeof(struct wavelet), params, examples},
    .init = init, .fini = fini, .scratch = scratch, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle};
