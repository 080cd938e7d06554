/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unit_rays.c - the projector against plain double loops, view by view and element by element: forward, and back by one-hot data.
 * All of it for every instruction set that the machine has (PRIORI_SIMD lowers the choice).
 * Nasty set-ups: odd sizes, one row, one bin, bins from 0.4 to 4 pixels, strong fans, ties at 45 degrees. Scratch is filled with garbage.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "priori/rng.h"
#include "simd.h"

static const char *const set_ups[] = {
    "angles=9,size=64,detector=96", "angles=7,size=63x41,detector=77,center=35.3", "angles=5,size=57x130,detector=150,start=45", "angles=8,size=33,detector=50,bin=0.4",
    "angles=4,size=45,detector=20,bin=3.7", "angles=9,size=31,detector=1", "angles=6,size=1x64,detector=70,arc=360", "angles=6,size=64x1,detector=70,direction=cw",
    "angles=8,size=17x80,detector=101,start=45,bin=0.5", "angles=12,size=101x57,detector=133,arc=360,pixel=0.7", "geometry=fan,angles=9,size=64,detector=96,sod=300,sdd=500",
    "geometry=fan,angles=11,size=63x41,detector=111,sod=90,sdd=200,center=50.5,pixel=1", "geometry=fan,angles=7,size=50,detector=64,sod=50,sdd=90,bin=2.5,pixel=1",
    "geometry=fan,angles=5,size=40,detector=300,sod=45,sdd=90,bin=0.5,pixel=1",
    "geometry=fan,angles=12,size=90,detector=40,sod=66,sdd=90,pixel=1,bin=1", /* corners near the source that no ray sees */
    "geometry=fan,angles=5,size=33,detector=1,sod=70,sdd=90",
    "geometry=fancurved,angles=7,size=48,detector=65,sod=60,sdd=100,pixel=1,bin=1.9,center=20.25", "geometry=fancurved,angles=6,size=1x64,detector=70,sod=100,sdd=180,pixel=1,bin=2", NULL};
/* float: positions to 2^-28 pixel a line, sums of 2 n rounded products; double: 2^-45 pixel a line */
static const double near = sizeof(pri_real) == 4 ? 4e-6 : 1e-10;

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads}), PRI_OK);
  return ctx;
}

static pri_operator *operator_of(pri_ctx *ctx, const char *keys, const char *model) {
  char spec[256];
  pri_operator *A;
  snprintf(spec, sizeof spec, "ct:%s,model=%s", keys, model);
  if (pri_operator_create(ctx, &A, spec, NULL, NULL, NULL) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(ctx));
  return A;
}

/* p = sum of interpolated values on the lines that the ray crosses, from points and directions in mm: no fixed point, no runs */
static double ray_sum(const pri_geometry *g, ptrdiff_t view, ptrdiff_t bin, const pri_real *x) {
  const ptrdiff_t nx = g->n[0], ny = g->n[1];
  const double cx = 0.5 * (double)(nx - 1), cy = 0.5 * (double)(ny - 1);
  double p[3], d[3], sum = 0;
  pri_geometry_ray(g, view, 0, (double)bin, p, d);
  const int rows = fabs(d[0]) < fabs(d[1]);
  for (ptrdiff_t l = 0; l < (rows ? ny : nx); l++) {
    const double at = rows ? cx + (p[0] + ((cy - (double)l) * g->pixel - p[1]) * d[0] / d[1]) / g->pixel
                           : cy - (p[1] + (((double)l - cx) * g->pixel - p[0]) * d[1] / d[0]) / g->pixel;
    for (int side = 0; side < 2; side++) {
      const double i = floor(at) + side, w = 1 - fabs(at - i);
      if (i >= 0 && i < (double)(rows ? nx : ny)) sum += w * (double)x[rows ? l * nx + (ptrdiff_t)i : (ptrdiff_t)i * nx + l];
    }
  }
  return sum * g->pixel / fabs(rows ? d[1] : d[0]);
}

static const pri_geometry *geometry_of(const pri_operator *A) {
  const void *priv;
  const pri_operator_class *class = pri_operator_class_of(A, &priv);
  return class->geometry(priv);
}

static void *garbage(const pri_operator *A) {
  const void *priv;
  const pri_operator_class *class = pri_operator_class_of(A, &priv);
  const size_t bytes = (class->scratch(priv) + 63) / 64 * 64 + 64;
  unsigned char *p = aligned_alloc(64, bytes);
  assert_non_null(p);
  for (size_t i = 0; i < bytes; i++) p[i] = (unsigned char)(i % 3 ? 0x7f : 0xc1);
  return p;
}

static pri_real *normal(const char *stream, ptrdiff_t n) {
  pri_real *v = malloc((size_t)n * sizeof *v);
  assert_non_null(v);
  pri_rng_normal(1, stream, 0, v, (size_t)n);
  return v;
}

static void apply(pri_ctx *ctx, const pri_operator *A, pri_real *to, const pri_real *from, ptrdiff_t items, int back) {
  const void *priv;
  const pri_operator_class *class = pri_operator_class_of(A, &priv);
  void *scratch = garbage(A);
  assert_int_equal((back ? class->adjoint : class->apply)(ctx, priv, to, from, items, scratch), PRI_OK);
  free(scratch);
}

static void forward_is_the_plain_loop(void **state) {
  (void)state;
  pri_ctx *ctx = make(2);
  for (int k = 0; set_ups[k]; k++) {
    pri_operator *A = operator_of(ctx, set_ups[k], "joseph");
    const pri_geometry *g = geometry_of(A);
    pri_real *x = normal("x", g->n[0] * g->n[1]), *y = normal("y", g->views * g->bins);
    apply(ctx, A, y, x, 1, 0);
    for (ptrdiff_t v = 0; v < g->views; v++)
      for (ptrdiff_t j = 0; j < g->bins; j++) {
        const double expected = ray_sum(g, v, j, x), got = (double)y[v * g->bins + j];
        if (!(fabs(got - expected) <= near * g->pixel * (double)(g->n[0] + g->n[1])))
          fail_msg("%s: view %td, bin %td: %.9g instead of %.9g", set_ups[k], v, j, got, expected);
      }
    free(x);
    free(y);
    pri_operator_destroy(&A);
  }
  pri_ctx_destroy(&ctx);
}

/* Single views: x = A'y for random y of that view alone, against the columns of A, which the test above has tied down. */
static void back_is_the_transpose_pixel_by_pixel(void **state) {
  (void)state;
  pri_ctx *ctx = make(2);
  for (int k = 0; set_ups[k]; k++) {
    pri_operator *A = operator_of(ctx, set_ups[k], "joseph");
    const pri_geometry *g = geometry_of(A);
    const ptrdiff_t pixels = g->n[0] * g->n[1], rays = g->views * g->bins;
    pri_real *x = normal("x", pixels), *y = normal("y", rays), *one = calloc((size_t)pixels, sizeof *one), *column = normal("c", rays);
    for (ptrdiff_t v = 0; v < g->views; v += 3) {
      for (ptrdiff_t i = 0; i < rays; i++) column[i] = i / g->bins == v ? y[i] : 0;
      apply(ctx, A, x, column, 1, 1);
      for (ptrdiff_t i = 0; i < pixels; i += 1 + pixels / 19) {
        double expected = 0;
        one[i] = 1;
        for (ptrdiff_t j = 0; j < g->bins; j++) expected += ray_sum(g, v, j, one) * (double)y[v * g->bins + j];
        one[i] = 0;
        if (!(fabs((double)x[i] - expected) <= 8 * near * g->pixel * (double)(g->n[0] + g->n[1]) / 8))
          fail_msg("%s: view %td, pixel %td: %.9g instead of %.9g", set_ups[k], v, i, (double)x[i], expected);
      }
    }
    free(x);
    free(y);
    free(one);
    free(column);
    pri_operator_destroy(&A);
  }
  pri_ctx_destroy(&ctx);
}

static void items_and_threads_do_not_matter(void **state) {
  (void)state;
  enum { ITEMS = 21 }; /* a group of 16 and a remainder */
  static const char *const models[] = {"joseph", "sf"};
  for (size_t k = 0; k + 1 < sizeof set_ups / sizeof *set_ups; k += 3) {
    for (int m = 0; m < 2; m++) {
      pri_ctx *ctx = make(1), *many = make(3);
      pri_operator *A = operator_of(ctx, set_ups[k], models[m]), *B = operator_of(many, set_ups[k], models[m]);
      const ptrdiff_t pixels = pri_shape_size(pri_operator_domain(A)), rays = pri_shape_size(pri_operator_range(A));
      pri_real *x = normal("x", ITEMS * pixels), *y = normal("y", ITEMS * rays), *Ax = normal("z", ITEMS * rays), *Ay = normal("z", ITEMS * pixels);
      pri_real *one = normal("1", pixels + rays);
      apply(many, B, Ax, x, ITEMS, 0);
      apply(many, B, Ay, y, ITEMS, 1);
      for (int i = 0; i < ITEMS; i += 5) {
        apply(ctx, A, one, x + i * pixels, 1, 0);
        if (memcmp(one, Ax + i * rays, (size_t)rays * sizeof *one)) fail_msg("%s,%s: forward, item %d differs", set_ups[k], models[m], i);
        apply(ctx, A, one, y + i * rays, 1, 1);
        if (memcmp(one, Ay + i * pixels, (size_t)pixels * sizeof *one)) fail_msg("%s,%s: back, item %d differs", set_ups[k], models[m], i);
      }
      free(x), free(y), free(Ax), free(Ay), free(one);
      pri_operator_destroy(&A);
      pri_operator_destroy(&B);
      pri_ctx_destroy(&ctx);
      pri_ctx_destroy(&many);
    }
  }
}

static double worst_mismatch(pri_ctx *ctx, const pri_operator *A) {
  double worst;
  assert_int_equal(pri_operator_mismatch(A, 3, 9, &worst), PRI_OK);
  (void)ctx;
  return worst;
}

static void adjoint_of_every_set_up_and_subset(void **state) {
  (void)state;
  static const char *const models[] = {"joseph", "sf"};
  const double goal = sizeof(pri_real) == 4 ? 1e-6 : 1e-12;
  pri_ctx *ctx = make(2);
  for (int k = 0; set_ups[k]; k++)
    for (int m = 0; m < 2; m++) {
      pri_operator *A = operator_of(ctx, set_ups[k], models[m]), *some;
      const pri_shape *ran = pri_operator_range(A);
      pri_box box = pri_box_whole(ran), dom;
      box.first[0] = 1;
      box.step[0] = 3;
      box.n[0] = (ran->n[0] - 2) / 3 + 1;
      assert_int_equal(pri_operator_part(A, &some, &box, &dom), PRI_OK);
      const double whole = worst_mismatch(ctx, A), subset = worst_mismatch(ctx, some);
      if (whole > goal || subset > goal) fail_msg("%s,%s: mismatch %.2g, of a subset %.2g", set_ups[k], models[m], whole, subset);
      pri_operator_destroy(&some);
      pri_operator_destroy(&A);
    }
  pri_ctx_destroy(&ctx);
}

static void wide_is_double(void **state) {
  (void)state;
  static const char *const models[] = {"joseph", "sf"};
  pri_ctx *ctx = make(2);
  for (int k = 0; set_ups[k] && sizeof(pri_real) == 4; k++)
    for (int m = 0; m < 2; m++) {
      pri_operator *A = operator_of(ctx, set_ups[k], models[m]);
      const ptrdiff_t pixels = pri_shape_size(pri_operator_domain(A)), rays = pri_shape_size(pri_operator_range(A));
      double *x = malloc((size_t)(2 * pixels + 2 * rays) * sizeof *x), *Au = x + pixels, *Ax = Au + pixels, *u = Ax + rays, a = 0, b = 0, c = 0, d = 0;
      for (ptrdiff_t i = 0; i < pixels; i++) x[i] = pri_rng_uniform_at(1, "x", (uint64_t)i) - 0.3;
      for (ptrdiff_t i = 0; i < rays; i++) u[i] = pri_rng_uniform_at(1, "u", (uint64_t)i) - 0.3;
      assert_int_equal(pri_operator_apply_wide(A, Ax, x, 1), PRI_OK);
      assert_int_equal(pri_operator_adjoint_wide(A, Au, u, 1), PRI_OK);
      for (ptrdiff_t i = 0; i < pixels; i++) a += x[i] * Au[i];
      for (ptrdiff_t i = 0; i < rays; i++) b += u[i] * Ax[i], c += Ax[i] * Ax[i], d += u[i] * u[i];
      assert_true(fabs(a - b) <= 1e-12 * sqrt(c * d));
      free(x);
      pri_operator_destroy(&A);
    }
  pri_ctx_destroy(&ctx);
}

int unit_rays(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(forward_is_the_plain_loop), cmocka_unit_test(back_is_the_transpose_pixel_by_pixel),
                                     cmocka_unit_test(items_and_threads_do_not_matter), cmocka_unit_test(adjoint_of_every_set_up_and_subset),
                                     cmocka_unit_test(wide_is_double)};
  const char *before = getenv("PRIORI_SIMD");
  char kept[16] = "", name[32];
  int failed = 0;
  if (before) snprintf(kept, sizeof kept, "%s", before);
  for (int level = sizeof(pri_real) == 4 ? (int)pri_simd() : 0; level >= 0; level--) {
    setenv("PRIORI_SIMD", pri_simd_name((pri_simd_level)level), 1);
    snprintf(name, sizeof name, "unit_rays %s", pri_simd_name((pri_simd_level)level));
    failed += cmocka_run_group_tests_name(name, tests, NULL, NULL);
  }
  if (before)
    setenv("PRIORI_SIMD", kept, 1);
  else
    unsetenv("PRIORI_SIMD");
  return failed;
}
