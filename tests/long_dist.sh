# SPDX-License-Identifier: GPL-3.0-or-later
# long_dist - make distcheck: the archive builds, checks, installs, uninstalls and cleans up from a read-only tree; then
# installcheck of a real installation
. "${top_srcdir:-.}/tests/variant.sh"
dir=$top_builddir/long/dist
from=$(sources) || broken /dev/null 'make distdir'
mkdir -p "$dir"
log=$dir/variant.log
(cd "$dir" && { [ -e Makefile ] || "$from/configure" --quiet --prefix="$(pwd)/inst"; }) >"$log" 2>&1 || broken "$log" configure
$MAKE -C "$dir" V=0 distcheck >"$log" 2>&1 || broken "$log" 'make distcheck'
{ $MAKE -C "$dir" V=0 install && $MAKE -C "$dir" V=0 installcheck && $MAKE -C "$dir" V=0 uninstall; } >"$log" 2>&1 || broken "$log" 'make install installcheck uninstall'
[ -z "$(find "$dir/inst" -type f)" ] || { find "$dir/inst" -type f >"$log"; broken "$log" 'make uninstall leaves files'; }
grep -E '^[0-9]+ passed, 0 failed, [0-9]+ skipped$' "$log" | tail -n 1
