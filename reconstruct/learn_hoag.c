/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_hoag.c - HOAG: hypergradients of an accuracy that follows a schedule, and steps 1 / Lambda (Pedregosa 2016; spec maid 5). For comparison:
 * nothing is proved, and f may rise.
 *
 *   e_k = e_0 (fixed), e_0 0.9^k, e_0 / k^2, e_0 / k^3;   theta+ = P(theta - z / Lambda),  D = |theta - theta+|
 *   g+ <= g + C e_{k+1} + C_1 e_k D - Lambda D^2   Lambda <- 0.95 Lambda          C = 1/4, C_1 = C + 1
 *   else g+ >= 1.2 g, or not finite                Lambda <- 2 Lambda, theta stays, e <- e / 2
 *   else                                           Lambda stays
 * What it returns is the best point seen, which need not be the last. Repaired against the published codes: theta moves once an iteration, not twice; a rejected step leaves theta, z and g as they were, so that the
 * next test is against the point that the step starts from (the port of the MAID repository rejects for ever after one overshoot).
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "learn_method.h"

enum { FIXED = 0, GEOMETRIC, QUADRATIC, CUBIC };
static const double C = 0.25, STILL = 1e-9;

typedef struct keys {
  pri_method_keys common;
  int schedule;
} keys;

static const char *const schedules[] = {"fixed", "geometric", "quadratic", "cubic", NULL};
static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "first accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.eps), .min = 1e-12, .max = 1e12, .def = NAN},
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-4 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(keys, common.floor), .min = 0, .max = 1e30, .def = NAN},
    {.name = "schedule", .unit = "-", .help = "accuracy of step k: fixed, 0.9^k, k^-2, k^-3", .type = PRI_CHOICE, .choices = schedules, .offset = offsetof(keys, schedule), .def = GEOMETRIC},
    {0}};

typedef struct hoag {
  pri_ctx *ctx;
  pri_lower *l;
  pri_method_box box;
  int schedule;
  size_t p;
  ptrdiff_t m, n;
  double *theta, *trial, *best, *z, *zt, *e; /* [p], [m] */
  pri_real *x, *xt, *q;                /* [m][n] */
  double eps0, Lambda, g;
  pri_interval f, f_best;
  long k, trials, failures;
} hoag;

static double norm(const double *a, size_t n) {
  double s = 0;
  for (size_t i = 0; i < n; i++) s += a[i] * a[i];
  return sqrt(s);
}

static double scheduled(const hoag *h, long k) {
  const double t = (double)(k + 1);
  switch (h->schedule) {
    case GEOMETRIC: return h->eps0 * pow(0.9, (double)k);
    case QUADRATIC: return h->eps0 / (t * t);
    case CUBIC: return h->eps0 / (t * t * t);
    default: return h->eps0;
  }
}

/* f, g and z at theta; *finite 0: there are none */
static pri_status look(hoag *h, const double *theta, pri_real *x, double *z, double eps, pri_interval *f, double *g, int *finite) {
  PRI_TRY(pri_lower_look(h->l, theta, x, eps, h->e, f));
  *finite = isfinite(f->high);
  *g = pri_interval_computed(*f);
  return *finite ? pri_lower_hypergradient(h->l, x, h->e, eps, h->q, z, NULL) : PRI_OK;
}

static void remember(hoag *h) { /* the best point */
  if (!(h->f.high < h->f_best.high)) return;
  h->f_best = h->f;
  memcpy(h->best, h->theta, h->p * sizeof *h->best);
}

static pri_status first_look(hoag *h) {
  int finite;
  PRI_TRY(look(h, h->theta, h->x, h->z, scheduled(h, 0), &h->f, &h->g, &finite));
  if (!finite) return PRI_FAIL(h->ctx, PRI_ENUMERIC, "learn: the lower level is not finite at the parameters it starts from");
  remember(h);
  const double z = norm(h->z, h->p);
  h->Lambda = z > 1e-3 ? z / sqrt((double)h->p) : 1;
  return PRI_OK;
}

/* theta+ and D */
static double move(hoag *h) {
  double sum = 0;
  for (size_t i = 0; i < h->p; i++) {
    h->trial[i] = fmin(fmax(h->theta[i] - h->z[i] / h->Lambda, h->box.lo), h->box.hi);
    sum += (h->trial[i] - h->theta[i]) * (h->trial[i] - h->theta[i]);
  }
  return sqrt(sum);
}

static void accept(hoag *h, pri_interval f, double g) {
  double *const theta = h->theta, *const z = h->z;
  pri_real *const x = h->x;
  h->theta = h->trial, h->trial = theta;
  h->z = h->zt, h->zt = z;
  h->x = h->xt, h->xt = x;
  h->f = f, h->g = g;
  remember(h);
}

static void reject(hoag *h) {
  h->Lambda *= 2;
  h->eps0 /= 2;
  h->failures++;
}

static pri_status advance(hoag *h, double D) {
  const double eps = scheduled(h, h->k + 1), root = sqrt((double)h->n), now = scheduled(h, h->k) * root;
  pri_interval f;
  double g;
  int finite;
  memcpy(h->xt, h->x, (size_t)(h->m * h->n) * sizeof *h->xt);
  PRI_TRY(look(h, h->trial, h->xt, h->zt, eps, &f, &g, &finite));
  h->trials++;
  h->k++;
  const int fell = finite && g <= h->g + C * eps * root + (C + 1) * now * D - h->Lambda * D * D;
  if (!finite || (!fell && g >= 1.2 * h->g)) return reject(h), PRI_OK;
  if (fell) h->Lambda *= 0.95;
  accept(h, f, g);
  return PRI_OK;
}

static pri_status step(void *priv, pri_method_report *r, pri_verdict *v) {
  hoag *h = priv;
  *v = PRI_GO;
  if (pri_ctx_cancelled(h->ctx)) return PRI_FAIL(h->ctx, PRI_ECANCEL, "interrupted");
  if (h->Lambda == 0) PRI_TRY(first_look(h));
  const double D = move(h);
  if (D <= STILL) *v = PRI_STOPPED_EARLY;
  else PRI_TRY(advance(h, D));
  *r = (pri_method_report){.k = h->k, .trials = h->trials, .failures = h->failures, .f = h->f_best, .last = h->f.high, .z = norm(h->z, h->p), .omega = NAN, .eps = scheduled(h, h->k), .alpha = 1 / h->Lambda,
                           .predicted = NAN, .work = pri_lower_work(h->l)};
  return PRI_OK;
}

static const double *theta(const void *h) { return ((const hoag *)h)->best; }

static pri_status walk(void *priv, pri_walk *w) {
  hoag *h = priv;
  pri_work work = pri_lower_work(h->l);
  const size_t images = (size_t)(h->m * h->n) * sizeof(pri_real);
  PRI_TRY(pri_walk_bytes(w, "theta", h->theta, h->p * sizeof(double)));
  PRI_TRY(pri_walk_bytes(w, "best", h->best, h->p * sizeof(double)));
  PRI_TRY(pri_walk_bytes(w, "z", h->z, h->p * sizeof(double)));
  PRI_TRY(pri_walk_bytes(w, "x", h->x, images));
  PRI_TRY(pri_walk_bytes(w, "q", h->q, images));
  double scalars[] = {h->eps0, h->Lambda, h->g, h->f.low, h->f.high, h->f.half, h->f_best.low, h->f_best.high, h->f_best.half, work.gradients, work.products, work.mixed};
  long counts[] = {h->k, h->trials, h->failures};
  PRI_TRY(pri_walk_bytes(w, "scalars", scalars, sizeof scalars));
  PRI_TRY(pri_walk_bytes(w, "counts", counts, sizeof counts));
  h->eps0 = scalars[0], h->Lambda = scalars[1], h->g = scalars[2], h->f = (pri_interval){scalars[3], scalars[4], scalars[5]}, h->f_best = (pri_interval){scalars[6], scalars[7], scalars[8]};
  h->k = counts[0], h->trials = counts[1], h->failures = counts[2];
  pri_lower_set_work(h->l, (pri_work){scalars[9], scalars[10], scalars[11]});
  return PRI_OK;
}

static pri_method_claim claim(const void *of) { return (void)of, PRI_CLAIM_INTERVALS; }

static void destroy(void *priv) {
  hoag *h = priv;
  if (!h) return;
  void *const all[] = {h->theta, h->trial, h->best, h->z, h->zt, h->e, h->x, h->xt, h->q};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(h->ctx, all[i]);
  pri_free(h->ctx, h);
}

static pri_status make(hoag *h, const double *theta_0, const keys *k) {
  double **const vectors[] = {&h->theta, &h->trial, &h->best, &h->z, &h->zt};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) PRI_ALLOC(h->ctx, *vectors[i], (ptrdiff_t)h->p);
  PRI_ALLOC(h->ctx, h->e, h->m);
  PRI_ALLOC(h->ctx, h->x, h->m * h->n);
  PRI_ALLOC(h->ctx, h->xt, h->m * h->n);
  PRI_ALLOC(h->ctx, h->q, h->m * h->n);
  for (size_t i = 0; i < h->p; i++) h->theta[i] = fmin(fmax(theta_0[i], h->box.lo), h->box.hi);
  memcpy(h->best, h->theta, h->p * sizeof *h->best);
  h->f_best.high = INFINITY;
  PRI_TRY(pri_lower_begin(h->l, h->theta, h->x, &h->eps0));
  if (!isnan(k->common.eps)) h->eps0 = k->common.eps;
  return PRI_OK;
}

static pri_status create(pri_ctx *ctx, void **out, pri_lower *l, const double *theta_0, pri_method_box box, const void *of) {
  const keys *k = of;
  hoag *h = *out = pri_calloc(ctx, 1, sizeof *h);
  if (!h) return pri_ctx_code(ctx);
  h->ctx = ctx, h->l = l, h->box = box, h->schedule = k->schedule, h->p = pri_lower_ntheta(l), h->m = pri_lower_samples(l), h->n = pri_lower_size(l);
  const pri_status s = make(h, theta_0, k);
  if (s != PRI_OK) destroy(h), *out = NULL;
  return s;
}

const pri_method_class pri_method_hoag = {.kind = {.name = "hoag", .brief = "gradients of scheduled accuracy, steps without proof; for comparison", .cite = "Pedregosa 2016", .size = sizeof(keys), .params = rows},
                                          .claim = claim, .create = create, .step = step, .theta = theta, .walk = walk, .destroy = destroy};
