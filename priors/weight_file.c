/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight_file.c - loading and checking of weights. */
#include "weight_file.h"
#include <math.h>
#include "priori/io.h"

pri_status pri_weights_check(pri_ctx *ctx, const char *who, const char *key, const char *file, const pri_array *a) {
  const ptrdiff_t n = a->items * pri_shape_size(&a->shape);
  for (ptrdiff_t i = 0; i < n; i++)
    if (!(a->data[i] >= 0) || !isfinite(a->data[i]))
      return PRI_FAIL(ctx, PRI_EDATA, "%s: %s=%s holds %g at element %td; weights are finite and >= 0", who, key, file, (double)a->data[i], i);
  return PRI_OK;
}

pri_status pri_weight_file_load(pri_ctx *ctx, const char *who, const char *key, const char *file, pri_array *out) {
  *out = (pri_array){0};
  PRI_TRY(pri_input_load(ctx, file, out));
  const pri_status s = pri_weights_check(ctx, who, key, file, out);
  if (s != PRI_OK) pri_array_destroy(out);
  return s;
}

pri_status pri_known_arrived(pri_ctx *ctx, const char *who, const char *known, const pri_array *weight) {
  if (!known || weight) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EPARAM, "%s: known=%s has not been read; hand weights of 0 and 1 to pri_fidelity_create", who, known);
}
