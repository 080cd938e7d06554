/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd.h - a command is one file, reconstruct/cmd_NAME.c, with one exported `const pri_command pri_command_NAME` and its word in
 * command_sources of local.mk; nothing else knows that it exists.
 *
 * Commands print data on stdout by pri_print only (checked when the program ends: exit 6), and say everything else by
 * pri_log and PRI_FAIL: main.c alone writes to stderr, "priori: ct: ...".
 */
#ifndef PRI_CMD_H
#define PRI_CMD_H
#include <jansson.h>
#include "options.h"
#include "priori/context.h"

typedef struct pri_call { /* one run of a command */
  pri_ctx *ctx;                       /* threads, memory, seed as the options say; cancel flag set by SIGINT and SIGTERM */
  const struct pri_command *command;
  pri_options *opts;
  const char *const *inputs;          /* borrowed from argv */
  int n_inputs;
  int exit_status;                    /* of a run that returns PRI_OK: 0, or 3 for a missed guarantee; see pri_call_worst */
  /* every line of the context's log passes here before main prints it on stderr (--log files, clearing a progress line);
     verbosity of stderr is applied by main afterwards. NULL: none */
  void (*tap)(void *arg, pri_verbosity v, const char *line);
  void *tap_arg;
} pri_call;

typedef struct pri_command {
  const char *name;
  const char *brief;                  /* one line, no full stop */
  const char *synopsis;               /* what stands behind "priori NAME": "[OPTIONS] SINOGRAM... -o IMAGE" */
  const char *const *options;         /* long names, NULL-ended; help, version, verbose and quiet go without saying */
  const char *const *examples;        /* pairs: what it does, the line behind "priori "; NULL-ended */
  const char *more;                   /* paragraphs (blank line between) for --help and manual; NULL: none */
  int min_inputs, max_inputs;         /* checked before run (EPARAM); max -1: any number */
  pri_status (*run)(pri_call *call);  /* an error is printed by main and becomes the exit status */
  pri_status (*defaults)(pri_call *call); /* NULL, or fills what was not given before anything else (front doors) */
} pri_command;

extern const pri_command *const pri_commands[]; /* NULL-ended, in the order of local.mk */
const pri_command *pri_command_find(const char *name); /* NULL: none */

/* Exit status so far of several jobs: the worst of them (the largest but for 130 and 143, which go before all). */
void pri_call_worst(pri_call *call, int exit_status);
/* An error of one job among several: prints "priori: ct: FILE: ..." through the log, keeps the worst status. */
void pri_call_failed(pri_call *call, const char *what, pri_status s);
/* "wrote NAME", through the log; nothing of standard output */
void pri_say_wrote(pri_ctx *ctx, const char *name);
/* The context's message without "(bad parameter, kind.c:49)": for people. By pri_calloc of ctx; NULL without memory. */
char *pri_message_plain(pri_ctx *ctx);

/* Data for stdout. */
void pri_print(const char *fmt, ...) PRI_PRINTF(1, 2);
PRI_MUST_CHECK pri_status pri_print_json(pri_ctx *ctx, json_t *value); /* indented by 1, keys in order of insertion; takes the reference */

/* help.c, man.c, completion.c: all of them read the tables. command NULL: the program */
PRI_MUST_CHECK pri_status pri_help_print(pri_ctx *ctx, const pri_command *command);
PRI_MUST_CHECK pri_status pri_man_print(pri_ctx *ctx, const pri_command *command);
PRI_MUST_CHECK pri_status pri_man_print_family(pri_ctx *ctx, pri_family f);
PRI_MUST_CHECK pri_status pri_completion_print(pri_ctx *ctx, const char *shell);
/* "0 to 100 px, default 2": of a row, in buf; "" where it has none. Returns buf */
const char *pri_range_text(const pri_param *row, char *buf, size_t n);
#endif
