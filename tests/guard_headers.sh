# SPDX-License-Identifier: GPL-3.0-or-later
# guard_headers - each public header compiles alone, as C11 and as C++17, in both precisions, without a warning.
. "${top_srcdir:-.}/tests/script.sh"
warn='-Wall -Wextra -Wpedantic -Werror -fsyntax-only'

alone() { # HEADER COMPILER...: the header as the only include
  header=$1
  shift
  echo "#include \"priori/$header\"" | "$@" -I"$top_srcdir/src" -
}

for path in "$top_srcdir"/src/priori/*.h; do
  header=${path##*/}
  for precision in -UPRI_DOUBLE -DPRI_DOUBLE; do
    # shellcheck disable=SC2086
    check "$header in C11, $precision" alone "$header" $CC -std=c11 $warn $precision -x c
    # shellcheck disable=SC2086
    if [ -n "${CXX-}" ]; then check "$header in C++17, $precision" alone "$header" $CXX -std=c++17 $warn $precision -x c++
    else skip "$header in C++17" 'no C++ compiler'; fi
  done
done
listed=$(sed -n '/^public_headers/,/[^\\]$/p' "$top_srcdir/src/local.mk" | tr ' \\' '\n\n' | grep -c '^src/priori/')
check "each header is installed" test "$listed" -eq "$(find "$top_srcdir/src/priori" -name '*.h' | wc -l)"
mkdir -p "$work/priori"
echo 'pri_status f(void);' >"$work/priori/bad.h"
fails 'found: a header that lacks an include' alone bad.h $CC -std=c11 -fsyntax-only -I"$work" -x c
finish
