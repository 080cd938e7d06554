/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * noise_gaussian.c - y + e with independent normal e. relative=r: e is scaled so that norm2(e) = r norm2(y), exactly and for each item;
 * sd=s: standard deviation s in the unit of y. Element j of item i takes number i N + j of the stream, N elements an item.
 */
#include <math.h>
#include <stddef.h>

#include "par.h"
#include "priori/phantom.h"
#include "priori/rng.h"
#include "vec.h"

struct gaussian { double relative, sd; };
struct item { uint64_t seed, at; double scale; pri_real *y; };

static pri_status init(pri_ctx *ctx, void *priv) {
  const struct gaussian *p = priv;
  if ((p->relative > 0) == (p->sd > 0))
    return PRI_FAIL(ctx, PRI_EPARAM, "gaussian: give one of relative=%g (norm of the noise / norm of the data) and sd=%g, above 0", p->relative, p->sd);
  return PRI_OK;
}

static double normal(const struct item *e, ptrdiff_t j) { return pri_rng_normal_at(e->seed, "noise/gaussian", e->at + (uint64_t)j); }

static double square(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct item *e = arg;
  double sum = 0;
  for (ptrdiff_t j = first; j < last; j++) {
    const double v = normal(e, j);
    sum += v * v;
  }
  return sum;
}

static pri_status some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct item *e = arg;
  (void)worker;
  for (ptrdiff_t j = first; j < last; j++) e->y[j] = (pri_real)((double)e->y[j] + e->scale * normal(e, j));
  return PRI_OK;
}

static pri_status add(pri_ctx *ctx, const void *priv, pri_array *y, ptrdiff_t first) {
  const struct gaussian *p = priv;
  const ptrdiff_t n = pri_shape_size(&y->shape);
  for (ptrdiff_t i = 0; i < y->items; i++) {
    struct item e = {pri_ctx_seed(ctx), (uint64_t)(first + i) * (uint64_t)n, p->sd, pri_array_item(y, i)};
    if (p->relative > 0) e.scale = p->relative * sqrt(pri_norm2sq(ctx, e.y, n) / pri_sum(ctx, n, square, &e));
    PRI_TRY(pri_par_for(ctx, n, PRI_VEC_BLOCK, some, &e));
  }
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "relative", .unit = "1", .help = "norm of the noise / norm of the data, of each item",
     .type = PRI_REAL, .offset = offsetof(struct gaussian, relative), .min = 0, .max = 1e6, .def = 0},
    {.name = "sd", .unit = "1", .help = "standard deviation in the unit of the data",
     .type = PRI_REAL, .offset = offsetof(struct gaussian, sd), .min = 0, .max = 1e30, .def = 0},
    {0}};
static const char *const examples[] = {"relative=0.01", "sd=0.5", NULL};
const pri_noise_class pri_noise_gaussian = {
    .kind = {"gaussian", "independent normal noise", "", sizeof(struct gaussian), params, examples}, .init = init, .add = add};
