/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_learnable.c - what the learnable face of every prior that has one must hold, for every one of its examples: products of the Hessian
 * and of the mixed derivative against differences of the gradient (an error that falls fourfold when the step is halved), symmetry, mixed
 * and mixed_t as one matrix, theta in and out, and constants that no sampled quotient passes. No prior is known by name.
 * Differences need double: in float the products are compared at one step with the error that rounding leaves.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { N = 9 * 14, THETA = 4096, CACHE = 1 << 20 };
static const int is_float = sizeof(pri_real) == 4;
/* |difference - product| at step 1/8 relative to the product: of order step^2 in double; in float rounding of gradients adds 1e-7 / step */
static const double CLOSE = 0.1;

struct subject {
  char spec[160];
  pri_ctx *ctx;
  pri_prior *R;
  const pri_prior_class *cls;
  const pri_learnable *l;
  const void *priv;
  ptrdiff_t n;
  size_t p;
  double theta[THETA];
};
static pri_real cache[CACHE], cache2[CACHE];

static void open_subject(struct subject *s, const char *spec) {
  const pri_shape dom = pri_shape_2d(9, 14);
  *s = (struct subject){.n = N};
  snprintf(s->spec, sizeof s->spec, "%s", spec);
  assert_int_equal(pri_open(&s->ctx, NULL), PRI_OK);
  if (pri_prior_create(s->ctx, &s->R, spec, NULL, &dom) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(s->ctx));
  s->cls = pri_prior_class_of(s->R, &s->priv);
  s->l = s->cls->learnable;
  s->p = s->l->ntheta(s->priv);
  assert_true(s->p <= THETA && s->l->cache(s->priv) <= CACHE);
  s->l->get_theta(s->priv, s->theta);
}

static void close_subject(struct subject *s) {
  pri_prior_destroy(&s->R);
  assert_int_equal(pri_ctx_memory_used(s->ctx), 0);
  pri_ctx_destroy(&s->ctx);
}

static void draw(pri_real *a, const char *stream, double size) {
  pri_rng_normal(5, stream, 0, a, N);
  for (int i = 0; i < N; i++) a[i] *= (pri_real)size;
}

static double dot(const pri_real *a, const pri_real *b) {
  double s = 0;
  for (int i = 0; i < N; i++) s += (double)a[i] * (double)b[i];
  return s;
}

static void gradient(struct subject *s, pri_real *g, const pri_real *x) {
  assert_int_equal(s->cls->variational->grad(s->ctx, s->priv, g, x, 1, pri_prior_scratch(s->R)), PRI_OK);
}

static void prepare(struct subject *s, const pri_real *x, pri_real *to) { assert_int_equal(s->l->prepare(s->ctx, s->priv, x, to, 1), PRI_OK); }

static void hess(struct subject *s, pri_real *hv, const pri_real *v, const pri_real *c) {
  assert_int_equal(s->l->hessvec(s->ctx, s->priv, hv, v, c, 1, pri_prior_scratch(s->R)), PRI_OK);
}

static void theta_plus(struct subject *s, const double *d, double step) {
  double t[THETA];
  for (size_t i = 0; i < s->p; i++) t[i] = s->theta[i] + step * d[i];
  assert_int_equal(pri_prior_set_theta(s->R, t), PRI_OK);
}

static double error_of(const pri_real *plus, const pri_real *minus, double step, const pri_real *want) {
  double e = 0;
  for (int i = 0; i < N; i++) {
    const double d = ((double)plus[i] - (double)minus[i]) / (2 * step) - (double)want[i];
    e += d * d;
  }
  return sqrt(e / dot(want, want));
}

/* errors at two steps, a half of each other: fourfold, or small enough to be rounding */
static void falls(const struct subject *s, const char *what, const double e[2]) {
  if (!(e[0] <= CLOSE)) fail_msg("%s: %s is off by %g", s->spec, what, e[0]);
  if (!is_float && e[1] > 1e-7 && !(e[0] / e[1] >= 3 && e[0] / e[1] <= 5)) fail_msg("%s: %s: the error falls by %g, not 4", s->spec, what, e[0] / e[1]);
}

static int convex(const struct subject *s) {
  pri_bound mu, other[4];
  assert_int_equal(s->l->constants(s->priv, &mu, &other[0], &other[1], &other[2], &other[3]), PRI_OK);
  return mu.value >= 0;
}

static void hessian(struct subject *s) {
  pri_real x[N], v[N], u[N], hv[N], hu[N], at[N], g[2][N];
  double e[2];
  draw(x, "x", 0.3), draw(v, "v", 0.3), draw(u, "u", 0.3);
  prepare(s, x, cache);
  hess(s, hv, v, cache), hess(s, hu, u, cache);
  const double scale = sqrt(dot(hv, hv) * dot(u, u));
  assert_true(fabs(dot(u, hv) - dot(hu, v)) <= (is_float ? 1e-5 : 1e-12) * scale);
  if (convex(s)) assert_true(dot(v, hv) >= -(is_float ? 1e-5 : 1e-12) * scale);
  for (int k = 0; k < 2; k++) {
    const double step = 0.02 / (1 << k);
    for (int sign = 0; sign < 2; sign++) {
      for (int i = 0; i < N; i++) at[i] = (pri_real)((double)x[i] + (sign ? -step : step) * (double)v[i]);
      gradient(s, g[sign], at);
    }
    e[k] = error_of(g[0], g[1], step, hv);
  }
  falls(s, "the Hessian's product", e);
}

static void mixed(struct subject *s) {
  pri_real x[N], v[N], jd[N], g[2][N];
  double d[THETA], back[THETA], e[2], sum = 0;
  draw(x, "x", 0.3), draw(v, "v", 1);
  for (size_t i = 0; i < s->p; i++) d[i] = pri_rng_normal_at(7, "theta", i);
  prepare(s, x, cache);
  assert_int_equal(s->l->mixed(s->ctx, s->priv, jd, d, cache, 1, pri_prior_scratch(s->R)), PRI_OK);
  assert_int_equal(s->l->mixed_t(s->ctx, s->priv, back, v, cache, 1, pri_prior_scratch(s->R)), PRI_OK);
  for (size_t i = 0; i < s->p; i++) sum += back[i] * d[i];
  assert_true(fabs(sum - dot(jd, v)) <= (is_float ? 1e-5 : 1e-12) * sqrt(dot(jd, jd) * dot(v, v)));
  for (int k = 0; k < 2; k++) {
    const double step = 0.02 / (1 << k);
    theta_plus(s, d, step), gradient(s, g[0], x);
    theta_plus(s, d, -step), gradient(s, g[1], x);
    e[k] = error_of(g[0], g[1], step, jd);
  }
  theta_plus(s, d, 0);
  falls(s, "the mixed derivative", e);
}

static void theta_holds(struct subject *s) {
  double t[THETA];
  assert_int_equal(pri_prior_set_theta(s->R, s->theta), PRI_OK);
  s->l->get_theta(s->priv, t);
  for (size_t i = 0; i < s->p; i++) assert_true(fabs(t[i] - s->theta[i]) <= 1e-12 * (1 + fabs(t[i])));
  t[0] = NAN;
  assert_int_equal(pri_prior_set_theta(s->R, t), PRI_EPARAM);
  assert_int_equal(pri_prior_set_theta(s->R, s->theta), PRI_OK);
}

/* |a - b| of one column or product at two points */
static double apart(const pri_real *a, const pri_real *b) {
  double e = 0;
  for (int i = 0; i < N; i++) e += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return sqrt(e);
}

/* What J is said to be near x, against its columns, all of them, and random combinations */
static void near_holds(struct subject *s, const pri_real *x, const pri_real *y) {
  pri_bound lip = {INFINITY, PRI_EXACT}, norm = {INFINITY, PRI_EXACT};
  pri_real a[N], b[N];
  double d[THETA];
  const double far = apart(x, y), slack = is_float ? 1e-4 : 1e-9;
  if (!s->l->near) return;
  assert_int_equal(s->l->near(s->ctx, s->priv, x, far, &lip, &norm, pri_prior_scratch(s->R)), PRI_OK);
  assert_true(lip.trust >= PRI_PROVEN && norm.trust >= PRI_PROVEN && isfinite(lip.value) && isfinite(norm.value));
  for (size_t i = 0; i < s->p + 20; i++) {
    double size = 0;
    for (size_t k = 0; k < s->p; k++) d[k] = i < s->p ? k == i : pri_rng_normal_at(8, "directions", i * s->p + k), size += d[k] * d[k];
    assert_int_equal(s->l->mixed(s->ctx, s->priv, a, d, cache, 1, pri_prior_scratch(s->R)), PRI_OK);
    assert_int_equal(s->l->mixed(s->ctx, s->priv, b, d, cache2, 1, pri_prior_scratch(s->R)), PRI_OK);
    assert_true(sqrt(dot(a, a)) <= norm.value * sqrt(size) * (1 + slack));
    assert_true(apart(a, b) <= lip.value * sqrt(size) * far * (1 + slack) + slack * sqrt(dot(a, a)));
  }
}

/* Points near each other and near zero, where the curvature is largest. */
static void constants_hold(struct subject *s) {
  static const double sizes[] = {0.01, 0.1, 1};
  pri_bound mu, lip, hess_lip, mixed_lip, mixed_norm;
  pri_real x[N], y[N], v[N], a[N], b[N];
  double d[THETA] = {0};
  assert_int_equal(s->l->constants(s->priv, &mu, &lip, &hess_lip, &mixed_lip, &mixed_norm), PRI_OK);
  const double slack = is_float ? 1e-4 : 1e-9;
  for (int k = 0; k < 3; k++) {
    draw(x, "x", sizes[k]), draw(y, "y", sizes[k] / 10), draw(v, "v", 1);
    for (int i = 0; i < N; i++) y[i] += x[i];
    const double far = apart(x, y), size = sqrt(dot(v, v));
    prepare(s, x, cache), prepare(s, y, cache2);
    near_holds(s, x, y);
    hess(s, a, v, cache), hess(s, b, v, cache2);
    assert_true(sqrt(dot(a, a)) <= lip.value * size * (1 + slack));
    assert_true(dot(a, v) >= mu.value * size * size * (1 - slack));
    assert_true(apart(a, b) <= hess_lip.value * size * far * (1 + slack) + slack * lip.value * size);
    for (size_t i = 0; i < s->p && i < 8; i++) {
      memset(d, 0, sizeof d), d[i] = 1;
      assert_int_equal(s->l->mixed(s->ctx, s->priv, a, d, cache, 1, pri_prior_scratch(s->R)), PRI_OK);
      assert_int_equal(s->l->mixed(s->ctx, s->priv, b, d, cache2, 1, pri_prior_scratch(s->R)), PRI_OK);
      assert_true(sqrt(dot(a, a)) <= mixed_norm.value * (1 + slack));
      assert_true(apart(a, b) <= mixed_lip.value * far * (1 + slack) + slack * sqrt(dot(a, a)));
    }
  }
}

static void every_learnable(void **state) {
  static struct subject s;
  pri_ctx *ctx;
  int found = 0;
  (void)state;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_PRIORS]; *k; k++) {
    const pri_prior_class *c = (const pri_prior_class *)(const void *)*k;
    for (int e = 0; c->learnable && (*k)->examples[e]; e++, found++) {
      char spec[160];
      snprintf(spec, sizeof spec, "%s:%s", (*k)->name, (*k)->examples[e]);
      open_subject(&s, spec);
      theta_holds(&s);
      hessian(&s);
      mixed(&s);
      constants_hold(&s);
      close_subject(&s);
    }
  }
  assert_true(found > 0);
  pri_ctx_destroy(&ctx);
}

int conf_learnable(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_learnable)};
  return cmocka_run_group_tests_name("conf_learnable", tests, NULL, NULL);
}
