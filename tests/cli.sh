# SPDX-License-Identifier: GPL-3.0-or-later
# cli.sh - what the cli_*.sh share; they begin with `. "${top_srcdir:-.}/tests/cli.sh"` and end with `finish`. On top of script.sh:
#   ok WHAT ARGS...                 `priori ARGS` exits 0
#   status N WHAT ARGS...           `priori ARGS` exits with N; nothing on stdout where N is an error of usage or input (2, 4, 5, 6, 8)
#   says PATTERN WHAT ARGS...       stdout of `priori ARGS` (any status) has a line that matches PATTERN (grep -E)
#   complains PATTERN WHAT ARGS...  stderr has
#   same WHAT FILE FILE             same bytes
# Scripts work in $work, a folder of their own; what priori said last is in $work/.out and $work/.err.
. "${top_srcdir:-.}/tests/script.sh"
priori=$(cd "$top_builddir" && pwd)/priori
cd "$work" || exit 1

run() { "$priori" "$@" >.out 2>.err </dev/null; }
show() { sed 's/^/    out: /' .out | head -n 12; sed 's/^/    err: /' .err | head -n 12; }
status() {
  want=$1 what=$2
  shift 2
  run "$@"
  got=$?
  if [ $got -ne "$want" ]; then
    fail "$what (exit status $got, not $want)"; show
  elif [ -s .out ] && case $want in 2 | 4 | 5 | 6 | 8) true ;; *) false ;; esac; then
    fail "$what (something on stdout)"; show
  elif [ ! -s .err ] && [ "$want" -ne 0 ] && [ "$want" -ne 3 ]; then
    fail "$what (status $want without a word)"; show
  else
    pass
  fi
}
ok() { status 0 "$@"; }
look() { # FILE PATTERN WHAT ARGS...
  where=$1 pattern=$2 what=$3
  shift 3
  run "$@"
  if grep -qE -e "$pattern" "$where"; then pass; else fail "$what (no line matches $pattern)"; show; fi
}
says() { look .out "$@"; }
complains() { look .err "$@"; }
same() { check "$1" cmp -s "$2" "$3"; }
