/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * solver.c - the frame of every iteration: steps on the items that still move, figures that the method itself does not give, the last
 * finite iterate, stop rules, save and load. An item that is frozen keeps its bits; the others go on in contiguous runs.
 */
#include "priori/solver.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "certificate.h"
#include "priori/registry.h"
#include "vec.h"
#include "walk.h"

struct pri_solver {
  pri_ctx *ctx;
  const pri_solver_class *cls;
  void *priv;
  pri_problem p;
  ptrdiff_t items;
  pri_report *rep;      /* [items] */
  pri_verdict *why;     /* [items] PRI_GO: moves */
  unsigned *want;       /* [items] figures of the step at hand */
  pri_array last;       /* the last finite iterate */
  pri_array z;          /* one item of data: A x */
  pri_certifier *certifier;
};

struct pri_monitor {
  pri_ctx *ctx;
  const pri_monitor_class *cls;
  void *priv;
  int borrowed;         /* class and priv are the caller's */
};

const char *pri_verdict_name(pri_verdict v) {
  static const char *const names[] = {"go", "converged", "stopped-early", "out-of-steps", "out-of-time", "diverged", "interrupted", "direct"};
  return (unsigned)v < sizeof names / sizeof *names ? names[v] : "unknown";
}

static void blank_report(pri_report *r) {
  *r = (pri_report){.objective = NAN, .data = NAN, .prior = NAN, .residual = NAN, .change = NAN, .step = NAN, .seconds = NAN,
                    .gap = {NAN, PRI_UNKNOWN}, .error = {NAN, PRI_UNKNOWN}};
}

/* Data that are not finite end their item before the first step: some methods (a ball's projection) would step over them in silence. */
static void end_nonfinite(pri_solver *s) {
  const pri_array *y = pri_fidelity_data(s->p.f), *w = pri_fidelity_weight(s->p.f);
  const ptrdiff_t m = pri_shape_size(&y->shape);
  for (ptrdiff_t i = 0; i < s->items; i++)
    if (!pri_finite(s->ctx, pri_array_item(y, i), m) || (w && !pri_finite(s->ctx, pri_array_item(w, i), m))) s->why[i] = PRI_DIVERGED;
}

static pri_status fill(pri_solver *s, const char *spec, const pri_array *x0) {
  const pri_kind *kind;
  const char *misfit;
  PRI_TRY(pri_object_create(s->ctx, PRI_SOLVERS, spec, &kind, &s->priv));
  s->cls = (const pri_solver_class *)kind;
  misfit = s->cls->misfit ? s->cls->misfit(&s->p) : NULL;
  if (misfit) return PRI_FAIL(s->ctx, PRI_EPARAM, "%s%s%s", strstr(misfit, kind->name) ? "" : kind->name, strstr(misfit, kind->name) ? "" : ": ", misfit);
  PRI_ALLOC(s->ctx, s->rep, s->items);
  PRI_ALLOC(s->ctx, s->why, s->items);
  PRI_ALLOC(s->ctx, s->want, s->items);
  for (ptrdiff_t i = 0; i < s->items; i++) blank_report(&s->rep[i]);
  PRI_TRY(pri_array_create(s->ctx, &s->last, pri_map_domain(s->p.A), s->items));
  PRI_TRY(pri_array_create(s->ctx, &s->z, pri_map_range(s->p.A), 1));
  if (x0) pri_copy(s->ctx, s->last.data, x0->data, s->items * pri_shape_size(&s->last.shape));
  if (s->p.gap_goal > 0 && s->cls->duals) PRI_TRY(pri_certifier_create(s->ctx, &s->certifier, &s->p));
  end_nonfinite(s);
  return s->cls->init(s->ctx, s->priv, &s->p, x0);
}

pri_status pri_solver_create(pri_ctx *ctx, pri_solver **out, const char *spec, const pri_problem *p, const pri_array *x0) {
  const ptrdiff_t items = pri_fidelity_data(p->f)->items;
  *out = NULL;
  if (x0 && (x0->items != items || !pri_shape_equal(&x0->shape, pri_map_domain(p->A))))
    return PRI_FAIL(ctx, PRI_ESHAPE, "solver: the starting image does not have the shape of the unknown");
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_solver){.ctx = ctx, .p = *p, .items = items};
  const pri_status s = fill(*out, spec, x0);
  if (s != PRI_OK) pri_solver_destroy(out);
  return s;
}

/* ---- figures that were asked for and that the step left open */

static pri_status value_of_priors(pri_solver *s, const pri_real *x, double *sum) {
  *sum = 0;
  for (int i = 0; i < s->p.nR; i++) {
    const void *priv;
    double one = NAN;
    const pri_prior_class *c = pri_prior_class_of(s->p.R[i], &priv);
    if (c->variational && c->variational->value) PRI_TRY(c->variational->value(s->ctx, priv, &one, x, 1, pri_prior_scratch(s->p.R[i])));
    *sum += one;
  }
  return PRI_OK;
}

static pri_status fill_objective(pri_solver *s, ptrdiff_t i, unsigned want) {
  pri_report *r = &s->rep[i];
  const pri_array x = pri_array_items(s->cls->iterate(s->priv), i, 1);
  const void *priv;
  const pri_fidelity_class *f = pri_fidelity_class_of(s->p.f, &priv);
  const ptrdiff_t m = pri_shape_size(&s->z.shape);
  const int objective = (want & PRI_WANT_OBJECTIVE) && isnan(r->objective), residual = (want & PRI_WANT_RESIDUAL) && isnan(r->residual);
  if (!objective && !residual) return PRI_OK;
  PRI_TRY(pri_map_apply(s->p.A, &s->z, &x));
  r->certifying += 1;
  if (residual) r->residual = sqrt(pri_dist2sq(s->ctx, s->z.data, pri_array_item(pri_fidelity_data(s->p.f), i), m)); /* |A x - y| */
  if (!objective) return PRI_OK;
  PRI_TRY(f->value(s->ctx, priv, &r->data, s->z.data, i, 1));
  PRI_TRY(value_of_priors(s, x.data, &r->prior));
  r->objective = r->data + r->prior;
  return PRI_OK;
}

static pri_status fill_gap(pri_solver *s, ptrdiff_t i) {
  pri_report *r = &s->rep[i];
  pri_duals d;
  if (r->gap.trust != PRI_UNKNOWN || !s->cls->duals) return PRI_OK;
  if (!s->certifier) PRI_TRY(pri_certifier_create(s->ctx, &s->certifier, &s->p)); /* made at creation where a gap goal is known */
  PRI_TRY(s->cls->duals(s->priv, &d));
  return pri_certifier_run(s->certifier, s->cls->iterate(s->priv), &d, i, r);
}

/* ---- steps */

/* A step that left the finite numbers: back to the last finite iterate, and that item is over. */
static void keep_finite(pri_solver *s, ptrdiff_t i) {
  const ptrdiff_t n = pri_shape_size(&s->last.shape);
  const pri_real *x = pri_array_item(s->cls->iterate(s->priv), i);
  if (pri_finite(s->ctx, x, n)) pri_copy(s->ctx, pri_array_item(&s->last, i), x, n);
  else s->why[i] = PRI_DIVERGED;
}

static pri_status step_run(pri_solver *s, ptrdiff_t first, ptrdiff_t count) {
  unsigned any = 0;
  for (ptrdiff_t i = first; i < first + count; i++) {
    any |= s->want[i];
    const pri_report old = s->rep[i];
    blank_report(&s->rep[i]);
    s->rep[i].k = old.k + 1;
    s->rep[i].applies = old.applies, s->rep[i].adjoints = old.adjoints, s->rep[i].certifying = old.certifying;
    s->rep[i].denoises = old.denoises, s->rep[i].proxes = old.proxes, s->rep[i].inner = old.inner;
  }
  PRI_TRY(s->cls->step(s->ctx, s->priv, first, count, any, s->rep + first));
  for (ptrdiff_t i = first; i < first + count; i++) {
    keep_finite(s, i);
    if (s->why[i] != PRI_GO) continue;
    if (s->want[i] & PRI_WANT_GAP) PRI_TRY(fill_gap(s, i)); /* gives the objective too */
    PRI_TRY(fill_objective(s, i, s->want[i]));
    if (s->rep[i].finished) s->why[i] = PRI_DIRECT;
  }
  return PRI_OK;
}

static pri_status step_all(pri_solver *s) {
  for (ptrdiff_t i = 0; i < s->items;) {
    ptrdiff_t end = i;
    while (end < s->items && s->why[end] == PRI_GO) end++;
    if (end > i) PRI_TRY(step_run(s, i, end - i));
    i = end + 1;
  }
  return PRI_OK;
}

pri_status pri_solver_step(pri_solver *s, unsigned want, pri_report *per_item) {
  for (ptrdiff_t i = 0; i < s->items; i++) s->want[i] = want;
  PRI_TRY(step_all(s));
  if (per_item) memcpy(per_item, s->rep, (size_t)s->items * sizeof *per_item);
  return PRI_OK;
}

long pri_solver_items_active(const pri_solver *s) {
  long n = 0;
  for (ptrdiff_t i = 0; i < s->items; i++) n += s->why[i] == PRI_GO;
  return n;
}

void pri_solver_freeze(pri_solver *s, ptrdiff_t item, pri_verdict why) { s->why[item] = why; }

static void interrupt(pri_solver *s) {
  for (ptrdiff_t i = 0; i < s->items; i++)
    if (s->why[i] == PRI_GO) s->why[i] = PRI_INTERRUPTED;
}

static unsigned wanted(const pri_solver *s, pri_monitor *const *m, int nm, ptrdiff_t i) {
  unsigned want = 0;
  for (int j = 0; j < nm; j++) want |= m[j]->cls->wants ? m[j]->cls->wants(m[j]->priv, i, s->rep[i].k + 1) : 0;
  return want;
}

static pri_status one_round(pri_solver *s, pri_monitor *const *m, int nm) {
  for (ptrdiff_t i = 0; i < s->items; i++) s->want[i] = wanted(s, m, nm, i);
  PRI_TRY(step_all(s));
  for (int j = 0; j < nm; j++) PRI_TRY(m[j]->cls->observe(m[j]->ctx, m[j]->priv, s->rep, &s->last, s->why));
  return PRI_OK;
}

pri_status pri_solver_run(pri_solver *s, pri_monitor *const *m, int nm, pri_report *last, pri_verdict *why) {
  for (ptrdiff_t i = 0; i < s->items; i++)
    if (s->why[i] == PRI_OUT_OF_STEPS || s->why[i] == PRI_OUT_OF_TIME || s->why[i] == PRI_INTERRUPTED) s->why[i] = PRI_GO;
  while (pri_solver_items_active(s) > 0) {
    if (pri_ctx_cancelled(s->ctx)) {
      interrupt(s);
      break;
    }
    PRI_TRY(one_round(s, m, nm));
  }
  if (last) memcpy(last, s->rep, (size_t)s->items * sizeof *last);
  if (why) memcpy(why, s->why, (size_t)s->items * sizeof *why);
  return PRI_OK;
}

double pri_report_relative_gap(const pri_report *r) { return r->gap.value / fmax(fmax(fabs(r->objective), r->floor), DBL_MIN); }

const pri_array *pri_solver_iterate(const pri_solver *s) { return &s->last; }

pri_status pri_solver_duals(const pri_solver *s, pri_duals *d) {
  if (!s->cls->duals) return PRI_FAIL(s->ctx, PRI_ENOTSUP, "%s: has no dual variables", s->cls->kind.name);
  return s->cls->duals(s->priv, d);
}

pri_status pri_solver_print(const pri_solver *s, char **spec) { return pri_kind_print(s->ctx, &s->cls->kind, s->priv, spec); }

/* ---- state */

static pri_status walk_all(pri_solver *s, pri_monitor *const *m, int nm, pri_walk *w) {
  PRI_TRY(pri_walk_bytes(w, "reports", s->rep, (size_t)s->items * sizeof *s->rep));
  PRI_TRY(pri_walk_bytes(w, "verdicts", s->why, (size_t)s->items * sizeof *s->why));
  PRI_TRY(pri_walk_array(w, "iterate", &s->last));
  PRI_TRY(s->cls->walk(s->ctx, s->priv, w));
  for (int j = 0; j < nm; j++) PRI_TRY(m[j]->cls->walk(m[j]->ctx, m[j]->priv, w));
  return PRI_OK;
}

static pri_status through(pri_solver *s, pri_monitor *const *m, int nm, pri_walk_mode mode, const char *path) {
  pri_walk *w;
  PRI_TRY(pri_walk_begin(s->ctx, &w, mode, path));
  const pri_status walked = walk_all(s, m, nm, w);
  const pri_status ended = pri_walk_end(&w, walked != PRI_OK);
  return walked != PRI_OK ? walked : ended;
}

pri_status pri_solver_save(pri_solver *s, pri_monitor *const *m, int nm, const char *path) { return through(s, m, nm, PRI_WALK_SAVE, path); }
pri_status pri_solver_load(pri_solver *s, pri_monitor *const *m, int nm, const char *path) { return through(s, m, nm, PRI_WALK_LOAD, path); }

void pri_solver_destroy(pri_solver **s) {
  if (!s || !*s) return;
  pri_solver *p = *s;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_array_destroy(&p->last);
  pri_array_destroy(&p->z);
  pri_certifier_destroy(&p->certifier);
  pri_free(p->ctx, p->rep);
  pri_free(p->ctx, p->why);
  pri_free(p->ctx, p->want);
  pri_free(p->ctx, p);
  *s = NULL;
}

/* ---- monitors */

pri_status pri_monitor_create(pri_ctx *ctx, pri_monitor **out, const char *spec, const pri_problem *p, ptrdiff_t items) {
  const pri_kind *kind;
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  pri_status s = pri_object_create(ctx, PRI_MONITORS, spec, &kind, &(*out)->priv);
  if (s == PRI_OK) {
    (*out)->cls = (const pri_monitor_class *)kind;
    s = (*out)->cls->init(ctx, (*out)->priv, p, items);
  }
  if (s != PRI_OK) pri_monitor_destroy(out);
  return s;
}

pri_status pri_monitor_wrap(pri_ctx *ctx, pri_monitor **out, const pri_monitor_class *cls, void *priv) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_monitor){.ctx = ctx, .cls = cls, .priv = priv, .borrowed = 1};
  return PRI_OK;
}

pri_status pri_monitor_print(const pri_monitor *m, char **spec) { return pri_kind_print(m->ctx, &m->cls->kind, m->priv, spec); }

void pri_monitor_destroy(pri_monitor **m) {
  if (!m || !*m) return;
  pri_monitor *p = *m;
  if (p->cls && !p->borrowed) {
    if (p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
    pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  }
  pri_free(p->ctx, p);
  *m = NULL;
}
