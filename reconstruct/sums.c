/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sums.c - see sums.h. Sums below 1e-6 of the largest are those of rays that graze a corner: a division by them would blow up noise. */
#include "sums.h"
#include "vec.h"

static const double GRAZING = 1e-6;

static void invert(pri_array *a, ptrdiff_t n) {
  const double least = GRAZING * pri_vmax(a->data, n);
  for (ptrdiff_t i = 0; i < n; i++) a->data[i] = (double)a->data[i] > least ? (pri_real)(1 / (double)a->data[i]) : 0;
}

pri_status pri_sums_init(pri_ctx *ctx, pri_sums *s, pri_operator *A) {
  const pri_shape *dom = pri_operator_domain(A), *ran = pri_operator_range(A);
  const ptrdiff_t n = pri_shape_size(dom), m = pri_shape_size(ran);
  pri_array ones = {0};
  PRI_TRY(pri_array_create(ctx, &s->row, ran, 1));
  PRI_TRY(pri_array_create(ctx, &s->column, dom, 1));
  pri_fill(ctx, s->column.data, 1, n);
  PRI_TRY(pri_operator_apply(A, &s->row, &s->column));
  PRI_TRY(pri_array_create(ctx, &ones, ran, 1));
  pri_fill(ctx, ones.data, 1, m);
  const pri_status done = pri_operator_adjoint(A, &s->column, &ones);
  pri_array_destroy(&ones);
  PRI_TRY(done);
  invert(&s->row, m);
  invert(&s->column, n);
  return PRI_OK;
}

void pri_sums_fini(pri_sums *s) {
  pri_array_destroy(&s->row);
  pri_array_destroy(&s->column);
}

void pri_sums_multiply(pri_real *v, const pri_real *by, ptrdiff_t n, ptrdiff_t items) {
  for (ptrdiff_t i = 0; i < items; i++)
    for (ptrdiff_t k = 0; k < n; k++) v[i * n + k] *= by[k];
}
