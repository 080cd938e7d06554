/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_quadratic.c - learn quadratic: where adaptive accuracy begins to pay (spec maid 6.1).
 *
 *   h = 1/2 |A2 x + A3 theta - b2|^2, g = 1/2 |A1 x - b1|^2, A_j 80 x 4: orthonormal columns, those of A2 scaled by 1 ... cond (equally spaced logarithms);
 *   b1 = A1 x1 + 0.01 noise, b2 = A2 x2 + A3 theta' + 0.01 noise; from theta = 1 to f - f* < 5e-3
 * Iterations of the lower level and of the linear systems, medians of 11 draws. The published column is of gradient descent on draws of its own.
 */
#include "learn.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 80, DIM = 4, DRAWS = 11, CONDS = 5, METHODS = 6 };
typedef struct quadratic { double A[3][ROWS][DIM], b[2][ROWS], H[DIM][DIM], C[DIM][DIM], c[DIM], theta[DIM], cond, f_star; } quadratic;

static void orthonormal(double (*A)[DIM]) { /* Gram, Schmidt, twice */
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < DIM; j++) {
      double norm = 0;
      for (int k = 0; k < j; k++) {
        double dot = 0;
        for (int r = 0; r < ROWS; r++) dot += A[r][j] * A[r][k];
        for (int r = 0; r < ROWS; r++) A[r][j] -= dot * A[r][k];
      }
      for (int r = 0; r < ROWS; r++) norm += A[r][j] * A[r][j];
      for (int r = 0; r < ROWS; r++) A[r][j] /= sqrt(norm);
    }
}

/* A = Q R with R a random rotation of the columns of Q (of the first DIM rows of a random matrix) */
static void turn(double (*A)[DIM], double (*Q)[DIM], uint64_t seed) {
  double R[ROWS][DIM] = {{0}};
  for (int r = 0; r < DIM; r++)
    for (int j = 0; j < DIM; j++) R[r][j] = pri_rng_normal_at(seed, "turn", (uint64_t)(r * DIM + j));
  orthonormal(R);
  for (int r = 0; r < ROWS; r++)
    for (int j = 0; j < DIM; j++) {
      A[r][j] = 0;
      for (int k = 0; k < DIM; k++) A[r][j] += Q[r][k] * R[k][j];
    }
}

static void draw(quadratic *q, double cond, uint64_t seed) {
  uint64_t k = 0;
  double x[2][DIM], bar[DIM];
  q->cond = cond;
  for (int a = 0; a < 3; a++) {
    for (int r = 0; r < ROWS; r++)
      for (int j = 0; j < DIM; j++) q->A[a][r][j] = pri_rng_normal_at(seed, "matrix", k++);
    orthonormal(q->A[a]);
  }
  turn(q->A[2], q->A[1], seed);
  for (int j = 0; j < DIM; j++) {
    x[0][j] = pri_rng_uniform_at(seed, "x1", (uint64_t)j), x[1][j] = pri_rng_uniform_at(seed, "x2", (uint64_t)j), bar[j] = pri_rng_uniform_at(seed, "theta", (uint64_t)j);
    for (int r = 0; r < ROWS; r++) q->A[1][r][j] *= pow(cond, (double)j / (DIM - 1));
  }
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 2; b++) {
      q->b[b][r] = 0.01 * pri_rng_normal_at(seed, b ? "b2" : "b1", (uint64_t)r);
      for (int j = 0; j < DIM; j++) q->b[b][r] += q->A[b][r][j] * x[b][j] + b * q->A[2][r][j] * bar[j];
    }
  memset(q->H, 0, sizeof q->H), memset(q->C, 0, sizeof q->C), memset(q->c, 0, sizeof q->c);
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < DIM; i++) {
      q->c[i] += q->A[1][r][i] * q->b[1][r];
      for (int j = 0; j < DIM; j++) q->H[i][j] += q->A[1][r][i] * q->A[1][r][j], q->C[i][j] += q->A[1][r][i] * q->A[2][r][j];
    }
}

static size_t room(const void *priv) { return (void)priv, 8; }
static pri_status at_theta(pri_ctx *ctx, void *priv, const double *theta, pri_lower_constants *c) {
  quadratic *q = priv;
  (void)ctx;
  memcpy(q->theta, theta, sizeof q->theta);
  *c = (pri_lower_constants){.mu = 1, .L = q->cond * q->cond, .mixed_norm = q->cond, .mu_proven = 1, .proven = 1};
  return PRI_OK;
}
static pri_status start_at(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *x) {
  (void)ctx, (void)priv, (void)desk, (void)i;
  memset(x, 0, DIM * sizeof *x);
  return PRI_OK;
}
static void multiply(pri_real *out, const double (*A)[DIM], const double *v, double c) {
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j < DIM; j++) out[i] += c * A[i][j] * v[j];
}
static pri_status gradient(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *g, const pri_real *x) {
  const quadratic *q = priv;
  (void)ctx, (void)desk, (void)i;
  for (int j = 0; j < DIM; j++) g[j] = -q->c[j];
  multiply(g, q->H, x, 1), multiply(g, q->C, q->theta, 1);
  return PRI_OK;
}
static pri_status prepare(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x) { return (void)ctx, (void)priv, (void)desk, (void)i, (void)x, PRI_OK; }
static pri_status product(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *hv, const pri_real *v) {
  (void)ctx, (void)desk, (void)i;
  memset(hv, 0, DIM * sizeof *hv);
  multiply(hv, ((const quadratic *)priv)->H, v, 1);
  return PRI_OK;
}
static pri_status mixed(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *out, const double *d) {
  (void)ctx, (void)desk, (void)i;
  memset(out, 0, DIM * sizeof *out);
  multiply(out, ((const quadratic *)priv)->C, d, 1);
  return PRI_OK;
}
static pri_status mixed_t(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, double *out, const pri_real *v) {
  const quadratic *q = priv;
  (void)ctx, (void)desk, (void)i;
  for (int j = 0; j < DIM; j++) {
    out[j] = 0;
    for (int k = 0; k < DIM; k++) out[j] += q->C[k][j] * v[k];
  }
  return PRI_OK;
}
static pri_status value(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const quadratic *q = priv;
  (void)ctx, (void)desk, (void)i;
  *g = 0;
  memset(grad, 0, DIM * sizeof *grad);
  for (int r = 0; r < ROWS; r++) {
    double v = -q->b[0][r];
    for (int j = 0; j < DIM; j++) v += q->A[0][r][j] * x[j];
    *g += v * v / 2;
    for (int j = 0; j < DIM; j++) grad[j] += v * q->A[0][r][j];
  }
  return PRI_OK;
}
static void nothing(pri_ctx *ctx, void *priv) { (void)ctx, (void)priv; }
static const pri_lower_class level = {.name = "quadratic", .desk = room, .theta = at_theta, .start = start_at, .gradient = gradient, .prepare = prepare, .product = product, .mixed = mixed, .mixed_t = mixed_t, .fini = nothing};
static const pri_upper_class loss = {"distance", NULL, value, 0, nothing};

static int by_value(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double of_draw(const char *spec, double cond, int seed, double *outer) {
  static const double from[DIM] = {1, 1, 1, 1};
  quadratic q, t;
  problem p = {.start = from, .box = {-1000, 1000}, .least = 0, .scale = 1};
  draw(&q, cond, (uint64_t)seed), draw(&t, cond, (uint64_t)seed);
  check(NULL, pri_open(&p.ctx, NULL));
  for (int k = 0; k < 2; k++)
    check(p.ctx, pri_lower_create(p.ctx, k ? &p.tight : &p.l, &(pri_lower_level){&level, k ? &t : &q, 1, DIM, DIM}, &(pri_upper){.c = &loss, .priv = k ? &t : &q, .lip = 1, .convex = 1, .proven = 1}));
  open_problem(&p);
  const outcome best = run(&p, "fixed:eps=1e-10,metric=bfgs", &(limits){.steps = 200});
  const outcome o = run(&p, spec, &(limits){.target = {best.best + 5e-3}, .work = 1e6, .steps = 3000});
  *outer = (double)o.steps;
  close_problem(&p);
  pri_ctx_destroy(&p.ctx);
  return isnan(o.work[0]) ? INFINITY : o.work[0];
}

int bench_quadratic(int argc, char **argv) {
  static const double conds[CONDS] = {2, 5, 10, 20, 30};
  static const char *const published[CONDS] = {"56/81/67", "853/861/497", "5847/4606/1198", "40691/17334/8025", "129383/60062/25037"};
  static const struct { const char *name, *spec; } methods[METHODS] = {
      {"fixed 1e-4", "fixed:eps=5e-5,delta=5e-5,metric=none,alpha=0.01"}, {"published 1e-1", "maid:search=paper,eps=0.05,delta=0.05,alpha=0.01,relax=1.25"},
      {"published 1e-3", "maid:search=paper,eps=0.0005,delta=0.0005,alpha=0.01,relax=1.25"}, {"published 1e-5", "maid:search=paper,eps=0.000005,delta=0.000005,alpha=0.01,relax=1.25"},
      {"predictive lbfgs", "maid:eps=0.05,metric=lbfgs"}, {"predictive newton", "maid:eps=0.05,metric=newton"}};
  (void)argc, (void)argv;
  printf("iterations to f* + 5e-3 (median of %d draws), outer steps in brackets\n%6s", DRAWS, "cond");
  for (int m = 0; m < METHODS; m++) printf(" %20s", methods[m].name);
  printf("   published: fixed/MAID/accelerated, by gradient descent\n");
  for (int c = 0; c < CONDS; c++) {
    printf("%6g", conds[c]);
    for (int m = 0; m < METHODS; m++) {
      double work[DRAWS], outer[DRAWS];
      for (int k = 0; k < DRAWS; k++) work[k] = of_draw(methods[m].spec, conds[c], k, &outer[k]);
      qsort(work, DRAWS, sizeof *work, by_value), qsort(outer, DRAWS, sizeof *outer, by_value);
      printf(" %13.0f (%4.0f)", work[DRAWS / 2], outer[DRAWS / 2]);
    }
    printf("   %s\n", published[c]);
  }
  return 0;
}
