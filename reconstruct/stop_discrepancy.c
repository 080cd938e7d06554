/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stop_discrepancy.c - PRI_CONVERGED where |A x - y| <= factor * noise * sqrt(m): Morozov's principle, which makes the number of steps
 * of an unregularised method the regularisation. m: elements of y; noise: standard deviation of one. A guarantee.
 * Source: Morozov 1966; factor 1.02: spec rising_ct 4.1.
 */
#include <math.h>
#include "priori/solver.h"

struct discrepancy {
  double factor, goal;
  ptrdiff_t items;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  struct discrepancy *d = priv;
  if (!(p->noise >= 0))
    return PRI_FAIL(ctx, PRI_EPARAM, "discrepancy: the noise level is not known; give --noise-level sd:V, relative:V or auto");
  d->items = items;
  d->goal = d->factor * p->noise * sqrt((double)pri_shape_size(&pri_fidelity_data(p->f)->shape));
  return PRI_OK;
}

static unsigned wants(const void *priv, ptrdiff_t item, long k) {
  (void)priv, (void)item, (void)k;
  return PRI_WANT_RESIDUAL;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  const struct discrepancy *d = priv;
  (void)ctx, (void)x;
  for (ptrdiff_t i = 0; i < d->items; i++)
    if (v[i] == PRI_GO && per_item[i].residual <= d->goal) v[i] = PRI_CONVERGED;
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx, (void)priv, (void)w;
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "factor", .unit = "1", .help = "on the noise norm", .type = PRI_REAL, .offset = offsetof(struct discrepancy, factor),
     .min = 0.01, .max = 100, .def = 1.02},
    {0}};
static const char *const examples[] = {"", "1.1", NULL};
const pri_monitor_class pri_monitor_discrepancy = {
    .kind = {"discrepancy", "stops where the residual is that of the noise: a guarantee", "Morozov 1966", sizeof(struct discrepancy), params, examples},
    .init = init, .wants = wants, .observe = observe, .walk = walk};
