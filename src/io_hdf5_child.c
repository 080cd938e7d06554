/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_hdf5_child.c - the process that touches libhdf5: finds the dataset, sends its description, then blocks of samples on request, until the socket
 * closes. It prints nothing, leaves no core file, and ends by itself when a request takes two minutes. It runs in a copy of the
 * parent's memory and ends by _exit, so that nothing of the parent's is flushed or released twice.
 */
#include "config.h"
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "io_hdf5.h"

enum { ALARM_S = 120, MOST_CANDIDATES = 16 };
_Static_assert(sizeof(hid_t) == sizeof(int64_t), "pri_hdf5_describe takes hid_t as int64_t");

/* ---- the process */

void pri_hdf5_become_child(int socket) {
  const struct rlimit no_core = {0, 0};
  const int null = open("/dev/null", O_RDWR);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  setrlimit(RLIMIT_CORE, &no_core);
  for (int fd = 0; fd <= STDERR_FILENO && null >= 0; ++fd)
    if (fd != socket) dup2(null, fd);
  for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd)
    if (fd != socket) close(fd);             /* other readers' sockets, pipes that others wait on */
}

static void send_header(int socket, json_t *header) {
  char *const text = header ? json_dumps(header, JSON_COMPACT) : NULL;
  const int64_t n = text ? (int64_t)strlen(text) : 0;
  if (!text || !pri_hdf5_send(socket, &n, sizeof n) || !pri_hdf5_send(socket, text, (size_t)n)) _exit(1);
}

static void refuse(int socket, const char *text) {
  send_header(socket, json_pack("{s:s}", "error", text));
  _exit(0);
}

/* innermost message of libhdf5: "unable to open file", "required filter 'lz4' is not registered" */
static herr_t keep_message(unsigned n, const H5E_error2_t *e, void *to) {
  if (n == 0 && e->desc) snprintf(to, sizeof ((hdf5_answer *)0)->message, "%s", e->desc);
  return 0;
}

static const char *last_message(char *text) {
  text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_message, text);
  return text[0] ? text : "libhdf5 gives no reason";
}

/* ---- which dataset */

typedef struct { char path[MOST_CANDIDATES][256]; int n; } candidates;

static int is_numeric(hid_t dataset) {
  const hid_t type = H5Dget_type(dataset);
  const H5T_class_t class = H5Tget_class(type);
  H5Tclose(type);
  return class == H5T_INTEGER || class == H5T_FLOAT;
}

static herr_t visit(hid_t group, const char *name, const H5O_info_t *info, void *to) {
  candidates *const c = to;
  if (info->type != H5O_TYPE_DATASET || c->n == MOST_CANDIDATES) return 0;
  const hid_t d = H5Dopen2(group, name, H5P_DEFAULT);
  if (d < 0) return 0;
  const hid_t space = H5Dget_space(d);
  const int nd = H5Sget_simple_extent_ndims(space);
  if ((nd == 2 || nd == 3) && is_numeric(d)) snprintf(c->path[c->n++], sizeof c->path[0], "/%s", name);
  H5Sclose(space);
  H5Dclose(d);
  return 0;
}

/* H5Lexists wants every group on the way to exist */
static int exists(hid_t file, const char *path) {
  char part[1024];
  for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
    const size_t n = slash ? (size_t)(slash - path) : strlen(path);
    if (n >= sizeof part) return 0;
    memcpy(part, path, n);
    part[n] = 0;
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0) return 0;
    if (!slash) return 1;
  }
}

static void choose(int socket, hid_t file, const char *inside, char path[1024]) {
  static candidates c;
  if (inside) snprintf(path, 1024, "%s", inside);
  else if (exists(file, "/exchange/data")) snprintf(path, 1024, "/exchange/data");
  else if (exists(file, "/image")) snprintf(path, 1024, "/image");
  else {
    char text[1024] = "has no dataset of numbers with 2 or 3 axes";
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, &c);
    if (c.n == 1) { snprintf(path, 1024, "%s", c.path[0]); return; }
    for (int i = 0, n = 0; i < c.n && n < 900; ++i) n += snprintf(text + n, sizeof text - (size_t)n, "%s%.100s",
        i ? ", " : "has several datasets; name one of them as FILE:/PATH: ", c.path[i]);
    refuse(socket, text);
  }
  if (!exists(file, path)) {
    char text[1200];
    snprintf(text, sizeof text, "has no dataset %s", path);
    refuse(socket, text);
  }
}

static int ends_with(const char *text, const char *end) {
  const size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

/* ---- blocks */

/* a: leading axes in C order; all but the last of them stay at one index */
static hid_t select_block(hid_t dataset, const hdf5_request *r, hsize_t *points) {
  const hid_t space = H5Dget_space(dataset);
  const int nd = H5Sget_simple_extent_ndims(space);
  hsize_t dims[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK];
  if (nd < 1 || nd > PRI_MAXDIM || H5Sget_simple_extent_dims(space, dims, NULL) < 0) return -1;
  count[nd - 1] = dims[nd - 1];
  if (nd > 1) start[nd - 2] = (hsize_t)r->b, count[nd - 2] = (hsize_t)r->nb;
  hsize_t at = (hsize_t)r->a;
  for (int k = nd - 3; k >= 0; --k) start[k] = at % dims[k], count[k] = k == nd - 3 ? (hsize_t)r->na : 1, at /= dims[k];
  *points = 1;
  for (int k = 0; k < nd; ++k) *points *= count[k];
  return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ? -1 : space;
}

static int serve_block(int socket, hid_t dataset, const hdf5_request *r, unsigned char *buffer, size_t room) {
  hdf5_answer answer = {-1, "a block of impossible size"};
  hsize_t points = 0;
  const hid_t type = r->wide || sizeof(pri_real) == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT, space = select_block(dataset, r, &points);
  if (space >= 0 && points <= room / H5Tget_size(type)) {
    const hid_t memory = H5Screate_simple(1, &points, NULL);
    const herr_t e = H5Dread(dataset, type, memory, space, H5P_DEFAULT, buffer);
    if (e >= 0) answer.bytes = (int64_t)points * (int64_t)H5Tget_size(type);
    else last_message(answer.message);
    H5Sclose(memory);
    H5Sclose(space);
  }
  return pri_hdf5_send(socket, &answer, sizeof answer) && (answer.bytes < 0 || pri_hdf5_send(socket, buffer, (size_t)answer.bytes));
}

static void serve_blocks(pri_ctx *ctx, int socket, hid_t dataset, size_t row) {
  const size_t room = row > HDF5_BLOCK ? row : HDF5_BLOCK;
  unsigned char *const buffer = pri_calloc(ctx, room, 1);
  hdf5_request r;
  alarm(0);
  while (buffer && pri_hdf5_receive(socket, &r, sizeof r, -1)) {
    alarm(ALARM_S);
    if (!serve_block(socket, dataset, &r, buffer, room)) break;
    alarm(0);
  }
  _exit(0);
}

/* ---- opening */

/* as many chunks as one row of chunks of a slice has, so that neighbours do not decompress them again */
static hid_t open_cached(hid_t file, const char *path, json_t *header) {
  const size_t cache = (size_t)json_integer_value(json_object_get(header, "cache"));
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 12421, cache, 1.0);
  const hid_t dataset = H5Dopen2(file, path, access);
  H5Pclose(access);
  return dataset;
}

static hid_t open_quietly(const char *path) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5Pset_file_locking(access, 0, 1);
  return H5Fopen(path, H5F_ACC_RDONLY, access);
}

void pri_hdf5_serve(pri_ctx *ctx, int socket, const char *path, const char *inside) {
  char dataset_path[1024], message[sizeof ((hdf5_answer *)0)->message];
  pri_hdf5_become_child(socket);
  alarm(ALARM_S);
  const hid_t file = open_quietly(path);
  if (file < 0) refuse(socket, last_message(message));
  choose(socket, file, inside, dataset_path);
  hid_t dataset = H5Dopen2(file, dataset_path, H5P_DEFAULT);
  if (dataset < 0 || !is_numeric(dataset)) refuse(socket, dataset < 0 ? last_message(message) : "the dataset holds no numbers");
  json_t *const header = pri_hdf5_describe(ctx, file, dataset, dataset_path, ends_with(dataset_path, "/exchange/data"));
  H5Dclose(dataset);
  dataset = open_cached(file, dataset_path, header);
  send_header(socket, header);
  const json_t *const shape = json_object_get(header, "shape");
  const json_int_t nx = json_integer_value(json_array_get(shape, json_array_size(shape) - 1));
  serve_blocks(ctx, socket, dataset, (size_t)nx * sizeof(double));
}
