#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# pictures.sh PRIORI [FOLDER] - the pictures of the README, before and after, from drawn objects: `make pictures`. Every restoration is the front door
# as it comes, and each pair is scored against the object.
set -eu
priori=$1 out=${2:-pictures}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
p() { "$priori" "$@" -f -q 2>"$work/said" || { cat "$work/said"; exit 1; } >&2; }
show() { # FILE NAME: 8 bits, black is 0, white the brightest of the objects
  p reconstruct --solver none "$1" --dtype u8 --scale "0:$white" -o "$out/$2.png"
  rm -f "$out/$2.png.json"
}
pair() { # JOB BEFORE AFTER TRUTH
  show "$2" "$1-before"
  show "$3" "$1-after"
  printf '%s\n' "$1"
  "$priori" score --peak "$white" --range "$white" --reference "$4" "$2" "$3" | awk '$1 == 0 { print "  " (n++ ? "after:  " : "before: ") $2 " dB, SSIM " $3 }'
}

white=0.9
p phantom ellipses:size=192,count=14 --seed 21 -o "$work/cells.tif"
p simulate --operator identity --noise gaussian:sd=0.1 "$work/cells.tif" -o "$work/noisy.tif"
p denoise "$work/noisy.tif" -o "$work/denoised.tif"
pair denoise "$work/noisy.tif" "$work/denoised.tif" "$work/cells.tif"

p simulate --operator mask:random=0.4 "$work/cells.tif" -o "$work/holes.tif"
p inpaint --mask random:0.4 "$work/holes.tif" -o "$work/filled.tif"
pair inpaint "$work/holes.tif" "$work/filled.tif" "$work/cells.tif"

p simulate --operator blur:psf=gaussian,sigma=2,border=replicate --noise gaussian:sd=0.003 "$work/cells.tif" -o "$work/blurred.tif"
p deblur --psf gaussian:sigma=2 "$work/blurred.tif" -o "$work/sharp.tif"
pair deblur "$work/blurred.tif" "$work/sharp.tif" "$work/cells.tif"

# the small picture, each pixel as the square that it is: one step of cgls from 0 does that
p phantom ellipses:size=192,count=14 --seed 21 -o "$work/large.tif"
p simulate --operator downsample:factor=3 "$work/large.tif" -o "$work/small.tif"
p reconstruct --operator downsample:factor=3 --solver cgls --stop steps:1 "$work/small.tif" -o "$work/squares.tif"
p upscale --factor 3 "$work/small.tif" -o "$work/finer.tif"
pair upscale "$work/squares.tif" "$work/finer.tif" "$work/large.tif"
