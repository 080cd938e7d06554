/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rays_avx512_fan.c - back projection of one slice for any 2-D beam: 16 pixels of a line gather from the K rays about the bin u on which each
 * falls. u only selects; the weights come from the positions P_j(l) of the rays, kept for a window of 32 rays in two registers and permuted
 * like the data:
 *     t = P_j - i,  a = max(0, 2^27 - |t|) row(j) + a,  j = floor(u - K/2) + 1 ... + K
 * u is exact (a quotient) on the first and last line of a segment and linear between them. What must hold, or edge pixels are wrong:
 *     K >= 2 / s + 0.2;   the curvature of u over a segment <= 0.1 bin;   all candidates of a segment lie in one window
 * Segments are shortened, then pixels taken fewer at a time, until they do; what is left (rays under 1/15 or over 14 pixels apart) is scalar.
 */
#include <math.h>
#include "rays_lane.h"
#include "rays_window.h"

enum { ONE = 1 << PRI_BITS, RUN = 64 /* lines that are taken with fewer pixels at a time */ };

struct strip { /* one view over some pixels of every line */
  const pri_ray_plan *p;
  const pri_ray_lines *n;
  const float *row;
  const int64_t *A;
  const int32_t *B;
  double n0, n1, n2, d0, d1, d2, center, scale, across, along; /* n and d at the strip's first pixel; numerators of du/di: across + along l */
  ptrdiff_t view, i0, longest;                                 /* lines of a segment by curvature */
  int lanes, curved, axis, mixed;
};
struct segment {
  ptrdiff_t line, lines, base;
  int K;
};

static double bin_of(const struct strip *s, double l, double i) {
  const double q = (s->n0 + s->n1 * l + s->n2 * i) / (s->d0 + s->d1 * l + s->d2 * i);
  return s->center + s->scale * (s->curved ? atan(q) : q);
}

/* square of the distance that divides du: d, or the distance from the source for a curved detector */
static double square(const struct strip *s, double l, double i) {
  const double d = s->d0 + s->d1 * l + s->d2 * i, n = s->n0 + s->n1 * l + s->n2 * i;
  return s->curved ? d * d + n * n : d * d;
}

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

/* a pixel further on both sides: a weight reaches that far */
static double least_square(const struct strip *s, double l0, double l1) {
  const double m = s->lanes;
  return least(least(square(s, l0, -1), square(s, l0, m)), least(square(s, l1, -1), square(s, l1, m)));
}

/* Largest |du/di| of lines l0, l1: bins that a step of one pixel along the line covers, 1 / s. */
static double density(const struct strip *s, double l0, double l1) {
  return s->scale * most(fabs(s->across + s->along * l0), fabs(s->across + s->along * l1)) / least_square(s, l0, l1);
}

/* G <= sqrt(0.4 d / (|d_l| |u_l|)) */
static ptrdiff_t longest(const struct strip *s) {
  const double end = (double)(s->n->count - 1), m = s->lanes - 1, r2 = least_square(s, 0, end);
  const double e0 = s->n1 * s->d0 - s->n0 * s->d1, e1 = s->n1 * (s->d0 + s->d2 * m) - (s->n0 + s->n2 * m) * s->d1;
  const double slope = s->scale * most(fabs(e0), fabs(e1)) / r2, bend = slope * (fabs(s->d1) + (s->curved ? fabs(s->n1) : 0));
  const double G = bend > 0 ? sqrt(0.4 * sqrt(r2) / bend) : 1e9;
  return G >= (double)s->n->count ? s->n->count : G < 1 ? 1 : (ptrdiff_t)G;
}

static struct strip strip_of(const pri_ray_plan *p, int axis, ptrdiff_t view, const float *rows, const pri_ray_lines *n, ptrdiff_t i0, int lanes) {
  const pri_ray_fan *f = &p->fan[2 * view + axis];
  const ptrdiff_t at = view * p->pitch + PRI_RAY_PAD;
  struct strip s = {.p = p, .n = n, .row = rows + at, .A = p->A + at, .B = p->B + at, .n0 = f->n[0] + (double)i0 * f->n[2], .n1 = f->n[1], .n2 = f->n[2],
                    .d0 = f->d[0] + (double)i0 * f->d[2], .d1 = f->d[1], .d2 = f->d[2], .center = p->g->center, .scale = p->scale, .view = view, .i0 = i0,
                    .lanes = lanes, .curved = p->g->beam == PRI_FAN_CURVED, .axis = axis, .mixed = p->axes[view] == 3};
  s.across = s.n2 * s.d0 - s.n0 * s.d2;
  s.along = s.n2 * s.d1 - s.n1 * s.d2;
  s.longest = longest(&s);
  return s;
}

/* n / d at the four corners of a segment, and the least square of what divides du (a pixel further on both sides: a weight reaches that far) */
struct corners {
  double u[4], least;
};

static struct corners corners_of(const struct strip *s, double l0, double l1) {
  struct corners c;
  const double m = s->lanes - 1;
  const __m256d l = _mm256_setr_pd(l0, l0, l1, l1), i = _mm256_setr_pd(0, m, 0, m), out = _mm256_setr_pd(-1, 1, -1, 1);
  const __m256d n = _mm256_fmadd_pd(l, _mm256_set1_pd(s->n1), _mm256_fmadd_pd(i, _mm256_set1_pd(s->n2), _mm256_set1_pd(s->n0)));
  const __m256d d = _mm256_fmadd_pd(l, _mm256_set1_pd(s->d1), _mm256_fmadd_pd(i, _mm256_set1_pd(s->d2), _mm256_set1_pd(s->d0)));
  const __m256d e = _mm256_fmadd_pd(out, _mm256_set1_pd(s->d2), d), f = _mm256_fmadd_pd(out, _mm256_set1_pd(s->n2), n);
  const __m256d square = _mm256_fmadd_pd(e, e, s->curved ? _mm256_mul_pd(f, f) : _mm256_setzero_pd());
  const __m128d pair = _mm_min_pd(_mm256_castpd256_pd128(square), _mm256_extractf128_pd(square, 1));
  c.least = _mm_cvtsd_f64(_mm_min_sd(pair, _mm_unpackhi_pd(pair, pair)));
  _mm256_storeu_pd(c.u, _mm256_fmadd_pd(_mm256_div_pd(n, d), _mm256_set1_pd(s->scale), _mm256_set1_pd(s->center)));
  for (int k = 0; s->curved && k < 4; k++) c.u[k] = s->center + s->scale * atan((c.u[k] - s->center) / s->scale);
  return c;
}

/* Can this segment be done? Fills K and base, and the number of lines that would do. */
static int fits(const struct strip *s, struct segment *g, ptrdiff_t *better) {
  const double l0 = (double)g->line, l1 = (double)(g->line + g->lines - 1);
  const struct corners c = corners_of(s, l0, l1);
  const double dense = s->scale * most(fabs(s->across + s->along * l0), fabs(s->across + s->along * l1)) / c.least; /* largest |du/di| = 1/s */
  const double low0 = least(c.u[0], c.u[1]), high0 = most(c.u[0], c.u[1]), low1 = least(c.u[2], c.u[3]), high1 = most(c.u[2], c.u[3]);
  g->K = dense <= 0.9 ? 2 : dense <= 1.4 ? 3 : (int)ceil(2 * dense + 0.2);
  *better = 1;
  if (g->K > 28 || dense < 1.0 / 14) return 0;
  const double low = floor(least(low0, low1) - 0.5 * g->K - 0.1) + 1, high = most(high0, high1) + 0.5 * g->K + 1.2;
  g->base = (ptrdiff_t)low;
  const double drift = most(fabs(c.u[2] - c.u[0]), fabs(c.u[3] - c.u[1])), room = 28.5 - g->K - most(high0 - low0, high1 - low1);
  const double lines = drift > 0 ? room / drift * (double)g->lines : 1e6;
  *better = lines < 1 ? 1 : lines > 1e6 ? 1000000 : (ptrdiff_t)lines;
  return high - low <= 31;
}

/* May a ray of this axis touch the pixels of some lines? Far from the detector's ends, or where the rays march along the other axis, none does. */
static int touched(const struct strip *s, ptrdiff_t line, ptrdiff_t lines) {
  const double l0 = (double)line, l1 = (double)(line + lines - 1), m = s->lanes - 1, bins = (double)s->p->g->bins;
  const struct corners c = corners_of(s, l0, l1);
  const double d0 = s->d0 + s->d1 * l0, d1 = s->d0 + s->d1 * l1;
  if (least(least(d0, d0 + s->d2 * m), least(d1, d1 + s->d2 * m)) <= 0) return 1; /* the source stands among them: corners say nothing */
  const double reach = s->scale * most(fabs(s->across + s->along * l0), fabs(s->across + s->along * l1)) / c.least + 2;
  const double low = most(floor(least(least(c.u[0], c.u[1]), least(c.u[2], c.u[3])) - reach), 0);
  const double high = least(ceil(most(most(c.u[0], c.u[1]), most(c.u[2], c.u[3])) + reach), bins - 1);
  if (!(low <= high)) return 0;
  for (ptrdiff_t b = (ptrdiff_t)low / PRI_BLOCK; b <= (ptrdiff_t)high / PRI_BLOCK; b++)
    if (pri_ray_lanes(s->p, s->axis, s->view, b)) return 1;
  return 0;
}

/* Rays of the window that march along this axis; 0: none. */
static uint32_t window_mask(const struct strip *s, ptrdiff_t base) {
  const ptrdiff_t bins = s->p->g->bins;
  if (base <= -32 || base >= bins) return 0;
  if (!s->mixed) return ~(uint32_t)0;
  const ptrdiff_t block = (base + 32) / PRI_BLOCK - 2; /* rounds down */
  uint64_t some = 0;
  for (int k = 0; k < 3; k++)
    if (block + k >= 0 && block + k < s->p->blocks) some |= (uint64_t)pri_ray_lanes(s->p, s->axis, s->view, block + k) << 16 * k;
  return (uint32_t)(some >> (base - block * PRI_BLOCK));
}

/* u - base + 1 - K/2 of the lanes on a line, as 5.27 bits */
static __m512 selection(const struct strip *s, const struct segment *g, ptrdiff_t line) {
  const __m512 place = _mm512_min_ps(_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_ps((float)(s->lanes - 1)));
  const double n = s->n0 + s->n1 * (double)line, d = s->d0 + s->d1 * (double)line, shift = s->center - (double)g->base + 1 - 0.5 * g->K;
  if (s->curved) {
    float q[PRI_BLOCK];
    for (int i = 0; i < PRI_BLOCK; i++) q[i] = (float)(bin_of(s, (double)line, i < s->lanes ? i : s->lanes - 1) - s->center + shift);
    return _mm512_loadu_ps(q);
  }
  const __m512 top = _mm512_fmadd_ps(place, _mm512_set1_ps((float)(s->scale * s->n2 + shift * s->d2)), _mm512_set1_ps((float)(s->scale * n + shift * d)));
  return _mm512_div_ps(top, _mm512_fmadd_ps(place, _mm512_set1_ps((float)s->d2), _mm512_set1_ps((float)d)));
}

struct window {
  __m512i PL, PH, BL, BH, U, dU;
  __m512 low, high;
};

static struct window window_at(const struct strip *s, const struct segment *g, uint32_t mask) {
  struct window w;
  const __m512 fixed = _mm512_set1_ps((float)ONE), a = selection(s, g, g->line), b = selection(s, g, g->line + g->lines - 1);
  const __m512i line = _mm512_set1_epi32((int32_t)g->line), place = _mm512_set1_epi32((int32_t)((uint32_t)s->i0 << PRI_BITS));
  w.U = _mm512_cvtps_epu32(_mm512_mul_ps(a, fixed));
  w.dU = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(b, a), _mm512_set1_ps((float)ONE / (float)(g->lines > 1 ? g->lines - 1 : 1))));
  w.BL = _mm512_loadu_si512(s->B + g->base);
  w.BH = _mm512_loadu_si512(s->B + g->base + 16);
  w.PL = _mm512_sub_epi32(_mm512_add_epi32(pri_low_words(s->A + g->base), _mm512_mullo_epi32(w.BL, line)), place);
  w.PH = _mm512_sub_epi32(_mm512_add_epi32(pri_low_words(s->A + g->base + 16), _mm512_mullo_epi32(w.BH, line)), place);
  w.low = _mm512_maskz_loadu_ps((__mmask16)mask, s->row + g->base);
  w.high = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), s->row + g->base + 16);
  return w;
}

static inline __attribute__((always_inline)) void gather(struct window w, float *at, ptrdiff_t pitch, ptrdiff_t lines, __mmask16 lanes, int K) {
  const __m512i place = _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), PRI_BITS), step = _mm512_set1_epi32(1);
  const __m512 one = _mm512_set1_ps((float)ONE);
  for (ptrdiff_t l = 0; l < lines; l++, at += pitch) {
    __m512 a = _mm512_maskz_loadu_ps(lanes, at);
    __m512i j = _mm512_srli_epi32(w.U, PRI_BITS);
#pragma GCC unroll 6
    for (int k = 0; k < K; k++) {
      const __m512i t = _mm512_sub_epi32(_mm512_permutex2var_epi32(w.PL, j, w.PH), place);
      const __m512 far = _mm512_range_ps(_mm512_cvtepi32_ps(t), one, 8 | 2); /* least of |t| and 2^27, sign cleared */
      a = _mm512_fmadd_ps(_mm512_sub_ps(one, far), _mm512_permutex2var_ps(w.low, j, w.high), a);
      j = _mm512_add_epi32(j, step);
    }
    _mm512_mask_storeu_ps(at, lanes, a);
    w.U = _mm512_add_epi32(w.U, w.dU);
    w.PL = _mm512_add_epi32(w.PL, w.BL);
    w.PH = _mm512_add_epi32(w.PH, w.BH);
  }
}

static void gather_segment(const struct strip *s, const struct segment *g) {
  const uint32_t mask = window_mask(s, g->base);
  const __mmask16 lanes = (__mmask16)((1u << s->lanes) - 1);
  float *at = s->n->data + g->line * s->n->pitch + s->i0;
  if (!mask) return;
  const struct window w = window_at(s, g, mask);
  if (g->K == 2)
    gather(w, at, s->n->pitch, g->lines, lanes, 2);
  else if (g->K == 3)
    gather(w, at, s->n->pitch, g->lines, lanes, 3);
  else if (g->K == 4)
    gather(w, at, s->n->pitch, g->lines, lanes, 4);
  else
    gather(w, at, s->n->pitch, g->lines, lanes, g->K);
}

/* The pixels of one line, one by one. */
static void scalar_line(const struct strip *s, ptrdiff_t line) {
  const ptrdiff_t bins = s->p->g->bins;
  const double reach = density(s, (double)line, (double)line) + 2;
  for (int i = 0; i < s->lanes; i++) {
    const double u = bin_of(s, (double)line, i), low = fmin(fmax(floor(u - reach), 0), (double)bins), high = fmin(fmax(ceil(u + reach), -1), (double)bins - 1);
    float *x = s->n->data + line * s->n->pitch + s->i0 + i;
    for (ptrdiff_t j = (ptrdiff_t)low; j <= (ptrdiff_t)high; j++) {
      const int64_t t = s->A[j] + line * (int64_t)s->B[j] - (s->i0 + i) * (int64_t)ONE, far = t < 0 ? -t : t;
      if (far < ONE && (s->p->axis1[s->view * s->p->blocks + j / PRI_BLOCK] >> j % PRI_BLOCK & 1) == s->axis)
        *x = scalar_fma((float)ONE - (float)far, s->row[j], *x);
    }
  }
}

static void view_lines(const struct strip *s, const float *rows, ptrdiff_t first, ptrdiff_t last);

static void fewer_pixels(const struct strip *s, const float *rows, ptrdiff_t first, ptrdiff_t last) {
  const int half = s->lanes / 2;
  const struct strip left = strip_of(s->p, s->axis, s->view, rows, s->n, s->i0, half);
  const struct strip right = strip_of(s->p, s->axis, s->view, rows, s->n, s->i0 + half, s->lanes - half);
  view_lines(&left, rows, first, last);
  view_lines(&right, rows, first, last);
}

static ptrdiff_t fewest(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

static void view_lines(const struct strip *s, const float *rows, ptrdiff_t first, ptrdiff_t last) {
  struct segment g = {.line = first, .lines = s->longest};
  ptrdiff_t better = s->longest;
  for (; g.line < last; g.line += g.lines) {
    int good;
    g.lines = fewest(fewest(better, s->longest), last - g.line);
    while (!(good = fits(s, &g, &better)) && g.lines > 1) g.lines = fewest(better, g.lines - (g.lines + 7) / 8);
    if (good) {
      gather_segment(s, &g);
      continue;
    }
    g.lines = fewest(RUN, last - g.line); /* its neighbours will not fit either */
    if (!touched(s, g.line, g.lines)) continue;
    if (s->lanes > 1)
      fewer_pixels(s, rows, g.line, g.line + g.lines);
    else
      for (ptrdiff_t l = 0; l < g.lines; l++) scalar_line(s, g.line + l);
  }
}

void pri_ray_back_fan(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *n, ptrdiff_t i0) {
  const int lanes = n->length - i0 < PRI_BLOCK ? (int)(n->length - i0) : PRI_BLOCK;
  for (ptrdiff_t v = 0; v < p->g->views; v++)
    if (p->axes[v] & 1 << axis) {
      const struct strip s = strip_of(p, axis, v, rows, n, i0, lanes);
      view_lines(&s, rows, 0, n->count);
    }
}
