/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hessian-schatten - R(x) = weight sum_i |(H x)_i|_Sp, the Schatten norm (p = 1, 2, infinity: l_p of the eigenvalues) of the 2 x 2 Hessian
 *
 *   a = x_y+1 - 2 x + x_y-1,   c = the same along x,   b = x_y+1,x+1 - x_y+1,x - x_y,x+1 + x;   r = pitch_x / pitch_y:  H = (r^2 a, r b; r b, c)
 *   each 0 where it would look past the border: an affine image costs nothing. Eigenvalues m +- d, m = (a + c) / 2, d = root(((a - c) / 2)^2 + b^2)
 *
 * Saddle: K x = (r^2 a, c, root 2 r b), so that <q, K x> is the inner product of matrices; F* = 0 where the dual norm |q_i|_Sp' <= weight (p' = infinity, 2,
 * 1). Projection: of the eigenvalues, on a square, a disc or a diamond, in closed form.  |K|^2 <= 16 r^4 + 16 + 2 * 16 r^2 = (4 + 4 r^2)^2.
 * A volume is taken plane by plane. prox: primal-dual steps (saddle_prox.c).
 * Source: Lefkimmiatis, Ward, Unser 2013 (differences one-sided there).
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "saddle_prox.h"
#include "vec.h"

enum { ONE, TWO, INF };
static const double ROOT2 = 1.41421356237309504880;

struct schatten {
  double weight, r;
  int p;
  ptrdiff_t planes, ny, nx, n;
  pri_shape dom;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct schatten *h = priv;
  if (dom->nd < 2 || dom->nd > 3) return PRI_FAIL(ctx, PRI_ESHAPE, "hessian-schatten: an image has 2 axes (or is a stack of such planes), not %d", dom->nd);
  h->dom = *dom, h->n = pri_shape_size(dom);
  h->nx = dom->n[dom->nd - 1], h->ny = dom->n[dom->nd - 2], h->planes = h->n / (h->nx * h->ny);
  h->r = meta && meta->pixel[0] > 0 && meta->pixel[1] > 0 && isfinite(meta->pixel[0] / meta->pixel[1]) ? meta->pixel[0] / meta->pixel[1] : 1;
  return PRI_OK;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct schatten *h = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "hessian-schatten: the weight cannot be multiplied by %g; give a number >= 0", factor);
  h->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct schatten *)priv)->weight; }

static void halo(const void *priv, ptrdiff_t reach[PRI_MAXDIM]) {
  const struct schatten *h = priv;
  for (int a = 0; a < PRI_MAXDIM; a++) reach[a] = a >= h->dom.nd - 2;
}

/* ---- K */

struct rows {
  const struct schatten *h;
  pri_real *q;
  const pri_real *x;
};

static pri_status forward_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *t = arg;
  const struct schatten *h = t->h;
  const ptrdiff_t nx = h->nx;
  const pri_real rr = (pri_real)(h->r * h->r), rb = (pri_real)(h->r * ROOT2);
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    const ptrdiff_t y = row % h->ny;
    const pri_real *restrict x = t->x + row * nx;
    pri_real *restrict a = t->q + row * nx, *restrict c = a + h->n, *restrict b = c + h->n;
    const int inside = y > 0 && y < h->ny - 1, below = y < h->ny - 1;
    for (ptrdiff_t i = 0; i < nx; i++) a[i] = inside ? rr * (x[i + nx] - 2 * x[i] + x[i - nx]) : 0;
    for (ptrdiff_t i = 1; i < nx - 1; i++) c[i] = x[i + 1] - 2 * x[i] + x[i - 1];
    c[0] = c[nx - 1] = 0;
    for (ptrdiff_t i = 0; i < nx - 1; i++) b[i] = below ? rb * ((x[i + nx + 1] - x[i + nx]) - (x[i + 1] - x[i])) : 0;
    b[nx - 1] = 0;
  }
  return PRI_OK;
}

/* x_row += (K'q)_row: each element gathers what reads it */
#define ADJOINT_ROW(name, type)                                                                                              \
  static void name(const struct schatten *h, type *x, const pri_real *q, ptrdiff_t row) {                                     \
    const ptrdiff_t nx = h->nx, y = row % h->ny;                                                                              \
    const type rr = (type)(h->r * h->r), rb = (type)(h->r * ROOT2);                                                           \
    const pri_real *a = q + row * nx, *c = a + h->n, *b = c + h->n;                                                           \
    x += row * nx;                                                                                                            \
    for (ptrdiff_t i = 0; i < nx; i++) {                                                                                      \
      const type up = y - 1 > 0 ? (type)a[i - nx] : 0, at = y > 0 && y < h->ny - 1 ? (type)a[i] : 0, down = y + 1 < h->ny - 1 ? (type)a[i + nx] : 0; \
      const type left = i - 1 > 0 ? (type)c[i - 1] : 0, mid = i > 0 && i < nx - 1 ? (type)c[i] : 0, right = i + 1 < nx - 1 ? (type)c[i + 1] : 0; \
      const type here = y < h->ny - 1 && i < nx - 1 ? (type)b[i] : 0, west = y < h->ny - 1 && i > 0 ? (type)b[i - 1] : 0;      \
      const type north = y > 0 && i < nx - 1 ? (type)b[i - nx] : 0, corner = y > 0 && i > 0 ? (type)b[i - nx - 1] : 0;         \
      x[i] += rr * (up - 2 * at + down) + (left - 2 * mid + right) + rb * (here - west - north + corner);                      \
    }                                                                                                                         \
  }
ADJOINT_ROW(adjoint_row, pri_real)
ADJOINT_ROW(adjoint_row_wide, double)

struct back {
  const struct schatten *h;
  pri_real *x;
  double *wide;
  const pri_real *q;
};

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct back *t = arg;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++)
    if (t->x) adjoint_row(t->h, t->x, t->q, row);
    else adjoint_row_wide(t->h, t->wide, t->q, row);
  return PRI_OK;
}

static ptrdiff_t grain(const struct schatten *h) { return h->nx < 8192 ? 8192 / h->nx : 1; }

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct schatten *h = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) PRI_TRY(pri_par_for(ctx, h->planes * h->ny, grain(h), forward_rows, &(struct rows){h, q + 3 * i * h->n, x + i * h->n}));
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct schatten *h = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) PRI_TRY(pri_par_for(ctx, h->planes * h->ny, grain(h), adjoint_rows, &(struct back){h, x + i * h->n, NULL, q + 3 * i * h->n}));
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct schatten *h = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) PRI_TRY(pri_par_for(ctx, h->planes * h->ny, grain(h), adjoint_rows, &(struct back){h, NULL, x + i * h->n, q + 3 * i * h->n}));
  return PRI_OK;
}

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct schatten *h = priv;
  *aux = (pri_shape){0};
  *dual = (pri_shape){h->dom.nd + 1, {3}};
  for (int a = 0; a < h->dom.nd; a++) dual->n[a + 1] = h->dom.n[a];
  *norm_k = (pri_bound){4 + 4 * h->r * h->r, PRI_PROVEN};
  return PRI_OK;
}

/* ---- norms of 2 x 2 matrices (a, b; b, c), given as a, c, root 2 b */

struct eigen { double m, d; };

static struct eigen eigen_of(double a, double c, double b2) {
  const double half = (a - c) / 2;
  return (struct eigen){(a + c) / 2, sqrt(half * half + b2 * b2 / 2)};
}

static double norm_of(struct eigen e, int p) {
  const double m = fabs(e.m);
  if (p == ONE) return 2 * (m > e.d ? m : e.d);          /* |m + d| + |m - d| */
  return p == INF ? m + e.d : sqrt(2 * (m * m + e.d * e.d));
}

/* the nearest eigenvalues of dual norm <= w */
static struct eigen nearest(struct eigen e, int p, double w) {
  const double m = fabs(e.m), sign = e.m < 0 ? -1 : 1;
  if (p == TWO) {
    const double size = norm_of(e, TWO), f = size > w ? w / size : 1;
    return (struct eigen){f * e.m, f * e.d};
  }
  if (p == ONE) { /* dual: |m| + d <= w: each eigenvalue into [-w, w] */
    const double high = fmin(m + e.d, w), low = fmax(fmin(m - e.d, w), -w);
    return (struct eigen){sign * (high + low) / 2, (high - low) / 2};
  }
  return (struct eigen){sign * fmin(m, w / 2), fmin(e.d, w / 2)}; /* dual: 2 max(|m|, d) <= w: m and d are coordinates at right angles */
}

struct field {
  const struct schatten *h;
  pri_real *q;
  double w;
};

static int dual_of(int p) { return p == ONE ? INF : p == INF ? ONE : TWO; }

static pri_status project_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct field *f = arg;
  const ptrdiff_t n = f->h->n;
  const int p = f->h->p, dual = dual_of(p);
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double a = (double)f->q[i], c = (double)f->q[n + i], b = (double)f->q[2 * n + i];
    const struct eigen e = eigen_of(a, c, b);
    if (norm_of(e, dual) <= f->w) continue;
    const struct eigen to = nearest(e, p, f->w);
    const double turn = e.d > 0 ? to.d / e.d : 0; /* the same eigenvectors */
    f->q[i] = (pri_real)(to.m + turn * (a - c) / 2), f->q[n + i] = (pri_real)(to.m - turn * (a - c) / 2), f->q[2 * n + i] = (pri_real)(turn * b);
  }
  return PRI_OK;
}

static pri_status project(pri_ctx *ctx, const struct schatten *h, pri_real *q, double w, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++) PRI_TRY(pri_par_for(ctx, h->n, 1 << 12, project_some, &(struct field){h, q + 3 * i * h->n, w}));
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  (void)sigma, (void)each; /* an indicator's prox is the projection, whatever the step */
  return project(ctx, priv, q, weight(priv), items);
}

static double unit(void) { return sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON; }

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  return project(ctx, priv, q, weight(priv) * (1 - 8 * unit()), items); /* inside once rounded */
}

struct sum { const struct schatten *h; const pri_real *q; };

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  const ptrdiff_t n = s->h->n;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += norm_of(eigen_of((double)s->q[i], (double)s->q[n + i], (double)s->q[2 * n + i]), s->h->p);
  return sum;
}

static double outside_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  const ptrdiff_t n = s->h->n;
  double outside = 0;
  for (ptrdiff_t i = first; i < last; i++)
    if (!(norm_of(eigen_of((double)s->q[i], (double)s->q[n + i], (double)s->q[2 * n + i]), dual_of(s->h->p)) <= s->h->weight * (1 + 8 * unit()))) outside = INFINITY;
  return outside;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const struct schatten *h = priv;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = pri_sum(ctx, h->n, outside_block, &(struct sum){h, q + 3 * i * h->n});
  return PRI_OK;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const struct schatten *h = priv;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = h->weight * pri_sum(ctx, h->n, value_block, &(struct sum){h, kxw + 3 * i * h->n});
  return PRI_OK;
}

/* of the image itself, in double */
static double image_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  const struct schatten *h = s->h;
  const pri_real *x = s->q;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const ptrdiff_t y = i / h->nx % h->ny, z = i % h->nx, nx = h->nx;
    const double at = (double)x[i], a = y > 0 && y < h->ny - 1 ? (double)x[i + nx] - 2 * at + (double)x[i - nx] : 0;
    const double c = z > 0 && z < nx - 1 ? (double)x[i + 1] - 2 * at + (double)x[i - 1] : 0;
    const double b = y < h->ny - 1 && z < nx - 1 ? ((double)x[i + nx + 1] - (double)x[i + nx]) - ((double)x[i + 1] - at) : 0;
    sum += norm_of(eigen_of(h->r * h->r * a, c, ROOT2 * h->r * b), h->p);
  }
  return sum;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct schatten *h = priv;
  (void)w;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = h->weight * pri_sum(ctx, h->n, image_block, &(struct sum){h, x + i * h->n});
  return PRI_OK;
}

static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair, .value_wide = value_wide};

/* ---- variational */

static size_t scratch(const void *priv) { return pri_saddle_prox_scratch(&saddle, priv, ((const struct schatten *)priv)->n); }

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  (void)scratch_;
  return value_wide(ctx, priv, per_item, x, NULL, items);
}

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi, const pri_prox_req *req,
                       pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch_) {
  return pri_saddle_prox_items(ctx, &saddle, priv, ((const struct schatten *)priv)->n, p, z, lo, hi, req, per_item, q, w, items, scratch_);
}

static pri_bound lipschitz(const void *priv) {
  (void)priv;
  return (pri_bound){NAN, PRI_UNKNOWN}; /* not smooth */
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static const char *const norms[] = {"1", "2", "inf", NULL};
static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the sum; or auto:METHOD (chosen from the noise level)", .type = PRI_REAL,
     .flags = PRI_P_REQUIRED | PRI_P_WEIGHT, .offset = offsetof(struct schatten, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "p", .unit = "-", .help = "norm of the two eigenvalues: 1 (nuclear), 2 (Frobenius), inf (the larger one)", .type = PRI_CHOICE, .offset = offsetof(struct schatten, p),
     .choices = norms, .def = ONE},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.3,p=2", "weight=0.2,p=inf", NULL};
static const pri_variational variational = {.value = value, .prox = prox, .lipschitz = lipschitz, .convexity = convexity};
const pri_prior_class pri_prior_hessian_schatten = {
    .kind = {"hessian-schatten", "Schatten norm of the Hessian: sharp ridges and smooth slopes, no steps", "Lefkimmiatis, Ward, Unser 2013", sizeof(struct schatten), params, examples},
    .init = init, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational, .saddle = &saddle};
