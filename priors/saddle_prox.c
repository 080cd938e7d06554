/* SPDX-License-Identifier: GPL-3.0-or-later */
/* saddle_prox.c - see saddle_prox.h. */
#include "saddle_prox.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "vec.h"

enum { FIRST_LOOK = 10, STEADY = 400, STEPS = 2000 /* where the caller names no limit */ };
static const double FIRST_TAU = 0.4, FALL = 0.2, RELAX = 1.9, AUX_TAU = 0.06;

struct run {
  pri_ctx *ctx;
  const pri_saddle *s;
  const void *priv;
  ptrdiff_t n, nq, nw;
  double t, lo, hi, norm2;
  const pri_real *z;
  pri_real *p, *x, *g, *qt, *q, *kx, *wt, *w, *gw; /* x~ = p; qt, wt = q~, w~ */
  double *wide;
};

static void sizes(const pri_saddle *s, const void *priv, ptrdiff_t *nq, ptrdiff_t *nw, double *norm) {
  pri_shape aux, dual;
  pri_bound b;
  (void)s->shapes(priv, &aux, &dual, &b); /* cannot fail: the classes here only state them */
  *nq = pri_shape_size(&dual), *nw = aux.nd ? pri_shape_size(&aux) : 0, *norm = b.value;
}

size_t pri_saddle_prox_scratch(const pri_saddle *s, const void *priv, ptrdiff_t n) {
  ptrdiff_t nq, nw;
  double norm;
  sizes(s, priv, &nq, &nw, &norm);
  return (size_t)n * sizeof(double) + (size_t)(2 * n + 3 * nq + 3 * nw) * sizeof(pri_real);
}

static void lay_out(struct run *r, pri_real *q, pri_real *w, void *scratch) {
  double norm;
  sizes(r->s, r->priv, &r->nq, &r->nw, &norm);
  r->norm2 = norm * norm;
  r->wide = scratch;
  r->x = (pri_real *)(r->wide + r->n), r->g = r->x + r->n;
  r->q = r->g + r->n, r->kx = r->q + r->nq, r->qt = q ? q : r->kx + r->nq;
  r->w = r->kx + 2 * r->nq, r->gw = r->w + r->nw, r->wt = w ? w : r->gw + r->nw;
  if (!q) pri_fill(r->ctx, r->qt, 0, r->nq);
  if (!w) pri_fill(r->ctx, r->wt, 0, r->nw);
  pri_copy(r->ctx, r->q, r->qt, r->nq);
  pri_copy(r->ctx, r->w, r->wt, r->nw);
}

static pri_real *aux(const struct run *r, pri_real *w) { return r->nw ? w : NULL; }

static double clamp(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

static pri_status step(struct run *r, long k) {
  const double falling = FIRST_TAU / (1 + FALL * (double)(k < STEADY ? k : STEADY)), tau = r->nw ? fmax(falling, AUX_TAU) : falling;
  pri_fill(r->ctx, r->g, 0, r->n);
  pri_fill(r->ctx, r->gw, 0, r->nw);
  PRI_TRY(r->s->kt(r->ctx, r->priv, r->g, aux(r, r->gw), r->q, 1));
  for (ptrdiff_t j = 0; j < r->n; j++) { /* x~, then g = 2 x~ - x, x += 1.9 (x~ - x) */
    const double x = (double)r->x[j], to = clamp((x - tau * r->t * (double)r->g[j] + tau * (double)r->z[j]) / (1 + tau), r->lo, r->hi);
    r->p[j] = (pri_real)to, r->g[j] = (pri_real)(2 * to - x), r->x[j] = (pri_real)(x + RELAX * (to - x));
  }
  for (ptrdiff_t j = 0; j < r->nw; j++) {
    const double w = (double)r->w[j], to = w - tau * r->t * (double)r->gw[j];
    r->wt[j] = (pri_real)to, r->gw[j] = (pri_real)(2 * to - w), r->w[j] = (pri_real)(w + RELAX * (to - w));
  }
  const double sigma = 1 / (tau * r->t * r->norm2);
  PRI_TRY(r->s->k(r->ctx, r->priv, r->kx, r->g, aux(r, r->gw), 1));
  pri_copy(r->ctx, r->qt, r->q, r->nq);
  pri_axpy(r->ctx, r->qt, sigma, r->kx, r->nq);
  PRI_TRY(r->s->dual_prox(r->ctx, r->priv, r->qt, sigma, NULL, 1));
  pri_axpby(r->ctx, r->q, RELAX, r->qt, 1 - RELAX, r->nq);
  return PRI_OK;
}

/* p = P_box(z - t K'q) */
static pri_status least(struct run *r, const pri_real *q) {
  pri_fill(r->ctx, r->p, 0, r->n);
  PRI_TRY(r->s->kt(r->ctx, r->priv, r->p, NULL, q, 1));
  pri_axpby(r->ctx, r->p, 1, r->z, -r->t, r->n);
  pri_clip(r->ctx, r->p, r->lo, r->hi, r->n);
  return PRI_OK;
}

/* <r - q+, q+ - q> */
static double uphill_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += ((double)r->q[i] - (double)r->kx[i]) * ((double)r->kx[i] - (double)r->qt[i]);
  return sum;
}

/* FGP: q~ holds q, q the extrapolated r */
static pri_status warm_steps(struct run *r, long steps) {
  double t = 1;
  for (long k = 0; k < steps; k++) {
    PRI_TRY(least(r, r->q));
    PRI_TRY(r->s->k(r->ctx, r->priv, r->kx, r->p, NULL, 1));
    pri_axpby(r->ctx, r->kx, 1, r->q, 1 / (r->t * r->norm2), r->nq);
    PRI_TRY(r->s->dual_prox(r->ctx, r->priv, r->kx, 0, NULL, 1)); /* q+ */
    const int uphill = pri_sum(r->ctx, r->nq, uphill_block, r) > 0; /* O'Donoghue, Candes 2015 */
    const double next = (1 + sqrt(1 + 4 * t * t)) / 2, beta = uphill ? 0 : (t - 1) / next;
    pri_copy(r->ctx, r->q, r->kx, r->nq);
    pri_axpby(r->ctx, r->q, -beta, r->qt, 1 + beta, r->nq);
    pri_copy(r->ctx, r->qt, r->kx, r->nq);
    t = uphill ? 1 : next;
  }
  return least(r, r->qt);
}

/* of one block: |x - z|^2 / 2 or min over u */
static double primal_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) {
    const double d = (double)r->p[j] - (double)r->z[j];
    sum += d * d / 2;
  }
  return sum;
}

static double dual_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) {
    const double z = (double)r->z[j], g = r->t * r->wide[j], u = clamp(z - g, r->lo, r->hi);
    sum += (u - z) * (u - z) / 2 + g * u;
  }
  return sum;
}

/* what dual_block adds up has both signs: sum |g u| */
static double sizes_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) {
    const double z = (double)r->z[j], g = r->t * r->wide[j];
    sum += fabs(g * clamp(z - g, r->lo, r->hi));
  }
  return sum;
}

/* F(K (x~, w~)); in double where the prior has it so */
static pri_status value_of(struct run *r, double *value) {
  if (r->s->value_wide) return r->s->value_wide(r->ctx, r->priv, value, r->p, aux(r, r->wt), 1);
  PRI_TRY(r->s->k(r->ctx, r->priv, r->kx, r->p, aux(r, r->wt), 1));
  return r->s->value(r->ctx, r->priv, value, r->kx, 1);
}

/* A w is pulled at by what repair leaves of K_w'q, which is not in the gap here: no proof */
static pri_trust trust_of(const struct run *r) {
  const int wide = sizeof(pri_real) == sizeof(double) || (r->s->value_wide && r->s->kt_wide);
  return wide && !r->nw ? PRI_PROVEN : PRI_ESTIMATE;
}

/* relative gap of (x~, w~) and the repaired q~ */
static pri_status look(struct run *r, double *relative) {
  const pri_saddle *s = r->s;
  double prior;
  PRI_TRY(value_of(r, &prior));
  pri_copy(r->ctx, r->kx, r->qt, r->nq);
  PRI_TRY(s->repair ? s->repair(r->ctx, r->priv, r->kx, 1) : s->dual_prox(r->ctx, r->priv, r->kx, 0, NULL, 1));
  memset(r->wide, 0, (size_t)r->n * sizeof *r->wide);
  if (s->kt_wide) PRI_TRY(s->kt_wide(r->ctx, r->priv, r->wide, NULL, r->kx, 1));
  else {
    pri_fill(r->ctx, r->g, 0, r->n);
    PRI_TRY(s->kt(r->ctx, r->priv, r->g, NULL, r->kx, 1));
    for (ptrdiff_t j = 0; j < r->n; j++) r->wide[j] = (double)r->g[j];
  }
  const double primal = pri_sum(r->ctx, r->n, primal_block, r) + r->t * prior, dual = pri_sum(r->ctx, r->n, dual_block, r);
  const double gap = fmax(primal - dual, 0) + 4 * (double)(r->n + 16) * DBL_EPSILON * (primal + pri_sum(r->ctx, r->n, sizes_block, r));
  *relative = gap / fmax(primal, DBL_MIN);
  return PRI_OK;
}

static long next_look(long k, long last) {
  const long next = k + (k / 8 > 5 ? k / 8 : 5);
  return next < last ? next : last;
}

static pri_status to_tolerance(struct run *r, double tol, long most, double *gap, long *k) {
  for (long at = most < FIRST_LOOK ? most : FIRST_LOOK; *k < most; at = *k < at ? at : next_look(*k, most)) {
    PRI_TRY(step(r, ++*k));
    if (*k < at) continue;
    PRI_TRY(look(r, gap));
    if (*gap <= tol) break;
  }
  return PRI_OK;
}

pri_status pri_saddle_prox(pri_ctx *ctx, const pri_saddle *s, const void *priv, ptrdiff_t n, pri_real *p, const pri_real *z, double lo, double hi,
                           const pri_prox_req *req, pri_prox_cert *cert, pri_real *q, pri_real *w, void *scratch) {
  const long most = req->max_inner > 0 ? req->max_inner : STEPS;
  struct run r = {.ctx = ctx, .s = s, .priv = priv, .n = n, .t = req->tau, .lo = lo, .hi = hi, .z = z, .p = p};
  double gap = INFINITY;
  long k = 0;
  if (!(req->tau > 0)) return PRI_FAIL(ctx, PRI_EPARAM, "prox: tau=%g; give a number > 0", req->tau);
  lay_out(&r, q, w, scratch);
  pri_copy(ctx, r.x, z, n);
  pri_clip(ctx, r.x, lo, hi, n);
  pri_copy(ctx, p, r.x, n);
  if (req->tol > 0 || r.nw > 0) PRI_TRY(to_tolerance(&r, req->tol, most, &gap, &k));
  else {
    PRI_TRY(warm_steps(&r, k = most));
    if (cert) PRI_TRY(look(&r, &gap));
  }
  if (cert) *cert = (pri_prox_cert){{gap, trust_of(&r)}, k};
  return PRI_OK;
}

pri_status pri_saddle_prox_items(pri_ctx *ctx, const pri_saddle *s, const void *priv, ptrdiff_t n, pri_real *p, const pri_real *z, const double *lo, const double *hi,
                                 const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch) {
  ptrdiff_t nq, nw;
  double norm;
  sizes(s, priv, &nq, &nw, &norm);
  for (ptrdiff_t i = 0; i < items; i++)
    PRI_TRY(pri_saddle_prox(ctx, s, priv, n, p + i * n, z + i * n, lo ? lo[i] : -INFINITY, hi ? hi[i] : INFINITY, req, per_item ? per_item + i : NULL,
                            q ? q + i * nq : NULL, w && nw ? w + i * nw : NULL, scratch));
  return PRI_OK;
}
