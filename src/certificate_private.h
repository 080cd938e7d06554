/* SPDX-License-Identifier: GPL-3.0-or-later */
/* certificate_private.h - what certificate.c and certificate_box.c share; symbols as in certificate.c. */
#ifndef PRI_CERTIFICATE_PRIVATE_H
#define PRI_CERTIFICATE_PRIVATE_H
#include "certificate.h"

struct term {
  const pri_prior_class *cls;
  const void *priv;
  const pri_prior *R;
  ptrdiff_t size, at, nw, w_at;  /* of the dual and the auxiliary; their places in q and w */
  double norm, sigma;
};

struct pri_certifier {
  pri_ctx *ctx;
  pri_problem p;
  const pri_operator *A;
  const pri_fidelity_class *f;
  const void *fpriv;
  struct term *term;
  ptrdiff_t n, m, nq, nw;
  double mu_x, mu_f, norm_a;         /* convexity of sum R, of f; |A| where it is not known to be >= 0 */
  double sum_c, norm_c, least_c;     /* of the column sums c */
  int proven, diagonal;
  double *z, *wp, *g, *t, *column, *pull; /* A x, p, A'p, A'p + K'q, A'1 (NULL: not known to be >= 0), K_w'q */
  pri_real *pr, *xr, *xb, *xs, *gr, *hr, *q, *avg, *trial, *wr, *wb, *ws;
};

/* One run: the item, its box, and what is known so far */
struct state {
  ptrdiff_t item;
  const pri_real *x;
  const pri_duals *d;
  double lo, hi, xmax, norm_xk, spread, sum_z, primal, allow_primal; /* box; max |x|, |x|, max x - min x; <1, A x> */
  double norm_x, sum_cx, span;                      /* of a minimiser: bounds of |x*|, sum c |x*|, largest minus smallest pixel */
  double conjugate, allow_p, base;                  /* of the p at hand: f*(p), rounding of A'p; base: gap without its box terms */
  double gap, goal, scale, near;                    /* smallest so far; the relative one that is asked for, and to what; NEAR or NEAR_GRAD */
  int bounded;                                      /* the three bounds hold */
};

double pri_certificate_round(ptrdiff_t k);                                    /* g(k) */
void pri_certificate_box(const pri_certifier *c, struct state *s);            /* lo ... spread */
void pri_certificate_reach(const pri_certifier *c, struct state *s);          /* norm_x, sum_cx, span by the gap so far */
void pri_certificate_close(const pri_certifier *c, struct state *s, int mass);/* gap of z = c->t and s->base */
double pri_certificate_mass_mu(const pri_certifier *c, const struct state *s);/* mu of f where the mass is bounded, else 0 */
#endif
