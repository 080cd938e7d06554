/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_conv_gather.c - both ways of a convolution (net_conv.h). A unit of work is a band and a part of the blocks of channels that come out; it packs its
 * planes, then runs over tiles of them.
 *   down: taps of all phases of x are summed into y.    up: each phase of x is a sum over the taps of y that fall on it.
 *   up of stride 1 and a border of zeros is down with the taps turned round: `turned`.
 */
#include <string.h>
#include "net_conv.h"
#include "net_steps.h"
#include "par.h"

enum { BUDGET = 160 << 10, BLOCKS = 8192 }; /* elements of packed planes: what the second-level cache holds */

struct pass {
  const pri_conv_geometry *g;
  const pri_net_kernels *kernel;
  const pri_conv_out *out;
  const pri_real *in;
  pri_real *weights, *space;          /* packed: [group][phase, up][block][channel in][tap][rows]; of one thread: [each] */
  ptrdiff_t each, from, to, rows;     /* channels in and out of a group; rows of what is cut into bands */
  pri_conv_band size;
  ptrdiff_t bands, blocks, parts;
  int up, turned;
  pri_conv_geometry around;           /* turned: fine and coarse have changed places */
};

/* rows of the k-th block: 8 8 8 ... then what is left, as 4, 2 or 1 */
static int block_rows(const struct pass *p, ptrdiff_t block) {
  const ptrdiff_t left = p->to - block * p->kernel->rows;
  int rows = p->kernel->rows;
  while (rows > 1 && rows / 2 >= left) rows /= 2;
  return rows;
}

static ptrdiff_t group_weights(const struct pass *p) { /* of one group, packed */
  const int k = p->g->kernel;
  ptrdiff_t rows = 0;
  for (ptrdiff_t b = 0; b < p->blocks; b++) rows += block_rows(p, b);
  return rows * p->from * k * k;
}

static void turn(struct pass *p) {
  const pri_conv_geometry *g = p->g;
  if (!p->up || g->stride > 1 || g->border != PRI_NET_ZERO || g->reach < g->pad) return;
  p->around = *g;
  p->around.ci = g->co, p->around.co = g->ci, p->around.h = g->ho, p->around.w = g->wo, p->around.ho = g->h, p->around.wo = g->w, p->around.pad = g->reach - g->pad;
  pri_conv_prepare(&p->around);
  p->g = &p->around, p->turned = 1, p->up = 0;
}

static void plan(pri_ctx *ctx, struct pass *p) {
  turn(p);
  const pri_conv_geometry *g = p->g;
  const int want = 2 * pri_ctx_threads(ctx);
  p->kernel = pri_net_kernels_best();
  p->from = (p->up ? g->co : g->ci) / g->groups, p->to = (p->up ? g->ci : g->co) / g->groups;
  p->rows = p->up ? g->rows : g->ho;
  p->size = pri_conv_bands(g, p->rows, p->from * (p->up ? 1 : g->phases), BUDGET, want);
  p->bands = pri_conv_band_count(g, &p->size, p->rows);
  p->blocks = (p->to + p->kernel->rows - 1) / p->kernel->rows;
  p->parts = p->bands >= want || want == 2 ? 1 : (want + p->bands - 1) / p->bands;
  if (p->parts > p->blocks) p->parts = p->blocks;
  /* a folded border adds to pixels of other rows: one unit has all bands of its channels then */
  if (p->up && g->border != PRI_NET_ZERO) p->parts = p->blocks;
  p->each = pri_conv_round(PRI_CONV_LEAD + p->from * (p->up ? 1 : g->phases) * pri_conv_plane(g, &p->size), 16) + PRI_NET_TILE * 8;
}

struct packing { const struct pass *p; const pri_real *w, *gain; };

/* the taps of channel `in` of a block, for all its rows; out: the first of them */
static pri_real *pack_channel(const struct packing *a, pri_real *to, const pri_real *w, ptrdiff_t step, int rows, ptrdiff_t out, int phase) {
  const struct pass *p = a->p;
  const pri_conv_geometry *g = p->g;
  const int last = g->kernel * g->kernel - 1;
  const ptrdiff_t real = p->to - out % p->to < rows ? p->to - out % p->to : rows; /* others are zeros */
  for (int q = p->up ? phase : 0; q < (p->up ? phase + 1 : g->phases); q++)
    for (int t = 0; t < g->taps[q]; t++, to += rows) {
      const pri_real *from = w + (p->turned ? last - g->tap[q][t] : g->tap[q][t]);
      for (ptrdiff_t r = 0; r < real; r++) to[r] = a->gain ? a->gain[out + r] * from[r * step] : from[r * step];
      for (ptrdiff_t r = real; r < rows; r++) to[r] = 0;
    }
  return to;
}

/* a block at a time, over groups and blocks */
static pri_status pack_weights(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct packing *a = arg;
  const struct pass *p = a->p;
  const ptrdiff_t k2 = (ptrdiff_t)p->g->kernel * p->g->kernel;
  const int swapped = p->up || p->turned; /* w is [in][out] */
  (void)worker;
  for (ptrdiff_t u = first; u < last; u++) {
    const ptrdiff_t group = u / p->blocks, block = u % p->blocks, R = p->kernel->rows;
    pri_real *to = p->weights + group * group_weights(p) + block * R * p->from * k2;
    const pri_real *w = a->w + group * p->from * p->to * k2 + block * R * k2 * (swapped ? 1 : p->from);
    for (int phase = 0; phase < (p->up ? p->g->phases : 1); phase++)
      for (ptrdiff_t c = 0; c < p->from; c++)
        to = pack_channel(a, to, w + c * k2 * (swapped ? p->to : 1), k2 * (swapped ? 1 : p->from), block_rows(p, block), group * p->to + block * R, phase);
  }
  return PRI_OK;
}

/* offsets of the taps of a phase in packed planes; down: behind those of the phases before */
static int offsets(const struct pass *p, int phase, ptrdiff_t plane, ptrdiff_t *off) {
  const pri_conv_geometry *g = p->g;
  int n = 0;
  for (int q = p->up ? phase : 0; q < (p->up ? phase + 1 : g->phases); q++)
    for (int t = 0; t < g->taps[q]; t++) {
      const ptrdiff_t u = g->tap[q][t] / g->kernel * g->dilation / g->stride, v = g->tap[q][t] % g->kernel * g->dilation / g->stride;
      off[n++] = p->up ? (g->reach - u) * g->pitch - v : q * plane + u * g->pitch + v;
    }
  return n;
}

static void put(const pri_net_kernels *k, const pri_conv_out *o, pri_real *to, const pri_real *sum, ptrdiff_t n, int step, pri_real shift) {
  if (step == 1) {
    k->put(to, sum, n, shift, o->relu, o->add);
  } else {
    for (ptrdiff_t j = 0; j < n; j++) to[j * step] = o->add ? to[j * step] + sum[j] : o->relu && !(sum[j] + shift > 0) ? 0 : sum[j] + shift;
  }
}

struct tile { const struct pass *p; const pri_conv_band *b; const pri_real *sums; ptrdiff_t channel, count, at, end; int phase; };

/* a run of one row of the band: columns [x0, x1), whose sums begin at column x0 of `sum` */
static void put_run(const struct tile *t, ptrdiff_t item, ptrdiff_t row, ptrdiff_t x0, ptrdiff_t x1, ptrdiff_t sum) {
  const struct pass *p = t->p;
  const pri_conv_geometry *g = p->g;
  const int s = p->up ? g->stride : 1;
  const ptrdiff_t h = p->up ? g->h : g->ho, w = p->up ? g->w : g->wo, channels = p->up ? g->ci : g->co;
  const ptrdiff_t dy = p->up ? t->phase / g->stride - g->pad : 0, dx = p->up ? t->phase % g->stride - g->pad : 0, y = row * s + dy;
  const ptrdiff_t lo = dx < 0 ? (-dx + s - 1) / s : 0, hi = w > dx ? (w - 1 - dx) / s + 1 : 0;
  const ptrdiff_t a = x0 > lo ? x0 : lo, b = x1 < hi ? x1 : hi;
  if (y < 0 || y >= h || a >= b) return;
  for (ptrdiff_t r = 0; r < t->count; r++) {
    const ptrdiff_t c = t->channel + r;
    put(p->kernel, p->out, p->out->y + ((item * channels + c) * h + y) * w + a * s + dx, t->sums + r * p->kernel->tile + sum + a - x0, b - a, s, p->out->shift ? p->out->shift[c] : 0);
  }
}

/* up, reflected or periodic: every padded pixel adds to the one it stands for */
static void fold_run(const struct tile *t, ptrdiff_t item, ptrdiff_t row, ptrdiff_t x0, ptrdiff_t x1, ptrdiff_t sum) {
  const pri_conv_geometry *g = t->p->g;
  const int s = g->stride;
  const ptrdiff_t at = row * s + t->phase / s - g->pad, y = at < g->h + g->pad ? pri_conv_source(g->border, at, g->h) : -1;
  for (ptrdiff_t x = x0; x < x1 && y >= 0; x++) {
    const ptrdiff_t from = x * s + t->phase % s - g->pad, to = from < g->w + g->pad ? pri_conv_source(g->border, from, g->w) : -1;
    for (ptrdiff_t r = 0; r < t->count && to >= 0; r++)
      t->p->out->y[((item * g->ci + t->channel + r) * g->h + y) * g->w + to] += t->sums[r * t->p->kernel->tile + sum + x - x0];
  }
}

static void put_tile(const struct tile *t) {
  const pri_conv_geometry *g = t->p->g;
  const ptrdiff_t height = t->b->height, P = g->pitch;
  for (ptrdiff_t q = t->at; q < t->end;) {
    const ptrdiff_t line = q / P, row = line % height, x0 = q % P, x1 = t->end - q < P - x0 ? x0 + t->end - q : P;
    if (row < t->b->rows) (t->p->up && g->border != PRI_NET_ZERO ? fold_run : put_run)(t, t->b->item + line / height, t->b->row + row, x0, x1, q - t->at);
    q += x1 - x0;
  }
}

/* one band of planes, the blocks of one part, of one group */
static void band(const struct pass *p, const pri_conv_band *b, ptrdiff_t group, ptrdiff_t part, pri_real *space) {
  const pri_conv_geometry *g = p->g;
  const ptrdiff_t plane = pri_conv_plane(g, b), R = p->kernel->rows, T = p->kernel->tile, k2 = (ptrdiff_t)g->kernel * g->kernel;
  const ptrdiff_t end = ((b->items - 1) * b->height + b->rows) * g->pitch;
  pri_real *planes = space + PRI_CONV_LEAD + 8 * PRI_NET_TILE;
  if (p->up) pri_conv_pack_coarse(g, b, planes, p->in, group * p->from, p->from, g->reach);
  else pri_conv_pack_fine(g, b, planes, p->in, group * p->from, p->from);
  for (int phase = 0; phase < (p->up ? g->phases : 1); phase++) {
    ptrdiff_t off[PRI_NET_KERNEL * PRI_NET_KERNEL];
    const int taps = offsets(p, phase, plane, off);
    ptrdiff_t before = 0;
    for (int q = 0; q < phase; q++) before += g->taps[q];
    for (ptrdiff_t at = 0; at < end; at += T)
      for (ptrdiff_t block = p->blocks * part / p->parts; block < p->blocks * (part + 1) / p->parts; block++) {
        const int rows = block_rows(p, block);
        const pri_real *w = p->weights + group * group_weights(p) + block * R * p->from * k2 + before * p->from * rows;
        const struct tile t = {p, b, space, group * p->to + block * R, p->to - block * R < rows ? p->to - block * R : rows, at, at + T < end ? at + T : end, phase};
        p->kernel->gather(space, w, planes + at, p->up ? plane : plane * g->phases, p->from, off, taps, rows);
        put_tile(&t);
      }
  }
}

static pri_status unit(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *p = arg;
  const int all = p->up && p->g->border != PRI_NET_ZERO;
  const ptrdiff_t bands = all ? 1 : p->bands;
  for (ptrdiff_t u = first; u < last; u++)
    for (ptrdiff_t k = all ? 0 : u % bands; k < (all ? p->bands : u % bands + 1); k++) {
      const pri_conv_band b = pri_conv_band_at(p->g, &p->size, p->rows, k);
      band(p, &b, u / bands / p->parts, u / bands % p->parts, p->space + worker * p->each);
    }
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, struct pass *p, const pri_real *w, const pri_real *gain, void *scratch) {
  pri_conv_out folded = *p->out;
  struct packing a = {p, w, gain};
  plan(ctx, p);
  const pri_conv_geometry *g = p->g;
  p->weights = scratch;
  p->space = p->weights + pri_conv_round(g->groups * group_weights(p), 16);
  PRI_TRY(pri_par_for(ctx, g->groups * p->blocks, 1, pack_weights, &a));
  if (p->up && g->border != PRI_NET_ZERO) {
    if (!folded.add) memset(folded.y, 0, (size_t)(g->items * g->ci * g->h * g->w) * sizeof *folded.y);
    folded.add = 1, p->out = &folded;
    return pri_par_for(ctx, g->groups * p->parts, 1, unit, p);
  }
  return pri_par_for(ctx, p->bands * g->groups * p->parts, 1, unit, p);
}

pri_status pri_conv_down(pri_ctx *ctx, const pri_conv_geometry *g, const pri_conv_out *out, const pri_real *x, const pri_real *w, const pri_real *gain, void *scratch) {
  struct pass p = {.g = g, .out = out, .in = x};
  return run(ctx, &p, w, gain, scratch);
}

pri_status pri_conv_up(pri_ctx *ctx, const pri_conv_geometry *g, const pri_conv_out *out, const pri_real *y, const pri_real *w, const pri_real *gain, void *scratch) {
  struct pass p = {.g = g, .out = out, .in = y, .up = 1};
  return run(ctx, &p, w, gain, scratch);
}

size_t pri_conv_scratch(pri_ctx *ctx, const pri_conv_geometry *g) {
  size_t most = pri_conv_weights_scratch(ctx, g);
  for (int up = 0; up < 2; up++) {
    struct pass p = {.g = g, .up = up};
    plan(ctx, &p);
    const size_t n = (size_t)(pri_conv_round(g->groups * group_weights(&p), 16) + pri_ctx_threads(ctx) * p.each) * sizeof(pri_real);
    if (n > most) most = n;
  }
  return most;
}
