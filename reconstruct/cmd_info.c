/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_info.c - priori info: what a file is, from its header; provenance where it has one. No pixels are read. */
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "info_network.h"
#include "json.h"
#include "priori/io.h"
#include "safetensors.h"

static json_t *or_empty(const char *text) {
  json_t *v = pri_json_parse(text);
  if (!json_is_null(v)) return v;
  json_decref(v);
  return json_object();
}

static json_t *object_of(const pri_input_info *i) {
  return json_pack("{so so so so so so so so}", "file", pri_json_text(i->file), "format", pri_json_text(i->format), "dtype",
                   pri_json_text(i->dtype), "shape", pri_json_shape(i->shape, i->nd), "axes", pri_json_text(i->axes),
                   "pixel", or_empty(i->pixel), "metadata", or_empty(i->metadata), "provenance", pri_json_parse(i->provenance));
}

/* ---- for people: "key: value" lines, nested objects indented */

enum { LONG = 12 }; /* lists up to that are printed whole */

static void print_value(const json_t *v) {
  if (json_is_string(v)) {
    pri_print("%s", json_string_value(v));
    return;
  }
  if (json_array_size(v) > LONG) {
    pri_print("%zu values, ", json_array_size(v));
    print_value(json_array_get(v, 0));
    pri_print(" to ");
    print_value(json_array_get(v, json_array_size(v) - 1));
    pri_print(" (--json has them all)");
    return;
  }
  char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
  pri_print("%s", text ? text : "?");
  free(text);
}

/* A text of several lines (a configuration, an ImageJ description) stands below its key. */
static void print_lines(const char *s, int indent) {
  while (*s) {
    const int n = (int)strcspn(s, "\n");
    pri_print("\n%*s%.*s", indent, "", n, s);
    s += n;
    s += *s == '\n';
  }
  pri_print("\n");
}

/* the first and the last number of a list that hold something */
static int ends_of(const json_t *list, double *first, double *last) {
  int n = 0;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *v = json_array_get(list, i);
    if (!json_is_number(v)) continue;
    *last = json_number_value(v);
    if (!n++) *first = *last;
  }
  return n;
}

/* {item, k: [], objective: [], ...}: how the solver got there */
static int print_history(const json_t *h) {
  static const char *const columns[][2] = {{"objective", "objective"}, {"relative_gap", "relative gap"}, {"residual", "residual"}};
  double a = 0, b = 0;
  if (ends_of(json_object_get(h, "k"), &a, &b) < 1) return 0;
  pri_print(" %zu points, steps %g to %g", json_array_size(json_object_get(h, "k")), a, b);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    if (ends_of(json_object_get(h, columns[i][0]), &a, &b) > 0) pri_print("; %s %.4g to %.4g", columns[i][1], a, b);
  pri_print(" (--json has them all)\n");
  return 1;
}

/* [{method, prior, tested: [[w, value] ...], chosen}]: the search of weights */
static int print_curves(const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *c = json_array_get(list, i), *tested = json_object_get(c, "tested");
    const size_t n = json_array_size(tested);
    if (!n || !json_is_string(json_object_get(c, "method"))) return 0;
    pri_print("%s %s of %s: %.4g; %zu weights tested, %.4g to %.4g", i ? ";" : "", json_string_value(json_object_get(c, "method")), json_string_value(json_object_get(c, "prior")),
              json_number_value(json_object_get(c, "chosen")), n, json_number_value(json_array_get(json_array_get(tested, 0), 0)),
              json_number_value(json_array_get(json_array_get(tested, n - 1), 0)));
  }
  pri_print("\n");
  return json_array_size(list) > 0;
}

static int print_short(const char *key, const json_t *v) {
  if (!strcmp(key, "history") && json_is_object(v)) return print_history(v);
  if (!strcmp(key, "weight_curves") && json_array_size(v)) return print_curves(v);
  if (!strcmp(key, "history") && json_array_size(v)) { /* of learning */
    pri_print(" %zu steps (--json has them all)\n", json_array_size(v));
    return 1;
  }
  return 0;
}

static void print_object(json_t *o, int indent) {
  const char *key;
  json_t *v;
  json_object_foreach(o, key, v) {
    pri_print("%*s%s:", indent, "", key);
    if (print_short(key, v)) continue;
    if (json_is_object(v) && json_object_size(v) > 0) {
      pri_print("\n");
      print_object(v, indent + 2);
    } else if (json_is_string(v) && strchr(json_string_value(v), '\n')) {
      print_lines(json_string_value(v), indent + 2);
    } else {
      pri_print(" ");
      print_value(v);
      pri_print("\n");
    }
  }
}

static void print_section(const char *name, const char *json) {
  json_t *v = json ? pri_json_parse(json) : json_null();
  if (json_is_object(v) && json_object_size(v) > 0) {
    pri_print("  %s:\n", name);
    print_object(v, 4);
  }
  json_decref(v);
}

static void print_text(const pri_input_info *i) {
  char text[200];
  const pri_shape whole = {i->nd, {0}};
  pri_shape shape = whole;
  for (int d = 0; d < i->nd; d++) shape.n[d] = i->shape[d];
  pri_print("%s: %s, %s\n  shape: %s (%s)\n", i->file, i->format, i->dtype, pri_shape_text(&shape, text, sizeof text), i->axes);
  pri_print("  slices: %td of %s\n", i->items, pri_shape_text(&i->item, text, sizeof text));
  if (i->meta.nangles > 0) pri_print("  angles: %td (%s)\n", i->meta.nangles, i->meta.source ? i->meta.source : "in the file");
  if (i->counts) pri_print("  raw counts; flat %s, dark %s\n", i->flat ? i->flat : "none", i->dark ? i->dark : "none");
  print_section("pixel", i->pixel);
  print_section("metadata", i->metadata);
  print_section("provenance", i->provenance);
}

/* ---- learned priors and networks: the card of a safetensors file */

static int is_learned(const char *name) {
  const size_t n = strlen(name);
  return (n > 6 && !strcmp(name + n - 6, ".prior")) || (n > 12 && !strcmp(name + n - 12, ".safetensors"));
}

static json_t *tensors_json(const pri_tensors *t) {
  json_t *a = json_object();
  for (int k = 0; k < pri_tensors_count(t); k++) {
    const pri_tensor *v = pri_tensors_at(t, k);
    json_object_set_new(a, v->name, v->size == 1 ? pri_json_number(v->data[0]) : pri_json_shape(v->n, v->nd));
  }
  return a;
}

static json_t *learned_json(const char *name, const pri_tensors *t) {
  static const char *const keys[] = {"kind", "form", "potential", "sigma", "licence"};
  json_t *card = json_object();
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (pri_tensors_card(t, keys[i])) json_object_set_new(card, keys[i], pri_json_text(pri_tensors_card(t, keys[i])));
  json_object_set_new(card, "tensors", tensors_json(t));
  return json_pack("{so ss ss s[] ss s{} so so}", "file", pri_json_text(name), "format", "prior", "dtype", "f64", "shape", "axes", "", "pixel", "metadata", card, "provenance",
                   pri_json_parse(pri_tensors_card(t, "provenance")));
}

static pri_status describe_learned(pri_call *call, const char *name, json_t *all) {
  pri_tensors *t;
  PRI_TRY(pri_tensors_load(call->ctx, &t, name));
  json_t *o = NULL;
  const pri_status s = pri_tensors_card(t, "graph") ? pri_info_network(call->ctx, name, t, &o) : PRI_OK;
  if (s == PRI_OK && !o) o = learned_json(name, t);
  pri_tensors_destroy(call->ctx, &t);
  PRI_TRY(s);
  if (all) return pri_json_append(call->ctx, all, o);
  print_object(o, 0);
  json_decref(o);
  return PRI_OK;
}

static pri_status describe(pri_call *call, const char *name, json_t *all) {
  pri_input *in;
  if (is_learned(name)) return describe_learned(call, name, all);
  PRI_TRY(pri_input_open(call->ctx, &in, name));
  const pri_input_info *i = pri_input_describe(in);
  pri_status s = PRI_OK;
  if (all) s = pri_json_append(call->ctx, all, object_of(i));
  else print_text(i);
  pri_input_close(&in);
  return s;
}

static pri_status run(pri_call *call) {
  json_t *all = call->opts->json ? json_array() : NULL;
  for (int i = 0; i < call->n_inputs; i++) {
    const pri_status s = describe(call, call->inputs[i], all);
    if (s != PRI_OK) pri_call_failed(call, call->inputs[i], s);
  }
  pri_status s = PRI_OK;
  if (all && call->n_inputs > 1) s = pri_print_json(call->ctx, json_incref(all));
  else if (all && json_array_size(all) == 1) s = pri_print_json(call->ctx, json_incref(json_array_get(all, 0)));
  json_decref(all);
  return s;
}

static const char *const options[] = {"json", NULL};
static const char *const examples[] = {
    "what a measurement is", "info scan.h5", "how a result was made: configuration, inputs, certificate", "info --json picture.tif", NULL};
const pri_command pri_command_info = {
    .name = "info", .brief = "describes files: shape, sample type, pixel size, metadata, provenance",
    .synopsis = "[OPTIONS] FILE...", .options = options, .examples = examples, .min_inputs = 1, .max_inputs = -1, .run = run,
    .more = "FILE is a TIFF, HDF5 (FILE.h5:/PATH), NPY, MAT or PNG file, a learned prior (.prior), a network (.safetensors), or a folder that is one stack. With --json one object "
            "is printed for one file, an array for several: file, format, dtype, shape (slowest first), axes, pixel, metadata, "
            "provenance (null where the file has none)."};
