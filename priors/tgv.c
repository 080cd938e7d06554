/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tgv - total generalised variation of second order:  R(x) = min_v weight sum_i |(D x - v)_i| + ratio weight sum_i |(E v)_i|_F
 * D: forward differences (src/stencil.h), E: symmetrised differences of the fields that they make (sym_fields.h). An affine image costs nothing.
 *
 * Saddle, with w = v / c, so that both duals live in balls of about one radius (the steps of primal-dual methods then fit both):
 *   c = kappa / ratio,   K (x, w) = (D x - c w, E w),   F*(q1, q2) = 0 where |q1_i| <= weight and |q2_i| <= kappa weight, else infinite
 *   |K|^2 <= largest eigenvalue of ((d2, d c), (d c, c^2 + d2)),  d2 = d^2 = 4 sum_a r_a^2 >= |D|^2, |E|^2
 *
 * Repair. A dual value is finite only where nothing pulls on w: q1 = E'q2 / c. So q2 is the free dual, and has to lie in
 * C = {|q2_i| <= kappa weight, |(E'q2)_i| <= c weight}. Shrinking all of it by the worst pixel costs the gap that pixel's excess everywhere.
 * Instead q2 is moved to the nearest point of C:
 *   min_{q in C} |q - q2|^2 / 2 = max_u min_{|q_i| <= kappa weight} |q - q2|^2 / 2 + <E u, q> - c weight sum |u_i|
 *   q(u) = P(q2 - E u),   u+ = shrink(u + E'q(u) / d2, c weight / d2):  FISTA (Beck, Teboulle 2009; |E|^2 <= d2)
 * The excess that is left after some steps is small (1e-5 after 20, measured), and by that everything is shrunk; then q1 = E'q2 / c. What rounding
 * q1 leaves as a pull on w is bounded by `aux_bound`: sum |w_i| = sum |v_i| / c <= (sum |(D x)_i| + F / weight) / c.
 * Source: Bredies, Kunisch, Pock 2010.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include "learned.h"
#include "par.h"
#include "sym_fields.h"
#include "tv_term.h"
#include "vec.h"

enum { REPAIR_STEPS = 40, LOOK = 5, SETTLE = 3 };
static const double KAPPA = 0.6;  /* steps of pdhg to a gap of 1e-4 (128^2, ratio 1, 2, 4): 0.35: 235 435 1290; 0.5: 226 396 860; 0.7: 252 401 779; 1: 334 549 735 */
static const double CLOSE = 1e-6; /* excess over the ball, relative, that shrinking may take care of */

struct tgv {
  double weight, ratio, learned; /* the factor is weight times what a file says, else weight times 1 */
  const char *file;
  pri_shape dom;
  pri_stencil s;
  pri_real *u, *v, *g, *goal; /* of repair: one item, one thread of control at a time */
};

static double coupling(const struct tgv *t) { return KAPPA / t->ratio; }
static double radius1(const struct tgv *t) { return t->weight * t->learned; }
static double radius2(const struct tgv *t) { return KAPPA * radius1(t); }
static ptrdiff_t first_size(const struct tgv *t) { return t->s.nd * t->s.n; }
static ptrdiff_t second_size(const struct tgv *t) { return pri_sym_parts(&t->s) * t->s.n; }
static ptrdiff_t dual_size(const struct tgv *t) { return first_size(t) + second_size(t); }

/* What `priori learn --prior tgv` wrote: weight times what is given here, and ratio. */
static pri_status load(pri_ctx *ctx, struct tgv *t) {
  PRI_TRY(pri_learned_exp(ctx, "tgv", t->file, "log_weight", &t->learned));
  return pri_learned_exp(ctx, "tgv", t->file, "log_ratio", &t->ratio);
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct tgv *t = priv;
  t->learned = 1;
  if (isnan(t->weight) && !t->file) return PRI_FAIL(ctx, PRI_EPARAM, "tgv: weight is missing: a number >= 0, auto:METHOD, or file=NAME.prior");
  if (isnan(t->weight)) t->weight = 1;
  if (t->file) PRI_TRY(load(ctx, t));
  t->dom = *dom;
  PRI_TRY(pri_stencil_init(ctx, "tgv", &t->s, meta, dom));
  PRI_ALLOC(ctx, t->u, first_size(t));
  PRI_ALLOC(ctx, t->v, first_size(t));
  PRI_ALLOC(ctx, t->g, first_size(t));
  PRI_ALLOC(ctx, t->goal, second_size(t));
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct tgv *t = priv;
  void *const owned[] = {t->u, t->v, t->g, t->goal};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) pri_free(ctx, owned[i]);
}

static pri_status scale(pri_ctx *ctx, void *priv, double factor) {
  struct tgv *t = priv;
  if (!(factor >= 0) || !isfinite(factor)) return PRI_FAIL(ctx, PRI_EPARAM, "tgv: the weight cannot be multiplied by %g; give a number >= 0", factor);
  t->weight *= factor;
  return PRI_OK;
}

static double weight(const void *priv) { return ((const struct tgv *)priv)->weight; }

/* ---- saddle */

static pri_status shapes(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k) {
  const struct tgv *t = priv;
  const double d2 = pri_stencil_norm2(&t->s), c2 = coupling(t) * coupling(t), mean = d2 + c2 / 2;
  *aux = pri_stencil_fields(&t->s, &t->dom);
  *dual = *aux;
  dual->n[0] += pri_sym_parts(&t->s);
  *norm_k = (pri_bound){sqrt(mean + sqrt(c2 * c2 / 4 + d2 * c2)), PRI_PROVEN};
  return PRI_OK;
}

static pri_status k(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct tgv *t = priv;
  for (ptrdiff_t i = 0; i < items; i++, q += dual_size(t), x += t->s.n) {
    pri_stencil_forward(ctx, &t->s, q, x, 1);
    if (w) pri_sym_add(ctx, &t->s, q, -coupling(t), w + i * first_size(t)); /* D x - c w */
    if (w) pri_sym_forward(ctx, &t->s, q + first_size(t), w + i * first_size(t), 1);
    else pri_fill(ctx, q + first_size(t), 0, second_size(t));
  }
  return PRI_OK;
}

static pri_status kt(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items) {
  const struct tgv *t = priv;
  for (ptrdiff_t i = 0; i < items; i++, q += dual_size(t)) {
    pri_stencil_adjoint(ctx, &t->s, x + i * t->s.n, q, 1);
    if (!w) continue;
    pri_sym_adjoint(ctx, &t->s, t->g, q + first_size(t), 1, q, -coupling(t)); /* E'q2 - c q1 */
    pri_axpy(ctx, w + i * first_size(t), 1, t->g, first_size(t));
  }
  return PRI_OK;
}

static pri_status kt_wide(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items) {
  const struct tgv *t = priv;
  for (ptrdiff_t i = 0; i < items; i++, q += dual_size(t)) {
    pri_stencil_adjoint_wide(ctx, &t->s, x + i * t->s.n, q, 1);
    if (w) pri_sym_adjoint_wide(ctx, &t->s, w + i * first_size(t), q + first_size(t), 1, q, -coupling(t));
  }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items) {
  const struct tgv *t = priv;
  (void)sigma, (void)each; /* an indicator's prox is the projection, whatever the step */
  for (ptrdiff_t i = 0; i < items; i++, q += dual_size(t)) {
    pri_fields_clip(ctx, q, t->s.nd, t->s.n, radius1(t));
    pri_fields_clip(ctx, q + first_size(t), pri_sym_parts(&t->s), t->s.n, radius2(t));
  }
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items) {
  const struct tgv *t = priv;
  const double slack = 1 + 16 * (sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON);
  for (ptrdiff_t i = 0; i < items; i++, q += dual_size(t)) {
    const double first = pri_fields_largest(ctx, q, t->s.nd, t->s.n), second = pri_fields_largest(ctx, q + first_size(t), pri_sym_parts(&t->s), t->s.n);
    per_item[i] = first <= radius1(t) * slack && second <= radius2(t) * slack ? 0 : (double)INFINITY;
  }
  return PRI_OK;
}

static pri_status value_fields(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items) {
  const struct tgv *t = priv;
  for (ptrdiff_t i = 0; i < items; i++, kxw += dual_size(t))
    per_item[i] = radius1(t) * (pri_fields_sum(ctx, kxw, t->s.nd, t->s.n) + KAPPA * pri_fields_sum(ctx, kxw + first_size(t), pri_sym_parts(&t->s), t->s.n));
  return PRI_OK;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, const pri_real *w, ptrdiff_t items) {
  const struct tgv *t = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = radius1(t) * pri_sym_value_wide(ctx, &t->s, x + i * t->s.n, w ? w + i * first_size(t) : NULL, coupling(t), KAPPA);
  return PRI_OK;
}

static double aux_bound(const void *priv, double span, double most) {
  const struct tgv *t = priv;
  const double differences = span * (double)t->s.n * (1 + (t->s.nd > 1 ? t->s.ry : 0) + (t->s.nd > 2 ? t->s.rz : 0));
  return sqrt((double)t->s.nd) / coupling(t) * (differences + most / radius1(t));
}

/* ---- repair */

struct shrink { const struct tgv *t; double step, radius, momentum; };

/* u+ = shrink(v + step g), v = u+ + momentum (u+ - u), u = u+ */
static pri_status shrink_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  enum { PIECE = 256 };
  const struct shrink *s = arg;
  const struct tgv *t = s->t;
  const pri_real step = (pri_real)s->step, radius = (pri_real)s->radius, momentum = (pri_real)s->momentum;
  (void)worker;
  for (ptrdiff_t at = first; at < last; at += PIECE) {
    const ptrdiff_t n = last - at < PIECE ? last - at : PIECE;
    pri_real keep[PIECE] = {0};
    for (int c = 0; c < t->s.nd; c++) {
      pri_real *restrict v = t->v + c * t->s.n + at;
      const pri_real *restrict g = t->g + c * t->s.n + at;
      for (ptrdiff_t i = 0; i < n; i++) v[i] += step * g[i], keep[i] += v[i] * v[i];
    }
    for (ptrdiff_t i = 0; i < n; i++) keep[i] = 1 - radius / pri_root(pri_larger(keep[i], radius * radius)); /* 0 inside of the ball */
    for (int c = 0; c < t->s.nd; c++) {
      pri_real *restrict v = t->v + c * t->s.n + at, *restrict u = t->u + c * t->s.n + at;
      for (ptrdiff_t i = 0; i < n; i++) {
        const pri_real next = keep[i] * v[i];
        v[i] = next + momentum * (next - u[i]), u[i] = next;
      }
    }
  }
  return PRI_OK;
}

/* q = P(goal - E v), g = E'q; the excess of g over its ball, relative */
static double look(pri_ctx *ctx, const struct tgv *t, pri_real *q, int asked) {
  pri_sym_forward(ctx, &t->s, q, t->v, -1);
  pri_axpy(ctx, q, 1, t->goal, second_size(t));
  pri_fields_clip(ctx, q, pri_sym_parts(&t->s), t->s.n, radius2(t));
  pri_sym_adjoint(ctx, &t->s, t->g, q, 1, NULL, 0);
  return asked ? pri_fields_largest(ctx, t->g, t->s.nd, t->s.n) / (coupling(t) * radius1(t)) - 1 : (double)INFINITY;
}

static double nearest(pri_ctx *ctx, const struct tgv *t, pri_real *q) {
  const double d2 = pri_stencil_norm2(&t->s);
  double momentum = 1, excess = look(ctx, t, q, 1);
  for (int j = 1; j <= REPAIR_STEPS && excess > CLOSE; j++) {
    const double next = (1 + sqrt(1 + 4 * momentum * momentum)) / 2;
    struct shrink s = {t, 1 / d2, radius1(t) * coupling(t) / d2, (momentum - 1) / next};
    (void)pri_par_for(ctx, t->s.n, 1 << 13, shrink_some, &s); /* cannot fail */
    excess = look(ctx, t, q, j % LOOK == 0);
    momentum = next;
  }
  return excess;
}

/* q1 = E'q2 / c. E'q2 was rounded when its excess was taken, so q2 is shrunk by what is seen of q1, until both are inside exactly. */
static void settle(pri_ctx *ctx, const struct tgv *t, pri_real *q) {
  const double eps = sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
  pri_real *q2 = q + first_size(t);
  for (int k = 0; k < SETTLE; k++) {
    pri_sym_adjoint(ctx, &t->s, q, q2, 1 / coupling(t), NULL, 0);
    const double first = pri_fields_largest(ctx, q, t->s.nd, t->s.n) / radius1(t), second = pri_fields_largest(ctx, q2, pri_sym_parts(&t->s), t->s.n) / radius2(t);
    const double most = first > second ? first : second;
    if (!(most > 1)) return;
    pri_scale(ctx, q2, (1 - 4 * eps) / most, second_size(t));
  }
  pri_sym_adjoint(ctx, &t->s, q, q2, 1 / coupling(t), NULL, 0);
}

static pri_status repair(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items) {
  const struct tgv *t = priv;
  const double margin = 1 - 16 * (sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON);
  for (ptrdiff_t i = 0; i < items; i++, q += dual_size(t)) {
    pri_real *q2 = q + first_size(t);
    if (!(radius1(t) > 0)) {
      pri_fill(ctx, q, 0, dual_size(t));
      continue;
    }
    pri_copy(ctx, t->goal, q2, second_size(t));
    pri_fill(ctx, t->u, 0, first_size(t));
    pri_fill(ctx, t->v, 0, first_size(t));
    const double excess = nearest(ctx, t, q2);
    pri_scale(ctx, q2, margin / (1 + (excess > 0 ? excess : 0)), second_size(t));
    settle(ctx, t, q);
  }
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the first-order part (as that of tv); of what was learned; or auto:METHOD (chosen from the data)", .type = PRI_REAL,
     .flags = PRI_P_WEIGHT, .offset = offsetof(struct tgv, weight), .min = 0, .max = 1e30, .def = NAN},
    {.name = "ratio", .unit = "pixels", .help = "factor of the second-order part over that of the first: large: more like tv; small: more like second-order TV", .type = PRI_REAL,
     .offset = offsetof(struct tgv, ratio), .min = 0.01, .max = 100, .def = 2},
    {.name = "file", .unit = "-", .help = "weight and ratio that `priori learn --prior tgv` found (.prior)", .type = PRI_FILE, .offset = offsetof(struct tgv, file)},
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5,ratio=1", "weight=0.05,ratio=4", NULL};
static const pri_saddle saddle = {.shapes = shapes, .k = k, .kt = kt, .kt_wide = kt_wide, .dual_prox = dual_prox, .conjugate = conjugate,
                                  .value = value_fields, .repair = repair, .value_wide = value_wide, .aux_bound = aux_bound};
const pri_prior_class pri_prior_tgv = {
    .kind = {"tgv", "total generalised variation of second order: edges as with tv, slopes without its steps",
             "Bredies, Kunisch, Pock 2010", sizeof(struct tgv), params, examples},
    .init = init, .fini = fini, .scale = scale, .weight = weight, .saddle = &saddle};
