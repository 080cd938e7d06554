/* SPDX-License-Identifier: GPL-3.0-or-later */
/* array.c - dense arrays of items, boxes, shape arithmetic with overflow checks. */
#include "priori/array.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct pri_buf {
  pri_ctx *ctx;
  pri_real *data;
};

ptrdiff_t pri_shape_size(const pri_shape *s) {
  ptrdiff_t size = 1;
  if (s->nd < 1 || s->nd > PRI_MAXDIM) return -1;
  for (int d = 0; d < s->nd; d++) {
    if (s->n[d] < 1 || size > PTRDIFF_MAX / 16 / s->n[d]) return -1;
    size *= s->n[d];
  }
  return size;
}

int pri_shape_equal(const pri_shape *a, const pri_shape *b) {
  if (a->nd != b->nd) return 0;
  for (int d = 0; d < a->nd; d++)
    if (a->n[d] != b->n[d]) return 0;
  return 1;
}

const char *pri_shape_text(const pri_shape *s, char *buf, size_t n) {
  size_t at = 0;
  if (n) buf[0] = 0;
  for (int d = 0; d < s->nd && at < n; d++) {
    const int w = snprintf(buf + at, n - at, "%s%td", d ? " x " : "", s->n[d]);
    at += w > 0 ? (size_t)w : 0;
  }
  return buf;
}

pri_shape pri_shape_2d(ptrdiff_t slow, ptrdiff_t fast) {
  return (pri_shape){.nd = 2, .n = {slow, fast}};
}

pri_box pri_box_whole(const pri_shape *s) {
  pri_box b = {{0}, {0}, {0}};
  for (int d = 0; d < s->nd; d++) {
    b.n[d] = s->n[d];
    b.step[d] = 1;
  }
  return b;
}

pri_shape pri_box_shape(const pri_box *b, int nd) {
  pri_shape s = {.nd = nd};
  for (int d = 0; d < nd; d++) s.n[d] = b->n[d];
  return s;
}

pri_status pri_array_create(pri_ctx *ctx, pri_array *out, const pri_shape *shape, ptrdiff_t items) {
  *out = (pri_array){0};
  const ptrdiff_t size = pri_shape_size(shape);
  char text[96];
  if (size < 0 || items < 1 || items > PTRDIFF_MAX / 16 / size)
    return PRI_FAIL(ctx, PRI_ESHAPE, "array: %td items of %s are empty or too large", items,
                    pri_shape_text(shape, text, sizeof text));
  struct pri_buf *buf = NULL;
  PRI_ALLOC(ctx, buf, 1);
  buf->ctx = ctx;
  buf->data = pri_calloc(ctx, (size_t)(items * size), sizeof(pri_real));
  if (!buf->data) {
    pri_free(ctx, buf);
    return pri_ctx_code(ctx);
  }
  *out = (pri_array){buf->data, items, *shape, buf};
  return PRI_OK;
}

pri_array pri_array_borrow(pri_real *data, const pri_shape *shape, ptrdiff_t items) {
  return (pri_array){data, items, *shape, NULL};
}

pri_real *pri_array_item(const pri_array *a, ptrdiff_t item) {
  return a->data + item * pri_shape_size(&a->shape);
}

pri_array pri_array_items(const pri_array *a, ptrdiff_t first, ptrdiff_t count) {
  return (pri_array){pri_array_item(a, first), count, a->shape, NULL};
}

void pri_array_destroy(pri_array *a) {
  if (!a) return;
  if (a->origin) {
    pri_ctx *ctx = a->origin->ctx;
    pri_free(ctx, a->origin->data);
    pri_free(ctx, a->origin);
  }
  *a = (pri_array){0};
}

static int fits(const pri_array *a, const pri_array *part, const pri_box *box) {
  if (a->items != part->items || a->shape.nd != part->shape.nd) return 0;
  for (int d = 0; d < a->shape.nd; d++) {
    const ptrdiff_t last = box->first[d] + (box->n[d] - 1) * box->step[d];
    if (box->n[d] < 1 || box->n[d] != part->shape.n[d] || box->first[d] < 0 || last < 0 ||
        box->first[d] >= a->shape.n[d] || last >= a->shape.n[d])
      return 0;
  }
  return 1;
}

/* Offset in a of row r (all axes but the last) of the box. */
static ptrdiff_t row_offset(const pri_array *a, const pri_box *box, ptrdiff_t r) {
  ptrdiff_t offset = 0, stride = 1;
  for (int d = a->shape.nd - 1; d >= 0; d--) {
    ptrdiff_t i = 0;
    if (d < a->shape.nd - 1) {
      i = r % box->n[d];
      r /= box->n[d];
    }
    offset += (box->first[d] + i * box->step[d]) * stride;
    stride *= a->shape.n[d];
  }
  return offset;
}

static void move(const pri_array *a, const pri_array *part, const pri_box *box, int put) {
  const int last = a->shape.nd - 1;
  const ptrdiff_t n = box->n[last], step = box->step[last], rows = pri_shape_size(&part->shape) / n;
  for (ptrdiff_t item = 0; item < a->items; item++)
    for (ptrdiff_t r = 0; r < rows; r++) {
      pri_real *whole = pri_array_item(a, item) + row_offset(a, box, r);
      pri_real *some = pri_array_item(part, item) + r * n;
      for (ptrdiff_t i = 0; i < n; i++)
        if (put) whole[i * step] = some[i];
        else some[i] = whole[i * step];
    }
}

static pri_status refuse(pri_ctx *ctx, const pri_array *a, const pri_array *part, const pri_box *box) {
  char whole[96], some[96], cut[96];
  const pri_shape shape = pri_box_shape(box, a->shape.nd);
  return PRI_FAIL(ctx, PRI_ESHAPE, "array: a box of %s does not lie in %td x (%s), or is not the shape of the part, %td x (%s)", pri_shape_text(&shape, cut, sizeof cut),
                  a->items, pri_shape_text(&a->shape, whole, sizeof whole), part->items, pri_shape_text(&part->shape, some, sizeof some));
}

pri_status pri_array_take(pri_ctx *ctx, pri_array *part, const pri_array *a, const pri_box *box) {
  if (!fits(a, part, box)) return refuse(ctx, a, part, box);
  move(a, part, box, 0);
  return PRI_OK;
}

pri_status pri_array_put(pri_ctx *ctx, pri_array *a, const pri_array *part, const pri_box *box) {
  if (!fits(a, part, box)) return refuse(ctx, a, part, box);
  move(a, part, box, 1);
  return PRI_OK;
}
