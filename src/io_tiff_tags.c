/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_tiff_tags.c - the entries of a directory as they stand in the file: type, count and place, no conversion. That is what copies them
   unchanged: libtiff makes floats of rationals and knows private tags only by what it is told. Entries whose values leave the
   file, or are larger than any metadata, are passed over. */
#include "config.h"
#include <string.h>
#include "io_tiff.h"

enum { MOST_ENTRIES = 1024, LARGEST = 256 << 20 };   /* entries of a directory; bytes of a tag */

/* BYTE ASCII SHORT LONG RATIONAL SBYTE UNDEFINED SSHORT SLONG SRATIONAL FLOAT DOUBLE IFD - - LONG8 SLONG8 IFD8 */
size_t pri_tag_bytes(uint16_t type) {
  static const unsigned char bytes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  return type < sizeof bytes ? bytes[type] : 0;
}

size_t pri_tag_unit(uint16_t type) { return type == TIFF_RATIONAL || type == TIFF_SRATIONAL ? 4 : pri_tag_bytes(type); }

uint64_t pri_tiff_number(const unsigned char *p, int n, int big_endian) {
  uint64_t v = 0;
  for (int i = 0; i < n; ++i) v = v << 8 | p[big_endian ? i : n - 1 - i];
  return v;
}

static int take_entry(const pri_input *in, const unsigned char *p, int64_t at, pri_tag *out) {
  const struct pri_tiff *const t = in->priv;
  const int big = TIFFIsBigTIFF(t->h.tif), order = TIFFIsBigEndian(t->h.tif), inside = big ? 8 : 4, place = big ? 12 : 8;
  *out = (pri_tag){.tag = (uint16_t)pri_tiff_number(p, 2, order), .type = (uint16_t)pri_tiff_number(p + 2, 2, order)};
  out->count = pri_tiff_number(p + 4, big ? 8 : 4, order);
  const size_t size = pri_tag_bytes(out->type);
  if (!size || !out->count || out->count > LARGEST / size) return 0;
  const uint64_t bytes = out->count * size;
  const uint64_t where = bytes <= (uint64_t)inside ? (uint64_t)(at + place) : pri_tiff_number(p + place, inside, order);
  out->at = (int64_t)where;
  return where <= (uint64_t)in->source.size && bytes <= (uint64_t)in->source.size - where;
}

pri_status pri_tiff_tags(pri_input *in, ptrdiff_t page, pri_tag **out, int *n) {
  const struct pri_tiff *const t = in->priv;
  const int big = TIFFIsBigTIFF(t->h.tif), size = big ? 20 : 12;
  unsigned char raw[20];
  int64_t at = (int64_t)t->offset[t->planes_at ? 0 : page];
  *out = NULL, *n = 0;
  PRI_TRY(pri_source_read(in->ctx, &in->source, raw, big ? 8 : 2, at));
  uint64_t entries = pri_tiff_number(raw, big ? 8 : 2, TIFFIsBigEndian(t->h.tif));
  if (entries > MOST_ENTRIES) entries = MOST_ENTRIES;
  at += big ? 8 : 2;
  PRI_ALLOC(in->ctx, *out, entries + 1);
  for (uint64_t i = 0; i < entries; ++i, at += size) {
    PRI_TRY(pri_source_read(in->ctx, &in->source, raw, (size_t)size, at));
    *n += take_entry(in, raw, at, *out + *n);
  }
  return PRI_OK;
}

const pri_tag *pri_tag_find(const pri_tag *tags, int n, uint16_t tag) {
  for (int i = 0; i < n; ++i)
    if (tags[i].tag == tag) return tags + i;
  return NULL;
}

/* its bytes, a NUL behind them; by pri_calloc */
pri_status pri_tag_load(pri_input *in, const pri_tag *tag, char **out) {
  const size_t bytes = (size_t)tag->count * pri_tag_bytes(tag->type);
  PRI_ALLOC(in->ctx, *out, bytes + 1);
  return pri_source_read(in->ctx, &in->source, *out, bytes, tag->at);
}
