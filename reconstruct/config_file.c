/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config_file.c - pipeline files: reading and printing. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
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

/* Behind the quoted value that begins at s (double quote, backslash escapes); NULL: it has no end. */
static char *quoted_end(char *s) {
  for (s++; *s && *s != '"'; s++)
    if (*s == '\\' && s[1]) s++;
  return *s ? s + 1 : NULL;
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* "a\nb\x01" -> its bytes, in place; 0: an escape that is none */
static int unquote(char *s) {
  static const char escapes[] = "n\nr\rt\t\"\"\\\\"; /* pairs: letter, byte */
  char *to = s;
  for (char *from = s + 1; *from != '"'; from++) {
    if (*from != '\\') {
      *to++ = *from;
      continue;
    }
    const char *const known = strchr(escapes, *++from);
    const int high = *from == 'x' ? hex_digit(from[1]) : -1, low = high < 0 ? -1 : hex_digit(from[2]);
    if (low >= 0)
      *to++ = (char)(16 * high + low), from += 2;
    else if (known && *from && (known - escapes) % 2 == 0)
      *to++ = known[1];
    else
      return 0;
  }
  *to = 0;
  return 1;
}

static char *strip(char *s) {
  while (isspace((unsigned char)*s)) s++;
  for (size_t n = strlen(s); n && isspace((unsigned char)s[n - 1]); n--) s[n - 1] = 0;
  return s;
}

/* In place: the comment off (a '#' at the start or behind a blank, outside quotes), then blanks at both ends. A value that begins with a
   double quote ends with the next one that has no backslash before it. */
static char *trim(char *line) {
  char quote = 0, *equal = line[strspn(line, " \t")] == '#' ? NULL : strchr(line, '=');
  char *value = equal ? equal + 1 + strspn(equal + 1, " \t") : NULL, *after = value && *value == '"' ? quoted_end(value) : NULL;
  for (char *s = after ? after : line; *s; s++) {
    if (quote)
      quote = *s == quote ? 0 : quote;
    else if (*s == '"' || *s == '\'')
      quote = *s;
    else if (*s == '#' && (s == line || isspace((unsigned char)s[-1]))) {
      *s = 0;
      break;
    }
  }
  return strip(line);
}

static pri_status take(pri_ctx *ctx, pri_options *o, char *line) {
  char *equal = strchr(line, '=');
  if (!equal) return PRI_FAIL(ctx, PRI_EPARAM, "'%s' is no 'key = value'", line);
  *equal = 0;
  char *const key = strip(line), *const value = strip(equal + 1);
  if (!is_key(key)) {
    const int near = pri_nearest(key, keys, count_keys());
    return PRI_FAIL(ctx, PRI_EPARAM, "unknown key '%s'%s%s%s", key, near < 0 ? "" : "; did you mean '", near < 0 ? "" : keys[near], near < 0 ? "" : "'?");
  }
  char *const end = *value == '"' ? quoted_end(value) : NULL;
  if (end && !*end && !unquote(value))
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: within double quotes a backslash stands before n, r, t, \", \\ or xHH", key);
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

pri_status pri_config_parse(pri_ctx *ctx, pri_options *o, const char *text, const char *who) {
  FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  if (!f) return PRI_FAIL(ctx, *text ? PRI_ENOMEM : PRI_EFORMAT, "%s: the configuration cannot be read", who);
  const pri_status s = read_lines(ctx, o, who, f);
  fclose(f);
  return s;
}

static int is_ini(const char *name) {
  const size_t n = strlen(name);
  return n > 4 && !strcmp(name + n - 4, ".ini");
}

/* "tv:file=F" is the smoothed form that `priori learn --prior tv` learned; in place */
static pri_status learned_tv(pri_ctx *ctx, char **spec) {
  char *file, *name;
  if (strncmp(*spec, "tv:", 3)) return PRI_OK;
  PRI_TRY(pri_spec_get(ctx, *spec, "file", NULL, &file));
  const int asked = file != NULL;
  pri_free(ctx, file);
  if (!asked) return PRI_OK;
  const size_t n = strlen(*spec) + 8;
  PRI_ALLOC(ctx, name, n);
  snprintf(name, n, "smooth-%s", *spec);
  pri_free(ctx, *spec);
  *spec = name;
  return PRI_OK;
}

static pri_status use_ini(pri_call *call) {
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

pri_status pri_config_defaults(pri_call *call) {
  PRI_TRY(use_ini(call));
  for (int i = 0; i < call->opts->priors.n; i++) PRI_TRY(learned_tv(call->opts->owner, &call->opts->priors.v[i]));
  return PRI_OK;
}

/* ---- printing */

/* Would it be read back as another text? Line ends, blanks at its ends, what looks like a comment or a quoted value. */
static int needs_quotes(const char *v) {
  const size_t n = strlen(v);
  if (n == 0 || v[0] == '"' || v[0] == '#' || isspace((unsigned char)v[0]) || isspace((unsigned char)v[n - 1])) return 1;
  for (const char *s = v; *s; s++)
    if ((unsigned char)*s < ' ' || *s == 127 || (*s == ' ' && s[1] == '#')) return 1;
  return 0;
}

static void print_value(FILE *f, const char *v) {
  if (!needs_quotes(v)) {
    fputs(v, f);
    return;
  }
  fputc('"', f);
  for (; *v; v++) {
    const char *const known = strchr("\nn\rr\tt\"\"\\\\", *v);
    if (known && (*v == '"' || *v == '\\' || (unsigned char)*v < ' ')) fprintf(f, "\\%c", known[1]);
    else if ((unsigned char)*v < ' ' || *v == 127) fprintf(f, "\\x%02x", (unsigned char)*v);
    else fputc(*v, f);
  }
  fputc('"', f);
}

static void print_text(FILE *f, const char *key, const char *text) {
  if (!text) return;
  fprintf(f, "%s = ", key);
  print_value(f, text);
  fputc('\n', f);
}

static void print_list(FILE *f, const char *key, const pri_texts *t) {
  for (int i = 0; i < t->n; i++) print_text(f, key, t->v[i]);
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
