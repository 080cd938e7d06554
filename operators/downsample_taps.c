/* SPDX-License-Identifier: GPL-3.0-or-later */
/* downsample_taps.c - see downsample_taps.h. A transpose gathers as well, so that threads never share an output. */
#include "downsample_taps.h"
#include <math.h>
#include <string.h>
#include "par.h"

static pri_status allocate(pri_ctx *ctx, pri_taps *t, ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t most) {
  *t = (pri_taps){.rows = rows, .cols = cols, .most = most};
  PRI_ALLOC(ctx, t->first, rows);
  PRI_ALLOC(ctx, t->w, rows * most);
  return PRI_OK;
}

void pri_taps_destroy(pri_ctx *ctx, pri_taps *t) {
  pri_free(ctx, t->first);
  pri_free(ctx, t->w);
  *t = (pri_taps){0};
}

/* ---- making */

static ptrdiff_t reflect(ptrdiff_t j, ptrdiff_t n) { /* ... 1 0 | 0 1 ... n-1 | n-1 n-2 ... */
  j %= 2 * n;
  if (j < 0) j += 2 * n;
  return j < n ? j : 2 * n - 1 - j;
}

/* the weights of one output on the pixels lo ... hi around its centre, folded back at the borders, with sum 1 */
static void row(pri_taps *t, ptrdiff_t i, double centre, const pri_taps_kernel *k) {
  const ptrdiff_t lo = (ptrdiff_t)ceil(centre - k->radius), hi = (ptrdiff_t)floor(centre + k->radius);
  ptrdiff_t least = t->cols;
  double sum = 0, *w = t->w + i * t->most;
  for (ptrdiff_t j = lo; j <= hi; j++) {
    const ptrdiff_t at = reflect(j, t->cols);
    least = at < least ? at : least;
    sum += k->at(((double)j - centre) / k->scale, k->shape);
  }
  t->first[i] = least + t->most > t->cols ? t->cols - t->most : least;
  for (ptrdiff_t j = lo; j <= hi; j++) w[reflect(j, t->cols) - t->first[i]] += k->at(((double)j - centre) / k->scale, k->shape) / sum;
}

pri_status pri_taps_create(pri_ctx *ctx, pri_taps *t, ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t factor, const pri_taps_kernel *kernel) {
  const ptrdiff_t wide = (ptrdiff_t)floor(2 * kernel->radius) + 1;
  PRI_TRY(allocate(ctx, t, rows, cols, wide < cols ? wide : cols));
  for (ptrdiff_t i = 0; i < rows; i++) row(t, i, (double)factor * ((double)i + 0.5) - 0.5, kernel);
  return PRI_OK;
}

/* rows that have column j in their band: their first and how many, over all columns */
static ptrdiff_t column_band(const pri_taps *t, ptrdiff_t j, ptrdiff_t *first) {
  ptrdiff_t last = -1;
  *first = 0;
  for (ptrdiff_t i = 0; i < t->rows; i++)
    if (t->first[i] <= j && j < t->first[i] + t->most) {
      if (last < 0) *first = i;
      last = i;
    }
  return last < 0 ? 0 : last - *first + 1;
}

pri_status pri_taps_transpose(pri_ctx *ctx, pri_taps *t, const pri_taps *of) {
  ptrdiff_t most = 1, first;
  for (ptrdiff_t j = 0; j < of->cols; j++) {
    const ptrdiff_t n = column_band(of, j, &first);
    most = n > most ? n : most;
  }
  PRI_TRY(allocate(ctx, t, of->cols, of->rows, most));
  for (ptrdiff_t j = 0; j < of->cols; j++) {
    (void)column_band(of, j, &first);
    t->first[j] = first + most > of->rows ? of->rows - most : first;
    for (ptrdiff_t k = 0; k < most; k++) {
      const ptrdiff_t i = t->first[j] + k, at = j - of->first[i];
      t->w[j * most + k] = at >= 0 && at < of->most ? of->w[i * of->most + at] : 0;
    }
  }
  return PRI_OK;
}

pri_status pri_taps_part(pri_ctx *ctx, pri_taps *t, const pri_taps *of, ptrdiff_t first, ptrdiff_t n, ptrdiff_t step, ptrdiff_t *from) {
  ptrdiff_t least = of->cols, most = 0;
  for (ptrdiff_t k = 0; k < n; k++) {
    const ptrdiff_t at = of->first[first + k * step];
    least = at < least ? at : least, most = at > most ? at : most;
  }
  *from = least;
  PRI_TRY(allocate(ctx, t, n, most + of->most - least, of->most));
  for (ptrdiff_t k = 0; k < n; k++) {
    t->first[k] = of->first[first + k * step] - least;
    memcpy(t->w + k * t->most, of->w + (first + k * step) * of->most, (size_t)t->most * sizeof *t->w);
  }
  return PRI_OK;
}

static double product(const pri_taps *t, ptrdiff_t i, ptrdiff_t j) { /* (A A')_ij */
  double sum = 0;
  for (ptrdiff_t k = 0; k < t->most; k++) {
    const ptrdiff_t at = t->first[i] + k - t->first[j];
    if (at >= 0 && at < t->most) sum += t->w[i * t->most + k] * t->w[j * t->most + at];
  }
  return sum;
}

double pri_taps_norm2(const pri_taps *t) {
  double most = 0;
  for (ptrdiff_t i = 0; i < t->rows; i++) {
    double sum = 0;
    for (ptrdiff_t j = 0; j < t->rows; j++)
      if (t->first[i] - t->first[j] < t->most && t->first[j] - t->first[i] < t->most) sum += fabs(product(t, i, j));
    most = fmax(most, sum);
  }
  return most * (1 + 1e-14 * (double)t->most); /* what the sums round off */
}

/* ---- products: along the rows of `in` into temp, then along its columns */

#define DEFINE(suffix, real)                                                                                                    \
  struct work##suffix {                                                                                                         \
    const pri_taps *y, *x;                                                                                                      \
    real *out, *temp;                                                                                                           \
    const real *in;                                                                                                             \
  };                                                                                                                            \
  static pri_status across##suffix(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {                                    \
    const struct work##suffix *j = arg;                                                                                         \
    const pri_taps *t = j->x;                                                                                                   \
    (void)worker;                                                                                                               \
    for (ptrdiff_t r = first; r < last; r++)                                                                                    \
      for (ptrdiff_t i = 0; i < t->rows; i++) {                                                                                 \
        const real *in = j->in + r * t->cols + t->first[i];                                                                     \
        const double *w = t->w + i * t->most;                                                                                   \
        double sum = 0;                                                                                                         \
        for (ptrdiff_t k = 0; k < t->most; k++) sum += w[k] * (double)in[k];                                                    \
        j->temp[r * t->rows + i] = (real)sum;                                                                                   \
      }                                                                                                                         \
    return PRI_OK;                                                                                                              \
  }                                                                                                                             \
  static pri_status down##suffix(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {                                      \
    const struct work##suffix *j = arg;                                                                                         \
    const pri_taps *t = j->y;                                                                                                   \
    const ptrdiff_t n = j->x->rows;                                                                                             \
    (void)worker;                                                                                                               \
    for (ptrdiff_t i = first; i < last; i++) {                                                                                  \
      real *out = j->out + i * n;                                                                                               \
      for (ptrdiff_t c = 0; c < n; c++) out[c] = 0;                                                                             \
      for (ptrdiff_t k = 0; k < t->most; k++) {                                                                                 \
        const real w = (real)t->w[i * t->most + k], *in = j->temp + (t->first[i] + k) * n;                                      \
        for (ptrdiff_t c = 0; c < n; c++) out[c] += w * in[c];                                                                  \
      }                                                                                                                         \
    }                                                                                                                           \
    return PRI_OK;                                                                                                              \
  }                                                                                                                             \
  pri_status pri_taps_apply##suffix(pri_ctx *ctx, const pri_taps *y, const pri_taps *x, real *out, const real *in,              \
                                    ptrdiff_t planes, real *temp) {                                                             \
    for (ptrdiff_t p = 0; p < planes; p++) {                                                                                    \
      struct work##suffix j = {y, x, out + p * y->rows * x->rows, temp, in + p * y->cols * x->cols};                            \
      PRI_TRY(pri_par_for(ctx, y->cols, 16, across##suffix, &j));                                                               \
      PRI_TRY(pri_par_for(ctx, y->rows, 16, down##suffix, &j));                                                                 \
    }                                                                                                                           \
    return PRI_OK;                                                                                                              \
  }
DEFINE(, pri_real)
DEFINE(_wide, double)
