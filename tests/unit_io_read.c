/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_io_read.c - one small measurement in many formats gives the same pixels, and what each says of itself arrives. */
#include <math.h>
#include <sys/stat.h>
#include "io_files.h"

static int with_hdf5;

static void check_pixels(pri_input *in, ptrdiff_t first, ptrdiff_t items) {
  pri_real x[2 * CORPUS_SIZE];
  assert_int_equal(pri_input_read(in, x, first, items), PRI_OK);
  for (ptrdiff_t i = 0; i < items * CORPUS_SIZE; ++i) assert_true(x[i] == corpus_value(first * CORPUS_SIZE + i));
}

static void check_file(const char *path, ptrdiff_t slices) {
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  if (!with_hdf5 && strstr(path, ".h5")) {
    drop_ctx(&ctx);
    return;
  }
  if (pri_input_open(ctx, &in, path) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  const pri_input_info *const info = pri_input_describe(in);
  assert_int_equal(info->items, slices);
  assert_int_equal(info->item.nd, 2);
  assert_int_equal(info->item.n[0], CORPUS_ROWS);
  assert_int_equal(info->item.n[1], CORPUS_COLUMNS);
  assert_int_equal(strlen(info->axes), info->nd);
  assert_non_null(info->dtype);
  assert_true(pri_input_memory(in) > 0);
  check_pixels(in, 0, slices);
  for (ptrdiff_t k = slices - 1; k >= 0; --k) check_pixels(in, k, 1);
  pri_real none[1];
  assert_int_equal(pri_input_read(in, none, slices, 1), PRI_ESHAPE);
  assert_int_equal(pri_input_read(in, none, -1, 1), PRI_ESHAPE);
  pri_input_close(&in);
  assert_null(in);
  drop_ctx(&ctx);
}

static void one_measurement_in_all_formats(void **state) {
  (void)state;
  with_hdf5 = built_with_hdf5();
  each_corpus_file("", check_file);
}

static void geometry_of_the_challenge(void **state) {
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/slice_htc.mat"), PRI_OK);
  const pri_meta *const m = &pri_input_describe(in)->meta;
  assert_int_equal(m->beam, PRI_FAN_FLAT);
  assert_int_equal(m->nangles, 3);
  assert_true(fabs(m->angles[2] - 3.14159265358979 / 3) < 1e-12);
  assert_true(m->sod == 410.66 && m->sdd == 553.74 && m->bin[0] == 0.2 && m->pixel[0] == 0.14832 && m->pixel[1] == 0.14832);
  assert_true(isnan(m->bin[1]) && isnan(m->center) && isnan(m->pixel[2]));
  pri_input_close(&in);
  drop_ctx(&ctx);
}

static void data_exchange_brings_angles_and_fields(void **state) {
  (void)state;
  if (!built_with_hdf5()) skip();
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_array white;
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_exchange.h5"), PRI_OK);
  const pri_input_info *const info = pri_input_describe(in);
  assert_int_equal(info->counts, 1);
  assert_int_equal(info->meta.nangles, 3);
  assert_true(fabs(info->meta.angles[1] - 3.14159265358979 / 3) < 1e-12);
  assert_non_null(strstr(info->meta.source, ":/exchange/data"));
  assert_int_equal(pri_input_load(ctx, info->flat, &white), PRI_OK);
  assert_int_equal(white.items, 1);
  assert_int_equal(white.shape.n[0], 2);                 /* [frame][row][bin] */
  assert_true(white.data[7] == 200);
  pri_array_destroy(&white);
  assert_int_equal(pri_input_load(ctx, info->dark, &white), PRI_OK);
  assert_true(white.data[0] == 0);
  pri_array_destroy(&white);
  pri_input_close(&in);
  drop_ctx(&ctx);
}

static void imagej_units(void **state) {
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_imagej.tif"), PRI_OK);
  const pri_meta *const m = &pri_input_describe(in)->meta;
  assert_true(fabs(m->pixel[0] - 0.00025) < 1e-10 && fabs(m->pixel[2] - 0.002) < 1e-10);   /* 4 pixels per um, spacing 2 um */
  assert_non_null(strstr(pri_input_describe(in)->pixel, "\"unit\":\"um\""));
  assert_non_null(strstr(pri_input_describe(in)->metadata, "ImageJ="));
  pri_input_close(&in);
  drop_ctx(&ctx);
}

static void refuse(const char *name, const void *bytes, size_t n, pri_status want, const char *word) {
  char path[PATH_ROOM];
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  put_bytes(in_scratch(path, name), bytes, n);
  assert_int_equal(pri_input_open(ctx, &in, path), want);
  assert_null(in);
  if (!strstr(pri_ctx_message(ctx), word)) fail_msg("\"%s\" does not say \"%s\"", pri_ctx_message(ctx), word);
  drop_ctx(&ctx);
}

static void refuse_npy(const char *header, const char *word) {
  char file[400] = "\x93NUMPY\x01";
  const size_t n = strlen(header);
  file[8] = (char)n;
  memcpy(file + 10, header, n);
  refuse("bad.npy", file, n + 10 + 64, PRI_EFORMAT, word);
}

static void what_is_refused(void **state) {
  (void)state;
  refuse("empty.tif", "", 0, PRI_EFORMAT, "empty");
  refuse("text.tif", "hello", 5, PRI_EFORMAT, "none of");
  refuse("short.tif", "II*", 3, PRI_EFORMAT, "none of");
  refuse_npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "|O");
  refuse_npy("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", "<c8");
  refuse_npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", "records");
  refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0), }", "nothing in it");
  refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "one number");
  refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999, 999999), }", "addressed");
  refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (100, 100), }", "truncated");
  refuse_npy("{'descr': '<f4', 'fortran_order': Perhaps, 'shape': (4,), }", "damaged");
  refuse_npy("{'descr': '<f4', 'shape': (4,), }", "damaged");
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/not there.tif"), PRI_EREAD);
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_f32.tif:/image"), PRI_EFORMAT);
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_zlib.mat:/y"), PRI_EFORMAT);
  assert_non_null(strstr(pri_ctx_message(ctx), "one of x"));
  drop_ctx(&ctx);
}

static size_t put_entry(unsigned char *at, unsigned tag, unsigned type, unsigned count, unsigned value) {
  const unsigned fields[4] = {tag, type, count, value};
  static const int bytes[4] = {2, 2, 4, 4};
  size_t n = 0;
  for (int f = 0; f < 4; ++f)
    for (int b = 0; b < bytes[f]; ++b) at[n++] = (unsigned char)(fields[f] >> 8 * b);
  return n;
}

/* ImageJ beyond 4 GB: one directory, 1100 planes of 2048 x 1024 one behind the other from 4096; all are holes but the first pixels of the last one */
static void imagej_beyond_4_gb(void **state) {
  enum { W = 2048, H = 1024, PLANES = 1100 };
  static const unsigned entries[10][4] = {{256, 4, 1, W}, {257, 4, 1, H}, {258, 3, 1, 16}, {259, 3, 1, 1}, {262, 3, 1, 1},
                                          {270, 2, 46, 134}, {273, 4, 1, 4096}, {277, 3, 1, 1}, {278, 4, 1, H}, {279, 4, 1, 2 * W * H}};
  unsigned char head[180] = {'I', 'I', '*', 0, 8, 0, 0, 0, 10, 0};
  const unsigned char values[6] = {10, 0, 20, 0, 30, 0};
  const int64_t last = 4096 + (int64_t)(PLANES - 1) * 2 * W * H;
  char path[PATH_ROOM];
  struct stat st;
  (void)state;
  for (size_t e = 0, at = 10; e < 10; ++e) at += put_entry(head + at, entries[e][0], entries[e][1], entries[e][2], entries[e][3]);
  memcpy(head + 134, "ImageJ=1.53t\nimages=1100\nslices=1100\nloop=f\n", 45);
  put_bytes(in_scratch(path, "big.tif"), head, sizeof head);
  FILE *const f = fopen(path, "r+b");
  assert_non_null(f);
  const int sparse = fseeko(f, (off_t)last, SEEK_SET) == 0 && fwrite(values, 1, 6, f) == 6 && fflush(f) == 0 && ftruncate(fileno(f), (off_t)(last + 2 * W * H)) == 0;
  fclose(f);
  if (!sparse || stat(path, &st) != 0 || st.st_blocks > 100000) {
    unlink(path);
    skip();
  }
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_real *const x = malloc((size_t)W * H * sizeof *x);
  assert_non_null(x);
  if (pri_input_open(ctx, &in, path) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_input_describe(in)->items, PLANES);
  assert_int_equal(pri_input_read(in, x, PLANES - 1, 1), PRI_OK);
  assert_true(x[0] == 10 && x[1] == 20 && x[2] == 30 && x[3] == 0 && x[W * H - 1] == 0);
  assert_int_equal(pri_input_read(in, x, PLANES - 2, 1), PRI_OK);
  assert_true(x[0] == 0 && x[1] == 0);
  free(x);
  pri_input_close(&in);
  drop_ctx(&ctx);
  unlink(path);
}

static void budget_is_asked_first(void **state) {
  (void)state;
  pri_ctx *ctx = make_ctx(1 << 16);
  pri_input *in;
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_c.npy"), PRI_EBUDGET);   /* its buffer is larger */
  assert_null(in);
  drop_ctx(&ctx);
}

int unit_io_read(void);
int unit_io_read(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_measurement_in_all_formats), cmocka_unit_test(geometry_of_the_challenge),
    cmocka_unit_test(data_exchange_brings_angles_and_fields), cmocka_unit_test(imagej_units), cmocka_unit_test(what_is_refused),
    cmocka_unit_test(budget_is_asked_first), cmocka_unit_test(imagej_beyond_4_gb)};
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
