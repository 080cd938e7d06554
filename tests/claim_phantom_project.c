/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_phantom_project.c - exact projections of phantoms (spec rising_ct 10.2, 10.3, 10.5, 10.14): rays against the chord formula, bin
 * means against fine sampling, mass per view, handedness, agreement of the three beams, items alone and in a stack.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "phantoms/figures.h"
#include "priori/priori.h"

static const double pi = 3.14159265358979323846;
enum { VIEWS = 7, BINS = 96 };
static const double some_angles[VIEWS] = {0, 0.3, 0.7853981633974483, 1.2, 1.5707963267948966, 2.5, 4};
static const double tiny = sizeof(pri_real) == 4 ? 2e-6 : 1e-12; /* storage of a value of about 100 */

static pri_geometry beam(pri_beam b) {
  return (pri_geometry){.beam = b, .views = VIEWS, .rows = 1, .bins = BINS, .angle = some_angles, .sod = 150, .sdd = 260,
                        .bin = b == PRI_PARALLEL ? 1 : 1.7, .center = 46.3, .n = {64, 64, 1}, .pixel = 1.1};
}

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads, .seed = 5}), PRI_OK);
  return ctx;
}

static void project(pri_ctx *ctx, const pri_figure *f, ptrdiff_t n, int cover, const pri_geometry *g, int average, pri_real *y) {
  pri_figure copy[8];
  memcpy(copy, f, (size_t)n * sizeof *f);
  assert_int_equal(pri_figures_project(ctx, &(pri_figures){copy, n, cover}, g, average, y), PRI_OK);
}

/* chord of an ellipse by spec 10.2, for a ray by the geometry's frame written out once more */
static double chord(const pri_figure *e, double unit, const pri_geometry *g, ptrdiff_t view, double bin) {
  const double t = g->angle[view], u = (bin - g->center) * g->bin, gamma = u / g->sdd;
  double p[2] = {u * cos(t), u * sin(t)}, d[2] = {-sin(t), cos(t)};
  if (g->beam != PRI_PARALLEL) {
    const double a = g->beam == PRI_FAN_FLAT ? u : g->sdd * tan(gamma), h = hypot(a, g->sdd);
    p[0] = g->sod * sin(t), p[1] = -g->sod * cos(t);
    const double q[2] = {a / h * cos(t) - g->sdd / h * sin(t), a / h * sin(t) + g->sdd / h * cos(t)};
    d[0] = q[0], d[1] = q[1];
  }
  const double c = cos(e->phi), s = sin(e->phi), x = p[0] - e->x * unit, y = p[1] - e->y * unit, a = e->a * unit, b = e->b * unit;
  const double X[2] = {(c * x + s * y) / a, (c * y - s * x) / b}, V[2] = {(c * d[0] + s * d[1]) / a, (c * d[1] - s * d[0]) / b};
  const double vv = V[0] * V[0] + V[1] * V[1], xv = X[0] * V[0] + X[1] * V[1], root = xv * xv - vv * (X[0] * X[0] + X[1] * X[1] - 1);
  return root > 0 ? e->value * 2 * sqrt(root) / vv : 0;
}

static const pri_figure sample = {PRI_ELLIPSE, 0.7, 0.6, 0.25, 0.15, -0.2, 0.4};

static void rays_are_chords_and_bins_their_means(void **state) {
  (void)state;
  enum { FINE = 4000 };
  pri_ctx *ctx = make(2);
  pri_real ray[VIEWS * BINS], mean[VIEWS * BINS];
  for (int b = PRI_PARALLEL; b <= PRI_FAN_CURVED; b++) {
    const pri_geometry g = beam((pri_beam)b);
    project(ctx, &sample, 1, 0, &g, 0, ray);
    project(ctx, &sample, 1, 0, &g, 1, mean);
    for (ptrdiff_t i = 0; i < VIEWS * BINS; i++) {
      double sum = 0;
      for (int k = 0; k < FINE; k++) sum += chord(&sample, 35.2, &g, i / BINS, (double)(i % BINS) + (k + 0.5) / FINE - 0.5) / FINE;
      assert_true(fabs((double)ray[i] - chord(&sample, 35.2, &g, i / BINS, (double)(i % BINS))) <= 60 * tiny);
      assert_true(fabs((double)mean[i] - sum) <= 60 * tiny + 60 * pow(FINE, -1.5)); /* midpoint rule at a square root */
    }
  }
  pri_ctx_destroy(&ctx);
}

static void mass_is_area(void **state) {
  (void)state;
  static const pri_figure f[3] = {{PRI_ELLIPSE, 0.7, 0.5, 0.2, 0.1, -0.2, 0.4}, {PRI_BOX, 0.3, 0.2, 0.3, -0.3, 0.1, 1}, {PRI_WEDGE, -0.2, 0.5, 0.2, 0.1, 0.2, 2}};
  const double mass = 35.2 * 35.2 * (0.7 * pi * 0.5 * 0.2 + 0.3 * 4 * 0.2 * 0.3 - 0.2 * 0.5 * 0.2);
  pri_ctx *ctx = make(1);
  const pri_geometry g = beam(PRI_PARALLEL);
  pri_real y[VIEWS * BINS];
  project(ctx, f, 3, 0, &g, 1, y);
  for (int v = 0; v < VIEWS; v++) {
    double sum = 0;
    for (int j = 0; j < BINS; j++) sum += (double)y[v * BINS + j];
    assert_true(fabs(sum - mass) <= mass * (sizeof(pri_real) == 4 ? 1e-6 : 1e-9)); /* sum of means = area, whatever the direction */
  }
  pri_ctx_destroy(&ctx);
}

static void a_dot_is_where_the_frame_says(void **state) {
  (void)state;
  const pri_figure dot = {PRI_ELLIPSE, 1, 0.12, 0.12, 0.5, 0.25, 0};
  pri_ctx *ctx = make(1);
  for (int b = PRI_PARALLEL; b <= PRI_FAN_CURVED; b++) {
    const pri_geometry g = beam((pri_beam)b);
    pri_real y[VIEWS * BINS];
    project(ctx, &dot, 1, 0, &g, 1, y);
    for (int v = 0; v < VIEWS; v++) {
      const double c = cos(some_angles[v]), s = sin(some_angles[v]), w = 17.6 * c + 8.8 * s, l = g.sod - 17.6 * s + 8.8 * c;
      const double u = b == PRI_PARALLEL ? w : b == PRI_FAN_FLAT ? w / l * g.sdd : atan(w / l) * g.sdd;
      double sum = 0, first = 0;
      for (int j = 0; j < BINS; j++) sum += (double)y[v * BINS + j], first += j * (double)y[v * BINS + j];
      assert_true(fabs(first / sum - (u / g.bin + g.center)) <= 0.05); /* whole bins, and the fan is not linear */
    }
  }
  pri_ctx_destroy(&ctx);
}

static void what_covers_hides(void **state) {
  (void)state; /* a disc that covers another: as if the inner part of the lower one were cut out and filled */
  const pri_figure over[2] = {{PRI_ELLIPSE, 0.4, 0.6, 0.6, 0, 0, 0}, {PRI_ELLIPSE, 1, 0.3, 0.3, 0.1, 0, 0}};
  const pri_figure sum[2] = {{PRI_ELLIPSE, 0.4, 0.6, 0.6, 0, 0, 0}, {PRI_ELLIPSE, 0.6, 0.3, 0.3, 0.1, 0, 0}};
  pri_ctx *ctx = make(3);
  const pri_geometry g = beam(PRI_FAN_FLAT);
  pri_real a[VIEWS * BINS], b[VIEWS * BINS];
  for (int average = 0; average < 2; average++) {
    project(ctx, over, 2, 1, &g, average, a);
    project(ctx, sum, 2, 0, &g, average, b);
    for (int i = 0; i < VIEWS * BINS; i++) assert_true(fabs((double)a[i] - (double)b[i]) <= 60 * tiny);
  }
  pri_ctx_destroy(&ctx);
}

static void the_source_stays_outside(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_geometry g = beam(PRI_FAN_FLAT);
  pri_figure f = sample;
  pri_real y[VIEWS * BINS];
  g.sod = 20;
  assert_int_equal(pri_figures_project(ctx, &(pri_figures){&f, 1, 0}, &g, 1, y), PRI_EGEOMETRY);
  assert_non_null(strstr(pri_ctx_message(ctx), "sod=20"));
  g.beam = PRI_CONE_FLAT;
  assert_int_equal(pri_figures_project(ctx, &(pri_figures){&f, 1, 0}, &g, 1, y), PRI_ENOTSUP);
  pri_ctx_destroy(&ctx);
}

static void drawing_keeps_the_area(void **state) {
  (void)state;
  enum { N = 61 };
  pri_ctx *ctx = make(2);
  pri_figure f = sample;
  pri_real x[N * N];
  assert_int_equal(pri_figures_draw(ctx, &(pri_figures){&f, 1, 0}, x, N, N), PRI_OK);
  double sum = 0, X = 0, Y = 0;
  for (int i = 0; i < N * N; i++) {
    const double v = (double)x[i];
    sum += v, X += v * (i % N - (N - 1) / 2.0), Y += v * ((N - 1) / 2.0 - i / N);
  }
  const double area = 0.7 * pi * 0.6 * 0.25 * (N / 2.0) * (N / 2.0);
  assert_true(fabs(sum / area - 1) <= 2e-5); /* 64 lines a pixel: the ends of the ellipse are cut to 1/64 pixel */
  assert_true(fabs(X / sum - 0.15 * N / 2) <= 0.01 && fabs(Y / sum + 0.2 * N / 2) <= 0.01); /* centre of mass, y up */
  pri_ctx_destroy(&ctx);
}

int claim_phantom_project(void);
int claim_phantom_project(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rays_are_chords_and_bins_their_means), cmocka_unit_test(mass_is_area), cmocka_unit_test(a_dot_is_where_the_frame_says),
      cmocka_unit_test(what_covers_hides), cmocka_unit_test(the_source_stays_outside), cmocka_unit_test(drawing_keeps_the_area)};
  return cmocka_run_group_tests_name("claim_phantom_project", tests, NULL, NULL);
}
