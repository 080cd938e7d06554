/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_search.c - the best of many points: at random, or on a grid, in the box |theta - theta_0| <= span. For comparison, and for a look at the whole
 * surface.
 *
 *   random  theta_k = theta_0 + span (2 u - 1), u uniform;   grid  every combination of `points` values a parameter, equally spaced, ends included
 * A point is looked at coarsely first, then ten times finer, until its interval lies above the best one's or is as fine as asked for: what is returned is
 * proved to be within the accuracy of the best of all points.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "learn_method.h"
#include "priori/rng.h"

enum { GRID_MOST = 1000000 };

typedef struct keys {
  pri_method_keys common;
  double span;
  long points, seed;
} keys;

#define COMMON                                                                                                                                                                             \
  {.name = "eps", .unit = "1", .help = "accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-13, .max = 1e12, .def = NAN}, \
  {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN}, \
  {.name = "span", .unit = "1", .help = "largest distance from the start, of every logarithm", .type = PRI_REAL, .offset = offsetof(keys, span), .min = 1e-3, .max = 20, .def = 2}
static const pri_param random_rows[] = {
    COMMON,
    {.name = "points", .unit = "1", .help = "points to look at", .type = PRI_INT, .offset = offsetof(keys, points), .min = 1, .max = 1000000, .def = 50},
    {.name = "seed", .unit = "1", .help = "of the points", .type = PRI_INT, .offset = offsetof(keys, seed), .min = 0, .max = 1e9, .def = 0},
    {0}};
static const pri_param grid_rows[] = {
    COMMON,
    {.name = "points", .unit = "1", .help = "values a parameter", .type = PRI_INT, .offset = offsetof(keys, points), .min = 2, .max = 1000, .def = 7},
    {0}};

typedef struct search {
  pri_ctx *ctx;
  pri_lower *l;
  pri_method_box box;
  size_t p, images;
  double *start, *theta, *trial, *e; /* theta: the best */
  pri_real *x, *xt;                /* of the best */
  double eps, coarse, span;
  long points, all, seed, k;       /* all: points to look at */
  int grid;
  pri_interval f, last;
} search;

static void draw(search *s) {
  long rest = s->k;
  for (size_t i = 0; i < s->p; i++) {
    const double u = s->grid ? (double)(rest % s->points) / (double)(s->points - 1) : pri_rng_uniform_at((uint64_t)s->seed, "learn", (uint64_t)s->k * s->p + i);
    rest /= s->points;
    s->trial[i] = fmin(fmax(s->start[i] + s->span * (2 * u - 1), s->box.lo), s->box.hi);
  }
}

/* The interval at the trial, no finer than it takes to see that another point is better */
static pri_status race(search *s) {
  memcpy(s->xt, s->x, s->images);
  for (double eps = fmax(s->coarse, s->eps);; eps = fmax(eps / 10, s->eps)) {
    PRI_TRY(pri_lower_look(s->l, s->trial, s->xt, eps, s->e, &s->last));
    if (!isfinite(s->last.high) || s->last.low > s->f.high || eps <= s->eps) return PRI_OK;
    if (pri_ctx_cancelled(s->ctx)) return PRI_FAIL(s->ctx, PRI_ECANCEL, "interrupted");
  }
}

static pri_status step(void *priv, pri_method_report *r, pri_verdict *v) {
  search *s = priv;
  *v = PRI_GO;
  if (s->k >= s->all) *v = isfinite(s->f.high) ? PRI_CONVERGED : PRI_DIVERGED;
  else {
    draw(s);
    PRI_TRY(race(s));
    s->k++;
    if (s->last.high < s->f.high) {
      pri_real *const x = s->x;
      memcpy(s->theta, s->trial, s->p * sizeof *s->theta);
      s->x = s->xt, s->xt = x, s->f = s->last;
    }
  }
  *r = (pri_method_report){.k = s->k, .trials = s->k, .f = s->f, .last = s->last.high, .z = NAN, .omega = NAN, .eps = s->eps, .alpha = NAN, .predicted = NAN, .work = pri_lower_work(s->l)};
  return PRI_OK;
}

static const double *theta(const void *s) { return ((const search *)s)->theta; }

static pri_status walk(void *priv, pri_walk *w) {
  search *s = priv;
  pri_work work = pri_lower_work(s->l);
  double scalars[] = {s->f.low, s->f.high, s->f.half, work.gradients, work.products, work.mixed};
  PRI_TRY(pri_walk_bytes(w, "theta", s->theta, s->p * sizeof(double)));
  PRI_TRY(pri_walk_bytes(w, "x", s->x, s->images));
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "k", &s->k, sizeof s->k));
  s->f = (pri_interval){scalars[0], scalars[1], scalars[2]};
  pri_lower_set_work(s->l, (pri_work){scalars[3], scalars[4], scalars[5]});
  return PRI_OK;
}

static pri_method_claim claim(const void *of) { return (void)of, PRI_CLAIM_INTERVALS; }

static void destroy(void *priv) {
  search *s = priv;
  if (!s) return;
  void *const all[] = {s->start, s->theta, s->trial, s->e, s->x, s->xt};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(s->ctx, all[i]);
  pri_free(s->ctx, s);
}

static pri_status make(search *s, const double *theta_0, const keys *k) {
  const ptrdiff_t m = pri_lower_samples(s->l), all = m * pri_lower_size(s->l);
  const double count = s->grid ? pow((double)k->points, (double)s->p) : (double)k->points;
  if (!(count <= GRID_MOST)) return PRI_FAIL(s->ctx, PRI_EPARAM, "grid: %ld values of each of %zu parameters are too many points; at most %d are allowed: give fewer, or random", k->points, s->p, GRID_MOST);
  PRI_ALLOC(s->ctx, s->start, (ptrdiff_t)s->p);
  PRI_ALLOC(s->ctx, s->theta, (ptrdiff_t)s->p);
  PRI_ALLOC(s->ctx, s->trial, (ptrdiff_t)s->p);
  PRI_ALLOC(s->ctx, s->e, m);
  PRI_ALLOC(s->ctx, s->x, all);
  PRI_ALLOC(s->ctx, s->xt, all);
  s->images = (size_t)all * sizeof *s->x, s->points = k->points, s->all = (long)count, s->seed = k->seed, s->span = k->span;
  for (size_t i = 0; i < s->p; i++) s->start[i] = s->theta[i] = fmin(fmax(theta_0[i], s->box.lo), s->box.hi);
  PRI_TRY(pri_lower_begin(s->l, s->start, s->x, &s->coarse));
  s->eps = isnan(k->common.eps) ? 0.1 * s->coarse : k->common.eps;
  s->f = s->last = (pri_interval){INFINITY, INFINITY, INFINITY};
  return PRI_OK;
}

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of, int grid) {
  search *s = *out = pri_calloc(ctx, 1, sizeof *s);
  if (!s) return pri_ctx_code(ctx);
  s->ctx = ctx, s->l = l, s->box = box, s->p = pri_lower_ntheta(l), s->grid = grid;
  const pri_status made = make(s, theta_0, of);
  if (made != PRI_OK) destroy(s), *out = NULL;
  return made;
}

static pri_status create_random(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of) { return create(ctx, out, l, theta_0, box, of, 0); }
static pri_status create_grid(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of) { return create(ctx, out, l, theta_0, box, of, 1); }

const pri_method_class pri_method_random = {.kind = {.name = "random", .brief = "the best of points at random around the start", .cite = "Bergstra, Bengio 2012", .size = sizeof(keys), .params = random_rows},
                                            .claim = claim, .create = create_random, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
const pri_method_class pri_method_grid = {.kind = {.name = "grid", .brief = "the best point of a grid around the start; few parameters", .cite = "", .size = sizeof(keys), .params = grid_rows},
                                          .claim = claim, .create = create_grid, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
