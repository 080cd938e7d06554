# SPDX-License-Identifier: GPL-3.0-or-later
# guard_symbols - the shared libraries export what the public headers declare, and nothing that does not begin with pri_.
. "${top_srcdir:-.}/tests/script.sh"
cat "$top_srcdir"/src/priori/*.h | grep -E '^PRI_API' | sed -E 's/.*[ *](pri_[a-z0-9_]+)\(.*/\1/' | sort -u >"$work/declared"
for name in priori priori-double; do
  library=$top_builddir/.libs/lib$name.so
  [ -e "$library" ] || { skip "exports of lib$name" 'no shared library was built'; continue; }
  nm -D --defined-only "$library" | awk '{print $NF}' | grep -vE '^(_init|_fini|__bss_start|_edata|_end|__asan.*|__odr.*|___asan.*)$' | sort -u >"$work/exported"
  check "lib$name exports only pri_*" sh -c '! grep -v "^pri_" "$1"' sh "$work/exported"
  check "lib$name exports nothing that no header declares" sh -c '! comm -13 "$1" "$2" | grep .' sh "$work/declared" "$work/exported"
  lack=$(comm -23 "$work/declared" "$work/exported" | tr '\n' ' ')
  if [ -z "$lack" ]; then pass; else skip "lib$name exports everything that the headers declare" "$(echo $lack | wc -w) not built yet: $(echo $lack | cut -c1-60) ..."; fi
done
finish
