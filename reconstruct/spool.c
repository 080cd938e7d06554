/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spool.c - see spool.h. */
#define _GNU_SOURCE
#include "spool.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pri_spool {
  pri_ctx *ctx;
  FILE *f;
  ptrdiff_t size, items; /* elements of one; written */
  double lo, hi;
};

static pri_status fail(pri_ctx *ctx, const char *what) {
  return PRI_FAIL(ctx, PRI_EWRITE,
                  "a temporary file cannot be %s: %s (--scratch names another folder, --scale makes it unnecessary)", what,
                  strerror(errno));
}

pri_status pri_spool_create(pri_ctx *ctx, pri_spool **out, const char *folder, const pri_shape *item) {
  char path[4096];
  const char *tmp = getenv("TMPDIR");
  pri_spool *s;
  *out = NULL;
  snprintf(path, sizeof path, "%s/priori-XXXXXX", folder ? folder : tmp && *tmp ? tmp : "/tmp");
  const int fd = mkstemp(path);
  if (fd < 0) return fail(ctx, "made");
  unlink(path);
  FILE *f = fdopen(fd, "w+b");
  s = f ? pri_calloc(ctx, 1, sizeof *s) : NULL;
  if (!s) {
    if (f)
      fclose(f);
    else
      close(fd);
    return f ? pri_ctx_code(ctx) : fail(ctx, "made");
  }
  *s = (pri_spool){.ctx = ctx, .f = f, .size = pri_shape_size(item), .lo = INFINITY, .hi = -INFINITY};
  *out = s;
  return PRI_OK;
}

pri_status pri_spool_write(pri_spool *s, const pri_real *x, ptrdiff_t items) {
  const ptrdiff_t n = items * s->size;
  for (ptrdiff_t i = 0; i < n; i++) {
    s->lo = fmin(s->lo, (double)x[i]);
    s->hi = fmax(s->hi, (double)x[i]);
  }
  s->items += items;
  return fwrite(x, sizeof *x, (size_t)n, s->f) == (size_t)n ? PRI_OK : fail(s->ctx, "written");
}

void pri_spool_range(const pri_spool *s, double *lo, double *hi) {
  *lo = s->lo;
  *hi = s->hi > s->lo ? s->hi : s->lo + 1;
}

pri_status pri_spool_copy(pri_spool *s, pri_output *o) {
  pri_real *x;
  pri_status st = PRI_OK;
  if (fflush(s->f) || fseeko(s->f, 0, SEEK_SET)) return fail(s->ctx, "written");
  PRI_ALLOC(s->ctx, x, s->size);
  for (ptrdiff_t i = 0; i < s->items && st == PRI_OK; i++) {
    if (fread(x, sizeof *x, (size_t)s->size, s->f) != (size_t)s->size)
      st = fail(s->ctx, "read");
    else
      st = pri_output_write(o, x, i, 1);
  }
  pri_free(s->ctx, x);
  return st;
}

void pri_spool_destroy(pri_spool **s) {
  if (!s || !*s) return;
  fclose((*s)->f);
  pri_free((*s)->ctx, *s);
  *s = NULL;
}
