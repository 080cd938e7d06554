/* SPDX-License-Identifier: GPL-3.0-or-later */
/* solve.c - one block: fidelity, priors, solver and stop rules made, run, judged. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "certificate.h"
#include "json.h"
#include "vec.h"
#include "watch.h"

/* ---- what the problem allows; asked before data are read */

static pri_status solver_class(pri_job *job, const pri_solver_class **out) {
  const pri_kind *kind;
  char *name;
  PRI_TRY(pri_spec_name(job->ctx, job->o->solver, &name));
  const pri_status s = pri_registry_find(job->ctx, PRI_SOLVERS, name, &kind);
  pri_free(job->ctx, name);
  if (s == PRI_OK) *out = (const pri_solver_class *)(const void *)kind;
  return s;
}

static int named(const char *spec, const char *name) {
  const size_t n = strlen(name);
  return !strncmp(spec, name, n) && (spec[n] == 0 || spec[n] == ':');
}

/* Does the solver take weights with this fidelity and operator? Asked on data of ones. */
static pri_status takes_weights(pri_job *job, int *yes) {
  const pri_solver_class *c;
  pri_array y = {0};
  pri_fidelity *f = NULL;
  PRI_TRY(solver_class(job, &c));
  pri_status s = pri_array_create(job->ctx, &y, &job->set.data, 1);
  if (s == PRI_OK) pri_fill(job->ctx, y.data, 1, pri_shape_size(&y.shape));
  if (s == PRI_OK) s = pri_fidelity_create(job->ctx, &f, named(job->o->fidelity, "ls") ? "wls" : job->o->fidelity, &y, &y);
  const double lo = job->set.bound.lo, hi = job->set.bound.hi;
  const pri_problem p = {.A = job->set.map, .f = f, .noise = NAN, .lo = &lo, .hi = &hi};
  *yes = s == PRI_OK && (!c->misfit || !c->misfit(&p));
  pri_fidelity_destroy(&f);
  pri_array_destroy(&y);
  return s;
}

/* known=FILE of the data term; *file by pri_calloc, NULL: none */
pri_status pri_job_known(pri_job *job, char **file) {
  return pri_spec_get(job->ctx, job->o->fidelity, "known", named(job->o->fidelity, "ls") ? "known" : NULL, file);
}

pri_status pri_job_weighted(pri_job *job) {
  const char *f = job->o->fidelity;
  char *known;
  PRI_TRY(pri_job_known(job, &known));
  const int masked = known != NULL;
  pri_free(job->ctx, known);
  if (masked && strcmp(job->o->solver, "none")) {
    PRI_TRY(takes_weights(job, &job->set.weighted));
    return job->set.weighted ? PRI_OK : PRI_FAIL(job->ctx, PRI_EPARAM, "%s takes no weights, so that known= cannot be honoured; pdhg takes them", job->o->solver);
  }
  job->set.weighted = !strncmp(f, "wls", 3);
  if (job->set.weighted || job->o->on_bad != PRI_BAD_MASK || !strcmp(job->o->solver, "none")) return PRI_OK;
  if (!named(f, "ls") && !named(f, "kl") && !named(f, "huber")) return PRI_OK;
  return takes_weights(job, &job->set.weighted);
}

static int strongly_convex(const pri_solve *s) {
  const void *fp;
  const pri_fidelity_class *f = pri_fidelity_class_of(s->f, &fp);
  const pri_operator *A = pri_map_linear(s->problem.A);
  if (A && (pri_operator_flags(A) & PRI_OP_IDENTITY) && f->convexity) {
    const pri_bound mu = f->convexity(fp);
    if (mu.trust >= PRI_PROVEN && mu.value > 0) return 1;
  }
  for (int i = 0; i < s->problem.nR; i++) {
    const void *priv;
    const pri_prior_class *c = pri_prior_class_of(s->R[i], &priv);
    if (!c->variational || !c->variational->convexity) continue;
    const pri_bound mu = c->variational->convexity(priv);
    if (mu.trust >= PRI_PROVEN && mu.value > 0) return 1;
  }
  return 0;
}

static pri_status check_gap(pri_job *job, const pri_solve *s) {
  const pri_range *r = &job->set.bound;
  const pri_solver_class *c;
  if (!pri_job_asks(job, "gap", NULL)) return PRI_OK;
  PRI_TRY(solver_class(job, &c));
  if (!c->duals)
    return PRI_FAIL(job->ctx, PRI_EPARAM, "--stop gap asks for a certificate, and %s gives none; --solver pdhg does",
                    c->kind.name);
  if (pri_range_boxed(r) || strongly_convex(s)) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_EPARAM,
                  "--stop gap needs a finite box, --bound lo:hi (or lo:auto): this problem is not strongly convex, "
                  "and its certificate uses the box");
}

/* ---- parts */

/* ball:radius=auto: what the noise measures, sd sqrt(m) (1 in a trial, before the noise is known); *out NULL: another data term */
static pri_status radius_of_noise(pri_job *job, const pri_block *b, char **out) {
  char *radius = NULL, buf[32];
  const double noise = job->set.noise, m = (double)pri_shape_size(&b->y.shape);
  *out = NULL;
  if (strncmp(job->o->fidelity, "ball", 4) || (job->o->fidelity[4] && job->o->fidelity[4] != ':')) return PRI_OK;
  PRI_TRY(pri_spec_get(job->ctx, job->o->fidelity, "radius", "radius", &radius));
  const int automatic = !radius || !strcmp(radius, "auto");
  pri_free(job->ctx, radius);
  if (!automatic) return PRI_OK;
  return pri_spec_set(job->ctx, job->o->fidelity, "radius", "radius", pri_shortest(buf, noise > 0 ? noise * sqrt(m) : 1), out);
}

static pri_status make_fidelity(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b) {
  const char *spec = job->o->fidelity;
  const pri_array *w = b->w.data ? &b->w : NULL;
  char *ball;
  PRI_TRY(radius_of_noise(job, b, &ball));
  if (w && named(spec, "ls")) spec = "wls"; /* --on-bad mask */
  const pri_status made = pri_fidelity_create(ctx, &s->f, ball ? ball : spec, &b->y, w);
  pri_free(job->ctx, ball);
  return made;
}

static pri_status make_priors(pri_job *job, pri_ctx *ctx, pri_solve *s) {
  const pri_setup *set = &job->set;
  PRI_ALLOC(ctx, s->R, set->n_priors + 1);
  for (int i = 0; i < set->n_priors; i++, s->problem.nR++)
    PRI_TRY(pri_prior_create(ctx, &s->R[i], set->priors[i], &set->meta, &set->image));
  return PRI_OK;
}

static pri_status make_box(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b) {
  const ptrdiff_t items = b->items;
  PRI_ALLOC(ctx, s->lo, items);
  PRI_ALLOC(ctx, s->hi, items);
  for (ptrdiff_t i = 0; i < items; i++) {
    s->lo[i] = job->set.bound.lo;
    s->hi[i] = job->set.bound.hi; /* lo:auto: infinite, until there is an early iterate */
    if (job->set.bound.automatic == PRI_RANGE_BOTH)
      pri_box_of_data(job, pri_array_item(&b->y, i), pri_shape_size(&b->y.shape), &s->lo[i], &s->hi[i]);
  }
  return PRI_OK;
}

/* --stop time is about the run: what centre, noise and weights took is gone; a tenth is left in any case. */
static pri_status make_monitor(pri_job *job, pri_ctx *ctx, pri_solve *s, int i, ptrdiff_t items) {
  const char *spec = job->o->stops.v[i];
  char *left = NULL, *text = NULL, buf[40];
  double limit = 0;
  if (strncmp(spec, "time", 4) || !(job->prelude > 0)) return pri_monitor_create(ctx, &s->monitors[i], spec, &s->problem, items);
  PRI_TRY(pri_spec_get(ctx, spec, "limit", "limit", &text));
  pri_status st = pri_quantity_parse(ctx, "--stop time", text ? text : "", "s", &limit);
  snprintf(buf, sizeof buf, "%.6gs", fmax(limit - job->prelude, 0.1 * limit));
  if (st == PRI_OK) st = pri_spec_set(ctx, spec, "limit", "limit", buf, &left);
  if (st == PRI_OK) st = pri_monitor_create(ctx, &s->monitors[i], left, &s->problem, items);
  pri_free(ctx, text);
  pri_free(ctx, left);
  return st;
}

static pri_status make_monitors(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b) {
  const pri_texts *t = &job->o->stops;
  PRI_ALLOC(ctx, s->monitors, t->n + 1);
  for (int i = 0; i < t->n; i++) {
    PRI_TRY(make_monitor(job, ctx, s, i, b->items));
    s->n_monitors++;
  }
  PRI_TRY(pri_watch_create(job, ctx, s, b, &s->watch));
  PRI_TRY(pri_monitor_wrap(ctx, &s->monitors[t->n], &pri_watch_class, s->watch));
  s->n_monitors++;
  return PRI_OK;
}

static pri_status make_solver(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b) {
  pri_array x0 = {0};
  pri_status st = pri_job_start(job, ctx, &x0, b);
  if (st == PRI_OK) st = pri_solver_create(ctx, &s->solver, job->o->solver, &s->problem, x0.data ? &x0 : NULL);
  pri_array_destroy(&x0);
  return st;
}

pri_status pri_solve_problem(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b) {
  double goal = 0;
  (void)pri_job_asks(job, "gap", &goal);
  *s = (pri_solve){.problem = {.A = job->set.map, .noise = job->set.noise, .gap_goal = goal}};
  PRI_TRY(make_fidelity(job, ctx, s, b));
  PRI_TRY(make_priors(job, ctx, s));
  PRI_TRY(make_box(job, ctx, s, b));
  s->problem.f = s->f;
  s->problem.R = (const pri_prior *const *)s->R;
  s->problem.lo = s->lo;
  s->problem.hi = s->hi;
  return PRI_OK;
}

pri_status pri_solve_create(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b) {
  PRI_TRY(pri_solve_problem(job, ctx, s, b));
  PRI_TRY(check_gap(job, s));
  PRI_ALLOC(ctx, s->last, b->items);
  PRI_ALLOC(ctx, s->why, b->items);
  PRI_TRY(make_solver(job, ctx, s, b));
  return make_monitors(job, ctx, s, b);
}

void pri_solve_destroy(pri_ctx *ctx, pri_solve *s) {
  for (int i = 0; i < s->n_monitors; i++) pri_monitor_destroy(&s->monitors[i]);
  pri_free(ctx, s->monitors);
  pri_watch_destroy(ctx, &s->watch);
  pri_solver_destroy(&s->solver);
  for (int i = 0; i < s->problem.nR; i++) pri_prior_destroy(&s->R[i]);
  pri_free(ctx, s->R);
  pri_fidelity_destroy(&s->f);
  pri_free(ctx, s->lo);
  pri_free(ctx, s->hi);
  pri_free(ctx, s->last);
  pri_free(ctx, s->why);
  *s = (pri_solve){0};
}

/* ---- running */

static int is_open(const pri_report *r) { return isnan(r->objective) || r->gap.trust == PRI_UNKNOWN; }

/* objective and gap of the items that the last step left open */
static pri_status certify(pri_solve *s, pri_certifier *c, const pri_array *x, const pri_duals *d) {
  for (ptrdiff_t i = 0; i < x->items; i++) {
    pri_report *last = &s->last[i], rep = {.objective = NAN, .gap = {NAN, PRI_UNKNOWN}};
    if (!is_open(last)) continue;
    PRI_TRY(pri_certifier_run(c, x, d, i, &rep));
    if (!isfinite(rep.objective)) continue;
    last->objective = rep.objective, last->gap = rep.gap, last->floor = rep.floor;
    last->certifying += rep.certifying;
  }
  return PRI_OK;
}

/* Figures of the final iterate that the last step left open: objective, gap (where there are duals). */
static pri_status final_figures(pri_ctx *ctx, pri_solve *s) {
  const pri_array *x = pri_solver_iterate(s->solver);
  pri_certifier *c = NULL;
  pri_duals d;
  int open = 0;
  for (ptrdiff_t i = 0; i < x->items; i++) { /* a gap in a smaller box than the last one says nothing */
    const int raised =
        pri_box_follow(s->watch, i, s->last[i].k, pri_array_item(x, i), pri_shape_size(&x->shape), isinf(s->hi[i]));
    if (raised || s->watch->item[i].raised_at == s->last[i].k) s->last[i].gap = (pri_bound){NAN, PRI_UNKNOWN};
    open |= is_open(&s->last[i]);
  }
  if (!open || pri_solver_duals(s->solver, &d) != PRI_OK) return PRI_OK;
  pri_problem p = s->problem;
  if (!(p.gap_goal > 0)) p.gap_goal = DBL_MIN; /* nobody asked for a gap: no polish for the record's sake */
  pri_status st = pri_certifier_create(ctx, &c, &p);
  if (st == PRI_OK) st = certify(s, c, x, &d);
  pri_certifier_destroy(&c);
  return st == PRI_ENOTSUP ? PRI_OK : st; /* no certificate for this problem */
}

static pri_status value_of_priors(pri_ctx *ctx, const pri_solve *s, const pri_real *x, double *sum) {
  for (int i = 0; i < s->problem.nR; i++) {
    const void *priv;
    double one = NAN;
    const pri_prior_class *c = pri_prior_class_of(s->R[i], &priv);
    if (c->variational && c->variational->value)
      PRI_TRY(c->variational->value(ctx, priv, &one, x, 1, pri_prior_scratch(s->R[i])));
    *sum += one;
  }
  return PRI_OK;
}

/* |A x - y|, and the objective where no certificate gave it. */
static pri_status residuals(pri_ctx *ctx, pri_solve *s) {
  const pri_array *x = pri_solver_iterate(s->solver), *y = pri_fidelity_data(s->f);
  pri_array z = {0};
  pri_status st = pri_array_create(ctx, &z, &y->shape, 1);
  for (ptrdiff_t i = 0; i < y->items && st == PRI_OK; i++) {
    const pri_array xi = pri_array_items(x, i, 1);
    const void *priv;
    const pri_fidelity_class *f = pri_fidelity_class_of(s->f, &priv);
    double data = 0;
    if (!isnan(s->last[i].residual) && !isnan(s->last[i].objective)) continue;
    st = pri_map_apply(s->problem.A, &z, &xi);
    if (st == PRI_OK) s->last[i].residual = sqrt(pri_dist2sq(ctx, z.data, pri_array_item(y, i), pri_shape_size(&z.shape)));
    if (st != PRI_OK || !isnan(s->last[i].objective)) continue;
    st = f->value(ctx, priv, &data, z.data, i, 1);
    if (st == PRI_OK) st = value_of_priors(ctx, s, xi.data, &data);
    s->last[i].objective = data;
  }
  pri_array_destroy(&z);
  return st;
}

/* A guarantee holds by its figure, whichever rule ended the run. */
static int guarantees_met(const pri_job *job, const pri_certified *c) {
  double goal = NAN;
  if (c->verdict == PRI_DIVERGED) return 0;
  if (pri_job_asks(job, "gap", &goal) && !(c->relative_gap <= goal)) return 0;
  if (pri_job_asks(job, "discrepancy", &goal) &&
      !(c->residual <= goal * job->set.noise * sqrt((double)pri_shape_size(&job->set.data)) * (1 + 1e-9)))
    return 0;
  return 1;
}

static void judge(pri_job *job, const pri_solve *s, ptrdiff_t i, pri_certified *c) {
  const pri_report *r = &s->last[i];
  const struct pri_watched *t = &s->watch->item[i];
  *c = (pri_certified){.item = s->watch->slice[i],
                       .verdict = s->why[i],
                       .k = r->k,
                       .passes = (r->applies + r->adjoints + r->certifying) / 2,
                       .solver_passes = (r->applies + r->adjoints) / 2,
                       .objective = r->objective,
                       .residual = r->residual,
                       .gap = r->gap.trust >= PRI_PROVEN ? r->gap.value : NAN,
                       .seconds = t->wall,
                       .cpu_seconds = t->cpu / (double)s->watch->items,
                       .lo = s->lo[i],
                       .hi = s->hi[i]};
  c->relative_gap = pri_proven_gap(r);
  c->met = guarantees_met(job, c);
}

pri_status pri_solve_run(pri_job *job, pri_ctx *ctx, pri_solve *s, pri_certified *out) {
  const ptrdiff_t items = s->watch->items;
  PRI_TRY(pri_solver_run(s->solver, s->monitors, s->n_monitors, s->last, s->why));
  for (ptrdiff_t i = 0; i < items; i++)
    if (s->why[i] == PRI_INTERRUPTED)
      return PRI_FAIL(ctx, PRI_ECANCEL, "interrupted at step %ld of %s %td", s->last[i].k, pri_job_word(job, 0), s->watch->slice[i]);
  PRI_TRY(final_figures(ctx, s));
  PRI_TRY(residuals(ctx, s));
  for (ptrdiff_t i = 0; i < items; i++) judge(job, s, i, &out[i]);
  return PRI_OK;
}
