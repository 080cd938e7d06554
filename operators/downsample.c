/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * downsample.c - every factor-th pixel of a smoothed image, along the last two axes (other axes are channels or slices).
 *
 *   y_ij = sum_kl w_ik w_jl x_kl,   w_ik = h((k - c_i) / scale) / (sum over k),   c_i = factor (i + 1/2) - 1/2
 *
 *   box       h = 1 on the factor pixels of an output: their mean
 *   bicubic   Keys's cubic with parameter a, stretched by factor:  (a + 2)|t|^3 - (a + 3)|t|^2 + 1 (|t| < 1),  a |t|^3 - 5a |t|^2 + 8a |t| - 4a (< 2)
 *   gaussian  exp(-t^2 / 2), scale = sigma, cut at 4 sigma;  lanczos: sinc(t) sinc(t / lobes), stretched by factor
 *
 * Beyond the border the image is reflected (the weights are folded back, so the adjoint is the exact transpose). Rows and columns that fill no
 * whole block at the far end are read by the kernel's overhang only. Norm: box has A A' = I / factor^2; else the largest row sum of |A A'|.
 * Resolvent of box, c = 1 / factor^2: (A'A + rho)^-1 b = (b - A'A b / (rho + c)) / rho, and A'A b / c^2 for rho = 0 (spec 4.1).
 * Source: Keys 1981; the stretching against aliasing as in common image software.
 */
#include <math.h>
#include <stddef.h>
#include "downsample_taps.h"
#include "priori/operator.h"
#include "vec.h"

enum kernel { BOX, BICUBIC, GAUSSIAN, LANCZOS };

struct downsample {
  long factor, lobes;
  int kernel;
  double a, sigma;
  ptrdiff_t planes;      /* product of the leading axes */
  pri_taps y, x, yt, xt; /* along the slow and the fast axis; transposes */
  double norm;
};

static const char *const kernels[] = {"box", "bicubic", "gaussian", "lanczos", NULL};
static const pri_param params[] = {
    {.name = "factor", .unit = "1", .help = "fine pixels along one side of a coarse one", .type = PRI_INT, .offset = offsetof(struct downsample, factor), .min = 1, .max = 64, .def = 2},
    {.name = "kernel", .unit = "-", .help = "what is seen by one coarse pixel", .type = PRI_CHOICE, .offset = offsetof(struct downsample, kernel), .choices = kernels, .def = BOX},
    {.name = "a", .unit = "1", .help = "bicubic: slope of the cubic at 1; -0.5 and -0.75 are in use", .type = PRI_REAL, .offset = offsetof(struct downsample, a), .min = -1, .max = 0, .def = -0.5},
    {.name = "sigma", .unit = "px", .help = "gaussian: standard deviation in fine pixels; auto: factor / 2", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(struct downsample, sigma), .min = 0.1, .max = 100, .def = NAN},
    {.name = "lobes", .unit = "1", .help = "lanczos: lobes on either side", .type = PRI_INT, .offset = offsetof(struct downsample, lobes), .min = 1, .max = 8, .def = 3},
    {0}};
static const char *const examples[] = {"", "factor=3", "factor=1", "kernel=bicubic", "factor=3,kernel=bicubic,a=-0.75", "factor=2,kernel=gaussian,sigma=1.5",
                                       "factor=5,kernel=lanczos", "factor=4,kernel=gaussian", NULL};

static double cubic(double t, double a) {
  t = fabs(t);
  return t < 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}
static double bell(double t, double unused) { return (void)unused, exp(-t * t / 2); }
static double flat(double t, double unused) { return (void)t, (void)unused, 1; }
static double sinc(double t) { return t == 0 ? 1 : sin(3.14159265358979323846 * t) / (3.14159265358979323846 * t); }
static double lanczos(double t, double lobes) { return fabs(t) < lobes ? sinc(t) * sinc(t / lobes) : 0; }

static pri_taps_kernel kernel_of(struct downsample *d) {
  const double f = (double)d->factor;
  if (isnan(d->sigma)) d->sigma = f / 2;
  switch (d->kernel) {
  case BICUBIC: return (pri_taps_kernel){cubic, f, d->a, 2 * f};
  case GAUSSIAN: return (pri_taps_kernel){bell, d->sigma, 0, fmax(4 * d->sigma, 1)};
  case LANCZOS: return (pri_taps_kernel){lanczos, f, (double)d->lobes, (double)d->lobes * f};
  default: return (pri_taps_kernel){flat, f, 0, (f - 1) / 2 + 0.25}; /* the pixels c - (f - 1)/2 ... c + (f - 1)/2 */
  }
}

/* the shape that is not known from the one that is; ESHAPE where they do not agree */
static pri_status shapes(pri_ctx *ctx, const struct downsample *d, pri_shape *dom, pri_shape *ran) {
  const ptrdiff_t f = (ptrdiff_t)d->factor;
  char s[96], t[96];
  if (dom->nd == 0 && ran->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "downsample: the size of the image is not known");
  if (dom->nd == 0) {
    *dom = *ran;
    for (int a = ran->nd > 2 ? ran->nd - 2 : 0; a < ran->nd; a++) dom->n[a] *= f;
  }
  pri_shape want = *dom;
  for (int a = dom->nd > 2 ? dom->nd - 2 : 0; a < dom->nd; a++) want.n[a] /= f;
  if (dom->nd < 2 || pri_shape_size(&want) < 1)
    return PRI_FAIL(ctx, PRI_ESHAPE, "downsample: an image of %s is too small for factor=%ld", pri_shape_text(dom, s, sizeof s), d->factor);
  if (ran->nd == 0) *ran = want;
  if (pri_shape_equal(ran, &want)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_ESHAPE, "downsample: an image of %s and data of %s do not agree with factor=%ld", pri_shape_text(dom, s, sizeof s),
                  pri_shape_text(ran, t, sizeof t), d->factor);
}

static ptrdiff_t leading(const pri_shape *s) {
  ptrdiff_t planes = 1;
  for (int a = 0; a + 2 < s->nd; a++) planes *= s->n[a];
  return planes;
}

static pri_status finish(pri_ctx *ctx, struct downsample *d) {
  PRI_TRY(pri_taps_transpose(ctx, &d->yt, &d->y));
  PRI_TRY(pri_taps_transpose(ctx, &d->xt, &d->x));
  d->norm = d->kernel == BOX ? 1 / (double)d->factor : sqrt(pri_taps_norm2(&d->y) * pri_taps_norm2(&d->x));
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct downsample *d = priv;
  const pri_taps_kernel k = kernel_of(d);
  const ptrdiff_t f = (ptrdiff_t)d->factor;
  (void)meta;
  PRI_TRY(shapes(ctx, d, dom, ran));
  const ptrdiff_t *const n = dom->n + dom->nd - 2, *const m = ran->n + ran->nd - 2;
  d->planes = leading(dom);
  PRI_TRY(pri_taps_create(ctx, &d->y, m[0], n[0], f, &k));
  PRI_TRY(pri_taps_create(ctx, &d->x, m[1], n[1], f, &k));
  return finish(ctx, d);
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct downsample *d = priv;
  struct downsample *s = sub;
  int nd = PRI_MAXDIM;
  while (nd > 2 && dom->n[nd - 1] == 0) nd--; /* dom arrives whole: axes beyond nd are 0 */
  s->planes = 1;
  for (int a = 0; a + 2 < nd; a++) dom->first[a] = ran->first[a], dom->n[a] = ran->n[a], dom->step[a] = ran->step[a], s->planes *= ran->n[a];
  PRI_TRY(pri_taps_part(ctx, &s->y, &d->y, ran->first[nd - 2], ran->n[nd - 2], ran->step[nd - 2], &dom->first[nd - 2]));
  PRI_TRY(pri_taps_part(ctx, &s->x, &d->x, ran->first[nd - 1], ran->n[nd - 1], ran->step[nd - 1], &dom->first[nd - 1]));
  dom->n[nd - 2] = s->y.cols, dom->n[nd - 1] = s->x.cols, dom->step[nd - 2] = dom->step[nd - 1] = 1;
  return finish(ctx, s);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct downsample *d = priv;
  pri_taps_destroy(ctx, &d->y);
  pri_taps_destroy(ctx, &d->x);
  pri_taps_destroy(ctx, &d->yt);
  pri_taps_destroy(ctx, &d->xt);
}

static size_t room(const struct downsample *d) { /* between the two axes, there and back */
  const ptrdiff_t there = d->y.cols * d->x.rows, back = d->y.rows * d->x.cols;
  return (size_t)(there > back ? there : back);
}

static size_t scratch(const void *priv) {
  const struct downsample *d = priv;
  return room(d) * sizeof(double) + (size_t)(d->y.rows * d->x.rows) * sizeof(pri_real);
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *temp) {
  const struct downsample *d = priv;
  return pri_taps_apply(ctx, &d->y, &d->x, y, x, items * d->planes, temp);
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *temp) {
  const struct downsample *d = priv;
  return pri_taps_apply(ctx, &d->yt, &d->xt, x, y, items * d->planes, temp);
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *temp) {
  const struct downsample *d = priv;
  return pri_taps_apply_wide(ctx, &d->y, &d->x, y, x, items * d->planes, temp);
}

static pri_status adjoint_wide(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *temp) {
  const struct downsample *d = priv;
  return pri_taps_apply_wide(ctx, &d->yt, &d->xt, x, y, items * d->planes, temp);
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *temp) {
  const struct downsample *d = priv;
  const double f = (double)d->factor, c = 1 / (f * f);
  const ptrdiff_t n = d->y.cols * d->x.cols;
  pri_real *const means = (pri_real *)(void *)((double *)temp + room(d));
  if (d->kernel != BOX) return PRI_ENOTSUP;
  for (ptrdiff_t p = 0; p < items * d->planes; p++) {
    PRI_TRY(pri_taps_apply(ctx, &d->y, &d->x, means, b + p * n, 1, temp));
    PRI_TRY(pri_taps_apply(ctx, &d->yt, &d->xt, x + p * n, means, 1, temp)); /* A'A b */
    if (rho > 0) pri_axpby(ctx, x + p * n, 1 / rho, b + p * n, -1 / (rho * (rho + c)), n);
    else pri_scale(ctx, x + p * n, 1 / (c * c), n);
  }
  return PRI_OK;
}

static unsigned flags(const void *priv) {
  const struct downsample *d = priv;
  return d->kernel == BOX || d->kernel == GAUSSIAN ? PRI_OP_NONNEGATIVE : 0;
}

static pri_bound norm(const void *priv) {
  const struct downsample *d = priv;
  return (pri_bound){d->norm, d->kernel == BOX ? PRI_EXACT : PRI_PROVEN};
}

const pri_operator_class pri_operator_downsample = {
    .kind = {"downsample", "smooths and keeps every factor-th pixel (in the plane)", "Keys 1981", sizeof(struct downsample), params, examples},
    .init = init, .apply = apply, .adjoint = adjoint, .fini = fini, .flags = flags, .scratch = scratch, .norm = norm, .apply_wide = apply_wide,
    .adjoint_wide = adjoint_wide, .resolvent = resolvent, .part = part};
