/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smooth-tv - R(x) = weight sum_i rho(|(D x)_i|_2),  rho(t) = root(t^2 + nu^2) - nu: total variation that is twice differentiable, so that its
 * parameters (log weight, log nu) can be learned. form=anisotropic: every difference by itself, sum_i sum_a rho((D x)_a,i) (spec maid 6.2; its
 * factor 1/2 and constant -nu aside). D: src/stencil.h.
 *
 *   grad R = weight D'(q / root(|q|^2 + nu^2)), q = D x;  L = weight |D|^2 / nu
 * Saddle: K = D, F*(q) = nu sum_i (w - root(w^2 - |q_i|^2)) over |q_i| <= w = weight; prox along the radius: smooth_abs.h.
 */
#include "smooth_tv.h"
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "learned.h"
#include "par.h"
#include "smooth_abs.h"
#include "vec.h"

static double unit(void) { return sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON; }

static const char *const forms[] = {"isotropic", "anisotropic", NULL};

/* What `priori learn` wrote: weight, smoothing and form; those keys are filled from it. */
static pri_status load(pri_ctx *ctx, smooth_tv *v) {
  PRI_TRY(pri_learned_form(ctx, "smooth-tv", v->file, forms[1], &v->form));
  PRI_TRY(pri_learned_exp(ctx, "smooth-tv", v->file, "log_weight", &v->learned));
  return pri_learned_exp(ctx, "smooth-tv", v->file, "log_smoothing", &v->smoothing);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  smooth_tv *v = priv;
  v->dom = *dom, v->learned = 1;
  if (v->file) PRI_TRY(load(ctx, v));
  return pri_stencil_init(ctx, "smooth-tv", &v->s, meta, dom);
}

static ptrdiff_t fields(const smooth_tv *v) { return v->s.nd * v->s.n; }

static size_t scratch(const void *priv) { /* fields, and the image that mixed_t takes */
  const smooth_tv *v = priv;
  return (size_t)(fields(v) + v->s.n) * sizeof(pri_real);
}

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  (void)priv;
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = 1;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  smooth_tv *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "smooth-tv: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const smooth_tv *)priv)->weight; }

/* ---- fields, group by group */

struct job {
  const smooth_tv *v;
  pri_real *q;
  double V, sigma;
  const pri_real *each;
};

static double radius(const smooth_tv *v, const pri_real *q, int group, ptrdiff_t i) {
  double sq = 0;
  for (int a = 0; a < pri_smooth_tv_members(v); a++) {
    const double t = (double)q[(group + a) * v->s.n + i];
    sq += t * t;
  }
  return sqrt(sq);
}

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++)
    for (int g = 0; g < pri_smooth_tv_groups(j->v); g++) sum += pri_smooth_abs(radius(j->v, j->q, g, i), j->v->smoothing);
  return sum;
}

static double value_of_fields(pri_ctx *ctx, const smooth_tv *v, const pri_real *q) {
  const struct job j = {.v = v, .q = (pri_real *)(uintptr_t)q};
  return pri_smooth_tv_factor(v) * pri_sum(ctx, v->s.n, value_block, &j);
}

/* ---- of the image itself, in double */

struct image { const smooth_tv *v; const pri_real *x; };

/* the differences of pixel i along all axes, slowest first; 0 past the last */
static void differences(const pri_stencil *s, const pri_real *x, ptrdiff_t i, double d[3]) {
  const ptrdiff_t at[3] = {i / s->nx / s->ny, i / s->nx % s->ny, i % s->nx}, n[3] = {s->nz, s->ny, s->nx}, step[3] = {s->nx * s->ny, s->nx, 1};
  const double r[3] = {s->rz, s->ry, 1};
  for (int k = 0, a = 3 - s->nd; k < s->nd; k++, a++) d[k] = at[a] + 1 < n[a] ? r[a] * ((double)x[i + step[a]] - (double)x[i]) : 0;
}

static double image_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct image *m = arg;
  const int groups = pri_smooth_tv_groups(m->v), members = pri_smooth_tv_members(m->v);
  double sum = 0, d[3];
  for (ptrdiff_t i = first; i < last; i++) {
    differences(&m->v->s, m->x, i, d);
    for (int g = 0; g < groups; g++) {
      double square = 0;
      for (int a = g; a < g + members; a++) square += d[a] * d[a];
      sum += pri_smooth_abs(sqrt(square), m->v->smoothing);
    }
  }
  return sum;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const smooth_tv *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = pri_smooth_tv_factor(v) * pri_sum(ctx, v->s.n, image_block, &(struct image){v, x + i * v->s.n});
  return PRI_OK;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  (void)scratch_;
  return value_wide(ctx, priv, per_item, x, NULL, items);
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const smooth_tv *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = value_of_fields(ctx, v, kxw + i * fields(v));
  return PRI_OK;
}

/* q = weight q / root(|q|^2 + nu^2) in groups of one, two and three fields: loops that a compiler turns into vector code */
static void slope_1(pri_real *restrict a, double w, double nu2, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) a[i] = (pri_real)(w * (double)a[i] / sqrt((double)a[i] * (double)a[i] + nu2));
}

static void slope_2(pri_real *restrict a, pri_real *restrict b, double w, double nu2, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const double x = (double)a[i], y = (double)b[i], c = w / sqrt(x * x + y * y + nu2);
    a[i] = (pri_real)(c * x), b[i] = (pri_real)(c * y);
  }
}

static void slope_3(pri_real *restrict a, pri_real *restrict b, pri_real *restrict d, double w, double nu2, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const double x = (double)a[i], y = (double)b[i], z = (double)d[i], c = w / sqrt(x * x + y * y + z * z + nu2);
    a[i] = (pri_real)(c * x), b[i] = (pri_real)(c * y), d[i] = (pri_real)(c * z);
  }
}

static pri_status slope_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const smooth_tv *v = j->v;
  const double w = pri_smooth_tv_factor(v), nu2 = v->smoothing * v->smoothing;
  const ptrdiff_t n = last - first, field = v->s.n;
  pri_real *q = j->q + first;
  (void)worker;
  for (int g = 0; g < pri_smooth_tv_groups(v); g++, q += field) switch (pri_smooth_tv_members(v)) {
      case 1: slope_1(q, w, nu2, n); break;
      case 2: slope_2(q, q + field, w, nu2, n); break;
      default: slope_3(q, q + field, q + 2 * field, w, nu2, n); break;
    }
  return PRI_OK;
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const smooth_tv *v = priv;
  struct job j = {.v = v, .q = scratch_};
  pri_fill(ctx, g, 0, v->s.n * items);
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_stencil_forward(ctx, &v->s, j.q, x + i * v->s.n, 1);
    PRI_TRY(pri_par_for(ctx, v->s.n, 1 << 13, slope_some, &j));
    pri_stencil_adjoint(ctx, &v->s, g + i * v->s.n, j.q, 1);
  }
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) { /* weight |D|^2 / nu */
  const smooth_tv *v = priv;
  return (pri_bound){pri_smooth_tv_factor(v) / v->smoothing * pri_stencil_norm2(&v->s), PRI_PROVEN};
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

/* ---- saddle */

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const smooth_tv *v = priv;
  *aux = (pri_shape){0};
  *dual = pri_stencil_fields(&v->s, &v->dom);
  *norm_k = (pri_bound){sqrt(pri_stencil_norm2(&v->s)), PRI_PROVEN};
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const smooth_tv *v = priv;
  (void)w;
  pri_stencil_forward(ctx, &v->s, q, x, items);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const smooth_tv *v = priv;
  (void)w;
  pri_stencil_adjoint(ctx, &v->s, x, q, items);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const smooth_tv *v = priv;
  (void)w;
  pri_stencil_adjoint_wide(ctx, &v->s, x, q, items);
  return PRI_OK;
}

static pri_status dual_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* each: that of a group's first field */
  const struct job *j = arg;
  const smooth_tv *v = j->v;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++)
    for (int g = 0; g < pri_smooth_tv_groups(v); g++) {
      const double r = radius(v, j->q, g, i), s = j->sigma * (j->each ? (double)j->each[g * v->s.n + i] : 1);
      const double c = r > 0 ? pri_smooth_dual_prox(r, s, j->V, v->smoothing) / r : 0;
      for (int a = 0; a < pri_smooth_tv_members(v); a++) {
        pri_real *q = &j->q[(g + a) * v->s.n + i];
        *q = (pri_real)(c * (double)*q);
      }
    }
  return PRI_OK;
}

static pri_status dual_each(pri_ctx *ctx, const smooth_tv *v, pri_real *q, double sigma, const pri_real *each, double shrink, ptrdiff_t items) {
  struct job j = {.v = v, .V = shrink * pri_smooth_tv_factor(v), .sigma = sigma, .each = each};
  for (ptrdiff_t i = 0; i < items; i++) {
    j.q = q + i * fields(v);
    PRI_TRY(pri_par_for(ctx, v->s.n, 1 << 12, dual_some, &j));
  }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  return dual_each(ctx, priv, q, sigma, each, 1, items);
}

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  return dual_each(ctx, priv, q, 0, NULL, 1 - 4 * unit(), items); /* inside once rounded */
}

static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++)
    for (int g = 0; g < pri_smooth_tv_groups(j->v); g++) sum += pri_smooth_conjugate(radius(j->v, j->q, g, i), j->V, j->v->smoothing, 4 * unit());
  return sum;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const smooth_tv *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    const struct job j = {.v = v, .q = (pri_real *)(uintptr_t)(q + i * fields(v)), .V = pri_smooth_tv_factor(v)};
    per_item[i] = pri_sum(ctx, v->s.n, conjugate_block, &j);
  }
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the sum, or of what was learned; or auto:METHOD (chosen from the data)", .type = PRI_REAL, .flags = PRI_P_WEIGHT,
     .offset = offsetof(smooth_tv, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "smoothing", .unit = "1", .help = "differences well below it count as squares, in the unit of the image", .type = PRI_REAL,
     .offset = offsetof(smooth_tv, smoothing), .min = 1e-12, .max = 1e12, .def = 0.01},
    {.name = "form", .unit = "-", .help = "isotropic: length of the gradient of a pixel; anisotropic: each difference by itself", .type = PRI_CHOICE, .choices = forms,
     .offset = offsetof(smooth_tv, form), .def = 0},
    {.name = "file", .unit = "-", .help = "weight, smoothing and form that `priori learn` found (.prior)", .type = PRI_FILE, .offset = offsetof(smooth_tv, file)},
    {0}};
static const char *const examples[] = {"weight=0.1,smoothing=0.2", "0.5,smoothing=0.1,form=anisotropic", NULL};
static const pri_variational variational = {.value = value, .grad = grad, .lipschitz = lipschitz, .convexity = convexity};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair, .value_wide = value_wide};
const pri_prior_class pri_prior_smooth_tv = {
    .kind = {"smooth-tv", "smoothed total variation: twice differentiable, its parameters can be learned", "Ehrhardt, Roberts 2021", sizeof(smooth_tv), params, examples},
    .init = init, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle,
    .learnable = &pri_smooth_tv_learnable};
