/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linalg.c - see linalg.h. Sums run in index order on one thread: the same bits everywhere. */
#include "linalg.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

static int all_finite(const double *a, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++)
    if (!isfinite(a[i])) return 0;
  return 1;
}

static pri_status gelsd(pri_ctx *ctx, double *x, double *a, double *b, double *s, ptrdiff_t m, ptrdiff_t n, int *rank) {
  lapack_int r = 0;
  const lapack_int info = LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (lapack_int)m, (lapack_int)n, 1, a, (lapack_int)n, b, 1, s, 1e-13, &r);
  if (info != 0) return PRI_FAIL(ctx, PRI_EEXTERN, "least squares: LAPACK dgelsd returned %d", (int)info);
  memcpy(x, b, (size_t)n * sizeof *x);
  if (rank) *rank = (int)r;
  return PRI_OK;
}

pri_status pri_linalg_lstsq(pri_ctx *ctx, double *x, const double *A, const double *b, ptrdiff_t m, ptrdiff_t n, int *rank) {
  if (n < 1 || m < n || m > 1 << 24 || n > 4096)
    return PRI_FAIL(ctx, PRI_EPARAM, "least squares: %td equations for %td unknowns (n in [1, 4096], m in [n, 2^24])", m, n);
  if (!all_finite(A, m * n) || !all_finite(b, m)) return PRI_FAIL(ctx, PRI_ENUMERIC, "least squares: the equations are not finite");
  double *a;
  PRI_ALLOC(ctx, a, (m + 1) * n + m); /* A, b, singular values: LAPACK overwrites all three */
  memcpy(a, A, (size_t)(m * n) * sizeof *a);
  memcpy(a + m * n, b, (size_t)m * sizeof *a);
  const pri_status s = gelsd(ctx, x, a, a + m * n, a + m * n + m, m, n, rank);
  pri_free(ctx, a);
  return s;
}

static double dot(const double *a, const double *b, ptrdiff_t n) {
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

pri_status pri_linalg_cg(pri_ctx *ctx, double *x, const double *b, ptrdiff_t n, pri_linalg_fn B, void *arg, const pri_linalg_cg_opts *opts,
                         double *work, long *steps, double *residual) {
  double *r = work, *p = work + n, *q = work + 2 * n;
  const double size = sqrt(dot(b, b, n));
  long k = 0;
  PRI_TRY(B(arg, q, x));
  for (ptrdiff_t i = 0; i < n; i++) p[i] = r[i] = b[i] - q[i];                   /* r_0 = b - B x_0 = p_0 */
  double rr = dot(r, r, n);
  for (; k < opts->steps && sqrt(rr) > opts->tolerance * size; k++) {
    PRI_TRY(B(arg, q, p));
    const double pq = dot(p, q, n);
    if (!(pq > 0)) return PRI_FAIL(ctx, PRI_ENUMERIC, "conjugate gradients: <p, B p> = %g in step %ld, B is not positive definite", pq, k + 1);
    const double alpha = rr / pq, before = rr;
    for (ptrdiff_t i = 0; i < n; i++) x[i] += alpha * p[i], r[i] -= alpha * q[i];
    rr = dot(r, r, n);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = r[i] + rr / before * p[i];           /* beta = |r_k+1|^2 / |r_k|^2 */
  }
  if (steps) *steps = k;
  if (residual) *residual = size > 0 ? sqrt(rr) / size : sqrt(rr);
  return PRI_OK;
}
