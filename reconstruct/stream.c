/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.c - the loop over blocks of slices: read, solve, filter, write. Below it nobody knows of files. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "json.h"
#include "resume.h"
#include "vec.h"
#include "watch.h"

json_t *pri_certified_json(const pri_certified *c, double mismatch) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:o, s:o}", "relative_gap", pri_json_number(c->relative_gap), "gap",
                   pri_json_number(c->gap), "objective", pri_json_number(c->objective), "residual", pri_json_number(c->residual),
                   "adjoint_mismatch", pri_json_number(mismatch), "passes", pri_json_number(c->passes), "solver_passes",
                   pri_json_number(c->solver_passes), "verdict", pri_verdict_name(c->verdict), "k", (json_int_t)c->k,
                   "lower_bound", pri_json_number(c->lo), "upper_bound", pri_json_number(c->hi));
}

static void item_event(pri_job *job, const pri_certified *c) {
  if (!pri_journal_wants_events(job->log)) return;
  json_t *e =
      json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o}", "item", (json_int_t)c->item, "verdict", pri_verdict_name(c->verdict), "k",
                (json_int_t)c->k, "passes", pri_json_number(c->passes), "objective", pri_json_number(c->objective),
                "relative_gap", pri_json_number(c->relative_gap), "solver_passes", pri_json_number(c->solver_passes));
  if (e) {
    json_object_set_new(e, "residual", pri_json_number(c->residual));
    json_object_set_new(e, "seconds", pri_json_number(c->seconds));
    json_object_set_new(e, "cpu_seconds", pri_json_number(c->cpu_seconds));
  }
  pri_journal_event(job->log, "item", e);
}

/* ", objective 3, relative gap 1e-4": what is known of it */
static void figures(const pri_certified *c, char *text, size_t n) {
  size_t at = 0;
  text[0] = 0;
  if (isfinite(c->objective)) at = (size_t)snprintf(text, n, ", objective %.6g", c->objective);
  if (isfinite(c->relative_gap)) snprintf(text + at, n - at, ", relative gap %.3g", c->relative_gap);
}

static void report(pri_job *job, const pri_certified *c) {
  char which[48] = "", text[96];
  item_event(job, c);
  figures(c, text, sizeof text);
  if (job->info->items > 1) snprintf(which, sizeof which, "%s %td: ", pri_job_word(job, 0), c->item);
  if (!c->met) {
    job->status = 3;
    pri_log(job->ctx, PRI_LOG_WARN, "%s%s after %ld steps%s, residual %.4g: the guarantee asked for is not met; the result is written and says so", which,
            pri_verdict_name(c->verdict), c->k, text, c->residual);
    return;
  }
  if (c->verdict == PRI_DIRECT) return;
  pri_log(job->ctx, job->items > 8 ? PRI_LOG_DEBUG : PRI_LOG_INFO, "%s%s after %ld steps (%.1f passes)%s", which, pri_verdict_name(c->verdict), c->k, c->passes,
          text);
}

/* What report() kept to itself of many items */
static void sum_up(const pri_job *job) {
  const pri_certified *worst = NULL;
  ptrdiff_t met = 0;
  pri_box_said(job);
  if (job->items <= 8 || job->n_done < job->items) return;
  for (ptrdiff_t i = 0; i < job->n_done; i++) {
    const pri_certified *c = &job->done[i];
    if (c->verdict == PRI_DIRECT) return;
    met += c->met;
    if (!worst || pri_certified_worse(c, worst)) worst = c;
  }
  if (isfinite(worst->relative_gap))
    pri_log(job->ctx, PRI_LOG_INFO, "%td of %td %s met what was asked for; the largest relative gap is %.3g (%s %td)", met, job->items, pri_job_word(job, 1),
            worst->relative_gap, pri_job_word(job, 0), worst->item);
}

/* ---- the way out: frame, filters, region, file. *a is replaced; whoever calls releases it, also where a step fails */

/* A filter that looks at the data; pri_job_geometry has seen to it that they fit */
static pri_status run_restore(pri_job *job, const pri_filter *f, pri_array *a, const pri_block *b) {
  const void *priv;
  const pri_filter_class *c = pri_filter_class_of(f, &priv);
  const pri_real *seen = job->set.known.data;
  for (ptrdiff_t k = 0; k < a->items; k++)
    PRI_TRY(c->restore(job->ctx, priv, pri_array_item(a, k), pri_array_item(&b->y, k), seen, b->w.data ? pri_array_item(&b->w, k) : NULL));
  return PRI_OK;
}

static pri_status run_then(pri_job *job, pri_array *a, const pri_block *b) {
  for (int i = 0; i < job->set.n_then; i++) {
    pri_array next = {0};
    PRI_TRY(pri_array_create(job->ctx, &next, pri_filter_range(job->set.then[i]), a->items));
    const int restores = pri_filter_class_of(job->set.then[i], NULL)->restore != NULL;
    if (restores) pri_copy(job->ctx, next.data, a->data, a->items * pri_shape_size(&a->shape));
    const pri_status s = restores ? run_restore(job, job->set.then[i], &next, b) : pri_filter_run(job->set.then[i], &next, a, b->slice);
    pri_array_destroy(a);
    *a = next;
    PRI_TRY(s);
  }
  return PRI_OK;
}

static pri_status cut(pri_job *job, pri_array *a, const pri_box *box) {
  const pri_shape shape = pri_box_shape(box, a->shape.nd);
  pri_array part = {0};
  PRI_TRY(pri_array_create(job->ctx, &part, &shape, a->items));
  const pri_status s = pri_array_take(job->ctx, &part, a, box);
  pri_array_destroy(a);
  *a = part;
  return s;
}

static pri_status crop(pri_job *job, pri_array *a) {
  const long *r = job->set.roi;
  const pri_box box = {.first = {r[1], r[0]}, .n = {r[3], r[2]}, .step = {1, 1}};
  return r[2] ? cut(job, a, &box) : PRI_OK;
}

/* What was solved for beyond the measured field goes no further. */
static pri_status to_frame(pri_job *job, pri_array *a) {
  const pri_shape shape = pri_box_shape(&job->set.frame, job->set.image.nd);
  return job->simulate || pri_shape_equal(&shape, &a->shape) ? PRI_OK : cut(job, a, &job->set.frame);
}

pri_status pri_job_write(pri_job *job, const pri_array *rows, ptrdiff_t at) {
  if (job->spool) return pri_spool_write(job->spool, rows->data, rows->items);
  return pri_output_write(job->out, rows->data, job->base + job->n_done + at, rows->items);
}

static pri_status write_block(pri_job *job, const pri_array *x, const pri_block *b) {
  pri_array a = pri_array_items(x, 0, x->items);
  pri_status s = to_frame(job, &a);
  if (s == PRI_OK) s = run_then(job, &a, b);
  if (s == PRI_OK) s = crop(job, &a);
  if (s == PRI_OK) s = pri_job_write(job, &a, 0);
  if (s == PRI_OK) pri_resume_keep(job, &a, b->bad);
  pri_array_destroy(&a);
  return s;
}

/* ---- one block */

static pri_status pass_on(pri_job *job, const pri_array *y, const pri_block *b) {
  for (ptrdiff_t i = 0; i < y->items; i++)
    job->done[job->n_done + i] = (pri_certified){.item = b->slice[i],
                                                 .verdict = PRI_DIRECT,
                                                 .objective = NAN,
                                                 .residual = NAN,
                                                 .gap = NAN,
                                                 .relative_gap = NAN,
                                                 .lo = NAN,
                                                 .hi = NAN,
                                                 .seconds = 0,
                                                 .met = 1};
  return write_block(job, y, b);
}

/* The history that is told is that of the slice with the worst certificate. */
static pri_status keep_history(pri_job *job, const pri_solve *s) {
  ptrdiff_t worst = 0;
  if (!job->history) PRI_ALLOC(job->ctx, job->history, 1);
  for (ptrdiff_t i = 1; i < job->n_done; i++)
    if (pri_certified_worse(&job->done[i], &job->done[worst])) worst = i;
  for (ptrdiff_t i = 0; i < s->watch->items; i++) {
    const pri_certified *c = &job->done[job->n_done + i];
    if (job->n_done + i > 0 && !pri_certified_worse(c, &job->done[worst])) continue;
    worst = job->n_done + i;
    *job->history = s->watch->history[i];
    pri_history_end(job->history, &(pri_history_point){c->k, c->passes, c->objective, c->relative_gap, c->residual, NAN});
  }
  return PRI_OK;
}

static pri_status solve_block(pri_job *job, pri_block *b) {
  pri_solve s = {0};
  pri_certified *c = job->done + job->n_done;
  pri_status st = pri_solve_create(job, job->ctx, &s, b);
  if (st == PRI_OK) st = pri_resume_load(job, &s, b);
  if (st == PRI_OK) st = pri_solve_run(job, job->ctx, &s, c);
  if (st == PRI_ECANCEL && s.solver) pri_resume_save(job, &s);
  if (st == PRI_OK) st = keep_history(job, &s);
  for (ptrdiff_t i = 0; i < b->items && st == PRI_OK; i++) report(job, &c[i]);
  if (st == PRI_OK) st = write_block(job, pri_solver_iterate(s.solver), b);
  pri_solve_destroy(job->ctx, &s);
  return st;
}

static pri_status simulate_block(pri_job *job, pri_block *b) {
  pri_array y = {0};
  pri_status s = pri_array_create(job->ctx, &y, &job->set.result, b->items);
  if (s == PRI_OK) s = pri_operator_apply(job->set.A, &y, &b->y);
  for (ptrdiff_t i = 0; i < b->items && s == PRI_OK && job->noise; i++) {
    pri_array one = pri_array_items(&y, i, 1); /* noise goes by the index in the file: the same alone and in a stack */
    s = pri_noise_add(job->noise, &one, b->slice[i]);
  }
  if (s == PRI_OK) s = pass_on(job, &y, b);
  pri_array_destroy(&y);
  return s;
}

static pri_status one_block(pri_job *job, ptrdiff_t items) {
  pri_block b = {0};
  pri_status s = pri_block_read(job, job->ctx, &b, job->slice + job->n_done, items, 0);
  job->bad += b.bad;
  job->white += b.white;
  if (s == PRI_OK)
    s = job->simulate                    ? simulate_block(job, &b)
        : strcmp(job->o->solver, "none") ? solve_block(job, &b)
                                         : pass_on(job, &b.y, &b);
  if (s == PRI_OK) job->n_done += items;
  pri_block_destroy(&b);
  return s;
}

/* What an earlier run has finished. */
static pri_status restore_blocks(pri_job *job) {
  int more;
  job->n_done = 0;
  do {
    PRI_TRY(pri_resume_restore(job, &more));
    if (more) job->prelude = 0;
    for (int i = 0; i < more; i++) report(job, &job->done[job->n_done + i]);
    job->n_done += more;
  } while (more);
  if (job->n_done) pri_log(job->ctx, PRI_LOG_INFO, "%td of %td %s are done already", job->n_done, job->items, pri_job_word(job, 1));
  return PRI_OK;
}

pri_status pri_job_stream(pri_job *job) {
  job->prelude = pri_resume_prelude(job) + pri_journal_seconds(job->log);
  PRI_TRY(restore_blocks(job));
  for (; job->n_done < job->items; job->prelude = 0) {
    const ptrdiff_t left = job->items - job->n_done;
    if (pri_ctx_cancelled(job->ctx))
      return PRI_FAIL(job->ctx, PRI_ECANCEL, "interrupted after %td of %td %s", job->n_done, job->items, pri_job_word(job, 1));
    PRI_TRY(one_block(job, left < job->plan.block ? left : job->plan.block));
  }
  sum_up(job);
  if (job->bad)
    pri_log(job->ctx, PRI_LOG_WARN, "%s: %td values were not finite or saturated; %s", job->input_name, job->bad,
            job->set.weighted ? "they have weight zero" : pri_job_ct(job) ? "neighbours in their view stand in for them" : "neighbours stand in for them");
  if (job->white)
    pri_log(job->ctx, PRI_LOG_INFO, "%s: %td values are at the largest number of the type and may be saturated (--on-bad mask leaves them out)",
            job->input_name, job->white);
  return PRI_OK;
}
