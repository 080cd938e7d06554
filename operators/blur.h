/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.h - what the files of the operator blur share. */
#ifndef PRI_BLUR_H
#define PRI_BLUR_H
#include "convolve.h"
#include "priori/operator.h"
#include "psf.h"
#include "separable.h"

enum { PERIODIC, REFLECT, REPLICATE, ZERO, UNKNOWN };

typedef struct pri_blur_cosine pri_blur_cosine;

struct blur_one {               /* one point-spread function */
  int border;
  int nd;                       /* axes of the image: 2, 3 */
  pri_psf psf;
  int positive, symmetric, mirrored; /* of h: >= 0; h(-j) = h(j); so along each axis */
  pri_grid grid;
  pri_separable *direct;        /* few taps in a product of three functions: instead of conv, which is then NULL */
  pri_convolver *conv, *wide;   /* wide: in double, on first use; not in the double build */
  void *wide_scratch;
  int padded;                   /* border=periodic on a longer grid, because the image has an extent with a large prime factor */
  pri_grid whole;               /* padded, direct: the grid of the image itself, with identity maps; made when `basis` is */
  pri_convolver *basis;         /* padded or direct: on that grid, where A is diagonal; on first use */
  void *basis_scratch;
  pri_blur_cosine *cosine;      /* border=reflect, h mirrored: the basis that makes A diagonal; else NULL */
  pri_bound norm;
};

/* blur_one.c: as the slots of an operator. keys, border: of the whole operator; *dom, *ran as in init */
PRI_MUST_CHECK pri_status pri_blur_one_init(pri_ctx *ctx, struct blur_one *b, pri_psf_keys *keys, int border, const pri_meta *meta, pri_shape *dom, pri_shape *ran);
void pri_blur_one_fini(pri_ctx *ctx, struct blur_one *b);
size_t pri_blur_one_scratch(const struct blur_one *b);
unsigned pri_blur_one_flags(const struct blur_one *b);
pri_status pri_blur_one_run(pri_ctx *ctx, const struct blur_one *b, pri_convolve what, double rho, pri_real *out, const pri_real *in, ptrdiff_t items, void *scratch);
pri_status pri_blur_one_run_wide(pri_ctx *ctx, const struct blur_one *b, pri_convolve what, double *out, const double *in, ptrdiff_t items);
/* blur_grid.c: shapes of image and data, and their maps onto the grid. ESHAPE where they contradict each other. */
PRI_MUST_CHECK pri_status pri_blur_shapes(pri_ctx *ctx, struct blur_one *b, pri_shape *dom, pri_shape *ran);
/* blur_cosine.c: (A'A + rho)^-1 where A is diagonal in the cosine basis; create may leave a half-built one, which destroy takes */
PRI_MUST_CHECK pri_status pri_blur_cosine_create(pri_ctx *ctx, pri_blur_cosine **out, const struct blur_one *b);
void pri_blur_cosine_destroy(pri_ctx *ctx, pri_blur_cosine **c);
size_t pri_blur_cosine_scratch(const pri_blur_cosine *c);
pri_status pri_blur_cosine_resolvent(pri_ctx *ctx, const pri_blur_cosine *c, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch);
/* b->direct, where the PSF is a product of few taps; else it stays NULL */
PRI_MUST_CHECK pri_status pri_blur_direct(pri_ctx *ctx, struct blur_one *b);
void pri_blur_marginal(const pri_psf *p, int axis, double *g); /* g: [k] of zeros on entry */
/* Element of the domain that data i = 0 reads with its last tap, and so on along an axis: [r + k - 1], -1: none. *src by pri_calloc */
PRI_MUST_CHECK pri_status pri_blur_sources(pri_ctx *ctx, const struct blur_one *b, int axis, ptrdiff_t **src);
pri_status pri_blur_whole_grid(pri_ctx *ctx, struct blur_one *b);
/* blur_norm.c: b->norm, of the operator whose convolver is made */
PRI_MUST_CHECK pri_status pri_blur_norm(pri_ctx *ctx, struct blur_one *b);
#endif
