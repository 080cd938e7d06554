/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_tiff.c - TIFF and BigTIFF: every page of the directory chain is visited by open. Reduced pages and masks are passed over, all others
 * must have one layout. What is declared is held against the length of the file before anything is allocated; a chain or a strip
 * that leaves the file is EFORMAT, and so is an ImageJ stack that promises more planes than there are.
 * Samples of a pixel (colours) are separate images: axes "...cyx". Palettes and subsampled colours are refused.
 */
#include "config.h"
#include <string.h>
#include "io_ome.h"
#include "io_tiff.h"

static int knows(const unsigned char *head, size_t n) {
  return n >= 4 && (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 || memcmp(head, "II+\0", 4) == 0 ||
      memcmp(head, "MM\0+", 4) == 0);
}

pri_status pri_tiff_fail(pri_input *in, const char *what) {
  const struct pri_tiff *const t = in->priv;
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: %s%s%s", in->info.file, what, t->h.message[0] ? ": " : "", t->h.message);
}

/* ---- one page */

static pri_tiff_layout layout_of(TIFF *tif) {
  pri_tiff_layout a = {0};
  TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &a.width);
  TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &a.height);
  TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &a.samples);
  TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &a.bits);
  TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &a.format);
  TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &a.planar);
  TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &a.compression);
  if (!TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &a.photometric)) a.photometric = PHOTOMETRIC_MINISBLACK;
  return a;
}

/* what libtiff converts for us: JPEG's luma and chroma to colours, LogLuv to float */
static void ask_for_samples(TIFF *tif) {
  const pri_tiff_layout a = layout_of(tif);
  if (a.compression == COMPRESSION_JPEG && a.photometric == PHOTOMETRIC_YCBCR) TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  if (a.compression == COMPRESSION_SGILOG || a.compression == COMPRESSION_SGILOG24)
    TIFFSetField(tif, TIFFTAG_SGILOGDATAFMT, SGILOGDATAFMT_FLOAT);
}

static pri_status set_type(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  const pri_tiff_layout *const a = &t->layout;
  const char kind = a->format == SAMPLEFORMAT_INT ? 'i' : a->format == SAMPLEFORMAT_IEEEFP ? 'f' : 'u';
  int found = 0;
  if (a->bits % 8 == 0) t->type = pri_dtype_of(kind, a->bits / 8, &found);
  else if (kind == 'u' && a->bits < 16) found = 1, t->type = a->bits < 8 ? PRI_U8 : PRI_U16;
  if (!found || a->format > SAMPLEFORMAT_VOID)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: samples of %d bits, format %d, are not real numbers that can be read", in->info.file,
        a->bits, a->format);
  if (a->photometric == PHOTOMETRIC_PALETTE)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is a palette image: its numbers are no intensities", in->info.file);
  if (a->photometric == PHOTOMETRIC_YCBCR && a->compression != COMPRESSION_JPEG)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: subsampled colours (YCbCr) can be read from JPEG compression only", in->info.file);
  if (!TIFFIsCODECConfigured(a->compression))
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: libtiff was built without compression %d", in->info.file, a->compression);
  in->info.dtype = pri_dtype_name(t->type);
  return PRI_OK;
}

/* largest ratio that a compression can reach; 1: none */
static double ratio_of(uint16_t compression) {
  return compression == COMPRESSION_NONE ? 1 : compression == COMPRESSION_PACKBITS ? 128 : compression == COMPRESSION_LZW ||
      compression == COMPRESSION_ADOBE_DEFLATE ||
         compression == COMPRESSION_DEFLATE ? 4096 : 1e5;
}

/* every strip or tile lies in the file; notes the sizes of the buffers that reading takes */
static pri_status check_strips(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  TIFF *const tif = t->h.tif;
  const int tiled = TIFFIsTiled(tif);
  const uint32_t n = tiled ? TIFFNumberOfTiles(tif) : TIFFNumberOfStrips(tif);
  const uint64_t size = (uint64_t)in->source.size, part = tiled ? TIFFTileSize64(tif) : TIFFStripSize64(tif);
  if (n == 0 || part == 0) return pri_tiff_fail(in, "its strips or tiles are damaged");
  PRI_TRY(pri_declared_size(in, (double)part, (double)size, ratio_of(t->layout.compression)));
  for (uint32_t i = 0; i < n; ++i) {
    int bad = 0;
    const uint64_t at = TIFFGetStrileOffsetWithErr(tif, i, &bad), count = bad ? 0 : TIFFGetStrileByteCountWithErr(tif, i, &bad);
    if (bad || count == 0 || at == 0) return pri_tiff_fail(in, "a strip or tile is missing");
    if (at > size || count > size - at)
      return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated: a strip of %llu bytes at %llu, the file has %lld", in->info.file,
          (unsigned long long)count,
                      (unsigned long long)at, (long long)in->source.size);
    if (count > t->raw_bytes) t->raw_bytes = (size_t)count;
  }
  if (t->layout.compression != COMPRESSION_NONE || tiled) t->buffer_bytes = part > t->buffer_bytes ? (size_t)part : t->buffer_bytes;
  return PRI_OK;
}

/* a directory cut off in its last four bytes looks to libtiff like the last of the chain: slices would be lost in silence */
static pri_status check_directory(pri_input *in, uint64_t at) {
  const struct pri_tiff *const t = in->priv;
  const int big = TIFFIsBigTIFF(t->h.tif);
  unsigned char raw[8];
  uint64_t n = 0;
  PRI_TRY(pri_source_read(in->ctx, &in->source, raw, big ? 8 : 2, (int64_t)at));
  for (int i = 0; i < (big ? 8 : 2); ++i) n = n << 8 | raw[TIFFIsBigEndian(t->h.tif) ? i : (big ? 7 : 1) - i];
  const uint64_t bytes = big ? 16 + 20 * n : 6 + 12 * n;
  if (n <= 65535 && at + bytes <= (uint64_t)in->source.size) return PRI_OK;
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated within the directory of page %td", in->info.file, t->pages);
}

static int is_reduced(TIFF *tif) {
  uint32_t type = 0;
  uint16_t old = 0;
  if (TIFFGetField(tif, TIFFTAG_SUBFILETYPE, &type)) return (type & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
  return TIFFGetField(tif, TIFFTAG_OSUBFILETYPE, &old) && old == OFILETYPE_REDUCEDIMAGE;
}

static int has_copies(TIFF *tif) {
  uint16_t n = 0;
  void *places = NULL;
  return TIFFGetField(tif, TIFFTAG_SUBIFD, &n, &places) && n > 0;
}

static int same_layout(const pri_tiff_layout *a, const pri_tiff_layout *b) {
  return a->width == b->width && a->height == b->height && a->samples == b->samples && a->bits == b->bits && a->format == b->format &&
      a->planar == b->planar;
}

static pri_status first_page(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  uint32_t depth = 1;
  t->layout = layout_of(t->h.tif);
  if (!t->layout.width || !t->layout.height || !t->layout.samples)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: its first page has no pixels", in->info.file);
  if (TIFFGetField(t->h.tif, TIFFTAG_IMAGEDEPTH, &depth) && depth > 1)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: volumes within one page (ImageDepth) are not supported", in->info.file);
  PRI_TRY(set_type(in));
  return pri_declared_size(in, (double)t->layout.width * t->layout.height * t->layout.samples * t->layout.bits / 8,
      (double)in->source.size, ratio_of(t->layout.compression));
}

static pri_status add_offset(pri_input *in, uint64_t at) {
  struct pri_tiff *const t = in->priv;
  if (t->pages == t->room) {
    uint64_t *more;
    PRI_ALLOC(in->ctx, more, t->room = t->room ? 2 * t->room : 64);
    if (t->pages) memcpy(more, t->offset, (size_t)t->pages * sizeof *more);
    pri_free(in->ctx, t->offset);
    t->offset = more;
  }
  t->offset[t->pages++] = at;
  return PRI_OK;
}

static pri_status add_page(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  const uint64_t at = TIFFCurrentDirOffset(t->h.tif);
  PRI_TRY(check_directory(in, at));
  if (is_reduced(t->h.tif)) {
    if (!t->pyramids++) pri_log(in->ctx, PRI_LOG_INFO, "%s: reduced pages and masks are passed over: full resolution only", in->info.file);
    return PRI_OK;
  }
  if (has_copies(t->h.tif) && !t->pyramids++)
    pri_log(in->ctx, PRI_LOG_INFO, "%s: smaller copies of its pages (SubIFDs) are passed over: full resolution only", in->info.file);
  ask_for_samples(t->h.tif);
  if (t->pages == 0) PRI_TRY(first_page(in));
  const pri_tiff_layout a = layout_of(t->h.tif);
  if (!same_layout(&a, &t->layout))
    return PRI_FAIL(in->ctx, PRI_EFORMAT,
        "%s: page %td is %u x %u with %u samples of %u bits, page 0 is %u x %u with %u of %u: pages of one stack have one shape",
        in->info.file,
                    t->pages, a.height, a.width, a.samples, a.bits, t->layout.height, t->layout.width, t->layout.samples, t->layout.bits);
  if (t->layout.compression != a.compression) t->layout.compression = a.compression;
  PRI_TRY(check_strips(in));
  PRI_TRY(add_offset(in, at));
  return t->pages == 1 ? pri_tiff_describe(in) : PRI_OK;
}

/* ---- the file */

static pri_status scan(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  if (!TIFFSetDirectory(t->h.tif, 0)) return pri_tiff_fail(in, "its first directory cannot be read");
  PRI_TRY(add_page(in));
  while (!TIFFLastDirectory(t->h.tif)) {
    if (!TIFFReadDirectory(t->h.tif)) /* libtiff has no words for a circle */
      return pri_tiff_fail(in, t->h.message[0] ? "is truncated or damaged: the directory of a page cannot be read"
                                               : "is damaged: its directories run in a circle, or one cannot be read");
    PRI_TRY(add_page(in));
  }
  return t->pages ? PRI_OK : PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: has no page of full resolution", in->info.file);
}

/* ImageJ writes stacks beyond 4 GB as one directory with the planes one behind the other */
static pri_status planes_of_imagej(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  const ptrdiff_t images = t->imagej[3];
  const double page = (double)t->layout.width * t->layout.height * t->layout.samples * t->layout.bits / 8;
  if (images <= 1 || t->pages != 1) return PRI_OK;
  PRI_TRY(pri_tiff_select(in, 0));
  const int64_t at = (int64_t)TIFFGetStrileOffset(t->h.tif, 0);
  if (t->layout.compression != COMPRESSION_NONE || t->layout.bits % 8 || TIFFIsTiled(t->h.tif) ||
      (t->layout.planar != PLANARCONFIG_CONTIG && t->layout.samples > 1) ||
      (double)at + page * (double)images > (double)in->source.size)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated: its ImageJ description promises %td images, one is there", in->info.file,
        images);
  t->planes_at = at;
  t->pages = images;
  return PRI_OK;
}

typedef struct axis { char name; ptrdiff_t n; } axis;

/* axes of the planes, slowest first, as the description orders them; 0: it does not tell */
static int described_axes(const struct pri_tiff *t, axis a[4]) {
  const pri_ome *const o = t->ome;
  if (o && o->images) {
    const ptrdiff_t size[3] = {o->size[2], o->samples > 0 && o->size[3] % o->samples == 0 ? o->size[3] / o->samples : o->size[3], o->size[4]};
    a[0] = (axis){'q', o->images};
    for (int k = 0; k < 3; ++k) {
      const char name = o->order[4 - k];
      a[k + 1] = (axis){(char)(name - 'A' + 'a'), size[name == 'Z' ? 0 : name == 'C' ? 1 : 2]};
    }
    return o->same ? 4 : 0;
  }
  for (int k = 0; k < 3; ++k) a[k] = (axis){"tzc"[k], t->imagej[k]};
  return 3;
}

static pri_status set_shape(pri_input *in) {
  const struct pri_tiff *const t = in->priv;
  axis a[4];
  ptrdiff_t shape[PRI_MAXDIM + 1], planes = 1;
  char axes[8];
  int nd = 0;
  const int n = described_axes(t, a);
  for (int k = 0; k < n; ++k) planes = planes > t->pages ? planes : planes * a[k].n;
  if (n && planes == t->pages) {
    for (int k = 0; k < n; ++k)
      if (a[k].n > 1) axes[nd] = a[k].name, shape[nd++] = a[k].n;
  } else if (t->pages > 1) {
    axes[nd] = 'z', shape[nd++] = t->pages;
    if (t->imagej[3] || t->ome)
      pri_log(in->ctx, PRI_LOG_WARN, "%s: has %td planes, its description tells of another number: they are taken for one stack", in->info.file, t->pages);
  }
  axes[nd] = 0;
  in->colours = t->layout.samples == 3 && t->layout.photometric == PHOTOMETRIC_RGB ? 3 : 0;
  if (t->layout.samples > 1) axes[nd] = strchr(axes, 'c') ? 's' : 'c', shape[nd++] = t->layout.samples;
  axes[nd] = 'y', shape[nd++] = (ptrdiff_t)t->layout.height;
  axes[nd] = 'x', shape[nd++] = (ptrdiff_t)t->layout.width;
  axes[nd] = 0;
  return pri_info_shape(in, nd, shape, axes);
}

pri_status pri_tiff_origin(const pri_input *in, ptrdiff_t plane, pri_input **file, ptrdiff_t *page) {
  pri_input *member;
  ptrdiff_t item;
  *file = NULL;
  PRI_TRY(pri_stack_member((pri_input *)(uintptr_t)in, plane, &member, &item));   /* it opens another file of the stack, no more */
  if (member->reader != &pri_reader_tiff) return PRI_OK;
  *file = member;
  *page = item / ((struct pri_tiff *)member->priv)->layout.samples;
  return PRI_OK;
}

pri_status pri_tiff_select(pri_input *in, ptrdiff_t page) {
  struct pri_tiff *const t = in->priv;
  if (t->current == page) return PRI_OK;
  t->h.message[0] = 0;
  t->current = -1;
  if (!TIFFSetSubDirectory(t->h.tif, t->offset[page])) return pri_tiff_fail(in, "the directory of a page cannot be read");
  ask_for_samples(t->h.tif);
  const pri_tiff_layout a = layout_of(t->h.tif);
  if (!same_layout(&a, &t->layout)) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: has changed while it was in use", in->info.file);
  t->current = page;
  return PRI_OK;
}

static pri_status open_file(pri_input *in, const char *inside) {
  struct pri_tiff *t;
  if (inside) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: a TIFF file has no path \"%s\" inside", in->info.file, inside);
  PRI_ALLOC(in->ctx, t, 1);
  in->priv = t;
  t->h.source = &in->source;
  t->current = -1;
  PRI_TRY(pri_tiff_open(in->ctx, &t->h, in->info.file, "rhm", in->source.size > 1 << 24 ? 16 * in->source.size : 1 << 28));
  t->swap = TIFFIsByteSwapped(t->h.tif);
  PRI_TRY(scan(in));
  PRI_TRY(planes_of_imagej(in));
  const size_t row = ((size_t)t->layout.width * t->layout.samples * t->layout.bits + 7) / 8;
  const size_t chunk = row > PRI_TIFF_CHUNK ? row : PRI_TIFF_CHUNK;
  if (chunk > t->buffer_bytes) t->buffer_bytes = chunk;
  PRI_ALLOC(in->ctx, t->buffer, t->buffer_bytes);
  return set_shape(in);
}

static size_t memory(const pri_input *in) {
  const struct pri_tiff *const t = in->priv;
  return t->buffer_bytes + (t->layout.compression == COMPRESSION_NONE ? 0 : t->raw_bytes) + (size_t)t->room * sizeof *t->offset + (1 << 18);
}

static void close_file(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  if (!t) return;
  if (t->h.tif) TIFFClose(t->h.tif);
  pri_free(in->ctx, t->offset);
  pri_free(in->ctx, t->ome);
  pri_free(in->ctx, t->buffer);
  pri_free(in->ctx, t);
}

const pri_reader pri_reader_tiff = {"tiff", knows, open_file, pri_tiff_read, memory, close_file, NULL};
