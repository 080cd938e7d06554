/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help.c - what --help prints, from the tables of commands and options. */
#include <stdio.h>
#include <string.h>
#include "cmd.h"

enum { WIDTH = 80, COLUMN = 26 };

/* Words of text from column `at` on, continued at column `indent` behind `lead`. */
static void wrap(const char *text, int at, int indent, const char *lead) {
  while (*text) {
    const int n = (int)strcspn(text, " \n"), first = at <= indent;
    if (!first && at + 1 + n > WIDTH) {
      pri_print("\n%s%*s", lead, indent - (int)strlen(lead), "");
      at = indent;
    } else if (!first) {
      pri_print(" ");
      at++;
    }
    pri_print("%.*s", n, text);
    at += n ? n : 1;
    text += n;
    text += *text == ' ' || *text == '\n';
  }
  pri_print("\n");
}

/* Paragraphs, with a blank line between them in the text; lines that begin with a blank stay as they are. */
static void paragraphs(const char *text) {
  while (text && *text) {
    const char *end = strstr(text, "\n\n");
    const int n = end ? (int)(end - text) : (int)strlen(text);
    char part[2000];
    snprintf(part, sizeof part, "%.*s", n, text);
    if (part[0] == ' ') pri_print("%s\n", part);
    else wrap(part, 0, 0, "");
    pri_print("\n");
    text = end ? end + 2 : NULL;
  }
}

static void entry(const char *head, const char *text) {
  const int n = (int)strlen(head);
  pri_print("%s", head);
  if (n > COLUMN - 2) pri_print("\n");
  pri_print("%*s", n > COLUMN - 2 ? COLUMN : COLUMN - n, "");
  wrap(text, COLUMN, COLUMN, "");
}

static void option_line(const pri_option *option) {
  char head[80], text[700], range[200];
  const pri_param *row = &option->row;
  const char letter[] = {'-', option->letter, ',', ' ', 0};
  snprintf(head, sizeof head, "  %s--%s%s%s", option->letter ? letter : "    ", row->name, option->argument ? " " : "",
           option->argument ? option->argument : "");
  if (option->argument) pri_range_text(row, range, sizeof range);
  else range[0] = 0;
  snprintf(text, sizeof text, "%s%s%s%s", row->help, *range ? " [" : "", range, *range ? "]" : "");
  entry(head, text);
}

static int takes(const pri_command *command, const char *name) {
  static const char *const always[] = {"verbose", "quiet", "help", "version", NULL};
  for (int i = 0; always[i]; i++)
    if (!strcmp(name, always[i])) return 1;
  for (int i = 0; command && command->options && command->options[i]; i++)
    if (!strcmp(name, command->options[i])) return 1;
  return 0;
}

static void options(const pri_command *command) {
  const char *group = "";
  for (const pri_option *o = pri_option_table; o->row.name; o++) {
    if (!takes(command, o->row.name)) continue;
    if (strcmp(group, o->group)) pri_print("%s%s:\n", *group ? "\n" : "", o->group);
    group = o->group;
    option_line(o);
  }
}

static void examples(const pri_command *command) {
  const char *const *e = command->examples;
  if (e && e[0]) pri_print("\nExamples:\n");
  for (; e && e[0]; e += 2) {
    pri_print("  # ");
    wrap(e[0], 4, 4, "  # ");
    pri_print("  priori %s\n", e[1]);
  }
}

static void exit_statuses(void) {
  pri_print("Exit status: 0 done and every guarantee met; 1 internal error; 2 usage; 3 ran, but a\n"
            "guarantee was missed; 4 input missing or not supported; 5 input not finite;\n"
            "6 output failed; 7 memory budget; 8 geometry inconsistent; 130, 143 interrupted.\n");
}

static pri_status help_program(void) {
  pri_print("Usage: priori COMMAND [OPTIONS] INPUT... -o OUTPUT\n"
            "Inverse problems in imaging, with certificates.\n\nCommands:\n");
  for (int i = 0; pri_commands[i]; i++) {
    char head[60];
    snprintf(head, sizeof head, "  %s", pri_commands[i]->name);
    entry(head, pri_commands[i]->brief);
  }
  pri_print("\nOptions of every command:\n");
  for (const pri_option *o = pri_option_table; o->row.name; o++)
    if (takes(NULL, o->row.name)) option_line(o);
  pri_print("\nExamples:\n"
            "  # a measured sinogram (angles in a text file, degrees) to a certified picture\n"
            "  priori ct --geometry angles=angles.txt sino.tif -o picture.tif\n"
            "  # what exists: all operators, one of them in full\n"
            "  priori list operator\n  priori list operator ct\n\n");
  exit_statuses();
  pri_print("Further: priori COMMAND --help; priori list; man priori, man priori-COMMAND.\n");
  return PRI_OK;
}

pri_status pri_help_print(pri_ctx *ctx, const pri_command *command) {
  (void)ctx;
  if (!command) return help_program();
  pri_print("Usage: priori %s %s\nIt %s.\n\n", command->name, command->synopsis, command->brief);
  paragraphs(command->more);
  options(command);
  examples(command);
  pri_print("\nFurther: priori list FAMILY [NAME] shows plug-ins and their keys; man priori-%s.\n", command->name);
  return PRI_OK;
}
