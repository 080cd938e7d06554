/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe - field of experts, convex:  R(x) = weight sum_k W_k sum_i rho_k((C_k x)_i),   rho(t) = root(t^2 + nu_k^2) - nu_k
 *
 * W_k = exp(log scale + log weight_k), nu_k = exp(log smoothing_k) and the filters from a .prior file (foe_filters.h), responses where a filter
 * lies inside the image. Gradient weight sum_k W_k C_k'rho'(C_k x), rho'(t) = t / root(t^2 + nu^2), rho'' <= 1 / nu:
 *   L = weight max_frequency sum_k W_k / nu_k |c_k^|^2  (proven: foe_filters.h)
 * Saddle: K = C, F*(q) = sum_k,i nu_k (V_k - root(V_k^2 - q^2)) over |q| <= V_k = weight W_k;  prox of sigma F* by Moreau: t + (V / sigma) rho'(t) =
 * q / sigma, solved by Newton from below, where the left side is concave (t > 0), so that the steps only grow; then the prox is V rho'(t).
 * A volume is taken plane by plane. Source: Roth, Black 2009; this convex potential and these parameters: spec maid 6.3 (Ehrhardt et al.).
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "foe_filters.h"
#include "par.h"
#include "smooth_abs.h"
#include "vec.h"

struct foe {
  char *file;
  double weight, smoothing, norm2, curvature; /* |C|^2; L / weight */
  foe_filters f;
  pri_shape dom;
};

static pri_status bounds(pri_ctx *ctx, struct foe *v) {
  double *each;
  PRI_ALLOC(ctx, each, v->f.count);
  for (int k = 0; k < v->f.count; k++) each[k] = 1;
  pri_status s = pri_foe_bound(ctx, &v->f, each, &v->norm2);
  for (int k = 0; k < v->f.count; k++) each[k] = pri_foe_weight(&v->f, k) / pri_foe_smoothing(&v->f, k);
  if (s == PRI_OK) s = pri_foe_bound(ctx, &v->f, each, &v->curvature);
  pri_free(ctx, each);
  if (s == PRI_OK && !(v->norm2 > 0)) s = PRI_FAIL(ctx, PRI_EDATA, "foe: file=%s: all filters are zero", v->file);
  return s;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct foe *v = priv;
  (void)meta;
  if (dom->nd < 2 || dom->nd > 3) return PRI_FAIL(ctx, PRI_ESHAPE, "foe: an image has 2 axes (or is a stack of such planes), not %d", dom->nd);
  v->dom = *dom, v->f.n = pri_shape_size(dom);
  v->f.nx = dom->n[dom->nd - 1], v->f.ny = dom->n[dom->nd - 2], v->f.planes = v->f.n / (v->f.nx * v->f.ny);
  PRI_TRY(v->file ? pri_foe_load(ctx, &v->f, v->file) : pri_foe_cosines(ctx, &v->f, v->smoothing));
  return bounds(ctx, v);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct foe *)priv)->f.theta); }

static size_t scratch(const void *priv) { return (size_t)((const struct foe *)priv)->f.n * sizeof(pri_real); }

static void halo(const void *priv, ptrdiff_t reach[PRI_MAXDIM]) {
  const struct foe *v = priv;
  for (int a = 0; a < PRI_MAXDIM; a++) reach[a] = a >= v->dom.nd - 2 ? v->f.side - 1 : 0;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct foe *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "foe: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct foe *)priv)->weight; }

/* ---- variational */

struct sum {
  const struct foe *v;
  int k;
  const pri_real *x;
};

/* responses of filter k in double, pixel by pixel of one block */
static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  const foe_filters *f = &s->v->f;
  const ptrdiff_t h = (f->side - 1) / 2;
  const double *taps = pri_foe_taps(f, s->k), nu = pri_foe_smoothing(f, s->k);
  double t[PRI_VEC_BLOCK] = {0}, sum = 0;
  for (int u = 0; u < f->side * f->side; u++) {
    const ptrdiff_t off = (u / f->side - h) * f->nx + u % f->side - h;
    const ptrdiff_t from = first + off < 0 ? -off : first, to = last + off > f->n ? f->n - off : last; /* the others have no response */
    for (ptrdiff_t i = from; i < to; i++) t[i - first] += taps[u] * (double)s->x[i + off];
  }
  for (ptrdiff_t i = first; i < last; i++)
    if (pri_foe_inside(f, i)) sum += pri_smooth_abs(t[i - first], nu);
  return sum;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const struct foe *v = priv;
  (void)scratch_;
  for (ptrdiff_t i = 0; i < items; i++) {
    double sum = 0;
    for (int k = 0; k < v->f.count; k++) sum += pri_foe_weight(&v->f, k) * pri_sum(ctx, v->f.n, value_block, &(struct sum){v, k, x + i * v->f.n});
    per_item[i] = v->weight * sum;
  }
  return PRI_OK;
}

struct map { pri_real *r; double factor, nu; };

static pri_status slope_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct map *m = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) m->r[i] = (pri_real)(m->factor * pri_smooth_slope((double)m->r[i], m->nu));
  return PRI_OK;
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const struct foe *v = priv;
  pri_real *r = scratch_;
  pri_fill(ctx, g, 0, v->f.n * items);
  for (ptrdiff_t i = 0; i < items; i++)
    for (int k = 0; k < v->f.count; k++) {
      pri_foe_apply(ctx, &v->f, k, r, x + i * v->f.n);
      PRI_TRY(pri_par_for(ctx, v->f.n, 1 << 13, slope_some, &(struct map){r, v->weight * pri_foe_weight(&v->f, k), pri_foe_smoothing(&v->f, k)}));
      pri_foe_adjoint(ctx, &v->f, k, g + i * v->f.n, r);
    }
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) {
  const struct foe *v = priv;
  return (pri_bound){v->weight * v->curvature, PRI_PROVEN};
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

/* ---- saddle */

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct foe *v = priv;
  *aux = (pri_shape){0};
  *dual = (pri_shape){v->dom.nd + 1, {v->f.count}};
  for (int a = 0; a < v->dom.nd; a++) dual->n[a + 1] = v->dom.n[a];
  *norm_k = (pri_bound){sqrt(v->norm2), PRI_PROVEN};
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct foe *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) pri_foe_apply(ctx, &v->f, j, q + (i * v->f.count + j) * v->f.n, x + i * v->f.n);
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct foe *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) pri_foe_adjoint(ctx, &v->f, j, x + i * v->f.n, q + (i * v->f.count + j) * v->f.n);
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct foe *v = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) pri_foe_adjoint_wide(ctx, &v->f, j, x + i * v->f.n, q + (i * v->f.count + j) * v->f.n);
  return PRI_OK;
}

struct dual { pri_real *q; double V, nu, sigma; const pri_real *each; };

static pri_status dual_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct dual *d = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double q = (double)d->q[i], p = pri_smooth_dual_prox(fabs(q), d->sigma * (d->each ? (double)d->each[i] : 1), d->V, d->nu);
    d->q[i] = (pri_real)(q < 0 ? -p : p);
  }
  return PRI_OK;
}

static pri_status dual_each(pri_ctx *ctx, const struct foe *v, pri_real *q, double sigma, const pri_real *each, double shrink, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++)
    for (int j = 0; j < v->f.count; j++) {
      struct dual d = {q + (i * v->f.count + j) * v->f.n, shrink * v->weight * pri_foe_weight(&v->f, j), pri_foe_smoothing(&v->f, j), sigma, each ? each + j * v->f.n : NULL};
      PRI_TRY(pri_par_for(ctx, v->f.n, 1 << 12, dual_some, &d));
    }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  return dual_each(ctx, priv, q, sigma, each, 1, items);
}

static double unit(void) { return sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON; }

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  return dual_each(ctx, priv, q, 0, NULL, 1 - 4 * unit(), items); /* inside once rounded */
}

struct fields { const pri_real *q; double V, nu; };

static double conjugate_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct fields *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += pri_smooth_conjugate(fabs((double)f->q[i]), f->V, f->nu, 2 * unit());
  return sum;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const struct foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i] = 0;
    for (int j = 0; j < v->f.count; j++, q += v->f.n)
      per_item[i] += pri_sum(ctx, v->f.n, conjugate_block, &(struct fields){q, v->weight * pri_foe_weight(&v->f, j), pri_foe_smoothing(&v->f, j)});
  }
  return PRI_OK;
}

static double fields_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct fields *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += f->V * pri_smooth_abs((double)f->q[i], f->nu);
  return sum;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const struct foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i] = 0;
    for (int j = 0; j < v->f.count; j++, kxw += v->f.n)
      per_item[i] += pri_sum(ctx, v->f.n, fields_block, &(struct fields){kxw, v->weight * pri_foe_weight(&v->f, j), pri_foe_smoothing(&v->f, j)});
  }
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "file", .unit = "-", .help = "learned filters and their weights (.prior); without: the 8 cosine filters of 3 x 3 pixels", .type = PRI_FILE,
     .offset = offsetof(struct foe, file)},
    {.name = "weight", .unit = "1", .help = "factor of what was learned; or auto:METHOD (chosen from the noise level)", .type = PRI_REAL, .flags = PRI_P_WEIGHT,
     .offset = offsetof(struct foe, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "smoothing", .unit = "1", .help = "without a file: responses below it count as squares", .type = PRI_REAL, .offset = offsetof(struct foe, smoothing), .min = 1e-12, .max = 1e12, .def = 0.01},
    {0}};
static const char *const examples[] = {"weight=0.1,smoothing=0.5", "weight=2,smoothing=0.2", NULL};
static const pri_variational variational = {.value = value, .grad = grad, .lipschitz = lipschitz, .convexity = convexity};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair};
const pri_prior_class pri_prior_foe = {
    .kind = {"foe", "field of experts: learned filters with a smoothed absolute value each", "Roth, Black 2009; Ehrhardt, Roberts et al. 2025", sizeof(struct foe), params, examples},
    .init = init, .fini = fini, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle};
