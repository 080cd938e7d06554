/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config_front.c - what the front doors for images stand for. All of them: total variation with a weight that the noise asks for,
 * the automatic box of the data, a relative gap of 1e-3; each adds its operator.
 *
 * A solver named by the user takes what of this it can (config_probe.c). The box goes with a prior.
 */
#include <string.h>
#include "pipeline_config.h"

/* One prox where that is the whole problem; masked pixels would need weights. */
static pri_status choose_solver(pri_ctx *ctx, pri_options *o, const char *probe, const char *fidelity) {
  int yes = 0;
  char *held = NULL, *prior = NULL;
  pri_status s = PRI_OK;
  if (o->priors.n) s = pri_config_weight(ctx, o->priors.v[0], &held, &prior);
  if (s == PRI_OK && o->priors.n < 2 && o->on_bad != PRI_BAD_MASK) s = pri_config_takes(ctx, "prox", probe, fidelity, prior ? prior : "tv:weight=1", &yes);
  pri_free(ctx, held);
  pri_free(ctx, prior);
  return s == PRI_OK ? pri_options_set(ctx, o, "solver", yes ? "prox" : "pdhg") : s;
}

/* What is not given and the solver can take; probe: a small operator of this kind. */
static pri_status fill(pri_ctx *ctx, pri_options *o, const char *probe, const char *prior) {
  const char *f = o->fidelity ? o->fidelity : "ls";
  int yes = 0;
  if (!o->solver) PRI_TRY(choose_solver(ctx, o, probe, f));
  if (!o->priors.n) {
    PRI_TRY(pri_config_takes(ctx, o->solver, probe, f, "tv:weight=1", &yes));
    if (yes) PRI_TRY(pri_options_set(ctx, o, "prior", prior));
  }
  if (!o->bound && o->priors.n) {
    PRI_TRY(pri_config_takes(ctx, o->solver, probe, f, "tv:weight=1", &yes));
    if (yes) PRI_TRY(pri_options_set(ctx, o, "bound", "auto"));
  }
  return PRI_OK;
}

pri_status pri_config_denoise(pri_call *call) {
  pri_options *o = call->opts;
  PRI_TRY(pri_config_defaults(call));
  if (!o->operators.n) PRI_TRY(pri_options_set(call->ctx, o, "operator", "identity"));
  PRI_TRY(fill(call->ctx, o, "identity", "tv:weight=auto:discrepancy"));
  return pri_config_complete(call->ctx, o);
}
