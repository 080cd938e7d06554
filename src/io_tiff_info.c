/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_tiff_info.c - what the first directory of a TIFF says besides its layout: description (ImageJ's keys), resolution, texts, provenance. */
#include "config.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "io_ome.h"
#include "io_tiff.h"
#include "number.h"

enum { FINE_DPI = 508 };                     /* pixels of 50 um */

/* "key=value" on a line of its own; NULL: absent */
static const char *line_value(const char *text, const char *key) {
  const size_t n = strlen(key);
  for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
    if (strncmp(p, key, n) == 0 && p[n] == '=') return p + n + 1;
  return NULL;
}

static ptrdiff_t line_count(const char *text, const char *key, ptrdiff_t missing) {
  const char *const v = line_value(text, key);
  const long long n = v ? strtoll(v, NULL, 10) : 0;
  return n >= 1 && n <= 1 << 30 ? (ptrdiff_t)n : missing;
}

/* frames, slices, channels, images */
static void parse_imagej(ptrdiff_t out[4], const char *text) {
  out[0] = out[1] = out[2] = 1, out[3] = 0;
  if (!text || strncmp(text, "ImageJ=", 7)) return;
  out[0] = line_count(text, "frames", 1);
  out[1] = line_count(text, "slices", 1);
  out[2] = line_count(text, "channels", 1);
  out[3] = line_count(text, "images", 0);
}

static void add_text(pri_ctx *ctx, json_t *o, TIFF *tif, uint32_t tag, const char *key) {
  char *text = NULL;
  if (TIFFGetField(tif, tag, &text) && text) json_object_set_new(o, key, pri_text_json(ctx, text, strlen(text)));
}

/* ImageJ: pixels per `unit`, ResolutionUnit none. Otherwise centimetres are believed; inches are reported, and believed
   where pixels are finer than any default of printing (72, 300 dpi are no measurement) */
static pri_status describe_pixel(pri_input *in, const char *text) {
  TIFF *const tif = ((struct pri_tiff *)in->priv)->h.tif;
  float x = 0, y = 0;
  uint16_t unit = RESUNIT_INCH;
  char name[32] = "";
  const char *const imagej = text && strncmp(text, "ImageJ=", 7) == 0 ? line_value(text, "unit") : NULL;
  if (!TIFFGetField(tif, TIFFTAG_XRESOLUTION, &x) || !TIFFGetField(tif, TIFFTAG_YRESOLUTION, &y)) return PRI_OK;
  TIFFGetFieldDefaulted(tif, TIFFTAG_RESOLUTIONUNIT, &unit);
  if (!(x > 0) || !(y > 0) || !isfinite(x) || !isfinite(y)) return PRI_OK;
  if (imagej) {
    for (size_t i = 0; i + 1 < sizeof name && imagej[i] && imagej[i] != '\n'; ++i) name[i] = imagej[i], name[i + 1] = 0;
    const char *const spacing = line_value(text, "spacing");
    return pri_info_pixel(in, 1 / (double)x, 1 / (double)y, spacing ? pri_number_parse(spacing, &(char *){NULL}) : (double)NAN, name, 1);
  }
  if (unit != RESUNIT_CENTIMETER && unit != RESUNIT_INCH) return PRI_OK;
  const double mm = unit == RESUNIT_CENTIMETER ? 10 : 25.4;
  return pri_info_pixel(in, mm / (double)x, mm / (double)y, (double)NAN, "mm", unit == RESUNIT_CENTIMETER || x > FINE_DPI);
}

static json_t *metadata(pri_ctx *ctx, const struct pri_tiff *t) {
  static const struct { uint32_t tag; const char *key; } texts[] = {
    {TIFFTAG_IMAGEDESCRIPTION, "description"}, {TIFFTAG_SOFTWARE, "software"}, {TIFFTAG_ARTIST, "artist"}, {TIFFTAG_DATETIME, "date_time"},
    {TIFFTAG_DOCUMENTNAME, "document_name"}, {TIFFTAG_PAGENAME, "page_name"}, {TIFFTAG_MAKE, "make"}, {TIFFTAG_MODEL, "model"},
    {TIFFTAG_COPYRIGHT, "copyright"}};
  TIFF *const tif = t->h.tif;
  const TIFFCodec *const codec = TIFFFindCODEC(t->layout.compression);
  float x = 0, y = 0;
  uint16_t unit = RESUNIT_INCH;
  json_t *const o = json_object();
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) add_text(ctx, o, tif, texts[i].tag, texts[i].key);
  json_object_set_new(o, "compression", codec ? pri_text_json(ctx, codec->name, strlen(codec->name)) : json_integer(t->layout.compression));
  json_object_set_new(o, "photometric", json_integer(t->layout.photometric));
  json_object_set_new(o, "bits", json_integer(t->layout.bits));
  json_object_set_new(o, "samples_per_pixel", json_integer(t->layout.samples));
  json_object_set_new(o, "bigtiff", json_boolean(TIFFIsBigTIFF(tif)));
  json_object_set_new(o, "big_endian", json_boolean(TIFFIsBigEndian(tif)));
  json_object_set_new(o, "tiled", json_boolean(TIFFIsTiled(tif)));
  if (TIFFGetField(tif, TIFFTAG_XRESOLUTION, &x) && isfinite(x)) json_object_set_new(o, "x_resolution", json_real((double)x));
  if (TIFFGetField(tif, TIFFTAG_YRESOLUTION, &y) && isfinite(y)) json_object_set_new(o, "y_resolution", json_real((double)y));
  if (TIFFGetField(tif, TIFFTAG_RESOLUTIONUNIT, &unit))
    json_object_set_new(o, "resolution_unit", json_string(unit == RESUNIT_INCH ? "inch" : unit == RESUNIT_CENTIMETER ? "cm" : "none"));
  return o;
}

static pri_status describe_provenance(pri_input *in) {
  TIFF *const tif = ((struct pri_tiff *)in->priv)->h.tif;
  const char *const text = pri_tiff_provenance(tif);
  if (!text) return PRI_OK;
  json_t *const object = json_loads(text, 0, NULL);
  const int good = json_is_object(object);
  json_decref(object);
  if (good) return pri_info_text(in, &in->info.provenance, text);
  pri_log(in->ctx, PRI_LOG_WARN, "%s: its provenance is damaged and is ignored", in->info.file);
  return PRI_OK;
}

/* what cannot be told from one file of a set is refused, and so is XML that says nothing certain of the order of planes */
static pri_status describe_ome(pri_input *in, const char *text) {
  struct pri_tiff *const t = in->priv;
  if (!text || !pri_ome_is(text)) return PRI_OK;
  PRI_ALLOC(in->ctx, t->ome, 1);
  PRI_TRY(pri_ome_parse(in->ctx, in->info.file, text, t->ome));
  if (t->ome->other[0])
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is one file of an OME-TIFF set, of which %s is another: write the set into one file first",
        in->info.file, t->ome->other);
  if (t->ome->shuffled)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: its OME-XML puts planes in another order than %s: write it anew in that order", in->info.file,
        t->ome->order);
  return PRI_OK;
}

/* all in the unit of x, which is micrometres unless it says otherwise */
static pri_status describe_ome_pixel(pri_input *in) {
  const struct pri_ome *const o = ((struct pri_tiff *)in->priv)->ome;
  double size[3];
  for (int k = 0; k < 3; ++k) {
    const double factor = strcmp(o->unit[k], o->unit[0]) ? pri_unit_mm(o->unit[k]) / pri_unit_mm(o->unit[0]) : 1;
    size[k] = o->pixel[k] > 0 ? o->pixel[k] * factor : (double)NAN;
  }
  return pri_info_pixel(in, size[0], size[1], size[2], o->unit[0], 1);
}

pri_status pri_tiff_describe(pri_input *in) {
  struct pri_tiff *const t = in->priv;
  char *text = NULL;
  if (!TIFFGetField(t->h.tif, TIFFTAG_IMAGEDESCRIPTION, &text)) text = NULL;
  parse_imagej(t->imagej, text);
  PRI_TRY(describe_ome(in, text));
  if (t->ome && t->ome->pixel[0] > 0) PRI_TRY(describe_ome_pixel(in));
  else PRI_TRY(describe_pixel(in, text));
  PRI_TRY(pri_info_json(in, &in->info.metadata, metadata(in->ctx, t)));
  return describe_provenance(in);
}
