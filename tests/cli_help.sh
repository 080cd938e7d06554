# SPDX-License-Identifier: GPL-3.0-or-later
# cli_help - help, manual pages and completion name every command and every option of it: they come from the parser's tables.
. "${top_srcdir:-.}/tests/cli.sh"
"$priori" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p' >commands
check 'there are commands' test -s commands
"$priori" list --man >priori.1
"$priori" list --completion bash >completion
check 'completion is bash' bash -n completion
has() { grep -q -e "$1" "$2"; }
while read -r command; do
  "$priori" "$command" --help >help
  "$priori" list --man "$command" >man
  check "$command: synopsis" has "^Usage: priori $command" help
  check "$command: two examples at least" test "$(grep -c "^  priori " help)" -ge 2
  check "$command: where to look further" has '^Further:' help
  check "$command: manual title" has "^.TH \"PRIORI-" man
  check "$command: in the program's manual" has "priori.-$command" priori.1
  check "$command: no line of help over 100 columns" test -z "$(grep -vE '^  priori ' help | grep -E '.{101}')"
  sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}--\([a-z-]*\) .*/\2/p' help >options
  check "$command: has options" test -s options
  while read -r option; do
    roff=$(printf %s "$option" | sed 's/-/\\\\-/g')
    check "$command --$option in the manual" has "fB.-.-$roff" man
    check "$command --$option in the completion" sh -c "grep '^    $command) opts=' completion | grep -q -e '--$option[ ,'\"'\"']'"
  done <options
done <commands
if command -v man >/dev/null && command -v groff >/dev/null; then
  check 'manual without warnings' sh -c 'test -z "$(man -l --warnings priori.1 2>&1 >/dev/null)"'
else
  skip 'manual through man' 'man or groff is not here'
fi
complete() { # WORDS...: what bash offers for the last one
  bash -c 'source completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _priori 2>/dev/null; echo "${COMPREPLY[@]}"' x priori "$@"
}
offers() { complete "$@" >.offered; grep -qw -e "$wanted" .offered; }
wanted=list check 'completes commands' offers l
wanted=--json check 'completes options' offers list --j
wanted=operator check 'completes families' offers list op
wanted=bash check 'completes choices' offers list --completion b
finish
