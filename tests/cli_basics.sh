# SPDX-License-Identifier: GPL-3.0-or-later
# cli_basics - argv, exit statuses, where things are printed, the twin program of the other precision.
. "${top_srcdir:-.}/tests/cli.sh"
ok 'version' --version
says '^priori [0-9]+\.[0-9]+' 'version is the first line' -V
check 'version is one line' test "$(wc -l <.out)" -eq 1
says '^FFTW' 'libraries with -v' --version -v
ok 'help' --help
check 'help says nothing on stderr' test ! -s .err
status 2 'no command'
status 2 'unknown command' reconstrct
complains "'list'" 'near command' lst
status 2 'unknown option' list --jsno
complains '^priori: list: .*--json' 'near option, prefixed by program and command' list --jsno
status 2 'unknown letter' list -Z
status 2 'option before the command' -j 4 list
status 2 'option of another command' list --reference x
complains 'not an option of this command' 'says so' list --reference x
status 2 'switch with a value' list --json=yes
complains 'needs a value' 'missing value' list --completion
complains 'needs a value' 'an option is no value' list --completion --json
complains 'none of bash' 'choice' list --completion zsh
status 2 'too many inputs' list operator ct more
ok 'option after an input' list operator --json
ok 'two dashes end the options' list --json -- operator
status 2 'after two dashes all are inputs' list -- --json
ok 'bundled letters' list -qv
ok 'verbosity twice' list -vv
ok 'help of a command' list --help
ok 'help as a command' help list
status 2 'help of nothing' help nothing

twin() { "$priori" list --version -v "$@" | sed -n 's/^build: \([a-z]*\),.*/\1/p'; }
check 'float by default' test "$(twin)" = float
if [ -x "$priori-double" ]; then
  check 'double program' test "$("$priori-double" --version -v | sed -n 's/^build: \([a-z]*\),.*/\1/p')" = double
fi
full() { "$priori" list >/dev/full 2>.err; }
if [ -c /dev/full ]; then expect 6 'full disk' full; else skip 'full disk' 'no /dev/full'; fi
closed() { { "$priori" list --json 2>.err; echo $? >.status; } | true; }
closed
check 'a reader that left is no news' test ! -s .err
german=$(locale -a 2>/dev/null | grep -i '^de_DE.utf' | head -n 1)
if [ -n "$german" ]; then
  "$priori" list --json >point.json
  LC_ALL=$german "$priori" list --json >comma.json
  same 'a locale with a decimal comma changes nothing' point.json comma.json
fi
finish
