/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stencil.h (k) - forward differences on a regular grid of 1, 2 or 3 axes, and their adjoint.
 *
 *   (D x)_{a,i} = r_a (x_{i+e_a} - x_i), 0 past the last element of axis a;  r_a = pitch_x / pitch_a (1 along x)
 *   fields: [nd][n], slowest axis first: (y, x) or (z, y, x), each of one image's size
 *   channels: an image may be nc of them, (c, y, x) or (c, z, y, x), without differences between them: n = nc pixels, and what belongs to
 *   one pixel are the nf = nd nc values q[f * pixels + i]
 *   |D|^2 < 4 sum_a r_a^2: each difference operator has the eigenvalues 4 r^2 sin^2(pi k / 2 n), k < n
 *
 * Every element is computed by itself: the same bits for any number of threads.
 */
#ifndef PRI_STENCIL_H
#define PRI_STENCIL_H
#include "priori/array.h"
#include "priori/bound.h"
#include "priori/geometry.h"
typedef struct pri_stencil {
  int nd;
  ptrdiff_t nz, ny, nx, n; /* absent axes: 1; n = nc nz ny nx */
  double rz, ry;
  ptrdiff_t nc, nf, pixels; /* channels, fields of a channel's size, nz ny nx */
} pri_stencil;
enum { PRI_STENCIL_CHANNELS = 1024 }; /* at most */
/* coupled: the slowest axis of dom holds channels, with 2 or 3 more behind it. ESHAPE: not 1 to 3 axes, or too many channels. meta (pixel pitches) may be NULL; an unknown pitch is that of x. `who` begins the message. */
PRI_MUST_CHECK pri_status pri_stencil_init(pri_ctx *ctx, const char *who, pri_stencil *s, const pri_meta *meta, const pri_shape *dom);
PRI_MUST_CHECK pri_status pri_stencil_init_coupled(pri_ctx *ctx, const char *who, pri_stencil *s, const pri_meta *meta, const pri_shape *dom, int coupled);
pri_shape pri_stencil_fields(const pri_stencil *s, const pri_shape *dom); /* (nd, dom) */
double pri_stencil_norm2(const pri_stencil *s);                           /* the bound of |D|^2 above */
void pri_stencil_forward(pri_ctx *ctx, const pri_stencil *s, pri_real *q, const pri_real *x, ptrdiff_t items); /* q = D x */
void pri_stencil_adjoint(pri_ctx *ctx, const pri_stencil *s, pri_real *x, const pri_real *q, ptrdiff_t items); /* x += D'q */
void pri_stencil_adjoint_wide(pri_ctx *ctx, const pri_stencil *s, double *x, const pri_real *q, ptrdiff_t items);
/* Rows [0, nc nz ny) of one image, for fused loops of priors: t_row += scale (D x)_row in all fields; x_row += scale (D'q)_row. */
void pri_stencil_forward_row(const pri_stencil *s, pri_real *t, const pri_real *x, double scale, ptrdiff_t row);
void pri_stencil_adjoint_row(const pri_stencil *s, pri_real *x, const pri_real *q, double scale, ptrdiff_t row);
ptrdiff_t pri_stencil_grain(const pri_stencil *s); /* rows of one chunk for pri_par_for */
/* sq[i - first] = |(D x)_i|^2, all channels, for the pixels [first, last) of one image, in double */
void pri_stencil_square(const pri_stencil *s, const pri_real *x, ptrdiff_t first, ptrdiff_t last, double *sq);
/* the same for |q_i|^2 of fields, and for <(D x)_i, q_i> */
void pri_stencil_fields_square(const pri_stencil *s, const pri_real *q, ptrdiff_t first, ptrdiff_t last, double *sq);
void pri_stencil_fields_dot(const pri_stencil *s, const pri_real *q, const pri_real *x, ptrdiff_t first, ptrdiff_t last, double *dot);
#endif
