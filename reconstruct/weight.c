/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight.c - automatic weights: the search, for every method.
 *
 * From 4 s |A'W^1/2 b| / sqrt(n), what noise weighs in the gradient A'e (the scale of a good total-variation weight), in
 * factors of 2 from strong to weak, each solved from the solution before it (weight_path.c), until the method's value has
 * clearly risen; further up where the strongest was the best; Brent's minimisation in log w inside of the bracket (GSL);
 * then the method chooses.
 *
 *   discrepancy   weight_discrepancy.c: the risk of the fit by Stein's estimate, and of the weights that it cannot tell
 *   apart the largest
 *   sure          weight_sure.c: the least risk of the fit
 *   gcv           weight_gcv.c: m |r|^2 / (m - df)^2, which needs no noise level
 *   lcurve        weight_lcurve.c: the corner of log |r|^2 against log R
 */
#include "weight_path.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

enum { WIDEST = 16 /* factors of 2 */ };

static const pri_weight_rule *const rules[PRI_WEIGHT_METHODS] = {[PRI_WEIGHT_DISCREPANCY] = &pri_weight_rule_discrepancy,
                                                                 [PRI_WEIGHT_GCV] = &pri_weight_rule_gcv,
                                                                 [PRI_WEIGHT_SURE] = &pri_weight_rule_sure,
                                                                 [PRI_WEIGHT_LCURVE] = &pri_weight_rule_lcurve};

const char *pri_weight_name(pri_weight_method m) { return rules[m]->name; }
const char *pri_weight_figure(pri_weight_method m) { return rules[m]->figure; }

int pri_weight_method_of(const char *text, pri_weight_method *m) {
  *m = PRI_WEIGHT_DISCREPANCY;
  if (strncmp(text, "auto", 4) || (text[4] && text[4] != ':')) return 0;
  if (!text[4]) return 1;
  for (int i = 0; i < PRI_WEIGHT_METHODS; i++)
    if (!strcmp(text + 5, rules[i]->name)) {
      *m = (pri_weight_method)i;
      return 1;
    }
  return 0;
}

static pri_status check(const pri_weight_path *p) {
  static const char *const terms[] = {"ls", "wls", "kl"};
  const void *priv;
  const char *name = pri_fidelity_class_of(p->o->problem->f, &priv)->kind.name;
  int known = 0;
  for (int i = 0; i < 3; i++) known |= !strcmp(name, terms[i]);
  if (!known)
    return PRI_FAIL(p->ctx, PRI_EPARAM,
                    "weight=auto:%s: the data term %s has no noise model for it; use ls, wls or kl, or give a weight",
                    p->rule->name, name);
  if (!pri_map_linear(p->o->problem->A))
    return PRI_FAIL(p->ctx, PRI_EPARAM, "weight=auto:%s: the operator is not linear; give a weight", p->rule->name);
  for (ptrdiff_t i = 0; i < p->data->items; i++)
    if (!(p->o->sd[i] * p->o->sd[i] > 0 && isfinite(1 / (p->o->sd[i] * p->o->sd[i]))) ||
        !isfinite(p->o->sd[i])) /* the risk divides by sd^2 */
      return PRI_FAIL(p->ctx, PRI_EPARAM, "weight=auto:%s: the noise level is %g; give --noise-level sd:V > 0, or a weight",
                      p->rule->name, p->o->sd[i]);
  return PRI_OK;
}

/* tests w, w factor, w factor^2, ... */
static pri_status walk_from(pri_weight_path *p, double w, double factor) {
  int rises = 0;
  for (int k = 0; k < WIDEST; k++, w *= factor) {
    PRI_TRY(pri_weight_path_test(p, w));
    rises = pri_weight_least(p) == p->n - 1 ? 0 : rises + 1;
    if (p->rule->enough(p, rises)) return PRI_OK;
  }
  return PRI_OK;
}

static pri_status search(pri_weight_path *p) {
  PRI_TRY(walk_from(p, 4 * p->scale, 0.5));
  if (p->rule->climbs && pri_weight_least(p) == 0)
    PRI_TRY(walk_from(p, 8 * p->scale, 2)); /* the strongest was the best: further up */
  if (p->rule->refined) PRI_TRY(pri_weight_refine(p, p->rule->refined));
  p->out->plain = 1;
  p->out->chosen = p->rule->choose(p);
  p->out->excess = sqrt(p->excess);
  return pri_weight_path_set(p, p->out->chosen);
}

static void report(pri_weight_path *p) {
  double w[PRI_WEIGHT_TESTS];
  size_t order[PRI_WEIGHT_TESTS];
  for (int i = 0; i < p->n; i++) w[i] = p->at[i].weight;
  gsl_sort_index(order, w, 1, (size_t)p->n);
  p->out->n = p->n;
  for (int i = 0; i < p->n; i++) p->out->tested[i][0] = w[order[i]], p->out->tested[i][1] = p->at[order[i]].value;
}

pri_status pri_weight_find(pri_ctx *ctx, const pri_weight_search *o, pri_weight_result *out) {
  pri_weight_path p = {.ctx = ctx,
                       .o = o,
                       .out = out,
                       .rule = rules[o->method],
                       .now = 1,
                       .excess = 1,
                       .data = pri_fidelity_data(o->problem->f),
                       .weight = pri_fidelity_weight(o->problem->f)};
  gsl_error_handler_t *const handler = gsl_set_error_handler_off();
  memset(out, 0, sizeof *out);
  pri_status status = check(&p);
  if (status == PRI_OK) status = pri_weight_path_init(&p);
  if (status == PRI_OK) status = search(&p);
  if (status == PRI_OK) report(&p);
  pri_weight_path_fini(&p);
  gsl_set_error_handler(handler);
  return status;
}
