/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_flatfield.c - transmission from counts: T = (I - D) / (F - D), F and D means of the flat and dark frames in double, for each
 * slice and bin (spec rising_ct 7). No dark field: D = 0. Where F <= D the pixel is dead: T is the line through the nearest good bins.
 *
 * A frame file holds [slice][frame][bin] (HDF5), [frame][slice][bin] (other formats with several images), [slice][bin] (one image), or
 * one row of bins; `order` says otherwise. Where a file holds one slice only it serves all.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "par.h"
#include "priori/filter.h"
#include "priori/io.h"

enum { AUTO, SLICES, FRAMES };
struct flatfield {
  char *flat, *dark;
  int order;
  ptrdiff_t views, bins, slices;
  double *open, *none;          /* [slices][bins] 1 / (F - D), NAN where dead; D */
};
struct field { ptrdiff_t slices; double *mean; };
struct run { const struct flatfield *p; pri_real *out; const pri_real *in; const ptrdiff_t *slice; };

/* rows of a frame file: which (slice, frame) row r of item i is */
static int slices_first(const struct flatfield *p, const pri_input_info *info) {
  return p->order == SLICES || (p->order == AUTO && !strcmp(info->format, "hdf5"));
}

static pri_status average(pri_ctx *ctx, struct field *f, const pri_array *a, ptrdiff_t bins, int by_slice) {
  const ptrdiff_t rows = pri_shape_size(&a->shape) / bins;
  const ptrdiff_t frames = by_slice ? rows : a->items;
  f->slices = by_slice ? a->items : rows;
  PRI_ALLOC(ctx, f->mean, f->slices * bins);
  for (ptrdiff_t i = 0; i < a->items; i++)
    for (ptrdiff_t r = 0; r < rows; r++)
      for (ptrdiff_t j = 0; j < bins; j++)
        f->mean[(by_slice ? i : r) * bins + j] += (double)a->data[(i * rows + r) * bins + j] / (double)frames;
  return PRI_OK;
}

static pri_status load(pri_ctx *ctx, const struct flatfield *p, const char *name, struct field *f) {
  pri_input *in;
  pri_array a = {0};
  PRI_TRY(pri_input_open(ctx, &in, name));
  const pri_input_info *info = pri_input_describe(in);
  pri_status s = PRI_OK;
  if (info->item.n[info->item.nd - 1] != p->bins)
    s = PRI_FAIL(ctx, PRI_ESHAPE, "flatfield: %s has rows of %td bins, the data have %td", name, info->item.n[info->item.nd - 1], p->bins);
  if (s == PRI_OK) s = pri_array_create(ctx, &a, &info->item, info->items);
  if (s == PRI_OK) s = pri_input_read(in, a.data, 0, a.items);
  if (s == PRI_OK) s = average(ctx, f, &a, p->bins, slices_first(p, info));
  pri_array_destroy(&a);
  pri_input_close(&in);
  return s;
}

static pri_status combine(pri_ctx *ctx, struct flatfield *p, const struct field *flat, const struct field *dark) {
  ptrdiff_t dead = 0;
  p->slices = flat->slices > dark->slices ? flat->slices : dark->slices;
  if (flat->slices != 1 && dark->slices > 1 && flat->slices != dark->slices)
    return PRI_FAIL(ctx, PRI_ESHAPE, "flatfield: %td slices of flat fields but %td of dark fields", flat->slices, dark->slices);
  PRI_ALLOC(ctx, p->open, p->slices * p->bins);
  PRI_ALLOC(ctx, p->none, p->slices * p->bins);
  for (ptrdiff_t i = 0; i < p->slices * p->bins; i++) {
    const ptrdiff_t j = i % p->bins;
    const double F = flat->mean[flat->slices == 1 ? j : i], D = !dark->mean ? 0 : dark->mean[dark->slices == 1 ? j : i];
    p->none[i] = D;
    p->open[i] = F > D && isfinite(F - D) ? 1 / (F - D) : NAN;
    dead += isnan(p->open[i]);
  }
  if (dead == p->slices * p->bins) return PRI_FAIL(ctx, PRI_EDATA, "flatfield: no pixel of %s is brighter than the dark field", p->flat);
  if (dead) pri_log(ctx, PRI_LOG_WARN, "flatfield: %td of %td pixels are dead (flat field not above dark field): neighbours stand in", dead, p->slices * p->bins);
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct flatfield *p = priv;
  struct field flat = {0}, dark = {0};
  (void)meta;
  if (in->nd != 2) return PRI_FAIL(ctx, PRI_ESHAPE, "flatfield: data have %d axes instead of view and bin", in->nd);
  if (!p->flat) return PRI_FAIL(ctx, PRI_EPARAM, "flatfield: the data bring no flat field along: name one with flat=FILE (and dark=FILE)");
  p->views = in->n[0], p->bins = in->n[1];
  *out = *in;
  pri_status s = load(ctx, p, p->flat, &flat);
  if (s == PRI_OK && p->dark) s = load(ctx, p, p->dark, &dark);
  if (s == PRI_OK) s = combine(ctx, p, &flat, &dark);
  pri_free(ctx, flat.mean);
  pri_free(ctx, dark.mean);
  return s;
}

/* the dead bins of a row take the line through the nearest good ones */
static void mend(pri_real *row, const double *open, ptrdiff_t n) {
  ptrdiff_t last = -1;
  for (ptrdiff_t i = 0; i <= n; i++) {
    if (i < n && isnan(open[i])) continue;
    for (ptrdiff_t j = last + 1; j < i; j++) {
      const double t = last < 0 ? 1 : i == n ? 0 : (double)(j - last) / (double)(i - last);
      row[j] = last < 0 && i == n ? (pri_real)NAN : (pri_real)((t < 1 ? (1 - t) * (double)row[last] : 0) + (t > 0 ? t * (double)row[i] : 0));
    }
    last = i;
  }
}

static pri_status views(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  const ptrdiff_t n = r->p->bins;
  (void)worker;
  for (ptrdiff_t v = first; v < last; v++) {
    const ptrdiff_t slice = r->p->slices == 1 ? 0 : r->slice[v / r->p->views];
    const double *open = r->p->open + slice * n, *none = r->p->none + slice * n;
    for (ptrdiff_t j = 0; j < n; j++) r->out[v * n + j] = (pri_real)(((double)r->in[v * n + j] - none[j]) * open[j]);
    mend(r->out + v * n, open, n);
  }
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct flatfield *p = priv;
  struct run r = {p, out, in, slice};
  (void)scratch;
  for (ptrdiff_t i = 0; i < items && p->slices > 1; i++)
    if (slice[i] < 0 || slice[i] >= p->slices)
      return PRI_FAIL(ctx, PRI_ESHAPE, "flatfield: slice %td has no flat field: %s holds %td slices", slice[i], p->flat, p->slices);
  return pri_par_for(ctx, items * p->views, 16, views, &r);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct flatfield *p = priv;
  pri_free(ctx, p->open);
  pri_free(ctx, p->none);
}

static const char *const orders[] = {"auto", "slices", "frames", NULL};
static const pri_param params[] = {
    {.name = "flat", .unit = "", .help = "frames of the open beam (filled in from a Data Exchange file)",
     .type = PRI_FILE, .flags = PRI_P_FROM_META, .offset = offsetof(struct flatfield, flat)},
    {.name = "dark", .unit = "", .help = "frames without beam; none: 0",
     .type = PRI_FILE, .flags = PRI_P_FROM_META, .offset = offsetof(struct flatfield, dark)},
    {.name = "order", .unit = "", .help = "first axis of the frame files (auto: slices in HDF5, frames otherwise)",
     .type = PRI_CHOICE, .offset = offsetof(struct flatfield, order), .choices = orders, .def = AUTO},
    {0}};
static const char *const examples[] = {NULL};
const pri_filter_class pri_filter_flatfield = {
    .kind = {"flatfield", "transmission from counts by flat and dark fields", "", sizeof(struct flatfield), params, examples}, .init = init, .run = run, .fini = fini};
