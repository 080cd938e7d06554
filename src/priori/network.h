/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/network.h - a fixed graph; after plan() nothing is allocated. */
#ifndef PRIORI_NETWORK_H
#define PRIORI_NETWORK_H
#include "priori/array.h"
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_recipe_class {               /* an architecture; later issues fill this family */
  pri_kind kind;
  /* REQUIRED */
  pri_status (*init)(pri_ctx *ctx, void *priv, size_t *weights);
  pri_status (*plan)(pri_ctx *ctx, const void *priv, const pri_shape *in, int training, pri_shape *out, size_t *work);   /* bytes */
  pri_status (*forward)(pri_ctx *ctx, const void *priv, const pri_real *w, pri_real *y, const pri_real *x, const double *cond, void *work);
  pri_status (*backward)(pri_ctx *ctx, const void *priv, const pri_real *w, pri_real *gw, pri_real *gx, const pri_real *gy, void *work);
                                                /* adds to gw; gw or gx may be NULL; at the x that forward left in work */
  /* OPTIONAL; none: standard normal weights; nothing */
  void (*scale_weights)(const void *priv, pri_real *w);   /* in: standard normal numbers; out: the initial weights */
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_recipe_class;
typedef struct pri_network pri_network;
typedef struct pri_plan pri_plan;               /* a network at one input shape; make one a shape, keep a few */

/* A network from a recipe, "drunet:width=16,blocks=2", its weights drawn from the seed of the context. EPARAM, ENOMEM, EBUDGET; *out NULL then. */
PRI_API PRI_MUST_CHECK pri_status pri_network_create(pri_ctx *ctx, pri_network **out, const char *recipe);
/* Weights, graph and card from and to a file. This version: ENOTSUP. */
PRI_API PRI_MUST_CHECK pri_status pri_network_load(pri_ctx *ctx, pri_network **out, const char *path);
PRI_API PRI_MUST_CHECK pri_status pri_network_save(const pri_network *net, const char *path);
PRI_API size_t pri_network_weights(const pri_network *net, pri_real **flat);   /* their number; *flat borrowed, may be written between calls of plans */
PRI_API void pri_network_destroy(pri_network **net);                           /* after its plans; NULL and pointer to NULL are fine */
/*
 * pri_plan_create - a network at one shape of images.
 *   net       borrowed as long as the plan lives.
 *   in        shape of one image; pri_plan_range is that of what comes out.
 *   training  1: forward keeps what backward needs.
 * Errors  PRI_ESHAPE  the graph takes no such image; PRI_ENOMEM, PRI_EBUDGET. *out NULL then.
 */
PRI_API PRI_MUST_CHECK pri_status pri_plan_create(const pri_network *net, pri_plan **out, const pri_shape *in, int training);
/*
 * pri_plan_forward  y = N(x; w), one image.                         cond: [1] noise level, or NULL where the graph takes none
 * pri_plan_vjp      gx = (dN/dx)' gy at the x of the last forward.
 * pri_plan_backward gw += (dN/dw)' gy, gx as above; either may be NULL. gw: [pri_network_weights].
 * No allocation; one thread of control a plan. Outputs may not overlap inputs. Errors are the recipe's.
 */
PRI_API PRI_MUST_CHECK pri_status pri_plan_forward(pri_plan *p, pri_real *y, const pri_real *x, const double *cond);
PRI_API PRI_MUST_CHECK pri_status pri_plan_vjp(pri_plan *p, pri_real *gx, const pri_real *gy);
PRI_API PRI_MUST_CHECK pri_status pri_plan_backward(pri_plan *p, pri_real *gw, pri_real *gx, const pri_real *gy);
PRI_API const pri_shape *pri_plan_range(const pri_plan *p);                    /* borrowed */
PRI_API void pri_plan_destroy(pri_plan **p);                                   /* NULL and pointer to NULL are fine; sets it to NULL */
#ifdef __cplusplus
}
#endif
#endif
