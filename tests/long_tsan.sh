# SPDX-License-Identifier: GPL-3.0-or-later
# long_tsan - the tests of everything that runs in threads under ThreadSanitizer: clang, whose OpenMP run time tells the
# sanitizer (by libarcher) what it synchronises; libraries that are not built so are not looked into
. "${top_srcdir:-.}/tests/variant.sh"
has clang || skip_all 'no clang'
export TSAN_OPTIONS=ignore_noninstrumented_modules=1 OMP_NUM_THREADS=4
dir=$top_builddir/long
mkdir -p "$dir"
echo 'int main(void) { return 0; }' >"$dir/tsan.c"
clang -fsanitize=thread -fopenmp "$dir/tsan.c" -o "$dir/tsan-try" >"$dir/tsan.log" 2>&1 || skip_all 'clang has no ThreadSanitizer or no OpenMP (libclang-rt, libomp-dev)'
# old run times cannot live with many random address bits
"$dir/tsan-try" || { setarch -R "$dir/tsan-try" && MAKE="setarch -R $MAKE"; } || skip_all 'ThreadSanitizer does not run here'
variant tsan "CC=clang CFLAGS='-O1 -g' --enable-sanitize=thread" ONLY='(float|double)/'
