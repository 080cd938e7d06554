/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv_prox.c - argmin_x |x - z|^2 / (2 t) + R(x) over lo <= x <= hi, R of tv_term.h, with the dual q in the scale of R.
 *
 * A few steps from a warm start, as other methods' inner loops want them (no tolerance given): FGP (Beck, Teboulle 2009, TIP 18(11), sec. 4)
 *
 *   u = P_box(z - t D'r),  q+ = Pi_w(keep (r + s D u)),  s = 1 / (t |D|^2 + c),  keep = 1 - s c,  x = P_box(z - t D'q)
 *   t+ = (1 + sqrt(1 + 4 t^2)) / 2,  r = q+ + (t - 1) / t+ (q+ - q)
 *
 * To a tolerance: over-relaxed primal-dual steps (Chambolle, Pock 2011, alg. 1 with Condat's relaxation) on |x - z|^2 / 2 + t R(x)
 *
 *   x~ = P_box((x - tau t D'q + tau z) / (1 + tau)),   q~ = Pi_w((q + sigma D (2 x~ - x)) / (1 + sigma c)),   (x, q) += 1.9 ((x~, q~) - (x, q))
 *   sigma = 1 / (tau t |D|^2),  c: pri_tv_curb (0: TV),  tau_k = max(0.4 / (1 + k / 5), floor)
 *
 * The data term is 1-strongly convex, which the falling tau uses as algorithm 2 of the paper does (tau ~ 1 / k there); relaxation on top
 * of it is not proven to converge, so that tau stays from STEADY on, where it is (Condat 2013). Huber: floor = sqrt(c / t) / |D|, the best
 * constant step (alg. 3). Measured to a relative gap of 1e-4, 512^2, sd 25/255, weight 0.1: 75 steps; FGP (Beck, Teboulle 2009) 220,
 * algorithm 2 120, constant steps 80 to 300 (but 20 warm steps
 * inside FISTA are worth less than FGP's). The schedule has no unit: z and weight may be scaled.
 *
 * Certificate: with v = z - t D'q and u = P_box(v), which minimises the Lagrangian at q,
 *   primal - dual = |x - v|^2 / 2 - |u - v|^2 / 2 + t (R(x) + F*(q) - <D x, q>),
 * a sum over pixels of terms >= 0 in double. Added for rounding: |q_i| <= w_i holds up to 4 eps, and 1/4 eps for each of the nf squares that the
 * kernels add up in pri_real; sums of n terms.
 * Rows run in parallel; each is computed by itself.
 */
#include <float.h>
#include <math.h>
#include <string.h>
#include "par.h"
#include "stencil_steps.h"
#include "tv_term.h"
#include "vec.h"

enum { FIRST_LOOK = 10, LEAST_STRIDE = 4, STEADY = 400, STEPS = 2000 /* where the caller names no limit */ };
static const double FIRST_TAU = 0.4, FALL = 0.2, RELAX = 1.9;

struct run {
  pri_ctx *ctx;
  const pri_stencil_kernels *kernel;
  pri_stencil_step p;
  double curb, floor; /* c / t; least tau */
  double momentum;    /* of FGP */
};

struct task {
  void (*rows)(const pri_stencil_step *p, ptrdiff_t first, ptrdiff_t last);
  const pri_stencil_step *p;
};

static pri_status some_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct task *t = arg;
  (void)worker;
  t->rows(t->p, first, last);
  return PRI_OK;
}

static void over_rows(struct run *r, void (*rows)(const pri_stencil_step *, ptrdiff_t, ptrdiff_t), ptrdiff_t n) {
  (void)pri_par_for(r->ctx, n, pri_stencil_grain(r->p.s), some_rows, &(struct task){rows, &r->p});
}

static void step(struct run *r, long k, double relax) {
  pri_stencil_step *p = &r->p;
  const double falling = FIRST_TAU / (1 + FALL * (double)(k < STEADY ? k : STEADY));
  p->tau = falling > r->floor ? falling : r->floor;
  p->relax = relax;
  const double sigma = 1 / (p->tau * pri_stencil_norm2(p->s));
  p->sigma = sigma / p->scale;
  p->keep = 1 / (1 + sigma * r->curb);
  over_rows(r, r->kernel->primal, p->s->nc * p->s->nz * p->s->ny);
  over_rows(r, r->kernel->dual, p->s->nz * p->s->ny);
}

/* FGP. keep (r + s' D u) = (1 - s c) r + s D u */
static void fgp_step(struct run *r) {
  pri_stencil_step *p = &r->p;
  const double t = r->momentum, next = (1 + sqrt(1 + 4 * t * t)) / 2, s = 1 / (p->scale * (pri_stencil_norm2(p->s) + r->curb));
  p->keep = 1 - s * p->scale * r->curb;
  p->sigma = s / p->keep;
  p->beta = (t - 1) / next;
  r->momentum = next;
  over_rows(r, r->kernel->primal, p->s->nc * p->s->nz * p->s->ny);
  over_rows(r, r->kernel->dual, p->s->nz * p->s->ny);
}

/* relative gap of (x, q) */
static double gap_of(struct run *r) {
  const double unit = sizeof(pri_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
  const ptrdiff_t rows = r->p.s->nz * r->p.s->ny;
  double gap = 0, primal = 0;
  over_rows(r, r->kernel->gap, rows);
  for (ptrdiff_t i = 0; i < rows; i++) gap += r->p.sum[2 * i], primal += r->p.sum[2 * i + 1];
  gap = (gap > 0 ? gap : 0) + ((4 + (double)r->p.s->nf / 4) * unit + 4 * (double)r->p.s->n * DBL_EPSILON) * primal;
  return gap / (primal > DBL_MIN ? primal : DBL_MIN);
}

/* the last field of an axis belongs to no difference */
static void clear_ends(const pri_stencil *s, pri_real *q) {
  const ptrdiff_t plane = s->ny * s->nx;
  for (ptrdiff_t c = 0; c < s->nc; c++) {
    pri_real *f = q + c * s->pixels;
    if (s->nd > 2) {
      memset(f + (s->nz - 1) * plane, 0, (size_t)plane * sizeof *f);
      f += s->n;
    }
    if (s->nd > 1) {
      for (ptrdiff_t z = 0; z < s->nz; z++) memset(f + z * plane + (s->ny - 1) * s->nx, 0, (size_t)s->nx * sizeof *f);
      f += s->n;
    }
    for (ptrdiff_t row = 1; row <= s->nz * s->ny; row++) f[row * s->nx - 1] = 0;
  }
}

/* x = P_box(z - t D'q) */
static void least(struct run *r) {
  pri_stencil_step *p = &r->p;
  const ptrdiff_t n = p->s->n;
  pri_fill(r->ctx, p->x, 0, n);
  pri_stencil_adjoint(r->ctx, p->s, p->x, p->q, 1);
  pri_axpby(r->ctx, p->x, 1, p->z, -p->scale, n);
  pri_clip(r->ctx, p->x, (double)p->lo, (double)p->hi, n);
}

static void begin(struct run *r, const tv_term *t, int warm) {
  pri_stencil_step *p = &r->p;
  if (!warm) memset(p->q, 0, (size_t)(t->s.nd * t->s.n) * sizeof *p->q);
  else {
    pri_tv_dual_prox(r->ctx, t, p->q, 0, NULL, 1); /* a warm start from another weight */
    clear_ends(&t->s, p->q);
  }
}

/* steps to the next look: where an exponential through the last two gaps meets the goal */
static long stride(double before, double gap, long since, double goal) {
  const double rate = log(before / gap) / (double)since, left = rate > 0 ? ceil(log(gap / goal) / rate) : 20;
  return left < LEAST_STRIDE ? LEAST_STRIDE : left > 20 ? 20 : (long)left;
}

static pri_prox_cert go_fgp(struct run *r, long most) {
  pri_stencil_step *p = &r->p;
  pri_copy(r->ctx, p->r, p->q, p->s->nd * p->s->n);
  for (long k = 0; k < most; k++) fgp_step(r);
  least(r);
  return (pri_prox_cert){{INFINITY, PRI_PROVEN}, most};
}

/* until the gap is tol or `most` steps are made; a step that is looked at, or the last one, is not relaxed: (x, q) = (x~, q~) */
static pri_prox_cert go(struct run *r, double tol, long most, long done) {
  double gap = INFINITY;
  long k = 0, look = FIRST_LOOK, seen = 0;
  while (k < most && !(gap <= tol)) {
    const int looks = k + 1 >= look;
    step(r, done + k, looks || k + 1 == most ? 1 : RELAX);
    k++;
    if (!looks) continue;
    const double before = gap;
    gap = gap_of(r);
    look = k + (isfinite(before) ? stride(before, gap, k - seen, tol) : FIRST_LOOK);
    seen = k;
  }
  return (pri_prox_cert){{gap, PRI_PROVEN}, k};
}

size_t pri_tv_prox_scratch(const tv_term *t) {
  return (size_t)(2 * t->s.nz * t->s.ny) * sizeof(double) + (size_t)((2 + 2 * t->s.nd) * t->s.n) * sizeof(pri_real);
}

void pri_tv_prox(pri_ctx *ctx, const tv_term *t, pri_real *p, const pri_real *z, double lo, double hi, const pri_prox_req *req,
                 pri_prox_cert *cert, pri_real *q, void *scratch) {
  const ptrdiff_t n = t->s.n, fields = t->s.nd * n;
  const long most = req->max_inner > 0 ? req->max_inner : STEPS;
  double *sum = scratch;
  pri_real *x = (pri_real *)(void *)(sum + 2 * t->s.nz * t->s.ny), *r = x + 2 * n;
  const double curb = t->weight > 0 ? pri_tv_curb(t, t->weight) / req->tau : 0;
  struct run run = {.ctx = ctx, .kernel = pri_stencil_kernels_best(), .curb = curb, .floor = sqrt(curb / pri_stencil_norm2(&t->s)), .momentum = 1};
  run.p = (pri_stencil_step){.s = &t->s, .z = z, .map = t->map, .x = x, .ahead = x + n, .q = q ? q : r + fields, .r = req->tol > 0 ? NULL : r, .lo = (pri_real)lo,
                             .hi = (pri_real)hi, .scale = req->tau, .weight = t->weight, .delta = t->weight > 0 ? t->delta : 0, .sum = sum};
  begin(&run, t, q != NULL);
  if (q && req->done > 0) {
    pri_copy(ctx, x, p, n);
    pri_clip(ctx, x, lo, hi, n);
  } else if (!run.p.r) least(&run);
  const pri_prox_cert made = run.p.r ? go_fgp(&run, most) : go(&run, req->tol, most, req->done);
  pri_copy(ctx, p, x, n);
  if (!cert) return;
  *cert = made;
  if (isinf(made.gap.value)) cert->gap.value = gap_of(&run);
}
