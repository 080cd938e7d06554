/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * huber-tv - R(x) = weight sum_i h(|(D x)_i|_2), h(t) = t^2 / (2 delta) for t <= delta, t - delta / 2 beyond: total variation without its
 * staircases. D: src/stencil.h; coupled: of vectors (tv_faces.h). Saddle: K = D, F*(q) = delta / (2 weight) |q|^2 over |q_i| <= weight (Chambolle,
 * Pock 2011, 6.2.2).
 */
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "tv_faces.h"
#include "vec.h"

struct huber_tv {
  tv_faces f; /* first: the shared slots */
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  return pri_tv_faces_init(ctx, &((struct huber_tv *)priv)->f, "huber-tv", meta, dom);
}

static double weight(const void *priv) { return ((const struct huber_tv *)priv)->f.t.weight; }

struct slope {
  const tv_term *t;
  pri_real *q;
};

static pri_status slope_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* q_i = weight q_i / max(|q_i|, delta) */
  const struct slope *s = arg;
  const ptrdiff_t n = s->t->s.pixels;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    double sq = 0;
    for (ptrdiff_t k = 0; k < s->t->s.nf; k++) sq += (double)s->q[k * n + i] * (double)s->q[k * n + i];
    const double c = s->t->weight / fmax(sqrt(sq), s->t->delta);
    for (ptrdiff_t k = 0; k < s->t->s.nf; k++) s->q[k * n + i] = (pri_real)(c * (double)s->q[k * n + i]);
  }
  return PRI_OK;
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch) {
  const tv_term *t = &((const struct huber_tv *)priv)->f.t;
  struct slope s = {t, scratch};
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_stencil_forward(ctx, &t->s, s.q, x + i * t->s.n, 1);
    PRI_TRY(pri_par_for(ctx, t->s.pixels, 1 << 13, slope_some, &s));
    pri_fill(ctx, g + i * t->s.n, 0, t->s.n);
    pri_stencil_adjoint(ctx, &t->s, g + i * t->s.n, s.q, 1);
  }
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) { /* weight / delta |D|^2 */
  const tv_term *t = &((const struct huber_tv *)priv)->f.t;
  return (pri_bound){t->weight / t->delta * pri_stencil_norm2(&t->s), PRI_PROVEN};
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the sum; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data)", .type = PRI_REAL, .flags = PRI_P_REQUIRED | PRI_P_WEIGHT,
     .offset = offsetof(struct huber_tv, f.t.weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "delta", .unit = "1", .help = "differences up to it are penalised by their squares, in the unit of the image", .type = PRI_REAL,
     .offset = offsetof(struct huber_tv, f.t.delta), .min = 1e-30, .max = 1e30, .def = 0.01},
    PRI_TV_COUPLED(struct huber_tv, f.coupled),
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5,delta=0.2", "0.2,delta=0.1,coupled=yes", NULL};
static const pri_variational variational = {.value = pri_tv_faces_value, .grad = grad, .prox = pri_tv_faces_prox, .lipschitz = lipschitz, .convexity = pri_tv_faces_convexity};
const pri_prior_class pri_prior_huber_tv = {
    .kind = {"huber-tv", "Huber total variation: quadratic below delta, total variation beyond", "Chambolle, Pock 2011", sizeof(struct huber_tv),
             params, examples},
    .init = init, .scratch = pri_tv_faces_scratch, .halo = pri_tv_faces_halo, .scale = pri_tv_faces_scale, .weight = weight, .variational = &variational,
    .saddle = &pri_tv_saddle};
