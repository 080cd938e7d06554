/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * foe - field of experts:  R(x) = weight sum_k W_k sum_i phi_k((C_k x)_i)
 *
 *   potential=smoothed-l1  phi(t) = root(t^2 + nu_k^2) - nu_k              phi'' in (0, 1 / nu]: convex
 *   potential=log          phi(t) = nu_k^2/2 log(1 + t^2 / nu_k^2)         phi'' in [-1/8, 1]: not convex
 *
 * W_k = exp(log scale + log weight_k), nu_k = exp(log smoothing_k) and the filters from a .prior file (foe_filters.h), or as they begin before
 * they are learned; beyond its borders the image goes on as in a mirror. Gradient weight sum_k W_k C_k'phi'(C_k x), in one pass (filterbank.h):
 *   L = weight max_frequency sum_k W_k max|phi_k''| |c_k^|^2, a little more near borders (an estimate, and 4 times that is proven: foe_filters.h)
 * range: R(x) = range^2 R_learned(x / range), which is nu' = range nu, and for smoothed l1 W' = range W.
 * A volume is taken plane by plane. Source: Roth, Black 2009; the convex potential and these parameters: spec maid 6.3 (Ehrhardt et al.);
 * log: Chen, Ranftl, Pock 2014.
 */
#include "foe.h"
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "priori/rng.h"
#include "smooth_abs.h"
#include "vec.h"

enum { COSINES, RANDOM, ROUNDS = 20 };
static const char *const potentials[] = {"smoothed-l1", "log", NULL}, *const begins[] = {"dct", "random", NULL}, *const holds[] = {"none", "smoothing", NULL}, *const bases[] = {"pixels", "cosines", NULL};
static const double SMOOTHING = 0.01, RANDOM_SMOOTHING = -3.5 /* log */, MIRROR = 4 /* |E|^2 */, SAFETY = 1.05;

/* ---- curvature near borders: power iteration on sum_k v_k C_k'C_k, in a small image */

struct product { const double *v; int count; };

static void times_weights(const void *arg, const pri_filterbank_tile *t, void *r, void *none) {
  const struct product *j = arg;
  double *at = r;
  (void)none;
  for (int k = 0; k < j->count; k++, at += t->pitch)
    for (int i = 0; i < t->n; i++) at[i] *= j->v[k];
}

static double norm_of(pri_real *x, const double *y, ptrdiff_t n) { /* x = y / |y| */
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) sum += y[i] * y[i];
  for (ptrdiff_t i = 0; i < n; i++) x[i] = (pri_real)(sum > 0 ? y[i] / sqrt(sum) : 0);
  return sqrt(sum);
}

static pri_status power(pri_ctx *ctx, const foe *v, const double *weights, double *norm) {
  const ptrdiff_t side = 4 * v->f.side, n = side * side;
  pri_filterbank b;
  double *y = NULL;
  pri_real *x = NULL;
  void *scratch = NULL;
  pri_status s = pri_filterbank_init(ctx, &b, v->f.count, v->f.side, 1, side, side, 1, 1);
  if (s == PRI_OK) {
    y = pri_calloc(ctx, (size_t)n, sizeof *y), x = pri_calloc(ctx, (size_t)n, sizeof *x), scratch = pri_calloc(ctx, 1, pri_filterbank_scratch(&b));
    s = y && x && scratch ? PRI_OK : pri_ctx_code(ctx);
  }
  if (s == PRI_OK) {
    pri_filterbank_set(&b, pri_foe_taps(&v->f, 0));
    for (ptrdiff_t i = 0; i < n; i++) y[i] = pri_rng_normal_at(1, "power", (uint64_t)i);
    for (int k = 0; k < ROUNDS; k++) {
      (void)norm_of(x, y, n);
      pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &b, .x = x, .y = y, .fn = times_weights, .arg = &(struct product){weights, v->f.count}, .scratch = scratch});
    }
    *norm = norm_of(x, y, n);
  }
  pri_free(ctx, y), pri_free(ctx, x), pri_free(ctx, scratch);
  pri_filterbank_fini(ctx, &b);
  return s;
}

pri_status pri_foe_refresh(pri_ctx *ctx, foe *v) {
  double *each, bound[PRI_FOE_BOUNDS], found = 0;
  const int count = v->f.count;
  PRI_ALLOC(ctx, each, PRI_FOE_BOUNDS * count);
  for (int k = 0; k < count; k++) each[k] = 1, each[count + k] = pri_foe_weight(&v->f, k) / (v->f.log ? 1 : pri_foe_smoothing(&v->f, k));
  pri_status s = pri_foe_bound(ctx, &v->f, each, bound, v->peaks);
  if (s == PRI_OK) s = power(ctx, v, each + count, &found);
  pri_free(ctx, each);
  PRI_TRY(s);
  for (int k = 0; k < count; k++) v->peaks[k] *= MIRROR;
  v->norm2 = MIRROR * bound[0], v->curvature = fmin(fmax(bound[1], SAFETY * found), MIRROR * bound[1]);
  pri_filterbank_set(&v->bank, pri_foe_taps(&v->f, 0));
  pri_filterbank_set(&v->wide, pri_foe_taps(&v->f, 0));
  return PRI_OK;
}

/* What the keys ask for: theta, and the keys as they are now. */
static pri_status begin(pri_ctx *ctx, foe *v) {
  const long all = v->size * v->size - 1;
  if (isnan(v->smoothing)) v->smoothing = v->begin == RANDOM ? exp(RANDOM_SMOOTHING) : SMOOTHING;
  if (v->file) PRI_TRY(pri_foe_load(ctx, &v->f, v->file));
  else {
    if (v->filters == 0) v->filters = v->begin == RANDOM ? 48 : all;
    if (v->begin == COSINES && v->filters > all)
      return PRI_FAIL(ctx, PRI_EPARAM, "foe: filters=%ld: there are %ld cosine filters of %ld x %ld pixels; ask for fewer, or init=random", v->filters, all, v->size, v->size);
    v->f.count = (int)v->filters, v->f.side = (int)v->size, v->f.log = v->potential;
    PRI_TRY(v->begin == RANDOM ? pri_foe_random(ctx, &v->f, v->smoothing, (uint64_t)v->seed) : pri_foe_cosines(ctx, &v->f, v->smoothing));
  }
  if (!v->f.log) v->f.theta[0] += log(v->range);
  for (int k = 0; k < v->f.count; k++) v->f.theta[1 + v->f.count + k] += log(v->range);
  v->filters = v->f.count, v->size = v->f.side, v->potential = v->f.log;
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  foe *v = priv;
  (void)meta;
  if (dom->nd < 2 || dom->nd > 3) return PRI_FAIL(ctx, PRI_ESHAPE, "foe: an image has 2 axes (or is a stack of such planes), not %d", dom->nd);
  const ptrdiff_t nx = dom->n[dom->nd - 1], ny = dom->n[dom->nd - 2];
  v->dom = *dom, v->n = pri_shape_size(dom);
  PRI_TRY(begin(ctx, v));
  v->fieldsize = v->f.count * v->n;
  PRI_ALLOC(ctx, v->peaks, v->f.count);
  PRI_TRY(pri_filterbank_init(ctx, &v->bank, v->f.count, v->f.side, v->n / (nx * ny), ny, nx, 1, 0));
  PRI_TRY(pri_filterbank_init(ctx, &v->wide, v->f.count, v->f.side, v->n / (nx * ny), ny, nx, 1, 1));
  PRI_TRY(pri_foe_refresh(ctx, v));
  if (!(v->norm2 > 0)) return PRI_FAIL(ctx, PRI_EDATA, "foe: file=%s: all filters are zero", v->file ? v->file : "(none)");
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  foe *v = priv;
  pri_filterbank_fini(ctx, &v->bank);
  pri_filterbank_fini(ctx, &v->wide);
  pri_free(ctx, v->peaks);
  pri_free(ctx, v->f.theta);
}

/* ---- scratch */

static size_t up(size_t n) { return (n + 63) / 64 * 64; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t strips_bytes(const foe *v) { return larger(pri_filterbank_scratch(&v->bank), pri_filterbank_scratch(&v->wide)); }
static size_t sums_bytes(const foe *v) { return up((size_t)pri_filterbank_strips(&v->bank, 1) * pri_foe_sums(v) * sizeof(double)); }

size_t pri_foe_desk(const foe *v) { /* sums of lanes; p and q of a tile; two sums a filter */
  const size_t count = (size_t)v->f.count, taps = (size_t)(v->f.side * v->f.side), lanes = (size_t)v->bank.k->lanes;
  return up(count * (taps + 2 * PRI_BANK_VECTORS) * lanes * sizeof(pri_real) + 2 * count * sizeof(double));
}

static size_t desks_bytes(const foe *v) {
  const ptrdiff_t strips = pri_filterbank_strips(&v->bank, 0);
  return pri_foe_desk(v) * (size_t)(strips < v->bank.workers ? strips : v->bank.workers);
}

size_t pri_foe_scratch(const foe *v) { return strips_bytes(v) + sums_bytes(v) + desks_bytes(v) + pri_filterbank_taps(&v->bank); }

foe_rooms pri_foe_rooms(const foe *v, void *scratch) {
  foe_rooms r = {.strips = scratch};
  char *sums = r.strips + strips_bytes(v);
  r.sums = (double *)(void *)sums;
  r.desks = sums + sums_bytes(v), r.taps = r.desks + desks_bytes(v);
  return r;
}

static size_t scratch(const void *priv) { return pri_foe_scratch(priv); }

static void halo(const void *priv, ptrdiff_t reach[PRI_MAXDIM]) {
  const foe *v = priv;
  for (int a = 0; a < PRI_MAXDIM; a++) reach[a] = a >= v->dom.nd - 2 ? v->f.side - 1 : 0;
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  foe *v = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "foe: the weight cannot be multiplied by %g; give a number >= 0", factor);
  v->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const foe *)priv)->weight; }

/* ---- variational */

static void map_all(const foe *v, const pri_filterbank_tile *t, void *r, pri_bank_map map, int of_nu) { /* of_nu: the power of nu in the map's factor */
  for (int k = 0; k < v->f.count; k++) {
    const double nu = pri_foe_smoothing(&v->f, k), power = of_nu > 0 ? nu : of_nu < 0 ? 1 / nu : 1;
    pri_filterbank_map(&v->bank, map, r, t, k, 1 / nu, pri_foe_gain(v, k) * power);
  }
}

void pri_foe_slopes(const foe *v, const pri_filterbank_tile *t, void *r) {
  map_all(v, t, r, v->f.log ? PRI_BANK_LOG_SLOPE : PRI_BANK_ROOT_SLOPE, v->f.log);
}

void pri_foe_curves(const foe *v, const pri_filterbank_tile *t, void *r) {
  map_all(v, t, r, v->f.log ? PRI_BANK_LOG_CURVE : PRI_BANK_ROOT_CURVE, v->f.log - 1);
}

static double potential(const foe *v, double t, double nu) { return v->f.log ? nu * nu / 2 * log1p(t / nu * (t / nu)) : pri_smooth_abs(t, nu); }

struct valuing { const foe *v; double *sums; };

static void add_values(const void *arg, const pri_filterbank_tile *t, void *r, void *none) {
  const struct valuing *j = arg;
  const double *at = r;
  (void)none;
  for (int k = 0; k < j->v->f.count; k++, at += t->pitch) {
    const double nu = pri_foe_smoothing(&j->v->f, k);
    double sum = 0;
    for (int i = 0; i < t->n; i++) sum += potential(j->v, at[i], nu);
    j->sums[t->strip] += pri_foe_gain(j->v, k) * sum;
  }
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const foe *v = priv;
  const foe_rooms rooms = pri_foe_rooms(v, scratch_);
  const struct valuing j = {v, rooms.sums};
  const ptrdiff_t strips = pri_filterbank_strips(&v->wide, 0);
  for (ptrdiff_t i = 0; i < items; i++) {
    memset(rooms.sums, 0, (size_t)strips * sizeof *rooms.sums);
    pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &v->wide, .x = x + i * v->n, .fn = add_values, .arg = &j, .scratch = rooms.strips});
    per_item[i] = 0;
    for (ptrdiff_t s = 0; s < strips; s++) per_item[i] += rooms.sums[s];
  }
  return PRI_OK;
}

static void slopes(const void *arg, const pri_filterbank_tile *t, void *r, void *none) {
  (void)none;
  pri_foe_slopes(arg, t, r);
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch_) {
  const foe *v = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    pri_filterbank_run(ctx, &(pri_filterbank_pass){.bank = &v->bank, .x = x + i * v->n, .y = g + i * v->n, .fn = slopes, .arg = v, .scratch = scratch_});
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) {
  const foe *v = priv;
  return (pri_bound){v->weight * v->curvature, PRI_ESTIMATE};
}

static pri_bound convexity(const void *priv) {
  const foe *v = priv;
  return v->f.log ? (pri_bound){-v->weight * v->curvature / 8, PRI_UNKNOWN} : (pri_bound){0, PRI_EXACT};
}

/* ---- class: the potential log has no saddle face */

static const pri_prior_class *faces(const void *priv);
static const pri_param params[] = {
    {.name = "file", .unit = "-", .help = "learned filters and their weights (.prior, of `priori learn`); without: as the other keys say", .type = PRI_FILE,
     .offset = offsetof(foe, file)},
    {.name = "weight", .unit = "1", .help = "factor of what was learned; or auto:METHOD (chosen from the noise level)", .type = PRI_REAL, .flags = PRI_P_WEIGHT,
     .offset = offsetof(foe, weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "range", .unit = "1", .help = "what the image counts as 1 of what was learned: 255 for images of 0 to 255 where it was learned from 0 to 1",
     .type = PRI_REAL, .offset = offsetof(foe, range), .min = 1e-9, .max = 1e9, .def = 1},
    {.name = "smoothing", .unit = "1", .help = "responses below it count as squares; auto: 0.01, with init=random 0.03", .type = PRI_REAL, .flags = PRI_P_AUTO,
     .offset = offsetof(foe, smoothing), .min = 1e-12, .max = 1e12, .def = NAN},
    {.name = "filters", .unit = "1", .help = "number of filters; auto: all cosines but the constant, with init=random 48", .type = PRI_INT, .flags = PRI_P_AUTO,
     .offset = offsetof(foe, filters), .min = 1, .max = PRI_FOE_FILTERS, .def = NAN},
    {.name = "size", .unit = "px", .help = "side of the square filters", .type = PRI_INT, .offset = offsetof(foe, size), .min = 2, .max = PRI_FOE_SIDE, .def = 3},
    {.name = "potential", .unit = "-", .help = "smoothed-l1: convex; log: sharper results, but not convex: nothing can be certified", .type = PRI_CHOICE,
     .choices = potentials, .offset = offsetof(foe, potential), .def = 0},
    {.name = "init", .unit = "-", .help = "what the filters are before they are learned: cosines, or random numbers of zero mean with small weights", .type = PRI_CHOICE,
     .choices = begins, .offset = offsetof(foe, begin), .def = COSINES},
    {.name = "hold", .unit = "-", .help = "smoothing: learning leaves the smoothings as they are. Those of smoothed-l1 tend to 0 for little gain, and denoising then takes longer",
     .type = PRI_CHOICE, .choices = holds, .offset = offsetof(foe, hold), .def = 0},
    {.name = "basis", .unit = "-", .help = "what learning moves: the pixels of a filter, or its cosine coefficients without the constant, low frequencies slower (faster learning)",
     .type = PRI_CHOICE, .choices = bases, .offset = offsetof(foe, basis), .def = 0},
    {.name = "seed", .unit = "1", .help = "of init=random", .type = PRI_INT, .offset = offsetof(foe, seed), .min = 0, .max = 1e9, .def = 1},
    {0}};
static const char *const examples[] = {"weight=0.1,smoothing=0.5", "weight=2,smoothing=0.2", "filters=6,size=4,init=random,smoothing=0.5,weight=5", "smoothing=0.3,weight=0.5,potential=log", "smoothing=0.4,hold=smoothing,basis=cosines", NULL};
static const pri_variational variational = {.value = value, .grad = grad, .lipschitz = lipschitz, .convexity = convexity};
#define CLASS                                                                                                                                             \
  .kind = {"foe", "field of experts: learned filters with a smoothed absolute value or a logarithm each", "Roth, Black 2009; Ehrhardt, Roberts et al. 2025", \
           sizeof(foe), params, examples},                                                                                                                \
  .init = init, .faces = faces, .fini = fini, .scratch = scratch, .halo = halo, .scale = scale, .weight = weight, .variational = &variational,            \
  .learnable = &pri_foe_learnable
const pri_prior_class pri_prior_foe = {CLASS, .saddle = &pri_foe_saddle};
static const pri_prior_class without_saddle = {CLASS};
static const pri_prior_class *faces(const void *priv) { return ((const foe *)priv)->f.log ? &without_saddle : &pri_prior_foe; }
