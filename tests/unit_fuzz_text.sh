# SPDX-License-Identifier: GPL-3.0-or-later
# unit_fuzz_text - the corpus of tests/fuzz_text.c, and every beginning of its .prior files: no crash, no leak, never a failure without words.
. "${top_srcdir:-.}/tests/script.sh"
fuzz=$top_builddir/tests/fuzz-text
[ -x "$fuzz" ] || { skip 'the corpus' 'tests/fuzz-text is not built'; finish; }
for f in "$top_srcdir"/tests/data/corpus_text/*; do check "${f##*/}" "$fuzz" "$f"; done
for f in "$top_srcdir"/tests/data/corpus_text/[fno]*.prior; do
  size=$(wc -c <"$f") at=1 n=0
  set --
  while [ $at -lt "$size" ]; do
    head -c $at "$f" >"$work/cut.$at"
    set -- "$@" "$work/cut.$at"
    at=$((at + 7))
  done
  check "${f##*/}, cut every 7 bytes" "$fuzz" "$@"
done
finish
