/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config.c - the effective configuration: every spec completed by its own parser and printer, defaults of the front door. */
#include "pipeline_config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "priori/solver.h"
#include "weight.h"

const char *pri_shortest(char buf[32], double v) {
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(buf, 32, "%.*g", digits, v);
    if (strtod(buf, NULL) == v) break;
  }
  return buf;
}

const char *pri_kind_first_key(const pri_kind *kind) { return kind->params ? kind->params[0].name : NULL; }

const char *pri_kind_weight_key(const pri_kind *kind) {
  for (const pri_param *p = kind->params; p && p->name; p++)
    if (p->flags & PRI_P_WEIGHT) return p->name;
  return NULL;
}

static void replace(pri_ctx *ctx, char **field, char *owned) {
  pri_free(ctx, *field);
  *field = owned;
}

/* ---- specs */

static pri_status find_kind(pri_ctx *ctx, pri_family family, const char *spec, const pri_kind **kind) {
  char *name;
  PRI_TRY(pri_spec_name(ctx, spec, &name));
  const pri_status s = pri_registry_find(ctx, family, name, kind);
  pri_free(ctx, name);
  return s;
}

/* End of the item that begins at s: a comma outside quotes, or the end. */
static char *item_end(char *s) {
  char quote = 0;
  for (; *s && (quote || *s != ','); s++) {
    if (quote)
      quote = *s == quote ? 0 : quote;
    else if (*s == '"' || *s == '\'')
      quote = *s;
  }
  return s;
}

/* "ct:center=auto,angles=8" without center is "ct:angles=8"; in place */
void pri_config_drop(char *spec, const char *key) {
  const size_t n = strlen(key);
  char *colon = strchr(spec, ':');
  for (char *at = colon ? colon + 1 : NULL; at && *at;) {
    char *end = item_end(at);
    if (strncmp(at, key, n) || at[n] != '=') {
      at = *end ? end + 1 : end;
      continue;
    }
    if (*end)
      memmove(at, end + 1, strlen(end + 1) + 1);
    else
      at[-1] = 0;
    return;
  }
}

/* A key that was not given is not the same as key=auto (ct:center), or as a default that the input file overrules (ct:geometry). */
static pri_status keep_given(pri_ctx *ctx, const pri_kind *kind, const char *spec, char *out) {
  for (const pri_param *p = kind->params; p && p->name; p++) {
    char *given = NULL;
    if (!(p->flags & (PRI_P_AUTO | PRI_P_FROM_META))) continue;
    PRI_TRY(pri_spec_get(ctx, spec, p->name, pri_kind_first_key(kind), &given));
    if (!given) pri_config_drop(out, p->name);
    pri_free(ctx, given);
  }
  return PRI_OK;
}

static pri_status printed(pri_ctx *ctx, pri_family family, const char *spec, char **out) {
  const pri_kind *kind;
  void *priv;
  *out = NULL;
  PRI_TRY(pri_object_create(ctx, family, spec, &kind, &priv));
  pri_status s = pri_kind_print(ctx, kind, priv, out);
  pri_object_destroy(ctx, kind, &priv);
  if (s == PRI_OK) s = keep_given(ctx, kind, spec, *out);
  if (s != PRI_OK) pri_free(ctx, *out), *out = NULL;
  return s;
}

static int is_number(const char *text) {
  char *end;
  (void)strtod(text, &end);
  return end != text && (*end == 0 || strspn(text, "0123456789.+-") > 0);
}

pri_status pri_config_weight(pri_ctx *ctx, const char *spec, char **held, char **plain) {
  const pri_kind *kind;
  char *text = NULL;
  *held = *plain = NULL;
  PRI_TRY(find_kind(ctx, PRI_PRIORS, spec, &kind));
  const char *key = pri_kind_weight_key(kind), *first = pri_kind_first_key(kind);
  if (key) PRI_TRY(pri_spec_get(ctx, spec, key, first, &text));
  if (!text || is_number(text)) {
    pri_free(ctx, text);
    *plain = pri_strdup(ctx, spec);
    return *plain ? PRI_OK : pri_ctx_code(ctx);
  }
  const pri_status s = pri_spec_set(ctx, spec, key, first, "1", plain);
  if (s == PRI_OK) *held = text;
  else pri_free(ctx, text);
  return s;
}

static const struct {
  const char *prefix, *help;
  double most;
} scales[] = {{"rel:", "share of the weight that makes the image constant", 10}, {"spread:", "times the standard deviation of the data", 1e6}};
enum { SCALES = sizeof scales / sizeof *scales };

/* Which of the scales a weight is in; -1: none */
static int scale_of(const char *held) {
  for (int i = 0; i < SCALES; i++)
    if (!strncmp(held, scales[i].prefix, strlen(scales[i].prefix))) return i;
  return -1;
}

/* Weights that are found or read later: the method must be one that there is. */
static pri_status check_weight(pri_ctx *ctx, const char *spec, const char *held) {
  pri_weight_method method;
  const int k = scale_of(held);
  if (k >= 0) {
    char *end;
    const char *text = held + strlen(scales[k].prefix);
    const double v = strtod(text, &end);
    if (*end || end == text || !(v > 0 && v <= scales[k].most))
      return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s is outside (0, %g] (%s)", spec, held, scales[k].most, scales[k].help);
    return PRI_OK;
  }
  if (strncmp(held, "auto", 4)) return PRI_OK; /* a file */
  if (pri_weight_method_of(held, &method)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: there is no weight=%s; there is auto:discrepancy, auto:gcv, auto:sure, auto:lcurve, rel:V, spread:V, a file, or a number", spec, held);
}

/* weight=FILE stands for weight=1,map=FILE where the prior has such a key */
static pri_status map_from_file(pri_ctx *ctx, char **spec) {
  char *held, *plain, *out = NULL;
  PRI_TRY(pri_config_weight(ctx, *spec, &held, &plain));
  pri_status s = PRI_OK;
  if (held && strncmp(held, "auto", 4) && scale_of(held) < 0) s = pri_spec_set(ctx, plain, "map", NULL, held, &out);
  if (s == PRI_OK && out) replace(ctx, spec, out);
  pri_free(ctx, held);
  pri_free(ctx, plain);
  return s;
}

static pri_status complete_prior(pri_ctx *ctx, char **spec) {
  const pri_kind *kind;
  char *held, *plain, *full = NULL, *out = NULL;
  PRI_TRY(map_from_file(ctx, spec));
  PRI_TRY(pri_config_weight(ctx, *spec, &held, &plain));
  pri_status s = held ? check_weight(ctx, *spec, held) : PRI_OK;
  if (s == PRI_OK) s = printed(ctx, PRI_PRIORS, plain, &full);
  if (s == PRI_OK && held) {
    s = find_kind(ctx, PRI_PRIORS, full, &kind);
    if (s == PRI_OK)
      s = pri_spec_set(ctx, full, pri_kind_weight_key(kind), NULL, strcmp(held, "auto") ? held : "auto:discrepancy", &out);
    pri_free(ctx, full);
    full = out;
  }
  pri_free(ctx, held);
  pri_free(ctx, plain);
  if (s == PRI_OK)
    replace(ctx, spec, full);
  else
    pri_free(ctx, full);
  return s;
}

static pri_status complete_spec(pri_ctx *ctx, pri_family family, char **spec) {
  char *out;
  if (family == PRI_PRIORS) return complete_prior(ctx, spec);
  PRI_TRY(printed(ctx, family, *spec, &out));
  replace(ctx, spec, out);
  return PRI_OK;
}

static pri_status complete_list(pri_ctx *ctx, pri_family family, pri_texts *t) {
  for (int i = 0; i < t->n; i++) {
    if (family == PRI_FILTERS && (!strcmp(t->v[i], "auto") || !strcmp(t->v[i], "none"))) continue;
    PRI_TRY(complete_spec(ctx, family, &t->v[i]));
  }
  return PRI_OK;
}

/* ---- bound */

static pri_status one_bound(pri_ctx *ctx, const char *who, const char *whole, const char *text, size_t n, double none,
                            double *out) {
  char buf[64], *end;
  *out = none;
  if (n == 0) return PRI_OK;
  snprintf(buf, sizeof buf, "%.*s", (int)(n < 63 ? n : 63), text);
  *out = strtod(buf, &end);
  if (end == buf || *end || !isfinite(*out))
    return PRI_FAIL(ctx, PRI_EPARAM, "%s %s: '%s' is no finite number; give lo:hi, either side may be empty", who, whole, buf);
  return PRI_OK;
}

int pri_range_boxed(const pri_range *r) {
  return r->automatic == PRI_RANGE_BOTH || (isfinite(r->lo) && (isfinite(r->hi) || r->automatic));
}

pri_status pri_range_parse(pri_ctx *ctx, const char *who, const char *text, pri_range *out) {
  const char *colon = strchr(text, ':');
  *out = (pri_range){-INFINITY, INFINITY, PRI_RANGE_BOTH};
  if (!strcmp(text, "auto") || !strcmp(text, "auto:auto")) return PRI_OK;
  if (!colon) return PRI_FAIL(ctx, PRI_EPARAM, "%s %s: give lo:hi, either side may be empty, or auto", who, text);
  *out = (pri_range){.automatic = strcmp(colon + 1, "auto") ? PRI_RANGE_FIXED : PRI_RANGE_HIGH};
  PRI_TRY(one_bound(ctx, who, text, text, (size_t)(colon - text), -INFINITY, &out->lo));
  PRI_TRY(one_bound(ctx, who, text, colon + 1, out->automatic ? 0 : strlen(colon + 1), INFINITY, &out->hi));
  if (!(out->lo < out->hi)) return PRI_FAIL(ctx, PRI_EPARAM, "%s %s: the first number is not below the second", who, text);
  if (out->automatic && !isfinite(out->lo))
    return PRI_FAIL(ctx, PRI_EPARAM, "%s %s: an automatic upper bound needs a lower one, e.g. 0:auto", who, text);
  return PRI_OK;
}

static pri_status complete_bound(pri_ctx *ctx, pri_options *o) {
  char a[32] = "", b[32] = "", whole[72];
  pri_range r;
  PRI_TRY(pri_range_parse(ctx, "--bound", o->bound ? o->bound : ":", &r));
  if (isfinite(r.lo)) pri_shortest(a, r.lo);
  if (isfinite(r.hi)) pri_shortest(b, r.hi);
  snprintf(whole, sizeof whole, "%s:%s", a, r.automatic ? "auto" : b);
  if (r.automatic == PRI_RANGE_BOTH) snprintf(whole, sizeof whole, "auto");
  char *copy = pri_strdup(ctx, whole);
  if (!copy) return pri_ctx_code(ctx);
  replace(ctx, &o->bound, copy);
  return PRI_OK;
}

/* ---- everything */

static pri_status otherwise(pri_ctx *ctx, pri_options *o, const char *name, const char *current, const char *value) {
  return current ? PRI_OK : pri_options_set(ctx, o, name, value);
}

static int gives_certificate(pri_ctx *ctx, const char *solver) {
  const pri_kind *kind;
  return find_kind(ctx, PRI_SOLVERS, solver, &kind) == PRI_OK && ((const pri_solver_class *)(const void *)kind)->duals != NULL;
}

/* 1: some prior has no saddle face, so that there is no certificate; it is tried on a small image (what it says of a wrong shape comes later) */
static pri_status beyond_proof(pri_ctx *ctx, const pri_options *o, int *yes) {
  const pri_shape small = pri_shape_2d(16, 16);
  for (int i = 0; i < o->priors.n && !*yes; i++) {
    pri_prior *R = NULL;
    char *held = NULL, *plain = NULL;
    PRI_TRY(pri_config_weight(ctx, o->priors.v[i], &held, &plain));
    if (pri_prior_create(ctx, &R, plain ? plain : o->priors.v[i], NULL, &small) == PRI_OK) *yes = !pri_prior_class_of(R, NULL)->saddle;
    pri_prior_destroy(&R);
    pri_free(ctx, held), pri_free(ctx, plain);
  }
  return PRI_OK;
}

/* A proof where solver and priors give one and there is a box; where the priors do not, rest; else a number of steps. */
static pri_status default_stop(pri_ctx *ctx, pri_options *o) {
  pri_range r;
  int none = 0;
  if (o->stops.n) return PRI_OK;
  PRI_TRY(pri_range_parse(ctx, "--bound", o->bound, &r));
  if (!pri_range_boxed(&r) || !gives_certificate(ctx, o->solver)) return pri_options_set(ctx, o, "stop", "steps:50");
  PRI_TRY(beyond_proof(ctx, o, &none));
  return pri_options_set(ctx, o, "stop", none ? "change:1e-5" : "gap:1e-3");
}

pri_status pri_config_complete(pri_ctx *ctx, pri_options *o) {
  PRI_TRY(otherwise(ctx, o, "fidelity", o->fidelity, "ls"));
  PRI_TRY(otherwise(ctx, o, "solver", o->solver, o->priors.n ? "pdhg" : "cgls"));
  PRI_TRY(otherwise(ctx, o, "noise-level", o->noise_level, "auto"));
  PRI_TRY(otherwise(ctx, o, "dtype", o->dtype, "f32"));
  if (!o->prepare.n) PRI_TRY(pri_options_set(ctx, o, "prepare", "auto"));
  PRI_TRY(complete_bound(ctx, o));
  PRI_TRY(complete_list(ctx, PRI_OPERATORS, &o->operators));
  PRI_TRY(complete_spec(ctx, PRI_FIDELITIES, &o->fidelity));
  PRI_TRY(complete_list(ctx, PRI_PRIORS, &o->priors));
  if (strcmp(o->solver, "none")) PRI_TRY(complete_spec(ctx, PRI_SOLVERS, &o->solver));
  if (strcmp(o->solver, "none")) PRI_TRY(default_stop(ctx, o));
  PRI_TRY(complete_list(ctx, PRI_MONITORS, &o->stops));
  PRI_TRY(complete_list(ctx, PRI_FILTERS, &o->prepare));
  PRI_TRY(complete_list(ctx, PRI_FILTERS, &o->then));
  if (o->noise) PRI_TRY(complete_spec(ctx, PRI_NOISES, &o->noise));
  return PRI_OK;
}
