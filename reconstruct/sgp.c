/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sgp.c - scaled gradient projection with Barzilai-Borwein steps, the solver of RISING, corrected: f(A x) + sum_r R_r(x) in a box.
 * tv is smoothed: weight sum_i sqrt(|(D x)_i|^2 + beta^2); other priors must have a gradient. g = V - U, V, U >= 0 where x >= 0:
 *
 *   V    = A'W A x + c .* x,   c_i = sum_axes w_i [a next one] + w_{i-1} [one before],   w_i = weight / sqrt(|(D x)_i|^2 + beta^2)
 *   s    = clip(L x / max(V, eps), 1 / rho_k, rho_k) / L,   rho_k = sqrt(1 + 1e15 / k^2.1),  L = L_f |A|^2;   s_0 = 1 / L
 *   d    = P_box(x - alpha s .* g) - x
 *   eta  : largest of 1, 0.4, 0.4^2, ... with F(x + eta d) <= F(x) + 1e-4 eta g'd      (A d once; the data term along d is a parabola)
 *   x   += eta d
 *   BB   : u = eta d, v = g+ - g;  a1 = |S^-1 u|^2 / u'S^-1 v,  a2 = u'S v / |S v|^2, clipped to [1e-10, 1e5], 10 alpha where the
 *          curvature is not positive;  a2 / a1 < t: alpha = smallest of the last four a2, t *= 0.9;  else alpha = a1, t *= 1.1
 *
 * Source: Bonettini, Zanella, Zanni 2009; constants of the public RISING code (spec rising_ct 1.2). Deviations, all from there: the
 * gradient is that of the objective; s_0 = 1 / L and the clipping is relative to it, so that units do not matter; Armijo constant 1e-4
 * and factor 0.4. The minimum is that of the smoothed problem; objective and residual in the reports are those of the problem given.
 */
#include <math.h>
#include <string.h>
#include "split.h"
#include "vec.h"

static const double ARMIJO = 1e-4, SHRINK = 0.4, ALPHA_MIN = 1e-10, ALPHA_MAX = 1e5;
enum { TRIALS = 40, MEMORY = 4 };

struct pace { /* of one item */
  double alpha, switch_at, last[MEMORY];
  long k;
};

struct sgp {
  double beta;
  pri_split s;
  pri_array x, g, U, d, s_, z, Ad, fields, trial, old, keep; /* U: A'Wy; s_: scaling; Ad: A d, then f'(z); keep: g before */
  struct pace *pace;
};

static int is_tv(const pri_prior_class *c) { return strcmp(c->kind.name, "tv") == 0; }

static const char *misfit(const pri_problem *p) {
  for (int r = 0; r < p->nR; r++) {
    const void *priv;
    const pri_prior_class *c = pri_prior_class_of(p->R[r], &priv);
    if (is_tv(c) && c->weight && isnan(c->weight(priv))) return "sgp cannot use this prior: tv with one weight a pixel";
    if (!is_tv(c) && !(c->variational && c->variational->grad)) {
      const pri_problem one = {.A = p->A, .f = p->f, .R = p->R + r, .nR = 1};
      return pri_split_misfit(&one, "sgp", PRI_NEEDS_SMOOTH);
    }
  }
  const pri_problem none = {.A = p->A, .f = p->f};
  return pri_split_misfit(&none, "sgp", PRI_NEEDS_GRAD | PRI_NEEDS_QUADRATIC);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct sgp *h = priv;
  pri_array *const image[] = {&h->g, &h->U, &h->d, &h->s_, &h->trial, &h->old, &h->keep}, *const data[] = {&h->z, &h->Ad};
  PRI_TRY(pri_split_init(ctx, &h->s, p, PRI_NEEDS_NORM | PRI_NEEDS_BLOCKS));
  PRI_TRY(pri_split_start(ctx, &h->s, &h->x, x0));
  for (int i = 0; i < 7; i++) PRI_TRY(pri_array_create(ctx, image[i], &h->s.dom, h->s.items));
  for (int i = 0; i < 2; i++) PRI_TRY(pri_array_create(ctx, data[i], &h->s.ran, h->s.items));
  for (int r = 0; r < h->s.nR; r++)
    if (is_tv(h->s.R[r].cls)) PRI_TRY(pri_array_create(ctx, &h->fields, &h->s.R[r].dual, 1));
  PRI_ALLOC(ctx, h->pace, h->s.items);
  for (ptrdiff_t i = 0; i < h->s.items; i++) h->pace[i] = (struct pace){.alpha = 1, .switch_at = 0.5, .last = {INFINITY, INFINITY, INFINITY, INFINITY}};
  return PRI_OK;
}

/* ---- the smoothed tv of one item */

/* w_i of the fields D x: one number a pixel, written over the first field after the fields are scaled by it; returns the sum of roots */
static double smooth_fields(const struct sgp *h, const pri_block *b, pri_real *q, pri_real *w) {
  const ptrdiff_t n = h->s.n, nd = b->nq / n;
  const double weight = b->cls->weight(b->priv), beta2 = h->beta * h->beta;
  double total = 0;
  for (ptrdiff_t first = 0; first < n; first += PRI_VEC_BLOCK) { /* one order of additions, as in vec.h */
    double sum = 0;
    for (ptrdiff_t i = first; i < n && i < first + PRI_VEC_BLOCK; i++) {
      double sq = beta2;
      for (ptrdiff_t a = 0; a < nd; a++) sq += (double)q[a * n + i] * (double)q[a * n + i];
      const double root = sqrt(sq);
      sum += root;
      if (!w) continue;
      w[i] = (pri_real)(weight / root);
      for (ptrdiff_t a = 0; a < nd; a++) q[a * n + i] = (pri_real)((double)q[a * n + i] * weight / root);
    }
    total += sum;
  }
  return weight * total;
}

/* V += c .* x for one image of any number of axes */
static void add_split(const struct sgp *h, pri_real *V, const pri_real *w, const pri_real *x) {
  ptrdiff_t stride = 1;
  for (int a = h->s.dom.nd - 1; a >= 0; a--) {
    const ptrdiff_t extent = h->s.dom.n[a];
    for (ptrdiff_t i = 0; i < h->s.n; i++) {
      const ptrdiff_t at = i / stride % extent;
      const pri_real c = (at + 1 < extent ? w[i] : 0) + (at > 0 ? w[i - stride] : 0);
      V[i] += c * x[i];
    }
    stride *= extent;
  }
}

/* value of the priors at x of one item, smoothed */
static pri_status prior_value(pri_ctx *ctx, struct sgp *h, const pri_real *x, double *value) {
  *value = 0;
  for (int r = 0; r < h->s.nR; r++) {
    const pri_block *b = &h->s.R[r];
    double one = 0;
    if (is_tv(b->cls)) {
      PRI_TRY(b->cls->saddle->k(ctx, b->priv, h->fields.data, x, NULL, 1));
      one = smooth_fields(h, b, h->fields.data, NULL);
    } else PRI_TRY(b->cls->variational->value(ctx, b->priv, &one, x, 1, h->s.scratch));
    *value += one;
  }
  return PRI_OK;
}

/* g += grad R, V += its positive part (tv); V may be NULL. trial is scratch */
static pri_status add_priors(pri_ctx *ctx, struct sgp *h, ptrdiff_t i, pri_real *g, pri_real *V) {
  const pri_real *x = pri_array_item(&h->x, i);
  pri_real *more = pri_array_item(&h->trial, i);
  for (int r = 0; r < h->s.nR; r++) {
    const pri_block *b = &h->s.R[r];
    if (is_tv(b->cls)) {
      PRI_TRY(b->cls->saddle->k(ctx, b->priv, h->fields.data, x, NULL, 1));
      (void)smooth_fields(h, b, h->fields.data, more);
      if (V) add_split(h, V, more, x);
      PRI_TRY(b->cls->saddle->kt(ctx, b->priv, g, NULL, h->fields.data, 1));
    } else {
      PRI_TRY(b->cls->variational->grad(ctx, b->priv, more, x, 1, h->s.scratch));
      pri_axpy(ctx, g, 1, more, h->s.n);
    }
  }
  return PRI_OK;
}

/* ---- one step */

/* g of one item from A'f'(z), which is in `data` (changed: it becomes V), and the next scaling */
static pri_status gradient_and_scaling(pri_ctx *ctx, struct sgp *h, ptrdiff_t i, pri_real *data) {
  const ptrdiff_t n = h->s.n;
  struct pace *p = &h->pace[i];
  const double L = h->s.curvature[i] * h->s.norm * h->s.norm, k = (double)p->k, rho = k > 0 ? sqrt(1 + 1e15 / pow(k, 2.1)) : sqrt(1 + 1e15);
  pri_real *g = pri_array_item(&h->g, i), *s = pri_array_item(&h->s_, i);
  const pri_real *x = pri_array_item(&h->x, i);
  pri_copy(ctx, g, data, n);
  pri_axpy(ctx, data, 1, pri_array_item(&h->U, i), n); /* A'W A x */
  PRI_TRY(add_priors(ctx, h, i, g, data));
  for (ptrdiff_t j = 0; j < n; j++) {
    const double V = (double)data[j], scaled = k > 0 ? (V > 0 ? L * (double)x[j] / V : rho) : 1;
    s[j] = (pri_real)((scaled < 1 / rho ? 1 / rho : scaled > rho ? rho : scaled) / L);
  }
  return PRI_OK;
}

/* U = A'Wy, z = A x, g and s of an item's first step */
static pri_status begin(pri_ctx *ctx, struct sgp *h, ptrdiff_t i, pri_report *rep) {
  const ptrdiff_t n = h->s.n;
  pri_real *r = pri_array_item(&h->Ad, i), *U = pri_array_item(&h->U, i), *d = pri_array_item(&h->d, i);
  pri_fill(ctx, r, 0, h->s.m);
  PRI_TRY(h->s.f->grad(ctx, h->s.fp, r, r, i, 1));
  PRI_TRY(pri_split_adjoint(&h->s, h->U.data, h->Ad.data, i, 1));
  pri_scale(ctx, U, -1, n); /* - A'f'(0) */
  rep->adjoints += 1;
  if (pri_norm2sq(ctx, pri_array_item(&h->x, i), n) > 0) {
    PRI_TRY(pri_split_apply(&h->s, h->z.data, h->x.data, i, 1));
    PRI_TRY(h->s.f->grad(ctx, h->s.fp, r, pri_array_item(&h->z, i), i, 1));
    PRI_TRY(pri_split_adjoint(&h->s, h->d.data, h->Ad.data, i, 1));
    rep->applies += 1;
    rep->adjoints += 1;
  } else pri_axpby(ctx, d, -1, U, 0, n);
  return gradient_and_scaling(ctx, h, i, d);
}

/* d = P(x - alpha s g) - x */
static void direction(struct sgp *h, ptrdiff_t i) {
  const pri_real *x = pri_array_item(&h->x, i), *s = pri_array_item(&h->s_, i), *g = pri_array_item(&h->g, i);
  pri_real *d = pri_array_item(&h->d, i);
  const pri_real alpha = (pri_real)h->pace[i].alpha, lo = (pri_real)h->s.problem->lo[i], hi = (pri_real)h->s.problem->hi[i];
  for (ptrdiff_t j = 0; j < h->s.n; j++) {
    const pri_real to = x[j] - alpha * s[j] * g[j];
    d[j] = (to < lo ? lo : to > hi ? hi : to) - x[j];
  }
}

/* eta of one item; z moves along A d with it, old = x, x += eta d */
static pri_status line_search(pri_ctx *ctx, struct sgp *h, ptrdiff_t i, pri_report *rep) {
  const ptrdiff_t n = h->s.n, m = h->s.m;
  pri_real *x = pri_array_item(&h->x, i), *d = pri_array_item(&h->d, i), *z = pri_array_item(&h->z, i), *Ad = pri_array_item(&h->Ad, i);
  pri_real *trial = pri_array_item(&h->trial, i);
  const double slope = pri_dot(ctx, pri_array_item(&h->g, i), d, n);
  double f0, f1, r0, along = 1, eta = 1;
  PRI_TRY(prior_value(ctx, h, x, &r0));
  PRI_TRY(h->s.f->value(ctx, h->s.fp, &f0, z, i, 1));
  pri_axpy(ctx, z, 1, Ad, m);
  PRI_TRY(h->s.f->value(ctx, h->s.fp, &f1, z, i, 1)); /* at eta = 1 */
  for (int trials = 0; trials < TRIALS; trials++, eta *= SHRINK) {
    double data = f1, prior;
    pri_copy(ctx, trial, x, n);
    pri_axpy(ctx, trial, eta, d, n);
    PRI_TRY(prior_value(ctx, h, trial, &prior));
    if (eta < 1) {
      pri_axpy(ctx, z, eta - along, Ad, m);
      PRI_TRY(h->s.f->value(ctx, h->s.fp, &data, z, i, 1));
      along = eta;
    }
    if (!(data + prior > f0 + r0 + ARMIJO * eta * slope)) break; /* NaN ends the search: the frame sees it */
  }
  pri_copy(ctx, pri_array_item(&h->old, i), x, n);
  pri_copy(ctx, x, trial, n);
  rep->change = pri_change(ctx, pri_array_item(&h->old, i), x, n);
  rep->step = h->pace[i].alpha;
  return PRI_OK;
}

struct products { double up, low1, cross, low2; }; /* |S^-1 u|^2, u'S^-1 v, u'S v, |S v|^2 */
static struct products products(const struct sgp *h, ptrdiff_t i, const pri_real *old_g) {
  const pri_real *x = pri_array_item(&h->x, i), *old = pri_array_item(&h->old, i), *g = pri_array_item(&h->g, i), *s = pri_array_item(&h->s_, i);
  struct products all = {0, 0, 0, 0};
  for (ptrdiff_t first = 0; first < h->s.n; first += PRI_VEC_BLOCK) {
    struct products p = {0, 0, 0, 0};
    for (ptrdiff_t j = first; j < h->s.n && j < first + PRI_VEC_BLOCK; j++) {
      const double u = (double)x[j] - (double)old[j], v = (double)g[j] - (double)old_g[j], sj = (double)s[j];
      p.up += u * u / (sj * sj), p.low1 += u * v / sj, p.cross += u * v * sj, p.low2 += v * v * sj * sj;
    }
    all.up += p.up, all.low1 += p.low1, all.cross += p.cross, all.low2 += p.low2;
  }
  return all;
}

static double clip(double a) { return a < ALPHA_MIN ? ALPHA_MIN : a > ALPHA_MAX ? ALPHA_MAX : a; }

static void next_alpha(struct sgp *h, ptrdiff_t i, const pri_real *old_g) {
  struct pace *p = &h->pace[i];
  const struct products b = products(h, i, old_g);
  const double a1 = b.low1 > 0 ? clip(b.up / b.low1) : fmin(10 * p->alpha, ALPHA_MAX);
  const double a2 = b.cross > 0 ? clip(b.cross / b.low2) : fmin(10 * p->alpha, ALPHA_MAX);
  for (int j = MEMORY - 1; j > 0; j--) p->last[j] = p->last[j - 1];
  p->last[0] = a2;
  if (a2 / a1 < p->switch_at) {
    p->alpha = a2;
    for (int j = 1; j < MEMORY; j++) p->alpha = fmin(p->alpha, p->last[j]);
    p->switch_at *= 0.9;
  } else {
    p->alpha = a1;
    p->switch_at *= 1.1;
  }
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct sgp *h = priv;
  const ptrdiff_t n = h->s.n;
  (void)want;
  for (ptrdiff_t i = first; i < first + items; i++) {
    if (h->pace[i].k == 0) PRI_TRY(begin(ctx, h, i, &per_item[i - first]));
    direction(h, i);
  }
  PRI_TRY(pri_split_apply(&h->s, h->Ad.data, h->d.data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    PRI_TRY(line_search(ctx, h, i, &per_item[i - first]));
    PRI_TRY(h->s.f->grad(ctx, h->s.fp, pri_array_item(&h->Ad, i), pri_array_item(&h->z, i), i, 1));
  }
  PRI_TRY(pri_split_adjoint(&h->s, h->d.data, h->Ad.data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_real *old_g = pri_array_item(&h->keep, i);
    h->pace[i].k++;
    pri_copy(ctx, old_g, pri_array_item(&h->g, i), n);
    PRI_TRY(gradient_and_scaling(ctx, h, i, pri_array_item(&h->d, i)));
    next_alpha(h, i, old_g);
    per_item[i - first].applies += 1;
    per_item[i - first].adjoints += 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct sgp *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct sgp *h = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "x", &h->x));
  PRI_TRY(pri_walk_array(w, "g", &h->g));
  PRI_TRY(pri_walk_array(w, "U", &h->U));
  PRI_TRY(pri_walk_array(w, "s", &h->s_));
  PRI_TRY(pri_walk_array(w, "z", &h->z));
  return pri_walk_bytes(w, "pace", h->pace, (size_t)h->s.items * sizeof *h->pace);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct sgp *h = priv;
  pri_array *const arrays[] = {&h->x, &h->g, &h->U, &h->d, &h->s_, &h->z, &h->Ad, &h->fields, &h->trial, &h->old, &h->keep};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(ctx, h->pace);
  pri_split_fini(ctx, &h->s);
}

static const pri_param params[] = {
    {.name = "beta", .unit = "1", .help = "smoothing of tv, in the unit of the image's differences", .type = PRI_REAL,
     .offset = offsetof(struct sgp, beta), .min = 1e-12, .max = 1e12, .def = 1e-3},
    {0}};
static const char *const examples[] = {"", "beta=0.01", NULL};
const pri_solver_class pri_solver_sgp = {
    .kind = {"sgp", "scaled gradient projection with Barzilai-Borwein steps: the solver of RISING, corrected",
             "Bonettini, Zanella, Zanni 2009", sizeof(struct sgp), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
