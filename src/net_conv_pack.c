/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net_conv_pack.c - images as padded planes of one pitch, band by band; see net_conv.h. */
#include <string.h>
#include "net_conv.h"
#include "net_steps.h"

void pri_conv_prepare(pri_conv_geometry *g) {
  const int s = g->stride;
  g->rows = (g->h + 2 * g->pad + s - 1) / s, g->pitch = (g->w + 2 * g->pad + s - 1) / s;
  g->phases = s * s, g->reach = (g->kernel - 1) * g->dilation / s;
  g->shared = s == 1 && g->border == PRI_NET_ZERO && 2 * g->pad == g->reach ? g->pad : 0;
  if (g->shared) g->pitch = g->w + g->pad;
  memset(g->taps, 0, sizeof g->taps);
  for (int u = 0; u < g->kernel; u++)
    for (int v = 0; v < g->kernel; v++) {
      const int phase = u * g->dilation % s * s + v * g->dilation % s;
      g->tap[phase][g->taps[phase]++] = (short)(u * g->kernel + v);
    }
}

ptrdiff_t pri_conv_round(ptrdiff_t n, ptrdiff_t to) { return (n + to - 1) / to * to; }

ptrdiff_t pri_conv_source(int border, ptrdiff_t i, ptrdiff_t n) {
  if (i >= 0 && i < n) return i;
  if (border == PRI_NET_PERIODIC) return ((i % n) + n) % n;
  if (border == PRI_NET_REFLECT) return i < 0 ? -i : 2 * (n - 1) - i; /* the edge is not repeated */
  return -1;
}

ptrdiff_t pri_conv_flat(const pri_conv_geometry *g, const pri_conv_band *b) { return b->items * b->height * g->pitch; }
ptrdiff_t pri_conv_plane(const pri_conv_geometry *g, const pri_conv_band *b) {
  const ptrdiff_t n = pri_conv_round(pri_conv_flat(g, b) + PRI_NET_TILE + g->reach * (g->pitch + 1), 16);
  return n % 512 ? n : n + 16; /* planes in steps of a page would share few lines of the cache */
}

/* row of phase column b: columns j s + b - pad */
static void pack_row(const pri_conv_geometry *g, const pri_net_kernels *k, pri_real *to, const pri_real *x, int b) {
  const int s = g->stride;
  const ptrdiff_t shift = b - g->pad, lo = shift < 0 ? (-shift + s - 1) / s : 0, hi = (g->w - 1 - shift) / s + 1;
  const ptrdiff_t end = hi < g->pitch ? hi : g->pitch, last = g->w + g->pad;
  for (ptrdiff_t j = 0; j < lo; j++) {
    const ptrdiff_t from = pri_conv_source(g->border, j * s + shift, g->w);
    to[j] = from < 0 ? 0 : x[from];
  }
  if (s == 1) k->copy(to + lo, x + lo + shift, end - lo);
  else
    for (ptrdiff_t j = lo; j < end; j++) to[j] = x[j * s + shift];
  for (ptrdiff_t j = end; j < g->pitch; j++) {
    const ptrdiff_t at = j * s + shift, from = at < last ? pri_conv_source(g->border, at, g->w) : -1;
    to[j] = from < 0 ? 0 : x[from];
  }
}

static void clear(pri_real *to, ptrdiff_t n) {
  if (n > 16) memset(to, 0, (size_t)n * sizeof *to);
  else
    for (ptrdiff_t j = 0; j < n; j++) to[j] = 0;
}

static void pack_plain(const pri_conv_geometry *g, const pri_conv_band *b, const pri_net_kernels *k, pri_real *to, const pri_real *x) { /* stride 1, zeros */
  const ptrdiff_t left = g->pad, right = g->pitch - g->w - left, first = b->row - g->pad;
  for (ptrdiff_t i = 0; i < b->height; i++, to += g->pitch) {
    if (first + i < 0 || first + i >= g->h) {
      clear(to, g->pitch);
      continue;
    }
    for (ptrdiff_t j = 0; j < left; j++) to[j] = 0;
    k->copy(to + left, x + (first + i) * g->w, g->w);
    for (ptrdiff_t j = 0; j < right; j++) to[left + g->w + j] = 0;
  }
}

static void pack_plane(const pri_conv_geometry *g, const pri_conv_band *b, const pri_net_kernels *k, pri_real *to, const pri_real *x, ptrdiff_t channel, int phase) {
  const int s = g->stride;
  for (ptrdiff_t n = 0; n < b->items; n++) {
    const ptrdiff_t at = ((b->item + n) * g->ci + channel) * g->h * g->w;
    if (s == 1 && g->border == PRI_NET_ZERO) {
      pack_plain(g, b, k, to, x + at);
      to += b->height * g->pitch;
      continue;
    }
    for (ptrdiff_t i = 0; i < b->height; i++, to += g->pitch) {
      const ptrdiff_t row = (b->row + i) * s + phase / s - g->pad;
      const ptrdiff_t from = row < g->h + g->pad ? pri_conv_source(g->border, row, g->h) : -1;
      if (from < 0) clear(to, g->pitch);
      else pack_row(g, k, to, x + at + from * g->w, phase % s);
    }
  }
}

void pri_conv_pack_fine(const pri_conv_geometry *g, const pri_conv_band *b, pri_real *to, const pri_real *x, ptrdiff_t first, ptrdiff_t count) {
  const ptrdiff_t plane = pri_conv_plane(g, b), flat = pri_conv_flat(g, b);
  const pri_net_kernels *k = pri_net_kernels_best();
  for (ptrdiff_t c = 0; c < count; c++)
    for (int phase = 0; phase < g->phases; phase++, to += plane) {
      pack_plane(g, b, k, to, x, first + c, phase);
      clear(to + flat, plane - flat);
    }
}

void pri_conv_pack_coarse(const pri_conv_geometry *g, const pri_conv_band *b, pri_real *to, const pri_real *y, ptrdiff_t first, ptrdiff_t count, int above) {
  const ptrdiff_t plane = pri_conv_plane(g, b), flat = pri_conv_flat(g, b);
  const pri_net_kernels *k = pri_net_kernels_best();
  clear(to - PRI_CONV_LEAD, PRI_CONV_LEAD);
  for (ptrdiff_t c = 0; c < count; c++, to += plane) {
    pri_real *row = to;
    for (ptrdiff_t n = 0; n < b->items; n++)
      for (ptrdiff_t i = 0; i < b->height; i++, row += g->pitch) {
        const ptrdiff_t from = b->row - above + i, at = (((b->item + n) * g->co + first + c) * g->ho + from) * g->wo;
        /* without rows above: the band's own only, so that no row counts in two bands */
        const ptrdiff_t copied = from >= 0 && from < g->ho && (above || i < b->rows) ? g->wo : 0;
        if (copied) k->copy(row, y + at, copied);
        clear(row + copied, g->pitch - copied);
      }
    clear(to + flat, plane - flat);
  }
}

static ptrdiff_t between(ptrdiff_t v, ptrdiff_t lo, ptrdiff_t hi) { return v < lo ? lo : v > hi ? hi : v; }

static ptrdiff_t height_of(const pri_conv_geometry *g, ptrdiff_t rows, ptrdiff_t all) { return rows == all && g->shared ? rows + g->shared : rows + g->reach; }

pri_conv_band pri_conv_bands(const pri_conv_geometry *g, ptrdiff_t rows, ptrdiff_t planes, ptrdiff_t budget, int want) {
  pri_conv_band b = {.items = 1, .rows = between(budget / (planes * g->pitch) - g->reach, 1, rows)};
  if (b.rows == rows) b.items = between(budget / (planes * height_of(g, rows, rows) * g->pitch), 1, g->items);
  /* enough of them for all threads, but none of few rows */
  if (b.items > 1 && pri_conv_band_count(g, &b, rows) < want) b.items = between(g->items / want, 1, b.items);
  if (b.items == 1 && pri_conv_band_count(g, &b, rows) < want) {
    const ptrdiff_t each = (rows * g->items + want - 1) / want, least = 4 * (ptrdiff_t)g->reach + 4;
    b.rows = between(each, least < b.rows ? least : b.rows, b.rows);
  }
  b.height = b.rows + g->reach; /* what memory is for; a band of whole items needs less */
  return b;
}

ptrdiff_t pri_conv_band_count(const pri_conv_geometry *g, const pri_conv_band *size, ptrdiff_t rows) {
  return (rows + size->rows - 1) / size->rows * ((g->items + size->items - 1) / size->items);
}

pri_conv_band pri_conv_band_at(const pri_conv_geometry *g, const pri_conv_band *size, ptrdiff_t rows, ptrdiff_t k) {
  const ptrdiff_t down = (rows + size->rows - 1) / size->rows;
  pri_conv_band b = {.item = k / down * size->items, .row = k % down * size->rows};
  b.items = b.item + size->items <= g->items ? size->items : g->items - b.item;
  b.rows = b.row + size->rows <= rows ? size->rows : rows - b.row;
  b.height = height_of(g, b.rows, rows);
  return b;
}
