/* SPDX-License-Identifier: GPL-3.0-or-later */
/* counts_check.c - see counts_check.h. */
#include "counts_check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "item 2, element (10, 3)": indices from 0, slowest first */
static void place(char *buf, size_t n, const pri_array *y, ptrdiff_t at) {
  const ptrdiff_t size = pri_shape_size(&y->shape);
  ptrdiff_t rest = at % size, stride = size;
  int used = snprintf(buf, n, "item %td, element (", at / size);
  for (int a = 0; a < y->shape.nd && used > 0 && (size_t)used < n; a++) {
    stride /= y->shape.n[a];
    const int more = snprintf(buf + used, n - (size_t)used, "%s%td", a ? ", " : "", rest / stride);
    rest %= stride;
    used = more < 0 ? more : used + more;
  }
  if (used > 0 && (size_t)used + 1 < n) memcpy(buf + used, ")", 2);
}

pri_status pri_counts_check(pri_ctx *ctx, const char *who, const pri_array *y, const pri_array *weight) {
  const ptrdiff_t n = y->items * pri_shape_size(&y->shape);
  ptrdiff_t bad = 0, first = 0;
  char where[120];
  for (ptrdiff_t i = 0; i < n; i++) {
    if ((y->data[i] >= 0 && isfinite(y->data[i])) || (weight && weight->data[i] == 0)) continue;
    if (!bad++) first = i;
  }
  if (!bad) return PRI_OK;
  place(where, sizeof where, y, first);
  return PRI_FAIL(ctx, PRI_EDATA, "%s: %td of %td values are negative or not finite, the first (%g) at %s; photon counts are >= 0: add the offset that was taken off, and "
                  "give it as background, or use ls", who, bad, n, (double)y->data[first], where);
}
