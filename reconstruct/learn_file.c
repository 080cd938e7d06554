/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_file.c - what was learned as a .prior file: tensors by the names that the prior's file= reads, and a card. */
#include <stdlib.h>
#include <string.h>
#include "learn.h"
#include "safetensors.h"

enum { MOST = 4 };
static const struct { const char *kind, *tensor[MOST], *form; } known[] = { /* form: the key that goes on the card */
    {"smooth-tv", {"log_weight", "log_smoothing"}, "form"},
    {"tikhonov", {"log_weight"}, "form"},
    {"tgv", {"log_weight", "log_ratio", "log_smoothing"}, "form"},
    {"foe", {"log_scale", "log_weights", "log_smoothings", "filters"}, "potential"}};

const char *pri_learn_parameter(const char *kind, size_t i) {
  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    if (!strcmp(known[k].kind, kind)) return i < MOST && known[k].tensor[i] ? known[k].tensor[i] + strlen("log_") : "";
  return "";
}

static pri_status number(pri_ctx *ctx, const char *spec, const char *key, ptrdiff_t *value) {
  char *text = NULL;
  PRI_TRY(pri_spec_get(ctx, spec, key, NULL, &text));
  *value = text ? (ptrdiff_t)strtol(text, NULL, 10) : 0;
  pri_free(ctx, text);
  return PRI_OK;
}

/* What the tensors hold: a number each, or the numbers of a field of experts. */
static pri_status shapes(pri_ctx *ctx, const char *kind, const char *spec, pri_tensor *t, int tensors) {
  ptrdiff_t count = 1, side = 1;
  for (int i = 0; i < tensors; i++) t[i].nd = 1, t[i].n[0] = t[i].size = 1;
  if (strcmp(kind, "foe")) return PRI_OK;
  PRI_TRY(number(ctx, spec, "filters", &count));
  PRI_TRY(number(ctx, spec, "size", &side));
  t[1].n[0] = t[1].size = t[2].n[0] = t[2].size = count;
  t[3].nd = 3, t[3].n[0] = count, t[3].n[1] = t[3].n[2] = side, t[3].size = count * side * side;
  return PRI_OK;
}

static pri_status save(pri_ctx *ctx, const char *path, int overwrite, size_t which, const char *spec, double *values, size_t p, const char *const *card) {
  pri_tensor t[MOST] = {0};
  size_t at = 0;
  int n = 0;
  for (; n < MOST && known[which].tensor[n]; n++) t[n].name = known[which].tensor[n];
  PRI_TRY(shapes(ctx, known[which].kind, spec, t, n));
  for (int i = 0; i < n && at <= p; at += (size_t)t[i].size, i++) t[i].data = values + at;
  if (at != p) return PRI_FAIL(ctx, PRI_ENOTSUP, "learn: %zu parameters of %s do not fit its file", p, known[which].kind);
  return pri_tensors_save(ctx, path, overwrite, card, t, n);
}

pri_status pri_learn_save(pri_ctx *ctx, const char *path, int overwrite, const char *spec, const double *theta, size_t p, const char *provenance) {
  char *kind = NULL, *form = NULL;
  double *values;
  size_t k = 0;
  const size_t all = sizeof known / sizeof *known;
  PRI_TRY(pri_spec_name(ctx, spec, &kind));
  while (k < all && strcmp(known[k].kind, kind)) k++;
  pri_status s = k < all ? pri_spec_get(ctx, spec, known[k].form, NULL, &form) : PRI_FAIL(ctx, PRI_ENOTSUP, "learn: %s has no file format of its own yet", kind);
  values = s == PRI_OK ? pri_calloc(ctx, p, sizeof *values) : NULL;
  if (s == PRI_OK && !values) s = pri_ctx_code(ctx);
  if (s == PRI_OK) {
    const char *const card[] = {"kind", kind, known[k].form, form ? form : "", "provenance", provenance, NULL};
    memcpy(values, theta, p * sizeof *values);
    s = save(ctx, path, overwrite, k, spec, values, p, card);
  }
  pri_free(ctx, values), pri_free(ctx, form), pri_free(ctx, kind);
  return s;
}
