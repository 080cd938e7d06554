/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_numbers.c - a list of numbers: text (any number a line, '#' comments, blanks or commas between), or whatever pri_input_open reads. */
#include "config.h"
#include <math.h>
#include <string.h>
#include "io_private.h"
#include "number.h"

enum { LONGEST_TEXT = 64 << 20 };
typedef struct { double *v; ptrdiff_t n, room; } list;

static pri_status append(pri_ctx *ctx, list *l, double v) {
  if (l->n == l->room) {
    double *more;
    PRI_ALLOC(ctx, more, l->room = l->room ? 2 * l->room : 256);
    if (l->n) memcpy(more, l->v, (size_t)l->n * sizeof *more);
    pri_free(ctx, l->v);
    l->v = more;
  }
  l->v[l->n++] = v;
  return PRI_OK;
}

static pri_status parse(pri_ctx *ctx, list *l, const char *name, char *p) {
  for (long line = 1; *p;) {
    char *end;
    if (*p == '\n') ++line;
    if (strchr(" \t\r\n,;", *p)) { ++p; continue; }
    if (*p == '#') { p += strcspn(p, "\n"); continue; }
    const double v = pri_number_parse(p, &end);
    if (end == p || !isfinite(v) || !strchr(" \t\r\n,;#", *end))   /* strchr also finds the end of the text */
      return PRI_FAIL(ctx, PRI_EFORMAT, "%s: line %ld: \"%.*s\" is not a finite number", name, line,
          (int)strcspn(p, " \t\r\n,;") > 40 ? 40 : (int)strcspn(p, " \t\r\n,;"), p);
    PRI_TRY(append(ctx, l, v));
    p = end;
  }
  return l->n ? PRI_OK : PRI_FAIL(ctx, PRI_EFORMAT, "%s: holds no numbers", name);
}

static pri_status read_text(pri_ctx *ctx, const pri_source *s, const char *name, list *l) {
  char *text;
  if (s->size > LONGEST_TEXT)
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: %lld bytes are too many for a list of numbers (%d)", name, (long long)s->size, LONGEST_TEXT);
  PRI_ALLOC(ctx, text, s->size + 4);
  pri_status status = pri_source_read(ctx, s, text, (size_t)s->size, 0);
  char *const start = memcmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;   /* a byte order mark */
  if (status == PRI_OK && strlen(text) != (size_t)s->size)
    status = PRI_FAIL(ctx, PRI_EFORMAT, "%s: is neither text nor a format that is known", name);
  if (status == PRI_OK) status = parse(ctx, l, name, start);
  pri_free(ctx, text);
  return status;
}

/* in double where the reader can: angles from a file of doubles are those of the text, whatever pri_real is */
static pri_status read_items(pri_input *in, list *l) {
  const ptrdiff_t size = in->info.item.n[0] * in->info.item.n[1];
  PRI_ALLOC(in->ctx, l->v, in->info.items * size);
  l->n = in->info.items * size;
  if (in->reader->read_double) return in->reader->read_double(in, l->v, 0, in->info.items);
  pri_real *item;
  PRI_ALLOC(in->ctx, item, size);
  pri_status s = PRI_OK;
  for (ptrdiff_t k = 0; k < in->info.items && s == PRI_OK; ++k) {
    s = pri_input_read(in, item, k, 1);
    for (ptrdiff_t i = 0; i < size; ++i) l->v[k * size + i] = (double)item[i];
  }
  pri_free(in->ctx, item);
  return s;
}

static pri_status read_array(pri_ctx *ctx, const char *name, list *l) {
  pri_input *in;
  PRI_TRY(pri_input_open(ctx, &in, name));
  pri_status s = read_items(in, l);
  pri_input_close(&in);
  for (ptrdiff_t i = 0; i < l->n && s == PRI_OK; ++i)
    if (!isfinite(l->v[i])) s = PRI_FAIL(ctx, PRI_EFORMAT, "%s: number %td is not finite", name, i);
  return s;
}

static pri_status read_any(pri_ctx *ctx, const char *name, list *l) {
  pri_source source;
  char *file, *inside;
  PRI_TRY(pri_name_split(ctx, name, &file, &inside));
  pri_status s = pri_source_open(ctx, &source, file);
  const int binary = s == PRI_OK && pri_reader_find(&source) != NULL;
  if (s == PRI_OK && !binary) s = read_text(ctx, &source, name, l);
  pri_source_close(ctx, &source);
  pri_free(ctx, file);
  pri_free(ctx, inside);
  return s == PRI_OK && binary ? read_array(ctx, name, l) : s;
}

pri_status pri_input_numbers(pri_ctx *ctx, const char *name, double **values, ptrdiff_t *n) {
  list l = {0};
  *values = NULL, *n = 0;
  const pri_status s = read_any(ctx, name, &l);
  if (s != PRI_OK) return pri_free(ctx, l.v), s;
  *values = l.v, *n = l.n;
  return PRI_OK;
}
