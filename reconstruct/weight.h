/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight.h - weights of priors from data: weight=auto:discrepancy|gcv|sure|lcurve, weight=rel:V, weight=spread:V. */
#ifndef PRI_WEIGHT_H
#define PRI_WEIGHT_H
#include "priori/solver.h"

typedef enum pri_weight_method {
  PRI_WEIGHT_DISCREPANCY, PRI_WEIGHT_GCV, PRI_WEIGHT_SURE, PRI_WEIGHT_LCURVE,
  PRI_WEIGHT_METHODS /* how many */
} pri_weight_method;
enum { PRI_WEIGHT_TESTS = 40 };
typedef struct pri_weight_search {
  const pri_problem *problem; /* some sampled items (1 to 3 are enough); f is ls, wls or kl. Its box is used */
  pri_prior *const *scaled;   /* those of problem->R whose weight is sought, created with weight=1: they get one common factor */
  int n_scaled;
  const double *sd;           /* [items] noise: variance of y_i sd^2, wls: sd^2 / w_i, kl: sd^2 times its mean (sd 1: counts) */
  const char *solver;         /* spec of what solves at each weight, warm started; NULL: chosen for the problem (weight_path.c) */
  long steps;                 /* of it at each weight; 0: what that solver needs */
  pri_weight_method method;
  void (*progress)(void *arg, int tests); /* after each weight tested; NULL: nobody looks */
  void *arg;
} pri_weight_search;
typedef struct pri_weight_result {
  double chosen;                      /* the factor */
  double tested[PRI_WEIGHT_TESTS][2]; /* weight, what the method looks at (pri_weight_figure); from small to large weights */
  int n;
  double excess;                      /* noise that the best fits leave, in units of sd: 1; more where the model or sd is off */
  int plain;                          /* 0: no clear answer (lcurve: no corner; others: least at the end of what was tested) */
  double applies, adjoints;           /* of A on all items together, counted in items */
} pri_weight_result;

const char *pri_weight_name(pri_weight_method m);   /* "discrepancy", ... */
const char *pri_weight_figure(pri_weight_method m); /* what the tested curve holds, for people */
/* Which method `text` asks for: "auto" (discrepancy), "auto:gcv", ...; 0: none that there is. */
int pri_weight_method_of(const char *text, pri_weight_method *m);
/*
 * pri_weight_find - the common factor of the scaled priors, which are left standing at it.
 * Errors  EPARAM  f has no noise model for it, a prior has no weight, sd not > 0, the operator is not linear or sees nothing;
 *         those of the solver; ENUMERIC, ENOMEM, EBUDGET, ECANCEL.
 * Deterministic: the same bits for any thread count.
 * Source  see weight.c and weight_discrepancy.c, weight_gcv.c, weight_sure.c, weight_lcurve.c.
 */
PRI_MUST_CHECK pri_status pri_weight_find(pri_ctx *ctx, const pri_weight_search *s, pri_weight_result *out);
/* About how many steps on one slice a search takes with this operator: for estimates of time. */
double pri_weight_passes(const pri_operator *A);
/* Smallest weight of R for which a constant image solves the problem (f of it alone), median over the items: rel:V is V times
   this. ENOTSUP: the prior does not offer it; f has no gradient. */
PRI_MUST_CHECK pri_status pri_weight_constant(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight);
/* The scale of spread:V, which every prior has: root mean square of the gradient of f(A x) at the best constant image, median over the items; of a
   quadratic prior the curvature along the constants (weight_constant.c). ENOTSUP: f has no gradient; EPARAM: more than 3 items. */
PRI_MUST_CHECK pri_status pri_weight_spread(pri_ctx *ctx, const pri_problem *p, const pri_prior *R, double *weight);
#endif
