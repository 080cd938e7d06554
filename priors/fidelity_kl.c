/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kl - Kullback-Leibler divergence (I-divergence) of photon counts y >= 0 from their mean t = z + b:
 *
 *   f(z)              = sum_i w_i (t_i - y_i + y_i log(y_i / t_i)),  t >= 0,  0 log 0 = 0
 *   f*(p)             = sum_i - b_i p_i - w_i y_i log(1 - p_i / w_i),  p_i < w_i (<= where y_i = 0);  p_i = 0 where w_i = 0
 *   prox_{s f*}(p)_i  = w (1 - u),  u = (a + sqrt(a^2 + 4 r y)) / 2,  r = s / w,  a = 1 - p / w - r b
 *   f'(z)_i           = w_i (1 - y_i / t_i),   f''(z)_i = w_i y_i / t_i^2
 *
 * b is the background: a number, or a file with one image for all items. w: those that the caller hands in (0 masks a datum), else 1.
 * f'' <= max w y / b^2 where z >= 0 (A >= 0 and x >= 0): that is the Lipschitz constant given, and it holds nowhere else, hence ESTIMATE.
 * Terms are y (r - log1p(r)), r = (t - y) / y, so that data that fit do not lose their digits; u < 0 takes the form without cancellation.
 * Source: Csiszar 1991; prox: Chambolle, Pock 2011, section 6.3 (there for b = 0, w = 1).
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include "counts_check.h"
#include "number.h"
#include "par.h"
#include "priori/fidelity.h"
#include "vec.h"
#include "weight_file.h"

/* 1 - p / w of a datum > 0 stays above it: p = w (1 - NEAREST) is below w when rounded */
static const double NEAREST = 2 * (sizeof(pri_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON);

struct kl {
  char *background, *known;
  const pri_array *y, *w;   /* w NULL: 1 */
  double b;                 /* where background is a number */
  pri_array map;            /* else: [one item] */
  ptrdiff_t n;
  double curvature;         /* max w y / b^2; NAN where b = 0 */
};

static double largest_curvature(const struct kl *f) {
  double most = 0;
  for (ptrdiff_t i = 0; i < f->n * f->y->items; i++) {
    const double b = f->map.data ? (double)f->map.data[i % f->n] : f->b, w = f->w ? (double)f->w->data[i] : 1, wy = w > 0 ? w * (double)f->y->data[i] : 0;
    if (!(b > 0)) return (double)NAN;
    most = fmax(most, wy / (b * b));
  }
  return most;
}

static pri_status set(pri_ctx *ctx, struct kl *f, const pri_array *y, const pri_array *weight) {
  f->y = y, f->w = weight, f->n = pri_shape_size(&y->shape);
  if (weight) PRI_TRY(pri_weights_check(ctx, "kl", "weights", "(given)", weight));
  PRI_TRY(pri_counts_check(ctx, "kl", y, weight));
  f->curvature = largest_curvature(f);
  return PRI_OK;
}

static pri_status load_map(pri_ctx *ctx, struct kl *f, const pri_array *y) {
  char got[64], want[64];
  PRI_TRY(pri_weight_file_load(ctx, "kl", "background", f->background, &f->map));
  if (f->map.items * pri_shape_size(&f->map.shape) == pri_shape_size(&y->shape)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_ESHAPE, "kl: background=%s has %td items of %s; one of %s serves all slices", f->background, f->map.items,
                  pri_shape_text(&f->map.shape, got, sizeof got), pri_shape_text(&y->shape, want, sizeof want));
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_array *y, const pri_array *weight) {
  struct kl *f = priv;
  char *end;
  PRI_TRY(pri_known_arrived(ctx, "kl", f->known, weight));
  f->b = pri_number_parse(f->background, &end);
  if (end == f->background || *end) PRI_TRY(load_map(ctx, f, y));
  else if (!(f->b >= 0 && isfinite(f->b)))
    return PRI_FAIL(ctx, PRI_EPARAM, "kl: background=%s is outside [0, inf) in the unit of the data", f->background);
  return set(ctx, f, y, weight);
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_array *y, const pri_array *weight) {
  const struct kl *f = priv;
  struct kl *s = sub;
  if (f->map.data)
    return PRI_FAIL(ctx, PRI_ENOTSUP, "kl: background=%s cannot be cut into subsets; give a number, or a solver without subsets", f->background);
  s->b = f->b;
  return set(ctx, s, y, weight);
}

static void fini(pri_ctx *ctx, void *priv) {
  (void)ctx;
  pri_array_destroy(&((struct kl *)priv)->map);
}

/* ---- one datum */

static double term(double y, double t) {
  if (!(t > 0)) return t == 0 && y == 0 ? 0 : (double)INFINITY;
  if (y == 0) return t;
  const double r = (t - y) / y;
  return y * (r - log1p(r));
}

static double term_conjugate(double y, double b, double p) { /* w = 1 */
  if (!(p < 1)) return p == 1 && y == 0 ? -b : (double)INFINITY;
  return (y > 0 ? -y * log1p(-p) : 0) - p * b;
}

static double slope(double y, double t) { return t > 0 ? (t - y) / t : y > 0 ? -(double)INFINITY : 1; }
static double second(double y, double t) { return y > 0 ? y / (t * t) : 0; }

static double dual(double y, double b, double p, double s) { /* w = 1 */
  const double a = 1 - p - s * b, four = 4 * s * y, root = sqrt(a * a + four);
  const double u = a >= 0 ? (a + root) / 2 : four / (2 * (root - a));
  return 1 - (y > 0 && u < NEAREST ? NEAREST : u);
}

/* ---- sums and loops over one item */

struct job {
  const pri_real *y, *w, *map, *z, *each;
  const double *wide;
  pri_real *out;
  double b, sigma;
};

static double background(const struct job *j, ptrdiff_t i) { return j->map ? (double)j->map[i] : j->b; }
static double weight(const struct job *j, ptrdiff_t i) { return j->w ? (double)j->w[i] : 1; }

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight(j, i);
    if (w > 0) sum += w * term((double)j->y[i], (j->wide ? j->wide[i] : (double)j->z[i]) + background(j, i));
  }
  return sum;
}

static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight(j, i), p = (double)j->z[i];
    if (w > 0) sum += w * term_conjugate((double)j->y[i], background(j, i), p / w);
    else if (p != 0) return INFINITY;
  }
  return sum;
}

static pri_status dual_prox_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight(j, i), s = j->each ? j->sigma * (double)j->each[i] : j->sigma;
    j->out[i] = w > 0 ? (pri_real)(w * dual((double)j->y[i], background(j, i), (double)j->out[i] / w, s / w)) : 0;
  }
  return PRI_OK;
}

static pri_status grad_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight(j, i);
    j->out[i] = w > 0 ? (pri_real)(w * slope((double)j->y[i], (double)j->z[i] + background(j, i))) : 0;
  }
  return PRI_OK;
}

static pri_status curvature_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight(j, i);
    j->out[i] = w > 0 ? (pri_real)(w * second((double)j->y[i], (double)j->z[i] + background(j, i))) : 0;
  }
  return PRI_OK;
}

static struct job job_of(const struct kl *f, ptrdiff_t item) {
  return (struct job){.y = pri_array_item(f->y, item), .w = f->w ? pri_array_item(f->w, item) : NULL, .map = f->map.data, .b = f->b};
}

static pri_status loops(pri_ctx *ctx, const struct kl *f, pri_par_fn fn, struct job with, ptrdiff_t first, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++) {
    struct job j = job_of(f, first + i);
    j.z = with.z ? with.z + i * f->n : NULL, j.out = with.out + i * f->n, j.each = with.each, j.sigma = with.sigma;
    PRI_TRY(pri_par_for(ctx, f->n, 1 << 14, fn, &j));
  }
  return PRI_OK;
}

static pri_status sums(pri_ctx *ctx, const struct kl *f, pri_sum_fn fn, double *per_item, const pri_real *z, const double *wide, ptrdiff_t first, ptrdiff_t items) {
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

/*
 * |t| + |y| of each term of f. Of f* with p < w: what is below zero is - b p (p > 0: at most w b) and - w y log(1 - p / w) (p < 0: at most
 * y |p|), so the sizes come to |f*| + 2 sum (w b + y |p|), and |p| counts for itself.
 */
static double magnitude_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double w = weight(j, i);
    if (w > 0) sum += w * (background(j, i) + (double)j->y[i] + (j->wide ? fabs(j->wide[i]) : 0));
  }
  return sum;
}

static double magnitude(pri_ctx *ctx, const void *priv, const double *z, ptrdiff_t item) {
  struct job j = job_of(priv, item);
  j.wide = z;
  return pri_sum(ctx, ((const struct kl *)priv)->n, magnitude_block, &j);
}

static pri_bound lipschitz(const void *priv) {
  const double most = ((const struct kl *)priv)->curvature;
  return (pri_bound){most, isnan(most) ? PRI_UNKNOWN : PRI_ESTIMATE};
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static const pri_param params[] = {
    {.name = "background", .unit = "-", .help = "what the detector counts without the object: a number in the unit of the data, or a file with one image", .type = PRI_FILE,
     .offset = offsetof(struct kl, background), .def_text = "0"},
    {.name = "known", .unit = "-", .help = "file with what was measured (not 0), one image or one a slice: the rest counts for nothing", .type = PRI_FILE, .offset = offsetof(struct kl, known)},
    {0}};
static const char *const examples[] = {"", "background=0.5", "background=10", NULL};
const pri_fidelity_class pri_fidelity_kl = {
    .kind = {"kl", "Kullback-Leibler divergence of photon counts, with background", "Csiszar 1991; Shepp, Vardi 1982", sizeof(struct kl), params, examples},
    .init = init, .value = value, .dual_prox = dual_prox, .conjugate = conjugate, .grad = grad, .curvature = curvature,
    .value_wide = value_wide, .magnitude = magnitude, .lipschitz = lipschitz, .convexity = convexity, .part = part, .fini = fini};
