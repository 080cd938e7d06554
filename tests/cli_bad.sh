# SPDX-License-Identifier: GPL-3.0-or-later
# cli_bad - values that are not finite: refused with the place, or repaired; nothing half-written.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom shepp-logan:contrast=modified,size=32 -o x.npy
ok 'measurement' simulate --operator ct:angles=16,detector=48 x.npy -o y.npy
# view 3, bin 17 becomes NaN: its four bytes lie in front of the last (16 48 - 3 48 - 17) values
size=$(wc -c <y.npy)
at=$((size - 4 * (16 * 48 - 3 * 48 - 17)))
poison() { { head -c $at y.npy; printf "$1"; tail -c +$((at + 5)) y.npy; } >bad.npy; }
g='--geometry angles=16,size=32'
for what in '\000\000\300\177' '\000\000\200\177' '\000\000\200\377'; do
  poison "$what"
  status 5 'refused' ct $g --solver fbp bad.npy -o z.tif
  complains 'view 3, bin 17' 'with its place' ct $g --solver fbp bad.npy -o z.tif
  check 'nothing written' test ! -e z.tif
  for policy in mask inpaint; do
    ok "$policy" ct $g --solver cgls --stop steps:5 --on-bad $policy bad.npy -o z.npy -f
  done
done
status 2 'unknown policy' ct $g --on-bad ignore y.npy -o z.tif

# pipes and devices as files: they end, on a signal too, and fill no disk
f='--geometry angles=16,size=32 --solver fbp'
rm -f z.*
mkfifo fifo fifo.npy
cat y.npy >fifo &
ok 'a FIFO is read' ct $f fifo -o pipe.npy
wait
ok 'the same as a file' ct $f y.npy -o file.npy
same 'same bytes' pipe.npy file.npy
status 4 'a device without end' ct $f /dev/zero -o z.tif
status 4 'angles from one' ct --geometry angles=/dev/zero,size=32 --solver fbp y.npy -o z.tif
ended() { # WHAT ARGS... - waits for a pipe until SIGTERM comes: 143
  what=$1
  shift
  "$priori" "$@" >.out 2>.err </dev/null &
  pid=$!
  (sleep 20; kill -9 $pid) 2>/dev/null &
  guard=$!
  sleep 1
  kill -TERM $pid
  wait $pid
  check "$what" test $? -eq 143
  kill $guard 2>/dev/null
}
ended 'nobody writes' ct $f fifo -o z.npy
ended 'nobody reads' ct $f y.npy -o fifo.npy -f

# a log never takes the place of what is read or made
cp y.npy kept.npy
status 6 'the log is an input' ct $f y.npy -o z.npy --log y.npy
same 'the input is still there' y.npy kept.npy
status 6 'the log is the output' ct $f y.npy -o z.npy --log-json z.npy

# a detector that sees nothing of the image, a noise level that vanishes when squared
for g in center=1000 center=-1000; do status 8 "$g" ct --solver fbp --geometry angles=16,size=32,$g y.npy -o z.tif; done
status 8 'pixels between the rays' ct --geometry angles=16,size=32,pixel=1e-9 --prior tv:1 --stop steps:1 y.npy -o z.tif
status 2 'noise level' ct --geometry angles=16,size=32 --noise-level sd:1e-300 y.npy -o z.tif
printf '\357\273\277operator = ct:angles=16,size=32\r\nsolver = fbp\r\n' >bom.ini
ok 'a pipeline with the mark of an editor' reconstruct bom.ini y.npy -o bom.npy
check 'nothing written' test ! -e z.tif -a ! -e z.npy
finish
