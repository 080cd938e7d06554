/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_learned.c - of a .prior file: what was learned, how certain that is, and the curves of the run against its work. */
#include <math.h>
#include <string.h>
#include "json.h"
#include "report.h"

enum { MOST = PRI_PLOT_MORE + 1 };

static double number(const json_t *v) { return json_is_number(v) ? json_number_value(v) : NAN; }
static double last(const json_t *history, const char *key) {
  return number(json_object_get(json_array_get(history, json_array_size(history) - 1), key));
}

static pri_status column(pri_ctx *ctx, const json_t *history, const char *key, double **out) {
  const size_t n = json_array_size(history);
  PRI_ALLOC(ctx, *out, (ptrdiff_t)n + 1);
  for (size_t i = 0; i < n; i++) (*out)[i] = number(json_object_get(json_array_get(history, i), key));
  return PRI_OK;
}

/* One or two keys of the steps against work. */
static pri_status curve(pri_page *page, const json_t *h, const char *const key[2], pri_plot p) {
  double *c[3] = {NULL, NULL, NULL};
  pri_status s = column(page->ctx, h, "work", &c[0]);
  for (int i = 0; i < 2 && s == PRI_OK && key[i]; i++) s = column(page->ctx, h, key[i], &c[1 + i]);
  int known = 0;
  for (size_t i = 0; s == PRI_OK && c[2] && i < json_array_size(h); i++) known |= isfinite(c[2][i]);
  p.x_label = "work (gradients and Hessian products of a sample)";
  p.x = c[0], p.y = c[1], p.n = (ptrdiff_t)json_array_size(h), p.line = p.mark = NAN;
  p.more[0] = known ? c[2] : NULL;
  p.band &= known;
  if (!known) p.names[0] = NULL;
  if (s == PRI_OK) pri_report_plot(page->f, &p);
  for (int i = 0; i < 3; i++) pri_free(page->ctx, c[i]);
  return s;
}

static const char *const names_of_tensors[] = {"log_weight", "log_ratio", "log_smoothing"};
static const char *const plain_names[] = {"weight", "ratio", "smoothing"};

/* Parameters by name, in the order of the file. */
static int parameters(const pri_tensors *t, const char *names[MOST]) {
  int n = 0;
  for (int k = 0; k < pri_tensors_count(t); k++)
    for (int i = 0; i < 3; i++)
      if (!strcmp(pri_tensors_at(t, k)->name, names_of_tensors[i]) && pri_tensors_at(t, k)->size == 1 && n < MOST)
        names[n++] = plain_names[i];
  return n;
}

static pri_status trajectories(pri_page *page, const json_t *h) {
  const ptrdiff_t n = (ptrdiff_t)json_array_size(h);
  const size_t p = json_array_size(json_object_get(json_array_get(h, 0), "theta"));
  const int tgv = !strcmp(pri_tensors_card(page->learned, "kind") ? pri_tensors_card(page->learned, "kind") : "", "tgv");
  double *v;
  pri_plot plot = {.title = "Parameters",
                   .x_label = "work (gradients and Hessian products of a sample)",
                   .y_label = "value",
                   .n = n,
                   .log_y = 1,
                   .line = NAN,
                   .mark = NAN};
  if (p < 1 || p > MOST || n < 2) return PRI_OK;
  PRI_ALLOC(page->ctx, v, n * ((ptrdiff_t)p + 1));
  for (ptrdiff_t i = 0; i < n; i++) {
    const json_t *step = json_array_get(h, (size_t)i), *theta = json_object_get(step, "theta");
    v[i] = number(json_object_get(step, "work"));
    for (size_t k = 0; k < p; k++)
      v[(ptrdiff_t)(k + 1) * n + i] = exp(number(json_array_get(theta, k)) - (tgv && k == 1 ? number(json_array_get(theta, 0)) : 0));
  }
  plot.x = v, plot.y = v + n;
  for (size_t k = 1; k < p; k++) plot.more[k - 1] = v + (ptrdiff_t)(k + 1) * n;
  if (parameters(page->learned, plot.names) != (int)p)
    for (size_t k = 0; k < p; k++) plot.names[k] = NULL;
  pri_report_plot(page->f, &plot);
  pri_free(page->ctx, v);
  return PRI_OK;
}

static pri_status curves(pri_page *page, const json_t *h) {
  static const char *const loss[2] = {"loss_high", "loss_low"}, *const aside[2] = {"validation_high", "validation_low"},
                           *const slope[2] = {"hypergradient", "hypergradient_error"}, *const eps[2] = {"accuracy", NULL};
  fputs("<div class=\"row\">", page->f);
  PRI_TRY(curve(
      page, h, loss,
      (pri_plot){.title = "Loss: between these two", .y_label = "mean loss of a sample", .band = 1, .names = {"upper end", "lower end"}}));
  PRI_TRY(curve(page, h, slope,
                (pri_plot){.title = "Norm of the hypergradient", .y_label = "norm", .log_y = 1, .names = {"norm", "bound of its error"}}));
  PRI_TRY(
      curve(page, h, eps, (pri_plot){.title = "Accuracy asked of the lower level", .y_label = "accuracy (root mean square)", .log_y = 1}));
  PRI_TRY(trajectories(page, h));
  if (isfinite(last(h, "validation_high")))
    PRI_TRY(curve(
        page, h, aside,
        (pri_plot){
            .title = "Loss of samples put aside", .y_label = "mean loss of a sample", .band = 1, .names = {"upper end", "lower end"}}));
  fputs("</div>\n", page->f);
  return PRI_OK;
}

/* ---- the card */

static void card_row(FILE *f, const char *what, const char *text) {
  if (!text || !*text) return;
  fprintf(f, "<tr><th>%s</th><td colspan=\"2\">", what);
  pri_report_text(f, text);
  fputs("</td></tr>\n", f);
}

static void card(pri_page *page, const json_t *h) {
  static const char *const keys[] = {"kind", "form", "potential", "licence", "sigma"};
  const json_t *p = page->provenance;
  FILE *f = page->f;
  fputs("<table>", f);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) card_row(f, keys[i], pri_tensors_card(page->learned, keys[i]));
  for (int k = 0; k < pri_tensors_count(page->learned); k++) {
    const pri_tensor *t = pri_tensors_at(page->learned, k);
    for (int i = 0; i < 3; i++)
      if (!strcmp(t->name, names_of_tensors[i]) && t->size == 1)
        pri_report_row(f, plain_names[i], exp(t->data[0]), "",
                       i == 1   ? "second order over first"
                       : i == 2 ? "differences below it are taken as noise; unit of the image"
                                : "");
  }
  pri_report_row(f, "samples", number(json_object_get(p, "samples")), "", "learned from");
  pri_report_row(f, "noise level", number(json_object_get(p, "noise_sd")), "", "standard deviation of the measurements");
  if (json_array_size(h) > 0) {
    pri_report_row(f, "steps", last(h, "k"), "", "accepted");
    pri_report_row(f, "loss, lower end", last(h, "loss_low"), "", "mean of the samples");
    pri_report_row(f, "loss, upper end", last(h, "loss_high"), "", "");
    pri_report_row(f, "width of the interval", last(h, "loss_high") - last(h, "loss_low"), "", "");
    pri_report_row(f, "hypergradient", last(h, "hypergradient"), "", "norm, over the logarithms of the parameters");
    pri_report_row(f, "accuracy", last(h, "accuracy"), "", "of the images that the loss was evaluated on, root mean square");
    pri_report_row(f, "work", last(h, "work"), "", "gradients and Hessian products of one sample");
  }
  fputs("</table>", f);
}

static void say(pri_page *page, const json_t *h) {
  const json_t *sure = json_object_get(page->provenance, "certificate"), *c = sure ? sure : json_object_get(page->provenance, "estimate");
  const char *verdict = json_string_value(json_object_get(c, "verdict"));
  const double low = last(h, "loss_low"), high = last(h, "loss_high");
  if (!c || !isfinite(high)) return;
  fputs("<p>With these parameters the loss lies between <b>", page->f);
  pri_report_number(page->f, low, 6);
  fputs("</b> and <b>", page->f);
  pri_report_number(page->f, high, 6);
  fprintf(page->f, "</b>: %s Steps were accepted only where these intervals %s that the loss falls. The run ended as <b>%s</b>.</p>",
          sure ? "a proven interval, from what the lower-level problems were solved to."
               : "an estimate, for the prior or the loss has no proven constants.",
          sure ? "prove" : "show", verdict ? verdict : "unknown");
}

pri_status pri_report_learned(pri_page *page) {
  const json_t *h = json_object_get(page->provenance, "history");
  if (!page->learned) return PRI_OK;
  fputs("<section><h2>What was learned</h2>", page->f);
  say(page, h);
  if (json_array_size(h) > 1) PRI_TRY(curves(page, h));
  card(page, h);
  fputs("</section>\n", page->f);
  return PRI_OK;
}
