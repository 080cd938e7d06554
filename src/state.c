/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state.c - the visitor of an iteration's state.
 * File: "PRISTATE1\n", then for each item its name (length, bytes), its size and its bytes, then the FNV-1a hash of all that. Written for
 * the machine that reads it again (--resume), not for exchange. A truncated or altered file is EFORMAT, never a wrong state.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "walk.h"

enum { PATH = 4096 };
static const char magic[] = "PRISTATE1\n";

struct pri_walk {
  pri_ctx *ctx;
  pri_walk_mode mode;
  FILE *f;
  uint64_t hash;
  size_t count;
  char path[PATH], temp[PATH + 32];
};

static void mix(pri_walk *w, const void *data, size_t n) {
  const unsigned char *p = data;
  for (size_t i = 0; i < n; i++) w->hash = (w->hash ^ p[i]) * 1099511628211u;
}

static pri_status put(pri_walk *w, const void *data, size_t n) {
  mix(w, data, n);
  if (n && fwrite(data, 1, n, w->f) != n) return PRI_FAIL(w->ctx, PRI_EWRITE, "state: cannot write %s: %s", w->temp, strerror(errno));
  return PRI_OK;
}

static pri_status get(pri_walk *w, void *data, size_t n) {
  if (n && fread(data, 1, n, w->f) != n) return PRI_FAIL(w->ctx, PRI_EFORMAT, "state: %s ends too early", w->path);
  mix(w, data, n);
  return PRI_OK;
}

static pri_status save(pri_walk *w, const char *name, const void *data, size_t bytes) {
  const uint64_t n = strlen(name), size = bytes;
  PRI_TRY(put(w, &n, sizeof n));
  PRI_TRY(put(w, name, n));
  PRI_TRY(put(w, &size, sizeof size));
  return put(w, data, bytes);
}

static pri_status load(pri_walk *w, const char *name, void *data, size_t bytes) {
  uint64_t n = 0, size = 0;
  char have[64] = "";
  PRI_TRY(get(w, &n, sizeof n));
  if (n >= sizeof have) return PRI_FAIL(w->ctx, PRI_EFORMAT, "state: %s is not a state of this program", w->path);
  PRI_TRY(get(w, have, (size_t)n));
  PRI_TRY(get(w, &size, sizeof size));
  if (strcmp(have, name) || size != bytes)
    return PRI_FAIL(w->ctx, PRI_EFORMAT, "state: %s holds '%s' (%ju bytes) where '%s' (%zu bytes) is wanted: it belongs to another problem", w->path, have,
                    (uintmax_t)size, name, bytes);
  return get(w, data, bytes);
}

pri_status pri_walk_bytes(pri_walk *w, const char *name, void *data, size_t bytes) {
  w->count += bytes;
  switch (w->mode) {
  case PRI_WALK_SAVE: return save(w, name, data, bytes);
  case PRI_WALK_LOAD: return load(w, name, data, bytes);
  case PRI_WALK_HASH:
    mix(w, name, strlen(name));
    mix(w, data, bytes);
    return PRI_OK;
  case PRI_WALK_COUNT: return PRI_OK;
  }
  return PRI_OK;
}

pri_status pri_walk_array(pri_walk *w, const char *name, pri_array *a) {
  const size_t n = a->data ? (size_t)(a->items * pri_shape_size(&a->shape)) : 0;
  return pri_walk_bytes(w, name, a->data, n * sizeof(pri_real));
}

static pri_status open_save(pri_walk *w) {
  snprintf(w->temp, sizeof w->temp, "%s.part", w->path);
  w->f = fopen(w->temp, "wb");
  if (!w->f) return PRI_FAIL(w->ctx, PRI_EWRITE, "state: cannot create %s: %s", w->temp, strerror(errno));
  return put(w, magic, sizeof magic - 1);
}

static pri_status open_load(pri_walk *w) {
  char have[sizeof magic] = "";
  w->f = fopen(w->path, "rb");
  if (!w->f) return PRI_FAIL(w->ctx, PRI_EREAD, "state: cannot open %s: %s", w->path, strerror(errno));
  PRI_TRY(get(w, have, sizeof magic - 1));
  return strcmp(have, magic) ? PRI_FAIL(w->ctx, PRI_EFORMAT, "state: %s is not a state of this program", w->path) : PRI_OK;
}

pri_status pri_walk_begin(pri_ctx *ctx, pri_walk **out, pri_walk_mode mode, const char *path) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  pri_walk *w = *out;
  w->ctx = ctx;
  w->mode = mode;
  w->hash = 14695981039346656037u;
  if (path) snprintf(w->path, sizeof w->path, "%s", path);
  const pri_status s = mode == PRI_WALK_SAVE ? open_save(w) : mode == PRI_WALK_LOAD ? open_load(w) : PRI_OK;
  if (s != PRI_OK) (void)pri_walk_end(out, 1);
  return s;
}

static pri_status finish_save(pri_walk *w) {
  const uint64_t hash = w->hash;
  PRI_TRY(put(w, &hash, sizeof hash));
  const int bad = fflush(w->f) || fsync(fileno(w->f));
  const int closed = fclose(w->f);
  w->f = NULL;
  if (bad || closed || rename(w->temp, w->path)) return PRI_FAIL(w->ctx, PRI_EWRITE, "state: cannot write %s: %s", w->path, strerror(errno));
  return PRI_OK;
}

static pri_status finish_load(pri_walk *w) {
  const uint64_t want = w->hash;
  uint64_t have = 0;
  PRI_TRY(get(w, &have, sizeof have));
  return have == want ? PRI_OK : PRI_FAIL(w->ctx, PRI_EFORMAT, "state: %s is damaged (its check sum does not agree)", w->path);
}

pri_status pri_walk_end(pri_walk **w, int drop) {
  pri_walk *p = *w;
  pri_status s = PRI_OK;
  if (!drop && p->mode == PRI_WALK_SAVE) s = finish_save(p);
  if (!drop && p->mode == PRI_WALK_LOAD) s = finish_load(p);
  if (p->f) fclose(p->f);
  if (p->mode == PRI_WALK_SAVE && (drop || s != PRI_OK)) unlink(p->temp);
  pri_free(p->ctx, p);
  *w = NULL;
  return s;
}

uint64_t pri_walk_hash(const pri_walk *w) { return w->hash; }
size_t pri_walk_count(const pri_walk *w) { return w->count; }
int pri_walk_loading(const pri_walk *w) { return w->mode == PRI_WALK_LOAD; }
