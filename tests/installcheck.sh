# SPDX-License-Identifier: GPL-3.0-or-later
# installcheck - after `make install`: a program of a few lines is built with nothing but what pkg-config says, in C and C++, in float
# and double, and runs; the programs say their version.
. "${top_srcdir:-.}/tests/script.sh"
export PKG_CONFIG_PATH="$libdir/pkgconfig" LD_LIBRARY_PATH="$libdir"
cat >"$work/use.c" <<'C'
#include <priori/priori.h>
#include <stdio.h>
int main(void) {
  pri_ctx *ctx = NULL;
  pri_array x = {0};
  const pri_shape shape = pri_shape_2d(3, 4);
  if (pri_open(&ctx, NULL) != PRI_OK || pri_array_create(ctx, &x, &shape, 2) != PRI_OK) return 1;
  printf("%d %s\n", (int)sizeof *x.data, pri_status_name(PRI_ESHAPE));
  pri_array_destroy(&x);
  pri_ctx_destroy(&ctx);
  return 0;
}
C
use() { # PACKAGE SIZE COMPILER...
  package=$1 size=$2
  shift 2
  # shellcheck disable=SC2046
  "$@" "$work/use.c" -o "$work/use" $(pkg-config --define-variable=prefix="$prefix" --cflags --libs "$package") && [ "$("$work/use")" = "$size ESHAPE" ]
}
for package in priori priori-double; do
  size=4
  [ $package = priori ] || size=8
  # shellcheck disable=SC2086
  check "$package in C" use $package $size $CC -std=c11
  # shellcheck disable=SC2086
  [ -z "${CXX-}" ] || check "$package in C++" use $package $size $CXX -std=c++17 -x c++
  check "$package --version" "$bindir/$package" --version
done
check 'headers are there' test -e "$includedir/priori/priori.h"
finish
