/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sym_fields.h (k) - symmetrised differences of vector fields on the grid of src/stencil.h: priors/tgv.c, reconstruct/learn_tgv.c.
 *
 *   w: [nd][n], component a stands between the pixels i and i + e_a: it does not exist in the last place of axis a, and is not read there
 *   (E w)_aa = r_a d_a w_a,   (E w)_ab = (r_b d_b w_a + r_a d_a w_b) / sqrt 2  (a < b; the factor makes the Frobenius norm plain)
 *   (d_b w_a)_i = w_a,i - w_a,i-e_b where both exist, else 0
 *   components: aa for each axis, slowest first, then ab in the order of the alphabet: yy xx yx, or zz yy xx zy zx yx
 *   |E|^2 <= 4 sum_a r_a^2: the symmetric part is no larger than the whole of the gradient of w
 *
 * Every element is computed by itself. Source: Bredies, Kunisch, Pock 2010, section 3.3 (there without the staggering).
 */
#ifndef PRI_SYM_FIELDS_H
#define PRI_SYM_FIELDS_H
#include "priori/context.h"
#include "stencil.h"
int pri_sym_parts(const pri_stencil *s);                                                              /* nd (nd + 1) / 2 */
void pri_sym_forward(pri_ctx *ctx, const pri_stencil *s, pri_real *e, const pri_real *w, double c);   /* e = c E w */
/* w = c E'e + d v, in all places that exist, 0 in the others; v: [nd][n] or NULL */
void pri_sym_adjoint(pri_ctx *ctx, const pri_stencil *s, pri_real *w, const pri_real *e, double c, const pri_real *v, double d);
void pri_sym_adjoint_wide(pri_ctx *ctx, const pri_stencil *s, double *w, const pri_real *e, double c, const pri_real *v, double d); /* w += the same */
/* q += c w in all places that exist; 0 in the others */
void pri_sym_add(pri_ctx *ctx, const pri_stencil *s, pri_real *q, double c, const pri_real *w);
/* sum_i |(D x - c w)_i| + e sum_i |(E w)_i|, in double throughout; w NULL: 0 */
double pri_sym_value_wide(pri_ctx *ctx, const pri_stencil *s, const pri_real *x, const pri_real *w, double c, double e);
/* Of fields with `parts` components at [n] pixels: q_i shortened to |q_i| <= radius; the largest |q_i|; sum |q_i| */
void pri_fields_clip(pri_ctx *ctx, pri_real *q, int parts, ptrdiff_t n, double radius);
double pri_fields_largest(pri_ctx *ctx, const pri_real *q, int parts, ptrdiff_t n);
double pri_fields_sum(pri_ctx *ctx, const pri_real *q, int parts, ptrdiff_t n);
#endif
