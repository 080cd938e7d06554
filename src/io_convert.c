/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_convert.c - sample types of files to pri_real and back. Integers beyond 2^24 lose digits in the float build, as said in the manual.
   Half precision is IEEE 754 binary16, rounded to nearest even on the way out. */
#include "config.h"
#include <math.h>
#include <string.h>
#include "io_private.h"

static const struct {
  const char *name;
  size_t bytes;
  char kind;
  double top, bottom;   /* range of an integer type */
} types[PRI_DTYPES] = {
  [PRI_U8] = {"u8", 1, 'u', 255, 0},
  [PRI_U16] = {"u16", 2, 'u', 65535, 0},
  [PRI_U32] = {"u32", 4, 'u', 4294967295.0, 0},
  [PRI_U64] = {"u64", 8, 'u', 18446744073709549568.0, 0},   /* largest double that fits */
  [PRI_I8] = {"i8", 1, 'i', 127, -128},
  [PRI_I16] = {"i16", 2, 'i', 32767, -32768},
  [PRI_I32] = {"i32", 4, 'i', 2147483647.0, -2147483648.0},
  [PRI_I64] = {"i64", 8, 'i', 9223372036854774784.0, -9223372036854775808.0},
  [PRI_F16] = {"f16", 2, 'f', 0, 0},
  [PRI_F32] = {"f32", 4, 'f', 0, 0},
  [PRI_F64] = {"f64", 8, 'f', 0, 0},
};

const char *pri_dtype_name(pri_dtype t) { return types[t].name; }
size_t pri_dtype_bytes(pri_dtype t) { return types[t].bytes; }

int pri_dtype_find(const char *name) {
  for (int t = 0; t < PRI_DTYPES; ++t)
    if (strcmp(name, types[t].name) == 0) return t;
  return -1;
}

pri_dtype pri_dtype_of(char kind, size_t bytes, int *found) {
  for (int t = 0; t < PRI_DTYPES; ++t)
    if (types[t].kind == kind && types[t].bytes == bytes) return *found = 1, (pri_dtype)t;
  *found = 0;
  return PRI_U8;
}

int pri_big_endian(void) {
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  return first == 0;
}

/* 1 sign, 5 exponent, 10 fraction bits */
static double half_to_double(uint16_t h) {
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  const double special = fraction ? (double)NAN : (double)INFINITY;
  const double size = exponent == 0 ? ldexp(fraction, -24) : exponent < 31 ? ldexp(1024 + fraction, exponent - 25) : special;
  return h & 0x8000 ? -size : size;
}

static uint16_t double_to_half(double v) {
  const uint16_t sign = signbit(v) ? 0x8000 : 0;
  const double a = fabs(v);
  int e;
  if (isnan(v)) return 0x7e00;
  if (a >= 65520) return (uint16_t)(sign | 0x7c00);                       /* rounds to more than 65504 */
  if (a < ldexp(1, -14)) return (uint16_t)(sign | (unsigned)nearbyint(ldexp(a, 24)));
  frexp(a, &e);                                                           /* a = m 2^e, m in [1/2, 1) */
  const unsigned fraction = (unsigned)nearbyint(ldexp(a, 11 - e));        /* its hidden bit adds 1 to the exponent */
  return (uint16_t)(sign | (((unsigned)(e + 13) << 10) + fraction));
}

static void load(unsigned char *v, const unsigned char *p, size_t n, int swap) {
  if (!swap) memcpy(v, p, n);
  else for (size_t i = 0; i < n; ++i) v[i] = p[n - 1 - i];
}

#define DECODE(ctype, expr)                                                           \
  for (ptrdiff_t i = 0; i < n; ++i, p += step) {                                      \
    ctype v;                                                                          \
    load((unsigned char *)&v, p, sizeof v, swap);                                     \
    dst[i] = (expr);                                                                  \
  }                                                                                   \
  break
#define DECODE_ALL(out)                                                               \
  switch (t) {                                                                        \
  case PRI_U8: DECODE(uint8_t, (out)v);                                               \
  case PRI_U16: DECODE(uint16_t, (out)v);                                             \
  case PRI_U32: DECODE(uint32_t, (out)v);                                             \
  case PRI_U64: DECODE(uint64_t, (out)v);                                             \
  case PRI_I8: DECODE(int8_t, (out)v);                                                \
  case PRI_I16: DECODE(int16_t, (out)v);                                              \
  case PRI_I32: DECODE(int32_t, (out)v);                                              \
  case PRI_I64: DECODE(int64_t, (out)v);                                              \
  case PRI_F16: DECODE(uint16_t, (out)half_to_double(v));                             \
  case PRI_F32: DECODE(float, (out)v);                                                \
  case PRI_F64: DECODE(double, (out)v);                                               \
  case PRI_DTYPES: break;                                                             \
  }

void pri_samples_decode(pri_real *dst, const void *src, pri_dtype t, int swap, ptrdiff_t n, ptrdiff_t stride) {
  const unsigned char *p = src;
  const ptrdiff_t step = stride * (ptrdiff_t)types[t].bytes;
  if (t == (sizeof(pri_real) == 4 ? PRI_F32 : PRI_F64) && !swap && stride == 1) {
    memcpy(dst, src, (size_t)n * sizeof *dst);
    return;
  }
  DECODE_ALL(pri_real)
}

void pri_samples_double(double *dst, const void *src, pri_dtype t, int swap, ptrdiff_t n) {
  const unsigned char *p = src;
  const ptrdiff_t step = (ptrdiff_t)types[t].bytes;
  DECODE_ALL(double)
}

typedef struct { double scale, lo, top, bottom; ptrdiff_t clipped; } range;

static double rounded(range *r, double x) {
  const double v = nearbyint((x - r->lo) * r->scale);
  if (v >= r->bottom && v <= r->top) return v;
  ++r->clipped;
  return v > r->top ? r->top : v < r->bottom ? r->bottom : 0;   /* NaN: 0 */
}

#define ENCODE(ctype, expr)                                                           \
  for (ptrdiff_t i = 0; i < n; ++i) {                                                 \
    const ctype v = (ctype)(expr);                                                    \
    memcpy((char *)dst + (size_t)i * sizeof v, &v, sizeof v);                         \
  }                                                                                   \
  break

ptrdiff_t pri_samples_encode(void *dst, const pri_real *src, pri_dtype t, ptrdiff_t n, double lo, double hi) {
  range r = {1, 0, types[t].top, types[t].bottom, 0};
  if (hi > lo) r.scale = types[t].top / (hi - lo), r.lo = lo;
  switch (t) {
  case PRI_U8: ENCODE(uint8_t, rounded(&r, src[i]));
  case PRI_U16: ENCODE(uint16_t, rounded(&r, src[i]));
  case PRI_U32: ENCODE(uint32_t, rounded(&r, src[i]));
  case PRI_U64: ENCODE(uint64_t, rounded(&r, src[i]));
  case PRI_I8: ENCODE(int8_t, rounded(&r, src[i]));
  case PRI_I16: ENCODE(int16_t, rounded(&r, src[i]));
  case PRI_I32: ENCODE(int32_t, rounded(&r, src[i]));
  case PRI_I64: ENCODE(int64_t, rounded(&r, src[i]));
  case PRI_F16: ENCODE(uint16_t, double_to_half(src[i]));
  case PRI_F32: ENCODE(float, src[i]);
  case PRI_F64: ENCODE(double, src[i]);
  case PRI_DTYPES: break;
  }
  return r.clipped;
}
