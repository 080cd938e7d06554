/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan.c - how many slices at a time, and what that takes.
 *
 * Nothing is guessed about solvers and priors: a block of one slice and one of two are really made (without reading data), each
 * in a context of its own that counts; the difference is what a slice costs, the rest is fixed. On top come what the process
 * holds now (program, libraries, operator), what reading and writing take, and a reserve for what libraries allocate by
 * themselves. The trial is also where solver, priors and stop rules object to the problem before data are read.
 */
#define _GNU_SOURCE
#include <math.h>
#include <string.h>
#include "certificate.h"
#include "json.h"
#include "pipeline.h"
#include "watch.h"
#include "weight.h"

enum { RESERVE = 6 << 20, LANES = 16 }; /* bytes; slices that the projectors take together */

struct trial {
  pri_ctx *ctx;
  pri_block block;
  pri_solve solve;
  pri_array result;
};

/* The certificate at the end of a run brings a workspace of its own. */
static pri_status rehearse_certificate(struct trial *t) {
  pri_certifier *c = NULL;
  pri_duals d;
  if (pri_solver_duals(t->solve.solver, &d) != PRI_OK) return PRI_OK;
  const pri_status s = pri_certifier_create(t->ctx, &c, &t->solve.problem);
  pri_certifier_destroy(&c);
  return s == PRI_ENOTSUP ? PRI_OK : s;
}

/* What the priors cost is in it; on made-up data. A solver that objects to them is not timed. */
static void time_step(pri_job *job, struct trial *t) {
  pri_report r = {0};
  const double began = pri_wall_seconds();
  if (pri_solver_step(t->solve.solver, 0, &r) == PRI_OK) job->plan.step = pri_wall_seconds() - began;
}

static pri_status make(pri_job *job, struct trial *t, ptrdiff_t items) {
  PRI_TRY(pri_block_read(job, t->ctx, &t->block, job->slice, items, 1));
  PRI_TRY(pri_array_create(t->ctx, &t->result, &job->set.result, items));
  if (!job->set.A || !strcmp(job->o->solver, "none")) return PRI_OK;
  PRI_TRY(pri_solve_create(job, t->ctx, &t->solve, &t->block));
  if (job->o->dry_run && items == 1) time_step(job, t);
  return rehearse_certificate(t);
}

/* peak: bytes of the block; shared: what the job's operator grew by (parts for subsets live where it lives) */
static pri_status try_items(pri_job *job, ptrdiff_t items, size_t *peak, size_t *shared) {
  struct trial t = {0};
  const pri_ctx_opts opts = {.threads = pri_ctx_threads(job->ctx), .seed = pri_ctx_seed(job->ctx)};
  PRI_TRY(pri_open(&t.ctx, &opts) == PRI_OK ? PRI_OK : PRI_FAIL(job->ctx, PRI_ENOMEM, "no memory for a plan"));
  const double noise = job->set.noise;
  const size_t before = pri_ctx_memory_used(job->ctx);
  job->set.noise = 1; /* not known yet: stop rules want one */
  pri_status s = make(job, &t, items);
  job->set.noise = noise;
  *peak = pri_ctx_memory_peak(t.ctx);
  *shared = pri_ctx_memory_used(job->ctx) - before;
  if (s != PRI_OK && *pri_ctx_message(t.ctx)) {
    char *plain = pri_message_plain(t.ctx);
    PRI_FAIL(job->ctx, s, "%s", plain ? plain : pri_status_text(s));
    pri_free(t.ctx, plain);
  }
  pri_solve_destroy(t.ctx, &t.solve);
  pri_array_destroy(&t.result);
  pri_block_destroy(&t.block);
  pri_ctx_destroy(&t.ctx);
  return s;
}

/* The most slices that fit, whole groups of lanes where there is room for one. */
static ptrdiff_t fit(const pri_plan *p, ptrdiff_t items, int threads) {
  const ptrdiff_t cap = LANES * (threads > 4 ? threads : 4);
  const double room = (double)p->allowed - (double)p->fixed;
  ptrdiff_t n = room > 0 ? (ptrdiff_t)fmin(room / (double)p->per_item, 1e9) : 0;
  n = n > cap ? cap : n;
  if (n >= items) return items;
  if (n > LANES) n -= n % LANES;
  return n < 1 ? 1 : n;
}

pri_status pri_job_plan(pri_job *job) {
  pri_plan *p = &job->plan;
  size_t one = 0, two = 0, shared = 0;
  const size_t now = pri_resident_bytes();
  p->allowed = pri_ctx_memory_limit(job->ctx);
  const pri_status s = try_items(job, 1, &one, &shared);
  p->peak = s == PRI_EBUDGET ? p->allowed + 1 : 0; /* more than there is; how much more is not known */
  PRI_TRY(s);
  two = 2 * one;
  if (job->items > 1 && now + RESERVE + shared + two < p->allowed) PRI_TRY(try_items(job, 2, &two, &shared));
  p->per_item = two > one ? two - one : 1;
  p->fixed = now + RESERVE + shared + (one > p->per_item ? one - p->per_item : 0) + pri_input_memory(job->in);
  p->block = fit(p, job->items, pri_ctx_threads(job->ctx));
  p->peak = p->fixed + (size_t)p->block * p->per_item;
  return PRI_OK;
}

/* ---- printing */

/* Passes that a run takes, roughly: the steps asked for, or what a certificate takes at 256 x 256 (spec 4.9). */
static double passes(const pri_job *job) {
  double steps = 0;
  if (!strncmp(job->o->solver, "fbp", 3) || !strcmp(job->o->solver, "none")) return 1;
  if (!pri_job_asks(job, "gap", NULL) && pri_job_asks(job, "steps", &steps)) return steps;
  return strncmp(job->o->solver, "prox", 4) ? 500 : 20;
}

/* The search of automatic weights goes before, on the sampled slices */
static double passes_of_search(const pri_job *job) {
  int automatic = 0;
  for (int i = 0; i < job->o->priors.n; i++) {
    char *held = NULL, *plain = NULL;
    if (pri_config_weight(job->ctx, job->o->priors.v[i], &held, &plain) == PRI_OK) automatic |= held && !strncmp(held, "auto", 4);
    pri_free(job->ctx, held), pri_free(job->ctx, plain);
  }
  if (!automatic || !strcmp(job->o->solver, "none")) return 0;
  return pri_weight_passes(job->set.A) * (double)(job->items < PRI_SAMPLES ? job->items : PRI_SAMPLES);
}

static double estimate(const pri_job *job) {
  pri_array x = {0}, y = {0};
  double took = NAN;
  if (!job->set.A) return NAN;
  if (pri_array_create(job->ctx, &x, &job->set.image, 1) == PRI_OK &&
      pri_array_create(job->ctx, &y, &job->set.data, 1) == PRI_OK) {
    const double began = pri_wall_seconds();
    if (pri_operator_apply(job->set.A, &y, &x) == PRI_OK && pri_operator_adjoint(job->set.A, &x, &y) == PRI_OK)
      took = pri_wall_seconds() - began;
  }
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  if (job->plan.step > took) took = job->plan.step;
  return took * (passes(job) * (double)job->items + passes_of_search(job));
}

static json_t *stages(const pri_job *job) {
  json_t *a = json_array();
  json_array_append_new(a, pri_json_text("read"));
  for (int i = 0; i < job->o->prepare.n; i++)
    json_array_append_new(a, json_pack("{s:o}", "prepare", pri_json_text(job->o->prepare.v[i])));
  for (int i = 0; i < job->o->operators.n; i++)
    json_array_append_new(a, json_pack("{s:o}", "operator", pri_json_text(job->o->operators.v[i])));
  json_array_append_new(a, json_pack("{s:o}", "solver", pri_json_text(job->o->solver)));
  for (int i = 0; i < job->o->then.n; i++) json_array_append_new(a, json_pack("{s:o}", "then", pri_json_text(job->o->then.v[i])));
  json_array_append_new(a, pri_json_text("write"));
  return a;
}

static json_t *shapes(const pri_job *job) {
  const pri_setup *s = &job->set;
  return json_pack("{s:I, s:o, s:o, s:o, s:o}", "slices", (json_int_t)job->items, "measured",
                   pri_json_shape(s->measured.n, s->measured.nd), "data", pri_json_shape(s->data.n, s->data.nd), "image",
                   pri_json_shape(s->image.n, s->image.nd), "result", pri_json_shape(s->result.n, s->result.nd));
}

static pri_status print_text(pri_job *job, double seconds, int exit_status) {
  char a[64], b[64];
  const pri_plan *p = &job->plan;
  pri_print("input     %s: %td %s of %s\n", job->input_name, job->items, pri_job_word(job, job->items > 1), pri_shape_text(&job->set.measured, a, sizeof a));
  for (int i = 0; i < job->o->operators.n; i++) pri_print("operator  %s\n", job->o->operators.v[i]);
  pri_print("solver    %s\n", job->o->solver);
  pri_print("image     %s, %td %s at a time\n", pri_shape_text(&job->set.image, b, sizeof b), p->block, pri_job_word(job, p->block > 1));
  pri_print("memory    %.1f MiB at most, %.1f MiB allowed\n", (double)p->peak / 1048576, (double)p->allowed / 1048576);
  if (isfinite(seconds)) pri_print("time      about %.3g s\n", seconds);
  pri_print("status    %d\n", exit_status);
  return PRI_OK;
}

pri_status pri_plan_print(pri_job *job, int exit_status) {
  const double seconds = exit_status == 0 ? estimate(job) : NAN;
  if (!job->o->json) return print_text(job, seconds, exit_status);
  json_t *plan = json_pack("{s:o, s:o, s:o, s:i, s:o, s:i}", "stages", stages(job), "shapes", shapes(job), "peak_bytes",
                           job->plan.peak ? json_integer((json_int_t)job->plan.peak) : json_null(), "temporary_bytes", 0,
                           "estimated_s", pri_json_number(seconds), "status", exit_status);
  return pri_print_json(job->ctx, plan);
}
