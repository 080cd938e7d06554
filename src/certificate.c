/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * certificate.c - duality gaps, in double: the only place that computes one.
 *
 *   primal  P(x)   = f(A x) + sum_r R_r(x),  lo <= x <= hi,   R_r(x) = min_w max_q <K_r(x, w), q> - F*_r(q)
 *   dual    D(p,q) = -f*(p) - sum_r F*_r(q_r) + sum_j min(lo z_j, hi z_j),  z = A'p + sum_r K_r'q_r        (spec 4.9a)
 *   gap            = P(x) - D(p,q) + allowance >= P(x) - min P
 *
 * for any p and any q_r with F*_r(q_r) finite. What is tried, the smallest gap counts:
 *   raw     p and q of the solver, q repaired (F* finite in exact arithmetic).
 *   polish  p fixed, q improved by image-only primal-dual steps of min_x max_q <A'p, x> + <K x, q> - F*(q); iterates and their
 *           average weighted with k are tried.
 *   second  p = grad f(A x), polished.
 *   mass    A >= 0 with column sums c, f mu-convex: a minimiser x* has |A(x* - x)|^2 <= 2 gap/mu, so
 *           c.x* <= <1, A x> + sqrt(2 m gap/mu) = M; then min z.x >= max_{s>=0} sum_j min(lo (z_j + s c_j), hi (...)) - s M.
 *   free    directions without a box (e_j = z_j there), R mu-convex: e.x* >= e.x - |e| sqrt(2 gap/mu); a quadratic for sqrt(gap).
 *
 * Allowance for rounding, from the counts of the sums; g(k) = (k + 16) DBL_EPSILON bounds k additions and some operations more
 * (Higham 2002, section 3.1); n pixels, m measurements, B = max(|lo|, |hi|), S = sum c, all of the exact pri_real x, p, q:
 *   A x     dz = g(n) |A||x|;  A >= 0 and x >= 0: |A||x| = A x, else |A| |x|;  f: sqrt(2 L f) |dz| + L |dz|^2 / 2 + g(m) f
 *           f without a proven L (counts): |f'(z)| |dz| + 2 max f''(z) |dz|^2 + g(m) (sum of the magnitudes it adds up)
 *   R       g(n) R;   f*: g(m) (|f*| + 2 |p||y|);   F*: g(n) |F*|
 *   z       A >= 0: sum_j B |dz_j| <= g(m) max|p| B S, else g(m) B sqrt(n) |A||p|;   K: g(8) B sqrt(n) |K||q|;   box: g(n) sum |terms|
 * PROVEN where A is wide and >= 0, the box finite (or R strongly convex), value_wide and every kt_wide are there; else ESTIMATE. The box is widened
 * to hold x itself: a larger box has a smaller minimum.
 */
#include "certificate.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "vec.h"

enum { POLISH = 160, POLISH_GRAD = 800 /* steps; with p of the gradient only */, LOOK = 20 /* steps between two looks at the dual */, HALVINGS = 40, ROUNDS = 3 };
static const double NEAR = 10, NEAR_GRAD = 1e4; /* the raw gap is improved when it is within this factor of the goal; with p = grad f(A x) of a
                                                   primal method, whose q is the worse of the two */

struct term {
  const pri_prior_class *cls;
  const void *priv;
  const pri_prior *R;
  ptrdiff_t size, at;  /* of the dual; its place in q */
  int aux;
  double norm, sigma;
};

struct pri_certifier {
  pri_ctx *ctx;
  pri_problem p;
  const pri_operator *A;
  const pri_fidelity_class *f;
  const void *fpriv;
  struct term *term;
  ptrdiff_t n, m, nq;
  double mu_x, norm_a, sum_c; /* convexity of sum R; NONNEGATIVE: sum of the column sums */
  int proven, polishes;
  double *z, *wp, *g, *t, *column; /* A x, p, A'p, A'p + K'q, A'1 (NULL: not known to be >= 0) */
  pri_real *pr, *xr, *xb, *xs, *gr, *q, *avg, *trial;
};

/* One run: the item, its box, and what is known so far */
struct state {
  ptrdiff_t item;
  const pri_real *x;
  double lo, hi, xmax, sum_z, primal, allow_primal; /* box; max |x|; <1, A x> */
  double conjugate, allow_p, base;                  /* of the p at hand: f*(p), rounding of A'p; base: gap without its box terms */
  double gap, goal, near;                           /* smallest so far; the one that is asked for; NEAR or NEAR_GRAD */
};

static double g(ptrdiff_t k) { return ((double)k + 16) * DBL_EPSILON; }

/* ---- making */

static pri_status take_term(pri_certifier *c, int r) {
  struct term *t = &c->term[r];
  pri_shape aux, dual;
  pri_bound norm;
  t->R = c->p.R[r];
  t->cls = pri_prior_class_of(t->R, &t->priv);
  const pri_variational *v = t->cls->variational;
  const pri_bound mu = v && v->convexity ? v->convexity(t->priv) : (pri_bound){0, t->cls->saddle ? PRI_EXACT : PRI_UNKNOWN};
  if (!t->cls->saddle) return PRI_FAIL(c->ctx, PRI_ENOTSUP, "certificate: the prior %s has no dual, so no gap can be computed", t->cls->kind.name);
  if (mu.trust == PRI_UNKNOWN) return PRI_FAIL(c->ctx, PRI_ENOTSUP, "certificate: the prior %s is not convex, so no gap can be computed", t->cls->kind.name);
  PRI_TRY(t->cls->saddle->shapes(t->priv, &aux, &dual, &norm));
  if (mu.trust >= PRI_PROVEN) c->mu_x += mu.value;
  t->size = pri_shape_size(&dual), t->at = c->nq, t->norm = norm.value, t->aux = aux.nd > 0;
  c->nq += t->size;
  if (!t->cls->saddle->kt_wide && sizeof(pri_real) != sizeof(double)) c->proven = 0;
  if (t->aux) c->polishes = 0;
  return PRI_OK;
}

static pri_status allocate(pri_certifier *c) {
  const ptrdiff_t q = c->nq > 0 ? c->nq : 1;
  PRI_ALLOC(c->ctx, c->z, c->m);
  PRI_ALLOC(c->ctx, c->wp, c->m);
  PRI_ALLOC(c->ctx, c->pr, c->m);
  PRI_ALLOC(c->ctx, c->g, c->n);
  PRI_ALLOC(c->ctx, c->t, c->n);
  PRI_ALLOC(c->ctx, c->xr, c->n);
  PRI_ALLOC(c->ctx, c->xb, c->n);
  PRI_ALLOC(c->ctx, c->xs, c->n);
  PRI_ALLOC(c->ctx, c->gr, c->n);
  PRI_ALLOC(c->ctx, c->q, q);
  PRI_ALLOC(c->ctx, c->avg, q);
  PRI_ALLOC(c->ctx, c->trial, q);
  return PRI_OK;
}

static pri_status column_sums(pri_certifier *c) { /* c = A'1 */
  PRI_ALLOC(c->ctx, c->column, c->n);
  for (ptrdiff_t i = 0; i < c->m; i++) c->wp[i] = 1;
  PRI_TRY(pri_operator_adjoint_wide(c->A, c->column, c->wp, 1));
  for (ptrdiff_t j = 0; j < c->n; j++) c->sum_c += c->column[j];
  return PRI_OK;
}

static pri_status fill(pri_certifier *c) {
  const pri_problem *p = &c->p;
  c->A = pri_map_linear(p->A);
  if (!c->A) return PRI_FAIL(c->ctx, PRI_ENOTSUP, "certificate: the operator is not linear, so no gap can be computed");
  c->f = pri_fidelity_class_of(p->f, &c->fpriv);
  if (c->f->convexity && c->f->convexity(c->fpriv).trust == PRI_UNKNOWN)
    return PRI_FAIL(c->ctx, PRI_ENOTSUP, "certificate: the data term %s is not convex, so no gap can be computed", c->f->kind.name);
  c->n = pri_shape_size(pri_operator_domain(c->A)), c->m = pri_shape_size(pri_operator_range(c->A));
  c->proven = pri_operator_is_wide(c->A) && (pri_operator_flags(c->A) & PRI_OP_NONNEGATIVE) && (c->f->value_wide || sizeof(pri_real) == sizeof(double));
  c->polishes = p->nR > 0;
  PRI_ALLOC(c->ctx, c->term, p->nR > 0 ? p->nR : 1);
  for (int r = 0; r < p->nR; r++) PRI_TRY(take_term(c, r));
  PRI_TRY(allocate(c));
  if (pri_operator_flags(c->A) & PRI_OP_NONNEGATIVE) return column_sums(c);
  c->norm_a = pri_operator_norm(c->A).value;
  return PRI_OK;
}

pri_status pri_certifier_create(pri_ctx *ctx, pri_certifier **out, const pri_problem *p) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_certifier){.ctx = ctx, .p = *p};
  const pri_status s = fill(*out);
  if (s != PRI_OK) pri_certifier_destroy(out);
  return s;
}

void pri_certifier_destroy(pri_certifier **c) {
  if (!c || !*c) return;
  pri_ctx *ctx = (*c)->ctx;
  void *const owned[] = {(*c)->term, (*c)->z, (*c)->wp, (*c)->g, (*c)->t, (*c)->column, (*c)->pr, (*c)->xr, (*c)->xb, (*c)->xs, (*c)->gr, (*c)->q, (*c)->avg, (*c)->trial, *c};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) pri_free(ctx, owned[i]);
  *c = NULL;
}

/* ---- primal */

static double max_abs(const pri_real *a, ptrdiff_t n) {
  double most = 0;
  for (ptrdiff_t i = 0; i < n; i++) most = fabs((double)a[i]) > most ? fabs((double)a[i]) : most;
  return most;
}

static void box_of(const pri_certifier *c, struct state *s) { /* the box of the problem, widened to hold x */
  double least = INFINITY, most = -INFINITY;
  for (ptrdiff_t j = 0; j < c->n; j++) {
    least = (double)s->x[j] < least ? (double)s->x[j] : least;
    most = (double)s->x[j] > most ? (double)s->x[j] : most;
  }
  s->lo = fmin(c->p.lo ? c->p.lo[s->item] : -INFINITY, least);
  s->hi = fmax(c->p.hi ? c->p.hi[s->item] : INFINITY, most);
  s->xmax = fmax(fabs(least), fabs(most));
}

static double wide_square(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const double *z = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += z[i] * z[i];
  return sum;
}

static double wide_sum(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const double *z = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += z[i];
  return sum;
}

static double lipschitz(const pri_certifier *c) {
  const pri_bound l = c->f->lipschitz ? c->f->lipschitz(c->fpriv) : (pri_bound){0, PRI_UNKNOWN};
  return l.trust >= PRI_PROVEN ? l.value : 0;
}

/* |f(z + dz) - f(z)| where only slope and curvature at z are known */
static pri_status slope_allowance(pri_certifier *c, const struct state *s, double dz, double *allow) {
  for (ptrdiff_t i = 0; i < c->m; i++) c->pr[i] = (pri_real)c->z[i];
  PRI_TRY(c->f->curvature(c->ctx, c->fpriv, c->pr, c->pr, s->item, 1));
  const double most = pri_vmax(c->pr, c->m);
  for (ptrdiff_t i = 0; i < c->m; i++) c->pr[i] = (pri_real)c->z[i];
  PRI_TRY(c->f->grad(c->ctx, c->fpriv, c->pr, c->pr, s->item, 1));
  *allow += sqrt(pri_norm2sq(c->ctx, c->pr, c->m)) * dz + 2 * most * dz * dz;
  return PRI_OK;
}

static pri_status primal_allowance(pri_certifier *c, const struct state *s, const pri_report *rep, double *allow) {
  const double size = sqrt(pri_sum(c->ctx, c->m, wide_square, c->z)), l = lipschitz(c);
  const double x = sqrt(pri_norm2sq(c->ctx, s->x, c->n)), sizes = c->f->magnitude ? c->f->magnitude(c->ctx, c->fpriv, c->z, s->item) : 0;
  const double dz = g(c->n) * (!c->column ? c->norm_a * x : s->lo >= 0 ? size : s->xmax * c->sum_c);
  *allow = sqrt(2 * l * rep->data) * dz + l * dz * dz / 2 + g(c->m) * fmax(rep->data, sizes) + g(c->n) * rep->prior;
  return l == 0 && c->f->grad && c->f->curvature ? slope_allowance(c, s, dz, allow) : PRI_OK;
}

static pri_status residual(pri_certifier *c, const struct state *s, pri_report *rep) {
  const pri_real *y = pri_array_item(pri_fidelity_data(c->p.f), s->item);
  for (ptrdiff_t i = 0; i < c->m; i++) c->wp[i] = c->z[i] - (double)y[i];
  rep->residual = sqrt(pri_sum(c->ctx, c->m, wide_square, c->wp));
  for (ptrdiff_t i = 0; i < c->m; i++) c->pr[i] = (pri_real)c->z[i];
  if (c->f->value_wide) return c->f->value_wide(c->ctx, c->fpriv, &rep->data, c->z, s->item, 1);
  return c->f->value(c->ctx, c->fpriv, &rep->data, c->pr, s->item, 1);
}

static pri_status prior_value(pri_certifier *c, const struct term *t, const pri_real *x, double *value) {
  const pri_variational *v = t->cls->variational;
  if (v && v->value) return v->value(c->ctx, t->priv, value, x, 1, pri_prior_scratch(t->R));
  PRI_TRY(t->cls->saddle->k(c->ctx, t->priv, c->trial, x, NULL, 1));
  return t->cls->saddle->value(c->ctx, t->priv, value, c->trial, 1);
}

static pri_status primal(pri_certifier *c, struct state *s, pri_report *rep) {
  for (ptrdiff_t j = 0; j < c->n; j++) c->t[j] = (double)s->x[j];
  PRI_TRY(pri_operator_apply_wide(c->A, c->z, c->t, 1));
  rep->certifying += 1;
  PRI_TRY(residual(c, s, rep));
  rep->prior = 0;
  for (int r = 0; r < c->p.nR; r++) {
    double one = NAN;
    PRI_TRY(prior_value(c, &c->term[r], s->x, &one));
    rep->prior += one;
  }
  rep->objective = s->primal = rep->data + rep->prior;
  s->sum_z = pri_sum(c->ctx, c->m, wide_sum, c->z);
  return primal_allowance(c, s, rep, &s->allow_primal);
}

/* ---- dual */

struct box {
  const double *z, *c;
  const pri_real *x;
  double lo, hi, s;
  int what; /* 0: sum min(lo v, hi v), v = z + s c; 1: sum |terms|; 2: sum c xhat; 3: sum e^2; 4: e.x; e: the unbounded part of z */
};

static double box_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct box *b = arg;
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) {
    const double v = b->c ? b->z[j] + b->s * b->c[j] : b->z[j], end = v < 0 ? b->hi : b->lo;
    const int open = v != 0 && isinf(end);
    switch (b->what) {
    case 0: sum += open || v == 0 ? 0 : v * end; break;
    case 1: sum += open || v == 0 ? 0 : fabs(v * end); break;
    case 2: sum += b->c[j] * end; break;
    case 3: sum += open ? v * v : 0; break;
    default: sum += open ? v * (double)b->x[j] : 0;
    }
  }
  return sum;
}

static double box_sum(const pri_certifier *c, struct box b, int what) {
  b.what = what;
  return pri_sum(c->ctx, c->n, box_block, &b);
}

/* e.x* >= e.x - |e| sqrt(2 gap/mu) turns `gap = base + ...` into a quadratic for sqrt(gap); INFINITY: nothing bounds e.x* */
static double with_free(const pri_certifier *c, const struct state *s, const struct box *b, double base) {
  const double square = box_sum(c, *b, 3);
  if (square == 0) return base;
  if (!(c->mu_x > 0)) return INFINITY;
  const double e = sqrt(square) * sqrt(2 / c->mu_x), a = base - box_sum(c, *b, 4) + g(c->n) * sqrt(square) * s->xmax * sqrt((double)c->n);
  const double root = (e + sqrt(e * e + 4 * fmax(a, 0))) / 2;
  return root * root;
}

static double bound_of(const struct state *s) { return fmax(fabs(s->lo), fabs(s->hi)); }

/* sum |dz_j| |x_j| over what A'p and K'q were rounded by; sum c_j x_j <= mass where that is known */
static double dual_allowance(const pri_certifier *c, const struct state *s, const pri_real *q, double mass) {
  const double big = isfinite(bound_of(s)) ? bound_of(s) : 2 * s->xmax, root = sqrt((double)c->n);
  double k = 0;
  for (int r = 0; r < c->p.nR; r++) k += c->term[r].norm * sqrt(pri_norm2sq(c->ctx, q + c->term[r].at, c->term[r].size));
  return s->allow_p * (c->column ? fmin(big * c->sum_c, mass) : big * root) + g(8) * big * root * k;
}

/* sum_r F*_r(q_r), its allowance added to *allow, and c->t = c->g + sum K_r'q_r; q is repaired in place */
static pri_status dual_sums(pri_certifier *c, pri_real *q, double *conjugate, double *allow) {
  memcpy(c->t, c->g, (size_t)c->n * sizeof *c->t);
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    const pri_saddle *k = t->cls->saddle;
    pri_real *qr = q + t->at;
    double one = INFINITY;
    PRI_TRY(k->repair ? k->repair(c->ctx, t->priv, qr, 1) : k->dual_prox(c->ctx, t->priv, qr, 0, NULL, 1));
    PRI_TRY(k->conjugate(c->ctx, t->priv, &one, qr, 1));
    *conjugate += one, *allow += g(c->n) * fabs(one);
    if (k->kt_wide) PRI_TRY(k->kt_wide(c->ctx, t->priv, c->t, NULL, qr, 1)); /* repaired: no pull on w */
    else {
      memset(c->xs, 0, (size_t)c->n * sizeof *c->xs);
      PRI_TRY(k->kt(c->ctx, t->priv, c->xs, NULL, qr, 1));
      for (ptrdiff_t j = 0; j < c->n; j++) c->t[j] += (double)c->xs[j];
    }
  }
  return PRI_OK;
}

/* ---- mass: the pixels cannot all stand at the far end of the box */

static double most_shift(const pri_certifier *c) { /* z + s c >= 0 from here on */
  double s = 0;
  for (ptrdiff_t j = 0; j < c->n; j++)
    if (c->t[j] < 0) s = c->column[j] > 0 ? fmax(s, -c->t[j] / c->column[j]) : INFINITY;
  return s;
}

static double best_shift(const pri_certifier *c, struct box b, double mass) { /* the slope sum c xhat(s) - M falls with s */
  double lo = 0, hi = most_shift(c);
  if (isinf(b.hi) || !isfinite(hi)) return hi;
  for (int k = 0; k < HALVINGS && hi - lo > 1e-9 * hi; k++) {
    b.s = (lo + hi) / 2;
    if (box_sum(c, b, 2) > mass) lo = b.s;
    else hi = b.s;
  }
  return hi;
}

/* mu of f where a bound of the mass holds: A >= 0, x >= 0; else 0 */
static double data_convexity(const pri_certifier *c, const struct state *s) {
  const pri_bound mu = c->f->convexity ? c->f->convexity(c->fpriv) : (pri_bound){0, PRI_UNKNOWN};
  return c->column && mu.trust >= PRI_PROVEN && s->lo >= 0 ? mu.value : 0;
}

/* what the mass gains over the box for the z = c->t and s->base at hand */
static void mass_bound(const pri_certifier *c, struct state *s) {
  const double mu = data_convexity(c, s);
  if (!(mu > 0)) return;
  for (int k = 0; k < ROUNDS && isfinite(s->gap); k++) {
    const double known = s->gap, mass = (s->sum_z + sqrt(2 * (double)c->m * known / mu)) * (1 + 2 * g(c->n));
    struct box b = {c->t, c->column, s->x, s->lo, s->hi, 0, 0};
    b.s = best_shift(c, b, mass) * (1 + 4 * DBL_EPSILON); /* no pixel is left below zero by rounding */
    if (!isfinite(b.s)) return;
    const double gap = s->base - box_sum(c, b, 0) + b.s * mass + g(c->n) * (box_sum(c, b, 1) + b.s * mass);
    if (!(gap < known)) return;
    s->gap = fmax(gap, 0);
    if (gap > 0.9 * known) return;
  }
}

/* the gap of (p, q), p by c->g and the fields of s; q is repaired in place */
static pri_status gap_of(pri_certifier *c, struct state *s, pri_real *q, int mass) {
  double conjugate = 0, allow = s->allow_primal;
  PRI_TRY(dual_sums(c, q, &conjugate, &allow));
  const struct box b = {c->t, NULL, s->x, s->lo, s->hi, 0, 0};
  s->base = s->primal + s->conjugate + conjugate + allow + dual_allowance(c, s, q, INFINITY);
  const double gap = with_free(c, s, &b, s->base - box_sum(c, b, 0) + g(c->n) * box_sum(c, b, 1));
  if (gap < s->gap) s->gap = fmax(gap, 0); /* a NaN is none */
  if (mass || !isfinite(gap)) mass_bound(c, s);
  return PRI_OK;
}

/* a first bound for the mass where the box gives none: D(0, 0) = -f*(0) - sum F*(0) */
static pri_status first_bound(pri_certifier *c, struct state *s) {
  double one, sum = 0;
  if (isfinite(s->hi) || !(data_convexity(c, s) > 0)) return PRI_OK;
  memset(c->pr, 0, (size_t)c->m * sizeof *c->pr);
  memset(c->trial, 0, (size_t)c->nq * sizeof *c->trial);
  PRI_TRY(c->f->conjugate(c->ctx, c->fpriv, &sum, c->pr, s->item, 1));
  for (int r = 0; r < c->p.nR; r++) {
    PRI_TRY(c->term[r].cls->saddle->conjugate(c->ctx, c->term[r].priv, &one, c->trial + c->term[r].at, 1));
    sum += one;
  }
  const double gap = s->primal + sum + s->allow_primal;
  if (gap < s->gap) s->gap = gap;
  return PRI_OK;
}

/* ---- candidates */

static int met(const struct state *s) { return s->goal > 0 && s->gap <= s->goal * fabs(s->primal); }
static int far_off(const struct state *s) { return s->goal > 0 && !(s->gap <= s->near * s->goal * fabs(s->primal)); }

/* f*(p), c->g = A'p and the rounding of the latter */
static pri_status take_p(pri_certifier *c, struct state *s, const pri_real *p, pri_report *rep) {
  const pri_real *y = pri_array_item(pri_fidelity_data(c->p.f), s->item);
  const double norm = sqrt(pri_norm2sq(c->ctx, p, c->m)), size = sqrt(pri_norm2sq(c->ctx, y, c->m));
  double conjugate;
  PRI_TRY(c->f->conjugate(c->ctx, c->fpriv, &conjugate, p, s->item, 1));
  for (ptrdiff_t i = 0; i < c->m; i++) c->wp[i] = (double)p[i];
  PRI_TRY(pri_operator_adjoint_wide(c->A, c->g, c->wp, 1));
  rep->certifying += 1;
  const double sizes = c->f->magnitude ? c->f->magnitude(c->ctx, c->fpriv, NULL, s->item) : 0;
  s->conjugate = conjugate + g(c->m) * (fabs(conjugate) + 2 * (norm * size + sizes));
  s->allow_p = g(c->m) * (c->column ? max_abs(p, c->m) : c->norm_a * norm);
  return PRI_OK;
}

static pri_status polish_step(pri_certifier *c, const struct state *s, double tau) {
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    pri_real *q = c->q + t->at, *kx = c->trial + t->at;
    PRI_TRY(t->cls->saddle->k(c->ctx, t->priv, kx, c->xb, NULL, 1));
    pri_axpy(c->ctx, q, t->sigma, kx, t->size);
    PRI_TRY(t->cls->saddle->dual_prox(c->ctx, t->priv, q, t->sigma, NULL, 1)); /* q = prox(q + sigma K xb) */
  }
  pri_copy(c->ctx, c->xb, c->gr, c->n);
  for (int r = 0; r < c->p.nR; r++)
    PRI_TRY(c->term[r].cls->saddle->kt(c->ctx, c->term[r].priv, c->xb, NULL, c->q + c->term[r].at, 1));
  pri_axpby(c->ctx, c->xb, 1, c->xr, -tau, c->n);
  pri_clip(c->ctx, c->xb, s->lo, s->hi, c->n); /* x+ = P_box(x - tau (A'p + K'q)) */
  pri_axpby(c->ctx, c->xr, 2, c->xb, -1, c->n); /* xb = 2 x+ - x */
  pri_real *const next = c->xb;
  c->xb = c->xr, c->xr = next;
  return PRI_OK;
}

/* steps whose product is .99^2 / sum |K_r|^2, in the ratio of the sizes of x and q (spec 4.9); 0: nothing to polish */
static double polish_scales(pri_certifier *c, const struct state *s) {
  const double span = isfinite(s->hi - s->lo) ? s->hi - s->lo : 1.25 * s->xmax;
  double sum = 0;
  for (int r = 0; r < c->p.nR; r++) {
    struct term *t = &c->term[r];
    const double most = max_abs(c->q + t->at, t->size), weight = t->cls->weight ? t->cls->weight(t->priv) : NAN;
    const double size = most > 0 ? most : weight > 0 ? weight : 0;
    t->sigma = 0.99 * size / (span * t->norm);
    sum += t->sigma * t->norm * t->norm;
  }
  return span > 0 && sum > 0 ? 0.99 / sum : 0;
}

static pri_status look(pri_certifier *c, struct state *s, int mass) {
  pri_copy(c->ctx, c->trial, c->q, c->nq);
  PRI_TRY(gap_of(c, s, c->trial, mass));
  pri_copy(c->ctx, c->trial, c->avg, c->nq);
  return gap_of(c, s, c->trial, mass);
}

static pri_status polish(pri_certifier *c, struct state *s) {
  const double tau = c->polishes ? polish_scales(c, s) : 0;
  if (tau == 0) return PRI_OK;
  double before = s->gap;
  for (ptrdiff_t j = 0; j < c->n; j++) c->gr[j] = (pri_real)c->g[j];
  pri_copy(c->ctx, c->xr, s->x, c->n);
  pri_copy(c->ctx, c->xb, s->x, c->n);
  for (int k = 1, most = s->near > NEAR ? POLISH_GRAD : POLISH; k <= most && !met(s); k++) {
    PRI_TRY(polish_step(c, s, tau));
    if (k == 1) pri_copy(c->ctx, c->avg, c->q, c->nq); /* nothing of what another item left there, were it not a number */
    else pri_axpby(c->ctx, c->avg, 2.0 / (k + 1), c->q, 1 - 2.0 / (k + 1), c->nq);
    if (k % LOOK) continue;
    PRI_TRY(look(c, s, k == most));
    if (k >= 3 * LOOK && s->gap > 0.98 * before) break; /* no longer worth its steps */
    before = s->gap;
  }
  return PRI_OK;
}

/* a method that took the gradient of a smooth R has no q: argmax_q <K x, q> - F*(q) = lim prox_{s F*}(s K x) */
static pri_status own_q(pri_certifier *c, const struct state *s, const struct term *t, pri_real *q) {
  const double large = 1e12;
  PRI_TRY(t->cls->saddle->k(c->ctx, t->priv, q, s->x, NULL, 1));
  pri_scale(c->ctx, q, large, t->size);
  return t->cls->saddle->dual_prox(c->ctx, t->priv, q, large, NULL, 1);
}

static pri_status solver_q(pri_certifier *c, const struct state *s, const pri_duals *d) {
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    if (d->q && d->q[r].data) pri_copy(c->ctx, c->q + t->at, pri_array_item(&d->q[r], s->item), t->size);
    else if (!t->aux) PRI_TRY(own_q(c, s, t, c->q + t->at));
    else pri_fill(c->ctx, c->q + t->at, 0, t->size);
  }
  return PRI_OK;
}

/* raw, then polished where that can reach the goal */
static pri_status candidate(pri_certifier *c, struct state *s, const pri_real *p, pri_report *rep) {
  PRI_TRY(take_p(c, s, p, rep));
  PRI_TRY(gap_of(c, s, c->q, 1));
  if (met(s) || far_off(s)) return PRI_OK;
  return polish(c, s);
}

static pri_status dual(pri_certifier *c, struct state *s, const pri_duals *d, pri_report *rep) {
  PRI_TRY(solver_q(c, s, d));
  if (d->p) {
    PRI_TRY(candidate(c, s, pri_array_item(d->p, s->item), rep));
    if (met(s) || far_off(s)) return PRI_OK;
  }
  if (!c->f->grad) return PRI_OK;
  for (ptrdiff_t i = 0; i < c->m; i++) c->pr[i] = (pri_real)c->z[i];
  PRI_TRY(c->f->grad(c->ctx, c->fpriv, c->pr, c->pr, s->item, 1));
  return candidate(c, s, c->pr, rep);
}

static void report_gap(const pri_certifier *c, const struct state *s, pri_report *rep) {
  const pri_trust trust = c->proven && (isfinite(bound_of(s)) || c->mu_x > 0) ? PRI_PROVEN : PRI_ESTIMATE;
  rep->gap = isfinite(s->gap) ? (pri_bound){s->gap, trust} : (pri_bound){INFINITY, PRI_UNKNOWN};
  if (isfinite(s->gap) && c->mu_x > 0) rep->error = (pri_bound){sqrt(2 * s->gap / c->mu_x), trust}; /* mu |x - x*|^2 / 2 <= gap */
}

pri_status pri_certifier_run(pri_certifier *c, const pri_array *x, const pri_duals *d, ptrdiff_t item, pri_report *rep) {
  struct state s = {.item = item, .x = pri_array_item(x, item), .gap = INFINITY, .goal = c->p.gap_goal, .near = d->p ? NEAR : NEAR_GRAD};
  box_of(c, &s);
  PRI_TRY(primal(c, &s, rep));
  if (isfinite(s.primal)) {
    PRI_TRY(first_bound(c, &s));
    PRI_TRY(dual(c, &s, d, rep));
  }
  report_gap(c, &s, rep);
  return PRI_OK;
}

pri_status pri_certificate(pri_ctx *ctx, const pri_problem *p, const pri_array *x, const pri_duals *d, double *primal_, pri_bound *gap) {
  pri_certifier *c;
  pri_status status = PRI_OK;
  PRI_TRY(pri_certifier_create(ctx, &c, p));
  for (ptrdiff_t i = 0; i < x->items && status == PRI_OK; i++) {
    pri_report rep = {.error = {NAN, PRI_UNKNOWN}};
    status = pri_certifier_run(c, x, d, i, &rep);
    primal_[i] = rep.objective, gap[i] = rep.gap;
  }
  pri_certifier_destroy(&c);
  return status;
}
