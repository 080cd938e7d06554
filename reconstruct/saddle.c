/* SPDX-License-Identifier: GPL-3.0-or-later */
/* saddle.c - see saddle.h. */
#include "saddle.h"
#include <string.h>
#include "vec.h"

pri_status pri_point_init(pri_ctx *ctx, pri_point *v, const pri_split *s, unsigned parts) {
  if (parts & PRI_POINT_X) PRI_TRY(pri_array_create(ctx, &v->x, &s->dom, s->items));
  if (parts & PRI_POINT_Z) PRI_TRY(pri_array_create(ctx, &v->z, &s->ran, s->items));
  if (parts & PRI_POINT_P) PRI_TRY(pri_array_create(ctx, &v->p, &s->ran, s->items));
  PRI_ALLOC(ctx, v->q, s->nR);
  PRI_ALLOC(ctx, v->w, s->nR);
  for (int r = 0; r < s->nR; r++) {
    if (parts & PRI_POINT_Q) PRI_TRY(pri_array_create(ctx, &v->q[r], &s->R[r].dual, s->items));
    if (parts & PRI_POINT_W && s->R[r].nw) PRI_TRY(pri_array_create(ctx, &v->w[r], &s->R[r].aux, s->items));
  }
  return PRI_OK;
}

void pri_point_fini(pri_ctx *ctx, pri_point *v, const pri_split *s) {
  pri_array_destroy(&v->x);
  pri_array_destroy(&v->z);
  pri_array_destroy(&v->p);
  for (int r = 0; r < s->nR; r++) {
    if (v->q) pri_array_destroy(&v->q[r]);
    if (v->w) pri_array_destroy(&v->w[r]);
  }
  pri_free(ctx, v->q);
  pri_free(ctx, v->w);
  memset(v, 0, sizeof *v);
}

pri_status pri_point_walk(pri_walk *w, pri_point *v, const pri_split *s) {
  PRI_TRY(pri_walk_array(w, "x", &v->x)); /* an array that is not there counts as one of size 0 */
  PRI_TRY(pri_walk_array(w, "z", &v->z));
  PRI_TRY(pri_walk_array(w, "p", &v->p));
  for (int r = 0; r < s->nR; r++) {
    PRI_TRY(pri_walk_array(w, "q", &v->q[r]));
    PRI_TRY(pri_walk_array(w, "w", &v->w[r]));
  }
  return PRI_OK;
}

/* v = (1 - a) v + a u over one item of every variable; a = 1: the bits of u */
static void blend(pri_ctx *ctx, pri_array *v, double a, const pri_array *u, ptrdiff_t n, ptrdiff_t item) {
  if (!v->data || !u->data) return;
  if (a == 1) pri_copy(ctx, pri_array_item(v, item), pri_array_item(u, item), n);
  else pri_axpby(ctx, pri_array_item(v, item), a, pri_array_item(u, item), 1 - a, n);
}

void pri_point_towards(pri_ctx *ctx, pri_point *v, double a, const pri_point *u, const pri_split *s, ptrdiff_t item) {
  blend(ctx, &v->x, a, &u->x, s->n, item);
  blend(ctx, &v->z, a, &u->z, s->m, item);
  blend(ctx, &v->p, a, &u->p, s->m, item);
  for (int r = 0; r < s->nR; r++) {
    blend(ctx, &v->q[r], a, &u->q[r], s->R[r].nq, item);
    blend(ctx, &v->w[r], a, &u->w[r], s->R[r].nw, item);
  }
}

void pri_point_copy(pri_ctx *ctx, pri_point *to, const pri_point *from, const pri_split *s, ptrdiff_t item) {
  pri_point_towards(ctx, to, 1, from, s, item);
}

static pri_real *some(const pri_array *a, ptrdiff_t first) { return a->data ? pri_array_item(a, first) : NULL; }

pri_status pri_point_priors_adjoint(pri_ctx *ctx, pri_point *g, const pri_point *v, const pri_split *s, ptrdiff_t first, ptrdiff_t items) {
  for (int r = 0; r < s->nR; r++) {
    const pri_block *b = &s->R[r];
    if (b->nw) pri_fill(ctx, pri_array_item(&g->w[r], first), 0, b->nw * items);
    PRI_TRY(b->cls->saddle->kt(ctx, b->priv, pri_array_item(&g->x, first), some(&g->w[r], first), pri_array_item(&v->q[r], first), items));
  }
  return PRI_OK;
}

pri_status pri_point_adjoint(pri_ctx *ctx, pri_point *g, const pri_point *v, const pri_split *s, ptrdiff_t first, ptrdiff_t items) {
  PRI_TRY(pri_split_adjoint(s, g->x.data, v->p.data, first, items));
  return pri_point_priors_adjoint(ctx, g, v, s, first, items);
}
