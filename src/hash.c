/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hash.c - SHA-256 of files (nettle). A folder's hash is that of its files' hex hashes, one a line, in natural order. */
#include "config.h"
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include "io_private.h"

static void to_hex(struct sha256_ctx *sha, char hex[65]) {
  uint8_t digest[SHA256_DIGEST_SIZE];
  sha256_digest(sha, sizeof digest, digest);
  for (size_t i = 0; i < sizeof digest; ++i) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

pri_status pri_hash_fd(pri_ctx *ctx, const pri_source *s, char hex[65]) {
  uint8_t buf[1 << 15];
  struct sha256_ctx sha;
  sha256_init(&sha);
  for (int64_t at = 0;;) {
    const ptrdiff_t n = pri_source_some(s, buf, sizeof buf, at);
    if (n < 0) return PRI_FAIL(ctx, PRI_EREAD, "%s: %s", s->name, strerror(errno));
    if (n == 0) break;
    sha256_update(&sha, (size_t)n, buf);
    at += n;
  }
  to_hex(&sha, hex);
  return PRI_OK;
}

static pri_status hash_path(pri_ctx *ctx, const char *path, char hex[65]) {
  pri_source source;
  pri_status s = pri_source_open(ctx, &source, path);
  if (s == PRI_OK) s = pri_hash_fd(ctx, &source, hex);
  pri_source_close(ctx, &source);
  return s;
}

pri_status pri_hash_names(pri_ctx *ctx, const char *const *names, int n, char hex[65]) {
  struct sha256_ctx sha;
  sha256_init(&sha);
  for (int i = 0; i < n; ++i) {
    PRI_TRY(pri_hash_file(ctx, names[i], hex));
    sha256_update(&sha, 64, (const uint8_t *)hex);
    sha256_update(&sha, 1, (const uint8_t *)"\n");
  }
  to_hex(&sha, hex);
  return PRI_OK;
}

pri_status pri_hash_file(pri_ctx *ctx, const char *name, char hex[65]) {
  char **names, *file, *inside;
  int n;
  hex[0] = 0;
  if (pri_folder_is(name)) {
    PRI_TRY(pri_folder_list(ctx, name, &names, &n));
    const pri_status s = pri_hash_names(ctx, (const char *const *)names, n, hex);
    pri_folder_free(ctx, names, n);
    return s;
  }
  PRI_TRY(pri_name_split(ctx, name, &file, &inside));
  const pri_status s = hash_path(ctx, file, hex);
  pri_free(ctx, file);
  pri_free(ctx, inside);
  return s;
}
