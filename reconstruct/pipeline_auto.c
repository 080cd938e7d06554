/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline_auto.c - what is found from the data: centre of rotation; pipeline_weight.c has noise and weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "center.h"
#include "json.h"
#include "pipeline.h"

/* ---- priors of a plan: weights that are not numbers stand at 1 */

pri_status pri_job_priors(pri_job *job) {
  const pri_texts *t = &job->o->priors;
  PRI_ALLOC(job->ctx, job->set.priors, t->n + 1);
  for (int i = 0; i < t->n; i++, job->set.n_priors++) {
    char *held = NULL;
    PRI_TRY(pri_config_weight(job->ctx, t->v[i], &held, &job->set.priors[i]));
    pri_free(job->ctx, held);
  }
  return PRI_OK;
}

/* ---- slices to look at: spread over the job, the same for any --mem */

pri_status pri_job_samples(pri_job *job, pri_block *b, ptrdiff_t slice[PRI_SAMPLES]) {
  const ptrdiff_t n = job->items < PRI_SAMPLES ? job->items : PRI_SAMPLES;
  for (ptrdiff_t i = 0; i < n; i++) slice[i] = job->slice[(2 * i + 1) * job->items / (2 * n)];
  return pri_block_read(job, job->ctx, b, slice, n, 0);
}

/* ---- centre of rotation */

static void say_center(pri_job *job, const pri_center *c) {
  job->set.center = c->center;
  pri_journal_event(job->log, "geometry",
                    json_pack("{s:o, s:o, s:o, s:b}", "center", pri_json_number(c->center), "opposite",
                              pri_json_number(c->opposite), "picture", pri_json_number(c->picture), "agree", c->agree));
  pri_log(job->ctx, PRI_LOG_INFO, "centre of rotation: bin %.3f", c->center);
}

pri_status pri_job_use_center(pri_job *job) {
  pri_job_geometry_fini(job);
  return pri_job_geometry(job);
}

pri_status pri_job_center(pri_job *job) {
  pri_block b = {0};
  pri_center c;
  ptrdiff_t slice[PRI_SAMPLES];
  const pri_geometry *g = pri_job_ct(job);
  if (!job->set.A || !pri_operators_auto_center(job->ctx, &job->o->operators)) return PRI_OK;
  if (!g) return PRI_FAIL(job->ctx, PRI_ENOTSUP, "center=auto is for a single ct operator");
  pri_status s = pri_job_samples(job, &b, slice);
  if (s == PRI_OK) s = pri_center_find(job->ctx, &c, g, &b.y);
  pri_block_destroy(&b);
  if (s != PRI_OK && s != PRI_ECANCEL && s != PRI_ENOMEM && job->seeks_center) { /* nobody asked for it */
    char *why = pri_message_plain(job->ctx);
    pri_log(job->ctx, PRI_LOG_WARN, "the centre of rotation was not found (%s); the middle of the detector is taken", why ? why : "no memory");
    pri_free(job->ctx, why);
    return PRI_OK;
  }
  PRI_TRY(s);
  say_center(job, &c);
  return pri_job_use_center(job);
}
