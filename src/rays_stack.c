/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_stack.c - sixteen slices side by side, for every instruction set: compiled for the portable, the AVX2 and the AVX-512 kernels.
 *
 * For 16 rays and TILE lines a table of image offsets and weights is filled by vector code (positions as integer part i and 27-bit
 * fraction F), then each entry serves 16 slices:
 *     forward  acc_r = (1 - f) x(l,i) + acc_r;  acc_r = f x(l,i+1) + acc_r          lines outside, rays inside: RAYS chains at a time
 *     back     x(l,i) = (1 - f) y_r + x(l,i);   x(l,i+1) = f y_r + x(l,i+1)         rays outside, lines inside: a pixel is written again
 *                                                                                   only TILE entries later, and its rays ascend
 * Offsets are clamped into the border of two pixels, and rays of the other axis are sent there: they read zeros and write what nobody reads.
 */
#include <string.h>
#include "rays_lane.h"
#include "rays_plan.h"

enum { TILE = 16, AHEAD = 4, ONE = 1 << PRI_BITS };

struct geometry { /* one axis of a stack image, in floats */
  ptrdiff_t count, length, step, next;
};
struct table {
  int32_t at[TILE][PRI_BLOCK];
  float low[TILE][PRI_BLOCK], high[TILE][PRI_BLOCK]; /* weights of x(l,i) and x(l,i+1), times 2^27; forward uses high only */
};

static struct geometry axis_of(const pri_geometry *g, int axis) {
  const ptrdiff_t row = PRI_STACK * pri_stack_pitch(g);
  return axis == 0 ? (struct geometry){g->n[1], g->n[0], row, PRI_STACK} : (struct geometry){g->n[0], g->n[1], PRI_STACK, row};
}

struct block { /* 16 rays at line l0: integer and fractional part of P, and of what a line adds */
  int32_t i[PRI_BLOCK], F[PRI_BLOCK], Bi[PRI_BLOCK], BF[PRI_BLOCK];
};

/* Rays of the block that touch a pixel of `lines` lines from l0 on; rays are straight, so the ends tell. */
static unsigned crossing(const pri_ray_plan *p, ptrdiff_t at, unsigned lanes, const struct geometry *n, ptrdiff_t l0, ptrdiff_t lines) {
  const int64_t high = n->length * (int64_t)ONE;
  unsigned some = 0;
  for (unsigned r = 0; r < PRI_BLOCK; r++) {
    const int64_t a = p->A[at + r] + l0 * (int64_t)p->B[at + r], b = a + (lines - 1) * (int64_t)p->B[at + r];
    some |= (unsigned)!((a <= -ONE && b <= -ONE) || (a >= high && b >= high)) << r;
  }
  return some & lanes;
}

static void block_at(struct block *b, const pri_ray_plan *p, ptrdiff_t at, unsigned lanes, ptrdiff_t l0) {
  for (unsigned r = 0; r < PRI_BLOCK; r++) {
    const int64_t P = p->A[at + r] + l0 * (int64_t)p->B[at + r];
    const int in = lanes >> r & 1;
    b->i[r] = in ? (int32_t)(P >> PRI_BITS) : -(1 << 22); /* far below: stays in the border */
    b->F[r] = (int32_t)(P & (ONE - 1));
    b->Bi[r] = p->B[at + r] >> PRI_BITS;
    b->BF[r] = p->B[at + r] & (ONE - 1);
  }
}

static void fill_forward(struct table *t, const struct block *b, const struct geometry *n, ptrdiff_t lines) {
  const ints low = ints_all(-PRI_EDGE), high = ints_all((int32_t)n->length), next = ints_all((int32_t)n->next);
  for (int q = 0; q < PRI_BLOCK; q += WIDTH) {
    const ints Bi = ints_load(b->Bi + q), BF = ints_load(b->BF + q);
    ints i = ints_load(b->i + q), F = ints_load(b->F + q);
    for (ptrdiff_t l = 0; l < lines; l++) {
      ints_store(t->at[l] + q, ints_clamp(i, low, high) * next);
      lane_store(t->high[l] + q, lane_of(F));
      F += BF;
      i += Bi + (F >> PRI_BITS);
      F &= ONE - 1;
    }
  }
}

static void fill_back(struct table *t, const struct block *b, const struct geometry *n, ptrdiff_t lines) {
  const ints low = ints_all(-PRI_EDGE), high = ints_all((int32_t)n->length), next = ints_all((int32_t)n->next);
  for (int q = 0; q < PRI_BLOCK; q += WIDTH) {
    const ints Bi = ints_load(b->Bi + q), BF = ints_load(b->BF + q);
    ints i = ints_load(b->i + q), F = ints_load(b->F + q);
    for (ptrdiff_t l = 0; l < lines; l++) {
      ints_store(t->at[l] + q, ints_clamp(i, low, high) * next);
      lane_store(t->low[l] + q, (float)ONE - lane_of(F));
      lane_store(t->high[l] + q, (float)ONE - lane_of(ONE - F));
      F += BF;
      i += Bi + (F >> PRI_BITS);
      F &= ONE - 1;
    }
  }
}

/* 16 rays through the lines of a tile: line points to pixel 0 of its first line */
static void forward_block(const struct table *t, const float *line, const struct geometry *n, ptrdiff_t lines, float *sums) {
  for (int r0 = 0; r0 < PRI_BLOCK; r0 += RAYS) {
    lane acc[RAYS][PARTS];
    const float *at = line;
#pragma GCC unroll 16
    for (int r = 0; r < RAYS; r++)
#pragma GCC unroll 4
      for (int q = 0; q < PARTS; q++) acc[r][q] = lane_load(sums + (r0 + r) * PRI_STACK + q * WIDTH);
    for (ptrdiff_t l = 0; l < lines; l++, at += n->step) {
      const int32_t *ahead = t->at[l + AHEAD < lines ? l + AHEAD : l];
      __builtin_prefetch(at + AHEAD * n->step + ahead[r0 + RAYS - 1], 0, 3);
      __builtin_prefetch(at + AHEAD * n->step + ahead[r0 + RAYS - 1] + n->next, 0, 3);
#pragma GCC unroll 16
      for (int r = 0; r < RAYS; r++) {
        const float *x = at + t->at[l][r0 + r];
        const lane w = lane_spread(&t->high[l][r0 + r]), v = lane_all((float)ONE) - w;
#pragma GCC unroll 4
        for (int q = 0; q < PARTS; q++) {
          acc[r][q] = lane_fma(v, lane_load(x + q * WIDTH), acc[r][q]);
          acc[r][q] = lane_fma(w, lane_load(x + n->next + q * WIDTH), acc[r][q]);
        }
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < RAYS; r++)
#pragma GCC unroll 4
      for (int q = 0; q < PARTS; q++) lane_store(sums + (r0 + r) * PRI_STACK + q * WIDTH, acc[r][q]);
  }
}

static void forward_tile(const pri_ray_plan *p, int axis, const struct geometry *n, const float *image, float *sums, ptrdiff_t view, ptrdiff_t k, ptrdiff_t l0, ptrdiff_t lines) {
  struct table t;
  struct block b;
  const ptrdiff_t at = view * p->pitch + PRI_RAY_PAD + k * PRI_BLOCK;
  const unsigned active = crossing(p, at, pri_ray_lanes(p, axis, view, k), n, l0, lines);
  if (!active) return;
  block_at(&b, p, at, active, l0);
  fill_forward(&t, &b, n, lines);
  read_back(&t);
  forward_block(&t, image + l0 * n->step, n, lines, sums + k * PRI_BLOCK * PRI_STACK);
}

/* A share of the tile that comes next, towards the second cache */
static void fetch_ahead(const float *line, const struct geometry *n, ptrdiff_t lines, ptrdiff_t i0, ptrdiff_t i1) {
  for (ptrdiff_t l = 0; l < lines; l++, line += n->step)
    for (ptrdiff_t i = i0; i < i1; i++) __builtin_prefetch(line + i * n->next, 0, 2);
}

/* The same bins of neighbouring views look at much the same pixels: views are innermost, so that these stay in the first cache. */
static void forward_stack(const pri_ray_plan *p, const float *image, float *sums, ptrdiff_t view0, ptrdiff_t view1) {
  const float *first = image + PRI_STACK * (PRI_EDGE * pri_stack_pitch(p->g) + PRI_EDGE);
  for (int axis = 0; axis < 2; axis++) {
    const struct geometry n = axis_of(p->g, axis);
    for (ptrdiff_t l0 = 0; l0 < n.count; l0 += TILE) {
      const ptrdiff_t lines = n.count - l0 < TILE ? n.count - l0 : TILE;
      for (ptrdiff_t k = 0, part = 0, parts = p->blocks * (view1 - view0); k < p->blocks; k++)
        for (ptrdiff_t v = view0; v < view1; v++, part++) {
          if (!(p->axes[v] & 1 << axis)) continue;
          if (l0 + 2 * TILE <= n.count) fetch_ahead(first + (l0 + TILE) * n.step, &n, TILE, n.length * part / parts, n.length * (part + 1) / parts);
          forward_tile(p, axis, &n, first, sums + (v - view0) * p->blocks * PRI_BLOCK * PRI_STACK, v, k, l0, lines);
        }
    }
  }
}

static void back_block(const struct table *t, float *line, const struct geometry *n, ptrdiff_t lines, const float *row, unsigned lanes) {
  const ptrdiff_t step = n->step, next = n->next;
  for (int r = 0; r < PRI_BLOCK; r++) {
    if (!(lanes >> r & 1)) continue;
    lane y[PARTS];
    float *at = line;
#pragma GCC unroll 4
    for (int q = 0; q < PARTS; q++) y[q] = lane_load(row + r * PRI_STACK + q * WIDTH);
    for (ptrdiff_t l = 0; l < lines; l++, at += step) {
      float *x = at + t->at[l][r];
      __builtin_prefetch(at + t->at[l][r + 2 < PRI_BLOCK ? r + 2 : r] + next, 1, 3);
      const lane w = lane_spread(&t->low[l][r]), v = lane_spread(&t->high[l][r]);
#pragma GCC unroll 4
      for (int q = 0; q < PARTS; q++) {
        const lane here = lane_fma(w, y[q], lane_load(x + q * WIDTH)), there = lane_fma(v, y[q], lane_load(x + next + q * WIDTH));
        lane_store(x + q * WIDTH, here);
        lane_store(x + next + q * WIDTH, there);
      }
    }
  }
}

static void back_tile(const pri_ray_plan *p, int axis, const struct geometry *n, const float *row, float *image, ptrdiff_t view, ptrdiff_t l0, ptrdiff_t lines) {
  struct table t;
  struct block b;
  for (ptrdiff_t k = 0; k < p->blocks; k++) {
    const ptrdiff_t at = view * p->pitch + PRI_RAY_PAD + k * PRI_BLOCK;
    const unsigned active = crossing(p, at, pri_ray_lanes(p, axis, view, k), n, l0, lines);
    if (!active) continue;
    block_at(&b, p, at, active, l0);
    fill_back(&t, &b, n, lines);
    read_back(&t);
    back_block(&t, image + l0 * n->step, n, lines, row + k * PRI_BLOCK * PRI_STACK, active);
  }
}

static void back_scatter(const pri_ray_plan *p, int axis, const float *rows, float *image, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t line0, ptrdiff_t line1) {
  const struct geometry n = axis_of(p->g, axis);
  float *first = image + PRI_STACK * (PRI_EDGE * pri_stack_pitch(p->g) + PRI_EDGE);
  const ptrdiff_t pitch = PRI_STACK * (p->blocks * PRI_BLOCK + 2 * PRI_EDGE);
  for (ptrdiff_t l0 = line0; l0 < line1; l0 += TILE)
    for (ptrdiff_t v = view0; v < view1; v++)
      if (p->axes[v] & 1 << axis) back_tile(p, axis, &n, rows + (v - view0) * pitch + PRI_STACK * PRI_EDGE, first, v, l0, line1 - l0 < TILE ? line1 - l0 : TILE);
}

static void back_stack(const pri_ray_plan *p, int axis, const float *rows, float *image, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t line0, ptrdiff_t line1) {
#ifdef __AVX512F__
  if (p->comb) {
    pri_ray_back_comb(p, axis, rows, image, view0, view1, line0, line1);
    return;
  }
#endif
  back_scatter(p, axis, rows, image, view0, view1, line0, line1);
}

const pri_ray_kernels PRI_KERNELS = {LANES_NAME, pri_ray_forward_one, pri_ray_back_one, forward_stack, back_stack};
