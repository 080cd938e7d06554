/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_psf.c - the point-spread function: what the blur makes of one bright pixel in the middle of the image. Full width at half maximum
 * along an axis: distance of the points left and right of the peak where the cut, linear between pixels, is half of it.
 */
#include <math.h>
#include <string.h>
#include "report.h"

enum { FARTHEST = 64 };           /* pixels from the peak that are shown at most */
static const double LEAST = 1e-4; /* of the peak: what is shown */

typedef struct spread {
  const pri_real *h;       /* of one channel */
  ptrdiff_t n[3], peak[3]; /* z, y, x */
  ptrdiff_t reach[3];      /* farthest element above LEAST */
  double top, pitch[3];    /* mm; NAN: unknown */
} spread;

static ptrdiff_t stride(const spread *p, int axis) { return axis == 0 ? p->n[1] * p->n[2] : axis == 1 ? p->n[2] : 1; }
static ptrdiff_t origin(const spread *p) { return (p->peak[0] * p->n[1] + p->peak[1]) * p->n[2] + p->peak[2]; }

static void measure(spread *p) {
  const ptrdiff_t all = p->n[0] * p->n[1] * p->n[2];
  ptrdiff_t at = 0;
  for (ptrdiff_t i = 1; i < all; i++)
    if (p->h[i] > p->h[at]) at = i;
  p->top = (double)p->h[at];
  p->peak[2] = at % p->n[2], p->peak[1] = at / p->n[2] % p->n[1], p->peak[0] = at / p->n[2] / p->n[1];
  for (ptrdiff_t i = 0; i < all; i++) {
    if (fabs((double)p->h[i]) < LEAST * p->top) continue;
    const ptrdiff_t place[3] = {i / p->n[2] / p->n[1], i / p->n[2] % p->n[1], i % p->n[2]};
    for (int a = 0; a < 3; a++) {
      const ptrdiff_t far = place[a] > p->peak[a] ? place[a] - p->peak[a] : p->peak[a] - place[a];
      if (far > p->reach[a]) p->reach[a] = far < FARTHEST ? far : FARTHEST;
    }
  }
}

/* Pixels from the peak to half of it, in the direction sign; NAN: it does not come down within the image */
static double half_width(const spread *p, int axis, int sign) {
  double before = p->top;
  for (ptrdiff_t k = 1; p->peak[axis] + sign * k >= 0 && p->peak[axis] + sign * k < p->n[axis]; k++) {
    const double now = (double)p->h[origin(p) + sign * k * stride(p, axis)];
    if (now <= p->top / 2) return (double)(k - 1) + (before - p->top / 2) / (before - now);
    before = now;
  }
  return NAN;
}

static void width_row(FILE *f, const spread *p, int axis, const char *what) {
  char text[48] = "";
  const double w = half_width(p, axis, -1) + half_width(p, axis, 1);
  if (p->n[axis] < 2 || !isfinite(w)) return;
  if (p->pitch[axis] > 0) pri_report_length(w * p->pitch[axis], text, sizeof text);
  pri_report_row(f, what, w, "pixels", text);
}

/* ---- figures */

/* The plane of axes down, across through the peak, as log10 of the share of the peak. */
static pri_status picture(pri_page *page, const spread *p, int down, int across, const char *title) {
  const ptrdiff_t h = 2 * p->reach[down] + 1, w = 2 * p->reach[across] + 1;
  pri_real *to;
  if (h < 2 || w < 2) return PRI_OK;
  PRI_ALLOC(page->ctx, to, w * h);
  for (ptrdiff_t j = 0; j < h; j++)
    for (ptrdiff_t i = 0; i < w; i++) {
      const ptrdiff_t y = j - p->reach[down], x = i - p->reach[across];
      const int inside = p->peak[down] + y >= 0 && p->peak[down] + y < p->n[down] && p->peak[across] + x >= 0 &&
                         p->peak[across] + x < p->n[across];
      const double v = inside ? (double)p->h[origin(p) + y * stride(p, down) + x * stride(p, across)] / p->top : 0;
      to[j * w + i] = (pri_real)log10(fmax(v, LEAST));
    }
  const int same = p->pitch[down] == p->pitch[across];
  const pri_status s = pri_report_picture(
      page,
      &(pri_picture){.title = title,
                     .x = to,
                     .w = w,
                     .h = h,
                     .decades = 1,
                     .lo = log10(LEAST),
                     .hi = 0,
                     .unit = "of the peak",
                     .mm = p->pitch[across],
                     .note = same || !(p->pitch[down] > 0) ? "logarithmic" : "logarithmic; the pixels are drawn square, but are not"});
  pri_free(page->ctx, to);
  return s;
}

static pri_status cuts(pri_page *page, const spread *p) {
  const ptrdiff_t far = p->reach[0] > p->reach[1]   ? (p->reach[0] > p->reach[2] ? p->reach[0] : p->reach[2])
                        : p->reach[1] > p->reach[2] ? p->reach[1]
                                                    : p->reach[2],
                  n = 2 * far + 1;
  double *x;
  if (far < 1) return PRI_OK;
  PRI_ALLOC(page->ctx, x, 4 * n);
  for (ptrdiff_t i = 0; i < n; i++) x[i] = (double)(i - far);
  for (int a = 0; a < 3; a++)
    for (ptrdiff_t i = 0; i < n; i++) {
      const ptrdiff_t at = p->peak[a] + i - far;
      x[(3 - a) * n + i] = at >= 0 && at < p->n[a] && p->n[a] > 1 ? (double)p->h[origin(p) + (i - far) * stride(p, a)] / p->top : NAN;
    }
  pri_report_plot(page->f, &(pri_plot){.title = "Cuts through its peak; dashed: half",
                                       .x_label = "distance from the peak (pixels)",
                                       .y_label = "share of the peak",
                                       .x = x,
                                       .y = x + n,
                                       .n = n,
                                       .line = 0.5,
                                       .mark = NAN,
                                       .more = {x + 2 * n, p->n[0] > 1 ? x + 3 * n : NULL},
                                       .names = {"across (x)", "down (y)", "axial (z)"}});
  pri_free(page->ctx, x);
  return PRI_OK;
}

static pri_status show(pri_page *page, spread *p, ptrdiff_t channel, ptrdiff_t channels) {
  measure(p);
  if (!(p->top > 0)) return PRI_OK;
  if (channels > 1) fprintf(page->f, "<p>Channel %td of %td (from 0).</p>", channel, channels);
  fputs("<div class=\"row\">", page->f);
  PRI_TRY(picture(page, p, 1, 2, "Point-spread function, x&ndash;y"));
  PRI_TRY(picture(page, p, 0, 2, "Point-spread function, x&ndash;z"));
  PRI_TRY(cuts(page, p));
  fputs("</div><table>", page->f);
  width_row(page->f, p, 2, "full width at half maximum, x");
  width_row(page->f, p, 1, "full width at half maximum, y");
  width_row(page->f, p, 0, "full width at half maximum, z");
  pri_report_row(page->f, "peak", p->top, "", "of a sum of 1: share of a point's light that stays in its pixel");
  fputs("</table>\n", page->f);
  return PRI_OK;
}

/* ---- the response */

static int is_blur(const char *spec) { return !strncmp(spec, "blur", 4) && (spec[4] == 0 || spec[4] == ':'); }

/* One bright pixel in the middle of every image of an item. */
static void light(pri_array *x, ptrdiff_t channels) {
  const pri_shape *s = &x->shape;
  const ptrdiff_t each = pri_shape_size(s) / channels;
  ptrdiff_t at = 0;
  for (int a = channels > 1 ? 1 : 0; a < s->nd; a++) at = at * s->n[a] + s->n[a] / 2;
  for (ptrdiff_t c = 0; c < channels; c++) x->data[c * each + at] = 1;
}

static pri_status respond(pri_page *page, const pri_operator *A, const pri_meta *meta, ptrdiff_t channels) {
  enum { MOST = 4 };
  pri_array x = {0}, y = {0};
  const pri_shape *s = pri_operator_range(A);
  pri_status st = pri_array_create(page->ctx, &x, pri_operator_domain(A), 1);
  if (st == PRI_OK) st = pri_array_create(page->ctx, &y, s, 1);
  if (st == PRI_OK) light(&x, channels), st = pri_operator_apply(A, &y, &x);
  for (ptrdiff_t c = 0; c < channels && c < MOST && st == PRI_OK; c++) {
    const int deep = s->nd == 3 && channels == 1;
    spread p = {.h = y.data + c * (pri_shape_size(s) / channels),
                .n = {deep ? s->n[0] : 1, s->n[s->nd - 2], s->n[s->nd - 1]},
                .pitch = {deep ? meta->pixel[2] : NAN, meta->pixel[1], meta->pixel[0]}};
    st = show(page, &p, c, channels);
  }
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  return st;
}

/* The item of a job that cannot be made again: a page of the result, or as many as the result has along this axis. */
static pri_shape guess(const pri_page *page, char axis) {
  const char *at = page->info->axes ? strchr(page->info->axes, axis) : NULL;
  const pri_shape *s = &page->shape;
  if (!at || s->nd != 2) return *s;
  return (pri_shape){3, {page->info->shape[at - page->info->axes], s->n[0], s->n[1]}};
}

/* The blur by itself, at the size of an image; channels: of an item that are blurred by themselves. */
static pri_status make(pri_page *page, pri_operator **A, int which, const pri_meta *meta, ptrdiff_t *channels) {
  const pri_shape none = {0};
  const char *spec = page->asked.operators.v[which];
  const pri_job *job = page->job ? &page->job->job : NULL;
  char *text = NULL;
  PRI_TRY(pri_spec_get(page->ctx, spec, "channels", NULL, &text));
  const int split = text && !strcmp(text, "yes");
  pri_free(page->ctx, text);
  pri_shape whole = job ? pri_box_shape(&job->set.frame, job->set.image.nd) : split ? guess(page, 'c') : page->shape;
  pri_status s = pri_operator_create(page->ctx, A, spec, meta, &none, which == 0 || !job ? &whole : &job->set.data);
  if (s == PRI_ESHAPE && !job) {
    whole = guess(page, 'z');
    s = pri_operator_create(page->ctx, A, spec, meta, &none, &whole);
  }
  *channels = split && whole.nd == 3 ? whole.n[0] : 1;
  return s;
}

pri_status pri_report_psf(pri_page *page) {
  const pri_texts *specs = &page->asked.operators;
  const pri_meta *meta = page->job ? &page->job->job.set.meta : page->info ? &page->info->meta : NULL; /* the input may be gone */
  pri_operator *A = NULL;
  ptrdiff_t channels;
  int i = 0;
  while (i < specs->n && !is_blur(specs->v[i])) i++;
  if (i == specs->n || !meta || !page->x) return PRI_OK;
  PRI_TRY(make(page, &A, i, meta, &channels));
  fputs("<section><h2>Point-spread function</h2><p>What the blur of the model makes of one bright pixel in the middle of the image: <code>",
        page->f);
  pri_report_text(page->f, specs->v[i]);
  fputs("</code></p>", page->f);
  const pri_status s = respond(page, A, meta, channels);
  pri_operator_destroy(&A);
  fputs("</section>\n", page->f);
  return s;
}
