/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/filter.h - array in, array out: flat field, log, stripes, zingers before the solver; a network after it. */
#ifndef PRIORI_FILTER_H
#define PRIORI_FILTER_H
#include "priori/geometry.h"
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_filter_class {
  pri_kind kind;
  /* REQUIRED. init: *out arrives as *in. run: dense items; one item never influences another, and never allocates */
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out);
  pri_status (*run)(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch);
                                                /* slice: [items] index of each in the file (flat fields differ by row); out may be in where shapes agree */
  /* OPTIONAL; none: 0; no halo; nothing */
  size_t (*scratch)(const void *priv);          /* bytes one call needs, whatever the items */
  void (*halo)(const void *priv, ptrdiff_t h[PRI_MAXDIM]);   /* elements it looks beyond a block; -1: everything */
  void (*fini)(pri_ctx *ctx, void *priv);       /* must accept a half-built priv */
  pri_status (*restore)(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, const pri_real *seen, const pri_real *weight);
                                                /* called instead of run where x, one result, lies in the space of its measurement y (a mask, the
                                                   identity): seen is 0 where the operator sees nothing, weight that of the data; NULL: 1 everywhere.
                                                   A filter that has it does nothing elsewhere */
} pri_filter_class;
typedef struct pri_filter pri_filter;

/*
 * pri_filter_create - a filter from its spec, "log:clamp=1e-4".
 *   meta  what the input file says, borrowed for the call.
 *   in    shape of one item that goes in; pri_filter_range is that of one that comes out.
 * Errors  PRI_EPARAM  unknown name or key, value out of its range; PRI_ESHAPE  it takes no items of that shape; PRI_EREAD, PRI_EFORMAT, PRI_EDATA
 *         a file that a key names; PRI_ENOMEM, PRI_EBUDGET. *out NULL then.
 */
PRI_API PRI_MUST_CHECK pri_status pri_filter_create(pri_ctx *ctx, pri_filter **out, const char *spec, const pri_meta *meta, const pri_shape *in);
PRI_API const pri_shape *pri_filter_range(const pri_filter *f);         /* borrowed */
/*
 * pri_filter_run - out = F(in), every item.
 *   out    same number of items as in; may be `in` where pri_filter_range is the shape that goes in, and may not overlap it otherwise.
 *   slice  [items] index of each in its file.
 * One thread of control at a time (f's own scratch); no allocation.
 * Errors  PRI_ESHAPE  shapes or items do not agree, or a side file has no such slice; PRI_EDATA  the values make no sense to it. out undefined.
 */
PRI_API PRI_MUST_CHECK pri_status pri_filter_run(const pri_filter *f, pri_array *out, const pri_array *in, const ptrdiff_t *slice);
PRI_API PRI_MUST_CHECK pri_status pri_filter_print(const pri_filter *f, char **spec);   /* effective spec, by pri_calloc; *spec NULL on failure */
PRI_API const pri_filter_class *pri_filter_class_of(const pri_filter *f, const void **priv);   /* borrowed; priv may be NULL */
PRI_API void pri_filter_destroy(pri_filter **f);                        /* NULL and pointer to NULL are fine; sets it to NULL */
#ifdef __cplusplus
}
#endif
#endif
