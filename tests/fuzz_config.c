/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_config.c - any bytes as a pipeline file: read, made complete, printed, and the print read again; what was understood once is understood
 * again, to the same print. Compiled with PRI_FUZZ a libFuzzer entry point, else a main() that runs the files it is given: tests/local.mk.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../reconstruct/pipeline_config.h"
#include "priori/priori.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *scratch_file(void) {
  static char path[64];
  if (!path[0]) snprintf(path, sizeof path, "%s/priori-fuzz-%ld.ini", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
  return path;
}

static void remove_scratch(void) { unlink(scratch_file()); }

static int save(const void *data, size_t size) {
  static int registered;
  if (!registered) registered = 1, atexit(remove_scratch);
  FILE *const f = fopen(scratch_file(), "wb");
  if (!f) return 0;
  const size_t n = fwrite(data, 1, size, f);
  return fclose(f) == 0 && n == size;
}

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

#ifndef PRI_FUZZ
int main(int argc, char **argv) {
  static uint8_t data[1 << 20];
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
