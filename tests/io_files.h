/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_files.h - a scratch folder, files of bytes, and the corpus: every file stack_* of tests/data/corpus holds 2 slices of 3 x 4 pixels with the values
   100 slice + 10 row + column, every file slice_* the first of them. */
#ifndef TESTS_IO_FILES_H
#define TESTS_IO_FILES_H
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { CORPUS_ROWS = 3, CORPUS_COLUMNS = 4, CORPUS_SIZE = 12, PATH_ROOM = 512 };
#define CORPUS PRI_TEST_DATA "/corpus"

static inline pri_real corpus_value(ptrdiff_t i) { return (pri_real)(100 * (i / 12) + 10 * (i / 4 % 3) + i % 4); }

static inline pri_ctx *make_ctx(size_t memory) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, &(pri_ctx_opts){.threads = 1, .memory = memory}), PRI_OK);
  return ctx;
}

static inline void drop_ctx(pri_ctx **ctx) {
  assert_int_equal((int)pri_ctx_memory_used(*ctx), 0);
  pri_ctx_destroy(ctx);
}

/* made by the group's set-up, removed with all that is in it by its tear-down */
static char scratch[PATH_ROOM];

static inline int make_scratch(void **state) {
  const char *dir = getenv("TMPDIR");
  (void)state;
  snprintf(scratch, sizeof scratch, "%s/priori-test-XXXXXX", dir && *dir ? dir : "/tmp");
  return mkdtemp(scratch) ? 0 : -1;
}

/* files in a folder, hidden ones included */
static inline int count_files(const char *path) {
  int n = 0;
  DIR *const dir = opendir(path);
  assert_non_null(dir);
  for (struct dirent *e; (e = readdir(dir));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
  closedir(dir);
  return n;
}

static inline void empty_folder(const char *path) {
  char name[2 * PATH_ROOM];
  DIR *const dir = opendir(path);
  if (!dir) return;
  for (struct dirent *e; (e = readdir(dir));) {
    snprintf(name, sizeof name, "%s/%s", path, e->d_name);
    unlink(name);
  }
  closedir(dir);
}

static inline int remove_scratch(void **state) {
  (void)state;
  empty_folder(scratch);
  return rmdir(scratch);
}

static inline const char *in_scratch(char path[PATH_ROOM], const char *name) {
  snprintf(path, PATH_ROOM, "%.400s/%.100s", scratch, name);
  return path;
}

static inline void put_bytes(const char *path, const void *bytes, size_t n) {
  FILE *const f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  assert_int_equal(fclose(f), 0);
}

static inline unsigned char *get_bytes(const char *path, size_t *n) {
  FILE *const f = fopen(path, "rb");
  assert_non_null(f);
  unsigned char *const bytes = malloc(1 << 16);
  assert_non_null(bytes);
  *n = fread(bytes, 1, 1 << 16, f);
  assert_int_equal(fclose(f), 0);
  return bytes;
}

/* fn(path, slices) for every corpus file of a suffix; "": all */
static inline void each_corpus_file(const char *suffix, void (*fn)(const char *path, ptrdiff_t slices)) {
  char path[PATH_ROOM];
  int n = 0;
  DIR *const dir = opendir(CORPUS);
  assert_non_null(dir);
  for (struct dirent *e; (e = readdir(dir));) {
    const size_t length = strlen(e->d_name), end = strlen(suffix);
    const int stack = strncmp(e->d_name, "stack_", 6) == 0, slice = strncmp(e->d_name, "slice_", 6) == 0;
    if ((!stack && !slice) || length < end || strcmp(e->d_name + length - end, suffix)) continue;
    snprintf(path, sizeof path, "%s/%.200s", CORPUS, e->d_name);
    fn(path, stack ? 2 : 1);
    ++n;
  }
  closedir(dir);
  assert_true(n > 0);
}

/* HDF5 may be absent from the build: then its files are refused with that reason */
static inline int built_with_hdf5(void) {
  pri_input *in;
  pri_ctx *ctx = make_ctx(0);
  const int with = pri_input_open(ctx, &in, CORPUS "/stack_chunks.h5") == PRI_OK;
  if (!with) assert_non_null(strstr(pri_ctx_message(ctx), "without"));
  pri_input_close(&in);
  drop_ctx(&ctx);
  return with;
}
#endif
