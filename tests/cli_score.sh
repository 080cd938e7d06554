# SPDX-License-Identifier: GPL-3.0-or-later
# cli_score - figures against a reference: pairing, means, regions, refusals. The figures themselves are tests/unit_metrics.c's.
. "${top_srcdir:-.}/tests/cli.sh"
make() { "$priori" phantom ellipses:size=48 --seed 7 "$@" || fail "phantom $*"; }
make --count 3 -o truth.tif
make --count 3 --noise gaussian:sd=0.1 -o noisy.tif
make --count 1 -o first.tif
make --count 2 -o two.tif
"$priori" phantom ellipses:size=40 -o small.tif

flat() { "$priori" score "$@" --json 2>.err | tr -d ' \n'; }
# value KEY N: the N-th value of KEY in `said`
value() { grep -o "\"$1\":[^,}]*" said | sed -n "$2s/.*://p"; }
near() { awk -v a="$1" -v b="$2" -v tolerance="$3" 'BEGIN {d = a - b; exit !(d <= tolerance && d >= -tolerance)}'; }

flat --reference truth.tif truth.tif >said
check 'equal images: psnr null' test "$(value psnr 1)" = null
check 'equal images: ssim 1' test "$(value ssim 1)" = 1
check 'equal images: re 0' test "$(value re 1)" = 0
flat --reference truth.tif noisy.tif >said
check 'three slices and their mean' test "$(grep -o '"psnr":[0-9n]' said | wc -l)" -eq 4
check 'order of keys' grep -q '^{"images":\[{"file":"noisy.tif","slices":\[{"psnr":[0-9.]*,"ssim":[0-9.]*,"re":[0-9.]*,"rmse":[0-9.]*,"mae":[0-9.]*}' said
check 'definitions' grep -q '"definitions":{"' said
mean=$(awk -v a="$(value psnr 1)" -v b="$(value psnr 2)" -v c="$(value psnr 3)" 'BEGIN {printf "%.12g", (a + b + c) / 3}')
check 'mean of the slices' near "$mean" "$(value psnr 4)" 1e-9
# the standard error of rmse over 48^2 pixels is 0.1 / sqrt(2 * 2304) = 0.0015: five of them
check 'rmse is the noise' near "$(value rmse 1)" 0.1 0.0075
check 'psnr of peak 1 from rmse' near "$(value psnr 1)" "$(awk -v r="$(value rmse 1)" 'BEGIN {printf "%.12g", -20 * log(r) / log(10)}')" 1e-6
before=$(value psnr 1)
flat --reference truth.tif --peak 10 noisy.tif >said
check 'peak 10 adds 20 dB' near "$(value psnr 1)" "$(awk -v p="$before" 'BEGIN {printf "%.12g", p + 20}')" 1e-9
flat --reference first.tif noisy.tif >said
check 'one reference serves all slices' test "$(grep -o '"psnr":[0-9n]' said | wc -l)" -eq 4
check 'the first is that of the pairs' near "$(value psnr 1)" "$before" 1e-12
flat --reference truth.tif noisy.tif truth.tif >said
check 'two images' test "$(grep -o '"file"' said | wc -l)" -eq 2
flat --reference truth.tif --roi 0,0,48,48 noisy.tif >said
check 'the whole as a region' near "$(value psnr 1)" "$before" 1e-12
flat --reference truth.tif --roi 10,5,20,30 noisy.tif >said
check 'a region' near "$(value rmse 1)" 0.1 0.02
flat --reference truth.tif --roi disk noisy.tif >said
check 'the disc' near "$(value rmse 1)" 0.1 0.0085
ok 'other window' score --reference truth.tif --ssim uniform7 noisy.tif
ok 'for people' score --reference truth.tif noisy.tif
check 'a mean for people' grep -q '^  mean' .out

mkdir a b
for k in 2 9 10; do
  "$priori" phantom ellipses:size=32 --seed $k -o a/s$k.tif
  "$priori" phantom ellipses:size=32 --seed $k -o b/t$k.tif
done
flat --reference a b >said
check 'folders, paired in natural order' test "$(value re 4)" = 0

status 2 'no reference' score noisy.tif
status 2 'no image' score --reference truth.tif
status 4 'missing reference' score --reference none.tif noisy.tif
status 4 'missing image' score --reference truth.tif none.tif
status 2 'other size' score --reference small.tif noisy.tif
complains '48 x 48.*40 x 40' 'names both sizes' score --reference small.tif noisy.tif
status 2 'other number of slices' score --reference two.tif noisy.tif
status 2 'region beyond the image' score --reference truth.tif --roi 0,0,49,48 noisy.tif
status 2 'bad region' score --reference truth.tif --roi 0,0,x noisy.tif
status 2 'peak 0' score --reference truth.tif --peak 0 noisy.tif
run score --reference truth.tif none.tif noisy.tif --json
check 'goes on past a missing image, and says 4' sh -c "test $? -eq 4 && grep -q noisy.tif .out"
# values up to 200: a peak of 1 is doubted, and not where it is given
ok 'a bright image' simulate --operator scale:factor=200 truth.tif -o bright.tif
complains 'but PSNR is for a peak' 'a peak of 1 does not fit' score --reference bright.tif bright.tif
ok 'with a peak' score --reference bright.tif --peak 200 --range 200 bright.tif
check 'nothing is said' test ! -s .err
finish
