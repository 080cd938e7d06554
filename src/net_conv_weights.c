/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_conv_weights.c - the gradient of a convolution's weights (net_conv.h): gw[co][ci][t] += sum_q y[co][q] x~[ci][off_t + q] over packed planes.
 * A unit of work has side x side pairs of channels and all bands, one after another, so that an element of gw is one thread's and one order's.
 */
#include <string.h>
#include "net_conv.h"
#include "net_steps.h"
#include "par.h"

enum { BUDGET = 128 << 10, RUN = 1024 }; /* RUN: of planes that stay in the first-level cache */

struct pass {
  const pri_conv_geometry *g;
  const pri_net_kernels *kernel;
  pri_real *gw, *space;
  const pri_real *x, *y;
  pri_conv_band size;
  ptrdiff_t bands, each, side, fine, coarse, across, down; /* side of a unit; channels of a group; units of a group */
};

static ptrdiff_t combos_most(const struct pass *p) { return pri_conv_round(p->side * p->g->kernel * p->g->kernel, PRI_NET_OUTER); }

static void plan(struct pass *p) {
  const pri_conv_geometry *g = p->g;
  p->kernel = pri_net_kernels_best();
  p->fine = g->ci / g->groups, p->coarse = g->co / g->groups;
  p->side = p->fine >= 64 && p->coarse >= 64 && g->kernel < 6 ? 32 : 16;
  p->across = (p->fine + p->side - 1) / p->side, p->down = (p->coarse + p->side - 1) / p->side;
  const ptrdiff_t planes = (p->fine < p->side ? p->fine : p->side) * g->phases + p->side;
  p->size = pri_conv_bands(g, g->ho, planes, BUDGET, 1);
  p->bands = pri_conv_band_count(g, &p->size, g->ho);
  /* sums, offsets of combinations (as many bytes as pointers have), planes */
  p->each = pri_conv_round((p->side + (ptrdiff_t)(sizeof(ptrdiff_t) / sizeof(pri_real))) * combos_most(p) + PRI_CONV_LEAD + planes * pri_conv_plane(g, &p->size), 16);
}

size_t pri_conv_weights_scratch(pri_ctx *ctx, const pri_conv_geometry *g) {
  struct pass p = {.g = g};
  plan(&p);
  return (size_t)(pri_ctx_threads(ctx) * p.each) * sizeof(pri_real);
}

struct pair { ptrdiff_t group, fine, fines, coarse, coarses, combos; };

/* where the k-th (channel, tap) of a pair begins in the packed planes; those that only fill up begin at 0 */
static void offsets(const pri_conv_geometry *g, ptrdiff_t *off, ptrdiff_t plane, ptrdiff_t combos) {
  const ptrdiff_t k2 = (ptrdiff_t)g->kernel * g->kernel;
  for (ptrdiff_t k = 0; k < pri_conv_round(combos, PRI_NET_OUTER); k++) {
    const ptrdiff_t tap = k % k2, u = tap / g->kernel * g->dilation, v = tap % g->kernel * g->dilation;
    off[k] = k < combos ? (k / k2 * g->phases + u % g->stride * g->stride + v % g->stride) * plane + u / g->stride * g->pitch + v / g->stride : 0;
  }
}

static int rows_for(const struct pass *p, ptrdiff_t left) {
  int rows = p->kernel->rows;
  while (rows > 1 && rows / 2 >= left) rows /= 2;
  return rows;
}

static void add_band(const struct pass *p, const struct pair *q, const pri_conv_band *b, pri_real *sums) {
  const pri_conv_geometry *g = p->g;
  const ptrdiff_t plane = pri_conv_plane(g, b), n = pri_conv_round(pri_conv_flat(g, b), p->kernel->lanes), R = p->kernel->rows;
  ptrdiff_t *off = (ptrdiff_t *)(void *)(sums + p->side * combos_most(p));
  pri_real *x = (pri_real *)(off + combos_most(p)), *y = x + q->fines * g->phases * plane + PRI_CONV_LEAD;
  pri_conv_pack_fine(g, b, x, p->x, q->group * p->fine + q->fine, q->fines);
  pri_conv_pack_coarse(g, b, y, p->y, q->group * p->coarse + q->coarse, q->coarses, 0);
  for (ptrdiff_t c = q->coarses; c < pri_conv_round(q->coarses, R) && c < p->side; c++) memset(y + c * plane, 0, (size_t)plane * sizeof *y);
  offsets(g, off, plane, q->combos);
  for (ptrdiff_t at = 0; at < n; at += RUN)
    for (ptrdiff_t c = 0; c < q->coarses; c += R) {
      pri_real *to = sums + c * pri_conv_round(q->combos, PRI_NET_OUTER);
      const int rows = rows_for(p, q->coarses - c);
      for (ptrdiff_t k = 0; k < q->combos; k += PRI_NET_OUTER, to += rows * PRI_NET_OUTER) {
        const pri_real *const from[PRI_NET_OUTER] = {x + off[k] + at, x + off[k + 1] + at, x + off[k + 2] + at};
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
    struct pair q = {.group = u / (p->across * p->down), .fine = u % p->across * p->side, .coarse = u / p->across % p->down * p->side};
    q.fines = p->fine - q.fine < p->side ? p->fine - q.fine : p->side, q.coarses = p->coarse - q.coarse < p->side ? p->coarse - q.coarse : p->side;
    q.combos = q.fines * p->g->kernel * p->g->kernel;
    memset(sums, 0, (size_t)(p->side * combos_most(p)) * sizeof *sums);
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
  const pri_net_kernels *k = pri_net_kernels_best();
  (void)worker;
  for (ptrdiff_t c = first; c < last; c++) {
    double total = 0;
    for (ptrdiff_t n = 0; n < s->items; n++) {
      double sum[2] = {0};
      k->sums(sum, s->v + (n * s->channels + c) * s->size, NULL, s->size, 0);
      total += sum[0];
    }
    s->gb[c] = (pri_real)((double)s->gb[c] + total);
  }
  return PRI_OK;
}

pri_status pri_conv_sums(pri_ctx *ctx, pri_real *gb, const pri_real *v, ptrdiff_t items, ptrdiff_t channels, ptrdiff_t size) {
  struct sums s = {gb, v, items, channels, size};
  return pri_par_for(ctx, channels, 1, sum_channels, &s);
}
