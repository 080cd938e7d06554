/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/registry.h - one NULL-ended list of kinds a family; the core is handed it and never reaches up for it. */
#ifndef PRIORI_REGISTRY_H
#define PRIORI_REGISTRY_H
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef enum pri_family {
  PRI_OPERATORS, PRI_MAPS, PRI_FIDELITIES, PRI_PRIORS, PRI_SCHEDULES, PRI_SOLVERS, PRI_MONITORS, PRI_FILTERS,
  PRI_PHANTOMS, PRI_NOISES, PRI_RECIPES, PRI_FAMILIES
} pri_family;
typedef struct pri_registry { const pri_kind *const *family[PRI_FAMILIES]; } pri_registry;

PRI_API const char *pri_family_name(pri_family f);      /* singular: "operator", "fidelity", ... */
PRI_API int pri_family_find(const char *name);          /* singular or plural; -1: none */
/* EPARAM names the nearest one and how to list them. *out NULL on failure. */
PRI_API PRI_MUST_CHECK pri_status pri_registry_find(pri_ctx *ctx, pri_family f, const char *name, const pri_kind **out);

/*
 * pri_object_create - what the create functions of all families share: finds the class of a spec, makes its zeroed private
 * struct and fills it from the keys. Then the family calls init. pri_object_destroy releases the texts and the struct.
 */
PRI_API PRI_MUST_CHECK pri_status pri_object_create(pri_ctx *ctx, pri_family f, const char *spec, const pri_kind **kind, void **priv);
PRI_API void pri_object_destroy(pri_ctx *ctx, const pri_kind *kind, void **priv);
/* A context with the built-in registry (reconstruct/open.c). opts as for pri_ctx_create, its registry is filled in. */
PRI_API PRI_MUST_CHECK pri_status pri_open(pri_ctx **out, const pri_ctx_opts *opts);
#ifdef __cplusplus
}
#endif
#endif
