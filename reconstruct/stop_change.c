/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stop_change.c - PRI_CONVERGED where |x_k - x_{k-1}| <= tol |x_k| in `count` steps on end. Says that the iteration has become slow, not
 * how far the minimum is: that is what gap says. One small step is no sign (adaptive and momentum methods make some), hence the count.
 */
#include <math.h>
#include "priori/solver.h"

struct change {
  double tol;
  long count;
  ptrdiff_t items;
  long *small; /* [items] steps on end below tol */
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  struct change *c = priv;
  (void)p;
  c->items = items;
  PRI_ALLOC(ctx, c->small, items);
  return PRI_OK;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  struct change *c = priv;
  (void)ctx, (void)x;
  for (ptrdiff_t i = 0; i < c->items; i++) {
    if (v[i] != PRI_GO) continue;
    c->small[i] = per_item[i].change <= c->tol ? c->small[i] + 1 : 0;
    if (c->small[i] >= c->count) v[i] = PRI_CONVERGED;
  }
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct change *c = priv;
  (void)ctx;
  return pri_walk_bytes(w, "small", c->small, (size_t)c->items * sizeof *c->small);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct change *)priv)->small); }

static const pri_param params[] = {
    {.name = "tol", .unit = "1", .help = "largest norm2(x_k - x_(k-1)) / norm2(x_k)", .type = PRI_REAL, .flags = PRI_P_REQUIRED,
     .offset = offsetof(struct change, tol), .min = 0, .max = 1, .def = NAN},
    {.name = "count", .unit = "steps", .help = "steps on end", .type = PRI_INT, .offset = offsetof(struct change, count), .min = 1, .max = 1e6, .def = 3},
    {0}};
static const char *const examples[] = {"1e-5", "tol=1e-4,count=1", NULL};
const pri_monitor_class pri_monitor_change = {
    .kind = {"change", "stops where the image hardly changes any more", "", sizeof(struct change), params, examples},
    .init = init, .observe = observe, .walk = walk, .fini = fini};
