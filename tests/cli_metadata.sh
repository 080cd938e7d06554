# SPDX-License-Identifier: GPL-3.0-or-later
# cli_metadata - what a TIFF carried, volumes of hyperstacks, names and patterns, as a user meets them
. "${top_srcdir:-.}/tests/cli.sh"
case $top_srcdir in /*) ;; *) top_srcdir=$OLDPWD/$top_srcdir ;; esac
corpus=$top_srcdir/tests/data/corpus
pass_on='reconstruct --operator identity: --solver none --dtype same -f'
# shellcheck disable=SC2086
{
ok 'a hyperstack passes through' $pass_on --verify-metadata "$corpus/stack_hyper_be.tif" -o hyper.tif
check 'the differences are told' grep -q 'metadata: Software: made -> priori' .err
check 'and counted' grep -qE 'metadata: [0-9]+ items kept, 2 changed: Software, ImageDescription max' .err
says '"c", *"y"|"axes": "cyx"' 'axes' info --json hyper.tif
ok 'OME-TIFF' $pass_on --verify-metadata "$corpus/stack_ome.tif" -o o.ome.tif
check 'only its identifier changes' grep -qE '2 changed: Software, OME-XML OME UUID$' .err
says '"software": "made"' 'the old Software stands in the provenance' info --json hyper.tif
ok 'not to a pipe' $pass_on --verify-metadata "$corpus/stack_tags.tif" -o tif:-
check 'which is said' grep -q 'cannot be looked at again' .err
status 2 'no z axis' $pass_on --item volume "$corpus/slice_u8.png" -o x.tif
status 2 'no such item' $pass_on --item cube "$corpus/stack_tags.tif" -o x.tif
for kind in none deflate lzw; do
  ok "compression $kind" $pass_on --compression $kind --bigtiff yes "$corpus/stack_tags.tif" -o $kind.tif
  says 'mean +inf' "the same pixels, $kind" score --reference "$corpus/stack_tags.tif" $kind.tif
done

# channels of a hyperstack are separate volumes: other planes do not matter
ok 'volumes of channels' reconstruct --operator identity: --item channels --solver cgls --stop steps:2 --dtype same -f "$corpus/stack_hyper_be.tif" -o c.tif
says 'mean +inf' 'come back in the order of pages' score --reference "$corpus/stack_hyper_be.tif" c.tif

# a stack in natural order
for i in 1 2 10; do cp "$corpus/stack_tags.tif" "s$i.tif"; done
ok 'a pattern is a stack' $pass_on 's*.tif' -o stack.tif
check 'gaps are said' grep -q 's10.tif follows s2.tif: 7 numbers are missing' .err
ok 'so are files' $pass_on --as-stack s10.tif s1.tif s2.tif -o again.tif
check 'in natural order' grep -q 's10.tif follows s2.tif' .err
status 4 'a pattern that fits nothing' $pass_on 'nothing*.tif' -o x.tif
status 2 'two inputs for one output' $pass_on s1.tif ./s1.tif -o '{stem}-x.tif'

# a pipeline file takes any name
name=$(printf ' new\nline #1 "x".tif')
cp s1.tif "$name"
"$priori" reconstruct --operator identity: --init "$name" --print-config x >a.ini
"$priori" reconstruct a.ini --print-config x >b.ini
same 'a name with a line end comes back' a.ini b.ini
check 'it is quoted' grep -q '^init = " new\\nline #1 \\"x\\".tif"$' a.ini
printf 'init = "a\\qb"\n' >bad.ini
status 2 'an escape that is none' reconstruct bad.ini s1.tif -o x.tif
}
finish
