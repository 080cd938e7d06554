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

/*
 * pri_array_create - a zeroed array that owns its elements.
 *   out    all zero on failure. What it held before is not released.
 *   shape  of one item, copied; items >= 1.
 * Errors  PRI_ESHAPE  items or an extent < 1, or the size overflows; PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_array_create(pri_ctx *ctx, pri_array *out, const pri_shape *shape, ptrdiff_t items);
/* Views: no copy, no owner, valid as long as the elements are; destroy only zeroes them. Not checked: 0 <= first, first + count <= a->items. */
PRI_API pri_array pri_array_borrow(pri_real *data, const pri_shape *shape, ptrdiff_t items);
PRI_API pri_array pri_array_items(const pri_array *a, ptrdiff_t first, ptrdiff_t count);
PRI_API pri_real *pri_array_item(const pri_array *a, ptrdiff_t item);                               /* first element of that item */
/*
 * pri_array_take - part = a[box]; pri_array_put - a[box] = part; for every item.
 *   part  shape pri_box_shape(box, a->shape.nd), items of a. May not overlap a.
 *   box   steps may be any that stay inside a, negative ones too.
 * Errors  PRI_ESHAPE  the box does not lie in a, or part has another shape or number of items: nothing is written.
 */
PRI_API PRI_MUST_CHECK pri_status pri_array_take(pri_ctx *ctx, pri_array *part, const pri_array *a, const pri_box *box);
PRI_API PRI_MUST_CHECK pri_status pri_array_put(pri_ctx *ctx, pri_array *a, const pri_array *part, const pri_box *box);
PRI_API void pri_array_destroy(pri_array *a);  /* NULL, zeroed and borrowed arrays are fine; zeroes *a */

PRI_API ptrdiff_t pri_shape_size(const pri_shape *s);                        /* elements of one item; -1: overflow or extent < 1 */
PRI_API int pri_shape_equal(const pri_shape *a, const pri_shape *b);         /* same number of axes and extents */
PRI_API const char *pri_shape_text(const pri_shape *s, char *buf, size_t n); /* "60 x 512", cut off where buf is short; returns buf */
PRI_API pri_shape pri_shape_2d(ptrdiff_t slow, ptrdiff_t fast);              /* (y, x) or (view, bin) */
PRI_API pri_box pri_box_whole(const pri_shape *s);                           /* from 0 in steps of 1; axes beyond nd: 0 */
PRI_API pri_shape pri_box_shape(const pri_box *b, int nd);                   /* its extents */
#ifdef __cplusplus
}
#endif
#endif
