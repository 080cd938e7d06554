/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors.c - see safetensors.h. The header is parsed by jansson, which bounds its depth; duplicate names are refused. */
#include "config.h"
#include "safetensors.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "io_private.h"
#include "models.h"

enum { LONGEST_HEADER = 1 << 24, MOST_TENSORS = 1 << 16 };
#define CARD "__metadata__"

struct pri_tensors {
  json_t *header;      /* owns names and card */
  pri_tensor *tensor;
  int64_t *begin;      /* of each, in the data */
  pri_dtype *type;
  int count;
};

static uint64_t little(const unsigned char b[8]) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; i--) v = v << 8 | b[i];
  return v;
}

/* ---- reading */

static pri_status read_header(pri_ctx *ctx, const pri_source *s, pri_tensors *t, int64_t *data) {
  unsigned char eight[8];
  char *text;
  if (s->size < 8) return PRI_FAIL(ctx, PRI_EFORMAT, "%s: %lld bytes are too few for a safetensors file", s->name, (long long)s->size);
  PRI_TRY(pri_source_read(ctx, s, eight, 8, 0));
  const uint64_t n = little(eight);
  if (n < 2 || n > LONGEST_HEADER || (int64_t)n > s->size - 8)
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: not a safetensors file, or cut off: it says that its header has %llu bytes", s->name, (unsigned long long)n);
  PRI_ALLOC(ctx, text, n);
  pri_status status = pri_source_read(ctx, s, text, (size_t)n, 8);
  json_error_t error = {.line = 0};
  if (status == PRI_OK) t->header = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &error);
  pri_free(ctx, text);
  PRI_TRY(status);
  if (!json_is_object(t->header)) return PRI_FAIL(ctx, PRI_EFORMAT, "%s: its header is no JSON object: %s", s->name, t->header ? "another value" : error.text);
  *data = 8 + (int64_t)n;
  return PRI_OK;
}

/* "F64" -> its type; 0: not one that is read here */
static int type_of(const char *name, pri_dtype *type) {
  static const struct { const char *name; char kind; size_t bytes; } known[] = {
      {"F64", 'f', 8}, {"F32", 'f', 4}, {"F16", 'f', 2}, {"I64", 'i', 8}, {"I32", 'i', 4}, {"I16", 'i', 2}, {"I8", 'i', 1}, {"U8", 'u', 1}, {"U16", 'u', 2}, {"U32", 'u', 4}};
  int found = 0;
  for (size_t k = 0; k < sizeof known / sizeof *known && !found; k++)
    if (strcmp(known[k].name, name) == 0) *type = pri_dtype_of(known[k].kind, known[k].bytes, &found);
  return found;
}

static pri_status take_shape(pri_ctx *ctx, const char *file, pri_tensor *t, const json_t *shape) {
  if (!json_is_array(shape) || json_array_size(shape) > PRI_MAXDIM)
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: tensor %.60s: its shape is no list of at most %d sizes", file, t->name, PRI_MAXDIM);
  t->nd = (int)json_array_size(shape), t->size = 1;
  for (int a = 0; a < t->nd; a++) {
    const json_t *n = json_array_get(shape, (size_t)a);
    const json_int_t v = json_is_integer(n) ? json_integer_value(n) : 0;
    if (v < 1 || v > PTRDIFF_MAX / 16 / t->size) return PRI_FAIL(ctx, PRI_EFORMAT, "%s: tensor %.60s: size %lld of axis %d makes no sense", file, t->name, (long long)v, a);
    t->n[a] = (ptrdiff_t)v, t->size *= (ptrdiff_t)v;
  }
  return PRI_OK;
}

static pri_status take_tensor(pri_ctx *ctx, const pri_source *s, pri_tensors *t, const char *name, const json_t *entry, int64_t room) {
  pri_tensor *to = &t->tensor[t->count];
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  const json_t *range = json_object_get(entry, "data_offsets"), *from = json_array_get(range, 0), *end = json_array_get(range, 1);
  to->name = name;
  if (!dtype || !type_of(dtype, &t->type[t->count]))
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: tensor %.60s: type %.20s is not read here; give F64, F32 or F16", s->name, name, dtype ? dtype : "(none)");
  PRI_TRY(take_shape(ctx, s->name, to, json_object_get(entry, "shape")));
  if (json_array_size(range) != 2 || !json_is_integer(from) || !json_is_integer(end))
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: tensor %.60s: its data_offsets are no two numbers", s->name, name);
  const json_int_t a = json_integer_value(from), b = json_integer_value(end);
  if (a < 0 || b < a || b > room || b - a != (json_int_t)to->size * (json_int_t)pri_dtype_bytes(t->type[t->count]))
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: tensor %.60s: bytes %lld to %lld are not what its shape needs, or not in the file (cut off?)", s->name, name, (long long)a, (long long)b);
  t->begin[t->count++] = a;
  return PRI_OK;
}

static int by_number(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* the ranges, sorted, cover the data without holes or overlaps */
static pri_status check_cover(pri_ctx *ctx, const pri_source *s, const pri_tensors *t, int64_t room) {
  int64_t (*range)[2], end = 0;
  PRI_ALLOC(ctx, range, t->count);
  for (int i = 0; i < t->count; i++) range[i][0] = t->begin[i], range[i][1] = t->begin[i] + (int64_t)t->tensor[i].size * (int64_t)pri_dtype_bytes(t->type[i]);
  if (t->count > 0) qsort(range, (size_t)t->count, sizeof *range, by_number);
  int good = 1;
  for (int i = 0; i < t->count && good; i++) good = range[i][0] == end, end = range[i][1];
  pri_free(ctx, range);
  if (good && end == room) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EFORMAT, "%s: its tensors overlap, or leave bytes of the file out", s->name);
}

static pri_status take_all(pri_ctx *ctx, const pri_source *s, pri_tensors *t) {
  int64_t data = 0;
  const char *name;
  json_t *entry;
  PRI_TRY(read_header(ctx, s, t, &data));
  const size_t count = json_object_size(t->header);
  if (count > MOST_TENSORS) return PRI_FAIL(ctx, PRI_EFORMAT, "%s: %zu tensors are more than %d", s->name, count, MOST_TENSORS);
  PRI_ALLOC(ctx, t->tensor, count);
  PRI_ALLOC(ctx, t->begin, count);
  PRI_ALLOC(ctx, t->type, count);
  json_object_foreach(t->header, name, entry) if (strcmp(name, CARD) != 0) PRI_TRY(take_tensor(ctx, s, t, name, entry, s->size - data));
  PRI_TRY(check_cover(ctx, s, t, s->size - data));
  for (int i = 0; i < t->count; i++) {
    const size_t bytes = (size_t)t->tensor[i].size * pri_dtype_bytes(t->type[i]);
    void *raw = pri_calloc(ctx, bytes, 1);
    if (!raw) return pri_ctx_code(ctx);
    pri_status status = pri_source_read(ctx, s, raw, bytes, data + t->begin[i]);
    if (status == PRI_OK && !(t->tensor[i].data = pri_calloc(ctx, (size_t)t->tensor[i].size, sizeof(double)))) status = pri_ctx_code(ctx);
    if (status == PRI_OK) pri_samples_double(t->tensor[i].data, raw, t->type[i], pri_big_endian(), t->tensor[i].size);
    pri_free(ctx, raw);
    PRI_TRY(status);
  }
  return PRI_OK;
}

pri_status pri_tensors_load(pri_ctx *ctx, pri_tensors **out, const char *path) {
  pri_source s;
  char installed[PRI_MODELS_PATH];
  PRI_ALLOC(ctx, *out, 1);
  pri_status status = pri_source_open(ctx, &s, pri_models_find(path, installed, sizeof installed));
  if (status == PRI_OK) status = take_all(ctx, &s, *out);
  pri_source_close(ctx, &s);
  if (status != PRI_OK) pri_tensors_destroy(ctx, out);
  return status;
}

void pri_tensors_destroy(pri_ctx *ctx, pri_tensors **t) {
  if (!t || !*t) return;
  for (int i = 0; i < (*t)->count; i++) pri_free(ctx, (*t)->tensor[i].data);
  pri_free(ctx, (*t)->tensor);
  pri_free(ctx, (*t)->begin);
  pri_free(ctx, (*t)->type);
  json_decref((*t)->header);
  pri_free(ctx, *t);
  *t = NULL;
}

const char *pri_tensors_card(const pri_tensors *t, const char *key) { return json_string_value(json_object_get(json_object_get(t->header, CARD), key)); }
const char *pri_tensors_card_at(const pri_tensors *t, int k) {
  const char *key;
  json_t *value;
  json_object_foreach(json_object_get(t->header, CARD), key, value) if (json_is_string(value) && k-- == 0) return key;
  return NULL;
}
const pri_tensor *pri_tensors_at(const pri_tensors *t, int k) { return &t->tensor[k]; }

int pri_tensors_count(const pri_tensors *t) { return t->count; }

const pri_tensor *pri_tensors_find(const pri_tensors *t, const char *name) {
  for (int i = 0; i < t->count; i++)
    if (strcmp(t->tensor[i].name, name) == 0) return &t->tensor[i];
  return NULL;
}

/* ---- writing */

static json_t *header_of(const char *const *card, const pri_tensor *t, int count) {
  json_t *header = json_object(), *texts = json_object();
  json_int_t at = 0;
  int bad = !header || !texts;
  for (; !bad && card && card[0]; card += 2) bad |= json_object_set_new(texts, card[0], json_string(card[1]));
  bad |= json_object_set(header, CARD, texts);
  for (int i = 0; i < count && !bad; i++) {
    json_t *shape = json_array();
    for (int a = 0; a < t[i].nd; a++) bad |= json_array_append_new(shape, json_integer((json_int_t)t[i].n[a]));
    const json_int_t end = at + (t[i].single ? 4 : 8) * (json_int_t)t[i].size;
    bad |= json_object_set_new(header, t[i].name, json_pack("{s:s, s:o, s:[I, I]}", "dtype", t[i].single ? "F32" : "F64", "shape", shape, "data_offsets", at, end));
    at = end;
  }
  json_decref(texts);
  if (bad) json_decref(header), header = NULL;
  return header;
}

static void put_little(unsigned char b[8], uint64_t v) {
  for (int i = 0; i < 8; i++) b[i] = (unsigned char)(v >> 8 * i);
}

static pri_status write_tensor(pri_sink *sink, const pri_tensor *t) {
  unsigned char buffer[8192], *to = buffer;
  for (ptrdiff_t j = 0; j < t->size; j++) {
    const float single = (float)t->data[j];
    uint32_t half;
    uint64_t bits;
    memcpy(&bits, &t->data[j], 8);
    memcpy(&half, &single, 4);
    for (int i = 0; i < (t->single ? 4 : 8); i++) *to++ = (unsigned char)((t->single ? half : bits) >> 8 * i);
    if (to < buffer + sizeof buffer && j < t->size - 1) continue;
    PRI_TRY(pri_sink_write(sink, buffer, (size_t)(to - buffer)));
    to = buffer;
  }
  return PRI_OK;
}

static pri_status write_all(pri_sink *sink, const char *text, const pri_tensor *t, int count) {
  static const char blanks[8] = "       ";
  unsigned char eight[8];
  const size_t length = strlen(text), pad = (8 - length % 8) % 8;
  put_little(eight, length + pad);
  PRI_TRY(pri_sink_write(sink, eight, 8));
  PRI_TRY(pri_sink_write(sink, text, length));
  PRI_TRY(pri_sink_write(sink, blanks, pad));
  for (int i = 0; i < count; i++) PRI_TRY(write_tensor(sink, &t[i]));
  return pri_sink_commit(sink);
}

pri_status pri_tensors_save(pri_ctx *ctx, const char *path, int overwrite, const char *const *card, const pri_tensor *t, int count) {
  pri_sink sink = {.fd = -1};
  json_t *header = header_of(card, t, count);
  char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
  json_decref(header);
  if (!text) return PRI_FAIL(ctx, PRI_ENOMEM, "%s: no memory for its header, or a text of its card is not UTF-8", path);
  pri_status status = pri_sink_open(ctx, &sink, path, overwrite);
  if (status == PRI_OK) status = write_all(&sink, text, t, count);
  pri_sink_discard(&sink);
  free(text); /* jansson's */
  return status;
}
