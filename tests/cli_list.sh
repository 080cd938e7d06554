# SPDX-License-Identifier: GPL-3.0-or-later
# cli_list - what exists, for people, programs and tables.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'all' list
for family in operator fidelity prior solver stop filter phantom noise; do
  ok "$family" list $family
  ok "$family as JSON" list --json $family
  ok "$family as a table" list --tsv $family
  "$priori" list --tsv $family | sed 1d | cut -f 2 >names
  while read -r name; do
    says "^$family $name: " "$family $name in full" list $family "$name"
    ok "$family $name as a table" list --tsv $family "$name"
    says "\"name\": \"$name\"" "$family $name as JSON" list --json $family "$name"
    for key in name brief cite parameters; do check "$family $name: $key" grep -q "\"$key\":" .out; done
  done <names
done
ok 'plural' list operators
ok 'fidelities' list fidelities
status 2 'unknown family' list operatr
complains "'operator'" 'near family' list operatr
status 2 'unknown plug-in' list operator nothing
ok 'manual of a family' list --man phantoms
"$priori" list --json >all.json
check 'no NaN or Infinity in JSON' sh -c '! grep -qiE ": -?(nan|inf)" all.json'
finish
