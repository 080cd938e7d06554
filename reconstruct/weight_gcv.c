/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight_gcv.c - generalised cross-validation: how well each datum is predicted by the others. Needs no noise level; what
 * is given sets the probe's size and where the search begins.
 *
 *   V(l) = (|r|^2 / m) / (1 - df / m)^2, in units of s^2        Golub, Heath, Wahba 1979; df: weight_path.c
 */
#include "weight_path.h"
#include <math.h>

static void score(pri_weight_path *p) {
  for (int i = 0; i < p->n; i++) {
    const double left = 1 - p->at[i].followed;
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
                                             .refined = 1};
