/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * priori/context.h - one per thread of control; every object keeps a pointer to the one that made it.
 * It carries what would otherwise be global: message, log, threads, memory budget, seed, cancel flag, registry.
 */
#ifndef PRIORI_CONTEXT_H
#define PRIORI_CONTEXT_H
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include "priori/real.h"
#include "priori/status.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_ctx pri_ctx;
struct pri_registry;
typedef enum pri_verbosity { PRI_LOG_ERROR, PRI_LOG_WARN, PRI_LOG_INFO, PRI_LOG_DEBUG } pri_verbosity;
typedef struct pri_ctx_opts {
  int threads;             /* 0: one per core that the process may use */
  size_t memory;           /* bytes; 0: what the cgroup allows. Every pri_calloc counts */
  uint64_t seed;           /* root of every random stream */
  pri_verbosity verbosity;
  void (*log)(void *cookie, pri_verbosity v, const char *line); /* NULL: silent; line has no newline */
  void *(*alloc)(void *cookie, size_t bytes);                   /* NULL: 64-byte aligned malloc */
  void (*release)(void *cookie, void *p);
  void *cookie;
  const volatile sig_atomic_t *cancel;                          /* polled between steps; NULL: never */
  const char *scratch_directory;                                /* for data that does not fit in memory; borrowed */
  const struct pri_registry *registry;                          /* what exists; borrowed. pri_open() fills in the built-in one */
} pri_ctx_opts;

/* opts may be NULL: all defaults. ENOMEM only; *out is NULL then. */
PRI_API PRI_MUST_CHECK pri_status pri_ctx_create(pri_ctx **out, const pri_ctx_opts *opts);
/* Own message and thread count, the rest shared with the parent, which must outlive it. threads = 0: the parent's. */
PRI_API PRI_MUST_CHECK pri_status pri_ctx_child(pri_ctx *parent, pri_ctx **out, int threads);
PRI_API void pri_ctx_destroy(pri_ctx **ctx); /* NULL and pointer to NULL are fine; sets it to NULL */

PRI_API uint64_t pri_ctx_seed(const pri_ctx *ctx);
PRI_API int pri_ctx_threads(const pri_ctx *ctx);
PRI_API const struct pri_registry *pri_ctx_registry(const pri_ctx *ctx);
PRI_API int pri_ctx_cancelled(const pri_ctx *ctx);
PRI_API size_t pri_ctx_memory_limit(const pri_ctx *ctx); /* bytes */
PRI_API size_t pri_ctx_memory_used(const pri_ctx *ctx);  /* bytes held now by pri_calloc, family wide */
PRI_API size_t pri_ctx_memory_peak(const pri_ctx *ctx);
PRI_API long pri_ctx_allocations(const pri_ctx *ctx);    /* calls of pri_calloc so far: tests prove that a step allocates nothing */

/* "blur: sigma=-3 px is outside [0.1, 100] px (bad parameter, kind.c:49)"; "" before the first failure. Valid until the next. */
PRI_API const char *pri_ctx_message(const pri_ctx *ctx);
/* Stores the message and returns code. The text names the object, the value, the allowed range with its unit, and what to do. */
PRI_API pri_status pri_fail(pri_ctx *ctx, pri_status code, const char *file, int line, const char *fmt, ...) PRI_PRINTF(5, 6);
PRI_API void pri_log(pri_ctx *ctx, pri_verbosity v, const char *fmt, ...) PRI_PRINTF(3, 4);

/* Zeroed, 64-byte aligned, overflow-checked, counted against the budget. NULL after pri_fail(ENOMEM or EBUDGET); the
   caller then returns pri_ctx_code(ctx). count = 0 or size = 0 give a valid pointer. One thread at a time per family. */
PRI_API void *pri_calloc(pri_ctx *ctx, size_t count, size_t size);
PRI_API void pri_free(pri_ctx *ctx, void *p);               /* NULL is fine */
PRI_API char *pri_strdup(pri_ctx *ctx, const char *s);      /* by pri_calloc; NULL in gives NULL without failure */
PRI_API pri_status pri_ctx_code(const pri_ctx *ctx);        /* code of the last pri_fail */

#define PRI_FAIL(ctx, code, ...) pri_fail((ctx), (code), __FILE__, __LINE__, __VA_ARGS__)
#define PRI_TRY(call)                          \
  do {                                         \
    const pri_status pri_s_ = (call);          \
    if (pri_s_ != PRI_OK) return pri_s_;       \
  } while (0)
/* p = pri_calloc-like call, or return its status */
#define PRI_ALLOC(ctx, p, count)                                              \
  do {                                                                        \
    (p) = pri_calloc((ctx), (size_t)(count), sizeof *(p));                    \
    if (!(p)) return pri_ctx_code(ctx);                                       \
  } while (0)
#ifdef __cplusplus
}
#endif
#endif
