# SPDX-License-Identifier: GPL-3.0-or-later
# long_without_openmp - the whole suite without threads
. "${top_srcdir:-.}/tests/variant.sh"
variant without_openmp '--without-openmp'
