/* SPDX-License-Identifier: GPL-3.0-or-later */
/* par.h (k) - the only parallel regions of the project. Results never depend on the number of threads: each chunk writes its own
   output, sums go through vec.h (fixed blocks, added in index order). */
#ifndef PRI_PAR_H
#define PRI_PAR_H
#include <stddef.h>
#include "priori/context.h"
/* work on [first, last); worker in [0, pri_par_workers): index of per-thread scratch */
typedef pri_status (*pri_par_fn)(void *arg, int worker, ptrdiff_t first, ptrdiff_t last);
/* fn is called for consecutive chunks of at most `grain` that cover [0, n). Serial when n <= grain, in nested calls, or with one
   thread. Returns the status of the lowest failing chunk; fn words no message (the caller does). Never allocates. */
pri_status pri_par_for(pri_ctx *ctx, ptrdiff_t n, ptrdiff_t grain, pri_par_fn fn, void *arg);
int pri_par_workers(const pri_ctx *ctx);   /* upper bound of worker + 1: for scratch */
#endif
