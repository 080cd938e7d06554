/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * subsets.c - see subsets.h. The order is that of the van der Corput sequence of base 2 (bit-reversed numbers, those beyond n left
 * out): every prefix of it covers the views about evenly, which is what ordered subsets live from (spec rising_ct, 4.4).
 */
#include "subsets.h"
#include <stdint.h>
#include <string.h>

enum { DEFAULT_SUBSETS = 10, MIN_VIEWS = 6 }; /* spec 4.4: fewer views a subset, and it no longer stands for the whole */

void pri_spread_order(int *order, int n) {
  int bits = 0, k = 0;
  while ((1 << bits) < n) bits++;
  for (int i = 0; i < 1 << bits; i++) {
    int r = 0;
    for (int b = 0; b < bits; b++) r |= (i >> b & 1) << (bits - 1 - b);
    if (r < n) order[k++] = r;
  }
}

static int count(long wanted, ptrdiff_t views) {
  if (wanted <= 0) wanted = views / MIN_VIEWS < DEFAULT_SUBSETS ? (long)(views / MIN_VIEWS) : DEFAULT_SUBSETS;
  if (wanted > views) wanted = (long)views;
  return wanted < 1 ? 1 : (int)wanted;
}

static pri_status subset_init(pri_ctx *ctx, pri_subset *s, const pri_split *split, int j, int n) {
  const ptrdiff_t views = split->ran.n[0];
  pri_box dom;
  s->box = pri_box_whole(&split->ran);
  s->box.first[0] = j;
  s->box.step[0] = n;
  s->box.n[0] = (views - j + n - 1) / n;
  s->ran = pri_box_shape(&s->box, split->ran.nd);
  s->m = pri_shape_size(&s->ran);
  s->share = (double)s->box.n[0] / (double)views;
  PRI_TRY(pri_operator_part(split->A, &s->A, &s->box, &dom));
  if (!pri_shape_equal(pri_operator_domain(s->A), &split->dom))
    return PRI_FAIL(ctx, PRI_ENOTSUP, "%d subsets: subset %d sees only part of the image; use a solver without subsets", n, j);
  PRI_TRY(pri_fidelity_part(split->problem->f, &s->fidelity, &s->box));
  s->f = pri_fidelity_class_of(s->fidelity, &s->fp);
  return PRI_OK;
}

pri_status pri_subsets_init(pri_ctx *ctx, pri_subsets *s, const pri_split *split, long wanted) {
  const int n = count(wanted, split->ran.n[0]);
  ptrdiff_t at = 0;
  PRI_ALLOC(ctx, s->s, n);
  s->n = n;
  PRI_ALLOC(ctx, s->order, n);
  pri_spread_order(s->order, n);
  for (int j = 0; j < n; j++) {
    PRI_TRY(subset_init(ctx, &s->s[j], split, j, n));
    s->s[j].at = at;
    at += s->s[j].m;
    if (s->s[j].m > s->largest) s->largest = s->s[j].m;
  }
  return PRI_OK;
}

void pri_subsets_fini(pri_ctx *ctx, pri_subsets *s) {
  for (int j = 0; s->s && j < s->n; j++) {
    pri_fidelity_destroy(&s->s[j].fidelity);
    pri_operator_destroy(&s->s[j].A);
  }
  pri_free(ctx, s->order);
  pri_free(ctx, s->s);
  memset(s, 0, sizeof *s);
}

pri_status pri_subset_apply(const pri_split *split, const pri_subset *s, pri_real *z, const pri_real *x, ptrdiff_t first, ptrdiff_t items) {
  pri_array to = pri_array_borrow(z + first * s->m, &s->ran, items);
  const pri_array from = {.data = (pri_real *)(uintptr_t)(x + first * split->n), .items = items, .shape = split->dom};
  return pri_operator_apply(s->A, &to, &from);
}

pri_status pri_subset_adjoint(const pri_split *split, const pri_subset *s, pri_real *x, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  pri_array to = pri_array_borrow(x + first * split->n, &split->dom, items);
  const pri_array from = {.data = (pri_real *)(uintptr_t)(z + first * s->m), .items = items, .shape = s->ran};
  return pri_operator_adjoint(s->A, &to, &from);
}
