/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_npy.c - NPY 1.0 to 3.0: "\x93NUMPY", version, length of the header, a Python dictionary of descr, fortran_order, shape, samples.
 * Numbers of 8 to 64 bits in both byte orders, C and Fortran order, 1 to 5 axes. Objects, texts, records and complex numbers are refused.
 * In Fortran order the leading (slice) axes vary fastest in the file, so that slices are gathered fibre by fibre through a buffer.
 */
#include "config.h"
#include <stdio.h>
#include <string.h>
#include "io_private.h"

enum { BUFFER = 1 << 21, LONGEST_HEADER = 1 << 16 };
struct npy {
  pri_dtype type;
  int swap, fortran;
  int64_t start;           /* of the samples */
  unsigned char *buffer;   /* [BUFFER] */
};

/* ---- the dictionary */

typedef struct { const char *p, *end; } text;

static void skip_blank(text *t) {
  while (t->p < t->end && (*t->p == ' ' || *t->p == '\n' || *t->p == '\t' || *t->p == '\r')) ++t->p;
}

static int take(text *t, char c) {
  skip_blank(t);
  return t->p < t->end && *t->p == c ? (++t->p, 1) : 0;
}

/* 'text' or "text" */
static int take_string(text *t, char *out, size_t room) {
  const char quote = take(t, '\'') ? '\'' : take(t, '"') ? '"' : 0;
  size_t n = 0;
  if (!quote) return 0;
  while (t->p < t->end && *t->p != quote && n + 1 < room) out[n++] = *t->p++;
  out[n] = 0;
  return t->p < t->end && *t->p++ == quote;
}

static int take_word(text *t, const char *word) {
  const size_t n = strlen(word);
  skip_blank(t);
  return (size_t)(t->end - t->p) >= n && memcmp(t->p, word, n) == 0 ? (t->p += n, 1) : 0;
}

/* (3, 4) or (3,) -> number of axes; -1: malformed */
static int take_shape(text *t, ptrdiff_t shape[PRI_MAXDIM]) {
  int nd = 0;
  if (!take(t, '(')) return -1;
  while (!take(t, ')')) {
    ptrdiff_t v = 0;
    if (nd == PRI_MAXDIM || t->p == t->end || *t->p < '0' || *t->p > '9') return -1;
    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; ++t->p) {
      if (v > PTRDIFF_MAX / 16) return -1;
      v = 10 * v + (*t->p - '0');
    }
    take(t, 'L');
    shape[nd++] = v;
    if (!take(t, ',') && !(t->p < t->end && *t->p == ')')) return -1;
  }
  return nd;
}

static int parse_descr(struct npy *f, const char *descr) {
  int found = 0;
  const char order = descr[0], kind = order ? descr[1] : 0;
  if (!order || !strchr("<>|=", order) || !kind || descr[2] < '1' || descr[2] > '8' || descr[3]) return 0;
  f->type = pri_dtype_of(kind == 'b' ? 'u' : kind, (size_t)(descr[2] - '0'), &found);
  f->swap = order == '>' ? !pri_big_endian() : order == '<' ? pri_big_endian() : 0;
  return found && (kind != 'b' || descr[2] == '1');
}

/* number of axes; -1: malformed, -2: of a type that holds no real numbers (descr says which) */
static int parse_header(struct npy *f, text t, ptrdiff_t shape[PRI_MAXDIM], char descr[64]) {
  int nd = -1, seen = 0, good = 1;
  char key[32];
  descr[0] = 0;
  if (!take(&t, '{')) return -1;
  while (!take(&t, '}')) {
    if (!take_string(&t, key, sizeof key) || !take(&t, ':')) return -1;
    if (strcmp(key, "descr") == 0) {
      if (!take_string(&t, descr, 64)) return -2;          /* a list: records */
      good = parse_descr(f, descr);
      seen |= 1;
    } else if (strcmp(key, "fortran_order") == 0) {
      f->fortran = take_word(&t, "True");
      if (!f->fortran && !take_word(&t, "False")) return -1;
      seen |= 2;
    } else if (strcmp(key, "shape") == 0) {
      if ((nd = take_shape(&t, shape)) < 0) return -1;
      seen |= 4;
    } else {
      return -1;
    }
    take(&t, ',');
  }
  return seen != 7 ? -1 : good ? nd : -2;
}

/* ---- reading */

static int knows(const unsigned char *head, size_t n) { return n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0; }

static pri_status read_header(pri_input *in, char **out, size_t *length) {
  struct npy *const f = in->priv;
  unsigned char head[12];
  PRI_TRY(pri_source_read(in->ctx, &in->source, head, 10, 0));
  if (head[6] < 1 || head[6] > 3) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: NPY version %d is not 1, 2 or 3", in->info.file, head[6]);
  f->start = head[6] == 1 ? 10 : 12;
  if (head[6] > 1) PRI_TRY(pri_source_read(in->ctx, &in->source, head, 12, 0));
  *length = (size_t)head[8] | (size_t)head[9] << 8;
  if (head[6] > 1) *length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
  if (*length > LONGEST_HEADER)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: its header of %zu bytes is longer than %d", in->info.file, *length, LONGEST_HEADER);
  PRI_ALLOC(in->ctx, *out, *length + 1);
  const int64_t at = f->start;
  f->start += (int64_t)*length;
  return pri_source_read(in->ctx, &in->source, *out, *length, at);
}

static pri_status set_info(pri_input *in, int nd, const ptrdiff_t *shape, const char *descr) {
  const struct npy *const f = in->priv;
  if (nd == -1) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: its NPY header is damaged", in->info.file);
  if (nd == -2)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: holds \"%s\", not real numbers of 8 to 64 bits", in->info.file, *descr ? descr : "records");
  if (nd == 0) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: holds one number, not an array", in->info.file);
  PRI_TRY(pri_info_shape(in, nd, shape, NULL));
  in->info.dtype = pri_dtype_name(f->type);
  double bytes = (double)pri_dtype_bytes(f->type);
  for (int k = 0; k < nd; ++k) bytes *= (double)shape[k];
  if (bytes > (double)(in->source.size - f->start))
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated: %.0f bytes of samples are declared, %lld are there", in->info.file, bytes,
        (long long)(in->source.size - f->start));
  return pri_info_json(in, &in->info.metadata, json_pack("{s:s,s:b}", "descr", descr, "fortran_order", f->fortran));
}

static pri_status open_file(pri_input *in, const char *inside) {
  struct npy *f;
  char *header = NULL, descr[64];
  size_t length = 0;
  ptrdiff_t shape[PRI_MAXDIM];
  if (inside) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: an NPY file has no path \"%s\" inside", in->info.file, inside);
  PRI_ALLOC(in->ctx, f, 1);
  in->priv = f;
  pri_status s = read_header(in, &header, &length);
  if (s == PRI_OK) s = set_info(in, parse_header(f, (text){header, header + length}, shape, descr), shape, descr);
  pri_free(in->ctx, header);
  PRI_TRY(s);
  PRI_ALLOC(in->ctx, f->buffer, BUFFER);
  return PRI_OK;
}

static pri_status read_in_order(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t count) {
  const struct npy *const f = in->priv;
  const size_t bytes = pri_dtype_bytes(f->type);
  for (ptrdiff_t n; count > 0; dst += n, first += n, count -= n) {
    n = count < BUFFER / (ptrdiff_t)bytes ? count : BUFFER / (ptrdiff_t)bytes;
    PRI_TRY(pri_source_read(in->ctx, &in->source, f->buffer, (size_t)n * bytes, f->start + (int64_t)((size_t)first * bytes)));
    pri_samples_decode(dst, f->buffer, f->type, f->swap, n, 1);
  }
  return PRI_OK;
}

/* where slice `item` stands among the leading axes: C order -> Fortran order */
static ptrdiff_t leading(const pri_input_info *info, ptrdiff_t item) {
  ptrdiff_t index[PRI_MAXDIM] = {0}, at = 0;
  for (int k = info->nd - 3; k >= 0; --k) index[k] = item % info->shape[k], item /= info->shape[k];
  for (int k = info->nd - 3; k >= 0; --k) at = at * info->shape[k] + index[k];
  return at;
}

/* some slices; the fibre of pixel (y, x) holds it for all slices, and fibres run down the columns */
static pri_status read_fortran(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct npy *const f = in->priv;
  const ptrdiff_t bytes = (ptrdiff_t)pri_dtype_bytes(f->type), ny = in->plane.n[0], nx = in->plane.n[1], pixels = ny * nx;
  const ptrdiff_t fibre = in->planes * bytes, room = BUFFER / fibre;
  ptrdiff_t lo = leading(&in->info, first), hi = lo;
  for (ptrdiff_t k = 1, at; k < items; ++k) at = leading(&in->info, first + k), lo = at < lo ? at : lo, hi = at > hi ? at : hi;
  if ((hi - lo + 1) * bytes > BUFFER && items > 1) {
    PRI_TRY(read_fortran(in, dst, first, items / 2));
    return read_fortran(in, dst + items / 2 * pixels, first + items / 2, items - items / 2);
  }
  for (ptrdiff_t p = 0, n; p < pixels; p += n) {
    n = room < 1 ? 1 : room < pixels - p ? room : pixels - p;
    /* from the lowest of these slices in the first fibre to the highest in the last: no more than the file holds */
    PRI_TRY(pri_source_read(in->ctx, &in->source, f->buffer, (size_t)((n - 1) * fibre + (hi - lo + 1) * bytes),
        f->start + (int64_t)(p * fibre + lo * bytes)));
    for (ptrdiff_t k = 0; k < items; ++k)
      for (ptrdiff_t i = 0, at = (leading(&in->info, first + k) - lo) * bytes; i < n; ++i)
        pri_samples_decode(dst + k * pixels + (p + i) % ny * nx + (p + i) / ny, f->buffer + i * fibre + at, f->type, f->swap, 1, 1);
  }
  return PRI_OK;
}

static pri_status read_items(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct npy *const f = in->priv;
  const ptrdiff_t size = in->plane.n[0] * in->plane.n[1];
  if (!f->fortran) return read_in_order(in, dst, first * size, items * size);
  return items ? read_fortran(in, dst, first, items) : PRI_OK;
}

static pri_status read_double(pri_input *in, double *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct npy *const f = in->priv;
  const ptrdiff_t size = in->plane.n[0] * in->plane.n[1], bytes = (ptrdiff_t)pri_dtype_bytes(f->type), room = BUFFER / bytes;
  if (f->fortran && in->info.nd > 1)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: a list of numbers in several columns has to be in C order", in->info.file);
  for (ptrdiff_t at = first * size, end = at + items * size, n; at < end; dst += n, at += n) {
    n = end - at < room ? end - at : room;
    PRI_TRY(pri_source_read(in->ctx, &in->source, f->buffer, (size_t)(n * bytes), f->start + at * bytes));
    pri_samples_double(dst, f->buffer, f->type, f->swap, n);
  }
  return PRI_OK;
}

static size_t memory(const pri_input *in) { return (void)in, BUFFER; }

static void close_file(pri_input *in) {
  struct npy *const f = in->priv;
  if (!f) return;
  pri_free(in->ctx, f->buffer);
  pri_free(in->ctx, f);
}

const pri_reader pri_reader_npy = {"npy", knows, open_file, read_items, memory, close_file, read_double};

/* ---- writing: version 1.0, the header padded so that samples begin at a multiple of 64 bytes */

static pri_status create(pri_output *o) {
  static const char kinds[] = {'u', 'u', 'u', 'u', 'i', 'i', 'i', 'i', 'f', 'f', 'f'};
  char head[512] = "\x93NUMPY\x01";
  const size_t bytes = pri_dtype_bytes(o->dtype);
  int n = 10 + snprintf(head + 10, 400, "{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (",
                        bytes == 1 ? '|' : pri_big_endian() ? '>' : '<',
                        kinds[o->dtype], bytes);
  if (o->items > 1) n += snprintf(head + n, 400 - (size_t)n, "%td, ", o->items);
  for (int k = 0; k < o->item.nd; ++k) n += snprintf(head + n, 400 - (size_t)n, "%td, ", o->item.n[k]);
  n += snprintf(head + n, 400 - (size_t)n, "), }");
  const int end = (n + 1 + 63) / 64 * 64;
  memset(head + n, ' ', (size_t)(end - n - 1));
  head[end - 1] = '\n';
  head[8] = (char)((end - 10) & 255), head[9] = (char)((end - 10) >> 8);
  return pri_sink_write(&o->sink, head, (size_t)end);
}

static pri_status write_items(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  const ptrdiff_t total = items * o->pages * o->height * o->width, room = o->buffer_rows * o->width;
  (void)first;
  for (ptrdiff_t at = 0; at < total; at += room) {
    const ptrdiff_t n = total - at < room ? total - at : room;
    o->clipped += pri_samples_encode(o->buffer, src + at, o->dtype, n, o->lo, o->hi);
    PRI_TRY(pri_sink_write(&o->sink, o->buffer, (size_t)n * pri_dtype_bytes(o->dtype)));
  }
  return PRI_OK;
}

static pri_status finish(pri_output *o, const char *provenance) { return (void)o, (void)provenance, PRI_OK; }

static const char *const suffixes[] = {".npy", NULL};
const pri_writer pri_writer_npy = {.name = "npy", .suffixes = suffixes, .sidecar = 1, .open = create, .write = write_items,
    .finish = finish};
