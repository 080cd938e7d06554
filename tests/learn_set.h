/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_set.h - small learning problems for tests: two pairs of images, their lower level, and methods that run on them. */
#ifndef TESTS_LEARN_SET_H
#define TESTS_LEARN_SET_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../reconstruct/learn.h"
#include "../reconstruct/learn_method.h"
#include "priori/priori.h"
#include "priori/rng.h"

enum { SET_SIDE = 12, SET_PIXELS = SET_SIDE * SET_SIDE };
static const pri_method_box set_box = {-16, 16};

struct set {
  pri_ctx *ctx;
  pri_operator *A;
  pri_prior *R;
  pri_array y, truth;
  pri_lower *l;
};

static inline void open_set(struct set *s, const char *prior, ptrdiff_t side) {
  const pri_shape shape = pri_shape_2d(side, side);
  *s = (struct set){0};
  assert_int_equal(pri_open(&s->ctx, NULL), PRI_OK);
  assert_int_equal(pri_operator_create(s->ctx, &s->A, "identity", NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_prior_create(s->ctx, &s->R, prior, NULL, &shape), PRI_OK);
  assert_int_equal(pri_array_create(s->ctx, &s->y, &shape, 2), PRI_OK);
  assert_int_equal(pri_array_create(s->ctx, &s->truth, &shape, 2), PRI_OK);
}

static inline void make_lower(struct set *s) {
  const pri_lower_problem p = {.A = s->A, .R = s->R, .y = &s->y, .truth = &s->truth};
  if (pri_lower_images(s->ctx, &s->l, &p) != PRI_OK) fail_msg("%s", pri_ctx_message(s->ctx));
}

/* T1 of spec maid 9.2: y = (2, 1), truth = (1, 0.8), one pixel each */
static inline void open_pair(struct set *s) {
  open_set(s, "tikhonov:weight=1", 1);
  s->y.data[0] = 2, s->y.data[1] = 1, s->truth.data[0] = 1, s->truth.data[1] = (pri_real)0.8;
  make_lower(s);
}

/* discs of two sizes, noise of sd 0.1 */
static inline void open_discs(struct set *s) {
  open_set(s, "smooth-tv:weight=0.1,smoothing=0.05", SET_SIDE);
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < SET_PIXELS; k++) pri_array_item(&s->truth, i)[k] = (pri_real)((k % SET_SIDE - 5) * (k % SET_SIDE - 5) + (k / SET_SIDE - 6) * (k / SET_SIDE - 6) < 9 + 6 * i ? 0.8 : 0.2);
  for (ptrdiff_t k = 0; k < 2 * SET_PIXELS; k++) s->y.data[k] = (pri_real)((double)s->truth.data[k] + 0.1 * pri_rng_normal_at(3, "noise", (uint64_t)k));
  make_lower(s);
}

static inline void close_set(struct set *s) {
  pri_lower_destroy(&s->l);
  pri_array_destroy(&s->y);
  pri_array_destroy(&s->truth);
  pri_prior_destroy(&s->R);
  pri_operator_destroy(&s->A);
  assert_int_equal(pri_ctx_memory_used(s->ctx), 0);
  pri_ctx_destroy(&s->ctx);
}

static inline pri_method *begin(struct set *s, const char *spec, const double *start) {
  pri_method *m;
  if (pri_method_parse(s->ctx, &m, spec) != PRI_OK || pri_method_start(m, s->l, start, set_box) != PRI_OK) fail_msg("%s: %s", spec, pri_ctx_message(s->ctx));
  return m;
}

static inline void go(struct set *s, pri_method *m, int steps, pri_method_report *r) {
  pri_verdict v = PRI_GO;
  for (int k = 0; k < steps && v == PRI_GO; k++)
    if (pri_method_step(m, r, &v) != PRI_OK) fail_msg("%s", pri_ctx_message(s->ctx));
}
#endif
