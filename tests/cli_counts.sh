# SPDX-License-Identifier: GPL-3.0-or-later
# cli_counts - photon counts, masks of each slice, operators in a chain, Wiener and Richardson-Lucy as a user runs them.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantoms' phantom ellipses:count=6,size=40 --count 3 -o p.tif
ok 'light through a lens' simulate --operator scale:factor=200 --operator blur:psf=gaussian,sigma=1.5 p.tif -o y.tif
B='--operator blur:psf=gaussian,sigma=1.5,border=unknown'
ok 'truth' simulate --operator scale:factor=200 p.tif -o t.tif
ok 'Richardson-Lucy' reconstruct $B --solver rl:accelerate=heavy-ball --stop steps:30 y.tif -o rl.tif
check 'is nearer to the truth' sh -c '[ "$(echo "$1" | cut -d. -f1)" -ge "$(echo "$2" | cut -d. -f1)" ]' - \
  "$("$priori" score --peak 200 --reference t.tif rl.tif | awk '/mean/ { print $2 }')" "$("$priori" score --peak 200 --reference t.tif y.tif | awk '/mean/ { print $2 + 3 }')"
ok 'with its own threads' reconstruct $B --solver rl:accelerate=heavy-ball --stop steps:30 -j 2 y.tif -o rl2.tif
same 'has the same pixels' rl.tif rl2.tif
ok 'slice by slice' reconstruct $B --solver rl:accelerate=heavy-ball --stop steps:30 --slices 1 y.tif -o one.npy
ok 'and of all' reconstruct $B --solver rl:accelerate=heavy-ball --stop steps:30 y.tif -o all.npy
check 'has the same pixels too' sh -c 'n=$(($(wc -c < one.npy) - 128)); tail -c "$n" one.npy > a; tail -c $((2 * n)) all.npy | head -c "$n" > b; cmp -s a b'
ok 'certified counts' reconstruct $B --fidelity kl:background=5 --prior tv:0.02 --bound 0:400 --stop gap:1e-3 y.tif -o kl.tif
ok 'certified counts by ADMM' reconstruct --operator blur:psf=gaussian,sigma=1.5,border=periodic --fidelity kl:background=5 --prior tv:0.02 --bound 0:400 \
  --solver admm --stop gap:1e-3 y.tif -o admm.tif
status 2 'ADMM without an inner solve' reconstruct $B --prior tv:0.02 --bound 0:400 --solver admm --stop gap:1e-3 y.tif -o z.tif
ok 'Wiener' reconstruct --operator blur:psf=gaussian,sigma=1.5,border=periodic --solver wiener:rho=0.001 y.tif -o w.tif
complains 'rho = ' 'Wiener says what it chose' reconstruct $B --solver wiener y.tif -o auto.tif
ok 'below zero' simulate --operator scale:factor=-1 y.tif -o below.tif
status 5 'counts below zero' reconstruct $B --fidelity kl --solver rl --stop steps:3 below.tif -o z.tif
complains 'values are negative.*the first.*element' 'are placed' reconstruct $B --fidelity kl --solver rl --stop steps:3 below.tif -o z.tif
ok 'outliers' reconstruct $B --fidelity huber:delta=2 --prior tv:0.5 --bound 0:400 --stop gap:1e-2 y.tif -o huber.tif
# a chain: the scene is blurred, then seen by coarse pixels
ok 'coarse' simulate --operator blur:psf=gaussian,sigma=1 --operator downsample:factor=2,kernel=bicubic t.tif -o coarse.tif
ok 'and back' reconstruct --operator blur:psf=gaussian,sigma=1 --operator downsample:factor=2,kernel=bicubic --prior tv:0.01 --bound 0:400 --stop steps:60 coarse.tif -o fine.npy
check 'at the size of the scene' test "$("$priori" info fine.npy --json | tr -d ' \n' | grep -c '"shape":\[3,40,40\]')" -eq 1
ok 'frequencies' simulate --operator fourier:random=0.6 p.tif -o f.npy
# a mask of its own for each slice: known where the other phantoms are not 0
ok 'masks' phantom ellipses:count=3,size=40 --count 3 --seed 5 -o m.tif
ok 'masks of one' reconstruct --solver none --slices 2 m.tif -o m2.tif
ok 'slices with masks' inpaint --mask m.tif t.tif -o each.npy
ok 'one slice with one mask' inpaint --mask m2.tif --slices 2 t.tif -o two.npy
ok 'slice 2 by itself' inpaint --mask m.tif --slices 2 t.tif -o alone.npy
check 'has the pixels of the stack' sh -c 'n=$(($(wc -c < alone.npy) - 128)); tail -c "$n" alone.npy > a; tail -c "$n" each.npy > b; cmp -s a b'
check 'and those of the mask as operator, within the gap' sh -c 'echo "$1" | awk "{ exit !(\$1 > 45) }"' - \
  "$("$priori" score --peak 200 --reference two.npy alone.npy | awk '$1 == 0 { print $2 }')"
ok 'data without two of their slices' simulate --operator identity --slices :2 m.tif -o short.tif
status 2 'too few masks' inpaint --mask short.tif t.tif -o z.tif
finish
