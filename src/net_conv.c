/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_conv.c - the layers conv and deconv: convolution and transposed convolution, both of net_conv.h. Weights as PyTorch lays them out: conv [out][in / groups][k][k],
 * deconv [in][out / groups][k][k]. A relu behind is part of the sum (net_plan.c); so is a batch norm, which scales weights and shift:
 *   gain = gamma / root(var + eps),   shift = (bias - mean) gain + beta
 */
#include <math.h>
#include <stddef.h>
#include "net_conv.h"
#include "net_steps.h"
#include "par.h"

struct conv { long out, kernel, stride, dilation, groups, pad; int bias, border; };
enum { AUTO = -1 };

static long pad_of(const struct conv *p) { return p->pad != AUTO ? p->pad : p->dilation * (p->kernel - 1) / 2; }

static pri_status check(pri_ctx *ctx, const struct conv *p, const char *name, const pri_net_dims *in) {
  if (in->c % p->groups || p->out % p->groups) return PRI_FAIL(ctx, PRI_EPARAM, "%s: groups=%ld does not divide %td channels in and %ld out", name, p->groups, in->c, p->out);
  if (p->border == PRI_NET_REFLECT && (pad_of(p) >= in->h || pad_of(p) >= in->w)) return PRI_FAIL(ctx, PRI_ESHAPE, "%s: pad=%ld does not reflect in %td x %td pixels", name, pad_of(p), in->h, in->w);
  return PRI_OK;
}

static pri_status conv_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct conv *p = priv;
  const ptrdiff_t reach = p->dilation * (p->kernel - 1) + 1, h = in->h + 2 * pad_of(p) - reach, w = in->w + 2 * pad_of(p) - reach;
  (void)inputs;
  PRI_TRY(check(ctx, p, "conv", in));
  if (h < 0 || w < 0) return PRI_FAIL(ctx, PRI_ESHAPE, "conv: a reach of %td pixels does not fit in %td x %td", reach, in->h, in->w);
  *out = (pri_net_dims){p->out, h / p->stride + 1, w / p->stride + 1};
  return PRI_OK;
}

static pri_status deconv_shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct conv *p = priv;
  const ptrdiff_t more = p->dilation * (p->kernel - 1) + 1 - 2 * p->pad;
  (void)inputs;
  PRI_TRY(check(ctx, p, "deconv", in));
  *out = (pri_net_dims){p->out, (in->h - 1) * p->stride + more, (in->w - 1) * p->stride + more};
  return out->h > 0 && out->w > 0 ? PRI_OK : PRI_FAIL(ctx, PRI_ESHAPE, "deconv: nothing is left of %td x %td pixels", in->h, in->w);
}

static int tensors(const struct conv *p, ptrdiff_t first, ptrdiff_t second, ptrdiff_t in, pri_net_tensor t[PRI_NET_TENSORS]) {
  t[0] = (pri_net_tensor){.name = "weight", .nd = 4, .n = {first, second / p->groups, p->kernel, p->kernel}, .fan = in / p->groups * p->kernel * p->kernel};
  t[1] = (pri_net_tensor){.name = "bias", .nd = 1, .n = {p->out}};
  return 1 + p->bias;
}
static int conv_tensors(const void *priv, const pri_net_dims *in, pri_net_tensor t[PRI_NET_TENSORS]) {
  const struct conv *p = priv;
  return tensors(p, p->out, in->c, in->c, t);
}
static int deconv_tensors(const void *priv, const pri_net_dims *in, pri_net_tensor t[PRI_NET_TENSORS]) {
  const struct conv *p = priv;
  const int n = tensors(p, in->c, p->out, in->c, t);
  t[0].fan = t[0].fan / (p->stride * p->stride) > 0 ? t[0].fan / (p->stride * p->stride) : 1; /* of each output */
  return n;
}

/* The geometry of a call: the fine side is the input of a conv and the output of a deconv. */
static pri_conv_geometry geometry(const pri_net_call *c, const struct conv *p, int transposed) {
  const pri_net_dims *fine = transposed ? &c->out : &c->in[0], *coarse = transposed ? &c->in[0] : &c->out;
  pri_conv_geometry g = {.items = c->items, .groups = p->groups, .ci = fine->c, .co = coarse->c, .h = fine->h, .w = fine->w, .ho = coarse->h, .wo = coarse->w,
                         .kernel = (int)p->kernel, .stride = (int)p->stride, .dilation = (int)p->dilation,
                         .pad = (int)(transposed ? p->pad : pad_of(p)), .border = transposed ? PRI_NET_ZERO : p->border};
  pri_conv_prepare(&g);
  return g;
}

static ptrdiff_t front(const pri_net_call *c) { return pri_conv_round(2 * c->out.c, 16); }

static size_t scratch(const pri_net_call *c, const struct conv *p, int transposed) {
  const pri_conv_geometry g = geometry(c, p, transposed);
  return pri_conv_scratch(c->ctx, &g) + (size_t)front(c) * sizeof(pri_real);
}
static size_t conv_scratch(const pri_net_call *c, const void *priv) { return scratch(c, priv, 0); }
static size_t deconv_scratch(const pri_net_call *c, const void *priv) { return scratch(c, priv, 1); }

static pri_status forward(const pri_net_call *c, const struct conv *p, int transposed) {
  const pri_conv_geometry g = geometry(c, p, transposed);
  pri_real *gain = c->scratch, *shift = gain + c->out.c;
  pri_conv_out out = {.y = c->y, .shift = p->bias ? c->w[1] : NULL, .relu = c->relu};
  for (ptrdiff_t i = 0; c->norm[0] && i < c->out.c; i++) {
    const double a = (double)c->norm[0][i] / sqrt((double)c->norm[3][i] + c->norm_eps), b = p->bias ? (double)c->w[1][i] : 0;
    gain[i] = (pri_real)a, shift[i] = (pri_real)((b - (double)c->norm[2][i]) * a + (double)c->norm[1][i]);
  }
  if (c->norm[0]) out.shift = shift;
  return (transposed ? pri_conv_up : pri_conv_down)(c->ctx, &g, &out, c->x[0], c->w[0], c->norm[0] ? gain : NULL, gain + front(c));
}
static pri_status conv_forward(const pri_net_call *c, const void *priv) { return forward(c, priv, 0); }
static pri_status deconv_forward(const pri_net_call *c, const void *priv) { return forward(c, priv, 1); }

struct masking { pri_real *g; const pri_real *y; const pri_net_kernels *k; };
static pri_status mask_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct masking *m = arg;
  (void)worker;
  m->k->mask(m->g + first, m->y + first, last - first);
  return PRI_OK;
}

static pri_status backward(const pri_net_call *c, const struct conv *p, int transposed) {
  const pri_conv_geometry g = geometry(c, p, transposed);
  const pri_conv_out out = {.y = c->gx[0], .add = c->add[0]};
  struct masking m = {c->gy, c->y, pri_net_kernels_best()};
  void *space = (pri_real *)c->scratch + front(c);
  if (c->relu) PRI_TRY(pri_par_for(c->ctx, c->items * pri_net_size(&c->out), 1 << 14, mask_some, &m));
  if (c->gw[0]) PRI_TRY(pri_conv_weights(c->ctx, &g, c->gw[0], transposed ? c->gy : c->x[0], transposed ? c->x[0] : c->gy, space));
  if (c->gw[1]) PRI_TRY(pri_conv_sums(c->ctx, c->gw[1], c->gy, c->items, c->out.c, c->out.h * c->out.w));
  if (!c->gx[0]) return PRI_OK;
  return (transposed ? pri_conv_down : pri_conv_up)(c->ctx, &g, &out, c->gy, c->w[0], NULL, space);
}
static pri_status conv_backward(const pri_net_call *c, const void *priv) { return backward(c, priv, 0); }
static pri_status deconv_backward(const pri_net_call *c, const void *priv) { return backward(c, priv, 1); }

#define OF(field) .offset = offsetof(struct conv, field)
#define SHARED                                                                                                                           \
  {.name = "out", .unit = "1", .help = "channels that come out", .type = PRI_INT, .flags = PRI_P_REQUIRED, OF(out), .min = 1, .max = 65536, .def = 1}, \
      {.name = "kernel", .unit = "px", .help = "side of the kernel", .type = PRI_INT, OF(kernel), .min = 1, .max = PRI_NET_KERNEL, .def = 3},          \
      {.name = "dilation", .unit = "px", .help = "distance of taps", .type = PRI_INT, OF(dilation), .min = 1, .max = 32, .def = 1},                   \
      {.name = "groups", .unit = "1", .help = "groups of channels that do not mix", .type = PRI_INT, OF(groups), .min = 1, .max = 65536, .def = 1},     \
      {.name = "bias", .unit = "1", .help = "a constant a channel", .type = PRI_BOOL, OF(bias), .max = 1, .def = 1}
static const char *const borders[] = {"zero", "reflect", "periodic", NULL};
static const pri_param conv_params[] = {
    SHARED,
    {.name = "stride", .unit = "px", .help = "distance of outputs", .type = PRI_INT, OF(stride), .min = 1, .max = PRI_NET_STRIDE, .def = 1},
    {.name = "pad", .unit = "px", .help = "border on each side; -1: what keeps the size at stride 1", .type = PRI_INT, OF(pad), .min = -1, .max = 256, .def = AUTO},
    {.name = "border", .unit = "1", .help = "what stands there", .type = PRI_CHOICE, OF(border), .choices = borders},
    {0}};
static const pri_param deconv_params[] = {
    SHARED,
    {.name = "stride", .unit = "px", .help = "distance of inputs in the output", .type = PRI_INT, OF(stride), .min = 1, .max = PRI_NET_STRIDE, .def = 2},
    {.name = "pad", .unit = "px", .help = "pixels that are cut off on each side", .type = PRI_INT, OF(pad), .min = 0, .max = 256, .def = 0},
    {0}};
static const char *const conv_examples[] = {"out=3", NULL}, *const deconv_examples[] = {"out=3,kernel=2", NULL};
const pri_layer_class pri_layer_conv = {.kind = {"conv", "convolution", "", sizeof(struct conv), conv_params, conv_examples}, .least = 1, .most = 1,
                                        .flags = PRI_NET_READS_X, .shape = conv_shape, .forward = conv_forward, .backward = conv_backward, .tensors = conv_tensors, .scratch = conv_scratch};
const pri_layer_class pri_layer_deconv = {.kind = {"deconv", "transposed convolution", "", sizeof(struct conv), deconv_params, deconv_examples}, .least = 1, .most = 1,
                                          .flags = PRI_NET_READS_X, .shape = deconv_shape, .forward = deconv_forward, .backward = deconv_backward, .tensors = deconv_tensors, .scratch = deconv_scratch};
