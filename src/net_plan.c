/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_plan.c - a graph at one shape: where every value lies, and the order of things.
 *
 * Time runs over 2 n steps: layer i forward at i, backward at 2 n - 1 - i. A value, a gradient or a scratch area lives from its first to its last step; areas are
 * laid into one block, the largest first, each at the lowest place that nothing alive at the same time holds. What backward reads lives to the end, so that
 * it can be called again after one forward. Nothing is allocated later.
 * Fused where the inner value has no other reader: conv (or deconv) and relu: one value, the gradient is masked by its sign; conv and batch norm, without
 * training: one convolution with scaled weights.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"

enum { ALIGN = 64 };
struct area { size_t bytes, at; int first, last; };          /* bytes 0: none */
struct layer {
  pri_net_dims size;
  int value, gone, relu, norm;                               /* layer that holds its value; 1: fused away; norm: index of the layer of its batch norm, or 0 */
  struct area y, g, keep, scratch[2];                        /* scratch: forward, backward */
};
struct pri_net_plan {
  pri_ctx *ctx;
  const pri_graph *graph;
  ptrdiff_t items;
  int training;
  struct layer *layer;
  unsigned char *written;                                    /* gradients that were: the first writer sets, others add */
  char *block;
  size_t bytes;
};

static size_t value_bytes(const pri_net_plan *p, int i) { return (size_t)(p->items * pri_net_size(&p->layer[i].size)) * sizeof(pri_real); }

static pri_status take_sizes(pri_net_plan *p, const pri_net_dims *in) {
  for (int i = 0; i < p->graph->n; i++) {
    const pri_net_layer *l = &p->graph->layer[i];
    pri_net_dims from[PRI_NET_INPUTS] = {*in};
    for (int k = 0; k < l->inputs; k++) from[k] = p->layer[l->in[k]].size;
    PRI_TRY(l->cls->shape(p->ctx, l->priv, from, l->inputs, &p->layer[i].size));
    const pri_net_dims *d = &p->layer[i].size;
    if (d->h < 1 || d->w < 1 || d->h > PTRDIFF_MAX / 4096 / d->w / d->c / p->items)
      return PRI_FAIL(p->ctx, PRI_ESHAPE, "network: layer %s has no size there (%td x %td x %td)", l->name, d->c, d->h, d->w);
  }
  return PRI_OK;
}

static int is_conv(const pri_layer_class *c) { return c == &pri_layer_conv || c == &pri_layer_deconv; }

static void fuse(pri_net_plan *p) {
  for (int i = 0; i < p->graph->n; i++) {
    const pri_net_layer *l = &p->graph->layer[i];
    struct layer *mine = &p->layer[i];
    mine->value = i;
    if (l->cls != &pri_layer_relu && !(l->cls == &pri_layer_batchnorm && !p->training)) continue;
    const int from = p->layer[l->in[0]].value;
    if (!is_conv(p->graph->layer[from].cls) || p->graph->layer[l->in[0]].uses != 1 || p->layer[from].relu) continue;
    if (l->cls == &pri_layer_relu) p->layer[from].relu = 1;
    else if (p->layer[from].norm) continue;
    else p->layer[from].norm = i;
    mine->value = from, mine->gone = 1;
  }
}

/* a call with its sizes */
static pri_net_call sized(const pri_net_plan *p, int i) {
  const pri_net_layer *l = &p->graph->layer[i];
  pri_net_call c = {.ctx = p->ctx, .items = p->items, .inputs = l->inputs, .training = p->training, .out = p->layer[i].size, .relu = p->layer[i].relu};
  for (int k = 0; k < l->inputs; k++) c.in[k] = p->layer[l->in[k]].size;
  return c;
}

static void live(struct area *a, size_t bytes, int first, int last) {
  if (!a->bytes) *a = (struct area){.first = first, .last = last};
  a->bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  if (first < a->first) a->first = first;
  if (last > a->last) a->last = last;
}

static pri_status find_lives(pri_net_plan *p) {
  const int n = p->graph->n, end = 2 * n - 1;
  for (int i = 0; i < n; i++) {
    const pri_net_layer *l = &p->graph->layer[i];
    struct layer *m = &p->layer[i];
    const pri_net_call c = sized(p, i);
    if (m->gone) continue;
    live(&m->y, value_bytes(p, i), i, p->training && ((l->cls->flags & PRI_NET_READS_Y) || m->relu) ? end : i);
    if (l->cls->scratch) live(&m->scratch[0], l->cls->scratch(&c, l->priv), i, i);
    for (int k = 0; k < l->inputs; k++) {
      struct layer *from = &p->layer[p->layer[l->in[k]].value];
      live(&from->y, from->y.bytes, i, p->training && (l->cls->flags & PRI_NET_READS_X) ? end : i);
      if (p->training && l->cls->backward) live(&from->g, from->y.bytes, end - i, end - i);
    }
    if (!p->training) continue;
    live(&m->g, m->y.bytes, end - i, end - i);
    if (l->cls->scratch) live(&m->scratch[1], l->cls->scratch(&c, l->priv), end - i, end - i);
    if (l->cls->keep) live(&m->keep, l->cls->keep(&c, l->priv), i, end);
  }
  struct layer *last = &p->layer[p->layer[n - 1].value];
  live(&last->y, last->y.bytes, n, n);
  if (p->training) live(&last->g, last->y.bytes, n, n);
  for (int i = 0; i < n; i++) {
    const struct layer *m = &p->layer[i];
    if ((m->y.bytes | m->keep.bytes | m->scratch[0].bytes) >> 48) return PRI_FAIL(p->ctx, PRI_ESHAPE, "network: layer %s needs more memory than any machine has", p->graph->layer[i].name);
  }
  return PRI_OK;
}

static int by_size(const void *a, const void *b) {
  const struct area *x = *(struct area *const *)a, *y = *(struct area *const *)b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x > y) - (x < y);
}

/* The lowest place where a fits between those of done that live at its time; done is in the order of places. */
static void place(struct area *a, struct area **done, int n) {
  size_t at = 0;
  for (int i = 0; i < n; i++)
    if (done[i]->first <= a->last && a->first <= done[i]->last) {
      if (done[i]->at >= at + a->bytes) break;
      if (done[i]->at + done[i]->bytes > at) at = done[i]->at + done[i]->bytes;
    }
  a->at = at;
  int i = n;
  for (; i > 0 && done[i - 1]->at > at; i--) done[i] = done[i - 1];
  done[i] = a;
}

static pri_status lay_out(pri_net_plan *p) {
  struct area **all, **done;
  int n = 0;
  PRI_ALLOC(p->ctx, all, 10 * p->graph->n);
  done = all + 5 * p->graph->n;
  for (int i = 0; i < p->graph->n; i++) {
    struct layer *m = &p->layer[i];
    struct area *const five[] = {&m->y, &m->g, &m->keep, &m->scratch[0], &m->scratch[1]};
    for (int k = 0; k < 5; k++)
      if (five[k]->bytes) all[n++] = five[k];
  }
  qsort(all, (size_t)n, sizeof *all, by_size);
  for (int i = 0; i < n; i++) {
    place(all[i], done, i);
    if (all[i]->at + all[i]->bytes > p->bytes) p->bytes = all[i]->at + all[i]->bytes;
  }
  pri_free(p->ctx, all);
  PRI_ALLOC(p->ctx, p->block, p->bytes + ALIGN);
  return PRI_OK;
}

static pri_status fill(pri_net_plan *p, const pri_net_dims *in) {
  PRI_ALLOC(p->ctx, p->layer, p->graph->n);
  PRI_ALLOC(p->ctx, p->written, p->graph->n);
  PRI_TRY(take_sizes(p, in));
  fuse(p);
  PRI_TRY(find_lives(p));
  return lay_out(p);
}

pri_status pri_net_plan_create(pri_ctx *ctx, pri_net_plan **out, const pri_graph *g, const pri_net_dims *in, ptrdiff_t items, int training) {
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (!*out) return pri_ctx_code(ctx);
  **out = (pri_net_plan){.ctx = ctx, .graph = g, .items = items, .training = training};
  const pri_status s = fill(*out, in);
  if (s != PRI_OK) pri_net_plan_destroy(out);
  return s;
}

const pri_net_dims *pri_net_plan_out(const pri_net_plan *p) { return &p->layer[p->graph->n - 1].size; }
size_t pri_net_plan_bytes(const pri_net_plan *p) { return p->bytes; }

static void *at(const pri_net_plan *p, const struct area *a) { return a->bytes ? p->block + a->at : NULL; }

/* what both ways share: where the values and the weights are */
static pri_net_call call_of(const pri_net_plan *p, int i, const pri_real *w) {
  const pri_net_layer *l = &p->graph->layer[i];
  pri_net_call c = sized(p, i);
  for (int k = 0; k < l->inputs; k++) c.x[k] = at(p, &p->layer[p->layer[l->in[k]].value].y);
  for (int t = 0; t < l->tensors; t++) c.w[t] = w + l->at[t];
  c.y = at(p, &p->layer[i].y);
  c.keep = at(p, &p->layer[i].keep);
  if (p->layer[i].norm) {
    const pri_net_layer *b = &p->graph->layer[p->layer[i].norm];
    for (int t = 0; t < b->tensors; t++) c.norm[t] = w + b->at[t];
    c.norm_eps = *(const double *)b->priv; /* its first field, net_norm.c */
  }
  return c;
}

pri_status pri_net_plan_forward(pri_net_plan *p, pri_real *w, pri_real *y, const pri_real *x, const double *cond) {
  const int n = p->graph->n;
  memcpy(at(p, &p->layer[0].y), x, value_bytes(p, 0));
  for (int i = 1; i < n; i++) {
    const pri_net_layer *l = &p->graph->layer[i];
    if (p->layer[i].gone) continue;
    pri_net_call c = call_of(p, i, w);
    c.cond = cond;
    c.scratch = at(p, &p->layer[i].scratch[0]);
    for (int t = 0; t < l->tensors && p->training; t++)
      if (l->tensor[t].statistic) c.statistics[t] = w + l->at[t];
    PRI_TRY(l->cls->forward(&c, l->priv));
  }
  memcpy(y, at(p, &p->layer[p->layer[n - 1].value].y), value_bytes(p, n - 1));
  return PRI_OK;
}

pri_status pri_net_plan_backward(pri_net_plan *p, const pri_real *w, pri_real *gw, pri_real *gx, const pri_real *gy) {
  const int n = p->graph->n, last = p->layer[n - 1].value;
  memset(p->written, 0, (size_t)n);
  memcpy(at(p, &p->layer[last].g), gy, value_bytes(p, n - 1));
  p->written[last] = 1;
  for (int i = n - 1; i > 0; i--) {
    const pri_net_layer *l = &p->graph->layer[i];
    if (p->layer[i].gone || !l->cls->backward || !p->written[i]) continue;
    pri_net_call c = call_of(p, i, w);
    c.gy = at(p, &p->layer[i].g);
    c.scratch = at(p, &p->layer[i].scratch[1]);
    for (int k = 0; k < l->inputs; k++) {
      const int from = p->layer[l->in[k]].value;
      if (from == 0 && !gx) continue;
      c.gx[k] = at(p, &p->layer[from].g);
      c.add[k] = p->written[from];
      p->written[from] = 1;
    }
    for (int t = 0; t < l->tensors && gw; t++)
      if (!l->tensor[t].statistic) c.gw[t] = gw + l->at[t];
    PRI_TRY(l->cls->backward(&c, l->priv));
  }
  if (gx && p->written[0]) memcpy(gx, at(p, &p->layer[0].g), value_bytes(p, 0));
  else if (gx) memset(gx, 0, value_bytes(p, 0));
  return PRI_OK;
}

void pri_net_plan_destroy(pri_net_plan **p) {
  if (!p || !*p) return;
  pri_ctx *ctx = (*p)->ctx;
  pri_free(ctx, (*p)->layer);
  pri_free(ctx, (*p)->written);
  pri_free(ctx, (*p)->block);
  pri_free(ctx, *p);
  *p = NULL;
}
