/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_state.c - the visitor of an iteration: saved, loaded, hashed, counted; damaged files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "priori/priori.h"
#include "walk.h"

struct thing {
  pri_array x;
  double step;
};

static pri_status walk(struct thing *t, pri_walk *w) {
  PRI_TRY(pri_walk_array(w, "x", &t->x));
  return pri_walk_bytes(w, "step", &t->step, sizeof t->step);
}

static pri_status through(pri_ctx *ctx, struct thing *t, pri_walk_mode mode, const char *path, uint64_t *hash, size_t *count) {
  pri_walk *w;
  PRI_TRY(pri_walk_begin(ctx, &w, mode, path));
  const pri_status s = walk(t, w);
  if (hash) *hash = pri_walk_hash(w);
  if (count) *count = pri_walk_count(w);
  const pri_status e = pri_walk_end(&w, s != PRI_OK);
  return s != PRI_OK ? s : e;
}

static const pri_shape shape = {2, {3, 4}};

static void fill(pri_ctx *ctx, struct thing *t) {
  assert_int_equal(pri_array_create(ctx, &t->x, &shape, 2), PRI_OK);
  pri_rng_normal(1, "state", 0, t->x.data, 24);
  t->step = 0.1;
}

static void comes_back(void **state) {
  (void)state;
  pri_ctx *ctx;
  struct thing a, b = {.step = 0};
  uint64_t ha, hb;
  size_t count;
  char path[64];
  snprintf(path, sizeof path, "/tmp/priori-state-%ld", (long)getpid());
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  fill(ctx, &a);
  assert_int_equal(pri_array_create(ctx, &b.x, &shape, 2), PRI_OK);
  assert_int_equal(through(ctx, &a, PRI_WALK_SAVE, path, NULL, NULL), PRI_OK);
  assert_int_equal(through(ctx, &b, PRI_WALK_LOAD, path, NULL, NULL), PRI_OK);
  assert_memory_equal(a.x.data, b.x.data, 24 * sizeof(pri_real));
  assert_int_equal(through(ctx, &a, PRI_WALK_HASH, NULL, &ha, NULL), PRI_OK);
  assert_int_equal(through(ctx, &b, PRI_WALK_HASH, NULL, &hb, NULL), PRI_OK);
  assert_true(ha == hb);
  b.x.data[7] += 1;
  assert_int_equal(through(ctx, &b, PRI_WALK_HASH, NULL, &hb, NULL), PRI_OK);
  assert_true(ha != hb);
  assert_int_equal(through(ctx, &b, PRI_WALK_COUNT, NULL, NULL, &count), PRI_OK);
  assert_int_equal(count, 24 * sizeof(pri_real) + sizeof(double));
  pri_array_destroy(&a.x);
  pri_array_destroy(&b.x);
  unlink(path);
  pri_ctx_destroy(&ctx);
}

/* Every truncation and every changed byte of a state file is an error. */
static void damage_is_found(void **state) {
  (void)state;
  pri_ctx *ctx;
  struct thing a;
  char path[64];
  unsigned char bytes[1024];
  snprintf(path, sizeof path, "/tmp/priori-state-%ld", (long)getpid());
  assert_int_equal(pri_ctx_create(&ctx, NULL), PRI_OK);
  fill(ctx, &a);
  assert_int_equal(through(ctx, &a, PRI_WALK_SAVE, path, NULL, NULL), PRI_OK);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  const size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  assert_true(n > 100 && n < sizeof bytes);
  for (size_t i = 0; i < 2 * n; i++) {
    f = fopen(path, "wb");
    assert_non_null(f);
    if (i >= n) bytes[i - n] ^= 0x10;
    assert_int_equal(fwrite(bytes, 1, i < n ? i : n, f), i < n ? i : n);
    if (i >= n) bytes[i - n] ^= 0x10;
    fclose(f);
    if (through(ctx, &a, PRI_WALK_LOAD, path, NULL, NULL) != PRI_EFORMAT) fail_msg("damage %zu was not found", i);
  }
  pri_array_destroy(&a.x);
  unlink(path);
  pri_ctx_destroy(&ctx);
}

int unit_state(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back), cmocka_unit_test(damage_is_found)};
  return cmocka_run_group_tests_name("unit_state", tests, NULL, NULL);
}
