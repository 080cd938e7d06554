/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_digits.c - learn digits [METHOD...]: one penalty a weight of multinomial logistic regression (spec maid 6.4) on drawn digits: the ten figures of a
 * seven-segment display, 12 x 12 pixels, moved by up to 2 pixels, each segment of its own brightness, noise of sd 0.5. 1440 parameters from -3,
 * x from 0; 300 digits to learn from, 150 to judge by. One unit of work is a gradient or a Hessian product.
 */
#include "learn.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "../reconstruct/learn_logistic.h"

enum { SIDE = 12, PIXELS = SIDE * SIDE, CLASSES = 10, TRAIN = 300, JUDGE = 150, P = PIXELS * CLASSES };
static pri_real pixels[(TRAIN + JUDGE) * PIXELS];
static int labels[TRAIN + JUDGE];

/* top, upper left, upper right, middle, lower left, lower right, bottom: row, column, rows, columns */
static const int segments[7][4] = {{2, 4, 1, 4}, {2, 3, 4, 1}, {2, 8, 4, 1}, {5, 4, 1, 4}, {5, 3, 5, 1}, {5, 8, 5, 1}, {9, 4, 1, 4}};
static const char *const lit[CLASSES] = {"1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010", "1111111", "1111011"};

static void draw(void) {
  for (int i = 0; i < TRAIN + JUDGE; i++) {
    pri_real *x = pixels + (ptrdiff_t)i * PIXELS;
    const int dy = (int)(5 * pri_rng_uniform_at(0, "row", (uint64_t)i)) - 2, dx = (int)(5 * pri_rng_uniform_at(0, "column", (uint64_t)i)) - 2;
    labels[i] = i % CLASSES;
    for (int k = 0; k < PIXELS; k++) x[k] = (pri_real)(0.5 * pri_rng_normal_at(0, "noise", (uint64_t)(i * PIXELS + k)));
    for (int s = 0; s < 7; s++)
      for (int r = 0; lit[labels[i]][s] == '1' && r < segments[s][2]; r++)
        for (int c = 0; c < segments[s][3]; c++) {
          const int y = segments[s][0] + r + dy, at = segments[s][1] + c + dx;
          if (y >= 0 && y < SIDE && at >= 0 && at < SIDE) x[y * SIDE + at] += (pri_real)(0.5 + 0.5 * pri_rng_uniform_at(0, "light", (uint64_t)(i * 7 + s)));
        }
  }
}

int bench_digits(int argc, char **argv) {
  static const char *const all[] = {"maid", "maid:metric=adagrad", "fixed:eps=1e-5", "hoag:eps=0.0026,schedule=fixed",
                                    "hoag:eps=0.0026", "hoag:eps=0.0026,schedule=quadratic", "hoag:eps=0.0026,schedule=cubic", "maid:search=paper,eps=0.0026,delta=0.0026,alpha=100,rho=0.9"};
  static double from[P];
  const limits to = {.budget = {300, 1000, 3000}, .work = 3000, .steps = 300};
  problem b = {.start = from, .box = {-12, 6}, .least = INFINITY, .scale = 1};
  draw();
  for (int j = 0; j < P; j++) from[j] = -3;
  check(NULL, pri_open(&b.ctx, NULL));
  const pri_table train = {pixels, labels, TRAIN, PIXELS}, judge = {pixels + (ptrdiff_t)TRAIN * PIXELS, labels + TRAIN, JUDGE, PIXELS};
  check(b.ctx, pri_lower_logistic(b.ctx, &b.l, &train, &judge, CLASSES));
  open_problem(&b);
  printf("best cross-entropy (upper end of its interval) at work 300, 1000, 3000, and at the end\n");
  for (int i = 0; i < (argc > 1 ? argc - 1 : (int)(sizeof all / sizeof *all)); i++) {
    const char *spec = argc > 1 ? argv[i + 1] : all[i];
    const outcome o = run(&b, spec, &to);
    printf("%-62s %.4f %.4f %.4f %.4f  %4ld steps, %ld up, %s\n", spec, o.f[0], o.f[1], o.f[2], o.last, o.steps, o.rises, pri_verdict_name(o.why));
    fflush(stdout);
  }
  close_problem(&b);
  pri_ctx_destroy(&b.ctx);
  return 0;
}
