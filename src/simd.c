/* SPDX-License-Identifier: GPL-3.0-or-later */
/* simd.c - the run-time choice of kernels: the best instruction set of the machine, lowered by PRIORI_SIMD=c|avx2|avx512. */
#include "simd.h"
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "filterbank_steps.h"
#include "net_steps.h"
#include "rays_plan.h"
#include "stencil_steps.h"

static pri_simd_level machine(void) {
  pri_simd_level level = PRI_SIMD_C;
#if defined(PRI_AVX2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) level = PRI_SIMD_AVX2;
#endif
#if defined(PRI_AVX512)
  if (level == PRI_SIMD_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    level = PRI_SIMD_AVX512;
#endif
  return level;
}

static const char *const names[] = {"c", "avx2", "avx512"};

const char *pri_simd_name(pri_simd_level level) { return names[level]; }

pri_simd_level pri_simd(void) {
  const pri_simd_level best = machine();
  const char *asked = getenv("PRIORI_SIMD");
  for (int i = PRI_SIMD_C; asked && i <= PRI_SIMD_AVX512; i++)
    if (strcmp(asked, names[i]) == 0 && i < (int)best) return (pri_simd_level)i;
  return best;
}

const pri_ray_kernels *pri_simd_rays(void) {
#ifdef PRI_DOUBLE
  return NULL;
#else
  const pri_simd_level level = pri_simd();
#if defined(PRI_AVX512)
  if (level == PRI_SIMD_AVX512) return &pri_ray_kernels_avx512;
#endif
#if defined(PRI_AVX2)
  if (level == PRI_SIMD_AVX2) return &pri_ray_kernels_avx2;
#endif
  (void)level;
  return &pri_ray_kernels_c;
#endif
}

const pri_stencil_kernels *pri_stencil_kernels_best(void) {
#ifndef PRI_DOUBLE
  const pri_simd_level level = pri_simd();
#if defined(PRI_AVX512)
  if (level == PRI_SIMD_AVX512) return &pri_stencil_kernels_avx512;
#endif
#if defined(PRI_AVX2)
  if (level == PRI_SIMD_AVX2) return &pri_stencil_kernels_avx2;
#endif
#endif
  return &pri_stencil_kernels_c;
}

const pri_net_kernels *pri_net_kernels_best(void) {
#ifndef PRI_DOUBLE
  const pri_simd_level level = pri_simd();
#if defined(PRI_AVX512)
  if (level == PRI_SIMD_AVX512) return &pri_net_kernels_avx512;
#endif
#if defined(PRI_AVX2)
  if (level == PRI_SIMD_AVX2) return &pri_net_kernels_avx2;
#endif
  (void)level;
#endif
  return &pri_net_kernels_c;
}

const pri_bank_kernels *pri_bank_kernels_best(int wide) {
#ifdef PRI_DOUBLE
  const int is_double = 1;
  (void)wide;
#else
  const int is_double = wide;
#endif
  const pri_simd_level level = pri_simd();
#if defined(PRI_AVX512)
  if (level == PRI_SIMD_AVX512) return is_double ? &pri_bank_double_avx512 : &pri_bank_float_avx512;
#endif
#if defined(PRI_AVX2)
  if (level == PRI_SIMD_AVX2) return is_double ? &pri_bank_double_avx2 : &pri_bank_float_avx2;
#endif
  (void)level;
  return is_double ? &pri_bank_double_c : &pri_bank_float_c;
}
