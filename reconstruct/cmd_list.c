/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_list.c - priori list: what exists, from the registry; manual pages and completion from the tables. */
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "json.h"
#include "number.h"

static const pri_kind *const *kinds_of(const pri_call *call, int f) {
  static const pri_kind *const none[] = {NULL};
  const pri_kind *const *list = pri_ctx_registry(call->ctx)->family[f];
  return list ? list : none;
}

/* ---- JSON: one object a plug-in */

static json_t *object_of(int f, const pri_kind *kind) {
  json_t *o = pri_json_kind(kind), *examples = json_array();
  for (int i = 0; kind->examples && kind->examples[i]; i++)
    json_array_append_new(examples, pri_json_text(kind->examples[i]));
  json_object_set_new(o, "family", pri_json_text(pri_family_name((pri_family)f)));
  json_object_set_new(o, "examples", examples);
  return o;
}

static pri_status print_json(pri_call *call, int family, const pri_kind *kind) {
  if (kind) return pri_print_json(call->ctx, object_of(family, kind));
  json_t *all = json_array();
  for (int f = 0; f < PRI_FAMILIES; f++)
    for (const pri_kind *const *k = kinds_of(call, f); *k && (family < 0 || f == family); k++)
      json_array_append_new(all, object_of(f, *k));
  return pri_print_json(call->ctx, all);
}

/* ---- tables with tabs */

static void tsv_text(json_t *o, const char *key) {
  const json_t *v = json_object_get(o, key);
  char buf[40];
  if (json_is_string(v)) pri_print("%s", json_string_value(v));
  else if (json_is_number(v)) pri_print("%s", pri_number_text(buf, sizeof buf, json_number_value(v)));
  else if (json_is_boolean(v)) pri_print("%s", json_is_true(v) ? "yes" : "no");
  for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
    pri_print("%s%s", i ? "|" : "", json_string_value(json_array_get(v, i)));
}

static void tsv_keys(const pri_kind *kind) {
  static const char *const columns[] = {"name", "type", "unit", "min", "max", "default", "choices", "help"};
  for (int i = 0; i < 8; i++) pri_print("%s%s", i ? "\t" : "", columns[i]);
  pri_print("\n");
  for (const pri_param *row = kind->params; row && row->name; row++) {
    json_t *o = pri_json_param(row);
    for (int i = 0; i < 8; i++) {
      if (i) pri_print("\t");
      tsv_text(o, columns[i]);
    }
    pri_print("\n");
    json_decref(o);
  }
}

static void print_tsv(pri_call *call, int family, const pri_kind *kind) {
  if (kind) {
    tsv_keys(kind);
    return;
  }
  pri_print("family\tname\tbrief\tcite\n");
  for (int f = 0; f < PRI_FAMILIES; f++)
    for (const pri_kind *const *k = kinds_of(call, f); *k && (family < 0 || f == family); k++)
      pri_print("%s\t%s\t%s\t%s\n", pri_family_name((pri_family)f), (*k)->name, (*k)->brief, (*k)->cite ? (*k)->cite : "");
}

/* ---- for people */

static void print_family(pri_call *call, int f) {
  const pri_kind *const *list = kinds_of(call, f);
  if (!*list) return;
  pri_print("%s:\n", pri_family_name((pri_family)f));
  for (; *list; list++) pri_print("  %-14s %s\n", (*list)->name, (*list)->brief);
}

static void print_kind(int f, const pri_kind *kind) {
  char range[300];
  pri_print("%s %s: %s\n", pri_family_name((pri_family)f), kind->name, kind->brief);
  if (kind->cite && *kind->cite) pri_print("source: %s\n", kind->cite);
  if (kind->params && kind->params->name) pri_print("keys:\n");
  for (const pri_param *row = kind->params; row && row->name; row++) {
    pri_range_text(row, range, sizeof range);
    pri_print("  %-14s %s%s%s%s\n", row->name, row->help ? row->help : "", *range ? " [" : "", range, *range ? "]" : "");
  }
  if (kind->examples && kind->examples[0]) pri_print("examples:\n");
  for (int i = 0; kind->examples && kind->examples[i]; i++)
    pri_print("  %s%s%s\n", kind->name, *kind->examples[i] ? ":" : "", kind->examples[i]);
}

static void print_text(pri_call *call, int family, const pri_kind *kind) {
  if (kind) {
    print_kind(family, kind);
    return;
  }
  for (int f = 0; f < PRI_FAMILIES; f++)
    if (family < 0 || f == family) print_family(call, f);
  pri_print("\n`priori list FAMILY NAME` shows one in full: keys, units, ranges, defaults.\n");
}

/* ---- which one */

static pri_status find_family(pri_call *call, const char *name, int *f) {
  const char *names[PRI_FAMILIES];
  *f = pri_family_find(name);
  if (*f >= 0) return PRI_OK;
  for (int i = 0; i < PRI_FAMILIES; i++) {
    names[i] = pri_family_name((pri_family)i);
    for (const pri_kind *const *k = kinds_of(call, i); *k; k++)
      if (!strcmp((*k)->name, name))
        return PRI_FAIL(call->ctx, PRI_EPARAM, "'%s' is no family but a plug-in: `priori list %s %s`", name, names[i], name);
  }
  const int near = pri_nearest(name, names, PRI_FAMILIES);
  return PRI_FAIL(call->ctx, PRI_EPARAM, "unknown family '%s'%s%s%s (`priori list` shows all)", name, near < 0 ? "" : "; did you mean '",
                  near < 0 ? "" : names[near], near < 0 ? "" : "'?");
}

static pri_status print_man(pri_call *call) {
  const char *what = call->n_inputs ? call->inputs[0] : NULL;
  const pri_command *command = what ? pri_command_find(what) : NULL;
  int f;
  if (!what || command || !strcmp(what, "priori")) return pri_man_print(call->ctx, command);
  PRI_TRY(find_family(call, what, &f));
  return pri_man_print_family(call->ctx, (pri_family)f);
}

static pri_status run(pri_call *call) {
  const pri_options *o = call->opts;
  const pri_kind *kind = NULL;
  int family = -1;
  if (o->completion) return pri_completion_print(call->ctx, o->completion);
  if (o->man) return print_man(call);
  if (call->n_inputs > 0) PRI_TRY(find_family(call, call->inputs[0], &family));
  if (call->n_inputs > 1) PRI_TRY(pri_registry_find(call->ctx, (pri_family)family, call->inputs[1], &kind));
  if (o->json) return print_json(call, family, kind);
  if (o->tsv) print_tsv(call, family, kind);
  else print_text(call, family, kind);
  return PRI_OK;
}

static const char *const options[] = {"json", "tsv", "man", "completion", NULL};
static const char *const examples[] = {
    "everything that exists", "list", "one operator with its keys, units and ranges", "list operator ct",
    "the same for programs", "list --json operator ct", "the manual page of a command", "list --man ct | man -l -", NULL};
const pri_command pri_command_list = {
    .name = "list", .brief = "shows what exists: families, plug-ins, their keys", .synopsis = "[OPTIONS] [FAMILY [NAME]]",
    .options = options, .examples = examples, .max_inputs = 2, .run = run,
    .more = "Families: operator, fidelity, prior, solver, stop, filter, phantom, noise. A plug-in is asked for by "
            "NAME:key=value,key=value; a value without = goes to its first key (tv:0.02)."};
