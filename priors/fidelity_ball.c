/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ball - discrepancy constraint: f(z) = 0 where |z - y| <= r, INFINITY elsewhere;  f*(p) = r |p| + <p, y> (spec 4.5).
 *
 *   prox_{s f*}(p) = max(1 - s r / |p~|, 0) p~,  p~ = p - s y
 *   one s_i a measurement: p_i = p~_i t / (t + s_i r), where t = |p| >= 0 solves sum_i (p~_i / (t + s_i r))^2 = 1 (0 if none does)
 *
 * An iterate touches the ball from outside: |z - y| <= (1 + 1e-4) r counts as inside. f is no sum over measurements: no parts.
 */
#include <math.h>
#include <stddef.h>
#include "priori/fidelity.h"
#include "vec.h"

static const double FEASIBLE = 1e-4;

struct ball {
  double radius;
  const pri_array *y;
  ptrdiff_t n;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_array *y, const pri_array *weight) {
  struct ball *f = priv;
  (void)weight;
  if (!(f->radius > 0))
    return PRI_FAIL(ctx, PRI_EPARAM, "ball: radius=auto needs a noise level; give radius=V > 0 in the unit of the data");
  f->y = y, f->n = pri_shape_size(&y->shape);
  return PRI_OK;
}

static double inside(const struct ball *f, double square) { return sqrt(square) <= (1 + FEASIBLE) * f->radius ? 0 : INFINITY; }

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  const struct ball *f = priv;
  for (ptrdiff_t i = 0; i < items; i++) per_item[i] = inside(f, pri_dist2sq(ctx, z + i * f->n, pri_array_item(f->y, first + i), f->n));
  return PRI_OK;
}

struct sum {
  const pri_real *y, *p, *each;
  const double *wide;
  double sigma, t; /* t: t / r */
};

static double square_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct sum *s = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += (s->wide[i] - (double)s->y[i]) * (s->wide[i] - (double)s->y[i]);
  return sum;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const double *z, ptrdiff_t first, ptrdiff_t items) {
  const struct ball *f = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = inside(f, pri_sum(ctx, f->n, square_block, &(struct sum){.wide = z + i * f->n, .y = pri_array_item(f->y, first + i)}));
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *p, ptrdiff_t first, ptrdiff_t items) {
  const struct ball *f = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = f->radius * sqrt(pri_norm2sq(ctx, p + i * f->n, f->n)) + pri_dot(ctx, p + i * f->n, pri_array_item(f->y, first + i), f->n);
  return PRI_OK;
}

static double each_of(const struct sum *s, ptrdiff_t i) { return s->sigma * (s->each ? (double)s->each[i] : 1); }

static double shifted_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* |p~|^2 */
  const struct sum *s = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double v = (double)s->p[i] - each_of(s, i) * (double)s->y[i];
    sum += v * v;
  }
  return sum;
}

static double secular_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* sum (p~_i / (t + s_i))^2 */
  const struct sum *s = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double e = each_of(s, i), v = ((double)s->p[i] - e * (double)s->y[i]) / (s->t + e);
    if (v != 0 && isfinite(v)) sum += v * v;
  }
  return sum;
}

/* t / r: closed form for one sigma, bisection to the last bit otherwise (the sum falls with t) */
static double norm_of_prox(pri_ctx *ctx, const struct ball *f, struct sum *s) {
  const double top = sqrt(pri_sum(ctx, f->n, shifted_block, s)) / f->radius;
  const double unit = f->radius * f->radius;
  if (!s->each) return top > s->sigma ? top - s->sigma : 0;
  double lo = 0, hi = top;
  for (int k = 0; k < 100 && hi - lo > 1e-16 * hi; k++) {
    s->t = (lo + hi) / 2;
    if (pri_sum(ctx, f->n, secular_block, s) > unit) lo = s->t;
    else hi = s->t;
  }
  return hi > 1e-15 * top ? hi : 0;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *p, double sigma, const pri_real *each, ptrdiff_t first, ptrdiff_t items) {
  const struct ball *f = priv;
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_real *pi = p + i * f->n;
    struct sum s = {.y = pri_array_item(f->y, first + i), .p = pi, .each = each, .sigma = sigma};
    const double t = norm_of_prox(ctx, f, &s);
    for (ptrdiff_t j = 0; j < f->n; j++) {
      const double e = each_of(&s, j);
      pi[j] = t > 0 ? (pri_real)(((double)pi[j] - e * (double)s.y[j]) * (t / (t + e))) : 0;
    }
  }
  return PRI_OK;
}

static pri_bound convexity(const void *priv) {
  (void)priv;
  return (pri_bound){0, PRI_EXACT};
}

static const pri_param params[] = {
    {.name = "radius", .unit = "1", .help = "norm2(A x - y) stays below it; auto: from the noise level (resolved by the pipeline)", .type = PRI_REAL,
     .flags = PRI_P_AUTO, .offset = offsetof(struct ball, radius), .min = 1e-300, .max = 1e300, .def = NAN},
    {0}};
static const char *const examples[] = {"radius=0.5", "3", NULL};
const pri_fidelity_class pri_fidelity_ball = {
    .kind = {"ball", "discrepancy constraint: norm2(A x - y) <= radius", "Chambolle, Pock 2011", sizeof(struct ball), params, examples},
    .init = init, .value = value, .dual_prox = dual_prox, .conjugate = conjugate, .value_wide = value_wide, .convexity = convexity};
