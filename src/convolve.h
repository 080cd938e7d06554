/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * convolve.h (k) - y = C (h * E x) on a periodic grid of up to three axes, by FFT; and its exact transpose.
 *
 *   E  lays an array on the grid: place p of axis a holds the array's element at[a][p], or 0 where that is -1. An element may lie at several
 *      places (reflected and replicated borders). C is the transpose of such a map: it adds up what lies at an element's places.
 *   h  the point-spread function, its centre at place 0, wrapped around.
 *
 * What the maps leave out is never transformed: only rows and planes that hold elements are transformed along x and y, and only those that
 * are asked for come back. The passes along the slowest axis (forward, times the spectrum, inverse) are one, in a buffer that stays in cache.
 * Compiled twice: in pri_real, and (names end in _wide) in double for the certificates of the float library. Each line is one FFTW call of
 * a fixed plan (FFTW_ESTIMATE): the same bits for any number of threads.
 */
#ifndef PRI_CONVOLVE_H
#define PRI_CONVOLVE_H
#include <stddef.h>
#include "priori/context.h"

typedef struct pri_side {     /* an array on the grid; axes slowest first (z, y, x), absent ones of extent 1 */
  ptrdiff_t n[3];             /* extents of the array, each <= that of the grid */
  ptrdiff_t *at[3];           /* [grid[a]] */
} pri_side;
typedef struct pri_grid {
  ptrdiff_t n[3];
  pri_side dom, ran;
} pri_grid;
typedef struct pri_psf_view { /* h[k0][k1][k2], centre at c */
  const double *h;
  ptrdiff_t k[3], c[3];
  int symmetric;              /* h(c + j) = h(c - j): its spectrum is real, and made so */
} pri_psf_view;
/* what is done between the transforms: h, its transpose (dom and ran change places), both; (|h|^2 + rho)^-1. The last two: dom = ran = grid only */
typedef enum pri_convolve { PRI_CONVOLVE_APPLY, PRI_CONVOLVE_ADJOINT, PRI_CONVOLVE_NORMAL, PRI_CONVOLVE_RESOLVENT } pri_convolve;
typedef struct pri_convolver pri_convolver;

/* g: copied, its maps borrowed as long as the convolver lives. ENOMEM, EBUDGET, EPARAM (extents), EEXTERN (FFTW has no plan) */
PRI_MUST_CHECK pri_status pri_convolver_create(pri_ctx *ctx, pri_convolver **out, const pri_grid *g, const pri_psf_view *h);
PRI_MUST_CHECK pri_status pri_convolver_create_wide(pri_ctx *ctx, pri_convolver **out, const pri_grid *g, const pri_psf_view *h);
void pri_convolver_destroy(pri_convolver **c);
void pri_convolver_destroy_wide(pri_convolver **c);
size_t pri_convolver_scratch(const pri_convolver *c);      /* bytes of one call, whatever the items */
size_t pri_convolver_scratch_wide(const pri_convolver *c);
double pri_convolver_peak(const pri_convolver *c);         /* largest |H|: the norm of a periodic convolution, a bound where E and C only cut */
/* out, in: [items] arrays of the two sides. positive: h >= 0, so that an item without negative values has no negative result: rounding is
   clipped there. rho: of the resolvent; 0: the pseudo-inverse, frequencies below rounding left out. No allocation. */
pri_status pri_convolver_run(pri_ctx *ctx, const pri_convolver *c, pri_convolve what, double rho, int positive, pri_real *out, const pri_real *in,
                             ptrdiff_t items, void *scratch);
pri_status pri_convolver_run_wide(pri_ctx *ctx, const pri_convolver *c, pri_convolve what, double rho, int positive, double *out, const double *in,
                                  ptrdiff_t items, void *scratch);
#endif
