/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_hdf5_write_child.c - the process that writes HDF5: one contiguous dataset, /image or the path that was given, [slice][y][x]. Attributes:
 * `provenance` (JSON text), `pixel` (mm: x, y, z), `software`. No times are recorded: equal content gives equal bytes.
 */
#include "config.h"
#include <errno.h>
#include <hdf5.h>
#include <string.h>
#include <unistd.h>
#include "io_hdf5.h"

struct writer { hid_t file, dataset, type; };
static hid_t half_type(void) {
  const hid_t t = H5Tcopy(H5T_NATIVE_FLOAT);
  if (t >= 0 && H5Tset_fields(t, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(t, 2) >= 0) H5Tset_ebias(t, 15);
  return t;
}

static hid_t type_of(pri_dtype t) {
  const hid_t native[PRI_DTYPES] = {[PRI_U8] = H5T_NATIVE_UINT8, [PRI_U16] = H5T_NATIVE_UINT16, [PRI_U32] = H5T_NATIVE_UINT32,
    [PRI_U64] = H5T_NATIVE_UINT64,
    [PRI_I8] = H5T_NATIVE_INT8, [PRI_I16] = H5T_NATIVE_INT16, [PRI_I32] = H5T_NATIVE_INT32, [PRI_I64] = H5T_NATIVE_INT64,
    [PRI_F32] = H5T_NATIVE_FLOAT, [PRI_F64] = H5T_NATIVE_DOUBLE};
  return t == PRI_F16 ? half_type() : H5Tcopy(native[t]);
}

static int create_file(const pri_output *o, struct writer *w) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_file_locking(access, 0, 1);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST);   /* attributes beyond 64 KiB */
  H5Pset_obj_track_times(creation, 0);
  w->file = H5Fcreate(o->sink.temp, H5F_ACC_TRUNC, creation, access);
  H5Pclose(access);
  H5Pclose(creation);
  return w->file >= 0;
}

/* the groups on the way to "/deep/down" */
static int create_groups(hid_t file, char *path) {
  int good = 1;
  const hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(creation, 0);
  for (char *slash = strchr(path + 1, '/'); slash && good; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    const hid_t group = H5Lexists(file, path, H5P_DEFAULT) > 0 ? 0 : H5Gcreate2(file, path, H5P_DEFAULT, creation, H5P_DEFAULT);
    *slash = '/';
    good = group >= 0;
    if (group > 0) H5Gclose(group);
  }
  H5Pclose(creation);
  return good;
}

static int create_dataset(const pri_output *o, struct writer *w) {
    hsize_t dims[PRI_MAXDIM + 1];
  int nd = 0;
  if (o->items > 1) dims[nd++] = (hsize_t)o->items;
  for (int k = 0; k < o->item.nd; ++k) dims[nd++] = (hsize_t)o->item.n[k];
  const hid_t space = H5Screate_simple(nd, dims, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation, 0);
  H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
  w->dataset = H5Dcreate2(w->file, o->inside, w->type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Pclose(creation);
  H5Sclose(space);
  return w->dataset >= 0;
}

/* n rows of one page: `row` counts from the beginning of the dataset */
static int write_rows(const pri_output *o, const struct writer *w, ptrdiff_t row, ptrdiff_t n) {
    const hid_t space = H5Dget_space(w->dataset);
  const int nd = H5Sget_simple_extent_ndims(space);
  hsize_t dims[PRI_MAXDIM + 1], start[PRI_MAXDIM + 1] = {0}, count[PRI_MAXDIM + 1], points = (hsize_t)(n * o->width);
  H5Sget_simple_extent_dims(space, dims, NULL);
  count[nd - 1] = dims[nd - 1];
  for (int k = nd - 2; k >= 0; --k) {
    start[k] = (hsize_t)row % dims[k];
    count[k] = k == nd - 2 ? (hsize_t)n : 1;
    row = (ptrdiff_t)((hsize_t)row / dims[k]);
  }
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  const hid_t memory = H5Screate_simple(1, &points, NULL);
  const herr_t e = H5Dwrite(w->dataset, w->type, memory, space, H5P_DEFAULT, o->buffer);
  H5Sclose(memory);
  H5Sclose(space);
  return e >= 0;
}

static int set_attribute(hid_t object, const char *name, hid_t type, hid_t space, const void *value) {
  const hid_t a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const herr_t e = a < 0 ? -1 : H5Awrite(a, type, value);
  if (a >= 0 && H5Aclose(a) < 0) return 0;
  return e >= 0;
}

static int set_text(hid_t object, const char *name, const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, strlen(text) + 1);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const int good = set_attribute(object, name, type, space, text);
  H5Sclose(space);
  H5Tclose(type);
  return good;
}

static int set_pixel(const pri_output *o, const struct writer *w) {
  const hsize_t three = 3;
  if (!(o->pixel[0] > 0) && !(o->pixel[1] > 0)) return 1;
  const hid_t space = H5Screate_simple(1, &three, NULL);
  const int good = set_attribute(w->dataset, "pixel", H5T_NATIVE_DOUBLE, space, o->pixel);
  H5Sclose(space);
  return good;
}

static int start(const pri_output *o, struct writer *w) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  w->type = type_of(o->dtype);
  return w->type >= 0 && create_file(o, w) && create_groups(w->file, o->inside) && create_dataset(o, w);
}

static int end(const pri_output *o, struct writer *w, const char *provenance) {
  int good = set_text(w->dataset, "software", "priori " PACKAGE_VERSION) && set_pixel(o, w);
  if (good && provenance) good = set_text(w->dataset, "provenance", provenance);
  const herr_t d = H5Dclose(w->dataset), f = H5Fclose(w->file);
  return good && d >= 0 && f >= 0;
}

static void answer(int socket, int good) {
  const int64_t code = good ? 0 : errno ? errno : -1;
  if (!pri_hdf5_send(socket, &code, sizeof code) || !good) _exit(1);
  errno = 0;
}

static void finish(int socket, const pri_output *o, struct writer *w, const hdf5_rows *r) {
  char *const text = r->bytes ? pri_calloc(o->ctx, (size_t)r->bytes + 1, 1) : NULL;
  const int got = !r->bytes || (text && pri_hdf5_receive(socket, text, (size_t)r->bytes, -1));
  answer(socket, got && end(o, w, text));
  _exit(0);
}

void pri_hdf5_serve_output(int socket, void *output) {
  pri_output *const o = output;
  struct writer w = {-1, -1, -1};
  hdf5_rows r;
  pri_hdf5_become_child(socket);
  errno = 0;
  answer(socket, start(o, &w));
  while (pri_hdf5_receive(socket, &r, sizeof r, -1)) {
    if (r.n == 0) finish(socket, o, &w, &r);
    if (!pri_hdf5_receive(socket, o->buffer, (size_t)r.bytes, -1)) break;
    answer(socket, write_rows(o, &w, (ptrdiff_t)r.row, (ptrdiff_t)r.n));
  }
  _exit(1);                    /* the other end is gone: nothing is finished */
}
