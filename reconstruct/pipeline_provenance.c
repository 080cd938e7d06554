/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline_provenance.c - where a result comes from and what is certain of it, as the job knows it: provenance.h. */
#include <stdlib.h>
#include <string.h>
#include "history.h"
#include "pipeline.h"
#include "provenance.h"

int pri_certified_worse(const pri_certified *c, const pri_certified *than) {
  return c->met < than->met || (c->met == than->met && c->relative_gap > than->relative_gap);
}

/* Certificate of the job: of its worst slice. */
static json_t *worst_certificate(const pri_job *job) {
  const pri_certified *w = &job->done[0];
  for (ptrdiff_t i = 1; i < job->n_done; i++)
    if (pri_certified_worse(&job->done[i], w)) w = &job->done[i];
  return pri_certified_json(w, job->set.mismatch);
}

static json_t *all_certificates(const pri_job *job) {
  json_t *a = job->n_done > 1 && strcmp(job->o->solver, "none") ? json_array() : NULL;
  for (ptrdiff_t i = 0; a && i < job->n_done; i++) {
    json_t *c = pri_certified_json(&job->done[i], job->set.mismatch);
    if (c) json_object_set_new(c, "item", json_integer((json_int_t)job->done[i].item));
    json_array_append_new(a, c);
  }
  return a;
}

/* ---- the effective configuration: keys that the input file filled in are said as well */

/* The file's own angles and the like have no text; auto stays auto, for what was found stands under its own key. */
static pri_status keep_auto(pri_job *job, const pri_kind *kind, const char *asked, char **spec) {
  for (const pri_param *row = kind->params; row && row->name; row++) {
    char *was = NULL, *now = NULL, *out = NULL;
    if (!(row->flags & PRI_P_AUTO)) continue;
    pri_status s = pri_spec_get(job->ctx, asked, row->name, pri_kind_first_key(kind), &was);
    if (s == PRI_OK) s = pri_spec_get(job->ctx, *spec, row->name, pri_kind_first_key(kind), &now);
    if (s == PRI_OK && now && !was && !strcmp(now, "auto")) pri_config_drop(*spec, row->name);
    if (s == PRI_OK && now && was && !strcmp(was, "auto") && strcmp(now, "auto")) s = pri_spec_set(job->ctx, *spec, row->name, NULL, was, &out);
    if (out) pri_free(job->ctx, *spec), *spec = out;
    pri_free(job->ctx, was);
    pri_free(job->ctx, now);
    PRI_TRY(s);
  }
  return PRI_OK;
}

static int fills_in(const pri_kind *kind) {
  for (const pri_param *row = kind->params; row && row->name; row++)
    if (row->flags & PRI_P_FROM_META) return 1;
  return 0;
}

/* NULL: as asked for */
static pri_status said_operator(pri_job *job, char **out) {
  const pri_options *o = job->o;
  const void *priv;
  *out = NULL;
  if (!job->set.A || o->operators.n != 1 || o->sweep.n) return PRI_OK;
  const pri_operator_class *c = pri_operator_class_of(job->set.A, &priv);
  if (!c || !fills_in(&c->kind)) return PRI_OK;
  PRI_TRY(pri_operator_print(job->set.A, out));
  return keep_auto(job, &c->kind, o->operators.v[0], out);
}

pri_status pri_job_config(pri_job *job, char **text) {
  pri_options now = *job->o;
  char *spec;
  PRI_TRY(said_operator(job, &spec));
  if (spec) now.operators.v = &spec;
  const pri_status s = pri_config_print(job->ctx, &now, text);
  pri_free(job->ctx, spec);
  return s;
}

static pri_provenance origin(const pri_job *job, const char *config) {
  return (pri_provenance){.config = config,
                          .inputs = job->stack ? job->stack : &job->input_name,
                          .n_inputs = job->stack ? job->n_stack : 1,
                          .in = job->in,
                          .options = job->o};
}

pri_status pri_job_origin(pri_job *job, json_t **out) {
  char *config = NULL;
  *out = NULL;
  PRI_TRY(pri_job_config(job, &config));
  const pri_provenance p = origin(job, config);
  const pri_status s = pri_provenance_origin(job->ctx, &p, out);
  pri_free(job->ctx, config);
  return s;
}

pri_status pri_job_provenance(pri_job *job, char **text) {
  char *config = NULL;
  PRI_TRY(pri_job_config(job, &config));
  pri_provenance p = origin(job, config);
  p.weights = job->weight_notes;
  p.curves = job->weight_curves;
  p.center = job->set.center;
  p.table = job->table;
  if (!job->simulate) p.certificate = worst_certificate(job);
  if (!job->simulate && !job->table) p.items = all_certificates(job);
  if (job->history) p.history = pri_history_json(job->history);
  const pri_status s = pri_provenance_text(job->ctx, &p, text);
  json_decref(p.certificate);
  json_decref(p.items);
  json_decref(p.history);
  pri_free(job->ctx, config);
  return s;
}
