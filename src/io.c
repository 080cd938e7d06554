/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io.c - which reader takes a file (by its first bytes, never by its suffix), and the calls that all readers share. */
#include "config.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include "io_private.h"

static const pri_reader *const readers[] = {&pri_reader_tiff, &pri_reader_npy, &pri_reader_png, &pri_reader_mat, &pri_reader_hdf5};
enum { READERS = (int)(sizeof readers / sizeof *readers) };

/* a HDF5 superblock may stand behind a user block of 512 2^k bytes (MAT v7.3 does that): such a file is HDF5 whatever it begins with */
static int behind_user_block(const pri_source *s) {
  unsigned char head[8];
  for (int64_t at = 512; at <= 4096; at *= 2)
    if (pri_source_some(s, head, sizeof head, at) == (ptrdiff_t)sizeof head && pri_reader_hdf5.knows(head, sizeof head)) return 1;
  return 0;
}

const pri_reader *pri_reader_find(const pri_source *s) {
  unsigned char head[PRI_IO_HEAD];
  const ptrdiff_t n = pri_source_some(s, head, sizeof head, 0);
  if (n < 0) return NULL;
  if (behind_user_block(s)) return &pri_reader_hdf5;
  for (int i = 0; i < READERS; ++i)
    if (readers[i]->knows(head, (size_t)n)) return readers[i];
  return NULL;
}

pri_status pri_name_split(pri_ctx *ctx, const char *name, char **file, char **inside) {
  struct stat st;
  const char *colon = strstr(name, ":/");
  *file = *inside = NULL;
  for (const char *next; colon && (next = strstr(colon + 1, ":/"));) colon = next;
  if (colon == name || stat(name, &st) == 0) colon = NULL;
  *file = pri_strdup(ctx, name);
  if (!*file) return pri_ctx_code(ctx);
  if (!colon) return PRI_OK;
  (*file)[colon - name] = 0;
  *inside = pri_strdup(ctx, colon + 1);
  if (*inside) return PRI_OK;
  pri_free(ctx, *file);
  *file = NULL;
  return pri_ctx_code(ctx);
}

pri_meta pri_meta_unknown(void) {
  const double no = (double)NAN;
  return (pri_meta){.pixel = {no, no, no}, .bin = {no, no}, .sod = no, .sdd = no, .center = no, .beam = -1};
}

pri_status pri_input_new(pri_ctx *ctx, pri_input **out, const char *name) {
  pri_input *const in = *out = pri_calloc(ctx, 1, sizeof *in);
  if (!in) return pri_ctx_code(ctx);
  in->ctx = ctx;
  in->source.fd = -1;
  in->stride = 1;
  in->info.meta = pri_meta_unknown();
  PRI_TRY(pri_info_text(in, &in->info.file, name));
  PRI_TRY(pri_info_text(in, &in->info.pixel, "{}"));
  return pri_info_text(in, &in->info.metadata, "{}");
}

static pri_status open_file(pri_input *in, const char *path, const char *inside) {
  PRI_TRY(pri_source_open(in->ctx, &in->source, path));
  in->reader = pri_reader_find(&in->source);
  if (!in->reader)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is none of TIFF, HDF5, NPY, MAT, PNG, or is cut off within its first bytes", in->info.file);
  in->info.format = in->reader->name;
  PRI_TRY(in->reader->open(in, inside));
  if (!in->info.meta.source) PRI_TRY(pri_info_text(in, &in->info.meta.source, in->info.file));
  return in->info.provenance || strcmp(path, "-") == 0 ? PRI_OK : pri_input_side(in, path);
}

static pri_status open_named(pri_input *in, const char *name) {
  char *file, *inside;
  PRI_TRY(pri_name_split(in->ctx, name, &file, &inside));
  const pri_status s = open_file(in, file, inside);
  pri_free(in->ctx, file);
  pri_free(in->ctx, inside);
  return s;
}

static pri_status open_folder(pri_ctx *ctx, pri_input **out, const char *name) {
  char **names;
  int n;
  PRI_TRY(pri_folder_list(ctx, name, &names, &n));
  const pri_status s = n ? pri_input_open_stack(ctx, out, (const char *const *)names, n)
                         : PRI_FAIL(ctx, PRI_EFORMAT, "%s: no file in it is TIFF, HDF5, NPY, MAT or PNG", name);
  pri_folder_free(ctx, names, n);
  if (s == PRI_OK) {
    pri_free(ctx, (void *)(uintptr_t)(*out)->info.file);
    (*out)->info.file = NULL;
    if (pri_info_text(*out, &(*out)->info.file, name) != PRI_OK) pri_input_close(out);
  }
  return s == PRI_OK && !*out ? pri_ctx_code(ctx) : s;
}

pri_status pri_input_open(pri_ctx *ctx, pri_input **out, const char *name) {
  *out = NULL;
  if (pri_folder_is(name)) return open_folder(ctx, out, name);
  pri_status s = pri_input_new(ctx, out, name);
  if (s == PRI_OK) s = open_named(*out, name);
  if (s != PRI_OK) pri_input_close(out);
  return s;
}

/* ---- what an item is */

ptrdiff_t pri_input_plane(const pri_input *in, ptrdiff_t item, ptrdiff_t k) {
  return in->group ? (item / in->stride * in->group + k) * in->stride + item % in->stride : item;
}

/* an item is a plane */
static void as_opened(pri_input *in) {
  in->info.items = in->planes, in->info.item = in->plane;
  in->group = 0, in->stride = 1, in->axis = 0;
}

pri_status pri_input_regroup(pri_input *in, pri_item item) {
  const char axis = item == PRI_ITEM_VOLUME ? 'z' : 'c';
  const pri_input_info *const info = &in->info;
  as_opened(in);
  if (item == PRI_ITEM_PAGE) return PRI_OK;
  const char *const at = strchr(info->axes, axis);
  const ptrdiff_t k = at ? at - info->axes : -1;
  if (k < 0 || k > info->nd - 3 || in->plane.nd != 2)
    return PRI_FAIL(in->ctx, PRI_ESHAPE, "%s: has no axis %c (%s) among its axes \"%s\"", info->file, axis,
        axis == 'z' ? "slices of a volume" : "channels", info->axes);
  for (ptrdiff_t i = k + 1; i < info->nd - 2; ++i) in->stride *= info->shape[i];
  in->group = info->shape[k], in->axis = axis;
  in->info.items = in->planes / in->group;
  in->info.item = (pri_shape){3, {in->group, in->plane.n[0], in->plane.n[1]}};
  return PRI_OK;
}

static pri_status read_planes(pri_input *in, pri_real *dst, ptrdiff_t item) {
  const ptrdiff_t size = in->plane.n[0] * in->plane.n[1];
  if (in->stride == 1) return in->reader->read(in, dst, pri_input_plane(in, item, 0), in->group);
  for (ptrdiff_t k = 0; k < in->group; ++k) PRI_TRY(in->reader->read(in, dst + k * size, pri_input_plane(in, item, k), 1));
  return PRI_OK;
}

const pri_input_info *pri_input_describe(const pri_input *in) { return &in->info; }

pri_status pri_input_read(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  if (first < 0 || items < 0 || first > in->info.items - items)
    return PRI_FAIL(in->ctx, PRI_ESHAPE, "%s: slices %td to %td are outside [0, %td)", in->info.file, first, first + items, in->info.items);
  if (!in->group) return in->reader->read(in, dst, first, items);
  const ptrdiff_t size = pri_shape_size(&in->info.item);
  for (ptrdiff_t i = 0; i < items; ++i) PRI_TRY(read_planes(in, dst + i * size, first + i));
  return PRI_OK;
}

pri_status pri_input_load(pri_ctx *ctx, const char *name, pri_array *out) {
  pri_input *in;
  *out = (pri_array){0};
  PRI_TRY(pri_input_open(ctx, &in, name));
  pri_status s = pri_array_create(ctx, out, &in->info.item, in->info.items);
  if (s == PRI_OK) s = pri_input_read(in, out->data, 0, out->items);
  if (s != PRI_OK) pri_array_destroy(out);
  pri_input_close(&in);
  return s;
}

size_t pri_input_memory(const pri_input *in) { return in->reader->memory(in); }

void pri_input_close(pri_input **p) {
  pri_input *const in = *p;
  if (!in) return;
  if (in->reader) in->reader->close(in);
  pri_source_close(in->ctx, &in->source);
  const char *const texts[] = {in->info.file, in->info.axes, in->info.flat, in->info.dark, in->info.pixel, in->info.metadata,
    in->info.provenance, in->info.meta.source};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) pri_free(in->ctx, (void *)(uintptr_t)texts[i]);
  pri_free(in->ctx, (void *)(uintptr_t)in->info.meta.angles);
  pri_free(in->ctx, in);
  *p = NULL;
}
