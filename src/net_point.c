/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_point.c - layers without memory: input, relu, silu, tanh, sigmoid, add, concat, noise, embed, film.
 *   silu   y = x s(x), s the sigmoid          noise  a channel of the noise level (cond), of the size of its input
 *   embed  [2 k, 1, 1]: cos and sin of f_i log(cond) 2 pi / 4, f_i from 1 to `top` in equal steps of the logarithm (Ho 2020, Karras 2022: c_noise = log(sigma) / 4)
 *   film   y = x (1 + a) + b, [a; b] a second input of twice the channels and one pixel (Perez 2018)
 * silu goes back by x, tanh and sigmoid by y.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "net.h"
#include "net_steps.h"
#include "par.h"

enum { GRAIN = 1 << 14 };

static pri_status same_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  (void)ctx, (void)priv, (void)inputs;
  *out = in[0];
  return PRI_OK;
}
static ptrdiff_t total(const pri_net_call *c) { return c->items * pri_net_size(&c->out); }

/* y = f(x) or gx (+)= gy f'(x or y), elements of a range */
typedef pri_real (*point)(pri_real v);
struct points { const pri_net_call *c; point f; int back; const pri_real *of; };

static pri_status some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct points *p = arg;
  const pri_net_call *c = p->c;
  (void)worker;
  if (!p->back) {
    for (ptrdiff_t i = first; i < last; i++) c->y[i] = p->f(c->x[0][i]);
  } else {
    for (ptrdiff_t i = first; i < last; i++) {
      const pri_real g = c->gy[i] * p->f(p->of[i]);
      c->gx[0][i] = c->add[0] ? c->gx[0][i] + g : g;
    }
  }
  return PRI_OK;
}
static pri_status map(const pri_net_call *c, point f) {
  struct points p = {c, f, 0, NULL};
  return pri_par_for(c->ctx, total(c), GRAIN, some, &p);
}
static pri_status map_back(const pri_net_call *c, point slope, const pri_real *of) {
  struct points p = {c, slope, 1, of};
  return c->gx[0] ? pri_par_for(c->ctx, total(c), GRAIN, some, &p) : PRI_OK;
}

static double logistic(double v) { return v >= 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v)); }
static pri_real silu(pri_real v) { return (pri_real)((double)v * logistic((double)v)); }
static pri_real silu_slope(pri_real v) {
  const double s = logistic((double)v);
  return (pri_real)(s * (1 + (double)v * (1 - s)));
}
static pri_real sigmoid(pri_real v) { return (pri_real)logistic((double)v); }
static pri_real sigmoid_slope(pri_real y) { return y * (1 - y); }
static pri_real tangent(pri_real v) { return (pri_real)tanh((double)v); }
static pri_real tangent_slope(pri_real y) { return 1 - y * y; }

/* relu by vectors: x + 0, cut; the gradient, masked in place, added */
static pri_status relu_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct points *p = arg;
  const pri_net_call *c = p->c;
  const pri_net_kernels *k = pri_net_kernels_best();
  (void)worker;
  if (!p->back) {
    k->put(c->y + first, c->x[0] + first, last - first, 0, 1, 0);
  } else {
    k->mask(c->gy + first, c->y + first, last - first);
    k->put(c->gx[0] + first, c->gy + first, last - first, 0, 0, c->add[0]);
  }
  return PRI_OK;
}
static pri_status relu_forward(const pri_net_call *c, const void *priv) {
  struct points p = {c, NULL, 0, NULL};
  return (void)priv, pri_par_for(c->ctx, total(c), GRAIN, relu_some, &p);
}
static pri_status relu_backward(const pri_net_call *c, const void *priv) {
  struct points p = {c, NULL, 1, NULL};
  return (void)priv, c->gx[0] ? pri_par_for(c->ctx, total(c), GRAIN, relu_some, &p) : PRI_OK;
}
static pri_status silu_forward(const pri_net_call *c, const void *priv) { return (void)priv, map(c, silu); }
static pri_status silu_backward(const pri_net_call *c, const void *priv) { return (void)priv, map_back(c, silu_slope, c->x[0]); }
static pri_status sigmoid_forward(const pri_net_call *c, const void *priv) { return (void)priv, map(c, sigmoid); }
static pri_status sigmoid_backward(const pri_net_call *c, const void *priv) { return (void)priv, map_back(c, sigmoid_slope, c->y); }
static pri_status tanh_forward(const pri_net_call *c, const void *priv) { return (void)priv, map(c, tangent); }
static pri_status tanh_backward(const pri_net_call *c, const void *priv) { return (void)priv, map_back(c, tangent_slope, c->y); }

/* to (+)= from */
static void take(pri_real *to, const pri_real *from, ptrdiff_t n, int add) {
  if (!add) memcpy(to, from, (size_t)n * sizeof *to);
  else pri_net_kernels_best()->put(to, from, n, 0, 0, 1);
}

/* ---- add, concat: their inputs item by item */

static pri_status add_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  (void)priv;
  for (int k = 1; k < inputs; k++)
    if (in[k].c != in->c || in[k].h != in->h || in[k].w != in->w)
      return PRI_FAIL(ctx, PRI_ESHAPE, "add: %td x %td x %td and %td x %td x %td are not of one size", in->c, in->h, in->w, in[k].c, in[k].h, in[k].w);
  *out = in[0];
  return PRI_OK;
}
struct adding { const pri_net_call *c; int k; };
static pri_status add_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const pri_net_call *c = ((const struct adding *)arg)->c;
  (void)worker;
  for (int k = 0; k < c->inputs; k++) take(c->y + first, c->x[k] + first, last - first, k > 0);
  return PRI_OK;
}
static pri_status add_back(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct adding *a = arg;
  (void)worker;
  take(a->c->gx[a->k] + first, a->c->gy + first, last - first, a->c->add[a->k]);
  return PRI_OK;
}
static pri_status add_forward(const pri_net_call *c, const void *priv) {
  struct adding a = {c, 0};
  (void)priv;
  return pri_par_for(c->ctx, total(c), GRAIN, add_some, &a);
}
static pri_status add_backward(const pri_net_call *c, const void *priv) {
  (void)priv;
  for (int k = 0; k < c->inputs; k++) {
    struct adding a = {c, k};
    if (c->gx[k]) PRI_TRY(pri_par_for(c->ctx, total(c), GRAIN, add_back, &a));
  }
  return PRI_OK;
}

static pri_status concat_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  (void)priv;
  *out = in[0];
  for (int k = 1; k < inputs; out->c += in[k].c, k++)
    if (in[k].h != in->h || in[k].w != in->w) return PRI_FAIL(ctx, PRI_ESHAPE, "concat: %td x %td and %td x %td pixels are not of one size", in->h, in->w, in[k].h, in[k].w);
  return PRI_OK;
}
static pri_status concat_items(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* over items and inputs */
  const struct adding *a = arg;
  const pri_net_call *c = a->c;
  (void)worker;
  for (ptrdiff_t u = first; u < last; u++) {
    const ptrdiff_t item = u / c->inputs, k = u % c->inputs, size = pri_net_size(&c->in[k]);
    ptrdiff_t at = item * pri_net_size(&c->out);
    for (int j = 0; j < k; j++) at += pri_net_size(&c->in[j]);
    if (a->k == 0) take(c->y + at, c->x[k] + item * size, size, 0);
    else if (c->gx[k]) take(c->gx[k] + item * size, c->gy + at, size, c->add[k]);
  }
  return PRI_OK;
}
static pri_status concat_forward(const pri_net_call *c, const void *priv) {
  struct adding a = {c, 0};
  return (void)priv, pri_par_for(c->ctx, c->items * c->inputs, 1, concat_items, &a);
}
static pri_status concat_backward(const pri_net_call *c, const void *priv) {
  struct adding a = {c, 1};
  return (void)priv, pri_par_for(c->ctx, c->items * c->inputs, c->inputs, concat_items, &a); /* an input given twice adds in order */
}

/* ---- the noise level */

static pri_status needs_cond(const pri_net_call *c, const char *name) {
  if (c->cond && isfinite(*c->cond) && *c->cond >= 0) return PRI_OK;
  return PRI_FAIL(c->ctx, PRI_EPARAM, "network: its layer %s needs the noise level, a number >= 0", name);
}
static pri_status noise_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  (void)ctx, (void)priv, (void)inputs;
  *out = (pri_net_dims){1, in->h, in->w};
  return PRI_OK;
}
static pri_status noise_forward(const pri_net_call *c, const void *priv) {
  (void)priv;
  PRI_TRY(needs_cond(c, "noise"));
  for (ptrdiff_t i = 0; i < total(c); i++) c->y[i] = (pri_real)*c->cond;
  return PRI_OK;
}

struct embed { long size; double top; };
static pri_status embed_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  (void)ctx, (void)in, (void)inputs;
  *out = (pri_net_dims){2 * ((const struct embed *)priv)->size, 1, 1};
  return PRI_OK;
}
static pri_status embed_forward(const pri_net_call *c, const void *priv) {
  const struct embed *p = priv;
  PRI_TRY(needs_cond(c, "embed"));
  const double level = log(*c->cond > 1e-6 ? *c->cond : 1e-6) / 4;
  for (ptrdiff_t n = 0; n < c->items; n++)
    for (long i = 0; i < p->size; i++) {
      const double f = p->size > 1 ? pow(p->top, (double)i / (double)(p->size - 1)) : 1, angle = 6.283185307179586 * f * level;
      pri_real *y = c->y + n * 2 * p->size + i;
      y[0] = (pri_real)cos(angle), y[p->size] = (pri_real)sin(angle);
    }
  return PRI_OK;
}
static const pri_param embed_params[] = {
    {.name = "size", .unit = "1", .help = "frequencies", .type = PRI_INT, .offset = offsetof(struct embed, size), .min = 1, .max = 4096, .def = 16},
    {.name = "top", .unit = "1", .help = "the highest one", .type = PRI_REAL, .offset = offsetof(struct embed, top), .min = 1, .max = 1e6, .def = 64},
    {0}};

static pri_status film_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  (void)priv, (void)inputs;
  if (in[1].c != 2 * in->c || in[1].h != 1 || in[1].w != 1)
    return PRI_FAIL(ctx, PRI_ESHAPE, "film: its second input is %td x %td x %td, not %td x 1 x 1", in[1].c, in[1].h, in[1].w, 2 * in->c);
  *out = in[0];
  return PRI_OK;
}
static pri_status film_planes(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct adding *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t C = c->out.c, size = c->out.h * c->out.w;
  (void)worker;
  for (ptrdiff_t u = first; u < last; u++) {
    const ptrdiff_t fa = u / C * 2 * C + u % C;
    const pri_real gain = 1 + c->x[1][fa], shift = c->x[1][fa + C], *x = c->x[0] + u * size, *g = c->gy ? c->gy + u * size : NULL;
    double ga = 0, gb = 0;
    for (ptrdiff_t i = 0; !a->k && i < size; i++) c->y[u * size + i] = x[i] * gain + shift;
    for (ptrdiff_t i = 0; a->k && i < size; i++) ga += (double)g[i] * (double)x[i], gb += (double)g[i];
    if (!a->k) continue;
    if (c->gx[1]) c->gx[1][fa] = (pri_real)(ga + (c->add[1] ? (double)c->gx[1][fa] : 0)), c->gx[1][fa + C] = (pri_real)(gb + (c->add[1] ? (double)c->gx[1][fa + C] : 0));
    for (ptrdiff_t i = 0; c->gx[0] && i < size; i++) c->gx[0][u * size + i] = g[i] * gain + (c->add[0] ? c->gx[0][u * size + i] : 0);
  }
  return PRI_OK;
}
static pri_status film_forward(const pri_net_call *c, const void *priv) {
  struct adding a = {c, 0};
  return (void)priv, pri_par_for(c->ctx, c->items * c->out.c, 1, film_planes, &a);
}
static pri_status film_backward(const pri_net_call *c, const void *priv) {
  struct adding a = {c, 1};
  return (void)priv, pri_par_for(c->ctx, c->items * c->out.c, 1, film_planes, &a);
}

/* ---- input: its channels; nothing is done */

struct input { long channels; };
static pri_status input_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct input *p = priv;
  (void)inputs;
  if (in->c && in->c != p->channels) return PRI_FAIL(ctx, PRI_ESHAPE, "network: it takes images of %ld channels, and these have %td", p->channels, in->c);
  *out = (pri_net_dims){p->channels, in->h, in->w};
  return PRI_OK;
}
static pri_status nothing(const pri_net_call *c, const void *priv) { return (void)c, (void)priv, PRI_OK; }
static const pri_param input_params[] = {
    {.name = "channels", .unit = "1", .help = "of an image", .type = PRI_INT, .offset = offsetof(struct input, channels), .min = 1, .max = 4096, .def = 1}, {0}};

static const pri_param no_params[] = {{0}};
static const char *const plain[] = {"", NULL};
#define LAYER(word, text) .kind = {word, text, "", 1, no_params, plain}
const pri_layer_class pri_layer_input = {.kind = {"input", "the image", "", sizeof(struct input), input_params, plain}, .shape = input_shape, .forward = nothing};
const pri_layer_class pri_layer_relu = {LAYER("relu", "max(0, x)"), .least = 1, .most = 1, .flags = PRI_NET_READS_Y, .shape = same_shape, .forward = relu_forward, .backward = relu_backward};
const pri_layer_class pri_layer_silu = {LAYER("silu", "x sigmoid(x)"), .least = 1, .most = 1, .flags = PRI_NET_READS_X, .shape = same_shape, .forward = silu_forward, .backward = silu_backward};
const pri_layer_class pri_layer_tanh = {LAYER("tanh", "tanh(x)"), .least = 1, .most = 1, .flags = PRI_NET_READS_Y, .shape = same_shape, .forward = tanh_forward, .backward = tanh_backward};
const pri_layer_class pri_layer_sigmoid = {LAYER("sigmoid", "1 / (1 + exp(-x))"), .least = 1, .most = 1, .flags = PRI_NET_READS_Y, .shape = same_shape, .forward = sigmoid_forward, .backward = sigmoid_backward};
const pri_layer_class pri_layer_add = {LAYER("add", "sum of layers"), .least = 2, .most = PRI_NET_INPUTS, .shape = add_shape, .forward = add_forward, .backward = add_backward};
const pri_layer_class pri_layer_concat = {LAYER("concat", "channels of layers, one after another"), .least = 2, .most = PRI_NET_INPUTS, .shape = concat_shape, .forward = concat_forward, .backward = concat_backward};
const pri_layer_class pri_layer_noise = {LAYER("noise", "a channel of the noise level"), .least = 1, .most = 1, .flags = PRI_NET_READS_COND, .shape = noise_shape, .forward = noise_forward};
const pri_layer_class pri_layer_embed = {.kind = {"embed", "waves of the noise level", "", sizeof(struct embed), embed_params, plain}, .flags = PRI_NET_READS_COND, .shape = embed_shape, .forward = embed_forward};
const pri_layer_class pri_layer_film = {LAYER("film", "x (1 + a) + b"), .least = 2, .most = 2, .flags = PRI_NET_READS_X, .shape = film_shape, .forward = film_forward, .backward = film_backward};
