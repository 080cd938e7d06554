/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz.h - what the fuzz targets share: one scratch file for the whole run, and, where PRI_FUZZ is not defined, a main() that runs each of the files it
   is given once. Define FUZZ_SUFFIX before including it where the name of the file matters. */
#ifndef PRI_TEST_FUZZ_H
#define PRI_TEST_FUZZ_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifndef FUZZ_SUFFIX
#define FUZZ_SUFFIX ""
#endif
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *scratch_file(void) { /* in memory where there is /dev/shm */
  static char path[64];
  if (!path[0]) snprintf(path, sizeof path, "%s/priori-fuzz-%ld" FUZZ_SUFFIX, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
  return path;
}

static void remove_scratch(void) { unlink(scratch_file()); }

static int save(const void *data, size_t size) { /* into the scratch file; 0: it cannot be written */
  static int registered;
  if (!registered) registered = 1, atexit(remove_scratch);
  FILE *const f = fopen(scratch_file(), "wb");
  if (!f) return 0;
  const size_t n = fwrite(data, 1, size, f);
  return fclose(f) == 0 && n == size;
}

#ifndef PRI_FUZZ
int main(int argc, char **argv) {
  static uint8_t data[1 << 22];
  for (int i = 1; i < argc; ++i) {
    FILE *const f = fopen(argv[i], "rb");
    if (!f) return 1;
    const size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    (void)LLVMFuzzerTestOneInput(data, n);
  }
  return 0;
}
#endif
#endif
