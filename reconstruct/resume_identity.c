/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume_identity.c - is it the same work? What the bytes of an output depend on, compared in words: see resume.h. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "json.h"
#include "resume.h"

/* ---- differences in words */

static char *words(const char *fmt, ...) PRI_PRINTF(1, 2);
static char *words(const char *fmt, ...) {
  va_list ap;
  char *text = NULL;
  va_start(ap, fmt);
  if (vasprintf(&text, fmt, ap) < 0) text = NULL;
  va_end(ap);
  return text; /* without memory: as if nothing differed */
}

static size_t line_length(const char *s) { return strcspn(s, "\n"); }

/* "prior = tv:1" and "prior = tv:2": the first lines that differ */
static char *config_difference(const char *a, const char *b) {
  while (*a && *b && line_length(a) == line_length(b) && !strncmp(a, b, line_length(a))) {
    a += line_length(a) + (a[line_length(a)] == '\n');
    b += line_length(b) + (b[line_length(b)] == '\n');
  }
  if (!*a && !*b) return NULL;
  return words("'%.*s' there, '%.*s' here", (int)line_length(a), a, (int)line_length(b), b);
}

static char *files_difference(const json_t *a, const json_t *b) {
  const size_t n = json_array_size(b);
  if (json_array_size(a) != n) return words("%zu files there, %zu here", json_array_size(a), n);
  for (size_t i = 0; i < n; i++) {
    const json_t *p = json_array_get(a, i), *q = json_array_get(b, i);
    if (!json_equal(json_object_get(p, "sha256"), json_object_get(q, "sha256")))
      return words("%s is not the file that it was", json_string_value(json_object_get(q, "file")));
  }
  return NULL;
}

static const char *text_of(const json_t *o, const char *key) {
  const char *s = json_string_value(json_object_get(o, key));
  return s ? s : "";
}

char *pri_resume_difference(const json_t *there, const json_t *here, int build) {
  char *d = config_difference(text_of(there, "config"), text_of(here, "config"));
  if (!d) d = files_difference(json_object_get(there, "inputs"), json_object_get(here, "inputs"));
  if (!d) d = files_difference(json_object_get(there, "files"), json_object_get(here, "files"));
  if (!d && json_integer_value(json_object_get(there, "seed")) != json_integer_value(json_object_get(here, "seed")))
    d = words("another seed");
  if (!d && build && (strcmp(text_of(there, "version"), text_of(here, "version")) || strcmp(text_of(there, "build"), text_of(here, "build"))))
    d = words("of version %s (%s), this is %s (%s)", text_of(there, "version"), text_of(there, "build"), text_of(here, "version"), text_of(here, "build"));
  return d;
}

/* ---- an output that is there */

static pri_status provenance_of(pri_ctx *ctx, const char *name, json_t **out) {
  pri_input *in;
  *out = NULL;
  PRI_TRY(pri_input_open(ctx, &in, name));
  *out = pri_json_parse(pri_input_describe(in)->provenance);
  pri_input_close(&in);
  return PRI_OK;
}

static int is_there(const char *name) {
  struct stat st;
  const char *inside = strstr(name, ":/");
  char *file = words("%.*s", inside ? (int)(inside - name) : (int)strlen(name), name);
  const int yes = file && stat(file, &st) == 0 && S_ISREG(st.st_mode);
  free(file);
  return yes;
}

pri_status pri_resume_finished(pri_job *job, const json_t *identity, int *same) {
  json_t *there = NULL;
  *same = 0;
  if (!is_there(job->output_name)) return PRI_OK;
  if (provenance_of(job->ctx, job->output_name, &there) != PRI_OK) there = NULL;
  char *d = json_is_object(there) ? pri_resume_difference(there, identity, 0) 
                                   : words("it says nothing of where it comes from");
  json_decref(there);
  *same = !d;
  pri_status s = PRI_OK;
  if (d && !job->o->force)
    s = PRI_FAIL(job->ctx, PRI_EWRITE, "%s: exists and is not the result of this run: %s (-f overwrites)", job->output_name, d);
  free(d);
  return s;
}
