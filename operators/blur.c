/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blur.c - y_i = sum_j h_j x_(i - j), two or three axes: convolution with a point-spread function h, centre j = 0.
 *
 * What lies beyond the image, x_p for p outside:
 *   periodic   x_(p mod n)                            reflect    mirrored at the outer edge of the border pixels: c b a | a b c | c b a
 *   replicate  the border pixel                       zero       0
 *   unknown    part of the unknown: x is larger than y by the extent of h less 1, and nothing is assumed (frame: where y lies in x)
 * Every border is two maps onto a periodic grid (blur_grid.c); src/convolve.c does the rest, and the transpose is exact by construction.
 * periodic: grid = image, so A is diagonal in the Fourier basis: norm = max |h^| (exact), resolvent exact. reflect with an h that is
 * mirrored along each axis: the cosine basis, resolvent exact by the even extension (blur_cosine.c).
 * norm: zero, unknown: A = C H E with |C|, |E| <= 1 on the grid, |A| <= max |h^| over it (proven). Others: blur_norm.c.
 */
#include "blur.h"

static const char *const borders[] = {"periodic", "reflect", "replicate", "zero", "unknown", NULL};

static pri_psf_view view_of(const struct blur *b) {
  return (pri_psf_view){b->psf.h, {b->psf.k[0], b->psf.k[1], b->psf.k[2]}, {b->psf.c[0], b->psf.c[1], b->psf.c[2]}, b->symmetric};
}

static pri_status build(pri_ctx *ctx, struct blur *b) {
  const pri_psf_view h = view_of(b);
  PRI_TRY(pri_convolver_create(ctx, &b->conv, &b->grid, &h));
  if (b->border == REFLECT && b->mirrored && !b->some) PRI_TRY(pri_blur_cosine_create(ctx, &b->cosine, b));
  return pri_blur_norm(ctx, b);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct blur *b = priv;
  const pri_shape *known = dom->nd ? dom : ran;
  if (known->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "blur: the size of the image is not known");
  if (known->nd != 2 && known->nd != 3) return PRI_FAIL(ctx, PRI_ESHAPE, "blur: takes images of 2 or 3 axes, not %d", known->nd);
  b->nd = known->nd;
  PRI_TRY(pri_psf_create(ctx, &b->psf, "blur", &b->keys, b->nd, meta));
  b->positive = pri_psf_nonnegative(&b->psf);
  b->symmetric = pri_psf_symmetric(&b->psf);
  b->mirrored = pri_psf_mirrored(&b->psf);
  PRI_TRY(pri_blur_shapes(ctx, b, dom, ran));
  return build(ctx, b);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct blur *b = priv;
  pri_convolver_destroy(&b->conv);
  pri_blur_cosine_destroy(ctx, &b->cosine);
#ifndef PRI_DOUBLE
  pri_convolver_destroy_wide(&b->wide);
  pri_free(ctx, b->wide_scratch);
#endif
  pri_psf_destroy(ctx, &b->psf);
  for (int a = 0; a < 3; a++) {
    pri_free(ctx, b->grid.dom.at[a]);
    pri_free(ctx, b->grid.ran.at[a]);
  }
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  return pri_convolver_run(ctx, b->conv, PRI_CONVOLVE_APPLY, 0, b->positive, y, x, items, scratch);
}

static pri_status adjoint(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  return pri_convolver_run(ctx, b->conv, PRI_CONVOLVE_ADJOINT, 0, b->positive, x, y, items, scratch);
}

static pri_status normal(pri_ctx *ctx, const void *priv, pri_real *z, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  if (b->border != PERIODIC || b->some) return PRI_ENOTSUP; /* the stand-in: A'(A x) */
  return pri_convolver_run(ctx, b->conv, PRI_CONVOLVE_NORMAL, 0, b->positive, z, x, items, scratch);
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *rhs, double rho, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  if (b->cosine) return pri_blur_cosine_resolvent(ctx, b->cosine, x, rhs, rho, items, scratch);
  if (b->border != PERIODIC || b->some) return PRI_ENOTSUP; /* the stand-in: conjugate gradients */
  return pri_convolver_run(ctx, b->conv, PRI_CONVOLVE_RESOLVENT, rho, 0, x, rhs, items, scratch);
}

static size_t scratch(const void *priv) {
  const struct blur *b = priv;
  const size_t conv = pri_convolver_scratch(b->conv), cosine = b->cosine ? pri_blur_cosine_scratch(b->cosine) : 0;
  return conv > cosine ? conv : cosine;
}

#ifdef PRI_DOUBLE
#define WIDE_SLOTS
#else
#define WIDE_SLOTS .apply_wide = apply_wide, .adjoint_wide = adjoint_wide,

/* Made on first use: only certificates want it, and a volume's spectrum in double is large. */
static pri_status widen(pri_ctx *ctx, const struct blur *b) {
  struct blur *own = (struct blur *)(uintptr_t)b; /* a cache: the operator itself does not change */
  const pri_psf_view h = view_of(b);
  if (b->wide_scratch) return PRI_OK;
  if (!b->wide) PRI_TRY(pri_convolver_create_wide(ctx, &own->wide, &b->grid, &h));
  own->wide_scratch = pri_calloc(ctx, pri_convolver_scratch_wide(b->wide), 1);
  return b->wide_scratch ? PRI_OK : pri_ctx_code(ctx);
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  (void)scratch;
  PRI_TRY(widen(ctx, b));
  return pri_convolver_run_wide(ctx, b->wide, PRI_CONVOLVE_APPLY, 0, b->positive, y, x, items, b->wide_scratch);
}

static pri_status adjoint_wide(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *scratch) {
  const struct blur *b = priv;
  (void)scratch;
  PRI_TRY(widen(ctx, b));
  return pri_convolver_run_wide(ctx, b->wide, PRI_CONVOLVE_ADJOINT, 0, b->positive, x, y, items, b->wide_scratch);
}
#endif

static unsigned flags(const void *priv) {
  const struct blur *b = priv;
  const int both = !b->some && ((b->symmetric && (b->border == PERIODIC || b->border == ZERO)) || (b->mirrored && b->border == REFLECT));
  return (b->positive ? PRI_OP_NONNEGATIVE : 0u) | (both ? PRI_OP_SELFADJOINT : 0u);
}

static pri_bound norm(const void *priv) { return ((const struct blur *)priv)->norm; }

static void frame(const void *priv, pri_box *box) {
  const struct blur *b = priv;
  for (int i = 0; i < b->nd && b->border == UNKNOWN && !b->some; i++) {
    const int a = 3 - b->nd + i;
    box->first[i] = b->psf.k[a] - 1 - b->psf.c[a];
    box->n[i] = b->grid.ran.n[a];
  }
}

static const pri_param params[] = {
    PRI_PSF_ROWS(struct blur, keys),
    {.name = "border", .type = PRI_CHOICE, .unit = "-",
     .help = "beyond the image: periodic, reflect (c b a | a b c), replicate, zero, or unknown (part of the unknown: the field of view is a crop of a larger scene)",
     .offset = offsetof(struct blur, border), .choices = borders, .def = REFLECT},
    {0}};
static const char *const examples[] = {"psf=gaussian,sigma=1,border=periodic", "psf=gaussian,sigma=1.2x0.7,border=reflect", "psf=disk,radius=2.4,border=zero",
                                       "psf=motion,length=6,angle=30,border=replicate", "psf=motion,length=4,angle=75,border=reflect", "psf=box,width=3x2,border=unknown",
                                       "psf=gaussian,sigma=4,border=periodic", "psf=gaussian,sigma=4x3,border=reflect", "psf=gaussian,sigma=1x0.8x0.5,border=periodic",
                                       "psf=gaussian,sigma=1x1x0.7,border=reflect", "psf=box,width=3x4x2,border=zero", "psf=gaussian,sigma=0.8x1x0.4,border=unknown",
                                       "psf=box,width=2x5x3,border=replicate",
                                       "psf=airy,na=0.5,wavelength=500nm,pixel=0.4um,size=9,border=zero", NULL};
const pri_operator_class pri_operator_blur = {
    .kind = {"blur", "convolution with a point-spread function, 2-D and 3-D", "", sizeof(struct blur), params, examples},
    .init = init, .apply = apply, .adjoint = adjoint, WIDE_SLOTS .fini = fini, .flags = flags, .scratch = scratch, .normal = normal, .norm = norm,
    .resolvent = resolvent, .frame = frame};
