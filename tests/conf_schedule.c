/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_schedule.c - noise schedules x_t = alpha x0 + sigma eps: noisiest first, levels that can be inverted, derivatives that are the
 * derivatives; and the conversions of what a network predicts. No schedule is registered yet: two of the test's own fill the slot.
 *   vp:   alpha = cos(pi t / 2), sigma = sin(pi t / 2)        flow: alpha = 1 - t, sigma = t
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "alloc.h"
#include "conf.h"
#include "predict.h"
#include "priori/priori.h"

static const double QUARTER = 1.5707963267948966; /* pi / 2 */

struct own {
  long steps;
  long lie; /* 1: wrong derivative, 2: backwards */
  int form;
};
static pri_status init(pri_ctx *ctx, void *priv) {
  (void)ctx, (void)priv;
  return PRI_OK;
}
static long steps(const void *priv) { return ((const struct own *)priv)->steps; }
static pri_level at(const void *priv, long i) {
  const struct own *o = priv;
  const long k = o->lie == 2 ? i : o->steps - 1 - i;
  const double t = ((double)k + 0.5) / (double)o->steps, wrong = o->lie == 1 ? 1.1 : 1;
  if (o->form) return (pri_level){t, 1 - t, t, -wrong, 1, 1};
  return (pri_level){t, cos(QUARTER * t), sin(QUARTER * t), -QUARTER * sin(QUARTER * t) * wrong, QUARTER * cos(QUARTER * t), 1};
}
static const char *const forms[] = {"vp", "flow", NULL};
static const pri_param rows[] = {
    {.name = "steps", .unit = "1", .help = "levels", .type = PRI_INT, .offset = offsetof(struct own, steps), .min = 1, .max = 10000, .def = 50},
    {.name = "form", .unit = "-", .help = "law", .type = PRI_CHOICE, .offset = offsetof(struct own, form), .choices = forms},
    {.name = "lie", .unit = "1", .help = "what is wrong", .type = PRI_INT, .offset = offsetof(struct own, lie), .min = 0, .max = 2},
    {0}};
static const char *const examples[] = {"steps=50", "steps=3,form=flow", "steps=1", NULL};
static const pri_schedule_class own = {.kind = {"own", "schedules of the test", "", sizeof(struct own), rows, examples}, .init = init, .steps = steps, .at = at};

static const pri_kind *kinds[64];
static pri_registry registry;

static int noisiest_first(const pri_schedule *s, long n) {
  for (long i = 0; i < n; i++) {
    const pri_level l = pri_schedule_at(s, i);
    if (!(l.alpha >= 0 && l.sigma >= 0 && l.alpha + l.sigma > 0 && isfinite(l.weight))) return NOT("level %ld: alpha %g, sigma %g", i, l.alpha, l.sigma);
    if (i > 0 && !(l.sigma * pri_schedule_at(s, i - 1).alpha <= l.alpha * pri_schedule_at(s, i - 1).sigma)) return NOT("level %ld is noisier than %ld", i, i - 1);
  }
  return 1;
}

/* alpha(t_{i+1}) - alpha(t_i) = (dalpha_i + dalpha_{i+1}) / 2 (t_{i+1} - t_i) up to the third power of the step */
static int has_derivatives(const pri_schedule *s, long n) {
  for (long i = 0; i + 1 < n; i++) {
    const pri_level a = pri_schedule_at(s, i), b = pri_schedule_at(s, i + 1);
    const double dt = b.t - a.t, bound = 4 * fabs(dt * dt * dt) + 1e-12;
    if (fabs(b.alpha - a.alpha - dt * (a.dalpha + b.dalpha) / 2) > bound || fabs(b.sigma - a.sigma - dt * (a.dsigma + b.dsigma) / 2) > bound)
      return NOT("level %ld: dalpha or dsigma is no derivative", i);
  }
  return 1;
}

static pri_status create(pri_ctx *ctx, void *spec) {
  pri_schedule *s = NULL;
  const pri_status status = pri_schedule_create(ctx, &s, spec);
  pri_schedule_destroy(&s);
  return status;
}

static int conforms(char *spec) {
  pri_ctx *ctx;
  pri_schedule *s = NULL;
  const pri_ctx_opts opts = {.registry = &registry};
  assert_int_equal(pri_ctx_create(&ctx, &opts), PRI_OK);
  int ok = pri_schedule_create(ctx, &s, spec) == PRI_OK ? 1 : NOT("%s", pri_ctx_message(ctx));
  const long n = ok ? pri_schedule_steps(s) : 0;
  ok = ok && (n >= 1 ? 1 : NOT("no levels")) && noisiest_first(s, n) && has_derivatives(s, n);
  pri_schedule_destroy(&s);
  if (pri_ctx_memory_used(ctx) != 0) ok = NOT("something leaks");
  pri_ctx_destroy(&ctx);
  const char *why = ok ? test_every_allocation(&registry, create, spec) : NULL;
  return why ? NOT("%s", why) : ok;
}

static void every_schedule_conforms(void **state) {
  (void)state;
  test_examples(kinds, conforms);
}

static void lies_are_found(void **state) {
  (void)state;
  test_lie("own", "1", conforms);
  test_lie("own", "2", conforms);
}

/* What is predicted, made from known x0 and eps, must give back x0. */
static double predicted(pri_predicts kind, const pri_level *l, double x0, double eps) {
  switch (kind) {
  case PRI_PREDICTS_X0: return x0;
  case PRI_PREDICTS_EPS: return eps;
  case PRI_PREDICTS_VELOCITY: return l->dalpha * x0 + l->dsigma * eps;
  case PRI_PREDICTS_V: return l->alpha * eps - l->sigma * x0;
  case PRI_PREDICTS_SCORE: return -eps / l->sigma;
  }
  return NAN;
}

static void predictions_give_x0(void **state) {
  (void)state;
  enum { N = 64 };
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  const pri_level levels[] = {at(&(struct own){.steps = 10}, 3), at(&(struct own){.steps = 10, .form = 1}, 6), {1, 1, 3, 0, 1, 1} /* VE */};
  for (int l = 0; l < 3; l++)
    for (int kind = PRI_PREDICTS_X0; kind <= PRI_PREDICTS_SCORE; kind++) {
      pri_real p[N], xt[N];
      double x0[N];
      for (int i = 0; i < N; i++) {
        const double eps = pri_rng_normal_at(1, "eps", (uint64_t)i);
        x0[i] = pri_rng_uniform_at(1, "x0", (uint64_t)i);
        xt[i] = (pri_real)(levels[l].alpha * x0[i] + levels[l].sigma * eps);
        p[i] = (pri_real)predicted((pri_predicts)kind, &levels[l], x0[i], eps);
      }
      pri_predict_x0(ctx, p, xt, (pri_predicts)kind, &levels[l], N);
      for (int i = 0; i < N; i++) /* |u xt| + |w p| <= 40 here: so many roundings of pri_real */
        if (fabs((double)p[i] - x0[i]) > (sizeof(pri_real) == 4 ? 40 * 1.2e-7 : 40 * 2.3e-16)) fail_msg("kind %d, level %d: %.9g for %.9g", kind, l, (double)p[i], x0[i]);
    }
  pri_ctx_destroy(&ctx);
}

static int setup(void **state) {
  (void)state;
  pri_ctx *ctx;
  int n = 0;
  if (pri_open(&ctx, NULL) != PRI_OK) return -1;
  registry = *pri_ctx_registry(ctx);
  for (const pri_kind *const *k = registry.family[PRI_SCHEDULES]; *k && n < 62; k++) kinds[n++] = *k;
  kinds[n] = &own.kind;
  registry.family[PRI_SCHEDULES] = kinds;
  pri_ctx_destroy(&ctx);
  return 0;
}

int conf_schedule(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_schedule_conforms), cmocka_unit_test(lies_are_found), cmocka_unit_test(predictions_give_x0)};
  return cmocka_run_group_tests_name("conf_schedule", tests, setup, NULL);
}
