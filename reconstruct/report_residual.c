/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_residual.c - what the model leaves of the data, r = A x - y: picture, spectrum, chi-square a view, and whether it is white:
 *   rho(l) = mean r_j r_(j+l) / mean r^2,  Q = sum over 24 lags l of N_l rho(l)^2,  chi-square with 24 degrees of freedom where r is white
 * (Box, Pierce 1970, in two dimensions; lags up to 3 in both directions, one of each pair +l, -l).
 */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>
#include "json.h"
#include "report.h"

enum { REACH = 3, LAGS = ((2 * REACH + 1) * (2 * REACH + 1) - 1) / 2 };

typedef struct plane { /* what is shown, and what is known of it */
  pri_real *r, *known; /* [h][w]; known 0: no datum */
  pri_real *u;         /* r times the root of its weight: as noisy everywhere as anywhere; without weights r */
  ptrdiff_t w, h;
  double count, mean, square; /* of known ones; the latter two of u */
} plane;

typedef struct white {
  double q, worst;    /* of rho: the one with the largest modulus */
  int dx, dy;         /* its lag */
  double along, down; /* rho(1, 0), rho(0, 1) */
} white;

/* ---- the plane: of a sinogram of rows (view, row, bin) that of the middle row, else the middle one */

static pri_status cut(pri_page *page, const pri_leftover *l, int scan, plane *p) {
  const pri_shape *s = &l->r.shape;
  const int rows = scan && s->nd == 3;
  const pri_real *from = pri_report_plane(s, l->r.data, &p->w, &p->h);
  if (rows) p->h = s->n[0], from = l->r.data + s->n[1] / 2 * p->w;
  const ptrdiff_t line = rows ? s->n[1] * p->w : p->w, at = from - l->r.data;
  PRI_ALLOC(page->ctx, p->r, 3 * p->w * p->h);
  p->known = p->r + p->w * p->h, p->u = p->known + p->w * p->h;
  for (ptrdiff_t j = 0; j < p->h; j++)
    for (ptrdiff_t i = 0; i < p->w; i++) {
      const ptrdiff_t k = at + j * line + i;
      p->r[j * p->w + i] = l->r.data[k];
      p->u[j * p->w + i] = l->w.data ? (pri_real)((double)l->r.data[k] * sqrt((double)l->w.data[k])) : l->r.data[k];
      p->known[j * p->w + i] = !((l->known && l->known[k] == 0) || (l->w.data && l->w.data[k] == 0));
    }
  for (ptrdiff_t i = 0; i < p->w * p->h; i++) p->count += (double)p->known[i], p->mean += (double)p->u[i];
  p->mean /= fmax(p->count, 1);
  for (ptrdiff_t i = 0; i < p->w * p->h; i++)
    if (p->known[i] != 0) p->square += pow((double)p->u[i] - p->mean, 2) / fmax(p->count, 1);
  return PRI_OK;
}

/* ---- is it white? */

static double correlation(const plane *p, int dx, int dy, double *pairs) {
  double sum = 0;
  *pairs = 0;
  for (ptrdiff_t j = 0; j + dy < p->h; j++)
    for (ptrdiff_t i = dx < 0 ? -dx : 0; i < p->w && i + dx < p->w; i++) {
      const ptrdiff_t a = j * p->w + i, b = a + dy * p->w + dx;
      if (p->known[a] == 0 || p->known[b] == 0) continue;
      sum += ((double)p->u[a] - p->mean) * ((double)p->u[b] - p->mean);
      *pairs += 1;
    }
  return *pairs > 0 && p->square > 0 ? sum / *pairs / p->square : 0;
}

static white whiteness(const plane *p) {
  white v = {0};
  for (int dy = 0; dy <= REACH; dy++)
    for (int dx = dy ? -REACH : 1; dx <= REACH; dx++) {
      double pairs;
      const double rho = correlation(p, dx, dy, &pairs);
      v.q += pairs * rho * rho;
      if (fabs(rho) > fabs(v.worst)) v.worst = rho, v.dx = dx, v.dy = dy;
      if (dx == 1 && dy == 0) v.along = rho;
      if (dx == 0 && dy == 1) v.down = rho;
    }
  return v;
}

static void say_white(FILE *f, const white *v) {
  static const double MATTERS = 0.05; /* a correlation below it is no structure that a picture would show */
  const double p = gsl_cdf_chisq_Q(v->q, LAGS), limit = gsl_cdf_chisq_Qinv(0.01, LAGS);
  fputs("<p>", f);
  if (p > 0.01) fputs("<b>The residual is white</b> as far as neighbours tell: nothing of the image is left in it. ", f);
  else if (fabs(v->worst) < MATTERS) fputs("<b>The residual is nearly white</b>: neighbours are correlated, measurably but weakly. ", f);
  else if (v->worst > 0)
    fputs(
        "<b>The residual is not white</b>: neighbours are alike. The data hold something that the image does not: its model is off, or its weight takes detail away. ",
        f);
  else
    fputs(
        "<b>The residual is not white</b>: neighbours are opposite. The slow part of the noise has gone into the image: the weight is low for this noise, or the residual holds little else than what the iteration had not reached. ",
        f);
  fprintf(
      f,
      "The largest of the %d correlations with neighbours up to %d away is %.3f, at (%d, %d). The sum of their squares is Q&#8239;=&#8239;",
      LAGS, REACH, v->worst, v->dx, v->dy);
  pri_report_number(f, v->q, 4);
  fprintf(f, " (white noise: %d on average, below %.3g in 99 of 100 cases; Box and Pierce).</p>\n", LAGS, limit);
}

/* ---- figures */

static double noise_of(const pri_page *page) {
  const json_t *noise = json_object_get(json_array_get(json_object_get(page->provenance, "weight_curves"), 0), "noise");
  const char *level = page->job->options.noise_level;
  double sd = NAN;
  if (json_is_number(noise)) return json_number_value(noise);
  if (level && !strncmp(level, "sd:", 3) &&
      pri_quantity_parse(page->ctx, "noise level", level + (strncmp(level, "sd:sd=", 6) ? 3 : 6), "1", &sd) != PRI_OK)
    sd = NAN;
  return sd;
}

static double root_mean_square(const pri_leftover *l, double *count) {
  double sum = 0;
  *count = 0;
  for (ptrdiff_t i = 0; i < pri_shape_size(&l->r.shape); i++) {
    const int known = !((l->known && l->known[i] == 0) || (l->w.data && l->w.data[i] == 0));
    if (known) sum += (double)l->r.data[i] * (double)l->r.data[i], *count += 1;
  }
  return sqrt(sum / fmax(*count, 1));
}

/* sum over a view of r^2 (with weights: w r^2) over its number and its expected value; 1: as large as the noise, or as the mean of all views */
static pri_status views(pri_page *page, const pri_leftover *l, double sd) {
  const ptrdiff_t n = l->r.shape.n[0], each = pri_shape_size(&l->r.shape) / n;
  const int relative = !isfinite(sd) || l->w.data != NULL;
  double *x, *y, all = 0;
  if (n < 2) return PRI_OK;
  PRI_ALLOC(page->ctx, x, 2 * n);
  y = x + n;
  for (ptrdiff_t v = 0; v < n; v++) {
    x[v] = (double)v;
    for (ptrdiff_t i = v * each; i < (v + 1) * each; i++)
      y[v] += (double)l->r.data[i] * (double)l->r.data[i] * (l->w.data ? (double)l->w.data[i] : 1) / (double)each;
    all += y[v] / (double)n;
  }
  for (ptrdiff_t v = 0; v < n; v++) y[v] = relative ? (all > 0 ? y[v] / all : 0) : y[v] / (sd * sd);
  pri_report_plot(page->f, &(pri_plot){.title = relative ? "Chi-square a view, over the mean of all views"
                                                         : "Chi-square a view, over that of the noise",
                                       .x_label = "view",
                                       .y_label = relative ? "relative to the mean" : "chi-square / bins",
                                       .x = x,
                                       .y = y,
                                       .n = n,
                                       .line = 1,
                                       .mark = NAN});
  pri_free(page->ctx, x);
  return PRI_OK;
}

static pri_status figures(pri_page *page, const pri_leftover *l, const plane *p, int scan) {
  const pri_picture data = {.title = "Data, as prepared",
                            .x = pri_report_plane(&l->y.shape, l->y.data, &(ptrdiff_t){0}, &(ptrdiff_t){0}),
                            .w = p->w,
                            .h = p->h,
                            .lo = NAN,
                            .hi = NAN,
                            .mm = NAN,
                            .across = "detector bin",
                            .down = "view"};
  pri_picture r = {.title = scan ? "Residual sinogram A x &minus; y" : "Residual A x &minus; y",
                   .x = p->r,
                   .w = p->w,
                   .h = p->h,
                   .colours = PRI_SIGNED,
                   .lo = NAN,
                   .hi = NAN,
                   .mm = scan ? NAN : pri_report_pitch(page)};
  if (scan) r.across = "detector bin", r.down = l->r.shape.nd > 2 ? "view (middle row)" : "view";
  r.note = "red: the model gives more than was measured";
  fputs("<div class=\"row\">", page->f);
  if (scan && l->y.shape.nd == 2 && page->job->job.set.n_prepare) /* else it is the input */
    PRI_TRY(pri_report_picture(page, &data));
  PRI_TRY(pri_report_picture(page, &r));
  PRI_TRY(pri_report_spectrum(page, p->u, p->w, p->h, p->square * p->count / (double)(p->w * p->h), scan));
  if (scan) PRI_TRY(views(page, l, noise_of(page)));
  fputs("</div>\n", page->f);
  return PRI_OK;
}

static void table(pri_page *page, const pri_leftover *l, const plane *p, const white *v) {
  double count;
  const double rms = root_mean_square(l, &count), sd = noise_of(page);
  char text[120];
  snprintf(text, sizeof text, "of A x &minus; y over the %.0f known values of this %s", count, page->word);
  fputs("<table>", page->f);
  pri_report_row(page->f, "root mean square", rms, "", text);
  pri_report_row(page->f, "noise level", sd, "", "standard deviation that the run was given or found");
  pri_report_row(page->f, "ratio", l->w.data && !l->known ? NAN : rms / sd, "", "1: the fit leaves the noise, no more and no less");
  pri_report_row(page->f, "mean", p->mean, "", "of the plane that is shown");
  pri_report_row(page->f, "correlation across", v->along, "", "of neighbours in a row; white noise: 0");
  pri_report_row(page->f, "correlation down", v->down, "", "of neighbours in a column");
  pri_report_row(page->f, "rounding", l->rounding > 0 ? l->rounding : NAN, "",
                 "step of the integers in the file: a part of the residual is theirs");
  fputs("</table>", page->f);
}

static pri_status show(pri_page *page, const pri_leftover *l) {
  const int scan = pri_job_ct(&page->job->job) != NULL;
  plane p = {0};
  PRI_TRY(cut(page, l, scan, &p));
  const white v = whiteness(&p);
  pri_status s = PRI_OK;
  if (p.square > 0 && p.count > 64) say_white(page->f, &v);
  s = figures(page, l, &p, scan);
  if (s == PRI_OK) table(page, l, &p, &v);
  if (l->rim > 0)
    fputs(
        "<p>The image was solved for beyond the field that is written; its border values stood in for the rest here, so that the residual is larger near the border than it was.</p>",
        page->f);
  if (l->w.data)
    fputs(
        "<p>Data have weights: those of weight 0 count as unknown here, and whiteness, spectrum, mean and chi-square are those of A x &minus; y times the root of its weight.</p>",
        page->f);
  pri_free(page->ctx, p.r);
  return s;
}

pri_status pri_report_residual(pri_page *page) {
  pri_leftover l;
  if (!page->job && !page->missing) return PRI_OK;
  fputs("<section><h2>What the model leaves</h2>", page->f);
  const pri_status s = page->job ? pri_rebuild_leftover(page->job, &l, page->x, page->item) : PRI_EREAD;
  if (s == PRI_OK) {
    const pri_status shown = show(page, &l);
    pri_leftover_destroy(&l);
    PRI_TRY(shown);
  } else {
    char *why = page->job ? pri_message_plain(page->ctx) : NULL;
    fputs("<p>There is no residual here: ", page->f);
    pri_report_text(page->f, why ? why : page->missing ? page->missing : "out of memory");
    fputs(page->job ? ".</p>" : ". Where the inputs lie can be said: <code>priori report RESULT INPUT... -o PAGE.html</code>.</p>",
          page->f);
    pri_free(page->ctx, why);
  }
  fputs("</section>\n", page->f);
  return PRI_OK;
}
