/* SPDX-License-Identifier: GPL-3.0-or-later */
/* man.c - manual pages in troff (man macros): priori(1), priori-COMMAND(1), priori-FAMILY(7), from the tables. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "version.h"

/* Text with what troff would take for itself escaped. */
static void text(const char *s) {
  int start = 1;
  for (; *s; s++) {
    if (start && (*s == '.' || *s == '\'')) pri_print("\\&");
    start = *s == '\n';
    if (*s == '\\') pri_print("\\e");
    else if (*s == '-') pri_print("\\-");
    else if (*s == '\'') pri_print("\\(aq");
    else if (*s == '`') pri_print("\\(ga");
    else if (*s == '^') pri_print("\\(ha");
    else if (*s == '~') pri_print("\\(ti");
    else pri_print("%c", *s);
  }
}

static void line(const char *s) {
  text(s);
  pri_print("\n");
}

static void section(const char *name) { pri_print(".SH %s\n", name); }

static void head(const char *name, const char *section_number, const char *brief) {
  char upper[64];
  int n = 0;
  for (; name[n] && n < 63; n++) upper[n] = (char)toupper((unsigned char)name[n]);
  upper[n] = 0;
  pri_print(".TH \"%s\" \"%s\" \"\" \"priori %s\" \"priori manual\"\n", upper, section_number, pri_version());
  section("NAME");
  pri_print("%s \\- ", name);
  line(brief);
}

static void paragraphs(const char *s) {
  while (s && *s) {
    const char *end = strstr(s, "\n\n");
    char part[2000];
    snprintf(part, sizeof part, "%.*s", end ? (int)(end - s) : (int)strlen(s), s);
    pri_print(part[0] == ' ' ? ".PP\n.nf\n" : ".PP\n");
    line(part);
    if (part[0] == ' ') pri_print(".fi\n");
    s = end ? end + 2 : NULL;
  }
}

static void option(const pri_option *o) {
  char range[300];
  pri_print(".TP\n");
  if (o->letter) pri_print("\\fB\\-%c\\fR, ", o->letter);
  pri_print("\\fB\\-\\-");
  text(o->row.name);
  pri_print("\\fR");
  if (o->argument) pri_print(" \\fI%s\\fR", o->argument);
  pri_print("\n");
  text(o->row.help);
  if (o->argument && *pri_range_text(&o->row, range, sizeof range)) {
    pri_print(" [");
    text(range);
    pri_print("]");
  }
  pri_print("\n");
}

static int takes(const pri_command *command, const char *name) {
  if (!strcmp(name, "verbose") || !strcmp(name, "quiet") || !strcmp(name, "help") || !strcmp(name, "version")) return 1;
  for (int i = 0; command && command->options && command->options[i]; i++)
    if (!strcmp(name, command->options[i])) return 1;
  return 0;
}

static void options(const pri_command *command) {
  const char *group = "";
  section("OPTIONS");
  for (const pri_option *o = pri_option_table; o->row.name; o++) {
    if (!takes(command, o->row.name)) continue;
    if (strcmp(group, o->group)) pri_print(".SS %s\n", o->group);
    group = o->group;
    option(o);
  }
}

static void terms(const char *const *rows) {
  for (; rows[0]; rows += 2) {
    pri_print(".TP\n\\fB%s\\fR\n", rows[0]);
    line(rows[1]);
  }
}

static void statuses(void) {
  static const char *const rows[] = {
      "0", "done; every guarantee asked for was met", "1", "internal error",
      "2", "usage: unknown option, bad value, impossible combination",
      "3", "ran, output written and marked, but a guarantee asked for was not met, or the iteration diverged",
      "4", "input missing, unreadable, or not supported",
      "5", "input not finite or saturated under the chosen policy", "6", "output failed (including on close)",
      "7", "would exceed the memory budget", "8", "geometry inconsistent", "130, 143", "interrupted by SIGINT, SIGTERM", NULL};
  section("EXIT STATUS");
  terms(rows);
}

static void example_lines(const char *const *e) {
  for (; e && e[0]; e += 2) {
    pri_print(".PP\n");
    line(e[0]);
    pri_print(".RS 4\n.nf\npriori ");
    line(e[1]);
    pri_print(".fi\n.RE\n");
  }
}

static void see_also(const pri_command *command) {
  section("SEE ALSO");
  pri_print("\\fBpriori\\fR(1)");
  for (int i = 0; pri_commands[i]; i++)
    if (pri_commands[i] != command) pri_print(", \\fBpriori\\-%s\\fR(1)", pri_commands[i]->name);
  for (int f = 0; f < PRI_FAMILIES; f++) {
    const pri_family family = (pri_family)f;
    if (family != PRI_MAPS && family != PRI_SCHEDULES && family != PRI_RECIPES)
      pri_print(", \\fBpriori\\-%s\\fR(7)", pri_family_name(family));
  }
  pri_print("\n");
}

static void environment(void) {
  static const char *const rows[] = {
      "PRIORI_SIMD", "c, avx2 or avx512: kernels no better than that (default: the best that the processor has)",
      "TMPDIR", "where data go that do not fit in memory, without --scratch",
      "NO_COLOR, TERM=dumb", "no updating progress line", NULL};
  section("ENVIRONMENT");
  terms(rows);
}

static void program(void) {
  static const char *const examples[] = {
      "A measured sinogram, angles in a text file (degrees), to a certified picture:",
      "ct --geometry angles=angles.txt sino.tif -o picture.tif", "How good is it?",
      "score --reference truth.tif picture.tif", "What exists:", "list operator ct", NULL};
  head("priori", "1", "inverse problems in imaging, with certificates");
  section("SYNOPSIS");
  pri_print("\\fBpriori\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] \\fIINPUT\\fR... \\fB\\-o\\fR \\fIOUTPUT\\fR\n");
  section("COMMANDS");
  for (int i = 0; pri_commands[i]; i++) {
    pri_print(".TP\n\\fBpriori\\-%s\\fR(1)\n", pri_commands[i]->name);
    line(pri_commands[i]->brief);
  }
  section("PLUG\\-INS");
  paragraphs("Operators, priors, solvers and so on are asked for by NAME:key=value,key=value, in a pipeline file as in an option. "
             "A value without = goes to the first key (tv:0.02, gap:1e-4); quotes protect commas. Quantities carry units "
             "where confusion is possible: pixel=0.65um, sod=410.66mm, start=30deg; a bare number has the documented unit.");
  options(NULL);
  statuses();
  section("FILES");
  paragraphs("Reads TIFF, HDF5 (Data Exchange, FILE.h5:/PATH), NPY, MAT, PNG, and folders of them; - is standard input. Writes "
             "TIFF, HDF5, NPY and PNG by the suffix, FORMAT:- to standard output. Nothing is overwritten without -f; what "
             "looks finished is finished.");
  environment();
  section("EXAMPLES");
  example_lines(examples);
  see_also(NULL);
}

pri_status pri_man_print(pri_ctx *ctx, const pri_command *command) {
  char name[64];
  (void)ctx;
  if (!command) return program(), PRI_OK;
  snprintf(name, sizeof name, "priori-%s", command->name);
  head(name, "1", command->brief);
  section("SYNOPSIS");
  pri_print("\\fBpriori %s\\fR ", command->name);
  line(command->synopsis);
  if (command->more) section("DESCRIPTION");
  paragraphs(command->more);
  options(command);
  statuses();
  if (command->examples && command->examples[0]) section("EXAMPLES");
  example_lines(command->examples);
  see_also(command);
  return PRI_OK;
}

static void plug_in(const pri_kind *kind) {
  char range[300];
  pri_print(".SH ");
  line(kind->name);
  line(kind->brief);
  if (kind->cite && *kind->cite) {
    pri_print(".PP\nSource: ");
    line(kind->cite);
  }
  for (const pri_param *row = kind->params; row && row->name; row++) {
    pri_print(".TP\n\\fB");
    text(row->name);
    pri_print("\\fR\n");
    text(row->help ? row->help : "");
    if (*pri_range_text(row, range, sizeof range)) {
      pri_print(" [");
      text(range);
      pri_print("]");
    }
    pri_print("\n");
  }
}

pri_status pri_man_print_family(pri_ctx *ctx, pri_family f) {
  char name[64], brief[100];
  snprintf(name, sizeof name, "priori-%s", pri_family_name(f));
  snprintf(brief, sizeof brief, "plug-ins of the family %s and their keys", pri_family_name(f));
  head(name, "7", brief);
  for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[f]; k && *k; k++) plug_in(*k);
  see_also(NULL);
  return PRI_OK;
}
