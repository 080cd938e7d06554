# SPDX-License-Identifier: GPL-3.0-or-later
# cli_deblur - the front door of deconvolution: PSFs drawn and from files, borders, photon counts.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:size=48 --seed 5 -o x.tif
ok 'blurred' simulate --operator blur:psf=gaussian,sigma=1.2,border=replicate --noise gaussian:sd=0.005 x.tif -o y.tif
psnr() { "$priori" score --reference x.tif "$1" --json | awk -F: '/"mean"/ { on = 1 } on && /psnr/ { print $2 + 0; exit }'; }
ok 'without more' deblur --psf gaussian:sigma=1.2 y.tif -o z.tif
check 'noise is said' grep -q 'noise level: sd 0.00' .err
check 'weight is said' grep -q 'weight of tv: ' .err
check 'better by 2 dB' awk -v a="$(psnr y.tif)" -v b="$(psnr z.tif)" 'BEGIN { exit !(b > a + 2) }'
check 'where it went is said last' sh -c 'tail -n 1 .err | grep -qx "priori: deblur: wrote z.tif"'
ok 'quietly' deblur --psf gaussian:sigma=1.2 -q y.tif -f -o z.tif
check 'nothing is said' test ! -s .err
ok 'of data without noise' deblur --psf gaussian:sigma=1.2 --prior tv:weight=0.001 x.tif -o p.tif
"$priori" info --json p.tif | tr -d ' \n' >info
check 'what is nowhere negative stays so' grep -q '"lower_bound":0,' info
ok 'a folder of its own' deblur --psf gaussian:sigma=1.2 --prior tv:weight=0.001 --stop steps:2 y.tif x.tif -o made/
check 'is made' test -s made/x.tif
status 6 'but not the one that it would be in' deblur --psf gaussian:sigma=1.2 y.tif x.tif -o typo/made/
says '^operator = blur:psf=gaussian.*sigma=1.2.*border=replicate' 'configuration: operator' deblur --psf gaussian:sigma=1.2 --print-config y.tif
says 'border=unknown' 'configuration: border' deblur --psf disk:radius=2 --border unknown --print-config y.tif
says '^bound = 0:auto' 'photon counts are not negative' deblur --psf disk:radius=2 --fidelity kl --print-config y.tif
for border in unknown reflect periodic zero; do
  ok "border $border" deblur --psf gaussian:sigma=1.2 --border $border --prior tv:weight=0.001 --stop steps:5 y.tif -o b.tif -f
  says '48,' 'has the size of the input' info b.tif --json
done
# a PSF from a file: the impulse response
ok 'a point' phantom ellipses:size=9,count=1 -o p.npy
size=$(wc -c <p.npy)
{ head -c $((size - 324)) p.npy; head -c 160 /dev/zero; printf '\000\000\200\077'; head -c 160 /dev/zero; } >point.npy
ok 'its picture' simulate --operator blur:psf=gaussian,sigma=1,border=zero,size=9 point.npy -o psf.npy
ok 'a PSF from a file' deblur --psf psf.npy --prior tv:weight=0.001 --stop steps:10 y.tif -o f.tif
tv='--prior tv:weight=0.001 --stop steps:10'
"$priori" deblur --psf gaussian:sigma=1.2 $tv --print-config y.tif >a.ini 2>.err
check 'options of the door became keys' test "$(grep -cE '^(psf|border)' a.ini)" -eq 0
ok 'configuration, fed back' reconstruct a.ini y.tif -o one.npy
ok 'the door' deblur --psf gaussian:sigma=1.2 $tv y.tif -o two.npy -j 3
same 'same pixels' one.npy two.npy
status 2 'without a PSF' deblur y.tif -o w.npy
complains '--psf' 'says what is missing' deblur y.tif -o w.npy
status 4 'no such PSF' deblur --psf none.tif y.tif -o w.npy
status 2 'sigma out of range' deblur --psf gaussian:sigma=-1 y.tif -o w.npy
status 2 'unknown key' deblur --psf gaussian:sgima=1 y.tif -o w.npy
status 2 'unknown border' deblur --psf gaussian:sigma=1 --border mirror y.tif -o w.npy
check 'nothing is written' test ! -e w.npy
finish
