/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noise_poisson.c - counting noise. of=integrals (y: line integrals): I ~ Poisson(photons exp(-y)), y = -ln(max(I, 1/2) / photons);
 * of=intensity (y: brightness >= 0): y = Poisson(photons y) / photons. photons: counts of an open bin, or at brightness 1.
 *
 * Variates: below mean 10 by inversion, else the transformed rejection of Hoermann 1993 (PTRS). Element j of item i owns 64 numbers of
 * the stream from 64 (i N + j) on; 31 rejections in a row (probability below 1e-15) give the mean, rounded.
 */
#include <math.h>
#include <stddef.h>

#include "par.h"
#include "priori/phantom.h"
#include "priori/rng.h"
#include "vec.h"

enum { OWN = 64 };
struct poisson { double photons; int of; };
struct item { const struct poisson *p; uint64_t seed, at; pri_real *y; };

static double uniform(uint64_t seed, uint64_t at) { return pri_rng_uniform_at(seed, "noise/poisson", at); }

/* ln k! : table, then Stirling's series; errors below 1e-12 */
static double log_factorial(double k) {
  static const double small[10] = {0, 0, 0.693147180559945309, 1.79175946922805500, 3.17805383034794562, 4.78749174278204599,
                                   6.57925121201010100, 8.52516136106541430, 10.6046029027452502, 12.8018274800814696};
  if (k < 10) return small[(int)k];
  const double x = k + 1, r = 1 / (x * x);
  return (x - 0.5) * log(x) - x + 0.918938533204672742 + (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r / 1680))) / x;
}

static double inversion(double mean, double u) {
  double k = 0, p = exp(-mean), sum = p;
  while (u > sum && k < 200) k++, p *= mean / k, sum += p;
  return k;
}

static double rejection(double mean, uint64_t seed, uint64_t at) {
  const double root = sqrt(mean), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (uint64_t try = 0; try < OWN / 2 - 1; try++) {
    const double u = uniform(seed, at + 2 * try) - 0.5, v = uniform(seed, at + 2 * try + 1), us = 0.5 - fabs(u);
    const double k = floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <= -mean + k * log(mean) - log_factorial(k)) return k;
  }
  return floor(mean + 0.5);
}

static double counts(double mean, uint64_t seed, uint64_t at) {
  return mean <= 0 ? 0 : mean < 10 ? inversion(mean, uniform(seed, at)) : rejection(mean, seed, at);
}

static pri_status some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct item *e = arg;
  const double photons = e->p->photons;
  (void)worker;
  for (ptrdiff_t j = first; j < last; j++) {
    const double y = (double)e->y[j], mean = e->p->of == 0 ? photons * exp(-y) : photons * y;
    const double k = counts(mean, e->seed, OWN * (e->at + (uint64_t)j));
    e->y[j] = (pri_real)(e->p->of == 0 ? -log(fmax(k, 0.5) / photons) : k / photons);
  }
  return PRI_OK;
}

static double absent(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct item *e = arg;
  const pri_real top = (pri_real)log(2 * e->p->photons); /* -ln(1/2 / photons): no count at all */
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) sum += e->p->of == 0 && e->y[j] >= top;
  return sum;
}

static pri_status init(pri_ctx *ctx, void *priv) {
  (void)ctx, (void)priv;
  return PRI_OK;
}

static pri_status add(pri_ctx *ctx, const void *priv, pri_array *y, ptrdiff_t first) {
  const ptrdiff_t n = pri_shape_size(&y->shape);
  double none = 0;
  for (ptrdiff_t i = 0; i < y->items; i++) {
    struct item e = {priv, pri_ctx_seed(ctx), (uint64_t)(first + i) * (uint64_t)n, pri_array_item(y, i)};
    PRI_TRY(pri_par_for(ctx, n, PRI_VEC_BLOCK, some, &e));
    none += pri_sum(ctx, n, absent, &e);
  }
  if (none > 0)
    pri_log(ctx, PRI_LOG_WARN, "poisson: %.0f of %.0f bins without a count, taken as half a count", none, (double)n * (double)y->items);
  return PRI_OK;
}

static const char *const kinds[] = {"integrals", "intensity", NULL};
static const pri_param params[] = {
    {.name = "photons", .unit = "1", .help = "counts of an open bin (integrals), or at brightness 1 (intensity)",
     .type = PRI_REAL, .flags = PRI_P_REQUIRED,
     .offset = offsetof(struct poisson, photons), .min = 1e-3, .max = 1e15, .def = 1e5},
    {.name = "of", .unit = "", .help = "what the data are: line integrals, or brightness",
     .type = PRI_CHOICE, .offset = offsetof(struct poisson, of), .choices = kinds, .def = 0},
    {0}};
static const char *const examples[] = {"photons=10000", "photons=50,of=intensity", NULL};
const pri_noise_class pri_noise_poisson = {
    .kind = {"poisson", "counting noise", "Hoermann 1993", sizeof(struct poisson), params, examples}, .init = init, .add = add};
