/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_operators.c - downsample, fourier, crop, scale, mask against their definitions; conf_operator holds them to what any operator must hold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "par.h"
#include "priori/priori.h"
#include "vec.h"

enum { ROWS = 8, COLS = 12, N = ROWS * COLS };
static const double ROUND = sizeof(pri_real) == 4 ? 4e-6 : 1e-13; /* sums of at most 96 products of numbers of size 1 */

static int make_ctx(void **state) { return pri_open((pri_ctx **)state, NULL) == PRI_OK ? 0 : -1; }
static int drop_ctx(void **state) {
  assert_int_equal(pri_ctx_memory_used(*state), 0);
  pri_ctx_destroy((pri_ctx **)state);
  return 0;
}

struct pair {
  pri_operator *A;
  pri_array x, y;
};

static void open_pair(pri_ctx *ctx, struct pair *p, const char *spec) {
  const pri_shape shape = pri_shape_2d(ROWS, COLS);
  if (pri_operator_create(ctx, &p->A, spec, NULL, &shape, NULL) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_int_equal(pri_array_create(ctx, &p->x, &shape, 1), PRI_OK);
  assert_int_equal(pri_array_create(ctx, &p->y, pri_operator_range(p->A), 1), PRI_OK);
  pri_rng_normal(3, "x", 0, p->x.data, N);
}

static void close_pair(struct pair *p) {
  pri_array_destroy(&p->x);
  pri_array_destroy(&p->y);
  pri_operator_destroy(&p->A);
}

static void box_is_the_mean_of_a_block(void **state) {
  struct pair p;
  open_pair(*state, &p, "downsample:factor=2");
  assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
  for (int i = 0; i < ROWS / 2; i++)
    for (int j = 0; j < COLS / 2; j++) {
      double mean = 0;
      for (int k = 0; k < 4; k++) mean += (double)p.x.data[(2 * i + k / 2) * COLS + 2 * j + k % 2] / 4;
      assert_true(fabs(mean - (double)p.y.data[i * COLS / 2 + j]) < ROUND);
    }
  close_pair(&p);
}

/* weights of sum 1: a constant stays, also at the reflected borders; a ramp stays inside, seen from the middle of a coarse pixel */
static void kernels_keep_constants_and_ramps(void **state) {
  static const char *const specs[] = {"downsample:2", "downsample:3,kernel=bicubic", "downsample:2,kernel=bicubic,a=-0.75", "downsample:2,kernel=gaussian,sigma=0.7",
                                      "downsample:1,kernel=lanczos", "downsample:3,kernel=lanczos,lobes=2"};
  for (int k = 0; k < 6; k++) {
    struct pair p;
    const int f = specs[k][11] - '0';
    open_pair(*state, &p, specs[k]);
    pri_fill(*state, p.x.data, 0.7, N);
    assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
    for (ptrdiff_t i = 0; i < pri_shape_size(&p.y.shape); i++) assert_true(fabs((double)p.y.data[i] - 0.7) < ROUND);
    for (int i = 0; i < N; i++) p.x.data[i] = (pri_real)(i % COLS);
    assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
    const ptrdiff_t cols = p.y.shape.n[1], c = cols / 2; /* reach to the border: at least 5 of 6 pixels */
    const double at = (double)p.y.data[c], want = f * ((double)c + 0.5) - 0.5;
    if (f < 3) assert_true(fabs(at - want) < 100 * ROUND);
    close_pair(&p);
  }
}

/* Keys's cubic at the offsets +-1/4, +-3/4 of factor 2 (t = 1/4, 3/4, 5/4, 7/4), a = -1/2: computed by hand, sum 2 */
static void bicubic_by_hand(void **state) {
  static const double h[] = {111.0 / 128, 29.0 / 128, -9.0 / 128, -3.0 / 128};
  struct pair p;
  open_pair(*state, &p, "downsample:factor=2,kernel=bicubic");
  pri_fill(*state, p.x.data, 0, N);
  for (int r = 0; r < ROWS; r++) p.x.data[r * COLS + 6] = 1; /* column 6: 0.5 off the centre 6.5 of output 3, 1.5 off 4.5, 2.5 off 8.5 */
  assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
  assert_true(fabs((double)p.y.data[3] - h[0] / 2) < ROUND && fabs((double)p.y.data[2] - h[1] / 2) < ROUND);
  assert_true(fabs((double)p.y.data[4] - h[2] / 2) < ROUND && fabs((double)p.y.data[1] - h[3] / 2) < ROUND);
  close_pair(&p);
}

/* rho = 0: the pseudo-inverse of a block mean repeats it: A x = y for x = A+ y = (A'A)+ A'y */
static void pseudo_inverse_of_box(void **state) {
  struct pair p;
  pri_array back;
  open_pair(*state, &p, "downsample:factor=4");
  assert_int_equal(pri_array_create(*state, &back, &p.x.shape, 1), PRI_OK);
  assert_true(pri_operator_has_resolvent(p.A));
  p.y.data[0] = 3, p.y.data[4] = -2;
  assert_int_equal(pri_operator_adjoint(p.A, &p.x, &p.y), PRI_OK);
  assert_int_equal(pri_operator_resolvent(p.A, &back, &p.x, 0), PRI_OK);
  assert_true(fabs((double)back.data[2 * COLS + 3] - 3) < ROUND && fabs((double)back.data[5 * COLS + 7] + 2) < ROUND);
  pri_array_destroy(&back);
  close_pair(&p);
}

static void other_kernels_have_a_stand_in(void **state) {
  struct pair p;
  open_pair(*state, &p, "downsample:factor=2,kernel=gaussian");
  assert_false(pri_operator_has_resolvent(p.A));
  close_pair(&p);
}

/* every frequency against the sum that defines it; the middle is only another place */
static void fourier_is_the_unitary_transform(void **state) {
  struct pair p, q;
  const double turn = 2 * 3.14159265358979323846;
  open_pair(*state, &p, "fourier");
  open_pair(*state, &q, "fourier:zero=middle");
  assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
  assert_int_equal(pri_operator_apply(q.A, &q.y, &q.x), PRI_OK);
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < COLS; c++) {
      double re = 0, im = 0;
      for (int i = 0; i < N; i++) {
        const double phase = turn * ((double)(r * (i / COLS)) / ROWS + (double)(c * (i % COLS)) / COLS);
        re += (double)p.x.data[i] * cos(phase), im -= (double)p.x.data[i] * sin(phase);
      }
      const int at = r * COLS + c, middle = (r + ROWS / 2) % ROWS * COLS + (c + COLS / 2) % COLS;
      assert_true(fabs((double)p.y.data[at] - re / sqrt(N)) < ROUND && fabs((double)p.y.data[N + at] - im / sqrt(N)) < ROUND);
      assert_true(q.y.data[middle] == p.y.data[at] && q.y.data[N + middle] == p.y.data[N + at]);
    }
  close_pair(&p);
  close_pair(&q);
}

static void crop_and_scale(void **state) {
  struct pair p;
  pri_operator *A;
  const pri_shape data = pri_shape_2d(3, 4);
  open_pair(*state, &p, "crop:x=5,y=2,w=4,h=3");
  assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
  assert_true(p.y.data[4] == p.x.data[3 * COLS + 5]);
  assert_int_equal(pri_operator_adjoint(p.A, &p.x, &p.y), PRI_OK);
  assert_true(p.x.data[3 * COLS + 5] == p.y.data[4] && p.x.data[0] == 0);
  close_pair(&p);
  assert_int_equal(pri_operator_create(*state, &A, "crop:w=4,h=3", NULL, NULL, &data), PRI_ESHAPE);
  assert_int_equal(pri_operator_create(*state, &A, "crop:w=4,h=3,size=12x8", NULL, NULL, &data), PRI_OK);
  assert_int_equal(pri_operator_domain(A)->n[1], COLS);
  pri_operator_destroy(&A);
  assert_int_equal(pri_operator_create(*state, &A, "crop:x=9,w=4,h=3,size=12x8", NULL, NULL, &data), PRI_ESHAPE);
  open_pair(*state, &p, "scale:-2");
  assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
  assert_true(p.y.data[7] == -2 * p.x.data[7]);
  close_pair(&p);
}

#define FILE_3X4 PRI_TEST_DATA "/corpus/slice_u8.png"
static void masks(void **state) {
  const pri_shape flat = pri_shape_2d(3, 4), deep = {3, {2, 3, 4}};
  pri_operator *A;
  pri_array x, y;
  struct pair p;
  open_pair(*state, &p, "mask:bars=2x6"); /* gaps of 4: columns 2, 3 and 8, 9 are hidden */
  assert_int_equal(pri_operator_apply(p.A, &p.y, &p.x), PRI_OK);
  for (int i = 0; i < N; i++) assert_true(p.y.data[i] == (i % COLS % 6 == 2 || i % COLS % 6 == 3 ? 0 : p.x.data[i]));
  close_pair(&p);
  assert_int_equal(pri_operator_create(*state, &A, "mask:bars=5x3", NULL, &flat, NULL), PRI_EPARAM);
  assert_int_equal(pri_operator_create(*state, &A, "mask:file=" FILE_3X4, NULL, &deep, NULL), PRI_OK); /* one plane serves both */
  assert_int_equal(pri_array_create(*state, &x, &deep, 1), PRI_OK);
  assert_int_equal(pri_array_create(*state, &y, &deep, 1), PRI_OK);
  pri_fill(*state, x.data, 1, 24);
  assert_int_equal(pri_operator_apply(A, &y, &x), PRI_OK);
  for (int i = 0; i < 24; i++) assert_true(y.data[i] == (i % 12 > 0)); /* the corpus: 0 only in its first pixel */
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_operator_destroy(&A);
  assert_int_equal(pri_operator_create(*state, &A, "mask:file=" PRI_TEST_DATA "/corpus/stack_f32.tif", NULL, &flat, NULL), PRI_ESHAPE);
  assert_non_null(strstr(pri_ctx_message(*state), "ls:known="));
}

/* the product of the norms bounds that of a chain */
static void chains_of_known_norms(void **state) {
  const pri_shape shape = pri_shape_2d(ROWS, COLS);
  pri_operator *two[2], *chain;
  assert_int_equal(pri_operator_create(*state, &two[0], "scale:-3", NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_operator_create(*state, &two[1], "downsample:2", NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_operator_chain(*state, &chain, two, 2), PRI_OK);
  const pri_bound norm = pri_operator_norm(chain);
  assert_int_equal(norm.trust, PRI_PROVEN);
  assert_true(norm.value >= 1.5 && norm.value < 1.5 * (1 + 1e-12));
  for (int i = 0; i < 2; i++) pri_operator_destroy(&two[i]);
  pri_operator_destroy(&chain);
}

static void sums(void **state) {
  const pri_shape shape = pri_shape_2d(ROWS, COLS);
  pri_operator *two[2], *sum, *other;
  pri_array x, y;
  double mismatch;
  assert_int_equal(pri_operator_create(*state, &two[0], "scale:-3", NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_operator_create(*state, &two[1], "mask:random=0.5", NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_operator_create(*state, &other, "downsample", NULL, &shape, NULL), PRI_OK);
  assert_int_equal(pri_operator_sum(*state, &sum, two, 2), PRI_OK);
  assert_int_equal(pri_array_create(*state, &x, &shape, 2), PRI_OK);
  assert_int_equal(pri_array_create(*state, &y, &shape, 2), PRI_OK);
  pri_rng_normal(3, "x", 0, x.data, 2 * N);
  assert_int_equal(pri_operator_apply(sum, &y, &x), PRI_OK);
  for (int i = 0; i < 2 * N; i++) assert_true(y.data[i] == -3 * x.data[i] || y.data[i] == -3 * x.data[i] + x.data[i]);
  assert_int_equal(pri_operator_mismatch(sum, 0, 6, &mismatch), PRI_OK);
  assert_true(mismatch < ROUND && pri_operator_norm(sum).trust == PRI_PROVEN && pri_operator_flags(sum) == (PRI_OP_SELFADJOINT | PRI_OP_DIAGONAL));
  pri_array_destroy(&x);
  pri_array_destroy(&y);
  pri_operator_destroy(&sum);
  pri_operator *const unlike[] = {two[0], other};
  assert_int_equal(pri_operator_sum(*state, &sum, unlike, 2), PRI_ESHAPE);
  for (int i = 0; i < 2; i++) pri_operator_destroy(&two[i]);
  pri_operator_destroy(&other);
}

/* ---- calls through the class with a scratch of their own, side by side: what bilevel learning does with its samples */

enum { CALLS = 24 };
struct calls {
  pri_ctx *ctx;
  const pri_operator_class *c;
  const void *priv;
  const pri_array *x;
  pri_array *y, *z;
  char *scratch;
  size_t each;
};

static pri_status call_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct calls *j = arg;
  void *scratch = j->scratch + (size_t)worker * j->each;
  for (ptrdiff_t i = first; i < last; i++) {
    PRI_TRY(j->c->apply(j->ctx, j->priv, pri_array_item(j->y, i), pri_array_item(j->x, i), 1, scratch));
    PRI_TRY(j->c->adjoint(j->ctx, j->priv, pri_array_item(j->z, i), pri_array_item(j->y, i), 1, scratch));
  }
  return PRI_OK;
}

static void calls_agree(pri_ctx *ctx, const pri_operator *A) {
  struct calls j = {.ctx = ctx};
  pri_array x, y, z, y1, z1;
  pri_array *const image[] = {&x, &z, &z1}, *const data[] = {&y, &y1};
  j.c = pri_operator_class_of(A, &j.priv);
  for (int i = 0; i < 3; i++) assert_int_equal(pri_array_create(ctx, image[i], pri_operator_domain(A), CALLS), PRI_OK);
  for (int i = 0; i < 2; i++) assert_int_equal(pri_array_create(ctx, data[i], pri_operator_range(A), CALLS), PRI_OK);
  pri_rng_normal(3, "calls", 0, x.data, (size_t)(CALLS * pri_shape_size(&x.shape)));
  assert_int_equal(pri_operator_apply(A, &y1, &x), PRI_OK);
  assert_int_equal(pri_operator_adjoint(A, &z1, &y1), PRI_OK);
  j.x = &x, j.y = &y, j.z = &z, j.each = ((j.c->scratch ? j.c->scratch(j.priv) : 0) + 127) / 64 * 64;
  j.scratch = pri_calloc(ctx, 4, j.each);
  for (int k = 0; k < 5; k++) {
    assert_int_equal(pri_par_for(ctx, CALLS, 1, call_some, &j), PRI_OK);
    assert_memory_equal(y.data, y1.data, (size_t)(CALLS * pri_shape_size(&y.shape)) * sizeof(pri_real));
    assert_memory_equal(z.data, z1.data, (size_t)(CALLS * pri_shape_size(&z.shape)) * sizeof(pri_real));
  }
  pri_free(ctx, j.scratch);
  for (int i = 0; i < 3; i++) pri_array_destroy(image[i]);
  for (int i = 0; i < 2; i++) pri_array_destroy(data[i]);
}

static void calls_side_by_side(void **state) {
  static const char *const specs[] = {"blur:psf=gaussian,sigma=1.5,border=reflect", "blur:psf=motion,length=7,angle=30,border=reflect", "downsample:2,kernel=bicubic", "mask:random=0.5"};
  const pri_shape shape = pri_shape_2d(64, 96);
  pri_operator *two[2], *of[6];
  pri_ctx *ctx;
  (void)state;
  assert_int_equal(pri_open(&ctx, &(pri_ctx_opts){.threads = 4}), PRI_OK);
  for (int i = 0; i < 4; i++) assert_int_equal(pri_operator_create(ctx, &of[i], specs[i], NULL, &shape, NULL), PRI_OK);
  two[0] = of[1], two[1] = of[2];
  assert_int_equal(pri_operator_chain(ctx, &of[4], two, 2), PRI_OK);
  two[0] = of[0], two[1] = of[1];
  assert_int_equal(pri_operator_sum(ctx, &of[5], two, 2), PRI_OK);
  for (int i = 0; i < 6; i++) calls_agree(ctx, of[i]);
  for (int i = 0; i < 6; i++) pri_operator_destroy(&of[i]);
  assert_int_equal(pri_ctx_memory_used(ctx), 0);
  pri_ctx_destroy(&ctx);
}

/* what of the unknown is measured is said of a sum, too, where its members agree */
static void frames_of_sums(void **state) {
  static const char *const specs[] = {"blur:psf=gaussian,sigma=1,size=5,border=unknown", "blur:psf=box,width=3,size=5,border=unknown"};
  const pri_shape ran = pri_shape_2d(ROWS, COLS);
  pri_operator *two[2], *sum;
  pri_box box, one;
  for (int i = 0; i < 2; i++)
    if (pri_operator_create(*state, &two[i], specs[i], NULL, NULL, &ran) != PRI_OK) fail_msg("%s", pri_ctx_message(*state));
  assert_int_equal(pri_operator_sum(*state, &sum, two, 2), PRI_OK);
  pri_operator_frame(two[0], &one);
  pri_operator_frame(sum, &box);
  assert_memory_equal(&box, &one, sizeof box);
  assert_true(box.first[0] == 2 && box.n[0] == ROWS && box.first[1] == 2 && box.n[1] == COLS);
  pri_operator_destroy(&sum);
  for (int i = 0; i < 2; i++) pri_operator_destroy(&two[i]);
}

int unit_operators(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(box_is_the_mean_of_a_block), cmocka_unit_test(kernels_keep_constants_and_ramps), cmocka_unit_test(bicubic_by_hand),
      cmocka_unit_test(pseudo_inverse_of_box), cmocka_unit_test(other_kernels_have_a_stand_in), cmocka_unit_test(fourier_is_the_unitary_transform),
      cmocka_unit_test(crop_and_scale), cmocka_unit_test(masks), cmocka_unit_test(chains_of_known_norms), cmocka_unit_test(sums),
      cmocka_unit_test(frames_of_sums), cmocka_unit_test(calls_side_by_side)};
  return cmocka_run_group_tests_name("unit_operators", tests, make_ctx, drop_ctx);
}
