/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_config.c - any bytes as a pipeline file: read, made complete, printed, and the print read again; what was understood once is understood
 * again, to the same print. Compiled with PRI_FUZZ a libFuzzer entry point, else a main() that runs the files it is given: tests/local.mk.
 */
#define FUZZ_SUFFIX ".ini"
#include "../reconstruct/pipeline_config.h"
#include "fuzz.h"
#include "priori/priori.h"

/* *text: the complete configuration, NULL where the file is refused (in words) */
static void understand(pri_ctx *ctx, char **text) {
  pri_options o;
  *text = NULL;
  pri_status s = pri_options_init(ctx, &o);
  if (s == PRI_OK) s = pri_config_read(ctx, &o, scratch_file());
  if (s == PRI_OK) s = pri_config_complete(ctx, &o);
  if (s == PRI_OK) s = pri_config_print(ctx, &o, text);
  if (s != PRI_OK && !pri_ctx_message(ctx)[0]) abort(); /* a failure without words */
  pri_options_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pri_ctx *ctx;
  char *once, *twice;
  if (!save(data, size) || pri_open(&ctx, &(pri_ctx_opts){.threads = 1, .memory = 64 << 20}) != PRI_OK) return 0;
  understand(ctx, &once);
  if (once && save(once, strlen(once))) {
    understand(ctx, &twice);
    if (!twice || strcmp(once, twice)) abort(); /* twice is the same as once */
    pri_free(ctx, twice);
  }
  pri_free(ctx, once);
  if (pri_ctx_memory_used(ctx)) abort(); /* a leak */
  pri_ctx_destroy(&ctx);
  return 0;
}
