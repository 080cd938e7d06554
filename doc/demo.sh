#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# demo.sh PRIORI [FOLDER] - the main job from start to picture, as `./bootstrap demo` runs it: 60 fan-beam views of a head phantom,
# exact line integrals (not made by the projector that reconstructs them) with 1 % noise; filtered back projection for a first look; total
# variation with its weight chosen from the noise, iterated until the image is proved to be optimal to a relative gap of 1e-3.
set -eu
priori=$1 out=${2:-demo}
mkdir -p "$out"
geometry=geometry=fan,angles=60,sod=600mm,sdd=1000mm,bin=1.7mm,size=256,pixel=1mm

say() { printf '\n%s\n' "$*"; }
run() { # print a command as a user would type it, then run it
  printf '  priori'
  for word; do printf ' %s' "$word"; done | sed "s,$out/,,g"
  printf '\n'
  "$priori" "$@"
}

say '1. measure: a head phantom, 60 views of 364 bins, 1 % noise'
run phantom -f shepp-logan:contrast=modified,size=256 --sinogram "ct:$geometry,detector=364" --sinogram-output "$out/sinogram.tif" \
  --noise gaussian:relative=0.01 -o "$out/truth.tif"
say '2. a quick look: filtered back projection'
run ct -f -q --solver fbp:window=hann --geometry "$geometry" "$out/sinogram.tif" -o "$out/fbp.tif"
say '3. reconstruct: total variation, weight from the noise, certified'
run ct -f --geometry "$geometry" "$out/sinogram.tif" --log-json "$out/log.jsonl" -o "$out/image.tif"
say '4. judge both against the truth'
run score --reference "$out/truth.tif" "$out/fbp.tif" "$out/image.tif"
say '5. pictures'
for name in truth fbp image; do run reconstruct -f -q --solver none "$out/$name.tif" --dtype u8 --scale 0:0.6 -o "$out/$name.png"; done

say "Done. The picture is $out/image.png (beside it truth.png and fbp.png); the image with its certificate is $out/image.tif:"
"$priori" info "$out/image.tif" | grep -E '^ *(relative_gap|objective|residual|adjoint_mismatch|verdict|tv):' | sed 's/^ */  /'
