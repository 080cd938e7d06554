/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config_probe.c - what a solver takes. A front door fills in what the solver named by the user has nothing against: its own
 * misfit() is asked about a small problem, so that no list of solvers is needed.
 */
#include <math.h>
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

static pri_status probe_init(pri_ctx *ctx, struct probe *p, const pri_shape *data, const char *op, const char *fidelity, const char *prior) {
  const pri_shape none = {0};
  const pri_meta meta = {.pixel = {NAN, NAN, NAN}, .bin = {NAN, NAN}, .sod = NAN, .sdd = NAN, .center = NAN};
  PRI_TRY(pri_operator_create(ctx, &p->A, op, &meta, &none, data));
  PRI_TRY(pri_map_of(ctx, &p->map, p->A));
  PRI_TRY(pri_array_create(ctx, &p->y, data, 1));
  for (ptrdiff_t i = 0; i < pri_shape_size(data); i++) p->y.data[i] = 1; /* counts, for fidelities that want some */
  const int masked = !strncmp(fidelity, "ls:", 3); /* known=FILE: the pipeline makes it weights */
  PRI_TRY(pri_fidelity_create(ctx, &p->f, masked ? "wls" : fidelity, &p->y, &p->y));
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

pri_status pri_config_takes(pri_ctx *ctx, const char *solver, const char *op, const char *fidelity, const char *prior, int *yes) {
  static const double lo = 0, hi = 1;
  const pri_shape one = pri_shape_2d(8, 12), two = {3, {2, 8, 12}};
  struct probe p = {0};
  const pri_solver_class *c = NULL;
  *yes = 0;
  if (!strcmp(solver, "none")) return PRI_OK;
  pri_status s = solver_class(ctx, solver, &c);
  for (int k = 0; s == PRI_OK && k < 2; k++) { /* a page; what takes none (a prior over channels) gets two */
    s = probe_init(ctx, &p, k ? &two : &one, op, fidelity, prior);
    if (s != PRI_ESHAPE || k) break;
    probe_fini(&p);
    p = (struct probe){0}, s = PRI_OK;
  }
  const pri_prior *R[] = {p.R};
  const pri_problem problem = {.A = p.map, .f = p.f, .R = R, .nR = prior ? 1 : 0, .noise = NAN, .lo = &lo, .hi = &hi};
  if (s == PRI_OK) *yes = !c->misfit || !c->misfit(&problem);
  probe_fini(&p);
  return s;
}
