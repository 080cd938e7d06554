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

static double one(problem *p, const char *label, const char *spec) {
  const limits to = {.target = {1.01 * p->least, 1.001 * p->least, 1.0001 * p->least}, .work = 30000.0 * M, .steps = 3000};
  const outcome o = run(p, spec, &to);
  printf("%-34s %7.0f %7.0f %7.0f   best %.5f last %.5f  %4ld steps %3ld up %3ld broken  %s\n", label, o.work[0] / M, o.work[1] / M, o.work[2] / M, o.best, o.last, o.steps, o.rises,
         o.broken, pri_verdict_name(o.why));
  fflush(stdout);
  return o.best;
}


int bench_tv(int argc, char **argv) {
  problem p = {0};
  images s;
  if (argc < 2) return fputs("learn tv FILE [METHOD...]\n", stderr), 2;
  check(NULL, pri_open(&p.ctx, NULL));
  load(p.ctx, &s, argv[1]);
  make(&p, &s);
  p.least = 1e-9;
  if (getenv("LEAST")) p.least = atof(getenv("LEAST"));
  else {
    const outcome best = run(&p, "maid", &(limits){.work = 20000.0 * M, .steps = 100});
    p.least = best.best;
    printf("f(start) = %.4f; best %.8f at (%.5f, %.5f)\n", exact(&p, start), p.least, best.theta[0] + 0.69314718055994531, best.theta[1]);
  }
  for (int i = 2; i < argc; i++) one(&p, argv[i], argv[i]);
  close_problem(&p);
  return 0;
}
