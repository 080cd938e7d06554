/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_gap_truth.c - a certificate is never below the truth, and closes: for pairs of operator, data term and prior on a 9 x 10 image, pdhg's
 * iterates after 10, 40, ... steps have a gap that is not below objective - minimum, the minimum found by a long run (whose own gap bounds
 * its error), and the last gap is small; dual variables that are noise do not make it wrong.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { SIDE_Y = 9, SIDE_X = 10, N = SIDE_Y * SIDE_X };
#define IS_FLOAT (sizeof(pri_real) == sizeof(float))

struct pair {
  const char *A, *f, *R;
  double lo, hi, floor_[2]; /* relative gap that the long run comes to, in float and double; 1: not asked for */
};

/* floors: float rounds p and q to 6e-8 of their size (tgv shrinks its q by 16 of that, and its excess is known to as much), which z = A'p + K'q keeps and the box of about n pixels sums up; double: 1 / k of 20000 steps */
static const struct pair pairs[] = {
    {"identity", "ls", "tv:0.1", -0.5, 1.5, {3e-6, 1e-8}},
    {"identity", "ls", "tv:0.1", -INFINITY, INFINITY, {3e-6, 1e-8}},
    {"identity", "ls", "tgv:0.1", -0.5, 1.5, {5e-5, 1e-6}},
    {"identity", "ls", "tgv:0.1", -INFINITY, INFINITY, {5e-5, 1e-6}},
    {"identity", "ls", "tgv:weight=0.08,ratio=1", 0, INFINITY, {5e-5, 1e-6}},
    {"identity", "huber:delta=0.1", "tgv:0.05", -0.5, 1.5, {1e-4, 1e-5}},
    {"identity", "kl:background=0.2", "tgv:0.3", 0, 2, {1e-4, 1e-5}},
    {"mask:random=0.6", "ls", "tgv:0.05", -0.5, 1.5, {1e-4, 1e-5}},
    {"mask:random=0.6", "ls", "huber-tv:0.05,delta=0.1", -0.5, 1.5, {1e-4, 1e-5}},
    {"blur:psf=gaussian,sigma=1", "ls", "tgv:0.02", -0.5, 1.5, {1e-4, 1e-5}},
    {"blur:psf=gaussian,sigma=1", "kl:background=0.2", "tv:0.05", 0, 2, {1e-4, 1e-5}},
    {"blur:psf=gaussian,sigma=1", "huber:delta=0.1", "tv:0.05", -0.5, 1.5, {1e-4, 1e-5}},
    {"blur:psf=gaussian,sigma=0.8,border=unknown", "ls", "tv:0.02", -0.5, 1.5, {1e-3, 1e-4}},
    {"identity", "ls", "wavelet:0.1", -0.5, 1.5, {1e-5, 1e-7}},
    {"identity", "ls", "wavelet:0.1,family=db2,levels=2,border=periodic", -INFINITY, INFINITY, {1e-5, 1e-7}},
    {"blur:psf=gaussian,sigma=1", "ls", "wavelet:0.02", -0.5, 1.5, {1e-4, 1e-5}},
    {"identity", "ls", "hessian-schatten:0.05", -INFINITY, INFINITY, {1e-4, 1e-5}},
    {"blur:psf=gaussian,sigma=1", "ls", "hessian-schatten:0.01,p=2", -0.5, 1.5, {1e-4, 1e-5}},
    {"mask:random=0.6", "ls", "hessian-schatten:0.02,p=inf", -0.5, 1.5, {1e-4, 1e-5}},
    {"identity", "ls", "foe:weight=0.05,smoothing=0.02", -INFINITY, INFINITY, {1e-5, 1e-8}},
    {"blur:psf=gaussian,sigma=1", "ls", "foe:weight=0.02,smoothing=0.05", -0.5, 1.5, {1e-4, 1e-5}},
    {"downsample:factor=2,kernel=bicubic", "ls", "tv:0.02", -0.5, 1.5, {1e-3, 1e-4}},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

struct world {
  pri_ctx *ctx;
  pri_operator *A;
  pri_map *map;
  pri_array y;
  pri_fidelity *f;
  pri_prior *R;
  double lo, hi;
  pri_problem problem;
};

static void must(const struct world *w, pri_status s) {
  if (s != PRI_OK) fail_msg("%s", pri_ctx_message(w->ctx));
}

static pri_status operator(struct world *w, const char *spec) { /* the measured field is 9 x 10, or what a 9 x 10 image gives */
  const pri_shape image = {2, {SIDE_Y - SIDE_Y % 2 * (strncmp(spec, "down", 4) == 0), SIDE_X}};
  const int unknown = strstr(spec, "unknown") != NULL;
  return pri_operator_create(w->ctx, &w->A, spec, NULL, unknown ? NULL : &image, unknown ? &image : NULL);
}

static void make(struct world *w, const struct pair *p) {
  pri_array x;
  *w = (struct world){.lo = p->lo, .hi = p->hi};
  assert_int_equal(pri_open(&w->ctx, &(pri_ctx_opts){.threads = 1}), PRI_OK);
  must(w, operator(w, p->A));
  must(w, pri_map_of(w->ctx, &w->map, w->A));
  must(w, pri_array_create(w->ctx, &x, pri_operator_domain(w->A), 1));
  must(w, pri_array_create(w->ctx, &w->y, pri_operator_range(w->A), 1));
  const ptrdiff_t nx = x.shape.n[1], n = pri_shape_size(&x.shape), m = pri_shape_size(&w->y.shape);
  for (ptrdiff_t i = 0; i < n; i++) x.data[i] = (pri_real)(i % nx > 4 ? 0.8 : 0.05 * (double)(i % nx) + 0.02 * (double)(i / nx));
  must(w, pri_operator_apply(w->A, &w->y, &x));
  for (ptrdiff_t i = 0; i < m; i++) w->y.data[i] = (pri_real)fmax((double)w->y.data[i] + 0.1 * pri_rng_normal_at(3, "noise", (uint64_t)i), strncmp(p->f, "kl", 2) ? -9 : 0);
  pri_array_destroy(&x);
  must(w, pri_fidelity_create(w->ctx, &w->f, p->f, &w->y, NULL));
  must(w, pri_prior_create(w->ctx, &w->R, p->R, NULL, pri_operator_domain(w->A)));
  w->problem = (pri_problem){.A = w->map, .f = w->f, .R = (const pri_prior *const *)&w->R, .nR = 1, .noise = NAN, .lo = &w->lo, .hi = &w->hi};
}

static void unmake(struct world *w) {
  pri_prior_destroy(&w->R);
  pri_fidelity_destroy(&w->f);
  pri_map_destroy(&w->map);
  pri_operator_destroy(&w->A);
  pri_array_destroy(&w->y);
  assert_int_equal(pri_ctx_memory_used(w->ctx), 0);
  pri_ctx_destroy(&w->ctx);
}

/* the certificate after `steps` more steps; trust is PROVEN */
static double advance(struct world *w, pri_solver *s, long steps, double *primal) {
  pri_duals d;
  pri_bound gap;
  for (long k = 0; k < steps; k++) must(w, pri_solver_step(s, 0, NULL));
  must(w, pri_solver_duals(s, &d));
  must(w, pri_certificate(w->ctx, &w->problem, pri_solver_iterate(s), &d, primal, &gap));
  if (isfinite(gap.value)) assert_int_equal(gap.trust, PRI_PROVEN);
  return gap.value;
}

/* q is noise of size 10: whatever the certificate says must still be above */
static void nonsense(struct world *w, pri_solver *s, double least) {
  pri_duals d;
  pri_bound gap;
  double primal;
  must(w, pri_solver_duals(s, &d));
  const ptrdiff_t nq = pri_shape_size(&d.q[0].shape);
  pri_array q[1];
  must(w, pri_array_create(w->ctx, q, &d.q[0].shape, 1));
  pri_rng_normal(5, "q", 0, q[0].data, (size_t)nq);
  for (ptrdiff_t i = 0; i < nq; i++) q[0].data[i] *= 10;
  d.q = q;
  must(w, pri_certificate(w->ctx, &w->problem, pri_solver_iterate(s), &d, &primal, &gap));
  assert_true(gap.value >= primal - least);
  pri_array_destroy(q);
}

static void one(const struct pair *p) {
  struct world w;
  pri_solver *s;
  double primal[5], gap[5];
  make(&w, p);
  must(&w, pri_solver_create(w.ctx, &s, "pdhg", &w.problem, NULL));
  for (int k = 0, steps = 10; k < 5; k++, steps *= 5) gap[k] = advance(&w, s, k ? steps - steps / 5 : steps, &primal[k]);
  const double best = primal[4] - gap[4]; /* not above the minimum; the minimum is not above primal[4] */
  print_message("%s, %s, %s: relative gaps %.1e %.1e %.1e %.1e %.1e\n", p->A, p->f, p->R, gap[0] / primal[0], gap[1] / primal[1], gap[2] / primal[2], gap[3] / primal[3], gap[4] / primal[4]);
  for (int k = 0; k < 4; k++) assert_true(gap[k] >= primal[k] - primal[4]);
  assert_true(gap[4] <= p->floor_[!IS_FLOAT] * primal[4]);
  nonsense(&w, s, best + gap[4]);
  pri_solver_destroy(&s);
  unmake(&w);
}

static void gaps_are_true(void **state) {
  (void)state;
  for (int k = 0; k < PAIRS; k++) one(&pairs[k]);
}

int claim_gap_truth(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gaps_are_true)};
  return cmocka_run_group_tests_name("claim_gap_truth", tests, NULL, NULL);
}
