/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe_learn.c - learnable face of foe: theta = (log(weight scale), log weights, log smoothings, taps). t_k = C_k x, V_k = weight W_k; phi scales
 * like nu^h Phi(t / nu) (h = 1: smoothed l1, h = 2: log), so that psi = nu d phi' / d nu = (h - 1) phi' - t phi''. S_u: the image seen by tap u.
 *
 *   H v               = sum_k C_k'( V_k phi''(t_k) C_k v )
 *   J'v, log weight_k:  V_k <phi'(t_k), C_k v>                   log scale: their sum
 *        log nu_k:      V_k <psi(t_k), C_k v>
 *        tap u of k:    V_k ( <phi'(t_k), S_u v> + <phi''(t_k) C_k v, S_u x> )                                              (spec maid 3)
 *   J d               = sum_k C_k'( V_k ((d_0 + a_k) phi' + b_k psi + phi'' D_k x) ) + D_k'( V_k phi' )
 * basis=cosines: foe_basis.c. hold=smoothing: nothing depends on log nu, so that it stays where it is.
 * cache: x, and V_k phi''(t_k) by tiles. Sums of J'v: lanes of a strip in registers, then strips in order: the same bits for any threads.
 *
 * Constants: L an estimate (foe_filters.h), L_H = sum_k V_k |C_k|^2 2 |c_k|_2 max|phi'''| proven (2: pixels in the mirror). mu = 0 for the convex potential; for log -L/8 is a bound from below that
 * counts as an estimate: whether the lower level is convex is not known, and nothing that is made of it is called proven. J grows with x
 * (taps): foe_near.c.
 */
#include <math.h>
#include <string.h>
#include "foe.h"
#include "par.h"
#include "smooth_abs.h"
#include "vec.h"

static const double LOG_THIRD = 1.4572; /* max of 2 z (3 - z^2) / (1 + z^2)^3, at z = root(2) - 1, rounded up */

static size_t ntheta(const void *priv) { return (size_t)pri_foe_ntheta(&((const foe *)priv)->f); }

static void get_theta(const void *priv, double *theta) {
  const foe *v = priv;
  memcpy(theta, v->f.theta, ntheta(priv) * sizeof *theta);
  theta[0] += log(v->weight);
  if (v->basis) pri_foe_cosines_of(v, theta + 1 + 2 * v->f.count, theta + 1 + 2 * v->f.count, 0);
}

static void stored(const void *priv, double *theta) {
  const foe *v = priv;
  memcpy(theta, v->f.theta, ntheta(priv) * sizeof *theta);
  theta[0] += log(v->weight);
}

static pri_status set_theta(pri_ctx *ctx, void *priv, const double *theta) {
  foe *v = priv;
  if (!pri_foe_fits(&v->f, theta)) return PRI_FAIL(ctx, PRI_EPARAM, "foe: a parameter is not finite, or a logarithm outside [-50, 50]");
  const int count = v->f.count, logs = 1 + 2 * count;
  memcpy(v->f.theta, theta, (size_t)(v->hold ? 1 + count : logs) * sizeof *theta);
  memcpy(v->f.theta + logs, theta + logs, (ntheta(priv) - (size_t)logs) * sizeof *theta);
  if (v->basis) pri_foe_taps_of(v, v->f.theta + logs, theta + logs);
  v->weight = 1;
  return pri_foe_refresh(ctx, v);
}

static pri_status constants(const void *priv, pri_bound *mu, pri_bound *lip, pri_bound *lip_hess, pri_bound *lip_mixed, pri_bound *norm_mixed) {
  const foe *v = priv;
  const int taps = v->f.side * v->f.side;
  double third = 0;
  for (int k = 0; k < v->f.count; k++) {
    const double nu = pri_foe_smoothing(&v->f, k), *c = pri_foe_taps(&v->f, k);
    double row = 0;
    for (int u = 0; u < taps; u++) row += c[u] * c[u];
    third += pri_foe_gain(v, k) * v->peaks[k] * 2 * sqrt(row) * (v->f.log ? LOG_THIRD / nu : PRI_SMOOTH_THIRD / (nu * nu));
  }
  *lip = (pri_bound){v->weight * v->curvature, PRI_ESTIMATE};
  *mu = v->f.log ? (pri_bound){-lip->value / 8, PRI_ESTIMATE} : (pri_bound){0, PRI_EXACT};
  *lip_hess = (pri_bound){third, PRI_PROVEN};
  *lip_mixed = *norm_mixed = (pri_bound){INFINITY, PRI_PROVEN}; /* over all x: foe_near.c */
  return PRI_OK;
}

/* of an item: x, the curves, and what strips need, for which prepare gets no scratch; each in multiples of 64 bytes */
static size_t up(size_t n) { return (n + 63) / 64 * 64 / sizeof(pri_real); } /* bytes to elements */
static size_t image_room(const foe *v) { return up((size_t)v->n * sizeof(pri_real)); }
static size_t curves_room(const foe *v) { return up(pri_filterbank_cache(&v->bank) * sizeof(pri_real)); }
static size_t cache(const void *priv) {
  const foe *v = priv;
  return image_room(v) + curves_room(v) + up(pri_filterbank_scratch(&v->bank));
}

struct caching { const foe *v; pri_real *curves; };

static void keep_curves(const void *arg, const pri_filterbank_tile *t, void *r, void *none) {
  const struct caching *j = arg;
  const size_t all = (size_t)t->pitch;
  (void)none;
  pri_foe_curves(j->v, t, r);
  for (int k = 0; k < j->v->f.count; k++) {
    pri_real *to = j->curves + t->at + (size_t)k * all;
    memcpy(to, (pri_real *)r + (size_t)k * all, (size_t)t->n * sizeof *to);
    memset(to + t->n, 0, (all - (size_t)t->n) * sizeof *to);
  }
}


static pri_status prepare(pri_ctx *ctx, const void *priv, const pri_real *x, pri_real *cache_, ptrdiff_t items) {
  const foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++, x += v->n, cache_ += cache(v)) {
    const struct caching j = {v, cache_ + image_room(v)};
    memcpy(cache_, x, (size_t)v->n * sizeof *x);
    pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &v->bank, .x = x, .fn = keep_curves, .arg = &j, .scratch = j.curves + curves_room(v)});
  }
  return PRI_OK;
}

/* ---- H v */

struct product { const foe *v; const pri_real *curves; };

static void times_curves(const void *arg, const pri_filterbank_tile *t, void *r, void *none) {
  const struct product *j = arg;
  (void)none;
  j->v->bank.k->times(r, j->curves + t->at, j->v->f.count * t->pitch);
}

static pri_status hessvec(pri_ctx *ctx, const void *priv, pri_real *hv, const pri_real *u, const pri_real *cache_, ptrdiff_t items, void *scratch) {
  const foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++, cache_ += cache(v)) {
    const struct product j = {v, cache_ + image_room(v)};
    pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &v->bank, .x = u + i * v->n, .y = hv + i * v->n, .fn = times_curves, .arg = &j, .scratch = scratch});
  }
  return PRI_OK;
}

/* ---- J d: rare, by plain loops; the second bank holds the taps of d */

struct along { const foe *v; const double *d; };

static void derivatives(const foe *v, double t, double nu, double *slope, double *curve) {
  const double z = t / nu, s = 1 + z * z;
  *slope = v->f.log ? t / s : z / sqrt(s);
  *curve = v->f.log ? (2 - s) / (s * s) : 1 / (nu * s * sqrt(s));
}

static void move_along(const void *arg, const pri_filterbank_tile *t, void *r, void *r2) {
  const struct along *j = arg;
  const foe *v = j->v;
  pri_real *a = r, *b = r2; /* in: C x, D x; out: what C' and D' take */
  for (int k = 0; k < v->f.count; k++, a += t->pitch, b += t->pitch) {
    const double V = pri_foe_gain(v, k), nu = pri_foe_smoothing(&v->f, k), da = j->d[0] + j->d[1 + k], db = v->hold ? 0 : j->d[1 + v->f.count + k];
    for (int i = 0; i < t->n; i++) {
      double slope, curve;
      derivatives(v, (double)a[i], nu, &slope, &curve);
      const double psi = (v->f.log ? slope : 0) - (double)a[i] * curve;
      a[i] = (pri_real)(V * (da * slope + db * psi + curve * (double)b[i]));
      b[i] = (pri_real)(V * slope);
    }
  }
}

static pri_status mixed(pri_ctx *ctx, const void *priv, pri_real *out, const double *dtheta, const pri_real *cache_, ptrdiff_t items, void *scratch) {
  const foe *v = priv;
  const foe_rooms rooms = pri_foe_rooms(v, scratch);
  const struct along j = {v, dtheta};
  pri_filterbank second = pri_filterbank_alike(&v->bank, rooms.taps);
  if (v->basis) pri_foe_taps_of(v, (double *)(void *)rooms.desks, dtheta + 1 + 2 * v->f.count); /* a desk has more room than that */
  pri_filterbank_set(&second, v->basis ? (const double *)(const void *)rooms.desks : dtheta + 1 + 2 * v->f.count);
  for (ptrdiff_t i = 0; i < items; i++, cache_ += cache(v))
    pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &v->bank, .second = &second, .x = cache_, .y = out + i * v->n, .fn = move_along, .arg = &j, .scratch = rooms.strips});
  return PRI_OK;
}

/* ---- J'v, strip by strip */

struct transposing { const foe *v; pri_filterbank_pass pass; foe_rooms rooms; };
struct desk { /* of a worker: sums of lanes [count][side side][lanes], p and q of a tile, two sums a filter */
  const foe *v;
  pri_real *lanes, *p, *q;
  double *logs;
};

static struct desk sit(const struct transposing *j, int worker) {
  const foe *v = j->v;
  const size_t tile = (size_t)(v->f.count * PRI_BANK_VECTORS * v->bank.k->lanes), taps = (size_t)(v->f.count * v->f.side * v->f.side);
  pri_real *at = (pri_real *)(void *)(j->rooms.desks + (size_t)worker * pri_foe_desk(v));
  struct desk d = {.v = v, .lanes = at, .p = at + taps * (size_t)v->bank.k->lanes};
  d.q = d.p + tile;
  d.logs = (double *)(void *)(d.q + tile);
  memset(d.lanes, 0, taps * (size_t)v->bank.k->lanes * sizeof *at);
  memset(d.logs, 0, 2 * (size_t)v->f.count * sizeof *d.logs);
  return d;
}

/* sums over i < n of p s and ((h - 1) p - t q) s, n a multiple of 2, in pairs; then q = q s */
static void add_logs(double sums[2], const pri_real *t, const pri_real *p, pri_real *q, const pri_real *s, int n, double homogeneous) {
  double a[2] = {0}, b[2] = {0};
  for (int i = 0; i < n; i += 2)
    for (int l = 0; l < 2; l++) {
      const double pi = (double)p[i + l], qi = (double)q[i + l], si = (double)s[i + l];
      a[l] += pi * si, b[l] += (homogeneous * pi - (double)t[i + l] * qi) * si;
      q[i + l] = (pri_real)(qi * si);
    }
  sums[0] += a[0] + a[1], sums[1] += b[0] + b[1];
}

static void transpose(const void *arg, const pri_filterbank_tile *t, void *r, void *r2) { /* r: C x; r2: C v */
  const struct desk *d = arg;
  const foe *v = d->v;
  const pri_bank_kernels *k = v->bank.k;
  const int count = v->f.count, side = v->f.side, whole = t->vectors * k->lanes;
  memcpy(d->p, r, (size_t)(count * t->pitch) * sizeof *d->p);
  memcpy(d->q, r, (size_t)(count * t->pitch) * sizeof *d->q);
  pri_foe_slopes(v, t, d->p);
  pri_foe_curves(v, t, d->q);
  for (int j = 0; j < count; j++) {
    pri_real *p = d->p + j * t->pitch, *q = d->q + j * t->pitch;
    for (int i = t->n; i < whole; i++) p[i] = q[i] = 0;
    add_logs(d->logs + 2 * j, (pri_real *)r + j * t->pitch, p, q, (pri_real *)r2 + j * t->pitch, whole, v->f.log);
  }
  for (int y = 0; y < side; y++)
    k->outer(d->lanes + (ptrdiff_t)y * side * k->lanes, d->p, t->rows[1][y], d->q, t->rows[0][y], count, side * side, side, t->vectors);
}

static void fold(const struct desk *d, double *to) { /* [count] log weights, [count] log smoothings, taps */
  const foe *v = d->v;
  const int taps = v->f.count * v->f.side * v->f.side, lanes = v->bank.k->lanes;
  for (int k = 0; k < v->f.count; k++) to[k] = d->logs[2 * k], to[v->f.count + k] = d->logs[2 * k + 1];
  to += 2 * v->f.count;
  for (int u = 0; u < taps; u++) {
    to[u] = 0;
    for (int l = 0; l < lanes; l++) to[u] += (double)d->lanes[u * lanes + l];
  }
}

static pri_status transpose_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct transposing *j = arg;
  for (ptrdiff_t s = first; s < last; s++) {
    const struct desk d = sit(j, worker);
    pri_filterbank_pass pass = j->pass;
    pass.arg = &d;
    pri_filterbank_strip(&pass, s, j->rooms.strips + (size_t)worker * pri_filterbank_share(&j->v->bank));
    fold(&d, j->rooms.sums + (size_t)s * pri_foe_sums(j->v));
  }
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, double *out, const pri_real *u, const pri_real *cache_, ptrdiff_t items, void *scratch) {
  const foe *v = priv;
  struct transposing j = {.v = v, .rooms = pri_foe_rooms(v, scratch)};
  const ptrdiff_t strips = pri_filterbank_strips(&v->bank, 0);
  const size_t each = pri_foe_sums(v);
  for (ptrdiff_t i = 0; i < items; i++, cache_ += cache(v), out += ntheta(v)) {
    j.pass = (pri_filterbank_pass){.bank = &v->bank, .second = &v->bank, .x = cache_, .x2 = u + i * v->n, .fn = transpose};
    PRI_TRY(pri_par_for(ctx, strips, pri_filterbank_grain(ctx, &v->bank, 0), transpose_some, &j));
    memset(out, 0, ntheta(v) * sizeof *out);
    for (ptrdiff_t s = 0; s < strips; s++)
      for (size_t k = 0; k < each; k++) out[1 + k] += j.rooms.sums[(size_t)s * each + k];
    for (int k = 0; k < v->f.count; k++) out[0] += out[1 + k];
    if (v->basis) pri_foe_cosines_of(v, out + 1 + 2 * v->f.count, out + 1 + 2 * v->f.count, 1);
    if (v->hold) memset(out + 1 + v->f.count, 0, (size_t)v->f.count * sizeof *out);
  }
  return PRI_OK;
}

const pri_learnable pri_foe_learnable = {.ntheta = ntheta, .get_theta = get_theta, .stored = stored, .set_theta = set_theta, .constants = constants, .cache = cache, .prepare = prepare,
                                         .hessvec = hessvec, .mixed = mixed, .mixed_t = mixed_t, .near = pri_foe_near};
