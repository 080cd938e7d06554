/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learned.c - see learned.h. */
#include "learned.h"
#include <math.h>
#include <string.h>
#include "safetensors.h"

static pri_status open_file(pri_ctx *ctx, pri_tensors **t, const char *kind, const char *file) {
  PRI_TRY(pri_tensors_load(ctx, t, file));
  const char *of = pri_tensors_card(*t, "kind");
  if (of && !strcmp(of, kind)) return PRI_OK;
  const pri_status s = PRI_FAIL(ctx, PRI_EFORMAT, "%s: file=%s is of another prior: %s", kind, file, of ? of : "its card does not say which");
  pri_tensors_destroy(ctx, t);
  return s;
}

pri_status pri_learned_exp(pri_ctx *ctx, const char *kind, const char *file, const char *name, double *value) {
  pri_tensors *t;
  pri_status s = PRI_OK;
  PRI_TRY(open_file(ctx, &t, kind, file));
  const pri_tensor *found = pri_tensors_find(t, name);
  if (!found || found->size != 1) s = PRI_FAIL(ctx, PRI_EFORMAT, "%s: file=%s holds no number %s", kind, file, name);
  else if (!(fabs(found->data[0]) <= 27)) s = PRI_FAIL(ctx, PRI_EDATA, "%s: file=%s: %s=%g is outside [-27, 27]", kind, file, name, found->data[0]);
  else *value = exp(found->data[0]);
  pri_tensors_destroy(ctx, &t);
  return s;
}

pri_status pri_learned_form(pri_ctx *ctx, const char *kind, const char *file, const char *word, int *is) {
  pri_tensors *t;
  PRI_TRY(open_file(ctx, &t, kind, file));
  const char *form = pri_tensors_card(t, "form");
  *is = form && !strcmp(form, word);
  pri_tensors_destroy(ctx, &t);
  return PRI_OK;
}
