/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_tiff_directory.c - the directories of a TIFF file, written behind its pixels: layout, what the input's page carried (copied as it
 * stands, byte for byte but for the byte order), texts that had to change, provenance in the first one. Left out of a copy: what
 * speaks of the old layout, places in the old file (EXIF, SubIFDs, long integers of unknown meaning) and, where the number of
 * planes has changed, ImageJ's private tags 50838 and 50839, which belong into the first directory only.
 * Source: TIFF 6.0 (Adobe 1992), section 2; BigTIFF: libtiff's design note.
 */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io_tiff.h"
#include "number.h"

enum { ENTRIES = 512, KEPT = 128, IMAGEJ_COUNTS = 50838, IMAGEJ_DATA = 50839, GDAL_SCALE = 33550 };
typedef struct entry { uint16_t tag, type; uint64_t count; unsigned char value[8]; } entry;   /* value: in file order; or its place */
typedef struct directory { pri_output *o; entry e[ENTRIES]; int n; int64_t link; } directory; /* link: place of the offset of the next one */
/* values of one source file that several pages share (a colour profile): where they are now */
struct pri_kept { const pri_input *file; int64_t from, to; uint64_t count; uint16_t type; };

/* ---- bytes */

static void put_number(unsigned char *p, uint64_t v, int n, int big_endian) {
  for (int i = 0; i < n; ++i) p[big_endian ? n - 1 - i : i] = (unsigned char)(v >> 8 * i);
}

static void turn(unsigned char *p, size_t n, size_t unit) {
  for (size_t i = 0; unit > 1 && i + unit <= n; i += unit)
    for (size_t a = i, b = i + unit - 1; a < b; ++a, --b) {
      const unsigned char c = p[a];
      p[a] = p[b], p[b] = c;
    }
}

static pri_status even(pri_output *o) { return o->sink.at & 1 ? pri_sink_write(&o->sink, "", 1) : PRI_OK; }

static size_t inside(const pri_output *o) { return ((const pri_tiff_writer *)o->priv)->big ? 8 : 4; }

/* ---- entries */

static entry *find(directory *d, uint16_t tag) {
  for (int i = 0; i < d->n; ++i)
    if (d->e[i].tag == tag) return d->e + i;
  return NULL;
}

static entry *new_entry(directory *d, uint16_t tag, uint16_t type, uint64_t count) {
  if (d->n == ENTRIES || find(d, tag)) return NULL;      /* the first one counts: what is set before a copy stays */
  d->e[d->n] = (entry){.tag = tag, .type = type, .count = count};
  return d->e + d->n++;
}

/* values in the machine's order, turned where the file has another; bytes is used up */
static pri_status add(directory *d, uint16_t tag, uint16_t type, uint64_t count, void *bytes) {
  pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  const size_t n = (size_t)count * pri_tag_bytes(type);
  entry *const e = new_entry(d, tag, type, count);
  if (!e) return PRI_OK;
  if (w->swap) turn(bytes, n, pri_tag_unit(type));
  if (n <= inside(o)) return memcpy(e->value, bytes, n), PRI_OK;
  PRI_TRY(even(o));
  put_number(e->value, (uint64_t)o->sink.at, (int)inside(o), w->big_endian);
  return pri_sink_write(&o->sink, bytes, n);
}

static pri_status add_short(directory *d, uint16_t tag, ptrdiff_t value, ptrdiff_t count) {
  uint16_t v[256];
  if (count > 256) count = 256;
  for (ptrdiff_t i = 0; i < count; ++i) v[i] = (uint16_t)value;
  return add(d, tag, TIFF_SHORT, (uint64_t)count, v);
}

static pri_status add_long(directory *d, uint16_t tag, ptrdiff_t value) {
  uint32_t v = (uint32_t)value;
  return add(d, tag, TIFF_LONG, 1, &v);
}

static pri_status add_text(directory *d, uint16_t tag, const char *text) {
  const size_t n = strlen(text) + 1;
  char *const copy = pri_calloc(d->o->ctx, n, 1);
  if (!copy) return pri_ctx_code(d->o->ctx);
  memcpy(copy, text, n);
  const pri_status s = add(d, tag, TIFF_ASCII, n, copy);
  pri_free(d->o->ctx, copy);
  return s;
}

/* the best fraction of two 32-bit numbers: continued fraction of v > 0 */
static void fraction(uint32_t out[2], double v) {
  double n0 = 0, n1 = 1, d0 = 1, d1 = 0, rest = v;
  for (int k = 0; k < 40; ++k) {
    const double a = floor(rest), n2 = a * n1 + n0, d2 = a * d1 + d0;
    if (n2 > UINT32_MAX || d2 > UINT32_MAX) break;
    n0 = n1, n1 = n2, d0 = d1, d1 = d2;
    if (rest - a < 1e-12 * a || n1 / d1 == v) break;
    rest = 1 / (rest - a);
  }
  out[0] = d1 > 0 ? (uint32_t)n1 : UINT32_MAX, out[1] = d1 > 0 ? (uint32_t)d1 : 1;
}

static pri_status add_fraction(directory *d, uint16_t tag, double v) {
  uint32_t f[2];
  fraction(f, v);
  return add(d, tag, TIFF_RATIONAL, 1, f);
}

/* ---- layout */

/* offsets and lengths of the strips: computed, or libtiff's */
static void strip_at(const pri_output *o, ptrdiff_t page, ptrdiff_t k, uint64_t *at, uint64_t *bytes) {
  const pri_tiff_writer *const w = o->priv;
  const ptrdiff_t planes = w->chunky ? 1 : w->samples, y = k % w->strips * w->rows, plane = k / w->strips;
  const uint64_t row = (uint64_t)o->width * pri_dtype_bytes(o->dtype) * (uint64_t)(w->chunky ? w->samples : 1);
  if (w->h.tif) {
    *at = TIFFGetStrileOffset(w->h.tif, (uint32_t)(page * planes * w->strips + k));
    *bytes = TIFFGetStrileByteCount(w->h.tif, (uint32_t)(page * planes * w->strips + k));
    return;
  }
  *at = (uint64_t)w->data + row * (uint64_t)((page * planes + plane) * o->height + y);
  *bytes = row * (uint64_t)(o->height - y < w->rows ? o->height - y : w->rows);
}

static pri_status add_strips(directory *d, ptrdiff_t page) {
  pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  const ptrdiff_t n = w->strips * (w->chunky ? 1 : w->samples);
  const size_t size = w->big ? 8 : 4;
  unsigned char *const places = pri_calloc(o->ctx, (size_t)n, 2 * size);
  if (!places) return pri_ctx_code(o->ctx);
  unsigned char *const counts = places + (size_t)n * size;
  for (ptrdiff_t k = 0; k < n; ++k) {
    uint64_t at = 0, bytes = 0;
    strip_at(o, page, k, &at, &bytes);
    put_number(places + (size_t)k * size, at, (int)size, pri_big_endian());
    put_number(counts + (size_t)k * size, bytes, (int)size, pri_big_endian());
  }
  const uint16_t type = w->big ? TIFF_LONG8 : TIFF_LONG;
  pri_status s = add(d, TIFFTAG_STRIPOFFSETS, type, (uint64_t)n, places);
  if (s == PRI_OK) s = add(d, TIFFTAG_STRIPBYTECOUNTS, type, (uint64_t)n, counts);
  pri_free(o->ctx, places);
  return s;
}

static pri_status add_layout(directory *d, ptrdiff_t page) {
  const pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  const int format = o->dtype >= PRI_F16 ? SAMPLEFORMAT_IEEEFP : o->dtype >= PRI_I8 ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT;
  PRI_TRY(add_long(d, TIFFTAG_IMAGEWIDTH, o->width));
  PRI_TRY(add_long(d, TIFFTAG_IMAGELENGTH, o->height));
  PRI_TRY(add_short(d, TIFFTAG_BITSPERSAMPLE, (ptrdiff_t)(8 * pri_dtype_bytes(o->dtype)), w->samples));
  PRI_TRY(add_short(d, TIFFTAG_COMPRESSION, w->compression, 1));
  PRI_TRY(add_short(d, TIFFTAG_PHOTOMETRIC, w->photometric, 1));
  PRI_TRY(add_short(d, TIFFTAG_SAMPLESPERPIXEL, w->samples, 1));
  PRI_TRY(add_long(d, TIFFTAG_ROWSPERSTRIP, w->rows));
  PRI_TRY(add_short(d, TIFFTAG_PLANARCONFIG, w->samples == 1 || w->chunky ? PLANARCONFIG_CONTIG : PLANARCONFIG_SEPARATE, 1));
  PRI_TRY(add_short(d, TIFFTAG_SAMPLEFORMAT, format, w->samples));
  if (w->predictor != PREDICTOR_NONE) PRI_TRY(add_short(d, TIFFTAG_PREDICTOR, w->predictor, 1));
  PRI_TRY(add_text(d, TIFFTAG_SOFTWARE, "priori " PACKAGE_VERSION));
  return add_strips(d, page);
}

/* ---- what the input's page carried */

/* of the old layout, ours anyway, or places in the old file */
static int is_replaced(uint16_t tag) {
  static const uint16_t all[] = {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291,
    292, 293, 301, 305, 317, 320, 322, 323, 324, 325, 326, 327, 328, 330, 339, 340, 341, 342, 347, 400, 512, 513, 514, 515, 517, 518, 519,
    520, 521, 529, 530, 531, 532, 559, 32953, 32996, 32997, 32998, 33560, 33628, 33629, 33630, 33631, 34412, 34665, 34853, 34908, 34909,
    34910, 40965, 50674, 50908, PRI_TIFFTAG_PROVENANCE};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
    if (all[i] == tag) return 1;
  return 0;
}

/* a long integer that nobody here knows may be a place in the file */
static int is_place(const pri_tag *t) {
  static const uint16_t known[] = {TIFFTAG_SUBFILETYPE, TIFFTAG_ICCPROFILE, IMAGEJ_COUNTS, 34377, 37724, 50839, 65000};
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if (known[i] == t->tag) return 0;
  return t->type == TIFF_LONG || t->type == TIFF_SLONG || t->type == TIFF_IFD || t->type >= TIFF_LONG8;
}

static int is_left_out(const pri_output *o, const pri_tag *t, ptrdiff_t page) {
  const pri_tiff_writer *const w = o->priv;
  if (is_replaced(t->tag) || is_place(t)) return 1;
  if (t->tag == IMAGEJ_COUNTS || t->tag == IMAGEJ_DATA) return page > 0 || !o->same_planes;
  if (t->tag == TIFFTAG_IMAGEDESCRIPTION) return page == 0;    /* edited */
  return t->tag == TIFFTAG_EXTRASAMPLES && w->samples == 1;
}

static void note_left_out(const pri_output *o, const pri_tag *t, ptrdiff_t page) {
  if (page > 0) return;
  if (t->tag == IMAGEJ_DATA)
    pri_log(o->ctx, PRI_LOG_WARN, "%s: the number of planes has changed: ImageJ's labels, colours and overlays (tag 50839) are left out",
        o->sink.target);
  if (t->tag == TIFFTAG_SUBIFD || t->tag == TIFFTAG_EXIFIFD || t->tag == TIFFTAG_GPSIFD || t->tag == 34412 || (!is_replaced(t->tag) && is_place(t)))
    pri_log(o->ctx, PRI_LOG_INFO, "%s: tag %d points into the input's file and is left out", o->sink.target, t->tag);
}

static struct pri_kept *kept(pri_output *o, const pri_input *file, const pri_tag *t) {
  pri_tiff_writer *const w = o->priv;
  for (int i = 0; w->kept && i < KEPT; ++i)
    if (w->kept[i].file == file && w->kept[i].from == t->at && w->kept[i].count == t->count && w->kept[i].type == t->type) return w->kept + i;
  return NULL;
}

/* of one file only: those of a stack are opened one after the other, and a new one may live where an old one did */
static pri_status keep(pri_output *o, const pri_input *file, const pri_tag *t, int64_t to) {
  pri_tiff_writer *const w = o->priv;
  if (file != o->like) return PRI_OK;
  if (!w->kept) PRI_ALLOC(o->ctx, w->kept, KEPT);
  w->kept[t->tag % KEPT] = (struct pri_kept){file, t->at, to, t->count, t->type};
  return PRI_OK;
}

static pri_status copy_bytes(pri_output *o, pri_input *file, const pri_tag *t, int turned) {
  unsigned char chunk[4096];
  const size_t n = (size_t)t->count * pri_tag_bytes(t->type);
  for (size_t at = 0; at < n; at += sizeof chunk) {
    const size_t m = n - at < sizeof chunk ? n - at : sizeof chunk;
    PRI_TRY(pri_source_read(o->ctx, &file->source, chunk, m, t->at + (int64_t)at));
    if (turned) turn(chunk, m, pri_tag_unit(t->type));
    PRI_TRY(pri_sink_write(&o->sink, chunk, m));
  }
  return PRI_OK;
}

static pri_status copy(directory *d, pri_input *file, const pri_tag *t) {
  pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  const struct pri_tiff *const from = file->priv;
  const int turned = w->big_endian != (TIFFIsBigEndian(from->h.tif) != 0);
  const size_t n = (size_t)t->count * pri_tag_bytes(t->type);
  entry *const e = new_entry(d, t->tag, t->type, t->count);
  if (!e) return PRI_OK;
  if (n <= inside(o)) {
    PRI_TRY(pri_source_read(o->ctx, &file->source, e->value, n, t->at));
    if (turned) turn(e->value, n, pri_tag_unit(t->type));
    return PRI_OK;
  }
  const struct pri_kept *const again = kept(o, file, t);
  PRI_TRY(even(o));
  put_number(e->value, (uint64_t)(again ? again->to : o->sink.at), (int)inside(o), w->big_endian);
  if (again) return PRI_OK;
  const int64_t to = o->sink.at;
  PRI_TRY(copy_bytes(o, file, t, turned));
  return keep(o, file, t, to);
}

/* pixels per unit: as read, unless the result has other pixels */
static pri_status add_resolution(directory *d, pri_input *file, const pri_tag *tags, int n) {
  for (uint16_t k = 0; k < 2; ++k) {
    const pri_tag *const t = pri_tag_find(tags, n, (uint16_t)(TIFFTAG_XRESOLUTION + k));
    unsigned char raw[8];
    if (!t || d->o->pitch[k] == 1) continue;
    if (t->type != TIFF_RATIONAL || t->count != 1) continue;
    PRI_TRY(pri_source_read(d->o->ctx, &file->source, raw, 8, t->at));
    const int order = TIFFIsBigEndian(((struct pri_tiff *)file->priv)->h.tif) != 0;
    const double top = (double)pri_tiff_number(raw, 4, order), bottom = (double)pri_tiff_number(raw + 4, 4, order);
    if (top > 0 && bottom > 0) PRI_TRY(add_fraction(d, t->tag, top / bottom / d->o->pitch[k]));
  }
  return PRI_OK;
}

/* The distance of planes has no tag: it is said as ImageJ does, per micrometre or millimetre */
static pri_status add_voxel(directory *d, ptrdiff_t page) {
  const pri_output *const o = d->o;
  const double unit = o->pixel[0] < 0.1 ? 1e-3 : 1;
  char text[160], spacing[32];
  PRI_TRY(add_fraction(d, TIFFTAG_XRESOLUTION, unit / o->pixel[0]));
  PRI_TRY(add_fraction(d, TIFFTAG_YRESOLUTION, unit / o->pixel[1]));
  PRI_TRY(add_short(d, TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE, 1));
  if (page > 0) return PRI_OK;
  const ptrdiff_t planes = o->items * o->pages;
  snprintf(text, sizeof text, "ImageJ=1.11a\nimages=%td\nslices=%td\nunit=%s\nspacing=%s\nloop=false\n", planes, planes, unit < 1 ? "um" : "mm",
      pri_number_text(spacing, sizeof spacing, o->pixel[2] / unit));
  return add_text(d, TIFFTAG_IMAGEDESCRIPTION, text);
}

static pri_status add_pixel(directory *d, ptrdiff_t page) {
  const pri_output *const o = d->o;
  if (!(o->pixel[0] > 0) || !(o->pixel[1] > 0)) return PRI_OK;
  if (o->pixel[2] > 0 && o->items * o->pages > 1) return add_voxel(d, page);
  PRI_TRY(add_fraction(d, TIFFTAG_XRESOLUTION, 10 / o->pixel[0]));   /* pixels per cm */
  PRI_TRY(add_fraction(d, TIFFTAG_YRESOLUTION, 10 / o->pixel[1]));
  return add_short(d, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER, 1);
}

/* world coordinates of a pixel follow its size */
static pri_status add_scale(directory *d, pri_input *file, const pri_tag *t) {
  double v[3];
  if (t->type != TIFF_DOUBLE || t->count != 3 || (d->o->pitch[0] == 1 && d->o->pitch[1] == 1)) return PRI_OK;
  PRI_TRY(pri_source_read(d->o->ctx, &file->source, v, sizeof v, t->at));
  if (((struct pri_tiff *)file->priv)->swap) turn((unsigned char *)v, sizeof v, 8);
  v[0] *= d->o->pitch[0], v[1] *= d->o->pitch[1];
  return add(d, t->tag, t->type, 3, v);
}

/* smallest and largest value, where the input had them: as short integers where they are such, else in the type of the samples */
static pri_status add_range(directory *d, const pri_tag *tags, int n, ptrdiff_t page) {
  static const uint16_t types[PRI_DTYPES] = {TIFF_SHORT, TIFF_SHORT, TIFF_LONG, 0, TIFF_SBYTE, TIFF_SSHORT, TIFF_SLONG, 0, TIFF_FLOAT, TIFF_FLOAT,
    TIFF_DOUBLE};
  const pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  const int plain = o->dtype <= PRI_U16;
  if (!pri_tag_find(tags, n, 280) && !pri_tag_find(tags, n, 281) && !pri_tag_find(tags, n, 340) && !pri_tag_find(tags, n, 341)) return PRI_OK;
  if (!types[o->dtype] || !(w->range[2 * page] <= w->range[2 * page + 1])) return PRI_OK;
  for (uint16_t k = 0; k < 2; ++k) {
    const pri_real v = (pri_real)pri_output_value(o, w->range[2 * page + k]);
    const pri_dtype t = plain ? PRI_U16 : o->dtype == PRI_F16 ? PRI_F32 : o->dtype;
    unsigned char raw[8 * 16];
    const ptrdiff_t count = w->samples < 16 ? w->samples : 16;
    for (ptrdiff_t i = 0; i < count; ++i) (void)pri_samples_encode(raw + (size_t)i * pri_dtype_bytes(t), &v, t, 1, 0, 0);
    PRI_TRY(add(d, (uint16_t)((plain ? 280 : 340) + k), types[o->dtype], (uint64_t)count, raw));
  }
  return PRI_OK;
}

static pri_status add_description(directory *d, pri_input *file, const pri_tag *t, const char *provenance) {
  char *old = NULL, *now = NULL;
  pri_status s = t->type == TIFF_ASCII || t->type == TIFF_BYTE ? pri_tag_load(file, t, &old) : PRI_OK;
  if (s == PRI_OK && old) s = pri_description_edit(d->o, old, provenance, &now);
  if (s == PRI_OK && now) s = add_text(d, t->tag, now);
  pri_free(d->o->ctx, old);
  pri_free(d->o->ctx, now);
  return s;
}

static pri_status add_page_type(directory *d, pri_input *file, const pri_tag *t) {
  unsigned char raw[4];
  if (t->type != TIFF_LONG || t->count != 1) return PRI_OK;
  PRI_TRY(pri_source_read(d->o->ctx, &file->source, raw, 4, t->at));
  const uint64_t v = pri_tiff_number(raw, 4, TIFFIsBigEndian(((struct pri_tiff *)file->priv)->h.tif) != 0);
  return v & FILETYPE_PAGE ? add_long(d, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE) : PRI_OK;
}

static pri_status add_copies(directory *d, pri_input *file, const pri_tag *tags, int n, ptrdiff_t page, const char *provenance) {
  PRI_TRY(add_resolution(d, file, tags, n));
  PRI_TRY(add_range(d, tags, n, page));
  for (int i = 0; i < n; ++i) {
    const pri_tag *const t = tags + i;
    if (t->tag == TIFFTAG_SUBFILETYPE) PRI_TRY(add_page_type(d, file, t));
    if (t->tag == GDAL_SCALE) PRI_TRY(add_scale(d, file, t));
    if (t->tag == TIFFTAG_IMAGEDESCRIPTION && page == 0) PRI_TRY(add_description(d, file, t, provenance));
    if (is_left_out(d->o, t, page)) note_left_out(d->o, t, page);
    else PRI_TRY(copy(d, file, t));
  }
  return PRI_OK;
}

/* a selection that begins later: what describes all planes stands in the input's first page */
static pri_status add_first_description(directory *d, const char *provenance) {
  pri_input *file = NULL;
  ptrdiff_t page = 0;
  pri_tag *tags;
  int n;
  char *text = NULL;
  PRI_TRY(pri_tiff_origin(d->o->like, 0, &file, &page));
  if (!file) return PRI_OK;
  pri_status s = pri_tiff_tags(file, page, &tags, &n);
  const pri_tag *const t = pri_tag_find(tags, s == PRI_OK ? n : 0, TIFFTAG_IMAGEDESCRIPTION);
  if (s == PRI_OK && t) s = pri_tag_load(file, t, &text);
  if (s == PRI_OK && t && pri_description_is_of_all(text)) s = add_description(d, file, t, provenance);
  pri_free(d->o->ctx, text);
  pri_free(d->o->ctx, tags);
  return s;
}

static pri_status add_like(directory *d, ptrdiff_t page, const char *provenance) {
  pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  pri_input *file = NULL;
  ptrdiff_t from = 0;
  pri_tag *tags;
  int n;
  const ptrdiff_t plane = o->like ? pri_output_origin(o, page * w->samples) : 0;
  if (o->like && page == 0 && plane > 0) PRI_TRY(add_first_description(d, provenance));
  if (o->like) PRI_TRY(pri_tiff_origin(o->like, plane, &file, &from));
  if (!file) return add_pixel(d, page);
  pri_status s = pri_tiff_tags(file, from, &tags, &n);
  if (s == PRI_OK && ((struct pri_tiff *)file->priv)->planes_at && page > 0)   /* one directory: its texts are the first plane's */
    for (int i = 0; i < n; ++i)
      if (tags[i].tag == TIFFTAG_IMAGEDESCRIPTION) tags[i].tag = PRI_TIFFTAG_PROVENANCE;
  if (s == PRI_OK) s = add_copies(d, file, tags, n, page, provenance);
  pri_free(o->ctx, tags);
  return s;
}

/* ---- writing */

static int by_tag(const void *a, const void *b) { return (int)((const entry *)a)->tag - (int)((const entry *)b)->tag; }

static pri_status put_directory(directory *d) {
  pri_output *const o = d->o;
  const pri_tiff_writer *const w = o->priv;
  const int big = w->big, order = w->big_endian, place = (int)inside(o);
  unsigned char raw[20] = {0}, link[8];
  qsort(d->e, (size_t)d->n, sizeof *d->e, by_tag);
  PRI_TRY(even(o));
  put_number(link, (uint64_t)o->sink.at, place, order);
  PRI_TRY(pri_sink_put(&o->sink, link, (size_t)place, d->link));
  put_number(raw, (uint64_t)d->n, big ? 8 : 2, order);
  PRI_TRY(pri_sink_write(&o->sink, raw, big ? 8 : 2));
  for (int i = 0; i < d->n; ++i) {
    put_number(raw, d->e[i].tag, 2, order);
    put_number(raw + 2, d->e[i].type, 2, order);
    put_number(raw + 4, d->e[i].count, place, order);
    memcpy(raw + 4 + place, d->e[i].value, (size_t)place);
    PRI_TRY(pri_sink_write(&o->sink, raw, (size_t)(4 + 2 * place)));
  }
  d->link = o->sink.at;
  return pri_sink_write(&o->sink, "\0\0\0\0\0\0\0", (size_t)place);
}

static pri_status all_directories(directory *d, const char *provenance) {
  const pri_tiff_writer *const w = d->o->priv;
  d->link = w->big ? 8 : 4;
  for (ptrdiff_t page = 0; page < w->pages; ++page) {
    d->n = 0;
    PRI_TRY(add_layout(d, page));
    if (page == 0 && provenance) PRI_TRY(add_text(d, PRI_TIFFTAG_PROVENANCE, provenance));
    PRI_TRY(add_like(d, page, provenance));
    PRI_TRY(put_directory(d));
  }
  return PRI_OK;
}

pri_status pri_tiff_directories(pri_output *o, const char *provenance) {
  directory *d;
  const pri_tiff_writer *const w = o->priv;
  PRI_ALLOC(o->ctx, d, 1);
  d->o = o;
  const pri_status s = all_directories(d, provenance);
  pri_free(o->ctx, d);
  PRI_TRY(s);
  if (!w->big && o->sink.at > UINT32_MAX)
    return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: its metadata lead beyond 4 GB: --bigtiff yes", o->sink.target);
  return PRI_OK;
}
