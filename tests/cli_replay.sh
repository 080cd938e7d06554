# SPDX-License-Identifier: GPL-3.0-or-later
# cli_replay - a result is made again from its own provenance, and compared.
. "${top_srcdir:-.}/tests/cli.sh"
mkdir tmp
export TMPDIR="$work/tmp"
ok 'phantoms' phantom ellipses:count=5,size=24 --count 3 -o many.tif
ok 'measurements' simulate --operator ct:angles=12,detector=36 --noise gaussian:relative=0.02 --seed 7 many.tif -o y.tif
printf '0\n15\n30\n45\n60\n75\n90\n105\n120\n135\n150\n165\n' >angles.txt
tv='--prior tv:weight=auto:discrepancy --bound 0:1.2 --stop gap:1e-2'
again() { # FILE WHAT
  status 0 "$2" replay "$1"
  check "$2: says so" grep -q 'bit for bit' .out
}
hdf5='x.h5 x.h5:/deep/image'
"$priori" --version -v 2>/dev/null | grep -qi '^hdf5 yes' || { hdf5=; skip 'HDF5 results' 'built without HDF5'; }
for out in x.tif x.npy $hdf5 x.png; do
  ok "$out" ct --geometry angles=12,size=24 $tv y.tif -o $out -f
  again $out "$out again"
done
ok 'integers, a range of their own' ct --geometry angles=angles.txt,size=24 $tv --dtype u16 y.tif -o u.tif
again u.tif 'integers again'
ok 'seed, centre from the data, some slices' ct --geometry angles=angles.txt,center=auto,size=24 --solver fbp --slices 1: --seed 9 y.tif -o c.tif
again c.tif 'centre from the data again'
ok 'double' ct --geometry angles=12,size=24 $tv --precision double y.tif -o d.tif
again d.tif 'double again'
again y.tif 'a simulation again'
ok 'files as a stack' ct --geometry angles=12,size=24 --solver fbp --as-stack y.tif y.tif -o s.tif
again s.tif 'files as a stack again'
ok 'sweep' ct --geometry angles=12,size=24 --prior tv:0.1 --bound 0:1.2 --stop steps:5 --sweep tv.weight=0.1,0.2 y.tif -o w.tif
again w.tif 'sweep again'
check 'what the file filled in is said' grep -aq 'detector=36,bin=1mm' x.tif
mkdir away
cp x.tif away
cd away || exit 1
status 4 'inputs are looked for under the name as typed' replay x.tif
check 'which' grep -q 'y.tif' .err
ok 'or where one says' replay x.tif ../y.tif
status 2 'too many of them' replay x.tif ../y.tif ../y.tif
cd .. || exit 1
status 4 'another file' replay x.tif many.tif
check 'says that it is another' grep -q 'its hash differs' .err
cp angles.txt keep.txt
printf '1\n' >>angles.txt
status 4 'another file of angles' replay u.tif
check 'names it' grep -q 'angles.txt' .err
mv keep.txt angles.txt
# a changed pixel
size=$(wc -c <x.npy)
printf '\001\002\003' | dd of=x.npy bs=1 seek=$((size - 40)) conv=notrunc 2>/dev/null
status 3 'a changed pixel' replay x.npy
check 'where it is' grep -q 'slice 2, y 23' .out
says '"same": ?false' 'for programs' replay x.npy --json
status 4 'without provenance' replay angles.txt
status 2 'of a command that is not run again' replay many.tif
check 'leaves nothing' test "$(ls tmp | wc -l)" -eq 0
finish
