# SPDX-License-Identifier: GPL-3.0-or-later
# long_without_simd - the whole suite without AVX2 and AVX-512 kernels, nor any optional library
. "${top_srcdir:-.}/tests/variant.sh"
variant without_simd '--disable-simd --without-hdf5'
