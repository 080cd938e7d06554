/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history.h - how an iteration went, thinned: about even on a log axis of steps, at most PRI_HISTORY points, and every certificate
 * as long as there is room. No clock in it: the same for equal runs.
 */
#ifndef PRI_HISTORY_H
#define PRI_HISTORY_H
#include <jansson.h>
#include <stddef.h>
#include "priori/solver.h"

enum { PRI_HISTORY = 200 };
typedef struct pri_history_point {
  long k;
  double passes, objective, relative_gap, residual, change; /* NAN: unknown */
} pri_history_point;
typedef struct pri_history { /* plain bytes: copied, saved and loaded as they are */
  ptrdiff_t item;
  long n, next;              /* points; next step that is kept without a certificate */
  double ratio;              /* of steps kept */
  pri_history_point p[PRI_HISTORY];
} pri_history;

void pri_history_init(pri_history *h, ptrdiff_t item);
void pri_history_add(pri_history *h, const pri_report *r);   /* nothing known of it: not kept */
void pri_history_end(pri_history *h, const pri_history_point *last); /* the figures of the result */
/* {"item","k":[],"passes":[],"objective":[],"relative_gap":[],"residual":[],"change":[]}; figures of which nothing is known are
   left out. NULL: no points, or no memory */
json_t *pri_history_json(const pri_history *h);
#endif
