/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_filters.c - filters of a field of experts as pictures, the heaviest first, with their weights exp(log scale + log weight_k). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

typedef struct expert {
  double weight, smoothing;
  ptrdiff_t k;
} expert;

static int by_weight(const void *a, const void *b) {
  const expert *x = a, *y = b;
  return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight) : (x->k > y->k) - (x->k < y->k);
}

static pri_status one(pri_page *page, const pri_tensor *taps, const expert *e) {
  const ptrdiff_t h = taps->n[1], w = taps->n[2];
  double most = 0;
  char note[40];
  pri_real *x;
  PRI_ALLOC(page->ctx, x, w * h);
  for (ptrdiff_t i = 0; i < w * h; i++) x[i] = (pri_real)taps->data[e->k * w * h + i], most = fmax(most, fabs((double)x[i]));
  if (!(most > 0)) most = 1;
  snprintf(note, sizeof note, e->weight >= 1e-3 && e->weight < 1e4 ? "%.3g" : "%.1e", e->weight);
  const pri_status s = pri_report_picture(
      page,
      &(pri_picture){
          .title = "filter", .x = x, .w = w, .h = h, .colours = PRI_SIGNED, .lo = -most, .hi = most, .mm = NAN, .small = 1, .note = note});
  pri_free(page->ctx, x);
  return s;
}

static pri_status plots(pri_page *page, const expert *e, ptrdiff_t n) {
  double *x;
  PRI_ALLOC(page->ctx, x, 3 * n);
  for (ptrdiff_t i = 0; i < n; i++) x[i] = (double)(i + 1), x[n + i] = e[i].weight, x[2 * n + i] = e[i].smoothing;
  pri_report_plot(page->f, &(pri_plot){.title = "Weights and smoothings",
                                       .x_label = "filter, as above",
                                       .y_label = "value",
                                       .x = x,
                                       .y = x + n,
                                       .n = n,
                                       .log_y = 1,
                                       .line = NAN,
                                       .mark = NAN,
                                       .more = {x + 2 * n},
                                       .names = {"weight", "smoothing"}});
  pri_free(page->ctx, x);
  return PRI_OK;
}

static pri_status show(pri_page *page, const pri_tensor *taps, expert *e) {
  pri_status s = PRI_OK;
  fprintf(
      page->f,
      "<section><h2>Filters</h2><p>%td filters of %td &times; %td pixels, the heaviest first, the weight below each. Red: positive, blue: negative; each has its own scale.</p><div class=\"row\">",
      taps->n[0], taps->n[2], taps->n[1]);
  for (ptrdiff_t k = 0; k < taps->n[0] && s == PRI_OK; k++) s = one(page, taps, &e[k]);
  fputs("</div><div class=\"row\">", page->f);
  if (s == PRI_OK) s = plots(page, e, taps->n[0]);
  fputs("</div></section>\n", page->f);
  return s;
}

pri_status pri_report_filters(pri_page *page) {
  if (!page->learned) return PRI_OK;
  const pri_tensor *taps = pri_tensors_find(page->learned, "filters"), *weight = pri_tensors_find(page->learned, "log_weights"),
                   *smooth = pri_tensors_find(page->learned, "log_smoothings"), *scale = pri_tensors_find(page->learned, "log_scale");
  expert *e;
  if (!taps || taps->nd != 3 || !weight || !smooth || weight->size != taps->n[0] || smooth->size != taps->n[0]) return PRI_OK;
  PRI_ALLOC(page->ctx, e, taps->n[0]);
  for (ptrdiff_t k = 0; k < taps->n[0]; k++)
    e[k] = (expert){exp(weight->data[k] + (scale && scale->size == 1 ? scale->data[0] : 0)), exp(smooth->data[k]), k};
  qsort(e, (size_t)taps->n[0], sizeof *e, by_weight);
  const pri_status s = show(page, taps, e);
  pri_free(page->ctx, e);
  return s;
}
