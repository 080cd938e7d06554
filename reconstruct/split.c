/* SPDX-License-Identifier: GPL-3.0-or-later */
/* split.c - see split.h. */
#include "split.h"
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "vec.h"

static const double NORM_SAFETY = 1.02; /* see pri_safe_norm */

/* misfit() has no context to keep a text in: one line a thread */
static const char *reason(const char *fmt, ...) PRI_PRINTF(1, 2);
static const char *reason(const char *fmt, ...) {
  static _Thread_local char text[200];
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return text;
}

static const char *operator_misfit(const pri_problem *p, const char *solver, unsigned needs) {
  const void *priv;
  pri_operator *A = p->A ? pri_map_linear(p->A) : NULL;
  if (!A) return reason("%s cannot use this operator: it is not linear", solver);
  const pri_operator_class *c = pri_operator_class_of(A, &priv);
  const unsigned flags = c->flags ? c->flags(priv) : 0;
  if (needs & PRI_NEEDS_NONNEGATIVE && !(flags & PRI_OP_NONNEGATIVE))
    return reason("%s cannot use this operator: %s may have negative entries, and its steps are row and column sums", solver, c->kind.name);
  if (needs & PRI_NEEDS_PARTS && !c->part)
    return reason("%s cannot use this operator: %s does not come in parts", solver, c->kind.name);
  if (needs & PRI_NEEDS_PARTS && flags & PRI_OP_DIAGONAL)
    return reason("%s cannot use this operator: a subset of %s's data sees only part of the image", solver, c->kind.name);
  return NULL;
}

static int is_quadratic(const pri_fidelity_class *f) { return strcmp(f->kind.name, "ls") == 0 || strcmp(f->kind.name, "wls") == 0; }

static const char *fidelity_misfit(const pri_problem *p, const char *solver, unsigned needs) {
  const void *priv;
  const pri_fidelity_class *c = pri_fidelity_class_of(p->f, &priv);
  if (needs & PRI_NEEDS_GRAD && !(c->grad && c->lipschitz && c->lipschitz(priv).trust != PRI_UNKNOWN))
    return reason("%s cannot use this fidelity: %s has no gradient with a Lipschitz constant%s", solver, c->kind.name,
                  strcmp(c->kind.name, "kl") ? "" : " (a background > 0 gives it one)");
  if (needs & PRI_NEEDS_PARTS && !c->part) return reason("%s cannot use this fidelity: %s does not come in parts", solver, c->kind.name);
  if (needs & PRI_NEEDS_QUADRATIC && !is_quadratic(c))
    return reason("%s cannot use this fidelity: %s is not quadratic (ls and wls are)", solver, c->kind.name);
  return NULL;
}

static int is_smooth(const pri_prior_class *c) { return c->variational && c->variational->grad && c->variational->lipschitz; }
static int has_prox(const pri_prior_class *c) { return c->variational && c->variational->prox; }

static const char *prior_misfit(const pri_problem *p, const char *solver, unsigned needs) {
  const char *with_prox = NULL;
  for (int r = 0; r < p->nR; r++) {
    const void *priv;
    const pri_prior_class *c = pri_prior_class_of(p->R[r], &priv);
    const char *name = c->kind.name;
    if (needs & PRI_NEEDS_NO_PRIOR) return reason("%s takes no prior, and %s is given", solver, name);
    if (needs & PRI_NEEDS_SADDLE && !c->saddle) return reason("%s cannot use this prior: %s has no saddle form", solver, name);
    if (needs & PRI_NEEDS_SMOOTH && !is_smooth(c)) return reason("%s cannot use this prior: %s has no Lipschitz gradient", solver, name);
    if (needs & PRI_NEEDS_QUADRATIC && !(c->variational && c->variational->grad && c->variational->quadratic))
      return reason("%s cannot use this prior: %s is not quadratic", solver, name);
    if (needs & PRI_NEEDS_PROX && !is_smooth(c)) {
      if (!has_prox(c)) return reason("%s cannot use this prior: %s has no prox", solver, name);
      if (with_prox) return reason("%s cannot use %s and %s together: it takes one prior by its prox (pdhg takes sums)", solver, with_prox, name);
      with_prox = name;
    }
  }
  return NULL;
}

const char *pri_split_misfit(const pri_problem *p, const char *solver, unsigned needs) {
  const char *why = operator_misfit(p, solver, needs);
  if (!why) why = fidelity_misfit(p, solver, needs);
  return why ? why : prior_misfit(p, solver, needs);
}

double pri_safe_norm(pri_bound b) {
  return b.trust == PRI_PROVEN || b.trust == PRI_EXACT ? b.value : NORM_SAFETY * b.value;
}

/* the largest and the mean finite value of d */
static void survey(const pri_real *d, ptrdiff_t n, double *most, double *mean) {
  double sum = 0;
  ptrdiff_t count = 0;
  *most = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    if ((double)d[i] > *most) *most = (double)d[i];
    if (isfinite(d[i])) sum += (double)d[i], count++;
  }
  *mean = count ? sum / (double)count : 0;
}

/*
 * f->lipschitz is one number for all items, and an item must not depend on its neighbours, so each item's own curvature is looked at.
 * For ls, wls and huber it is largest at z = y. For counts it is largest at z = 0; where that is infinite (no background), gradient methods
 * have been refused, and primal-dual ones start from the mean curvature at z = y.
 */
static pri_status item_curvature(pri_ctx *ctx, pri_split *s, pri_real *d, ptrdiff_t i) {
  const int counts = strcmp(s->f->kind.name, "kl") == 0;
  double most, mean;
  if (counts) pri_fill(ctx, d, 0, s->m);
  else pri_copy(ctx, d, pri_array_item(s->y, i), s->m);
  PRI_TRY(s->f->curvature(ctx, s->fp, d, d, i, 1));
  survey(d, s->m, &most, &mean);
  if (counts && !isfinite(most)) {
    pri_copy(ctx, d, pri_array_item(s->y, i), s->m);
    PRI_TRY(s->f->curvature(ctx, s->fp, d, d, i, 1));
    survey(d, s->m, &most, &mean);
    most = mean;
  }
  if (most > 0 && isfinite(most)) s->curvature[i] = most;
  return PRI_OK;
}

static pri_status find_curvature(pri_ctx *ctx, pri_split *s) {
  const double all = s->f->lipschitz ? s->f->lipschitz(s->fp).value : (double)NAN;
  pri_array d = {0};
  pri_status got = PRI_OK;
  PRI_ALLOC(ctx, s->curvature, s->items);
  for (ptrdiff_t i = 0; i < s->items; i++) s->curvature[i] = isfinite(all) && all > 0 ? all : 1;
  if (!s->f->curvature) return PRI_OK;
  PRI_TRY(pri_array_create(ctx, &d, &s->ran, 1));
  for (ptrdiff_t i = 0; i < s->items && got == PRI_OK; i++) got = item_curvature(ctx, s, d.data, i);
  pri_array_destroy(&d);
  return got;
}

static pri_status block_init(pri_ctx *ctx, pri_block *b, const pri_prior *R, size_t *scratch, unsigned needs) {
  b->cls = pri_prior_class_of(R, &b->priv);
  const size_t more = b->cls->scratch ? b->cls->scratch(b->priv) : 0;
  if (more > *scratch) *scratch = more;
  if (!b->cls->saddle || !(needs & (PRI_NEEDS_SADDLE | PRI_NEEDS_BLOCKS))) return PRI_OK;
  pri_bound norm;
  PRI_TRY(b->cls->saddle->shapes(b->priv, &b->aux, &b->dual, &norm));
  b->nw = b->aux.nd ? pri_shape_size(&b->aux) : 0;
  b->nq = pri_shape_size(&b->dual);
  b->norm = pri_safe_norm(norm);
  if (b->nq < 1 || b->nw < 0) return PRI_FAIL(ctx, PRI_ESHAPE, "%s: its dual variable has no size", b->cls->kind.name);
  if (!(b->norm > 0)) return PRI_FAIL(ctx, PRI_ENUMERIC, "%s: norm of its linear part is %g, not positive", b->cls->kind.name, b->norm);
  return PRI_OK;
}

pri_status pri_split_init(pri_ctx *ctx, pri_split *s, const pri_problem *p, unsigned needs) {
  size_t scratch = 0;
  s->problem = p;
  s->A = pri_map_linear(p->A);
  s->f = pri_fidelity_class_of(p->f, &s->fp);
  s->y = pri_fidelity_data(p->f);
  s->dom = *pri_operator_domain(s->A);
  s->ran = *pri_operator_range(s->A);
  s->items = s->y->items;
  s->n = pri_shape_size(&s->dom);
  s->m = pri_shape_size(&s->ran);
  if (!pri_shape_equal(&s->y->shape, &s->ran)) {
    char a[80], b[80];
    return PRI_FAIL(ctx, PRI_ESHAPE, "the data are %s, the operator gives %s", pri_shape_text(&s->y->shape, a, sizeof a),
                    pri_shape_text(&s->ran, b, sizeof b));
  }
  PRI_ALLOC(ctx, s->R, p->nR);
  for (s->nR = 0; s->nR < p->nR; s->nR++) PRI_TRY(block_init(ctx, &s->R[s->nR], p->R[s->nR], &scratch, needs));
  if (scratch && !(s->scratch = pri_calloc(ctx, 1, scratch))) return pri_ctx_code(ctx);
  PRI_TRY(find_curvature(ctx, s));
  if (!(needs & PRI_NEEDS_NORM)) return PRI_OK;
  s->norm = pri_safe_norm(pri_operator_norm(s->A));
  if (s->norm == 0) return PRI_FAIL(ctx, PRI_EGEOMETRY, "the operator's norm is 0: it sees nothing of the image");
  if (!(s->norm > 0 && isfinite(s->norm))) return PRI_FAIL(ctx, PRI_ENUMERIC, "the operator's norm is %g", s->norm);
  return PRI_OK;
}

void pri_split_fini(pri_ctx *ctx, pri_split *s) {
  pri_free(ctx, s->R);
  pri_free(ctx, s->curvature);
  pri_free(ctx, s->scratch);
  memset(s, 0, sizeof *s);
}

pri_status pri_split_apply(const pri_split *s, pri_real *z, const pri_real *x, ptrdiff_t first, ptrdiff_t items) {
  pri_array to = pri_array_borrow(z + first * s->m, &s->ran, items);
  const pri_array from = {.data = (pri_real *)(uintptr_t)(x + first * s->n), .items = items, .shape = s->dom};
  return pri_operator_apply(s->A, &to, &from);
}

pri_status pri_split_adjoint(const pri_split *s, pri_real *x, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  pri_array to = pri_array_borrow(x + first * s->n, &s->dom, items);
  const pri_array from = {.data = (pri_real *)(uintptr_t)(z + first * s->m), .items = items, .shape = s->ran};
  return pri_operator_adjoint(s->A, &to, &from);
}

pri_status pri_split_start(pri_ctx *ctx, const pri_split *s, pri_array *x, const pri_array *x0) {
  PRI_TRY(pri_array_create(ctx, x, &s->dom, s->items));
  if (x0 && (!pri_shape_equal(&x0->shape, &s->dom) || x0->items != s->items)) {
    char a[80], b[80];
    return PRI_FAIL(ctx, PRI_ESHAPE, "the starting image is %td of %s, the problem wants %td of %s", x0->items,
                    pri_shape_text(&x0->shape, a, sizeof a), s->items, pri_shape_text(&s->dom, b, sizeof b));
  }
  if (x0) pri_copy(ctx, x->data, x0->data, s->n * s->items);
  for (ptrdiff_t i = 0; i < s->items; i++) pri_clip(ctx, pri_array_item(x, i), s->problem->lo[i], s->problem->hi[i], s->n);
  return PRI_OK;
}

double pri_change(pri_ctx *ctx, const pri_real *a, const pri_real *b, ptrdiff_t n) {
  const double d = sqrt(pri_dist2sq(ctx, a, b, n)), size = sqrt(pri_norm2sq(ctx, b, n));
  return d == 0 ? 0 : d / (size > 0 ? size : d);
}
