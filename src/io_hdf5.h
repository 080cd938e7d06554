/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_hdf5.h - what the two processes of HDF5 reading say to one another. The child opens and reads with libhdf5; the parent only ever sees
 * bytes of lengths that it asked for. Over a socket: first the child's header, int64 length and that many bytes of JSON; then, for
 * each request, an answer and the samples.
 */
#ifndef PRI_IO_HDF5_H
#define PRI_IO_HDF5_H
#include <sys/types.h>
#include "io_private.h"

/* samples [a, a + na) x [b, b + nb) x all of the last axis. a: views, or the leading axes as one; b: rows */
typedef struct hdf5_request { int64_t a, na, b, nb, wide; } hdf5_request;   /* wide: in double, else in pri_real */
typedef struct hdf5_answer { int64_t bytes; char message[248]; } hdf5_answer; /* bytes follow; -1: failed */
enum { HDF5_BLOCK = 8 << 20, HDF5_HEADER_MOST = 64 << 20, HDF5_CACHE_MOST = 64 << 20 };
/* header: {"error":text} or {"dataset":path,"dtype":text,"shape":[..],"exchange":bool,"sinograms":bool,"flat":path,"dark":path,
   "theta":[..],"units":text,"pixel":[x,y,z],"provenance":text,"metadata":{..},"cache":bytes,"chunk":bytes} */

/* of a child: quiet, no core file, no descriptors but this one */
void pri_hdf5_become_child(int socket);
/* the child that reads: never returns */
void pri_hdf5_serve(pri_ctx *ctx, int socket, const char *path, const char *inside);
json_t *pri_hdf5_describe(pri_ctx *ctx, int64_t file, int64_t dataset, const char *path, int exchange);  /* io_hdf5_info.c; hid_t is int64_t */
/* a socket to a child that runs serve(socket, arg), which never returns. *pid <= 0: errno says why there is none */
int pri_hdf5_fork(pid_t *pid, void (*serve)(int socket, void *arg), void *arg);
void pri_hdf5_end(pid_t *pid, int *socket);   /* kills it where it has not ended */
/* the child that writes: what it is told, then rows. Answers each with an int64: 0, or an errno, or -1 */
typedef struct hdf5_rows { int64_t row, n, bytes; } hdf5_rows;   /* bytes of n rows from `row` on follow; n = 0: of the provenance, 0: none; the end */
void pri_hdf5_serve_output(int socket, void *output);            /* io_hdf5_write_child.c */
int pri_hdf5_send(int socket, const void *buf, size_t n);
int pri_hdf5_receive(int socket, void *buf, size_t n, int timeout_ms);   /* 1: all; 0: the other end is gone, or silent for that long */
#endif
