/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_io_names.c - lists of numbers, hashes, folders in natural order, several files as one stack. */
#include <math.h>
#include <sys/stat.h>
#include "io_files.h"

static void check_numbers(const char *text, int n, const double *want) {
  char path[PATH_ROOM];
  pri_ctx *ctx = make_ctx(0);
  double *v;
  ptrdiff_t got;
  put_bytes(in_scratch(path, "n.txt"), text, strlen(text));
  assert_int_equal(pri_input_numbers(ctx, path, &v, &got), PRI_OK);
  assert_int_equal(got, n);
  assert_memory_equal(v, want, (size_t)n * sizeof *v);
  pri_free(ctx, v);
  drop_ctx(&ctx);
}

static void check_bad_numbers(const char *text, const char *word) {
  char path[PATH_ROOM];
  pri_ctx *ctx = make_ctx(0);
  double *v;
  ptrdiff_t got;
  put_bytes(in_scratch(path, "n.txt"), text, strlen(text));
  assert_int_equal(pri_input_numbers(ctx, path, &v, &got), PRI_EFORMAT);
  assert_null(v);
  if (!strstr(pri_ctx_message(ctx), word)) fail_msg("\"%s\" does not say \"%s\"", pri_ctx_message(ctx), word);
  drop_ctx(&ctx);
}

static void numbers(void **state) {
  (void)state;
  check_numbers("0\n0.5\n-1e2\n", 3, (double[]){0, 0.5, -100});
  check_numbers("\xef\xbb\xbf# angles\r\n1.25, 2\r\n\r\n3;4 # more\n5", 5, (double[]){1.25, 2, 3, 4, 5});
  check_bad_numbers("1\n2\nthree\n", "line 3");
  check_bad_numbers("1\n2x\n", "line 2");
  check_bad_numbers("nan\n", "line 1");
  check_bad_numbers("1e999\n", "line 1");
  check_bad_numbers("# nothing\n", "no numbers");
  empty_folder(scratch);
}

static void numbers_keep_double(void **state) {
  static const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
  char path[PATH_ROOM], file[200] = "\x93NUMPY\x01";
  const double want[2] = {0.1, 1.0 / 3};
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  double *v;
  ptrdiff_t n;
  if (*(const unsigned char *)&(const uint16_t){1} == 0) skip();     /* the bytes below are little-endian */
  file[8] = (char)strlen(header);
  memcpy(file + 10, header, strlen(header));
  memcpy(file + 10 + strlen(header), want, sizeof want);
  put_bytes(in_scratch(path, "n.npy"), file, 10 + strlen(header) + sizeof want);
  assert_int_equal(pri_input_numbers(ctx, path, &v, &n), PRI_OK);
  assert_int_equal(n, 2);
  assert_memory_equal(v, want, sizeof want);
  pri_free(ctx, v);
  drop_ctx(&ctx);
  empty_folder(scratch);
}

static void hashes(void **state) {
  char path[PATH_ROOM], hex[65], again[65];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  put_bytes(in_scratch(path, "abc"), "abc", 3);
  assert_int_equal(pri_hash_file(ctx, path, hex), PRI_OK);
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");   /* FIPS 180-2, B.1 */
  assert_int_equal(pri_hash_file(ctx, CORPUS "/not there", hex), PRI_EREAD);
  assert_int_equal(pri_hash_file(ctx, CORPUS "/stack_c.npy", hex), PRI_OK);
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_c.npy"), PRI_OK);
  assert_int_equal(pri_input_hash(in, again), PRI_OK);
  assert_string_equal(hex, again);
  pri_input_close(&in);
  drop_ctx(&ctx);
  empty_folder(scratch);
}

/* slices 100 200 300, stored under names whose alphabetical order is another */
static void make_folder(pri_ctx *ctx) {
  static const char *const names[] = {"s2.tif", "s9.npy", "s10.tif"};
  const pri_shape shape = pri_shape_2d(2, 2);
  char path[PATH_ROOM];
  for (int i = 0; i < 3; ++i) {
    pri_output *o;
    const pri_real x[4] = {(pri_real)(100 * i), 1, 2, 3};
    assert_int_equal(pri_output_create(ctx, &o, in_scratch(path, names[i]), &shape, 1, NULL), PRI_OK);
    assert_int_equal(pri_output_write(o, x, 0, 1), PRI_OK);
    assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
    pri_output_destroy(&o);
  }
  put_bytes(in_scratch(path, "angles.txt"), "1\n2\n", 4);
}

static void a_folder_is_a_stack(void **state) {
  pri_real x[12];
  char path[PATH_ROOM], hex[65], again[65];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  make_folder(ctx);
  assert_int_equal(pri_input_open(ctx, &in, scratch), PRI_OK);
  assert_int_equal(pri_input_describe(in)->items, 3);
  assert_string_equal(pri_input_describe(in)->file, scratch);
  assert_int_equal(pri_input_read(in, x, 0, 3), PRI_OK);
  for (int i = 0; i < 3; ++i) assert_true(x[4 * i] == (pri_real)(100 * i) && x[4 * i + 3] == 3);
  assert_int_equal(pri_input_read(in, x, 1, 1), PRI_OK);
  assert_true(x[0] == 100);
  assert_int_equal(pri_input_hash(in, hex), PRI_OK);
  assert_int_equal(pri_hash_file(ctx, scratch, again), PRI_OK);
  assert_string_equal(hex, again);
  pri_input_close(&in);
  const char *const odd[] = {in_scratch(path, "s2.tif"), CORPUS "/stack_c.npy"};
  assert_int_equal(pri_input_open_stack(ctx, &in, odd, 2), PRI_ESHAPE);
  assert_null(in);
  const char *const gone[] = {odd[0], CORPUS "/not there"};
  assert_int_equal(pri_input_open_stack(ctx, &in, gone, 2), PRI_EREAD);
  empty_folder(scratch);
  assert_int_equal(pri_input_open(ctx, &in, scratch), PRI_EFORMAT);
  drop_ctx(&ctx);
}

static void stacks_of_stacks(void **state) {
  static const char *const names[] = {CORPUS "/stack_c.npy", CORPUS "/slice_u8.png", CORPUS "/stack_f32.tif"};
  pri_real x[4 * CORPUS_SIZE];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(pri_input_open_stack(ctx, &in, names, 3), PRI_OK);
  assert_int_equal(pri_input_describe(in)->items, 5);
  assert_int_equal(pri_input_read(in, x, 1, 4), PRI_OK);
  /* in natural order the slice comes first */
  assert_true(x[0] == 0 && x[CORPUS_SIZE] == 100 && x[2 * CORPUS_SIZE + 5] == 11 && x[3 * CORPUS_SIZE] == 100);
  pri_input_close(&in);
  drop_ctx(&ctx);
}

int unit_io_names(void);
int unit_io_names(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(numbers_keep_double), cmocka_unit_test(hashes),
    cmocka_unit_test(a_folder_is_a_stack), cmocka_unit_test(stacks_of_stacks)};
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
