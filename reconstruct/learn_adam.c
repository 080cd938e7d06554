/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_adam.c - Adam on the hypergradients of a few samples at a time (Kingma, Ba 2015; inexact stochastic bilevel learning: Salehi, Mukherjee,
 * Roberts, Ehrhardt 2025, spec maid 11.5). Far ahead of full gradients for many parameters, but nothing is proved; maid from its file polishes.
 *
 *   m = b1 m + (1 - b1) z,  v = b2 v + (1 - b2) z^2,  theta <- P(theta - a m^ / (root(v^) + tiny)),  m^ = m / (1 - b1^t), v^ = v / (1 - b2^t)
 *   a = step (1 + cos(pi t / T)) / 2 where a length T is given
 * z: hypergradient of a batch, its images warm from the last time they were looked at. A step of this method is `passes` passes over the samples in
 * an order drawn anew for each, then a look at all: theta and f of the report belong together. A batch that is not finite takes theta back to where it
 * was before the last update, with half the step.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "learn_method.h"
#include "priori/rng.h"

enum { MOST = 30000 /* of a look */, BATCH_MOST = 1000 };
static const double CG_SHARE = 4, B1 = 0.9, B2 = 0.99, TINY = 1e-12, PI = 3.14159265358979323846;

typedef struct keys {
  pri_method_keys common;
  double step;
  long batch, passes, length;
} keys;

static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-12, .max = 1e12, .def = NAN},
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN},
    {.name = "step", .unit = "1", .help = "about what a parameter moves by in an update", .type = PRI_REAL, .offset = offsetof(keys, step), .min = 1e-9, .max = 10, .def = 0.02},
    {.name = "batch", .unit = "1", .help = "samples of an update", .type = PRI_INT, .offset = offsetof(keys, batch), .min = 1, .max = 1e9, .def = 16},
    {.name = "passes", .unit = "1", .help = "over the samples in one step, before all are looked at", .type = PRI_INT, .offset = offsetof(keys, passes), .min = 1, .max = 1e6, .def = 4},
    {.name = "length", .unit = "1", .help = "steps within which updates shrink to nothing, a cosine; 0: they do not", .type = PRI_INT, .offset = offsetof(keys, length), .min = 0, .max = 1e6, .def = 0},
    {0}};

typedef struct adam {
  pri_ctx *ctx;
  pri_lower *l;
  pri_method_box box;
  keys k;
  size_t p;
  ptrdiff_t m, n, *order;
  double *theta, *back, *z, *first, *second, *e; /* [p], [m] */
  pri_real *x, *q;                               /* [m][n] */
  double eps, step;
  pri_interval f;
  long steps, updates, passed, failures;
} adam;

static double norm(const double *a, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * a[i];
  return sqrt(s);
}

static void shuffle(adam *a) {
  for (ptrdiff_t i = 0; i < a->m; i++) a->order[i] = i;
  for (ptrdiff_t i = a->m - 1; i > 0; i--) {
    const ptrdiff_t j = (ptrdiff_t)(pri_rng_uniform_at(pri_ctx_seed(a->ctx), "learn/adam", (uint64_t)(a->passed * a->m + i)) * (double)(i + 1)), was = a->order[i];
    a->order[i] = a->order[j], a->order[j] = was;
  }
  a->passed++;
}

static double step_now(const adam *a) {
  const double updates_of_a_step = (double)(a->k.passes * ((a->m + a->k.batch - 1) / a->k.batch));
  return a->k.length ? a->step * (1 + cos(PI * fmin(1, (double)a->updates / (updates_of_a_step * (double)a->k.length)))) / 2 : a->step;
}

static void update(adam *a) {
  const double step = step_now(a), t = (double)++a->updates, c1 = 1 - pow(B1, t), c2 = 1 - pow(B2, t);
  memcpy(a->back, a->theta, a->p * sizeof *a->back);
  for (size_t i = 0; i < a->p; i++) {
    a->first[i] = B1 * a->first[i] + (1 - B1) * a->z[i];
    a->second[i] = B2 * a->second[i] + (1 - B2) * a->z[i] * a->z[i];
    a->theta[i] = fmin(fmax(a->theta[i] - step * a->first[i] / c1 / (sqrt(a->second[i] / c2) + TINY), a->box.lo), a->box.hi);
  }
}

/* Back to the last theta that was finite, its images from the start. EPARAM: the first was not */
static pri_status go_back(adam *a) {
  a->failures++;
  a->step /= 2;
  if (!memcmp(a->theta, a->back, a->p * sizeof *a->back)) return PRI_FAIL(a->ctx, PRI_ENUMERIC, "learn: the lower level is not finite at the parameters it starts from");
  memcpy(a->theta, a->back, a->p * sizeof *a->theta);
  memset(a->q, 0, (size_t)(a->m * a->n) * sizeof *a->q);
  PRI_TRY(pri_lower_theta(a->l, a->theta));
  (void)pri_lower_start(a->l, a->x);
  return PRI_OK;
}

static pri_status batch(adam *a) {
  PRI_TRY(pri_lower_theta(a->l, a->theta));
  PRI_TRY(pri_lower_solve(a->l, a->x, a->eps, BATCH_MOST, a->e));
  if (!isfinite(pri_lower_interval(a->l, a->x, a->e).high)) return go_back(a);
  PRI_TRY(pri_lower_hypergradient(a->l, a->x, a->e, CG_SHARE * a->eps, a->q, a->z, NULL));
  if (!isfinite(norm(a->z, a->p))) return go_back(a);
  update(a);
  return pri_ctx_cancelled(a->ctx) ? PRI_FAIL(a->ctx, PRI_ECANCEL, "interrupted") : PRI_OK;
}

static pri_status pass(adam *a) {
  shuffle(a);
  for (ptrdiff_t i = 0; i < a->m; i += a->k.batch) {
    pri_lower_pick(a->l, a->order + i, i + a->k.batch < a->m ? a->k.batch : a->m - i);
    const pri_status s = batch(a);
    pri_lower_pick(a->l, NULL, 0);
    PRI_TRY(s);
  }
  return PRI_OK;
}

static pri_status look(adam *a) {
  PRI_TRY(pri_lower_theta(a->l, a->theta));
  PRI_TRY(pri_lower_solve(a->l, a->x, a->eps, MOST, a->e));
  a->f = pri_lower_interval(a->l, a->x, a->e);
  return isfinite(a->f.high) ? PRI_OK : go_back(a);
}

static pri_status step(void *priv, pri_method_report *r, pri_verdict *v) {
  adam *a = priv;
  *v = PRI_GO;
  if (a->k.length && a->steps >= a->k.length) *v = PRI_OUT_OF_STEPS;
  else {
    for (long i = 0; i < a->k.passes; i++) PRI_TRY(pass(a));
    do PRI_TRY(look(a));
    while (!isfinite(a->f.high));
    a->steps++;
  }
  *r = (pri_method_report){.k = a->steps, .trials = a->updates, .failures = a->failures, .f = a->f, .z = norm(a->z, a->p), .omega = NAN, .eps = a->eps, .alpha = step_now(a), .predicted = NAN,
                           .work = pri_lower_work(a->l)};
  return PRI_OK;
}

static const double *theta(const void *a) { return ((const adam *)a)->theta; }

static pri_status walk(void *priv, pri_walk *w) {
  adam *a = priv;
  pri_work work = pri_lower_work(a->l);
  const size_t images = (size_t)(a->m * a->n) * sizeof(pri_real);
  double *const vectors[] = {a->theta, a->back, a->z, a->first, a->second};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_TRY(pri_walk_bytes(w, "vector", vectors[i], a->p * sizeof(double)));
  PRI_TRY(pri_walk_bytes(w, "x", a->x, images));
  PRI_TRY(pri_walk_bytes(w, "q", a->q, images));
  double scalars[] = {a->step, a->f.low, a->f.high, a->f.half, work.gradients, work.products, work.mixed};
  long counts[] = {a->steps, a->updates, a->passed, a->failures};
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "counts", counts, sizeof counts));
  a->step = scalars[0], a->f = (pri_interval){scalars[1], scalars[2], scalars[3]};
  a->steps = counts[0], a->updates = counts[1], a->passed = counts[2], a->failures = counts[3];
  pri_lower_set_work(a->l, (pri_work){scalars[4], scalars[5], scalars[6]});
  return PRI_OK;
}

static void destroy(void *priv) {
  adam *a = priv;
  if (!a) return;
  void *const all[] = {a->theta, a->back, a->z, a->first, a->second, a->e, a->x, a->q, a->order};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(a->ctx, all[i]);
  pri_free(a->ctx, a);
}

static pri_status make(adam *a, const double *theta_0) {
  double **const vectors[] = {&a->theta, &a->back, &a->z, &a->first, &a->second};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_ALLOC(a->ctx, *vectors[i], (ptrdiff_t)a->p);
  PRI_ALLOC(a->ctx, a->e, a->m);
  PRI_ALLOC(a->ctx, a->order, a->m);
  PRI_ALLOC(a->ctx, a->x, a->m * a->n);
  PRI_ALLOC(a->ctx, a->q, a->m * a->n);
  for (size_t i = 0; i < a->p; i++) a->theta[i] = a->back[i] = fmin(fmax(theta_0[i], a->box.lo), a->box.hi);
  PRI_TRY(pri_lower_theta(a->l, a->theta));
  const double far = pri_lower_start(a->l, a->x);
  a->eps = isnan(a->k.common.eps) ? 0.02 * far : a->k.common.eps;
  if (a->eps > 0 && isfinite(a->eps)) return PRI_OK;
  return PRI_FAIL(a->ctx, PRI_ENUMERIC, "learn: the first gradient is %g: are the images constant, or not finite?", far);
}

static pri_method_claim claim(const void *of) { return (void)of, PRI_CLAIM_INTERVALS; } /* those of a look, in double */

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of) {
  adam *a = *out = pri_calloc(ctx, 1, sizeof *a);
  if (!a) return pri_ctx_code(ctx);
  a->ctx = ctx, a->l = l, a->box = box, a->k = *(const keys *)of, a->p = pri_lower_ntheta(l), a->m = pri_lower_samples(l), a->n = pri_lower_size(l);
  a->step = a->k.step;
  const pri_status s = make(a, theta_0);
  if (s != PRI_OK) destroy(a), *out = NULL;
  return s;
}

const pri_method_class pri_method_adam = {.kind = {.name = "adam", .brief = "a few samples at a time, steps without proof; for many parameters", .cite = "Kingma, Ba 2015", .size = sizeof(keys), .params = rows},
                                          .claim = claim, .create = create, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
