/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn.h - parameters of a prior from images: bilevel learning with certified accuracy (MAID; spec maid).
 *
 *   min_theta f(theta) = (1/m) sum_i g_i(x_i(theta)),  x_i(theta) = argmin_x h_i(x, theta)                             learn_level.h
 *
 * Everything that is said of f is an interval that holds it, made of the achieved error bounds e_i >= |x - x_i(theta)| of each sample.
 * Accuracies are root mean squares over a sample's unknowns, so that they mean the same at every size. One unit of work: a gradient or a product
 * with the Hessian of one sample.
 */
#ifndef PRI_LEARN_H
#define PRI_LEARN_H
#include "learn_level.h"
#include "priori/operator.h"
#include "priori/prior.h"
#include "priori/solver.h"

typedef struct pri_work { double gradients, products, mixed; } pri_work; /* of samples: of h, with H, with J or J' */

/* ---- learn_lower.c: the samples at one theta */
typedef struct pri_lower pri_lower;
typedef struct pri_interval { double low, high, half; } pri_interval; /* of f; half: (1/m) sum_i |grad g_i| e_i + lip e_i^2 / 2 */
/* Takes both levels over, on failure too. ENOMEM, EBUDGET */
PRI_MUST_CHECK pri_status pri_lower_create(pri_ctx *ctx, pri_lower **out, const pri_lower_level *level, const pri_upper *upper);
void pri_lower_destroy(pri_lower **l);
ptrdiff_t pri_lower_samples(const pri_lower *l);
ptrdiff_t pri_lower_size(const pri_lower *l);            /* unknowns of one */
size_t pri_lower_ntheta(const pri_lower *l);
double pri_lower_mu(const pri_lower *l);                  /* at this theta */
int pri_lower_certified(const pri_lower *l);              /* 1: intervals are proved at this theta; 0: mu or lip are estimates, and so is all that is made of them */
int pri_lower_squared(const pri_lower *l);                /* 1: g_i = 1/2 |x - p|^2 */
/* From now on solve, interval and hypergradient go over these samples only (borrowed, each once); NULL: over all. Arrays stay [m]. */
void pri_lower_pick(pri_lower *l, const ptrdiff_t *samples, ptrdiff_t count);
/* EPARAM: no mu > 0 at this theta */
PRI_MUST_CHECK pri_status pri_lower_theta(pri_lower *l, const double *theta);
/*
 * FISTA for strongly convex h from x [m][n], in and out, to eps: |grad h| / mu <= eps root(n), at most `most` steps a sample, or until
 * rounding stops it.
 *   e  [m] out: what was achieved; INFINITY where an iterate was not finite. It holds at any x (C1).
 */
PRI_MUST_CHECK pri_status pri_lower_solve(pri_lower *l, pri_real *x, double eps, long most, double *e);
/* The interval of f, all of it INFINITY where a loss is not finite. */
pri_interval pri_lower_interval(const pri_lower *l, const pri_real *x, const double *e);
double pri_lower_start(pri_lower *l, pri_real *x);        /* first guesses; returns root mean square of |grad h| / mu there */

/* ---- learn_look.c: what methods share */
enum { PRI_LOWER_MOST = 30000 };   /* steps of a solve */
int pri_lower_finite(const pri_lower *l, const double *e);
/* e and f at theta, from x, to eps. A lower level that fails or is not finite there is no error: all of f is INFINITY then. ECANCEL, ENOMEM, EBUDGET */
PRI_MUST_CHECK pri_status pri_lower_look(pri_lower *l, const double *theta, pri_real *x, double eps, double *e, pri_interval *f);
double pri_lower_steepness(const pri_lower *l);           /* root(L / mu) at this theta: a digit of accuracy costs about twice as many steps */
double pri_interval_computed(pri_interval f);             /* the loss of the images as computed, within half the square of e */
/* First guesses x at theta; *eps: a fiftieth of their error bound, root mean square (spec 4: free of scale). ENUMERIC: they are perfect, or not finite */
PRI_MUST_CHECK pri_status pri_lower_begin(pri_lower *l, const double *theta, pri_real *x, double *eps);

/* ---- learn_check.c: both levels of l, see learn_level.h */
PRI_MUST_CHECK pri_status pri_lower_check(pri_lower *l, const double *theta, ptrdiff_t i, const pri_real *x, pri_derivative out[PRI_DERIVATIVES], int *n);

/* ---- learn_images.c: h_i(x) = 1/2 |A x - y_i|^2 + R_theta(x) + floor/2 |x|^2, mu = lambda_min(A'A) + floor + mu_R;  learn_upper.c: losses */
typedef enum pri_loss {
  PRI_LOSS_MSE,                    /* 1/2 |x - truth|^2 */
  PRI_LOSS_SMOOTH_L1,              /* sum root((x - truth)^2 + kappa^2) - kappa */
  PRI_LOSS_SURE,                   /* no truth: 1/2 |A x - y|^2 - N sd^2 / 2 + sd^2 div, an unbiased estimate of 1/2 |A x - A truth|^2 */
  PRI_LOSS_WHITENESS               /* no truth: N sum |r^|^4 / (sum |r^|^2)^2 of the residual's spectrum; 2-D data */
} pri_loss;
typedef struct pri_lower_problem { /* borrowed while the pri_lower lives */
  const pri_operator *A;
  pri_prior *R;                    /* has a learnable face; pri_lower_theta changes it */
  struct pri_learn_tgv *tgv;       /* instead of R (learn_tgv.h) */
  const pri_array *y, *truth;      /* [m] items: measurements, images (NULL where the loss needs none) */
  double floor;
  pri_loss loss;
  double sd, kappa;                /* of the noise, for SURE; of smooth l1, > 0 */
} pri_lower_problem;
/* EPARAM: the prior has nothing to learn; ESHAPE; ENOMEM, EBUDGET */
PRI_MUST_CHECK pri_status pri_lower_images(pri_ctx *ctx, pri_lower **out, const pri_lower_problem *p);
/* The loss of p; norm2 >= |A|^2; all: unknowns that belong to one image, the image first. */
PRI_MUST_CHECK pri_status pri_upper_create(pri_ctx *ctx, pri_upper *out, const pri_lower_problem *p, double norm2, ptrdiff_t all);
enum { PRI_SURE_COPIES = 2 };      /* x of SURE: the images of y and of y + step b */
double pri_sure_step(double sd);
double pri_sure_probe(ptrdiff_t i, ptrdiff_t k);          /* b: +-1 at value k of sample i */

/* ---- learn_hyper.c */
/*
 * z = -(1/m) sum_i J_i'q_i, H_i q_i = grad g_i by conjugate gradients from q [m][n], in and out, to a residual of delta root(n), and never
 * above a tenth of |grad g_i|, so that z is not 0 by neglect.
 *   omega  out or NULL: |z - grad f| <= omega, of proven constants (bound B of spec 3); it costs J.
 */
PRI_MUST_CHECK pri_status pri_lower_hypergradient(pri_lower *l, const pri_real *x, const double *e, double delta, pri_real *q, double *z, double *omega);
/* ---- learn_secant.c: omega with secant quotients at distance e in place of the constants, times 2: an estimate.
   q: of pri_lower_hypergradient at x. A gradient and three products a sample. */
PRI_MUST_CHECK pri_status pri_lower_estimate(pri_lower *l, const pri_real *x, const double *e, const pri_real *q, double *omega);
/* ---- learn_tangent.c, up to PRI_LOWER_FEW parameters: w [m][p][n] in and out, H_i w_ij = -J_i e_j to a residual of accuracy |J_i e_j|; gram [p][p]: mean of <w_ij, w_ik> */
PRI_MUST_CHECK pri_status pri_lower_tangents(pri_lower *l, const pri_real *x, double accuracy, pri_real *w, double *gram);
void pri_lower_predict(const pri_lower *l, pri_real *x, const pri_real *w, const double *from, const double *to); /* x += sum_j (to - from)_j w_j */
pri_work pri_lower_work(const pri_lower *l);
void pri_lower_set_work(pri_lower *l, pri_work w);        /* after a checkpoint was loaded */

/* ---- learn_metric.c: the inverse metric, d = B z */
enum { PRI_METRIC_PAIRS = 10, PRI_METRIC_DENSE = 2000 };
typedef enum pri_metric_kind { PRI_METRIC_NONE, PRI_METRIC_BB, PRI_METRIC_BFGS, PRI_METRIC_LBFGS, PRI_METRIC_ADAGRAD, PRI_METRIC_NEWTON } pri_metric_kind;
typedef struct pri_metric {
  pri_ctx *ctx;
  pri_metric_kind kind;
  size_t p, count;
  long pairs;                      /* ever taken */
  double *s, *y;                   /* [count]: what the kind keeps */
  double gram[PRI_LOWER_FEW * PRI_LOWER_FEW]; /* newton: [p][p] */
  int has_gram;
} pri_metric;
PRI_MUST_CHECK pri_status pri_metric_init(pri_ctx *ctx, pri_metric *m, pri_metric_kind kind, size_t p); /* EPARAM: too many for bfgs; ENOMEM, EBUDGET */
void pri_metric_fini(pri_metric *m);                                  /* half-built ones too */
void pri_metric_add(pri_metric *m, const double *s, const double *y); /* left out where <s, y> <= 1e-3 |s||y| */
void pri_metric_see(pri_metric *m, const double *z);                  /* once a point that was accepted */
void pri_metric_curve(pri_metric *m, const double *gram);             /* newton: the matrix at this point */
typedef struct pri_metric_where { const double *theta; double lo, hi, cap; } pri_metric_where;
/* d = B z without what leads out of the box; newton: no parameter moves by more than cap. Where B z does not descend d = z, and what was kept is forgotten. */
void pri_metric_direct(pri_metric *m, double *d, const double *z, const pri_metric_where *at);
double pri_metric_largest(const double *d, size_t p);                 /* max |d_i| */
int pri_metric_scaled(const pri_metric *m);                           /* 1: d is as long as a full step */
void pri_metric_forget(pri_metric *m);
PRI_MUST_CHECK pri_status pri_metric_walk(pri_metric *m, pri_walk *w);

/* ---- learn_maid.c */
typedef enum pri_maid_mode { PRI_MAID_CERTIFIED, PRI_MAID_ESTIMATED, PRI_MAID_OFF } pri_maid_mode;
typedef enum pri_maid_search { PRI_MAID_PREDICTIVE, PRI_MAID_PAPER } pri_maid_search;
typedef struct pri_maid_opts {     /* 0: the default (pri_maid_fill) */
  pri_maid_mode mode;              /* what decides on a step: proved intervals of f; the same, and estimates of omega; f as computed */
  pri_maid_search search;          /* accuracy by prediction, or by halving after failures, as published */
  int metric;                      /* 1 + pri_metric_kind [newton for few parameters and a squared distance, else lbfgs; none for the paper's search] */
  int descent;                     /* ask for omega |d| <= (1 - eta) <z, d> too, of proven constants; mode estimated: of estimated ones. 1: no, 2: yes */
  double eps, delta, alpha;        /* first accuracies of x and q, root mean square (from the first gradient; 0.04 eps); first step (moves no parameter by more than 1/2) */
  double lo, hi;                   /* box of every parameter [-27, 27] */
  double rho, growth, nu, relax;   /* factors: of a step that failed, after success; of eps after failure, after success */
  double eta, lambda, kappa, cap;  /* margin of descent; share of the promise to be kept; share that the interval may hide; largest move of a parameter */
  long trials, memory;             /* steps tried before eps shrinks; points whose largest f a step must undercut (1: f never rises) */
} pri_maid_opts;
void pri_maid_fill(pri_maid_opts *o); /* what is 0 */
typedef struct pri_maid pri_maid;
typedef struct pri_maid_report {
  long k, trials, failures;
  pri_interval f;
  double z, omega, eps, alpha, predicted; /* |z|; omega NAN where it was not asked for; predicted decrease of the step */
  double best, last;               /* lowest f.high so far, by pri_method_step; f.high of the present iterate where theta is another, better one */
  pri_work work;
} pri_maid_report;
PRI_MUST_CHECK pri_status pri_maid_create(pri_ctx *ctx, pri_maid **out, pri_lower *l, const double *theta, const pri_maid_opts *o);
void pri_maid_destroy(pri_maid **m);
/* One accepted step; f decreased for certain in mode certified with memory 1. *v: PRI_GO; PRI_CONVERGED: no step can promise a decrease of 1e-7 f; PRI_STOPPED_EARLY: the
   accuracy that a step needs is below rounding. ENUMERIC: f is not finite at the start; ECANCEL */
PRI_MUST_CHECK pri_status pri_maid_step(pri_maid *m, pri_maid_report *r, pri_verdict *v);
const double *pri_maid_theta(const pri_maid *m);
PRI_MUST_CHECK pri_status pri_maid_walk(pri_maid *m, pri_walk *w);

/* ---- learn_file.c: the prior file; spec: as pri_prior_print gives it, provenance: JSON. ENOTSUP: that kind is not kept in files; EWRITE */
PRI_MUST_CHECK pri_status pri_learn_save(pri_ctx *ctx, const char *path, int overwrite, const char *spec, const double *theta, size_t p, const char *provenance);
const char *pri_learn_parameter(const char *kind, size_t i); /* what number i of a .prior file of that kind is, "weight"; "": it has no name */
#endif
