/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tpv - total p-variation, 0 < p <= 1: R(x) = weight sum_i phi(|(D x)_i|), phi'(t) = W(t) = (1 + (t / eta)^2)^((p - 1) / 2)
 * (the weights of iterated reweighting, TpV; Candes, Wakin, Boyd 2008): W = 1 for t << eta, (t / eta)^(p - 1) on edges.
 *
 *   phi(t) = int_0^t W = eta int_0^a cosh(v)^p dv, a = asinh(t / eta)       (s = eta sinh v; Gauss-Legendre, 8 points: |error| < 1e-9 phi)
 *   prox   : x_0 = z, x_{j+1} = argmin |x - z|^2 / (2 tau) + weight sum_i W(|(D x_j)_i|) |(D x)_i|, FGP (tv_prox.c), `reweight` times;
 *            phi is concave, so that each lowers |x - z|^2 / (2 tau) + R(x); the weights stay fixed inside of each.
 *
 * p < 1 is not convex: no certificate, another start may give another minimum; p = 1 is tv.
 */
#include <math.h>
#include <stddef.h>
#include "tv_term.h"
#include "vec.h"

struct tpv {
  double weight, p, eta;
  long reweight;
  pri_shape dom;
  pri_stencil s;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct tpv *v = priv;
  v->dom = *dom;
  return pri_stencil_init(ctx, "tpv", &v->s, meta, dom);
}

static size_t scratch(const void *priv) { /* weights behind what the prox needs */
  const struct tpv *v = priv;
  const tv_term t = {.s = v->s};
  return pri_tv_prox_scratch(&t) + (size_t)v->s.n * sizeof(pri_real);
}

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  (void)priv;
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = 1;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct tpv *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "tpv: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct tpv *)priv)->weight; }

static double phi(const struct tpv *v, double t) {
  static const double x[4] = {0.18343464249564981, 0.52553240991632899, 0.79666647741362674, 0.96028985649753623};
  static const double w[4] = {0.36268378337836198, 0.31370664587788729, 0.22238103445337447, 0.10122853629037626};
  const double half = asinh(t / v->eta) / 2;
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += w[i] * (pow(cosh(half * (1 - x[i])), v->p) + pow(cosh(half * (1 + x[i])), v->p));
  return v->eta * half * sum;
}

struct sum {
  const struct tpv *v;
  const pri_real *x;
};

static double value_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  double sq[PRI_VEC_BLOCK], sum = 0;
  pri_stencil_square(&s->v->s, s->x, first, last, sq);
  for (ptrdiff_t i = 0; i < last - first; i++) sum += phi(s->v, sqrt(sq[i]));
  return sum;
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const struct tpv *v = priv;
  (void)scratch_;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = v->weight * pri_sum(ctx, v->s.n, value_block, &(struct sum){v, x + i * v->s.n});
  return PRI_OK;
}

static void reweight(const struct tpv *v, pri_real *map, const pri_real *x) {
  double sq[PRI_VEC_BLOCK];
  for (ptrdiff_t first = 0; first < v->s.n; first += PRI_VEC_BLOCK) {
    const ptrdiff_t last = first + PRI_VEC_BLOCK < v->s.n ? first + PRI_VEC_BLOCK : v->s.n;
    pri_stencil_square(&v->s, x, first, last, sq);
    for (ptrdiff_t i = first; i < last; i++) map[i] = (pri_real)pow(1 + sq[i - first] / (v->eta * v->eta), (v->p - 1) / 2);
  }
}

static pri_status prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi,
                       const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch_) {
  const struct tpv *v = priv;
  tv_term t = {.s = v->s, .weight = v->weight};
  pri_real *map = (pri_real *)(void *)((char *)scratch_ + pri_tv_prox_scratch(&t));
  (void)w, (void)q; /* no dual of a problem that is not convex */
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "tpv: prox with tau=%g; give a number > 0", req->tau);
  t.map = map;
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_prox_cert cert = {{NAN, PRI_UNKNOWN}, 0};
    long inner = 0;
    reweight(v, map, z + i * v->s.n);
    for (long j = 0; j < v->reweight; j++) {
      pri_tv_prox(ctx, &t, p + i * v->s.n, z + i * v->s.n, lo ? lo[i] : -INFINITY, hi ? hi[i] : INFINITY, req, &cert, NULL, scratch_);
      inner += cert.inner;
      if (j + 1 < v->reweight) reweight(v, map, p + i * v->s.n);
    }
    if (per_item) per_item[i] = (pri_prox_cert){v->p == 1 ? cert.gap : (pri_bound){NAN, PRI_UNKNOWN}, inner};
  }
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) {
  (void)priv;
  return (pri_bound){NAN, PRI_UNKNOWN}; /* not smooth */
}

static pri_bound convexity(const void *priv) {
  const struct tpv *v = priv;
  return v->p == 1 ? (pri_bound){0, PRI_EXACT} : (pri_bound){NAN, PRI_UNKNOWN};
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the sum; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data)", .type = PRI_REAL, .flags = PRI_P_REQUIRED | PRI_P_WEIGHT,
     .offset = offsetof(struct tpv, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "p", .unit = "1", .help = "exponent of edges; 1: total variation", .type = PRI_REAL, .offset = offsetof(struct tpv, p),
     .min = 0.01, .max = 1, .def = 0.5},
    {.name = "eta", .unit = "1", .help = "differences below it are penalised linearly, in the unit of the image", .type = PRI_REAL,
     .offset = offsetof(struct tpv, eta), .min = 1e-30, .max = 1e30, .def = 2e-3},
    {.name = "reweight", .unit = "1", .help = "reweightings in one proximal step", .type = PRI_INT, .offset = offsetof(struct tpv, reweight),
     .min = 1, .max = 100, .def = 2},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.1,p=0.5,eta=0.01,reweight=3", "0.2,p=1", NULL};
static const pri_variational variational = {.value = value, .prox = prox, .lipschitz = lipschitz, .convexity = convexity};
const pri_prior_class pri_prior_tpv = {
    .kind = {"tpv", "total p-variation by reweighting: edges cost less than in tv; not convex", "Candes, Wakin, Boyd 2008", sizeof(struct tpv),
             params, examples},
    .init = init, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational};
