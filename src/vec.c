/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vec.c - dense vectors. A sum runs over blocks of 4096 elements; within a block in eight interleaved partial sums that are added
 * pairwise, so that compilers vectorise it without changing its order; blocks are added in index order, in groups of fixed size:
 * one bit pattern for any number of threads.
 */
#include "vec.h"
#include <math.h>
#include <string.h>
#include "par.h"

enum { GROUPS = 512 };   /* partial results on the stack */
enum { GRAIN = 1 << 15 }; /* elements a chunk of the element-wise loops */

struct sum {
  pri_sum_fn fn;
  const void *arg;
  ptrdiff_t n, per_group;
  double *part;
};

static pri_status sum_groups(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  struct sum *s = arg;
  (void)worker;
  for (ptrdiff_t g = first; g < last; g++) {
    const ptrdiff_t begin = g * s->per_group, end = begin + s->per_group < s->n ? begin + s->per_group : s->n;
    double total = 0;
    for (ptrdiff_t i = begin; i < end; i += PRI_VEC_BLOCK)
      total += s->fn(s->arg, i, i + PRI_VEC_BLOCK < end ? i + PRI_VEC_BLOCK : end);
    s->part[g] = total;
  }
  return PRI_OK;
}

double pri_sum(pri_ctx *ctx, ptrdiff_t n, pri_sum_fn fn, const void *arg) {
  double part[GROUPS];
  const ptrdiff_t blocks = (n + PRI_VEC_BLOCK - 1) / PRI_VEC_BLOCK, size = (blocks + GROUPS - 1) / GROUPS;
  struct sum s = {fn, arg, n, size * PRI_VEC_BLOCK, part};
  if (n <= 0) return 0;
  const ptrdiff_t groups = (blocks + size - 1) / size;
  (void)pri_par_for(ctx, groups, 8, sum_groups, &s); /* sum_groups cannot fail */
  double total = 0;
  for (ptrdiff_t g = 0; g < groups; g++) total += part[g];
  return total;
}

struct pair {
  const pri_real *a, *b;
};

static double fold(const double s[8]) {
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* One block function a sum: EXPR of element i. */
#define BLOCK(name, EXPR)                                                       \
  static double name(const void *arg, ptrdiff_t first, ptrdiff_t last) {        \
    const struct pair *p = arg;                                                 \
    const pri_real *a = p->a, *b = p->b;                                        \
    double s[8] = {0};                                                          \
    ptrdiff_t i = first;                                                        \
    (void)b;                                                                    \
    for (; i + 8 <= last; i += 8)                                               \
      for (int j = 0; j < 8; j++) s[j] += EXPR(i + j);                          \
    for (int j = 0; i < last; i++, j++) s[j] += EXPR(i);                        \
    return fold(s);                                                             \
  }
#define PRODUCT(i) ((double)a[i] * (double)b[i])
#define SQUARE(i) ((double)a[i] * (double)a[i])
#define DISTANCE(i) (((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]))
#define VALUE(i) ((double)a[i])
BLOCK(dot_block, PRODUCT)
BLOCK(square_block, SQUARE)
BLOCK(distance_block, DISTANCE)
BLOCK(value_block, VALUE)

/* 0 where all are finite: 0 a is 0 then, and NaN otherwise */
static double nonfinite_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const pri_real *a = ((const struct pair *)arg)->a;
  pri_real s[16] = {0};
  ptrdiff_t i = first;
  for (; i + 16 <= last; i += 16)
    for (int j = 0; j < 16; j++) s[j] += 0 * a[i + j];
  for (int j = 0; i < last; i++, j++) s[j] += 0 * a[i];
  for (int j = 1; j < 16; j++) s[0] += s[j];
  return s[0] == 0 ? 0 : 1;
}

double pri_dot(pri_ctx *ctx, const pri_real *a, const pri_real *b, ptrdiff_t n) {
  return pri_sum(ctx, n, dot_block, &(struct pair){a, b});
}
double pri_norm2sq(pri_ctx *ctx, const pri_real *a, ptrdiff_t n) {
  return pri_sum(ctx, n, square_block, &(struct pair){a, NULL});
}
double pri_dist2sq(pri_ctx *ctx, const pri_real *a, const pri_real *b, ptrdiff_t n) {
  return pri_sum(ctx, n, distance_block, &(struct pair){a, b});
}
double pri_vsum(pri_ctx *ctx, const pri_real *a, ptrdiff_t n) {
  return pri_sum(ctx, n, value_block, &(struct pair){a, NULL});
}
int pri_finite(pri_ctx *ctx, const pri_real *a, ptrdiff_t n) {
  return pri_sum(ctx, n, nonfinite_block, &(struct pair){a, NULL}) == 0;
}

double pri_vmax(const pri_real *a, ptrdiff_t n) {
  double m = -INFINITY;
  for (ptrdiff_t i = 0; i < n; i++) m = (double)a[i] > m ? (double)a[i] : m;
  return m;
}

double pri_vmin(const pri_real *a, ptrdiff_t n) {
  double m = INFINITY;
  for (ptrdiff_t i = 0; i < n; i++) m = (double)a[i] < m ? (double)a[i] : m;
  return m;
}

struct map {
  pri_real *y;
  const pri_real *x, *z;
  pri_real a, b;
};

/* One element-wise loop: y[i] = EXPR. */
#define EACH(name, EXPR)                                                                      \
  static pri_status name(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {            \
    const struct map *m = arg;                                                                \
    pri_real *y = m->y;                                                                       \
    const pri_real *x = m->x, *z = m->z, a = m->a, b = m->b;                                  \
    (void)worker, (void)x, (void)z, (void)a, (void)b;                                         \
    for (ptrdiff_t i = first; i < last; i++) y[i] = EXPR;                                     \
    return PRI_OK;                                                                            \
  }
EACH(scale_some, a *y[i])
EACH(axpy_some, y[i] + a * x[i])
EACH(axpby_some, a *x[i] + b * y[i])
EACH(sub_some, x[i] - z[i])
EACH(copy_some, x[i])
EACH(fill_some, a)
EACH(clip_some, y[i] < a ? a : y[i] > b ? b : y[i])

static void each(pri_ctx *ctx, pri_par_fn fn, struct map m, ptrdiff_t n) {
  (void)pri_par_for(ctx, n, GRAIN, fn, &m); /* these functions cannot fail */
}

void pri_scale(pri_ctx *ctx, pri_real *y, double a, ptrdiff_t n) {
  each(ctx, scale_some, (struct map){.y = y, .a = (pri_real)a}, n);
}
void pri_axpy(pri_ctx *ctx, pri_real *y, double a, const pri_real *x, ptrdiff_t n) {
  each(ctx, axpy_some, (struct map){.y = y, .x = x, .a = (pri_real)a}, n);
}
void pri_axpby(pri_ctx *ctx, pri_real *y, double a, const pri_real *x, double b, ptrdiff_t n) {
  each(ctx, axpby_some, (struct map){.y = y, .x = x, .a = (pri_real)a, .b = (pri_real)b}, n);
}
void pri_sub(pri_ctx *ctx, pri_real *d, const pri_real *a, const pri_real *b, ptrdiff_t n) {
  each(ctx, sub_some, (struct map){.y = d, .x = a, .z = b}, n);
}
void pri_copy(pri_ctx *ctx, pri_real *d, const pri_real *s, ptrdiff_t n) {
  each(ctx, copy_some, (struct map){.y = d, .x = s}, n);
}
void pri_fill(pri_ctx *ctx, pri_real *d, double v, ptrdiff_t n) {
  each(ctx, fill_some, (struct map){.y = d, .a = (pri_real)v}, n);
}
void pri_clip(pri_ctx *ctx, pri_real *x, double lo, double hi, ptrdiff_t n) {
  each(ctx, clip_some, (struct map){.y = x, .a = (pri_real)lo, .b = (pri_real)hi}, n);
}

pri_real pri_real_below(double v) {
  const pri_real r = (pri_real)v;
  if (!((double)r > v)) return r;
#ifdef PRI_DOUBLE
  return nextafter(r, -INFINITY);
#else
  return nextafterf(r, -INFINITY);
#endif
}
