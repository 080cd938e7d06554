/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_psf.c - priori psf: a point-spread function drawn by formula, or measured on images of beads, as a file that blur:psf= takes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "json.h"
#include "priori/io.h"
#include "provenance.h"
#include "psf.h"
#include "psf_beads.h"

typedef struct making {
  pri_ctx *ctx;
  const pri_options *o;
  pri_psf_keys keys;
  pri_psf psf;
  pri_beads beads;
  double pixel[3];           /* mm, x first; 0: unknown */
  char *config;
} making;

static const pri_param rows[] = {PRI_PSF_ROWS(making, keys), {0}};
static const pri_kind kind = {.name = "psf", .brief = "point-spread function", .cite = "", .size = sizeof(making), .params = rows};

/* "31", "31x31", "31x31x25" into keys.size */
static pri_status take_size(making *m) {
  const pri_param *row = rows;
  while (strcmp(row->name, "size")) row++;
  return m->o->size ? pri_param_parse(m->ctx, "psf", row, m, m->o->size) : PRI_OK;
}

/* "psf:psf=gaussian,sigma=1" -> "psf = gaussian:sigma=1", as the command takes it */
static pri_status set_config(making *m, char *printed) {
  char *name = printed + strlen("psf:psf="), *comma = strchr(name, ',');
  if (comma) *comma = ':';
  const size_t n = strlen(name) + 40;
  PRI_ALLOC(m->ctx, m->config, n);
  snprintf(m->config, n, "command = psf\npsf = %s\n", name);
  return PRI_OK;
}

static pri_status draw(making *m, const char *spec) {
  char *keys, *printed;
  const size_t n = strlen(spec) + 8;
  PRI_ALLOC(m->ctx, keys, n);
  const char *colon = strchr(spec, ':');
  snprintf(keys, n, "psf=%.*s%s%s", (int)(colon ? colon - spec : (ptrdiff_t)strlen(spec)), spec, colon ? "," : "", colon ? colon + 1 : "");
  pri_status s = pri_kind_parse(m->ctx, &kind, m, keys);
  pri_free(m->ctx, keys);
  if (s == PRI_OK) s = take_size(m);
  if (s == PRI_OK) s = pri_psf_create(m->ctx, &m->psf, "psf", &m->keys, 0, NULL);
  if (s == PRI_OK) s = pri_kind_print(m->ctx, &kind, m, &printed);
  PRI_TRY(s);
  s = set_config(m, printed);
  pri_free(m->ctx, printed);
  PRI_TRY(s);
  for (int i = 0; i < 3; i++) m->pixel[i] = m->keys.pixel[i == 2 ? 1 : 0] > 0 ? m->keys.pixel[i == 2 ? 1 : 0] : 0;
  return PRI_OK;
}

/* ---- beads */

static void as_volume(pri_array *a) { /* pages become the slowest axis of one item */
  if (a->items == 1 || a->shape.nd == 3) return; /* volumes are images of their own */
  a->shape = (pri_shape){3, {a->items, a->shape.n[a->shape.nd - 2], a->shape.n[a->shape.nd - 1]}};
  a->items = 1;
}

static pri_status measure(making *m, pri_array *a) {
  const ptrdiff_t *s = m->keys.size, size[3] = {s[2] ? s[2] : 1, s[1] ? s[1] : s[0] ? s[0] : 31, s[0] ? s[0] : 31};
  if (a->shape.nd < 2 || a->shape.nd > 3) return PRI_FAIL(m->ctx, PRI_ESHAPE, "psf: %s has %d axes; beads are images or stacks", m->o->beads, a->shape.nd);
  if (size[0] > 1) as_volume(a);
  else if (a->shape.nd == 3) { /* planes of a volume are images of their own */
    a->items *= a->shape.n[0];
    a->shape = pri_shape_2d(a->shape.n[1], a->shape.n[2]);
  }
  PRI_TRY(pri_psf_from_beads(m->ctx, &m->psf, &m->beads, a, size));
  const size_t n = strlen(m->o->beads) + 120;
  PRI_ALLOC(m->ctx, m->config, n);
  snprintf(m->config, n, "command = psf\nbeads = %s\nsize = %tdx%tdx%td\n", m->o->beads, size[2], size[1], size[0]);
  return PRI_OK;
}

static pri_status take_pixel(making *m) {
  pri_input *in;
  PRI_TRY(pri_input_open(m->ctx, &in, m->o->beads));
  const pri_meta *meta = &pri_input_describe(in)->meta;
  for (int i = 0; i < 3; i++) m->pixel[i] = meta->pixel[i] > 0 ? meta->pixel[i] : 0;
  pri_input_close(&in);
  return PRI_OK;
}

static pri_status from_beads(making *m) {
  pri_array a = {0};
  PRI_TRY(take_size(m));
  PRI_TRY(take_pixel(m));
  PRI_TRY(pri_input_load(m->ctx, m->o->beads, &a));
  const pri_status s = measure(m, &a);
  pri_array_destroy(&a);
  return s;
}

/* ---- out */

static pri_status say(making *m) {
  double w[3];
  char axial[48] = "";
  pri_psf_fwhm(&m->psf, w);
  if (m->psf.k[0] > 1) snprintf(axial, sizeof axial, " x %.3f", w[0]);
  const pri_beads *b = &m->beads;
  if (m->o->beads)
    pri_log(m->ctx, PRI_LOG_INFO, "%td beads used; left out: %td too close to others, %td at the edge, %td saturated, %td of another brightness", b->used, b->close, b->edge, b->saturated, b->unlike);
  pri_log(m->ctx, PRI_LOG_INFO, "%td x %td x %td (x, y, z), full width at half maximum %.3f x %.3f%s px", m->psf.k[2], m->psf.k[1], m->psf.k[0], w[2], w[1], axial);
  if (!m->o->json) return PRI_OK;
  json_t *fwhm = json_pack("[o, o]", pri_json_number(w[2]), pri_json_number(w[1]));
  if (fwhm && m->psf.k[0] > 1) json_array_append_new(fwhm, pri_json_number(w[0]));
  json_t *out = json_pack("{s:[I, I, I], s:o}", "size", (json_int_t)m->psf.k[2], (json_int_t)m->psf.k[1], (json_int_t)m->psf.k[0], "fwhm_px", fwhm);
  if (out && m->o->beads)
    json_object_set_new(out, "beads", json_pack("{s:I, s:I, s:I, s:I, s:I}", "used", (json_int_t)b->used, "close", (json_int_t)b->close, "edge", (json_int_t)b->edge, "saturated",
                                                (json_int_t)b->saturated, "unlike", (json_int_t)b->unlike));
  return pri_print_json(m->ctx, out);
}

static pri_status write_planes(making *m, pri_output *out) {
  const ptrdiff_t plane = m->psf.k[1] * m->psf.k[2];
  pri_real *row;
  pri_status s = PRI_OK;
  PRI_ALLOC(m->ctx, row, plane);
  for (ptrdiff_t z = 0; s == PRI_OK && z < m->psf.k[0]; z++) {
    for (ptrdiff_t i = 0; i < plane; i++) row[i] = (pri_real)m->psf.h[z * plane + i];
    s = pri_output_write(out, row, z, 1);
  }
  pri_free(m->ctx, row);
  return s;
}

static pri_status write(making *m) {
  const pri_shape plane = pri_shape_2d(m->psf.k[1], m->psf.k[2]);
  pri_output_opts opts = {.dtype = m->o->dtype, .overwrite = m->o->force, .pixel = {m->pixel[0], m->pixel[1], m->pixel[2]}};
  pri_provenance p = {.config = m->config, .center = NAN, .inputs = (const char *const *)&m->o->beads, .n_inputs = m->o->beads ? 1 : 0};
  pri_output *out;
  char *text = NULL;
  PRI_TRY(pri_output_create(m->ctx, &out, m->o->output, &plane, m->psf.k[0], &opts));
  pri_status s = write_planes(m, out);
  if (s == PRI_OK) s = pri_provenance_text(m->ctx, &p, &text);
  if (s == PRI_OK) s = pri_output_finish(out, text);
  free(text);
  pri_output_destroy(&out);
  return s;
}

static pri_status check(const making *m, int n) {
  static const char *const floats[] = {"f16", "f32", "f64"};
  if (!m->o->output) return PRI_FAIL(m->ctx, PRI_EPARAM, "where to? -o FILE");
  if (n == 1 && m->o->beads) return PRI_FAIL(m->ctx, PRI_EPARAM, "either a point-spread function to draw, or --beads, not both");
  if (n == 0 && !m->o->beads) return PRI_FAIL(m->ctx, PRI_EPARAM, "what is to be drawn? e.g. gaussian:sigma=1.5; or --beads FILE");
  for (int i = 0; m->o->dtype && i < 3; i++)
    if (!strcmp(m->o->dtype, floats[i])) return PRI_OK;
  return m->o->dtype ? PRI_FAIL(m->ctx, PRI_EPARAM, "--dtype=%s: a point-spread function is written as f16, f32 or f64", m->o->dtype) : PRI_OK;
}

static pri_status run(pri_call *call) {
  making m = {.ctx = call->ctx, .o = call->opts};
  pri_status s = check(&m, call->n_inputs);
  if (s == PRI_OK) s = m.o->beads ? from_beads(&m) : draw(&m, call->inputs[0]);
  if (s == PRI_OK) s = write(&m);
  if (s == PRI_OK) s = say(&m);
  if (s == PRI_OK) pri_say_wrote(m.ctx, m.o->output);
  pri_psf_destroy(m.ctx, &m.psf);
  pri_kind_release(m.ctx, &kind, &m);
  pri_free(m.ctx, m.config);
  return s;
}

static const char *const options[] = {"beads", "size", "output", "force", "dtype", "json", "precision", "threads", "mem", NULL};
static const char *const examples[] = {
    "a Gaussian", "psf gaussian:sigma=1.5 -o psf.tif",
    "a microscope: 0.8 NA in water, 525 nm, pixels of 0.1 um, planes 0.3 um apart",
    "psf born-wolf:na=0.8,wavelength=525nm,index=1.33,pixel=0.1umx0.3um --size 61x61x41 -o psf.tif",
    "what a stack of beads shows", "psf --beads beads.tif --size 31x31x25 -o psf.tif", NULL};
const pri_command pri_command_psf = {
    .name = "psf", .brief = "draws a point-spread function, or measures one on beads", .synopsis = "[OPTIONS] [SPEC] -o FILE", .options = options,
    .examples = examples, .min_inputs = 0, .max_inputs = 1, .run = run,
    .more = "SPEC is NAME:key=value,... with the keys of `priori list operator blur`: gaussian, disk, motion, box, airy, born-wolf, or a file whose "
            "centre, background and negative values are to be put right. The sum of the result is 1.\n\n"
            "--beads FILE finds bright spots that stand alone, registers them to a fraction of a pixel and averages them; how many were used, why "
            "others were not, and the widths are said (--json: printed). --size XxY takes each page as an image of its own, --size XxYxZ the file as one volume. "
            "Windows should be large enough to reach the background, and beads smaller than the width that they are to show."};
