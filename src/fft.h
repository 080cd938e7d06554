/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.h (k) - real Fourier transforms of pri_real over FFTW: single-threaded plans by FFTW_ESTIMATE, so that the bits depend on the
   size only. Plans are made and destroyed behind one lock; executing is re-entrant. Nothing here is scaled: inverse(forward(x)) = N x. */
#ifndef PRI_FFT_H
#define PRI_FFT_H
#include <stddef.h>
#include "priori/context.h"
typedef struct pri_fft pri_fft;
/* n: [nd] extents, slowest first, nd in [1, 3]. EPARAM, ENOMEM, EEXTERN (FFTW has no plan) */
PRI_MUST_CHECK pri_status pri_fft_create(pri_ctx *ctx, pri_fft **out, int nd, const ptrdiff_t *n);
void pri_fft_destroy(pri_fft **f);
/* Elements of pri_real in a spectrum: 2 (n_last / 2 + 1) times the other extents; re, im alternate. */
ptrdiff_t pri_fft_spectrum(const pri_fft *f);
/* Buffers begin at 64-byte boundaries (pri_calloc) and do not overlap. S_k = sum_j x_j exp(-2 pi i j k / N); x is kept. */
void pri_fft_forward(const pri_fft *f, pri_real *spectrum, const pri_real *x);
/* x_j = sum_k S_k exp(+2 pi i j k / N), S Hermitian; destroys the spectrum. */
void pri_fft_inverse(const pri_fft *f, pri_real *x, pri_real *spectrum);
/* The smallest even 2^a 3^b 5^c 7^d that is not below least (>= 2): sizes that FFTW does fast. */
ptrdiff_t pri_fft_size(ptrdiff_t least);
/* The smallest 2^a 3^b 5^c that is not below least (>= 1), or 2^a 3^b 5^c 7^d where that is more than 6 % shorter: a pass with the factor 7
   costs about that more. even: real transforms along the fastest axis want that. */
ptrdiff_t pri_fft_length(ptrdiff_t least, int even);
/* Cosine transforms of nd axes, in place: forward S_k = 2^nd sum_j x_j prod_a cos(pi k_a (j_a + 1/2) / n_a), the basis of images that are
   mirrored at the outer edge of their border pixels; inverse(forward(x)) = prod_a 2 n_a x. x at a 64-byte boundary. Errors as pri_fft_create */
typedef struct pri_dct pri_dct;
PRI_MUST_CHECK pri_status pri_dct_create(pri_ctx *ctx, pri_dct **out, int nd, const ptrdiff_t *n);
void pri_dct_destroy(pri_dct **d);
void pri_dct_forward(const pri_dct *d, pri_real *x);
void pri_dct_inverse(const pri_dct *d, pri_real *x);
/* x_k <- sum_j x_j prod_a e_j cos(pi k_a j_a / (n_a - 1)), e = 1 at both ends of an axis, else 2; in double, once (no plan is kept). n_a >= 2 */
PRI_MUST_CHECK pri_status pri_dct_even(pri_ctx *ctx, int nd, const ptrdiff_t *n, double *x);
/* The one lock of FFTW's planner, for modules that make plans of their own. */
void pri_fft_lock(void);
void pri_fft_unlock(void);
#endif
