/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays.h (k) - line integrals through a pixel image by linear interpolation (Joseph 1982), and their exact transpose.
 *
 * A ray marches along its dominant axis: over rows (axis 0) where |d_y| > |d_x|, else over columns (axis 1). With the line index l
 * it crosses line l at P(l) = A + l B pixels, |B| <= 1, and
 *     p = W sum_l [(1-f) x(l,i) + f x(l,i+1)],   i = floor P(l),  f = P(l) - i,  W = pixel |d|/|d_dominant|,  outside = 0.
 * A and B are rounded once to fixed point with PRI_RAY_FRACTION bits; P(l) is then integer arithmetic, the same for any tiling,
 * thread count and instruction set. Forward and back projection take their weights from the same P, so one is the transpose of the other.
 *
 * Every scalar weight and every sum is fixed, so that an item has the same bits alone and in a stack, for any number of threads:
 *   forward  a ray's lines ascending, one accumulator: acc += (2^F - w) x(l,i); acc += w x(l,i+1), w = pri_real(f 2^F); p = acc (W 2^-F)
 *   back     a pixel's rays: axis 0 before axis 1, views ascending, bins ascending: acc += weight ((W 2^-F) y),
 *            weight = 2^F - pri_real(distance 2^F)
 * where += is a fused multiply-add in the AVX2 and AVX-512 kernels and is not in the portable ones.
 *
 * This file is read twice: with PRI_WIDE everything is double in the float library as well (rays.c, rays_strip.c for certificates).
 */
#ifndef PRI_RAYS_H
#define PRI_RAYS_H
#include <stddef.h>
#include <stdint.h>
#include "priori/geometry.h"

#ifdef PRI_WIDE
typedef double pri_ray_real;
#define PRI_RAY_NAME(name) pri_##name##_wide
#else
typedef pri_real pri_ray_real;
#define PRI_RAY_NAME(name) pri_##name
#endif

/* geometry.c: as pri_geometry_ray with cos and sin of the view's angle; not for PRI_VECTORS */
void pri_geometry_ray_turned(const pri_geometry *g, double c, double s, double row, double bin, double from[3], double along[3]);

#if defined(PRI_WIDE) || defined(PRI_DOUBLE)
enum { PRI_RAY_FRACTION = 44 }; /* bits: positions to 3e-14 pixels, images up to 2^18 pixels wide */
#else
enum { PRI_RAY_FRACTION = 27 }; /* 32 - 5: the low word alone addresses a window of 32 pixels */
#endif
enum { PRI_RAY_RUNS = 8, PRI_RAY_EXTENT = 1 << 17 }; /* runs of one axis in a view; largest side of an image in pixels */
typedef struct pri_ray_run {
  int axis;
  ptrdiff_t first, last; /* bins [first, last) */
} pri_ray_run;
typedef struct pri_ray_row { /* the rays of one view, [bins] each */
  int64_t *A, *B;            /* units of 2^-F pixels */
  pri_ray_real *W;           /* mm, times 2^-F */
} pri_ray_row;

/* Fills a row; returns the number of runs of equal axis. */
#define pri_rays_row PRI_RAY_NAME(rays_row)
int pri_rays_row(const pri_geometry *g, ptrdiff_t view, const pri_ray_row *row, pri_ray_run runs[PRI_RAY_RUNS]);

/*
 * y = A x and x = A' y of all 2-D beams; x: [items][ny][nx], y: [items][views][bins]. scratch: pri_rays_scratch bytes, 64-byte aligned;
 * `workers` is the number of threads that it was sized for. No allocation. The wide ones take and give double.
 */
size_t pri_rays_scratch(const pri_geometry *g, int workers);
pri_status pri_rays_forward(pri_ctx *ctx, const pri_geometry *g, int workers, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch);
pri_status pri_rays_back(pri_ctx *ctx, const pri_geometry *g, int workers, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch);
size_t pri_rays_scratch_wide(const pri_geometry *g, int workers);
pri_status pri_rays_forward_wide(pri_ctx *ctx, const pri_geometry *g, int workers, double *y, const double *x, ptrdiff_t items, void *scratch);
pri_status pri_rays_back_wide(pri_ctx *ctx, const pri_geometry *g, int workers, double *x, const double *y, ptrdiff_t items, void *scratch);

/* rays_strip.c: bin averages over the trapezoid that a pixel casts on the detector ("separable footprint"; a strip in parallel beam). */
size_t pri_strip_scratch(const pri_geometry *g, int workers);
pri_status pri_strip_forward(pri_ctx *ctx, const pri_geometry *g, int workers, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch);
pri_status pri_strip_back(pri_ctx *ctx, const pri_geometry *g, int workers, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch);
size_t pri_strip_scratch_wide(const pri_geometry *g, int workers);
pri_status pri_strip_forward_wide(pri_ctx *ctx, const pri_geometry *g, int workers, double *y, const double *x, ptrdiff_t items, void *scratch);
pri_status pri_strip_back_wide(pri_ctx *ctx, const pri_geometry *g, int workers, double *x, const double *y, ptrdiff_t items, void *scratch);
#endif
