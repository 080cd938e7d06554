/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_pictures.c - result and input; histogram of the result. */
#include <math.h>
#include <string.h>
#include "json.h"
#include "report.h"

enum { BINS = 64 };

const pri_real *pri_report_plane(const pri_shape *s, const pri_real *x, ptrdiff_t *w, ptrdiff_t *h) {
  ptrdiff_t planes = 1;
  *w = s->n[s->nd - 1];
  *h = s->nd > 1 ? s->n[s->nd - 2] : 1;
  for (int a = 0; a < s->nd - 2; a++) planes *= s->n[a];
  return x + planes / 2 * *w * *h;
}

/* A bin of 1 mm of which neither keys nor file speak is a word for "unknown": no scale bar is made of it. */
int pri_report_assumed(const pri_page *page) {
  const pri_geometry *g = page->job ? pri_job_ct(&page->job->job) : NULL;
  return g && g->bin == 1 && g->pixel == 1 && !isfinite(page->job->job.info->meta.bin[0]) && !isfinite(page->job->job.info->meta.pixel[0]);
}

double pri_report_pitch(const pri_page *page) { return pri_report_assumed(page) ? NAN : page->info->meta.pixel[0]; }

static pri_status show(pri_page *page, const pri_shape *shape, const pri_real *x, double mm, const char *title, int measured) {
  pri_picture p = {.title = title, .lo = NAN, .hi = NAN, .mm = mm};
  p.x = pri_report_plane(shape, x, &p.w, &p.h);
  if (measured && page->job && pri_job_ct(&page->job->job))
    p.across = "detector bin", p.down = shape->nd > 2 ? "detector row" : "view", p.mm = NAN;
  return pri_report_picture(page, &p);
}

/* The item of the input that the result is of, where that can be found still. */
static pri_status show_item(pri_page *page, pri_input *in, ptrdiff_t at) {
  const pri_input_info *info = pri_input_describe(in);
  pri_real *x;
  PRI_ALLOC(page->ctx, x, pri_shape_size(&info->item));
  pri_status s = pri_input_read(in, x, at < info->items ? at : 0, 1);
  if (s == PRI_OK) s = show(page, &info->item, x, info->meta.pixel[0], info->counts ? "Input: raw counts" : "Input", 1);
  pri_free(page->ctx, x);
  return s;
}

static pri_status show_input(pri_page *page) {
  const char *name = json_string_value(json_object_get(json_array_get(json_object_get(page->provenance, "inputs"), 0), "file"));
  pri_input *in;
  if (page->job) return show_item(page, page->job->job.in, page->job->job.slice[page->item % page->job->job.items]);
  if (!name || page->missing || pri_input_open(page->ctx, &in, name) != PRI_OK) return PRI_OK;
  const pri_status s = show_item(page, in, pri_input_describe(in)->items == page->items ? page->item : 0);
  pri_input_close(&in);
  return s;
}

pri_status pri_report_pictures(pri_page *page) {
  if (!page->x) return PRI_OK;
  fputs("<section><h2>Pictures</h2><div class=\"row\">\n", page->f);
  PRI_TRY(show(page, &page->shape, page->x, pri_report_pitch(page), "Result", 0));
  if (show_input(page) != PRI_OK) fputs("<p>The input cannot be read.</p>", page->f);
  fputs("</div><p>", page->f);
  if (page->items > 1)
    fprintf(page->f, "%c%s %td of %td (counted from 0), the middle one. ", page->word[0] - 'a' + 'A', page->word + 1, page->item,
            page->items);
  if (page->shape.nd > 2) fputs("Its middle plane. ", page->f);
  fputs(
      "Half a per cent of the pixels at most is darker than the left end of the scale, and as many are brighter than the right one.</p></section>\n",
      page->f);
  return PRI_OK;
}

pri_status pri_report_histogram(pri_page *page) {
  double lo = INFINITY, hi = -INFINITY, x[BINS], y[BINS] = {0};
  const ptrdiff_t n = page->x ? pri_shape_size(&page->shape) : 0;
  for (ptrdiff_t i = 0; i < n; i++)
    if (isfinite(page->x[i])) lo = fmin(lo, (double)page->x[i]), hi = fmax(hi, (double)page->x[i]);
  if (!(hi > lo)) return PRI_OK;
  for (int b = 0; b < BINS; b++) x[b] = lo + (b + 0.5) * (hi - lo) / BINS;
  for (ptrdiff_t i = 0; i < n; i++)
    if (isfinite(page->x[i])) y[(int)fmin(BINS - 1, ((double)page->x[i] - lo) / (hi - lo) * BINS)] += 1;
  fputs("<section><h2>Pixel values</h2><div class=\"row\">", page->f);
  pri_report_plot(page->f, &(pri_plot){.title = "Histogram of the result",
                                       .x_label = "pixel value",
                                       .y_label = "pixels",
                                       .x = x,
                                       .y = y,
                                       .n = BINS,
                                       .bars = 1,
                                       .line = NAN,
                                       .mark = NAN});
  for (int b = 0; b < BINS; b++) y[b] = y[b] > 0 ? y[b] : NAN;
  pri_report_plot(page->f, &(pri_plot){.title = "The same, logarithmic",
                                       .x_label = "pixel value",
                                       .y_label = "pixels",
                                       .x = x,
                                       .y = y,
                                       .n = BINS,
                                       .log_y = 1,
                                       .bars = 1,
                                       .line = NAN,
                                       .mark = NAN});
  fputs("</div><p>From ", page->f);
  pri_report_number(page->f, lo, 6);
  fputs(" to ", page->f);
  pri_report_number(page->f, hi, 6);
  fprintf(page->f, " in the %s that is shown, %d bins.</p></section>\n", page->word, BINS);
  return PRI_OK;
}
