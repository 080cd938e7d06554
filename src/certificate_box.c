/* SPDX-License-Identifier: GPL-3.0-or-later */
/* certificate_box.c - what min z.x over the places where a minimiser can be costs a certificate: box, free directions, mass; see certificate.c. */
#include <float.h>
#include <math.h>
#include "certificate_private.h"
#include "vec.h"

enum { HALVINGS = 40, ROUNDS = 3 };
#define g pri_certificate_round

double pri_certificate_round(ptrdiff_t k) { return ((double)k + 16) * DBL_EPSILON; }

void pri_certificate_box(const pri_certifier *c, struct state *s) { /* the box of the problem, widened to hold x */
  double least = INFINITY, most = -INFINITY;
  for (ptrdiff_t j = 0; j < c->n; j++) {
    least = (double)s->x[j] < least ? (double)s->x[j] : least;
    most = (double)s->x[j] > most ? (double)s->x[j] : most;
  }
  s->lo = fmin(c->p.lo ? c->p.lo[s->item] : -INFINITY, least);
  s->hi = fmax(c->p.hi ? c->p.hi[s->item] : INFINITY, most);
  s->xmax = fmax(fabs(least), fabs(most)), s->spread = most - least;
  s->norm_xk = sqrt(pri_norm2sq(c->ctx, s->x, c->n));
}

/* ---- sums over pixels */

struct box {
  const pri_certifier *cert;
  const double *z, *c; /* c: NULL: no shift */
  const pri_real *x;
  double lo, hi, s;
  int what;            /* 0: sum min(lo v, hi v), v = z + s c; 1: sum |terms|; 2: sum c xhat; 3: sum e^2 / mu; 4: e.x; e: the free part of z */
  int all;             /* free: all with mu > 0; else those without a bound */
};

static double mu_at(const pri_certifier *c, ptrdiff_t j) { return c->diagonal ? c->mu_x + c->mu_f * c->column[j] * c->column[j] : c->mu_x; }

static double box_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct box *b = arg;
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) {
    const double v = b->c ? b->z[j] + b->s * b->c[j] : b->z[j], end = v < 0 ? b->hi : b->lo, mu = mu_at(b->cert, j);
    const int open = v != 0 && (isinf(end) || (b->all && mu > 0));
    switch (b->what) {
    case 0: sum += open || v == 0 ? 0 : v * end; break;
    case 1: sum += v == 0 ? 0 : fabs(v * (open ? (double)b->x[j] : end)); break;
    case 2: sum += b->c[j] * end; break;
    case 3: sum += !open ? 0 : mu > 0 ? v * v / mu : (double)INFINITY; break;
    default: sum += open ? v * (double)b->x[j] : 0;
    }
  }
  return sum;
}

static double box_sum(const pri_certifier *c, struct box b, int what) {
  b.what = what;
  return pri_sum(c->ctx, c->n, box_block, &b);
}

/* e.x* >= e.x - sqrt(2 gap sum e_j^2 / mu_j) turns `gap = base - box - e.x + ...` into a quadratic for sqrt(gap); INFINITY: nothing bounds e.x* */
static double with_free(const pri_certifier *c, const struct box *b, double base) {
  const double square = box_sum(c, *b, 3), rest = base - box_sum(c, *b, 0) + g(c->n) * box_sum(c, *b, 1);
  if (square == 0) return rest;
  if (!isfinite(square)) return INFINITY;
  const double e = sqrt(2 * square), a = rest - box_sum(c, *b, 4), root = (e + sqrt(e * e + 4 * fmax(a, 0))) / 2;
  return root * root;
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

double pri_certificate_mass_mu(const pri_certifier *c, const struct state *s) { return c->column && s->lo >= 0 ? c->mu_f : 0; }

static double mass_of(const pri_certifier *c, const struct state *s, double gap) {
  return (s->sum_z + sqrt(2 * (double)c->m * gap / pri_certificate_mass_mu(c, s))) * (1 + 2 * g(c->n));
}

static void mass_bound(const pri_certifier *c, struct state *s) {
  if (!(pri_certificate_mass_mu(c, s) > 0)) return;
  for (int k = 0; k < ROUNDS && isfinite(s->gap); k++) {
    const double known = s->gap, mass = mass_of(c, s, known);
    struct box b = {c, c->t, c->column, s->x, s->lo, s->hi, 0, 0, 0};
    b.s = best_shift(c, b, mass) * (1 + 4 * DBL_EPSILON); /* no pixel is left below zero by rounding */
    if (!isfinite(b.s)) return;
    const double gap = s->base - box_sum(c, b, 0) + b.s * mass + g(c->n) * (box_sum(c, b, 1) + b.s * mass);
    if (!(gap < known)) return;
    s->gap = fmax(gap, 0);
    if (gap > 0.9 * known) return;
  }
}

void pri_certificate_close(const pri_certifier *c, struct state *s, int mass) {
  struct box b = {c, c->t, NULL, s->x, s->lo, s->hi, 0, 0, 0};
  double gap = with_free(c, &b, s->base);
  b.all = 1;
  if (c->mu_x > 0 || (c->diagonal && c->mu_f > 0)) gap = fmin(gap, with_free(c, &b, s->base));
  if (gap < s->gap) s->gap = fmax(gap, 0); /* a NaN is none */
  if (mass || !isfinite(gap)) mass_bound(c, s);
}

/* Where a minimiser can be: in the box; or within sqrt(2 gap / mu) of x; or sum c x* <= M. */
void pri_certificate_reach(const pri_certifier *c, struct state *s) {
  const double big = fmax(fabs(s->lo), fabs(s->hi)), root = sqrt((double)c->n);
  const double mu = c->mu_x + (c->diagonal ? c->mu_f * c->least_c * c->least_c : 0);
  s->bounded = 1;
  s->norm_x = big * root, s->sum_cx = big * c->sum_c, s->span = s->hi - s->lo;
  if (isfinite(s->gap) && mu > 0) {
    const double r = sqrt(2 * s->gap / mu);
    s->norm_x = fmin(s->norm_x, s->norm_xk + r), s->sum_cx = fmin(s->sum_cx, c->norm_c * (s->norm_xk + r)), s->span = fmin(s->span, s->spread + 2 * r);
  }
  if (isfinite(s->gap) && pri_certificate_mass_mu(c, s) > 0) {
    const double mass = mass_of(c, s, s->gap), pixel = c->least_c > 0 ? mass / c->least_c : (double)INFINITY;
    s->norm_x = fmin(s->norm_x, pixel), s->sum_cx = fmin(s->sum_cx, mass), s->span = fmin(s->span, pixel);
  }
  if (isfinite(s->norm_x) && isfinite(s->span) && (!c->column || isfinite(s->sum_cx))) return;
  s->bounded = 0; /* a guess, and no proof */
  s->norm_x = 2 * s->xmax * root, s->sum_cx = 2 * s->xmax * c->sum_c, s->span = 2 * s->spread;
}
