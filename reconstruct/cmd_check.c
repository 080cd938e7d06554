/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_check.c - certifies a set-up before it is run: adjoint test, norm, shapes, memory, geometry; how long the operator takes. */
#define _GNU_SOURCE
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "center.h"
#include "check.h"
#include "json.h"
#include "pipeline.h"
#include "priori/rng.h"

enum { PROBES = 6 };

struct set_up {
  pri_ctx *ctx;
  const pri_options *o;
  pri_input *in;
  pri_operator *A;
  ptrdiff_t slices;
  double mismatch, norm;
  json_t *findings, *time, *center;
};

/* ---- geometry */

static void finding(struct set_up *s, const char *fmt, ...) PRI_PRINTF(2, 3);
static void finding(struct set_up *s, const char *fmt, ...) {
  char line[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  json_array_append_new(s->findings, pri_json_text(line));
}

static int by_value(const void *a, const void *b) {
  const double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static void look_at_angles(struct set_up *s, const pri_geometry *g) {
  double *a = pri_calloc(s->ctx, (size_t)g->views, sizeof *a);
  ptrdiff_t twice = 0;
  if (!a) return;
  for (ptrdiff_t i = 0; i < g->views; i++) a[i] = fmod(fmod(g->angle[i], 2 * M_PI) + 2 * M_PI, 2 * M_PI);
  qsort(a, (size_t)g->views, sizeof *a, by_value);
  for (ptrdiff_t i = 1; i < g->views; i++) twice += a[i] - a[i - 1] < 1e-9;
  if (twice) finding(s, "%td of %td angles are there twice", twice, g->views);
  if (g->views == 1) finding(s, "one view: the image is hardly determined");
  pri_free(s->ctx, a);
}

/* The image reaches beyond what every view sees: radius of the circle that the detector covers, at the axis. */
static void look_at_field(struct set_up *s, const pri_geometry *g) {
  const double left = (g->center + 0.5) * g->bin, right = ((double)g->bins - 0.5 - g->center) * g->bin;
  const double half = fmin(left, right), image = hypot((double)g->n[0], (double)g->n[1]) * g->pixel / 2;
  double seen = half;
  if (g->beam == PRI_FAN_FLAT || g->beam == PRI_CONE_FLAT) seen = g->sod * sin(atan(half / g->sdd));
  if (g->beam == PRI_FAN_CURVED) seen = g->sod * sin(half / g->sdd);
  if (half <= 0)
    finding(s, "the rotation axis (bin %g) is not on the detector of %td bins", g->center, g->bins);
  else if (seen < 0.999 * fmin((double)g->n[0], (double)g->n[1]) * g->pixel / 2)
    finding(s, "truncated: every view sees a circle of radius %.4g mm, the image's inscribed circle has %.4g mm", seen,
            fmin((double)g->n[0], (double)g->n[1]) * g->pixel / 2);
  else if (seen < 0.999 * image)
    finding(s, "the corners of the image are not seen by every view (circle of %.4g mm)", seen);
}

static void look_at_geometry(struct set_up *s) {
  const void *priv;
  const pri_operator_class *c = pri_operator_class_of(s->A, &priv);
  const pri_geometry *g = c && c->geometry ? c->geometry(priv) : NULL;
  s->findings = json_array();
  if (!g || g->beam == PRI_VECTORS) return;
  look_at_angles(s, g);
  look_at_field(s, g);
}

/* ---- axis */

static const double off_axis = 0.75; /* bins; what two methods may differ by (center.c) */

static void say_center(struct set_up *s, const pri_geometry *g, const pri_center *c) {
  s->center = json_pack("{s:o, s:o, s:o, s:b}", "geometry", pri_json_number(g->center), "opposite", pri_json_number(c->opposite), "picture",
                        pri_json_number(c->picture), "agree", c->agree);
  if (isnan(c->opposite) && isnan(c->picture)) finding(s, "the axis cannot be found from these views; the geometry has it at bin %.2f", g->center);
  else if (fabs(c->center - g->center) > off_axis)
    finding(s, "the axis seems to be at bin %.2f, the geometry has it at %.2f: center=%.2f, or center=auto", c->center, g->center, c->center);
  if (!isnan(c->opposite) && !isnan(c->picture) && !c->agree)
    finding(s, "two ways to find the axis do not agree: bin %.2f by opposite rays, %.2f by the picture", c->opposite, c->picture);
}

/* On the sampled slices of the input, prepared as `priori ct` does */
static pri_status seek(struct set_up *s, pri_call *call, const pri_geometry *g, pri_center *c) {
  pri_job job = {.call = call, .ctx = s->ctx, .o = s->o, .input_name = call->inputs[0]};
  pri_block b = {0};
  ptrdiff_t slice[PRI_SAMPLES];
  job.set.noise = job.set.center = job.set.mismatch = NAN;
  pri_status st = pri_job_prepare(&job);
  if (st == PRI_OK) st = pri_job_samples(&job, &b, slice);
  if (st == PRI_OK && !pri_shape_equal(&b.y.shape, pri_operator_range(s->A))) st = PRI_FAIL(s->ctx, PRI_ESHAPE, "filters change the shape of the sinogram");
  if (st == PRI_OK) st = pri_center_find(s->ctx, c, g, &b.y);
  pri_block_destroy(&b);
  pri_job_close(&job);
  return st;
}

/* What stands in the way is said: the rest of the check holds all the same. */
static pri_status look_for_axis(struct set_up *s, pri_call *call) {
  const pri_geometry *g = pri_operator_geometry(s->A);
  pri_center c;
  if (!call->n_inputs || !g || (g->beam != PRI_PARALLEL && g->beam != PRI_FAN_FLAT && g->beam != PRI_FAN_CURVED)) return PRI_OK;
  const pri_status st = seek(s, call, g, &c);
  if (st == PRI_ECANCEL || st == PRI_ENOMEM || st == PRI_EBUDGET) return st;
  if (st == PRI_OK) {
    say_center(s, g, &c);
    return PRI_OK;
  }
  char *why = pri_message_plain(s->ctx);
  finding(s, "the axis was not looked for: %.200s", why ? why : "no memory");
  pri_free(s->ctx, why);
  return PRI_OK;
}

/* ---- time */

struct clocked {
  double *apply, *adjoint; /* s */
  ptrdiff_t n, room;
};

static double median(double *v, ptrdiff_t n) {
  qsort(v, (size_t)n, sizeof *v, by_value);
  return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static pri_status once(struct set_up *s, struct clocked *c, pri_array *x, pri_array *y) {
  const double t0 = pri_wall_seconds();
  PRI_TRY(pri_operator_apply(s->A, y, x));
  const double t1 = pri_wall_seconds();
  PRI_TRY(pri_operator_adjoint(s->A, x, y));
  c->apply[c->n] = t1 - t0;
  c->adjoint[c->n++] = pri_wall_seconds() - t1;
  return PRI_OK;
}

static void fill_random(const struct set_up *s, pri_array *a, const char *stream) {
  pri_rng_normal(pri_ctx_seed(s->ctx), stream, 0, a->data, (size_t)(pri_shape_size(&a->shape) * a->items));
}

/* Pages touched, caches and clock warm before the clock starts; A' A x grows, so that x is drawn again for every repeat. */
static pri_status repeat(struct set_up *s, struct clocked *c, pri_array *x, pri_array *y) {
  double spent = 0;
  fill_random(s, x, "check x");
  PRI_TRY(once(s, c, x, y));
  c->n = 0;
  while (c->n < c->room && (c->n == 0 || spent < s->o->time)) {
    fill_random(s, x, "check x");
    PRI_TRY(once(s, c, x, y));
    spent += c->apply[c->n - 1] + c->adjoint[c->n - 1];
  }
  return PRI_OK;
}

static pri_status measure(struct set_up *s) {
  pri_array x = {0}, y = {0};
  struct clocked c = {.room = 100000};
  if (!(s->o->time > 0)) return PRI_OK;
  pri_status st = pri_array_create(s->ctx, &x, pri_operator_domain(s->A), s->slices);
  if (st == PRI_OK) st = pri_array_create(s->ctx, &y, pri_operator_range(s->A), s->slices);
  if (st == PRI_OK && !(c.apply = pri_calloc(s->ctx, 2 * (size_t)c.room, sizeof(double)))) st = pri_ctx_code(s->ctx);
  c.adjoint = c.apply ? c.apply + c.room : NULL;
  const double cpu = pri_cpu_seconds();
  if (st == PRI_OK) st = repeat(s, &c, &x, &y);
  if (st == PRI_OK)
    s->time = json_pack("{s:o, s:o, s:o, s:i, s:I, s:I}", "apply_s", pri_json_number(median(c.apply, c.n)), "adjoint_s",
                        pri_json_number(median(c.adjoint, c.n)), "cpu_s", pri_json_number(pri_cpu_seconds() - cpu), "threads",
                        pri_ctx_threads(s->ctx), "slices", (json_int_t)s->slices, "repeats", (json_int_t)c.n);
  pri_free(s->ctx, c.apply);
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  return st;
}

/* ---- the command */

static pri_status build(struct set_up *s, const pri_call *call) {
  const pri_shape none = {0};
  pri_shape data = none;
  pri_meta meta = {.pixel = {NAN, NAN, NAN}, .bin = {NAN, NAN}, .sod = NAN, .sdd = NAN, .center = NAN};
  s->slices = 1;
  if (call->n_inputs) {
    PRI_TRY(pri_input_open(s->ctx, &s->in, call->inputs[0]));
    const pri_input_info *info = pri_input_describe(s->in);
    data = info->item;
    meta = info->meta;
    s->slices = info->items;
  }
  return pri_operators_create(s->ctx, &s->A, &s->o->operators, NAN, &meta, &none, &data);
}

static pri_status examine(struct set_up *s, pri_call *call) {
  PRI_TRY(pri_operator_mismatch(s->A, pri_ctx_seed(s->ctx), PROBES, &s->mismatch));
  s->norm = pri_operator_norm(s->A).value;
  look_at_geometry(s);
  PRI_TRY(look_for_axis(s, call));
  return measure(s);
}

static double number(const json_t *o, const char *key) {
  const json_t *v = json_object_get(o, key);
  return json_is_number(v) ? json_number_value(v) : NAN;
}

static pri_status print_text(struct set_up *s) {
  char a[64], b[64];
  pri_print("image      %s\ndata       %s\n", pri_shape_text(pri_operator_domain(s->A), a, sizeof a),
            pri_shape_text(pri_operator_range(s->A), b, sizeof b));
  pri_print("adjoint    mismatch %.2g in %d probes\nnorm       %.6g\nmemory     %.1f MiB\n", s->mismatch, PROBES, s->norm,
            (double)pri_ctx_memory_peak(s->ctx) / 1048576);
  if (s->center)
    pri_print("axis       bin %.2f in the geometry; %.2f by opposite rays, %.2f by the picture (nan: not possible): %s\n",
              json_number_value(json_object_get(s->center, "geometry")), number(s->center, "opposite"), number(s->center, "picture"),
              json_is_true(json_object_get(s->center, "agree")) ? "these agree" : "no agreement");
  for (size_t i = 0; i < json_array_size(s->findings); i++)
    pri_print("geometry   %s\n", json_string_value(json_array_get(s->findings, i)));
  if (s->time)
    pri_print("time       apply %.4g s, adjoint %.4g s\n", json_number_value(json_object_get(s->time, "apply_s")),
              json_number_value(json_object_get(s->time, "adjoint_s")));
  return PRI_OK;
}

static pri_status print(struct set_up *s) {
  const pri_shape *dom = pri_operator_domain(s->A), *ran = pri_operator_range(s->A);
  if (!s->o->json) return print_text(s);
  json_t *o = json_pack("{s:{s:o, s:i}, s:o, s:o, s:o, s:I, s:O}", "adjoint", "mismatch", pri_json_number(s->mismatch), "probes",
                        PROBES, "norm", pri_json_number(s->norm), "domain", pri_json_shape(dom->n, dom->nd), "range",
                        pri_json_shape(ran->n, ran->nd), "memory_bytes", (json_int_t)pri_ctx_memory_peak(s->ctx), "geometry",
                        s->findings);
  if (o && s->time) json_object_set(o, "time", s->time);
  if (o && s->center) json_object_set(o, "center", s->center);
  return pri_print_json(s->ctx, o);
}

static pri_status run(pri_call *call) {
  if (call->opts->learn) return pri_check_learn(call);
  struct set_up s = {.ctx = call->ctx, .o = call->opts, .mismatch = NAN, .norm = NAN};
  pri_status st = build(&s, call);
  if (st == PRI_OK) st = examine(&s, call);
  if (st == PRI_OK) st = print(&s);
  json_decref(s.findings);
  json_decref(s.time);
  json_decref(s.center);
  pri_operator_destroy(&s.A);
  pri_input_close(&s.in);
  return st;
}

static const char *const options[] = {"operator", "geometry", "prior", "prepare", "on-bad", "slices", "precision", "time", "learn", "json", "threads", "mem", "seed", NULL};
static const char *const examples[] = {"is the adjoint the adjoint? what is truncated?",
                                       "check --operator ct:geometry=fan,sod=300,sdd=500,angles=60,detector=300,size=256",
                                       "how long does it take for this stack?",
                                       "check --geometry angles=360,size=512 --time 1 --json sino.tif",
                                       "are the derivatives right that learning uses?",
                                       "check --learn --prior foe:potential=log --operator blur:psf=gaussian,sigma=1", NULL};

const pri_command pri_command_check = {
    .name = "check",
    .brief = "certifies a set-up before it is run",
    .synopsis = "[OPTIONS] [INPUT]",
    .options = options,
    .examples = examples,
    .more =
        "The adjoint test takes global and local probes in turn. Without an input the keys of the operator must say everything. With a sinogram of parallel or fan "
        "beams the centre of rotation is sought by opposite rays and by the picture, and compared with that of the geometry.\n\n"
        "With --learn: gradient, Hessian products and parameter derivatives of a prior against central differences, whose errors must fall with the square "
        "of the step (order 2) down to rounding; symmetry, and the claimed bounds of curvature. Exit status 1 where one is wrong.",
    .min_inputs = 0,
    .max_inputs = 1,
    .run = run,
    .defaults = pri_config_check};
