/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline_metadata.c - --verify-metadata: the result is opened again and held against the input, item by item. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pipeline.h"

struct tally {
  pri_ctx *ctx;
  int kept, changed;
  FILE *names; /* of what has changed */
};

/* Texts of a file may hold anything: what moves a terminal's cursor is shown as a dot. */
static void shorten(char out[84], const char *text) {
  if (!text) {
    snprintf(out, 84, "absent");
    return;
  }
  const size_t n = strlen(text);
  snprintf(out, 84, "%.*s%s", n > 76 ? 76 : (int)n, text, n > 76 ? "..." : "");
  for (char *s = out; *s; s++)
    if ((unsigned char)*s < ' ' || *s == 127) *s = '.';
}

static void count(void *arg, const char *item, const char *before, const char *after) {
  struct tally *t = arg;
  char name[84], a[84], b[84];
  if (before && after && !strcmp(before, after)) {
    t->kept++;
    return;
  }
  shorten(name, item);
  shorten(a, before);
  shorten(b, after);
  pri_log(t->ctx, PRI_LOG_INFO, "metadata: %s: %s -> %s", name, a, b);
  if (t->names) fprintf(t->names, "%s%s", t->changed ? ", " : ": ", name);
  t->changed++;
}

static int is_pipe(const char *name) { return !strcmp(name, "-") || (strlen(name) > 2 && !strcmp(name + strlen(name) - 2, ":-")); }

pri_status pri_job_verify(pri_job *job) {
  pri_input *out;
  char *names = NULL;
  size_t n = 0;
  if (!job->o->verify_metadata) return PRI_OK;
  if (is_pipe(job->output_name)) {
    pri_log(job->ctx, PRI_LOG_WARN, "--verify-metadata: what went into a pipe cannot be looked at again");
    return PRI_OK;
  }
  PRI_TRY(pri_input_open(job->ctx, &out, job->output_name));
  struct tally t = {.ctx = job->ctx, .names = open_memstream(&names, &n)};
  const pri_status s = pri_metadata_compare(job->in, out, count, &t);
  if (t.names) fclose(t.names);
  if (s == PRI_OK)
    pri_log(job->ctx, PRI_LOG_INFO, "metadata: %d items kept, %d changed%s", t.kept, t.changed, names ? names : "");
  free(names);
  pri_input_close(&out);
  return s;
}
