/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_saddle_prox.c - the certificate of priors/saddle_prox.c: an image far from zero can meet it, and nothing is proven by float alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../priors/saddle_prox.h"
#include "priori/priori.h"

enum { SIDE = 48, N = SIDE * SIDE };
static pri_real z[N], p[N];

static pri_prior *make(pri_ctx *ctx, const char *spec) {
  const pri_shape dom = pri_shape_2d(SIDE, SIDE);
  pri_prior *R;
  if (pri_prior_create(ctx, &R, spec, NULL, &dom) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  return R;
}

static pri_prox_cert prox_of(pri_ctx *ctx, const pri_prior_class *c, const void *priv, double tol, long most) {
  const pri_prox_req req = {.tau = 1, .tol = tol, .max_inner = most};
  pri_prox_cert cert;
  void *scratch = pri_calloc(ctx, c->scratch(priv), 1);
  assert_int_equal(c->variational->prox(ctx, priv, p, z, NULL, NULL, &req, &cert, NULL, NULL, 1, scratch), PRI_OK);
  pri_free(ctx, scratch);
  return cert;
}

/* 30000 and noise of 1. K x of a constant is nothing; in float its rounding (30000 eps a coefficient) was as large as what is left of the prior, so
   that no number of steps met the gap. Haar: what K x is is exact but for that. */
static void far_from_zero(void **state) {
  (void)state;
  pri_ctx *ctx;
  const void *priv;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_rng_normal(7, "z", 0, z, N);
  for (int i = 0; i < N; i++) z[i] += 30000;
  pri_prior *R = make(ctx, "wavelet:weight=1.5,family=haar,border=periodic");
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  const pri_prox_cert cert = prox_of(ctx, c, priv, 3e-3, 300);
  assert_true(cert.gap.value <= 3e-3 && cert.gap.trust == PRI_PROVEN);
  pri_prior_destroy(&R);
  pri_ctx_destroy(&ctx);
}

/* the same face without its slots in double */
static void float_alone_proves_nothing(void **state) {
  static const char *const specs[] = {"wavelet:weight=0.1", "hessian-schatten:weight=0.1"};
  (void)state;
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, NULL), PRI_OK);
  pri_rng_normal(7, "z", 0, z, N);
  for (int i = 0; i < 2; i++)
    for (int narrow = 0; narrow < 3; narrow++) {
      const void *priv;
      pri_prior *R = make(ctx, specs[i]);
      pri_saddle s = *pri_prior_class_of(R, &priv)->saddle;
      pri_prox_cert cert;
      if (narrow == 1) s.value_wide = NULL;
      if (narrow == 2) s.kt_wide = NULL;
      void *scratch = pri_calloc(ctx, pri_saddle_prox_scratch(&s, priv, N), 1);
      const pri_prox_req req = {.tau = 1, .tol = 1e-3, .max_inner = 500};
      assert_int_equal(pri_saddle_prox(ctx, &s, priv, N, p, z, -1, 1, &req, &cert, NULL, NULL, scratch), PRI_OK);
      assert_true(cert.gap.value <= 1e-3);
      assert_int_equal(cert.gap.trust, narrow && sizeof(pri_real) == sizeof(float) ? PRI_ESTIMATE : PRI_PROVEN);
      pri_free(ctx, scratch);
      pri_prior_destroy(&R);
    }
  pri_ctx_destroy(&ctx);
}

int unit_saddle_prox(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(far_from_zero), cmocka_unit_test(float_alone_proves_nothing)};
  return cmocka_run_group_tests_name("unit_saddle_prox", tests, NULL, NULL);
}
