/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd.c - what commands share: their list, data for stdout, statuses of several jobs. */
#include "cmd.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "number.h"

#define PRI_ENTRY(name) extern const pri_command pri_command_##name;
#include "reconstruct/commands.inc"
#undef PRI_ENTRY
const pri_command *const pri_commands[] = {
#define PRI_ENTRY(name) &pri_command_##name,
#include "reconstruct/commands.inc"
#undef PRI_ENTRY
    NULL};

const pri_command *pri_command_find(const char *name) {
  for (int i = 0; pri_commands[i]; i++)
    if (!strcmp(pri_commands[i]->name, name)) return pri_commands[i];
  return NULL;
}

void pri_call_worst(pri_call *call, int exit_status) {
  if (exit_status > call->exit_status) call->exit_status = exit_status;
}

char *pri_message_plain(pri_ctx *ctx) {
  char *text = pri_strdup(ctx, pri_ctx_message(ctx));
  char *tail = text ? strrchr(text, '(') : NULL;
  const size_t n = text ? strlen(text) : 0;
  /* " (bad parameter, kind.c:49)": a source file, a colon and a line number stand at its end */
  if (tail && tail > text && tail[-1] == ' ' && text[n - 1] == ')' && strstr(tail, ".c:")) tail[-1] = 0;
  return text;
}

void pri_say_wrote(pri_ctx *ctx, const char *name) {
  const size_t n = strlen(name);
  if (n && name[n - 1] == '-' && (n == 1 || name[n - 2] == ':')) return;
  pri_log(ctx, PRI_LOG_INFO, "wrote %s", name);
}

void pri_call_failed(pri_call *call, const char *what, pri_status s) {
  char *text = pri_message_plain(call->ctx);
  const char *said = text ? text : pri_status_text(s);
  const size_t n = strlen(what);
  if (!strncmp(said, what, n) || strstr(said, what)) pri_log(call->ctx, PRI_LOG_ERROR, "%s", said);
  else pri_log(call->ctx, PRI_LOG_ERROR, "%s: %s", what, said);
  pri_free(call->ctx, text);
  pri_call_worst(call, pri_status_exit(s));
}

void pri_print(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vprintf(fmt, ap); /* failures stay in ferror(stdout): main looks there */
  va_end(ap);
}

pri_status pri_print_json(pri_ctx *ctx, json_t *value) {
  char *text = value ? json_dumps(value, JSON_INDENT(1) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(value);
  if (!text) return PRI_FAIL(ctx, PRI_ENOMEM, "no memory for the JSON text");
  pri_json_shorten(text);
  pri_print("%s\n", text);
  free(text);
  return PRI_OK;
}

/* ---- ranges in words */

typedef struct words {
  char *buf;
  size_t size;
} words;

static void say(words *w, const char *fmt, ...) {
  const size_t at = strlen(w->buf);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(w->buf + at, w->size - at, fmt, ap);
  va_end(ap);
}

static int is_number(const pri_param *row) {
  return row->type == PRI_REAL || row->type == PRI_INT || row->type == PRI_QUANTITY || row->type == PRI_QUANTITIES ||
         row->type == PRI_SIZES;
}

static const char *unit(const pri_param *row) {
  return row->unit && *row->unit && strcmp(row->unit, "1") && strcmp(row->unit, "-") ? row->unit : NULL;
}

static void say_range(words *w, const pri_param *row) {
  char lo[32], hi[32];
  const int any = row->min == 0 && row->max == 0, open = row->max >= 1e15 || isinf(row->max);
  if (row->choices) {
    for (int i = 0; row->choices[i]; i++) say(w, "%s%s", i ? "|" : "", row->choices[i]);
  } else if (is_number(row) && !any) {
    pri_number_text(lo, sizeof lo, row->min);
    pri_number_text(hi, sizeof hi, row->max);
    if (row->min <= -1e15 && open) say(w, "any number");
    else if (open && row->min > 0 && row->min < 1e-100) say(w, "above 0");
    else if (open) say(w, "from %s", lo);
    else say(w, "%s to %s", lo, hi);
  }
  if (is_number(row) && unit(row)) say(w, "%s%s", *w->buf ? " " : "", unit(row));
}

static void say_default(words *w, const pri_param *row) {
  char v[32];
  const char *comma = *w->buf ? ", " : "";
  if (row->flags & PRI_P_REQUIRED) say(w, "%sneeded", comma);
  else if (row->def_text) say(w, "%sdefault %s", comma, row->def_text);
  else if (row->flags & PRI_P_FROM_META) say(w, "%sdefault from the file", comma);
  else if (row->flags & PRI_P_AUTO) say(w, "%sdefault auto", comma);
  else if (isnan(row->def)) return;
  else if (row->type == PRI_CHOICE) say(w, "%sdefault %s", comma, row->choices[(int)row->def]);
  else if (row->type == PRI_BOOL) say(w, "%sdefault %s", comma, row->def != 0 ? "yes" : "no");
  else if (is_number(row) && row->type != PRI_SIZES && row->type != PRI_QUANTITIES)
    say(w, "%sdefault %s", comma, pri_number_text(v, sizeof v, row->def));
}

const char *pri_range_text(const pri_param *row, char *buf, size_t n) {
  words w = {buf, n};
  buf[0] = 0;
  say_range(&w, row);
  say_default(&w, row);
  return buf;
}
