/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline.c - the body of reconstruct and ct: jobs one after the other, each through the phases of pipeline.h. */
#define _GNU_SOURCE
#include "pipeline.h"
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "json.h"
#include "resume.h"
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

/* Does the result lie in the space of the input, so that metadata and values keep their meaning? An image of a sinogram does not. */
static int is_alike(const pri_job *job) { return !pri_job_ct(job) && !job->counts; }

/* Integers: the values that become 0 and the largest one. Values stay as they are where the input has the same type and the result is
   alike; otherwise the box, or else the range of the result, known in the end. */
pri_status pri_job_scale(const pri_job *job, pri_output_opts *opts, int *known) {
  pri_range r = job->set.bound;
  const char *t = dtype_of(job);
  if (!strcmp(t, "same")) t = job->info->dtype;
  *known = 1;
  if (!strchr("ui", t[0])) return PRI_OK;
  if (job->o->scale) PRI_TRY(pri_range_parse(job->ctx, "--scale", job->o->scale, &r));
  else if (is_alike(job) && !strcmp(t, job->info->dtype)) return PRI_OK;
  *known = isfinite(r.lo) && isfinite(r.hi);
  opts->scale_lo = *known ? r.lo : 0;
  opts->scale_hi = *known ? r.hi : 1;
  return PRI_OK;
}

/* Operators that change the size of pixels: how many of the result's stand for one of the input's. */
static void pitch_of(const pri_job *job, double pitch[3]) {
  const pri_shape shape = pri_box_shape(&job->set.frame, job->set.image.nd), *now = &shape, *was = &job->set.data;
  for (int i = 0; i < job->o->operators.n; i++)
    if (!strncmp(job->o->operators.v[i], "downsample", 10) && now->nd == was->nd)
      for (int k = 0; k < now->nd && k < 3; k++)
        pitch[k] = (double)was->n[was->nd - 1 - k] / (double)now->n[now->nd - 1 - k];
}

/* Where in the input the items of the result are from: every pass of a sweep has them all. By pri_calloc. */
static ptrdiff_t *sources(const pri_job *job) {
  ptrdiff_t *s = pri_calloc(job->ctx, (size_t)(job->items * job->passes), sizeof *s);
  for (ptrdiff_t i = 0; s && i < job->items * job->passes; i++) s[i] = job->slice[i % job->items];
  return s;
}

pri_shape pri_job_written(const pri_job *job) {
  const long *r = job->set.roi;
  return r[2] ? pri_shape_2d(r[3], r[2]) : job->set.result;
}

static pri_status create_output(pri_job *job, pri_output_opts *opts) {
  const pri_shape shape = pri_job_written(job);
  ptrdiff_t *source = NULL;
  if (!opts->dtype) opts->dtype = dtype_of(job);
  if (!strcmp(opts->dtype, "same")) opts->dtype = job->info->dtype;
  opts->overwrite = job->o->force || job->resuming; /* a side file may be there already */
  opts->compression = job->o->compression;
  opts->bigtiff = job->o->bigtiff == PRI_BIGTIFF_YES ? 1 : job->o->bigtiff == PRI_BIGTIFF_NO ? -1 : 0;
  for (int i = 0; i < 3; i++) opts->pixel[i] = isfinite(job->set.meta.pixel[i]) ? job->set.meta.pixel[i] : 0;
  if (is_alike(job)) {
    opts->like = job->in;
    opts->source = source = sources(job);
    if (!source) return pri_ctx_code(job->ctx);
    pitch_of(job, opts->pitch);
  }
  const pri_status s = pri_output_create(job->ctx, &job->out, job->output_name, &shape, job->items * job->passes, opts);
  pri_free(job->ctx, source);
  return s;
}

static pri_status open_output(pri_job *job) {
  const pri_shape shape = pri_job_written(job);
  pri_output_opts opts = {0};
  int known;
  PRI_TRY(pri_job_scale(job, &opts, &known));
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
  pri_resume_output(job);
  return pri_spool_copy(job->spool, job->out);
}

static pri_status check_budget(pri_job *job) {
  const pri_plan *p = &job->plan;
  if (p->peak <= p->allowed) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_EBUDGET, "%s: even one %s at a time takes %.1f MiB, and %.1f MiB are allowed (--mem)",
                  job->input_name, pri_job_word(job, 0), (double)p->peak / 1048576, (double)p->allowed / 1048576);
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

/* ---- items: pages, volumes, channels */

const char *pri_job_word(const pri_job *job, int many) {
  static const char *const words[][2] = {{"slice", "slices"}, {"volume", "volumes"}, {"plane", "planes"}};
  return words[job->kind == PRI_ITEM_VOLUME ? 1 : job->kind == PRI_ITEM_CHANNELS ? 2 : 0][many != 0];
}

/* coupled=yes takes the slowest axis for channels; of a volume that is z. */
static pri_status refuse_coupled(pri_job *job) {
  for (int i = 0; i < job->o->priors.n; i++) {
    char *coupled = NULL;
    PRI_TRY(pri_spec_get(job->ctx, job->o->priors.v[i], "coupled", NULL, &coupled));
    const int yes = coupled && !strcmp(coupled, "yes");
    pri_free(job->ctx, coupled);
    if (yes)
      return PRI_FAIL(job->ctx, PRI_EPARAM, "%s: coupled=yes is for channels, and the slowest axis of a volume is z; give --item channels, or leave it out",
                      job->o->priors.v[i]);
  }
  return PRI_OK;
}

static pri_status set_up_as(pri_job *job, pri_item item) {
  job->kind = item;
  if (item == PRI_ITEM_VOLUME) PRI_TRY(refuse_coupled(job));
  PRI_TRY(pri_input_regroup(job->in, item));
  PRI_TRY(pri_job_slices(job));
  return pri_job_setup(job);
}

/* An operator with three axes (a volume's PSF) does not fit a page: then the input's volumes are tried. What it says of both is worth hearing. */
static pri_status set_up(pri_job *job) {
  static const pri_item kinds[] = {PRI_ITEM_PAGE, PRI_ITEM_PAGE, PRI_ITEM_VOLUME, PRI_ITEM_CHANNELS};
  const char *z = strchr(job->info->axes, 'z');
  const pri_status s = set_up_as(job, kinds[job->o->item]);
  if (s != PRI_ESHAPE || job->o->item != PRI_BY_AUTO || !z || z[1] == 0 || z[2] == 0) return s;
  char *first = pri_message_plain(job->ctx);
  pri_job_unset(job);
  pri_status again = set_up_as(job, PRI_ITEM_VOLUME);
  if (again == PRI_OK)
    pri_log(job->ctx, PRI_LOG_INFO, "%s: %td %s of %td slices (--item)", job->input_name, job->info->items, pri_job_word(job, job->info->items > 1), job->info->item.n[0]);
  else if (again == PRI_ESHAPE && first)
    again = PRI_FAIL(job->ctx, PRI_ESHAPE, "%s", first);
  pri_free(job->ctx, first);
  return again;
}

/* 1: the one operator is a parallel ct whose centre neither keys nor file say */
static pri_status lacks_center(pri_job *job, int *yes) {
  const char *spec = job->o->operators.n == 1 ? job->o->operators.v[0] : "";
  char *beam = NULL, *center = NULL;
  *yes = 0;
  if (strncmp(spec, "ct", 2) || (spec[2] && spec[2] != ':') || isfinite(job->info->meta.center)) return PRI_OK;
  PRI_TRY(pri_spec_get(job->ctx, spec, "geometry", NULL, &beam));
  const pri_status s = pri_spec_get(job->ctx, spec, "center", NULL, &center);
  *yes = !center && (!beam || !strcmp(beam, "parallel"));
  pri_free(job->ctx, beam);
  pri_free(job->ctx, center);
  return s;
}

/* Raw counts come from a real scanner, whose axis is hardly ever in the middle of the detector: `priori ct` looks for it. */
static pri_status seek_center(pri_job *job) {
  pri_options *o = job->call->opts;
  char *spec;
  int yes = 0;
  if (!job->info->counts || strcmp(job->call->command->name, "ct")) return PRI_OK;
  PRI_TRY(lacks_center(job, &yes));
  if (!yes) return PRI_OK;
  PRI_TRY(pri_spec_set(o->owner, o->operators.v[0], "center", NULL, "auto", &spec));
  pri_free(o->owner, o->operators.v[0]);
  o->operators.v[0] = spec;
  job->seeks_center = 1;
  return PRI_OK;
}

/* `inpaint` without a mask fills the values that are not good; there must be some. */
static pri_status find_holes(pri_job *job) {
  ptrdiff_t bad = 0;
  char *known = NULL;
  if (strcmp(job->call->command->name, "inpaint") || job->o->on_bad != PRI_BAD_MASK || strcmp(job->o->operators.v[0], "identity")) return PRI_OK;
  PRI_TRY(pri_job_known(job, &known));
  const int listed = known != NULL;
  pri_free(job->ctx, known);
  for (ptrdiff_t i = 0; i < job->items && !listed && !bad; i++) {
    pri_block b;
    const pri_status s = pri_block_read(job, job->ctx, &b, job->slice + i, 1, 0);
    bad = b.bad;
    pri_block_destroy(&b);
    PRI_TRY(s);
  }
  const char *more = job->info->dtype && strchr("ui", job->info->dtype[0]) ? " or stand at the largest number of the type" : "";
  if (bad) pri_log(job->ctx, PRI_LOG_INFO, "%s: no --mask: the pixels that are not finite%s are filled in", job->input_name, more);
  if (bad || listed) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_EPARAM, "%s: which pixels are missing? --mask FILE (0: missing), or NaN in the image; all of its values are good", job->input_name);
}

pri_status pri_job_prepare(pri_job *job) {
  PRI_TRY(count_passes(job));
  PRI_TRY(open_input(job));
  PRI_TRY(seek_center(job));
  PRI_TRY(pri_range_parse(job->ctx, "--bound", job->o->bound, &job->set.bound));
  return set_up(job);
}

static pri_status finish(pri_job *job) {
  char *text = NULL;
  PRI_TRY(unspool(job));
  pri_status s = pri_job_provenance(job, &text);
  if (s == PRI_OK) s = pri_output_finish(job->out, text);
  free(text);
  if (s != PRI_OK) return s;
  pri_resume_done(job);
  pri_say_wrote(job->ctx, job->output_name);
  return PRI_OK;
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
    PRI_TRY(pri_resume_certify(job));
    PRI_TRY(pri_job_stream(job));
  }
  PRI_TRY(finish(job));
  return pri_job_verify(job);
}

static pri_status run_job(pri_job *job) {
  pri_status ready = pri_job_prepare(job);
  if (ready == PRI_OK) ready = pri_job_plan(job);
  if (job->o->dry_run) {
    const pri_status s = ready == PRI_OK ? check_budget(job) : ready;
    PRI_TRY(pri_plan_print(job, pri_status_exit(s)));
    return s;
  }
  PRI_TRY(ready);
  int finished;
  PRI_TRY(pri_resume_open(job, &finished));
  if (finished) return PRI_OK;
  PRI_TRY(open_output(job));
  PRI_TRY(check_budget(job));
  PRI_TRY(find_holes(job));
  pri_resume_output(job);
  const pri_status s = compute(job);
  return s == PRI_ECANCEL ? pri_resume_leave(job) : s;
}

void pri_job_close(pri_job *job) {
  if (job->seeks_center) pri_config_drop(job->call->opts->operators.v[0], "center");
  pri_resume_close(job);
  pri_job_unset(job);
  pri_output_destroy(&job->out);
  pri_spool_destroy(&job->spool);
  pri_input_close(&job->in);
  pri_free(job->ctx, job->slice);
  pri_free(job->ctx, job->done);
  pri_free(job->ctx, job->history);
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
  pri_job_close(&job);
  return s;
}

/* a/x.tif and b/x.tif would both become DIR/x.tif: the second result would replace the first, or be refused after hours. */
static pri_status refuse_same_names(pri_call *call) {
  const int n = call->n_inputs;
  char **name;
  int a = -1, b = -1;
  pri_status s = PRI_OK;
  PRI_ALLOC(call->ctx, name, n);
  for (int i = 0; i < n && s == PRI_OK; i++) s = output_name(call, call->inputs[i], &name[i]);
  for (int i = 1; i < n && s == PRI_OK; i++)
    for (int k = 0; k < i && a < 0; k++)
      if (!strcmp(name[i], name[k])) a = k, b = i;
  if (a >= 0)
    s = PRI_FAIL(call->ctx, PRI_EPARAM, "%s and %s would both become %s: give them one after the other", call->inputs[a], call->inputs[b], name[a]);
  for (int i = 0; i < n; i++) pri_free(call->ctx, name[i]);
  pri_free(call->ctx, name);
  return s;
}

/* "-o restored/" where there is no such folder: it is made (its parents are not: a typo stays one) */
static pri_status make_folder(pri_ctx *ctx, const char *name) {
  const size_t n = strlen(name);
  if (!n || name[n - 1] != '/' || strstr(name, "{stem}") || mkdir(name, 0777) == 0 || errno == EEXIST) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EWRITE, "%s: no folder, and it cannot be made: %s", name, strerror(errno));
}

static pri_status all_jobs(pri_call *call, pri_journal *log, const char **verdict) {
  const pri_options *o = call->opts;
  if (o->output && call->n_inputs == 1 && !o->dry_run) PRI_TRY(make_folder(call->ctx, o->output));
  if (o->as_stack) return one_job(call, log, call->inputs[0], call->inputs, call->n_inputs, verdict);
  if (call->n_inputs == 1) return one_job(call, log, call->inputs[0], NULL, 0, verdict);
  if (o->output && !strstr(o->output, "{stem}") && !is_folder(o->output))
    return PRI_FAIL(call->ctx, PRI_EPARAM, "%d inputs and one output: give -o DIR/, a name with {stem}, or --as-stack",
                    call->n_inputs);
  if (o->output) PRI_TRY(refuse_same_names(call));
  if (o->output && !o->dry_run) PRI_TRY(make_folder(call->ctx, o->output));
  for (int i = 0; i < call->n_inputs; i++) {
    const pri_status s = one_job(call, log, call->inputs[i], NULL, 0, verdict);
    if (s == PRI_ECANCEL) return s;
    if (s != PRI_OK) pri_call_failed(call, call->inputs[i], s);
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
