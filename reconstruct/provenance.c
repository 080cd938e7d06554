/* SPDX-License-Identifier: GPL-3.0-or-later */
/* provenance.c - see provenance.h. */
#define _GNU_SOURCE
#include "provenance.h"
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include "json.h"
#include "models.h"
#include "priori/io.h"
#include "version.h"

/* "angles=60" names no file, "angles=60.txt" and "scan.h5:/theta" do */
static int is_file(const char *value) {
  char path[PATH_MAX];
  const char *colon = strstr(value, ":/");
  const size_t n = colon && colon != value ? (size_t)(colon - value) : strlen(value);
  struct stat st;
  if (n == 0 || n >= sizeof path) return 0;
  memcpy(path, value, n);
  path[n] = 0;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* a FIFO, <(command): what was read of it is gone, as from standard input */
static int is_pipe(const char *name) {
  struct stat st;
  return !strcmp(name, "-") || (stat(name, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

/* in: the open input, which alone knows what came from standard input; NULL: none */
static pri_status add_input(pri_ctx *ctx, json_t *list, const char *name, const pri_input *in) {
  char hex[65] = "";
  if (!is_pipe(name))
    PRI_TRY(pri_hash_file(ctx, name, hex));
  else if (in)
    PRI_TRY(pri_input_hash(in, hex));
  return pri_json_append(ctx, list,
                         json_pack("{s:o, s:o}", "file", pri_json_text(name), "sha256", *hex ? pri_json_text(hex) : json_null()));
}

/* ---- files that plug-ins read: angles, weights, fields, ... */

static pri_status files_of(pri_ctx *ctx, json_t *list, pri_family family, const char *spec) {
  const pri_kind *kind;
  char *name;
  PRI_TRY(pri_spec_name(ctx, spec, &name));
  pri_status s =
      pri_registry_find(ctx, family, name, &kind) == PRI_OK ? PRI_OK : PRI_ENOTSUP; /* "auto", "none" are no plug-ins */
  for (const pri_param *p = s == PRI_OK ? kind->params : NULL; p && p->name && s == PRI_OK; p++) {
    char *value = NULL;
    if (p->type != PRI_FILE && p->type != PRI_TEXT) continue;
    s = pri_spec_get(ctx, spec, p->name, kind->params[0].name, &value);
    char installed[PRI_MODELS_PATH];
    const char *file = value && p->type == PRI_FILE ? pri_models_find(value, installed, sizeof installed) : value;
    if (s == PRI_OK && value && is_file(file)) s = add_input(ctx, list, file, NULL);
    pri_free(ctx, value);
  }
  pri_free(ctx, name);
  return s == PRI_ENOTSUP ? PRI_OK : s;
}

static pri_status files_of_all(pri_ctx *ctx, json_t *list, pri_family family, const pri_texts *t) {
  for (int i = 0; i < t->n; i++) PRI_TRY(files_of(ctx, list, family, t->v[i]));
  return PRI_OK;
}

static pri_status side_files(pri_ctx *ctx, json_t *list, const pri_options *o) {
  PRI_TRY(files_of_all(ctx, list, PRI_OPERATORS, &o->operators));
  PRI_TRY(files_of_all(ctx, list, PRI_PRIORS, &o->priors));
  PRI_TRY(files_of_all(ctx, list, PRI_FILTERS, &o->prepare));
  PRI_TRY(files_of_all(ctx, list, PRI_FILTERS, &o->then));
  if (o->fidelity) PRI_TRY(files_of(ctx, list, PRI_FIDELITIES, o->fidelity));
  return o->init ? add_input(ctx, list, o->init, NULL) : PRI_OK;
}

/* What wrote the input: its Software tag becomes ours. */
static void note_software(json_t *o, const pri_input *in) {
  json_t *said = pri_json_parse(pri_input_describe(in)->metadata), *software = json_object_get(said, "software");
  if (json_is_string(software)) json_object_set(o, "software", software);
  json_decref(said);
}

pri_status pri_provenance_origin(pri_ctx *ctx, const pri_provenance *p, json_t **out) {
  json_t *inputs = json_array(), *files = json_array();
  pri_status s = PRI_OK;
  for (int i = 0; i < p->n_inputs && s == PRI_OK; i++) s = add_input(ctx, inputs, p->inputs[i], p->in);
  json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I}", "version", pri_json_text(pri_version()), "build", pri_json_text(pri_build()),
                        "config", pri_json_text(p->config), "inputs", inputs, "seed", (json_int_t)pri_ctx_seed(ctx));
  if (s == PRI_OK && p->options) s = side_files(ctx, files, p->options);
  if (o && json_array_size(files)) json_object_set(o, "files", files);
  json_decref(files);
  if (o && p->in) note_software(o, p->in);
  if (s == PRI_OK && !o) s = PRI_FAIL(ctx, PRI_ENOMEM, "no memory for the provenance");
  if (s != PRI_OK) json_decref(o);
  *out = s == PRI_OK ? o : NULL;
  return s;
}

static void set(json_t *o, const char *key, json_t *value) { /* borrowed; NULL: left out */
  if (value) json_object_set(o, key, value);
}

pri_status pri_provenance_text(pri_ctx *ctx, const pri_provenance *p, char **text) {
  json_t *o, *files;
  *text = NULL;
  PRI_TRY(pri_provenance_origin(ctx, p, &o));
  files = json_incref(json_object_get(o, "files")); /* stands at the end */
  json_object_del(o, "files");
  json_object_set_new(o, "weights", p->weights ? json_incref(p->weights) : json_object());
  json_object_set_new(o, "center", pri_json_number(p->center));
  json_object_set_new(o, "certificate", p->certificate ? json_incref(p->certificate) : json_null());
  json_object_set_new(o, "audit", json_null());
  set(o, "files", files);
  set(o, "sweep", p->table);
  set(o, "weight_curves", p->curves);
  set(o, "slices", p->items);
  set(o, "history", p->history);
  *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(files);
  json_decref(o);
  return *text ? PRI_OK : PRI_FAIL(ctx, PRI_ENOMEM, "no memory for the provenance");
}
