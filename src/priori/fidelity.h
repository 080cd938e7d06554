/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/fidelity.h - f(z; y), z = A x: least squares, weighted, Kullback-Leibler, Huber, ball (discrepancy constraint). */
#ifndef PRIORI_FIDELITY_H
#define PRIORI_FIDELITY_H
#include "priori/array.h"
#include "priori/bound.h"
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_fidelity_class {
  pri_kind kind;
  /* REQUIRED. Calls are about `items` of y's items from `first` on; z, p, per_item hold just those. Sums in double */
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_array *y, const pri_array *weight);     /* borrowed; weight (shape of y) may be NULL */
  pri_status (*value)(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *z, ptrdiff_t first, ptrdiff_t items);
  pri_status (*dual_prox)(pri_ctx *ctx, const void *priv, pri_real *p, double sigma, const pri_real *each, ptrdiff_t first, ptrdiff_t items);
                            /* prox of sigma f*, in place; each: [one item] multiplies sigma, NULL: 1. f*(p) is finite afterwards;
                               sigma = 0: projects to where it is. The same holds of a prior's saddle */
  pri_status (*conjugate)(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *p, ptrdiff_t first, ptrdiff_t items); /* f*(p) */
  /* OPTIONAL; none: PRI_ENOTSUP. g and d may be z */
  pri_status (*grad)(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *z, ptrdiff_t first, ptrdiff_t items);
  pri_status (*curvature)(pri_ctx *ctx, const void *priv, pri_real *d, const pri_real *z, ptrdiff_t first, ptrdiff_t items); /* diagonal of the Hessian */
  pri_status (*value_wide)(pri_ctx *ctx, const void *priv, double *per_item, const double *z, ptrdiff_t first, ptrdiff_t items);
                                                /* value for certificates; stand-in: z rounded to pri_real */
  double (*magnitude)(pri_ctx *ctx, const void *priv, const double *z, ptrdiff_t item);
                                                /* sum of the sizes of what value_wide adds up and takes away (z NULL: of what conjugate does, |p||y| aside):
                                                   the result carries their rounding. Stand-in: the value itself; 0 */
  pri_bound (*lipschitz)(const void *priv);     /* of grad */
  pri_bound (*convexity)(const void *priv);     /* strong convexity in z */
  pri_status (*part)(pri_ctx *ctx, const void *priv, void *sub, const pri_array *y, const pri_array *weight);
                      /* the same on y, some of the data (borrowed; sub has a copy of the parameters); NULL: not a sum over data (ball) */
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_fidelity_class;
typedef struct pri_fidelity pri_fidelity;

/*
 * pri_fidelity_create - a data term from its spec, "ls", "wls", "ball:radius=3".
 *   y       the measurement, all items; borrowed as long as the fidelity lives.
 *   weight  shape and items of y, borrowed likewise; NULL: none.
 * Errors  PRI_EPARAM; PRI_ESHAPE  weight has another shape; PRI_EDATA  a weight is negative or not finite; PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_fidelity_create(pri_ctx *ctx, pri_fidelity **out, const char *spec, const pri_array *y, const pri_array *weight);
/*
 * pri_fidelity_part - the same term on some of the data: f(z; y) = sum over parts of f(z_part; y_part).
 *   out  owns copies of y and of the weights inside the box; f may be destroyed before it.
 *   box  of one item of y, taken from every item.
 * Errors  PRI_ENOTSUP  the term is not such a sum (ball); PRI_ESHAPE  the box does not lie in y; PRI_ENOMEM, PRI_EBUDGET. *out NULL then.
 */
PRI_API PRI_MUST_CHECK pri_status pri_fidelity_part(const pri_fidelity *f, pri_fidelity **out, const pri_box *box);
PRI_API const pri_array *pri_fidelity_data(const pri_fidelity *f);       /* y, borrowed */
PRI_API const pri_array *pri_fidelity_weight(const pri_fidelity *f);     /* as given at creation, borrowed; NULL: none */
PRI_API PRI_MUST_CHECK pri_status pri_fidelity_print(const pri_fidelity *f, char **spec);   /* effective spec, by pri_calloc */
/* The class, and its private struct in *priv (priv may be NULL); borrowed. Calls through it are re-entrant. */
PRI_API const pri_fidelity_class *pri_fidelity_class_of(const pri_fidelity *f, const void **priv);
PRI_API void pri_fidelity_destroy(pri_fidelity **f);                     /* NULL and pointer to NULL are fine; sets it to NULL */
#ifdef __cplusplus
}
#endif
#endif
