/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline.c - the body of reconstruct and ct: jobs one after the other, each through the phases of pipeline.h. */
#define _GNU_SOURCE
#include "pipeline.h"
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "json.h"
#include "provenance.h"
#include "sweep.h"
#include "watch.h"

int pri_job_asks(const pri_job *job, const char *stop, double *value) {
  const size_t n = strlen(stop);
  for (int i = 0; i < job->o->stops.n; i++) {
    const char *spec = job->o->stops.v[i], *equal = strchr(spec, '=');
    if (strncmp(spec, stop, n) || (spec[n] != 0 && spec[n] != ':')) continue;
    if (value) *value = strtod(equal ? equal + 1 : pri_spec_keys(spec), NULL);
    return 1;
  }
  return 0;
}

/* ---- names of outputs */

static int is_folder(const char *name) {
  struct stat st;
  const size_t n = strlen(name);
  return (n && name[n - 1] == '/') || (stat(name, &st) == 0 && S_ISDIR(st.st_mode));
}

/* "path/scan.01.tif" -> "scan.01"; "file.h5:/a/b" -> "file" */
static void stem_of(const char *input, char *stem, size_t n) {
  const char *end = strstr(input, ":/") ? strstr(input, ":/") : input + strlen(input);
  while (end > input + 1 && end[-1] == '/') end--;
  const char *base = end;
  while (base > input && base[-1] != '/') base--;
  const char *dot = end;
  while (dot > base && *dot != '.') dot--;
  if (dot == base) dot = end;
  snprintf(stem, n, "%.*s", (int)(dot - base), base);
  if (!strcmp(input, "-")) snprintf(stem, n, "stdin");
}

static pri_status output_name(pri_call *call, const char *input, char **out) {
  const char *o = call->opts->output, *at = strstr(o, "{stem}");
  char stem[256];
  stem_of(input, stem, sizeof stem);
  const size_t n = strlen(o) + sizeof stem + 16;
  *out = pri_calloc(call->ctx, n, 1);
  if (!*out) return pri_ctx_code(call->ctx);
  if (at)
    snprintf(*out, n, "%.*s%s%s", (int)(at - o), o, stem, at + 6);
  else if (is_folder(o))
    snprintf(*out, n, "%s%s%s.tif", o, o[strlen(o) - 1] == '/' ? "" : "/", stem);
  else
    snprintf(*out, n, "%s", o);
  return PRI_OK;
}

/* ---- phases */

static pri_status open_input(pri_job *job) {
  if (job->stack)
    PRI_TRY(pri_input_open_stack(job->ctx, &job->in, job->stack, job->n_stack));
  else
    PRI_TRY(pri_input_open(job->ctx, &job->in, job->input_name));
  job->info = pri_input_describe(job->in);
  return PRI_OK;
}

static int is_png(const pri_job *job) {
  const size_t n = strlen(job->output_name);
  return (n > 4 && !strcmp(job->output_name + n - 4, ".png")) || !strncmp(job->output_name, "png:", 4);
}

/* A PNG is a preview: 8 bits where nothing else is said. */
static const char *dtype_of(const pri_job *job) { return is_png(job) && !strcmp(job->o->dtype, "f32") ? "u8" : job->o->dtype; }

/* Integers: the values that become 0 and the largest one; 0: the range of the result, known in the end. */
static pri_status parse_scale(pri_job *job, pri_output_opts *opts, int *known) {
  pri_range r = job->set.bound;
  const char *t = dtype_of(job);
  if (job->o->scale) PRI_TRY(pri_range_parse(job->ctx, "--scale", job->o->scale, &r));
  const int integer = !strcmp(t, "u8") || !strcmp(t, "u16") || (!strcmp(t, "same") && strchr("ui", job->info->dtype[0]));
  *known = !integer || (isfinite(r.lo) && isfinite(r.hi));
  opts->scale_lo = *known ? r.lo : 0;
  opts->scale_hi = *known ? r.hi : 1;
  return PRI_OK;
}

static pri_shape written_shape(const pri_job *job) {
  const long *r = job->set.roi;
  return r[2] ? pri_shape_2d(r[3], r[2]) : job->set.result;
}

static pri_status create_output(pri_job *job, pri_output_opts *opts) {
  const pri_shape shape = written_shape(job);
  if (!opts->dtype) opts->dtype = dtype_of(job);
  opts->overwrite = job->o->force;
  if (pri_shape_equal(&shape, &job->set.measured) || !strcmp(job->o->dtype, "same")) opts->like = job->in;
  for (int i = 0; i < 3; i++) opts->pixel[i] = isfinite(job->set.meta.pixel[i]) ? job->set.meta.pixel[i] : 0;
  return pri_output_create(job->ctx, &job->out, job->output_name, &shape, job->items * job->passes, opts);
}

static pri_status open_output(pri_job *job) {
  const pri_shape shape = written_shape(job);
  pri_output_opts opts = {0};
  int known;
  PRI_TRY(parse_scale(job, &opts, &known));
  if (!known && !is_png(job)) opts.dtype = "f32"; /* only to see whether it can be made */
  PRI_TRY(create_output(job, &opts));
  if (known) return PRI_OK;
  pri_output_destroy(&job->out); /* it could be made: that was the question */
  return pri_spool_create(job->ctx, &job->spool, job->o->scratch, &shape);
}

static pri_status unspool(pri_job *job) {
  pri_output_opts opts = {0};
  if (!job->spool) return PRI_OK;
  pri_spool_range(job->spool, &opts.scale_lo, &opts.scale_hi);
  PRI_TRY(create_output(job, &opts));
  return pri_spool_copy(job->spool, job->out);
}

static pri_status check_budget(pri_job *job) {
  const pri_plan *p = &job->plan;
  if (p->peak <= p->allowed) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_EBUDGET, "%s: even one slice at a time takes %.1f MiB, and %.1f MiB are allowed (--mem)",
                  job->input_name, (double)p->peak / 1048576, (double)p->allowed / 1048576);
}

static pri_status count_passes(pri_job *job) {
  pri_sweep s;
  job->passes = 1;
  if (!job->o->sweep.n) return PRI_OK;
  if (job->o->sweep.n > 1) return PRI_FAIL(job->ctx, PRI_EPARAM, "--sweep takes one key at a time");
  PRI_TRY(pri_sweep_create(job->ctx, &s, job->o->sweep.v[0]));
  job->passes = s.n;
  pri_sweep_destroy(&s);
  return PRI_OK;
}

pri_status pri_job_setup(pri_job *job) {
  PRI_TRY(pri_job_geometry(job));
  if (job->simulate) return PRI_OK;
  PRI_TRY(pri_job_weighted(job));
  return pri_job_priors(job);
}

void pri_job_unset(pri_job *job) {
  pri_job_geometry_fini(job);
  for (int i = 0; i < job->set.n_priors; i++) pri_free(job->ctx, job->set.priors[i]);
  pri_free(job->ctx, job->set.priors);
  job->set.priors = NULL;
  job->set.n_priors = 0;
}

/* What can be known from headers alone. */
static pri_status prepare_job(pri_job *job) {
  PRI_TRY(count_passes(job));
  PRI_TRY(open_input(job));
  PRI_TRY(pri_range_parse(job->ctx, "--bound", job->o->bound, &job->set.bound));
  PRI_TRY(pri_job_slices(job));
  PRI_TRY(pri_job_setup(job));
  return pri_job_plan(job);
}

/* Certificate of the job: of its worst slice (a guarantee missed before one met, then the largest gap). */
static json_t *worst_certificate(const pri_job *job) {
  const pri_certified *w = &job->done[0];
  for (ptrdiff_t i = 1; i < job->n_done; i++) {
    const pri_certified *c = &job->done[i];
    if (c->met < w->met || (c->met == w->met && c->relative_gap > w->relative_gap)) w = c;
  }
  return pri_certified_json(w, job->set.mismatch);
}

static json_t *all_certificates(const pri_job *job) {
  json_t *a = job->n_done > 1 && strcmp(job->o->solver, "none") ? json_array() : NULL;
  for (ptrdiff_t i = 0; a && i < job->n_done; i++) {
    json_t *c = pri_certified_json(&job->done[i], job->set.mismatch);
    if (c) json_object_set_new(c, "item", json_integer((json_int_t)job->done[i].item));
    json_array_append_new(a, c);
  }
  return a;
}

static pri_status finish(pri_job *job) {
  char *config = NULL, *text = NULL;
  PRI_TRY(unspool(job));
  PRI_TRY(pri_config_print(job->ctx, job->o, &config));
  pri_provenance p = {.config = config,
                      .inputs = job->stack ? job->stack : &job->input_name,
                      .n_inputs = job->stack ? job->n_stack : 1,
                      .in = job->in,
                      .options = job->o,
                      .weights = job->weight_notes,
                      .curves = job->weight_curves,
                      .center = job->set.center,
                      .certificate = job->simulate ? NULL : worst_certificate(job),
                      .items = job->simulate || job->table ? NULL : all_certificates(job),
                      .table = job->table};
  pri_status s = pri_provenance_text(job->ctx, &p, &text);
  if (s == PRI_OK) s = pri_output_finish(job->out, text);
  json_decref(p.certificate);
  json_decref(p.items);
  free(text);
  pri_free(job->ctx, config);
  return s;
}

pri_status pri_job_certify(pri_job *job) {
  PRI_TRY(pri_job_adjoint(job));
  PRI_TRY(pri_job_center(job));
  return pri_job_weights(job);
}

static pri_status compute(pri_job *job) {
  if (job->o->sweep.n) {
    PRI_TRY(pri_job_sweep(job));
  } else {
    PRI_TRY(pri_job_certify(job));
    PRI_TRY(pri_job_stream(job));
  }
  return finish(job);
}

static pri_status run_job(pri_job *job) {
  const pri_status ready = prepare_job(job);
  if (job->o->dry_run) {
    const pri_status s = ready == PRI_OK ? check_budget(job) : ready;
    PRI_TRY(pri_plan_print(job, pri_status_exit(s)));
    return s;
  }
  PRI_TRY(ready);
  PRI_TRY(open_output(job));
  PRI_TRY(check_budget(job));
  return compute(job);
}

static void close_job(pri_job *job) {
  pri_job_unset(job);
  pri_output_destroy(&job->out);
  pri_spool_destroy(&job->spool);
  pri_input_close(&job->in);
  pri_free(job->ctx, job->slice);
  pri_free(job->ctx, job->done);
  pri_free(job->ctx, job->output_name);
  pri_noise_destroy(&job->noise);
  json_decref(job->weight_notes);
  json_decref(job->weight_curves);
  json_decref(job->table);
}

/* ---- jobs */

static const char *worst_verdict(const pri_job *job) {
  pri_verdict v = PRI_DIRECT;
  for (ptrdiff_t i = 0; i < job->n_done; i++)
    if (!job->done[i].met || i == 0) v = job->done[i].verdict;
  return job->n_done ? pri_verdict_name(v) : "none";
}

static pri_status one_job(pri_call *call, pri_journal *log, const char *input, const char *const *stack, int n_stack,
                          const char **verdict) {
  pri_job job = {.simulate = call->command->run == pri_simulation_run,
                 .call = call,
                 .ctx = call->ctx,
                 .o = call->opts,
                 .log = log,
                 .input_name = input,
                 .stack = stack,
                 .n_stack = n_stack};
  job.set.noise = job.set.center = job.set.mismatch = NAN;
  pri_status s = call->opts->output ? output_name(call, input, &job.output_name) : PRI_OK;
  if (s == PRI_OK) s = run_job(&job);
  if (s == PRI_OK) pri_call_worst(call, job.status);
  *verdict = worst_verdict(&job);
  close_job(&job);
  return s;
}

static pri_status all_jobs(pri_call *call, pri_journal *log, const char **verdict) {
  const pri_options *o = call->opts;
  if (o->as_stack) return one_job(call, log, call->inputs[0], call->inputs, call->n_inputs, verdict);
  if (call->n_inputs == 1) return one_job(call, log, call->inputs[0], NULL, 0, verdict);
  if (o->output && !strstr(o->output, "{stem}") && !is_folder(o->output))
    return PRI_FAIL(call->ctx, PRI_EPARAM, "%d inputs and one output: give -o DIR/, a name with {stem}, or --as-stack",
                    call->n_inputs);
  for (int i = 0; i < call->n_inputs; i++) {
    const pri_status s = one_job(call, log, call->inputs[i], NULL, 0, verdict);
    if (s == PRI_ECANCEL) return s;
    if (s != PRI_OK)
      pri_call_failed(call, call->inputs[i], s);
    else if (!o->dry_run)
      pri_log(call->ctx, PRI_LOG_INFO, "%s: done", call->inputs[i]);
  }
  return PRI_OK;
}

static void end_events(pri_call *call, pri_journal *log, pri_status s, const char *verdict, double cpu) {
  const int failed = s != PRI_OK, code = failed ? pri_status_exit(s) : call->exit_status;
  char *plain = failed ? pri_message_plain(call->ctx) : NULL;
  if (failed) pri_journal_event(log, "error", json_pack("{s:o, s:i}", "message", pri_json_text(plain), "status", code));
  pri_free(call->ctx, plain);
  pri_journal_event(log, "done",
                    json_pack("{s:i, s:o, s:I, s:o, s:o}", "status", code, "verdict", pri_json_text(failed ? "failed" : verdict),
                              "peak_bytes", (json_int_t)pri_peak_bytes(), "seconds", pri_json_number(pri_journal_seconds(log)),
                              "cpu_seconds", pri_json_number(pri_cpu_seconds() - cpu)));
}

static pri_status with_log(pri_call *call, const char *config) {
  pri_journal *log;
  const char *verdict = "none";
  const double cpu = pri_cpu_seconds();
  PRI_TRY(pri_journal_create(call, &log));
  pri_journal_start(log, config);
  pri_status s = all_jobs(call, log, &verdict);
  end_events(call, log, s, verdict, cpu);
  if (s == PRI_OK) s = pri_journal_close(log);
  pri_journal_destroy(&log);
  return s;
}

pri_status pri_pipeline_run(pri_call *call) {
  char *config = NULL;
  PRI_TRY(pri_config_print(call->ctx, call->opts, &config));
  pri_status s = PRI_OK;
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, 1 << 20); /* large blocks go back to the system when freed: the plan counts on it */
#endif
  if (call->opts->print_config)
    pri_print("%s", config);
  else if (!call->opts->output && !call->opts->dry_run)
    s = PRI_FAIL(call->ctx, PRI_EPARAM, "where does the result go? -o FILE");
  else
    s = with_log(call, config);
  pri_free(call->ctx, config);
  return s;
}

pri_status pri_simulation_run(pri_call *call) { return pri_pipeline_run(call); }
