/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rl_tv.c - see rl_tv.h. */
#include "rl_tv.h"
#include <math.h>
#include "par.h"
#include "vec.h"

pri_status pri_rl_tv_init(pri_ctx *ctx, pri_rl_tv *v, const pri_shape *dom) {
  PRI_TRY(pri_stencil_init(ctx, "rl", &v->s, NULL, dom));
  const pri_shape fields = pri_stencil_fields(&v->s, dom);
  PRI_TRY(pri_array_create(ctx, &v->fields, &fields, 1));
  PRI_TRY(pri_array_create(ctx, &v->t, dom, 1));
  PRI_ALLOC(ctx, v->part, (v->s.n + PRI_VEC_BLOCK - 1) / PRI_VEC_BLOCK);
  return PRI_OK;
}

void pri_rl_tv_fini(pri_ctx *ctx, pri_rl_tv *v) {
  pri_array_destroy(&v->fields);
  pri_array_destroy(&v->t);
  pri_free(ctx, v->part);
}

/* q /= sqrt(|q|^2 + beta^2), pixel by pixel */
static pri_status normalise(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const pri_rl_tv *v = arg;
  const ptrdiff_t n = v->s.n;
  (void)worker;
  for (ptrdiff_t b = first; b < last; b++) {
    double sum = 0;
    for (ptrdiff_t i = b * PRI_VEC_BLOCK; i < n && i < (b + 1) * PRI_VEC_BLOCK; i++) {
      double square = v->beta * v->beta;
      for (int a = 0; a < v->s.nd; a++) square += (double)v->fields.data[a * n + i] * (double)v->fields.data[a * n + i];
      const double root = sqrt(square);
      sum += root - v->beta;
      for (int a = 0; a < v->s.nd; a++) v->fields.data[a * n + i] = (pri_real)((double)v->fields.data[a * n + i] / root);
    }
    v->part[b] = sum;
  }
  return PRI_OK;
}

void pri_rl_tv_slope(pri_ctx *ctx, pri_rl_tv *v, const pri_real *x, double beta, double *value) {
  const ptrdiff_t blocks = (v->s.n + PRI_VEC_BLOCK - 1) / PRI_VEC_BLOCK;
  v->beta = beta;
  pri_stencil_forward(ctx, &v->s, v->fields.data, x, 1);
  (void)pri_par_for(ctx, blocks, 4, normalise, v); /* cannot fail */
  pri_fill(ctx, v->t.data, 0, v->s.n);
  pri_stencil_adjoint(ctx, &v->s, v->t.data, v->fields.data, 1);
  *value = 0;
  for (ptrdiff_t b = 0; b < blocks; b++) *value += v->part[b];
}
