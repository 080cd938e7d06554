/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_maid_method.c - the keys of maid (learn_maid.c) for --solver maid:KEYS. */
#include <math.h>
#include <stddef.h>
#include "learn_method.h"

typedef struct keys {
  pri_method_keys common;
  double alpha;
  int plain, descent;
} keys;

static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "first accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-12, .max = 1e12, .def = NAN},
    {.name = "alpha", .unit = "1", .help = "first step; auto: no logarithm moves by more than 1/2", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, alpha), .min = 1e-30, .max = 1e30, .def = NAN},
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN},
    {.name = "plain", .unit = "-", .help = "steepest descent and blind tightening, as published", .type = PRI_BOOL, .offset = offsetof(keys, plain), .def = 0},
    {.name = "descent", .unit = "-", .help = "ask for a proved direction of descent too", .type = PRI_BOOL, .offset = offsetof(keys, descent), .def = 0},
    {0}};

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta, pri_method_box box, const void *of) {
  const keys *k = of;
  pri_maid *m;
  const pri_maid_opts o = {.eps = isnan(k->common.eps) ? 0 : k->common.eps, .alpha = isnan(k->alpha) ? 0 : k->alpha, .lo = box.lo, .hi = box.hi, .descent = k->descent, .plain = k->plain};
  const pri_status s = pri_maid_create(ctx, &m, l, theta, &o);
  *out = m;
  return s;
}

static pri_status step(void *m, pri_method_report *r, pri_verdict *v) { return pri_maid_step(m, r, v); }
static const double *theta(const void *m) { return pri_maid_theta(m); }
static pri_status walk(void *m, pri_walk *w) { return pri_maid_walk(m, w); }
static void destroy(void *m) { pri_maid_destroy(&(pri_maid *){m}); }

const pri_method_class pri_method_maid = {.kind = {.name = "maid", .brief = "adaptively inexact descent", .cite = "Salehi et al. 2025", .size = sizeof(keys), .params = rows},
                                          .monotone = 1, .create = create, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
