/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight.h - weights of priors from data: weight=auto:discrepancy, weight=rel:V. */
#ifndef PRI_WEIGHT_H
#define PRI_WEIGHT_H
#include "priori/solver.h"
enum { PRI_WEIGHT_TESTS = 40 };
typedef struct pri_weight_search {
  const pri_problem *problem; /* some sampled items (1 to 3 are enough); f is ls or wls. Its box is used */
  pri_prior *const *scaled;   /* those of problem->R whose weight is sought, created with weight=1: they get one common factor */
  int n_scaled;
  const double *sd;           /* [items] noise: the variance of y_i is sd^2, wls: sd^2 / w_i */
  const char *solver;         /* spec of a warm-started solver for each weight, "os-fista" where the operator has parts, else "fista" */
  long steps;                 /* of it at each weight; 0: 10 */
} pri_weight_search;
typedef struct pri_weight_result {
  double chosen;                              /* the factor */
  double tested[PRI_WEIGHT_TESTS][2];         /* weight, estimated risk of the fit in noise variances (weight.c); in the order tested */
  int n;
  double applies, adjoints;                   /* of A on all items together, counted in items */
} pri_weight_result;
/* Leaves the scaled priors at the chosen weight. EPARAM: f is neither ls nor wls, a prior has no weight, sd not > 0, no weight serves;
   those of the solver; ENOMEM, EBUDGET, ECANCEL. Deterministic: the same bits for any thread count. */
PRI_MUST_CHECK pri_status pri_weight_discrepancy(pri_ctx *ctx, const pri_weight_search *s, pri_weight_result *out);
/* Smallest weight of R for which a constant image solves the problem (f of it alone), median over the items: rel:V is V times this.
   ENOTSUP: the prior does not offer it; f has no gradient. */
PRI_MUST_CHECK pri_status pri_weight_constant(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight);
#endif
