/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.c - the parser over the table of options_table.c. Values go through pri_param_parse: ranges, units and near misses as
   for plug-ins. Numbers always have a decimal point, whatever the locale. */
#include "options.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"

static void *field(pri_options *o, const pri_option *option) { return (char *)o + option->row.offset; }

static int is_text(const pri_option *option) { return option->row.type == PRI_TEXT || option->row.type == PRI_FILE; }

int pri_option_find(const char *name) {
  for (int i = 0; pri_option_table[i].row.name; i++)
    if (!strcmp(pri_option_table[i].row.name, name)) return i;
  return -1;
}

/* ---- lists */

static pri_status texts_add(pri_ctx *ctx, pri_texts *t, const char *text) {
  char **v;
  PRI_ALLOC(ctx, v, t->n + 1);
  char *copy = pri_strdup(ctx, text);
  if (!copy) {
    pri_free(ctx, v);
    return pri_ctx_code(ctx);
  }
  for (int i = 0; i < t->n; i++) v[i] = t->v[i];
  pri_free(ctx, t->v);
  v[t->n++] = copy;
  t->v = v;
  return PRI_OK;
}

static void texts_fini(pri_ctx *ctx, pri_texts *t) {
  for (int i = 0; i < t->n; i++) pri_free(ctx, t->v[i]);
  pri_free(ctx, t->v);
  *t = (pri_texts){0};
}

/* ---- one option */

static pri_status reset(pri_options *o, const pri_option *option) {
  void *to = field(o, option);
  switch (option->row.type) {
  case PRI_INT: *(long *)to = (long)option->row.def; break;
  case PRI_BOOL: case PRI_CHOICE: *(int *)to = (int)option->row.def; break;
  case PRI_REAL: case PRI_QUANTITY: *(double *)to = option->row.def; break;
  default: break;
  }
  return PRI_OK;
}

pri_status pri_options_init(pri_ctx *ctx, pri_options *o) {
  *o = (pri_options){.owner = ctx};
  for (int i = 0; pri_option_table[i].row.name; i++) PRI_TRY(reset(o, &pri_option_table[i]));
  return PRI_OK;
}

static void release(pri_ctx *ctx, pri_options *o, int i) {
  const pri_option *option = &pri_option_table[i];
  texts_fini(ctx, &o->given[i]);
  if (option->repeats) {
    texts_fini(ctx, field(o, option));
  } else if (is_text(option)) {
    char **text = field(o, option);
    pri_free(ctx, *text);
    *text = NULL;
  }
}

void pri_options_fini(pri_options *o) {
  for (int i = 0; o->owner && pri_option_table[i].row.name; i++) release(o->owner, o, i);
}

static pri_status unknown(pri_ctx *ctx, const char *name, const char *const *names, int n) {
  const int near = pri_nearest(name, names, n);
  return PRI_FAIL(ctx, PRI_EPARAM, "unknown option --%s%s%s%s", name, near < 0 ? "" : "; did you mean --",
                  near < 0 ? "" : names[near], near < 0 ? ". --help lists the options" : "?");
}

static pri_status parse_value(pri_ctx *ctx, pri_options *o, const pri_option *option, const char *text) {
  char name[64];
  pri_param row = option->row;
  snprintf(name, sizeof name, "--%s", row.name);
  row.name = name;
  if (option->repeats) return texts_add(ctx, field(o, option), text);
  if (row.choices && is_text(option)) { /* kept as text: check it as a choice */
    int index;
    row.type = PRI_CHOICE;
    row.offset = 0;
    PRI_TRY(pri_param_parse(ctx, "option", &row, &index, text));
    row = option->row;
  }
  return pri_param_parse(ctx, "option", &row, o, text);
}

static pri_status set_row_owned(pri_ctx *ctx, pri_options *o, int i, const char *text) {
  const pri_option *option = &pri_option_table[i];
  if (text) PRI_TRY(parse_value(ctx, o, option, text));
  else if (option->row.type == PRI_INT) ++*(long *)field(o, option); /* -vv */
  else *(int *)field(o, option) = 1;
  return texts_add(ctx, &o->given[i], text ? text : "yes");
}

/* The parser of values words its messages "option: --mem=x is not ..."; the program's name says enough. */
static pri_status set_row(pri_ctx *ctx, pri_options *o, int i, const char *text) {
  const pri_status s = set_row_owned(o->owner, o, i, text);
  if (s == PRI_OK) return s;
  char *said = pri_message_plain(o->owner);
  const char *from = said && !strncmp(said, "option: ", 8) ? said + 8 : said;
  (void)PRI_FAIL(ctx, s, "%s", from ? from : pri_status_text(s));
  pri_free(o->owner, said);
  return s;
}

pri_status pri_options_set(pri_ctx *ctx, pri_options *o, const char *name, const char *text) {
  const char *names[PRI_OPTIONS_MAX];
  const int i = pri_option_find(name);
  if (i >= 0) {
    if (!text && pri_option_table[i].argument)
      return PRI_FAIL(ctx, PRI_EPARAM, "--%s needs a value: --%s %s", name, name, pri_option_table[i].argument);
    return set_row(ctx, o, i, text);
  }
  int n = 0;
  for (; pri_option_table[n].row.name; n++) names[n] = pri_option_table[n].row.name;
  return unknown(ctx, name, names, n);
}

int pri_options_given(const pri_options *o, const char *name) {
  const int i = pri_option_find(name);
  return i >= 0 && o->given[i].n > 0;
}

pri_status pri_options_inherit(pri_ctx *ctx, pri_options *o, const pri_options *base) {
  for (int i = 0; pri_option_table[i].row.name; i++) {
    if (o->given[i].n) continue;
    const int plain = !pri_option_table[i].argument;
    for (int k = 0; k < base->given[i].n; k++) {
      const char *text = base->given[i].v[k];
      PRI_TRY(set_row(ctx, o, i, plain && !strcmp(text, "yes") ? NULL : text));
    }
  }
  return PRI_OK;
}

pri_status pri_options_clear(pri_ctx *ctx, pri_options *o, const char *name) {
  const int i = pri_option_find(name);
  if (i < 0) return PRI_FAIL(ctx, PRI_EPARAM, "unknown option --%s", name);
  release(o->owner, o, i);
  return reset(o, &pri_option_table[i]);
}

/* ---- the command line */

typedef struct cursor { /* argv, and how far it is read */
  int argc, at;
  char **argv;
  const char *const *allowed;
} cursor;

static const char *const always[] = {"verbose", "quiet", "help", "version"};

static int is_allowed(const cursor *c, const char *name) {
  for (int i = 0; i < 4; i++)
    if (!strcmp(name, always[i])) return 1;
  for (int i = 0; c->allowed[i]; i++)
    if (!strcmp(name, c->allowed[i])) return 1;
  return 0;
}

static pri_status refuse(pri_ctx *ctx, const cursor *c, const char *name) {
  const char *names[PRI_OPTIONS_MAX];
  int n = 0;
  if (pri_option_find(name) >= 0)
    return PRI_FAIL(ctx, PRI_EPARAM, "--%s is not an option of this command. --help lists those that are", name);
  for (; c->allowed[n] && n < PRI_OPTIONS_MAX - 4; n++) names[n] = c->allowed[n];
  for (int i = 0; i < 4; i++) names[n++] = always[i];
  return unknown(ctx, name, names, n);
}

/* The value of option i from the next argument. What is itself an option of this command was hardly meant as a value. */
static pri_status next_value(pri_ctx *ctx, cursor *c, int i, const char **value) {
  const pri_option *option = &pri_option_table[i];
  const char *next = c->at < c->argc ? c->argv[c->at] : NULL;
  if (!next || (!strncmp(next, "--", 2) && (!next[2] || (pri_option_find(next + 2) >= 0 && is_allowed(c, next + 2)))))
    return PRI_FAIL(ctx, PRI_EPARAM, "--%s needs a value: --%s %s", option->row.name, option->row.name, option->argument);
  c->at++;
  *value = next;
  return PRI_OK;
}

static pri_status long_option(pri_ctx *ctx, pri_options *o, cursor *c, const char *arg) {
  char name[64];
  const char *equals = strchr(arg, '='), *value = equals ? equals + 1 : NULL;
  const size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
  snprintf(name, sizeof name, "%.*s", (int)(n < 63 ? n : 63), arg);
  const int i = pri_option_find(name);
  if (i < 0 || n > 63 || !is_allowed(c, name)) return refuse(ctx, c, name);
  if (!pri_option_table[i].argument && value)
    return PRI_FAIL(ctx, PRI_EPARAM, "--%s takes no value, so not '%s'", name, value);
  if (pri_option_table[i].argument && !value) PRI_TRY(next_value(ctx, c, i, &value));
  return set_row(ctx, o, i, value);
}

static int find_letter(char letter) {
  for (int i = 0; pri_option_table[i].row.name; i++)
    if (pri_option_table[i].letter == letter) return i;
  return -1;
}

/* "-o FILE", "-oFILE", "-fq" */
static pri_status short_options(pri_ctx *ctx, pri_options *o, cursor *c, const char *arg) {
  for (; *arg; arg++) {
    const int i = find_letter(*arg);
    if (i < 0 || !is_allowed(c, pri_option_table[i].row.name))
      return PRI_FAIL(ctx, PRI_EPARAM, "unknown option -%c. --help lists the options", *arg);
    if (!pri_option_table[i].argument) {
      PRI_TRY(set_row(ctx, o, i, NULL));
      continue;
    }
    const char *value = arg[1] ? arg + 1 : NULL;
    if (!value) PRI_TRY(next_value(ctx, c, i, &value));
    return set_row(ctx, o, i, value);
  }
  return PRI_OK;
}

pri_status pri_options_parse(pri_ctx *ctx, pri_options *o, const char *const *allowed, int argc, char **argv,
                             const char **inputs, int *n_inputs) {
  static const char *const none[] = {NULL};
  cursor c = {argc, 0, argv, allowed ? allowed : none};
  int literal = 0;
  *n_inputs = 0;
  while (c.at < argc) {
    const char *arg = argv[c.at++];
    if (literal || arg[0] != '-' || !arg[1]) inputs[(*n_inputs)++] = arg;
    else if (!strcmp(arg, "--")) literal = 1;
    else if (arg[1] == '-') PRI_TRY(long_option(ctx, o, &c, arg + 2));
    else PRI_TRY(short_options(ctx, o, &c, arg + 1));
  }
  return PRI_OK;
}
