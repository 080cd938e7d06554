/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight_gcv.c - generalised cross-validation: how well each datum is predicted by the others. Needs no noise level; what
 * is given sets the probe's size and where the search begins.
 *
 *   V(l) = (|r|^2 / m) / (1 - c df / m)^2, in units of s^2        Golub, Heath, Wahba 1979; df: weight_path.c
 *
 * Deviation: c = 1.02, not 1 (Cummins, Filloon, Nychka 2001 have 1.2 and more). Where the best fit follows more than half
 * of the noise V is flat towards small weights, and c = 1 undersmooths: TV denoising of 24 crops of Set12 lost 0.09 dB in
 * the mean and 0.50 at worst, with 1.02 0.05 and 0.24, with 1.04 0.10 and 0.45.
 */
#include "weight_path.h"
#include <math.h>

static const double FOLLOWED = 1.02;

static void score(pri_weight_path *p) {
  for (int i = 0; i < p->n; i++) {
    const double left = 1 - FOLLOWED * p->at[i].followed;
    p->at[i].value = left > 0 ? p->at[i].misfit / (left * left) : INFINITY;
  }
}

static int enough(const pri_weight_path *p, int rises) {
  return rises > 1 || p->at[p->n - 1].value > p->at[pri_weight_least(p)].value * (1 + 3 * pri_weight_deviation(p));
}

const pri_weight_rule pri_weight_rule_gcv = {.name = "gcv",
                                             .figure = "prediction error in noise variances",
                                             .score = score,
                                             .enough = enough,
                                             .choose = pri_weight_vertex,
                                             .climbs = 1,
                                             .refined = 1};
