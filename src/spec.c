/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spec.c - "name:key=value,key=value" as text: cut, look up, replace. Quotes ('...' or "...") protect commas. */
#include "spec.h"
#include <ctype.h>
#include <string.h>

const char *pri_spec_keys(const char *spec) {
  const char *colon = strchr(spec, ':');
  return colon ? colon + 1 : "";
}

pri_status pri_spec_name(pri_ctx *ctx, const char *spec, char **out) {
  const size_t n = strcspn(spec, ":");
  *out = pri_calloc(ctx, n + 1, 1);
  if (!*out) return pri_ctx_code(ctx);
  memcpy(*out, spec, n);
  return PRI_OK;
}

/* End of the item that begins at s: the next comma outside quotes, or the end; NULL: a quote is not closed. */
static const char *item_end(const char *s) {
  char quote = 0;
  for (; *s; s++) {
    if (quote) {
      if (*s == quote) quote = 0;
    } else if (*s == '"' || *s == '\'') quote = *s;
    else if (*s == ',') return s;
  }
  return quote ? NULL : s;
}

int pri_spec_next(const char **at, pri_spec_item *item) {
  const char *s = *at;
  if (!s || !*s) return 0;
  const char *end = item_end(s);
  if (!end) return -1;
  const char *equal = s;
  while (equal < end && (isalnum((unsigned char)*equal) || *equal == '_' || *equal == '-')) equal++;
  *item = (pri_spec_item){s, 0, s, (size_t)(end - s)};
  if (equal < end && *equal == '=') *item = (pri_spec_item){s, (size_t)(equal - s), equal + 1, (size_t)(end - equal - 1)};
  *at = *end ? end + 1 : end;
  return 1;
}

int pri_spec_item_is(const pri_spec_item *item, const char *key) {
  return item->key_n == strlen(key) && memcmp(item->key, key, item->key_n) == 0;
}

char *pri_spec_value(pri_ctx *ctx, const pri_spec_item *item) {
  char *out = pri_calloc(ctx, item->value_n + 1, 1), quote = 0;
  if (!out) return NULL;
  for (size_t i = 0, k = 0; i < item->value_n; i++) {
    const char c = item->value[i];
    if (quote ? c == quote : c == '"' || c == '\'') quote = quote ? 0 : c;
    else out[k++] = c;
  }
  return out;
}

static int is_key(const pri_spec_item *item, const char *key, const char *first, int index) {
  if (item->key_n) return pri_spec_item_is(item, key);
  return index == 0 && first && strcmp(first, key) == 0;
}

pri_status pri_spec_get(pri_ctx *ctx, const char *spec, const char *key, const char *first, char **out) {
  const char *at = pri_spec_keys(spec);
  pri_spec_item item;
  int got;
  *out = NULL;
  for (int i = 0; (got = pri_spec_next(&at, &item)) == 1; i++)
    if (is_key(&item, key, first, i)) {
      *out = pri_spec_value(ctx, &item);
      return *out ? PRI_OK : pri_ctx_code(ctx);
    }
  return got < 0 ? PRI_FAIL(ctx, PRI_EPARAM, "'%s': a quote is not closed", spec) : PRI_OK;
}

size_t pri_spec_quoted(char *out, const char *value) {
  size_t n = 0;
  const int plain = !value[strcspn(value, ",'\" \t\n\v\f\r")];
  for (const char *s = value; *s;) {
    const char quote = *s == '"' ? '\'' : '"';
    const size_t run = plain ? strlen(s) : quote == '"' ? strcspn(s, "\"") : strspn(s, "\"");
    if (out && !plain) out[n] = quote, out[n + 1 + run] = quote;
    if (out) memcpy(out + n + !plain, s, run);
    n += run + (plain ? 0 : 2), s += run;
  }
  if (out) out[n] = 0;
  return n;
}

static void append(char *out, const char *text, size_t n) {
  const size_t at = strlen(out);
  memcpy(out + at, text, n);
  out[at + n] = 0;
}

static void append_value(char *out, const char *key, const char *value) {
  if (out[strlen(out) - 1] != ':') append(out, ",", 1);
  append(out, key, strlen(key));
  append(out, "=", 1);
  pri_spec_quoted(out + strlen(out), value);
}

pri_status pri_spec_set(pri_ctx *ctx, const char *spec, const char *key, const char *first, const char *value, char **out) {
  const char *at = pri_spec_keys(spec);
  const size_t name = strcspn(spec, ":");
  pri_spec_item item;
  int got, done = 0;
  *out = pri_calloc(ctx, 2 * strlen(spec) + strlen(key) + (value ? pri_spec_quoted(NULL, value) : 0) + (first ? strlen(first) : 0) + 16, 1);
  if (!*out) return pri_ctx_code(ctx);
  append(*out, spec, name);
  append(*out, ":", 1);
  for (int i = 0; (got = pri_spec_next(&at, &item)) == 1; i++) {
    if (is_key(&item, key, first, i)) {
      if (value) append_value(*out, key, value);
      done = 1;
      continue;
    }
    if ((*out)[strlen(*out) - 1] != ':') append(*out, ",", 1);
    append(*out, item.key_n ? item.key : item.value, item.key_n ? item.key_n + 1 + item.value_n : item.value_n);
  }
  if (got == 0 && !done && value) append_value(*out, key, value);
  if (got == 0) return PRI_OK;
  pri_free(ctx, *out);
  *out = NULL;
  return PRI_FAIL(ctx, PRI_EPARAM, "'%s': a quote is not closed", spec);
}
