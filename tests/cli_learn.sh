# SPDX-License-Identifier: GPL-3.0-or-later
# cli_learn - parameters of a prior from pairs of images: file, card, use, resume, bad input.
. "${top_srcdir:-.}/tests/cli.sh"
"$priori" phantom ellipses:size=48 --count 4 -q -o clean.npy || exit 1
"$priori" simulate --operator identity --noise gaussian:sd=0.1 clean.npy -q -o noisy.npy || exit 1
"$priori" phantom ellipses:size=48 --count 3 --seed 9 -q -o other.npy || exit 1
"$priori" simulate --operator identity --noise gaussian:sd=0.1 --seed 5 other.npy -q -o unseen.npy || exit 1

ok 'learned' learn --prior tv noisy.npy --truth clean.npy --stop steps:8 --log-json log.jsonl -o a.prior
status 6 'not overwritten without -f' learn --prior tv noisy.npy --truth clean.npy --stop steps:8 -o a.prior
check 'nothing is left beside it' sh -c '! ls .a.prior* 2>/dev/null'
says '"format": "prior"' 'info reads it' info --json a.prior
says '"certificate"' 'its card has a certificate' info --json a.prior
low=$(sed -n 's/.*"loss_low":\([0-9.e-]*\).*/\1/p' log.jsonl | tail -n 1)
high=$(sed -n 's/.*"loss_high":\([0-9.e-]*\).*/\1/p' log.jsonl | tail -n 1)
check 'the loss lies in an interval of 1 % at most' awk -v a="$low" -v b="$high" 'BEGIN {exit !(a > 0 && a <= b && b - a <= 0.01 * b)}'
check 'whose upper end never rises' awk -F'"loss_high":' '/iteration/ {split($2, v, ","); if (n++ && v[1] > last * 1.02) bad = 1; last = v[1]} END {exit bad || n < 2}' log.jsonl

mean_re() { "$priori" score --reference other.npy "$1" --json | sed -n 's/^ *"re": \([0-9][0-9.e-]*\),*/\1/p' | tail -n 1; }
ok 'used by its name' denoise --prior tv:file=a.prior --stop gap:1e-3 unseen.npy -o learned.npy
ok 'a third of the weight' denoise --prior smooth-tv:file=a.prior,weight=0.33 --stop gap:1e-3 unseen.npy -o weak.npy
ok 'three times the weight' denoise --prior smooth-tv:file=a.prior,weight=3 --stop gap:1e-3 unseen.npy -o strong.npy
check 'what was learned is better than both on images not seen' awk -v l="$(mean_re learned.npy)" -v w="$(mean_re weak.npy)" -v s="$(mean_re strong.npy)" 'BEGIN {exit !(l > 0 && l < w && l < s)}'
ok 'with blur' reconstruct --operator blur:psf=gaussian,sigma=1 --prior tv:file=a.prior --bound 0:1.2 --stop steps:5 unseen.npy -o blurred.npy

ok 'one thread' learn --prior tv noisy.npy --truth clean.npy --stop steps:3 -j 1 -o one.prior
ok 'three threads' learn --prior tv noisy.npy --truth clean.npy --stop steps:3 -j 3 -o three.prior
same 'the same bytes' one.prior three.prior
for after in 0.05 0.2 0.4; do
  "$priori" learn --prior tv noisy.npy --truth clean.npy --stop steps:8 -q -o killed.prior & # its own name: the card does not hold it
  sleep $after
  kill -9 $! 2>/dev/null
  wait $! 2>/dev/null
  [ -e killed.prior ] || ok "goes on after a kill ($after s)" learn --resume --prior tv noisy.npy --truth clean.npy --stop steps:8 -q -o killed.prior
  same "the same bytes ($after s)" a.prior killed.prior
  rm -f killed.prior
done
ok 'the published form' learn --prior smooth-tv:form=anisotropic --solver maid:plain=yes,eps=0.1,alpha=0.01 noisy.npy --truth clean.npy --stop steps:3 -o plain.prior
ok 'a proved direction' learn --prior tikhonov --solver maid:descent=yes noisy.npy --truth clean.npy --stop steps:3 -o tikhonov.prior
ok 'an operator that hides directions' learn --operator mask:random=0.6 --prior tv noisy.npy --truth clean.npy --stop steps:2 -o mask.prior

"$priori" reconstruct --solver none clean.npy --slices 0:2 -q -o two.npy || exit 1
status 2 'nothing to compare with' learn --prior tv noisy.npy -o b.prior
status 2 'pairs that do not match' learn --prior tv noisy.npy --truth two.npy -o b.prior
status 2 'a prior without parameters' learn --prior tv:file=a.prior --prior tv noisy.npy --truth clean.npy -o b.prior
status 2 'another prior' learn --prior l1:weight=1 noisy.npy --truth clean.npy -o b.prior
status 2 'another solver' learn --prior tv --solver pdhg noisy.npy --truth clean.npy -o b.prior
status 2 'a stop that it does not know' learn --prior tv --stop gap:1e-3 noisy.npy --truth clean.npy -o b.prior
status 2 'float' learn --precision float --prior tv noisy.npy --truth clean.npy -o b.prior
status 5 'no noise' learn --prior tv clean.npy --truth clean.npy -o b.prior
status 4 'a missing file' learn --prior tv none.npy --truth clean.npy -o b.prior
ok 'one pair' learn --prior tv two.npy --truth two.npy --operator scale:factor=1.1 --stop steps:1 -o pair.prior
check 'no output of the failures' sh -c '! ls b.prior 2>/dev/null'
head -c 60 a.prior >cut.prior
status 4 'a file that is cut off' denoise --prior tv:file=cut.prior unseen.npy -o c.npy
status 4 'a prior of another kind' denoise --prior tv:file=tikhonov.prior unseen.npy -o c.npy
finish
