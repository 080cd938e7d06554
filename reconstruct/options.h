/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options.h - the one table of all options. A row drives parser, --help, man pages, completion and near-miss suggestions; a
 * pipeline file uses the same names ("prior = tv:weight=0.02") and goes through pri_options_set as well.
 */
#ifndef PRI_OPTIONS_H
#define PRI_OPTIONS_H
#include "priori/kind.h"
#include "priori/registry.h"

typedef struct pri_texts { /* of an option that may repeat, in the order given */
  char **v;
  int n;
} pri_texts;

enum { PRI_PROGRESS_AUTO, PRI_PROGRESS_BAR, PRI_PROGRESS_PLAIN, PRI_PROGRESS_JSON, PRI_PROGRESS_NONE };
enum { PRI_BAD_ERROR, PRI_BAD_MASK, PRI_BAD_INPAINT, PRI_BAD_KEEP };
enum { PRI_BY_AUTO, PRI_BY_PAGE, PRI_BY_VOLUME, PRI_BY_CHANNELS }; /* --item */
enum { PRI_BIGTIFF_AUTO, PRI_BIGTIFF_YES, PRI_BIGTIFF_NO };
enum { PRI_PRECISION_FLOAT, PRI_PRECISION_DOUBLE };
enum { PRI_OPTIONS_MAX = 80 };

/* Values. Texts are NULL, lists empty, where the option was not given; the rest holds its default. */
typedef struct pri_options {
  /* the problem */
  pri_texts operators, priors, stops, prepare, then, sweep;
  char *geometry, *fidelity, *bound, *solver, *noise_level, *init, *slices, *roi;
  char *psf, *border, *mask, *factor, *kernel; /* of the front doors: they become keys of an operator */
  int on_bad, as_stack, precision, item;
  /* phantom, simulate */
  char *noise, *sinogram, *sinogram_output;
  char *beads, *size; /* psf */
  pri_texts simulate; /* learn */
  char *unsupervised, *loss;
  long patch, crops;
  double validate;
  long count;
  /* score, info, list, check */
  char *truth, *reference, *completion;
  double peak, range, time; /* 1, 1, s */
  int ssim, json, tsv, man, learn;
  /* output */
  char *output, *dtype, *scale, *compression;
  int bigtiff, force, verify_metadata;
  /* running */
  char *log, *log_json, *scratch;
  int progress, dry_run, print_config, resume, quiet, help, version;
  long threads, seed, verbose; /* threads 0: all that the process may use */
  double mem;                  /* bytes; 0: what the cgroup allows */
  pri_ctx *owner;              /* of the texts: that of pri_options_init, which must outlive them */
  pri_texts given[PRI_OPTIONS_MAX]; /* the values as typed, by row of the table; empty: not given */
} pri_options;

typedef struct pri_option {
  pri_param row;         /* name, unit, help, type, range, default, choices; offset in pri_options */
  char letter;           /* -o; 0: none */
  int repeats;           /* may be given again: the field is a pri_texts; else the last one given counts */
  const char *argument;  /* "SPEC", "FILE", "N" ...; NULL: a switch */
  const char *group;     /* heading in help: "problem" "output" ... */
  int family;            /* pri_family of a SPEC + 1, for completion; 0: none */
} pri_option;

/* The table, ended by a row without a name; index i of it is i of pri_options.given. */
extern const pri_option pri_option_table[];
int pri_option_find(const char *name); /* without dashes; -1: none */

/*
 * pri_options_init   - all defaults. fini releases the texts; it accepts a zeroed or half-filled struct. Memory is the owner's,
 *                      whichever context a later call is made with: that one gets the message only.
 * pri_options_set    - one option by its long name, from text (NULL: a switch). EPARAM: unknown (nearest named), bad value.
 * pri_options_parse  - argv behind the command. `allowed`: names that this command takes. Inputs go to `inputs` (borrowed from
 *                      argv, argc slots), options may stand anywhere, "--" ends them. EPARAM names the nearest option.
 * pri_options_given  - was it given? (by command line or pri_options_set)
 * pri_options_inherit - what `base` was given and `o` was not is taken over: a command line over a pipeline file.
 * pri_options_clear  - as if never given: back to the default.
 */
PRI_MUST_CHECK pri_status pri_options_init(pri_ctx *ctx, pri_options *o);
void pri_options_fini(pri_options *o);
PRI_MUST_CHECK pri_status pri_options_set(pri_ctx *ctx, pri_options *o, const char *name, const char *text);
PRI_MUST_CHECK pri_status pri_options_parse(pri_ctx *ctx, pri_options *o, const char *const *allowed, int argc, char **argv,
                                            const char **inputs, int *n_inputs);
int pri_options_given(const pri_options *o, const char *name);
PRI_MUST_CHECK pri_status pri_options_inherit(pri_ctx *ctx, pri_options *o, const pri_options *base);
PRI_MUST_CHECK pri_status pri_options_clear(pri_ctx *ctx, pri_options *o, const char *name);
#endif
