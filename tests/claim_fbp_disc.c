/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_fbp_disc.c - spec rising_ct 10.6: the FBP of an off-centre disc from 402 exact bin means is 1 inside and 0 outside, for every
 * window, pixel pitch, beam and scan; 10.7: the filter's zero frequency; 6.5: Parker's weights add up; offsets, any order of the views.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "phantoms/figures.h"
#include "priori/priori.h"
#include "reconstruct/fbp.h"

static const double pi = 3.14159265358979323846;
enum { N = 128, VIEWS = 402, MAXBINS = 320 };
static double angles[VIEWS];
static pri_real y[VIEWS * MAXBINS], x[N * N];

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  return ctx;
}

static void turn(double start, double arc, int backwards) {
  for (int v = 0; v < VIEWS; v++) angles[v] = (start + arc * (backwards ? VIEWS - 1 - v : v) / VIEWS) * pi / 180;
}

static pri_geometry beam(pri_beam b, double pixel) {
  const double fan = b == PRI_PARALLEL ? 1 : 5.0 / 3;
  return (pri_geometry){.beam = b, .views = VIEWS, .rows = 1, .bins = b == PRI_PARALLEL ? 192 : 200, .angle = angles, .sod = 150, .sdd = 250,
                        .bin = fan * 128 / 150, .center = b == PRI_PARALLEL ? 95.5 : 99.5, .n = {N, N, 1}, .pixel = pixel};
}

struct error { double inside, outside, spread; };

/* disc of radius 35 mm around (7.6, 4.55) mm: means of x - 1 inside 0.8 R, of x beyond 1.2 R in the circle that is seen */
static struct error reconstruct(pri_ctx *ctx, const pri_geometry *g, const pri_fbp_opts *o) {
  const double R = 35, X = 7.6, Y = 4.55, half = g->pixel * N / 2;
  pri_figure disc = {PRI_ELLIPSE, 1, R / half, R / half, X / half, Y / half, 0};
  pri_fbp *f;
  assert_int_equal(pri_figures_project(ctx, &(pri_figures){&disc, 1, 0}, g, 1, y), PRI_OK);
  assert_int_equal(pri_fbp_create(ctx, &f, g, o), PRI_OK);
  assert_int_equal(pri_fbp_run(f, x, y, -INFINITY, INFINITY), PRI_OK);
  pri_fbp_destroy(&f);
  double in = 0, in2 = 0, out = 0, inside = 0, outside = 0;
  for (int i = 0; i < N * N; i++) {
    const double px = (i % N - (N - 1) / 2.0) * g->pixel, py = ((N - 1) / 2.0 - i / N) * g->pixel, r = hypot(px - X, py - Y), v = (double)x[i];
    if (r < 0.8 * R) in += v - 1, in2 += (v - 1) * (v - 1), inside++;
    if (r > 1.2 * R && hypot(px, py) < 64) out += v, outside++;
  }
  assert_true(inside > 100 && outside > 100);
  return (struct error){fabs(in / inside), fabs(out / outside), sqrt(in2 / inside)};
}

static void expect(pri_ctx *ctx, const pri_geometry *g, const pri_fbp_opts *o, double mean, const char *what) {
  const struct error e = reconstruct(ctx, g, o);
  if (!(e.inside <= mean && e.outside <= mean && e.spread <= 0.01))
    fail_msg("%s, window %d: mean off by %.1e inside, %.1e outside, spread %.1e (%.0e, %.0e, 1e-2)", what, o->window, e.inside, e.outside, e.spread, mean, mean);
}

static void every_window_beam_and_pitch(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  for (int b = PRI_PARALLEL; b <= PRI_FAN_CURVED; b++)
    for (int window = PRI_RAM_LAK; window <= PRI_HANN; window++)
      for (int pitch = 0; pitch < 2; pitch++) {
        const double pixel = pitch ? 1 : 0.75;
        turn(0, b == PRI_PARALLEL ? 180 : 360, window % 2);
        const pri_geometry g = beam((pri_beam)b, pixel);
        expect(ctx, &g, &(pri_fbp_opts){.window = window, .cutoff = b == PRI_PARALLEL && window == PRI_HANN ? 0.7 : 1}, 1e-4, "full");
      }
  pri_ctx_destroy(&ctx);
}

static void short_scans(void **state) {
  (void)state; /* least arc: 180 + 2 x 26.6 degrees; over-scans to 330; fewer views a half turn: 2e-4 */
  static const double arc[4] = {236, 240, 275, 330};
  pri_ctx *ctx = make();
  for (int b = PRI_FAN_FLAT; b <= PRI_FAN_CURVED; b++)
    for (int i = 0; i < 4; i++) {
      turn(37 * i - 50, arc[i], i % 2);
      const pri_geometry g = beam((pri_beam)b, 1);
      expect(ctx, &g, &(pri_fbp_opts){.window = i, .cutoff = 1}, 2e-4, "short scan");
    }
  pri_ctx_destroy(&ctx);
}

static void centres_beside_the_middle(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  for (int b = PRI_PARALLEL; b <= PRI_FAN_CURVED; b++) {
    pri_geometry g = beam((pri_beam)b, 1);
    turn(10, b == PRI_PARALLEL ? 180 : 360, 0);
    g.center += 7.3;
    expect(ctx, &g, &(pri_fbp_opts){.cutoff = 1}, 1e-4, "shifted centre");
    turn(10, 360, 0);
    g.center = 62; /* one side sees 53 mm at most: less than half of the disc in some views */
    expect(ctx, &g, &(pri_fbp_opts){.cutoff = 1}, 3e-4, "offset detector"); /* half the views a ray: errors double, and more */
  }
  pri_ctx_destroy(&ctx);
}

static void any_set_of_angles(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_geometry g = beam(PRI_PARALLEL, 1);
  for (int v = 0; v < VIEWS; v++) angles[v] = pi * fmod(v * 0.6180339887498949, 1); /* golden angle */
  expect(ctx, &g, &(pri_fbp_opts){.cutoff = 1}, 2e-4, "golden angle");
  for (int v = 0; v < VIEWS; v++) angles[v] = pi * (v < 134 ? v / 268.0 : 0.5 + (v - 134) / 536.0); /* denser in the second half */
  expect(ctx, &g, &(pri_fbp_opts){.cutoff = 1}, 5e-4, "two densities"); /* limited by the sparse half: 268 a half turn */
  for (int v = 0; v < VIEWS; v++) angles[v] = pi * v / (VIEWS - 1); /* both ends: views 0 and 180 */
  expect(ctx, &g, &(pri_fbp_opts){.cutoff = 1}, 1e-4, "end included");
  for (int v = 0; v < VIEWS; v++) angles[v] = pi * (v % 201) / 201; /* each twice */
  expect(ctx, &g, &(pri_fbp_opts){.cutoff = 1}, 5e-4, "duplicates");
  pri_ctx_destroy(&ctx);
}

static void filter_sums_to_almost_nothing(void **state) {
  (void)state; /* tau sum h over P taps = 2 / (pi^2 P tau) to first order */
  pri_ctx *ctx = make();
  pri_fbp *f;
  turn(0, 180, 0);
  const pri_geometry g = beam(PRI_PARALLEL, 1);
  assert_int_equal(pri_fbp_create(ctx, &f, &g, &(pri_fbp_opts){.cutoff = 1}), PRI_OK);
  const double P = (double)f->size, sum = f->ramp[0] * P, expected = 2 / (pi * pi * P * g.bin);
  assert_true(fabs(sum / expected - 1) <= 1e-4);
  for (ptrdiff_t k = 1; k <= f->size / 2; k++) assert_true(f->ramp[k] > f->ramp[k - 1]);
  pri_fbp_destroy(&f);
  pri_ctx_destroy(&ctx);
}

static void doubled_rays_weigh_one(void **state) {
  (void)state; /* w(beta, g) + w(beta + pi + 2 g, -g) = 1, on the grid where both are views: beta + pi + 2 g = beta' */
  pri_ctx *ctx = make();
  pri_fbp *f;
  turn(0, 250, 0);
  const pri_geometry g = beam(PRI_FAN_CURVED, 1);
  assert_int_equal(pri_fbp_create(ctx, &f, &g, &(pri_fbp_opts){.cutoff = 1}), PRI_OK);
  assert_true(f->partial);
  assert_true(fabs(f->arc - 250 * pi / 180) <= 1e-9);
  int pairs = 0;
  for (ptrdiff_t a = 0; a < VIEWS; a++)
    for (ptrdiff_t b = a + 1; b < VIEWS; b++) {
      const double gamma = -(f->beta[b] - f->beta[a] - pi) / 2, bin = gamma * g.sdd / g.bin; /* g = -gamma */
      if (fabs(bin) > 99) continue;
      pairs++;
      assert_true(fabs(pri_fbp_redundancy(f, a, g.center + bin) + pri_fbp_redundancy(f, b, g.center - bin) - 1) <= 1e-12);
    }
  assert_true(pairs > 1000);
  pri_fbp_destroy(&f);
  pri_ctx_destroy(&ctx);
}

static void extension_helps_truncated_rows(void **state) {
  (void)state; /* detector of 60 mm against a disc of 70 mm: the middle of it */
  pri_ctx *ctx = make();
  double off[3];
  turn(0, 180, 0);
  pri_geometry g = beam(PRI_PARALLEL, 1);
  g.bins = 70, g.center = 34.5;
  for (int extend = PRI_EXTEND_ZERO; extend <= PRI_EXTEND_COSINE; extend++) {
    reconstruct(ctx, &g, &(pri_fbp_opts){.cutoff = 1, .extend = extend});
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < N * N; i++) {
      if (hypot(i % N - 63.5, 63.5 - i / N) > 24) continue;
      low = fmin(low, (double)x[i]), high = fmax(high, (double)x[i]);
    }
    off[extend] = high - low; /* cupping */
  }
  assert_true(off[PRI_EXTEND_EDGE] < 0.8 * off[PRI_EXTEND_ZERO] && off[PRI_EXTEND_COSINE] < 0.6 * off[PRI_EXTEND_ZERO]);
  pri_ctx_destroy(&ctx);
}

int claim_fbp_disc(void);
int claim_fbp_disc(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_window_beam_and_pitch), cmocka_unit_test(short_scans), cmocka_unit_test(centres_beside_the_middle),
      cmocka_unit_test(any_set_of_angles), cmocka_unit_test(filter_sums_to_almost_nothing), cmocka_unit_test(doubled_rays_weigh_one),
      cmocka_unit_test(extension_helps_truncated_rows)};
  return cmocka_run_group_tests_name("claim_fbp_disc", tests, NULL, NULL);
}
