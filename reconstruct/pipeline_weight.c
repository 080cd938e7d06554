/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipeline_weight.c - weights of priors that are not numbers: weight=auto:METHOD (weight.h),
 * weight=rel:V (V times the smallest weight that makes the image constant), weight=spread:V (V times the spread of the data). On a stack they are found on up to PRI_SAMPLES
 * slices, one at a time, so that the result does not depend on the memory; the median is kept for all slices.
 */
#include "json.h"
#include "pipeline.h"
#include "vec.h"
#include "weight.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
  const double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

/* the lower middle one: always one of the values */
static double median(double *v, ptrdiff_t n) {
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[(n - 1) / 2];
}

/* ---- one weight on one slice */

struct wanted { /* priors whose weight is to be found */
  char **held;  /* [n_priors] "auto:discrepancy", "rel:0.1"; NULL: a number */
  int n, automatic;
  pri_weight_method method;          /* of the automatic ones */
  pri_weight_result of[PRI_SAMPLES]; /* of each slice */
  ptrdiff_t now, slices;
};

static int is_automatic(const struct wanted *w, int i) { return w->held[i] && !strncmp(w->held[i], "auto", 4); }

struct watched {
  pri_job *job;
  const struct wanted *w;
};

static void progress(void *arg, int tests) {
  const struct watched *o = arg;
  char what[80];
  snprintf(what, sizeof what, "weight by %s, %d tested", pri_weight_name(o->w->method), tests);
  const pri_progress p = {
      .what = what, .word = pri_job_word(o->job, 0), .item = o->w->now, .items = o->w->slices, .objective = NAN, .relative_gap = NAN, .share = NAN};
  pri_journal_progress(o->job->log, &p);
}

static pri_status automatic(pri_job *job, struct wanted *w, pri_solve *s, const double *sd, double *found) {
  pri_prior **scaled;
  pri_weight_result *r = &w->of[w->now];
  PRI_ALLOC(job->ctx, scaled, w->n);
  pri_weight_search o = {.problem = &s->problem,
                         .scaled = scaled,
                         .sd = sd,
                         .method = w->method,
                         .progress = progress,
                         .arg = &(struct watched){job, w}};
  for (int i = 0; i < w->n; i++)
    if (is_automatic(w, i)) scaled[o.n_scaled++] = s->R[i];
  const pri_status st = pri_weight_find(job->ctx, &o, r);
  *found = r->chosen;
  pri_free(job->ctx, scaled);
  return st;
}

/* found[i]: weight of prior i on this slice */
static pri_status one_slice(pri_job *job, struct wanted *w, const pri_block *b, const double *sd, double *found) {
  pri_solve s = {0};
  pri_status st = pri_solve_problem(job, job->ctx, &s, b);
  for (int i = 0; i < w->n && st == PRI_OK; i++) {
    if (!w->held[i] || is_automatic(w, i)) continue;
    const int rel = !strncmp(w->held[i], "rel:", 4);
    st = (rel ? pri_weight_constant : pri_weight_spread)(job->ctx, &s.problem, s.R[i], &found[i]);
    found[i] *= strtod(strchr(w->held[i], ':') + 1, NULL);
    if (st == PRI_OK) st = pri_prior_scale(s.R[i], found[i]); /* an automatic one beside it is sought with this one in place */
  }
  double common = NAN;
  if (st == PRI_OK && w->automatic) st = automatic(job, w, &s, sd, &common);
  for (int i = 0; i < w->n; i++)
    if (is_automatic(w, i)) found[i] = common;
  pri_solve_destroy(job->ctx, &s);
  return st;
}

/* ---- all of them */

static pri_status set_weight(pri_job *job, int i, double value) {
  const pri_kind *kind;
  char buf[32], *name, *spec = NULL;
  PRI_TRY(pri_spec_name(job->ctx, job->set.priors[i], &name));
  pri_status s = pri_registry_find(job->ctx, PRI_PRIORS, name, &kind);
  if (s == PRI_OK)
    s = pri_spec_set(job->ctx, job->set.priors[i], pri_kind_weight_key(kind), pri_kind_first_key(kind),
                     pri_shortest(buf, value), &spec);
  pri_free(job->ctx, name);
  PRI_TRY(s);
  pri_free(job->ctx, job->set.priors[i]);
  job->set.priors[i] = spec;
  return PRI_OK;
}

/* of the slice whose weight was chosen */
static const pri_weight_result *shown(const struct wanted *w, double chosen) {
  for (ptrdiff_t k = 0; k < w->slices; k++)
    if (w->of[k].chosen == chosen) return &w->of[k];
  return &w->of[0];
}

static json_t *curve_of(const pri_weight_result *r) {
  json_t *tested = json_array();
  for (int i = 0; r && i < r->n; i++)
    json_array_append_new(tested, json_pack("[o, o]", pri_json_number(r->tested[i][0]), pri_json_number(r->tested[i][1])));
  return tested;
}

static void say_doubts(pri_job *job, const struct wanted *w, const pri_weight_result *r) {
  const char *method = pri_weight_name(w->method);
  if (r->excess > 1.05 && w->method != PRI_WEIGHT_GCV)
    pri_log(job->ctx, PRI_LOG_INFO,
            "weight=auto:%s: the best fits leave %.3g times the noise level: the model or the level is off by that%s", method,
            r->excess, r->excess > 2 && pri_job_ct(job) && !isfinite(job->set.center) ? " (is the axis where center= says? center=auto finds it)" : "");
  if (!r->plain && w->method == PRI_WEIGHT_LCURVE)
    pri_log(job->ctx, PRI_LOG_WARN,
            "weight=auto:lcurve: the curve has no corner; of the weights tested that of the least prediction error is taken; "
            "auto:gcv or auto:discrepancy serve better");
  else if (!r->plain)
    pri_log(job->ctx, PRI_LOG_WARN,
            "weight=auto:%s: the %s is still falling at the end of the weights tested; look at the result, or give a weight",
            method, pri_weight_figure(w->method));
}

static void say_weight(pri_job *job, const struct wanted *w, int i, double chosen) {
  const int found = is_automatic(w, i), n = (int)strcspn(job->set.priors[i], ":");
  const char *method = found ? pri_weight_name(w->method) : w->held[i], *prior = job->set.priors[i];
  const pri_weight_result *r = found ? shown(w, chosen) : NULL;
  char curve[900] = "";
  for (int k = 0, at = 0; r && k < r->n && at + 40 < (int)sizeof curve; k++)
    at += snprintf(curve + at, sizeof curve - (size_t)at, " %.4g:%.4g", r->tested[k][0], r->tested[k][1]);
  pri_log(job->ctx, PRI_LOG_INFO, "weight of %.*s: %.6g (%s)%s%s%s%s", n, prior, chosen, w->held[i],
          r ? "; tested, with the " : "", r ? pri_weight_figure(w->method) : "", r ? " of each:" : "", curve);
  if (r) say_doubts(job, w, r);
  json_t *o = json_pack("{s:s, s:s%, s:o, s:o, s:o}", "method", method, "prior", prior, (size_t)n, "tested", curve_of(r),
                        "chosen", pri_json_number(chosen), "noise", pri_json_number(job->set.noise));
  if (o && r) json_object_set_new(o, "figure", json_string(pri_weight_figure(w->method)));
  if (!job->weight_curves) job->weight_curves = json_array();
  if (o && r) json_array_append(job->weight_curves, o);
  pri_journal_event(job->log, "weight", o);
}

static pri_status choose(pri_job *job, struct wanted *w, const pri_block *b, const double *sd) {
  double *found;
  pri_status s = PRI_OK;
  PRI_ALLOC(job->ctx, found, w->n * b->items);
  for (ptrdiff_t k = 0; k < b->items && s == PRI_OK; k++) {
    pri_block one = *b;
    one.items = 1;
    one.slice = b->slice + k;
    one.y = pri_array_items(&b->y, k, 1);
    if (b->w.data) one.w = pri_array_items(&b->w, k, 1);
    w->now = k, w->slices = b->items;
    s = one_slice(job, w, &one, sd + k, found + k * w->n);
  }
  for (int i = 0; i < w->n && s == PRI_OK; i++) {
    double v[PRI_SAMPLES];
    if (!w->held[i]) continue;
    for (ptrdiff_t k = 0; k < b->items; k++) v[k] = found[k * w->n + i];
    const double chosen = median(v, b->items);
    s = set_weight(job, i, chosen);
    if (s == PRI_OK) say_weight(job, w, i, chosen);
  }
  pri_free(job->ctx, found);
  return s;
}

/* {prior: value} of what the priors stand at now */
static pri_status take_notes(pri_job *job) {
  job->weight_notes = json_object();
  for (int i = 0; i < job->set.n_priors; i++) {
    const pri_kind *kind;
    char *name, *value = NULL, key[80];
    PRI_TRY(pri_spec_name(job->ctx, job->set.priors[i], &name));
    pri_status s = pri_registry_find(job->ctx, PRI_PRIORS, name, &kind);
    if (s == PRI_OK && pri_kind_weight_key(kind))
      s = pri_spec_get(job->ctx, job->set.priors[i], pri_kind_weight_key(kind), pri_kind_first_key(kind), &value);
    snprintf(key, sizeof key, "%s", name);
    for (int k = 2; json_object_get(job->weight_notes, key); k++) snprintf(key, sizeof key, "%s %d", name, k);
    if (s == PRI_OK && value) s = pri_json_set(job->ctx, job->weight_notes, key, pri_json_number(strtod(value, NULL)));
    pri_free(job->ctx, name);
    pri_free(job->ctx, value);
    PRI_TRY(s);
  }
  return PRI_OK;
}

static pri_status find_wanted(pri_job *job, struct wanted *w) {
  w->n = job->set.n_priors;
  PRI_ALLOC(job->ctx, w->held, w->n + 1);
  for (int i = 0; i < w->n; i++) {
    char *plain = NULL;
    PRI_TRY(pri_config_weight(job->ctx, job->o->priors.v[i], &w->held[i], &plain));
    pri_free(job->ctx, plain);
    if (!is_automatic(w, i)) continue;
    pri_weight_method m;
    (void)pri_weight_method_of(w->held[i], &m); /* config.c has checked it */
    if (w->automatic && m != w->method)
      return PRI_FAIL(job->ctx, PRI_EPARAM,
                      "weight=auto:%s and weight=auto:%s: priors with automatic weights share one factor; ask for one method",
                      pri_weight_name(w->method), pri_weight_name(m));
    w->automatic = 1, w->method = m;
  }
  return PRI_OK;
}

/* Is the noise level of use to anything, or asked for? */
static int wants_noise(const pri_job *job, const struct wanted *w) {
  return w->automatic || strcmp(job->o->noise_level, "auto") || pri_job_asks(job, "discrepancy", NULL) || !strncmp(job->o->fidelity, "ball", 4);
}

static int looks_at_data(const pri_job *job, const struct wanted *w) {
  for (int i = 0; i < w->n; i++)
    if (w->held[i]) return 1;
  return wants_noise(job, w);
}

static pri_status with_samples(pri_job *job, struct wanted *w) {
  pri_block b = {0};
  ptrdiff_t slice[PRI_SAMPLES];
  double sd[PRI_SAMPLES] = {0};
  if (!looks_at_data(job, w)) return PRI_OK;
  pri_status s = pri_job_samples(job, &b, slice);
  if (s == PRI_OK && wants_noise(job, w)) s = pri_job_noise(job, &b, sd);
  if (s == PRI_OK) s = choose(job, w, &b, sd);
  pri_block_destroy(&b);
  return s;
}

pri_status pri_job_weights(pri_job *job) {
  struct wanted w = {0};
  if (job->simulate || !job->set.A || !strcmp(job->o->solver, "none")) return PRI_OK;
  pri_status s = find_wanted(job, &w);
  if (s == PRI_OK) s = with_samples(job, &w);
  if (s == PRI_OK) s = take_notes(job);
  for (int i = 0; w.held && i < w.n; i++) pri_free(job->ctx, w.held[i]);
  pri_free(job->ctx, w.held);
  return s;
}
