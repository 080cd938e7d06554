/* SPDX-License-Identifier: GPL-3.0-or-later */
/* simd.h (k) - which instruction set hot kernels use. Most fast paths exist in the float build only, banks of filters in both; results differ between levels in rounding. */
#ifndef PRI_SIMD_H
#define PRI_SIMD_H
typedef enum pri_simd_level { PRI_SIMD_C, PRI_SIMD_AVX2, PRI_SIMD_AVX512 } pri_simd_level;
pri_simd_level pri_simd(void);                    /* the machine's, lowered by PRIORI_SIMD; read anew at each call */
const char *pri_simd_name(pri_simd_level level);  /* "c" "avx2" "avx512" */
#endif
