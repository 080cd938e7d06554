/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_registry.c - what every plug-in of every family owes to parser, help, manual and provenance: a name, one line, rows with unit,
 * help and a default inside their range, examples that parse, an effective spec that parses back to itself, refusals that name what
 * was wrong, no leak when memory is short.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "alloc.h"
#include "priori/priori.h"

static pri_registry registry;
static char said[1200];
#define NOT(...) (snprintf(said, sizeof said, __VA_ARGS__), 0)

static pri_ctx *context(void) {
  pri_ctx *ctx;
  const pri_ctx_opts opts = {.registry = &registry};
  assert_int_equal(pri_ctx_create(&ctx, &opts), PRI_OK);
  return ctx;
}

static int good_name(const char *s) {
  if (!s || !*s) return 0;
  for (; *s; s++)
    if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-')) return 0;
  return 1;
}

static int good_row(const pri_kind *k, const pri_param *p) {
  static const size_t sizes[] = {[PRI_REAL] = sizeof(double), [PRI_INT] = sizeof(long), [PRI_BOOL] = sizeof(int), [PRI_CHOICE] = sizeof(int),
                                 [PRI_TEXT] = sizeof(char *), [PRI_QUANTITY] = sizeof(double), [PRI_QUANTITIES] = 3 * sizeof(double),
                                 [PRI_SIZES] = 3 * sizeof(ptrdiff_t), [PRI_FILE] = sizeof(char *)};
  for (const char *c = p->name; *c; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '-')) return NOT("key '%s'", p->name);
  if (!p->help || !*p->help) return NOT("%s has no help", p->name);
  const int measured = p->type != PRI_CHOICE && p->type != PRI_TEXT && p->type != PRI_FILE && p->type != PRI_BOOL;
  if (measured && (!p->unit || !*p->unit)) return NOT("%s has no unit", p->name);
  if (p->offset + sizes[p->type] > k->size) return NOT("%s lies outside its struct", p->name);
  if (p->type == PRI_CHOICE && (!p->choices || !p->choices[0])) return NOT("%s has no choices", p->name);
  const int number = p->type == PRI_REAL || p->type == PRI_INT || p->type == PRI_QUANTITY;
  if (number && p->min < p->max && !(p->flags & PRI_P_REQUIRED) && !isnan(p->def) && !(p->def >= p->min && p->def <= p->max))
    return NOT("%s: default %g is outside [%g, %g]", p->name, p->def, p->min, p->max);
  for (const pri_param *q = k->params; q != p; q++)
    if (!strcmp(q->name, p->name)) return NOT("%s stands twice", p->name);
  return 1;
}

static int good_tables(const pri_kind *k) {
  if (!good_name(k->name)) return NOT("name '%s'", k->name);
  if (!k->brief || !*k->brief || strchr(k->brief, '\n')) return NOT("no brief line");
  if (!k->cite) return NOT("cite is NULL; \"\" says that there is none");
  for (const pri_param *p = k->params; p && p->name; p++)
    if (!good_row(k, p)) return 0;
  return 1;
}

/* parse -> print -> parse -> print: the same text twice */
static pri_status round_trip(pri_ctx *ctx, const pri_kind *k, const char *keys, int *same) {
  void *a = pri_calloc(ctx, 1, k->size), *b = pri_calloc(ctx, 1, k->size);
  char *first = NULL, *second = NULL;
  pri_status s = a && b ? pri_kind_parse(ctx, k, a, keys) : pri_ctx_code(ctx);
  if (s == PRI_OK) s = pri_kind_print(ctx, k, a, &first);
  if (s == PRI_OK) s = pri_kind_parse(ctx, k, b, pri_spec_keys(first));
  if (s == PRI_OK) s = pri_kind_print(ctx, k, b, &second);
  *same = s == PRI_OK && !strcmp(first, second);
  if (s == PRI_OK && !*same) (void)NOT("%s becomes %s", first, second);
  if (a) pri_kind_release(ctx, k, a);
  if (b) pri_kind_release(ctx, k, b);
  pri_free(ctx, first), pri_free(ctx, second), pri_free(ctx, a), pri_free(ctx, b);
  return s;
}

struct trip {
  const pri_kind *kind;
  const char *keys;
};
static pri_status trip(pri_ctx *ctx, void *arg) {
  const struct trip *t = arg;
  int same;
  return round_trip(ctx, t->kind, t->keys, &same);
}

/* A plug-in that cannot be without a file has no example that a test could run. */
static int needs_file(const pri_kind *k) {
  for (const pri_param *p = k->params; p && p->name; p++)
    if (p->type == PRI_FILE && (p->flags & (PRI_P_REQUIRED | PRI_P_FROM_META))) return 1;
  return 0;
}

static int good_examples(const pri_kind *k) {
  pri_ctx *ctx = context();
  int ok = (k->examples && k->examples[0]) || needs_file(k) ? 1 : NOT("no examples");
  for (const char *const *e = k->examples; ok && e && *e; e++) {
    int same;
    if (round_trip(ctx, k, *e, &same) != PRI_OK) ok = NOT("'%s': %s", *e, pri_ctx_message(ctx));
    else if (!same) ok = 0;
    const char *why = ok ? test_every_allocation(&registry, trip, &(struct trip){k, *e}) : NULL;
    if (why) ok = NOT("'%s': %s", *e, why);
  }
  if (ok && pri_ctx_memory_used(ctx) != 0) ok = NOT("parsing leaks");
  pri_ctx_destroy(&ctx);
  return ok;
}

/* keys must be refused with PRI_EPARAM and a message that holds `hint` */
static int refused(const pri_kind *k, const char *keys, const char *hint) {
  pri_ctx *ctx = context();
  void *priv = pri_calloc(ctx, 1, k->size);
  assert_non_null(priv);
  const pri_status s = pri_kind_parse(ctx, k, priv, keys);
  const int ok = s == PRI_EPARAM && strstr(pri_ctx_message(ctx), hint) ? 1 : NOT("'%s' gives %s: %s", keys, pri_status_name(s), pri_ctx_message(ctx));
  pri_kind_release(ctx, k, priv);
  pri_free(ctx, priv);
  const int clean = pri_ctx_memory_used(ctx) == 0 ? 1 : NOT("'%s' leaks", keys);
  pri_ctx_destroy(&ctx);
  return ok && clean;
}

static int good_refusals(const pri_kind *k) {
  char keys[256];
  if (!refused(k, "no-such-key=1", "no-such-key")) return 0;
  for (const pri_param *p = k->params; p && p->name; p++) {
    if (p->type != PRI_REAL && p->type != PRI_INT && p->type != PRI_QUANTITY && p->type != PRI_CHOICE) continue;
    snprintf(keys, sizeof keys, "%s=1!", p->name);
    if (!(p->flags & PRI_P_WEIGHT) && !refused(k, keys, p->name)) return 0;
    if (p->type == PRI_CHOICE || p->flags & PRI_P_WEIGHT || !(p->min < p->max) || p->max > 1e15) continue;
    snprintf(keys, sizeof keys, "%s=%.17g", p->name, p->max * 2 + 3);
    if (!refused(k, keys, p->name)) return 0;
  }
  return 1;
}

static void every_plugin_conforms(void **state) {
  (void)state;
  int bad = 0;
  for (int f = 0; f < PRI_FAMILIES; f++)
    for (const pri_kind *const *k = registry.family[f]; k && *k; k++) {
      if (!good_tables(*k) || !good_examples(*k) || !good_refusals(*k)) bad++, print_message("# %s %s: %s\n", pri_family_name((pri_family)f), (*k)->name, said);
      for (const pri_kind *const *l = registry.family[f]; l != k; l++)
        if (!strcmp((*l)->name, (*k)->name)) bad++, print_message("# %s %s stands twice\n", pri_family_name((pri_family)f), (*k)->name);
    }
  assert_int_equal(bad, 0);
}

static void families_are_found(void **state) {
  (void)state;
  for (int f = 0; f < PRI_FAMILIES; f++) assert_int_equal(pri_family_find(pri_family_name((pri_family)f)), f);
  assert_int_equal(pri_family_find("fidelities"), PRI_FIDELITIES);
  assert_int_equal(pri_family_find("nonsense"), -1);
  pri_ctx *ctx = context();
  const pri_kind *kind;
  assert_int_equal(pri_registry_find(ctx, PRI_OPERATORS, "", &kind), PRI_EPARAM);
  assert_null(kind);
  pri_ctx_destroy(&ctx);
}

struct thin {
  double v;
};
static const pri_param thin_rows[] = {{.name = "v", .unit = "mm", .help = "", .type = PRI_REAL, .offset = offsetof(struct thin, v), .min = 1, .max = 2, .def = 5}, {0}};
static void lies_are_found(void **state) {
  (void)state;
  static const char *const none[] = {NULL}, *const bad[] = {"v=7", NULL};
  pri_param rows[2] = {thin_rows[0], {0}};
  assert_false(good_tables(&(pri_kind){"Thin", "b", "", sizeof(struct thin), rows, none}));   /* name */
  assert_false(good_tables(&(pri_kind){"thin", "b", "", sizeof(struct thin), rows, none}));   /* no help */
  rows[0].help = "value";
  assert_false(good_tables(&(pri_kind){"thin", "b", "", sizeof(struct thin), rows, none}));   /* default outside */
  rows[0].def = 1;
  assert_true(good_tables(&(pri_kind){"thin", "b", "", sizeof(struct thin), rows, none}));
  assert_false(good_tables(&(pri_kind){"thin", "b", "", sizeof(struct thin) - 1, rows, none})); /* offset */
  assert_false(good_examples(&(pri_kind){"thin", "b", "", sizeof(struct thin), rows, none}));
  assert_false(good_examples(&(pri_kind){"thin", "b", "", sizeof(struct thin), rows, bad}));
}

static int setup(void **state) {
  (void)state;
  pri_ctx *ctx;
  if (pri_open(&ctx, NULL) != PRI_OK) return -1;
  registry = *pri_ctx_registry(ctx);
  pri_ctx_destroy(&ctx);
  return 0;
}

int conf_registry(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_plugin_conforms), cmocka_unit_test(families_are_found), cmocka_unit_test(lies_are_found)};
  return cmocka_run_group_tests_name("conf_registry", tests, setup, NULL);
}
