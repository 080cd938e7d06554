/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_hdf5.c - HDF5 in, the parent's side: a forked child opens the file, and everything that libhdf5 does with foreign bytes happens there. A child
 * that crashes, or says nothing for a minute, is EFORMAT; the result of this process is not touched.
 *   Data Exchange: /exchange/data [view][row][bin] is read as slices, [row][view][bin].
 *   Otherwise the dataset that "file.h5:/path" names, or /image, or the only one with 2 or 3 axes: leading axes are slices.
 * A slice of Data Exchange lies in every view, so that blocks of views are read for all slices that are asked for together.
 */
#include "config.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io_hdf5.h"

enum { PATIENCE_MS = 60000 };
struct hdf5 {
  pid_t pid;
  int socket;
  int slices_inside;               /* Data Exchange: slices are the second axis */
  ptrdiff_t na, nb, nx, run;       /* axes as the child sees them; run: how far a may go in one request */
  unsigned char *buffer;           /* [bytes] */
  size_t bytes, child_bytes;
};

int pri_hdf5_send(int socket, const void *buf, size_t n) {
  const char *p = buf;
  while (n > 0) {
    const ssize_t k = send(socket, p, n, MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return 0;
    p += k, n -= (size_t)k;
  }
  return 1;
}

int pri_hdf5_receive(int socket, void *buf, size_t n, int timeout_ms) {
  char *p = buf;
  while (n > 0) {
    struct pollfd waiting = {.fd = socket, .events = POLLIN};
    const int ready = poll(&waiting, 1, timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return 0;
    const ssize_t k = recv(socket, p, n, 0);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return 0;
    p += k, n -= (size_t)k;
  }
  return 1;
}

int pri_hdf5_fork(pid_t *pid, void (*run)(int socket, void *arg), void *arg) {
  int pair[2];
  *pid = -1;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) return -1;
  *pid = fork();
#ifdef PR_SET_PDEATHSIG
  if (*pid == 0) (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed parent leaves no child that still makes its file */
#endif
  if (*pid == 0) run(pair[1], arg);
  close(pair[1]);
  return pair[0];
}

void pri_hdf5_end(pid_t *pid, int *socket) {
  if (*socket >= 0) close(*socket);
  if (*pid > 0) kill(*pid, SIGKILL), waitpid(*pid, NULL, 0);
  *pid = 0, *socket = -1;
}

static int knows(const unsigned char *head, size_t n) { return n >= 8 && memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0; }

/* ends the child; how it ended by itself, if it did */
static pri_status died(pri_input *in) {
  struct hdf5 *const h = in->priv;
  int how = 0;
  char text[64] = "it says nothing";
  if (h->pid > 0 && waitpid(h->pid, &how, WNOHANG) == 0) kill(h->pid, SIGKILL), waitpid(h->pid, NULL, 0);
  else if (WIFSIGNALED(how)) snprintf(text, sizeof text, "it died of signal %d", WTERMSIG(how));
  h->pid = 0;
  return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: is damaged: the process that reads it has failed (%s)", in->info.file, text);
}

/* ---- the header */

static pri_status receive_header(pri_input *in, json_t **out) {
  struct hdf5 *const h = in->priv;
  int64_t n;
  char *text;
  if (!pri_hdf5_receive(h->socket, &n, sizeof n, PATIENCE_MS) || n < 2 || n > HDF5_HEADER_MOST) return died(in);
  PRI_ALLOC(in->ctx, text, n + 1);
  const int good = pri_hdf5_receive(h->socket, text, (size_t)n, PATIENCE_MS);
  *out = good ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
  pri_free(in->ctx, text);
  if (!json_is_object(*out)) return died(in);
  const char *const error = json_string_value(json_object_get(*out, "error"));
  return error ? PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: %s", in->info.file, error) : PRI_OK;
}

static pri_status set_name(pri_input *in, const char **field, const json_t *header, const char *key) {
  const char *const path = json_string_value(json_object_get(header, key));
  char *name;
  if (!path) return PRI_OK;
  const size_t n = strlen(in->source.name) + strlen(path) + 2;
  PRI_ALLOC(in->ctx, name, n);
  snprintf(name, n, "%s:%s", in->source.name, path);
  const pri_status s = pri_info_text(in, field, name);
  pri_free(in->ctx, name);
  return s;
}

/* degrees or radians: what the file says, else what the numbers look like, and then it is said */
static double angle_unit(pri_input *in, const json_t *header, const double *theta, ptrdiff_t n) {
  const char *const units = json_string_value(json_object_get(header, "units"));
  double most = 0;
  if (units && (strncmp(units, "deg", 3) == 0 || strcmp(units, "\xc2\xb0") == 0)) return 3.14159265358979323846 / 180;
  if (units && strncmp(units, "rad", 3) == 0) return 1;
  for (ptrdiff_t i = 0; i < n; ++i) most = fabs(theta[i]) > most ? fabs(theta[i]) : most;
  const int degrees = most > 6.3;
  pri_log(in->ctx, PRI_LOG_WARN, "%s: theta has %s, its largest value is %g: taken as %s", in->info.file,
      units ? "a unit that is not known" : "no unit", most, degrees ? "degrees" : "radians");
  return degrees ? 3.14159265358979323846 / 180 : 1;
}

static pri_status set_angles(pri_input *in, const json_t *header, ptrdiff_t views) {
  const json_t *const theta = json_object_get(header, "theta");
  const ptrdiff_t n = json_is_array(theta) ? (ptrdiff_t)json_array_size(theta) : views;
  double *angles;
  PRI_ALLOC(in->ctx, angles, n);
  in->info.meta.angles = angles;
  in->info.meta.nangles = n;
  if (!json_is_array(theta)) {
    pri_log(in->ctx, PRI_LOG_WARN, "%s: has no theta: %td views over 180 degrees, without the end point, are assumed", in->info.file, n);
    for (ptrdiff_t i = 0; i < n; ++i) angles[i] = 3.14159265358979323846 * (double)i / (double)n;
    return PRI_OK;
  }
  for (ptrdiff_t i = 0; i < n; ++i) {
    const json_t *const v = json_array_get(theta, (size_t)i);
    if (!json_is_number(v)) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: angle %td is not finite", in->info.file, i);
    angles[i] = json_number_value(v);
  }
  const double unit = angle_unit(in, header, angles, n);
  for (ptrdiff_t i = 0; i < n; ++i) angles[i] *= unit;
  return PRI_OK;
}

static pri_status set_shape(pri_input *in, const json_t *header) {
  struct hdf5 *const h = in->priv;
  const json_t *const dims = json_object_get(header, "shape");
  const int nd = (int)json_array_size(dims), exchange = json_is_true(json_object_get(header, "exchange")),
      sinograms = json_is_true(json_object_get(header, "sinograms"));
  ptrdiff_t shape[PRI_MAXDIM], file[PRI_MAXDIM];
  if (nd < 1 || nd > PRI_MAXDIM)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: has %d axes, 1 to %d can be read", in->info.file, nd, PRI_MAXDIM);
  for (int k = 0; k < nd; ++k) file[k] = shape[k] = (ptrdiff_t)json_integer_value(json_array_get(dims, (size_t)k));
  h->slices_inside = exchange && !sinograms;
  if (exchange && nd != 3)
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: /exchange/data has %d axes, not 3 (view, row, bin)", in->info.file, nd);
  if (h->slices_inside) shape[0] = file[1], shape[1] = file[0];
  PRI_TRY(pri_info_shape(in, nd, shape, NULL));
  h->nx = file[nd - 1], h->nb = nd > 1 ? file[nd - 2] : 1;
  h->na = h->slices_inside ? file[0] : in->info.items;
  h->run = nd > 2 ? file[nd - 3] : 1;
  return exchange ? set_angles(in, header, in->info.item.n[0]) : PRI_OK;
}

static pri_status set_texts(pri_input *in, const json_t *header) {
  const json_t *const pixel = json_object_get(header, "pixel");
  const char *const provenance = json_string_value(json_object_get(header, "provenance")),
      *const dtype = json_string_value(json_object_get(header, "dtype"));
  json_t *const metadata = json_object_get(header, "metadata");
  const int type = dtype ? pri_dtype_find(dtype) : -1;
  if (type < 0) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: holds no real numbers of 8 to 64 bits", in->info.file);
  in->info.dtype = pri_dtype_name((pri_dtype)type);
  PRI_TRY(set_name(in, &in->info.flat, header, "flat"));
  PRI_TRY(set_name(in, &in->info.dark, header, "dark"));
  PRI_TRY(set_name(in, &in->info.meta.source, header, "dataset"));
  in->info.counts = in->info.flat != NULL;
  if (json_array_size(pixel) == 3)
    PRI_TRY(pri_info_pixel(in, json_number_value(json_array_get(pixel, 0)), json_number_value(json_array_get(pixel, 1)),
        json_number_value(json_array_get(pixel, 2)), "mm", 1));
  if (provenance) PRI_TRY(pri_info_text(in, &in->info.provenance, provenance));
  return metadata ? pri_info_json(in, &in->info.metadata, json_incref(metadata)) : PRI_OK;
}

static pri_status set_buffer(pri_input *in, const json_t *header) {
  struct hdf5 *const h = in->priv;
  const json_int_t cache = json_integer_value(json_object_get(header, "cache")),
      chunk = json_integer_value(json_object_get(header, "chunk"));
  const size_t row = (size_t)h->nx * sizeof(double);
  if (cache < 0 || cache > HDF5_CACHE_MOST || chunk < 0) return died(in);
  if ((uint64_t)chunk > pri_ctx_memory_limit(in->ctx))
    return PRI_FAIL(in->ctx, PRI_EBUDGET, "%s: has chunks of %lld bytes, more than the memory budget of %zu bytes (--mem)", in->info.file,
        (long long)chunk, pri_ctx_memory_limit(in->ctx));
  h->bytes = row > HDF5_BLOCK ? row : row * (size_t)h->nb * (size_t)h->na < HDF5_BLOCK ? row * (size_t)h->nb * (size_t)h->na : HDF5_BLOCK;
  h->child_bytes = h->bytes + (size_t)cache + (size_t)chunk + (4 << 20);
  PRI_ALLOC(in->ctx, h->buffer, h->bytes);
  return PRI_OK;
}

static pri_status use_header(pri_input *in, const json_t *header) {
  double bytes = 0;
  PRI_TRY(set_shape(in, header));
  PRI_TRY(set_texts(in, header));
  bytes = (double)in->info.items * (double)in->info.item.n[0] * (double)in->info.item.n[1] * (double)pri_dtype_bytes((pri_dtype)pri_dtype_find(in->info.dtype));
  PRI_TRY(pri_declared_size(in, bytes, (double)in->source.size, 1e5));
  return set_buffer(in, header);
}

/* ---- the reader */

typedef struct { pri_input *in; const char *inside; } job;

static void serve(int socket, void *arg) {
  const job *const j = arg;
  pri_hdf5_serve(j->in->ctx, socket, j->in->source.name, j->inside);
}

static pri_status start(pri_input *in, const char *inside) {
  struct hdf5 *const h = in->priv;
  h->socket = pri_hdf5_fork(&h->pid, serve, &(job){in, inside});
  return h->pid > 0 ? PRI_OK : PRI_FAIL(in->ctx, PRI_EREAD, "%s: no process to read it: %s", in->info.file, strerror(errno));
}

static pri_status open_file(pri_input *in, const char *inside) {
  struct hdf5 *h;
  struct stat st;
  json_t *header = NULL;
  if (stat(in->source.name, &st) < 0 || !S_ISREG(st.st_mode))
    return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: HDF5 is read from a file, not from a pipe", in->info.file);
  PRI_ALLOC(in->ctx, h, 1);
  in->priv = h;
  h->socket = -1;
  PRI_TRY(start(in, inside));
  pri_status s = receive_header(in, &header);
  if (s == PRI_OK) s = use_header(in, header);
  json_decref(header);
  return s;
}

static pri_status fetch(pri_input *in, const hdf5_request *r) {
  struct hdf5 *const h = in->priv;
  hdf5_answer answer;
  const int64_t want = r->na * r->nb * h->nx * (int64_t)(r->wide ? sizeof(double) : sizeof(pri_real));
  if (!h->pid || !pri_hdf5_send(h->socket, r, sizeof *r) || !pri_hdf5_receive(h->socket, &answer, sizeof answer, PATIENCE_MS))
    return died(in);
  answer.message[sizeof answer.message - 1] = 0;
  if (answer.bytes == -1) return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: cannot be read: %s", in->info.file, answer.message);
  if (answer.bytes != want || !pri_hdf5_receive(h->socket, h->buffer, (size_t)want, PATIENCE_MS)) return died(in);
  return PRI_OK;
}

/* the block of the request into dst, whose first slice is `first` */
static void scatter(const struct hdf5 *h, const hdf5_request *r, void *dst, ptrdiff_t first) {
  const size_t row = (size_t)h->nx * (r->wide ? sizeof(double) : sizeof(pri_real));
  for (ptrdiff_t i = 0; i < r->na; ++i)
    for (ptrdiff_t j = 0; j < r->nb; ++j) {
      const ptrdiff_t a = (ptrdiff_t)r->a + i, b = (ptrdiff_t)r->b + j;
      const ptrdiff_t to = h->slices_inside ? (b - first) * h->na + a : (a - first) * h->nb + b;
      memcpy((char *)dst + (size_t)to * row, h->buffer + (size_t)(i * r->nb + j) * row, row);
    }
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* slices are a range of one of the axes a, b; all of the other is read, in blocks that fit */
static pri_status read_any(pri_input *in, void *dst, ptrdiff_t first, ptrdiff_t items, int wide) {
  const struct hdf5 *const h = in->priv;
  const ptrdiff_t room = (ptrdiff_t)(h->bytes / ((size_t)h->nx * (wide ? sizeof(double) : sizeof(pri_real))));   /* rows, >= 1 */
  const ptrdiff_t a0 = h->slices_inside ? 0 : first, a1 = h->slices_inside ? h->na : first + items;
  const ptrdiff_t b0 = h->slices_inside ? first : 0, b1 = h->slices_inside ? first + items : h->nb;
  const ptrdiff_t nb = least(b1 - b0, room), na = nb < 1 ? 1 : room / nb;
  for (ptrdiff_t b = b0; b < b1; b += nb)
    for (ptrdiff_t a = a0, n; a < a1; a += n) {
      n = least(least(na, a1 - a), h->run - a % h->run);
      const hdf5_request r = {a, n, b, least(nb, b1 - b), wide};
      PRI_TRY(fetch(in, &r));
      scatter(h, &r, dst, first);
    }
  return PRI_OK;
}

static pri_status read_items(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) { return read_any(in, dst, first, items, 0); }
static pri_status read_double(pri_input *in, double *dst, ptrdiff_t first, ptrdiff_t items) { return read_any(in, dst, first, items, 1); }

static size_t memory(const pri_input *in) {
  const struct hdf5 *const h = in->priv;
  return h->bytes + h->child_bytes;
}

static void close_file(pri_input *in) {
  struct hdf5 *const h = in->priv;
  if (!h) return;
  pri_hdf5_end(&h->pid, &h->socket);
  pri_free(in->ctx, h->buffer);
  pri_free(in->ctx, h);
}

const pri_reader pri_reader_hdf5 = {"hdf5", knows, open_file, read_items, memory, close_file, read_double};
