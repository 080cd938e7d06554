/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_source.c - bytes in. Everything is read at a position (pread), so that what cannot be positioned in (standard input, pipes) is
   copied to an unlinked scratch file first. A pipe is waited for in short turns: a signal ends the wait, however long nobody writes. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io_private.h"

int pri_scratch_file(void) {
  const char *dir = getenv("TMPDIR");
  char path[4096];
  const int n = snprintf(path, sizeof path, "%s/priori-XXXXXX", dir && *dir ? dir : "/tmp");
  if (n < 0 || (size_t)n >= sizeof path) return errno = ENAMETOOLONG, -1;
  const int fd = mkstemp(path);
  if (fd >= 0) unlink(path);
  return fd;
}

static int write_all(int fd, const char *buf, size_t n) {
  while (n > 0) {
    const ssize_t k = write(fd, buf, n);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return -1;
    buf += k, n -= (size_t)k;
  }
  return 0;
}

/* until `fd` has something to read or its writers are gone; -1 and ECANCELED on the cancel flag */
static int await(const pri_ctx *ctx, int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  for (;;) {
    if (pri_ctx_cancelled(ctx)) return errno = ECANCELED, -1;
    const int n = poll(&p, 1, 100);
    if (n > 0) return 0;
    if (n < 0 && errno != EINTR) return -1;
  }
}

/* copies everything that `from` still gives to an unlinked file; its descriptor, or -1 */
static int spool(const pri_ctx *ctx, int from) {
  char buf[1 << 16];
  const int to = pri_scratch_file();
  if (to < 0) return -1;
  for (;;) {
    const ssize_t k = await(ctx, from) < 0 ? -1 : read(from, buf, sizeof buf);
    if (k == 0) return to;
    if (k < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (k < 0 || write_all(to, buf, (size_t)k) < 0) break;
  }
  const int why = errno;
  close(to);
  errno = why;
  return -1;
}

/* /dev/zero has no end, and would fill the scratch folder; /dev/null is only empty */
static int endless(int fd, const struct stat *st) {
  char byte;
  return S_ISBLK(st->st_mode) || (S_ISCHR(st->st_mode) && !isatty(fd) && read(fd, &byte, 1) > 0);
}

static pri_status spooled(pri_ctx *ctx, pri_source *s, const struct stat *st) {
  if (endless(s->fd, st)) return PRI_FAIL(ctx, PRI_EREAD, "%s: is a device, not a file", s->name);
  const int fd = spool(ctx, s->fd);
  if (fd < 0 && errno == ECANCELED) return PRI_FAIL(ctx, PRI_ECANCEL, "%s: interrupted while it was read", s->name);
  if (fd < 0) return PRI_FAIL(ctx, PRI_EREAD, "%s: cannot be copied to a scratch file: %s (TMPDIR names another folder)", s->name,
                                 strerror(errno));
  if (s->fd != STDIN_FILENO) close(s->fd);
  s->fd = fd;
  return PRI_OK;
}

pri_status pri_source_open(pri_ctx *ctx, pri_source *s, const char *path) {
  const int standard = strcmp(path, "-") == 0;
  struct stat st;
  s->fd = -1;
  s->name = pri_strdup(ctx, standard ? "standard input" : path);
  if (!s->name) return pri_ctx_code(ctx);
  s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe opens at once */
  if (s->fd < 0 || fstat(s->fd, &st) < 0) return PRI_FAIL(ctx, PRI_EREAD, "%s: %s", s->name, strerror(errno));
  if (S_ISDIR(st.st_mode)) return PRI_FAIL(ctx, PRI_EREAD, "%s: is a folder", s->name);
  if (standard || !S_ISREG(st.st_mode)) {
    PRI_TRY(spooled(ctx, s, &st));
    if (fstat(s->fd, &st) < 0) return PRI_FAIL(ctx, PRI_EREAD, "%s: %s", s->name, strerror(errno));
  }
  s->size = (int64_t)st.st_size;
  if (s->size == 0) return PRI_FAIL(ctx, PRI_EFORMAT, "%s: is empty", s->name);
  return PRI_OK;
}

ptrdiff_t pri_source_some(const pri_source *s, void *buf, size_t n, int64_t at) {
  size_t done = 0;
  while (done < n) {
    const ssize_t k = pread(s->fd, (char *)buf + done, n - done, (off_t)(at + (int64_t)done));
    if (k < 0 && errno == EINTR) continue;
    if (k < 0) return -1;
    if (k == 0) break;
    done += (size_t)k;
  }
  return (ptrdiff_t)done;
}

pri_status pri_source_read(pri_ctx *ctx, const pri_source *s, void *buf, size_t n, int64_t at) {
  const ptrdiff_t k = pri_source_some(s, buf, n, at);
  if (k < 0) return PRI_FAIL(ctx, PRI_EREAD, "%s: %s", s->name, strerror(errno));
  if ((size_t)k < n)
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: is truncated: %zu bytes at %lld wanted, the file has %lld", s->name, n, (long long)at,
        (long long)s->size);
  return PRI_OK;
}

void pri_source_close(pri_ctx *ctx, pri_source *s) {
  if (s->fd > STDERR_FILENO) close(s->fd);
  s->fd = -1;
  pri_free(ctx, s->name);
  s->name = NULL;
}
