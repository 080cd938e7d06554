/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * saddle.h - min_{x, w} max_{p, q} <A x, p> - f*(p) + sum_r <K_r (x, w_r), q_r> - F_r*(q_r), lo <= x <= hi: the variables that the
 * primal-dual solvers share, and the loops over priors. Same ranges of items as split.h.
 */
#ifndef PRI_SADDLE_H
#define PRI_SADDLE_H
#include "split.h"

typedef struct pri_point {     /* one point of all variables */
  pri_array x, z, p;           /* image; A x; data dual */
  pri_array *q, *w;            /* [nR] dual of each prior; auxiliary, data NULL where it has none */
} pri_point;

enum { PRI_POINT_X = 1u, PRI_POINT_Z = 2u, PRI_POINT_P = 4u, PRI_POINT_Q = 8u, PRI_POINT_W = 16u, PRI_POINT_ALL = 31u };
/* All zero; only the variables in `parts` are made, the calls below skip the others. */
PRI_MUST_CHECK pri_status pri_point_init(pri_ctx *ctx, pri_point *v, const pri_split *s, unsigned parts);
void pri_point_fini(pri_ctx *ctx, pri_point *v, const pri_split *s);
PRI_MUST_CHECK pri_status pri_point_walk(pri_walk *w, pri_point *v, const pri_split *s);
/* to = from for one item, as far as both have the variable */
void pri_point_copy(pri_ctx *ctx, pri_point *to, const pri_point *from, const pri_split *s, ptrdiff_t item);
/* v = v + a (u - v) for one item */
void pri_point_towards(pri_ctx *ctx, pri_point *v, double a, const pri_point *u, const pri_split *s, ptrdiff_t item);
/* g.x = A'p + sum_r K_r'q_r, g.w_r its other half */
PRI_MUST_CHECK pri_status pri_point_adjoint(pri_ctx *ctx, pri_point *g, const pri_point *v, const pri_split *s, ptrdiff_t first, ptrdiff_t items);
/* g += K_r'q_r over all r */
PRI_MUST_CHECK pri_status pri_point_priors_adjoint(pri_ctx *ctx, pri_point *g, const pri_point *v, const pri_split *s, ptrdiff_t first, ptrdiff_t items);
#endif
