/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_pool.c - sizes down and up: average and largest of blocks of `size` x `size`, each pixel `factor` times (nearest), and bilinear between pixel centres
 * (position (i + 1/2) / factor - 1/2, the edge goes on: PyTorch's align_corners=False). A largest value that stands twice goes back to the first of them.
 */
#include <stddef.h>
#include <string.h>
#include "net.h"
#include "par.h"

struct pool { long size; };
struct upsample { long factor; int mode; };
struct pass { const pri_net_call *c; const void *priv; };
enum { NEAREST, BILINEAR };

static pri_status planes(const pri_net_call *c, const void *priv, pri_par_fn fn) {
  struct pass a = {c, priv};
  return pri_par_for(c->ctx, c->items * c->out.c, 1, fn, &a);
}

static pri_status pool_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct pool *p = priv;
  (void)inputs;
  *out = (pri_net_dims){in->c, in->h / p->size, in->w / p->size};
  return out->h && out->w ? PRI_OK : PRI_FAIL(ctx, PRI_ESHAPE, "pool: size=%ld is more than %td x %td pixels", p->size, in->h, in->w);
}

/* what a plane of the larger image is at: of the input of a pool, of the output of an upsampling */
static void clear(pri_real *gx, ptrdiff_t n, int add) {
  if (!add) memset(gx, 0, (size_t)n * sizeof *gx);
}

static pri_status average(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t s = ((const struct pool *)a->priv)->size, h = c->in[0].h, w = c->in[0].w, oh = c->out.h, ow = c->out.w;
  const double part = 1 / (double)(s * s);
  (void)worker;
  for (ptrdiff_t p = first; p < last; p++)
    for (ptrdiff_t y = 0; y < oh; y++)
      for (ptrdiff_t x = 0; x < ow; x++) {
        double sum = 0;
        for (ptrdiff_t k = 0; k < s * s; k++) sum += (double)c->x[0][(p * h + y * s + k / s) * w + x * s + k % s];
        c->y[(p * oh + y) * ow + x] = (pri_real)(sum * part);
      }
  return PRI_OK;
}
static pri_status average_back(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t s = ((const struct pool *)a->priv)->size, h = c->in[0].h, w = c->in[0].w, oh = c->out.h, ow = c->out.w;
  (void)worker;
  for (ptrdiff_t p = first; p < last; p++) {
    clear(c->gx[0] + p * h * w, h * w, c->add[0]);
    for (ptrdiff_t y = 0; y < oh * s; y++)
      for (ptrdiff_t x = 0; x < ow * s; x++) c->gx[0][(p * h + y) * w + x] += c->gy[(p * oh + y / s) * ow + x / s] / (pri_real)(s * s);
  }
  return PRI_OK;
}

/* the place of the largest of a block */
static ptrdiff_t largest(const pri_real *x, ptrdiff_t w, ptrdiff_t s) {
  ptrdiff_t best = 0;
  for (ptrdiff_t v = 0; v < s; v++)
    for (ptrdiff_t u = 0; u < s; u++)
      if (x[v * w + u] > x[best]) best = v * w + u;
  return best;
}
static pri_status maximum(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t s = ((const struct pool *)a->priv)->size, h = c->in[0].h, w = c->in[0].w, oh = c->out.h, ow = c->out.w;
  (void)worker;
  for (ptrdiff_t p = first; p < last; p++)
    for (ptrdiff_t y = 0; y < oh; y++)
      for (ptrdiff_t x = 0; x < ow; x++) {
        const pri_real *from = c->x[0] + (p * h + y * s) * w + x * s;
        c->y[(p * oh + y) * ow + x] = from[largest(from, w, s)];
      }
  return PRI_OK;
}
static pri_status maximum_back(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t s = ((const struct pool *)a->priv)->size, h = c->in[0].h, w = c->in[0].w, oh = c->out.h, ow = c->out.w;
  (void)worker;
  for (ptrdiff_t p = first; p < last; p++) {
    clear(c->gx[0] + p * h * w, h * w, c->add[0]);
    for (ptrdiff_t y = 0; y < oh; y++)
      for (ptrdiff_t x = 0; x < ow; x++) {
        const ptrdiff_t at = (p * h + y * s) * w + x * s;
        c->gx[0][at + largest(c->x[0] + at, w, s)] += c->gy[(p * oh + y) * ow + x];
      }
  }
  return PRI_OK;
}

static pri_status average_forward(const pri_net_call *c, const void *priv) { return planes(c, priv, average); }
static pri_status average_backward(const pri_net_call *c, const void *priv) { return c->gx[0] ? planes(c, priv, average_back) : PRI_OK; }
static pri_status maximum_forward(const pri_net_call *c, const void *priv) { return planes(c, priv, maximum); }
static pri_status maximum_backward(const pri_net_call *c, const void *priv) { return c->gx[0] ? planes(c, priv, maximum_back) : PRI_OK; }

/* ---- up */

static pri_status up_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct upsample *p = priv;
  (void)ctx, (void)inputs;
  *out = (pri_net_dims){in->c, in->h * p->factor, in->w * p->factor};
  return PRI_OK;
}

struct between { ptrdiff_t at, next; pri_real t; }; /* (1 - t) x[at] + t x[next] */
static struct between place(ptrdiff_t i, long factor, ptrdiff_t n, int mode) {
  if (mode == NEAREST) return (struct between){i / factor, i / factor, 0};
  const ptrdiff_t twice = 2 * i + 1 - factor, period = 2 * factor; /* position times 2 factor */
  if (twice <= 0) return (struct between){0, 0, 0};
  const ptrdiff_t at = twice / period;
  return (struct between){at, at + 1 < n ? at + 1 : at, (pri_real)((double)(twice % period) / (double)period)};
}

static pri_status up(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const struct upsample *p = a->priv;
  const ptrdiff_t h = c->in[0].h, w = c->in[0].w, oh = c->out.h, ow = c->out.w;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++)
    for (ptrdiff_t y = 0; y < oh; y++) {
      const struct between v = place(y, p->factor, h, p->mode);
      const pri_real *top = c->x[0] + (k * h + v.at) * w, *low = c->x[0] + (k * h + v.next) * w;
      pri_real *to = c->y + (k * oh + y) * ow;
      for (ptrdiff_t x = 0; x < ow; x++) {
        const struct between u = place(x, p->factor, w, p->mode);
        to[x] = p->mode == NEAREST ? top[u.at] : (1 - v.t) * ((1 - u.t) * top[u.at] + u.t * top[u.next]) + v.t * ((1 - u.t) * low[u.at] + u.t * low[u.next]);
      }
    }
  return PRI_OK;
}
static pri_status up_back(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const struct upsample *p = a->priv;
  const ptrdiff_t h = c->in[0].h, w = c->in[0].w, oh = c->out.h, ow = c->out.w;
  (void)worker;
  for (ptrdiff_t k = first; k < last; k++) {
    clear(c->gx[0] + k * h * w, h * w, c->add[0]);
    for (ptrdiff_t y = 0; y < oh; y++) {
      const struct between v = place(y, p->factor, h, p->mode);
      pri_real *top = c->gx[0] + (k * h + v.at) * w, *low = c->gx[0] + (k * h + v.next) * w;
      for (ptrdiff_t x = 0; x < ow; x++) {
        const struct between u = place(x, p->factor, w, p->mode);
        const pri_real g = c->gy[(k * oh + y) * ow + x];
        top[u.at] += (1 - v.t) * (1 - u.t) * g;
        if (p->mode == NEAREST) continue;
        top[u.next] += (1 - v.t) * u.t * g, low[u.at] += v.t * (1 - u.t) * g, low[u.next] += v.t * u.t * g;
      }
    }
  }
  return PRI_OK;
}
static pri_status up_forward(const pri_net_call *c, const void *priv) { return planes(c, priv, up); }
static pri_status up_backward(const pri_net_call *c, const void *priv) { return c->gx[0] ? planes(c, priv, up_back) : PRI_OK; }

static const pri_param pool_params[] = {
    {.name = "size", .unit = "px", .help = "side of a block", .type = PRI_INT, .offset = offsetof(struct pool, size), .min = 1, .max = 16, .def = 2}, {0}};
static const char *const modes[] = {"nearest", "bilinear", NULL}, *const plain[] = {"", NULL};
static const pri_param up_params[] = {
    {.name = "factor", .unit = "1", .help = "times larger", .type = PRI_INT, .offset = offsetof(struct upsample, factor), .min = 1, .max = 16, .def = 2},
    {.name = "mode", .unit = "1", .help = "what stands between", .type = PRI_CHOICE, .offset = offsetof(struct upsample, mode), .choices = modes},
    {0}};
const pri_layer_class pri_layer_avgpool = {.kind = {"avgpool", "means of blocks", "", sizeof(struct pool), pool_params, plain}, .least = 1, .most = 1, .shape = pool_shape, .forward = average_forward, .backward = average_backward};
const pri_layer_class pri_layer_maxpool = {.kind = {"maxpool", "largest of blocks", "", sizeof(struct pool), pool_params, plain}, .least = 1, .most = 1, .flags = PRI_NET_READS_X, .shape = pool_shape, .forward = maximum_forward, .backward = maximum_backward};
const pri_layer_class pri_layer_upsample = {.kind = {"upsample", "larger, nearest or bilinear", "", sizeof(struct upsample), up_params, plain}, .least = 1, .most = 1, .shape = up_shape, .forward = up_forward, .backward = up_backward};
