/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_png.c - PNG. Reading: 1 to 16 bits, grey or colours; colours are separate images (axes "cyx"), palettes are expanded, an alpha
 * channel is dropped; grey values are those of the file (a bilevel image has 0 and 1). Writing: a preview of one slice, the middle one of a stack, or of the three planes
 * of a colour picture, 8 or 16 bits, its range stretched from the smallest to the largest pixel unless a scale is given; the scale is logged.
 * libpng reports errors by longjmp: what lives across it is in structs, and nothing with a destructor is below it.
 */
#include "config.h"
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include "io_private.h"

static void on_error(png_structp png, png_const_charp text) {
  char *const message = png_get_error_ptr(png);
  if (message && !message[0]) snprintf(message, 160, "%s", text);
  png_longjmp(png, 1);
}
static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

/* ---- reading: the whole image, row by row */

struct png {
  png_structp png;
  png_infop info;
  const pri_source *source;
  int64_t at;
  char message[160];
  unsigned char *pixels, **rows;
  size_t row_bytes;
  uint32_t width, height;
  int channels, bits;
};

static int knows(const unsigned char *head, size_t n) { return n >= 8 && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0; }

static void take_bytes(png_structp png, png_bytep buf, size_t n) {
  struct png *const f = png_get_io_ptr(png);
  if (pri_source_some(f->source, buf, n, f->at) != (ptrdiff_t)n) png_error(png, "the file ends too early");
  f->at += (int64_t)n;
}

static int start(struct png *f) {
  f->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, f->message, on_error, on_warning);
  f->info = f->png ? png_create_info_struct(f->png) : NULL;
  if (!f->info) return 0;
  if (setjmp(png_jmpbuf(f->png))) return 0;
  png_set_read_fn(f->png, f, take_bytes);
  png_set_user_limits(f->png, 1 << 24, 1 << 24);
  png_set_chunk_malloc_max(f->png, 1 << 24);
  png_read_info(f->png, f->info);
  f->width = png_get_image_width(f->png, f->info);
  f->height = png_get_image_height(f->png, f->info);
  if (png_get_color_type(f->png, f->info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(f->png);
  png_set_packing(f->png);            /* fewer than 8 bits: a byte each, values as they are */
  png_set_strip_alpha(f->png);
  if (png_get_bit_depth(f->png, f->info) == 16 && !pri_big_endian()) png_set_swap(f->png);
  png_set_interlace_handling(f->png);
  png_read_update_info(f->png, f->info);
  f->channels = png_get_channels(f->png, f->info);
  f->bits = png_get_bit_depth(f->png, f->info);
  f->row_bytes = png_get_rowbytes(f->png, f->info);
  return 1;
}

static int finish_image(struct png *f) {
  if (setjmp(png_jmpbuf(f->png))) return 0;
  png_read_image(f->png, f->rows);
  png_read_end(f->png, NULL);
  return 1;
}

static pri_status damaged(const pri_input *in) {
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is truncated or damaged: %s", in->info.file, ((const struct png *)in->priv)->message);
}

static pri_status load_pixels(pri_input *in) {
  struct png *const f = in->priv;
  PRI_TRY(pri_declared_size(in, (double)f->row_bytes * f->height, (double)in->source.size, 4096 * 8));   /* zlib 1032, 1 bit to 8 */
  PRI_ALLOC(in->ctx, f->pixels, f->row_bytes * f->height);
  PRI_ALLOC(in->ctx, f->rows, f->height);
  for (uint32_t y = 0; y < f->height; ++y) f->rows[y] = f->pixels + y * f->row_bytes;
  const int good = finish_image(f);
  png_destroy_read_struct(&f->png, &f->info, NULL);
  pri_free(in->ctx, f->rows);
  f->rows = NULL;
  return good ? PRI_OK : damaged(in);
}

static pri_status open_file(pri_input *in, const char *inside) {
  struct png *f;
  if (inside) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: a PNG file has no path \"%s\" inside", in->info.file, inside);
  PRI_ALLOC(in->ctx, f, 1);
  in->priv = f;
  f->source = &in->source;
  if (!start(f)) return damaged(in);
  const ptrdiff_t shape[3] = {f->channels, (ptrdiff_t)f->height, (ptrdiff_t)f->width};
  const int grey = f->channels == 1;
  in->info.dtype = f->bits == 16 ? "u16" : "u8";
  in->colours = f->channels == 3 ? 3 : 0;
  PRI_TRY(pri_info_shape(in, grey ? 2 : 3, shape + grey, grey ? "yx" : "cyx"));
  PRI_TRY(pri_info_json(in, &in->info.metadata, json_pack("{s:i,s:i}", "channels", f->channels, "bits", f->bits)));
  return load_pixels(in);
}

static pri_status read_items(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  const struct png *const f = in->priv;
  const ptrdiff_t bytes = f->bits / 8;
  for (ptrdiff_t c = first; c < first + items; ++c)
    for (uint32_t y = 0; y < f->height; ++y, dst += f->width)
      pri_samples_decode(dst, f->pixels + y * f->row_bytes + c * bytes, f->bits == 16 ? PRI_U16 : PRI_U8, 0, (ptrdiff_t)f->width,
          f->channels);
  return PRI_OK;
}

static size_t memory(const pri_input *in) {
  const struct png *const f = in->priv;
  return f->row_bytes * f->height;
}

static void close_file(pri_input *in) {
  struct png *const f = in->priv;
  if (!f) return;
  if (f->png) png_destroy_read_struct(&f->png, &f->info, NULL);
  pri_free(in->ctx, f->rows);
  pri_free(in->ctx, f->pixels);
  pri_free(in->ctx, f);
}

const pri_reader pri_reader_png = {"png", knows, open_file, read_items, memory, close_file, NULL};

/* ---- writing */

struct writer {
  png_structp png;
  png_infop info;
  char message[160];
  pri_sink *sink;
  int failed;              /* of the sink, which has worded it */
  pri_real *colours;       /* [3][height][width], until the last is there; NULL: grey */
};

static void give_bytes(png_structp png, png_bytep buf, size_t n) {
  struct writer *const w = png_get_io_ptr(png);
  if (pri_sink_write(w->sink, buf, n) != PRI_OK) w->failed = 1, png_error(png, "write error");
}
static void flush(png_structp png) { (void)png; }

static pri_status failed(pri_output *o) {
  const struct writer *const w = o->priv;
  return w->failed ? PRI_EWRITE : PRI_FAIL(o->ctx, PRI_EWRITE, "%s: cannot be written: %s", o->sink.target, w->message);
}

static int begin(struct writer *w, uint32_t width, uint32_t height, int bits, int colour) {
  if (setjmp(png_jmpbuf(w->png))) return 0;
  png_set_write_fn(w->png, w, give_bytes, flush);
  png_set_IHDR(w->png, w->info, width, height, bits, colour ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
      PNG_FILTER_TYPE_DEFAULT);
  png_write_info(w->png, w->info);
  if (bits == 16 && !pri_big_endian()) png_set_swap(w->png);
  return 1;
}

static int put_rows(struct writer *w, const unsigned char *rows, ptrdiff_t n, size_t bytes) {
  if (setjmp(png_jmpbuf(w->png))) return 0;
  for (ptrdiff_t y = 0; y < n; ++y) png_write_row(w->png, rows + (size_t)y * bytes);
  return 1;
}

static int end(struct writer *w) {
  if (setjmp(png_jmpbuf(w->png))) return 0;
  png_write_end(w->png, NULL);
  return 1;
}

/* one picture, of an input in colours */
static int in_colour(const pri_output *o) { return o->like && o->like->colours == 3 && o->items * o->pages == 3; }

static pri_status create(pri_output *o) {
  struct writer *w;
  if (o->dtype != PRI_U8 && o->dtype != PRI_U16)
    return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: a PNG preview is u8 or u16, not %s", o->sink.target, pri_dtype_name(o->dtype));
  if (o->width > 1 << 24 || o->height > 1 << 24)
    return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: %td x %td is too large for a preview", o->sink.target, o->height, o->width);
  PRI_ALLOC(o->ctx, w, 1);
  o->priv = w;
  w->sink = &o->sink;
  w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w->message, on_error, on_warning);
  w->info = w->png ? png_create_info_struct(w->png) : NULL;
  if (!w->info) return PRI_FAIL(o->ctx, PRI_ENOMEM, "%s: out of memory in libpng", o->sink.target);
  if (in_colour(o)) PRI_ALLOC(o->ctx, w->colours, 3 * o->height * o->width);
  return begin(w, (uint32_t)o->width, (uint32_t)o->height, 8 * (int)pri_dtype_bytes(o->dtype), w->colours != NULL) ? PRI_OK : failed(o);
}

static void find_range(pri_output *o, const pri_real *src, ptrdiff_t planes) {
  double lo = INFINITY, hi = -INFINITY;
  for (ptrdiff_t i = 0; i < planes * o->height * o->width; ++i) {
    const double v = (double)src[i];
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  if (!(hi > lo)) hi = lo + 1;
  if (!isfinite(lo) || !isfinite(hi)) lo = 0, hi = 1;
  o->lo = lo, o->hi = hi;
}

static pri_status write_slice(pri_output *o, const pri_real *src) {
  struct writer *const w = o->priv;
  if (!(o->hi > o->lo)) find_range(o, src, 1);
  for (ptrdiff_t y = 0; y < o->height; y += o->buffer_rows) {
    const ptrdiff_t rows = o->height - y < o->buffer_rows ? o->height - y : o->buffer_rows;
    o->clipped += pri_samples_encode(o->buffer, src + y * o->width, o->dtype, rows * o->width, o->lo, o->hi);
    if (!put_rows(w, o->buffer, rows, (size_t)o->width * pri_dtype_bytes(o->dtype))) return failed(o);
  }
  return PRI_OK;
}

/* Pixel by pixel, a row at a time; the buffer holds one row of samples, three times as wide */
static pri_status write_colours(pri_output *o) {
  struct writer *const w = o->priv;
  const size_t bytes = 3 * (size_t)o->width * pri_dtype_bytes(o->dtype);
  pri_status s = PRI_OK;
  pri_real *line = pri_calloc(o->ctx, 3 * (size_t)o->width, sizeof *line);
  unsigned char *row = pri_calloc(o->ctx, bytes, 1);
  if (!line || !row) s = pri_ctx_code(o->ctx);
  if (!(o->hi > o->lo)) find_range(o, w->colours, 3);
  for (ptrdiff_t y = 0; y < o->height && s == PRI_OK; ++y) {
    for (ptrdiff_t i = 0; i < 3 * o->width; ++i) line[i] = w->colours[(i % 3 * o->height + y) * o->width + i / 3];
    o->clipped += pri_samples_encode(row, line, o->dtype, 3 * o->width, o->lo, o->hi);
    if (!put_rows(w, row, 1, bytes)) s = failed(o);
  }
  pri_free(o->ctx, line);
  pri_free(o->ctx, row);
  return s;
}

static pri_status write_items(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  struct writer *const w = o->priv;
  const ptrdiff_t plane = o->height * o->width, from = first * o->pages, n = items * o->pages;
  if (w->colours) {
    for (ptrdiff_t i = 0; i < n * plane; ++i) w->colours[from * plane + i] = src[i];
    return from + n == 3 ? write_colours(o) : PRI_OK;
  }
  const ptrdiff_t middle = o->items * o->pages / 2 - first * o->pages;
  return middle >= 0 && middle < items * o->pages ? write_slice(o, src + middle * o->height * o->width) : PRI_OK;
}

static pri_status finish(pri_output *o, const char *provenance) {
  (void)provenance;
  if (o->items * o->pages > 1 && !((const struct writer *)o->priv)->colours)
    pri_log(o->ctx, PRI_LOG_WARN, "%s: shows slice %td of %td only", o->sink.target, o->items * o->pages / 2, o->items * o->pages);
  return end(o->priv) ? PRI_OK : failed(o);
}
static size_t write_memory(const pri_output *o) { return (size_t)o->width * 16 + (1 << 19) + (in_colour(o) ? 3 * (size_t)(o->width * o->height) * sizeof(pri_real) : 0); }

static void close_writer(pri_output *o) {
  struct writer *const w = o->priv;
  if (!w) return;
  if (w->png) png_destroy_write_struct(&w->png, &w->info);
  pri_free(o->ctx, w->colours);
  pri_free(o->ctx, w);
}

static const char *const suffixes[] = {".png", NULL};
const pri_writer pri_writer_png = {.name = "png", .suffixes = suffixes, .sidecar = 1, .open = create, .write = write_items,
    .finish = finish, .memory = write_memory, .close = close_writer};
