/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blur_grid.c - where image and data lie on the periodic grid of the convolution, one axis at a time.
 *
 * An axis has d pixels of the image, r of the data, k taps of h with the centre c. Data i reads x_(i - j), j in [-c, k - 1 - c]: the image
 * and what lies beyond it from -before = -(k - 1 - c) to d - 1 + after, after = c (0 each where that is known to be zero).
 *   place p of the grid  <->  image position p - before  <->  data position p - before; unknown: data position p - (k - 1 - c), d = r + k - 1
 *   grid >= d + before + after, so that nothing that is kept has wrapped around; zero: d + max(k - 1 - c, c) is enough, the zeros serve
 *   both ends; unknown: grid >= d; periodic: grid = d, and h wraps around it. An extent with a prime factor above 13 makes transforms several
 *   times slower: then periodic is laid out like reflect, on a longer grid (measured: 1021^2 takes 5 times longer than 1080^2).
 */
#include <string.h>
#include "blur.h"
#include "fft.h"

struct line { /* one axis */
  ptrdiff_t d, r, before, grid, shift; /* shift: place of data 0 */
};

static int is_slow(ptrdiff_t n) {
  static const ptrdiff_t primes[] = {2, 3, 5, 7, 11, 13};
  for (int i = 0; i < 6; i++)
    while (n % primes[i] == 0) n /= primes[i];
  return n > 1;
}

static struct line line_of(const struct blur_one *b, int axis, ptrdiff_t d, ptrdiff_t r) {
  const ptrdiff_t k = b->psf.k[axis], c = b->psf.c[axis], far = k - 1 - c;
  struct line l = {.d = d, .r = r};
  switch (b->border) {
  case PERIODIC:
    l.grid = d;
    if (!b->padded) return l;
    l.before = l.shift = far;
    l.grid = d + k - 1;
    break;
  case ZERO: l.grid = d + (far > c ? far : c); break;
  case UNKNOWN: l.grid = d; l.shift = far; break;
  default: l.before = l.shift = far; l.grid = d + k - 1;
  }
  l.grid = d == 1 && k == 1 ? 1 : pri_fft_length(l.grid, axis == 2);
  return l;
}

static ptrdiff_t mirrored(ptrdiff_t i, ptrdiff_t n) {
  const ptrdiff_t m = ((i % (2 * n)) + 2 * n) % (2 * n);
  return m < n ? m : 2 * n - 1 - m;
}

/* Pixel that is seen at position i of an axis of n pixels; -1: none */
static ptrdiff_t seen(int border, ptrdiff_t i, ptrdiff_t n) {
  if (i >= 0 && i < n) return i;
  if (border == PERIODIC) return (i % n + n) % n;
  if (border == REFLECT) return mirrored(i, n);
  if (border == REPLICATE) return i < 0 ? 0 : n - 1;
  return -1;
}

static pri_status map_axis(pri_ctx *ctx, struct blur_one *b, int axis, const struct line *l) {
  const ptrdiff_t end = l->before + l->d + (b->padded || b->border == REFLECT || b->border == REPLICATE ? b->psf.c[axis] : 0);
  b->grid.n[axis] = l->grid;
  b->grid.dom.n[axis] = l->d;
  b->grid.ran.n[axis] = l->r;
  PRI_ALLOC(ctx, b->grid.dom.at[axis], l->grid);
  PRI_ALLOC(ctx, b->grid.ran.at[axis], l->grid);
  for (ptrdiff_t p = 0; p < l->grid; p++) {
    b->grid.dom.at[axis][p] = p < end ? seen(b->border, p - l->before, l->d) : -1;
    b->grid.ran.at[axis][p] = p >= l->shift && p < l->shift + l->r ? p - l->shift : -1;
  }
  return PRI_OK;
}

static pri_status agree(pri_ctx *ctx, struct blur_one *b, pri_shape *dom, pri_shape *ran) {
  char s[96], t[96];
  const int by_data = dom->nd == 0;
  pri_shape other = by_data ? *ran : *dom;
  for (int i = 0; i < b->nd; i++) {
    const ptrdiff_t more = b->border == UNKNOWN ? b->psf.k[3 - b->nd + i] - 1 : 0;
    other.n[i] += by_data ? more : -more;
    if (other.n[i] < 1)
      return PRI_FAIL(ctx, PRI_ESHAPE, "blur: border=unknown takes %td pixels of an axis that has %td: the point-spread function is larger than the image", more, dom->n[i]);
  }
  pri_shape *to = by_data ? dom : ran;
  if (to->nd && !pri_shape_equal(to, &other))
    return PRI_FAIL(ctx, PRI_ESHAPE, "blur: makes %s of the image, the data have %s", pri_shape_text(&other, s, sizeof s), pri_shape_text(to, t, sizeof t));
  *to = other;
  return PRI_OK;
}

pri_status pri_blur_shapes(pri_ctx *ctx, struct blur_one *b, pri_shape *dom, pri_shape *ran) {
  PRI_TRY(agree(ctx, b, dom, ran));
  for (int i = 0; i < b->nd; i++) b->padded |= b->border == PERIODIC && is_slow(dom->n[i]);
  for (int axis = 0; axis < 3; axis++) {
    const int i = axis - 3 + b->nd;
    const struct line l = line_of(b, axis, i < 0 ? 1 : dom->n[i], i < 0 ? 1 : ran->n[i]);
    PRI_TRY(map_axis(ctx, b, axis, &l));
  }
  return PRI_OK;
}

pri_status pri_blur_whole_grid(pri_ctx *ctx, struct blur_one *b) {
  for (int a = 0; a < 3; a++) {
    const ptrdiff_t n = b->grid.dom.n[a];
    b->whole.n[a] = b->whole.dom.n[a] = b->whole.ran.n[a] = n;
    PRI_ALLOC(ctx, b->whole.dom.at[a], n);
    for (ptrdiff_t i = 0; i < n; i++) b->whole.dom.at[a][i] = i;
    b->whole.ran.at[a] = b->whole.dom.at[a];
  }
  return PRI_OK;
}

pri_status pri_blur_sources(pri_ctx *ctx, const struct blur_one *b, int axis, ptrdiff_t **src) {
  const ptrdiff_t r = b->grid.ran.n[axis], k = b->psf.k[axis], far = k - 1 - b->psf.c[axis];
  PRI_ALLOC(ctx, *src, r + k - 1);
  for (ptrdiff_t p = 0; p < r + k - 1; p++) (*src)[p] = b->border == UNKNOWN ? p : seen(b->border, p - far, b->grid.dom.n[axis]);
  return PRI_OK;
}
