/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blur.c - y_i = sum_j h_j x_(i - j), two or three axes: convolution with a point-spread function h, centre j = 0.
 *
 * What lies beyond the image, x_p for p outside:
 *   periodic   x_(p mod n)                            reflect    mirrored at the outer edge of the border pixels: c b a | a b c | c b a
 *   replicate  the border pixel                       zero       0
 *   unknown    part of the unknown: x is larger than y by the extent of h less 1, and nothing is assumed (frame: where y lies in x)
 * Every border is two maps onto a periodic grid (blur_grid.c); src/convolve.c does the rest, and the transpose is exact by construction
 * (blur_one.c).
 * A product of few taps (gaussian, box) is applied axis by axis instead (blur_direct.c): the same to rounding, and faster.
 * periodic: grid = image, so A is diagonal in the Fourier basis: norm = max |h^| (exact), resolvent exact. reflect with an h that is
 * mirrored along each axis: the cosine basis, resolvent exact by the even extension (blur_cosine.c).
 * channels=yes: the slowest axis of an item holds channels, each blurred by itself, by its own page of the file where that has one for each.
 * norm: zero, unknown: A = C H E with |C|, |E| <= 1 on the grid, |A| <= max |h^| over it (proven). Others: blur_norm.c.
 */
#include "blur.h"

struct blur {
  pri_psf_keys keys;
  int border, channels;
  int nd;                /* axes of an item, channels included */
  ptrdiff_t images;      /* channels of an item, else 1 */
  ptrdiff_t n, dom, ran; /* point-spread functions: 1, or one a channel; elements of one image and of its data */
  struct blur_one *one;  /* [n] */
};

static const char *const borders[] = {"periodic", "reflect", "replicate", "zero", "unknown", NULL};

/* The shape of one channel, and back. */
static pri_shape without_channels(const pri_shape *s) { return s->nd ? pri_shape_2d(s->n[1], s->n[2]) : *s; }
static pri_shape with_channels(ptrdiff_t c, const pri_shape *s) { return (pri_shape){3, {c, s->n[0], s->n[1]}}; }

static pri_status count_channels(pri_ctx *ctx, struct blur *b, const pri_shape *known) {
  ptrdiff_t pages;
  if (known->nd != 3) return PRI_FAIL(ctx, PRI_ESHAPE, "blur: channels=yes takes items (channel, y, x), as --item channels makes them");
  PRI_TRY(pri_psf_pages(ctx, &b->keys, &pages));
  b->images = known->n[0];
  if (pages != 1 && pages != b->images) return PRI_FAIL(ctx, PRI_ESHAPE, "blur: %s has %td pages, the image %td channels: give one page, or one for each", b->keys.psf, pages, b->images);
  b->n = pages;
  return PRI_OK;
}

static pri_status init_one(pri_ctx *ctx, struct blur *b, ptrdiff_t k, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  b->keys.page = b->n > 1 ? k + 1 : 0;
  PRI_TRY(pri_blur_one_init(ctx, &b->one[k], &b->keys, b->border, meta, dom, ran));
  b->dom = pri_shape_size(dom);
  b->ran = pri_shape_size(ran);
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct blur *b = priv;
  const pri_shape *known = dom->nd ? dom : ran;
  if (known->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "blur: the size of the image is not known");
  if (known->nd != 2 && known->nd != 3) return PRI_FAIL(ctx, PRI_ESHAPE, "blur: takes images of 2 or 3 axes, not %d", known->nd);
  b->nd = known->nd;
  b->n = b->images = 1;
  if (b->channels) PRI_TRY(count_channels(ctx, b, known));
  pri_shape d = b->channels ? without_channels(dom) : *dom, r = b->channels ? without_channels(ran) : *ran;
  PRI_ALLOC(ctx, b->one, b->n);
  for (ptrdiff_t k = 0; k < b->n; k++) PRI_TRY(init_one(ctx, b, k, meta, &d, &r));
  *dom = b->channels ? with_channels(b->images, &d) : d;
  *ran = b->channels ? with_channels(b->images, &r) : r;
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct blur *b = priv;
  for (ptrdiff_t k = 0; b->one && k < b->n; k++) pri_blur_one_fini(ctx, &b->one[k]);
  pri_free(ctx, b->one);
}

/* Images lie one behind the other: channels with one PSF are items like any others. nx, ny: elements of in, out. What one channel does not
   have none has, also where there are no items: ENOTSUP before any is done */
static pri_status run(pri_ctx *ctx, const struct blur *b, pri_convolve what, double rho, pri_real *out, ptrdiff_t ny, const pri_real *in, ptrdiff_t nx, ptrdiff_t items, void *scratch) {
  if (b->n == 1) return pri_blur_one_run(ctx, b->one, what, rho, out, in, items * b->images, scratch);
  for (ptrdiff_t k = 0; k < b->n; k++) PRI_TRY(pri_blur_one_run(ctx, &b->one[k], what, rho, out, in, 0, scratch));
  for (ptrdiff_t i = 0; i < items * b->n; i++) PRI_TRY(pri_blur_one_run(ctx, &b->one[i % b->n], what, rho, out + i * ny, in + i * nx, 1, scratch));
  return PRI_OK;
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  return run(ctx, b, PRI_CONVOLVE_APPLY, 0, y, b->ran, x, b->dom, items, scratch);
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  return run(ctx, b, PRI_CONVOLVE_ADJOINT, 0, x, b->dom, y, b->ran, items, scratch);
}

static pri_status normal(pri_ctx *ctx, const void *priv, pri_real *z, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  return run(ctx, b, PRI_CONVOLVE_NORMAL, 0, z, b->dom, x, b->dom, items, scratch);
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *rhs, double rho, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  return run(ctx, b, PRI_CONVOLVE_RESOLVENT, rho, x, b->dom, rhs, b->dom, items, scratch);
}

static size_t scratch(const void *priv) {
  const struct blur *b = priv;
  size_t most = 0;
  for (ptrdiff_t k = 0; k < b->n; k++) most = pri_blur_one_scratch(&b->one[k]) > most ? pri_blur_one_scratch(&b->one[k]) : most;
  return most;
}

#ifdef PRI_DOUBLE
#define WIDE_SLOTS
#else
#define WIDE_SLOTS .apply_wide = apply_wide, .adjoint_wide = adjoint_wide,

static pri_status run_wide(pri_ctx *ctx, const struct blur *b, pri_convolve what, double *out, ptrdiff_t ny, const double *in, ptrdiff_t nx, ptrdiff_t items) {
  if (b->n == 1) return pri_blur_one_run_wide(ctx, b->one, what, out, in, items * b->images);
  for (ptrdiff_t i = 0; i < items * b->n; i++) PRI_TRY(pri_blur_one_run_wide(ctx, &b->one[i % b->n], what, out + i * ny, in + i * nx, 1));
  return PRI_OK;
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  (void)scratch;
  return run_wide(ctx, b, PRI_CONVOLVE_APPLY, y, b->ran, x, b->dom, items);
}

static pri_status adjoint_wide(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  (void)scratch;
  return run_wide(ctx, b, PRI_CONVOLVE_ADJOINT, x, b->dom, y, b->ran, items);
}
#endif

static unsigned flags(const void *priv) {
  const struct blur *b = priv;
  unsigned common = ~0u;
  for (ptrdiff_t k = 0; k < b->n; k++) common &= pri_blur_one_flags(&b->one[k]);
  return common;
}

static pri_bound norm(const void *priv) { /* of the channel that has the largest */
  const struct blur *b = priv;
  pri_bound most = b->one[0].norm;
  for (ptrdiff_t k = 1; k < b->n; k++) {
    const pri_bound o = b->one[k].norm;
    most = (pri_bound){o.value > most.value ? o.value : most.value, o.trust < most.trust ? o.trust : most.trust};
  }
  return most;
}

static void frame(const void *priv, pri_box *box) {
  const struct blur *b = priv;
  const struct blur_one *one = b->one;
  for (int i = 0; i < one->nd && b->border == UNKNOWN; i++) {
    const int a = 3 - one->nd + i, at = b->nd - one->nd + i;
    box->first[at] = one->psf.k[a] - 1 - one->psf.c[a];
    box->n[at] = one->grid.ran.n[a];
  }
}

static const pri_param params[] = {
    PRI_PSF_ROWS(struct blur, keys),
    {.name = "border", .type = PRI_CHOICE, .unit = "-",
     .help = "beyond the image: periodic, reflect (c b a | a b c), replicate, zero, or unknown (part of the unknown: the field of view is a crop of a larger scene)",
     .offset = offsetof(struct blur, border), .choices = borders, .def = REFLECT},
    {.name = "channels", .type = PRI_BOOL, .unit = "-",
     .help = "the slowest axis of an item holds channels (--item channels), each blurred by itself: by its own page of the file where that has as many, else all alike",
     .offset = offsetof(struct blur, channels)},
    {0}};
static const char *const examples[] = {"psf=gaussian,sigma=1,border=periodic", "psf=gaussian,sigma=1.2x0.7,border=reflect", "psf=disk,radius=2.4,border=zero",
                                       "psf=motion,length=6,angle=30,border=replicate", "psf=motion,length=4,angle=75,border=reflect", "psf=box,width=3x2,border=unknown",
                                       "psf=gaussian,sigma=6,border=periodic", "psf=gaussian,sigma=7x3,border=reflect", "psf=gaussian,sigma=1x0.8x0.5,border=periodic",
                                       "psf=gaussian,sigma=1x1x0.7,border=reflect", "psf=box,width=3x4x2,border=zero", "psf=gaussian,sigma=0.8x1x0.4,border=unknown",
                                       "psf=box,width=2x5x3,border=replicate",
                                       "psf=airy,na=0.5,wavelength=500nm,pixel=0.4um,size=9,border=zero", "psf=gaussian,sigma=1x2,border=reflect,channels=yes",
                                       "psf=disk,radius=1.5,border=unknown,channels=yes", NULL};
const pri_operator_class pri_operator_blur = {
    .kind = {"blur", "convolution with a point-spread function, 2-D and 3-D", "", sizeof(struct blur), params, examples},
    .init = init, .apply = apply, .adjoint = adjoint, WIDE_SLOTS .fini = fini, .flags = flags, .scratch = scratch, .normal = normal, .norm = norm,
    .resolvent = resolvent, .frame = frame};
