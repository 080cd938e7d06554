/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_io_write.c - what is written reads back, with its provenance; equal content gives equal bytes; nothing unfinished has a name. */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "alloc.h"
#include "io_files.h"

enum { N = 5, ROWS = 7, COLUMNS = 6, SIZE = ROWS * COLUMNS };
static const char provenance[] = "{\"version\":\"0\",\"weights\":{\"tv\":0.029999999329447746}}";

static const char *const *formats(void) {
  static const char *const all[] = {"x.tif", "x.npy", "x.h5", NULL}, *const some[] = {"x.tif", "x.npy", NULL};
  return built_with_hdf5() ? all : some;
}

static void fill(pri_real *x) {
  for (ptrdiff_t i = 0; i < N * SIZE; ++i) x[i] = (pri_real)(i % 127);
}

/* in blocks of `block` slices */
static pri_status save(pri_ctx *ctx, const char *path, const pri_output_opts *opts, ptrdiff_t block, const char *text) {
  pri_real x[N * SIZE];
  pri_output *o;
  const pri_shape shape = pri_shape_2d(ROWS, COLUMNS);
  fill(x);
  pri_status s = pri_output_create(ctx, &o, path, &shape, N, opts);
  for (ptrdiff_t k = 0; k < N && s == PRI_OK; k += block) s = pri_output_write(o, x + k * SIZE, k, N - k < block ? N - k : block);
  if (s == PRI_OK) s = pri_output_finish(o, text);
  pri_output_destroy(&o);
  return s;
}

static void check_back(const char *path, const char *dtype) {
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_real x[N * SIZE], want[N * SIZE];
  assert_int_equal(pri_input_open(ctx, &in, path), PRI_OK);
  assert_string_equal(pri_input_describe(in)->dtype, dtype);
  assert_int_equal(pri_input_describe(in)->items, N);
  assert_non_null(pri_input_describe(in)->provenance);
  assert_string_equal(pri_input_describe(in)->provenance, provenance);
  assert_int_equal(pri_input_read(in, x, 0, N), PRI_OK);
  fill(want);
  assert_memory_equal(x, want, sizeof x);
  pri_input_close(&in);
  drop_ctx(&ctx);
}

static void all_types_come_back(void **state) {
  static const char *const types[] = {"u8", "u16", "u32", "i8", "i16", "i32", "f16", "f32", "f64", NULL};
  char path[PATH_ROOM];
  (void)state;
  for (const char *const *f = formats(); *f; ++f)
    for (const char *const *t = types; *t; ++t) {
      pri_ctx *ctx = make_ctx(0);
      assert_int_equal(save(ctx, in_scratch(path, *f), &(pri_output_opts){.dtype = *t, .overwrite = 1}, N, provenance), PRI_OK);
      check_back(path, *t);
      drop_ctx(&ctx);
    }
  empty_folder(scratch);
}

static void same_bytes_for_any_block(void **state) {
  char path[PATH_ROOM];
  (void)state;
  for (const char *const *f = formats(); *f; ++f) {
    unsigned char *first = NULL;
    size_t length = 0;
    for (ptrdiff_t block = 1; block <= N; block += 2) {
      size_t n;
      pri_ctx *ctx = make_ctx(0);
      assert_int_equal(save(ctx, in_scratch(path, *f), &(pri_output_opts){.overwrite = 1, .pixel = {0.5, 0.25, 2}}, block, provenance),
          PRI_OK);
      unsigned char *const bytes = get_bytes(path, &n);
      if (!first) first = bytes, length = n;
      else {
        assert_int_equal(n, length);
        assert_memory_equal(bytes, first, n);
        free(bytes);
      }
      drop_ctx(&ctx);
    }
    free(first);
  }
  empty_folder(scratch);
}

static void pixel_sizes_come_back(void **state) {
  char path[PATH_ROOM];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(save(ctx, in_scratch(path, "x.tif"), &(pri_output_opts){.pixel = {0.5, 0.25, 2}}, N, NULL), PRI_OK);
  assert_int_equal(pri_input_open(ctx, &in, path), PRI_OK);
  assert_null(pri_input_describe(in)->provenance);
  assert_true(fabs(pri_input_describe(in)->meta.pixel[0] - 0.5) < 1e-6 &&
      fabs(pri_input_describe(in)->meta.pixel[1] - 0.25) < 1e-6);   /* float rationals */
  pri_input_close(&in);
  drop_ctx(&ctx);
  empty_folder(scratch);
}

static void nothing_is_overwritten(void **state) {
  char path[PATH_ROOM];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  for (const char *const *f = formats(); *f; ++f) {
    put_bytes(in_scratch(path, *f), "precious", 8);
    assert_int_equal(save(ctx, path, NULL, N, provenance), PRI_EWRITE);
    assert_non_null(strstr(pri_ctx_message(ctx), "exists"));
    size_t n;
    unsigned char *const bytes = get_bytes(path, &n);
    assert_int_equal(n, 8);
    free(bytes);
    empty_folder(scratch);
  }
  put_bytes(in_scratch(path, "x.npy.json"), "{}", 2);
  assert_int_equal(save(ctx, in_scratch(path, "x.npy"), NULL, N, provenance), PRI_EWRITE);
  assert_int_equal(count_files(scratch), 1);
  empty_folder(scratch);
  assert_int_equal(save(ctx, in_scratch(path, "no such folder/x.tif"), NULL, N, provenance), PRI_EWRITE);
  assert_int_equal(save(ctx, in_scratch(path, "x.jpg"), NULL, N, provenance), PRI_EPARAM);
  assert_int_equal(save(ctx, in_scratch(path, "x.tif"), &(pri_output_opts){.dtype = "c64"}, N, provenance), PRI_EPARAM);
  assert_int_equal(save(ctx, scratch, NULL, N, provenance), PRI_EPARAM);
  assert_int_equal(count_files(scratch), 0);
  drop_ctx(&ctx);
}

static void a_stale_side_file_goes(void **state) {
  char path[PATH_ROOM];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  assert_int_equal(save(ctx, in_scratch(path, "x.npy"), NULL, N, provenance), PRI_OK);
  assert_int_equal(count_files(scratch), 2);
  assert_int_equal(save(ctx, path, &(pri_output_opts){.overwrite = 1}, N, NULL), PRI_OK);
  assert_int_equal(count_files(scratch), 1);
  drop_ctx(&ctx);
  empty_folder(scratch);
}

static void unfinished_leaves_nothing(void **state) {
  char path[PATH_ROOM];
  pri_real x[SIZE] = {0};
  const pri_shape shape = pri_shape_2d(ROWS, COLUMNS);
  (void)state;
  for (const char *const *f = formats(); *f; ++f) {
    pri_ctx *ctx = make_ctx(0);
    pri_output *o;
    assert_int_equal(pri_output_create(ctx, &o, in_scratch(path, *f), &shape, N, NULL), PRI_OK);
    assert_int_equal(pri_output_write(o, x, 1, 1), PRI_ESHAPE);         /* out of order */
    assert_int_equal(pri_output_write(o, x, 0, 1), PRI_OK);
    assert_true(access(path, F_OK) < 0);
    assert_int_equal(pri_output_finish(o, provenance), PRI_ESHAPE);     /* four slices are missing */
    assert_true(access(path, F_OK) < 0);
    pri_output_destroy(&o);
    assert_int_equal(count_files(scratch), 0);
    drop_ctx(&ctx);
  }
}

/* a limit on the size of files stands in for a full disk: writes fail in the middle of pages, directories and side files */
static void a_full_disk_leaves_nothing(void **state) {
  char path[PATH_ROOM];
  struct rlimit old, small;
  (void)state;
  const char *const *const all = formats();
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  void (*const before)(int) = signal(SIGXFSZ, SIG_IGN);
  for (const char *const *f = all; *f; ++f)
    for (rlim_t bytes = 0; bytes <= 840; bytes += 40) {                 /* 5 slices have 840 bytes of float */
      pri_ctx *ctx = make_ctx(0);
      small = old;
      small.rlim_cur = bytes;
      assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
      const pri_status s = save(ctx, in_scratch(path, *f), NULL, 2, provenance);
      assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
      if (s != PRI_EWRITE) fail_msg("%s, %d bytes: %s", *f, (int)bytes, pri_status_name(s));
      assert_int_equal(count_files(scratch), 0);
      drop_ctx(&ctx);
    }
  signal(SIGXFSZ, before);
}

static void integers_are_scaled(void **state) {
  char path[PATH_ROOM];
  const pri_real x[4] = {-1, 0, 0.5, 3};
  pri_real back[4];
  const pri_shape shape = pri_shape_2d(1, 4);
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_output *o;
  pri_input *in;
  assert_int_equal(pri_output_create(ctx, &o, in_scratch(path, "x.tif"), &shape, 1,
      &(pri_output_opts){.dtype = "u8", .scale_lo = 0, .scale_hi = 1}), PRI_OK);
  assert_int_equal(pri_output_write(o, x, 0, 1), PRI_OK);
  assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
  pri_output_destroy(&o);
  assert_int_equal(pri_input_open(ctx, &in, path), PRI_OK);
  assert_int_equal(pri_input_read(in, back, 0, 1), PRI_OK);
  assert_true(back[0] == 0 && back[1] == 0 && back[2] == 128 && back[3] == 255);   /* 127.5 rounds to even */
  pri_input_close(&in);
  drop_ctx(&ctx);
  empty_folder(scratch);
}

static void a_preview_spans_black_to_white(void **state) {
  char path[PATH_ROOM];
  pri_real x[N * SIZE], back[SIZE];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(save(ctx, in_scratch(path, "x.png"), NULL, 2, provenance), PRI_OK);
  assert_int_equal(pri_input_open(ctx, &in, path), PRI_OK);
  assert_string_equal(pri_input_describe(in)->provenance, provenance);
  assert_int_equal(pri_input_read(in, back, 0, 1), PRI_OK);
  fill(x);
  pri_real lo = 255, hi = 0, low = 1000, high = 0;
  for (ptrdiff_t i = 0; i < SIZE; ++i) {
    const pri_real v = x[N / 2 * SIZE + i];
    lo = back[i] < lo ? back[i] : lo, hi = back[i] > hi ? back[i] : hi;
    low = v < low ? v : low, high = v > high ? v : high;
    assert_true(i == 0 || (back[i] > back[i - 1]) == (v > x[N / 2 * SIZE + i - 1]));
  }
  assert_true(lo == 0 && hi == 255 && high > low);
  pri_input_close(&in);
  drop_ctx(&ctx);
  empty_folder(scratch);
}

static const char *which;
static pri_status save_work(pri_ctx *ctx, void *arg) {
  char path[PATH_ROOM];
  (void)arg;
  const pri_status s = save(ctx, in_scratch(path, which), NULL, 2, provenance);
  assert_int_equal(s == PRI_OK, access(path, F_OK) == 0);
  empty_folder(scratch);
  return s;
}

static void every_allocation_may_fail(void **state) {
  static const char *const names[] = {"x.tif", "x.npy", "x.png"};   /* libhdf5 allocates by itself, most of the time */
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    which = names[i];
    const char *const wrong = test_every_allocation(NULL, save_work, NULL);
    if (wrong) fail_msg("%s: %s", which, wrong);
  }
}

int unit_io_write(void);
int unit_io_write(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_types_come_back), cmocka_unit_test(same_bytes_for_any_block),
      cmocka_unit_test(pixel_sizes_come_back),
    cmocka_unit_test(nothing_is_overwritten), cmocka_unit_test(a_stale_side_file_goes), cmocka_unit_test(unfinished_leaves_nothing),
    cmocka_unit_test(a_full_disk_leaves_nothing), cmocka_unit_test(integers_are_scaled), cmocka_unit_test(a_preview_spans_black_to_white),
    cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
