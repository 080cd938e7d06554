/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight_sure.c - Stein's unbiased risk estimate: the weight whose fit is nearest to the noiseless data, |A (x_l - x)|^2
 * least. For A = I that is the error of the image.
 *
 *   Q(l) = (|r|^2 - m s^2 + 2 s^2 df) / (m s^2)        Stein 1981; df: Ramani, Blu, Unser 2008 (weight_path.c)
 *
 * s is raised where even the best fits leave more than the noise, as for discrepancy: see there.
 */
#include "weight_path.h"

static void score(pri_weight_path *p) {
  pri_weight_update_excess(p);
  for (int i = 0; i < p->n; i++) p->at[i].value = p->at[i].misfit / p->excess + 2 * p->at[i].followed - 1;
}

static int enough(const pri_weight_path *p, int rises) {
  return rises > 1 || p->at[p->n - 1].value > p->at[pri_weight_least(p)].value + 3 * pri_weight_deviation(p);
}

const pri_weight_rule pri_weight_rule_sure = {.name = "sure",
                                              .figure = "risk of the fit in noise variances",
                                              .score = score,
                                              .enough = enough,
                                              .choose = pri_weight_vertex,
                                              .climbs = 1,
                                              .refined = 1};
