/* SPDX-License-Identifier: GPL-3.0-or-later */
/* claim_deconvolution.c - what the literature says of Richardson-Lucy, its heavy ball, and the Wiener filter. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "vec.h"

enum { ROWS = 24, COLS = 32, N = ROWS * COLS, ITEMS = 2 };
/* sums of 768 terms in pri_real products, relative */
static const double ROUND = sizeof(pri_real) == 4 ? 1e-5 : 1e-12;

struct world {
  pri_ctx *ctx;
  pri_operator *A;
  pri_map *map;
  pri_array y, w;
  pri_fidelity *f;
  double lo[ITEMS], hi[ITEMS];
  pri_problem p;
  pri_solver *s;
};

/* a few bright blocks on a dim ground, seen through A, with deterministic noise: counts, all >= 0 */
static void make_data(struct world *w) {
  pri_array x;
  assert_int_equal(pri_array_create(w->ctx, &x, pri_operator_domain(w->A), ITEMS), PRI_OK);
  assert_int_equal(pri_array_create(w->ctx, &w->y, pri_operator_range(w->A), ITEMS), PRI_OK);
  const ptrdiff_t n = pri_shape_size(&x.shape), m = pri_shape_size(&w->y.shape), cols = x.shape.n[1];
  for (ptrdiff_t i = 0; i < n * ITEMS; i++) x.data[i] = (pri_real)((i / 3 + i / cols / 4) % 7 == 2 ? 300 : 20);
  assert_int_equal(pri_operator_apply(w->A, &w->y, &x), PRI_OK);
  for (ptrdiff_t i = 0; i < m * ITEMS; i++) {
    const double v = (double)w->y.data[i];
    w->y.data[i] = (pri_real)fmax(0, rint(v + sqrt(fmax(v, 0)) * pri_rng_normal_at(3, "counts", (uint64_t)i)));
  }
  pri_array_destroy(&x);
}

static void open_world(struct world *w, const char *op, const char *fidelity, const char *solver) {
  const pri_shape shape = pri_shape_2d(ROWS, COLS);
  *w = (struct world){.lo = {0, 0}, .hi = {INFINITY, INFINITY}};
  assert_int_equal(pri_open(&w->ctx, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  if (pri_operator_create(w->ctx, &w->A, op, NULL, &shape, NULL) != PRI_OK) fail_msg("%s: %s", op, pri_ctx_message(w->ctx));
  assert_int_equal(pri_map_of(w->ctx, &w->map, w->A), PRI_OK);
  make_data(w);
  assert_int_equal(pri_fidelity_create(w->ctx, &w->f, fidelity, &w->y, NULL), PRI_OK);
  w->p = (pri_problem){.A = w->map, .f = w->f, .noise = NAN, .lo = w->lo, .hi = w->hi};
  if (pri_solver_create(w->ctx, &w->s, solver, &w->p, NULL) != PRI_OK) fail_msg("%s: %s", solver, pri_ctx_message(w->ctx));
}

static void close_world(struct world *w) {
  pri_solver_destroy(&w->s);
  pri_fidelity_destroy(&w->f);
  pri_map_destroy(&w->map);
  pri_operator_destroy(&w->A);
  pri_array_destroy(&w->y);
  pri_array_destroy(&w->w);
  assert_int_equal(pri_ctx_memory_used(w->ctx), 0);
  pri_ctx_destroy(&w->ctx);
}

static double after(struct world *w, int steps, pri_report rep[ITEMS]) { /* objective of item 0 */
  for (int k = 0; k < steps; k++) assert_int_equal(pri_solver_step(w->s, k + 1 == steps ? PRI_WANT_OBJECTIVE : 0, rep), PRI_OK);
  return rep[0].objective;
}

static const char periodic[] = "blur:psf=gaussian,sigma=1.5,border=periodic", unknown[] = "blur:psf=gaussian,sigma=1.5,border=unknown";
static const char ct[] = "ct:angles=20,size=32x24,detector=40";
static const char *const operators[] = {periodic, unknown, "blur:psf=motion,length=5,angle=30,border=replicate", ct, "mask:random=0.7", "downsample:factor=2"};
enum { OPERATORS = sizeof operators / sizeof *operators };

/* Shepp, Vardi 1982: sum_j c_j x_j = sum_i y_i after every step (b = 0); c = 1 for a periodic blur of sum 1 */
static void counts_are_kept(void **state) {
  (void)state;
  struct world w;
  pri_report rep[ITEMS];
  open_world(&w, periodic, "kl", "rl");
  for (int k = 0; k < 20; k++) {
    (void)after(&w, 1, rep);
    for (ptrdiff_t i = 0; i < ITEMS; i++) {
      const double is = pri_vsum(w.ctx, pri_array_item(pri_solver_iterate(w.s), i), N), want = pri_vsum(w.ctx, pri_array_item(&w.y, i), N);
      assert_true(fabs(is - want) <= ROUND * want);
    }
  }
  close_world(&w);
}

/* the I-divergence falls in every step, with and without background */
static void divergence_falls(void **state) {
  (void)state;
  for (int o = 0; o < OPERATORS; o++)
    for (int b = 0; b < 2; b++) {
      struct world w;
      pri_report rep[ITEMS];
      open_world(&w, operators[o], b ? "kl:background=15" : "ls", "rl");
      double last = INFINITY;
      for (int k = 0; k < 40; k++) {
        const double now = after(&w, 1, rep);
        if (!(now <= last * (1 + ROUND))) fail_msg("%s, step %d: %.12g after %.12g", operators[o], k + 1, now, last);
        last = now;
      }
      close_world(&w);
    }
}

/* Wang, Miller 2014: what takes RL 100 steps takes the heavy ball a fraction of them (a momentum of 1 - 3/k squares the rate); and it does not diverge */
static void heavy_ball_is_faster(void **state) {
  (void)state;
  for (int o = 0; o < OPERATORS; o++) {
    if (!strncmp(operators[o], "mask", 4) || !strncmp(operators[o], "down", 4)) continue; /* data that a few steps fit to rounding */
    struct world plain, ball;
    pri_report rep[ITEMS];
    open_world(&plain, operators[o], "kl", "rl");
    open_world(&ball, operators[o], "kl", "rl:accelerate=heavy-ball");
    const double goal = after(&plain, 100, rep);
    int steps = 1;
    double now = after(&ball, 1, rep);
    const double first = now;
    for (; now > goal && steps < 100; steps++) now = after(&ball, 1, rep);
    print_message("%s: %d steps for 100\n", operators[o], steps);
    assert_true(steps <= 40);
    for (double best = now; steps < 300; steps++) {
      now = after(&ball, 1, rep);
      assert_true(now < first && now < best * 1.01);
      best = fmin(best, now);
    }
    close_world(&plain), close_world(&ball);
  }
}

/* the momentum of a slow valley: the guard must fall back at times, and f(A p) never grows, so that every f(x) stays below an earlier one */
static void guard_holds(void **state) {
  (void)state;
  struct world w;
  pri_report rep[ITEMS];
  open_world(&w, "blur:psf=motion,length=5,angle=30,border=replicate", "kl", "rl:accelerate=heavy-ball");
  (void)after(&w, 400, rep);
  assert_true(rep[0].applies > 400 && rep[0].applies < 440); /* each fall costs one application */
  close_world(&w);
}

/* Bertero, Boccacci 2005: a flat scene stays flat up to the border of the field of view, and beyond where it is seen at all */
static void borders_are_not_dark(void **state) {
  (void)state;
  struct world w;
  pri_report rep[ITEMS];
  open_world(&w, unknown, "kl", "rl");
  pri_solver_destroy(&w.s);
  pri_fill(w.ctx, w.y.data, 50, pri_shape_size(&w.y.shape) * ITEMS);
  pri_fidelity_destroy(&w.f);
  assert_int_equal(pri_fidelity_create(w.ctx, &w.f, "kl", &w.y, NULL), PRI_OK);
  w.p.f = w.f;
  assert_int_equal(pri_solver_create(w.ctx, &w.s, "rl", &w.p, NULL), PRI_OK);
  (void)after(&w, 200, rep);
  const pri_real *x = pri_solver_iterate(w.s)->data;
  pri_box frame;
  pri_operator_frame(w.A, &frame);
  for (ptrdiff_t r = 0; r < frame.n[0]; r++)
    for (ptrdiff_t c = 0; c < frame.n[1]; c++) {
      const double v = (double)x[(frame.first[0] + r) * COLS + frame.first[1] + c];
      if (fabs(v - 50) > 2.5) fail_msg("pixel %td, %td of the field: %g, not 50", r, c, v);
    }
  close_world(&w);
}

/* rl:background= with least squares standing for counts is rl with kl:background= */
static void two_ways_to_a_background(void **state) {
  (void)state;
  struct world a, b;
  pri_report rep[ITEMS];
  open_world(&a, periodic, "kl:background=7", "rl");
  open_world(&b, periodic, "ls", "rl:background=7");
  (void)after(&a, 60, rep), (void)after(&b, 60, rep); /* the starts differ by the background: both near the minimum */
  const double d = sqrt(pri_dist2sq(a.ctx, pri_solver_iterate(a.s)->data, pri_solver_iterate(b.s)->data, N)), size = sqrt(pri_norm2sq(a.ctx, pri_solver_iterate(a.s)->data, N));
  assert_true(d < 0.05 * size);
  close_world(&a), close_world(&b);
}

static double total_variation(pri_ctx *ctx, const pri_array *x) {
  pri_prior *r;
  const void *priv;
  double v;
  assert_int_equal(pri_prior_create(ctx, &r, "tv:weight=1", NULL, &x->shape), PRI_OK);
  assert_int_equal(pri_prior_class_of(r, &priv)->variational->value(ctx, priv, &v, x->data, 1, pri_prior_scratch(r)), PRI_OK);
  pri_prior_destroy(&r);
  return v;
}

/* Dey 2006: the total variation falls with its weight. A fixed point is a minimum, but the slope of tv enters explicitly and makes late steps waver:
   f + tv R is only held to a hundredth */
static void total_variation_is_held(void **state) {
  (void)state;
  static const char *const specs[] = {"rl", "rl:tv=0.01", "rl:tv=0.05", "rl:accelerate=heavy-ball,tv=0.05"};
  double tv[4], ends[4];
  for (int k = 0; k < 4; k++) {
    struct world w;
    pri_report rep[ITEMS];
    open_world(&w, periodic, "kl", specs[k]);
    const double early = after(&w, 20, rep);
    ends[k] = after(&w, 130, rep);
    if (!(ends[k] <= early * 1.01)) fail_msg("%s: %.9g after %.9g", specs[k], ends[k], early);
    const pri_array x = pri_array_items(pri_solver_iterate(w.s), 0, 1);
    tv[k] = total_variation(w.ctx, &x);
    close_world(&w);
  }
  assert_true(tv[1] < 0.95 * tv[0] && tv[2] < 0.9 * tv[1]);
  assert_true(ends[3] <= ends[2] * 1.01); /* the ball gets as far with the same objective */
}

/* a volume that is larger than the blocks of the sums: the same bits for 1, 2, 3 and 8 threads */
static void threads_leave_the_bits(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 8};
  static pri_real first[14 * 29 * 39];
  const pri_shape data = {3, {10, 25, 35}};
  for (int t = 0; t < 4; t++) {
    struct world w = {.lo = {0}, .hi = {INFINITY}};
    pri_report rep[ITEMS];
    assert_int_equal(pri_open(&w.ctx, &(pri_ctx_opts){.threads = threads[t]}), PRI_OK);
    assert_int_equal(pri_operator_create(w.ctx, &w.A, "blur:psf=box,width=5x5x4,border=unknown", NULL, NULL, &data), PRI_OK);
    assert_int_equal(pri_map_of(w.ctx, &w.map, w.A), PRI_OK);
    assert_int_equal(pri_array_create(w.ctx, &w.y, &data, 1), PRI_OK);
    for (int i = 0; i < 8750; i++) w.y.data[i] = (pri_real)floor(100 * pri_rng_uniform_at(1, "volume", (uint64_t)i));
    assert_int_equal(pri_fidelity_create(w.ctx, &w.f, "kl", &w.y, NULL), PRI_OK);
    w.p = (pri_problem){.A = w.map, .f = w.f, .noise = NAN, .lo = w.lo, .hi = w.hi};
    assert_int_equal(pri_solver_create(w.ctx, &w.s, "rl:accelerate=heavy-ball,tv=0.001", &w.p, NULL), PRI_OK);
    (void)after(&w, 8, rep);
    const pri_array *x = pri_solver_iterate(w.s);
    const size_t bytes = (size_t)pri_shape_size(&x->shape) * sizeof *first;
    assert_true(bytes <= sizeof first && bytes > 2 * 4096 * sizeof *first);
    if (t == 0) memcpy(first, x->data, bytes);
    else assert_memory_equal(first, x->data, bytes);
    close_world(&w);
  }
}

/* one problem has one minimum: alternating directions and primal-dual steps, each certified, for the operators with an exact inner solve */
static double certified(struct world *w, const char *solver, double goal, long *steps) { /* objective of item 0 */
  pri_solver *s;
  pri_report rep[ITEMS];
  if (pri_solver_create(w->ctx, &s, solver, &w->p, NULL) != PRI_OK) fail_msg("%s", pri_ctx_message(w->ctx));
  for (*steps = 1; *steps <= 3000; ++*steps) {
    assert_int_equal(pri_solver_step(s, *steps % 20 ? 0 : PRI_WANT_GAP, rep), PRI_OK);
    if (*steps % 20 == 0 && rep[0].gap.value <= goal * rep[0].objective) break;
  }
  if (*steps > 3000) fail_msg("%s: relative gap %.3g", solver, rep[0].gap.value / rep[0].objective);
  pri_solver_destroy(&s);
  return rep[0].objective;
}

static void alternating_directions(void **state) {
  (void)state;
  static const char *const ops[] = {periodic, "mask:random=0.7", "downsample:factor=2", "fourier:random=0.5"};
  static const char *const fidelities[] = {"ls", "kl:background=5", "huber:delta=15"};
  const double goal = sizeof(pri_real) == 4 ? 1e-3 : 1e-4;
  for (int o = 0; o < 4; o++)
    for (int f = 0; f < 3; f++) {
      if (o == 3 && f > 0) continue; /* frequencies are no counts */
      struct world w;
      long by_admm, by_pdhg;
      open_world(&w, ops[o], "ls", "wiener:rho=1");
      pri_fidelity_destroy(&w.f);
      pri_solver_destroy(&w.s);
      pri_prior *R;
      assert_int_equal(pri_prior_create(w.ctx, &R, f == 1 ? "tv:weight=0.1" : "tv:weight=3", NULL, pri_operator_domain(w.A)), PRI_OK);
      assert_int_equal(pri_fidelity_create(w.ctx, &w.f, fidelities[f], &w.y, NULL), PRI_OK);
      const pri_prior *const all[] = {R};
      w.p.f = w.f, w.p.R = all, w.p.nR = 1, w.p.gap_goal = goal;
      for (int i = 0; i < ITEMS; i++) w.hi[i] = 400;
      const double a = certified(&w, "admm", goal, &by_admm), b = certified(&w, "pdhg", goal, &by_pdhg);
      print_message("%s, %s: admm %ld steps, pdhg %ld\n", ops[o], fidelities[f], by_admm, by_pdhg);
      if (!(fabs(a - b) <= goal * fmin(a, b))) fail_msg("%s, %s: %.9g and %.9g", ops[o], fidelities[f], a, b); /* two gaps */
      pri_prior_destroy(&R);
      close_world(&w);
    }
  struct world w;
  open_world(&w, unknown, "ls", "rl");
  pri_solver_destroy(&w.s);
  assert_non_null(strstr(pri_solver_create(w.ctx, &w.s, "admm", &w.p, NULL) == PRI_EPARAM ? pri_ctx_message(w.ctx) : "", "pdhg takes any"));
  close_world(&w);
}

/* data without noise and with dark parts, where A x is rounding: no count is divided by 0 */
static void dark_parts(void **state) {
  (void)state;
  struct world w;
  pri_report rep[ITEMS];
  pri_array x;
  open_world(&w, unknown, "kl", "rl");
  pri_solver_destroy(&w.s);
  pri_fidelity_destroy(&w.f);
  assert_int_equal(pri_array_create(w.ctx, &x, pri_operator_domain(w.A), ITEMS), PRI_OK);
  for (int i = 0; i < N * ITEMS; i++) x.data[i] = i % COLS > 12 && i % COLS < 16 ? 150 : 0;
  assert_int_equal(pri_operator_apply(w.A, &w.y, &x), PRI_OK);
  assert_int_equal(pri_fidelity_create(w.ctx, &w.f, "kl", &w.y, NULL), PRI_OK);
  w.p.f = w.f;
  assert_int_equal(pri_solver_create(w.ctx, &w.s, "rl:accelerate=heavy-ball", &w.p, NULL), PRI_OK);
  const double early = after(&w, 5, rep);
  assert_true(after(&w, 60, rep) < 0.1 * early && pri_solver_items_active(w.s) == ITEMS);
  pri_array_destroy(&x);
  close_world(&w);
}

/* nothing measured: nothing seen, and no NaN */
static void no_counts(void **state) {
  (void)state;
  struct world w;
  pri_report rep[ITEMS];
  open_world(&w, periodic, "kl", "rl:accelerate=heavy-ball");
  pri_solver_destroy(&w.s);
  pri_fill(w.ctx, w.y.data, 0, N); /* item 0 */
  assert_int_equal(pri_solver_create(w.ctx, &w.s, "rl:accelerate=heavy-ball", &w.p, NULL), PRI_OK);
  assert_true(after(&w, 5, rep) == 0);
  for (int i = 0; i < N; i++) assert_true(pri_solver_iterate(w.s)->data[i] == 0);
  assert_true(isfinite(rep[1].objective) && rep[1].objective > 0);
  close_world(&w);
}

/* x^ = conj(h^) y^ / (|h^|^2 + rho), by the sum over all frequencies: here along one row pattern, where it can be written down */
static void wiener_in_closed_form(void **state) {
  (void)state;
  struct world w;
  pri_report rep[ITEMS];
  const double turn = 2 * 3.14159265358979323846, rho = 0.03;
  double h[COLS] = {0}, taps[COLS] = {0};
  pri_array x, y;
  open_world(&w, periodic, "ls", "wiener:rho=0.03");
  pri_solver_destroy(&w.s);
  assert_int_equal(pri_array_create(w.ctx, &x, pri_operator_domain(w.A), 1), PRI_OK); /* a column of ones shows the kernel along x */
  assert_int_equal(pri_array_create(w.ctx, &y, pri_operator_domain(w.A), 1), PRI_OK);
  for (int r = 0; r < ROWS; r++) x.data[r * COLS] = 1;
  assert_int_equal(pri_operator_apply(w.A, &y, &x), PRI_OK);
  for (int c = 0; c < COLS; c++) taps[c] = (double)y.data[c];
  for (int k = 0; k < COLS; k++)
    for (int c = 0; c < COLS; c++) h[k] += taps[c] * cos(turn * k * c / COLS); /* symmetric: real */
  for (int i = 0; i < ITEMS * N; i++) w.y.data[i] = (pri_real)(cos(turn * 3 * (i % COLS) / COLS) + 2 * sin(turn * 9 * (i % COLS) / COLS) + 1);
  for (int i = 0; i < ITEMS; i++) w.lo[i] = -INFINITY;
  assert_int_equal(pri_solver_create(w.ctx, &w.s, "wiener:rho=0.03", &w.p, NULL), PRI_OK);
  (void)after(&w, 1, rep);
  assert_true(rep[0].finished && pri_solver_items_active(w.s) == 0);
  for (int i = 0; i < N; i++) {
    const double g3 = h[3] / (h[3] * h[3] + rho), g9 = h[9] / (h[9] * h[9] + rho), g0 = 1 / (1 + rho);
    const double want = g3 * cos(turn * 3 * (i % COLS) / COLS) + 2 * g9 * sin(turn * 9 * (i % COLS) / COLS) + g0;
    assert_true(fabs((double)pri_solver_iterate(w.s)->data[i] - want) < ROUND * 10);
  }
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  close_world(&w);
}

/* without an exact resolvent conjugate gradients solve the same system: (A'A + rho) x = A'y */
static void wiener_without_a_resolvent(void **state) {
  (void)state;
  static const char *const ops[] = {"blur:psf=motion,length=5,angle=30,border=replicate", unknown, "downsample:kernel=gaussian", "downsample", "fourier:random=0.5"};
  for (int o = 0; o < 5; o++) {
    struct world w;
    pri_report rep[ITEMS];
    pri_array z, b;
    open_world(&w, ops[o], "ls", "wiener:rho=0.1");
    for (int i = 0; i < ITEMS; i++) w.lo[i] = -INFINITY;
    (void)after(&w, 1, rep);
    const pri_array *x = pri_solver_iterate(w.s);
    const ptrdiff_t n = pri_shape_size(&x->shape) * ITEMS;
    assert_int_equal(pri_array_create(w.ctx, &z, &x->shape, ITEMS), PRI_OK);
    assert_int_equal(pri_array_create(w.ctx, &b, &x->shape, ITEMS), PRI_OK);
    assert_int_equal(pri_operator_adjoint(w.A, &b, &w.y), PRI_OK);
    assert_int_equal(pri_operator_normal(w.A, &z, x), PRI_OK);
    pri_axpy(w.ctx, z.data, 0.1, x->data, n);
    if (!(sqrt(pri_dist2sq(w.ctx, z.data, b.data, n)) < 5 * ROUND * sqrt(pri_norm2sq(w.ctx, b.data, n)))) fail_msg("%s", ops[o]);
    pri_array_destroy(&z);
    pri_array_destroy(&b);
    close_world(&w);
  }
}

/* rho=auto is closer to the truth than four times or a quarter of its noise would leave it: here only that it is chosen, and of the right size */
static void wiener_chooses(void **state) {
  (void)state;
  struct world w, v;
  pri_report rep[ITEMS];
  open_world(&w, periodic, "ls", "wiener");
  open_world(&v, periodic, "ls", "wiener:rho=1e-9"); /* next to nothing: noise takes over */
  (void)after(&w, 1, rep), (void)after(&v, 1, rep);
  assert_true(pri_norm2sq(w.ctx, pri_solver_iterate(w.s)->data, N) < 0.1 * pri_norm2sq(v.ctx, pri_solver_iterate(v.s)->data, N));
  assert_true(pri_norm2sq(w.ctx, pri_solver_iterate(w.s)->data, N) > 0.5 * pri_norm2sq(w.ctx, w.y.data, N));
  close_world(&w), close_world(&v);
}

int claim_deconvolution(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_kept),          cmocka_unit_test(divergence_falls),         cmocka_unit_test(heavy_ball_is_faster),
      cmocka_unit_test(guard_holds),              cmocka_unit_test(borders_are_not_dark),     cmocka_unit_test(two_ways_to_a_background),
      cmocka_unit_test(total_variation_is_held),  cmocka_unit_test(no_counts), cmocka_unit_test(dark_parts),                cmocka_unit_test(wiener_in_closed_form),
      cmocka_unit_test(wiener_without_a_resolvent), cmocka_unit_test(wiener_chooses), cmocka_unit_test(threads_leave_the_bits),
      cmocka_unit_test(alternating_directions)};
  return cmocka_run_group_tests_name("claim_deconvolution", tests, NULL, NULL);
}
