/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_tiff_handle.c - libtiff on our own bytes: positioned reads and checked writes, no memory map (a file that shrinks would raise SIGBUS),
   nothing on stderr, and our private tag. Writing, libtiff encodes strips only; directories are ours. */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io_tiff.h"

static tmsize_t client_read(thandle_t handle, void *buf, tmsize_t n) {
  pri_tiff_handle *const h = handle;
  const pri_source back = {.fd = h->sink ? h->sink->fd : -1};
  const ptrdiff_t k = pri_source_some(h->sink ? &back : h->source, buf, (size_t)n, h->at);
  if (k > 0) h->at += k;
  return k;
}

static tmsize_t client_write(thandle_t handle, void *buf, tmsize_t n) {
  pri_tiff_handle *const h = handle;
  if (!h->sink) return errno = EBADF, -1;
  if (h->mute) return h->at += n, n;
  if (pri_sink_put(h->sink, buf, (size_t)n, h->at) != PRI_OK) return h->failed = 1, -1;
  h->at += n;
  if (h->at > h->sink->at) h->sink->at = h->at;
  return n;
}

static toff_t client_size(thandle_t handle) {
  const pri_tiff_handle *const h = handle;
  return (toff_t)(h->sink ? h->sink->at : h->source->size);
}

static toff_t client_seek(thandle_t handle, toff_t offset, int whence) {
  pri_tiff_handle *const h = handle;
  const toff_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (toff_t)h->at : client_size(handle);
  if (from + offset > (toff_t)INT64_MAX) return (toff_t)-1;
  return (toff_t)(h->at = (int64_t)(from + offset));
}

static int client_close(thandle_t handle) { return (void)handle, 0; }

static int on_error(TIFF *tif, void *user, const char *module, const char *format, va_list list) {
  pri_tiff_handle *const h = user;
  (void)tif, (void)module;
  if (!h->message[0]) vsnprintf(h->message, sizeof h->message, format, list);
  return 1;                    /* handled: nothing goes to the global handlers, which print */
}

static int on_warning(TIFF *tif, void *user, const char *module, const char *format, va_list list) {
  (void)tif, (void)module, (void)format, (void)list;
  return ((pri_tiff_handle *)user)->warned = 1;
}

/* read as a tag that libtiff does not know */
const char *pri_tiff_provenance(TIFF *tif) {
  const TIFFField *const field = TIFFFindField(tif, PRI_TIFFTAG_PROVENANCE, TIFF_ANY);
  char *text = NULL;
  uint32_t n = 0;
  if (!field || TIFFFieldDataType(field) != TIFF_ASCII) return NULL;
  if (TIFFFieldReadCount(field) == TIFF_VARIABLE2 && TIFFFieldPassCount(field))
    return TIFFGetField(tif, PRI_TIFFTAG_PROVENANCE, &n, &text) && n && text && !text[n - 1] ? text : NULL;
  return !TIFFFieldPassCount(field) && TIFFGetField(tif, PRI_TIFFTAG_PROVENANCE, &text) ? text : NULL;
}

pri_status pri_tiff_open(pri_ctx *ctx, pri_tiff_handle *h, const char *name, const char *mode, int64_t most) {
  TIFFOpenOptions *const opts = TIFFOpenOptionsAlloc();
  if (!opts) return PRI_FAIL(ctx, PRI_ENOMEM, "%s: out of memory in libtiff", name);
  if (most) TIFFOpenOptionsSetMaxSingleMemAlloc(opts, (tmsize_t)most);
  TIFFOpenOptionsSetErrorHandlerExtR(opts, on_error, h);
  TIFFOpenOptionsSetWarningHandlerExtR(opts, on_warning, h);
  h->tif = TIFFClientOpenExt(name, mode, h, client_read, client_write, client_seek, client_close, client_size, NULL, NULL, opts);
  TIFFOpenOptionsFree(opts);
  if (h->tif) return PRI_OK;
  if (h->sink) return h->failed ? pri_ctx_code(ctx) : pri_sink_fail(h->sink, 0);
  return PRI_FAIL(ctx, PRI_EFORMAT, "%s: %s", name, h->message[0] ? h->message : "libtiff cannot open it");
}
