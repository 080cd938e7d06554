# SPDX-License-Identifier: GPL-3.0-or-later
# variant.sh - what the long scripts share. variant NAME "CONFIGURE ARGUMENTS" [CHECK ARGUMENT...] builds the tree once more, in
# long/NAME of the build folder (kept, so that a second run is quick), runs its checks and ends with their counts.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}" "${MAKE:=make}"
unset MAKEFLAGS MFLAGS MAKELEVEL PRIORI_LONG ONLY V LIMIT_S
export LC_ALL=C

has() { command -v "$1" >/dev/null 2>&1; }
skip_all() { echo "skipped: $1"; echo '0 passed, 0 failed, 1 skipped'; exit 0; }
broken() { tail -n 60 "$1"; echo "failed: $2"; echo '0 passed, 1 failed, 0 skipped'; exit 1; }

# the sources: the tree itself, or a copy where it is configured in place
sources() {
  [ -e "$top_srcdir/config.status" ] || { (cd "$top_srcdir" && pwd); return; }
  (cd "$top_builddir" && mkdir -p long && $MAKE -s distdir distdir=long/source >/dev/null && cd long/source && pwd)
}

variant_build() { # NAME ARGUMENTS
  dir=$top_builddir/long/$1
  mkdir -p "$dir"
  from=$(sources) || broken /dev/null 'make distdir'
  log=$dir/variant.log
  # shellcheck disable=SC2086
  [ "$(cat "$dir/variant.args" 2>/dev/null)" = "$2" ] && [ -e "$dir/Makefile" ] ||
    (cd "$dir" && eval "'$from/configure' --quiet --disable-static $2" >variant.log 2>&1 && echo "$2" >variant.args) || broken "$log" "configure $2"
  $MAKE -C "$dir" V=0 all >"$log" 2>&1 || broken "$log" "make, configured with $2"
}

variant() {
  name=$1 args=$2
  shift 2
  variant_build "$name" "$args"
  $MAKE -C "$dir" V=0 JOBS=1 "$@" check >"$log" 2>&1
  grep -E "^(FAIL:|  \|)" "$log"
  counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
  [ -n "$counts" ] || broken "$log" "make check, configured with $args"
  echo "$counts"
  case $counts in *' 0 failed'*) exit 0 ;; esac
  exit 1
}
