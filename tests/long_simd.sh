# SPDX-License-Identifier: GPL-3.0-or-later
# long_simd - the tests of this build with the portable kernels and with AVX2, chosen at run time
. "${top_srcdir:-.}/tests/variant.sh"
log=$top_builddir/long/simd.log
mkdir -p "$top_builddir/long"
passed=0 failed=0 skipped=0
for level in c avx2 avx512; do
  PRIORI_SIMD=$level ONLY='(float|double)/' JOBS=1 sh "$top_srcdir/tests/run" >"$log" 2>&1
  grep -E '^(FAIL:|  \|)' "$log"
  # shellcheck disable=SC2046
  set -- $(tail -n 1 "$log" | tr -dc '0-9 ')
  [ $# -eq 3 ] || broken "$log" "tests/run with PRIORI_SIMD=$level"
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
