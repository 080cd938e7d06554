/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_curves.c - how the iteration went (history), the weights that were tried, and what the certificate says in words. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "report.h"

static double number(const json_t *v) { return json_is_number(v) ? json_number_value(v) : NAN; }

static pri_status column(pri_ctx *ctx, const json_t *a, double **out) {
  const size_t n = json_array_size(a);
  PRI_ALLOC(ctx, *out, n + 1);
  for (size_t i = 0; i < n; i++) (*out)[i] = number(json_array_get(a, i));
  return PRI_OK;
}

static double goal_of(const pri_page *page) {
  const char *config = json_string_value(json_object_get(page->provenance, "config")),
             *at = config ? strstr(config, "stop = gap:goal=") : NULL;
  return at ? strtod(at + strlen("stop = gap:goal="), NULL) : NAN;
}

static pri_status one_curve(pri_page *page, const json_t *history, const char *key, const char *title, const char *label, int log_y,
                            double line) {
  double *x = NULL, *y = NULL;
  const json_t *a = json_object_get(history, key);
  if (!a) return PRI_OK;
  pri_status s = column(page->ctx, json_object_get(history, "passes"), &x);
  if (s == PRI_OK) s = column(page->ctx, a, &y);
  if (s == PRI_OK)
    pri_report_plot(page->f, &(pri_plot){.title = title,
                                         .x_label = "passes over the data",
                                         .y_label = label,
                                         .x = x,
                                         .y = y,
                                         .n = (ptrdiff_t)json_array_size(a),
                                         .log_x = 1,
                                         .log_y = log_y,
                                         .line = line,
                                         .mark = NAN});
  pri_free(page->ctx, x);
  pri_free(page->ctx, y);
  return s;
}

static int by_weight(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (x[0] > y[0]) - (x[0] < y[0]);
}

static pri_status weight_curve(pri_page *page, const json_t *c) {
  const json_t *tested = json_object_get(c, "tested");
  const char *figure = json_string_value(json_object_get(c, "figure"));
  const size_t n = json_array_size(tested);
  double *pairs, *x, *y;
  if (n < 2) return PRI_OK;
  PRI_ALLOC(page->ctx, pairs, 4 * n);
  x = pairs + 2 * n, y = x + n;
  for (size_t i = 0; i < 2 * n; i++) pairs[i] = number(json_array_get(json_array_get(tested, i / 2), i % 2));
  qsort(pairs, n, 2 * sizeof *pairs, by_weight);
  for (size_t i = 0; i < n; i++) x[i] = pairs[2 * i], y[i] = pairs[2 * i + 1];
  pri_report_plot(page->f, &(pri_plot){.title = "Weights tried; dashed: chosen",
                                       .x_label = "weight",
                                       .y_label = figure ? figure : "risk",
                                       .x = x,
                                       .y = y,
                                       .n = (ptrdiff_t)n,
                                       .log_x = 1,
                                       .line = NAN,
                                       .mark = number(json_object_get(c, "chosen"))});
  pri_free(page->ctx, pairs);
  return PRI_OK;
}

pri_status pri_report_curves(pri_page *page) {
  const json_t *h = json_object_get(page->provenance, "history"), *curves = json_object_get(page->provenance, "weight_curves");
  size_t i;
  json_t *c;
  if (page->learned || (!h && !curves)) return PRI_OK;
  fputs("<section><h2>How it went</h2><div class=\"row\">", page->f);
  PRI_TRY(one_curve(page, h, "relative_gap", "Certified relative gap; dashed: goal", "gap / objective", 1, goal_of(page)));
  PRI_TRY(one_curve(page, h, "objective", "Objective", "objective", 0, NAN));
  PRI_TRY(one_curve(page, h, "residual", "Residual", "norm of A x - y", 1, NAN));
  PRI_TRY(one_curve(page, h, "change", "Change of the image a step", "relative change", 1, NAN));
  json_array_foreach(curves, i, c) PRI_TRY(weight_curve(page, c));
  fputs("</div>", page->f);
  fputs("<p>", page->f);
  if (h && page->items > 1)
    fprintf(page->f, "Of %s %lld, the one whose certificate is the worst. ", page->word, (long long)json_integer_value(json_object_get(h, "item")));
  if (h) fputs("A pass is one application of the operator and one of its adjoint, certificates included.", page->f);
  fputs("</p>", page->f);
  fputs("</section>\n", page->f);
  return PRI_OK;
}

/* ---- the certificate */

static void per_cent(FILE *f, double v) {
  fputs("<b>", f);
  pri_report_number(f, 100 * v, 3);
  fputs("&#8239;%</b>", f);
}

pri_status pri_report_certificate(pri_page *page) {
  const json_t *c = json_object_get(page->provenance, "certificate");
  const double relative = number(json_object_get(c, "relative_gap")), goal = goal_of(page);
  const char *verdict = json_string_value(json_object_get(c, "verdict"));
  if (page->learned || !json_is_object(c)) return PRI_OK;
  fputs("<section><h2>What is certain</h2><p>", page->f);
  if (relative >= 1) {
    fputs("The duality gap is still as large as the objective: how far this image is from the best one of its model is not known yet. ",
          page->f);
  } else if (isfinite(relative)) {
    fputs("The objective of this image is at most ", page->f);
    per_cent(page->f, relative);
    fputs(" above the smallest that any image has: a proven bound, from a duality gap evaluated in double precision, not an estimate. ",
          page->f);
    if (isfinite(goal))
      fprintf(page->f, "Asked for were %.3g&#8239;%%: the guarantee <b>%s</b>. ", 100 * goal, relative <= goal ? "is met" : "is not met");
  } else {
    fputs("No duality gap was certified for this result: how far it is from the best image of its model is not known. ", page->f);
  }
  fprintf(page->f, "The iteration ended as <b>%s</b>.</p><table>", verdict ? verdict : "unknown");
  pri_report_row(page->f, "relative gap", relative, "", "bound on (objective - minimum) / objective");
  pri_report_row(page->f, "gap", number(json_object_get(c, "gap")), "", "bound on objective - minimum");
  pri_report_row(page->f, "objective", number(json_object_get(c, "objective")), "", "data term and priors");
  pri_report_row(page->f, "residual", number(json_object_get(c, "residual")), "", "norm of A x - y");
  pri_report_row(page->f, "steps", number(json_object_get(c, "k")), "", "");
  pri_report_row(page->f, "passes", number(json_object_get(c, "passes")), "",
                 "applications of operator and adjoint / 2, certificates included");
  pri_report_row(page->f, "adjoint mismatch", number(json_object_get(c, "adjoint_mismatch")), "",
                 "of operator and adjoint, on random data: rounding only");
  fputs("</table></section>\n", page->f);
  return PRI_OK;
}
