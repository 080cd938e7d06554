/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stop_stall.c - PRI_STOPPED_EARLY where the objective has not fallen by the share `tol` of its best value within `count` steps. */
#include <math.h>
#include "priori/solver.h"

struct mark {
  double objective;
  long k;
};
struct stall {
  double tol;
  long count;
  ptrdiff_t items;
  struct mark *mark; /* [items] last step that was worth it */
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  struct stall *s = priv;
  (void)p;
  s->items = items;
  PRI_ALLOC(ctx, s->mark, items);
  for (ptrdiff_t i = 0; i < items; i++) s->mark[i].objective = INFINITY;
  return PRI_OK;
}

static unsigned wants(const void *priv, ptrdiff_t item, long k) {
  (void)priv, (void)item, (void)k;
  return PRI_WANT_OBJECTIVE;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  struct stall *s = priv;
  (void)ctx, (void)x;
  for (ptrdiff_t i = 0; i < s->items; i++) {
    struct mark *m = &s->mark[i];
    const pri_report *r = &per_item[i];
    if (v[i] != PRI_GO) continue;
    if (isinf(m->objective) ? isfinite(r->objective) : r->objective < m->objective - s->tol * fabs(m->objective))
      *m = (struct mark){r->objective, r->k};
    else if (r->k - m->k >= s->count) v[i] = PRI_STOPPED_EARLY;
  }
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct stall *s = priv;
  (void)ctx;
  return pri_walk_bytes(w, "stall", s->mark, (size_t)s->items * sizeof *s->mark);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct stall *)priv)->mark); }

static const pri_param params[] = {
    {.name = "tol", .unit = "1", .help = "share of the objective", .type = PRI_REAL, .offset = offsetof(struct stall, tol), .min = 0, .max = 1, .def = 1e-6},
    {.name = "count", .unit = "steps", .help = "steps in which it has to fall by that", .type = PRI_INT, .offset = offsetof(struct stall, count),
     .min = 1, .max = 1e6, .def = 50},
    {0}};
static const char *const examples[] = {"", "tol=1e-4,count=20", NULL};
const pri_monitor_class pri_monitor_stall = {
    .kind = {"stall", "stops where the objective falls no more", "", sizeof(struct stall), params, examples},
    .init = init, .wants = wants, .observe = observe, .walk = walk, .fini = fini};
