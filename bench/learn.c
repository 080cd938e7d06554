/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn.c - methods of learning against each other and against published figures (spec maid 9.3); bench/learn names the sub-commands.
 *
 * One unit of work is a gradient or a Hessian product of one sample. What is reported beside it is the loss itself, solved tightly by a second problem
 * whose work is not counted.
 */
#include "learn.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TIGHT = 1e-9; /* root mean square */

void check(pri_ctx *ctx, pri_status s) {
  if (s == PRI_OK) return;
  fprintf(stderr, "learn: %s\n", pri_ctx_message(ctx));
  exit(1);
}

void open_problem(problem *p) {
  if (!p->tight) return;
  p->x = pri_calloc(p->ctx, (size_t)(pri_lower_samples(p->tight) * pri_lower_size(p->tight)), sizeof *p->x);
  p->e = pri_calloc(p->ctx, (size_t)pri_lower_samples(p->tight), sizeof *p->e);
  p->at = pri_calloc(p->ctx, pri_lower_ntheta(p->tight), sizeof *p->at);
  if (!p->x || !p->e || !p->at) exit(1);
  check(p->ctx, pri_lower_theta(p->tight, p->start));
  (void)pri_lower_start(p->tight, p->x);
}

void close_problem(problem *p) {
  pri_free(p->ctx, p->x);
  pri_free(p->ctx, p->e);
  pri_free(p->ctx, p->at);
  pri_lower_destroy(&p->l);
  pri_lower_destroy(&p->tight);
}

double exact(problem *p, const double *theta) {
  const size_t room = pri_lower_ntheta(p->tight) * sizeof *theta;
  if (p->have && !memcmp(theta, p->at, room)) return p->value;
  p->have = 1;
  memcpy(p->at, theta, room);
  check(p->ctx, pri_lower_theta(p->tight, theta));
  check(p->ctx, pri_lower_solve(p->tight, p->x, TIGHT, 200000, p->e));
  const pri_interval f = pri_lower_interval(p->tight, p->x, p->e);
  p->width = p->scale * (f.high - f.low);
  return p->value = p->scale * (f.low + f.high) / 2;
}

/* What a step that was taken means for the table */
static void note(problem *p, outcome *o, const pri_method_report *r, const double *theta, const limits *to) {
  const double f = p->tight ? exact(p, theta) : p->scale * r->f.high, work = r->work.gradients + r->work.products, slack = p->width + 1e-12 * fabs(f); /* without a second problem: the upper end of the interval */
  if (f > o->last + slack) o->rises++;
  if (p->scale * r->f.low > f + slack || p->scale * r->f.high < f - slack) o->broken++;
  o->last = f;
  if (f < o->best) {
    o->best = f;
    for (size_t i = 0; i < pri_lower_ntheta(p->l) && i < 8; i++) o->theta[i] = theta[i];
  }
  for (int k = 0; k < TARGETS; k++) {
    if (to->target[k] > 0 && isnan(o->work[k]) && f <= to->target[k]) o->work[k] = work;
    if (to->budget[k] > 0 && work <= to->budget[k]) o->f[k] = o->best;
  }
}

static int reached(const outcome *o, const limits *to) {
  int any = 0;
  for (int k = 0; k < TARGETS; k++) {
    if (to->target[k] > 0 && isnan(o->work[k])) return 0;
    any |= to->target[k] > 0;
  }
  return any;
}

outcome run(problem *p, const char *spec, const limits *to) {
  outcome o = {.best = INFINITY, .last = INFINITY};
  pri_method *m;
  pri_method_report r = {0};
  for (int k = 0; k < TARGETS; k++) o.work[k] = NAN, o.f[k] = NAN;
  pri_lower_set_work(p->l, (pri_work){0, 0, 0});
  check(p->ctx, pri_method_parse(p->ctx, &m, spec));
  check(p->ctx, pri_method_start(m, p->l, p->start, p->box));
  for (long k = 0; k < to->steps && o.why == PRI_GO && !reached(&o, to); k++) {
    const pri_status s = pri_method_step(m, &r, &o.why);
    if (s != PRI_OK) {
      printf("  %s: %s\n", spec, pri_ctx_message(p->ctx));
      break;
    }
    if (o.why == PRI_GO) note(p, &o, &r, pri_method_theta(m), to);
    o.steps = r.k;
    if (to->work > 0 && r.work.gradients + r.work.products > to->work) break;
  }
  o.all = r.work, o.end = r.last;
  pri_method_destroy(&m);
  return o;
}

int main(int argc, char **argv) {
  static const struct { const char *name; int (*go)(int, char **); } commands[] = {{"tv", bench_tv}, {"signals", bench_signals}, {"quadratic", bench_quadratic}, {"digits", bench_digits}, {"experts", bench_experts}};
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
    if (!strcmp(argv[1], commands[i].name)) return commands[i].go(argc - 1, argv + 1);
  fputs("learn tv | signals | quadratic | experts | digits: see bench/learn\n", stderr);
  return 2;
}
