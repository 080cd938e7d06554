/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/phantom.h - test objects by formula, their exact projections, and noise. */
#ifndef PRIORI_PHANTOM_H
#define PRIORI_PHANTOM_H
#include "priori/geometry.h"
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_phantom_class {
  pri_kind kind;
  pri_status (*init)(pri_ctx *ctx, void *priv);
  pri_status (*shape)(const void *priv, pri_shape *shape);                                /* of one object */
  pri_status (*draw)(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first);      /* area-averaged; item i is object first + i of the family */
  pri_status (*project)(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first); /* exact line
                                                                                             integrals, means over the bin; NULL: none */
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_phantom_class;
typedef struct pri_noise_class {
  pri_kind kind;
  pri_status (*init)(pri_ctx *ctx, void *priv);
  pri_status (*add)(pri_ctx *ctx, const void *priv, pri_array *y, ptrdiff_t first);      /* a pure function of (seed, stream, item, element) */
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_noise_class;
typedef struct pri_phantom pri_phantom;
typedef struct pri_noise pri_noise;
PRI_API PRI_MUST_CHECK pri_status pri_phantom_create(pri_ctx *ctx, pri_phantom **out, const char *spec);
PRI_API PRI_MUST_CHECK pri_status pri_phantom_shape(const pri_phantom *p, pri_shape *shape);            /* of one object, as its keys say */
PRI_API PRI_MUST_CHECK pri_status pri_phantom_draw(const pri_phantom *p, pri_array *x, ptrdiff_t first); /* objects first, first + 1, ... */
/* bin_average: exact means over the bin width (else the ray through its centre). ENOTSUP: no closed form */
PRI_API PRI_MUST_CHECK pri_status pri_phantom_project(const pri_phantom *p, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first);
PRI_API PRI_MUST_CHECK pri_status pri_phantom_print(const pri_phantom *p, char **spec);
PRI_API void pri_phantom_destroy(pri_phantom **p);
PRI_API PRI_MUST_CHECK pri_status pri_noise_create(pri_ctx *ctx, pri_noise **out, const char *spec);
/* y gains noise, item i of y with stream index first + i: the same bits alone or in a stack */
PRI_API PRI_MUST_CHECK pri_status pri_noise_add(const pri_noise *n, pri_array *y, ptrdiff_t first);
PRI_API PRI_MUST_CHECK pri_status pri_noise_print(const pri_noise *n, char **spec);
PRI_API void pri_noise_destroy(pri_noise **n);
#ifdef __cplusplus
}
#endif
#endif
