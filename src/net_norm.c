/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_norm.c - batch and group normalisation: y = gamma (x - mean) / root(var + eps) + beta.
 *   batchnorm  mean and var of a channel: over items and pixels in training, whose running means (momentum 0.1, var by n - 1) serve otherwise (Ioffe 2015, as PyTorch)
 *   groupnorm  of `groups` groups of channels of an item (Wu 2018)
 * Back, with z = (x - mean) / s, s = root(var + eps), h = gamma gy, means over the n elements that were averaged:  gx = (h - mean(h) - z mean(h z)) / s.
 * Both keep mean and 1 / s of every set in double.
 */
#include <math.h>
#include <stddef.h>
#include "net.h"
#include "net_steps.h"
#include "par.h"

struct norm { double eps; long groups; };        /* eps first: net_plan.c reads it where it folds a batch norm */

/* A set: the `planes` planes of `items` items that share mean and variance. */
struct set { ptrdiff_t item, items, channel, planes; };
struct pass { const pri_net_call *c; const struct norm *p; int batch; double *kept; const pri_net_kernels *kernel; };

static struct set set_at(const struct pass *a, ptrdiff_t u) {
  const pri_net_call *c = a->c;
  const ptrdiff_t each = a->batch ? 1 : c->out.c / a->p->groups;
  if (a->batch) return (struct set){0, c->items, u, 1};
  return (struct set){u / a->p->groups, 1, u % a->p->groups * each, each};
}
static ptrdiff_t sets(const pri_net_call *c, const struct norm *p, int batch) { return batch ? c->out.c : c->items * p->groups; }

/* sums of x - m and of its square over a set */
static void moments(const struct pass *a, const struct set *s, double m, double sum[2]) {
  const pri_net_call *c = a->c;
  const ptrdiff_t size = c->out.h * c->out.w;
  sum[0] = sum[1] = 0;
  for (ptrdiff_t n = 0; n < s->items; n++)
    for (ptrdiff_t p = 0; p < s->planes; p++) a->kernel->sums(sum, c->x[0] + ((s->item + n) * c->out.c + s->channel + p) * size, NULL, size, m);
}

static void remember(const pri_net_call *c, ptrdiff_t u, double mean, double square, double n) { /* running mean, variance */
  pri_real *m = c->statistics[2], *v = c->statistics[3];
  if (!m || !v) return;
  m[u] = (pri_real)(0.9 * (double)m[u] + 0.1 * mean);
  v[u] = (pri_real)(0.9 * (double)v[u] + 0.1 * square / (n > 1 ? n - 1 : 1));
}

static pri_status forward_sets(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t size = c->out.h * c->out.w;
  (void)worker;
  for (ptrdiff_t u = first; u < last; u++) {
    const struct set s = set_at(a, u);
    const double n = (double)(s.items * s.planes * size);
    double mean, var;
    if (a->batch && c->training != 1) {
      mean = (double)c->w[2][u], var = (double)c->w[3][u];
    } else {
      double sum[2];
      moments(a, &s, 0, sum);
      mean = sum[0] / n;
      moments(a, &s, mean, sum); /* once more about the mean: x^2 - mean^2 would lose what is small */
      var = sum[1] / n;
      if (a->batch) remember(c, u, mean, sum[1], n);
    }
    const double inverse = 1 / sqrt(var + a->p->eps);
    if (a->kept) a->kept[2 * u] = mean, a->kept[2 * u + 1] = inverse;
    for (ptrdiff_t k = 0; k < s.items * s.planes; k++) {
      const ptrdiff_t channel = s.channel + k % s.planes, at = ((s.item + k / s.planes) * c->out.c + channel) * size;
      const pri_real gain = (pri_real)((double)c->w[0][channel] * inverse), shift = (pri_real)((double)c->w[1][channel] - mean * inverse * (double)c->w[0][channel]);
      a->kernel->line(c->y + at, c->x[0] + at, NULL, size, gain, 0, 0, shift, 0);
    }
  }
  return PRI_OK;
}

static pri_status forward(const pri_net_call *c, const struct norm *p, int batch) {
  struct pass a = {c, p, batch, c->training ? c->keep : NULL, pri_net_kernels_best()};
  return pri_par_for(c->ctx, sets(c, p, batch), 1, forward_sets, &a);
}
static pri_status batch_forward(const pri_net_call *c, const void *priv) { return forward(c, priv, 1); }
static pri_status group_forward(const pri_net_call *c, const void *priv) { return forward(c, priv, 0); }

/* sums of gy and gy z of a plane */
static void plane_sums(const struct pass *a, ptrdiff_t at, double mean, double inverse, double *g, double *gz) {
  const pri_net_call *c = a->c;
  double sum[2] = {0};
  a->kernel->sums(sum, c->x[0] + at, c->gy + at, c->out.h * c->out.w, mean);
  *g += sum[0], *gz += sum[1] * inverse;
}

static pri_status backward_sets(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t size = c->out.h * c->out.w;
  (void)worker;
  for (ptrdiff_t u = first; u < last; u++) {
    const struct set s = set_at(a, u);
    const double n = (double)(s.items * s.planes * size), mean = a->kept[2 * u], inverse = a->kept[2 * u + 1];
    double h = 0, hz = 0;
    for (ptrdiff_t k = 0; k < s.items * s.planes; k++) {
      const ptrdiff_t channel = s.channel + k % s.planes;
      double g = 0, gz = 0;
      plane_sums(a, ((s.item + k / s.planes) * c->out.c + channel) * size, mean, inverse, &g, &gz);
      h += (double)c->w[0][channel] * g, hz += (double)c->w[0][channel] * gz;
    }
    if (a->batch && c->training != 1) h = hz = 0; /* mean and variance are constants */
    for (ptrdiff_t k = 0; k < s.items * s.planes && c->gx[0]; k++) {
      const ptrdiff_t channel = s.channel + k % s.planes, at = ((s.item + k / s.planes) * c->out.c + channel) * size;
      const double gain = (double)c->w[0][channel] * inverse, slope = -inverse * inverse * hz / n, shift = -inverse * h / n;
      a->kernel->line(c->gx[0] + at, c->gy + at, c->x[0] + at, size, (pri_real)gain, (pri_real)slope, (pri_real)mean, (pri_real)shift, c->add[0]);
    }
  }
  return PRI_OK;
}

/* gw: a channel at a time, over the items */
static pri_status backward_channels(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  const ptrdiff_t size = c->out.h * c->out.w;
  (void)worker;
  for (ptrdiff_t channel = first; channel < last; channel++) {
    double g = 0, gz = 0;
    for (ptrdiff_t n = 0; n < c->items; n++) {
      const ptrdiff_t u = a->batch ? channel : n * a->p->groups + channel / (c->out.c / a->p->groups);
      plane_sums(a, (n * c->out.c + channel) * size, a->kept[2 * u], a->kept[2 * u + 1], &g, &gz);
    }
    c->gw[0][channel] = (pri_real)((double)c->gw[0][channel] + gz), c->gw[1][channel] = (pri_real)((double)c->gw[1][channel] + g);
  }
  return PRI_OK;
}

static pri_status backward(const pri_net_call *c, const struct norm *p, int batch) {
  struct pass a = {c, p, batch, c->keep, pri_net_kernels_best()};
  if (c->gw[0]) PRI_TRY(pri_par_for(c->ctx, c->out.c, 1, backward_channels, &a));
  return pri_par_for(c->ctx, sets(c, p, batch), 1, backward_sets, &a);
}
static pri_status batch_backward(const pri_net_call *c, const void *priv) { return backward(c, priv, 1); }
static pri_status group_backward(const pri_net_call *c, const void *priv) { return backward(c, priv, 0); }

static size_t batch_keep(const pri_net_call *c, const void *priv) { return 2 * (size_t)sets(c, priv, 1) * sizeof(double); }
static size_t group_keep(const pri_net_call *c, const void *priv) { return 2 * (size_t)sets(c, priv, 0) * sizeof(double); }

static pri_status shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct norm *p = priv;
  (void)inputs;
  *out = in[0];
  return in->c % (p->groups ? p->groups : 1) == 0 ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "groupnorm: groups=%ld does not divide %td channels", p->groups, in->c);
}

static int tensors(const void *priv, const pri_net_dims *in, pri_net_tensor t[PRI_NET_TENSORS]) {
  static const struct { const char *name; double start; int statistic; } four[] = {{"weight", 1, 0}, {"bias", 0, 0}, {"running_mean", 0, 1}, {"running_var", 1, 1}};
  const struct norm *p = priv;
  const int n = p->groups ? 2 : 4;
  for (int i = 0; i < n; i++) t[i] = (pri_net_tensor){.name = four[i].name, .nd = 1, .n = {in->c}, .start = four[i].start, .statistic = four[i].statistic};
  return n;
}

static const pri_param batch_params[] = {
    {.name = "eps", .unit = "1", .help = "added to the variance", .type = PRI_REAL, .offset = offsetof(struct norm, eps), .min = 1e-12, .max = 1, .def = 1e-5}, {0}};
static const pri_param group_params[] = {
    {.name = "groups", .unit = "1", .help = "groups of channels", .type = PRI_INT, .offset = offsetof(struct norm, groups), .min = 1, .max = 65536, .def = 8},
    {.name = "eps", .unit = "1", .help = "added to the variance", .type = PRI_REAL, .offset = offsetof(struct norm, eps), .min = 1e-12, .max = 1, .def = 1e-5},
    {0}};
static const char *const plain[] = {"", NULL};
const pri_layer_class pri_layer_batchnorm = {.kind = {"batchnorm", "normalises channels over a batch", "Ioffe, Szegedy 2015", sizeof(struct norm), batch_params, plain},
                                             .least = 1, .most = 1, .flags = PRI_NET_READS_X, .shape = shape, .forward = batch_forward, .backward = batch_backward, .tensors = tensors, .keep = batch_keep};
const pri_layer_class pri_layer_groupnorm = {.kind = {"groupnorm", "normalises groups of channels", "Wu, He 2018", sizeof(struct norm), group_params, plain},
                                             .least = 1, .most = 1, .flags = PRI_NET_READS_X, .shape = shape, .forward = group_forward, .backward = group_backward, .tensors = tensors, .keep = group_keep};
