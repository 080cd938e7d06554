/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net.h (k) - networks as graphs of layers: one line a layer, its weights by name, a plan of its memory.
 *
 *   NAME KIND[:key=value,...] [INPUT ...]       '#' begins a comment; no INPUT: the layer of the line before
 *   e.g.   x input:channels=1
 *          conv1 conv:out=32,kernel=5
 *          relu1 relu
 *          sum add relu1 x                      the last line is what comes out
 *
 * Values are [items][channels][y][x], dense. A layer is one of the classes below (net_*.c): its parameters are a table of pri_param, as those of any
 * plug-in. Weights of a graph are one flat array in the order of the lines: those that are trained, then the running statistics of batch norms.
 */
#ifndef PRI_NET_H
#define PRI_NET_H
#include "priori/array.h"
#include "priori/kind.h"
#include "priori/network.h"

enum { PRI_NET_INPUTS = 4, PRI_NET_TENSORS = 4, PRI_NET_LAYERS = 4096 };
typedef struct pri_net_dims { ptrdiff_t c, h, w; } pri_net_dims;
typedef struct pri_net_tensor {       /* "conv1.weight" */
  const char *name;                   /* "weight" */
  int nd;
  ptrdiff_t n[4], fan;                /* fan: inputs of one output, for the initial weights; 0: they begin at `start` */
  double start;
  int statistic;                      /* 1: not trained */
} pri_net_tensor;

/* One call of one layer. */
typedef struct pri_net_call {
  pri_ctx *ctx;
  ptrdiff_t items;
  int inputs, training;
  pri_net_dims in[PRI_NET_INPUTS], out;
  const pri_real *x[PRI_NET_INPUTS], *w[PRI_NET_TENSORS];
  pri_real *y;                        /* forward: out. backward: as it was; NULL where the class does not need it */
  pri_real *statistics[PRI_NET_TENSORS];  /* those tensors that forward may change: training only, else NULL */
  const double *cond;
  /* fused into a convolution by the plan */
  int relu;
  const pri_real *norm[PRI_NET_TENSORS]; /* batch norm behind it: gain, shift, mean, variance; NULL: none */
  double norm_eps;
  /* backward: gx[i] NULL: not wanted; add: gx += instead of =. gw[i] NULL: not wanted, always added to */
  pri_real *gx[PRI_NET_INPUTS], *gw[PRI_NET_TENSORS];
  int add[PRI_NET_INPUTS];
  pri_real *gy;                       /* of nobody else: it may be changed */
  void *scratch, *keep;               /* keep: from forward to backward, training only */
} pri_net_call;

enum { PRI_NET_READS_X = 1u, PRI_NET_READS_Y = 2u, PRI_NET_READS_COND = 4u }; /* what backward reads; what forward reads */
typedef struct pri_layer_class {
  pri_kind kind;
  int least, most;                    /* inputs */
  unsigned flags;
  /* REQUIRED. in: the inputs' sizes. ESHAPE with the reason; names itself, the graph adds the line */
  pri_status (*shape)(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out);
  pri_status (*forward)(const pri_net_call *c, const void *priv);
  pri_status (*backward)(const pri_net_call *c, const void *priv);   /* NULL: nothing flows back */
  /* OPTIONAL. none: no weights; no scratch; keeps nothing */
  int (*tensors)(const void *priv, const pri_net_dims *in, pri_net_tensor t[PRI_NET_TENSORS]);
  size_t (*scratch)(const pri_net_call *c, const void *priv);        /* bytes; c has sizes only */
  size_t (*keep)(const pri_net_call *c, const void *priv);
} pri_layer_class;

extern const pri_layer_class pri_layer_input, pri_layer_conv, pri_layer_deconv, pri_layer_batchnorm, pri_layer_groupnorm, pri_layer_relu, pri_layer_silu,
    pri_layer_tanh, pri_layer_sigmoid, pri_layer_avgpool, pri_layer_maxpool, pri_layer_upsample, pri_layer_concat, pri_layer_add, pri_layer_noise,
    pri_layer_embed, pri_layer_film, pri_layer_attention;
extern const pri_layer_class *const pri_layer_classes[];              /* NULL-ended */

typedef struct pri_net_layer {
  const pri_layer_class *cls;
  void *priv;
  char *name;
  int in[PRI_NET_INPUTS], inputs, tensors, uses, multiple;            /* uses: layers that read it */
  pri_net_tensor tensor[PRI_NET_TENSORS];
  size_t at[PRI_NET_TENSORS];                                         /* in the flat array */
  ptrdiff_t channels;
} pri_net_layer;
typedef struct pri_graph {
  pri_net_layer *layer;
  int n, multiple, needs_cond;                                        /* multiple: sides of an image are padded to it */
  size_t weights, statistics;                                         /* numbers of each */
  char *text;
} pri_graph;

/* EPARAM, with the line; ENOMEM, EBUDGET. *g is zeroed first; pri_graph_fini takes half of one. */
PRI_MUST_CHECK pri_status pri_graph_parse(pri_ctx *ctx, pri_graph *g, const char *text);
void pri_graph_fini(pri_ctx *ctx, pri_graph *g);
void pri_graph_reason(const pri_ctx *ctx, char *why, size_t n); /* the last message without its place in the source */
size_t pri_net_tensor_size(const pri_net_tensor *t);
static inline ptrdiff_t pri_net_size(const pri_net_dims *d) { return d->c * d->h * d->w; }

/* A text that grows: recipes write their graphs with it (pri_graph_line). Once memory is lacking, nothing more is done. */
struct pri_graph_text {
  pri_ctx *ctx;
  char *text;
  size_t n, room;
  int failed;
};

/* The plan of a graph's memory: every value, gradient and scratch of one shape has its place in one block (net_plan.c). */
typedef struct pri_net_plan pri_net_plan;
PRI_MUST_CHECK pri_status pri_net_plan_create(pri_ctx *ctx, pri_net_plan **out, const pri_graph *g, const pri_net_dims *in, ptrdiff_t items, int training);
PRI_MUST_CHECK pri_status pri_net_plan_forward(pri_net_plan *p, pri_real *w, pri_real *y, const pri_real *x, const double *cond); /* w: statistics change in training */
PRI_MUST_CHECK pri_status pri_net_plan_backward(pri_net_plan *p, const pri_real *w, pri_real *gw, pri_real *gx, const pri_real *gy);
const pri_net_dims *pri_net_plan_out(const pri_net_plan *p);
size_t pri_net_plan_bytes(const pri_net_plan *p);                     /* of the block */
void pri_net_plan_destroy(pri_net_plan **p);
#endif
