/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spdhg.c - stochastic primal-dual hybrid gradients: the data dual in M subsets of views, one at a time. One step = one pass: M visits
 * of subsets, with a visit of the priors after every e-th.
 *
 *   subset j:    p+ = prox_{sigma_j f_j*}(p_j + sigma_j A_j x),      dz = A_j'(p+ - p_j),        pi = e / ((e + 1) M)
 *   the priors:  q+ = prox_{sigma_r F_r*}(q_r + sigma_r K_r x),      dz = sum_r K_r'(q+ - q_r),  pi = 1 / (e + 1)
 *   x <- P_box(x - tau (A'p + sum_r K_r'q_r + dz / pi))             after every visit, p and q as they stand then
 *
 *   c = gamma L_f: sigma_j = 0.99 c |A| / |A_j|,  tau = 0.99 min_j pi / (sigma_j |A_j|^2),  sigma_r = b pi / (nR tau |K_r|^2)
 *
 * so that sigma tau |.|^2 < pi for every block, b = 0.99: each as large as that allows (spec rising_ct 4.6 has the same gamma over |K_r| for the
 * priors: a sigma_r hundreds of times smaller, and two to four times the passes, measured). Units do not matter to this gamma; that of the
 * spec is gamma |A|. Subsets are visited in a new random order every pass: a function of seed and pass alone, so that an
 * item has the same bits in any company. Shown and certified: x and the duals as they stand.
 * Source: Chambolle, Ehrhardt, Richtarik, Schonlieb 2018, alg. 1. Deviation: sampling without replacement within a pass, priors
 * in turn with the subsets (the paper draws every block independently).
 */
#include <math.h>
#include <string.h>
#include "par.h"
#include "priori/rng.h"
#include "saddle.h"
#include "subsets.h"
#include "vec.h"
#include "warm.h"

static const double MARGIN = 0.99, NORM_SAFETY = 1.03;
enum { POWER = 6, MIN_VIEWS = 2, MOST = 30, VISITS = 10, GRAIN = 1 << 14 };

struct spdhg {
  double gamma, balance;
  long subsets, every, warm;
  pri_split s;
  pri_subsets sub;
  pri_point v, g;              /* x, p (subset by subset, at pri_subset.at), q, w; dz (x) and K x (q) */
  pri_array z, u, old, part;   /* A'p and sum_r K_r'q_r of the duals as they stand; x before the pass; one subset's data */
  double *sigma, *sigma_prior; /* [M], [nR] for c = 1 */
  double tau;                  /* for c = 1 */
  double *c;                   /* [items] gamma L_f: dual steps grow with it, tau falls */
  long *pass;                  /* [items] */
  int *order;                  /* [M] */
  pri_warm start;
};

static const char *misfit(const pri_problem *p) {
  const char *why = pri_split_misfit(p, "spdhg", PRI_NEEDS_SADDLE | PRI_NEEDS_PARTS);
  for (int r = 0; !why && r < p->nR; r++) {
    pri_shape aux, dual;
    pri_bound norm;
    const void *priv;
    const pri_prior_class *c = pri_prior_class_of(p->R[r], &priv);
    if (c->saddle->shapes(priv, &aux, &dual, &norm) == PRI_OK && aux.nd) return "spdhg cannot use a prior with an auxiliary variable (pdhg can)";
  }
  return why;
}

static long default_subsets(const pri_split *s) {
  const ptrdiff_t views = s->ran.n[0];
  return views < MIN_VIEWS * MOST ? (views + MIN_VIEWS - 1) / MIN_VIEWS : MOST;
}

static double share_of_subset(const struct spdhg *h) { return h->s.nR ? (double)h->every / (double)((h->every + 1) * h->sub.n) : 1.0 / h->sub.n; }
static double share_of_priors(const struct spdhg *h) { return 1.0 / (double)(h->every + 1); }

/*
 * |A_j|: power iteration from the constant image, which is near the singular vector where A >= 0, so that a few steps do: each gives a
 * lower bound sqrt(|A'A x| / |x|), and after POWER of them NORM_SAFETY covers what is missing. Other operators: the usual estimate.
 */
static pri_status subset_norm(pri_ctx *ctx, struct spdhg *h, int j, double *norm) {
  const void *priv;
  const pri_operator_class *c = pri_operator_class_of(h->s.A, &priv);
  pri_real *x = h->g.x.data;
  if (!c->flags || !(c->flags(priv) & PRI_OP_NONNEGATIVE)) {
    *norm = pri_safe_norm(pri_operator_norm(h->sub.s[j].A));
    return PRI_OK;
  }
  pri_fill(ctx, x, 1 / sqrt((double)h->s.n), h->s.n);
  *norm = 0;
  for (int k = 0; k < POWER; k++) {
    PRI_TRY(pri_subset_apply(&h->s, &h->sub.s[j], h->part.data, x, 0, 1));
    PRI_TRY(pri_subset_adjoint(&h->s, &h->sub.s[j], x, h->part.data, 0, 1));
    const double size = sqrt(pri_norm2sq(ctx, x, h->s.n));
    if (!(size > 0)) return PRI_OK; /* these rays miss the image */
    *norm = NORM_SAFETY * sqrt(size);
    pri_scale(ctx, x, 1 / size, h->s.n);
  }
  pri_fill(ctx, x, 0, h->s.n);
  return PRI_OK;
}

static pri_status init_steps(pri_ctx *ctx, struct spdhg *h) {
  const double pi = share_of_subset(h), base = h->s.norm;
  PRI_ALLOC(ctx, h->sigma, h->sub.n);
  PRI_ALLOC(ctx, h->sigma_prior, h->s.nR);
  h->tau = INFINITY;
  for (int j = 0; j < h->sub.n; j++) {
    double norm;
    PRI_TRY(subset_norm(ctx, h, j, &norm));
    if (!(norm > 0)) continue; /* rays that miss the image: their dual moves alone, with any step */
    h->sigma[j] = MARGIN * base / norm;
    h->tau = fmin(h->tau, MARGIN * pi / (h->sigma[j] * norm * norm));
  }
  if (!isfinite(h->tau)) return PRI_FAIL(ctx, PRI_ENUMERIC, "spdhg: no subset sees anything of the image");
  for (int j = 0; j < h->sub.n; j++)
    if (h->sigma[j] == 0) h->sigma[j] = 1;
  PRI_ALLOC(ctx, h->c, h->s.items);
  for (ptrdiff_t i = 0; i < h->s.items; i++) h->c[i] = h->gamma * h->s.curvature[i];
  for (int r = 0; r < h->s.nR; r++) h->sigma_prior[r] = h->balance * share_of_priors(h) / (h->s.nR * h->tau * h->s.R[r].norm * h->s.R[r].norm);
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct spdhg *h = priv;
  pri_array *const image[] = {&h->z, &h->u, &h->old};
  PRI_TRY(pri_split_init(ctx, &h->s, p, PRI_NEEDS_NORM | PRI_NEEDS_SADDLE));
  PRI_TRY(pri_subsets_init(ctx, &h->sub, &h->s, h->subsets ? h->subsets : default_subsets(&h->s)));
  if (h->every == 0) h->every = h->sub.n / VISITS > 1 ? h->sub.n / VISITS : 1;
  PRI_TRY(pri_point_init(ctx, &h->v, &h->s, PRI_POINT_P | PRI_POINT_Q));
  PRI_TRY(pri_point_init(ctx, &h->g, &h->s, PRI_POINT_X | PRI_POINT_Z | PRI_POINT_P | PRI_POINT_Q));
  PRI_TRY(pri_split_start(ctx, &h->s, &h->v.x, x0));
  for (int i = 0; i < 3; i++) PRI_TRY(pri_array_create(ctx, image[i], &h->s.dom, h->s.items));
  PRI_TRY(pri_array_create(ctx, &h->part, &(pri_shape){1, {h->sub.largest}}, h->s.items));
  PRI_ALLOC(ctx, h->order, h->sub.n);
  PRI_ALLOC(ctx, h->pass, h->s.items);
  PRI_TRY(init_steps(ctx, h));
  return pri_warm_init(ctx, &h->start, "spdhg", h->warm, &h->s, &h->v.x);
}

/* order of the subsets in this pass: Fisher-Yates, driven by the counter-based stream */
static void shuffle(pri_ctx *ctx, const struct spdhg *h, long pass) {
  const int n = h->sub.n;
  for (int j = 0; j < n; j++) h->order[j] = j;
  for (int j = n - 1; j > 0; j--) {
    const double u = pri_rng_uniform_at(pri_ctx_seed(ctx), "spdhg", (uint64_t)pass * (uint64_t)n + (uint64_t)j);
    const int k = (int)(u * (j + 1)), kept = h->order[j];
    h->order[j] = h->order[k < j ? k : j];
    h->order[k < j ? k : j] = kept;
  }
}

struct move {
  pri_real *x, *sum;              /* sum: A'p (or K'q), which changes */
  const pri_real *other, *change; /* the other one; dz, or where `whole` the new value of sum */
  pri_real tau, gain, lo, hi;     /* gain: 1 / pi */
  int whole;
};
static pri_status move_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct move *m = arg;
  pri_real *x = m->x, *sum = m->sum;
  const pri_real *other = m->other, *change = m->change, tau = m->tau, gain = m->gain, lo = m->lo, hi = m->hi, keep = m->whole ? 1 : 0;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const pri_real d = change[i] - keep * sum[i], now = sum[i] + d, to = x[i] - tau * (now + other[i] + gain * d);
    sum[i] = now;
    x[i] = to < lo ? lo : to > hi ? hi : to;
  }
  return PRI_OK;
}

/* the end of every visit: A'p += dz, or K'q = its new value, then x <- P(x - tau (A'p + K'q + dz / pi)) */
static void move(pri_ctx *ctx, struct spdhg *h, int priors, double pi, ptrdiff_t first, ptrdiff_t items) {
  pri_array *sum = priors ? &h->u : &h->z, *other = priors ? &h->z : &h->u;
  for (ptrdiff_t i = first; i < first + items; i++) {
    struct move m = {.x = pri_array_item(&h->v.x, i), .sum = pri_array_item(sum, i), .other = pri_array_item(other, i),
                     .change = pri_array_item(&h->g.x, i), .tau = (pri_real)(h->tau / h->c[i]), .gain = (pri_real)(1 / pi),
                     .lo = (pri_real)h->s.problem->lo[i], .hi = (pri_real)h->s.problem->hi[i], .whole = priors};
    (void)pri_par_for(ctx, h->s.n, GRAIN, move_some, &m); /* cannot fail */
  }
}

static pri_status visit_subset(pri_ctx *ctx, struct spdhg *h, int j, ptrdiff_t first, ptrdiff_t items) {
  const pri_subset *u = &h->sub.s[j];
  pri_real *part = h->part.data + first * u->m; /* A_j x, then p+, then p+ - p */
  PRI_TRY(pri_subset_apply(&h->s, u, h->part.data, h->v.x.data, first, items));
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_real *p = pri_array_item(&h->v.p, first + i) + u->at, *d = part + i * u->m;
    const double sigma = h->sigma[j] * h->c[first + i];
    pri_axpby(ctx, d, 1, p, sigma, u->m);
    PRI_TRY(u->f->dual_prox(ctx, u->fp, d, sigma, NULL, first + i, 1));
    pri_axpy(ctx, d, -1, p, u->m);
    pri_axpy(ctx, p, 1, d, u->m);
  }
  PRI_TRY(pri_subset_adjoint(&h->s, u, h->g.x.data, h->part.data, first, items));
  move(ctx, h, 0, share_of_subset(h), first, items);
  return PRI_OK;
}

static pri_status visit_priors(pri_ctx *ctx, struct spdhg *h, ptrdiff_t first, ptrdiff_t items) {
  pri_real *sum = pri_array_item(&h->g.x, first);
  pri_fill(ctx, sum, 0, h->s.n * items);
  for (int r = 0; r < h->s.nR; r++) {
    const pri_block *b = &h->s.R[r];
    const pri_saddle *s = b->cls->saddle;
    pri_real *q = pri_array_item(&h->v.q[r], first), *d = pri_array_item(&h->g.q[r], first);
    PRI_TRY(s->k(ctx, b->priv, d, pri_array_item(&h->v.x, first), NULL, items));
    for (ptrdiff_t i = 0; i < items; i++) {
      const double sigma = h->sigma_prior[r] * h->c[first + i];
      pri_axpy(ctx, q + i * b->nq, sigma, d + i * b->nq, b->nq);
      PRI_TRY(s->dual_prox(ctx, b->priv, q + i * b->nq, sigma, NULL, 1));
    }
    PRI_TRY(s->kt(ctx, b->priv, sum, NULL, q, items));
  }
  move(ctx, h, 1, share_of_priors(h), first, items);
  return PRI_OK;
}

/* all subsets in the order of this pass; these items are in the same pass */
static pri_status one_pass(pri_ctx *ctx, struct spdhg *h, ptrdiff_t first, ptrdiff_t items) {
  shuffle(ctx, h, h->pass[first]);
  for (int j = 0; j < h->sub.n; j++) {
    PRI_TRY(visit_subset(ctx, h, h->order[j], first, items));
    if (h->s.nR && (j + 1) % h->every == 0) PRI_TRY(visit_priors(ctx, h, first, items));
  }
  return PRI_OK;
}

/* duals between the layout of y (view v of subset j is row j + v M) and subset by subset */
static void gather(const struct spdhg *h, pri_real *packed, pri_real *y, int pack) {
  const ptrdiff_t row = h->s.m / h->s.ran.n[0];
  const size_t bytes = (size_t)row * sizeof *y;
  for (int j = 0; j < h->sub.n; j++)
    for (ptrdiff_t v = 0; v < h->sub.s[j].box.n[0]; v++) {
      pri_real *a = packed + h->sub.s[j].at + v * row, *b = y + (j + v * h->sub.n) * row;
      memcpy(pack ? a : b, pack ? b : a, bytes);
    }
}

/* first pass of an item: where the warm start left it; A'p and K'q of its duals */
static pri_status begin(pri_ctx *ctx, struct spdhg *h, ptrdiff_t i, pri_report *rep) {
  pri_point from = {.x = h->v.x, .z = h->g.z, .p = h->g.p, .q = h->v.q, .w = h->v.w}, to = {.x = h->u, .q = h->g.q, .w = h->g.w};
  if (!h->start.cls) return PRI_OK; /* duals 0, sums 0 */
  PRI_TRY(pri_warm_finish(ctx, &h->start, &from, &h->s, i, rep));
  gather(h, pri_array_item(&h->v.p, i), pri_array_item(&h->g.p, i), 1);
  PRI_TRY(pri_split_adjoint(&h->s, h->z.data, h->g.p.data, i, 1));
  rep->adjoints += 1;
  return pri_point_priors_adjoint(ctx, &to, &from, &h->s, i, 1);
}

static pri_status some_passes(pri_ctx *ctx, struct spdhg *h, ptrdiff_t first, ptrdiff_t items, pri_report *per_item) {
  pri_copy(ctx, pri_array_item(&h->old, first), pri_array_item(&h->v.x, first), h->s.n * items);
  for (ptrdiff_t i = first; i < first + items; i++)
    if (h->pass[i] == 0) PRI_TRY(begin(ctx, h, i, &per_item[i - first]));
  PRI_TRY(one_pass(ctx, h, first, items));
  for (ptrdiff_t i = first; i < first + items; i++) {
    pri_report *r = &per_item[i - first];
    h->pass[i]++;
    r->change = pri_change(ctx, pri_array_item(&h->old, i), pri_array_item(&h->v.x, i), h->s.n);
    r->step = h->tau / h->c[i];
    r->applies += 1;
    r->adjoints += 1;
  }
  return PRI_OK;
}

/* items that are in the same pass go together */
static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct spdhg *h = priv;
  for (ptrdiff_t i = first, end; i < first + items; i = end) {
    const int warming = pri_warm_is_on(&h->start, i);
    pri_report *rep = per_item + (i - first);
    for (end = i + 1; end < first + items && h->pass[end] == h->pass[i] && pri_warm_is_on(&h->start, end) == warming; end++) continue;
    if (warming) PRI_TRY(pri_warm_step(ctx, &h->start, &h->v, &h->s, i, end - i, want, rep));
    else PRI_TRY(some_passes(ctx, h, i, end - i, rep));
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct spdhg *)priv)->v.x; }

static pri_status duals(const void *priv, pri_duals *d) {
  const struct spdhg *h = priv;
  for (ptrdiff_t i = 0; i < h->s.items; i++) gather(h, pri_array_item(&h->v.p, i), pri_array_item(&h->g.p, i), 0);
  *d = (pri_duals){.p = &h->g.p, .q = h->v.q, .aux = h->v.w};
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct spdhg *h = priv;
  PRI_TRY(pri_point_walk(w, &h->v, &h->s));
  PRI_TRY(pri_walk_array(w, "z", &h->z));
  PRI_TRY(pri_walk_array(w, "u", &h->u));
  PRI_TRY(pri_walk_bytes(w, "pass", h->pass, (size_t)h->s.items * sizeof *h->pass));
  return pri_warm_walk(ctx, &h->start, &h->s, w);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct spdhg *h = priv;
  pri_point_fini(ctx, &h->v, &h->s);
  pri_point_fini(ctx, &h->g, &h->s);
  pri_array_destroy(&h->z);
  pri_array_destroy(&h->u);
  pri_array_destroy(&h->old);
  pri_array_destroy(&h->part);
  pri_free(ctx, h->sigma);
  pri_free(ctx, h->sigma_prior);
  pri_free(ctx, h->c);
  pri_free(ctx, h->order);
  pri_free(ctx, h->pass);
  pri_warm_fini(ctx, &h->start);
  pri_subsets_fini(ctx, &h->sub);
  pri_split_fini(ctx, &h->s);
}

static const pri_param params[] = {
    {.name = "subsets", .unit = "1", .help = "interleaved subsets of views; auto: 30, or fewer so that each holds 2 views", .type = PRI_INT,
     .flags = PRI_P_AUTO, .offset = offsetof(struct spdhg, subsets), .min = 1, .max = 100000, .def = NAN},
    {.name = "gamma", .unit = "1", .help = "dual against primal step, in units of the operator's norm and the fidelity's curvature", .type = PRI_REAL,
     .offset = offsetof(struct spdhg, gamma), .min = 1e-9, .max = 1e9, .def = 0.025},
    {.name = "balance", .unit = "1", .help = "share of the largest allowed dual step that the priors take", .type = PRI_REAL,
     .offset = offsetof(struct spdhg, balance), .min = 1e-9, .max = 0.99, .def = 0.99},
    {.name = "every", .unit = "subsets", .help = "visits of subsets for one of the priors; auto: ten visits of the priors a pass", .type = PRI_INT,
     .flags = PRI_P_AUTO, .offset = offsetof(struct spdhg, every), .min = 1, .max = 1000, .def = NAN},
    {.name = "warm", .unit = "passes", .help = "passes of os-fista before, where it can take the problem", .type = PRI_INT,
     .offset = offsetof(struct spdhg, warm), .min = 0, .max = 1000, .def = 0},
    {0}};
static const char *const examples[] = {"", "subsets=2,warm=3", "subsets=3,gamma=0.5,every=2", NULL};
const pri_solver_class pri_solver_spdhg = {
    .kind = {"spdhg", "stochastic primal-dual hybrid gradients over subsets of views", "Chambolle, Ehrhardt, Richtarik, Schonlieb 2018, alg. 1",
             sizeof(struct spdhg), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit, .duals = duals};
