/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_hdf5_write.c - HDF5 out, the parent's side: a forked child holds the file, because libhdf5 cannot be relied on after a failed write (1.10 crashes
 * at exit when the disk was full). Rows go over a socket and are answered one by one; a child that dies is EWRITE.
 */
#include "config.h"
#include <string.h>
#include "io_hdf5.h"

enum { PATIENCE_MS = 600000 };         /* a slow disk is no error */
struct writer { pid_t pid; int socket; };

static pri_status wait_for_answer(pri_output *o) {
  struct writer *const w = o->priv;
  int64_t code = -1;
  if (!pri_hdf5_receive(w->socket, &code, sizeof code, PATIENCE_MS)) code = -1;
  return code ? pri_sink_fail(&o->sink, code > 0 ? (int)code : 0) : PRI_OK;
}

static pri_status create(pri_output *o) {
  struct writer *w;
  if (o->sink.pipe) return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: HDF5 cannot be written to a pipe; npy:- and tif:- can", o->sink.target);
  PRI_ALLOC(o->ctx, w, 1);
  o->priv = w;
  w->socket = -1;
  if (!o->inside && !(o->inside = pri_strdup(o->ctx, "/image"))) return pri_ctx_code(o->ctx);
  if (o->inside[1] == 0 || o->inside[strlen(o->inside) - 1] == '/' || strstr(o->inside, "//"))
    return PRI_FAIL(o->ctx, PRI_EPARAM, "%s: \"%s\" is no name of a dataset", o->sink.target, o->inside);
  w->socket = pri_hdf5_fork(&w->pid, pri_hdf5_serve_output, o);
  return w->pid > 0 ? wait_for_answer(o) : pri_sink_fail(&o->sink, 0);
}

static pri_status send_rows(pri_output *o, const hdf5_rows *r, const void *bytes) {
  struct writer *const w = o->priv;
  if (!pri_hdf5_send(w->socket, r, sizeof *r) || !pri_hdf5_send(w->socket, bytes, (size_t)r->bytes)) return pri_sink_fail(&o->sink, 0);
  return wait_for_answer(o);
}

static pri_status write_items(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items) {
  for (ptrdiff_t page = first * o->pages; page < (first + items) * o->pages; ++page)
    for (ptrdiff_t y = 0, n; y < o->height; y += n, src += n * o->width) {
      n = o->height - y < o->buffer_rows ? o->height - y : o->buffer_rows;
      o->clipped += pri_samples_encode(o->buffer, src, o->dtype, n * o->width, o->lo, o->hi);
      const hdf5_rows r = {page * o->height + y, n, n * o->width * (int64_t)pri_dtype_bytes(o->dtype)};
      PRI_TRY(send_rows(o, &r, o->buffer));
    }
  return PRI_OK;
}

static pri_status finish(pri_output *o, const char *provenance) {
  return send_rows(o, &(hdf5_rows){.bytes = provenance ? (int64_t)strlen(provenance) : 0}, provenance);
}

static size_t memory(const pri_output *o) { return (void)o, 4 << 20; }

static void close_file(pri_output *o) {
  struct writer *const w = o->priv;
  if (!w) return;
  pri_hdf5_end(&w->pid, &w->socket);
  pri_free(o->ctx, w);
}

static const char *const suffixes[] = {".h5", ".hdf5", NULL};
const pri_writer pri_writer_hdf5 = {.name = "hdf5", .suffixes = suffixes, .open = create, .write = write_items, .finish = finish,
    .memory = memory, .close = close_file};
