/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_score.c - priori score: figures of images against a reference, slice by slice; definitions in src/metrics.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "json.h"
#include "number.h"
#include "priori/io.h"
#include "priori/metrics.h"

enum { FIGURES = 6 };
static const char *const names[FIGURES] = {"psnr", "ssim", "re", "rmse", "mae", "mcc"};

typedef struct judge { /* what all images share */
  pri_call *call;
  pri_ctx *ctx;
  pri_score_opts opts;
  ptrdiff_t crop[4];     /* x y w h; w = 0: all */
  pri_input *reference;
  const pri_input_info *info;
  pri_real *x, *r;       /* one slice each */
  int doubted;           /* the peak: said */
  json_t *images;        /* NULL: text is printed */
} judge;

static double figure(const pri_score *s, int i) {
  const double all[FIGURES] = {s->psnr, s->ssim, s->re, s->rmse, s->mae, s->mcc};
  return all[i];
}

/* ---- the region */

static pri_status parse_region(judge *j, const char *text) {
  double v[4];
  const char *at = text;
  if (!text) return PRI_OK;
  if (!strcmp(text, "disk") || !strcmp(text, "disc")) {
    j->opts.disc = 1;
    return PRI_OK;
  }
  for (int i = 0; i < 4; i++) {
    char *end;
    v[i] = pri_number_parse(at, &end);
    const int good = end > at && *end == (i < 3 ? ',' : 0) && v[i] == floor(v[i]) && v[i] >= (i < 2 ? 0 : 1) && v[i] < 1e9;
    if (!good) return PRI_FAIL(j->ctx, PRI_EPARAM, "--roi=%s is neither disk nor x,y,w,h in pixels, w and h at least 1", text);
    j->crop[i] = (ptrdiff_t)v[i];
    at = end + 1;
  }
  return PRI_OK;
}

static pri_status check_region(const judge *j) {
  const ptrdiff_t *c = j->crop, *n = j->info->item.n;
  if (c[2] == 0 || (c[0] + c[2] <= n[1] && c[1] + c[3] <= n[0])) return PRI_OK;
  return PRI_FAIL(j->ctx, PRI_EPARAM, "--roi=%td,%td,%td,%td (x, y, width, height) reaches beyond the image of %td x %td pixels (width x height)",
                  c[0], c[1], c[2], c[3], n[1], n[0]);
}

/* Moves the region to the front of the buffer. */
static void crop(const judge *j, pri_real *a) {
  const ptrdiff_t *c = j->crop, nx = j->info->item.n[1];
  for (ptrdiff_t y = 0; y < c[3]; y++) memmove(a + y * c[2], a + (c[1] + y) * nx + c[0], (size_t)c[2] * sizeof *a);
}

/* ---- one image */

static pri_status check_shapes(const judge *j, const pri_input_info *i) {
  char a[100], b[100];
  if (i->item.nd != 2) return PRI_FAIL(j->ctx, PRI_ESHAPE, "%s: a slice has %d axes; score takes two, (y, x)", i->file, i->item.nd);
  if (!pri_shape_equal(&i->item, &j->info->item))
    return PRI_FAIL(j->ctx, PRI_ESHAPE, "%s: slices of %s pixels, but those of the reference %s are %s", i->file,
                    pri_shape_text(&i->item, a, sizeof a), j->info->file, pri_shape_text(&j->info->item, b, sizeof b));
  if (i->items != j->info->items && j->info->items != 1)
    return PRI_FAIL(j->ctx, PRI_ESHAPE, "%s: %td slices, but the reference %s has %td (equal numbers are paired in order; a reference of one slice serves all)",
                    i->file, i->items, j->info->file, j->info->items);
  return PRI_OK;
}

/* PSNR and SSIM are of a peak of 1 unless told otherwise: said, once, where the reference goes far beyond */
static void doubt_peak(judge *j, const pri_real *r, ptrdiff_t n) {
  const pri_options *o = j->call->opts;
  double largest = 0;
  if (j->doubted || (pri_options_given(o, "peak") && pri_options_given(o, "range"))) return;
  for (ptrdiff_t i = 0; i < n; i++) largest = fmax(largest, (double)r[i]);
  if (!(largest > 2)) return;
  const double peak = !strcmp(j->info->dtype, "u8") ? 255 : !strcmp(j->info->dtype, "u16") ? 65535 : largest;
  j->doubted = 1;
  pri_log(j->ctx, PRI_LOG_WARN, "%s reaches %g, but PSNR is for a peak and SSIM for a range of 1 unless they are given: --peak %g --range %g", j->info->file, largest, peak, peak);
}

static pri_status score_slice(judge *j, pri_input *in, ptrdiff_t k, pri_score *s) {
  const ptrdiff_t ny = j->crop[2] ? j->crop[3] : j->info->item.n[0], nx = j->crop[2] ? j->crop[2] : j->info->item.n[1];
  if (pri_ctx_cancelled(j->ctx)) return PRI_FAIL(j->ctx, PRI_ECANCEL, "interrupted");
  PRI_TRY(pri_input_read(in, j->x, k, 1));
  PRI_TRY(pri_input_read(j->reference, j->r, j->info->items == 1 ? 0 : k, 1));
  crop(j, j->x);
  crop(j, j->r);
  doubt_peak(j, j->r, ny * nx);
  return pri_score_image(j->ctx, s, j->x, j->r, ny, nx, &j->opts);
}

/* ---- what is printed */

static json_t *object_of(const double *v) {
  json_t *o = json_object();
  for (int i = 0; i < FIGURES; i++)
    if (i < 5 || !isnan(v[i])) json_object_set_new(o, names[i], pri_json_number(v[i]));
  return o;
}

static void print_row(const char *label, const double *v) {
  pri_print("  %-8s %9.3f %8.4f %10.3e %10.3e %10.3e", label, v[0], v[1], v[2], v[3], v[4]);
  if (!isnan(v[5])) pri_print("   MCC %.4f", v[5]);
  pri_print("\n");
}

static void print_head(const char *file) {
  pri_print("%s\n  %-8s %9s %8s %10s %10s %10s\n", file, "slice", "PSNR/dB", "SSIM", "RE", "RMSE", "MAE");
}

typedef struct table { /* of one image */
  json_t *slices;
  double sum[FIGURES];
  ptrdiff_t mccs;        /* slices that have an mcc */
} table;

static pri_status add_slice(judge *j, table *t, const pri_score *s, ptrdiff_t k, ptrdiff_t items) {
  double v[FIGURES];
  char label[32];
  for (int i = 0; i < FIGURES; i++) v[i] = figure(s, i);
  for (int i = 0; i < 5; i++) t->sum[i] += v[i];
  if (!isnan(v[5])) {
    t->sum[5] += v[5];
    t->mccs++;
  }
  if (t->slices) return pri_json_append(j->ctx, t->slices, object_of(v));
  snprintf(label, sizeof label, "%td", k);
  if (items <= 16 || j->call->opts->verbose) print_row(label, v);
  return PRI_OK;
}

static pri_status score_slices(judge *j, pri_input *in, table *t) {
  const pri_input_info *i = pri_input_describe(in);
  PRI_TRY(check_shapes(j, i));
  if (!t->slices) print_head(i->file);
  for (ptrdiff_t k = 0; k < i->items; k++) {
    pri_score s;
    PRI_TRY(score_slice(j, in, k, &s));
    PRI_TRY(add_slice(j, t, &s, k, i->items));
  }
  for (int f = 0; f < 5; f++) t->sum[f] /= (double)i->items;
  t->sum[5] = t->mccs ? t->sum[5] / (double)t->mccs : NAN;
  if (!t->slices && i->items > 1) print_row("mean", t->sum);
  return PRI_OK;
}

static pri_status score_image(judge *j, const char *name) {
  table t = {0};
  pri_input *in;
  PRI_TRY(pri_input_open(j->ctx, &in, name));
  if (j->images) t.slices = json_array();
  pri_status s = score_slices(j, in, &t);
  if (s == PRI_OK && j->images)
    s = pri_json_append(j->ctx, j->images, json_pack("{so sO so}", "file", pri_json_text(name), "slices", t.slices, "mean", object_of(t.sum)));
  json_decref(t.slices);
  pri_input_close(&in);
  return s;
}

static pri_status score_all(judge *j) {
  pri_call *call = j->call;
  const ptrdiff_t n = pri_shape_size(&j->info->item);
  if (j->info->item.nd != 2)
    return PRI_FAIL(j->ctx, PRI_ESHAPE, "%s: a slice has %d axes; score takes two, (y, x)", j->info->file, j->info->item.nd);
  PRI_TRY(check_region(j));
  PRI_ALLOC(j->ctx, j->x, n);
  PRI_ALLOC(j->ctx, j->r, n);
  for (int i = 0; i < call->n_inputs; i++) {
    const pri_status s = score_image(j, call->inputs[i]);
    if (s == PRI_ECANCEL) return s;
    if (s != PRI_OK) pri_call_failed(call, call->inputs[i], s);
  }
  if (!j->images) return PRI_OK;
  return pri_print_json(j->ctx, json_pack("{sO so}", "images", j->images, "definitions", pri_json_parse(pri_score_definitions())));
}

static pri_status run(pri_call *call) {
  const pri_options *o = call->opts;
  judge j = {.call = call, .ctx = call->ctx, .opts = {o->peak, o->range, (pri_ssim)o->ssim, 0}};
  if (!o->reference) return PRI_FAIL(j.ctx, PRI_EPARAM, "which reference? priori score --reference FILE IMAGE...");
  PRI_TRY(parse_region(&j, o->roi));
  PRI_TRY(pri_input_open(j.ctx, &j.reference, o->reference));
  j.info = pri_input_describe(j.reference);
  j.images = o->json ? json_array() : NULL;
  const pri_status s = score_all(&j);
  json_decref(j.images);
  pri_free(j.ctx, j.x);
  pri_free(j.ctx, j.r);
  pri_input_close(&j.reference);
  return s;
}

static const char *const options[] = {"reference", "peak", "range", "ssim", "roi", "json", NULL};
static const char *const examples[] = {
    "one picture", "score --reference truth.tif picture.tif", "two methods on a stack, for a program", "score --reference truth.tif fbp.tif tv.tif --json",
    "inside the inscribed disc only, values up to 2", "score --reference truth.tif --roi disk --peak 2 --range 2 picture.tif", NULL};
const pri_command pri_command_score = {
    .name = "score", .brief = "judges images against a reference: PSNR, SSIM, RE, RMSE, MAE, MCC",
    .synopsis = "[OPTIONS] --reference REF IMAGE...", .options = options, .examples = examples, .min_inputs = 1, .max_inputs = -1, .run = run,
    .more = "IMAGE and REF are files, stacks or folders; slice k is compared with slice k, or with the only slice of REF. RE is "
            "norm2(image - ref) / norm2(ref); SSIM has a Gaussian window of 11 x 11 pixels, sd 1.5. Where a slice of REF has two "
            "values, the Matthews correlation after Otsu's threshold is given as well. Means are over slices."};
