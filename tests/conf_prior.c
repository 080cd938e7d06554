/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_prior.c - what every registered prior must hold, for every one of its examples, on images of 2 and 3 axes and with unequal
 * pitches: gradient against differences, claimed constants, optimal and non-expansive prox with a gap that is none too small, a saddle
 * face that belongs to the value (adjoint, norm, Fenchel), scaling, items, threads, failing allocations. No prior is known by name.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "alloc.h"
#include "priori/priori.h"
#include "vec.h"

enum { ITEMS = 2, MOST = 400, DUAL = 8000 /* elements of a dual or auxiliary variable */ };
/* values are sums in double of what pri_real holds; differences of images of size 1 are known to a few eps each */
static const double ROUND = sizeof(pri_real) == 4 ? 2e-6 : 1e-13;

struct subject {
  char spec[160];
  pri_ctx *ctx;
  pri_prior *R;
  const pri_prior_class *cls;
  const void *priv;
  ptrdiff_t n, q, w; /* elements of an image, its dual, its aux (0: none) */
  double norm;
};
static const pri_shape doms[] = {{2, {9, 14}}, {3, {3, 5, 6}}, {2, {1, 12}}};
static const pri_meta metas[] = {{.pixel = {1, 1, 1}}, {.pixel = {1, 2, 0.5}}, {.pixel = {1, 1, 1}}};

static pri_status fill(struct subject *s, int k) {
  PRI_TRY(pri_prior_create(s->ctx, &s->R, s->spec, &metas[k], &doms[k]));
  s->cls = pri_prior_class_of(s->R, &s->priv);
  s->n = pri_shape_size(&doms[k]);
  if (!s->cls->saddle) return PRI_OK;
  pri_shape aux, dual;
  pri_bound norm;
  PRI_TRY(s->cls->saddle->shapes(s->priv, &aux, &dual, &norm));
  s->q = pri_shape_size(&dual), s->w = aux.nd ? pri_shape_size(&aux) : 0, s->norm = norm.value;
  assert_true(norm.trust >= PRI_PROVEN);
  return PRI_OK;
}

static void open_subject(struct subject *s, const char *spec, int k, int threads) {
  *s = (struct subject){0};
  snprintf(s->spec, sizeof s->spec, "%s", spec);
  assert_int_equal(pri_open(&s->ctx, &(pri_ctx_opts){.threads = threads}), PRI_OK);
  if (fill(s, k) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(s->ctx));
  assert_true(s->n * ITEMS <= MOST && s->q * ITEMS <= DUAL && s->w * ITEMS <= DUAL);
}

static void close_subject(struct subject *s) {
  pri_prior_destroy(&s->R);
  assert_int_equal(pri_ctx_memory_used(s->ctx), 0);
  pri_ctx_destroy(&s->ctx);
}

static void draw(pri_real *a, ptrdiff_t n, const char *stream, double size) {
  pri_rng_normal(9, stream, 0, a, (size_t)n);
  for (ptrdiff_t i = 0; i < n; i++) a[i] *= (pri_real)size;
}

static double dot(const pri_real *a, const pri_real *b, ptrdiff_t n) {
  double s = 0;
  for (ptrdiff_t i = 0; i < n; i++) s += (double)a[i] * (double)b[i];
  return s;
}

static double distance2(const pri_real *a, const pri_real *b, ptrdiff_t n) {
  double s = 0;
  for (ptrdiff_t i = 0; i < n; i++) s += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return s;
}

static double value(struct subject *s, const pri_real *x) {
  double v;
  assert_int_equal(s->cls->variational->value(s->ctx, s->priv, &v, x, 1, pri_prior_scratch(s->R)), PRI_OK);
  return v;
}

/* along d: (R(x + h d) - R(x - h d)) / 2h misses <grad, d> by O(h^2), until rounding of the images (eps R'/h) takes over */
static void slopes(struct subject *s) {
  const pri_variational *v = s->cls->variational;
  pri_real x[MOST], d[MOST], g[MOST], up[MOST], down[MOST];
  double miss[2];
  if (!v || !v->grad) return;
  draw(x, s->n, "x", 1), draw(d, s->n, "d", 1);
  assert_int_equal(v->grad(s->ctx, s->priv, g, x, 1, pri_prior_scratch(s->R)), PRI_OK);
  for (int k = 0; k < 2; k++) {
    const double h = 0.02 / (k + 1);
    for (ptrdiff_t i = 0; i < s->n; i++) up[i] = x[i] + (pri_real)h * d[i], down[i] = x[i] - (pri_real)h * d[i];
    miss[k] = fabs((value(s, up) - value(s, down)) / (2 * h) - dot(g, d, s->n));
  }
  const double noise = ROUND * 50 * (fabs(value(s, x)) + 1) / 0.01;
  assert_true(miss[1] <= miss[0] / 2.5 + noise); /* kinks of second order inside of [x - h d, x + h d] cost some of the 4 */
  if (v->quadratic) assert_true(fabs(value(s, x) - dot(x, g, s->n) / 2) <= ROUND * 10 * value(s, x));
}

static void constants_hold(struct subject *s) {
  const pri_variational *v = s->cls->variational;
  pri_real a[MOST], b[MOST], ga[MOST], gb[MOST], mid[MOST];
  if (!v) return;
  const pri_bound l = v->lipschitz ? v->lipschitz(s->priv) : (pri_bound){NAN, PRI_UNKNOWN}, mu = v->convexity ? v->convexity(s->priv) : (pri_bound){NAN, PRI_UNKNOWN};
  draw(a, s->n, "a", 1), draw(b, s->n, "b", 0.3);
  const double u2 = distance2(a, b, s->n);
  if (v->grad && l.trust >= PRI_PROVEN) {
    assert_int_equal(v->grad(s->ctx, s->priv, ga, a, 1, pri_prior_scratch(s->R)), PRI_OK);
    assert_int_equal(v->grad(s->ctx, s->priv, gb, b, 1, pri_prior_scratch(s->R)), PRI_OK);
    assert_true(sqrt(distance2(ga, gb, s->n)) <= l.value * sqrt(u2) * (1 + 100 * ROUND));
  }
  if (mu.trust < PRI_PROVEN) return;
  for (ptrdiff_t i = 0; i < s->n; i++) mid[i] = (a[i] + b[i]) / 2; /* R(mid) + mu |a - b|^2 / 8 <= (R(a) + R(b)) / 2 */
  assert_true(value(s, mid) + mu.value * u2 / 8 <= (value(s, a) + value(s, b)) / 2 * (1 + 100 * ROUND));
}

static double proximal(struct subject *s, const pri_real *x, const pri_real *z, double tau) { return distance2(x, z, s->n) / (2 * tau) + value(s, x); }

/* in the box; no feasible point nearby is better by more than the certified gap; convex: non-expansive up to both gaps */
static void prox_is_optimal(struct subject *s) {
  const pri_variational *v = s->cls->variational;
  if (!v || !v->prox) return;
  const double lo = -0.4, hi = 0.8, tau = 0.7, tol = sizeof(pri_real) == 4 ? 1e-5 : 1e-7; /* FGP's gap falls like 1 / k^2 */
  const pri_prox_req req = {tau, tol, 20000, 0};
  const int convex = !v->convexity || v->convexity(s->priv).trust != PRI_UNKNOWN;
  pri_real z[2][MOST], p[2][MOST], near[MOST], d[MOST];
  pri_prox_cert cert[2];
  draw(z[0], s->n, "z", 0.5), draw(z[1], s->n, "other z", 0.5), draw(d, s->n, "d", 1);
  for (int k = 0; k < 2; k++) {
    const long before = pri_ctx_allocations(s->ctx);
    assert_int_equal(v->prox(s->ctx, s->priv, p[k], z[k], &lo, &hi, &req, &cert[k], NULL, NULL, 1, pri_prior_scratch(s->R)), PRI_OK);
    assert_int_equal(pri_ctx_allocations(s->ctx), before);
    for (ptrdiff_t i = 0; i < s->n; i++) assert_true(p[k][i] >= (pri_real)lo && p[k][i] <= (pri_real)hi);
    if (convex) assert_true(cert[k].gap.value <= tol && cert[k].gap.trust >= PRI_PROVEN);
  }
  const double best = proximal(s, p[0], z[0], tau), slack = convex ? cert[0].gap.value * best + ROUND * best : 1e-3 * best;
  for (int j = 0; j < 12; j++) {
    const double h = (j % 2 ? -1 : 1) * pow(0.1, j / 2);
    for (ptrdiff_t i = 0; i < s->n; i++) near[i] = (pri_real)fmin(fmax((double)p[0][i] + h * (double)d[(i * 7 + j) % s->n], lo), hi);
    assert_true(proximal(s, near, z[0], tau) >= best - slack);
  }
  /* 1/tau-strongly convex: |p - prox| <= sqrt(2 tau gap) */
  const double off = sqrt(2 * tau * slack) + sqrt(2 * tau * tol * proximal(s, p[1], z[1], tau));
  if (convex) assert_true(sqrt(distance2(p[0], p[1], s->n)) <= sqrt(distance2(z[0], z[1], s->n)) + off);
}

static void saddle_operator(struct subject *s) {
  const pri_saddle *k = s->cls->saddle;
  static pri_real x[MOST], w[DUAL], q[DUAL], kx[DUAL], tx[MOST], tw[DUAL];
  static double wide[MOST], wide_w[DUAL];
  draw(x, s->n, "x", 1), draw(w, s->w, "w", 1), draw(q, s->q, "q", 1);
  memset(tx, 0, sizeof tx), memset(tw, 0, sizeof tw), memset(wide, 0, sizeof wide), memset(wide_w, 0, sizeof wide_w);
  assert_int_equal(k->k(s->ctx, s->priv, kx, x, s->w ? w : NULL, 1), PRI_OK);
  assert_int_equal(k->kt(s->ctx, s->priv, tx, s->w ? tw : NULL, q, 1), PRI_OK);
  const double left = dot(kx, q, s->q), right = dot(x, tx, s->n) + dot(w, tw, s->w), size = s->norm * sqrt((dot(x, x, s->n) + dot(w, w, s->w)) * dot(q, q, s->q));
  assert_true(fabs(left - right) <= ROUND * size);
  assert_true(dot(kx, kx, s->q) <= s->norm * s->norm * (dot(x, x, s->n) + dot(w, w, s->w)) * (1 + ROUND));
  if (k->kt_wide) {
    double sum = 0;
    assert_int_equal(k->kt_wide(s->ctx, s->priv, wide, s->w ? wide_w : NULL, q, 1), PRI_OK);
    for (ptrdiff_t i = 0; i < s->n; i++) sum += wide[i] * (double)x[i];
    for (ptrdiff_t i = 0; i < s->w; i++) sum += wide_w[i] * (double)w[i];
    assert_true(fabs(left - sum) <= ROUND * size);
  }
}

/* F(K x) >= <K x, q> - F*(q) for feasible q; F(K x) >= R(x), equal without aux; dual_prox is the minimiser that it claims */
static void saddle_values(struct subject *s) {
  const pri_saddle *k = s->cls->saddle;
  static pri_real x[MOST], q[DUAL], kx[DUAL], p[DUAL], near[DUAL];
  double f, c;
  draw(x, s->n, "x", 1), draw(q, s->q, "q", 2);
  assert_int_equal(k->k(s->ctx, s->priv, kx, x, NULL, 1), PRI_OK);
  assert_int_equal(k->value(s->ctx, s->priv, &f, kx, 1), PRI_OK);
  if (!s->w && s->cls->variational) assert_true(fabs(f - value(s, x)) <= 10 * ROUND * f);
  if (k->value_wide) {
    draw(p, s->w, "w", 1);
    assert_int_equal(k->k(s->ctx, s->priv, near, x, s->w ? p : NULL, 1), PRI_OK);
    double through, wide;
    assert_int_equal(k->value(s->ctx, s->priv, &through, near, 1), PRI_OK);
    assert_int_equal(k->value_wide(s->ctx, s->priv, &wide, x, s->w ? p : NULL, 1), PRI_OK);
    assert_true(fabs(wide - through) <= 10 * ROUND * wide);
  }
  memcpy(p, q, sizeof p);
  assert_int_equal(k->dual_prox(s->ctx, s->priv, p, 0, NULL, 1), PRI_OK);
  for (int pass = 0; pass < 2; pass++) {
    assert_int_equal(k->conjugate(s->ctx, s->priv, &c, p, 1), PRI_OK);
    assert_true(isfinite(c) && dot(kx, p, s->q) - c <= f * (1 + 10 * ROUND) + ROUND);
    if (k->repair) assert_int_equal(k->repair(s->ctx, s->priv, p, 1), PRI_OK);
  }
  const double sigma = 0.8;
  memcpy(p, q, sizeof p);
  assert_int_equal(k->dual_prox(s->ctx, s->priv, p, sigma, NULL, 1), PRI_OK);
  assert_int_equal(k->conjugate(s->ctx, s->priv, &c, p, 1), PRI_OK);
  const double best = distance2(p, q, s->q) / (2 * sigma) + c;
  for (int j = 0; j < 8; j++) {
    for (ptrdiff_t i = 0; i < s->q; i++) near[i] = p[i] + (pri_real)((j % 2 ? -1 : 1) * pow(0.1, j / 2) * (double)q[(5 * i + j) % s->q]);
    assert_int_equal(k->dual_prox(s->ctx, s->priv, near, 0, NULL, 1), PRI_OK);
    assert_int_equal(k->conjugate(s->ctx, s->priv, &c, near, 1), PRI_OK);
    assert_true(distance2(near, q, s->q) / (2 * sigma) + c >= best * (1 - 20 * ROUND));
  }
}

static void weight_scales(struct subject *s) {
  pri_real x[MOST];
  if (!s->cls->scale || !s->cls->variational) return;
  draw(x, s->n, "x", 1);
  const double before = value(s, x);
  assert_int_equal(pri_prior_scale(s->R, 3), PRI_OK);
  assert_true(fabs(value(s, x) - 3 * before) <= 1e-12 * before);
  assert_int_equal(pri_prior_scale(s->R, -1), PRI_EPARAM);
  assert_int_equal(pri_prior_scale(s->R, 1.0 / 3), PRI_OK);
}

/* items together have the bits of items alone, for any number of threads */
static void bits_agree(const char *spec, int k) {
  static pri_real first[2 * MOST + DUAL], z[MOST], q[DUAL], out[2 * MOST + DUAL];
  const double lo[ITEMS] = {-1, 0}, hi[ITEMS] = {1, INFINITY};
  const pri_prox_req req = {0.5, 0, 15, 0};
  static const int threads[] = {1, 2, 3, 8};
  for (int t = 0; t < 4; t++) {
    struct subject s;
    open_subject(&s, spec, k, threads[t]);
    draw(z, s.n * ITEMS, "z", 1), draw(q, s.q * ITEMS, "q", 1);
    const pri_variational *v = s.cls->variational;
    pri_real *p = out, *g = out + MOST, *d = out + 2 * MOST;
    memset(out, 0, sizeof out), memcpy(d, q, sizeof q);
    for (ptrdiff_t i = 0, step = t ? ITEMS : 1; i < ITEMS; i += step) {
      if (v && v->prox) assert_int_equal(v->prox(s.ctx, s.priv, p + i * s.n, z + i * s.n, lo + i, hi + i, &req, NULL, NULL, NULL, step, pri_prior_scratch(s.R)), PRI_OK);
      if (v && v->grad) assert_int_equal(v->grad(s.ctx, s.priv, g + i * s.n, z + i * s.n, step, pri_prior_scratch(s.R)), PRI_OK);
      if (s.q) assert_int_equal(s.cls->saddle->dual_prox(s.ctx, s.priv, d + i * s.q, 0.6, NULL, step), PRI_OK);
    }
    if (t == 0) memcpy(first, out, sizeof out);
    else assert_memory_equal(first, out, sizeof out);
    close_subject(&s);
  }
}

struct attempt { const char *spec; int k; };
static pri_status work(pri_ctx *ctx, void *arg) {
  const struct attempt *a = arg;
  struct subject s = {.ctx = ctx};
  snprintf(s.spec, sizeof s.spec, "%s", a->spec);
  const pri_status status = fill(&s, a->k);
  pri_prior_destroy(&s.R);
  return status;
}

/* Some take images of so many axes only (channels, planes); which do is theirs to say, by ESHAPE. */
static int takes(pri_ctx *ctx, const char *spec, int k) {
  pri_prior *R;
  const pri_status s = pri_prior_create(ctx, &R, spec, &metas[k], &doms[k]);
  pri_prior_destroy(&R);
  return s != PRI_ESHAPE;
}

static void one_example(pri_ctx *ctx, const char *name, const char *keys) {
  char spec[150];
  int taken = 0;
  snprintf(spec, sizeof spec, "%s:%s", name, keys);
  for (int k = 0; k < 3; k++) {
    struct subject s;
    if (!takes(ctx, spec, k)) continue;
    taken++;
    print_message("%s on %d axes\n", spec, doms[k].nd);
    open_subject(&s, spec, k, 2);
    slopes(&s), constants_hold(&s), prox_is_optimal(&s), weight_scales(&s);
    if (s.cls->saddle) saddle_operator(&s), saddle_values(&s);
    close_subject(&s);
    bits_agree(spec, k);
    const char *why = test_every_allocation(pri_ctx_registry(ctx), work, &(struct attempt){spec, k});
    if (why) fail_msg("%s: %s", spec, why);
  }
  if (!taken) fail_msg("%s takes none of the shapes", spec);
}

static void every_prior(void **state) {
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_PRIORS]; *k; k++)
    for (const char *const *e = (*k)->examples; *e; e++) one_example(ctx, (*k)->name, *e);
  pri_ctx_destroy(&ctx);
}

/* a file of twos is the weight 2, to the bit */
static void weight_file(void **state) {
  (void)state;
  static pri_real map[126], x[126], a[252], b[252];
  const char *name = "conf_prior_map.npy";
  pri_ctx *ctx;
  pri_output *o;
  pri_prior *R, *S;
  const void *rp, *sp;
  double va, vb;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  for (int i = 0; i < 126; i++) map[i] = 2;
  assert_int_equal(pri_output_create(ctx, &o, name, &doms[0], 1, &(pri_output_opts){.overwrite = 1}), PRI_OK);
  assert_int_equal(pri_output_write(o, map, 0, 1), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
  char spec[80];
  snprintf(spec, sizeof spec, "tv:weight=%s", name);
  assert_int_equal(pri_prior_create(ctx, &R, spec, NULL, &doms[0]), PRI_OK);
  assert_int_equal(pri_prior_create(ctx, &S, "tv:weight=2", NULL, &doms[0]), PRI_OK);
  const pri_prior_class *c = pri_prior_class_of(R, &rp);
  (void)pri_prior_class_of(S, &sp);
  draw(x, 126, "x", 1), draw(a, 252, "q", 5);
  memcpy(b, a, sizeof a);
  assert_int_equal(c->variational->value(ctx, rp, &va, x, 1, NULL), PRI_OK);
  assert_int_equal(c->variational->value(ctx, sp, &vb, x, 1, NULL), PRI_OK);
  assert_true(va == vb && isnan(c->weight(rp)));
  assert_int_equal(c->saddle->dual_prox(ctx, rp, a, 1, NULL, 1), PRI_OK);
  assert_int_equal(c->saddle->dual_prox(ctx, sp, b, 1, NULL, 1), PRI_OK);
  assert_memory_equal(a, b, sizeof a);
  pri_prior_destroy(&R), pri_prior_destroy(&S);
  assert_int_equal(pri_prior_create(ctx, &R, spec, NULL, &doms[2]), PRI_ESHAPE); /* another shape */
  assert_int_equal(pri_prior_create(ctx, &R, "tv:weight=no-such-file.npy", NULL, &doms[0]), PRI_EREAD);
  remove(name), remove("conf_prior_map.npy.json");
  pri_ctx_destroy(&ctx);
}

int conf_prior(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_prior), cmocka_unit_test(weight_file)};
  return cmocka_run_group_tests_name("conf_prior", tests, NULL, NULL);
}
