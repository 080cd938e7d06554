/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight_path.h - what the files of weight.c share: solutions along the weights, and what a method makes of them. */
#ifndef PRI_WEIGHT_PATH_H
#define PRI_WEIGHT_PATH_H
#include "weight.h"

typedef struct pri_weight_point { /* one weight tested; means over all items, each in its own noise */
  double weight;
  double misfit;                  /* |r|^2 / (m s^2), r = W^1/2 (y - A x); kl: the deviance / (m s^2) */
  double followed;                /* df / m: share of the noise that the fit follows */
  double prior;                   /* R(x) at unit weight; NAN where the method does not ask for it */
  double value;                   /* what the method looks at */
} pri_weight_point;

typedef struct pri_weight_path {
  pri_ctx *ctx;
  const pri_weight_search *o;
  pri_weight_result *out;
  const struct pri_weight_rule *rule;
  const pri_array *data, *weight; /* of the caller's fidelity */
  pri_array y, w, x, z;           /* items 0..K-1: the data; K..2K-1: with the probe. w: their weights, or nothing */
  pri_array b, root;              /* [K] probes of +-1; W^1/2 at the data */
  double *lo, *hi;                /* [2K] */
  pri_report *rep;                /* [2K] */
  pri_fidelity *f;
  pri_problem p;
  pri_solver *solver;             /* kept from weight to weight where it may be */
  const char *spec;
  long steps;
  double scale;                   /* of the noise in A'e: where to look */
  ptrdiff_t seen;                 /* data, of all items, that the operator sees and no weight masks */
  double now;                     /* factor that the priors stand at */
  double excess;                  /* variance in units of s^2: 1, or more by a model error */
  pri_weight_point at[PRI_WEIGHT_TESTS];
  int n;
  pri_status status;              /* first failure inside of a GSL call */
} pri_weight_path;

typedef struct pri_weight_rule {  /* one method, one file: pri_weight_rule_NAME */
  const char *name, *figure;
  int wants_prior;
  void (*score)(pri_weight_path *p);               /* value of every point so far */
  int (*enough)(const pri_weight_path *p, int rises); /* has the walk to weaker (or stronger) weights gone far enough? */
  double (*choose)(pri_weight_path *p);            /* after the walk; may set out->plain */
  int climbs;                                      /* to stronger weights, where the strongest was the best */
  int refined;                                     /* iterations of Brent's search for the least value */
} pri_weight_rule;
extern const pri_weight_rule pri_weight_rule_discrepancy, pri_weight_rule_gcv, pri_weight_rule_sure, pri_weight_rule_lcurve;

/* weight_path.c */
PRI_MUST_CHECK pri_status pri_weight_path_init(pri_weight_path *p);
void pri_weight_path_fini(pri_weight_path *p);
PRI_MUST_CHECK pri_status pri_weight_path_set(pri_weight_path *p, double w);    /* the scaled priors stand at w */
PRI_MUST_CHECK pri_status pri_weight_path_test(pri_weight_path *p, double w);   /* one more point, all are scored */

int pri_weight_sees_image(const pri_weight_path *p); /* A is the identity or a mask: the error of the fit is that of the image */

/* weight_curve.c: points by weight */
double pri_weight_deviation(const pri_weight_path *p); /* of the risk, by what the noise happened to be: sqrt(2 / m) of an item */
int pri_weight_least(const pri_weight_path *p);          /* the point of the least value */
int pri_weight_sorted(const pri_weight_path *p, double *log_weight, double *value); /* ascending, equal weights once; how many */
double pri_weight_vertex(pri_weight_path *p);      /* least of the parabola through the least point and its neighbours */
double pri_weight_largest_within(const pri_weight_path *p, double level); /* largest weight of value <= level, on a monotone
                                                                             spline */
/* Brent's minimum inside of the neighbours of the least: iterations + 1 solves */
PRI_MUST_CHECK pri_status pri_weight_refine(pri_weight_path *p, int iterations);
void pri_weight_update_excess(pri_weight_path *p);
#endif
