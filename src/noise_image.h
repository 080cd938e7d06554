/* SPDX-License-Identifier: GPL-3.0-or-later */
/* noise_image.h (k) - noise of images, from themselves: one standard deviation, or one that grows with the signal. */
#ifndef PRI_NOISE_IMAGE_H
#define PRI_NOISE_IMAGE_H
#include "priori/array.h"
typedef struct pri_noise_image {
  double sd;        /* root-mean-square of the noise, in the unit of y */
  double mad;       /* Donoho's estimate from the finest diagonal band, for comparison: texture is in it too */
  double gain, b;   /* variance = gain mean + b, robust fit over levels; gain 0: no growth with the signal was found */
  int levels;       /* that the fit is of; 0: too few patches for one */
} pri_noise_image;
/*
 * pri_noise_image_find - per item of y, whose last two axes are a picture (others: planes, taken together)
 *   out     [items]
 *   weight  shape of y, or NULL: where it is 0 the datum is masked; else it is not looked at
 * Errors  ESHAPE: a picture below 8 x 8; EDATA: no patch is left to look at; ENOMEM, EBUDGET.
 * Source  Liu, Tanaka, Okutomi 2013 (patches of weak texture, smallest eigenvalue); Donoho, Johnstone 1994; Foi et al. 2008. Within 8 % on Set12
 *         with sd 5 to 25 of 255; at 2 the pictures' own noise is in it (4 to 37 % more).
 */
PRI_MUST_CHECK pri_status pri_noise_image_find(pri_ctx *ctx, pri_noise_image *out, const pri_array *y, const pri_array *weight);
#endif
