/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * huber - least squares for small, absolute values for large residuals: outliers pull with a bounded force.
 *
 *   f(z)             = sum_i w_i h(z_i - y_i),   h(d) = d^2 / 2 where |d| <= delta, else delta |d| - delta^2 / 2
 *   f*(p)            = sum_i p_i^2 / (2 w_i) + p_i y_i,   |p_i| <= w_i delta;  p_i = 0 where w_i = 0
 *   prox_{s f*}(p)_i = clip(w_i (p_i - s y_i) / (w_i + s), -w_i delta, w_i delta)
 *
 * w: those that the caller hands in (0 masks a datum), else 1. Source: Huber 1964.
 */
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "priori/fidelity.h"
#include "vec.h"
#include "weight_file.h"

struct huber {
  double delta;
  char *known;
  const pri_array *y, *w; /* w NULL: 1 */
  ptrdiff_t n;
  double most;            /* largest weight */
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_array *y, const pri_array *weight) {
  struct huber *f = priv;
  f->y = y, f->w = weight, f->n = pri_shape_size(&y->shape), f->most = 1;
  PRI_TRY(pri_known_arrived(ctx, "huber", f->known, weight));
  if (!weight) return PRI_OK;
  PRI_TRY(pri_weights_check(ctx, "huber", "weights", "(given)", weight));
  f->most = pri_vmax(weight->data, f->n * weight->items);
  return PRI_OK;
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_array *y, const pri_array *weight) {
  (void)priv;
  return init(ctx, sub, y, weight);
}

struct job {
  const pri_real *y, *w, *z, *each;
  const double *wide;
  pri_real *out;
  double delta, sigma;
};

static double weight_of(const struct job *j, ptrdiff_t i) { return j->w ? (double)j->w[i] : 1; }

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double d = fabs((j->wide ? j->wide[i] : (double)j->z[i]) - (double)j->y[i]);
    sum += weight_of(j, i) * (d <= j->delta ? d * d / 2 : j->delta * d - j->delta * j->delta / 2);
  }
  return sum;
}

/* of |p_i|: the largest pri_real that is not above w_i delta, so that what is stored is inside and f* finite in exact arithmetic */
static double bound(const struct job *j, ptrdiff_t i) { return (double)pri_real_below(weight_of(j, i) * j->delta); }

static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double p = (double)j->z[i], w = weight_of(j, i);
    if (fabs(p) > bound(j, i)) return INFINITY;
    if (w > 0) sum += p * p / (2 * w) + p * (double)j->y[i];
  }
  return sum;
}

static double clip(double v, double most) { return v > most ? most : v < -most ? -most : v; }

static pri_status dual_prox_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight_of(j, i), s = j->each ? j->sigma * (double)j->each[i] : j->sigma;
    j->out[i] = w > 0 ? (pri_real)clip(w * ((double)j->out[i] - s * (double)j->y[i]) / (w + s), bound(j, i)) : 0;
  }
  return PRI_OK;
}

static pri_status grad_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) j->out[i] = (pri_real)clip(weight_of(j, i) * ((double)j->z[i] - (double)j->y[i]), bound(j, i));
  return PRI_OK;
}

static pri_status curvature_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) j->out[i] = fabs((double)j->z[i] - (double)j->y[i]) <= j->delta ? (pri_real)weight_of(j, i) : 0;
  return PRI_OK;
}

static struct job job_of(const struct huber *f, ptrdiff_t item) {
  return (struct job){.y = pri_array_item(f->y, item), .w = f->w ? pri_array_item(f->w, item) : NULL, .delta = f->delta};
}

static pri_status loops(pri_ctx *ctx, const struct huber *f, pri_par_fn fn, struct job with, ptrdiff_t first, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++) {
    struct job j = job_of(f, first + i);
    j.z = with.z ? with.z + i * f->n : NULL, j.out = with.out + i * f->n, j.each = with.each, j.sigma = with.sigma;
    PRI_TRY(pri_par_for(ctx, f->n, 1 << 14, fn, &j));
  }
  return PRI_OK;
}

static pri_status sums(pri_ctx *ctx, const struct huber *f, pri_sum_fn fn, double *per_item, const pri_real *z, const double *wide, ptrdiff_t first, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++) {
    struct job j = job_of(f, first + i);
    j.z = z ? z + i * f->n : NULL, j.wide = wide ? wide + i * f->n : NULL;
    per_item[i] = pri_sum(ctx, f->n, fn, &j);
  }
  return PRI_OK;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  return sums(ctx, priv, value_block, per_item, z, NULL, first, items);
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const double *z, ptrdiff_t first, ptrdiff_t items) {
  return sums(ctx, priv, value_block, per_item, NULL, z, first, items);
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *p, ptrdiff_t first, ptrdiff_t items) {
  return sums(ctx, priv, conjugate_block, per_item, p, NULL, first, items);
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *p, double sigma, const pri_real *each, ptrdiff_t first, ptrdiff_t items) {
  return loops(ctx, priv, dual_prox_some, (struct job){.out = p, .each = each, .sigma = sigma}, first, items);
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  return loops(ctx, priv, grad_some, (struct job){.out = g, .z = z}, first, items);
}

static pri_status curvature(pri_ctx *ctx, const void *priv, pri_real *d, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  return loops(ctx, priv, curvature_some, (struct job){.out = d, .z = z}, first, items);
}

static pri_bound lipschitz(const void *priv) { return (pri_bound){((const struct huber *)priv)->most, PRI_EXACT}; }

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static const pri_param params[] = {
    {.name = "delta", .unit = "1", .help = "residual from which on a datum counts by its absolute value, in the unit of the data; 1.345 times the noise is usual", .type = PRI_REAL,
     .flags = PRI_P_REQUIRED, .offset = offsetof(struct huber, delta), .min = 1e-300, .max = 1e300, .def = NAN},
    {.name = "known", .unit = "-", .help = "file with what was measured (not 0), one image or one a slice: the rest counts for nothing", .type = PRI_FILE, .offset = offsetof(struct huber, known)},
    {0}};
static const char *const examples[] = {"delta=0.5", "2", "delta=100", NULL};
const pri_fidelity_class pri_fidelity_huber = {
    .kind = {"huber", "least squares for small, absolute values for large residuals", "Huber 1964", sizeof(struct huber), params, examples},
    .init = init, .value = value, .dual_prox = dual_prox, .conjugate = conjugate, .grad = grad, .curvature = curvature,
    .value_wide = value_wide, .lipschitz = lipschitz, .convexity = convexity, .part = part};
