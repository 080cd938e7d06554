/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_zingers.c - single values that stand far off (a photon that hits the camera itself, a flicker): where
 *   |y_v(b) - med_v(b)| > threshold sd,   med: median of y(b) over `window` views about v,
 * and the value also stands limit / 2 = threshold sd / 2 above all but one of its eight neighbours (below, where it is dark), the median takes its
 * place. The neighbours let pass what moves on from view to view: the trace of a small dense object has one on either side. sd = 1.4826 times
 * the median of the |y - med| that are not 0, over the slice: of noise, whatever the object. Values that are not finite are put right too.
 * How many were replaced is said.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "par.h"
#include "priori/filter.h"
#include "vec.h"

enum { BOTH, BRIGHT, DARK, WIDEST = 63 };
struct zingers {
  double threshold;
  long window;
  int side;
  ptrdiff_t views, bins;
};
struct run { const struct zingers *p; const pri_real *in; pri_real *out, *med, *off; double limit; }; /* off: |y - med|, then 1: a zinger */

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct zingers *p = priv;
  (void)meta;
  if (in->nd != 2) return PRI_FAIL(ctx, PRI_ESHAPE, "zingers: data have %d axes instead of view and bin", in->nd);
  if (p->window % 2 == 0) return PRI_FAIL(ctx, PRI_EPARAM, "zingers: window=%ld views is even; a median has a middle where it is odd", p->window);
  p->views = in->n[0], p->bins = in->n[1];
  *out = *in;
  return PRI_OK;
}

static size_t scratch(const void *priv) {
  const struct zingers *p = priv;
  return (size_t)(2 * p->views * p->bins) * sizeof(pri_real);
}

static double middle(double *v, ptrdiff_t n) {
  for (ptrdiff_t i = 1; i < n; i++) {
    const double x = v[i];
    ptrdiff_t j = i;
    for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
    v[j] = x;
  }
  return n ? 0.5 * (v[(n - 1) / 2] + v[n / 2]) : (double)NAN;
}

static pri_status medians(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  const struct zingers *p = r->p;
  const ptrdiff_t half = (p->window - 1) / 2;
  (void)worker;
  for (ptrdiff_t v = first; v < last; v++)
    for (ptrdiff_t b = 0; b < p->bins; b++) {
      double window[WIDEST];
      ptrdiff_t n = 0;
      for (ptrdiff_t u = v < half ? 0 : v - half; u <= v + half && u < p->views; u++)
        if (isfinite(r->in[u * p->bins + b])) window[n++] = (double)r->in[u * p->bins + b];
      const double m = middle(window, n), d = fabs((double)r->in[v * p->bins + b] - m);
      r->med[v * p->bins + b] = (pri_real)m;
      r->off[v * p->bins + b] = (pri_real)(isfinite(d) ? d : 0);
    }
  return PRI_OK;
}

/* The k-th smallest of n values, which are reordered (Hoare 1961). */
static double select_kth(pri_real *v, ptrdiff_t n, ptrdiff_t k) {
  for (ptrdiff_t lo = 0, hi = n - 1; lo < hi;) {
    const pri_real pivot = v[lo + (hi - lo) / 2];
    ptrdiff_t i = lo, j = hi;
    while (i <= j) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i > j) break;
      const pri_real t = v[i];
      v[i++] = v[j], v[j--] = t;
    }
    if (k <= j) hi = j;
    else if (k >= i) lo = i;
    else break;
  }
  return (double)v[k];
}

/* of the distances from the median; work: [n], overwritten. 0: all are 0 */
static double spread(pri_real *work, ptrdiff_t n) {
  ptrdiff_t some = 0;
  for (ptrdiff_t i = 0; i < n; i++)
    if (work[i] > 0) work[some++] = work[i];
  return some ? 1.4826 * select_kth(work, some, some / 2) : 0;
}

/* sign +1: the second largest of the neighbours of i; -1: minus the second smallest. -INFINITY: fewer than two */
static double second(const struct run *r, ptrdiff_t i, int sign) {
  const ptrdiff_t v = i / r->p->bins, b = i % r->p->bins;
  double top[2] = {-INFINITY, -INFINITY};
  for (ptrdiff_t u = v - 1; u <= v + 1; u++)
    for (ptrdiff_t c = b - 1; c <= b + 1; c++) {
      if (u < 0 || c < 0 || u >= r->p->views || c >= r->p->bins || (u == v && c == b)) continue;
      const double y = sign * (double)r->in[u * r->p->bins + c];
      if (y > top[0]) top[1] = top[0], top[0] = y;
      else if (y > top[1]) top[1] = y;
    }
  return top[1];
}

static int is_zinger(const struct run *r, ptrdiff_t i) {
  const double d = (double)r->in[i] - (double)r->med[i];
  const int sign = d > 0 ? 1 : -1;
  if (!isfinite(r->med[i])) return 0;
  if (!isfinite(d)) return 1;
  if (fabs(d) <= r->limit || r->p->side == (sign > 0 ? DARK : BRIGHT)) return 0;
  return sign * (double)r->in[i] - second(r, i, sign) > 0.5 * r->limit;
}

static pri_status mark(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) r->off[i] = (pri_real)is_zinger(r, i);
  return PRI_OK;
}

static pri_status replace(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) r->out[i] = r->off[i] > 0 ? r->med[i] : r->in[i];
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *work) {
  const struct zingers *p = priv;
  const ptrdiff_t n = p->views * p->bins;
  double found = 0;
  for (ptrdiff_t i = 0; i < items; i++) {
    struct run r = {.p = p, .in = in + i * n, .out = out + i * n, .med = work, .off = (pri_real *)work + n};
    PRI_TRY(pri_par_for(ctx, p->views, 8, medians, &r));
    const double sd = spread(r.off, n);
    r.limit = p->threshold * sd;
    PRI_TRY(pri_par_for(ctx, n, 4096, mark, &r)); /* all before the first is replaced: out may be in, and neighbours are looked at */
    const double here = pri_vsum(ctx, r.off, n);
    if (here > 0) pri_log(ctx, PRI_LOG_DEBUG, "zingers: slice %td: %.0f values, sd %.3g", slice[i], here, sd);
    found += here;
    PRI_TRY(pri_par_for(ctx, n, 4096, replace, &r));
  }
  if (found > 0) pri_log(ctx, PRI_LOG_INFO, "zingers: %.0f of %td values were replaced by medians of %ld views", found, n * items, p->window);
  return PRI_OK;
}

static const char *const sides[] = {"both", "bright", "dark", NULL};
static const pri_param params[] = {
    {.name = "threshold", .unit = "sd", .help = "how many standard deviations of the noise a value must be off",
     .type = PRI_REAL, .offset = offsetof(struct zingers, threshold), .min = 1, .max = 1e6, .def = 10},
    {.name = "window", .unit = "views", .help = "views of the median, odd",
     .type = PRI_INT, .offset = offsetof(struct zingers, window), .min = 3, .max = WIDEST, .def = 5},
    {.name = "side", .unit = "", .help = "values above, below, or both (before the logarithm zingers are bright, after it dark)",
     .type = PRI_CHOICE, .offset = offsetof(struct zingers, side), .choices = sides, .def = BOTH},
    {0}};
static const char *const examples[] = {"threshold=3", "window=3,side=bright", "threshold=5,side=dark", NULL};
const pri_filter_class pri_filter_zingers = {
    .kind = {"zingers", "replaces single values that stand far off along the views", "", sizeof(struct zingers), params, examples},
    .init = init, .run = run, .scratch = scratch};
