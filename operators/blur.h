/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blur.h - what the files of the operator blur share. */
#ifndef PRI_BLUR_H
#define PRI_BLUR_H
#include "convolve.h"
#include "priori/operator.h"
#include "psf.h"

enum { PERIODIC, REFLECT, REPLICATE, ZERO, UNKNOWN };

typedef struct pri_blur_cosine pri_blur_cosine;

struct blur {
  pri_psf_keys keys;
  int border;
  int nd;                       /* axes of the image: 2, 3 */
  pri_psf psf;
  int positive, symmetric, mirrored; /* of h: >= 0; h(-j) = h(j); so along each axis */
  int some;                     /* a part: some rows only */
  pri_grid grid;
  pri_convolver *conv, *wide;   /* wide: in double, on first use; not in the double build */
  void *wide_scratch;
  pri_blur_cosine *cosine;      /* border=reflect, h mirrored: the basis that makes A diagonal; else NULL */
  pri_bound norm;
};

/* blur_grid.c: shapes of image and data, and their maps onto the grid. ESHAPE where they contradict each other. */
PRI_MUST_CHECK pri_status pri_blur_shapes(pri_ctx *ctx, struct blur *b, pri_shape *dom, pri_shape *ran);
/* blur_cosine.c: (A'A + rho)^-1 where A is diagonal in the cosine basis; create may leave a half-built one, which destroy takes */
PRI_MUST_CHECK pri_status pri_blur_cosine_create(pri_ctx *ctx, pri_blur_cosine **out, const struct blur *b);
void pri_blur_cosine_destroy(pri_ctx *ctx, pri_blur_cosine **c);
size_t pri_blur_cosine_scratch(const pri_blur_cosine *c);
pri_status pri_blur_cosine_resolvent(pri_ctx *ctx, const pri_blur_cosine *c, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch);
/* blur_norm.c: b->norm, of the operator whose convolver is made */
PRI_MUST_CHECK pri_status pri_blur_norm(pri_ctx *ctx, struct blur *b);
#endif
