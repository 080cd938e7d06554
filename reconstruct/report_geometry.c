/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_geometry.c - where the rays of a scan ran: image, circle of the source (parallel: the directions that rays come from), one dot a view,
 * detector and outermost rays of the first view, projected axis; and the figures in a table. World x to the right, y up, as the geometry has them.
 */
#include <math.h>
#include <string.h>
#include "report.h"

enum { WIDTH = 560, DOTS = 240 };
static const double AROUND = 1.35; /* of the image's half diagonal: where directions and detector of parallel beams are drawn */
static const double DEGREES = 57.29577951308232;

typedef struct drawing {
  FILE *f;
  const pri_geometry *g;
  double half, scale, left, top, bottom; /* mm: half diagonal; px a mm; mm at the left, upper and lower edge */
} drawing;

static double X(const drawing *d, double x) { return (x - d->left) * d->scale; }
static double Y(const drawing *d, double y) { return (d->top - y) * d->scale; }

static int is_parallel(const pri_geometry *g) { return g->beam == PRI_PARALLEL; }

/* Ends of the ray of a bin: where it begins (parallel: on the circle of directions) and where it meets the detector. */
static void ray(const drawing *d, ptrdiff_t view, double bin, double from[2], double to[2]) {
  const pri_geometry *g = d->g;
  double s[3], a[3], t = g->sdd, back = 0;
  pri_geometry_ray(g, view, g->row_center, bin, s, a);
  if (is_parallel(g)) back = -AROUND * d->half - (s[0] * a[0] + s[1] * a[1]), t = AROUND * d->half - (s[0] * a[0] + s[1] * a[1]);
  else if (g->beam == PRI_VECTORS) t = hypot(g->vectors[12 * view + 3] - s[0], g->vectors[12 * view + 4] - s[1]);
  else if (g->beam != PRI_FAN_CURVED)
    t = -g->sdd * hypot(s[0], s[1]) / (s[0] * a[0] + s[1] * a[1]); /* the panel stands across the line through the axis */
  for (int k = 0; k < 2; k++) from[k] = s[k] + back * a[k], to[k] = s[k] + t * a[k];
}

/* Of a view: the point that stands for it. */
static void stand(const drawing *d, ptrdiff_t view, double at[2]) {
  double to[2];
  ray(d, view, d->g->center, at, to);
}

static void include(drawing *d, double *right, const double p[2]) {
  d->left = fmin(d->left, p[0]), *right = fmax(*right, p[0]);
  d->bottom = fmin(d->bottom, p[1]), d->top = fmax(d->top, p[1]);
}

static double frame(drawing *d) { /* returns the height in px */
  const pri_geometry *g = d->g;
  double right, p[2], q[2];
  d->half = hypot((double)g->n[0], (double)g->n[1]) * g->pixel / 2;
  d->left = d->bottom = -d->half, d->top = right = d->half;
  for (ptrdiff_t v = 0; v < g->views; v++) stand(d, v, p), include(d, &right, p);
  for (int e = 0; e < 2; e++) ray(d, 0, e ? (double)g->bins - 0.5 : -0.5, p, q), include(d, &right, p), include(d, &right, q);
  const double air = 0.06 * fmax(right - d->left, d->top - d->bottom);
  d->left -= air, right += air, d->bottom -= air, d->top += air;
  d->scale = WIDTH / fmax(right - d->left, d->top - d->bottom);
  d->left -= (WIDTH / d->scale - (right - d->left)) / 2;
  return (d->top - d->bottom) * d->scale;
}

static void line(const drawing *d, const char *class, const double a[2], const double b[2]) {
  fprintf(d->f, "<path class=\"%s\" d=\"M%.2f %.2fL%.2f %.2f\"/>", class, X(d, a[0]), Y(d, a[1]), X(d, b[0]), Y(d, b[1]));
}

static void label(const drawing *d, const double p[2], const char *text, double dx, double dy) {
  const double x = fmin(fmax(X(d, p[0]) + dx, 4), WIDTH - 4);
  fprintf(d->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, Y(d, p[1]) + dy,
          x > WIDTH * 0.7   ? "end"
          : x < WIDTH * 0.3 ? "start"
                            : "middle",
          text);
}

static void image(const drawing *d) {
  const double w = (double)d->g->n[0] * d->g->pixel, h = (double)d->g->n[1] * d->g->pixel;
  fprintf(d->f, "<rect class=\"f\" fill-opacity=\".12\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>", X(d, -w / 2), Y(d, h / 2),
          w * d->scale, h * d->scale);
  fprintf(d->f, "<circle class=\"g\" fill=\"none\" cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\"/>", X(d, 0), Y(d, 0), fmin(w, h) / 2 * d->scale);
  fprintf(d->f, "<path class=\"f\" d=\"M%.2f %.2fh10m-5 -5v10\"/><text x=\"%.2f\" y=\"%.2f\">axis</text>", X(d, 0) - 5, Y(d, 0),
          X(d, 0) + 7, Y(d, 0) - 5);
  fprintf(d->f, "<text x=\"%.1f\" y=\"%.1f\">image</text>", X(d, -w / 2) + 4, Y(d, h / 2) + 13);
}

static void views(const drawing *d) {
  const ptrdiff_t each = 1 + (d->g->views - 1) / DOTS;
  double p[2];
  for (ptrdiff_t v = 0; v < d->g->views; v += each) {
    stand(d, v, p);
    fprintf(d->f, "<circle class=\"d k0\" cx=\"%.2f\" cy=\"%.2f\" r=\"1.8\"/>", X(d, p[0]), Y(d, p[1]));
  }
}

static void first_view(const drawing *d) {
  const pri_geometry *g = d->g;
  double p[2], q[2], a[2], b[2], m[2], s[2];
  ray(d, 0, -0.5, p, a);
  line(d, "c k2", p, a);
  ray(d, 0, (double)g->bins - 0.5, q, b);
  line(d, "c k2", q, b);
  fprintf(d->f, "<path class=\"c k1\" stroke-width=\"4\" d=\"M%.2f %.2fL%.2f %.2f\"/>", X(d, a[0]), Y(d, a[1]), X(d, b[0]), Y(d, b[1]));
  ray(d, 0, g->center, s, m);
  line(d, "l", s, m);
  fprintf(d->f, "<circle class=\"d k1\" cx=\"%.2f\" cy=\"%.2f\" r=\"3.5\"/>", X(d, m[0]), Y(d, m[1]));
  label(d, s, is_parallel(g) ? "rays of the first view" : "source, first view", 0, s[1] < 0 ? 16 : -10);
  label(d, b, "detector, last bin", 0, b[1] < 0 ? 16 : -8);
}

/* ---- figures */

static const char *beam_name(const pri_geometry *g) {
  static const char *const names[] = {"parallel", "fan, flat detector", "fan, curved detector", "cone, flat panel", "a vector a view"};
  return names[g->beam];
}

/* degrees; 0 where rays are parallel or not described by distances */
static double fan_of(const pri_geometry *g) {
  if (is_parallel(g) || g->beam == PRI_VECTORS) return 0;
  const double half = (double)g->bins * g->bin / 2 / g->sdd;
  return 2 * DEGREES * (g->beam == PRI_FAN_CURVED ? half : atan(half));
}
static double fan_of_image(const pri_geometry *g) {
  if (is_parallel(g) || g->beam == PRI_VECTORS) return 0;
  return 2 * DEGREES * asin(fmin(1, fmin((double)g->n[0], (double)g->n[1]) * g->pixel / 2 / g->sod));
}

static void angles(FILE *f, const pri_geometry *g) {
  char text[160];
  double lo = INFINITY, hi = -INFINITY;
  for (ptrdiff_t v = 0; g->angle && v < g->views; v++) lo = fmin(lo, g->angle[v] * DEGREES), hi = fmax(hi, g->angle[v] * DEGREES);
  if (!(hi >= lo)) return;
  const double step = g->views > 1 ? (hi - lo) / (double)(g->views - 1) : 0, arc = hi - lo + step, fan = fan_of(g),
               need = fmin(fan, fan_of_image(g));
  snprintf(text, sizeof text, "from %.6g&deg; to %.6g&deg;, %.4g&deg; apart on average", lo, hi, step);
  pri_report_row(f, "views", (double)g->views, "", text);
  const char *kind = is_parallel(g)        ? (arc > 179.5 ? "half a turn is complete for parallel rays"
                                                          : "less than half a turn: a wedge of directions is missing")
                     : arc > 359.5         ? "a full turn"
                     : arc >= 179.5 + need ? "a short scan: half a turn and the fan angle, or more"
                                           : "less than half a turn and the fan angle: some directions are missing";
  pri_report_row(f, "arc", arc, "&deg;", kind);
  if (fan > 0)
    snprintf(text, sizeof text, "of all bins; the circle in the image needs %.4g&deg;", fan_of_image(g)),
        pri_report_row(f, "fan angle", fan, "&deg;", text);
}

static void detector(FILE *f, const pri_geometry *g) {
  const double middle = (double)(g->bins - 1) / 2, off = g->center - middle;
  char text[160], a[48], b[48];
  snprintf(text, sizeof text, "of %s each: %s wide", pri_report_length(g->bin, a, sizeof a),
           pri_report_length(g->bin * (double)g->bins, b, sizeof b));
  pri_report_row(f, "detector bins", (double)g->bins, "", text);
  if (g->rows > 1)
    snprintf(text, sizeof text, "of %s each; the middle one is %.5g", pri_report_length(g->row, a, sizeof a), g->row_center),
        pri_report_row(f, "detector rows", (double)g->rows, "", text);
  if (g->beam == PRI_VECTORS) return;
  if (fabs(off) < 5e-4) snprintf(text, sizeof text, "the bin (from 0) that the axis projects to: the middle of the detector");
  else
    snprintf(text, sizeof text, "the bin (from 0) that the axis projects to: %+.4g bins or %s off the middle, %.5g", off,
             pri_report_length(off * g->bin, a, sizeof a), middle);
  fprintf(f, "<tr><th>centre</th><td class=\"n\">%.3f</td><td>%s</td></tr>\n", g->center, text);
  if (fabs(g->tilt) > 0) pri_report_row(f, "tilt of the panel", g->tilt * DEGREES, "&deg;", "");
}

static void distances(FILE *f, const pri_geometry *g) {
  char a[48];
  if (is_parallel(g) || g->beam == PRI_VECTORS) return;
  fprintf(f, "<tr><th>source to axis</th><td class=\"n\">%s</td><td></td></tr>\n", pri_report_length(g->sod, a, sizeof a));
  fprintf(f, "<tr><th>source to detector</th><td class=\"n\">%s</td><td>magnified %.4g times</td></tr>\n",
          pri_report_length(g->sdd, a, sizeof a), g->sdd / g->sod);
}

static void seen(FILE *f, const pri_geometry *g) {
  char text[200], a[48], b[48];
  if (g->beam == PRI_VECTORS) return;
  const double near = fmin(g->center + 0.5, (double)g->bins - 0.5 - g->center) * g->bin,
               radius = is_parallel(g) ? near : g->sod * sin(atan(near / g->sdd));
  snprintf(text, sizeof text, "pixels of %s: %s wide", pri_report_length(g->pixel, a, sizeof a),
           pri_report_length(g->pixel * (double)g->n[0], b, sizeof b));
  fprintf(f, "<tr><th>image</th><td class=\"n\">%td &times; %td</td><td>%s</td></tr>\n", g->n[0], g->n[1], text);
  fprintf(
      f,
      "<tr><th>seen by every view</th><td class=\"n\">%s</td><td>radius of the disc around the axis; the circle in the image has %s</td></tr>\n",
      pri_report_length(radius, a, sizeof a), pri_report_length(fmin((double)g->n[0], (double)g->n[1]) * g->pixel / 2, b, sizeof b));
}

static void show(pri_page *page, const pri_geometry *g) {
  drawing d = {.f = page->f, .g = g};
  const double height = frame(&d);
  fputs("<section><h2>Geometry</h2><div class=\"row\"><figure>", page->f);
  fprintf(page->f, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"geometry of the scan\">", WIDTH, height);
  image(&d);
  views(&d);
  first_view(&d);
  fprintf(
      page->f,
      "</svg><figcaption><b>To scale</b>, x to the right, y up. <span class=\"key k0\">&#9679;</span>&nbsp;%s, one dot a view%s. <span class=\"key k2\">&#9632;</span>&nbsp;outermost rays of the first view, "
      "<span class=\"key k1\">&#9632;</span>&nbsp;its detector; the dot on it, at the end of the dashed line, is where the axis projects to.</figcaption></figure>\n",
      is_parallel(g) ? "directions that rays come from" : "source", g->views > DOTS ? " or a few" : "");
  fputs("<div class=\"side\"><table>", page->f);
  fprintf(page->f, "<tr><th>beam</th><td class=\"n\">%s</td><td></td></tr>\n", beam_name(g));
  angles(page->f, g);
  distances(page->f, g);
  detector(page->f, g);
  seen(page->f, g);
  fputs("</table></div></div>", page->f);
  if (pri_report_assumed(page))
    fputs("<p>Nothing said how large a bin is, so that it counts as 1&#8239;mm: read all lengths here in bins.</p>", page->f);
  fputs("</section>\n", page->f);
}

/* The input may be gone: configuration and size of the image say enough. */
static pri_status without_input(pri_page *page) {
  const json_t *center = json_object_get(page->provenance, "center");
  const pri_meta meta = pri_meta_unknown();
  const pri_shape none = {0};
  pri_operator *A;
  if (!page->x || page->asked.operators.n != 1 || strncmp(page->asked.operators.v[0], "ct:", 3) || !page->missing) return PRI_OK;
  PRI_TRY(pri_operators_create(page->ctx, &A, &page->asked.operators, json_is_number(center) ? json_number_value(center) : NAN, &meta,
                               &page->shape, &none));
  const pri_geometry *g = pri_operator_geometry(A);
  if (g) show(page, g);
  pri_operator_destroy(&A);
  return PRI_OK;
}

pri_status pri_report_geometry(pri_page *page) {
  const pri_geometry *g = page->job ? pri_job_ct(&page->job->job) : NULL;
  if (!g) return without_input(page);
  show(page, g);
  return PRI_OK;
}
