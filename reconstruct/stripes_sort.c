/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripes_sort.c - stripes by sorting (Vo, Atwood, Drakopoulos 2018, algorithm 3). Each bin's values are sorted over the views; sorted, neighbouring
 * bins are alike but for their stripes, and a median over `width` bins takes these off; each value then goes back to its view.
 *   t_r(b) = r-th smallest of y_v(b) over v,   out_v(b) = median{ t_r(b - h) ... t_r(b + h) },  r the rank of v in bin b, h = (width - 1) / 2
 * At the edges the window is what of it lies inside. Equal values keep the order of their views.
 */
#include <stdlib.h>
#include "par.h"
#include "stripes.h"

struct ranked { pri_real v; int view; };
struct run { pri_real *out; const pri_real *in; ptrdiff_t views, bins, half; struct ranked *sorted; }; /* sorted: [bins][views] */

static int by_value(const void *a, const void *b) {
  const struct ranked *p = a, *q = b;
  if (p->v != q->v) return p->v < q->v ? -1 : 1;
  return (p->view > q->view) - (p->view < q->view);
}

static pri_status sort_bins(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  (void)worker;
  for (ptrdiff_t b = first; b < last; b++) {
    struct ranked *t = r->sorted + b * r->views;
    for (ptrdiff_t v = 0; v < r->views; v++) t[v] = (struct ranked){r->in[v * r->bins + b], (int)v};
    qsort(t, (size_t)r->views, sizeof *t, by_value);
  }
  return PRI_OK;
}

/* the middle one of n values (of an even number, at the edges: the mean of the two); v is reordered */
static double median(double *v, ptrdiff_t n) {
  for (ptrdiff_t i = 1; i < n; i++) { /* insertion: n is small */
    const double x = v[i];
    ptrdiff_t j = i;
    for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
    v[j] = x;
  }
  return 0.5 * (v[(n - 1) / 2] + v[n / 2]);
}

static pri_status smooth_bins(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  (void)worker;
  for (ptrdiff_t b = first; b < last; b++) {
    const ptrdiff_t from = b < r->half ? 0 : b - r->half, to = b + r->half < r->bins ? b + r->half : r->bins - 1;
    for (ptrdiff_t k = 0; k < r->views; k++) {
      double window[PRI_STRIPES_WIDEST];
      for (ptrdiff_t c = from; c <= to; c++) window[c - from] = (double)r->sorted[c * r->views + k].v;
      r->out[r->sorted[b * r->views + k].view * r->bins + b] = (pri_real)median(window, to - from + 1);
    }
  }
  return PRI_OK;
}

size_t pri_stripes_sort_scratch(ptrdiff_t views, ptrdiff_t bins) { return (size_t)(views * bins) * sizeof(struct ranked); }

pri_status pri_stripes_sort_run(pri_ctx *ctx, pri_real *out, const pri_real *in, ptrdiff_t views, ptrdiff_t bins, ptrdiff_t width, void *scratch) {
  struct run r = {out, in, views, bins, (width - 1) / 2, scratch};
  PRI_TRY(pri_par_for(ctx, bins, 8, sort_bins, &r));
  return pri_par_for(ctx, bins, 8, smooth_bins, &r);
}
