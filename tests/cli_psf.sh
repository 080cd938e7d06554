# SPDX-License-Identifier: GPL-3.0-or-later
# cli_psf - point-spread functions drawn and measured; the operator blur with them.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'a Gaussian' psf gaussian:sigma=1.5 -o g.tif
says '"shape": \[' 'info reads it' info --json g.tif
check 'its size: 4 sigma to each side' sh -c 'tr -d " \n" <.out | grep -q "\"shape\":\[13,13\]"'
check 'its provenance says what it is' sh -c 'tr -d "\n" <.out | grep -q "psf = gaussian:sigma=1.5"'
status 6 'not overwritten without -f' psf gaussian:sigma=1.5 -o g.tif
ok 'another size' psf gaussian:sigma=1.5 --size 21x15 -f -o g2.npy
"$priori" info --json g2.npy | tr -d ' \n' >info
check 'x first' grep -q '"shape":\[15,21\]' info
ok 'a microscope' psf born-wolf:na=0.8,wavelength=525nm,index=1.33,pixel=0.1umx0.3um --size 15x15x9 -o bw.tif
"$priori" info --json bw.tif | tr -d ' \n' >info
check 'planes are pages' grep -q '"shape":\[9,15,15\]' info
complains 'width at half maximum 3\.[0-9]* x 3\.[0-9]* x' 'its widths are said' psf born-wolf:na=0.8,wavelength=525nm,index=1.33,pixel=0.1umx0.3um --size 15x15x9 -f -o bw.tif
status 2 'nothing to draw' psf -o n.tif
status 2 'no place to write' psf gaussian
status 2 'an unknown key' psf gaussian:sgima=2 -o n.tif
status 2 'na is needed' psf airy:pixel=0.1um -o n.tif
status 2 'an even size' psf gaussian --size 4 -o n.tif
status 4 'a file that is not there' psf missing.tif -o n.tif

# 1 in some pixels of an image, u8: beads by mask and blur
{ printf '\223NUMPY\001\000\166\000'; printf "%-117s\n" "{'descr': '|u1', 'fortran_order': False, 'shape': (300, 300), }"; head -c 90000 /dev/zero | tr '\000' '\001'; } >ones.npy
ok 'beads' simulate --operator mask:random=0.0008 --operator blur:gaussian,sigma=1.5,border=zero --noise gaussian:sd=0.001 ones.npy -o beads.tif
ok 'are measured' psf --beads beads.tif --size 15x15 --json -o measured.tif
"$priori" psf --beads beads.tif --size 15x15 --json -f -o measured.tif 2>/dev/null | tr -d ' \n' >figures
check 'several are used' grep -qE '"used":[1-9][0-9]' figures
"$priori" psf gaussian:sigma=1.5 --size 15 --json -o true.tif 2>/dev/null | tr -d ' \n' >truth
width() { sed 's/.*"fwhm_px":\[\([0-9.]*\),.*/\1/' "$1"; }
check 'the width is that of the blur, to 3 %' awk -v a="$(width figures)" -v b="$(width truth)" 'BEGIN {exit !(a / b > 0.97 && a / b < 1.03)}'
status 2 'either beads or a formula' psf gaussian --beads beads.tif -f -o n.tif
status 5 'no bead in it' psf --beads ones.npy --size 15x15 -o n.tif

ok 'blurred with the file' simulate --operator blur:psf=g.tif,border=periodic beads.tif -o a.tif
ok 'blurred with the formula' simulate --operator blur:psf=gaussian,sigma=1.5,border=periodic beads.tif -o b.tif
"$priori" score --reference b.tif a.tif --json | sed -n 's/^ *"re": \([0-9.e-]*\),*/\1/p' | head -n 1 >re
check 'is the same to the rounding of the file' awk '{exit !($1 < 1e-6)}' re
for border in periodic reflect replicate zero unknown; do
  ok "restored with border=$border" reconstruct --operator blur:psf=g.tif,border=$border --prior tikhonov:0.01 --bound 0: --solver cgls --stop steps:3 beads.tif -f -o r.tif
  "$priori" info --json r.tif | tr -d ' \n' >info
  check "the result has the size of the data (border=$border)" grep -q '"shape":\[300,300\]' info
done
ok 'a start of the size of the field' reconstruct --operator blur:psf=g.tif,border=unknown --prior tv:0.01 --bound 0:1 --stop steps:5 --init r.tif beads.tif -f -o started.npy
status 2 'a start of another size' reconstruct --operator blur:psf=g.tif,border=unknown --prior tv:0.01 --bound 0:1 --stop steps:5 --init g.tif beads.tif -f -o started.npy
ok 'threads' reconstruct --operator blur:psf=g.tif,border=unknown --prior tv:0.01 --bound 0:1 --stop steps:5 -j 1 beads.tif -o one.npy
ok 'threads' reconstruct --operator blur:psf=g.tif,border=unknown --prior tv:0.01 --bound 0:1 --stop steps:5 -j 3 beads.tif -o three.npy
same 'same bytes whatever the threads' one.npy three.npy
complains '13 x 13 x 1 .* centre' 'what was made of a file is said' simulate --operator blur:psf=g.tif beads.tif -f -o a.tif
# a volume: its start is a file of as many pages
{ printf '\223NUMPY\001\000\166\000'; printf "%-117s\n" "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 20, 24), }"; head -c 2880 /dev/zero | tr '\000' '\003'; } >volume.npy
volume='--item volume --operator blur:gaussian,sigma=1x1x0.7,border=unknown --fidelity kl --bound 0: --solver rl --stop steps:3'
# shellcheck disable=SC2086
ok 'a volume' reconstruct $volume volume.npy -o v.tif
"$priori" info --json v.tif | tr -d ' \n' >info
check 'has its size' grep -q '"shape":\[6,20,24\]' info
# shellcheck disable=SC2086
ok 'goes on from there' reconstruct $volume --init v.tif volume.npy -f -o w.tif
# what a file says of its planes goes with the PSF: measured or drawn at another pitch, it is resampled; at the same, or an unknown one, it is not
ok 'a volume with a pitch' psf born-wolf:na=0.8,wavelength=525nm,index=1.33,pixel=0.1umx0.3um --size 5x5x5 -f -o pitch.tif
"$priori" info --json pitch.tif | tr -d ' \n' >info
check 'the distance of its planes is kept' grep -q '"pixel":{"x":0.1,"y":0.1,"z":0.3,"unit":"um"}' info
tv='--prior tv:1 --stop steps:1'
# shellcheck disable=SC2086
ok 'the same pitch' deblur --psf pitch.tif $tv pitch.tif -f -o p.tif
check 'is not resampled' sh -c '! grep -q resampled .err'
mkdir pages
ok 'a page that is silent of them' psf airy:na=0.8,wavelength=525nm,pixel=0.1um --size 9x9 -o pages/1.tif
for i in 2 3 4 5 6 7; do cp pages/1.tif pages/$i.tif; done
# shellcheck disable=SC2086
complains 'how far apart its planes are; 0.3 um' 'a stack that is silent has those of the PSF' deblur --psf pitch.tif $tv pages -f -o p.tif
check 'and is not resampled' sh -c '! grep -q resampled .err'
ok 'which can be made again' replay p.tif
# shellcheck disable=SC2086
complains 'axial 0.3. to 0.1 um .axial 0.6.' 'another one: resampled' deblur --psf pitch.tif:pixel=0.1umx0.6um $tv pitch.tif -f -o p.tif
# shellcheck disable=SC2086
complains "did you mean 'gaussian'" 'a shape mistyped' deblur --psf gausian:sigma=2 $tv beads.tif -f -o p.tif
status 2 'is a mistake of usage' psf gausian:sigma=2 -f -o p.tif
# shellcheck disable=SC2086
ok 'a volume by a formula with three axes' deblur --psf born-wolf:na=0.8,wavelength=525nm,index=1.33,size=3x3x3 $tv pitch.tif -f -o p.tif
complains '1 volume' 'is a volume' deblur --psf born-wolf:na=0.8,wavelength=525nm,index=1.33,size=3x3x3 $tv pitch.tif -f -o p.tif
# shellcheck disable=SC2086
complains 'airy' 'on a plane there is another one' deblur --psf born-wolf:na=0.8,wavelength=525nm,pixel=0.1um $tv beads.tif -f -o p.tif
# an 8 x 8 TIFF of u8 with so many dots per inch (less than 65536)
le() { for i in $(seq "$1"); do printf "\\$(printf %o $(($2 >> (8 * (i - 1)) & 255)))"; done; }
entry() { le 2 "$1"; le 2 "$2"; le 4 1; le 4 "$3"; }
dots() {
  printf 'II*\000'; le 4 80; head -c 64 /dev/zero | tr '\000' '\011'; le 4 "$1"; le 4 1
  le 2 11; entry 256 3 8; entry 257 3 8; entry 258 3 8; entry 259 3 1; entry 262 3 1; entry 273 4 8; entry 278 3 8; entry 279 4 64; entry 282 5 72; entry 283 5 72; entry 296 3 2; le 4 0
}
dots 25400 >fine.tif
dots 300 >print.tif
# shellcheck disable=SC2086
ok 'a length, and 1 um pixels in dots per inch' deblur --psf gaussian:sigma=1um $tv --bound 0:20 fine.tif -f -o p.tif
case $("$priori" --version -v) in
*'HDF5 yes'*)
  ok 'to HDF5' deblur --psf gaussian:sigma=1um --prior tv:1 --stop steps:1 --bound 0:20 fine.tif -f -o p.h5
  "$priori" info --json p.h5 | tr -d ' \n' >info
  check 'the pixel size is kept' grep -q '"pixel":{"x":0.001,"y":0.001,"unit":"mm"}' info ;;
*) skip 'pixel size in HDF5' 'built without' ;;
esac
complains 'add pixel=' 'the dots of a printer are not believed' deblur --psf gaussian:sigma=1um print.tif -f -o p.tif
status 2 'a PSF with more axes than the image' simulate --operator blur:psf=bw.tif beads.tif -f -o a.tif
finish
