/* SPDX-License-Identifier: GPL-3.0-or-later */
/* completion.c - bash completion from the tables: commands, options of each, choices, plug-in names; else file names. */
#include <string.h>
#include "cmd.h"

static void options_of(const pri_command *command) {
  pri_print("    %s) opts='", command->name);
  for (int i = 0; command->options && command->options[i]; i++) {
    const int at = pri_option_find(command->options[i]);
    if (at < 0) continue;
    pri_print("--%s ", command->options[i]);
    if (pri_option_table[at].letter) pri_print("-%c ", pri_option_table[at].letter);
  }
  pri_print("-v -q -h --verbose --quiet --help --version' ;;\n");
}

static void names_of(pri_ctx *ctx, const pri_option *o) {
  const pri_kind *const *k = pri_ctx_registry(ctx)->family[o->family - 1];
  for (; k && *k; k++) pri_print("%s ", (*k)->name);
  if (!strcmp(o->row.name, "solver")) pri_print("none ");
}

/* One case for each option that takes a value from a list. */
static void values_of(pri_ctx *ctx, const pri_option *o) {
  if (!o->family && !o->row.choices && strcmp(o->row.name, "sinogram") != 0) return;
  pri_print("    --%s) COMPREPLY=($(compgen -W '", o->row.name);
  if (o->family) names_of(ctx, o);
  else if (!o->row.choices) pri_print("ct:");
  for (int i = 0; o->row.choices && o->row.choices[i]; i++) pri_print("%s ", o->row.choices[i]);
  pri_print("' -- \"$cur\")); return ;;\n");
}

static void list_arguments(pri_ctx *ctx) {
  pri_print("  if [ \"$cmd\" = list ] && [ \"${cur#-}\" = \"$cur\" ]; then\n    case $prev in\n");
  for (int f = 0; f < PRI_FAMILIES; f++) {
    const pri_kind *const *k = pri_ctx_registry(ctx)->family[f];
    if (!k || !*k) continue;
    pri_print("      %s) COMPREPLY=($(compgen -W '", pri_family_name((pri_family)f));
    for (; *k; k++) pri_print("%s ", (*k)->name);
    pri_print("' -- \"$cur\")) ;;\n");
  }
  pri_print("      *) COMPREPLY=($(compgen -W '");
  for (int f = 0; f < PRI_FAMILIES; f++) pri_print("%s ", pri_family_name((pri_family)f));
  pri_print("' -- \"$cur\")) ;;\n    esac\n    return\n  fi\n");
}

pri_status pri_completion_print(pri_ctx *ctx, const char *shell) {
  (void)shell; /* bash is the only one so far; the option's choices say so */
  pri_print("# bash completion for priori, printed by `priori list --completion bash`\n_priori() {\n"
            "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} opts\n"
            "  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '");
  for (int i = 0; pri_commands[i]; i++) pri_print("%s ", pri_commands[i]->name);
  pri_print("help --help --version' -- \"$cur\"))\n    return\n  fi\n  case $prev in\n");
  for (const pri_option *o = pri_option_table; o->row.name; o++) values_of(ctx, o);
  pri_print("  esac\n");
  list_arguments(ctx);
  pri_print("  case $cmd in\n    help) opts='");
  for (int i = 0; pri_commands[i]; i++) pri_print("%s ", pri_commands[i]->name);
  pri_print("' ;;\n");
  for (int i = 0; pri_commands[i]; i++) options_of(pri_commands[i]);
  pri_print("  esac\n  if [ \"$cmd\" = help ] || [ \"${cur#-}\" != \"$cur\" ]; then\n"
            "    COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n  else\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
            "    [ -d \"${COMPREPLY[0]}\" ] && compopt -o nospace 2>/dev/null\n  fi\n}\ncomplete -o filenames -F _priori priori priori-double\n");
  return PRI_OK;
}
