# SPDX-License-Identifier: GPL-3.0-or-later
# cli_upscale - the front door of super-resolution: sizes, kernels, pixel sizes, what the reduced result gives.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:size=48 --seed 5 -o x.tif
ok 'reduced' simulate --operator downsample:factor=2 x.tif -o y.tif
ok 'without more' upscale --factor 2 y.tif -o z.tif
says '"shape": ?\[48, ?48\]|"shape": \[' 'is larger' info z.tif --json
check 'by the factor' sh -c "tr -d ' \n' <.out | grep -q '\"shape\":\[\(1,\)\?48,48\]'"
ok 'reduced again' simulate --operator downsample:factor=2 z.tif -o again.tif
"$priori" score --reference y.tif again.tif --json >.score
check 'it gives the small image' awk -F: '/"mean"/ { on = 1 } on && /psnr/ { exit !($2 + 0 > 45) }' .score
says '^operator = downsample:factor=3,kernel=bicubic' 'configuration' upscale --factor 3 --kernel bicubic --print-config y.tif
ok 'three times, noisy' upscale --factor 3 --kernel lanczos --noise-level sd:0.01 --stop steps:5 y.tif -o w3.tif
says '72' 'three times' info w3.tif --json
status 2 'without a factor' upscale y.tif -o w.npy
status 2 'factor out of range' upscale --factor 0 y.tif -o w.npy
status 2 'no such kernel' upscale --factor 2 --kernel cubic y.tif -o w.npy
check 'nothing is written' test ! -e w.npy
finish
