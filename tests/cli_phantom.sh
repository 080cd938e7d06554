# SPDX-License-Identifier: GPL-3.0-or-later
# cli_phantom - test objects and their exact projections: files, families, noise, refusals.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'a phantom' phantom shepp-logan:size=64 -o head.tif
status 6 'not overwritten without -f' phantom shepp-logan:size=64 -o head.tif
ok 'overwritten with -f' phantom shepp-logan:size=64 -f -o head.tif
ok 'again' phantom shepp-logan:size=64 -o again.tif
same 'same call, same bytes' head.tif again.tif
says '"shape": \[' 'info reads it' info --json head.tif
check 'its size' sh -c 'tr -d " \n" <.out | grep -q "\"shape\":\[64,64\]"'
check 'its provenance says what it is' sh -c 'tr -d "\n" <.out | grep -q "shepp-logan:"'

ok 'a family' phantom ellipses:size=32 --count 5 --seed 3 -o five.tif
ok 'with one thread' phantom ellipses:size=32 --count 5 --seed 3 -j 1 -o one.tif
same 'same bytes whatever the threads' five.tif one.tif
ok 'another seed' phantom ellipses:size=32 --count 5 --seed 4 -o other.tif
check 'is another family' sh -c '! cmp -s five.tif other.tif'
ok 'two of it' phantom ellipses:size=32 --count 2 --seed 3 -o two.tif
says '"re": 0,' 'a member does not depend on the count' score --reference two.tif two.tif --json

keys=ct:angles=12,detector=48
ok 'a sinogram' phantom shepp-logan:size=32 --sinogram $keys --sinogram-output y.tif -o x.tif
ok 'averaged over bins by default' phantom shepp-logan:size=32 --sinogram $keys,average=bin --sinogram-output bin.tif -f -o x.tif
ok 'along rays' phantom shepp-logan:size=32 --sinogram ct:average=ray,angles=12,detector=48 --sinogram-output ray.tif -f
says '"re": 0,' 'bin is the default' score --reference y.tif bin.tif --json
check 'rays differ' sh -c '! cmp -s bin.tif ray.tif'
"$priori" info --json y.tif | tr -d ' \n' >info
check 'shape of a sinogram' grep -q '"shape":\[12,48\]' info
ok 'fan beam' phantom shepp-logan:size=32 --sinogram ct:geometry=fan,angles=12,detector=64,sod=100,sdd=200 --sinogram-output fan.npy

ok 'noise' phantom shepp-logan:size=64 --noise gaussian:relative=0.01 -o noisy.tif
"$priori" score --reference head.tif noisy.tif --json | sed -n 's/^ *"re": \([0-9.e-]*\),*/\1/p' | head -n 1 >re
check 'has the level asked for' awk '{exit !($1 > 0.0099999 && $1 < 0.0100001)}' re

if [ -x "$priori-double" ]; then
  ok 'in double' phantom shepp-logan:size=32 --precision double -o double.npy
  "$priori" info --json double.npy | tr -d ' \n' >info
  check 'is written in double' grep -q '"dtype":"f64"' info
  "$priori-double" phantom shepp-logan:size=32 --precision float -o float.npy
  "$priori" info --json float.npy | tr -d ' \n' >info
  check 'and back' grep -q '"dtype":"f32"' info
fi
"$priori" phantom shepp-logan:size=32 -o npy:- >pipe.npy 2>.err
ok 'to a file' phantom shepp-logan:size=32 -f -o file.npy
same 'a pipe gets the bytes of the file' pipe.npy file.npy
full() { "$priori" phantom shepp-logan:size=32 -o npy:- >/dev/full 2>.err; }
if [ -c /dev/full ]; then expect 6 'a full disk behind the pipe' full; else skip 'a full disk' 'no /dev/full'; fi
"$priori" phantom ellipses:size=1024 --count 4000 -o long.tif 2>.err &
sleep 0.5
kill -TERM $!
wait $!
check 'SIGTERM: status 143, nothing left' sh -c "test $? -eq 143 && test -z \"\$(ls | grep long)\""

status 2 'unknown phantom' phantom shep-logan -o q.tif
complains "'shepp-logan'" 'near phantom' phantom shep-logan -o q.tif
status 2 'unknown key' phantom shepp-logan:sise=3 -o q.tif
status 2 'no output' phantom shepp-logan
status 2 'sinogram without a file' phantom shepp-logan --sinogram $keys -o q.tif
status 2 'file without a sinogram' phantom shepp-logan --sinogram-output q.tif
status 2 'one file for both' phantom shepp-logan --sinogram $keys --sinogram-output q.tif -o q.tif
status 2 'bad average' phantom shepp-logan --sinogram $keys,average=both --sinogram-output q.tif
status 2 'not ct' phantom shepp-logan --sinogram blur:sigma=1 --sinogram-output q.tif
status 2 'count of nothing' phantom shepp-logan --count 0 -o q.tif
status 6 'no such folder' phantom shepp-logan -o none/q.tif
status 7 'too little memory' phantom shepp-logan:size=2000 --mem 1M -o q.tif
check 'nothing was left behind' sh -c 'test -z "$(ls | grep -E "^q|\.part|\.tmp|~")"'
finish
