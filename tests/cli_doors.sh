# SPDX-License-Identifier: GPL-3.0-or-later
# cli_doors - every front door for images with every prior, given without a weight: runs, is certified, helps.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:size=32 --seed 5 -o x.tif
ok 'noisy' simulate --operator identity --noise gaussian:sd=0.05 x.tif -o denoise.tif
ok 'blurred' simulate --operator blur:psf=gaussian,sigma=1 --noise gaussian:sd=0.02 x.tif -o deblur.tif
ok 'half of it' simulate --operator mask:random=0.5 x.tif -o inpaint.tif
ok 'reduced' simulate --operator downsample:factor=2 x.tif -o upscale.tif
psnr() { "$priori" score --reference x.tif "$1" --json | awk -F: '/"mean"/ { on = 1 } on && /psnr/ { print $2 + 0; exit }'; }
door() { # LEAST PSNR, DOOR, PRIOR, OPTIONS
  least=$1 name=$2 prior=$3
  shift 3
  ok "$name with $prior" "$name" --prior "$prior" "$@" "$name.tif" -o z.tif -f
  check "$name with $prior: its weight is said" grep -q "weight of ${prior%%:*}: " .err
  check "$name with $prior: a proof" grep -q 'converged after .* relative gap' .err
  check "$name with $prior: $least dB" awk -v a="$(psnr z.tif)" -v b="$least" 'BEGIN { exit !(a > b) }'
}
# the starting points: 25.5 dB noisy, 23.2 blurred, 11 with holes; of the small image, pixels repeated 22.2
for prior in tv tgv wavelet hessian-schatten foe tikhonov:of=gradient smooth-tv huber-tv; do
  door 26.5 denoise $prior
  door 23.5 deblur $prior --psf gaussian:sigma=1
  door 22.5 inpaint $prior --mask random:0.5
  door 22.5 upscale $prior --factor 2
done
door 25.5 denoise tikhonov
door 23.5 deblur tikhonov --psf gaussian:sigma=1
door 11 inpaint tikhonov --mask random:0.5 # what is not known is 0: that is the smallest
door 22 upscale tikhonov --factor 2
ok 'no saddle form: another solver' deblur --psf gaussian:sigma=1 --prior tpv deblur.tif -o p.tif
check 'whose result is near' awk -v a="$(psnr p.tif)" 'BEGIN { exit !(a > 23.3) }'
status 2 'of exact data it is refused' inpaint --mask random:0.5 --prior tpv inpaint.tif -o q.tif
# spread:V is in the scale of the data
says '^prior = hessian-schatten:weight=spread:5e-3' 'upscale: the default' upscale --factor 2 --print-config upscale.tif
says '^prior = tv:weight=spread:5e-3' 'upscale: both of it' upscale --factor 2 --print-config upscale.tif
ok 'upscale: as it comes' upscale --factor 2 upscale.tif -o both.tif
check 'upscale: is near' awk -v a="$(psnr both.tif)" 'BEGIN { exit !(a > 24) }'
for solver in fista wiener; do says "^solver = $solver" "upscale: a solver of one or no prior, $solver" upscale --factor 2 --solver $solver --print-config upscale.tif; done
check 'upscale: has one prior at most' test "$("$priori" upscale --factor 2 --solver fista --print-config upscale.tif | grep -c '^prior')" -le 1
"$priori" upscale --factor 2 --print-config upscale.tif >both.ini 2>.err
ok 'upscale: configuration, fed back' reconstruct both.ini upscale.tif -o again.npy
ok 'upscale: the door' upscale --factor 2 upscale.tif -o first.npy
same 'upscale: gives the same pixels' again.npy first.npy
ok 'upscale: from the noise' upscale --factor 2 --noise-level sd:0.02 upscale.tif -o n.tif
check 'upscale: both weights are said' sh -c 'grep -q "weight of tv: .*(auto:sure)" .err && grep -q "weight of hessian-schatten: .*(auto:sure)" .err'
ok 'ten times as bright' simulate --operator scale:factor=10 upscale.tif -o bright.tif
for f in upscale bright; do ok "$f" upscale --factor 2 --prior tgv:weight=spread:0.01 --stop steps:3 $f.tif -o s.tif -f; sed -n 's/.*weight of tgv: \([^ ]*\).*/\1/p' .err >$f.w; done
check 'ten times the weight' awk -v a="$(cat upscale.w)" -v b="$(cat bright.w)" 'BEGIN { exit !(a > 0 && b / a > 9.99 && b / a < 10.01) }'
for v in spread:0 spread:-1 spread: spread:x rel:0 rel:11; do status 2 "weight=$v" upscale --factor 2 --prior tv:weight=$v upscale.tif -o w.tif; done
check 'nothing is written' test ! -e w.tif
finish
