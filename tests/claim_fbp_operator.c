/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claim_fbp_operator.c - the solver fbp undoes the operator ct, whose geometry it reads: orientation, direction, centre, pitch. Same bits
 * for any number of threads and for an item alone; clipped where there is a box and only there; what it cannot take it refuses.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "priori/priori.h"

enum { N = 96, ITEMS = 2 };
static const double no_lo[ITEMS] = {-INFINITY, -INFINITY}, no_hi[ITEMS] = {INFINITY, INFINITY};

static pri_ctx *make(int threads) {
  pri_ctx *ctx;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = threads, .seed = 2}), PRI_OK);
  return ctx;
}

struct job { pri_ctx *ctx; pri_operator *A; pri_map *F; pri_array x, y; };

static struct job simulate(pri_ctx *ctx, const char *spec) {
  struct job j = {.ctx = ctx};
  const pri_shape image = pri_shape_2d(N, N);
  pri_shape none = {0};
  pri_phantom *p;
  assert_int_equal(pri_phantom_create(ctx, &p, "ellipses:size=96,dots=0,lines=0"), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &j.x, &image, ITEMS), PRI_OK);
  assert_int_equal(pri_phantom_draw(p, &j.x, 0), PRI_OK);
  pri_phantom_destroy(&p);
  const pri_meta meta = pri_meta_unknown();
  if (pri_operator_create(ctx, &j.A, spec, &meta, &image, &none) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_map_of(ctx, &j.F, j.A), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &j.y, pri_operator_range(j.A), ITEMS), PRI_OK);
  assert_int_equal(pri_operator_apply(j.A, &j.y, &j.x), PRI_OK);
  return j;
}

static void done(struct job *j) {
  pri_array_destroy(&j->x);
  pri_array_destroy(&j->y);
  pri_map_destroy(&j->F);
  pri_operator_destroy(&j->A);
}

/* one step of fbp into out (made here) */
static void fbp(const struct job *j, const char *spec, pri_array y, const double *lo, const double *hi, pri_array *out) {
  pri_fidelity *f;
  pri_solver *s;
  pri_report r[ITEMS];
  assert_int_equal(pri_fidelity_create(j->ctx, &f, "ls", &y, NULL), PRI_OK);
  const pri_problem p = {.A = j->F, .f = f, .noise = NAN, .lo = lo, .hi = hi};
  if (pri_solver_create(j->ctx, &s, spec, &p, NULL) != PRI_OK) fail_msg("%s", pri_ctx_message(j->ctx));
  assert_int_equal(pri_solver_step(s, 0, r), PRI_OK);
  assert_true(r[0].finished && r[y.items - 1].finished && r[0].adjoints == 1);
  const pri_array *x = pri_solver_iterate(s);
  assert_int_equal(pri_array_create(j->ctx, out, &x->shape, x->items), PRI_OK);
  memcpy(out->data, x->data, (size_t)(x->items * N * N) * sizeof(pri_real));
  pri_solver_destroy(&s);
  pri_fidelity_destroy(&f);
}

/* |a - b| / |b| inside the inscribed disc; b turned by `flip`: 1 transposed, 2 upside down, 4 mirrored */
static double distance(const pri_real *a, const pri_real *b, int flip) {
  double d = 0, s = 0;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < N; k++) {
      if (hypot(i - (N - 1) / 2.0, k - (N - 1) / 2.0) > N / 2.0) continue;
      int r = flip & 2 ? N - 1 - i : i, c = flip & 4 ? N - 1 - k : k;
      if (flip & 1) {
        const int t = r;
        r = c, c = t;
      }
      const double u = (double)a[i * N + k], v = (double)b[r * N + c];
      d += (u - v) * (u - v), s += v * v;
    }
  return sqrt(d / s);
}

static void it_undoes_ct(void **state) {
  (void)state;
  static const char *const specs[] = {
      "ct:angles=300,detector=144", "ct:angles=300,detector=144,direction=cw,start=20deg", "ct:angles=300,detector=288,bin=0.5,center=140.3,arc=360",
      "ct:geometry=fan,sod=200,sdd=300,pixel=1,bin=1.5,angles=400,detector=160", "ct:geometry=fan,sod=200,sdd=300,pixel=1,bin=1.5,angles=360,arc=230,detector=160,direction=cw,center=82",
      "ct:geometry=fancurved,sod=200,sdd=300,pixel=1,bin=1.5,angles=400,detector=160", "ct:geometry=fancurved,sod=200,sdd=300,pixel=1,bin=1.5,angles=360,arc=240,start=-70,detector=160"};
  pri_ctx *ctx = make(2);
  for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
    struct job j = simulate(ctx, specs[k]);
    pri_array x;
    fbp(&j, "fbp", j.y, no_lo, no_hi, &x);
    const double right = distance(x.data, j.x.data, 0);
    if (!(right <= 0.16)) fail_msg("%s: off by %.3f", specs[k], right); /* edges: a pixel is blurred by bin and interpolation */
    for (int flip = 1; flip < 8; flip++) assert_true(distance(x.data, j.x.data, flip) > 2 * right);
    pri_array_destroy(&x);
    done(&j);
  }
  pri_ctx_destroy(&ctx);
}

static void same_bits(void **state) {
  (void)state;
  static const char *const specs[] = {"ct:angles=50,detector=100", "ct:geometry=fan,sod=200,sdd=300,pixel=1,bin=1.5,angles=50,detector=100", "ct:geometry=fancurved,sod=200,sdd=300,pixel=1,bin=1.5,angles=50,detector=100"};
  for (size_t k = 0; k < 3; k++) {
    pri_array first = {0}, alone, x;
    pri_ctx *one = make(1);
    struct job j = simulate(one, specs[k]);
    fbp(&j, "fbp:window=hann", j.y, NULL, NULL, &first);
    fbp(&j, "fbp:window=hann", pri_array_items(&j.y, 1, 1), NULL, NULL, &alone);
    assert_memory_equal(alone.data, pri_array_item(&first, 1), N * N * sizeof(pri_real));
    for (int threads = 2; threads <= 8; threads += threads == 2 ? 1 : 5) {
      pri_ctx *ctx = make(threads);
      struct job more = simulate(ctx, specs[k]);
      fbp(&more, "fbp:window=hann", j.y, NULL, NULL, &x);
      assert_memory_equal(x.data, first.data, ITEMS * N * N * sizeof(pri_real));
      pri_array_destroy(&x);
      done(&more);
      pri_ctx_destroy(&ctx);
    }
    pri_array_destroy(&first);
    pri_array_destroy(&alone);
    done(&j);
    pri_ctx_destroy(&one);
  }
}

static void a_box_clips(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  struct job j = simulate(ctx, "ct:angles=20,detector=100");
  const double lo[ITEMS] = {0, -INFINITY}, hi[ITEMS] = {0.5, INFINITY};
  pri_array free_, boxed;
  fbp(&j, "fbp", j.y, no_lo, no_hi, &free_);
  fbp(&j, "fbp", j.y, lo, hi, &boxed);
  int below = 0;
  for (int i = 0; i < N * N; i++) {
    below += free_.data[i] < 0;
    assert_true(boxed.data[i] >= 0 && boxed.data[i] <= (pri_real)0.5);
  }
  assert_true(below > 100);
  assert_memory_equal(pri_array_item(&free_, 1), pri_array_item(&boxed, 1), N * N * sizeof(pri_real));
  pri_array_destroy(&free_);
  pri_array_destroy(&boxed);
  done(&j);
  pri_ctx_destroy(&ctx);
}

static void others_are_refused(void **state) {
  (void)state;
  pri_ctx *ctx = make(1);
  const pri_shape image = pri_shape_2d(8, 8);
  pri_shape none = {0};
  pri_operator *A;
  pri_map *F;
  pri_fidelity *f;
  pri_solver *s;
  pri_array y;
  const pri_meta meta = pri_meta_unknown();
  assert_int_equal(pri_operator_create(ctx, &A, "mask:random=0.5", &meta, &image, &none), PRI_OK);
  assert_int_equal(pri_map_of(ctx, &F, A), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &y, &image, 1), PRI_OK);
  assert_int_equal(pri_fidelity_create(ctx, &f, "ls", &y, NULL), PRI_OK);
  const pri_problem p = {.A = F, .f = f, .noise = NAN};
  assert_int_not_equal(pri_solver_create(ctx, &s, "fbp", &p, NULL), PRI_OK);
  assert_null(s);
  assert_non_null(strstr(pri_ctx_message(ctx), "ct operator"));
  pri_fidelity_destroy(&f);
  pri_array_destroy(&y);
  pri_map_destroy(&F);
  pri_operator_destroy(&A);
  pri_ctx_destroy(&ctx);
}

int claim_fbp_operator(void);
int claim_fbp_operator(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_undoes_ct), cmocka_unit_test(same_bits), cmocka_unit_test(a_box_clips), cmocka_unit_test(others_are_refused)};
  return cmocka_run_group_tests_name("claim_fbp_operator", tests, NULL, NULL);
}
