/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_plan.h (k) - the fast projector: rays tabulated once, kernels of the instruction set that the machine has.
 *
 * One slice ("one") and sixteen slices side by side ("stack") do the same rounding steps in the same order per ray and per pixel
 * (rays.h), so a slice has the same bits whichever of the two worked on it.
 *   one, forward   AVX-512: 16 bins of 4 views at a time; a window of 32 pixels of a line lies in two registers and is permuted
 *                  AVX2: gathers of pixel pairs; portable: scalar loads
 *   one, back      AVX-512: 16 pixels of a line at a time gather from a window of 32 bins; otherwise rays scatter
 *   stack          image [y][x][16], sinogram [view][bin][16]: every weight serves 16 slices. A table of offsets and weights for 16 rays and
 *                  some lines is made by vector code, then used; back projection of parallel beams with AVX-512 gathers, else scatters
 * The double build uses rays.c instead.
 *
 * Threads: forward own views; back own pixels of all views. Nothing is allocated after creation; nothing is added across threads.
 */
#ifndef PRI_RAYS_PLAN_H
#define PRI_RAYS_PLAN_H
#include <stddef.h>
#include <stdint.h>
#include "priori/geometry.h"

enum {
  PRI_STACK = 16,      /* slices side by side */
  PRI_STACK_VIEWS = 20, /* views that a stack works on at a time, so that their rows and some lines stay in cache */
  PRI_BLOCK = 16,      /* rays or pixels abreast */
  PRI_RAY_PAD = 64,    /* entries before the first and behind the last bin of a table or row */
  PRI_LINE_PAD = 48,   /* zeros before the first and behind the last pixel of a line */
  PRI_EDGE = 2,        /* border of a stack image and of a stack row: every clamped offset lands in it */
  PRI_BITS = 27        /* fraction of positions in the float kernels, PRI_RAY_FRACTION there */
};

typedef struct pri_ray_lines { /* padded image of one slice as lines: data is pixel 0 of line 0 */
  pri_real *data;
  ptrdiff_t count, length, pitch;
} pri_ray_lines;

typedef struct pri_ray_comb { /* parallel view: pixel (line l, place i) falls on bin (start + l line + i place) 2^-27, see rays_avx512.c */
  int64_t start, line, place;
  float spacing; /* pixels between rays along a line */
} pri_ray_comb;

typedef struct pri_ray_fan { /* where pixel (line l, place i) falls: bin = center + scale q, q = n / d (or atan of it where curved), n = n[0] + n[1] l + n[2] i */
  double n[3], d[3];
} pri_ray_fan;

typedef struct pri_ray_plan {
  const pri_geometry *g;
  int workers;
  ptrdiff_t pitch, blocks;  /* entries a view in A, B, W (the first ray at PRI_RAY_PAD); blocks of 16 bins a view */
  int64_t *A;
  int32_t *B;
  pri_real *W;
  uint16_t *axis1;          /* [views][blocks]: bit set where the ray marches over columns */
  uint8_t *axes;            /* [views]: 1: some rays of axis 0, 2: of axis 1 */
  pri_ray_comb *comb;       /* [views] of parallel beams with spacing >= 1 everywhere; else NULL */
  pri_ray_fan *fan;         /* [views][2 axes], else */
  double scale;             /* of fan */
  const struct pri_ray_kernels *kernels; /* NULL: rays.c */
} pri_ray_plan;

typedef struct pri_ray_kernels {
  const char *name;
  /* y: [bins] of each view; the block-views [first, last) of job number = block * views + view within [view0, view1) */
  void (*forward_one)(const pri_ray_plan *p, const pri_ray_lines image[2], float *y, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t block0, ptrdiff_t block1);
  /* adds the rays of one axis; rows: W y, [views][pitch], zero outside; share `share` of `shares` of the image */
  void (*back_one)(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *image, ptrdiff_t share, ptrdiff_t shares);
  /* sums: [view1 - view0][bins][16], zero on entry, not yet times W */
  void (*forward_stack)(const pri_ray_plan *p, const float *image, float *sums, ptrdiff_t view0, ptrdiff_t view1);
  /* adds the rays of one axis to some lines; rows: [view1 - view0][bins + 2 PRI_EDGE][16] W y */
  void (*back_stack)(const pri_ray_plan *p, int axis, const float *rows, float *image, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t line0, ptrdiff_t line1);
} pri_ray_kernels;

/* What the machine has, lowered by PRIORI_SIMD=c|avx2|avx512; NULL in the double build. */
const pri_ray_kernels *pri_simd_rays(void);
extern const pri_ray_kernels pri_ray_kernels_c, pri_ray_kernels_avx2, pri_ray_kernels_avx512;

/* g is borrowed. Errors as pri_calloc. */
PRI_MUST_CHECK pri_status pri_ray_plan_create(pri_ctx *ctx, pri_ray_plan **out, const pri_geometry *g, int workers);
void pri_ray_plan_destroy(pri_ctx *ctx, pri_ray_plan **p);
size_t pri_ray_plan_scratch(const pri_ray_plan *p); /* 64-byte aligned; need not be cleared */
pri_status pri_ray_plan_forward(pri_ctx *ctx, const pri_ray_plan *p, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch);
pri_status pri_ray_plan_back(pri_ctx *ctx, const pri_ray_plan *p, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch);

/* Lines l of [*first, *last) with low <= A + l B < high, in units of 2^-27 pixels */
static inline void pri_ray_crop(int64_t A, int64_t B, int64_t low, int64_t high, ptrdiff_t *first, ptrdiff_t *last) {
  int64_t l0 = *first, l1 = *last, d = B < 0 ? -B : B;
  const int64_t a = B < 0 ? A - high + 1 : low - A, b = B < 0 ? A - low + 1 : high - A;
  if (d) {
    l0 = a / d + (a % d > 0);
    l1 = b / d + (b % d > 0);
  } else if (A < low || A >= high) {
    l1 = l0;
  }
  if (l0 > *first) *first = l0 < *last ? l0 : *last;
  if (l1 < *last) *last = l1;
  if (*last < *first) *last = *first;
}

/* lanes of a block of 16 bins whose rays march along `axis` */
static inline unsigned pri_ray_lanes(const pri_ray_plan *p, int axis, ptrdiff_t view, ptrdiff_t block) {
  const unsigned ones = p->axis1[view * p->blocks + block];
  const ptrdiff_t left = p->g->bins - block * PRI_BLOCK;
  return (axis ? ones : ~ones) & (left >= PRI_BLOCK ? 0xffffu : (1u << left) - 1);
}

/* pixels from row to row of a stack image, border included: odd, so that lines do not fall on the same cache set */
static inline ptrdiff_t pri_stack_pitch(const pri_geometry *g) { return (g->n[0] + 63) / 64 * 64 + 2 * PRI_EDGE; }
#endif
