/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_attention.c - self-attention between the pixels of an item, for images of few pixels (Vaswani 2017, eq. 1). The input has the queries, keys and values one after
 * another (3 c channels, a conv of kernel 1 makes them); a head has d = c / heads channels of each:
 *   p_ij = softmax_j(q_i . k_j / root(d)),   y_i = sum_j p_ij v_j
 * Back, g_i = dL/dy_i:  dv_j = sum_i p_ij g_i;  t_ij = g_i . v_j;  e_ij = p_ij (t_ij - sum_j p_ij t_ij) / root(d);  dq_i = sum_j e_ij k_j;  dk_j = sum_i e_ij q_i.
 * p is kept in training: (pixels)^2 numbers a head.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "net.h"
#include "par.h"

struct attention { long heads; };
struct pass { const pri_net_call *c; const struct attention *p; };

static pri_status shape(pri_ctx *ctx, void *priv, const pri_net_dims *in, int inputs, pri_net_dims *out) {
  const struct attention *p = priv;
  (void)inputs;
  if (in->c % (3 * p->heads)) return PRI_FAIL(ctx, PRI_EPARAM, "attention: %td channels are not queries, keys and values of %ld heads", in->c, p->heads);
  *out = (pri_net_dims){in->c / 3, in->h, in->w};
  return PRI_OK;
}

struct head { ptrdiff_t n, d; const pri_real *q, *k, *v; double *p, scale; }; /* [d][n]; p [n][n] */

static struct head head_at(const struct pass *a, ptrdiff_t u, double *space) {
  const pri_net_call *c = a->c;
  const ptrdiff_t n = c->out.h * c->out.w, d = c->out.c / a->p->heads;
  const pri_real *x = c->x[0] + u / a->p->heads * 3 * c->out.c * n + u % a->p->heads * d * n;
  return (struct head){n, d, x, x + c->out.c * n, x + 2 * c->out.c * n, space, 1 / sqrt((double)d)};
}

static void softmax(double *p, ptrdiff_t n) {
  double most = p[0], sum = 0;
  for (ptrdiff_t j = 1; j < n; j++) most = p[j] > most ? p[j] : most;
  for (ptrdiff_t j = 0; j < n; j++) sum += p[j] = exp(p[j] - most);
  for (ptrdiff_t j = 0; j < n; j++) p[j] /= sum;
}

static void weights(const struct head *h, double *p, ptrdiff_t i) { /* row i of p */
  memset(p, 0, (size_t)h->n * sizeof *p);
  for (ptrdiff_t e = 0; e < h->d; e++) {
    const double q = (double)h->q[e * h->n + i] * h->scale;
    for (ptrdiff_t j = 0; j < h->n; j++) p[j] += q * (double)h->k[e * h->n + j];
  }
  softmax(p, h->n);
}

static double *space_of(const pri_net_call *c, ptrdiff_t u, int worker) { /* all rows of a head in training, else one row a thread */
  const ptrdiff_t n = c->out.h * c->out.w;
  return c->training ? (double *)c->keep + u * n * n : (double *)c->scratch + worker * n;
}

static pri_status forward_heads(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  for (ptrdiff_t u = first; u < last; u++) {
    const struct head h = head_at(a, u, space_of(c, u, worker));
    pri_real *y = c->y + u * h.d * h.n; /* heads are channels, one after another */
    for (ptrdiff_t i = 0; i < h.n; i++) {
      double *p = c->training ? h.p + i * h.n : h.p;
      weights(&h, p, i);
      for (ptrdiff_t e = 0; e < h.d; e++) {
        double sum = 0;
        for (ptrdiff_t j = 0; j < h.n; j++) sum += p[j] * (double)h.v[e * h.n + j];
        y[e * h.n + i] = (pri_real)sum;
      }
    }
  }
  return PRI_OK;
}

/* e_i of row i, in place of t_i */
static void slopes(const struct head *h, double *t, const pri_real *g, ptrdiff_t i) {
  const double *p = h->p + i * h->n;
  double mean = 0;
  memset(t, 0, (size_t)h->n * sizeof *t);
  for (ptrdiff_t e = 0; e < h->d; e++)
    for (ptrdiff_t j = 0; j < h->n; j++) t[j] += (double)g[e * h->n + i] * (double)h->v[e * h->n + j];
  for (ptrdiff_t j = 0; j < h->n; j++) mean += p[j] * t[j];
  for (ptrdiff_t j = 0; j < h->n; j++) t[j] = p[j] * (t[j] - mean) * h->scale;
}

static pri_status backward_heads(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *a = arg;
  const pri_net_call *c = a->c;
  for (ptrdiff_t u = first; u < last; u++) {
    const struct head h = head_at(a, u, space_of(c, u, worker));
    const pri_real *g = c->gy + u * h.d * h.n;
    pri_real *gq = c->gx[0] + (h.q - c->x[0]), *gk = c->gx[0] + (h.k - c->x[0]), *gv = c->gx[0] + (h.v - c->x[0]);
    double *t = (double *)c->scratch + worker * h.n;
    for (ptrdiff_t e = 0; e < h.d && !c->add[0]; e++)
      memset(gq + e * h.n, 0, (size_t)h.n * sizeof *gq), memset(gk + e * h.n, 0, (size_t)h.n * sizeof *gk), memset(gv + e * h.n, 0, (size_t)h.n * sizeof *gv);
    for (ptrdiff_t i = 0; i < h.n; i++) {
      slopes(&h, t, g, i);
      for (ptrdiff_t e = 0; e < h.d; e++) {
        double sum = 0;
        for (ptrdiff_t j = 0; j < h.n; j++) {
          const ptrdiff_t at = e * h.n + j;
          sum += t[j] * (double)h.k[at];
          gk[at] = (pri_real)((double)gk[at] + t[j] * (double)h.q[e * h.n + i]);
          gv[at] = (pri_real)((double)gv[at] + h.p[i * h.n + j] * (double)g[e * h.n + i]);
        }
        gq[e * h.n + i] = (pri_real)((double)gq[e * h.n + i] + sum);
      }
    }
  }
  return PRI_OK;
}

static pri_status forward(const pri_net_call *c, const void *priv) {
  struct pass a = {c, priv};
  return pri_par_for(c->ctx, c->items * a.p->heads, 1, forward_heads, &a);
}
static pri_status backward(const pri_net_call *c, const void *priv) {
  struct pass a = {c, priv};
  return c->gx[0] ? pri_par_for(c->ctx, c->items * a.p->heads, 1, backward_heads, &a) : PRI_OK;
}
static size_t scratch(const pri_net_call *c, const void *priv) {
  (void)priv;
  return (size_t)(pri_par_workers(c->ctx) * c->out.h * c->out.w) * sizeof(double);
}
static size_t keep(const pri_net_call *c, const void *priv) {
  const struct attention *p = priv;
  const size_t n = (size_t)(c->out.h * c->out.w);
  if (n > (size_t)1 << 20) return (size_t)1 << 50; /* more than any plan takes */
  return (size_t)(c->items * p->heads) * n * n * sizeof(double);
}

static const pri_param params[] = {
    {.name = "heads", .unit = "1", .help = "independent attentions", .type = PRI_INT, .offset = offsetof(struct attention, heads), .min = 1, .max = 1024, .def = 1}, {0}};
static const char *const examples[] = {"", NULL};
const pri_layer_class pri_layer_attention = {.kind = {"attention", "self-attention between pixels", "Vaswani 2017, eq. 1", sizeof(struct attention), params, examples},
                                             .least = 1, .most = 1, .flags = PRI_NET_READS_X, .shape = shape, .forward = forward, .backward = backward, .scratch = scratch, .keep = keep};
