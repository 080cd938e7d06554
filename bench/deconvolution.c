/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * deconvolution.c - Richardson-Lucy in 3-D against the Fourier transforms that it cannot do without: 101 x 201 x 40 counts, a PSF of
 * 91 x 91 x 79, borders handled (border=unknown: the scene is 191 x 291 x 118), 20 iterations.
 *
 *   deconvolution [-n ITERATIONS] [-j THREADS] [-s] [-o DATA.raw]
 *
 * An iteration is timed in turn with 4 real FFTs (two each way) of 192 x 300 x 120, the smallest 5-smooth size that holds the scene, by
 * single-threaded plans of the same flags (FFTW_ESTIMATE): medians of processor time for one thread, of wall time for more (the FFTs stay with one).
 * -s: plain steps instead of the heavy ball. -o: the data for other programs (u16, slowest axis first); bench/deconvolution.sh runs them.
 */
#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "priori/priori.h"
#ifdef PRI_DOUBLE
#define FFTW(name) fftw_##name
#else
#define FFTW(name) fftwf_##name
#endif

enum { NZ = 40, NY = 201, NX = 101, KZ = 79, KY = 91, KX = 91, M = NZ * NY * NX, GZ = 120, GY = 300, GX = 192, MOST = 1000 };
static void check(pri_ctx *ctx, pri_status s) {
  if (s == PRI_OK) return;
  fprintf(stderr, "deconvolution: %s\n", pri_ctx_message(ctx));
  exit(1);
}

static int wall; /* one thread: processor time, which a busy machine falsifies least */
static double now(void) {
  struct timespec t;
  clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }
static double median(double *t, int n) {
  qsort(t, (size_t)n, sizeof *t, by_value);
  return n % 2 ? t[n / 2] : (t[n / 2 - 1] + t[n / 2]) / 2;
}

/* 300 points on a dim ground, seen through the PSF, Poisson noise, rounded: u16 */
static void draw(pri_ctx *ctx, const pri_operator *A, pri_array *y) {
  pri_array x;
  pri_noise *noise;
  const ptrdiff_t n = pri_shape_size(pri_operator_domain(A));
  check(ctx, pri_array_create(ctx, &x, pri_operator_domain(A), 1));
  for (ptrdiff_t i = 0; i < n; i++) x.data[i] = 5;
  for (uint64_t k = 0; k < 300; k++) x.data[(ptrdiff_t)(pri_rng_uniform_at(0, "points", k) * (double)n)] += (pri_real)(2e5 * pri_rng_uniform_at(0, "light", k));
  check(ctx, pri_operator_apply(A, y, &x));
  check(ctx, pri_noise_create(ctx, &noise, "gaussian:relative=0.02"));
  check(ctx, pri_noise_add(noise, y, 0));
  for (ptrdiff_t i = 0; i < M; i++) y->data[i] = (pri_real)fmin(fmax(rint((double)y->data[i]), 0), 65535);
  pri_noise_destroy(&noise);
  pri_array_destroy(&x);
}

static void write_raw(const pri_array *y, const char *data) {
  FILE *f = fopen(data, "wb");
  if (!f) exit(1);
  for (ptrdiff_t i = 0; i < M; i++) {
    const uint16_t v = (uint16_t)y->data[i];
    if (fwrite(&v, sizeof v, 1, f) != 1) exit(1);
  }
  if (fclose(f)) exit(1);
}

struct transforms {
  pri_real *x;
  FFTW(complex) *s;
  FFTW(plan) there, back;
};

static void plan(struct transforms *t) {
  t->x = FFTW(malloc)(sizeof(pri_real) * GZ * GY * GX);
  t->s = FFTW(malloc)(sizeof(FFTW(complex)) * GZ * GY * (GX / 2 + 1));
  if (!t->x || !t->s) exit(1);
  t->there = FFTW(plan_dft_r2c_3d)(GZ, GY, GX, t->x, t->s, FFTW_ESTIMATE);
  t->back = FFTW(plan_dft_c2r_3d)(GZ, GY, GX, t->s, t->x, FFTW_ESTIMATE);
  for (int i = 0; i < GZ * GY * GX; i++) t->x[i] = 1e-6f * (pri_real)i;
}

static double four(const struct transforms *t) {
  const double begin = now();
  for (int k = 0; k < 2; k++) FFTW(execute)(t->there), FFTW(execute)(t->back);
  const double took = now() - begin;
  for (int i = 0; i < GZ * GY * GX; i++) t->x[i] *= (pri_real)(1.0 / (GZ * GY * GX) / (GZ * GY * GX));
  return took;
}

struct bench {
  pri_ctx *ctx;
  pri_operator *A;
  pri_map *map;
  pri_array y;
  pri_fidelity *f;
  pri_problem p;
  double lo, hi;
};

static void make(struct bench *b, int threads, const char *out) {
  const pri_shape data = {3, {NZ, NY, NX}};
  if (pri_open(&b->ctx, &(pri_ctx_opts){.threads = threads}) != PRI_OK) exit(1);
  check(b->ctx, pri_operator_create(b->ctx, &b->A, "blur:psf=gaussian,sigma=4x4x9,size=91x91x79,border=unknown", NULL, NULL, &data));
  check(b->ctx, pri_map_of(b->ctx, &b->map, b->A));
  check(b->ctx, pri_array_create(b->ctx, &b->y, &data, 1));
  draw(b->ctx, b->A, &b->y);
  if (out) write_raw(&b->y, out);
  check(b->ctx, pri_fidelity_create(b->ctx, &b->f, "kl", &b->y, NULL));
  b->lo = 0, b->hi = INFINITY;
  b->p = (pri_problem){.A = b->map, .f = b->f, .noise = NAN, .lo = &b->lo, .hi = &b->hi};
}

/* medians of A and A' by themselves */
static void products(struct bench *b, const pri_array *x, double t[2]) {
  pri_array back;
  double all[2][5];
  check(b->ctx, pri_array_create(b->ctx, &back, &x->shape, 1));
  for (int k = 0; k < 5; k++) {
    double begin = now();
    check(b->ctx, pri_operator_apply(b->A, &b->y, x));
    all[0][k] = now() - begin;
    begin = now();
    check(b->ctx, pri_operator_adjoint(b->A, &back, &b->y));
    all[1][k] = now() - begin;
  }
  t[0] = median(all[0], 5), t[1] = median(all[1], 5);
}

static void run(struct bench *b, const char *spec, int n, int threads) {
  pri_solver *s;
  pri_report rep;
  struct transforms t;
  double ours[MOST], theirs[MOST], part[2];
  double begin = now();
  check(b->ctx, pri_solver_create(b->ctx, &s, spec, &b->p, NULL));
  const double setting_up = now() - begin;
  plan(&t);
  (void)four(&t);
  for (int k = 0; k < n; k++) {
    begin = now();
    check(b->ctx, pri_solver_step(s, 0, &rep));
    ours[k] = now() - begin;
    theirs[k] = four(&t);
  }
  const double applies = rep.applies;
  products(b, pri_solver_iterate(s), part);
  const double mine = median(ours, n), four_ffts = median(theirs, n);
  printf("%s, %d iterations, %d thread%s: set-up %.2f s, memory %.0f MB, %g applications\n", spec, n, threads, threads > 1 ? "s" : "", setting_up,
         1e-6 * (double)pri_ctx_memory_peak(b->ctx), applies);
  printf("iteration %.4f s (of it A %.4f s, A' %.4f s), four FFTs of 192 x 300 x 120 %.4f s, ratio %.3f\n", mine, part[0], part[1], four_ffts, mine / four_ffts);
}

int main(int argc, char **argv) {
  int option, n = 20, threads = 1;
  const char *out = NULL, *spec = "rl:accelerate=heavy-ball";
  struct bench b;
  while ((option = getopt(argc, argv, "n:j:so:")) != -1) {
    if (option == 'n') n = (int)strtol(optarg, NULL, 10);
    else if (option == 'j') threads = (int)strtol(optarg, NULL, 10);
    else if (option == 's') spec = "rl";
    else if (option == 'o') out = optarg;
    else return 2;
  }
  if (n < 1 || n > MOST) return 2;
  wall = threads > 1;
  make(&b, threads, out);
  run(&b, spec, n, threads);
  return 0;
}
