/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_hdf5_info.c - the description of a dataset that the reading process sends: shape, type, attributes, and what Data Exchange keeps beside
   the data (theta with its unit, white and dark fields, the order of axes). */
#include "config.h"
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "io_hdf5.h"

enum { LONGEST_TEXT = 16 << 20, MOST_ANGLES = 1 << 22, MOST_NUMBERS = 16, MOST_ATTRIBUTES = 64 };

/* ---- texts and numbers of attributes and small datasets */

typedef herr_t (*read_fn)(hid_t object, hid_t type, void *buf);
static herr_t read_attribute(hid_t object, hid_t type, void *buf) { return H5Aread(object, type, buf); }
static herr_t read_dataset(hid_t object, hid_t type, void *buf) { return H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buf); }

static json_t *variable_text(pri_ctx *ctx, hid_t object, hid_t type, hid_t space, read_fn read_it) {
  char *text = NULL;
  json_t *out = NULL;
  const hid_t memory = H5Tcopy(H5T_C_S1);
  H5Tset_size(memory, H5T_VARIABLE);
  H5Tset_cset(memory, H5Tget_cset(type));
  if (read_it(object, memory, &text) >= 0 && text) {
    out = pri_text_json(ctx, text, strlen(text));
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, &text);
  }
  H5Tclose(memory);
  return out;
}

static json_t *fixed_text(pri_ctx *ctx, hid_t object, hid_t type, read_fn read_it) {
  const size_t n = H5Tget_size(type);
  char *const text = n < 1 || n > LONGEST_TEXT ? NULL : pri_calloc(ctx, n + 1, 1);
  json_t *const out = text && read_it(object, type, text) >= 0 ? pri_text_json(ctx, text, strlen(text)) : NULL;
  pri_free(ctx, text);
  return out;
}

static json_t *numbers(hid_t object, hssize_t n, read_fn read_it) {
  double v[MOST_NUMBERS];
  if (n < 1 || n > MOST_NUMBERS || read_it(object, H5T_NATIVE_DOUBLE, v) < 0) return NULL;
  if (n == 1) return pri_number_json(v[0]);
  json_t *const out = json_array();
  for (hssize_t i = 0; i < n; ++i) json_array_append_new(out, pri_number_json(v[i]));
  return out;
}

/* a text, a number or a few; NULL: something else. type and space are closed */
static json_t *value(pri_ctx *ctx, hid_t object, hid_t type, hid_t space, read_fn read_it) {
  const hssize_t n = H5Sget_simple_extent_npoints(space);
  const H5T_class_t class = H5Tget_class(type);
  json_t *out = NULL;
  if (class == H5T_STRING && n == 1 && H5Tis_variable_str(type) > 0) out = variable_text(ctx, object, type, space, read_it);
  else if (class == H5T_STRING && n == 1) out = fixed_text(ctx, object, type, read_it);
  else if (class == H5T_INTEGER || class == H5T_FLOAT) out = numbers(object, n, read_it);
  H5Tclose(type);
  H5Sclose(space);
  return out;
}

static json_t *attribute(pri_ctx *ctx, hid_t object, const char *name) {
  if (H5Aexists(object, name) <= 0) return NULL;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT);
  json_t *const out = a < 0 ? NULL : value(ctx, a, H5Aget_type(a), H5Aget_space(a), read_attribute);
  if (a >= 0) H5Aclose(a);
  return out;
}

static json_t *small_dataset(pri_ctx *ctx, hid_t file, const char *path) {
  const hid_t d = H5Dopen2(file, path, H5P_DEFAULT);
  json_t *const out = d < 0 ? NULL : value(ctx, d, H5Dget_type(d), H5Dget_space(d), read_dataset);
  if (d >= 0) H5Dclose(d);
  return out;
}

typedef struct { pri_ctx *ctx; json_t *to; } collector;

static herr_t collect(hid_t object, const char *name, const H5A_info_t *info, void *user) {
  const collector *const c = user;
  (void)info;
  if (strcmp(name, "provenance") == 0 || strcmp(name, "pixel") == 0 || json_object_size(c->to) >= MOST_ATTRIBUTES) return 0;
  json_t *const v = attribute(c->ctx, object, name);
  json_t *const key = v ? pri_text_json(c->ctx, name, strlen(name)) : NULL;
  if (key) json_object_set(c->to, json_string_value(key), v);
  json_decref(key);
  json_decref(v);
  return 0;
}

/* ---- the dataset itself */

static const char *type_name(hid_t dataset) {
  const hid_t type = H5Dget_type(dataset);
  int found;
  const char kind = H5Tget_class(type) == H5T_FLOAT ? 'f' : H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i';
  const pri_dtype t = pri_dtype_of(kind, H5Tget_size(type), &found);
  H5Tclose(type);
  return found ? pri_dtype_name(t) : "?";
}

static json_t *shape_of(hid_t dataset, hsize_t dims[H5S_MAX_RANK], int *nd) {
  const hid_t space = H5Dget_space(dataset);
  json_t *const out = json_array();
  *nd = H5Sget_simple_extent_dims(space, dims, NULL);
  for (int k = 0; k < *nd; ++k) json_array_append_new(out, json_integer(dims[k] > INT64_MAX ? -1 : (json_int_t)dims[k]));
  H5Sclose(space);
  return out;
}

/* bytes of a chunk, and of those that one slice touches */
static void add_chunks(json_t *o, hid_t dataset, const hsize_t *dims, int nd) {
  const hid_t plist = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
  hsize_t chunk[H5S_MAX_RANK];
  double bytes = 0, layer = 0;
  if (H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, H5S_MAX_RANK, chunk) == nd) {
    bytes = (double)H5Tget_size(type);
    for (int k = 0; k < nd; ++k) bytes *= (double)chunk[k];
    layer = bytes;
    for (int k = nd > 2 ? nd - 2 : 0; k < nd; ++k) layer *= ceil((double)dims[k] / (double)chunk[k]);
  }
  json_object_set_new(o, "chunk", json_integer(bytes < 1e15 ? (json_int_t)bytes : (json_int_t)1e15));
  json_object_set_new(o, "cache", json_integer(layer < HDF5_CACHE_MOST ? (json_int_t)layer : HDF5_CACHE_MOST));
  H5Tclose(type);
  H5Pclose(plist);
}

/* what was declared and never written would be read as zeros */
static const char *unwritten(hid_t dataset) {
  const hid_t plist = H5Dget_create_plist(dataset);
  H5D_space_status_t status = H5D_SPACE_STATUS_ALLOCATED;
  const H5D_layout_t layout = H5Pget_layout(plist);
  H5Pclose(plist);
  if ((layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) && H5Dget_space_status(dataset, &status) >= 0 &&
      status == H5D_SPACE_STATUS_NOT_ALLOCATED)
    return "the dataset was declared but never written";
  return NULL;
}

/* ---- Data Exchange */

/* "/entry/exchange/data" -> "/entry/exchange/NAME" where that is there */
static int sibling(hid_t file, const char *path, const char *name, char *out, size_t room) {
  const char *const slash = strrchr(path, '/');
  snprintf(out, room, "%.*s/%s", (int)(slash - path), path, name);
  return H5Lexists(file, out, H5P_DEFAULT) > 0;
}

static void add_sibling(json_t *o, hid_t file, const char *path, const char *key, const char *const *names) {
  char found[1100];
  for (; *names; ++names)
    if (sibling(file, path, *names, found, sizeof found)) { json_object_set_new(o, key, json_string(found)); return; }
}

static json_t *angles_of(pri_ctx *ctx, hid_t d) {
  const hid_t space = H5Dget_space(d);
  const hssize_t n = H5Sget_simple_extent_npoints(space);
  double *const v = n < 1 || n > MOST_ANGLES ? NULL : pri_calloc(ctx, (size_t)n, sizeof *v);
  json_t *const out = v && read_dataset(d, H5T_NATIVE_DOUBLE, v) >= 0 ? json_array() : NULL;
  H5Sclose(space);
  for (hssize_t i = 0; out && i < n; ++i) json_array_append_new(out, isfinite(v[i]) ? json_real(v[i]) : json_null());
  pri_free(ctx, v);
  return out;
}

static void add_theta(pri_ctx *ctx, json_t *o, hid_t file, const char *path) {
  char name[1100];
  if (!sibling(file, path, "theta", name, sizeof name)) return;
  const hid_t d = H5Dopen2(file, name, H5P_DEFAULT);
  if (d < 0) return;
  json_t *const theta = angles_of(ctx, d), *units = attribute(ctx, d, "units");
  if (!units) units = attribute(ctx, d, "unit");
  json_object_set_new(o, "theta", theta ? theta : json_array());       /* there, but unreadable: no angles, not made up ones */
  if (json_is_string(units)) json_object_set(o, "units", units);
  json_decref(units);
  H5Dclose(d);
}

static void add_exchange(pri_ctx *ctx, json_t *o, json_t *metadata, hid_t file, const char *path) {
  static const char *const white[] = {"data_white", "data_flat", NULL}, *const dark[] = {"data_dark", NULL};
  static const char *const texts[][2] = {{"/exchange/title", "title"}, {"/implements", "implements"}};
  const char *const axes = json_string_value(json_object_get(metadata, "axes"));
  json_object_set_new(o, "exchange", json_true());
  json_object_set_new(o, "sinograms", json_boolean(axes && (strncmp(axes, "y:theta", 7) == 0 || strncmp(axes, "y;theta", 7) == 0)));
  add_sibling(o, file, path, "flat", white);
  add_sibling(o, file, path, "dark", dark);
  add_theta(ctx, o, file, path);
  for (size_t i = 0; i < 2; ++i) {
    json_t *const v = small_dataset(ctx, file, texts[i][0]);
    if (v) json_object_set_new(metadata, texts[i][1], v);
  }
}

json_t *pri_hdf5_describe(pri_ctx *ctx, int64_t file, int64_t dataset, const char *path, int exchange) {
  hsize_t dims[H5S_MAX_RANK], index = 0;
  int nd = 0;
  const char *const why = unwritten(dataset);
  if (why) return json_pack("{s:s}", "error", why);
  json_t *const o = json_object(), *const metadata = json_object();
  collector c = {ctx, metadata};
  json_object_set_new(o, "dataset", json_string(path));
  json_object_set_new(o, "dtype", json_string(type_name(dataset)));
  json_object_set_new(o, "shape", shape_of(dataset, dims, &nd));
  add_chunks(o, dataset, dims, nd);
  H5Aiterate2(dataset, H5_INDEX_NAME, H5_ITER_INC, &index, collect, &c);
  json_t *const provenance = attribute(ctx, dataset, "provenance"), *const pixel = attribute(ctx, dataset, "pixel");
  if (json_is_string(provenance)) json_object_set(o, "provenance", provenance);
  if (json_is_array(pixel)) json_object_set(o, "pixel", pixel);
  json_decref(provenance);
  json_decref(pixel);
  if (exchange) add_exchange(ctx, o, metadata, file, path);
  json_object_set_new(metadata, "dataset", json_string(path));
  json_object_set_new(o, "metadata", metadata);
  return o;
}
