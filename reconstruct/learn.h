/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn.h - parameters of a prior from pairs of images: bilevel learning with certified accuracy (MAID; spec maid).
 *
 *   min_theta f(theta) = (1/m) sum_i 1/2 |x_i(theta) - truth_i|^2,  x_i(theta) = argmin_x h_i(x, theta)      lower level
 *   h_i(x, theta) = 1/2 |A x - y_i|^2 + R_theta(x) + floor/2 |x|^2,  mu-strongly convex with mu = lambda_min(A'A) + floor + mu_R
 *
 * Everything that is said of f is an interval that holds it, made of the achieved error bounds e_i >= |x - x_i(theta)| of each sample.
 * Accuracies are root mean squares over a sample's pixels, so that they mean the same at every size. One unit of work: a gradient or a product
 * with the Hessian of one sample.
 */
#ifndef PRI_LEARN_H
#define PRI_LEARN_H
#include "priori/operator.h"
#include "priori/prior.h"
#include "priori/solver.h"

typedef struct pri_work { double gradients, products, mixed; } pri_work; /* of samples: of h, with H, with J or J' */

/* ---- learn_lower.c: the samples at one theta */
typedef struct pri_lower pri_lower;
typedef struct pri_lower_problem { /* borrowed while the pri_lower lives */
  const pri_operator *A;
  pri_prior *R;                    /* has a learnable face; pri_lower_theta changes it */
  const pri_array *y, *truth;      /* [m] items: measurements, images */
  double floor;
} pri_lower_problem;
typedef struct pri_interval { double low, high, half; } pri_interval; /* of f; half: (1/m) sum_i |x_i - truth_i| e_i + e_i^2 / 2 */
/* EPARAM: the prior has nothing to learn; mu is not known to be > 0 (give a floor); ESHAPE; ENOMEM, EBUDGET */
PRI_MUST_CHECK pri_status pri_lower_create(pri_ctx *ctx, pri_lower **out, const pri_lower_problem *p);
void pri_lower_destroy(pri_lower **l);
ptrdiff_t pri_lower_samples(const pri_lower *l);
ptrdiff_t pri_lower_size(const pri_lower *l);            /* pixels of one */
size_t pri_lower_ntheta(const pri_lower *l);
double pri_lower_mu(const pri_lower *l);                  /* at this theta; proven */
PRI_MUST_CHECK pri_status pri_lower_theta(pri_lower *l, const double *theta);
/*
 * FISTA for strongly convex h from x [m][n], in and out, to eps: |grad h| / mu <= eps root(n), at most `most` steps a sample.
 *   e  [m] out: what was achieved; INFINITY where an iterate was not finite. It holds at any x (C1).
 */
PRI_MUST_CHECK pri_status pri_lower_solve(pri_lower *l, pri_real *x, double eps, long most, double *e);
pri_interval pri_lower_interval(const pri_lower *l, const pri_real *x, const double *e);
double pri_lower_start(pri_lower *l, pri_real *x);        /* x = A'y / |A|^2; returns root mean square of |grad h| / mu there */
/* ---- learn_hyper.c */
/*
 * z = -(1/m) sum_i J_i'q_i, H_i q_i = x_i - truth_i by conjugate gradients from q [m][n], in and out, to a residual of delta root(n), and never
 * above a tenth of |x_i - truth_i|, so that z is not 0 by neglect.
 *   omega  out or NULL: |z - grad f| <= omega, of proven constants (bound B of spec 3); it costs J.
 */
PRI_MUST_CHECK pri_status pri_lower_hypergradient(pri_lower *l, const pri_real *x, const double *e, double delta, pri_real *q, double *z, double *omega);
pri_work pri_lower_work(const pri_lower *l);
void pri_lower_set_work(pri_lower *l, pri_work w);        /* after a checkpoint was loaded */

/* ---- learn_metric.c: L-BFGS, the inverse metric d = B z */
enum { PRI_METRIC_PAIRS = 10 };
typedef struct pri_metric {
  size_t p;
  long pairs;                      /* ever taken */
  double *s, *y;                   /* [PRI_METRIC_PAIRS][p] */
} pri_metric;
void pri_metric_add(pri_metric *m, const double *s, const double *y); /* left out where <s, y> <= 1e-3 |s||y| */
void pri_metric_apply(const pri_metric *m, double *d, const double *z); /* d = z without pairs */

/* ---- learn_maid.c */
typedef struct pri_maid_opts {     /* 0: the default in brackets */
  double eps, alpha;               /* first accuracy (from the first gradient), first step (moves no parameter by more than 1/2) */
  double lo, hi;                   /* box of every parameter [-27, 27] */
  int descent;                     /* ask for omega |d| <= (1 - eta) <z, d> too */
  int plain;                       /* steepest descent and blind tightening, as published */
} pri_maid_opts;
typedef struct pri_maid pri_maid;
typedef struct pri_maid_report {
  long k, trials, failures;
  pri_interval f;
  double z, omega, eps, alpha, predicted; /* |z|; omega NAN where it was not asked for; predicted decrease of the step */
  pri_work work;
} pri_maid_report;
PRI_MUST_CHECK pri_status pri_maid_create(pri_ctx *ctx, pri_maid **out, pri_lower *l, const double *theta, const pri_maid_opts *o);
void pri_maid_destroy(pri_maid **m);
/* One accepted step, f decreased for certain. *v: PRI_GO; PRI_CONVERGED: no step can promise a decrease of 1e-7 f; PRI_STOPPED_EARLY: the
   accuracy that a step needs is below rounding. ENUMERIC: f is not finite at the start; ECANCEL */
PRI_MUST_CHECK pri_status pri_maid_step(pri_maid *m, pri_maid_report *r, pri_verdict *v);
const double *pri_maid_theta(const pri_maid *m);
PRI_MUST_CHECK pri_status pri_maid_walk(pri_maid *m, pri_walk *w);

/* ---- learn_file.c: the prior file; form: "isotropic" ..., provenance: JSON. ENOTSUP: that kind is not kept in files; EWRITE */
PRI_MUST_CHECK pri_status pri_learn_save(pri_ctx *ctx, const char *path, int overwrite, const char *kind, const char *form, const double *theta, size_t p, const char *provenance);
#endif
