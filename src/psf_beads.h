/* SPDX-License-Identifier: GPL-3.0-or-later */
/* psf_beads.h (k) - a point-spread function from images of small beads; widths of a point-spread function. */
#ifndef PRI_PSF_BEADS_H
#define PRI_PSF_BEADS_H
#include "psf.h"
typedef struct pri_beads { /* what became of the bright spots */
  ptrdiff_t used, close, edge, saturated, unlike; /* unlike: below 0.3 or above 3 times the median height */
  double background, noise;                       /* median, standard deviation */
} pri_beads;
/*
 * pri_psf_from_beads - the mean of all beads that stand alone, registered to a fraction of a pixel.
 *   out    z, y, x extents of `size`, centre in the middle, sum 1. ndim of an item of `image`: 2 (every item is an image of its own) or 3.
 *   size   odd extents z, y, x; z = 1 for 2-D items (of 3-D ones: the plane of the largest value of each bead).
 *   n      out: figures; may be NULL.
 * Errors  EPARAM: even or too large extents; EDATA: no bead is left, more than 20000 spots in an image, values that are not finite.
 */
PRI_MUST_CHECK pri_status pri_psf_from_beads(pri_ctx *ctx, pri_psf *out, pri_beads *n, const pri_array *image, const ptrdiff_t size[3]);
/* Full width at half maximum along each axis through the centre, z, y, x, in pixels; NAN where the PSF does not fall to half */
void pri_psf_fwhm(const pri_psf *p, double fwhm[3]);
#endif
