/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_data.c - samples for priori learn.
 *
 *   pairs          y from the inputs, x from --truth
 *   clean images   x from the inputs, y = A x + noise by --simulate and --noise; the noise of sample i is that of item i of the stack
 *   measurements   y from the inputs, no x: --unsupervised; sd by --noise-level, or estimated
 * Files of different sizes are cut to one by --patch: the middle of each, or, by --crops, as many random places of each page.
 */
#include <math.h>
#include <string.h>
#include "folder.h"
#include "learn_data.h"
#include "noise_image.h"
#include "noise_level.h"
#include "pipeline.h"
#include "priori/rng.h"
#include "vec.h"

/* ---- images of files */

struct reading { /* of all files into one array */
  pri_ctx *ctx;
  long patch, crops;             /* side in pixels; 0: whole. crops: random ones of a page; 0: its middle */
  pri_shape shape;
  ptrdiff_t items;
  pri_array *out;                /* NULL: count only */
  pri_meta meta;                 /* of the first */
};

static pri_status cut(const struct reading *r, const char *name, const pri_shape *have, pri_shape *want) {
  *want = *have;
  if (!r->patch) return PRI_OK;
  if (have->nd != 2) return PRI_FAIL(r->ctx, PRI_EPARAM, "%s: --patch cuts pictures, and this is no stack of them", name);
  if (have->n[0] < r->patch || have->n[1] < r->patch)
    return PRI_FAIL(r->ctx, PRI_ESHAPE, "%s: %td x %td pixels are fewer than --patch %ld asks for", name, have->n[1], have->n[0], r->patch);
  *want = pri_shape_2d(r->patch, r->patch);
  return PRI_OK;
}

/* The place of crop c of a page along one axis that it may lie on in `room` + 1 ways; the middle without --crops. */
static ptrdiff_t place(const struct reading *r, ptrdiff_t item, int axis, ptrdiff_t room) {
  if (!r->crops) return room / 2;
  return (ptrdiff_t)(pri_rng_uniform_at(pri_ctx_seed(r->ctx), "learn/crops", (uint64_t)(2 * item + axis)) * (double)(room + 1));
}

static void copy_patch(const struct reading *r, ptrdiff_t item, const pri_real *src, const pri_shape *have) {
  pri_real *dst = pri_array_item(r->out, item);
  if (!r->patch) {
    pri_copy(r->ctx, dst, src, pri_shape_size(have));
    return;
  }
  const ptrdiff_t y = place(r, item, 0, have->n[0] - r->patch), x = place(r, item, 1, have->n[1] - r->patch);
  for (ptrdiff_t k = 0; k < r->patch; k++) memcpy(dst + k * r->patch, src + (y + k) * have->n[1] + x, (size_t)r->patch * sizeof *dst);
}

static ptrdiff_t of_a_page(const struct reading *r) { return r->crops ? r->crops : 1; }

static pri_status all_finite(pri_ctx *ctx, const char *name, ptrdiff_t page, const pri_real *x, ptrdiff_t n) {
  for (ptrdiff_t k = 0; k < n; k++)
    if (!isfinite((double)x[k])) return PRI_FAIL(ctx, PRI_EDATA, "%s: page %td, value %td is not finite", name, page, k);
  return PRI_OK;
}

static pri_status read_pages(struct reading *r, const char *name, pri_input *in, const pri_shape *have) {
  pri_array page = {0};
  PRI_TRY(pri_array_create(r->ctx, &page, have, 1));
  pri_status s = PRI_OK;
  for (ptrdiff_t i = 0; i < pri_input_describe(in)->items && s == PRI_OK; i++) {
    s = pri_input_read(in, page.data, i, 1);
    if (s == PRI_OK) s = all_finite(r->ctx, name, i, page.data, pri_shape_size(have));
    for (ptrdiff_t c = 0; c < of_a_page(r) && s == PRI_OK; c++) copy_patch(r, r->items + i * of_a_page(r) + c, page.data, have);
  }
  pri_array_destroy(&page);
  return s;
}

static pri_status take_file(struct reading *r, const char *name, pri_input *in) {
  const pri_input_info *info = pri_input_describe(in);
  pri_shape want;
  PRI_TRY(cut(r, name, &info->item, &want));
  if (r->items && !pri_shape_equal(&want, &r->shape))
    return PRI_FAIL(r->ctx, PRI_ESHAPE, "%s: %td x %td pixels, the files before it have %td x %td: --patch N takes the middle N x N of each", name, want.n[want.nd - 1],
                    want.n[0], r->shape.n[r->shape.nd - 1], r->shape.n[0]);
  if (!r->items) r->meta = info->meta, r->shape = want;
  if (r->out) PRI_TRY(read_pages(r, name, in, &info->item));
  r->items += info->items * of_a_page(r);
  return PRI_OK;
}

static pri_status take_name(struct reading *r, const char *name) {
  char **names = NULL;
  int n = 0;
  pri_status s = PRI_OK;
  pri_input *in;
  if (!pri_folder_is(name)) {
    PRI_TRY(pri_input_open(r->ctx, &in, name));
    s = take_file(r, name, in);
    pri_input_close(&in);
    return s;
  }
  PRI_TRY(pri_folder_list(r->ctx, name, &names, &n));
  if (n == 0) s = PRI_FAIL(r->ctx, PRI_EREAD, "%s: has no image in it", name);
  for (int i = 0; i < n && s == PRI_OK; i++) s = take_name(r, names[i]);
  pri_folder_free(r->ctx, names, n);
  return s;
}

/* Every page of every file, in the order given, folders in natural order. */
static pri_status load(pri_ctx *ctx, const char *const *names, int n, const pri_options *o, pri_array *out, pri_meta *meta) {
  struct reading r = {.ctx = ctx, .patch = o->patch, .crops = o->crops};
  if (o->crops && !o->patch) return PRI_FAIL(ctx, PRI_EPARAM, "--crops %ld: how large? --patch N, pixels of a side", o->crops);
  for (int i = 0; i < n; i++) PRI_TRY(take_name(&r, names[i]));
  PRI_TRY(pri_array_create(ctx, out, &r.shape, r.items));
  r.items = 0, r.out = out;
  for (int i = 0; i < n; i++) PRI_TRY(take_name(&r, names[i]));
  *meta = (pri_meta){.pixel = {r.meta.pixel[0], r.meta.pixel[1], r.meta.pixel[2]}, .bin = {NAN, NAN}, .sod = NAN, .sdd = NAN, .center = NAN}; /* texts end with the file */
  return PRI_OK;
}

/* ---- the three ways */

static pri_status make_operator(pri_ctx *ctx, pri_learn_data *d, const pri_texts *specs, const pri_shape *dom, const pri_shape *ran) {
  if (specs->n) return pri_operators_create(ctx, &d->A, specs, NAN, &d->meta, dom, ran);
  return pri_operator_create(ctx, &d->A, "identity", &d->meta, dom, ran);
}

/* rms(y - A truth): what a measurement is off by */
static pri_status noise_of_pairs(pri_ctx *ctx, pri_learn_data *d, const char *name) {
  pri_array z = {0};
  PRI_TRY(pri_array_create(ctx, &z, &d->train.y.shape, d->train.y.items));
  const pri_status s = pri_operator_apply(d->A, &z, &d->train.truth);
  const ptrdiff_t n = pri_shape_size(&z.shape) * z.items;
  d->sd = sqrt(pri_dist2sq(ctx, z.data, d->train.y.data, n) / (double)n);
  pri_array_destroy(&z);
  if (s != PRI_OK || d->sd > 0) return s;
  return PRI_FAIL(ctx, PRI_EDATA, "%s: the measurements are exactly those of the true images: there is no noise to learn from", name);
}

static pri_status pairs(pri_call *call, pri_learn_data *d) {
  const pri_options *o = call->opts;
  const char *const truth[] = {o->truth};
  pri_meta ignored;
  if (o->patch && o->operators.n) return PRI_FAIL(call->ctx, PRI_EPARAM, "--patch would cut measurements: with --operator it goes with --simulate only");
  PRI_TRY(load(call->ctx, call->inputs, call->n_inputs, o, &d->train.y, &d->meta));
  PRI_TRY(load(call->ctx, truth, 1, o, &d->train.truth, &ignored));
  if (d->train.y.items != d->train.truth.items)
    return PRI_FAIL(call->ctx, PRI_ESHAPE, "%td measurements do not go with %td true images (%s): they are pairs, in order", d->train.y.items, d->train.truth.items, o->truth);
  PRI_TRY(make_operator(call->ctx, d, &o->operators, &d->train.truth.shape, &d->train.y.shape));
  return noise_of_pairs(call->ctx, d, call->inputs[0]);
}

static pri_status simulated(pri_call *call, pri_learn_data *d) {
  const pri_options *o = call->opts;
  const pri_shape none = {0};
  pri_noise *noise;
  if (o->operators.n) return PRI_FAIL(call->ctx, PRI_EPARAM, "--simulate gives the operator: --operator does not go with it");
  if (!o->noise) return PRI_FAIL(call->ctx, PRI_EPARAM, "what noise do the simulated measurements have? --noise gaussian:sd=V, gaussian:relative=V or poisson:photons=V");
  PRI_TRY(load(call->ctx, call->inputs, call->n_inputs, o, &d->train.truth, &d->meta));
  PRI_TRY(make_operator(call->ctx, d, &o->simulate, &d->train.truth.shape, &none));
  PRI_TRY(pri_array_create(call->ctx, &d->train.y, pri_operator_range(d->A), d->train.truth.items));
  PRI_TRY(pri_operator_apply(d->A, &d->train.y, &d->train.truth));
  PRI_TRY(pri_noise_create(call->ctx, &noise, o->noise));
  const pri_status s = pri_noise_add(noise, &d->train.y, 0);
  pri_noise_destroy(&noise);
  return s == PRI_OK ? noise_of_pairs(call->ctx, d, call->inputs[0]) : s;
}

/* root mean square over the samples */
static pri_status estimate(pri_ctx *ctx, pri_learn_data *d) {
  const pri_array *y = &d->train.y;
  const int pictures = !pri_operator_geometry(d->A) && y->shape.nd == 2 && y->shape.n[0] >= 32 && y->shape.n[1] >= 32;
  pri_noise_image *of;
  double *sd, sum = 0;
  PRI_ALLOC(ctx, of, y->items);
  PRI_ALLOC(ctx, sd, y->items);
  pri_status s = pictures ? pri_noise_image_find(ctx, of, y, NULL) : pri_noise_level(ctx, sd, y, NULL);
  for (ptrdiff_t i = 0; i < y->items; i++) sum += pictures ? of[i].sd * of[i].sd : sd[i] * sd[i];
  d->sd = sqrt(sum / (double)y->items);
  pri_free(ctx, of);
  pri_free(ctx, sd);
  return s;
}

static pri_status blind(pri_call *call, pri_learn_data *d) {
  const pri_options *o = call->opts;
  const pri_shape none = {0};
  const char *level = o->noise_level && strcmp(o->noise_level, "auto") ? o->noise_level : NULL;
  double given = NAN;
  if (o->truth || o->simulate.n) return PRI_FAIL(call->ctx, PRI_EPARAM, "--unsupervised learns without true images: --truth and --simulate do not go with it");
  if (level && (strncmp(level, "sd:", 3) || pri_quantity_parse(call->ctx, "--noise-level", level + 3, "1", &given) != PRI_OK || !(given > 0)))
    return PRI_FAIL(call->ctx, PRI_EPARAM, "--noise-level %s: learn takes sd:V, V > 0 in the unit of the data, or auto", level);
  PRI_TRY(load(call->ctx, call->inputs, call->n_inputs, o, &d->train.y, &d->meta));
  PRI_TRY(make_operator(call->ctx, d, &o->operators, &none, &d->train.y.shape));
  d->sd = given;
  if (!level) PRI_TRY(estimate(call->ctx, d));
  if (d->sd > 0 && isfinite(d->sd)) return PRI_OK;
  return PRI_FAIL(call->ctx, PRI_EDATA, "%s: no noise was found in the measurements: --noise-level sd:V", call->inputs[0]);
}

/* ---- samples put aside */

static int aside(ptrdiff_t i, long every) { return every && (i + 1) % every == 0; }

/* Items of `a` that are put aside go to `other`, the rest stay in a. */
static pri_status split(pri_ctx *ctx, pri_array *a, pri_array *other, long every) {
  pri_array kept = {0};
  const ptrdiff_t n = pri_shape_size(&a->shape);
  ptrdiff_t put = a->items / every, at[2] = {0, 0};
  if (!a->items) return PRI_OK;
  PRI_TRY(pri_array_create(ctx, other, &a->shape, put));
  PRI_TRY(pri_array_create(ctx, &kept, &a->shape, a->items - put));
  for (ptrdiff_t i = 0; i < a->items; i++) {
    const int o = aside(i, every);
    pri_copy(ctx, pri_array_item(o ? other : &kept, at[o]++), pri_array_item(a, i), n);
  }
  pri_array_destroy(a);
  *a = kept;
  return PRI_OK;
}

pri_status pri_learn_data_load(pri_call *call, pri_learn_data *d) {
  const pri_options *o = call->opts;
  *d = (pri_learn_data){.sd = NAN};
  if (!o->truth && !o->simulate.n && !o->unsupervised)
    return PRI_FAIL(call->ctx, PRI_EPARAM, "what are the true images? --truth FILE, as many pages as the measurements have, in the same order; "
                    "--simulate OPERATOR --noise SPEC where the inputs are the true images; --unsupervised sure where there are none");
  if (o->truth && o->simulate.n) return PRI_FAIL(call->ctx, PRI_EPARAM, "--truth and --simulate: the true images are either in a file of their own or the inputs");
  PRI_TRY(o->unsupervised ? blind(call, d) : o->simulate.n ? simulated(call, d) : pairs(call, d));
  const long every = o->validate > 0 ? lround(1 / o->validate) : 0;
  if (!every) return PRI_OK;
  if (d->train.y.items < every) return PRI_FAIL(call->ctx, PRI_EPARAM, "--validate %g: of %td samples none can be put aside", o->validate, d->train.y.items);
  PRI_TRY(split(call->ctx, &d->train.y, &d->validate.y, every));
  return split(call->ctx, &d->train.truth, &d->validate.truth, every);
}

void pri_learn_data_fini(pri_learn_data *d) {
  pri_operator_destroy(&d->A);
  pri_array *const all[] = {&d->train.y, &d->train.truth, &d->validate.y, &d->validate.truth};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pri_array_destroy(all[i]);
}
