/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_level.h - what bilevel learning is made of: a lower level, h_i(x, theta) for samples i < m, and an upper level, g_i(x).
 *
 *   min_theta f(theta) = (1/m) sum_i g_i(x_i(theta)),   x_i(theta) = argmin_x h_i(x, theta)                                   (spec maid 1)
 *
 * A class of either is a table of functions over a private struct; a worker calls them for its sample i, with a desk of its own (memory of
 * `desk` bytes, at a 64-byte boundary). x, g, v: [n]; theta: [ntheta]. Functions return a status and say why on the context.
 */
#ifndef PRI_LEARN_LEVEL_H
#define PRI_LEARN_LEVEL_H
#include "priori/array.h"
#include "priori/context.h"

enum { PRI_LOWER_FEW = 8 };          /* up to this many parameters |J| is taken from its columns */
typedef struct pri_lower_constants { /* at one theta, over all samples and all x */
  double mu, L;                      /* mu |v|^2 <= <v, H v> <= L |v|^2 */
  double hess_lip, mixed_lip;        /* Lipschitz constants of H and J = d grad h / d theta in x */
  double mixed_norm;                 /* |J|, INFINITY: not known in closed form */
  int mu_proven, proven;             /* mu is; all are, L aside */
  int L_estimated;                   /* L is for steps only: error bounds are then those of the point whose gradient was seen */
} pri_lower_constants;

typedef struct pri_lower_class {
  const char *name;
  size_t (*desk)(const void *priv);
  pri_status (*theta)(pri_ctx *ctx, void *priv, const double *theta, pri_lower_constants *c);
  pri_status (*start)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *x);                          /* first guess of x_i */
  pri_status (*gradient)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *g, const pri_real *x);    /* of h_i in x */
  pri_status (*prepare)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x);                  /* the three below are at this x */
  pri_status (*product)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *hv, const pri_real *v);    /* H_i v */
  pri_status (*mixed)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, pri_real *out, const double *dtheta);  /* J_i dtheta */
  pri_status (*mixed_t)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, double *out, const pri_real *v);     /* J_i' v */
  void (*fini)(pri_ctx *ctx, void *priv);                                                                             /* frees priv too */
  pri_status (*value)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *h);         /* h_i up to a constant; NULL: not told. For learn_check.c */
} pri_lower_class;
typedef struct pri_lower_level {
  const pri_lower_class *c;
  void *priv;
  ptrdiff_t m, n;
  size_t ntheta;
} pri_lower_level;

typedef struct pri_upper_class {
  const char *name;                  /* "mse" */
  size_t (*desk)(const void *priv);  /* NULL: none */
  pri_status (*value)(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad); /* g_i and its gradient */
  int half_square;                   /* g_i = 1/2 |x - p|^2: its interval has a closed form, tighter than the general one */
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_upper_class;
typedef struct pri_upper {
  const pri_upper_class *c;
  void *priv;
  double lip;                        /* Lipschitz constant of grad g_i */
  int convex, proven;                /* g_i is; lip is */
} pri_upper;

/* ---- learn_check.c: are the derivatives those of the function? In double */
enum { PRI_DERIVATIVES = 12 };
typedef struct pri_derivative { /* one check */
  const char *what;
  double error;                 /* relative: of the best difference; of an identity; by how much a bound is passed */
  double order;                 /* with which errors of differences fell with the step: 2; NAN: no differences, or nothing left to fall (a quadratic function) */
  double limit;                 /* of error; INFINITY: not judged */
  int good;
} pri_derivative;
/*
 * pri_level_check - sample i at x [n] (a point in general position: no zeros in a row) and theta [ntheta], which the level is left at.
 *   upper  NULL: only the lower level
 *   out    *n of them are filled
 * Directions are drawn from the context's seed. Errors: ENOMEM, EBUDGET, those of the level.
 */
PRI_MUST_CHECK pri_status pri_level_check(pri_ctx *ctx, const pri_lower_level *level, const pri_upper *upper, const double *theta, ptrdiff_t i, const pri_real *x,
                                          pri_derivative out[PRI_DERIVATIVES], int *n);
#endif
