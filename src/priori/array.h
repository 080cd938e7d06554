/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * priori/array.h - dense arrays of pri_real, C order. A shape is that of one item; an array holds `items` of it that never
 * influence one another: slices of a stack that share a geometry, training pairs, random starts.
 */
#ifndef PRIORI_ARRAY_H
#define PRIORI_ARRAY_H
#include <stddef.h>
#include "priori/context.h"
#include "priori/real.h"
#ifdef __cplusplus
extern "C" {
#endif
enum { PRI_MAXDIM = 6 };
typedef struct pri_shape {
  int nd;                  /* (y,x), (z,y,x), (channel,y,x), (view,bin), (view,row,bin); 0: unknown */
  ptrdiff_t n[PRI_MAXDIM]; /* slowest first */
} pri_shape;
typedef struct pri_box {   /* a regular part of every item: first, first + step, ..., n of them along each axis */
  ptrdiff_t first[PRI_MAXDIM], n[PRI_MAXDIM], step[PRI_MAXDIM];
} pri_box;
typedef struct pri_array {
  pri_real *data;
  ptrdiff_t items;         /* >= 1 */
  pri_shape shape;
  struct pri_buf *origin;  /* counted owner of data; NULL: borrowed */
} pri_array;

/* Zeroed. ESHAPE: an extent < 1 or the size overflows; ENOMEM, EBUDGET. On failure *out is all zero. */
PRI_API PRI_MUST_CHECK pri_status pri_array_create(pri_ctx *ctx, pri_array *out, const pri_shape *shape, ptrdiff_t items);
PRI_API pri_array pri_array_borrow(pri_real *data, const pri_shape *shape, ptrdiff_t items);        /* no owner */
PRI_API pri_array pri_array_items(const pri_array *a, ptrdiff_t first, ptrdiff_t count);            /* borrowed view of some items */
PRI_API pri_real *pri_array_item(const pri_array *a, ptrdiff_t item);                               /* first element of that item */
/* part = a[box], a[box] = part, all items; part has the box's shape. ESHAPE where they do not fit */
PRI_API PRI_MUST_CHECK pri_status pri_array_take(pri_ctx *ctx, pri_array *part, const pri_array *a, const pri_box *box);
PRI_API PRI_MUST_CHECK pri_status pri_array_put(pri_ctx *ctx, pri_array *a, const pri_array *part, const pri_box *box);
PRI_API void pri_array_destroy(pri_array *a);  /* NULL, zeroed and borrowed arrays are fine; zeroes *a */

PRI_API ptrdiff_t pri_shape_size(const pri_shape *s);                        /* elements of one item; -1: overflow or extent < 1 */
PRI_API int pri_shape_equal(const pri_shape *a, const pri_shape *b);
PRI_API const char *pri_shape_text(const pri_shape *s, char *buf, size_t n); /* "60 x 512"; returns buf */
PRI_API pri_shape pri_shape_2d(ptrdiff_t slow, ptrdiff_t fast);
PRI_API pri_box pri_box_whole(const pri_shape *s);
PRI_API pri_shape pri_box_shape(const pri_box *b, int nd);
#ifdef __cplusplus
}
#endif
#endif
