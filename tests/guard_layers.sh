# SPDX-License-Identifier: GPL-3.0-or-later
# guard_layers - folders are layers: src <- operators, priors, phantoms <- reconstruct <- tests, bench. An include never points up or
# sideways; from other folders only priori/*.h and those headers of src can be included that call themselves kernels, "(k)".
. "${top_srcdir:-.}/tests/script.sh"

layers() { # TREE: prints what points the wrong way; 1 where something does
  (cd "$1" && find src operators priors phantoms reconstruct tests bench -name '*.[ch]' 2>/dev/null | sort | xargs awk '
    BEGIN { rank["src"] = 0; rank["operators"] = rank["priors"] = rank["phantoms"] = 1; rank["reconstruct"] = 2; rank["tests"] = rank["bench"] = 3 }
    function exists(f,  line, r) { r = (getline line < f); close(f); return r >= 0 }
    function kernel(f,  line, i) { for (i = 0; i < 4 && (getline line < f) > 0; i++) if (index(line, "(k)")) { close(f); return 1 } close(f); return 0 }
    function top(f) { sub(/\/.*/, "", f); return f }
    function folder(f) { sub(/\/[^\/]*$/, "", f); return f }
    /^[ \t]*#[ \t]*include[ \t]+"/ {
      name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
      own = top(FILENAME)
      if (exists(folder(FILENAME) "/" name)) to = folder(FILENAME) "/" name
      else if (exists("src/" name)) to = "src/" name
      else to = name
      while (sub(/[^\/]+\/\.\.\//, "", to)) continue
      other = index(to, "/") ? top(to) : own
      if (!(other in rank)) next
      if (other != own && rank[other] >= rank[own]) { print FILENAME " includes " name ": " own " must not know " other; bad = 1 }
      if (other == "src" && own != "src" && own != "tests" && own != "bench" && to !~ /^src\/priori\// && !kernel(to)) {
        print FILENAME " includes " name ": not public, and not marked as a kernel header, (k)"; bad = 1 }
    }
    END { exit bad }' || exit 1)
}

check 'includes of the tree point down' layers "$top_srcdir"
mkdir -p "$work/src/priori" "$work/operators" "$work/priors" "$work/reconstruct"
echo '/* par.h (k) */' >"$work/src/par.h"
echo '/* private.h */' >"$work/src/private.h"
echo '#include "par.h"' >"$work/priors/fine.c"
check 'a kernel header may be included' layers "$work"
for bad in 'src reconstruct/cmd.h' 'operators priors/tv.h' 'priors ../operators/ct.h' 'reconstruct private.h'; do
  echo "#include \"${bad#* }\"" >"$work/${bad%% *}/bad.c"
  for header in reconstruct/cmd.h priors/tv.h operators/ct.h; do : >"$work/$header"; done
  fails "found: ${bad%% *} includes ${bad#* }" layers "$work"
  rm "$work/${bad%% *}/bad.c"
done
finish
