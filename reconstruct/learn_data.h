/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_data.h - what priori learn learns from: pairs of measurements and true images, clean images that are measured by a model, or
   measurements alone; split into samples to learn from and samples to judge by. */
#ifndef PRI_LEARN_DATA_H
#define PRI_LEARN_DATA_H
#include "cmd.h"
#include "priori/operator.h"

typedef struct pri_learn_set { pri_array y, truth; } pri_learn_set; /* truth: no items where there is none */
typedef struct pri_learn_data {
  pri_operator *A;
  pri_meta meta;
  double sd;                     /* of the noise of a measurement */
  pri_learn_set train, validate; /* validate: no items where none were put aside */
} pri_learn_data;
/*
 * By the options truth, simulate and noise, unsupervised and noise-level, operator, patch, validate.
 * EPARAM, ESHAPE (no pairs), EREAD, EFORMAT, EDATA (a value that is not finite, no noise), ENOMEM, EBUDGET. fini accepts a half-filled one.
 */
PRI_MUST_CHECK pri_status pri_learn_data_load(pri_call *call, pri_learn_data *d);
void pri_learn_data_fini(pri_learn_data *d);
#endif
