/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_io_damage.c - files cut at every byte (HDF5: every 16th), files with any one byte changed, and no memory: a status, never a crash, never
   other pixels from a cut file. What the fuzzer found is in the corpus as bad_*. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include "alloc.h"
#include "io_files.h"

static ptrdiff_t step;

/* EREAD, EFORMAT, or the same pixels */
static void open_cut(const char *path, ptrdiff_t slices, const char *from, size_t at) {
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_real x[2 * CORPUS_SIZE];
  pri_status s = pri_input_open(ctx, &in, path);
  if (s == PRI_OK) {
    const pri_input_info *const info = pri_input_describe(in);
    if (info->items != slices || info->item.n[0] != CORPUS_ROWS || info->item.n[1] != CORPUS_COLUMNS)
      fail_msg("%s cut at %zu: another shape", from, at);
    s = pri_input_read(in, x, 0, slices);
    for (ptrdiff_t i = 0; i < slices * CORPUS_SIZE && s == PRI_OK; ++i)
      if (x[i] != corpus_value(i)) fail_msg("%s cut at %zu: other pixels", from, at);
  }
  if (s != PRI_OK && s != PRI_EREAD && s != PRI_EFORMAT) fail_msg("%s cut at %zu: %s", from, at, pri_ctx_message(ctx));
  pri_input_close(&in);
  drop_ctx(&ctx);
}

static void cut_everywhere(const char *from, ptrdiff_t slices) {
  char path[PATH_ROOM];
  size_t n;
  unsigned char *const bytes = get_bytes(from, &n);
  put_bytes(in_scratch(path, "cut"), bytes, n);
  open_cut(path, slices, from, n);
  for (ptrdiff_t at = ((ptrdiff_t)n - 1) / step * step; at >= 0; at -= step) {
    assert_int_equal(truncate(path, at), 0);
    open_cut(path, slices, from, (size_t)at);
  }
  free(bytes);
}

static void cut_tiff(void **state) { (void)state, step = 1, each_corpus_file(".tif", cut_everywhere); }
static void cut_npy(void **state) { (void)state, step = 1, each_corpus_file(".npy", cut_everywhere); }
static void cut_mat(void **state) { (void)state, step = 1, each_corpus_file(".mat", cut_everywhere); }
static void cut_png(void **state) { (void)state, step = 1, each_corpus_file(".png", cut_everywhere); }
static void cut_hdf5(void **state) {
  (void)state;
  if (!built_with_hdf5()) skip();
  step = 16;
  cut_everywhere(CORPUS "/stack_chunks.h5", 2);
}

/* the process that reads HDF5 is the only child of this one */
static pid_t find_child(void) {
  char path[64];
  int pid = 0;
  snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
  FILE *const f = fopen(path, "r");
  if (!f) return 0;
  if (fscanf(f, "%d", &pid) != 1) pid = 0;
  fclose(f);
  return (pid_t)pid;
}

static void a_reader_that_crashes_is_a_status(void **state) {
  (void)state;
  if (!built_with_hdf5()) skip();
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_real x[2 * CORPUS_SIZE];
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/stack_chunks.h5"), PRI_OK);
  const pid_t child = find_child();
  if (child <= 0) {            /* no /proc of Linux */
    pri_input_close(&in);
    drop_ctx(&ctx);
    skip();
  }
  assert_int_equal(pri_input_read(in, x, 0, 1), PRI_OK);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(pri_input_read(in, x, 0, 1), PRI_EFORMAT);
  assert_non_null(strstr(pri_ctx_message(ctx), "has failed"));
  assert_int_equal(pri_input_read(in, x, 0, 1), PRI_EFORMAT);
  pri_input_close(&in);
  drop_ctx(&ctx);
}

/* any status and any shape: but no crash, no leak, and no more memory than the budget */
static void open_changed(const char *path) {
  pri_ctx *ctx = make_ctx(64 << 20);
  pri_array a;
  if (pri_input_load(ctx, path, &a) != PRI_OK) assert_true(pri_ctx_message(ctx)[0] != 0);
  pri_array_destroy(&a);
  drop_ctx(&ctx);
}

static void change_everywhere(const char *from, ptrdiff_t slices) {
  static const unsigned char to[] = {0, 0xff, 0x7f};
  char path[PATH_ROOM];
  size_t n;
  unsigned char *const bytes = get_bytes(from, &n);
  (void)slices;
  put_bytes(in_scratch(path, "changed"), bytes, n);
  const int fd = open(path, O_WRONLY);
  assert_true(fd >= 0);
  for (size_t at = 0; at < n; at += (size_t)step) {
    for (size_t k = 0; k < sizeof to; ++k) {
      assert_int_equal(pwrite(fd, to + k, 1, (off_t)at), 1);
      open_changed(path);
    }
    assert_int_equal(pwrite(fd, bytes + at, 1, (off_t)at), 1);
  }
  close(fd);
  free(bytes);
}

static void any_byte_may_be_wrong(void **state) {
  (void)state;
  step = 1;
  each_corpus_file(".tif", change_everywhere);
  each_corpus_file(".npy", change_everywhere);
  each_corpus_file(".mat", change_everywhere);
  each_corpus_file(".png", change_everywhere);
  step = 97;                                   /* a process each */
  if (built_with_hdf5()) change_everywhere(CORPUS "/stack_chunks.h5", 2);
}

static void what_the_fuzzer_found(void **state) {
  char path[2 * PATH_ROOM];
  (void)state;
  DIR *const dir = opendir(CORPUS);
  assert_non_null(dir);
  for (struct dirent *e; (e = readdir(dir));) {
    if (strncmp(e->d_name, "bad_", 4)) continue;
    snprintf(path, sizeof path, "%s/%s", CORPUS, e->d_name);
    open_changed(path);
  }
  closedir(dir);
}

static pri_status load_work(pri_ctx *ctx, void *path) {
  pri_array a;
  const pri_status s = pri_input_load(ctx, path, &a);
  pri_array_destroy(&a);
  return s;
}

static void without_memory(const char *path, ptrdiff_t slices) {
  char copy[PATH_ROOM];
  (void)slices;
  if (strstr(path, ".h5")) return;             /* the reading process is not the one that counts */
  snprintf(copy, sizeof copy, "%s", path);
  const char *const wrong = test_every_allocation(NULL, load_work, copy);
  if (wrong) fail_msg("%s: %s", path, wrong);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  each_corpus_file("", without_memory);
}

int unit_io_damage(void);
int unit_io_damage(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cut_tiff), cmocka_unit_test(cut_npy), cmocka_unit_test(cut_mat),
      cmocka_unit_test(cut_png),
    cmocka_unit_test(cut_hdf5), cmocka_unit_test(any_byte_may_be_wrong), cmocka_unit_test(what_the_fuzzer_found), cmocka_unit_test(a_reader_that_crashes_is_a_status),
        cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
