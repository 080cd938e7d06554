# SPDX-License-Identifier: GPL-3.0-or-later
# cli_simulate - simulate and check: shapes, seeds, places of noise in a stack, JSON for programs.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom shepp-logan:size=64 -o x.tif
ct=ct:angles=24,detector=96
ok 'sinogram' simulate --operator $ct x.tif -o clean.tif
says '"shape": ?\[' 'info reads it' info clean.tif --json
ok 'noise' simulate --operator $ct --noise gaussian:relative=0.01 --seed 1 x.tif -o a.npy
ok 'noise again' simulate --operator $ct --noise gaussian:relative=0.01 --seed 1 x.tif -o b.npy -j 3
ok 'other seed' simulate --operator $ct --noise gaussian:relative=0.01 --seed 2 x.tif -o c.npy
same 'same seed, same bits' a.npy b.npy
check 'other seed, other bits' test "$(cksum <a.npy)" != "$(cksum <c.npy)"
ok 'family' phantom ellipses:count=5,size=48 --count 5 -o many.tif
ok 'stack' simulate --operator $ct --noise gaussian:sd=0.1 many.tif -o all.npy
ok 'two of them' simulate --operator $ct --noise gaussian:sd=0.1 --slices 1:5:2 many.tif -o some.npy
ok 'the same out of the stack' reconstruct --solver none --slices 1:5:2 all.npy -o picked.npy
same 'noise goes by the place in the file' some.npy picked.npy
status 2 'no operator' simulate x.tif -o y.tif
status 2 'no detector' simulate --operator ct x.tif -o y.tif
status 6 'exists' simulate --operator $ct x.tif -o clean.tif
status 4 'missing' simulate --operator $ct none.tif -o y.tif
ok 'check' check --operator $ct,size=64 --json
says '"mismatch"' 'adjoint in JSON' check --operator $ct,size=64 --json
says '"geometry"' 'findings in JSON' check --operator $ct,size=64 --json
says '"repeats"' 'time in JSON' check --operator $ct,size=64 --time 0.01 --json
says 'truncated' 'truncation is found' check --operator ct:angles=24,detector=20,size=64
says 'twice' 'double angles are found' check --operator ct:angles=24,arc=720,detector=100,size=64
status 2 'check: unknown key' check --operator ct:anglez=3,size=64
finish
