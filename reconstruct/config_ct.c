/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config_ct.c - what the front door `ct` stands for (spec rising_ct 4.10): total variation with the weight that the noise asks
 * for, OS-FISTA then PDHG, a box from 0 to 1.25 times the largest pixel of an early iterate, a relative gap of 1e-3.
 *
 * A solver named by the user takes what of this it can (config_probe.c). The box goes with a prior.
 */
#include <stdio.h>
#include <string.h>
#include "pipeline_config.h"

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
    PRI_TRY(pri_config_takes(ctx, o->solver, "ct:angles=8,size=8", "ls", "tv:weight=1", &yes));
    if (yes) PRI_TRY(pri_options_set(ctx, o, "prior", "tv:weight=auto:discrepancy"));
  }
  if (!o->bound && o->priors.n) {
    PRI_TRY(pri_config_takes(ctx, o->solver, "ct:angles=8,size=8", "ls", "tv:weight=1", &yes));
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
  if (o->learn) { /* differences need double; priors and operators are completed by what they are made of */
    o->precision = PRI_PRECISION_DOUBLE;
    return PRI_OK;
  }
  PRI_TRY(geometry_operator(call->ctx, o));
  PRI_TRY(pri_options_set(call->ctx, o, "solver", "none"));
  return pri_config_complete(call->ctx, o);
}
