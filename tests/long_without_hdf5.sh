# SPDX-License-Identifier: GPL-3.0-or-later
# long_without_hdf5 - the whole suite without the optional library
. "${top_srcdir:-.}/tests/variant.sh"
variant without_hdf5 '--without-hdf5'
