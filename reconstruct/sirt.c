/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sirt.c - simultaneous iterative reconstruction for a nonnegative operator, without prior.
 *
 *   x <- P_box( x + omega C A' R W (y - A x) / w_max ),   C = diag(1 / A'1),  R = diag(1 / A 1),  0 < omega < 2
 *
 * since |C^(1/2) A' R^(1/2)| <= 1. The data residual is minus the gradient of the data term over its Lipschitz constant, so that
 * weights are honoured. Rays that miss the image and pixels that no ray meets have sum 0 and are left alone.
 * Source: Gilbert 1972; spec rising_ct 4.1. Semi-convergent: the number of steps is the regularisation.
 */
#include "split.h"
#include "sums.h"
#include "vec.h"

struct sirt {
  double omega;
  pri_split s;
  pri_sums sums;               /* C and R */
  pri_array x, old, g, z;
};

static const char *misfit(const pri_problem *p) {
  return pri_split_misfit(p, "sirt", PRI_NEEDS_NO_PRIOR | PRI_NEEDS_NONNEGATIVE | PRI_NEEDS_GRAD);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct sirt *s = priv;
  PRI_TRY(pri_split_init(ctx, &s->s, p, 0));
  PRI_TRY(pri_sums_init(ctx, &s->sums, s->s.A));
  PRI_TRY(pri_split_start(ctx, &s->s, &s->x, x0));
  PRI_TRY(pri_array_create(ctx, &s->old, &s->s.dom, s->s.items));
  PRI_TRY(pri_array_create(ctx, &s->g, &s->s.dom, s->s.items));
  return pri_array_create(ctx, &s->z, &s->s.ran, s->s.items);
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct sirt *s = priv;
  const ptrdiff_t n = s->s.n;
  pri_real *z = pri_array_item(&s->z, first);
  (void)want;
  pri_copy(ctx, pri_array_item(&s->old, first), pri_array_item(&s->x, first), n * items);
  PRI_TRY(pri_split_apply(&s->s, s->z.data, s->x.data, first, items));
  PRI_TRY(s->s.f->grad(ctx, s->s.fp, z, z, first, items));
  pri_sums_multiply(z, s->sums.row.data, s->s.m, items);
  PRI_TRY(pri_split_adjoint(&s->s, s->g.data, s->z.data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_real *x = pri_array_item(&s->x, i), *g = pri_array_item(&s->g, i);
    pri_report *r = &per_item[i - first];
    pri_sums_multiply(g, s->sums.column.data, n, 1);
    pri_axpy(ctx, x, -s->omega / s->s.curvature[i], g, n);
    pri_clip(ctx, x, s->s.problem->lo[i], s->s.problem->hi[i], n);
    r->change = pri_change(ctx, pri_array_item(&s->old, i), x, n);
    r->step = s->omega;
    r->applies += 1;
    r->adjoints += 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct sirt *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx;
  return pri_walk_array(w, "x", &((struct sirt *)priv)->x);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct sirt *s = priv;
  pri_array_destroy(&s->x);
  pri_array_destroy(&s->old);
  pri_array_destroy(&s->g);
  pri_array_destroy(&s->z);
  pri_sums_fini(&s->sums);
  pri_split_fini(ctx, &s->s);
}

static const pri_param params[] = {
    {.name = "omega", .unit = "1", .help = "relaxation", .type = PRI_REAL, .offset = offsetof(struct sirt, omega),
     .min = 1e-6, .max = 1.999, .def = 1},
    {0}};
static const char *const examples[] = {"", "omega=1.5", NULL};
const pri_solver_class pri_solver_sirt = {
    .kind = {"sirt", "simultaneous iterative reconstruction in a box", "Gilbert 1972", sizeof(struct sirt), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
