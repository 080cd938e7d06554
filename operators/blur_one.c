/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur_one.c - blur with one point-spread function: what blur.c says, for images of b->nd axes. */
#include <stdint.h>
#include "blur.h"

static pri_status need_basis(pri_ctx *ctx, const struct blur_one *b);

static pri_psf_view view_of(const struct blur_one *b) {
  return (pri_psf_view){b->psf.h, {b->psf.k[0], b->psf.k[1], b->psf.k[2]}, {b->psf.c[0], b->psf.c[1], b->psf.c[2]}, b->symmetric};
}

pri_status pri_blur_one_init(pri_ctx *ctx, struct blur_one *b, pri_psf_keys *keys, int border, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  b->border = border;
  b->nd = dom->nd ? dom->nd : ran->nd;
  PRI_TRY(pri_psf_create(ctx, &b->psf, "blur", keys, b->nd, meta));
  b->positive = pri_psf_nonnegative(&b->psf);
  b->symmetric = pri_psf_symmetric(&b->psf);
  b->mirrored = pri_psf_mirrored(&b->psf);
  PRI_TRY(pri_blur_shapes(ctx, b, dom, ran));
  PRI_TRY(pri_blur_direct(ctx, b));
  const pri_psf_view h = view_of(b);
  if (!b->direct) PRI_TRY(pri_convolver_create(ctx, &b->conv, &b->grid, &h));
  if (b->border == REFLECT && b->mirrored) PRI_TRY(pri_blur_cosine_create(ctx, &b->cosine, b));
  if (b->padded && !b->positive) PRI_TRY(need_basis(ctx, b)); /* for its norm */
  return pri_blur_norm(ctx, b);
}

void pri_blur_one_fini(pri_ctx *ctx, struct blur_one *b) {
  pri_separable_destroy(&b->direct);
  pri_convolver_destroy(&b->conv);
  pri_blur_cosine_destroy(ctx, &b->cosine);
#ifndef PRI_DOUBLE
  pri_convolver_destroy_wide(&b->wide);
  pri_free(ctx, b->wide_scratch);
#endif
  pri_psf_destroy(ctx, &b->psf);
  pri_convolver_destroy(&b->basis);
  pri_free(ctx, b->basis_scratch);
  for (int a = 0; a < 3; a++) {
    pri_free(ctx, b->whole.dom.at[a]);
    pri_free(ctx, b->grid.dom.at[a]);
    pri_free(ctx, b->grid.ran.at[a]);
  }
}

size_t pri_blur_one_scratch(const struct blur_one *b) {
  const size_t conv = b->direct ? pri_separable_scratch(b->direct) : pri_convolver_scratch(b->conv), cosine = b->cosine ? pri_blur_cosine_scratch(b->cosine) : 0;
  return conv > cosine ? conv : cosine;
}

unsigned pri_blur_one_flags(const struct blur_one *b) {
  const int both = (b->symmetric && (b->border == PERIODIC || b->border == ZERO)) || (b->mirrored && b->border == REFLECT);
  return (b->positive ? PRI_OP_NONNEGATIVE : 0u) | (both ? PRI_OP_SELFADJOINT : 0u);
}

/* Made on first use: apply and adjoint do without. */
static pri_status need_basis(pri_ctx *ctx, const struct blur_one *b) {
  struct blur_one *own = (struct blur_one *)(uintptr_t)b; /* a cache */
  const pri_psf_view h = view_of(b);
  if (b->basis_scratch) return PRI_OK;
  if (!b->whole.dom.at[2]) PRI_TRY(pri_blur_whole_grid(ctx, own));
  if (!b->basis) PRI_TRY(pri_convolver_create(ctx, &own->basis, &b->whole, &h));
  own->basis_scratch = pri_calloc(ctx, pri_convolver_scratch(b->basis), 1);
  return b->basis_scratch ? PRI_OK : pri_ctx_code(ctx);
}

/* ENOTSUP: normal and resolvent of borders that no basis makes diagonal */
pri_status pri_blur_one_run(pri_ctx *ctx, const struct blur_one *b, pri_convolve what, double rho, pri_real *out, const pri_real *in, ptrdiff_t items, void *scratch) {
  if (what == PRI_CONVOLVE_RESOLVENT && b->cosine) return pri_blur_cosine_resolvent(ctx, b->cosine, out, in, rho, items, scratch);
  if (what >= PRI_CONVOLVE_NORMAL && b->border != PERIODIC) return PRI_ENOTSUP;
  const int other = b->padded || b->direct; /* than the basis that makes A diagonal */
  if (what == PRI_CONVOLVE_NORMAL && other) return PRI_ENOTSUP; /* A'(A x) is faster */
  if (what == PRI_CONVOLVE_RESOLVENT && other) {
    PRI_TRY(need_basis(ctx, b));
    return pri_convolver_run(ctx, b->basis, what, rho, 0, out, in, items, b->basis_scratch);
  }
  if (b->direct) return pri_separable_run(ctx, b->direct, what == PRI_CONVOLVE_ADJOINT, out, in, items, scratch), PRI_OK;
  return pri_convolver_run(ctx, b->conv, what, rho, b->positive && what != PRI_CONVOLVE_RESOLVENT, out, in, items, scratch);
}

#ifndef PRI_DOUBLE
/* Made on first use: only certificates want it, and a volume's spectrum in double is large. */
static pri_status widen(pri_ctx *ctx, const struct blur_one *b) {
  struct blur_one *own = (struct blur_one *)(uintptr_t)b; /* a cache: the operator itself does not change */
  const pri_psf_view h = view_of(b);
  if (b->wide_scratch) return PRI_OK;
  if (!b->wide) PRI_TRY(pri_convolver_create_wide(ctx, &own->wide, &b->grid, &h));
  own->wide_scratch = pri_calloc(ctx, pri_convolver_scratch_wide(b->wide), 1);
  return b->wide_scratch ? PRI_OK : pri_ctx_code(ctx);
}

pri_status pri_blur_one_run_wide(pri_ctx *ctx, const struct blur_one *b, pri_convolve what, double *out, const double *in, ptrdiff_t items) {
  PRI_TRY(widen(ctx, b));
  return pri_convolver_run_wide(ctx, b->wide, what, 0, b->positive, out, in, items, b->wide_scratch);
}
#endif
