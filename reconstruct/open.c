/* SPDX-License-Identifier: GPL-3.0-or-later */
/* open.c - the built-in registry: includes the lists that the build makes of the local.mk files. */
#include "priori/priori.h"

#define PRI_ENTRY(name) extern const pri_operator_class pri_operator_##name;
#include "operators/operators.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_prior_class pri_prior_##name;
#include "priors/priors.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_fidelity_class pri_fidelity_##name;
#include "priors/fidelities.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_phantom_class pri_phantom_##name;
#include "phantoms/phantoms.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_noise_class pri_noise_##name;
#include "phantoms/noises.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_solver_class pri_solver_##name;
#include "reconstruct/solvers.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_monitor_class pri_monitor_##name;
#include "reconstruct/monitors.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_filter_class pri_filter_##name;
#include "reconstruct/filters.inc"
#undef PRI_ENTRY
#define PRI_ENTRY(name) extern const pri_recipe_class pri_recipe_##name;
#include "reconstruct/recipes.inc"
#undef PRI_ENTRY

#define PRI_ENTRY(name) &pri_operator_##name.kind,
static const pri_kind *const operators[] = {
#include "operators/operators.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_prior_##name.kind,
static const pri_kind *const priors[] = {
#include "priors/priors.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_fidelity_##name.kind,
static const pri_kind *const fidelities[] = {
#include "priors/fidelities.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_phantom_##name.kind,
static const pri_kind *const phantoms[] = {
#include "phantoms/phantoms.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_noise_##name.kind,
static const pri_kind *const noises[] = {
#include "phantoms/noises.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_solver_##name.kind,
static const pri_kind *const solvers[] = {
#include "reconstruct/solvers.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_monitor_##name.kind,
static const pri_kind *const monitors[] = {
#include "reconstruct/monitors.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_filter_##name.kind,
static const pri_kind *const filters[] = {
#include "reconstruct/filters.inc"
    NULL};
#undef PRI_ENTRY
#define PRI_ENTRY(name) &pri_recipe_##name.kind,
static const pri_kind *const recipes[] = {
#include "reconstruct/recipes.inc"
    NULL};
#undef PRI_ENTRY
static const pri_kind *const none[] = {NULL};

static const pri_registry built_in = {{
    [PRI_OPERATORS] = operators, [PRI_MAPS] = none, [PRI_FIDELITIES] = fidelities, [PRI_PRIORS] = priors, [PRI_SCHEDULES] = none,
    [PRI_SOLVERS] = solvers, [PRI_MONITORS] = monitors, [PRI_FILTERS] = filters, [PRI_PHANTOMS] = phantoms, [PRI_NOISES] = noises,
    [PRI_RECIPES] = recipes}};

pri_status pri_open(pri_ctx **out, const pri_ctx_opts *opts) {
  pri_ctx_opts o = {0};
  if (opts) o = *opts;
  o.registry = &built_in;
  return pri_ctx_create(out, &o);
}
