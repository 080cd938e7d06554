/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn_logistic.c - multinomial logistic regression. Rows a_r with labels l_r, x: [columns][classes], p_r = softmax(x'a_r):
 *
 *   loss = mean_r log sum_k e^(x_k'a_r) - x_(l_r)'a_r,   grad = mean_r a_r (p_r - 1_(l_r))',   H v = mean_r a_r ((diag p_r - p_r p_r') v'a_r)'
 * diag p - p p' <= 1/2, so that H <= lambda / 2, lambda >= the largest eigenvalue of mean a a' [the smaller of its trace and its largest row sum];
 * a third cumulant of u under p is at most (max - min) variance <= root(2) |u| |u|^2 / 2:  L_H = mean |a|^3 / root(2).
 * theta: penalties, J = diag(e^theta_j x_j), L_J = max e^theta; |J| depends on x and has no bound for all x: hypergradients are not certified.
 * Sums go by blocks of rows, added in their order: the same bits for any number of threads.
 */
#include <math.h>
#include <string.h>
#include "learn_logistic.h"
#include "par.h"
#include "vec.h"

enum { BLOCK = 256, CLASSES = 64 /* at most */ };
typedef struct logistic {
  pri_table t;
  int classes;
  ptrdiff_t n, blocks;           /* columns classes; blocks of rows */
  double *penalty, *parts;       /* [n] e^theta; [blocks][n + 1] sums */
  double lambda, third;          /* of the table */
} logistic;

/* The smaller of trace and largest row sum of mean a a' */
static pri_status largest(pri_ctx *ctx, const pri_table *t, double *lambda, double *third) {
  const ptrdiff_t d = t->columns;
  double *gram, trace = 0, sums = 0;
  PRI_ALLOC(ctx, gram, d * d);
  *third = 0;
  for (ptrdiff_t r = 0; r < t->rows; r++) {
    const pri_real *a = t->features + r * d;
    double square = 0;
    for (ptrdiff_t i = 0; i < d; i++) {
      square += (double)a[i] * (double)a[i];
      for (ptrdiff_t j = 0; j < d; j++) gram[i * d + j] += (double)a[i] * (double)a[j];
    }
    trace += square, *third += square * sqrt(square);
  }
  for (ptrdiff_t i = 0; i < d; i++) {
    double sum = 0;
    for (ptrdiff_t j = 0; j < d; j++) sum += fabs(gram[i * d + j]);
    sums = fmax(sums, sum);
  }
  pri_free(ctx, gram);
  *lambda = fmin(trace, sums) / (double)t->rows * (1 + 1e-10), *third = *third / (double)t->rows / sqrt(2) * (1 + 1e-10);
  return PRI_OK;
}

/* ---- rows */

struct pass { /* over all rows: out = mean_r a_r w_r', w_r made of p_r and of v'a_r */
  const logistic *v;
  const pri_real *x, *direction; /* direction NULL: w = p - 1_label */
};

static void scores(const logistic *v, double *s, const pri_real *x, const pri_real *a) { /* x'a */
  for (int k = 0; k < v->classes; k++) s[k] = 0;
  for (ptrdiff_t j = 0; j < v->t.columns; j++)
    for (int k = 0; k < v->classes; k++) s[k] += (double)a[j] * (double)x[j * v->classes + k];
}

/* s <- softmax(s); returns log sum e^s */
static double softmax(const logistic *v, double *s) {
  double most = s[0], sum = 0;
  for (int k = 1; k < v->classes; k++) most = fmax(most, s[k]);
  for (int k = 0; k < v->classes; k++) s[k] = exp(s[k] - most), sum += s[k];
  for (int k = 0; k < v->classes; k++) s[k] /= sum;
  return most + log(sum);
}

static double weights_of_row(const struct pass *q, double *w, ptrdiff_t r) {
  const logistic *v = q->v;
  const pri_real *a = v->t.features + r * v->t.columns;
  double u[CLASSES], mean = 0;
  scores(v, w, q->x, a);
  const double own = w[v->t.label[r]], loss = softmax(v, w) - own;
  if (!q->direction) {
    w[v->t.label[r]] -= 1;
    return loss;
  }
  scores(v, u, q->direction, a);
  for (int k = 0; k < v->classes; k++) mean += w[k] * u[k];
  for (int k = 0; k < v->classes; k++) w[k] *= u[k] - mean; /* (diag p - p p') u */
  return loss;
}

static pri_status block_of_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct pass *q = arg;
  const logistic *v = q->v;
  (void)worker;
  for (ptrdiff_t b = first; b < last; b++) {
    double *sum = v->parts + b * (v->n + 1), w[CLASSES];
    memset(sum, 0, (size_t)(v->n + 1) * sizeof *sum);
    for (ptrdiff_t r = b * BLOCK; r < (b + 1) * BLOCK && r < v->t.rows; r++) {
      const pri_real *a = v->t.features + r * v->t.columns;
      sum[v->n] += weights_of_row(q, w, r);
      for (ptrdiff_t j = 0; j < v->t.columns; j++)
        for (int k = 0; k < v->classes; k++) sum[j * v->classes + k] += (double)a[j] * w[k];
    }
  }
  return PRI_OK;
}

/* out = mean of all rows; *loss, where asked for, the mean loss */
static pri_status pass(pri_ctx *ctx, const logistic *v, pri_real *out, const pri_real *x, const pri_real *direction, double *loss) {
  struct pass q = {v, x, direction};
  PRI_TRY(pri_par_for(ctx, v->blocks, 1, block_of_rows, &q));
  for (ptrdiff_t b = 1; b < v->blocks; b++)
    for (ptrdiff_t j = 0; j <= v->n; j++) v->parts[j] += v->parts[b * (v->n + 1) + j];
  for (ptrdiff_t j = 0; j < v->n; j++) out[j] = (pri_real)(v->parts[j] / (double)v->t.rows);
  if (loss) *loss = v->parts[v->n] / (double)v->t.rows;
  return PRI_OK;
}

/* ---- lower level; the desk holds the x that the products are at */

static size_t desk(const void *priv) { return (size_t)((const logistic *)priv)->n * sizeof(pri_real); }

static pri_status theta(pri_ctx *ctx, void *priv, const double *at, pri_lower_constants *c) {
  logistic *v = priv;
  double least = INFINITY, most = 0;
  for (ptrdiff_t j = 0; j < v->n; j++) {
    if (!(fabs(at[j]) <= 700)) return PRI_FAIL(ctx, PRI_EPARAM, "learn: log penalty %g of weight %td is outside [-700, 700]", at[j], j);
    v->penalty[j] = exp(at[j]), least = fmin(least, v->penalty[j]), most = fmax(most, v->penalty[j]);
  }
  *c = (pri_lower_constants){.mu = least, .L = v->lambda / 2 + most, .hess_lip = v->third, .mixed_lip = most, .mixed_norm = INFINITY, .mu_proven = 1};
  return PRI_OK;
}

static pri_status start(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *x) {
  (void)memory, (void)i;
  pri_fill(ctx, x, 0, ((const logistic *)priv)->n);
  return PRI_OK;
}

static pri_status gradient(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *g, const pri_real *x) {
  const logistic *v = priv;
  (void)memory, (void)i;
  PRI_TRY(pass(ctx, v, g, x, NULL, NULL));
  for (ptrdiff_t j = 0; j < v->n; j++) g[j] += (pri_real)(v->penalty[j] * (double)x[j]);
  return PRI_OK;
}

static pri_status prepare(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x) {
  (void)i;
  pri_copy(ctx, memory, x, ((const logistic *)priv)->n);
  return PRI_OK;
}

static pri_status product(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *hv, const pri_real *u) {
  const logistic *v = priv;
  (void)i;
  PRI_TRY(pass(ctx, v, hv, memory, u, NULL));
  for (ptrdiff_t j = 0; j < v->n; j++) hv[j] += (pri_real)(v->penalty[j] * (double)u[j]);
  return PRI_OK;
}

static pri_status mixed(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, pri_real *out, const double *d) {
  const logistic *v = priv;
  const pri_real *x = memory;
  (void)ctx, (void)i;
  for (ptrdiff_t j = 0; j < v->n; j++) out[j] = (pri_real)(v->penalty[j] * (double)x[j] * d[j]);
  return PRI_OK;
}

static pri_status mixed_t(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, double *out, const pri_real *u) {
  const logistic *v = priv;
  const pri_real *x = memory;
  (void)ctx, (void)i;
  for (ptrdiff_t j = 0; j < v->n; j++) out[j] = v->penalty[j] * (double)x[j] * (double)u[j];
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  logistic *v = priv;
  if (!v) return;
  pri_free(ctx, v->penalty);
  pri_free(ctx, v->parts);
  pri_free(ctx, v);
}

static pri_status value(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x, double *g, pri_real *grad) {
  (void)memory, (void)i;
  return pass(ctx, priv, grad, x, NULL, g);
}

/* the room for its gradient is that of the products' x: prepare comes after */
static pri_status lower_value(pri_ctx *ctx, const void *priv, void *memory, ptrdiff_t i, const pri_real *x, double *h) {
  const logistic *v = priv;
  (void)i;
  PRI_TRY(pass(ctx, v, memory, x, NULL, h));
  for (ptrdiff_t j = 0; j < v->n; j++) *h += v->penalty[j] * (double)x[j] * (double)x[j] / 2;
  return PRI_OK;
}

static const pri_lower_class lower_class = {.name = "logistic", .desk = desk, .theta = theta, .start = start, .gradient = gradient, .prepare = prepare, .product = product,
                                            .mixed = mixed, .mixed_t = mixed_t, .fini = fini, .value = lower_value};
static const pri_upper_class upper_class = {.name = "cross-entropy", .value = value, .fini = fini};

/* ---- making one */

static pri_status create(pri_ctx *ctx, logistic **out, const pri_table *t, int classes) {
  logistic *v = *out = pri_calloc(ctx, 1, sizeof *v);
  if (!v) return pri_ctx_code(ctx);
  v->t = *t, v->classes = classes, v->n = t->columns * classes, v->blocks = (t->rows + BLOCK - 1) / BLOCK;
  if (classes < 2 || classes > CLASSES) return PRI_FAIL(ctx, PRI_EPARAM, "learn: %d classes are outside [2, %d]", classes, CLASSES);
  if (t->rows < 1 || t->columns < 1) return PRI_FAIL(ctx, PRI_EPARAM, "learn: a table of %td rows and %td columns", t->rows, t->columns);
  for (ptrdiff_t r = 0; r < t->rows; r++)
    if (t->label[r] < 0 || t->label[r] >= classes) return PRI_FAIL(ctx, PRI_EPARAM, "learn: label %d of row %td is outside [0, %d)", t->label[r], r, classes);
  PRI_ALLOC(ctx, v->penalty, v->n);
  PRI_ALLOC(ctx, v->parts, v->blocks * (v->n + 1));
  return largest(ctx, t, &v->lambda, &v->third);
}

pri_status pri_lower_logistic(pri_ctx *ctx, pri_lower **out, const pri_table *train, const pri_table *judge, int classes) {
  logistic *lower = NULL, *upper = NULL;
  *out = NULL;
  pri_status s = train->columns == judge->columns ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "learn: tables of %td and %td columns", train->columns, judge->columns);
  if (s == PRI_OK) s = create(ctx, &lower, train, classes);
  if (s == PRI_OK) s = create(ctx, &upper, judge, classes);
  if (s != PRI_OK) return fini(ctx, lower), fini(ctx, upper), s;
  const pri_lower_level level = {.c = &lower_class, .priv = lower, .m = 1, .n = lower->n, .ntheta = (size_t)lower->n};
  const pri_upper loss = {.c = &upper_class, .priv = upper, .lip = upper->lambda / 2, .convex = 1, .proven = 1};
  return pri_lower_create(ctx, out, &level, &loss);
}
