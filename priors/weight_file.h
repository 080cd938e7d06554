/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight_file.h - the side files of priors and fidelities: arrays of finite numbers >= 0. */
#ifndef PRI_WEIGHT_FILE_H
#define PRI_WEIGHT_FILE_H
#include "priori/array.h"
/* Loads `file` into *out (owned by the caller; zeroed on failure). `who` and `key` begin the messages. */
PRI_MUST_CHECK pri_status pri_weight_file_load(pri_ctx *ctx, const char *who, const char *key, const char *file, pri_array *out);
/* EDATA: some value is negative or not finite */
PRI_MUST_CHECK pri_status pri_weights_check(pri_ctx *ctx, const char *who, const char *key, const char *file, const pri_array *a);
/* known=FILE is read by the pipeline, which knows the slices, and arrives as weights of 0 and 1: EPARAM where it has not. known may be NULL */
PRI_MUST_CHECK pri_status pri_known_arrived(pri_ctx *ctx, const char *who, const char *known, const pri_array *weight);
#endif
