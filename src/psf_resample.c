/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * psf_resample.c - a point-spread function from the pitch of its file to that of the image, s = image / file along an axis.
 *
 *   h'_i = mean of the cubic spline through h over [s i - w/2, s i + w/2], i from the centre, w = sqrt(s^2 - 1) for s > 1; else its value
 *
 * A pixel of width p has averaged h over p, variance p^2 / 12; a box of w makes that (s p)^2 / 12, what the image's pixel does. (Where the
 * image's pixels are the finer ones, the averaging in the file cannot be undone.) Axis by axis; h is 0 beyond its ends.
 */
#include <gsl/gsl_spline.h>
#include <string.h>
#include "psf.h"

enum { Z, Y, X };
enum { ENDS = 3 }; /* zeros before and behind */

struct curve { /* one line of h: knots at -ENDS, ..., k - 1 + ENDS */
  gsl_spline *spline;
  double *t, *v;
  size_t n;
};

static double mean(const struct curve *c, double at, double w) {
  const double lo = c->t[0], hi = c->t[c->n - 1], a = fmax(lo, at - 0.5 * w), b = fmin(hi, at + 0.5 * w);
  if (at < lo || at > hi || b < a) return 0;
  return w > 0 ? gsl_spline_eval_integ(c->spline, a, b, NULL) / w : gsl_spline_eval(c->spline, at, NULL);
}

static void resample_lines(const struct curve *c, const pri_psf *from, pri_psf *to, int axis, double s) {
  const double w = s > 1 ? sqrt(s * s - 1) : 0;
  ptrdiff_t step = 1;
  for (int a = X; a > axis; a--) step *= from->k[a];
  const ptrdiff_t lines = from->k[Z] * from->k[Y] * from->k[X] / from->k[axis];
  for (ptrdiff_t l = 0; l < lines; l++) {
    const double *in = from->h + l / step * step * from->k[axis] + l % step;
    double *out = to->h + l / step * step * to->k[axis] + l % step;
    for (ptrdiff_t i = 0; i < from->k[axis]; i++) c->v[i + ENDS] = in[i * step];
    gsl_spline_init(c->spline, c->t, c->v, c->n);
    for (ptrdiff_t i = 0; i < to->k[axis]; i++) out[i * step] = mean(c, (double)from->c[axis] + s * (double)(i - to->c[axis]), w);
  }
}

static pri_status resample_axis(pri_ctx *ctx, pri_psf *p, const char *who, int axis, double s) {
  const ptrdiff_t before = p->c[axis], after = p->k[axis] - 1 - p->c[axis], far = before > after ? before : after;
  ptrdiff_t k[3] = {p->k[Z], p->k[Y], p->k[X]};
  k[axis] = 2 * (ptrdiff_t)ceil(((double)far + 0.5) / s - 0.5) + 1;
  pri_psf to = {0};
  struct curve c = {.n = (size_t)p->k[axis] + 2 * ENDS};
  PRI_TRY(pri_psf_alloc(ctx, &to, who, k));
  for (int a = 0; a < 3; a++)
    if (a != axis) to.c[a] = p->c[a];
  c.t = pri_calloc(ctx, 2 * c.n, sizeof *c.t);
  c.spline = c.t ? gsl_spline_alloc(gsl_interp_cspline, c.n) : NULL;
  if (c.spline) {
    c.v = c.t + c.n;
    for (size_t i = 0; i < c.n; i++) c.t[i] = (double)i - ENDS;
    resample_lines(&c, p, &to, axis, s);
    gsl_spline_free(c.spline);
  }
  pri_free(ctx, c.t);
  pri_psf_destroy(ctx, c.spline ? p : &to);
  if (!c.spline) return PRI_FAIL(ctx, PRI_ENOMEM, "%s: no memory to resample the point-spread function", who);
  *p = to;
  return PRI_OK;
}

pri_status pri_psf_resample(pri_ctx *ctx, pri_psf *p, const char *who, const double s[3]) {
  for (int a = 0; a < 3; a++)
    if (p->k[a] > 1 && fabs(s[a] - 1) > 1e-9) PRI_TRY(resample_axis(ctx, p, who, a, s[a]));
  return PRI_OK;
}
