/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * psf_beads.c - see psf_beads.h.
 *
 *   spots     local maxima of the image smoothed twice by [1 2 1] / 4 along each axis that stand 8 standard deviations above the median
 *             (spread from the median absolute deviation: most of the image is background); of several within size/8 + 1 the brightest
 *   left out  a window that leaves the image; another spot of 5 % of the height in the window; a flat top at the largest value of the image;
 *             heights unlike the others
 *   centre    vertex of the parabola through the logarithms of the smoothed maximum and its neighbours: exact for a Gaussian
 *   mean      sum over beads of the window less its border's median, each shifted by -d in the Fourier basis, exp(2 pi i k d / n); bright
 *             beads count more, as their counts do
 *   tidied    less the border's median; places whose smoothed value is below two standard deviations of the border become 0; sum 1
 */
#include "psf_beads.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <string.h>
#include "fft.h"

enum { Z, Y, X };
enum { SAMPLES = 1 << 20, MOST = 20000 /* spots of an image: each is held against every other */ };

struct spot {
  ptrdiff_t at[3];
  double height;
  int merged;
};

struct search {
  pri_ctx *ctx;
  ptrdiff_t n[3], size[3];
  const pri_real *raw;  /* one item */
  double *smooth, *samples, *window;
  struct spot *spots;
  ptrdiff_t count, room;
  double background, noise, top; /* noise: of the smoothed image; top: largest raw value */
  pri_fft *fft;
  pri_real *patch, *one, *sum; /* [window], spectra */
};

static ptrdiff_t product(const ptrdiff_t n[3]) { return n[Z] * n[Y] * n[X]; }

/* ---- smoothing and background */

/* v <- [1 2 1] / 4 along one axis, ends repeated */
static void binomial(double *v, const ptrdiff_t n[3], int axis) {
  const ptrdiff_t step = axis == X ? 1 : axis == Y ? n[X] : n[X] * n[Y], lines = product(n) / n[axis];
  for (ptrdiff_t l = 0; l < lines && n[axis] > 1; l++) {
    double *p = v + (l / step) * step * n[axis] + l % step, before = p[0];
    for (ptrdiff_t i = 0; i < n[axis]; i++) {
      const double now = p[i * step], next = i + 1 < n[axis] ? p[(i + 1) * step] : now;
      p[i * step] = 0.25 * (before + 2 * now + next);
      before = now;
    }
  }
}

static void smoothed(double *v, const ptrdiff_t n[3]) {
  for (int k = 0; k < 2; k++)
    for (int a = Z; a <= X; a++) binomial(v, n, a);
}

static double median(double *v, size_t n) {
  gsl_sort(v, 1, n);
  return gsl_stats_median_from_sorted_data(v, 1, n);
}

static void level(double *samples, const double *v, ptrdiff_t n, double *middle, double *spread) {
  const ptrdiff_t step = n / SAMPLES + 1;
  size_t m = 0;
  for (ptrdiff_t i = 0; i < n; i += step) samples[m++] = v[i];
  *middle = median(samples, m);
  for (size_t i = 0; i < m; i++) samples[i] = fabs(samples[i] - *middle);
  *spread = 1.4826 * median(samples, m);
}

/* ---- spots */

static double value(const struct search *s, const ptrdiff_t p[3]) { return s->smooth[(p[Z] * s->n[Y] + p[Y]) * s->n[X] + p[X]]; }

static int is_maximum(const struct search *s, const ptrdiff_t p[3]) {
  const double v = value(s, p);
  for (int k = 0; k < 27; k++) {
    const ptrdiff_t q[3] = {p[Z] + k / 9 - 1, p[Y] + k / 3 % 3 - 1, p[X] + k % 3 - 1};
    if (k == 13 || q[Z] < 0 || q[Y] < 0 || q[X] < 0 || q[Z] >= s->n[Z] || q[Y] >= s->n[Y] || q[X] >= s->n[X]) continue;
    if (value(s, q) > v || (k < 13 && value(s, q) == v)) return 0;
  }
  return 1;
}

static pri_status note(struct search *s, const ptrdiff_t p[3], double height) {
  if (s->count == s->room) {
    struct spot *more;
    PRI_ALLOC(s->ctx, more, 2 * s->room + 64);
    if (s->spots) memcpy(more, s->spots, (size_t)s->count * sizeof *more);
    pri_free(s->ctx, s->spots);
    s->spots = more;
    s->room = 2 * s->room + 64;
  }
  s->spots[s->count++] = (struct spot){.at = {p[Z], p[Y], p[X]}, .height = height};
  return PRI_OK;
}

static pri_status find(struct search *s) {
  const double least = s->background + 8 * s->noise;
  s->count = 0;
  for (ptrdiff_t i = 0; i < product(s->n); i++) {
    if (!(s->smooth[i] > least)) continue;
    const ptrdiff_t p[3] = {i / s->n[X] / s->n[Y], i / s->n[X] % s->n[Y], i % s->n[X]};
    if (!is_maximum(s, p)) continue;
    if (s->count == MOST) return PRI_FAIL(s->ctx, PRI_EDATA, "beads: more than %d spots stand out of the background: this is no image of beads that stand alone", MOST);
    PRI_TRY(note(s, p, s->smooth[i] - s->background));
  }
  return PRI_OK;
}

static int within(const struct spot *a, const struct spot *b, const ptrdiff_t reach[3]) {
  for (int i = 0; i < 3; i++)
    if (a->at[i] - b->at[i] > reach[i] || b->at[i] - a->at[i] > reach[i]) return 0;
  return 1;
}

/* One bead may have several maxima by noise: the brightest stays. */
static void merge(struct search *s) {
  const ptrdiff_t near[3] = {s->size[Z] / 8 + 1, s->size[Y] / 8 + 1, s->size[X] / 8 + 1};
  for (ptrdiff_t i = 0; i < s->count; i++)
    for (ptrdiff_t j = 0; j < s->count && !s->spots[i].merged; j++)
      if (i != j && !s->spots[j].merged && s->spots[j].height >= s->spots[i].height && within(&s->spots[i], &s->spots[j], near))
        s->spots[i].merged = s->spots[j].height > s->spots[i].height || j < i;
}

static int at_edge(const struct search *s, const struct spot *b) {
  for (int a = 0; a < 3; a++)
    if (b->at[a] < s->size[a] / 2 || b->at[a] + s->size[a] / 2 >= s->n[a]) return 1;
  return 0;
}

static int has_company(const struct search *s, ptrdiff_t i) {
  const ptrdiff_t reach[3] = {s->size[Z] / 2, s->size[Y] / 2, s->size[X] / 2};
  for (ptrdiff_t j = 0; j < s->count; j++)
    if (j != i && !s->spots[j].merged && s->spots[j].height >= 0.05 * s->spots[i].height && within(&s->spots[i], &s->spots[j], reach)) return 1;
  return 0;
}

static double raw(const struct search *s, const struct spot *b, ptrdiff_t z, ptrdiff_t y, ptrdiff_t x) {
  return (double)s->raw[((b->at[Z] + z) * s->n[Y] + b->at[Y] + y) * s->n[X] + b->at[X] + x];
}

static int is_saturated(const struct search *s, const struct spot *b) { /* three pixels around the maximum at the largest value of all */
  int flat = 0;
  for (int k = 0; k < 9; k++) flat += raw(s, b, 0, k / 3 - 1, k % 3 - 1) >= s->top;
  return flat >= 3;
}

/* ---- one bead into the mean */

static double vertex(double a, double b, double c) { /* of the parabola through ln a, ln b, ln c at -1, 0, 1 */
  if (!(a > 0 && b > 0 && c > 0)) return 0;
  const double l = log(a), m = log(b), r = log(c), bend = l - 2 * m + r;
  return bend < 0 ? fmax(-0.7, fmin(0.7, 0.5 * (l - r) / bend)) : 0;
}

static void centre(const struct search *s, const struct spot *b, double d[3]) {
  for (int a = 0; a < 3; a++) {
    ptrdiff_t p[3] = {b->at[Z], b->at[Y], b->at[X]}, q[3] = {b->at[Z], b->at[Y], b->at[X]};
    p[a]--;
    q[a]++;
    d[a] = s->size[a] == 1 ? 0 : vertex(value(s, p) - s->background, value(s, b->at) - s->background, value(s, q) - s->background);
  }
}

static int on_border(const ptrdiff_t size[3], ptrdiff_t i) {
  const ptrdiff_t x = i % size[X], y = i / size[X] % size[Y], z = i / size[X] / size[Y];
  return x == 0 || x == size[X] - 1 || y == 0 || y == size[Y] - 1 || (size[Z] > 1 && (z == 0 || z == size[Z] - 1));
}

static size_t border_of(const ptrdiff_t size[3], const double *v, double *out) {
  size_t n = 0;
  for (ptrdiff_t i = 0; i < product(size); i++)
    if (on_border(size, i)) out[n++] = v[i];
  return n;
}

static void add_shifted(struct search *s, const double d[3]) { /* sum += one exp(2 pi i k d / n): moves the window by -d */
  const ptrdiff_t half = s->size[X] / 2 + 1;
  const double turn = 2 * acos(-1.0);
  for (ptrdiff_t i = 0; i < half * s->size[Y] * s->size[Z]; i++) {
    const ptrdiff_t x = i % half, y = i / half % s->size[Y], z = i / half / s->size[Y];
    const double ky = (double)(y > s->size[Y] / 2 ? y - s->size[Y] : y), kz = (double)(z > s->size[Z] / 2 ? z - s->size[Z] : z);
    const double phase = turn * ((double)x * d[X] / (double)s->size[X] + ky * d[Y] / (double)s->size[Y] + kz * d[Z] / (double)s->size[Z]);
    const double re = (double)s->one[2 * i], im = (double)s->one[2 * i + 1];
    s->sum[2 * i] += (pri_real)(re * cos(phase) - im * sin(phase));
    s->sum[2 * i + 1] += (pri_real)(im * cos(phase) + re * sin(phase));
  }
}

static void add_bead(struct search *s, const struct spot *b) {
  double d[3], *w = s->window;
  ptrdiff_t i = 0;
  for (ptrdiff_t z = -s->size[Z] / 2; z <= s->size[Z] / 2; z++)
    for (ptrdiff_t y = -s->size[Y] / 2; y <= s->size[Y] / 2; y++)
      for (ptrdiff_t x = -s->size[X] / 2; x <= s->size[X] / 2; x++) w[i++] = raw(s, b, z, y, x);
  const double below = median(s->samples, border_of(s->size, w, s->samples));
  for (i = 0; i < product(s->size); i++) s->patch[i] = (pri_real)(w[i] - below);
  centre(s, b, d);
  pri_fft_forward(s->fft, s->one, s->patch);
  add_shifted(s, d);
}

/* ---- all of them */

static double typical(struct search *s) { /* median height of what stands alone */
  size_t n = 0;
  for (ptrdiff_t i = 0; i < s->count; i++)
    if (!s->spots[i].merged && !at_edge(s, &s->spots[i]) && !has_company(s, i)) s->samples[n++] = s->spots[i].height;
  return n ? median(s->samples, n) : 0;
}

static pri_status add_item(struct search *s, pri_beads *n) {
  const ptrdiff_t all = product(s->n);
  s->top = -INFINITY;
  for (ptrdiff_t i = 0; i < all; i++) {
    s->smooth[i] = (double)s->raw[i];
    if (!isfinite(s->smooth[i])) return PRI_FAIL(s->ctx, PRI_EDATA, "beads: element %td of the image is not finite", i);
    s->top = fmax(s->top, s->smooth[i]);
  }
  level(s->samples, s->smooth, all, &n->background, &n->noise);
  smoothed(s->smooth, s->n);
  level(s->samples, s->smooth, all, &s->background, &s->noise);
  s->noise = fmax(s->noise, 1e-3 * (s->top - s->background)); /* an image without noise */
  PRI_TRY(find(s));
  merge(s);
  const double height = typical(s);
  for (ptrdiff_t i = 0; i < s->count; i++) {
    const struct spot *b = &s->spots[i];
    if (b->merged) continue;
    if (at_edge(s, b)) n->edge++;
    else if (has_company(s, i)) n->close++;
    else if (is_saturated(s, b)) n->saturated++;
    else if (b->height < 0.3 * height || b->height > 3 * height) n->unlike++;
    else add_bead(s, b), n->used++;
  }
  return PRI_OK;
}

static pri_status tidy(struct search *s, pri_psf *p) {
  const ptrdiff_t all = product(s->size);
  double *smooth = s->window, middle, spread;
  memcpy(smooth, p->h, (size_t)all * sizeof *smooth);
  smoothed(smooth, s->size);
  const size_t n = border_of(s->size, p->h, s->samples);
  middle = median(s->samples, n);
  const size_t m = border_of(s->size, smooth, s->samples);
  spread = gsl_stats_sd_m(s->samples, 1, m, middle);
  for (ptrdiff_t i = 0; i < all; i++) p->h[i] = smooth[i] - middle < 2 * spread ? 0 : fmax(0, p->h[i] - middle);
  return pri_psf_unit_sum(s->ctx, p, "beads");
}

static pri_status finish(struct search *s, pri_psf *out, const pri_beads *n) {
  if (n->used == 0)
    return PRI_FAIL(s->ctx, PRI_EDATA, "beads: none of %td spots can be used: %td too close to others, %td cut by the edge, %td saturated, %td of another brightness (a smaller --size helps the first two)",
                    n->close + n->edge + n->saturated + n->unlike, n->close, n->edge, n->saturated, n->unlike);
  pri_fft_inverse(s->fft, s->patch, s->sum);
  PRI_TRY(pri_psf_alloc(s->ctx, out, "beads", s->size));
  for (ptrdiff_t i = 0; i < product(s->size); i++) out->h[i] = (double)s->patch[i];
  return tidy(s, out);
}

static pri_status room(struct search *s) {
  const ptrdiff_t all = product(s->n), window = product(s->size), most = window > SAMPLES + 1 ? window : SAMPLES + 1;
  const int nd = s->size[Z] > 1 ? 3 : 2;
  PRI_ALLOC(s->ctx, s->smooth, all);
  PRI_ALLOC(s->ctx, s->samples, most);
  PRI_ALLOC(s->ctx, s->window, window);
  PRI_TRY(pri_fft_create(s->ctx, &s->fft, nd, s->size + 3 - nd));
  PRI_ALLOC(s->ctx, s->patch, window);
  PRI_ALLOC(s->ctx, s->one, pri_fft_spectrum(s->fft));
  PRI_ALLOC(s->ctx, s->sum, pri_fft_spectrum(s->fft));
  return PRI_OK;
}

static void release(struct search *s) {
  void *const all[] = {s->smooth, s->samples, s->window, s->spots, s->patch, s->one, s->sum};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_free(s->ctx, all[i]);
  pri_fft_destroy(&s->fft);
}

pri_status pri_psf_from_beads(pri_ctx *ctx, pri_psf *out, pri_beads *n, const pri_array *image, const ptrdiff_t size[3]) {
  struct search s = {.ctx = ctx};
  pri_beads figures = {0};
  *out = (pri_psf){0};
  for (int a = 0; a < 3; a++) {
    const int i = image->shape.nd - 3 + a;
    s.n[a] = i < 0 ? 1 : image->shape.n[i];
    s.size[a] = size[a];
    if (size[a] < 1 || size[a] % 2 == 0 || size[a] > s.n[a] || (a > Z && size[a] < 5))
      return PRI_FAIL(ctx, PRI_EPARAM, "beads: a window of %td x %td x %td (x, y, z) must be odd, 5 at least in the plane, and fit into the image of %td x %td x %td", size[X], size[Y],
                      size[Z], s.n[X], s.n[Y], s.n[Z]);
  }
  pri_status st = room(&s);
  for (ptrdiff_t k = 0; st == PRI_OK && k < image->items; k++) {
    s.raw = pri_array_item(image, k);
    st = add_item(&s, &figures);
  }
  if (st == PRI_OK) st = finish(&s, out, &figures);
  if (st != PRI_OK) pri_psf_destroy(ctx, out);
  if (n) *n = figures;
  release(&s);
  return st;
}

/* ---- widths */

/* Where ln v, taken as linear in the squared distance (exact for a Gaussian), falls to half between i - 1 and i. */
static double half_at(double i, double before, double after, double top) {
  const double u = (i - 1) * (i - 1), v = i * i;
  if (!(after > 0)) return i - 1 + (before - 0.5 * top) / before; /* linear down to 0 */
  return sqrt(u + (v - u) * log(before / (0.5 * top)) / log(before / after));
}

void pri_psf_fwhm(const pri_psf *p, double fwhm[3]) {
  const ptrdiff_t step[3] = {p->k[Y] * p->k[X], p->k[X], 1};
  const double *c = p->h + p->c[Z] * step[Z] + p->c[Y] * step[Y] + p->c[X];
  for (int a = 0; a < 3; a++) {
    fwhm[a] = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
      const ptrdiff_t end = sign < 0 ? p->c[a] : p->k[a] - 1 - p->c[a];
      ptrdiff_t i = 1;
      while (i <= end && c[sign * i * step[a]] > 0.5 * *c) i++;
      fwhm[a] += i > end ? NAN : half_at((double)i, c[sign * (i - 1) * step[a]], c[sign * i * step[a]], *c);
    }
  }
}
