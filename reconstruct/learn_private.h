/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_private.h - the inside of a pri_lower: learn_lower.c and learn_hyper.c. Samples run side by side, each with a worker's vectors. */
#ifndef PRI_LEARN_PRIVATE_H
#define PRI_LEARN_PRIVATE_H
#include "learn.h"

enum { PRI_LOWER_VECTORS = 6, PRI_LOWER_FEW = 8 };  /* images of a worker; parameters whose columns of J are formed for |J| */
struct pri_lower {
  pri_ctx *ctx;
  pri_lower_problem p;
  const pri_operator_class *op;
  const pri_prior_class *prior;
  const void *opriv, *rpriv;
  ptrdiff_t m, n, range;
  size_t ntheta, cache, op_scratch, prior_scratch; /* cache: elements; scratch: bytes */
  int workers, identity;
  double norm2, floor_a;         /* |A|^2 from above; lambda_min(A'A) from below */
  double mu, L, hess_lip, mixed_lip, mixed_norm; /* at theta; the last three of R */
  int proven;                    /* those of R are */
  pri_real *aty;                 /* [m][n] A'y */
  pri_real *vector, *data, *caches; /* [workers] x 6 n, range, cache */
  char *scratch;                 /* [workers] x (op, prior) */
  double *zs, *omegas;           /* [m][ntheta], [m] */
  double *work;                  /* [m][3] */
};
typedef struct pri_desk {        /* what a worker owns */
  pri_real *v[PRI_LOWER_VECTORS], *data, *cache;
  void *op_scratch, *prior_scratch;
} pri_desk;
pri_desk pri_lower_desk(const struct pri_lower *l, int worker);
pri_status pri_lower_normal(const struct pri_lower *l, const pri_desk *k, pri_real *z, const pri_real *x); /* (A'A + floor) x */
#endif
