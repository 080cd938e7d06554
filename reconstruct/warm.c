/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warm.c - see warm.h. Spec rising_ct 4.8 found duals made from an FBP image harmful; those of an os-fista iterate, which is much
 * nearer, are not: with p = f'(A x) and q of the prox the first 100 steps gain a little, later there is no difference.
 */
#include "warm.h"
#include <string.h>
#include "priori/registry.h"
#include "vec.h"

pri_status pri_warm_init(pri_ctx *ctx, pri_warm *w, const char *solver, long passes, const pri_split *s, const pri_array *x0) {
  const pri_kind *kind;
  w->passes = passes;
  PRI_ALLOC(ctx, w->done, s->items);
  if (passes == 0) return PRI_OK;
  PRI_TRY(pri_registry_find(ctx, PRI_SOLVERS, "os-fista", &kind));
  const char *why = ((const pri_solver_class *)kind)->misfit(s->problem);
  if (why) {
    pri_log(ctx, PRI_LOG_INFO, "%s: starts cold (%s)", solver, why);
    return PRI_OK;
  }
  PRI_TRY(pri_object_create(ctx, PRI_SOLVERS, "os-fista", &kind, &w->priv));
  w->cls = (const pri_solver_class *)kind;
  return w->cls->init(ctx, w->priv, s->problem, x0);
}

void pri_warm_fini(pri_ctx *ctx, pri_warm *w) {
  if (w->cls) {
    w->cls->fini(ctx, w->priv);
    pri_object_destroy(ctx, &w->cls->kind, &w->priv);
  }
  pri_free(ctx, w->done);
  memset(w, 0, sizeof *w);
}

pri_status pri_warm_walk(pri_ctx *ctx, pri_warm *w, const pri_split *s, pri_walk *walk) {
  PRI_TRY(pri_walk_bytes(walk, "warm", w->done, (size_t)s->items * sizeof *w->done));
  return w->cls ? w->cls->walk(ctx, w->priv, walk) : PRI_OK;
}

int pri_warm_is_on(const pri_warm *w, ptrdiff_t item) { return w->cls && w->done[item] < w->passes; }

pri_status pri_warm_step(pri_ctx *ctx, pri_warm *w, pri_point *v, const pri_split *s, ptrdiff_t first, ptrdiff_t items, unsigned want,
                         pri_report *per_item) {
  PRI_TRY(w->cls->step(ctx, w->priv, first, items, want | PRI_WANT_GAP, per_item)); /* GAP: its duals are wanted */
  pri_copy(ctx, pri_array_item(&v->x, first), pri_array_item(w->cls->iterate(w->priv), first), s->n * items);
  for (ptrdiff_t i = first; i < first + items; i++) w->done[i]++;
  return PRI_OK;
}

pri_status pri_warm_finish(pri_ctx *ctx, pri_warm *w, pri_point *v, const pri_split *s, ptrdiff_t item, pri_report *rep) {
  const pri_real *x = pri_array_item(&v->x, item);
  pri_duals d;
  if (!w->cls && pri_norm2sq(ctx, x, s->n) == 0) return PRI_OK; /* A 0 = 0 */
  PRI_TRY(pri_split_apply(s, v->z.data, v->x.data, item, 1));
  rep->applies += 1;
  if (!w->cls) return PRI_OK;
  PRI_TRY(s->f->grad(ctx, s->fp, pri_array_item(&v->p, item), pri_array_item(&v->z, item), item, 1)); /* p = f'(A x) */
  PRI_TRY(w->cls->duals(w->priv, &d));
  for (int r = 0; r < s->nR; r++) {
    if (d.q[r].data) pri_copy(ctx, pri_array_item(&v->q[r], item), pri_array_item(&d.q[r], item), s->R[r].nq);
  }
  return PRI_OK;
}
