/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry.c - from a name to a class; the private struct of a new object. */
#include "priori/registry.h"
#include <string.h>

static const char *const names[PRI_FAMILIES] = {
    [PRI_OPERATORS] = "operator", [PRI_MAPS] = "map",         [PRI_FIDELITIES] = "fidelity", [PRI_PRIORS] = "prior",
    [PRI_SCHEDULES] = "schedule", [PRI_SOLVERS] = "solver",   [PRI_MONITORS] = "stop",       [PRI_FILTERS] = "filter",
    [PRI_PHANTOMS] = "phantom",   [PRI_NOISES] = "noise",     [PRI_RECIPES] = "recipe"};

const char *pri_family_name(pri_family f) { return (unsigned)f < PRI_FAMILIES ? names[f] : "unknown"; }

int pri_family_find(const char *name) {
  for (int f = 0; f < PRI_FAMILIES; f++) {
    const size_t n = strlen(names[f]);
    const int y = names[f][n - 1] == 'y';
    if (!strcmp(name, names[f])) return f;
    if (!y && !strncmp(name, names[f], n) && !strcmp(name + n, "s")) return f;
    if (y && !strncmp(name, names[f], n - 1) && !strcmp(name + n - 1, "ies")) return f;
  }
  return -1;
}

pri_status pri_registry_find(pri_ctx *ctx, pri_family f, const char *name, const pri_kind **out) {
  const pri_registry *r = pri_ctx_registry(ctx);
  const pri_kind *const *list = r ? r->family[f] : NULL;
  const char *known[128];
  int n = 0;
  *out = NULL;
  for (; list && list[n] && n < 128; n++) {
    if (!strcmp(list[n]->name, name)) return *out = list[n], PRI_OK;
    known[n] = list[n]->name;
  }
  const int near = pri_nearest(name, known, n);
  return PRI_FAIL(ctx, PRI_EPARAM, "unknown %s '%s'%s%s%s (`priori list %s` shows all)", names[f], name, near < 0 ? "" : "; did you mean '",
                  near < 0 ? "" : known[near], near < 0 ? "" : "'?", names[f]);
}

static pri_status fill(pri_ctx *ctx, pri_family f, const char *spec, const pri_kind **kind, void **priv) {
  char *name;
  PRI_TRY(pri_spec_name(ctx, spec, &name));
  const pri_status s = pri_registry_find(ctx, f, name, kind);
  pri_free(ctx, name);
  PRI_TRY(s);
  *priv = pri_calloc(ctx, 1, (*kind)->size);
  return *priv ? pri_kind_parse(ctx, *kind, *priv, pri_spec_keys(spec)) : pri_ctx_code(ctx);
}

pri_status pri_object_create(pri_ctx *ctx, pri_family f, const char *spec, const pri_kind **kind, void **priv) {
  *kind = NULL;
  *priv = NULL;
  const pri_status s = fill(ctx, f, spec, kind, priv);
  if (s != PRI_OK) pri_object_destroy(ctx, *kind, priv);
  return s;
}

void pri_object_destroy(pri_ctx *ctx, const pri_kind *kind, void **priv) {
  if (!*priv) return;
  pri_kind_release(ctx, kind, *priv);
  pri_free(ctx, *priv);
  *priv = NULL;
}
