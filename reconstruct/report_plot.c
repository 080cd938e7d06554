/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_plot.c - curves as SVG: linear or logarithmic axes, ticks at 1, 2, 5 or at decades; colours are the page's. Numbers as text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

enum { WIDTH = 460, HEIGHT = 280, LEFT = 64, RIGHT = 14, TOP = 34, BOTTOM = 46 };

typedef struct axis {
  double lo, hi; /* logarithms where log */
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

/* "1.5e-07" in two parts; 1: it has an exponent */
static int split(double v, int digits, char *mantissa, size_t n, int *power) {
  snprintf(mantissa, n, "%.*g", digits, v);
  char *e = strchr(mantissa, 'e');
  if (!e) return 0;
  *power = atoi(e + 1);
  *e = 0;
  return 1;
}

void pri_report_number(FILE *f, double v, int digits) {
  char m[40];
  int power;
  if (!isfinite(v)) {
    fputs("&ndash;", f);
    return;
  }
  if (v < 0) fputs("&minus;", f);
  v = fabs(v);
  if (!split(v, digits, m, sizeof m, &power)) fputs(m, f);
  else if (!strcmp(m, "1")) fprintf(f, "10<sup>%d</sup>", power);
  else fprintf(f, "%s&#8239;&times;&#8239;10<sup>%d</sup>", m, power);
}

void pri_report_row(FILE *f, const char *what, double v, const char *unit, const char *explained) {
  if (!isfinite(v)) return;
  fprintf(f, "<tr><th>%s</th><td class=\"n\">", what);
  pri_report_number(f, v, 5);
  fprintf(f, "%s%s</td><td>%s</td></tr>\n", *unit ? "&#8239;" : "", unit, explained);
}

static void svg_number(FILE *f, double v) {
  char m[40];
  int power;
  if (v < 0) fputs("&#8722;", f);
  v = fabs(v);
  if (!split(v, 4, m, sizeof m, &power)) fputs(m, f);
  else fprintf(f, "%s%s10<tspan dy=\"-4\" font-size=\"8\">%d</tspan>", strcmp(m, "1") ? m : "", strcmp(m, "1") ? "&#183;" : "", power);
}

static double scaled(const axis *a, double v) { return a->log ? log10(v) : v; }
static double place(const axis *a, double v) { return a->from + (scaled(a, v) - a->lo) / (a->hi - a->lo) * (a->to - a->from); }
static int usable(const axis *a, double v) { return isfinite(v) && (!a->log || v > 0); }

static int curves(const pri_plot *p) {
  int n = 1;
  while (n <= PRI_PLOT_MORE && p->more[n - 1]) n++;
  return n;
}
static const double *values(const pri_plot *p, int c) { return c ? p->more[c - 1] : p->y; }

static void include(axis *a, double v) {
  if (usable(a, v)) a->lo = fmin(a->lo, scaled(a, v)), a->hi = fmax(a->hi, scaled(a, v));
}

/* Returns the number of points that can be shown. */
static ptrdiff_t extent(axis *x, axis *y, const pri_plot *p) {
  ptrdiff_t n = 0;
  x->lo = y->lo = INFINITY, x->hi = y->hi = -INFINITY;
  for (int c = 0; c < curves(p); c++)
    for (ptrdiff_t i = 0; i < p->n; i++) {
      if (!usable(x, p->x[i]) || !usable(y, values(p, c)[i])) continue;
      include(x, p->x[i]), include(y, values(p, c)[i]);
      n++;
    }
  if (p->bars) include(y, y->log ? pow(10, floor(fmin(0, y->lo))) : 0);
  include(y, p->line);
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

static void tick(FILE *f, const axis *a, int vertical, double v) {
  const double at = place(a, v);
  if (vertical)
    fprintf(f, "<path class=\"g\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT, at, WIDTH - RIGHT, LEFT - 6,
            at + 4);
  else
    fprintf(f, "<path class=\"g\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", at, TOP, HEIGHT - BOTTOM, at,
            HEIGHT - BOTTOM + 16);
  svg_number(f, v);
  fputs("</text>", f);
}

static void ticks(FILE *f, const axis *a, int vertical) {
  const double step = step_of(a);
  const int fine = a->log && a->hi - a->lo < 2; /* 1, 2, 5 of each decade */
  for (double t = (fine ? floor(a->lo) : ceil(a->lo / step - 1e-9) * step); t <= a->hi + 1e-9 * step; t += step) {
    const double v = fabs(t) < 1e-12 * step ? 0 : t;
    if (!fine) tick(f, a, vertical, a->log ? pow(10, v) : v);
    for (int m = 0; fine && m < 3; m++) {
      const double w = (m == 0 ? 1 : m == 1 ? 2 : 5) * pow(10, v);
      if (log10(w) >= a->lo - 1e-9 && log10(w) <= a->hi + 1e-9) tick(f, a, vertical, w);
    }
  }
}

static void bars(FILE *f, const axis *x, const axis *y, const pri_plot *p) {
  const double width = p->n > 1 ? (double)(WIDTH - LEFT - RIGHT) / (double)p->n : 10;
  for (ptrdiff_t i = 0; i < p->n; i++) {
    if (!usable(x, p->x[i]) || !usable(y, p->y[i])) continue;
    const double left = LEFT + (double)i * width, top = place(y, p->y[i]);
    fprintf(f, "<rect class=\"b\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>", left, top, width * 0.96, HEIGHT - BOTTOM - top);
  }
}

static void curve(FILE *f, const axis *x, const axis *y, const pri_plot *p, int c) {
  const double *v = values(p, c);
  int pen = 0;
  fprintf(f, "<path class=\"c k%d\" d=\"", c);
  for (ptrdiff_t i = 0; i < p->n; i++)
    if (usable(x, p->x[i]) && usable(y, v[i])) fprintf(f, "%c%.2f %.2f", pen++ ? 'L' : 'M', place(x, p->x[i]), place(y, v[i]));
  fputs("\"/>", f);
  for (ptrdiff_t i = 0; i < p->n && p->n <= 60; i++)
    if (usable(x, p->x[i]) && usable(y, v[i]))
      fprintf(f, "<circle class=\"d k%d\" cx=\"%.2f\" cy=\"%.2f\" r=\"2.4\"/>", c, place(x, p->x[i]), place(y, v[i]));
}

static void band(FILE *f, const axis *x, const axis *y, const pri_plot *p) {
  int pen = 0;
  fputs("<path class=\"a\" d=\"", f);
  for (ptrdiff_t i = 0; i < p->n; i++)
    if (usable(x, p->x[i]) && usable(y, p->y[i])) fprintf(f, "%c%.2f %.2f", pen++ ? 'L' : 'M', place(x, p->x[i]), place(y, p->y[i]));
  for (ptrdiff_t i = p->n - 1; i >= 0; i--)
    if (usable(x, p->x[i]) && usable(y, p->more[0][i]))
      fprintf(f, "%c%.2f %.2f", pen++ ? 'L' : 'M', place(x, p->x[i]), place(y, p->more[0][i]));
  fputs("Z\"/>", f);
}

static void names(FILE *f, const pri_plot *p) {
  if (!p->names[0]) return;
  fputs("<figcaption>", f);
  for (int c = 0; c < curves(p); c++) fprintf(f, "<span class=\"key k%d\">&#9632;</span>&nbsp;%s ", c, p->names[c] ? p->names[c] : "");
  fputs("</figcaption>", f);
}

void pri_report_plot(FILE *f, const pri_plot *p) {
  axis x = {.log = p->log_x, .from = LEFT, .to = WIDTH - RIGHT}, y = {.log = p->log_y, .from = HEIGHT - BOTTOM, .to = TOP};
  if (extent(&x, &y, p) < 2) return;
  if (x.log && x.hi - x.lo < 0.7) x.log = 0, extent(&x, &y, p); /* there 1, 2 and 5 may give no two ticks */
  if (y.log && y.hi - y.lo < 0.7) y.log = 0, extent(&x, &y, p);
  fprintf(f, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\"><text class=\"t\" x=\"%d\" y=\"18\">%s</text>", WIDTH,
          HEIGHT, p->title, LEFT, p->title);
  ticks(f, &x, 0);
  ticks(f, &y, 1);
  fprintf(f, "<rect class=\"f\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
  if (usable(&y, p->line)) fprintf(f, "<path class=\"l\" d=\"M%d %.2fH%d\"/>", LEFT, place(&y, p->line), WIDTH - RIGHT);
  if (usable(&x, p->mark)) fprintf(f, "<path class=\"l\" d=\"M%.2f %dV%d\"/>", place(&x, p->mark), TOP, HEIGHT - BOTTOM);
  if (p->band) band(f, &x, &y, p);
  if (p->bars) bars(f, &x, &y, p);
  for (int c = curves(p) - 1; c >= 0 && !p->bars; c--) curve(f, &x, &y, p, c);
  fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, p->x_label);
  fprintf(f, "<text transform=\"translate(13 %d) rotate(-90)\" text-anchor=\"middle\">%s</text></svg>", (TOP + HEIGHT - BOTTOM) / 2,
          p->y_label);
  names(f, p);
  fputs("</figure>\n", f);
}
