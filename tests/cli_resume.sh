# SPDX-License-Identifier: GPL-3.0-or-later
# cli_resume - kills at any moment, and signals: the run that goes on gives the bytes of an undisturbed one.
. "${top_srcdir:-.}/tests/cli.sh"
mkdir good
ok 'phantoms' phantom ellipses:count=5,size=24 --count 128 -o many.tif
ok 'measurements' simulate --operator ct:angles=12,detector=36 --noise gaussian:relative=0.02 many.tif -o y.tif
ok 'one slice' reconstruct --solver none --slices 7 y.tif -o one.tif
cp y.tif one.tif many.tif good
tv='--geometry angles=12,size=24 --prior tv:weight=0.2 --solver pdhg'

until_file() { # FILE PID: waits until FILE is there or the process has gone
  n=0
  while [ ! -e "$1" ] && kill -0 "$2" 2>/dev/null && [ $n -lt 3000 ]; do sleep 0.01; n=$((n + 1)); done
}
until_line() { # PATTERN FILE PID
  n=0
  while ! grep -q "$1" "$2" 2>/dev/null && kill -0 "$3" 2>/dev/null && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
}
start() { "$priori" "$@" >.out 2>.err </dev/null & pid=$!; }
kill_it() { kill -"$1" "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; ended=$?; }
undisturbed() { ( cd good && "$priori" "$@" -q ) || fail "undisturbed: $*"; }
nothing_left() { check "$1: nothing is left: $(ls -A | grep '^\.[a-z0-9]*\.[a-z0-9]*\.')" test -z "$(ls -A | grep '^\.[a-z0-9]*\.[a-z0-9]*\.')"; }
# WHAT OUTPUT ARGS...: killed when a state of the solver is there, and again, then to the end
killed() {
  name=$1 out=$2
  shift 2
  undisturbed "$@" -o "$out"
  times=0 tries=0
  while [ $times -lt 2 ] && [ $tries -lt 25 ]; do
    PRIORI_CHECKPOINT=0 start "$@" --resume -o "$out"
    until_file ".$out.resume-state" $pid
    kill_it KILL
    if [ $ended -eq 137 ]; then
      check "$name: no result of a killed run" test ! -e "$out"
      times=$((times + 1))
    else
      rm -f "$out" "$out.json" # it was faster than the kill
    fi
    tries=$((tries + 1))
  done
  ok "$name: resumed" "$@" --resume -o "$out"
  if [ $times -gt 0 ]; then check "$name: from a saved step" grep -q 'saved step' .err
  else skip "$name: from a saved step" 'every run was faster than its kill'; fi
  same "$name: the same bytes" "$out" "good/$out"
  nothing_left "$name"
}
killed 'steps' x.tif ct $tv --bound 0:1.2 --stop steps:3000 one.tif
killed 'gap, automatic box, two priors' a.npy ct $tv --prior tikhonov:0.01 --bound 0:auto --stop gap:2e-5 --stop steps:30000 one.tif
same 'its side file too' a.npy.json good/a.npy.json
killed 'integers with the range of the result' u.tif ct $tv --bound 0:1.2 --stop steps:3000 --dtype u16 one.tif
for solver in fista os-fista spdhg sgp cgls; do
  case $solver in cgls) set -- --stop steps:30000 ;; sgp) set -- --stop steps:10000 ;; *) set -- --prior tv:weight=0.2 --stop steps:2000 ;; esac
  killed "$solver" $(echo $solver | tr -d -).tif ct --geometry angles=12,size=24 "$@" --solver $solver --bound 0:1.2 one.tif
done
# a stack in blocks, killed at some times
set -- ct $tv --bound 0:1.2 --stop steps:150 y.tif
undisturbed "$@" -o stack.tif
for wait in 0.1 0.3 0.2 0.6 0.4; do
  PRIORI_CHECKPOINT=0.1 start "$@" --resume -o stack.tif
  sleep $wait
  kill_it KILL
done
ok 'stack: resumed' "$@" --resume -o stack.tif
same 'stack: the same bytes' stack.tif good/stack.tif
nothing_left 'stack'
ok 'finished: status 0' "$@" --resume -o stack.tif
check 'finished: said' grep -q 'finished already' .err
ok 'finished, with -f' "$@" --resume -o stack.tif -f
check 'finished, with -f: left alone' grep -q 'finished already' .err
status 6 'exists, without --resume' "$@" -o stack.tif
status 6 'exists, of another configuration' ct $tv --bound 0:1.3 --stop steps:150 y.tif --resume -o stack.tif
check 'which key differs' grep -q 'bound = 0:1.2' .err
# finished blocks are taken over, not computed again
start "$@" --resume -o part.tif
n=0
while [ -z "$(find .part.tif.resume -size +100k 2>/dev/null)" ] && kill -0 $pid 2>/dev/null && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
kill_it KILL
ok 'blocks: resumed' "$@" --resume -o part.tif
check 'blocks: taken over' grep -q 'slices are done already' .err
same 'blocks: the same bytes' part.tif good/stack.tif
# the side file of a result that never got its name: killed between the two renames
PRIORI_CHECKPOINT=0 start ct $tv --bound 0:1.2 --stop steps:20000 one.tif --resume -o orphan.npy
until_file .orphan.npy.resume-state $pid
kill_it KILL
rm -f orphan.npy
echo '{}' >orphan.npy.json
ok 'a side file alone: resumed' ct $tv --bound 0:1.2 --stop steps:20000 one.tif --resume -o orphan.npy
rm -f orphan.npy orphan.npy.json
echo '{}' >orphan.npy.json
status 6 'a side file of somebody else stays' ct $tv --bound 0:1.2 --stop steps:20 one.tif --resume -o orphan.npy
rm -f orphan.npy.json .orphan.npy.resume*
# a sweep (in an HDF5 file where that is built), as a stack of files, a simulation
sweep=sweep.h5
"$priori" --version -v 2>/dev/null | grep -qi '^hdf5 yes' || sweep=sweep.tif
undisturbed ct $tv --bound 0:1.2 --stop steps:60 --sweep tv.weight=0.1,0.2,0.3,0.4 --slices :4 y.tif -o $sweep
for pages in 4 12; do
  start ct $tv --bound 0:1.2 --stop steps:60 --sweep tv.weight=0.1,0.2,0.3,0.4 --slices :4 y.tif --resume -o $sweep -v
  until_line "pages $((pages - 4)) to" .err $pid
  kill_it KILL
done
ok 'sweep: resumed' ct $tv --bound 0:1.2 --stop steps:60 --sweep tv.weight=0.1,0.2,0.3,0.4 --slices :4 y.tif --resume -o $sweep
same 'sweep: the same bytes' $sweep good/$sweep
killed 'files as a stack' stack2.tif ct $tv --bound 0:1.2 --stop steps:4000 --as-stack one.tif one.tif
undisturbed simulate --operator ct:angles=90,detector=36 --noise gaussian:sd=0.1 many.tif -o s.tif
start simulate --operator ct:angles=90,detector=36 --noise gaussian:sd=0.1 many.tif --resume -o s.tif
until_file .s.tif.resume $pid
kill_it KILL
ok 'simulate: resumed' simulate --operator ct:angles=90,detector=36 --noise gaussian:sd=0.1 many.tif --resume -o s.tif
same 'simulate: the same bytes' s.tif good/s.tif
# signals, without --resume: nothing beside the output until then
for round in INT:130:one:20000 TERM:143:y:400; do
  signal=${round%%:*} steps=${round##*:}
  round=${round#*:} expected=${round%%:*} input=${round#*:}
  input=${input%:*}
  undisturbed ct $tv --bound 0:1.2 --stop steps:$steps $input.tif -o i.tif -f
  rm -f i.tif log
  start ct $tv --bound 0:1.2 --stop steps:$steps $input.tif -o i.tif --log-json log
  until_line '"k":9,' log $pid
  check "$signal: nothing is kept before it comes" test ! -e .i.tif.resume -a ! -e .i.tif.resume-state
  kill_it $signal
  check "$signal: status" test $ended -eq $expected
  check "$signal: says how to go on" grep -q -e '--resume' .err
  check "$signal: no result" test ! -e i.tif
  ok "$signal: resumed" ct $tv --bound 0:1.2 --stop steps:$steps $input.tif --resume -o i.tif
  check "$signal: from where it was" grep -q 'saved step' .err
  same "$signal: the same bytes" i.tif good/i.tif
done
# another configuration, a torn tail, a damaged state
set -- ct $tv --bound 0:1.2 --stop steps:3000 one.tif -o z.tif
leave() { rm -f z.tif .z.tif*; PRIORI_CHECKPOINT=0 start "$@" --resume; until_file .z.tif.resume-state $pid; kill_it KILL; }
leave "$@"
status 2 'records of another run' ct $tv --bound 0:1.3 --stop steps:3000 one.tif -o z.tif --resume
check 'which key differs' grep -q "bound = 0:1.2' there, 'bound = 0:1.3' here" .err
check 'nothing is lost by that' test -e .z.tif.resume
cp one.tif one.keep
"$priori" reconstruct --solver none --slices 8 y.tif -o one.tif -f -q
status 2 'another input' "$@" --resume
check 'which' grep -q 'one.tif is not the file' .err
mv one.keep one.tif
ok '-f starts over' ct $tv --bound 0:1.3 --stop steps:40 one.tif -o z.tif --resume -f
leave "$@"
printf 'torn' >>.z.tif.resume
printf '????' | dd of=.z.tif.resume-state bs=1 seek=500 conv=notrunc 2>/dev/null
ok 'torn records and a damaged state' "$@" --resume
same 'are no harm' z.tif good/x.tif
status 2 'standard output has no place for it' ct $tv --bound 0:1.2 --stop steps:4 one.tif -o npy:- --resume
finish
