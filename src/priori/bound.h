/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/bound.h - a number and how far it can be relied on. */
#ifndef PRIORI_BOUND_H
#define PRIORI_BOUND_H
typedef enum pri_trust {
  PRI_UNKNOWN,    /* value is NAN */
  PRI_ESTIMATE,   /* a power iteration, a sampled constant: may err to the wrong side */
  PRI_PROVEN,     /* on the safe side: above for norms, Lipschitz constants and gaps, below for convexity moduli */
  PRI_EXACT
} pri_trust;
typedef struct pri_bound { double value; pri_trust trust; } pri_bound;
#endif
