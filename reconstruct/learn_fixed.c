/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_fixed.c - descent at one accuracy for all: what people do who know which accuracy will do. For comparison.
 *
 *   theta+ = P(theta - a d), d = B z (learn_metric.c), a halved until g(theta+) <= g(theta) - 1e-4 <z, theta - theta+>, g: the loss as computed
 * ends where no such a is found, or no step can promise a decrease of 1e-7 g. Nothing is proved of the steps: below its accuracy the loss may rise.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "learn_method.h"

enum { HALVINGS = 30 };
static const double ARMIJO = 1e-4, SMALLEST = 1e-7, CAP = 1;

typedef struct keys {
  pri_method_keys common;
  double delta, alpha;
  int metric;
} keys;

static const char *const metrics[] = {"none", "bb", "bfgs", "lbfgs", "adagrad", NULL};
static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-13, .max = 1e12, .def = NAN},
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN},
    {.name = "delta", .unit = "1", .help = "accuracy of the linear systems, root mean square; auto: 0.01 eps", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, delta), .min = 1e-14, .max = 1e12, .def = NAN},
    {.name = "alpha", .unit = "1", .help = "first step; auto: no logarithm moves by more than 1/2", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, alpha), .min = 1e-30, .max = 1e30, .def = NAN},
    {.name = "metric", .unit = "-", .help = "of the steps: none (steepest descent), Barzilai and Borwein's, quasi-Newton of few parameters or of many, adagrad", .type = PRI_CHOICE, .choices = metrics, .offset = offsetof(keys, metric), .def = PRI_METRIC_LBFGS},
    {0}};

typedef struct fixed {
  pri_ctx *ctx;
  pri_lower *l;
  pri_method_box box;
  pri_metric metric;
  size_t p, images;                /* images: bytes of all */
  double *theta, *trial, *z, *zt, *d, *e;
  pri_real *x, *xt, *q;            /* [m][n] */
  double eps, delta, alpha, predicted;
  pri_interval f;
  long k, trials, failures, begun;
} fixed;

static double dot(const double *a, const double *b, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

static double first_step(const fixed *x) {
  const double most = pri_metric_largest(x->d, x->p);
  if (!(most > 0)) return 0;
  return fmin(pri_metric_scaled(&x->metric) ? 1 : x->alpha > 0 ? x->alpha : 0.5 / most, CAP / most);
}

static double promise(fixed *x, double a) {
  double sum = 0;
  for (size_t i = 0; i < x->p; i++) {
    x->trial[i] = fmin(fmax(x->theta[i] - a * x->d[i], x->box.lo), x->box.hi);
    sum += x->z[i] * (x->theta[i] - x->trial[i]);
  }
  return sum;
}

/* theta+, its f and z become the present ones */
static pri_status accept(fixed *x, double a, pri_interval f) {
  double *const z = x->z, *const theta = x->theta;
  pri_real *const images = x->x;
  PRI_TRY(pri_lower_hypergradient(x->l, x->xt, x->e, x->delta, x->q, x->zt, NULL));
  for (size_t i = 0; i < x->p; i++) x->d[i] = x->trial[i] - x->theta[i], x->z[i] = x->zt[i] - x->z[i];
  pri_metric_add(&x->metric, x->d, x->z);
  pri_metric_see(&x->metric, x->zt);
  x->z = x->zt, x->zt = z;
  x->theta = x->trial, x->trial = theta;
  x->x = x->xt, x->xt = images;
  x->f = f, x->alpha = 2 * a, x->k++;
  return PRI_OK;
}

static pri_status first_look(fixed *x) {
  PRI_TRY(pri_lower_look(x->l, x->theta, x->x, x->eps, x->e, &x->f));
  if (!isfinite(x->f.high)) return PRI_FAIL(x->ctx, PRI_ENUMERIC, "learn: the lower level is not finite at the parameters it starts from");
  PRI_TRY(pri_lower_hypergradient(x->l, x->x, x->e, x->delta, x->q, x->z, NULL));
  pri_metric_see(&x->metric, x->z);
  x->begun = 1;
  return PRI_OK;
}

static pri_status search(fixed *x, double a, pri_verdict *v) {
  pri_interval f;
  for (int i = 0; i < HALVINGS; i++, a /= 2) {
    x->predicted = promise(x, a);
    memcpy(x->xt, x->x, x->images);
    PRI_TRY(pri_lower_look(x->l, x->trial, x->xt, x->eps, x->e, &f));
    x->trials++;
    if (pri_ctx_cancelled(x->ctx)) return PRI_FAIL(x->ctx, PRI_ECANCEL, "interrupted");
    if (pri_interval_computed(f) <= pri_interval_computed(x->f) - ARMIJO * x->predicted) return accept(x, a, f);
  }
  x->failures++;
  *v = PRI_STOPPED_EARLY;
  return PRI_OK;
}

static pri_status step(void *priv, pri_method_report *r, pri_verdict *v) {
  fixed *x = priv;
  *v = PRI_GO;
  if (!x->begun) PRI_TRY(first_look(x));
  pri_metric_direct(&x->metric, x->d, x->z, &(pri_metric_where){x->theta, x->box.lo, x->box.hi, CAP});
  const double a = first_step(x);
  x->predicted = promise(x, a);
  if (!(x->predicted > SMALLEST * pri_interval_computed(x->f))) *v = PRI_CONVERGED;
  else PRI_TRY(search(x, a, v));
  *r = (pri_method_report){.k = x->k, .trials = x->trials, .failures = x->failures, .f = x->f, .last = x->f.high, .z = sqrt(dot(x->z, x->z, x->p)), .omega = NAN, .eps = x->eps,
                           .alpha = x->alpha, .predicted = x->predicted, .work = pri_lower_work(x->l)};
  return PRI_OK;
}

static const double *theta(const void *x) { return ((const fixed *)x)->theta; }

static pri_status walk(void *priv, pri_walk *w) {
  fixed *x = priv;
  pri_work work = pri_lower_work(x->l);
  double scalars[] = {x->alpha, x->f.low, x->f.high, x->f.half, work.gradients, work.products, work.mixed};
  long counts[] = {x->k, x->trials, x->failures, x->begun};
  PRI_TRY(pri_walk_bytes(w, "theta", x->theta, x->p * sizeof(double)));
  PRI_TRY(pri_walk_bytes(w, "z", x->z, x->p * sizeof(double)));
  PRI_TRY(pri_metric_walk(&x->metric, w));
  PRI_TRY(pri_walk_bytes(w, "x", x->x, x->images));
  PRI_TRY(pri_walk_bytes(w, "q", x->q, x->images));
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "counts", counts, sizeof counts));
  x->alpha = scalars[0], x->f = (pri_interval){scalars[1], scalars[2], scalars[3]};
  x->k = counts[0], x->trials = counts[1], x->failures = counts[2], x->begun = counts[3];
  pri_lower_set_work(x->l, (pri_work){scalars[4], scalars[5], scalars[6]});
  return PRI_OK;
}

static pri_method_claim claim(const void *of) { return (void)of, PRI_CLAIM_INTERVALS; }

static void destroy(void *priv) {
  fixed *x = priv;
  if (!x) return;
  void *const all[] = {x->theta, x->trial, x->z, x->zt, x->d, x->e, x->x, x->xt, x->q};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(x->ctx, all[i]);
  pri_metric_fini(&x->metric);
  pri_free(x->ctx, x);
}

static pri_status make(fixed *x, const double *theta_0, const keys *k) {
  double **const vectors[] = {&x->theta, &x->trial, &x->z, &x->zt, &x->d};
  const ptrdiff_t m = pri_lower_samples(x->l), all = m * pri_lower_size(x->l);
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_ALLOC(x->ctx, *vectors[i], (ptrdiff_t)x->p);
  PRI_TRY(pri_metric_init(x->ctx, &x->metric, (pri_metric_kind)k->metric, x->p));
  PRI_ALLOC(x->ctx, x->e, m);
  PRI_ALLOC(x->ctx, x->x, all);
  PRI_ALLOC(x->ctx, x->xt, all);
  PRI_ALLOC(x->ctx, x->q, all);
  x->images = (size_t)all * sizeof *x->x;
  for (size_t i = 0; i < x->p; i++) x->theta[i] = fmin(fmax(theta_0[i], x->box.lo), x->box.hi);
  PRI_TRY(pri_lower_begin(x->l, x->theta, x->x, &x->eps));
  if (!isnan(k->common.eps)) x->eps = k->common.eps;
  x->delta = isnan(k->delta) ? 0.01 * x->eps : k->delta, x->alpha = isnan(k->alpha) ? 0 : k->alpha;
  return PRI_OK;
}

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of) {
  fixed *x = *out = pri_calloc(ctx, 1, sizeof *x);
  if (!x) return pri_ctx_code(ctx);
  x->ctx = x->metric.ctx = ctx, x->l = l, x->box = box, x->p = pri_lower_ntheta(l);
  const pri_status s = make(x, theta_0, of);
  if (s != PRI_OK) destroy(x), *out = NULL;
  return s;
}

const pri_method_class pri_method_fixed = {.kind = {.name = "fixed", .brief = "quasi-Newton steps at one accuracy for all, without proof; for comparison", .cite = "Nocedal 1980", .size = sizeof(keys), .params = rows},
                                           .claim = claim, .create = create, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
