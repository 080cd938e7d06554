/* SPDX-License-Identifier: GPL-3.0-or-later */
/* foe_filters.c - see foe_filters.h. */
#include "foe_filters.h"
#include <math.h>
#include <string.h>
#include "priori/rng.h"
#include "safetensors.h"

static const double PI = 3.14159265358979323846, MOST_LOG = 50, MOST_TAP = 1e15;

ptrdiff_t pri_foe_ntheta(const foe_filters *f) { return 1 + (ptrdiff_t)f->count * (2 + f->side * f->side); }
const double *pri_foe_taps(const foe_filters *f, int filter) { return f->theta + 1 + 2 * f->count + (ptrdiff_t)filter * f->side * f->side; }
double pri_foe_weight(const foe_filters *f, int filter) { return exp(f->theta[0] + f->theta[1 + filter]); }
double pri_foe_smoothing(const foe_filters *f, int filter) { return exp(f->theta[1 + f->count + filter]); }

/* ---- file */

static pri_status check_card(pri_ctx *ctx, foe_filters *f, const char *file, const pri_tensors *t) {
  const char *kind = pri_tensors_card(t, "kind"), *potential = pri_tensors_card(t, "potential");
  if (!kind || strcmp(kind, "foe") != 0)
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s is no field of experts: its card says kind=%.40s", file, kind ? kind : "(nothing)");
  f->log = potential && strcmp(potential, "log") == 0;
  if (!potential || (!f->log && strcmp(potential, "smoothed-l1") != 0))
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s has the potential %.40s; smoothed-l1 and log are what this version evaluates", file, potential ? potential : "(nothing)");
  return PRI_OK;
}

/* index of the first that does not fit; -1: all do */
static ptrdiff_t misfit(const foe_filters *f, const double *theta) {
  const ptrdiff_t logs = 1 + 2 * f->count, all = pri_foe_ntheta(f);
  for (ptrdiff_t i = 0; i < all; i++)
    if (!(fabs(theta[i]) <= (i < logs ? MOST_LOG : MOST_TAP))) return i;
  return -1;
}

int pri_foe_fits(const foe_filters *f, const double *theta) { return misfit(f, theta) < 0; }

static pri_status check_values(pri_ctx *ctx, const char *file, const foe_filters *f) {
  const ptrdiff_t i = misfit(f, f->theta);
  if (i < 0) return PRI_OK;
  const double most = i < 1 + 2 * f->count ? MOST_LOG : MOST_TAP;
  return PRI_FAIL(ctx, PRI_EDATA, "foe: file=%s: parameter %td is %g, outside [-%g, %g]", file, i, f->theta[i], most, most);
}

static pri_status copy_theta(pri_ctx *ctx, foe_filters *f, const char *file, const pri_tensors *t) {
  static const char *const names[] = {"log_scale", "log_weights", "log_smoothings", "filters"};
  const pri_tensor *part[4];
  for (int k = 0; k < 4; k++)
    if (!(part[k] = pri_tensors_find(t, names[k]))) return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s has no tensor %s", file, names[k]);
  const pri_tensor *c = part[3];
  if (c->nd != 3 || c->n[0] > PRI_FOE_FILTERS || c->n[1] != c->n[2] || c->n[1] > PRI_FOE_SIDE)
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s: filters are [count, side, side], at most %d of %d x %d", file, PRI_FOE_FILTERS, PRI_FOE_SIDE, PRI_FOE_SIDE);
  if (part[0]->size != 1 || part[1]->size != c->n[0] || part[2]->size != c->n[0])
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s: %td filters need 1 log_scale, as many log_weights and log_smoothings", file, c->n[0]);
  f->count = (int)c->n[0], f->side = (int)c->n[1];
  PRI_ALLOC(ctx, f->theta, pri_foe_ntheta(f));
  double *to = f->theta;
  for (int k = 0; k < 4; to += part[k]->size, k++) memcpy(to, part[k]->data, (size_t)part[k]->size * sizeof *to);
  return check_values(ctx, file, f);
}

pri_status pri_foe_load(pri_ctx *ctx, foe_filters *f, const char *file) {
  pri_tensors *t;
  PRI_TRY(pri_tensors_load(ctx, &t, file));
  pri_status s = check_card(ctx, f, file, t);
  if (s == PRI_OK) s = copy_theta(ctx, f, file, t);
  pri_tensors_destroy(ctx, &t);
  return s;
}

/* ---- beginnings */

static pri_status start(pri_ctx *ctx, foe_filters *f, double weight, double smoothing) {
  PRI_ALLOC(ctx, f->theta, pri_foe_ntheta(f));
  for (int k = 0; k < f->count; k++) f->theta[1 + k] = weight, f->theta[1 + f->count + k] = log(smoothing);
  return PRI_OK;
}

static double cosine(int side, int frequency, int at) { /* DCT-II, orthonormal */
  return cos(PI * (at + 0.5) * frequency / side) * sqrt((frequency ? 2.0 : 1.0) / side);
}

/* R is that of orthonormal filters of weight 1. The filters are 3 side times as large, their taps about 3, so that taps and logarithms move alike:
   that is what a metric learns from (48 of 7 x 7, 20 images: the loss of 40 steps in 12). */
pri_status pri_foe_cosines(pri_ctx *ctx, foe_filters *f, double smoothing) {
  const int side = f->side;
  const double size = 3.0 * side;
  PRI_TRY(start(ctx, f, (f->log ? -2 : -1) * log(size), smoothing * size));
  double *to = f->theta + 1 + 2 * f->count;
  int k = 0;
  for (int sum = 1; sum <= 2 * side - 2; sum++)
    for (int fy = sum < side ? 0 : sum - side + 1; fy < side && fy <= sum && k < f->count; fy++, k++)
      for (int u = 0; u < side * side; u++) *to++ = size * cosine(side, fy, u / side) * cosine(side, sum - fy, u % side);
  return PRI_OK;
}

pri_status pri_foe_random(pri_ctx *ctx, foe_filters *f, double smoothing, uint64_t seed) {
  const int taps = f->side * f->side;
  PRI_TRY(start(ctx, f, -3, smoothing));
  double *to = f->theta + 1 + 2 * f->count;
  for (int k = 0; k < f->count; k++, to += taps) {
    double mean = 0;
    for (int u = 0; u < taps; u++) to[u] = sqrt(2.0 / (taps * (1.0 + f->count))) * pri_rng_normal_at(seed, "foe", (uint64_t)(k * taps + u)), mean += to[u] / taps;
    for (int u = 0; u < taps; u++) to[u] -= mean;
  }
  return PRI_OK;
}

/* ---- bounds */

struct waves { int N; double *wave, *rows; }; /* cosines [N], sines [N]; of every row of every filter: [count][side][2][N] */

/* sum_x c[x] exp(i b x) of all rows, b = 2 pi j / N */
static void transform_rows(const struct waves *w, const foe_filters *f) {
  const double *tap = pri_foe_taps(f, 0);
  double *to = w->rows;
  for (int row = 0; row < f->count * f->side; row++, to += 2 * w->N, tap += f->side)
    for (int j = 0; j < w->N; j++) {
      double re = 0, im = 0;
      for (int x = 0; x < f->side; x++) re += tap[x] * w->wave[j * x % w->N], im += tap[x] * w->wave[w->N + j * x % w->N];
      to[j] = re, to[w->N + j] = im;
    }
}

/* |c_k^|^2 at the frequencies (a, all of them) */
static void power_of(const struct waves *w, const foe_filters *f, int k, int a, double *restrict re, double *restrict im) {
  const int N = w->N;
  memset(re, 0, (size_t)N * sizeof *re), memset(im, 0, (size_t)N * sizeof *im);
  for (int y = 0; y < f->side; y++) {
    const double c = w->wave[a * y % N], s = w->wave[N + a * y % N], *restrict from = w->rows + (ptrdiff_t)(k * f->side + y) * 2 * N;
    for (int j = 0; j < N; j++) re[j] += c * from[j] - s * from[N + j], im[j] += s * from[j] + c * from[N + j];
  }
  for (int j = 0; j < N; j++) re[j] = re[j] * re[j] + im[j] * im[j];
}

static double largest(const double *v, int n) {
  double most = 0;
  for (int i = 0; i < n; i++) most = fmax(most, v[i]);
  return most;
}

static void look_at_grid(const struct waves *w, const foe_filters *f, const double *v, double *bound, double *peaks, double *work) {
  double *re = work, *im = re + w->N, *sum = im + w->N;
  for (int a = 0; a <= w->N / 2; a++) { /* the other half are conjugates */
    memset(sum, 0, (size_t)(PRI_FOE_BOUNDS * w->N) * sizeof *sum);
    for (int k = 0; k < f->count; k++) {
      power_of(w, f, k, a, re, im);
      peaks[k] = fmax(peaks[k], largest(re, w->N));
      for (int b = 0; b < PRI_FOE_BOUNDS; b++)
        for (int j = 0; j < w->N; j++) sum[b * w->N + j] += v[b * f->count + k] * re[j];
    }
    for (int b = 0; b < PRI_FOE_BOUNDS; b++) bound[b] = fmax(bound[b], largest(sum + b * w->N, w->N));
  }
}

pri_status pri_foe_bound(pri_ctx *ctx, const foe_filters *f, const double *v, double *bound, double *peaks) {
  const int d = f->side - 1, N = d ? 16 * d : 1;
  const double c = d ? cos(PI / 16) : 1, most = (1 + 1e-12) / (c * c); /* rounding of the sums */
  struct waves w = {.N = N};
  double ones[PRI_FOE_BOUNDS] = {0};
  PRI_ALLOC(ctx, w.wave, (4 + PRI_FOE_BOUNDS) * N + 2 * N * f->side * f->count);
  w.rows = w.wave + (4 + PRI_FOE_BOUNDS) * N;
  for (int i = 0; i < N; i++) w.wave[i] = cos(2 * PI * i / N), w.wave[N + i] = sin(2 * PI * i / N);
  memset(bound, 0, PRI_FOE_BOUNDS * sizeof *bound), memset(peaks, 0, (size_t)f->count * sizeof *peaks);
  transform_rows(&w, f);
  look_at_grid(&w, f, v, bound, peaks, w.wave + 2 * N);
  pri_free(ctx, w.wave);
  for (int k = 0; k < f->count; k++) {
    double one = 0;
    for (int u = 0; u < f->side * f->side; u++) one += fabs(pri_foe_taps(f, k)[u]);
    for (int b = 0; b < PRI_FOE_BOUNDS; b++) ones[b] += v[b * f->count + k] * one * one;
    peaks[k] = fmin(peaks[k] * most, one * one * (1 + 1e-12));
  }
  for (int b = 0; b < PRI_FOE_BOUNDS; b++) bound[b] = fmin(bound[b] * most, ones[b] * (1 + 1e-12));
  return PRI_OK;
}
