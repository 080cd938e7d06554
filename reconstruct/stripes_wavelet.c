/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripes_wavelet.c - stripes by wavelets and Fourier (Muench, Trtik, Marone, Stampanoni 2009). A stripe is narrow along the bins and slow along
 * the views: what of the lowest frequencies along the views is wavelet detail along the bins is taken off,
 *   Y_m(b) = sum_v y_v(b) exp(-2 pi i m v / V),   out_v(b) = y_v(b) - (1/V) sum_|m| exp(-m^2 / (2 sigma^2)) exp(2 pi i m v / V) (Y_m - P_J Y_m)(b)
 *   P_J  the part that the approximation after J levels synthesises along the bins: structures wider than about 2^J bins stay
 * Deviation: the published transform is decimated and its bands are also low pass along the views; there that low pass is 1 at the few
 * frequencies (m < 4 sigma) that are damped, so only these are ever computed, and an image without stripes passes bit for bit where Y_m has no detail.
 */
#include <math.h>
#include <string.h>
#include "par.h"
#include "stripes.h"

static const double PI = 3.14159265358979323846;
enum { CHUNK = 64 };
/* wave: Y, damped; detail: (1 - P_J) of it; both [2 orders][bins], real part then imaginary */
struct run { const pri_stripes_wavelet *p; pri_real *out, *wave, *detail; const pri_real *in; };

pri_status pri_stripes_wavelet_init(pri_ctx *ctx, pri_stripes_wavelet *p, const char *family, int levels, double sigma, const pri_shape *in) {
  p->views = in->n[0], p->bins = in->n[1], p->sigma = sigma;
  p->orders = (ptrdiff_t)ceil(4 * sigma) + 1;
  if (p->orders > (p->views + 1) / 2) p->orders = (p->views + 1) / 2;
  const pri_shape waves = {3, {2 * p->orders, 1, p->bins}};
  PRI_TRY(pri_wavelet_init(ctx, "stripes", &p->w, family, levels, PRI_WAVELET_SYMMETRIC, &waves));
  PRI_ALLOC(ctx, p->cosine, p->views);
  for (ptrdiff_t k = 0; k < p->views; k++) p->cosine[k] = cos(2 * PI * (double)k / (double)p->views);
  return PRI_OK;
}

void pri_stripes_wavelet_fini(pri_ctx *ctx, pri_stripes_wavelet *p) { pri_free(ctx, p->cosine); }

size_t pri_stripes_wavelet_scratch(const pri_stripes_wavelet *p) {
  return (size_t)(p->w.n * (2 + p->w.bands) + pri_wavelet_scratch(&p->w)) * sizeof(pri_real);
}

/* cos and sin of 2 pi m v / V, from the table: sin x = cos(x - V/4 steps) only where 4 | V, so by the angle */
static void turn(const pri_stripes_wavelet *p, ptrdiff_t m, ptrdiff_t v, double *c, double *s) {
  const ptrdiff_t k = m * v % p->views;
  *c = p->cosine[k];
  const double sine = sqrt(fmax(0, 1 - *c * *c));
  *s = 2 * k <= p->views ? sine : -sine;
}

static pri_status transform(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  const pri_stripes_wavelet *p = r->p;
  double re[CHUNK], im[CHUNK];
  (void)worker;
  for (ptrdiff_t m = 0; m < p->orders; m++) {
    memset(re, 0, sizeof re), memset(im, 0, sizeof im);
    for (ptrdiff_t v = 0; v < p->views; v++) {
      double c, s;
      turn(p, m, v, &c, &s);
      for (ptrdiff_t b = first; b < last; b++) {
        const double y = (double)r->in[v * p->bins + b];
        re[b - first] += c * y, im[b - first] += s * y;
      }
    }
    const double g = (m ? 2 : 1) * exp(-0.5 * (double)(m * m) / (p->sigma * p->sigma)) / (double)p->views; /* m and -m */
    for (ptrdiff_t b = first; b < last; b++) {
      r->wave[2 * m * p->bins + b] = (pri_real)(g * re[b - first]);
      r->wave[(2 * m + 1) * p->bins + b] = (pri_real)(g * im[b - first]);
    }
  }
  return PRI_OK;
}

static pri_status take_off(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  const pri_stripes_wavelet *p = r->p;
  (void)worker;
  for (ptrdiff_t v = first; v < last; v++)
    for (ptrdiff_t at = 0; at < p->bins; at += CHUNK) {
      const ptrdiff_t n = p->bins - at < CHUNK ? p->bins - at : CHUNK;
      double stripe[CHUNK] = {0};
      for (ptrdiff_t m = 0; m < p->orders; m++) {
        const pri_real *a = r->detail + 2 * m * p->bins + at;
        double c, s;
        turn(p, m, v, &c, &s);
        for (ptrdiff_t b = 0; b < n; b++) stripe[b] += c * (double)a[b] + s * (double)a[p->bins + b];
      }
      for (ptrdiff_t b = 0; b < n; b++) r->out[v * p->bins + at + b] = (pri_real)((double)r->in[v * p->bins + at + b] - stripe[b]);
    }
  return PRI_OK;
}

pri_status pri_stripes_wavelet_run(pri_ctx *ctx, const pri_stripes_wavelet *p, pri_real *out, const pri_real *in, void *scratch) {
  pri_real *wave = scratch, *detail = wave + p->w.n, *bands = detail + p->w.n, *more = bands + p->w.n * p->w.bands;
  struct run r = {p, out, wave, detail, in};
  PRI_TRY(pri_par_for(ctx, p->bins, CHUNK, transform, &r));
  pri_wavelet_forward(ctx, &p->w, bands, NULL, wave, more);
  memset(detail, 0, (size_t)p->w.n * sizeof *detail);
  pri_wavelet_inverse(ctx, &p->w, detail, bands, NULL, more);
  return pri_par_for(ctx, p->views, 16, take_off, &r);
}
