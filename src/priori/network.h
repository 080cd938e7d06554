/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/network.h - a fixed graph; after plan() nothing is allocated. */
#ifndef PRIORI_NETWORK_H
#define PRIORI_NETWORK_H
#include "priori/array.h"
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_graph_text pri_graph_text;   /* lines of a graph, as src/net.h has them: NAME KIND[:key=value,...] [INPUT ...] */
PRI_API PRI_PRINTF(2, 3) void pri_graph_line(pri_graph_text *t, const char *fmt, ...);   /* one more; a failure is remembered, and told by who reads the text */
typedef struct pri_recipe_class {               /* an architecture: it writes a graph, or computes itself */
  pri_kind kind;
  /* REQUIRED, either this one */
  pri_status (*graph)(pri_ctx *ctx, const void *priv, pri_graph_text *text);
  /* or all of these */
  pri_status (*init)(pri_ctx *ctx, void *priv, size_t *weights);
  pri_status (*plan)(pri_ctx *ctx, const void *priv, const pri_shape *in, int training, pri_shape *out, size_t *work);   /* bytes */
  pri_status (*forward)(pri_ctx *ctx, const void *priv, const pri_real *w, pri_real *y, const pri_real *x, const double *cond, void *work);
  pri_status (*backward)(pri_ctx *ctx, const void *priv, const pri_real *w, pri_real *gw, pri_real *gx, const pri_real *gy, void *work);
                                                /* adds to gw; gw or gx may be NULL; at the x that forward left in work */
  /* OPTIONAL; none: normal weights, of a graph by root(2 / fan in); nothing */
  void (*scale_weights)(const void *priv, pri_real *w);   /* in: standard normal numbers; out: the initial weights */
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_recipe_class;
typedef struct pri_network pri_network;
typedef struct pri_plan pri_plan;               /* a network at one input shape; make one a shape, keep a few */

/* A network from a recipe, "drunet:width=16,blocks=2", its weights drawn from the seed of the context. EPARAM, ENOMEM, EBUDGET; *out NULL then. */
PRI_API PRI_MUST_CHECK pri_status pri_network_create(pri_ctx *ctx, pri_network **out, const char *recipe);
/*
 * pri_network_load - weights, graph and card from a safetensors file; pri_network_save - the same to one.
 *   recipe     the architecture of a file without a graph (weights from elsewhere), "bf-unet"; NULL: the file's own.
 *   overwrite  1: a file that exists is replaced.
 * Every tensor of the graph is in the file, with its shape, and no other; all of it is checked before anything is allocated by what it says.
 * Errors  PRI_EREAD; PRI_EFORMAT  damaged, no graph, weights that do not fit it or are not finite; PRI_EPARAM  recipe; PRI_ENOMEM, PRI_EBUDGET. *out NULL then.
 *         PRI_EWRITE; PRI_ENOTSUP  the recipe computes itself.
 */
PRI_API PRI_MUST_CHECK pri_status pri_network_load(pri_ctx *ctx, pri_network **out, const char *path, const char *recipe);
PRI_API PRI_MUST_CHECK pri_status pri_network_save(const pri_network *net, const char *path, int overwrite);
/* The model card: what it was trained on, range, noise, licence, ... NULL: no such key; borrowed. set: value copied. */
PRI_API const char *pri_network_card(const pri_network *net, const char *key);
PRI_API PRI_MUST_CHECK pri_status pri_network_set_card(pri_network *net, const char *key, const char *value);
PRI_API const char *pri_network_graph(const pri_network *net);                 /* its text; NULL where the recipe computes itself; borrowed */
PRI_API int pri_network_needs_noise(const pri_network *net);                   /* 1: cond is read */
PRI_API ptrdiff_t pri_network_channels(const pri_network *net);                /* that an image has; 1 where the recipe computes itself */
PRI_API size_t pri_network_weights(const pri_network *net, pri_real **flat);   /* the number of those that are trained; *flat borrowed, may be written between
                                                                                  calls of plans. Running statistics of batch norms lie behind them */
PRI_API size_t pri_network_state(const pri_network *net);                      /* the number of both */
PRI_API void pri_network_destroy(pri_network **net);                           /* after its plans; NULL and pointer to NULL are fine */
/*
 * pri_plan_create - a network at one shape of images.
 *   net       borrowed as long as the plan lives.
 *   in        shape of one image, (y,x) or (channel,y,x); pri_plan_range is that of what comes out. Sides that the graph cannot halve are mirrored to the
 *             next multiple, and what comes out is cut back.
 *   items     images of a call; others than 1 only where a graph is.
 *   training  1: forward keeps what backward needs, and batch norms see their batch; 2: it keeps it, and they have their running statistics.
 * Errors  PRI_ESHAPE  the graph takes no such image; PRI_ENOMEM, PRI_EBUDGET. *out NULL then.
 */
PRI_API PRI_MUST_CHECK pri_status pri_plan_create(const pri_network *net, pri_plan **out, const pri_shape *in, int training);
PRI_API PRI_MUST_CHECK pri_status pri_plan_create_items(const pri_network *net, pri_plan **out, const pri_shape *in, ptrdiff_t items, int training);
PRI_API size_t pri_plan_bytes(const pri_plan *p);                              /* memory that it holds */
/*
 * pri_plan_forward  y = N(x; w), the items of the plan.             cond: [1] noise level, or NULL where the graph takes none
 * pri_plan_vjp      gx = (dN/dx)' gy at the x of the last forward.
 * pri_plan_backward gw += (dN/dw)' gy, gx as above; either may be NULL. gw: [pri_network_weights].
 * No allocation; one thread of control a plan. Outputs may not overlap inputs. Errors are the recipe's; EPARAM where the noise level is lacking.
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
