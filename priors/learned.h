/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learned.h - numbers of a .prior file that `priori learn` wrote, for priors with few parameters. */
#ifndef PRI_LEARNED_H
#define PRI_LEARNED_H
#include "priori/context.h"
/* *value = exp of the one value of tensor `name`. form: NULL, or out: 1 where the card's form is `word`. EFORMAT: another prior, no such number;
   EDATA: outside [-27, 27]; EREAD, ENOMEM */
PRI_MUST_CHECK pri_status pri_learned_exp(pri_ctx *ctx, const char *kind, const char *file, const char *name, double *value);
PRI_MUST_CHECK pri_status pri_learned_form(pri_ctx *ctx, const char *kind, const char *file, const char *word, int *is);
#endif
