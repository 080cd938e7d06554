/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline_sweep.c - a job once for every value of --sweep: slices of the first value, then those of the second, ... in one file;
   the table of what each gave goes to the log and into the provenance. */
#include <math.h>
#include "json.h"
#include "resume.h"
#include "sweep.h"

static pri_status note(pri_job *job, const pri_sweep *s, int index) {
  double objective = 0, residual = 0, gap = 0;
  for (ptrdiff_t i = 0; i < job->n_done; i++) {
    const pri_certified *c = &job->done[i];
    objective += c->objective / (double)job->n_done;
    residual += c->residual / (double)job->n_done;
    gap = c->relative_gap > gap || isnan(c->relative_gap) ? c->relative_gap : gap;
    json_t *row = pri_certified_json(c, job->set.mismatch);
    if (row) {
      json_object_set_new(row, "item", json_integer((json_int_t)c->item));
      json_object_set_new(row, "value", pri_json_text(s->values[index]));
      json_object_set_new(row, "page", json_integer((json_int_t)(job->base + i)));
    }
    PRI_TRY(pri_json_append(job->ctx, json_object_get(job->table, "rows"), row));
  }
  pri_log(job->ctx, PRI_LOG_INFO, "%s.%s=%-10s pages %td to %td  objective %-12.6g residual %-10.5g gap %.3g", s->plugin, s->key,
          s->values[index], job->base, job->base + job->n_done - 1, objective, residual, gap);
  return PRI_OK;
}

static pri_status one_value(pri_job *job, const pri_sweep *s, int index) {
  const pri_options *o = job->o;
  const pri_shape before = job->set.result;
  pri_options now;
  PRI_TRY(pri_sweep_apply(s, index, o, &now));
  pri_job_unset(job);
  json_decref(job->weight_notes);
  json_decref(job->weight_curves);
  job->weight_notes = job->weight_curves = NULL;
  job->o = &now;
  job->base = index * job->items;
  pri_status st = pri_job_setup(job);
  if (st == PRI_OK && !pri_shape_equal(&before, &job->set.result))
    st = PRI_FAIL(job->ctx, PRI_ESHAPE, "--sweep %s.%s=%s: the result has another size than the rest of the stack", s->plugin,
                  s->key, s->values[index]);
  if (st == PRI_OK) st = pri_resume_certify(job);
  if (st == PRI_OK) st = pri_job_stream(job);
  if (st == PRI_OK) st = note(job, s, index);
  job->o = o;
  pri_sweep_release(s, o, &now);
  return st;
}

pri_status pri_job_sweep(pri_job *job) {
  pri_sweep s;
  pri_status st = PRI_OK;
  PRI_TRY(pri_sweep_create(job->ctx, &s, job->o->sweep.v[0]));
  job->table = json_pack("{s:s, s:[]}", "key", job->o->sweep.v[0], "rows");
  for (int i = 0; i < s.n && st == PRI_OK; i++) st = one_value(job, &s, i);
  pri_sweep_destroy(&s);
  return st;
}
