/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prox.c - denoising, min_x |x - y|^2 / 2 + R(x) over lo <= x <= hi: one prox of R, which R computes by its own fused loops, or
 * where it has a gradient instead by prox_smooth.c.
 *
 *   x = prox_{R, box}(y),   p = P_box(y - K'q) - y, the gradient of the data term at the minimiser of the Lagrangian at q
 *
 * One step is `inner` steps of that prox; it goes on where it was, until its own gap is below tol. Then a step does nothing, unless a
 * certificate was asked for and did not end the item (what it allows for rounding came on top): tol is halved.
 * The certificate of (x, p, q) is the dual value of strong convexity, without and with a box (src/certificate.c).
 */
#include <math.h>
#include <string.h>
#include "prox_smooth.h"
#include "split.h"
#include "vec.h"

static const double MARGIN = 0.9, TOL = 1e-4; /* of the gap that is asked for; without one */

struct progress { /* of one item */
  double tol, lo, hi;
  long done;
  int met, asked; /* the prox is within tol; a certificate was made of that */
};

struct prox {
  long inner;
  pri_split s;
  pri_array x, p, q, w; /* q, w: data NULL where R has none */
  struct progress *item;
  int smooth;           /* the prior has no prox, but a gradient */
  pri_prox_smooth by;
};

static const char *misfit(const pri_problem *p) {
  const pri_operator *A = pri_map_linear(p->A);
  const char *none = pri_split_misfit(p, "prox", PRI_NEEDS_PROX);
  if (none) return none;
  if (!A || !(pri_operator_flags(A) & PRI_OP_IDENTITY)) return "prox cannot use this operator: it denoises, with the operator identity; pdhg takes any";
  if (strcmp(pri_fidelity_class_of(p->f, NULL)->kind.name, "ls")) return "prox cannot use this fidelity: it takes ls only; pdhg takes any";
  if (p->nR > 1) return "prox cannot use more than one prior; pdhg can";
  const pri_prior_class *c = p->nR ? pri_prior_class_of(p->R[0], NULL) : NULL;
  if (c && !c->variational->prox && !pri_prox_smooth_takes(c)) return "prox cannot use this prior: it has neither prox nor value and gradient";
  return NULL;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct prox *s = priv;
  PRI_TRY(pri_split_init(ctx, &s->s, p, PRI_NEEDS_BLOCKS));
  PRI_TRY(pri_split_start(ctx, &s->s, &s->x, x0));
  if (s->s.nR && s->s.R[0].nq) {
    PRI_TRY(pri_array_create(ctx, &s->q, &s->s.R[0].dual, s->s.items));
    PRI_TRY(pri_array_create(ctx, &s->p, &s->s.ran, s->s.items));
    if (s->s.R[0].nw) PRI_TRY(pri_array_create(ctx, &s->w, &s->s.R[0].aux, s->s.items));
  }
  s->smooth = s->s.nR && pri_prox_smooth_takes(s->s.R[0].cls);
  if (s->smooth) PRI_TRY(pri_prox_smooth_init(ctx, &s->by, &s->s));
  PRI_ALLOC(ctx, s->item, s->s.items);
  for (ptrdiff_t i = 0; i < s->s.items; i++)
    s->item[i] = (struct progress){.tol = p->gap_goal > 0 ? MARGIN * p->gap_goal : TOL, .lo = p->lo[i], .hi = p->hi[i]};
  return PRI_OK;
}

static pri_real *of(const pri_array *a, ptrdiff_t i) { return a->data ? pri_array_item(a, i) : NULL; }

/* p = P_box(y - K'q) - y */
static pri_status take_dual(pri_ctx *ctx, struct prox *s, ptrdiff_t i) {
  const pri_block *b = s->s.R;
  pri_real *p = of(&s->p, i);
  if (!p) return PRI_OK;
  pri_fill(ctx, p, 0, s->s.n);
  PRI_TRY(b->cls->saddle->kt(ctx, b->priv, p, NULL, pri_array_item(&s->q, i), 1)); /* w is a start, and is not pulled at */
  pri_axpby(ctx, p, 1, pri_array_item(s->s.y, i), -1, s->s.n);
  pri_clip(ctx, p, s->item[i].lo, s->item[i].hi, s->s.n);
  pri_axpy(ctx, p, -1, pri_array_item(s->s.y, i), s->s.n);
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, struct prox *s, ptrdiff_t i, pri_report *rep) {
  const pri_block *b = s->s.R;
  struct progress *t = &s->item[i];
  const pri_prox_req req = {.tau = 1, .tol = t->tol, .max_inner = s->inner, .done = t->done};
  pri_prox_cert cert = {{0, PRI_EXACT}, 0};
  pri_real *x = pri_array_item(&s->x, i);
  const pri_real *y = pri_array_item(s->s.y, i);
  if (s->smooth) PRI_TRY(pri_prox_smooth_run(ctx, &s->by, &s->s, i, x, y, t->lo, t->hi, &req, &cert, of(&s->q, i)));
  else if (s->s.nR) PRI_TRY(b->cls->variational->prox(ctx, b->priv, x, y, &t->lo, &t->hi, &req, &cert, of(&s->q, i), of(&s->w, i), 1, s->s.scratch));
  else {
    pri_copy(ctx, x, y, s->s.n);
    pri_clip(ctx, x, t->lo, t->hi, s->s.n);
  }
  t->done += cert.inner;
  t->met = cert.gap.value <= t->tol || isnan(cert.gap.value); /* NaN: not convex, nothing to wait for */
  rep->inner += cert.inner;
  rep->proxes += 1;
  return t->met || !s->smooth ? take_dual(ctx, s, i) : PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct prox *s = priv;
  for (ptrdiff_t i = first; i < first + items; i++) {
    struct progress *t = &s->item[i];
    const double lo = s->s.problem->lo[i], hi = s->s.problem->hi[i];
    if (t->asked) t->tol /= 2;
    if (t->asked || t->lo != lo || t->hi != hi) t->met = 0;
    t->lo = lo, t->hi = hi, t->asked = 0;
    per_item[i - first].change = t->met ? 0 : NAN;
    if (!t->met) PRI_TRY(run(ctx, s, i, &per_item[i - first]));
    t->asked = t->met && (want & PRI_WANT_GAP);
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct prox *)priv)->x; }

static pri_status duals(const void *priv, pri_duals *d) {
  const struct prox *s = priv;
  *d = (pri_duals){.p = s->p.data ? &s->p : NULL, .q = &s->q, .aux = &s->w};
  return PRI_OK;
}

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  struct prox *s = priv;
  pri_array *const arrays[] = {&s->x, &s->p, &s->q, &s->w};
  static const char *const names[] = {"x", "p", "q", "w"};
  (void)ctx;
  for (int k = 0; k < 4; k++) PRI_TRY(pri_walk_array(w, names[k], arrays[k]));
  PRI_TRY(pri_prox_smooth_walk(&s->by, w));
  return pri_walk_bytes(w, "items", s->item, (size_t)s->s.items * sizeof *s->item);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct prox *s = priv;
  pri_array *const arrays[] = {&s->x, &s->p, &s->q, &s->w};
  for (int k = 0; k < 4; k++) pri_array_destroy(arrays[k]);
  pri_prox_smooth_fini(ctx, &s->by);
  pri_free(ctx, s->item);
  pri_split_fini(ctx, &s->s);
}

static const pri_param params[] = {
    {.name = "inner", .unit = "1", .help = "steps of the prior's prox that count as one step", .type = PRI_INT, .offset = offsetof(struct prox, inner),
     .min = 1, .max = 100000, .def = 60},
    {0}};
static const char *const examples[] = {"", "inner=7", NULL};
const pri_solver_class pri_solver_prox = {
    .kind = {"prox", "denoising as one prox: operator identity, least squares, one prior", "Moreau 1965; Chambolle, Pock 2011 (total variation)",
             sizeof(struct prox), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit, .duals = duals};
