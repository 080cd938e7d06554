/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipeline_weight.c - noise level and weights of priors that are not numbers: weight=auto:discrepancy (weight.h), weight=rel:V (V
 * times the smallest weight that makes the image constant). On a stack both are found on up to PRI_SAMPLES slices, one at a time,
 * so that the result does not depend on the memory; the median is kept for all slices.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "noise_level.h"
#include "pipeline.h"
#include "vec.h"
#include "weight.h"

static int by_value(const void *a, const void *b) {
  const double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

/* the lower middle one: always one of the values */
static double median(double *v, ptrdiff_t n) {
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[(n - 1) / 2];
}

/* ---- noise */

static pri_status level_from_file(pri_job *job, const char *name, double *sd) {
  double *v;
  ptrdiff_t n;
  PRI_TRY(pri_input_numbers(job->ctx, name, &v, &n));
  *sd = n > 0 ? median(v, n) : NAN;
  pri_free(job->ctx, v);
  return PRI_OK;
}

static pri_status bad_level(const pri_job *job) {
  return PRI_FAIL(job->ctx, PRI_EPARAM,
                  "--noise-level %s: give sd:V (unit of the data), relative:V (of their norm), file:F, or auto",
                  job->o->noise_level);
}

/* sd of each sampled slice */
static pri_status levels(pri_job *job, const pri_block *b, double sd[PRI_SAMPLES]) {
  const char *text = job->o->noise_level, *colon = strchr(text, ':');
  const ptrdiff_t m = pri_shape_size(&b->y.shape);
  double v = NAN;
  char *end = NULL;
  if (!strcmp(text, "auto")) return pri_noise_level(job->ctx, sd, &b->y, b->w.data ? &b->w : NULL);
  if (!colon) return bad_level(job);
  if (!strncmp(text, "file:", 5))
    PRI_TRY(level_from_file(job, colon + 1, &v));
  else
    v = strtod(colon + 1, &end);
  if ((end && (*end || end == colon + 1)) || !(v >= 0) ||
      (strncmp(text, "sd:", 3) && strncmp(text, "relative:", 9) && strncmp(text, "file:", 5)))
    return bad_level(job);
  for (ptrdiff_t i = 0; i < b->items; i++)
    sd[i] = text[0] == 'r' ? v * sqrt(pri_norm2sq(job->ctx, pri_array_item(&b->y, i), m) / (double)m) : v;
  return PRI_OK;
}

static pri_status find_noise(pri_job *job, const pri_block *b, double sd[PRI_SAMPLES]) {
  double sorted[PRI_SAMPLES];
  PRI_TRY(levels(job, b, sd));
  memcpy(sorted, sd, sizeof sorted);
  job->set.noise = median(sorted, b->items);
  pri_log(job->ctx, PRI_LOG_INFO, "noise: standard deviation %.4g (%s)", job->set.noise, job->o->noise_level);
  return PRI_OK;
}

/* ---- one weight on one slice */

struct wanted { /* priors whose weight is to be found */
  char **held;  /* [n_priors] "auto:discrepancy", "rel:0.1"; NULL: a number */
  int n, automatic;
  json_t *tested;
};

/* Subsets of rows help where each sees the whole image: projections do. */
static const char *quick_solver(const pri_job *job, const pri_problem *p, pri_ctx *ctx) {
  static const char *const names[] = {"os-fista", "fista", "pdhg"};
  for (int i = pri_job_ct(job) ? 0 : 1; i < 2; i++) {
    const pri_kind *kind;
    if (pri_registry_find(ctx, PRI_SOLVERS, names[i], &kind) != PRI_OK) continue;
    const pri_solver_class *c = (const pri_solver_class *)(const void *)kind;
    if (!c->misfit || !c->misfit(p)) return names[i];
  }
  return names[2];
}

static void note_tested(struct wanted *w, const pri_weight_result *r) {
  for (int i = 0; i < r->n; i++)
    json_array_append_new(w->tested, json_pack("[o, o]", pri_json_number(r->tested[i][0]), pri_json_number(r->tested[i][1])));
}

static pri_status discrepancy(pri_job *job, struct wanted *w, pri_solve *s, const double *sd, double *found) {
  pri_prior **scaled;
  pri_weight_result r = {0};
  PRI_ALLOC(job->ctx, scaled, w->n);
  pri_weight_search o = {.problem = &s->problem, .scaled = scaled, .sd = sd, .solver = quick_solver(job, &s->problem, job->ctx)};
  for (int i = 0; i < w->n; i++)
    if (w->held[i] && !strncmp(w->held[i], "auto", 4)) scaled[o.n_scaled++] = s->R[i];
  const pri_status st = pri_weight_discrepancy(job->ctx, &o, &r);
  if (st == PRI_OK) note_tested(w, &r);
  *found = r.chosen;
  pri_free(job->ctx, scaled);
  return st;
}

/* found[i]: weight of prior i on this slice */
static pri_status one_slice(pri_job *job, struct wanted *w, const pri_block *b, const double *sd, double *found) {
  pri_solve s = {0};
  pri_status st = pri_solve_problem(job, job->ctx, &s, b);
  for (int i = 0; i < w->n && st == PRI_OK; i++) {
    if (!w->held[i] || strncmp(w->held[i], "rel:", 4)) continue;
    st = pri_weight_constant(job->ctx, &s.problem, s.R[i], &found[i]);
    found[i] *= strtod(w->held[i] + 4, NULL);
    if (st == PRI_OK) st = pri_prior_scale(s.R[i], found[i]); /* an automatic one beside it is sought with this one in place */
  }
  double common = NAN;
  if (st == PRI_OK && w->automatic) st = discrepancy(job, w, &s, sd, &common);
  for (int i = 0; i < w->n; i++)
    if (w->held[i] && !strncmp(w->held[i], "auto", 4)) found[i] = common;
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
    s = pri_spec_set(job->ctx, job->set.priors[i], pri_kind_weight_key(kind), pri_kind_first_key(kind), pri_shortest(buf, value),
                     &spec);
  pri_free(job->ctx, name);
  PRI_TRY(s);
  pri_free(job->ctx, job->set.priors[i]);
  job->set.priors[i] = spec;
  return PRI_OK;
}

static void say_weight(pri_job *job, const struct wanted *w, int i, double chosen) {
  const char *method = strncmp(w->held[i], "auto:", 5) ? w->held[i] : w->held[i] + 5;
  json_t *tested = strncmp(w->held[i], "auto", 4) ? json_array() : json_incref(w->tested);
  char curve[600] = "";
  for (size_t k = 0, at = 0; k < json_array_size(tested) && at + 40 < sizeof curve; k++) {
    const json_t *pair = json_array_get(tested, k);
    at += (size_t)snprintf(curve + at, sizeof curve - at, " %.4g:%.3g", json_number_value(json_array_get(pair, 0)),
                           json_number_value(json_array_get(pair, 1)));
  }
  pri_log(job->ctx, PRI_LOG_INFO, "weight of %.*s: %.6g (%s)%s%s", (int)strcspn(job->set.priors[i], ":"), job->set.priors[i],
          chosen, w->held[i], *curve ? "; tested, with the risk of each:" : "", curve);
  pri_journal_event(job->log, "weight",
                    json_pack("{s:s, s:s%, s:o, s:o, s:o}", "method", method, "prior", job->set.priors[i],
                              strcspn(job->set.priors[i], ":"), "tested", tested, "chosen", pri_json_number(chosen), "noise",
                              pri_json_number(job->set.noise)));
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
  w->tested = json_array();
  PRI_ALLOC(job->ctx, w->held, w->n + 1);
  for (int i = 0; i < w->n; i++) {
    char *plain = NULL;
    PRI_TRY(pri_config_weight(job->ctx, job->o->priors.v[i], &w->held[i], &plain));
    pri_free(job->ctx, plain);
    w->automatic |= w->held[i] && !strncmp(w->held[i], "auto", 4);
  }
  return PRI_OK;
}

/* Is the noise level, or anything else of the data, asked for? */
static int looks_at_data(const pri_job *job, const struct wanted *w) {
  for (int i = 0; i < w->n; i++)
    if (w->held[i]) return 1;
  return strcmp(job->o->noise_level, "auto") || pri_job_asks(job, "discrepancy", NULL) || !strncmp(job->o->fidelity, "ball", 4);
}

static pri_status with_samples(pri_job *job, struct wanted *w) {
  pri_block b = {0};
  ptrdiff_t slice[PRI_SAMPLES];
  double sd[PRI_SAMPLES] = {0};
  if (!looks_at_data(job, w)) return PRI_OK;
  pri_status s = pri_job_samples(job, &b, slice);
  if (s == PRI_OK) s = find_noise(job, &b, sd);
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
  json_decref(w.tested);
  return s;
}
