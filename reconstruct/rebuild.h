/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rebuild.h - the job that a result came from, made again from its provenance as far as headers go; and what its model leaves of the data. */
#ifndef PRI_REBUILD_H
#define PRI_REBUILD_H
#include <jansson.h>
#include "pipeline.h"

typedef struct pri_rebuilt {
  pri_options options;
  pri_call call;
  pri_job job;               /* as after pri_job_prepare */
  const char **files;        /* its inputs */
} pri_rebuilt;

/*
 * pri_rebuild - configuration, inputs and found centre of a result as a job again.
 *   result  its name; provenance: its JSON object; names: n inputs instead of those in it (n = 0: those in it).
 *   out     NULL on failure.
 * Errors  PRI_EREAD  an input is missing or is not the file that it was (its hash differs); PRI_ENOTSUP  this is no result of a reconstruction;
 *         those of pri_job_prepare.
 */
PRI_MUST_CHECK pri_status pri_rebuild(pri_ctx *ctx, pri_rebuilt **out, const char *result, const json_t *provenance, const char *const *names, int n);
void pri_rebuild_destroy(pri_rebuilt **b);  /* NULL is fine */

typedef struct pri_leftover {
  pri_array y, r, w;         /* one item of the data as the solver saw them; A x - y, 0 where nothing is known; weights, no data: all 1 */
  const pri_real *known;     /* 0 where the operator sees nothing, borrowed; NULL: it sees all */
  ptrdiff_t rim;             /* elements beyond the result that A reads and no file holds: its border values stood in */
  double rounding;           /* step of the integers in the file; 0: floating point */
} pri_leftover;
/* x: item `item` of the result as it is in the file, of pri_job_written elements. ENOTSUP, with the reason: the file does not determine A x */
PRI_MUST_CHECK pri_status pri_rebuild_leftover(pri_rebuilt *b, pri_leftover *out, const pri_real *x, ptrdiff_t item);
void pri_leftover_destroy(pri_leftover *l);
#endif
