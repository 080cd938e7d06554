/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.h - --sweep KEY=a:b:step or KEY=v1,v2,...: KEY is PLUGIN.KEY, e.g. ct.center, tv.weight. */
#ifndef PRI_SWEEP_H
#define PRI_SWEEP_H
#include "options.h"

typedef struct pri_sweep {
  pri_ctx *ctx;
  char *plugin, *key;
  char **values;  /* [n] texts */
  int n;
} pri_sweep;

enum { PRI_SWEEP_MAX = 10000 };
/* EPARAM: no KEY=VALUES, no values, too many. a:b:step includes b where a step ends on it. Destroy accepts a zeroed struct. */
PRI_MUST_CHECK pri_status pri_sweep_create(pri_ctx *ctx, pri_sweep *s, const char *text);
void pri_sweep_destroy(pri_sweep *s);
/*
 * o with the value of that index in place, in `copy`: a shallow copy whose changed lists belong to the sweep's context and are
 * released by pri_sweep_release. EPARAM: no plug-in of this name takes part, or it has no such key, or the value is out of range.
 */
PRI_MUST_CHECK pri_status pri_sweep_apply(const pri_sweep *s, int index, const pri_options *o, pri_options *copy);
void pri_sweep_release(const pri_sweep *s, const pri_options *o, pri_options *copy);
#endif
