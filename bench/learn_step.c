/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_step.c - time of one gradient step of the lower level of learning: smoothed TV, 25 images 96 x 96, in double.
 *
 *   learn_step-double [-j THREADS] [-n ROUNDS]     a round: 200 steps on all images; prints the fastest and the median round
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "learn.h"
#include "priori/priori.h"
#include "priori/rng.h"

enum { IMAGES = 25, SIDE = 96, STEPS = 200, MOST = 101 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(pri_ctx *ctx, pri_status s) {
  if (s == PRI_OK) return;
  fprintf(stderr, "learn_step: %s\n", pri_ctx_message(ctx));
  exit(1);
}

static void draw(pri_array *truth, pri_array *y) { /* a square on a ramp, noise of 0.1 */
  for (ptrdiff_t i = 0; i < IMAGES * SIDE * SIDE; i++) {
    const ptrdiff_t c = i % SIDE, r = i / SIDE % SIDE;
    truth->data[i] = (pri_real)(0.5 * (double)c / SIDE + (r > 30 && r < 60 && c > 20 && c < 70 ? 0.4 : 0));
    y->data[i] = (pri_real)((double)truth->data[i] + 0.1 * pri_rng_normal_at(1, "bench", (uint64_t)i));
  }
}

static int by_size(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

int main(int argc, char **argv) {
  int threads = 2, rounds = 15;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "-j")) threads = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "-n")) rounds = atoi(argv[i + 1]);
  }
  rounds = rounds < 1 ? 1 : rounds > MOST ? MOST : rounds;
  const pri_shape shape = pri_shape_2d(SIDE, SIDE);
  pri_ctx *ctx;
  pri_array truth = {0}, y = {0};
  pri_operator *A;
  pri_prior *R;
  pri_lower *l;
  static pri_real x[IMAGES * SIDE * SIDE];
  static double e[IMAGES], theta[2] = {-2.5, -4.5}, t[MOST];
  if (pri_open(&ctx, &(pri_ctx_opts){.threads = threads}) != PRI_OK) return 1;
  must(ctx, pri_array_create(ctx, &truth, &shape, IMAGES));
  must(ctx, pri_array_create(ctx, &y, &shape, IMAGES));
  draw(&truth, &y);
  must(ctx, pri_operator_create(ctx, &A, "identity", NULL, &shape, NULL));
  must(ctx, pri_prior_create(ctx, &R, "smooth-tv", NULL, &shape));
  must(ctx, pri_lower_images(ctx, &l, &(pri_lower_problem){.A = A, .R = R, .y = &y, .truth = &truth, .loss = PRI_LOSS_MSE}));
  must(ctx, pri_lower_theta(l, theta));
  for (int k = 0; k < rounds; k++) {
    pri_lower_start(l, x);
    const double from = now();
    must(ctx, pri_lower_solve(l, x, 0, STEPS, e));
    t[k] = (now() - from) / STEPS * 1e3;
  }
  qsort(t, (size_t)rounds, sizeof *t, by_size);
  printf("%d images %d x %d, %d threads: %.3f ms a step at best, %.3f ms in the median of %d rounds\n", IMAGES, SIDE, SIDE, threads, t[0], t[rounds / 2], rounds);
  pri_lower_destroy(&l);
  pri_prior_destroy(&R);
  pri_operator_destroy(&A);
  pri_array_destroy(&truth), pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
  return 0;
}
