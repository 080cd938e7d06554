/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_hdf5_none.c - stands in for io_hdf5*.c where the program is built without HDF5: files are recognised, and refused with the reason. */
#include "config.h"
#include <string.h>
#include "io_private.h"

static int knows(const unsigned char *head, size_t n) { return n >= 8 && memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0; }

static pri_status open_file(pri_input *in, const char *inside) {
  (void)inside;
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is HDF5, and this program was built without it", in->info.file);
}

static pri_status read_items(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  return (void)dst, (void)first, (void)items, open_file(in, NULL);
}
static size_t memory(const pri_input *in) { return (void)in, 0; }
static void close_file(pri_input *in) { (void)in; }
const pri_reader pri_reader_hdf5 = {"hdf5", knows, open_file, read_items, memory, close_file, NULL};

static pri_status create(pri_output *o) { return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: this program was built without HDF5", o->sink.target); }
static pri_status write_items(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  return (void)src, (void)first, (void)items, create(o);
}
static pri_status finish(pri_output *o, const char *provenance) { return (void)provenance, create(o); }
static const char *const suffixes[] = {".h5", ".hdf5", NULL};
const pri_writer pri_writer_hdf5 = {.name = "hdf5", .suffixes = suffixes, .open = create, .write = write_items, .finish = finish};
