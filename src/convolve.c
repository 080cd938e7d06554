/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * convolve.c - see convolve.h. Five passes over one item:
 *
 *   rows in    each row that holds elements, laid out by the x map, real to complex along x
 *   y          each column of planes that hold elements: laid out by the y map, along y              (three axes only)
 *   last       laid out by the map, forward along the slowest axis, times H, inverse, added up by the other side's map
 *   y back     of the planes asked for                                                               (three axes only)
 *   rows out   complex to real along x, added up by the x map
 *
 * Spectra lie in blocks of 8 columns, [plane][block][y][8]: a column of a block is contiguous, so that FFTW does 8 transforms at once and
 * the buffer of a pass fits in the first cache. H lies in the order in which it is used, [block][ky][kz][8], scaled by 1 / N.
 * Compiled once more with -DPRI_WIDE (double in the float library).
 */
#include "convolve.h"
#include <fftw3.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "fft.h"
#include "par.h"

#if defined(PRI_WIDE) || defined(PRI_DOUBLE)
#define FFTW(name) fftw_##name
#else
#define FFTW(name) fftwf_##name
#endif
#ifdef PRI_WIDE
typedef double real;
#define NAME(name) name##_wide
#else
typedef pri_real real;
#define NAME(name) name
#endif

enum { Z, Y, X };
enum { LANES = 8, LINE = 2 * LANES };  /* columns of a block; reals of one line of it */
enum { SPECTRUM = PRI_CONVOLVE_RESOLVENT + 1 }; /* what: fills H, no way back */
enum { ROWS = 32 };                    /* rows of one chunk for threads */

struct axis { /* one axis of a side */
  const ptrdiff_t *at;
  ptrdiff_t grid, n;
  int once;                     /* every element lies at one place only */
  ptrdiff_t first, run, origin; /* longest stretch of places [first, first + run) that holds elements origin, origin + 1, ... */
};

struct pri_convolver {
  pri_ctx *ctx;
  ptrdiff_t n[3], blocks, half; /* half: columns of a spectrum, n_x / 2 + 1 */
  struct axis side[2][3];       /* domain, range */
  FFTW(plan) rows, back, fwd[2], inv[2]; /* along x; along z, y */
  real *H;
  double peak;
  int workers;
  size_t work, buffers;         /* reals: spectra of one item; buffers of one worker */
};

struct job {
  const pri_convolver *c;
  const struct axis *in, *out;
  int what, clip;
  double rho;
  real *y, *spectra, *buffer;
  const real *x;
  size_t stride;                /* from one worker's buffers to the next one's */
};

/* ---- maps */

static void set_axis(struct axis *a, const ptrdiff_t *at, ptrdiff_t grid, ptrdiff_t n) {
  ptrdiff_t held = 0;
  *a = (struct axis){.at = at, .grid = grid, .n = n};
  for (ptrdiff_t p = 0; p < grid;) {
    ptrdiff_t e = p + 1;
    if (at[p] < 0) {
      p++;
      continue;
    }
    while (e < grid && at[e] == at[e - 1] + 1) e++;
    if (e - p > a->run) a->first = p, a->run = e - p, a->origin = at[p];
    held += e - p;
    p = e;
  }
  a->once = held == n;
}

static void lay_row(const struct axis *a, real *row, const real *x) {
  for (ptrdiff_t p = 0; p < a->first; p++) row[p] = a->at[p] < 0 ? 0 : x[a->at[p]];
  memcpy(row + a->first, x + a->origin, (size_t)a->run * sizeof *row);
  for (ptrdiff_t p = a->first + a->run; p < a->grid; p++) row[p] = a->at[p] < 0 ? 0 : x[a->at[p]];
}

static void add_row(const struct axis *a, real *y, const real *row) {
  if (a->once && a->run == a->n) {
    memcpy(y, row + a->first, (size_t)a->n * sizeof *y);
    return;
  }
  memset(y, 0, (size_t)a->n * sizeof *y);
  for (ptrdiff_t p = 0; p < a->grid; p++)
    if (a->at[p] >= 0) y[a->at[p]] += row[p];
}

/* Lines of 8 columns, `stride` reals apart in the array. */
static void lay_lines(const struct axis *a, real *line, const real *x, size_t stride) {
  for (ptrdiff_t p = 0; p < a->grid; p++, line += LINE) {
    if (a->at[p] < 0) memset(line, 0, LINE * sizeof *line);
    else memcpy(line, x + (size_t)a->at[p] * stride, LINE * sizeof *line);
  }
}

static void add_lines(const struct axis *a, real *y, const real *line, size_t stride) {
  for (ptrdiff_t i = 0; !a->once && i < a->n; i++) memset(y + (size_t)i * stride, 0, LINE * sizeof *y);
  for (ptrdiff_t p = 0; p < a->grid; p++, line += LINE) {
    if (a->at[p] < 0) continue;
    real *to = y + (size_t)a->at[p] * stride;
    if (a->once) memcpy(to, line, LINE * sizeof *to);
    else for (int i = 0; i < LINE; i++) to[i] += line[i];
  }
}

/* ---- the factor between the transforms: s and H are [n] complex, H = h^ / N */

static void times(real *s, const real *H, ptrdiff_t n, real sign) { /* sign -1: conjugate of H */
  for (ptrdiff_t i = 0; i < 2 * n; i += 2) {
    const real re = s[i] * H[i] - sign * s[i + 1] * H[i + 1], im = s[i + 1] * H[i] + sign * s[i] * H[i + 1];
    s[i] = re;
    s[i + 1] = im;
  }
}

static void times_square(real *s, const real *H, ptrdiff_t n, real N) { /* |h^|^2 / N */
  for (ptrdiff_t i = 0; i < 2 * n; i += 2) {
    const real f = N * (H[i] * H[i] + H[i + 1] * H[i + 1]);
    s[i] *= f;
    s[i + 1] *= f;
  }
}

static void divide(const pri_convolver *c, real *s, const real *H, ptrdiff_t n, double rho) { /* (1/N) / (|h^|^2 + rho) */
  const double N = (double)c->n[Z] * (double)c->n[Y] * (double)c->n[X], none = c->peak * c->peak * (sizeof(real) == 4 ? 1e-12 : 1e-28);
  for (ptrdiff_t i = 0; i < 2 * n; i += 2) {
    const double h2 = N * N * ((double)H[i] * (double)H[i] + (double)H[i + 1] * (double)H[i + 1]);
    const double f = rho > 0 || h2 > none ? 1 / (N * (h2 + rho)) : 0;
    s[i] = (real)((double)s[i] * f);
    s[i + 1] = (real)((double)s[i + 1] * f);
  }
}

static void multiply(const struct job *j, real *s, ptrdiff_t unit, ptrdiff_t n) {
  const pri_convolver *c = j->c;
  real *H = c->H + (size_t)unit * (size_t)n * LINE;
  const real N = (real)((double)c->n[Z] * (double)c->n[Y] * (double)c->n[X]);
  switch (j->what) {
  case PRI_CONVOLVE_APPLY: times(s, H, n * LANES, 1); break;
  case PRI_CONVOLVE_ADJOINT: times(s, H, n * LANES, -1); break;
  case PRI_CONVOLVE_NORMAL: times_square(s, H, n * LANES, N); break;
  case PRI_CONVOLVE_RESOLVENT: divide(c, s, H, n * LANES, j->rho); break;
  default: for (ptrdiff_t i = 0; i < n * LINE; i++) H[i] = s[i] / N;
  }
}

/* ---- passes */

static real *buffer_of(const struct job *j, int worker) { return j->buffer + (size_t)worker * j->stride; }

static size_t longer(const pri_convolver *c) { return (size_t)(c->n[Z] > c->n[Y] ? c->n[Z] : c->n[Y]) * LINE; }

/* [plane][block][y][8] */
static real *column(const struct job *j, ptrdiff_t plane, ptrdiff_t block) {
  return j->spectra + (size_t)((plane * j->c->blocks + block) * j->c->n[Y]) * LINE;
}

static pri_status rows_in(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* unit: row of the array */
  const struct job *j = arg;
  const pri_convolver *c = j->c;
  real *row = buffer_of(j, worker), *s = row + (size_t)c->blocks * LINE;
  for (ptrdiff_t u = first; u < last; u++) {
    lay_row(&j->in[X], row, j->x + u * j->in[X].n);
    FFTW(execute_dft_r2c)(c->rows, row, (FFTW(complex) *)s);
    memset(s + 2 * c->half, 0, (size_t)(c->blocks * LINE - 2 * c->half) * sizeof *s);
    real *to = column(j, u / j->in[Y].n, 0) + (size_t)(u % j->in[Y].n) * LINE;
    for (ptrdiff_t b = 0; b < c->blocks; b++) memcpy(to + (size_t)(b * c->n[Y]) * LINE, s + b * LINE, LINE * sizeof *s);
  }
  return PRI_OK;
}

static pri_status rows_out(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_convolver *c = j->c;
  real *row = buffer_of(j, worker), *s = row + (size_t)c->blocks * LINE;
  for (ptrdiff_t u = first; u < last; u++) {
    const real *from = column(j, u / j->out[Y].n, 0) + (size_t)(u % j->out[Y].n) * LINE;
    real *y = j->y + u * j->out[X].n;
    for (ptrdiff_t b = 0; b < c->blocks; b++) memcpy(s + b * LINE, from + (size_t)(b * c->n[Y]) * LINE, LINE * sizeof *s);
    FFTW(execute_dft_c2r)(c->back, (FFTW(complex) *)s, row);
    add_row(&j->out[X], y, row);
    for (ptrdiff_t i = 0; j->clip && i < j->out[X].n; i++) y[i] = y[i] < 0 ? 0 : y[i];
  }
  return PRI_OK;
}

static void fft(FFTW(plan) p, real *to, real *from) { FFTW(execute_dft)(p, (FFTW(complex) *)from, (FFTW(complex) *)to); }

static pri_status y_in(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* unit: plane, block */
  const struct job *j = arg;
  real *line = buffer_of(j, worker);
  for (ptrdiff_t u = first; u < last; u++) {
    real *s = column(j, u / j->c->blocks, u % j->c->blocks);
    lay_lines(&j->in[Y], line, s, LINE);
    fft(j->c->fwd[Y], s, line);
  }
  return PRI_OK;
}

static pri_status y_out(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  real *line = buffer_of(j, worker);
  for (ptrdiff_t u = first; u < last; u++) {
    real *s = column(j, u / j->c->blocks, u % j->c->blocks);
    fft(j->c->inv[Y], line, s);
    add_lines(&j->out[Y], s, line, LINE);
  }
  return PRI_OK;
}

static pri_status last_axis(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) { /* unit: block, ky; or block where there is no z */
  const struct job *j = arg;
  const pri_convolver *c = j->c;
  const int a = c->n[Z] > 1 ? Z : Y;
  const ptrdiff_t each = a == Z ? c->n[Y] : 1;
  const size_t stride = a == Z ? (size_t)(c->blocks * c->n[Y]) * LINE : LINE;
  real *line = buffer_of(j, worker), *other = line + longer(c);
  for (ptrdiff_t u = first; u < last; u++) {
    real *s = column(j, 0, u / each) + (size_t)(u % each) * LINE;
    lay_lines(&j->in[a], line, s, stride);
    fft(c->fwd[a], other, line);
    multiply(j, other, u, c->n[a]);
    if (j->what == SPECTRUM) continue;
    fft(c->inv[a], line, other);
    add_lines(&j->out[a], s, line, stride);
  }
  return PRI_OK;
}

/* No more chunks than there are buffers: the context may have more threads than the one that the convolver was made with. */
static void pass(pri_ctx *ctx, struct job *j, ptrdiff_t n, ptrdiff_t grain, pri_par_fn fn) {
  const ptrdiff_t least = (n + j->c->workers - 1) / j->c->workers;
  if (pri_par_workers(ctx) > j->c->workers && grain < least) grain = least;
  if (pri_par_for(ctx, n, grain, fn, j) != PRI_OK) return; /* the passes do not fail */
}

static void run_item(pri_ctx *ctx, struct job *j) {
  const pri_convolver *c = j->c;
  const int deep = c->n[Z] > 1;
  pass(ctx, j, j->in[Z].n * j->in[Y].n, ROWS, rows_in);
  if (deep) pass(ctx, j, j->in[Z].n * c->blocks, 4, y_in);
  pass(ctx, j, deep ? c->blocks * c->n[Y] : c->blocks, deep ? 8 : 1, last_axis);
  if (j->what == SPECTRUM) return;
  if (deep) pass(ctx, j, j->out[Z].n * c->blocks, 4, y_out);
  pass(ctx, j, j->out[Z].n * j->out[Y].n, ROWS, rows_out);
}

/* ---- items */

struct call {
  pri_ctx *ctx;
  struct job job;
  ptrdiff_t nx, ny;
  int positive;
  real *scratch;
  size_t stride;
};

static int has_negative(const real *x, ptrdiff_t n) { /* a NaN is none: it stays one whatever is clipped */
  ptrdiff_t i = 0;
  for (; i + 4096 <= n; i += 4096) {
    real least[16] = {0}; /* side by side, for vectors */
    for (ptrdiff_t k = i; k < i + 4096; k += 16)
      for (int j = 0; j < 16; j++) least[j] = x[k + j] < least[j] ? x[k + j] : least[j];
    for (int j = 0; j < 16; j++)
      if (least[j] < 0) return 1;
  }
  for (; i < n; i++)
    if (x[i] < 0) return 1;
  return 0;
}

static pri_status some_items(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct call *call = arg;
  struct job j = call->job;
  j.spectra = call->scratch + (size_t)worker * call->stride;
  j.buffer = j.spectra + j.c->work;
  for (ptrdiff_t k = first; k < last; k++) {
    j.x = call->job.x + k * call->nx;
    j.y = call->job.y + k * call->ny;
    j.clip = call->positive && !has_negative(j.x, call->nx);
    run_item(call->ctx, &j);
  }
  return PRI_OK;
}

/* Spectra of its own for each thread where items are small: threads then go over items. */
static int by_items(const pri_convolver *c) { return c->n[Z] == 1 && c->work * sizeof(real) <= (size_t)64 << 20; }

static size_t worker_stride(const pri_convolver *c) { return by_items(c) ? c->work + c->buffers : c->buffers; }

static ptrdiff_t size_of(const struct axis a[3]) { return a[Z].n * a[Y].n * a[X].n; }

pri_status NAME(pri_convolver_run)(pri_ctx *ctx, const pri_convolver *c, pri_convolve what, double rho, int positive, real *out, const real *in,
                                   ptrdiff_t items, void *scratch) {
  const int back = what == PRI_CONVOLVE_ADJOINT;
  struct call call = {.ctx = ctx, .positive = positive, .scratch = scratch, .stride = worker_stride(c)};
  call.job = (struct job){.c = c, .in = c->side[back], .out = c->side[!back], .what = (int)what, .rho = rho, .x = in, .y = out, .stride = call.stride};
  call.nx = size_of(call.job.in);
  call.ny = size_of(call.job.out);
  if (!by_items(c) || items < pri_par_workers(ctx) || pri_par_workers(ctx) > c->workers) return some_items(&call, 0, 0, items);
  return pri_par_for(ctx, items, 1, some_items, &call);
}

size_t NAME(pri_convolver_scratch)(const pri_convolver *c) {
  return sizeof(real) * (worker_stride(c) * (size_t)c->workers + (by_items(c) ? 0 : c->work));
}

#ifndef PRI_WIDE
double pri_convolver_peak(const pri_convolver *c) { return c->peak; }
#endif

/* ---- making one */

static void destroy_plans(pri_convolver *c) {
  FFTW(plan) *all[] = {&c->rows, &c->back, &c->fwd[0], &c->fwd[1], &c->inv[0], &c->inv[1]};
  for (int i = 0; i < 6; i++)
    if (*all[i]) FFTW(destroy_plan)(*all[i]);
}

void NAME(pri_convolver_destroy)(pri_convolver **c) {
  if (!*c) return;
  pri_fft_lock();
  destroy_plans(*c);
  pri_fft_unlock();
  pri_free((*c)->ctx, (*c)->H);
  pri_free((*c)->ctx, *c);
  *c = NULL;
}

static FFTW(plan) lines(ptrdiff_t n, real *from, real *to, int sign) {
  const int length = (int)n;
  return FFTW(plan_many_dft)(1, &length, LANES, (FFTW(complex) *)from, NULL, LANES, 1, (FFTW(complex) *)to, NULL, LANES, 1, sign, FFTW_ESTIMATE);
}

static pri_status plan(pri_convolver *c) {
  real *a, *b;
  const int nx = (int)c->n[X];
  PRI_ALLOC(c->ctx, a, 2 * c->buffers);
  b = a + c->buffers; /* both begin at 64-byte boundaries, as all buffers do */
  pri_fft_lock();
  c->rows = FFTW(plan_dft_r2c_1d)(nx, a, (FFTW(complex) *)b, FFTW_ESTIMATE);
  c->back = FFTW(plan_dft_c2r_1d)(nx, (FFTW(complex) *)b, a, FFTW_ESTIMATE);
  for (int i = Z; i <= Y; i++) {
    c->fwd[i] = lines(c->n[i], a, b, FFTW_FORWARD);
    c->inv[i] = lines(c->n[i], a, b, FFTW_BACKWARD);
  }
  pri_fft_unlock();
  pri_free(c->ctx, a);
  if (c->rows && c->back && c->fwd[Z] && c->fwd[Y] && c->inv[Z] && c->inv[Y]) return PRI_OK;
  return PRI_FAIL(c->ctx, PRI_EEXTERN, "convolution: FFTW has no plan for %td x %td x %td", c->n[Z], c->n[Y], c->n[X]);
}

static ptrdiff_t around(ptrdiff_t i, ptrdiff_t n) { return (i % n + n) % n; }

/* h in m[] = min(k, n) elements an axis: taps that fall on one place of the grid add up. */
static void fold(const pri_convolver *c, real *g, const ptrdiff_t m[3], const pri_psf_view *h) {
  const double *from = h->h;
  ptrdiff_t p[3];
  for (p[Z] = 0; p[Z] < h->k[Z]; p[Z]++)
    for (p[Y] = 0; p[Y] < h->k[Y]; p[Y]++)
      for (p[X] = 0; p[X] < h->k[X]; p[X]++) {
        ptrdiff_t i = 0;
        for (int a = 0; a < 3; a++) i = i * m[a] + (h->k[a] <= c->n[a] ? p[a] : around(p[a] - h->c[a], c->n[a]));
        g[i] += (real)*from++;
      }
}

/* Where they lie: the centre at place 0 */
static void lay(ptrdiff_t *at, ptrdiff_t n, ptrdiff_t k, ptrdiff_t centre) {
  for (ptrdiff_t p = 0; p < n; p++) at[p] = k <= n ? -1 : p;
  for (ptrdiff_t j = 0; k <= n && j < k; j++) at[around(j - centre, n)] = j;
}

static void tidy(pri_convolver *c, int symmetric) {
  const ptrdiff_t n = c->blocks * c->n[Z] * c->n[Y] * LANES;
  double most = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    if (symmetric) c->H[2 * i + 1] = 0;
    const double square = (double)c->H[2 * i] * (double)c->H[2 * i] + (double)c->H[2 * i + 1] * (double)c->H[2 * i + 1];
    most = square > most ? square : most;
  }
  c->peak = sqrt(most) * (double)c->n[Z] * (double)c->n[Y] * (double)c->n[X];
}

struct making { /* what the passes forward over h itself need; only its own rows and planes are transformed */
  ptrdiff_t *at;
  real *g, *spectra, *buffer;
};

static pri_status room(const pri_convolver *c, struct making *w, const ptrdiff_t m[3]) {
  PRI_ALLOC(c->ctx, w->at, c->n[Z] + c->n[Y] + c->n[X]);
  PRI_ALLOC(c->ctx, w->g, m[Z] * m[Y] * m[X]);
  PRI_ALLOC(c->ctx, w->spectra, (size_t)(c->blocks * m[Z] * c->n[Y]) * LINE);
  PRI_ALLOC(c->ctx, w->buffer, c->buffers * (size_t)c->workers);
  return PRI_OK;
}

static void transform(pri_convolver *c, const struct making *w, const ptrdiff_t m[3], const pri_psf_view *h) {
  struct axis side[3];
  struct job j = {.c = c, .in = side, .out = side, .what = SPECTRUM, .x = w->g, .spectra = w->spectra, .buffer = w->buffer, .stride = c->buffers};
  ptrdiff_t *at = w->at;
  for (int a = 0; a < 3; at += c->n[a++]) {
    lay(at, c->n[a], h->k[a], h->c[a]);
    set_axis(&side[a], at, c->n[a], m[a]);
  }
  fold(c, w->g, m, h);
  run_item(c->ctx, &j);
  tidy(c, h->symmetric);
}

static pri_status spectrum(pri_convolver *c, const pri_psf_view *h) {
  struct making w = {0};
  ptrdiff_t m[3];
  for (int a = 0; a < 3; a++) m[a] = h->k[a] < c->n[a] ? h->k[a] : c->n[a];
  const pri_status s = room(c, &w, m);
  if (s == PRI_OK) transform(c, &w, m, h);
  pri_free(c->ctx, w.buffer);
  pri_free(c->ctx, w.spectra);
  pri_free(c->ctx, w.g);
  pri_free(c->ctx, w.at);
  return s;
}

static pri_status build(pri_convolver *c, const pri_grid *g, const pri_psf_view *h) {
  for (int a = 0; a < 3; a++) {
    if (g->n[a] < 1 || g->n[a] > INT32_MAX / 64) return PRI_FAIL(c->ctx, PRI_EPARAM, "convolution: extent %td is outside [1, %d]", g->n[a], INT32_MAX / 64);
    c->n[a] = g->n[a];
    set_axis(&c->side[0][a], g->dom.at[a], g->n[a], g->dom.n[a]);
    set_axis(&c->side[1][a], g->ran.at[a], g->n[a], g->ran.n[a]);
  }
  const ptrdiff_t planes = g->dom.n[Z] > g->ran.n[Z] ? g->dom.n[Z] : g->ran.n[Z];
  c->half = c->n[X] / 2 + 1;
  c->blocks = (c->half + LANES - 1) / LANES;
  c->work = (size_t)(planes * c->blocks * c->n[Y]) * LINE;
  const size_t row = 2 * (size_t)c->blocks * LINE, pair = 2 * longer(c);
  c->buffers = (row > pair ? row : pair);
  c->workers = pri_par_workers(c->ctx);
  PRI_TRY(plan(c));
  PRI_ALLOC(c->ctx, c->H, (size_t)(c->blocks * c->n[Z] * c->n[Y]) * LINE);
  return spectrum(c, h);
}

pri_status NAME(pri_convolver_create)(pri_ctx *ctx, pri_convolver **out, const pri_grid *g, const pri_psf_view *h) {
  pri_convolver *c;
  *out = NULL;
  PRI_ALLOC(ctx, c, 1);
  c->ctx = ctx;
  const pri_status s = build(c, g, h);
  if (s != PRI_OK) NAME(pri_convolver_destroy)(&c);
  else *out = c;
  return s;
}
