/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proximal.c - see proximal.h. */
#include "proximal.h"
#include <string.h>
#include "vec.h"

static int is_smooth(const pri_block *b) { return b->cls->variational->grad && b->cls->variational->lipschitz; }

/* The prior that is not smooth, else the first that has a prox (a sharp Huber corner makes a gradient useless); -1: none has one. */
static int choose(const pri_split *s) {
  int chosen = -1;
  for (int r = s->nR - 1; r >= 0; r--)
    if (s->R[r].cls->variational->prox) chosen = r;
  for (int r = 0; r < s->nR; r++)
    if (!is_smooth(&s->R[r])) chosen = r;
  return chosen;
}

pri_status pri_proximal_init(pri_ctx *ctx, pri_proximal *p, const pri_split *s, long inner) {
  int any = 0;
  *p = (pri_proximal){.which = choose(s), .inner = inner, .nR = s->nR};
  PRI_ALLOC(ctx, p->q, s->nR);
  PRI_ALLOC(ctx, p->w, s->nR);
  PRI_ALLOC(ctx, p->cert, s->items);
  for (int r = 0; r < s->nR; r++) {
    const pri_block *b = &s->R[r];
    if (b->nq) PRI_TRY(pri_array_create(ctx, &p->q[r], &b->dual, s->items));
    if (b->nw) PRI_TRY(pri_array_create(ctx, &p->w[r], &b->aux, s->items));
    if (r != p->which) {
      p->lipschitz += b->cls->variational->lipschitz(b->priv).value;
      any = 1;
    }
  }
  return any ? pri_array_create(ctx, &p->smooth, &s->dom, s->items) : PRI_OK;
}

void pri_proximal_fini(pri_ctx *ctx, pri_proximal *p) {
  pri_array_destroy(&p->smooth);
  for (int r = 0; r < p->nR; r++) {
    if (p->q) pri_array_destroy(&p->q[r]);
    if (p->w) pri_array_destroy(&p->w[r]);
  }
  pri_free(ctx, p->q);
  pri_free(ctx, p->w);
  pri_free(ctx, p->cert);
  memset(p, 0, sizeof *p);
}

/*
 * For a smooth R, q = F'(K x) is the best dual. It is the limit of prox_{sigma F*}(sigma K x) as sigma grows: with sigma = 100 times
 * the curvature of F it is off by about a hundredth, which the certificate's polish mends.
 */
static pri_status smooth_dual(pri_ctx *ctx, const pri_block *b, pri_real *q, const pri_real *x) {
  const double sigma = 100 * b->cls->variational->lipschitz(b->priv).value / (b->norm * b->norm);
  PRI_TRY(b->cls->saddle->k(ctx, b->priv, q, x, NULL, 1));
  pri_scale(ctx, q, sigma, b->nq);
  return b->cls->saddle->dual_prox(ctx, b->priv, q, sigma, NULL, 1);
}

pri_status pri_proximal_duals(pri_ctx *ctx, pri_proximal *p, const pri_split *s, const pri_real *x, ptrdiff_t first, ptrdiff_t items) {
  for (int r = 0; r < s->nR; r++) {
    if (r == p->which || !s->R[r].nq || s->R[r].nw) continue;
    for (ptrdiff_t i = first; i < first + items; i++) PRI_TRY(smooth_dual(ctx, &s->R[r], pri_array_item(&p->q[r], i), x + i * s->n));
  }
  return PRI_OK;
}

pri_status pri_proximal_walk(pri_walk *w, pri_proximal *p) {
  for (int r = 0; r < p->nR; r++) {
    PRI_TRY(pri_walk_array(w, "prox q", &p->q[r]));
    PRI_TRY(pri_walk_array(w, "prox w", &p->w[r]));
  }
  return PRI_OK;
}

pri_status pri_proximal_add_smooth(pri_ctx *ctx, pri_proximal *p, const pri_split *s, pri_real *g, const pri_real *y, ptrdiff_t first,
                                   ptrdiff_t items) {
  for (int r = 0; r < s->nR; r++) {
    if (r == p->which) continue;
    const pri_block *b = &s->R[r];
    pri_real *h = pri_array_item(&p->smooth, first);
    PRI_TRY(b->cls->variational->grad(ctx, b->priv, h, y + first * s->n, items, s->scratch));
    pri_axpy(ctx, g + first * s->n, 1, h, s->n * items);
  }
  return PRI_OK;
}

pri_status pri_proximal_run(pri_ctx *ctx, pri_proximal *p, const pri_split *s, pri_real *to, const pri_real *from, double tau, ptrdiff_t first,
                            ptrdiff_t items) {
  const double *lo = s->problem->lo + first, *hi = s->problem->hi + first;
  const int r = p->which;
  to += first * s->n;
  from += first * s->n;
  if (r < 0) {
    pri_copy(ctx, to, from, s->n * items);
    for (ptrdiff_t i = 0; i < items; i++) pri_clip(ctx, to + i * s->n, lo[i], hi[i], s->n);
    return PRI_OK;
  }
  const pri_block *b = &s->R[r];
  const pri_prox_req req = {.tau = tau, .tol = 0, .max_inner = p->inner};
  return b->cls->variational->prox(ctx, b->priv, to, from, lo, hi, &req, p->cert + first,
                                   p->q[r].data ? pri_array_item(&p->q[r], first) : NULL,
                                   p->w[r].data ? pri_array_item(&p->w[r], first) : NULL, items, s->scratch);
}

long pri_proximal_inner(const pri_proximal *p, ptrdiff_t item) { return p->which < 0 ? 0 : p->cert[item].inner; }
