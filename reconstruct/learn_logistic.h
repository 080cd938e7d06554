/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_logistic.h - multinomial logistic regression as a lower level: one penalty a weight (spec maid 6.4). */
#ifndef PRI_LEARN_LOGISTIC_H
#define PRI_LEARN_LOGISTIC_H
#include "learn.h"
typedef struct pri_table {         /* borrowed: rows of features, and the class of each */
  const pri_real *features;        /* [rows][columns] */
  const int *label;                /* [rows], in [0, classes) */
  ptrdiff_t rows, columns;
} pri_table;
/*
 * One sample, x: [columns][classes]:
 *   h(x, theta) = mean over train of cross-entropy(x'a, label) + 1/2 sum_j e^(theta_j) x_j^2,   g(x) = mean over judge of cross-entropy
 * mu = min e^theta and L = lambda_max(A'A / rows) / 2 + max e^theta are proven; g is convex, Lipschitz lambda_max / 2 of its own table.
 * EPARAM: no rows, a label outside [0, classes), tables of different width; ENUMERIC: no eigenvalues; ENOMEM, EBUDGET
 */
PRI_MUST_CHECK pri_status pri_lower_logistic(pri_ctx *ctx, pri_lower **out, const pri_table *train, const pri_table *judge, int classes);
#endif
