/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight_constant.c - weight=rel:V: the smallest weight whose solution is constant. */
#include "vec.h"
#include "weight.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

/* g = gradient of f(A x) at the best constant image, which it is orthogonal to; f quadratic along the constants, else one Newton
   step */
static pri_status gradient_at_constant(pri_ctx *ctx, const pri_problem *p, const pri_array *one, pri_array *a, pri_array *z,
                                       pri_array *g) {
  const void *priv;
  const pri_fidelity_class *f = pri_fidelity_class_of(p->f, &priv);
  const ptrdiff_t k = a->items, m = pri_shape_size(&a->shape);
  PRI_TRY(pri_map_apply(p->A, a, one));
  pri_fill(ctx, z->data, 0, k * m);
  PRI_TRY(f->grad(ctx, priv, z->data, z->data, 0, k));
  double at0[3] = {0}, at1;
  for (ptrdiff_t i = 0; i < k; i++) at0[i] = pri_dot(ctx, pri_array_item(z, i), pri_array_item(a, i), m);
  PRI_TRY(f->grad(ctx, priv, z->data, a->data, 0, k));
  for (ptrdiff_t i = 0; i < k; i++) {
    at1 = pri_dot(ctx, pri_array_item(z, i), pri_array_item(a, i), m);
    pri_scale(ctx, pri_array_item(a, i), at1 > at0[i] ? -at0[i] / (at1 - at0[i]) : 0, m); /* A (c 1) */
  }
  PRI_TRY(f->grad(ctx, priv, z->data, a->data, 0, k));
  return pri_operator_adjoint(pri_map_linear(p->A), g, z);
}

static pri_status constant_weights(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, pri_array *one, pri_array *a,
                                   pri_array *z, double *weight) {
  const void *priv;
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  double each[3];
  pri_fill(ctx, one->data, 1, one->items * pri_shape_size(&one->shape));
  PRI_TRY(gradient_at_constant(ctx, p, one, a, z, one));
  PRI_TRY(c->constant_weight(ctx, priv, one->data, each, one->items, pri_prior_scratch(R)));
  gsl_sort(each, 1, (size_t)one->items);
  *weight = gsl_stats_median_from_sorted_data(each, 1, (size_t)one->items);
  return PRI_OK;
}

pri_status pri_weight_constant(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight) {
  const void *priv;
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  const pri_array *y = pri_fidelity_data(p->f);
  pri_array one = {0}, a = {0}, z = {0};
  if (!c->constant_weight) return PRI_FAIL(ctx, PRI_ENOTSUP, "%s: weight=rel:V is not offered; give a weight", c->kind.name);
  if (!pri_fidelity_class_of(p->f, &priv)->grad || !pri_map_linear(p->A))
    return PRI_FAIL(ctx, PRI_ENOTSUP, "%s: weight=rel:V needs a smooth data term and a linear operator; give a weight",
                    c->kind.name);
  if (y->items > 3)
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: weight=rel:V is found on at most 3 slices, not %td", c->kind.name, y->items);
  pri_status s = pri_array_create(ctx, &one, pri_map_domain(p->A), y->items);
  if (s == PRI_OK) s = pri_array_create(ctx, &a, &y->shape, y->items);
  if (s == PRI_OK) s = pri_array_create(ctx, &z, &y->shape, y->items);
  if (s == PRI_OK) s = constant_weights(ctx, p, R, &one, &a, &z, weight);
  pri_array_destroy(&one), pri_array_destroy(&a), pri_array_destroy(&z);
  return s;
}
