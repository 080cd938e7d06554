/* SPDX-License-Identifier: GPL-3.0-or-later */
/* predict.h (k) - conversions between what networks predict. */
#ifndef PRI_PREDICT_H
#define PRI_PREDICT_H
#include "priori/context.h"
#include "priori/schedule.h"
/* p: a prediction of kind `from` at xt = alpha x0 + sigma eps; becomes the x0 that it implies */
void pri_predict_x0(pri_ctx *ctx, pri_real *p, const pri_real *xt, pri_predicts from, const pri_level *lev, ptrdiff_t n);
#endif
