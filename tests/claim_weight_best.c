/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_weight_best.c - gcv and sure choose a weight within 0.3 dB of the best of a grid, discrepancy within 0.8 dB (issue
 * 4): denoising with tv, deblurring with tv and wavelet, photon counts with tv. The picture is ellipses on slow waves.
 * lcurve only has to answer. Same bits for one and three threads.
 */
#include "priori/phantom.h"
#include "priori/priori.h"
#include "reconstruct/weight.h"
#include "vec.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { SIDE = 64, N = SIDE * SIDE, GRID = 9 };

struct task {
  const char *op, *fidelity, *prior;
  double sd;          /* of the noise; kl: 1, and counts of 5 to 25 */
  const char *solver; /* for the grid */
  long steps;
};

struct world {
  pri_ctx *ctx;
  pri_operator *A;
  pri_map *map;
  pri_array truth, y;
  pri_fidelity *f;
  pri_prior *R;
  double lo, hi;
  pri_problem problem;
};

static void draw(struct world *w, const struct task *t) {
  pri_phantom *p;
  const int counts = !strcmp(t->fidelity, "kl");
  assert_int_equal(pri_phantom_create(w->ctx, &p, "ellipses:size=64"), PRI_OK);
  assert_int_equal(pri_phantom_draw(p, &w->truth, 5), PRI_OK);
  pri_phantom_destroy(&p);
  for (int i = 0; i < N; i++) w->truth.data[i] += (pri_real)(0.2 * sin(i % SIDE / 6.0) * sin(i / SIDE / 9.0) + 0.3);
  if (counts)
    for (int i = 0; i < N; i++) w->truth.data[i] = (pri_real)(5 + 20 * fabs((double)w->truth.data[i]));
  assert_int_equal(pri_operator_apply(w->A, &w->y, &w->truth), PRI_OK);
  for (int i = 0; i < N; i++) { /* counts: rounded normal numbers, near enough from 5 on */
    const double z = (double)w->y.data[i], e = pri_rng_normal_at(8, "noise", (uint64_t)i);
    w->y.data[i] = (pri_real)(counts ? fmax(0, rint(z + sqrt(z) * e)) : z + t->sd * e);
  }
}

static void make(struct world *w, const struct task *t, int threads) {
  const pri_shape image = pri_shape_2d(SIDE, SIDE);
  *w = (struct world){.lo = 0, .hi = INFINITY};
  assert_int_equal(pri_open(&w->ctx, &(pri_ctx_opts){.threads = threads}), PRI_OK);
  assert_int_equal(pri_operator_create(w->ctx, &w->A, t->op, NULL, &image, NULL), PRI_OK);
  assert_int_equal(pri_map_of(w->ctx, &w->map, w->A), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->truth, pri_operator_domain(w->A), 1), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->y, pri_operator_range(w->A), 1), PRI_OK);
  draw(w, t);
  assert_int_equal(pri_fidelity_create(w->ctx, &w->f, t->fidelity, &w->y, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(w->ctx, &w->R, t->prior, NULL, pri_operator_domain(w->A)), PRI_OK);
  w->problem = (pri_problem){w->map, w->f, (const pri_prior *const *)&w->R, 1, NAN, 0, &w->lo, &w->hi};
}

static void unmake(struct world *w) {
  pri_fidelity_destroy(&w->f);
  pri_prior_destroy(&w->R);
  pri_map_destroy(&w->map);
  pri_operator_destroy(&w->A);
  pri_array_destroy(&w->truth), pri_array_destroy(&w->y);
  pri_ctx_destroy(&w->ctx);
}

static double error_at(struct world *w, const struct task *t, double *now, double weight) { /* |x - truth|^2 in dB */
  pri_solver *s;
  assert_int_equal(pri_prior_scale(w->R, weight / *now), PRI_OK);
  *now = weight;
  assert_int_equal(pri_solver_create(w->ctx, &s, t->solver, &w->problem, NULL), PRI_OK);
  for (long k = 0; k < t->steps; k++) assert_int_equal(pri_solver_step(s, 0, NULL), PRI_OK);
  const double error = pri_dist2sq(w->ctx, pri_solver_iterate(s)->data, w->truth.data, N);
  pri_solver_destroy(&s);
  return 10 * log10(error);
}

static void within(const struct task *t) {
  static const double goal[PRI_WEIGHT_METHODS] = {
      [PRI_WEIGHT_DISCREPANCY] = 0.8, [PRI_WEIGHT_GCV] = 0.3, [PRI_WEIGHT_SURE] = 0.3, [PRI_WEIGHT_LCURVE] = INFINITY};
  struct world w;
  double now = 1, best = INFINITY, chosen[PRI_WEIGHT_METHODS];
  make(&w, t, 1);
  for (int m = 0; m < PRI_WEIGHT_METHODS; m++) {
    pri_weight_result r;
    assert_int_equal(pri_prior_scale(w.R, 1 / now), PRI_OK);
    const pri_weight_search search = {
        .problem = &w.problem, .scaled = &w.R, .n_scaled = 1, .sd = &t->sd, .method = (pri_weight_method)m};
    assert_int_equal(pri_weight_find(w.ctx, &search, &r), PRI_OK);
    assert_true(r.chosen > 0 && isfinite(r.chosen) && r.n >= 3);
    now = chosen[m] = r.chosen;
  }
  for (int k = 0; k < GRID; k++)
    best = fmin(best, error_at(&w, t, &now, chosen[PRI_WEIGHT_SURE] * pow(2, (k - GRID / 2) / 2.0)));
  for (int m = 0; m < PRI_WEIGHT_METHODS; m++) {
    const double loss = error_at(&w, t, &now, chosen[m]) - best;
    print_message("%s %s %s: %s %.4g loses %.2f dB\n", t->op, t->fidelity, t->prior, pri_weight_name((pri_weight_method)m),
                  chosen[m], loss);
    assert_true(loss <= goal[m]);
  }
  unmake(&w);
}

static void denoising(void **state) {
  (void)state;
  within(&(struct task){"identity", "ls", "tv:1", 0.1, "fista:inner=200", 5});
}

static void deblurring(void **state) {
  (void)state;
  within(&(struct task){"blur:psf=gaussian,sigma=1.2,border=replicate", "ls", "tv:1", 0.01, "pdhg", 300});
}

static void deblurring_with_wavelets(void **state) {
  (void)state;
  within(&(struct task){"blur:psf=gaussian,sigma=1.2,border=replicate", "ls", "wavelet:1", 0.01, "pdhg", 300});
}

static void photon_counts(void **state) {
  (void)state;
  within(&(struct task){"identity", "kl", "tv:1", 1, "pdhg", 300});
}

static void same_bits(void **state) {
  (void)state;
  const struct task t = {"identity", "ls", "wavelet:1", 0.1, "pdhg", 1};
  pri_weight_result r[2];
  for (int i = 0; i < 2; i++) {
    struct world w;
    make(&w, &t, i ? 3 : 1);
    const pri_weight_search search = {
        .problem = &w.problem, .scaled = &w.R, .n_scaled = 1, .sd = &t.sd, .method = PRI_WEIGHT_GCV};
    assert_int_equal(pri_weight_find(w.ctx, &search, &r[i]), PRI_OK);
    unmake(&w);
  }
  assert_true(r[0].n == r[1].n && r[0].chosen == r[1].chosen);
  assert_memory_equal(r[0].tested, r[1].tested, sizeof r[0].tested);
}

int claim_weight_best(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(denoising), cmocka_unit_test(deblurring),
                                     cmocka_unit_test(deblurring_with_wavelets), cmocka_unit_test(photon_counts),
                                     cmocka_unit_test(same_bits)};
  return cmocka_run_group_tests_name("claim_weight_best", tests, NULL, NULL);
}
