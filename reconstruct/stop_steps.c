/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stop_steps.c - a budget of steps: PRI_OUT_OF_STEPS when k >= count. A step of a subset solver is a full pass. */
#include <math.h>
#include "priori/solver.h"

struct steps {
  long count;
  ptrdiff_t items;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  (void)ctx, (void)p;
  ((struct steps *)priv)->items = items;
  return PRI_OK;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  const struct steps *s = priv;
  (void)ctx, (void)x;
  for (ptrdiff_t i = 0; i < s->items; i++)
    if (v[i] == PRI_GO && per_item[i].k >= s->count) v[i] = PRI_OUT_OF_STEPS;
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx, (void)priv, (void)w;
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "count", .unit = "steps", .help = "steps of each item", .type = PRI_INT, .flags = PRI_P_REQUIRED, .offset = offsetof(struct steps, count),
     .min = 1, .max = 1e9, .def = NAN},
    {0}};
static const char *const examples[] = {"10", NULL};
const pri_monitor_class pri_monitor_steps = {
    .kind = {"steps", "stops each item after a number of steps", "", sizeof(struct steps), params, examples},
    .init = init, .observe = observe, .walk = walk};
