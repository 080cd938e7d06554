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
status 2 'a PSF with more axes than the image' simulate --operator blur:psf=bw.tif beads.tif -f -o a.tif
finish
