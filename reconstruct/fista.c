/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fista.c - accelerated proximal gradient with restart, for f(A x) + sum_s S_s(x) + R(x), S_s smooth, one R by its prox, in a box.
 *
 *   g   = A' f'(A y_k) + sum_s S_s'(y_k),     L = L_f |A|^2 + sum_s L_s
 *   x+  = prox_{R / L, box}( y_k - g / L )
 *   restart of an item: (y_k - x+)'(x+ - x) > 0  =>  t = 1
 *   t+  = (1 + sqrt(1 + 4 t^2)) / 2,          y_{k+1} = x+ + ((t - 1) / t+) (x+ - x)
 *
 * Source: Beck, Teboulle 2009; restart of O'Donoghue, Candes 2015 (gradient scheme); spec rising_ct 4.3.
 * Deviations: an iterative prox (TV: FGP) takes `inner` steps only and starts from the dual variable of the step before. Every
 * item has its own t. Without a prior the prox is the projection onto the box.
 */
#include <math.h>
#include "proximal.h"
#include "vec.h"

struct fista {
  long inner;
  int restart;
  pri_split s;
  pri_proximal prox;
  double *L;                  /* [items] */
  pri_array x, y, next, g, z; /* z: in the data */
  double *t;                  /* [items] */
};

static const char *misfit(const pri_problem *p) { return pri_split_misfit(p, "fista", PRI_NEEDS_GRAD | PRI_NEEDS_PROX); }

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct fista *f = priv;
  PRI_TRY(pri_split_init(ctx, &f->s, p, PRI_NEEDS_NORM | PRI_NEEDS_BLOCKS));
  PRI_TRY(pri_proximal_init(ctx, &f->prox, &f->s, f->inner));
  PRI_ALLOC(ctx, f->L, f->s.items);
  for (ptrdiff_t i = 0; i < f->s.items; i++) f->L[i] = f->s.curvature[i] * f->s.norm * f->s.norm + f->prox.lipschitz;
  PRI_TRY(pri_split_start(ctx, &f->s, &f->x, x0));
  PRI_TRY(pri_split_start(ctx, &f->s, &f->y, &f->x));
  PRI_TRY(pri_array_create(ctx, &f->next, &f->s.dom, f->s.items));
  PRI_TRY(pri_array_create(ctx, &f->g, &f->s.dom, f->s.items));
  PRI_TRY(pri_array_create(ctx, &f->z, &f->s.ran, f->s.items));
  PRI_ALLOC(ctx, f->t, f->s.items);
  for (ptrdiff_t i = 0; i < f->s.items; i++) f->t[i] = 1;
  return PRI_OK;
}

/* g = gradient of the smooth part at y */
static pri_status gradient(pri_ctx *ctx, struct fista *f, ptrdiff_t first, ptrdiff_t items) {
  pri_real *z = pri_array_item(&f->z, first);
  PRI_TRY(pri_split_apply(&f->s, f->z.data, f->y.data, first, items));
  PRI_TRY(f->s.f->grad(ctx, f->s.fp, z, z, first, items));
  PRI_TRY(pri_split_adjoint(&f->s, f->g.data, f->z.data, first, items));
  return pri_proximal_add_smooth(ctx, &f->prox, &f->s, f->g.data, f->y.data, first, items);
}

struct restart { const pri_real *y, *next, *x; };
static double restart_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct restart *r = arg;
  double s = 0;
  for (ptrdiff_t i = first; i < last; i++) s += ((double)r->y[i] - (double)r->next[i]) * ((double)r->next[i] - (double)r->x[i]);
  return s;
}

/* momentum of one item: y and x move on */
static void advance(pri_ctx *ctx, struct fista *f, ptrdiff_t i) {
  const ptrdiff_t n = f->s.n;
  pri_real *x = pri_array_item(&f->x, i), *y = pri_array_item(&f->y, i);
  const pri_real *next = pri_array_item(&f->next, i);
  if (f->restart && pri_sum(ctx, n, restart_block, &(struct restart){y, next, x}) > 0) f->t[i] = 1;
  const double t = f->t[i], after = (1 + sqrt(1 + 4 * t * t)) / 2, beta = (t - 1) / after;
  pri_copy(ctx, y, next, n);
  pri_axpby(ctx, y, -beta, x, 1 + beta, n); /* y = x+ + beta (x+ - x) */
  pri_copy(ctx, x, next, n);
  f->t[i] = after;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct fista *f = priv;
  const ptrdiff_t n = f->s.n;
  PRI_TRY(gradient(ctx, f, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_axpby(ctx, pri_array_item(&f->g, i), 1, pri_array_item(&f->y, i), -1 / f->L[i], n); /* y - g / L */
    PRI_TRY(pri_proximal_run(ctx, &f->prox, &f->s, f->next.data, f->g.data, 1 / f->L[i], i, 1));
  }
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_report *r = &per_item[i];
    r->change = pri_change(ctx, pri_array_item(&f->x, first + i), pri_array_item(&f->next, first + i), n);
    r->step = 1 / f->L[first + i];
    r->applies += 1;
    r->adjoints += 1;
    r->proxes += 1;
    r->inner += pri_proximal_inner(&f->prox, first + i);
    advance(ctx, f, first + i);
  }
  return want & PRI_WANT_GAP ? pri_proximal_duals(ctx, &f->prox, &f->s, f->x.data, first, items) : PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct fista *)priv)->x; }

static pri_status duals(const void *priv, pri_duals *d) {
  const struct fista *f = priv;
  *d = (pri_duals){.p = &f->z, .q = f->prox.q, .aux = f->prox.w}; /* f'(A y_k) belongs to this q: A'p + K'q = L (y_k - x+) inside the box */
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct fista *f = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "x", &f->x));
  PRI_TRY(pri_walk_array(w, "y", &f->y));
  PRI_TRY(pri_walk_bytes(w, "t", f->t, (size_t)f->s.items * sizeof *f->t));
  return pri_proximal_walk(w, &f->prox);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct fista *f = priv;
  pri_array *const arrays[] = {&f->x, &f->y, &f->next, &f->g, &f->z};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(ctx, f->t);
  pri_free(ctx, f->L);
  pri_proximal_fini(ctx, &f->prox);
  pri_split_fini(ctx, &f->s);
}

static const pri_param params[] = {
    {.name = "inner", .unit = "1", .help = "steps of an iterative prox, which starts where the last one ended", .type = PRI_INT,
     .offset = offsetof(struct fista, inner), .min = 1, .max = 10000, .def = 20},
    {.name = "restart", .unit = "-", .help = "forget the momentum when it points uphill", .type = PRI_BOOL,
     .offset = offsetof(struct fista, restart), .min = 0, .max = 1, .def = 1},
    {0}};
static const char *const examples[] = {"", "inner=20,restart=0", NULL};
const pri_solver_class pri_solver_fista = {
    .kind = {"fista", "accelerated proximal gradient with restart", "Beck, Teboulle 2009; O'Donoghue, Candes 2015, sec. 3",
             sizeof(struct fista), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit, .duals = duals};
