/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filterbank.c - time of a Hessian product and a gradient of a field of experts beside what its multiply-adds would take at the peak of the machine.
 *
 *   filterbank[-double] [-j THREADS] [-n ROUNDS] [SIDE]   image SIDE x SIDE (256), 48 filters of 7 x 7
 * For x86 with AVX2 or AVX-512. The peak is measured by chains of multiply-adds in registers, on as many threads, in turn with the rest, the best of all rounds.
 */
#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "filterbank_steps.h"
#include "par.h"
#include "priori/priori.h"
#include "simd.h"

enum { CHAINS = 12, LOOPS = 400000 };
struct peak { double flops[64]; };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* fma in CHAINS registers of one kind */
#ifdef PRI_DOUBLE
#define OF(name) name##_pd
#define REGISTER(name) name##d
#else
#define OF(name) name##_ps
#define REGISTER(name) name
#endif
#define CHAIN(name, isa, reg, set, fma, get)                                                     \
  __attribute__((target(isa))) static double name(void) {                                        \
    reg s[CHAINS], a = set((pri_real)0.999), b = set((pri_real)1e-3), all;                       \
    _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) s[k] = set((pri_real)k);                                    \
    for (int i = 0; i < LOOPS; i++)                                                              \
      _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) s[k] = fma(s[k], a, b);                                   \
    all = s[0];                                                                                  \
    _Pragma("GCC unroll 12") for (int k = 1; k < CHAINS; k++) all = fma(all, a, s[k]);                                    \
    return (get(all) == 0 ? 1 : 2.0 * CHAINS * LOOPS * (double)(sizeof(reg) / sizeof(pri_real))); \
  }
#define LOWEST512(v) OF(_mm512_reduce_add)(v)
#ifdef PRI_DOUBLE
#define LOWEST256(v) _mm256_cvtsd_f64(v)
#else
#define LOWEST256(v) _mm256_cvtss_f32(v)
#endif
CHAIN(chain_avx2, "avx2,fma", REGISTER(__m256), OF(_mm256_set1), OF(_mm256_fmadd), LOWEST256)
CHAIN(chain_avx512, "avx512f", REGISTER(__m512), OF(_mm512_set1), OF(_mm512_fmadd), LOWEST512)

static pri_status chains(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  struct peak *p = arg;
  const pri_simd_level level = pri_simd();
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) p->flops[i] = level == PRI_SIMD_AVX512 ? chain_avx512() : chain_avx2();
  return PRI_OK;
}

static double peak_of(pri_ctx *ctx) { /* flops a second */
  struct peak p;
  double sum = 0;
  const int n = pri_ctx_threads(ctx) < 64 ? pri_ctx_threads(ctx) : 64;
  const double from = now();
  if (pri_par_for(ctx, n, 1, chains, &p) != PRI_OK) exit(1);
  const double time = now() - from;
  for (int i = 0; i < n; i++) sum += p.flops[i];
  return sum / time;
}

static void check(pri_ctx *ctx, pri_status s) {
  if (s == PRI_OK) return;
  fprintf(stderr, "filterbank: %s\n", pri_ctx_message(ctx));
  exit(1);
}

struct best { double peak, grad, hess, mixed, prepare; };

static void keep(double *best, double from) { *best = fmin(*best, now() - from); }

static void round_of(pri_ctx *ctx, const pri_prior *R, struct best *b, pri_real *const v[3], pri_real *cache, double *theta) {
  const void *priv;
  const pri_prior_class *c = pri_prior_class_of(R, &priv);
  void *scratch = pri_prior_scratch(R);
  b->peak = fmax(b->peak, peak_of(ctx));
  double from = now();
  check(ctx, c->variational->grad(ctx, priv, v[1], v[0], 1, scratch)), keep(&b->grad, from), from = now();
  check(ctx, c->learnable->prepare(ctx, priv, v[0], cache, 1)), keep(&b->prepare, from), from = now();
  check(ctx, c->learnable->hessvec(ctx, priv, v[1], v[2], cache, 1, scratch)), keep(&b->hess, from), from = now();
  check(ctx, c->learnable->mixed_t(ctx, priv, theta, v[2], cache, 1, scratch)), keep(&b->mixed, from);
}

static void say(const char *what, double time, double ideal) { printf("  %-28s %8.3f ms, %5.2f x its multiply-adds at the peak\n", what, 1e3 * time, time / ideal); }

int main(int argc, char **argv) {
  int threads = 2, rounds = 30, side = 256;
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "-j") && i + 1 < argc) threads = (int)strtol(argv[++i], NULL, 10);
    else if (!strcmp(argv[i], "-n") && i + 1 < argc) rounds = (int)strtol(argv[++i], NULL, 10);
    else side = (int)strtol(argv[i], NULL, 10);
  pri_ctx *ctx;
  pri_prior *R;
  const void *priv;
  const pri_ctx_opts opts = {.threads = threads};
  const pri_shape dom = pri_shape_2d(side, side);
  if (pri_open(&ctx, &opts) != PRI_OK) return 1;
  check(ctx, pri_prior_create(ctx, &R, "foe:filters=48,size=7", NULL, &dom));
  const pri_learnable *l = pri_prior_class_of(R, &priv)->learnable;
  const ptrdiff_t n = pri_shape_size(&dom);
  pri_real *v[3], *cache = pri_calloc(ctx, l->cache(priv), sizeof *cache);
  double *theta = pri_calloc(ctx, l->ntheta(priv), sizeof *theta);
  for (int k = 0; k < 3; k++) {
    if (!(v[k] = pri_calloc(ctx, (size_t)n, sizeof **v)) || !cache || !theta) return 1;
    pri_rng_normal(1, "bench", (uint64_t)k * (uint64_t)n, v[k], (size_t)n);
  }
  struct best b = {0, INFINITY, INFINITY, INFINITY, INFINITY};
  for (int k = 0; k < rounds; k++) round_of(ctx, R, &b, v, cache, theta);
  const double flops = 2.0 * 2 * 48 * 49 * (double)n;
  printf("%s, %s, %d threads, %d x %d, best of %d: peak %.1f Gflop/s\n", sizeof(pri_real) == 4 ? "float" : "double", pri_simd_name(pri_simd()), threads, side, side, rounds, 1e-9 * b.peak);
  say("gradient", b.grad, flops / b.peak);
  say("Hessian product", b.hess, flops / b.peak);
  say("phi'' for the products", b.prepare, flops / 2 / b.peak);
  say("J'v", b.mixed, 2 * flops / b.peak);
  for (int k = 0; k < 3; k++) pri_free(ctx, v[k]);
  pri_free(ctx, cache), pri_free(ctx, theta);
  pri_prior_destroy(&R);
  pri_ctx_destroy(&ctx);
  return 0;
}
