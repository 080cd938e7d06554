/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_info.c - filling the description of an input: owned texts, shapes checked for size, pixel sizes with units, side files. */
#include "config.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "io_private.h"

pri_status pri_info_text(pri_input *in, const char **field, const char *text) {
  char *const copy = pri_strdup(in->ctx, text);
  if (!copy) return pri_ctx_code(in->ctx);
  pri_free(in->ctx, (void *)(uintptr_t)*field);
  *field = copy;
  return PRI_OK;
}

pri_status pri_info_json(pri_input *in, const char **field, json_t *object) {
  char *const text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
  json_decref(object);
  if (!text) return PRI_FAIL(in->ctx, PRI_ENOMEM, "%s: out of memory while its metadata are collected", in->info.file);
  const pri_status s = pri_info_text(in, field, text);
  free(text);
  return s;
}

json_t *pri_number_json(double v) {
  return !isfinite(v) ? json_null() : v == floor(v) && fabs(v) < 9007199254740992.0 ? json_integer((json_int_t)v) : json_real(v);
}

json_t *pri_text_json(pri_ctx *ctx, const char *text, size_t n) {
  json_t *const as_is = json_stringn(text, n);   /* NULL where it is not UTF-8 */
  if (as_is) return as_is;
  char *const wide = pri_calloc(ctx, n, 2);
  size_t k = 0;
  if (!wide) return NULL;
  for (size_t i = 0; i < n; ++i) {               /* Latin-1: 80 to ff become two bytes */
    const unsigned char c = (unsigned char)text[i];
    if (c < 0x80) wide[k++] = (char)c;
    else wide[k++] = (char)(0xc0 | c >> 6), wide[k++] = (char)(0x80 | (c & 0x3f));
  }
  json_t *const out = json_stringn(wide, k);
  pri_free(ctx, wide);
  return out;
}

pri_status pri_info_shape(pri_input *in, int nd, const ptrdiff_t *shape, const char *axes) {
  pri_input_info *const info = &in->info;
  ptrdiff_t size = 1;
  if (nd < 1 || nd > PRI_MAXDIM) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: has %d axes, 1 to %d can be read", info->file, nd, PRI_MAXDIM);
  for (int k = 0; k < nd; ++k) {
    if (shape[k] < 1)
      return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: axis %d has the length %td: there is nothing in it", info->file, k, shape[k]);
    if (size > PTRDIFF_MAX / 32 / shape[k])
      return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: declares more samples than can be addressed", info->file);
    size *= info->shape[k] = shape[k];
  }
  info->nd = nd;
  info->item = pri_shape_2d(nd > 1 ? shape[nd - 2] : 1, shape[nd - 1]);
  info->items = size / (info->item.n[0] * info->item.n[1]);
  in->planes = info->items, in->plane = info->item;
  return pri_info_text(in, &info->axes, axes ? axes : &"qtczyx"[PRI_MAXDIM - nd]);
}

pri_status pri_declared_size(pri_input *in, double bytes, double have, double most) {
  if (bytes <= have * most + 65536) return PRI_OK;
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated or damaged: it declares %.0f bytes of samples and has %.0f bytes", in->info.file,
      bytes, have);
}

double pri_unit_mm(const char *unit) {
  static const struct { const char *name; double mm; } units[] = {
    {"mm", 1}, {"um", 1e-3}, {"\xc2\xb5m", 1e-3}, {"\xce\xbcm", 1e-3}, {"\xb5m", 1e-3}, {"\\u00B5m", 1e-3}, {"\\u00b5m", 1e-3},
    {"micron", 1e-3}, {"microns", 1e-3}, {"nm", 1e-6}, {"cm", 10},
    {"m", 1000}, {"inch", 25.4}, {"millimeter", 1}, {"micrometer", 1e-3}, {"nanometer", 1e-6}, {"centimeter", 10}, {"meter", 1000}};
  for (size_t i = 0; i < sizeof units / sizeof *units; ++i)
    if (strcmp(unit, units[i].name) == 0) return units[i].mm;
  return (double)NAN;
}

pri_status pri_info_pixel(pri_input *in, double x, double y, double z, const char *unit, int trusted) {
  const double size[3] = {x, y, z}, mm = pri_unit_mm(unit);
  json_t *const o = json_object();
  for (int k = 0; k < 3; ++k) {
    if (!(size[k] > 0) || !isfinite(size[k])) continue;
    json_object_set_new(o, &"x\0y\0z"[2 * k], pri_number_json(size[k]));
    if (trusted && isfinite(mm)) in->info.meta.pixel[k] = size[k] * mm;
  }
  json_object_set_new(o, "unit", pri_text_json(in->ctx, unit, strlen(unit)));
  return pri_info_json(in, &in->info.pixel, o);
}

pri_status pri_side_name(pri_ctx *ctx, const char *name, char **out) {
  const size_t n = strlen(name);
  *out = pri_calloc(ctx, n + 6, 1);
  if (!*out) return pri_ctx_code(ctx);
  memcpy(*out, name, n);
  memcpy(*out + n, ".json", 6);
  return PRI_OK;
}

/* kept as it stands: numbers that are printed again might lose a digit */
static pri_status keep_object(pri_input *in, const char *path, const char *text) {
  json_t *const object = json_loads(text, 0, NULL);
  const int good = json_is_object(object);
  json_decref(object);
  if (good) return pri_info_text(in, &in->info.provenance, text);
  pri_log(in->ctx, PRI_LOG_WARN, "%s: is no JSON object, so there is no provenance of %s", path, in->info.file);
  return PRI_OK;
}

/* a side file that is no JSON object is somebody else's: said, and left alone */
static pri_status load_side(pri_input *in, const char *path) {
  struct stat st;
  pri_source side;
  char *text;
  if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 1 || st.st_size > 64 << 20) return PRI_OK;
  PRI_ALLOC(in->ctx, text, st.st_size + 1);
  pri_status s = pri_source_open(in->ctx, &side, path);
  if (s == PRI_OK) s = pri_source_read(in->ctx, &side, text, (size_t)st.st_size, 0);
  pri_source_close(in->ctx, &side);
  for (off_t n = st.st_size; n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '); --n) text[n - 1] = 0;
  if (s == PRI_OK) s = keep_object(in, path, text);
  pri_free(in->ctx, text);
  return s;
}

pri_status pri_input_side(pri_input *in, const char *path) {
  char *side;
  PRI_TRY(pri_side_name(in->ctx, path, &side));
  const pri_status s = load_side(in, side);
  pri_free(in->ctx, side);
  return s;
}
