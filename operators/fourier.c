/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fourier.c - y = m F x: the frequencies that are known of real images (y, x); F is the unitary 2-D transform, exp(-2 pi i <j, k> / N) / sqrt(N).
 *
 *   data     (2, y, x): real and imaginary part of every frequency, 0 where m = 0. Frequency 0 stands first, or in the middle (y/2, x/2).
 *   m        in {0, 1}: from a file with one image (not 0: known), or drawn: each frequency known with probability `random`, a pure function of
 *            the seed and the index of frequency 0-first order.
 *   adjoint  x = Re F^-1 (m Y): of Y the Hermitian part (Y_k + conj Y_-k) / 2 counts.
 *   A'A      = F^-1 c F,  c_k = (m_k + m_-k) / 2: diagonal in F, so that (A'A + rho)^-1 = F^-1 (1 / (c + rho)) F; rho = 0: 1 / c where c > 0.
 *   norm     sqrt(max c)
 */
#include "priori/operator.h"
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "fft.h"
#include "priori/io.h"
#include "priori/rng.h"

struct fourier {
  double random;
  char *file;
  int middle;
  ptrdiff_t rows, cols, half; /* half: cols / 2 + 1 */
  pri_array m;                /* frequency 0 first */
  pri_fft *fft;
};

static const char *const origins[] = {"first", "middle", NULL};
static const pri_param params[] = {
    {.name = "random", .unit = "1", .help = "share of the frequencies that are known, drawn from the seed", .type = PRI_REAL, .offset = offsetof(struct fourier, random), .min = 0, .max = 1, .def = 1},
    {.name = "file", .unit = "-", .help = "image of the known frequencies (not 0), instead of drawing", .type = PRI_FILE, .offset = offsetof(struct fourier, file)},
    {.name = "zero", .unit = "-", .help = "where frequency 0 stands in data and file", .type = PRI_CHOICE, .offset = offsetof(struct fourier, middle), .choices = origins},
    {0}};
static const char *const examples[] = {"random=0.5", "", "random=0.3,zero=middle", "random=0", NULL};

/* where frequency (r, c) of 0-first order stands in data and file */
static ptrdiff_t place(const struct fourier *f, ptrdiff_t r, ptrdiff_t c) {
  const ptrdiff_t y = f->middle ? (r + f->rows / 2) % f->rows : r, x = f->middle ? (c + f->cols / 2) % f->cols : c;
  return y * f->cols + x;
}

static double known(const struct fourier *f, ptrdiff_t r, ptrdiff_t c) { return (double)f->m.data[r * f->cols + c]; }
static ptrdiff_t mirror(ptrdiff_t k, ptrdiff_t n) { return k ? n - k : 0; }
static double both(const struct fourier *f, ptrdiff_t r, ptrdiff_t c) { /* c_k */
  return (known(f, r, c) + known(f, mirror(r, f->rows), mirror(c, f->cols))) / 2;
}

static pri_status load(pri_ctx *ctx, struct fourier *f) {
  pri_array a;
  PRI_TRY(pri_input_load(ctx, f->file, &a));
  const int fits = a.items * pri_shape_size(&a.shape) == f->rows * f->cols && a.shape.n[a.shape.nd - 1] == f->cols;
  for (ptrdiff_t r = 0; fits && r < f->rows; r++)
    for (ptrdiff_t c = 0; c < f->cols; c++) f->m.data[r * f->cols + c] = a.data[place(f, r, c)] != 0;
  pri_array_destroy(&a);
  return fits ? PRI_OK : PRI_FAIL(ctx, PRI_ESHAPE, "fourier: file=%s does not have the size of the image, %td x %td", f->file, f->rows, f->cols);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct fourier *f = priv;
  char text[96];
  (void)meta;
  if (dom->nd == 0 && ran->nd == 3 && ran->n[0] == 2) *dom = pri_shape_2d(ran->n[1], ran->n[2]);
  if (dom->nd != 2) return PRI_FAIL(ctx, PRI_ESHAPE, "fourier: takes images (y, x) and data (2, y, x), not %s", dom->nd ? pri_shape_text(dom, text, sizeof text) : "what is given");
  const pri_shape want = {3, {2, dom->n[0], dom->n[1]}};
  if (ran->nd == 0) *ran = want;
  if (!pri_shape_equal(ran, &want)) return PRI_FAIL(ctx, PRI_ESHAPE, "fourier: the data of an image of %td x %td are 2 x %td x %td", dom->n[0], dom->n[1], dom->n[0], dom->n[1]);
  f->rows = dom->n[0], f->cols = dom->n[1], f->half = f->cols / 2 + 1;
  PRI_TRY(pri_array_create(ctx, &f->m, dom, 1));
  PRI_TRY(pri_fft_create(ctx, &f->fft, 2, dom->n));
  if (f->file) return load(ctx, f);
  for (ptrdiff_t i = 0; i < f->rows * f->cols; i++) f->m.data[i] = pri_rng_uniform_at(pri_ctx_seed(ctx), "fourier", (uint64_t)i) < f->random;
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct fourier *f = priv;
  (void)ctx;
  pri_array_destroy(&f->m);
  pri_fft_destroy(&f->fft);
}

static ptrdiff_t room(const struct fourier *f) { return (f->rows * f->cols + 15) / 16 * 16; } /* the spectrum behind it is aligned */

static size_t scratch(const void *priv) {
  const struct fourier *f = priv;
  return (size_t)(room(f) + pri_fft_spectrum(f->fft)) * sizeof(pri_real);
}

static pri_real *forward(const struct fourier *f, const pri_real *x, pri_real *temp) {
  pri_real *const spectrum = temp + room(f);
  memcpy(temp, x, (size_t)(f->rows * f->cols) * sizeof *x); /* aligned */
  pri_fft_forward(f->fft, spectrum, temp);
  return spectrum;
}

static void inverse(const struct fourier *f, pri_real *x, pri_real *temp) {
  pri_fft_inverse(f->fft, temp, temp + room(f));
  memcpy(x, temp, (size_t)(f->rows * f->cols) * sizeof *x);
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *temp) {
  const struct fourier *f = priv;
  const ptrdiff_t n = f->rows * f->cols;
  const double unit = 1 / sqrt((double)n);
  (void)ctx;
  for (ptrdiff_t i = 0; i < items; i++) {
    const pri_real *const s = forward(f, x + i * n, temp);
    pri_real *const re = y + 2 * i * n, *const im = re + n;
    for (ptrdiff_t r = 0; r < f->rows; r++)
      for (ptrdiff_t c = 0; c < f->cols; c++) { /* S_-k = conj S_k fills the other half */
        const int there = c < f->half;
        const ptrdiff_t at = 2 * ((there ? r : mirror(r, f->rows)) * f->half + (there ? c : f->cols - c)), to = place(f, r, c);
        const double m = unit * known(f, r, c);
        re[to] = (pri_real)(m * (double)s[at]), im[to] = (pri_real)((there ? m : -m) * (double)s[at + 1]);
      }
  }
  return PRI_OK;
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *temp) {
  const struct fourier *f = priv;
  const ptrdiff_t n = f->rows * f->cols;
  const double unit = 1 / sqrt((double)n);
  pri_real *const s = (pri_real *)temp + room(f);
  (void)ctx;
  for (ptrdiff_t i = 0; i < items; i++) {
    const pri_real *const re = y + 2 * i * n, *const im = re + n;
    for (ptrdiff_t r = 0; r < f->rows; r++)
      for (ptrdiff_t c = 0; c < f->half; c++) { /* (m_k Y_k + conj(m_-k Y_-k)) / 2 */
        const ptrdiff_t a = place(f, r, c), b = place(f, mirror(r, f->rows), mirror(c, f->cols)), at = 2 * (r * f->half + c);
        const double ma = unit / 2 * known(f, r, c), mb = unit / 2 * known(f, mirror(r, f->rows), mirror(c, f->cols));
        s[at] = (pri_real)(ma * (double)re[a] + mb * (double)re[b]), s[at + 1] = (pri_real)(ma * (double)im[a] - mb * (double)im[b]);
      }
    inverse(f, x + i * n, temp);
  }
  return PRI_OK;
}

/* x = F^-1 g F b, g_k = c_k, or 1 / (c_k + rho) (rho = 0: 0 where c_k = 0) */
static pri_status filter(const struct fourier *f, pri_real *x, const pri_real *b, double rho, int inverted, ptrdiff_t items, void *temp) {
  const ptrdiff_t n = f->rows * f->cols;
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_real *const s = forward(f, b + i * n, temp);
    for (ptrdiff_t r = 0; r < f->rows; r++)
      for (ptrdiff_t c = 0; c < f->half; c++) {
        const double k = both(f, r, c) + rho, gain = (!inverted ? k : k > 0 ? 1 / k : 0) / (double)n;
        s[2 * (r * f->half + c)] *= (pri_real)gain, s[2 * (r * f->half + c) + 1] *= (pri_real)gain;
      }
    inverse(f, x + i * n, temp);
  }
  return PRI_OK;
}

static pri_status normal(pri_ctx *ctx, const void *priv, pri_real *z, const pri_real *x, ptrdiff_t items, void *temp) {
  return (void)ctx, filter(priv, z, x, 0, 0, items, temp);
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *temp) {
  return (void)ctx, filter(priv, x, b, rho, 1, items, temp);
}

static pri_bound norm(const void *priv) {
  const struct fourier *f = priv;
  double most = 0;
  for (ptrdiff_t r = 0; r < f->rows; r++)
    for (ptrdiff_t c = 0; c < f->half; c++) most = fmax(most, both(f, r, c));
  return (pri_bound){sqrt(most), PRI_EXACT};
}

const pri_operator_class pri_operator_fourier = {
    .kind = {"fourier", "some frequencies of the image (unitary transform): magnetic resonance, synthetic apertures", "", sizeof(struct fourier), params, examples},
    .init = init, .apply = apply, .adjoint = adjoint, .fini = fini, .scratch = scratch, .norm = norm, .normal = normal, .resolvent = resolvent};
