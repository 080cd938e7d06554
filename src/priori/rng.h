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
PRI_API void pri_rng_normal(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n);  /* mean 0, variance 1 */
PRI_API void pri_rng_uniform(uint64_t seed, const char *stream, uint64_t first, pri_real *dst, size_t n); /* [0, 1) */
PRI_API double pri_rng_uniform_at(uint64_t seed, const char *stream, uint64_t index);                     /* the same in double, (0, 1) */
PRI_API double pri_rng_normal_at(uint64_t seed, const char *stream, uint64_t index);
#ifdef __cplusplus
}
#endif
#endif
