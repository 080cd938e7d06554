# SPDX-License-Identifier: GPL-3.0-or-later
# cli_info - what a file is.
. "${top_srcdir:-.}/tests/cli.sh"
"$priori" phantom ellipses:size=32 --count 3 -o stack.tif
"$priori" phantom ellipses:size=32 --count 3 -o stack.npy
ok 'a TIFF stack' info stack.tif
ok 'as JSON' info --json stack.tif
for key in file format dtype shape axes pixel metadata provenance; do check "key $key" grep -q "^ \"$key\":" .out; done
tr -d ' \n' <.out >flat
check 'shape, slowest first' grep -q '"shape":\[3,32,32\]' flat
check 'axes' grep -q '"axes":"zyx"' flat
check 'pixel is an object' grep -q '"pixel":{' flat
check 'metadata is an object' grep -q '"metadata":{' flat
check 'provenance is an object' grep -q '"provenance":{"version"' flat
ok 'NPY' info --json stack.npy
tr -d ' \n' <.out >flat
check 'dtype' grep -q '"dtype":"f32"' flat
check 'format' grep -q '"format":"npy"' flat
status 4 'missing file' info none.tif
echo 'this is no image' >text.tif
: >empty.tif
status 4 'no image' info text.tif
status 4 'empty file' info empty.tif
status 2 'no file'
run info stack.tif none.tif stack.npy
check 'goes on past a missing file, and says 4' sh -c "test $? -eq 4 && grep -q stack.npy .out"
ok 'two files as JSON are an array' info --json stack.tif stack.npy
check 'it is' sh -c 'head -c 1 .out | grep -q "\["'
mkdir odd
for name in 'a b.tif' '-dash.tif' 'größe.tif' '100%d {x}.tif' "quote'\".tif" 'comma,equals=1.tif'; do
  cp stack.tif "odd/$name"
  (cd odd && "$priori" info --json -- "$name" >"$work/.said" 2>&1)
  check "name $name" test $? -eq 0
done
bad=$(printf 'b\377d.tif')
if cp stack.tif "odd/$bad" 2>/dev/null; then
  ok 'a name that is no UTF-8' info --json "odd/$bad"
  check 'is printed as UTF-8' sh -c 'iconv -f UTF-8 -t UTF-8 <.out >/dev/null 2>&1 || ! command -v iconv >/dev/null'
fi
# how a result was made is said in a line each; --json has it all
ok 'a result with a history' denoise --prior tv --slices 0 stack.tif -o made.tif --noise-level sd:0.05
says '^    history: [0-9]+ points, steps [0-9]+ to [0-9]+; objective ' 'its history in a line' info made.tif
says '^    weight_curves: sure of tv: [0-9.e-]+; [0-9]+ weights tested, ' 'its weights in a line' info made.tif
check 'no list is longer' awk 'length > 300 { exit 1 }' .out
ok 'as JSON' info --json made.tif
check 'all of it' sh -c 'tr -d " \n" <.out | grep -q "\"tested\":\[\[" && tr -d " \n" <.out | grep -q "\"history\":{\"item\":0,\"k\":\["'
finish
