/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pdhg.c - primal-dual hybrid gradients (Chambolle-Pock) with balanced blocks, over-relaxed, with one primal weight an item.
 *
 *   nu_r = |A| / |K_r|,   L = sqrt(|A|^2 + sum_r nu_r^2 |K_r|^2),   tau = 0.99 rho / L,   sigma = 0.99 / (rho L)
 *   g     = A'p + sum_r K_r'q_r
 *   x~    = P_box(x - tau g),                                       z~ = A x~
 *   p~    = prox_{sigma f*}( p + sigma (2 z~ - z) ),                z = A x
 *   q~_r  = prox_{sigma nu_r^2 F_r*}( q_r + sigma nu_r^2 K_r (2 x~ - x) )
 *   (x, z, p, q) += relax ((x~, z~, p~, q~) - (x, z, p, q))
 *
 * Shown and certified is (x~, p~, q~), which is in the box and in the domain of f* and F_r*. q is the true dual (spec rising_ct 4.5
 * has q / nu). One application and one adjoint a step; A x comes along, so that objective and residual cost nothing more.
 *
 * Weight. rho starts where tau = 15 / (L_f |A|^2), and is moved towards |x - x_a| / |(p, q / nu) - (p_a, q_a / nu)|, a the point of the
 * last such update, by half in the logarithm, after 10, 25, 47, 80 and 130 steps (windows that grow by 1.5). Later updates are left
 * out: near the minimum the ratio says how far each side happens to be, and following it drives rho to 0 (measured). Source of the
 * ratio: Applegate et al. 2021 (PDLP), sec. 3.3; there at restarts. It has the scaling of spec 4.8: (y, x) -> s leaves it, A -> a A divides it by a.
 * Raise. Once the image has settled it is the gap that lags: A'p + K'q = (x - x~) / tau is what the box makes dear. After 400 steps rho is raised to
 * 16 times that ratio over the last 100, by no more than 4. Steps to a gap of 1e-4, deblurring 256^2: tgv 1622 -> 770, more than 2000 -> 1235,
 * wavelet 1806 -> 817; where the ratio is low (heavy weights) the image lags, and raising by 4 would cost a tenth.
 * Warm start: see warm.h.
 * Source: Chambolle, Pock 2011, alg. 1; over-relaxation: Condat 2013; Chambolle, Pock 2016, sec. 4.1.
 */
#include <math.h>
#include "saddle.h"
#include "vec.h"
#include "warm.h"

static const double MARGIN = 0.99;     /* of tau sigma L^2 < 1, spec 4.5 */
static const double FIRST_TAU = 15;    /* times 1 / (L_f |A|^2): measured on COULE-like phantoms; the windows correct it */
static const double MAX_MOVE = 100;    /* factor on rho in one update */
static const double WINDOW_GROWTH = 1.5;
static const double BIAS = 0.7;        /* of the ratio of distances: the best rho was 0.4 to 0.9 times it where it was searched for */
static const double RAISE = 16, MAX_RAISE = 4;
enum { FIRST_WINDOW = 10, LAST_UPDATE = 150, LAST_BLIND_UPDATE = 1500, RAISED_SINCE = 300, RAISED_AT = 400 };

struct pace { /* of one item */
  double rho, window;
  long k, next; /* steps; step of the next update */
};

struct pdhg {
  double rho, relax;
  long warm;
  pri_split s;
  pri_point v, c, g, anchor;    /* working point; candidate ~; A'p + K'q (x, w) and K (2 x~ - x) (q); at the last update of rho */
  double L, *nu2;               /* [nR] nu_r^2 */
  struct pace *pace;            /* [items] */
  pri_warm start;
};

static const char *misfit(const pri_problem *p) { return pri_split_misfit(p, "pdhg", PRI_NEEDS_SADDLE); }

static double tau_of(const struct pdhg *h, ptrdiff_t i) { return MARGIN * h->pace[i].rho / h->L; }
static double sigma_of(const struct pdhg *h, ptrdiff_t i) { return MARGIN / (h->pace[i].rho * h->L); }

static pri_status init_steps(pri_ctx *ctx, struct pdhg *h) {
  double sum = h->s.norm * h->s.norm;
  PRI_ALLOC(ctx, h->nu2, h->s.nR);
  for (int r = 0; r < h->s.nR; r++) {
    const double nu = h->s.norm / h->s.R[r].norm;
    h->nu2[r] = nu * nu;
    sum += h->s.norm * h->s.norm;  /* nu_r^2 |K_r|^2 */
  }
  h->L = sqrt(sum);
  PRI_ALLOC(ctx, h->pace, h->s.items);
  for (ptrdiff_t i = 0; i < h->s.items; i++) {
    const double first = FIRST_TAU / (h->s.curvature[i] * h->s.norm * h->s.norm) * h->L / MARGIN;
    h->pace[i] = (struct pace){.rho = isnan(h->rho) ? first : h->rho, .window = FIRST_WINDOW, .next = FIRST_WINDOW};
  }
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct pdhg *h = priv;
  pri_array x = {0};
  PRI_TRY(pri_split_init(ctx, &h->s, p, PRI_NEEDS_NORM | PRI_NEEDS_SADDLE));
  PRI_TRY(init_steps(ctx, h));
  PRI_TRY(pri_point_init(ctx, &h->v, &h->s, PRI_POINT_ALL));
  PRI_TRY(pri_point_init(ctx, &h->c, &h->s, PRI_POINT_ALL));
  PRI_TRY(pri_point_init(ctx, &h->g, &h->s, PRI_POINT_X | PRI_POINT_Q | PRI_POINT_W));
  if (isnan(h->rho)) PRI_TRY(pri_point_init(ctx, &h->anchor, &h->s, PRI_POINT_X | PRI_POINT_P | PRI_POINT_Q));
  PRI_TRY(pri_split_start(ctx, &h->s, &x, x0));
  pri_copy(ctx, h->c.x.data, x.data, h->s.n * h->s.items);
  pri_array_destroy(&x);
  return pri_warm_init(ctx, &h->start, "pdhg", h->warm, &h->s, x0);
}

/* ---- one step */

/* to = v - a g for one item */
static void descend(pri_ctx *ctx, pri_array *to, const pri_array *v, double a, const pri_array *g, ptrdiff_t n, ptrdiff_t i) {
  pri_copy(ctx, pri_array_item(to, i), pri_array_item(v, i), n);
  pri_axpy(ctx, pri_array_item(to, i), -a, pri_array_item(g, i), n);
}

static pri_status primal(pri_ctx *ctx, struct pdhg *h, ptrdiff_t first, ptrdiff_t items) {
  PRI_TRY(pri_point_adjoint(ctx, &h->g, &h->v, &h->s, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    const double tau = tau_of(h, i);
    descend(ctx, &h->c.x, &h->v.x, tau, &h->g.x, h->s.n, i);
    pri_clip(ctx, pri_array_item(&h->c.x, i), h->s.problem->lo[i], h->s.problem->hi[i], h->s.n); /* x~ */
    for (int r = 0; r < h->s.nR; r++)
      if (h->s.R[r].nw) descend(ctx, &h->c.w[r], &h->v.w[r], tau, &h->g.w[r], h->s.R[r].nw, i);
  }
  return pri_split_apply(&h->s, h->c.z.data, h->c.x.data, first, items); /* z~ */
}

/* to = v + sigma e; then the prox in place. e is 2 z~ - z and K (2 x~ - x) */
static pri_status dual_data(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i) {
  const double sigma = sigma_of(h, i);
  pri_real *p = pri_array_item(&h->c.p, i);
  pri_copy(ctx, p, pri_array_item(&h->v.p, i), h->s.m);
  pri_axpy(ctx, p, 2 * sigma, pri_array_item(&h->c.z, i), h->s.m);
  pri_axpy(ctx, p, -sigma, pri_array_item(&h->v.z, i), h->s.m);
  return h->s.f->dual_prox(ctx, h->s.fp, p, sigma, NULL, i, 1); /* p~ */
}

static pri_status dual_prior(pri_ctx *ctx, struct pdhg *h, int r, ptrdiff_t first, ptrdiff_t items) {
  const pri_block *b = &h->s.R[r];
  const pri_saddle *s = b->cls->saddle;
  pri_real *ahead = pri_array_item(&h->g.x, first), *w = b->nw ? pri_array_item(&h->g.w[r], first) : NULL;
  if (w) {
    pri_copy(ctx, w, pri_array_item(&h->c.w[r], first), b->nw * items);
    pri_axpby(ctx, w, -1, pri_array_item(&h->v.w[r], first), 2, b->nw * items);
  }
  PRI_TRY(s->k(ctx, b->priv, pri_array_item(&h->g.q[r], first), ahead, w, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    const double sigma = sigma_of(h, i) * h->nu2[r];
    pri_real *q = pri_array_item(&h->c.q[r], i);
    pri_copy(ctx, q, pri_array_item(&h->v.q[r], i), b->nq);
    pri_axpy(ctx, q, sigma, pri_array_item(&h->g.q[r], i), b->nq);
    PRI_TRY(s->dual_prox(ctx, b->priv, q, sigma, NULL, 1)); /* q~ */
  }
  return PRI_OK;
}

static pri_status dual(pri_ctx *ctx, struct pdhg *h, ptrdiff_t first, ptrdiff_t items) {
  pri_real *ahead = pri_array_item(&h->g.x, first);
  for (ptrdiff_t i = first; i < first + items; i++) PRI_TRY(dual_data(ctx, h, i));
  pri_copy(ctx, ahead, pri_array_item(&h->c.x, first), h->s.n * items);
  pri_axpby(ctx, ahead, -1, pri_array_item(&h->v.x, first), 2, h->s.n * items); /* 2 x~ - x */
  for (int r = 0; r < h->s.nR; r++) PRI_TRY(dual_prior(ctx, h, r, first, items));
  return PRI_OK;
}

/* a data term without curvature (ball) gives no scale to start from: rho is sought for longer */
static int is_blind(const struct pdhg *h) { return !h->s.f->lipschitz; }

/* |x - x_a| / |(p, q / nu) - (p_a, q_a / nu)| */
static double moved(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i) {
  double dual = pri_dist2sq(ctx, pri_array_item(&h->v.p, i), pri_array_item(&h->anchor.p, i), h->s.m);
  for (int r = 0; r < h->s.nR; r++)
    dual += pri_dist2sq(ctx, pri_array_item(&h->v.q[r], i), pri_array_item(&h->anchor.q[r], i), h->s.R[r].nq) / h->nu2[r];
  return sqrt(pri_dist2sq(ctx, pri_array_item(&h->v.x, i), pri_array_item(&h->anchor.x, i), h->s.n) / dual);
}

static void balance(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i) {
  struct pace *p = &h->pace[i];
  const double factor = sqrt(BIAS * moved(ctx, h, i) / p->rho); /* half way in the logarithm */
  if (factor > 0 && isfinite(factor)) p->rho *= fmin(fmax(factor, 1 / MAX_MOVE), MAX_MOVE);
  p->window *= WINDOW_GROWTH;
  p->next = p->k + (long)p->window;
}

static void raise_pace(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i) {
  const double factor = RAISE * moved(ctx, h, i) / h->pace[i].rho;
  if (factor > 1) h->pace[i].rho *= fmin(factor, MAX_RAISE);
}

static void set_pace(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i) {
  struct pace *p = &h->pace[i];
  const int due = ++p->k >= p->next && p->k <= (is_blind(h) ? LAST_BLIND_UPDATE : LAST_UPDATE);
  if (!h->anchor.x.data) return;
  if (due) balance(ctx, h, i);
  if (p->k == RAISED_AT && !is_blind(h)) raise_pace(ctx, h, i);
  if (due || p->k == RAISED_SINCE) pri_point_copy(ctx, &h->anchor, &h->v, &h->s, i);
}

/* F(K(x~, w~)), not below R(x~) */
static pri_status aux_value(pri_ctx *ctx, struct pdhg *h, int r, ptrdiff_t i, double *value) {
  const pri_block *b = &h->s.R[r];
  pri_real *kxw = pri_array_item(&h->g.q[r], i);
  PRI_TRY(b->cls->saddle->k(ctx, b->priv, kxw, pri_array_item(&h->c.x, i), pri_array_item(&h->c.w[r], i), 1));
  return b->cls->saddle->value(ctx, b->priv, value, kxw, 1);
}

static pri_status figures(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i, unsigned want, pri_report *rep) {
  const pri_real *x = pri_array_item(&h->c.x, i), *z = pri_array_item(&h->c.z, i);
  if (want & PRI_WANT_RESIDUAL) rep->residual = sqrt(pri_dist2sq(ctx, z, pri_array_item(h->s.y, i), h->s.m));
  if (!(want & PRI_WANT_OBJECTIVE)) return PRI_OK;
  double prior = 0;
  for (int r = 0; r < h->s.nR; r++) {
    const pri_block *b = &h->s.R[r];
    double one = NAN;
    if (b->nw) PRI_TRY(aux_value(ctx, h, r, i, &one));
    else if (b->cls->variational && b->cls->variational->value) PRI_TRY(b->cls->variational->value(ctx, b->priv, &one, x, 1, h->s.scratch));
    prior += one;
  }
  PRI_TRY(h->s.f->value(ctx, h->s.fp, &rep->data, z, i, 1));
  rep->prior = prior;
  rep->objective = rep->data + prior;
  return PRI_OK;
}

static pri_status begin(pri_ctx *ctx, struct pdhg *h, ptrdiff_t i, pri_report *rep) {
  PRI_TRY(pri_warm_finish(ctx, &h->start, &h->c, &h->s, i, rep));
  pri_point_copy(ctx, &h->v, &h->c, &h->s, i);
  if (h->anchor.x.data) pri_point_copy(ctx, &h->anchor, &h->v, &h->s, i);
  return PRI_OK;
}

static pri_status iterate_some(pri_ctx *ctx, struct pdhg *h, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  for (ptrdiff_t i = first; i < first + items; i++)
    if (h->pace[i].k == 0) PRI_TRY(begin(ctx, h, i, &per_item[i - first]));
  PRI_TRY(primal(ctx, h, first, items));
  PRI_TRY(dual(ctx, h, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_report *rep = &per_item[i - first];
    rep->change = pri_change(ctx, pri_array_item(&h->v.x, i), pri_array_item(&h->c.x, i), h->s.n);
    rep->step = tau_of(h, i);
    rep->applies += 1;
    rep->adjoints += 1;
    pri_point_towards(ctx, &h->v, h->relax, &h->c, &h->s, i);
    set_pace(ctx, h, i);
    PRI_TRY(figures(ctx, h, i, want, rep));
  }
  return PRI_OK;
}

/* items that are in the same phase go together */
static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct pdhg *h = priv;
  for (ptrdiff_t i = first, end; i < first + items; i = end) {
    const int warming = pri_warm_is_on(&h->start, i);
    pri_report *rep = per_item + (i - first);
    for (end = i + 1; end < first + items && pri_warm_is_on(&h->start, end) == warming; end++) continue;
    if (warming) PRI_TRY(pri_warm_step(ctx, &h->start, &h->c, &h->s, i, end - i, want, rep));
    else PRI_TRY(iterate_some(ctx, h, i, end - i, want, rep));
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct pdhg *)priv)->c.x; }

static pri_status duals(const void *priv, pri_duals *d) {
  const struct pdhg *h = priv;
  *d = (pri_duals){.p = &h->c.p, .q = h->c.q, .aux = h->c.w};
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct pdhg *h = priv;
  PRI_TRY(pri_point_walk(w, &h->v, &h->s));
  PRI_TRY(pri_point_walk(w, &h->c, &h->s));
  if (h->anchor.x.data) PRI_TRY(pri_point_walk(w, &h->anchor, &h->s));
  PRI_TRY(pri_walk_bytes(w, "pace", h->pace, (size_t)h->s.items * sizeof *h->pace));
  return pri_warm_walk(ctx, &h->start, &h->s, w);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct pdhg *h = priv;
  pri_warm_fini(ctx, &h->start);
  pri_point_fini(ctx, &h->v, &h->s);
  pri_point_fini(ctx, &h->c, &h->s);
  pri_point_fini(ctx, &h->g, &h->s);
  pri_point_fini(ctx, &h->anchor, &h->s);
  pri_free(ctx, h->nu2);
  pri_free(ctx, h->pace);
  pri_split_fini(ctx, &h->s);
}

static const pri_param params[] = {
    {.name = "rho", .unit = "1", .help = "primal weight: tau = 0.99 rho / L, sigma = 0.99 / (rho L); auto: found for each item while it runs",
     .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(struct pdhg, rho), .min = 1e-12, .max = 1e12, .def = NAN},
    {.name = "relax", .unit = "1", .help = "over-relaxation; 1: none", .type = PRI_REAL, .offset = offsetof(struct pdhg, relax),
     .min = 0.1, .max = 1.99, .def = 1.9},
    {.name = "warm", .unit = "passes", .help = "passes of os-fista before, where it can take the problem", .type = PRI_INT,
     .offset = offsetof(struct pdhg, warm), .min = 0, .max = 1000, .def = 0},
    {0}};
static const char *const examples[] = {"", "warm=3", "rho=0.1,relax=1", NULL};
const pri_solver_class pri_solver_pdhg = {
    .kind = {"pdhg", "primal-dual hybrid gradients, balanced, over-relaxed; takes any sum of priors with a saddle form", "Chambolle, Pock 2011, alg. 1; Condat 2013; Applegate et al. 2021",
             sizeof(struct pdhg), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit, .duals = duals};
