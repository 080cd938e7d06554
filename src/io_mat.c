/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_mat.c - MAT version 5. Taken is, in this order: the variable that "file.mat:/NAME" names; a struct with a field `sinogram` (those of the
 * Helsinki Tomography Challenge 2022 bring their geometry along, in `parameters`); the only numeric array. Arrays are column-major:
 * (views, bins) as MATLAB shows it is [view][bin] here, a third axis counts slices. Complex, sparse and cell arrays are refused.
 * The variable is kept in memory, uncompressed: the format allows nothing else.
 * Angles are degrees and run as this project's do (ccw, rays along +y at 0): checked on a real scan against its truth.
 */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include "io_mat.h"

enum { HEADER = 128, MI_COMPRESSED = 15, INPUT = 1 << 16 };
static const double LARGEST_RATIO = 1040;    /* of zlib: 258 bytes from 2 bits, and some slack */
typedef struct { unsigned char *data; size_t bytes; } block;    /* one top-level element with its tag */
struct mat {
  block kept;
  mat_array array;             /* within kept */
  pri_dtype type;
  const unsigned char *samples;
  int swap, rank;              /* of what is kept: 3 named, 2 sinogram, 1 numeric; 0: none */
  int numeric;                 /* arrays that would do */
  char candidates[512];
};

static int knows(const unsigned char *head, size_t n) { return n >= 14 && memcmp(head, "MATLAB 5.0 MAT", 14) == 0; }

static pri_status damaged(const pri_input *in, const char *what) {
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated or damaged: %s", in->info.file, what);
}

/* ---- top-level elements */

typedef struct { z_stream z; int64_t at, end; unsigned char buf[INPUT]; } inflater;

/* 0: the file cannot be read */
static int refill(const pri_input *in, inflater *f) {
  if (f->z.avail_in > 0 || f->at >= f->end) return 1;
  const size_t k = f->end - f->at < INPUT ? (size_t)(f->end - f->at) : INPUT;
  if (pri_source_some(&in->source, f->buf, k, f->at) != (ptrdiff_t)k) return 0;
  f->z.next_in = f->buf, f->z.avail_in = (uInt)k, f->at += (int64_t)k;
  return 1;
}

/* exactly n bytes; 0: fewer came out, or they are damaged */
static int take(const pri_input *in, inflater *f, unsigned char *out, size_t n) {
  f->z.next_out = out;
  while (n > 0 || f->z.avail_out > 0) {
    if (f->z.avail_out == 0) f->z.avail_out = n > 1u << 30 ? 1u << 30 : (uInt)n, n -= f->z.avail_out;
    if (!refill(in, f)) return 0;
    const uInt before = f->z.avail_out, fed = f->z.avail_in;
    const int code = inflate(&f->z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) return n == 0 && f->z.avail_out == 0;
    if (code != Z_OK || (f->z.avail_out == before && f->z.avail_in == fed)) return 0;
  }
  return 1;
}

/* the checksum at the end of the stream is what tells a cut file from a whole one */
static int take_end(const pri_input *in, inflater *f) {
  unsigned char none;
  for (;;) {
    if (!refill(in, f)) return 0;
    const uInt fed = f->z.avail_in;
    f->z.next_out = &none, f->z.avail_out = 0;
    const int code = inflate(&f->z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) return 1;
    if ((code != Z_OK && code != Z_BUF_ERROR) || f->z.avail_in == fed) return 0;
  }
}

static pri_status inflate_block(pri_input *in, inflater *f, block *b) {
  const struct mat *const m = in->priv;
  unsigned char tag[8];
  if (!take(in, f, tag, 8)) return damaged(in, "a compressed variable");
  b->bytes = 8 + (size_t)pri_mat_u32(tag + 4, m->swap);
  PRI_TRY(pri_declared_size(in, (double)b->bytes, (double)(f->end - f->at + INPUT), LARGEST_RATIO));
  PRI_ALLOC(in->ctx, b->data, b->bytes);
  memcpy(b->data, tag, 8);
  return take(in, f, b->data + 8, b->bytes - 8) && take_end(in, f) ? PRI_OK : damaged(in, "a compressed variable");
}

static pri_status read_compressed(pri_input *in, int64_t at, int64_t end, block *b) {
  inflater *f;
  PRI_ALLOC(in->ctx, f, 1);
  f->at = at, f->end = end;
  pri_status s = inflateInit(&f->z) == Z_OK ? PRI_OK : PRI_FAIL(in->ctx, PRI_ENOMEM, "%s: out of memory in zlib", in->info.file);
  if (s == PRI_OK) s = inflate_block(in, f, b);
  inflateEnd(&f->z);
  pri_free(in->ctx, f);
  return s;
}

static pri_status read_plain(pri_input *in, int64_t at, int64_t end, block *b) {
  b->bytes = (size_t)(end - at);
  PRI_ALLOC(in->ctx, b->data, b->bytes);
  return pri_source_read(in->ctx, &in->source, b->data, b->bytes, at);
}

/* the element at *at, which moves behind it */
static pri_status read_block(pri_input *in, int64_t *at, block *b) {
  const struct mat *const m = in->priv;
  unsigned char tag[8];
  *b = (block){0};
  PRI_TRY(pri_source_read(in->ctx, &in->source, tag, 8, *at));
  const uint32_t type = pri_mat_u32(tag, m->swap);
  const int64_t first = *at, end = first + 8 + (int64_t)pri_mat_u32(tag + 4, m->swap);
  if (end > in->source.size) return damaged(in, "a variable is longer than the file");
  *at = type == MI_COMPRESSED ? end : first + (end - first + 7) / 8 * 8;
  return type == MI_COMPRESSED ? read_compressed(in, first + 8, end, b) : read_plain(in, first, end, b);
}

/* ---- which variable */

static void add_candidate(struct mat *m, const mat_array *a) {
  const size_t n = strlen(m->candidates);
  snprintf(m->candidates + n, sizeof m->candidates - n, "%s%s", n ? ", " : "", a->name);
  ++m->numeric;
}

static int rank_of(struct mat *m, const mat_array *a, const char *wanted, mat_array *chosen) {
  mat_array field;
  *chosen = *a;
  const int sinogram = a->class == MAT_STRUCT && pri_mat_field(a, "sinogram", &field);
  const int numeric = a->class >= MAT_DOUBLE && a->class <= MAT_UINT64 && !a->complex && a->size > 0;
  if (sinogram || numeric) add_candidate(m, a);
  if (wanted && strcmp(a->name, wanted + 1)) return 0;
  if (sinogram) return *chosen = field, wanted ? 3 : 2;
  return numeric ? wanted ? 3 : 1 : 0;
}

static pri_status set_geometry(pri_input *in, const mat_array *a);

static pri_status consider(pri_input *in, block *b, const char *wanted) {
  struct mat *const m = in->priv;
  mat_bytes bytes = {b->data, b->data + b->bytes, m->swap};
  mat_array a, chosen;
  if (!pri_mat_array(&bytes, &a)) return damaged(in, "a variable");
  const int rank = rank_of(m, &a, wanted, &chosen);
  if (rank <= m->rank) return PRI_OK;
  pri_free(in->ctx, m->kept.data);
  m->kept = *b, m->rank = rank, m->array = chosen;
  b->data = NULL;
  return a.class == MAT_STRUCT ? set_geometry(in, &a) : PRI_OK;
}

static pri_status choose(pri_input *in, const char *wanted) {
  struct mat *const m = in->priv;
  for (int64_t at = HEADER; at < in->source.size;) {
    block b;
    pri_status s = read_block(in, &at, &b);
    if (s == PRI_OK) s = consider(in, &b, wanted);
    pri_free(in->ctx, b.data);
    PRI_TRY(s);
  }
  if (m->rank > 1 || (m->rank == 1 && m->numeric == 1)) return PRI_OK;
  if (!m->candidates[0]) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: has no numeric array and no struct with a sinogram", in->info.file);
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: %s%s; name one of %s as FILE:/NAME", in->info.file,
      wanted ? "has no array " : "has several arrays", wanted ? wanted + 1 : "", m->candidates);
}

/* ---- geometry of the HTC2022 kind */

static double length_of(const mat_array *p, const char *name, double mm) {
  mat_array a;
  double v;
  return pri_mat_field(p, name, &a) && pri_mat_number(&a, &v) && v > 0 ? v * mm : (double)NAN;
}

static pri_status set_angles(pri_input *in, const mat_array *p) {
  mat_array a;
  pri_dtype type;
  const unsigned char *data;
  double *angles;
  if (!pri_mat_field(p, "angles", &a) || a.size < 1 || !pri_mat_samples(&a, &type, &data)) return PRI_OK;
  PRI_ALLOC(in->ctx, angles, a.size);
  pri_free(in->ctx, (void *)(uintptr_t)in->info.meta.angles);
  in->info.meta.angles = angles;
  in->info.meta.nangles = a.size;
  pri_samples_double(angles, data, type, a.rest.swap, a.size);
  for (ptrdiff_t i = 0; i < a.size; ++i) {
    if (!isfinite(angles[i])) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: angle %td is not finite", in->info.file, i);
    angles[i] *= 3.14159265358979323846 / 180;
  }
  return PRI_OK;
}

static json_t *parameters(pri_input *in, const mat_array *p) {
  json_t *const o = json_object();
  char name[64], text[256];
  mat_array a;
  double v;
  for (int i = 0; pri_mat_field_at(p, i, name, &a); ++i) {
    if (pri_mat_text(&a, text, sizeof text)) json_object_set_new(o, name, pri_text_json(in->ctx, text, strlen(text)));
    else if (pri_mat_number(&a, &v) && isfinite(v)) json_object_set_new(o, name, pri_number_json(v));
  }
  return o;
}

static pri_status set_geometry(pri_input *in, const mat_array *s) {
  pri_meta *const meta = &in->info.meta;
  mat_array p, a;
  char text[32] = "mm";
  if (!pri_mat_field(s, "parameters", &p)) return PRI_OK;
  if (pri_mat_field(&p, "distanceUnit", &a)) pri_mat_text(&a, text, sizeof text);
  double mm = pri_unit_mm(text);
  if (!isfinite(mm)) {
    pri_log(in->ctx, PRI_LOG_WARN, "%s: its unit of length \"%s\" is not known; mm is assumed", in->info.file, text);
    mm = 1;
  }
  meta->sod = length_of(&p, "distanceSourceOrigin", mm);
  meta->sdd = length_of(&p, "distanceSourceDetector", mm);
  meta->bin[0] = length_of(&p, "pixelSizePost", mm);
  meta->pixel[0] = meta->pixel[1] = length_of(&p, "effectivePixelSizePost", mm);
  if (pri_mat_field(&p, "geometryType", &a) && pri_mat_text(&a, text, sizeof text))
    meta->beam = strcmp(text, "Parallel") ? PRI_FAN_FLAT : PRI_PARALLEL;
  else if (isfinite(meta->sod)) meta->beam = PRI_FAN_FLAT;
  if (isfinite(meta->pixel[0])) PRI_TRY(pri_info_pixel(in, meta->pixel[0], meta->pixel[1], (double)NAN, "mm", 1));
  PRI_TRY(pri_info_json(in, &in->info.metadata, json_pack("{s:s,s:o}", "variable", s->name, "parameters", parameters(in, &p))));
  return set_angles(in, &p);
}

/* ---- the reader */

static pri_status set_samples(pri_input *in) {
  struct mat *const m = in->priv;
  const mat_array *const a = &m->array;
  ptrdiff_t shape[PRI_MAXDIM];
  if (!pri_mat_samples(a, &m->type, &m->samples)) return damaged(in, "the samples of an array, or they are complex");
  in->info.dtype = pri_dtype_name(m->type);
  for (int k = 2; k < a->nd; ++k) shape[a->nd - 1 - k] = a->dim[k];      /* the last axis is the slowest */
  const int nd = a->nd < 2 ? 2 : a->nd;
  shape[nd - 2] = a->dim[0];
  shape[nd - 1] = a->nd < 2 ? 1 : a->dim[1];
  return pri_info_shape(in, nd, shape, NULL);
}

static pri_status open_file(pri_input *in, const char *inside) {
  unsigned char head[HEADER];
  struct mat *m;
  PRI_TRY(pri_source_read(in->ctx, &in->source, head, HEADER, 0));
  const int little = head[126] == 'I' && head[127] == 'M', big = head[126] == 'M' && head[127] == 'I';
  if (!little && !big) return damaged(in, "its header names no byte order");
  PRI_ALLOC(in->ctx, m, 1);
  in->priv = m;
  m->swap = big != pri_big_endian();
  PRI_TRY(choose(in, inside));
  return set_samples(in);
}

static pri_status read_items(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct mat *const m = in->priv;
  const ptrdiff_t rows = in->plane.n[0], columns = in->plane.n[1], bytes = (ptrdiff_t)pri_dtype_bytes(m->type);
  for (ptrdiff_t k = first; k < first + items; ++k)
    for (ptrdiff_t y = 0; y < rows; ++y, dst += columns)
      pri_samples_decode(dst, m->samples + (k * rows * columns + y) * bytes, m->type, m->swap, columns, rows);
  return PRI_OK;
}

static pri_status read_double(pri_input *in, double *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct mat *const m = in->priv;
  const ptrdiff_t rows = in->plane.n[0], columns = in->plane.n[1], bytes = (ptrdiff_t)pri_dtype_bytes(m->type);
  for (ptrdiff_t k = first; k < first + items; ++k)
    for (ptrdiff_t y = 0; y < rows; ++y)
      for (ptrdiff_t x = 0; x < columns; ++x)
        pri_samples_double(dst++, m->samples + (k * rows * columns + x * rows + y) * bytes, m->type, m->swap, 1);
  return PRI_OK;
}

static size_t memory(const pri_input *in) { return ((const struct mat *)in->priv)->kept.bytes; }

static void close_file(pri_input *in) {
  struct mat *const m = in->priv;
  if (!m) return;
  pri_free(in->ctx, m->kept.data);
  pri_free(in->ctx, m);
}

const pri_reader pri_reader_mat = {"mat", knows, open_file, read_items, memory, close_file, read_double};
