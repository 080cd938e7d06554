/* SPDX-License-Identifier: GPL-3.0-or-later */
/* provenance.h - what is written into every result, and the certificate in it (cli contract, section 6): nothing in it differs
   between equal runs, so no clock, host, thread count or output name. */
#ifndef PRI_PROVENANCE_H
#define PRI_PROVENANCE_H
#include <jansson.h>
#include "cmd.h"

typedef struct pri_provenance {
  const char *config;             /* pipeline file */
  const char *const *inputs;      /* as typed */
  int n_inputs;
  const struct pri_input *in;     /* open still: standard input is hashed through it; NULL: none */
  const pri_options *options;     /* the files that their specs name are hashed; NULL: none */
  json_t *weights;                /* {prior: value}; borrowed; NULL: {} */
  json_t *curves;                 /* tested weights of each automatic prior; borrowed; NULL: left out */
  double center;                  /* NAN: null */
  json_t *certificate;            /* borrowed; NULL: null */
  json_t *items;                  /* one certificate a slice; borrowed; NULL: left out */
  json_t *table;                  /* of a sweep; borrowed; NULL: left out */
  json_t *history;                /* of the worst slice; borrowed; NULL: left out */
} pri_provenance;

/* {"version","build","config","inputs","seed","files"}: where the result comes from. EREAD */
PRI_MUST_CHECK pri_status pri_provenance_origin(pri_ctx *ctx, const pri_provenance *p, json_t **out);

/* *text by malloc, NULL on failure. EREAD: an input can no longer be read */
PRI_MUST_CHECK pri_status pri_provenance_text(pri_ctx *ctx, const pri_provenance *p, char **text);
#endif
