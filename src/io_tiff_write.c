/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_tiff_write.c - pixels of a TIFF file: one page a plane, in the order of the input's planes whatever order items come in. Strips of about
 * 256 KiB, uncompressed ones at places known beforehand; compressed ones are encoded by libtiff, for which the whole file is one
 * tall image, so that strips may come in any order. The directories follow the pixels (io_tiff_directory.c). Byte order is that of
 * the input's file, because private tags of ImageJ are written in it; native without one. BigTIFF where a classic file could not
 * hold it. No dates: equal content gives equal bytes.
 * Samples of a pixel (colours) of the input are samples again: side by side where they were and come one after the other.
 */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "io_tiff.h"

static const double CLASSIC_LIMIT = 3.9e9;   /* bytes; offsets of a classic file have 32 bits */
enum { HEADER = 16 };                        /* a BigTIFF header; classic ones have 8, the rest is left empty */

static pri_status failed(pri_output *o) {
  const pri_tiff_writer *const w = o->priv;
  if (w->h.failed) return PRI_EWRITE;        /* the sink has worded it */
  return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: cannot be written: %s", o->sink.target, w->h.message[0] ? w->h.message : "libtiff failed");
}

/* ---- layout */

static const struct { const char *name; uint16_t scheme; } schemes[] = {
  {"none", COMPRESSION_NONE}, {"deflate", COMPRESSION_ADOBE_DEFLATE}, {"lzw", COMPRESSION_LZW}, {"zstd", COMPRESSION_ZSTD}};

static pri_status set_compression(pri_output *o) {
  pri_tiff_writer *const w = o->priv;
  const char *const asked = o->compression ? o->compression : "none";
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; ++i)
    if (strcmp(asked, schemes[i].name) == 0) w->compression = schemes[i].scheme;
  if (!w->compression || !TIFFIsCODECConfigured(w->compression))
    return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: compression \"%s\" %s; none, deflate, lzw and zstd are known", o->sink.target, asked,
        w->compression ? "is not built into libtiff" : "is unknown");
  /* differences of neighbours shrink integers; for floats the predictor is one that not all readers have */
  w->predictor = w->compression != COMPRESSION_NONE && o->dtype < PRI_F16 ? PREDICTOR_HORIZONTAL : PREDICTOR_NONE;
  return PRI_OK;
}

/* colours stay colours; what a decoder turned into them (YCbCr, LogLuv) has become such */
static uint16_t photometric_like(const pri_tiff_layout *a) {
  const int keeps = a->photometric == PHOTOMETRIC_MINISWHITE || a->photometric == PHOTOMETRIC_MINISBLACK || a->photometric == PHOTOMETRIC_RGB ||
      a->photometric == PHOTOMETRIC_SEPARATED || a->photometric == PHOTOMETRIC_CIELAB;
  return keeps ? a->photometric : a->samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
}

static pri_status set_like(pri_output *o) {
  pri_tiff_writer *const w = o->priv;
  pri_input *file = NULL;
  ptrdiff_t page;
  w->samples = 1;
  w->photometric = PHOTOMETRIC_MINISBLACK;
  w->big_endian = pri_big_endian();
  if (o->like) PRI_TRY(pri_tiff_origin(o->like, 0, &file, &page));
  if (!file) return PRI_OK;
  const struct pri_tiff *const t = file->priv;
  const ptrdiff_t planes = o->items * o->pages;
  w->big_endian = TIFFIsBigEndian(t->h.tif) != 0;
  if (o->same_planes && planes % t->layout.samples == 0) {
    w->samples = t->layout.samples;
    w->photometric = photometric_like(&t->layout);
    w->chunky = w->samples > 1 && t->layout.planar == PLANARCONFIG_CONTIG && o->stride == 1;
  } else if (t->layout.samples == 1) {
    w->photometric = photometric_like(&t->layout);
  }
  return PRI_OK;
}

static size_t row_bytes(const pri_output *o) {
  const pri_tiff_writer *const w = o->priv;
  return (size_t)o->width * pri_dtype_bytes(o->dtype) * (size_t)(w->chunky ? w->samples : 1);
}

static int64_t page_bytes(const pri_output *o) {
  const pri_tiff_writer *const w = o->priv;
  return (int64_t)row_bytes(o) * o->height * (w->chunky ? 1 : w->samples);
}

static pri_status choose_size(pri_output *o) {
  pri_tiff_writer *const w = o->priv;
  const double bytes = (double)w->pages * ((double)page_bytes(o) * (w->compression == COMPRESSION_NONE ? 1 : 1.02) + 1024 + 16 * (double)w->strips);
  const int needed = bytes > CLASSIC_LIMIT;
  if (needed && o->bigtiff < 0)
    return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: %.1f GB do not fit into a classic TIFF (--bigtiff auto)", o->sink.target, bytes / 1e9);
  w->big = o->bigtiff > 0 || needed;
  return PRI_OK;
}

/* ---- header, encoder */

static pri_status put_header(pri_output *o) {
  const pri_tiff_writer *const w = o->priv;
  const unsigned char lead[4] = {w->big_endian ? 'M' : 'I', w->big_endian ? 'M' : 'I', 0, 0};
  unsigned char head[HEADER] = {0};
  memcpy(head, lead, 2);
  head[w->big_endian ? 3 : 2] = w->big ? 43 : 42;
  if (w->big) head[w->big_endian ? 5 : 4] = 8;
  return pri_sink_write(&o->sink, head, sizeof head);
}

static pri_status open_encoder(pri_output *o) {
  pri_tiff_writer *const w = o->priv;
  char mode[8];
  if (w->compression == COMPRESSION_NONE) return PRI_OK;
  snprintf(mode, sizeof mode, "w%s%c", w->big ? "8" : "", w->big_endian ? 'b' : 'l');
  w->h.sink = &o->sink;
  const double rows = (double)w->pages * (double)(w->chunky ? 1 : w->samples) * (double)(w->strips * w->rows);
  if (rows > (double)UINT32_MAX)
    return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: %.0f rows are more than a compressed TIFF takes: --compression none", o->sink.target, rows);
  PRI_TRY(pri_tiff_open(o->ctx, &w->h, o->sink.target, mode, 0));
  TIFF *const tif = w->h.tif;
  TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)o->width);
  TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)rows);
  TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, (uint16_t)(8 * pri_dtype_bytes(o->dtype)));
  TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT,
      o->dtype >= PRI_F16 ? SAMPLEFORMAT_IEEEFP : o->dtype >= PRI_I8 ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT);
  TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, (uint16_t)(w->chunky ? w->samples : 1));
  TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tif, TIFFTAG_COMPRESSION, w->compression);
  TIFFSetField(tif, TIFFTAG_PREDICTOR, w->predictor);
  TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, (uint32_t)w->rows);
  return w->h.failed || w->h.message[0] ? failed(o) : PRI_OK;
}

static pri_status create(pri_output *o) {
  pri_tiff_writer *w;
  PRI_ALLOC(o->ctx, w, 1);
  o->priv = w;
  if (o->width > INT32_MAX || o->height > INT32_MAX)
    return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: a TIFF page has less than 2^32 rows and columns", o->sink.target);
  PRI_TRY(set_compression(o));
  PRI_TRY(set_like(o));
  w->pages = o->items * o->pages / w->samples;
  w->swap = w->big_endian != pri_big_endian();
  w->rows = (ptrdiff_t)(row_bytes(o) < 1 << 18 ? (1 << 18) / row_bytes(o) : 1);
  if (w->rows > o->height) w->rows = o->height;
  w->strips = (o->height + w->rows - 1) / w->rows;
  w->data = HEADER;
  PRI_TRY(choose_size(o));
  PRI_ALLOC(o->ctx, w->range, 2 * w->pages);
  for (ptrdiff_t i = 0; i < w->pages; ++i) w->range[2 * i] = (double)INFINITY, w->range[2 * i + 1] = -(double)INFINITY;
  if (w->chunky) PRI_ALLOC(o->ctx, w->page, page_bytes(o));
  PRI_TRY(put_header(o));
  return open_encoder(o);
}

/* ---- pixels */

static void swap_bytes(unsigned char *p, size_t n, size_t unit) {
  for (size_t i = 0; i + unit <= n; i += unit)
    for (size_t a = i, b = i + unit - 1; a < b; ++a, --b) {
      const unsigned char c = p[a];
      p[a] = p[b], p[b] = c;
    }
}

/* rows from `row` on of a page (plane: of that plane, else 0), as they lie in memory */
static pri_status put_rows(pri_output *o, ptrdiff_t page, ptrdiff_t plane, ptrdiff_t row, ptrdiff_t n, unsigned char *bytes) {
  pri_tiff_writer *const w = o->priv;
  const size_t size = row_bytes(o) * (size_t)n;
  const ptrdiff_t planes = w->chunky ? 1 : w->samples;
  if (w->h.tif) {                            /* libtiff swaps by itself */
    const ptrdiff_t strip = (page * planes + plane) * w->strips + row / w->rows;
    const tmsize_t put = TIFFWriteEncodedStrip(w->h.tif, (uint32_t)strip, bytes, (tmsize_t)size);
    return put < 0 || w->h.failed ? failed(o) : PRI_OK;
  }
  if (w->swap) swap_bytes(bytes, size, pri_dtype_bytes(o->dtype));
  const int64_t at = w->data + page * page_bytes(o) + (plane * o->height + row) * (int64_t)row_bytes(o);
  PRI_TRY(pri_sink_put(&o->sink, bytes, size, at));
  if (at + (int64_t)size > o->sink.at) o->sink.at = at + (int64_t)size;
  return PRI_OK;
}

static void note_range(pri_output *o, ptrdiff_t page, const pri_real *src, ptrdiff_t n) {
  double *const r = ((pri_tiff_writer *)o->priv)->range + 2 * page;
  double lo = r[0], hi = r[1];
  for (ptrdiff_t i = 0; i < n; ++i) {
    if (!isfinite(src[i])) continue;
    lo = (double)src[i] < lo ? (double)src[i] : lo;
    hi = (double)src[i] > hi ? (double)src[i] : hi;
  }
  r[0] = lo, r[1] = hi;
}

/* a plane that shares its page with others waits until the last of them has come */
static pri_status put_chunky(pri_output *o, const pri_real *src, ptrdiff_t page, ptrdiff_t channel) {
  pri_tiff_writer *const w = o->priv;
  const size_t bytes = pri_dtype_bytes(o->dtype), step = bytes * (size_t)w->samples, room = (size_t)(o->buffer_rows * o->width);
  const size_t size = (size_t)(o->height * o->width);
  for (size_t at = 0; at < size; at += room) {
    const size_t n = size - at < room ? size - at : room;
    o->clipped += pri_samples_encode(o->buffer, src + at, o->dtype, (ptrdiff_t)n, o->lo, o->hi);
    for (size_t i = 0; i < n; ++i) memcpy(w->page + (at + i) * step + (size_t)channel * bytes, (char *)o->buffer + i * bytes, bytes);
  }
  if (channel < w->samples - 1) return PRI_OK;
  for (ptrdiff_t y = 0; y < o->height; y += w->rows)
    PRI_TRY(put_rows(o, page, 0, y, o->height - y < w->rows ? o->height - y : w->rows, w->page + (size_t)y * row_bytes(o)));
  return PRI_OK;
}

static pri_status put_plane(pri_output *o, const pri_real *src, ptrdiff_t plane) {
  pri_tiff_writer *const w = o->priv;
  const ptrdiff_t page = plane / w->samples, channel = plane % w->samples;
  note_range(o, page, src, o->height * o->width);
  if (w->chunky) return put_chunky(o, src, page, channel);
  for (ptrdiff_t y = 0; y < o->height; y += w->rows) {
    const ptrdiff_t rows = o->height - y < w->rows ? o->height - y : w->rows;
    o->clipped += pri_samples_encode(o->buffer, src + y * o->width, o->dtype, rows * o->width, o->lo, o->hi);
    PRI_TRY(put_rows(o, page, channel, y, rows, o->buffer));
  }
  return PRI_OK;
}

static pri_status write_items(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  for (ptrdiff_t i = first; i < first + items; ++i)
    for (ptrdiff_t k = 0; k < o->pages; ++k, src += o->height * o->width) PRI_TRY(put_plane(o, src, pri_output_plane(o, i, k)));
  return PRI_OK;
}

static pri_status finish(pri_output *o, const char *provenance) {
  pri_tiff_writer *const w = o->priv;
  if (w->h.tif && (!TIFFFlushData(w->h.tif) || w->h.failed)) return failed(o);
  return pri_tiff_directories(o, provenance);
}

static size_t memory(const pri_output *o) {
  const pri_tiff_writer *const w = o->priv;
  const size_t strips = (size_t)(w->strips * w->pages * (w->chunky ? 1 : w->samples));
  return (size_t)(1 << 16) + (size_t)w->pages * 16 + (w->h.tif ? strips * 16 + (2 << 18) : 0) + (w->page ? (size_t)page_bytes(o) : 0);
}

static void close_file(pri_output *o) {
  pri_tiff_writer *const w = o->priv;
  if (!w) return;
  w->h.mute = 1;                             /* its own directory of one tall image is of no use */
  if (w->h.tif) TIFFClose(w->h.tif);
  pri_free(o->ctx, w->range);
  pri_free(o->ctx, w->page);
  pri_free(o->ctx, w->kept);
  pri_free(o->ctx, w);
}

static const char *const suffixes[] = {".tif", ".tiff", NULL};
const pri_writer pri_writer_tiff = {.name = "tiff", .suffixes = suffixes, .open = create, .write = write_items, .finish = finish,
    .memory = memory, .close = close_file};
