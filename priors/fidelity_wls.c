/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wls - f(z) = sum_i w_i (z_i - y_i)^2 / 2,  f*(p) = sum_i p_i^2 / (2 w_i) + p_i y_i (p_i = 0 where w_i = 0),
 * prox_{s f*}(p)_i = w_i (p_i - s y_i) / (w_i + s).
 *
 * Weights: those that the caller hands in (`counts`: the pipeline has them), else a file with one a measurement, of one item or of
 * all. w_i = 0 masks a measurement.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "par.h"
#include "priori/fidelity.h"
#include "vec.h"
#include "weight_file.h"

struct wls {
  char *file, *known;
  const pri_array *y;
  pri_array own;
  const pri_real *w; /* of the first item */
  ptrdiff_t n, stride; /* of one item; 0 where one item's weights serve all */
  double least, most;
};

static const pri_real *weights(const struct wls *f, ptrdiff_t item) { return f->w + item * f->stride; }

static pri_status set(pri_ctx *ctx, struct wls *f, const pri_array *y, const pri_array *w, const char *name) {
  char got[64], want[64];
  const ptrdiff_t n = pri_shape_size(&y->shape), given = w->items * pri_shape_size(&w->shape);
  if (given != n && given != n * y->items)
    return PRI_FAIL(ctx, PRI_ESHAPE, "wls: weights=%s has %td items of %s; the data %td of %s", name, w->items,
                    pri_shape_text(&w->shape, got, sizeof got), y->items, pri_shape_text(&y->shape, want, sizeof want));
  f->y = y, f->w = w->data, f->n = n, f->stride = given == n ? 0 : n;
  f->least = INFINITY, f->most = 0;
  PRI_TRY(pri_weights_check(ctx, "wls", "weights", name, w));
  for (ptrdiff_t i = 0; i < given; i++) {
    f->least = fmin(f->least, (double)w->data[i]);
    f->most = fmax(f->most, (double)w->data[i]);
  }
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_array *y, const pri_array *weight) {
  struct wls *f = priv;
  const char *name = f->file ? f->file : "counts";
  PRI_TRY(pri_known_arrived(ctx, "wls", f->known, weight));
  if (weight) return set(ctx, f, y, weight, name);
  if (!strcmp(name, "counts"))
    return PRI_FAIL(ctx, PRI_EPARAM, "wls: weights=counts, but the data are no counts; give weights=FILE with one weight a measurement");
  PRI_TRY(pri_weight_file_load(ctx, "wls", "weights", f->file, &f->own));
  return set(ctx, f, y, &f->own, name);
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_array *y, const pri_array *weight) {
  const struct wls *f = priv;
  if (!weight)
    return PRI_FAIL(ctx, PRI_ENOTSUP, "wls: weights=%s cannot be cut into subsets; hand the weights to pri_fidelity_create", f->file);
  return set(ctx, sub, y, weight, f->file ? f->file : "counts");
}

static void fini(pri_ctx *ctx, void *priv) {
  struct wls *f = priv;
  (void)ctx;
  pri_array_destroy(&f->own);
}

struct sum {
  const pri_real *y, *w, *z;
  const double *wide;
};

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double d = (s->wide ? s->wide[i] : (double)s->z[i]) - (double)s->y[i];
    sum += (double)s->w[i] * d * d;
  }
  return sum;
}

static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double p = (double)s->z[i], w = (double)s->w[i];
    if (w > 0) sum += p * p / (2 * w) + p * (double)s->y[i];
    else if (p != 0) return INFINITY;
  }
  return sum;
}

static pri_status sums(pri_ctx *ctx, const struct wls *f, pri_sum_fn fn, double *per_item, const pri_real *z, const double *wide, ptrdiff_t first, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = pri_sum(ctx, f->n, fn, &(struct sum){pri_array_item(f->y, first + i), weights(f, first + i), z ? z + i * f->n : NULL,
                                                        wide ? wide + i * f->n : NULL});
  return PRI_OK;
}

static void halve(double *v, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) v[i] /= 2;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  PRI_TRY(sums(ctx, priv, value_block, per_item, z, NULL, first, items));
  halve(per_item, items);
  return PRI_OK;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const double *z, ptrdiff_t first, ptrdiff_t items) {
  PRI_TRY(sums(ctx, priv, value_block, per_item, NULL, z, first, items));
  halve(per_item, items);
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *p, ptrdiff_t first, ptrdiff_t items) {
  return sums(ctx, priv, conjugate_block, per_item, p, NULL, first, items);
}

struct job {
  const pri_real *y, *w, *z, *each;
  pri_real *p, sigma;
};

static pri_status dual_prox_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const pri_real s = j->each ? j->sigma * j->each[i] : j->sigma, w = j->w[i];
    j->p[i] = w > 0 ? w * (j->p[i] - s * j->y[i]) / (w + s) : 0;
  }
  return PRI_OK;
}

static pri_status grad_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) j->p[i] = j->w[i] * (j->z[i] - j->y[i]);
  return PRI_OK;
}

static pri_status each_item(pri_ctx *ctx, const struct wls *f, pri_par_fn fn, struct job j, ptrdiff_t first, ptrdiff_t items) {
  pri_real *p = j.p;
  const pri_real *z = j.z;
  for (ptrdiff_t i = 0; i < items; i++) {
    j.y = pri_array_item(f->y, first + i), j.w = weights(f, first + i), j.p = p + i * f->n;
    if (z) j.z = z + i * f->n;
    PRI_TRY(pri_par_for(ctx, f->n, 1 << 14, fn, &j));
  }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *p, double sigma, const pri_real *each, ptrdiff_t first, ptrdiff_t items) {
  return each_item(ctx, priv, dual_prox_some, (struct job){.p = p, .each = each, .sigma = (pri_real)sigma}, first, items);
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  return each_item(ctx, priv, grad_some, (struct job){.p = g, .z = z}, first, items);
}

static pri_status curvature(pri_ctx *ctx, const void *priv, pri_real *d, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  const struct wls *f = priv;
  (void)z;
  for (ptrdiff_t i = 0; i < items; i++) pri_copy(ctx, d + i * f->n, weights(f, first + i), f->n);
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) { return (pri_bound){((const struct wls *)priv)->most, PRI_EXACT}; }
static pri_bound convexity(const void *priv) { return (pri_bound){((const struct wls *)priv)->least, PRI_EXACT}; }

static const pri_param params[] = {
    {.name = "weights", .unit = "1", .help = "counts (from the scan), or a file with one weight a measurement", .type = PRI_FILE,
     .offset = offsetof(struct wls, file), .def_text = "counts"},
    {.name = "known", .unit = "-", .help = "file with what was measured (not 0), one image or one a slice: the rest counts for nothing", .type = PRI_FILE, .offset = offsetof(struct wls, known)},
    {0}};
static const char *const examples[] = {"weights=counts", NULL};
const pri_fidelity_class pri_fidelity_wls = {
    .kind = {"wls", "weighted least squares: sum of w (A x - y)^2 / 2", "Aitken 1935", sizeof(struct wls), params, examples},
    .init = init, .value = value, .dual_prox = dual_prox, .conjugate = conjugate, .grad = grad, .curvature = curvature,
    .value_wide = value_wide, .lipschitz = lipschitz, .convexity = convexity, .part = part, .fini = fini};
