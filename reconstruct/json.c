/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.c - see json.h. jansson refuses non-finite numbers and bad UTF-8; here they become null and U+FFFD instead of a NULL. */
#include "json.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "number.h"

json_t *pri_json_number(double v) {
  if (!isfinite(v)) return json_null();
  if (v == floor(v) && fabs(v) < 9007199254740992.0 && !(v == 0 && signbit(v)))
    return json_integer((json_int_t)v);
  return json_real(v);
}

/* Bytes of the UTF-8 character that begins s; 0 where jansson would refuse it. */
static size_t character(const char *s) {
  for (size_t len = 1; len <= 4 && s[len - 1]; len++) {
    json_t *one = json_stringn(s, len);
    json_decref(one);
    if (one) return len;
  }
  return 0;
}

/* s with U+FFFD for every bad byte; cut off where the text is longer than any file name. */
static json_t *mended(const char *s) {
  char t[3 * 4096];
  size_t at = 0;
  while (*s && at + 4 < sizeof t) {
    const size_t len = character(s);
    memcpy(t + at, len ? s : "\xef\xbf\xbd", len ? len : 3);
    at += len ? len : 3;
    s += len ? len : 1;
  }
  return json_stringn(t, at);
}

json_t *pri_json_text(const char *s) {
  if (!s) return json_null();
  json_t *v = json_string(s);
  return v ? v : mended(s);
}

json_t *pri_json_shape(const ptrdiff_t *n, int nd) {
  json_t *a = json_array();
  for (int i = 0; a && i < nd; i++) {
    if (json_array_append_new(a, json_integer((json_int_t)n[i])) != 0) {
      json_decref(a);
      return NULL;
    }
  }
  return a;
}

json_t *pri_json_parse(const char *text) {
  json_t *v = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
  return v ? v : json_null();
}

pri_status pri_json_set(pri_ctx *ctx, json_t *object, const char *key, json_t *value) {
  if (json_object_set_new(object, key, value) == 0) return PRI_OK;
  return PRI_FAIL(ctx, PRI_ENOMEM, "no memory for the JSON key %s", key);
}

pri_status pri_json_append(pri_ctx *ctx, json_t *array, json_t *value) {
  if (json_array_append_new(array, value) == 0) return PRI_OK;
  return PRI_FAIL(ctx, PRI_ENOMEM, "no memory for a JSON array");
}

/* One number of the text: *at moves behind it, what stands for it goes to `to`; returns its length. */
static size_t shortened(const char **at, char *to) {
  char buf[40], *end;
  const size_t n = strspn(*at, "-+.0123456789eE");
  const double v = pri_number_parse(*at, &end);
  const int real = memchr(*at, '.', n) || memchr(*at, 'e', n) || memchr(*at, 'E', n);
  const char *text = *at;
  size_t len = n;
  if (real && end == *at + n) {
    pri_number_text(buf, sizeof buf, v);
    if (strlen(buf) < n) {
      text = buf;
      len = strlen(buf);
    }
  }
  memmove(to, text, len);
  *at += n;
  return len;
}

void pri_json_shorten(char *text) {
  char *to = text;
  int quoted = 0;
  for (const char *at = text; *at;) {
    if (!quoted && strchr("-0123456789", *at)) {
      to += shortened(&at, to);
      continue;
    }
    if (*at == '"') quoted = !quoted;
    if (quoted && *at == '\\' && at[1]) *to++ = *at++;
    *to++ = *at++;
  }
  *to = 0;
}

static const char *type_name(pri_type t) {
  static const char *const names[] = {
      [PRI_REAL] = "real",         [PRI_INT] = "int",
      [PRI_BOOL] = "bool",         [PRI_CHOICE] = "choice",
      [PRI_TEXT] = "text",         [PRI_QUANTITY] = "quantity",
      [PRI_QUANTITIES] = "quantities", [PRI_SIZES] = "sizes",
      [PRI_FILE] = "file"};
  return names[t];
}

static json_t *default_of(const pri_param *row) {
  if (row->flags & PRI_P_REQUIRED) return json_null();
  switch (row->type) {
  case PRI_BOOL: return json_boolean(row->def != 0);
  case PRI_CHOICE: return isnan(row->def) ? json_null() : pri_json_text(row->choices[(int)row->def]);
  case PRI_TEXT: case PRI_FILE: case PRI_SIZES: case PRI_QUANTITIES: return pri_json_text(row->def_text);
  default: return pri_json_number(row->def);
  }
}

static json_t *choices_of(const pri_param *row) {
  if (!row->choices) return json_null();
  json_t *a = json_array();
  for (int i = 0; a && row->choices[i]; i++) json_array_append_new(a, pri_json_text(row->choices[i]));
  return a;
}

json_t *pri_json_param(const pri_param *row) {
  const int ranged = row->type == PRI_REAL || row->type == PRI_INT || row->type == PRI_QUANTITY ||
                     row->type == PRI_QUANTITIES || row->type == PRI_SIZES;
  return json_pack("{so so so so so so so so}", "name", pri_json_text(row->name), "type",
                   pri_json_text(type_name(row->type)), "unit", pri_json_text(row->unit), "min",
                   ranged ? pri_json_number(row->min) : json_null(), "max",
                   ranged ? pri_json_number(row->max) : json_null(), "default", default_of(row),
                   "choices", choices_of(row), "help", pri_json_text(row->help));
}

json_t *pri_json_kind(const pri_kind *kind) {
  json_t *rows = json_array();
  for (const pri_param *row = kind->params; rows && row && row->name; row++)
    json_array_append_new(rows, pri_json_param(row));
  return json_pack("{so so so so}", "name", pri_json_text(kind->name), "brief",
                   pri_json_text(kind->brief), "cite", pri_json_text(kind->cite), "parameters", rows);
}
