/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_tiff_pixels.c - samples of a page. Uncompressed strips are read by position in pieces of 256 KiB, whatever their size; everything else is
 * decoded by libtiff one strip or tile at a time. A decoder that falls short is EFORMAT, and so is a warning of those that
 * fill up what is missing (JPEG, fax).
 */
#include "config.h"
#include <string.h>
#include "io_tiff.h"

typedef struct { pri_real *dst; ptrdiff_t width, height, channel; } plane;   /* one slice that is being read */

/* n samples of one row of `row`: of all samples a pixel (chunky) the one of the channel */
static void decode(const struct pri_tiff *t, pri_real *dst, const unsigned char *row, ptrdiff_t n, ptrdiff_t channel) {
  const pri_tiff_layout *const a = &t->layout;
  const ptrdiff_t stride = a->planar == PLANARCONFIG_CONTIG ? a->samples : 1, offset = a->planar == PLANARCONFIG_CONTIG ? channel : 0;
  if (a->bits % 8 == 0) {
    const int raw = a->compression == COMPRESSION_NONE && !TIFFIsTiled(t->h.tif);   /* libtiff swaps what it decodes */
    pri_samples_decode(dst, row + offset * (a->bits / 8), t->type, raw && t->swap, n, stride);
    return;
  }
  for (ptrdiff_t i = 0; i < n; ++i) {                                              /* 1 to 15 bits, highest first */
    unsigned v = 0;
    const ptrdiff_t at = (i * stride + offset) * a->bits;
    for (ptrdiff_t k = at; k < at + a->bits; ++k) v = v << 1 | (unsigned)(row[k / 8] >> (7 - k % 8) & 1);
    dst[i] = (pri_real)v;
  }
}

static size_t row_bytes(const struct pri_tiff *t, ptrdiff_t width) {
  const size_t samples = t->layout.planar == PLANARCONFIG_CONTIG ? t->layout.samples : 1;
  return ((size_t)width * samples * t->layout.bits + 7) / 8;
}

/* rows that lie one behind the other at a position */
static pri_status read_rows(pri_input *in, pri_real *dst, ptrdiff_t rows, int64_t at, ptrdiff_t channel) {
  const struct pri_tiff *const t = in->priv;
  const ptrdiff_t width = (ptrdiff_t)t->layout.width;
  const size_t bytes = row_bytes(t, width);
  const ptrdiff_t room = (ptrdiff_t)(t->buffer_bytes / bytes);
  for (ptrdiff_t n; rows > 0; rows -= n, at += n * (ptrdiff_t)bytes) {
    n = rows < room ? rows : room;
    PRI_TRY(pri_source_read(in->ctx, &in->source, t->buffer, (size_t)n * bytes, at));
    for (ptrdiff_t y = 0; y < n; ++y, dst += width) decode(t, dst, t->buffer + (size_t)y * bytes, width, channel);
  }
  return PRI_OK;
}

/* first strip or tile of the channel's plane */
static uint32_t first_part(const struct pri_tiff *t, uint32_t parts, ptrdiff_t channel) {
  return t->layout.planar == PLANARCONFIG_CONTIG ? 0 : parts / t->layout.samples * (uint32_t)channel;
}

static uint32_t strip_rows(const struct pri_tiff *t) {
  uint32_t rows = 0;
  TIFFGetFieldDefaulted(t->h.tif, TIFFTAG_ROWSPERSTRIP, &rows);
  return rows && rows < t->layout.height ? rows : t->layout.height;
}

static pri_status read_raw_strips(pri_input *in, const plane *p) {
  const struct pri_tiff *const t = in->priv;
  const uint32_t per = strip_rows(t), parts = TIFFNumberOfStrips(t->h.tif), first = first_part(t, parts, p->channel);
  const size_t bytes = row_bytes(t, p->width);
  for (uint32_t y = 0, k = first; y < t->layout.height; y += per, ++k) {
    const uint32_t n = t->layout.height - y < per ? t->layout.height - y : per;
    if (k >= parts || TIFFGetStrileByteCount(t->h.tif, k) < (uint64_t)n * bytes)
      return pri_tiff_fail(in, "is truncated or damaged: a strip is shorter than its rows");
    PRI_TRY(read_rows(in, p->dst + (ptrdiff_t)y * p->width, (ptrdiff_t)n, (int64_t)TIFFGetStrileOffset(t->h.tif, k), p->channel));
  }
  return PRI_OK;
}

static int fills_up(uint16_t c) {
  return c == COMPRESSION_JPEG || c == COMPRESSION_OJPEG || c == COMPRESSION_CCITTRLE || c == COMPRESSION_CCITTFAX3 ||
      c == COMPRESSION_CCITTFAX4 || c == COMPRESSION_CCITTRLEW;
}

/* strip or tile k into the buffer: `want` bytes of it are used */
static pri_status fetch(pri_input *in, uint32_t k, int tiled, size_t want) {
  struct pri_tiff *const t = in->priv;
  t->h.message[0] = 0, t->h.warned = 0;
  const tmsize_t got = tiled ? TIFFReadEncodedTile(t->h.tif, k, t->buffer, (tmsize_t)t->buffer_bytes)
      : TIFFReadEncodedStrip(t->h.tif, k, t->buffer, (tmsize_t)t->buffer_bytes);
  if (got < 0 || (size_t)got < want || t->h.message[0] || (t->h.warned && fills_up(t->layout.compression)))
    return pri_tiff_fail(in, "is truncated or damaged: a strip or tile cannot be decoded");
  return PRI_OK;
}

static pri_status read_strips(pri_input *in, const plane *p) {
  const struct pri_tiff *const t = in->priv;
  const uint32_t per = strip_rows(t), parts = TIFFNumberOfStrips(t->h.tif);
  const size_t bytes = row_bytes(t, p->width);
  if (TIFFStripSize64(t->h.tif) > t->buffer_bytes) return pri_tiff_fail(in, "has changed while it was in use");
  for (uint32_t y = 0, k = first_part(t, parts, p->channel); y < t->layout.height; y += per, ++k) {
    const uint32_t n = t->layout.height - y < per ? t->layout.height - y : per;
    if (k >= parts) return pri_tiff_fail(in, "has too few strips");
    PRI_TRY(fetch(in, k, 0, n * bytes));
    for (uint32_t i = 0; i < n; ++i) decode(t, p->dst + (ptrdiff_t)(y + i) * p->width, t->buffer + i * bytes, p->width, p->channel);
  }
  return PRI_OK;
}

static pri_status read_tiles(pri_input *in, const plane *p) {
  const struct pri_tiff *const t = in->priv;
  const uint32_t parts = TIFFNumberOfTiles(t->h.tif);
  uint32_t tw = 0, th = 0, k = first_part(t, parts, p->channel);
  TIFFGetField(t->h.tif, TIFFTAG_TILEWIDTH, &tw);
  TIFFGetField(t->h.tif, TIFFTAG_TILELENGTH, &th);
  const size_t bytes = row_bytes(t, (ptrdiff_t)tw);
  if (!tw || !th || TIFFTileSize64(t->h.tif) > t->buffer_bytes || bytes * th > t->buffer_bytes)
    return pri_tiff_fail(in, "its tiles are damaged");
  for (ptrdiff_t y = 0; y < p->height; y += th)
    for (ptrdiff_t x = 0; x < p->width; x += tw, ++k) {
      const ptrdiff_t rows = p->height - y < th ? p->height - y : th, columns = p->width - x < tw ? p->width - x : tw;
      if (k >= parts) return pri_tiff_fail(in, "has too few tiles");
      PRI_TRY(fetch(in, k, 1, bytes * th));
      for (ptrdiff_t i = 0; i < rows; ++i) decode(t, p->dst + (y + i) * p->width + x, t->buffer + (size_t)i * bytes, columns, p->channel);
    }
  return PRI_OK;
}

/* libtiff alone knows reversed bit order */
static int is_raw(const struct pri_tiff *t) {
  uint16_t order = FILLORDER_MSB2LSB;
  TIFFGetFieldDefaulted(t->h.tif, TIFFTAG_FILLORDER, &order);
  return t->layout.compression == COMPRESSION_NONE && t->layout.bits % 8 == 0 && order == FILLORDER_MSB2LSB;
}

static pri_status read_page(pri_input *in, pri_real *dst, ptrdiff_t page, ptrdiff_t channel) {
  struct pri_tiff *const t = in->priv;
  const plane p = {dst, (ptrdiff_t)t->layout.width, (ptrdiff_t)t->layout.height, channel};
  if (t->planes_at) return read_rows(in, dst, p.height, t->planes_at + page * p.height * (ptrdiff_t)row_bytes(t, p.width), channel);
  PRI_TRY(pri_tiff_select(in, page));
  TIFFGetFieldDefaulted(t->h.tif, TIFFTAG_COMPRESSION, &t->layout.compression);    /* pages may differ in it */
  if (TIFFIsTiled(t->h.tif)) return read_tiles(in, &p);
  return is_raw(t) ? read_raw_strips(in, &p) : read_strips(in, &p);
}

pri_status pri_tiff_read(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct pri_tiff *const t = in->priv;
  const ptrdiff_t size = in->plane.n[0] * in->plane.n[1];
  for (ptrdiff_t k = first; k < first + items; ++k, dst += size) PRI_TRY(read_page(in, dst, k / t->layout.samples, k % t->layout.samples));
  return PRI_OK;
}
