/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_monitor.c - what every registered stop rule promises: it turns a PRI_GO and nothing else, each item for itself, goes on
 * through save and load as if unbroken, leaks nothing when an allocation is refused; and each rule stops where it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "alloc.h"
#include "small.h"

struct house {
  pri_ctx *base, *ctx;
  struct small_registry registry;
  struct small w;
  int problem, items;
};

static void open_house(struct house *h, const char *problem) {
  int p = 0;
  while (p < SMALL_SPECS && strcmp(small_specs[p].name, problem) != 0) p++;
  assert_int_equal(pri_open(&h->base, NULL), PRI_OK);
  small_registry_init(&h->registry, pri_ctx_registry(h->base));
  assert_int_equal(pri_ctx_create(&h->ctx, &(pri_ctx_opts){.threads = 1, .registry = &h->registry.registry}), PRI_OK);
  assert_int_equal(small_make(h->ctx, &h->w, &small_specs[p], 0, SMALL_ITEMS), PRI_OK);
  h->problem = p;
  h->items = SMALL_ITEMS;
}
static void close_house(struct house *h) {
  small_unmake(&h->w);
  assert_int_equal(pri_ctx_memory_used(h->ctx), 0);
  pri_ctx_destroy(&h->ctx);
  pri_ctx_destroy(&h->base);
}

/* runs a solver with up to two rules; verdicts and last reports out */
static pri_status run(struct house *h, const char *solver, const char *one, const char *two, pri_report *rep, pri_verdict *why) {
  pri_solver *s;
  pri_monitor *m[2] = {NULL, NULL};
  assert_int_equal(pri_solver_create(h->ctx, &s, solver, &h->w.problem, NULL), PRI_OK);
  assert_int_equal(pri_monitor_create(h->ctx, &m[0], one, &h->w.problem, h->items), PRI_OK);
  if (two) assert_int_equal(pri_monitor_create(h->ctx, &m[1], two, &h->w.problem, h->items), PRI_OK);
  const pri_status got = pri_solver_run(s, m, two ? 2 : 1, rep, why);
  pri_monitor_destroy(&m[0]);
  pri_monitor_destroy(&m[1]);
  pri_solver_destroy(&s);
  return got;
}

static void touches_no_verdict(void **state) {
  (void)state;
  struct house h;
  open_house(&h, "ls + tv in a box");
  for (const pri_kind *const *k = h.registry.registry.family[PRI_MONITORS]; *k; k++)
    for (const char *const *e = (*k)->examples; *e; e++) {
      char spec[128];
      snprintf(spec, sizeof spec, "%s%s%s", (*k)->name, **e ? ":" : "", *e);
      pri_report rep[SMALL_ITEMS];
      pri_verdict why[SMALL_ITEMS] = {PRI_DIVERGED, PRI_DIVERGED, PRI_DIVERGED};
      const pri_monitor_class *c = (const pri_monitor_class *)*k;
      void *priv = pri_calloc(h.ctx, 1, c->kind.size);
      assert_non_null(priv);
      assert_int_equal(pri_kind_parse(h.ctx, *k, priv, *e), PRI_OK);
      assert_int_equal(c->init(h.ctx, priv, &h.w.problem, SMALL_ITEMS), PRI_OK);
      for (int i = 0; i < SMALL_ITEMS; i++) /* a report that every rule would act upon */
        rep[i] = (pri_report){.k = 1000000, .objective = 1, .residual = 0, .change = 0, .gap = {0, PRI_PROVEN}, .seconds = 1e9};
      assert_int_equal(c->observe(h.ctx, priv, rep, NULL, why), PRI_OK);
      for (int i = 0; i < SMALL_ITEMS; i++)
        if (why[i] != PRI_DIVERGED) fail_msg("%s turns a verdict that was given", spec);
      if (c->fini) c->fini(h.ctx, priv);
      pri_kind_release(h.ctx, *k, priv);
      pri_free(h.ctx, priv);
    }
  close_house(&h);
}

static pri_status little_work(pri_ctx *ctx, void *arg) {
  struct small w;
  pri_monitor *m = NULL;
  pri_status s = small_make(ctx, &w, &small_specs[2], 0, 1);
  if (s == PRI_OK) s = pri_monitor_create(ctx, &m, arg, &w.problem, 1);
  pri_monitor_destroy(&m);
  small_unmake(&w);
  return s;
}

static void survives_refusals(void **state) {
  (void)state;
  struct house h;
  open_house(&h, "ls + tv in a box");
  for (const pri_kind *const *k = h.registry.registry.family[PRI_MONITORS]; *k; k++) {
    char spec[128];
    snprintf(spec, sizeof spec, "%s%s%s", (*k)->name, *(*k)->examples[0] ? ":" : "", (*k)->examples[0]);
    const char *why = test_every_allocation(&h.registry.registry, little_work, spec);
    if (why) fail_msg("%s: %s", spec, why);
  }
  close_house(&h);
}

/* every rule, with a budget beside it: verdicts and steps are those of an unbroken run when the run is cut after 9 steps */
static void goes_on(void **state) {
  (void)state;
  struct house h;
  open_house(&h, "ls + tv in a box");
  static const char *const rules[] = {"gap:1e-2", "change:1e-4", "stall:tol=1e-3,count=5", "discrepancy:1.1", "steps:30"};
  for (size_t j = 0; j < sizeof rules / sizeof *rules; j++) {
    pri_report a[SMALL_ITEMS], b[SMALL_ITEMS];
    pri_verdict wa[SMALL_ITEMS], wb[SMALL_ITEMS];
    pri_solver *s;
    pri_monitor *m, *budget, *both[2];
    assert_int_equal(run(&h, "pdhg", rules[j], "steps:400", a, wa), PRI_OK);
    assert_int_equal(pri_solver_create(h.ctx, &s, "pdhg", &h.w.problem, NULL), PRI_OK);
    assert_int_equal(pri_monitor_create(h.ctx, &m, rules[j], &h.w.problem, SMALL_ITEMS), PRI_OK);
    assert_int_equal(pri_monitor_create(h.ctx, &budget, "steps:9", &h.w.problem, SMALL_ITEMS), PRI_OK);
    both[0] = m, both[1] = budget;
    assert_int_equal(pri_solver_run(s, both, 2, NULL, NULL), PRI_OK);
    const char *path = sizeof(pri_real) == sizeof(float) ? "conf_monitor_float.state" : "conf_monitor_double.state";
    assert_int_equal(pri_solver_save(s, &m, 1, path), PRI_OK);
    pri_monitor_destroy(&m);
    pri_monitor_destroy(&budget);
    pri_solver_destroy(&s);
    assert_int_equal(pri_solver_create(h.ctx, &s, "pdhg", &h.w.problem, NULL), PRI_OK);
    assert_int_equal(pri_monitor_create(h.ctx, &m, rules[j], &h.w.problem, SMALL_ITEMS), PRI_OK);
    assert_int_equal(pri_monitor_create(h.ctx, &budget, "steps:400", &h.w.problem, SMALL_ITEMS), PRI_OK);
    both[0] = m, both[1] = budget;
    assert_int_equal(pri_solver_load(s, &m, 1, path), PRI_OK);
    unlink(path);
    assert_int_equal(pri_solver_run(s, both, 2, b, wb), PRI_OK);
    for (int i = 0; i < SMALL_ITEMS; i++)
      if (wa[i] != wb[i] || a[i].k != b[i].k)
        fail_msg("%s: item %d %s after %ld steps unbroken, %s after %ld in two", rules[j], i, pri_verdict_name(wa[i]), a[i].k, pri_verdict_name(wb[i]), b[i].k);
    pri_monitor_destroy(&m);
    pri_monitor_destroy(&budget);
    pri_solver_destroy(&s);
  }
  close_house(&h);
}

static void steps_are_counted(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  open_house(&h, "ls in a half line");
  assert_int_equal(run(&h, "sirt", "steps:17", NULL, r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) {
    assert_int_equal(why[i], PRI_OUT_OF_STEPS);
    assert_int_equal(r[i].k, 17);
    assert_true(r[i].applies == 17 && r[i].adjoints == 17);
  }
  close_house(&h);
}

static void gap_is_met_and_proven(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  open_house(&h, "ls + tv in a box");
  assert_int_equal(run(&h, "pdhg", "gap:1e-3", "steps:5000", r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) {
    assert_int_equal(why[i], PRI_CONVERGED);
    assert_true(r[i].gap.trust == PRI_PROVEN && r[i].gap.value <= 1e-3 * r[i].objective);
    assert_true(r[i].certifying > 0 && r[i].certifying < r[i].applies + r[i].adjoints); /* sparse */
  }
  close_house(&h);
}

/* steps, passes and certificates of an item are its own: the same alone and in company, wherever it stands */
static void gap_looks_at_each_item_by_itself(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS], one;
  pri_verdict why[SMALL_ITEMS], w;
  open_house(&h, "ls + tv in a box");
  assert_int_equal(run(&h, "pdhg", "gap:1e-3", "steps:5000", r, why), PRI_OK);
  struct small together = h.w;
  for (int i = 0; i < SMALL_ITEMS; i++) {
    assert_int_equal(small_make(h.ctx, &h.w, &small_specs[h.problem], i, 1), PRI_OK);
    h.items = 1;
    assert_int_equal(run(&h, "pdhg", "gap:1e-3", "steps:5000", &one, &w), PRI_OK);
    if (one.k != r[i].k || one.applies != r[i].applies || one.certifying != r[i].certifying || one.gap.value != r[i].gap.value)
      fail_msg("item %d: %ld steps, %g applications for certificates, gap %a alone; %ld, %g, %a in company", i, one.k, one.certifying, one.gap.value, r[i].k,
               r[i].certifying, r[i].gap.value);
    small_unmake(&h.w);
  }
  h.w = together;
  close_house(&h);
}

static int named_double;
static void listen(void *cookie, pri_verbosity v, const char *line) {
  (void)cookie, (void)v;
  if (strstr(line, "--precision double")) named_double = 1;
}

/* no arithmetic reaches 1e-15: the rule gives up by itself, and in single precision names the way out */
static void floor_is_named(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  open_house(&h, "ls + tv in a box");
  pri_ctx *loud;
  assert_int_equal(pri_ctx_create(&loud, &(pri_ctx_opts){.threads = 1, .registry = &h.registry.registry, .log = listen, .verbosity = PRI_LOG_WARN}), PRI_OK);
  struct small quiet = h.w;
  assert_int_equal(small_make(loud, &h.w, &small_specs[2], 0, SMALL_ITEMS), PRI_OK);
  pri_ctx *const kept = h.ctx;
  h.ctx = loud;
  named_double = 0;
  assert_int_equal(run(&h, "spdhg", "gap:1e-15", "steps:100000", r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) assert_int_equal(why[i], PRI_STOPPED_EARLY);
  assert_int_equal(named_double, sizeof(pri_real) == sizeof(float));
  small_unmake(&h.w);
  pri_ctx_destroy(&loud);
  h.ctx = kept;
  h.w = quiet;
  close_house(&h);
}

static void gap_needs_duals(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  open_house(&h, "ls in a half line");
  assert_int_equal(run(&h, "sirt", "gap:1e-3", "steps:50", r, why), PRI_ENOTSUP);
  assert_non_null(strstr(pri_ctx_message(h.ctx), "pdhg"));
  close_house(&h);
}

static void discrepancy_needs_noise(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  pri_monitor *m;
  open_house(&h, "ls in a half line");
  assert_int_equal(run(&h, "cgls", "discrepancy", "steps:50", r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) {
    assert_int_equal(why[i], PRI_CONVERGED);
    assert_true(r[i].residual <= 1.02 * 0.1 * sqrt(SMALL_ROWS));
  }
  h.w.problem.noise = NAN;
  assert_int_equal(pri_monitor_create(h.ctx, &m, "discrepancy", &h.w.problem, SMALL_ITEMS), PRI_EPARAM);
  assert_non_null(strstr(pri_ctx_message(h.ctx), "--noise-level"));
  close_house(&h);
}

static void time_runs_out(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  open_house(&h, "ls in a half line");
  assert_int_equal(run(&h, "sirt", "time:0s", NULL, r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) {
    assert_int_equal(why[i], PRI_OUT_OF_TIME);
    assert_int_equal(r[i].k, 1); /* the step that was under way */
  }
  close_house(&h);
}

static void slow_and_stalled(void **state) {
  (void)state;
  struct house h;
  pri_report r[SMALL_ITEMS];
  pri_verdict why[SMALL_ITEMS];
  open_house(&h, "ls + tv in a box");
  assert_int_equal(run(&h, "fista", "change:1e-4", "steps:5000", r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) assert_true(why[i] == PRI_CONVERGED && r[i].change <= 1e-4);
  assert_int_equal(run(&h, "pdhg", "stall:tol=1e-3,count=30", "steps:5000", r, why), PRI_OK);
  for (int i = 0; i < SMALL_ITEMS; i++) assert_true(why[i] == PRI_STOPPED_EARLY && r[i].k > 30 && r[i].k < 5000);
  close_house(&h);
}

int conf_monitor(void);
int conf_monitor(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(touches_no_verdict), cmocka_unit_test(survives_refusals), cmocka_unit_test(goes_on), cmocka_unit_test(steps_are_counted),
      cmocka_unit_test(gap_is_met_and_proven), cmocka_unit_test(gap_looks_at_each_item_by_itself), cmocka_unit_test(floor_is_named), cmocka_unit_test(gap_needs_duals),
      cmocka_unit_test(discrepancy_needs_noise), cmocka_unit_test(time_runs_out), cmocka_unit_test(slow_and_stalled)};
  return cmocka_run_group_tests_name("conf_monitor", tests, NULL, NULL);
}
