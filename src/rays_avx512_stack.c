/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_avx512_stack.c - back projection of sixteen slices in parallel beam, rays at least a pixel apart: each pixel gathers from two bins of
 * every view, with the weights of rays_avx512_back.c. For a line of 16 pixels the offsets and weights of all views of the group are tabulated,
 * then 16 pixels (of 16 slices each) stay in registers while the views pass.
 */
#include "rays_lane.h"

struct table {
  int32_t at[PRI_STACK_VIEWS][PRI_BLOCK]; /* floats from bin 0 of the view's row */
  float low[PRI_STACK_VIEWS][PRI_BLOCK], high[PRI_STACK_VIEWS][PRI_BLOCK];
  const float *row[PRI_STACK_VIEWS];
};

static void fill(struct table *t, int v, const pri_ray_comb *c, ptrdiff_t line, ptrdiff_t i0, ptrdiff_t bins) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512 one = _mm512_set1_ps((float)(1 << PRI_BITS)), zero = _mm512_setzero_ps();
  const int64_t a = c->start + line * c->line + i0 * c->place, least = c->place < 0 ? a + 15 * c->place : a, base = least >> PRI_BITS;
  const __m512i U = _mm512_add_epi32(_mm512_set1_epi32((int32_t)(a - base * (1 << PRI_BITS))), _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int32_t)c->place)));
  const __m512 g = _mm512_cvtepi32_ps(_mm512_and_si512(U, _mm512_set1_epi32((1 << PRI_BITS) - 1))), s = _mm512_set1_ps(c->spacing);
  const __m512 rest = _mm512_set1_ps((1.0f - c->spacing) * (float)(1 << PRI_BITS));
  __m512i j = _mm512_add_epi32(_mm512_srli_epi32(U, PRI_BITS), _mm512_set1_epi32((int32_t)base));
  j = _mm512_min_epi32(_mm512_max_epi32(j, _mm512_set1_epi32(-PRI_EDGE)), _mm512_set1_epi32((int32_t)bins));
  _mm512_storeu_si512(t->at[v], _mm512_slli_epi32(j, 4));
  _mm512_storeu_ps(t->low[v], _mm512_max_ps(_mm512_fnmadd_ps(g, s, one), zero));
  _mm512_storeu_ps(t->high[v], _mm512_max_ps(_mm512_fmadd_ps(g, s, rest), zero));
}

static inline __attribute__((always_inline)) void pixels(const struct table *t, int views, float *x, ptrdiff_t next, int count) {
  __m512 acc[PRI_BLOCK];
#pragma GCC unroll 16
  for (int i = 0; i < count; i++) acc[i] = _mm512_loadu_ps(x + i * next);
  for (int v = 0; v < views; v++) {
    const float *row = t->row[v];
#pragma GCC unroll 16
    for (int i = 0; i < count; i++) {
      const float *y = row + t->at[v][i];
      acc[i] = _mm512_fmadd_ps(_mm512_set1_ps(t->low[v][i]), _mm512_loadu_ps(y), acc[i]);
      acc[i] = _mm512_fmadd_ps(_mm512_set1_ps(t->high[v][i]), _mm512_loadu_ps(y + PRI_STACK), acc[i]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < count; i++) _mm512_storeu_ps(x + i * next, acc[i]);
}

void pri_ray_back_comb(const pri_ray_plan *p, int axis, const float *rows, float *image, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t line0, ptrdiff_t line1) {
  const ptrdiff_t pitch = PRI_STACK * pri_stack_pitch(p->g), step = axis == 0 ? pitch : PRI_STACK, next = axis == 0 ? PRI_STACK : pitch;
  const ptrdiff_t length = axis == 0 ? p->g->n[0] : p->g->n[1], size = PRI_STACK * (p->blocks * PRI_BLOCK + 2 * PRI_EDGE);
  float *first = image + PRI_EDGE * pitch + PRI_EDGE * PRI_STACK;
  struct table t;
  for (ptrdiff_t i0 = 0; i0 < length; i0 += PRI_BLOCK)
    for (ptrdiff_t l = line0; l < line1; l++) {
      int views = 0;
      for (ptrdiff_t i = i0 + PRI_BLOCK; i < i0 + 2 * PRI_BLOCK && i < length; i++) __builtin_prefetch(first + l * step + i * next, 1, 3);
      for (ptrdiff_t v = view0; v < view1; v++) {
        if (!(p->axes[v] & 1 << axis)) continue;
        t.row[views] = rows + (v - view0) * size + PRI_EDGE * PRI_STACK;
        fill(&t, views++, &p->comb[v], l, i0, p->g->bins);
      }
      read_back(&t);
      if (length - i0 >= PRI_BLOCK)
        pixels(&t, views, first + l * step + i0 * next, next, PRI_BLOCK);
      else
        for (ptrdiff_t i = 0; i < length - i0; i++) {
          pixels(&t, views, first + l * step + (i0 + i) * next, next, 1);
          for (int v = 0; v < views; v++) { /* the next pixel to the front */
            memmove(t.at[v], t.at[v] + 1, sizeof t.at[v] - sizeof t.at[v][0]);
            memmove(t.low[v], t.low[v] + 1, sizeof t.low[v] - sizeof t.low[v][0]);
            memmove(t.high[v], t.high[v] + 1, sizeof t.high[v] - sizeof t.high[v][0]);
          }
        }
    }
}
