/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * priori/rng.h - Philox4x32-10 (Salmon et al. 2011): a pure function of (seed, stream name, index); no state, no order, no threads.
 * dst[i] depends on seed, stream and first + i only. Normals by Box-Muller on pairs of uniforms in double.
 */
#ifndef PRIORI_RNG_H
#define PRIORI_RNG_H
#include <stddef.h>
#include <stdint.h>
#include "priori/real.h"
#ifdef __cplusplus
extern "C" {
#endif
/*
 * pri_rng_normal, pri_rng_uniform - dst[i] = number first + i of the stream, i < n.
 *   stream  a name ("noise/gaussian"): streams are independent, and equal names are equal streams.
 * Re-entrant, no errors, no allocation. The float library gives the double's numbers, rounded (and never up to 1).
 * Source  Salmon, Moraes, Dror, Shaw 2011; Box, Muller 1958.
 */
PRI_API void pri_rng_normal(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n);  /* mean 0, variance 1 */
PRI_API void pri_rng_uniform(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n); /* [0, 1) */
PRI_API double pri_rng_uniform_at(uint64_t seed, const char *stream, uint64_t index);                     /* the same in double, (0, 1) */
PRI_API double pri_rng_normal_at(uint64_t seed, const char *stream, uint64_t index);
#ifdef __cplusplus
}
#endif
#endif
