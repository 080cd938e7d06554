/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_metadata.c - what a result kept of its input: by tags where both are TIFF, else by what the formats say of themselves. */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io_ome.h"
#include "io_tiff.h"

/* ---- descriptions, line by line */

typedef struct line { const char *key; size_t key_length; const char *value; size_t length; } line;

/* the next line of "key=value"; 0: there is none */
static int next_line(const char **p, line *out) {
  if (!*p || !**p) return 0;
  const size_t n = strcspn(*p, "\n"), k = strcspn(*p, "=\n");
  *out = (line){*p, k, *p + (k < n ? k + 1 : k), n - (k < n ? k + 1 : k)};
  *p += n + ((*p)[n] == '\n');
  return 1;
}

static int same_key(const line *a, const line *b) { return a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0; }

static int has_key(const char *text, const line *wanted) {
  line l;
  while (next_line(&text, &l))
    if (same_key(&l, wanted)) return 1;
  return 0;
}

typedef struct listener { pri_metadata_fn fn; void *arg; const char *prefix; } listener;

static void tell(const listener *to, const line *before, const line *after) {
  const line *const any = before ? before : after;
  char name[160], a[300], b[300];
  snprintf(name, sizeof name, "%s%.*s", to->prefix, any->key_length > 120 ? 120 : (int)any->key_length, any->key);
  if (before) snprintf(a, sizeof a, "%.*s", before->length > 290 ? 290 : (int)before->length, before->value);
  if (after) snprintf(b, sizeof b, "%.*s", after->length > 290 ? 290 : (int)after->length, after->value);
  to->fn(to->arg, name, before ? a : NULL, after ? b : NULL);
}

/* in step, as far as keys agree; a key that the other text has no more is gone, one that only it has is new */
static void compare_lines(const listener *to, const char *old, const char *now) {
  line a, b;
  const char *p = old, *q = now;
  int more_a = next_line(&p, &a), more_b = next_line(&q, &b);
  while (more_a || more_b) {
    const int step = more_a && more_b && same_key(&a, &b), gone = !step && more_a && (!more_b || !has_key(q, &a));
    if (step) tell(to, &a, &b);
    else if (gone) tell(to, &a, NULL);
    else tell(to, NULL, &b);
    if (step || gone) more_a = next_line(&p, &a);
    if (step || !gone) more_b = next_line(&q, &b);
  }
}

pri_status pri_description_compare(pri_ctx *ctx, const char *old, const char *now, pri_metadata_fn fn, void *arg) {
  char *a = NULL, *b = NULL;
  pri_status s = PRI_OK;
  if (old && now && strncmp(old, "ImageJ=", 7) == 0) {
    compare_lines(&(listener){fn, arg, "ImageDescription "}, old, now);
  } else if (old && now && pri_ome_is(old) && pri_ome_is(now)) {
    s = pri_ome_flatten(ctx, "the input", old, &a);
    if (s == PRI_OK) s = pri_ome_flatten(ctx, "the result", now, &b);
    if (s == PRI_OK) compare_lines(&(listener){fn, arg, "OME-XML "}, a, b);
  } else {
    fn(arg, "ImageDescription", old, now);
  }
  pri_free(ctx, a);
  pri_free(ctx, b);
  return s;
}

/* ---- other formats */

static char *value_text(const json_t *v) { return v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL; }

static int is_layout(const char *key) {
  static const char *const all[] = {"compression", "photometric", "bits", "samples_per_pixel", "bigtiff", "big_endian", "tiled", "descr",
    "fortran_order"};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
    if (strcmp(all[i], key) == 0) return 1;
  return 0;
}

static void compare_objects(const char *old, const char *now, pri_metadata_fn fn, void *arg) {
  json_t *const a = json_loads(old, 0, NULL), *const b = json_loads(now, 0, NULL), *v;
  const char *key;
  json_object_foreach(a, key, v) {
    char *const before = value_text(v), *const after = value_text(json_object_get(b, key));
    if (!is_layout(key)) fn(arg, key, before, after);
    free(before);
    free(after);
  }
  json_decref(a);
  json_decref(b);
}

static void compare_shapes(const pri_input *in, const pri_input *out, pri_metadata_fn fn, void *arg) {
  char a[200], b[200];
  const pri_input_info *const i = &in->info, *const o = &out->info;
  pri_shape s = {.nd = i->nd}, t = {.nd = o->nd};
  memcpy(s.n, i->shape, sizeof s.n);
  memcpy(t.n, o->shape, sizeof t.n);
  fn(arg, "sample type", i->dtype, o->dtype);
  fn(arg, "shape", pri_shape_text(&s, a, sizeof a), pri_shape_text(&t, b, sizeof b));
  fn(arg, "axes", i->axes, o->axes);
}

pri_status pri_metadata_compare(pri_input *in, pri_input *out, pri_metadata_fn fn, void *arg) {
  pri_input *file = NULL;
  ptrdiff_t page;
  compare_shapes(in, out, fn, arg);
  if (out->reader == &pri_reader_tiff) PRI_TRY(pri_tiff_origin(in, 0, &file, &page));
  if (file) return pri_tiff_compare(in, out, fn, arg);
  compare_objects(in->info.pixel, out->info.pixel, fn, arg);
  if (strcmp(in->info.format, out->info.format) == 0 || strcmp(in->info.format, "tiff") == 0)
    compare_objects(in->info.metadata, out->info.metadata, fn, arg);
  return PRI_OK;
}
