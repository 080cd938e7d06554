/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_tiff_compare.c - tags of a result against those of the pages that it was made of, value by value. A tag is kept where it is on every
   page; otherwise the first page that differs is told. Tags of the layout (strips, compression) are no metadata. */
#include "config.h"
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io_tiff.h"

enum { MOST_TAGS = 512, TEXT = 400 };
typedef struct row { uint16_t tag; int changed; char *before, *after; } row;   /* texts: of the first page that differs, else of the first */
typedef struct table { pri_ctx *ctx; row r[MOST_TAGS]; int n; char *old, *now; } table;   /* old, now: descriptions of the first page */

static int is_layout(uint16_t tag) {
  static const uint16_t all[] = {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 288, 289, 317, 322, 323, 324, 325, 339, 347, 530,
    PRI_TIFFTAG_PROVENANCE};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
    if (all[i] == tag) return 1;
  return 0;
}

/* ---- a value as text: equal values, equal texts */

static void put_blob(FILE *f, const unsigned char *p, size_t n) {
  struct sha256_ctx sha;
  uint8_t d[SHA256_DIGEST_SIZE];
  sha256_init(&sha);
  sha256_update(&sha, n, p);
  sha256_digest(&sha, sizeof d, d);
  fprintf(f, "%zu bytes (%02x%02x%02x%02x)", n, d[0], d[1], d[2], d[3]);
}

static void put_number(FILE *f, const pri_tag *t, const unsigned char *p, int order) {
  const int n = (int)pri_tag_unit(t->type);
  uint64_t v = pri_tiff_number(p, n, order);
  const int is_signed = t->type == TIFF_SBYTE || t->type == TIFF_SSHORT || t->type == TIFF_SLONG || t->type == TIFF_SLONG8 || t->type == TIFF_SRATIONAL;
  if (t->type == TIFF_DOUBLE) {
    double d;
    memcpy(&d, &v, sizeof d);
    fprintf(f, "%.17g", d);
  } else if (t->type == TIFF_FLOAT) {
    const uint32_t bits = (uint32_t)v;
    float d;
    memcpy(&d, &bits, sizeof d);
    fprintf(f, "%.9g", (double)d);
  } else if (is_signed && v >> (8 * n - 1) & 1) {
    fprintf(f, "-%llu", (unsigned long long)((~v + 1) & (n == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * n) - 1)));
  } else {
    fprintf(f, "%llu", (unsigned long long)v);
  }
  if (t->type == TIFF_RATIONAL || t->type == TIFF_SRATIONAL) fprintf(f, "/%llu", (unsigned long long)pri_tiff_number(p + 4, 4, order));
}

static void put_value(FILE *f, const pri_tag *t, const unsigned char *p, int order) {
  const size_t n = (size_t)t->count, size = pri_tag_bytes(t->type);
  if (t->type == TIFF_ASCII && n < TEXT) fprintf(f, "%s", (const char *)p);
  else if (size == 1 || n > 16) put_blob(f, p, n * size);
  else
    for (size_t i = 0; i < n; ++i) {
      if (i) fputs(" ", f);
      put_number(f, t, p + i * size, order);
    }
}

/* long lists are compared by a hash of their bytes: in one byte order */
static pri_status value_text(pri_input *file, const pri_tag *t, char **out) {
  const int order = TIFFIsBigEndian(((struct pri_tiff *)file->priv)->h.tif) != 0;
  char *bytes = NULL, *text = NULL;
  size_t n = 0;
  *out = NULL;
  pri_status s = pri_tag_load(file, t, &bytes);
  const size_t unit = pri_tag_unit(t->type), all = (size_t)t->count * pri_tag_bytes(t->type);
  const int turned = t->count > 16 && unit > 1 && order != pri_big_endian();
  for (size_t i = 0; s == PRI_OK && turned && i + unit <= all; i += unit)
    for (size_t a = i, b = i + unit - 1; a < b; ++a, --b) {
      const char c = bytes[a];
      bytes[a] = bytes[b], bytes[b] = c;
    }
  FILE *const f = s == PRI_OK ? open_memstream(&text, &n) : NULL;
  if (f) put_value(f, t, (unsigned char *)bytes, order);
  if (f && fclose(f) == 0) *out = pri_strdup(file->ctx, text);
  free(text);
  pri_free(file->ctx, bytes);
  return s != PRI_OK ? s : *out ? PRI_OK : PRI_FAIL(file->ctx, PRI_ENOMEM, "%s: out of memory for its metadata", file->info.file);
}

/* ---- pages */

static row *row_of(table *t, uint16_t tag) {
  for (int i = 0; i < t->n; ++i)
    if (t->r[i].tag == tag) return t->r + i;
  if (t->n == MOST_TAGS) return NULL;
  t->r[t->n] = (row){.tag = tag};
  return t->r + t->n++;
}

/* takes both texts */
static void note(table *t, uint16_t tag, char *before, char *after, int first) {
  row *const r = row_of(t, tag);
  const int same = before && after && strcmp(before, after) == 0;
  if (r && !r->changed && (first || !same || (!r->before && !r->after))) {
    pri_free(t->ctx, r->before);
    pri_free(t->ctx, r->after);
    r->before = before, r->after = after, r->changed = !same;
    return;
  }
  pri_free(t->ctx, before);
  pri_free(t->ctx, after);
}

static pri_status one_tag(table *t, pri_input *in, const pri_tag *a, pri_input *out, const pri_tag *b, int first) {
  char *before = NULL, *after = NULL;
  pri_status s = a ? value_text(in, a, &before) : PRI_OK;
  if (s == PRI_OK && b) s = value_text(out, b, &after);
  if (s == PRI_OK) note(t, a ? a->tag : b->tag, before, after, first);
  else pri_free(t->ctx, before), pri_free(t->ctx, after);
  return s;
}

/* the description of the first page, for its own comparison; a directory that repeats the tag has its first one */
static pri_status keep_description(pri_input *in, const pri_tag *tag, char **kept) { return *kept ? PRI_OK : pri_tag_load(in, tag, kept); }

static pri_status compare_tags(table *t, pri_input *in, const pri_tag *a, int na, pri_input *out, const pri_tag *b, int nb, int first) {
  for (int i = 0; i < na; ++i) {
    const pri_tag *const other = pri_tag_find(b, nb, a[i].tag);
    if (first && a[i].tag == TIFFTAG_IMAGEDESCRIPTION) PRI_TRY(keep_description(in, a + i, &t->old));
    else if (!is_layout(a[i].tag)) PRI_TRY(one_tag(t, in, a + i, out, other, first));
  }
  for (int i = 0; i < nb; ++i) {
    if (first && b[i].tag == TIFFTAG_IMAGEDESCRIPTION) PRI_TRY(keep_description(out, b + i, &t->now));
    else if (!is_layout(b[i].tag) && !pri_tag_find(a, na, b[i].tag)) PRI_TRY(one_tag(t, in, NULL, out, b + i, first));
  }
  return PRI_OK;
}

static pri_status compare_page(table *t, pri_input *in, pri_input *out, ptrdiff_t page) {
  const ptrdiff_t samples = ((struct pri_tiff *)out->priv)->layout.samples;
  pri_input *file;
  ptrdiff_t from;
  pri_tag *a = NULL, *b = NULL;
  int na = 0, nb = 0;
  PRI_TRY(pri_tiff_origin(in, page * samples < in->planes ? page * samples : 0, &file, &from));
  if (!file) return PRI_OK;
  pri_status s = pri_tiff_tags(file, from, &a, &na);
  if (s == PRI_OK) s = pri_tiff_tags(out, page, &b, &nb);
  if (s == PRI_OK) s = compare_tags(t, file, a, na, out, b, nb, page == 0);
  pri_free(t->ctx, a);
  pri_free(t->ctx, b);
  return s;
}

static pri_status compare_pages(table *t, pri_input *in, pri_input *out) {
  const struct pri_tiff *const to = out->priv;
  const ptrdiff_t pages = in->planes == out->planes ? to->pages : 1;
  for (ptrdiff_t page = 0; page < pages; ++page) {
    PRI_TRY(compare_page(t, in, out, page));
    if (to->planes_at) break;                  /* one directory has them all */
  }
  return PRI_OK;
}

static void tell(const table *t, TIFF *tif, pri_metadata_fn fn, void *arg) {
  for (int i = 0; i < t->n; ++i) {
    const TIFFField *const field = TIFFFindField(tif, t->r[i].tag, TIFF_ANY);
    char name[64];
    if (field && strncmp(TIFFFieldName(field), "Tag ", 4)) snprintf(name, sizeof name, "%s", TIFFFieldName(field));
    else snprintf(name, sizeof name, "tag %d", t->r[i].tag);
    fn(arg, name, t->r[i].before, t->r[i].after);
  }
}

pri_status pri_tiff_compare(pri_input *in, pri_input *out, pri_metadata_fn fn, void *arg) {
  table *t;
  PRI_ALLOC(in->ctx, t, 1);
  t->ctx = in->ctx;
  pri_status s = compare_pages(t, in, out);
  if (s == PRI_OK) tell(t, ((struct pri_tiff *)out->priv)->h.tif, fn, arg);
  if (s == PRI_OK && (t->old || t->now)) s = pri_description_compare(in->ctx, t->old, t->now, fn, arg);
  for (int i = 0; i < t->n; ++i) pri_free(t->ctx, t->r[i].before), pri_free(t->ctx, t->r[i].after);
  pri_free(t->ctx, t->old);
  pri_free(t->ctx, t->now);
  pri_free(t->ctx, t);
  return s;
}
