/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_description.c - the description of a TIFF (tag 270) after a computation: whatever is still true stays as it stands. ImageJ: "key=value"
 * lines, of which counts, min, max and spacing may change. OME-XML: io_ome.c. tifffile's {"shape": ...} is dropped where it is not true any
 * more. Everything else is text of somebody's.
 */
#include "config.h"
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io_ome.h"
#include "number.h"

/* ---- ImageJ */

typedef struct line { const char *key; char value[32]; int needed; } line;   /* value "": as it is; needed: added where absent */
enum { LINES = 7 };

static void set_count(line *l, ptrdiff_t n) {
  snprintf(l->value, sizeof l->value, "%td", n);
  l->needed = n > 1;
}

/* where only the spacing changes with it: planes that are resampled along z */
static void set_lines(const pri_output *o, const char *old, line l[LINES]) {
  static const char *const keys[LINES] = {"images", "channels", "slices", "frames", "min", "max", "spacing"};
  const char *const spacing = strstr(old, "\nspacing=");
  for (int i = 0; i < LINES; ++i) l[i] = (line){.key = keys[i]};
  if (!o->same_planes) {
    set_count(&l[0], o->counts[0] * o->counts[1] * o->counts[2]);
    set_count(&l[1], o->counts[2]);
    set_count(&l[2], o->counts[1]);
    set_count(&l[3], o->counts[0]);
  }
  if (o->least <= o->most) {
    pri_number_text(l[4].value, sizeof l[4].value, pri_output_value(o, o->least));
    pri_number_text(l[5].value, sizeof l[5].value, pri_output_value(o, o->most));
  }
  if (spacing && o->pitch[2] != 1)
    pri_number_text(l[6].value, sizeof l[6].value, pri_number_parse(spacing + 9, &(char *){NULL}) * o->pitch[2]);
}

static line *line_of(line l[LINES], const char *text) {
  for (int i = 0; i < LINES; ++i)
    if (strncmp(text, l[i].key, strlen(l[i].key)) == 0 && text[strlen(l[i].key)] == '=') return l + i;
  return NULL;
}

/* min=0.0 stays where 0 is meant: equal numbers need no other text */
static int says(const char *text, const char *value) {
  char *end;
  const double old = pri_number_parse(text, &end);
  return end > text && (*end == '\n' || *end == '\r' || !*end) && old == pri_number_parse(value, &end);
}

static int has_line(const char *text, const char *key) {
  char wanted[40];
  snprintf(wanted, sizeof wanted, "\n%s=", key);
  return strstr(text, wanted) != NULL;
}

static void put_imagej(FILE *f, const char *old, line l[LINES]) {
  for (const char *p = old; *p;) {
    const size_t n = strcspn(p, "\n"), whole = n + (p[n] == '\n');
    const line *const known = line_of(l, p);
    if (known && known->value[0] && !says(p + strlen(known->key) + 1, known->value))
      fprintf(f, "%s=%s%s", known->key, known->value, p[n] ? "\n" : "");
    else
      fwrite(p, 1, whole, f);
    for (int k = 0; k < LINES && p == old && p[n]; ++k)      /* behind the first line, as ImageJ has them */
      if (l[k].needed && !has_line(old, l[k].key)) fprintf(f, "%s=%s\n", l[k].key, l[k].value);
    p += whole;
  }
}

static pri_status edit_imagej(pri_output *o, const char *old, char **out) {
  char *text = NULL;
  size_t n = 0;
  line l[LINES];
  FILE *const f = open_memstream(&text, &n);
  if (!f) return PRI_FAIL(o->ctx, PRI_ENOMEM, "%s: out of memory for the description", o->sink.target);
  set_lines(o, old, l);
  put_imagej(f, old, l);
  if (fclose(f) == 0) *out = pri_strdup(o->ctx, text);
  free(text);
  return *out ? PRI_OK : PRI_FAIL(o->ctx, PRI_ENOMEM, "%s: out of memory for the description", o->sink.target);
}

/* ---- OME */

/* equal runs give equal identifiers: of the old text, the name and the provenance (RFC 9562, version 8) */
static void set_uuid(char uuid[64], const char *old, const char *file, const char *provenance) {
  const char *const parts[] = {old, file, provenance ? provenance : ""};
  struct sha256_ctx sha;
  uint8_t d[SHA256_DIGEST_SIZE];
  sha256_init(&sha);
  for (int i = 0; i < 3; ++i) sha256_update(&sha, strlen(parts[i]) + 1, (const uint8_t *)parts[i]);
  sha256_digest(&sha, sizeof d, d);
  d[6] = (uint8_t)((d[6] & 0x0f) | 0x80);
  d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
  snprintf(uuid, 64, "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3], d[4], d[5], d[6],
      d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

static const char *ome_type(pri_dtype t) {
  static const char *const names[PRI_DTYPES] = {"uint8", "uint16", "uint32", NULL, "int8", "int16", "int32", NULL, NULL, "float", "double"};
  return names[t];
}

static pri_status edit_ome(pri_output *o, const char *old, const char *provenance, char **out) {
  const char *const slash = strrchr(o->sink.target, '/'), *const file = slash ? slash + 1 : o->sink.target, *const type = ome_type(o->dtype);
  const pri_input_info *const from = &o->like->info;
  pri_ome ome;
  pri_ome_edit e = {.file = file, .pitch = {o->pitch[0], o->pitch[1], o->pitch[2]}};
  if (pri_ome_parse(o->ctx, from->file, old, &ome) != PRI_OK || !ome.images || o->like->reader == &pri_reader_stack || !type) {
    pri_log(o->ctx, PRI_LOG_WARN, "%s: the input's OME-XML does not describe this result and is left out%s", o->sink.target,
        type ? "" : " (OME has no such sample type)");
    return PRI_OK;
  }
  if (strcmp(pri_dtype_name(o->dtype), from->dtype)) e.type = type, e.bits = o->dtype < PRI_F16 ? (int)(8 * pri_dtype_bytes(o->dtype)) : 0;
  if (o->width != ome.size[0]) e.size[0] = o->width;
  if (o->height != ome.size[1]) e.size[1] = o->height;
  if (!o->same_planes) {
    e.planes = 1;
    e.size[2] = o->counts[1];
    if (!o->whole) e.size[3] = o->counts[2], e.size[4] = o->counts[0], e.channels = (int)o->counts[2], e.order = "XYCZT";
  }
  set_uuid(e.uuid, old, file, provenance);
  return pri_ome_rewrite(o->ctx, from->file, old, &e, out);
}

/* ---- all */

static int same_picture(const pri_output *o) {
  return o->same_planes && o->width == o->like->plane.n[1] && o->height == o->like->plane.n[0];
}

int pri_description_is_of_all(const char *text) { return strncmp(text, "ImageJ=", 7) == 0 || pri_ome_is(text); }

pri_status pri_description_edit(pri_output *o, const char *old, const char *provenance, char **out) {
  *out = NULL;
  if (strncmp(old, "ImageJ=", 7) == 0) return edit_imagej(o, old, out);
  if (pri_ome_is(old)) return edit_ome(o, old, provenance, out);
  if (strncmp(old, "{\"shape\":", 9) == 0 && !same_picture(o)) {
    pri_log(o->ctx, PRI_LOG_INFO, "%s: the input's description, %.60s, is not true of the result and is left out", o->sink.target, old);
    return PRI_OK;
  }
  *out = pri_strdup(o->ctx, old);
  return *out ? PRI_OK : pri_ctx_code(o->ctx);
}
