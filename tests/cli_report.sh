# SPDX-License-Identifier: GPL-3.0-or-later
# cli_report - one page about a result, complete in itself.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:count=5,size=24 --count 3 -o many.tif
ok 'measurement' simulate --operator ct:angles=12,detector=36 --noise gaussian:relative=0.02 many.tif -o y.tif
ok 'result' ct --geometry angles=12,size=24 --prior tv:weight=auto:discrepancy --bound 0:1.2 --stop gap:1e-2 y.tif -o x.tif
ok 'page' report x.tif -o page.html
has() { # FILE WHAT...
  file=$1
  shift
  for part in "$@"; do check "$file has $part" grep -q "$part" "$file"; done
}
pictures() { check "$1 has $2 pictures" test "$(grep -o '<img ' "$1" | wc -l)" -eq "$2"; }
sound() { # every page: nothing outside, no section left out, no number that is none
  check "$1: nothing outside" sh -c '! grep -qE "(src|href)=\"?(http|//|file)|url\(|@import|<script|<link" "$1"' - "$1"
  check "$1: no section is left out" sh -c '! grep -q "Left out:" "$1"' - "$1"
  check "$1: no nan" sh -c '! sed "s/base64,[^\"]*//g" "$1" | grep -qiwE "nan|inf"' - "$1"
  check "$1: sections are closed" test "$(grep -o '<section>' "$1" | wc -l)" -eq "$(grep -o '</section>' "$1" | wc -l)"
  check "$1: figures are closed" test "$(grep -o '<figure' "$1" | wc -l)" -eq "$(grep -o '</figure>' "$1" | wc -l)"
}
has page.html 'data:image/png;base64,iVBOR' '<svg' 'at most <b>' 'is met' 'Certified relative gap' 'Weights tried' 'Histogram' 'operator = ct:' 'priori replay x.tif' 'y.tif</td>' \
  'Residual sinogram' 'Power spectrum of the residual' 'Mean spectrum along the detector' 'Chi-square a view' '<b>The residual is' 'half a turn is complete' 'where the axis projects to'
pictures page.html 4 # result, input, residual, spectrum
sound page.html
status 6 'a page that exists' report x.tif -o page.html
ok 'with -f' report x.tif -o page.html -f
status 2 'no page' report x.tif
status 4 'no result' report nothing.tif -o z.html
status 6 'no folder' report x.tif -o nowhere/z.html
check 'nothing was written' test ! -e z.html

# ---- the residual is that of the certificate
number() { sed -n "s|.*<th>$2</th><td[^>]*>\([0-9.]*\).*|\1|p" "$1" | tail -n 1; }
ok 'one slice' ct --geometry angles=12,size=24 --prior tv:weight=0.05 --bound 0:1.2 --stop gap:1e-2 --slices 1:2 y.tif -o one.tif
ok 'its page' report one.tif -o one.html
check 'root mean square times the root of the data is the norm' awk -v r="$(number one.html 'root mean square')" -v n="$(number one.html residual)" 'BEGIN {d = r * sqrt(12 * 36) / n; exit !(d > 0.999 && d < 1.001)}'

# ---- its inputs have moved, or changed
mv y.tif elsewhere.tif
ok 'without its input' report x.tif -o page.html -f
has page.html 'There is no residual here' 'y.tif' 'half a turn is complete' 'Histogram'
pictures page.html 1
sound page.html
ok 'which lies elsewhere' report x.tif elsewhere.tif -o page.html -f
has page.html 'Residual sinogram'
status 2 'too many' report x.tif elsewhere.tif many.tif -o page.html -f
cp many.tif y.tif
ok 'another file in its place' report x.tif -o page.html -f
has page.html 'its hash differs'
rm y.tif

# ---- images: blur, mask, integers, a region, a filter behind the solver
ok 'image' phantom ellipses:count=5,size=32 -o clean.tif
ok 'blurred' simulate --operator blur:psf=gaussian,sigma=1.5 --noise gaussian:sd=0.01 clean.tif -o soft.tif
ok 'deblurred' deblur --psf gaussian:sigma=1.5 --prior tv:weight=0.001 --noise-level sd:0.01 --stop steps:50 soft.tif -o sharp.tif
ok 'its page' report sharp.tif -o sharp.html
has sharp.html 'Point-spread function' 'full width at half maximum, x' 'Radial mean of the spectrum'
check 'a Gaussian is 2.355 sigma wide, and a little more by the pixels' awk -v w="$(number sharp.html 'full width at half maximum, x')" 'BEGIN {exit !(w > 3.5 && w < 3.75)}'
check 'the noise level is said' test "$(number sharp.html 'noise level')" = 0.01
pictures sharp.html 5 # result, input, residual, spectrum, PSF
sound sharp.html
ok 'with an unknown border' deblur --psf gaussian:sigma=1.5 --border unknown --prior tv:weight=0.001 --stop steps:5 soft.tif -o wide.tif
ok 'its page' report wide.tif -o wide.html
has wide.html 'beyond the field that is written'
sound wide.html
ok 'half of the pixels' inpaint --mask random:0.5 --then none --prior tv:weight=0.01 --stop steps:20 soft.tif -o whole.tif
ok 'its page' report whole.tif -o whole.html
check 'known ones are counted' sh -c 'n=$(sed -n "s/.*over the \([0-9]*\) known.*/\1/p" whole.html); test "$n" -gt 400 && test "$n" -lt 620'
sound whole.html
ok 'denoised to integers' denoise --prior tv:weight=0.01 --stop steps:20 --dtype u8 --scale 0:1 soft.tif -o eight.tif
ok 'its page' report eight.tif -o eight.html
check 'in the unit of the data' awk -v r="$(number eight.html 'root mean square')" -v s="$(number eight.html rounding)" 'BEGIN {exit !(r > 0 && r < 0.1 && s > 0.0039 && s < 0.004)}'
ok 'a region' denoise --prior tv:weight=0.01 --stop steps:5 --roi 4,4,16,16 soft.tif -o part.tif
ok 'its page' report part.tif -o part.html
has part.html 'only a region of the image was written'
sound part.html
ok 'a measurement' report soft.tif -o soft.html
check 'has no residual' sh -c '! grep -q "What the model leaves" soft.html'
sound soft.html

# ---- volumes, channels, with and without their input
ok 'six pages' phantom ellipses:count=3,size=24 --count 6 -o pages.tif
ok 'as a volume' deblur --psf gaussian:sigma=1x1x1 --item volume --prior tv:weight=0.01 --stop steps:5 pages.tif -o deep.tif
ok 'its page' report deep.tif -o deep.html
has deep.html '1 volume of' 'full width at half maximum, z' 'axial (z)'
sound deep.html
mv pages.tif away.tif
ok 'without its input' report deep.tif -o deep.html -f
has deep.html 'full width at half maximum, z' 'There is no residual here'
sound deep.html

# ---- what was learned
ok 'noisy' simulate --operator identity --noise gaussian:sd=0.1 clean.tif -o noisy.tif
ok 'learned' learn --prior tv noisy.tif --truth clean.tif --stop steps:4 -o tv.prior
ok 'its page' report tv.prior -o tv.html
has tv.html 'Loss: between these two' 'Norm of the hypergradient' 'Accuracy asked' 'Parameters' 'a proven interval' '<th>weight</th>' 'prior = smooth-tv'
sound tv.html
ok 'filters' learn --prior foe:size=3,filters=4 noisy.tif --truth clean.tif --stop steps:2 -o foe.prior
ok 'their page' report foe.prior -o foe.html
pictures foe.html 4
sound foe.html

cp x.tif '<b>&.tif'
ok 'a name with signs of HTML' report '<b>&.tif' -o signs.html
check 'which are text' grep -q '<h1>&lt;b&gt;&amp;.tif</h1>' signs.html
finish
