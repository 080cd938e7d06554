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
"$priori" learn --prior tv noisy.npy --truth clean.npy --stop steps:3 -q -o killed.prior &
while kill -0 $! 2>/dev/null && [ ! -e .killed.prior.learn-state ]; do sleep 0.01; done
kill -9 $! 2>/dev/null
wait
[ -e killed.prior ] || ok 'goes on for more steps than were asked for at first' learn --resume --prior tv noisy.npy --truth clean.npy --stop steps:8 -q -o killed.prior
[ ! -e .killed.prior.learn-state ] || check 'its state is gone' false
grep -q 'steps:3' killed.prior || same 'the same bytes after more steps' a.prior killed.prior
rm -f killed.prior
ok 'the published form' learn --prior smooth-tv:form=anisotropic --solver maid:search=paper,eps=0.1,alpha=0.01 noisy.npy --truth clean.npy --stop steps:3 -o plain.prior
ok 'a proved direction' learn --prior tikhonov --solver maid:descent=yes noisy.npy --truth clean.npy --stop steps:3 -o tikhonov.prior
ok "scheduled accuracy, for comparison" learn --prior tikhonov --solver hoag:schedule=cubic noisy.npy --truth clean.npy --stop steps:3 -o hoag.prior
for method in fixed:eps=1e-4,metric=bfgs dfo grid:points=3,span=1 random:points=4; do
  ok "--solver $method" learn --prior tikhonov --solver $method noisy.npy --truth clean.npy --stop steps:4 -f -o method.prior
done
ok 'an estimated direction' learn --prior tikhonov --solver maid:mode=estimated noisy.npy --truth clean.npy --stop steps:3 -o estimated.prior
check 'is never called certified' sh -c "! '$priori' info --json estimated.prior | grep -qi certif"
ok 'losses as computed' learn --prior tikhonov --solver maid:mode=off,metric=bb,memory=3 noisy.npy --truth clean.npy --stop steps:3 -o off.prior
check 'are never called certified' sh -c "! '$priori' info --json off.prior | grep -qi certif"
complains 'certified' 'what cannot be certified' learn --prior foe:size=3,smoothing=0.05,potential=log,weight=0.3 --solver maid:mode=certified noisy.npy --truth clean.npy --stop steps:2 -o b.prior
status 2 'is refused' learn --prior foe:size=3,smoothing=0.05,potential=log,weight=0.3 --solver maid:mode=certified noisy.npy --truth clean.npy --stop steps:2 -o b.prior
ok 'an operator that hides directions' learn --operator mask:random=0.6 --prior tv noisy.npy --truth clean.npy --stop steps:2 -o mask.prior

# ---- other sources: clean images alone, a folder of different sizes, no true images; samples put aside
ok 'measured here' learn --prior tv --simulate identity --noise gaussian:sd=0.1 clean.npy --stop steps:8 --log-json log.jsonl -o simulated.prior
check 'as from the pairs that simulate makes' awk -v a="$("$priori" info --json a.prior | sed -n 's/.*"loss_high": *\([0-9.e-]*\).*/\1/p' | head -n 1)" -v b="$(sed -n 's/.*"loss_high":\([0-9.e-]*\).*/\1/p' log.jsonl | tail -n 1)" 'BEGIN {exit !(a > 0 && b > 0 && a / b < 1.01 && b / a < 1.01)}'
ok 'blurred here, one of four put aside' learn --prior tv --simulate blur:psf=gaussian,sigma=1 --noise gaussian:sd=0.05 --validate 0.25 clean.npy --stop steps:4 --log-json log.jsonl -o aside.prior
check 'their loss is logged' grep -q validation_high log.jsonl
rm -f part.prior
"$priori" learn --prior tv --simulate blur:psf=gaussian,sigma=1 --noise gaussian:sd=0.05 --validate 0.25 clean.npy --stop steps:4 -q -o part.prior &
sleep 0.3
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
[ -e part.prior ] || ok 'goes on after a kill, with samples put aside' learn --resume --prior tv --simulate blur:psf=gaussian,sigma=1 --noise gaussian:sd=0.05 --validate 0.25 clean.npy --stop steps:4 -q -o part.prior
same 'the same bytes' aside.prior part.prior
mkdir folder
"$priori" phantom ellipses:size=48 --count 2 -q -o folder/a1.tif && "$priori" phantom ellipses:size=64 --count 2 --seed 3 -q -o folder/a2.tif || exit 1
status 2 'a folder of different sizes' learn --prior tv --simulate identity --noise gaussian:sd=0.1 folder -o b.prior
ok 'whose middles are cut' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --patch 40 folder --stop steps:2 -o folder.prior
complains '4 pairs of 1600 pixels' 'four of them' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --patch 40 folder --stop steps:1 -f -o folder.prior
complains '12 pairs of 576 pixels' 'three random places of each' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --patch 24 --crops 3 folder --stop steps:1 -f -o folder.prior
ok 'by another seed' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --patch 24 --crops 3 --seed 1 folder --stop steps:1 -q -o seed.prior
check 'they are others' sh -c '! cmp -s folder.prior seed.prior'
status 2 'random places of what size' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --crops 3 clean.npy -o b.prior
mkdir order && cp folder/a2.tif order/b.tif && "$priori" phantom ellipses:size=64 --count 2 --seed 8 -q -o order/a.tif || exit 1 # b is older
ok 'a folder' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --validate 0.5 order --stop steps:2 --log-json folder.jsonl -o order.prior
ok 'its files by name' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --validate 0.5 order/a.tif order/b.tif --stop steps:2 --log-json files.jsonl -f -o order.prior
losses() { sed -n 's/.*"loss_high":\([0-9.e-]*\).*/\1/p' "$1"; }
check 'is read in the order of names' test -n "$(losses folder.jsonl)" -a "$(losses folder.jsonl)" = "$(losses files.jsonl)"
ok 'total generalised variation' learn --prior tgv --truth clean.npy noisy.npy --stop steps:2 -o tgv.prior
ok 'used' denoise --prior tgv:file=tgv.prior --stop gap:1e-2 unseen.npy -o tgv.npy
ok 'more of it' denoise --prior tgv:file=tgv.prior,weight=1.5 --stop gap:1e-2 unseen.npy -o tgv2.npy
status 2 'without a weight' reconstruct --operator identity --prior tgv unseen.npy -o b.npy
ok 'which denoise chooses' denoise --prior tgv --stop gap:1e-2 unseen.npy -o tgv3.npy
ok 'absolute errors' learn --prior tv --loss smooth-l1:kappa=0.02 --truth clean.npy noisy.npy --stop steps:3 -o l1.prior
ok 'no true images: SURE' learn --prior tv --unsupervised sure --noise-level sd:0.1 noisy.npy --stop steps:8 -o sure.prior
ok 'used' denoise --prior tv:file=sure.prior --stop gap:1e-3 unseen.npy -o blind.npy
check 'within 5 % of the error with true images' awk -v l="$(mean_re learned.npy)" -v b="$(mean_re blind.npy)" 'BEGIN {exit !(b > 0 && b < 1.05 * l)}'
complains 'estimates' 'whiteness proves nothing and says so' learn --prior tv --unsupervised whiteness noisy.npy --stop steps:2 -o white.prior
check 'nor is its card a certificate' sh -c "! '$priori' info --json white.prior | grep -q certificate"
status 2 'both' learn --prior tv --unsupervised sure --truth clean.npy noisy.npy -o b.prior
status 2 'no noise model' learn --prior tv --simulate identity clean.npy -o b.prior
status 2 'two operators' learn --prior tv --simulate identity --operator identity --noise gaussian:sd=0.1 clean.npy -o b.prior
status 2 'an unknown loss' learn --prior tv --loss huber noisy.npy --truth clean.npy -o b.prior
status 2 'a patch larger than the pictures' learn --prior tv --simulate identity --noise gaussian:sd=0.1 --patch 49 clean.npy -o b.prior
status 2 'too few to put one aside' learn --prior tv --truth clean.npy noisy.npy --validate 0.1 -o b.prior
status 2 'a bad noise level' learn --prior tv --unsupervised sure --noise-level sd:0 noisy.npy -o b.prior

# ---- a field of experts
ok 'filters' learn --prior foe:size=3,smoothing=0.02,weight=0.03 noisy.npy --truth clean.npy --stop steps:4 --log-json log.jsonl -o foe.prior
says '"filters":' 'its file holds filters' info --json foe.prior
ok 'used' denoise --prior foe:file=foe.prior unseen.npy -o foe.npy
check 'better than the measurement' awk -v f="$(mean_re foe.npy)" -v n="$(mean_re unseen.npy)" 'BEGIN {exit !(f > 0 && f < 0.8 * n)}'
ok 'goes on from a file' learn --prior foe:file=foe.prior noisy.npy --truth clean.npy --stop steps:1 -o more.prior
ok 'a few samples at a time, in float' learn --precision float --solver adam:batch=2,passes=2,step=0.05 --prior foe:size=3,smoothing=0.02,weight=0.03 noisy.npy --truth clean.npy --stop steps:4 -o adam.prior
check 'of which nothing is certified' sh -c "! '$priori' info --json adam.prior | grep -qi certif"
ok 'used' denoise --prior foe:file=adam.prior unseen.npy -o adam.npy
check 'better than the measurement' awk -v f="$(mean_re adam.npy)" -v n="$(mean_re unseen.npy)" 'BEGIN {exit !(f > 0 && f < 0.8 * n)}'
ok 'polished with proof' learn --prior foe:file=adam.prior noisy.npy --truth clean.npy --stop steps:1 -o polished.prior
says '"certificate"' 'now there is one' info --json polished.prior
complains 'estimates' 'a potential that is not convex' learn --prior foe:size=3,smoothing=0.05,potential=log,weight=0.3 noisy.npy --truth clean.npy --stop steps:2 -o log.prior
ok 'and denoises until it rests' denoise --prior foe:file=log.prior unseen.npy -o rest.npy
check 'is never called certified' sh -c "! '$priori' info --json log.prior | grep -qi certif"

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
# the derivatives
for prior in tv tgv:weight=0.1,ratio=1 tikhonov foe:potential=log foe:filters=4,size=4,init=random; do
  ok "check: $prior" check --learn --prior "$prior" --operator blur:psf=gaussian,sigma=1
  check "check: $prior: nothing is wrong" sh -c '! grep -q WRONG .out'
  check "check: $prior: of order 2" grep -qE '^J of the parameters against gradients .* (1\.9|2\.0)[0-9] .*ok$' .out
done
says '"order": ?(1\.99|2\.0)' 'check: in JSON' check --learn --prior smooth-tv --json
ok 'check: at an image' check --learn --prior smooth-tv:smoothing=0.1 unseen.npy
status 2 'check: nothing to learn in it' check --learn --prior l1
complains 'no parameters that can be learned' 'check: which is said' check --learn --prior l1
status 2 'check: no prior' check --learn
finish
