# SPDX-License-Identifier: GPL-3.0-or-later
# cli_network - networks behind the solver: files of the corpus (weights are random numbers), channels and sizes, bits, what is refused, what info says.
. "${top_srcdir:-.}/tests/cli.sh"
case $top_srcdir in /*) ;; *) top_srcdir=$OLDPWD/$top_srcdir ;; esac
files=$top_srcdir/tests/data/corpus_text
cp "$files/network.prior" net.safetensors
cp "$files/network_elsewhere.prior" else.safetensors
ok 'phantom' phantom ellipses:size=40 --count 3 --seed 3 -o square.tif
ok 'of odd sides' reconstruct --solver none --operator identity --roi 0,0,29,37 square.tif -o x.tif
ok 'a network alone' denoise --solver none --then network:file=net.safetensors,noise=0.1 x.tif -o one.npy -j 1
ok 'on three threads' denoise --solver none --then network:net.safetensors,noise=0.1 x.tif -o three.npy -j 3
same 'same bits' one.npy three.npy
says '"shape": *\[' 'the size of the image' info --json one.npy
tr -d ' \n' <.out >flat
check 'is kept' grep -q '"shape":\[3,37,29\]' flat
check 'and the file stands in the provenance' grep -q 'net.safetensors' flat
ok 'behind a solver' denoise --prior tv:weight=0.05 --stop steps:3 --then network:net.safetensors,noise=0.1 --slices 1 x.tif -o after.npy
ok 'a page alone' denoise --solver none --then network:net.safetensors,noise=0.1 --slices 1 x.tif -o page.npy
tail -c 4292 page.npy >page.raw
head -c $(($(wc -c <one.npy) - 4292)) one.npy | tail -c 4292 >stack.raw
same 'has the bits that it has in the stack' page.raw stack.raw
ok 'scaled' denoise --solver none --then network:else.safetensors,graph=bf-unet:width=1,scale=255,offset=3 x.tif -o s.npy
ok 'and replayed' replay one.npy
complains 'outside of the range 0 to 1' 'values of another unit are said' denoise --solver none --then network:net.safetensors,noise=0.1,scale=0.01 x.tif -o unit.npy
complains 'trained on noise of 0 to 0.4, and is given 2' 'another level is said' denoise --solver none --then network:net.safetensors,noise=2 x.tif -o level.npy
ok 'and in its own range' denoise --solver none --then network:net.safetensors,noise=0.2 x.tif -o own.npy
check 'nothing is said' sh -c '! grep -q trained .err'
# what is refused, before anything is written
status 4 'no graph' denoise --solver none --then network:else.safetensors x.tif -o no.npy
complains 'graph=NAME' 'and how to name one' denoise --solver none --then network:else.safetensors x.tif -o no.npy
status 4 'weights of another width' denoise --solver none --then network:else.safetensors,graph=bf-unet x.tif -o no.npy
status 2 'near miss' denoise --solver none --then network:else.safetensors,graph=bf-unett x.tif -o no.npy
status 2 'no level' denoise --solver none --then network:net.safetensors x.tif -o no.npy
status 4 'no file' denoise --solver none --then network:none.safetensors,noise=1 x.tif -o no.npy
for at in 0 7 8 9 300 700 1443; do
  head -c $at net.safetensors >cut.safetensors
  status 4 "cut at $at" denoise --solver none --then network:cut.safetensors,noise=0.1 x.tif -o no.npy
done
for f in net_up net_wide; do status 4 "$f" denoise --solver none --then "network:$files/$f.prior" x.tif -o no.npy; done
check 'nothing is written' test ! -e no.npy
# info
ok 'info' info net.safetensors
check 'weights' grep -q 'weights: 89' .out
check 'licence' grep -q 'licence: "*CC0' .out
check 'memory' grep -q '256 x 256: [0-9]' .out
says '"format": "network"' 'as JSON' info --json net.safetensors
says '"format": "prior"' 'tensors without a graph are listed' info --json else.safetensors
status 4 'a graph that does not fit' info "$files/net_wide.prior"
says 'drunet' 'architectures are listed' list recipes
says 'channels at full size' 'with their keys' list recipe drunet
finish
