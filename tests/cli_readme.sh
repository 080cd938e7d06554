# SPDX-License-Identifier: GPL-3.0-or-later
# cli_readme - every command of the README and of HACKING.md, as it stands there: the blocks marked `sh` run one after the other in one
# folder, each line must succeed. Blocks marked `console` build and install; .ci/run and tests/long_dist.sh do that.
. "${top_srcdir:-.}/tests/script.sh"
here=$(cd "$top_builddir" && pwd)
export PATH="$here:$PATH"
source=$(cd "$top_srcdir" && pwd)

commands() { # FILE: the logical lines of its sh blocks
  awk '/^```sh$/ {on = 1; next} /^```/ {on = 0} on' "$1" | sed -e ':a' -e '/\\$/{N;s/\\\n *//;ba' -e '}'
}

mkdir "$work/run"
cd "$work/run" || exit 1
scan=${PRIORI_DATA:+$PRIORI_DATA/ct/tooth/tooth.h5}
[ ! -e "${scan:-/nowhere}" ] || ln -s "$scan" scan.h5
commands "$source/README.md" >"$work/lines"
while IFS= read -r line; do
  case $line in
  *scan.h5*)
    [ -e scan.h5 ] || { skip "$line" 'needs PRIORI_DATA'; continue; }
    priori --version -v 2>/dev/null | grep -qi '^hdf5 yes' || { skip "$line" 'built without HDF5'; continue; } ;;
  esac
  check "README: $line" sh -c "$line"
done <"$work/lines"
check 'the README has commands' test "$(wc -l <"$work/lines")" -ge 12
check 'a picture came out' test -s look.png
check 'a slice came out' test -s slice.tif
for f in $(grep -o 'doc/[a-z/-]*\.png' "$source/README.md"); do check "README: $f" test -s "$source/$f"; done
check '--dry-run writes nothing' test ! -e never-written.tif
finish
