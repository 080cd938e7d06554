# SPDX-License-Identifier: GPL-3.0-or-later
# guard_code - rules of the house that a text search can hold: one file with parallel pragmas, one that makes certificates, calls that
# are banned, lengths of files and functions, licence lines, every source listed in a local.mk.
. "${top_srcdir:-.}/tests/script.sh"
product='src operators priors phantoms reconstruct'

sources() { # TREE FOLDER...: C files there
  (cd "$1" && shift && find "$@" -name '*.[ch]' 2>/dev/null | sort)
}
# absent TREE PATTERN EXCEPT FOLDER... - 1, with the lines, where PATTERN (grep -E) stands in code outside files that match EXCEPT;
# comments and texts between quotes do not count
absent() {
  tree=$1 pattern=$2 except=$3
  shift 3
  for file in $(sources "$tree" "$@" | grep -vE "$except"); do
    sed -E 's/"([^"\\]|\\.)*"/""/g; s,/\*([^*]|\*[^/])*\*/,,g; s,//.*,,; /^[[:space:]]*\*/d; s,/\*.*,,' "$tree/$file" |
      grep -nE "$pattern" | sed "s,^,$file:,"
  done >"$work/found"
  [ ! -s "$work/found" ] || { cat "$work/found"; return 1; }
}
word() { printf '(^|[^A-Za-z0-9_>.])(%s)[[:space:]]*\\(' "$1"; }

pragmas() { absent "$1" '#[[:space:]]*pragma[[:space:]]+omp|_Pragma|omp_(get|set)_|<omp\.h>' '^src/par\.c$' $product; }
certificates() { absent "$1" '(->|\.)conjugate[[:space:]]*\(|'"$(word 'pri_status pri_certificate')" '^src/(certificate|fidelity|prior)\.c$|^src/priori/' $product; }
calls() {
  absent "$1" "$(word 'atoi|atol|atof|gets|strcpy|strcat|sprintf|vsprintf|rand|srand|random|drand48|strtok|alloca|tmpnam|mktemp|system|popen')" '^$' $product &&
  absent "$1" "$(word 'malloc|calloc|realloc|posix_memalign|aligned_alloc|strdup|strndup|asprintf')" '^src/context\.c$' $product &&
  absent "$1" "$(word 'printf|puts|putchar|perror|vprintf')|f(printf|puts|putc)[[:space:]]*\([^;]*(stdout|stderr)" '^reconstruct/(main|cmd|log|progress|report|console|list)[a-z_]*\.[ch]$' $product &&
  absent "$1" "$(word 'exit|abort|longjmp')" '^reconstruct/(main|cmd)[a-z_]*\.c$' $product &&
  absent "$1" "$(word 'clock|clock_gettime|gettimeofday|time')" '^(src/(clock|context|solver)|reconstruct/.*)\.c$' $product
}
lengths() { # files <= 600 lines, functions <= 60 (from the line of the name to the brace in column 0)
  (cd "$1" && sources . $product tests bench | xargs awk '
    FNR == 1 { start = 0 }
    FNR == 601 { print FILENAME ": more than 600 lines"; bad = 1 }
    /^[A-Za-z_].*\(/ && !/;[ \t]*$/ && !/=/ && !/^(typedef|struct|enum|union)/ { start = FNR; name = $0 }
    /^}[ \t]*$/ { if (start && FNR - start + 1 > 60) { print FILENAME ":" start ": " FNR - start + 1 " lines: " name; bad = 1 } start = 0 }
    END { exit bad }' || exit 1)
}
unfinished() { (cd "$1" && ! grep -rnEw --include='*.[ch]' --include='*.sh' --include='pri_*.m4' 'TO''DO|FIX''ME|XX''X' $product tests bench m4/pri_*.m4 2>/dev/null | grep .); }
licence() { # a licence line at the head of every file that is code
  (cd "$1" && bad=0
  for file in $(find $product tests bench m4 -name '*.[ch]' -o -name '*.sh' -o -name '*.mk' -o -name 'pri_*.m4' -o -name '*.py' 2>/dev/null) \
      configure.ac Makefile.am bootstrap tests/run; do
    [ ! -e "$file" ] || head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || { echo "$file: no licence line"; bad=1; }
  done
  exit $bad)
}
listed() { # a C file that no local.mk names would not ship
  (cd "$1" && bad=0
  for file in $(find $product -name '*.c'); do
    grep -qrwF --include=local.mk "$file" $product || { echo "$file: in no local.mk"; bad=1; }
  done
  for file in $(find $product -maxdepth 1 -name '*.h') tests/*.c tests/*.h tests/*.sh; do
    [ ! -e "$file" ] || grep -qwF "$file" ./*/local.mk Makefile.am || { echo "$file: in no local.mk"; bad=1; }
  done
  exit $bad)
}
headers_plain() { absent "$1" '__attribute__|typeof|__extension__|__builtin|_Generic|\[[[:space:]]*0[[:space:]]*\]' '/real\.h$' src/priori; }

check 'parallel pragmas only in src/par.c' pragmas "$top_srcdir"
check 'certificates only in src/certificate.c' certificates "$top_srcdir"
check 'no banned call' calls "$top_srcdir"
check 'files <= 600 lines, functions <= 60' lengths "$top_srcdir"
check 'nothing marked as unfinished' unfinished "$top_srcdir"
check 'licence lines' licence "$top_srcdir"
check 'every file is listed' listed "$top_srcdir"
check 'no GNU extension in public headers' headers_plain "$top_srcdir"

mkdir -p "$work/t/src/priori"
try() { # RULE LINE...: RULE must find fault with a file of these lines
  rule=$1
  shift
  printf '%s\n' "$@" >"$work/t/src/bad.c"
  fails "found by $rule: $1" "$rule" "$work/t"
}
try pragmas '#pragma omp parallel for'
try certificates '  g = f->conjugate(ctx, p);'
for call in 'n = atoi(s);' 'sprintf(b, "x");' 'p = malloc(3);' 'printf("x");' 'fprintf(stderr, "x");' 'exit(1);' 'x = rand();' 't = time(NULL);'; do try calls "$call"; done
try lengths 'int f(void) {' "$(yes '  x++;' | head -n 60)" '}'
try unfinished '/* TO''DO */'
try licence 'int x;'
try listed 'int x;'
echo '#define f(x) __builtin_expect(x, 1)' >"$work/t/src/priori/bad.h"
fails 'found by headers_plain' headers_plain "$work/t"
printf '%s\n' '/* rand() and printf() in a comment, */' 'const char *s = "printf(1)"; x->printf(1);' >"$work/t/src/bad.c"
check 'comments, texts and members are no calls' calls "$work/t"
finish
