# SPDX-License-Identifier: GPL-3.0-or-later
# cli_inpaint - the front door of inpainting: masks drawn and from files, missing values, what is known is kept.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:size=40 --seed 5 -o x.tif
ok 'half of it' simulate --operator mask:random=0.5 x.tif -o y.tif
psnr() { "$priori" score --reference x.tif "$1" --json | awk -F: '/"mean"/ { on = 1 } on && /psnr/ { print $2 + 0; exit }'; }
better() { check "$1" awk -v a="$(psnr "$2")" -v b="$(psnr "$3")" -v by="$4" 'BEGIN { exit !(b > a + by) }'; }
ok 'without more' inpaint --mask random:0.5 y.tif -o z.tif
check 'share of the known pixels is said' grep -q 'mask: [45].* % of the pixels are known' .err
check 'weight is said' grep -q 'weight of tv: ' .err
better 'better by 8 dB' y.tif z.tif 8
says '^operator = mask:random=0.5' 'configuration: operator' inpaint --mask random:0.5 --print-config y.tif
says '^prior = tv:weight=rel:' 'configuration: free of noise' inpaint --mask random:0.5 --print-config y.tif
says '^prior = tv:weight=auto:' 'configuration: noisy' inpaint --mask random:0.5 --noise-level sd:0.1 --print-config y.tif
says '^operator = mask:.*bars=2' 'configuration: bars' inpaint --mask bars:2x8 --print-config y.tif
"$priori" inpaint --mask random:0.5 --stop steps:20 --print-config y.tif >a.ini 2>.err
check 'options of the door became keys' test "$(grep -c '^mask' a.ini)" -eq 0
ok 'configuration, fed back' reconstruct a.ini y.tif -o one.npy
ok 'the door' inpaint --mask random:0.5 --stop steps:20 y.tif -o two.npy -j 3
same 'same pixels' one.npy two.npy
check 'the noise of data without any is not asked for' sh -c '! grep -q "noise level" .err'
# holes are not noise: what is estimated is that of the known pixels
ok 'a larger phantom' phantom ellipses:size=96 --seed 5 -o big.tif
ok 'half of it, noisy' simulate --operator mask:random=0.5 --noise gaussian:sd=0.02 big.tif -o noisy.tif
ok 'from the noise' inpaint --mask random:0.5 --noise-level auto noisy.tif -o n.tif
check 'within a third' grep -qE 'noise level: sd 0\.0(1[4-9]|2[0-6])' .err
# a mask from a file; what lies under it is not looked at
ok 'mask' simulate --operator mask:random=0.7 x.tif -o m.npy
ok 'ones' simulate --operator scale:factor=0 x.tif -o zero.npy
size=$(wc -c <zero.npy)
nan='\000\000\300\177'
poison() { # FILE INDEX VALUE: four bytes of an NPY of 1600 floats
  at=$((size - 4 * (1600 - $2)))
  { head -c $at "$1"; printf "$3"; tail -c +$((at + 5)) "$1"; } >.poisoned && mv .poisoned "$1"
}
ok 'image' reconstruct --solver none x.tif -o x.npy
cp x.npy hole.npy
ok 'known everywhere' simulate --operator identity x.tif -o known.npy
{ head -c $((size - 6400)) x.npy; i=0; while [ $i -lt 800 ]; do printf '\000\000\200\077\000\000\200\077'; i=$((i + 1)); done; } >known.npy
for i in 410 411 450 451 805; do
  poison hole.npy $i $nan
  poison known.npy $i '\000\000\000\000'
done
status 5 'missing values are refused elsewhere' denoise --prior tv:0.1 hole.npy -o w.npy
ok 'a mask from a file' inpaint --mask known.npy hole.npy -o file.tif
ok 'missing values' inpaint hole.npy -o missing.tif
check 'are counted' grep -q '5 values were not finite' .err
for f in file missing; do check "$f: near the truth" awk -v a="$(psnr $f.tif)" 'BEGIN { exit !(a > 30) }'; done
check 'which are meant is said' grep -q 'no --mask: the pixels that are not finite are filled in' .err
# what is known stays, bit by bit, unless it is noisy or --then says otherwise
kept() { # FILE: how many of the values of y.tif that are not 0 are not the same in it
  ok "$1 as numbers" reconstruct --solver none "$1" -o k.npy -f
  ok "$1: y as numbers" reconstruct --solver none y.tif -o ky.npy -f
  tail -c 6400 ky.npy | od -An -v -w4 -tx4 >k.want
  tail -c 6400 k.npy | od -An -v -w4 -tx4 | paste -d ' ' k.want - | awk '$1 != "00000000" { n++; if ($1 != $2) d++ } END { print (n > 100 ? d + 0 : "none") }'
}
for level in '' '--noise-level sd:0' '--noise-level relative:0'; do
  ok "exact: $level" inpaint --mask random:0.5 --stop steps:20 $level y.tif -o e.tif -f
  check "exact: $level: every known pixel stays" test "$(kept e.tif)" = 0
done
ok 'asked for, with noise' inpaint --mask random:0.5 --noise-level sd:0.02 --then known --stop steps:20 y.tif -o e.tif -f
check 'asked for: they stay' test "$(kept e.tif)" = 0
for o in '--then none' '--noise-level sd:0.02'; do
  ok "fitted: $o" inpaint --mask random:0.5 $o --stop steps:20 y.tif -o e.tif -f
  check "fitted: $o: known pixels move" test "$(kept e.tif)" -gt 100
done
says '^then = known' 'configuration: they stay' inpaint --mask random:0.5 --print-config y.tif
complains 'the data are no pixels of the image' 'deblurring has none to keep' deblur --psf gaussian:sigma=1 --then known y.tif -o w.npy
status 2 'no mask and nothing missing' inpaint x.tif -o w.npy
complains 'which pixels are missing. --mask FILE' 'is asked for' inpaint x.tif -o w.npy
# refusals
status 4 'no such mask' inpaint --mask none.tif y.tif -o w.npy
status 2 'share out of range' inpaint --mask random:2 y.tif -o w.npy
ok 'another size' phantom ellipses:size=20 -o small.npy
status 2 'a mask of another size' inpaint --mask small.npy y.tif -o w.npy
check 'nothing is written' test ! -e w.npy
finish
