/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cgls.c - conjugate gradients on the normal equations of (1/2) |A x - y|_W^2 + sum_r <x, H_r x> / 2.
 *
 *   z_0 = A x_0;   s = -( A' f'(z) + H x ),   d = s,   gamma = |s|^2
 *   q = A d;   alpha = gamma / ( <q, W q> + <d, H d> );   x += alpha d,   z += alpha q
 *   s = -( A' f'(z) + H x ),   gamma+ = |s|^2,   d = s + (gamma+ / gamma) d,   gamma = gamma+
 *
 * f(z) = (1/2) |z - y|_W^2, so that the gradient is taken anew from x and z in every step, as in CGLS: it does not drift as that of
 * the normal equations does. One step from 0 is alpha A'y. Source: Hestenes, Stiefel 1952; Bjorck 1996, alg. 7.4.1.
 * The box does not enter the iteration: the picture handed out is clipped into it (spec rising_ct, 11: "CGLS, clipped").
 */
#include <math.h>
#include "split.h"
#include "vec.h"

struct cgls {
  pri_split s;
  pri_array x, clipped, z, d, g, h, q, r; /* h: a prior's gradient; q: A d; r: in the data */
  pri_array curvature;                    /* W */
  double *gamma;                          /* [items]; negative: not begun */
};

static const char *misfit(const pri_problem *p) { return pri_split_misfit(p, "cgls", PRI_NEEDS_QUADRATIC | PRI_NEEDS_GRAD); }

static pri_status arrays_init(pri_ctx *ctx, struct cgls *c) {
  pri_array *const image[] = {&c->clipped, &c->d, &c->g}, *const data[] = {&c->z, &c->q, &c->r, &c->curvature};
  for (int i = 0; i < 3; i++) PRI_TRY(pri_array_create(ctx, image[i], &c->s.dom, c->s.items));
  for (int i = 0; i < 4; i++) PRI_TRY(pri_array_create(ctx, data[i], &c->s.ran, c->s.items));
  return c->s.nR ? pri_array_create(ctx, &c->h, &c->s.dom, c->s.items) : PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct cgls *c = priv;
  PRI_TRY(pri_split_init(ctx, &c->s, p, 0));
  PRI_TRY(arrays_init(ctx, c));
  PRI_TRY(pri_split_start(ctx, &c->s, &c->x, x0));
  pri_copy(ctx, c->clipped.data, c->x.data, c->s.n * c->s.items);
  PRI_ALLOC(ctx, c->gamma, c->s.items);
  for (ptrdiff_t i = 0; i < c->s.items; i++) c->gamma[i] = -1;
  if (!c->s.f->curvature) return PRI_FAIL(ctx, PRI_ENOTSUP, "cgls cannot use this fidelity: %s gives no curvature", c->s.f->kind.name);
  return c->s.f->curvature(ctx, c->s.fp, c->curvature.data, c->z.data, 0, c->s.items);
}

/* out += H v, summed over the priors */
static pri_status add_priors(pri_ctx *ctx, struct cgls *c, pri_real *out, const pri_real *v, ptrdiff_t first, ptrdiff_t items) {
  for (int r = 0; r < c->s.nR; r++) {
    const pri_block *b = &c->s.R[r];
    pri_real *h = pri_array_item(&c->h, first);
    PRI_TRY(b->cls->variational->grad(ctx, b->priv, h, v, items, c->s.scratch));
    pri_axpy(ctx, out, 1, h, c->s.n * items);
  }
  return PRI_OK;
}

/* g = A' f'(z) + H x */
static pri_status gradient(pri_ctx *ctx, struct cgls *c, ptrdiff_t first, ptrdiff_t items) {
  PRI_TRY(c->s.f->grad(ctx, c->s.fp, pri_array_item(&c->r, first), pri_array_item(&c->z, first), first, items));
  PRI_TRY(pri_split_adjoint(&c->s, c->g.data, c->r.data, first, items));
  return add_priors(ctx, c, pri_array_item(&c->g, first), pri_array_item(&c->x, first), first, items);
}

/* first step of these items: z = A x, d = -gradient */
static pri_status begin(pri_ctx *ctx, struct cgls *c, ptrdiff_t first, ptrdiff_t items, pri_report *per_item) {
  const ptrdiff_t n = c->s.n;
  PRI_TRY(pri_split_apply(&c->s, c->z.data, c->x.data, first, items));
  PRI_TRY(gradient(ctx, c, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    const pri_real *g = pri_array_item(&c->g, i);
    c->gamma[i] = pri_norm2sq(ctx, g, n);
    pri_axpby(ctx, pri_array_item(&c->d, i), -1, g, 0, n);
    per_item[i - first].applies += pri_norm2sq(ctx, pri_array_item(&c->x, i), n) > 0 ? 1 : 0; /* A 0 costs nobody anything */
    per_item[i - first].adjoints += 1;
  }
  return PRI_OK;
}

struct weighted { const pri_real *q, *w; };
static double weighted_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct weighted *v = arg;
  double s = 0;
  for (ptrdiff_t i = first; i < last; i++) s += (double)v->q[i] * (double)v->q[i] * (double)v->w[i];
  return s;
}

/* alpha of one item; r holds H d. 0: at the minimum */
static double step_length(pri_ctx *ctx, const struct cgls *c, ptrdiff_t i, const pri_real *Hd) {
  const struct weighted v = {pri_array_item(&c->q, i), pri_array_item(&c->curvature, i)};
  const double curvature = pri_sum(ctx, c->s.m, weighted_block, &v) + (Hd ? pri_dot(ctx, Hd, pri_array_item(&c->d, i), c->s.n) : 0);
  return curvature > 0 || isnan(curvature) ? c->gamma[i] / curvature : 0;
}

/* x, z move along d */
static pri_status move(pri_ctx *ctx, struct cgls *c, ptrdiff_t first, ptrdiff_t items, pri_report *per_item) {
  const ptrdiff_t n = c->s.n;
  PRI_TRY(pri_split_apply(&c->s, c->q.data, c->d.data, first, items));
  if (c->s.nR) {
    pri_fill(ctx, pri_array_item(&c->g, first), 0, n * items);
    PRI_TRY(add_priors(ctx, c, pri_array_item(&c->g, first), pri_array_item(&c->d, first), first, items));
  }
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_report *r = &per_item[i - first];
    pri_real *x = pri_array_item(&c->x, i), *shown = pri_array_item(&c->clipped, i);
    const double alpha = step_length(ctx, c, i, c->s.nR ? pri_array_item(&c->g, i) : NULL);
    pri_axpy(ctx, x, alpha, pri_array_item(&c->d, i), n);
    pri_axpy(ctx, pri_array_item(&c->z, i), alpha, pri_array_item(&c->q, i), c->s.m);
    r->change = fabs(alpha) * sqrt(pri_norm2sq(ctx, pri_array_item(&c->d, i), n) / fmax(pri_norm2sq(ctx, x, n), 1e-300));
    r->step = alpha;
    r->applies += 1;
    pri_copy(ctx, shown, x, n);
    pri_clip(ctx, shown, c->s.problem->lo[i], c->s.problem->hi[i], n);
  }
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct cgls *c = priv;
  (void)want;
  for (ptrdiff_t i = first; i < first + items; i++)
    if (c->gamma[i] < 0) PRI_TRY(begin(ctx, c, i, 1, per_item + (i - first)));
  PRI_TRY(move(ctx, c, first, items, per_item));
  PRI_TRY(gradient(ctx, c, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    const pri_real *g = pri_array_item(&c->g, i);
    const double after = pri_norm2sq(ctx, g, c->s.n), beta = c->gamma[i] > 0 ? after / c->gamma[i] : 0;
    pri_axpby(ctx, pri_array_item(&c->d, i), -1, g, beta, c->s.n);
    c->gamma[i] = after;
    per_item[i - first].adjoints += 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct cgls *)priv)->clipped; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct cgls *c = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "x", &c->x));
  PRI_TRY(pri_walk_array(w, "clipped", &c->clipped));
  PRI_TRY(pri_walk_array(w, "z", &c->z));
  PRI_TRY(pri_walk_array(w, "d", &c->d));
  return pri_walk_bytes(w, "gamma", c->gamma, (size_t)c->s.items * sizeof *c->gamma);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct cgls *c = priv;
  pri_array *const arrays[] = {&c->x, &c->clipped, &c->z, &c->d, &c->g, &c->h, &c->q, &c->r, &c->curvature};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(ctx, c->gamma);
  pri_split_fini(ctx, &c->s);
}

static const pri_param params[] = {{0}};
static const char *const examples[] = {"", NULL};
const pri_solver_class pri_solver_cgls = {
    .kind = {"cgls", "conjugate gradients for least squares and quadratic priors", "Hestenes, Stiefel 1952", sizeof(struct cgls), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
