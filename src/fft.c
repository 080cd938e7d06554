/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c - see fft.h. FFTW's planner is not re-entrant (FFTW manual, "Thread safety"): one lock for all plans of the process. */
#include "fft.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdint.h>

#ifdef PRI_DOUBLE
#define FFTW(name) fftw_##name
#else
#define FFTW(name) fftwf_##name
#endif

struct pri_fft {
  pri_ctx *ctx;
  FFTW(plan) forward, inverse;
  ptrdiff_t spectrum;
};

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

void pri_fft_lock(void) { pthread_mutex_lock(&planner); }
void pri_fft_unlock(void) { pthread_mutex_unlock(&planner); }

static int smooth(ptrdiff_t n, ptrdiff_t most) {
  for (ptrdiff_t p = 2; p <= most; p += p == 2 ? 1 : 2)
    while (n % p == 0) n /= p;
  return n == 1;
}

ptrdiff_t pri_fft_length(ptrdiff_t least, int even) {
  ptrdiff_t seven = 0;
  const ptrdiff_t step = even ? 2 : 1;
  for (ptrdiff_t n = least < step ? step : least + (even ? least % 2 : 0);; n += step) {
    if (smooth(n, 5)) return seven && 100 * n > 106 * seven ? seven : n;
    if (!seven && smooth(n, 7)) seven = n;
  }
}

ptrdiff_t pri_fft_size(ptrdiff_t least) {
  for (ptrdiff_t n = least < 2 ? 2 : least + least % 2;; n += 2) {
    ptrdiff_t rest = n;
    for (ptrdiff_t p = 2; p <= 7; p += p == 2 ? 1 : 2)
      while (rest % p == 0) rest /= p;
    if (rest == 1) return n;
  }
}

static void plan(pri_fft *f, int nd, const int *n, pri_real *x, pri_real *spectrum) {
  pthread_mutex_lock(&planner);
  f->forward = FFTW(plan_dft_r2c)(nd, n, x, (FFTW(complex) *)spectrum, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
  f->inverse = FFTW(plan_dft_c2r)(nd, n, (FFTW(complex) *)spectrum, x, FFTW_ESTIMATE);
  pthread_mutex_unlock(&planner);
}

static pri_status build(pri_ctx *ctx, pri_fft *f, int nd, const ptrdiff_t *n) {
  int extents[3] = {0};
  ptrdiff_t size = 1;
  for (int i = 0; i < nd; i++) {
    if (n[i] < 1 || n[i] > INT32_MAX / 4 || size > PTRDIFF_MAX / 16 / n[i])
      return PRI_FAIL(ctx, PRI_EPARAM, "fft: extent %td is outside [1, %d]", n[i], INT32_MAX / 4);
    extents[i] = (int)n[i];
    size *= n[i];
  }
  f->ctx = ctx;
  f->spectrum = size / n[nd - 1] * (n[nd - 1] / 2 + 1) * 2;
  pri_real *x, *spectrum;
  PRI_ALLOC(ctx, x, size);
  spectrum = pri_calloc(ctx, (size_t)f->spectrum, sizeof *spectrum);
  if (spectrum) plan(f, nd, extents, x, spectrum);
  pri_free(ctx, x);
  if (!spectrum) return pri_ctx_code(ctx);
  pri_free(ctx, spectrum);
  return f->forward && f->inverse ? PRI_OK : PRI_FAIL(ctx, PRI_EEXTERN, "fft: FFTW has no plan for %td elements", size);
}

pri_status pri_fft_create(pri_ctx *ctx, pri_fft **out, int nd, const ptrdiff_t *n) {
  *out = NULL;
  if (nd < 1 || nd > 3) return PRI_FAIL(ctx, PRI_EPARAM, "fft: %d dimensions are outside [1, 3]", nd);
  pri_fft *f;
  PRI_ALLOC(ctx, f, 1);
  f->ctx = ctx;
  const pri_status s = build(ctx, f, nd, n);
  if (s != PRI_OK)
    pri_fft_destroy(&f);
  else
    *out = f;
  return s;
}

void pri_fft_destroy(pri_fft **f) {
  if (!f || !*f) return;
  pthread_mutex_lock(&planner);
  if ((*f)->forward) FFTW(destroy_plan)((*f)->forward);
  if ((*f)->inverse) FFTW(destroy_plan)((*f)->inverse);
  pthread_mutex_unlock(&planner);
  pri_free((*f)->ctx, *f);
  *f = NULL;
}

ptrdiff_t pri_fft_spectrum(const pri_fft *f) { return f->spectrum; }

void pri_fft_forward(const pri_fft *f, pri_real *spectrum, const pri_real *x) {
  FFTW(execute_dft_r2c)(f->forward, (pri_real *)(uintptr_t)x, (FFTW(complex) *)spectrum); /* FFTW_PRESERVE_INPUT: x is only read */
}

void pri_fft_inverse(const pri_fft *f, pri_real *x, pri_real *spectrum) {
  FFTW(execute_dft_c2r)(f->inverse, (FFTW(complex) *)spectrum, x);
}

/* ---- cosine transforms */

struct pri_dct {
  pri_ctx *ctx;
  FFTW(plan) forward, inverse;
};

static pri_status extents(pri_ctx *ctx, int nd, const ptrdiff_t *n, int *out, ptrdiff_t *size) {
  *size = 1;
  if (nd < 1 || nd > 3) return PRI_FAIL(ctx, PRI_EPARAM, "fft: %d dimensions are outside [1, 3]", nd);
  for (int i = 0; i < nd; i++) {
    if (n[i] < 1 || n[i] > INT32_MAX / 4 || *size > PTRDIFF_MAX / 16 / n[i])
      return PRI_FAIL(ctx, PRI_EPARAM, "fft: extent %td is outside [1, %d]", n[i], INT32_MAX / 4);
    out[i] = (int)n[i];
    *size *= n[i];
  }
  return PRI_OK;
}

static pri_status plan_cosine(pri_dct *d, int nd, const ptrdiff_t *n) {
  static const FFTW(r2r_kind) there[3] = {FFTW_REDFT10, FFTW_REDFT10, FFTW_REDFT10}, back[3] = {FFTW_REDFT01, FFTW_REDFT01, FFTW_REDFT01};
  int extent[3];
  ptrdiff_t size;
  pri_real *x;
  PRI_TRY(extents(d->ctx, nd, n, extent, &size));
  PRI_ALLOC(d->ctx, x, size);
  pthread_mutex_lock(&planner);
  d->forward = FFTW(plan_r2r)(nd, extent, x, x, there, FFTW_ESTIMATE);
  d->inverse = FFTW(plan_r2r)(nd, extent, x, x, back, FFTW_ESTIMATE);
  pthread_mutex_unlock(&planner);
  pri_free(d->ctx, x);
  return d->forward && d->inverse ? PRI_OK : PRI_FAIL(d->ctx, PRI_EEXTERN, "fft: FFTW has no cosine plan for %td elements", size);
}

pri_status pri_dct_create(pri_ctx *ctx, pri_dct **out, int nd, const ptrdiff_t *n) {
  pri_dct *d;
  *out = NULL;
  PRI_ALLOC(ctx, d, 1);
  d->ctx = ctx;
  const pri_status s = plan_cosine(d, nd, n);
  if (s != PRI_OK)
    pri_dct_destroy(&d);
  else
    *out = d;
  return s;
}

void pri_dct_destroy(pri_dct **d) {
  if (!*d) return;
  pthread_mutex_lock(&planner);
  if ((*d)->forward) FFTW(destroy_plan)((*d)->forward);
  if ((*d)->inverse) FFTW(destroy_plan)((*d)->inverse);
  pthread_mutex_unlock(&planner);
  pri_free((*d)->ctx, *d);
  *d = NULL;
}

void pri_dct_forward(const pri_dct *d, pri_real *x) { FFTW(execute_r2r)(d->forward, x, x); }
void pri_dct_inverse(const pri_dct *d, pri_real *x) { FFTW(execute_r2r)(d->inverse, x, x); }

pri_status pri_dct_even(pri_ctx *ctx, int nd, const ptrdiff_t *n, double *x) {
  static const fftw_r2r_kind kind[3] = {FFTW_REDFT00, FFTW_REDFT00, FFTW_REDFT00};
  int extent[3];
  ptrdiff_t size;
  PRI_TRY(extents(ctx, nd, n, extent, &size));
  pthread_mutex_lock(&planner);
  const fftw_plan p = fftw_plan_r2r(nd, extent, x, x, kind, FFTW_ESTIMATE);
  pthread_mutex_unlock(&planner);
  if (!p) return PRI_FAIL(ctx, PRI_EEXTERN, "fft: FFTW has no cosine plan for %td elements", size);
  fftw_execute(p);
  pthread_mutex_lock(&planner);
  fftw_destroy_plan(p);
  pthread_mutex_unlock(&planner);
  return PRI_OK;
}
