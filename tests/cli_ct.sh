# SPDX-License-Identifier: GPL-3.0-or-later
# cli_ct - the front door end to end: a certified picture, statuses, same bits, configuration round trip, provenance, events.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom shepp-logan:contrast=modified,size=48 -o x.tif
ok 'measurement' simulate --operator ct:angles=20,detector=70 --noise gaussian:relative=0.01 x.tif -o y.tif
g='--geometry angles=20,size=48'
tv="$g --prior tv:weight=0.3 --bound 0:1.2"
ok 'fbp' ct $g --solver fbp y.tif -o fbp.tif
ok 'certified' ct $tv --stop gap:1e-2 y.tif -o tv.tif --log-json log.jsonl --log log.txt
for event in start adjoint iteration item done; do
  check "event $event" grep -q "\"event\":\"$event\"" log.jsonl
done
check 'log for people' grep -q 'converged' log.txt
says '"relative_gap": ?[0-9]' 'certificate in the file' info tv.tif --json
ok 'automatic box' ct $g --prior tv:weight=0.3 --stop gap:1e-2 y.tif -o box.tif
says '0:auto' 'the box is said' ct $g --prior tv:weight=0.3 --print-config y.tif
status 3 'guarantee missed' ct $tv --stop gap:1e-9 --stop steps:5 y.tif -o missed.tif
check 'missed, but written' test -s missed.tif
ok 'a budget is no guarantee' ct $tv --stop steps:5 y.tif -o five.tif
# equal runs
ok 'one thread' ct $tv --stop steps:12 y.tif -o 1.npy -j 1
ok 'three threads' ct $tv --stop steps:12 y.tif -o 3.npy -j 3 -q
same 'same bits for any number of threads' 1.npy 3.npy
same 'same provenance' 1.npy.json 3.npy.json
ok 'little memory' ct $tv --stop steps:12 y.tif -o m.npy --mem 64M
same 'same bits for any memory' 1.npy m.npy
# configuration
"$priori" ct $tv --stop steps:12 --print-config y.tif >a.ini 2>.err
"$priori" reconstruct a.ini --print-config y.tif >b.ini 2>.err
same 'configuration, fed back, is the same text' a.ini b.ini
ok 'and gives' reconstruct a.ini y.tif -o i.npy
same 'the same pixels' 1.npy i.npy
"$priori" ct $g --print-config y.tif >door.ini 2>.err
check 'the door: TV, weight from the noise' grep -q '^prior = tv:weight=auto:discrepancy' door.ini
check 'the door: a proof' grep -q '^stop = gap:goal=0.001' door.ini
printf 'operator = ct:angles=20,size=48\nslover = fbp\n' >wrong.ini
status 2 'unknown key of a file' reconstruct wrong.ini y.tif -o z.tif
complains "wrong.ini:2: .*solver" 'place and near match' reconstruct wrong.ini y.tif -o z.tif
printf '# a comment\noperator = ct:angles=20,size=48 # another\nsolver = fbp\n' >right.ini
ok 'comments' reconstruct right.ini y.tif -o right.npy
status 4 'no such pipeline file' reconstruct none.ini y.tif -o z.tif
# refusals, all before any computation
long='--stop steps:100000000'
status 6 'no folder' ct $tv $long y.tif -o none/out.tif
status 6 'exists' ct $tv $long y.tif -o tv.tif
status 4 'missing input' ct $g none.tif -o z.tif
status 7 'budget' ct $g --mem 1M y.tif -o z.tif
complains 'MiB' 'needed and allowed' ct $g --mem 1M y.tif -o z.tif
status 2 'near solver' ct $g --solver pdgh y.tif -o z.tif
complains 'pdhg' 'says so' ct $g --solver pdgh y.tif -o z.tif
status 2 'gap without a box' reconstruct --operator ct:angles=20,size=48 --prior tv:1 --stop gap:1e-3 y.tif -o z.tif
status 2 'negative weight' ct $g --prior tv:weight=-1 y.tif -o z.tif
status 2 'two inputs, one output' ct $g --solver fbp y.tif x.tif -o z.tif
# angles from a file: those that the count stands for, in degrees, give the same picture to rounding
awk 'BEGIN { print "# degrees"; for (i = 0; i < 20; i++) print 9 * i }' >turn.txt
ok 'angles by count' ct --geometry angles=20,size=48 --solver fbp y.tif -o count.tif
ok 'angles from a file' ct --geometry angles=turn.txt,size=48 --solver fbp y.tif -o file.tif
"$priori" score --reference count.tif file.tif --json >.score 2>.err
check 'are the same angles' awk '/"psnr"/ { gsub(/[^0-9.n]/, "", $2); if ($2 == "n" || $2 > 100) good = 1 } END { exit !good }' .score
says 'turn.txt' 'the file is in the provenance' info file.tif --json
awk 'BEGIN { for (i = 0; i < 21; i++) print i }' >angles.txt
status 8 'angles against views' ct --geometry angles=angles.txt y.tif -o z.tif
check 'nothing was written' test ! -e z.tif
complains '^priori: ct: --scale 1:0' 'a bad scale is called scale' ct $g --solver fbp --dtype u8 --scale 1:0 y.tif -o z.tif
"$priori" ct $g --solver fbp - -o pipe.npy <y.tif >.out 2>.err
sum=$(sha256sum y.tif | cut -d ' ' -f 1)
check 'standard input is hashed' grep -q "$sum" pipe.npy.json
# plan
says '"peak_bytes": ?[0-9]' 'plan' ct $g --dry-run --json y.tif -o z.tif
run ct $g --dry-run --json --mem 1M y.tif -o z.tif
check 'a plan beyond the budget: 7' test $? -eq 7
check 'is printed all the same' grep -q '"status": *7' .out
# several inputs
mkdir out
cp y.tif y2.tif
ok 'two jobs' ct $g --solver fbp y.tif y2.tif -o out/ --slices 0
status 4 'the others go on' ct $g --solver fbp none.tif y.tif -o 'job_{stem}.tif'
check 'past a missing one' test -s job_y.tif
# sweep
ok 'sweep' ct $g --solver fbp --sweep ct.center=34:35:0.5 y.tif -o sweep.npy
says '"sweep"' 'table in the provenance' info sweep.npy --json
status 2 'sweep of nothing' ct $g --solver fbp --sweep blur.sigma=1:2:1 y.tif -o z.tif
exchange=$(cd "$top_srcdir" && pwd)/tests/data/corpus/stack_exchange.h5
if "$priori" --version -v 2>/dev/null | grep -qi '^hdf5 yes'; then
  complains 'centre of rotation was not found .*4 bins are too few' 'raw counts: the centre is looked for' ct "$exchange" --solver fbp -o seek.npy
  check 'and where it cannot be, the run goes on' test -e seek.npy
  ok 'a centre that is given' ct "$exchange" --geometry center=1 --solver fbp -f -o seek.npy
  check 'is not looked for' sh -c '! grep -q "centre of rotation" .err'
else
  skip 'raw counts: the centre is looked for' 'built without HDF5'
fi
if [ -n "${PRIORI_DATA-}" ] && "$priori" --version -v 2>/dev/null | grep -qi '^hdf5 yes'; then
  complains 'centre of rotation: bin 29[56]\.' 'of a real scan it is found' ct "$PRIORI_DATA/ct/tooth/tooth.h5" --slices 0:1 --solver fbp -o tooth.npy
else
  skip 'of a real scan it is found' 'PRIORI_DATA is not set, or built without HDF5'
fi
# the axis, before anything runs
ok 'a scan whose axis is off the middle' phantom ellipses:size=64 --seed 4 --sinogram ct:angles=90,detector=100,size=64,center=46.5 --sinogram-output off.tif -o off-truth.tif
says '^axis +bin 49.50 in the geometry; 46\.[3-7][0-9]* by opposite rays, 4[67]\.[0-9]* by the picture.*these agree' 'check: both ways are said' check --geometry angles=90,size=64 off.tif
says 'the axis seems to be at bin 46\.[3-7]' 'check: and that the geometry is off' check --geometry angles=90,size=64 off.tif
says '"agree": ?true' 'check: in JSON' check --geometry angles=90,size=64,center=46.5 --json off.tif
run check --geometry angles=90,size=64,center=46.5 off.tif
check 'check: a good axis is no finding' sh -c '! grep -q "the axis seems" .out'
finish
