/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_experts.c - learn experts [-k FILTERS] [-s SIDE] [-n IMAGES] [-w WORK] FILE [METHOD...]: a field of experts for denoising (spec maid 6.3): 48 random filters of
 * 7 x 7, log weights -3, log smoothings -3.5, 20 pages of FILE, middles of 96 x 96, noise of sd 0.1: loss against work of the batch (samples / IMAGES).
 * Published, of other images: MAID 11.5 at 1e3, 8.6 at 1e4, 7.8 at 1e5; HOAG 0.9^k 11.9, 10.4, 9.9; k^-2 13.1, 10.1; k^-3 13.7, 11.1.
 * Losses are upper ends of their intervals: they hold the loss itself.
 */
#define _POSIX_C_SOURCE 200809L
#include "learn.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPEC = 200 };
typedef struct wanted { int filters, side, images; double work; } wanted;

static void load(pri_ctx *ctx, const wanted *w, const char *file, pri_array *truth, pri_array *y) {
  pri_array all;
  const pri_shape shape = pri_shape_2d(w->side, w->side);
  const ptrdiff_t n = (ptrdiff_t)w->side * w->side;
  check(ctx, pri_input_load(ctx, file, &all));
  const ptrdiff_t rows = all.shape.n[0], columns = all.shape.n[1];
  if (all.items < w->images || rows < w->side || columns < w->side) fprintf(stderr, "learn: %s has not %d pages of %d x %d pixels\n", file, w->images, w->side, w->side), exit(1);
  check(ctx, pri_array_create(ctx, truth, &shape, w->images));
  check(ctx, pri_array_create(ctx, y, &shape, w->images));
  for (ptrdiff_t i = 0; i < w->images; i++)
    for (ptrdiff_t k = 0; k < n; k++) {
      pri_real *t = pri_array_item(truth, i) + k;
      *t = pri_array_item(&all, i)[((rows - w->side) / 2 + k / w->side) * columns + (columns - w->side) / 2 + k % w->side] / 255;
      pri_array_item(y, i)[k] = *t + (pri_real)(0.1 * pri_rng_normal_at(0, "noise", (uint64_t)(i * n + k)));
    }
  pri_array_destroy(&all);
}

static void one(problem *b, const wanted *w, const char *spec) {
  const double m = w->images;
  const limits to = {.budget = {100 * m, 1e3 * m, 1e4 * m, 1e5 * m}, .work = w->work * m, .steps = 100000};
  const outcome o = run(b, spec, &to);
  printf("%-44s", spec);
  for (int k = 0; k < 4; k++) printf(" %8.4f", k == 0 || to.budget[k] <= 1.01 * to.work ? o.f[k] : NAN);
  printf("   last %.4f, %ld steps, %s\n", o.last, o.steps, pri_verdict_name(o.why));
  fflush(stdout);
}

int bench_experts(int argc, char **argv) {
  static const char *const all[] = {"maid", "maid:search=paper,eps=2.3e-4,delta=2.3e-4,alpha=0.01", "hoag:eps=2.3e-4", "hoag:eps=2.3e-4,schedule=quadratic", "hoag:eps=2.3e-4,schedule=cubic"};
  wanted w = {48, 96, 20, 1e3};
  problem b = {.box = {-16, 16}, .least = INFINITY, .scale = 1};
  pri_array truth, y;
  pri_operator *A;
  pri_prior *R;
  int option;
  char spec[SPEC];
  while ((option = getopt(argc, argv, "k:s:n:w:")) != -1) {
    const double v = strtod(optarg ? optarg : "0", NULL);
    if (option == 'k') w.filters = (int)v;
    else if (option == 's') w.side = (int)v;
    else if (option == 'n') w.images = (int)v;
    else if (option == 'w') w.work = v;
    else return 2;
  }
  if (optind >= argc || w.filters < 1 || w.side < 8 || w.images < 1 || !(w.work > 0)) return fputs("learn experts [-k FILTERS] [-s SIDE] [-n IMAGES] [-w WORK] FILE [METHOD...]\n", stderr), 2;
  const pri_shape shape = pri_shape_2d(w.side, w.side);
  check(NULL, pri_open(&b.ctx, NULL));
  load(b.ctx, &w, argv[optind], &truth, &y);
  snprintf(spec, sizeof spec, "foe:init=random,filters=%d,size=7,smoothing=%.17g", w.filters, exp(-3.5));
  check(b.ctx, pri_operator_create(b.ctx, &A, "identity", NULL, &shape, NULL));
  check(b.ctx, pri_prior_create(b.ctx, &R, spec, NULL, &shape));
  check(b.ctx, pri_lower_images(b.ctx, &b.l, &(pri_lower_problem){.A = A, .R = R, .y = &y, .truth = &truth}));
  const void *priv;
  double *start = pri_calloc(b.ctx, pri_lower_ntheta(b.l), sizeof *start);
  if (!start) return 1;
  pri_prior_class_of(R, &priv)->learnable->get_theta(priv, start);
  b.start = start;
  printf("%zu parameters, %d images; loss at work 1e2, 1e3, 1e4, 1e5\n", pri_lower_ntheta(b.l), w.images);
  for (int i = 0; i < (optind + 1 < argc ? argc - optind - 1 : (int)(sizeof all / sizeof *all)); i++) one(&b, &w, optind + 1 < argc ? argv[optind + 1 + i] : all[i]);
  pri_free(b.ctx, start);
  close_problem(&b);
  return 0;
}
