/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fbp_ramp.c - the ramp, sampled in real space, and filtering of all rows of a slice.
 *
 *   h[0] = 1 / (4 tau^2), h[k] = -1 / (pi k tau)^2 (k odd), 0 (k even)            Kak, Slaney 1988, eq. (61); spec 6.1
 *   curved: h[k] (k dgamma / sin(k dgamma))^2                                      ib., eq. (112); its factor 1/2 is in the view weights
 *   q = tau DFT^-1(window DFT(h) DFT(p)), transforms of at least twice the samples: the sum over h stays small and positive, never 0
 * Windows (f in cycles a sample over cutoff): sinc f, cos pi f, 0.54 + 0.46 cos 2 pi f, 0.5 + 0.5 cos 2 pi f; 0 beyond f = 1/2.
 * Rows are multiplied before by sod / sqrt(sod^2 + s^2) (flat; s at the axis), sod cos gamma (curved), and the redundancy weights.
 * Truncated rows may be extended first, by their last value or a cosine roll-off of it over one detector width (Ohnesorge 2000).
 * q is kept a little beyond the detector, where the pixels in the corners of the image look: there p = 0, but q is not.
 */
#include <math.h>

#include "fbp.h"
#include "par.h"

static const double pi = 3.14159265358979323846;

static double tap(const pri_fbp *f, ptrdiff_t k) { /* tau^2 h[k] */
  const double d = f->pitch * (double)k;
  if (k == 0) return 0.25;
  if (k % 2 == 0 || (f->g.beam == PRI_FAN_CURVED && d > 3)) return 0; /* lags beyond the fan are never used */
  const double bend = f->g.beam == PRI_FAN_CURVED ? d / sin(d) : 1;
  return -bend * bend / (pi * pi * (double)k * (double)k);
}

static double window(const pri_fbp_opts *o, double frequency) {
  const double f = frequency / o->cutoff;
  if (f > 0.5 * (1 + 1e-12)) return 0;
  switch (o->window) {
  case PRI_SHEPP_LOGAN: return f > 0 ? sin(pi * f) / (pi * f) : 1;
  case PRI_COSINE: return cos(pi * f);
  case PRI_HAMMING: return 0.54 + 0.46 * cos(2 * pi * f);
  case PRI_HANN: return 0.5 * (1 + cos(2 * pi * f));
  default: return 1;
  }
}

struct table { const pri_fbp *f; const double *tap, *cosine; };

/* H[k] = h[0] + 2 sum_m h[m] cos(2 pi k m / P), in double: a transform in pri_real would spoil its tiny zero frequency */
static pri_status frequencies(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct table *t = arg;
  const ptrdiff_t P = t->f->size;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    double sum = t->tap[0];
    for (ptrdiff_t m = 1, at = k; m < P / 2; m += 2, at = (at + 2 * k) % P) sum += 2 * t->tap[m] * t->cosine[at];
    if (P / 2 % 2) sum += t->tap[P / 2] * (k % 2 ? -1 : 1); /* one lag of P/2 */
    t->f->ramp[k] = sum * window(&t->f->opts, (double)k / (double)P) / (t->f->pitch * (double)P); /* tau h, and the P of the transforms */
  }
  return PRI_OK;
}

pri_status pri_fbp_ramp(pri_fbp *f) {
  double *work;
  PRI_ALLOC(f->ctx, f->ramp, f->size / 2 + 1);
  PRI_ALLOC(f->ctx, work, f->size + f->size / 2 + 1);
  for (ptrdiff_t i = 0; i < f->size; i++) work[i] = cos(2 * pi * (double)i / (double)f->size);
  for (ptrdiff_t k = 0; k <= f->size / 2; k++) work[f->size + k] = tap(f, k);
  struct table t = {f, work + f->size, work};
  const pri_status s = pri_par_for(f->ctx, f->size / 2 + 1, 64 + (1 << 19) / f->size, frequencies, &t);
  pri_free(f->ctx, work);
  return s;
}

static double cosine_weight(const pri_geometry *g, double bin) {
  const double u = (bin - g->center) * g->bin;
  if (g->beam == PRI_PARALLEL) return 1;
  return g->beam == PRI_FAN_FLAT ? g->sdd / hypot(g->sdd, u) : g->sod * cos(u / g->sdd);
}

struct rows { pri_fbp *f; const pri_real *y; };

static void load(const pri_fbp *f, pri_real *row, const pri_real *y, ptrdiff_t v) {
  const ptrdiff_t n = f->g.bins, pad = f->pad;
  for (ptrdiff_t i = 0; i < f->size; i++) row[i] = 0;
  for (ptrdiff_t j = 0; j < n; j++)
    row[pad + j] = (pri_real)((double)y[j] * cosine_weight(&f->g, (double)j) * pri_fbp_redundancy(f, v, (double)j));
  for (ptrdiff_t k = 1; k <= pad; k++) {
    const double fall = f->opts.extend == PRI_EXTEND_EDGE ? 1 : 0.5 * (1 + cos(pi * (double)k / (double)(pad + 1)));
    row[pad - k] = (pri_real)(fall * (double)row[pad]);
    row[pad + n - 1 + k] = (pri_real)(fall * (double)row[pad + n - 1]);
  }
}

static pri_status rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct rows *r = arg;
  pri_fbp *f = r->f;
  pri_real *row = f->work + worker * f->work_stride, *spectrum = row + (f->size + 15) / 16 * 16;
  for (ptrdiff_t v = first; v < last; v++) {
    load(f, row, r->y + v * f->g.bins, v);
    pri_fft_forward(f->fft, spectrum, row);
    for (ptrdiff_t k = 0; k <= f->size / 2; k++) {
      spectrum[2 * k] = (pri_real)((double)spectrum[2 * k] * f->ramp[k]);
      spectrum[2 * k + 1] = (pri_real)((double)spectrum[2 * k + 1] * f->ramp[k]);
    }
    pri_fft_inverse(f->fft, row, spectrum);
    pri_real *q = f->q + v * f->stride + PRI_FBP_GUARD;
    for (ptrdiff_t j = 0; j < f->g.bins + 2 * f->margin; j++)
      q[j] = (pri_real)(f->view[v].weight * (double)row[(j - f->margin + f->pad + f->size) % f->size]);
  }
  return PRI_OK;
}

pri_status pri_fbp_filter(pri_fbp *f, const pri_real *y) {
  struct rows r = {f, y};
  return pri_par_for(f->ctx, f->g.views, 4 + (1 << 15) / f->size, rows, &r);
}
