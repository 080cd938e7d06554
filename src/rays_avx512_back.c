/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_avx512_back.c - back projection of one slice: 16 neighbouring pixels of a line gather from a window of 32 bins in two registers.
 *
 * Parallel beam, rays at least a pixel apart (s >= 1): pixel (l, i) lies between bins j and j + 1, u = j + g = U 2^-27 being affine in l and i,
 *     a = max(2^27 - s g, 0) row(j) + a;  a = max((1 - s) 2^27 + s g, 0) row(j+1) + a,  g in units of 2^-27,  row = (2^-27 W) y, four views at a time, windows stay for G lines
 * Otherwise (rays_avx512_fan.c) the weights come from the positions of the rays themselves.
 */
#include "rays_lane.h"
#include "rays_window.h"

enum { JOBS = 4 };

struct job { /* one view over 16 pixels of every line */
  struct pri_ends ends;
  __m512i U, dU;
  __m512 low, high, scale, rest; /* window; s and (1 - s) 2^27 */
  const float *row;
  ptrdiff_t base;
};

static void add_job(struct job *j, const pri_ray_plan *p, ptrdiff_t view, const float *rows, ptrdiff_t place) {
  const pri_ray_comb *c = &p->comb[view];
  const int64_t at = c->start + place * c->place;
  j->ends = (struct pri_ends){{at, at + 15 * c->place}, {c->line, c->line}, 0, 15};
  j->dU = _mm512_set1_epi32((int32_t)c->line);
  j->scale = _mm512_set1_ps(c->spacing);
  j->rest = _mm512_set1_ps((1.0f - c->spacing) * (float)(1 << PRI_BITS));
  j->row = rows + view * p->pitch + PRI_RAY_PAD;
}

static void start(struct job *j, int64_t place, ptrdiff_t line) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const int32_t at = (int32_t)(uint32_t)(uint64_t)(j->ends.A[0] + line * j->ends.B[0]);
  j->U = _mm512_add_epi32(_mm512_set1_epi32(at), _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int32_t)place)));
  j->base = 0;
}

static void rebase(struct job *j, ptrdiff_t bins, ptrdiff_t line, ptrdiff_t lines) {
  const ptrdiff_t base = pri_window_base(&j->ends, bins, line, lines);
  j->U = _mm512_sub_epi32(j->U, _mm512_set1_epi32((int32_t)((uint32_t)(base - j->base) << PRI_BITS)));
  j->base = base;
  j->low = _mm512_loadu_ps(j->row + base);
  j->high = _mm512_loadu_ps(j->row + base + 16);
}

#define SAMPLE(k)                                                                                             \
  do {                                                                                                        \
    const __m512i i = _mm512_srli_epi32(U##k, PRI_BITS);                                                      \
    const __m512 g = _mm512_cvtepi32_ps(_mm512_and_si512(U##k, mask));                                        \
    const __m512 v = _mm512_max_ps(_mm512_fnmadd_ps(g, j[k].scale, one), zero);                               \
    const __m512 w = _mm512_max_ps(_mm512_fmadd_ps(g, j[k].scale, j[k].rest), zero);                          \
    a = _mm512_fmadd_ps(v, _mm512_permutex2var_ps(low##k, i, high##k), a);                                    \
    a = _mm512_fmadd_ps(w, _mm512_permutex2var_ps(low##k, _mm512_add_epi32(i, step), high##k), a);            \
    U##k = _mm512_add_epi32(U##k, j[k].dU);                                                                   \
  } while (0)

static void segment(struct job j[JOBS], float *at, ptrdiff_t pitch, ptrdiff_t lines) {
  const __m512i mask = _mm512_set1_epi32((1 << PRI_BITS) - 1), step = _mm512_set1_epi32(1);
  const __m512 one = _mm512_set1_ps((float)(1 << PRI_BITS)), zero = _mm512_setzero_ps();
  const __m512 low0 = j[0].low, low1 = j[1].low, low2 = j[2].low, low3 = j[3].low;
  const __m512 high0 = j[0].high, high1 = j[1].high, high2 = j[2].high, high3 = j[3].high;
  __m512i U0 = j[0].U, U1 = j[1].U, U2 = j[2].U, U3 = j[3].U;
  for (ptrdiff_t l = 0; l < lines; l++, at += pitch) {
    __m512 a = _mm512_loadu_ps(at);
    SAMPLE(0);
    SAMPLE(1);
    SAMPLE(2);
    SAMPLE(3);
    _mm512_storeu_ps(at, a);
  }
  j[0].U = U0, j[1].U = U1, j[2].U = U2, j[3].U = U3;
}

static void flush(const pri_ray_plan *p, struct job *j, int count, const int64_t place[JOBS], const pri_ray_lines *n, ptrdiff_t i0) {
  const pri_ray_lines row = {.count = n->count, .length = p->g->bins};
  ptrdiff_t first = n->count, last = 0, G = n->count;
  for (int k = 0; k < count; k++) pri_window_lines(&j[k].ends, &row, &first, &last);
  if (first >= last) return;
  for (int k = 0; k < count; k++) {
    const ptrdiff_t g = pri_window_depth(&j[k].ends, first, last); /* 15 / s <= 15 bins always leave room */
    G = g < G ? g : G;
    start(&j[k], place[k], first);
  }
  for (int k = count; k < JOBS; k++) j[k] = (struct job){.U = _mm512_setzero_si512()}; /* adds zeros */
  for (ptrdiff_t l = first; l < last; l += G) {
    const ptrdiff_t lines = last - l < G ? last - l : G;
    for (int k = 0; k < count; k++) rebase(&j[k], p->g->bins, l, lines);
    segment(j, n->data + l * n->pitch + i0, n->pitch, lines);
  }
}

static void back_strip(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *n, ptrdiff_t i0) {
  struct job job[JOBS];
  int64_t place[JOBS];
  int count = 0;
  for (ptrdiff_t v = 0; v < p->g->views; v++) {
    if (!(p->axes[v] & 1 << axis)) continue;
    place[count] = p->comb[v].place;
    add_job(&job[count++], p, v, rows, i0);
    if (count == JOBS) {
      flush(p, job, count, place, n, i0);
      count = 0;
    }
  }
  if (count) flush(p, job, count, place, n, i0);
}

void pri_ray_back_one(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *n, ptrdiff_t share, ptrdiff_t shares) {
  const ptrdiff_t strips = (n->length + PRI_BLOCK - 1) / PRI_BLOCK;
  for (ptrdiff_t s = strips * share / shares; s < strips * (share + 1) / shares; s++)
    if (p->comb)
      back_strip(p, axis, rows, n, s * PRI_BLOCK);
    else
      pri_ray_back_fan(p, axis, rows, n, s * PRI_BLOCK);
}
