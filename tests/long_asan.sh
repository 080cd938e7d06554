# SPDX-License-Identifier: GPL-3.0-or-later
# long_asan - the whole suite under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
. "${top_srcdir:-.}/tests/variant.sh"
has clang || skip_all 'no clang'
mkdir -p "$top_builddir/long"
echo 'leak:libomp' >"$top_builddir/long/lsan" # the threads of the run time live to the end
export LSAN_OPTIONS=print_suppressions=0:suppressions=$(cd "$top_builddir" && pwd)/long/lsan
export ASAN_OPTIONS=abort_on_error=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
variant asan "CC=clang CFLAGS='-O1 -g' --enable-sanitize=address,undefined"
