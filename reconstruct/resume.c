/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume.c - the job's side of --resume: see resume.h. */
#define _GNU_SOURCE
#include "resume.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "json.h"

struct pri_resume {
  char *path, *state;          /* names of the records and of the solver's state; NULL: standard output, nothing can be kept */
  pri_records *records;        /* NULL: none yet */
  int given_up;                /* something could not be kept: said, and no more tries */
  int begun;                   /* records say whose they are */
  int stated;                  /* there is a file of the solver's state */
  json_t *identity;            /* NULL: not needed yet */
  char *found;                 /* JSON of this pass, not among the records yet; NULL: it is, or there is none */
  double next, interval;       /* wall clock of the next save of the state; s between them */
  int reading;                 /* there may be more records of an earlier run */
  int left;                    /* the records stay when the job is closed */
  double prelude;              /* s that the first run spent before this pass's blocks; 0: not from records */
};

struct block { /* head of a PRI_RECORD_BLOCK; then certificates, whether there is a history and it, rows */
  int64_t base, first, items, bad, row, has_history;
};

enum { SECONDS = 5, SHARE = 20 }; /* between two states; of the time that saving takes */

/* ---- names */

static int is_file_name(const char *name) {
  struct stat st;
  const char *colon = strchr(name, ':');
  if (!strcmp(name, "-") || (colon && !strcmp(colon, ":-"))) return 0;
  return stat(name, &st) < 0 || S_ISREG(st.st_mode);
}

static pri_status set_names(pri_job *job, struct pri_resume *r) {
  const char *name = job->output_name, *inside = strstr(name, ":/");
  const int n = inside ? (int)(inside - name) : (int)strlen(name);
  if (!is_file_name(name)) return PRI_OK;
  int folder = n;
  while (folder > 0 && name[folder - 1] != '/') folder--;
  PRI_ALLOC(job->ctx, r->path, n + 32);
  PRI_ALLOC(job->ctx, r->state, n + 32);
  snprintf(r->path, (size_t)n + 32, "%.*s.%.*s.resume", folder, name, n - folder < 220 ? n - folder : 220, name + folder);
  snprintf(r->state, (size_t)n + 32, "%.*s.%.*s.resume-state", folder, name, n - folder < 220 ? n - folder : 220, name + folder);
  return PRI_OK;
}

/* with what a killed run was about to write */
static void remove_state(struct pri_resume *r) {
  char part[4096];
  snprintf(part, sizeof part, "%s.part", r->state);
  unlink(r->state);
  unlink(part);
  r->stated = 0;
}

/* ---- keeping: failures are said once */

static void give_up(pri_job *job) {
  struct pri_resume *r = job->resume;
  char *plain = pri_message_plain(job->ctx);
  if (!r->given_up)
    pri_log(job->ctx, PRI_LOG_WARN, "what --resume would need can no longer be kept (%s); the run goes on", plain ? plain : "no memory");
  pri_free(job->ctx, plain);
  r->given_up = 1;
}

static pri_status put_json(pri_records *r, int type, const char *text) {
  PRI_TRY(pri_records_begin(r, type, strlen(text)));
  PRI_TRY(pri_records_put(r, text, strlen(text)));
  return pri_records_end(r);
}

static pri_status put_identity(pri_job *job) {
  struct pri_resume *r = job->resume;
  if (r->begun) return PRI_OK;
  if (!r->identity) PRI_TRY(pri_job_origin(job, &r->identity));
  char *text = json_dumps(r->identity, JSON_COMPACT);
  if (!text) return PRI_FAIL(job->ctx, PRI_ENOMEM, "no memory for what --resume needs");
  const pri_status s = put_json(r->records, PRI_RECORD_IDENTITY, text);
  free(text);
  r->begun = s == PRI_OK;
  return s;
}

static pri_status put_found(pri_job *job) {
  struct pri_resume *r = job->resume;
  if (!r->found) return PRI_OK;
  PRI_TRY(put_json(r->records, PRI_RECORD_FOUND, r->found));
  pri_free(job->ctx, r->found);
  r->found = NULL;
  return PRI_OK;
}

static pri_status need_records(pri_job *job) {
  struct pri_resume *r = job->resume;
  if (!r->records) PRI_TRY(pri_records_open(job->ctx, &r->records, r->path, 1));
  return PRI_OK;
}

/* ---- opening */

static pri_status identity_there(pri_job *job, json_t **out) {
  pri_records *r = job->resume->records;
  int type;
  size_t bytes;
  *out = NULL;
  for (pri_records_rewind(r); pri_records_next(r, &type, &bytes); pri_records_skip(r)) {
    char *text;
    if (type != PRI_RECORD_IDENTITY) continue;
    PRI_ALLOC(job->ctx, text, bytes + 1);
    const pri_status s = pri_records_read(r, text, bytes, 0);
    if (s == PRI_OK) *out = pri_json_parse(text);
    pri_free(job->ctx, text);
    return s;
  }
  return PRI_OK;
}

/* What a killed run left of its output under a temporary name. */
static void remove_temporaries(pri_job *job) {
  pri_records *r = job->resume->records;
  int type;
  size_t bytes;
  char name[4096];
  for (pri_records_rewind(r); pri_records_next(r, &type, &bytes); pri_records_skip(r)) {
    if (type != PRI_RECORD_TEMPORARY || bytes >= sizeof name || pri_records_read(r, name, bytes, 0) != PRI_OK) continue;
    name[bytes] = 0;
    unlink(name);
  }
}

static pri_status start_over(pri_job *job) {
  remove_state(job->resume);
  PRI_TRY(pri_records_clear(job->resume->records));
  return put_identity(job);
}

/* A kill between the two renames of NPY or PNG leaves the side file of a result that is not there: it is ours, and is made again. */
static void remove_orphan_side(const pri_job *job) {
  char side[4200];
  if (snprintf(side, sizeof side, "%s.json", job->output_name) >= (int)sizeof side || access(job->output_name, F_OK) == 0) return;
  unlink(side);
}

static pri_status join_records(pri_job *job) {
  struct pri_resume *r = job->resume;
  json_t *there = NULL;
  PRI_TRY(pri_records_open(job->ctx, &r->records, r->path, 0));
  PRI_TRY(identity_there(job, &there));
  remove_temporaries(job);
  char *d = json_is_object(there) ? pri_resume_difference(there, r->identity, 1) : NULL;
  pri_status s = PRI_OK;
  if (!json_is_object(there)) s = start_over(job);
  else if (d && job->o->force) s = start_over(job);
  else if (d)
    s = PRI_FAIL(job->ctx, PRI_EPARAM, "%s holds the beginning of another run: %s (-f starts over)", r->path, d);
  else r->begun = r->reading = job->resuming = 1, remove_orphan_side(job);
  if (s == PRI_OK && d) pri_log(job->ctx, PRI_LOG_INFO, "%s held the beginning of another run (%s): starting over", r->path, d);
  if (job->resuming) pri_log(job->ctx, PRI_LOG_INFO, "going on from what an earlier run left in %s", r->path);
  free(d);
  json_decref(there);
  pri_records_rewind(r->records);
  return s;
}

static double interval(void) {
  const char *given = getenv("PRIORI_CHECKPOINT"); /* s; for tests */
  const double v = given && *given ? strtod(given, NULL) : SECONDS;
  return v >= 0 ? v : SECONDS;
}

pri_status pri_resume_open(pri_job *job, int *finished) {
  struct pri_resume *r;
  *finished = 0;
  PRI_ALLOC(job->ctx, r, 1);
  job->resume = r;
  r->interval = interval();
  r->next = pri_wall_seconds() + r->interval;
  PRI_TRY(set_names(job, r));
  if (!job->o->resume) return PRI_OK;
  if (!r->path) return PRI_FAIL(job->ctx, PRI_EPARAM, "--resume: %s is no file, nothing can be kept beside it", job->output_name);
  PRI_TRY(pri_job_origin(job, &r->identity));
  PRI_TRY(pri_resume_finished(job, r->identity, finished));
  if (*finished) {
    pri_log(job->ctx, PRI_LOG_INFO, "%s: is finished already, of this configuration and these inputs", job->output_name);
    pri_resume_done(job);
    return PRI_OK;
  }
  return join_records(job);
}

void pri_resume_output(pri_job *job) {
  struct pri_resume *r = job->resume;
  const char *name = job->out ? pri_output_temporary(job->out) : NULL;
  if (!job->o->resume || !name || r->given_up) return;
  /* behind everything that is there: found by the next run, passed over by this one */
  if (put_json(r->records, PRI_RECORD_TEMPORARY, name) != PRI_OK) give_up(job);
}

/* ---- what is found from the data */

static json_t *exact(double v) {
  char text[40];
  snprintf(text, sizeof text, "%a", v);
  return json_string(text);
}

static double exact_value(const json_t *o, const char *key) {
  const char *text = json_string_value(json_object_get(o, key));
  return text ? strtod(text, NULL) : NAN;
}

static pri_status describe_found(pri_job *job, json_t *events) {
  const pri_setup *s = &job->set;
  json_t *priors = json_array();
  for (int i = 0; i < s->n_priors; i++) json_array_append_new(priors, json_string(s->priors[i]));
  json_t *o = json_pack("{s:I, s:o, s:o, s:o, s:o, s:O*, s:O*, s:o, s:o}", "base", (json_int_t)job->base, "center", exact(s->center),
                        "noise", exact(s->noise), "mismatch", exact(s->mismatch), "priors", priors, "weights", job->weight_notes,
                        "curves", job->weight_curves, "events", events, "prelude", exact(pri_journal_seconds(job->log)));
  char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(o);
  job->resume->found = text ? pri_strdup(job->ctx, text) : NULL;
  free(text);
  return job->resume->found ? PRI_OK : PRI_FAIL(job->ctx, PRI_ENOMEM, "no memory for what --resume needs");
}

static pri_status wrong(pri_job *job) {
  return PRI_FAIL(job->ctx, PRI_EFORMAT, "%s: does not go with this run (-f starts over)", job->resume->path);
}

static pri_status use_priors(pri_job *job, const json_t *priors) {
  for (int i = 0; i < job->set.n_priors; i++) {
    const char *spec = json_string_value(json_array_get(priors, (size_t)i));
    if (!spec) return wrong(job);
    pri_free(job->ctx, job->set.priors[i]);
    job->set.priors[i] = pri_strdup(job->ctx, spec);
    if (!job->set.priors[i]) return pri_ctx_code(job->ctx);
  }
  return PRI_OK;
}

static pri_status use_found(pri_job *job, const json_t *o) {
  size_t i;
  json_t *event;
  if (json_integer_value(json_object_get(o, "base")) != (json_int_t)job->base) return wrong(job);
  PRI_TRY(use_priors(job, json_object_get(o, "priors")));
  json_decref(job->weight_notes);
  json_decref(job->weight_curves);
  job->weight_notes = json_deep_copy(json_object_get(o, "weights"));
  job->weight_curves = json_deep_copy(json_object_get(o, "curves"));
  job->set.noise = exact_value(o, "noise");
  job->set.mismatch = exact_value(o, "mismatch");
  job->set.center = exact_value(o, "center");
  job->resume->prelude = exact_value(o, "prelude");
  json_array_foreach(json_object_get(o, "events"), i, event)
    pri_journal_event(job->log, json_string_value(json_array_get(event, 0)), json_incref(json_array_get(event, 1)));
  return isfinite(job->set.center) ? pri_job_use_center(job) : PRI_OK;
}

/* Is the next record of an earlier run of this type? Those that are read already, or say whose they are, are passed over. */
static int seek(pri_job *job, int wanted, size_t *bytes) {
  pri_records *r = job->resume->records;
  int type;
  for (; job->resume->reading && pri_records_next(r, &type, bytes); pri_records_skip(r))
    if (type == PRI_RECORD_FOUND || type == PRI_RECORD_BLOCK) return type == wanted;
  job->resume->reading = 0; /* what comes from now on is of this run */
  return 0;
}

pri_status pri_resume_certify(pri_job *job) {
  struct pri_resume *r = job->resume;
  size_t bytes;
  char *text;
  r->prelude = 0;
  if (seek(job, PRI_RECORD_FOUND, &bytes)) {
    PRI_ALLOC(job->ctx, text, bytes + 1);
    pri_status s = pri_records_read(r->records, text, bytes, 0);
    json_t *o = s == PRI_OK ? pri_json_parse(text) : NULL;
    if (s == PRI_OK) s = use_found(job, o);
    json_decref(o);
    pri_free(job->ctx, text);
    pri_records_skip(r->records);
    return s;
  }
  json_t *events = json_array();
  pri_journal_record(job->log, events);
  const pri_status s = pri_job_certify(job);
  pri_journal_record(job->log, NULL);
  if (s != PRI_OK || !r->path) {
    json_decref(events);
    return s;
  }
  if (describe_found(job, events) != PRI_OK) give_up(job);
  if (job->o->resume && !r->given_up && put_found(job) != PRI_OK) give_up(job);
  return PRI_OK;
}

double pri_resume_prelude(const pri_job *job) { return job->resume->prelude; }

/* ---- finished blocks */

static pri_status put_block(pri_job *job, const pri_array *rows, ptrdiff_t bad) {
  pri_records *r = job->resume->records;
  const size_t row = (size_t)pri_shape_size(&rows->shape) * sizeof *rows->data;
  const struct block b = {job->base, job->n_done, rows->items, bad, (int64_t)row, job->history != NULL};
  const size_t certificates = (size_t)rows->items * sizeof *job->done, history = job->history ? sizeof *job->history : 0;
  PRI_TRY(put_found(job));
  PRI_TRY(pri_records_begin(r, PRI_RECORD_BLOCK, sizeof b + certificates + history + (size_t)rows->items * row));
  PRI_TRY(pri_records_put(r, &b, sizeof b));
  PRI_TRY(pri_records_put(r, job->done + job->n_done, certificates));
  if (history) PRI_TRY(pri_records_put(r, job->history, history));
  PRI_TRY(pri_records_put(r, rows->data, (size_t)rows->items * row));
  return pri_records_end(r);
}

/* Never at the cost of the output: what is still to be written must fit as well. */
static pri_status check_room(pri_job *job, const pri_array *rows) {
  const ptrdiff_t left = job->items * job->passes - job->base - job->n_done;
  const double bytes = (double)pri_shape_size(&rows->shape) * (double)sizeof *rows->data;
  const double needs = bytes * (double)(rows->items + left);
  if (pri_records_room(job->resume->records) > needs) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_EWRITE, "the disk has no room for %.0f MiB", needs / 1048576);
}

void pri_resume_keep(pri_job *job, const pri_array *rows, ptrdiff_t bad) {
  struct pri_resume *r = job->resume;
  const int last = job->base + job->n_done + rows->items >= job->items * job->passes;
  if (!r->path || r->given_up || (last && !job->o->resume)) return;
  pri_status s = need_records(job);
  if (s == PRI_OK) s = check_room(job, rows);
  if (s == PRI_OK) s = put_block(job, rows, bad);
  if (s != PRI_OK) give_up(job);
  else if (r->stated) remove_state(r);
}

static pri_status restore_rows(pri_job *job, const struct block *b, size_t at) {
  pri_array a = {0};
  const pri_shape shape = pri_job_written(job);
  PRI_TRY(pri_array_create(job->ctx, &a, &shape, 1));
  pri_status s = PRI_OK;
  for (int64_t i = 0; i < b->items && s == PRI_OK; i++) {
    s = pri_records_read(job->resume->records, a.data, (size_t)b->row, at + (size_t)(i * b->row));
    if (s == PRI_OK) s = pri_job_write(job, &a, i);
  }
  pri_array_destroy(&a);
  return s;
}

static pri_status restore_history(pri_job *job, size_t at) {
  if (!job->history) PRI_ALLOC(job->ctx, job->history, 1);
  return pri_records_read(job->resume->records, job->history, sizeof *job->history, at);
}

pri_status pri_resume_restore(pri_job *job, int *more) {
  struct pri_resume *r = job->resume;
  struct block b;
  size_t bytes, at = sizeof b;
  *more = 0;
  if (!seek(job, PRI_RECORD_BLOCK, &bytes)) return PRI_OK;
  PRI_TRY(pri_records_read(r->records, &b, sizeof b, 0));
  const pri_shape shape = pri_job_written(job);
  if (b.base != job->base || b.first != job->n_done || b.items < 1 || b.items > job->items - job->n_done ||
      b.row != pri_shape_size(&shape) * (int64_t)sizeof(pri_real))
    return wrong(job);
  PRI_TRY(pri_records_read(r->records, job->done + job->n_done, (size_t)b.items * sizeof *job->done, at));
  at += (size_t)b.items * sizeof *job->done;
  if (b.has_history) PRI_TRY(restore_history(job, at));
  at += b.has_history ? sizeof *job->history : 0;
  PRI_TRY(restore_rows(job, &b, at));
  job->bad += b.bad;
  *more = (int)b.items;
  pri_records_skip(r->records);
  return PRI_OK;
}

/* ---- the solver at hand */

void pri_resume_save(pri_job *job, pri_solve *s) {
  struct pri_resume *r = job->resume;
  if (!r->path || r->given_up) return;
  const double began = pri_wall_seconds();
  if (pri_solver_save(s->solver, s->monitors, s->n_monitors, r->state) != PRI_OK) give_up(job);
  else r->stated = 1;
  const double now = pri_wall_seconds();
  r->next = now + fmax(r->interval, SHARE * (now - began));
}

void pri_resume_tick(pri_job *job, pri_solve *s) {
  const struct pri_resume *r = job->resume;
  if (!job->o->resume || !r || pri_wall_seconds() < r->next || pri_solver_items_active(s->solver) == 0) return;
  pri_resume_save(job, s);
}

/* A state that is damaged, or of another block, is as good as none: the solver is made anew. */
pri_status pri_resume_load(pri_job *job, pri_solve *s, const pri_block *b) {
  struct pri_resume *r = job->resume;
  if (!job->resuming || !r->state || access(r->state, R_OK) < 0) return PRI_OK;
  const pri_status loaded = pri_solver_load(s->solver, s->monitors, s->n_monitors, r->state);
  if (loaded == PRI_OK) {
    r->stated = 1;
    pri_log(job->ctx, PRI_LOG_INFO, "%s %td goes on from a saved step", pri_job_word(job, 0), b->slice[0]);
    return PRI_OK;
  }
  pri_log(job->ctx, PRI_LOG_DEBUG, "%s: not used: %s", r->state, pri_ctx_message(job->ctx));
  remove_state(r);
  pri_solve_destroy(job->ctx, s);
  return pri_solve_create(job, job->ctx, s, b);
}

/* ---- the end */

static pri_status keep_all(pri_job *job) {
  struct pri_resume *r = job->resume;
  PRI_TRY(need_records(job));
  PRI_TRY(put_identity(job));
  PRI_TRY(put_found(job));
  PRI_TRY(pri_records_show(r->records));
  r->left = 1;
  return PRI_OK;
}

pri_status pri_resume_leave(pri_job *job) {
  struct pri_resume *r = job->resume;
  char *plain = pri_message_plain(job->ctx);
  const char *what = plain ? plain : "interrupted";
  pri_status s = PRI_ECANCEL;
  if (!r->path) s = PRI_FAIL(job->ctx, s, "%s; nothing is kept, for %s is no file", what, job->output_name);
  else if (r->given_up) s = PRI_FAIL(job->ctx, s, "%s; nothing is kept", what);
  else {
    if (!r->stated) remove_state(r); /* of an older run */
    if (keep_all(job) != PRI_OK) {
      char *why = pri_message_plain(job->ctx);
      s = PRI_FAIL(job->ctx, s, "%s; what was done cannot be kept: %s", what, why ? why : "no memory");
      pri_free(job->ctx, why);
    } else {
      s = PRI_FAIL(job->ctx, s, "%s; what was done is kept: the same command with --resume goes on from there", what);
    }
  }
  pri_free(job->ctx, plain);
  return s;
}

void pri_resume_done(pri_job *job) {
  struct pri_resume *r = job->resume;
  if (!r->path) return;
  unlink(r->path);
  remove_state(r);
}

void pri_resume_close(pri_job *job) {
  struct pri_resume *r = job->resume;
  if (!r) return;
  if (r->records && !job->o->resume && !r->left) unlink(r->path); /* on a file system without nameless files */
  pri_records_close(&r->records);
  json_decref(r->identity);
  pri_free(job->ctx, r->found);
  pri_free(job->ctx, r->path);
  pri_free(job->ctx, r->state);
  pri_free(job->ctx, r);
  job->resume = NULL;
}
