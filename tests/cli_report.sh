# SPDX-License-Identifier: GPL-3.0-or-later
# cli_report - one page about a result, complete in itself.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'phantom' phantom ellipses:count=5,size=24 --count 3 -o many.tif
ok 'measurement' simulate --operator ct:angles=12,detector=36 --noise gaussian:relative=0.02 many.tif -o y.tif
ok 'result' ct --geometry angles=12,size=24 --prior tv:weight=auto:discrepancy --bound 0:1.2 --stop gap:1e-2 y.tif -o x.tif
ok 'page' report x.tif -o page.html
for part in 'data:image/png;base64,iVBOR' '<svg' 'at most <b>' 'is met' 'Certified relative gap' 'Weights tried' 'Histogram' 'operator = ct:' 'priori replay x.tif' 'y.tif</td>'; do
  check "has $part" grep -q "$part" page.html
done
check 'two pictures' test "$(grep -o '<img ' page.html | wc -l)" -eq 2
check 'nothing outside' sh -c '! grep -qE "(src|href)=\"?(http|//|file)|url\(|@import|<script|<link" page.html'
status 6 'a page that exists' report x.tif -o page.html
ok 'with -f' report x.tif -o page.html -f
status 2 'no page' report x.tif
status 4 'no result' report nothing.tif -o z.html
status 6 'no folder' report x.tif -o nowhere/z.html
check 'nothing was written' test ! -e z.html
rm y.tif
ok 'without its input' report x.tif -o page.html -f
cp x.tif '<b>&.tif'
ok 'a name with signs of HTML' report '<b>&.tif' -o signs.html
check 'which are text' grep -q '<h1>&lt;b&gt;&amp;.tif</h1>' signs.html
finish
