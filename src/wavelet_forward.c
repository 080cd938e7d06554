/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wavelet_forward.c - filters, bounds and the forward transform of wavelet.h. One row at a time: both filters along y into two lines, the lines
 * continued past the border, both filters along x.
 *
 * |W|^2 <= prod_j max(1, b_jy b_jx), b_j the largest row sum of absolute values (Gershgorin) of the matrix L'L + H'H of one axis at level j:
 * inside it is made of the autocorrelations r_l + r_h of the taps, so 1 for orthogonal filters; the symmetric border adds what it folds.
 */
#include "wavelet.h"
#include <gsl/gsl_wavelet.h>
#include <math.h>
#include <string.h>
#include "par.h"

enum { CHUNK = 4096 }; /* pixels of a parallel chunk */

/* ---- filters */

/* name, GSL's type, its member (2 N; 100 i + j) */
#define FAMILIES(X)                                                                                                                \
  X("haar", haar, 2) X("db1", haar, 2) X("db2", daubechies, 4) X("db3", daubechies, 6) X("db4", daubechies, 8) X("db5", daubechies, 10) \
  X("db6", daubechies, 12) X("db7", daubechies, 14) X("db8", daubechies, 16) X("db9", daubechies, 18) X("db10", daubechies, 20)      \
  X("bior1.3", bspline, 103) X("bior1.5", bspline, 105) X("bior2.2", bspline, 202) X("bior2.4", bspline, 204) X("bior2.6", bspline, 206) \
  X("bior2.8", bspline, 208) X("bior3.1", bspline, 301) X("bior3.3", bspline, 303) X("bior3.5", bspline, 305) X("bior3.7", bspline, 307) \
  X("bior3.9", bspline, 309)

static const gsl_wavelet_type *find_family(const char *name, size_t *member) {
#define X(known, type, number) \
  if (strcmp(name, known) == 0) return *member = (number), gsl_wavelet_##type;
  FAMILIES(X)
#undef X
  return NULL;
}

static int centre_of(const double *tap, int taps) {
  double sum = 0, moment = 0;
  for (int k = 0; k < taps; k++) sum += tap[k] * tap[k], moment += k * tap[k] * tap[k];
  return (int)floor(moment / sum + 0.5 - 1e-9);
}

static pri_status take_filters(pri_ctx *ctx, const char *who, pri_wavelet *w, const char *name) {
  const double *from[2][2]; /* GSL: h1, g1 analysis; h2, g2 synthesis */
  size_t taps, offset, member;
  const gsl_wavelet_type *type = find_family(name, &member);
  if (!type)
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: family=%s is unknown; give haar, db2 ... db10, or bior1.3 1.5 2.2 2.4 2.6 2.8 3.1 3.3 3.5 3.7 3.9", who, name);
  if (type->init(&from[0][0], &from[0][1], &from[1][0], &from[1][1], &taps, &offset, member) != 0 || taps > PRI_WAVELET_TAPS)
    return PRI_FAIL(ctx, PRI_EEXTERN, "%s: GSL has no filter for family=%s", who, name);
  w->taps = (int)taps, w->orthogonal = type != gsl_wavelet_bspline;
  for (int side = 0; side < 2; side++)
    for (int c = 0; c < 2; c++)
      for (int k = 0; k < w->taps; k++) w->tap[side][c][k] = from[side][c][k] * sqrt(0.5);
  for (int c = 0; c < 2; c++) w->centre[c] = centre_of(w->tap[0][c], w->taps);
  return PRI_OK;
}

/* |response|^2 at the frequency 2 pi u */
static double power_at(const double *tap, int taps, double u) {
  const double pi = 3.14159265358979323846;
  double re = 0, im = 0;
  for (int k = 0; k < taps; k++) re += tap[k] * cos(2 * pi * u * k), im += tap[k] * sin(2 * pi * u * k);
  return re * re + im * im;
}

/* sum of squares of a response = mean of |its spectrum|^2 over at least as many frequencies as it is long */
static void find_gains(pri_wavelet *w) {
  for (int j = 0; j < w->levels; j++) {
    int n = 1;
    while (n < (w->taps - 1) * ((2 << j) - 1) + 1) n *= 2;
    double sum[2] = {0, 0};
    for (int i = 0; i < n; i++) {
      double before = 1;
      for (int l = 0; l < j; l++) before *= power_at(w->tap[0][0], w->taps, (double)((long)i << l) / n);
      for (int c = 0; c < 2; c++) sum[c] += before * power_at(w->tap[0][c], w->taps, (double)((long)i << j) / n);
    }
    for (int c = 0; c < 2; c++) w->gain[j][c] = sqrt(sum[c] / n);
  }
}

/* ---- the bound of |W|^2 */

static double inner_sum(const pri_wavelet *w) {
  double sum = 0;
  for (int lag = 0; lag < w->taps; lag++) {
    double r = 0;
    for (int c = 0; c < 2; c++)
      for (int k = 0; k + lag < w->taps; k++) r += w->tap[0][c][k] * w->tap[0][c][k + lag];
    sum += (lag ? 2 : 1) * fabs(r);
  }
  return sum;
}

/* row sum of |L'L + H'H| of element i, by way of row: [n] of zeros, left so */
static double row_sum(const pri_wavelet *w, ptrdiff_t i, ptrdiff_t n, ptrdiff_t step, double *row) {
  const ptrdiff_t reach = step * (w->taps - 1);
  double sum = 0;
  for (int c = 0; c < 2; c++)
    for (ptrdiff_t at = -reach; at < n + reach; at++) { /* every place that folds onto i */
      if (pri_wavelet_fold(w->border, at, n) != i) continue;
      for (int k = 0; k < w->taps; k++) {
        const ptrdiff_t p = at - step * (k - w->centre[c]);
        if (p < 0 || p >= n) continue;
        for (int l = 0; l < w->taps; l++)
          row[pri_wavelet_fold(w->border, p + step * (l - w->centre[c]), n)] += w->tap[0][c][k] * w->tap[0][c][l];
      }
    }
  for (ptrdiff_t j = 0; j < n; j++) sum += fabs(row[j]), row[j] = 0;
  return sum;
}

static double axis_bound(const pri_wavelet *w, ptrdiff_t n, ptrdiff_t step, double *row) {
  const ptrdiff_t zone = 2 * step * (w->taps - 1), some = n < 2 * zone + 1 ? n : 2 * zone + 1; /* both borders; all that differs from the inside */
  double most = n > 1 ? inner_sum(w) : 0;
  if (w->border == PRI_WAVELET_PERIODIC) return inner_sum(w);
  for (ptrdiff_t i = 0; i < some; i++) most = fmax(most, row_sum(w, i, some, step, row));
  return most;
}

static pri_status find_norm(pri_ctx *ctx, pri_wavelet *w) {
  const ptrdiff_t most = 4 * (w->taps - 1) * ((ptrdiff_t)1 << (w->levels - 1)) + 1;
  double *row;
  PRI_ALLOC(ctx, row, most);
  w->norm2 = 1;
  for (int j = 0; j < w->levels; j++) {
    const double x = axis_bound(w, w->nx, (ptrdiff_t)1 << j, row), y = w->ny > 1 ? axis_bound(w, w->ny, (ptrdiff_t)1 << j, row) : 1;
    w->norm2 *= fmax(1, x * y * (1 + 1e-14));
  }
  pri_free(ctx, row);
  return PRI_OK;
}

pri_status pri_wavelet_init(pri_ctx *ctx, const char *who, pri_wavelet *w, const char *family, int levels, int border, const pri_shape *dom) {
  *w = (pri_wavelet){.planes = 1, .ny = 1, .nx = dom->n[dom->nd - 1], .levels = levels, .border = border, .workers = pri_par_workers(ctx)};
  if (levels < 1 || levels > PRI_WAVELET_LEVELS) return PRI_FAIL(ctx, PRI_EPARAM, "%s: levels=%d is outside [1, %d]", who, levels, PRI_WAVELET_LEVELS);
  if (dom->nd > 1) w->ny = dom->n[dom->nd - 2];
  for (int a = 0; a < dom->nd - 2; a++) w->planes *= dom->n[a];
  w->n = w->planes * w->ny * w->nx;
  w->bands = levels * (w->ny > 1 ? 3 : 1);
  PRI_TRY(take_filters(ctx, who, w, family));
  find_gains(w);
  return find_norm(ctx, w);
}

int pri_wavelet_level(const pri_wavelet *w, int band) { return 1 + (w->ny > 1 ? band / 3 : band); }

double pri_wavelet_gain(const pri_wavelet *w, int band) {
  const int j = pri_wavelet_level(w, band) - 1, which = w->ny > 1 ? band % 3 : 0;
  return w->gain[j][which != 1] * (w->ny > 1 ? w->gain[j][which > 0] : 1);
}

ptrdiff_t pri_wavelet_reach(const pri_wavelet *w, int level) { return (w->taps - 1) * ((ptrdiff_t)1 << (level - 1)); }

/* two images; three lines a thread, with four times the reach beside them (wavelet_adjoint.c needs that much); three sums a row (wavelet_abs.c) */
ptrdiff_t pri_wavelet_scratch(const pri_wavelet *w) {
  return 2 * w->n + 3 * w->workers * (w->nx + 4 * pri_wavelet_reach(w, w->levels)) + 3 * w->planes * w->ny;
}

/* ---- forward */

struct pass {
  const pri_wavelet *w;
  const pri_real *a;
  pri_real *band[2][2], *lines; /* [along y][along x]; [0][0]: the next approximation, may be NULL */
  ptrdiff_t step, reach, width;
};

/* to = sum_k tap_k from[k stride], whole lines */
static void filter(pri_real *restrict to, const pri_real *from, const double *tap, int taps, ptrdiff_t stride, ptrdiff_t n) {
  const pri_real first = (pri_real)tap[0];
  for (ptrdiff_t i = 0; i < n; i++) to[i] = first * from[i];
  for (int k = 1; k < taps; k++) {
    const pri_real c = (pri_real)tap[k], *restrict f = from + k * stride;
    for (ptrdiff_t i = 0; i < n; i++) to[i] += c * f[i];
  }
}

static void along_y(const struct pass *p, pri_real *restrict to, const pri_real *plane, ptrdiff_t y, int c) {
  const pri_wavelet *w = p->w;
  for (int k = 0; k < w->taps; k++) {
    const pri_real t = (pri_real)w->tap[0][c][k], *restrict from = plane + pri_wavelet_fold(w->border, y + p->step * (k - w->centre[c]), w->ny) * w->nx;
    if (k == 0)
      for (ptrdiff_t i = 0; i < w->nx; i++) to[i] = t * from[i];
    else
      for (ptrdiff_t i = 0; i < w->nx; i++) to[i] += t * from[i];
  }
}

static void forward_row(const struct pass *p, pri_real *line, const pri_real *plane, ptrdiff_t at, ptrdiff_t y) {
  const pri_wavelet *w = p->w;
  for (int cy = 0; cy < (w->ny > 1 ? 2 : 1); cy++) {
    pri_real *in = line + p->reach;
    if (w->ny > 1) along_y(p, in, plane, y, cy);
    else memcpy(in, plane + y * w->nx, (size_t)w->nx * sizeof *in);
    for (ptrdiff_t i = 1; i <= p->reach; i++) {
      in[-i] = in[pri_wavelet_fold(w->border, -i, w->nx)];
      in[w->nx - 1 + i] = in[pri_wavelet_fold(w->border, w->nx - 1 + i, w->nx)];
    }
    for (int cx = 0; cx < 2; cx++)
      if (p->band[cy][cx]) filter(p->band[cy][cx] + at + y * w->nx, in - p->step * w->centre[cx], w->tap[0][cx], w->taps, p->step, w->nx);
  }
}

static pri_status forward_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *p = arg;
  for (ptrdiff_t r = first; r < last; r++) {
    const ptrdiff_t at = r / p->w->ny * p->w->ny * p->w->nx;
    forward_row(p, p->lines + worker * p->width, p->a + at, at, r % p->w->ny);
  }
  return PRI_OK;
}

void pri_wavelet_forward(pri_ctx *ctx, const pri_wavelet *w, pri_real *details, pri_real *approx, const pri_real *x, pri_real *scratch) {
  const ptrdiff_t rows = w->planes * w->ny, share = w->nx < CHUNK ? CHUNK / w->nx : 1, width = 3 * (w->nx + 4 * pri_wavelet_reach(w, w->levels));
  const ptrdiff_t grain = pri_par_workers(ctx) > w->workers ? rows : share; /* a call with more threads than it was made for is serial */
  for (int j = 1; j <= w->levels; j++, details += w->bands / w->levels * w->n) {
    struct pass p = {w, x, {{NULL}}, scratch + 2 * w->n, (ptrdiff_t)1 << (j - 1), pri_wavelet_reach(w, j), width};
    p.band[0][0] = j == w->levels ? approx : scratch + j % 2 * w->n;
    p.band[0][1] = details;
    if (w->ny > 1) p.band[1][0] = details + w->n, p.band[1][1] = details + 2 * w->n;
    (void)pri_par_for(ctx, rows, grain, forward_rows, &p); /* cannot fail */
    x = p.band[0][0];
  }
}
