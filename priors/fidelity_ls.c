/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ls - f(z) = |z - y|^2 / 2,  f*(p) = |p|^2 / 2 + <p, y>,  prox_{s f*}(p) = (p - s y) / (1 + s). */
#include <math.h>
#include <stddef.h>
#include "par.h"
#include "priori/fidelity.h"
#include "vec.h"
#include "weight_file.h"

struct ls {
  char *known;
  const pri_array *y;
  ptrdiff_t n; /* of one item */
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_array *y, const pri_array *weight) {
  struct ls *f = priv;
  f->y = y, f->n = pri_shape_size(&y->shape);
  return pri_known_arrived(ctx, "ls", f->known, weight);
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_array *y, const pri_array *weight) {
  (void)priv;
  return init(ctx, sub, y, weight);
}

static pri_status value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  const struct ls *f = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = pri_dist2sq(ctx, z + i * f->n, pri_array_item(f->y, first + i), f->n) / 2;
  return PRI_OK;
}

struct wide {
  const double *z;
  const pri_real *y;
};

static double square_block(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct wide *a = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += (a->z[i] - (double)a->y[i]) * (a->z[i] - (double)a->y[i]);
  return sum;
}

static pri_status value_wide(pri_ctx *ctx, const void *priv, double *per_item, const double *z, ptrdiff_t first, ptrdiff_t items) {
  const struct ls *f = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = pri_sum(ctx, f->n, square_block, &(struct wide){z + i * f->n, pri_array_item(f->y, first + i)}) / 2;
  return PRI_OK;
}

static pri_status conjugate(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *p, ptrdiff_t first, ptrdiff_t items) {
  const struct ls *f = priv;
  for (ptrdiff_t i = 0; i < items; i++)
    per_item[i] = pri_norm2sq(ctx, p + i * f->n, f->n) / 2 + pri_dot(ctx, p + i * f->n, pri_array_item(f->y, first + i), f->n);
  return PRI_OK;
}

struct job {
  const struct ls *f;
  const pri_real *y, *z, *each;
  pri_real *p, sigma;
};

static pri_status dual_prox_some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_real *y = j->y, s = j->sigma, c = 1 / (1 + s);
  pri_real *p = j->p;
  (void)worker;
  if (!j->each)
    for (ptrdiff_t i = first; i < last; i++) p[i] = (p[i] - s * y[i]) * c;
  else
    for (ptrdiff_t i = first, n = j->f->n; i < last; i++) {
      const pri_real t = s * j->each[i % n];
      p[i] = (p[i] - t * y[i]) / (1 + t);
    }
  return PRI_OK;
}

static pri_status dual_prox(pri_ctx *ctx, const void *priv, pri_real *p, double sigma, const pri_real *each, ptrdiff_t first, ptrdiff_t items) {
  const struct ls *f = priv;
  struct job j = {.f = f, .y = pri_array_item(f->y, first), .each = each, .p = p, .sigma = (pri_real)sigma};
  return pri_par_for(ctx, items * f->n, 1 << 14, dual_prox_some, &j);
}

static pri_status grad(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  const struct ls *f = priv;
  pri_sub(ctx, g, z, pri_array_item(f->y, first), items * f->n);
  return PRI_OK;
}

static pri_status curvature(pri_ctx *ctx, const void *priv, pri_real *d, const pri_real *z, ptrdiff_t first, ptrdiff_t items) {
  const struct ls *f = priv;
  (void)z, (void)first;
  pri_fill(ctx, d, 1, items * f->n);
  return PRI_OK;
}

static pri_bound one(const void *priv) {
  (void)priv;
  return (pri_bound){1, PRI_EXACT};
}

static const pri_param params[] = {
    {.name = "known", .unit = "-", .help = "file with what was measured (not 0), one image or one a slice: the rest counts for nothing", .type = PRI_FILE, .offset = offsetof(struct ls, known)},
    {0}};
static const char *const examples[] = {"", NULL};
const pri_fidelity_class pri_fidelity_ls = {
    .kind = {"ls", "least squares: norm2(A x - y)^2 / 2", "Gauss, Legendre", sizeof(struct ls), params, examples},
    .init = init, .value = value, .dual_prox = dual_prox, .conjugate = conjugate, .grad = grad, .curvature = curvature,
    .value_wide = value_wide, .lipschitz = one, .convexity = one, .part = part};
