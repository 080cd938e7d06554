/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_pictures.c - previews of result and input as PNG in the page, their windows and a scale bar; histogram of the result. */
#include <math.h>
#include <nettle/base64.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "report.h"

enum { LARGEST = 640, BINS = 64 };

static int by_value(const void *a, const void *b) {
  const double x = (double)*(const pri_real *)a, y = (double)*(const pri_real *)b;
  return (x > y) - (x < y);
}

/* half a per cent of the pixels is outside on each side */
static pri_status window(pri_ctx *ctx, const pri_real *x, ptrdiff_t n, double *lo, double *hi) {
  pri_real *v;
  ptrdiff_t m = 0;
  PRI_ALLOC(ctx, v, n);
  for (ptrdiff_t i = 0; i < n; i++)
    if (isfinite(x[i])) v[m++] = x[i];
  qsort(v, (size_t)m, sizeof *v, by_value);
  *lo = m ? (double)v[m / 200] : 0;
  *hi = m ? (double)v[m - 1 - m / 200] : 1;
  if (!(*hi > *lo)) *lo = m ? (double)v[0] : 0, *hi = m ? (double)v[m - 1] : 1;
  if (!(*hi > *lo)) *hi = *lo + 1;
  pri_free(ctx, v);
  return PRI_OK;
}

static pri_status write_uri(pri_page *page, const unsigned char *grey, ptrdiff_t w, ptrdiff_t h) {
  png_image image = {.version = PNG_IMAGE_VERSION, .width = (png_uint_32)w, .height = (png_uint_32)h, .format = PNG_FORMAT_GRAY};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  unsigned char *file = pri_calloc(page->ctx, size, 1);
  char *text = file ? pri_calloc(page->ctx, BASE64_ENCODE_RAW_LENGTH(size) + 1, 1) : NULL;
  pri_status s = text ? PRI_OK : pri_ctx_code(page->ctx);
  if (s == PRI_OK && !png_image_write_to_memory(&image, file, &size, 0, grey, 0, NULL)) s = PRI_FAIL(page->ctx, PRI_EEXTERN, "%s: no preview: %s", page->name, image.message);
  if (s == PRI_OK) {
    base64_encode_raw(text, size, file);
    fprintf(page->f, "data:image/png;base64,%.*s", (int)BASE64_ENCODE_RAW_LENGTH(size), text);
  }
  pri_free(page->ctx, file);
  pri_free(page->ctx, text);
  return s;
}

/* Means of blocks, so that the picture is at most LARGEST wide and high. */
static void shrink(unsigned char *to, const pri_real *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t k, double lo, double hi) {
  for (ptrdiff_t j = 0; j < h / k; j++)
    for (ptrdiff_t i = 0; i < w / k; i++) {
      double sum = 0;
      for (ptrdiff_t b = 0; b < k; b++)
        for (ptrdiff_t a = 0; a < k; a++) sum += (double)x[(j * k + b) * w + i * k + a];
      const double v = (sum / (double)(k * k) - lo) / (hi - lo) * 255;
      to[j * (w / k) + i] = (unsigned char)(v > 0 ? v < 255 ? v + 0.5 : 255 : 0);
    }
}

static void scale_bar(pri_page *page, const pri_input_info *info, ptrdiff_t w) {
  const double mm = info->meta.pixel[0], whole = mm * (double)w;
  if (!(mm > 0) || !isfinite(mm)) return;
  const double unit = pow(10, floor(log10(whole / 4))), m = whole / 4 / unit, length = unit * (m >= 5 ? 5 : m >= 2 ? 2 : 1);
  fprintf(page->f, "<span class=\"bar\" style=\"width:%.3f%%\">%.4g %s</span>", 100 * length / whole, length < 0.1 ? length * 1000 : length, length < 0.1 ? "&micro;m" : "mm");
}

/* x: the last two axes of the first plane of one item */
static pri_status picture(pri_page *page, const pri_input_info *info, const pri_real *x, const char *title) {
  const pri_shape *s = &info->item;
  const ptrdiff_t w = s->n[s->nd - 1], h = s->nd > 1 ? s->n[s->nd - 2] : 1, k = 1 + ((w > h ? w : h) - 1) / LARGEST;
  double lo = 0, hi = 1;
  unsigned char *grey;
  if (w / k < 1 || h / k < 1) return PRI_OK;
  PRI_TRY(window(page->ctx, x, w * h, &lo, &hi));
  PRI_ALLOC(page->ctx, grey, (w / k) * (h / k));
  shrink(grey, x, h, w, k, lo, hi);
  fprintf(page->f, "<figure><div class=\"img\"><img alt=\"%s\" src=\"", title);
  const pri_status st = write_uri(page, grey, w / k, h / k);
  fputs("\">", page->f);
  scale_bar(page, info, w);
  fprintf(page->f, "</div><figcaption><b>%s</b>, %td &times; %td pixels; black %.4g, white %.4g", title, w, h, lo, hi);
  if (k > 1) fprintf(page->f, "; shown: means of %td &times; %td", k, k);
  fputs("</figcaption></figure>\n", page->f);
  pri_free(page->ctx, grey);
  return st;
}

/* The input at the same place of its stack, where it can be found still. */
static pri_status input_picture(pri_page *page) {
  const char *name = json_string_value(json_object_get(json_array_get(json_object_get(page->provenance, "inputs"), 0), "file"));
  pri_input *in;
  pri_real *x;
  if (!name || pri_input_open(page->ctx, &in, name) != PRI_OK) return PRI_OK;
  const pri_input_info *info = pri_input_describe(in);
  PRI_ALLOC(page->ctx, x, pri_shape_size(&info->item));
  const json_t *item = json_object_get(json_array_get(json_object_get(page->provenance, "slices"), (size_t)page->slice), "item");
  const ptrdiff_t at = json_is_integer(item) ? (ptrdiff_t)json_integer_value(item) : info->items == page->info->items ? page->slice : 0;
  pri_status s = pri_input_read(in, x, at < info->items ? at : 0, 1);
  s = s == PRI_OK ? picture(page, info, x, "Input") : PRI_OK;
  pri_free(page->ctx, x);
  pri_input_close(&in);
  return s;
}

pri_status pri_report_pictures(pri_page *page) {
  fputs("<section><h2>Pictures</h2><div class=\"row\">\n", page->f);
  PRI_TRY(picture(page, page->info, page->x, "Result"));
  PRI_TRY(input_picture(page));
  fprintf(page->f, "</div><p>Slice %td of %td (from 0), the middle one. Half a per cent of the pixels is darker than black, and as many are brighter than white.</p></section>\n",
          page->slice, page->info->items);
  return PRI_OK;
}

pri_status pri_report_histogram(pri_page *page) {
  double lo = INFINITY, hi = -INFINITY, x[BINS], y[BINS] = {0};
  const ptrdiff_t n = pri_shape_size(&page->info->item);
  for (ptrdiff_t i = 0; i < n; i++)
    if (isfinite(page->x[i])) lo = fmin(lo, (double)page->x[i]), hi = fmax(hi, (double)page->x[i]);
  if (!(hi > lo)) return PRI_OK;
  for (int b = 0; b < BINS; b++) x[b] = lo + (b + 0.5) * (hi - lo) / BINS;
  for (ptrdiff_t i = 0; i < n; i++)
    if (isfinite(page->x[i])) y[(int)fmin(BINS - 1, ((double)page->x[i] - lo) / (hi - lo) * BINS)] += 1;
  fputs("<section><h2>Pixel values</h2><div class=\"row\">", page->f);
  pri_report_plot(page->f, &(pri_plot){"Histogram of the result", "pixel value", "pixels", x, y, BINS, 0, 0, 1, NAN, NAN});
  fprintf(page->f, "</div><p>From %.6g to %.6g in the slice that is shown.</p></section>\n", lo, hi);
  return PRI_OK;
}
