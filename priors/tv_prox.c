/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv_prox.c - argmin_x |x - z|^2 / (2 tau) + R(x) over lo <= x <= hi, R of tv_term.h, by FGP on the dual (Beck, Teboulle 2009,
 * TIP 18(11), section 4; spec 4.2) with the dual q in the scale of R:
 *
 *   u   = P_box(z - tau D'r)
 *   q+  = Pi_w(r + s (D u - c r)),  s = 1 / (tau |D|^2 + c),  c: pri_tv_curb (0: TV)
 *   t+  = (1 + sqrt(1 + 4 t^2)) / 2,  r = q+ + (t - 1) / t+ (q+ - q)
 *   p   = P_box(z - tau D'q)
 *
 * Certificate: p minimises the Lagrangian at q, so that primal - dual = R(p) + F*(q) - <D p, q>, a sum over pixels of terms >= 0,
 * evaluated in double. Added for rounding: p is the minimiser up to e = 2 eps |pixel| (five operations in pri_real), and as the
 * Lagrangian is quadratic around it that costs n e^2 / (2 tau); |q_i| <= w_i holds up to 3 eps; sums of n terms in double.
 * Rows run in parallel; each is computed by itself.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include "par.h"
#include "tv_term.h"
#include "vec.h"

enum { PIECE = 256, CHECK = 5 /* steps between two gaps */, STEPS = 1000 /* where the caller names no limit */ };

struct fgp {
  const tv_term *t;
  pri_real *u, *r, *q;
  const pri_real *z, *dual; /* dual: r or q, of the primal step */
  pri_real lo, hi;
  double tau, step, keep, beta; /* keep = 1 - step c */
  int free;                     /* no bound of |q_i| */
};

static pri_status primal_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct fgp *f = arg;
  const ptrdiff_t nx = f->t->s.nx;
  const pri_real lo = f->lo, hi = f->hi;
  (void)worker;
  memcpy(f->u + first * nx, f->z + first * nx, (size_t)((last - first) * nx) * sizeof(pri_real));
  for (ptrdiff_t row = first; row < last; row++) {
    pri_real *u = f->u + row * nx;
    pri_stencil_adjoint_row(&f->t->s, f->u, f->dual, -f->tau, row); /* u = z - tau D'r */
    for (ptrdiff_t i = 0; i < nx; i++) u[i] = u[i] < lo ? lo : u[i] > hi ? hi : u[i];
  }
  return PRI_OK;
}

/* m_i = min(1, w_i / |r_i|) on n <= PIECE pixels */
static void factors(const struct fgp *f, pri_real *restrict m, ptrdiff_t at, ptrdiff_t n) {
  const tv_term *t = f->t;
  const pri_real *restrict r = f->r + at, *map = t->map ? t->map + at : NULL, w = (pri_real)t->weight;
  for (ptrdiff_t i = 0; i < n; i++) m[i] = f->free ? 1 : r[i] * r[i];
  if (f->free) return;
  for (int a = 1; a < t->s.nd; a++) {
    r += t->s.n;
    for (ptrdiff_t i = 0; i < n; i++) m[i] += r[i] * r[i];
  }
  if (!map)
    for (ptrdiff_t i = 0; i < n; i++) m[i] = w / pri_root(pri_larger(m[i], w * w));
  else
    for (ptrdiff_t i = 0; i < n; i++) {
      const pri_real v = w * map[i];
      m[i] = v / pri_root(pri_larger(m[i], v * v));
    }
}

static void momentum(pri_real *restrict r, pri_real *restrict q, const pri_real *restrict m, pri_real beta, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const pri_real next = m[i] * r[i], last = q[i];
    q[i] = next;
    r[i] = next + beta * (next - last);
  }
}

static pri_status dual_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct fgp *f = arg;
  const pri_stencil *s = &f->t->s;
  const pri_real keep = (pri_real)f->keep;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    if (f->keep < 1)
      for (int a = 0; a < s->nd; a++)
        for (ptrdiff_t i = 0; i < s->nx; i++) f->r[a * s->n + row * s->nx + i] *= keep;
    pri_stencil_forward_row(s, f->r, f->u, f->step, row);
    for (ptrdiff_t at = row * s->nx, end = at + s->nx; at < end; at += PIECE) {
      const ptrdiff_t n = end - at < PIECE ? end - at : PIECE;
      pri_real m[PIECE];
      factors(f, m, at, n);
      for (int a = 0; a < s->nd; a++) momentum(f->r + a * s->n + at, f->q + a * s->n + at, m, (pri_real)f->beta, n);
    }
  }
  return PRI_OK;
}

struct gap {
  const tv_term *t;
  const pri_real *x, *q;
};

static double cross_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* <D x, q> */
  const struct gap *g = arg;
  double dot[PRI_VEC_BLOCK], sum = 0;
  pri_stencil_fields_dot(&g->t->s, g->q, g->x, first, last, dot);
  for (ptrdiff_t i = 0; i < last - first; i++) sum += dot[i];
  return sum;
}

/* relative gap of (p, q) */
static double gap_of(pri_ctx *ctx, const struct fgp *f, const pri_real *p) {
  const tv_term *t = f->t;
  const double unit = sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON, n = (double)t->s.n;
  double value, conjugate;
  pri_tv_value(ctx, t, &value, p, 1);
  pri_tv_conjugate(ctx, t, &conjugate, f->q, 1);
  const double cross = pri_sum(ctx, t->s.n, cross_block, &(struct gap){t, p, f->q});
  const double primal = pri_dist2sq(ctx, p, f->z, t->s.n) / (2 * f->tau) + value;
  const double size = sqrt(pri_norm2sq(ctx, f->z, t->s.n) / n) + f->tau * t->weight * 2 * sqrt(pri_stencil_norm2(&t->s));
  const double rounding = 2 * n * unit * unit * size * size / f->tau + (3 * unit + n * DBL_EPSILON) * (value + fabs(cross));
  const double gap = value + conjugate - cross;
  return ((gap > 0 ? gap : 0) + rounding) / (primal > DBL_MIN ? primal : DBL_MIN);
}

static void primal(pri_ctx *ctx, struct fgp *f, pri_real *u, const pri_real *dual) {
  struct fgp g = *f;
  g.u = u, g.dual = dual;
  (void)pri_par_for(ctx, f->t->s.nz * f->t->s.ny, pri_stencil_grain(&f->t->s), primal_rows, &g);
}

static void fgp_step(pri_ctx *ctx, struct fgp *f, double *t) {
  const double next = (1 + sqrt(1 + 4 * *t * *t)) / 2;
  f->beta = (*t - 1) / next;
  *t = next;
  primal(ctx, f, f->u, f->r);
  (void)pri_par_for(ctx, f->t->s.nz * f->t->s.ny, pri_stencil_grain(&f->t->s), dual_rows, f);
}

size_t pri_tv_prox_scratch(const tv_term *t) { return (size_t)((2 * t->s.nd + 1) * t->s.n) * sizeof(pri_real); }

void pri_tv_prox(pri_ctx *ctx, const tv_term *t, pri_real *p, const pri_real *z, double lo, double hi, const pri_prox_req *req,
                 pri_prox_cert *cert, pri_real *q, void *scratch) {
  const ptrdiff_t fields = t->s.nd * t->s.n;
  const long most = req->max_inner > 0 ? req->max_inner : STEPS;
  const double c = t->weight > 0 ? pri_tv_curb(t, t->weight) : 0, s = 1 / (req->tau * pri_stencil_norm2(&t->s) + c);
  pri_real *r = scratch;
  struct fgp f = {t, r + fields, r, q ? q : r + fields + t->s.n, z, NULL, (pri_real)lo, (pri_real)hi, req->tau, s, 1 - s * c, 0, isinf(t->delta) && t->weight > 0};
  double momentum_t = 1, gap = NAN;
  long k = 0;
  if (!q) memset(f.q, 0, (size_t)fields * sizeof *f.q);
  pri_tv_dual_prox(ctx, t, f.q, 0, NULL, 1); /* a warm start from another weight */
  pri_copy(ctx, r, f.q, fields);
  while (k < most && !(gap <= req->tol)) {
    fgp_step(ctx, &f, &momentum_t);
    if (++k % CHECK == 0 && req->tol > 0) {
      primal(ctx, &f, f.u, f.q);
      gap = gap_of(ctx, &f, f.u);
    }
  }
  primal(ctx, &f, p, f.q);
  if (cert) *cert = (pri_prox_cert){{gap_of(ctx, &f, p), PRI_PROVEN}, k};
}
