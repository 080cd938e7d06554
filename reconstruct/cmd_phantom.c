/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_phantom.c - priori phantom: test objects by formula, and their exact projections (no projector is applied, so that no
 * test commits the inverse crime). Objects stream in small blocks; both files are finished at the end or not at all.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "priori/io.h"
#include "priori/operator.h"
#include "priori/phantom.h"
#include "provenance.h"

enum { BLOCK = 16 }; /* objects at a time at most */

typedef struct sheet { /* one of the two results */
  pri_output *out;     /* NULL: not asked for */
  pri_array block;
} sheet;

typedef struct drawing {
  pri_ctx *ctx;
  const pri_options *o;
  pri_phantom *phantom;
  pri_noise *noise;          /* NULL: none */
  pri_operator *ct;          /* gives the geometry; NULL: no sinogram */
  const pri_geometry *geometry;
  int bin_average;
  pri_shape shape;           /* of one object */
  ptrdiff_t count, at_once;
  char *phantom_spec, *sinogram_spec, *noise_spec; /* effective, every default said */
  sheet image, sinogram;
} drawing;

/* ---- what was asked for */

static pri_status effective(pri_ctx *ctx, pri_family f, const char *spec, char **out) {
  const pri_kind *kind;
  void *priv;
  PRI_TRY(pri_object_create(ctx, f, spec, &kind, &priv));
  const pri_status s = pri_kind_print(ctx, kind, priv, out);
  pri_object_destroy(ctx, kind, &priv);
  return s;
}

static pri_status check(const drawing *d) {
  const pri_options *o = d->o;
  static const char *const floats[] = {"f16", "f32", "f64"};
  if (o->sinogram && !o->sinogram_output)
    return PRI_FAIL(d->ctx, PRI_EPARAM, "--sinogram needs --sinogram-output FILE, where to write it");
  if (!o->sinogram && o->sinogram_output)
    return PRI_FAIL(d->ctx, PRI_EPARAM, "--sinogram-output needs --sinogram ct:KEYS, e.g. ct:angles=60,detector=256");
  if (!o->output && !o->sinogram_output) return PRI_FAIL(d->ctx, PRI_EPARAM, "where to? -o FILE");
  if (o->output && o->sinogram_output && !strcmp(o->output, o->sinogram_output))
    return PRI_FAIL(d->ctx, PRI_EPARAM, "-o and --sinogram-output are the same file, %s", o->output);
  for (int i = 0; o->dtype && i < 3; i++)
    if (!strcmp(o->dtype, floats[i])) return PRI_OK;
  if (o->dtype) return PRI_FAIL(d->ctx, PRI_EPARAM, "--dtype=%s: a phantom is written as f16, f32 or f64", o->dtype);
  return PRI_OK;
}

static pri_status parse_average(drawing *d, const char *spec) {
  static const char *const choices[] = {"ray", "bin", NULL};
  static const pri_param row = {.name = "average", .type = PRI_CHOICE, .choices = choices};
  char *text;
  PRI_TRY(pri_spec_get(d->ctx, spec, "average", NULL, &text));
  d->bin_average = 1;
  const pri_status s = text ? pri_param_parse(d->ctx, "sinogram", &row, &d->bin_average, text) : PRI_OK;
  pri_free(d->ctx, text);
  return s;
}

static pri_status set_geometry(drawing *d, const char *spec) {
  const void *priv;
  char *name;
  PRI_TRY(pri_spec_name(d->ctx, spec, &name));
  const int is_ct = !strcmp(name, "ct");
  const pri_status s = is_ct ? PRI_OK : PRI_FAIL(d->ctx, PRI_EPARAM, "--sinogram takes ct:KEYS, not '%s' (e.g. ct:angles=60,detector=256)", name);
  pri_free(d->ctx, name);
  PRI_TRY(s);
  PRI_TRY(pri_operator_create(d->ctx, &d->ct, spec, NULL, &d->shape, NULL));
  const pri_operator_class *class = pri_operator_class_of(d->ct, &priv);
  d->geometry = class->geometry ? class->geometry(priv) : NULL;
  if (!d->geometry) return PRI_FAIL(d->ctx, PRI_ENOTSUP, "--sinogram: the operator ct gives no geometry");
  char *text;
  PRI_TRY(pri_kind_print(d->ctx, &class->kind, priv, &text));
  const pri_status printed = pri_spec_set(d->ctx, text, "average", NULL, d->bin_average ? "bin" : "ray", &d->sinogram_spec);
  pri_free(d->ctx, text);
  return printed;
}

static pri_status set_up(drawing *d, const char *spec) {
  const pri_options *o = d->o;
  PRI_TRY(check(d));
  PRI_TRY(pri_phantom_create(d->ctx, &d->phantom, spec));
  PRI_TRY(pri_phantom_shape(d->phantom, &d->shape));
  PRI_TRY(effective(d->ctx, PRI_PHANTOMS, spec, &d->phantom_spec));
  if (o->noise) {
    PRI_TRY(pri_noise_create(d->ctx, &d->noise, o->noise));
    PRI_TRY(effective(d->ctx, PRI_NOISES, o->noise, &d->noise_spec));
  }
  if (!o->sinogram) return PRI_OK;
  char *keys;
  PRI_TRY(parse_average(d, o->sinogram));
  PRI_TRY(pri_spec_set(d->ctx, o->sinogram, "average", NULL, NULL, &keys));
  const pri_status s = set_geometry(d, keys);
  pri_free(d->ctx, keys);
  return s;
}

/* ---- files */

static pri_status open_sheet(drawing *d, sheet *s, const char *name, const pri_shape *shape, double pixel) {
  if (!name) return PRI_OK;
  pri_output_opts opts = {.dtype = d->o->dtype, .overwrite = d->o->force, .pixel = {pixel, pixel, 0}};
  if (!opts.dtype && d->o->precision == PRI_PRECISION_DOUBLE) opts.dtype = "f64";
  PRI_TRY(pri_output_create(d->ctx, &s->out, name, shape, d->count, &opts));
  return pri_array_create(d->ctx, &s->block, shape, d->at_once);
}

static pri_status open_sheets(drawing *d) {
  ptrdiff_t each = pri_shape_size(&d->shape);
  if (d->ct) each += pri_shape_size(pri_operator_range(d->ct));
  const double fit = (double)pri_ctx_memory_limit(d->ctx) / 4 / ((double)each * sizeof(pri_real));
  d->count = d->o->count;
  d->at_once = fit < 1 ? 1 : fit < BLOCK ? (ptrdiff_t)fit : BLOCK;
  if (d->at_once > d->count) d->at_once = d->count;
  PRI_TRY(open_sheet(d, &d->image, d->o->output, &d->shape, d->geometry ? d->geometry->pixel : 0));
  return d->ct ? open_sheet(d, &d->sinogram, d->o->sinogram_output, pri_operator_range(d->ct), 0) : PRI_OK;
}

static pri_status noise(const drawing *d, pri_array *a, ptrdiff_t first) {
  return d->noise ? pri_noise_add(d->noise, a, first) : PRI_OK;
}

static pri_status draw(drawing *d, ptrdiff_t first, ptrdiff_t n) {
  if (d->sinogram.out) {
    pri_array y = pri_array_items(&d->sinogram.block, 0, n);
    PRI_TRY(pri_phantom_project(d->phantom, d->geometry, d->bin_average, &y, first));
    PRI_TRY(noise(d, &y, first));
    PRI_TRY(pri_output_write(d->sinogram.out, y.data, first, n));
  }
  if (!d->image.out) return PRI_OK;
  pri_array x = pri_array_items(&d->image.block, 0, n);
  PRI_TRY(pri_phantom_draw(d->phantom, &x, first));
  if (!d->sinogram.out) PRI_TRY(noise(d, &x, first)); /* with a sinogram, that is the data */
  return pri_output_write(d->image.out, x.data, first, n);
}

/* ---- provenance: the call that gives the same pixels, as lines of a pipeline file */

static pri_status config_of(const drawing *d, char **text) {
  static const char form[] = "command = phantom\nphantom = %s\ncount = %td\n%s%s%s%s%s%sprecision = %s\nseed = %llu\n";
  const char *noise = d->noise_spec ? d->noise_spec : "", *sinogram = d->sinogram_spec ? d->sinogram_spec : "";
  const size_t n = sizeof form + strlen(d->phantom_spec) + strlen(noise) + strlen(sinogram) + 120;
  PRI_ALLOC(d->ctx, *text, n);
  snprintf(*text, n, form, d->phantom_spec, d->count, *noise ? "noise = " : "", noise, *noise ? "\n" : "", *sinogram ? "sinogram = " : "",
           sinogram, *sinogram ? "\n" : "", d->o->precision == PRI_PRECISION_DOUBLE ? "double" : "float",
           (unsigned long long)pri_ctx_seed(d->ctx));
  return PRI_OK;
}

static pri_status finish(drawing *d) {
  char *config, *text;
  PRI_TRY(config_of(d, &config));
  pri_status s = pri_provenance_text(d->ctx, &(pri_provenance){.config = config, .center = NAN}, &text);
  pri_free(d->ctx, config);
  PRI_TRY(s);
  if (d->sinogram.out) s = pri_output_finish(d->sinogram.out, text);
  if (s == PRI_OK && d->image.out) s = pri_output_finish(d->image.out, text);
  free(text);
  if (s == PRI_OK && d->sinogram.out) pri_say_wrote(d->ctx, d->o->sinogram_output);
  if (s == PRI_OK && d->image.out) pri_say_wrote(d->ctx, d->o->output);
  return s;
}

static pri_status work(drawing *d, const char *spec) {
  PRI_TRY(set_up(d, spec));
  PRI_TRY(open_sheets(d));
  for (ptrdiff_t first = 0; first < d->count; first += d->at_once) {
    if (pri_ctx_cancelled(d->ctx)) return PRI_FAIL(d->ctx, PRI_ECANCEL, "interrupted; nothing was written");
    PRI_TRY(draw(d, first, d->count - first < d->at_once ? d->count - first : d->at_once));
  }
  return finish(d);
}

static void fini(drawing *d) {
  pri_output_destroy(&d->image.out);
  pri_output_destroy(&d->sinogram.out);
  pri_array_destroy(&d->image.block);
  pri_array_destroy(&d->sinogram.block);
  pri_operator_destroy(&d->ct);
  pri_noise_destroy(&d->noise);
  pri_phantom_destroy(&d->phantom);
  pri_free(d->ctx, d->phantom_spec);
  pri_free(d->ctx, d->sinogram_spec);
  pri_free(d->ctx, d->noise_spec);
}

static pri_status run(pri_call *call) {
  drawing d = {.ctx = call->ctx, .o = call->opts};
  const pri_status s = work(&d, call->inputs[0]);
  fini(&d);
  return s;
}

static const char *const options[] = {"noise", "count", "sinogram", "sinogram-output", "output", "force", "dtype", "precision",
                                      "threads", "mem", "seed", NULL};
static const char *const examples[] = {
    "the head of Shepp and Logan", "phantom shepp-logan:size=256 -o head.tif",
    "ten random objects and their exact fan-beam sinograms with 1 % noise",
    "phantom ellipses:size=256 --count 10 --sinogram ct:geometry=fan,angles=60,arc=180,detector=512,sod=400,sdd=800 "
    "--sinogram-output sino.tif --noise gaussian:relative=0.01 -o truth.tif",
    NULL};
const pri_command pri_command_phantom = {
    .name = "phantom", .brief = "draws test objects, and their exact projections", .synopsis = "[OPTIONS] SPEC -o IMAGE", .options = options,
    .examples = examples, .min_inputs = 1, .max_inputs = 1, .run = run,
    .more = "SPEC is NAME:key=value,... as `priori list phantom` shows. Lengths are shares of half the image side; pixels are averages "
            "over their area.\n\n--sinogram computes line integrals by formula, not by a projector: the geometry's image size is that of the "
            "phantom, its pixel 1 mm unless pixel= says otherwise. Noise goes to the sinogram where there is one, else to the image."};
