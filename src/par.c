/* SPDX-License-Identifier: GPL-3.0-or-later */
/* par.c - the one file with parallel pragmas. */
#include "par.h"
#include <limits.h>
#ifdef _OPENMP
#include <omp.h>
#else
static int omp_in_parallel(void) { return 0; }
static int omp_get_thread_num(void) { return 0; }
#endif

int pri_par_workers(const pri_ctx *ctx) { return pri_ctx_threads(ctx); }

/* threads = clamp(chunks, 1, allowed): small work stays serial */
static int threads_for(const pri_ctx *ctx, ptrdiff_t chunks) {
  const int allowed = pri_ctx_threads(ctx);
  if (omp_in_parallel() || chunks <= 1) return 1;
  return chunks < allowed ? (int)chunks : allowed;
}

static pri_status serial(ptrdiff_t n, ptrdiff_t grain, pri_par_fn fn, void *arg) {
  for (ptrdiff_t first = 0; first < n; first += grain)
    PRI_TRY(fn(arg, 0, first, n - first < grain ? n : first + grain));
  return PRI_OK;
}

pri_status pri_par_for(pri_ctx *ctx, ptrdiff_t n, ptrdiff_t grain, pri_par_fn fn, void *arg) {
  if (n <= 0) return PRI_OK;
  if (grain < 1) grain = 1;
  const ptrdiff_t chunks = n / grain + (n % grain != 0);
  const int threads = threads_for(ctx, chunks);
  if (threads == 1) return serial(n, grain, fn, arg);
  ptrdiff_t failed = PTRDIFF_MAX; /* lowest failing chunk */
  pri_status status = PRI_OK;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (ptrdiff_t c = 0; c < chunks; c++) {
    const ptrdiff_t first = c * grain;
    const pri_status s = fn(arg, omp_get_thread_num(), first, n - first < grain ? n : first + grain);
    if (s != PRI_OK) {
#pragma omp critical(pri_par_failed)
      if (c < failed) {
        failed = c;
        status = s;
      }
    }
  }
  return status;
}
