/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * admm.c - alternating directions with an exact inner solve, for f(A x) + sum of R in a box and operators that have (A'A + rho I)^-1: by FFT for
 * periodic blurs and masked frequencies, pixel by pixel for masks, by block means for downsampling.
 *
 *   ls      x  = (A'A + rho)^-1 (A'y + rho (v - d))                                                 one inner solve a step
 *   others  x  = (A'A + kappa)^-1 (A'(u - e) + kappa (v - d)),  kappa = KAPPA |A|^2,  rho = kappa sigma
 *           u  = prox_{f / sigma}(A x + e) = w - prox_{sigma f*}(sigma w) / sigma,  w = A x + e,      e = w - u   (u stands for A x)
 *   v  = prox_{R / rho, box}(x + d),   d = x + d - v                                                (v stands for x; the iterate)
 *
 * x is over-relaxed: relax x + (1 - relax) v for x in the lines of v and d, and likewise for u. Every 5th of the first 100 steps, rho (others: sigma)
 * of an item is multiplied by the root of (|x - v| / |v|) / (|v - v_old| / |d|), within 1/5 and 5; d and e are scaled along. rho is fixed after that.
 * Certificate: p = A x - y (others: sigma e), q of the prox: A'p + rho d = rho (v - x) falls to zero.
 * Source: Gabay, Mercier 1976; Boyd et al. 2011, sections 3.3, 3.4; Afonso, Bioucas-Dias, Figueiredo 2010 (SALSA); balance: Wohlberg 2017; Setzer, Steidl, Teuber 2010 (counts).
 * Deviation: an iterative prox takes `inner` steps from where it last ended.
 */
#include <math.h>
#include <string.h>
#include "proximal.h"
#include "vec.h"

static const double KAPPA = 0.3, FIRST_RHO = 0.05, NEAR = 1.3, MOST = 5;
enum { EVERY = 5, LAST = 100 };

struct pace { /* of one item */
  double rho; /* ls: rho; others: sigma */
  long k;
};

struct admm {
  double rho, relax;
  long inner;
  pri_split s;
  pri_proximal prox;
  int direct;             /* ls */
  double kappa;
  pri_array v, d, x, b, old; /* b: right side, then x + d */
  pri_array u, e, z;      /* in the data; direct: z only */
  pri_array Aty;          /* direct */
  struct pace *pace;
};

static const char *misfit(const pri_problem *p) {
  const void *priv;
  const char *why = pri_split_misfit(p, "admm", PRI_NEEDS_PROX);
  if (why) return why;
  if (p->nR > 1) return "admm takes one prior; pdhg takes sums";
  if (p->nR == 1 && !pri_prior_class_of(p->R[0], &priv)->variational->prox) return "admm takes a prior by its prox, and this one has none; fista takes its gradient";
  return pri_operator_has_resolvent(pri_map_linear(p->A)) ? NULL
       : "admm cannot use this operator: it has no exact inverse of A'A + rho (periodic blurs, masks, block means and frequencies have); pdhg takes any";
}

static pri_status init_data(pri_ctx *ctx, struct admm *a) {
  PRI_TRY(pri_array_create(ctx, &a->z, &a->s.ran, a->s.items));
  if (a->direct) {
    PRI_TRY(pri_array_create(ctx, &a->Aty, &a->s.dom, a->s.items));
    return pri_split_adjoint(&a->s, a->Aty.data, a->s.y->data, 0, a->s.items);
  }
  PRI_TRY(pri_array_create(ctx, &a->u, &a->s.ran, a->s.items));
  PRI_TRY(pri_array_create(ctx, &a->e, &a->s.ran, a->s.items));
  return pri_split_apply(&a->s, a->u.data, a->v.data, 0, a->s.items);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct admm *a = priv;
  pri_array *const images[] = {&a->d, &a->x, &a->b, &a->old};
  PRI_TRY(pri_split_init(ctx, &a->s, p, PRI_NEEDS_NORM | PRI_NEEDS_BLOCKS));
  PRI_TRY(pri_proximal_init(ctx, &a->prox, &a->s, a->inner));
  a->direct = !strcmp(a->s.f->kind.name, "ls");
  a->kappa = KAPPA * a->s.norm * a->s.norm;
  PRI_TRY(pri_split_start(ctx, &a->s, &a->v, x0));
  for (int i = 0; i < 4; i++) PRI_TRY(pri_array_create(ctx, images[i], &a->s.dom, a->s.items));
  PRI_ALLOC(ctx, a->pace, a->s.items);
  for (ptrdiff_t i = 0; i < a->s.items; i++) {
    const double own = a->direct ? FIRST_RHO * a->s.norm * a->s.norm : a->s.curvature[i];
    a->pace[i].rho = a->rho > 0 ? a->rho * own : own;
  }
  return init_data(ctx, a);
}

/* ---- one step of one item */

static pri_status solve(pri_ctx *ctx, struct admm *a, ptrdiff_t i, double shift) { /* x = (A'A + shift)^-1 b */
  pri_array x = pri_array_items(&a->x, i, 1);
  const pri_array b = pri_array_items(&a->b, i, 1);
  (void)ctx;
  return pri_operator_resolvent(a->s.A, &x, &b, shift);
}

static pri_status x_direct(pri_ctx *ctx, struct admm *a, ptrdiff_t i) {
  const double rho = a->pace[i].rho;
  pri_real *b = pri_array_item(&a->b, i);
  pri_copy(ctx, b, pri_array_item(&a->Aty, i), a->s.n);
  pri_axpy(ctx, b, rho, pri_array_item(&a->v, i), a->s.n);
  pri_axpy(ctx, b, -rho, pri_array_item(&a->d, i), a->s.n);
  return solve(ctx, a, i, rho);
}

static pri_status x_split(pri_ctx *ctx, struct admm *a, ptrdiff_t i) {
  pri_real *b = pri_array_item(&a->b, i), *z = pri_array_item(&a->z, i);
  pri_sub(ctx, z, pri_array_item(&a->u, i), pri_array_item(&a->e, i), a->s.m);
  PRI_TRY(pri_split_adjoint(&a->s, a->b.data, a->z.data, i, 1));
  pri_axpy(ctx, b, a->kappa, pri_array_item(&a->v, i), a->s.n);
  pri_axpy(ctx, b, -a->kappa, pri_array_item(&a->d, i), a->s.n);
  return solve(ctx, a, i, a->kappa);
}

/* u = prox_{f / sigma}(w), e = w - u, w = relax A x + (1 - relax) u + e */
static pri_status data_step(pri_ctx *ctx, struct admm *a, ptrdiff_t i) {
  const double sigma = a->pace[i].rho;
  const ptrdiff_t m = a->s.m;
  pri_real *u = pri_array_item(&a->u, i), *e = pri_array_item(&a->e, i), *z = pri_array_item(&a->z, i);
  PRI_TRY(pri_split_apply(&a->s, a->z.data, a->x.data, i, 1));
  pri_axpby(ctx, z, 1 - a->relax, u, a->relax, m);
  pri_axpy(ctx, z, 1, e, m);
  pri_axpby(ctx, e, sigma, z, 0, m);
  PRI_TRY(a->s.f->dual_prox(ctx, a->s.fp, e, sigma, NULL, i, 1)); /* sigma e: the dual variable */
  pri_scale(ctx, e, 1 / sigma, m);
  pri_sub(ctx, u, z, e, m);
  return PRI_OK;
}

static double ratio(pri_ctx *ctx, const pri_real *a, const pri_real *b, const pri_real *of, ptrdiff_t n) { /* |a - b| / |of| */
  return sqrt(pri_dist2sq(ctx, a, b, n) / pri_norm2sq(ctx, of, n));
}

/* rho of an item, from its relative residuals; d and e keep rho d and sigma e */
static void balance(pri_ctx *ctx, struct admm *a, ptrdiff_t i) {
  struct pace *t = &a->pace[i];
  const pri_real *v = pri_array_item(&a->v, i);
  pri_real *d = pri_array_item(&a->d, i);
  if (t->k > LAST || t->k % EVERY) return;
  double by = sqrt(ratio(ctx, pri_array_item(&a->x, i), v, v, a->s.n) / ratio(ctx, v, pri_array_item(&a->old, i), d, a->s.n));
  if (!(by > 0) || !isfinite(by) || (by < NEAR && by > 1 / NEAR)) return;
  by = by > MOST ? MOST : by < 1 / MOST ? 1 / MOST : by;
  t->rho *= by;
  pri_scale(ctx, d, 1 / by, a->s.n);
  if (!a->direct) pri_scale(ctx, pri_array_item(&a->e, i), 1 / by, a->s.m);
}

static pri_status item_step(pri_ctx *ctx, struct admm *a, ptrdiff_t i, pri_report *rep) {
  const ptrdiff_t n = a->s.n;
  const double rho = a->direct ? a->pace[i].rho : a->pace[i].rho * a->kappa;
  pri_real *v = pri_array_item(&a->v, i), *d = pri_array_item(&a->d, i), *b = pri_array_item(&a->b, i);
  PRI_TRY(a->direct ? x_direct(ctx, a, i) : x_split(ctx, a, i));
  if (!a->direct) PRI_TRY(data_step(ctx, a, i));
  pri_copy(ctx, pri_array_item(&a->old, i), v, n);
  pri_copy(ctx, b, d, n);
  pri_axpy(ctx, b, a->relax, pri_array_item(&a->x, i), n);
  pri_axpy(ctx, b, 1 - a->relax, v, n); /* x + d, over-relaxed */
  PRI_TRY(pri_proximal_run(ctx, &a->prox, &a->s, a->v.data, a->b.data, 1 / rho, i, 1));
  pri_sub(ctx, d, b, v, n);
  a->pace[i].k++;
  rep->change = pri_change(ctx, pri_array_item(&a->old, i), v, n);
  rep->step = rho;
  rep->applies += 1, rep->adjoints += 1; /* the inner solve counts as one of each */
  if (!a->direct) rep->applies += 1, rep->adjoints += 1;
  rep->proxes += 1;
  rep->inner += pri_proximal_inner(&a->prox, i);
  if (isnan(a->rho)) balance(ctx, a, i);
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct admm *a = priv;
  for (ptrdiff_t i = first; i < first + items; i++) PRI_TRY(item_step(ctx, a, i, &per_item[i - first]));
  if (!(want & PRI_WANT_GAP)) return PRI_OK;
  for (ptrdiff_t i = first; i < first + items; i++) { /* p */
    pri_real *z = pri_array_item(&a->z, i);
    if (a->direct) {
      PRI_TRY(pri_split_apply(&a->s, a->z.data, a->x.data, i, 1));
      pri_axpy(ctx, z, -1, pri_array_item(a->s.y, i), a->s.m);
      per_item[i - first].certifying += 1;
    } else {
      pri_axpby(ctx, z, a->pace[i].rho, pri_array_item(&a->e, i), 0, a->s.m);
      PRI_TRY(a->s.f->dual_prox(ctx, a->s.fp, z, 0, NULL, i, 1)); /* rounding may have left the domain of f* */
    }
  }
  return pri_proximal_duals(ctx, &a->prox, &a->s, a->v.data, first, items);
}

static const pri_array *iterate(const void *priv) { return &((const struct admm *)priv)->v; }

static pri_status duals(const void *priv, pri_duals *d) {
  const struct admm *a = priv;
  *d = (pri_duals){.p = &a->z, .q = a->prox.q, .aux = a->prox.w};
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct admm *a = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "v", &a->v));
  PRI_TRY(pri_walk_array(w, "d", &a->d));
  PRI_TRY(pri_walk_array(w, "u", &a->u));
  PRI_TRY(pri_walk_array(w, "e", &a->e));
  PRI_TRY(pri_walk_bytes(w, "pace", a->pace, (size_t)a->s.items * sizeof *a->pace));
  return pri_proximal_walk(w, &a->prox);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct admm *a = priv;
  pri_array *const arrays[] = {&a->v, &a->d, &a->x, &a->b, &a->old, &a->u, &a->e, &a->z, &a->Aty};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(ctx, a->pace);
  pri_proximal_fini(ctx, &a->prox);
  pri_split_fini(ctx, &a->s);
}

static const pri_param params[] = {
    {.name = "rho", .unit = "1", .help = "penalty, in units of its start (|A|^2 / 20 with ls, else the curvature of the data term), kept; auto: balanced for each item", .type = PRI_REAL,
     .flags = PRI_P_AUTO, .offset = offsetof(struct admm, rho), .min = 1e-9, .max = 1e9, .def = NAN},
    {.name = "relax", .unit = "1", .help = "over-relaxation", .type = PRI_REAL, .offset = offsetof(struct admm, relax), .min = 0.5, .max = 1.95, .def = 1.6},
    {.name = "inner", .unit = "1", .help = "steps of an iterative prox, which starts where the last one ended", .type = PRI_INT, .offset = offsetof(struct admm, inner), .min = 1, .max = 10000, .def = 10},
    {0}};
static const char *const examples[] = {"", "rho=1,relax=1", NULL};
const pri_solver_class pri_solver_admm = {
    .kind = {"admm", "alternating directions with exact inner solves, by FFT where A is a periodic blur", "Boyd et al. 2011; Afonso et al. 2010; Setzer et al. 2010",
             sizeof(struct admm), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit, .duals = duals};
