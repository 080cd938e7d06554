/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spool.h - results that wait in a nameless file until their range is known: integers have one scale for the whole stack. */
#ifndef PRI_SPOOL_H
#define PRI_SPOOL_H
#include "priori/io.h"

typedef struct pri_spool pri_spool;
/* In folder, $TMPDIR or /tmp; gone when it is closed. EWRITE */
PRI_MUST_CHECK pri_status pri_spool_create(pri_ctx *ctx, pri_spool **out, const char *folder, const pri_shape *item);
PRI_MUST_CHECK pri_status pri_spool_write(pri_spool *s, const pri_real *x, ptrdiff_t items);
void pri_spool_range(const pri_spool *s, double *lo, double *hi);            /* of all that was written; hi > lo */
PRI_MUST_CHECK pri_status pri_spool_copy(pri_spool *s, pri_output *o);       /* everything, in order */
void pri_spool_destroy(pri_spool **s);
#endif
