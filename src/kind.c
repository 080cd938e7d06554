/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kind.c - the strict parser of plug-in parameters, from the rows of their table. */
#include "priori/kind.h"
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "number.h"
#include "spec.h"

static void *field(void *priv, const pri_param *row) { return (char *)priv + row->offset; }

static const char *unit_of(const pri_param *row) { return row->unit && strcmp(row->unit, "1") && strcmp(row->unit, "-") ? row->unit : ""; }

static pri_status out_of_range(pri_ctx *ctx, const char *who, const pri_param *row, const char *text) {
  char lo[32], hi[32];
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is outside [%s, %s]%s%s", who, row->name, text, pri_number_text(lo, sizeof lo, row->min),
                  pri_number_text(hi, sizeof hi, row->max), *unit_of(row) ? " " : "", unit_of(row));
}

static int in_range(const pri_param *row, double v) { return (row->min == 0 && row->max == 0) || (v >= row->min && v <= row->max); }

static pri_status parse_real(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  char *end;
  const double v = pri_number_parse(text, &end);
  if (end == text || *end || !isfinite(v)) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is not a number", who, row->name, text);
  if (!in_range(row, v)) return out_of_range(ctx, who, row, text);
  *(double *)to = v;
  return PRI_OK;
}

static pri_status parse_int(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  char *end;
  const double v = pri_number_parse(text, &end);
  if (end == text || *end || v != floor(v) || fabs(v) > 9e15) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is not a whole number", who, row->name, text);
  if (!in_range(row, v)) return out_of_range(ctx, who, row, text);
  *(long *)to = (long)v;
  return PRI_OK;
}

static pri_status parse_bool(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  static const char *const no[] = {"no", "false", "off", "0"}, *const yes[] = {"yes", "true", "on", "1"};
  for (int i = 0; i < 4; i++) {
    if (!strcmp(text, yes[i])) return *(int *)to = 1, PRI_OK;
    if (!strcmp(text, no[i])) return *(int *)to = 0, PRI_OK;
  }
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is neither yes nor no", who, row->name, text);
}

static pri_status parse_choice(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  char all[256] = "";
  int n = 0;
  for (; row->choices[n]; n++) {
    if (!strcmp(text, row->choices[n])) return *(int *)to = n, PRI_OK;
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n ? ", " : "", row->choices[n]);
  }
  const int near = pri_nearest(text, row->choices, n);
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is none of %s%s%s%s", who, row->name, text, all, near < 0 ? "" : "; did you mean ",
                  near < 0 ? "" : row->choices[near], near < 0 ? "" : "?");
}

static pri_status parse_text(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  if (!*text) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s= is empty", who, row->name);
  char *copy = pri_strdup(ctx, text);
  if (!copy) return pri_ctx_code(ctx);
  pri_free(ctx, *(char **)to);
  *(char **)to = copy;
  return PRI_OK;
}

static pri_status parse_quantity(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  char named[128], dimension;
  double v;
  snprintf(named, sizeof named, "%s: %s", who, row->name);
  PRI_TRY(pri_quantity_parse(ctx, named, text, row->unit, &v));
  const double in_unit = v / pri_unit_factor(row->unit, strlen(row->unit), &dimension);
  if (!in_range(row, in_unit) && !in_range(row, in_unit * (1 + 4e-16)) && !in_range(row, in_unit * (1 - 4e-16))) return out_of_range(ctx, who, row, text);
  *(double *)to = v;
  return PRI_OK;
}

/* Length up to the next 'x' that joins: one before a number, not the one in "px". */
static size_t part_length(const char *text) {
  size_t n = 0;
  while (text[n] && !(n && text[n] == 'x' && (isdigit((unsigned char)text[n + 1]) || text[n + 1] == '.'))) n++;
  return n;
}

/* Up to three parts joined by 'x': "0.65umx2um". 0: not of that form. */
static int cut(const char *text, char part[3][64]) {
  int n = 0;
  while (*text) {
    const size_t len = part_length(text);
    if (n == 3 || len == 0 || len > 63) return 0;
    memcpy(part[n], text, len);
    part[n++][len] = 0;
    text += len;
    if (*text == 'x') text++;
  }
  return n;
}

static pri_status parse_quantities(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  char part[3][64];
  double *v = to;
  const int n = cut(text, part);
  int units = 0;
  if (n == 0) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is not of the form V, VxV or VxVxV", who, row->name, text);
  for (int i = 0; i < n; i++) {
    PRI_TRY(parse_quantity(ctx, who, row, &v[i], part[i]));
    units += isalpha((unsigned char)part[i][strlen(part[i]) - 1]) != 0;
  }
  if (units && units != n) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s: give each number its unit, or none", who, row->name, text);
  for (int i = n; i < 3; i++) v[i] = v[n - 1];
  return PRI_OK;
}

static pri_status parse_sizes(pri_ctx *ctx, const char *who, const pri_param *row, void *to, const char *text) {
  char part[3][64];
  ptrdiff_t *v = to;
  const int n = cut(text, part);
  if (n == 0) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s=%s is not of the form N, NxN or NxNxN", who, row->name, text);
  for (int i = 0; i < 3; i++) v[i] = 0;
  for (int i = 0; i < n; i++) {
    long size;
    PRI_TRY(parse_int(ctx, who, row, &size, part[i]));
    v[i] = size;
  }
  return PRI_OK;
}

pri_status pri_param_parse(pri_ctx *ctx, const char *who, const pri_param *row, void *priv, const char *text) {
  static pri_status (*const parse[])(pri_ctx *, const char *, const pri_param *, void *, const char *) = {
      [PRI_REAL] = parse_real, [PRI_INT] = parse_int, [PRI_BOOL] = parse_bool, [PRI_CHOICE] = parse_choice,
      [PRI_TEXT] = parse_text, [PRI_QUANTITY] = parse_quantity, [PRI_QUANTITIES] = parse_quantities,
      [PRI_SIZES] = parse_sizes, [PRI_FILE] = parse_text};
  if ((row->flags & PRI_P_AUTO) && !strcmp(text, "auto")) return PRI_OK; /* the default of such rows is the auto value */
  return parse[row->type](ctx, who, row, field(priv, row), text);
}

static void set_default(void *priv, const pri_param *row) {
  const double none = row->flags & (PRI_P_AUTO | PRI_P_FROM_META | PRI_P_REQUIRED) ? NAN : row->def;
  switch (row->type) {
  case PRI_REAL: *(double *)field(priv, row) = isnan(none) ? none : row->def; break;
  case PRI_QUANTITY: {
    char dimension;
    *(double *)field(priv, row) = isnan(none) ? none : row->def * pri_unit_factor(row->unit, strlen(row->unit), &dimension);
    break;
  }
  case PRI_QUANTITIES:
    for (int i = 0; i < 3; i++) ((double *)field(priv, row))[i] = NAN;
    break;
  case PRI_INT: *(long *)field(priv, row) = isnan(none) ? 0 : (long)row->def; break;
  case PRI_BOOL:
  case PRI_CHOICE: *(int *)field(priv, row) = isnan(none) ? 0 : (int)row->def; break;
  case PRI_TEXT: case PRI_SIZES: case PRI_FILE: break;
  }
}

static pri_status set_defaults(pri_ctx *ctx, const pri_kind *kind, void *priv) {
  for (const pri_param *row = kind->params; row && row->name; row++) {
    set_default(priv, row);
    if (row->def_text) PRI_TRY(pri_param_parse(ctx, kind->name, row, priv, row->def_text));
  }
  return PRI_OK;
}

static pri_status unknown_key(pri_ctx *ctx, const pri_kind *kind, const pri_spec_item *item) {
  const char *names[64];
  char key[64], all[400] = "";
  int n = 0;
  snprintf(key, sizeof key, "%.*s", (int)(item->key_n < 60 ? item->key_n : 60), item->key);
  for (const pri_param *row = kind->params; row && row->name && n < 64; row++) {
    names[n] = row->name;
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n++ ? ", " : "", row->name);
  }
  const int near = pri_nearest(key, names, n);
  if (n == 0) return PRI_FAIL(ctx, PRI_EPARAM, "%s: takes no keys, so not '%s'", kind->name, key);
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: unknown key '%s'%s%s%s (its keys: %s)", kind->name, key, near < 0 ? "" : "; did you mean '",
                  near < 0 ? "" : names[near], near < 0 ? "" : "'?", all);
}

static const pri_param *find_row(const pri_kind *kind, const pri_spec_item *item, int index) {
  if (!item->key_n) return index == 0 && kind->params && kind->params->name ? kind->params : NULL;
  for (const pri_param *row = kind->params; row && row->name; row++)
    if (pri_spec_item_is(item, row->name)) return row;
  return NULL;
}

/* A weight that is no number is a file: it goes to the PRI_FILE row behind it. */
static const pri_param *weight_row(const pri_param *row, const char *text) {
  char *end;
  (void)pri_number_parse(text, &end);
  return (row->flags & PRI_P_WEIGHT) && end == text && row[1].name && row[1].type == PRI_FILE ? row + 1 : row;
}

static pri_status parse_item(pri_ctx *ctx, const pri_kind *kind, void *priv, const pri_spec_item *item, int index, unsigned char *seen) {
  const pri_param *row = find_row(kind, item, index);
  if (!row && !item->key_n)
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: '%.*s' is not of the form key=value", kind->name, (int)item->value_n, item->value);
  if (!row) return unknown_key(ctx, kind, item);
  if (seen[row - kind->params]++) return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s is given twice", kind->name, row->name);
  char *text = pri_spec_value(ctx, item);
  if (!text) return pri_ctx_code(ctx);
  const pri_status s = pri_param_parse(ctx, kind->name, weight_row(row, text), priv, text);
  pri_free(ctx, text);
  return s;
}

pri_status pri_kind_parse(pri_ctx *ctx, const pri_kind *kind, void *priv, const char *keys) {
  unsigned char seen[64] = {0};
  const char *at = keys;
  pri_spec_item item;
  int got;
  PRI_TRY(set_defaults(ctx, kind, priv));
  for (int i = 0; (got = pri_spec_next(&at, &item)) == 1; i++) PRI_TRY(parse_item(ctx, kind, priv, &item, i, seen));
  if (got < 0) return PRI_FAIL(ctx, PRI_EPARAM, "%s:%s: a quote is not closed", kind->name, keys);
  for (const pri_param *row = kind->params; row && row->name; row++)
    if ((row->flags & PRI_P_REQUIRED) && !seen[row - kind->params])
      return PRI_FAIL(ctx, PRI_EPARAM, "%s: %s= is needed (%s)", kind->name, row->name, row->help);
  return PRI_OK;
}

static int owns(const pri_param *row) { return row->type == PRI_TEXT || row->type == PRI_FILE; }

void pri_kind_release(pri_ctx *ctx, const pri_kind *kind, void *priv) {
  for (const pri_param *row = kind->params; priv && row && row->name; row++)
    if (owns(row)) {
      pri_free(ctx, *(char **)field(priv, row));
      *(char **)field(priv, row) = NULL;
    }
}

static size_t field_size(const pri_param *row) {
  static const size_t size[] = {[PRI_REAL] = sizeof(double), [PRI_INT] = sizeof(long), [PRI_BOOL] = sizeof(int), [PRI_CHOICE] = sizeof(int),
                                [PRI_TEXT] = sizeof(char *), [PRI_QUANTITY] = sizeof(double), [PRI_QUANTITIES] = 3 * sizeof(double),
                                [PRI_SIZES] = 3 * sizeof(ptrdiff_t), [PRI_FILE] = sizeof(char *)};
  return size[row->type];
}

pri_status pri_kind_copy(pri_ctx *ctx, const pri_kind *kind, void *dst, const void *src) {
  for (const pri_param *row = kind->params; row && row->name; row++) {
    const char *from = (const char *)src + row->offset;
    if (!owns(row)) {
      memcpy(field(dst, row), from, field_size(row));
      continue;
    }
    const char *text;
    memcpy(&text, from, sizeof text);
    char *copy = pri_strdup(ctx, text);
    if (text && !copy) return pri_ctx_code(ctx);
    memcpy(field(dst, row), &copy, sizeof copy);
  }
  return PRI_OK;
}

static int same(char a, char b) { return tolower((unsigned char)a) == tolower((unsigned char)b); }

static int least_of(int a, int b) { return a < b ? a : b; }

/* Edits from a to b: change, insert, delete, swap neighbours (optimal string alignment); 99: too long to say. */
static int distance(const char *a, const char *b) {
  int row[3][65]; /* of i - 2, i - 1, i, in turn */
  const int n = (int)strlen(a), m = (int)strlen(b);
  if (n > 64 || m > 64) return 99;
  for (int j = 0; j <= m; j++) row[0][j] = j;
  for (int i = 1; i <= n; i++) {
    int *now = row[i % 3], *before = row[(i + 2) % 3], *older = row[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= m; j++) {
      now[j] = least_of(before[j - 1] + !same(a[i - 1], b[j - 1]), least_of(before[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) now[j] = least_of(now[j], older[j - 2] + 1);
    }
  }
  return row[n % 3][m];
}

int pri_nearest(const char *name, const char *const *names, int n) {
  int best = -1, least = (int)strlen(name) / 2 + 1 < 4 ? (int)strlen(name) / 2 + 1 : 4;
  for (int i = 0; i < n; i++) {
    const int begins = strlen(name) > 2 && !strncmp(name, names[i], strlen(name)); /* "recon" */
    const int d = begins ? 1 : distance(name, names[i]);
    if (d < least) {
      least = d;
      best = i;
    }
  }
  return best;
}
