/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipeline_config.h - from options and a pipeline file to the effective configuration, in place, in a pri_options.
 *
 * A pipeline file has lines "key = value" with the long option names, '#' comments, repeatable keys repeated. Whatever is found
 * out from data (weights, box, centre, noise level) stays "auto" in it, so that the text alone says what was asked for.
 */
#ifndef PRI_PIPELINE_CONFIG_H
#define PRI_PIPELINE_CONFIG_H
#include "cmd.h"

/* For pri_command.defaults, of `reconstruct` and of the front doors (options of the task become an operator; prior, bound, solver
   and stop are filled in where not given): pipeline file, defaults, everything complete. EREAD, EPARAM. */
PRI_MUST_CHECK pri_status pri_config_reconstruct(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_ct(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_denoise(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_inpaint(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_deblur(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_upscale(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_simulate(pri_call *call);
PRI_MUST_CHECK pri_status pri_config_check(pri_call *call);
/* Can this solver take this prior (NULL: none) in a box, with this operator and fidelity? Asked about a small problem. */
PRI_MUST_CHECK pri_status pri_config_takes(pri_ctx *ctx, const char *solver, const char *op, const char *fidelity, const char *prior, int *yes);
/* Takes a first input that ends in .ini as a pipeline file (options override it). EREAD, EPARAM "file:line: ..." */
PRI_MUST_CHECK pri_status pri_config_defaults(pri_call *call);
/* Every spec of o complete, every default said; twice is the same as once. EPARAM: unknown names, bad values. */
PRI_MUST_CHECK pri_status pri_config_complete(pri_ctx *ctx, pri_options *o);
/* A complete configuration as a pipeline file. *text by pri_calloc. */
PRI_MUST_CHECK pri_status pri_config_print(pri_ctx *ctx, const pri_options *o, char **text);
PRI_MUST_CHECK pri_status pri_config_read(pri_ctx *ctx, pri_options *o, const char *path);
PRI_MUST_CHECK pri_status pri_config_parse(pri_ctx *ctx, pri_options *o, const char *text, const char *who); /* as read; who: begins messages */

/* "tv:weight=auto:discrepancy" -> the text of the weight where it is no number, else NULL (*held by pri_calloc); *plain: the
   spec with a weight of 1 in its place, what objects are made of. */
PRI_MUST_CHECK pri_status pri_config_weight(pri_ctx *ctx, const char *spec, char **held, char **plain);
void pri_config_drop(char *spec, const char *key); /* "ct:center=auto,angles=8" without center is "ct:angles=8"; in place */
/* Name of the first key of a plug-in, or of its weight; NULL: it has none. Borrowed. */
const char *pri_kind_first_key(const pri_kind *kind);
const char *pri_kind_weight_key(const pri_kind *kind);
/* v as the shortest text that reads back as v */
const char *pri_shortest(char buf[32], double v);

typedef struct pri_range { /* --bound */
  double lo, hi;           /* -INFINITY, INFINITY: none */
  int automatic;           /* PRI_RANGE_... */
} pri_range;
/* "0:auto": hi follows the iterate; "auto": both begin at the range of the data and follow the iterate (bound.c) */
enum { PRI_RANGE_FIXED, PRI_RANGE_HIGH, PRI_RANGE_BOTH };
PRI_MUST_CHECK pri_status pri_range_parse(pri_ctx *ctx, const char *who, const char *text, pri_range *out); /* "0:2" ":" "0:" "0:auto" "auto"; who: option */
int pri_range_boxed(const pri_range *r); /* finite in the end */
#endif
