/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_sink.c - bytes out. They go to ".NAME.PID-N.part" in the folder of the target; commit flushes (fsync), closes (checked) and renames,
 * then flushes the folder. Whatever fails before that, a full disk found at close included, removes the temporary file: nothing
 * that is named like the target is ever unfinished. Standard output, and targets that are no regular files (/dev/null, a FIFO),
 * are filled from a scratch file by commit.
 */
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

pri_status pri_sink_fail(pri_sink *s, int error) {
  return PRI_FAIL(s->ctx, PRI_EWRITE, "%s: cannot be written: %s", s->target,
      error ? strerror(error) : "the library that writes it failed");
}

static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/* ".NAME.PID-N.part" beside the target, created exclusively */
static pri_status create_temp(pri_sink *s) {
  const size_t folder = folder_length(s->target), room = strlen(s->target) + 64;
  char *const name = pri_calloc(s->ctx, room, 1);
  if (!name) return pri_ctx_code(s->ctx);
  for (int k = 0; k < 1000 && s->fd < 0; ++k) {
    snprintf(name, room, "%.*s.%.180s.%ld-%d.part", (int)folder, s->target, s->target + folder, (long)getpid(), k);
    s->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->fd < 0 && errno != EEXIST) break;
  }
  if (s->fd < 0) {
    const int why = errno;
    pri_free(s->ctx, name);
    return pri_sink_fail(s, why);
  }
  s->temp = name;
  return PRI_OK;
}

static pri_status set_target(pri_sink *s, const char *target) {
  char *const real = realpath(target, NULL);   /* a link stays, what it points at is replaced */
  s->target = pri_strdup(s->ctx, real && *target && strcmp(target, "-") ? real : target);
  free(real);
  if (!s->target || !(s->folder = pri_strdup(s->ctx, s->target))) return pri_ctx_code(s->ctx);
  s->folder[folder_length(s->folder)] = 0;
  return PRI_OK;
}

pri_status pri_sink_open(pri_ctx *ctx, pri_sink *s, const char *target, int overwrite) {
  struct stat st;
  *s = (pri_sink){.ctx = ctx, .fd = -1, .overwrite = overwrite};
  PRI_TRY(set_target(s, target));
  s->pipe = strcmp(target, "-") == 0;
  if (!s->pipe && stat(s->target, &st) == 0) {
    if (S_ISDIR(st.st_mode)) return PRI_FAIL(ctx, PRI_EWRITE, "%s: is a folder", target);
    s->pipe = !S_ISREG(st.st_mode);
    if (!s->pipe && !overwrite) return PRI_FAIL(ctx, PRI_EWRITE, "%s: exists (-f overwrites)", target);
  }
  if (!s->pipe) return create_temp(s);
  s->fd = pri_scratch_file();
  return s->fd < 0 ? pri_sink_fail(s, errno) : PRI_OK;
}

pri_status pri_sink_put(pri_sink *s, const void *buf, size_t n, int64_t at) {
  const char *p = buf;
  while (n > 0) {
    const ssize_t k = pwrite(s->fd, p, n, (off_t)at);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return pri_sink_fail(s, k < 0 ? errno : ENOSPC);
    p += k, n -= (size_t)k, at += k;
  }
  return PRI_OK;
}

pri_status pri_sink_write(pri_sink *s, const void *buf, size_t n) {
  PRI_TRY(pri_sink_put(s, buf, n, s->at));
  s->at += (int64_t)n;
  return PRI_OK;
}

pri_status pri_sink_flush(pri_sink *s) {
  if (s->pipe || fsync(s->fd) == 0) return PRI_OK;
  return errno == EINVAL ? PRI_OK : pri_sink_fail(s, errno);   /* EINVAL: a file system without fsync */
}

static int copy_to(int from, int to) {
  char buf[1 << 16];
  for (off_t at = 0;;) {
    const ssize_t k = pread(from, buf, sizeof buf, at);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return (int)k;
    for (ssize_t done = 0; done < k;) {
      const ssize_t w = write(to, buf + done, (size_t)(k - done));
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) return -1;
      done += w;
    }
    at += k;
  }
}

/* a FIFO is opened once it has a reader; the wait for one is ended by the cancel flag (errno ECANCELED) */
static int open_pipe(const pri_sink *s) {
  for (;;) {
    const int fd = open(s->target, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
      const int flags = fcntl(fd, F_GETFL);
      if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0) return fd;
      close(fd);
      return -1;
    }
    if (errno != ENXIO) return -1;
    if (pri_ctx_cancelled(s->ctx)) return errno = ECANCELED, -1;
    (void)poll(NULL, 0, 50);
  }
}

static pri_status commit_pipe(pri_sink *s) {
  const int standard = strcmp(s->target, "-") == 0, to = standard ? STDOUT_FILENO : open_pipe(s);
  int bad = to < 0 || copy_to(s->fd, to) < 0 ? errno : 0;
  if (to >= 0 && !standard && close(to) < 0 && !bad) bad = errno;
  close(s->fd);
  s->fd = -1;
  if (bad == ECANCELED) return PRI_FAIL(s->ctx, PRI_ECANCEL, "%s: interrupted: nobody reads it", s->target);
  return bad ? pri_sink_fail(s, bad) : PRI_OK;
}

/* without -f a file that came into being meanwhile is left alone, too: link() refuses where rename() would replace */
static int rename_to_target(const pri_sink *s) {
  if (!s->overwrite) {
    if (link(s->temp, s->target) == 0) return unlink(s->temp);
    if (errno == EEXIST) return -1;            /* any other reason: a file system without links */
  }
  return rename(s->temp, s->target);
}

static void flush_folder(const pri_sink *s) {
  const int fd = open(s->folder[0] ? s->folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  if (fsync(fd) < 0) pri_log(s->ctx, PRI_LOG_DEBUG, "%s: its folder cannot be flushed: %s", s->target, strerror(errno));
  close(fd);
}

pri_status pri_sink_commit(pri_sink *s) {
  if (s->pipe) return commit_pipe(s);
  PRI_TRY(pri_sink_flush(s));
  const int fd = s->fd;
  s->fd = -1;
  if (close(fd) < 0) return pri_sink_fail(s, errno);
  if (rename_to_target(s) < 0) return pri_sink_fail(s, errno);
  pri_free(s->ctx, s->temp);
  s->temp = NULL;
  flush_folder(s);
  return PRI_OK;
}

void pri_sink_discard(pri_sink *s) {
  if (!s->ctx) return;
  if (s->fd >= 0) close(s->fd);
  if (s->temp) unlink(s->temp);
  pri_free(s->ctx, s->temp);
  pri_free(s->ctx, s->target);
  pri_free(s->ctx, s->folder);
  *s = (pri_sink){.fd = -1};
}
