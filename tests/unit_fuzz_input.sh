# SPDX-License-Identifier: GPL-3.0-or-later
# unit_fuzz_input - the corpora of tests/fuzz_input.c and tests/fuzz_config.c: no crash, no leak, never a failure without words.
. "${top_srcdir:-.}/tests/script.sh"
replay() { # PROGRAM FOLDER
  [ -x "$top_builddir/tests/$1" ] || { skip "the corpus of $1" "tests/$1 is not built"; return; }
  for f in "$top_srcdir/tests/data/$2"/*; do check "${f##*/}" "$top_builddir/tests/$1" "$f"; done
}
replay fuzz-input corpus
replay fuzz-config corpus_config
finish
