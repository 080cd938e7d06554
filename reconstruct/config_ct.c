/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config_ct.c - what the front door `ct` stands for (spec rising_ct 4.10): total variation with the weight that the noise asks
 * for, OS-FISTA then PDHG, a box from 0 to 1.25 times the largest pixel of an early iterate, a relative gap of 1e-3.
 *
 * A solver named by the user takes what of this it can: the prior is added where the solver's own misfit() has nothing against
 * it, asked about an 8 x 8 problem, so that no list of solvers is needed here. The box goes with a prior.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "pipeline_config.h"
#include "priori/solver.h"

struct probe {
  pri_operator *A;
  pri_map *map;
  pri_fidelity *f;
  pri_prior *R;
  pri_array y;
};

static void probe_fini(struct probe *p) {
  pri_prior_destroy(&p->R);
  pri_fidelity_destroy(&p->f);
  pri_map_destroy(&p->map);
  pri_operator_destroy(&p->A);
  pri_array_destroy(&p->y);
}

static pri_status probe_init(pri_ctx *ctx, struct probe *p, const char *fidelity, const char *prior) {
  const pri_shape none = {0}, data = pri_shape_2d(8, 12);
  const pri_meta meta = {.pixel = {NAN, NAN, NAN}, .bin = {NAN, NAN}, .sod = NAN, .sdd = NAN, .center = NAN};
  PRI_TRY(pri_operator_create(ctx, &p->A, "ct:angles=8,size=8", &meta, &none, &data));
  PRI_TRY(pri_map_of(ctx, &p->map, p->A));
  PRI_TRY(pri_array_create(ctx, &p->y, &data, 1));
  PRI_TRY(pri_fidelity_create(ctx, &p->f, fidelity, &p->y, NULL));
  return prior ? pri_prior_create(ctx, &p->R, prior, &meta, pri_operator_domain(p->A)) : PRI_OK;
}

static pri_status solver_class(pri_ctx *ctx, const char *solver, const pri_solver_class **out) {
  const pri_kind *kind;
  char *name;
  PRI_TRY(pri_spec_name(ctx, solver, &name));
  const pri_status s = pri_registry_find(ctx, PRI_SOLVERS, name, &kind);
  pri_free(ctx, name);
  if (s == PRI_OK) *out = (const pri_solver_class *)(const void *)kind;
  return s;
}

/* Can this solver take TV in a box? */
static pri_status takes_prior(pri_ctx *ctx, const char *solver, const char *prior, int *yes) {
  static const double lo = 0, hi = 1;
  struct probe p = {0};
  const pri_solver_class *c = NULL;
  *yes = 0;
  if (!strcmp(solver, "none")) return PRI_OK;
  pri_status s = solver_class(ctx, solver, &c);
  if (s == PRI_OK) s = probe_init(ctx, &p, "ls", prior);
  const pri_prior *R[] = {p.R};
  const pri_problem problem = {.A = p.map, .f = p.f, .R = R, .nR = 1, .noise = NAN, .lo = &lo, .hi = &hi};
  if (s == PRI_OK) *yes = !c->misfit || !c->misfit(&problem);
  probe_fini(&p);
  return s;
}

static pri_status geometry_operator(pri_ctx *ctx, pri_options *o) {
  if (!o->geometry) return o->operators.n ? PRI_OK : pri_options_set(ctx, o, "operator", "ct");
  const size_t n = strlen(o->geometry) + 4;
  char *spec = pri_calloc(ctx, n, 1);
  if (!spec) return pri_ctx_code(ctx);
  snprintf(spec, n, "ct:%s", o->geometry);
  pri_status s = pri_options_clear(ctx, o, "operator");
  if (s == PRI_OK) s = pri_options_set(ctx, o, "operator", spec);
  if (s == PRI_OK) s = pri_options_clear(ctx, o, "geometry");
  pri_free(ctx, spec);
  return s;
}

static pri_status fill(pri_ctx *ctx, pri_options *o) {
  int yes = 0;
  PRI_TRY(geometry_operator(ctx, o));
  if (!o->solver) PRI_TRY(pri_options_set(ctx, o, "solver", "pdhg:warm=10"));
  if (!o->priors.n) {
    PRI_TRY(takes_prior(ctx, o->solver, "tv:weight=1", &yes));
    if (yes) PRI_TRY(pri_options_set(ctx, o, "prior", "tv:weight=auto:discrepancy"));
  }
  if (!o->bound && o->priors.n) {
    PRI_TRY(takes_prior(ctx, o->solver, "tv:weight=1", &yes));
    if (yes) PRI_TRY(pri_options_set(ctx, o, "bound", "0:auto"));
  }
  return PRI_OK;
}

pri_status pri_config_ct(pri_call *call) {
  PRI_TRY(pri_config_defaults(call));
  PRI_TRY(fill(call->ctx, call->opts));
  return pri_config_complete(call->ctx, call->opts);
}

pri_status pri_config_reconstruct(pri_call *call) {
  PRI_TRY(pri_config_defaults(call));
  if (!call->opts->operators.n && (!call->opts->solver || strcmp(call->opts->solver, "none")))
    return PRI_FAIL(call->ctx, PRI_EPARAM, "what is the measurement of the image? --operator SPEC (`priori list operator`)");
  return pri_config_complete(call->ctx, call->opts);
}

pri_status pri_config_simulate(pri_call *call) {
  pri_options *o = call->opts;
  PRI_TRY(pri_config_defaults(call));
  if (!o->operators.n)
    return PRI_FAIL(call->ctx, PRI_EPARAM, "which operator is to be applied? --operator SPEC (`priori list operator`)");
  PRI_TRY(pri_options_set(call->ctx, o, "solver", "none"));
  return pri_config_complete(call->ctx, o);
}

pri_status pri_config_check(pri_call *call) {
  pri_options *o = call->opts;
  PRI_TRY(geometry_operator(call->ctx, o));
  PRI_TRY(pri_options_set(call->ctx, o, "solver", "none"));
  return pri_config_complete(call->ctx, o);
}
