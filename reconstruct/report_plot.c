/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_plot.c - one curve as SVG: linear or logarithmic axes, ticks at 1, 2, 5 or at decades; colours are the page's. */
#include <math.h>
#include "report.h"

enum { WIDTH = 460, HEIGHT = 280, LEFT = 64, RIGHT = 14, TOP = 34, BOTTOM = 46 };

typedef struct axis {
  double lo, hi;   /* logarithms where log */
  int log, from, to;
} axis;

void pri_report_text(FILE *f, const char *text) {
  for (; text && *text; text++) {
    if (*text == '&') fputs("&amp;", f);
    else if (*text == '<') fputs("&lt;", f);
    else if (*text == '>') fputs("&gt;", f);
    else if (*text == '"') fputs("&quot;", f);
    else fputc(*text, f);
  }
}

static double scaled(const axis *a, double v) { return a->log ? log10(v) : v; }
static double place(const axis *a, double v) { return a->from + (scaled(a, v) - a->lo) / (a->hi - a->lo) * (a->to - a->from); }
static int usable(const axis *a, double v) { return isfinite(v) && (!a->log || v > 0); }

static int is_shown(const axis *x, const axis *y, const pri_plot *p, ptrdiff_t i) { return usable(x, p->x[i]) && usable(y, p->y[i]); }

static ptrdiff_t extent(axis *x, axis *y, const pri_plot *p) {
  ptrdiff_t n = 0;
  x->lo = y->lo = INFINITY, x->hi = y->hi = -INFINITY;
  for (ptrdiff_t i = 0; i < p->n; i++) {
    if (!is_shown(x, y, p, i)) continue;
    x->lo = fmin(x->lo, scaled(x, p->x[i])), x->hi = fmax(x->hi, scaled(x, p->x[i]));
    y->lo = fmin(y->lo, scaled(y, p->y[i])), y->hi = fmax(y->hi, scaled(y, p->y[i]));
    n++;
  }
  if (p->bars) y->lo = fmin(0, y->lo);
  if (usable(y, p->line)) y->lo = fmin(y->lo, scaled(y, p->line)), y->hi = fmax(y->hi, scaled(y, p->line));
  if (!(x->hi > x->lo)) x->hi = x->lo + 1;
  if (!(y->hi > y->lo)) y->hi = y->lo + (y->lo == 0 ? 1 : fabs(y->lo) * 0.1 + 1e-12);
  const double air = p->bars ? 0 : 0.04 * (y->hi - y->lo);
  y->lo -= air, y->hi += 0.04 * (y->hi - y->lo);
  return n;
}

static double step_of(const axis *a) {
  const double rough = (a->hi - a->lo) / 5, unit = pow(10, floor(log10(rough)));
  if (a->log) return fmax(1, ceil(rough));
  return unit * (rough / unit > 5 ? 10 : rough / unit > 2 ? 5 : rough / unit > 1 ? 2 : 1);
}

static void ticks(FILE *f, const axis *a, int vertical) {
  const double step = step_of(a);
  for (double t = ceil(a->lo / step - 1e-9) * step; t <= a->hi + 1e-9 * step; t += step) {
    const double v = fabs(t) < 1e-12 * step ? 0 : t, at = place(a, a->log ? pow(10, v) : v);
    if (vertical)
      fprintf(f, "<path class=\"g\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>", LEFT, at, WIDTH - RIGHT, LEFT - 6,
              at + 4, a->log ? pow(10, v) : v);
    else
      fprintf(f, "<path class=\"g\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>", at, TOP, HEIGHT - BOTTOM, at,
              HEIGHT - BOTTOM + 16, a->log ? pow(10, v) : v);
  }
}

static void curve(FILE *f, const axis *x, const axis *y, const pri_plot *p) {
  const double width = p->n > 1 ? (double)(WIDTH - LEFT - RIGHT) / (double)p->n : 10;
  int pen = 0;
  if (!p->bars) fputs("<path class=\"c\" d=\"", f);
  for (ptrdiff_t i = 0; i < p->n; i++) {
    if (!is_shown(x, y, p, i)) continue;
    const double px = place(x, p->x[i]), py = place(y, p->y[i]);
    if (p->bars) fprintf(f, "<rect class=\"b\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>", px - width / 2, py, width * 0.96, HEIGHT - BOTTOM - py);
    else fprintf(f, "%c%.2f %.2f", pen++ ? 'L' : 'M', px, py);
  }
  if (p->bars) return;
  fputs("\"/>", f);
  for (ptrdiff_t i = 0; i < p->n && p->n <= 60; i++)
    if (is_shown(x, y, p, i)) fprintf(f, "<circle class=\"d\" cx=\"%.2f\" cy=\"%.2f\" r=\"2.6\"/>", place(x, p->x[i]), place(y, p->y[i]));
}

void pri_report_plot(FILE *f, const pri_plot *p) {
  axis x = {.log = p->log_x, .from = LEFT, .to = WIDTH - RIGHT}, y = {.log = p->log_y, .from = HEIGHT - BOTTOM, .to = TOP};
  if (extent(&x, &y, p) < 2) return;
  if (y.log && y.hi - y.lo < 1) y.log = 0, extent(&x, &y, p); /* less than a decade has no ticks */
  fprintf(f, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\"><text class=\"t\" x=\"%d\" y=\"18\">%s</text>", WIDTH, HEIGHT, p->title, LEFT, p->title);
  ticks(f, &x, 0);
  ticks(f, &y, 1);
  fprintf(f, "<rect class=\"f\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
  if (usable(&y, p->line)) fprintf(f, "<path class=\"l\" d=\"M%d %.2fH%d\"/>", LEFT, place(&y, p->line), WIDTH - RIGHT);
  if (usable(&x, p->mark)) fprintf(f, "<path class=\"l\" d=\"M%.2f %dV%d\"/>", place(&x, p->mark), TOP, HEIGHT - BOTTOM);
  curve(f, &x, &y, p);
  fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, p->x_label);
  fprintf(f, "<text transform=\"translate(13 %d) rotate(-90)\" text-anchor=\"middle\">%s</text></svg></figure>\n", (TOP + HEIGHT - BOTTOM) / 2, p->y_label);
}
