/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_private.h - the inside of a pri_lower: learn_lower.c and learn_hyper.c. Samples run side by side, each with a worker's vectors and desk. */
#ifndef PRI_LEARN_PRIVATE_H
#define PRI_LEARN_PRIVATE_H
#include "learn.h"

enum { PRI_LOWER_VECTORS = 6 };  /* of a worker */
struct pri_lower {
  pri_ctx *ctx;
  pri_lower_level level;
  pri_upper upper;
  pri_lower_constants at;        /* this theta */
  int workers;
  size_t level_desk, upper_desk; /* bytes */
  pri_real *vector;              /* [workers] x 6 n */
  char *desks;                   /* [workers] x (level, upper) */
  const ptrdiff_t *picked;       /* NULL: all */
  ptrdiff_t picks;
  double *zs, *omegas, *fs;      /* [m][ntheta], [m], [m][3]: low, high, half */
  double *work;                  /* [m][3] */
  double *spare;                 /* [workers][ntheta] */
};
typedef struct pri_desk {        /* what a worker owns */
  pri_real *v[PRI_LOWER_VECTORS];
  void *level, *upper;
} pri_desk;
pri_desk pri_lower_desk(const struct pri_lower *l, int worker);
static inline ptrdiff_t pri_lower_at(const struct pri_lower *l, ptrdiff_t k) { return l->picked ? l->picked[k] : k; } /* the sample that is k-th of the picks */
#endif
