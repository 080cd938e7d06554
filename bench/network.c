/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * network.c - the server side of bench/network: `network RECIPE SIZE ITEMS PATCH FILE` makes a network, saves it as FILE and then answers lines of standard input:
 *   f  forward of one SIZE x SIZE image; s  one training step (forward, gradient of 1/2 |y - t|^2, backward, Adam) on ITEMS patches of PATCH x PATCH: milliseconds
 *   F, S  the same, and what came out (F) or the gradient of the weights (S) as raw numbers in FILE.out: for comparison
 *   m  bytes of the two plans
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "priori/priori.h"

struct side { pri_plan *plan; pri_real *x, *y, *t; ptrdiff_t n; };
struct all { pri_network *net; struct side infer, train; pri_real *w, *g, *m, *v; size_t weights; long steps; double level; char out[1024]; };

static double now(void) { /* CPU=1: of this process, for one thread on a busy machine */
  struct timespec t;
  clock_gettime(getenv("CPU") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static pri_status side_create(pri_ctx *ctx, struct all *a, struct side *s, ptrdiff_t size, ptrdiff_t items, int training) {
  const pri_shape in = pri_shape_2d(size, size);
  PRI_TRY(pri_plan_create_items(a->net, &s->plan, &in, items, training));
  s->n = items * size * size;
  PRI_ALLOC(ctx, s->x, s->n);
  PRI_ALLOC(ctx, s->y, s->n);
  PRI_ALLOC(ctx, s->t, s->n);
  for (ptrdiff_t i = 0; i < s->n; i++) s->x[i] = (pri_real)((double)((i * 7919) % 1009) / 1009), s->t[i] = (pri_real)((double)((i * 104729) % 997) / 997);
  return PRI_OK;
}

static pri_status step(struct all *a, int update) { /* Adam, 1e-4 */
  struct side *s = &a->train;
  PRI_TRY(pri_plan_forward(s->plan, s->y, s->x, &a->level));
  for (ptrdiff_t i = 0; i < s->n; i++) s->y[i] -= s->t[i];
  memset(a->g, 0, a->weights * sizeof *a->g);
  PRI_TRY(pri_plan_backward(s->plan, a->g, NULL, s->y));
  if (!update) return PRI_OK;
  a->steps++;
  const pri_real c1 = (pri_real)(1 - pow(0.9, (double)a->steps)), c2 = (pri_real)(1 - pow(0.999, (double)a->steps));
  for (size_t i = 0; i < a->weights; i++) {
    a->m[i] += (a->g[i] - a->m[i]) * (pri_real)0.1, a->v[i] += (a->g[i] * a->g[i] - a->v[i]) * (pri_real)0.001;
    a->w[i] -= (pri_real)1e-4 * (a->m[i] / c1) / ((pri_real)sqrt((double)(a->v[i] / c2)) + (pri_real)1e-8);
  }
  return PRI_OK;
}

static void dump(const char *name, const pri_real *v, size_t n) {
  FILE *f = fopen(name, "wb");
  if (!f || fwrite(v, sizeof *v, n, f) != n || fclose(f)) exit(1);
}

static pri_status answer(struct all *a, char what) {
  const double start = now();
  if (what == 'f' || what == 'F') PRI_TRY(pri_plan_forward(a->infer.plan, a->infer.y, a->infer.x, &a->level));
  if (what == 's' || what == 'S') PRI_TRY(step(a, what == 's'));
  const double took = now() - start;
  if (what == 'F') dump(a->out, a->infer.y, (size_t)a->infer.n);
  if (what == 'S') dump(a->out, a->g, a->weights);
  if (what == 'm') printf("%zu %zu\n", pri_plan_bytes(a->infer.plan), pri_plan_bytes(a->train.plan));
  else printf("%.4f\n", took);
  return fflush(stdout) ? PRI_EWRITE : PRI_OK;
}

static pri_status serve(pri_ctx *ctx, struct all *a, char **argv) {
  char line[16];
  const ptrdiff_t size = strtol(argv[2], NULL, 10), items = strtol(argv[3], NULL, 10), patch = strtol(argv[4], NULL, 10);
  PRI_TRY(pri_network_create(ctx, &a->net, argv[1]));
  a->weights = pri_network_weights(a->net, &a->w), a->level = 0.1;
  PRI_TRY(pri_network_save(a->net, argv[5], 1));
  snprintf(a->out, sizeof a->out, "%s.out", argv[5]);
  PRI_ALLOC(ctx, a->g, a->weights);
  PRI_ALLOC(ctx, a->m, a->weights);
  PRI_ALLOC(ctx, a->v, a->weights);
  PRI_TRY(side_create(ctx, a, &a->infer, size, 1, 0));
  PRI_TRY(side_create(ctx, a, &a->train, patch, items, 1));
  while (fgets(line, sizeof line, stdin)) PRI_TRY(answer(a, line[0]));
  return PRI_OK;
}

int main(int argc, char **argv) {
  pri_ctx *ctx;
  struct all a = {0};
  const char *threads = getenv("THREADS");
  if (argc != 6 || pri_open(&ctx, &(pri_ctx_opts){.threads = threads ? (int)strtol(threads, NULL, 10) : 1, .seed = 1}) != PRI_OK) return 2;
  const pri_status s = serve(ctx, &a, argv);
  if (s != PRI_OK) fprintf(stderr, "bench/network: %s\n", pri_ctx_message(ctx));
  return s != PRI_OK; /* what it holds ends with it */
}
