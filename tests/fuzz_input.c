/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_input.c - any bytes as an input file: which reader takes them is decided by their first bytes, all slices are loaded, within 64 MiB.
 * Compiled with PRI_FUZZ it is a libFuzzer entry point, without it has a main() that runs the files it is given, each once; tests/local.mk says
 * how to build either. tests/data/corpus is where to start from. HDF5 files are passed over unless PRIORI_FUZZ_HDF5 is set: their reader is a process of its own,
 * whose crash is an answer and not a finding.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "priori/priori.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* one file for the whole run, in memory where there is /dev/shm */
static const char *scratch_file(void) {
  static char path[64];
  if (!path[0]) snprintf(path, sizeof path, "%s/priori-fuzz-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
  return path;
}

static void remove_scratch(void) { unlink(scratch_file()); }

static int save(const uint8_t *data, size_t size) {
  static int registered;
  if (!registered) registered = 1, atexit(remove_scratch);
  FILE *const f = fopen(scratch_file(), "wb");
  if (!f) return 0;
  const size_t n = fwrite(data, 1, size, f);
  return fclose(f) == 0 && n == size;
}

static void numbers(pri_ctx *ctx) {
  double *v;
  ptrdiff_t n;
  if (pri_input_numbers(ctx, scratch_file(), &v, &n) == PRI_OK) pri_free(ctx, v);
}

static void ignore(void *arg, const char *item, const char *before, const char *after) { (void)arg, (void)item, (void)before, (void)after; }

/* a result that is like the input: metadata copied and edited, read again, compared. Whatever was read can be written */
static void copy(pri_ctx *ctx, const pri_array *a) {
  char path[80];
  pri_input *in, *back = NULL;
  pri_output *o = NULL;
  snprintf(path, sizeof path, "%s.tif", scratch_file());
  if (pri_input_open(ctx, &in, scratch_file()) != PRI_OK) return;
  pri_status s = pri_output_create(ctx, &o, path, &a->shape, a->items, &(pri_output_opts){.like = in, .overwrite = 1});
  if (s == PRI_OK) s = pri_output_write(o, a->data, 0, a->items);
  if (s == PRI_OK) s = pri_output_finish(o, "{}");
  pri_output_destroy(&o);
  if (s == PRI_OK && pri_input_open(ctx, &back, path) == PRI_OK) (void)!pri_metadata_compare(in, back, ignore, NULL);
  pri_input_close(&back);
  pri_input_close(&in);
  unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pri_ctx *ctx;
  pri_array a;
  if (size >= 8 && memcmp(data, "\x89HDF\r\n\x1a\n", 8) == 0 && !getenv("PRIORI_FUZZ_HDF5")) return 0;
  if (!save(data, size) || pri_ctx_create(&ctx, &(pri_ctx_opts){.threads = 1, .memory = 64 << 20}) != PRI_OK) return 0;
  if (pri_input_load(ctx, scratch_file(), &a) != PRI_OK && !pri_ctx_message(ctx)[0]) abort();   /* a failure without words */
  if (a.data && pri_shape_size(&a.shape) * a.items < 1 << 16) copy(ctx, &a);
  pri_array_destroy(&a);
  numbers(ctx);
  if (pri_ctx_memory_used(ctx)) abort();                                                       /* a leak */
  pri_ctx_destroy(&ctx);
  return 0;
}

#ifndef PRI_FUZZ
int main(int argc, char **argv) {
  static uint8_t data[1 << 22];
  for (int i = 1; i < argc; ++i) {
    FILE *const f = fopen(argv[i], "rb");
    if (!f) return 1;
    const size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
  }
  return 0;
}
#endif
