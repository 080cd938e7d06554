/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * certificate.h (k) - the duality gap of one item, in double, with its rounding allowance: src/certificate.c, the only place that computes one.
 * A certifier holds the workspace for one problem; run allocates nothing.
 */
#ifndef PRI_CERTIFICATE_H
#define PRI_CERTIFICATE_H
#include "priori/solver.h"
typedef struct pri_certifier pri_certifier;
/* ENOTSUP: some prior has no saddle face, or A is not linear: no certificate is possible (the message says which). ENOMEM, EBUDGET */
pri_status pri_certifier_create(pri_ctx *ctx, pri_certifier **out, const pri_problem *p);
/* Fills rep->objective, data, prior, residual (|A x - y|) and gap for this item of x and d (arrays of all items); adds the applications that it
   used for this item to rep->certifying (A'1, once for all of them, belongs to create). The expensive improvements (polish, second p) are made where the raw gap is within ten times
   p->gap_goal times the objective or its floor (rep->floor, set too); gap_goal = 0: always. gap.trust PROVEN where everything was double and convex, else ESTIMATE; UNKNOWN, value
   INFINITY: the dual is unbounded (no box). */
pri_status pri_certifier_run(pri_certifier *c, const pri_array *x, const pri_duals *d, ptrdiff_t item, pri_report *rep);
void pri_certifier_destroy(pri_certifier **c);
#endif
