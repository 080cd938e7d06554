/* SPDX-License-Identifier: GPL-3.0-or-later */
/* noise_level.h (k) - standard deviation of white noise in measurements, from themselves. */
#ifndef PRI_NOISE_LEVEL_H
#define PRI_NOISE_LEVEL_H
#include "priori/array.h"
/*
 * pri_noise_level - per item of y, whose last axis is smooth but for noise (a detector row, an image row)
 *   sd      [items], in the unit of y
 *   weight  shape of y, or NULL: one variance everywhere; with it the variance of y_i is sd^2 / w_i (0: masked, left out)
 * Errors  ESHAPE: fewer than 3 elements along the last axis; EDATA: all is masked; ENOMEM, EBUDGET.
 * Source  median of |d| / 0.6745 (Donoho, Johnstone 1994) of d = sixth differences along the row, of unit noise gain, by blocks of
 *         bins. Within 10 % on fan and parallel sinograms with 1 % noise (tests/unit_noise_level.c); noise that neighbours share is
 *         underestimated.
 */
PRI_MUST_CHECK pri_status pri_noise_level(pri_ctx *ctx, double *sd, const pri_array *y, const pri_array *weight);
#endif
