/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_method.c - picks a method of the upper level by name, and keeps what is common to all: its keys and the best value seen. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "learn_method.h"

static const pri_method_class *const methods[] = {&pri_method_maid, &pri_method_fixed, &pri_method_hoag, &pri_method_adam, &pri_method_dfo, &pri_method_random, &pri_method_grid};
enum { METHODS = sizeof methods / sizeof *methods };

struct pri_method {
  pri_ctx *ctx;
  const pri_method_class *c;
  void *keys, *priv;
  double best;                     /* lowest upper end of f */
};

static pri_status unknown(pri_ctx *ctx, const char *spec) {
  char names[120] = "";
  for (size_t i = 0, at = 0; i < METHODS && at < sizeof names; i++) at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", methods[i]->kind.name);
  return PRI_FAIL(ctx, PRI_EPARAM, "--solver %s: the methods of learn are %s", spec, names);
}

static pri_status fill(pri_method *m, const char *spec) {
  char *name = NULL;
  PRI_TRY(pri_spec_name(m->ctx, spec, &name));
  for (size_t i = 0; i < METHODS && !m->c; i++)
    if (!strcmp(name, methods[i]->kind.name)) m->c = methods[i];
  pri_free(m->ctx, name);
  if (!m->c) return unknown(m->ctx, spec);
  m->keys = pri_calloc(m->ctx, 1, m->c->kind.size);
  return m->keys ? pri_kind_parse(m->ctx, &m->c->kind, m->keys, pri_spec_keys(spec)) : pri_ctx_code(m->ctx);
}

pri_status pri_method_parse(pri_ctx *ctx, pri_method **out, const char *spec) {
  pri_method *m = *out = pri_calloc(ctx, 1, sizeof *m);
  if (!m) return pri_ctx_code(ctx);
  m->ctx = ctx, m->best = INFINITY;
  const pri_status s = fill(m, spec ? spec : "maid");
  if (s != PRI_OK) pri_method_destroy(out);
  return s;
}

pri_status pri_method_print(const pri_method *m, char **spec) { return pri_kind_print(m->ctx, &m->c->kind, m->keys, spec); }
double pri_method_floor(const pri_method *m) { return ((const pri_method_keys *)m->keys)->floor; }
void pri_method_set_floor(pri_method *m, double floor) { ((pri_method_keys *)m->keys)->floor = floor; }
const double *pri_method_theta(const pri_method *m) { return m->c->theta(m->priv); }
int pri_method_monotone(const pri_method *m) { return m->c->claim(m->keys) == PRI_CLAIM_DESCENT; }
int pri_method_certified(const pri_method *m) { return m->c->claim(m->keys) != PRI_CLAIM_NONE; }

pri_status pri_method_start(pri_method *m, pri_lower *l, const double *theta, pri_method_box box) {
  return m->c->create(m->ctx, &m->priv, l, theta, box, m->keys);
}

pri_status pri_method_step(pri_method *m, pri_method_report *r, pri_verdict *v) {
  PRI_TRY(m->c->step(m->priv, r, v));
  m->best = fmin(m->best, r->f.high); /* NAN never counts */
  r->best = m->best;
  return PRI_OK;
}

pri_status pri_method_walk(pri_method *m, pri_walk *w) {
  PRI_TRY(pri_walk_bytes(w, "best", &m->best, sizeof m->best));
  return m->c->walk(m->priv, w);
}

void pri_method_destroy(pri_method **out) {
  if (!out || !*out) return;
  pri_method *m = *out;
  if (m->c) m->c->destroy(m->priv);
  pri_free(m->ctx, m->keys);
  pri_free(m->ctx, m);
  *out = NULL;
}
