/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_input.c - any bytes as an input file: which reader takes them is decided by their first bytes, all slices are loaded, within 64 MiB.
 * Compiled with PRI_FUZZ it is a libFuzzer entry point, without it has a main() that runs the files it is given, each once; tests/local.mk says
 * how to build either. tests/data/corpus is where to start from. HDF5 files are passed over unless PRIORI_FUZZ_HDF5 is set: their reader is a process of its own,
 * whose crash is an answer and not a finding.
 */
#include "fuzz.h"
#include "priori/priori.h"

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
