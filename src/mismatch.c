/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mismatch.c - is the adjoint the adjoint? |<A x, u> - <x, A'u>| / max(|A x| |u|, |x| |A'u|), worst of `probes` probes that take turns:
 * both random; one pixel against random data; random image against one datum. (A global probe averages local errors away.)
 * The larger product: a transform rounds relative to all that goes through it, so a pixel that A hardly sees says nothing about A'.
 */
#include <math.h>
#include "priori/operator.h"
#include "priori/rng.h"
#include "vec.h"

struct probe {
  pri_array x, u, Ax, Au;
};

static pri_status create(pri_ctx *ctx, struct probe *p, const pri_operator *A) {
  PRI_TRY(pri_array_create(ctx, &p->x, pri_operator_domain(A), 1));
  PRI_TRY(pri_array_create(ctx, &p->Au, pri_operator_domain(A), 1));
  PRI_TRY(pri_array_create(ctx, &p->u, pri_operator_range(A), 1));
  return pri_array_create(ctx, &p->Ax, pri_operator_range(A), 1);
}

static void destroy(struct probe *p) {
  pri_array_destroy(&p->x);
  pri_array_destroy(&p->u);
  pri_array_destroy(&p->Ax);
  pri_array_destroy(&p->Au);
}

static void draw(pri_ctx *ctx, pri_array *a, uint64_t seed, const char *stream, int k, int local) {
  const ptrdiff_t n = pri_shape_size(&a->shape);
  if (!local) {
    pri_rng_normal(seed, stream, (uint64_t)k * (uint64_t)n, a->data, (size_t)n);
    return;
  }
  pri_fill(ctx, a->data, 0, n);
  a->data[(ptrdiff_t)(pri_rng_uniform_at(seed, stream, (uint64_t)k) * (double)n)] = 1;
}

static pri_status one(pri_ctx *ctx, const pri_operator *A, struct probe *p, double *mismatch) {
  const ptrdiff_t n = pri_shape_size(&p->x.shape), m = pri_shape_size(&p->u.shape);
  PRI_TRY(pri_operator_apply(A, &p->Ax, &p->x));
  PRI_TRY(pri_operator_adjoint(A, &p->Au, &p->u));
  const double a = pri_dot(ctx, p->Ax.data, p->u.data, m), b = pri_dot(ctx, p->x.data, p->Au.data, n);
  const double scale = fmax(sqrt(pri_norm2sq(ctx, p->Ax.data, m) * pri_norm2sq(ctx, p->u.data, m)),
                            sqrt(pri_norm2sq(ctx, p->Au.data, n) * pri_norm2sq(ctx, p->x.data, n)));
  *mismatch = scale > 0 ? fabs(a - b) / scale : 0;
  return isfinite(*mismatch) ? PRI_OK : PRI_FAIL(ctx, PRI_ENUMERIC, "adjoint test: the operator returns values that are not finite");
}

pri_status pri_operator_mismatch(const pri_operator *A, uint64_t seed, int probes, double *worst) {
  struct probe p = {{0}, {0}, {0}, {0}};
  pri_ctx *ctx = pri_operator_ctx(A);
  pri_status s = create(ctx, &p, A);
  *worst = 0;
  for (int k = 0; s == PRI_OK && k < probes; k++) {
    double mismatch = 0;
    draw(ctx, &p.x, seed, "adjoint x", k, k % 3 == 1);
    draw(ctx, &p.u, seed, "adjoint u", k, k % 3 == 2);
    s = one(ctx, A, &p, &mismatch);
    if (mismatch > *worst) *worst = mismatch;
  }
  destroy(&p);
  return s;
}
