/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figures.h - convex figures in the plane, from which all 2-D phantoms are made: drawing with area averages, exact projections.
 * Lengths are shares of half the image side; x to the right, y up, the origin in the middle of the image.
 */
#ifndef PRI_FIGURES_H
#define PRI_FIGURES_H
#include <stdint.h>
#include "priori/phantom.h"
enum { PRI_FIGURES_MAX = 512 };
typedef enum pri_outline {
  PRI_ELLIPSE,  /* |(X, Y)| <= 1 */
  PRI_BOX,      /* max(|X|, |Y|) <= 1 */
  PRI_WEDGE     /* 0 <= X <= 1, |Y| <= X: a triangle, the tip at (x, y) */
} pri_outline;
typedef struct pri_figure {       /* (X, Y) = R(-phi) ((x, y) - (x0, y0)) / (a, b) */
  pri_outline outline;
  double value, a, b, x, y, phi;  /* value per mm; phi in rad */
} pri_figure;
typedef struct pri_figures {
  pri_figure *f;                  /* [n]; the owner frees it */
  ptrdiff_t n;                    /* <= PRI_FIGURES_MAX */
  int cover;                      /* 0: values add up where figures overlap; 1: the later figure hides the earlier ones */
} pri_figures;
/* x: (ny, nx), one item. The mean over each pixel: exact along x, 64 lines a pixel along y. */
PRI_MUST_CHECK pri_status pri_figures_draw(pri_ctx *ctx, const pri_figures *f, pri_real *x, ptrdiff_t ny, ptrdiff_t nx);
/*
 * y: (views, bins), one item: line integrals in value/mm * mm; half the image side is pixel * min(nx, ny) / 2. bin_average: means over
 * the bin, by Gauss quadrature in phi between neighbouring tangent points u_l, u_r: u = (u_l + u_r)/2 + (u_r - u_l)/2 sin phi, which
 * takes the square roots at the outlines away. EGEOMETRY: a figure reaches the source; ENOTSUP: cone and vectors.
 */
PRI_MUST_CHECK pri_status pri_figures_project(pri_ctx *ctx, const pri_figures *f, const pri_geometry *g, int bin_average, pri_real *y);
/* The square shape of a phantom of `size` pixels a side, and drawing and projecting the same figures into each item. */
PRI_MUST_CHECK pri_status pri_figures_draw_all(pri_ctx *ctx, const pri_figures *f, pri_array *x);
PRI_MUST_CHECK pri_status pri_figures_project_all(pri_ctx *ctx, const pri_figures *f, const pri_geometry *g, int bin_average, pri_array *y);
/* The same for random families: make puts the figures of object first + i of the seed, at most PRI_FIGURES_MAX, into item i; later ones hide earlier ones. */
typedef void (*pri_figures_fn)(const void *priv, uint64_t seed, ptrdiff_t object, pri_figures *out);
PRI_MUST_CHECK pri_status pri_figures_draw_each(pri_ctx *ctx, pri_figures_fn make, const void *priv, pri_array *x, ptrdiff_t first);
PRI_MUST_CHECK pri_status pri_figures_project_each(pri_ctx *ctx, pri_figures_fn make, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first);
/* Frames that are shared by drawing and projecting: a figure with sine and cosine at hand, and what a line cuts out of it. */
typedef struct pri_outlined { pri_outline outline; double value, c, s, a, b, x, y; } pri_outlined;
void pri_figure_prepare(pri_outlined *o, const pri_figure *f, double unit);    /* lengths times unit */
/* [t0, t1] of from + t along inside the figure; 0: misses it */
int pri_figure_cut(const pri_outlined *o, const double from[2], const double along[2], double t[2]);
typedef struct pri_piece { double t, value; } pri_piece;                       /* value holds from t to the next piece's t */
/* The pieces of a line over all figures, at most 2 n + 1: how many. They are ordered; the last one has value 0. */
ptrdiff_t pri_figures_pieces(const pri_outlined *o, ptrdiff_t n, int cover, const double from[2], const double along[2], pri_piece *piece);
#endif
