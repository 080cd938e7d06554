/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resume_record.c - the file of records: see resume.h.
 * A record: head (magic, type, bytes of payload, FNV-1a of type, bytes and payload), payload. Appended head last: what has a
 * head that agrees with its payload is whole. Written for the machine that reads it again, not for exchange.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "resume.h"

struct head {
  uint32_t magic, type;
  uint64_t bytes, hash;
};

struct pri_records {
  pri_ctx *ctx;
  char *path;
  int fd, nameless;
  int64_t end, at;       /* behind the last whole record; reading place */
  struct head next;      /* being appended */
  int64_t put;           /* bytes of its payload so far */
  double synced;         /* wall clock of the last fsync */
};

enum { MAGIC = 0x52495250 }; /* "PRIR" */

static uint64_t mix(uint64_t h, const void *data, size_t n) {
  const unsigned char *p = data;
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 1099511628211u;
  return h;
}

static uint64_t begin_hash(const struct head *h) {
  return mix(mix(14695981039346656037u, &h->type, sizeof h->type), &h->bytes, sizeof h->bytes);
}

static pri_status fail(const pri_records *r, const char *what) {
  return PRI_FAIL(r->ctx, PRI_EWRITE, "%s: cannot be %s: %s", r->path, what, strerror(errno));
}

/* all of it; 0: the file ends, or errno */
static int read_all(int fd, void *to, size_t n, int64_t at) {
  for (char *p = to; n > 0;) {
    const ssize_t k = pread(fd, p, n, (off_t)at);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return 0;
    p += k, n -= (size_t)k, at += k;
  }
  return 1;
}

static int write_all(int fd, const void *from, size_t n, int64_t at) {
  for (const char *p = from; n > 0;) {
    const ssize_t k = pwrite(fd, p, n, (off_t)at);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return 0;
    p += k, n -= (size_t)k, at += k;
  }
  return 1;
}

/* ---- opening */

static int whole(const pri_records *r, const struct head *h, int64_t at) {
  char buf[1 << 14];
  uint64_t hash = begin_hash(h);
  for (uint64_t done = 0; done < h->bytes;) {
    const size_t n = h->bytes - done < sizeof buf ? (size_t)(h->bytes - done) : sizeof buf;
    if (!read_all(r->fd, buf, n, at + (int64_t)done)) return 0;
    hash = mix(hash, buf, n);
    done += n;
  }
  return hash == h->hash;
}

static void scan(pri_records *r) {
  struct head h;
  const int64_t size = (int64_t)lseek(r->fd, 0, SEEK_END);
  while (read_all(r->fd, &h, sizeof h, r->end) && h.magic == MAGIC && h.bytes <= (uint64_t)(size - r->end) &&
         whole(r, &h, r->end + (int64_t)sizeof h))
    r->end += (int64_t)(sizeof h + h.bytes);
}

static int open_nameless(const char *path) {
  char folder[4096];
  const char *slash = strrchr(path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
}

static pri_status open_file(pri_records *r) {
  if (r->nameless) r->fd = open_nameless(r->path);
  if (r->fd >= 0) return PRI_OK;
  r->fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC | (r->nameless ? O_TRUNC : 0), 0666);
  r->nameless = 0;
  if (r->fd < 0) return fail(r, "made");
  if (flock(r->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
    return PRI_FAIL(r->ctx, PRI_EWRITE, "%s: another run is at work on this output", r->path);
  scan(r);
  return PRI_OK;
}

pri_status pri_records_open(pri_ctx *ctx, pri_records **out, const char *path, int nameless) {
  pri_records *r = *out = pri_calloc(ctx, 1, sizeof *r);
  if (!r) return pri_ctx_code(ctx);
  *r = (pri_records){.ctx = ctx, .fd = -1, .nameless = nameless, .synced = -INFINITY};
  r->path = pri_strdup(ctx, path);
  const pri_status s = r->path ? open_file(r) : pri_ctx_code(ctx);
  if (s != PRI_OK) pri_records_close(out);
  return s;
}

void pri_records_close(pri_records **p) {
  pri_records *r = *p;
  if (!r) return;
  if (r->fd >= 0) close(r->fd);
  pri_free(r->ctx, r->path);
  pri_free(r->ctx, r);
  *p = NULL;
}

/* ---- reading */

int pri_records_next(pri_records *r, int *type, size_t *bytes) {
  struct head h;
  if (r->at >= r->end || !read_all(r->fd, &h, sizeof h, r->at)) return 0;
  *type = (int)h.type;
  *bytes = (size_t)h.bytes;
  return 1;
}

pri_status pri_records_read(pri_records *r, void *to, size_t n, size_t at) {
  struct head h;
  if (!read_all(r->fd, &h, sizeof h, r->at)) return PRI_FAIL(r->ctx, PRI_EREAD, "%s: cannot be read: %s", r->path, strerror(errno));
  if (at > h.bytes || n > h.bytes - at) return PRI_FAIL(r->ctx, PRI_EFORMAT, "%s: a record is too short", r->path);
  if (read_all(r->fd, to, n, r->at + (int64_t)(sizeof h + at))) return PRI_OK;
  return PRI_FAIL(r->ctx, PRI_EREAD, "%s: cannot be read: %s", r->path, strerror(errno));
}

void pri_records_skip(pri_records *r) {
  struct head h;
  if (read_all(r->fd, &h, sizeof h, r->at)) r->at += (int64_t)(sizeof h + h.bytes);
}

void pri_records_rewind(pri_records *r) { r->at = 0; }

/* ---- appending */

static pri_status drop(pri_records *r, const char *what) {
  const int why = errno;
  if (ftruncate(r->fd, (off_t)r->end) < 0) pri_log(r->ctx, PRI_LOG_DEBUG, "%s: cannot be cut: %s", r->path, strerror(errno));
  errno = why;
  return fail(r, what);
}

pri_status pri_records_begin(pri_records *r, int type, size_t bytes) {
  const struct head blank = {0};
  r->next = (struct head){.magic = MAGIC, .type = (uint32_t)type, .bytes = bytes};
  r->next.hash = begin_hash(&r->next);
  r->put = 0;
  if (ftruncate(r->fd, (off_t)r->end) < 0) return fail(r, "cut"); /* a torn tail */
  return write_all(r->fd, &blank, sizeof blank, r->end) ? PRI_OK : drop(r, "written");
}

pri_status pri_records_put(pri_records *r, const void *data, size_t n) {
  if (!write_all(r->fd, data, n, r->end + (int64_t)sizeof r->next + r->put)) return drop(r, "written");
  r->next.hash = mix(r->next.hash, data, n);
  r->put += (int64_t)n;
  return PRI_OK;
}

/* Flushed at most once a second: what a power cut takes is cut off by the check sum, a kill takes nothing. */
pri_status pri_records_end(pri_records *r) {
  if (!write_all(r->fd, &r->next, sizeof r->next, r->end)) return drop(r, "written");
  r->end += (int64_t)sizeof r->next + (int64_t)r->next.bytes;
  if (r->nameless || pri_wall_seconds() - r->synced < 1) return PRI_OK;
  if (fsync(r->fd) < 0 && errno != EINVAL) return fail(r, "flushed");
  r->synced = pri_wall_seconds();
  return PRI_OK;
}

pri_status pri_records_clear(pri_records *r) {
  r->end = r->at = 0;
  return ftruncate(r->fd, 0) < 0 ? fail(r, "emptied") : PRI_OK;
}

pri_status pri_records_show(pri_records *r) {
  char self[64];
  if (fsync(r->fd) < 0 && errno != EINVAL) return fail(r, "flushed");
  if (!r->nameless) return PRI_OK;
  snprintf(self, sizeof self, "/proc/self/fd/%d", r->fd);
  if (unlink(r->path) < 0 && errno != ENOENT) return fail(r, "replaced");
  if (linkat(AT_FDCWD, self, AT_FDCWD, r->path, AT_SYMLINK_FOLLOW) < 0) return fail(r, "made");
  r->nameless = 0;
  return PRI_OK;
}

double pri_records_room(const pri_records *r) {
  struct statvfs v;
  return fstatvfs(r->fd, &v) < 0 ? INFINITY : (double)v.f_bavail * (double)v.f_frsize;
}
