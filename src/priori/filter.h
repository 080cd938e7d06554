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
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out);
  pri_status (*run)(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch);
                                                /* slice: [items] index of each in the file (flat fields differ by row); out may be in where shapes agree */
  size_t (*scratch)(const void *priv);
  void (*halo)(const void *priv, ptrdiff_t h[PRI_MAXDIM]);
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_filter_class;
typedef struct pri_filter pri_filter;
/* meta is borrowed for the call, `in` is the shape of one item. EPARAM, ESHAPE, EREAD (files of its keys), ENOMEM */
PRI_API PRI_MUST_CHECK pri_status pri_filter_create(pri_ctx *ctx, pri_filter **out, const char *spec, const pri_meta *meta, const pri_shape *in);
PRI_API const pri_shape *pri_filter_range(const pri_filter *f);
PRI_API PRI_MUST_CHECK pri_status pri_filter_run(const pri_filter *f, pri_array *out, const pri_array *in, const ptrdiff_t *slice);
PRI_API PRI_MUST_CHECK pri_status pri_filter_print(const pri_filter *f, char **spec);
PRI_API const pri_filter_class *pri_filter_class_of(const pri_filter *f, const void **priv);
PRI_API void pri_filter_destroy(pri_filter **f);
#ifdef __cplusplus
}
#endif
#endif
