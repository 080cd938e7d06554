/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kind_print.c - the effective spec of an object: every key with the value that it has, in text that parses back to the same bits. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "number.h"
#include "priori/kind.h"
#include "spec.h"

struct text {
  pri_ctx *ctx;
  char *s;
  size_t n, cap;
  pri_status status;
};

static void append(struct text *t, const char *s) {
  const size_t len = strlen(s);
  if (t->status != PRI_OK) return;
  if (t->n + len + 1 > t->cap) {
    char *more = pri_calloc(t->ctx, 2 * (t->cap + len) + 256, 1);
    if (!more) {
      t->status = pri_ctx_code(t->ctx);
      return;
    }
    if (t->s) memcpy(more, t->s, t->n);
    t->cap = 2 * (t->cap + len) + 256;
    pri_free(t->ctx, t->s);
    t->s = more;
  }
  memcpy(t->s + t->n, s, len + 1);
  t->n += len;
}

static const char *base_unit(char dimension) { return dimension == 'l' ? "mm" : dimension == 'a' ? "rad" : dimension == 't' ? "s" : ""; }

/* In the row's own unit where that parses back exactly, else in the base unit. */
static void quantity_text(char *buf, size_t n, const pri_param *row, double v) {
  char number[40], dimension = '1';
  const double factor = pri_unit_factor(row->unit, strlen(row->unit), &dimension);
  const double in_unit = v / factor;
  const int exact = in_unit * factor == v;
  const char *unit = exact ? row->unit : base_unit(dimension);
  if (dimension == '1' || dimension == 'b') unit = "";
  snprintf(buf, n, "%s%s", pri_number_text(number, sizeof number, exact ? in_unit : v), unit);
}

static void join(char *buf, size_t n, const char *part) {
  const size_t at = strlen(buf);
  snprintf(buf + at, n - at, "%s%s", at ? "x" : "", part);
}

static void quantities_text(char *buf, size_t n, const pri_param *row, const double v[3]) {
  char part[64];
  int last = 2;
  while (last > 0 && (isnan(v[last]) || v[last] == v[last - 1])) last--;
  for (int i = 0; i <= last && !isnan(v[0]); i++) {
    quantity_text(part, sizeof part, row, v[i]);
    join(buf, n, part);
  }
}

static void sizes_text(char *buf, size_t n, const ptrdiff_t v[3]) {
  char part[32];
  for (int i = 0; i < 3 && v[i]; i++) {
    snprintf(part, sizeof part, "%td", v[i]);
    join(buf, n, part);
  }
}

/* "" where there is nothing to say: not given and no default. */
static const char *value_text(char *buf, size_t n, const pri_param *row, const void *p) {
  buf[0] = 0;
  switch (row->type) {
  case PRI_REAL: if (!isnan(*(const double *)p)) pri_number_text(buf, n, *(const double *)p); break;
  case PRI_INT: if (*(const long *)p || !(row->flags & (PRI_P_AUTO | PRI_P_FROM_META))) snprintf(buf, n, "%ld", *(const long *)p); break;
  case PRI_BOOL: snprintf(buf, n, "%s", *(const int *)p ? "yes" : "no"); break;
  case PRI_CHOICE: snprintf(buf, n, "%s", row->choices[*(const int *)p]); break;
  case PRI_TEXT: case PRI_FILE: return *(char *const *)p ? *(char *const *)p : "";
  case PRI_QUANTITY: if (!isnan(*(const double *)p)) quantity_text(buf, n, row, *(const double *)p); break;
  case PRI_QUANTITIES: quantities_text(buf, n, row, p); break;
  case PRI_SIZES: sizes_text(buf, n, p); break;
  }
  return buf;
}

static void append_quoted(struct text *t, const char *value) {
  char *quoted = t->status == PRI_OK ? pri_calloc(t->ctx, pri_spec_quoted(NULL, value) + 1, 1) : NULL;
  if (!quoted) {
    if (t->status == PRI_OK) t->status = pri_ctx_code(t->ctx);
    return;
  }
  pri_spec_quoted(quoted, value);
  append(t, quoted);
  pri_free(t->ctx, quoted);
}

pri_status pri_kind_print(pri_ctx *ctx, const pri_kind *kind, const void *priv, char **out) {
  struct text t = {.ctx = ctx};
  char buf[256];
  int k = 0;
  append(&t, kind->name);
  for (const pri_param *row = kind->params; row && row->name; row++) {
    const char *value = value_text(buf, sizeof buf, row, (const char *)priv + row->offset);
    if (!*value && (row->flags & PRI_P_AUTO)) value = "auto";
    if (!*value) continue;
    append(&t, k++ ? "," : ":");
    append(&t, row->name);
    append(&t, "=");
    append_quoted(&t, value);
  }
  if (t.status != PRI_OK) pri_free(ctx, t.s);
  *out = t.status == PRI_OK ? t.s : NULL;
  return t.status;
}
