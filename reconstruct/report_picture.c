/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_picture.c - one picture as PNG in the page, with its scale of values and a scale bar. */
#include <math.h>
#include <nettle/base64.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

enum { LARGEST = 640, STEPS = 48, SPARSE = 3 };

static int by_value(const void *a, const void *b) {
  const double x = (double)*(const pri_real *)a, y = (double)*(const pri_real *)b;
  return (x > y) - (x < y);
}

/* half a per cent of the pixels is outside on each side, a twentieth above where those were much brighter; of signed values both ends are as far from 0 */
static pri_status window(pri_ctx *ctx, const pri_picture *p, double *lo, double *hi) {
  pri_real *v;
  ptrdiff_t m = 0;
  PRI_ALLOC(ctx, v, p->w * p->h);
  for (ptrdiff_t i = 0; i < p->w * p->h; i++)
    if (isfinite(p->x[i])) v[m++] = p->x[i];
  qsort(v, (size_t)m, sizeof *v, by_value);
  *lo = m ? (double)v[m / 200] : 0;
  *hi = m ? (double)v[m - 1 - m / 200] : 1;
  if (m && (double)v[m - 1 - m / 2000] - *lo > SPARSE * (*hi - *lo))
    *hi = (double)v[m - 1 - m / 2000]; /* few bright things are what it shows */
  if (!(*hi > *lo)) *lo = m ? (double)v[0] : 0, *hi = m ? (double)v[m - 1] : 1;
  if (p->colours == PRI_SIGNED) *hi = fmax(fabs(*lo), fabs(*hi)), *lo = -*hi;
  if (!(*hi > *lo)) *hi = *lo + 1;
  pri_free(ctx, v);
  return PRI_OK;
}

/* v from 0 to 1 */
static void colour(int colours, double v, unsigned char rgb[3]) {
  static const double ends[2][3] = {{33, 92, 172}, {178, 24, 33}}, white = 247;
  v = v > 0 ? v < 1 ? v : 1 : 0; /* NaN: the low end */
  const double *end = ends[v > 0.5], far = fabs(2 * v - 1);
  for (int c = 0; c < 3; c++) rgb[c] = (unsigned char)(0.5 + (colours == PRI_SIGNED ? white + far * (end[c] - white) : 255 * v));
}

static pri_status write_uri(pri_page *page, const unsigned char *rgb, ptrdiff_t w, ptrdiff_t h) {
  png_image image = {.version = PNG_IMAGE_VERSION, .width = (png_uint_32)w, .height = (png_uint_32)h, .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  unsigned char *file = pri_calloc(page->ctx, size, 1);
  char *text = file ? pri_calloc(page->ctx, BASE64_ENCODE_RAW_LENGTH(size) + 1, 1) : NULL;
  pri_status s = text ? PRI_OK : pri_ctx_code(page->ctx);
  if (s == PRI_OK && !png_image_write_to_memory(&image, file, &size, 0, rgb, 0, NULL))
    s = PRI_FAIL(page->ctx, PRI_EEXTERN, "%s: no preview: %s", page->name, image.message);
  if (s == PRI_OK) {
    base64_encode_raw(text, size, file);
    fprintf(page->f, "data:image/png;base64,%.*s", (int)BASE64_ENCODE_RAW_LENGTH(size), text);
  }
  pri_free(page->ctx, file);
  pri_free(page->ctx, text);
  return s;
}

/* Means of blocks, so that the picture is at most LARGEST wide and high. */
static void shrink(unsigned char *to, const pri_picture *p, ptrdiff_t k, double lo, double hi) {
  for (ptrdiff_t j = 0; j < p->h / k; j++)
    for (ptrdiff_t i = 0; i < p->w / k; i++) {
      double sum = 0;
      for (ptrdiff_t b = 0; b < k; b++)
        for (ptrdiff_t a = 0; a < k; a++) sum += (double)p->x[(j * k + b) * p->w + i * k + a];
      colour(p->colours, (sum / (double)(k * k) - lo) / (hi - lo), to + 3 * (j * (p->w / k) + i));
    }
}

const char *pri_report_length(double mm, char *buf, size_t n) {
  const double v = fabs(mm);
  if (v >= 0.1) snprintf(buf, n, "%.4g&#8239;mm", mm);
  else if (v >= 1e-4) snprintf(buf, n, "%.4g&#8239;&micro;m", mm * 1e3);
  else snprintf(buf, n, "%.4g&#8239;nm", mm * 1e6);
  return buf;
}

static void scale_bar(FILE *f, double mm, ptrdiff_t w, int dark) {
  char text[48];
  const double whole = mm * (double)w;
  if (!(mm > 0) || !isfinite(mm)) return;
  const double unit = pow(10, floor(log10(whole / 4))), m = whole / 4 / unit, length = unit * (m >= 5 ? 5 : m >= 2 ? 2 : 1);
  fprintf(f, "<span class=\"bar%s\" style=\"width:%.3f%%\">%s</span>", dark ? " dark" : "", 100 * length / whole,
          pri_report_length(length, text, sizeof text));
}

static void end_of_scale(FILE *f, const pri_picture *p, double v) {
  fputs("<span>", f);
  if (p->decades) pri_report_number(f, pow(10, v), 2);
  else pri_report_number(f, v, 4);
  fputs("</span>", f);
}

/* Drawn, not a background: those are not printed. */
static void legend(FILE *f, const pri_picture *p, double lo, double hi) {
  fputs("<div class=\"legend\">", f);
  end_of_scale(f, p, lo);
  fprintf(f, "<svg viewBox=\"0 0 %d 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">", STEPS);
  for (int i = 0; i < STEPS; i++) {
    unsigned char c[3];
    colour(p->colours, (i + 0.5) / STEPS, c);
    fprintf(f, "<path fill=\"#%02x%02x%02x\" d=\"M%d 0h1.1v1h-1.1z\"/>", c[0], c[1], c[2], i);
  }
  fputs("</svg>", f);
  end_of_scale(f, p, hi);
  fprintf(f, "<span>%s</span></div>", p->unit ? p->unit : "");
}

static void caption(FILE *f, const pri_picture *p, ptrdiff_t k) {
  char pitch[48];
  fprintf(f, "<figcaption><b>%s</b>, %td &times; %td %s", p->title, p->w, p->h, p->across ? "values" : "pixels");
  if (p->mm > 0) fprintf(f, " of %s", pri_report_length(p->mm, pitch, sizeof pitch));
  if (p->across) fprintf(f, "; across: %s, down: %s", p->across, p->down);
  if (k > 1) fprintf(f, "; shown are means of %td &times; %td", k, k);
  if (p->note) fprintf(f, "; %s", p->note);
  fputs("</figcaption></figure>\n", f);
}

pri_status pri_report_picture(pri_page *page, const pri_picture *p) {
  const ptrdiff_t k = 1 + ((p->w > p->h ? p->w : p->h) - 1) / LARGEST;
  double lo = p->lo, hi = p->hi;
  unsigned char *rgb;
  if (p->w / k < 1 || p->h / k < 1) return PRI_OK;
  if (isnan(lo)) PRI_TRY(window(page->ctx, p, &lo, &hi));
  PRI_ALLOC(page->ctx, rgb, 3 * (p->w / k) * (p->h / k));
  shrink(rgb, p, k, lo, hi);
  fprintf(page->f, "<figure%s><div class=\"img\" style=\"max-width:%.0f%%\"><img alt=\"%s\" src=\"", p->small ? " class=\"small\"" : "",
          fmin(100, 100.0 * (double)p->w / (double)p->h), p->title);
  const pri_status s = write_uri(page, rgb, p->w / k, p->h / k);
  fputs("\">", page->f);
  scale_bar(page->f, p->mm, p->w, p->colours == PRI_SIGNED);
  fputs("</div>", page->f);
  if (!p->small) legend(page->f, p, lo, hi), caption(page->f, p, k);
  else fprintf(page->f, "<figcaption>%s</figcaption></figure>", p->note ? p->note : "");
  pri_free(page->ctx, rgb);
  return s;
}
