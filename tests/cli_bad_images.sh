# SPDX-License-Identifier: GPL-3.0-or-later
# cli_bad_images - values that say nothing, in images and in raw counts, under every policy: NaN, infinite, saturated, a page without a value.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:size=32 --count 2 --seed 5 -o x.npy
ok 'noise' simulate --operator identity --noise gaussian:sd=0.02 x.npy -o y.npy
n=1024
size=$(wc -c <y.npy)
poison() { # IN OUT INDEX VALUE...: four bytes of the two images of floats
  at=$((size - 4 * (2 * n - $3)))
  { head -c $at "$1"; printf "$4"; tail -c +$((at + 5)) "$1"; } >"$2"
}
psnr() { "$priori" score --reference x.npy "$1" --json | awk -F: '/"mean"/ { on = 1 } on && /psnr/ { print $2 + 0; exit }'; }
tv='--prior tv:weight=0.03 --stop gap:1e-3'
ok 'clean' denoise $tv y.npy -o clean.npy
for what in '\000\000\300\177' '\000\000\200\177' '\000\000\200\377'; do
  poison y.npy bad.npy $((n + 5 * 32 + 17)) "$what" # second image, y 5, x 17
  for policy in error keep; do
    status 5 "$policy refuses" denoise $tv --on-bad $policy bad.npy -o z.npy
    complains '1 value is not finite, the first .* at y 5, x 17 of slice 1' 'with its place' denoise $tv --on-bad $policy bad.npy -o z.npy
  done
  for door in 'denoise' 'deblur --psf gaussian:sigma=0.5'; do
    for policy in mask inpaint; do
      ok "$door, $policy" $door $tv --on-bad $policy bad.npy -o $policy.npy -f
      check 'and says so' grep -q '1 values were not finite' .err
      check "$door, $policy: near the clean result" awk -v a="$(psnr clean.npy)" -v b="$(psnr $policy.npy)" 'BEGIN { exit !(b > a - 3) }'
    done
  done
done
# a whole page, a whole row
cp y.npy page.npy
{ head -c $((size - 4 * n)) y.npy; i=0; while [ $i -lt $n ]; do printf '\000\000\300\177'; i=$((i + 1)); done; } >page.npy
for policy in error mask inpaint; do status 5 "a page without a value, $policy" denoise $tv --on-bad $policy page.npy -o z.npy; done
complains 'slice 1 holds no good value' 'which one' denoise $tv --on-bad mask page.npy -o z.npy
status 5 'nothing is known' inpaint page.npy -o z.npy
ok 'the other page is fine' denoise $tv --slices 0 page.npy -o first.npy
cp y.npy row.npy
for x in $(seq 0 31); do poison row.npy .r $((7 * 32 + x)) '\000\000\300\177' && mv .r row.npy; done
for policy in mask inpaint; do
  ok "a row, $policy" denoise $tv --on-bad $policy row.npy -o $policy.npy -f
  check "a row, $policy: near the clean result" awk -v a="$(psnr clean.npy)" -v b="$(psnr $policy.npy)" 'BEGIN { exit !(b > a - 4) }'
done
# saturated: 16 bits are counts of a camera, 8 bits may be plain white
for t in u8 u16; do ok "$t" reconstruct --solver none --dtype $t --scale 0:0.7 y.npy -o $t.tif; done
w='--prior tv:weight=1 --stop steps:3'
status 5 'saturated counts are refused' denoise $w u16.tif -o z.npy
complains 'saturated, the first \(65535\)' 'and named' denoise $w u16.tif -o z.npy
check 'nothing is written' test ! -e z.npy
for policy in mask inpaint keep; do ok "saturated, $policy" denoise $w --on-bad $policy u16.tif -o s.npy -f; done
ok 'white is ordinary' denoise $w u8.tif -o s.npy -f
check 'it is said' grep -q 'may be saturated' .err
ok 'unless asked' denoise $w --on-bad mask u8.tif -o s.npy -f
check 'weight zero' grep -q 'they have weight zero' .err
ok 'simulate takes all' simulate --operator identity u16.tif -o s.npy -f
finish
