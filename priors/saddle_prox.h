/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * saddle_prox.h - argmin_x |x - z|^2 / (2 t) + R(x) over lo <= x <= hi for any prior by its saddle face, F* an indicator (0 or infinite):
 * over-relaxed primal-dual steps (Chambolle, Pock 2011; Condat 2013) on |x - z|^2 / 2 + t R(x), as in tv_prox.c:
 *
 *   x~ = P_box((x - tau t K_x'q + tau z) / (1 + tau)),   w~ = w - tau t K_w'q,   q~ = Pi(q + sigma K (2 x~ - x, 2 w~ - w))
 *   (x, w, q) += 1.9 ((x~, w~, q~) - (x, w, q)),   sigma = 1 / (tau t |K|^2),   tau = max(0.4 / (1 + k / 5), floor)
 *
 * tau falls as the data term is 1-strongly convex; it stays from step 400 on (floor 0.005), and at 0.06 where there is a w, which is not.
 * A few steps from a warm start, as inner loops want them (no tolerance given, no w): FGP on the dual (Beck, Teboulle 2009), with restarts:
 *
 *   u = P_box(z - t K'r),   q+ = Pi(r + K u / (t |K|^2)),   r = q+ + beta (q+ - q),   x = P_box(z - t K'q)
 *
 * Certificate, with r the repaired q~: |x~ - z|^2 / 2 + t F(K(x~, w~)) - min_u |u - z|^2 / 2 + t <K'r, u> over the box, in double, and an
 * allowance for the rounding of the sums. PROVEN where the prior has value_wide and kt_wide (or pri_real is double) and no w; else ESTIMATE.
 */
#ifndef PRI_SADDLE_PROX_H
#define PRI_SADDLE_PROX_H
#include "priori/prior.h"
size_t pri_saddle_prox_scratch(const pri_saddle *s, const void *priv, ptrdiff_t n); /* bytes; n: pixels */
/* lo, hi, cert: of one item; q, w: in and out, or NULL. EPARAM: tau is not positive */
PRI_MUST_CHECK pri_status pri_saddle_prox(pri_ctx *ctx, const pri_saddle *s, const void *priv, ptrdiff_t n, pri_real *p, const pri_real *z, double lo, double hi,
                                          const pri_prox_req *req, pri_prox_cert *cert, pri_real *q, pri_real *w, void *scratch);
/* the prox slot of a class: loops over items; lo, hi: [items] or NULL */
PRI_MUST_CHECK pri_status pri_saddle_prox_items(pri_ctx *ctx, const pri_saddle *s, const void *priv, ptrdiff_t n, pri_real *p, const pri_real *z, const double *lo,
                                                const double *hi, const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch);
#endif
