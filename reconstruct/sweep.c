/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.c - see sweep.h. */
#include "sweep.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pipeline_config.h"

static char *copy_n(pri_ctx *ctx, const char *s, size_t n) {
  char *d = pri_calloc(ctx, n + 1, 1);
  return d ? memcpy(d, s, n) : NULL;
}

static pri_status add(pri_sweep *s, const char *text, size_t n) {
  if (s->n == PRI_SWEEP_MAX) return PRI_FAIL(s->ctx, PRI_EPARAM, "--sweep: more than %d values", PRI_SWEEP_MAX);
  if (n == 0) return PRI_FAIL(s->ctx, PRI_EPARAM, "--sweep %s.%s: an empty value", s->plugin, s->key);
  s->values[s->n] = copy_n(s->ctx, text, n);
  return s->values[s->n++] ? PRI_OK : pri_ctx_code(s->ctx);
}

static pri_status add_list(pri_sweep *s, const char *at) {
  for (;;) {
    const size_t n = strcspn(at, ",");
    PRI_TRY(add(s, at, n));
    if (!at[n]) return PRI_OK;
    at += n + 1;
  }
}

/* a, a + step, ... up to b; half a thousandth of a step forgives the rounding of decimal steps */
static pri_status add_range(pri_sweep *s, double a, double b, double step) {
  char buf[32];
  const double n = floor((b - a) / step + 0.0005);
  if (!(step != 0) || !(n >= 0) || n >= PRI_SWEEP_MAX)
    return PRI_FAIL(s->ctx, PRI_EPARAM, "--sweep %s.%s=%g:%g:%g gives no values, or more than %d", s->plugin, s->key, a, b, step,
                    PRI_SWEEP_MAX);
  for (int i = 0; i <= (int)n; i++) {
    snprintf(buf, sizeof buf, "%.12g", a + i * step);
    PRI_TRY(add(s, buf, strlen(buf)));
  }
  return PRI_OK;
}

static pri_status parse(pri_sweep *s, const char *text) {
  const char *equal = strchr(text, '='), *dot = strchr(text, '.');
  double a, b, step;
  char tail;
  if (!equal || !dot || dot > equal || dot == text || dot + 1 == equal)
    return PRI_FAIL(s->ctx, PRI_EPARAM,
                    "--sweep %s: give PLUGIN.KEY=first:last:step or PLUGIN.KEY=v1,v2,..., e.g. ct.center=290:300:1", text);
  s->plugin = copy_n(s->ctx, text, (size_t)(dot - text));
  s->key = copy_n(s->ctx, dot + 1, (size_t)(equal - dot - 1));
  s->values = pri_calloc(s->ctx, PRI_SWEEP_MAX, sizeof *s->values);
  if (!s->plugin || !s->key || !s->values) return pri_ctx_code(s->ctx);
  if (sscanf(equal + 1, "%lf:%lf:%lf%c", &a, &b, &step, &tail) == 3) return add_range(s, a, b, step);
  return add_list(s, equal + 1);
}

pri_status pri_sweep_create(pri_ctx *ctx, pri_sweep *s, const char *text) {
  *s = (pri_sweep){.ctx = ctx};
  const pri_status st = parse(s, text);
  if (st != PRI_OK) pri_sweep_destroy(s);
  return st;
}

void pri_sweep_destroy(pri_sweep *s) {
  for (int i = 0; i < s->n; i++) pri_free(s->ctx, s->values[i]);
  pri_free(s->ctx, s->values);
  pri_free(s->ctx, s->plugin);
  pri_free(s->ctx, s->key);
  *s = (pri_sweep){0};
}

/* ---- one value in place */

struct place {
  pri_family family;
  size_t at; /* of a pri_texts, or of a char * */
  int list;
};
static const struct place places[] = {
    {PRI_OPERATORS, offsetof(pri_options, operators), 1}, {PRI_PRIORS, offsetof(pri_options, priors), 1},
    {PRI_SOLVERS, offsetof(pri_options, solver), 0},      {PRI_FIDELITIES, offsetof(pri_options, fidelity), 0},
    {PRI_MONITORS, offsetof(pri_options, stops), 1},      {PRI_FILTERS, offsetof(pri_options, prepare), 1},
    {PRI_FILTERS, offsetof(pri_options, then), 1}};
enum { PLACES = sizeof places / sizeof *places };

static int is_named(const char *spec, const char *name) {
  const size_t n = strlen(name);
  return spec && !strncmp(spec, name, n) && (spec[n] == 0 || spec[n] == ':');
}

static char **slot(pri_options *o, int i, int k) {
  void *p = (char *)o + places[i].at;
  if (!places[i].list) return p;
  pri_texts *t = p;
  return k < t->n ? &t->v[k] : NULL;
}

static int find(const pri_sweep *s, pri_options *o, int *place, int *k) {
  for (*place = 0; *place < PLACES; ++*place)
    for (*k = 0; *k == 0 || places[*place].list; ++*k) {
      char **text = slot(o, *place, *k);
      if (!text) break;
      if (is_named(*text, s->plugin)) return 1;
    }
  return 0;
}

static pri_status new_spec(const pri_sweep *s, int index, pri_family family, const char *spec, char **out) {
  const pri_kind *kind;
  char *set, *held = NULL, *plain = NULL;
  void *priv;
  PRI_TRY(pri_registry_find(s->ctx, family, s->plugin, &kind));
  PRI_TRY(pri_spec_set(s->ctx, spec, s->key, NULL, s->values[index], &set));
  pri_status st = family == PRI_PRIORS ? pri_config_weight(s->ctx, set, &held, &plain) : PRI_OK;
  if (st == PRI_OK) st = pri_object_create(s->ctx, family, plain ? plain : set, &kind, &priv); /* range and key are checked */
  if (st == PRI_OK) pri_object_destroy(s->ctx, kind, &priv);
  pri_free(s->ctx, held);
  pri_free(s->ctx, plain);
  if (st != PRI_OK) pri_free(s->ctx, set);
  *out = st == PRI_OK ? set : NULL;
  return st;
}

pri_status pri_sweep_apply(const pri_sweep *s, int index, const pri_options *o, pri_options *copy) {
  int place, k;
  char *spec;
  *copy = *o;
  if (!find(s, copy, &place, &k))
    return PRI_FAIL(s->ctx, PRI_EPARAM, "--sweep %s.%s: no %s takes part in this pipeline", s->plugin, s->key, s->plugin);
  PRI_TRY(new_spec(s, index, places[place].family, *slot(copy, place, k), &spec));
  if (places[place].list) {
    pri_texts *t = (pri_texts *)(void *)((char *)copy + places[place].at);
    char **v = pri_calloc(s->ctx, (size_t)t->n, sizeof *v);
    if (!v) {
      pri_free(s->ctx, spec);
      return pri_ctx_code(s->ctx);
    }
    memcpy(v, t->v, (size_t)t->n * sizeof *v);
    t->v = v;
  }
  *slot(copy, place, k) = spec;
  return PRI_OK;
}

void pri_sweep_release(const pri_sweep *s, const pri_options *o, pri_options *copy) {
  for (int i = 0; i < PLACES; i++) {
    const void *was = (const char *)o + places[i].at;
    void *is = (char *)copy + places[i].at;
    if (!memcmp(was, is, places[i].list ? sizeof(pri_texts) : sizeof(char *))) continue;
    const pri_texts *old = was;
    pri_texts *now = is;
    if (!places[i].list) pri_free(s->ctx, *(char **)is);
    for (int k = 0; places[i].list && k < now->n; k++)
      if (now->v[k] != old->v[k]) pri_free(s->ctx, now->v[k]);
    if (places[i].list) pri_free(s->ctx, now->v);
  }
}
