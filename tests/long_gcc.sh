# SPDX-License-Identifier: GPL-3.0-or-later
# long_gcc - the whole suite as gcc compiles it, warnings as errors
. "${top_srcdir:-.}/tests/variant.sh"
has gcc || skip_all 'no gcc'
variant gcc "CC=gcc CFLAGS='-O2 -g' --enable-werror"
