# SPDX-License-Identifier: GPL-3.0-or-later
# cli_denoise - the front door of denoising: noise and weight found and said, a proof, the box, configuration round trip, same bits.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:size=64 --count 3 --seed 3 -o x.tif
ok 'noise' simulate --operator identity --noise gaussian:sd=0.05 x.tif -o y.tif
psnr() { "$priori" score --reference "$1" "$2" --json | awk -F: '/"mean"/ { on = 1 } on && /psnr/ { print $2 + 0; exit }'; }
ok 'without more' denoise y.tif -o z.tif --log-json log.jsonl
check 'noise is said' grep -q 'noise level: sd 0.0[456]' .err
check 'weight is said' grep -q 'weight of tv: 0.0' .err
check 'certified' grep -q '"verdict":"converged"' log.jsonl
check 'better by 3 dB' awk -v a="$(psnr x.tif y.tif)" -v b="$(psnr x.tif z.tif)" 'BEGIN { exit !(b > a + 3) }'
says '^prior = tv:weight=auto' 'configuration: prior' denoise --print-config y.tif
says '^bound = auto' 'configuration: box' denoise --print-config y.tif
says '^operator = identity' 'configuration: operator' denoise --print-config y.tif
says '^stop = gap:goal=0.001' 'configuration: a proof' denoise --print-config y.tif
tv='--prior tv:weight=0.05 --stop gap:1e-4'
ok 'a weight of ones own' denoise $tv y.tif -o one.npy -j 1
ok 'three threads' denoise $tv y.tif -o three.npy -j 3
same 'same bits' one.npy three.npy
"$priori" denoise $tv --print-config y.tif >a.ini 2>.err
ok 'configuration, fed back' reconstruct a.ini y.tif -o again.npy
same 'gives the same pixels' one.npy again.npy
ok 'one page of the stack' denoise $tv y.tif --slices 1 -o page.npy
tail -c 16384 page.npy >page.raw
head -c $(($(wc -c <one.npy) - 16384)) one.npy | tail -c 16384 >stack.raw
same 'has the bits that it has in the stack' page.raw stack.raw
ok 'steps' denoise --prior tv:weight=0.05 --stop steps:5 y.tif -o five.npy
status 3 'missed' denoise --prior tv:weight=0.05 --stop gap:1e-9 --stop steps:3 y.tif -o missed.npy
# boxes: a float image may leave its range, an integer one never that of its type
ok 'integers' reconstruct --solver none --dtype u8 --scale 0:1 y.tif -o y8.tif
ok 'are denoised' denoise --prior tv:weight=2 y8.tif -o z8.npy
says '"lower_bound": ?0[.,]' 'in the range of their type' info z8.npy --json
ok 'a solver that takes no prior' denoise --solver landweber --stop steps:3 y.tif -o l.npy
status 2 'bound' denoise --bound auto:1 y.tif -o w.npy
status 2 'near miss' denoise --prior tvv:1 y.tif -o w.npy
check 'nothing is written' test ! -e w.npy
# channels whose edges stand in one place
case $top_srcdir in /*) ;; *) top_srcdir=$OLDPWD/$top_srcdir ;; esac
hyper=$top_srcdir/tests/data/corpus/stack_hyper_be.tif
ok 'coupled channels' denoise --item channels --prior tv:weight=3,coupled=yes "$hyper" -o c.tif
says '^  shape: 2 x 3 x 4 .cyx.' 'keep their shape' info c.tif
status 2 'pages have none' denoise --prior tv:weight=3,coupled=yes "$hyper" -o w.tif
check 'and which option makes them is said' grep -q -e '--item channels' .err
status 2 'of a volume the slowest axis is z' denoise --item volume --prior tv:weight=0.05,coupled=yes x.tif -o w.tif
check 'which is said' grep -q 'the slowest axis of a volume is z' .err
says '^prior = tgv:weight=auto:sure' 'a prior without a weight has that of the door' denoise --prior tgv --print-config x.tif
says '^prior = wavelet:weight=0.1' 'one that is given stays' denoise --prior wavelet:0.1 --print-config x.tif
status 2 'reconstruct guesses nothing' reconstruct --operator identity --prior hessian-schatten --bound 0:1 --print-config x.tif
finish
