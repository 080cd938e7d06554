/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_method.h - methods of the upper level behind one interface: --solver NAME:KEYS of priori learn, and the benchmarks.
 *
 * A class is a table over a private object, as for solvers: kind (keys), create, step, theta, walk, destroy. All count work by pri_lower_work and
 * fill the same report. `theta` is the best point that has been looked at; f in the report is the interval there, `last` the upper end at the present one.
 */
#ifndef PRI_LEARN_METHOD_H
#define PRI_LEARN_METHOD_H
#include "learn.h"

/* What the keys of every method begin with. floor is the problem's, not the method's: NAN for auto. */
typedef struct pri_method_keys { double floor, eps; } pri_method_keys;
typedef struct pri_method_box { double lo, hi; } pri_method_box; /* of every parameter */
typedef pri_maid_report pri_method_report;
typedef enum pri_method_claim {    /* where the lower level's constants are proven */
  PRI_CLAIM_NONE,                  /* nothing is proved: intervals are estimates */
  PRI_CLAIM_INTERVALS,             /* the loss lies in its intervals */
  PRI_CLAIM_DESCENT                /* and every step lowers it */
} pri_method_claim;

typedef struct pri_method_class {
  pri_kind kind;                   /* its keys begin with pri_method_keys */
  pri_method_claim (*claim)(const void *keys);
  pri_status (*create)(pri_ctx *ctx, void **out, pri_lower *l, const double *theta, pri_method_box box, const void *keys); /* l: borrowed while it lives */
  pri_status (*step)(void *m, pri_method_report *r, pri_verdict *v);
  const double *(*theta)(const void *m);
  pri_status (*walk)(void *m, pri_walk *w);
  void (*destroy)(void *m);        /* NULL is none */
} pri_method_class;

extern const pri_method_class pri_method_maid, pri_method_hoag, pri_method_fixed, pri_method_dfo, pri_method_random, pri_method_grid; /* learn_maid_method.c, learn_hoag.c, ...; learn_search.c */
extern const pri_method_class pri_method_adam;                  /* learn_adam.c */

/* ---- learn_method.c: one of them. The keys are kept, and printed as the effective spec. */
typedef struct pri_method pri_method;
/* From "maid:eps=0.1"; NULL: maid. EPARAM: unknown method (the known ones are named) or key */
PRI_MUST_CHECK pri_status pri_method_parse(pri_ctx *ctx, pri_method **out, const char *spec);
PRI_MUST_CHECK pri_status pri_method_print(const pri_method *m, char **spec); /* by pri_calloc */
double pri_method_floor(const pri_method *m);                               /* NAN: auto */
void pri_method_set_floor(pri_method *m, double floor);                     /* what auto became: it is printed */
PRI_MUST_CHECK pri_status pri_method_start(pri_method *m, pri_lower *l, const double *theta, pri_method_box box);
/* As pri_maid_step; r->best is kept over all steps. */
PRI_MUST_CHECK pri_status pri_method_step(pri_method *m, pri_method_report *r, pri_verdict *v);
const double *pri_method_theta(const pri_method *m);                        /* after start */
int pri_method_monotone(const pri_method *m);                               /* 1: every step is proved to lower f */
int pri_method_certified(const pri_method *m);                              /* 1: intervals are proved where those of the lower level are */
PRI_MUST_CHECK pri_status pri_method_walk(pri_method *m, pri_walk *w);
void pri_method_destroy(pri_method **m);
#endif
