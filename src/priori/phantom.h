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

/* A test object, or a family of them, from its spec, "shepp-logan:size=256". EPARAM, ENOMEM, EBUDGET; *out NULL then. */
PRI_API PRI_MUST_CHECK pri_status pri_phantom_create(pri_ctx *ctx, pri_phantom **out, const char *spec);
PRI_API PRI_MUST_CHECK pri_status pri_phantom_shape(const pri_phantom *p, pri_shape *shape);            /* of one object, as its keys say */
/*
 * pri_phantom_draw - objects first, first + 1, ... >= 0 of the family, one an item, a pure function of (seed of the context, index, keys).
 *   x  out, shape pri_phantom_shape: means over the pixel (1/mm), x to the right, first row at the top.
 * Errors  PRI_ESHAPE  x has another shape; PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_phantom_draw(const pri_phantom *p, pri_array *x, ptrdiff_t first);
/*
 * pri_phantom_project - exact line integrals of the same objects, by formula: no pixels take part.
 *   g            views, bins and rays; half the object's side is half of g's image side in mm.
 *   bin_average  1: exact means over the width of the bin; 0: the ray through its centre.
 *   y            out, shape (g->views, g->bins): 1/mm times mm.
 * Errors  PRI_ENOTSUP  no closed form in this geometry; PRI_ESHAPE  y is not (views, bins); PRI_EGEOMETRY  the object reaches the source;
 *         PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_phantom_project(const pri_phantom *p, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first);
PRI_API PRI_MUST_CHECK pri_status pri_phantom_print(const pri_phantom *p, char **spec); /* effective spec, by pri_calloc */
PRI_API void pri_phantom_destroy(pri_phantom **p);                                       /* NULL and pointer to NULL are fine; sets it to NULL */
/* A noise model from its spec, "gaussian:relative=0.01". EPARAM, ENOMEM, EBUDGET; *out NULL then. */
PRI_API PRI_MUST_CHECK pri_status pri_noise_create(pri_ctx *ctx, pri_noise **out, const char *spec);
/* y, in and out, any shape: item i gains the noise of index first + i >= 0, a pure function of (seed of the context, index, element, y's item):
   the same bits alone or in a stack. */
PRI_API PRI_MUST_CHECK pri_status pri_noise_add(const pri_noise *n, pri_array *y, ptrdiff_t first);
PRI_API PRI_MUST_CHECK pri_status pri_noise_print(const pri_noise *n, char **spec);
PRI_API void pri_noise_destroy(pri_noise **n);
#ifdef __cplusplus
}
#endif
#endif
