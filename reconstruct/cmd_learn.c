/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_learn.c - priori learn: parameters of a prior from pairs of measurements and true images, to a .prior file (learn_maid.c).
 * Runs in double precision. After every step the state goes into ".NAME.learn-state" beside the output; --resume goes on from it, to the same
 * bytes as an undisturbed run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "learn.h"
#include "log.h"
#include "pipeline.h"
#include "provenance.h"
#include "walk.h"

enum { PATH = 4096, STEPS = 50 };
typedef struct method { /* --solver maid:KEYS */
  double eps, alpha, floor;
  int plain, descent;
} method;
static const pri_param rows[] = {
    {.name = "eps", .unit = "1", .help = "first accuracy, root mean square over the pixels; auto: from the first gradient", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(method, eps), .min = 1e-12, .max = 1e12, .def = NAN},
    {.name = "alpha", .unit = "1", .help = "first step; auto: no logarithm moves by more than 1/2", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(method, alpha), .min = 1e-30, .max = 1e30, .def = NAN},
    {.name = "floor", .unit = "1", .help = "floor/2 |x|^2 is added where the operator hides directions; auto: 0 for denoising, else 1e-3 of the squared norm", .type = PRI_REAL, .flags = PRI_P_AUTO, .offset = offsetof(method, floor), .min = 0, .max = 1e30, .def = NAN},
    {.name = "plain", .unit = "-", .help = "steepest descent and blind tightening, as published", .type = PRI_BOOL, .offset = offsetof(method, plain), .def = 0},
    {.name = "descent", .unit = "-", .help = "ask for a proved direction of descent too", .type = PRI_BOOL, .offset = offsetof(method, descent), .def = 0},
    {0}};
static const pri_kind kind = {.name = "maid", .brief = "adaptively inexact descent", .cite = "Salehi et al. 2025", .size = sizeof(method), .params = rows};

typedef struct learning {
  pri_call *call;
  pri_ctx *ctx;
  const pri_options *o;
  pri_journal *log;
  method how;
  long steps;
  char *prior, *config, *name;   /* effective spec at the start; configuration; of the prior */
  pri_operator *A;
  pri_prior *R;
  pri_array y, truth;
  pri_lower *l;
  pri_maid *m;
  json_t *origin, *history;
  char state[PATH];
  pri_maid_report r;
  pri_verdict why;
} learning;

/* ---- data */

static pri_status load(pri_ctx *ctx, const char *const *names, int n, pri_array *out, pri_meta *meta) {
  pri_input *in;
  PRI_TRY(n > 1 ? pri_input_open_stack(ctx, &in, names, n) : pri_input_open(ctx, &in, names[0]));
  const pri_input_info *i = pri_input_describe(in);
  *meta = (pri_meta){.pixel = {i->meta.pixel[0], i->meta.pixel[1], i->meta.pixel[2]}, .bin = {NAN, NAN}, .sod = NAN, .sdd = NAN, .center = NAN};
  pri_status s = pri_array_create(ctx, out, &i->item, i->items);
  if (s == PRI_OK) s = pri_input_read(in, out->data, 0, i->items);
  const ptrdiff_t size = s == PRI_OK ? pri_shape_size(&out->shape) : 0;
  for (ptrdiff_t k = 0; k < size * out->items && s == PRI_OK; k++)
    if (!isfinite((double)out->data[k])) s = PRI_FAIL(ctx, PRI_EDATA, "%s: page %td, value %td is not finite", names[0], k / size, k % size);
  pri_input_close(&in);
  return s;
}

static pri_status load_pairs(learning *g, pri_meta *meta) {
  pri_meta ignored;
  if (!g->o->truth) return PRI_FAIL(g->ctx, PRI_EPARAM, "what are the true images? --truth FILE, as many pages as the measurements have, in the same order");
  const char *const truth[] = {g->o->truth};
  PRI_TRY(load(g->ctx, g->call->inputs, g->call->n_inputs, &g->y, meta));
  PRI_TRY(load(g->ctx, truth, 1, &g->truth, &ignored));
  if (g->y.items != g->truth.items)
    return PRI_FAIL(g->ctx, PRI_ESHAPE, "%td measurements do not go with %td true images (%s): they are pairs, in order", g->y.items, g->truth.items, g->o->truth);
  return PRI_OK;
}

/* ---- problem */

/* rms(y - A truth): what a measurement is off by */
static pri_status noise_of(learning *g, double *sd) {
  pri_array z = {0};
  double sum = 0;
  PRI_TRY(pri_array_create(g->ctx, &z, &g->y.shape, g->y.items));
  const pri_status s = pri_operator_apply(g->A, &z, &g->truth);
  const ptrdiff_t n = pri_shape_size(&z.shape) * z.items;
  for (ptrdiff_t i = 0; i < n; i++) sum += ((double)z.data[i] - (double)g->y.data[i]) * ((double)z.data[i] - (double)g->y.data[i]);
  *sd = sqrt(sum / (double)n);
  pri_array_destroy(&z);
  return s;
}

static pri_status fill(learning *g, const char *key, double value) {
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

/* "tv" is learned in its smooth form; what is not given starts from the noise: weight sd, smoothing a tenth of it. */
static pri_status make_prior(learning *g, const pri_meta *meta, double sd) {
  const char *spec = g->o->priors.n ? g->o->priors.v[0] : "tv";
  const int tv = !strncmp(spec, "tv", 2) && (spec[2] == 0 || spec[2] == ':');
  if (g->o->priors.n > 1) return PRI_FAIL(g->ctx, PRI_EPARAM, "learn takes one --prior, not %d", g->o->priors.n);
  const size_t n = strlen(spec) + 16;
  PRI_ALLOC(g->ctx, g->prior, n);
  snprintf(g->prior, n, "%s%s", tv ? "smooth-tv" : spec, tv ? spec + 2 : "");
  const int smooth = !strncmp(g->prior, "smooth-tv", 9);
  PRI_TRY(fill(g, "weight", smooth ? sd : 1));
  if (smooth) PRI_TRY(fill(g, "smoothing", sd / 10));
  PRI_TRY(pri_prior_create(g->ctx, &g->R, g->prior, meta, pri_operator_domain(g->A)));
  pri_free(g->ctx, g->prior);
  g->prior = NULL;
  PRI_TRY(pri_prior_print(g->R, &g->prior));
  return pri_spec_name(g->ctx, g->prior, &g->name);
}

static pri_status make_lower(learning *g) {
  const int identity = (pri_operator_flags(g->A) & PRI_OP_IDENTITY) != 0;
  const double norm = pri_operator_norm(g->A).value;
  if (isnan(g->how.floor)) g->how.floor = identity ? 0 : 1e-3 * norm * norm;
  const pri_lower_problem p = {.A = g->A, .R = g->R, .y = &g->y, .truth = &g->truth, .floor = g->how.floor};
  return pri_lower_images(g->ctx, &g->l, &p);
}

static pri_status make_problem(learning *g) {
  pri_meta meta;
  double sd, theta[PRI_METRIC_PAIRS];
  PRI_TRY(load_pairs(g, &meta));
  if (g->o->operators.n) PRI_TRY(pri_operators_create(g->ctx, &g->A, &g->o->operators, NAN, &meta, &g->truth.shape, &g->y.shape));
  else PRI_TRY(pri_operator_create(g->ctx, &g->A, "identity", &meta, &g->truth.shape, &g->y.shape));
  PRI_TRY(noise_of(g, &sd));
  if (!(sd > 0)) return PRI_FAIL(g->ctx, PRI_EDATA, "%s: the measurements are exactly those of the true images: there is no noise to learn from", g->call->inputs[0]);
  pri_log(g->ctx, PRI_LOG_INFO, "%td pairs of %td pixels; measurements are off by sd %.4g", g->y.items, pri_shape_size(&g->truth.shape), sd);
  PRI_TRY(make_prior(g, &meta, sd));
  PRI_TRY(make_lower(g));
  if (pri_lower_ntheta(g->l) > PRI_METRIC_PAIRS) return PRI_FAIL(g->ctx, PRI_ENOTSUP, "learn: %s has %zu parameters; up to %d are learned here", g->name, pri_lower_ntheta(g->l), PRI_METRIC_PAIRS);
  const void *priv;
  pri_prior_class_of(g->R, &priv)->learnable->get_theta(priv, theta);
  const pri_maid_opts o = {.eps = isnan(g->how.eps) ? 0 : g->how.eps, .alpha = isnan(g->how.alpha) ? 0 : g->how.alpha, .lo = -16, .hi = 16, .descent = g->how.descent, .plain = g->how.plain};
  return pri_maid_create(g->ctx, &g->m, g->l, theta, &o);
}

/* ---- configuration and state */

static pri_status parse(learning *g) {
  const char *solver = g->o->solver ? g->o->solver : "maid";
  if (strncmp(solver, "maid", 4) || (solver[4] && solver[4] != ':')) return PRI_FAIL(g->ctx, PRI_EPARAM, "--solver %s: learn knows maid:KEYS (eps, alpha, floor, plain, descent)", solver);
  PRI_TRY(pri_kind_parse(g->ctx, &kind, &g->how, pri_spec_keys(solver)));
  g->steps = STEPS;
  for (int i = 0; i < g->o->stops.n; i++) {
    char *end = NULL;
    const char *stop = g->o->stops.v[i];
    if (!strncmp(stop, "steps:", 6)) g->steps = strtol(stop + 6 + (strncmp(stop + 6, "steps=", 6) ? 0 : 6), &end, 10);
    if (!end || *end || g->steps < 1 || g->steps > 100000) return PRI_FAIL(g->ctx, PRI_EPARAM, "--stop %s: learn takes steps:N, 1 to 100000", stop);
  }
  return PRI_OK;
}

static pri_status make_config(learning *g) {
  char *method_;
  PRI_TRY(pri_kind_print(g->ctx, &kind, &g->how, &method_));
  size_t n = strlen(method_) + strlen(g->prior) + strlen(g->o->truth) + 200;
  for (int i = 0; i < g->o->operators.n; i++) n += strlen(g->o->operators.v[i]) + 20;
  g->config = pri_calloc(g->ctx, n, 1);
  int at = g->config ? snprintf(g->config, n, "command = learn\nprior = %s\nsolver = %s\nstop = steps:%ld\ntruth = %s\n", g->prior, method_, g->steps, g->o->truth) : 0;
  for (int i = 0; i < g->o->operators.n && g->config; i++) at += snprintf(g->config + at, n - (size_t)at, "operator = %s\n", g->o->operators.v[i]);
  pri_free(g->ctx, method_);
  if (!g->config) return pri_ctx_code(g->ctx);
  const char **files;
  PRI_ALLOC(g->ctx, files, g->call->n_inputs + 1);
  for (int i = 0; i < g->call->n_inputs; i++) files[i] = g->call->inputs[i];
  files[g->call->n_inputs] = g->o->truth;
  const pri_provenance p = {.config = g->config, .inputs = files, .n_inputs = g->call->n_inputs + 1, .options = g->o, .center = NAN};
  const pri_status s = pri_provenance_origin(g->ctx, &p, &g->origin);
  pri_free(g->ctx, files);
  return s;
}

/* ".NAME.learn-state" beside the output */
static pri_status name_state(learning *g) {
  const char *slash = strrchr(g->o->output, '/'), *base = slash ? slash + 1 : g->o->output;
  const int n = snprintf(g->state, sizeof g->state, "%.*s.%s.learn-state", (int)(base - g->o->output), g->o->output, base);
  if (n < (int)sizeof g->state - 40) return PRI_OK;
  return PRI_FAIL(g->ctx, PRI_EPARAM, "--output: the name is too long");
}

/* FNV-1a of what the run is of: a state of another run is refused. */
static uint64_t identity(const learning *g) {
  char *text = json_dumps(g->origin, JSON_COMPACT | JSON_SORT_KEYS);
  uint64_t h = 14695981039346656037u;
  for (const char *c = text ? text : ""; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
  free(text);
  return h;
}

static pri_status walk_all(learning *g, pri_walk *w, uint64_t *id) {
  char kept[1 << 15] = "";
  char *text = json_dumps(g->history, JSON_COMPACT | JSON_REAL_PRECISION(17));
  if (text && strlen(text) < sizeof kept) memcpy(kept, text, strlen(text));
  free(text);
  PRI_TRY(pri_walk_bytes(w, "identity", id, sizeof *id));
  PRI_TRY(pri_walk_bytes(w, "history", kept, sizeof kept));
  PRI_TRY(pri_maid_walk(g->m, w));
  if (!pri_walk_loading(w)) return PRI_OK;
  kept[sizeof kept - 1] = 0;
  json_decref(g->history);
  g->history = pri_json_parse(kept);
  return json_is_array(g->history) ? PRI_OK : PRI_FAIL(g->ctx, PRI_EFORMAT, "%s: its history cannot be read", g->state);
}

/* A full disk does not end the run. */
static void save_state(learning *g) {
  pri_walk *w;
  uint64_t id = identity(g);
  pri_status s = pri_walk_begin(g->ctx, &w, PRI_WALK_SAVE, g->state);
  if (s == PRI_OK) {
    s = walk_all(g, w, &id);
    const pri_status ended = pri_walk_end(&w, s != PRI_OK);
    if (s == PRI_OK) s = ended;
  }
  if (s != PRI_OK) pri_log(g->ctx, PRI_LOG_WARN, "what --resume needs cannot be kept: %s", pri_ctx_message(g->ctx));
}

static pri_status load_state(learning *g) {
  pri_walk *w;
  uint64_t id = 0;
  if (!g->o->resume || access(g->state, F_OK)) return PRI_OK;
  PRI_TRY(pri_walk_begin(g->ctx, &w, PRI_WALK_LOAD, g->state));
  pri_status s = walk_all(g, w, &id);
  const pri_status ended = pri_walk_end(&w, s != PRI_OK);
  if (s == PRI_OK) s = ended;
  if (s == PRI_OK && id != identity(g)) s = PRI_FAIL(g->ctx, PRI_EPARAM, "%s belongs to a run with other data or options: delete it to start over", g->state);
  if (s == PRI_OK) pri_log(g->ctx, PRI_LOG_INFO, "goes on after step %zu", json_array_size(g->history));
  return s;
}

/* ---- the run */

static double psnr(const learning *g, double f) { /* of the mean squared error 2 f / n, peak 1 */
  return -10 * log10(2 * f / (double)pri_shape_size(&g->truth.shape));
}

static json_t *parameters(const learning *g) {
  json_t *a = json_array();
  for (size_t i = 0; i < pri_lower_ntheta(g->l); i++) json_array_append_new(a, json_real(pri_maid_theta(g->m)[i]));
  return a;
}

static json_t *step_json(const learning *g) {
  const pri_maid_report *r = &g->r;
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "k", (json_int_t)r->k, "loss_low", pri_json_number(r->f.low), "loss_high", pri_json_number(r->f.high), "hypergradient",
                   pri_json_number(r->z), "accuracy", pri_json_number(r->eps), "work", pri_json_number(r->work.gradients + r->work.products), "jacobian_work",
                   pri_json_number(r->work.mixed), "theta", parameters(g));
}

static void say_step(learning *g) {
  pri_journal_event(g->log, "iteration", step_json(g));
  json_array_append_new(g->history, step_json(g));
  pri_log(g->ctx, PRI_LOG_INFO, "step %ld: loss %.6g to %.6g (%.3f dB), hypergradient %.2g, accuracy %.1g, work %.0f", g->r.k, g->r.f.low, g->r.f.high, psnr(g, g->r.f.high), g->r.z, g->r.eps,
          g->r.work.gradients + g->r.work.products);
}

static pri_status iterate(learning *g) {
  g->why = PRI_GO;
  while ((long)json_array_size(g->history) < g->steps) {
    const pri_status s = pri_maid_step(g->m, &g->r, &g->why);
    if (s == PRI_ECANCEL) pri_log(g->ctx, PRI_LOG_INFO, "interrupted after step %zu; --resume goes on from there", json_array_size(g->history));
    PRI_TRY(s);
    if (g->why != PRI_GO) return PRI_OK;
    say_step(g);
    save_state(g);
  }
  g->why = PRI_OUT_OF_STEPS;
  return PRI_OK;
}

static json_t *certificate(const learning *g) {
  const json_t *last = json_array_get(g->history, json_array_size(g->history) - 1);
  json_t *c = last ? json_deep_copy(last) : json_object();
  json_object_set_new(c, "verdict", json_string(pri_verdict_name(g->why)));
  return c;
}

static pri_status write_prior(learning *g) {
  char *form = NULL;
  json_t *p = json_deep_copy(g->origin);
  json_object_set_new(p, "certificate", certificate(g));
  json_object_set(p, "history", g->history);
  char *text = json_dumps(p, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(p);
  if (!text) return PRI_FAIL(g->ctx, PRI_ENOMEM, "no memory for the card");
  pri_status s = pri_spec_get(g->ctx, g->prior, "form", NULL, &form);
  if (s == PRI_OK) s = pri_learn_save(g->ctx, g->o->output, g->o->force, g->name, form ? form : "", pri_maid_theta(g->m), pri_lower_ntheta(g->l), text);
  pri_free(g->ctx, form);
  free(text);
  if (s == PRI_OK) unlink(g->state);
  return s;
}

static void say_result(learning *g) {
  const double *t = pri_maid_theta(g->m);
  char text[200] = "";
  for (size_t i = 0, at = 0; i < pri_lower_ntheta(g->l) && at < sizeof text - 40; i++) at += (size_t)snprintf(text + at, sizeof text - at, "%s%.5g", i ? ", " : "", exp(t[i]));
  pri_log(g->ctx, PRI_LOG_INFO, "%s: %s after %zu steps; %s: %s. Use it: --prior %s:file=%s", g->o->output, pri_verdict_name(g->why), json_array_size(g->history), g->name, text, g->name, g->o->output);
}

static pri_status work(learning *g) {
  PRI_TRY(parse(g));
  if (!g->o->output) return PRI_FAIL(g->ctx, PRI_EPARAM, "where shall the prior go? -o NAME.prior");
  if (!g->o->force && !access(g->o->output, F_OK)) return PRI_FAIL(g->ctx, PRI_EWRITE, "%s exists (-f overwrites it)", g->o->output);
  PRI_TRY(name_state(g));
  PRI_TRY(make_problem(g));
  PRI_TRY(make_config(g));
  pri_journal_start(g->log, g->config);
  PRI_TRY(load_state(g));
  PRI_TRY(iterate(g));
  PRI_TRY(write_prior(g));
  say_result(g);
  pri_journal_event(g->log, "done", json_pack("{s:i, s:s}", "status", 0, "verdict", pri_verdict_name(g->why)));
  return PRI_OK;
}

static pri_status run(pri_call *call) {
  learning g = {.call = call, .ctx = call->ctx, .o = call->opts, .history = json_array()};
  pri_status s = pri_journal_create(call, &g.log);
  if (s == PRI_OK) s = work(&g);
  pri_maid_destroy(&g.m);
  pri_lower_destroy(&g.l);
  pri_prior_destroy(&g.R);
  pri_operator_destroy(&g.A);
  pri_array_destroy(&g.y);
  pri_array_destroy(&g.truth);
  pri_free(call->ctx, g.prior);
  pri_free(call->ctx, g.name);
  pri_free(call->ctx, g.config);
  json_decref(g.origin);
  json_decref(g.history);
  if (g.log) {
    const pri_status closed = pri_journal_close(g.log);
    if (s == PRI_OK) s = closed;
    pri_journal_destroy(&g.log);
  }
  return s;
}

static pri_status defaults(pri_call *call) { /* float32 rounding times L / mu is about 1e-4: certificates need double */
  if (pri_options_given(call->opts, "precision") && call->opts->precision == PRI_PRECISION_FLOAT)
    return PRI_FAIL(call->ctx, PRI_EPARAM, "--precision float: learn runs in double");
  call->opts->precision = PRI_PRECISION_DOUBLE;
  return PRI_OK;
}

static const char *const options[] = {"truth", "prior", "operator", "solver", "stop", "output", "force", "precision", "threads", "mem", "resume", "seed", "progress", "log", "log-json", NULL};
static const char *const examples[] = {
    "weight and smoothing of total variation for this noise, from pairs of pages", "learn --prior tv noisy.tif --truth clean.tif -o mine.prior", "and its use",
    "denoise --prior tv:file=mine.prior other.tif -o better.tif", NULL};
const pri_command pri_command_learn = {
    .name = "learn", .brief = "learns the parameters of a prior from pairs of images", .synopsis = "[OPTIONS] MEASUREMENT... --truth FILE -o NAME.prior",
    .options = options, .examples = examples, .min_inputs = 1, .max_inputs = -1, .run = run, .defaults = defaults,
    .more = "Minimises the mean over all pairs of half the squared distance between the true image and what the prior makes of its measurement. "
            "Every step is proved: the loss is known to lie in an interval, and a step is taken only where the whole new interval lies below the old one "
            "(MAID, with predicted accuracy and a quasi-Newton metric). The file holds the parameters, what they were learned from, and the history. "
            "tv is learned in its smoothed form, smooth-tv."};
