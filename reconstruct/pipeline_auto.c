/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline_auto.c - what is found from the data: centre of rotation, noise level, weights of priors. */
#include <math.h>
#include <string.h>
#include "json.h"
#include "pipeline.h"
#include "watch.h"

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

pri_status pri_job_center(pri_job *job) {
  if (!job->set.A || !pri_operators_auto_center(job->ctx, &job->o->operators)) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_ENOTSUP, "center=auto is not built yet");
}

pri_status pri_job_weights(pri_job *job) {
  const pri_texts *t = &job->o->priors;
  job->weight_notes = json_object();
  for (int i = 0; i < t->n; i++) {
    char *held = NULL, *plain = NULL, *value = NULL, *name = NULL;
    PRI_TRY(pri_config_weight(job->ctx, t->v[i], &held, &plain));
    pri_status s = held ? PRI_FAIL(job->ctx, PRI_ENOTSUP, "weight=%s is not built yet", held) : PRI_OK;
    if (s == PRI_OK) s = pri_spec_get(job->ctx, plain, "weight", NULL, &value);
    if (s == PRI_OK) s = pri_spec_name(job->ctx, plain, &name);
    if (s == PRI_OK && value) json_object_set_new(job->weight_notes, name, pri_json_number(strtod(value, NULL)));
    pri_free(job->ctx, held), pri_free(job->ctx, plain), pri_free(job->ctx, value), pri_free(job->ctx, name);
    PRI_TRY(s);
  }
  return PRI_OK;
}
