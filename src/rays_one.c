/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_one.c - one slice, portable and AVX2. Forward: 16 neighbouring rays march together, the pixels i and i + 1 of each are loaded as one
 * pair and then sorted. Back: one ray after the other adds to the lines of its share.
 */
#include "rays_lane.h"

enum { ONE = 1 << PRI_BITS };

struct march {
  ints i[PARTS], F[PARTS], Bi[PARTS], BF[PARTS];
  lane acc[PARTS];
};

/* x(i), x(i + 1) for WIDTH lanes */
#if defined(__AVX2__)
static inline void pick(const float *line, ints i, lane *here, lane *next) {
  const __m256i at = _mm256_permute4x64_epi64((__m256i)i, 0xd8); /* shuffles work in halves: lanes 0 1 4 5 | 2 3 6 7 */
  const __m256 a = _mm256_castpd_ps(_mm256_i32gather_pd((const double *)(const void *)line, _mm256_castsi256_si128(at), 4));
  const __m256 b = _mm256_castpd_ps(_mm256_i32gather_pd((const double *)(const void *)line, _mm256_extracti128_si256(at, 1), 4));
  *here = (lane)_mm256_shuffle_ps(a, b, 0x88);
  *next = (lane)_mm256_shuffle_ps(a, b, 0xdd);
}
#else
typedef double pairs __attribute__((vector_size(16))); /* two pairs of neighbouring pixels */
static inline double pair_at(const float *x) {
  double v;
  memcpy(&v, x, sizeof v);
  return v;
}

static inline void pick(const float *line, ints i, lane *here, lane *next) {
  const pairs a = {pair_at(line + i[0]), pair_at(line + i[1])}, b = {pair_at(line + i[2]), pair_at(line + i[3])};
  *here = __builtin_shufflevector((lane)a, (lane)b, 0, 2, 4, 6);
  *next = __builtin_shufflevector((lane)a, (lane)b, 1, 3, 5, 7);
}
#endif

static inline __attribute__((always_inline)) void lines_of(struct march *m, const pri_ray_lines *n, ptrdiff_t first, ptrdiff_t last, int clamp) {
  const ints low = ints_all(-PRI_EDGE), high = ints_all((int32_t)n->length);
  const float *line = n->data + first * n->pitch;
  for (ptrdiff_t l = first; l < last; l++, line += n->pitch) {
    const float *ahead = line + 4 * n->pitch + m->i[0][0];
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 16);
#pragma GCC unroll 4
    for (int q = 0; q < PARTS; q++) {
      lane x, y;
      const lane f = lane_of(m->F[q]);
      pick(line, clamp ? ints_clamp(m->i[q], low, high) : m->i[q], &x, &y);
      m->acc[q] = lane_fma((float)ONE - f, x, m->acc[q]);
      m->acc[q] = lane_fma(f, y, m->acc[q]);
      m->F[q] += m->BF[q];
      m->i[q] += m->Bi[q] + (m->F[q] >> PRI_BITS);
      m->F[q] &= ONE - 1;
    }
  }
}

/* Lines where some lane touches a pixel, and where all lanes lie inside; lanes outside the mask repeat one that is in it. */
struct range {
  ptrdiff_t first, last, all_first, all_last;
};

static struct range ranges(const int64_t A[PRI_BLOCK], const int64_t B[PRI_BLOCK], const pri_ray_lines *n) {
  const int64_t length = (int64_t)n->length * ONE;
  struct range r = {n->count, 0, 0, n->count};
  for (int k = 0; k < PRI_BLOCK; k++) {
    ptrdiff_t first = 0, last = n->count, in_first = r.all_first, in_last = r.all_last;
    pri_ray_crop(A[k], B[k], 1 - ONE, length, &first, &last);
    pri_ray_crop(A[k], B[k], -ONE, length, &in_first, &in_last);
    if (first < last && first < r.first) r.first = first;
    if (first < last && last > r.last) r.last = last;
    r.all_first = in_first;
    r.all_last = in_last;
  }
  if (r.first > r.last) r.first = r.last;
  if (r.all_first < r.first) r.all_first = r.first;
  if (r.all_last > r.last) r.all_last = r.last;
  if (r.all_first >= r.all_last) r.all_first = r.all_last = r.last;
  return r;
}

static void load(struct march *m, const int64_t A[PRI_BLOCK], const int64_t B[PRI_BLOCK], ptrdiff_t line) {
  int32_t i[PRI_BLOCK], F[PRI_BLOCK], Bi[PRI_BLOCK], BF[PRI_BLOCK];
  for (int r = 0; r < PRI_BLOCK; r++) {
    const int64_t P = A[r] + line * B[r];
    i[r] = (int32_t)(P >> PRI_BITS);
    F[r] = (int32_t)(P & (ONE - 1));
    Bi[r] = (int32_t)(B[r] >> PRI_BITS);
    BF[r] = (int32_t)(B[r] & (ONE - 1));
  }
  memcpy(m->Bi, Bi, sizeof Bi);
  memcpy(m->BF, BF, sizeof BF);
  memcpy(m->i, i, sizeof i);
  memcpy(m->F, F, sizeof F);
}

static void forward_block(const pri_ray_plan *p, const pri_ray_lines *n, float *y, ptrdiff_t view, ptrdiff_t block, unsigned lanes) {
  const ptrdiff_t at = view * p->pitch + PRI_RAY_PAD + block * PRI_BLOCK;
  int64_t A[PRI_BLOCK], B[PRI_BLOCK];
  float sum[PRI_BLOCK];
  struct march m = {.acc = {{0}}};
  const int any = __builtin_ctz(lanes);
  for (int r = 0; r < PRI_BLOCK; r++) {
    const ptrdiff_t ray = at + (lanes >> r & 1 ? r : any);
    A[r] = p->A[ray];
    B[r] = p->B[ray];
  }
  const struct range r = ranges(A, B, n);
  load(&m, A, B, r.first);
  lines_of(&m, n, r.first, r.all_first, 1);
  lines_of(&m, n, r.all_first, r.all_last, 0);
  lines_of(&m, n, r.all_last, r.last, 1);
  memcpy(sum, m.acc, sizeof sum);
  for (int k = 0; k < PRI_BLOCK; k++)
    if (lanes >> k & 1) y[view * p->g->bins + block * PRI_BLOCK + k] = sum[k] * p->W[at + k];
}

void pri_ray_forward_one(const pri_ray_plan *p, const pri_ray_lines image[2], float *y, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t block0, ptrdiff_t block1) {
  for (ptrdiff_t k = block0; k < block1; k++)
    for (ptrdiff_t v = view0; v < view1; v++)
      for (int axis = 0; axis < 2; axis++) {
        const unsigned lanes = pri_ray_lanes(p, axis, v, k);
        if (lanes) forward_block(p, &image[axis], y, v, k, lanes);
      }
}

static void spread(const pri_ray_lines *n, int64_t A, int64_t B, float y, ptrdiff_t first, ptrdiff_t last) {
  pri_ray_crop(A, B, 1 - ONE, (int64_t)n->length * ONE, &first, &last);
  int64_t P = A + first * B;
  float *line = n->data + first * n->pitch;
  for (ptrdiff_t l = first; l < last; l++, P += B, line += n->pitch) {
    float *x = line + (P >> PRI_BITS);
    const int32_t F = (int32_t)(P & (ONE - 1));
    x[0] = scalar_fma((float)ONE - (float)F, y, x[0]);
    x[1] = scalar_fma((float)ONE - (float)(ONE - F), y, x[1]);
  }
}

void pri_ray_back_one(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *n, ptrdiff_t share, ptrdiff_t shares) {
  const ptrdiff_t first = n->count * share / shares, last = n->count * (share + 1) / shares;
  for (ptrdiff_t v = 0; v < p->g->views; v++)
    for (ptrdiff_t k = 0; (p->axes[v] & 1 << axis) && k < p->blocks; k++) {
      const unsigned lanes = pri_ray_lanes(p, axis, v, k);
      const ptrdiff_t at = v * p->pitch + PRI_RAY_PAD + k * PRI_BLOCK;
      for (int r = 0; r < PRI_BLOCK; r++)
        if (lanes >> r & 1) spread(n, p->A[at + r], p->B[at + r], rows[at + r], first, last);
    }
}
