/* SPDX-License-Identifier: GPL-3.0-or-later */
/* root.h (k) - square roots in pri_real, for loops over fields. */
#ifndef PRI_ROOT_H
#define PRI_ROOT_H
#include <float.h>
#include <math.h>
#include "priori/real.h"
#ifdef PRI_DOUBLE
#define pri_root sqrt
#define PRI_TINY DBL_MIN
#else
#define pri_root sqrtf
#define PRI_TINY FLT_MIN
#endif
/* w / root(larger(m, w w)) = min(1, w / root(m)), without a branch: the root of a rounded square is exact; 0 where w = 0 */
static inline pri_real pri_larger(pri_real m, pri_real square) {
  const pri_real least = square > PRI_TINY ? square : PRI_TINY;
  return m > least ? m : least;
}
#endif
