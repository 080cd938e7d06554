/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_upper.c - losses of the upper level: how good the images x_i(theta) are.
 *
 *   mse        1/2 |x - truth|^2                                            grad: x - truth, Lipschitz 1
 *   smooth-l1  sum root(d^2 + kappa^2) - kappa, d = x - truth               grad: d / root(d^2 + kappa^2), Lipschitz 1 / kappa
 *   sure       1/2 |A x - y|^2 - N sd^2 / 2 + sd^2 <b, A (x+ - x)> / step   x+: the image of y + step b, b = +-1 at random
 *              Its mean over noise and b is that of 1/2 |A x - A truth|^2 (Stein 1981; Ramani, Blu, Unser 2008: divergence by a difference);
 *              quadratic in (x, x+): Lipschitz |A|^2, so that its interval is proved; step = sd / 10
 *   whiteness  N sum_k |r^_k|^4 / (sum_k |r^_k|^2)^2, r = A x - y: 1 for one spike in space (a flat spectrum), about 2 for white noise, N for one
 *              wave (Lanza, Pragliola, Sgallari 2020: |r * r|^2 / |r|^4). Not convex, no Lipschitz constant for all x: that of a
 *              white residual, 12 log N |A|^2 / (N sd^2) (the largest of N exponential |r^|^2), stands in: nothing made of it is proved.
 */
#include <math.h>
#include "fft.h"
#include "learn.h"
#include "priori/rng.h"
#include "vec.h"

typedef struct loss {
  pri_lower_problem p;
  const pri_operator_class *op;
  const void *opriv;
  ptrdiff_t n, all, range;       /* of one image, with what else belongs to it, of its data */
  size_t op_scratch;
  pri_real *atb;                 /* sure: [m][n] A'b */
  pri_fft *fft;                  /* whiteness */
} loss;

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

double pri_sure_step(double sd) { return 0.1 * sd; }
double pri_sure_probe(ptrdiff_t i, ptrdiff_t k) { return pri_rng_uniform_at((uint64_t)i, "sure", (uint64_t)k) < 0.5 ? -1 : 1; }

/* nothing but the image counts */
static void clear_rest(pri_ctx *ctx, const loss *v, pri_real *grad) {
  if (v->all > v->n) pri_fill(ctx, grad + v->n, 0, v->all - v->n);
}

static pri_status mse(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const loss *v = priv;
  (void)desk;
  pri_sub(ctx, grad, x, v->p.truth->data + i * v->n, v->n);
  clear_rest(ctx, v, grad);
  *g = pri_norm2sq(ctx, grad, v->n) / 2;
  return PRI_OK;
}

static pri_status smooth_l1(pri_ctx *ctx, const void *priv, void *desk, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const loss *v = priv;
  const pri_real *truth = v->p.truth->data + i * v->n;
  double sum = 0;
  (void)desk;
  clear_rest(ctx, v, grad);
  for (ptrdiff_t k = 0; k < v->n; k++) {
    const double d = (double)x[k] - (double)truth[k], s = sqrt(d * d + v->p.kappa * v->p.kappa);
    sum += d * d / (s + v->p.kappa); /* s - kappa without cancellation */
    grad[k] = (pri_real)(d / s);
  }
  *g = sum;
  return PRI_OK;
}

/* ---- without truth: r = A x - y in the desk */

typedef struct desk { pri_real *r, *spectrum; void *scratch; } desk;

static size_t room(const void *priv) {
  const loss *v = priv;
  const size_t spectrum = v->fft ? aligned((size_t)pri_fft_spectrum(v->fft) * sizeof(pri_real)) : 0;
  return aligned((size_t)v->range * sizeof(pri_real)) + spectrum + aligned(v->op_scratch);
}

static desk lay_out(const loss *v, void *memory) {
  char *at = memory, *spectrum = at + aligned((size_t)v->range * sizeof(pri_real));
  return (desk){.r = memory, .spectrum = (void *)spectrum, .scratch = spectrum + (v->fft ? aligned((size_t)pri_fft_spectrum(v->fft) * sizeof(pri_real)) : 0)};
}

static pri_status residual(pri_ctx *ctx, const loss *v, const desk *k, ptrdiff_t i, const pri_real *x) {
  PRI_TRY(v->op->apply(ctx, v->opriv, k->r, x, 1, k->scratch));
  pri_axpy(ctx, k->r, -1, v->p.y->data + i * v->range, v->range);
  return PRI_OK;
}

static pri_status sure(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const loss *v = priv;
  const desk k = lay_out(v, memory);
  const pri_real *atb = v->atb + i * v->n;
  const double var = v->p.sd * v->p.sd, c = var / pri_sure_step(v->p.sd);
  PRI_TRY(residual(ctx, v, &k, i, x));
  *g = pri_norm2sq(ctx, k.r, v->range) / 2 - (double)v->range * var / 2 + c * (pri_dot(ctx, atb, x + v->all, v->n) - pri_dot(ctx, atb, x, v->n));
  PRI_TRY(v->op->adjoint(ctx, v->opriv, grad, k.r, 1, k.scratch));
  pri_axpy(ctx, grad, -c, atb, v->n);
  pri_copy(ctx, grad + v->all, atb, v->n);
  pri_scale(ctx, grad + v->all, c, v->n);
  clear_rest(ctx, v, grad);
  clear_rest(ctx, v, grad + v->all);
  return PRI_OK;
}

/* Half spectra: column 0 and, for even widths, the middle column stand for themselves, the others for two. [rows][cols] pairs (re, im) */
static double times(ptrdiff_t col, ptrdiff_t cols, ptrdiff_t width) { return col == 0 || (width % 2 == 0 && col == cols - 1) ? 1 : 2; }

static void spectral_sums(const loss *v, const pri_real *z, double *S, double *Q) {
  const ptrdiff_t width = v->p.y->shape.n[1], cols = width / 2 + 1, all = pri_fft_spectrum(v->fft) / 2;
  *S = *Q = 0;
  for (ptrdiff_t k = 0; k < all; k++) {
    const double p = (double)z[2 * k] * (double)z[2 * k] + (double)z[2 * k + 1] * (double)z[2 * k + 1], m = times(k % cols, cols, width);
    *S += m * p, *Q += m * p * p;
  }
}

/* d/dr of N Q / S^2, with S = sum |r^|^2, Q = sum |r^|^4 of the FFT without scaling (both scale out):  4 N F'(|r^|^2 r^) / S^2 - 4 N Q F'r^ / S^3 */
static pri_status whiteness(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  const loss *v = priv;
  const desk k = lay_out(v, memory);
  const ptrdiff_t all = pri_fft_spectrum(v->fft) / 2;
  const double N = (double)v->range;
  double S, Q;
  PRI_TRY(residual(ctx, v, &k, i, x));
  pri_fft_forward(v->fft, k.spectrum, k.r);
  spectral_sums(v, k.spectrum, &S, &Q);
  *g = S > 0 ? N * Q / (S * S) : INFINITY;
  if (!isfinite(*g)) return PRI_FAIL(ctx, PRI_ENUMERIC, "learn: the residual of sample %td is 0: it has no whiteness", i + 1);
  for (ptrdiff_t j = 0; j < all; j++) {
    const double p = (double)k.spectrum[2 * j] * (double)k.spectrum[2 * j] + (double)k.spectrum[2 * j + 1] * (double)k.spectrum[2 * j + 1];
    const double a = 4 * N * (p - Q / S) / (S * S);
    k.spectrum[2 * j] = (pri_real)(a * (double)k.spectrum[2 * j]), k.spectrum[2 * j + 1] = (pri_real)(a * (double)k.spectrum[2 * j + 1]);
  }
  pri_fft_inverse(v->fft, k.r, k.spectrum); /* F' without scaling */
  clear_rest(ctx, v, grad);
  return v->op->adjoint(ctx, v->opriv, grad, k.r, 1, k.scratch);
}

static void fini(pri_ctx *ctx, void *priv) {
  loss *v = priv;
  if (!v) return;
  pri_free(ctx, v->atb);
  pri_fft_destroy(&v->fft);
  pri_free(ctx, v);
}

static const pri_upper_class classes[] = {
    [PRI_LOSS_MSE] = {.name = "mse", .value = mse, .half_square = 1, .fini = fini},
    [PRI_LOSS_SMOOTH_L1] = {.name = "smooth-l1", .value = smooth_l1, .fini = fini},
    [PRI_LOSS_SURE] = {.name = "sure", .desk = room, .value = sure, .fini = fini},
    [PRI_LOSS_WHITENESS] = {.name = "whiteness", .desk = room, .value = whiteness, .fini = fini}};

/* ---- making one */

static pri_status back_project_probes(pri_ctx *ctx, loss *v) {
  pri_array data = {0}, image = {0};
  PRI_ALLOC(ctx, v->atb, v->p.y->items * v->n);
  pri_status s = pri_array_create(ctx, &data, &v->p.y->shape, 1);
  if (s == PRI_OK) s = pri_array_create(ctx, &image, pri_operator_domain(v->p.A), 1);
  for (ptrdiff_t i = 0; i < v->p.y->items && s == PRI_OK; i++) {
    for (ptrdiff_t k = 0; k < v->range; k++) data.data[k] = (pri_real)pri_sure_probe(i, k);
    s = pri_operator_adjoint(v->p.A, &image, &data);
    if (s == PRI_OK) pri_copy(ctx, v->atb + i * v->n, image.data, v->n);
  }
  pri_array_destroy(&data);
  pri_array_destroy(&image);
  return s;
}

static pri_status make_fft(pri_ctx *ctx, loss *v) {
  const pri_shape *shape = &v->p.y->shape;
  if (shape->nd != 2 || shape->n[0] < 4 || shape->n[1] < 4) return PRI_FAIL(ctx, PRI_ESHAPE, "learn: whiteness is of measurements with two dimensions of 4 or more");
  return pri_fft_create(ctx, &v->fft, 2, shape->n);
}

static pri_status lipschitz(pri_ctx *ctx, const pri_lower_problem *p, double norm2, double range, pri_upper *out) {
  out->convex = p->loss != PRI_LOSS_WHITENESS, out->proven = out->convex;
  switch (p->loss) {
    case PRI_LOSS_MSE: out->lip = 1; break;
    case PRI_LOSS_SMOOTH_L1: out->lip = 1 / p->kappa; break;
    case PRI_LOSS_SURE: out->lip = p->sd > 0 ? norm2 : 0; break;
    case PRI_LOSS_WHITENESS: out->lip = 12 * log(range) * norm2 / (range * p->sd * p->sd); break;
  }
  if (!p->truth && out->convex && p->loss != PRI_LOSS_SURE) return PRI_FAIL(ctx, PRI_EPARAM, "learn: the loss %s needs true images", out->c->name);
  if (out->lip > 0 && isfinite(out->lip)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EPARAM, p->loss == PRI_LOSS_SMOOTH_L1 ? "learn: kappa=%g is not above 0" : "learn: sd=%g of the noise is not above 0", p->loss == PRI_LOSS_SMOOTH_L1 ? p->kappa : p->sd);
}

pri_status pri_upper_create(pri_ctx *ctx, pri_upper *out, const pri_lower_problem *p, double norm2, ptrdiff_t all) {
  loss *v = pri_calloc(ctx, 1, sizeof *v);
  if (!v) return pri_ctx_code(ctx);
  v->p = *p;
  v->op = pri_operator_class_of(p->A, &v->opriv);
  v->op_scratch = v->op->scratch ? v->op->scratch(v->opriv) : 0;
  v->n = pri_shape_size(pri_operator_domain(p->A)), v->all = all, v->range = pri_shape_size(&p->y->shape);
  *out = (pri_upper){.c = &classes[p->loss], .priv = v};
  pri_status s = lipschitz(ctx, p, norm2, (double)v->range, out);
  if (s == PRI_OK && p->loss == PRI_LOSS_SURE) s = back_project_probes(ctx, v);
  if (s == PRI_OK && p->loss == PRI_LOSS_WHITENESS) s = make_fft(ctx, v);
  if (s != PRI_OK) fini(ctx, v);
  return s;
}
