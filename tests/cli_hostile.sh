# SPDX-License-Identifier: GPL-3.0-or-later
# cli_hostile - files and numbers made to hurt: directories in a circle, sides that overflow, ImageJ's stacks beyond 4 GB, slices beyond a long.
. "${top_srcdir:-.}/tests/cli.sh"
le16() { printf "\\$(printf %o $(($1 & 255)))\\$(printf %o $(($1 >> 8 & 255)))"; }
le32() { le16 $(($1 & 65535)); le16 $(($1 >> 16 & 65535)); }
entry() { le16 "$1"; le16 "$2"; le32 "$3"; le32 "$4"; } # TAG TYPE COUNT VALUE
page() { # WIDTH HEIGHT NEXT: a directory of 126 bytes for 16-bit pixels, which stand at 8
  le16 10
  entry 256 4 1 "$1"; entry 257 4 1 "$2"; entry 258 3 1 16; entry 259 3 1 1; entry 262 3 1 1
  entry 273 4 1 8; entry 277 3 1 1; entry 278 4 1 "$2"; entry 279 4 1 8; entry 339 3 1 1
  le32 "$3"
}
stack() { # NEXT NEXT NEXT: three pages of 2 x 2 at 16, 142, 268
  printf 'II*\0'; le32 16; printf '\1\0\2\0\3\0\4\0'
  for next; do page 2 2 "$next"; done
}
stack 142 268 0 >plain.tif
says 'shape: 3 x 2 x 2' 'the plain stack is one' info plain.tif
for circle in '142 268 268' '142 268 142' '142 268 16' '16 268 0' '142 16 0'; do
  stack $circle >circle.tif
  status 4 "directories in a circle: $circle" info circle.tif
  complains 'circle.tif: is damaged: its directories run in a circle' "$circle is said" denoise --prior tv:weight=1 circle.tif -o z.tif
done
stack 142 268 100000 >far.tif
status 4 'a directory beyond the end' info far.tif
for side in '2147483648 1' '1 2147483648' '2147483648 2147483648' '4294967295 4294967295' '0 2' '2 0'; do
  { printf 'II*\0'; le32 16; printf '\1\0\2\0\3\0\4\0'; page $side 0; } >huge.tif
  status 4 "$side pixels" denoise --prior tv:weight=1 huge.tif -o z.tif
done
check 'nothing is written' test ! -e z.tif

# ImageJ beyond 4 GB: one directory, 1100 planes of 2048 x 1024 one behind the other from 4096; only the last one is not zero
planes=1100 bytes=4194304
{
  printf 'II*\0'; le32 8; le16 10
  entry 256 4 1 2048; entry 257 4 1 1024; entry 258 3 1 16; entry 259 3 1 1; entry 262 3 1 1; entry 270 2 46 134
  entry 273 4 1 4096; entry 277 3 1 1; entry 278 4 1 1024; entry 279 4 1 $bytes
  le32 0
  printf 'ImageJ=1.53t\nimages=1100\nslices=1100\nloop=f\n\0\0\0\0'
} >big.tif
if dd if=/dev/zero of=big.tif bs=1 count=0 seek=$((4096 + planes * bytes)) 2>/dev/null && [ "$(du -k big.tif | cut -f1)" -lt 100000 ]; then
  printf '\12\0\24\0\36\0' | dd of=big.tif bs=1 seek=$((4096 + (planes - 1) * bytes)) conv=notrunc 2>/dev/null
  says 'shape: 1100 x 1024 x 2048' 'ImageJ beyond 4 GB' info big.tif
  ok 'a plan for its last plane' simulate --operator identity --slices 1099 --dry-run big.tif -o last.npy # unit_io_read reads it: no hash of 4 GB there
  dd if=/dev/zero of=big.tif bs=1 count=0 seek=$((4096 + planes * bytes - 1)) 2>/dev/null
  status 4 'one byte less is truncated' info big.tif
  rm -f big.tif
else
  rm -f big.tif
  skip 'ImageJ beyond 4 GB' 'no sparse files here'
fi

# numbers beyond a long
w='--prior tv:weight=1 --stop steps:1'
for s in 99999999999999999999 99999999999999999999:5 9223372036854775807; do
  status 2 "--slices $s" denoise $w --slices $s plain.tif -o z.npy
  complains "--slices $s takes none of the 3 slices \(0 to 2\)" "$s is said in the user's words" denoise $w --slices $s plain.tif -o z.npy
done
ok 'a step beyond a long' denoise $w --slices 1:3:9223372036854775807 plain.tif -o step.npy
says 'slices: 1 of 2 x 2|shape: (1 x )?2 x 2' 'takes one slice' info step.npy
finish
