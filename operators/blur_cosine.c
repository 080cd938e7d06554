/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blur_cosine.c - border=reflect and h mirrored along each axis: A is diagonal in the cosine basis c_k(i) = prod_a cos(pi k_a (i_a + 1/2) / n_a)
 *
 *   lambda_k = sum_j h_j prod_a cos(pi k_a j_a / n_a),   (A'A + rho)^-1 = C^-1 diag(1 / (lambda^2 + rho)) C         Strang 1999, DCT-2
 *
 * The sum is a cosine transform itself, of the taps gathered at |j| on the circle of 2 n places.
 */
#include <math.h>
#include <string.h>
#include "blur.h"
#include "fft.h"
#include "par.h"

struct pri_blur_cosine {
  pri_dct *dct;
  pri_real *lambda; /* [image] */
  ptrdiff_t n[3], size;
  int nd, workers;
};

static ptrdiff_t folded(ptrdiff_t j, ptrdiff_t n) { /* |j| on the circle of 2 n places */
  const ptrdiff_t m = (j % (2 * n) + 2 * n) % (2 * n);
  return m <= n ? m : 2 * n - m;
}

/* w: [n0 + 1][n1 + 1][n2 + 1]. The transform doubles what does not lie at an end: tap and mirror image make the two. */
static void gather(const struct blur_one *b, const ptrdiff_t n[3], double *w) {
  const double *h = b->psf.h;
  ptrdiff_t p[3];
  for (ptrdiff_t z = 0; z < b->psf.k[0]; z++)
    for (ptrdiff_t y = 0; y < b->psf.k[1]; y++)
      for (ptrdiff_t x = 0; x < b->psf.k[2]; x++) {
        const ptrdiff_t j[3] = {z - b->psf.c[0], y - b->psf.c[1], x - b->psf.c[2]};
        double share = *h++;
        for (int a = 0; a < 3; a++) {
          p[a] = folded(j[a], n[a]);
          if (p[a] != 0 && p[a] != n[a]) share *= 0.5;
        }
        w[(p[0] * (n[1] + 1) + p[1]) * (n[2] + 1) + p[2]] += share;
      }
}

/* A product of three functions: lambda is one as well. */
static pri_status products(pri_ctx *ctx, const struct blur_one *b, struct pri_blur_cosine *c) {
  double *l[3] = {NULL, NULL, NULL}, *g = NULL;
  pri_status s = PRI_OK;
  for (int a = 0; a < 3 && s == PRI_OK; a++) {
    g = pri_calloc(ctx, (size_t)b->psf.k[a], sizeof *g);
    l[a] = g ? pri_calloc(ctx, (size_t)c->n[a], sizeof **l) : NULL;
    if (!l[a]) s = pri_ctx_code(ctx);
    if (l[a]) pri_blur_marginal(&b->psf, a, g);
    for (ptrdiff_t k = 0; l[a] && k < c->n[a]; k++)
      for (ptrdiff_t j = 0; j < b->psf.k[a]; j++) l[a][k] += g[j] * cos(acos(-1.0) * (double)(k * (j - b->psf.c[a])) / (double)c->n[a]);
    pri_free(ctx, g);
  }
  for (ptrdiff_t i = 0; s == PRI_OK && i < c->size; i++) c->lambda[i] = (pri_real)(l[0][i / c->n[2] / c->n[1]] * l[1][i / c->n[2] % c->n[1]] * l[2][i % c->n[2]]);
  for (int a = 0; a < 3; a++) pri_free(ctx, l[a]);
  return s;
}

static pri_status eigenvalues(pri_ctx *ctx, const struct blur_one *b, struct pri_blur_cosine *c) {
  const ptrdiff_t m[3] = {c->n[0] + 1, c->n[1] + 1, c->n[2] + 1};
  double *w;
  PRI_ALLOC(ctx, w, m[0] * m[1] * m[2]);
  gather(b, c->n, w);
  const pri_status s = pri_dct_even(ctx, 3, m, w);
  for (ptrdiff_t i = 0; i < c->size; i++) {
    const ptrdiff_t x = i % c->n[2], y = i / c->n[2] % c->n[1], z = i / c->n[2] / c->n[1];
    c->lambda[i] = (pri_real)w[(z * m[1] + y) * m[2] + x];
  }
  pri_free(ctx, w);
  return s;
}

static pri_status fill(pri_ctx *ctx, const struct blur_one *b, struct pri_blur_cosine *c) {
  c->nd = b->nd;
  c->workers = pri_par_workers(ctx);
  memcpy(c->n, b->grid.dom.n, sizeof c->n);
  c->size = c->n[0] * c->n[1] * c->n[2];
  if (c->size > (1 << 20)) c->workers = 1; /* volumes: one buffer */
  PRI_TRY(pri_dct_create(ctx, &c->dct, c->nd, c->n + 3 - c->nd));
  PRI_ALLOC(ctx, c->lambda, c->size);
  return b->psf.separable ? products(ctx, b, c) : eigenvalues(ctx, b, c);
}

pri_status pri_blur_cosine_create(pri_ctx *ctx, pri_blur_cosine **out, const struct blur_one *b) {
  PRI_ALLOC(ctx, *out, 1);
  return fill(ctx, b, *out); /* fini of the operator releases it in any case */
}

void pri_blur_cosine_destroy(pri_ctx *ctx, pri_blur_cosine **c) {
  if (!*c) return;
  pri_dct_destroy(&(*c)->dct);
  pri_free(ctx, (*c)->lambda);
  pri_free(ctx, *c);
  *c = NULL;
}

static size_t one_buffer(const pri_blur_cosine *c) { return (size_t)((c->size + 15) / 16 * 16); } /* keeps 64-byte boundaries */

size_t pri_blur_cosine_scratch(const pri_blur_cosine *c) { return one_buffer(c) * (size_t)c->workers * sizeof(pri_real); }

struct job {
  const pri_blur_cosine *c;
  pri_real *x, *scratch;
  const pri_real *b;
  double rho;
};

static pri_status some_items(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const pri_blur_cosine *c = j->c;
  pri_real *s = j->scratch + one_buffer(c) * (size_t)worker;
  const double eps = sizeof(pri_real) == 4 ? 1e-6 : 1e-14;
  double N = 1;
  for (int a = 3 - c->nd; a < 3; a++) N *= 2 * (double)c->n[a];
  for (ptrdiff_t k = first; k < last; k++) {
    memcpy(s, j->b + k * c->size, (size_t)c->size * sizeof *s);
    pri_dct_forward(c->dct, s);
    for (ptrdiff_t i = 0; i < c->size; i++) {
      const double l2 = (double)c->lambda[i] * (double)c->lambda[i], d = j->rho > 0 || l2 > eps * eps ? N * (l2 + j->rho) : INFINITY;
      s[i] = (pri_real)((double)s[i] / d);
    }
    pri_dct_inverse(c->dct, s);
    memcpy(j->x + k * c->size, s, (size_t)c->size * sizeof *s);
  }
  return PRI_OK;
}

pri_status pri_blur_cosine_resolvent(pri_ctx *ctx, const pri_blur_cosine *c, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch) {
  struct job j = {c, x, scratch, b, rho};
  return pri_par_for(ctx, items, (items + c->workers - 1) / c->workers, some_items, &j);
}
