/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/geometry.h - where the rays run; shared by the projector, FBP/FDK, centre finding and exact phantoms. */
#ifndef PRIORI_GEOMETRY_H
#define PRIORI_GEOMETRY_H
#include "priori/array.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef enum pri_beam { PRI_PARALLEL, PRI_FAN_FLAT, PRI_FAN_CURVED, PRI_CONE_FLAT, PRI_VECTORS } pri_beam;
typedef struct pri_meta {           /* what a file says of its data; NAN, 0 or NULL where it is silent */
  const double *angles;             /* rad */
  ptrdiff_t nangles;
  double pixel[3], bin[2];          /* mm, x first */
  double sod, sdd, center;          /* mm, mm, bins */
  int beam;                         /* pri_beam; -1: the file does not say */
  const char *source;               /* for messages and provenance: "scan.h5:/exchange/theta" */
} pri_meta;
PRI_API pri_meta pri_meta_unknown(void);   /* silent about everything: NAN, NULL, beam -1 (io.c) */
typedef struct pri_geometry {       /* lengths in mm, angles in rad; world x to the right, y up, z along the axis */
  pri_beam beam;
  ptrdiff_t views, rows, bins;      /* rows = 1 but for cone */
  const double *angle;              /* [views] */
  double sod, sdd, bin, row;
  double center, row_center, tilt;  /* 0-based bin centre, row centre, rad */
  ptrdiff_t n[3];                   /* image: x, y, z pixels */
  double pixel, slice;
  const double *vectors;            /* PRI_VECTORS: [views][12] */
} pri_geometry;
/* Deep copy, so that a geometry can outlive what it was made from; fini releases what copy made and zeroes *g (a zeroed one is fine).
   dst may hold anything before. ENOMEM, EBUDGET: *dst is all zero. */
PRI_API PRI_MUST_CHECK pri_status pri_geometry_copy(pri_ctx *ctx, pri_geometry *dst, const pri_geometry *src);
PRI_API void pri_geometry_fini(pri_ctx *ctx, pri_geometry *g);
/*
 * pri_geometry_ray - one ray.
 *   view       0 <= view < g->views; row, bin: 0-based centres, fractions and places beyond the panel too. row counts for cone and vectors only.
 *   from       out, mm: the source; parallel beams: a point on the ray before the object.
 *   along      out: unit vector from the source to the detector.
 * Source  the frame that src/geometry.c draws: at angle 0 rays run along +y, the detector coordinate along +x.
 */
PRI_API void pri_geometry_ray(const pri_geometry *g, ptrdiff_t view, double row, double bin, double from[3], double along[3]);
#ifdef __cplusplus
}
#endif
#endif
