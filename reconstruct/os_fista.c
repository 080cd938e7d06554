/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * os_fista.c - FISTA over ordered subsets of views: the fast start. One step = one pass over all M subsets.
 *
 *   for j in order:
 *     g   = (1 / share_j) A_j' f_j'(A_j y) + sum_s S_s'(y)
 *     x+  = prox_{R / L, box}( y - g / L ),   L = L_f |A|^2 + sum_s L_s
 *     t+  = (1 + sqrt(1 + 4 t^2)) / 2,        y = x+ + ((t - 1) / t+) (x+ - x)
 *
 * t is not reset between subsets. Not convergent: it ends in a cycle whose size is the disagreement of the subsets; run 5 to 20
 * passes, then hand over to pdhg, spdhg or fista. Source: Kim, Ramani, Fessler 2015; spec rising_ct 4.4.
 */
#include <math.h>
#include "proximal.h"
#include "subsets.h"
#include "vec.h"

struct os_fista {
  long subsets, inner;
  pri_split s;
  pri_subsets sub;
  pri_proximal prox;
  double *L;                       /* [items] */
  pri_array x, y, next, g, z, old; /* z: in a subset's data; old: x before the pass */
  double *t;                       /* [items] */
};

static const char *misfit(const pri_problem *p) {
  return pri_split_misfit(p, "os-fista", PRI_NEEDS_GRAD | PRI_NEEDS_PROX | PRI_NEEDS_PARTS);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct os_fista *f = priv;
  pri_array *const image[] = {&f->next, &f->g, &f->old};
  PRI_TRY(pri_split_init(ctx, &f->s, p, PRI_NEEDS_NORM | PRI_NEEDS_BLOCKS));
  PRI_TRY(pri_proximal_init(ctx, &f->prox, &f->s, f->inner));
  PRI_ALLOC(ctx, f->L, f->s.items);
  for (ptrdiff_t i = 0; i < f->s.items; i++) f->L[i] = f->s.curvature[i] * f->s.norm * f->s.norm + f->prox.lipschitz;
  PRI_TRY(pri_subsets_init(ctx, &f->sub, &f->s, f->subsets));
  PRI_TRY(pri_split_start(ctx, &f->s, &f->x, x0));
  PRI_TRY(pri_split_start(ctx, &f->s, &f->y, &f->x));
  for (int i = 0; i < 3; i++) PRI_TRY(pri_array_create(ctx, image[i], &f->s.dom, f->s.items));
  PRI_TRY(pri_array_create(ctx, &f->z, &(pri_shape){1, {f->sub.largest}}, f->s.items));
  PRI_ALLOC(ctx, f->t, f->s.items);
  for (ptrdiff_t i = 0; i < f->s.items; i++) f->t[i] = 1;
  return PRI_OK;
}

/* next = x+ of subset j */
static pri_status visit(pri_ctx *ctx, struct os_fista *f, const pri_subset *u, ptrdiff_t first, ptrdiff_t items) {
  pri_real *z = f->z.data + first * u->m, *g = pri_array_item(&f->g, first);
  const ptrdiff_t all = f->s.n * items;
  PRI_TRY(pri_subset_apply(&f->s, u, f->z.data, f->y.data, first, items));
  PRI_TRY(u->f->grad(ctx, u->fp, z, z, first, items));
  PRI_TRY(pri_subset_adjoint(&f->s, u, f->g.data, f->z.data, first, items));
  pri_scale(ctx, g, 1 / u->share, all);
  PRI_TRY(pri_proximal_add_smooth(ctx, &f->prox, &f->s, f->g.data, f->y.data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_axpby(ctx, pri_array_item(&f->g, i), 1, pri_array_item(&f->y, i), -1 / f->L[i], f->s.n); /* y - g / L */
    PRI_TRY(pri_proximal_run(ctx, &f->prox, &f->s, f->next.data, f->g.data, 1 / f->L[i], i, 1));
  }
  return PRI_OK;
}

static void advance(pri_ctx *ctx, struct os_fista *f, ptrdiff_t i) {
  const ptrdiff_t n = f->s.n;
  const double t = f->t[i], after = (1 + sqrt(1 + 4 * t * t)) / 2, beta = (t - 1) / after;
  pri_real *x = pri_array_item(&f->x, i), *y = pri_array_item(&f->y, i);
  const pri_real *next = pri_array_item(&f->next, i);
  pri_copy(ctx, y, next, n);
  pri_axpby(ctx, y, -beta, x, 1 + beta, n); /* y = x+ + beta (x+ - x) */
  pri_copy(ctx, x, next, n);
  f->t[i] = after;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct os_fista *f = priv;
  const ptrdiff_t n = f->s.n;
  pri_copy(ctx, pri_array_item(&f->old, first), pri_array_item(&f->x, first), n * items);
  for (int j = 0; j < f->sub.n; j++) {
    PRI_TRY(visit(ctx, f, &f->sub.s[f->sub.order[j]], first, items));
    for (ptrdiff_t i = 0; i < items; i++) {
      per_item[i].proxes += 1;
      per_item[i].inner += pri_proximal_inner(&f->prox, first + i);
      advance(ctx, f, first + i);
    }
  }
  for (ptrdiff_t i = 0; i < items; i++) {
    per_item[i].change = pri_change(ctx, pri_array_item(&f->old, first + i), pri_array_item(&f->x, first + i), n);
    per_item[i].step = 1 / f->L[first + i];
    per_item[i].applies += 1;
    per_item[i].adjoints += 1;
  }
  return want & PRI_WANT_GAP ? pri_proximal_duals(ctx, &f->prox, &f->s, f->x.data, first, items) : PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct os_fista *)priv)->x; }

static pri_status duals(const void *priv, pri_duals *d) {
  const struct os_fista *f = priv;
  *d = (pri_duals){.p = NULL, .q = f->prox.q, .aux = f->prox.w};
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct os_fista *f = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "x", &f->x));
  PRI_TRY(pri_walk_array(w, "y", &f->y));
  PRI_TRY(pri_walk_bytes(w, "t", f->t, (size_t)f->s.items * sizeof *f->t));
  return pri_proximal_walk(w, &f->prox);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct os_fista *f = priv;
  pri_array *const arrays[] = {&f->x, &f->y, &f->next, &f->g, &f->z, &f->old};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(ctx, f->t);
  pri_free(ctx, f->L);
  pri_proximal_fini(ctx, &f->prox);
  pri_subsets_fini(ctx, &f->sub);
  pri_split_fini(ctx, &f->s);
}

static const pri_param params[] = {
    {.name = "subsets", .unit = "1", .help = "interleaved subsets of views; auto: 10, or fewer so that each holds 6 views", .type = PRI_INT,
     .flags = PRI_P_AUTO, .offset = offsetof(struct os_fista, subsets), .min = 1, .max = 100000, .def = NAN},
    {.name = "inner", .unit = "1", .help = "steps of an iterative prox, which starts where the last one ended", .type = PRI_INT,
     .offset = offsetof(struct os_fista, inner), .min = 1, .max = 10000, .def = 5},
    {0}};
static const char *const examples[] = {"", "subsets=2,inner=10", NULL};
const pri_solver_class pri_solver_os_fista = {
    .kind = {"os-fista", "FISTA over ordered subsets of views: the fast start", "Kim, Ramani, Fessler 2015", sizeof(struct os_fista), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit, .duals = duals};
