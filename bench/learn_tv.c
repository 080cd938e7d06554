/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_tv.c - learn tv FILE [METHOD...]: weight and smoothing of anisotropic total variation for denoising, 25 pages of FILE, middles of 96 x 96, noise of
 * sd 25/255 (spec maid 6.2, 7). All from (-5, -5) there: h has 1/2 e^theta_0, so that the log weight here is -5 - log 2. Work is that of the batch: samples / 25.
 * Accuracies of the paper are 2-norms of the stack of 25 images; 1 of them is 1 / root(25 n) here.
 */
#include "learn.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { M = 25, SIDE = 96, N = SIDE * SIDE, SPEC = 200 };
static const double start[2] = {-5 - 0.69314718055994531, -5};

typedef struct images {
  pri_operator *A;
  pri_prior *R[2];
  pri_array y, truth;
} images;

static void load(pri_ctx *ctx, images *s, const char *file) {
  pri_array all;
  const pri_shape shape = pri_shape_2d(SIDE, SIDE);
  check(ctx, pri_input_load(ctx, file, &all));
  const ptrdiff_t rows = all.shape.n[0], columns = all.shape.n[1];
  if (all.items < M || rows < SIDE || columns < SIDE) fprintf(stderr, "learn: %s has not 25 pages of 96 x 96 pixels\n", file), exit(1);
  check(ctx, pri_array_create(ctx, &s->truth, &shape, M));
  check(ctx, pri_array_create(ctx, &s->y, &shape, M));
  for (ptrdiff_t i = 0; i < M; i++)
    for (ptrdiff_t k = 0; k < N; k++) {
      const ptrdiff_t row = (rows - SIDE) / 2 + k / SIDE, column = (columns - SIDE) / 2 + k % SIDE;
      pri_real *t = pri_array_item(&s->truth, i) + k;
      *t = pri_array_item(&all, i)[row * columns + column] / 255;
      pri_array_item(&s->y, i)[k] = *t + (pri_real)(25.0 / 255 * pri_rng_normal_at(0, "noise", (uint64_t)(i * N + k)));
    }
  pri_array_destroy(&all);
}

static void make(problem *p, images *s) {
  const pri_shape shape = pri_shape_2d(SIDE, SIDE);
  check(p->ctx, pri_operator_create(p->ctx, &s->A, "identity", NULL, &shape, NULL));
  for (int k = 0; k < 2; k++) {
    check(p->ctx, pri_prior_create(p->ctx, &s->R[k], "smooth-tv:weight=0.01,smoothing=0.01,form=anisotropic", NULL, &shape));
    const pri_lower_problem l = {.A = s->A, .R = s->R[k], .y = &s->y, .truth = &s->truth};
    check(p->ctx, pri_lower_images(p->ctx, k ? &p->tight : &p->l, &l));
  }
  p->start = start, p->box = (pri_method_box){-16, 16}, p->scale = 1, p->least = INFINITY;
  open_problem(p);
}

typedef struct row { const char *label, *spec; double eps; } row; /* eps: of the stack, as published */
static const row rows[] = {
    {"published", "maid:search=paper,alpha=0.01", 0.1}, {"published, gradient by secants", "maid:search=paper,alpha=0.01,mode=estimated", 0.1},
    {"published, certified gradient", "maid:search=paper,alpha=0.01,descent=yes", 0.1}, {"published", "maid:search=paper,alpha=0.01", 10}, {"published", "maid:search=paper,alpha=0.01", 1e-3},
    {"hoag fixed", "hoag:schedule=fixed", 0.1}, {"hoag fixed", "hoag:schedule=fixed", 1e-2}, {"hoag fixed", "hoag:schedule=fixed", 1e-3}, {"hoag 0.9^k", "hoag:schedule=geometric", 0.1},
    {"hoag k^-2", "hoag:schedule=quadratic", 0.1}, {"hoag k^-3", "hoag:schedule=cubic", 0.1}, {"fixed accuracy, descent", "fixed:metric=none,alpha=0.01", 1e-3},
    {"fixed accuracy, BFGS", "fixed:metric=bfgs,alpha=0.01", 1e-6}, {"fixed accuracy, BFGS", "fixed:metric=bfgs,alpha=0.01", 1e-4}, {"fixed accuracy, BFGS", "fixed:metric=bfgs,alpha=0.01", 1e-3},
    {"no gradients", "dfo", 0.1}, {"ours", "maid", 10}, {"ours", "maid", 1}, {"ours", "maid", 0.1}, {"ours", "maid", 1e-2}, {"ours", "maid", 1e-3}, {"ours", "maid", 1e-4}, {"ours", "maid", 1e-5},
    {"ours, alpha 1e-4", "maid:alpha=1e-4", 0.1}, {"ours, alpha 1", "maid:alpha=1", 0.1}, {"ours, alpha 100", "maid:alpha=100", 0.1},
    {"ours, lbfgs, alpha 1e-4", "maid:metric=lbfgs,alpha=1e-4", 0.1}, {"ours, lbfgs, alpha 0.01", "maid:metric=lbfgs,alpha=0.01", 0.1}, {"ours, lbfgs, alpha 1", "maid:metric=lbfgs,alpha=1", 0.1}, {"ours, lbfgs, alpha 100", "maid:metric=lbfgs,alpha=100", 0.1}};

/* base: work of the published method, for ratios; filled where it is 0 */
static void one(problem *p, const row *r, double base[3]) {
  char spec[SPEC];
  const int paper = strstr(r->spec, "paper") != NULL, known = r->eps > 0;
  const double eps = r->eps / sqrt(25.0 * N);
  if (known && paper) snprintf(spec, sizeof spec, "%s,eps=%.3e,delta=%.3e", r->spec, eps, eps);
  else if (known) snprintf(spec, sizeof spec, "%s%ceps=%.3e", r->spec, strchr(r->spec, ':') ? ',' : ':', eps);
  else snprintf(spec, sizeof spec, "%s", r->spec);
  const limits to = {.target = {1.01 * p->least, 1.001 * p->least, 1.0001 * p->least}, .work = 15000.0 * M, .steps = paper ? 1000 : 150};
  const outcome o = run(p, spec, &to);
  printf("%-32s %6.0e", r->label, r->eps);
  for (int k = 0; k < 3; k++) {
    if (!(base[k] > 0)) base[k] = o.work[k];
    printf(" %6.0f (%4.2f)", o.work[k] / M, o.work[k] / base[k]);
  }
  printf("  best %.4f last %.4f %4ld steps %ld up %ld broken\n", o.best, p->scale * o.end, o.steps, o.rises, o.broken);
  fflush(stdout);
}

int bench_tv(int argc, char **argv) {
  problem p = {0};
  images s;
  double base[3] = {0};
  if (argc < 2) return fputs("learn tv FILE [METHOD...]\n", stderr), 2;
  check(NULL, pri_open(&p.ctx, NULL));
  load(p.ctx, &s, argv[1]);
  make(&p, &s);
  const outcome best = run(&p, "maid", &(limits){.work = 20000.0 * M, .steps = 100});
  p.least = best.best;
  printf("f(start) = %.4f; best %.8f at (%.5f, %.5f); batch units to 1, 0.1, 0.01 %% above it, and share of the published method's; goals of ours 0.60, 0.35, 0.15\n", exact(&p, start), p.least,
         best.theta[0] + 0.69314718055994531, best.theta[1]);
  for (int i = 2; i < argc; i++) one(&p, &(row){argv[i], argv[i], 0}, base);
  for (size_t i = 0; argc == 2 && i < sizeof rows / sizeof *rows; i++) one(&p, &rows[i], base);
  close_problem(&p);
  pri_array_destroy(&s.y);
  pri_array_destroy(&s.truth);
  for (int k = 0; k < 2; k++) pri_prior_destroy(&s.R[k]);
  pri_operator_destroy(&s.A);
  pri_ctx_destroy(&p.ctx);
  return 0;
}
