/* SPDX-License-Identifier: GPL-3.0-or-later */
/* provenance.c - see provenance.h. */
#include "provenance.h"
#include <math.h>
#include <string.h>
#include "json.h"
#include "priori/io.h"
#include "version.h"

static pri_status add_input(pri_ctx *ctx, json_t *list, const char *name) {
  char hex[65] = "";
  if (strcmp(name, "-")) PRI_TRY(pri_hash_file(ctx, name, hex));
  return pri_json_append(ctx, list, json_pack("{s:o, s:o}", "file", pri_json_text(name), "sha256", *hex ? pri_json_text(hex) : json_null()));
}

pri_status pri_provenance_text(pri_ctx *ctx, const pri_provenance *p, char **text) {
  json_t *inputs = json_array();
  pri_status s = PRI_OK;
  *text = NULL;
  for (int i = 0; i < p->n_inputs && s == PRI_OK; i++) s = add_input(ctx, inputs, p->inputs[i]);
  json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:n}", "version", pri_json_text(pri_version()), "build", pri_json_text(pri_build()), "config",
                        pri_json_text(p->config), "inputs", inputs, "seed", (json_int_t)pri_ctx_seed(ctx), "weights",
                        p->weights ? json_incref(p->weights) : json_object(), "center", pri_json_number(p->center), "certificate",
                        p->certificate ? json_incref(p->certificate) : json_null(), "audit");
  if (o && p->table) json_object_set(o, "sweep", p->table);
  if (o && p->items) json_object_set(o, "slices", p->items);
  if (s == PRI_OK && o) *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(o);
  if (s == PRI_OK && !*text) s = PRI_FAIL(ctx, PRI_ENOMEM, "no memory for the provenance");
  return s;
}
