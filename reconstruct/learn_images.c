/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_images.c - the lower level of imaging: h_i(x) = 1/2 |A x - y_i|^2 + R_theta(x) + floor/2 |x|^2.
 *
 *   grad h = (A'A + floor) x - A'y_i + grad R,  H = A'A + floor + d2R,  J = d grad R / d theta,  mu = lambda_min(A'A) + floor + mu_R
 * A sample of SURE is two images, of y_i and of y_i + step b_i (learn_upper.c): H and J then act on each, and the constants are the same.
 * Total generalised variation has fields of its own beside the image (learn_tgv.c): unknown X = (x, v), of which A sees x; mu = min(lambda_min(A'A) +
 * floor, mu_R on v).
 * Where mu_R is not proven (a potential that is not convex) a tenth of lambda_min(A'A) + floor stands in for mu: an estimate, and called one.
 */
#include <math.h>
#include <string.h>
#include "learn.h"
#include "learn_tgv.h"
#include "vec.h"

typedef struct images {
  pri_lower_problem p;
  const pri_operator_class *op;
  const pri_prior_class *prior;  /* NULL: p.tgv */
  const pri_learnable *face;
  const void *opriv, *rpriv;
  ptrdiff_t n, all, range;       /* of one image, with its fields, of its data */
  int copies, identity, norm_proven;
  size_t ntheta, cache, op_scratch, prior_scratch; /* elements; bytes */
  double norm2, floor_a;         /* |A|^2 from above; lambda_min(A'A) from below */
  pri_real *aty;                 /* [m][copies][n] A'y */
} images;
typedef struct desk { pri_real *data, *t, *cache; double *theta; void *op_scratch, *prior_scratch; } desk;

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

typedef struct layout { size_t data, t, theta, op, prior, cache, all; } layout; /* where each begins */

static layout plan(const images *v) {
  const size_t data = 0, t = data + aligned((size_t)v->range * sizeof(pri_real)), theta = t + aligned((size_t)v->all * sizeof(pri_real));
  const size_t op = theta + aligned(v->ntheta * sizeof(double)), prior = op + aligned(v->op_scratch), cache = prior + aligned(v->prior_scratch);
  return (layout){data, t, theta, op, prior, cache, cache + (size_t)v->copies * aligned(v->cache * sizeof(pri_real))};
}

static size_t room(const void *priv) { return plan(priv).all; }

static desk lay_out(const images *v, void *memory, int copy) {
  const layout l = plan(v);
  char *at = memory;
  return (desk){.data = (void *)(at + l.data), .t = (void *)(at + l.t), .theta = (void *)(at + l.theta), .op_scratch = at + l.op, .prior_scratch = at + l.prior,
                .cache = (void *)(at + l.cache + (size_t)copy * aligned(v->cache * sizeof(pri_real)))};
}

/* z = A'A x; a class may say only when asked that it has no normal of its own (blur: where A'(A x) is faster) */
static pri_status bare_normal(pri_ctx *ctx, const images *v, const desk *k, pri_real *z, const pri_real *x) {
  const pri_status s = v->op->normal ? v->op->normal(ctx, v->opriv, z, x, 1, k->op_scratch) : PRI_ENOTSUP;
  if (s != PRI_ENOTSUP) return s;
  PRI_TRY(v->op->apply(ctx, v->opriv, k->data, x, 1, k->op_scratch));
  return v->op->adjoint(ctx, v->opriv, z, k->data, 1, k->op_scratch);
}

/* z = (A'A + floor) x */
static pri_status normal(pri_ctx *ctx, const images *v, const desk *k, pri_real *z, const pri_real *x) {
  if (v->identity) pri_copy(ctx, z, x, v->n);
  else PRI_TRY(bare_normal(ctx, v, k, z, x));
  if (v->p.floor > 0) pri_axpy(ctx, z, v->p.floor, x, v->n);
  return PRI_OK;
}

static pri_status grad_of_prior(pri_ctx *ctx, const images *v, const desk *k, const pri_real *x) {
  if (v->p.tgv) return pri_learn_tgv_grad(ctx, v->p.tgv, k->t, x, k->cache, k->prior_scratch);
  return v->prior->variational->grad(ctx, v->rpriv, k->t, x, 1, k->prior_scratch);
}

static pri_status gradient(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *g, const pri_real *x) {
  const images *v = priv;
  for (int c = 0; c < v->copies; c++, g += v->all, x += v->all) {
    const desk k = lay_out(v, memory, c);
    PRI_TRY(normal(ctx, v, &k, g, x));
    pri_axpy(ctx, g, -1, v->aty + (i * v->copies + c) * v->n, v->n);
    if (v->all > v->n) pri_fill(ctx, g + v->n, 0, v->all - v->n);
    PRI_TRY(grad_of_prior(ctx, v, &k, x));
    pri_axpy(ctx, g, 1, k.t, v->all);
  }
  return PRI_OK;
}

/* <x, (A'A + floor) x> / 2 - <x, A'y> + R(x): h but for |y|^2 / 2 */
static pri_status value(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x, double *h) {
  const images *v = priv;
  *h = 0;
  for (int c = 0; c < v->copies; c++, x += v->all) {
    const desk k = lay_out(v, memory, c);
    double R = NAN;
    PRI_TRY(normal(ctx, v, &k, k.t, x));
    *h += pri_dot(ctx, k.t, x, v->n) / 2 - pri_dot(ctx, v->aty + (i * v->copies + c) * v->n, x, v->n);
    if (v->p.tgv) PRI_TRY(pri_learn_tgv_value(ctx, v->p.tgv, &R, x, k.cache));
    else PRI_TRY(v->prior->variational->value(ctx, v->rpriv, &R, x, 1, k.prior_scratch));
    *h += R;
  }
  return PRI_OK;
}

static pri_status start(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *x) { /* A'y / |A|^2, no fields */
  const images *v = priv;
  (void)memory;
  for (int c = 0; c < v->copies; c++, x += v->all) {
    pri_copy(ctx, x, v->aty + (i * v->copies + c) * v->n, v->n);
    pri_scale(ctx, x, 1 / v->norm2, v->n);
    if (v->all > v->n) pri_fill(ctx, x + v->n, 0, v->all - v->n);
  }
  return PRI_OK;
}

static pri_status prepare(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x) {
  const images *v = priv;
  (void)i;
  for (int c = 0; c < v->copies; c++) PRI_TRY(v->face->prepare(ctx, v->rpriv, x + c * v->all, lay_out(v, memory, c).cache, 1));
  return PRI_OK;
}

static pri_status product(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *hv, const pri_real *u) {
  const images *v = priv;
  (void)i;
  for (int c = 0; c < v->copies; c++, hv += v->all, u += v->all) {
    const desk k = lay_out(v, memory, c);
    PRI_TRY(normal(ctx, v, &k, hv, u));
    if (v->all > v->n) pri_fill(ctx, hv + v->n, 0, v->all - v->n);
    PRI_TRY(v->face->hessvec(ctx, v->rpriv, k.t, u, k.cache, 1, k.prior_scratch));
    pri_axpy(ctx, hv, 1, k.t, v->all);
  }
  return PRI_OK;
}

static pri_status mixed(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *out, const double *dtheta) {
  const images *v = priv;
  (void)i;
  for (int c = 0; c < v->copies; c++) {
    const desk k = lay_out(v, memory, c);
    PRI_TRY(v->face->mixed(ctx, v->rpriv, out + c * v->all, dtheta, k.cache, 1, k.prior_scratch));
  }
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, double *out, const pri_real *u) {
  const images *v = priv;
  (void)i;
  memset(out, 0, v->ntheta * sizeof *out);
  for (int c = 0; c < v->copies; c++) {
    const desk k = lay_out(v, memory, c);
    PRI_TRY(v->face->mixed_t(ctx, v->rpriv, k.theta, u + c * v->all, k.cache, 1, k.prior_scratch));
    for (size_t j = 0; j < v->ntheta; j++) out[j] += k.theta[j];
  }
  return PRI_OK;
}

static double modulus(const images *v, const pri_bound *mu) {
  const double floor = v->floor_a + v->p.floor;
  if (v->p.tgv) return fmin(floor, mu->value);
  return mu->trust >= PRI_PROVEN ? floor + mu->value : fmax(floor + mu->value, 0.1 * floor);
}

static pri_status theta(pri_ctx *ctx, void *priv, const double *at, pri_lower_constants *out) {
  images *v = priv;
  pri_bound mu, lip, hess, mixed_lip, norm;
  PRI_TRY(v->p.tgv ? v->face->set_theta(ctx, v->p.tgv, at) : pri_prior_set_theta(v->p.R, at));
  PRI_TRY(v->face->constants(v->rpriv, &mu, &lip, &hess, &mixed_lip, &norm));
  if (lip.trust == PRI_UNKNOWN) return PRI_FAIL(ctx, PRI_ENOTSUP, "learn: %s does not know its largest curvature", v->prior->kind.name);
  const int few = v->ntheta <= PRI_LOWER_FEW;
  *out = (pri_lower_constants){.mu = modulus(v, &mu), .L = v->norm2 + v->p.floor + lip.value, .hess_lip = hess.value, .mixed_lip = mixed_lip.value,
                               .mixed_norm = sqrt((double)v->copies) * norm.value, .mu_proven = mu.trust >= PRI_PROVEN && v->norm_proven};
  out->proven = out->mu_proven && hess.trust >= PRI_PROVEN && mixed_lip.trust >= PRI_PROVEN && (few || (norm.trust >= PRI_PROVEN && isfinite(norm.value)));
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  images *v = priv;
  if (!v) return;
  pri_free(ctx, v->aty);
  pri_free(ctx, v);
}

static const pri_lower_class class_ = {.name = "images", .desk = room, .theta = theta, .start = start, .gradient = gradient, .prepare = prepare, .product = product, .mixed = mixed,
                                       .mixed_t = mixed_t, .fini = fini, .value = value};

/* ---- making one */

static pri_status fits(pri_ctx *ctx, const images *v) {
  const pri_array *y = v->p.y, *truth = v->p.truth;
  if (!v->face) return PRI_FAIL(ctx, PRI_EPARAM, "learn: %s has no parameters that can be learned", v->prior->kind.name);
  if (pri_shape_size(&y->shape) != v->range) return PRI_FAIL(ctx, PRI_ESHAPE, "learn: measurements of %td values do not go with an operator that gives %td", pri_shape_size(&y->shape), v->range);
  if (truth && (y->items != truth->items || pri_shape_size(&truth->shape) != v->n))
    return PRI_FAIL(ctx, PRI_ESHAPE, "learn: %td measurements of %td values do not go with %td images of %td pixels", y->items, v->range, truth->items, pri_shape_size(&truth->shape));
  return PRI_OK;
}

static void take_prior(images *v) {
  if (v->p.tgv) {
    v->face = &pri_learn_tgv_face, v->rpriv = v->p.tgv;
    return;
  }
  v->prior = pri_prior_class_of(v->p.R, &v->rpriv);
  v->face = v->prior->variational && v->prior->variational->grad ? v->prior->learnable : NULL;
}

static pri_status take_problem(pri_ctx *ctx, images *v, const pri_lower_problem *p) {
  v->p = *p;
  v->op = pri_operator_class_of(p->A, &v->opriv);
  take_prior(v);
  v->n = pri_shape_size(pri_operator_domain(p->A)), v->all = v->n * (p->tgv ? 1 + p->tgv->s.nd : 1), v->range = pri_shape_size(pri_operator_range(p->A));
  v->copies = p->loss == PRI_LOSS_SURE ? PRI_SURE_COPIES : 1;
  PRI_TRY(fits(ctx, v));
  v->identity = (pri_operator_flags(p->A) & PRI_OP_IDENTITY) != 0;
  const pri_bound norm = pri_operator_norm(p->A);
  v->norm_proven = v->identity || norm.trust >= PRI_PROVEN;
  const double safe = norm.trust >= PRI_PROVEN ? norm.value : 1.01 * norm.value;
  v->norm2 = v->identity ? 1 : safe * safe, v->floor_a = v->identity ? 1 : 0;
  v->ntheta = v->face->ntheta(v->rpriv), v->cache = v->face->cache(v->rpriv);
  v->op_scratch = v->op->scratch ? v->op->scratch(v->opriv) : 0;
  v->prior_scratch = p->tgv ? pri_learn_tgv_scratch(p->tgv) : v->prior->scratch ? v->prior->scratch(v->rpriv) : 0;
  return v->norm2 > 0 && isfinite(v->norm2) ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "learn: the operator has the norm %g", norm.value);
}

/* A'y and, for SURE, A'(y + step b) */
static pri_status back_project(pri_ctx *ctx, images *v) {
  const pri_lower_problem *p = &v->p;
  pri_array data = {0}, image = {0};
  PRI_ALLOC(ctx, v->aty, p->y->items * v->copies * v->n);
  pri_status s = pri_array_create(ctx, &data, &p->y->shape, 1);
  if (s == PRI_OK) s = pri_array_create(ctx, &image, pri_operator_domain(p->A), 1);
  for (ptrdiff_t i = 0; i < p->y->items * v->copies && s == PRI_OK; i++) {
    const ptrdiff_t sample = i / v->copies;
    pri_copy(ctx, data.data, p->y->data + sample * v->range, v->range);
    for (ptrdiff_t k = 0; k < v->range && i % v->copies; k++) data.data[k] += (pri_real)(pri_sure_step(p->sd) * pri_sure_probe(sample, k));
    s = pri_operator_adjoint(p->A, &image, &data);
    if (s == PRI_OK) pri_copy(ctx, v->aty + i * v->n, image.data, v->n);
  }
  pri_array_destroy(&data);
  pri_array_destroy(&image);
  return s;
}

pri_status pri_lower_images(pri_ctx *ctx, pri_lower **out, const pri_lower_problem *p) {
  images *v = pri_calloc(ctx, 1, sizeof *v);
  pri_upper upper = {0};
  *out = NULL;
  if (!v) return pri_ctx_code(ctx);
  pri_status s = take_problem(ctx, v, p);
  if (s == PRI_OK) s = back_project(ctx, v);
  if (s == PRI_OK) s = pri_upper_create(ctx, &upper, p, v->norm2, v->all);
  if (s != PRI_OK) return fini(ctx, v), s;
  const pri_lower_level level = {.c = &class_, .priv = v, .m = p->y->items, .n = v->copies * v->all, .ntheta = v->ntheta};
  return pri_lower_create(ctx, out, &level, &upper);
}
