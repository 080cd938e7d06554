/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_avx512.c - forward projection of one slice: 16 neighbouring rays of a view are a job, four jobs run together (mostly the same bins of
 * four views, which share the cache). For G lines the 16 rays stay inside a window of 32 pixels; the window of each line is loaded into two
 * registers L, H and permuted by the integer parts i of the positions:
 *     acc = (2^27 - f) perm(i) + acc;  acc = f perm(i + 1) + acc;  P += B
 * P counts from the window's first pixel, 5 integer and 27 fractional bits modulo 32 pixels, so an index needs no mask. The rays at the two
 * ends of a job bound those between them: P_j(l) is s_j + slope_j l with both monotone in j inside a run of one axis. Where the window is too
 * small (15 s > 29.9 pixels: coarse bins) or a job mixes runs, it is halved.
 */
#include "rays_lane.h"
#include "rays_window.h"

enum { JOBS = 4 };

struct job {
  __m512i P, B; /* P at the line where the next segment begins */
  struct pri_ends ends;
  ptrdiff_t base, ray;
  unsigned lanes;
  float *y;
};
struct batch {
  const pri_ray_plan *plan;
  const pri_ray_lines *n;
  struct job job[JOBS];
  int count;
};

#define SAMPLE(k)                                                                          \
  do {                                                                                     \
    __m512 low = _mm512_loadu_ps(p##k), high = _mm512_loadu_ps(p##k + 16);                 \
    __asm__("" : "+v"(low), "+v"(high)); /* or each is loaded twice */                     \
    const __m512i i = _mm512_srli_epi32(P##k, PRI_BITS);                                   \
    const __m512 f = _mm512_cvtepi32_ps(_mm512_and_si512(P##k, mask));                     \
    const __m512 here = _mm512_permutex2var_ps(low, i, high);                              \
    const __m512 next = _mm512_permutex2var_ps(low, _mm512_add_epi32(i, step), high);      \
    acc##k = _mm512_fmadd_ps(_mm512_sub_ps(one, f), here, acc##k);                         \
    acc##k = _mm512_fmadd_ps(f, next, acc##k);                                             \
    P##k = _mm512_add_epi32(P##k, B##k);                                                   \
    p##k += pitch;                                                                         \
  } while (0)

/* Lines of one segment, windows in place. */
static void segment(struct batch *b, __m512 sum[JOBS], ptrdiff_t line, ptrdiff_t lines) {
  const __m512i mask = _mm512_set1_epi32((1 << PRI_BITS) - 1), step = _mm512_set1_epi32(1);
  const __m512 one = _mm512_set1_ps((float)(1 << PRI_BITS));
  const ptrdiff_t pitch = b->n->pitch;
  const float *at = b->n->data + line * pitch;
  const float *p0 = at + b->job[0].base, *p1 = at + b->job[1].base, *p2 = at + b->job[2].base, *p3 = at + b->job[3].base;
  const __m512i B0 = b->job[0].B, B1 = b->job[1].B, B2 = b->job[2].B, B3 = b->job[3].B;
  __m512i P0 = b->job[0].P, P1 = b->job[1].P, P2 = b->job[2].P, P3 = b->job[3].P;
  __m512 acc0 = sum[0], acc1 = sum[1], acc2 = sum[2], acc3 = sum[3];
  for (ptrdiff_t l = 0; l < lines; l++) { /* the stride is too long for the machine's own prefetching: 12 % */
    _mm_prefetch((const char *)(p0 + 4 * pitch), _MM_HINT_T0);
    _mm_prefetch((const char *)(p0 + 4 * pitch + 16), _MM_HINT_T0);
    _mm_prefetch((const char *)(p0 + 4 * pitch + 31), _MM_HINT_T0);
    SAMPLE(0);
    SAMPLE(1);
    SAMPLE(2);
    SAMPLE(3);
  }
  b->job[0].P = P0, b->job[1].P = P1, b->job[2].P = P2, b->job[3].P = P3;
  sum[0] = acc0, sum[1] = acc1, sum[2] = acc2, sum[3] = acc3;
}

static void rebase(struct job *j, const pri_ray_lines *n, ptrdiff_t line, ptrdiff_t lines) {
  const ptrdiff_t base = pri_window_base(&j->ends, n->length, line, lines);
  j->P = _mm512_sub_epi32(j->P, _mm512_set1_epi32((int32_t)((uint32_t)(base - j->base) << PRI_BITS)));
  j->base = base;
}

static void march(struct batch *b, ptrdiff_t first, ptrdiff_t last, ptrdiff_t G) {
  __m512 sum[JOBS] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int k = b->count; k < JOBS; k++) {
    b->job[k] = b->job[0];
    b->job[k].lanes = 0;
  }
  for (int k = 0; k < JOBS; k++) {
    struct job *j = &b->job[k];
    const __mmask16 lanes = (__mmask16)j->lanes;
    const __m512i A = pri_low_words(b->plan->A + j->ray), B = _mm512_loadu_si512(b->plan->B + j->ray), at = _mm512_set1_epi32(j->ends.low);
    j->B = _mm512_mask_blend_epi32(lanes, _mm512_permutexvar_epi32(at, B), B); /* lanes outside the mask repeat a ray that is in it */
    j->P = _mm512_mask_blend_epi32(lanes, _mm512_permutexvar_epi32(at, A), A);
    j->P = _mm512_add_epi32(j->P, _mm512_mullo_epi32(j->B, _mm512_set1_epi32((int32_t)first)));
    j->base = 0;
  }
  for (ptrdiff_t l = first; l < last; l += G) {
    const ptrdiff_t lines = last - l < G ? last - l : G;
    for (int k = 0; k < JOBS; k++) rebase(&b->job[k], b->n, l, lines);
    segment(b, sum, l, lines);
  }
  for (int k = 0; k < b->count; k++) {
    const struct job *j = &b->job[k];
    _mm512_mask_storeu_ps(j->y, (__mmask16)j->lanes, _mm512_mul_ps(sum[k], _mm512_loadu_ps(b->plan->W + j->ray)));
  }
}

static void flush(struct batch *b);

/* One job after the other, in halves. */
static void halve(struct batch *b) {
  for (int k = 0; k < b->count; k++) {
    const struct job *j = &b->job[k];
    const unsigned middle = (unsigned)(j->ends.low + j->ends.high + 1) / 2, lower = (1u << middle) - 1;
    struct batch part = {.plan = b->plan, .n = b->n};
    for (int half = 0; half < 2; half++) {
      part.job[0] = *j;
      part.job[0].lanes = j->lanes & (half ? ~lower : lower);
      part.count = part.job[0].lanes != 0;
      flush(&part);
    }
  }
}

static void flush(struct batch *b) {
  ptrdiff_t first = b->n->count, last = 0, G = b->n->count;
  int whole = 1;
  for (int k = 0; k < b->count; k++) {
    struct job *j = &b->job[k];
    j->ends = pri_ends_of(b->plan->A + j->ray, b->plan->B + j->ray, j->lanes);
    pri_window_lines(&j->ends, b->n, &first, &last);
    whole &= j->lanes >> j->ends.low == (2u << (j->ends.high - j->ends.low)) - 1;
  }
  for (int k = 0; k < b->count && first < last; k++) {
    const ptrdiff_t g = pri_window_depth(&b->job[k].ends, first, last);
    G = g < G ? g : G;
  }
  if (b->count && (!whole || G < 1))
    halve(b);
  else if (b->count)
    march(b, first, last, G);
  b->count = 0;
}

void pri_ray_forward_one(const pri_ray_plan *p, const pri_ray_lines image[2], float *y, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t block0, ptrdiff_t block1) {
  for (int axis = 0; axis < 2; axis++) {
    struct batch b = {.plan = p, .n = &image[axis]};
    for (ptrdiff_t k = block0; k < block1; k++)
      for (ptrdiff_t v = view0; v < view1; v++) {
        const unsigned lanes = p->axes[v] & 1 << axis ? pri_ray_lanes(p, axis, v, k) : 0;
        if (!lanes) continue;
        struct job *j = &b.job[b.count++];
        j->ray = v * p->pitch + PRI_RAY_PAD + k * PRI_BLOCK;
        j->lanes = lanes;
        j->y = y + v * p->g->bins + k * PRI_BLOCK;
        if (b.count == JOBS) flush(&b);
      }
    flush(&b);
  }
}
