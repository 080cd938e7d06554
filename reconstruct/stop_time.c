/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stop_time.c - a budget of wall time: PRI_OUT_OF_TIME. Time used before a save counts after the load. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <time.h>
#include "priori/solver.h"

struct budget {
  double limit, used, last; /* s; last: reading of the clock */
  ptrdiff_t items;
};

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  struct budget *b = priv;
  (void)ctx, (void)p;
  b->items = items;
  b->last = now();
  return PRI_OK;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  struct budget *b = priv;
  const double t = now();
  (void)ctx, (void)per_item, (void)x;
  b->used += t - b->last;
  b->last = t;
  for (ptrdiff_t i = 0; b->used >= b->limit && i < b->items; i++)
    if (v[i] == PRI_GO) v[i] = PRI_OUT_OF_TIME;
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx;
  return pri_walk_bytes(w, "time used", &((struct budget *)priv)->used, sizeof(double));
}

static const pri_param params[] = {
    {.name = "limit", .unit = "s", .help = "wall time, from the start of the iteration", .type = PRI_QUANTITY, .flags = PRI_P_REQUIRED,
     .offset = offsetof(struct budget, limit), .min = 0, .max = 1e9, .def = NAN},
    {0}};
static const char *const examples[] = {"10m", "limit=0.5s", NULL};
const pri_monitor_class pri_monitor_time = {
    .kind = {"time", "stops after a wall time", "", sizeof(struct budget), params, examples},
    .init = init, .observe = observe, .walk = walk};
