/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rl_tv.h - smoothed total variation and its slope, for Richardson-Lucy with it. */
#ifndef PRI_RL_TV_H
#define PRI_RL_TV_H
#include "stencil.h"
typedef struct pri_rl_tv {
  pri_stencil s;
  double beta;         /* smoothing of the call at hand, in the unit of x */
  pri_array fields, t; /* one item each */
  double *part;
} pri_rl_tv;
PRI_MUST_CHECK pri_status pri_rl_tv_init(pri_ctx *ctx, pri_rl_tv *v, const pri_shape *dom);
void pri_rl_tv_fini(pri_ctx *ctx, pri_rl_tv *v);
/* v->t = D'(D x / sqrt(|D x|^2 + beta^2)) and *value = sum sqrt(|D x|^2 + beta^2) - beta of one item */
void pri_rl_tv_slope(pri_ctx *ctx, pri_rl_tv *v, const pri_real *x, double beta, double *value);
#endif
