/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_center.c - centres that are known are found: all beams, half and full turns, short scans, noise; a scan without opposite rays says so. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "reconstruct/center.h"

static const double pi = 3.14159265358979323846;
enum { VIEWS = 150, BINS = 150 };
static double angles[VIEWS];
static char last[512];

static void hear(void *cookie, pri_verbosity v, const char *line) {
  (void)cookie;
  if (v == PRI_LOG_WARN) strncpy(last, line, sizeof last - 1);
}

static pri_ctx *make(void) {
  pri_ctx *ctx;
  last[0] = 0;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 1, .seed = 3, .log = hear, .verbosity = PRI_LOG_INFO}), PRI_OK);
  return ctx;
}

static pri_geometry scan(pri_beam b, double start, double arc, double center) {
  for (int v = 0; v < VIEWS; v++) angles[v] = (start + arc * v / VIEWS) * pi / 180;
  return (pri_geometry){.beam = b, .views = VIEWS, .rows = 1, .bins = BINS, .angle = angles, .sod = 300, .sdd = 450,
                        .bin = b == PRI_PARALLEL ? 1 : 1.5, .center = center, .n = {110, 110, 1}, .pixel = 1};
}

static void find(pri_ctx *ctx, pri_center *c, pri_geometry g) {
  const pri_shape shape = pri_shape_2d(VIEWS, BINS);
  pri_phantom *p;
  pri_noise *n;
  pri_array y;
  assert_int_equal(pri_phantom_create(ctx, &p, "ellipses:size=110"), PRI_OK);
  assert_int_equal(pri_noise_create(ctx, &n, "gaussian:relative=0.01"), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &shape, 1), PRI_OK);
  assert_int_equal(pri_phantom_project(p, &g, 1, &y, 0), PRI_OK);
  assert_int_equal(pri_noise_add(n, &y, 0), PRI_OK);
  g.center = NAN; /* what is to be found must not be read */
  assert_int_equal(pri_center_find(ctx, c, &g, &y), PRI_OK);
  pri_array_destroy(&y);
  pri_noise_destroy(&n);
  pri_phantom_destroy(&p);
}

static void known_centres_are_found(void **state) {
  (void)state;
  static const struct { pri_beam beam; double start, arc, center; } t[] = {
      {PRI_PARALLEL, 0, 180, 71.3}, {PRI_PARALLEL, 20, 360, 80.8}, {PRI_FAN_FLAT, 0, 360, 77.15}, {PRI_FAN_FLAT, -30, 230, 73.4}, {PRI_FAN_CURVED, 90, 360, 70}};
  pri_ctx *ctx = make();
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    pri_center c;
    find(ctx, &c, scan(t[i].beam, t[i].start, t[i].arc, t[i].center));
    if (!(fabs(c.opposite - t[i].center) <= 0.1 && fabs(c.picture - t[i].center) <= 0.35 && c.agree && fabs(c.center - t[i].center) <= 0.1))
      fail_msg("case %d: %.3f and %.3f instead of %.3f", (int)i, c.opposite, c.picture, t[i].center);
  }
  assert_string_equal(last, "");
  pri_ctx_destroy(&ctx);
}

static void no_opposite_rays_is_said(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_center c;
  find(ctx, &c, scan(PRI_FAN_FLAT, 0, 100, 74.5));
  assert_true(isnan(c.opposite) && isnan(c.picture) && !c.agree);
  assert_true(c.center == (BINS - 1) / 2.0);
  assert_non_null(strstr(last, "not found"));
  pri_ctx_destroy(&ctx);
}

static void nothing_to_go_by_is_an_error(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape shape = pri_shape_2d(VIEWS, BINS);
  pri_array y;
  pri_center c;
  pri_geometry g = scan(PRI_PARALLEL, 0, 180, 70);
  assert_int_equal(pri_array_create(ctx, &y, &shape, 1), PRI_OK);
  assert_int_equal(pri_center_find(ctx, &c, &g, &y), PRI_EDATA);
  g.beam = PRI_CONE_FLAT;
  assert_int_equal(pri_center_find(ctx, &c, &g, &y), PRI_ENOTSUP);
  pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
}

static void tooth_is_at_296(void **state) {
  (void)state; /* measured data, from another project: only where PRIORI_DATA says where they are */
  const char *data = getenv("PRIORI_DATA");
  if (!data) {
    print_message("PRIORI_DATA is not set: the tooth is left out\n");
    skip();
  }
  pri_ctx *ctx = make();
  char name[1024];
  pri_input *in;
  snprintf(name, sizeof name, "%s/ct/tooth/tooth.h5", data);
  pri_status s = pri_input_open(ctx, &in, name);
  if (s == PRI_EFORMAT) { /* built without HDF5 */
    pri_ctx_destroy(&ctx);
    skip();
  }
  assert_int_equal(s, PRI_OK);
  const pri_input_info *info = pri_input_describe(in);
  pri_filter *flat, *log;
  pri_array y;
  char spec[2300];
  snprintf(spec, sizeof spec, "flatfield:flat=\"%s\",dark=\"%s\"", info->flat, info->dark);
  assert_int_equal(pri_filter_create(ctx, &flat, spec, &info->meta, &info->item), PRI_OK);
  assert_int_equal(pri_filter_create(ctx, &log, "log", &info->meta, &info->item), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &info->item, 1), PRI_OK);
  assert_int_equal(pri_input_read(in, y.data, 0, 1), PRI_OK);
  assert_int_equal(pri_filter_run(flat, &y, &y, &(ptrdiff_t){0}), PRI_OK);
  assert_int_equal(pri_filter_run(log, &y, &y, &(ptrdiff_t){0}), PRI_OK);
  pri_geometry g = {.beam = PRI_PARALLEL, .views = y.shape.n[0], .rows = 1, .bins = y.shape.n[1], .angle = info->meta.angles, .bin = 1, .center = NAN, .n = {640, 640, 1}, .pixel = 1};
  pri_center c;
  assert_int_equal(info->meta.nangles, y.shape.n[0]);
  assert_int_equal(pri_center_find(ctx, &c, &g, &y), PRI_OK);
  print_message("tooth: %.3f by opposite rays, %.3f by the picture\n", c.opposite, c.picture);
  assert_true(fabs(c.opposite - 296) <= 0.25 && fabs(c.picture - 296) <= 0.25 && c.agree);
  pri_array_destroy(&y);
  pri_filter_destroy(&log);
  pri_filter_destroy(&flat);
  pri_input_close(&in);
  pri_ctx_destroy(&ctx);
}

int unit_center(void);
int unit_center(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_centres_are_found), cmocka_unit_test(no_opposite_rays_is_said),
                                     cmocka_unit_test(nothing_to_go_by_is_an_error), cmocka_unit_test(tooth_is_at_296)};
  return cmocka_run_group_tests_name("unit_center", tests, NULL, NULL);
}
