/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_learn.c - priori learn: parameters of a prior from images, to a .prior file (learn_data.c, learn_maid.c, learn_card.c).
 * Runs in double precision. After every step the state is kept; --resume goes on from it, to the same bytes as an undisturbed run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "learn_job.h"
#include "pipeline.h"
#include "vec.h"

enum { STEPS = 50 };

static const pri_param no_rows[] = {{0}};
static const pri_param l1_rows[] = {
    {.name = "kappa", .unit = "unit of the image", .help = "errors below it count by their square; auto: a tenth of the noise", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(pri_learn_loss, kappa), .min = 1e-12, .max = 1e12, .def = NAN},
    {0}};
static const pri_kind losses[] = {{.name = "mse", .brief = "half the squared error", .size = sizeof(pri_learn_loss), .params = no_rows},
                                  {.name = "smooth-l1", .brief = "absolute error, smoothed", .size = sizeof(pri_learn_loss), .params = l1_rows}};

/* ---- options */

static pri_status parse_loss(pri_learn_job *g) {
  const char *spec = g->o->loss ? g->o->loss : "mse";
  char *name = NULL;
  if (g->o->unsupervised) {
    g->loss = strcmp(g->o->unsupervised, "sure") ? PRI_LOSS_WHITENESS : PRI_LOSS_SURE;
    return g->o->loss ? PRI_FAIL(g->ctx, PRI_EPARAM, "--loss %s: --unsupervised %s is the loss", g->o->loss, g->o->unsupervised) : PRI_OK;
  }
  PRI_TRY(pri_spec_name(g->ctx, spec, &name));
  const int which = !strcmp(name, "mse") ? 0 : !strcmp(name, "smooth-l1") ? 1 : -1;
  pri_free(g->ctx, name);
  if (which < 0) return PRI_FAIL(g->ctx, PRI_EPARAM, "--loss %s: learn knows mse and smooth-l1:kappa=V", spec);
  g->loss = which ? PRI_LOSS_SMOOTH_L1 : PRI_LOSS_MSE;
  return pri_kind_parse(g->ctx, &losses[which], &g->loss_keys, pri_spec_keys(spec));
}

static pri_status parse_steps(pri_learn_job *g) {
  g->steps = STEPS;
  for (int i = 0; i < g->o->stops.n; i++) {
    char *end = NULL;
    const char *stop = g->o->stops.v[i];
    if (!strncmp(stop, "steps:", 6)) g->steps = strtol(stop + 6 + (strncmp(stop + 6, "steps=", 6) ? 0 : 6), &end, 10);
    if (!end || *end || g->steps < 1 || g->steps > 100000) return PRI_FAIL(g->ctx, PRI_EPARAM, "--stop %s: learn takes steps:N, 1 to 100000", stop);
  }
  return PRI_OK;
}

static pri_status parse(pri_learn_job *g) {
  PRI_TRY(pri_method_parse(g->ctx, &g->m, g->o->solver));
  g->floor = pri_method_floor(g->m);
  PRI_TRY(parse_loss(g));
  return parse_steps(g);
}

/* ---- problem */

static int identity(const pri_learn_job *g) { return (pri_operator_flags(g->data.A) & PRI_OP_IDENTITY) != 0; }

/* What the data term leaves at least: 1, or the floor */
static double lowest(const pri_learn_job *g) { return identity(g) ? 1 + g->floor : g->floor; }

static void choose_floor(pri_learn_job *g) {
  const double norm = pri_operator_norm(g->data.A).value;
  if (isnan(g->floor)) g->floor = identity(g) ? 0 : 1e-4 * norm * norm;
  pri_method_set_floor(g->m, g->floor);
}

static pri_status fill(pri_learn_job *g, const char *key, double value) {
  char *have = NULL, *out = NULL, buf[32];
  PRI_TRY(pri_spec_get(g->ctx, g->prior, key, NULL, &have));
  const int given = have != NULL;
  pri_free(g->ctx, have);
  if (given) return PRI_OK;
  PRI_TRY(pri_spec_set(g->ctx, g->prior, key, NULL, pri_shortest(buf, value), &out));
  pri_free(g->ctx, g->prior);
  g->prior = out;
  return PRI_OK;
}

static pri_status number_of(pri_learn_job *g, const char *key, double *value) {
  char *have = NULL;
  PRI_TRY(pri_spec_get(g->ctx, g->prior, key, NULL, &have));
  const pri_status s = have ? pri_quantity_parse(g->ctx, g->prior, have, "1", value) : PRI_OK;
  pri_free(g->ctx, have);
  return s;
}

/* Root mean square of A'y / |A|^2: the size of an image, whatever the unit of the data. */
static pri_status size_of_image(pri_learn_job *g, double *rms) {
  pri_array x = {0}, y = pri_array_items(&g->data.train.y, 0, 1);
  const double norm = pri_operator_norm(g->data.A).value;
  PRI_TRY(pri_array_create(g->ctx, &x, pri_operator_domain(g->data.A), 1));
  const pri_status s = pri_operator_adjoint(g->data.A, &x, &y);
  *rms = sqrt(pri_norm2sq(g->ctx, x.data, pri_shape_size(&x.shape)) / (double)pri_shape_size(&x.shape)) / (norm * norm);
  pri_array_destroy(&x);
  return s;
}

/* What is not given starts from the noise. Denoising: weight sd, smoothing a tenth of it; else weight sd |A|, smoothing a hundredth of the image. */
static pri_status start_smooth_tv(pri_learn_job *g) {
  double size = 0;
  if (!identity(g)) PRI_TRY(size_of_image(g, &size));
  PRI_TRY(fill(g, "weight", identity(g) ? g->data.sd : g->data.sd * pri_operator_norm(g->data.A).value));
  return fill(g, "smoothing", identity(g) ? g->data.sd / 10 : fmax(size / 100, 1e-12));
}

/* tgv is learned with fields of its own beside the image (learn_tgv.c); starts from weight sd, smoothing a tenth of it. */
static pri_status start_tgv(pri_learn_job *g) {
  static const double BEND = 0.05; /* of 1/2 |v|^2 over that of 1/2 |x|^2: slopes of 0.1 a pixel cost 2 % more */
  double weight = 0, ratio = 0, size = 0;
  if (!identity(g)) PRI_TRY(size_of_image(g, &size));
  PRI_TRY(fill(g, "weight", identity(g) ? g->data.sd : g->data.sd * pri_operator_norm(g->data.A).value));
  PRI_TRY(fill(g, "ratio", 2));
  PRI_TRY(number_of(g, "weight", &weight));
  PRI_TRY(number_of(g, "ratio", &ratio));
  for (int i = 0; i < 2; i++) {
    pri_learn_tgv *t = &g->tgv[i];
    PRI_TRY(pri_stencil_init(g->ctx, "learn", &t->s, &g->data.meta, pri_operator_domain(g->data.A)));
    t->a[0] = weight, t->a[1] = weight * ratio, t->nu = identity(g) ? g->data.sd / 10 : fmax(size / 100, 1e-12), t->bend = BEND * lowest(g);
  }
  g->is_tgv = 1;
  return PRI_OK;
}

/* "tv" is learned in its smooth form. */
static int is_tgv(const char *spec) { return !strncmp(spec, "tgv", 3) && (spec[3] == 0 || spec[3] == ':'); }

static pri_status make_prior(pri_learn_job *g) {
  const char *spec = g->o->priors.n ? g->o->priors.v[0] : "tv";
  const int tv = !strncmp(spec, "tv", 2) && (spec[2] == 0 || spec[2] == ':');
  if (g->o->priors.n > 1) return PRI_FAIL(g->ctx, PRI_EPARAM, "learn takes one --prior, not %d", g->o->priors.n);
  const size_t n = strlen(spec) + 16;
  PRI_ALLOC(g->ctx, g->prior, (ptrdiff_t)n);
  snprintf(g->prior, n, "%s%s", tv ? "smooth-tv" : spec, tv ? spec + 2 : "");
  if (!strncmp(g->prior, "smooth-tv", 9)) PRI_TRY(start_smooth_tv(g));
  else if (!strncmp(g->prior, "tikhonov", 8)) PRI_TRY(fill(g, "weight", 1));
  else if (is_tgv(g->prior)) PRI_TRY(start_tgv(g));
  PRI_TRY(pri_prior_create(g->ctx, &g->R, g->prior, &g->data.meta, pri_operator_domain(g->data.A)));
  PRI_TRY(pri_prior_create(g->ctx, &g->R_judge, g->prior, &g->data.meta, pri_operator_domain(g->data.A)));
  pri_free(g->ctx, g->prior);
  g->prior = NULL;
  PRI_TRY(pri_prior_print(g->R, &g->prior));
  return pri_spec_name(g->ctx, g->prior, &g->name);
}

static pri_status make_lower(pri_learn_job *g, pri_lower **out, int judges, const pri_learn_set *set) {
  const double kappa = g->loss_keys.kappa;
  const pri_lower_problem p = {.A = g->data.A, .R = judges ? g->R_judge : g->R, .tgv = g->is_tgv ? &g->tgv[judges] : NULL, .y = &set->y, .truth = set->truth.items ? &set->truth : NULL, .floor = g->floor, .loss = g->loss,
                               .sd = g->data.sd, .kappa = isnan(kappa) ? g->data.sd / 10 : kappa};
  return pri_lower_images(g->ctx, out, &p);
}

static pri_status make_judge(pri_learn_job *g) {
  g->judged = (pri_interval){NAN, NAN, NAN};
  if (!g->data.validate.y.items) return PRI_OK;
  PRI_TRY(make_lower(g, &g->judge, 1, &g->data.validate));
  PRI_ALLOC(g->ctx, g->x_judge, pri_lower_samples(g->judge) * pri_lower_size(g->judge));
  PRI_ALLOC(g->ctx, g->e_judge, pri_lower_samples(g->judge));
  PRI_TRY(pri_lower_theta(g->judge, pri_method_theta(g->m)));
  return isfinite(pri_lower_start(g->judge, g->x_judge)) ? PRI_OK : PRI_FAIL(g->ctx, PRI_ENUMERIC, "learn: the samples put aside are not finite");
}

static pri_status make_method(pri_learn_job *g) {
  void *priv;
  double *theta;
  PRI_ALLOC(g->ctx, theta, (ptrdiff_t)pri_lower_ntheta(g->l));
  pri_learn_face(g, &priv)->get_theta(priv, theta);
  const pri_status s = pri_method_start(g->m, g->l, theta, (pri_method_box){-16, 16});
  pri_free(g->ctx, theta);
  return s;
}

/* That of the kind of image: 1, 255, 65535, else the largest value */
static double peak_of(const pri_array *truth) {
  static const double peaks[] = {1, 255, 65535};
  double top = 0;
  for (ptrdiff_t i = 0; i < truth->items * pri_shape_size(&truth->shape); i++) top = fmax(top, (double)truth->data[i]);
  for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++)
    if (top <= 1.3 * peaks[i] && top > peaks[i] / 20) return peaks[i]; /* CT: dense bone passes 1 */
  return top;
}

static pri_status make_problem(pri_learn_job *g) {
  PRI_TRY(pri_learn_data_load(g->call, &g->data));
  const pri_learn_set *t = &g->data.train;
  g->peak = peak_of(&t->truth);
  pri_log(g->ctx, PRI_LOG_INFO, "%td %s of %td pixels%s; measurements are off by sd %.4g", t->y.items, t->truth.items ? "pairs" : "measurements",
          pri_shape_size(pri_operator_domain(g->data.A)), g->data.validate.y.items ? ", some more put aside" : "", g->data.sd);
  choose_floor(g);
  PRI_TRY(make_prior(g));
  PRI_TRY(make_lower(g, &g->l, 0, t));
  PRI_TRY(make_method(g));
  return make_judge(g);
}

/* ---- the run */

/* Of the mean squared error 2 f / n */
static double psnr(const pri_learn_job *g, double f) { return 10 * log10(g->peak * g->peak / (2 * f / (double)pri_shape_size(pri_operator_domain(g->data.A)))); }

static pri_status judge(pri_learn_job *g) {
  if (!g->judge) return PRI_OK;
  PRI_TRY(pri_lower_theta(g->judge, pri_method_theta(g->m)));
  PRI_TRY(pri_lower_solve(g->judge, g->x_judge, g->r.eps, 30000, g->e_judge));
  g->judged = pri_lower_interval(g->judge, g->x_judge, g->e_judge);
  return PRI_OK;
}

static void say_step(pri_learn_job *g) {
  char more[80] = "", aside[80] = "";
  if (g->loss == PRI_LOSS_MSE) snprintf(more, sizeof more, " (%.3f dB of peak %.4g)", psnr(g, g->r.f.high), g->peak);
  if (g->judge) snprintf(aside, sizeof aside, ", put aside %.6g", g->judged.high);
  pri_journal_event(g->log, "iteration", pri_learn_step(g));
  json_array_append_new(g->history, pri_learn_step(g));
  pri_log(g->ctx, PRI_LOG_INFO, "step %ld: loss %.6g to %.6g%s%s, hypergradient %.2g, accuracy %.1g, work %.0f", g->r.k, g->r.f.low, g->r.f.high, more, aside, g->r.z, g->r.eps,
          g->r.work.gradients + g->r.work.products);
}

static pri_status iterate(pri_learn_job *g) {
  g->why = PRI_GO;
  while ((long)json_array_size(g->history) < g->steps) {
    const pri_status s = pri_method_step(g->m, &g->r, &g->why);
    if (s == PRI_ECANCEL) pri_log(g->ctx, PRI_LOG_INFO, "interrupted after step %zu; --resume goes on from there", json_array_size(g->history));
    PRI_TRY(s);
    if (g->why != PRI_GO) return PRI_OK;
    PRI_TRY(judge(g));
    say_step(g);
    pri_learn_state_save(g);
  }
  g->why = PRI_OUT_OF_STEPS;
  return PRI_OK;
}

/* "weight 0.083, smoothing 0.0035" */
static pri_status name_values(const pri_learn_job *g, char *text, size_t room) {
  const size_t p = pri_lower_ntheta(g->l);
  double v[PRI_LEARN_SAID];
  text[0] = 0;
  if (p > PRI_LEARN_SAID) {
    snprintf(text, room, "%zu parameters", p);
    return PRI_OK;
  }
  PRI_TRY(pri_learn_values(g, v));
  for (size_t i = 0, at = 0; i < p && at < room - 40; i++) at += (size_t)snprintf(text + at, room - at, "%s%s %.5g", i ? ", " : "", pri_learn_parameter(g->name, i), exp(v[i]));
  return PRI_OK;
}

static const char *doubt(const pri_learn_job *g) {
  if (sizeof(pri_real) < sizeof(double)) return "float cannot prove them";
  return g->loss == PRI_LOSS_WHITENESS ? "whiteness has no proven slope" : "the prior is not known to be convex";
}

static pri_status say_result(pri_learn_job *g) {
  char text[200];
  PRI_TRY(name_values(g, text, sizeof text));
  if (!pri_lower_certified(g->l)) pri_log(g->ctx, PRI_LOG_WARN, "the intervals of the loss are estimates: %s", doubt(g));
  pri_log(g->ctx, PRI_LOG_INFO, "%s: %s after %zu steps; %s: %s. Use it: --prior %s:file=%s", g->o->output, pri_verdict_name(g->why), json_array_size(g->history), g->name, text, g->name, g->o->output);
  return PRI_OK;
}

static pri_status work(pri_learn_job *g) {
  char *solver = NULL;
  PRI_TRY(parse(g));
  if (!g->o->output) return PRI_FAIL(g->ctx, PRI_EPARAM, "where shall the prior go? -o NAME.prior");
  if (!g->o->force && !access(g->o->output, F_OK)) return PRI_FAIL(g->ctx, PRI_EWRITE, "%s exists (-f overwrites it)", g->o->output);
  PRI_TRY(pri_learn_state_name(g));
  PRI_TRY(make_problem(g));
  PRI_TRY(pri_method_print(g->m, &solver));
  const pri_status s = pri_learn_describe(g, solver);
  pri_free(g->ctx, solver);
  PRI_TRY(s);
  pri_journal_start(g->log, g->config);
  PRI_TRY(pri_learn_state_load(g));
  PRI_TRY(iterate(g));
  PRI_TRY(pri_learn_write(g));
  PRI_TRY(say_result(g));
  pri_journal_event(g->log, "done", json_pack("{s:i, s:s}", "status", 0, "verdict", pri_verdict_name(g->why)));
  return PRI_OK;
}

static void clear(pri_learn_job *g) {
  pri_method_destroy(&g->m);
  pri_lower_destroy(&g->l);
  pri_lower_destroy(&g->judge);
  pri_prior_destroy(&g->R);
  pri_prior_destroy(&g->R_judge);
  pri_learn_data_fini(&g->data);
  void *const texts[] = {g->prior, g->name, g->config, g->x_judge, g->e_judge};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) pri_free(g->ctx, texts[i]);
  json_decref(g->origin);
  json_decref(g->history);
}

static pri_status run(pri_call *call) {
  pri_learn_job g = {.call = call, .ctx = call->ctx, .o = call->opts, .history = json_array()};
  pri_status s = pri_journal_create(call, &g.log);
  if (s == PRI_OK) s = work(&g);
  clear(&g);
  if (g.log) {
    const pri_status closed = pri_journal_close(g.log);
    if (s == PRI_OK) s = closed;
    pri_journal_destroy(&g.log);
  }
  return s;
}

static pri_status defaults(pri_call *call) { /* float32 rounding times L / mu is about 1e-4: certificates need double */
  if (pri_options_given(call->opts, "precision") && call->opts->precision == PRI_PRECISION_FLOAT) {
    if (call->opts->solver && !strncmp(call->opts->solver, "adam", 4)) return PRI_OK;
    return PRI_FAIL(call->ctx, PRI_EPARAM, "--precision float: learn runs in double; only --solver adam, which proves nothing, takes float");
  }
  call->opts->precision = PRI_PRECISION_DOUBLE;
  return PRI_OK;
}

static const char *const options[] = {"truth", "simulate", "noise", "unsupervised", "loss", "patch", "crops", "validate", "noise-level", "prior", "operator", "solver", "stop", "output", "force",
                                      "precision", "threads", "mem", "resume", "seed", "progress", "log", "log-json", NULL};
static const char *const examples[] = {
    "weight and smoothing of total variation for this noise, from pairs of pages", "learn --prior tv noisy.tif --truth clean.tif -o mine.prior",
    "the same from clean images alone, blurred and made noisy here; every fifth judges only",
    "learn --prior tv --simulate blur:psf=gaussian,sigma=1.5 --noise gaussian:sd=0.02 --validate 0.2 clean.tif -o blur.prior",
    "from noisy images alone", "learn --prior tv --unsupervised sure noisy.tif -o mine.prior", "and its use", "denoise --prior tv:file=mine.prior other.tif -o better.tif",
    "filters of a field of experts, from squares of large clean pictures",
    "learn --prior foe:filters=24,size=5,weight=0.005,smoothing=0.002,hold=smoothing,basis=cosines --simulate identity --noise gaussian:sd=0.1 --patch 40 --crops 20 --precision float --solver adam:step=0.06,length=20 --stop steps:20 photos/ -o filters.prior", NULL};
const pri_command pri_command_learn = {
    .name = "learn", .brief = "learns the parameters of a prior from images", .synopsis = "[OPTIONS] MEASUREMENT... --truth FILE -o NAME.prior",
    .options = options, .examples = examples, .min_inputs = 1, .max_inputs = -1, .run = run, .defaults = defaults,
    .more = "Minimises the mean over all samples of half the squared distance between the true image and what the prior makes of its measurement, or of an estimate "
            "of that where no true images are known. With --solver maid (the default) every step is proved: the loss is known to lie in an interval, and a step is taken only where the "
            "whole new interval lies below the old one (predicted accuracy, quasi-Newton metric). --solver hoag, for comparison, proves no step; nor does --solver adam:batch=,step=,passes=,length=, a few samples at a time: for the filters of a field of experts, with "
            "--precision float faster. The file holds the parameters, what they were learned from, "
            "and the history. tv is learned in its smoothed form, smooth-tv; tgv is learned smoothed and used as it is."};
