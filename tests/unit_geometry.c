/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_geometry.c - rays of every beam against the frame of rising_ct.md section 5 and cli.md section 7, written out once more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "priori/priori.h"

static const double angles[] = {0, 0.5, 1.5707963267948966, 3.3, -2};
enum { VIEWS = sizeof angles / sizeof *angles };

static pri_geometry beam(pri_beam b) {
  return (pri_geometry){.beam = b, .views = VIEWS, .rows = 5, .bins = 11, .angle = angles, .sod = 40, .sdd = 70, .bin = 1.5, .row = 2,
                        .center = 4.25, .row_center = 2, .n = {16, 12, 8}, .pixel = 0.75, .slice = 0.75};
}

/* Where the ray meets the line (parallel: through the axis; else the detector at sdd from the source), along t */
static double coordinate(const pri_geometry *g, ptrdiff_t view, double bin) {
  const double c = cos(g->angle[view]), s = sin(g->angle[view]);
  double p[3], d[3];
  pri_geometry_ray(g, view, 0, bin, p, d);
  const double ahead = g->beam == PRI_PARALLEL ? 0 : g->sdd - g->sod;          /* n.p of the meeting point */
  const double w = (ahead - (-s * p[0] + c * p[1])) / (-s * d[0] + c * d[1]);
  return c * (p[0] + w * d[0]) + s * (p[1] + w * d[1]);
}

static void bins_lie_on_the_detector(void **state) {
  (void)state;
  for (int b = PRI_PARALLEL; b <= PRI_FAN_CURVED; b++) {
    const pri_geometry g = beam((pri_beam)b);
    for (ptrdiff_t v = 0; v < VIEWS; v++)
      for (int j = 0; j < 11; j++) {
        const double u = (j - 4.25) * 1.5, expected = b == PRI_FAN_CURVED ? 70 * tan(u / 70) : u;
        assert_true(fabs(coordinate(&g, v, j) - expected) < 1e-11);
      }
  }
}

/* At angle 0 the rays run along +y and the detector coordinate along +x; the source of a fan stands at (0, -sod). */
static void angle_zero_looks_up(void **state) {
  (void)state;
  double p[3], d[3];
  for (int b = PRI_PARALLEL; b <= PRI_CONE_FLAT; b++) {
    const pri_geometry g = beam((pri_beam)b);
    pri_geometry_ray(&g, 0, 2, 4.25, p, d);
    assert_true(fabs(d[0]) < 1e-15 && fabs(d[1] - 1) < 1e-15 && fabs(d[2]) < 1e-15 && fabs(p[0]) < 1e-15);
    if (b != PRI_PARALLEL) assert_true(fabs(p[1] + 40) < 1e-13);
    pri_geometry_ray(&g, 0, 2, 8, p, d);
    assert_true(b == PRI_PARALLEL ? p[0] > 1 : d[0] > 0.01);
  }
}

static void vectors_say_what_a_cone_says(void **state) {
  (void)state;
  pri_geometry cone = beam(PRI_CONE_FLAT);
  double twelve[VIEWS * 12];
  cone.center = 5;
  for (int v = 0; v < VIEWS; v++) {
    const double c = cos(angles[v]), s = sin(angles[v]), all[12] = {40 * s, -40 * c, 0, -30 * s, 30 * c, 0, 1.5 * c, 1.5 * s, 0, 0, 0, 2};
    for (int i = 0; i < 12; i++) twelve[12 * v + i] = all[i];
  }
  pri_geometry vectors = cone;
  vectors.beam = PRI_VECTORS;
  vectors.vectors = twelve;
  for (ptrdiff_t v = 0; v < VIEWS; v++)
    for (int j = 0; j < 11; j += 5) {
      double p[3], d[3], q[3], e[3];
      pri_geometry_ray(&cone, v, 3, j, p, d);
      pri_geometry_ray(&vectors, v, 3, j, q, e);
      for (int i = 0; i < 3; i++) assert_true(fabs(p[i] - q[i]) < 1e-12 && fabs(d[i] - e[i]) < 1e-14);
    }
}

static void a_copy_outlives_its_source(void **state) {
  (void)state;
  pri_ctx *ctx;
  pri_geometry copy, g = beam(PRI_FAN_FLAT);
  double own[VIEWS];
  for (int v = 0; v < VIEWS; v++) own[v] = angles[v];
  g.angle = own;
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  assert_int_equal(pri_geometry_copy(ctx, &copy, &g), PRI_OK);
  for (int v = 0; v < VIEWS; v++) own[v] = 99;
  assert_true(copy.angle[3] == 3.3 && copy.sdd == 70 && copy.vectors == NULL);
  pri_geometry_fini(ctx, &copy);
  assert_true(pri_ctx_memory_used(ctx) == 0);
  pri_ctx_destroy(&ctx);
}

int unit_geometry(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bins_lie_on_the_detector), cmocka_unit_test(angle_zero_looks_up),
                                     cmocka_unit_test(vectors_say_what_a_cone_says), cmocka_unit_test(a_copy_outlives_its_source)};
  return cmocka_run_group_tests_name("unit_geometry", tests, NULL, NULL);
}
