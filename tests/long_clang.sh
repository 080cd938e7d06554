# SPDX-License-Identifier: GPL-3.0-or-later
# long_clang - the whole suite as clang compiles it, warnings as errors
. "${top_srcdir:-.}/tests/variant.sh"
has clang || skip_all 'no clang'
variant clang "CC=clang CFLAGS='-O2 -g' --enable-werror"
