/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stripes.h - the two methods of the filter `stripes`. One item at a time: [views][bins]. No allocation but in init. */
#ifndef PRI_STRIPES_H
#define PRI_STRIPES_H
#include "priori/array.h"
#include "wavelet.h"

typedef struct pri_stripes_wavelet {
  pri_wavelet w;
  ptrdiff_t views, bins, orders;   /* frequencies 0 ... orders - 1 along the views are damped */
  double sigma;
  double *cosine;                  /* [views] cos 2 pi k / views */
} pri_stripes_wavelet;

/* EPARAM: the family or the levels; ENOMEM. fini accepts a zeroed struct. */
PRI_MUST_CHECK pri_status pri_stripes_wavelet_init(pri_ctx *ctx, pri_stripes_wavelet *p, const char *family, int levels, double sigma,
                                                   const pri_shape *in);
void pri_stripes_wavelet_fini(pri_ctx *ctx, pri_stripes_wavelet *p);
size_t pri_stripes_wavelet_scratch(const pri_stripes_wavelet *p);
PRI_MUST_CHECK pri_status pri_stripes_wavelet_run(pri_ctx *ctx, const pri_stripes_wavelet *p, pri_real *out, const pri_real *in, void *scratch);

enum { PRI_STRIPES_WIDEST = 255 };
size_t pri_stripes_sort_scratch(ptrdiff_t views, ptrdiff_t bins);
/* width: of the median, odd, in bins; out may be in */
PRI_MUST_CHECK pri_status pri_stripes_sort_run(pri_ctx *ctx, pri_real *out, const pri_real *in, ptrdiff_t views, ptrdiff_t bins, ptrdiff_t width,
                                               void *scratch);
#endif
