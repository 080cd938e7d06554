/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_card.c - what a .prior file says of itself: from which data, by which options, with which certificate, and how it got there. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "learn_job.h"
#include "pipeline_config.h"
#include "provenance.h"

static int add(char *text, size_t room, int at, const char *key, const char *value) {
  if (!value) return at;
  const int n = snprintf(text ? text + at : NULL, text ? room - (size_t)at : 0, "%s = %s\n", key, value);
  return at + n;
}

/* A pipeline file of the options that shape the result; text NULL: its length only. */
static int lines(const pri_learn_job *g, const char *solver, char *text, size_t room) {
  const pri_options *o = g->o;
  char buf[32], stop[40];
  snprintf(stop, sizeof stop, "steps:%ld", g->steps);
  int at = add(text, room, 0, "command", "learn");
  at = add(text, room, at, "prior", g->prior);
  at = add(text, room, at, "solver", solver);
  at = add(text, room, at, "stop", stop);
  at = add(text, room, at, "truth", o->truth);
  for (int i = 0; i < o->simulate.n; i++) at = add(text, room, at, "simulate", o->simulate.v[i]);
  at = add(text, room, at, "noise", o->noise);
  at = add(text, room, at, "unsupervised", o->unsupervised);
  at = add(text, room, at, "noise-level", o->unsupervised ? o->noise_level : NULL);
  at = add(text, room, at, "loss", o->loss);
  if (o->patch) at = add(text, room, at, "patch", pri_shortest(buf, (double)o->patch));
  if (o->crops) at = add(text, room, at, "crops", pri_shortest(buf, (double)o->crops));
  if (o->validate > 0) at = add(text, room, at, "validate", pri_shortest(buf, o->validate));
  for (int i = 0; i < o->operators.n; i++) at = add(text, room, at, "operator", o->operators.v[i]);
  return at;
}

static pri_status origin(pri_learn_job *g) {
  const char **files;
  const int n = g->call->n_inputs;
  PRI_ALLOC(g->ctx, files, n + 1);
  for (int i = 0; i < n; i++) files[i] = g->call->inputs[i];
  if (g->o->truth) files[n] = g->o->truth;
  const pri_provenance p = {.config = g->config, .inputs = files, .n_inputs = n + (g->o->truth != NULL), .options = g->o, .center = NAN};
  const pri_status s = pri_provenance_origin(g->ctx, &p, &g->origin);
  pri_free(g->ctx, files);
  return s;
}

pri_status pri_learn_describe(pri_learn_job *g, const char *solver) {
  const size_t room = (size_t)lines(g, solver, NULL, 0) + 1;
  PRI_ALLOC(g->ctx, g->config, (ptrdiff_t)room);
  lines(g, solver, g->config, room);
  return origin(g);
}

static json_t *parameters(const pri_learn_job *g) {
  const size_t p = pri_lower_ntheta(g->l);
  if (p > PRI_LEARN_SAID) return json_null();
  json_t *a = json_array();
  for (size_t i = 0; i < p; i++) json_array_append_new(a, json_real(pri_method_theta(g->m)[i]));
  return a;
}

json_t *pri_learn_step(const pri_learn_job *g) {
  const pri_method_report *r = &g->r;
  json_t *j = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "k", (json_int_t)r->k, "loss_low", pri_json_number(r->f.low), "loss_high", pri_json_number(r->f.high), "hypergradient",
                        pri_json_number(r->z), "accuracy", pri_json_number(r->eps), "work", pri_json_number(r->work.gradients + r->work.products), "jacobian_work",
                        pri_json_number(r->work.mixed), "theta", parameters(g));
  if (isfinite(r->omega)) json_object_set_new(j, "hypergradient_error", pri_json_number(r->omega));
  if (g->judge) {
    json_object_set_new(j, "validation_low", pri_json_number(g->judged.low));
    json_object_set_new(j, "validation_high", pri_json_number(g->judged.high));
  }
  return j;
}

/* Of the last step; without a proven modulus nothing is called a certificate. */
static json_t *certificate(const pri_learn_job *g) {
  const json_t *last = json_array_get(g->history, json_array_size(g->history) - 1);
  json_t *c = last ? json_deep_copy(last) : json_object();
  json_object_set_new(c, "verdict", json_string(pri_verdict_name(g->why)));
  return c;
}

const pri_learnable *pri_learn_face(const pri_learn_job *g, void **priv) {
  const void *of;
  if (g->is_tgv) return *priv = (void *)(uintptr_t)&g->tgv[0], &pri_learn_tgv_face;
  const pri_learnable *face = pri_prior_class_of(g->R, &of)->learnable;
  return *priv = (void *)(uintptr_t)of, face;
}

pri_status pri_learn_values(const pri_learn_job *g, double *out) {
  const double *theta = pri_method_theta(g->m);
  void *priv;
  const pri_learnable *face = pri_learn_face(g, &priv);
  memcpy(out, theta, pri_lower_ntheta(g->l) * sizeof *out);
  PRI_TRY(face->set_theta(g->ctx, priv, theta));
  if (face->stored) face->stored(priv, out);
  return PRI_OK;
}

static pri_status save(pri_learn_job *g, const char *text) {
  const size_t p = pri_lower_ntheta(g->l);
  double *values;
  PRI_ALLOC(g->ctx, values, (ptrdiff_t)p);
  pri_status s = pri_learn_values(g, values);
  if (s == PRI_OK) s = pri_learn_save(g->ctx, g->o->output, g->o->force, g->prior, values, p, text);
  pri_free(g->ctx, values);
  return s;
}

pri_status pri_learn_write(pri_learn_job *g) {
  json_t *p = json_deep_copy(g->origin);
  json_object_set_new(p, pri_method_certified(g->m) && pri_lower_certified(g->l) ? "certificate" : "estimate", certificate(g));
  json_object_set_new(p, "noise_sd", pri_json_number(g->data.sd));
  json_object_set_new(p, "samples", json_integer((json_int_t)pri_lower_samples(g->l)));
  json_object_set(p, "history", g->history);
  char *text = json_dumps(p, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(p);
  if (!text) return PRI_FAIL(g->ctx, PRI_ENOMEM, "no memory for the card");
  const pri_status s = save(g, text);
  free(text);
  if (s == PRI_OK) unlink(g->state);
  return s;
}
