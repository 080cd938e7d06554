/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline_setup.c - shapes of a job: slices, filters, operator chain, region; the adjoint test. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "pipeline.h"
#include "vec.h"

/* ---- slices */

/* "a:b:c", "a:b", "a:", ":b", "a": half-open, 0-based; -1: not given */
static pri_status slice_text(pri_ctx *ctx, const char *text, long v[3], int *parts) {
  const char *s = text;
  for (*parts = 0; *parts < 3; s++) {
    char *end;
    v[*parts] = *s == ':' || *s == 0 ? -1 : strtol(s, &end, 10);
    if (v[*parts] != -1) {
      if (end == s || v[*parts] < 0) break;
      s = end;
    }
    ++*parts;
    if (*s == 0) return PRI_OK;
    if (*s != ':') break;
  }
  return PRI_FAIL(ctx, PRI_EPARAM, "--slices %s: give first:end:step, 0-based, end excluded", text);
}

pri_status pri_job_slices(pri_job *job) {
  const ptrdiff_t all = job->info->items;
  long v[3] = {-1, -1, -1};
  int parts = 0;
  if (job->o->slices) PRI_TRY(slice_text(job->ctx, job->o->slices, v, &parts));
  const ptrdiff_t first = v[0] < 0 ? 0 : v[0], step = v[2] < 0 ? 1 : v[2];
  const ptrdiff_t end = first >= all ? all : parts == 1 && v[0] >= 0 ? first + 1 : v[1] < 0 || v[1] > all ? all : v[1];
  if (step < 1 || first >= end)
    return PRI_FAIL(job->ctx, PRI_EPARAM, "--slices %s takes none of the %td slices (0 to %td) of %s",
                    job->o->slices ? job->o->slices : "", all, all - 1, job->input_name);
  job->items = (end - first - 1) / step + 1; /* no sum with step: it may be LONG_MAX */
  pri_free(job->ctx, job->slice);
  pri_free(job->ctx, job->done);
  job->slice = NULL, job->done = NULL;
  PRI_ALLOC(job->ctx, job->slice, job->items);
  PRI_ALLOC(job->ctx, job->done, job->items);
  for (ptrdiff_t i = 0; i < job->items; i++) job->slice[i] = first + i * step;
  return PRI_OK;
}

/* ---- filters */

static int is_plugin(const char *spec, const char *name) {
  const size_t n = strlen(name);
  return !strncmp(spec, name, n) && (spec[n] == 0 || spec[n] == ':');
}

/* A flat field takes what stands beside the counts in the file, unless its keys name something. */
static pri_status with_fields(pri_job *job, const char *spec, char **out) {
  static const char *const keys[] = {"flat", "dark"};
  const char *const names[] = {job->info->flat, job->info->dark};
  char *now = pri_strdup(job->ctx, spec);
  pri_status s = now ? PRI_OK : pri_ctx_code(job->ctx);
  for (int i = 0; i < 2 && s == PRI_OK && is_plugin(spec, "flatfield"); i++) {
    char *given = NULL, *more = NULL;
    s = pri_spec_get(job->ctx, now, keys[i], "flat", &given);
    if (s == PRI_OK && !given && names[i]) {
      s = pri_spec_set(job->ctx, now, keys[i], "flat", names[i], &more);
      pri_free(job->ctx, now);
      now = more;
    }
    pri_free(job->ctx, given);
  }
  *out = now;
  return s;
}

static pri_status add_filter(pri_job *job, pri_filter ***list, int *n, const char *spec, pri_shape *shape) {
  char *full = NULL;
  pri_filter *f = NULL;
  pri_status s = with_fields(job, spec, &full);
  if (s == PRI_OK) s = pri_filter_create(job->ctx, &f, full, &job->set.meta, shape);
  pri_free(job->ctx, full);
  PRI_TRY(s);
  *shape = *pri_filter_range(f);
  (*list)[(*n)++] = f;
  return PRI_OK;
}

static pri_status add_prepare(pri_job *job) {
  static char flat[] = "flatfield", minus_log[] = "log";
  static char *automatic[] = {flat, minus_log};
  const pri_texts *asked = &job->o->prepare;
  pri_texts t = *asked;
  if (t.n == 1 && !strcmp(t.v[0], "auto")) t = (pri_texts){automatic, job->info->counts ? 2 : 0};
  if (t.n == 1 && !strcmp(t.v[0], "none")) t.n = 0;
  PRI_ALLOC(job->ctx, job->set.prepare, t.n + 1);
  job->set.data = job->set.measured;
  for (int i = 0; i < t.n; i++) {
    job->counts |= is_plugin(t.v[i], "flatfield") || is_plugin(t.v[i], "log");
    PRI_TRY(add_filter(job, &job->set.prepare, &job->set.n_prepare, t.v[i], &job->set.data));
  }
  job->counts |= job->info->counts;
  return PRI_OK;
}

/* A filter that looks at the data wants them to be pixels of the image. */
static pri_status check_restore(pri_job *job, const pri_filter *f) {
  const unsigned flat = PRI_OP_DIAGONAL | PRI_OP_PROJECTION;
  const pri_setup *s = &job->set;
  const pri_filter_class *c = pri_filter_class_of(f, NULL);
  if (!c->restore) return PRI_OK;
  if (s->A && (pri_operator_flags(s->A) & flat) == flat && pri_shape_equal(&s->image, &s->data) && pri_shape_equal(&s->result, &s->data)) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_EPARAM, "--then %s: the data are no pixels of the image; it goes with a mask or the identity, before filters that change the size",
                  c->kind.name);
}

static pri_status add_then(pri_job *job) {
  const pri_texts *t = &job->o->then;
  const int n = t->n == 1 && !strcmp(t->v[0], "none") ? 0 : t->n;
  PRI_ALLOC(job->ctx, job->set.then, n + 1);
  job->set.result = pri_box_shape(&job->set.frame, job->set.image.nd);
  for (int i = 0; i < n; i++) {
    PRI_TRY(add_filter(job, &job->set.then, &job->set.n_then, t->v[i], &job->set.result));
    PRI_TRY(check_restore(job, job->set.then[i]));
  }
  return PRI_OK;
}

/* ---- operators */

int pri_operators_auto_center(pri_ctx *ctx, const pri_texts *specs) {
  int yes = 0;
  for (int i = 0; i < specs->n; i++) {
    char *v = NULL;
    if (pri_spec_get(ctx, specs->v[i], "center", NULL, &v) != PRI_OK) continue;
    yes |= v && !strcmp(v, "auto");
    pri_free(ctx, v);
  }
  return yes;
}

/* The spec with the found centre in place of center=auto; without one found the key is taken as not given. */
static pri_status centered(pri_ctx *ctx, const char *spec, double center, char **out) {
  char *v = NULL, buf[32];
  PRI_TRY(pri_spec_get(ctx, spec, "center", NULL, &v));
  const int replace = v && !strcmp(v, "auto") && isfinite(center);
  pri_free(ctx, v);
  if (replace) return pri_spec_set(ctx, spec, "center", NULL, pri_shortest(buf, center), out);
  *out = pri_strdup(ctx, spec);
  return *out ? PRI_OK : pri_ctx_code(ctx);
}

/* A file that names the distances of source and detector is of a fan beam, unless the keys say otherwise. */
static pri_status with_beam(pri_ctx *ctx, char **spec, const pri_meta *meta) {
  char *given = NULL, *out = NULL;
  if (!is_plugin(*spec, "ct") || !isfinite(meta->sod) || !isfinite(meta->sdd)) return PRI_OK;
  PRI_TRY(pri_spec_get(ctx, *spec, "geometry", "geometry", &given));
  pri_status s = PRI_OK;
  if (!given) s = pri_spec_set(ctx, *spec, "geometry", "geometry", "fan", &out);
  pri_free(ctx, given);
  if (!out) return s;
  pri_free(ctx, *spec);
  *spec = out;
  return PRI_OK;
}

static pri_status one_operator(pri_ctx *ctx, pri_operator **A, const char *spec, double center, const pri_meta *meta,
                               const pri_shape *dom, const pri_shape *ran) {
  char *full;
  PRI_TRY(centered(ctx, spec, center, &full));
  pri_status s = with_beam(ctx, &full, meta);
  if (s == PRI_OK) s = pri_operator_create(ctx, A, full, meta, dom, ran);
  pri_free(ctx, full);
  return s;
}

pri_status pri_operators_create(pri_ctx *ctx, pri_operator **out, const pri_texts *specs, double center, const pri_meta *meta,
                                const pri_shape *dom, const pri_shape *ran) {
  const pri_shape none = {0};
  pri_operator **A;
  pri_status s = PRI_OK;
  pri_shape at = ran->nd ? *ran : *dom;
  const int n = specs->n, backward = ran->nd > 0;
  *out = NULL;
  PRI_ALLOC(ctx, A, n);
  for (int k = 0; k < n && s == PRI_OK; k++) {
    const int i = backward ? n - 1 - k : k;
    const pri_shape *d = backward ? (i == 0 ? dom : &none) : &at, *r = backward ? &at : &none;
    s = one_operator(ctx, &A[i], specs->v[i], center, meta, d, r);
    if (s == PRI_OK) at = *(backward ? pri_operator_domain(A[i]) : pri_operator_range(A[i]));
  }
  if (s == PRI_OK && n == 1)
    *out = pri_operator_ref(A[0]);
  else if (s == PRI_OK)
    s = pri_operator_chain(ctx, out, A, n);
  for (int i = 0; i < n; i++) pri_operator_destroy(&A[i]);
  pri_free(ctx, A);
  return s;
}

const pri_geometry *pri_job_ct(const pri_job *job) {
  const void *priv;
  if (!job->set.A) return NULL;
  const pri_operator_class *c = pri_operator_class_of(job->set.A, &priv);
  return c && c->geometry ? c->geometry(priv) : NULL;
}

static void take_pixel(pri_job *job) {
  const pri_geometry *g = pri_job_ct(job);
  if (!g) return;
  job->set.meta.pixel[0] = job->set.meta.pixel[1] = g->pixel;
  job->set.meta.pixel[2] = g->slice;
}

/* ---- region of the result */

static pri_status parse_roi(pri_job *job) {
  long *r = job->set.roi;
  char tail;
  const pri_shape *s = &job->set.result;
  if (!job->o->roi) return PRI_OK;
  if (sscanf(job->o->roi, "%ld,%ld,%ld,%ld%c", &r[0], &r[1], &r[2], &r[3], &tail) != 4 || r[0] < 0 || r[1] < 0 || r[2] < 1 ||
      r[3] < 1)
    return PRI_FAIL(job->ctx, PRI_EPARAM, "--roi %s: give x,y,w,h in pixels", job->o->roi);
  if (s->nd != 2 || r[0] + r[2] > s->n[1] || r[1] + r[3] > s->n[0])
    return PRI_FAIL(job->ctx, PRI_EPARAM, "--roi %s reaches beyond the image of %td x %td pixels (x, y)", job->o->roi, s->n[1],
                    s->n[0]);
  return PRI_OK;
}

/* A grid that has N times the elements along an axis, over the same field, has an N-th of the pitch (downsample). */
static void finer_pixel(pri_job *job) {
  const pri_setup *s = &job->set;
  if (pri_job_ct(job) || s->data.nd != s->image.nd) return;
  for (int a = 0; a < s->data.nd && a < 3; a++) {
    const int axis = s->data.nd - 1 - a; /* x is the last axis, and the first pitch */
    if (s->frame.n[axis] != s->data.n[axis]) job->set.meta.pixel[a] *= (double)s->data.n[axis] / (double)s->frame.n[axis];
  }
}

/* Which data the last operator sees, where it is a mask: those whose row of it is not zero. */
static pri_status find_known(pri_job *job) {
  pri_setup *s = &job->set;
  const pri_shape none = {0};
  const unsigned mask = PRI_OP_DIAGONAL | PRI_OP_PROJECTION;
  pri_operator *last = NULL;
  pri_array ones = {0};
  if (!is_plugin(job->o->operators.v[job->o->operators.n - 1], "mask")) return PRI_OK;
  pri_status st = one_operator(job->ctx, &last, job->o->operators.v[job->o->operators.n - 1], NAN, &s->meta, &none, &s->data);
  if (st == PRI_OK && (pri_operator_flags(last) & mask) == mask) {
    st = pri_array_create(job->ctx, &ones, &s->data, 1);
    if (st == PRI_OK) st = pri_array_create(job->ctx, &s->known, &s->data, 1);
    if (st == PRI_OK) pri_fill(job->ctx, ones.data, 1, pri_shape_size(&s->data));
    if (st == PRI_OK) st = pri_operator_apply(last, &s->known, &ones);
    if (st == PRI_OK)
      pri_log(job->ctx, PRI_LOG_INFO, "mask: %.3g %% of the pixels are known",
              100 * pri_norm2sq(job->ctx, s->known.data, pri_shape_size(&s->data)) / (double)pri_shape_size(&s->data));
  }
  pri_array_destroy(&ones);
  pri_operator_destroy(&last);
  return st;
}

/* The unknown has the shape that the operators take to the data. */
static pri_status backward(pri_job *job) {
  const pri_shape none = {0};
  pri_setup *s = &job->set;
  s->image = s->data;
  s->frame = pri_box_whole(&s->image);
  if (!strcmp(job->o->solver, "none")) return PRI_OK;
  PRI_TRY(pri_operators_create(job->ctx, &s->A, &job->o->operators, s->center, &s->meta, &none, &s->data));
  PRI_TRY(pri_map_of(job->ctx, &s->map, s->A));
  s->image = *pri_operator_domain(s->A);
  pri_operator_frame(s->A, &s->frame);
  take_pixel(job);
  finer_pixel(job);
  return find_known(job);
}

static pri_status forward(pri_job *job) {
  const pri_shape none = {0};
  pri_setup *s = &job->set;
  s->meta = job->info->meta;
  s->measured = s->data = s->image = job->info->item;
  PRI_TRY(pri_operators_create(job->ctx, &s->A, &job->o->operators, NAN, &s->meta, &s->image, &none));
  s->result = *pri_operator_range(s->A);
  s->meta.pixel[0] = s->meta.pixel[1] = s->meta.pixel[2] = NAN; /* of the image; the result is a measurement */
  return job->o->noise ? pri_noise_create(job->ctx, &job->noise, job->o->noise) : PRI_OK;
}

pri_status pri_job_geometry(pri_job *job) {
  pri_setup *s = &job->set;
  if (job->simulate) return forward(job);
  s->meta = job->info->meta;
  s->measured = job->info->item;
  PRI_TRY(add_prepare(job));
  PRI_TRY(backward(job));
  PRI_TRY(add_then(job));
  return parse_roi(job);
}

void pri_job_geometry_fini(pri_job *job) {
  pri_setup *s = &job->set;
  for (int i = 0; i < s->n_then; i++) pri_filter_destroy(&s->then[i]);
  for (int i = 0; i < s->n_prepare; i++) pri_filter_destroy(&s->prepare[i]);
  pri_free(job->ctx, s->then);
  pri_free(job->ctx, s->prepare);
  s->then = s->prepare = NULL;
  s->n_then = s->n_prepare = 0;
  pri_map_destroy(&s->map);
  pri_operator_destroy(&s->A);
  pri_array_destroy(&s->known);
}

/* ---- adjoint test */

pri_status pri_job_adjoint(pri_job *job) {
  const double tolerance = sizeof(pri_real) == 4 ? 2e-5 : 1e-10; /* 20 times what conformance asks: large problems round more */
  double worst = NAN;
  if (!job->set.A || !strcmp(job->o->solver, "none")) return PRI_OK;
  PRI_TRY(pri_operator_mismatch(job->set.A, pri_ctx_seed(job->ctx), 4, &worst));
  job->set.mismatch = worst;
  pri_journal_event(job->log, "adjoint", json_pack("{s:o, s:i}", "mismatch", pri_json_number(worst), "probes", 4));
  pri_log(job->ctx, PRI_LOG_DEBUG, "adjoint test: mismatch %.2g", worst);
  if (worst <= tolerance) return PRI_OK;
  return PRI_FAIL(job->ctx, PRI_ENUMERIC,
                  "the adjoint of the operator is wrong: |<Ax,u> - <x,A'u>| / (|Ax| |u|) = %.2g, above %.0e; "
                  "no iteration can be trusted with it",
                  worst, tolerance);
}
