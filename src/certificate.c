/* SPDX-License-Identifier: GPL-3.0-or-later */
/* certificate.c - duality gaps, in double: the only place that computes one. */
#include "certificate.h"

pri_status pri_certifier_create(pri_ctx *ctx, pri_certifier **out, const pri_problem *p) {
  (void)p;
  *out = NULL;
  return PRI_FAIL(ctx, PRI_ENOTSUP, "certificate: not built yet");
}

pri_status pri_certifier_run(pri_certifier *c, const pri_array *x, const pri_duals *d, ptrdiff_t item, pri_report *rep) {
  (void)c, (void)x, (void)d, (void)item, (void)rep;
  return PRI_ENOTSUP;
}

void pri_certifier_destroy(pri_certifier **c) { (void)c; }

pri_status pri_certificate(pri_ctx *ctx, const pri_problem *p, const pri_array *x, const pri_duals *d, double *primal, pri_bound *gap) {
  (void)p, (void)x, (void)d, (void)primal, (void)gap;
  return PRI_FAIL(ctx, PRI_ENOTSUP, "certificate: not built yet");
}
