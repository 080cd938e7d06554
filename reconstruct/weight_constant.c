/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight_constant.c - weights in the scale of the data, from the gradient g of f(A x) at the best constant image c:
 *   rel:V     V w*, w* the smallest weight whose solution is constant (the prior's constant_weight)
 *   spread:V  V |g| / sqrt(n), for any prior: at a solution the gradient of f(A x) is in -w dR(1), so that what is left of the data is of the order
 *             of V times their spread (identity, ls: exactly their standard deviation). With a quadratic prior both scale with the image, and w is V
 *             times the curvature of f(A x) along the constants.
 */
#include "vec.h"
#include "weight.h"
#include <math.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

struct looked { /* what the three arrays and the gradient need */
  pri_array g, a, z;
  double curvature[3]; /* of f(A x) along the constants, a pixel */
};

/* l->g: gradient of f(A x) at the best constant image, which it is orthogonal to; f quadratic along the constants, else one Newton step */
static pri_status gradient_at_constant(pri_ctx *ctx, const pri_problem *p, struct looked *l) {
  const void *priv;
  const pri_fidelity_class *f = pri_fidelity_class_of(p->f, &priv);
  pri_array *a = &l->a, *z = &l->z;
  const ptrdiff_t k = a->items, m = pri_shape_size(&a->shape), n = pri_shape_size(&l->g.shape);
  pri_fill(ctx, l->g.data, 1, k * n);
  PRI_TRY(pri_map_apply(p->A, a, &l->g));
  pri_fill(ctx, z->data, 0, k * m);
  PRI_TRY(f->grad(ctx, priv, z->data, z->data, 0, k));
  double at0[3] = {0}, at1;
  for (ptrdiff_t i = 0; i < k; i++) at0[i] = pri_dot(ctx, pri_array_item(z, i), pri_array_item(a, i), m);
  PRI_TRY(f->grad(ctx, priv, z->data, a->data, 0, k));
  for (ptrdiff_t i = 0; i < k; i++) {
    at1 = pri_dot(ctx, pri_array_item(z, i), pri_array_item(a, i), m);
    l->curvature[i] = (at1 - at0[i]) / (double)n;
    pri_scale(ctx, pri_array_item(a, i), at1 > at0[i] ? -at0[i] / (at1 - at0[i]) : 0, m); /* A (c 1) */
  }
  PRI_TRY(f->grad(ctx, priv, z->data, a->data, 0, k));
  return pri_operator_adjoint(pri_map_linear(p->A), &l->g, z);
}

static pri_status look(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, const char *what, struct looked *l) {
  const pri_array *y = pri_fidelity_data(p->f);
  const char *name = pri_prior_class_of(R, NULL)->kind.name;
  if (!pri_fidelity_class_of(p->f, &(const void *){0})->grad || !pri_map_linear(p->A))
    return PRI_FAIL(ctx, PRI_ENOTSUP, "%s: weight=%s:V needs a smooth data term and a linear operator; give a weight", name, what);
  if (y->items > 3) return PRI_FAIL(ctx, PRI_EPARAM, "%s: weight=%s:V is found on at most 3 slices, not %td", name, what, y->items);
  PRI_TRY(pri_array_create(ctx, &l->g, pri_map_domain(p->A), y->items));
  PRI_TRY(pri_array_create(ctx, &l->a, &y->shape, y->items));
  PRI_TRY(pri_array_create(ctx, &l->z, &y->shape, y->items));
  return gradient_at_constant(ctx, p, l);
}

static void unlook(struct looked *l) { pri_array_destroy(&l->g), pri_array_destroy(&l->a), pri_array_destroy(&l->z); }

static double median(double *each, ptrdiff_t n) {
  gsl_sort(each, 1, (size_t)n);
  return gsl_stats_median_from_sorted_data(each, 1, (size_t)n);
}

pri_status pri_weight_constant(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight) {
  const void *priv;
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  struct looked l = {0};
  double each[3];
  if (!c->constant_weight) return PRI_FAIL(ctx, PRI_ENOTSUP, "%s: weight=rel:V is not offered; give spread:V, or a number", c->kind.name);
  pri_status s = look(ctx, p, R, "rel", &l);
  if (s == PRI_OK) s = c->constant_weight(ctx, priv, l.g.data, each, l.g.items, pri_prior_scratch(R));
  if (s == PRI_OK) *weight = median(each, l.g.items);
  unlook(&l);
  return s;
}

pri_status pri_weight_spread(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight) {
  const pri_prior_class *c = pri_prior_class_of(R, NULL);
  const int quadratic = c->variational && c->variational->quadratic;
  struct looked l = {0};
  double each[3];
  pri_status s = look(ctx, p, R, "spread", &l);
  for (ptrdiff_t i = 0; i < l.g.items && s == PRI_OK; i++) {
    const ptrdiff_t n = pri_shape_size(&l.g.shape);
    const double sd = sqrt(pri_norm2sq(ctx, pri_array_item(&l.g, i), n) / (double)n);
    each[i] = quadratic || !(sd > 0) ? l.curvature[i] : sd; /* constant data: any weight will do */
  }
  if (s == PRI_OK) *weight = median(each, l.g.items);
  unlook(&l);
  return s;
}
