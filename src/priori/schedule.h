/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/schedule.h - x_t = alpha x0 + sigma eps covers VP and VE diffusion, EDM and straight flows. */
#ifndef PRIORI_SCHEDULE_H
#define PRIORI_SCHEDULE_H
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_level { double t, alpha, sigma, dalpha, dsigma, weight; } pri_level;
typedef enum pri_predicts {         /* conversions: src/schedule.c, and nowhere else */
  PRI_PREDICTS_X0, PRI_PREDICTS_EPS, PRI_PREDICTS_VELOCITY /* dalpha x0 + dsigma eps */,
  PRI_PREDICTS_V /* alpha eps - sigma x0, variance preserving */, PRI_PREDICTS_SCORE
} pri_predicts;
typedef struct pri_schedule_class {
  pri_kind kind;
  pri_status (*init)(pri_ctx *ctx, void *priv);
  void (*fini)(pri_ctx *ctx, void *priv);
  long (*steps)(const void *priv);
  pri_level (*at)(const void *priv, long i);    /* i = 0 is the noisiest */
} pri_schedule_class;
typedef struct pri_schedule pri_schedule;
PRI_API PRI_MUST_CHECK pri_status pri_schedule_create(pri_ctx *ctx, pri_schedule **out, const char *spec);
PRI_API long pri_schedule_steps(const pri_schedule *s);
PRI_API pri_level pri_schedule_at(const pri_schedule *s, long i);   /* 0 <= i < steps */
PRI_API void pri_schedule_destroy(pri_schedule **s);
#ifdef __cplusplus
}
#endif
#endif
