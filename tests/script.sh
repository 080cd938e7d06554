# SPDX-License-Identifier: GPL-3.0-or-later
# script.sh - what test scripts share; they begin with `. "${top_srcdir:-.}/tests/script.sh"` and end with `finish`.
#   check WHAT COMMAND...   passes where COMMAND exits 0; its output is shown where it does not
#   fails WHAT COMMAND...   passes where COMMAND exits 1 (a guard that finds something)
#   skip WHAT WHY           is counted and said
# $work is a folder of the script's own that is removed at the end; $priori the built program.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}"
export LC_ALL=C
priori=$top_builddir/priori
n_passed=0 n_failed=0 n_skipped=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

pass() { n_passed=$((n_passed + 1)); }
fail() { n_failed=$((n_failed + 1)); printf 'failed: %s\n' "$1"; }
skip() { n_skipped=$((n_skipped + 1)); printf 'skipped: %s: %s\n' "$1" "$2"; }
check() { expect 0 "$@"; }
fails() { expect 1 "$@"; }
# expect STATUS WHAT COMMAND... - passes where COMMAND exits with STATUS
expect() {
  want=$1 what=$2
  shift 2
  "$@" >"$work/.said" 2>&1
  got=$?
  if [ $got -eq "$want" ]; then pass; else fail "$what (exit status $got, not $want)"; sed 's/^/    /' "$work/.said"; fi
}
finish() {
  echo "$n_passed passed, $n_failed failed, $n_skipped skipped"
  [ "$n_failed" -eq 0 ] || exit 1
  exit 0
}
