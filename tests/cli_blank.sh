# SPDX-License-Identifier: GPL-3.0-or-later
# cli_blank - stacks with blank frames: a page of one value and a page of zeros have the minimum 0, of which no share can be reached; they converge
# beside a page that has a picture on it, and come back as they were.
. "${top_srcdir:-.}/tests/cli.sh"
precisions='float double'
ok 'phantom' phantom ellipses:size=32,dots=0 --seed 3 -o x.npy
ok 'picture' reconstruct --solver none --dtype u8 --scale 0:1 x.npy -o picture.tif
ok 'its bytes' reconstruct --solver none picture.tif --dtype u8 --scale 0:255 -o picture.npy
# stack NAME HEIGHT WIDTH PAGE: a page of bytes, one of 117, one of 0
stack() {
  n=$(($2 * $3))
  printf '\223NUMPY\001\000\166\000' >"$1"
  printf "%-117s\n" "{'descr': '|u1', 'fortran_order': False, 'shape': (3, $2, $3), }" >>"$1"
  tail -c $n "$4" >>"$1"
  head -c $n /dev/zero | tr '\0' 'u' >>"$1"
  head -c $n /dev/zero >>"$1"
}
# blank WHAT FILE PIXELS: pages 1 and 2 are 117 and 0, as bytes
blank() {
  ok "$1: as bytes" reconstruct --solver none "$2" --dtype u8 --scale 0:255 -f -o bytes.npy
  tail -c $((2 * $3)) bytes.npy >pages.raw
  { head -c "$3" /dev/zero | tr '\0' 'u'; head -c "$3" /dev/zero; } >want.raw
  same "$1: blank pages as they were" pages.raw want.raw
}
stack s.npy 32 32 picture.npy
for p in $precisions; do
  for prior in tv:weight=2 tgv:weight=2 wavelet:weight=2; do
    ok "denoise, $prior, $p" denoise --precision $p --prior $prior s.npy -f -o d.npy
    blank "denoise, $prior, $p" d.npy 1024
  done
  for prior in tv:weight=0.5 tgv:weight=0.5; do
    ok "deblur, $prior, $p" deblur --precision $p --psf gaussian:sigma=1 --prior $prior s.npy -f -o b.npy
    blank "deblur, $prior, $p" b.npy 1024
  done
done
# a sinogram of one value is no picture's; one of zeros is that of nothing
ok 'projections' simulate --operator ct:angles=20,detector=48 x.npy -o p.npy
ok 'of bytes' reconstruct --solver none p.npy --dtype u8 --scale 0:20 -o p8.npy
stack c.npy 20 48 p8.npy
for p in $precisions; do
  ok "ct, $p" ct --precision $p --geometry angles=20,size=32 --prior tv:weight=5 --bound 0:auto c.npy -f -o c.tif
  ok "ct, $p: last page" reconstruct --solver none c.tif --slices 2 -f -o last.npy
  check "ct, $p: zeros" test "$(tail -c 4096 last.npy | tr -d '\0' | wc -c)" -eq 0
done
finish
