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
 *           average weighted with k are tried. A diagonal: f(A x), linearised with its curvature, stands for <A'p, x>, so that p moves along.
 *   second  p = grad f(A x), polished.
 *   mass    A >= 0 with column sums c, f mu-convex: a minimiser x* has |A(x* - x)|^2 <= 2 gap/mu, so
 *           c.x* <= <1, A x> + sqrt(2 m gap/mu) = M; then min z.x >= max_{s>=0} sum_j min(lo (z_j + s c_j), hi (...)) - s M.
 *   free    pixels without a box (e_j = z_j there), or all of them, where sum R + f(A .) is mu_j-convex in x_j (A diagonal >= 0: mu_j =
 *           mu_R + mu_f c_j^2): e.x* >= e.x - sqrt(2 gap sum e_j^2 / mu_j); a quadratic for sqrt(gap).
 *   own     A diagonal: p = f'(A xhat), xhat = argmin f(A x) + <K'q, x> in the box by Newton steps, the best p for a q.
 *
 * Priors with an auxiliary w: R is taken at the w of the solver, which is not below the minimum; the dual needs K_w'q = 0, and what repair leaves
 * of it counts with max |K_w'q| times the prior's bound of sum |w*| (aux_bound).
 *
 * Allowance for rounding, from the counts of the sums; g(k) = (k + 16) DBL_EPSILON bounds k additions and some operations more
 * (Higham 2002, section 3.1); n pixels, m measurements, B = max(|lo|, |hi|), S = sum c, all of the exact pri_real x, p, q:
 *   A x     dz = g(n) |A||x|;  A >= 0 and x >= 0: |A||x| = A x, else |A| |x|;  f: sqrt(2 L f) |dz| + L |dz|^2 / 2 + g(m) f
 *           f without a proven L (counts): |f'(z)| |dz| + 2 max f''(z) |dz|^2 + g(m) (sum of the magnitudes it adds up)
 *   R       g(n) R;   f*: g(m) (|f*| + 2 |p||y|);   F*: g(n) |F*|
 *   z       A >= 0: sum_j |dz_j x*_j| <= g(m) max|p| sum c |x*|, else g(m) |A||p| |x*|;   K: g(8) |K||q| |x*|;   box: g(n) sum |terms|
 *   |x*|    B sqrt(n), sum c |x*| <= B S; without a finite box from |x* - x| <= sqrt(2 gap / mu) or sum c x* <= M with the gap known so far
 *           (at first that of p = q = 0). Neither: no bound, so ESTIMATE.
 * Sums by other routes (FFT) err less: eps log n |A||x|. An A of both signs with k terms a row has ||A||, all entries positive, <= sqrt(k) |A|: in g(n).
 * Floor: a relative gap is gap / |P|. Where the minimum is 0, a picture that A and R let through (constant; for TGV a ramp), P itself is all gap, and
 * no share of it can be had. But pixels that are right to e = 2^-20 (16 roundings of single precision, from FFTs and sums along rays; of double as
 * well, for no file says more) leave P <= N = e^2 S + sum_r R_r(e x with signs), S = sum f''(y) y^2 / 2 (least squares: |y|^2 / 2). Where |P| <= N
 * the gap is relative to S, the scale of f at x = 0. A picture with any content stays clear of it: its R(x) is some 1e3 N.
 * PROVEN where A is wide and >= 0 or of a proven norm, x* bounded, value_wide, every kt_wide and aux_bound are there; else ESTIMATE. The box is
 * widened to hold x itself: a larger box has a smaller minimum.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "certificate_private.h"
#include "vec.h"

enum { POLISH = 160, POLISH_GRAD = 800 /* steps; with p of the gradient only */, LOOK = 20 /* steps between two looks at the dual */, NEWTON = 4 };
static const double NEAR = 10, NEAR_GRAD = 1e4; /* the raw gap is improved when it is within this factor of the goal; with p = grad f(A x) of a
                                                   primal method, whose q is the worse of the two */

static double g(ptrdiff_t k) { return pri_certificate_round(k); }

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
  t->size = pri_shape_size(&dual), t->at = c->nq, t->norm = norm.value;
  t->nw = aux.nd > 0 ? pri_shape_size(&aux) : 0, t->w_at = c->nw;
  c->nq += t->size, c->nw += t->nw;
  const int valued = t->cls->saddle->value_wide || (v && v->value && !t->nw); /* else through K in pri_real */
  if (!(t->cls->saddle->kt_wide && valued) && sizeof(pri_real) != sizeof(double)) c->proven = 0;
  if (t->nw && !(t->cls->saddle->aux_bound && t->cls->saddle->value_wide)) c->proven = 0;
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
  PRI_ALLOC(c->ctx, c->hr, c->n);
  PRI_ALLOC(c->ctx, c->wr, c->nw);
  PRI_ALLOC(c->ctx, c->wb, c->nw);
  PRI_ALLOC(c->ctx, c->ws, c->nw);
  PRI_ALLOC(c->ctx, c->pull, c->nw);
  PRI_ALLOC(c->ctx, c->q, q);
  PRI_ALLOC(c->ctx, c->avg, q);
  PRI_ALLOC(c->ctx, c->trial, q);
  return PRI_OK;
}

static pri_status column_sums(pri_certifier *c) { /* c = A'1 */
  PRI_ALLOC(c->ctx, c->column, c->n);
  for (ptrdiff_t i = 0; i < c->m; i++) c->wp[i] = 1;
  PRI_TRY(pri_operator_adjoint_wide(c->A, c->column, c->wp, 1));
  c->least_c = INFINITY;
  for (ptrdiff_t j = 0; j < c->n; j++) {
    c->sum_c += c->column[j], c->norm_c += c->column[j] * c->column[j];
    c->least_c = fmin(c->least_c, c->column[j]);
  }
  c->norm_c = sqrt(c->norm_c);
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
  const pri_bound mu = c->f->convexity ? c->f->convexity(c->fpriv) : (pri_bound){0, PRI_UNKNOWN};
  const unsigned flags = pri_operator_flags(c->A);
  c->mu_f = mu.trust >= PRI_PROVEN ? mu.value : 0;
  c->diagonal = flags & PRI_OP_DIAGONAL && flags & PRI_OP_NONNEGATIVE && c->n == c->m && c->f->grad && c->f->curvature;
  c->proven = pri_operator_is_wide(c->A) && (c->f->value_wide || sizeof(pri_real) == sizeof(double));
  PRI_ALLOC(c->ctx, c->term, p->nR > 0 ? p->nR : 1);
  for (int r = 0; r < p->nR; r++) PRI_TRY(take_term(c, r));
  PRI_TRY(allocate(c));
  if (flags & PRI_OP_NONNEGATIVE) return column_sums(c);
  const pri_bound norm = pri_operator_norm(c->A);
  c->norm_a = norm.value;
  if (norm.trust < PRI_PROVEN) c->proven = 0;
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
  void *const owned[] = {(*c)->term, (*c)->z, (*c)->wp, (*c)->g, (*c)->t, (*c)->column, (*c)->pr, (*c)->xr, (*c)->xb, (*c)->xs, (*c)->gr, (*c)->hr, (*c)->wr, (*c)->wb, (*c)->ws, (*c)->pull, (*c)->q, (*c)->avg, (*c)->trial, *c};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) pri_free(ctx, owned[i]);
  *c = NULL;
}

/* ---- primal */

static double max_abs(const pri_real *a, ptrdiff_t n) {
  double most = 0;
  for (ptrdiff_t i = 0; i < n; i++) most = fabs((double)a[i]) > most ? fabs((double)a[i]) : most;
  return most;
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

static const pri_real *aux_of(const struct state *s, const struct term *t, int r) {
  return t->nw && s->d->aux && s->d->aux[r].data ? pri_array_item(&s->d->aux[r], s->item) : NULL;
}

/* with an auxiliary variable: F(K(x, w)) at the solver's w, not below R(x) */
static pri_status prior_value(pri_certifier *c, const struct term *t, const pri_real *x, const pri_real *w, double *value) {
  const pri_variational *v = t->cls->variational;
  if (t->cls->saddle->value_wide) return t->cls->saddle->value_wide(c->ctx, t->priv, value, x, w, 1);
  if (v && v->value && !w) return v->value(c->ctx, t->priv, value, x, 1, pri_prior_scratch(t->R));
  PRI_TRY(t->cls->saddle->k(c->ctx, t->priv, c->trial, x, w, 1));
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
    PRI_TRY(prior_value(c, &c->term[r], s->x, aux_of(s, &c->term[r], r), &one));
    rep->prior += one;
  }
  rep->objective = s->primal = rep->data + rep->prior;
  s->sum_z = pri_sum(c->ctx, c->m, wide_sum, c->z);
  return primal_allowance(c, s, rep, &s->allow_primal);
}

/* ---- floor */

static double floor_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const pri_real *const *curved = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double y = (double)curved[0][i];
    if (y != 0) sum += (double)curved[1][i] * y * y / 2; /* f'' of a count of 0 is none */
  }
  return sum;
}

/* sum_r R_r(e x with signs by a hash of the place), auxiliary variables 0 */
static pri_status value_of_rounding(pri_certifier *c, const struct state *s, double e, double *sum) {
  for (ptrdiff_t j = 0; j < c->n; j++) c->xs[j] = (pri_real)(((uint32_t)j * 2654435761u) >> 31 ? e : -e) * s->x[j];
  pri_fill(c->ctx, c->ws, 0, c->nw);
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    double one = NAN;
    PRI_TRY(prior_value(c, t, c->xs, t->nw ? c->ws + t->w_at : NULL, &one));
    *sum += one;
  }
  return PRI_OK;
}

/* S where |P| <= N, else 0 */
static pri_status floor_of(pri_certifier *c, const struct state *s, double *out) {
  const double e = 0x1p-20, little = 1e-3;
  const pri_array *y = pri_fidelity_data(c->p.f);
  const pri_real *curved[] = {pri_array_item(y, s->item), c->pr};
  *out = 0;
  if (!c->f->curvature) return PRI_OK;
  PRI_TRY(c->f->curvature(c->ctx, c->fpriv, c->pr, curved[0], s->item, 1));
  const double size = pri_sum(c->ctx, c->m, floor_block, curved);
  double noise = e * e * size;
  if (!(fabs(s->primal) <= little * size)) return PRI_OK; /* no need to look closer */
  PRI_TRY(value_of_rounding(c, s, e, &noise));
  if (fabs(s->primal) <= noise) *out = size;
  return PRI_OK;
}

/* ---- dual */

/* sum |dz_j| |x*_j| over what A'p and K'q were rounded by */
static double dual_allowance(const pri_certifier *c, const struct state *s, const pri_real *q) {
  double k = 0;
  for (int r = 0; r < c->p.nR; r++) k += c->term[r].norm * sqrt(pri_norm2sq(c->ctx, q + c->term[r].at, c->term[r].size));
  return s->allow_p * (c->column ? s->sum_cx : s->norm_x) + g(8) * s->norm_x * k;
}

static double largest(const double *a, ptrdiff_t n) {
  double most = 0;
  for (ptrdiff_t i = 0; i < n; i++)
    if (!(fabs(a[i]) <= most)) most = fabs(a[i]);
  return most;
}

/* c->t += K_r'q; *allow += what q still pulls on w */
static pri_status pull_back(pri_certifier *c, const struct state *s, const struct term *t, const pri_real *q, double *allow) {
  const pri_saddle *k = t->cls->saddle;
  double *pull = t->nw ? c->pull + t->w_at : NULL;
  if (t->nw) memset(pull, 0, (size_t)t->nw * sizeof *pull);
  if (k->kt_wide) PRI_TRY(k->kt_wide(c->ctx, t->priv, c->t, pull, q, 1));
  else {
    memset(c->xs, 0, (size_t)c->n * sizeof *c->xs);
    if (t->nw) memset(c->ws, 0, (size_t)c->nw * sizeof *c->ws);
    PRI_TRY(k->kt(c->ctx, t->priv, c->xs, t->nw ? c->ws + t->w_at : NULL, q, 1));
    for (ptrdiff_t j = 0; j < c->n; j++) c->t[j] += (double)c->xs[j];
    for (ptrdiff_t j = 0; j < t->nw; j++) pull[j] = (double)c->ws[t->w_at + j];
  }
  if (t->nw && k->aux_bound) { /* f >= 0 and the other priors >= 0: R(x*) <= P(x) */
    const double most = largest(pull, t->nw), bound = k->aux_bound(t->priv, s->span, s->primal + s->allow_primal);
    *allow += most > 0 ? (most + g(8) * t->norm * sqrt(pri_norm2sq(c->ctx, q, t->size))) * bound : 0;
  }
  return PRI_OK;
}

/* sum_r F*_r(q_r), its allowance added to *allow, and c->t = c->g + sum K_r'q_r; q is repaired in place */
static pri_status dual_sums(pri_certifier *c, const struct state *s, pri_real *q, double *conjugate, double *allow) {
  memcpy(c->t, c->g, (size_t)c->n * sizeof *c->t);
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    const pri_saddle *k = t->cls->saddle;
    pri_real *qr = q + t->at;
    double one = INFINITY;
    PRI_TRY(k->repair ? k->repair(c->ctx, t->priv, qr, 1) : k->dual_prox(c->ctx, t->priv, qr, 0, NULL, 1));
    PRI_TRY(k->conjugate(c->ctx, t->priv, &one, qr, 1));
    *conjugate += one, *allow += g(c->n) * fabs(one);
    PRI_TRY(pull_back(c, s, t, qr, allow));
  }
  return PRI_OK;
}

/* the gap of (p, q), p by c->g and the fields of s; q is repaired in place */
static pri_status gap_of(pri_certifier *c, struct state *s, pri_real *q, int mass) {
  double conjugate = 0, allow = s->allow_primal;
  PRI_TRY(dual_sums(c, s, q, &conjugate, &allow));
  s->base = s->primal + s->conjugate + conjugate + allow + dual_allowance(c, s, q);
  pri_certificate_close(c, s, mass);
  return PRI_OK;
}

/* a first bound of where a minimiser can be where the box gives none: D(0, 0) = -f*(0) - sum F*(0) */
static pri_status first_bound(pri_certifier *c, struct state *s) {
  double one, sum = 0;
  if ((isfinite(s->lo) && isfinite(s->hi)) || !(pri_certificate_mass_mu(c, s) > 0 || c->mu_x > 0 || c->diagonal)) return PRI_OK;
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

static int met(const struct state *s) { return s->goal > 0 && s->gap <= s->goal * s->scale; }
static int far_off(const struct state *s) { return s->goal > 0 && !(s->gap <= s->near * s->goal * s->scale); }

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

/* gr, hr: slope and curvature of what stands for f(A x) in the steps: A'p and 0, or those of f(A .) at xr */
static pri_status model(pri_certifier *c, const struct state *s) {
  if (!c->diagonal) return PRI_OK; /* set before */
  for (ptrdiff_t j = 0; j < c->n; j++) c->pr[j] = (pri_real)(c->column[j] * (double)c->xr[j]);
  PRI_TRY(c->f->curvature(c->ctx, c->fpriv, c->hr, c->pr, s->item, 1));
  PRI_TRY(c->f->grad(c->ctx, c->fpriv, c->gr, c->pr, s->item, 1));
  for (ptrdiff_t j = 0; j < c->n; j++) {
    const double col = c->column[j];
    c->gr[j] = (pri_real)(col * (double)c->gr[j]), c->hr[j] = (pri_real)(col * col * (double)c->hr[j]);
  }
  return PRI_OK;
}

static pri_status polish_dual(pri_certifier *c) {
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    pri_real *q = c->q + t->at, *kx = c->trial + t->at;
    PRI_TRY(t->cls->saddle->k(c->ctx, t->priv, kx, c->xb, t->nw ? c->wb + t->w_at : NULL, 1));
    pri_axpy(c->ctx, q, t->sigma, kx, t->size);
    PRI_TRY(t->cls->saddle->dual_prox(c->ctx, t->priv, q, t->sigma, NULL, 1)); /* q = prox(q + sigma K (xb, wb)) */
  }
  return PRI_OK;
}

static pri_status polish_step(pri_certifier *c, const struct state *s, double tau) {
  PRI_TRY(polish_dual(c));
  PRI_TRY(model(c, s));
  pri_fill(c->ctx, c->xb, 0, c->n);
  pri_fill(c->ctx, c->wb, 0, c->nw);
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    PRI_TRY(t->cls->saddle->kt(c->ctx, t->priv, c->xb, t->nw ? c->wb + t->w_at : NULL, c->q + t->at, 1));
  }
  for (ptrdiff_t j = 0; j < c->n; j++) { /* x+ = P_box(x - (f' + K'q) / (f'' + 1 / tau)), xb = 2 x+ - x */
    const double x = (double)c->xr[j], to = x - ((double)c->gr[j] + (double)c->xb[j]) / ((double)c->hr[j] + 1 / tau);
    const double next = fmin(fmax(to, s->lo), s->hi);
    c->xr[j] = (pri_real)next, c->xb[j] = (pri_real)(2 * next - x);
  }
  for (ptrdiff_t j = 0; j < c->nw; j++) {
    const double w = (double)c->wr[j], next = w - tau * (double)c->wb[j];
    c->wr[j] = (pri_real)next, c->wb[j] = (pri_real)(2 * next - w);
  }
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

/* A diagonal: xr = argmin f(A x) + <K'q, x> in the box, p = f'(A xr), the best p for q, and the gap of both */
static pri_status own_p(pri_certifier *c, struct state *s, pri_real *q, int mass, pri_report *rep) {
  double conjugate = 0, allow = 0;
  memset(c->g, 0, (size_t)c->n * sizeof *c->g);
  PRI_TRY(dual_sums(c, s, q, &conjugate, &allow)); /* t = K'q */
  pri_real *const kept = c->xr;
  c->xr = c->xs;
  pri_copy(c->ctx, c->xr, s->x, c->n);
  pri_status status = PRI_OK;
  for (int k = 0; k < NEWTON && status == PRI_OK; k++) {
    status = model(c, s);
    for (ptrdiff_t j = 0; j < c->n; j++) {
      const double h = (double)c->hr[j], to = (double)c->xr[j] - ((double)c->gr[j] + c->t[j]) / h;
      if (h > 0) c->xr[j] = (pri_real)fmin(fmax(to, s->lo), s->hi);
    }
  }
  for (ptrdiff_t j = 0; j < c->n; j++) c->pr[j] = (pri_real)(c->column[j] * (double)c->xr[j]);
  c->xr = kept;
  PRI_TRY(status);
  PRI_TRY(c->f->grad(c->ctx, c->fpriv, c->pr, c->pr, s->item, 1));
  PRI_TRY(take_p(c, s, c->pr, rep));
  return gap_of(c, s, q, mass);
}

static pri_status look(pri_certifier *c, struct state *s, const pri_real *q, int mass, pri_report *rep) {
  pri_copy(c->ctx, c->trial, q, c->nq);
  return c->diagonal ? own_p(c, s, c->trial, mass, rep) : gap_of(c, s, c->trial, mass);
}

static void polish_start(pri_certifier *c, const struct state *s) {
  for (ptrdiff_t j = 0; j < c->n; j++) c->gr[j] = (pri_real)c->g[j], c->hr[j] = 0;
  pri_copy(c->ctx, c->xr, s->x, c->n);
  pri_copy(c->ctx, c->xb, s->x, c->n);
  for (int r = 0; r < c->p.nR; r++) {
    const struct term *t = &c->term[r];
    const pri_real *w = aux_of(s, t, r);
    if (w) pri_copy(c->ctx, c->wr + t->w_at, w, t->nw);
    else pri_fill(c->ctx, c->wr + t->w_at, 0, t->nw);
  }
  pri_copy(c->ctx, c->wb, c->wr, c->nw);
}

static pri_status polish(pri_certifier *c, struct state *s, pri_report *rep) {
  const double tau = c->p.nR ? polish_scales(c, s) : 0;
  if (tau == 0) return PRI_OK;
  double before = s->gap;
  polish_start(c, s);
  for (int k = 1, most = s->near > NEAR ? POLISH_GRAD : POLISH; k <= most && !met(s); k++) {
    PRI_TRY(polish_step(c, s, tau));
    if (k == 1) pri_copy(c->ctx, c->avg, c->q, c->nq); /* nothing of what another item left there, were it not a number */
    else pri_axpby(c->ctx, c->avg, 2.0 / (k + 1), c->q, 1 - 2.0 / (k + 1), c->nq);
    if (k % LOOK) continue;
    PRI_TRY(look(c, s, c->q, k == most, rep));
    PRI_TRY(look(c, s, c->avg, k == most, rep));
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
    else if (!t->nw) PRI_TRY(own_q(c, s, t, c->q + t->at));
    else pri_fill(c->ctx, c->q + t->at, 0, t->size);
  }
  return PRI_OK;
}

/* raw, then polished where that can reach the goal; after another candidate only if it is the better one before that */
static pri_status candidate(pri_certifier *c, struct state *s, const pri_real *p, int again, pri_report *rep) {
  const double before = again ? s->gap : (double)INFINITY;
  PRI_TRY(take_p(c, s, p, rep));
  pri_copy(c->ctx, c->trial, c->q, c->nq);
  PRI_TRY(gap_of(c, s, c->trial, 1));
  if (met(s) || far_off(s) || !(s->gap < before)) return PRI_OK;
  return polish(c, s, rep);
}

static pri_status dual(pri_certifier *c, struct state *s, const pri_duals *d, pri_report *rep) {
  PRI_TRY(solver_q(c, s, d));
  if (c->diagonal) {
    PRI_TRY(look(c, s, c->q, 1, rep));
    return met(s) || far_off(s) ? PRI_OK : polish(c, s, rep);
  }
  if (d->p) {
    PRI_TRY(candidate(c, s, pri_array_item(d->p, s->item), 0, rep));
    if (met(s) || far_off(s)) return PRI_OK;
  }
  if (!c->f->grad) return PRI_OK;
  for (ptrdiff_t i = 0; i < c->m; i++) c->pr[i] = (pri_real)c->z[i];
  PRI_TRY(c->f->grad(c->ctx, c->fpriv, c->pr, c->pr, s->item, 1));
  return candidate(c, s, c->pr, d->p != NULL, rep);
}

static void report_gap(const pri_certifier *c, const struct state *s, pri_report *rep) {
  const pri_trust trust = c->proven && s->bounded ? PRI_PROVEN : PRI_ESTIMATE;
  rep->gap = isfinite(s->gap) ? (pri_bound){s->gap, trust} : (pri_bound){INFINITY, PRI_UNKNOWN};
  if (isfinite(s->gap) && c->mu_x > 0) rep->error = (pri_bound){sqrt(2 * s->gap / c->mu_x), trust}; /* mu |x - x*|^2 / 2 <= gap */
}

pri_status pri_certifier_run(pri_certifier *c, const pri_array *x, const pri_duals *d, ptrdiff_t item, pri_report *rep) {
  struct state s = {.item = item, .x = pri_array_item(x, item), .d = d,  .gap = INFINITY, .goal = c->p.gap_goal, .near = d->p ? NEAR : NEAR_GRAD};
  pri_certificate_box(c, &s);
  PRI_TRY(primal(c, &s, rep));
  PRI_TRY(floor_of(c, &s, &rep->floor));
  s.scale = fmax(fabs(s.primal), rep->floor);
  if (isfinite(s.primal)) {
    PRI_TRY(first_bound(c, &s));
    pri_certificate_reach(c, &s);
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
