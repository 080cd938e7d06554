/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_tv_taut_string.c - Beck, Teboulle 2009: FGP solves the TV prox. On images of one row (or one column) its minimiser is the taut
 * string, computed here directly (Condat 2013, IEEE SPL 20(11)); the certified gap bounds what is left.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "vec.h"

enum { N = 200 };

struct string {
  const double *z;
  double *x, lambda, umin, umax, vmin, vmax;
  int k, k0, plus, minus;
};

static void down(struct string *s) { /* the lower end is reached: vmin up to `minus` */
  do s->x[s->k0++] = s->vmin;
  while (s->k0 <= s->minus);
}

static void up(struct string *s) {
  do s->x[s->k0++] = s->vmax;
  while (s->k0 <= s->plus);
}

static int at_the_end(struct string *s) { /* 1: done */
  if (s->umin < 0) {
    down(s);
    s->minus = s->k = s->k0;
    s->vmin = s->z[s->k0], s->umin = s->lambda;
    s->umax = s->vmin + s->umin - s->vmax;
  } else if (s->umax > 0) {
    up(s);
    s->plus = s->k = s->k0;
    s->vmax = s->z[s->k0], s->umax = -s->lambda;
    s->umin = s->vmax + s->umax - s->vmin;
  } else {
    s->vmin += s->umin / (s->k - s->k0 + 1);
    do s->x[s->k0++] = s->vmin;
    while (s->k0 <= s->k);
    return 1;
  }
  return 0;
}

static void restart(struct string *s, double low, double high) {
  s->plus = s->minus = s->k = s->k0;
  s->vmin = low, s->vmax = high, s->umin = s->lambda, s->umax = -s->lambda;
}

static void go_on(struct string *s) {
  const double l = s->lambda;
  s->k++;
  if (s->umin >= l) s->minus = s->k, s->vmin += (s->umin - l) / (s->minus - s->k0 + 1), s->umin = l;
  if (s->umax <= -l) s->plus = s->k, s->vmax += (s->umax + l) / (s->plus - s->k0 + 1), s->umax = -l;
}

static void taut_string(const double *z, double *x, int n, double lambda) {
  struct string s = {z, x, lambda, lambda, -lambda, z[0] - lambda, z[0] + lambda, 0, 0, 0, 0};
  for (;;) {
    while (s.k == n - 1)
      if (at_the_end(&s)) return;
    s.umin += z[s.k + 1] - s.vmin, s.umax += z[s.k + 1] - s.vmax;
    if (s.umin < -lambda) {
      down(&s);
      restart(&s, z[s.k0], z[s.k0] + 2 * lambda);
    } else if (s.umax > lambda) {
      up(&s);
      restart(&s, z[s.k0] - 2 * lambda, z[s.k0]);
    } else
      go_on(&s);
  }
}

static void objective(const pri_real *z, const double *x, double w, double *out) {
  *out = 0;
  for (int i = 0; i < N; i++) *out += ((double)z[i] - x[i]) * ((double)z[i] - x[i]) / 2 + (i ? w * fabs(x[i] - x[i - 1]) : 0);
}

static void one_line(pri_ctx *ctx, ptrdiff_t ny, ptrdiff_t nx, double weight, double tau) {
  const pri_shape dom = pri_shape_2d(ny, nx);
  pri_prior *R;
  char spec[64];
  const void *priv;
  pri_real z[N], p[N], q[2 * N] = {0};
  double zd[N], x[N], pd[N], best, mine;
  pri_prox_cert cert;
  snprintf(spec, sizeof spec, "tv:weight=%.17g", weight);
  assert_int_equal(pri_prior_create(ctx, &R, spec, NULL, &dom), PRI_OK);
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  pri_rng_normal(5, "line", 0, z, N);
  for (int i = 0; i < N; i++) zd[i] = (double)(z[i] += (pri_real)(i / 50));
  taut_string(zd, x, N, tau * weight);
  const pri_prox_req req = {tau, sizeof(pri_real) == sizeof(float) ? 3e-6 : 1e-10, 200000, 0};
  assert_int_equal(c->variational->prox(ctx, priv, p, z, NULL, NULL, &req, &cert, q, NULL, 1, pri_prior_scratch(R)), PRI_OK);
  for (int i = 0; i < N; i++) pd[i] = (double)p[i];
  objective(z, x, tau * weight, &best), objective(z, pd, tau * weight, &mine);
  assert_true(cert.gap.value <= req.tol && cert.gap.trust == PRI_PROVEN);
  assert_true(mine - best <= cert.gap.value * mine);
  assert_true(mine - best >= -1e-12 * best); /* the taut string is exact up to 200 roundings in double */
  /* 1-strongly convex: |p - x|^2 / 2 <= gap */
  double distance = 0;
  for (int i = 0; i < N; i++) distance += (pd[i] - x[i]) * (pd[i] - x[i]);
  assert_true(distance / 2 <= 1.0001 * cert.gap.value * mine + 1e-13 * mine);
  pri_prior_destroy(&R);
}

static void prox_is_the_taut_string(void **state) {
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  one_line(ctx, 1, N, 0.3, 1);
  one_line(ctx, N, 1, 0.3, 1);
  one_line(ctx, 1, N, 0.02, 50);
  one_line(ctx, N, 1, 40, 0.1);
  pri_ctx_destroy(&ctx);
}

static void box_holds_and_threads_agree(void **state) {
  (void)state;
  pri_ctx *one, *three;
  assert_int_equal(pri_open(&one, &(pri_ctx_opts){.threads = 1}), PRI_OK);
  assert_int_equal(pri_open(&three, &(pri_ctx_opts){.threads = 3}), PRI_OK);
  const pri_shape dom = pri_shape_2d(130, 90);
  const ptrdiff_t n = pri_shape_size(&dom);
  const double lo[2] = {-0.5, 0}, hi[2] = {0.5, INFINITY};
  pri_real *z = pri_calloc(one, (size_t)(2 * n), sizeof *z), *a = pri_calloc(one, (size_t)(2 * n), sizeof *a), *b = pri_calloc(one, (size_t)(2 * n), sizeof *b);
  pri_rng_normal(6, "image", 0, z, (size_t)(2 * n));
  pri_prior *R, *S;
  const void *priv;
  pri_prox_cert cert[2];
  assert_int_equal(pri_prior_create(one, &R, "tv:0.2", NULL, &dom), PRI_OK);
  assert_int_equal(pri_prior_create(three, &S, "tv:0.2", NULL, &dom), PRI_OK);
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  const pri_prox_req req = {1, 1e-4, 500, 0};
  assert_int_equal(c->variational->prox(one, priv, a, z, lo, hi, &req, cert, NULL, NULL, 2, pri_prior_scratch(R)), PRI_OK);
  assert_true(cert[0].gap.value <= 1e-4 && cert[1].gap.value <= 1e-4);
  for (ptrdiff_t i = 0; i < n; i++) assert_true(a[i] >= -0.5f && a[i] <= 0.5f && a[n + i] >= 0);
  (void)pri_prior_class_of(S, &priv);
  assert_int_equal(c->variational->prox(three, priv, b, z, lo, hi, &req, cert, NULL, NULL, 2, pri_prior_scratch(S)), PRI_OK);
  assert_memory_equal(a, b, (size_t)(2 * n) * sizeof *a);
  assert_int_equal(c->variational->prox(three, priv, b, z + n, lo + 1, hi + 1, &req, cert, NULL, NULL, 1, pri_prior_scratch(S)), PRI_OK);
  assert_memory_equal(a + n, b, (size_t)n * sizeof *a); /* alone as in company */
  pri_prior_destroy(&R);
  pri_prior_destroy(&S);
  pri_free(one, z), pri_free(one, a), pri_free(one, b);
  pri_ctx_destroy(&three);
  pri_ctx_destroy(&one);
}

int claim_tv_taut_string(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(prox_is_the_taut_string), cmocka_unit_test(box_holds_and_threads_agree)};
  return cmocka_run_group_tests_name("claim_tv_taut_string", tests, NULL, NULL);
}
