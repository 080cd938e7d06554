/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * network.c - networks from recipes: weights drawn from the seed, plans, forward and backward passes. Files are network_file.c's.
 * An image whose sides the graph cannot halve often enough is mirrored to the next multiple (the edge is repeated once: ... 1 0 | 0 1 ...).
 */
#include "network_private.h"
#include <math.h>
#include <string.h>
#include "priori/registry.h"
#include "priori/rng.h"

struct pri_plan {
  const pri_network *net;
  pri_shape in, out;
  ptrdiff_t items;
  pri_net_dims from, padded, cut;     /* of an image; as the graph sees it; of what comes out */
  pri_net_plan *plan;                 /* of a graph; else work */
  void *work;
  size_t bytes;
  pri_real *x, *y;                    /* where padded: both sides of the graph */
};

/* normal weights times root(2 / fan) (He 2015), others as they begin */
static void draw(pri_network *net) {
  pri_rng_normal(pri_ctx_seed(net->ctx), "network weights", 0, net->weights, net->n);
  for (int i = 0; i < net->graph.n; i++)
    for (int t = 0; t < net->graph.layer[i].tensors; t++) {
      const pri_net_tensor *k = &net->graph.layer[i].tensor[t];
      pri_real *w = net->weights + net->graph.layer[i].at[t];
      for (size_t j = 0; j < pri_net_tensor_size(k); j++) w[j] = k->fan ? (pri_real)((double)w[j] * sqrt(2 / (double)k->fan)) : (pri_real)k->start;
    }
}

static pri_status graph_of(pri_network *net) {
  pri_graph_text text = {.ctx = net->ctx};
  pri_status s = net->cls->graph(net->ctx, net->priv, &text);
  if (s == PRI_OK && (text.failed || !text.text)) s = pri_ctx_code(net->ctx);
  if (s == PRI_OK) s = pri_graph_parse(net->ctx, &net->graph, text.text);
  pri_free(net->ctx, text.text);
  return s;
}

pri_status pri_network_from_recipe(pri_network *net, const char *recipe) {
  const pri_kind *kind;
  PRI_TRY(pri_object_create(net->ctx, PRI_RECIPES, recipe, &kind, &net->priv));
  net->cls = (const pri_recipe_class *)kind;
  if (net->cls->graph) return graph_of(net);
  return net->cls->init(net->ctx, net->priv, &net->n);
}

pri_status pri_network_allocate(pri_network *net) {
  if (net->graph.n) net->n = net->graph.weights;
  PRI_ALLOC(net->ctx, net->weights, net->n + net->graph.statistics);
  return PRI_OK;
}

static pri_status fill(pri_network *net, const char *recipe) {
  PRI_TRY(pri_network_from_recipe(net, recipe));
  PRI_TRY(pri_network_allocate(net));
  draw(net);
  if (net->cls->scale_weights) net->cls->scale_weights(net->priv, net->weights);
  return PRI_OK;
}

pri_status pri_network_create(pri_ctx *ctx, pri_network **out, const char *recipe) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  (*out)->ctx = ctx;
  const pri_status s = fill(*out, recipe);
  if (s != PRI_OK) pri_network_destroy(out);
  return s;
}

const char *pri_network_graph(const pri_network *net) { return net->graph.text; }
int pri_network_needs_noise(const pri_network *net) { return net->graph.needs_cond; }
ptrdiff_t pri_network_channels(const pri_network *net) { return net->graph.n ? net->graph.layer[0].channels : 1; }
size_t pri_network_state(const pri_network *net) { return net->n + net->graph.statistics; }

size_t pri_network_weights(const pri_network *net, pri_real **flat) {
  if (flat) *flat = net->weights;
  return net->n;
}

void pri_network_destroy(pri_network **net) {
  if (!net || !*net) return;
  pri_network *p = *net;
  if (p->cls && p->cls->fini && p->priv) p->cls->fini(p->ctx, p->priv);
  if (p->cls) pri_object_destroy(p->ctx, &p->cls->kind, &p->priv);
  pri_graph_fini(p->ctx, &p->graph);
  for (int i = 0; i < 2 * p->cards; i++) pri_free(p->ctx, p->card[i]);
  pri_free(p->ctx, p->card);
  pri_free(p->ctx, p->weights);
  pri_free(p->ctx, p);
  *net = NULL;
}

/* ---- plans */

static ptrdiff_t up_to(ptrdiff_t n, ptrdiff_t m) { return (n + m - 1) / m * m; }
static int is_padded(const pri_plan *p) { return p->padded.h != p->from.h || p->padded.w != p->from.w; }

static pri_status plan_graph(pri_plan *p, int training) {
  pri_ctx *ctx = p->net->ctx;
  const pri_shape *in = &p->in;
  const ptrdiff_t m = p->net->graph.multiple;
  char text[80];
  if (in->nd < 2 || in->nd > 3) return PRI_FAIL(ctx, PRI_ESHAPE, "network: it takes images (y,x) or (channel,y,x), not %s", pri_shape_text(in, text, sizeof text));
  p->from = (pri_net_dims){in->nd == 3 ? in->n[0] : 1, in->n[in->nd - 2], in->n[in->nd - 1]};
  p->padded = (pri_net_dims){p->from.c, up_to(p->from.h, m), up_to(p->from.w, m)};
  PRI_TRY(pri_net_plan_create(ctx, &p->plan, &p->net->graph, &p->padded, p->items, training));
  p->cut = *pri_net_plan_out(p->plan);
  p->bytes = pri_net_plan_bytes(p->plan);
  if (is_padded(p)) {
    if (p->cut.h != p->padded.h || p->cut.w != p->padded.w) return PRI_FAIL(ctx, PRI_ESHAPE, "network: it changes sizes, so that sides must be multiples of %td pixels", m);
    PRI_ALLOC(ctx, p->x, p->items * pri_net_size(&p->padded));
    PRI_ALLOC(ctx, p->y, p->items * pri_net_size(&p->cut));
    p->bytes += (size_t)(p->items * (pri_net_size(&p->padded) + pri_net_size(&p->cut))) * sizeof(pri_real);
    p->cut.h = p->from.h, p->cut.w = p->from.w;
  }
  p->out = (pri_shape){.nd = in->nd == 2 && p->cut.c == 1 ? 2 : 3};
  if (p->out.nd == 3) p->out.n[0] = p->cut.c;
  p->out.n[p->out.nd - 2] = p->cut.h, p->out.n[p->out.nd - 1] = p->cut.w;
  return PRI_OK;
}

static pri_status fill_plan(pri_plan *p, int training) {
  pri_ctx *ctx = p->net->ctx;
  if (p->net->graph.n) return plan_graph(p, training);
  if (p->items != 1) return PRI_FAIL(ctx, PRI_ENOTSUP, "network: %s takes one image at a time", p->net->cls->kind.name);
  PRI_TRY(p->net->cls->plan(ctx, p->net->priv, &p->in, training, &p->out, &p->bytes));
  PRI_ALLOC(ctx, *(char **)&p->work, p->bytes);
  return PRI_OK;
}

pri_status pri_plan_create(const pri_network *net, pri_plan **out, const pri_shape *in, int training) { return pri_plan_create_items(net, out, in, 1, training); }

pri_status pri_plan_create_items(const pri_network *net, pri_plan **out, const pri_shape *in, ptrdiff_t items, int training) {
  *out = pri_calloc(net->ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(net->ctx);
  **out = (pri_plan){.net = net, .in = *in, .items = items};
  const pri_status s = pri_shape_size(in) < 1 || items < 1 ? PRI_FAIL(net->ctx, PRI_ESHAPE, "network: there is no image") : fill_plan(*out, training);
  if (s != PRI_OK) pri_plan_destroy(out);
  return s;
}

const pri_shape *pri_plan_range(const pri_plan *p) { return &p->out; }
size_t pri_plan_bytes(const pri_plan *p) { return p->bytes; }

/* ... 1 0 | 0 1 2 | 2 1 0 | 0 1 ... */
static ptrdiff_t mirror(ptrdiff_t i, ptrdiff_t n) {
  const ptrdiff_t k = i % (2 * n);
  return k < n ? k : 2 * n - 1 - k;
}

/* over planes: big = mirrored small; or small = cut big; or small = big with the mirrored parts added; or big = small with zeros behind */
enum { MIRROR, CUT, FOLD, ZEROS };
static void move(const pri_plan *p, pri_real *small, pri_real *big, ptrdiff_t planes, int what) {
  const ptrdiff_t h = p->from.h, w = p->from.w, H = p->padded.h, W = p->padded.w;
  if (what == FOLD) memset(small, 0, (size_t)(planes * h * w) * sizeof *small);
  for (ptrdiff_t k = 0; k < planes; k++)
    for (ptrdiff_t y = 0; y < H; y++)
      for (ptrdiff_t x = 0; x < W; x++) {
        const ptrdiff_t in = (k * h + mirror(y, h)) * w + mirror(x, w), at = (k * H + y) * W + x;
        const int inside = y < h && x < w;
        if (what == MIRROR) big[at] = small[in];
        else if (what == ZEROS) big[at] = inside ? small[in] : 0;
        else if (what == FOLD) small[in] += big[at];
        else if (inside) small[in] = big[at];
      }
}

pri_status pri_plan_forward(pri_plan *p, pri_real *y, const pri_real *x, const double *cond) {
  const pri_network *net = p->net;
  if (!p->plan) return net->cls->forward(net->ctx, net->priv, net->weights, y, x, cond, p->work);
  if (!is_padded(p)) return pri_net_plan_forward(p->plan, net->weights, y, x, cond);
  move(p, (pri_real *)x, p->x, p->items * p->from.c, MIRROR);
  PRI_TRY(pri_net_plan_forward(p->plan, net->weights, p->y, p->x, cond));
  move(p, y, p->y, p->items * p->cut.c, CUT);
  return PRI_OK;
}

pri_status pri_plan_vjp(pri_plan *p, pri_real *gx, const pri_real *gy) { return pri_plan_backward(p, NULL, gx, gy); }

pri_status pri_plan_backward(pri_plan *p, pri_real *gw, pri_real *gx, const pri_real *gy) {
  const pri_network *net = p->net;
  if (!p->plan) return net->cls->backward(net->ctx, net->priv, net->weights, gw, gx, gy, p->work);
  if (!is_padded(p)) return pri_net_plan_backward(p->plan, net->weights, gw, gx, gy);
  move(p, (pri_real *)gy, p->y, p->items * p->cut.c, ZEROS);
  PRI_TRY(pri_net_plan_backward(p->plan, net->weights, gw, gx ? p->x : NULL, p->y));
  if (gx) move(p, gx, p->x, p->items * p->from.c, FOLD);
  return PRI_OK;
}

void pri_plan_destroy(pri_plan **p) {
  if (!p || !*p) return;
  pri_ctx *ctx = (*p)->net->ctx;
  pri_net_plan_destroy(&(*p)->plan);
  pri_free(ctx, (*p)->work);
  pri_free(ctx, (*p)->x);
  pri_free(ctx, (*p)->y);
  pri_free(ctx, *p);
  *p = NULL;
}
