/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stop_gap.c - PRI_CONVERGED where the certified relative gap (primal - dual) / max(|primal|, floor) <= goal: a guarantee.
 *
 * Certificates cost applications, so that they are asked for now and then: the next one where the last two, taken as exponential decay,
 * say that the goal is near, but no later than max(10, k / 8) steps on.
 * Floor: when the best gap of k steps is not beaten by 30 % in the next 2 k + 300 (a 1 / k method would come to a third), rounding or
 * the solver stands in the way: PRI_STOPPED_EARLY, and the log says so. Where the precision is known to end (1e-4 in single, 1e-9 in
 * double; spec 4.9 has 1.2e-5 for single) k / 2 + 100 steps are enough.
 */
#include <math.h>
#include "priori/solver.h"

static const double ENOUGH = 0.7;      /* of the best gap at the last mark */
enum { FIRST = 10, MARK = 200 };
static const double PRECISION_ENDS = sizeof(pri_real) == sizeof(float) ? 1e-4 : 1e-9;

struct item {
  double gap, best, marked;            /* relative; last one, smallest, smallest at the mark */
  long k, mark;                        /* of the last certificate; of the mark */
  long next;                           /* step of the next certificate */
};

enum { PATIENCE = 10000 }; /* steps without any finite gap */

struct gap {
  double goal;
  ptrdiff_t items;
  struct item *item;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  struct gap *g = priv;
  (void)p;
  g->items = items;
  PRI_ALLOC(ctx, g->item, items);
  for (ptrdiff_t i = 0; i < items; i++) g->item[i] = (struct item){.gap = INFINITY, .best = INFINITY, .marked = INFINITY, .mark = MARK, .next = FIRST};
  return PRI_OK;
}

static unsigned wants(const void *priv, ptrdiff_t item, long k) { return k >= ((const struct gap *)priv)->item[item].next ? PRI_WANT_GAP : 0; }

/* steps from k to the next certificate, given the last two */
static long stride(const struct gap *g, const struct item *t, long k, double gap) {
  const double most = k / 8 > FIRST ? (double)(k / 8) : FIRST;
  const double rate = log(t->gap / gap) / (double)(k - t->k);   /* > 0: falls */
  if (!(rate > 0) || !isfinite(rate) || !(gap > g->goal)) return (long)most;
  const double left = ceil(log(gap / g->goal) / rate);
  return (long)fmin(fmax(left, fmax(4, (double)(k / 32))), most);
}

static int is_floor(struct item *t, long k) {
  if (k < t->mark) return 0;
  if (isinf(t->best) && k < PATIENCE) { /* not yet feasible (ball): no floor */
    t->mark = 2 * k;
    return 0;
  }
  if (t->best > ENOUGH * t->marked || isinf(t->best)) return 1;
  t->marked = t->best;
  t->mark = t->best < PRECISION_ENDS ? k + k / 2 + 100 : 3 * k + 300;
  return 0;
}

static pri_verdict judge(pri_ctx *ctx, struct gap *g, ptrdiff_t i, const pri_report *r) {
  struct item *t = &g->item[i];
  const double gap = pri_report_relative_gap(r);
  const int proven = r->gap.trust == PRI_PROVEN || r->gap.trust == PRI_EXACT;
  if (gap <= g->goal) {
    if (!proven) pri_log(ctx, PRI_LOG_WARN, "gap: item %td: %.3g is only an estimate (an operator without double precision, or a prior that may not be convex)", i, gap);
    return proven ? PRI_CONVERGED : PRI_STOPPED_EARLY;
  }
  t->next = r->k + stride(g, t, r->k, gap);
  t->gap = gap;
  t->k = r->k;
  if (gap < t->best) t->best = gap;
  if (!is_floor(t, r->k)) return PRI_GO;
  pri_log(ctx, PRI_LOG_WARN, "gap: item %td: the relative gap stays at %.3g (goal %.3g) after %ld steps: %s", i, t->best, g->goal, r->k,
          sizeof(pri_real) == sizeof(float) ? "the floor of single precision, --precision double goes further" : "it does not improve any more");
  return PRI_STOPPED_EARLY;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  struct gap *g = priv;
  (void)x;
  for (ptrdiff_t i = 0; i < g->items; i++) {
    if (v[i] != PRI_GO || per_item[i].k < g->item[i].next) continue;
    if (isnan(per_item[i].gap.value))
      return PRI_FAIL(ctx, PRI_ENOTSUP, "gap: this solver has no dual variables, so that nothing can be certified; pdhg, spdhg, fista and os-fista have");
    v[i] = judge(ctx, g, i, &per_item[i]);
  }
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct gap *g = priv;
  (void)ctx;
  return pri_walk_bytes(w, "gap items", g->item, (size_t)g->items * sizeof *g->item);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct gap *)priv)->item); }

static const pri_param params[] = {
    {.name = "goal", .unit = "1", .help = "largest certified (objective - lower bound) / objective", .type = PRI_REAL, .flags = PRI_P_REQUIRED,
     .offset = offsetof(struct gap, goal), .min = 1e-15, .max = 1, .def = NAN},
    {0}};
static const char *const examples[] = {"1e-3", NULL};
const pri_monitor_class pri_monitor_gap = {
    .kind = {"gap", "stops where a certified duality gap is small enough: a guarantee", "Boyd, Vandenberghe 2004, sec. 5.5", sizeof(struct gap), params, examples},
    .init = init, .wants = wants, .observe = observe, .walk = walk, .fini = fini};
