#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# fuzz.sh - `make fuzz`: libFuzzer with ASan and UBSan on every reader, FUZZ_SECONDS (60) each, from the corpora of tests/data. Needs clang.
# Ends with status 1 and the name of the input that broke something; new inputs stay in the build folder fuzz/NAME.
set -eu
seconds=${FUZZ_SECONDS:-60}
src=$(cd "$top_srcdir" && pwd)
mkdir -p fuzz && cd fuzz
[ -e Makefile ] || "$src/configure" CC="${FUZZ_CC:-clang}" CFLAGS='-g -O1 -fsanitize=fuzzer-no-link,address,undefined' --disable-shared >configure.log
${MAKE:-make} lists >/dev/null
${MAKE:-make} -j"$(nproc)" tests/fuzz-input tests/fuzz-text tests/fuzz-config fuzz_flags='-DPRI_FUZZ -fsanitize=fuzzer' >make.log 2>&1 || { tail -n 20 make.log; exit 1; }
run() { # NAME PROGRAM SEEDS...
  name=$1 program=$2
  shift 2
  mkdir -p "$name"
  cp "$@" "$name"
  echo "$name: $seconds s"
  "tests/$program" -max_total_time="$seconds" -rss_limit_mb=3000 -timeout=30 -max_len=65536 -artifact_prefix="$name-" -print_final_stats=1 "$name" >"$name.log" 2>&1 ||
    { tail -n 30 "$name.log"; echo "fuzz: $name broke: see $PWD/$name.log"; exit 1; }
  sed -n 's/^stat::number_of_executed_units: */  inputs tried: /p' "$name.log"
}
data=$src/tests/data
run tiff fuzz-input "$data"/corpus/*.tif
run npy fuzz-input "$data"/corpus/*.npy
run mat fuzz-input "$data"/corpus/*.mat
run png fuzz-input "$data"/corpus/*.png
run spec fuzz-text "$data"/corpus_text/spec_*
run prior fuzz-text "$data"/corpus_text/*.prior
run config fuzz-config "$data"/corpus_config/*.ini
