# SPDX-License-Identifier: GPL-3.0-or-later
# long_faults - damaged inputs and full disks through whole commands: a TIFF stack cut at every strip boundary and at 1,000 offsets,
# 20 sizes of a full disk. Never a crash (status above 6 but 8), never a file that looks finished, nothing left behind.
. "${top_srcdir:-.}/tests/cli.sh"
"$priori" phantom ellipses:size=64 --count 3 --seed 4 -q -o whole.tif || exit 1
"$priori" denoise --prior tv:weight=0.05 --stop steps:2 -q whole.tif -o good.tif || exit 1
size=$(wc -c <whole.tif)

# a cut stack either lacks its directories (4) or some pixels (4); if only the end's padding is gone the bits are the same
wrong=
cut() { # OFFSET
  head -c "$1" whole.tif >cut.tif
  run denoise --prior tv:weight=0.05 --stop steps:2 -q cut.tif -f -o out.tif
  got=$?
  case $got in
  0) cmp -s out.tif good.tif || wrong="$wrong $1:other-pixels" ;;
  4) [ ! -e out.tif ] || wrong="$wrong $1:looks-finished" ;;
  *) wrong="$wrong $1:status-$got" ;;
  esac
  rm -f out.tif
}
at=8
while [ $at -lt "$size" ]; do cut $at; at=$((at + 64 * 4)); done # a row of 64 floats: strips end there
check "cut at every row of pixels:$wrong" test -z "$wrong"
wrong=
for at in $(awk -v n=1000 -v size="$size" 'BEGIN {srand(7); for (i = 0; i < n; i++) print int(rand() * size)}'); do cut "$at"; done
check "cut at 1,000 offsets:$wrong" test -z "$wrong"
check 'nothing is left' test -z "$(ls -A | grep -v -e '^whole.tif$' -e '^good.tif$' -e '^cut.tif$' -e '^\.out$' -e '^\.err$' -e '^\.said$')"

mkdir disk
if mount -t tmpfs -o size=4k none disk 2>/dev/null; then
  umount disk
  for kb in 4 8 12 16 20 24 28 32 36 40; do
    for name in x.tif x.npy; do
      mount -t tmpfs -o size=${kb}k none disk
      status 6 "$name on a disk of $kb kB" denoise --prior tv:weight=0.05 --stop steps:2 -q whole.tif -o disk/$name
      check "$name on a disk of $kb kB: nothing is left" test -z "$(ls -A disk)"
      umount disk
    done
  done
  mount -t tmpfs -o size=64k none disk
  ok 'checkpoints on a full disk do not end a run' denoise --prior tv:weight=0.05 --stop steps:2 -q whole.tif --resume -o disk/x.tif
  umount disk
else
  skip 'full disks' 'no tmpfs can be mounted here'
fi
if [ "$(id -u)" -ne 0 ]; then
  mkdir closed && chmod 555 closed
  status 6 'a folder that cannot be written to' denoise --prior tv:weight=0.05 --stop steps:2 whole.tif -o closed/x.tif
else
  skip 'a folder that cannot be written to' 'root writes anywhere'
fi
finish
