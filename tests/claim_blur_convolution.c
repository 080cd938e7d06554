/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_blur_convolution.c - the operator blur against y_i = sum_j h_j x_(i - j) summed as it is written, with every border, in 2-D and 3-D,
 * where h is larger than the image as well; border=unknown is border=zero of a larger scene, cropped; norms; the exact resolvents.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "psf.h"

static const double eps = sizeof(pri_real) == 4 ? 6e-8 : 1.2e-16;
static const char *const borders[] = {"periodic", "reflect", "replicate", "zero"};
static char file[64];

static pri_ctx *make(void) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 2}), PRI_OK);
  return ctx;
}

static void save(pri_ctx *ctx, const double *h, const pri_shape *k) {
  pri_output *o;
  pri_array a;
  const ptrdiff_t planes = k->nd == 3 ? k->n[0] : 1;
  const pri_shape plane = pri_shape_2d(k->n[k->nd - 2], k->n[k->nd - 1]);
  assert_int_equal(pri_array_create(ctx, &a, k, 1), PRI_OK);
  for (ptrdiff_t i = 0; i < pri_shape_size(k); i++) a.data[i] = (pri_real)h[i];
  assert_int_equal(pri_output_create(ctx, &o, file, &plane, planes, &(pri_output_opts){.overwrite = 1, .dtype = "f64"}), PRI_OK);
  assert_int_equal(pri_output_write(o, a.data, 0, planes), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
  pri_array_destroy(&a);
}

/* a kernel without any symmetry, centre (cz, cy, cx) = k / 2 */
static pri_array kernel(pri_ctx *ctx, const pri_shape *k) {
  pri_array h;
  pri_output *o;
  double sum = 0;
  assert_int_equal(pri_array_create(ctx, &h, k, 1), PRI_OK);
  const ptrdiff_t n = pri_shape_size(k);
  pri_rng_uniform(5, "kernel", 0, h.data, (size_t)n);
  for (ptrdiff_t i = 0; i < n; i++) sum += (double)h.data[i];
  for (ptrdiff_t i = 0; i < n; i++) h.data[i] = (pri_real)((double)h.data[i] / sum);
  const ptrdiff_t planes = k->nd == 3 ? k->n[0] : 1;
  const pri_shape plane = pri_shape_2d(k->n[k->nd - 2], k->n[k->nd - 1]);
  assert_int_equal(pri_output_create(ctx, &o, file, &plane, planes, &(pri_output_opts){.overwrite = 1, .dtype = "f64"}), PRI_OK);
  assert_int_equal(pri_output_write(o, h.data, 0, planes), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
  return h;
}

static ptrdiff_t seen(int border, ptrdiff_t i, ptrdiff_t n) {
  while (border == 0 && i < 0) i += n;
  if (border == 0) return i % n;
  if (border == 2) return i < 0 ? 0 : i >= n ? n - 1 : i;
  if (border == 3) return i < 0 || i >= n ? -1 : i;
  for (;;) { /* mirrored at either end until inside */
    if (i < 0) i = -1 - i;
    else if (i >= n) i = 2 * n - 1 - i;
    else return i;
  }
}

static double direct(const pri_array *x, const pri_array *h, int border, const ptrdiff_t at[3]) {
  const int nd = x->shape.nd;
  ptrdiff_t n[3] = {1, 1, 1}, k[3] = {1, 1, 1};
  for (int i = 0; i < nd; i++) n[3 - nd + i] = x->shape.n[i], k[3 - nd + i] = h->shape.n[i];
  double sum = 0;
  for (ptrdiff_t z = 0; z < k[0]; z++)
    for (ptrdiff_t y = 0; y < k[1]; y++)
      for (ptrdiff_t v = 0; v < k[2]; v++) {
        const ptrdiff_t p[3] = {seen(border, at[0] - z + k[0] / 2, n[0]), seen(border, at[1] - y + k[1] / 2, n[1]), seen(border, at[2] - v + k[2] / 2, n[2])};
        if (p[0] < 0 || p[1] < 0 || p[2] < 0) continue;
        sum += (double)h->data[(z * k[1] + y) * k[2] + v] * (double)x->data[(p[0] * n[1] + p[1]) * n[2] + p[2]];
      }
  return sum;
}

static pri_operator *blur(pri_ctx *ctx, const char *border, const pri_shape *dom, const pri_shape *ran) {
  char spec[160];
  pri_operator *A;
  snprintf(spec, sizeof spec, "blur:psf=%s,psf-center=middle,normalise=no,border=%s", file, border);
  if (pri_operator_create(ctx, &A, spec, NULL, dom, ran) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(ctx));
  return A;
}

static void against_sums(pri_ctx *ctx, const pri_shape *image, const pri_shape *k) {
  pri_array h = kernel(ctx, k), x, y;
  const ptrdiff_t n = pri_shape_size(image), ny = image->n[image->nd - 2], nx = image->n[image->nd - 1];
  assert_int_equal(pri_array_create(ctx, &x, image, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, image, 1), PRI_OK);
  pri_rng_normal(3, "image", 0, x.data, (size_t)n);
  for (int b = 0; b < 4; b++) {
    pri_operator *A = blur(ctx, borders[b], image, NULL);
    assert_int_equal(pri_operator_apply(A, &y, &x), PRI_OK);
    for (ptrdiff_t i = 0; i < n; i++) {
      const double want = direct(&x, &h, b, (ptrdiff_t[]){i / nx / ny, i / nx % ny, i % nx});
      /* a transform of N places errs by eps log2 N of the root mean square at most: |h| <= 1, values up to 4 */
      if (fabs((double)y.data[i] - want) > 60 * eps) fail_msg("border=%s, pixel %td: %.9g, not %.9g", borders[b], i, (double)y.data[i], want);
    }
    pri_operator_destroy(&A);
  }
  pri_array_destroy(&h);
  pri_array_destroy(&x);
  pri_array_destroy(&y);
}

static void every_border_is_its_sum(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  static const pri_shape images[] = {{2, {9, 14}}, {2, {11, 7}}, {2, {4, 3}}, {3, {5, 6, 7}}, {3, {3, 8, 5}}, {2, {17, 19}}, {2, {17, 12}}};
  static const pri_shape kernels[] = {{2, {3, 5}}, {2, {4, 6}}, {2, {11, 8}}, {3, {3, 3, 5}}, {3, {7, 2, 4}}, {2, {4, 3}}, {2, {23, 21}}};
  /* the third and the last are larger than the image; 17 and 19 take a longer grid where periodic */
  for (int i = 0; i < 7; i++) against_sums(ctx, &images[i], &kernels[i]);
  pri_ctx_destroy(&ctx);
}

static void a_point_becomes_the_psf(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape image = pri_shape_2d(21, 30), k = pri_shape_2d(5, 7);
  pri_array h = kernel(ctx, &k), x, y;
  assert_int_equal(pri_array_create(ctx, &x, &image, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &image, 1), PRI_OK);
  x.data[10 * 30 + 12] = 1;
  for (int b = 0; b < 4; b++) {
    pri_operator *A = blur(ctx, borders[b], &image, NULL);
    assert_int_equal(pri_operator_apply(A, &y, &x), PRI_OK);
    for (int j = 0; j < 5; j++)
      for (int i = 0; i < 7; i++) assert_true(fabs((double)(y.data[(10 + j - 2) * 30 + 12 + i - 3] - h.data[j * 7 + i])) < 4 * eps);
    for (ptrdiff_t i = 0; i < 21 * 30; i++) assert_true(y.data[i] >= 0); /* also where rounding would have gone below */
    pri_operator_destroy(&A);
  }
  pri_array_destroy(&h);
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_ctx_destroy(&ctx);
}

static void unknown_is_a_crop_of_more(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape scene = {3, {8, 13, 17}}, k = {3, {3, 4, 6}}, field = {3, {6, 10, 12}};
  pri_array h = kernel(ctx, &k), x, big, y, cut;
  pri_operator *U = blur(ctx, "unknown", NULL, &field), *Z = blur(ctx, "zero", &scene, NULL);
  pri_box frame;
  assert_true(pri_shape_equal(pri_operator_domain(U), &scene)); /* field + k - 1 */
  pri_operator_frame(U, &frame);
  const pri_shape framed = pri_box_shape(&frame, 3);
  assert_true(pri_shape_equal(&framed, &field));
  assert_int_equal(pri_array_create(ctx, &x, &scene, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &big, &scene, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &field, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &cut, &field, 1), PRI_OK);
  pri_rng_normal(8, "scene", 0, x.data, (size_t)pri_shape_size(&scene));
  assert_int_equal(pri_operator_apply(U, &y, &x), PRI_OK);
  assert_int_equal(pri_operator_apply(Z, &big, &x), PRI_OK);
  assert_int_equal(pri_array_take(ctx, &cut, &big, &frame), PRI_OK);
  for (ptrdiff_t i = 0; i < pri_shape_size(&field); i++) assert_true(fabs((double)(y.data[i] - cut.data[i])) < 60 * eps);
  pri_operator_frame(Z, &frame);
  assert_true(frame.first[0] == 0 && frame.n[2] == 17); /* the whole */
  pri_operator_destroy(&U);
  pri_operator_destroy(&Z);
  pri_array_destroy(&h);
  pri_array_destroy(&x);
  pri_array_destroy(&big);
  pri_array_destroy(&y);
  pri_array_destroy(&cut);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void channels_have_their_own_psf(void **state) { /* two pages; each channel has the bits of a blur with its page alone */
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape k = {3, {2, 5, 5}}, item = {3, {2, 14, 18}}, three = {3, {3, 14, 18}}, plane = pri_shape_2d(14, 18);
  pri_array h = kernel(ctx, &k), x, y, one;
  pri_operator *A, *B;
  char spec[200];
  assert_int_equal(pri_array_create(ctx, &x, &item, 3), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &item, 3), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &one, &plane, 1), PRI_OK);
  pri_rng_normal(6, "channels", 0, x.data, 3 * 2 * 14 * 18);
  snprintf(spec, sizeof spec, "blur:psf=%s,psf-center=middle,channels=yes,border=replicate", file);
  assert_int_equal(pri_operator_create(ctx, &A, spec, NULL, &three, NULL), PRI_ESHAPE);
  if (pri_operator_create(ctx, &A, spec, NULL, &item, NULL) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_operator_apply(A, &y, &x), PRI_OK);
  double worst, from_first = 0;
  assert_int_equal(pri_operator_mismatch(A, 1, 9, &worst), PRI_OK);
  assert_true(worst < 20 * eps);
  for (int c = 0; c < 2; c++) {
    pri_output *o;
    const pri_shape page = pri_shape_2d(5, 5);
    char name[80];
    snprintf(name, sizeof name, "page_%s", file);
    assert_int_equal(pri_output_create(ctx, &o, name, &page, 1, &(pri_output_opts){.overwrite = 1, .dtype = "f64"}), PRI_OK);
    assert_int_equal(pri_output_write(o, h.data + c * 25, 0, 1), PRI_OK);
    assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
    pri_output_destroy(&o);
    snprintf(spec, sizeof spec, "blur:psf=%s,psf-center=middle,border=replicate", name);
    assert_int_equal(pri_operator_create(ctx, &B, spec, NULL, &plane, NULL), PRI_OK);
    for (int i = 0; i < 3; i++) {
      const pri_array in = pri_array_borrow(x.data + (2 * i + c) * 14 * 18, &plane, 1);
      assert_int_equal(pri_operator_apply(B, &one, &in), PRI_OK);
      assert_memory_equal(one.data, y.data + (2 * i + c) * 14 * 18, 14 * 18 * sizeof *one.data);
      if (c == 0) from_first += fabs((double)one.data[0]);
    }
    pri_operator_destroy(&B);
    remove(name);
  }
  assert_true(from_first > 0);
  assert_false(pri_operator_has_resolvent(A)); /* neither channel has one */
  pri_operator_destroy(&A);
  snprintf(spec, sizeof spec, "blur:psf=%s,psf-center=middle,channels=yes,border=periodic", file);
  assert_int_equal(pri_operator_create(ctx, &A, spec, NULL, &item, NULL), PRI_OK);
  assert_true(pri_operator_has_resolvent(A));
  pri_operator_destroy(&A);
  pri_array_destroy(&h);
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_array_destroy(&one);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* largest |A x| / |x| that 200 steps of the power method find */
static double power(pri_ctx *ctx, const pri_operator *A) {
  const ptrdiff_t n = pri_shape_size(pri_operator_domain(A));
  pri_array x, z;
  double size = 0;
  assert_int_equal(pri_array_create(ctx, &x, pri_operator_domain(A), 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &z, pri_operator_domain(A), 1), PRI_OK);
  pri_rng_uniform(1, "power", 0, x.data, (size_t)n);
  for (int k = 0; k < 200; k++) {
    assert_int_equal(pri_operator_normal(A, &z, &x), PRI_OK);
    double zz = 0, xx = 0;
    for (ptrdiff_t i = 0; i < n; i++) zz += (double)z.data[i] * (double)z.data[i], xx += (double)x.data[i] * (double)x.data[i];
    size = sqrt(sqrt(zz / xx));
    for (ptrdiff_t i = 0; i < n; i++) x.data[i] = (pri_real)((double)z.data[i] / sqrt(zz));
  }
  pri_array_destroy(&x);
  pri_array_destroy(&z);
  return size;
}

static void norms_hold_and_are_tight(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  const pri_shape image = pri_shape_2d(16, 20), k = pri_shape_2d(5, 8);
  pri_array h = kernel(ctx, &k);
  static const double slack[] = {1e-5, 0.05, 0.05, 0.35}; /* zero: sum h bounds what a small image loses at its edges */
  for (int b = 0; b < 4; b++) {
    pri_operator *A = blur(ctx, borders[b], &image, NULL);
    const pri_bound n = pri_operator_norm(A);
    const double found = power(ctx, A);
    assert_true(n.trust >= PRI_PROVEN && n.value >= found * (1 - 1e-6) && n.value <= found * (1 + slack[b]));
    assert_int_equal(n.trust == PRI_EXACT, b == 0);
    pri_operator_destroy(&A);
  }
  pri_array_destroy(&h);
  pri_ctx_destroy(&ctx);
}

/* gaussian and box are applied axis by axis; the same PSF from a file is not */
static void short_cut_is_the_same(void **state) {
  (void)state;
  pri_ctx *ctx = make();
  static const pri_shape images[] = {{2, {23, 70}}, {3, {6, 9, 37}}};
  static const char *const psf[] = {"gaussian,sigma=1.3x2.1", "gaussian,sigma=1.3x2.1x0.9"};
  for (int i = 0; i < 2; i++)
    for (int b = 0; b < 5; b++) {
      char spec[200];
      const char *border = b < 4 ? borders[b] : "unknown";
      pri_operator *A, *B;
      pri_array x, y, z, u, v;
      pri_psf p = {0};
      pri_psf_keys keys = {.psf = (char *)(uintptr_t)"gaussian", .sigma = (char *)(uintptr_t)strchr(psf[i], '=') + 1, .pixel = {NAN, NAN, NAN}, .normalise = 1};
      assert_int_equal(pri_psf_create(ctx, &p, "test", &keys, i + 2, NULL), PRI_OK);
      const pri_shape k = i ? (pri_shape){3, {p.k[0], p.k[1], p.k[2]}} : pri_shape_2d(p.k[1], p.k[2]);
      save(ctx, p.h, &k);
      pri_psf_destroy(ctx, &p);
      snprintf(spec, sizeof spec, "blur:psf=%s,border=%s", psf[i], border);
      assert_int_equal(pri_operator_create(ctx, &A, spec, NULL, NULL, &images[i]), PRI_OK);
      B = blur(ctx, border, NULL, &images[i]);
      assert_int_equal(pri_array_create(ctx, &x, pri_operator_domain(A), 3), PRI_OK);
      assert_int_equal(pri_array_create(ctx, &u, pri_operator_domain(A), 3), PRI_OK);
      assert_int_equal(pri_array_create(ctx, &v, pri_operator_domain(A), 3), PRI_OK);
      assert_int_equal(pri_array_create(ctx, &y, &images[i], 3), PRI_OK);
      assert_int_equal(pri_array_create(ctx, &z, &images[i], 3), PRI_OK);
      pri_rng_normal(4, "short", 0, x.data, (size_t)(3 * pri_shape_size(&x.shape)));
      assert_int_equal(pri_operator_apply(A, &y, &x), PRI_OK);
      assert_int_equal(pri_operator_apply(B, &z, &x), PRI_OK);
      assert_int_equal(pri_operator_adjoint(A, &u, &y), PRI_OK);
      assert_int_equal(pri_operator_adjoint(B, &v, &y), PRI_OK);
      for (ptrdiff_t j = 0; j < 3 * pri_shape_size(&y.shape); j++) assert_true(fabs((double)(y.data[j] - z.data[j])) < 60 * eps);
      for (ptrdiff_t j = 0; j < 3 * pri_shape_size(&x.shape); j++) assert_true(fabs((double)(u.data[j] - v.data[j])) < 60 * eps * 8); /* replicate adds up to 8 */
      pri_array *const all[] = {&x, &y, &z, &u, &v};
      for (int j = 0; j < 5; j++) pri_array_destroy(all[j]);
      pri_operator_destroy(&A);
      pri_operator_destroy(&B);
    }
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

static void resolvents_are_exact(void **state) { /* from the class itself, not from the stand-in */
  (void)state;
  pri_ctx *ctx = make();
  static const struct { const char *spec; int exact; } cases[] = {
      {"blur:gaussian,sigma=2,border=periodic", 1}, {"blur:motion,length=7,angle=20,border=periodic", 1}, {"blur:gaussian,sigma=9,border=reflect", 1},
      {"blur:disk,radius=3,border=reflect", 1}, {"blur:motion,length=7,angle=20,border=reflect", 0}, {"blur:gaussian,border=zero", 0},
      {"blur:motion,length=5,angle=-70,border=periodic", 1}};
  for (int i = 0; i < 7; i++) {
    const pri_shape image = i < 6 ? pri_shape_2d(15, 22) : pri_shape_2d(17, 19); /* the last has a grid of its own for this */
    pri_operator *A;
    pri_array b, x, z;
    const void *priv;
    assert_int_equal(pri_operator_create(ctx, &A, cases[i].spec, NULL, &image, NULL), PRI_OK);
    assert_int_equal(pri_array_create(ctx, &b, &image, 5), PRI_OK);
    assert_int_equal(pri_array_create(ctx, &x, &image, 5), PRI_OK);
    assert_int_equal(pri_array_create(ctx, &z, &image, 5), PRI_OK);
    pri_rng_normal(4, "b", 0, b.data, (size_t)(5 * pri_shape_size(&image)));
    const pri_operator_class *c = pri_operator_class_of(A, &priv);
    void *scratch = pri_calloc(ctx, c->scratch(priv), 1);
    assert_int_equal(c->resolvent(ctx, priv, x.data, b.data, 1e-2, 5, scratch), cases[i].exact ? PRI_OK : PRI_ENOTSUP);
    pri_free(ctx, scratch);
    for (int e = 0; cases[i].exact && e < 1; e++) {
      assert_int_equal(pri_operator_normal(A, &z, &x), PRI_OK);
      double off = 0, size = 0;
      for (ptrdiff_t j = 0; j < 5 * pri_shape_size(&image); j++) {
        off += pow((double)z.data[j] + 1e-2 * (double)x.data[j] - (double)b.data[j], 2);
        size += pow((double)b.data[j], 2);
      }
      assert_true(sqrt(off / size) < 2000 * eps); /* |x| <= 100 |b|, a transform errs by about 10 eps of it */
    }
    pri_array_destroy(&b);
    pri_array_destroy(&x);
    pri_array_destroy(&z);
    pri_operator_destroy(&A);
  }
  pri_ctx_destroy(&ctx);
}

static int setup(void **state) {
  (void)state;
  snprintf(file, sizeof file, "claim_blur_%ld.tif", (long)getpid());
  return 0;
}

static int teardown(void **state) {
  (void)state;
  return remove(file);
}

int claim_blur_convolution(void);
int claim_blur_convolution(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_border_is_its_sum), cmocka_unit_test(a_point_becomes_the_psf), cmocka_unit_test(unknown_is_a_crop_of_more),
                                     cmocka_unit_test(channels_have_their_own_psf), cmocka_unit_test(norms_hold_and_are_tight), cmocka_unit_test(short_cut_is_the_same), cmocka_unit_test(resolvents_are_exact)};
  return cmocka_run_group_tests_name("claim_blur_convolution", tests, setup, teardown);
}
