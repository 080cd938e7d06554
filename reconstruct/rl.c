/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rl.c - Richardson-Lucy: maximum likelihood of photon counts y with mean A x + b, for any nonnegative operator, without dividing by it.
 *
 *   x_(k+1) = p_k A'(m y / (A p_k + b)) / (c + tv D'(D p_k / |D p_k|)),   c = A'm
 *   accelerate=none         p_k = x_k
 *   accelerate=heavy-ball   p_k = max(x_k + a_k (x_k - x_(k-1)), x_k / 10),   a_k = (k - 1) / (k + 2)
 *
 *   m  weights of the data (0 masks), 1 without; b background. The quotient is taken by the data term's own gradient, f' = m - m y / t: A'(m y / t) = c - A'f'.
 *   c  is 1 inside of a blur with periodic borders, and falls off outside of the field of view of border=unknown (Bertero, Boccacci 2005).
 *      Pixels with c < 1/100 of its maximum are hardly seen: they are left at 0, and not divided by.
 *   tv weight of the total variation (Dey 2006), |.| smoothed by 1e-3 of the start; the divisor stays above c / 10.
 *
 * Plain RL makes f(A x) fall in every step (Shepp, Vardi 1982) and keeps <c, x> = sum m y where b = 0. Guard of the heavy ball: f(A p_k) (+ tv) is
 * not let grow: where it does, the item goes back to p_k = x_k, which costs one application, and its momentum starts anew at k = 1. With
 * f(A x_(k+1)) <= f(A p_k), the I-divergence of x_(k+1) stays below a sequence that falls. With tv > 0 neither is proven: the prior's slope enters
 * explicitly, and late steps waver about the minimum, which is the fixed point.
 * A p is not let below 4 epsilon max(y), which is what a Fourier transform rounds it by: a count where it came out as 0 would be divided by it.
 * Start: the constant with the counts of the data. The clipping at 1/10 of x_k keeps p positive; the paper clips at a small constant.
 * Source: Richardson 1972; Lucy 1974; Wang, Miller 2014 (scaled heavy ball).
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "priori/kind.h"
#include "rl_pass.h"
#include "rl_tv.h"
#include "split.h"
#include "vec.h"

static const double SEEN = 0.01, SMOOTH = 1e-3, FLOOR = 4 * (sizeof(pri_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON);
enum { PLAIN, HEAVY_BALL };

struct item {
  double last;     /* f(A p) + tv R(p) of the last step; INFINITY: none */
  double beta;     /* smoothing of the total variation */
  double data, tv; /* f(A p), tv R(p) of this step */
  double floor;    /* of A p */
  long k;          /* steps since the momentum began */
};

struct rl {
  int accelerate;
  double tv, background;
  pri_split s;
  pri_fidelity *own;              /* kl over the data of least squares */
  const pri_fidelity_class *f;
  const void *fp;
  int weighted;                   /* c differs between items */
  pri_array x, p, g, z, c;        /* p: heavy ball only; c: 1 / c */
  pri_rl_tv prior;
  struct item *item;
  double *part;
};

static const char *misfit(const pri_problem *p) {
  const void *priv;
  const char *name = pri_fidelity_class_of(p->f, &priv)->kind.name;
  if (strcmp(name, "kl") && strcmp(name, "ls") && strcmp(name, "wls")) return "it maximises the likelihood of counts: kl, or ls and wls to stand for it";
  return pri_split_misfit(p, "rl", PRI_NEEDS_NO_PRIOR | PRI_NEEDS_NONNEGATIVE);
}

/* ---- making */

static pri_status choose_fidelity(pri_ctx *ctx, struct rl *r, const pri_problem *p) {
  char spec[64];
  r->f = r->s.f, r->fp = r->s.fp;
  r->weighted = pri_fidelity_weight(p->f) != NULL && strcmp(r->s.f->kind.name, "ls");
  if (!strcmp(r->s.f->kind.name, "kl")) {
    if (r->background > 0) pri_log(ctx, PRI_LOG_WARN, "rl: background=%g is not used: the data term is kl, and has its own", r->background);
    r->background = 0;
    return PRI_OK;
  }
  snprintf(spec, sizeof spec, "kl:background=%.17g", r->background);
  PRI_TRY(pri_fidelity_create(ctx, &r->own, spec, r->s.y, r->weighted ? pri_fidelity_weight(p->f) : NULL));
  r->f = pri_fidelity_class_of(r->own, &r->fp);
  return PRI_OK;
}

/* c = A'm of one item, turned into 1 / c; *total = sum of the c that count */
static pri_status invert(pri_ctx *ctx, struct rl *r, const pri_problem *p, ptrdiff_t i, double *total) {
  const ptrdiff_t n = r->s.n, m = r->s.m, at = r->weighted ? i : 0;
  pri_real *z = pri_array_item(&r->z, at), *c = pri_array_item(&r->c, at);
  if (r->weighted) pri_copy(ctx, z, pri_array_item(pri_fidelity_weight(p->f), i), m);
  else pri_fill(ctx, z, 1, m);
  PRI_TRY(pri_split_adjoint(&r->s, r->c.data, r->z.data, at, 1));
  const double most = pri_vmax(c, n), least = SEEN * most;
  if (!(most > 0)) return PRI_FAIL(ctx, PRI_EGEOMETRY, "rl: the operator sees no pixel of the image");
  *total = 0;
  for (ptrdiff_t j = 0; j < n; j++) {
    const double v = (double)c[j];
    if (v >= least) *total += v;
    c[j] = v >= least ? (pri_real)(1 / v) : 0;
  }
  return PRI_OK;
}

/* x_0: the constant whose data have the counts of the data less the background, where none is given */
static void start(pri_ctx *ctx, struct rl *r, const pri_problem *p, ptrdiff_t i, double total, int given) {
  const pri_real *y = pri_array_item(r->s.y, i), *w = r->weighted ? pri_array_item(pri_fidelity_weight(p->f), i) : NULL;
  const pri_real *c = pri_array_item(&r->c, r->weighted ? i : 0);
  const double lo = fmax(p->lo[i], 0), hi = p->hi[i];
  pri_real *x = pri_array_item(&r->x, i);
  const double counts = w ? pri_dot(ctx, y, w, r->s.m) : pri_vsum(ctx, y, r->s.m), data = w ? pri_vsum(ctx, w, r->s.m) : (double)r->s.m;
  const double level = fmax(counts - r->background * data, 1e-3 * counts) / total;
  for (ptrdiff_t j = 0; j < r->s.n; j++) {
    double v = given ? fmax((double)x[j], 1e-3 * level) : level;
    v = v < lo ? lo : v > hi ? hi : v;
    x[j] = c[j] > 0 ? (pri_real)v : 0;
  }
  if (r->p.data) pri_copy(ctx, pri_array_item(&r->p, i), x, r->s.n);
  r->item[i] = (struct item){.last = INFINITY, .beta = SMOOTH * level, .floor = FLOOR * fmax(pri_vmax(y, r->s.m), 0)};
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct rl *r = priv;
  double total = 0;
  PRI_TRY(pri_split_init(ctx, &r->s, p, 0));
  PRI_TRY(choose_fidelity(ctx, r, p));
  PRI_TRY(pri_split_start(ctx, &r->s, &r->x, x0));
  PRI_TRY(pri_array_create(ctx, &r->g, &r->s.dom, r->s.items));
  PRI_TRY(pri_array_create(ctx, &r->z, &r->s.ran, r->s.items));
  PRI_TRY(pri_array_create(ctx, &r->c, &r->s.dom, r->weighted ? r->s.items : 1));
  if (r->accelerate == HEAVY_BALL) PRI_TRY(pri_array_create(ctx, &r->p, &r->s.dom, r->s.items));
  if (r->tv > 0) PRI_TRY(pri_rl_tv_init(ctx, &r->prior, &r->s.dom));
  PRI_ALLOC(ctx, r->item, r->s.items);
  PRI_ALLOC(ctx, r->part, 2 * pri_rl_blocks(r->s.n));
  for (ptrdiff_t i = 0; i < r->s.items; i++) {
    if (i == 0 || r->weighted) PRI_TRY(invert(ctx, r, p, i, &total));
    start(ctx, r, p, i, total, x0 != NULL && pri_vmax(pri_array_item(x0, i), r->s.n) > 0);
  }
  return PRI_OK;
}

/* ---- one step */

static void lift(pri_ctx *ctx, struct rl *r, ptrdiff_t i) { pri_clip(ctx, pri_array_item(&r->z, i), r->item[i].floor, INFINITY, r->s.m); }

/* f(A p) and tv R(p) of one item, from z = A p; the prior's slope stays in r->prior.t */
static pri_status evaluate(pri_ctx *ctx, struct rl *r, const pri_real *p, ptrdiff_t i) {
  struct item *it = &r->item[i];
  double tv = 0;
  PRI_TRY(r->f->value(ctx, r->fp, &it->data, pri_array_item(&r->z, i), i, 1));
  if (r->tv > 0) pri_rl_tv_slope(ctx, &r->prior, p, it->beta, &tv);
  it->tv = r->tv * tv;
  return PRI_OK;
}

/* The heavy ball's guard: back to x where f(A p) + tv R(p) has grown */
static pri_status guard(pri_ctx *ctx, struct rl *r, ptrdiff_t i, pri_report *rep) {
  struct item *it = &r->item[i];
  pri_real *p = pri_array_item(&r->p, i);
  PRI_TRY(evaluate(ctx, r, p, i));
  if (it->k > 1 && !(it->data + it->tv <= it->last)) {
    pri_copy(ctx, p, pri_array_item(&r->x, i), r->s.n);
    PRI_TRY(pri_split_apply(&r->s, r->z.data, r->p.data, i, 1));
    lift(ctx, r, i);
    PRI_TRY(evaluate(ctx, r, p, i));
    it->k = 0;
    rep->applies += 1;
  }
  it->last = it->data + it->tv;
  return PRI_OK;
}

static void update(pri_ctx *ctx, struct rl *r, ptrdiff_t i, pri_report *rep) {
  struct item *it = &r->item[i];
  pri_real *x = pri_array_item(&r->x, i);
  it->k++;
  const pri_rl_pass pass = {.n = r->s.n, .x = x, .p = r->p.data ? pri_array_item(&r->p, i) : x, .g = pri_array_item(&r->g, i),
                            .w = pri_array_item(&r->c, r->weighted ? i : 0), .t = r->tv > 0 ? r->prior.t.data : NULL, .tv = r->tv,
                            .lo = fmax(r->s.problem->lo[i], 0), .hi = r->s.problem->hi[i], .alpha = (double)(it->k - 1) / (double)(it->k + 2), .part = r->part};
  rep->change = pri_rl_update(ctx, &pass);
  rep->step = r->p.data ? pass.alpha : 0;
  rep->applies += 1;
  rep->adjoints += 1;
}

/* items of one application: one where the prior's slope is kept from evaluate() to update() */
static pri_status some_items(pri_ctx *ctx, struct rl *r, ptrdiff_t first, ptrdiff_t items, pri_report *rep) {
  const pri_array *p = r->p.data ? &r->p : &r->x;
  pri_real *z = pri_array_item(&r->z, first);
  double tv;
  PRI_TRY(pri_split_apply(&r->s, r->z.data, p->data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    lift(ctx, r, i);
    if (r->p.data) PRI_TRY(guard(ctx, r, i, &rep[i - first]));
    else if (r->tv > 0) pri_rl_tv_slope(ctx, &r->prior, pri_array_item(p, i), r->item[i].beta, &tv);
  }
  PRI_TRY(r->f->grad(ctx, r->fp, z, z, first, items));
  PRI_TRY(pri_split_adjoint(&r->s, r->g.data, r->z.data, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) update(ctx, r, i, &rep[i - first]);
  return PRI_OK;
}

/* the I-divergence of x, which the step has not seen yet: one application more */
static pri_status report(pri_ctx *ctx, struct rl *r, ptrdiff_t i, pri_report *rep) {
  struct item keep = r->item[i];
  PRI_TRY(pri_split_apply(&r->s, r->z.data, r->x.data, i, 1));
  lift(ctx, r, i);
  PRI_TRY(evaluate(ctx, r, pri_array_item(&r->x, i), i));
  rep->certifying += 1;
  rep->data = r->item[i].data, rep->prior = r->item[i].tv;
  rep->objective = rep->data + rep->prior;
  r->item[i] = keep;
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct rl *r = priv;
  const ptrdiff_t group = r->tv > 0 ? 1 : items;
  for (ptrdiff_t i = first; i < first + items; i += group) PRI_TRY(some_items(ctx, r, i, group, per_item + (i - first)));
  for (ptrdiff_t i = first; (want & PRI_WANT_OBJECTIVE) && i < first + items; i++) PRI_TRY(report(ctx, r, i, &per_item[i - first]));
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct rl *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct rl *r = priv;
  (void)ctx;
  PRI_TRY(pri_walk_array(w, "x", &r->x));
  PRI_TRY(pri_walk_array(w, "p", &r->p));
  return pri_walk_bytes(w, "momentum", r->item, (size_t)r->s.items * sizeof *r->item);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct rl *r = priv;
  pri_array *const arrays[] = {&r->x, &r->p, &r->g, &r->z, &r->c};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_rl_tv_fini(ctx, &r->prior);
  pri_fidelity_destroy(&r->own);
  pri_free(ctx, r->item);
  pri_free(ctx, r->part);
  pri_split_fini(ctx, &r->s);
}

static const char *const accelerations[] = {"none", "heavy-ball", NULL};
static const pri_param params[] = {
    {.name = "accelerate", .unit = "-", .help = "heavy-ball: extrapolates, and falls back to plain steps where the divergence would grow; about five times fewer steps", .type = PRI_CHOICE,
     .offset = offsetof(struct rl, accelerate), .choices = accelerations, .def = PLAIN},
    {.name = "tv", .unit = "1", .help = "weight of the total variation; 0.002 to 0.02 for images in counts", .type = PRI_REAL, .offset = offsetof(struct rl, tv), .min = 0, .max = 1e6},
    {.name = "background", .unit = "1", .help = "counts of the detector without the object, in the unit of the data (with --fidelity kl: that one's key)", .type = PRI_REAL,
     .offset = offsetof(struct rl, background), .min = 0, .max = 1e30},
    {0}};
static const char *const examples[] = {"", "accelerate=heavy-ball", "heavy-ball,tv=0.01", "tv=0.005,background=0.1", NULL};
const pri_solver_class pri_solver_rl = {
    .kind = {"rl", "Richardson-Lucy for photon counts: plain, accelerated, with total variation", "Richardson 1972; Lucy 1974; Wang, Miller 2014; Dey et al. 2006",
             sizeof(struct rl), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
