# SPDX-License-Identifier: GPL-3.0-or-later
# PRI_SIMD - flags of the files that are compiled for one instruction set; the program chooses at run time. --disable-simd: portable C only.
AC_DEFUN([PRI_SIMD], [
  AC_ARG_ENABLE([simd], [AS_HELP_STRING([--disable-simd], [portable C kernels only])], [], [enable_simd=yes])
  pri_simd="portable C"
  pri_avx2=no pri_avx512=no
  AVX2_CFLAGS="-mavx2 -mfma -mf16c" AVX512_CFLAGS="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mprefer-vector-width=512"
  AS_IF([test "x$enable_simd" = xyes], [
    pri_save=$CFLAGS
    CFLAGS="$pri_save $AVX2_CFLAGS"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]], [[__m256 a = _mm256_setzero_ps(); a = _mm256_fmadd_ps(a, a, a); return (int)_mm256_cvtss_f32(a);]])], [pri_avx2=yes])
    CFLAGS="$pri_save $AVX512_CFLAGS"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]], [[__m512 a = _mm512_setzero_ps(); a = _mm512_permutex2var_ps(a, _mm512_castps_si512(a), a); return (int)_mm512_reduce_add_ps(a);]])], [pri_avx512=yes])
    CFLAGS=$pri_save
  ])
  AS_IF([test $pri_avx2 = yes], [AC_DEFINE([PRI_AVX2], [1], [AVX2 kernels are compiled]) pri_simd="$pri_simd, AVX2"])
  AS_IF([test $pri_avx512 = yes], [AC_DEFINE([PRI_AVX512], [1], [AVX-512 kernels are compiled]) pri_simd="$pri_simd, AVX-512"])
  AM_CONDITIONAL([AVX2], [test $pri_avx2 = yes])
  AM_CONDITIONAL([AVX512], [test $pri_avx512 = yes])
  AC_SUBST([AVX2_CFLAGS]) AC_SUBST([AVX512_CFLAGS])
])
