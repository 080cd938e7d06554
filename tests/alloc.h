/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * alloc.h - an allocator that counts what is live and refuses the n-th request, for pri_ctx_opts. A test repeats its work for
 * n = 1, 2, ... until nothing was refused: each time the work ends in PRI_ENOMEM or PRI_OK and nothing is left.
 */
#ifndef TESTS_ALLOC_H
#define TESTS_ALLOC_H
#include <stdlib.h>
#include "priori/context.h"
#include "priori/registry.h"

/* A test that leaks on purpose, to see that it is found, does so where no sanitizer would end the program for it. */
#if defined(__SANITIZE_ADDRESS__)
#define TEST_MAY_LEAK 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_MAY_LEAK 0
#endif
#endif
#ifndef TEST_MAY_LEAK
#define TEST_MAY_LEAK 1
#endif

struct test_alloc {
  long requests, live, fail_at; /* fail_at = 0: never */
  int refused;
};

static inline void *test_alloc(void *cookie, size_t bytes) {
  struct test_alloc *a = cookie;
  if (++a->requests == a->fail_at) {
    a->refused = 1;
    return NULL;
  }
  void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);
  a->live += p != NULL;
  return p;
}

static inline void test_release(void *cookie, void *p) {
  struct test_alloc *a = cookie;
  a->live -= p != NULL;
  free(p);
}

/*
 * work(ctx, arg) is run with the n-th allocation failing for every n. It releases all that it made, also after a failure, and returns its
 * status. Returns NULL where every run held, else what did not ("" never).
 */
typedef pri_status (*test_work)(pri_ctx *ctx, void *arg);
static inline const char *test_every_allocation(const pri_registry *registry, test_work work, void *arg) {
  for (long n = 1; n < 100000; n++) {
    struct test_alloc a = {.fail_at = n};
    pri_ctx *ctx;
    const pri_ctx_opts opts = {.threads = 2, .alloc = test_alloc, .release = test_release, .cookie = &a, .registry = registry};
    if (pri_ctx_create(&ctx, &opts) != PRI_OK) return "no context";
    const pri_status s = work(ctx, arg);
    const size_t held = pri_ctx_memory_used(ctx);
    pri_ctx_destroy(&ctx);
    if (a.live != 0) return "something leaks";
    if (held != 0) return "the budget is not given back";
    if (s != (a.refused ? PRI_ENOMEM : PRI_OK)) return a.refused ? "a refused allocation is not ENOMEM" : "fails without a refusal";
    if (!a.refused) return NULL;
  }
  return "does not end";
}
#endif
