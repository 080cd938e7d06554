/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * center.h - where the rotation axis projects to, from the data alone, by two methods that know nothing of each other:
 *   1. opposite rays: p(beta, u) and p(beta + pi - 2 gamma, -u) are the same line, u = (bin - center) bin width;
 *   2. the picture: the FBP with a wrong centre is less concentrated: norm1 / norm2 of its pixels grows.
 */
#ifndef PRI_CENTER_H
#define PRI_CENTER_H
#include "priori/array.h"
#include "priori/geometry.h"
typedef struct pri_center {
  double center;               /* 0-based bin: of method 1 where it is possible, else of method 2, else the middle */
  double opposite, picture;    /* the two; NAN: not possible with these angles */
  int agree;                   /* both are there and within 0.75 bins of each other */
} pri_center;
/*
 * pri_center_find - g: as usual, its center is not read; y: line integrals of some slices, shape (views, bins), one or more items.
 * Both figures are logged; a WARNING says where they disagree or where only one could be had.
 * Errors  ENOTSUP: cone, vectors. EDATA: y holds nothing to go by. ENOMEM, EBUDGET. Cost: about a second for a slice.
 * Source  spec rising_ct 6.7
 */
PRI_MUST_CHECK pri_status pri_center_find(pri_ctx *ctx, pri_center *out, const pri_geometry *g, const pri_array *y);
/* The methods alone. NAN where not possible. */
PRI_MUST_CHECK pri_status pri_center_opposite(pri_ctx *ctx, double *center, const pri_geometry *g, const pri_array *y);
PRI_MUST_CHECK pri_status pri_center_picture(pri_ctx *ctx, double *center, const pri_geometry *g, const pri_array *y);
#endif
