/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rebuild.c - see rebuild.h. The pipeline itself reads and prepares the data, so that the residual is what the solver saw:
 *   r = A x - y,   x the written result (integers back in their units; beyond the frame its border values), y the prepared data.
 */
#include "rebuild.h"
#include <math.h>
#include <string.h>
#include "json.h"
#include "vec.h"

static const char *text_of(const json_t *o, const char *key) {
  const char *s = json_string_value(json_object_get(o, key));
  return s ? s : "";
}

/* ---- the job */

static pri_status same_file(pri_ctx *ctx, const char *name, const json_t *recorded) {
  char hex[65];
  const char *was = text_of(recorded, "sha256");
  PRI_TRY(pri_hash_file(ctx, name, hex));
  return !*was || !strcmp(was, hex) ? PRI_OK : PRI_FAIL(ctx, PRI_EREAD, "%s is not the file that it was: its hash differs", name);
}

static pri_status take_inputs(pri_rebuilt *b, const json_t *provenance, const char *const *names, int n) {
  const json_t *inputs = json_object_get(provenance, "inputs"), *files = json_object_get(provenance, "files");
  const int count = (int)json_array_size(inputs);
  pri_ctx *ctx = b->job.ctx;
  if (count < 1) return PRI_FAIL(ctx, PRI_ENOTSUP, "its provenance names no input");
  if (n && n != count) return PRI_FAIL(ctx, PRI_EPARAM, "it was made from %d inputs, %d are given", count, n);
  PRI_ALLOC(ctx, b->files, count);
  for (int i = 0; i < count; i++) {
    b->files[i] = n ? names[i] : text_of(json_array_get(inputs, (size_t)i), "file");
    PRI_TRY(same_file(ctx, b->files[i], json_array_get(inputs, (size_t)i)));
  }
  for (size_t i = 0; i < json_array_size(files); i++)
    PRI_TRY(same_file(ctx, text_of(json_array_get(files, i), "file"), json_array_get(files, i)));
  b->job.input_name = b->files[0];
  b->job.stack = count > 1 ? b->files : NULL;
  b->job.n_stack = count > 1 ? count : 0;
  return PRI_OK;
}

static pri_status build(pri_rebuilt *b, const char *result, const json_t *provenance, const char *const *names, int n) {
  pri_job *job = &b->job;
  const char *config = text_of(provenance, "config");
  const json_t *center = json_object_get(provenance, "center");
  if (!*config || !strncmp(config, "command = ", 10) || !json_is_object(json_object_get(provenance, "certificate")))
    return PRI_FAIL(job->ctx, PRI_ENOTSUP, "this is no result of a reconstruction");
  PRI_TRY(take_inputs(b, provenance, names, n));
  PRI_TRY(pri_config_parse(job->ctx, &b->options, config, "its configuration"));
  PRI_TRY(pri_config_complete(job->ctx, &b->options));
  if (json_is_number(center)) job->set.center = json_number_value(center);
  job->output_name = pri_strdup(job->ctx, result);
  return job->output_name ? pri_job_prepare(job) : pri_ctx_code(job->ctx);
}

pri_status pri_rebuild(pri_ctx *ctx, pri_rebuilt **out, const char *result, const json_t *provenance, const char *const *names, int n) {
  pri_rebuilt *b;
  *out = NULL;
  PRI_ALLOC(ctx, b, 1);
  b->call = (pri_call){.ctx = ctx, .command = pri_command_find("reconstruct"), .opts = &b->options};
  b->job = (pri_job){.call = &b->call, .ctx = ctx, .o = &b->options};
  b->job.set.noise = b->job.set.center = b->job.set.mismatch = NAN;
  pri_status s = pri_options_init(ctx, &b->options);
  if (s == PRI_OK) s = build(b, result, provenance, names, n);
  if (s == PRI_OK) *out = b;
  else pri_rebuild_destroy(&b);
  return s;
}

void pri_rebuild_destroy(pri_rebuilt **b) {
  if (!*b) return;
  pri_ctx *ctx = (*b)->job.ctx;
  pri_job_close(&(*b)->job);
  pri_options_fini(&(*b)->options);
  pri_free(ctx, (*b)->files);
  pri_free(ctx, *b);
  *b = NULL;
}

/* ---- what is left of the data */

/* Why A x cannot be had from what was written; NULL: it can. */
static const char *obstacle(const pri_job *job) {
  if (!job->set.A) return "no operator was inverted (solver none)";
  if (job->passes > 1) return "the images of a sweep have an operator or a weight each";
  if (job->set.n_then) return "filters behind the solver (--then) changed what it found";
  if (job->set.roi[2]) return "only a region of the image was written (--roi)";
  return NULL;
}

/* From the integers of the file to the unit of the image; *rounding: their step in it. */
static pri_status unscale(pri_job *job, pri_array *x, const char *dtype, double *rounding) {
  pri_output_opts o = {0};
  int known;
  *rounding = 0;
  if (!strchr("ui", dtype[0])) return PRI_OK;
  PRI_TRY(pri_job_scale(job, &o, &known));
  if (!known)
    return PRI_FAIL(job->ctx, PRI_ENOTSUP,
                    "its integers were scaled to the range of the result, which is not in the file (--dtype f32 keeps the values)");
  *rounding = 1;
  if (!(o.scale_hi > o.scale_lo)) return PRI_OK;
  const double full = strcmp(dtype, "u8") ? 65535 : 255, step = *rounding = (o.scale_hi - o.scale_lo) / full;
  for (ptrdiff_t i = 0; i < pri_shape_size(&x->shape); i++) x->data[i] = (pri_real)(o.scale_lo + step * (double)x->data[i]);
  return PRI_OK;
}

static ptrdiff_t clamp(ptrdiff_t i, ptrdiff_t n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

/* to: the whole unknown; x: its frame. Beyond it: the nearest value of the frame. */
static void extend(pri_array *to, const pri_array *x, const pri_box *frame) {
  const int nd = to->shape.nd;
  ptrdiff_t at[PRI_MAXDIM] = {0};
  for (ptrdiff_t i = 0, all = pri_shape_size(&to->shape); i < all; i++) {
    ptrdiff_t from = 0;
    for (int a = 0; a < nd; a++) from = from * x->shape.n[a] + clamp(at[a] - frame->first[a], x->shape.n[a]);
    to->data[i] = x->data[from];
    for (int a = nd - 1; a >= 0 && ++at[a] == to->shape.n[a]; a--) at[a] = 0;
  }
}

static void forget_unknown(pri_leftover *l, const pri_setup *set) {
  const ptrdiff_t n = pri_shape_size(&l->r.shape);
  if (set->known.data && pri_shape_equal(&set->known.shape, &l->r.shape)) l->known = set->known.data;
  for (ptrdiff_t i = 0; i < n; i++)
    if ((l->known && l->known[i] == 0) || (l->w.data && l->w.data[i] == 0)) l->r.data[i] = 0;
}

static pri_status apply(pri_job *job, pri_leftover *l, const pri_array *x) {
  const pri_setup *set = &job->set;
  pri_array whole = {0};
  PRI_TRY(pri_array_create(job->ctx, &whole, &set->image, 1));
  extend(&whole, x, &set->frame);
  l->rim = pri_shape_size(&set->image) - pri_shape_size(&x->shape);
  pri_status s = pri_array_create(job->ctx, &l->r, &l->y.shape, 1);
  if (s == PRI_OK) s = pri_map_apply(set->map, &l->r, &whole);
  for (ptrdiff_t i = 0; s == PRI_OK && i < pri_shape_size(&l->y.shape); i++) l->r.data[i] -= l->y.data[i];
  if (s == PRI_OK) forget_unknown(l, set);
  pri_array_destroy(&whole);
  return s;
}

pri_status pri_rebuild_leftover(pri_rebuilt *b, pri_leftover *out, const pri_real *x, ptrdiff_t item) {
  pri_job *job = &b->job;
  pri_block block = {0};
  pri_array copy = {0};
  const char *why = obstacle(job);
  const pri_shape shape = pri_job_written(job);
  *out = (pri_leftover){0};
  if (why) return PRI_FAIL(job->ctx, PRI_ENOTSUP, "%s", why);
  if (item < 0 || item >= job->items) return PRI_FAIL(job->ctx, PRI_ESHAPE, "the input has no item for this one of the result");
  pri_input *result;
  PRI_TRY(pri_array_create(job->ctx, &copy, &shape, 1));
  memcpy(copy.data, x, (size_t)pri_shape_size(&shape) * sizeof *x);
  pri_status s = pri_input_open(job->ctx, &result, job->output_name);
  if (s == PRI_OK) s = unscale(job, &copy, pri_input_describe(result)->dtype, &out->rounding), pri_input_close(&result);
  if (s == PRI_OK) s = pri_block_read(job, job->ctx, &block, job->slice + item, 1, 0);
  if (s == PRI_OK) {
    out->y = block.y, out->w = block.w;
    block = (pri_block){0};
    s = apply(job, out, &copy);
  }
  pri_block_destroy(&block);
  pri_array_destroy(&copy);
  if (s != PRI_OK) pri_leftover_destroy(out);
  return s;
}

void pri_leftover_destroy(pri_leftover *l) {
  pri_array_destroy(&l->y);
  pri_array_destroy(&l->r);
  pri_array_destroy(&l->w);
  *l = (pri_leftover){0};
}
