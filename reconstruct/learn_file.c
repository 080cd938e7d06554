/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_file.c - what was learned as a .prior file: one tensor a parameter, by the names that the prior's file= reads, and a card. */
#include <string.h>
#include "learn.h"
#include "safetensors.h"

enum { MOST = 3 };
static const struct { const char *kind, *tensor[MOST]; } known[] = {
    {"smooth-tv", {"log_weight", "log_smoothing"}}, {"tikhonov", {"log_weight", NULL}}, {"tgv", {"log_weight", "log_ratio", "log_smoothing"}}};

pri_status pri_learn_save(pri_ctx *ctx, const char *path, int overwrite, const char *kind, const char *form, const double *theta, size_t p, const char *provenance) {
  const char *const card[] = {"kind", kind, "form", form, "provenance", provenance, NULL};
  double values[MOST];
  pri_tensor t[MOST];
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    if (strcmp(known[k].kind, kind) || p > MOST) continue;
    for (size_t i = 0; i < p; i++) values[i] = theta[i], t[i] = (pri_tensor){.name = known[k].tensor[i], .nd = 1, .n = {1}, .size = 1, .data = &values[i]};
    return pri_tensors_save(ctx, path, overwrite, card, t, (int)p);
  }
  return PRI_FAIL(ctx, PRI_ENOTSUP, "learn: %s has no file format of its own yet", kind);
}
