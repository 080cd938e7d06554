/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn.h - what the benchmarks of learning share: one run of a method, with the loss itself computed beside it and not counted (learn.c). */
#ifndef PRI_BENCH_LEARN_H
#define PRI_BENCH_LEARN_H
#include "../reconstruct/learn_method.h"
#include "priori/priori.h"

enum { TARGETS = 6 };
typedef struct problem {
  pri_ctx *ctx;
  pri_lower *l, *tight;            /* the same problem twice; tight NULL: the upper ends of the intervals are what is reported */
  pri_real *x;                     /* of tight, warm */
  double *e, scale;                /* [m]; what is printed: scale times the mean over samples */
  const double *start;
  pri_method_box box;
  double least;                    /* best loss known, INFINITY where none is */
  double *at, value, width;        /* of the last call of exact */
  int have;
} problem;
typedef struct outcome {
  double work[TARGETS];            /* of samples, to each target; NAN: not reached */
  double f[TARGETS];               /* best loss at each of the budgets asked for */
  double best, last, end, theta[8]; /* loss: best, of the last best point, upper end at the last iterate; parameters of the best */
  long steps, rises, broken;       /* rises: steps after which the loss was higher; broken: intervals that did not hold it */
  pri_verdict why;
  pri_work all;
} outcome;
typedef struct limits {
  double target[TARGETS];          /* losses, 0: none */
  double budget[TARGETS];          /* work, 0: none */
  double work;                     /* ends the run */
  long steps;
} limits;

void check(pri_ctx *ctx, pri_status s);
void open_problem(problem *p);     /* room for tight */
void close_problem(problem *p);
double exact(problem *p, const double *theta); /* scaled */
outcome run(problem *p, const char *spec, const limits *to);
int bench_tv(int argc, char **argv), bench_signals(int argc, char **argv), bench_quadratic(int argc, char **argv), bench_experts(int argc, char **argv), bench_digits(int argc, char **argv);
#endif
