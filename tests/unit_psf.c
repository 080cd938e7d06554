/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_psf.c - drawn point-spread functions against what their formulas say; files: centre, background, negative values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "psf.h"

struct holder {
  pri_psf_keys k;
};
static const pri_param rows[] = {PRI_PSF_ROWS(struct holder, k), {0}};
static const pri_kind kind = {.name = "psf", .brief = "", .cite = "", .size = sizeof(struct holder), .params = rows};
static const double pi = 3.14159265358979323846;

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  return ctx;
}

static pri_status try_draw(pri_ctx *ctx, pri_psf *p, const char *keys, int nd, const pri_meta *meta) {
  struct holder h = {{0}};
  pri_status s = pri_kind_parse(ctx, &kind, &h, keys);
  *p = (pri_psf){0};
  if (s == PRI_OK) s = pri_psf_create(ctx, p, "test", &h.k, nd, meta);
  pri_kind_release(ctx, &kind, &h);
  return s;
}

static pri_psf draw(pri_ctx *ctx, const char *keys, int nd) {
  pri_psf p;
  if (try_draw(ctx, &p, keys, nd, NULL) != PRI_OK) fail_msg("%s: %s", keys, pri_ctx_message(ctx));
  return p;
}

static double at(const pri_psf *p, ptrdiff_t z, ptrdiff_t y, ptrdiff_t x) { /* from the centre; 0 beyond */
  const ptrdiff_t i[3] = {p->c[0] + z, p->c[1] + y, p->c[2] + x};
  for (int a = 0; a < 3; a++)
    if (i[a] < 0 || i[a] >= p->k[a]) return 0;
  return p->h[(i[0] * p->k[1] + i[1]) * p->k[2] + i[2]];
}

static double moment(const pri_psf *p, int axis) { /* second, along an axis */
  double s = 0;
  for (ptrdiff_t z = 0; z < p->k[0]; z++)
    for (ptrdiff_t y = 0; y < p->k[1]; y++)
      for (ptrdiff_t x = 0; x < p->k[2]; x++) {
        const ptrdiff_t i[3] = {z - p->c[0], y - p->c[1], x - p->c[2]};
        s += (double)(i[axis] * i[axis]) * at(p, i[0], i[1], i[2]);
      }
  return s;
}

static void done(pri_ctx *ctx, pri_psf *p) { pri_psf_destroy(ctx, p); }

static void close_ctx(pri_ctx *ctx) {
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void sums_are_one(void **state) {
  (void)state;
  static const char *const specs[] = {"gaussian", "gaussian,sigma=0.05", "gaussian,sigma=3x1x2", "disk,radius=0.3", "disk,radius=7.7", "motion,length=0", "motion,length=9,angle=-33",
                                      "box,width=0.4", "box,width=4x5x6", "airy,na=0.8,wavelength=600nm,pixel=0.1um", "born-wolf,na=0.9,wavelength=500,index=1.33,pixel=0.2umx0.5um,size=11x11x7"};
  pri_ctx *ctx = make();
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pri_psf p = draw(ctx, specs[i], 3);
    double sum = 0;
    for (ptrdiff_t j = 0; j < p.k[0] * p.k[1] * p.k[2]; j++) sum += p.h[j];
    assert_true(fabs(sum - 1) <= 1e-13); /* up to 10^4 terms that sum to 1, rounded each */
    assert_true(pri_psf_nonnegative(&p));
    assert_true(pri_psf_symmetric(&p)); /* to the bit */
    for (int a = 0; a < 3; a++) assert_true(p.k[a] == 2 * p.c[a] + 1);
    if (!strstr(specs[i], "motion")) assert_true(pri_psf_mirrored(&p));
    done(ctx, &p);
  }
  close_ctx(ctx);
}

static void gaussian_is_the_integral_over_pixels(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_psf p = draw(ctx, "gaussian,sigma=1.7x2.5x0.8", 3);
  assert_true(p.c[2] == 7 && p.c[1] == 10 && p.c[0] == 4); /* ceil(4 sigma), x first */
  for (int a = 0; a < 3; a++) { /* variance sigma^2 + 1/12 of the pixel; past 4 sigma lies 6e-5 of the mass at 16 to 20 sigma^2: 2e-3 of the variance */
    const double s = a == 2 ? 1.7 : a == 1 ? 2.5 : 0.8;
    assert_true(fabs(moment(&p, a) / (s * s + 1.0 / 12) - 1) < 3e-3);
  }
  double whole = 1; /* (erf quotient): ratio of two pixels */
  for (int x = 1; x < 5; x++) {
    const double s = 1.7 * sqrt(2), ratio = (erf((x + 0.5) / s) - erf((x - 0.5) / s)) / (2 * erf(0.5 / s));
    assert_true(fabs(at(&p, 0, 0, x) / at(&p, 0, 0, 0) / ratio - 1) < 1e-10);
    whole *= ratio;
  }
  assert_true(whole > 0);
  assert_true(p.separable);
  done(ctx, &p);
  close_ctx(ctx);
}

static void disk_shares_areas(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const double r = 3.3;
  pri_psf p = draw(ctx, "disk,radius=3.3", 2);
  double worst = 0;
  for (int y = -4; y <= 4; y++)
    for (int x = -4; x <= 4; x++) {
      int in = 0;
      for (int i = 0; i < 400; i++)
        for (int j = 0; j < 400; j++) in += hypot(x - 0.5 + (j + 0.5) / 400, y - 0.5 + (i + 0.5) / 400) <= r;
      worst = fmax(worst, fabs(at(&p, 0, y, x) - in / 160000.0 / (pi * r * r)));
    }
  assert_true(worst < 1e-4); /* the count errs by a fraction of the 400 cells that the arc crosses, each 1 / 160000 / 34 */
  done(ctx, &p);
  close_ctx(ctx);
}

static void motion_averages_along_its_path(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_psf p = draw(ctx, "motion,length=4", 2);
  const double want[] = {0.25, 0.25, 0.125}; /* (1/4) int_-2^2 max(0, 1 - |x - j|) dx */
  assert_true(p.k[1] == 1 && p.k[2] == 5);
  for (int x = 0; x <= 2; x++) assert_true(fabs(at(&p, 0, 0, x) - want[x]) < 1e-6 && at(&p, 0, 0, x) == at(&p, 0, 0, -x));
  done(ctx, &p);
  p = draw(ctx, "motion,length=40,angle=90", 2);
  assert_true(p.k[2] == 1 && p.k[1] == 41);
  done(ctx, &p);
  p = draw(ctx, "motion,length=10,angle=45", 2); /* towards x and up: rows run down */
  assert_true(at(&p, 0, -3, 3) > 0.02 && at(&p, 0, 3, 3) == 0);
  done(ctx, &p);
  close_ctx(ctx);
}

static void lengths(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_psf p, q;
  pri_meta m = pri_meta_unknown();
  m.pixel[0] = m.pixel[1] = 1e-4, m.pixel[2] = 3e-4; /* 0.1 um, 0.3 um */
  assert_int_equal(try_draw(ctx, &p, "gaussian,sigma=0.15umx0.15umx300nm", 3, &m), PRI_OK);
  q = draw(ctx, "gaussian,sigma=1.5x1.5x1", 3);
  for (int a = 0; a < 3; a++) assert_int_equal(p.k[a], q.k[a]);
  assert_true(fabs(at(&p, 1, 2, 0) - at(&q, 1, 2, 0)) < 1e-12);
  done(ctx, &p);
  done(ctx, &q);
  assert_int_equal(try_draw(ctx, &p, "gaussian,sigma=0.15um", 2, NULL), PRI_EPARAM); /* no pixel pitch */
  assert_non_null(strstr(pri_ctx_message(ctx), "pixel="));
  assert_int_equal(try_draw(ctx, &p, "gaussian,sigma=1x1x1", 2, NULL), PRI_ESHAPE);
  assert_int_equal(try_draw(ctx, &p, "gaussian,sigma=1x2x3x4", 3, NULL), PRI_EPARAM); /* four are one too many, not three and a rest */
  assert_int_equal(try_draw(ctx, &p, "gaussian,sigma=0", 2, NULL), PRI_EPARAM);
  assert_int_equal(try_draw(ctx, &p, "gaussian,sigma=nan", 2, NULL), PRI_EPARAM);
  assert_int_equal(try_draw(ctx, &p, "gaussian,size=4", 2, NULL), PRI_EPARAM); /* even */
  assert_int_equal(try_draw(ctx, &p, "gaussian,size=5", 2, NULL), PRI_OK);
  assert_true(p.k[0] == 1 && p.k[1] == 5 && p.k[2] == 5); /* one number: both sides */
  done(ctx, &p);
  assert_int_equal(try_draw(ctx, &p, "airy,na=1.2,wavelength=500nm,pixel=0.1um", 2, NULL), PRI_EPARAM); /* na above the index */
  assert_int_equal(try_draw(ctx, &p, "airy,pixel=0.1um", 2, NULL), PRI_EPARAM);
  close_ctx(ctx);
}

static void airy_has_its_zero_at_061(void **state) { /* 0.61 lambda / NA = 61 pixels of 10 nm */
  (void)state;
  pri_ctx *ctx = make();
  pri_psf p = draw(ctx, "airy,na=0.5,wavelength=500nm,pixel=10nm,size=201", 2);
  int least = 40;
  for (int x = 40; x < 90; x++)
    if (at(&p, 0, 0, x) < at(&p, 0, 0, least)) least = x;
  assert_int_equal(least, 61);
  assert_true(at(&p, 0, 0, 61) < 1e-4 * at(&p, 0, 0, 0));
  const double v = 2 * pi * 0.5 * 30 * 10 / 500; /* pixel 30; averaging over 10 nm of a curve of width 610 nm: relative 1e-4 */
  assert_true(fabs(at(&p, 0, 0, 30) / at(&p, 0, 0, 0) - pow(2 * j1(v) / v, 2)) < 3e-4);
  done(ctx, &p);
  close_ctx(ctx);
}

static void born_wolf_on_its_axis(void **state) { /* first zero at 2 n lambda / NA^2 = 2 1.33 500 / 0.81 = 1641.98 nm; in focus: airy */
  (void)state;
  pri_ctx *ctx = make();
  pri_psf p = draw(ctx, "born-wolf,na=0.9,wavelength=500nm,index=1.33,pixel=10nmx164.2nm,size=5x5x29", 3);
  pri_psf q = draw(ctx, "airy,na=0.9,wavelength=500nm,index=1.33,pixel=10nm,size=5", 2);
  assert_true(at(&p, 10, 0, 0) < 1e-5 * at(&p, 0, 0, 0) && at(&p, -10, 0, 0) == at(&p, 10, 0, 0));
  for (int z = 1; z < 15; z++) { /* [sin(u/4) / (u/4)]^2, u/4 = pi z / 10; the pixel of 10 nm averages over 1e-3 of the focus */
    const double u4 = 2 * pi * 0.81 * 164.2 * z / (1.33 * 500) / 4;
    assert_true(fabs(at(&p, z, 0, 0) / at(&p, 0, 0, 0) - pow(sin(u4) / u4, 2)) < 2e-3);
  }
  assert_true(fabs(at(&p, 0, 1, 2) / at(&p, 0, 0, 0) - at(&q, 0, 1, 2) / at(&q, 0, 0, 0)) < 1e-12);
  done(ctx, &p);
  done(ctx, &q);
  close_ctx(ctx);
}

/* Each plane of a section through light holds the same energy, if the plane is large enough: what the integral must keep. */
static void born_wolf_keeps_energy(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  pri_psf p = draw(ctx, "born-wolf,na=0.4,wavelength=500nm,pixel=200nmx1um,size=301x301x9", 3);
  double plane[5] = {0};
  for (int z = 0; z < 5; z++)
    for (int y = -150; y <= 150; y++)
      for (int x = -150; x <= 150; x++) plane[z] += at(&p, z, y, x);
  for (int z = 1; z < 5; z++) assert_true(fabs(plane[z] / plane[0] - 1) < 0.01); /* outside of 24 lambda/NA: 2 / (pi v) = 0.4 % */
  done(ctx, &p);
  close_ctx(ctx);
}

/* ---- files */

static void write_npy(pri_ctx *ctx, const char *name, const double *v, ptrdiff_t ny, ptrdiff_t nx) {
  pri_output *o;
  pri_real x[64];
  const pri_shape s = pri_shape_2d(ny, nx);
  for (ptrdiff_t i = 0; i < ny * nx; i++) x[i] = (pri_real)v[i];
  assert_int_equal(pri_output_create(ctx, &o, name, &s, 1, &(pri_output_opts){.overwrite = 1}), PRI_OK);
  assert_int_equal(pri_output_write(o, x, 0, 1), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
}

static void files_are_made_fit(void **state) {
  (void)state;
  static const double image[] = {1, 1, 1, 1, 1, 1, 0.5, 2, 1, 1, 1, 3, 9, 2, 1, 1, 1, 2, 1, 1};
  char name[64], keys[160];
  pri_ctx *ctx = make();
  pri_psf p;
  snprintf(name, sizeof name, "unit_psf_%ld.npy", (long)getpid());
  write_npy(ctx, name, image, 4, 5);
  snprintf(keys, sizeof keys, "psf=%s,background=auto", name);
  p = draw(ctx, keys, 2); /* median of the border 1; 0.5 - 1 becomes 0; 1 + 2 + 8 + 1 + 1 */
  assert_true(p.k[1] == 4 && p.k[2] == 5 && p.c[1] == 2 && p.c[2] == 2);
  assert_true(fabs(at(&p, 0, 0, 0) - 8.0 / 13) < 1e-7 && at(&p, 0, -1, -1) == 0);
  done(ctx, &p);
  snprintf(keys, sizeof keys, "psf=%s,background=1,negative=keep,normalise=no", name);
  p = draw(ctx, keys, 2);
  assert_true(at(&p, 0, -1, -1) == -0.5 && at(&p, 0, 0, 0) == 8 && !pri_psf_nonnegative(&p));
  done(ctx, &p);
  static const double corner[] = {9, 1, 0, 1, 1, 0, 0, 0, 0};
  write_npy(ctx, name, corner, 3, 3);
  snprintf(keys, sizeof keys, "psf=%s", name);
  p = draw(ctx, keys, 2); /* its largest value is not in the middle */
  assert_true(p.c[1] == 0 && p.c[2] == 0 && at(&p, 0, 1, 1) > 0);
  done(ctx, &p);
  snprintf(keys, sizeof keys, "psf=%s,psf-center=middle", name);
  p = draw(ctx, keys, 2);
  assert_true(p.c[1] == 1 && p.c[2] == 1);
  done(ctx, &p);
  static const double none[] = {0, 0, 0, 0}, hole[] = {1, NAN, 1, 1};
  write_npy(ctx, name, none, 2, 2);
  snprintf(keys, sizeof keys, "psf=%s", name);
  assert_int_equal(try_draw(ctx, &p, keys, 2, NULL), PRI_EDATA);
  done(ctx, &p);
  write_npy(ctx, name, hole, 2, 2);
  assert_int_equal(try_draw(ctx, &p, keys, 2, NULL), PRI_EDATA);
  done(ctx, &p);
  remove(name);
  close_ctx(ctx);
}

/* A Gaussian of sigma 3 in pixels of 0.1 um is one of 1.5 in pixels of 0.2 um, averaged over them; and back. */
static void files_are_resampled(void **state) {
  (void)state;
  char name[64], keys[200];
  pri_ctx *ctx = make();
  pri_psf p = draw(ctx, "gaussian,sigma=3,size=33x31", 2), q = draw(ctx, "gaussian,sigma=1.5,size=17", 2);
  const pri_shape s = pri_shape_2d(31, 33);
  pri_output *o;
  pri_real v[31 * 33];
  snprintf(name, sizeof name, "unit_psf_%ld.npy", (long)getpid());
  for (int i = 0; i < 31 * 33; i++) v[i] = (pri_real)p.h[i];
  assert_int_equal(pri_output_create(ctx, &o, name, &s, 1, &(pri_output_opts){.overwrite = 1}), PRI_OK);
  assert_int_equal(pri_output_write(o, v, 0, 1), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
  pri_psf_destroy(ctx, &p);
  snprintf(keys, sizeof keys, "psf=%s,psf-pixel=0.1um,pixel=0.2um", name);
  p = draw(ctx, keys, 2);
  assert_true(p.k[1] == 17 && p.k[2] == 17 && p.c[1] == 8 && p.c[2] == 8);
  for (int y = -5; y <= 5; y++) /* box of sqrt 3 for one of 2 and of 1: fourth moments differ, (2^4 - 3^2 - 6 - 1) / 2880 sigma^-4 */
    for (int x = -5; x <= 5; x++) assert_true(fabs(at(&p, 0, y, x) - at(&q, 0, y, x)) < 2e-3 * at(&q, 0, 0, 0));
  pri_psf_destroy(ctx, &p);
  snprintf(keys, sizeof keys, "psf=%s,psf-pixel=0.2um,pixel=0.1um", name);
  p = draw(ctx, keys, 2); /* sigma 3 in 0.2 um is 6 in 0.1 um: the file's own pixel stays in it, (36 + 4/12) */
  assert_true(fabs(moment(&p, 2) / (36 + 4.0 / 12) - 1) < 5e-3);
  pri_psf_destroy(ctx, &p);
  snprintf(keys, sizeof keys, "psf=%s,psf-pixel=0.2um", name);
  assert_int_equal(try_draw(ctx, &p, keys, 2, NULL), PRI_EPARAM);
  done(ctx, &p);
  done(ctx, &q);
  remove(name);
  close_ctx(ctx);
}

int unit_psf(void);
int unit_psf(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_one), cmocka_unit_test(gaussian_is_the_integral_over_pixels), cmocka_unit_test(disk_shares_areas),
                                     cmocka_unit_test(motion_averages_along_its_path), cmocka_unit_test(lengths), cmocka_unit_test(airy_has_its_zero_at_061),
                                     cmocka_unit_test(born_wolf_on_its_axis), cmocka_unit_test(born_wolf_keeps_energy), cmocka_unit_test(files_are_made_fit), cmocka_unit_test(files_are_resampled)};
  return cmocka_run_group_tests_name("unit_psf", tests, NULL, NULL);
}
