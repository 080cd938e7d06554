/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_solver.c - what every registered solver promises, for each of its examples and each small problem that it takes: a misfit says
 * why; a step allocates nothing; an item has the same bits alone and in company, with any number of threads, and unbroken or through
 * save and load; a frozen item keeps its bits; NaN data end with a finite image; every refused allocation is PRI_ENOMEM; iterates
 * are in the box.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "alloc.h"
#include "small.h"

enum { STEPS = 12, EARLY = 7 };
struct subject {
  const struct small_spec *problem;
  char spec[160];
};
struct house {
  pri_ctx *base;
  struct small_registry registry;
};

static void open_house(struct house *h) {
  assert_int_equal(pri_open(&h->base, NULL), PRI_OK);
  small_registry_init(&h->registry, pri_ctx_registry(h->base));
}

static pri_ctx *context(struct house *h, int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_ctx_create(&ctx, &(pri_ctx_opts){.threads = threads, .registry = &h->registry.registry}), PRI_OK);
  return ctx;
}

static void must(pri_ctx *ctx, const struct subject *s, pri_status got) {
  if (got != PRI_OK) fail_msg("%s on %s: %s", s->spec, s->problem->name, pri_ctx_message(ctx));
}

#define HOLDS(cond, ...)                                                           \
  do {                                                                             \
    if (!(cond)) {                                                                 \
      print_error("%s on %s: ", s->spec, s->problem->name);                        \
      fail_msg(__VA_ARGS__);                                                       \
    }                                                                              \
  } while (0)

/* ---- one run: items first ... of the problem, images into x [items][SMALL_COLS] */

struct run {
  struct small w;
  pri_solver *s;
};
static void begin(pri_ctx *ctx, struct run *r, const struct subject *s, ptrdiff_t first, ptrdiff_t items) {
  must(ctx, s, small_make(ctx, &r->w, s->problem, first, items));
  must(ctx, s, pri_solver_create(ctx, &r->s, s->spec, &r->w.problem, NULL));
}
static void steps(pri_ctx *ctx, struct run *r, const struct subject *s, int n) {
  for (int k = 0; k < n; k++) must(ctx, s, pri_solver_step(r->s, PRI_WANT_OBJECTIVE | PRI_WANT_RESIDUAL, NULL));
}
static void take(const struct run *r, pri_real *x, ptrdiff_t items) {
  memcpy(x, pri_solver_iterate(r->s)->data, (size_t)items * SMALL_COLS * sizeof *x);
}
static void end(struct run *r) {
  pri_solver_destroy(&r->s);
  small_unmake(&r->w);
}
static void whole_run(struct house *h, const struct subject *s, int threads, ptrdiff_t first, ptrdiff_t items, pri_real *x) {
  pri_ctx *ctx = context(h, threads);
  struct run r;
  begin(ctx, &r, s, first, items);
  steps(ctx, &r, s, STEPS);
  take(&r, x, items);
  end(&r);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* ---- the checks */

static void same_bits(struct house *h, const struct subject *s) {
  pri_real all[SMALL_ITEMS * SMALL_COLS], other[SMALL_ITEMS * SMALL_COLS];
  whole_run(h, s, 1, 0, SMALL_ITEMS, all);
  for (int t = 2; t <= 8; t += t == 2 ? 1 : 5) {
    whole_run(h, s, t, 0, SMALL_ITEMS, other);
    HOLDS(!memcmp(all, other, sizeof all), "other bits with %d threads", t);
  }
  for (int i = 0; i < SMALL_ITEMS; i++) {
    whole_run(h, s, 1, i, 1, other);
    HOLDS(!memcmp(all + i * SMALL_COLS, other, SMALL_COLS * sizeof *all), "item %d has other bits alone", i);
  }
  for (int i = 0; i < SMALL_ITEMS * SMALL_COLS; i++)
    HOLDS((double)all[i] >= s->problem->lo && (double)all[i] <= s->problem->hi, "pixel %d is %g, outside the box", i, (double)all[i]);
}

static void in_two_halves(struct house *h, const struct subject *s) {
  const char *path = sizeof(pri_real) == sizeof(float) ? "conf_solver_float.state" : "conf_solver_double.state";
  pri_real whole[SMALL_ITEMS * SMALL_COLS], halves[SMALL_ITEMS * SMALL_COLS];
  pri_ctx *ctx = context(h, 1);
  struct run r;
  begin(ctx, &r, s, 0, SMALL_ITEMS);
  steps(ctx, &r, s, EARLY);
  must(ctx, s, pri_solver_save(r.s, NULL, 0, path));
  steps(ctx, &r, s, STEPS - EARLY);
  take(&r, whole, SMALL_ITEMS);
  end(&r);
  begin(ctx, &r, s, 0, SMALL_ITEMS);
  must(ctx, s, pri_solver_load(r.s, NULL, 0, path));
  unlink(path);
  steps(ctx, &r, s, STEPS - EARLY);
  take(&r, halves, SMALL_ITEMS);
  end(&r);
  HOLDS(!memcmp(whole, halves, sizeof whole), "a run through save and load has other bits");
  pri_ctx_destroy(&ctx);
}

static void allocates_nothing(struct house *h, const struct subject *s) {
  pri_ctx *ctx = context(h, 2);
  struct run r;
  must(ctx, s, small_make(ctx, &r.w, s->problem, 0, SMALL_ITEMS));
  r.w.problem.gap_goal = isfinite(s->problem->hi) ? 1e-3 : 0; /* the certifier is made at creation then */
  must(ctx, s, pri_solver_create(ctx, &r.s, s->spec, &r.w.problem, NULL));
  const long before = pri_ctx_allocations(ctx);
  for (int k = 0; k < STEPS; k++)
    must(ctx, s, pri_solver_step(r.s, PRI_WANT_OBJECTIVE | PRI_WANT_RESIDUAL | (r.w.problem.gap_goal > 0 ? PRI_WANT_GAP : 0), NULL));
  HOLDS(pri_ctx_allocations(ctx) == before, "steps allocate %ld times", pri_ctx_allocations(ctx) - before);
  end(&r);
  pri_ctx_destroy(&ctx);
}

static void freezes(struct house *h, const struct subject *s) {
  pri_real all[SMALL_ITEMS * SMALL_COLS], early[SMALL_ITEMS * SMALL_COLS], late[SMALL_ITEMS * SMALL_COLS];
  pri_ctx *ctx = context(h, 1);
  struct run r;
  whole_run(h, s, 1, 0, SMALL_ITEMS, all);
  begin(ctx, &r, s, 0, SMALL_ITEMS);
  steps(ctx, &r, s, EARLY);
  take(&r, early, SMALL_ITEMS);
  pri_solver_freeze(r.s, 1, PRI_STOPPED_EARLY);
  steps(ctx, &r, s, STEPS - EARLY);
  take(&r, late, SMALL_ITEMS);
  HOLDS(!memcmp(early + SMALL_COLS, late + SMALL_COLS, SMALL_COLS * sizeof *late), "a frozen item moves");
  HOLDS(!memcmp(all, late, SMALL_COLS * sizeof *late), "a frozen neighbour changes item 0");
  HOLDS(!memcmp(all + 2 * SMALL_COLS, late + 2 * SMALL_COLS, SMALL_COLS * sizeof *late), "a frozen neighbour changes item 2");
  pri_solver_freeze(r.s, 1, PRI_GO); /* goes on where it stopped, its neighbours ahead of it */
  pri_solver_freeze(r.s, 0, PRI_STOPPED_EARLY);
  steps(ctx, &r, s, STEPS - EARLY);
  take(&r, late, SMALL_ITEMS);
  HOLDS(!memcmp(all + SMALL_COLS, late + SMALL_COLS, SMALL_COLS * sizeof *late), "an item that was frozen goes on with other bits");
  end(&r);
  pri_ctx_destroy(&ctx);
}

static void ends_on_nan(struct house *h, const struct subject *s) {
  pri_ctx *ctx = context(h, 1);
  struct run r;
  pri_monitor *m;
  pri_verdict why[SMALL_ITEMS] = {PRI_GO, PRI_GO, PRI_GO};
  must(ctx, s, small_make(ctx, &r.w, s->problem, 0, SMALL_ITEMS));
  r.w.y.data[pri_shape_size(&r.w.y.shape) + 3] = (pri_real)NAN; /* of item 1 */
  pri_status got = pri_solver_create(ctx, &r.s, s->spec, &r.w.problem, NULL);
  if (got == PRI_OK) {
    must(ctx, s, pri_monitor_create(ctx, &m, "steps:40", &r.w.problem, SMALL_ITEMS));
    got = pri_solver_run(r.s, &m, 1, NULL, why);
    for (int i = 0; i < SMALL_ITEMS * SMALL_COLS; i++) HOLDS(isfinite(pri_solver_iterate(r.s)->data[i]), "the last iterate is not finite");
    pri_monitor_destroy(&m);
  }
  HOLDS(got != PRI_OK || why[1] == PRI_DIVERGED, "NaN in the data ends in %s", pri_verdict_name(why[1]));
  HOLDS(got != PRI_OK || why[0] != PRI_DIVERGED, "NaN in item 1 reaches item 0");
  HOLDS(got == PRI_OK || got == PRI_ENUMERIC || got == PRI_EDATA, "NaN in the data ends in %s", pri_status_name(got));
  end(&r);
  pri_ctx_destroy(&ctx);
}

static pri_status little_work(pri_ctx *ctx, void *arg) {
  const struct subject *s = arg;
  struct small w;
  pri_solver *solver = NULL;
  pri_status got = small_make(ctx, &w, s->problem, 0, 1);
  if (got == PRI_OK) got = pri_solver_create(ctx, &solver, s->spec, &w.problem, NULL);
  if (got == PRI_OK) got = pri_solver_step(solver, 0, NULL);
  pri_solver_destroy(&solver);
  small_unmake(&w);
  return got;
}

static void survives_refusals(struct house *h, const struct subject *s) {
  struct subject arg = *s;
  const char *why = test_every_allocation(&h->registry.registry, little_work, &arg);
  HOLDS(!why, "%s", why);
}

/* ---- over the registry */

typedef void (*check_fn)(struct house *, const struct subject *);

/* 1: the solver takes it; 0: it says why not, naming itself */
static int takes(struct house *h, const pri_solver_class *c, const struct subject *s) {
  pri_ctx *ctx = context(h, 1);
  struct small w;
  pri_solver *solver = NULL;
  must(ctx, s, small_make(ctx, &w, s->problem, 0, 1));
  const char *why = c->misfit ? c->misfit(&w.problem) : NULL;
  const pri_status got = pri_solver_create(ctx, &solver, s->spec, &w.problem, NULL);
  HOLDS((got == PRI_OK) == !why, "misfit says \"%s\", creation %s", why ? why : "nothing", pri_status_name(got));
  HOLDS(!why || strstr(pri_ctx_message(ctx), c->kind.name), "\"%s\" does not name the solver", pri_ctx_message(ctx));
  pri_solver_destroy(&solver);
  small_unmake(&w);
  pri_ctx_destroy(&ctx);
  return !why;
}

static void each(check_fn check) {
  struct house h;
  open_house(&h);
  int taken = 0;
  for (const pri_kind *const *k = h.registry.registry.family[PRI_SOLVERS]; *k; k++)
    for (const char *const *e = (*k)->examples; *e; e++)
      for (int p = 0; p < SMALL_SPECS; p++) {
        struct subject s = {.problem = &small_specs[p]};
        if (!small_exists(h.base, s.problem)) continue;
        snprintf(s.spec, sizeof s.spec, "%s%s%s", (*k)->name, **e ? ":" : "", *e);
        if (!takes(&h, (const pri_solver_class *)*k, &s)) continue;
        taken++;
        check(&h, &s);
      }
  assert_true(taken > 20);
  pri_ctx_destroy(&h.base);
}

static void the_same_bits(void **state) { (void)state, each(same_bits); }
static void save_and_load(void **state) { (void)state, each(in_two_halves); }
static void steps_allocate_nothing(void **state) { (void)state, each(allocates_nothing); }
static void frozen_items_keep(void **state) { (void)state, each(freezes); }
static void nan_ends(void **state) { (void)state, each(ends_on_nan); }
static void refused_allocations(void **state) { (void)state, each(survives_refusals); }

int conf_solver(void);
int conf_solver(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_bits), cmocka_unit_test(save_and_load), cmocka_unit_test(steps_allocate_nothing),
                                     cmocka_unit_test(frozen_items_keep), cmocka_unit_test(nan_ends), cmocka_unit_test(refused_allocations)};
  return cmocka_run_group_tests_name("conf_solver", tests, NULL, NULL);
}
