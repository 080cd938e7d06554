/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_output.c - which writer takes a name, and what all writers share: order of slices, sample type, side file, commit. */
#include "config.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "io_private.h"

static const pri_writer *const writers[] = {&pri_writer_tiff, &pri_writer_hdf5, &pri_writer_npy, &pri_writer_png};
enum { WRITERS = (int)(sizeof writers / sizeof *writers) };

static int same_letters(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if ((a[i] >= 'A' && a[i] <= 'Z' ? a[i] + 32 : a[i]) != b[i]) return 0;
  return 1;
}

static const pri_writer *by_suffix(const char *name) {
  const size_t n = strlen(name);
  for (int i = 0; i < WRITERS; ++i)
    for (const char *const *s = writers[i]->suffixes; *s; ++s)
      if (n > strlen(*s) && same_letters(name + n - strlen(*s), *s, strlen(*s))) return writers[i];
  return NULL;
}

/* "-" is NPY; "tif:-" names its format */
static const pri_writer *by_prefix(const char *name) {
  const char *const colon = strchr(name, ':');
  if (strcmp(name, "-") == 0) return &pri_writer_npy;
  if (!colon || strcmp(colon, ":-")) return NULL;
  for (int i = 0; i < WRITERS; ++i)
    for (const char *const *s = writers[i]->suffixes; *s; ++s)
      if (strlen(*s + 1) == (size_t)(colon - name) && same_letters(name, *s + 1, strlen(*s + 1))) return writers[i];
  return NULL;
}

static pri_status set_dtype(pri_output *o, const pri_output_opts *opts, const char *name) {
  const char *const asked = opts->dtype ? opts->dtype : o->writer == &pri_writer_png ? "u8" : "f32";
  const char *const wanted = strcmp(asked, "same") || !opts->like ? asked : pri_input_describe(opts->like)->dtype;
  const int t = pri_dtype_find(wanted);
  if (t < 0)
    return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: no sample type \"%s\"; there are u8 u16 u32 i8 i16 i32 f16 f32 f64, and same", name, asked);
  o->dtype = (pri_dtype)t;
  o->lo = opts->scale_lo, o->hi = opts->scale_hi;
  return PRI_OK;
}

static pri_status set_shape(pri_output *o, const pri_shape *item, ptrdiff_t items, const char *name) {
  const ptrdiff_t size = pri_shape_size(item);
  if (size < 1 || items < 1 || item->nd < 1) return PRI_FAIL(o->ctx, PRI_ESHAPE, "%s: an image without pixels cannot be written", name);
  if (items > PTRDIFF_MAX / 32 / size) return PRI_FAIL(o->ctx, PRI_ESHAPE, "%s: more pixels than can be addressed", name);
  o->item = *item, o->items = items;
  o->width = item->n[item->nd - 1];
  o->height = item->nd > 1 ? item->n[item->nd - 2] : 1;
  o->pages = size / (o->width * o->height);
  return PRI_OK;
}

pri_status pri_output_buffer(pri_output *o) {
  const size_t row = (size_t)o->width * pri_dtype_bytes(o->dtype);
  o->buffer_rows = row < 1 << 18 ? (1 << 18) / (ptrdiff_t)row : 1;
  if (o->buffer_rows > o->height) o->buffer_rows = o->height;
  o->buffer = pri_calloc(o->ctx, (size_t)o->buffer_rows, row);
  return o->buffer ? PRI_OK : pri_ctx_code(o->ctx);
}

/* a side file that is in the way is found before anything is computed, too */
static pri_status check_side(pri_output *o, const char *target) {
  struct stat st;
  char *side;
  if (!o->writer->sidecar || o->sink.pipe || o->sink.overwrite) return PRI_OK;
  PRI_TRY(pri_side_name(o->ctx, target, &side));
  const pri_status s = stat(side, &st) < 0 ? PRI_OK : PRI_FAIL(o->ctx, PRI_EWRITE, "%s: exists (-f overwrites)", side);
  pri_free(o->ctx, side);
  return s;
}

static pri_status open_target(pri_output *o, const char *name, const pri_output_opts *opts) {
  char *file = NULL;
  o->writer = by_prefix(name);
  if (o->writer) {
    PRI_TRY(pri_sink_open(o->ctx, &o->sink, "-", 1));
    return set_dtype(o, opts, name);
  }
  PRI_TRY(pri_name_split(o->ctx, name, &file, &o->inside));
  o->writer = by_suffix(file);
  pri_status s = PRI_OK;
  if (!o->writer)
    s = PRI_FAIL(o->ctx, PRI_EPARAM, "%s: the suffix chooses the format: .tif .tiff .h5 .hdf5 .npy .png, or \"npy:-\" \"tif:-\" for standard output", name);
  else if (o->inside && o->writer != &pri_writer_hdf5) s = PRI_FAIL(o->ctx, PRI_EPARAM, "%s: only HDF5 files have paths inside", name);
  if (s == PRI_OK) s = set_dtype(o, opts, name);
  if (s == PRI_OK) s = pri_sink_open(o->ctx, &o->sink, file, opts->overwrite);
  if (s == PRI_OK) s = check_side(o, file);
  pri_free(o->ctx, file);
  return s;
}

/* ---- planes of the result and of the input that it is like */

ptrdiff_t pri_output_plane(const pri_output *o, ptrdiff_t item, ptrdiff_t k) {
  return (item / o->stride * o->pages + k) * o->stride + item % o->stride;
}

ptrdiff_t pri_output_origin(const pri_output *o, ptrdiff_t plane) {
  const ptrdiff_t rest = plane % (o->pages * o->stride), k = rest / o->stride, item = plane / (o->pages * o->stride) * o->stride + rest % o->stride;
  const pri_input *const in = o->like;
  const ptrdiff_t from = o->source ? o->source[item] : in->info.items == o->items ? item : 0;
  if (!in->group) return from;
  return pri_input_plane(in, from, o->pages == in->group ? k : k * in->group / o->pages);
}

/* time points (with every other axis), slices, channels: what the input's axes tell, where all of it is there; else how the result lies */
static void count_planes(pri_output *o) {
  const pri_input *const in = o->like;
  const int grown = in->axis == 'c' ? 2 : 1;             /* the axis that items with other numbers of planes have */
  for (int i = 0; o->whole && i < in->info.nd - 2; ++i) {
    const char a = in->info.axes[i];
    o->counts[a == 'z' ? 1 : a == 'c' ? 2 : 0] *= in->info.shape[i];
  }
  if (!o->whole) o->counts[in->axis == 'z' ? 0 : 1] = o->items;
  if (!o->whole || !in->group) o->counts[grown] *= o->pages;
  else o->counts[grown] = o->pages;
}

static pri_status set_like(pri_output *o, const pri_output_opts *opts) {
  const pri_input *const in = o->like = opts->like;
  o->stride = 1;
  o->counts[0] = o->counts[1] = o->counts[2] = 1;
  for (int k = 0; k < 3; ++k) o->pitch[k] = opts->pitch[k] > 0 ? opts->pitch[k] : 1;
  if (!in) return PRI_OK;
  o->whole = in->info.items == o->items;
  if (opts->source) {
    PRI_ALLOC(o->ctx, o->source, o->items);
    memcpy(o->source, opts->source, (size_t)o->items * sizeof *o->source);
    for (ptrdiff_t i = 0; i < o->items; ++i) o->whole &= o->source[i] == i;
  }
  o->same_planes = o->whole && o->pages == (in->group ? in->group : 1);
  if (o->whole) o->stride = in->stride;
  count_planes(o);
  return PRI_OK;
}

static pri_status create(pri_output *o, const char *name, const pri_shape *item, ptrdiff_t items, const pri_output_opts *opts) {
  PRI_TRY(set_shape(o, item, items, name));
  memcpy(o->pixel, opts->pixel, sizeof o->pixel);
  o->compression = opts->compression;
  o->bigtiff = opts->bigtiff;
  o->least = (double)INFINITY, o->most = -(double)INFINITY;
  PRI_TRY(set_like(o, opts));
  PRI_TRY(open_target(o, name, opts));
  PRI_TRY(pri_output_buffer(o));
  return o->writer->open(o);
}

pri_status pri_output_create(pri_ctx *ctx, pri_output **out, const char *name, const pri_shape *item, ptrdiff_t items,
                             const pri_output_opts *opts) {
  static const pri_output_opts defaults;
  pri_output *const o = *out = pri_calloc(ctx, 1, sizeof *o);
  if (!o) return pri_ctx_code(ctx);
  o->ctx = ctx;
  o->sink.fd = o->side.fd = -1;
  const pri_status s = create(o, name, item, items, opts ? opts : &defaults);
  if (s != PRI_OK) pri_output_destroy(out);
  return s;
}

static void note_range(pri_output *o, const pri_real *src, ptrdiff_t n) {
  double lo = o->least, hi = o->most;
  for (ptrdiff_t i = 0; i < n; ++i) {
    const double v = (double)src[i];
    if (!isfinite(v)) continue;
    lo = v < lo ? v : lo, hi = v > hi ? v : hi;
  }
  o->least = lo, o->most = hi;
}

double pri_output_value(const pri_output *o, double x) {
  const pri_real v = (pri_real)x;
  unsigned char raw[8];
  double back = x;
  (void)pri_samples_encode(raw, &v, o->dtype, 1, o->lo, o->hi);
  pri_samples_double(&back, raw, o->dtype, 0, 1);
  return back;
}

pri_status pri_output_write(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  if (first != o->next || items < 0 || items > o->items - first)
    return PRI_FAIL(o->ctx, PRI_ESHAPE, "%s: slices %td to %td are written where %td to %td are due", o->sink.target, first, first + items,
        o->next, o->items);
  if (o->sink.fd < 0) return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: is finished or has failed already", o->sink.target);
  note_range(o, src, items * o->pages * o->height * o->width);
  const pri_status s = o->writer->write(o, src, first, items);
  if (s == PRI_OK) o->next += items;
  return s;
}

static pri_status write_side(pri_output *o, const char *provenance) {
  char *name;
  if (!o->writer->sidecar || o->sink.pipe || !provenance) return PRI_OK;
  PRI_TRY(pri_side_name(o->ctx, o->sink.target, &name));
  pri_status s = pri_sink_open(o->ctx, &o->side, name, o->sink.overwrite);
  pri_free(o->ctx, name);
  if (s == PRI_OK) s = pri_sink_write(&o->side, provenance, strlen(provenance));
  if (s == PRI_OK) s = pri_sink_write(&o->side, "\n", 1);
  return s == PRI_OK ? pri_sink_flush(&o->side) : s;
}

/* an older result's side file would speak for pixels that are gone */
static pri_status remove_stale_side(pri_output *o, const char *provenance) {
  char *name;
  if (!o->writer->sidecar || o->sink.pipe || provenance || !o->sink.overwrite) return PRI_OK;
  PRI_TRY(pri_side_name(o->ctx, o->sink.target, &name));
  if (remove(name) < 0 && errno != ENOENT)
    pri_log(o->ctx, PRI_LOG_WARN, "%s: belongs to an older result and cannot be removed: %s", name, strerror(errno));
  pri_free(o->ctx, name);
  return PRI_OK;
}

static pri_status finish(pri_output *o, const char *provenance) {
  if (o->next != o->items) return PRI_FAIL(o->ctx, PRI_ESHAPE, "%s: %td of %td slices were written", o->sink.target, o->next, o->items);
  if (o->like && o->dtype < PRI_F16 && !(o->hi > o->lo))
    pri_log(o->ctx, PRI_LOG_DEBUG, "%s: written as %s: values as they are, rounded", o->sink.target, pri_dtype_name(o->dtype));
  if (o->dtype < PRI_F16 && o->hi > o->lo)
    pri_log(o->ctx, PRI_LOG_INFO, "%s: written as %s: %g became 0 and %g the largest value", o->sink.target, pri_dtype_name(o->dtype), o->lo, o->hi);
  if (o->clipped)
    pri_log(o->ctx, PRI_LOG_WARN, "%s: %td pixels were clipped to the range of %s", o->sink.target, o->clipped, pri_dtype_name(o->dtype));
  PRI_TRY(o->writer->finish(o, provenance));
  PRI_TRY(pri_sink_flush(&o->sink));
  PRI_TRY(write_side(o, provenance));
  if (o->side.ctx) PRI_TRY(pri_sink_commit(&o->side));   /* first: data without their provenance would look finished */
  PRI_TRY(remove_stale_side(o, provenance));
  return pri_sink_commit(&o->sink);
}

pri_status pri_output_finish(pri_output *o, const char *provenance) {
  if (o->sink.fd < 0) return PRI_FAIL(o->ctx, PRI_EWRITE, "%s: is finished or has failed already", o->sink.target);
  const pri_status s = finish(o, provenance);
  if (s != PRI_OK && o->sink.fd >= 0 && o->sink.temp) remove(o->sink.temp);
  return s;
}

const char *pri_output_temporary(const pri_output *o) { return o->sink.temp; }

size_t pri_output_memory(const pri_output *o) {
  return (size_t)(o->buffer_rows * o->width) * pri_dtype_bytes(o->dtype) + (o->writer->memory ? o->writer->memory(o) : 0);
}

void pri_output_destroy(pri_output **p) {
  pri_output *const o = *p;
  if (!o) return;
  if (o->writer && o->writer->close) o->writer->close(o);
  pri_sink_discard(&o->side);
  pri_sink_discard(&o->sink);
  pri_free(o->ctx, o->buffer);
  pri_free(o->ctx, o->source);
  pri_free(o->ctx, o->inside);
  pri_free(o->ctx, o);
  *p = NULL;
}
