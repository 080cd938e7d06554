/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * context.c - message, log, budget, seed, cancel flag.
 *
 * A context and its children share one `pool` (budget, counters, options); message and thread count are each one's own. Every
 * block that pri_calloc hands out is preceded by a 64-byte head that remembers its size, so that pri_free can give it back to
 * the budget. The counters are atomic: objects may be destroyed from another thread of control than made them.
 */
#define _GNU_SOURCE
#include "priori/context.h"
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 64, MESSAGE = 1024 };

struct pool {
  pri_ctx_opts opts;
  atomic_size_t used, peak;
  atomic_long allocations;
};

struct pri_ctx {
  struct pool *pool;
  int owner, threads;
  pri_status code;
  char message[MESSAGE];
};

static int cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (int)n : 1;
}

/* First number in a file, or `otherwise` ("max" and missing files too). */
static double first_number(const char *path, double otherwise) {
  FILE *f = fopen(path, "r");
  double v = otherwise;
  if (!f) return v;
  if (fscanf(f, "%lf", &v) != 1) v = otherwise;
  fclose(f);
  return v;
}

/* Whole processors that the cgroup allows: quota / period, rounded up. */
static int cgroup_cores(int have) {
  FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
  double quota = 0, period = 0;
  if (!f) return have;
  const int got = fscanf(f, "%lf %lf", &quota, &period);
  fclose(f);
  if (got != 2 || quota <= 0 || period <= 0) return have;
  const int allowed = (int)(quota / period + 0.999);
  return allowed < 1 ? 1 : allowed < have ? allowed : have;
}

static size_t machine_memory(void) {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  double m = pages > 0 && size > 0 ? (double)pages * (double)size : 4e9;
  const double v2 = first_number("/sys/fs/cgroup/memory.max", m);
  const double v1 = first_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", m);
  m = v2 < m ? v2 : m;
  m = v1 < m ? v1 : m;
  return (size_t)(0.9 * m); /* a tenth is left for libraries and the system */
}

static void fill_defaults(pri_ctx_opts *o) {
  if (o->threads <= 0) o->threads = cgroup_cores(cores());
  if (o->memory == 0) o->memory = machine_memory();
}

pri_status pri_ctx_create(pri_ctx **out, const pri_ctx_opts *opts) {
  *out = NULL;
  pri_ctx *ctx = calloc(1, sizeof *ctx);
  struct pool *pool = calloc(1, sizeof *pool);
  if (!ctx || !pool) {
    free(ctx);
    free(pool);
    return PRI_ENOMEM;
  }
  if (opts) pool->opts = *opts;
  fill_defaults(&pool->opts);
  *ctx = (pri_ctx){.pool = pool, .owner = 1, .threads = pool->opts.threads};
  *out = ctx;
  return PRI_OK;
}

pri_status pri_ctx_child(pri_ctx *parent, pri_ctx **out, int threads) {
  *out = calloc(1, sizeof **out);
  if (!*out) return PRI_FAIL(parent, PRI_ENOMEM, "context: no memory for a child context");
  **out = (pri_ctx){.pool = parent->pool, .threads = threads > 0 ? threads : parent->threads};
  return PRI_OK;
}

void pri_ctx_destroy(pri_ctx **ctx) {
  if (!ctx || !*ctx) return;
  if ((*ctx)->owner) free((*ctx)->pool);
  free(*ctx);
  *ctx = NULL;
}

uint64_t pri_ctx_seed(const pri_ctx *ctx) { return ctx->pool->opts.seed; }
int pri_ctx_threads(const pri_ctx *ctx) { return ctx->threads; }
const struct pri_registry *pri_ctx_registry(const pri_ctx *ctx) { return ctx->pool->opts.registry; }
size_t pri_ctx_memory_limit(const pri_ctx *ctx) { return ctx->pool->opts.memory; }
size_t pri_ctx_memory_used(const pri_ctx *ctx) { return atomic_load(&ctx->pool->used); }
size_t pri_ctx_memory_peak(const pri_ctx *ctx) { return atomic_load(&ctx->pool->peak); }
long pri_ctx_allocations(const pri_ctx *ctx) { return atomic_load(&ctx->pool->allocations); }
const char *pri_ctx_message(const pri_ctx *ctx) { return ctx->message; }
pri_status pri_ctx_code(const pri_ctx *ctx) { return ctx->code; }

int pri_ctx_cancelled(const pri_ctx *ctx) {
  return ctx->pool->opts.cancel && *ctx->pool->opts.cancel;
}

pri_status pri_fail(pri_ctx *ctx, pri_status code, const char *file, int line, const char *fmt, ...) {
  char text[MESSAGE]; /* the arguments may point into the old message */
  const char *base = strrchr(file, '/');
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  snprintf(ctx->message, sizeof ctx->message, "%.900s (%s, %s:%d)", text, pri_status_text(code),
           base ? base + 1 : file, line);
  return ctx->code = code;
}

void pri_log(pri_ctx *ctx, pri_verbosity v, const char *fmt, ...) {
  const pri_ctx_opts *o = &ctx->pool->opts;
  if (!o->log || v > o->verbosity) return;
  char line[MESSAGE];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  o->log(o->cookie, v, line);
}

static void *raw_alloc(const pri_ctx_opts *o, size_t bytes) {
  if (o->alloc) return o->alloc(o->cookie, bytes);
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

/* Reserve against the budget first, so that two threads cannot both slip under it. */
static pri_status reserve(pri_ctx *ctx, size_t bytes) {
  struct pool *p = ctx->pool;
  const size_t now = atomic_fetch_add(&p->used, bytes) + bytes;
  if (now > p->opts.memory) {
    atomic_fetch_sub(&p->used, bytes);
    return PRI_FAIL(ctx, PRI_EBUDGET,
                    "memory: %.1f MiB more would make %.1f MiB; the budget is %.1f MiB (--mem raises it)",
                    (double)bytes / 1048576, (double)now / 1048576, (double)p->opts.memory / 1048576);
  }
  size_t peak = atomic_load(&p->peak);
  while (now > peak && !atomic_compare_exchange_weak(&p->peak, &peak, now)) continue;
  return PRI_OK;
}

void *pri_calloc(pri_ctx *ctx, size_t count, size_t size) {
  struct pool *p = ctx->pool;
  if (size && count > (SIZE_MAX / 2 - HEAD) / size) {
    (void)PRI_FAIL(ctx, PRI_ENOMEM, "memory: %zu x %zu bytes overflow", count, size);
    return NULL;
  }
  const size_t bytes = count * size + HEAD;
  if (reserve(ctx, bytes) != PRI_OK) return NULL;
  unsigned char *head = raw_alloc(&p->opts, bytes);
  if (!head) {
    atomic_fetch_sub(&p->used, bytes);
    (void)PRI_FAIL(ctx, PRI_ENOMEM, "memory: the system has no %.1f MiB more", (double)bytes / 1048576);
    return NULL;
  }
  atomic_fetch_add(&p->allocations, 1);
  memset(head, 0, bytes);
  memcpy(head, &bytes, sizeof bytes);
  return head + HEAD;
}

void pri_free(pri_ctx *ctx, void *ptr) {
  if (!ptr) return;
  struct pool *p = ctx->pool;
  unsigned char *head = (unsigned char *)ptr - HEAD;
  size_t bytes = 0;
  memcpy(&bytes, head, sizeof bytes);
  atomic_fetch_sub(&p->used, bytes);
  if (p->opts.release) p->opts.release(p->opts.cookie, head);
  else free(head);
}

char *pri_strdup(pri_ctx *ctx, const char *s) {
  if (!s) return NULL;
  const size_t n = strlen(s) + 1;
  char *d = pri_calloc(ctx, n, 1);
  return d ? memcpy(d, s, n) : NULL;
}
