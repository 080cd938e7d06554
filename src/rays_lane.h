/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rays_lane.h (k) - the vectors of the instruction set that a kernel file is compiled for: WIDTH floats, PARTS of them hold 16 slices. */
#ifndef PRI_RAYS_LANE_H
#define PRI_RAYS_LANE_H
#include <stdint.h>
#include <string.h>
#include "rays_plan.h"
#if defined(__AVX512F__)
#include <immintrin.h>
enum { WIDTH = 16, RAYS = 16 }; /* RAYS: chains of a stack's forward projection, as registers allow */
#define LANES_NAME "avx512"
#define PRI_KERNELS pri_ray_kernels_avx512
#define PRI_LANE_NAME(name) name##_avx512
#elif defined(__AVX2__)
#include <immintrin.h>
enum { WIDTH = 8, RAYS = 4 };
#define LANES_NAME "avx2"
#define PRI_KERNELS pri_ray_kernels_avx2
#define PRI_LANE_NAME(name) name##_avx2
#else
enum { WIDTH = 4, RAYS = 2 };
#define LANES_NAME "c"
#define PRI_KERNELS pri_ray_kernels_c
#define PRI_LANE_NAME(name) name##_c
#endif
/* one slice: rays_one.c (portable, AVX2), rays_avx512.c */
#define pri_ray_forward_one PRI_LANE_NAME(pri_ray_forward_one)
#define pri_ray_back_one PRI_LANE_NAME(pri_ray_back_one)
void pri_ray_forward_one(const pri_ray_plan *p, const pri_ray_lines image[2], float *y, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t block0, ptrdiff_t block1);
void pri_ray_back_one(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *image, ptrdiff_t share, ptrdiff_t shares);
/* rays_avx512_fan.c: 16 pixels of every line from place i0 on */
void pri_ray_back_fan(const pri_ray_plan *p, int axis, const float *rows, const pri_ray_lines *image, ptrdiff_t i0);
/* rays_avx512_stack.c: back_stack of plans that have a comb */
void pri_ray_back_comb(const pri_ray_plan *p, int axis, const float *rows, float *image, ptrdiff_t view0, ptrdiff_t view1, ptrdiff_t line0, ptrdiff_t line1);
enum { PARTS = 16 / WIDTH };
typedef float lane __attribute__((vector_size(4 * WIDTH)));
typedef int32_t ints __attribute__((vector_size(4 * WIDTH)));

static inline lane lane_load(const float *p) {
  lane v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline void lane_store(float *p, lane v) { memcpy(p, &v, sizeof v); }
static inline ints ints_load(const int32_t *p) {
  ints v;
  memcpy(&v, p, sizeof v);
  return v;
}
static inline void ints_store(int32_t *p, ints v) { memcpy(p, &v, sizeof v); }
static inline lane lane_all(float a) { return a - (lane){0}; }
static inline ints ints_all(int32_t a) { return a - (ints){0}; }
static inline lane lane_of(ints v) { return __builtin_convertvector(v, lane); }
static inline ints ints_clamp(ints v, ints low, ints high) {
  const ints below = v < low;
  v = (low & below) | (v & ~below);
  const ints above = v > high;
  return (high & above) | (v & ~above);
}

/* a b + c, fused where the instruction set has it: the same choice in every kernel of a level */
#if defined(__AVX512F__)
static inline lane lane_fma(lane a, lane b, lane c) { return (lane)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
static inline float scalar_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#elif defined(__AVX2__)
static inline lane lane_fma(lane a, lane b, lane c) { return (lane)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
static inline float scalar_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
static inline lane lane_fma(lane a, lane b, lane c) { return a * b + c; }
static inline float scalar_fma(float a, float b, float c) { return a * b + c; }
#endif
/* One number in all lanes. From memory a broadcast costs a load only, which compilers do not see where they know the scalar otherwise. */
static inline lane lane_spread(const float *p) {
#if defined(__AVX2__)
  lane v;
  __asm__("vbroadcastss %1, %0" : "=v"(v) : "m"(*p));
  return v;
#else
  return lane_all(*p);
#endif
}
/* What was stored at p is read back from memory by what follows: compilers otherwise rebuild single entries from registers, which is slower. */
static inline void read_back(const void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
#endif
