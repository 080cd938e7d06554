# SPDX-License-Identifier: GPL-3.0-or-later
# cli_bad - values that are not finite: refused with the place, or repaired; nothing half-written.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom shepp-logan:contrast=modified,size=32 -o x.npy
ok 'measurement' simulate --operator ct:angles=16,detector=48 x.npy -o y.npy
# view 3, bin 17 becomes NaN: its four bytes lie in front of the last (16 48 - 3 48 - 17) values
size=$(wc -c <y.npy)
at=$((size - 4 * (16 * 48 - 3 * 48 - 17)))
poison() { { head -c $at y.npy; printf "$1"; tail -c +$((at + 5)) y.npy; } >bad.npy; }
g='--geometry angles=16,size=32'
for what in '\000\000\300\177' '\000\000\200\177' '\000\000\200\377'; do
  poison "$what"
  status 5 'refused' ct $g --solver fbp bad.npy -o z.tif
  complains 'view 3, bin 17' 'with its place' ct $g --solver fbp bad.npy -o z.tif
  check 'nothing written' test ! -e z.tif
  for policy in mask inpaint; do
    ok "$policy" ct $g --solver cgls --stop steps:5 --on-bad $policy bad.npy -o z.npy -f
  done
done
status 2 'unknown policy' ct $g --on-bad ignore y.npy -o z.tif
finish
