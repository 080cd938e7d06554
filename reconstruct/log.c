/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log.c - see log.h. The only clock of the command line; solvers and operators have none. */
#define _GNU_SOURCE
#include "log.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "json.h"
#include "version.h"

struct pri_journal {
  pri_call *call;
  FILE *text, *json;
  int mode;           /* PRI_PROGRESS_BAR, PLAIN, JSON or NONE */
  int shown;          /* a progress line stands on the terminal */
  double began, last; /* s */
  json_t *record;     /* borrowed; NULL: none */
};

double pri_wall_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double pri_cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ru_maxrss survives exec, so that a large parent's figure would be told as ours: VmHWM does not. */
static size_t status_kilobytes(const char *key) {
  char line[256];
  unsigned long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  if (!f) return 0;
  while (fgets(line, sizeof line, f))
    if (!strncmp(line, key, strlen(key))) kb = strtoul(line + strlen(key), NULL, 10);
  fclose(f);
  return kb * 1024;
}

size_t pri_peak_bytes(void) {
  struct rusage use;
  const size_t seen = status_kilobytes("VmHWM:");
  if (seen) return seen;
  getrusage(RUSAGE_SELF, &use);
  return (size_t)use.ru_maxrss * 1024;
}

size_t pri_resident_bytes(void) {
  const size_t seen = status_kilobytes("VmRSS:");
  return seen ? seen : pri_peak_bytes();
}

double pri_journal_seconds(const pri_journal *j) { return pri_wall_seconds() - j->began; }
int pri_journal_wants_events(const pri_journal *j) { return j->json != NULL; }

void pri_journal_clear(pri_journal *j) {
  if (j->shown) fputs("\r\033[K", stderr);
  j->shown = 0;
}

static void tap(void *arg, pri_verbosity v, const char *line) {
  pri_journal *j = arg;
  pri_journal_clear(j);
  if (j->text && v <= PRI_LOG_INFO) {
    fprintf(j->text, "%10.3f  %s%s\n", pri_journal_seconds(j),
            v == PRI_LOG_WARN    ? "warning: "
            : v == PRI_LOG_ERROR ? "error: "
                                 : "",
            line);
    fflush(j->text);
  }
  if (v == PRI_LOG_WARN || v == PRI_LOG_ERROR)
    pri_journal_event(j, v == PRI_LOG_WARN ? "warning" : "error", json_pack("{s:o}", "message", pri_json_text(line)));
}

void pri_journal_record(pri_journal *j, json_t *array) { j->record = array; }

void pri_journal_event(pri_journal *j, const char *event, json_t *fields) {
  if (j->record) json_array_append_new(j->record, json_pack("[s, O?]", event, fields));
  if (j->json) {
    json_t *line = json_pack("{s:s, s:o}", "event", event, "t", pri_json_number(pri_journal_seconds(j)));
    if (line && fields) json_object_update(line, fields);
    if (line && json_dumpf(line, j->json, JSON_COMPACT) == 0) fputc('\n', j->json);
    fflush(j->json);
    json_decref(line);
  }
  json_decref(fields);
}

void pri_journal_start(pri_journal *j, const char *config) {
  pri_journal_event(
      j, "start", json_pack("{s:s, s:s, s:o}", "version", pri_version(), "build", pri_build(), "config", pri_json_text(config)));
}

static int progress_mode(const pri_options *o) {
  const char *term = getenv("TERM");
  if (o->quiet) return PRI_PROGRESS_NONE;
  if (o->progress != PRI_PROGRESS_AUTO) return o->progress;
  return isatty(2) && term && strcmp(term, "dumb") ? PRI_PROGRESS_BAR : PRI_PROGRESS_PLAIN;
}

static int same_file(const char *a, const char *b) {
  struct stat s, t;
  return stat(a, &s) == 0 && stat(b, &t) == 0 && S_ISREG(s.st_mode) && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

/* an existing log is replaced, but never what the run reads or makes */
static pri_status open_file(const pri_call *call, FILE **f, const char *name) {
  if (!name) return PRI_OK;
  for (int i = 0; i < call->n_inputs; i++)
    if (same_file(name, call->inputs[i])) return PRI_FAIL(call->ctx, PRI_EWRITE, "%s: is an input; the log needs a file of its own", name);
  if (call->opts->output && !strcmp(name, call->opts->output)) return PRI_FAIL(call->ctx, PRI_EWRITE, "%s: is the output; the log needs a file of its own", name);
  *f = fopen(name, "w");
  if (*f) return PRI_OK;
  return PRI_FAIL(call->ctx, PRI_EWRITE, "%s: the log cannot be written: %s", name, strerror(errno));
}

pri_status pri_journal_create(pri_call *call, pri_journal **out) {
  const pri_options *o = call->opts;
  pri_journal *j;
  *out = NULL;
  PRI_ALLOC(call->ctx, j, 1);
  *j = (pri_journal){.call = call, .mode = progress_mode(o), .began = pri_wall_seconds()};
  j->last = j->began;
  pri_status s = open_file(call, &j->text, o->log);
  if (s == PRI_OK) s = open_file(call, &j->json, o->log_json);
  if (s != PRI_OK) {
    pri_journal_destroy(&j);
    return s;
  }
  call->tap = tap;
  call->tap_arg = j;
  *out = j;
  return PRI_OK;
}

static int close_file(FILE **f) {
  const int bad = *f && (ferror(*f) | fclose(*f));
  *f = NULL;
  return bad;
}

pri_status pri_journal_close(pri_journal *j) {
  const pri_options *o = j->call->opts;
  pri_journal_clear(j);
  if (close_file(&j->text)) return PRI_FAIL(j->call->ctx, PRI_EWRITE, "%s: writing the log failed", o->log);
  if (close_file(&j->json)) return PRI_FAIL(j->call->ctx, PRI_EWRITE, "%s: writing the log failed", o->log_json);
  return PRI_OK;
}

void pri_journal_destroy(pri_journal **journal) {
  pri_journal *j = journal ? *journal : NULL;
  if (!j) return;
  pri_journal_clear(j);
  (void)close_file(&j->text);
  (void)close_file(&j->json);
  if (j->call->tap_arg == j) j->call->tap = NULL, j->call->tap_arg = NULL;
  pri_free(j->call->ctx, j);
  *journal = NULL;
}

/* ---- progress */

static size_t add(char *line, size_t at, size_t n, const char *fmt, ...) PRI_PRINTF(4, 5);
static size_t add(char *line, size_t at, size_t n, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  const int k = vsnprintf(line + at, n - at, fmt, ap);
  va_end(ap);
  return k < 0 ? at : at + (size_t)k < n ? at + (size_t)k : n - 1;
}

static void progress_text(pri_journal *j, const pri_progress *p, char *line, size_t n) {
  const double spent = pri_journal_seconds(j);
  size_t at = p->what ? add(line, 0, n, "%s", p->what) : 0;
  if (p->items > 1) at = add(line, at, n, "%s%s %td/%td", at ? ": " : "", p->word ? p->word : "slice", p->item, p->items);
  if (p->k > 0) at = add(line, at, n, "%sstep %ld", at ? "  " : "", p->k);
  if (isfinite(p->objective)) at = add(line, at, n, "  objective %.6g", p->objective);
  if (isfinite(p->relative_gap)) at = add(line, at, n, "  gap %.2e", p->relative_gap);
  if (isfinite(p->share) && p->share > 0.01) at = add(line, at, n, "  %.0f s left", spent / p->share * (1 - p->share));
  add(line, at, n, "  %.0f MiB", (double)pri_resident_bytes() / 1048576);
}

static void progress_json(const pri_journal *j, const pri_progress *p) {
  json_t *line = json_pack("{s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "event", "progress", "t",
                           pri_json_number(pri_journal_seconds(j)), "item", (json_int_t)p->item, "items", (json_int_t)p->items,
                           "k", (json_int_t)p->k, "objective", pri_json_number(p->objective), "relative_gap",
                           pri_json_number(p->relative_gap), "share", pri_json_number(p->share));
  if (line && json_dumpf(line, stderr, JSON_COMPACT) == 0) fputc('\n', stderr);
  json_decref(line);
}

void pri_journal_progress(pri_journal *j, const pri_progress *p) {
  char line[256] = "";
  const double now = pri_wall_seconds();
  if (j->mode == PRI_PROGRESS_NONE || now - j->last < (j->mode == PRI_PROGRESS_BAR ? 0.1 : j->mode == PRI_PROGRESS_JSON ? 1 : 10))
    return;
  j->last = now;
  if (j->mode == PRI_PROGRESS_JSON) {
    progress_json(j, p);
    return;
  }
  progress_text(j, p, line, sizeof line);
  if (j->mode == PRI_PROGRESS_BAR) {
    fprintf(stderr, "\r%s\033[K", line);
    j->shown = 1;
  } else {
    fprintf(stderr, "priori: %s\n", line);
  }
  fflush(stderr);
}
