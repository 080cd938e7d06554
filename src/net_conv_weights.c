/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_conv_weights.c - the gradient of a convolution's weights (net_conv.h): gw[co][ci][t] += sum_q y[co][q] x~[ci][off_t + q] over packed planes.
 * A unit of work has SIDE x SIDE pairs of channels and all bands, one after another, so that an element of gw is one thread's and one order's.
 */
#include <string.h>
#include "net_conv.h"
#include "net_steps.h"
#include "par.h"

enum { SIDE = 16, BUDGET = 128 << 10, RUN = 1024, K2 = PRI_NET_KERNEL * PRI_NET_KERNEL }; /* RUN: of planes that stay in the first-level cache */

struct pass {
  const pri_conv_geometry *g;
  const pri_net_kernels *kernel;
  pri_real *gw, *space;
  const pri_real *x, *y;
  pri_conv_band size;
  ptrdiff_t bands, each, fine, coarse, across, down; /* channels of a group; units of a group */
};

static ptrdiff_t sums_size(const pri_conv_geometry *g) { return SIDE * pri_conv_round((ptrdiff_t)SIDE * g->kernel * g->kernel, PRI_NET_OUTER); }

static void plan(struct pass *p) {
  const pri_conv_geometry *g = p->g;
  p->kernel = pri_net_kernels_best();
  p->fine = g->ci / g->groups, p->coarse = g->co / g->groups;
  p->across = (p->fine + SIDE - 1) / SIDE, p->down = (p->coarse + SIDE - 1) / SIDE;
  const ptrdiff_t planes = (p->fine < SIDE ? p->fine : SIDE) * g->phases + SIDE;
  p->size = pri_conv_bands(g, g->ho, planes, BUDGET, 1);
  p->bands = pri_conv_band_count(g, &p->size, g->ho);
  p->each = pri_conv_round(sums_size(g) + PRI_CONV_LEAD + planes * pri_conv_plane(g, &p->size), 16);
}

size_t pri_conv_weights_scratch(pri_ctx *ctx, const pri_conv_geometry *g) {
  struct pass p = {.g = g};
  plan(&p);
  return (size_t)(pri_ctx_threads(ctx) * p.each) * sizeof(pri_real);
}

struct pair { ptrdiff_t group, fine, fines, coarse, coarses, combos; };

/* where the k-th (channel, tap) of a pair begins in the packed planes */
static const pri_real *combo(const pri_conv_geometry *g, const pri_real *x, ptrdiff_t plane, ptrdiff_t k) {
  const ptrdiff_t k2 = (ptrdiff_t)g->kernel * g->kernel, tap = k % k2, u = tap / g->kernel * g->dilation, v = tap % g->kernel * g->dilation;
  return x + (k / k2 * g->phases + u % g->stride * g->stride + v % g->stride) * plane + u / g->stride * g->pitch + v / g->stride;
}

static int rows_for(const struct pass *p, ptrdiff_t left) {
  int rows = p->kernel->rows;
  while (rows > 1 && rows / 2 >= left) rows /= 2;
  return rows;
}

static void add_band(const struct pass *p, const struct pair *q, const pri_conv_band *b, pri_real *sums) {
  const pri_conv_geometry *g = p->g;
  const ptrdiff_t plane = pri_conv_plane(g, b), n = pri_conv_round(pri_conv_flat(g, b), p->kernel->lanes), R = p->kernel->rows;
  pri_real *x = sums + sums_size(g), *y = x + q->fines * g->phases * plane + PRI_CONV_LEAD;
  pri_conv_pack_fine(g, b, x, p->x, q->group * p->fine + q->fine, q->fines);
  pri_conv_pack_coarse(g, b, y, p->y, q->group * p->coarse + q->coarse, q->coarses, 0);
  for (ptrdiff_t c = q->coarses; c < pri_conv_round(q->coarses, R) && c < SIDE; c++) memset(y + c * plane, 0, (size_t)plane * sizeof *y);
  for (ptrdiff_t at = 0; at < n; at += RUN)
    for (ptrdiff_t c = 0; c < q->coarses; c += R) {
      pri_real *to = sums + c * pri_conv_round(q->combos, PRI_NET_OUTER);
      const int rows = rows_for(p, q->coarses - c);
      for (ptrdiff_t k = 0; k < q->combos; k += PRI_NET_OUTER, to += rows * PRI_NET_OUTER) {
        const pri_real *from[PRI_NET_OUTER];
        for (int i = 0; i < PRI_NET_OUTER; i++) from[i] = combo(g, x, plane, k + i < q->combos ? k + i : k) + at;
        p->kernel->outer(to, y + c * plane + at, plane, from, n - at < RUN ? n - at : RUN, rows);
      }
    }
}

static void take_sums(const struct pass *p, const struct pair *q, const pri_real *sums) {
  const ptrdiff_t R = p->kernel->rows, k2 = (ptrdiff_t)p->g->kernel * p->g->kernel, padded = pri_conv_round(q->combos, PRI_NET_OUTER);
  for (ptrdiff_t c = 0; c < q->coarses; c++) {
    const int rows = rows_for(p, q->coarses - c / R * R);
    const pri_real *from = sums + c / R * R * padded + c % R * PRI_NET_OUTER;
    pri_real *to = p->gw + ((q->group * p->coarse + q->coarse + c) * p->fine + q->fine) * k2;
    for (ptrdiff_t k = 0; k < q->combos; k++) to[k] += from[k / PRI_NET_OUTER * rows * PRI_NET_OUTER + k % PRI_NET_OUTER];
  }
}

static pri_status unit(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *p = arg;
  pri_real *sums = p->space + worker * p->each;
  for (ptrdiff_t u = first; u < last; u++) {
    struct pair q = {.group = u / (p->across * p->down), .fine = u % p->across * SIDE, .coarse = u / p->across % p->down * SIDE};
    q.fines = p->fine - q.fine < SIDE ? p->fine - q.fine : SIDE, q.coarses = p->coarse - q.coarse < SIDE ? p->coarse - q.coarse : SIDE;
    q.combos = q.fines * p->g->kernel * p->g->kernel;
    memset(sums, 0, (size_t)sums_size(p->g) * sizeof *sums);
    for (ptrdiff_t k = 0; k < p->bands; k++) {
      const pri_conv_band b = pri_conv_band_at(p->g, &p->size, p->g->ho, k);
      add_band(p, &q, &b, sums);
    }
    take_sums(p, &q, sums);
  }
  return PRI_OK;
}

pri_status pri_conv_weights(pri_ctx *ctx, const pri_conv_geometry *g, pri_real *gw, const pri_real *x, const pri_real *y, void *scratch) {
  struct pass p = {.g = g, .gw = gw, .x = x, .y = y, .space = scratch};
  plan(&p);
  return pri_par_for(ctx, g->groups * p.across * p.down, 1, unit, &p);
}

struct sums { pri_real *gb; const pri_real *v; ptrdiff_t items, channels, size; };

static pri_status sum_channels(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct sums *s = arg;
  (void)worker;
  for (ptrdiff_t c = first; c < last; c++) {
    double total = 0;
    for (ptrdiff_t n = 0; n < s->items; n++) {
      const ptrdiff_t at = (n * s->channels + c) * s->size;
      double part[8] = {0}; /* eight sums, side by side */
      for (ptrdiff_t i = 0; i < s->size; i++) part[i & 7] += (double)s->v[at + i];
      for (int k = 0; k < 8; k++) total += part[k];
    }
    s->gb[c] = (pri_real)((double)s->gb[c] + total);
  }
  return PRI_OK;
}

pri_status pri_conv_sums(pri_ctx *ctx, pri_real *gb, const pri_real *v, ptrdiff_t items, ptrdiff_t channels, ptrdiff_t size) {
  struct sums s = {gb, v, items, channels, size};
  return pri_par_for(ctx, channels, 1, sum_channels, &s);
}
