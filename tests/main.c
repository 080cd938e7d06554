/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main.c - the test program, built in float and in double. Every file tests/NAME.c of local.mk is one cmocka group `int NAME(void)`.
 *   check-float --list     the names of the groups
 *   check-float NAME...    runs these groups (none: all); TAP on stdout
 * Exit status 0: no check failed; 1: some did; 2: no such group.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#define PRI_ENTRY(name) int name(void);
#include "tests/tests.inc"
#undef PRI_ENTRY

static const struct group {
  const char *name;
  int (*run)(void);
} groups[] = {
#define PRI_ENTRY(name) {#name, name},
#include "tests/tests.inc"
#undef PRI_ENTRY
  {NULL, NULL}};

static int list(void) {
  for (const struct group *g = groups; g->name; g++) printf("%s\n", g->name);
  return 0;
}

static int run_all(void) {
  int failed = 0;
  for (const struct group *g = groups; g->name; g++) failed += g->run() != 0;
  return failed != 0;
}

static int run_one(const char *name) {
  for (const struct group *g = groups; g->name; g++)
    if (strcmp(g->name, name) == 0) return g->run() != 0;
  fprintf(stderr, "no test group \"%s\"; --list names them\n", name);
  return 2;
}

int main(int argc, char **argv) {
  (void)setvbuf(stdout, NULL, _IOLBF, 0); /* what was reached stays readable when a check crashes */
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (argc < 2) return run_all();
  if (strcmp(argv[1], "--list") == 0) return list();
  int worst = 0;
  for (int i = 1; i < argc; i++) {
    const int status = run_one(argv[i]);
    worst = status > worst ? status : worst;
  }
  return worst;
}
