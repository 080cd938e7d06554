/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * os_sart.c - SIRT over ordered subsets of views, for a nonnegative operator, without prior. One step = one pass over all subsets.
 *
 *   for j in order:  x <- P_box( x + omega C_j A_j' R_j W_j (y_j - A_j x) / w_max ),   C_j = diag(1 / A_j'1), R_j = diag(1 / A_j 1)
 *   omega <- decay omega after each pass
 *
 * Source: Andersen, Kak 1984; Hudson, Larkin 1994; spec rising_ct 4.1. With decay < 1 the cycle over subsets dies out.
 */
#include <math.h>
#include "subsets.h"
#include "sums.h"
#include "vec.h"

struct os_sart {
  double omega, decay;
  long subsets;
  pri_split s;
  pri_subsets sub;
  pri_sums *sums;              /* [subsets] */
  double *relax;               /* [items] omega now */
  pri_array x, old, g, z;
};

static const char *misfit(const pri_problem *p) {
  return pri_split_misfit(p, "os-sart", PRI_NEEDS_NO_PRIOR | PRI_NEEDS_NONNEGATIVE | PRI_NEEDS_GRAD | PRI_NEEDS_PARTS);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct os_sart *s = priv;
  PRI_TRY(pri_split_init(ctx, &s->s, p, 0));
  PRI_TRY(pri_subsets_init(ctx, &s->sub, &s->s, s->subsets));
  PRI_ALLOC(ctx, s->sums, s->sub.n);
  for (int j = 0; j < s->sub.n; j++) PRI_TRY(pri_sums_init(ctx, &s->sums[j], s->sub.s[j].A));
  PRI_TRY(pri_split_start(ctx, &s->s, &s->x, x0));
  PRI_TRY(pri_array_create(ctx, &s->old, &s->s.dom, s->s.items));
  PRI_TRY(pri_array_create(ctx, &s->g, &s->s.dom, s->s.items));
  PRI_ALLOC(ctx, s->relax, s->s.items);
  for (ptrdiff_t i = 0; i < s->s.items; i++) s->relax[i] = s->omega;
  return pri_array_create(ctx, &s->z, &(pri_shape){1, {s->sub.largest}}, s->s.items);
}

/* one subset: x of each item moves */
static pri_status visit(pri_ctx *ctx, struct os_sart *s, int j, ptrdiff_t first, ptrdiff_t items) {
  const pri_subset *u = &s->sub.s[j];
  pri_real *z = s->z.data + first * u->m;
  PRI_TRY(pri_subset_apply(&s->s, u, s->z.data, s->x.data, first, items));
  PRI_TRY(u->f->grad(ctx, u->fp, z, z, first, items));
  pri_sums_multiply(z, s->sums[j].row.data, u->m, items);
  PRI_TRY(pri_subset_adjoint(&s->s, u, s->g.data, s->z.data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_real *x = pri_array_item(&s->x, i), *g = pri_array_item(&s->g, i);
    pri_sums_multiply(g, s->sums[j].column.data, s->s.n, 1);
    pri_axpy(ctx, x, -s->relax[i] / s->s.curvature[i], g, s->s.n);
    pri_clip(ctx, x, s->s.problem->lo[i], s->s.problem->hi[i], s->s.n);
  }
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct os_sart *s = priv;
  const ptrdiff_t n = s->s.n;
  (void)want;
  pri_copy(ctx, pri_array_item(&s->old, first), pri_array_item(&s->x, first), n * items);
  for (int j = 0; j < s->sub.n; j++) PRI_TRY(visit(ctx, s, s->sub.order[j], first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_report *r = &per_item[i - first];
    r->change = pri_change(ctx, pri_array_item(&s->old, i), pri_array_item(&s->x, i), n);
    r->step = s->relax[i];
    s->relax[i] *= s->decay;
    r->applies += 1;
    r->adjoints += 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct os_sart *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct os_sart *s = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "x", &s->x));
  return pri_walk_bytes(w, "relax", s->relax, (size_t)s->s.items * sizeof *s->relax);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct os_sart *s = priv;
  pri_array_destroy(&s->x);
  pri_array_destroy(&s->old);
  pri_array_destroy(&s->g);
  pri_array_destroy(&s->z);
  for (int j = 0; s->sums && j < s->sub.n; j++) pri_sums_fini(&s->sums[j]);
  pri_free(ctx, s->sums);
  pri_free(ctx, s->relax);
  pri_subsets_fini(ctx, &s->sub);
  pri_split_fini(ctx, &s->s);
}

static const pri_param params[] = {
    {.name = "subsets", .unit = "1", .help = "interleaved subsets of views; auto: 10, or fewer so that each holds 6 views", .type = PRI_INT,
     .flags = PRI_P_AUTO, .offset = offsetof(struct os_sart, subsets), .min = 1, .max = 100000, .def = NAN},
    {.name = "omega", .unit = "1", .help = "relaxation of the first pass", .type = PRI_REAL, .offset = offsetof(struct os_sart, omega),
     .min = 1e-6, .max = 1.999, .def = 1},
    {.name = "decay", .unit = "1", .help = "factor on the relaxation after each pass", .type = PRI_REAL,
     .offset = offsetof(struct os_sart, decay), .min = 0.01, .max = 1, .def = 0.99},
    {0}};
static const char *const examples[] = {"", "subsets=2,omega=0.8,decay=0.9", NULL};
const pri_solver_class pri_solver_os_sart = {
    .kind = {"os-sart", "SIRT over ordered subsets of views", "Andersen, Kak 1984; Hudson, Larkin 1994", sizeof(struct os_sart), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
