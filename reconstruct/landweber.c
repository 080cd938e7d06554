/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * landweber.c - projected gradient descent for a smooth problem in a box.
 *
 *   x <- P_box( x - omega / L (A' f'(A x) + sum_r grad R_r(x)) ),   L = L_f |A|^2 + sum_r L_r,   0 < omega < 2
 *
 * Monotone for omega <= 1. Without priors and started from 0 it is the classical early-stopped reconstruction (semi-convergent).
 * Source: Landweber 1951; Bertsekas 1976 for the projection. Every prior must have a gradient with a Lipschitz constant.
 */
#include "split.h"
#include "vec.h"

struct landweber {
  double omega;
  pri_split s;
  double lipschitz;         /* sum_r L_r */
  pri_array x, old, g, h, z; /* h: a prior's gradient */
};

static const char *misfit(const pri_problem *p) { return pri_split_misfit(p, "landweber", PRI_NEEDS_SMOOTH | PRI_NEEDS_GRAD); }

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct landweber *l = priv;
  pri_array *const image[] = {&l->old, &l->g, &l->h};
  PRI_TRY(pri_split_init(ctx, &l->s, p, PRI_NEEDS_NORM));
  for (int r = 0; r < l->s.nR; r++) l->lipschitz += l->s.R[r].cls->variational->lipschitz(l->s.R[r].priv).value;
  PRI_TRY(pri_split_start(ctx, &l->s, &l->x, x0));
  for (int i = 0; i < 3; i++) PRI_TRY(pri_array_create(ctx, image[i], &l->s.dom, l->s.items));
  return pri_array_create(ctx, &l->z, &l->s.ran, l->s.items);
}

/* g = A' f'(A x) + sum_r grad R_r(x) */
static pri_status gradient(pri_ctx *ctx, struct landweber *l, ptrdiff_t first, ptrdiff_t items) {
  pri_real *z = pri_array_item(&l->z, first), *h = pri_array_item(&l->h, first);
  PRI_TRY(pri_split_apply(&l->s, l->z.data, l->x.data, first, items));
  PRI_TRY(l->s.f->grad(ctx, l->s.fp, z, z, first, items));
  PRI_TRY(pri_split_adjoint(&l->s, l->g.data, l->z.data, first, items));
  for (int r = 0; r < l->s.nR; r++) {
    const pri_block *b = &l->s.R[r];
    PRI_TRY(b->cls->variational->grad(ctx, b->priv, h, pri_array_item(&l->x, first), items, l->s.scratch));
    pri_axpy(ctx, pri_array_item(&l->g, first), 1, h, l->s.n * items);
  }
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct landweber *l = priv;
  (void)want;
  pri_copy(ctx, pri_array_item(&l->old, first), pri_array_item(&l->x, first), l->s.n * items);
  PRI_TRY(gradient(ctx, l, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_real *x = pri_array_item(&l->x, i);
    pri_report *r = &per_item[i - first];
    const double tau = l->omega / (l->s.curvature[i] * l->s.norm * l->s.norm + l->lipschitz);
    pri_axpy(ctx, x, -tau, pri_array_item(&l->g, i), l->s.n); /* x - tau g */
    pri_clip(ctx, x, l->s.problem->lo[i], l->s.problem->hi[i], l->s.n);
    r->change = pri_change(ctx, pri_array_item(&l->old, i), x, l->s.n);
    r->step = tau;
    r->applies += 1;
    r->adjoints += 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct landweber *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx;
  return pri_walk_array(w, "x", &((struct landweber *)priv)->x);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct landweber *l = priv;
  pri_array *const arrays[] = {&l->x, &l->old, &l->g, &l->h, &l->z};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_split_fini(ctx, &l->s);
}

static const pri_param params[] = {
    {.name = "omega", .unit = "1", .help = "step as a share of 1 / L", .type = PRI_REAL, .offset = offsetof(struct landweber, omega),
     .min = 1e-6, .max = 1.999, .def = 1},
    {0}};
static const char *const examples[] = {"", "omega=1.9", NULL};
const pri_solver_class pri_solver_landweber = {
    .kind = {"landweber", "projected gradient descent for smooth problems", "Landweber 1951", sizeof(struct landweber), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
