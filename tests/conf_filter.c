/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_filter.c - every filter, every example: same bits in place, alone, for any threads; lost memory is reported. Then what each one does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { VIEWS = 7, BINS = 23, ITEMS = 3 };
static const ptrdiff_t slices[ITEMS] = {0, 2, 1};
static char heard[512];

static void hear(void *cookie, pri_verbosity v, const char *line) {
  (void)cookie;
  if (v == PRI_LOG_WARN) strncpy(heard, line, sizeof heard - 1);
}

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  heard[0] = 0;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads, .log = hear, .verbosity = PRI_LOG_WARN}), PRI_OK);
  return ctx;
}

static void data(pri_ctx *ctx, pri_array *a, const pri_shape *shape) {
  assert_int_equal(pri_array_create(ctx, a, shape, ITEMS), PRI_OK);
  pri_rng_uniform(1, "conf_filter", 0, a->data, (size_t)(ITEMS * pri_shape_size(shape)));
}

static void run(pri_ctx *ctx, const char *spec, pri_array *out, const pri_array *in) {
  pri_filter *f;
  const pri_meta meta = pri_meta_unknown();
  if (pri_filter_create(ctx, &f, spec, &meta, &in->shape) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_array_create(ctx, out, pri_filter_range(f), in->items), PRI_OK);
  assert_int_equal(pri_filter_run(f, out, in, slices), PRI_OK);
  pri_filter_destroy(&f);
}

static void one_item_alone(pri_ctx *ctx, pri_filter *f, const pri_array *out, const pri_array *in) {
  pri_array alone;
  assert_int_equal(pri_array_create(ctx, &alone, &out->shape, 1), PRI_OK);
  const pri_array second = pri_array_items(in, 1, 1);
  assert_int_equal(pri_filter_run(f, &alone, &second, slices + 1), PRI_OK);
  assert_memory_equal(alone.data, pri_array_item(out, 1), (size_t)pri_shape_size(&out->shape) * sizeof(pri_real));
  pri_array_destroy(&alone);
}

static void same_bits(const char *spec) {
  pri_array first = {0};
  pri_ctx *keep = make(1);
  for (int threads = 1; threads <= 3; threads += 2) {
    pri_ctx *ctx = make(threads);
    const pri_shape shape = pri_shape_2d(VIEWS, BINS);
    const pri_meta meta = pri_meta_unknown();
    pri_array in, out;
    pri_filter *f;
    data(ctx, &in, &shape);
    run(ctx, spec, &out, &in);
    const size_t bytes = (size_t)(ITEMS * pri_shape_size(&out.shape)) * sizeof(pri_real);
    if (!first.data) {
      assert_int_equal(pri_array_create(keep, &first, &out.shape, ITEMS), PRI_OK);
      memcpy(first.data, out.data, bytes);
    }
    assert_memory_equal(first.data, out.data, bytes);
    assert_int_equal(pri_filter_create(ctx, &f, spec, &meta, &shape), PRI_OK);
    one_item_alone(ctx, f, &out, &in);
    if (pri_shape_equal(&out.shape, &shape)) {
      assert_int_equal(pri_filter_run(f, &in, &in, slices), PRI_OK);
      assert_memory_equal(in.data, out.data, bytes);
    }
    pri_filter_destroy(&f);
    pri_array_destroy(&in);
    pri_array_destroy(&out);
    assert_int_equal(pri_ctx_memory_used(ctx), 0);
    pri_ctx_destroy(&ctx);
  }
  pri_array_destroy(&first);
  pri_ctx_destroy(&keep);
}

static void all_filters(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_FILTERS]; *k; k++)
    for (const char *const *e = (*k)->examples; e && *e; e++) {
      char spec[256];
      snprintf(spec, sizeof spec, "%s:%s", (*k)->name, *e);
      same_bits(spec);
    }
  pri_ctx_destroy(&ctx);
}

static long left; /* allocations until one fails */
static void *starve(void *cookie, size_t bytes) {
  (void)cookie;
  return left-- > 0 ? aligned_alloc(64, (bytes + 64) / 64 * 64) : NULL;
}
static void release(void *cookie, void *p) {
  (void)cookie;
  free(p);
}

static void lost_memory_is_reported(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[PRI_FILTERS]; *k; k++) {
    char spec[256];
    if (!(*k)->examples || !(*k)->examples[0]) continue;
    snprintf(spec, sizeof spec, "%s:%s", (*k)->name, (*k)->examples[0]);
    pri_status s = PRI_ENOMEM;
    for (long n = 4; s == PRI_ENOMEM && n < 200; n++) {
      pri_ctx *poor = NULL;
      pri_filter *f = NULL;
      const pri_shape shape = pri_shape_2d(VIEWS, BINS);
      const pri_meta meta = pri_meta_unknown();
      left = n;
      s = pri_open(&poor, &(pri_ctx_opts){.alloc = starve, .release = release});
      if (s == PRI_OK) s = pri_filter_create(poor, &f, spec, &meta, &shape);
      assert_true(s == PRI_OK || (s == PRI_ENOMEM && !f));
      pri_filter_destroy(&f);
      pri_ctx_destroy(&poor);
    }
    assert_int_equal(s, PRI_OK);
  }
  pri_ctx_destroy(&ctx);
}

static void log_clamps_and_counts(void **state) {
  (void)state;
  pri_ctx *ctx = make(2);
  pri_real v[5] = {1, (pri_real)0.5, 0, -3, (pri_real)NAN};
  const pri_shape shape = pri_shape_2d(1, 5);
  const pri_array in = pri_array_borrow(v, &shape, 1);
  pri_array out;
  run(ctx, "log:clamp=0.001", &out, &in);
  assert_true(out.data[0] == 0 && fabs((double)out.data[1] - log(2)) < 1e-7 && isnan(out.data[4]));
  assert_true(fabs((double)out.data[2] - log(1000)) < 1e-6 && out.data[2] == out.data[3]);
  assert_non_null(strstr(heard, "2 of 5 values"));
  pri_array_destroy(&out);
  pri_filter *f;
  const pri_meta meta = pri_meta_unknown();
  assert_int_equal(pri_filter_create(ctx, &f, "log", &meta, &shape), PRI_OK);
  memset(v, 0, sizeof v);
  pri_array same = in;
  assert_int_equal(pri_filter_run(f, &same, &in, slices), PRI_EDATA); /* never a silent constant image */
  pri_filter_destroy(&f);
  pri_ctx_destroy(&ctx);
}

static void air_takes_lines_off(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_real v[2 * 20];
  const pri_shape shape = pri_shape_2d(2, 20);
  for (int i = 0; i < 40; i++) v[i] = (pri_real)(0.3 + (i / 20) * 0.1 - 0.02 * (i % 20) + (i % 20 > 5 && i % 20 < 14 ? 2 : 0));
  const pri_array in = pri_array_borrow(v, &shape, 1);
  pri_array out;
  run(ctx, "air:edge=4,fit=linear", &out, &in);
  for (int i = 0; i < 40; i++) assert_true(fabs((double)out.data[i] - (i % 20 > 5 && i % 20 < 14 ? 2 : 0)) < 1e-6);
  pri_array_destroy(&out);
  run(ctx, "air:edge=4", &out, &in); /* the mean of the edges: 0.3 - 0.02 * 9.5 and 0.1 more in the second view */
  assert_true(fabs((double)out.data[0] - 0.19) < 1e-6 && fabs((double)out.data[20] - 0.19) < 1e-6);
  pri_array_destroy(&out);
  pri_ctx_destroy(&ctx);
}

static void keep(pri_ctx *ctx, const char *name, pri_real *v, const pri_shape *shape, ptrdiff_t items) {
  pri_output *o;
  assert_int_equal(pri_output_create(ctx, &o, name, shape, items, &(pri_output_opts){.overwrite = 1}), PRI_OK);
  assert_int_equal(pri_output_write(o, v, 0, items), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
}

/* two frames of three slices of four bins; the last bin of slice 1 is dead */
static void flat_fields_by_slice(void **state) {
  (void)state;
  pri_ctx *ctx = make(2);
  char folder[] = "/tmp/priori-flat-XXXXXX", flat[64], dark[64], spec[256];
  assert_non_null(mkdtemp(folder));
  snprintf(flat, sizeof flat, "%s/flat.tif", folder), snprintf(dark, sizeof dark, "%s/dark.tif", folder);
  pri_real f[24], d[4] = {1, 1, 1, 1}, counts[12], expected[3] = {1, (pri_real)0.5, (pri_real)0.25};
  for (int i = 0; i < 24; i++) f[i] = (pri_real)((i % 12 / 4 + 1) * 10 + (i < 12 ? -1 : 3)); /* frame means 11, 21, 31 */
  f[7] = 0, f[19] = 2;                                                                         /* their mean is the dark field */
  keep(ctx, flat, f, &(pri_shape){2, {3, 4}}, 2);
  keep(ctx, dark, d, &(pri_shape){2, {1, 4}}, 1);
  for (int i = 0; i < 12; i++) counts[i] = (pri_real)(1 + (double)expected[i / 4] * 10 * (double)(slices[i / 4] + 1));
  const pri_shape shape = pri_shape_2d(1, 4);
  const pri_array in = pri_array_borrow(counts, &shape, 3);
  pri_array out;
  snprintf(spec, sizeof spec, "flatfield:flat=%s,dark=%s", flat, dark);
  run(ctx, spec, &out, &in);
  for (int i = 0; i < 12; i++) assert_true(fabs((double)out.data[i] - (double)expected[i / 4]) < 1e-6);
  assert_non_null(strstr(heard, "1 of 12 pixels are dead"));
  pri_array_destroy(&out);
  pri_filter *g;
  const pri_meta meta = pri_meta_unknown();
  const pri_shape other = pri_shape_2d(1, 5);
  assert_int_equal(pri_filter_create(ctx, &g, spec, &meta, &other), PRI_ESHAPE);
  assert_int_equal(pri_filter_create(ctx, &g, "flatfield", &meta, &shape), PRI_EPARAM);
  assert_int_equal(pri_filter_create(ctx, &g, spec, &meta, &shape), PRI_OK);
  pri_array first = pri_array_items(&in, 0, 1);
  assert_int_equal(pri_filter_run(g, &first, &first, &(ptrdiff_t){3}), PRI_ESHAPE); /* no such slice */
  pri_filter_destroy(&g);
  assert_int_equal(unlink(flat) | unlink(dark) | rmdir(folder), 0);
  pri_ctx_destroy(&ctx);
}

static void pad_and_hu(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  pri_real v[3] = {2, 5, 4};
  const pri_shape shape = pri_shape_2d(1, 3);
  const pri_array in = pri_array_borrow(v, &shape, 1);
  pri_array out;
  run(ctx, "pad:bins=1,how=edge", &out, &in);
  assert_true(out.shape.n[1] == 5 && out.data[0] == 2 && out.data[1] == 2 && out.data[4] == 4);
  pri_array_destroy(&out);
  run(ctx, "pad:bins=1", &out, &in); /* cos^2 half way */
  assert_true(fabs((double)out.data[0] - 1) < 1e-6 && fabs((double)out.data[4] - 2) < 1e-6);
  pri_array_destroy(&out);
  run(ctx, "hu:water=4,air=2", &out, &in);
  assert_true(out.data[0] == -1000 && out.data[1] == 500 && out.data[2] == 0);
  pri_array_destroy(&out);
  pri_ctx_destroy(&ctx);
}

int conf_filter(void);
int conf_filter(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_filters), cmocka_unit_test(lost_memory_is_reported), cmocka_unit_test(log_clamps_and_counts),
      cmocka_unit_test(air_takes_lines_off), cmocka_unit_test(flat_fields_by_slice), cmocka_unit_test(pad_and_hu)};
  return cmocka_run_group_tests_name("conf_filter", tests, NULL, NULL);
}
