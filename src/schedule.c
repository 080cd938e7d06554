/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.c - handles of noise schedules, and the one place where predictions are converted. */
#include "priori/schedule.h"
#include "predict.h"
#include "priori/registry.h"
#include "vec.h"

struct pri_schedule {
  pri_ctx *ctx;
  const pri_schedule_class *cls;
  void *priv;
};

/*
 * With xt = a x0 + s eps, every prediction is linear in (x0, eps), so x0 = u xt + w p:
 *   x0                             u = 0                  w = 1
 *   eps                            u = 1/a                w = -s/a
 *   velocity  a' x0 + s' eps       u = s'/(a s' - s a')   w = -s/(a s' - s a')
 *   v         a eps - s x0         u = a/(a^2 + s^2)      w = -s/(a^2 + s^2)
 *   score     -eps/s               u = 1/a                w = s^2/a
 */
void pri_predict_x0(pri_ctx *ctx, pri_real *p, const pri_real *xt, pri_predicts from, const pri_level *lev, ptrdiff_t n) {
  const double a = lev->alpha, s = lev->sigma, d = a * lev->dsigma - s * lev->dalpha, q = a * a + s * s;
  double u = 0, w = 1;
  switch (from) {
  case PRI_PREDICTS_X0: return;
  case PRI_PREDICTS_EPS: u = 1 / a, w = -s / a; break;
  case PRI_PREDICTS_VELOCITY: u = lev->dsigma / d, w = -s / d; break;
  case PRI_PREDICTS_V: u = a / q, w = -s / q; break;
  case PRI_PREDICTS_SCORE: u = 1 / a, w = s * s / a; break;
  }
  pri_axpby(ctx, p, u, xt, w, n);
}

pri_status pri_schedule_create(pri_ctx *ctx, pri_schedule **out, const char *spec) {
  const pri_kind *kind;
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  pri_status s = pri_object_create(ctx, PRI_SCHEDULES, spec, &kind, &(*out)->priv);
  if (s == PRI_OK) {
    (*out)->cls = (const pri_schedule_class *)kind;
    s = (*out)->cls->init(ctx, (*out)->priv);
  }
  if (s != PRI_OK) pri_schedule_destroy(out);
  return s;
}

long pri_schedule_steps(const pri_schedule *s) { return s->cls->steps(s->priv); }
pri_level pri_schedule_at(const pri_schedule *s, long i) { return s->cls->at(s->priv, i); }

void pri_schedule_destroy(pri_schedule **s) {
  if (!s || !*s) return;
  pri_schedule *p = *s;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_free(p->ctx, p);
  *s = NULL;
}
