/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wiener.c - x = (A'A + rho I)^-1 A'y: the linear estimate of a white image in white noise, in one step.
 *
 *   rho   noise variance / image variance; auto: s^2 / max(var(y) - s^2, s^2), s the noise level of the problem, or estimated from y (both said).
 *         var(y) stands for the image's: A is taken to keep it (blurs of sum 1); with |A| far from 1 give rho in units of |A|^2.
 *   A with an exact resolvent: one application of it (FFT for periodic blurs, masks, block means). Else conjugate gradients on the same system,
 *   to a relative residual of 1e-6 (float) or 1e-12 (double) or 500 steps: slow, and the same answer.
 * Clipped to the box where one is given. Source: Wiener 1949; Andrews, Hunt 1977.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "noise_level.h"
#include "split.h"
#include "vec.h"

enum { STEPS = 500 };
static const double TOLERANCE = sizeof(pri_real) == sizeof(float) ? 1e-6 : 1e-12;

struct wiener {
  double rho;
  int exact;           /* the operator has a resolvent */
  pri_split s;
  double *each;        /* [items] rho */
  pri_array x, b, r, d, q, z; /* r, d, q, z: one item, for conjugate gradients */
};

static const char *misfit(const pri_problem *p) {
  const void *priv;
  const char *why = pri_split_misfit(p, "wiener", PRI_NEEDS_NO_PRIOR | PRI_NEEDS_QUADRATIC);
  return why || !strcmp(pri_fidelity_class_of(p->f, &priv)->kind.name, "ls") ? why : "it takes least squares, without weights";
}

/* ---- rho of each item */

struct around {
  const pri_real *y;
  double mean;
};

static double square_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct around *a = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += ((double)a->y[i] - a->mean) * ((double)a->y[i] - a->mean);
  return sum;
}

static void choose_rho(pri_ctx *ctx, struct wiener *w, ptrdiff_t i, double noise) {
  const pri_real *y = pri_array_item(w->s.y, i);
  const double mean = pri_vsum(ctx, y, w->s.m) / (double)w->s.m, s2 = noise * noise;
  const double variance = pri_sum(ctx, w->s.m, square_block, &(struct around){y, mean}) / (double)w->s.m, signal = fmax(variance - s2, s2);
  w->each[i] = signal > 0 ? s2 / signal : 0;
  pri_log(ctx, PRI_LOG_INFO, "wiener: item %td: rho = %.4g (noise %.4g, data without it %.4g, both as standard deviations)", i, w->each[i], noise, sqrt(signal));
}

static pri_status find_rho(pri_ctx *ctx, struct wiener *w, const pri_problem *p) {
  pri_status s = PRI_OK;
  PRI_ALLOC(ctx, w->each, w->s.items);
  for (ptrdiff_t i = 0; i < w->s.items; i++) w->each[i] = w->rho;
  if (!isnan(w->rho)) return PRI_OK;
  for (ptrdiff_t i = 0; i < w->s.items && s == PRI_OK; i++) {
    const pri_array y = pri_array_items(w->s.y, i, 1);
    double noise = p->noise;
    if (!pri_finite(ctx, y.data, w->s.m)) continue; /* the frame ends such an item */
    if (!(noise > 0)) s = pri_noise_level(ctx, &noise, &y, NULL);
    if (s == PRI_OK) choose_rho(ctx, w, i, noise);
  }
  return s;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct wiener *w = priv;
  pri_array *const images[] = {&w->r, &w->d, &w->q};
  (void)x0; /* a direct method needs no start */
  PRI_TRY(pri_split_init(ctx, &w->s, p, 0));
  PRI_TRY(pri_array_create(ctx, &w->x, &w->s.dom, w->s.items));
  PRI_TRY(pri_array_create(ctx, &w->b, &w->s.dom, w->s.items));
  PRI_TRY(find_rho(ctx, w, p));
  w->exact = pri_operator_has_resolvent(w->s.A);
  if (w->exact) return PRI_OK;
  for (int k = 0; k < 3; k++) PRI_TRY(pri_array_create(ctx, images[k], &w->s.dom, 1));
  return pri_array_create(ctx, &w->z, &w->s.ran, 1);
}

/* ---- (A'A + rho) x = b of one item, from x = 0 (Hestenes, Stiefel 1952) */

static pri_status product(pri_ctx *ctx, struct wiener *w, double rho) { /* q = (A'A + rho) d */
  PRI_TRY(pri_operator_apply(w->s.A, &w->z, &w->d));
  PRI_TRY(pri_operator_adjoint(w->s.A, &w->q, &w->z));
  pri_axpy(ctx, w->q.data, rho, w->d.data, w->s.n);
  return PRI_OK;
}

static pri_status conjugate_gradients(pri_ctx *ctx, struct wiener *w, ptrdiff_t i, pri_report *rep) {
  const ptrdiff_t n = w->s.n;
  pri_real *x = pri_array_item(&w->x, i), *r = w->r.data, *d = w->d.data;
  pri_fill(ctx, x, 0, n);
  pri_copy(ctx, r, pri_array_item(&w->b, i), n);
  pri_copy(ctx, d, r, n);
  double rr = pri_norm2sq(ctx, r, n);
  const double stop = TOLERANCE * TOLERANCE * rr;
  for (rep->inner = 0; rep->inner < STEPS && rr > stop; rep->inner++) {
    PRI_TRY(product(ctx, w, w->each[i]));
    const double dq = pri_dot(ctx, d, w->q.data, n);
    if (!(dq > 0)) break;
    pri_axpy(ctx, x, rr / dq, d, n);
    pri_axpy(ctx, r, -rr / dq, w->q.data, n);
    const double next = pri_norm2sq(ctx, r, n);
    pri_axpby(ctx, d, 1, r, next / rr, n);
    rr = next;
  }
  rep->applies += (double)rep->inner, rep->adjoints += (double)rep->inner;
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct wiener *w = priv;
  (void)want;
  PRI_TRY(pri_split_adjoint(&w->s, w->b.data, w->s.y->data, first, items)); /* A'y */
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_report *rep = &per_item[i - first];
    pri_array x = pri_array_items(&w->x, i, 1);
    const pri_array b = pri_array_items(&w->b, i, 1);
    if (w->exact) PRI_TRY(pri_operator_resolvent(w->s.A, &x, &b, w->each[i]));
    else PRI_TRY(conjugate_gradients(ctx, w, i, rep));
    pri_clip(ctx, x.data, w->s.problem->lo[i], w->s.problem->hi[i], w->s.n);
    rep->adjoints += 1;
    rep->finished = 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct wiener *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx;
  return pri_walk_array(w, "x", &((struct wiener *)priv)->x);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct wiener *w = priv;
  pri_array *const arrays[] = {&w->x, &w->b, &w->r, &w->d, &w->q, &w->z};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(ctx, w->each);
  pri_split_fini(ctx, &w->s);
}

static const pri_param params[] = {
    {.name = "rho", .unit = "1", .help = "noise variance / image variance, in units of the operator's squared norm; auto: from the noise level and the variance of the data",
     .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(struct wiener, rho), .min = 0, .max = 1e12, .def = NAN},
    {0}};
static const char *const examples[] = {"", "0.01", NULL};
const pri_solver_class pri_solver_wiener = {
    .kind = {"wiener", "Wiener filter: one linear step, by FFT where the operator is a periodic blur", "Wiener 1949", sizeof(struct wiener), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
