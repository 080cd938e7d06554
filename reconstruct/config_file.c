/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config_file.c - pipeline files: reading and printing. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pipeline_config.h"

/* What determines the pixels, in the order of printing; only these stand in a pipeline file. */
static const char *const keys[] = {"operator", "fidelity",  "prior",   "bound", "noise-level", "solver", "stop",
                                   "init",     "precision", "prepare", "then",  "on-bad",      "item", "slices", "roi",
                                   "sweep",    "noise",     "seed",    "dtype", "scale",       NULL};

/* ---- reading */

static int is_key(const char *name) {
  for (int i = 0; keys[i]; i++)
    if (!strcmp(keys[i], name)) return 1;
  return 0;
}

static int count_keys(void) {
  int n = 0;
  while (keys[n]) n++;
  return n;
}

/* In place: the comment off (a '#' at the start or behind a blank, outside quotes), then blanks at both ends. */
static char *trim(char *line) {
  char quote = 0;
  for (char *s = line; *s; s++) {
    if (quote)
      quote = *s == quote ? 0 : quote;
    else if (*s == '"' || *s == '\'')
      quote = *s;
    else if (*s == '#' && (s == line || isspace((unsigned char)s[-1]))) {
      *s = 0;
      break;
    }
  }
  while (isspace((unsigned char)*line)) line++;
  for (size_t n = strlen(line); n && isspace((unsigned char)line[n - 1]); n--) line[n - 1] = 0;
  return line;
}

static pri_status take(pri_ctx *ctx, pri_options *o, char *line) {
  char *equal = strchr(line, '=');
  if (!equal) return PRI_FAIL(ctx, PRI_EPARAM, "'%s' is no 'key = value'", line);
  *equal = 0;
  const char *key = trim(line), *value = trim(equal + 1);
  if (!is_key(key)) {
    const int near = pri_nearest(key, keys, count_keys());
    return PRI_FAIL(ctx, PRI_EPARAM, "unknown key '%s'%s%s%s", key, near < 0 ? "" : "; did you mean '", near < 0 ? "" : keys[near], near < 0 ? "" : "'?");
  }
  if (!*value) return PRI_FAIL(ctx, PRI_EPARAM, "%s has no value", key);
  return pri_options_set(ctx, o, key, value);
}

static pri_status fail_at(pri_ctx *ctx, pri_status s, const char *path, int line) {
  char *said = pri_message_plain(ctx);
  s = PRI_FAIL(ctx, s, "%s:%d: %s", path, line, said ? said : "out of memory");
  pri_free(ctx, said);
  return s;
}

static pri_status read_lines(pri_ctx *ctx, pri_options *o, const char *path, FILE *f) {
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  pri_status s = PRI_OK;
  for (int number = 1; s == PRI_OK && (n = getline(&line, &room, f)) >= 0; number++) {
    if (strlen(line) != (size_t)n) s = PRI_FAIL(ctx, PRI_EFORMAT, "%s:%d: this is no text", path, number);
    const int mark = number == 1 && !strncmp(line, "\xEF\xBB\xBF", 3) ? 3 : 0; /* what some editors begin UTF-8 with */
    char *text = s == PRI_OK ? trim(line + mark) : line;
    if (s == PRI_OK && *text && *text != '[')
      s = take(ctx, o, text);
    else
      continue;
    if (s != PRI_OK) s = fail_at(ctx, s, path, number);
  }
  if (s == PRI_OK && ferror(f)) s = PRI_FAIL(ctx, PRI_EREAD, "%s: cannot be read: %s", path, strerror(errno));
  free(line);
  return s;
}

pri_status pri_config_read(pri_ctx *ctx, pri_options *o, const char *path) {
  FILE *f = fopen(path, "r");
  if (!f) return PRI_FAIL(ctx, PRI_EREAD, "%s: cannot be read: %s", path, strerror(errno));
  const pri_status s = read_lines(ctx, o, path, f);
  fclose(f);
  return s;
}

static int is_ini(const char *name) {
  const size_t n = strlen(name);
  return n > 4 && !strcmp(name + n - 4, ".ini");
}

pri_status pri_config_defaults(pri_call *call) {
  pri_options base;
  if (call->n_inputs < 1 || !is_ini(call->inputs[0])) return PRI_OK;
  PRI_TRY(pri_options_init(call->ctx, &base));
  pri_status s = pri_config_read(call->ctx, &base, call->inputs[0]);
  if (s == PRI_OK) s = pri_options_inherit(call->ctx, call->opts, &base);
  pri_options_fini(&base);
  call->inputs++;
  call->n_inputs--;
  return s;
}

/* ---- printing */

static void print_list(FILE *f, const char *key, const pri_texts *t) {
  for (int i = 0; i < t->n; i++) fprintf(f, "%s = %s\n", key, t->v[i]);
}

static void print_text(FILE *f, const char *key, const char *text) {
  if (text) fprintf(f, "%s = %s\n", key, text);
}

static void print_choice(FILE *f, const char *key, int value) {
  fprintf(f, "%s = %s\n", key, pri_option_table[pri_option_find(key)].row.choices[value]);
}

static void print_all(FILE *f, const pri_options *o) {
  print_list(f, "operator", &o->operators);
  print_text(f, "fidelity", o->fidelity);
  print_list(f, "prior", &o->priors);
  print_text(f, "bound", o->bound);
  print_text(f, "noise-level", o->noise_level);
  print_text(f, "solver", o->solver);
  print_list(f, "stop", &o->stops);
  print_text(f, "init", o->init);
  print_choice(f, "precision", o->precision);
  print_list(f, "prepare", &o->prepare);
  print_list(f, "then", &o->then);
  print_choice(f, "on-bad", o->on_bad);
  print_choice(f, "item", o->item);
  print_text(f, "slices", o->slices);
  print_text(f, "roi", o->roi);
  print_list(f, "sweep", &o->sweep);
  print_text(f, "noise", o->noise);
  fprintf(f, "seed = %ld\n", o->seed);
  print_text(f, "dtype", o->dtype);
  print_text(f, "scale", o->scale);
}

pri_status pri_config_print(pri_ctx *ctx, const pri_options *o, char **text) {
  char *buf = NULL;
  size_t n = 0;
  *text = NULL;
  FILE *f = open_memstream(&buf, &n);
  if (!f) return PRI_FAIL(ctx, PRI_ENOMEM, "configuration: no memory for its text");
  print_all(f, o);
  if (fclose(f) == 0) *text = pri_strdup(ctx, buf);
  free(buf);
  return *text ? PRI_OK : PRI_FAIL(ctx, PRI_ENOMEM, "configuration: no memory for its text");
}
