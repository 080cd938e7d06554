/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_job.h - one run of priori learn: cmd_learn.c (the run), learn_state.c (what --resume needs), learn_card.c (what the file says of itself). */
#ifndef PRI_LEARN_JOB_H
#define PRI_LEARN_JOB_H
#include "json.h"
#include "learn.h"
#include "learn_data.h"
#include "learn_method.h"
#include "learn_tgv.h"
#include "log.h"

enum { PRI_LEARN_PATH = 4096, PRI_LEARN_SAID = 10 /* parameters: up to so many are said one by one */ };
typedef struct pri_learn_loss { double kappa; } pri_learn_loss; /* --loss smooth-l1:KEYS */

typedef struct pri_learn_job {
  pri_call *call;
  pri_ctx *ctx;
  const pri_options *o;
  pri_journal *log;
  double floor;
  pri_loss loss;
  pri_learn_loss loss_keys;
  long steps;
  char *prior, *config, *name;   /* effective spec at the start; configuration; of the prior */
  pri_learn_data data;
  double peak;                   /* of the true images, for PSNR */
  pri_prior *R, *R_judge;
  pri_learn_tgv tgv[2];          /* in their places where is_tgv */
  int is_tgv;
  pri_lower *l, *judge;          /* of the samples to learn from, of those put aside (NULL: none) */
  pri_real *x_judge;             /* [of judge] warm start */
  double *e_judge;
  pri_method *m;
  json_t *origin, *history;
  char state[PRI_LEARN_PATH];
  pri_method_report r;
  pri_interval judged;           /* of the samples put aside; NAN without */
  pri_verdict why;
} pri_learn_job;

/* ---- learn_state.c */
PRI_MUST_CHECK pri_status pri_learn_state_name(pri_learn_job *g); /* ".NAME.learn-state" beside the output */
void pri_learn_state_save(pri_learn_job *g);                      /* a full disk does not end the run */
PRI_MUST_CHECK pri_status pri_learn_state_load(pri_learn_job *g); /* --resume, where there is one. EPARAM: of another run */

/* ---- learn_card.c */
PRI_MUST_CHECK pri_status pri_learn_describe(pri_learn_job *g, const char *solver); /* configuration and origin */
json_t *pri_learn_step(const pri_learn_job *g);
/* What is learned, and the object it is of (that of g; the caller does not free it) */
const pri_learnable *pri_learn_face(const pri_learn_job *g, void **priv);
PRI_MUST_CHECK pri_status pri_learn_values(const pri_learn_job *g, double *out); /* theta as it stands in the file */
PRI_MUST_CHECK pri_status pri_learn_write(pri_learn_job *g);      /* the prior file; the state goes */
#endif
