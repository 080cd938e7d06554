/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipeline_noise.c - the noise level of a job: given, or estimated on sampled slices, and said.
 *
 * Sinograms are smooth along a row: src/noise_level.c. Everything else whose last two axes are a picture:
 * src/noise_image.c, which also finds noise that grows with the signal; where a weight array is more than a mask, and for
 * small pictures, rows again. kl: the search of weights wants the gain, variance = gain mean. A level that is given is
 * taken as that of the mean; estimated, the gain of the fit, or 1 (counts) where none was found.
 */
#include "json.h"
#include "noise_image.h"
#include "noise_level.h"
#include "pipeline.h"
#include "vec.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct how { /* the estimate, as it is said */
  const char *name;
  pri_noise_image of[PRI_SAMPLES]; /* of pictures */
  int pictures;
};

static int by_value(const void *a, const void *b) {
  const double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static double median(const double *v, ptrdiff_t n) { /* the lower middle one; v stays */
  double sorted[PRI_SAMPLES];
  memcpy(sorted, v, (size_t)n * sizeof *v);
  qsort(sorted, (size_t)n, sizeof *sorted, by_value);
  return sorted[(n - 1) / 2];
}

static pri_status level_from_file(pri_job *job, const char *name, double *sd) {
  double *v;
  ptrdiff_t n;
  PRI_TRY(pri_input_numbers(job->ctx, name, &v, &n));
  if (n > 0) qsort(v, (size_t)n, sizeof *v, by_value);
  *sd = n > 0 ? v[(n - 1) / 2] : NAN;
  pri_free(job->ctx, v);
  return PRI_OK;
}

static pri_status bad_level(const pri_job *job) {
  return PRI_FAIL(
      job->ctx, PRI_EPARAM,
      "--noise-level %s: give sd:V (unit of the data), relative:V (of their norm), file:F, auto, or poisson (growing "
      "with the signal)",
      job->o->noise_level);
}

/* ---- estimates */

static int is_mask(const pri_array *w) { /* weights of one value, or 0 */
  const ptrdiff_t n = w->items * pri_shape_size(&w->shape);
  double one = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double v = (double)w->data[i];
    if (one == 0) one = v;
    if (v != 0 && v != one) return 0;
  }
  return 1;
}

static int are_pictures(const pri_job *job, const pri_array *y, const pri_array *w) {
  const pri_shape *s = &y->shape;
  const pri_geometry *g = job->set.A ? pri_operator_geometry(job->set.A) : NULL;
  return !g && s->nd > 1 && s->n[s->nd - 1] >= 32 && s->n[s->nd - 2] >= 32 && (!w || is_mask(w));
}

static pri_status look(pri_job *job, const pri_block *b, const pri_array *w, struct how *how, double sd[PRI_SAMPLES]) {
  const int growing = !strcmp(job->o->noise_level, "poisson");
  how->pictures = are_pictures(job, &b->y, w);
  how->name = how->pictures ? "patches of weak texture" : "details along rows";
  if (!how->pictures && growing)
    return PRI_FAIL(job->ctx, PRI_ENOTSUP,
                    "--noise-level poisson: the data are no pictures of 32 x 32 pixels or more; give sd:V");
  if (!how->pictures) return pri_noise_level(job->ctx, sd, &b->y, w);
  PRI_TRY(pri_noise_image_find(job->ctx, how->of, &b->y, w));
  for (ptrdiff_t i = 0; i < b->items; i++) {
    sd[i] = how->of[i].sd;
    if (growing && !(how->of[i].gain > 0))
      return PRI_FAIL(job->ctx, PRI_EDATA,
                      "--noise-level poisson: %s %td shows no noise that grows with its signal; use auto", pri_job_word(job, 0), b->slice[i]);
  }
  return PRI_OK;
}

/* What the operator does not see (mask) is no datum: the holes of a picture are not its noise. */
static pri_status estimate(pri_job *job, const pri_block *b, struct how *how, double sd[PRI_SAMPLES]) {
  const pri_array *known = &job->set.known;
  const ptrdiff_t n = pri_shape_size(&b->y.shape);
  pri_array w = {0};
  if (!known->data || !pri_shape_equal(&known->shape, &b->y.shape)) return look(job, b, b->w.data ? &b->w : NULL, how, sd);
  PRI_TRY(pri_array_create(job->ctx, &w, &b->y.shape, b->items));
  for (ptrdiff_t i = 0; i < n * b->items; i++) w.data[i] = known->data[i % n] != 0 ? b->w.data ? b->w.data[i] : 1 : 0;
  const pri_status s = look(job, b, &w, how, sd);
  pri_array_destroy(&w);
  return s;
}

static pri_status given(pri_job *job, const pri_block *b, double sd[PRI_SAMPLES]) {
  const char *text = job->o->noise_level, *colon = strchr(text, ':');
  const ptrdiff_t m = pri_shape_size(&b->y.shape);
  double v = NAN;
  char *end = NULL;
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

/* ---- */

static void say(pri_job *job, const pri_block *b, const struct how *how) {
  char slices[80] = "", more[160] = "", single[16], plural[16];
  snprintf(single, sizeof single, "%s ", pri_job_word(job, 0));
  snprintf(plural, sizeof plural, "%s ", pri_job_word(job, 1));
  const pri_noise_image *first = &how->of[0];
  if (!how->name) {
    pri_log(job->ctx, PRI_LOG_INFO, "noise level: sd %.4g (%s)", job->set.noise, job->o->noise_level);
    return;
  }
  for (ptrdiff_t i = 0, at = 0; i < b->items && job->info->items > 1; i++)
    at += snprintf(slices + at, sizeof slices - (size_t)at, "%s%s%td", i ? ", " : "; ", i ? "" : b->items > 1 ? plural : single, b->slice[i]);
  for (ptrdiff_t i = 0; how->pictures && i < b->items; i++)
    if (how->of[i].sd == job->set.noise) first = &how->of[i];
  const char *name = how->pictures && first->sd == first->mad ? "differences of neighbours; no patch is whole" : how->name;
  if (how->pictures && first->gain > 0)
    snprintf(more, sizeof more, "; it grows with the signal: variance %.4g mean %s %.4g, %d levels", first->gain,
             first->b < 0 ? "-" : "+", fabs(first->b), first->levels);
  else if (how->pictures && first->sd != first->mad)
    snprintf(more, sizeof more, "; wavelet MAD %.4g", first->mad);
  pri_log(job->ctx, PRI_LOG_INFO, "noise level: sd %.4g (%s%s%s)", job->set.noise, name, slices, more);
}

static void gains(pri_job *job, const pri_block *b, const struct how *how, double sd[PRI_SAMPLES]) {
  const ptrdiff_t m = pri_shape_size(&b->y.shape);
  for (ptrdiff_t i = 0; i < b->items; i++) {
    const double mean = pri_vsum(job->ctx, pri_array_item(&b->y, i), m) / (double)m;
    if (!how->name)
      sd[i] = mean > 0 ? sd[i] / sqrt(mean) : 1;
    else
      sd[i] = how->pictures && how->of[i].gain > 0 ? sqrt(how->of[i].gain) : 1;
  }
}

pri_status pri_job_noise(pri_job *job, const pri_block *b, double sd[PRI_SAMPLES]) {
  const char *text = job->o->noise_level;
  struct how how = {0};
  const int automatic = !strcmp(text, "auto") || !strcmp(text, "poisson");
  PRI_TRY(automatic ? estimate(job, b, &how, sd) : given(job, b, sd));
  job->set.noise = median(sd, b->items);
  say(job, b, &how);
  if (!strncmp(job->o->fidelity, "kl", 2)) gains(job, b, &how, sd);
  return PRI_OK;
}
