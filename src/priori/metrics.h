/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/metrics.h - image quality against a reference, each figure with its definition. All in double. */
#ifndef PRIORI_METRICS_H
#define PRIORI_METRICS_H
#include "priori/array.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef enum pri_ssim { PRI_SSIM_GAUSSIAN /* 11 x 11, sd 1.5 */, PRI_SSIM_UNIFORM7 } pri_ssim;
typedef struct pri_score_opts {
  double peak;       /* of the PSNR; 1 */
  double range;      /* of the SSIM's constants; 1 */
  pri_ssim ssim;
  int disc;          /* only pixels whose centre is in the inscribed disc */
} pri_score_opts;
typedef struct pri_score {
  double psnr;       /* dB: 10 log10(peak^2 / mean((x-r)^2)) */
  double ssim;       /* mean over the pixels (without the border that the window does not fit in) */
  double re;         /* norm2(x - r) / norm2(r) */
  double rmse, mae;
  double mcc;        /* Matthews correlation after Otsu, only where the reference has two values; else NAN */
} pri_score;
/*
 * pri_score_image - all figures of one image.
 *   image, ref  [ny][nx], same unit. opts NULL: peak 1, range 1, Gaussian window, all pixels.
 * An image smaller than the window of the SSIM has ssim = NAN; equal images have psnr = INFINITY.
 * Errors  PRI_EDATA  a value is not finite: *out undefined; PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_score_image(pri_ctx *ctx, pri_score *out, const pri_real *image, const pri_real *ref, ptrdiff_t ny, ptrdiff_t nx,
                                                  const pri_score_opts *opts);
PRI_API double pri_otsu(const pri_real *x, ptrdiff_t n); /* threshold between two classes, 256 bins, as scikit-image */
PRI_API const char *pri_score_definitions(void);         /* JSON object */
#ifdef __cplusplus
}
#endif
#endif
