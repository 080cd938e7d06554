/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_known.c - inpainting: pixels that were measured go back to their values, x_i = y_i where i is known. For --then, behind a mask or the identity,
 * with data that hold no noise. The certificate is that of the image before.
 */
#include "priori/filter.h"
#include "vec.h"

struct known { ptrdiff_t size; };

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  (void)ctx, (void)meta;
  ((struct known *)priv)->size = pri_shape_size(in);
  *out = *in;
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  (void)slice, (void)scratch;
  if (out != in) pri_copy(ctx, out, in, items * ((const struct known *)priv)->size); /* nothing is known here */
  return PRI_OK;
}

static pri_status restore(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, const pri_real *seen, const pri_real *weight) {
  (void)ctx;
  for (ptrdiff_t i = 0; i < ((const struct known *)priv)->size; i++)
    if ((!seen || seen[i] != 0) && (!weight || weight[i] != 0)) x[i] = y[i];
  return PRI_OK;
}

static const pri_param params[] = {{0}};
static const char *const examples[] = {"", NULL};
const pri_filter_class pri_filter_known = {.kind = {"known", "known pixels get their measured values back (--then, of inpaint)", "", sizeof(struct known), params, examples},
                                           .init = init, .run = run, .restore = restore};
