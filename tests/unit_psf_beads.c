/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_psf_beads.c - beads drawn from a known Gaussian, at any fraction of a pixel, with noise: what is measured on them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "psf_beads.h"

static const double wide = 2.3548200450309493; /* full width at half maximum of a Gaussian of sigma 1: sqrt(8 ln 2) */

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  return ctx;
}

/* v += height exp(-|p - at|^2 / 2 sigma^2); order z, y, x */
static void bead(pri_array *a, ptrdiff_t item, const double at[3], const double sigma[3], double height) {
  const int nd = a->shape.nd;
  const ptrdiff_t nz = nd == 3 ? a->shape.n[0] : 1, ny = a->shape.n[nd - 2], nx = a->shape.n[nd - 1];
  pri_real *v = pri_array_item(a, item);
  for (ptrdiff_t z = 0; z < nz; z++)
    for (ptrdiff_t y = 0; y < ny; y++)
      for (ptrdiff_t x = 0; x < nx; x++) {
        const double u = (nd == 3 ? ((double)z - at[0]) / sigma[0] : 0), w = ((double)y - at[1]) / sigma[1], q = ((double)x - at[2]) / sigma[2];
        *v++ += (pri_real)(height * exp(-0.5 * (u * u + w * w + q * q)));
      }
}

static void noise(pri_array *a, double background, double sd) {
  const ptrdiff_t n = pri_shape_size(&a->shape) * a->items;
  for (ptrdiff_t i = 0; i < n; i++) a->data[i] += (pri_real)(background + sd * (double)pri_rng_normal_at(7, "beads", (uint64_t)i));
}

static double part(uint64_t i) { return pri_rng_uniform_at(3, "place", i) - 0.5; }

static void a_gaussian_is_recovered(void **state) { /* 2 pages, 25 beads each, height 60 noise */
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape shape = pri_shape_2d(200, 210);
  const double sigma[3] = {1, 1.5, 2.1};
  pri_array a;
  pri_psf p;
  pri_beads n;
  double w[3];
  assert_int_equal(pri_array_create(ctx, &a, &shape, 2), PRI_OK);
  for (int i = 0; i < 50; i++) bead(&a, i / 25, (double[]){0, 25 + 37 * (i % 5) + part(2 * (uint64_t)i), 28 + 38 * (i / 5 % 5) + part(2 * (uint64_t)i + 1)}, sigma, 60 + i % 3 * 20);
  noise(&a, 100, 1);
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){1, 25, 25}), PRI_OK);
  assert_int_equal(n.used, 50);
  assert_true(fabs(n.background - 100) < 0.2 && fabs(n.noise - 1) < 0.1);
  pri_psf_fwhm(&p, w);
  assert_true(fabs(w[1] / (1.5 * wide) - 1) < 0.03 && fabs(w[2] / (2.1 * wide) - 1) < 0.03);
  double sum = 0, off = 0, all = 0;
  for (ptrdiff_t i = 0; i < 25 * 25; i++) {
    const double y = (double)(i / 25 - 12) / 1.5, x = (double)(i % 25 - 12) / 2.1, want = exp(-0.5 * (x * x + y * y)) / (2 * 3.14159265358979 * 1.5 * 2.1);
    sum += p.h[i];
    off += (p.h[i] - want) * (p.h[i] - want);
    all += want * want;
  }
  assert_true(fabs(sum - 1) < 1e-12);
  assert_true(sqrt(off / all) < 0.02); /* noise of the mean of 50 at height 60 to 100: 1 / 80 / 7 a pixel, over some 60 pixels of the bead's weight */
  pri_psf_destroy(ctx, &p);
  pri_array_destroy(&a);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void in_three_axes(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape shape = {3, {60, 70, 80}};
  const double sigma[3] = {2.5, 1.4, 1.4};
  pri_array a;
  pri_psf p;
  pri_beads n;
  double w[3];
  assert_int_equal(pri_array_create(ctx, &a, &shape, 1), PRI_OK);
  for (int i = 0; i < 8; i++) bead(&a, 0, (double[]){15 + i / 4 * 28 + part((uint64_t)i), 16 + i / 2 % 2 * 36 + part(20 + (uint64_t)i), 18 + i % 2 * 40 + part(40 + (uint64_t)i)}, sigma, 100);
  noise(&a, 10, 2);
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){23, 17, 17}), PRI_OK);
  assert_int_equal(n.used, 8);
  pri_psf_fwhm(&p, w);
  assert_true(fabs(w[0] / (2.5 * wide) - 1) < 0.03 && fabs(w[1] / (1.4 * wide) - 1) < 0.03 && fabs(w[2] / (1.4 * wide) - 1) < 0.03);
  pri_psf_destroy(ctx, &p);
  pri_array_destroy(&a);
  pri_ctx_destroy(&ctx);
}

static void bad_beads_are_left_out(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape shape = pri_shape_2d(160, 160);
  const double sigma[3] = {1, 1.5, 1.5};
  pri_array a;
  pri_psf p;
  pri_beads n;
  double w[3];
  assert_int_equal(pri_array_create(ctx, &a, &shape, 1), PRI_OK);
  for (int i = 0; i < 9; i++) bead(&a, 0, (double[]){0, 30 + i / 3 * 40, 30 + i % 3 * 40}, sigma, 100);
  bead(&a, 0, (double[]){0, 30, 38}, sigma, 90);       /* beside the first */
  bead(&a, 0, (double[]){0, 3, 100}, sigma, 100);      /* its window leaves the image */
  bead(&a, 0, (double[]){0, 145, 100}, sigma, 420);    /* a clump */
  bead(&a, 0, (double[]){0, 145, 140}, sigma, 1000);   /* saturated at 500 */
  for (ptrdiff_t i = 0; i < 160 * 160; i++) a.data[i] = (pri_real)fmin((double)a.data[i], 500);
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){1, 21, 21}), PRI_OK);
  assert_true(n.used == 8 && n.close == 2 && n.edge == 1 && n.saturated == 1 && n.unlike == 1);
  pri_psf_fwhm(&p, w);
  assert_true(fabs(w[1] / (1.5 * wide) - 1) < 0.01);
  pri_psf_destroy(ctx, &p);
  for (ptrdiff_t i = 0; i < 160 * 160; i++) a.data[i] = 3;
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){1, 21, 21}), PRI_EDATA); /* no bead at all */
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){1, 20, 21}), PRI_EPARAM);
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){3, 21, 21}), PRI_EPARAM);
  a.data[77] = (pri_real)NAN;
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){1, 21, 21}), PRI_EDATA);
  pri_array_destroy(&a);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* a plane of each bead of a volume: the brightest may be the first or the last one */
static void planes_of_a_volume(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape shape = {3, {9, 60, 90}};
  const double sigma[3] = {2, 1.5, 1.5};
  pri_array a;
  pri_psf p;
  pri_beads n;
  double w[3];
  assert_int_equal(pri_array_create(ctx, &a, &shape, 1), PRI_OK);
  for (int i = 0; i < 3; i++) bead(&a, 0, (double[]){4 * i, 30, 15 + 30 * i}, sigma, 100);
  noise(&a, 10, 0.5);
  assert_int_equal(pri_psf_from_beads(ctx, &p, &n, &a, (ptrdiff_t[]){1, 17, 17}), PRI_OK);
  assert_int_equal(n.used, 3);
  pri_psf_fwhm(&p, w);
  assert_true(fabs(w[1] / (1.5 * wide) - 1) < 0.05 && fabs(w[2] / (1.5 * wide) - 1) < 0.05);
  pri_psf_destroy(ctx, &p);
  pri_array_destroy(&a);
  pri_ctx_destroy(&ctx);
}

static void a_lattice_of_dots_is_refused(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape shape = pri_shape_2d(900, 900);
  pri_array a;
  pri_psf p;
  assert_int_equal(pri_array_create(ctx, &a, &shape, 1), PRI_OK);
  for (ptrdiff_t i = 0; i < 900 * 900; i++) a.data[i] = i % 6 == 0 && i / 900 % 6 == 0;
  assert_int_equal(pri_psf_from_beads(ctx, &p, NULL, &a, (ptrdiff_t[]){1, 5, 5}), PRI_EDATA);
  assert_null(p.h);
  pri_array_destroy(&a);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

int unit_psf_beads(void);
int unit_psf_beads(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_gaussian_is_recovered), cmocka_unit_test(in_three_axes), cmocka_unit_test(bad_beads_are_left_out), cmocka_unit_test(planes_of_a_volume),
                                     cmocka_unit_test(a_lattice_of_dots_is_refused)};
  return cmocka_run_group_tests_name("unit_psf_beads", tests, NULL, NULL);
}
