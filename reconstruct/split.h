/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * split.h - min_x f(A x) + sum_r R_r(x), lo <= x <= hi, taken apart as the iterative solvers see it: the linear operator, the data
 * term, and for each prior what its faces offer. Everything is borrowed from the problem. All calls are about `items` of the
 * problem's items from `first` on; arrays hold every item of the problem, and only those are read and written.
 */
#ifndef PRI_SPLIT_H
#define PRI_SPLIT_H
#include "priori/solver.h"

typedef struct pri_block {      /* one prior */
  const pri_prior_class *cls;
  const void *priv;
  pri_shape aux, dual;          /* of the saddle face, where it has one */
  ptrdiff_t nw, nq;             /* elements of an item; nw = 0: no auxiliary variable */
  double norm;                  /* safe |K| */
} pri_block;

typedef struct pri_split {
  const pri_problem *problem;
  pri_operator *A;
  const pri_fidelity_class *f;
  const void *fp;
  const pri_array *y;
  pri_shape dom, ran;
  ptrdiff_t items, n, m;        /* n, m: elements of one item of x and of y */
  double norm;                  /* safe |A|; 0 where it was not asked for */
  double *curvature;            /* [items] Lipschitz constant of f' of each item: weights differ; 1 where f has none */
  int nR;
  pri_block *R;                 /* [nR] */
  void *scratch;                /* as much as the hungriest prior asks for */
} pri_split;

enum { /* what a solver needs; pri_split_misfit names the first thing that is missing */
  PRI_NEEDS_GRAD = 1u,          /* of the data term, with a Lipschitz constant */
  PRI_NEEDS_PROX = 2u,          /* at most one prior by its prox, the others by gradient */
  PRI_NEEDS_SADDLE = 4u,        /* every prior, and dual_prox of the data term (always there) */
  PRI_NEEDS_SMOOTH = 8u,        /* every prior by gradient */
  PRI_NEEDS_QUADRATIC = 16u,    /* every prior quadratic, the data term ls or wls */
  PRI_NEEDS_NO_PRIOR = 32u,
  PRI_NEEDS_NONNEGATIVE = 64u,  /* the operator */
  PRI_NEEDS_PARTS = 128u,       /* operator and data term come in parts */
  PRI_NEEDS_NORM = 256u,        /* fills split.norm */
  PRI_NEEDS_BLOCKS = 512u       /* fills the saddle shapes where a prior has that face, without insisting on it */
};
/* Why a solver of that name cannot take the problem; NULL: it can. The text is valid until the next call in this thread. */
const char *pri_split_misfit(const pri_problem *p, const char *solver, unsigned needs);
PRI_MUST_CHECK pri_status pri_split_init(pri_ctx *ctx, pri_split *s, const pri_problem *p, unsigned needs);
void pri_split_fini(pri_ctx *ctx, pri_split *s);        /* zeroed and half-built ones are fine */

/* A bound of a norm that steps may rely on: a power iteration is widened by 2 % (it errs below by less after 30 steps), proven ones stand. */
double pri_safe_norm(pri_bound b);

PRI_MUST_CHECK pri_status pri_split_apply(const pri_split *s, pri_real *z, const pri_real *x, ptrdiff_t first, ptrdiff_t items);
PRI_MUST_CHECK pri_status pri_split_adjoint(const pri_split *s, pri_real *x, const pri_real *z, ptrdiff_t first, ptrdiff_t items);
/* Array of the problem's items and of x0's values (NULL: zero), clipped into each item's box. */
PRI_MUST_CHECK pri_status pri_split_start(pri_ctx *ctx, const pri_split *s, pri_array *x, const pri_array *x0);
/* |a - b| / |b| of one item; 0 where both are 0. */
double pri_change(pri_ctx *ctx, const pri_real *a, const pri_real *b, ptrdiff_t n);
#endif
