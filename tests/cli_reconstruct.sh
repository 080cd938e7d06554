# SPDX-License-Identifier: GPL-3.0-or-later
# cli_reconstruct - what a pipeline can be made of: fidelities, sums of priors, weights found, starts, regions, types, stacks in blocks.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantoms' phantom ellipses:count=6,size=40 --count 20 -o many.tif
ok 'measurements' simulate --operator ct:angles=18,detector=60 --noise gaussian:relative=0.01 many.tif -o y.tif
A='--operator ct:angles=18,size=40'
tv='--prior tv:0.1 --bound 0:2'
one='--slices 3'
ok 'sum of priors' reconstruct $A $tv --prior tikhonov:0.01 --stop gap:1e-2 $one y.tif -o sum.tif
ok 'relative weight' reconstruct $A --prior tv:rel:0.05 --bound 0:2 --stop steps:20 $one y.tif -o rel.npy
check 'is in the provenance' grep -q '"weights":{"tv":[0-9.e-]*}' rel.npy.json
ok 'weight from the noise' reconstruct $A --prior tv:auto --bound 0:2 --noise-level relative:0.01 --stop steps:20 $one y.tif -o auto.npy --log-json log
check 'with its curve' grep -q '"event":"weight".*"tested":\[\[' log
for level in sd:0.1 auto relative:0.01; do
  ok "discrepancy, $level" reconstruct $A --solver cgls --stop discrepancy --stop steps:50 --noise-level $level $one y.tif -o d.tif -f
done
status 3 'discrepancy that cannot be' reconstruct $A --solver cgls --stop discrepancy --stop steps:3 --noise-level sd:1e-6 $one y.tif -o d.tif -f
status 2 'noise level of nonsense' reconstruct $A --solver cgls --stop discrepancy --noise-level loud $one y.tif -o z.tif
ok 'weighted' reconstruct $A --fidelity wls:weights=counts $tv --stop steps:10 $one y.tif -o w.tif
ok 'start' reconstruct $A $tv --init sum.tif --stop steps:1 $one y.tif -o start.tif
status 2 'start of another shape' reconstruct $A $tv --init y.tif --stop steps:1 $one y.tif -o z.tif
ok 'region' reconstruct $A --solver fbp --roi 5,6,20,10 y.tif -o roi.npy --slices :4
says '"shape": ?\[' 'region has its shape' info roi.npy --json
check 'of 10 rows and 20 columns' test "$("$priori" info roi.npy --json | tr -d ' \n' | grep -c '"shape":\[4,10,20\]')" -eq 1
status 2 'region beyond the image' reconstruct $A --solver fbp --roi 30,0,20,10 y.tif -o z.tif
ok 'integers' reconstruct $A --solver fbp --dtype u16 y.tif -o u16.tif
ok 'integers with a scale' reconstruct $A --solver fbp --dtype u8 --scale 0:1 y.tif -o u8.tif
ok 'picture' reconstruct $A --solver fbp $one y.tif -o look.png
ok 'nothing but filters' reconstruct --solver none --then hu:water=0.2 many.tif -o hu.tif
# blocks
ok 'all at once' reconstruct $A $tv --stop steps:6 y.tif -o all.npy
for slice in 0 7 19; do
  ok "slice $slice" reconstruct $A $tv --stop steps:6 --slices $slice y.tif -o one.npy -f
  ok 'the same of the stack' reconstruct --solver none --slices $slice all.npy -o picked.npy -f
  same 'a slice alone has the bits it has in the stack' one.npy picked.npy
done
ok 'gap, all at once' reconstruct $A $tv --stop gap:1e-2 --slices :5 y.tif -o gap.npy
ok 'gap, alone' reconstruct $A $tv --stop gap:1e-2 --slices 4 y.tif -o one.npy -f
ok 'picked' reconstruct --solver none --slices 4 gap.npy -o picked.npy -f
same 'also where a gap stops it' one.npy picked.npy
# sweep
ok 'sweep of weights' reconstruct $A $tv --stop steps:4 --sweep tv.weight=0.1,0.2,0.4 --slices :3 y.tif -o sweep.npy
check 'three values of three slices' test "$("$priori" info sweep.npy --json | tr -d ' \n' | grep -c '"shape":\[9,40,40\]')" -eq 1
ok 'its first value by itself' reconstruct $A $tv --stop steps:4 --slices :3 y.tif -o first.npy
ok 'picked' reconstruct --solver none --slices :3 sweep.npy -o picked.npy -f
same 'is what the run without a sweep gives' first.npy picked.npy
status 2 'value out of range' reconstruct $A $tv --stop steps:4 --sweep tv.weight=-1,1 $one y.tif -o z.tif
# bad values and weights
ok 'mask, with a solver that takes weights' reconstruct $A $tv --on-bad mask --stop steps:5 $one y.tif -o mask.tif
# refusals
status 2 'slices of nothing' reconstruct $A --solver fbp --slices 30: y.tif -o z.tif
status 2 'no operator' reconstruct --solver fbp y.tif -o z.tif
status 2 'fbp takes no prior' reconstruct $A --solver fbp --prior tv:1 y.tif -o z.tif
status 2 'gap from a solver without duals' reconstruct $A --solver sirt --bound 0:1 --stop gap:1e-3 y.tif -o z.tif
status 2 'box upside down' reconstruct $A $tv --bound 2:1 y.tif -o z.tif
status 2 'no output' reconstruct $A --solver fbp y.tif
status 2 'weight not built' reconstruct $A --prior tv:auto:magic y.tif -o z.tif
check 'nothing was written' test ! -e z.tif
finish
