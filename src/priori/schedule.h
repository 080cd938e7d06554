/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/schedule.h - x_t = alpha x0 + sigma eps covers VP and VE diffusion, EDM and straight flows. */
#ifndef PRIORI_SCHEDULE_H
#define PRIORI_SCHEDULE_H
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_level {          /* one noise level: x_t = alpha x0 + sigma eps, eps ~ N(0, I) */
  double t, alpha, sigma;           /* time of the schedule; factors */
  double dalpha, dsigma;            /* their derivatives by t */
  double weight;                    /* of this level in a training loss */
} pri_level;
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

/* A schedule from its spec. EPARAM: unknown name or key (the nearest is named), value out of its range; ENOMEM, EBUDGET. *out NULL then. */
PRI_API PRI_MUST_CHECK pri_status pri_schedule_create(pri_ctx *ctx, pri_schedule **out, const char *spec);
PRI_API long pri_schedule_steps(const pri_schedule *s);             /* levels, >= 1 */
PRI_API pri_level pri_schedule_at(const pri_schedule *s, long i);   /* 0 <= i < steps, i = 0 the noisiest; not checked */
PRI_API void pri_schedule_destroy(pri_schedule **s);                /* NULL and pointer to NULL are fine; sets it to NULL */
#ifdef __cplusplus
}
#endif
#endif
