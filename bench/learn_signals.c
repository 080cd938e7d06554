/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_signals.c - learn signals [METHOD...]: the 1-D problems of Ehrhardt and Roberts (inexact derivative-free bilevel learning; spec maid 9.3 B4) on their
 * data: 256 samples of [-2, 2], indicators of (t - c)^2 < R^2, noise of sd 0.1, from numpy's legacy generator with seed 0.
 *
 *   h_i = 1/2 |x - y_i|^2 + 10^a sum_j root((x_j-1 - x_j)^2 + nu^2) + 10^l / 2 |x|^2, x_-1 = 0, nu = 1e-3 or 10^n;  f = sum_i |x_i - truth_i|^2
 *   p = 1: a alone, l = -3, 10 signals;  p = 3: (a, n, l) from (0, -1, -1), 20 signals, f + 1e-6 (L/mu)^2
 * The goals are sums of lower-level iterations over the signals: DFO-LS 92 876 and 226 992, prototype 57 000 - 62 000 and 73 000.
 */
#include "learn.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 256, FIRST = 10, SECOND = 20, MT = 624, MIDDLE = 397 };
static const double TEN = 2.3025850929940457; /* log 10 */

/* ---- numpy.random.RandomState(seed): MT19937 (Matsumoto, Nishimura 1998), doubles of 53 bits, normals by the polar method */

struct twister { uint32_t s[MT]; int at, has; double kept; };

static void seed(struct twister *t, uint32_t s) {
  t->at = MT, t->has = 0;
  for (uint32_t i = 0; i < MT; i++) t->s[i] = s, s = 1812433253u * (s ^ (s >> 30)) + i + 1;
}

static void refill(struct twister *t) {
  for (int i = 0; i < MT; i++) {
    const uint32_t y = (t->s[i] & 0x80000000u) | (t->s[(i + 1) % MT] & 0x7fffffffu);
    t->s[i] = t->s[(i + MIDDLE) % MT] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
  }
  t->at = 0;
}

static uint32_t word(struct twister *t) {
  if (t->at == MT) refill(t);
  uint32_t y = t->s[t->at++];
  y ^= y >> 11, y ^= (y << 7) & 0x9d2c5680u, y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

static double uniform(struct twister *t) {
  const uint32_t a = word(t) >> 5, b = word(t) >> 6;
  return ((double)a * 67108864 + (double)b) / 9007199254740992;
}

static double normal(struct twister *t) {
  double x, y, r;
  if (t->has) return t->has = 0, t->kept;
  do x = 2 * uniform(t) - 1, y = 2 * uniform(t) - 1, r = x * x + y * y;
  while (r >= 1 || r == 0);
  const double f = sqrt(-2 * log(r) / r);
  t->kept = f * x, t->has = 1;
  return f * y;
}

/* ---- the lower level; where p = 3 one sample more is the penalty: h = L/2 |x - b e_1|^2, 1/2 b^2 = 1e-6 (L/mu)^2 / 2 */

typedef struct signals { int p, m; double a, nu, l, da, dn, dl, L, mu; const double *y, *truth; } signals;
typedef struct desk { double x[N], d[N]; } desk;
static double truths[SECOND * N], data[SECOND * N];

static void draw(int m) {
  struct twister t;
  seed(&t, 0);
  for (int i = 0; i < m; i++) {
    const double c = -1 + 2 * uniform(&t), R = -0.5 - 0.5 * uniform(&t);
    for (int k = 0; k < N; k++) truths[i * N + k] = pow(-2 + 4.0 * k / (N - 1) - c, 2) < R * R;
  }
  for (int k = 0; k < m * N; k++) data[k] = truths[k] + 0.1 * normal(&t);
}

static size_t room(const void *priv) { return (void)priv, sizeof(desk); }

static pri_status at_theta(pri_ctx *ctx, void *priv, const double *theta, pri_lower_constants *c) {
  signals *s = priv;
  (void)ctx;
  s->a = exp(theta[0]), s->nu = s->p == 3 ? exp(theta[1]) : 1e-3, s->l = s->p == 3 ? exp(theta[2]) : 1e-3;
  s->mu = 1 + s->l, s->L = s->mu + 4 * s->a / s->nu;
  const double curve = 0.8587 * s->a * 4 * sqrt(2) / (s->nu * s->nu); /* L_H; rows of D have norm root 2 */
  *c = (pri_lower_constants){.mu = s->mu, .L = s->L, .hess_lip = curve, .mixed_lip = fmax(4 * s->a / s->nu, s->l) * 2, .mixed_norm = INFINITY, .mu_proven = 1, .proven = 1};
  return PRI_OK;
}

static int penalty(const signals *s, ptrdiff_t i) { return i == s->m; }
static double bend(const signals *s) { return 1e-3 * s->L / s->mu; }
/* d b / d theta_j = 1e-3 (dL mu - L dmu) / mu^2 */
static double bend_slope(const signals *s, int j) {
  const double e = 4 * s->a / s->nu;
  return 1e-3 * (j == 0 ? e / s->mu : j == 1 ? -e / s->mu : -e * s->l / (s->mu * s->mu));
}
static double L_slope(const signals *s, int j) { return j == 0 ? 4 * s->a / s->nu : j == 1 ? -4 * s->a / s->nu : s->l; }

static double step_down(const double *x, int k) { return (k ? x[k - 1] : 0) - x[k]; }

static pri_status start_at(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *x) {
  const signals *s = priv;
  (void)ctx, (void)memory;
  for (int k = 0; k < N; k++) x[k] = penalty(s, i) ? 0 : s->y[i * N + k];
  return PRI_OK;
}

/* out = D'f */
static void back(pri_real *out, const double *f, double c) {
  for (int k = 0; k < N; k++) out[k] += c * ((k + 1 < N ? f[k + 1] : 0) - f[k]);
}

static pri_status gradient(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *g, const pri_real *x) {
  const signals *s = priv;
  desk *k = memory;
  (void)ctx;
  for (int j = 0; j < N; j++) g[j] = penalty(s, i) ? s->L * (x[j] - (j ? 0 : bend(s))) : s->mu * x[j] - s->y[i * N + j];
  if (penalty(s, i)) return PRI_OK;
  for (int j = 0; j < N; j++) {
    const double t = step_down(x, j);
    k->d[j] = t / sqrt(t * t + s->nu * s->nu);
  }
  back(g, k->d, s->a);
  return PRI_OK;
}

static pri_status prepare(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x) {
  (void)ctx, (void)priv, (void)i;
  memcpy(((desk *)memory)->x, x, N * sizeof *x);
  return PRI_OK;
}

static pri_status product(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *hv, const pri_real *v) {
  const signals *s = priv;
  desk *k = memory;
  (void)ctx;
  for (int j = 0; j < N; j++) hv[j] = (penalty(s, i) ? s->L : s->mu) * v[j];
  if (penalty(s, i)) return PRI_OK;
  for (int j = 0; j < N; j++) {
    const double t = step_down(k->x, j), r = sqrt(t * t + s->nu * s->nu);
    k->d[j] = step_down(v, j) * s->nu * s->nu / (r * r * r);
  }
  back(hv, k->d, s->a);
  return PRI_OK;
}

/* column j of J at the point kept */
static void column(const signals *s, desk *k, ptrdiff_t i, int j, pri_real *out) {
  for (int n = 0; n < N; n++) {
    const double t = step_down(k->x, n), r = sqrt(t * t + s->nu * s->nu);
    out[n] = penalty(s, i) ? L_slope(s, j) * (k->x[n] - (n ? 0 : bend(s))) - (n ? 0 : s->L * bend_slope(s, j)) : j == 2 ? s->l * k->x[n] : 0;
    k->d[n] = j == 0 ? t / r : -s->nu * s->nu * t / (r * r * r);
  }
  if (!penalty(s, i) && j < 2) back(out, k->d, s->a);
}

static pri_status mixed(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *out, const double *dtheta) {
  const signals *s = priv;
  pri_real c[N];
  (void)ctx;
  memset(out, 0, N * sizeof *out);
  for (int j = 0; j < s->p; j++) {
    column(s, memory, i, j, c);
    for (int n = 0; n < N; n++) out[n] += dtheta[j] * c[n];
  }
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, double *out, const pri_real *v) {
  const signals *s = priv;
  pri_real c[N];
  (void)ctx;
  for (int j = 0; j < s->p; j++) {
    column(s, memory, i, j, c);
    out[j] = 0;
    for (int n = 0; n < N; n++) out[j] += c[n] * v[n];
  }
  return PRI_OK;
}

static pri_status value(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const signals *s = priv;
  (void)ctx, (void)memory;
  *g = 0;
  for (int k = 0; k < N; k++) grad[k] = x[k] - (penalty(s, i) ? 0 : s->truth[i * N + k]), *g += grad[k] * grad[k] / 2;
  return PRI_OK;
}

static void nothing(pri_ctx *ctx, void *priv) { (void)ctx, (void)priv; }
static const pri_lower_class level = {.name = "signals", .desk = room, .theta = at_theta, .start = start_at, .gradient = gradient, .prepare = prepare, .product = product, .mixed = mixed, .mixed_t = mixed_t, .fini = nothing};
static const pri_upper_class loss = {"distance", NULL, value, 1, nothing};

static void one(problem *p, const char *spec, const limits *to) {
  const outcome o = run(p, spec, to);
  printf("%-30s", spec);
  for (int k = 0; k < TARGETS && to->target[k] > 0; k++) printf(" %9.0f", o.work[k]);
  printf("   best %.6f at", o.best);
  for (size_t i = 0; i < pri_lower_ntheta(p->l); i++) printf(" %.4f", o.theta[i] / TEN);
  printf("  %ld steps, %ld up, %ld broken, %s\n", o.steps, o.rises, o.broken, pri_verdict_name(o.why));
  fflush(stdout);
}

static void problem_of(int p, int m, const double *from, const limits *to, char **specs, int n) {
  static const char *const all[] = {"maid", "maid:metric=lbfgs", "maid:search=paper,eps=0.00625,delta=0.00625,alpha=0.01", "fixed:eps=1e-6,metric=bfgs", "dfo", "hoag"};
  signals s = {.p = p, .m = m, .y = data, .truth = truths}, t = s;
  problem b = {.start = from, .box = {-16, 16}, .least = INFINITY, .scale = 2.0 * (m + (p == 3))};
  check(NULL, pri_open(&b.ctx, NULL));
  draw(m);
  for (int k = 0; k < 2; k++)
    check(b.ctx, pri_lower_create(b.ctx, k ? &b.tight : &b.l, &(pri_lower_level){&level, k ? &t : &s, m + (p == 3), N, (size_t)p}, &(pri_upper){.c = &loss, .priv = k ? &t : &s, .lip = 1, .convex = 1, .proven = 1}));
  open_problem(&b);
  printf("p = %d: f(start) = %.4f; lower-level iterations to", p, exact(&b, from));
  for (int k = 0; k < TARGETS && to->target[k] > 0; k++) printf(" %.6g", to->target[k]);
  printf("\n");
  for (int i = 0; i < (n ? n : (int)(sizeof all / sizeof *all)); i++) one(&b, n ? specs[i] : all[i], to);
  close_problem(&b);
  pri_ctx_destroy(&b.ctx);
}

int bench_signals(int argc, char **argv) {
  static const double first[] = {0}, second[] = {0, -2.3025850929940457, -2.3025850929940457};
  const limits one_parameter = {.target = {1.3716}, .work = 6e5, .steps = 400}, three = {.target = {2.8806, 2.8525, 2.8275}, .work = 6e5, .steps = 400};
  puts("goals: p = 1 in 62 000 (DFO-LS 92 876); p = 3 to 2.8806 in 73 000 (DFO-LS 226 992), to 2.8525 in 81 000, to 2.8275 in 135 000; optimum 2.82687");
  problem_of(1, FIRST, first, &one_parameter, argv + 1, argc - 1);
  problem_of(3, SECOND, second, &three, argv + 1, argc - 1);
  return 0;
}
