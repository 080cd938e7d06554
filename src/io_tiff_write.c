/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_tiff_write.c - one page a slice: uncompressed strips of about 256 KiB, native byte order, BigTIFF where a classic file could not hold it.
 * No dates: equal content gives equal bytes. Provenance is known only at the end, so a stack's first directory is then written
 * once more, at the end of the file (TIFFRewriteDirectory); that of a single page waits for it.
 */
#include "config.h"
#include <stdio.h>
#include <string.h>
#include "io_tiff.h"

static const double CLASSIC_LIMIT = 3.9e9;   /* bytes; offsets of a classic file have 32 bits */

struct writer { pri_tiff_handle h; ptrdiff_t page, row; };

static pri_status failed(pri_output *o) {
  const struct writer *const w = o->priv;
  if (w->h.failed) return PRI_EWRITE;        /* the sink has worded it */
  return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: cannot be written: %s", o->sink.target, w->h.message[0] ? w->h.message : "libtiff failed");
}

static pri_status create(pri_output *o) {
  struct writer *w;
  PRI_ALLOC(o->ctx, w, 1);
  o->priv = w;
  w->h.sink = &o->sink;
  const double bytes = (double)o->items * (double)o->pages * ((double)o->height * (double)o->width * (double)pri_dtype_bytes(o->dtype) + 1024);
  if (o->width > INT32_MAX || o->height > INT32_MAX)
    return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: a TIFF page has less than 2^32 rows and columns", o->sink.target);
  return pri_tiff_open(o->ctx, &w->h, o->sink.target, bytes > CLASSIC_LIMIT ? "w8" : "w", 0);
}

static void set_resolution(pri_output *o) {
  TIFF *const tif = ((struct writer *)o->priv)->h.tif;
  if (o->pixel[0] > 0 && o->pixel[1] > 0) {
    TIFFSetField(tif, TIFFTAG_XRESOLUTION, 10 / o->pixel[0]);      /* pixels per cm */
    TIFFSetField(tif, TIFFTAG_YRESOLUTION, 10 / o->pixel[1]);
    TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
  } else if (o->like && o->like->reader == &pri_reader_tiff) {
    float x, y;
    uint16_t unit;
    TIFF *const from = ((struct pri_tiff *)o->like->priv)->h.tif;
    if (!TIFFGetField(from, TIFFTAG_XRESOLUTION, &x) || !TIFFGetField(from, TIFFTAG_YRESOLUTION, &y)) return;
    TIFFGetFieldDefaulted(from, TIFFTAG_RESOLUTIONUNIT, &unit);
    TIFFSetField(tif, TIFFTAG_XRESOLUTION, (double)x);
    TIFFSetField(tif, TIFFTAG_YRESOLUTION, (double)y);
    TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, unit);
  }
}

static void begin_page(pri_output *o) {
  struct writer *const w = o->priv;
  TIFF *const tif = w->h.tif;
  TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)o->width);
  TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)o->height);
  TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, (uint16_t)(8 * pri_dtype_bytes(o->dtype)));
  TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT,
               o->dtype >= PRI_F16 ? SAMPLEFORMAT_IEEEFP : o->dtype >= PRI_I8 ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT);
  TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, (uint32_t)o->buffer_rows);
  TIFFSetField(tif, TIFFTAG_SOFTWARE, "priori " PACKAGE_VERSION);
  set_resolution(o);
}

static pri_status write_page(pri_output *o, const pri_real *src) {
  struct writer *const w = o->priv;
  const ptrdiff_t last = o->items * o->pages - 1;
  begin_page(o);
  for (ptrdiff_t y = 0; y < o->height; y += o->buffer_rows) {
    const ptrdiff_t rows = o->height - y < o->buffer_rows ? o->height - y : o->buffer_rows, n = rows * o->width;
    o->clipped += pri_samples_encode(o->buffer, src + y * o->width, o->dtype, n, o->lo, o->hi);
    if (TIFFWriteEncodedStrip(w->h.tif, (uint32_t)(y / o->buffer_rows), o->buffer, n * (tmsize_t)pri_dtype_bytes(o->dtype)) < 0 || w->h.failed)
      return failed(o);
  }
  if (last > 0 && (!TIFFWriteDirectory(w->h.tif) || w->h.failed)) return failed(o);
  return PRI_OK;
}

static pri_status write_items(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  (void)first;
  for (ptrdiff_t k = 0; k < items * o->pages; ++k) PRI_TRY(write_page(o, src + k * o->height * o->width));
  return PRI_OK;
}

static pri_status finish(pri_output *o, const char *provenance) {
  struct writer *const w = o->priv;
  const int stack = o->items * o->pages > 1;
  int good = 1;
  if (stack && provenance) good = TIFFSetDirectory(w->h.tif, 0);
  if (provenance) pri_tiff_know_provenance(w->h.tif);
  if (good && provenance) good = TIFFSetField(w->h.tif, PRI_TIFFTAG_PROVENANCE, provenance);
  if (good && !stack) good = TIFFWriteDirectory(w->h.tif);
  else if (good && provenance) good = TIFFRewriteDirectory(w->h.tif);
  if (!good || w->h.failed) return failed(o);
  w->h.message[0] = 0;
  TIFFClose(w->h.tif);
  w->h.tif = NULL;
  return w->h.failed || w->h.message[0] ? failed(o) : PRI_OK;
}

static size_t memory(const pri_output *o) { return (size_t)(1 << 16) + (size_t)(o->items * o->pages) * 32; }

static void close_file(pri_output *o) {
  struct writer *const w = o->priv;
  if (!w) return;
  if (w->h.tif) TIFFClose(w->h.tif);
  pri_free(o->ctx, w);
}

static const char *const suffixes[] = {".tif", ".tiff", NULL};
const pri_writer pri_writer_tiff = {.name = "tiff", .suffixes = suffixes, .open = create, .write = write_items, .finish = finish,
    .memory = memory, .close = close_file};
