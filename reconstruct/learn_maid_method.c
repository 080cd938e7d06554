/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_maid_method.c - the keys of maid (learn_maid.c) for --solver maid:KEYS. */
#include <math.h>
#include <stddef.h>
#include "learn_method.h"

typedef struct keys {
  pri_method_keys common;
  int mode, search, metric, descent;
  double delta, alpha, rho, growth, nu, relax, eta, lambda, kappa, cap;
  long trials, memory;
} keys;

static const char *const modes[] = {"auto", "certified", "estimated", "off", NULL}, *const searches[] = {"predictive", "paper", NULL};
static const char *const metrics[] = {"auto", "none", "bb", "bfgs", "lbfgs", "adagrad", "newton", NULL}, *const descents[] = {"auto", "no", "yes", NULL};
#define NUMBER(key, lo, hi, text) {.name = #key, .unit = "1", .help = text, .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, key), .min = lo, .max = hi, .def = NAN}
#define COUNT(key, hi, text) {.name = #key, .unit = "1", .help = text, .type = PRI_INT, .flags = PRI_P_AUTO, .offset = offsetof(keys, key), .min = 1, .max = hi, .def = NAN}
#define CHOICE(key, names, text) {.name = #key, .unit = "-", .help = text, .type = PRI_CHOICE, .choices = names, .offset = offsetof(keys, key), .def = 0}
static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "first accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-12, .max = 1e12, .def = NAN},
    NUMBER(delta, 1e-12, 1e12, "first accuracy of the linear systems, root mean square; it follows eps; auto: 0.04 eps"),
    NUMBER(alpha, 1e-30, 1e30, "first step; auto: no logarithm moves by more than 1/2"),
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN},
    CHOICE(mode, modes, "what decides on a step: proved intervals of the loss; the same with an estimate of how far the gradient is off; the loss as computed; auto: proved intervals where constants are proved"),
    CHOICE(search, searches, "accuracy by prediction, or halved after failures as published"),
    CHOICE(metric, metrics, "of the steps: none (steepest descent), Barzilai and Borwein's, quasi-Newton of few parameters or of many, adagrad, Gauss and Newton's for few; auto: newton or lbfgs, none for search=paper"),
    CHOICE(descent, descents, "ask for a direction that is proved to descend (mode=estimated: that seems to), too; auto: in mode=estimated"),
    NUMBER(rho, 0.01, 0.99, "factor of a step that was rejected; auto: 0.5"),
    NUMBER(growth, 1, 100, "factor of the next step after one was taken; auto: 3, 10/9 for search=paper"),
    NUMBER(nu, 0.001, 0.99, "factor of the accuracy after a failed search; auto: 0.25, 0.5 for search=paper"),
    NUMBER(relax, 1, 100, "factor of the accuracy after a step; auto: 4, 1.05 for search=paper"),
    NUMBER(eta, 1e-8, 0.99, "margin of descent: the error of the gradient is at most 1 - eta of it; auto: 0.5, 1e-4 for search=paper"),
    NUMBER(lambda, 1e-12, 0.9, "share of the predicted decrease that a step must keep; auto: 1e-4, 1e-8 for search=paper"),
    NUMBER(kappa, 0.001, 0.9, "share of the predicted decrease that the interval of the loss may hide; auto: 0.25"),
    NUMBER(cap, 0.001, 100, "largest move of a logarithm in a step; auto: 1, none for search=paper"),
    COUNT(trials, 1000, "steps tried before the accuracy is raised; auto: 40, 10 for search=paper"),
    COUNT(memory, 1000, "points whose largest loss a step must undercut; auto: 1, so that the loss never rises"),
    {0}};

static double given(double v) { return isnan(v) ? 0 : v; }

static pri_maid_mode mode_of(const keys *k) { return k->mode == 0 ? PRI_MAID_CERTIFIED : (pri_maid_mode)(k->mode - 1); }

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta, pri_method_box box, const void *of) {
  const keys *k = of;
  pri_maid *m;
  const pri_maid_opts o = {.mode = mode_of(k), .search = (pri_maid_search)k->search, .metric = k->metric, .descent = k->descent, .eps = given(k->common.eps),
                           .delta = given(k->delta), .alpha = given(k->alpha), .lo = box.lo, .hi = box.hi, .rho = given(k->rho), .growth = given(k->growth), .nu = given(k->nu),
                           .relax = given(k->relax), .eta = given(k->eta), .lambda = given(k->lambda), .kappa = given(k->kappa), .cap = given(k->cap), .trials = k->trials, .memory = k->memory};
  pri_status s = pri_maid_create(ctx, &m, l, theta, &o);
  if (s == PRI_OK && k->mode == 1 && !pri_lower_certified(l)) {
    pri_maid_destroy(&m);
    s = PRI_FAIL(ctx, PRI_EPARAM, "maid: mode=certified: the loss of this prior has no proved bounds (it is not known to be convex); leave mode out, or give mode=estimated");
  }
  *out = m;
  return s;
}

static pri_method_claim claim(const void *of) {
  const keys *k = of;
  return mode_of(k) != PRI_MAID_CERTIFIED ? PRI_CLAIM_NONE : k->memory > 1 ? PRI_CLAIM_INTERVALS : PRI_CLAIM_DESCENT;
}

static pri_status step(void *m, pri_method_report *r, pri_verdict *v) { return pri_maid_step(m, r, v); }
static const double *theta(const void *m) { return pri_maid_theta(m); }
static pri_status walk(void *m, pri_walk *w) { return pri_maid_walk(m, w); }
static void destroy(void *m) { pri_maid_destroy(&(pri_maid *){m}); }

const pri_method_class pri_method_maid = {.kind = {.name = "maid", .brief = "adaptively inexact descent", .cite = "Salehi et al. 2025", .size = sizeof(keys), .params = rows},
                                          .claim = claim, .create = create, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
