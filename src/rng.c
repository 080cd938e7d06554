/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rng.c - Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
 * Counter: index / 2 in 64 bits, stream hash (FNV-1a) in the other 64; key: the seed. One block gives two uniforms of 53 bits or a
 * pair of normals (Box-Muller), for indices 2 b and 2 b + 1.
 */
#include "priori/rng.h"
#include <math.h>

static uint64_t hash(const char *s) {
  uint64_t h = 14695981039346656037u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h;
}

static void philox(uint32_t c[4], uint64_t seed) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
    const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c[1] ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
    c[1] = (uint32_t)p1;
    c[3] = (uint32_t)p0;
    c[0] = n0;
    c[2] = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

/* Two uniforms in (0, 1): the middle of one of 2^53 cells, so that log never sees 0. */
static void block(uint64_t seed, uint64_t stream, uint64_t b, double u[2]) {
  uint32_t c[4] = {(uint32_t)b, (uint32_t)(b >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
  philox(c, seed);
  for (int i = 0; i < 2; i++) {
    const uint64_t bits = ((uint64_t)c[2 * i] << 32 | c[2 * i + 1]) >> 11;
    u[i] = ((double)bits + 0.5) * 0x1p-53;
  }
}

static void normals(const double u[2], double z[2]) {
  const double r = sqrt(-2 * log(u[0])), t = 6.283185307179586477 * u[1];
  z[0] = r * cos(t);
  z[1] = r * sin(t);
}

double pri_rng_uniform_at(uint64_t seed, const char *stream, uint64_t index) {
  double u[2];
  block(seed, hash(stream), index / 2, u);
  return u[index % 2];
}

double pri_rng_normal_at(uint64_t seed, const char *stream, uint64_t index) {
  double u[2], z[2];
  block(seed, hash(stream), index / 2, u);
  normals(u, z);
  return z[index % 2];
}

static void fill(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n, int normal) {
  const uint64_t h = hash(stream);
  for (size_t i = 0; i < n;) {
    const uint64_t at = first + i;
    double u[2], z[2];
    block(seed, h, at / 2, u);
    if (normal) normals(u, z);
    const double *v = normal ? z : u;
    for (uint64_t j = at % 2; j < 2 && i < n; j++) dst[i++] = (pri_real)v[j];
  }
}

void pri_rng_normal(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n) {
  fill(seed, stream, first, dst, n, 1);
}

void pri_rng_uniform(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n) {
  fill(seed, stream, first, dst, n, 0);
  for (size_t i = 0; i < n; i++)
    if (dst[i] >= 1) dst[i] = (pri_real)(1 - 0x1p-24); /* 1 - 2^-54 rounds to 1 in float; [0, 1) is promised */
}
