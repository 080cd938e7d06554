/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * small.h - small problems for tests of solvers: a dense A >= 0 of 24 x 30 (image 3 x 10), data of a blocky image with noise, any
 * number of items, each with data of its own that do not depend on how many there are.
 */
#ifndef TESTS_SMALL_H
#define TESTS_SMALL_H
#include <math.h>
#include <stdio.h>
#include "dense.h"

enum { SMALL_ROWS = 24, SMALL_COLS = 30, SMALL_ITEMS = 3, SMALL_PRIORS = 2, SMALL_KINDS = 40 };

struct small_spec {
  const char *name, *fidelity, *prior[SMALL_PRIORS];
  double lo, hi;
  int weighted;
  const char *op; /* NULL: the dense one */
};
static const struct small_spec small_specs[] = {
    {"ls in a half line", "ls", {NULL, NULL}, 0, INFINITY, 0, NULL},
    {"ls", "ls", {NULL, NULL}, -INFINITY, INFINITY, 0, NULL},
    {"ls + tv in a box", "ls", {"tv:weight=0.4", NULL}, 0, 1, 0, NULL},
    {"wls + tv in a box", "wls", {"tv:weight=0.4", NULL}, 0, 1, 1, NULL},
    {"ball + tv in a box", "ball:radius=2", {"tv:weight=0.4", NULL}, 0, 1, 0, NULL},
    {"ls + tikhonov", "ls", {"tikhonov:weight=0.5", NULL}, -INFINITY, INFINITY, 0, NULL},
    {"ls + huber-tv in a box", "ls", {"huber-tv:weight=0.4,delta=0.1", NULL}, 0, 1, 0, NULL},
    {"ls + tv + tikhonov in a box", "ls", {"tv:weight=0.3", "tikhonov:weight=0.2"}, 0, 1, 0, NULL},
    {"denoising: ls + tv", "ls", {"tv:weight=0.1", NULL}, -INFINITY, INFINITY, 0, "identity"},
    {"denoising: ls + huber-tv in a box", "ls", {"huber-tv:weight=0.1,delta=0.1", NULL}, 0, 0.5, 0, "identity"},
    {"kl in a half line", "kl", {NULL, NULL}, 0, INFINITY, 0, NULL},
    {"kl with background in a half line", "kl:background=1", {NULL, NULL}, 0, INFINITY, 1, NULL},
    {"kl + tv in a box", "kl:background=1", {"tv:weight=0.4", NULL}, 0, 1, 0, NULL},
    {"huber + tv in a box", "huber:delta=0.1", {"tv:weight=0.4", NULL}, 0, 1, 1, NULL}};
enum { SMALL_SPECS = sizeof small_specs / sizeof *small_specs };

struct small {
  pri_ctx *ctx;
  pri_operator *A;
  pri_map *map;
  pri_array y, weight;
  pri_fidelity *f;
  pri_prior *R[SMALL_PRIORS];
  double lo[SMALL_ITEMS], hi[SMALL_ITEMS];
  pri_problem problem;
};

/* the built-in registry with the dense operator before the others */
struct small_registry {
  pri_registry registry;
  const pri_kind *operators[SMALL_KINDS];
};
static inline void small_registry_init(struct small_registry *r, const pri_registry *built_in) {
  int n = 0;
  r->registry = *built_in;
  r->operators[n++] = &dense_class.kind;
  for (const pri_kind *const *k = built_in->family[PRI_OPERATORS]; *k && n < SMALL_KINDS - 1; k++) r->operators[n++] = *k;
  r->operators[n] = NULL;
  r->registry.family[PRI_OPERATORS] = r->operators;
}

/* priors and fidelities may not be in the registry (yet): such a problem is left out */
static inline int small_exists(pri_ctx *ctx, const struct small_spec *s) {
  const pri_kind *kind;
  for (int r = 0; r < SMALL_PRIORS && s->prior[r]; r++) {
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(s->prior[r], ":"), s->prior[r]);
    if (pri_registry_find(ctx, PRI_PRIORS, name, &kind) != PRI_OK) return 0;
  }
  return 1;
}

/* y_i = A x + noise of the items first, first + 1, ...; scale multiplies everything that has the unit of y */
static inline pri_status small_data(struct small *w, ptrdiff_t first, ptrdiff_t items, double scale) {
  const void *priv;
  (void)pri_operator_class_of(w->A, &priv);
  const ptrdiff_t rows = pri_shape_size(pri_operator_range(w->A));
  const double *a = rows == SMALL_ROWS ? ((const struct dense *)priv)->a : NULL; /* NULL: identity */
  PRI_TRY(pri_array_create(w->ctx, &w->y, pri_operator_range(w->A), items));
  PRI_TRY(pri_array_create(w->ctx, &w->weight, pri_operator_range(w->A), items));
  for (ptrdiff_t k = 0; k < items; k++)
    for (int i = 0; i < rows; i++) {
      const uint64_t at = (uint64_t)((first + k) * rows + i);
      double s = 0.1 * pri_rng_normal_at(1, "noise", at);
      for (int j = 0; j < SMALL_COLS; j++) s += (a ? a[i * SMALL_COLS + j] : i == j) * (j % 10 > 4 + (first + k) % 3 ? 0.7 : 0.2);
      w->y.data[k * rows + i] = (pri_real)(scale * s);
      w->weight.data[k * rows + i] = (pri_real)(0.5 + pri_rng_uniform_at(1, "weight", at));
    }
  return PRI_OK;
}

static inline pri_status small_make(pri_ctx *ctx, struct small *w, const struct small_spec *spec, ptrdiff_t first, ptrdiff_t items) {
  *w = (struct small){.ctx = ctx};
  const pri_shape data = pri_shape_2d(3, SMALL_COLS / 3);
  PRI_TRY(pri_operator_create(ctx, &w->A, spec->op ? spec->op : "dense:rows=24,cols=30,form=nonnegative", NULL, NULL, spec->op ? &data : NULL));
  PRI_TRY(pri_map_of(ctx, &w->map, w->A));
  PRI_TRY(small_data(w, first, items, 1));
  PRI_TRY(pri_fidelity_create(ctx, &w->f, spec->fidelity, &w->y, spec->weighted ? &w->weight : NULL));
  for (ptrdiff_t k = 0; k < items; k++) w->lo[k] = spec->lo, w->hi[k] = spec->hi;
  w->problem = (pri_problem){.A = w->map, .f = w->f, .R = (const pri_prior *const *)w->R, .noise = 0.1, .lo = w->lo, .hi = w->hi};
  for (int r = 0; r < SMALL_PRIORS && spec->prior[r]; r++) {
    PRI_TRY(pri_prior_create(ctx, &w->R[r], spec->prior[r], NULL, pri_operator_domain(w->A)));
    w->problem.nR++;
  }
  return PRI_OK;
}

static inline void small_unmake(struct small *w) {
  pri_fidelity_destroy(&w->f);
  for (int r = 0; r < SMALL_PRIORS; r++) pri_prior_destroy(&w->R[r]);
  pri_map_destroy(&w->map);
  pri_operator_destroy(&w->A);
  pri_array_destroy(&w->y);
  pri_array_destroy(&w->weight);
}
#endif
